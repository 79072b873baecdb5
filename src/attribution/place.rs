//! The question about objects and its answer: places with their commits.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::AtomicBool;

use bstr::BString;
use gix::ObjectId;

use crate::commit::CommitInfo;
use crate::coverage::Skip;

/// The caller asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted while looking for commits")
    }
}

impl std::error::Error for Interrupted {}

/// Stage of the work of [`super::locate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Listing packs and loose objects.
    Objects,
    /// Reading trees.
    Trees,
    /// Reading commits.
    Commits,
    /// Looking at references and reflogs.
    References,
}

/// Options of [`super::locate`].
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Set from outside to end early.
    pub stop: &'a AtomicBool,
    /// Only what these commits reach counts as having brought something in; `None` for all commits.
    pub within: Option<&'a [ObjectId]>,
    /// Told when a stage begins.
    pub stage: &'a dyn Fn(Stage),
}

/// One place at which an object is or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Path below the root of the repository. Empty for commits, tags, and blobs that no tree names.
    pub path: BString,
    /// The commit that introduced it there; `None` if no commit has it.
    pub commit: Option<CommitInfo>,
    /// Holders of an object that no commit has: an index, a reference to a blob, a lone tree.
    pub held_by: Vec<String>,
}

impl Location {
    pub(super) fn new(path: BString, commit: Option<CommitInfo>) -> Self {
        Self {
            path,
            commit,
            held_by: Vec::new(),
        }
    }
}

/// Present and past places of objects.
#[derive(Clone, Debug, Default)]
pub struct Located {
    /// For each object asked for, its places, the first introduction first. Never empty.
    pub places: HashMap<ObjectId, Vec<Location>>,
    /// Trees, commits and references that could not be read: places that only they know are not listed.
    pub skips: Vec<Skip>,
}
