//! The repository around scanned files: its Git directory, the paths that its index tracks, its LFS objects.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::{BStr, ByteSlice};
use gix::index::entry::Mode;

use crate::content::{Links, read_small};
use crate::git::repository::Error;
use crate::git::{lfs, lfs_storage, object_hash};
use crate::source::staged::decode;

/// A repository with a work tree.
#[derive(Debug)]
pub(super) struct Repository {
    work_tree: PathBuf,
    git_dir: OnceLock<PathBuf>,
    common_dir: OnceLock<PathBuf>,
    lfs_dir: OnceLock<PathBuf>,
    index: OnceLock<Result<gix::index::State, String>>,
    fault_told: AtomicBool,
}

impl Repository {
    pub(super) fn new(work_tree: PathBuf) -> Self {
        Self {
            work_tree,
            git_dir: OnceLock::new(),
            common_dir: OnceLock::new(),
            lfs_dir: OnceLock::new(),
            index: OnceLock::new(),
            fault_told: AtomicBool::new(false),
        }
    }

    /// The innermost work tree that `path`, canonical, lies in; none inside a Git directory.
    pub(super) fn around(path: &Path) -> Option<Self> {
        for dir in path.ancestors() {
            if dir.file_name().is_some_and(|name| name == ".git") {
                return None;
            }
            if fs::symlink_metadata(dir.join(".git")).is_ok() {
                return Some(Self::new(dir.to_owned()));
            }
        }
        None
    }

    pub(super) fn work_tree(&self) -> &Path {
        &self.work_tree
    }

    /// Gives, to the first who asks, why the index could not be read.
    pub(super) fn index_fault(&self) -> Option<&str> {
        let fault = self.index.get()?.as_ref().err()?;
        let is_new = !self.fault_told.swap(true, Ordering::Relaxed);
        is_new.then_some(fault)
    }

    /// Returns the folder of Git LFS's objects.
    pub(super) fn lfs_dir(&self) -> &Path {
        self.lfs_dir.get_or_init(|| {
            let common_dir = self.common_dir();
            lfs::store(common_dir, lfs_storage(common_dir).as_deref())
        })
    }

    /// The directory with the index: `.git` itself unless that is a file that points elsewhere.
    fn git_dir(&self) -> &Path {
        self.git_dir.get_or_init(|| {
            let dot_git = self.work_tree.join(".git");
            match pointed_at(&dot_git, b"gitdir:") {
                Some(target) => self.work_tree.join(target),
                None => dot_git,
            }
        })
    }

    /// The directory that linked work trees share.
    pub(super) fn common_dir(&self) -> &Path {
        self.common_dir.get_or_init(|| {
            let git_dir = self.git_dir();
            match pointed_at(&git_dir.join("commondir"), b"") {
                Some(target) => git_dir.join(target),
                None => git_dir.to_owned(),
            }
        })
    }

    /// Returns true if the index has the file, or the submodule, at this path below the work tree.
    pub(super) fn tracks(&self, path: &BStr) -> bool {
        self.index().is_some_and(|index| {
            index.entry_index_by_path(path).is_ok() || in_sparse_directory(index, path)
        })
    }

    /// Returns true if the index has anything at or below this path, a directory.
    pub(super) fn tracks_below(&self, path: &BStr) -> bool {
        self.index().is_some_and(|index| {
            let mut prefix = path.to_owned();
            prefix.push(b'/');
            index.entry_index_by_path(path).is_ok()
                || index.prefixed_entries_range(prefix.as_bstr()).is_some()
                || in_sparse_directory(index, path)
        })
    }

    /// The index, read when it is first asked for: only trees in which something is ignored pay for it.
    fn index(&self) -> Option<&gix::index::State> {
        let load = || self.load_index().map_err(detail);
        self.index.get_or_init(load).as_ref().ok()
    }

    /// Reads the index and, of the configuration, what hash it has.
    fn load_index(&self) -> Result<gix::index::State, Error> {
        let (git_dir, common_dir) = (self.git_dir(), self.common_dir());
        if fs::symlink_metadata(git_dir.join("HEAD")).is_err() {
            let path = git_dir.to_owned();
            return Err(Error::Invalid { path });
        }
        let index = decode(&git_dir.join("index"), object_hash(common_dir)?)?;
        Ok(index.into_parts().0)
    }
}

/// Returns the fault without the path of the index, of which it is reported.
fn detail(error: Error) -> String {
    match error {
        Error::Index { detail, .. } => detail,
        Error::Unreadable { ref source, .. } => format!("{error}: {source}"),
        error => error.to_string(),
    }
}

/// A sparse index has one entry for a directory outside the cone: what is found below it on disk is
/// taken as tracked, which at worst scans more.
fn in_sparse_directory(index: &gix::index::State, path: &BStr) -> bool {
    if !index.is_sparse() {
        return false;
    }
    path.find_iter("/").chain([path.len()]).any(|end| {
        let mut dir = path.get(..end).unwrap_or_default().to_owned();
        dir.push(b'/');
        index
            .entry_index_by_path(dir.as_bstr())
            .ok()
            .and_then(|at| index.entries().get(at))
            .is_some_and(|entry| entry.mode == Mode::DIR)
    })
}

/// The path in a file of one line that points to another place.
fn pointed_at(file: &Path, prefix: &[u8]) -> Option<PathBuf> {
    let bytes = read_small(file, Links::Follow).ok()??;
    let target = bytes.strip_prefix(prefix)?.trim();
    (!target.is_empty()).then(|| target.to_path_lossy().into_owned())
}
