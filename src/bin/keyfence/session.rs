//! What every scanning command does before and after its source: rules, scanner, progress, signals; then
//! redaction, reports and the exit status.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use keyfence::engine::Engine;
use keyfence::finding::{Finding, Level};
use keyfence::report::{self, Format, Report, RuleInfo, Summary, Tool};
use keyfence::rule::file::RuleFile;
use keyfence::scan::{self, Collector, Counters, Excludes, Options, Outcome, Scanner};
use keyfence::source;

use crate::args::Common;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::progress::Progress;
use crate::{interrupt, output, rules, terminal};

/// One run of a scanning command.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    common: &'a Common,
    /// The engine with the rules in force.
    pub(crate) engine: Arc<Engine>,
    /// Set when a signal asks the run to end.
    pub(crate) stop: Arc<AtomicBool>,
    /// What progress shows.
    pub(crate) counters: Arc<Counters>,
    excludes: Excludes,
    progress: Option<Progress>,
    success: Success,
}

/// What is said, in text, if there is nothing to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Success {
    /// The whole report, with what was scanned and skipped.
    Report,
    /// One line, among those of other hooks.
    Line,
    /// Nothing: somebody else would have to read it.
    Silent,
}

/// Whether the scanner, rather than the source, holds paths against `--exclude`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExcludeIn {
    /// The source leaves whole directories out.
    Source,
    /// The scanner sees each path.
    Scanner,
}

impl<'a> Session<'a> {
    /// Prepares a scan. `noun` is what is counted.
    pub(crate) fn start(common: &'a Common, noun: &'static str) -> Result<Self, Failure> {
        Self::start_with(common, noun, None)
    }

    /// The same, for a source that knows how much there is to read and how far it has come.
    pub(crate) fn start_with(
        common: &'a Common,
        noun: &'static str,
        source: Option<Arc<source::Progress>>,
    ) -> Result<Self, Failure> {
        check_outputs(common)?;
        let rules = rules::load(&common.rules)?;
        rules::check_ids(&rules, &common.only)?;
        let excludes = Excludes::new(common.exclude.iter().map(String::as_str))
            .map_err(|error| Failure::of(Kind::Usage, &error))?;
        let stop = Arc::new(AtomicBool::new(false));
        interrupt::watch(Arc::clone(&stop));
        let counters = Arc::new(Counters::default());
        let is_watched = !common.quiet && !common.no_progress && terminal::stderr_is_watched();
        let progress = is_watched.then(|| Progress::start(Arc::clone(&counters), source, noun));
        Ok(Self {
            common,
            engine: Arc::new(Engine::new(Arc::new(rules))),
            stop,
            counters,
            excludes,
            progress,
            success: Success::Report,
        })
    }

    /// The sink for a source.
    pub(crate) fn scanner(&self, exclude_in: ExcludeIn) -> (Scanner, Collector) {
        let options = Options {
            only: (!self.common.only.is_empty())
                .then(|| self.common.only.iter().cloned().collect::<BTreeSet<_>>()),
            excludes: match exclude_in {
                ExcludeIn::Source => Excludes::default(),
                ExcludeIn::Scanner => self.excludes.clone(),
            },
            stop: Arc::clone(&self.stop),
            counters: Arc::clone(&self.counters),
            ..Options::default()
        };
        Scanner::new(Arc::clone(&self.engine), options)
    }

    /// Says less if there is nothing to report.
    pub(crate) fn on_success(mut self, success: Success) -> Self {
        self.success = success;
        self
    }

    /// Ends a run that had nothing to look at, and says so.
    pub(crate) fn finish_nothing(self, outcome: Outcome, what: &str) -> Result<Exit, Failure> {
        if !self.common.quiet {
            print_error(&format!("note: {what}\n"));
        }
        let is_text = self.common.format == Format::Text && self.common.report.is_empty();
        // A report of nothing is for programs that read reports.
        if is_text && outcome.coverage.skipped.is_empty() {
            return Ok(Exit::Clean);
        }
        self.finish(outcome)
    }

    /// What `--exclude` leaves out.
    pub(crate) fn excludes(&self) -> &Excludes {
        &self.excludes
    }

