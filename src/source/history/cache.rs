//! Objects that earlier scans have read and found clean, so that the next one reads only what is new.
//!
//! One file per repository, outside of it. It holds the id of every object that was there, with kind, size and
//! whether the object was clean, and no content. An object that was not clean, or could not be read, is read
//! again every time: so findings and what was not read are the same as without a cache.
//!
//! What clean objects refer to is not followed again as long as nothing was missing at that time and every
//! object of that time is still there; else commits, tags and trees are read as if there were no cache. It is
//! the same after a repository was packed anew or cloned again, because ids say all.
//!
//! A file that is damaged, of another repository or made with other settings counts for nothing.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gix::ObjectId;
use gix::hash::oid;
use gix::objs::Kind;
use sha2::{Digest as _, Sha256};

use crate::git::odb::store::{Bits, Duplicates, Stores};
use crate::source::Clean;
use crate::text::whole_file::{self, Access};

/// Beginning of a file; the number changes with the layout and with the extent of a scan.
const MAGIC: &[u8; 16] = b"keysieve-cache/1";
/// Magic, key, boundary, flags and count.
const HEADER: usize = 16 + 32 + 32 + 4 + 8;
/// Bytes of kind, size and cleanness.
const FACT: usize = 4;
/// Bytes of the checksum at the end.
const CHECKSUM: usize = 4;
/// Stores that are so many times smaller than the cache look their ids up one by one.
const MUCH_SMALLER: usize = 16;

/// Objects of one repository that earlier scans have read.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    key: [u8; 32],
    id_length: usize,
    known: CacheFile,
    learnt: Mutex<Option<CacheUpdate>>,
}

/// Properties of a scan that a cache depends on.
pub(super) struct Scanned<'a> {
    /// The objects directories; the first one names the cache.
    pub(super) directories: &'a [PathBuf],
    /// The hash that names objects.
    pub(super) hash: gix::hash::Kind,
    /// Larger objects are not read.
    pub(super) max_object_size: u64,
}

/// Additions of a scan.
#[derive(Debug)]
struct CacheUpdate {
    /// Objects that were there before and still are; `None` if that is all of them.
    kept: Option<Bits>,
    /// Sorted, each id once.
    records: Vec<Record>,
    is_closed: bool,
    boundary: [u8; 32],
}

/// An object that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    id: ObjectId,
    fact: EntryFlags,
}

/// Kind, size and cleanness of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct EntryFlags(u32);

/// Content of the file.
#[derive(Debug, Default)]
struct CacheFile {
    bytes: Vec<u8>,
    count: usize,
    id_length: usize,
    /// Nothing that its objects refer to was missing.
    is_closed: bool,
    /// The shallow boundary of that time.
    boundary: [u8; 32],
}

/// Sets of the objects in each store that need not be read.
#[derive(Debug)]
pub(super) struct CachedObjects {
    stores: Vec<Bits>,
    kept: Option<Bits>,
    /// Their part of the account.
    pub(super) clean: Clean,
    boundary: [u8; 32],
}

impl Cache {
    /// Reads what is known about the objects of a history.
    pub(super) fn of(directory: &Path, history: &Scanned<'_>, settings: &[&[u8]]) -> Self {
        let place = history.directories.first().map(|path| real(path));
        let place = place.unwrap_or_default();
        let mut parts: Vec<Vec<u8>> = vec![
            MAGIC.to_vec(),
            env!("CARGO_PKG_VERSION").into(),
            history.max_object_size.to_le_bytes().to_vec(),
            history.hash.to_string().into_bytes(),
        ];
        parts.extend(history.directories.iter().map(|path| real(path)));
        parts.extend(settings.iter().map(|part| part.to_vec()));
        let key = digest(&parts);
        let name: String = digest(&[place])
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = directory.join(format!("history-{name}.cache"));
        let id_length = history.hash.len_in_bytes();
        let known = CacheFile::read(&path, &key, id_length).unwrap_or_default();
        Self {
            path,
            key,
            id_length,
            known,
            learnt: Mutex::default(),
        }
    }

    /// Writes what the last scan has learnt, if that is anything new. `unclean` are the objects with findings,
    /// or with anything else that the next scan has to see again.
    pub fn save(&self, unclean: &HashSet<ObjectId>) -> io::Result<()> {
        let learnt = self.learnt.lock();
        let Some(mut learnt) = learnt.unwrap_or_else(PoisonError::into_inner).take() else {
            return Ok(());
        };
        for record in &mut learnt.records {
            if unclean.contains(&record.id) {
                record.fact = record.fact.unclean();
            }
        }
        if self.is_nothing_new(&learnt) {
            return Ok(());
        }
        let bytes = self.encode(&learnt);
        let directory = self.path.parent().unwrap_or(Path::new("."));
        create(directory)?;
        whole_file::replace(&self.path, Access::Owner, |out| out.write_all(&bytes))
    }

