//! `keyfence hook run commit-msg`: the message of a commit, before it is history.

use keyfence::blob::Blob;
use keyfence::coverage::{Skip, SkipReason};
use keyfence::hook::message::written_part;
use keyfence::provenance::Provenance;
use keyfence::report::Format;
use keyfence::source::BlobSink as _;

use crate::args::CommitMsgArgs;
use crate::exit::Exit;
use crate::failure::{Failure, print_error};
use crate::session::{ExcludeIn, Session, Success};

/// Runs the command.
pub(crate) fn run(args: &CommitMsgArgs) -> Result<Exit, Failure> {
    let session = Session::start(&args.common, "messages")?.on_success(Success::Silent);
    let (mut scanner, collector) = session.scanner(ExcludeIn::Source);
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
    drop(scanner);
    let is_for_people = args.common.format == Format::Text && !args.common.quiet;
    let exit = session.finish(collector.finish())?;
    if exit == Exit::Findings && is_for_people {
        print_error(&format!(
            "error: keyfence stopped this commit\n\
             hint: take the secret out of the message; what you wrote is kept:\n      \
             git commit --edit --file={path}\n\
             hint: rotate it if it was ever pushed\n"
        ));
    }
    Ok(exit)
}
