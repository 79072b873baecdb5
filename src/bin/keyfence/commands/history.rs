//! `keyfence history`: every object that a repository holds, or a part of them.

use std::num::NonZero;
use std::sync::Arc;

use bstr::BString;
use keyfence::finding::Level;
use keyfence::gate::Base;
use keyfence::scan::{EngineProbe, Outcome};
use keyfence::source::Progress;
use keyfence::source::history::provenance::{self, Error};
use keyfence::source::history::select::{self, Selected};
use keyfence::source::history::{History, MAX_OBJECT_SIZE};
use keyfence::source::repository::Repository;

use super::range::{self, Job};
use super::staged::open;
use crate::args::{HistoryArgs, Limits};
use crate::date;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::session::{ExcludeIn, Session, Success, now};
use crate::settings::{Place, Places};

/// Runs the command.
pub(crate) fn run(args: &HistoryArgs) -> Result<Exit, Failure> {
    let repository = open(&args.repository)?;
    if let Some(ranges) = range::asked(&repository, args)? {
        let base = range::base_of(&repository, &ranges);
        return range::run(&Job {
            repository: &repository,
            ranges,
            base,
            common: &args.common,
            max_object_size: args.max_object_size,
            all: args.limits.all,
            advice: None,
            success: Success::Report,
            pushed: Vec::new(),
        });
    }
    let progress = Arc::new(Progress::default());
    let session = Session::start_with(
        &args.common,
        &places(&repository)?,
        "objects",
        Some(Arc::clone(&progress)),
    )?;
    let outcome = collect(&repository, &session, args, progress)?;
    session.finish(outcome)
}

/// What the objects of the repository hold, and who brought it in.
pub(super) fn collect(
    repository: &Repository,
    session: &Session,
    args: &HistoryArgs,
    progress: Arc<Progress>,
) -> Result<Outcome, Failure> {
    let selected = selected(repository, &args.limits)?;
    let gix = repository
        .gix()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let max_object_size = session.settings.file.max_object_size.as_ref();
    let max_object_size = args
        .max_object_size
        .or(max_object_size.map(|set| set.value));
    // What stands between source and findings are object ids: paths are known, and held against
    // `--exclude`, afterwards.
    let (scanner, collector) = session.scanner(ExcludeIn::Source);
    let probe = EngineProbe::new(Arc::clone(&session.engine), Arc::clone(&session.stop));
    let mut history = History::of(&gix)
        .and_objects(repository.objects_dirs().iter().skip(1).cloned())
        .threads(session.common().threads.unwrap_or(0))
        .max_object_size(max_object_size.unwrap_or(MAX_OBJECT_SIZE))
        .progress(progress);
    let mut skips = Vec::new();
    if let Some(selected) = selected {
        history = history.only(Arc::new(selected.objects));
        skips = selected.skips;
    }
    history
        .scan(scanner, Some(&probe))
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let mut outcome = collector.finish();
    for skip in skips {
        outcome.coverage.skip(skip);
    }
    locate(repository, session, &mut outcome)?;
    outcome.exclude(session.excludes());
    Ok(outcome)
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

/// Settings come from the disk of a work tree, else from `HEAD`.
pub(super) fn places(repository: &Repository) -> Result<Places<'_>, Failure> {
    let head = repository
        .head_id()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let head = head.map_or(Place::Nowhere, |id| Place::Commit(repository, id));
    Ok(Places {
        usual: repository.work_dir().map_or(head, Place::Disk),
        base: None,
        head: Some(head),
        paths: Base::Root,
    })
}

/// Looks up who brought the findings in. Without notes in the report, nobody asks where those come from.
fn locate(
    repository: &Repository,
    session: &Session,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let common = session.common();
    let is_asked = |level: Level| {
        level > Level::Note
            || common.show_notes
            || !common.exclude.is_empty()
            || common.fail_on() == Some(Level::Note)
    };
    if !outcome
        .findings
        .iter()
        .any(|finding| is_asked(finding.level))
    {
        return Ok(());
    }
    let threads = common
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let options = provenance::Options {
        threads,
        stop: &session.stop,
        stage: &|_| (),
    };
    match provenance::locate(repository, &outcome.objects(), options) {
        Ok(located) => outcome.locate(located),
        // The findings are worth more without their commits than not at all; the run says that it was cut short.
        Err(Error::Interrupted) => {
            outcome.latent.clear();
            outcome.interrupted();
        }
        Err(error) => return Err(Failure::of(Kind::System, &error)),
    }
    Ok(())
}
