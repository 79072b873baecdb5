//! Findings that do not count and why: allow markers, allowlists, the baseline and its imports.

use crate::support::command::Run;
use crate::support::{Keys, TestRepo, shows_part_of};

/// A key pair as a file has it.
struct Pair {
    id: String,
    secret: String,
}

fn pair(seed: u64) -> Pair {
    let mut keys = Keys::new(seed);
    Pair {
        id: keys.id(),
        secret: keys.secret(),
    }
}

impl Pair {
    /// Two lines; `mark` is written behind the second.
    fn env(&self, mark: &str) -> String {
        format!(
            "aws_access_key_id = {}\naws_secret_access_key = {}{mark}\n",
            self.id, self.secret
        )
    }

    /// Both halves on one line, with `more` behind them.
    fn line(&self, more: &str) -> String {
        format!(
            "aws_access_key_id={} aws_secret_access_key={}{more}\n",
            self.id, self.secret
        )
    }
}

/// A secret of another vendor.
fn stripe(seed: u64) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    ["sk_", "live_", &Keys::new(seed).text(alphabet, 24)].concat()
}

fn summary(run: &Run) -> (u64, u64) {
    let json = run.json();
    let count = |name: &str| {
        json["summary"][name]
            .as_u64()
            .unwrap_or_else(|| panic!("no {name}\n{}", run.show()))
    };
    (count("errors"), count("accepted"))
}

/// Errors that count and findings that are accepted in a scan of the work tree.
#[track_caller]
fn counts(repo: &TestRepo, status: i32) -> (u64, u64) {
    summary(&repo.keysieve(&["scan", "--format", "json"]).status(status))
}

fn baseline(repo: &TestRepo) -> String {
    std::fs::read_to_string(repo.join(".keysieve-baseline")).expect("a baseline")
}

fn entries(repo: &TestRepo) -> Vec<String> {
    let text = baseline(repo);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

#[test]
fn a_moved_finding_stays_accepted_and_a_different_secret_on_its_line_is_new() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    assert_eq!(counts(&repo, 1), (1, 0));
    repo.keysieve(&["baseline", "write", "--reason", "revoked"])
        .status(0);
    assert_eq!(counts(&repo, 0), (0, 1));
    // Moved to another file and line.
    std::fs::remove_file(repo.join("a.env")).unwrap();
    repo.write("deep/b.env", format!("\n\n\n{}", pair(1).env("")));
    assert_eq!(counts(&repo, 0), (0, 1));
    // Another secret at the very place that was accepted.
    repo.write("deep/b.env", format!("\n\n\n{}", pair(2).env("")));
    assert_eq!(counts(&repo, 1), (1, 0));
}

#[test]
fn a_baseline_is_sorted_has_no_secret_no_line_number_and_no_time_and_is_the_same_twice() {
    let repo = TestRepo::new();
    for seed in 0..8 {
        repo.write(format!("dir {seed}/a.env"), pair(seed).env(""));
    }
    repo.keysieve(&["baseline", "write"]).status(0);
    let text = baseline(&repo);
    assert!(text.starts_with("# keysieve baseline 1\n"), "{text}");
    let lines = entries(&repo);
    assert_eq!(lines.len(), 8);
    assert!(lines.is_sorted(), "{text}");
    for seed in 0..8 {
        let pair = pair(seed);
        assert!(!shows_part_of(&pair.secret, &text) && !text.contains(&pair.id));
        let path = format!("path=dir%20{seed}/a.env");
        let line = lines.iter().find(|line| line.ends_with(&path));
        let words: Vec<&str> = line.expect("an entry").split(' ').collect();
        assert_eq!(words.len(), 4, "{words:?}");
        assert!(words[2].starts_with("secret=ks1:"), "{words:?}");
    }
    repo.keysieve(&["baseline", "write"]).status(2);
    // Below the root, and with other line numbers: the same bytes.
    repo.write("dir 3/a.env", format!("\n\n{}", pair(3).env("")));
    let sub = repo.join("dir 1");
    crate::support::TestCommand::keysieve(sub)
        .args(["baseline", "write", "--force"])
        .status(0);
    assert_eq!(baseline(&repo), text);
}

