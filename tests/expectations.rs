//! Expectations of people who adopt the program: nothing secret in any report, one finding per secret, help that helps.
//! Through the real program.

use crate::support::{Keys, TestCommand, TestRepo, base64};

const FORMATS: &[&str] = &[
    "text", "json", "jsonl", "sarif", "junit", "csv", "github", "gitlab", "html", "markdown",
];

fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'+' | b'/' | b'=' => format!("%{byte:02X}"),
            _ => char::from(byte).to_string(),
        })
        .collect()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Fails if any 14 characters of `secret` are in `said`: more than chance, less than of use to a thief.
#[track_caller]
fn assert_hides(said: &[u8], secret: &str, what: &str) {
    for part in secret.as_bytes().windows(14) {
        let at = said.windows(part.len()).position(|window| window == part);
        assert!(
            at.is_none(),
            "{what}: a part of a secret stands in ...{:?}",
            String::from_utf8_lossy(&said[at.unwrap_or(0).saturating_sub(200)..][..300])
        );
    }
}

#[test]
fn e1_nested_and_decoded_secrets_stand_in_no_report_of_any_format() {
    let mut keys = Keys::new(501);
    let repo = TestRepo::new();
    let mut secrets = Vec::new();
    let mut pair = || {
        let (id, secret) = (keys.id(), keys.secret());
        secrets.push(secret.clone());
        (id, secret)
    };
    let ini = |(id, secret): &(String, String)| {
        format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
    };
    let (plain, coded, wide, linked, escaped, named, told) =
        (pair(), pair(), pair(), pair(), pair(), pair(), pair());
    let coded = base64(ini(&coded).as_bytes());
    repo.stage("plain.ini", ini(&plain));
    repo.stage("secret.yaml", format!("data:\n  credentials: {coded}\n"));
    repo.stage("wide.txt", utf16(&ini(&wide)));
    repo.stage(
        "link.txt",
        format!("s3://{}:{}@bucket/key\n", linked.0, percent(&linked.1)),
    );
    repo.stage(
        "nested.json",
        format!(
            "{{\"env\": \"{{\\\"AWS_ACCESS_KEY_ID\\\": \\\"{}\\\", \\\"AWS_SECRET_ACCESS_KEY\\\": \\\"{}\\\"}}\"}}\n",
            escaped.0,
            escaped.1.replace('/', "\\\\/")
        ),
    );
    // In the name of a file beside a finding, and in a message.
    let name = format!("{}.{}.ini", named.0, named.1.replace('/', "_"));
    repo.stage(&name, ini(&named));
    repo.commit(&format!("deploy with {} {}", told.0, told.1));
    let mut encoded = vec![percent(&linked.1)];
    encoded.push(escaped.1.replace('/', "\\\\/"));
    encoded.push(named.1.replace('/', "_"));
    for command in ["history", "scan"] {
        for format in FORMATS {
            let run = repo
                .keysieve(&[command, "--show-notes", "--format", format])
                .status(1);
            let said = [run.stdout.clone(), run.stderr.clone()].concat();
            assert!(!run.stdout.is_empty());
            for secret in secrets.iter().chain(&encoded) {
                assert_hides(&said, secret, &format!("{command} {format}"));
            }
            // What was decoded shows in none of its other forms either.
            for secret in &secrets {
                for shift in 0..3 {
                    let shifted = base64(format!("{}{secret}", &"  "[..shift]).as_bytes());
                    assert_hides(
                        &said,
                        &shifted[4..48],
                        &format!("{command} {format}, base64"),
                    );
                }
            }
        }
    }
    // They were found, so that there was something to hide.
    let report = repo
        .keysieve(&["history", "--format=json"])
        .status(1)
        .json();
    let errors = report["summary"]["errors"].as_u64().expect("a number");
    assert!(errors >= 6, "{report:#}");
}

