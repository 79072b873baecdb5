//! The caller of a hook, and the files it asks about.
//!
//! Git names the index of a commit in the environment (`GIT_INDEX_FILE`) when it runs a hook, and the frameworks pass
//! that on; in a framework that a person calls it is not set, and the framework names files. This distinguishes `git
//! commit`, also one that is amended or empty, from `run --files` and `run --all-files`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice as _};
use gix::ObjectId;
use keysieve::git::repository::Repository;
use keysieve::git::revision::{Range, Side, push_range};

use super::repository::{first_commit, parse_range};
use crate::failure::Failure;

/// Content that the hook checks.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The content of the commit under way.
    Staged,
    /// Commits that a framework names.
    Range(Range),
    /// Files that a framework names.
    Files(Vec<PathBuf>),
    /// Every tracked file: a framework runs the hook, for no commit, and names no file.
    AllFiles,
}

/// Finds out from the environment and from the files that were named.
pub(crate) fn asked(repository: &Repository, files: &[PathBuf]) -> Result<Asked, Failure> {
    let is_framework = is_under_framework();
    if is_framework && let Some(range) = framework_range(repository)? {
        return Ok(Asked::Range(range));
    }
    if set("GIT_INDEX_FILE").is_some() {
        return Ok(Asked::Staged);
    }
    Ok(match (files, is_framework) {
        ([], false) => Asked::Staged,
        ([], true) => Asked::AllFiles,
        (files, _) => Asked::Files(files.iter().map(|file| plain(file)).collect()),
    })
}

/// Returns true if pre-commit or prek runs this: they say what they stopped, and show nothing of a hook that passes.
pub(crate) fn is_under_framework() -> bool {
    std::env::var_os("PRE_COMMIT").is_some_and(|value| value == "1")
}

/// The command line, in which a file that a framework names is one whatever its name: `--help` becomes `./--help`.
pub(crate) fn with_plain_names(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let hook = arguments.windows(2).position(|it| it == ["hook", "run"]);
    if let Some(at) = hook.filter(|_| is_under_framework()) {
        // Behind the kind of the hook.
        for argument in arguments.iter_mut().skip(at + 3) {
            let is_like_option = argument.as_encoded_bytes().starts_with(b"-");
            if is_like_option && Path::new(argument).symlink_metadata().is_ok() {
                *argument = Path::new(".").join(&argument).into_os_string();
            }
        }
    }
    arguments
}

/// The commits that a framework names with `--from-ref`, or before a push.
pub(crate) fn framework_range(repository: &Repository) -> Result<Option<Range>, Failure> {
    let text = |value: OsString| BString::from(value.to_string_lossy().as_bytes());
    if let Some(from) = set("PRE_COMMIT_FROM_REF") {
        let to = set("PRE_COMMIT_TO_REF").unwrap_or_else(|| "HEAD".into());
        let spec = [text(from), "..".into(), text(to)].concat();
        return parse_range(repository, spec.as_bstr()).map(Some);
    }
    // Of the first push of a whole history it gives the branch only.
    let Some(branch) = set("PRE_COMMIT_LOCAL_BRANCH") else {
        return Ok(None);
    };
    let remote = set("PRE_COMMIT_REMOTE_NAME").map(text);
    let pushed = parse_range(repository, text(branch).as_bstr())?;
    let Some(new) = pushed.include.first().copied() else {
        return Ok(None);
    };
    let side = Side::Client {
        remote: remote.as_ref().map(|name| name.as_bstr()),
    };
    let push = push_range(repository, ObjectId::null(new.kind()), new, side)?;
    Ok(Some(push.range.unwrap_or(pushed)))
}

/// The other parents of a merge without conflicts: `git merge` names them to `pre-merge-commit` in the environment
/// (`GITHEAD_<id>`), before there is a `MERGE_HEAD`.
pub(crate) fn merge_parents(repository: &Repository) -> Vec<ObjectId> {
    if set("GIT_INDEX_FILE").is_none() {
        return Vec::new();
    }
    let named = std::env::vars_os().filter_map(|(name, _)| {
        let hex = name.to_str()?.strip_prefix("GITHEAD_")?.to_owned();
        ObjectId::from_hex(hex.as_bytes()).ok()
    });
    let mut parents: Vec<ObjectId> = named
        .filter(|id| first_commit(repository, [*id]).is_some())
        .collect();
    parents.sort();
    parents
}

fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// `-` is a file like others here.
fn plain(file: &Path) -> PathBuf {
    match file == Path::new("-") {
        true => Path::new(".").join(file),
        false => file.to_owned(),
    }
}
