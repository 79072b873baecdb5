//! `keysieve triage`: keys that were found, joined with what AWS exports about them.

mod bombs;
mod folder;
mod hostile;
mod plan;
mod planted;
mod quiet;

use serde_json::{Value, json};

use crate::support::schema::Schema;
use crate::support::{Keys, TestRepo};
use folder::{Folder, LEAK};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../docs/keysieve-triage-1.schema.json")).expect("JSON")
}

/// The only key of a case.
fn only(case: &Value) -> &Value {
    let keys = case["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 1);
    &keys[0]
}

fn codes(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|it| it["code"].as_str().expect("a code"))
        .collect()
}

#[test]
fn a_leak_is_told_from_the_report_to_what_is_open() {
    let folder = Folder::abused();
    let run = folder.triage(&["--format=json"], 1);
    let case = run.json();
    let schema = schema();
    let faults = Schema::new(&schema).faults(&case);
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(case["schema"], "keysieve-triage/1");
    assert_eq!(
        case["summary"],
        json!({"keys": 1, "need_action": 1, "contained": 0})
    );
    let key = only(&case);
    assert_eq!(key["key_id"], folder.key);
    assert_eq!(key["owner"]["kind"], "user");
    assert_eq!(key["owner"]["name"], "deploy");
    assert_eq!(key["status"]["value"], "active");
    assert_eq!(key["slot"], json!({"number": 1, "how": "created"}));
    assert_eq!(key["quarantine"]["value"], "attached");
    assert_eq!(key["permissions"]["admin"], true);
    // The earliest commit of the report.
    assert_eq!(key["leaked_at"], json!({"at": LEAK, "source": "commit"}));
    assert_eq!(key["use"]["before"]["events"], 2);
    assert_eq!(key["use"]["after"]["events"], 6);
    assert_eq!(key["use"]["after"]["failed"], 1);
    assert_eq!(key["use"]["new"]["addresses"], json!(["198.51.100.9"]));
    assert_eq!(
        key["first_after"]["event_name"], "ListBuckets",
        "in the very second of the leak"
    );
    assert_eq!(key["first_suspicious"]["event_name"], "GetCallerIdentity");
    assert_eq!(key["first_write_after"]["event_name"], "CreateUser");
    assert_eq!(key["descendants"]["events"], 2);
    let edges = key["lineage"].as_array().expect("edges");
    let edges: Vec<_> = edges
        .iter()
        .map(|edge| {
            (
                edge["kind"].as_str().unwrap(),
                edge["child"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        edges,
        [
            ("user", "backup-svc"),
            ("key", folder.made.as_str()),
            ("session", folder.session.as_str())
        ]
    );
    assert_eq!(key["lineage"][2]["expires"], "2026-11-30T13:40:00Z");
    let deeds = key["deeds"].as_array().expect("deeds");
    let of = |kind: &str, outcome: &str| {
        deeds
            .iter()
            .filter(|it| it["kind"] == kind && it["outcome"] == outcome)
            .count()
    };
    assert_eq!(
        (
            of("persistence", "done"),
            of("credentials", "done"),
            of("spend", "done"),
            of("spend", "denied")
        ),
        (1, 1, 1, 1)
    );
    assert_eq!(
        key["cost"][0]["service"],
        "Amazon Elastic Compute Cloud - Compute"
    );
    assert_eq!(
        (
            key["cost"][0]["before"].as_f64(),
            key["cost"][0]["after"].as_f64()
        ),
        (Some(1.0), Some(250.0))
    );
    assert_eq!(key["support"]["case_id"], "123456789");
    assert_eq!(key["priority"]["level"], "P1");
    for code in ["used_after", "persistence", "admin", "exposed", "active"] {
        assert!(
            codes(&key["priority"]["reasons"]).contains(&code),
            "{code}: {}",
            key["priority"]
        );
    }
    assert_eq!(key["containment"]["contained"], false);
    for code in ["key_active", "made_key_active", "made_user", "session"] {
        assert!(
            codes(&key["containment"]["open"]).contains(&code),
            "{code}: {}",
            key["containment"]
        );
    }
    for code in [
        "regions",
        "period",
        "no_data_events",
        "commit_date",
        "at_most",
    ] {
        assert!(
            codes(&case["limits"]).contains(&code),
            "{code}: {}",
            case["limits"]
        );
    }
    assert_eq!(case["unread"], json!([]));
    let kinds: Vec<&str> = case["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    for kind in [
        "trail",
        "credential_report",
        "list_access_keys",
        "last_used",
        "authorization_details",
        "costs",
        "mail",
        "policy_users",
        "health_events",
        "account_summary",
    ] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    let text = folder.triage(&[], 1).out();
    for words in [
        "1 of 1 key needs action now.",
        "P1   IAM user deploy, account 123456789012",
        "the earliest commit that has it; override it with --leaked-at",
        "What these files cannot show",
        "no data events: reads of S3 objects",
        "from 198.51.100.9",
        "ACTIVE (list-access-keys",
        "Evidence: ",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    for format in ["markdown", "html"] {
        let text = folder.triage(&["--format", format], 1).out();
        assert!(
            text.contains("backup-svc") && text.contains(&folder.key),
            "{text}"
        );
    }
    let japanese = folder.triage(&["--lang=ja"], 1).out();
    assert!(
        japanese.contains("今すぐ対応が必要です") && !japanese.contains("What these files"),
        "{japanese}"
    );
}

#[test]
fn two_statements_that_disagree_are_both_shown_the_newer_first() {
    let mut folder = Folder::abused();
    folder.event(
        "admin",
        &Keys::new(70).id(),
        "UpdateAccessKey",
        |event, folder| {
            event["requestParameters"] =
                json!({"userName": "deploy", "accessKeyId": folder.key, "status": "Inactive"});
        },
    );
    folder.write_trail();
    folder.date("keys-deploy.json", "2026-11-30T12:36:00Z");
    folder.date("credentials.csv", "2026-11-30T12:36:00Z");
    let run = folder.triage(&["--format=json"], 1);
    let case = run.json();
    let status = &only(&case)["status"];
    assert_eq!(
        (status["value"].as_str(), status["disagree"].as_bool()),
        (Some("inactive"), Some(true))
    );
    assert_eq!(status["facts"][0]["source"], "cloudtrail");
    assert!(
        status["facts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|fact| fact["value"] == "active" && fact["source"] == "list_access_keys")
    );
    // What was abused stays urgent when it is switched off.
    assert_eq!(only(&case)["priority"]["level"], "P1");
    let text = folder.triage(&[], 1).out();
    assert!(
        text.contains("the evidence disagrees")
            && text.contains("inactive (CloudTrail")
            && text.contains("ACTIVE (list-access-keys"),
        "{text}"
    );
}

#[test]
fn what_is_unread_or_unknown_is_named_and_is_2() {
    for (name, bytes, word) in [
        (
            "notes.txt",
            &b"hello"[..],
            "is no export of AWS that is known here",
        ),
        (
            "other.json",
            b"{\"Users\": []}",
            "is no export of AWS that is known here",
        ),
        (
            "cut.json",
            b"{\"AccessKeyMetadata\": [",
            "is no export of AWS that is known here",
        ),
        (
            "cut.csv",
            b"user,arn,user_creation_time\nx",
            "has no column",
        ),
        ("cut.json.gz", &[0x1f, 0x8b, 8, 0, 0], "cannot be read"),
        (
            "report.json",
            b"{\"schema\":\"keysieve-report/1\"}",
            "name it among the reports",
        ),
        (
            "half.json",
            b"{\"SummaryMap\":{\"AccountAccessKeysPresent\":0}}{\"Summ",
            "after 1 documents",
        ),
        (
            "cut-trail.json",
            b"{\"Records\":[{\"eventSource\":\"iam.amazonaws.com\",\"eventID\":\"x\"",
            "cut short",
        ),
    ] {
        let folder = Folder::abused();
        folder.file(name, bytes);
        let run = folder.triage(&["--format=json"], 2);
        let case = run.json();
        let unread = case["unread"].as_array().expect("a list");
        assert_eq!(unread.len(), 1, "{unread:?}");
        assert!(
            unread[0]["path"].as_str().unwrap().ends_with(name),
            "{unread:?}"
        );
        assert!(
            unread[0]["why"].as_str().unwrap().contains(word),
            "{unread:?}"
        );
        assert!(run.err().contains(name), "{}", run.show());
        // What could be read is told all the same.
        assert_eq!(only(&case)["priority"]["level"], "P1");
        assert!(
            folder
                .triage(&[], 2)
                .out()
                .contains(&format!("evidence/{name}: "))
        );
    }
}

#[test]
fn what_is_required_and_not_known_is_2() {
    let folder = Folder::empty();
    folder.file("cost.json", br#"{"ResultsByTime":[]}"#);
    let key = folder.key.clone();
    folder.named(&key, &[], 1);
    for (what, word) in [
        ("STATUS", "the status of"),
        ("owner", "the owner of"),
        ("Trail", "the trail of"),
    ] {
        let run = folder.named(&key, &["--require", what], 2);
        assert!(run.err().contains(word), "{}", run.show());
    }
    let folder = Folder::abused();
    folder.triage(&["--require", "STATUS,OWNER,TRAIL"], 1);
    let run = folder.named(&key, &["--require", "soon"], 2);
    assert_eq!(run.out(), "");
}

#[test]
fn an_inactive_key_that_nobody_used_needs_no_action() {
    let folder = Folder::empty();
    folder.list_keys("deploy", &[(&folder.key, "Inactive")]);
    let case = folder.named(&folder.key, &["--format=json"], 0).json();
    assert_eq!(only(&case)["priority"]["level"], "P4");
    // Its user's whole list without it says that it is deleted.
    let folder = Folder::empty();
    folder.list_keys("deploy", &[(&Keys::new(71).id(), "Active")]);
    folder.last_used("deploy");
    let case = folder.named(&folder.key, &["--format=json"], 0).json();
    assert_eq!(only(&case)["status"]["value"], "deleted");
}

#[test]
fn a_root_key_is_told_by_logs_lists_and_answers() {
    let answer = |folder: &Folder| {
        format!(
            "{{\"key_id\":\"{}\",\"status\":\"active\",\"root\":true,\"owner\":{{\"kind\":\"root\",\"name\":null,\"arn\":null}},\"asked\":{{\"at\":\"2026-11-30T13:00:00Z\"}}}}\n\
             {{\"schema\":\"keysieve-verify/1\"}}\n",
            folder.key
        )
    };
    let by_list = |folder: &Folder| {
        format!(
            "{{\"AccessKeyMetadata\":[{{\"AccessKeyId\":\"{}\",\"Status\":\"Active\"}}]}}",
            folder.key
        )
    };
    for text in [answer as fn(&Folder) -> String, by_list] {
        let folder = Folder::empty();
        folder.file("root.json", text(&folder).as_bytes());
        let run = folder.named(&folder.key, &["--format=json"], 1);
        let case = run.json();
        assert_eq!(only(&case)["owner"]["kind"], "root");
        assert_eq!(only(&case)["status"]["value"], "active");
        assert_eq!(only(&case)["priority"]["level"], "P1");
        assert!(
            folder
                .named(&folder.key, &[], 1)
                .out()
                .contains("ROOT of account")
        );
    }
    let mut folder = Folder::empty();
    let key = folder.key.clone();
    folder.event("x", &key, "ListUsers", |event, _| {
        event["userIdentity"] = json!({"type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012", "accessKeyId": event["userIdentity"]["accessKeyId"]});
    });
    folder.write_trail();
    let case = folder.named(&key, &["--format=json"], 1).json();
    assert_eq!(only(&case)["owner"]["kind"], "root");
}

#[test]
fn answers_of_verify_that_were_cut_short_are_2() {
    let folder = Folder::empty();
    let line = format!(
        "{{\"key_id\":\"{}\",\"status\":\"inactive\",\"asked\":{{\"at\":\"2026-11-30T13:00:00Z\"}}}}\n",
        folder.key
    );
    folder.file("verify.jsonl", line.as_bytes());
    let run = folder.named(&folder.key, &["--format=json"], 2);
    assert_eq!(only(&run.json())["status"]["value"], "inactive");
    assert!(run.err().contains("cut short"), "{}", run.show());
}

#[test]
fn an_answer_of_a_host_that_is_not_awss_is_told() {
    // As `keysieve-verify` writes them: without a scheme.
    for (hosts, told) in [
        ("[\"sts.us-east-1.amazonaws.com\"]", None),
        ("[\"iam.amazonaws.com\"]", None),
        ("[]", None),
        (
            "[\"sts.us-east-1.amazonaws.com\",\"127.0.0.1:5000\"]",
            Some("127.0.0.1:5000"),
        ),
        (
            "[\"ec2-192-0-2-1.compute-1.amazonaws.com\"]",
            Some("ec2-192-0-2-1.compute-1.amazonaws.com"),
        ),
    ] {
        let folder = Folder::empty();
        let text = format!(
            "{{\"key_id\":\"{}\",\"status\":\"inactive\",\"asked\":{{\"at\":\"2026-11-30T13:00:00Z\",\"hosts\":{hosts}}}}}\n\
             {{\"schema\":\"keysieve-verify/1\"}}\n",
            folder.key
        );
        folder.file("verify.jsonl", text.as_bytes());
        let case = folder.named(&folder.key, &["--format=json"], 0).json();
        let limits = case["limits"].as_array().expect("limits");
        let host = limits.iter().find(|limit| limit["code"] == "not_aws");
        assert_eq!(
            host.map(|limit| limit["values"]["host"].as_str()),
            told.map(Some),
            "{hosts}"
        );
        let text = folder.named(&folder.key, &[], 0).out();
        assert_eq!(text.contains("which is not AWS"), told.is_some(), "{text}");
    }
}

/// Answers of one run: a temporary key has one for each of its tokens. A later run counts more.
#[test]
fn of_the_answers_of_a_run_active_counts() {
    const END: &str = "{\"schema\":\"keysieve-verify/1\"}\n";
    for (between, statuses, expected) in [
        ("", [("inactive", 0), ("active", 0)], "active"),
        ("", [("active", 0), ("inactive", 0)], "active"),
        ("", [("active", 0), ("inactive", 1)], "active"),
        ("", [("inactive", 0), ("active", 1)], "active"),
        (END, [("active", 0), ("inactive", 1)], "inactive"),
    ] {
        let folder = Folder::empty();
        let lines = statuses.map(|(status, second)| {
            format!(
                "{{\"key_id\":\"{}\",\"status\":\"{status}\",\"asked\":{{\"at\":\"2026-11-30T13:00:0{second}Z\"}}}}\n",
                folder.key
            )
        });
        let text = format!("{}{END}", lines.join(between));
        folder.file("verify.jsonl", text.as_bytes());
        let status = i32::from(expected == "active");
        let run = folder.named(&folder.key, &["--format=json"], status);
        assert_eq!(only(&run.json())["status"]["value"], expected, "{text}");
    }
}

#[test]
fn known_networks_are_not_what_is_looked_for() {
    let folder = Folder::abused();
    let case = folder
        .triage(
            &[
                "--format=json",
                "--known-network=198.51.100.0/24",
                "--known-network=203.0.113.0/24",
            ],
            1,
        )
        .json();
    let key = only(&case);
    assert_eq!(key["use"]["after"]["known"], key["use"]["after"]["events"]);
    assert_eq!(key["first_suspicious"], Value::Null);
    assert_eq!(
        key["priority"]["level"], "P2",
        "AWS saw it in public all the same"
    );
    folder.triage(&["--known-network=198.51.100.0/33"], 2);
}

#[test]
fn the_time_of_the_leak_can_be_given() {
    let folder = Folder::abused();
    let case = folder
        .triage(&["--format=json", "--leaked-at=2026-12-01"], 1)
        .json();
    let key = only(&case);
    assert_eq!(
        (
            key["use"]["after"]["events"].as_u64(),
            key["use"]["before"]["events"].as_u64()
        ),
        (Some(0), Some(8))
    );
    assert_eq!(key["leaked_at"]["source"], "option");
    let run = folder.triage(&["--leaked-at=soon"], 2);
    assert!(
        run.err().contains("--leaked-at is no time"),
        "{}",
        run.show()
    );
    // Without a report and a mail everything counts as after.
    let mut folder = Folder::empty();
    let key = folder.key.clone();
    folder.event("deploy", &key, "ListUsers", |_, _| {});
    folder.write_trail();
    let case = folder.named(&key, &["--format=json"], 1).json();
    assert_eq!(
        (
            &only(&case)["leaked_at"],
            &only(&case)["use"]["after"]["events"]
        ),
        (&Value::Null, &json!(1))
    );
    assert!(codes(&case["limits"]).contains(&"no_leak_time"));
}

#[test]
fn without_a_report_the_mail_names_the_key() {
    let folder = Folder::abused();
    let run = folder.keysieve(&["triage", "--evidence", "evidence", "--format=json"], 1);
    let case = run.json();
    assert_eq!(only(&case)["key_id"], folder.key);
    assert_eq!(only(&case)["leaked_at"]["source"], "mail");
    let run = folder.keysieve(
        &[
            "triage",
            "evidence/mail.eml",
            "--evidence",
            "evidence/keys-deploy.json",
            "--format=json",
        ],
        1,
    );
    assert_eq!(only(&run.json())["key_id"], folder.key);
    // A mail of 2014 masks the key; the list has one that fits.
    let folder = Folder::empty();
    let last = &folder.key[16..];
    let mail = format!(
        "the following AWS Access Keys of account (****-****-9012) along with the corresponding Secret Keys are publicly available online. ****-****-{last}  https://github.com/o/r"
    );
    folder.file("mail.txt", mail.as_bytes());
    folder.list_keys(
        "deploy",
        &[(&folder.key, "Active"), (&Keys::new(72).id(), "Active")],
    );
    let run = folder.keysieve(&["triage", "--evidence", "evidence", "--format=json"], 1);
    assert_eq!(only(&run.json())["key_id"], folder.key);
    let folder = Folder::empty();
    folder.list_keys("deploy", &[(&folder.key, "Active")]);
    let run = folder.keysieve(&["triage", "--evidence", "evidence"], 2);
    assert!(run.err().contains("no key is named"), "{}", run.show());
}

/// The earliest of all that say that it was out counts.
#[test]
fn a_commit_behind_the_mail_is_not_the_leak() {
    let folder = Folder::abused();
    let report = std::fs::read_to_string(folder.path("report.json")).unwrap();
    let later = report
        .replace("2026-11-30T13:33:12+01:00", "2026-11-30T12:59:00Z")
        .replace("2026-11-30T13:00:00Z", "2026-11-30T12:58:00Z");
    std::fs::write(folder.path("report.json"), later).unwrap();
    let leaked = |status: i32| {
        let case = folder.triage(&["--format=json"], status).json();
        only(&case)["leaked_at"].clone()
    };
    let mail = json!({"at": "2026-11-30T12:35:08Z", "source": "mail"});
    assert_eq!(leaked(1), mail);
    let text = folder.triage(&[], 1).out();
    assert!(text.contains("the date of AWS's mail"), "{text}");
    // What the owner's file says is as old as the mail, not as the file.
    std::fs::remove_file(folder.path("evidence/trail.json")).unwrap();
    for name in ["keys-deploy.json", "last-used.json"] {
        std::fs::remove_file(folder.path("evidence").join(name)).unwrap();
    }
    let case = folder.triage(&["--format=json"], 1).json();
    assert_eq!(
        only(&case)["owner"]["facts"][0]["as_of"],
        "2026-11-30T12:35:08Z"
    );
    // An event of Health counts if it names the key, or its user and no other key.
    let other = Keys::new(76).id();
    let health = |entities: &[&str]| {
        let entities: Vec<Value> = entities
            .iter()
            .map(|it| json!({"entityValue": it}))
            .collect();
        let event = json!({"detail": {"eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED",
            "startTime": "2026-11-30T12:34:19Z", "affectedEntities": entities}});
        folder.file("health.json", event.to_string().as_bytes());
    };
    let event = json!({"at": "2026-11-30T12:34:19Z", "source": "health"});
    for (entities, expected) in [
        (&[folder.key.as_str()][..], &event),
        (&["deploy"], &event),
        (&["deploy", &other], &mail),
        (&["somebody"], &mail),
    ] {
        health(entities);
        assert_eq!(leaked(1), *expected, "{entities:?}");
    }
    health(&["deploy"]);
    let text = folder.triage(&[], 1).out();
    assert!(text.contains("an event of AWS Health began"), "{text}");
    // The key is younger than the event: that was about another one.
    let list = format!(
        "{{\"AccessKeyMetadata\":[{{\"UserName\":\"deploy\",\"AccessKeyId\":\"{}\",\"Status\":\"Active\",\"CreateDate\":\"2026-11-30T12:34:30Z\"}}]}}",
        folder.key
    );
    folder.file("keys-deploy.json", list.as_bytes());
    assert_eq!(leaked(1), mail);
}

#[test]
fn a_masked_mail_as_argument_needs_a_list_of_keys() {
    let folder = Folder::empty();
    let last = &folder.key[16..];
    let mail = format!(
        "From: a\nDate: Mon, 30 Nov 2026 12:35:08 +0000\nSubject: x\n\nthe following AWS Access Keys of account (****-****-9012) are publicly available online. ****-****-{last} (belonging to IAM user \"deploy\")"
    );
    std::fs::write(folder.path("mail.eml"), mail).unwrap();
    let triage = |status: i32| {
        folder.keysieve(
            &[
                "triage",
                "mail.eml",
                "--evidence",
                "evidence",
                "--format=json",
            ],
            status,
        )
    };
    let is_said = |run: &crate::support::command::Run, words: &str| {
        let (err, masked) = (run.err(), format!("masks the key ****-****-{last}"));
        assert!(
            err.contains(&masked) && err.contains(words) && err.contains("hint: collect the lists"),
            "{}",
            run.show()
        );
    };
    is_said(&triage(2), "no listed key fits");
    folder.list_keys("other", &[(&Keys::new(72).id(), "Active")]);
    is_said(&triage(2), "no listed key fits");
    folder.list_keys("deploy", &[(&folder.key, "Active")]);
    let case = triage(1).json();
    let key = only(&case);
    assert_eq!(key["key_id"], folder.key);
    assert_eq!(
        key["leaked_at"],
        json!({"at": "2026-11-30T12:35:08Z", "source": "mail"})
    );
    assert!(key["owner"]["facts"].as_array().unwrap().len() > 1, "{key}");
    let text = folder
        .keysieve(&["triage", "mail.eml", "--evidence", "evidence"], 1)
        .out();
    assert!(text.contains("AWS's mail; it names no place"), "{text}");
    // Two that fit are no answer.
    let like = format!("{}{last}", &Keys::new(74).id()[..16]);
    folder.list_keys("deploy", &[(&folder.key, "Active"), (&like, "Active")]);
    is_said(&triage(2), "2 listed keys fit");
}

#[test]
fn a_report_is_one_of_keysieve_and_whole() {
    let folder = Folder::abused();
    let secrets = std::fs::read_to_string(folder.path("report.json"))
        .unwrap()
        .replace("\"key_id\"", "\"secret_key\":\"x\",\"key_id\"");
    for (text, status, word) in [
        ("{}", 2, "is no report of keysieve"),
        ("[]", 2, "is no report of keysieve"),
        (secrets.as_str(), 2, "has secrets in it"),
    ] {
        std::fs::write(folder.path("r.json"), text).unwrap();
        let run = folder.keysieve(&["triage", "r.json", "--evidence", "evidence"], status);
        assert!(run.err().contains(word), "{}", run.show());
    }
    let run = folder.keysieve(&["triage", "nowhere", "--evidence", "evidence"], 2);
    assert!(
        run.err().contains("error: cannot read nowhere"),
        "{}",
        run.show()
    );
    // What was typed may be a secret.
    let secret = Keys::new(75).secret();
    let run = folder.keysieve(&["triage", &secret, "--evidence", "evidence"], 2);
    assert!(
        run.err().contains("cannot read argument 1")
            && !crate::support::shows_part_of(&secret, run.err()),
        "{}",
        run.show()
    );
    let run = folder.keysieve(&["triage", "report.json", "--evidence", "nowhere"], 2);
    assert!(run.err().contains("nowhere"), "{}", run.show());
    // A scan without a key of AWS is an answer.
    let empty =
        "{\"schema\":\"keysieve-report/1\",\"coverage\":{\"complete\":true},\"findings\":[]}";
    std::fs::write(folder.path("r.json"), empty).unwrap();
    folder.keysieve(&["triage", "r.json", "--evidence", "evidence"], 0);
}

#[test]
fn events_of_the_console_count_once() {
    let folder = Folder::abused();
    let head = "Event ID,Event time,User name,Event name,AWS access key,Source IP address,AWS region,Event source,Error code\n";
    let known = folder.events[1]["eventID"].as_str().unwrap();
    let row = |id: &str| {
        format!(
            "{id},2026-11-30T12:50:00Z,deploy,DescribeInstances,{},198.51.100.9,us-east-1,ec2.amazonaws.com,\n",
            folder.key
        )
    };
    folder.file(
        "event_history.csv",
        format!("{head}{}{}", row(known), row("new")).as_bytes(),
    );
    let case = folder.triage(&["--format=json"], 1).json();
    assert_eq!(
        only(&case)["use"]["after"]["events"],
        7,
        "one of the two is in the log already"
    );
}

#[test]
fn no_session_token_is_in_any_output() {
    let folder = Folder::abused();
    let token = folder.token.clone();
    assert!(
        String::from_utf8_lossy(&std::fs::read(folder.path("evidence/trail.json")).unwrap())
            .contains(&token)
    );
    for format in ["text", "json", "markdown", "html"] {
        let run = folder.triage(
            &["--format", format, "--plan", &format!("plan-{format}")],
            1,
        );
        for text in [&run.stdout, &run.stderr] {
            assert!(
                !crate::support::shows_part_of(&token, text),
                "{}",
                run.show()
            );
        }
        for entry in std::fs::read_dir(folder.path(&format!("plan-{format}"))).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!crate::support::shows_part_of(&token, bytes));
        }
    }
}

#[test]
fn the_same_files_give_the_same_answer() {
    let folder = Folder::abused();
    let first = folder.triage(&["--format=json", "--threads=1"], 1);
    assert_eq!(
        folder.triage(&["--format=json", "--threads=4"], 1).out(),
        first.out()
    );
    // A report of a real history, by the program itself.
    let repo = TestRepo::new();
    let mut keys = Keys::new(73);
    let (id, secret) = (keys.id(), keys.secret());
    repo.commit_file(
        "a.env",
        format!("aws_access_key_id={id}\naws_secret_access_key={secret}\n"),
        "leak",
    );
    let report = repo.keysieve(&["history", "--format=json"]).status(1);
    std::fs::write(folder.path("real.json"), &report.stdout).unwrap();
    let case = folder
        .keysieve(
            &[
                "triage",
                "real.json",
                "--evidence",
                "evidence",
                "--format=json",
            ],
            1,
        )
        .json();
    assert_eq!(only(&case)["key_id"], id);
    assert_eq!(only(&case)["places"][0]["path"], "a.env");
    assert_eq!(only(&case)["leaked_at"]["source"], "commit");
}

/// Every text that the source asks for is in the table.
#[test]
fn every_text_is_there() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table = std::fs::read_to_string(root.join("text/words.toml")).expect("the table");
    let has = |code: &str| table.contains(&format!("\n\"{code}\" = {{"));
    let quoted = regex::Regex::new("\"([a-z0-9_]+)\"").expect("a pattern");
    let mut files = Vec::new();
    let mut dirs = vec![
        root.join("report/case"),
        root.join("report/plan"),
        root.join("triage"),
        root.join("bin/keysieve/commands"),
    ];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
            if entry.path().is_dir() {
                dirs.push(entry.path());
            } else if entry.path().extension().is_some_and(|it| it == "rs") {
                files.push(std::fs::read_to_string(entry.path()).expect("a file"));
            }
        }
    }
    let source = files.join("\n");
    let asked =
        regex::Regex::new(r#"(?:word|say)\(\s*"([a-z_]+(?:\.[a-z0-9_.-]+)?)""#).expect("a pattern");
    let bare = regex::Regex::new(r#"Said::(?:bare|with)\(\s*(?:match \S+ \{)?\s*"([a-z0-9_]+)""#)
        .expect("a pattern");
    let mut missing = Vec::new();
    for found in asked.captures_iter(&source) {
        let code = &found[1];
        let groups = ["", "readme.", "plan.", "reply.", "root."];
        if !groups.iter().any(|group| has(&format!("{group}{code}"))) {
            missing.push(code.to_owned());
        }
    }
    for found in bare.captures_iter(&source) {
        let code = &found[1];
        if !["reason", "open", "limit", "plan"]
            .iter()
            .any(|group| has(&format!("{group}.{code}")))
        {
            missing.push(code.to_owned());
        }
    }
    let commands = std::fs::read_to_string(root.join("triage/plan/mod.rs")).expect("the plan");
    for found in quoted
        .captures_iter(&commands)
        .filter(|found| found[1].contains('_'))
    {
        let code = &found[1];
        let is_said = commands.contains(&format!("say(\"{code}\")"))
            || commands.contains(&format!("=> \"{code}\""));
        if is_said && !has(&format!("plan.{code}")) {
            missing.push(code.to_owned());
        }
    }
    assert!(
        asked.captures_iter(&source).count() > 40 && missing.is_empty(),
        "{missing:?}"
    );
    // Whatever limit is named has a label.
    for line in table.lines().filter(|line| line.starts_with("\"limit.")) {
        let code = line
            .split('"')
            .nth(1)
            .expect("a code")
            .trim_start_matches("limit.");
        assert!(has(&format!("limit_label.{code}")), "{code}");
    }
}

#[test]
fn costs_that_are_told_twice_count_once() {
    let folder = Folder::abused();
    // Of one day and service, told again later, with more.
    let day = |amount: &str| {
        json!({"TimePeriod": {"Start": "2026-11-30", "End": "2026-12-01"}, "Groups": [{"Keys": ["AmazonEC2", "us-east-1"],
        "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}}]})
    };
    for (name, amount, date) in [
        ("first.json", "250", "2026-11-30T12:50:00Z"),
        ("again.json", "260", "2026-11-30T12:55:00Z"),
    ] {
        let costs = json!({"GroupDefinitions": [{"Key": "SERVICE"}, {"Key": "REGION"}], "ResultsByTime": [day(amount)]});
        folder.file(name, costs.to_string().as_bytes());
        folder.date(name, date);
    }
    // Two files of one report are parts of it.
    for (name, amount) in [("part-1.csv", "200.5"), ("part-2.csv", "61.5")] {
        let head = "line_item_usage_start_date,line_item_unblended_cost,line_item_product_code,product_region_code,line_item_currency_code";
        let rows = format!("{head}\n2026-11-30T00:00:00Z,{amount},AmazonEC2,us-east-1,USD\n");
        folder.file(name, rows.as_bytes());
    }
    let case = folder.triage(&["--format=json"], 1).json();
    let told = |source: &str| {
        let costs = only(&case)["cost"].as_array().expect("a list");
        let rows = costs.iter().filter(|it| it["service"] == "AmazonEC2");
        let rows: Vec<&Value> = rows.filter(|it| it["source"] == source).collect();
        assert_eq!(rows.len(), 1, "{costs:#?}");
        rows[0]["after"].as_f64()
    };
    assert_eq!(
        (told("cost_explorer"), told("cost_report")),
        (Some(260.0), Some(262.0))
    );
    let text = folder.triage(&[], 1);
    let line = "AmazonEC2 us-east-1 (cost report): 262.00 USD";
    assert!(text.out().contains(line), "{}", text.show());
}
