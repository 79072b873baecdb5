//! Report writers: what they write parses back, holds every finding and no secret, and steers nothing.

use gix::ObjectId;
use keysieve::commit::{CommitInfo, Departure};
use keysieve::coverage::{Coverage, Skip, SkipReason};
use keysieve::finding::{Acceptance, Finding, Fingerprint, Place, Position, Redacted, SnippetLine};
use keysieve::level::Level;
use keysieve::provenance::ObjectKind;
use keysieve::report::{self, Format, Options, Report, RuleInfo, Tool};
use keysieve::secret::Secret;
use serde_json::Value;

use super::escape;
use super::input::Input;
use super::parse::{self, Markup};
use super::text::Keys;

const TOOL: Tool<'_> = Tool {
    version: "1.2.3",
    rules_hash: &|| "0123456789abcdef".to_owned(),
};

/// A report, with what it was made of.
#[derive(Clone)]
struct Made<'a> {
    findings: &'a [Finding],
    coverage: &'a Coverage,
    report: Report<'a>,
}

/// Makes a report of an input and writes it in every format.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let chosen = input.byte();
    let options = Options {
        show_secrets: false,
        fail_on: [
            Some(Level::Error),
            Some(Level::Warning),
            Some(Level::Note),
            None,
        ][input.below(4)],
        now: [None, Some(1_700_000_000), Some(i64::MAX), Some(i64::MIN)][input.below(4)],
        width: [None, Some(0), Some(60), Some(200)][input.below(4)],
        color: input.below(2) == 1,
        show_accepted: input.below(2) == 1,
        quiet: input.below(2) == 1,
        include_accepted: false,
    };
    let mut keys = Keys::new(9);
    let mut coverage = coverage(&mut input);
    let findings: Vec<Finding> = (0..input.below(5))
        .map(|_| finding(&mut input, &mut keys))
        .collect();
    coverage.finish();
    let mut ids: Vec<&str> = findings.iter().map(|it| it.rule.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let rules: Vec<RuleInfo> = ids.iter().map(|id| rule(&mut input, id)).collect();
    let settings = [words(&mut input)];
    let redacted = Redacted::assume_redacted(findings, coverage);
    let mut report = Report::new(&redacted, TOOL);
    (report.rules, report.settings, report.options) = (&rules, &settings, options);
    let report = Made {
        findings: redacted.findings(),
        coverage: redacted.coverage(),
        report,
    };
    // One format is nine times as fast as all of them; the corpus has an input for each.
    let chosen = usize::from(chosen)
        .checked_sub(1)
        .and_then(|at| Format::ALL.get(at));
    let formats = chosen.map_or(Format::ALL, std::slice::from_ref);
    for format in formats {
        let text = written(*format, &report);
        check(*format, &report, &text);
        secrets(*format, &report);
    }
}

/// Writes it: UTF-8, and no secret in it.
fn written(format: Format, report: &Made<'_>) -> String {
    let mut bytes = Vec::new();
    report::write(format, &mut bytes, &report.report).expect("a vector takes everything");
    let text = String::from_utf8(bytes).expect("UTF-8");
    for finding in report.findings {
        for secret in [&finding.secret, &finding.session_token]
            .into_iter()
            .flatten()
        {
            let secret = std::str::from_utf8(secret.expose()).expect("ASCII");
            assert!(
                !text.contains(&secret[4..]),
                "a secret in {}",
                format.name()
            );
        }
    }
    text
}

/// Formats that can show secrets do, and stay well formed; the others refuse.
fn secrets(format: Format, report: &Made<'_>) {
    let mut report = report.clone();
    report.report.options.show_secrets = true;
    let mut out = Vec::new();
    match report::write(format, &mut out, &report.report) {
        Ok(()) => {
            let can = format.capabilities().secrets;
            assert!(can, "{} shows secrets", format.name());
            let text = String::from_utf8(out).expect("UTF-8");
            check(format, &report, &text);
        }
        Err(_) => assert!(out.is_empty() && !format.capabilities().secrets),
    }
}

