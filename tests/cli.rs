//! The program as such: exit status, streams, options, colour, signals. What it finds is tested elsewhere.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::{self, Run};
use crate::support::{Keys, TestCommand, TestRepo, shows_part_of};

/// A file with a pair as `boto3` wants it.
struct Pair {
    id: String,
    secret: String,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let mut keys = Keys::new(seed);
        Self {
            id: keys.id(),
            secret: keys.secret(),
        }
    }

    fn python(&self) -> String {
        format!(
            "import boto3\n\nsession = boto3.Session(\n    aws_access_key_id=\"{}\",\n    \
             aws_secret_access_key=\"{}\",\n)\n",
            self.id, self.secret
        )
    }
}

fn dir_with(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

fn scan(dir: impl AsRef<Path>, args: &[&str]) -> TestCommand {
    TestCommand::keysieve(dir).arg("scan").args(args)
}

#[track_caller]
fn assert_hides(run: &Run, pair: &Pair) {
    for stream in [run.out(), run.err()] {
        assert!(!shows_part_of(&pair.secret, stream), "{}", run.show());
    }
}

#[test]
fn a_clean_directory_is_0_a_pair_is_1_and_what_cannot_be_read_is_2() {
    let pair = Pair::new(1);
    let clean = dir_with(&[("a.txt", "nothing here\n")]);
    let run = scan(clean.path(), &[]).status(0);
    assert!(run.out().contains("scanned: 1 file"), "{}", run.show());
    assert_eq!(run.err(), "");

    let leaky = dir_with(&[("src/app.py", &pair.python())]);
    let run = scan(leaky.path(), &[]).status(1);
    let out = run.out();
    assert!(out.contains("error[aws-access-key-pair]"), "{}", run.show());
    assert!(out.contains(" --> src/app.py:5:28\n"), "{}", run.show());
    assert!(out.contains(&pair.id), "{}", run.show());
    assert_eq!(run.err(), "");
    assert_hides(&run, &pair);

    // The findings are reported all the same.
    let run = scan(leaky.path(), &[".", "not-there"]).status(2);
    assert!(run.out().contains("src/app.py:5:28"), "{}", run.show());
    assert!(run.out().contains("incomplete: "), "{}", run.show());
    assert!(run.out().contains("not-there"), "{}", run.show());
    let run = scan(leaky.path(), &[".", "not-there", "--format", "json"]).status(2);
    assert_eq!(run.json()["coverage"]["complete"], false);
    assert!(run.err().contains("incomplete"), "{}", run.show());
}

#[test]
fn a_reason_that_is_accepted_does_not_fail_and_another_one_does() {
    let dir = dir_with(&[("a.txt", "nothing\n")]);
    let args = [".", "not-there", "--allow-incomplete"];
    let with = |reason| [&args[..], &[reason]].concat();
    let run = scan(dir.path(), &with("unreadable")).status(0);
    assert!(
        run.out().contains("incomplete, as allowed"),
        "{}",
        run.show()
    );
    scan(dir.path(), &with("size")).status(2);
    scan(dir.path(), &with("interrupted")).status(2);
    scan(dir.path(), &with("ignored")).status(2);
}

#[test]
fn fail_on_and_only_choose_what_counts() {
    let id = Keys::new(2).id();
    let dir = dir_with(&[("a.txt", &format!("the key is {id}\n"))]);
    let run = scan(dir.path(), &[]).status(0);
    assert!(
        run.out().contains("warning[aws-access-key-id]"),
        "{}",
        run.show()
    );
    scan(dir.path(), &["--fail-on", "warning"]).status(1);
    scan(dir.path(), &["--fail-on", "note"]).status(1);
    scan(dir.path(), &["--fail-on", "never"]).status(0);
    scan(dir.path(), &["--fail-on", "sometimes"]).status(2);
    let pair_only = ["--fail-on", "warning", "--only", "aws-access-key-pair"];
    let run = scan(dir.path(), &pair_only).status(0);
    assert!(!run.out().contains(&id), "{}", run.show());
    let run = scan(dir.path(), &["--only", "aws-access-key"]).status(2);
    assert!(run.err().contains("there is no rule"), "{}", run.show());
    assert!(run.err().contains("hint: there are aws-"), "{}", run.show());
}

#[test]
fn wrong_use_is_2_goes_to_stderr_and_suggests_what_is_right() {
    let dir = dir_with(&[]);
    let run = scan(dir.path(), &["--fail-onn", "error"]).status(2);
    assert_eq!(run.out(), "");
    assert!(run.err().starts_with("error: "), "{}", run.show());
    assert!(run.err().contains("--fail-on"), "{}", run.show());
    for args in [
        &["scam"][..],
        &[],
        &["scan", "--threads", "0"],
        &["scan", "--max-file-size", "1X"],
        &["scan", "--report", "sarif"],
        &["scan", "--report", "nope=x"],
        &["scan", "--report", "json=x", "--report", "csv=x"],
        &["scan", "--report", "json=x", "--report", "csv=./x"],
        &["scan", "--report", "json=-"],
        &["scan", "--format", "sarif", "--show-secrets"],
        &["scan", "--path", "x"],
        &["scan", "--exclude", "a[z-a]"],
        &["scan", "--rules", "not-there.toml"],
    ] {
        let run = TestCommand::keysieve(dir.path()).args(args).status(2);
        assert_eq!(run.out(), "", "{}", run.show());
        assert!(run.err().starts_with("error: "), "{}", run.show());
    }
    let run = TestCommand::keysieve(dir.path()).arg("--help").status(0);
    assert!(run.out().contains("Usage: keysieve"), "{}", run.show());
    let run = TestCommand::keysieve(dir.path()).arg("--version").status(0);
    assert!(run.out().starts_with("keysieve "), "{}", run.show());
    assert!(run.out().contains("(rules "), "{}", run.show());
    assert_eq!(
        TestCommand::keysieve(dir.path()).arg("-V").status(0).out(),
        run.out()
    );
}

#[test]
fn a_secret_on_the_command_line_or_in_a_path_is_not_repeated() {
    // A slash would cut the secret in two in a path.
    let pair = (3..)
        .map(Pair::new)
        .find(|pair| !pair.secret.contains('/'))
        .expect("a secret without a slash");
    let words = format!("{}:{}", pair.id, pair.secret);
    let dir = dir_with(&[]);
    let run = scan(
        dir.path(),
        &[&format!("--aws_secret_access_key={}", pair.secret)],
    )
    .status(2);
    assert_hides(&run, &pair);
    let dir = dir_with(&[
        (&format!("{}.py", pair.id), &pair.python()),
        (&format!("d/{words}/x.py"), &pair.python()),
    ]);
    let run = scan(dir.path(), &[]).status(1);
    assert_hides(&run, &pair);
    let run = scan(dir.path(), &["--format", "json"]).status(1);
    assert_hides(&run, &pair);
}

#[test]
fn json_has_the_documented_fields_and_secrets_on_request_only() {
    let pair = Pair::new(4);
    let dir = dir_with(&[("src/app.py", &pair.python()), ("b.py", &pair.python())]);
    let run = scan(dir.path(), &["--format", "json"]).status(1);
    assert_hides(&run, &pair);
    let json = run.json();
    assert_eq!(json["schema"], "keysieve-report/1");
    assert_eq!(json["tool"]["name"], "keysieve");
    assert_eq!(json["summary"]["errors"], 1);
    let finding = &json["findings"][0];
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    assert_eq!(finding["rule"], "aws-access-key-pair");
    assert_eq!(finding["level"], "error");
    assert_eq!(finding["key_id"], pair.id.as_str());
    assert_eq!(finding["account_id"].as_str().unwrap().len(), 12);
    assert!(finding["fingerprint"].as_str().unwrap().starts_with("ks1:"));
    assert!(finding.get("secret_key").is_none());
    let places = finding["places"].as_array().unwrap();
    let paths: Vec<&str> = places.iter().map(|p| p["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["b.py", "src/app.py"]);
    let place = &places[0];
    for (name, number) in [
        ("line", 5),
        ("column", 28),
        ("end_line", 5),
        ("end_column", 68),
        ("key_id_line", 4),
        ("key_id_column", 24),
        ("key_id_end_line", 4),
        ("key_id_end_column", 44),
        ("secret_line", 5),
        ("secret_column", 28),
        ("secret_end_line", 5),
        ("secret_end_column", 68),
    ] {
        assert_eq!(place[name], number, "{name}");
    }
    assert_eq!(json["coverage"]["complete"], true);
    assert_eq!(json["coverage"]["files"], 2);
    let bytes = 2 * pair.python().len() as u64;
    assert_eq!(json["coverage"]["bytes"], bytes);

    let run = scan(dir.path(), &["--format", "json", "--show-secrets"]).status(1);
    assert_eq!(
        run.json()["findings"][0]["secret_key"],
        pair.secret.as_str()
    );
    let run = scan(dir.path(), &["--show-secrets"]).status(1);
    assert!(run.out().contains(&pair.secret), "{}", run.show());
    let file = dir.path().join("report");
    let report = format!("json={}", file.display());
    scan(dir.path(), &["--show-secrets", "--report", &report]).status(1);
    let text = std::fs::read_to_string(&file).expect("a report");
    assert!(text.contains(&pair.secret), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file).expect("a report").permissions();
        assert_eq!(
            mode.mode() & 0o777,
            0o600,
            "secrets are for the owner's eyes"
        );
    }
    std::fs::remove_file(&file).expect("removed");

    let run = scan(dir.path(), &["--format", "jsonl"]).status(1);
    let lines: Vec<Value> = run
        .out()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(&lines[0], finding);
    assert_eq!(lines[1]["coverage"], json["coverage"]);
}

#[test]
fn a_path_that_is_not_utf_8_is_given_in_base64_too() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let pair = Pair::new(5);
        let dir = dir_with(&[]);
        let name = std::ffi::OsStr::from_bytes(b"a\xff\x1b[2J.py");
        fs::write(dir.path().join(name), pair.python()).unwrap();
        let place =
            scan(dir.path(), &["--format", "json"]).status(1).json()["findings"][0]["places"][0]
                .clone();
        assert_eq!(place["path"], "a\u{fffd}\u{1b}[2J.py");
        assert_eq!(place["path_base64"], "Yf8bWzJKLnB5");
        let run = scan(dir.path(), &["--color", "never"]).status(1);
        assert!(!run.stdout.contains(&0x1b), "{}", run.show());
        assert!(
            run.out().contains("a\u{fffd}\\x1b[2J.py:5:28"),
            "{}",
            run.show()
        );
    }
}

