//! JSON Lines: each finding on a line of its own, then one line `{"coverage": …}`.
//!
//! The objects are those of [`super::json`]; the last line also has `schema`, `tool` and `summary`, so that
//! a stream without it is known to be cut short.

use std::io;

use serde::Serialize;

use super::calm::Calm;
use super::{Accepted, Capabilities, Report, json};
use crate::finding::Summary;

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: true,
    accepted: Accepted::Always,
};

/// Writes `report`.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    for row in report.rows() {
        serde_json::to_writer(Calm(&mut *out), &row)?;
        out.write_all(b"\n")?;
    }
    let last = Last {
        schema: json::SCHEMA,
        tool: json::tool(report),
        summary: report.summary,
        coverage: json::coverage(report.coverage),
    };
    serde_json::to_writer(Calm(&mut *out), &last)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Last<'a> {
    schema: &'static str,
    tool: json::ToolJson<'a>,
    summary: Summary,
    coverage: json::CoverageJson<'a>,
}