#[test]
fn a_secret_that_was_committed_is_not_new_when_its_key_id_goes_or_changes() {
    let alone = |secret: &str| format!("aws_secret_access_key = {secret}\n");
    for (what, staged, status) in [
        ("the secret alone", alone(&pair(1).secret), 0),
        (
            "the secret with another ID",
            Pair {
                id: pair(2).id,
                ..pair(1)
            }
            .env(""),
            0,
        ),
        ("another secret alone", alone(&pair(3).secret), 1),
        (
            "another secret with the ID",
            Pair {
                id: pair(1).id,
                ..pair(3)
            }
            .env(""),
            1,
        ),
    ] {
        let repo = TestRepo::new();
        repo.commit_file("a.env", pair(1).env(""), "a pair");
        repo.stage("a.env", &staged);
        let run = repo.keysieve(&["staged"]).run();
        assert_eq!(run.status, status, "{what}\n{}", run.show());
        // A range from there is the same question.
        repo.commit("change");
        let run = repo.keysieve(&["history", "--range", "HEAD^..HEAD"]).run();
        assert_eq!(run.status, status, "{what}\n{}", run.show());
    }
}

#[test]
fn a_secret_that_was_accepted_where_it_was_is_new_where_nothing_accepts_it() {
    let repo = TestRepo::new();
    repo.commit_file("a.env", pair(1).line(" # keysieve:allow made up"), "marked");
    repo.stage("a.env", pair(1).line(""));
    repo.keysieve(&["staged"]).status(1);
    // With the marker it is accepted, and once it counted it is known.
    repo.stage(
        "a.env",
        format!("# moved\n{}", pair(1).line(" # keysieve:allow made up")),
    );
    repo.keysieve(&["staged"]).status(0);
    repo.commit_file("a.env", pair(1).line(""), "unmarked");
    repo.stage("b.env", pair(1).line(""));
    repo.stage("a.env", "clean\n");
    repo.keysieve(&["staged"]).status(0);
}

#[test]
fn a_key_id_that_joins_a_value_which_was_no_finding_is_new() {
    let repo = TestRepo::new();
    let pair = pair(1);
    let before = format!("secret_key = {}\n", pair.secret);
    repo.commit_file("a.env", &before, "a value");
    assert_eq!(counts(&repo, 0), (0, 0));
    repo.stage("a.env", format!("key_id = {}\n{before}", pair.id));
    repo.keysieve(&["staged"]).status(1);
}

#[test]
fn an_accepted_secret_stays_accepted_without_its_key_id_and_with_another() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    repo.keysieve(&["baseline", "write", "--reason", "revoked"])
        .status(0);
    let alone = format!("aws_secret_access_key = {}\n", pair(1).secret);
    for text in [
        alone.clone(),
        Pair {
            id: pair(2).id,
            ..pair(1)
        }
        .env(""),
    ] {
        repo.write("a.env", text);
        assert_eq!(counts(&repo, 0), (0, 1));
        let run = repo.keysieve(&["baseline", "check"]).status(0);
        assert!(run.out().contains("0 unused"), "{}", run.show());
        let run = repo.keysieve(&["baseline", "update"]).status(0);
        assert!(run.out().contains("0 added, 1 kept"), "{}", run.show());
    }
    // The ID alone is another finding, and so is another secret.
    repo.write("a.env", format!("aws_access_key_id = {}\n", pair(1).id));
    let run = repo
        .keysieve(&["scan", "--format", "json", "--fail-on", "warning"])
        .status(1);
    assert_eq!(summary(&run).1, 0, "{}", run.show());
}