#[test]
fn reports_go_to_files_and_replace_them_whole() {
    let pair = Pair::new(6);
    let dir = dir_with(&[("in/app.py", &pair.python())]);
    let out = dir.path().join("out.json");
    fs::write(&out, "old").unwrap();
    let args = [
        "in",
        "--report",
        "json=out.json",
        "--report",
        "sarif=out.sarif",
    ];
    let run = scan(dir.path(), &args).status(1);
    assert!(run.out().contains("error["), "{}", run.show());
    let json: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    let sarif = fs::read(dir.path().join("out.sarif")).unwrap();
    let sarif: Value = serde_json::from_slice(&sarif).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let mut names: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["in", "out.json", "out.sarif"]);

    // One that cannot be written does not keep the others from being written, nor the findings from being seen.
    let args = [
        "in",
        "--report",
        "json=no/such/dir/out.json",
        "--report",
        "csv=out.csv",
        "--report",
        "sarif=nor/this/out.sarif",
    ];
    let run = scan(dir.path(), &args).status(2);
    assert!(run.err().contains("no/such/dir/out.json"), "{}", run.show());
    assert!(run.err().contains("nor/this/out.sarif"), "{}", run.show());
    assert!(
        run.out().contains("error[aws-access-key-pair]"),
        "{}",
        run.show()
    );
    assert!(dir.path().join("out.csv").exists(), "{}", run.show());
}

