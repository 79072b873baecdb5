//! Names the submodules that a scan does not look at: each is a repository of its own.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::Error;
use super::snapshot::Snapshot;
use super::staged::Index;
use crate::coverage::{Skip, SkipReason};
use crate::git::path_bytes;
use crate::git::repository::{self, GitEnvironment, Repository};
use crate::git::tree;

/// The file in which Git notes where submodules come from.
const MODULES: &str = ".gitmodules";

/// Directories nested deeper than this are not looked into; Git itself stops at 2048.
const MAX_DEPTH: usize = 1024;

/// The submodules that `HEAD` has, by the index where there is one, else by its trees; and the index, where it is there
/// and cannot be read. Of `HEAD` and its trees the scan itself says so.
pub fn of_head(repository: &Repository) -> Vec<Skip> {
    let skip = |path: BString| {
        let detail = match repository
            .work_dir()
            .map(|root| root.join(path.to_path_lossy()))
        {
            Some(dir) if dir.join(".git").exists() => {
                format!("a repository of its own: `keysieve history {path}` scans it")
            }
            _ => "a repository of its own, which is not here".to_owned(),
        };
        Skip::with_detail(SkipReason::Submodule, path, detail)
    };
    let mut skips = Vec::new();
    match of_index(repository) {
        Ok(Some(paths)) => return paths.into_iter().map(skip).collect(),
        Ok(None) => {}
        Err(error) => {
            let path = repository.index_path().to_string_lossy();
            let path = BString::from(path.into_owned());
            skips.push(Skip::with_detail(SkipReason::Unreadable, path, error));
        }
    }
    let Ok(Some(head)) = repository.head_id() else {
        return skips;
    };
    // Without the file there are no submodules, only commits of others that came in by mistake.
    let is_used = Snapshot::of_commit(repository, head)
        .and_then(|snapshot| snapshot.read(MODULES.into()))
        .is_ok_and(|found| found.is_some());
    let Ok(tree) = repository.tree_of(head, &mut Vec::new()) else {
        return skips;
    };
    let mut found = Vec::new();
    if is_used {
        let mut path = BString::default();
        in_tree(repository, tree, &mut path, &mut HashSet::new(), &mut found);
    }
    skips.extend(found.into_iter().map(skip));
    skips
}

/// The submodules that the index names, if there is one: a bare repository has none.
fn of_index(repository: &Repository) -> Result<Option<Vec<BString>>, Error> {
    let found = std::fs::symlink_metadata(repository.index_path());
    if found.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        return Ok(None);
    }
    let index = Index::load(repository)?;
    let paths = index.submodules().map(BStr::to_owned).collect();
    index.verify(repository)?;
    Ok(Some(paths))
}

/// Returns true if content that begins with `head` may be a version of `.gitmodules`.
pub(super) fn may_be_modules(head: &[u8]) -> bool {
    head.trim_start().starts_with(b"[submodule")
}

/// The paths of the submodules that a version of `.gitmodules` names; none if it is something else.
pub(super) fn in_modules(bytes: &[u8]) -> Vec<BString> {
    let metadata = gix::config::file::Metadata::from(gix::config::Source::Local);
    let mut bytes = bytes.to_vec();
    let Ok(file) = gix::config::File::from_bytes_owned(&mut bytes, metadata, Default::default())
    else {
        return Vec::new();
    };
    let sections = || file.sections().map(|section| section.header().name());
    if !sections().all(|name| name.eq_ignore_ascii_case(b"submodule")) {
        return Vec::new();
    }
    let paths = file.sections().filter_map(|section| section.value("path"));
    paths.collect()
}

/// A submodule that some commit has and `HEAD` does not.
pub(super) fn of_other_commits(path: BString) -> Skip {
    let detail = "a repository of its own, which other commits than HEAD have";
    Skip::with_detail(SkipReason::Submodule, path, detail)
}

/// Treatment of submodules in a scan of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It names those that it passes by.
    Names,
    /// It was asked to look at all of them.
    Asked {
        /// Repositories are looked for where ignore rules let the scan go.
        respect_ignore: bool,
    },
}

