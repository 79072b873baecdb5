//! `keysieve trail`: what CloudTrail logs say of a key, held against reading every record.

pub mod archive;
mod slow;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use keysieve::aws::cloudtrail::LogKeyId;
use keysieve::evidence::trail::{self, Found, Index, Options};
use serde_json::{Value, json};

use crate::support::command::Run;
use crate::support::{Keys, TestCommand};
use archive::{Log, delivered, gzip, looked_up, record};

fn trail(dir: &Path, args: &[&str]) -> TestCommand {
    TestCommand::keysieve(dir).arg("trail").args(args)
}

/// The events of a run, by their IDs, with their relations.
fn relations(run: &Run) -> BTreeMap<String, String> {
    let out = run.out();
    let lines = out.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(line["id"], line["event"]["eventID"]);
        let text = |name: &str| line[name].as_str().expect("a text").to_owned();
        (text("id"), text("relation"))
    });
    let all: Vec<_> = lines.collect();
    let by_id: BTreeMap<String, String> = all.iter().cloned().collect();
    assert_eq!(by_id.len(), all.len(), "an event twice: {}", run.show());
    by_id
}

fn find_in(dir: &Path, keys: &[&str], threads: usize) -> Found {
    let keys: BTreeSet<LogKeyId> = keys.iter().filter_map(|key| LogKeyId::parse(key)).collect();
    let (files, unlisted) = trail::list(&[dir.to_owned()]);
    assert!(unlisted.is_empty());
    trail::find(
        &keys,
        &files,
        &mut Index::default(),
        true,
        Options { threads },
    )
}

#[test]
fn every_event_that_holds_the_key_is_found_in_every_form_of_log() {
    for seed in 0..40 {
        let mut log = Log::new(seed);
        let (key, other) = (log.keys.id(), log.keys.id());
        let mut events = Vec::new();
        for _ in 0..60 {
            let signer = if log.keys.below(3) == 0 { &key } else { &other }.clone();
            let mut event = log.call("ada", &signer, "ListUsers");
            event["requestParameters"] = match log.keys.below(8) {
                0 => json!({"accessKeyId": key}),
                1 => json!({"policyDocument": format!("{{\n\"x\": \"{key}\"\n}}")}),
                2 => json!({"note": format!("\t{key}")}),
                3 => json!({"note": format!("{key}X")}),
                4 => json!({"note": format!("z{key}")}),
                5 => json!({key.clone(): 1}),
                6 => json!({"note": format!("é{key}é<{key}>")}),
                _ => Value::Null,
            };
            events.push(event);
        }
        let expected: BTreeSet<&str> = events
            .iter()
            .filter(|event| slow::holds(event, &key))
            .map(|event| event["eventID"].as_str().expect("an ID"))
            .collect();
        let dir = tempfile::tempdir().expect("a directory");
        archive::write(dir.path(), &events, &mut log.keys);
        // An organisation's trail has some of them again, and so has a page of another look-up.
        let again: Vec<Value> = events.iter().step_by(7).cloned().collect();
        std::fs::write(
            dir.path().join("organisation.json.gz"),
            gzip(&delivered(&again)),
        )
        .expect("a file");
        std::fs::write(dir.path().join("page2.json"), looked_up(&again)).expect("a file");
        let run = trail(dir.path(), &["find", &key, "."]).status(1);
        let found = relations(&run);
        let ids: BTreeSet<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(ids, expected, "seed {seed}");
        let out = run.out();
        let by_time: Vec<&str> = out.lines().filter_map(|line| line.get(9..29)).collect();
        assert!(by_time.is_sorted(), "{by_time:?}");
        for event in &events {
            let id = event["eventID"].as_str().expect("an ID");
            let is_by = event["userIdentity"]["accessKeyId"] == key.as_str();
            if let Some(relation) = found.get(id) {
                assert_eq!(relation, if is_by { "by" } else { "about" });
            }
        }
        assert_eq!(slow::canonical(&out), slow::find(dir.path(), &key));
        // What CloudTrail wrote is printed as it wrote it, and EventBridge's envelope is taken off.
        for (line, event) in out.lines().zip(slow::events(&out)) {
            let (sorted, written) = (event.to_string(), record(&event));
            assert!(
                line.ends_with(&format!(",\"event\":{written}}}"))
                    || line.ends_with(&format!(",\"event\":{sorted}}}")),
                "{line}"
            );
        }
        // The same bytes for any number of threads, and with an index.
        let one = trail(dir.path(), &["find", &key, ".", "--threads", "1"]).status(1);
        assert_eq!(one.out(), run.out());
        let index = tempfile::tempdir().expect("a directory");
        let index = index.path().join("index").display().to_string();
        trail(dir.path(), &["index", ".", "-o", &index]).status(0);
        let by_index = trail(dir.path(), &["find", &key, ".", "--index", &index]).status(1);
        assert_eq!(by_index.out(), run.out());
    }
}

