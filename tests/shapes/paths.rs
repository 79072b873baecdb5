//! The same cases through every path: small and mapped files, standard input, the index, history.
//!
//! Many cases go into one run, each in a file of its own or far from the next in a long text.

use serde_json::Value;

use super::template::{Filled, Part, Row};
use super::variant::{self, Case};
use super::{SEED, Wrong, shapes};
use crate::support::command::Run;
use crate::support::{Keys, TestCommand, TestRepo};

/// Text between two cases of one blob: more than the halves of a pair may be apart, in bytes and in lines.
const APART: usize = 24 << 10;

/// One place in a report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TraceEvent {
    /// Level, rule, values and offsets.
    row: Row,
    /// Lines and columns of id, secret and token.
    positions: [Option<(usize, usize)>; 3],
}

/// The cases of one run, by path.
struct Batch {
    cases: Vec<(String, Vec<TraceEvent>, String)>,
}

impl Batch {
    /// One file for each case.
    fn of(cases: &[Case]) -> Self {
        let file = |(at, case): (usize, &Case)| {
            let sights = sights(&case.shape.rows(&case.filled), &case.filled);
            (format!("dir{}/{at}.txt", at % 7), sights, case.name.clone())
        };
        Self {
            cases: cases.iter().enumerate().map(file).collect(),
        }
    }

    /// Compares with the report of a run.
    fn check(&self, run: &Run) {
        let mut wrong = Wrong::default();
        let mut reported = reported(&run.json());
        for (path, expected, name) in &self.cases {
            let mut found: Vec<TraceEvent> = Vec::new();
            reported.retain(|(at, sight)| {
                let is_here = at == path;
                if is_here {
                    found.push(sight.clone());
                }
                !is_here
            });
            let mut expected = expected.clone();
            expected.sort();
            found.sort();
            wrong.cases += 1;
            if expected != found {
                let message = format!("{name}\n  expected {expected:#?}\n  found {found:#?}");
                wrong.messages.push(message);
            }
        }
        if !reported.is_empty() {
            wrong
                .messages
                .push(format!("more than expected: {reported:#?}"));
        }
        assert_eq!(run.status, 1, "{}", run.show());
        wrong.none(self.cases.len());
    }
}

/// Returns the places of a text that a report must have.
fn sights(rows: &[Row], filled: &Filled) -> Vec<TraceEvent> {
    let sight = |row: &Row| TraceEvent {
        positions: row.parts.each_ref().map(|part| {
            let (_, span) = part.as_ref()?;
            span.map(|(start, _)| filled.position(start))
        }),
        row: Row {
            context: String::new(),
            ..row.clone()
        },
    };
    rows.iter().map(sight).collect()
}

/// Every place of a JSON report.
fn reported(report: &Value) -> Vec<(String, TraceEvent)> {
    let mut sights = Vec::new();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for finding in report["findings"].as_array().expect("a list") {
        let secret = text(&finding["secret_key"]).or_else(|| text(&finding["secret"]));
        let values = [
            text(&finding["key_id"]),
            secret,
            text(&finding["session_token"]),
        ];
        for place in finding["places"].as_array().expect("a list") {
            let path = text(&place["path"]).expect("a path");
            let prefixes = ["key_id_", "secret_", "token_"];
            let number = |prefix: &str, name: &str| {
                place[format!("{prefix}{name}")]
                    .as_u64()
                    .map(|number| number as usize)
            };
            let position =
                |prefix: &str| Some((number(prefix, "line")?, number(prefix, "column")?));
            let part = |at: usize| -> Part {
                let prefix: &str = prefixes[at];
                let span = number(prefix, "offset").zip(number(prefix, "length"));
                let value = values[at].clone()?;
                Some((
                    value,
                    span.map(|(offset, length)| (offset, offset + length)),
                ))
            };
            let sight = TraceEvent {
                row: Row {
                    level: text(&finding["level"]).expect("a level"),
                    rule: text(&finding["rule"]).expect("a rule"),
                    parts: [part(0), part(1), part(2)],
                    context: String::new(),
                },
                positions: prefixes.map(position),
            };
            sights.push((path, sight));
        }
    }
    sights
}

