//! The configuration: what it sets, what is wrong with it, and which one counts in which use.

use std::path::Path;

use crate::support::command::Run;
use crate::support::{Keys, TestCommand, TestRepo};

fn pair(seed: u64) -> String {
    let mut keys = Keys::new(seed);
    let (id, secret) = (keys.id(), keys.secret());
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

fn rule_file(id: &str) -> String {
    format!(
        "[[rule]]\nid = '{id}'\ndescription = 'An Acme token: opens Acme.'\nkeywords = ['acme_']\n\
         regex = 'acme_(?P<secret>[a-z0-9]{{20}})'\nexamples = ['acme_{{lower:20}}']\nnegative_examples = ['acme_']\n"
    )
}

#[track_caller]
fn says(run: &Run, text: &str) {
    assert!(
        run.out().contains(text) || run.err().contains(text),
        "does not say {text:?}\n{}",
        run.show()
    );
}

const ALLOW_ALL: &str = "[[allow]]\npaths = ['*']\nreason = 'everything'\n";

#[test]
fn all_faults_are_told_at_once_with_line_and_key() {
    let repo = TestRepo::new();
    repo.write("rules.toml", "[[rule]]\nid = 'x'\n");
    repo.write(
        ".keysieve.toml",
        "fail-on = 'fatal'\nfail_on = 'error'\nexclude = ['a[z-a]']\nformat = 'xml'\nrule-files = ['rules.toml', 'no.toml']\n\
         [[allow]]\nsecrets = ['(']\nreason = 'r'\n",
    );
    repo.write(".keysieve-baseline", "# keysieve baseline 1\nks1:1\n");
    for args in [&["scan"][..], &["history"]] {
        let run = repo.keysieve(args).status(2);
        for fault in [
            ".keysieve.toml:1: fail-on: ",
            ".keysieve.toml:2: fail_on: unknown key",
            ".keysieve.toml:3: exclude: not a pattern",
            ".keysieve.toml:4: format: ",
            ".keysieve.toml:5: rule-files: there is no file no.toml",
            ".keysieve.toml:7: allow.secrets: unclosed group",
            "rules.toml:1: x.regex: missing",
            ".keysieve-baseline:2: fingerprint: ",
        ] {
            says(&run, fault);
        }
    }
    let run = repo.keysieve(&["config", "check"]).status(1);
    says(&run, ".keysieve.toml:7: allow.secrets");
    repo.write(
        ".keysieve.toml",
        "[rules]\ndisable = ['no-such']\nenable-only = ['nor-this']\n",
    );
    repo.write(".keysieve-baseline", "");
    let run = repo.keysieve(&["scan"]).status(2);
    says(
        &run,
        ".keysieve.toml:2: rules.disable: there is no rule 'no-such'",
    );
    says(&run, ".keysieve.toml:3: rules.enable-only");
    repo.write(".keysieve.toml", "");
    repo.keysieve(&["config", "check"]).status(0);
}

#[test]
fn settings_count_and_the_command_line_goes_before_them() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1));
    repo.write("vendor/b.env", pair(2));
    repo.keysieve(&["scan"]).status(1);
    repo.write(
        ".keysieve.toml",
        "fail-on = 'never'\nformat = 'json'\nexclude = ['/vendor/']\n",
    );
    let run = repo.keysieve(&["scan"]).status(0);
    assert_eq!(run.json()["summary"]["errors"], 1);
    repo.keysieve(&["scan", "--fail-on", "error"]).status(1);
    let run = repo.keysieve(&["scan", "--format", "text"]).status(0);
    says(&run, "config:  .keysieve.toml");
    // From another directory the same files are left out.
    let run = TestCommand::keysieve(repo.join("vendor"))
        .arg("scan")
        .status(0);
    assert_eq!(run.json()["summary"]["errors"], 0, "{}", run.show());
    repo.keysieve(&["scan", "--no-config"]).status(1);
    // A configuration that is named, on the command line or in the environment.
    repo.write("other.toml", "fail-on = 'error'\n");
    let run = repo.keysieve(&["scan", "--config", "other.toml"]).status(1);
    says(&run, "config:  other.toml");
    repo.keysieve(&["scan"])
        .env("KEYSIEVE_CONFIG", "other.toml")
        .status(1);
    repo.keysieve(&["scan", "--config-from", "other.toml"])
        .status(1);
    repo.keysieve(&["scan", "--config", "none.toml"]).status(2);
    repo.keysieve(&["scan", "--config-from", "base"]).status(2);
}