#[test]
fn an_id_that_is_escaped_is_found_and_one_that_only_looks_so_is_not() {
    let mut log = Log::new(1);
    let key = log.keys.id();
    let event = log.call("ada", &key, "GetUser");
    let text = record(&event);
    let dir = tempfile::tempdir().expect("a directory");
    for (name, at) in [("first", 0), ("middle", 2), ("last", 19)] {
        let code = format!(
            "{}\\u{:04x}{}",
            &key[..at],
            key.as_bytes()[at],
            &key[at + 1..]
        );
        let path = dir.path().join(format!("{name}.jsonl"));
        std::fs::write(path, text.replace(&key, &code)).expect("a file");
        let found =
            relations(&trail(dir.path(), &["find", &key, &format!("{name}.jsonl")]).status(1));
        assert_eq!(found.len(), 1, "{name}");
    }
    let index = dir.path().join("x").display().to_string();
    trail(dir.path(), &["index", "first.jsonl", "-o", &index]).status(0);
    trail(
        dir.path(),
        &["find", &key, "first.jsonl", "--index", &index],
    )
    .status(1);
}

/// Plants an incident: the events, and the relation that each has to the key; none for a stranger's.
pub fn incident(seed: u64) -> (String, Vec<(Value, Option<&'static str>)>, Keys) {
    let mut log = Log::new(seed);
    let key = log.keys.id();
    let mut events: Vec<(Value, Option<&'static str>)> = Vec::new();
    let stranger = log.keys.id();
    // Credentials that descend: user and key, with the relation of what they do.
    let mut holders = vec![("ada".to_owned(), key.clone(), "by")];
    let mut made = 0;
    for _ in 0..40 {
        let (user, signer, relation) = holders[log.keys.below(holders.len())].clone();
        match log.keys.below(9) {
            0 if holders.len() < 8 => {
                let mut event = log.call(&user, &signer, "GetSessionToken");
                let child = log.keys.temporary_id();
                let token = log.keys.token(300);
                event["responseElements"] =
                    json!({"credentials": {"accessKeyId": child, "sessionToken": token}});
                events.push((event, Some(relation)));
                holders.push((user, child, "issued"));
            }
            1 if holders.len() < 8 => {
                let mut event = log.call(&user, &signer, "CreateAccessKey");
                let child = log.keys.id();
                event["requestParameters"] = json!({"userName": "other"});
                event["responseElements"] =
                    json!({"accessKey": {"accessKeyId": child, "userName": "other"}});
                events.push((event, Some(relation)));
                holders.push(("other".to_owned(), child, "made"));
            }
            2 => {
                // A refused call makes nothing.
                let mut event = log.call(&user, &signer, "CreateAccessKey");
                event["errorCode"] = json!("AccessDenied");
                let child = log.keys.id();
                event["responseElements"] = json!({"accessKey": {"accessKeyId": child}});
                events.push((event, Some(relation)));
                events.push((log.call("bob", &child, "ListUsers"), None));
            }
            3 => {
                made += 1;
                let name = format!("made-{seed}-{made}");
                let mut event = log.call(&user, &signer, "CreateUser");
                event["requestParameters"] = json!({"userName": name});
                events.push((event, Some(relation)));
                let mut event = log.sign_in(&name);
                if log.keys.below(2) == 0 {
                    // As some sign-ins are recorded: the user has a name and no ARN.
                    let identity = event["userIdentity"].as_object_mut();
                    identity.expect("an identity").remove("arn");
                }
                events.push((event, Some("login")));
                let session = log.keys.temporary_id();
                let mut event = log.call(&name, &session, "ListUsers");
                event["sessionCredentialFromConsole"] = json!("true");
                events.push((event, Some("made")));
            }
            4 => {
                // A service acts for the caller in the second of a call.
                let direct = log.call(&user, &signer, "CreateVolume");
                let time = direct["eventTime"].clone();
                events.push((direct, Some(relation)));
                let session = log.keys.temporary_id();
                let mut event = log.call(&user, &session, "Decrypt");
                event["userIdentity"]["invokedBy"] = json!("ec2.amazonaws.com");
                event["userIdentity"]["sessionContext"] =
                    json!({"attributes": {"creationDate": time, "mfaAuthenticated": "false"}});
                events.push((event, Some("on-behalf")));
            }
            5 => {
                // The owner of the account at the console: the same principal, with MFA.
                let session = log.keys.temporary_id();
                let time = log.now();
                let mut event = log.call("ada", &session, "Encrypt");
                event["sessionCredentialFromConsole"] = json!("true");
                event["userIdentity"]["sessionContext"] =
                    json!({"attributes": {"creationDate": time, "mfaAuthenticated": "true"}});
                events.push((event, Some("same-principal")));
            }
            6 => {
                let mut event = log.call("admin", &stranger, "UpdateAccessKey");
                event["requestParameters"] = json!({"accessKeyId": key, "status": "Inactive"});
                events.push((event, Some("about")));
            }
            7 => events.push((log.call("admin", &stranger, "ListUsers"), None)),
            _ => events.push((log.call(&user, &signer, "ListBuckets"), Some(relation))),
        }
        let pause = log.keys.below(50) as i64;
        log.wait(pause);
    }
    // The principal is the same only once the key itself was used.
    events.insert(0, (log.call("ada", &key, "GetCallerIdentity"), Some("by")));
    (key, events, log.keys)
}

fn planted_incidents_are_told_in_full(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let (key, mut events, mut keys) = incident(seed);
        let expected: BTreeMap<String, &str> = events
            .iter()
            .filter_map(|(event, relation)| {
                Some((event["eventID"].as_str()?.to_owned(), (*relation)?))
            })
            .collect();
        // Files come in any order, and so do the events in them.
        for at in (1..events.len()).rev() {
            let other = keys.below(at + 1);
            events.swap(at, other);
        }
        let events: Vec<Value> = events.into_iter().map(|(event, _)| event).collect();
        let dir = tempfile::tempdir().expect("a directory");
        archive::write(dir.path(), &events, &mut keys);
        let found = find_in(dir.path(), &[&key], 1);
        let relations: BTreeMap<String, &str> = found
            .events
            .iter()
            .map(|found| (found.event.id.clone(), found.relation.name()))
            .collect();
        assert_eq!(relations, expected, "seed {seed}");
        assert!(found.account.is_complete() && !found.is_bounded);
    }
}

#[test]
fn the_deeds_of_a_key_are_told_in_full_and_no_others() {
    planted_incidents_are_told_in_full(0..60);
}

#[test]
#[ignore = "takes a minute; run it with --ignored after a change of the lineage"]
fn the_deeds_of_a_key_are_told_in_full_for_a_thousand_seeds() {
    planted_incidents_are_told_in_full(1000..2000);
}

#[test]
fn hostile_chains_of_sessions_end() {
    let mut log = Log::new(3);
    let first = log.keys.id();
    let mut signer = first.clone();
    let mut events = Vec::new();
    for _ in 0..50 {
        let mut event = log.call("ada", &signer, "GetSessionToken");
        signer = log.keys.temporary_id();
        event["responseElements"] = json!({"credentials": {"accessKeyId": signer}});
        events.push(event);
    }
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("a.json"), delivered(&events)).expect("a file");
    let run = trail(dir.path(), &["find", &first, ".", "--lineage"]).status(2);
    assert!(
        run.err().contains("incomplete: more keys"),
        "{}",
        run.show()
    );
    assert_eq!(
        relations(&run)
            .values()
            .filter(|relation| *relation == "by")
            .count(),
        1
    );
}