#[test]
fn entries_are_rekeyed_to_what_their_findings_are_now() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    repo.keysieve(&["baseline", "write", "--reason", "revoked"])
        .status(0);
    // An entry of another rule, as an earlier version of the program may have written it; and one without `secret=`.
    let old = baseline(&repo);
    let elsewhere = old
        .replace("aws-access-key-pair", "a-former-rule")
        .replacen("ks1:", "ks1:00000000", 1);
    let fingerprint = elsewhere.lines().nth(1).and_then(|line| line.get(..36));
    let cut = elsewhere.lines().nth(1).and_then(|line| line.get(44..));
    let moved = format!(
        "# keysieve baseline 1\n{}{}\n",
        fingerprint.expect("a fingerprint"),
        cut.expect("the rest")
    );
    let words: Vec<&str> = old
        .split(' ')
        .filter(|it| !it.starts_with("secret="))
        .collect();
    for text in [moved, words.join(" ")] {
        assert_ne!(text, old);
        repo.write(".keysieve-baseline", &text);
        assert_eq!(counts(&repo, 0), (0, 1), "{text}");
        repo.keysieve(&["baseline", "update"]).status(0);
        assert_eq!(baseline(&repo), text, "nothing is moved unasked");
        let run = repo.keysieve(&["baseline", "update", "--rekey"]).status(0);
        let said = "1 of those kept were given new fingerprints";
        assert!(run.out().contains(said), "{}", run.show());
        assert_eq!(baseline(&repo), old);
        let run = repo.keysieve(&["baseline", "update", "--rekey"]).status(0);
        assert!(run.out().contains("0 of those kept"), "{}", run.show());
    }
}

#[test]
fn an_excluded_key_id_makes_no_finding_of_a_value_beside_it() {
    let repo = TestRepo::new();
    let pair = pair(1);
    repo.commit_file("vendor/id.txt", format!("{}\n", pair.id), "an ID");
    // What it stands in says AWS, too far above to count without an ID.
    let weak = format!(
        "AWS = {{\n  'region': 1,\n  'retries': 3,\n  'timeout': 5,\n\n  'secret_key': '{}',\n}}\n",
        pair.secret
    );
    repo.commit_file("vendor/b.env", weak, "a value");
    let found = |args: &[&str]| {
        let run = repo.keysieve(&[&["history", "--format", "json"], args].concat());
        let json = run.run().json();
        json["findings"].as_array().expect("findings").len()
    };
    assert_eq!(found(&[]), 2);
    assert_eq!(found(&["--exclude", "/vendor/id.txt"]), 0);
    assert_eq!(found(&["--exclude", "/vendor/b.env"]), 1);
}

#[test]
fn baselines_of_two_branches_merge_without_a_conflict() {
    let repo = TestRepo::new();
    for seed in 0..24 {
        repo.write(format!("{seed}.env"), pair(seed).env(""));
    }
    repo.keysieve(&["baseline", "write"]).status(0);
    let all = entries(&repo);
    // Each branch adds an entry: the second and the last but one of all, so that neither stands beside the other.
    let without: Vec<&String> = all
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != 1 && *at != 22)
        .map(|(_, line)| line)
        .collect();
    let write = |extra: &[&String]| {
        let mut lines = without.clone();
        lines.extend(extra);
        lines.sort();
        let lines: Vec<&str> = lines.iter().map(|line| line.as_str()).collect();
        repo.stage(
            ".keysieve-baseline",
            format!("# keysieve baseline 1\n{}\n", lines.join("\n")),
        );
    };
    write(&[]);
    repo.commit("base");
    repo.git(&["checkout", "--quiet", "-b", "other"]);
    write(&[&all[1]]);
    repo.commit("other");
    repo.git(&["checkout", "--quiet", "main"]);
    write(&[&all[22]]);
    repo.commit("main");
    repo.git(&["merge", "--quiet", "-m", "merge", "other"]);
    assert_eq!(entries(&repo), all);
    assert_eq!(counts(&repo, 0), (0, 24));
}

#[test]
fn a_union_merge_is_read_and_a_conflict_is_a_fault() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    repo.write("b.env", pair(2).env(""));
    repo.keysieve(&["baseline", "write"]).status(0);
    let lines = entries(&repo);
    // Not sorted, twice, two headers: what a union leaves.
    let header = "# keysieve baseline 1";
    let text = format!("{header}\n{1}\n{0}\n{header}\n{1}\n", lines[0], lines[1]);
    repo.write(".keysieve-baseline", text);
    assert_eq!(counts(&repo, 0), (0, 2));
    let text = format!(
        "{header}\n<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n",
        lines[0], lines[1]
    );
    repo.write(".keysieve-baseline", text);
    let run = repo.keysieve(&["scan"]).status(2);
    for line in [2, 4, 6] {
        let fault = format!(".keysieve-baseline:{line}: an unresolved conflict");
        assert!(run.err().contains(&fault), "{}", run.show());
    }
}

