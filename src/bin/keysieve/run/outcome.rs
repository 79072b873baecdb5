//! What a run says in the end: reports, what they leave out, and what helps where not all was read.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use keysieve::coverage::{Coverage, SkipReason};
use keysieve::finding::{Finding, Judged, UnusedMarker};
use keysieve::level::Level;
use keysieve::policy::Unused;
use keysieve::policy::config::acceptable_reasons;
use keysieve::report::{self, Capabilities, Format, Report, RuleInfo, Tool};
use keysieve::text::whole_file::Access;

use super::{Run, WhenClean};
use crate::args::Common;
use crate::date::now;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_line, print_lines};
use crate::{output, terminal};

impl Run {
    /// Writes all reports on findings that were judged, and says how the program ends.
    pub(crate) fn report(mut self, judged: Judged, unused: &Unused) -> Result<Exit, Failure> {
        self.end_progress();
        let common = &self.settings.common;
        let mut redacted = self.redact(judged);
        let exit = Exit::of(redacted.findings(), redacted.coverage(), common.fail_on());
        // What makes the run fail is shown.
        if !common.show_notes && common.fail_on() != Some(Level::Note) {
            redacted = redacted.above_notes();
        }
        let rules = self.rule_infos(redacted.findings());
        let rules_hash = || self.rules_hash();
        let mut report = Report::new(&redacted, tool(&rules_hash));
        report.rules = &rules;
        report.settings = &self.settings.loaded_from;
        report.options = report::Options {
            show_secrets: common.show_secrets,
            fail_on: common.fail_on(),
            now: now()?,
            width: terminal::width(),
            color: false,
            show_accepted: common.show_notes,
            include_accepted: common.include_accepted,
            quiet: common.quiet,
        };
        // One that cannot be written keeps neither the others nor standard output from saying what was found.
        let mut failed = None;
        let access = match common.show_secrets {
            true => Access::Owner,
            false => Access::Usual,
        };
        for (format, file) in &common.report {
            let write = |out: &mut dyn Write| report::write(*format, out, &report);
            let written = output::to_file(file, access, write);
            if let Some(earlier) = written.err().and_then(|failure| failed.replace(failure)) {
                earlier.print();
            }
        }
        report.options.color = terminal::stdout_has_color();
        let says_little =
            redacted.findings().is_empty() && exit == Exit::Clean && common.is_for_people();
        match self.needs.when_clean {
            WhenClean::Line if says_little => {
                output::to_stdout(|out| report::text::write_brief(out, &report))?;
            }
            WhenClean::Silent if says_little => {}
            _ => output::to_stdout(|out| report::write(common.format(), out, &report))?,
        }
        self.say_what_the_report_does_not(redacted.coverage());
        if !common.quiet {
            print_lines(&cures(redacted.coverage()));
        }
        if common.found.report_unused {
            self.say_what_is_unused(unused);
        }
        match failed {
            Some(failure) => Err(failure),
            None => Ok(exit),
        }
    }

    /// Formats for machines leave a person without a word about a scan that read nothing, or not all.
    fn say_what_the_report_does_not(&self, coverage: &Coverage) {
        if self.common().format() == Format::Text {
            return;
        }
        if let Some(what) = incomplete(coverage) {
            print_line(&format!("error: the scan is incomplete: {what}"));
        }
        if coverage.files + coverage.blobs + coverage.commits + coverage.tags == 0
            && !self.common().quiet
        {
            print_line("warning: nothing was scanned");
        }
    }

    /// Exceptions that except nothing, as far as this scan saw.
    fn say_what_is_unused(&self, unused: &Unused) {
        let of_marker = |marker: &UnusedMarker| {
            format!(
                "warning: {}:{}: this allow marker covers no finding",
                marker.path, marker.line
            )
        };
        let mut lines: Vec<String> = unused.markers.iter().map(of_marker).collect();
        let name = self.settings.config_name.as_deref().unwrap_or_default();
        let allows = &self.settings.file.allow;
        let unused_allows = unused.allows.iter().filter(|_| self.needs.is_whole);
        for allow in unused_allows.filter_map(|number| allows.get(*number)) {
            let line = allow.line;
            lines.push(format!(
                "warning: {name}:{line}: this [[allow]] covers no finding"
            ));
        }
        let of_folders = unused.folder_allows.iter().filter(|_| self.needs.is_whole);
        for spot in of_folders.filter_map(|allow| self.folders.allows.get(allow)) {
            lines.push(format!("warning: {spot}: this [[allow]] covers no finding"));
        }
        for entry in unused.entries.iter().filter(|_| self.needs.is_whole) {
            let path = entry.path.as_deref().unwrap_or_default();
            lines.push(format!(
                "warning: baseline: {} ({} {path}) is no finding of this scan",
                entry.fingerprint, entry.rule
            ));
        }
        print_lines(&lines);
    }