#[test]
fn what_cannot_be_read_is_named_and_what_comes_before_is_told() {
    let mut log = Log::new(4);
    let key = log.keys.id();
    let events: Vec<Value> = (0..200)
        .map(|_| log.call("ada", &key, "ListUsers"))
        .collect();
    let whole = delivered(&events);
    let packed = gzip(&whole);
    let cut = |bytes: &[u8], of: usize| bytes[..bytes.len() * of / 10].to_vec();
    let mut wrong_sum = packed.clone();
    let at = wrong_sum.len() - 6;
    wrong_sum[at] ^= 1;
    let mut wrong_length = packed.clone();
    let at = wrong_length.len() - 4;
    wrong_length[at] ^= 0x40;
    for (name, bytes, has_events) in [
        ("cut.json", cut(&whole, 5), true),
        ("cut.json.gz", cut(&packed, 9), true),
        ("sum.json.gz", wrong_sum, true),
        ("length.json.gz", wrong_length, true),
        (
            "garbage.json.gz",
            [packed.as_slice(), b"garbage!"].concat(),
            true,
        ),
        (
            "deep.json",
            format!(
                "{{\"eventSource\":{}\"{key}\"{}}}",
                "[".repeat(500),
                "]".repeat(500)
            )
            .into_bytes(),
            false,
        ),
        (
            "odd.json",
            [&whole[..whole.len() - 2], b"}}}"].concat(),
            true,
        ),
        // Behind a record, so that only the list and the file have no end.
        ("between.json", whole[..whole.len() - 2].to_vec(), true),
        ("list.json", whole[..whole.len() - 1].to_vec(), true),
        (
            "huge.json.gz",
            [&packed[..packed.len() - 4], [0xff; 4].as_slice()].concat(),
            true,
        ),
        (
            "second.json.gz",
            [packed.as_slice(), &cut(&packed, 5)].concat(),
            true,
        ),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join(name), bytes).expect("a file");
        let run = trail(dir.path(), &["find", &key, "."]).status(2);
        assert!(
            run.err().contains(&format!("incomplete: ./{name}: ")),
            "{}",
            run.show()
        );
        assert_eq!(!relations(&run).is_empty(), has_events, "{}", run.show());
        let run = trail(dir.path(), &["find", &key, ".", "--lineage"]).status(2);
        assert!(
            run.err().contains(&format!("incomplete: ./{name}: ")),
            "{}",
            run.show()
        );
        // An index is made without parsing records.
        let is_indexed = name == "deep.json";
        let status = if is_indexed { 0 } else { 2 };
        let run = trail(dir.path(), &["index", ".", "-o", "x"]).status(status);
        assert!(run.err().contains(name) || is_indexed, "{}", run.show());
        // That a key is not found in what could be read says nothing, with and without the index.
        let other = log.keys.id();
        if !is_indexed {
            for args in [
                &["find", &other, "."][..],
                &["find", &other, ".", "--index", "x"],
            ] {
                let run = trail(dir.path(), args).status(2);
                assert!(
                    run.err().contains(&format!("incomplete: ./{name}: ")),
                    "{}",
                    run.show()
                );
                assert!(run.err().contains("unseen:"), "{}", run.show());
            }
        }
    }
    let dir = tempfile::tempdir().expect("a directory");
    let run = trail(dir.path(), &["find", &key, "missing"]).status(2);
    assert!(
        run.err().contains("incomplete: missing: "),
        "{}",
        run.show()
    );
    std::fs::write(dir.path().join("note.txt"), "no log").expect("a file");
    let run = trail(dir.path(), &["find", &key, "."]).status(2);
    assert!(run.err().contains("no CloudTrail log"), "{}", run.show());
    assert!(run.err().contains("1 other file\n"), "{}", run.show());
}

