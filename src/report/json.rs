//! One JSON document, `keysieve-report/1`; `docs/report-schema.md` describes it.
//!
//! Names stay once they are published; later versions of the program add to them.

use std::io;

use serde::Serialize;

use super::Report;
use super::calm::Calm;
use crate::commit::Departure;
use crate::coverage::{Coverage, Skip};
use crate::finding::{Acceptance, AwsRule, Finding, Place, Position, SnippetLine, Summary};
use crate::provenance::ObjectKind;
use crate::secret::Secret;

/// Name and version of the schema.
pub const SCHEMA: &str = "keysieve-report/1";

/// Writes `report`.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        tool: tool(report),
        summary: report.summary,
        findings: report
            .findings
            .iter()
            .map(|found| finding(found, report.options.show_secrets))
            .collect(),
        coverage: coverage(report.coverage),
    };
    serde_json::to_writer_pretty(Calm(&mut *out), &document)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    tool: ToolJson<'a>,
    summary: Summary,
    findings: Vec<FindingJson<'a>>,
    coverage: CoverageJson<'a>,
}

/// The program, as JSON has it.
#[derive(Serialize)]
pub(super) struct ToolJson<'a> {
    name: &'a str,
    version: &'a str,
    rules: String,
}

/// The program that made `report`.
pub(super) fn tool<'a>(report: &Report<'a>) -> ToolJson<'a> {
    ToolJson {
        name: "keysieve",
        version: report.tool.version,
        rules: (report.tool.rules_hash)(),
    }
}

/// A finding, as JSON has it.
#[derive(Serialize)]
pub(super) struct FindingJson<'a> {
    rule: &'a str,
    level: &'static str,
    fingerprint: &'a str,
    message: &'a str,
    advice: &'a str,
    key_id: Option<&'a str>,
    account_id: Option<&'a str>,
    context: Option<&'a str>,
    reasons: &'a [String],
    accepted: Option<AcceptedJson<'a>>,
    #[serde(flatten)]
    secrets: Secrets,
    places: Vec<PlaceJson<'a>>,
}

#[derive(Serialize)]
struct AcceptedJson<'a> {
    kind: &'static str,
    reason: &'a str,
}

/// What only `--show-secrets` writes. A secret that is not UTF-8 is given in base64 under another name,
/// so that nobody uses a damaged one.
#[derive(Default, Serialize)]
struct Secrets {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_base64: Option<String>,
}

/// `finding` in its JSON form.
pub(super) fn finding(finding: &Finding, show_secrets: bool) -> FindingJson<'_> {
    FindingJson {
        rule: &finding.rule,
        level: finding.level.name(),
        fingerprint: finding.fingerprint.as_str(),
        message: &finding.message,
        advice: &finding.advice,
        key_id: finding.key_id.as_deref(),
        account_id: finding.account_id.as_deref(),
        context: finding.context.as_deref(),
        reasons: &finding.reasons,
        accepted: finding.accepted.as_ref().map(accepted),
        secrets: if show_secrets {
            secrets(finding)
        } else {
            Secrets::default()
        },
        places: finding.places.iter().map(place).collect(),
    }
}

fn accepted(acceptance: &Acceptance) -> AcceptedJson<'_> {
    let (kind, reason) = match acceptance {
        Acceptance::Marker(reason) => ("marker", reason),
        Acceptance::Allowlist(reason) => ("allowlist", reason),
        Acceptance::Baseline(reason) => ("baseline", reason),
    };
    AcceptedJson { kind, reason }
}

fn secrets(finding: &Finding) -> Secrets {
    let mut secrets = Secrets {
        session_token: finding.session_token.as_ref().and_then(text_of),
        ..Secrets::default()
    };
    let Some(secret) = &finding.secret else {
        return secrets;
    };
    match text_of(secret) {
        None => secrets.secret_base64 = Some(base64(secret.expose())),
        Some(text) if is_aws_secret_key(finding) => secrets.secret_key = Some(text),
        Some(text) => secrets.secret = Some(text),
    }
    secrets
}

/// A secret access key of AWS, rather than another rule's secret.
fn is_aws_secret_key(finding: &Finding) -> bool {
    let rule = AwsRule::of_id(&finding.rule);
    rule.is_some_and(|rule| finding.key_id.is_some() || rule == AwsRule::SecretAccessKey)
}

fn text_of(secret: &Secret) -> Option<String> {
    String::from_utf8(secret.expose().to_vec()).ok()
}

#[derive(Serialize)]
struct PlaceJson<'a> {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    offset: usize,
    length: usize,
    #[serde(flatten)]
    secret: SecretPosition,
    #[serde(flatten)]
    token: TokenPosition,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_kind: Option<&'static str>,
    #[serde(flatten)]
    commit: Option<CommitJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'a str>,
    snippet: Vec<SnippetJson<'a>>,
}

#[derive(Default, Serialize)]
struct SecretPosition {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_end_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_length: Option<usize>,
}

#[derive(Default, Serialize)]
struct TokenPosition {
    #[serde(skip_serializing_if = "Option::is_none")]
    token_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_end_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_end_column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_length: Option<usize>,
}

