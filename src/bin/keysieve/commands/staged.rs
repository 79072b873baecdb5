//! `keysieve staged`: what the next commit would record.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};
use keysieve::finding::{Finding, Judged, Located};
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::policy::baseline::{self, Baseline};
use keysieve::source::container::Limits;
use keysieve::source::staged::{Changes, Index, Options, Staged};
use keysieve::text::date::Date;
use keysieve::text::paths::{Base, folders_above};

use super::asked::{self, Asked};
use super::scan::{self, failed};
use super::{advice, push};
use crate::args::{Common, ScanArgs, StagedArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::folders::file_in;
use crate::interrupt;
use crate::reader::Place;
use crate::session::{self, ExcludeIn, Session, Success};
use crate::settings::{Places, disk_root};

/// Caller of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A person.
    Person,
    /// Git, or a program that runs hooks.
    Hook,
    /// The same, after a hook that was there before has run: all has been said.
    HookAgain,
}

/// Runs the command.
pub(crate) fn run(args: &StagedArgs) -> Result<Exit, Failure> {
    interrupt::stop();
    let repository = open(Path::new("."))?;
    commit(&repository, args, &[], Caller::Person)
}

/// Looks at what a commit is about to record, or at what a framework asks for in its place: `files` are named by it.
pub(super) fn commit(
    repository: &repository::Repository,
    args: &StagedArgs,
    files: &[PathBuf],
    caller: Caller,
) -> Result<Exit, Failure> {
    let asked = match args.all_files {
        true => Asked::AllFiles,
        false => asked::asked(repository, files)?,
    };
    match asked {
        Asked::Staged => scan_index(repository, args, false, caller),
        Asked::AllFiles => scan_index(repository, args, true, caller),
        Asked::Range(range) => push::framework(repository, range, args, caller),
        Asked::Files(files) => scan_files(args, files, caller),
    }
}

/// Looks at files on the disk, whole: nobody speaks of a commit.
fn scan_files(args: &StagedArgs, files: Vec<PathBuf>, caller: Caller) -> Result<Exit, Failure> {
    let args = ScanArgs::of(files, args.common.clone());
    let (root, paths) = disk_root(Path::new("."), &args.paths)?;
    let places = scan::places(&root, paths);
    let session = Session::start(&args.common, &places, "files")?.on_success(caller.success());
    let located = scan::collect(&session, &args, &root)?;
    finish(session, located, &places, Where::Files)
}

impl Caller {
    /// Returns the output for a scan without anything to report.
    pub(super) fn success(self) -> Success {
        match self {
            Self::Person => Success::Report,
            Self::Hook => Success::Line,
            Self::HookAgain => Success::Silent,
        }
    }
}

fn scan_index(
    repository: &repository::Repository,
    args: &StagedArgs,
    all_files: bool,
    caller: Caller,
) -> Result<Exit, Failure> {
    let is_absent = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let index = std::fs::symlink_metadata(repository.index_path());
    if index.as_ref().is_err_and(is_absent) && !matches!(repository.head_id(), Ok(None)) {
        let message = "the repository has no index: nothing can be staged";
        return Err(Failure::bare(Kind::System, message)
            .hint("what its commits hold is looked at by keysieve history"));
    }
    // Read once: for the settings, and for what is staged.
    let index = Index::load(repository).map_err(failed)?;
    let places = places(repository, &index)?;
    let mut session = Session::start(&args.common, &places, "blobs")?
        .on_success(caller.success())
        .exclude_in(ExcludeIn::Scanner)
        .with_output(Limits::HOOK_OUTPUT);
    session.is_whole = false;
    let staged = Staged {
        repository,
        options: Options {
            all_files,
            parents: asked::merge_parents(repository),
        },
    };
    let changes = staged.changes(&index).map_err(failed)?;
    let parents = changes.merged.iter();
    let parents = parents.map(|id| Place::Commit(repository, *id)).collect();
    session.look_before(&places, parents, with_configuration(&index, &changes));
    let mut scanner = session.scanner();
    let is_empty = changes.outcome.is_empty();
    changes.show(&index, &mut scanner).map_err(failed)?;
    let mut scanned = scanner.into_inner().finish();
    if is_empty && !all_files {
        return match caller {
            Caller::HookAgain => Ok(Exit::Clean),
            _ => {
                let located = session.in_place(scanned);
                session.finish_nothing(located, "nothing is staged")
            }
        };
    }
    if !args.all && !all_files {
        let known = scanned.known().clone();
        scanned = scanned.new_only(&known);
    }
    let place = match all_files {
        true => Where::Files,
        false => Where::Index {
            repository,
            is_commit: caller != Caller::Person && !asked::is_under_framework(),
        },
    };
    let located = session.in_place(scanned);
    finish(session, located, &places, place)
}

