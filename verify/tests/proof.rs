//! An answer counts only if it proves what it says: "no" from AWS itself, in its own form, about this very key.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    ACCOUNT, Keys, Reply, Run, Seen, Server, Verify, aws, canary, id, line, one_pair, own, report,
};

const FOUND: &[&str] = &["--with-found-secret", "--format=jsonl", "--rate=100", "-"];

fn ask(server: &Server, text: String) -> Run {
    Verify::new(FOUND)
        .args(&["--endpoint-url", &server.url()])
        .stdin(text)
        .run()
}

/// A temporary key with its token.
fn session(number: u8, token: &str) -> Value {
    let temporary = id(number).replacen("AKIA", "ASIA", 1);
    let mut line = line(&temporary, &Keys::new(number.into()).secret());
    line["session_token"] = token.into();
    line
}

fn statuses(run: &Run) -> Vec<String> {
    let (answers, _) = run.answers();
    let status = |answer: &Value| answer["status"].as_str().expect("a status").to_owned();
    answers.iter().map(status).collect()
}

#[test]
fn each_token_of_a_temporary_key_is_tried() {
    let by_token = |_: usize, seen: &Seen| match seen.header("x-amz-security-token") {
        Some("old") => aws::error(403, "ExpiredToken", "The security token is expired"),
        _ => aws::root(),
    };
    for tokens in [["old", "new"], ["new", "old"]] {
        let server = Server::http(by_token);
        let run = ask(&server, report(&tokens.map(|token| session(0, token))));
        assert_eq!(run.status, 1, "{run:?}");
        assert!(statuses(&run).contains(&"active".to_owned()), "{run:?}");
        assert_eq!(server.log().len(), 2);
    }
    // Nor is the answer to one token that to another.
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::http(by_token);
    for (token, status) in [("old", 0), ("new", 1)] {
        Verify::new(FOUND)
            .args(&["--endpoint-url", &server.url(), "--resume"])
            .arg(dir.path().join("answers"))
            .stdin(report(&[session(0, token)]))
            .status(status);
    }
    assert_eq!(server.log().len(), 2);
}

#[test]
fn a_place_of_the_environment_makes_no_key_inactive() {
    let server = Server::http(|_, _| aws::no_such_key());
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
        let run = Verify::new(FOUND)
            .env(name, &server.url())
            .stdin(one_pair())
            .status(2);
        assert_eq!(run.told(), ("unknown".into(), "place".into()), "{run:?}");
        let note = format!(
            "note: asked at {} ({name}), not at AWS's own hosts",
            server.url()
        );
        assert!(run.err.contains(&note), "{run:?}");
    }
    let run = ask(&server, one_pair());
    assert_eq!(run.told(), ("inactive".into(), "no-such-key".into()));
    assert!(
        run.err.contains("(--endpoint-url), not at AWS's own hosts"),
        "{run:?}"
    );

    let server = Server::http(|_, seen| aws::account(seen, |_| Some("Inactive"), &[id(0)]));
    let run = Verify::new(&[&id(0), "--format=jsonl", "--rate=100"])
        .with_own()
        .env("AWS_ENDPOINT_URL", &server.url())
        .status(2);
    assert_eq!(run.told(), ("unknown".into(), "place".into()), "{run:?}");
    let run = Verify::new(&[&id(0), "--format=jsonl", "--endpoint-url", &server.url()])
        .with_own()
        .status(0);
    assert_eq!(
        run.told(),
        ("inactive".into(), "deactivated".into()),
        "{run:?}"
    );
}

