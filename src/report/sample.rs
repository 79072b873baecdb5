//! Findings for the tests of the formats, hostile ones among them.

use bstr::BString;
use gix::ObjectId;

use super::{Options, Report, RuleInfo, Tool};
use crate::commit::{CommitInfo, Departure};
use crate::coverage::{Coverage, Skip, SkipReason};
use crate::finding::{Acceptance, Finding, Fingerprint, Place, Position, Redacted, SnippetLine};
use crate::level::Level;
use crate::provenance::ObjectKind;
use crate::secret::Secret;
use crate::text::date::{month_start, timestamp};

/// Values that a report borrows from.
pub(super) struct Sample {
    pub(super) findings: Vec<Finding>,
    pub(super) rules: Vec<RuleInfo>,
    pub(super) coverage: Coverage,
    pub(super) options: Options,
}

impl Sample {
    /// Nothing found, everything read.
    pub(super) fn clean() -> Self {
        Self {
            findings: Vec::new(),
            rules: Vec::new(),
            coverage: Coverage {
                files: 12,
                bytes: 34_567,
                ..Coverage::default()
            },
            options: Options::default(),
        }
    }

    /// One finding of each kind, everything read.
    pub(super) fn ordinary() -> Self {
        let mut sample = Self::clean();
        sample.coverage = Coverage {
            blobs: 262_343,
            commits: 203_352,
            tags: 1_012,
            bytes: 8_100_000_000,
            ..Coverage::default()
        };
        let mut pair = finding(1, Level::Error, "config/prod/settings.py");
        pair.places.push(place("deploy/legacy.env", 4, 8, false));
        let mut id_alone = finding(2, Level::Warning, "docs/runbook.md");
        id_alone.secret = None;
        let place = &mut id_alone.places[0];
        place.secret = None;
        place.position = place.key_id.expect("a key ID");
        id_alone.message = "AWS access key ID without its secret".to_owned();
        let mut accepted = finding(3, Level::Error, "tests/fixtures/keys.json");
        accepted.accepted = Some(Acceptance::Baseline("revoked in March".to_owned()));
        let mut note = finding(4, Level::Note, "README.md");
        note.reasons = vec!["documentation example".to_owned()];
        note.places[0].commit = None;
        note.places[0].object = None;
        sample.findings = vec![pair, id_alone, accepted, note];
        sample.rules = vec![rule()];
        sample
    }

    /// As many findings as a repository of some age has.
    pub(super) fn busy() -> Self {
        const PATHS: &[&str] = &[
            "infrastructure/terraform/environments/production/eu-central-1/provider.tf",
            "src/main/resources/application.properties",
            "scripts/backup.sh",
            "notebooks/exploration/2021/customer-churn-features.ipynb",
            ".env",
            "docker-compose.override.yml",
            "lib/tasks/export.rake",
        ];
        let mut sample = Self::ordinary();
        for seed in 5..40 {
            let path = PATHS[seed as usize % PATHS.len()];
            let level = if seed % 5 == 0 {
                Level::Warning
            } else {
                Level::Error
            };
            let mut finding = finding(seed, level, path);
            if seed % 7 == 3 {
                let commit = finding.places[0].commit.as_mut().expect("a commit");
                commit.refs.clear();
                commit.held_by = vec!["stash@{0}".to_owned()];
                commit.in_head = false;
            }
            sample.findings.push(finding);
        }
        sample
            .coverage
            .skip(Skip::new(SkipReason::Submodule, "vendor/lib"));
        sample
    }

    /// Everything an attacker can choose, chosen by an attacker, and things that were not read.
    pub(super) fn hostile() -> Self {
        let mut sample = Self::ordinary();
        sample.findings.clear();
        for (at, path) in HOSTILE.iter().enumerate() {
            let mut finding = finding(100 + at as u64, Level::Error, "x");
            let place = &mut finding.places[0];
            place.path = BString::from(*path);
            let text = String::from_utf8_lossy(path).into_owned();
            let commit = place.commit.as_mut().expect("a commit");
            commit.author.clone_from(&text);
            commit.subject.clone_from(&text);
            if let Some(left) = &mut commit.left {
                left.author.clone_from(&text);
                left.date.clone_from(&text);
                left.subject.clone_from(&text);
            }
            commit.refs.push(format!("refs/heads/{text}"));
            place.marker = Some(text.clone());
            place.snippet[1].text.push_str(&text);
            finding.context = Some(text.clone());
            finding.reasons.push(text.clone());
            finding.message.push_str(&text);
            if at % 2 == 1 {
                finding.accepted = Some(Acceptance::Marker(text));
            }
            sample.findings.push(finding);
            sample.coverage.skip(Skip::with_detail(
                SkipReason::Unreadable,
                BString::from(*path),
                String::from_utf8_lossy(path),
            ));
        }
        sample
            .coverage
            .skip(Skip::new(SkipReason::Ignored, "target"));
        sample
    }

