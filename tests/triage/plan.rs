//! Plans: what their files run, with which arguments, and what they never run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use super::folder::{ACCOUNT, Folder};
use crate::support::command::Run;
use crate::support::{Keys, TestCommand};

/// Answers like `aws`, and writes down how it was called: each argument with a NUL behind it, a line feed after the last.
const AWS: &str = r#"#!/bin/sh
case "$*" in
  "sts get-caller-identity"*) printf '%s\n' "$CALLER"; exit 0 ;;
  "configure get"*) printf '%s\n' "$CONFIGURED"; exit 0 ;;
esac
{ printf '%s\0' "$@"; printf '\n'; } >> "$CALLS"
case "$*" in
  "ec2 describe-regions"*) printf 'us-east-1\tap-northeast-1\n' ;;
  *"$FAILS"*) exit 254 ;;
esac
"#;

struct Shell<'f> {
    folder: &'f Folder,
    caller: String,
    configured: String,
    fails: &'static str,
}

impl<'f> Shell<'f> {
    fn new(folder: &'f Folder) -> Self {
        let aws = folder.path("bin/aws");
        fs::create_dir_all(folder.path("bin")).unwrap();
        fs::write(&aws, AWS).unwrap();
        fs::set_permissions(aws, fs::Permissions::from_mode(0o755)).unwrap();
        Self {
            folder,
            caller: format!("arn:aws:iam::{ACCOUNT}:user/admin"),
            configured: String::new(),
            fails: "nothing fails",
        }
    }

    /// Runs a file of a plan; gives the calls of `aws`.
    #[track_caller]
    fn run(&self, file: &str, status: i32) -> (Run, Vec<Vec<String>>) {
        let calls = self.folder.path("calls");
        let _ = fs::remove_file(&calls);
        let path = std::env::var("PATH").unwrap();
        // From elsewhere: a file finds its neighbours.
        let run = TestCommand::new("sh", "/")
            .arg(self.folder.path("plan").join(file))
            .env(
                "PATH",
                format!("{}:{path}", self.folder.path("bin").display()),
            )
            .env("CALLS", &calls)
            .env("CALLER", &self.caller)
            .env("CONFIGURED", &self.configured)
            .env("FAILS", self.fails)
            .status(status);
        let calls = fs::read_to_string(calls).unwrap_or_default();
        let calls = calls.split('\n').filter(|call| !call.is_empty());
        let calls = calls.map(|call| {
            call.trim_end_matches('\0')
                .split('\0')
                .map(str::to_owned)
                .collect()
        });
        (run, calls.collect())
    }
}

fn programs(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".sh")).collect();
    names.sort();
    names
}

fn words(calls: &[Vec<String>]) -> Vec<String> {
    calls.iter().map(|call| call.join(" ")).collect()
}

