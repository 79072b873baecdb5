//! Things that the program must never do.

use crate::support::{
    Keys, Run, Server, Verify, aws, canary, has_strace, id, line, one_pair, own, report,
    shows_part_of,
};

#[test]
fn a_canary_is_never_asked() {
    let server = Server::http(|_, _| aws::user());
    let text = report(&[line(&canary(), &Keys::new(3).secret())]);
    let url = server.url();
    let run = Verify::new(&[
        "--with-found-secret",
        "--format=jsonl",
        "-",
        "--endpoint-url",
        &url,
    ])
    .stdin(text)
    .status(0);
    assert_eq!(run.told(), ("not_asked".into(), "canary".into()));
    assert_eq!(run.answers().1["summary"]["not_asked"], 1);
    assert!(!run.err.contains("CloudTrail"), "{run:?}");
    assert!(server.log().is_empty(), "a canary was asked");
    // Nor looked up by one's own credentials: only who asks was asked.
    let run = Verify::new(&[&canary(), "--format=jsonl", "--endpoint-url", &url])
        .with_own()
        .status(0);
    assert_eq!(run.told().0, "not_asked");
    assert_eq!(server.log().len(), 1);
    assert_eq!(server.log()[0].key_id(), own().0);
}

#[test]
fn what_a_request_leaves_behind_is_said() {
    let server = Server::http(|_, _| aws::user());
    let run = Verify::new(&["--with-found-secret", "-", "--endpoint-url", &server.url()])
        .stdin(one_pair())
        .status(1);
    for word in [
        "CloudTrail",
        "GetCallerIdentity",
        "keysieve-verify/",
        "canary",
    ] {
        assert!(run.err.contains(word), "{word}: {run:?}");
    }
    assert!(run.out.contains("found in deploy/.env:3"), "{run:?}");
}

#[test]
fn no_secret_and_no_signature_is_ever_written() {
    let secret = Keys::new(1).secret();
    let token = Keys::new(2).token(300);
    let mut pair = line(&id(0).replacen("AKIA", "ASIA", 1), &secret);
    pair["session_token"] = token.clone().into();
    // A server that gives everything back.
    let server = Server::http(|_, seen| {
        let text = format!("{}{}", seen.head, seen.body).replace(['<', '&'], " ");
        aws::error(403, "AccessDenied", &text)
    });
    for format in ["text", "jsonl"] {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("answers");
        let run = Verify::new(&[
            "--with-found-secret",
            "-",
            "--endpoint-url",
            &server.url(),
            "--format",
            format,
        ])
        .arg("--resume")
        .arg(&file)
        .stdin(report(&[pair.clone()]))
        .status(2);
        let kept = std::fs::read_to_string(&file).expect("a file");
        let written = format!("{run:?}{kept}");
        for hidden in [&secret, &token] {
            assert!(!shows_part_of(hidden, &written), "{written}");
        }
        assert!(!written.contains("Signature="), "{written}");
    }
    let log = server.log();
    // The secret itself does not leave this machine; a token has to.
    assert!(
        log.iter()
            .all(|seen| !shows_part_of(&secret, format!("{seen:?}")))
    );
    assert!(log[0].header("x-amz-security-token").is_some());
}

#[test]
fn a_hostile_answer_steers_no_terminal_and_no_log() {
    let server =
        Server::http(|_, _| aws::error(403, "\u{9b}31mInvalid", "::error::x ##vso[task.complete]"));
    let run = Verify::new(&["--with-found-secret", "-", "--endpoint-url", &server.url()])
        .stdin(one_pair())
        .status(2);
    for text in [&run.out, &run.err] {
        assert!(!text.contains('\u{9b}') && !text.contains("::error") && !text.contains("##vso["));
    }
    let mut pair = line(&id(0), &Keys::new(1).secret());
    pair["places"][0]["path"] = "\u{1b}[2Jx\n::error::y".into();
    let run = Verify::new(&["--with-found-secret", "-", "--endpoint-url", &server.url()])
        .stdin(report(&[pair]))
        .status(2);
    assert!(
        !run.out.contains('\u{1b}') && !run.out.contains("\n::"),
        "{run:?}"
    );
}