    /// Has `write` write the report.
    pub(super) fn write_with<T>(&self, write: impl FnOnce(&Report<'_>) -> T) -> T {
        let redacted = Redacted::assume_redacted(self.findings.clone(), self.coverage.clone());
        let tool = Tool {
            version: "1.2.3",
            rules_hash: &|| "0123456789abcdef".to_owned(),
        };
        write(&Report {
            rules: &self.rules,
            options: self.options,
            ..Report::new(&redacted, tool)
        })
    }
}

/// Paths, names and texts that break out of something if they are not escaped.
pub(super) const HOSTILE: &[&[u8]] = &[
    b"a\n::error file=x,line=1::owned",
    b"::error::owned\r\n::stop-commands::pause",
    b"\x1b[31mred\x1b]0;title\x07\x9b",
    b"<script>alert(1)</script><img src=x onerror=alert(2)>",
    b"\"><svg onload=alert(1)>' onclick='x",
    b"=cmd|' /C calc'!A0",
    b"+1+1",
    b"-2+3",
    b"@SUM(1)",
    b"\t=1",
    b"not\xff\xfeutf8/\x80",
    b"]]><testcase name='forged'/>",
    b"--><!--",
    "\u{202e}gpj.exe\u{2066}\u{200b}".as_bytes(),
    b"100%,a:b%0A::warning::x",
    b"[click](https://example.org) `code`",
    b"quote\"comma,semi;",
    b"&amp;&#10;",
    b"dir with space/..x/caf\xc3\xa9#frag?query",
    "\u{ffff}\u{fffe}\u{2028}".as_bytes(),
    b"</style></script></title><!--",
    b"\0nul",
];

/// Returns the secret of the finding with that seed: no real one looks like it, and it occurs nowhere else.
pub(super) fn secret(seed: u64) -> String {
    format!("+sample/{seed:032x}")
}

/// The session token of the finding with that seed.
pub(super) fn token(seed: u64) -> String {
    format!("=token/{seed:064x}")
}

fn key_id(seed: u64) -> String {
    let body: String = format!("{seed:016}")
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'B'))
        .collect();
    ["AK", "IA", &body].concat()
}

fn rule() -> RuleInfo {
    RuleInfo {
        id: "aws-access-key".to_owned(),
        description: "AWS access key ID with its secret: whoever holds both can act as the user"
            .to_owned(),
        advice: "make a second key, move every user of this one to it, deactivate this one"
            .to_owned(),
        level: Level::Error,
        references: vec![
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"
                .to_owned(),
            "javascript:alert(1)".to_owned(),
        ],
    }
}

/// A finding with one place, all of it different for different seeds.
pub(super) fn finding(seed: u64, level: Level, path: &str) -> Finding {
    let key_id = key_id(seed);
    let secret = Secret::new(secret(seed).as_bytes());
    Finding {
        rule: "aws-access-key".to_owned(),
        level,
        fingerprint: Fingerprint::new("aws-access-key", Some(&key_id), Some(&secret)),
        message: format!("AWS access key {key_id} of account 400000000000 with its secret"),
        advice: rule().advice,
        key_id: Some(key_id),
        account_id: Some(format!("{:012}", 400_000_000_000 + seed)),
        secret: Some(secret),
        session_token: Some(Secret::new(token(seed).as_bytes())),
        context: Some("Django settings".to_owned()),
        reasons: Vec::new(),
        places: vec![place(path, 40, seed, seed % 2 == 1)],
        accepted: None,
    }
}

