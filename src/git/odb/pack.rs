//! One pack: its index, its entries in order of offset, and who is built on whom.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gix::ObjectId;
use gix::hash::oid;
use gix::odb::pack::{data, index};

use super::fault::Fault;
use crate::content::{GuardedMap, guarded_map, open_regular};
use crate::coverage::{Skip, SkipReason};
use crate::git::number::{Number as _, ObjectNo, PackPos};
use crate::git::path_bytes;

/// The index of a pack, mapped.
pub(crate) type IndexFile = index::File<GuardedMap>;
/// A pack, mapped.
pub(crate) type DataFile = data::File<GuardedMap>;

/// A pack file with its index, both mapped.
pub(crate) struct Pack {
    path: PathBuf,
    /// Finds objects by id.
    pub(crate) index: IndexFile,
    /// The pack once it was asked for.
    data: OnceLock<Result<DataFile, Fault>>,
    hash: gix::hash::Kind,
    /// Number of its first object among those of all stores.
    first: ObjectNo,
    /// Start of the ids that share their first bits: about one start per id. Empty until [`Self::prepare`].
    starts: Vec<u32>,
}

/// The header of one entry: what it is, and where its compressed bytes begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'p> {
    /// The object's kind, or the base it is built on.
    pub(crate) content: Content,
    /// Size once inflated; of a delta the size of its instructions.
    pub(crate) size: u64,
    /// The zlib stream, perhaps with something after it.
    pub(crate) stream: &'p [u8],
}

/// Kind of an entry by its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A whole object.
    Whole(gix::objs::Kind),
    /// A delta to the entry that starts so many bytes before this one.
    OffsetDelta(u64),
    /// A delta to the object of that id.
    RefDelta(ObjectId),
}

impl Pack {
    /// Opens a pack by the path of its index; the pack itself is opened by [`Self::load`].
    pub(crate) fn open(index_path: &Path, hash: gix::hash::Kind) -> Result<Self, Skip> {
        let index = map(index_path)
            .and_then(|map| {
                index::File::from_data(map, index_path.to_owned(), hash)
                    .map_err(|error| Fault::of_format(&error))
            })
            .map_err(|fault| fault.into_skip(path_bytes(index_path)))?;
        Ok(Self {
            path: index_path.with_extension("pack"),
            index,
            data: OnceLock::new(),
            hash,
            first: ObjectNo::new(0),
            starts: Vec::new(),
        })
    }

    /// Maps the pack, once.
    pub(crate) fn load(&self) -> Result<&DataFile, Fault> {
        let data = self.data.get_or_init(|| {
            let data = data::File::from_data(map(&self.path)?, self.path.clone(), self.hash);
            let data = data.map_err(|error| Fault::of_format(&error))?;
            if data.num_objects() != self.index.num_objects() {
                return Err("the pack and its index count different objects".into());
            }
            // A checksum of the other file, not over this one: it tells files that do not belong together.
            if data.checksum() != self.index.pack_checksum() {
                return Err("the pack is truncated or not the one of its index".into());
            }
            Ok(data)
        });
        data.as_ref().map_err(Clone::clone)
    }

    /// Prepares for many look-ups by id.
    pub(crate) fn prepare(&mut self) {
        self.starts = starts(&self.index);
    }

    /// The path of the pack file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Says, once it was used, that it was cut short meanwhile: what was taken away was read as zeros, and
    /// where there are no checksums that need not have shown.
    pub(crate) fn change(&self) -> Option<Skip> {
        let now = std::fs::metadata(&self.path).ok()?.len();
        let before = self.data()?.data_len() as u64;
        (now < before).then(|| {
            let detail = format!("its length went from {before} to {now} bytes while it was read");
            Skip::with_detail(SkipReason::Changed, path_bytes(&self.path), detail)
        })
    }

    /// Returns the number of its objects.
    pub(crate) fn len(&self) -> u32 {
        self.index.num_objects()
    }

    /// The id of the object at a position of the index.
    pub(crate) fn id(&self, position: PackPos) -> &oid {
        self.index.oid_at_index(position.get())
    }

