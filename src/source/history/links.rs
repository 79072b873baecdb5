//! References of the objects that are read to objects that may be missing: parents and trees of commits, and the
//! content behind Git LFS pointers.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bstr::BString;
use gix::ObjectId;
use gix::hash::oid;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use crate::coverage::Skip;
use crate::git::header::{self, tagged};
use crate::git::lfs::{MAX_POINTER, MIN_POINTER, Pointer};
use crate::git::number::ObjectNo;
use crate::git::odb::notes::{ABSENT, CommitLink, CommitTable, NO_ENTRIES};
use crate::git::odb::store::Stores;
use crate::git::tree;
use crate::provenance::{ObjectKind, Provenance};
use crate::source::BlobSink;
use crate::source::entries::{lfs_absent, show_lfs};
use crate::source::submodules;

/// Follows references from one object to another.
pub(super) struct Links<'a> {
    /// Stores in which the objects may be; `None` if references are not to be followed.
    stores: Option<&'a Stores>,
    /// Commits whose parents were left out on purpose.
    shallow: HashSet<ObjectId>,
    /// Folder of Git LFS's objects.
    lfs: Option<PathBuf>,
    max_object_size: u64,
    /// Missing objects, each with the object that refers to it.
    missing: Mutex<BTreeMap<ObjectId, String>>,
    /// Submodules that versions of `.gitmodules` name.
    submodules: Mutex<BTreeSet<BString>>,
    /// Objects that cannot be read as what they are, and why.
    damaged: Mutex<BTreeMap<ObjectId, &'static str>>,
    /// Notes about commits; `None` once a part of them was lost.
    notes: Mutex<Option<Vec<CommitTable>>>,
}

/// Objects that are known to be there, one per slot: trees name the same ones again and again.
pub(super) struct RecentIds {
    slots: Vec<ObjectId>,
}

impl RecentIds {
    /// Nothing known yet.
    pub(super) fn new() -> Self {
        Self { slots: Vec::new() }
    }

    fn slot(&mut self, id: &oid) -> Option<&mut ObjectId> {
        if self.slots.is_empty() {
            self.slots = vec![ObjectId::null(id.kind()); 1 << 16];
        }
        let number = id.as_bytes().first_chunk().copied()?;
        self.slots.get_mut(usize::from(u16::from_be_bytes(number)))
    }
}

impl<'a> Links<'a> {
    /// Follows references into `stores`.
    pub(super) fn new(
        stores: Option<&'a Stores>,
        shallow: HashSet<ObjectId>,
        lfs: Option<PathBuf>,
        max_object_size: u64,
    ) -> Self {
        Self {
            stores,
            shallow,
            lfs,
            max_object_size,
            missing: Mutex::default(),
            submodules: Mutex::default(),
            damaged: Mutex::default(),
            notes: Mutex::new(Some(Vec::new())),
        }
    }

    /// Returns true if an object of that kind and size can refer to something.
    pub(super) fn looks_at(&self, kind: Kind, size: usize) -> bool {
        match kind {
            Kind::Blob => (MIN_POINTER..MAX_POINTER).contains(&size),
            Kind::Commit | Kind::Tag | Kind::Tree => self.stores.is_some(),
        }
    }

    /// Follows what an object refers to. Commits have a way of their own: [`Self::commit`].
    pub(super) fn follow(
        &self,
        kind: Kind,
        id: &oid,
        bytes: &[u8],
        known: &mut RecentIds,
        sink: &mut impl BlobSink,
    ) {
        match kind {
            Kind::Commit => {}
            Kind::Tag => self.tag(id, bytes),
            Kind::Tree => self.tree(id, bytes, known),
            Kind::Blob => {
                if let Some(pointer) = Pointer::parse(bytes) {
                    self.pointer(id, &pointer, sink);
                }
            }
        }
    }

    /// Follows what a commit refers to, and takes note of it.
    pub(super) fn commit(&self, number: ObjectNo, id: &oid, bytes: &[u8], notes: &mut CommitTable) {
        let Some(stores) = self.stores else {
            return;
        };
        let is_cut = !self.shallow.is_empty() && self.shallow.contains(id);
        let is_read = notes.commit(number, bytes, |hex, named| {
            let object = ObjectId::from_hex(hex).ok()?;
            let found = stores.find(&object);
            Some(match found {
                Some(number) => number,
                None if object.is_empty_tree() => NO_ENTRIES,
                None => {
                    if named == CommitLink::Tree || !is_cut {
                        self.miss(object, &format_args!("commit {id}"));
                    }
                    ABSENT
                }
            })
        });
        if !is_read {
            self.damage(id, header::MALFORMED);
        }
    }

