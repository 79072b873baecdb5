//! Files among the evidence that inflate to far more than they are.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::folder::Folder;
use super::only;
use crate::support::TestCommand;

const MIB: usize = 1 << 20;

/// `start`, `piece` over and over up to so many bytes, and `end`, packed.
fn packed(start: &str, piece: &str, bytes: usize, end: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(start.as_bytes()).expect("packed");
    let block = piece.repeat(MIB / piece.len());
    for _ in 0..bytes / MIB {
        encoder.write_all(block.as_bytes()).expect("packed");
    }
    encoder.write_all(end.as_bytes()).expect("packed");
    encoder.finish().expect("packed")
}

/// Name, bytes, and words of the reason.
fn bombs(key: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let event = json!({"eventTime": "2026-11-30T12:40:00Z", "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets",
        "eventID": "e", "userIdentity": {"accessKeyId": key}});
    let end = format!("{event}]}}");
    let (event, end, blanks) = (
        format!("{event},"),
        end.as_str(),
        packed("", " ", 8 * MIB, ""),
    );
    let summary = "{\"SummaryMap\":";
    let costs = "line_item_usage_start_date,line_item_unblended_cost,line_item_product_code\n";
    let row = "2026-11-28,1.5,AmazonEC2\n";
    let members = [packed(summary, " ", 0, ""), blanks.repeat(10)].concat();
    let mut nested = packed(summary, " ", 100 * MIB, "");
    for _ in 0..2 {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&nested).expect("packed");
        nested = encoder.finish().expect("packed");
    }
    vec![
        (
            "blanks.json",
            packed(summary, " ", 100 * MIB, ""),
            "is longer than",
        ),
        // Each number takes sixteen times as much memory as text.
        (
            "numbers.json",
            packed("{\"SummaryMap\":[", "0,", 64 * MIB, "0]}"),
            "is longer than",
        ),
        ("members.json.gz", members, "is longer than"),
        ("nested.gz", nested, "no export of AWS"),
        (
            "costs.csv.gz",
            packed(costs, row, 70 * MIB, ""),
            "far more than its length",
        ),
        (
            "events.json.gz",
            packed("{\"Records\":[", &event, 30 * MIB, end),
            "far more events",
        ),
        (
            "many-events.json.gz",
            packed("{\"Records\":[", &event, 64 * MIB, end),
            "far more events",
        ),
    ]
}

#[test]
fn a_bomb_is_named_and_the_rest_is_read_in_bounded_time_and_memory() {
    let folder = Folder::abused();
    let bombs = bombs(&folder.key);
    for (name, bytes, _) in &bombs {
        assert!(bytes.len() < 6 * MIB, "{name}: {}", bytes.len());
        folder.file(name, bytes);
    }
    // Half a gigabyte of addresses, and a minute of CPU for a program that is not optimised.
    let limits = [
        "sh",
        "-c",
        "ulimit -v 524288; ulimit -t 60; exec \"$@\"",
        "sh",
    ];
    let limited = |args: &[&str]| {
        TestCommand::keysieve_under(&limits, folder.path("."))
            .args(args)
            .run()
    };
    let evidence = ["--evidence", "evidence", "--threads=2"];
    let run = limited(&[&["triage", "report.json", "--format=json"], &evidence[..]].concat());
    assert_eq!(run.status, 2, "{}", run.show());
    let case = run.json();
    let unread = case["unread"].as_array().expect("a list");
    assert_eq!(unread.len(), bombs.len(), "{unread:#?}");
    for (name, _, why) in &bombs {
        let path = format!("evidence/{name}");
        let said = unread.iter().find(|it| it["path"] == path);
        let said = said.unwrap_or_else(|| panic!("{name}: {unread:#?}"));
        assert!(said["why"].as_str().expect("words").contains(why), "{said}");
        assert!(run.err().contains(&path), "{}", run.show());
    }
    // What lies beside them is read.
    let key = only(&case);
    assert_eq!(key["owner"]["name"], "deploy");
    assert_eq!(key["status"]["value"], "active");
    assert_eq!(key["first_write_after"]["event_name"], "CreateUser");
    for name in [
        "blanks.json",
        "numbers.json",
        "members.json.gz",
        "nested.gz",
    ] {
        let run = limited(&[
            "root",
            "evidence/credentials.csv",
            &format!("evidence/{name}"),
        ]);
        assert_eq!(run.status, 2, "{}", run.show());
        assert!(
            run.err().contains(name) && run.out().contains("1 account"),
            "{}",
            run.show()
        );
    }
}