    /// The position of the object in the index, if it is here.
    ///
    /// Ids are evenly spread, so a start for about each of them leads to memory that is far away once or
    /// twice; a binary search over all ids, as without [`Self::prepare`], is three times slower.
    pub(crate) fn find(&self, id: &oid) -> Option<PackPos> {
        if self.starts.is_empty() {
            return self.index.lookup(id).map(PackPos::new);
        }
        let place = prefix(id, shift(self.starts.len()));
        let (mut from, mut to) = (*self.starts.get(place)?, *self.starts.get(place + 1)?);
        let sought = first_bytes(id);
        while from < to {
            let middle = from + (to - from) / 2;
            let position = PackPos::new(middle);
            let found = self.id(position);
            // Eight bytes tell nearly always, and faster than a comparison of unknown length.
            match first_bytes(found).cmp(&sought).then_with(|| found.cmp(id)) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return Some(position),
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// Returns the offset of the object at a position of the index.
    pub(crate) fn offset(&self, position: PackPos) -> u64 {
        self.index.pack_offset_at_index(position.get())
    }

    /// Numbers its objects from `first` on.
    pub(crate) fn number_from(&mut self, first: ObjectNo) {
        self.first = first;
    }

    /// The number of the object at a position of the index.
    pub(crate) fn number(&self, position: PackPos) -> ObjectNo {
        ObjectNo::new(self.first.get() + position.get())
    }

    /// The position of the object with that number, if it is here.
    pub(crate) fn position(&self, number: ObjectNo) -> Option<PackPos> {
        let position = number.get().checked_sub(self.first.get())?;
        (position < self.len()).then(|| PackPos::new(position))
    }

    /// One past the last entry.
    pub(crate) fn end(&self) -> u64 {
        self.data().map_or(0, |data| data.pack_end() as u64)
    }

    /// The pack file as gix sees it, if it was loaded.
    pub(crate) fn data(&self) -> Option<&DataFile> {
        self.data.get()?.as_ref().ok()
    }

    /// The bytes of the entry that begins at `offset` and ends where the next one begins.
    pub(crate) fn entry(&self, offset: u64, next: u64) -> Option<&[u8]> {
        if offset >= next || next > self.end() {
            return None;
        }
        self.data()?.entry_slice(offset..next)
    }

    /// Reads the header of an entry from its bytes.
    pub(crate) fn header<'p>(&self, entry: &'p [u8]) -> Result<Header<'p>, &'static str> {
        let (&first, mut rest) = entry.split_first().ok_or("is empty")?;
        let mut size = u64::from(first & 0x0f);
        let mut shift = 4;
        let mut more = first & 0x80 != 0;
        while more {
            let (&byte, after) = rest.split_first().ok_or("ends within its header")?;
            let bits = u64::from(byte & 0x7f);
            if shift > 63 || (bits << shift) >> shift != bits {
                return Err("has an impossible size");
            }
            size |= bits << shift;
            shift += 7;
            more = byte & 0x80 != 0;
            rest = after;
        }
        let content = match (first >> 4) & 7 {
            1 => Content::Whole(gix::objs::Kind::Commit),
            2 => Content::Whole(gix::objs::Kind::Tree),
            3 => Content::Whole(gix::objs::Kind::Blob),
            4 => Content::Whole(gix::objs::Kind::Tag),
            6 => {
                let (distance, after) = distance(rest).ok_or("ends within its header")?;
                rest = after;
                Content::OffsetDelta(distance)
            }
            7 => {
                let (id, after) = rest
                    .split_at_checked(self.hash.len_in_bytes())
                    .ok_or("ends within its header")?;
                rest = after;
                Content::RefDelta(ObjectId::from_bytes_or_panic(id))
            }
            _ => return Err("has an unknown type"),
        };
        Ok(Header {
            content,
            size,
            stream: rest,
        })
    }
}

/// Counts the ids by their first bits.
fn starts(index: &IndexFile) -> Vec<u32> {
    let count = index.num_objects();
    // 2^24 starts take 64 MiB. Beyond that each doubling of the pack costs a look-up one step more.
    let bits = count.max(1).ilog2().clamp(4, 24);
    let mut starts = vec![0_u32; (1 << bits) + 1];
    let shift = shift(starts.len());
    for position in 0..count {
        let place = prefix(index.oid_at_index(position), shift);
        if let Some(start) = starts.get_mut(place + 1) {
            *start += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

/// Returns the shift that makes an id's first eight bytes its place among so many starts.
fn shift(starts: usize) -> u32 {
    64 - (starts - 1).ilog2()
}

fn prefix(id: &oid, shift: u32) -> usize {
    (first_bytes(id) >> shift) as usize
}

fn first_bytes(id: &oid) -> u64 {
    id.as_bytes()
        .first_chunk()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Reads the distance, in bytes, back to the base of an offset delta.
fn distance(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        bytes = rest;
        value = value
            .checked_mul(128)?
            .checked_add(u64::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            return Some((value, bytes));
        }
        // Git adds one at every further byte, so that no distance has two forms.
        value = value.checked_add(1)?;
    }
}

/// Maps a file of a pack, so that one that shrinks meanwhile is a damaged one.
fn map(path: &Path) -> Result<GuardedMap, Fault> {
    open_regular(path)
        .and_then(|file| guarded_map(&file))
        .map_err(|error| Fault::of_file(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_read_as_git_writes_them() {
        // Git adds one at every further byte, so that no distance has two forms.
        assert_eq!(distance(&[0x05, 9]), Some((5, [9].as_slice())));
        assert_eq!(distance(&[0x80, 0x00]), Some((128, [].as_slice())));
        assert_eq!(
            distance(&[0x81, 0x80, 0x00]),
            Some(((2 * 128 + 1) * 128, [].as_slice()))
        );
        assert_eq!(distance(&[0x80]), None);
        assert_eq!(distance(&[0xff; 12]), None);
    }
}