#[test]
fn a_bomb_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut log = Log::new(5);
    let key = log.keys.id();
    let event = record(&log.call("ada", &key, "ListUsers"));
    let mut text = event.into_bytes();
    text.push(b'\n');
    text.resize(300 << 20, b' ');
    std::fs::write(dir.path().join("bomb.json.gz"), gzip(&text)).expect("a file");
    let run = trail(dir.path(), &["find", &key, "."]).status(2);
    assert!(
        run.err().contains("inflates to more than"),
        "{}",
        run.show()
    );
    assert_eq!(relations(&run).len(), 1);
}

#[test]
fn nothing_found_says_what_was_looked_at() {
    let mut log = Log::new(6);
    let (key, other) = (log.keys.id(), log.keys.id());
    let events: Vec<Value> = (0..3)
        .map(|_| log.call("ada", &other, "ListUsers"))
        .collect();
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("a.json.gz"), gzip(&delivered(&events))).expect("a file");
    std::fs::write(
        dir.path().join("digest.json"),
        "{\"awsAccountId\":\"1\",\"digestStartTime\":\"x\"}",
    )
    .expect("a file");
    let run = trail(dir.path(), &["find", &key, "."]).status(0);
    assert_eq!(run.out(), "");
    let first = events[0]["eventTime"].as_str().expect("a time");
    let last = events[2]["eventTime"].as_str().expect("a time");
    let covered = format!(
        "covered:  account {}, us-east-1: {first} to {last}\n",
        log.account
    );
    assert!(run.err().contains(&covered), "{}", run.show());
    assert!(run.err().contains("no event of"), "{}", run.show());
    assert!(
        run.err().contains("1 digest file passed over"),
        "{}",
        run.show()
    );
    assert!(run.err().contains("unseen:"), "{}", run.show());
    let run = trail(dir.path(), &["find", "."]).status(2);
    assert!(
        run.err().starts_with("error: no access key ID"),
        "{}",
        run.show()
    );
}

