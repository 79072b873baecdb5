//! `keyfence history`: every object that a repository holds.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use keyfence::finding::Level;
use keyfence::scan::{EngineProbe, Outcome};
use keyfence::source::Progress;
use keyfence::source::history::cache::Cache;
use keyfence::source::history::provenance::{self, Error};
use keyfence::source::history::{History, MAX_OBJECT_SIZE};
use keyfence::source::repository::Repository;

use super::staged::open;
use crate::args::HistoryArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::session::{ExcludeIn, Session};

/// Runs the command.
pub(crate) fn run(args: &HistoryArgs) -> Result<Exit, Failure> {
    let repository = open(&args.repository)?;
    let progress = Arc::new(Progress::default());
    let session = Session::start_with(&args.common, "objects", Some(Arc::clone(&progress)))?;
    // What stands between source and findings are object ids: paths are known, and held against
    // `--exclude`, afterwards.
    let (scanner, collector) = session.scanner(ExcludeIn::Source);
    let probe = EngineProbe::new(Arc::clone(&session.engine), Arc::clone(&session.stop));
    let gix = repository
        .gix()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let history = History::of(&gix)
        .and_objects(repository.objects_dirs().iter().skip(1).cloned())
        .threads(args.common.threads.unwrap_or(0))
        .max_object_size(args.max_object_size.unwrap_or(MAX_OBJECT_SIZE))
        .progress(progress);
    let cache = match &args.cache {
        Some(directory) => Some(cache(directory, &gix, &history, &session, args)?),
        None => None,
    };
    let history = match &cache {
        Some(cache) => history.cache(Arc::clone(cache)),
        None => history,
    };
    history
        .scan(scanner, Some(&probe))
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let mut outcome = collector.finish();
    if let (Some(cache), Some(unclean)) = (&cache, outcome.unclean())
        && let Err(error) = cache.save(&unclean)
    {
        // The next scan takes longer; this one has done what was asked.
        print_error(&format!("warning: the cache was not written: {error}\n"));
    }
    locate(&repository, &session, args, &mut outcome)?;
    outcome.exclude(session.excludes());
    session.finish(outcome)
}

/// What earlier scans with the same settings have found clean.
fn cache(
    directory: &Path,
    repository: &gix::Repository,
    history: &History,
    session: &Session<'_>,
    args: &HistoryArgs,
) -> Result<Arc<Cache>, Failure> {
    let place = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let place = place.canonicalize().unwrap_or(place);
    let is_inside = [repository.git_dir(), repository.common_dir()]
        .iter()
        .any(|inside| place.starts_with(inside.canonicalize().unwrap_or(inside.to_path_buf())));
    if is_inside {
        let message = "the cache would be written into the repository that is scanned";
        return Err(Failure::bare(Kind::Usage, message).hint("name a directory outside of it"));
    }
    let mut settings: Vec<&[u8]> = args.common.only.iter().map(String::as_bytes).collect();
    settings.sort_unstable();
    settings.push(session.engine.rules().hash.as_bytes());
    Ok(Arc::new(Cache::open(directory, history, &settings)))
}

/// Looks up who brought the findings in. Without notes in the report, nobody asks where those come from.
fn locate(
    repository: &Repository,
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
    match provenance::locate(repository, &outcome.objects(), options) {
        Ok(located) => outcome.locate(located),
        // The findings are worth more without their commits than not at all; the run says that it was cut short.
        Err(Error::Interrupted) => outcome.interrupted(),
        Err(error) => return Err(Failure::of(Kind::System, &error)),
    }
    Ok(())
}
