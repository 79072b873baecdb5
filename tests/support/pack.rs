//! Packs written by hand, so that every field of theirs can lie, and loose objects under any name.

use gix::ObjectId;
use gix::objs::Kind;

use super::TestRepo;

/// Types of entries as a pack numbers them.
pub const BLOB: u8 = 3;
/// A delta to the entry that starts so many bytes before.
pub const OFS_DELTA: u8 = 6;
/// A delta to the object of that id.
pub const REF_DELTA: u8 = 7;

/// One entry, each field as it is to be in the pack.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Kind in its header.
    pub kind: u8,
    /// The size that its header says.
    pub size: u64,
    /// Bytes between header and stream: the id or the distance of the base.
    pub base: Vec<u8>,
    /// The compressed bytes.
    pub stream: Vec<u8>,
}

impl Entry {
    /// A true blob.
    pub fn blob(bytes: &[u8]) -> Self {
        Self {
            kind: BLOB,
            size: bytes.len() as u64,
            base: Vec::new(),
            stream: deflate(bytes),
        }
    }

    /// A delta to the object of that id.
    pub fn ref_delta(base: ObjectId, delta: &[u8]) -> Self {
        Self {
            kind: REF_DELTA,
            base: base.as_bytes().to_vec(),
            ..Self::blob(delta)
        }
    }

    /// A delta to the entry `distance` bytes before.
    pub fn ofs_delta(distance: u64, delta: &[u8]) -> Self {
        let mut bytes = vec![(distance & 0x7f) as u8];
        let mut rest = distance >> 7;
        while rest > 0 {
            rest -= 1;
            bytes.insert(0, (rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        Self {
            kind: OFS_DELTA,
            base: bytes,
            ..Self::blob(delta)
        }
    }

    /// The same with another size in its header.
    pub fn sized(mut self, size: u64) -> Self {
        self.size = size;
        self
    }
}

/// A delta of those two sizes and instructions.
pub fn delta(base: u64, size: u64, instructions: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut value in [base, size] {
        while value >= 0x80 {
            bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        bytes.push(value as u8);
    }
    bytes.extend_from_slice(instructions);
    bytes
}

/// The instruction to insert at most 127 bytes.
pub fn insert(text: &[u8]) -> Vec<u8> {
    assert!((1..128).contains(&text.len()));
    [&[text.len() as u8], text].concat()
}

/// The instruction to copy from the base.
pub fn copy(from: u32, length: u32) -> Vec<u8> {
    assert!(length < 1 << 24);
    let (from, length) = (from.to_le_bytes(), length.to_le_bytes());
    [&[0xff], &from[..], &length[..3]].concat()
}

/// A zlib stream.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let length = compressor.zlib_compress(bytes, &mut out).expect("room");
    out.truncate(length);
    out
}

/// The id that an object should have.
pub fn id_of(kind: Kind, bytes: &[u8]) -> ObjectId {
    gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, bytes).expect("an id")
}

/// An id that no object has: its number in the last bytes.
pub fn made_up_id(number: u32) -> ObjectId {
    let mut bytes = [0x5a; 20];
    bytes[16..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes_or_panic(&bytes)
}

/// A pack as it grows.
#[derive(Debug)]
pub struct PackWriter {
    bytes: Vec<u8>,
    entries: Vec<(ObjectId, u32, u64)>,
    counted: Option<u32>,
}

impl PackWriter {
    /// An empty pack.
    pub fn new() -> Self {
        Self {
            bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(),
            entries: Vec::new(),
            counted: None,
        }
    }

    /// Returns the start of the next entry.
    pub fn offset(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Adds an entry under an id; gives the offset.
    pub fn add(&mut self, id: ObjectId, entry: &Entry) -> u64 {
        let offset = self.offset();
        let mut size = entry.size >> 4;
        let mut byte = entry.kind << 4 | (entry.size & 0x0f) as u8;
        while size > 0 {
            self.bytes.push(byte | 0x80);
            byte = (size & 0x7f) as u8;
            size >>= 7;
        }
        self.bytes.push(byte);
        self.bytes.extend_from_slice(&entry.base);
        self.bytes.extend_from_slice(&entry.stream);
        let checksum = crc32fast::hash(&self.bytes[offset as usize..]);
        self.entries.push((id, checksum, offset));
        offset
    }

    /// Adds a true blob under its true id.
    pub fn blob(&mut self, bytes: &[u8]) -> ObjectId {
        let id = id_of(Kind::Blob, bytes);
        self.add(id, &Entry::blob(bytes));
        id
    }

    /// Lists an object in the index without writing anything.
    pub fn list(&mut self, id: ObjectId, offset: u64) {
        self.entries.push((id, 0, offset));
    }

    /// Lets pack and index say that they hold so many objects.
    pub fn count_as(&mut self, count: u32) {
        self.counted = Some(count);
    }

    /// Writes the pack and its index, checksums right, into a repository.
    pub fn write(mut self, repo: &TestRepo) {
        let count = self.counted.unwrap_or(self.entries.len() as u32);
        self.bytes[8..12].copy_from_slice(&count.to_be_bytes());
        let checksum = sha1(&self.bytes);
        self.bytes.extend_from_slice(checksum.as_bytes());
        self.entries.sort();
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255_u8 {
            let below = self
                .entries
                .iter()
                .filter(|(id, ..)| id.as_bytes()[0] <= first)
                .count();
            let below = match self.counted {
                Some(counted) if first == 255 => counted,
                _ => below as u32,
            };
            index.extend_from_slice(&below.to_be_bytes());
        }
        for (id, ..) in &self.entries {
            index.extend_from_slice(id.as_bytes());
        }
        for (_, checksum, _) in &self.entries {
            index.extend_from_slice(&checksum.to_be_bytes());
        }
        let mut large = Vec::new();
        for (.., offset) in &self.entries {
            let small = u32::try_from(*offset).ok().filter(|small| small >> 31 == 0);
            let field = small.unwrap_or_else(|| {
                large.push(*offset);
                1 << 31 | (large.len() - 1) as u32
            });
            index.extend_from_slice(&field.to_be_bytes());
        }
        for offset in large {
            index.extend_from_slice(&offset.to_be_bytes());
        }
        index.extend_from_slice(checksum.as_bytes());
        let own = sha1(&index);
        index.extend_from_slice(own.as_bytes());
        let name = format!(".git/objects/pack/pack-{checksum}");
        repo.write(format!("{name}.pack"), self.bytes);
        repo.write(format!("{name}.idx"), index);
    }
}

fn sha1(bytes: &[u8]) -> ObjectId {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(bytes);
    hasher.try_finalize().expect("an id")
}

/// Writes a loose object under any name, which need not be its own; its header says `size`.
pub fn write_loose(repo: &TestRepo, id: ObjectId, kind: Kind, size: u64, bytes: &[u8]) {
    let object = [format!("{kind} {size}\0").as_bytes(), bytes].concat();
    let hex = id.to_string();
    let path = format!(".git/objects/{}/{}", &hex[..2], &hex[2..]);
    repo.write(path, deflate(&object));
}
