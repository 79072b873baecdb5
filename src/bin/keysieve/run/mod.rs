//! A run of a scanning command: everything it needs, built once from what was typed and what the configuration says;
//! then a sink for its source, the verdict on what that found, and the reports.

mod folders;
mod outcome;
mod progress;
mod reader;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bstr::BString;
use keysieve::engine::Engine;
use keysieve::finding::{Judged, Located, Redacted, Scanned};
use keysieve::policy::{Exceptions, Globs, Policy, Relevel, Selection, Unused};
use keysieve::report::Format;
use keysieve::scan::{self, Counters, Options, Scanner};
use keysieve::source;
use keysieve::source::container::{Limits, Opener};
use keysieve::text::date::Date;

use crate::args::Common;
use crate::date::now;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_line};
use crate::{interrupt, terminal};

pub(crate) use folders::{Faults, Found, Met, file_in, on_disk, read as read_folders};
pub(crate) use outcome::{incomplete, tool};
use progress::Progress;
pub(crate) use reader::SettingsSource;
pub(crate) use settings::{Settings, SettingsSources, disk_root, folders_source, named_config};

/// One run of a scanning command.
#[derive(Debug)]
pub(crate) struct Run {
    settings: Settings,
    engine: Arc<Engine>,
    /// Set when a signal asks the run to end.
    stop: Arc<AtomicBool>,
    counters: Arc<Counters>,
    limits: Limits,
    excludes: Globs,
    before: Arc<Exceptions>,
    folders: Found,
    progress: Option<Progress>,
    needs: Needs,
}

/// Properties of a run that its command decides.
#[derive(Clone, Debug)]
pub(crate) struct Needs {
    /// The things that progress counts.
    pub(crate) noun: &'static str,
    /// Progress of a source that knows how much there is to read and how far it has come.
    pub(crate) source: Option<Arc<source::Progress>>,
    /// Lines shown around a finding.
    pub(crate) context: usize,
    /// Bytes that may come out of one container, unless the command line says more; `None` for the usual limit.
    pub(crate) output: Option<u64>,
    /// The stage at which paths are held against `--exclude`.
    pub(crate) exclude_in: ExcludeIn,
    /// The output, in text, of a run without findings.
    pub(crate) when_clean: WhenClean,
    /// The paths whose findings are reported; `None` for all.
    pub(crate) selection: Option<Selection>,
    /// False for a scan of a change only: entries of the baseline without a finding are then no news.
    pub(crate) is_whole: bool,
}

impl Needs {
    /// Those of a scan of everything, of which `noun` is counted.
    pub(crate) fn of(noun: &'static str) -> Self {
        Self {
            noun,
            source: None,
            context: Options::default().context,
            output: None,
            exclude_in: ExcludeIn::Source,
            when_clean: WhenClean::Report,
            selection: None,
            is_whole: true,
        }
    }
}

/// The output, in text, of a run without findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenClean {
    /// The whole report, with what was scanned and skipped.
    Report,
    /// One line, among those of other hooks.
    Line,
    /// Nothing: it would be noise on the other side of a push, or a second time.
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

impl Run {
    /// Reads the settings, refuses what cannot be written, and gets ready to scan.
    pub(crate) fn start(
        common: &Common,
        sources: &SettingsSources<'_>,
        needs: Needs,
    ) -> Result<Self, Failure> {
        let settings = Settings::load(common, sources)?;
        let common = &settings.common;
        outcome::check_outputs(common)?;
        let excludes = Globs::new(common.exclude.iter().map(String::as_str))
            .map_err(|error| Failure::of(Kind::Usage, &error))?;
        let mut before = settings.before.clone();
        before.excludes.push(excludes.clone());
        let counters = Arc::new(Counters::default());
        let is_watched = !common.quiet && !common.no_progress && terminal::stderr_is_watched();
        let progress = is_watched
            .then(|| Progress::start(Arc::clone(&counters), needs.source.clone(), needs.noun));
        Ok(Self {
            engine: Arc::new(Engine::new(Arc::new(settings.rules.clone()))),
            stop: interrupt::stop(),
            counters,
            limits: common.open.limits(needs.output),
            excludes,
            before: Arc::new(before),
            folders: Found::default(),
            progress,
            needs,
            settings,
        })
    }

    /// Everything that decides what counts.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The engine with the rules in force.
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The flag that a signal or a deadline sets to end the run.
    pub(crate) fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// Limits on the opening of containers.
    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// The sink for a source.
    pub(crate) fn scanner(&self) -> Opener<Scanner> {
        let options = Options {
            only: self.settings.only.clone(),
            context: self.needs.context,
            unused_markers: self.settings.common.found.report_unused,
            before: Arc::clone(&self.before),
            excludes_inside: self.excludes.clone(),
            excludes: match self.needs.exclude_in {
                ExcludeIn::Source | ExcludeIn::Findings => Globs::default(),
                ExcludeIn::Scanner => self.excludes.clone(),
            },
            stop: Arc::clone(&self.stop),
            counters: Arc::clone(&self.counters),
            ..Options::default()
        };
        Opener::new(Scanner::new(Arc::clone(&self.engine), options), self.limits)
    }

    /// Returns true if only some paths are reported.
    pub(crate) fn is_selective(&self) -> bool {
        self.needs.selection.is_some()
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
        sources: &SettingsSources<'_>,
        parents: Vec<SettingsSource<'_>>,
        above: BTreeSet<BString>,
    ) {
        let found = &self.common().found;
        let counts = named_config(self.common()).is_none() && !found.no_config;
        let Some(base) = sources.base.filter(|_| counts) else {
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
            Err(_) => settings::everything(),
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
        excludes
            .extend((self.needs.exclude_in == ExcludeIn::Findings).then(|| self.excludes.clone()));
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
            selection: self.needs.selection.clone(),
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
        sources: &SettingsSources<'_>,
    ) -> Result<(Judged, Unused), Failure> {
        if let Some(place) = folders_source(self.common(), sources)? {
            let rules = &self.settings.rules;
            self.folders = folders::read(place, located.folders(), rules, folders::Faults::Refuse)?;
            self.settings.loaded_from.extend(self.folders.said());
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
    pub(crate) fn finish(
        mut self,
        located: Located,
        sources: &SettingsSources<'_>,
    ) -> Result<Exit, Failure> {
        let (judged, unused) = self.judge(located, sources)?;
        self.report(judged, &unused)
    }
}