    /// Collects the rules that found something, as reports describe them.
    fn rule_infos(&self, findings: &[Finding]) -> Vec<RuleInfo> {
        let ids: BTreeSet<&str> = findings
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let rules = self.engine.rules().rules.iter();
        rules
            .filter(|rule| ids.contains(rule.id.as_ref()))
            .map(|rule| RuleInfo {
                id: rule.id.to_string(),
                description: rule.description.to_string(),
                advice: rule.advice.to_string(),
                level: rule.level,
                references: rule.references.iter().map(str::to_owned).collect(),
            })
            .collect()
    }
}

/// The program, as reports name it.
pub(crate) fn tool(rules_hash: &dyn Fn() -> String) -> Tool<'_> {
    Tool {
        version: env!("CARGO_PKG_VERSION"),
        rules_hash,
    }
}

/// Lists the reasons of an incomplete scan, with an example; `None` for a complete one.
pub(crate) fn incomplete(coverage: &Coverage) -> Option<String> {
    if coverage.is_complete() {
        return None;
    }
    let counts =
        |reason: SkipReason| reason.is_incomplete() && !coverage.accepted.contains(&reason);
    let reasons: Vec<String> = coverage
        .skipped
        .iter()
        .filter(|(reason, count)| **count > 0 && counts(**reason))
        .map(|(reason, count)| format!("{count} {}", reason.name()))
        .collect();
    let first = coverage.skips.iter().find(|skip| counts(skip.reason));
    let first = first.map_or_else(String::new, |skip| format!(", such as {}", skip.subject));
    Some(format!("{}{first}", reasons.join(", ")))
}

/// The names of the formats that can do something: `text, json or csv`.
fn those_that(can: impl Fn(&Capabilities) -> bool) -> String {
    let formats = Format::ALL.iter();
    let formats = formats.filter(|format| can(&format.capabilities()));
    let names: Vec<&str> = formats.map(|format| format.name()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// Returns hints for what was not read, and the option to accept it.
fn cures(coverage: &Coverage) -> Vec<String> {
    let is_open = |reason: &SkipReason| {
        let count = coverage.skipped.get(reason).copied().unwrap_or_default();
        count > 0 && reason.is_incomplete() && !coverage.accepted.contains(reason)
    };
    let open: Vec<SkipReason> = SkipReason::ALL.iter().copied().filter(is_open).collect();
    let cure = |reason: &SkipReason| {
        Some(format!(
            "hint: {}: {}",
            reason.name(),
            coverage.cure(*reason)?
        ))
    };
    let mut lines: Vec<String> = open.iter().filter_map(cure).collect();
    // What is to become of a deadline has its own option.
    let is_open = |reason: &SkipReason| open.contains(reason) && *reason != SkipReason::Deadline;
    let acceptable = acceptable_reasons().filter(is_open);
    let acceptable: Vec<&str> = acceptable.map(SkipReason::name).collect();
    if !acceptable.is_empty() {
        let names = acceptable.join(" --allow-incomplete ");
        lines.push(format!(
            "hint: or accept it: --allow-incomplete {names}, or allow-incomplete in .keysieve.toml"
        ));
    }
    lines
}

/// Refuses reports that cannot be written as asked, before any time is spent.
pub(super) fn check_outputs(common: &Common) -> Result<(), Failure> {
    let formats = || {
        common
            .report
            .iter()
            .map(|(format, _)| *format)
            .chain([common.format()])
    };
    if common.show_secrets
        && let Some(format) = formats().find(|format| !format.capabilities().secrets)
    {
        let message = format!("a report of format {} never shows secrets", format.name());
        return Err(Failure::bare(Kind::Usage, message).hint(format!(
            "leave out --show-secrets, or use {}",
            those_that(|it| it.secrets)
        )));
    }
    let mut files: BTreeSet<PathBuf> = BTreeSet::new();
    for (_, file) in &common.report {
        // The same file under two names is one.
        let parent = file.parent().filter(|dir| !dir.as_os_str().is_empty());
        let parent = std::fs::canonicalize(parent.unwrap_or(Path::new(".")));
        let place = match (parent, file.file_name()) {
            (Ok(parent), Some(name)) => parent.join(name),
            _ => file.clone(),
        };
        if !files.insert(place) {
            let message = format!("two reports would be written to {}", file.display());
            return Err(Failure::bare(Kind::Usage, message));
        }
    }
    Ok(())
}