#[test]
fn colour_is_for_terminals_unless_somebody_says_otherwise() {
    let pair = Pair::new(7);
    let dir = dir_with(&[("app.py", &pair.python())]);
    let has_colour = |command: TestCommand| command.status(1).stdout.contains(&0x1b);
    assert!(!has_colour(scan(dir.path(), &[])));
    assert!(has_colour(scan(dir.path(), &["--color", "always"])));
    assert!(has_colour(scan(dir.path(), &[]).env("CLICOLOR_FORCE", "1")));
    assert!(!has_colour(
        scan(dir.path(), &["--color", "never"]).env("CLICOLOR_FORCE", "1")
    ));
    assert!(!has_colour(scan(dir.path(), &[]).env("NO_COLOR", "1")));
    let coloured = scan(dir.path(), &["--color", "always"]).env("NO_COLOR", "1");
    assert!(has_colour(coloured));
    // Files and formats for machines have none.
    let json = [
        "--color",
        "always",
        "--format",
        "json",
        "--report",
        "text=../t.txt",
    ];
    let sub = dir_with(&[("in/app.py", &pair.python())]);
    let run = scan(sub.path().join("in"), &json).status(1);
    assert!(!run.stdout.contains(&0x1b), "{}", run.show());
    assert!(!fs::read(sub.path().join("t.txt")).unwrap().contains(&0x1b));
}