    /// Keeps what a worker has noted.
    pub(super) fn note(&self, mut notes: CommitTable) {
        notes.shrink();
        let mut all = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(all) = all.as_mut() {
            all.push(notes);
        }
    }

    /// Forgets the notes, of which a part was lost.
    pub(super) fn lose_notes(&self) {
        *self.notes.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the notes about all commits; `None` if they are not complete.
    pub(super) fn take_notes(&self) -> Option<Vec<CommitTable>> {
        self.stores?;
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn tag(&self, id: &oid, bytes: &[u8]) {
        match tagged(bytes) {
            Some(object) => self.demand(object, &format_args!("tag {id}")),
            None => self.damage(id, header::NO_TAG),
        }
    }

    fn tree(&self, id: &oid, bytes: &[u8], known: &mut RecentIds) {
        let Some(stores) = self.stores else {
            return;
        };
        for entry in tree::entries(bytes, id.kind().len_in_bytes()) {
            let Ok(entry) = entry else {
                return self.damage(id, tree::MALFORMED);
            };
            // The commit of a submodule lies in another repository.
            if entry.kind() == EntryKind::Commit {
                continue;
            }
            let entry_id = entry.id.to_owned();
            let Some(slot) = known.slot(&entry_id) else {
                return;
            };
            if *slot == entry_id {
                continue;
            }
            if stores.contains(&entry_id) {
                *slot = entry_id;
            } else {
                self.miss(entry_id, &format_args!("tree {id}"));
            }
        }
    }

    /// Takes note of an object if it is not there.
    pub(super) fn demand(&self, id: ObjectId, from: &dyn std::fmt::Display) {
        if self.stores.is_some_and(|stores| !stores.contains(&id)) {
            self.miss(id, from);
        }
    }

    fn miss(&self, id: ObjectId, from: &dyn std::fmt::Display) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let from = from.to_string();
        let known = missing.entry(id).or_insert_with(|| from.clone());
        // The smallest one, whichever thread comes first.
        if from < *known {
            *known = from;
        }
    }

    fn damage(&self, id: &oid, detail: &'static str) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        damaged.insert(id.to_owned(), detail);
    }

    /// Objects that cannot be read as what they are, each with the reason.
    pub(super) fn damaged(&self) -> BTreeMap<ObjectId, &'static str> {
        let damaged = self.damaged.lock();
        damaged.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of the submodules that a version of `.gitmodules` names.
    pub(super) fn modules(&self, bytes: &[u8]) {
        let mut all = self
            .submodules
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.extend(submodules::in_modules(bytes));
    }

    /// The submodules that were named, each once.
    pub(super) fn take_submodules(&self) -> BTreeSet<BString> {
        let mut all = self
            .submodules
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *all)
    }

    /// Returns true if anything is missing.
    pub(super) fn is_something_missing(&self) -> bool {
        let missing = self.missing.lock();
        !missing.unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Everything that is not there, each once.
    pub(super) fn missing(self) -> BTreeMap<ObjectId, String> {
        self.missing
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the content behind a pointer if it is in the local store, and is a skip otherwise.
    fn pointer(&self, id: &oid, pointer: &Pointer, sink: &mut impl BlobSink) {
        let provenance = Provenance::Object {
            kind: ObjectKind::Blob,
            id: id.to_owned(),
        };
        let shown = match &self.lfs {
            Some(lfs) => show_lfs(lfs, self.max_object_size, pointer, &provenance, sink),
            None => Err(lfs_absent()),
        };
        match shown {
            // The pointer itself comes next and asks again whether to go on.
            Ok(ControlFlow::Continue(()) | ControlFlow::Break(())) => {}
            Err((reason, detail)) => {
                let detail = format!("{detail} ({})", pointer.oid);
                sink.skip(Skip::with_detail(reason, id.to_string(), detail));
            }
        }
    }
}
