//! One's own credentials look keys up; the found secrets stay unused.

use crate::support::{Keys, Server, Verify, aws, canary, id, line, own, report, shows_part_of};

/// An account in which the keys of user `deploy` are active (even numbers) or not, and number 9 is unknown.
fn account() -> Server {
    Server::http(|_, seen| {
        let ids: Vec<String> = (0..26).map(id).collect();
        let known = ids.clone();
        let status = move |asked: &str| match known.iter().position(|it| it == asked) {
            Some(9) | None => None,
            Some(number) if number % 2 == 0 => Some("Active"),
            Some(_) => Some("Inactive"),
        };
        aws::account(seen, status, &ids)
    })
}

fn look_up(server: &Server, args: &[&str]) -> Verify {
    Verify::new(args)
        .args(&["--endpoint-url", &server.url(), "--rate=100"])
        .with_own()
}

#[test]
fn twenty_keys_are_told_apart_in_seconds() {
    let server = account();
    let ids: Vec<String> = (0..20).filter(|it| *it != 9).map(id).collect();
    let mut args: Vec<&str> = ids.iter().map(String::as_str).collect();
    args.push("--format=jsonl");
    let began = std::time::Instant::now();
    // At the pace that is usual.
    let url = server.url();
    args.extend(["--endpoint-url", &url]);
    let run = Verify::new(&args).with_own().status(1);
    assert!(began.elapsed() < std::time::Duration::from_secs(10));
    let (answers, last) = run.answers();
    for (answer, id) in answers.iter().zip(&ids) {
        let is_active = (id.as_bytes()[19] - b'A').is_multiple_of(2);
        let status = if is_active { "active" } else { "inactive" };
        assert_eq!(answer["status"], status);
        assert_eq!(answer["owner"]["name"], "deploy");
        assert_eq!(answer["root"], false);
        assert_eq!(answer["created"], "2024-01-05T10:00:00Z");
        assert_eq!(answer["last_used"]["service"], "s3");
        assert_eq!(answer["asked"]["with"], "own_credentials");
    }
    assert_eq!(last["summary"]["active"], 10);
    assert_eq!(last["summary"]["inactive"], 9);
    // Who asks, the last use of each, and the user's keys once.
    assert_eq!(last["requests"], 21);
    let log = server.log();
    assert!(log.iter().all(|seen| seen.key_id() == own().0));
}

#[test]
fn the_text_says_whose_and_since_when() {
    let server = account();
    let foreign = ["AKIA", "Y34FZKBO", "KMUTVV7A"].concat();
    let run = look_up(&server, &[&id(0), &id(1), &id(9), &canary(), &foreign]).status(2);
    let lines: Vec<&str> = run.out.lines().collect();
    assert!(
        lines[0].starts_with("asked as arn:aws:sts::123456789012:assumed-role/ir/me"),
        "{run:?}"
    );
    assert_eq!(
        lines[1],
        format!(
            "{}  ACTIVE     user deploy of account 123456789012; made 2024-01-05; last used 2026-11-29 s3 us-east-1",
            id(0)
        )
    );
    assert!(lines[2].contains("  INACTIVE   user deploy"), "{run:?}");
    assert!(lines[2].ends_with("deactivated, not deleted"), "{run:?}");
    assert!(lines[3].contains("  UNKNOWN  "), "{run:?}");
    assert!(
        lines[3].ends_with("the root user of the account has access keys: this may be one"),
        "{run:?}"
    );
    assert!(
        lines[4].contains("  NOT ASKED  account 534261010715; key of a known canary"),
        "{run:?}"
    );
    assert!(
        lines[5].contains("  UNKNOWN    account 609629065308; of account 609629065308, not of"),
        "{run:?}"
    );
    assert!(
        lines[6].starts_with("1 active (0 of root), 1 inactive, 2 unknown, 1 not asked;"),
        "{run:?}"
    );
}

#[test]
fn found_secrets_are_not_used_unless_it_is_said() {
    let server = account();
    let secret = Keys::new(5).secret();
    let run = look_up(&server, &["-", "--format=jsonl"])
        .stdin(report(&[line(&id(0), &secret)]))
        .status(1);
    assert_eq!(run.answers().0[0]["status"], "active");
    let log = server.log();
    assert!(log.iter().all(|seen| seen.key_id() == own().0));
    assert!(!shows_part_of(&secret, format!("{log:?}{run:?}")));
}