#[test]
fn coverage_tells_days_kinds_and_what_was_stopped() {
    let mut log = Log::new(7);
    let key = log.keys.id();
    let mut events = vec![log.call("ada", &key, "ListUsers")];
    log.wait(3 * 86_400);
    events.push(log.call("ada", &key, "StopLogging"));
    let mut data = log.call("ada", &key, "GetObject");
    data["eventCategory"] = json!("Data");
    data["awsRegion"] = json!("eu-west-1");
    events.push(data);
    events.push(log.sign_in("ada"));
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("a.json.gz"), gzip(&delivered(&events))).expect("a file");
    let run = trail(dir.path(), &["coverage", ".", "--json"]).status(0);
    let json = run.json();
    assert_eq!(json["schema"], "keysieve-trail-coverage/1");
    let regions = json["regions"].as_array().expect("regions");
    assert_eq!(regions.len(), 2);
    assert_eq!(
        (&regions[0]["region"], &regions[0]["events"]),
        (&json!("eu-west-1"), &json!(1))
    );
    assert_eq!(regions[1]["gaps"].as_array().expect("gaps").len(), 1);
    assert_eq!(json["categories"], json!({"Data": 1, "Management": 3}));
    assert_eq!(json["changes"], json!({"StopLogging": 1}));
    assert_eq!(json["sign_ins"], 1);
    let run = trail(dir.path(), &["coverage", "."]).status(0);
    for words in [
        "no event from",
        "Insight events: none",
        "StopLogging: 1",
        "3 events on 2 days",
    ] {
        assert!(run.out().contains(words), "{words}: {}", run.show());
    }
}

