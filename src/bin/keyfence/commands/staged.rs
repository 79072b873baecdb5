//! `keyfence staged`: what the next commit would record.

use std::ffi::OsString;
use std::path::Path;

use bstr::{BString, ByteSlice as _};
use gix::ObjectId;
use keyfence::report::{Format, escape};
use keyfence::scan::Outcome;
use keyfence::source::history::revision::{Range, Side, push_range};
use keyfence::source::repository::{self, GitEnvironment};
use keyfence::source::staged::{Options, Staged};

use super::range::{self, Job};
use super::scan::failed;
use crate::args::StagedArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::session::{ExcludeIn, Session};

/// Runs the command.
pub(crate) fn run(args: &StagedArgs) -> Result<Exit, Failure> {
    let repository = open(Path::new("."))?;
    if is_under_pre_commit()
        && let Some(ranges) = framework_range(&repository)?
    {
        return range::run(&Job {
            repository: &repository,
            ranges: vec![ranges],
            common: &args.common,
            max_object_size: None,
            all: args.all,
            advice: None,
        });
    }
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

fn is_under_pre_commit() -> bool {
    std::env::var_os("PRE_COMMIT").is_some_and(|value| value == "1")
}

/// The commits that the pre-commit framework speaks of: with `--from-ref`, and before a push.
fn framework_range(repository: &repository::Repository) -> Result<Option<Range>, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let text = |value: OsString| BString::from(value.to_string_lossy().as_bytes());
    if let Some(from) = set("PRE_COMMIT_FROM_REF") {
        let to = set("PRE_COMMIT_TO_REF").unwrap_or_else(|| "HEAD".into());
        let spec = [text(from), "..".into(), text(to)].concat();
        return range::parse(repository, spec.as_bstr()).map(Some);
    }
    // Of the first push of a whole history it gives the branch only.
    let Some(branch) = set("PRE_COMMIT_LOCAL_BRANCH") else {
        return Ok(None);
    };
    let remote = set("PRE_COMMIT_REMOTE_NAME").map(text);
    let mut pushed = range::parse(repository, text(branch).as_bstr())?;
    let Some(new) = pushed.include.first().copied() else {
        return Ok(None);
    };
    let side = Side::Client {
        remote: remote.as_ref().map(|name| name.as_bstr()),
    };
    let push =
        push_range(repository, ObjectId::null(new.kind()), new, side).map_err(range::failed)?;
    if let Some(range) = push.range {
        pushed = range;
    }
    Ok(Some(pushed))
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