#[test]
fn a_refusal_counts_in_its_place_and_with_its_status() {
    let nested = "<ErrorResponse><Error><Detail><Code>InvalidClientTokenId</Code></Detail>\
                  <Code>OptInRequired</Code></Error></ErrorResponse>";
    let twice = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Code>InternalFailure</Code></Error>\
                 </ErrorResponse>";
    let bare = "<ErrorResponse><Code>InvalidClientTokenId</Code></ErrorResponse>";
    let Reply::Full(_, plain) = aws::no_such_key() else {
        unreachable!("it is whole");
    };
    let mut cases = vec![
        (403, nested.to_owned(), "code"),
        (403, twice.to_owned(), "not-aws"),
        (403, bare.to_owned(), "not-aws"),
    ];
    for status in [201, 404, 409, 418, 499] {
        cases.push((status, plain.clone(), "not-aws"));
    }
    for (status, body, reason) in cases {
        let server = Server::http(move |_, _| Reply::Full(status, body.clone()));
        let run = ask(&server, one_pair());
        assert_eq!(
            run.told(),
            ("unknown".into(), reason.into()),
            "{status}: {run:?}"
        );
    }
    for status in [400, 403] {
        let server = Server::http(move |_, _| aws::error(status, "InvalidClientTokenId", ""));
        assert_eq!(ask(&server, one_pair()).told().0, "inactive");
    }
    // A long-term key has no token that could expire.
    let server = Server::http(|_, _| aws::error(403, "ExpiredToken", "expired"));
    let run = ask(&server, one_pair());
    assert_eq!(run.told(), ("unknown".into(), "code".into()), "{run:?}");
}

#[test]
fn a_key_that_is_listed_twice_is_unknown() {
    let server = Server::http(|_, seen| {
        let ids = [id(0), id(0)];
        let Reply::Full(status, body) = aws::account(seen, |_| Some("Inactive"), &ids) else {
            unreachable!("it is whole");
        };
        let (first, rest) = body.split_once("Inactive").unwrap_or((&body, ""));
        match rest.is_empty() {
            true => Reply::Full(status, body),
            false => Reply::Full(
                status,
                format!("{first}Inactive{}", rest.replace("Inactive", "Active")),
            ),
        }
    });
    let run = Verify::new(&[&id(0), "--format=jsonl", "--endpoint-url", &server.url()])
        .with_own()
        .status(2);
    assert_eq!(run.told(), ("unknown".into(), "not-aws".into()), "{run:?}");
}

#[test]
fn planted_keys_do_not_keep_others_from_being_asked() {
    let server = Server::http(|_, seen| match seen.key_id().starts_with("ASIA") {
        true => Reply::Full(
            431,
            "<html>Request Header Fields Too Large</html>".to_owned(),
        ),
        false => aws::root(),
    });
    let keys = Keys::new(20).secret();
    let mut lines: Vec<Value> = (0..3).map(|number| session(number, "token")).collect();
    lines.extend([line(&id(5), &keys), line(&id(6), &keys)]);
    let run = ask(&server, report(&lines));
    let expected = ["unknown", "unknown", "unknown", "active", "active"];
    assert_eq!(statuses(&run), expected, "{run:?}");

    // What cannot be a token is not sent.
    for token in [
        "a\nb".to_owned(),
        "a\0b".to_owned(),
        "é".to_owned(),
        "t".repeat(30_000),
    ] {
        let server = Server::http(|_, _| aws::root());
        let run = ask(&server, report(&[session(0, &token)]));
        assert_eq!(run.told(), ("unknown".into(), "no-token".into()), "{run:?}");
        assert!(server.log().is_empty());
    }
}

#[test]
fn a_canary_in_the_environment_does_not_ask() {
    let server = Server::http(|_, _| aws::root());
    for args in [&[id(0)][..], &[canary()]] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = Verify::new(&args)
            .args(&["--endpoint-url", &server.url()])
            .env("AWS_ACCESS_KEY_ID", &canary())
            .env("AWS_SECRET_ACCESS_KEY", &own().1)
            .status(2);
        assert!(run.err.contains("key of a known canary account"), "{run:?}");
        assert!(server.log().is_empty(), "a canary was tripped");
    }
}