#[test]
fn an_index_is_brought_up_to_date_merged_and_checked() {
    let mut log = Log::new(8);
    let key = log.keys.id();
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str, events: &[Value]| {
        let path = dir.path().join("logs").join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, gzip(&delivered(events))).expect("a file");
    };
    file("a.json.gz", &[log.call("ada", &key, "ListUsers")]);
    let run = trail(dir.path(), &["index", "logs", "-o", "one"]).status(0);
    assert!(
        run.err().contains("1 key in 1 file,") && run.err().contains("read:     1 log,"),
        "{}",
        run.show()
    );
    let other = log.keys.id();
    file("b.json.gz", &[log.call("bob", &other, "ListUsers")]);
    let run = trail(dir.path(), &["index", "logs", "-o", "one"]).status(0);
    assert!(
        run.err().contains("2 keys in 2 files") && run.err().contains("read:     1 log,"),
        "{}",
        run.show()
    );
    let run = trail(dir.path(), &["find", &key, "logs", "--index", "one"]).status(1);
    assert!(
        run.err().contains("1 more that the index rules out"),
        "{}",
        run.show()
    );
    // Of an unchanged file nothing is read; a new time or path is a change.
    let again = |logs: &str| {
        let run = trail(dir.path(), &["index", logs, "-o", "again"]).status(0);
        let read = run.err().split("read:").nth(1).expect("a line").to_owned();
        read.trim().split(' ').next().expect("a number").to_owned()
    };
    assert_eq!([again("logs"), again("logs")], ["2", "0"]);
    let a = std::fs::File::options()
        .append(true)
        .open(dir.path().join("logs/a.json.gz"));
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    a.expect("a file").set_modified(time).expect("a time");
    assert_eq!([again("logs"), again("logs")], ["1", "0"]);
    std::fs::rename(
        dir.path().join("logs/b.json.gz"),
        dir.path().join("logs/c.json.gz"),
    )
    .expect("renamed");
    assert_eq!([again("logs"), again("logs")], ["1", "0"]);
    std::fs::rename(
        dir.path().join("logs/c.json.gz"),
        dir.path().join("logs/b.json.gz"),
    )
    .expect("renamed");
    trail(dir.path(), &["index", "logs", "-o", "one"]).status(0);
    // Whatever is joined, in any order, gives the same file.
    trail(dir.path(), &["index", "logs/a.json.gz", "-o", "a"]).status(0);
    trail(dir.path(), &["index", "logs/b.json.gz", "-o", "b"]).status(0);
    trail(dir.path(), &["merge", "a", "b", "-o", "ab"]).status(0);
    trail(dir.path(), &["merge", "b", "a", "ab", "-o", "ba"]).status(0);
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("an index");
    assert_eq!(read("ab"), read("ba"));
    assert_eq!(read("ab"), read("one"));
    let mut damaged = read("one");
    damaged[40] ^= 1;
    std::fs::write(dir.path().join("one"), damaged).expect("a file");
    let run = trail(dir.path(), &["find", &key, "logs", "--index", "one"]).status(2);
    assert!(run.err().contains("damaged trail index"), "{}", run.show());
    assert_eq!(run.out(), "");
}

#[test]
fn no_token_and_no_control_character_is_printed() {
    let mut log = Log::new(9);
    let key = log.keys.id();
    let mut event = log.call("ada", &key, "GetSessionToken");
    let (child, token, secret) = (
        log.keys.temporary_id(),
        log.keys.token(400),
        log.keys.secret(),
    );
    event["userAgent"] = json!("\u{1b}[31mred\u{9b}2J\u{202e}");
    event["requestParameters"] =
        json!({"environment": format!("AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}")});
    event["responseElements"] =
        json!({"credentials": {"accessKeyId": child, "sessionToken": token}});
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(
        dir.path().join("a.json"),
        delivered(std::slice::from_ref(&event)),
    )
    .expect("a file");
    std::fs::write(dir.path().join("b.json"), looked_up(&[event])).expect("a file");
    for name in ["a.json", "b.json"] {
        let run = trail(dir.path(), &["find", &key, name]).status(1);
        assert!(!run.out().contains(&token[20..60]), "{}", run.show());
        assert!(!run.out().contains(&secret[..20]), "{}", run.show());
        let out = run.out();
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 1);
        assert!(
            !lines[0].contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{}",
            run.show()
        );
        let line: Value = serde_json::from_str(lines[0]).expect("JSON");
        assert_eq!(line["event"]["userAgent"], "\u{1b}[31mred\u{9b}2J\u{202e}");
        assert_eq!(
            line["event"]["responseElements"]["credentials"]["sessionToken"],
            "[redacted]"
        );
    }
}