/// The folders above old versions whose configuration `HEAD` can have: those that the index has one of, and those
/// whose own is changed or removed. Another parent may have had one that neither has.
fn with_configuration(index: &Index, changes: &Changes<'_>) -> BTreeSet<BString> {
    let mut folders = folders_above(changes.old_paths());
    if !changes.merged.is_empty() {
        return folders;
    }
    let changed: BTreeSet<&BStr> = changes.old_paths().collect();
    folders.retain(|folder| {
        let file = file_in(folder.as_ref());
        index.has(file.as_ref()) || changed.contains(&file.as_bstr())
    });
    folders
}

/// Looks at every tracked file as it is staged, for the baseline.
pub(super) fn all_files(common: Common, context: usize) -> Result<(Session, Judged), Failure> {
    let repository = open(Path::new("."))?;
    let index = Index::load(&repository).map_err(failed)?;
    let places = places(&repository, &index)?;
    let mut session = Session::start(&common, &places, "blobs")?.exclude_in(ExcludeIn::Scanner);
    session.context = context;
    let mut scanner = session.scanner();
    let staged = Staged {
        repository: &repository,
        options: Options {
            all_files: true,
            ..Options::default()
        },
    };
    staged.scan_index(&index, &mut scanner).map_err(failed)?;
    let located = session.in_place(scanner.into_inner().finish());
    session.end_progress();
    let (judged, _) = session.judge(located, &places)?;
    Ok((session, judged))
}

/// Reports, and says what to do.
fn finish(
    mut session: Session,
    located: Located,
    places: &Places<'_>,
    place: Where<'_>,
) -> Result<Exit, Failure> {
    let (judged, unused) = session.judge(located, places)?;
    let advice = advice(&blamed(&session, &judged), place);
    let is_for_people = session.common().is_for_people();
    let is_commit = matches!(
        place,
        Where::Index {
            is_commit: true,
            ..
        }
    );
    let exit = session.report(judged, &unused)?;
    if is_for_people && is_commit && exit != Exit::Clean {
        print_error("error: keysieve stopped this commit\n");
    }
    if is_for_people && exit == Exit::Findings {
        print_error(&advice);
    }
    Ok(exit)
}

/// The findings that make a run fail.
pub(super) fn blamed<'j>(session: &Session, judged: &'j Judged) -> Vec<&'j Finding> {
    let fails_from = session.common().fail_on();
    let findings = judged.findings().iter();
    findings.filter(|it| it.fails(fails_from)).collect()
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

/// Scanned content, on which the advice depends.
#[derive(Clone, Copy)]
enum Where<'r> {
    /// The staged files.
    Index {
        repository: &'r repository::Repository,
        /// A commit is stopped, and nobody else says so.
        is_commit: bool,
    },
    /// Files that are there already, or are not to be committed now.
    Files,
}

/// Returns advice for the next step.
fn advice(blamed: &[&Finding], place: Where<'_>) -> String {
    let rule = blamed.first().map_or("RULE", |finding| &finding.rule);
    let marker = format!(
        "hint: rotate it if it was ever pushed; if it is no secret, write on its line:\n      \
         keysieve:allow {rule} REASON\n"
    );
    let Where::Index { repository, .. } = place else {
        return format!(
            "hint: take the secret out; since when it is in the history is told by\n      \
             keysieve history\n{marker}"
        );
    };
    let command = match repository.head_id() {
        // Without a commit there is nothing to restore from.
        Ok(None) => "git rm --cached",
        _ => "git restore --staged",
    };
    let paths = blamed
        .iter()
        .map(|finding| finding.first_place().path.to_string());
    let files = advice::files(paths, is_below(repository));
    let baseline = match accepted_on_disk(repository, blamed) {
        true => format!(
            "hint: {} on the disk accepts it, but it is not staged, and what is staged counts:\n      \
             git add {0}\n",
            baseline::FILE_NAME
        ),
        false => format!(
            "      or accept all that is staged, with a reason:\n      \
             keysieve baseline update --staged --reason REASON && git add {}\n",
            baseline::FILE_NAME
        ),
    };
    format!(
        "hint: take the secret out and stage the file again, or leave the file out:\n      {command} {files}\n\
         {marker}{baseline}"
    )
}

/// Returns true if the baseline on the disk accepts all that is blamed.
fn accepted_on_disk(repository: &repository::Repository, blamed: &[&Finding]) -> bool {
    let path = repository
        .work_dir()
        .map(|root| root.join(baseline::FILE_NAME));
    // One that cannot be read accepts nothing.
    let Some(Ok(baseline)) = path.map(|path| Baseline::load(&path)) else {
        return false;
    };
    let today = session::now().ok().flatten().map(Date::of_epoch);
    let accepts = |finding: &&Finding| {
        let entry = baseline.entry_of(finding);
        entry.is_some_and(|entry| !entry.is_expired(today))
    };
    !blamed.is_empty() && blamed.iter().all(accepts)
}

fn is_below(repository: &repository::Repository) -> bool {
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    advice::is_below() || repository.work_dir().and_then(canonical) != canonical(Path::new("."))
}