#[test]
fn a_closed_pipe_is_no_error_and_the_status_stays() {
    let pair = Pair::new(8);
    let files: Vec<(String, String)> = (0..400)
        .map(|n| (format!("f{n}.py"), Pair::new(100 + n).python()))
        .collect();
    let mut files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_str()))
        .collect();
    let last = pair.python();
    files.push(("z.py", &last));
    let dir = dir_with(&files);
    let mut child = Command::new(env!("CARGO_BIN_EXE_keysieve"))
        .arg("scan")
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn quiet_prints_findings_and_failures_only() {
    let pair = Pair::new(9);
    let dir = dir_with(&[("app.py", &pair.python())]);
    let clean = dir_with(&[("a", "b")]);
    let run = scan(clean.path(), &["-q"]).status(0);
    assert_eq!((run.out(), run.err()), (String::new(), String::new()));
    let run = scan(dir.path(), &["-q"]).status(1);
    assert!(run.out().contains("error["), "{}", run.show());
    assert!(!run.out().contains("scanned"), "{}", run.show());
    let run = scan(clean.path(), &["-q", "not-there"]).status(2);
    assert!(run.out().contains("not-there"), "{}", run.show());
}

#[test]
fn standard_input_has_a_name_and_a_limit() {
    let pair = Pair::new(10);
    let dir = dir_with(&[]);
    let stdin = |args: &[&str]| scan(dir.path(), args).stdin(pair.python());
    let run = stdin(&["-"]).status(1);
    assert!(run.out().contains("<stdin>:5:28"), "{}", run.show());
    let run = stdin(&["-", "--path", "a/b.py"]).status(1);
    assert!(run.out().contains(" a/b.py:5:28"), "{}", run.show());
    let run = stdin(&["-", "--max-file-size", "20"]).status(2);
    assert!(run.out().contains("size"), "{}", run.show());
    stdin(&["-", "-"]).status(2);
}

#[test]
fn a_scan_of_nothing_says_so() {
    let dir = dir_with(&[]);
    let run = scan(dir.path(), &[]).status(0);
    assert!(run.out().contains("nothing was scanned"), "{}", run.show());
    let run = scan(dir.path(), &["--format", "json"]).status(0);
    assert!(run.err().contains("nothing was scanned"), "{}", run.show());
    let repo = TestRepo::new();
    let run = repo.keysieve(&["staged"]).status(0);
    assert!(run.err().contains("nothing is staged"), "{}", run.show());
}

