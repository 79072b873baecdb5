//! Reports, pipes and key IDs.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{Keys, Run, Server, Verify, aws, id, line, one_pair, report, scan};

/// A place that knows every key.
fn server() -> Server {
    Server::http(|_, _| aws::user())
}

fn found(server: &Server, args: &[&str]) -> Verify {
    let is_text = args.contains(&"--format=text");
    Verify::new(&["--with-found-secret", "--rate=100"])
        .args(if is_text { &[] } else { &["--format=jsonl"] })
        .args(&["--endpoint-url", &server.url()])
        .args(args)
}

/// The secret of a request is right if the server computes the same signature; here it is enough that two runs with one
/// secret and one clock sign alike, so the pipe is the yardstick. The log of the server shows who was asked about.
fn ids(run: &Run) -> Vec<String> {
    let (answers, _) = run.answers();
    let id = |answer: &serde_json::Value| answer["key_id"].as_str().unwrap_or_default().to_owned();
    answers.iter().map(id).collect()
}

fn git(dir: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(dir)
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(args)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_pipe_brings_secrets_and_one_key_is_asked_once() {
    let server = server();
    let secret = Keys::new(1).secret();
    let mut again = line(&id(0), &secret);
    again["rule"] = "custom-rule".into();
    let other = line(&id(0), &Keys::new(2).secret());
    let text = report(&[line(&id(0), &secret), again, other, line(&id(1), &secret)]);
    let run = found(&server, &["-"]).stdin(text).status(1);
    assert_eq!(ids(&run), [id(0), id(0), id(1)]);
    assert_eq!(server.log().len(), 3);
    assert_eq!(
        run.answers().0[0]["fingerprints"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn a_file_with_secrets_is_refused_and_so_is_one_for_standard_input() {
    let server = server();
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("report.jsonl");
    fs::write(&file, one_pair()).expect("a file");
    let run = found(&server, &[]).arg(&file).status(2);
    assert!(run.err.contains("is a file with secrets in it"), "{run:?}");
    assert!(run.err.contains("keysieve-verify -"), "{run:?}");
    let output = Command::new(env!("CARGO_BIN_EXE_keysieve-verify"))
        .args(["--with-found-secret", "-", "--endpoint-url", &server.url()])
        .stdin(fs::File::open(&file).expect("a file"))
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is a file with secrets in it"));
    assert!(server.log().is_empty());
}

/// A directory with two pairs, one of them temporary.
fn planted() -> (tempfile::TempDir, String, String) {
    let dir = tempfile::tempdir().expect("a directory");
    let mut keys = Keys::new(40);
    let (id, temporary) = (id(3), id(4).replacen("AKIA", "ASIA", 1));
    fs::create_dir(dir.path().join("deploy")).expect("a directory");
    let text = format!(
        "aws_access_key_id={id}\naws_secret_access_key={}\n",
        keys.secret()
    );
    fs::write(dir.path().join("deploy/.env"), text).expect("a file");
    let text = json!({ "AccessKeyId": temporary, "SecretAccessKey": keys.secret(), "SessionToken": keys.token(300) });
    fs::write(dir.path().join("session.json"), text.to_string()).expect("a file");
    (dir, id, temporary)
}

#[test]
fn secrets_are_read_again_where_the_report_says() {
    let (dir, long, temporary) = planted();
    let server = server();
    let text = scan(dir.path(), &["scan", ".", "--format=json"]);
    let file = dir.path().join("report.json");
    fs::write(&file, &text).expect("a file");
    let run = found(&server, &["report.json"]).dir(dir.path()).status(1);
    assert_eq!(ids(&run), [long.clone(), temporary.clone()]);
    let log = server.log();
    assert_eq!(log.len(), 2);
    assert!(log[1].header("x-amz-security-token").is_some());
    // From elsewhere.
    let root = dir.path().to_str().expect("UTF-8");
    found(&server, &["--root", root]).arg(&file).status(1);
    let run = found(&server, &[]).arg(&file).status(2);
    let (answers, _) = run.answers();
    assert_eq!(answers[0]["reason"], "no-secret");
    assert!(
        run.err.contains("warning: not read again: deploy/.env"),
        "{run:?}"
    );

    // The place has another secret now: that one is nobody's to try.
    let other = Keys::new(41).secret();
    let text = format!("aws_access_key_id={long}\naws_secret_access_key={other}\n");
    fs::write(dir.path().join("deploy/.env"), text).expect("a file");
    let before = server.log().len();
    let run = found(&server, &["report.json"]).dir(dir.path()).status(2);
    let (answers, _) = run.answers();
    assert_eq!(answers[0]["reason"], "no-secret", "{run:?}");
    let text = "its secret was not found again where the report says";
    assert_eq!(answers[0]["detail"], text, "{run:?}");
    assert_eq!(server.log().len(), before + 1);
}

#[test]
fn secrets_of_a_history_are_read_from_its_objects() {
    let (dir, long, _) = planted();
    let server = server();
    git(dir.path(), &["init", "-q", "."]);
    git(dir.path(), &["add", "deploy"]);
    git(dir.path(), &["commit", "-q", "-m", "one"]);
    git(dir.path(), &["rm", "-q", "-r", "deploy"]);
    git(dir.path(), &["commit", "-q", "-m", "two"]);
    git(dir.path(), &["gc", "-q"]);
    let text = scan(dir.path(), &["history", "--format=jsonl"]);
    let run = found(&server, &["-"]).dir(dir.path()).stdin(text).status(1);
    assert_eq!(ids(&run), [long]);
    assert_eq!(server.log().len(), 1);
}

/// An ID and a secret in two files are two findings: the scanner does not say that they are a pair, and a guess is not
/// signed.
#[test]
fn halves_of_two_files_are_not_tried_together() {
    let dir = tempfile::tempdir().expect("a directory");
    let secret = Keys::new(50).secret();
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).expect("a file");
    write("id.env", format!("AWS_ACCESS_KEY_ID={}\n", id(5)));
    write("secret.env", format!("AWS_SECRET_ACCESS_KEY={secret}\n"));
    let server = server();
    let text = scan(dir.path(), &["scan", ".", "--format=jsonl"]);
    let run = found(&server, &["-"]).dir(dir.path()).stdin(text).status(2);
    let (answers, _) = run.answers();
    assert_eq!(answers[0]["reason"], "no-secret");
    assert_eq!(answers[1]["reason"], "no-id");
    assert!(server.log().is_empty());
}

#[test]
fn what_nobody_can_be_asked_about_is_unknown() {
    let server = server();
    let alone = json!({
        "rule": "aws-secret-access-key", "fingerprint": "ks1:x", "key_id": null,
        "places": [{ "path": "a.env", "line": 1 }],
    });
    let other =
        json!({ "rule": "stripe-key", "fingerprint": "ks1:y", "key_id": null, "places": [] });
    let run = found(&server, &["-"])
        .stdin(report(&[alone, other]))
        .status(2);
    assert_eq!(run.told(), ("unknown".into(), "no-id".into()), "{run:?}");
    assert!(
        run.err.contains("1 findings are no key pairs of AWS"),
        "{run:?}"
    );
    let mut lone = line(&id(0), "");
    lone.as_object_mut()
        .expect("an object")
        .remove("secret_key");
    let run = found(&server, &["-"]).stdin(report(&[lone])).status(2);
    assert_eq!(
        run.told(),
        ("unknown".into(), "no-secret".into()),
        "{run:?}"
    );
    assert!(server.log().is_empty());
    // Nothing found is nothing active.
    let run = found(&server, &["-"]).stdin(report(&[])).status(0);
    assert_eq!(run.answers().1["requests"], 0);
}

#[test]
fn a_report_that_was_cut_short_is_asked_about_and_said() {
    let server = Server::http(|_, _| aws::no_such_key());
    let whole = one_pair();
    let first = whole.lines().next().expect("a line");
    let run = found(&server, &["-"]).stdin(first).status(2);
    assert_eq!(run.told().0, "inactive");
    assert!(run.err.contains("was cut short"), "{run:?}");
    let incomplete = whole.replace("\"complete\":true", "\"complete\":false");
    let run = found(&server, &["-"]).stdin(incomplete).status(2);
    assert!(run.err.contains("did not read everything"), "{run:?}");
    let half = &first[..first.len() / 2];
    let run = found(&server, &["-"]).stdin(half).status(2);
    assert!(run.err.contains("something that is not JSON"), "{run:?}");
}

/// Two reports on one stream do not speak for each other.
#[test]
fn each_report_of_a_stream_is_whole_for_itself() {
    let server = Server::http(|_, _| aws::no_such_key());
    let lines: Vec<_> = (0..3)
        .map(|number| line(&id(number), &Keys::new(number.into()).secret()))
        .collect();
    let whole = report(&lines);
    let incomplete = whole.replace("\"complete\":true", "\"complete\":false");
    let cut: String = whole
        .lines()
        .take(2)
        .map(|line| format!("{line}\n"))
        .collect();
    let lost: String = whole
        .lines()
        .skip(1)
        .map(|line| format!("{line}\n"))
        .collect();
    let unsaid = whole.replace("\"complete\":true", "\"complete\":null");
    let bare = "{\"schema\":\"keysieve-report/1\"}\n".to_owned();
    found(&server, &["-"])
        .stdin(format!("{whole}{whole}"))
        .status(0);
    for (text, word) in [
        (format!("{whole}{cut}"), "cut short"),
        (format!("{cut}{whole}"), "as its summary counts"),
        (format!("{incomplete}{whole}"), "did not read everything"),
        (format!("{whole}{incomplete}"), "did not read everything"),
        (lost, "as its summary counts"),
        (unsaid, "did not read everything"),
        (bare, "as its summary counts"),
    ] {
        let run = found(&server, &["-"]).stdin(text).status(2);
        assert!(run.err.contains(word), "{word}: {run:?}");
    }
    // Notes that are not listed are counted all the same.
    let mut accepted = lines[1].clone();
    accepted["accepted"] = json!({ "kind": "baseline", "reason": null });
    let mut note = lines[2].clone();
    note["level"] = "note".into();
    let end = json!({
        "schema": "keysieve-report/1", "coverage": { "complete": true },
        "summary": { "errors": 1, "warnings": 0, "notes": 7, "accepted": 1 },
    });
    let text = format!("{}\n{accepted}\n{note}\n{end}\n", lines[0]);
    found(&server, &["-"]).stdin(text).status(0);
}

#[test]
fn secrets_in_archives_are_read_again_and_the_member_is_shown() {
    let (dir, long, _) = planted();
    let tar = Command::new("tar")
        .current_dir(dir.path())
        .args(["-czf", "a.tgz", "deploy/.env"])
        .status();
    assert!(tar.expect("tar runs").success());
    fs::remove_dir_all(dir.path().join("deploy")).expect("removed");
    fs::remove_file(dir.path().join("session.json")).expect("removed");
    let server = server();
    let text = scan(dir.path(), &["scan", ".", "--format=jsonl"]);
    let run = found(&server, &["-"])
        .dir(dir.path())
        .stdin(&*text)
        .status(1);
    assert_eq!(ids(&run), std::slice::from_ref(&long));
    assert_eq!(server.log().len(), 1);
    let run = found(&server, &["--format=text", "-"])
        .dir(dir.path())
        .stdin(&*text)
        .run();
    assert!(
        run.out.contains("a.tgz!") && run.out.contains("deploy/.env:2"),
        "{run:?}"
    );
    git(dir.path(), &["init", "-q", "."]);
    git(dir.path(), &["add", "a.tgz"]);
    git(dir.path(), &["commit", "-q", "-m", "one"]);
    let text = scan(dir.path(), &["history", "--format=jsonl"]);
    let run = found(&server, &["-"]).dir(dir.path()).stdin(text).status(1);
    assert_eq!(ids(&run), [long]);
}

#[test]
fn every_token_beside_a_pair_is_read_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut keys = Keys::new(45);
    let (temporary, secret) = (id(4).replacen("AKIA", "ASIA", 1), keys.secret());
    for name in ["a.json", "b.json"] {
        let text = json!({ "AccessKeyId": temporary, "SecretAccessKey": secret, "SessionToken": keys.token(300) });
        fs::write(dir.path().join(name), text.to_string()).expect("a file");
    }
    let server = server();
    let text = scan(dir.path(), &["scan", ".", "--format=jsonl"]);
    let run = found(&server, &["-"]).dir(dir.path()).stdin(text).status(1);
    assert_eq!(ids(&run), [temporary.clone(), temporary], "{run:?}");
    let tokens =
        |seen: &crate::support::Seen| seen.header("x-amz-security-token").map(str::to_owned);
    let log = server.log();
    assert_ne!(tokens(&log[0]), tokens(&log[1]));
}

#[test]
fn what_is_no_report_is_refused_without_a_word_of_it() {
    let server = server();
    let secret = Keys::new(60).secret();
    for text in [
        "".to_owned(),
        secret.clone(),
        format!("[\"{secret}\"]"),
        format!("{{\"schema\":\"other/1\",\"x\":\"{secret}\"}}"),
        format!("{{\"rule\":\"{secret}\"}}"),
        format!(
            "{{\"rule\":\"a\",\"fingerprint\":\"b\",\"key_id\":7,\"secret_key\":\"{secret}\"}}"
        ),
    ] {
        let run = found(&server, &["-"]).stdin(text).status(2);
        assert!(run.err.contains("is no report of keysieve"), "{run:?}");
        assert!(!crate::support::shows_part_of(&secret, format!("{run:?}")));
    }
    // A secret where a file should be.
    let run = found(&server, &[&secret]).status(2);
    assert!(
        run.err
            .contains("argument 1 is neither a file nor an access key ID"),
        "{run:?}"
    );
    assert!(!crate::support::shows_part_of(&secret, format!("{run:?}")));
    let run = found(&server, &["repot.json"]).status(2);
    assert!(run.err.contains("there is no file repot.json"), "{run:?}");
}
