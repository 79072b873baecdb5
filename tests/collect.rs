//! `keysieve collect`: the script is printed, not run, and keeps its word with a stand-in for `aws`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::command::Run;
use crate::support::{Keys, TestCommand};

/// Answers like `aws`, and writes down how it was called, one argument a line.
const AWS: &str = r#"#!/bin/sh
{ printf '%s\n' "$@"; echo --; } >> "$CALLS"
echo "$AWS_RETRY_MODE $AWS_MAX_ATTEMPTS" >> "$CALLS.retries"
case "$1 $2" in
  "$FAILS") echo "An error occurred" >&2; exit 254 ;;
  "sts get-caller-identity") echo "arn:aws-us-gov:iam::123456789012:user/me" ;;
  "iam generate-credential-report") echo COMPLETE ;;
  "iam list-users") printf 'deploy\ta+b=c,d.e@f\n' ;;
  "ec2 describe-regions") printf 'us-gov-west-1\tus-gov-east-1\n' ;;
  *) echo "{\"call\": \"$2\"}" ;;
esac
"#;

fn id() -> String {
    ["AKIA", "RZPUZDIK", "GB2VALC6"].concat()
}

fn script(args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let run = TestCommand::keysieve(dir.path())
        .env("SOURCE_DATE_EPOCH", "1796083200")
        .arg("collect")
        .args(args)
        .status(0);
    run.out()
}

/// Runs a script in `dir`; gives the run and the calls of `aws`.
fn collected(dir: &Path, script: &str, fails: &str, status: i32) -> (Run, Vec<String>) {
    let run = prepared(dir, script).env("FAILS", fails).status(status);
    let calls = fs::read_to_string(dir.join("calls")).unwrap_or_default();
    let calls = calls
        .split("--\n")
        .map(|call| call.trim_end().replace('\n', " "));
    (run, calls.filter(|call| !call.is_empty()).collect())
}

fn collected_with(dir: &Path, script: &str, attempts: Option<&str>) {
    let run = prepared(dir, script).env("FAILS", "");
    match attempts {
        Some(attempts) => run.env("AWS_MAX_ATTEMPTS", attempts).status(0),
        None => run.status(0),
    };
}

