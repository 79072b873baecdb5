//! What the commits of a range bring in: for a push, on either side, and for a pull request.
//!
//! A blob is new if a commit of the range has it at a path where none of the commit's parents has it, so what a merge
//! smuggles in is seen and what it merely joins is not. What such a path held before, and what a commit
//! removes, is shown as old unless the range itself brought it in. Commits and tags are shown whole.

mod diff;
mod walk;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

use bstr::{BString, ByteSlice as _};
use gix::ObjectId;
use gix::objs::Kind;

use super::entries::{self, Item};
use super::history::provenance::{Located, Location};
use super::paths::Paths;
use super::repository::{self, Repository};
use super::{BlobSink, Error};
use crate::blob::Blob;
use crate::coverage::{Skip, SkipReason};
use crate::provenance::{ObjectKind, Provenance, Version};

use diff::Diff;
use walk::{Commit, Walk};

/// Annotated tags may name tags; not longer than this.
const MAX_TAGS: usize = 16;

/// Commits that some tips reach and others do not.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    /// Where they are.
    pub repository: &'a Repository,
    /// Commits, tags, or whatever else is pushed: what they reach is in the range.
    pub include: Vec<ObjectId>,
    /// What these reach is not. Those that are not in the repository exclude nothing.
    pub exclude: Vec<ObjectId>,
}

/// What a range brings in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeOutcome {
    /// Commits of the range.
    pub commits: usize,
    /// Which commit brought which blob in, at which path; the oldest first.
    pub introductions: Vec<Introduction>,
}

impl RangeOutcome {
    /// Says for blobs and commits that hold findings which commit of the range brought them in.
    pub fn locate(&self, repository: &Repository, wanted: &[ObjectId]) -> Result<Located, Error> {
        let mut buffer = Vec::new();
        let head_tree = match repository.head_id()? {
            Some(commit_id) => Some(repository.tree_of(commit_id, &mut buffer)?),
            None => None,
        };
        let mut paths = Paths::default();
        let mut located = Located::default();
        for id in wanted {
            let mut seen: HashSet<&BString> = HashSet::new();
            let mut places = Vec::new();
            for found in &self.introductions {
                // The oldest commit that brought it to a path stands for the others.
                if found.blob_id != *id || !seen.insert(&found.path) {
                    continue;
                }
                require(repository, found.commit_id, &mut buffer)?;
                let mut place = Location::of_commit(found.path.clone(), found.commit_id, &buffer);
                let in_head = head_tree.is_some_and(|tree_id| {
                    paths.look_up(repository, tree_id, found.path.as_bstr()) == Some(*id)
                });
                if let Some(commit) = &mut place.commit {
                    commit.in_head = in_head;
                }
                places.push(place);
            }
            if places.is_empty()
                && let Ok(Some(Kind::Commit)) = repository.find_object(id, &mut buffer)
            {
                places.push(Location::of_commit(BString::default(), *id, &buffer));
            }
            if !places.is_empty() {
                located.places.insert(*id, places);
            }
        }
        Ok(located)
    }
}

/// A blob that a commit brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// The commit.
    pub commit_id: ObjectId,
    /// Where it has the blob.
    pub path: BString,
    /// The blob.
    pub blob_id: ObjectId,
}

/// What the tips of a range turned out to be.
#[derive(Default)]
struct Tips {
    commits: Vec<ObjectId>,
    tags: BTreeSet<ObjectId>,
    trees: Vec<ObjectId>,
    blobs: Vec<ObjectId>,
}

