//! Certificates, proxies and partitions: AWS's own host names over TLS, on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::certificates::Authority;
use crate::support::proxy::Proxy;
use crate::support::server::closed_port;
use crate::support::{ACCOUNT, Run, Server, Verify, aws, one_pair};

const FOUND: &[&str] = &["--with-found-secret", "--format=jsonl", "--rate=100", "-"];

const PUBLIC: &[&str] = &[
    "sts.us-east-1.amazonaws.com",
    "sts.cn-north-1.amazonaws.com.cn",
    "sts.us-gov-west-1.amazonaws.com",
    "sts.eusc-de-east-1.amazonaws.eu",
];

/// An authority, and a file that says to trust it.
fn authority() -> (Authority, tempfile::TempDir, PathBuf) {
    let authority = Authority::new();
    let dir = tempfile::tempdir().expect("a directory");
    let bundle = dir.path().join("ca.pem");
    fs::write(&bundle, &authority.pem).expect("a file");
    (authority, dir, bundle)
}

fn ask(server: &Server, name: &str, bundle: Option<&PathBuf>) -> Run {
    let url = format!("https://{name}:{}", server.address.port());
    let mut verify = Verify::new(FOUND).args(&["--endpoint-url", &url]);
    if let Some(bundle) = bundle {
        verify = verify.arg("--ca-bundle").arg(bundle);
    }
    verify.stdin(one_pair()).run()
}

#[test]
fn only_a_right_certificate_is_an_answer() {
    let (authority, _dir, bundle) = authority();
    let good = Server::https(authority.server(&["localhost"]), |_, _| aws::no_such_key());
    let run = ask(&good, "localhost", Some(&bundle));
    assert_eq!(
        run.told(),
        ("inactive".into(), "no-such-key".into()),
        "{run:?}"
    );

    let stranger = Authority::new();
    for (what, server, bundle) in [
        (
            "an authority that nobody knows",
            authority.server(&["localhost"]),
            None,
        ),
        (
            "another authority",
            stranger.server(&["localhost"]),
            Some(&bundle),
        ),
        (
            "another name",
            authority.server(&["sts.amazonaws.com"]),
            Some(&bundle),
        ),
        (
            "the past",
            authority.server_until(&["localhost"], 2020),
            Some(&bundle),
        ),
    ] {
        let server = Server::https(server, |_, _| aws::no_such_key());
        let run = ask(&server, "localhost", bundle);
        assert_eq!(
            run.told(),
            ("unknown".into(), "tls".into()),
            "{what}: {run:?}"
        );
        assert_eq!(run.status, 2);
        assert!(server.log().is_empty(), "{what}");
    }

    let plain = Server::http(|_, _| aws::no_such_key());
    let run = ask(&plain, "localhost", Some(&bundle));
    assert_eq!(run.told().0, "unknown", "{run:?}");
}

#[test]
fn a_bundle_that_cannot_be_used_is_said_before_anything_is_asked() {
    let dir = tempfile::tempdir().expect("a directory");
    let bundle = dir.path().join("ca.pem");
    let server = Server::http(|_, _| aws::user());
    for text in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\n???\n")] {
        if let Some(text) = text {
            fs::write(&bundle, text).expect("a file");
        }
        let run = Verify::new(FOUND)
            .args(&["--endpoint-url", &server.url()])
            .env("AWS_CA_BUNDLE", bundle.to_str().expect("UTF-8"))
            .stdin(one_pair())
            .status(2);
        assert!(run.err.contains("ca.pem"), "{run:?}");
        assert_eq!(run.out, "");
    }
    assert!(server.log().is_empty());
}

/// The partitions, under their own names, behind a proxy.
fn behind_proxy(proxy: &Proxy, bundle: &Path) -> Verify {
    Verify::new(FOUND)
        .env("HTTPS_PROXY", &proxy.url())
        .env("AWS_CA_BUNDLE", bundle.to_str().expect("UTF-8"))
        .stdin(one_pair())
}

