//! `keysieve hook run commit-msg`: the message of a commit, before it is history.

use std::path::Path;

use keysieve::blob::Blob;
use keysieve::coverage::{Skip, SkipReason};
use keysieve::hook::message::written_part;
use keysieve::provenance::Provenance;
use keysieve::report::escape;
use keysieve::source::BlobSink as _;

use crate::args::CommitMsgArgs;
use crate::exit::Exit;
use crate::failure::{Failure, print_error};
use crate::run::{Needs, Run, WhenClean, disk_root};
use crate::scanning::disk;

/// Runs the command.
pub(crate) fn run(args: &CommitMsgArgs) -> Result<Exit, Failure> {
    let (root, paths) = disk_root(Path::new("."), &[])?;
    let sources = disk::sources(&root, paths);
    let needs = Needs {
        when_clean: WhenClean::Silent,
        is_whole: false,
        ..Needs::of("messages")
    };
    let run = Run::start(&args.common, &sources, needs)?;
    let mut scanner = run.scanner();
    let path = args.file.to_string_lossy().into_owned();
    match std::fs::read(&args.file) {
        Ok(bytes) => {
            let provenance = Provenance::File {
                path: path.as_str().into(),
            };
            // There is nothing left to break off.
            let _ = scanner.blob(Blob {
                bytes: written_part(&bytes),
                provenance: &provenance,
            });
        }
        Err(error) => scanner.skip(Skip::with_detail(
            SkipReason::Unreadable,
            path.as_str(),
            error,
        )),
    }
    let is_for_people = run.common().is_for_people();
    let located = run.in_place(scanner.into_inner().finish());
    let exit = run.finish(located, &sources)?;
    if exit != Exit::Clean && is_for_people {
        print_error("error: keysieve stopped this commit\n");
    }
    if exit == Exit::Findings && is_for_people {
        let path = escape::terminal(&path);
        print_error(&format!(
            "hint: take the secret out of the message; what you wrote is kept:\n      \
             git commit --edit --file={path}\n\
             hint: rotate it if it was ever pushed\n"
        ));
    }
    Ok(exit)
}