#[test]
fn entries_have_reasons_and_days_and_expired_ones_do_not_accept() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    let args = ["--expires", "2026-06-30", "--reason", "gone by then"];
    let at = |day: &str, args: &[&str]| repo.keysieve(args).env("SOURCE_DATE_EPOCH", day);
    // The last second of the day in UTC, and the next.
    let (last, next) = ("1782863999", "1782864000");
    at(last, &[&["baseline", "write"], &args[..]].concat()).status(0);
    assert!(entries(&repo)[0].contains(" expires=2026-06-30 path=a.env # gone by then"));
    at(last, &["scan"]).status(0);
    let run = at(next, &["scan"]).status(1);
    assert!(
        run.out().contains("expired on 2026-06-30"),
        "{}",
        run.show()
    );
    at(last, &["baseline", "check"]).status(0);
    let run = at(next, &["baseline", "check"]).status(1);
    assert!(run.out().contains("expired: ks1:"), "{}", run.show());
    // An update leaves the decision to a person.
    at(next, &["baseline", "update"]).status(0);
    at(next, &["scan"]).status(1);
}

#[test]
fn a_day_that_is_over_is_refused_and_an_expired_entry_is_asked_about_again() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    for command in ["write", "update"] {
        let run = repo
            .keysieve(&["baseline", command, "--expires", "2020-01-01"])
            .status(2);
        assert!(run.err().contains("is over"), "{}", run.show());
        assert!(!repo.join(".keysieve-baseline").exists());
    }
    let long_ago = repo
        .keysieve(&["baseline", "write", "--expires", "2020-01-01"])
        .env("SOURCE_DATE_EPOCH", "1577836800");
    long_ago.status(0);
    assert_eq!(counts(&repo, 1), (1, 0));
    let run = repo.keysieve(&["baseline", "update"]).status(0);
    assert!(run.out().contains("baseline audit"), "{}", run.show());
    let answers = "a expires=2020-01-01 no\na still in use\n";
    let audit = repo.keysieve(&["baseline", "audit"]).stdin(answers);
    let run = audit.status(0);
    assert!(run.out().contains("2020-01-01 is over"), "{}", run.show());
    assert_eq!(counts(&repo, 0), (0, 1));
    // The question fits into 80 columns, with room for an answer.
    let question = run.out();
    let question = question.lines().find(|line| line.contains("1 of 1: "));
    let question = question.expect("a question").split("? ").next();
    assert!(question.is_some_and(|it| it.len() < 66), "{}", run.show());
}

#[test]
fn update_keeps_what_is_there_and_check_and_prune_see_what_is_unused() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    repo.keysieve(&["baseline", "write", "--reason", "one"])
        .status(0);
    repo.write("b.env", pair(2).env(""));
    assert_eq!(counts(&repo, 1), (1, 1));
    let run = repo
        .keysieve(&["baseline", "update", "--reason", "two"])
        .status(0);
    assert!(run.out().contains("1 added, 1 kept"), "{}", run.show());
    let text = baseline(&repo);
    assert!(text.contains("path=a.env # one") && text.contains("path=b.env # two"));
    repo.keysieve(&["baseline", "check"]).status(0);

    std::fs::remove_file(repo.join("a.env")).unwrap();
    let run = repo.keysieve(&["baseline", "check"]).status(1);
    assert!(run.out().contains("unused: ks1:"), "{}", run.show());
    let run = repo.keysieve(&["scan", "--report-unused"]).status(0);
    assert!(
        run.err().contains("is no finding of this scan"),
        "{}",
        run.show()
    );
    let run = repo.keysieve(&["scan"]).status(0);
    assert!(!run.err().contains("no finding"), "{}", run.show());
    // A commit is a part of it: what it does not touch is not unused.
    repo.git(&["add", "."]);
    let run = repo.keysieve(&["staged", "--report-unused"]).status(0);
    assert!(!run.err().contains("no finding"), "{}", run.show());
    repo.keysieve(&["baseline", "prune"]).status(0);
    assert_eq!(entries(&repo).len(), 1);
    assert!(entries(&repo)[0].ends_with("# two"));
    repo.keysieve(&["baseline", "check"]).status(0);
}

