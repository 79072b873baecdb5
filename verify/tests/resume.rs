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
