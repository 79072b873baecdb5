//! What a tree has that none of several others has at the same path.

use std::collections::HashMap;

use bstr::{BStr, BString};
use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::{EntryKind, EntryRef};

use crate::coverage::{Skip, SkipReason};
use crate::source::repository::Objects;

/// Trees nested deeper than this are not followed; Git itself stops at 2048.
const MAX_DEPTH: usize = 1024;

/// Collects differences.
pub(super) struct Diff<'a> {
    objects: &'a Objects,
    path: BString,
    depth: usize,
    /// Blobs that are new at a path.
    pub(super) new: Vec<(BString, ObjectId)>,
    /// Blobs that stood at a path where there is another one, or none, now.
    pub(super) old: Vec<(BString, ObjectId)>,
    pub(super) skips: Vec<Skip>,
}

impl<'a> Diff<'a> {
    pub(super) fn new(objects: &'a Objects) -> Self {
        Self {
            objects,
            path: BString::default(),
            depth: 0,
            new: Vec::new(),
            old: Vec::new(),
            skips: Vec::new(),
        }
    }

    /// Compares a tree with those of the parents of its commit.
    pub(super) fn compare(&mut self, tree_id: ObjectId, parents: &[ObjectId]) {
        if parents.contains(&tree_id) {
            return;
        }
        if self.depth >= MAX_DEPTH {
            let skip = Skip::with_detail(
                SkipReason::Unsupported,
                self.path.clone(),
                "nested too deeply",
            );
            self.skips.push(skip);
            return;
        }
        let mut buffer = Vec::new();
        let entries = self.read(tree_id, true, &mut buffer);
        let mut buffers: Vec<Vec<u8>> = vec![Vec::new(); parents.len()];
        let befores: Vec<HashMap<&BStr, EntryRef<'_>>> = parents
            .iter()
            .zip(&mut buffers)
            .map(|(parent_id, buffer)| {
                self.read(*parent_id, false, buffer)
                    .into_iter()
                    .map(|entry| (entry.filename, entry))
                    .collect()
            })
            .collect();
        for entry in &entries {
            let before: Vec<EntryRef<'_>> = befores
                .iter()
                .filter_map(|before| before.get(entry.filename).copied())
                .collect();
            self.entry(entry, &before);
        }
        // Against one parent, what is gone may have been moved. A merge only joins what its parents did.
        if let [before] = befores.as_slice() {
            let names: HashMap<&BStr, bool> = entries
                .iter()
                .map(|entry| (entry.filename, entry.mode.is_tree()))
                .collect();
            for (name, entry) in before {
                if names.get(name) != Some(&entry.mode.is_tree()) {
                    self.gone(entry);
                }
            }
        }
    }

    fn entry(&mut self, entry: &EntryRef<'_>, before: &[EntryRef<'_>]) {
        let is_same = |before: &EntryRef<'_>| before.oid == entry.oid && before.mode == entry.mode;
        if before.iter().any(is_same) {
            return;
        }
        let length = self.path.len();
        self.path.extend_from_slice(entry.filename);
        match entry.mode.kind() {
            EntryKind::Tree => {
                self.path.push(b'/');
                let parents: Vec<ObjectId> = before
                    .iter()
                    .filter(|before| before.mode.is_tree())
                    .map(|before| before.oid.to_owned())
                    .collect();
                self.depth += 1;
                self.compare(entry.oid.to_owned(), &parents);
                self.depth -= 1;
            }
            EntryKind::Commit => {
                let skip = Skip::new(SkipReason::Submodule, self.path.clone());
                self.skips.push(skip);
            }
            _ => {
                self.new.push((self.path.clone(), entry.oid.to_owned()));
                for before in before.iter().filter(|before| is_blob(before)) {
                    self.old.push((self.path.clone(), before.oid.to_owned()));
                }
            }
        }
        self.path.truncate(length);
    }

    /// Lists what was removed with an entry.
    fn gone(&mut self, entry: &EntryRef<'_>) {
        let length = self.path.len();
        self.path.extend_from_slice(entry.filename);
        if is_blob(entry) {
            self.old.push((self.path.clone(), entry.oid.to_owned()));
        } else if entry.mode.is_tree() && self.depth < MAX_DEPTH {
            self.path.push(b'/');
            self.depth += 1;
            let mut buffer = Vec::new();
            for entry in self.read(entry.oid.to_owned(), false, &mut buffer) {
                self.gone(&entry);
            }
            self.depth -= 1;
        }
        self.path.truncate(length);
    }

    /// The entries of a tree. What cannot be read is a skip if it is on the new side; on the old one
    /// it only makes more count as new.
    fn read<'b>(
        &mut self,
        tree_id: ObjectId,
        is_new: bool,
        buffer: &'b mut Vec<u8>,
    ) -> Vec<EntryRef<'b>> {
        let failure = match self.objects.find(&tree_id, buffer) {
            Ok(Some(Kind::Tree)) => None,
            Ok(Some(other)) => Some((SkipReason::Corrupt, format!("it is a {other}"))),
            Ok(None) => Some((SkipReason::Missing, "not in the object database".to_owned())),
            Err(error) => Some((error.reason, error.detail)),
        };
        if failure.is_some() {
            buffer.clear();
        }
        let mut entries = Vec::new();
        let mut failure = failure;
        for entry in gix::objs::TreeRefIter::from_bytes(buffer, tree_id.kind()) {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    failure = Some((SkipReason::Corrupt, error.to_string()));
                    break;
                }
            }
        }
        if let Some((reason, detail)) = failure.filter(|_| is_new) {
            let detail = format!("tree {tree_id}: {detail}");
            let skip = Skip::with_detail(reason, self.path.clone(), detail);
            self.skips.push(skip);
        }
        entries
    }
}

fn is_blob(entry: &EntryRef<'_>) -> bool {
    matches!(
        entry.mode.kind(),
        EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link
    )
}
