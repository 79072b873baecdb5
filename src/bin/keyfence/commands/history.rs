//! `keyfence history`: every object that a repository holds, or a part of them.

use std::num::NonZero;
use std::sync::Arc;

use bstr::BString;
use keyfence::finding::Level;
use keyfence::scan::{EngineProbe, Outcome};
use keyfence::source::Progress;
use keyfence::source::history::provenance::{self, Error};
use keyfence::source::history::select::{self, Selected};
use keyfence::source::history::{History, MAX_OBJECT_SIZE, Scanned};
use keyfence::source::repository::Repository;

use super::range::{self, Job};
use super::staged::open;
use crate::args::{HistoryArgs, Limits};
use crate::date;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::session::{ExcludeIn, Session, now};

/// Runs the command.
pub(crate) fn run(args: &HistoryArgs) -> Result<Exit, Failure> {
    let repository = open(&args.repository)?;
    if let Some(ranges) = range::asked(&repository, args)? {
        return range::run(&Job {
            repository: &repository,
            ranges,
            common: &args.common,
            max_object_size: args.max_object_size,
            all: args.limits.all,
            advice: None,
        });
    }
    let selected = selected(&repository, &args.limits)?;
    let gix = repository
        .gix()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let progress = Arc::new(Progress::default());
    let session = Session::start_with(&args.common, "objects", Some(Arc::clone(&progress)))?;
    // What stands between source and findings are object ids: paths are known, and held against
    // `--exclude`, afterwards.
    let (scanner, collector) = session.scanner(ExcludeIn::Source);
    let probe = EngineProbe::new(Arc::clone(&session.engine), Arc::clone(&session.stop));
    let mut history = History::of(&gix)
        .and_objects(repository.objects_dirs().iter().skip(1).cloned())
        .threads(args.common.threads.unwrap_or(0))
        .max_object_size(args.max_object_size.unwrap_or(MAX_OBJECT_SIZE))
        .progress(progress);
    let mut skips = Vec::new();
    if let Some(selected) = selected {
        history = history.only(Arc::new(selected.objects));
        skips = selected.skips;
    }
    let scanned = history
        .scan(scanner, Some(&probe))
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let mut outcome = collector.finish();
    for skip in skips {
        outcome.coverage.skip(skip);
    }
    locate(&repository, scanned, &session, args, &mut outcome)?;
    outcome.exclude(session.excludes());
    session.finish(outcome)
}

/// What the scan is limited to; `None` for everything, whatever refers to it.
fn selected(repository: &Repository, limits: &Limits) -> Result<Option<Selected>, Failure> {
    let since = match &limits.since {
        Some(text) => Some(date::parse(text, now()?).ok_or_else(|| {
            Failure::bare(Kind::Usage, format!("--since: {text:?} is no date"))
                .hint("write a date such as 2024-05-31, or a length of time such as 30d or 2 weeks")
        })?),
        None => None,
    };
    if !limits.reachable && limits.branch.is_empty() && since.is_none() {
        return Ok(None);
    }
    let tips = if limits.branch.is_empty() {
        select::all_tips(repository)
    } else {
        let names: Vec<BString> = limits
            .branch
            .iter()
            .map(|name| name.as_str().into())
            .collect();
        select::branch_tips(repository, &names)
    };
    let tips = tips.map_err(range::failed)?;
    Ok(Some(select::reachable_objects(repository, &tips, since)))
}

/// Looks up who brought the findings in. Without notes in the report, nobody asks where those come from.
fn locate(
    repository: &Repository,
    scanned: Scanned,
    session: &Session<'_>,
    args: &HistoryArgs,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let is_asked = |level: Level| {
        level > Level::Note
            || args.common.show_notes
            || !args.common.exclude.is_empty()
            || args.common.fail_on.level() == Some(Level::Note)
    };
    if !outcome
        .findings
        .iter()
        .any(|finding| is_asked(finding.level))
    {
        return Ok(());
    }
    let threads = args
        .common
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let options = provenance::Options {
        threads,
        stop: &session.stop,
        stage: &|_| (),
    };
    match provenance::locate_after(repository, Some(scanned), &outcome.objects(), options) {
        Ok(located) => outcome.locate(located),
        // The findings are worth more without their commits than not at all; the run says that it was cut short.
        Err(Error::Interrupted) => outcome.interrupted(),
        Err(error) => return Err(Failure::of(Kind::System, &error)),
    }
    Ok(())
}