#[test]
fn ones_own_key_says_whether_it_is_roots() {
    let server = Server::http(|_, _| aws::root());
    let run = look_up(&server, &[&own().0, "--format=jsonl"]).status(1);
    let (answers, last) = run.answers();
    assert_eq!(answers[0]["root"], true);
    assert_eq!(last["summary"]["active_root"], 1);
    let run = look_up(&server, &[&own().0]).status(1);
    assert!(run.out.contains("ROOT of account 123456789012"), "{run:?}");
    assert!(
        run.out
            .contains(&format!("to be dealt with first: {}", own().0)),
        "{run:?}"
    );
}

#[test]
fn credentials_that_are_missing_or_refused_end_the_run_before_a_key_is_asked_about() {
    let server = Server::http(|_, _| aws::error(403, "ExpiredToken", "expired"));
    let run = look_up(&server, &[&id(0)]).status(2);
    assert!(
        run.err.contains("your own credentials gave no answer"),
        "{run:?}"
    );
    assert_eq!(run.out, "");
    assert_eq!(server.log().len(), 1);

    let run = Verify::new(&[&id(0)]).status(2);
    assert!(
        run.err.contains("aws configure export-credentials"),
        "{run:?}"
    );
    let run = Verify::new(&[&id(0)])
        .env("AWS_ACCESS_KEY_ID", &id(1).replacen("AKIA", "ASIA", 1))
        .env("AWS_SECRET_ACCESS_KEY", &own().1)
        .status(2);
    assert!(run.err.contains("AWS_SESSION_TOKEN is not set"), "{run:?}");
    let run = Verify::new(&[&id(0)])
        .env("AWS_ACCESS_KEY_ID", &own().0)
        .env(
            "AWS_SECRET_ACCESS_KEY",
            &format!("{}\r\nx-evil: 1", own().1),
        )
        .status(2);
    assert!(run.err.contains("is not what AWS hands out"), "{run:?}");
}

#[test]
fn a_session_token_goes_along() {
    let server = account();
    let token = Keys::new(9).token(400);
    let temporary = own().0.replacen("AKIA", "ASIA", 1);
    look_up(&server, &[&id(0)])
        .env("AWS_ACCESS_KEY_ID", &temporary)
        .env("AWS_SESSION_TOKEN", &token)
        .status(1);
    let log = server.log();
    assert!(
        log.iter()
            .all(|seen| seen.header("x-amz-security-token") == Some(&token))
    );
}

#[test]
fn regions_endpoints_and_partitions_are_taken_from_the_environment() {
    let server = account();
    for (name, value) in [
        ("AWS_REGION", "eu-west-3"),
        ("AWS_DEFAULT_REGION", "eu-west-3"),
    ] {
        let before = server.log().len();
        Verify::new(&[&id(0)])
            .with_own()
            .env("AWS_ENDPOINT_URL_STS", &server.url())
            .env("AWS_ENDPOINT_URL_IAM", &server.url())
            .env(name, value)
            .status(1);
        let log = &server.log()[before..];
        let scope = |seen: &crate::support::Seen| {
            let value = seen.header("authorization").expect("signed").to_owned();
            let parts: Vec<&str> = value.split('/').collect();
            format!("{}/{}", parts[2], parts[3])
        };
        assert_eq!(scope(&log[0]), "eu-west-3/sts");
        // IAM is one a partition.
        assert_eq!(scope(&log[1]), "us-east-1/iam");
    }
    let run = Verify::new(&[&id(0)])
        .with_own()
        .env("AWS_REGION", "moon-east-1")
        .status(2);
    assert!(run.err.contains("moon-east-1"), "{run:?}");
    let run = Verify::new(&[&id(0), "--endpoint-url=http://example.org"])
        .with_own()
        .status(2);
    assert!(
        run.err
            .contains("--endpoint-url: http is for this machine only"),
        "{run:?}"
    );
    let run = Verify::new(&[&id(0), "--fips", "--endpoint-url=https://example.org"])
        .with_own()
        .status(2);
    assert!(
        run.err.contains("they do not go with an endpoint URL"),
        "{run:?}"
    );
}
