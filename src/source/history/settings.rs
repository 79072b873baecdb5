//! Settings of a scan of a history: its objects and its options.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::BString;
use gix::ObjectId;

use super::cache::{Cache, Scanned};
use crate::coverage::{Skip, SkipReason};
use crate::git::odb::MAX_OBJECT_SIZE;
use crate::git::repository::Repository;
use crate::git::view::{references, unreadable};
use crate::source::Progress;

/// All objects of a repository.
#[derive(Clone, Debug)]
pub struct History {
    /// Object directories; with their alternates, unless these are still to be followed.
    pub(super) directories: Vec<PathBuf>,
    pub(super) follows_alternates: bool,
    pub(super) hash: gix::hash::Kind,
    pub(super) shallow: Option<PathBuf>,
    pub(super) references: Vec<(BString, ObjectId)>,
    pub(super) unreadable: Vec<Skip>,
    pub(super) is_partial: bool,
    pub(super) connectivity: bool,
    pub(super) lfs: Option<PathBuf>,
    pub(super) threads: usize,
    pub(super) max_object_size: u64,
    pub(super) only: Option<Arc<HashSet<ObjectId>>>,
    pub(super) submodules: HashSet<BString>,
    pub(super) progress: Option<Arc<Progress>>,
    pub(super) cache: Option<Arc<Cache>>,
}

impl History {
    /// The objects below an objects directory, `.git/objects` for one, and its alternates.
    pub fn new(objects: impl Into<PathBuf>, hash: gix::hash::Kind) -> Self {
        Self {
            directories: vec![objects.into()],
            follows_alternates: true,
            hash,
            shallow: None,
            references: Vec::new(),
            unreadable: Vec::new(),
            is_partial: false,
            connectivity: false,
            lfs: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            max_object_size: MAX_OBJECT_SIZE,
            only: None,
            submodules: HashSet::new(),
            progress: None,
            cache: None,
        }
    }

    /// Everything that a repository holds, with its shallow boundary and its Git LFS store; the quarantine of
    /// a push included.
    pub fn of(repository: &Repository) -> Self {
        let (references, mut unreadable) = named(repository);
        unreadable.extend(repository.unfollowed_alternates());
        Self {
            directories: repository.objects_dirs().to_vec(),
            follows_alternates: false,
            shallow: Some(repository.common_dir().join("shallow")),
            lfs: Some(repository.lfs_dir()),
            is_partial: repository.is_partial(),
            references,
            unreadable,
            ..Self::new("", repository.object_hash())
        }
    }

    /// Adds further objects directories.
    pub fn and_objects(mut self, directories: impl IntoIterator<Item = PathBuf>) -> Self {
        self.directories.extend(directories);
        self
    }

    /// Sets the number of threads; 0 means as many as there are processors.
    pub fn threads(mut self, threads: usize) -> Self {
        if threads > 0 {
            self.threads = threads;
        }
        self
    }

    /// Objects above this size are not inflated but skipped.
    pub fn max_object_size(mut self, bytes: u64) -> Self {
        self.max_object_size = bytes.min(isize::MAX as u64);
        self
    }

    /// Shows those objects and no others; one that is not there is a skip.
    pub fn only(mut self, ids: Arc<HashSet<ObjectId>>) -> Self {
        self.only = Some(ids);
        self
    }

    /// Follows the trees of packs of any size to the objects that they name, as `git fsck --connectivity-only` does.
    /// Without it, packs of more than 20,000 trees are followed only if something else is missing.
    pub fn connectivity(mut self, is_checked: bool) -> Self {
        self.connectivity = is_checked;
        self
    }

    /// Submodules that are named already: only those at other paths are skips.
    pub fn without_submodules(mut self, paths: impl IntoIterator<Item = BString>) -> Self {
        self.submodules.extend(paths);
        self
    }

    /// Counts there while it scans.
    pub fn progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Leaves out what earlier scans have read and found clean, and keeps what this one reads.
    ///
    /// What is left out counts as scanned. Once it is known what was clean, [`Cache::save`] writes it.
    pub fn cache(mut self, cache: Arc<Cache>) -> Self {
        self.cache = Some(cache);
        self
    }
}

impl Cache {
    /// Reads what is known about the objects of `history`. `settings` is all that findings depend on besides
    /// the objects: what was learnt with others is not used.
    pub fn open(directory: &Path, history: &History, settings: &[&[u8]]) -> Self {
        let scanned = Scanned {
            directories: &history.directories,
            hash: history.hash,
            max_object_size: history.max_object_size,
        };
        Self::of(directory, &scanned, settings)
    }
}

/// Returns the references with their objects, and those that cannot be read.
fn named(repo: &Repository) -> (Vec<(BString, ObjectId)>, Vec<Skip>) {
    let mut found = Vec::new();
    let mut skips = Vec::new();
    match repo.head_id() {
        Ok(Some(id)) => found.push((BString::from("HEAD"), id)),
        // On a branch that has no commit yet.
        Ok(None) => {}
        Err(error) => skips.push(Skip::with_detail(SkipReason::Unreadable, "HEAD", error)),
    }
    for reference in references(repo).unwrap_or_else(|error| vec![Err(error)]) {
        match reference {
            Ok((name, id)) => found.push((name.into(), id)),
            Err(error) => skips.push(unreadable(&error)),
        }
    }
    (found, skips)
}
