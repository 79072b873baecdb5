//! Reports: one module per output format, each with a `write` of the same form.
//!
//! A report is given everything it shows; it looks nothing up. It may not know rules, Git or files.

mod calm;
pub mod case;
pub mod csv;
mod display;
pub mod escape;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod markdown;
pub mod plan;
mod row;
#[cfg(test)]
mod sample;
pub mod sarif;
pub mod text;
pub mod wrap;

use std::io;

use crate::coverage::Coverage;
use crate::finding::{Finding, Redacted, Summary};
use crate::level::Level;

/// Input of a report writer.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The findings to show, sorted, accepted ones included.
    findings: &'a [Finding],
    /// Account of what was read and what was not.
    coverage: &'a Coverage,
    /// Counts of all findings, shown or not.
    summary: Summary,
    /// The rules that occur among the findings, sorted by id.
    pub rules: &'a [RuleInfo],
    /// Names and places of the configuration and baseline in force, for people.
    pub settings: &'a [String],
    /// Options of the writer.
    pub options: Options,
    /// The tool that made the findings.
    pub tool: Tool<'a>,
}

impl<'a> Report<'a> {
    /// Makes a report of findings. Nothing else can be reported.
    pub fn new(redacted: &'a Redacted, tool: Tool<'a>) -> Self {
        Self {
            findings: redacted.findings(),
            coverage: redacted.coverage(),
            summary: redacted.summary(),
            rules: &[],
            settings: &[],
            options: Options::default(),
            tool,
        }
    }

    /// The findings as rows.
    fn rows(&self) -> impl Iterator<Item = row::Row<'a>> {
        let (findings, options) = (self.findings.iter(), self.options);
        findings.map(move |finding| row::Row::new(finding, &options))
    }

    /// Keeps secrets out of formats that are uploaded, mailed or shown to others.
    fn refuse_secrets(&self, format: Format) -> io::Result<()> {
        if self.options.show_secrets && !format.capabilities().secrets {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("a report of format {} never shows secrets", format.name()),
            ));
        }
        Ok(())
    }
}

/// Description of a rule in reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its stable id.
    pub id: String,
    /// Description of the find, and of what its holder could do.
    pub description: String,
    /// One line of what to do.
    pub advice: String,
    /// Level of a full match.
    pub level: Level,
    /// Addresses of further reading.
    pub references: Vec<String>,
}

/// Options of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Show secrets, in the formats that can.
    pub show_secrets: bool,
    /// The least level that fails the run; `None` if nothing does. Only formats that know failure use it.
    pub fail_on: Option<Level>,
    /// Seconds since the epoch, for formats that demand a time.
    pub now: Option<i64>,
    /// Columns of the terminal.
    pub width: Option<usize>,
    /// Use colour.
    pub color: bool,
    /// List accepted findings with the reason, in formats for people.
    pub show_accepted: bool,
    /// List accepted findings in formats of [`Accepted::OnRequest`].
    pub include_accepted: bool,
    /// Leave out a summary without complaints, in formats for people.
    pub quiet: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            show_secrets: false,
            fail_on: Some(Level::Error),
            now: None,
            width: None,
            color: false,
            show_accepted: false,
            include_accepted: false,
            quiet: false,
        }
    }
}

/// The tool that made the findings.
#[derive(Clone, Copy)]
pub struct Tool<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// Returns a hash of the rules in force, on which the results depend. Computed only for the formats that have it.
    pub rules_hash: &'a dyn Fn() -> String,
}

impl std::fmt::Debug for Tool<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Tool");
        shown
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A format of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// For people, in a terminal.
    Text,
    /// One JSON document.
    Json,
    /// JSON Lines: one finding a line.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
    /// RFC 4180.
    Csv,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's secret-detection report.
    Gitlab,
    /// One self-contained page.
    Html,
    /// Markdown, for the summary of a job.
    Markdown,
}

impl Format {
    /// All formats, in the order in which help lists them.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Json,
        Self::Jsonl,
        Self::Sarif,
        Self::Junit,
        Self::Csv,
        Self::Github,
        Self::Gitlab,
        Self::Html,
        Self::Markdown,
    ];

    /// The name used by options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
            Self::Csv => "csv",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Html => "html",
            Self::Markdown => "markdown",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == name)
    }

    /// Returns what a report of this format can do, as its writer has it.
    pub fn capabilities(self) -> Capabilities {
        match self {
            Self::Text => text::CAPABILITIES,
            Self::Json => json::CAPABILITIES,
            Self::Jsonl => jsonl::CAPABILITIES,
            Self::Sarif => sarif::CAPABILITIES,
            Self::Junit => junit::CAPABILITIES,
            Self::Csv => csv::CAPABILITIES,
            Self::Github => github::CAPABILITIES,
            Self::Gitlab => gitlab::CAPABILITIES,
            Self::Html => html::CAPABILITIES,
            Self::Markdown => markdown::CAPABILITIES,
        }
    }
}

/// Abilities of a report format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// A report may hold secrets, if they are asked for. Those that cannot are uploaded, mailed and shown around.
    pub secrets: bool,
    /// Accepted findings: listed or not.
    pub accepted: Accepted,
}

/// Condition on which a format lists accepted findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Always, with the reason.
    Always,
    /// With `--show-notes`, for people.
    WithNotes,
    /// With `--include-accepted`: readers take what is listed for open.
    OnRequest,
    /// Never: the format has no place for them.
    Never,
}

/// Writes `report` in `format`.
pub fn write(format: Format, out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    match format {
        Format::Text => text::write(out, report),
        Format::Json => json::write(out, report),
        Format::Jsonl => jsonl::write(out, report),
        Format::Sarif => sarif::write(out, report),
        Format::Junit => junit::write(out, report),
        Format::Csv => csv::write(out, report),
        Format::Github => github::write(out, report),
        Format::Gitlab => gitlab::write(out, report),
        Format::Html => html::write(out, report),
        Format::Markdown => markdown::write(out, report),
    }
}
