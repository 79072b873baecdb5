//! Reports held against published schemas, and read with parsers that are not ours.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::{Keys, Schema, TestRepo};

fn pair(seed: u64) -> String {
    let mut keys = Keys::new(seed);
    let (id, secret) = (keys.id(), keys.secret());
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

/// Names, messages and reasons that break out of something if they are not escaped.
const HOSTILE: &[&str] = &[
    "a b#c?d%41.env",
    "[x](y)\\{0}.env",
    "]]><testcase name='forged'>&amp;.env",
    "::error file=x::%0A.env",
    "\u{1}\u{7f}\u{202e}\n\"caf\u{e9}\".env",
    "=cmd|' /C calc'!A0",
];

/// Repositories of several shapes, each with the arguments of a scan.
fn samples() -> Vec<(&'static str, TestRepo, Vec<&'static str>)> {
    let empty = TestRepo::new();
    empty.commit_file("a.txt", "nothing\n", "first");

    let busy = TestRepo::new();
    for seed in 0..25 {
        busy.stage(&format!("deploy/{seed}/.env"), pair(seed));
    }
    busy.stage("copy.env", pair(3));
    busy.commit("many");
    let mut keys = Keys::new(99);
    busy.commit_file(
        "ids.txt",
        format!("{}\n{}\n", keys.id(), keys.temporary_id()),
        "ids alone",
    );
    busy.commit_file("deploy/1/.env", "gone\n", "taken out");

    let hostile = TestRepo::new();
    for (at, name) in HOSTILE.iter().enumerate() {
        let line = pair(200 + at as u64).replace('\n', " ");
        let path = format!("d{at}/{name}");
        hostile.stage(&path, format!("{line}\n{line} # keysieve:allow {name:?}\n"));
        hostile.commit(name);
    }
    hostile.git(&["branch", "x]]>&<y"]);
    let other = pair(300).replace('\n', " ");
    hostile.commit_file(
        "allowed.env",
        format!("{} # keysieve:allow <b>&\"'\n", other.trim_end()),
        "x",
    );

    let broken = TestRepo::new();
    broken.commit_file("a.env", pair(400), "first");
    broken.commit_file("<big>&.env", "x".repeat(5000), "second");

    vec![
        ("empty, tree", empty, vec!["scan", "."]),
        ("busy, history", busy, vec!["history"]),
        ("hostile, history", hostile, vec!["history", "--show-notes"]),
        (
            "incomplete, tree",
            broken,
            vec!["scan", ".", "nowhere<&\u{1}", "--max-file-size", "1K"],
        ),
    ]
}

/// Reports of one scan in every format that is checked here.
struct Sample {
    name: String,
    /// Findings that count, or would if they were heavier.
    open: usize,
    reports: Vec<(&'static str, Vec<u8>)>,
}

const FORMATS: &[&str] = &["json", "sarif", "junit", "gitlab"];

/// Every sample in a format, with the number of findings that are not accepted. Scanned once for all tests.
fn reports(format: &str) -> Vec<(&'static str, &'static [u8], usize)> {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    let mut reports = Vec::new();
    for sample in SAMPLES.get_or_init(scanned) {
        let mut of_format = sample.reports.iter().filter(|(name, _)| *name == format);
        let (_, report) = of_format.next().expect("a report of that format");
        reports.push((sample.name.as_str(), report.as_slice(), sample.open));
    }
    reports
}

fn scanned() -> Vec<Sample> {
    let mut all = Vec::new();
    for (name, repo, args) in samples() {
        all.push(scan(name.to_owned(), &repo, &args));
        let noted = [&args[..], &["--fail-on", "note"]].concat();
        all.push(scan(format!("{name}, notes fail"), &repo, &noted));
        let write = ["baseline", "write", "--reason", "<&]]>\\[x]"];
        let write = repo.keysieve(&write).args(["--allow-incomplete", "size"]);
        write.status(0);
        all.push(scan(format!("{name}, with a baseline"), &repo, &args));
    }
    all
}

fn scan(name: String, repo: &TestRepo, args: &[&str]) -> Sample {
    let dir = tempfile::tempdir().expect("a directory");
    let mut command = repo.keysieve(args).arg("--quiet");
    for format in FORMATS {
        let file = dir.path().join(format);
        command = command.args(["--report", &format!("{format}={}", file.display())]);
    }
    let run = command.run();
    let read = |format: &&'static str| {
        let report = std::fs::read(dir.path().join(format));
        (*format, report.unwrap_or_else(|_| panic!("{}", run.show())))
    };
    let reports: Vec<(&str, Vec<u8>)> = FORMATS.iter().map(read).collect();
    let json: Value = serde_json::from_slice(&reports[0].1).expect("JSON");
    let findings = json["findings"].as_array().expect("findings").iter();
    Sample {
        open: findings.filter(|it| it["accepted"].is_null()).count(),
        name,
        reports,
    }
}

#[track_caller]
fn holds(schema: &Value, name: &str, report: &[u8]) -> Value {
    let report: Value =
        serde_json::from_slice(report).unwrap_or_else(|error| panic!("{name}: {error}"));
    let faults = Schema::new(schema).faults(&report);
    assert!(faults.is_empty(), "{name}: {faults:#?}");
    report
}

/// A schema that takes an empty object shows nothing.
#[track_caller]
fn refuses_an_empty_object(schema: &Value) {
    assert!(!Schema::new(schema).faults(&json!({})).is_empty());
}

/// The published schema, and what errata 01 adds to it: a region says where it begins.
fn sarif_schema() -> Value {
    let text = include_str!("sarif-2.1.0-rtm.5.json");
    let mut schema: Value = serde_json::from_str(text).expect("JSON");
    let region = &mut schema["definitions"]["region"];
    assert!(region["properties"]["startLine"].is_object());
    region["anyOf"] = json!([
        { "required": ["startLine"] },
        { "required": ["charOffset"] },
        { "required": ["byteOffset"] },
    ]);
    schema
}

#[test]
fn sarif_is_valid_by_the_published_schema() {
    let schema = sarif_schema();
    for (name, report, count) in reports("sarif") {
        let report = holds(&schema, name, report);
        let runs = report["runs"].as_array().expect("runs");
        assert_eq!(runs.len(), 1, "{name}");
        let results = runs[0]["results"].as_array().expect("results");
        let is_open = |result: &&Value| result["suppressions"] == json!([]);
        assert_eq!(results.iter().filter(is_open).count(), count, "{name}");
        for result in results {
            for key in ["keysieve/v1", "primaryLocationLineHash"] {
                assert!(result["partialFingerprints"][key].is_string(), "{name}");
            }
            let index = result["ruleIndex"].as_u64().expect("the index of the rule");
            let rules = &runs[0]["tool"]["driver"]["rules"];
            assert_eq!(rules[index as usize]["id"], result["ruleId"], "{name}");
        }
    }
}

#[test]
fn the_schema_of_sarif_refuses_what_is_wrong() {
    let schema = sarif_schema();
    refuses_an_empty_object(&schema);
    let log = |uri: &str, region: Value, level: &str| {
        let place = json!({ "artifactLocation": { "uri": uri }, "region": region });
        json!({ "version": "2.1.0", "runs": [{
            "tool": { "driver": { "name": "x" } },
            "results": [{
                "message": { "text": "x" },
                "level": level,
                "locations": [{ "physicalLocation": place }],
            }],
        }] })
    };
    let faults = |log: &Value| Schema::new(&schema).faults(log).len();
    let good = log("a%20b", json!({ "startLine": 1 }), "error");
    assert_eq!(faults(&good), 0);
    assert_eq!(faults(&log("a b", json!({ "startLine": 1 }), "error")), 1);
    assert_eq!(faults(&log("a%2", json!({ "startLine": 1 }), "error")), 1);
    assert_eq!(faults(&log("a", json!({}), "error")), 1);
    assert_eq!(faults(&log("a", json!({ "startLine": 0 }), "error")), 1);
    assert_eq!(faults(&log("a", json!({ "startLine": "1" }), "error")), 1);
    assert_eq!(faults(&log("a", json!({ "startLine": 1 }), "fatal")), 1);
    let mut odd = good;
    odd["runs"][0]["odd"] = json!(1);
    assert_eq!(faults(&odd), 1);
}

#[test]
fn json_is_valid_by_the_schema_of_the_documentation() {
    let schema = include_str!("../../docs/keysieve-report-1.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    refuses_an_empty_object(&schema);
    for (name, report, _) in reports("json") {
        holds(&schema, name, report);
    }
}

#[test]
fn gitlab_finds_what_its_schema_requires() {
    let schema = gitlab_schema();
    refuses_an_empty_object(&schema);
    for (name, report, count) in reports("gitlab") {
        let report = holds(&schema, name, report);
        let found = report["vulnerabilities"].as_array().expect("a list");
        assert_eq!(found.len(), count, "{name}");
        let mut ids: Vec<&str> = found.iter().filter_map(|it| it["id"].as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{name}: ids are unique");
    }
}

/// Returns the requirements of version 15 of GitLab's secret-detection schema, for the fields that are written.
fn gitlab_schema() -> Value {
    let time = json!({ "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$" });
    let program = json!({
        "type": "object",
        "required": ["id", "name", "version", "vendor"],
        "properties": {
            "id": { "type": "string", "minLength": 1 },
            "name": { "type": "string", "minLength": 1 },
            "version": { "type": "string", "minLength": 1 },
            "vendor": {
                "type": "object",
                "required": ["name"],
                "properties": { "name": { "type": "string", "minLength": 1 } },
            },
        },
    });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "required": ["scan", "version", "vulnerabilities"],
        "additionalProperties": false,
        "properties": {
            "version": { "type": "string", "pattern": r"^15\.\d+\.\d+$" },
            "scan": {
                "type": "object",
                "required": ["analyzer", "end_time", "scanner", "start_time", "status", "type"],
                "properties": {
                    "analyzer": program,
                    "scanner": program,
                    "start_time": time,
                    "end_time": time,
                    "status": { "enum": ["success", "failure"] },
                    "type": { "enum": ["secret_detection"] },
                    "messages": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["level", "value"],
                            "properties": {
                                "level": { "enum": ["info", "warn", "fatal"] },
                                "value": { "type": "string", "minLength": 1 },
                            },
                        },
                    },
                },
            },
            "vulnerabilities": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "identifiers", "location"],
                    "properties": {
                        "id": { "type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" },
                        "name": { "type": "string", "maxLength": 255 },
                        "description": { "type": "string", "maxLength": 1048576 },
                        "severity": { "enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"] },
                        "solution": { "type": "string", "maxLength": 7000 },
                        "identifiers": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "type": "object",
                                "required": ["type", "name", "value"],
                                "properties": {
                                    "type": { "type": "string", "minLength": 1 },
                                    "name": { "type": "string", "minLength": 1 },
                                    "value": { "type": "string", "minLength": 1 },
                                },
                            },
                        },
                        "location": {
                            "type": "object",
                            "required": ["commit"],
                            "properties": {
                                "file": { "type": "string", "minLength": 1 },
                                "start_line": { "type": "integer", "minimum": 1 },
                                "end_line": { "type": "integer", "minimum": 1 },
                                "commit": {
                                    "type": "object",
                                    "required": ["sha"],
                                    "properties": {
                                        "sha": { "type": "string", "pattern": "^[0-9a-f]{7,}$" },
                                        "date": { "type": "string" },
                                    },
                                },
                            },
                        },
                    },
                },
            },
        },
    })
}