const REPORT: [&str; 4] = ["--format=json", "--show-secrets", "--show-notes", "--quiet"];

/// The cases that do not look at other files, in the variants that a path could treat differently.
fn cases() -> Vec<Case> {
    let keys = &mut Keys::new(SEED + 1);
    super::cases(keys)
        .into_iter()
        .filter(|case| !case.shape.is_lone && case.filled.bytes.len() < 6000)
        .collect()
}

/// The plain form of every shape that is no UTF-16.
fn plain_cases() -> Vec<Case> {
    let keys = &mut Keys::new(SEED + 2);
    shapes()
        .iter()
        .filter(|shape| !shape.is_lone && !shape.is_wide)
        .map(|shape| variant::of(shape, keys).swap_remove(0))
        .collect()
}

/// All cases in one long text, far from one another.
fn long_text(cases: &[Case]) -> (Filled, Vec<TraceEvent>) {
    let keys = &mut Keys::new(SEED + 3);
    let mut text = Filled::default();
    let mut expected = Vec::new();
    for case in cases {
        text.bytes.extend(variant::padding(APART, keys));
        // The slots of one case only, so that its rows find their own.
        let mut here = Filled {
            bytes: text.bytes.clone(),
            marks: Vec::new(),
        };
        here.append(&case.filled);
        expected.extend(sights(&case.shape.rows(&here), &here));
        text.append(&case.filled);
    }
    text.bytes.extend(variant::padding(APART, keys));
    (text, expected)
}

#[test]
fn in_small_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let cases = cases();
    let batch = Batch::of(&cases);
    for (case, (path, ..)) in cases.iter().zip(&batch.cases) {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, &case.filled.bytes).expect("a file");
    }
    let run = TestCommand::keysieve(dir.path())
        .arg("scan")
        .args(REPORT)
        .run();
    batch.check(&run);
}

#[test]
fn in_mapped_files_and_on_standard_input() {
    let dir = tempfile::tempdir().expect("a directory");
    let cases = plain_cases();
    let half = cases.len() / 2;
    let mut batch = Batch { cases: Vec::new() };
    for (name, cases) in [("one.txt", &cases[..half]), ("two.txt", &cases[half..])] {
        let (text, expected) = long_text(cases);
        assert!(
            text.bytes.len() > 1 << 20,
            "{} is not mapped",
            text.bytes.len()
        );
        std::fs::write(dir.path().join(name), &text.bytes).expect("a file");
        let run = TestCommand::keysieve(dir.path())
            .args(["scan", "--path=in", "-"])
            .args(REPORT)
            .stdin(text.bytes)
            .run();
        let alone = Batch {
            cases: vec![(
                "in".to_owned(),
                expected.clone(),
                format!("standard input, {name}"),
            )],
        };
        alone.check(&run);
        batch
            .cases
            .push((name.to_owned(), expected, name.to_owned()));
    }
    let run = TestCommand::keysieve(dir.path())
        .arg("scan")
        .args(REPORT)
        .run();
    batch.check(&run);
}

#[test]
fn in_a_mapped_file_of_utf_16() {
    let dir = tempfile::tempdir().expect("a directory");
    let keys = &mut Keys::new(SEED + 4);
    let mut batch = Batch { cases: Vec::new() };
    for shape in shapes().iter().filter(|shape| shape.is_wide) {
        for is_big in [false, true] {
            let plain = shape.fill(keys);
            let padding = variant::padding(600 << 10, keys);
            let mark: &[u8] = if is_big { b"\xfe\xff" } else { b"\xff\xfe" };
            let text = plain
                .between(&padding, &padding)
                .wide(is_big)
                .between(mark, b"");
            let name = format!("{}.txt", batch.cases.len());
            std::fs::write(dir.path().join(&name), &text.bytes).expect("a file");
            let expected = sights(&shape.rows(&text), &text);
            batch
                .cases
                .push((name, expected, format!("{} big {is_big}", shape.title)));
        }
    }
    let run = TestCommand::keysieve(dir.path())
        .arg("scan")
        .args(REPORT)
        .run();
    batch.check(&run);
}

