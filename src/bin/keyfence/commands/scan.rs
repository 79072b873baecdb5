//! `keyfence scan`: directories, files, standard input.

use std::path::{Path, PathBuf};

use keyfence::source;
use keyfence::source::stdin::Stdin;
use keyfence::source::worktree::{Exclude, Options, Worktree};

use super::explain;
use crate::args::ScanArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::session::{ExcludeIn, Session};

/// Runs the command.
pub(crate) fn run(args: &ScanArgs) -> Result<Exit, Failure> {
    if let Some(place) = &args.explain {
        return explain::run(place, args);
    }
    let (stdin, roots): (Vec<PathBuf>, Vec<PathBuf>) = args
        .paths
        .iter()
        .cloned()
        .partition(|path| path == Path::new("-"));
    if args.path.is_some() && stdin.is_empty() {
        return Err(Failure::bare(
            Kind::Usage,
            "--path names standard input, which is not scanned",
        )
        .hint("give - as the path to scan standard input"));
    }
    if args.paths.len() > roots.len() + 1 {
        return Err(Failure::bare(Kind::Usage, "- is given more than once"));
    }
    let session = Session::start(&args.common, "files")?;
    let (scanner, collector) = session.scanner(ExcludeIn::Source);
    if !roots.is_empty() {
        let worktree = Worktree {
            roots,
            options: options(args)?,
        };
        worktree.scan(scanner.clone()).map_err(failed)?;
    }
    if !stdin.is_empty() {
        let mut source = Stdin {
            max_size: args.max_file_size,
            ..Stdin::default()
        };
        if let Some(name) = &args.path {
            source.path = name.as_str().into();
        }
        source.scan(scanner.clone()).map_err(failed)?;
    }
    drop(scanner);
    session.finish(collector.finish())
}

/// What the walk is to do.
pub(super) fn options(args: &ScanArgs) -> Result<Options, Failure> {
    Ok(Options {
        respect_ignore: !args.no_ignore,
        follow: args.follow,
        threads: args.common.threads,
        max_file_size: args.max_file_size,
        exclude: Exclude::new(&args.common.exclude).map_err(failed)?,
    })
}

/// Why a source could not do its work.
pub(super) fn failed(error: source::Error) -> Failure {
    let kind = match error {
        source::Error::Glob { .. } => Kind::Usage,
        _ => Kind::System,
    };
    Failure::of(kind, &error)
}