/// The submodules below `paths` that the repository at `root`, or one of its submodules, names and that are not checked
/// out, so that a scan of the disk passed by an empty directory. If they were to be looked at, those of every repository
/// below `paths`; and what could not be read of them.
pub fn not_checked_out(root: &Path, paths: &[PathBuf], look: Look) -> Vec<Skip> {
    let roots: Vec<PathBuf> = paths
        .iter()
        .filter_map(|path| path.canonicalize().ok())
        .filter(|path| path.is_dir())
        .collect();
    let mut todo = vec![(root.to_owned(), 0)];
    let reason = match look {
        Look::Asked { respect_ignore } => {
            let found = roots
                .iter()
                .flat_map(|root| repositories(root, respect_ignore));
            todo.extend(found.map(|dir| (dir, 0)));
            SkipReason::SubmoduleAbsent
        }
        Look::Names => SkipReason::Submodule,
    };
    let mut skips = Vec::new();
    let mut seen = HashSet::new();
    while let Some((dir, depth)) = todo.pop() {
        let has_modules = dir.join(MODULES).exists();
        if depth > MAX_DEPTH
            || !(has_modules || (look != Look::Names && dir.join(".git").exists()))
            || !seen.insert(dir.clone())
        {
            continue;
        }
        let shown = |path: &Path| path_bytes(path.strip_prefix(root).unwrap_or(path));
        let opened = repository::open(&dir, &GitEnvironment::default());
        // Of what is no repository, one around it is found.
        let is_here = |it: &Repository| {
            let work_dir = it.work_dir().and_then(|dir| dir.canonicalize().ok());
            work_dir == dir.canonicalize().ok()
        };
        let Some(repository) = opened.ok().filter(is_here) else {
            // A list of submodules without a repository names nothing that could be here.
            if look != Look::Names && has_modules && dir.join(".git").exists() {
                let detail = "its .git is no repository";
                skips.push(Skip::with_detail(
                    SkipReason::Unreadable,
                    shown(&dir),
                    detail,
                ));
            }
            continue;
        };
        for skip in of_head(&repository) {
            if skip.reason != SkipReason::Submodule {
                skips.push(skip);
                continue;
            }
            let module = dir.join(skip.subject.to_path_lossy());
            if module.join(".git").exists() {
                todo.push((module, depth + 1));
            } else if roots.iter().any(|root| module.starts_with(root)) {
                let path = shown(&module);
                let detail = format!("not checked out: git submodule update --init {path}");
                skips.push(Skip::with_detail(reason, path, detail));
            }
        }
    }
    skips
}

/// The directories at and below `root` that are the root of a repository. What cannot be read of them the scan says.
fn repositories(root: &Path, respect_ignore: bool) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(root)
        .standard_filters(respect_ignore)
        .hidden(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    walk.flatten()
        .map(ignore::DirEntry::into_path)
        .filter(|path| path.join(".git").exists())
        .collect()
}

fn in_tree(
    repository: &Repository,
    tree: ObjectId,
    path: &mut BString,
    seen: &mut HashSet<ObjectId>,
    found: &mut Vec<BString>,
) {
    // Trees can name each other so that a few of them have 10^10 paths: each is looked at once.
    let depth = path.iter().filter(|byte| **byte == b'/').count();
    if depth > MAX_DEPTH || !seen.insert(tree) {
        return;
    }
    // Damage is named by those who read trees for what they say.
    let bytes = repository.tree(tree).unwrap_or_default();
    for entry in tree::entries(&bytes, tree.kind().len_in_bytes()).flatten() {
        let length = path.len();
        path.extend_from_slice(entry.name);
        match entry.kind() {
            EntryKind::Commit => found.push(path.clone()),
            EntryKind::Tree => {
                path.push(b'/');
                in_tree(repository, entry.id.to_owned(), path, seen, found);
            }
            _ => {}
        }
        path.truncate(length);
    }
}