#[test]
fn a_plan_runs_what_can_be_undone_and_nothing_else() {
    let folder = Folder::abused();
    let run = folder.triage(&["--plan", "plan"], 1);
    assert!(
        run.err().contains("plan: plan; begin with README.md"),
        "{}",
        run.show()
    );
    let dir = folder.path("plan");
    let expected = [
        "00-check.sh",
        "10-contain.sh",
        "11-sessions.sh",
        "20-descendants.sh",
        "30-replace.sh",
        "40-trail.sh",
        "50-resources.sh",
        "60-secrets.sh",
        "70-delete.sh",
        "80-repository.sh",
    ];
    assert_eq!(programs(&dir), expected);
    let shell = Shell::new(&folder);
    let key = &folder.key;
    let (_, calls) = shell.run("10-contain.sh", 0);
    assert_eq!(
        calls,
        [
            vec![
                "iam",
                "update-access-key",
                "--user-name=deploy",
                &format!("--access-key-id={key}"),
                "--status=Inactive"
            ],
            vec!["iam", "list-access-keys", "--user-name=deploy"],
        ]
    );
    let (_, calls) = shell.run("11-sessions.sh", 0);
    let holders: Vec<&[String]> = calls.iter().map(|call| &call[..4]).collect();
    assert_eq!(
        holders,
        [
            [
                "iam",
                "put-role-policy",
                "--role-name=ops",
                "--policy-name=keysieve-revoke-older-sessions"
            ],
            [
                "iam",
                "put-user-policy",
                "--user-name=backup-svc",
                "--policy-name=keysieve-revoke-older-sessions"
            ],
            [
                "iam",
                "put-user-policy",
                "--user-name=deploy",
                "--policy-name=keysieve-revoke-older-sessions"
            ],
        ]
    );
    for call in &calls {
        assert_eq!(call.len(), 5);
        let document = call[4]
            .strip_prefix("--policy-document=")
            .expect("a document");
        let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
        let time = document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
            .as_str()
            .expect("a time");
        assert!(
            time.parse::<jiff::Timestamp>().is_ok() && time.len() == 20,
            "{time}"
        );
        let expected = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"DateLessThan": {"aws:TokenIssueTime": time}}}]});
        assert_eq!(document, expected);
    }
    let (_, calls) = shell.run("20-descendants.sh", 0);
    let made = &folder.made;
    assert_eq!(
        words(&calls),
        [
            format!(
                "iam update-access-key --user-name=backup-svc --access-key-id={made} --status=Inactive"
            ),
            "iam list-access-keys --user-name=backup-svc".to_owned(),
        ]
    );
    let text = fs::read_to_string(dir.join("20-descendants.sh")).unwrap();
    assert!(
        text.contains("\n# aws iam delete-user --user-name=backup-svc\n"),
        "{text}"
    );
    let (_, calls) = shell.run("50-resources.sh", 0);
    let calls = words(&calls);
    for region in ["us-east-1", "ap-northeast-1"] {
        assert!(
            calls
                .iter()
                .any(|call| call.starts_with("ec2 describe-instances")
                    && call.ends_with(&format!("--region={region}"))),
            "{calls:?}"
        );
    }
    // Deleting the leaked key is in the last file alone, and does not run.
    for name in programs(&dir) {
        let text = fs::read_to_string(dir.join(&name)).unwrap();
        let delete =
            format!("# aws iam delete-access-key --user-name=deploy --access-key-id={key}\n");
        assert_eq!(text.contains(&delete), name == "70-delete.sh", "{name}");
        let (_, calls) = shell.run(&name, 0);
        for call in words(&calls) {
            let verb = call
                .split(' ')
                .nth(1)
                .unwrap()
                .split('-')
                .next()
                .unwrap()
                .to_owned();
            assert!(
                ["get", "list", "describe", "update", "put"].contains(&verb.as_str()),
                "{name}: {call}"
            );
        }
    }
}

#[test]
fn a_plan_is_run_by_somebody_else_in_the_same_account() {
    let folder = Folder::abused();
    folder.triage(&["--plan", "plan"], 1);
    for (caller, configured, word) in [
        (
            format!("arn:aws:iam::{ACCOUNT}:user/deploy"),
            String::new(),
            "the user whose key got out",
        ),
        (
            format!("arn:aws:iam::{ACCOUNT}:user/some/path/deploy"),
            String::new(),
            "the user whose key got out",
        ),
        (
            "arn:aws:iam::210987654321:user/admin".to_owned(),
            String::new(),
            "another account",
        ),
        (
            format!("arn:aws:iam::{ACCOUNT}:user/admin"),
            folder.key.clone(),
            "the leaked key",
        ),
    ] {
        let shell = Shell {
            caller,
            configured,
            ..Shell::new(&folder)
        };
        let mut stopped = 0;
        for name in programs(&folder.path("plan")) {
            let text = fs::read_to_string(folder.path("plan").join(&name)).unwrap();
            // What has nothing but comments needs nobody's credentials.
            let is_run = text
                .lines()
                .any(|line| line.contains("aws ") && !line.starts_with('#'));
            let (status, word) = match is_run {
                true => (2, word),
                false => (0, "nothing runs here"),
            };
            let (run, calls) = shell.run(&name, status);
            assert!(
                calls.is_empty() && run.err().contains(word),
                "{name}: {}",
                run.show()
            );
            stopped += usize::from(is_run);
        }
        assert_eq!(stopped, 7);
    }
    for caller in [
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/ir/me"),
        format!("arn:aws-us-gov:iam::{ACCOUNT}:user/deploy2"),
    ] {
        let shell = Shell {
            caller,
            ..Shell::new(&folder)
        };
        shell.run("10-contain.sh", 0);
    }
    // What fails is named, and the rest is tried all the same.
    let shell = Shell {
        fails: "update-access-key",
        ..Shell::new(&folder)
    };
    let (run, calls) = shell.run("10-contain.sh", 2);
    assert!(
        run.err().contains("failed: aws iam update-access-key"),
        "{}",
        run.show()
    );
    assert_eq!(calls.len(), 2);
}

