//! `keyfence history`: every object that a repository holds.

use std::num::NonZero;
use std::sync::Arc;

use keyfence::finding::Level;
use keyfence::scan::{EngineProbe, Outcome};
use keyfence::source::Progress;
use keyfence::source::history::provenance::{self, Error};
use keyfence::source::history::{History, MAX_OBJECT_SIZE};

use super::staged::open;
use crate::args::HistoryArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::session::{ExcludeIn, Session};

/// Runs the command.
pub(crate) fn run(args: &HistoryArgs) -> Result<Exit, Failure> {
    let repository = open(&args.repository)?;
    let gix = repository
        .gix()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let progress = Arc::new(Progress::default());
    let session = Session::start_with(&args.common, "objects", Some(Arc::clone(&progress)))?;
    // What stands between source and findings are object ids: paths are known, and held against
    // `--exclude`, afterwards.
    let (scanner, collector) = session.scanner(ExcludeIn::Source);
    let probe = EngineProbe::new(Arc::clone(&session.engine), Arc::clone(&session.stop));
    let history = History::of(&gix)
        .and_objects(repository.objects_dirs().iter().skip(1).cloned())
        .threads(args.common.threads.unwrap_or(0))
        .max_object_size(args.max_object_size.unwrap_or(MAX_OBJECT_SIZE))
        .progress(progress);
    history
        .scan(scanner, Some(&probe))
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let mut outcome = collector.finish();
    locate(&gix, &session, args, &mut outcome)?;
    outcome.exclude(session.excludes());
    session.finish(outcome)
}

/// Looks up who brought the findings in. Without notes in the report, nobody asks where those come from.
fn locate(
    gix: &gix::Repository,
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
    match provenance::locate(gix, &outcome.objects(), options) {
        Ok(located) => outcome.locate(located),
        // The findings are worth more without their commits than not at all; the run says that it was cut short.
        Err(Error::Interrupted) => outcome.interrupted(),
        Err(error) => return Err(Failure::of(Kind::System, &error)),
    }
    Ok(())
}
