//! One JSON document, `keysieve-report/1`; `docs/report-schema.md` describes it.
//!
//! Names stay once they are published; later versions of the program add to them.

use std::io;

use serde::Serialize;

use super::calm::Calm;
use super::row::{Row, exact};
use super::{Accepted, Capabilities, Report};
use crate::coverage::{Coverage, Skip};
use crate::finding::Summary;

/// Name and version of the schema.
pub const SCHEMA: &str = "keysieve-report/1";

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: true,
    accepted: Accepted::Always,
};

/// Writes `report`.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        tool: tool(report),
        summary: report.summary,
        findings: report.rows().collect(),
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
    findings: Vec<Row<'a>>,
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

/// The coverage, as JSON has it.
#[derive(Serialize)]
pub(super) struct CoverageJson<'a> {
    complete: bool,
    files: u64,
    blobs: u64,
    commits: u64,
    tags: u64,
    bytes: u64,
    members: u64,
    opened_bytes: u64,
    cached: u64,
    skipped: std::collections::BTreeMap<&'static str, u64>,
    accepted: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<SelectedJson<'a>>,
    skips: Vec<SkipJson<'a>>,
}

/// The paths that findings were asked for.
#[derive(Serialize)]
struct SelectedJson<'a> {
    paths: &'a [String],
    elsewhere: u64,
    without_path: u64,
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
        members: coverage.members,
        opened_bytes: coverage.opened_bytes,
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
        selected: coverage.selected.as_ref().map(|it| SelectedJson {
            paths: &it.paths,
            elsewhere: it.elsewhere,
            without_path: it.without_path,
        }),
        skips: coverage.skips.iter().map(skip).collect(),
    }
}

fn skip(skip: &Skip) -> SkipJson<'_> {
    SkipJson {
        reason: skip.reason.name(),
        subject: String::from_utf8_lossy(&skip.subject).into_owned(),
        subject_base64: exact(&skip.subject),
        detail: skip.detail.as_deref(),
        incomplete: skip.reason.is_incomplete(),
    }
}