#[test]
fn without_the_command_line_of_aws_a_plan_says_so() {
    let folder = Folder::abused();
    folder.triage(&["--plan", "plan"], 1);
    fs::create_dir(folder.path("empty")).unwrap();
    let run = |name: &str, status: i32| {
        TestCommand::new("/bin/sh", folder.path("plan"))
            .arg(name)
            .env("PATH", folder.path("empty"))
            .status(status)
    };
    let check = run("00-check.sh", 2);
    assert!(
        check.err().starts_with("aws is not installed"),
        "{}",
        check.show()
    );
    assert_eq!(check.err().lines().count(), 1, "{}", check.show());
    let comments = run("80-repository.sh", 0);
    assert!(
        comments.err().contains("nothing runs here"),
        "{}",
        comments.show()
    );
}

#[test]
fn names_that_a_shell_or_the_command_line_would_read_otherwise_never_become_commands() {
    let harmless = ["a+b=c,d.e@f-g_h", "--profile", "-x", "A.B"];
    let hostile = [
        "a b",
        "a'b",
        "$(touch ran)",
        "`touch ran`",
        "a;touch ran",
        "a\ntouch ran",
        "a\"b",
        "file:///etc/passwd",
        "fileb://x",
        "http://x",
        "ä",
        "../x",
        "a\\",
        "*",
        "~",
        "a\u{202e}b",
        "x # y",
        "\u{1b}[2J",
        "{userName}",
        "a&touch ran",
    ];
    for (name, is_harmless) in harmless
        .iter()
        .map(|name| (*name, true))
        .chain(hostile.iter().map(|name| (*name, false)))
    {
        let mut folder = Folder::empty();
        let (key, made) = (folder.key.clone(), folder.made.clone());
        folder.list_keys(name, &[(&key, "Active")]);
        let secret = "it's a $(touch ran) \"secret\" `touch ran`; # \\ *";
        folder.event(name, &key, "GetSecretValue", |event, _| {
            event["eventSource"] = json!("secretsmanager.amazonaws.com");
            event["requestParameters"] = json!({"secretId": secret});
        });
        folder.event(name, &key, "GetSecretValue", |event, _| {
            event["eventSource"] = json!("secretsmanager.amazonaws.com");
            event["requestParameters"] = json!({"secretId": "file:///etc/passwd"});
        });
        for call in ["CreateUser", "CreateLoginProfile", "AttachUserPolicy"] {
            folder.event(name, &key, call, |event, _| {
                event["readOnly"] = json!(false);
                event["requestParameters"] = json!({"userName": name, "policyArn": format!("arn:aws:iam::aws:policy/{name}")});
            });
        }
        folder.event(name, &key, "CreateAccessKey", |event, _| {
            event["requestParameters"] = json!({"userName": name});
            event["responseElements"] =
                json!({"accessKey": {"accessKeyId": made, "userName": name}});
        });
        folder.event(name, &key, "AssumeRole", |event, folder| {
            event["eventSource"] = json!("sts.amazonaws.com");
            event["requestParameters"] =
                json!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{name}")});
            event["responseElements"] = json!({"credentials": {"accessKeyId": folder.session}});
        });
        folder.write_trail();
        folder.named(&key, &["--plan", "plan"], 1);
        let shell = Shell::new(&folder);
        for program in programs(&folder.path("plan")) {
            TestCommand::new("sh", folder.path("plan"))
                .args(["-n", &program])
                .status(0);
            let (run, calls) = shell.run(&program, 0);
            assert!(
                !folder.path("ran").exists()
                    && !folder.path("plan/ran").exists()
                    && !Path::new("/ran").exists(),
                "{name:?}: {}",
                run.show()
            );
            let arguments: Vec<&String> = calls.iter().flatten().collect();
            for argument in &arguments {
                let value = argument
                    .split_once('=')
                    .map_or(argument.as_str(), |(_, value)| value);
                assert!(
                    !value.starts_with("file") && !value.starts_with("http"),
                    "{argument}"
                );
            }
            let has = |argument: &str| arguments.iter().any(|it| *it == argument);
            match program.as_str() {
                "10-contain.sh" | "20-descendants.sh" => {
                    assert_eq!(
                        has(&format!("--user-name={name}")),
                        is_harmless,
                        "{program} {name:?}: {calls:?}"
                    );
                }
                "60-secrets.sh" => assert!(has(&format!("--secret-id={secret}")), "{calls:?}"),
                _ => {}
            }
            if !is_harmless {
                let named = arguments.iter().any(|it| {
                    it.starts_with("--user-name=")
                        || it.starts_with("--role-name=")
                            && **it != format!("--role-name={}", name.rsplit('/').next().unwrap())
                });
                assert!(!named, "{program} {name:?}: {calls:?}");
            }
        }
        if !is_harmless {
            let text = fs::read_to_string(folder.path("plan/10-contain.sh")).unwrap();
            assert!(
                text.contains("# Not written as a command, look at it by hand: userName is"),
                "{text}"
            );
        }
    }
}

