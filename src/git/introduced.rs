//! Blobs and messages that a range of commits adds: every blob that a commit of the range has at a path where none of
//! its parents has it, so that a merge which smuggles something in is seen.
//!
//! *What was there before* are the blobs of the base at the paths that the range touches. A path is touched if some
//! commit of the range differs there from each of its parents: changed, added, moved away or removed. The base are the
//! parents of the range's commits that are not in the range themselves. A secret in such a blob is not new, whatever
//! was done to the file around it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;

use super::commits::{Commit, Known, Walked, walk};
use super::number::{CommitNo, Number as _};
use super::order::topological;
use super::revision::{Error, Range};
use super::tree::Trees;
use super::view::chain;
use crate::coverage::Skip;
use crate::git::repository::Repository;

/// A commit that brought a blob in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Introduction {
    /// Committer time, in seconds since 1970.
    pub time: i64,
    /// The commit; for what a tag names that is no commit, that tag or tree or blob.
    pub commit_id: ObjectId,
    /// Its path in the commit. Empty for a blob that is pushed by itself.
    pub path: BString,
}

/// Content that ranges of commits add.
#[derive(Clone, Debug, Default)]
pub struct Introduced {
    /// The commits of the ranges, the oldest of each first. None is a legitimate answer.
    pub commits: Vec<ObjectId>,
    /// Annotated tags that the ranges' tips go through.
    pub tags: Vec<ObjectId>,
    /// The blobs that came in, each with where and by which commit, the first one first.
    pub blobs: BTreeMap<ObjectId, Vec<Introduction>>,
    /// Blobs that were there before, at the paths that were touched.
    pub base: BTreeSet<(BString, ObjectId)>,
    /// Objects that could not be read, and the places where a shallow clone cuts the range off.
    pub skips: Vec<Skip>,
    /// True if the work was ended before all was found.
    pub is_cut: bool,
    /// Parents within the ranges, for references.
    pub(crate) parents: BTreeMap<ObjectId, Vec<ObjectId>>,
    /// Committer times of the ranges' commits.
    times: BTreeMap<ObjectId, i64>,
    /// Their places in the order of history.
    pub(crate) ranks: BTreeMap<ObjectId, u32>,
    /// The oldest commit of each part that was taken in.
    pub(crate) oldest: Vec<ObjectId>,
    /// What was read to work that out.
    pub(crate) known: Known,
}

/// Works out what `ranges` add. They are taken as one: what any of them excludes is excluded.
pub fn introduced(repo: &Repository, ranges: &[Range]) -> Result<Introduced, Error> {
    introduced_until(repo, ranges, &AtomicBool::new(false))
}

/// The same; ends early when `stop` is set, and says so.
pub fn introduced_until(
    repo: &Repository,
    ranges: &[Range],
    stop: &AtomicBool,
) -> Result<Introduced, Error> {
    let is_stopped = || stop.load(Ordering::Relaxed);
    let mut found = Introduced::default();
    let mut commits = Vec::new();
    let mut others = Vec::new();
    let mut seen = HashSet::new();
    for id in ranges.iter().flat_map(|range| &range.include) {
        for link in chain(repo, *id, &mut seen) {
            match link {
                Ok((id, Kind::Commit)) => commits.push(id),
                Ok((id, Kind::Tag)) => found.tags.push(id),
                Ok(other) => others.push(other),
                Err(skip) => found.skips.push(skip),
            }
        }
    }
    let exclude: Vec<ObjectId> = ranges
        .iter()
        .flat_map(|range| &range.exclude)
        .filter_map(|id| found.known.peel(repo, *id))
        .collect();
    let mut walked = walk(
        repo,
        (&commits, &exclude),
        &found.known,
        |_| true,
        &is_stopped,
        &mut found.skips,
    );
    found.known.extend(std::mem::take(&mut walked.read));
    compare(repo, &walked, &mut found, &is_stopped);
    let mut trees = Trees::new(repo);
    for (id, kind) in others {
        match kind {
            Kind::Tree => trees.diff(Some(id), &[], |change| {
                if let Some(blob) = change.new {
                    found.add(blob, 0, id, change.path);
                }
            }),
            _ => found.add(id, 0, id, BString::default()),
        }
    }
    found.skips.append(&mut trees.skips);
    found.finish();
    found.is_cut = is_stopped();
    Ok(found)
}