#[test]
fn junit_is_read_by_a_parser_of_its_own_and_its_numbers_add_up() {
    for (name, report, count) in reports("junit") {
        let text = std::str::from_utf8(report).expect("UTF-8");
        let document = roxmltree::Document::parse(text)
            .unwrap_or_else(|error| panic!("{name}: {error}\n{text}"));
        let root = document.root_element();
        assert!(root.has_tag_name("testsuites"), "{name}");
        let mut failed = 0;
        for suite in root.children().filter(roxmltree::Node::is_element) {
            assert!(suite.has_tag_name("testsuite"), "{name}");
            assert!(suite.attribute("name").is_some(), "{name}");
            let cases: Vec<_> = suite
                .children()
                .filter(|node| node.has_tag_name("testcase"))
                .collect();
            let with = |tag: &str| {
                let has = |case: &&roxmltree::Node<'_, '_>| {
                    case.children().any(|node| node.has_tag_name(tag))
                };
                cases.iter().filter(has).count()
            };
            for (attribute, number) in [
                ("tests", cases.len()),
                ("failures", with("failure")),
                ("errors", with("error")),
                ("skipped", with("skipped")),
            ] {
                let said = suite.attribute(attribute).map(str::parse);
                assert_eq!(said, Some(Ok(number)), "{name}: {attribute}\n{text}");
            }
            for case in &cases {
                for attribute in ["name", "classname"] {
                    let value = case.attribute(attribute).unwrap_or_default();
                    assert!(!value.is_empty(), "{name}: {attribute}\n{text}");
                }
            }
            failed += with("failure");
        }
        assert!(failed <= count, "{name}: {failed} of {count}\n{text}");
        if name.contains("notes fail") {
            assert_eq!(failed, count, "{name}\n{text}");
        }
        let is_incomplete = name.starts_with("incomplete");
        let errors = document
            .descendants()
            .filter(|node| node.has_tag_name("error"));
        assert_eq!(errors.count() > 0, is_incomplete, "{name}\n{text}");
    }
}