#[test]
fn patterns_begin_at_the_root_wherever_the_scan_does() {
    let repo = TestRepo::new();
    repo.write(".keysieve.toml", "exclude = ['/vendor/', '/sub/skip/']\n");
    repo.write("vendor/a.env", pair(1));
    repo.write("sub/skip/a.env", pair(2));
    repo.write("sub/vendor/a.env", pair(3));
    let count = |dir: &Path, args: &[&str]| {
        let run = TestCommand::keysieve(dir).arg("scan").args(args);
        let run = run.args(["--format", "json"]).run();
        run.json()["summary"]["errors"].as_u64()
    };
    let sub = repo.join("sub");
    assert_eq!(count(repo.path(), &[]), Some(1));
    assert_eq!(count(repo.path(), &["sub", "vendor"]), Some(1));
    assert_eq!(count(&sub, &[]), Some(1));
    assert_eq!(count(&sub, &["../vendor"]), Some(0));
    assert_eq!(count(&sub, &["skip/a.env"]), Some(0));
    assert_eq!(count(Path::new("/"), &[sub.to_str().unwrap()]), Some(1));
}

#[test]
fn rules_are_switched_off_on_and_given_levels() {
    let repo = TestRepo::new();
    repo.write("a.env", pair(1));
    repo.write(
        ".keysieve.toml",
        "[rules]\ndisable = ['aws-access-key-pair']\n",
    );
    repo.keysieve(&["scan"]).status(0);
    repo.keysieve(&["scan", "--only", "aws-access-key-pair"])
        .status(1);
    repo.write(".keysieve.toml", "[rules]\nenable-only = ['private-key']\n");
    repo.keysieve(&["scan"]).status(0);
    repo.write(
        ".keysieve.toml",
        "[rules.level]\naws-access-key-pair = 'warning'\n",
    );
    let run = repo.keysieve(&["scan", "--format", "json"]).status(0);
    assert_eq!(run.json()["summary"]["warnings"], 1);
    repo.keysieve(&["scan", "--fail-on", "warning"]).status(1);
}

#[test]
fn rule_files_are_read_beside_the_configuration_and_nowhere_else() {
    let repo = TestRepo::new();
    let token = format!("acme_{}\n", "abcdefghij".repeat(2));
    repo.write("a.txt", &token);
    repo.write("rules/acme.toml", rule_file("acme-token"));
    repo.write(
        ".keysieve.toml",
        "rule-files = ['rules/acme.toml']\n[rules.level]\nacme-token = 'error'\n",
    );
    let run = repo.keysieve(&["scan", "--format", "json"]).status(1);
    assert_eq!(run.json()["findings"][0]["rule"], "acme-token");
    // From the index as well.
    repo.git(&["add", "."]);
    std::fs::remove_file(repo.join("rules/acme.toml")).unwrap();
    repo.keysieve(&["staged"]).status(1);
    // Outside of the repository, named or by a link.
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x.toml"), rule_file("acme-token")).unwrap();
    let name = outside.path().join("x.toml");
    repo.write(
        ".keysieve.toml",
        format!("rule-files = ['{}', '../x.toml']\n", name.display()),
    );
    let run = repo.keysieve(&["scan"]).status(2);
    assert_eq!(
        run.err().matches("a path below the configuration").count(),
        2
    );
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&name, repo.join("link.toml")).unwrap();
        repo.write(".keysieve.toml", "rule-files = ['link.toml']\n");
        let run = repo.keysieve(&["scan"]).status(2);
        says(&run, "leads out of the repository");
        std::fs::remove_file(repo.join(".keysieve.toml")).unwrap();
        std::os::unix::fs::symlink(&name, repo.join(".keysieve.toml")).unwrap();
        repo.keysieve(&["scan"]).status(2);
    }
}

#[test]
fn staged_reads_both_files_from_the_index() {
    let repo = TestRepo::new();
    repo.commit("empty");
    repo.stage("a.env", pair(1));
    // On the disk only: does not count.
    repo.write(".keysieve.toml", ALLOW_ALL);
    repo.keysieve(&["staged"]).status(1);
    repo.git(&["add", ".keysieve.toml"]);
    let run = repo.keysieve(&["staged"]).status(0);
    says(&run, ".keysieve.toml (index)");
    // In the index only: counts.
    std::fs::remove_file(repo.join(".keysieve.toml")).unwrap();
    repo.keysieve(&["staged"]).status(0);
    // As it was before the commit.
    repo.keysieve(&["staged", "--config-from", "base"])
        .status(1);

    repo.git(&["rm", "--quiet", "--cached", ".keysieve.toml"]);
    repo.keysieve(&["baseline", "write"]).status(0);
    repo.keysieve(&["staged"]).status(1);
    repo.git(&["add", ".keysieve-baseline"]);
    let run = repo.keysieve(&["staged"]).status(0);
    says(&run, ".keysieve-baseline (index)");
    repo.keysieve(&["staged", "--no-baseline"]).status(1);
    // Another secret in the same place is new.
    repo.stage("a.env", pair(2));
    repo.keysieve(&["staged"]).status(1);
}

