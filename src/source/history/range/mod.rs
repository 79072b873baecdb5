//! What a range of commits adds: every blob that a commit of the range has at a path where none of its
//! parents has it, so that a merge which smuggles something in is seen; and the messages.
//!
//! *What was there before* are the blobs at the paths that the range touches as they stand in its base.
//! A path is touched if some commit of the range differs there from each of its parents: changed, added,
//! moved away or removed. The base are the parents of the range's commits that are not in the range
//! themselves. A secret that such a blob holds is not new, whatever was done to the file around it.

mod diff;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use bstr::{BStr, BString};
use gix::ObjectId;

use super::order::topological;
use super::provenance::{Location, describe_commit};
use super::revision::{Error, Range};
use super::view::{missing, object, peeled, references, tagged};
use crate::blob::Blob;
use crate::coverage::{Skip, SkipReason};
use crate::provenance::{ObjectKind, Provenance, Version};
use crate::source::BlobSink;
use crate::source::entries::show_lfs;
use crate::source::lfs::Pointer;
use crate::source::repository::Repository;
pub(super) use diff::Trees;
pub(super) use walk::walk;
use walk::{Commit, Walked};

/// A commit that brought a blob in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Introduction {
    /// Committer time, in seconds since 1970.
    pub time: i64,
    /// The commit; for what a tag names that is no commit, that tag or tree or blob.
    pub commit_id: ObjectId,
    /// Where the commit has it. Empty for a blob that is pushed by itself.
    pub path: BString,
}

/// What ranges of commits add.
#[derive(Clone, Debug, Default)]
pub struct Introduced {
    /// The commits of the ranges, the oldest of each first. None is a legitimate answer.
    pub commits: Vec<ObjectId>,
    /// Annotated tags that the ranges' tips go through.
    pub tags: Vec<ObjectId>,
    /// The blobs that came in, each with where and by which commit, the first one first.
    pub blobs: BTreeMap<ObjectId, Vec<Introduction>>,
    /// What was there before at the paths that were touched.
    pub base: BTreeSet<(BString, ObjectId)>,
    /// What could not be read, and where a shallow clone cuts the range off.
    pub skips: Vec<Skip>,
    /// Parents within the ranges, for references.
    parents: BTreeMap<ObjectId, Vec<ObjectId>>,
    /// Committer times of the ranges' commits.
    times: BTreeMap<ObjectId, i64>,
    /// Their places in the order of history.
    ranks: BTreeMap<ObjectId, u32>,
    /// The oldest commit of each part that was taken in.
    oldest: Vec<ObjectId>,
}

/// Works out what `ranges` add. They are taken as one: what any of them excludes is excluded.
pub fn introduced(repo: &Repository, ranges: &[Range]) -> Result<Introduced, Error> {
    let mut found = Introduced::default();
    let mut commits = Vec::new();
    let mut others = Vec::new();
    for id in ranges.iter().flat_map(|range| &range.include) {
        tip(repo, *id, &mut commits, &mut others, &mut found);
    }
    let exclude: Vec<ObjectId> = ranges
        .iter()
        .flat_map(|range| &range.exclude)
        .filter_map(|id| peeled(repo, *id))
        .collect();
    let walked = walk(repo, &commits, &exclude, |_| true, &mut found.skips);
    compare(repo, &walked, &mut found);
    let mut trees = Trees::new(repo);
    for (id, kind) in others {
        match kind {
            gix::objs::Kind::Tree => trees.changes(Some(id), &[], |change| {
                if let Some(blob) = change.new {
                    found.add(blob, 0, id, change.path);
                }
            }),
            _ => found.add(id, 0, id, BString::default()),
        }
    }
    found.skips.append(&mut trees.skips);
    found.finish();
    Ok(found)
}

/// Sorts a tip into commits, tags on the way there, and what is no commit.
fn tip(
    repo: &Repository,
    id: ObjectId,
    commits: &mut Vec<ObjectId>,
    others: &mut Vec<(ObjectId, gix::objs::Kind)>,
    found: &mut Introduced,
) {
    let mut id = id;
    // A tag may name a tag; the bound is against circles in a damaged repository.
    for _ in 0..64 {
        let object = match object(repo, id) {
            Ok(object) => object,
            Err(skip) => return found.skips.push(skip),
        };
        match object.kind {
            gix::objs::Kind::Commit => return commits.push(id),
            gix::objs::Kind::Tag => {
                found.tags.push(id);
                match tagged(&object.data) {
                    Some(target) => id = target,
                    None => {
                        let detail = "not a tag that can be read";
                        let skip = Skip::with_detail(SkipReason::Corrupt, id.to_string(), detail);
                        return found.skips.push(skip);
                    }
                }
            }
            kind => return others.push((id, kind)),
        }
    }
}