#[test]
fn root_is_dealt_with_by_root() {
    let folder = Folder::empty();
    folder.file(
        "root.json",
        format!(
            "{{\"AccessKeyMetadata\":[{{\"AccessKeyId\":\"{}\",\"Status\":\"Active\"}}]}}",
            folder.key
        )
        .as_bytes(),
    );
    folder.named(&folder.key, &["--plan", "plan"], 1);
    let text = fs::read_to_string(folder.path("plan/10-contain.sh")).unwrap();
    for words in [
        "This is a ROOT key.",
        "sign in as root",
        &format!(
            "# aws sts assume-root --region=us-east-1 --target-principal={ACCOUNT} --task-policy-arn=arn=arn:aws:iam::aws:policy/root-task/IAMDeleteRootUserCredentials\n"
        ),
        &format!(
            "# aws iam delete-access-key --access-key-id={}\n",
            folder.key
        ),
        "Do not make a new root key",
        "permits to list, get and delete only",
        "00-check.sh stops another account",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Central root access may not deactivate, and comes from another account: the check would stop it.
    assert!(
        !text.contains("update-access-key") && !text.contains("sh ./00-check.sh"),
        "{text}"
    );
    let text = fs::read_to_string(folder.path("plan/70-delete.sh")).unwrap();
    assert!(
        text.contains(&format!(
            "# aws iam delete-access-key --access-key-id={}\n",
            folder.key
        )),
        "{text}"
    );
    let shell = Shell::new(&folder);
    for name in [
        "10-contain.sh",
        "11-sessions.sh",
        "30-replace.sh",
        "70-delete.sh",
    ] {
        assert!(
            shell.run(name, 0).1.is_empty(),
            "{name}: nothing can be done here"
        );
    }
}

#[test]
fn beside_a_key_of_root_that_of_a_user_is_dealt_with_by_whoever_may() {
    let folder = Folder::abused();
    // Of the older kind, which holds no account.
    let root = ["AKIAJ", &Keys::new(72).id()[5..]].concat();
    let answer = json!({"key_id": root, "status": "active", "root": true, "account_id": ACCOUNT,
        "owner": {"kind": "root", "name": null, "arn": null}, "asked": {"at": "2026-11-30T13:00:00Z"}});
    let text = format!("{answer}\n{{\"schema\":\"keysieve-verify/1\"}}\n");
    folder.file("verify.jsonl", text.as_bytes());
    folder.keysieve(
        &[
            "triage",
            &folder.key,
            &root,
            "--evidence",
            "evidence",
            "--plan",
            "plan",
        ],
        1,
    );
    let shell = Shell::new(&folder);
    for (file, action) in [
        ("10-contain.sh", "update-access-key"),
        ("70-delete.sh", "delete-access-key"),
    ] {
        let text = fs::read_to_string(folder.path("plan").join(file)).unwrap();
        assert!(
            text.contains("This is a ROOT key.") || file != "10-contain.sh",
            "{text}"
        );
        assert!(
            text.contains(&format!(
                "# aws iam delete-access-key --access-key-id={root}\n"
            )),
            "{file}: {text}"
        );
        let calls = words(&shell.run(file, 0).1);
        assert!(!calls.iter().any(|call| call.contains(&root)), "{calls:?}");
        let of_user = format!(
            "iam {action} --user-name=deploy --access-key-id={}",
            folder.key
        );
        let is_run = calls.iter().any(|call| call.starts_with(&of_user));
        assert_eq!(is_run, file == "10-contain.sh", "{file}: {calls:?}");
        assert!(text.contains(&of_user[4..]), "{file}: {text}");
    }
    // The user's part is for the account's administrators: somebody of another account is stopped.
    let mut other = Shell::new(&folder);
    other.caller = "arn:aws:iam::999999999999:user/admin".to_owned();
    assert!(other.run("10-contain.sh", 2).1.is_empty());
}

#[test]
fn a_plan_has_a_folder_of_its_own_and_hashes_that_hold() {
    let folder = Folder::abused();
    folder.triage(&["--plan", "plan"], 1);
    let again = folder.triage(&["--plan", "plan"], 2);
    assert!(again.err().contains("is not empty"), "{}", again.show());
    assert_eq!(again.out(), "");
    folder.triage(&["--plan", "plan", "--force"], 1);
    assert_eq!(
        fs::metadata(folder.path("plan"))
            .unwrap()
            .permissions()
            .mode()
            & 0o77,
        0
    );
    let hashes = folder.path("plan/evidence.sha256");
    let hashes = hashes.to_str().unwrap();
    let check = TestCommand::new("sha256sum", "/")
        .args(["--check", "--strict", hashes])
        .status(0);
    let files = fs::read_dir(folder.path("evidence")).unwrap().count();
    assert_eq!(check.out().lines().count(), files);
    let reply = fs::read_to_string(folder.path("plan/support-reply.txt")).unwrap();
    for words in [
        "DRAFT",
        "Case: 123456789",
        "Account: 123456789012",
        "backup-svc",
        "Billing checked: ________.",
    ] {
        assert!(reply.contains(words), "{words}: {reply}");
    }
    let case = fs::read_to_string(folder.path("plan/case.json")).unwrap();
    let case: serde_json::Value = serde_json::from_str(&case).unwrap();
    assert_eq!(case["keys"][0]["key_id"], folder.key);
    folder.triage(&["--plan", "plan-ja", "--lang=ja"], 1);
    let readme = fs::read_to_string(folder.path("plan-ja/README.md")).unwrap();
    assert!(readme.contains("の対応手順"), "{readme}");
    // The language changes comments and messages, never commands.
    let commands = |dir: &str, name: &str| {
        let text = fs::read_to_string(folder.path(dir).join(name)).unwrap();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("run ") || line.starts_with("# aws "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for name in programs(&folder.path("plan")) {
        assert_eq!(
            commands("plan", &name),
            commands("plan-ja", &name),
            "{name}"
        );
        TestCommand::new("sh", folder.path("plan-ja"))
            .args(["-n", &name])
            .status(0);
    }
}

#[test]
fn keys_of_several_accounts_have_a_plan_each() {
    let folder = Folder::abused();
    let other = ["AKIA", "XYZDQCEN", "4B6JSJQI"].concat();
    folder.keysieve(
        &[
            "triage",
            &folder.key,
            &other,
            "--evidence",
            "evidence",
            "--plan",
            "plan",
        ],
        1,
    );
    let text = fs::read_to_string(folder.path(&format!("plan/{ACCOUNT}/00-check.sh"))).unwrap();
    assert!(
        text.contains(&format!("::{ACCOUNT}:")) && !text.contains(&other),
        "{text}"
    );
    let text = fs::read_to_string(folder.path("plan/534261010715/10-contain.sh")).unwrap();
    assert!(
        text.contains(&other) && !text.contains(&folder.key),
        "{text}"
    );
}
