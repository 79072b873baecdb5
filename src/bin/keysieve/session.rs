//! The frame of every scanning command around its source: before it rules, scanner, progress and signals; after it
//! redaction, reports and the exit status.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{SystemTime, UNIX_EPOCH};

use bstr::BString;
use keysieve::coverage::{Coverage, SkipReason};
use keysieve::engine::Engine;
use keysieve::finding::{Finding, Judged, Located, Redacted, Scanned, UnusedMarker};
use keysieve::level::Level;
use keysieve::policy::config::acceptable_reasons;
use keysieve::policy::{Exceptions, Globs, Policy, Relevel, Selection, Unused};
use keysieve::report::{self, Capabilities, Format, Report, RuleInfo, Tool};
use keysieve::scan::{self, Counters, Options, Scanner};
use keysieve::source;
use keysieve::source::container::{Limits, Opener};
use keysieve::text::date::Date;
use keysieve::text::whole_file::Access;

use crate::args::Common;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_line, print_lines};
use crate::progress::Progress;
use crate::reader::Place;
use crate::settings::{self, Places, Settings, everything, folders_place, named_config};
use crate::{folders, interrupt, output, terminal};

/// One run of a scanning command.
#[derive(Debug)]
pub(crate) struct Session {
    /// Configuration, rules and exceptions in force.
    pub(crate) settings: Settings,
    /// The engine with the rules in force.
    pub(crate) engine: Arc<Engine>,
    /// Set when a signal asks the run to end.
    pub(crate) stop: Arc<AtomicBool>,
    /// Counters that progress shows.
    pub(crate) counters: Arc<Counters>,
    /// Lines around what is found.
    pub(crate) context: usize,
    /// Limits on the opening of containers.
    pub(crate) limits: Limits,
    /// True if the scan covers everything that the baseline is about, rather than a change of it.
    pub(crate) is_whole: bool,
    excludes: Globs,
    exclude_in: ExcludeIn,
    before: Arc<Exceptions>,
    folders: folders::Found,
    selection: Option<Selection>,
    progress: Option<Progress>,
    success: Success,
}

/// Text output of a scan without anything to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Success {
    /// The whole report, with what was scanned and skipped.
    Report,
    /// One line, among those of other hooks.
    Line,
    /// Nothing: the output would only be noise to its reader.
    Silent,
}

/// The stage at which paths are held against `--exclude`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExcludeIn {
    /// The source leaves whole directories out.
    Source,
    /// The scanner sees each path.
    Scanner,
    /// Findings are left out: the source learns paths only afterwards.
    Findings,
}

impl Session {
    /// Prepares a scan. `noun` is what is counted.
    pub(crate) fn start(
        common: &Common,
        places: &Places<'_>,
        noun: &'static str,
    ) -> Result<Self, Failure> {
        Self::start_with(common, places, noun, None)
    }

    /// The same, for a source that knows how much there is to read and how far it has come.
    pub(crate) fn start_with(
        common: &Common,
        places: &Places<'_>,
        noun: &'static str,
        source: Option<Arc<source::Progress>>,
    ) -> Result<Self, Failure> {
        let settings = Settings::load(common, places)?;
        let common = &settings.common;
        check_outputs(common)?;
        let excludes = Globs::new(common.exclude.iter().map(String::as_str))
            .map_err(|error| Failure::of(Kind::Usage, &error))?;
        let mut before = settings.before.clone();
        before.excludes.push(excludes.clone());
        let stop = interrupt::stop();
        let counters = Arc::new(Counters::default());
        let is_watched = !common.quiet && !common.no_progress && terminal::stderr_is_watched();
        let progress = is_watched.then(|| Progress::start(Arc::clone(&counters), source, noun));
        Ok(Self {
            engine: Arc::new(Engine::new(Arc::new(settings.rules.clone()))),
            stop,
            counters,
            context: Options::default().context,
            limits: settings.common.open.limits(None),
            is_whole: true,
            before: Arc::new(before),
            folders: folders::Found::default(),
            selection: None,
            excludes,
            exclude_in: ExcludeIn::Source,
            progress,
            success: Success::Report,
            settings,
        })
    }

    /// The sink for a source.
    pub(crate) fn scanner(&self) -> Opener<Scanner> {
        let options = Options {
            only: self.settings.only.clone(),
            context: self.context,
            unused_markers: self.settings.common.found.report_unused,
            before: Arc::clone(&self.before),
            excludes_inside: self.excludes.clone(),
            excludes: match self.exclude_in {
                ExcludeIn::Source | ExcludeIn::Findings => Globs::default(),
                ExcludeIn::Scanner => self.excludes.clone(),
            },
            stop: Arc::clone(&self.stop),
            counters: Arc::clone(&self.counters),
            ..Options::default()
        };
        Opener::new(Scanner::new(Arc::clone(&self.engine), options), self.limits)
    }

    /// Limits the bytes unpacked from one file to what is bearable for a waiting person, unless the command line says
    /// more.
    pub(crate) fn with_output(mut self, bytes: u64) -> Self {
        self.limits = self.common().open.limits(Some(bytes));
        self
    }

    /// Leaves paths out at another stage than in the source.
    pub(crate) fn exclude_in(mut self, stage: ExcludeIn) -> Self {
        self.exclude_in = stage;
        self
    }

    /// Says less if there is nothing to report.
    pub(crate) fn on_success(mut self, success: Success) -> Self {
        self.success = success;
        self
    }

    /// Reports only what was found at some paths.
    pub(crate) fn select(mut self, selection: Option<Selection>) -> Self {
        self.is_whole &= selection.is_none();
        self.selection = selection;
        self
    }