    /// Writes all reports and says how the program ends.
    pub(crate) fn finish(mut self, mut outcome: Outcome) -> Result<Exit, Failure> {
        self.progress = None;
        outcome.join_across();
        outcome.coverage.accepted = self.common.allow_incomplete.iter().copied().collect();
        scan::redact(&self.engine, &mut outcome);
        let exit = Exit::of(
            &outcome.findings,
            &outcome.coverage,
            self.common.fail_on.level(),
        );
        let summary = Summary::of(&outcome.findings);
        // What makes the run fail is shown.
        let show_notes = self.common.show_notes || self.common.fail_on.level() == Some(Level::Note);
        outcome
            .findings
            .retain(|finding| show_notes || finding.level > Level::Note);
        let rules = self.rule_infos(&outcome.findings);
        let mut report = Report {
            findings: &outcome.findings,
            rules: &rules,
            coverage: &outcome.coverage,
            summary,
            options: report::Options {
                show_secrets: self.common.show_secrets,
                fail_on: self.common.fail_on.level(),
                now: now()?,
                width: terminal::width(),
                color: false,
                show_accepted: self.common.show_notes,
                quiet: self.common.quiet,
            },
            tool: Tool {
                version: env!("CARGO_PKG_VERSION"),
                rules_hash: &self.engine.rules().hash,
            },
        };
        for (format, file) in &self.common.report {
            output::to_file(file, |out| report::write(*format, out, &report))?;
        }
        report.options.color = terminal::stdout_has_color();
        let says_little = report.findings.is_empty()
            && exit == Exit::Clean
            && self.common.format == Format::Text
            && !self.common.quiet;
        match self.success {
            Success::Line if says_little => {
                output::to_stdout(|out| report::text::write_brief(out, &report))?;
            }
            Success::Silent if says_little => {}
            _ => output::to_stdout(|out| report::write(self.common.format, out, &report))?,
        }
        self.say_what_the_report_does_not(&report);
        Ok(exit)
    }

    /// Formats for machines leave a person without a word about a scan that read nothing, or not all.
    fn say_what_the_report_does_not(&self, report: &Report<'_>) {
        if self.common.format == Format::Text {
            return;
        }
        let coverage = report.coverage;
        if !coverage.is_complete() {
            let reasons: Vec<String> = coverage
                .skipped
                .iter()
                .filter(|(reason, count)| {
                    **count > 0 && reason.is_incomplete() && !coverage.accepted.contains(reason)
                })
                .map(|(reason, count)| format!("{count} {}", reason.name()))
                .collect();
            let first = coverage
                .skips
                .iter()
                .find(|skip| {
                    skip.reason.is_incomplete() && !coverage.accepted.contains(&skip.reason)
                })
                .map_or_else(String::new, |skip| format!(", such as {}", skip.subject));
            print_error(&format!(
                "error: the scan is incomplete: {}{first}\n",
                reasons.join(", ")
            ));
        }
        if coverage.files + coverage.blobs + coverage.commits + coverage.tags == 0
            && !self.common.quiet
        {
            print_error("warning: nothing was scanned\n");
        }
    }

    /// What reports say about the rules that found something. References and other prose are read only then.
    fn rule_infos(&self, findings: &[Finding]) -> Vec<RuleInfo> {
        let ids: BTreeSet<&str> = findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let builtin = RuleFile::builtin();
        let rules = &self.engine.rules().rules;
        rules
            .iter()
            .filter(|rule| ids.contains(rule.id.as_str()))
            .map(|rule| RuleInfo {
                id: rule.id.clone(),
                description: rule.description.clone(),
                advice: rule.advice.clone(),
                level: rule.level,
                references: builtin
                    .rules
                    .iter()
                    .find(|text| text.id == rule.id && text.description == rule.description)
                    .map(|text| text.references.clone())
                    .unwrap_or_default(),
            })
            .collect()
    }
}

/// Refuses reports that cannot be written as asked, before any time is spent.
fn check_outputs(common: &Common) -> Result<(), Failure> {
    let formats = || {
        common
            .report
            .iter()
            .map(|(format, _)| *format)
            .chain([common.format])
    };
    if common.show_secrets
        && let Some(format) = formats().find(|format| !format.can_show_secrets())
    {
        let message = format!("a report of format {} never shows secrets", format.name());
        return Err(Failure::bare(Kind::Usage, message)
            .hint("leave out --show-secrets, or use text, json or jsonl"));
    }
    let mut files: BTreeSet<&PathBuf> = BTreeSet::new();
    for (_, file) in &common.report {
        if !files.insert(file) {
            let message = format!("two reports would be written to {}", file.display());
            return Err(Failure::bare(Kind::Usage, message));
        }
    }
    Ok(())
}

/// Seconds since the epoch; `SOURCE_DATE_EPOCH` has the last word.
pub(crate) fn now() -> Result<Option<i64>, Failure> {
    if let Some(value) = std::env::var_os("SOURCE_DATE_EPOCH") {
        let parsed = value.to_str().and_then(|text| text.parse::<i64>().ok());
        return match parsed {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Failure::bare(
                Kind::Usage,
                "SOURCE_DATE_EPOCH is not a number of seconds",
            )),
        };
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(since
        .ok()
        .and_then(|since| i64::try_from(since.as_secs()).ok()))
}