impl Range<'_> {
    /// Shows `sink` what the range brings in.
    pub fn scan<S: BlobSink>(&self, mut sink: S) -> Result<RangeOutcome, Error> {
        let tips = self.tips()?;
        let mut excluded = Vec::new();
        for id in &self.exclude {
            excluded.extend(
                self.peel(*id)?
                    .and_then(|(id, kind)| (kind == Kind::Commit).then_some(id)),
            );
        }
        let shallow: HashSet<ObjectId> = self.repository.shallow_boundary()?.into_iter().collect();
        let mut walk = Walk::new(self.repository, shallow);
        let commits = walk.commits(&tips.commits, &excluded)?;
        let mut diff = Diff::new(self.repository.objects());
        let mut introductions = Vec::new();
        for commit_id in &commits {
            introductions.extend(self.introduced(*commit_id, &mut walk, &mut diff)?);
        }
        for tree_id in &tips.trees {
            diff.compare(*tree_id, &[]);
        }
        let items = items(&introductions, &mut diff);
        for skip in walk.skips.drain(..).chain(diff.skips.drain(..)) {
            sink.skip(skip);
        }
        let messages = commits
            .iter()
            .map(|id| (ObjectKind::Commit, *id))
            .chain(tips.tags.iter().map(|id| (ObjectKind::Tag, *id)))
            .chain(tips.blobs.iter().map(|id| (ObjectKind::Blob, *id)));
        if self.show_objects(messages, &mut sink).is_continue() {
            entries::show(self.repository, &items, sink);
        }
        Ok(RangeOutcome {
            commits: commits.len(),
            introductions,
        })
    }

    fn introduced(
        &self,
        commit_id: ObjectId,
        walk: &mut Walk<'_>,
        diff: &mut Diff<'_>,
    ) -> Result<Vec<Introduction>, Error> {
        let commit: Commit = walk.commit(commit_id)?;
        let mut parents = Vec::new();
        for parent_id in &commit.parents {
            parents.extend(walk.parent_tree(commit_id, *parent_id)?);
        }
        diff.compare(commit.tree_id, &parents);
        Ok(diff
            .new
            .drain(..)
            .map(|(path, blob_id)| Introduction {
                commit_id,
                path,
                blob_id,
            })
            .collect())
    }

    /// Sorts the tips by kind; tags lead to what they name.
    fn tips(&self) -> Result<Tips, Error> {
        let mut tips = Tips::default();
        let mut buffer = Vec::new();
        for tip in &self.include {
            let mut id = *tip;
            for _ in 0..MAX_TAGS {
                match kind_of(self.repository, id, &mut buffer)? {
                    Kind::Commit => tips.commits.push(id),
                    Kind::Tree => tips.trees.push(id),
                    Kind::Blob => tips.blobs.push(id),
                    Kind::Tag => {
                        tips.tags.insert(id);
                        id = tag_target(self.repository, id, &buffer)?;
                        continue;
                    }
                }
                break;
            }
        }
        Ok(tips)
    }

    /// What an excluded tip leads to; `None` if it is not here.
    fn peel(&self, tip: ObjectId) -> Result<Option<(ObjectId, Kind)>, Error> {
        let mut buffer = Vec::new();
        let mut id = tip;
        for _ in 0..MAX_TAGS {
            // To exclude less is to scan more: what cannot be read excludes nothing.
            match self.repository.find_object(&id, &mut buffer) {
                Ok(Some(Kind::Tag)) => id = tag_target(self.repository, id, &buffer)?,
                Ok(Some(kind)) => return Ok(Some((id, kind))),
                Ok(None) | Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    fn show_objects<S: BlobSink>(
        &self,
        objects: impl Iterator<Item = (ObjectKind, ObjectId)>,
        sink: &mut S,
    ) -> ControlFlow<()> {
        let mut buffer = Vec::new();
        for (kind, id) in objects {
            match self.repository.find_object(&id, &mut buffer) {
                Ok(Some(_)) => sink.blob(Blob {
                    bytes: &buffer,
                    provenance: &Provenance::Object { kind, id },
                })?,
                Ok(None) => sink.skip(Skip::new(SkipReason::Missing, id.to_string())),
                Err(error) => {
                    sink.skip(Skip::with_detail(
                        error.reason,
                        id.to_string(),
                        error.detail,
                    ));
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Each new blob once per path, and what was there before unless the range brought it in itself.
fn items(introductions: &[Introduction], diff: &mut Diff<'_>) -> Vec<Item> {
    let mut versions: HashMap<(BString, ObjectId), Version> = HashMap::new();
    let introduced: HashSet<ObjectId> = introductions
        .iter()
        .map(|introduction| introduction.blob_id)
        .collect();
    for (path, blob_id) in diff.old.drain(..) {
        if !introduced.contains(&blob_id) {
            versions.insert((path, blob_id), Version::Old);
        }
    }
    for introduction in introductions {
        let key = (introduction.path.clone(), introduction.blob_id);
        versions.insert(key, Version::New);
    }
    for (path, blob_id) in diff.new.drain(..) {
        versions.insert((path, blob_id), Version::New);
    }
    let mut items: Vec<Item> = versions
        .into_iter()
        .map(|((path, blob_id), version)| Item {
            path,
            blob_id,
            version,
        })
        .collect();
    items.sort_by(|a, b| (&a.path, a.version, a.blob_id).cmp(&(&b.path, b.version, b.blob_id)));
    items
}

fn require(
    repository: &Repository,
    commit_id: ObjectId,
    buffer: &mut Vec<u8>,
) -> Result<(), Error> {
    repository.tree_of(commit_id, buffer).map(drop)?;
    Ok(())
}

fn kind_of(
    repository: &Repository,
    id: ObjectId,
    buffer: &mut Vec<u8>,
) -> Result<Kind, repository::Error> {
    let wrong = |detail: String| repository::Error::Object {
        id,
        kind: Kind::Commit,
        detail,
    };
    match repository.find_object(&id, buffer) {
        Ok(Some(kind)) => Ok(kind),
        Ok(None) => Err(wrong("it is not in the object database".to_owned())),
        Err(error) => Err(wrong(error.detail)),
    }
}

fn tag_target(
    repository: &Repository,
    id: ObjectId,
    bytes: &[u8],
) -> Result<ObjectId, repository::Error> {
    gix::objs::TagRefIter::from_bytes(bytes, repository.object_hash())
        .target_id()
        .map_err(|error| repository::Error::Object {
            id,
            kind: Kind::Tag,
            detail: repository::sentence(&error),
        })
}