/// `cat` makes files of several members, whose end says the length of the last one only.
#[test]
fn members_of_equal_length_are_all_read() {
    let mut log = Log::new(11);
    let key = log.keys.id();
    let calls = [(); 2].map(|()| log.call("ada", &key, "ListUsers"));
    let [a, b] = calls
        .each_ref()
        .map(|call| delivered(std::slice::from_ref(call)));
    assert_eq!(a.len(), b.len());
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("a.json.gz");
    std::fs::write(&file, [gzip(&a), gzip(&b)].concat()).expect("a file");
    assert_eq!(
        relations(&trail(dir.path(), &["find", &key, "."]).status(1)).len(),
        2
    );
    // The bytes that begin a member, stored inside one.
    let mut odd = calls[0].clone();
    odd["userAgent"] = json!("\u{1f}\u{8b}\u{8}");
    let text = record(&odd).replace("\\u001f", "\u{1f}");
    let mut stored = flate2::GzBuilder::new()
        .filename("x\u{1f}")
        .write(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut stored, text.replace('\u{1f}', "").as_bytes()).expect("written");
    std::fs::write(&file, stored.finish().expect("written")).expect("a file");
    assert_eq!(
        relations(&trail(dir.path(), &["find", &key, "."]).status(1)).len(),
        1
    );
}

/// Real logs: `KEYSIEVE_TRAIL_LOGS` names a folder of them.
#[test]
#[ignore = "needs logs"]
fn real_logs_give_the_answers_of_parsing_everything() {
    let logs = PathBuf::from(
        std::env::var_os("KEYSIEVE_TRAIL_LOGS").expect("KEYSIEVE_TRAIL_LOGS names a folder"),
    );
    let keys = slow::keys(&logs, 40);
    assert!(!keys.is_empty(), "no key in {}", logs.display());
    for key in keys {
        let run = trail(&logs, &["find", &key, "."]).status(1);
        let (found, expected) = (slow::canonical(&run.out()), slow::find(&logs, &key));
        assert_eq!(found.len(), expected.len(), "{key}");
        for (line, whole) in found.iter().zip(&expected) {
            // What looks like a secret is cut out wherever it is: the parts beside it are those of the record.
            let mut rest = whole.as_str();
            for (number, part) in line.split("[secret]").enumerate() {
                let at = rest.find(part).filter(|at| number > 0 || *at == 0);
                let at = at.unwrap_or_else(|| panic!("{key}: {line}\n{whole}"));
                rest = &rest[at + part.len()..];
            }
            assert_eq!(rest, "", "{key}: {line}\n{whole}");
        }
    }
}

/// Long files are cut into records as they arrive.
#[test]
fn a_long_file_gives_the_same_events() {
    let mut log = Log::new(10);
    let (key, other) = (log.keys.id(), log.keys.id());
    let mut events: Vec<Value> = (0..2000)
        .map(|_| log.call("ada", &other, "ListUsers"))
        .collect();
    for at in (0..2000).step_by(199) {
        events[at]["requestParameters"] = json!({"accessKeyId": key});
    }
    let filler = json!("x".repeat(20_000));
    for event in &mut events {
        event["requestParameters"]["filler"] = filler.clone();
    }
    let dir = tempfile::tempdir().expect("a directory");
    let whole = delivered(&events);
    assert!(whole.len() > trail::MAX_INFLATED);
    std::fs::write(dir.path().join("a.json"), &whole).expect("a file");
    std::fs::write(dir.path().join("b.json.gz"), gzip(&whole)).expect("a file");
    let all: PathBuf = dir.path().to_owned();
    let a = relations(&trail(&all, &["find", &key, "a.json"]).status(1));
    let b = relations(&trail(&all, &["find", &key, "b.json.gz"]).status(1));
    assert_eq!(a.len(), 11);
    assert_eq!(a, b);
    let run = trail(&all, &["coverage", "b.json.gz", "--json"]).status(0);
    assert_eq!(run.json()["regions"][0]["events"], 2000);
}