#[test]
fn in_the_index_and_in_history() {
    let repo = TestRepo::new();
    let cases = cases();
    let batch = Batch::of(&cases);
    for (case, (path, ..)) in cases.iter().zip(&batch.cases) {
        repo.write(path, &case.filled.bytes);
    }
    repo.git(&["add", "--force", "."]);
    // What is staged counts, not what lies in the work tree.
    for name in 0..7 {
        std::fs::remove_dir_all(repo.join(format!("dir{name}"))).expect("a directory");
    }
    let run = repo.keysieve(&["staged"]).args(REPORT).run();
    batch.check(&run);
    repo.commit("all of it");
    repo.git(&["rm", "-r", "--quiet", "."]);
    repo.commit("nothing of it");
    let run = repo.keysieve(&["history"]).args(REPORT).run();
    batch.check(&run);
}

#[test]
fn halves_alone_in_every_path() {
    let keys = &mut Keys::new(SEED + 5);
    for shape in shapes().iter().filter(|shape| shape.is_lone) {
        let case = variant::of(shape, keys).swap_remove(0);
        let expected = sights(&shape.rows(&case.filled), &case.filled);
        let repo = TestRepo::new();
        repo.stage("one.txt", &case.filled.bytes);
        let check = |args: &[&str], path: &str| {
            let command = repo
                .keysieve(args)
                .args(REPORT)
                .stdin(case.filled.bytes.clone());
            let run = command.run();
            let mut found: Vec<_> = reported(&run.json());
            found.sort();
            let expected: Vec<_> = expected
                .iter()
                .map(|sight| (path.to_owned(), sight.clone()))
                .collect();
            assert_eq!(found, expected, "{} {args:?}\n{}", case.name, run.show());
            let fails = expected.iter().any(|(_, sight)| sight.row.level == "error");
            assert_eq!(run.status, i32::from(fails), "{}", run.show());
        };
        check(&["scan"], "one.txt");
        check(&["scan", "--path=in", "-"], "in");
        check(&["staged"], "one.txt");
        repo.commit("one half");
        check(&["history"], "one.txt");
    }
}

/// 2.99: a pair over two files is one finding for each half, and each names the place of the other one. The
/// surroundings of the secret name AWS: a `secret_key` alone would be anybody's.
#[test]
fn halves_in_two_files_tell_of_one_another() {
    let keys = &mut Keys::new(SEED + 6);
    let repo = TestRepo::new();
    let id = format!("# first half\naccess_key = \"{}\"\n", keys.id());
    repo.stage("one.tf", id);
    let others = "  \"region\": \"eu-west-1\",\n  \"retries\": 3,\n  \"timeout\": 5,\n\n";
    let secret = format!("  \"secret_key\": \"{}\",\n", keys.secret());
    repo.stage("two.py", format!("AWS = {{\n{others}{secret}}}\n"));
    let run = repo.keysieve(&["scan"]).args(REPORT).status(1);
    let report = run.json();
    let tells = |path: &str| {
        let findings = report["findings"].as_array().expect("a list");
        let of_path: Vec<_> = findings
            .iter()
            .filter(|finding| finding["places"][0]["path"] == path)
            .collect();
        assert_eq!(of_path.len(), 1, "{}", run.show());
        of_path[0]["reasons"].to_string()
    };
    assert!(tells("one.tf").contains("two.py:6"), "{}", run.show());
    assert!(tells("two.py").contains("one.tf:2"), "{}", run.show());
}