    fn is_nothing_new(&self, learnt: &CacheUpdate) -> bool {
        learnt.kept.is_none()
            && learnt.is_closed == self.known.is_closed
            && learnt.boundary == self.known.boundary
            && !self.known.bytes.is_empty()
            && learnt.records.iter().all(|record| {
                let index = self.known.find(record.id.as_bytes());
                index.is_some_and(|index| self.known.fact(index) == record.fact)
            })
    }

    fn encode(&self, learnt: &CacheUpdate) -> Vec<u8> {
        let known = &self.known;
        let most = known.count + learnt.records.len();
        let mut ids = Vec::with_capacity(HEADER + most * (self.id_length + FACT) + CHECKSUM);
        ids.resize(HEADER, 0);
        let mut facts = Vec::with_capacity(most * FACT);
        let mut records = learnt.records.iter().peekable();
        let is_kept = |index: &usize| learnt.kept.as_ref().is_none_or(|kept| kept.get(*index));
        for index in (0..known.count).filter(is_kept) {
            let id = known.id(index);
            while let Some(record) = records.next_if(|record| record.id.as_bytes() < id) {
                push(&mut ids, &mut facts, record.id.as_bytes(), record.fact);
            }
            // What was read again is known better now.
            let again = records.next_if(|record| record.id.as_bytes() == id);
            let fact = again.map_or_else(|| known.fact(index), |record| record.fact);
            push(&mut ids, &mut facts, id, fact);
        }
        for record in records {
            push(&mut ids, &mut facts, record.id.as_bytes(), record.fact);
        }
        let count = (facts.len() / FACT) as u64;
        let header = [
            MAGIC.as_slice(),
            &self.key,
            &learnt.boundary,
            &u32::from(learnt.is_closed).to_le_bytes(),
            &count.to_le_bytes(),
        ];
        ids[..HEADER].copy_from_slice(&header.concat());
        ids.extend_from_slice(&facts);
        ids.extend_from_slice(&crc32fast::hash(&ids).to_le_bytes());
        ids
    }

    /// Says what need not be read again.
    pub(super) fn remembered(
        &self,
        stores: &Stores,
        duplicates: &Duplicates,
        boundary: &HashSet<ObjectId>,
        is_partial: bool,
    ) -> CachedObjects {
        let boundary = digest_of_ids(boundary);
        let lengths: Vec<usize> = stores.lengths().collect();
        let mut remembered = CachedObjects {
            stores: lengths.iter().map(|length| Bits::new(*length)).collect(),
            kept: None,
            clean: Clean::default(),
            boundary,
        };
        if self.known.count == 0 {
            return remembered;
        }
        let mut kept = Bits::new(self.known.count);
        let mut still_there = 0;
        self.matches(stores, &lengths, |store, place, index| {
            if !duplicates.has(store, place) {
                kept.set(index);
                still_there += 1;
            }
        });
        let is_all_there = still_there == self.known.count;
        let is_closed =
            is_all_there && self.known.is_closed && self.known.boundary == boundary && !is_partial;
        self.matches(stores, &lengths, |store, place, index| {
            let fact = self.known.fact(index);
            if !fact.is_clean() || !(is_closed || fact.kind() == Kind::Blob) {
                return;
            }
            remembered.stores[store].set(place);
            if !duplicates.has(store, place) {
                remembered.count(fact);
            }
        });
        remembered.kept = (!is_all_there).then_some(kept);
        remembered
    }

    /// Shows every object of every store that is known: store, place in it, and place among the known.
    fn matches(
        &self,
        stores: &Stores,
        lengths: &[usize],
        mut found: impl FnMut(usize, usize, usize),
    ) {
        for (store, length) in lengths.iter().enumerate() {
            let is_small = length.saturating_mul(MUCH_SMALLER) < self.known.count;
            let mut index = 0;
            for place in 0..*length {
                let Some(id) = stores.id(store, place).map(oid::as_bytes) else {
                    break;
                };
                if is_small {
                    if let Some(index) = self.known.find(id) {
                        found(store, place, index);
                    }
                    continue;
                }
                while index < self.known.count && self.known.id(index) < id {
                    index += 1;
                }
                if index < self.known.count && self.known.id(index) == id {
                    found(store, place, index);
                }
            }
        }
    }

    /// Keeps what a scan has read until it is known what was clean. `failed` could not be read.
    pub(super) fn learn(
        &self,
        remembered: CachedObjects,
        mut records: Vec<Record>,
        failed: impl Iterator<Item = ObjectId>,
        is_closed: bool,
    ) {
        records.extend(failed.map(|id| Record {
            id,
            fact: EntryFlags::of(Kind::Blob, 0).unclean(),
        }));
        // Of two records of one object, the one that is not clean is the first.
        records.sort_unstable_by_key(|record| (record.id, record.fact.is_clean()));
        records.dedup_by_key(|record| record.id);
        let learnt = CacheUpdate {
            kept: remembered.kept,
            records,
            is_closed,
            boundary: remembered.boundary,
        };
        *self.learnt.lock().unwrap_or_else(PoisonError::into_inner) = Some(learnt);
    }
}

