//! Faults between here and AWS: none makes a key inactive.

use std::time::Duration;

use crate::support::server::closed_port;
use crate::support::{Reply, Run, Server, Verify, aws, one_pair};

const FOUND: &[&str] = &["--with-found-secret", "--format=jsonl", "--rate=100", "-"];

/// One key, asked about at `url`.
fn ask(url: &str) -> Run {
    Verify::new(FOUND)
        .args(&["--endpoint-url", url, "--timeout", "0.5"])
        .stdin(one_pair())
        .run()
}

/// A name, what comes back, the reason, and how often it is sent.
fn faults() -> Vec<(&'static str, Reply, &'static str, usize)> {
    let html = "<html><head><title>Sign in</title></head><body>InvalidClientTokenId</body></html>";
    let raw = |text: &str| Reply::Raw(text.as_bytes().to_vec());
    let Reply::Full(_, refusal) = aws::no_such_key() else {
        unreachable!("it is whole");
    };
    let (length, half) = (refusal.len(), &refusal[..refusal.len() / 2]);
    let cut = format!("HTTP/1.1 403 X\r\nContent-Length: {length}\r\n\r\n{half}");
    let ended = format!("HTTP/1.1 403 X\r\nConnection: close\r\n\r\n{half}");
    let chunked =
        format!("HTTP/1.1 403 X\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{half}");
    let late = |reply| Reply::Late(Duration::from_secs(2), Box::new(reply));
    let long = format!("{refusal}{}", " ".repeat(1 << 20));
    vec![
        ("500", Reply::Full(500, String::new()), "server", 4),
        (
            "500 with a code",
            Reply::Full(500, refusal.clone()),
            "server",
            4,
        ),
        ("429", Reply::Full(429, String::new()), "throttled", 4),
        ("slow", late(aws::no_such_key()), "timeout", 2),
        ("cut", raw(&cut), "network", 4),
        ("cut without a length", raw(&ended), "not-aws", 1),
        ("cut in a chunk", raw(&chunked), "network", 4),
        (
            "cut in the head",
            raw("HTTP/1.1 403 X\r\nContent-Le"),
            "network",
            4,
        ),
        ("no answer", raw(""), "network", 4),
        ("HTML 200", Reply::Full(200, html.to_owned()), "not-aws", 1),
        ("HTML 403", Reply::Full(403, html.to_owned()), "not-aws", 1),
        (
            "no HTTP",
            raw("220 mail.example.org ESMTP\r\n\r\n"),
            "network",
            1,
        ),
        (
            "TLS in place of HTTP",
            raw("\x15\x03\x01\x00\x02\x02\x50"),
            "network",
            1,
        ),
        ("too long", Reply::Full(403, long), "not-aws", 1),
        (
            "clock",
            aws::error(403, "SignatureDoesNotMatch", "Signature expired: x"),
            "clock",
            1,
        ),
        (
            "region",
            aws::error(403, "RegionDisabledException", ""),
            "region-disabled",
            1,
        ),
        ("denied", aws::error(403, "AccessDenied", ""), "denied", 1),
        (
            "busy",
            aws::error(503, "ServiceUnavailable", ""),
            "server",
            4,
        ),
        (
            "throttling",
            aws::error(400, "Throttling", "Rate exceeded"),
            "throttled",
            4,
        ),
    ]
}

#[test]
fn no_fault_of_the_wire_makes_a_key_inactive() {
    let cases = faults().into_iter().map(|(name, reply, reason, times)| {
        std::thread::spawn(move || {
            let server = Server::http(move |_, _| reply.clone());
            let run = ask(&server.url());
            assert_eq!(
                run.told(),
                ("unknown".into(), reason.into()),
                "{name}: {run:?}"
            );
            assert_eq!(server.log().len(), times, "{name}: {run:?}");
            assert_eq!(run.status, 2, "{name}");
        })
    });
    let cases: Vec<_> = cases.collect();
    assert!(cases.len() >= 19);
    for case in cases {
        case.join().expect("as it should be");
    }
}

#[test]
fn a_fault_that_passes_is_asked_away() {
    for first in [
        Reply::Full(500, String::new()),
        Reply::Full(429, String::new()),
        Reply::Raw(Vec::new()),
        Reply::Late(Duration::from_secs(1), Box::new(aws::user())),
    ] {
        let server = Server::http(move |number, _| match number {
            0 => first.clone(),
            _ => aws::root(),
        });
        let run = ask(&server.url());
        assert_eq!(run.told(), ("active".into(), String::new()), "{run:?}");
        assert_eq!(run.status, 1);
        assert_eq!(run.answers().0[0]["root"], true);
    }
}

/// A signed request is never carried on to somewhere else.
#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = Server::http(|_, _| aws::no_such_key());
        let header = format!("Location: {}/", other.url());
        let server = Server::http(move |_, _| Reply::with_header(status, &header));
        let run = ask(&server.url());
        assert_eq!(run.told(), ("unknown".into(), "redirect".into()), "{run:?}");
        assert!(other.log().is_empty());
    }
}

#[test]
fn nobody_there_is_unknown() {
    let run = ask(&format!("http://{}", closed_port()));
    assert_eq!(run.told(), ("unknown".into(), "network".into()), "{run:?}");
    let run = ask("https://nowhere.invalid");
    assert_eq!(run.told().0, "unknown", "{run:?}");
}

#[test]
fn what_the_place_does_not_know_is_inactive_and_the_place_is_said() {
    let server = Server::http(|_, _| aws::no_such_key());
    let run = ask(&server.url());
    assert_eq!(run.told(), ("inactive".into(), "no-such-key".into()));
    assert_eq!(run.status, 0);
    let (answers, last) = run.answers();
    let detail = answers[0]["detail"].as_str().expect("a text");
    assert!(detail.starts_with(&server.url()), "{detail}");
    assert_eq!(last["summary"]["inactive"], 1);
    assert_eq!(last["requests"], 1);
}

/// The headers of HTTP/1.1, once each, and nothing that gives more away than has to be.
#[test]
fn a_request_is_what_is_signed_and_no_more() {
    let server = Server::http(|_, _| aws::user());
    ask(&server.url());
    let log = server.log();
    let names: Vec<String> = log[0]
        .head
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().expect("a name").to_ascii_lowercase())
        .collect();
    let mut sorted = names.clone();
    sorted.sort();
    let expected = [
        "accept",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-amz-date",
    ];
    assert_eq!(sorted, expected);
    assert!(log[0].head.starts_with("POST / HTTP/1.1\r\n"));
    assert_eq!(
        log[0].header("host"),
        Some(server.address.to_string().as_str())
    );
    let agent = concat!("keysieve-verify/", env!("CARGO_PKG_VERSION"));
    assert_eq!(log[0].header("user-agent"), Some(agent));
    assert_eq!(log[0].body, "Action=GetCallerIdentity&Version=2011-06-15");
}