/// Each byte of a proxy's answer would have the whole time anew.
#[test]
fn a_proxy_that_drips_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.write_all(b"HTTP/1.1 200");
                // Half a minute at most.
                for _ in 0..150 {
                    if stream.write_all(b" ").is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(200));
                }
            });
        }
    });
    let began = Instant::now();
    let run = Verify::new(FOUND)
        .args(&["--timeout=0.5", "--partition=aws"])
        .env("HTTPS_PROXY", &proxy)
        .stdin(one_pair())
        .status(2);
    assert_eq!(run.told(), ("unknown".into(), "timeout".into()), "{run:?}");
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn names_and_codes_of_a_server_are_passed_on_in_the_documented_forms_only() {
    for arn in [
        format!("arn:aws:iam::{ACCOUNT}:user/[x](http://e)`id`|=cmd"),
        format!("arn:aws:iam::{ACCOUNT}:user/a\u{202e}/deploy"),
        format!("arn:aws:sts::{ACCOUNT}:assumed-role//"),
        format!("arn:aws:sts::{ACCOUNT}:federated-user/"),
        format!("arn:awsfoo:iam::{ACCOUNT}:user/deploy"),
    ] {
        let server = Server::http(move |_, _| aws::caller(&arn));
        let run = ask(&server, one_pair());
        assert_eq!(run.told(), ("unknown".into(), "not-aws".into()), "{run:?}");
    }
    let server = Server::http(|_, _| aws::error(403, "Visit-evil.example.org", ""));
    let run = ask(&server, one_pair());
    assert_eq!(run.told(), ("unknown".into(), "code".into()), "{run:?}");
    assert!(!run.out.contains("evil"), "{run:?}");
}

#[test]
fn a_name_with_a_line_break_is_one_line_on_standard_error() {
    let server = Server::http(|_, _| aws::root());
    let mut pair = line(&id(0), "");
    pair.as_object_mut()
        .expect("an object")
        .remove("secret_key");
    pair["places"][0]["path"] = "gone\n0 active (0 of root), 1 inactive".into();
    let run = ask(&server, report(&[pair]));
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("0 active (0 of root)"), "{run:?}");
    assert!(
        !run.err.lines().any(|line| line.starts_with("0 active")),
        "{run:?}"
    );
}

#[test]
fn places_that_are_no_hosts_are_refused() {
    for url in [
        "https://a:443:80",
        "https://[x",
        "https://[x]",
        "https://::1",
    ] {
        let run = Verify::new(FOUND)
            .args(&["--endpoint-url", url])
            .stdin(one_pair())
            .status(2);
        assert!(
            run.err.contains("--endpoint-url: expected"),
            "{url}: {run:?}"
        );
    }
    let run = Verify::new(&[&id(0), "--fips"])
        .with_own()
        .env("AWS_ENDPOINT_URL_IAM", "https://127.0.0.1:9")
        .status(2);
    assert!(
        run.err.contains("they do not go with an endpoint URL"),
        "{run:?}"
    );
}

/// An ID beside a pair of the same ID is no second question, and its finding is in the answer.
#[test]
fn an_answer_names_every_finding_of_its_key() {
    let server = Server::http(|_, _| aws::root());
    let mut alone = line(&id(0), "");
    alone
        .as_object_mut()
        .expect("an object")
        .remove("secret_key");
    alone["fingerprint"] = "ks1:alone".into();
    for lines in [
        [alone.clone(), line(&id(0), &Keys::new(1).secret())],
        [line(&id(0), &Keys::new(1).secret()), alone],
    ] {
        let run = ask(&server, report(&lines));
        let (answers, _) = run.answers();
        assert_eq!(answers.len(), 1, "{run:?}");
        let prints = answers[0]["fingerprints"].as_array().expect("a list");
        assert!(prints.iter().any(|print| print == "ks1:alone"), "{run:?}");
    }
}

#[test]
fn what_is_left_open_is_no_zero() {
    let whole = one_pair();
    let incomplete = whole.replace("\"complete\":true", "\"complete\":false");
    let plan = |text: &str, status| {
        Verify::new(&["--with-found-secret", "--dry-run", "-"])
            .stdin(text)
            .status(status)
    };
    plan(&whole, 0);
    plan(&incomplete, 2);
    let server = Server::http(|_, _| aws::no_such_key());
    let mut other = line(&id(0), "");
    other["rule"] = "aws-bedrock-api-key".into();
    other["key_id"] = Value::Null;
    let run = ask(&server, report(&[other]));
    assert_eq!(run.status, 2, "{run:?}");
    assert!(
        run.err.contains("1 findings of aws-bedrock-api-key"),
        "{run:?}"
    );
}