#[test]
fn every_report_is_the_same_for_any_number_of_threads() {
    let files: Vec<(String, String)> = (0..60)
        .map(|n| {
            let pair = Pair::new(200 + n % 40);
            (format!("d{}/f{n}.py", n % 7), pair.python())
        })
        .collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, content)| (path.as_str(), content.as_str()))
        .collect();
    let dir = dir_with(&files);
    for format in [
        "text", "json", "jsonl", "sarif", "junit", "csv", "github", "gitlab",
    ] {
        let outputs: Vec<Vec<u8>> = ["1", "2", "7"]
            .iter()
            .map(|threads| {
                scan(dir.path(), &["--format", format, "--threads", threads])
                    .env("SOURCE_DATE_EPOCH", "1700000000")
                    .status(1)
                    .stdout
            })
            .collect();
        assert!(!outputs[0].is_empty());
        assert!(
            outputs.iter().all(|output| *output == outputs[0]),
            "{format}"
        );
    }
}

#[test]
fn explain_tells_what_was_seen_at_a_place() {
    let pair = Pair::new(11);
    let repo = TestRepo::new();
    repo.write("app.py", pair.python());
    repo.write("left-out/app.py", pair.python());
    repo.write(".gitignore", "left-out/app.py\n");
    let run = repo.keysieve(&["explain", "app.py:4"]).status(0);
    let alias = repo.keysieve(&["scan", "--explain", "app.py:4"]).status(0);
    assert_eq!(run.out(), alias.out());
    assert!(run.out().contains("a scan reads it"), "{}", run.show());
    assert!(
        run.out().contains("error[aws-access-key-pair]"),
        "{}",
        run.show()
    );
    assert_hides(&run, &pair);
    let run = repo.keysieve(&["explain", "app.py:1"]).status(0);
    assert!(!run.out().contains("reported"), "{}", run.show());
    let run = repo.keysieve(&["explain", "left-out/app.py"]).status(0);
    assert!(run.out().contains("ignored"), "{}", run.show());
    let run = repo
        .keysieve(&["explain", "left-out/app.py", "--no-ignore"])
        .status(0);
    assert!(run.out().contains("a scan reads it"), "{}", run.show());
    repo.keysieve(&["explain", "not-there:1"]).status(2);
    // It answers in text, and has no options for reports.
    repo.keysieve(&["explain", "app.py", "--format", "json"])
        .status(2);
}

#[test]
#[cfg(unix)]
fn a_signal_ends_the_run_with_2_and_a_word() {
    let dir = dir_with(&[]);
    // It waits for the end of standard input, which does not come.
    let mut child = Command::new(env!("CARGO_BIN_EXE_keysieve"))
        .args(["scan", "-"])
        .current_dir(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    command::feed_until_read(&mut stdin);
    command::signal(&child, "TERM");
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    };
    drop(stdin);
    assert_eq!(status.code(), Some(2));
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert!(err.contains("interrupted"), "{err}");
}

#[test]
fn a_blocked_commit_tells_in_two_lines_what_to_do() {
    let pair = Pair::new(12);
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "one\n", "one");
    repo.stage("src/app.py", pair.python());
    let run = repo.keysieve(&["staged"]).status(1);
    assert!(
        run.out().contains(" --> src/app.py:5:28\n"),
        "{}",
        run.show()
    );
    assert!(
        run.err().contains("git restore --staged src/app.py"),
        "{}",
        run.show()
    );
    assert!(run.err().contains("keysieve:allow"), "{}", run.show());
    assert_eq!(run.err().matches("hint: ").count(), 2, "{}", run.show());
    assert_hides(&run, &pair);
    // What is in `HEAD` already does not block what is added to the same file.
    repo.commit("two");
    repo.stage("src/app.py", format!("# moved\n{}", pair.python()));
    repo.keysieve(&["staged"]).status(0);
    repo.keysieve(&["staged", "--all"]).status(1);
    repo.keysieve(&["staged", "--exclude", "src/", "--all"])
        .status(0);
}