fn check(format: Format, report: &Made<'_>, text: &str) {
    let counted = report
        .findings
        .iter()
        .filter(|it| it.accepted.is_none())
        .count();
    let all = report.findings.len();
    match format {
        Format::Text => terminal(report, text),
        Format::Json => {
            let document = json(text);
            calm(text);
            assert_eq!(document["schema"], "keysieve-report/1");
            let findings = document["findings"].as_array().expect("findings");
            assert_eq!(findings.len(), all);
            findings
                .iter()
                .zip(report.findings)
                .for_each(|(it, own)| same(it, own));
            assert_eq!(
                document["coverage"]["complete"],
                report.coverage.is_complete()
            );
        }
        Format::Jsonl => {
            calm(text);
            let lines: Vec<Value> = text.lines().map(json).collect();
            assert_eq!(lines.len(), all + 1);
            lines
                .iter()
                .zip(report.findings)
                .for_each(|(it, own)| same(it, own));
            assert!(
                lines
                    .last()
                    .is_some_and(|last| last["coverage"].is_object())
            );
        }
        Format::Sarif => {
            calm(text);
            let document = json(text);
            let results = document["runs"][0]["results"].as_array().expect("results");
            assert_eq!(results.len(), counted);
        }
        Format::Gitlab => {
            calm(text);
            let document = json(text);
            let found = document["vulnerabilities"].as_array().expect("a list");
            assert_eq!(found.len(), counted);
        }
        Format::Junit => junit(report, text),
        Format::Csv => csv(report, text),
        Format::Github => {
            escape_lines(text);
            let is_complete = report.coverage.is_complete();
            assert_eq!(text.lines().count(), counted + usize::from(!is_complete));
            for line in text.lines() {
                let (head, _) = line
                    .strip_prefix("::")
                    .and_then(|rest| rest.split_once("::"))
                    .expect("a command");
                let name = head.split(' ').next().unwrap_or_default();
                assert!(["error", "warning", "notice"].contains(&name), "{line}");
            }
        }
        Format::Html => html(report, text),
        Format::Markdown => {
            calm(text);
            let rows = text.lines().filter(|line| line.starts_with("| ")).count();
            // A head, and 200 findings at most.
            assert_eq!(
                rows,
                if counted == 0 {
                    0
                } else {
                    counted.min(200) + 1
                }
            );
        }
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// A finding in JSON says what it says.
fn same(found: &Value, finding: &Finding) {
    assert_eq!(found["fingerprint"], finding.fingerprint.as_str());
    assert_eq!(found["rule"], finding.rule.as_str());
    assert_eq!(found["message"], finding.message.as_str());
    let places = found["places"].as_array().expect("places");
    assert_eq!(places.len(), finding.places.len());
}

/// No raw control in what a terminal may be shown.
fn calm(text: &str) {
    let is_calm = |c: char| !c.is_control() || c == '\n' || c == '\r';
    assert!(text.chars().all(is_calm), "{text:?}");
}

fn escape_lines(text: &str) {
    text.lines().for_each(escape::calm);
    assert!(!text.contains('\r'));
}

/// A terminal is steered by the program's own colours only.
fn terminal(report: &Made<'_>, text: &str) {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        assert!(report.report.options.color, "no colour was asked for");
        plain.push_str(&rest[..at]);
        rest = &rest[at + 2..];
        let end = rest.find('m').expect("an end");
        assert!(
            rest[..end]
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b';')
        );
        rest = &rest[end + 1..];
    }
    plain.push_str(rest);
    escape_lines(&plain);
}

fn junit(report: &Made<'_>, text: &str) {
    let (elements, _) = parse::markup(text, Markup::Xml);
    let cases = elements.iter().filter(|it| it.name == "testcase").count();
    let count = |name: &str| elements.iter().filter(|it| it.name == name).count();
    let suite = elements
        .iter()
        .find(|it| it.name == "testsuite")
        .expect("a suite");
    assert_eq!(suite.get("tests"), Some(cases.to_string().as_str()));
    assert_eq!(
        suite.get("failures"),
        Some(count("failure").to_string().as_str())
    );
    assert_eq!(
        suite.get("skipped"),
        Some(count("skipped").to_string().as_str())
    );
    let others = cases - count("failure") - count("skipped");
    assert_eq!(count("failure") + count("skipped"), report.findings.len());
    assert!(others <= 1);
    assert_eq!(count("error"), usize::from(!report.coverage.is_complete()));
}

fn csv(report: &Made<'_>, text: &str) {
    let rows = parse::csv(text);
    let places: usize = report.findings.iter().map(|it| it.places.len()).sum();
    assert_eq!(rows.len(), places + 1);
    for row in &rows {
        assert_eq!(row.len(), rows[0].len());
        for field in row {
            assert!(
                !field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
                "a formula: {field:?}"
            );
            escape::calm(field);
        }
    }
    let at = |name: &str| rows[0].iter().position(|it| it == name).expect("a column");
    let fingerprint = at("fingerprint");
    let expected = report
        .findings
        .iter()
        .flat_map(|it| it.places.iter().map(move |_| it));
    for (row, finding) in rows[1..].iter().zip(expected) {
        assert_eq!(row[fingerprint], finding.fingerprint.as_str());
    }
}

fn html(report: &Made<'_>, text: &str) {
    let (elements, content) = parse::markup(text, Markup::Html);
    let nothing = Redacted::assume_redacted(Vec::new(), report.coverage.clone());
    let mut empty = Made {
        findings: &[],
        coverage: report.coverage,
        report: Report::new(&nothing, TOOL),
    };
    empty.report.options = report.report.options;
    let count = |elements: &[parse::Element], name: &str| {
        elements.iter().filter(|it| it.name == name).count()
    };
    let (plain, _) = parse::markup(&written(Format::Html, &empty), Markup::Html);
    for name in [
        "script", "style", "iframe", "object", "embed", "base", "form",
    ] {
        assert!(
            count(&elements, name) <= count(&plain, name).max(1),
            "{name}"
        );
    }
    for element in &elements {
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on"), "{element:?}");
            if name == "href" || name == "src" {
                let is_fine = ["https://", "http://", "#", "data:image/"]
                    .iter()
                    .any(|it| value.starts_with(it));
                assert!(is_fine, "{element:?}");
            }
        }
    }
    for finding in report.findings.iter().filter(|it| it.accepted.is_none()) {
        let fingerprint = finding.fingerprint.as_str();
        let is_there = content.contains(fingerprint) || text.contains(fingerprint);
        assert!(is_there, "{fingerprint}");
    }
}

