//! A run that was cut short goes on.

use std::fs;

use crate::support::{Keys, Reply, Server, Verify, aws, id, line, report};

fn pairs() -> String {
    let lines = (0..4).map(|number| {
        let mut line = line(&id(number), &Keys::new(number.into()).secret());
        line["fingerprint"] = format!("ks1:{number:032}").into();
        line
    });
    report(&lines.collect::<Vec<_>>())
}

#[test]
fn answers_that_are_there_are_not_asked_for_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("answers.jsonl");
    let run = |server: &Server, status| {
        Verify::new(&[
            "--with-found-secret",
            "-",
            "--format=jsonl",
            "--rate=100",
            "--endpoint-url",
        ])
        .args(&[&server.url(), "--resume"])
        .arg(&file)
        .stdin(pairs())
        .status(status)
    };
    // The third key breaks.
    let server = Server::http(|_, seen| match seen.key_id() {
        broken if broken == id(2) => Reply::Full(403, "<html/>".to_owned()),
        first if first == id(0) => aws::root(),
        _ => aws::no_such_key(),
    });
    let first = run(&server, 2);
    assert_eq!(server.log().len(), 4);
    assert_eq!(
        fs::read_to_string(&file).expect("a file").lines().count(),
        4
    );

    // What is unknown is asked again, at the same place, and nothing else.
    let before = server.log().len();
    let again = run(&server, 2);
    assert_eq!(server.log().len(), before + 1);
    let answers = |run: &crate::support::Run| run.answers().0;
    assert_eq!(answers(&first)[0], answers(&again)[0]);

    // A line that was cut is written anew; the answers before it stay.
    let text = fs::read_to_string(&file).expect("a file");
    let whole: Vec<&str> = text.lines().take(2).collect();
    fs::write(&file, format!("{}\n{{\"key_id\":\"AK", whole.join("\n"))).expect("a file");
    let before = server.log().len();
    run(&server, 2);
    assert_eq!(server.log().len(), before + 2);

    // Another place is another question.
    let other = Server::http(|_, _| aws::user());
    run(&other, 1);
    assert_eq!(other.log().len(), 4);
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("notes.txt");
    let server = Server::http(|_, _| aws::user());
    for text in [
        "my notes\n",
        "my notes",
        "{\"schema\":\"keysieve-report/1\"}\n",
    ] {
        fs::write(&file, text).expect("a file");
        let run = Verify::new(&[
            "--with-found-secret",
            "-",
            "--endpoint-url",
            &server.url(),
            "--resume",
        ])
        .arg(&file)
        .stdin(pairs())
        .status(2);
        assert!(run.err.contains("it is left as it is"), "{run:?}");
        assert_eq!(fs::read_to_string(&file).expect("a file"), text);
    }
    assert!(server.log().is_empty());
}

fn look_up(url: &str, file: &std::path::Path, args: &[&str]) -> Verify {
    Verify::new(&[
        &id(0),
        "--format=jsonl",
        "--rate=100",
        "--endpoint-url",
        url,
        "--resume",
    ])
    .arg(file)
    .args(args)
    .with_own()
}

/// A key that is switched off can be switched on again, and another place is another question.
#[test]
fn an_answer_is_taken_over_from_the_same_place_and_while_it_is_young() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("answers.jsonl");
    let server = |status: &'static str| {
        Server::http(move |_, seen| aws::account(seen, |_| Some(status), &[id(0)]))
    };
    let first = server("Inactive");
    look_up(&first.url(), &file, &[]).status(0);
    let count = first.log().len();
    // Only who asks.
    look_up(&first.url(), &file, &[]).status(0);
    assert_eq!(first.log().len(), count + 1);
    let other = server("Active");
    look_up(&other.url(), &file, &[]).status(1);

    let text = fs::read_to_string(&file).expect("a file");
    let mut answer: serde_json::Value =
        serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
    for at in ["2026-11-01T00:00:00Z", "2999-01-01T00:00:00Z", "soon"] {
        answer["asked"]["at"] = at.into();
        fs::write(&file, format!("{answer}\n")).expect("a file");
        let count = first.log().len();
        look_up(&first.url(), &file, &[]).status(0);
        assert!(first.log().len() > count + 1, "{at}");
    }
    answer["status"] = "foo".into();
    fs::write(&file, format!("{answer}\n")).expect("a file");
    let run = look_up(&first.url(), &file, &[]).status(2);
    assert!(run.err.contains("it is left as it is"), "{run:?}");
}

#[test]
fn a_file_that_another_run_uses_is_left_to_it() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("answers.jsonl");
    let server = Server::http(|_, seen| aws::account(seen, |_| Some("Active"), &[id(0)]));
    let file = fs::File::create(&path).expect("a file");
    file.lock().expect("a lock");
    let run = look_up(&server.url(), &path, &[]).status(2);
    assert!(run.err.contains("another run uses it"), "{run:?}");
    assert!(server.log().is_empty());
    drop(file);
    look_up(&server.url(), &path, &[]).status(1);
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let pipe = dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let server = Server::http(|_, _| aws::user());
    for path in [&pipe, std::path::Path::new("/dev/null")] {
        let run = look_up(&server.url(), path, &[]).status(2);
        assert!(run.err.contains("it is no regular file"), "{run:?}");
    }
    assert!(server.log().is_empty());
}
