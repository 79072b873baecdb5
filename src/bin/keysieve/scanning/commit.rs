//! What a commit is about to record, for `keysieve staged` and the hooks before a commit; or what a framework asks for in
//! its place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};
use keysieve::finding::{Finding, Judged, Located};
use keysieve::git::repository::Repository;
use keysieve::git::revision::Range;
use keysieve::policy::baseline::{self, Baseline};
use keysieve::source::container::Limits;
use keysieve::source::staged::{Changes, Index, Options, Staged};
use keysieve::text::date::Date;
use keysieve::text::paths::{Base, folders_above};

use super::advice::{self, Stopped, blamed};
use super::disk;
use super::framework::{self, Asked};
use super::range::{self, RangeScan};
use super::repository::{first_commit, open};
use crate::args::{Common, ScanArgs, StagedArgs};
use crate::date::now;
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::run::{
    ExcludeIn, Needs, Run, SettingsSource, SettingsSources, WhenClean, disk_root, file_in,
};

/// Caller of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A person.
    Person,
    /// Git, or a program that runs hooks.
    Hook,
    /// The same, after a hook that was there before has run: all has been said.
    HookAgain,
}

/// Looks at what a commit is about to record, or at what a framework asks for in its place: `files` are named by it.
pub(crate) fn scan(
    repository: &Repository,
    args: &StagedArgs,
    files: &[PathBuf],
    caller: Caller,
) -> Result<Exit, Failure> {
    let asked = match args.all_files {
        true => Asked::AllFiles,
        false => framework::asked(repository, files)?,
    };
    match asked {
        Asked::Staged => scan_index(repository, args, false, caller),
        Asked::AllFiles => scan_index(repository, args, true, caller),
        Asked::Range(range) => scan_range(repository, range, args, caller),
        Asked::Files(files) => scan_files(args, files, caller),
    }
}

/// Looks at files on the disk, whole: nobody speaks of a commit.
fn scan_files(args: &StagedArgs, files: Vec<PathBuf>, caller: Caller) -> Result<Exit, Failure> {
    let args = ScanArgs::of(files, args.common.clone());
    let (root, paths) = disk_root(Path::new("."), &args.paths)?;
    let sources = disk::sources(&root, paths);
    let needs = Needs {
        when_clean: caller.when_clean(),
        ..Needs::of("files")
    };
    let run = Run::start(&args.common, &sources, needs)?;
    let located = disk::collect(&run, &args, &root)?;
    finish(run, located, &sources, Where::Files)
}

impl Caller {
    /// The output of a run without findings.
    pub(crate) fn when_clean(self) -> WhenClean {
        match self {
            Self::Person => WhenClean::Report,
            Self::Hook => WhenClean::Line,
            Self::HookAgain => WhenClean::Silent,
        }
    }
}

/// Scans the commits that a framework names.
pub(crate) fn scan_range(
    repository: &Repository,
    range: Range,
    args: &StagedArgs,
    caller: Caller,
) -> Result<Exit, Failure> {
    let base = first_commit(repository, range.exclude.iter().copied());
    range::run(&RangeScan {
        base,
        all: args.all,
        stopped: Some(Stopped::Framework),
        when_clean: caller.when_clean(),
        ..RangeScan::new(repository, vec![vec![range]], &args.common)
    })
}