fn hosts(log: &[String]) -> Vec<&str> {
    log.iter()
        .map(|host| host.trim_end_matches(":443"))
        .collect()
}

#[test]
fn every_partition_is_asked_before_a_key_is_inactive() {
    let (authority, _dir, bundle) = authority();
    let server = Server::https(authority.server(PUBLIC), |_, _| aws::no_such_key());
    let proxy = Proxy::new(server.address, |_| None);
    let run = behind_proxy(&proxy, &bundle).status(0);
    assert_eq!(
        run.told(),
        ("inactive".into(), "no-such-key".into()),
        "{run:?}"
    );
    assert_eq!(hosts(&proxy.log()), PUBLIC);
    let regions: Vec<String> = server
        .log()
        .iter()
        .map(|seen| {
            seen.header("authorization")
                .and_then(|it| it.split('/').nth(2))
                .expect("a region")
                .to_owned()
        })
        .collect();
    assert_eq!(
        regions,
        ["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1"]
    );
}

#[test]
fn a_key_of_another_partition_is_found_there() {
    let (authority, _dir, bundle) = authority();
    let server = Server::https(authority.server(PUBLIC), |_, seen| {
        let host = seen.header("host").unwrap_or_default();
        match host.contains("us-gov") {
            true => aws::caller(&format!("arn:aws-us-gov:iam::{ACCOUNT}:root")),
            false => aws::no_such_key(),
        }
    });
    let proxy = Proxy::new(server.address, |_| None);
    let run = behind_proxy(&proxy, &bundle).status(1);
    let (answers, _) = run.answers();
    assert_eq!(answers[0]["partition"], "aws-us-gov");
    assert_eq!(answers[0]["root"], true);

    // The likeliest first: that of the region.
    let proxy = Proxy::new(server.address, |_| None);
    behind_proxy(&proxy, &bundle)
        .env("AWS_REGION", "us-gov-west-1")
        .status(1);
    assert_eq!(hosts(&proxy.log()), ["sts.us-gov-west-1.amazonaws.com"]);
}

/// A region that the account of the key has not enabled may answer as if there were no such key.
#[test]
fn the_home_region_of_a_partition_has_the_last_word() {
    let (authority, _dir, bundle) = authority();
    let (home, far) = ("sts.us-east-1.amazonaws.com", "sts.ap-east-1.amazonaws.com");
    let server = Server::https(authority.server(&[home, far]), |_, seen| {
        match seen.header("host") == Some("sts.us-east-1.amazonaws.com") {
            true => aws::root(),
            false => aws::no_such_key(),
        }
    });
    for (args, variable, expected) in [
        (&["--partition=aws"][..], "AWS_REGION", &[home][..]),
        (&["--partition=aws"], "AWS_DEFAULT_REGION", &[home]),
        (
            &["--partition=aws", "--region=ap-east-1"],
            "X",
            &[far, home],
        ),
    ] {
        let proxy = Proxy::new(server.address, |_| None);
        let run = behind_proxy(&proxy, &bundle)
            .args(args)
            .env(variable, "ap-east-1")
            .status(1);
        assert_eq!(run.answers().0[0]["root"], true, "{run:?}");
        assert_eq!(hosts(&proxy.log()), expected);
    }
    // Without it nobody knows.
    let proxy = Proxy::new(server.address, |host| {
        host.contains("us-east-1")
            .then_some("HTTP/1.1 403 Forbidden\r\n\r\n")
    });
    let run = behind_proxy(&proxy, &bundle)
        .args(&["--partition=aws", "--region=ap-east-1"])
        .status(2);
    assert_eq!(run.told(), ("unknown".into(), "proxy".into()), "{run:?}");
    let plan = Verify::new(&[
        "--with-found-secret",
        "--dry-run",
        "-",
        "--partition=aws",
        "--region=ap-east-1",
    ])
    .stdin(one_pair())
    .status(0);
    assert!(
        plan.out.contains(home) && plan.out.contains(far),
        "{plan:?}"
    );
    assert!(plan.out.contains("1 to 3 requests"), "{plan:?}");
}

