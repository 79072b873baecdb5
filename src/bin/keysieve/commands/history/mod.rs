//! `keysieve history`: every object that a repository holds, or a part of them.

mod replace;

use std::sync::Arc;

use keysieve::git::repository::Repository;
use keysieve::source::Progress;

use crate::args::HistoryArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::run::{ExcludeIn, Needs, Run};
use crate::scanning::{objects, selection};

/// Runs the command.
pub(crate) fn run(repository: &Repository, args: &HistoryArgs) -> Result<Exit, Failure> {
    let selection = selection::of_history(repository, args)?;
    if let Some(file) = &args.replace_text {
        replace::check(file, repository)?;
    }
    let progress = Arc::new(Progress::default());
    let sources = objects::sources(repository);
    let needs = Needs {
        source: Some(Arc::clone(&progress)),
        exclude_in: ExcludeIn::Findings,
        is_whole: selection.is_none(),
        selection,
        ..Needs::of("objects")
    };
    let mut run = Run::start(&args.common, &sources, needs)?;
    let located = objects::collect(repository, &run, args, progress)?;
    let (judged, unused) = run.judge(located, &sources)?;
    run.end_progress();
    if let Some(file) = &args.replace_text {
        replace::write(file, repository, &judged)?;
    }
    run.report(judged, &unused)
}