#[cfg(unix)]
#[test]
fn nothing_is_pruned_after_an_incomplete_scan() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    repo.keysieve(&["baseline", "write"]).status(0);
    let before = baseline(&repo);
    repo.write(".keysieve.toml", "max-file-size = 10\n");
    repo.keysieve(&["baseline", "prune"]).status(2);
    assert_eq!(baseline(&repo), before);
    repo.keysieve(&["baseline", "check"]).status(2);
}

#[test]
fn a_baseline_of_the_history_accepts_what_is_in_the_history_only() {
    let repo = TestRepo::new();
    repo.commit_file("a.env", pair(1).env(""), "adds it");
    repo.commit_file("a.env", "nothing\n", "takes it out");
    repo.keysieve(&["history"]).status(1);
    repo.keysieve(&["baseline", "write", "--history", "--reason", "rotated"])
        .status(0);
    let run = repo.keysieve(&["history", "--format", "json"]).status(0);
    assert_eq!(summary(&run), (0, 1));
    repo.keysieve(&["baseline", "check"]).status(1);
    repo.keysieve(&["baseline", "check", "--history"]).status(0);
}

#[test]
fn every_marker_accepts_the_finding_of_its_line_and_says_why() {
    for mark in [
        "keysieve:allow",
        "keysieve:allow * made up",
        "keysieve:allow aws-access-key-pair made up",
        "keysieve:allow made up for the tests",
        "gitleaks:allow",
        "betterleaks:allow",
        "trufflehog:ignore",
        "kingfisher:ignore",
        "pragma: allowlist secret",
    ] {
        let repo = TestRepo::new();
        repo.write("a.env", pair(1).env(&format!(" # {mark}")));
        assert_eq!(counts(&repo, 0), (0, 1), "{mark}");
    }
    for mark in [
        "pragma: allowlist nextline secret",
        "keysieve:allow-next-line",
    ] {
        let repo = TestRepo::new();
        repo.write("a.env", format!("# {mark}\n{}", pair(1).env("")));
        assert_eq!(counts(&repo, 0), (0, 1), "{mark}");
    }
    let repo = TestRepo::new();
    repo.write(
        "a.env",
        pair(1).env(" # keysieve:allow aws-access-key-pair made up"),
    );
    let run = repo.keysieve(&["scan", "--show-notes"]).status(0);
    assert!(run.out().contains("made up"), "{}", run.show());
    assert!(run.out().contains("accepted: 1"), "{}", run.show());
}

#[test]
fn a_marker_covers_neither_another_line_nor_another_rule_nor_another_place() {
    let repo = TestRepo::new();
    // Another line.
    repo.write("a.env", format!("{}# keysieve:allow\n", pair(1).env("")));
    assert_eq!(counts(&repo, 1), (1, 0));
    // Another rule, a misspelt one included.
    for rule in ["stripe-live-key", "aws-acess-key-pair"] {
        repo.write(
            "a.env",
            pair(1).env(&format!(" # keysieve:allow {rule} why")),
        );
        assert_eq!(counts(&repo, 1), (1, 0), "{rule}");
    }
    // A real key of another vendor beside the one that is allowed.
    let mark = format!(
        " stripe = \"{}\" # keysieve:allow aws-access-key-pair r",
        stripe(1)
    );
    repo.write("a.env", pair(1).line(&mark));
    assert_eq!(counts(&repo, 1), (1, 1));
    // The same secret without a marker in another file.
    repo.write("a.env", pair(1).env(" # keysieve:allow"));
    assert_eq!(counts(&repo, 0), (0, 1));
    repo.write("b.env", pair(1).env(""));
    assert_eq!(counts(&repo, 1), (1, 0));
}