#[test]
fn a_partition_that_cannot_be_reached_leaves_it_open_unless_it_is_ruled_out() {
    let (authority, _dir, bundle) = authority();
    let server = Server::https(authority.server(PUBLIC), |_, _| aws::no_such_key());
    let no_china = |host: &str| {
        host.contains(".cn")
            .then_some("HTTP/1.1 403 Forbidden\r\n\r\n")
    };
    let proxy = Proxy::new(server.address, no_china);
    let run = behind_proxy(&proxy, &bundle).status(2);
    assert_eq!(run.told(), ("unknown".into(), "proxy".into()), "{run:?}");
    let run = behind_proxy(&proxy, &bundle)
        .args(&["--partition=aws"])
        .status(0);
    assert_eq!(
        run.told(),
        ("inactive".into(), "no-such-key".into()),
        "{run:?}"
    );
}

#[test]
fn a_proxy_that_cannot_be_used_is_never_passed_by() {
    let (authority, _dir, bundle) = authority();
    let server = Server::https(authority.server(PUBLIC), |_, _| aws::no_such_key());
    let login = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
    let proxy = Proxy::new(server.address, move |_| Some(login));
    let run = behind_proxy(&proxy, &bundle).status(2);
    assert_eq!(run.told(), ("unknown".into(), "proxy".into()), "{run:?}");
    let dead = format!("http://{}", closed_port());
    let run = behind_proxy(&proxy, &bundle)
        .env("HTTPS_PROXY", &dead)
        .status(2);
    assert_eq!(run.told().0, "unknown", "{run:?}");
    for wrong in ["gopher://127.0.0.1:1", "http://"] {
        let run = behind_proxy(&proxy, &bundle)
            .env("HTTPS_PROXY", wrong)
            .status(2);
        assert!(
            run.err.contains("HTTPS_PROXY is no address of a proxy"),
            "{run:?}"
        );
    }
    assert!(server.log().is_empty());
}

#[test]
fn this_machine_is_asked_without_the_proxy_and_so_is_what_no_proxy_names() {
    let server = Server::http(|_, _| aws::user());
    let dead = format!("http://{}", closed_port());
    Verify::new(FOUND)
        .args(&["--endpoint-url", &server.url()])
        .env("ALL_PROXY", &dead)
        .stdin(one_pair())
        .status(1);
    let (authority, _dir, bundle) = authority();
    let secure = Server::https(authority.server(PUBLIC), |_, _| aws::user());
    let proxy = Proxy::new(secure.address, |_| None);
    // What is past the proxy has no address here.
    behind_proxy(&proxy, &bundle)
        .env("NO_PROXY", "amazonaws.com")
        .args(&["--partition=aws-cn"])
        .status(1);
    assert_eq!(hosts(&proxy.log()), ["sts.cn-north-1.amazonaws.com.cn"]);
}

#[test]
fn fips_and_dual_stack_hosts_are_asked_if_they_are_wanted() {
    let (authority, _dir, bundle) = authority();
    let names = [
        "sts-fips.us-west-2.api.aws",
        "sts-fips.us-west-2.amazonaws.com",
        "sts.us-west-2.api.aws",
    ];
    let server = Server::https(authority.server(&names), |_, _| aws::user());
    for (args, variables, name) in [
        (&["--fips", "--dual-stack"][..], &[][..], names[0]),
        (&["--fips"], &[], names[1]),
        (&[], &["AWS_USE_DUALSTACK_ENDPOINT"], names[2]),
        (
            &[],
            &["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"],
            names[0],
        ),
    ] {
        let proxy = Proxy::new(server.address, |_| None);
        let mut verify = behind_proxy(&proxy, &bundle)
            .args(&["--region=us-west-2"])
            .args(args);
        for variable in variables {
            verify = verify.env(variable, "true");
        }
        verify.status(1);
        assert_eq!(hosts(&proxy.log()), [name]);
    }
}