#[test]
fn history_names_the_commit_and_says_how_unreachable_objects_go() {
    let pair = Pair::new(13);
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "one\n", "one");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    let commit = repo.commit_file("app.py", pair.python(), "add the application");
    repo.git(&["checkout", "--quiet", "main"]);
    let spot = format!(" --> {}:app.py:5:28\n", &commit[..12]);
    let run = repo.keysieve(&["history"]).status(1);
    assert!(run.out().contains(&spot), "{}", run.show());
    assert!(run.out().contains("refs/heads/side"), "{}", run.show());
    assert!(!run.out().contains("git gc"), "{}", run.show());
    repo.git(&["branch", "--quiet", "-D", "side"]);
    let run = repo.keysieve(&["history"]).status(1);
    assert!(run.out().contains(&spot), "{}", run.show());
    assert!(run.out().contains("git gc --prune=now"), "{}", run.show());
    assert_hides(&run, &pair);
    let json = repo
        .keysieve(&["history", "--format", "json"])
        .status(1)
        .json();
    let place = &json["findings"][0]["places"][0];
    assert_eq!(place["commit"], commit.as_str());
    assert_eq!(place["author"], "Ada Author");
    assert_eq!(place["subject"], "add the application");
    assert_eq!(place["in_head"], false);
    repo.keysieve(&["history", "--exclude", "*.py"]).status(0);
    repo.keysieve(&["history", "not-there"]).status(2);
}

#[test]
fn history_names_the_commit_that_took_a_secret_away() {
    let pair = Pair::new(23);
    let repo = TestRepo::new();
    repo.commit_file("app.py", pair.python(), "add the application");
    let run = repo.keysieve(&["history", "--format", "json"]).status(1);
    let place = &run.json()["findings"][0]["places"][0];
    assert!(place["left"].is_null(), "{}", run.show());
    let last = repo.commit_file("app.py", "import os\n", "read it from the environment");
    let run = repo.keysieve(&["history", "--format", "json"]).status(1);
    let left = &run.json()["findings"][0]["places"][0]["left"];
    assert_eq!(left["commit"], last.as_str(), "{}", run.show());
    assert_eq!(left["author"], "Ada Author");
    assert_eq!(left["subject"], "read it from the environment");
    let run = repo.keysieve(&["history"]).status(1);
    let line = format!("= left HEAD: {} of ", &last[..12]);
    assert!(run.out().contains(&line), "{}", run.show());
}

/// Offline verdicts, and commands to ask by hand; the secret is read by the shell, never an argument.
#[test]
fn verify_says_how_to_ask_and_asks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let run = TestCommand::keysieve(dir.path()).arg("verify").status(0);
    let text = run.out();
    for words in [
        "keysieve-verify report.json",
        "aws iam list-access-keys --user-name USER",
        "aws sts get-caller-identity",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let long = ["AKIA", "RZPUZDIK", "GB2VALC6"].concat();
    let temporary = ["ASIA", "Y34FZKBO", "KMUTVV7A"].concat();
    let canary = ["AKIA", "XYZDQCEN", "4B6JSJQI"].concat();
    let run = TestCommand::keysieve(dir.path())
        .args(["verify", &long, &temporary, &canary])
        .status(0);
    let text = run.out();
    assert!(text.contains(&format!(
        "{long}  account 123456789012; a key of an IAM user or of root"
    )));
    assert!(text.contains(&format!(
        "{temporary}  account 609629065308; a temporary key"
    )));
    assert!(text.contains(&format!(
        "{canary}  account 534261010715; key of a known canary account"
    )));
    assert!(text.contains(&format!("get-access-key-last-used --access-key-id {long}")));
    // A canary would be tripped by hand as well.
    assert_eq!(text.matches(&canary).count(), 1, "{text}");
    let secret = Keys::new(3).secret();
    let run = TestCommand::keysieve(dir.path())
        .args(["verify", &long, &secret])
        .status(2);
    assert!(
        run.err().contains("argument 2 is no access key ID"),
        "{}",
        run.show()
    );
    assert!(!shows_part_of(&secret, run.err()));
}