#[test]
fn a_reason_does_not_show_a_secret() {
    let repo = TestRepo::new();
    let pair = pair(1);
    repo.write(
        "a.env",
        pair.env(&format!(" # keysieve:allow it is {} again", pair.secret)),
    );
    for format in ["text", "json"] {
        let run = repo
            .keysieve(&["scan", "--show-notes", "--format", format])
            .run();
        assert!(!shows_part_of(&pair.secret, &run.stdout), "{}", run.show());
    }
}

#[test]
fn a_marker_works_in_the_hook() {
    let repo = TestRepo::new();
    repo.stage("a.env", pair(1).env(""));
    repo.keysieve(&["staged"]).status(1);
    repo.stage("a.env", pair(1).env(" # keysieve:allow made up"));
    let run = repo.keysieve(&["staged", "--format", "json"]).status(0);
    assert_eq!(summary(&run), (0, 1));
}

#[test]
fn unused_markers_and_allowlists_are_reported_on_request() {
    let repo = TestRepo::new();
    repo.write("a.txt", "one\ntwo # keysieve:allow\n");
    repo.write("b.env", pair(1).env(" # keysieve:allow made up"));
    repo.write(
        ".keysieve.toml",
        "[[allow]]\npaths = ['/none/']\nreason = 'r'\n[[allow]]\nrules = ['aws-access-key-pair']\nreason = 'r'\n",
    );
    let run = repo.keysieve(&["scan", "--report-unused"]).status(0);
    assert!(
        run.err().contains("a.txt:2: this allow marker"),
        "{}",
        run.show()
    );
    assert!(!run.err().contains("b.env"), "{}", run.show());
    let fault = ".keysieve.toml:1: this [[allow]]";
    assert!(run.err().contains(fault), "{}", run.show());
    assert!(!run.err().contains(".keysieve.toml:4"), "{}", run.show());
    let run = repo.keysieve(&["scan"]).status(0);
    assert!(!run.err().contains("marker"), "{}", run.show());
}

#[test]
fn an_allowlisted_secret_is_counted_and_its_reason_shown() {
    let repo = TestRepo::new();
    repo.write("tests/fixtures/a.env", pair(1).env(""));
    repo.write("src/a.env", pair(2).env(""));
    repo.write(
        ".keysieve.toml",
        "[[allow]]\npaths = ['/tests/fixtures/']\nreason = 'made up for tests'\n",
    );
    assert_eq!(counts(&repo, 1), (1, 1));
    // From elsewhere the same paths are meant.
    let sub = repo.join("tests");
    let run = crate::support::TestCommand::keysieve(sub)
        .args(["scan", "--format", "json", "--show-notes"])
        .status(0);
    assert_eq!(summary(&run), (0, 1));
    assert!(run.out().contains("made up for tests"), "{}", run.show());
    // By content: the key id.
    let regex = format!("^{}", &pair(2).id[..12]);
    repo.write(
        ".keysieve.toml",
        format!("[[allow]]\nkey-ids = ['{regex}']\nreason = 'ours'\n"),
    );
    assert_eq!(counts(&repo, 1), (1, 1));
}

#[test]
fn a_gitleaksignore_is_imported() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    repo.write("b.env", pair(2).env(""));
    let commit = "0123456789".repeat(4);
    repo.write(
        ".gitleaksignore",
        format!("# old\na.env:aws-access-token:1\n{commit}:c.env:aws-access-token:1\n"),
    );
    let run = repo
        .keysieve(&["baseline", "import", ".gitleaksignore"])
        .status(0);
    assert!(
        run.out().contains("--history finds those"),
        "{}",
        run.show()
    );
    assert_eq!(counts(&repo, 1), (1, 1));
    assert!(entries(&repo)[0].ends_with("path=a.env # imported from .gitleaksignore"));
}

