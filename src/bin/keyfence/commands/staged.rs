//! `keyfence staged`: what the next commit would record.

use std::path::Path;

use keyfence::report::{Format, escape};
use keyfence::scan::Outcome;
use keyfence::source::repository::{self, GitEnvironment};
use keyfence::source::staged::{Options, Staged};

use super::scan::failed;
use crate::args::StagedArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::session::{ExcludeIn, Session};

/// Runs the command.
pub(crate) fn run(args: &StagedArgs) -> Result<Exit, Failure> {
    let repository = open(Path::new("."))?;
    let session = Session::start(&args.common, "blobs")?;
    let mut all_files = args.all_files;
    let mut outcome;
    loop {
        let (scanner, collector) = session.scanner(ExcludeIn::Scanner);
        let staged = Staged {
            repository: &repository,
            options: Options { all_files },
        };
        let found = staged.scan(scanner).map_err(failed)?;
        outcome = collector.finish();
        // The pre-commit framework says nothing of its --all-files.
        if found.is_empty() && !all_files && is_under_pre_commit() {
            all_files = true;
            continue;
        }
        if found.is_empty() && !all_files && !args.common.quiet {
            print_error("note: nothing is staged\n");
        }
        break;
    }
    if !args.all && !all_files {
        outcome.take_known();
    }
    let advice = advice(&outcome);
    let is_for_people = args.common.format == Format::Text && !args.common.quiet;
    let exit = session.finish(outcome)?;
    if exit == Exit::Findings && is_for_people {
        print_error(&advice);
    }
    Ok(exit)
}

/// The repository around `path`, as Git's environment has it.
pub(super) fn open(path: &Path) -> Result<repository::Repository, Failure> {
    let environment = GitEnvironment::from_env(|name| std::env::var_os(name));
    repository::open(path, &environment).map_err(|error| Failure::of(Kind::System, &error))
}

pub(super) fn is_under_pre_commit() -> bool {
    std::env::var_os("PRE_COMMIT").is_some_and(|value| value == "1")
}

/// What to do now, in two lines.
fn advice(outcome: &Outcome) -> String {
    let path = outcome
        .findings
        .first()
        .map(|finding| finding.first_place().path.to_string())
        .filter(|path| !path.contains(|c: char| c.is_whitespace() || "'\"\\$`".contains(c)))
        .filter(|path| escape::terminal(path) == path.as_str())
        .unwrap_or_else(|| "FILE".to_owned());
    format!(
        "hint: take the secret out and stage the file again, or leave the file out of this commit:\n      \
         git restore --staged {path}\n\
         hint: rotate it if it was ever pushed; if it is no secret, write on its line: keyfence:allow RULE REASON\n"
    )
}
