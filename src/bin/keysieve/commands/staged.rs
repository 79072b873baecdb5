//! `keysieve staged`: what the next commit would record.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use keysieve::finding::{Finding, Scanned};
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::report::escape;
use keysieve::source::container::Limits;
use keysieve::source::staged::{Index, Options, Staged};
use keysieve::text::paths::Base;

use super::push;
use super::scan::failed;
use crate::args::StagedArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::interrupt;
use crate::session::{ExcludeIn, Session, Success};
use crate::settings::{Place, Places};

/// Who runs the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A person.
    Person,
    /// Git, or a program that runs hooks.
    Hook,
}

/// Runs the command.
pub(crate) fn run(args: &StagedArgs) -> Result<Exit, Failure> {
    push::staged_as(args, Caller::Person)
}

/// Runs the command for somebody.
pub(super) fn run_as(args: &StagedArgs, caller: Caller) -> Result<Exit, Failure> {
    interrupt::stop();
    let repository = open(Path::new("."))?;
    let is_absent = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let index = std::fs::symlink_metadata(repository.index_path());
    if index.as_ref().is_err_and(is_absent) && !matches!(repository.head_id(), Ok(None)) {
        let message = "the repository has no index: nothing can be staged";
        return Err(Failure::bare(Kind::System, message)
            .hint("what its commits hold is looked at by keysieve history"));
    }
    // Read once: for the settings, and for what is staged.
    let index = Index::load(&repository).map_err(failed)?;
    let success = match caller {
        Caller::Person => Success::Report,
        Caller::Hook => Success::Line,
    };
    let places = places(&repository, &index)?;
    let mut session = Session::start(&args.common, &places, "blobs")?
        .on_success(success)
        .exclude_in(ExcludeIn::Scanner)
        .with_output(Limits::HOOK_OUTPUT);
    session.is_whole = false;
    // The pre-commit framework says nothing of its --all-files: there is nothing staged then.
    let mut all_files = args.all_files;
    let mut scanned = Scanned::default();
    let mut is_empty = true;
    while is_empty {
        let (scanner, collector) = session.scanner();
        let staged = Staged {
            repository: &repository,
            options: Options { all_files },
        };
        is_empty = staged
            .scan_index(&index, scanner)
            .map_err(failed)?
            .is_empty();
        scanned = collector.finish();
        if all_files || !is_under_pre_commit() {
            break;
        }
        all_files = is_empty;
    }
    if is_empty && !all_files {
        let located = session.in_place(scanned);
        return session.finish_nothing(located, "nothing is staged");
    }
    if !args.all && !all_files {
        let known = scanned.known().clone();
        scanned = scanned.new_only(&known);
    }
    let (judged, unused) = session.judge(session.in_place(scanned))?;
    let situation = Where {
        has_commits: !matches!(repository.head_id(), Ok(None)),
        is_below: is_below(&repository),
        all_files,
    };
    let fails_from = session.common().fail_on();
    let blamed = judged.findings().iter();
    let blamed: Vec<&Finding> = blamed.filter(|it| it.fails(fails_from)).collect();
    let stop = match caller == Caller::Hook && !is_under_pre_commit() {
        true => "error: keysieve stopped this commit\n",
        false => "",
    };
    let advice = format!("{stop}{}", advice(&blamed, situation));
    let is_for_people = session.common().is_for_people();
    let exit = session.report(judged, &unused)?;
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

/// The repository around `path`. What Git's environment says of the repository here goes for no other one.
pub(super) fn open(path: &Path) -> Result<repository::Repository, Failure> {
    let environment = GitEnvironment::from_env(|name| std::env::var_os(name));
    let here = || repository::open(Path::new("."), &environment);
    let found = if path == Path::new(".") {
        here()
    } else {
        let elsewhere = GitEnvironment {
            ceiling_directories: environment.ceiling_directories.clone(),
            ..GitEnvironment::default()
        };
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let is_in = |root: &Path| match (real(path), real(root)) {
            (Some(path), Some(root)) => path.starts_with(root),
            _ => false,
        };
        match (repository::open(path, &elsewhere), here()) {
            (Ok(named), Ok(here)) if real(here.git_dir()) == real(named.git_dir()) => Ok(here),
            // A work tree that only the environment knows to be one.
            (Err(repository::Error::NotFound { .. }), Ok(here))
                if here.work_dir().is_some_and(is_in) =>
            {
                Ok(here)
            }
            (named, _) => named,
        }
    };
    found.map_err(|error| Failure::of(Kind::System, &error))
}

pub(super) fn is_under_pre_commit() -> bool {
    std::env::var_os("PRE_COMMIT").is_some_and(|value| value == "1")
}

/// What the advice depends on.
#[derive(Clone, Copy)]
struct Where {
    /// Without a commit there is nothing to restore from.
    has_commits: bool,
    /// Whoever runs this is not at the root, which paths are counted from.
    is_below: bool,
    /// It is not about what is staged.
    all_files: bool,
}

fn is_below(repository: &repository::Repository) -> bool {
    // Git runs hooks at the root, and says where it was run.
    let is_set = |value: OsString| !value.is_empty();
    if std::env::var_os("GIT_PREFIX").is_some_and(is_set) {
        return true;
    }
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    repository.work_dir().and_then(canonical) != canonical(Path::new("."))
}

/// What to do now, in two hints.
fn advice(blamed: &[&Finding], place: Where) -> String {
    let first = if place.all_files {
        "take the secret out; since when it is in the history is told by\n      \
         keysieve history"
            .to_owned()
    } else {
        let command = match place.has_commits {
            true => "git restore --staged",
            false => "git rm --cached",
        };
        format!(
            "take the secret out and stage the file again, or leave the file out:\n      {command} {}",
            files(blamed, place.is_below)
        )
    };
    let rule = blamed.first().map_or("RULE", |finding| &finding.rule);
    format!(
        "hint: {first}\n\
         hint: rotate it if it was ever pushed; if it is no secret, write on its line:\n      \
         keysieve:allow {rule} REASON\n"
    )
}

/// The files at fault, as a shell takes them, if they are few and have simple names.
fn files(blamed: &[&Finding], is_below: bool) -> String {
    const MOST: usize = 3;
    let paths: BTreeSet<String> = blamed
        .iter()
        .map(|finding| finding.first_place().shown_path().to_string())
        .collect();
    let is_simple = |path: &String| {
        !path.contains(|c: char| c.is_whitespace() || "'\"\\$`*?[]();&|<>~#!".contains(c))
            && !path.starts_with('-')
            && escape::terminal(path) == path.as_str()
    };
    if paths.is_empty() || paths.len() > MOST || !paths.iter().all(is_simple) {
        return "FILE".to_owned();
    }
    let root = if is_below { ":/" } else { "" };
    let paths: Vec<String> = paths.iter().map(|path| format!("{root}{path}")).collect();
    paths.join(" ")
}