/// The sockets that a run opens, of any kind.
fn sockets(args: &[&str], set: impl FnOnce(Verify) -> Verify) -> (Run, Vec<String>) {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().to_str().expect("UTF-8");
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "-e",
        "trace=network,execve",
        "-o",
        path,
    ];
    let run = set(Verify::under(&wrapper, args)).run();
    let text = std::fs::read_to_string(path).expect("a log");
    let calls = text.lines().filter(|line| !line.contains("execve("));
    let calls: Vec<String> = calls
        .filter(|line| line.contains('('))
        .map(str::to_owned)
        .collect();
    assert_eq!(text.matches("execve(").count(), 1, "{text}");
    (run, calls)
}

#[test]
fn a_dry_run_opens_no_socket_and_needs_no_credentials() {
    let keys = [id(0), id(1), canary()];
    let ids: Vec<&str> = keys.iter().map(String::as_str).collect();
    let plan = Verify::new(&ids).args(&["--dry-run"]).status(0);
    assert!(
        plan.out
            .contains("2 of 3 keys would be asked about, with your own credentials"),
        "{plan:?}"
    );
    for host in [
        "https://sts.us-east-1.amazonaws.com",
        "https://iam.amazonaws.com",
    ] {
        assert!(plan.out.contains(host), "{plan:?}");
    }
    assert!(plan.out.contains("1 to 8 requests"), "{plan:?}");
    assert!(
        plan.out.contains(&format!("not asked: {}", canary())),
        "{plan:?}"
    );
    let plan = Verify::new(&["--with-found-secret", "--dry-run", "-"])
        .stdin(one_pair())
        .status(0);
    for host in [
        "sts.us-east-1.",
        "sts.cn-north-1.",
        "sts.us-gov-west-1.",
        "sts.eusc-de-east-1.",
    ] {
        assert!(plan.out.contains(host), "{plan:?}");
    }
    assert!(plan.out.contains("CloudTrail"), "{plan:?}");
    if !has_strace() {
        return;
    }
    for args in [
        &["--dry-run", "-"][..],
        &["--with-found-secret", "--dry-run", "-"],
        &["--help"],
    ] {
        let (run, calls) = sockets(args, |verify| verify.stdin(one_pair()));
        assert_eq!(run.status, 0, "{run:?}");
        assert!(calls.is_empty(), "{calls:?}");
    }
}

#[test]
fn only_the_place_that_was_named_is_connected_to() {
    if !has_strace() {
        return;
    }
    let server = Server::http(|_, _| aws::user());
    let url = server.url();
    let args = ["--with-found-secret", "-", "--endpoint-url", &url];
    let (run, calls) = sockets(&args, |verify| verify.stdin(one_pair()));
    assert_eq!(run.status, 1, "{run:?}");
    let connects: Vec<&String> = calls
        .iter()
        .filter(|call| call.contains("connect("))
        .collect();
    assert!(!connects.is_empty());
    let port = format!("htons({})", server.address.port());
    assert!(
        connects
            .iter()
            .all(|call| call.contains(&port) && call.contains("127.0.0.1")),
        "{connects:?}"
    );
}

#[test]
fn what_is_beyond_the_limit_is_unknown() {
    let server = Server::http(|_, _| aws::no_such_key());
    let lines: Vec<_> = (0..5)
        .map(|number| line(&id(number), &Keys::new(1).secret()))
        .collect();
    let run = Verify::new(&[
        "--with-found-secret",
        "-",
        "--format=jsonl",
        "--max-requests=3",
        "--rate=100",
    ])
    .args(&["--endpoint-url", &server.url()])
    .stdin(report(&lines))
    .status(2);
    let (answers, last) = run.answers();
    let reasons: Vec<&str> = answers
        .iter()
        .filter_map(|it| it["reason"].as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "no-such-key",
            "no-such-key",
            "no-such-key",
            "limit",
            "limit"
        ]
    );
    assert_eq!(last["requests"], 3);
}
