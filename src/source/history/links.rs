//! What the objects that are read refer to and that may not be there: parents and trees of commits, and
//! the content behind Git LFS pointers.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bstr::BString;
use gix::ObjectId;
use gix::hash::oid;
use gix::objs::Kind;

use crate::blob::Blob;
use crate::coverage::{Skip, SkipReason};
use crate::git::odb::notes::{ABSENT, NO_ENTRIES, Named, Notes};
use crate::git::odb::store::Stores;
use crate::provenance::{ObjectKind, Provenance};
use crate::source::BlobSink;

/// Git LFS reads no pointer of this size or above.
const MAX_POINTER: usize = 1024;
const POINTER_START: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";

/// Follows references from one object to another.
pub(super) struct Links<'a> {
    /// Where the objects may be; `None` if references are not to be followed.
    stores: Option<&'a Stores>,
    /// Commits whose parents were left out on purpose.
    shallow: HashSet<ObjectId>,
    /// Where Git LFS keeps its objects.
    lfs: Option<PathBuf>,
    max_object_size: u64,
    /// What is not there, and who refers to it.
    missing: Mutex<BTreeMap<ObjectId, String>>,
    /// What was noted of commits; `None` once a part of it was lost.
    notes: Mutex<Option<Vec<Notes>>>,
}

/// Objects that are known to be there, one per slot: trees name the same ones again and again.
pub(super) struct Known {
    slots: Vec<ObjectId>,
}

impl Known {
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
            notes: Mutex::new(Some(Vec::new())),
        }
    }

    /// Whether an object of that kind and size can refer to something.
    pub(super) fn looks_at(&self, kind: Kind, size: usize) -> bool {
        match kind {
            Kind::Blob => (POINTER_START.len()..MAX_POINTER).contains(&size),
            Kind::Commit | Kind::Tag | Kind::Tree => self.stores.is_some(),
        }
    }

    /// Follows what an object refers to. Commits have a way of their own: [`Self::commit`].
    pub(super) fn follow(
        &self,
        kind: Kind,
        id: &oid,
        bytes: &[u8],
        known: &mut Known,
        sink: &mut impl BlobSink,
    ) {
        match kind {
            Kind::Commit => {}
            Kind::Tag => self.tag(id, bytes),
            Kind::Tree => self.tree(id, bytes, known),
            Kind::Blob if is_pointer(bytes) => self.pointer(id, bytes, sink),
            Kind::Blob => {}
        }
    }

    /// Follows what a commit refers to, and takes note of it.
    pub(super) fn commit(&self, number: u32, id: &oid, bytes: &[u8], notes: &mut Notes) {
        let Some(stores) = self.stores else {
            return;
        };
        let is_cut = !self.shallow.is_empty() && self.shallow.contains(id);
        notes.commit(number, bytes, |hex, named| {
            let object = ObjectId::from_hex(hex).ok()?;
            let found = stores.find(&object);
            Some(match found {
                Some(number) => number,
                None if object.is_empty_tree() => NO_ENTRIES,
                None => {
                    if named == Named::Tree || !is_cut {
                        self.miss(object, &format_args!("commit {id}"));
                    }
                    ABSENT
                }
            })
        });
    }

    /// Keeps what a worker has noted.
    pub(super) fn note(&self, mut notes: Notes) {
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

    /// What was noted of the commits, all of them; `None` if that is not so.
    pub(super) fn take_notes(&self) -> Option<Vec<Notes>> {
        self.stores?;
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn tag(&self, id: &oid, bytes: &[u8]) {
        let line = bytes.split(|byte| *byte == b'\n').next();
        if let Some(object) = line.and_then(|line| line.strip_prefix(b"object ")) {
            self.demand_hex(object, "tag", id);
        }
    }

    fn tree(&self, id: &oid, mut bytes: &[u8], known: &mut Known) {
        let Some(stores) = self.stores else {
            return;
        };
        let length = id.kind().len_in_bytes();
        while let Some(end) = memchr::memchr(0, bytes) {
            let (entry, rest) = bytes.split_at(end + 1);
            let Some((entry_id, rest)) = rest.split_at_checked(length) else {
                return;
            };
            bytes = rest;
            // The commit of a submodule lies in another repository.
            if entry.starts_with(b"160000 ") {
                continue;
            }
            let entry_id = ObjectId::from_bytes_or_panic(entry_id);
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

    fn demand_hex(&self, hex: &[u8], kind: &str, from: &oid) {
        if let Ok(id) = ObjectId::from_hex(hex) {
            self.demand(id, &format_args!("{kind} {from}"));
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

    /// Whether anything was found not to be there.
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
    fn pointer(&self, id: &oid, bytes: &[u8], sink: &mut impl BlobSink) {
        let Some(content_id) = pointer_target(bytes) else {
            return;
        };
        let skip = |reason, detail: String| Skip {
            reason,
            subject: BString::from(id.to_string()),
            detail: Some(detail),
        };
        let Some(path) = self.lfs.as_deref().map(|lfs| lfs_path(lfs, content_id)) else {
            sink.skip(skip(SkipReason::Lfs, content_id.to_owned()));
            return;
        };
        match read_limited(&path, self.max_object_size) {
            Ok(Some(content)) => {
                let provenance = Provenance::Object {
                    kind: ObjectKind::Blob,
                    id: id.to_owned(),
                };
                let blob = Blob {
                    bytes: &content,
                    provenance: &provenance,
                };
                // The pointer itself comes next and asks again whether to go on.
                let (ControlFlow::Continue(()) | ControlFlow::Break(())) = sink.blob(blob);
            }
            Ok(None) => sink.skip(skip(SkipReason::Size, path.display().to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                sink.skip(skip(SkipReason::Lfs, content_id.to_owned()));
            }
            Err(error) => sink.skip(skip(SkipReason::Unreadable, error.to_string())),
        }
    }
}

/// Whether it looks like a Git LFS pointer: then what it stands for may come or go.
pub(super) fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() < MAX_POINTER && bytes.starts_with(POINTER_START)
}

/// The SHA-256 of the content that a Git LFS pointer stands for, in hex.
fn pointer_target(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let target = text
        .lines()
        .find_map(|line| line.strip_prefix("oid sha256:"))?;
    let is_hex = target.len() == 64
        && target
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then_some(target)
}

fn lfs_path(lfs: &Path, content_id: &str) -> PathBuf {
    lfs.join("objects")
        .join(&content_id[..2])
        .join(&content_id[2..4])
        .join(content_id)
}

/// The whole file, or `None` if it is larger than the limit.
fn read_limited(path: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    use std::io::Read as _;
    let file = crate::content::open_regular(path)?;
    if file.metadata()?.len() > limit {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_names_its_content_and_other_text_does_not() {
        let hex = "0123456789abcdef".repeat(4);
        let pointer =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hex}\nsize 5\n");
        assert_eq!(pointer_target(pointer.as_bytes()), Some(hex.as_str()));
        assert_eq!(pointer_target(b"oid sha256:../../../../etc"), None);
        assert_eq!(
            pointer_target(b"version https://git-lfs.github.com/spec/v1\n"),
            None
        );
    }
}
