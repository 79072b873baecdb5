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

mod index;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;
use rayon::prelude::*;

use super::content::{Links, Reader, Unread};
use super::lfs::Pointer;
use super::repository::{self, Repository, sentence};
use super::{BlobSink, Error};
use crate::blob::Blob;
use crate::coverage::{Skip, SkipReason};
use crate::provenance::{Provenance, Version};
use index::{Comparison, Item};

/// From this many blobs on, threads are worth their start.
const PARALLEL_FROM: usize = 256;

/// How to look at the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Show every tracked blob instead of what differs from `HEAD`.
    pub all_files: bool,
}

/// What the next commit would record.
#[derive(Clone, Copy, Debug)]
pub struct Staged<'a> {
    /// Whose index it is.
    pub repository: &'a Repository,
    /// How to look at it.
    pub options: Options,
}

/// What was in the index.
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
    /// Whether the next commit would change nothing.
    pub fn is_empty(self) -> bool {
        self.changed == 0 && self.removed == 0
    }
}

impl Staged<'_> {
    /// Shows `sink` the blobs; gives how many paths they are.
    pub fn scan<S: BlobSink>(&self, mut sink: S) -> Result<StagedOutcome, Error> {
        let index = load_index(self.repository)?;
        let comparison = if self.options.all_files {
            let mut comparison = Comparison::new(self.repository.objects(), &index);
            comparison.all_files();
            comparison
        } else {
            self.compare(&index)?
        };
        let outcome = StagedOutcome {
            changed: comparison.changed,
            removed: comparison.removed,
            tracked: index.entries().len(),
        };
        for skip in comparison.skips {
            sink.skip(skip);
        }
        self.show(&comparison.items, sink);
        Ok(outcome)
    }

    fn compare<'i>(&self, index: &'i gix::index::File) -> Result<Comparison<'i>, Error>
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
        let merge_heads = repository.merge_heads()?;
        if !merge_heads.is_empty() && !comparison.items.is_empty() {
            let mut other = MergeParents::default();
            for commit_id in merge_heads {
                let tree_id = repository.tree_of(commit_id, &mut buffer)?;
                other.add(repository, tree_id, &mut comparison.items);
            }
        }
        Ok(comparison)
    }

    fn show<S: BlobSink>(&self, items: &[Item], mut sink: S) {
        if items.len() < PARALLEL_FROM {
            let mut buffer = Vec::new();
            for item in items {
                if self.show_one(item, &mut buffer, &mut sink).is_break() {
                    break;
                }
            }
            return;
        }
        let stop = AtomicBool::new(false);
        items
            .par_iter()
            .for_each_with((sink, Vec::new()), |(sink, buffer), item| {
                if !stop.load(Ordering::Relaxed) && self.show_one(item, buffer, sink).is_break() {
                    stop.store(true, Ordering::Relaxed);
                }
            });
    }

    fn show_one<S: BlobSink>(
        &self,
        item: &Item,
        buffer: &mut Vec<u8>,
        sink: &mut S,
    ) -> ControlFlow<()> {
        let is_new = item.version == Version::New;
        let failure = match self.repository.find_object(&item.blob_id, buffer) {
            Ok(Some(Kind::Blob)) => None,
            Ok(Some(other)) => Some((SkipReason::Corrupt, format!("it is a {other}"))),
            Ok(None) if self.repository.is_partial() => {
                Some((SkipReason::Partial, "left on the server".to_owned()))
            }
            Ok(None) => Some((SkipReason::Missing, "not in the object database".to_owned())),
            Err(error) => Some((error.reason, error.detail)),
        };
        if let Some((reason, detail)) = failure {
            if is_new {
                let detail = format!("blob {}: {detail}", item.blob_id);
                sink.skip(Skip::with_detail(reason, item.path.clone(), detail));
            }
            return ControlFlow::Continue(());
        }
        let provenance = Provenance::Entry {
            path: item.path.clone(),
            blob_id: item.blob_id,
            version: item.version,
        };
        if let Some(pointer) = Pointer::parse(buffer) {
            return self.show_lfs(&pointer, &provenance, item, sink);
        }
        sink.blob(Blob {
            bytes: buffer,
            provenance: &provenance,
        })
    }

    /// Shows the content of an LFS pointer if it lies in the local store.
    fn show_lfs<S: BlobSink>(
        &self,
        pointer: &Pointer,
        provenance: &Provenance,
        item: &Item,
        sink: &mut S,
    ) -> ControlFlow<()> {
        let path = pointer.object_path(self.repository.common_dir());
        let mut reader = Reader::new(Some(self.repository.objects().max_size()));
        let (reason, detail) = match reader.open(&path, Links::Follow) {
            Ok(content) if content.bytes().len() as u64 == pointer.size => {
                sink.blob(Blob {
                    bytes: content.bytes(),
                    provenance,
                })?;
                match content.change() {
                    Some(change) => (SkipReason::Changed, change),
                    None => return ControlFlow::Continue(()),
                }
            }
            Ok(_) => (
                SkipReason::Lfs,
                "the local object has another length than its pointer says".to_owned(),
            ),
            Err(Unread::Size(size)) => (SkipReason::Size, format!("LFS object of {size} bytes")),
            Err(Unread::Failed(error)) => (SkipReason::Unreadable, error.to_string()),
            Err(_) => (
                SkipReason::Lfs,
                "its object is not in the local store".to_owned(),
            ),
        };
        if item.version == Version::New {
            sink.skip(Skip::with_detail(reason, item.path.clone(), detail));
        }
        ControlFlow::Continue(())
    }
}