/// Compares each commit of a walk with all its parents.
pub(super) fn compare(repo: &Repository, walked: &Walked, found: &mut Introduced) {
    let mut trees = Trees::new(repo);
    // Paths with what stood there before the commit that touched them, and whether that is the base.
    let mut before: BTreeMap<(BString, ObjectId), bool> = BTreeMap::new();
    for commit in &walked.commits {
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
            || walked.boundary.iter().any(|commit| {
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
    trees.changes(Some(commit.tree), &old, |change| {
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
        self.parents.extend(other.parents);
        self.times.extend(other.times);
        self.finish();
    }

    /// Puts everything into an order that does not depend on how it was found.
    pub(super) fn finish(&mut self) {
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
        let number = |id: &ObjectId| ids.binary_search(id).ok().map(|number| number as u32);
        let parents: Vec<Vec<u32>> = ids
            .iter()
            .map(|id| {
                let parents = self.parents.get(id).into_iter().flatten();
                parents.filter_map(number).collect()
            })
            .collect();
        let order = topological(&times, &|commit| &parents[commit as usize]);
        let ranks = order.into_iter().map(|commit| ids[commit as usize]);
        self.ranks = ranks.zip(0..).collect();
    }

    /// Takes in the commits between references and the range, so that a reference whose tip lies beyond the
    /// range is seen to reach it. Needed only if [`scan`] led to findings.
    pub fn look_beyond(&mut self, repo: &Repository) {
        let times = self.blobs.values().flatten().map(|place| place.time);
        let messages = self.oldest.iter().filter_map(|id| time_of(repo, *id));
        let Some(oldest) = times.chain(messages).min() else {
            return;
        };
        let names = references(repo).into_iter().flatten().flatten();
        let mut tips: Vec<ObjectId> = names.filter_map(|(_, id)| peeled(repo, id)).collect();
        tips.extend(repo.head_id().ok().flatten());
        // What cannot be read takes nothing away from the range.
        let walked = walk(
            repo,
            &tips,
            &[],
            |commit| commit.time >= oldest,
            &mut Vec::new(),
        );
        for commit in walked.commits {
            self.parents.entry(commit.id).or_insert(commit.parents);
        }
    }

    /// Whether a commit of the range, or a tag that leads to one, reaches another.
    pub fn is_reached(&self, repo: &Repository, from: ObjectId, commit: ObjectId) -> bool {
        peeled(repo, from).is_some_and(|from| self.reaches(from, commit))
    }

    /// The places of an object that came in, with their commits; the first one first. For each path the
    /// first commit counts. References are those that lie within the range.
    pub fn locations(&self, repo: &Repository, id: ObjectId) -> Vec<Location> {
        let mut seen = BTreeSet::new();
        let mut places = Vec::new();
        for place in self.blobs.get(&id).into_iter().flatten() {
            if seen.insert(&place.path) {
                places.push((place.path.clone(), place.commit_id));
            }
        }
        if places.is_empty() && (self.parents.contains_key(&id) || self.tags.contains(&id)) {
            places.push((BString::default(), id));
        }
        places
            .into_iter()
            .map(|(path, commit)| {
                let in_head = self.in_head(repo, &path, id);
                let rank = self.ranks.get(&commit).map_or(u32::MAX, |rank| *rank);
                describe_commit(repo, path, commit, rank, in_head, self.refs(repo, commit))
            })
            .collect()
    }

    fn in_head(&self, repo: &Repository, path: &BString, id: ObjectId) -> bool {
        let Ok(Some(head)) = repo.head_id() else {
            return false;
        };
        if path.is_empty() {
            return self.reaches(head, id);
        }
        match repo.tree_of(head, &mut Vec::new()) {
            Ok(tree) => Trees::new(repo).blob_at(tree, path) == Some(id),
            Err(_) => false,
        }
    }

    /// References whose tip lies within the range and leads to a commit of it.
    fn refs(&self, repo: &Repository, commit: ObjectId) -> Vec<String> {
        let mut names = Vec::new();
        for (name, id) in references(repo).into_iter().flatten().flatten() {
            let tip = peeled(repo, id);
            if tip.is_some_and(|tip| self.reaches(tip, commit)) || leads(repo, id, commit) {
                names.push(name);
            }
        }
        names.sort();
        names
    }

    fn reaches(&self, from: ObjectId, to: ObjectId) -> bool {
        let mut seen = BTreeSet::new();
        let mut stack = vec![from];
        while let Some(id) = stack.pop() {
            if id == to && self.parents.contains_key(&id) {
                return true;
            }
            if seen.insert(id)
                && let Some(parents) = self.parents.get(&id)
            {
                stack.extend(parents);
            }
        }
        false
    }
}

/// Whether a reference to `from` leads to the tag `to`: itself, or through tags.
fn leads(repo: &Repository, from: ObjectId, to: ObjectId) -> bool {
    let mut id = Some(from);
    // A tag may name a tag; the bound is against circles in a damaged repository.
    for _ in 0..64 {
        let Some(at) = id else { return false };
        if at == to {
            return true;
        }
        let header = repo.objects().header(&at);
        let is_tag = matches!(header, Ok(Some((gix::objs::Kind::Tag, _))));
        let tag = is_tag.then(|| object(repo, at).ok()).flatten();
        id = tag.and_then(|tag| tagged(&tag.data));
    }
    false
}

fn time_of(repo: &Repository, id: ObjectId) -> Option<i64> {
    let object = object(repo, id).ok()?;
    let commit = gix::objs::CommitRef::from_bytes(&object.data, id.kind()).ok()?;
    commit.committer().ok().map(|committer| committer.seconds())
}

/// How [`scan`] works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Larger objects are skipped.
    pub max_object_size: u64,
}

/// Shows each blob that came in, once, and the commits and tags.
pub fn scan<S: BlobSink>(
    repo: &Repository,
    introduced: &Introduced,
    options: Options,
    sink: S,
) -> ControlFlow<()> {
    let object = |kind| move |id: &ObjectId| Provenance::Object { kind, id: *id };
    // By path, so that versions of one file follow each other and share what was inflated.
    let mut blobs: Vec<(&BString, &ObjectId)> = introduced
        .blobs
        .iter()
        .filter_map(|(id, places)| Some((&places.first()?.path, id)))
        .collect();
    blobs.sort();
    let blobs = blobs.into_iter().map(|(_, id)| id);
    let mut todo: Vec<Provenance> = blobs.map(object(ObjectKind::Blob)).collect();
    todo.extend(introduced.commits.iter().map(object(ObjectKind::Commit)));
    todo.extend(introduced.tags.iter().map(object(ObjectKind::Tag)));
    show(repo, &todo, options, sink)
}

/// Shows what was there before, as old versions, each once. Needed only if [`scan`] led to findings.
///
/// Of several paths the first one counts that is not `excepted`, if there is one.
pub fn scan_base<S: BlobSink>(
    repo: &Repository,
    introduced: &Introduced,
    excepted: impl Fn(&BStr) -> bool,
    options: Options,
    sink: S,
) -> ControlFlow<()> {
    let mut paths: BTreeMap<&ObjectId, (bool, &BString)> = BTreeMap::new();
    for (path, blob_id) in &introduced.base {
        let found = (excepted(path.as_ref()), path);
        let kept = paths.entry(blob_id).or_insert(found);
        *kept = found.min(*kept);
    }
    let todo: Vec<Provenance> = paths
        .into_iter()
        .map(|(blob_id, (_, path))| Provenance::Entry {
            path: path.clone(),
            blob_id: *blob_id,
            version: Version::Old,
        })
        .collect();
    show(repo, &todo, options, sink)
}

fn show<S: BlobSink>(
    repo: &Repository,
    todo: &[Provenance],
    options: Options,
    sink: S,
) -> ControlFlow<()> {
    const BATCH: usize = 32;
    let next = AtomicUsize::new(0);
    let work = |mut sink: S| {
        let mut buffer = Vec::new();
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            let to = todo.len().min(from.saturating_add(BATCH));
            let Some(batch) = todo.get(from..to).filter(|batch| !batch.is_empty()) else {
                return ControlFlow::Continue(());
            };
            for provenance in batch {
                if show_one(
                    repo,
                    provenance,
                    options.max_object_size,
                    &mut buffer,
                    &mut sink,
                )
                .is_break()
                {
                    next.store(todo.len(), Ordering::Relaxed);
                    return ControlFlow::Break(());
                }
            }
        }
    };
    let threads = options.threads.clamp(1, todo.len().div_ceil(BATCH).max(1));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads)
            .map(|_| {
                let sink = sink.clone();
                scope.spawn(|| work(sink))
            })
            .collect();
        let mut flow = work(sink);
        for worker in workers {
            match worker.join() {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => flow = ControlFlow::Break(()),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        flow
    })
}

fn show_one<S: BlobSink>(
    repo: &Repository,
    provenance: &Provenance,
    max_size: u64,
    buffer: &mut Vec<u8>,
    sink: &mut S,
) -> ControlFlow<()> {
    let (Provenance::Object { id, .. } | Provenance::Entry { blob_id: id, .. }) = provenance else {
        return ControlFlow::Continue(());
    };
    let read = match repo.objects().header(id) {
        Ok(Some((_, size))) if size > max_size => {
            let detail = format!("{size} bytes");
            Err(Skip::with_detail(SkipReason::Size, id.to_string(), detail))
        }
        Ok(None) => Err(missing(repo, *id)),
        Ok(Some(_)) => match repo.find_object(id, buffer) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(missing(repo, *id)),
            Err(error) => Err(Skip::with_detail(error.reason, id.to_string(), error)),
        },
        Err(error) => Err(Skip::with_detail(error.reason, id.to_string(), error)),
    };
    match read {
        Ok(()) => match Pointer::parse(buffer) {
            Some(pointer) => {
                let subject = BString::from(id.to_string());
                show_lfs(repo, &pointer, provenance, Some(&subject), sink)
            }
            None => sink.blob(Blob {
                bytes: buffer,
                provenance,
            }),
        },
        Err(skip) => {
            sink.skip(skip);
            ControlFlow::Continue(())
        }
    }
}