#[test]
fn e2_one_secret_in_many_commits_and_files_is_one_finding_with_all_its_places() {
    let mut keys = Keys::new(502);
    let (id, secret) = (keys.id(), keys.secret());
    let text = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let repo = TestRepo::new();
    let first = repo.commit_file("a.ini", &text, "first");
    for turn in 0..3 {
        repo.commit_file("a.ini", format!("{text}# {turn}\n"), "again");
    }
    repo.commit_file("b/copy.ini", &text, "copy");
    let report = repo
        .keysieve(&["history", "--format=json"])
        .status(1)
        .json();
    let findings = report["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 1, "{report:#}");
    let places = findings[0]["places"].as_array().expect("a list");
    let introduced = places
        .iter()
        .any(|place| place["commit"] == first.as_str() && place["path"] == "a.ini");
    assert!(introduced, "{report:#}");
    assert!(places.iter().any(|place| place["path"] == "b/copy.ini"));
}

#[test]
fn completions_are_there_for_every_shell_and_bash_takes_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = TestCommand::keysieve(dir.path())
            .args(["completions", shell])
            .status(0);
        for word in ["history", "staged", "allow-incomplete", "completions"] {
            assert!(run.out().contains(word), "{shell}: {word}");
        }
        if shell == "bash" {
            std::fs::write(dir.path().join("completions"), &run.stdout).expect("a file");
            let script = "source ./completions && complete -p keysieve && COMP_WORDS=(keysieve his) COMP_CWORD=1 \
                          && _keysieve keysieve his keysieve && echo \"${COMPREPLY[@]}\"";
            let run = TestCommand::new("bash", dir.path())
                .args(["-c", script])
                .status(0);
            assert!(run.out().ends_with("history\n"), "{}", run.show());
        }
    }
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let keysieve = |args: &[&str]| TestCommand::keysieve(dir.path()).args(args).status(0);
    keysieve(&["man", "pages"]);
    for page in [
        "keysieve",
        "keysieve-scan",
        "keysieve-hook-install",
        "keysieve-rules-explain",
    ] {
        let text = std::fs::read_to_string(dir.path().join(format!("pages/{page}.1")));
        let text = text.expect("a page");
        assert!(text.contains(&format!(".TH {page} 1")), "{text}");
    }
    let all = keysieve(&["man"]).out();
    let pages = std::fs::read_dir(dir.path().join("pages")).expect("a directory");
    assert_eq!(all.matches("\n.TH ").count(), pages.count());
}

#[test]
fn wrong_use_leads_to_the_right_one() {
    let repo = TestRepo::new();
    repo.commit_file("a", "a\n", "one");
    let cases: &[(&[&str], &str)] = &[
        (&["."], "keysieve scan ."),
        (&["a"], "keysieve scan PATH"),
        (&["-"], "keysieve scan -"),
        (&["main..HEAD"], "keysieve history --range A..B"),
        (&["history", "main..HEAD"], "keysieve history --range A..B"),
        (&["detect", "--source", "."], "keysieve history"),
        (&["protect", "--staged"], "keysieve staged"),
        (&["git", "."], "keysieve history"),
        (&["dir", "."], "keysieve scan DIR"),
        (&["filesystem", "."], "keysieve scan DIR"),
        (&["scan", "--redact"], "always cut"),
        (&["scan", "--report-path", "x"], "--report FORMAT=FILE"),
        (&["histroy"], "'history'"),
        (&["history", "--cache=x", "--range=A..B"], "--cache"),
    ];
    for (args, hint) in cases {
        let run = repo.keysieve(args).status(2);
        assert!(run.stdout.is_empty(), "{}", run.show());
        assert!(run.err().contains(hint), "{hint}: {}", run.show());
    }
}

#[test]
fn every_help_fits_into_80_columns() {
    let repo = TestRepo::new();
    let mut left = vec![Vec::<String>::new()];
    let mut seen = 0;
    while let Some(command) = left.pop() {
        for flag in ["-h", "--help"] {
            let run = repo
                .keysieve(&command)
                .arg(flag)
                .env("COLUMNS", "80")
                .status(0);
            let out = run.out();
            for line in out.lines() {
                assert!(line.chars().count() <= 80, "{command:?} {flag}: {line}");
            }
            assert!(out.contains("Usage: keysieve"), "{}", run.show());
            if flag == "--help" {
                continue;
            }
            let commands = out.split("Commands:\n").nth(1).unwrap_or_default();
            let names = commands
                .lines()
                .take_while(|line| !line.is_empty())
                .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
                .filter_map(|line| line.split_whitespace().next());
            for name in names.filter(|name| *name != "help") {
                left.push(command.iter().cloned().chain([name.to_owned()]).collect());
            }
        }
        seen += 1;
    }
    assert!(seen > 12, "only {seen} commands seen");
}

#[test]
fn the_rule_file_of_the_documentation_holds() {
    let dir = tempfile::tempdir().expect("a directory");
    let page = include_str!("../docs/rules.md");
    let rule = page
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    std::fs::write(dir.path().join("my-rules.toml"), rule.expect("a rule")).expect("a file");
    let run = TestCommand::keysieve(dir.path())
        .args(["rules", "test", "my-rules.toml"])
        .status(0);
    assert_eq!(run.out(), "1 rule, 3 examples, 0 failed\n");
}
