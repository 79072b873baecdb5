//! The blobs that the next commit would record.
//!
//! The index is compared with `HEAD`'s tree by names and object ids alone. What differs is read whole from
//! the object database: the staged blobs as [`Version::New`], what they replace or remove as
//! [`Version::Old`]. The working copy is never looked at.
//!
//! * A commit that is amended is compared with itself: a hook cannot know that `HEAD` is about to be
//!   replaced. A secret that `HEAD` has already is not new, one that is added by the amendment is.
//! * While a merge is in progress, what the other parents have at a changed path counts as old too: it is in
//!   history already. A secret that only the resolution brings in is new.
//! * All stages of an unmerged path are new unless they are `HEAD`'s.
//! * An old version that cannot be read is passed over in silence: it can only make more secrets count as new.

mod compare;
mod index;
mod mapped;
#[cfg(test)]
mod tests;

use bstr::{BStr, BString};
use gix::ObjectId;

use super::entries::{self, Item};
use super::{BlobSink, Error};
use crate::coverage::Skip;
use crate::git::Trees;
use crate::git::repository::Repository;
use crate::provenance::Version;
use compare::Comparison;
pub use index::Index;
pub(super) use index::decode;

/// Options of reading the index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Show every tracked blob instead of what differs from `HEAD`.
    pub all_files: bool,
    /// Further parents that the commit is going to have, beside those of a merge that the repository speaks of.
    pub parents: Vec<ObjectId>,
}

/// Content of the next commit.
#[derive(Clone, Debug)]
pub struct Staged<'a> {
    /// The repository of the index.
    pub repository: &'a Repository,
    /// Options of reading the index.
    pub options: Options,
}

/// Counts of the entries in the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StagedOutcome {
    /// Paths whose content or kind is added or changed.
    pub changed: usize,
    /// Paths that the next commit would no longer have.
    pub removed: usize,
    /// Entries of the index.
    pub tracked: usize,
}

impl StagedOutcome {
    /// Returns true if the next commit would change nothing.
    pub fn is_empty(self) -> bool {
        self.changed == 0 && self.removed == 0
    }
}

/// Changes of the next commit, before any of them is read.
pub struct Changes<'r> {
    repository: &'r Repository,
    items: Vec<Item>,
    skips: Vec<Skip>,
    /// The other parents of a merge, which give old versions as `HEAD` does.
    pub merged: Vec<ObjectId>,
    /// Counts of the changes.
    pub outcome: StagedOutcome,
}

impl Changes<'_> {
    /// The paths that have an old version.
    pub fn old_paths(&self) -> impl Iterator<Item = &BStr> {
        let old = self.items.iter().filter(|it| it.version == Version::Old);
        old.map(|item| item.path.as_ref())
    }

    /// Shows `sink` the blobs. `index` is the one that was compared.
    pub fn show<S: BlobSink>(self, index: &Index, sink: &mut S) -> Result<(), Error> {
        for skip in self.skips {
            sink.skip(skip);
        }
        entries::show(self.repository, &self.items, sink);
        index.verify(self.repository)
    }
}

impl<'r> Staged<'r> {
    /// Shows `sink` the blobs; gives how many paths they are.
    pub fn scan<S: BlobSink>(&self, sink: &mut S) -> Result<StagedOutcome, Error> {
        self.scan_index(&Index::load(self.repository)?, sink)
    }

    /// The same, of an index that was read already.
    pub fn scan_index<S: BlobSink>(
        &self,
        index: &Index,
        sink: &mut S,
    ) -> Result<StagedOutcome, Error> {
        let changes = self.changes(index)?;
        let outcome = changes.outcome;
        changes.show(index, sink)?;
        Ok(outcome)
    }

    /// Works out what differs.
    pub fn changes(&self, index: &Index) -> Result<Changes<'r>, Error> {
        let (comparison, merged) = if self.options.all_files {
            let mut comparison = Comparison::new(self.repository.objects(), index);
            comparison.all_files();
            (comparison, Vec::new())
        } else {
            self.compare(index)?
        };
        let outcome = StagedOutcome {
            changed: comparison.changed,
            removed: comparison.removed,
            tracked: index.len(),
        };
        Ok(Changes {
            repository: self.repository,
            items: comparison.items,
            skips: comparison.skips,
            merged,
            outcome,
        })
    }

    /// Returns the differences from `HEAD`, and the other parents of a merge.
    fn compare<'i>(&self, index: &'i Index) -> Result<(Comparison<'i>, Vec<ObjectId>), Error>
    where
        Self: 'i,
    {
        let repository = self.repository;
        let mut buffer = Vec::new();
        let head_tree = match repository.head_id()? {
            Some(commit_id) => Some(repository.tree_of(commit_id, &mut buffer)?),
            None => None,
        };
        let mut comparison = Comparison::new(repository.objects(), index);
        comparison.with_head(head_tree);
        let mut merge_heads = repository.merge_heads()?;
        merge_heads.extend(&self.options.parents);
        if !merge_heads.is_empty() && !comparison.items.is_empty() {
            let mut trees = Trees::new(repository);
            for commit_id in &merge_heads {
                let tree_id = repository.tree_of(*commit_id, &mut buffer)?;
                add_parent(&mut trees, tree_id, &mut comparison.items);
            }
        }
        Ok((comparison, merge_heads))
    }
}

/// Adds what `tree_id`, of another parent of a merge, has at the paths of `items` as old versions.
fn add_parent(trees: &mut Trees<'_>, tree_id: ObjectId, items: &mut Vec<Item>) {
    let mut found: Vec<Item> = Vec::new();
    let mut last: Option<&BString> = None;
    for item in items.iter() {
        if last == Some(&item.path) {
            continue;
        }
        last = Some(&item.path);
        if let Some(blob_id) = trees.blob_at(tree_id, &item.path) {
            found.push(Item {
                path: item.path.clone(),
                blob_id,
                version: Version::Old,
            });
        }
    }
    items.append(&mut found);
    items.sort_by(|a, b| a.path.cmp(&b.path));
    items.dedup();
}