/// Compares each commit of a walk with all its parents, until `is_stopped`.
pub(crate) fn compare(
    repo: &Repository,
    walked: &Walked,
    found: &mut Introduced,
    is_stopped: &dyn Fn() -> bool,
) {
    let mut trees = Trees::new(repo);
    // Paths with what stood there before the commit that touched them, and whether that is the base.
    let mut before: BTreeMap<(BString, ObjectId), bool> = BTreeMap::new();
    for commit in walked.commits.iter().take_while(|_| !is_stopped()) {
        found.commits.push(commit.id);
        found.parents.insert(commit.id, commit.parents.clone());
        found.times.insert(commit.id, commit.time);
        compare_one(commit, walked, &mut trees, found, &mut before);
    }
    for ((path, blob), is_base) in before {
        let came_in = |found: &Introduced| {
            found
                .blobs
                .get(&blob)
                .is_some_and(|places| places.iter().any(|place| place.path == path))
        };
        // What no commit of the range put there was there before. What one did put there may have been
        // there before as well, and come back.
        let is_base = is_base
            || !came_in(found)
            || walked
                .boundary
                .iter()
                .take_while(|_| !is_stopped())
                .any(|commit| {
                    let tree = walked.trees.get(commit);
                    tree.is_some_and(|tree| trees.blob_at(*tree, &path) == Some(blob))
                });
        if is_base {
            found.base.insert((path, blob));
        }
    }
    found.skips.append(&mut trees.skips);
}

fn compare_one(
    commit: &Commit,
    walked: &Walked,
    trees: &mut Trees<'_>,
    found: &mut Introduced,
    before: &mut BTreeMap<(BString, ObjectId), bool>,
) {
    // A parent that could not be read has been named; what it had counts as added here.
    let parents: Vec<(ObjectId, Option<ObjectId>)> = commit
        .parents
        .iter()
        .filter_map(|parent| walked.trees.get(parent).map(|tree| (*parent, Some(*tree))))
        .collect();
    let old: Vec<Option<ObjectId>> = parents.iter().map(|parent| parent.1).collect();
    trees.diff(Some(commit.tree), &old, |change| {
        for (old, (parent, _)) in change.old.iter().zip(&parents) {
            if let Some(old) = old {
                let is_base = walked.boundary.contains(parent);
                *before.entry((change.path.clone(), *old)).or_default() |= is_base;
            }
        }
        if let Some(blob) = change.new {
            found.add(blob, commit.time, commit.id, change.path);
        }
    });
}

impl Introduced {
    fn add(&mut self, blob: ObjectId, time: i64, commit_id: ObjectId, path: BString) {
        self.blobs.entry(blob).or_default().push(Introduction {
            time,
            commit_id,
            path,
        });
    }

    /// Takes in what other ranges add.
    pub fn join(&mut self, other: Introduced) {
        let is_new = |id: &ObjectId| !self.parents.contains_key(id);
        let new = other.commits.into_iter().filter(is_new);
        self.commits.extend(new);
        self.oldest.extend(other.oldest);
        self.tags.extend(other.tags);
        for (blob, places) in other.blobs {
            self.blobs.entry(blob).or_default().extend(places);
        }
        self.base.extend(other.base);
        self.skips.extend(other.skips);
        self.is_cut |= other.is_cut;
        self.parents.extend(other.parents);
        self.times.extend(other.times);
        self.known.extend(other.known);
        self.finish();
    }

    /// Puts everything into an order that does not depend on how it was found.
    pub(crate) fn finish(&mut self) {
        self.rank();
        for places in self.blobs.values_mut() {
            places.sort();
            places.dedup();
            // What is in no commit is as old as its tag, which is younger than all commits.
            places.sort_by_key(|place| self.ranks.get(&place.commit_id).map_or(u32::MAX, |it| *it));
        }
        self.tags.sort();
        self.tags.dedup();
        self.skips.sort();
        self.skips.dedup();
        if self.oldest.is_empty() {
            self.oldest.extend(self.commits.first());
        }
    }

    /// Puts the commits of the ranges into the order of history.
    fn rank(&mut self) {
        let ids: Vec<ObjectId> = self.times.keys().copied().collect();
        let times: Vec<i64> = self.times.values().copied().collect();
        // They are sorted.
        let number = |id: &ObjectId| ids.binary_search(id).ok().map(CommitNo::at);
        let parents: Vec<Vec<CommitNo>> = ids
            .iter()
            .map(|id| {
                let parents = self.parents.get(id).into_iter().flatten();
                parents.filter_map(number).collect()
            })
            .collect();
        let order = topological(&times, &|commit| &parents[commit.index()]);
        let ranks = order.into_iter().map(|commit| ids[commit.index()]);
        self.ranks = ranks.zip(0..).collect();
    }
}