#[derive(Serialize)]
struct CommitJson<'a> {
    commit: String,
    author: &'a str,
    date: &'a str,
    subject: &'a str,
    in_head: bool,
    refs: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    more_refs: Option<usize>,
    held_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<DepartureJson<'a>>,
}

#[derive(Serialize)]
struct DepartureJson<'a> {
    commit: String,
    author: &'a str,
    date: &'a str,
    subject: &'a str,
}

#[derive(Serialize)]
struct SnippetJson<'a> {
    line: usize,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<(usize, usize)>,
}

fn place(place: &Place) -> PlaceJson<'_> {
    let position = place.position;
    PlaceJson {
        path: String::from_utf8_lossy(&place.path).into_owned(),
        path_base64: std::str::from_utf8(&place.path)
            .is_err()
            .then(|| base64(&place.path)),
        line: position.line,
        column: position.column,
        end_line: position.end_line,
        end_column: position.end_column,
        offset: position.offset,
        length: position.length,
        secret: place.secret.map(secret_position).unwrap_or_default(),
        token: place.token.map(token_position).unwrap_or_default(),
        blob: object_id(place, |kind| kind == ObjectKind::Blob),
        object: object_id(place, |kind| kind != ObjectKind::Blob),
        object_kind: place.object.and_then(|(kind, _)| match kind {
            ObjectKind::Blob => None,
            ObjectKind::Commit => Some("commit"),
            ObjectKind::Tag => Some("tag"),
        }),
        commit: place.commit.as_ref().map(|commit| CommitJson {
            commit: commit.commit_id.to_string(),
            author: &commit.author,
            date: &commit.date,
            subject: &commit.subject,
            in_head: commit.in_head,
            refs: &commit.refs,
            more_refs: (commit.more_refs > 0).then_some(commit.more_refs),
            held_by: &commit.held_by,
            boundary: commit.is_boundary.then_some(true),
            left: commit.left.as_ref().map(departure),
        }),
        marker: place.marker.as_deref(),
        snippet: place.snippet.iter().map(snippet).collect(),
    }
}

fn departure(left: &Departure) -> DepartureJson<'_> {
    DepartureJson {
        commit: left.commit_id.to_string(),
        author: &left.author,
        date: &left.date,
        subject: &left.subject,
    }
}

fn object_id(place: &Place, wanted: impl Fn(ObjectKind) -> bool) -> Option<String> {
    place
        .object
        .filter(|(kind, _)| wanted(*kind))
        .map(|(_, id)| id.to_string())
}

fn secret_position(position: Position) -> SecretPosition {
    SecretPosition {
        secret_line: Some(position.line),
        secret_column: Some(position.column),
        secret_end_line: Some(position.end_line),
        secret_end_column: Some(position.end_column),
        secret_offset: Some(position.offset),
        secret_length: Some(position.length),
    }
}

fn token_position(position: Position) -> TokenPosition {
    TokenPosition {
        token_line: Some(position.line),
        token_column: Some(position.column),
        token_end_line: Some(position.end_line),
        token_end_column: Some(position.end_column),
        token_offset: Some(position.offset),
        token_length: Some(position.length),
    }
}

fn snippet(line: &SnippetLine) -> SnippetJson<'_> {
    SnippetJson {
        line: line.number,
        text: &line.text,
        mark: line.mark,
    }
}

/// The coverage, as JSON has it.
#[derive(Serialize)]
pub(super) struct CoverageJson<'a> {
    complete: bool,
    files: u64,
    blobs: u64,
    commits: u64,
    tags: u64,
    bytes: u64,
    cached: u64,
    skipped: std::collections::BTreeMap<&'static str, u64>,
    accepted: Vec<&'static str>,
    skips: Vec<SkipJson<'a>>,
}

#[derive(Serialize)]
struct SkipJson<'a> {
    reason: &'static str,
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    incomplete: bool,
}

/// `coverage` in its JSON form.
pub(super) fn coverage(coverage: &Coverage) -> CoverageJson<'_> {
    CoverageJson {
        complete: coverage.is_complete(),
        files: coverage.files,
        blobs: coverage.blobs,
        commits: coverage.commits,
        tags: coverage.tags,
        bytes: coverage.bytes,
        cached: coverage.cached,
        skipped: coverage
            .skipped
            .iter()
            .map(|(reason, count)| (reason.name(), *count))
            .collect(),
        accepted: coverage
            .accepted
            .iter()
            .map(|reason| reason.name())
            .collect(),
        skips: coverage.skips.iter().map(skip).collect(),
    }
}

fn skip(skip: &Skip) -> SkipJson<'_> {
    SkipJson {
        reason: skip.reason.name(),
        subject: String::from_utf8_lossy(&skip.subject).into_owned(),
        subject_base64: std::str::from_utf8(&skip.subject)
            .is_err()
            .then(|| base64(&skip.subject)),
        detail: skip.detail.as_deref(),
        incomplete: skip.reason.is_incomplete(),
    }
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (group >> (18 - 6 * place)) & 63;
            let digit = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"foo\xff"), "Zm9v/w==");
    }
}