/// Text that an attacker chooses.
fn words(input: &mut Input<'_>) -> String {
    String::from_utf8_lossy(input.chunk()).into_owned()
}

fn maybe(input: &mut Input<'_>) -> Option<String> {
    (input.below(2) == 1).then(|| words(input))
}

fn coverage(input: &mut Input<'_>) -> Coverage {
    let mut coverage = Coverage {
        files: u64::from(input.byte()),
        blobs: u64::from(input.byte()),
        bytes: u64::from(input.number()) << input.below(32),
        ..Coverage::default()
    };
    for _ in 0..input.below(4) {
        let reason = SkipReason::ALL[input.below(SkipReason::ALL.len())];
        let mut skip = Skip::new(reason, input.chunk());
        skip.detail = maybe(input);
        coverage.skip(skip);
        if input.rarely() {
            coverage.accepted.insert(reason);
        }
    }
    coverage
}

fn rule(input: &mut Input<'_>, id: &str) -> RuleInfo {
    RuleInfo {
        id: id.to_owned(),
        description: words(input),
        advice: words(input),
        level: Level::Error,
        references: (0..input.below(3)).map(|_| words(input)).collect(),
    }
}

fn finding(input: &mut Input<'_>, keys: &mut Keys) -> Finding {
    let rule = ["aws-access-key-pair", "a-rule", "z"][input.below(3)];
    let key_id = (input.below(2) == 1).then(|| keys.id());
    let secret = (input.below(4) > 0).then(|| Secret::new(keys.secret().as_bytes()));
    let token = (input.below(4) == 1).then(|| Secret::new(keys.token(120).as_bytes()));
    let accepted = match input.below(8) {
        1 => Some(Acceptance::Marker(words(input))),
        2 => Some(Acceptance::Allowlist(words(input))),
        3 => Some(Acceptance::Baseline(words(input))),
        _ => None,
    };
    Finding {
        rule: rule.to_owned(),
        level: [Level::Error, Level::Warning, Level::Note][input.below(3)],
        fingerprint: Fingerprint::new(rule, Some(&keys.id()), secret.as_ref()),
        message: words(input),
        advice: words(input),
        account_id: key_id.as_ref().map(|_| "400000000000".to_owned()),
        key_id,
        secret,
        session_token: token,
        context: maybe(input),
        reasons: (0..input.below(3)).map(|_| words(input)).collect(),
        places: (0..1 + input.below(3)).map(|_| place(input)).collect(),
        accepted,
    }
}

fn place(input: &mut Input<'_>) -> Place {
    let kind = [ObjectKind::Blob, ObjectKind::Commit, ObjectKind::Tag][input.below(3)];
    let id = ObjectId::from_bytes_or_panic(&[input.byte(); 20]);
    let position = position(input);
    Place {
        path: input.chunk().into(),
        inside: Vec::new(),
        position,
        key_id: None,
        secret: (input.below(2) == 1).then_some(position),
        token: None,
        possible: None,
        file: None,
        object: (input.below(2) == 1).then_some((kind, id)),
        commit: (input.below(2) == 1).then(|| commit(input, id)),
        snippet: (0..input.below(4))
            .map(|at| snippet(input, position.line + at))
            .collect(),
        marker: maybe(input),
        submodule: None,
    }
}

fn position(input: &mut Input<'_>) -> Position {
    let line = 1 + input.number() as usize;
    let column = 1 + usize::from(input.byte());
    let lines = input.below(3);
    Position {
        offset: input.number() as usize,
        length: 1 + usize::from(input.byte()),
        line,
        column,
        end_line: line + lines,
        end_column: column + 20,
    }
}

fn snippet(input: &mut Input<'_>, number: usize) -> SnippetLine {
    let text = words(input).replace('\n', " ");
    let (a, b) = (input.below(256), input.below(256));
    let mark = (text.is_char_boundary(a) && text.is_char_boundary(b) && a < b).then_some((a, b));
    SnippetLine { number, text, mark }
}

fn commit(input: &mut Input<'_>, commit_id: ObjectId) -> CommitInfo {
    CommitInfo {
        rank: input.number(),
        commit_id,
        author: words(input),
        time: i64::from(input.number()) << input.below(32),
        date: words(input),
        subject: words(input),
        in_head: input.below(2) == 1,
        refs: (0..input.below(3)).map(|_| words(input)).collect(),
        more_refs: input.below(3),
        held_by: (0..input.below(2)).map(|_| words(input)).collect(),
        is_boundary: input.below(2) == 1,
        left: (input.below(2) == 1).then(|| Departure {
            rank: input.number(),
            commit_id,
            author: words(input),
            time: i64::from(input.number()) << input.below(32),
            date: words(input),
            subject: words(input),
        }),
    }
}