#[test]
fn a_gitleaksignore_with_commits_is_imported_from_the_history() {
    let repo = TestRepo::new();
    let commit = repo.commit_file("a.env", pair(1).env(""), "adds it");
    repo.commit_file("a.env", "nothing\n", "takes it out");
    repo.write("ignore", format!("{commit}:a.env:aws-access-token:1\n"));
    repo.keysieve(&["baseline", "import", "ignore", "--history"])
        .status(0);
    repo.keysieve(&["history"]).status(0);
}

#[test]
fn a_report_of_gitleaks_is_imported() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1).env(""));
    repo.write("b.env", pair(2).env(""));
    let report = serde_json::json!([
        {"RuleID": "aws-access-token", "File": "a.env", "StartLine": 1, "EndLine": 1, "Secret": pair(1).id, "Commit": ""},
        // A secret that stands there no more.
        {"RuleID": "aws-access-token", "File": "b.env", "StartLine": 1, "EndLine": 1, "Secret": pair(3).id, "Commit": ""},
    ]);
    repo.write("gitleaks.json", report.to_string());
    let run = repo.keysieve(&[
        "baseline",
        "import",
        "gitleaks.json",
        "--exclude",
        "gitleaks.json",
    ]);
    let run = run.status(0);
    assert!(
        run.out().contains("1 new entry from 2 entries"),
        "{}",
        run.show()
    );
    let run = repo
        .keysieve(&["scan", "--exclude", "gitleaks.json", "--format", "json"])
        .status(1);
    assert_eq!(summary(&run), (1, 1));
}

#[test]
fn a_baseline_of_detect_secrets_is_imported() {
    let repo = TestRepo::new();
    repo.write("moved.env", pair(1).env(""));
    repo.write("b.env", pair(2).env(""));
    repo.write("secret.txt", &pair(1).secret);
    let hash = crate::support::TestCommand::new("sha1sum", repo.path())
        .arg("secret.txt")
        .status(0)
        .out();
    std::fs::remove_file(repo.join("secret.txt")).unwrap();
    let hash = hash.split(' ').next().unwrap();
    let text = serde_json::json!({
        "version": "1.5.0",
        "results": {"old.env": [{"type": "AWS Access Key", "hashed_secret": hash, "line_number": 9}]},
    });
    repo.write(".secrets.baseline", text.to_string());
    repo.keysieve(&["baseline", "import", ".secrets.baseline"])
        .status(0);
    assert_eq!(counts(&repo, 1), (1, 1));
    assert!(baseline(&repo).contains("path=moved.env # imported from a detect-secrets baseline"));
}

#[test]
fn what_cannot_be_imported_is_told_without_its_content() {
    let repo = TestRepo::new();
    let pair = pair(1);
    repo.write("x", format!("[{{\"File\": {{\"{}\": 1}}}}]", pair.secret));
    let run = repo.keysieve(&["baseline", "import", "x"]).status(2);
    assert!(!shows_part_of(&pair.secret, &run.stderr), "{}", run.show());
    repo.keysieve(&["baseline", "import", "none"]).status(2);
}

#[test]
fn audit_asks_about_each_finding_and_never_shows_the_secret() {
    let repo = TestRepo::new();
    for seed in 0..4 {
        repo.write(format!("{seed}.env"), pair(seed).env(""));
    }
    let answers = "what\na\na it was revoked\nc\ns\na expires=2099-01-01 until then\nq\n";
    let run = repo
        .keysieve(&["baseline", "audit"])
        .stdin(answers)
        .status(0);
    let last = "2 accepted, 1 skipped, 1 not looked at";
    assert!(run.out().contains(last), "{}", run.show());
    for seed in 0..4 {
        let secret = pair(seed).secret;
        assert!(!shows_part_of(&secret, &run.stdout), "{}", run.show());
    }
    let text = baseline(&repo);
    assert!(text.contains("path=0.env # it was revoked"), "{text}");
    assert!(
        text.contains("expires=2099-01-01 path=2.env # until then"),
        "{text}"
    );
    assert_eq!(counts(&repo, 1), (2, 2));
    // The end of the input ends it; what was decided is not asked again.
    let run = repo.keysieve(&["baseline", "audit"]).stdin("").status(0);
    assert!(run.out().contains("1 of 2"), "{}", run.show());
}