/// Reads the index that Git names; an index that does not exist is empty.
fn load_index(repository: &Repository) -> Result<gix::index::File, repository::Error> {
    let path = repository.index_path();
    let broken = |detail: String| repository::Error::Index {
        path: path.to_owned(),
        detail,
    };
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            return Err(broken("it is not a regular file".to_owned()));
        }
        _ => {}
    }
    let options = gix::index::decode::Options {
        // Threads cost more than they bring: an index of 5,000 files decodes in well under a millisecond.
        thread_limit: Some(1),
        ..Default::default()
    };
    // An index that is cut off between two extensions decodes well and has lost files: only its checksum tells.
    let skip_hash = false;
    let index = gix::index::File::at_or_default(path, repository.object_hash(), skip_hash, options)
        .map_err(|error| broken(sentence(&error)))?;
    index
        .verify_entries()
        .map_err(|error| broken(sentence(&error)))?;
    Ok(index)
}

/// Looks paths up in the trees of the other parents of a merge; each tree is read once.
#[derive(Default)]
struct MergeParents {
    trees: HashMap<ObjectId, Vec<u8>>,
}

impl MergeParents {
    /// Adds what `tree_id` has at the paths of `items` as old versions.
    fn add(&mut self, repository: &Repository, tree_id: ObjectId, items: &mut Vec<Item>) {
        let mut found: Vec<Item> = Vec::new();
        let mut last: Option<&BString> = None;
        for item in items.iter() {
            if last == Some(&item.path) {
                continue;
            }
            last = Some(&item.path);
            if let Some(blob_id) = self.look_up(repository, tree_id, item.path.as_bstr()) {
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

    fn look_up(
        &mut self,
        repository: &Repository,
        root: ObjectId,
        path: &BStr,
    ) -> Option<ObjectId> {
        let mut tree_id = root;
        let mut parts = path.split_str("/").peekable();
        while let Some(name) = parts.next() {
            let bytes = self.trees.entry(tree_id).or_insert_with(|| {
                let mut bytes = Vec::new();
                match repository.find_object(&tree_id, &mut bytes) {
                    Ok(Some(Kind::Tree)) => bytes,
                    _ => Vec::new(),
                }
            });
            let entry = gix::objs::TreeRefIter::from_bytes(bytes, repository.object_hash())
                .filter_map(Result::ok)
                .find(|entry| entry.filename == name)?;
            let kind = entry.mode.kind();
            match (parts.peek().is_some(), kind) {
                (true, EntryKind::Tree) => tree_id = entry.oid.to_owned(),
                (false, EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link) => {
                    return Some(entry.oid.to_owned());
                }
                _ => return None,
            }
        }
        None
    }
}