    /// Returns true if only some paths are reported.
    pub(crate) fn is_selective(&self) -> bool {
        self.selection.is_some()
    }

    /// Ends a run that had nothing to look at, and says so.
    pub(crate) fn finish_nothing(self, located: Located, what: &str) -> Result<Exit, Failure> {
        if !self.common().quiet {
            print_line(&format!("note: {what}"));
        }
        let common = self.common();
        let is_text = common.format() == Format::Text && common.report.is_empty();
        // A report of nothing is for programs that read reports.
        if is_text && located.coverage().skipped.is_empty() {
            return Ok(Exit::Clean);
        }
        let (judged, unused) = self.policy()?.judge(located);
        self.report(judged, &unused)
    }

    /// Returns the exceptions in force before the change under scan.
    pub(crate) fn before(&self) -> &Exceptions {
        &self.before
    }

    /// Takes in what the configurations of folders, those above old versions, excepted before the change: at the base,
    /// and in `parents`, which give old versions too. What one of them excepted is not known.
    pub(crate) fn look_before(
        &mut self,
        places: &Places<'_>,
        parents: Vec<Place<'_>>,
        above: BTreeSet<BString>,
    ) {
        let found = &self.common().found;
        let counts = named_config(self.common()).is_none() && !found.no_config;
        let Some(base) = places.base.filter(|_| counts) else {
            return;
        };
        if above.is_empty() && parents.is_empty() {
            return;
        }
        let mut before = Exceptions::clone(&self.before);
        let mut unite = |place, is_parent| {
            let rules = &self.settings.rules;
            let found = folders::read(place, above.clone(), rules, folders::Faults::Ignore)?;
            before.folders.extend(found.folders);
            if is_parent {
                let root = settings::before(place)?;
                before.excludes.extend(root.excludes);
                before.allowlist.extend(root.allowlist);
            }
            Ok::<(), Failure>(())
        };
        let united = unite(base, false).and_then(|()| {
            let mut parents = parents.into_iter();
            parents.try_for_each(|parent| unite(parent, true))
        });
        // Where one cannot be read nothing counts as known: everything is new.
        self.before = Arc::new(match united {
            Ok(()) => before,
            Err(_) => everything(),
        });
    }

    /// The command line with the configuration behind it.
    pub(crate) fn common(&self) -> &Common {
        &self.settings.common
    }

    /// Takes the progress off the screen.
    pub(crate) fn end_progress(&mut self) {
        self.progress = None;
    }

    /// Everything that decides which findings count.
    fn policy(&self) -> Result<Policy, Failure> {
        let settings = &self.settings;
        let mut excludes = vec![settings.excludes.clone()];
        excludes.extend((self.exclude_in == ExcludeIn::Findings).then(|| self.excludes.clone()));
        let levels = settings.levels.iter().filter_map(|(rule, wanted)| {
            let own = settings.rules.rules.get(settings.rules.index_of(rule)?)?;
            let relevel = Relevel {
                own: own.level,
                wanted: *wanted,
            };
            Some((rule.clone(), relevel))
        });
        Ok(Policy {
            exceptions: Exceptions {
                excludes,
                allowlist: settings.allowlist.clone(),
                folders: self.folders.folders.clone(),
            },
            selection: self.selection.clone(),
            levels: levels.collect(),
            baseline: settings.baseline.clone(),
            today: now()?.map(Date::of_epoch),
            allow_incomplete: settings.common.allow_incomplete.iter().copied().collect(),
        })
    }

    /// Goes on with the paths that the source gave.
    pub(crate) fn in_place(&self, scanned: Scanned) -> Located {
        scanned.in_place(&self.settings.paths)
    }

    /// Decides which findings count, with the configurations of the folders that they were found in.
    pub(crate) fn judge(
        &mut self,
        located: Located,
        places: &Places<'_>,
    ) -> Result<(Judged, Unused), Failure> {
        if let Some(place) = folders_place(self.common(), places)? {
            let rules = &self.settings.rules;
            self.folders = folders::read(place, located.folders(), rules, folders::Faults::Refuse)?;
            self.settings.said.extend(self.folders.said());
        }
        Ok(self.policy()?.judge(located))
    }

    /// Cuts secrets out of everything that may be printed.
    pub(crate) fn redact(&self, judged: Judged) -> Redacted {
        scan::redact(&self.engine, judged)
    }

    /// The hash of the rules in force.
    pub(crate) fn rules_hash(&self) -> String {
        self.engine.rules().hash().to_owned()
    }

    /// Judges the findings, writes all reports and says how the program ends.
    pub(crate) fn finish(mut self, located: Located, places: &Places<'_>) -> Result<Exit, Failure> {
        let (judged, unused) = self.judge(located, places)?;
        self.report(judged, &unused)
    }

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
        report.settings = &self.settings.said;
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
        match self.success {
            Success::Line if says_little => {
                output::to_stdout(|out| report::text::write_brief(out, &report))?;
            }
            Success::Silent if says_little => {}
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
        let unused_allows = unused.allows.iter().filter(|_| self.is_whole);
        for allow in unused_allows.filter_map(|number| allows.get(*number)) {
            let line = allow.line;
            lines.push(format!(
                "warning: {name}:{line}: this [[allow]] covers no finding"
            ));
        }
        let of_folders = unused.folder_allows.iter().filter(|_| self.is_whole);
        for spot in of_folders.filter_map(|allow| self.folders.allows.get(allow)) {
            lines.push(format!("warning: {spot}: this [[allow]] covers no finding"));
        }
        for entry in unused.entries.iter().filter(|_| self.is_whole) {
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
fn check_outputs(common: &Common) -> Result<(), Failure> {
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