fn scan_index(
    repository: &Repository,
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
    let index = Index::load(repository)?;
    let sources = sources(repository, &index)?;
    let needs = Needs {
        when_clean: caller.when_clean(),
        exclude_in: ExcludeIn::Scanner,
        output: Some(Limits::HOOK_OUTPUT),
        is_whole: false,
        ..Needs::of("blobs")
    };
    let mut run = Run::start(&args.common, &sources, needs)?;
    let staged = Staged {
        repository,
        options: Options {
            all_files,
            parents: framework::merge_parents(repository),
        },
    };
    let changes = staged.changes(&index)?;
    let parents = changes.merged.iter();
    let parents = parents
        .map(|id| SettingsSource::Commit(repository, *id))
        .collect();
    run.look_before(&sources, parents, with_configuration(&index, &changes));
    let mut scanner = run.scanner();
    let is_empty = changes.outcome.is_empty();
    changes.show(&index, &mut scanner)?;
    let mut scanned = scanner.into_inner().finish();
    if is_empty && !all_files {
        return match caller {
            Caller::HookAgain => Ok(Exit::Clean),
            _ => {
                let located = run.in_place(scanned);
                run.finish_nothing(located, "nothing is staged")
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
            is_commit: caller != Caller::Person && !framework::is_under_framework(),
        },
    };
    let located = run.in_place(scanned);
    finish(run, located, &sources, place)
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
pub(crate) fn all_files(common: Common, context: usize) -> Result<(Run, Judged), Failure> {
    let repository = open(Path::new("."))?;
    let index = Index::load(&repository)?;
    let sources = sources(&repository, &index)?;
    let needs = Needs {
        exclude_in: ExcludeIn::Scanner,
        context,
        ..Needs::of("blobs")
    };
    let mut run = Run::start(&common, &sources, needs)?;
    let mut scanner = run.scanner();
    let staged = Staged {
        repository: &repository,
        options: Options {
            all_files: true,
            ..Options::default()
        },
    };
    staged.scan_index(&index, &mut scanner)?;
    let located = run.in_place(scanner.into_inner().finish());
    run.end_progress();
    let (judged, _) = run.judge(located, &sources)?;
    Ok((run, judged))
}

/// Reports, and says what to do.
fn finish(
    mut run: Run,
    located: Located,
    sources: &SettingsSources<'_>,
    place: Where<'_>,
) -> Result<Exit, Failure> {
    let (judged, unused) = run.judge(located, sources)?;
    let advice = advice(&blamed(&run, &judged), place);
    let is_for_people = run.common().is_for_people();
    let is_commit = matches!(
        place,
        Where::Index {
            is_commit: true,
            ..
        }
    );
    let exit = run.report(judged, &unused)?;
    if is_for_people && is_commit && exit != Exit::Clean {
        print_error("error: keysieve stopped this commit\n");
    }
    if is_for_people && exit == Exit::Findings {
        print_error(&advice);
    }
    Ok(exit)
}

/// Settings come from what is being committed.
fn sources<'r>(
    repository: &'r Repository,
    index: &'r Index,
) -> Result<SettingsSources<'r>, Failure> {
    let head = repository
        .head_id()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let before = head.map_or(SettingsSource::Nowhere, |id| {
        SettingsSource::Commit(repository, id)
    });
    Ok(SettingsSources {
        usual: SettingsSource::Index(repository, index),
        base: Some(before),
        head: Some(SettingsSource::Index(repository, index)),
        paths: Base::Root,
    })
}

/// Scanned content, on which the advice depends.
#[derive(Clone, Copy)]
enum Where<'r> {
    /// The staged files.
    Index {
        repository: &'r Repository,
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
fn accepted_on_disk(repository: &Repository, blamed: &[&Finding]) -> bool {
    let path = repository
        .work_dir()
        .map(|root| root.join(baseline::FILE_NAME));
    // One that cannot be read accepts nothing.
    let Some(Ok(baseline)) = path.map(|path| Baseline::load(&path)) else {
        return false;
    };
    let today = now().ok().flatten().map(Date::of_epoch);
    let accepts = |finding: &&Finding| {
        let entry = baseline.entry_of(finding);
        entry.is_some_and(|entry| !entry.is_expired(today))
    };
    !blamed.is_empty() && blamed.iter().all(accepts)
}

fn is_below(repository: &Repository) -> bool {
    let canonical = |path: &Path| std::fs::canonicalize(path).ok();
    advice::is_below() || repository.work_dir().and_then(canonical) != canonical(Path::new("."))
}
