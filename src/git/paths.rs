//! Looks paths up in trees; each tree is read once.

use std::collections::HashMap;

use bstr::{BStr, ByteSlice as _};
use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::repository::Repository;

/// Trees that were read.
#[derive(Default)]
pub(crate) struct Paths {
    trees: HashMap<ObjectId, Vec<u8>>,
}

impl Paths {
    /// The blob at `path` below the tree `root`; `None` if there is none, or if a tree cannot be read.
    pub(crate) fn look_up(
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