/// A place whose commit is as many quarters after the start of 2020 as the seed says.
pub(super) fn place(path: &str, line: usize, seed: u64, in_head: bool) -> Place {
    let key_id = key_id(seed);
    let id = |tag: u64| {
        let hex = format!("{:016x}{:024x}", tag, seed);
        ObjectId::from_hex(hex.as_bytes()).expect("forty hex digits")
    };
    let (year, month) = (2020 + seed as i16 % 24 / 4, seed as i8 % 4 * 3 + 1);
    let time = month_start(year, month).expect("a month");
    Place {
        path: path.into(),
        inside: Vec::new(),
        position: position(1060, 40, line + 1, 26),
        key_id: Some(position(1000, 20, line, 22)),
        secret: Some(position(1060, 40, line + 1, 26)),
        token: None,
        possible: None,
        file: None,
        object: Some((ObjectKind::Blob, id(0xb10b))),
        commit: Some(CommitInfo {
            rank: 2 * seed as u32,
            commit_id: id(0xc0117),
            author: "Ada Author".to_owned(),
            time,
            date: format!("{}+02:00", timestamp(time)),
            subject: "deploy: settings for the new region".to_owned(),
            in_head,
            refs: vec!["refs/heads/main".to_owned()],
            more_refs: 0,
            held_by: Vec::new(),
            is_boundary: false,
            left: (!in_head).then(|| Departure {
                rank: 2 * seed as u32 + 1,
                commit_id: id(0xdead),
                author: "Rex Remover".to_owned(),
                time: time + 86_400,
                date: format!("{}+02:00", timestamp(time + 86_400)),
                subject: "deploy: settings from the environment".to_owned(),
            }),
        }),
        snippet: vec![
            SnippetLine {
                number: line - 1,
                text: "# storage".to_owned(),
                mark: None,
            },
            SnippetLine {
                number: line,
                text: format!("AWS_ACCESS_KEY_ID = \"{key_id}\""),
                mark: Some((21, 41)),
            },
            SnippetLine {
                number: line + 1,
                text: "AWS_SECRET_ACCESS_KEY = \"[secret, 40 characters]\"".to_owned(),
                mark: None,
            },
        ],
        marker: None,
        submodule: None,
    }
}

fn position(offset: usize, length: usize, line: usize, column: usize) -> Position {
    Position {
        offset,
        length,
        line,
        column,
        end_line: line,
        end_column: column + length,
    }
}

/// Reads a report back that is JSON and steers no terminal.
#[track_caller]
pub(super) fn parsed(
    sample: &Sample,
    write: impl Fn(&mut dyn std::io::Write, &Report<'_>) -> std::io::Result<()>,
) -> serde_json::Value {
    let text = written(sample, write);
    is_calm(&text);
    serde_json::from_str(&text).expect("JSON")
}

/// Writes a report and demands that it is the same twice, is UTF-8, and holds no secret.
#[track_caller]
pub(super) fn written(
    sample: &Sample,
    write: impl Fn(&mut dyn std::io::Write, &Report<'_>) -> std::io::Result<()>,
) -> String {
    let mut first = Vec::new();
    let mut second = Vec::new();
    for out in [&mut first, &mut second] {
        let written = sample.write_with(|report| write(out, report));
        written.expect("a vector takes everything");
    }
    assert_eq!(first, second, "the same bytes each time");
    let text = String::from_utf8(first).expect("UTF-8");
    if !sample.options.show_secrets {
        for finding in &sample.findings {
            for hidden in [&finding.secret, &finding.session_token]
                .into_iter()
                .flatten()
            {
                let hidden = std::str::from_utf8(hidden.expose()).expect("ASCII");
                assert!(!text.contains(&hidden[8..]), "a secret in the report");
            }
        }
    }
    text
}

/// Demands that a format refuses to show secrets.
#[track_caller]
pub(super) fn refuses_secrets(
    write: impl Fn(&mut dyn std::io::Write, &Report<'_>) -> std::io::Result<()>,
) {
    let mut sample = Sample::ordinary();
    sample.options.show_secrets = true;
    let mut out = Vec::new();
    let written = sample.write_with(|report| write(&mut out, report));
    let error = written.expect_err("it must refuse");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(out.is_empty());
}

/// Demands that no character of the text steers a terminal, line breaks of the format apart.
#[track_caller]
pub(super) fn is_calm(text: &str) {
    for (at, char) in text.char_indices() {
        let allowed = char == '\n'
            || char == '\r'
            || super::display::visible(&char.to_string()).len() == char.len_utf8();
        assert!(allowed, "{char:?} at byte {at}");
    }
}