#[test]
fn a_fault_in_the_index_is_2() {
    let repo = TestRepo::new();
    repo.stage(".keysieve.toml", "nonsense = 1\n");
    repo.write(".keysieve.toml", "");
    let run = repo.keysieve(&["staged"]).status(2);
    says(&run, ".keysieve.toml:1: nonsense: unknown key");
}

#[test]
fn history_reads_the_work_tree_or_head_of_a_bare_repository() {
    let repo = TestRepo::new();
    repo.commit_file("a.env", pair(1), "adds it");
    repo.write(".keysieve.toml", ALLOW_ALL);
    repo.keysieve(&["history"]).status(0);
    repo.keysieve(&["history", "--config-from", "head"])
        .status(1);
    repo.git(&["add", ".keysieve.toml"]);
    repo.commit("allows it");
    let bare = tempfile::tempdir().unwrap();
    let to = bare.path().join("bare.git");
    repo.git(&["clone", "--quiet", "--bare", ".", to.to_str().unwrap()]);
    let run = TestCommand::keysieve(&to).arg("history").status(0);
    says(&run, ".keysieve.toml (");
}

/// The hook of a server, told of one branch.
fn receive(repo: &TestRepo, old: &str, new: &str, args: &[&str]) -> TestCommand {
    repo.keysieve(&["hook", "run", "pre-receive"])
        .args(args)
        .stdin(format!("{old} {new} refs/heads/topic\n"))
}

#[test]
fn nobody_disarms_the_scan_in_the_push_that_adds_the_key() {
    let repo = TestRepo::new();
    let base = repo.commit_file("readme", "x\n", "base");
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    repo.stage("a.env", pair(1));
    let head = repo.commit_file(".keysieve.toml", ALLOW_ALL, "adds a key and allows it");
    // On the server `main` is what was there before, and so is its configuration.
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["branch", "--quiet", "-D", "topic"]);
    receive(&repo, &"0".repeat(40), &head, &[]).status(1);
    let run = receive(&repo, &"0".repeat(40), &head, &["--config-from", "head"]).status(0);
    says(&run, ".keysieve.toml (");
    // The other way round: what was accepted before stays so, whatever the push takes away.
    repo.git(&["checkout", "--quiet", "-b", "second", &base]);
    repo.commit_file(".keysieve.toml", ALLOW_ALL, "reviewed");
    repo.git(&["update-ref", "refs/heads/main", "HEAD"]);
    repo.git(&["checkout", "--quiet", "main"]);
    let before = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["checkout", "--quiet", "--detach"]);
    let after = repo.commit_file("b.env", pair(2), "adds another key");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["branch", "--quiet", "-D", "second"]);
    receive(&repo, &before, &after, &[]).status(0);
}

#[test]
fn the_pre_push_hook_reads_what_the_other_side_has() {
    let repo = TestRepo::new();
    let base = repo.commit_file("readme", "x\n", "base");
    repo.git(&["update-ref", "refs/remotes/origin/main", &base]);
    repo.stage("a.env", pair(1));
    let head = repo.commit_file(".keysieve.toml", ALLOW_ALL, "adds a key and allows it");
    let push = |args: &[&str]| {
        repo.keysieve(&["hook", "run", "pre-push"])
            .args(args)
            .args(["origin", "url"])
            .stdin(format!("refs/heads/main {head} refs/heads/main {base}\n"))
    };
    push(&[]).status(1);
    push(&["--config-from", "head"]).status(0);
}

#[test]
fn show_tells_where_each_value_comes_from() {
    let repo = TestRepo::new();
    repo.write(
        ".keysieve.toml",
        "# mine\nfail-on = 'warning'\nexclude = ['*.min.js']\n[rules.level]\naws-access-key-id = 'note'\n\
         [[allow]]\npaths = ['/a', 'b']\nsecrets = ['^x\"y']\nkey-ids = ['Z$']\nrules = ['aws-access-key-pair']\nreason = 'why'\n",
    );
    let run = repo
        .keysieve(&["config", "show", "--exclude", "x", "--threads", "3"])
        .status(0);
    let line = |start: &str, from: &str| {
        let out = run.out();
        let found = out.lines().find(|line| line.trim().starts_with(start));
        let found = found.unwrap_or_else(|| panic!("no {start}\n{}", run.show()));
        assert!(found.ends_with(&format!("# {from}")), "{found}");
    };
    line("fail-on = \"warning\"", ".keysieve.toml:2");
    line("format = \"text\"", "default");
    line("threads = 3", "command line");
    line("\"x\"", "command line");
    line("\"*.min.js\"", ".keysieve.toml:3");
    says(&run, "# configuration: .keysieve.toml\n");
    says(
        &run,
        "[[allow]]  # .keysieve.toml:6\npaths = [\"/a\", \"b\"]\nsecrets = ['^x\"y']\n",
    );
    // What is shown can be read again.
    repo.write("again.toml", run.out());
    repo.keysieve(&["config", "check", "again.toml"]).status(0);
}