impl CachedObjects {
    /// Returns true if the object at a place of a store need not be read.
    pub(super) fn has(&self, store: usize, place: usize) -> bool {
        self.stores.get(store).is_some_and(|bits| bits.get(place))
    }

    fn count(&mut self, fact: EntryFlags) {
        match fact.kind() {
            Kind::Blob => self.clean.blobs += 1,
            Kind::Commit => self.clean.commits += 1,
            Kind::Tag => self.clean.tags += 1,
            Kind::Tree => return,
        }
        self.clean.bytes += fact.size();
        self.clean.cached += 1;
    }
}

impl Record {
    /// An object that was read and, as far as is known yet, is clean.
    pub(super) fn new(id: &oid, kind: Kind, size: usize) -> Self {
        Self {
            id: id.to_owned(),
            fact: EntryFlags::of(kind, size),
        }
    }

    /// The same, to be read again by the next scan.
    pub(super) fn unclean(self) -> Self {
        Self {
            id: self.id,
            fact: self.fact.unclean(),
        }
    }
}

impl EntryFlags {
    const CLEAN: u32 = 4;

    fn of(kind: Kind, size: usize) -> Self {
        let kind = match kind {
            Kind::Commit => 0,
            Kind::Tree => 1,
            Kind::Blob => 2,
            Kind::Tag => 3,
        };
        // A size that finds no room is told by reading the object again.
        match u32::try_from(size).ok().filter(|size| size >> 29 == 0) {
            Some(size) => Self(size << 3 | Self::CLEAN | kind),
            None => Self(kind),
        }
    }

    fn unclean(self) -> Self {
        Self(self.0 & 3)
    }

    fn is_clean(self) -> bool {
        self.0 & Self::CLEAN != 0
    }

    fn kind(self) -> Kind {
        match self.0 & 3 {
            0 => Kind::Commit,
            1 => Kind::Tree,
            2 => Kind::Blob,
            _ => Kind::Tag,
        }
    }

    fn size(self) -> u64 {
        u64::from(self.0 >> 3)
    }
}

impl CacheFile {
    /// The file, if it is whole and made for `key`.
    fn read(path: &Path, key: &[u8; 32], id_length: usize) -> Option<Self> {
        if !std::fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let bytes = std::fs::read(path).ok()?;
        let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        let header = body.get(..HEADER)?;
        let flags = u32::from_le_bytes(*header.get(80..)?.first_chunk()?);
        let count = u64::from_le_bytes(*header.get(84..)?.first_chunk()?);
        let count = usize::try_from(count).ok()?;
        let length = count
            .checked_mul(id_length + FACT)
            .and_then(|length| length.checked_add(HEADER));
        let is_ours = header.starts_with(MAGIC)
            && header.get(16..48) == Some(key)
            && flags <= 1
            && length == Some(body.len())
            && crc32fast::hash(body).to_le_bytes() == *checksum;
        let known = Self {
            boundary: *header.get(48..)?.first_chunk()?,
            is_closed: flags == 1,
            count,
            id_length,
            bytes,
        };
        is_ours.then_some(known)
    }

    fn id(&self, index: usize) -> &[u8] {
        let start = HEADER + index * self.id_length;
        self.bytes
            .get(start..start + self.id_length)
            .unwrap_or_default()
    }

    fn fact(&self, index: usize) -> EntryFlags {
        let start = HEADER + self.count * self.id_length + index * FACT;
        let bytes = self.bytes.get(start..).and_then(<[u8]>::first_chunk);
        EntryFlags(bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes)))
    }

    fn find(&self, id: &[u8]) -> Option<usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle).cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }
}

fn push(ids: &mut Vec<u8>, facts: &mut Vec<u8>, id: &[u8], fact: EntryFlags) {
    ids.extend_from_slice(id);
    facts.extend_from_slice(&fact.0.to_le_bytes());
}

/// The path without symbolic links, as bytes.
fn real(path: &Path) -> Vec<u8> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    crate::git::path_bytes(&path).into()
}

fn digest(parts: &[Vec<u8>]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

fn digest_of_ids(ids: &HashSet<ObjectId>) -> [u8; 32] {
    let mut ids: Vec<Vec<u8>> = ids.iter().map(|id| id.as_bytes().to_vec()).collect();
    ids.sort_unstable();
    digest(&ids)
}

/// Makes the directory, for nobody else to read.
fn create(directory: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_read_as_it_was_written_and_a_size_without_room_is_not_clean() {
        for kind in [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] {
            let fact = EntryFlags::of(kind, (1 << 29) - 1);
            assert!(fact.is_clean() && fact.kind() == kind);
            assert_eq!(fact.size(), (1 << 29) - 1);
            assert!(!EntryFlags::of(kind, 1 << 29).is_clean());
            assert!(!fact.unclean().is_clean() && fact.unclean().kind() == kind);
        }
    }
}