/// A run of a script that finds our `aws`.
fn prepared(dir: &Path, script: &str) -> TestCommand {
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::write(bin.join("aws"), AWS).unwrap();
    fs::set_permissions(bin.join("aws"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(dir.join("collect.sh"), script).unwrap();
    let path = std::env::var("PATH").unwrap();
    TestCommand::new("sh", dir)
        .args(["collect.sh"])
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("CALLS", dir.join("calls"))
        .env("AWS_ACCESS_KEY_ID", Keys::new(4).id())
}

#[test]
fn the_script_collects_whole_files_and_only_reads() {
    let dir = tempfile::tempdir().unwrap();
    let id = id();
    let temporary = id.replacen("AKIA", "ASIA", 1);
    let text = script(&[
        &id,
        &temporary,
        "--account=123456789012",
        "--trail=s3://logs/AWSLogs/",
    ]);
    let (run, calls) = collected(dir.path(), &text, "none", 0);
    assert!(
        run.out().contains("everything is in evidence"),
        "{}",
        run.show()
    );
    let lookup = |key: &str, region: &str| {
        format!(
            "cloudtrail lookup-events --region {region} --lookup-attributes AttributeKey=AccessKeyId,AttributeValue={key} --output json"
        )
    };
    let policy = |version: &str| {
        format!(
            "iam list-entities-for-policy --policy-arn arn:aws-us-gov:iam::aws:policy/AWSCompromisedKeyQuarantine{version} --output json"
        )
    };
    let expected = [
        "sts get-caller-identity --query Arn --output text".to_owned(),
        "iam generate-credential-report --query State --output text".to_owned(),
        "iam get-credential-report --output json".to_owned(),
        "iam get-account-summary --output json".to_owned(),
        "iam get-account-authorization-details --output json".to_owned(),
        "iam list-users --query Users[].UserName --output text".to_owned(),
        "iam list-access-keys --user-name deploy --output json".to_owned(),
        "iam list-access-keys --user-name a+b=c,d.e@f --output json".to_owned(),
        format!("iam get-access-key-last-used --access-key-id {id} --output json"),
        policy(""),
        policy("V2"),
        policy("V3"),
        policy("V4"),
        "ec2 describe-regions --query Regions[].RegionName --output text".to_owned(),
        lookup(&id, "us-gov-west-1"),
        lookup(&temporary, "us-gov-west-1"),
        lookup(&id, "us-gov-east-1"),
        lookup(&temporary, "us-gov-east-1"),
        "s3 sync s3://logs/AWSLogs/ evidence/trail --only-show-errors".to_owned(),
        "ce get-cost-and-usage --time-period Start=2026-11-01,End=2026-12-02 --granularity DAILY --metrics UnblendedCost \
         --group-by Type=DIMENSION,Key=SERVICE Type=DIMENSION,Key=REGION --output json"
            .to_owned(),
        "health describe-events --region us-east-1 --filter services=RISK --output json".to_owned(),
    ];
    assert_eq!(calls, expected);
    // The answer to this call names no key; the file does.
    let last =
        fs::read_to_string(dir.path().join(format!("evidence/last-used-{id}.json"))).unwrap();
    let last: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last["AccessKeyId"], id);
    assert_eq!(last["Answer"]["call"], "get-access-key-last-used");
    let names = fs::read_dir(dir.path().join("evidence")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<String> = names.collect();
    assert!(
        names.iter().all(|name| name.ends_with(".json")),
        "{names:?}"
    );
    let mode = fs::metadata(dir.path().join("evidence"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o77, 0, "others can read it");
}

#[test]
fn what_was_not_collected_is_named_and_leaves_no_half() {
    let dir = tempfile::tempdir().unwrap();
    let text = script(&[&id(), "--region=us-gov-west-1", "--user=deploy"]);
    let (run, calls) = collected(dir.path(), &text, "cloudtrail lookup-events", 2);
    let name = format!("events-{}-us-gov-west-1.json", id());
    assert!(
        run.err()
            .contains(&format!("not collected: evidence/{name}")),
        "{}",
        run.show()
    );
    assert!(!dir.path().join("evidence").join(&name).exists());
    assert!(
        !dir.path()
            .join("evidence")
            .join(format!("{name}.part"))
            .exists()
    );
    // Everything after it was collected all the same.
    assert!(
        calls.last().unwrap().starts_with("health describe-events"),
        "{calls:?}"
    );
}

#[test]
fn wrong_credentials_end_the_script_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (run, calls) = collected(dir.path(), &script(&["--account=210987654321"]), "none", 2);
    assert!(
        run.err()
            .contains("credentials of account 123456789012, not of 210987654321"),
        "{}",
        run.show()
    );
    assert_eq!(calls.len(), 1);
    let dir = tempfile::tempdir().unwrap();
    let leaked = Keys::new(4).id();
    let (run, calls) = collected(dir.path(), &script(&[&leaked]), "none", 2);
    assert!(
        run.err().contains("use other credentials"),
        "{}",
        run.show()
    );
    assert_eq!(calls.len(), 1);
    let dir = tempfile::tempdir().unwrap();
    let (run, _) = collected(dir.path(), &script(&[]), "sts get-caller-identity", 2);
    assert!(
        run.err().contains("aws has no credentials that work"),
        "{}",
        run.show()
    );
}

#[test]
fn repeats_are_those_of_whoever_runs_the_script() {
    let dir = tempfile::tempdir().unwrap();
    let retries = dir.path().join("calls.retries");
    for (set, expected) in [(None, "adaptive 10"), (Some("2"), "adaptive 2")] {
        collected_with(dir.path(), &script(&["--user=deploy"]), set);
        let seen = fs::read_to_string(&retries).unwrap();
        assert!(seen.lines().count() > 3, "{seen}");
        assert!(seen.lines().all(|line| line == expected), "{seen}");
        fs::remove_file(&retries).unwrap();
    }
}

#[test]
fn without_the_command_line_of_aws_the_script_says_so() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("collect.sh"), script(&[&id()])).unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let run = TestCommand::new("/bin/sh", dir.path())
        .arg("collect.sh")
        .env("PATH", dir.path().join("empty"))
        .status(2);
    assert!(
        run.err().starts_with("error: aws is not installed"),
        "{}",
        run.show()
    );
    assert_eq!(run.err().lines().count(), 1, "{}", run.show());
    assert!(!dir.path().join("evidence").exists());
}

#[test]
fn values_that_a_shell_would_read_otherwise_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let secret = Keys::new(7).secret();
    for args in [
        &["--user=a b"][..],
        &["--user=$(id)"],
        &["--account=12345"],
        &["--region=us-east-1'"],
        &["--trail=s3://a;b"],
        &["AKIA"],
        &[&secret],
    ] {
        let run = TestCommand::keysieve(dir.path())
            .arg("collect")
            .args(args)
            .status(2);
        assert_eq!(run.out(), "");
        assert!(
            !crate::support::shows_part_of(&secret, run.err()),
            "{}",
            run.show()
        );
    }
    let policy = TestCommand::keysieve(dir.path())
        .args(["collect", "--policy"])
        .status(0);
    assert_eq!(policy.json()["Statement"][0]["Effect"], "Allow");
}