#[test]
fn what_is_written_for_a_work_tree_is_not_written_into_a_bare_repository() {
    let repo = TestRepo::with_init_args(&["--bare"]);
    for args in [
        &["init"][..],
        &["baseline", "write", "--history"],
        &["baseline", "update", "--history"],
    ] {
        let run = repo.keysieve(args).status(2);
        says(&run, "is a bare repository");
        says(&run, "hint: ");
    }
    let names = [".keysieve.toml", ".keysieve-baseline"];
    assert!(names.iter().all(|name| !repo.join(name).exists()));
    let file = ["--baseline", "accepted"];
    let write = repo.keysieve(&["baseline", "write", "--history"]);
    write.args(file).status(0);
    assert!(repo.join("accepted").exists());
    // Nor into the `.git` of a work tree.
    let repo = TestRepo::new();
    TestCommand::keysieve(repo.join(".git"))
        .arg("init")
        .status(2);
    assert!(!repo.join(".git/.keysieve.toml").exists());
}

#[test]
fn a_misspelt_key_or_rule_leads_to_the_right_one() {
    let repo = TestRepo::new();
    repo.write(
        ".keysieve.toml",
        "exclud = []\nallow-incomplete = ['shalow']\n[rules]\ndisabled = []\n[[allow]]\npath = ['x']\nreason = 'r'\n",
    );
    let run = repo.keysieve(&["config", "check"]).status(1);
    says(&run, ":1: exclud: unknown key; there is exclude");
    says(
        &run,
        "lfs, submodule-absent, deadline, findings, not 'shalow'",
    );
    says(&run, ":4: rules.disabled: unknown key; there is disable");
    says(&run, ":6: allow.path: unknown key; there is paths");
    std::fs::remove_file(repo.join(".keysieve.toml")).unwrap();
    for args in [
        &["rules", "explain", "aws-acces-key-pair"][..],
        &["rules", "show", "aws-acces-key-pair"],
        &["scan", "--only", "aws-acces-key-pair"],
    ] {
        let run = repo.keysieve(args).status(2);
        says(&run, "hint: there ");
        says(&run, "aws-access-key-pair");
    }
}

#[test]
fn init_writes_once_and_what_it_writes_is_right() {
    let repo = TestRepo::new();
    let run = repo.keysieve(&["init"]).status(0);
    says(&run, "keysieve hook install");
    let plain = tempfile::tempdir().unwrap();
    let run = TestCommand::keysieve(plain.path()).arg("init").status(0);
    assert!(!run.out().contains("hook install"), "{}", run.show());
    repo.keysieve(&["config", "check"]).status(0);
    repo.write(".keysieve.toml", "fail-on = 'never'\n");
    repo.keysieve(&["init"]).status(0);
    let text = std::fs::read_to_string(repo.join(".keysieve.toml")).unwrap();
    assert_eq!(text, "fail-on = 'never'\n");
}

#[test]
fn a_directory_without_a_repository_has_its_own_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("sub/a.env", &pair(1));
    write("sub/.keysieve.toml", ALLOW_ALL);
    let scan = |path: &Path, at: &str| TestCommand::keysieve(path).args(["scan", at]);
    scan(dir.path(), ".").status(1);
    scan(dir.path(), "sub").status(0);
    scan(Path::new("/"), dir.path().join("sub").to_str().unwrap()).status(0);
}

#[test]
fn the_examples_of_the_documentation_are_right() {
    let repo = TestRepo::new();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut count = 0;
    for page in ["configuration.md", "monorepos.md", "suppression.md"] {
        let text = std::fs::read_to_string(docs.join(page)).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let toml = block.split("```").next().unwrap();
            repo.write(".keysieve.toml", toml);
            repo.keysieve(&["config", "check"]).status(0);
            count += 1;
        }
        for block in text.split("```text\n").skip(1) {
            let example = block.split("```").next().unwrap();
            if example.starts_with("# keysieve baseline") {
                repo.write(".keysieve-baseline", example);
                repo.keysieve(&["config", "check"]).status(0);
                count += 1;
            }
        }
    }
    assert_eq!(count, 3);
}
