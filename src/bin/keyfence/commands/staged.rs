//! `keyfence staged`: what the next commit would record.

use std::path::Path;

use keyfence::gate::Base;
use keyfence::report::escape;
use keyfence::scan::Outcome;
use keyfence::source::repository::{self, GitEnvironment};
use keyfence::source::staged::{Index, Options, Staged};

use super::scan::failed;
use crate::args::StagedArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::session::{ExcludeIn, Session};
use crate::settings::{Place, Places};

/// Runs the command.
pub(crate) fn run(args: &StagedArgs) -> Result<Exit, Failure> {
    let repository = open(Path::new("."))?;
    // Read once: for the settings, and for what is staged.
    let index = Index::load(&repository).map_err(failed)?;
    let mut session = Session::start(&args.common, &places(&repository, &index)?, "blobs")?;
    session.is_whole = false;
    let mut all_files = args.all_files;
    let mut outcome;
    loop {
        let (scanner, collector) = session.scanner(ExcludeIn::Scanner);
        let staged = Staged {
            repository: &repository,
            options: Options { all_files },
        };
        let found = staged.scan_index(&index, scanner).map_err(failed)?;
        outcome = collector.finish();
        // The pre-commit framework says nothing of its --all-files.
        if found.is_empty() && !all_files && is_under_pre_commit() {
            all_files = true;
            continue;
        }
        if found.is_empty() && !all_files && !session.common().quiet {
            print_error("note: nothing is staged\n");
        }
        break;
    }
    if !args.all && !all_files {
        outcome.take_known();
    }
    let unused = session.judge(&mut outcome)?;
    let advice = advice(&outcome);
    let is_for_people = session.common().is_for_people();
    let exit = session.report(outcome, &unused)?;
    if exit == Exit::Findings && is_for_people {
        print_error(&advice);
    }
    Ok(exit)
}

/// Settings come from what is being committed.
fn places<'r>(
    repository: &'r repository::Repository,
    index: &'r Index,
) -> Result<Places<'r>, Failure> {
    let head = repository
        .head_id()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let before = head.map_or(Place::Nowhere, |id| Place::Commit(repository, id));
    Ok(Places {
        usual: Place::Index(repository, index),
        base: Some(before),
        head: Some(Place::Index(repository, index)),
        paths: Base::Root,
    })
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
        .iter()
        .find(|finding| finding.accepted.is_none())
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
