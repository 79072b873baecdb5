//! Writes what Git writes: repositories, loose objects, packs and indexes, so that they can be written wrong.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use gix::ObjectId;
use gix::hash::Kind as Hash;
use gix::objs::Kind;

/// Writes a file with its directories. What is there is replaced, not changed: it may be mapped.
pub fn write(path: &Path, bytes: &[u8]) {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("directories");
    }
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).expect("a file");
}

/// The directory that all runs of one target in a process share, and so one run at a time; its repository holds no
/// object.
pub fn emptied(
    dir: &'static OnceLock<Mutex<tempfile::TempDir>>,
) -> MutexGuard<'static, tempfile::TempDir> {
    let dir = dir.get_or_init(|| Mutex::new(tempfile::tempdir().expect("a directory")));
    let dir = dir.lock().unwrap_or_else(PoisonError::into_inner);
    let git_dir = dir.path().join(".git");
    let _ = std::fs::remove_dir_all(git_dir.join("objects"));
    init(&git_dir);
    dir
}

/// An empty repository.
pub fn init(git_dir: &Path) {
    write(&git_dir.join("HEAD"), b"ref: refs/heads/main\n");
    let config = b"[core]\n\trepositoryformatversion = 0\n\tbare = false\n";
    write(&git_dir.join("config"), config);
    for directory in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
        std::fs::create_dir_all(git_dir.join(directory)).expect("directories");
    }
}

/// The id of an object.
pub fn id_of(kind: Kind, bytes: &[u8]) -> ObjectId {
    gix::objs::compute_hash(Hash::Sha1, kind, bytes).expect("no collision")
}

/// The id of bytes that are no object.
pub fn checksum(bytes: &[u8]) -> ObjectId {
    let mut hasher = gix::hash::hasher(Hash::Sha1);
    hasher.update(bytes);
    hasher.try_finalize().expect("no collision")
}

/// A zlib stream.
pub fn deflate(bytes: &[u8], level: i32) -> Vec<u8> {
    let level = libdeflater::CompressionLvl::new(level).expect("0 to 12");
    let mut compressor = libdeflater::Compressor::new(level);
    let mut out = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let length = compressor.zlib_compress(bytes, &mut out).expect("room");
    out.truncate(length);
    out
}

/// The bytes of a loose object before they are deflated.
pub fn loose(kind: Kind, bytes: &[u8]) -> Vec<u8> {
    let mut object = format!("{kind} {}\0", bytes.len()).into_bytes();
    object.extend_from_slice(bytes);
    object
}

/// Returns the path of a loose object below a repository.
pub fn loose_path(git_dir: &Path, id: ObjectId) -> std::path::PathBuf {
    let hex = id.to_string();
    git_dir.join("objects").join(&hex[..2]).join(&hex[2..])
}

/// Writes a loose object; gives its id.
pub fn write_loose(git_dir: &Path, kind: Kind, bytes: &[u8]) -> ObjectId {
    let id = id_of(kind, bytes);
    write(&loose_path(git_dir, id), &deflate(&loose(kind, bytes), 1));
    id
}

/// A commit.
pub fn commit(tree: ObjectId, parents: &[ObjectId], time: u32, message: &[u8]) -> Vec<u8> {
    let mut text = format!("tree {tree}\n");
    for parent in parents {
        text.push_str(&format!("parent {parent}\n"));
    }
    for role in ["author", "committer"] {
        text.push_str(&format!("{role} A U Thor <a@example.org> {time} +0000\n"));
    }
    text.push('\n');
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(message);
    bytes
}

/// A tree of files; names are sorted already.
pub fn tree(entries: &[(&str, ObjectId)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, id) in entries {
        bytes.extend(format!("100644 {name}\0").bytes());
        bytes.extend_from_slice(id.as_slice());
    }
    bytes
}

/// The header of a pack's entry: type and size.
pub fn entry_header(kind: u8, mut size: u64) -> Vec<u8> {
    let mut bytes = vec![kind << 4 | (size & 0x0f) as u8];
    size >>= 4;
    while size > 0 {
        *bytes.last_mut().expect("one byte") |= 0x80;
        bytes.push((size & 0x7f) as u8);
        size >>= 7;
    }
    bytes
}

/// Encodes the distance to the base of an offset delta.
pub fn distance(mut value: u64) -> Vec<u8> {
    let mut bytes = vec![(value & 0x7f) as u8];
    while value >= 0x80 {
        value = (value >> 7) - 1;
        bytes.push((value & 0x7f) as u8 | 0x80);
    }
    bytes.reverse();
    bytes
}

/// A size at the start of a delta.
pub fn size(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Entry of a pack's index.
#[derive(Clone, Copy, Debug)]
pub struct Indexed {
    /// The object.
    pub id: ObjectId,
    /// CRC-32 of the entry.
    pub crc: u32,
    /// Start of the entry.
    pub offset: u64,
}

/// The index of a pack, version 1 or 2, with entries in the order given.
pub fn pack_index(version: u8, entries: &[Indexed], pack: ObjectId) -> Vec<u8> {
    let mut bytes = Vec::new();
    if version == 2 {
        bytes.extend(b"\xfftOc\0\0\0\x02");
    }
    for first in 0..=255_u8 {
        let count = entries.iter().filter(|it| it.id.as_slice()[0] <= first);
        bytes.extend((count.count() as u32).to_be_bytes());
    }
    if version == 1 {
        for entry in entries {
            bytes.extend((entry.offset as u32).to_be_bytes());
            bytes.extend_from_slice(entry.id.as_slice());
        }
    } else {
        entries.iter().for_each(|it| bytes.extend(it.id.as_slice()));
        entries
            .iter()
            .for_each(|it| bytes.extend(it.crc.to_be_bytes()));
        let mut long = Vec::new();
        for entry in entries {
            let offset = match u32::try_from(entry.offset) {
                Ok(offset) if offset < 1 << 31 => offset,
                _ => {
                    long.push(entry.offset);
                    1 << 31 | (long.len() as u32 - 1)
                }
            };
            bytes.extend(offset.to_be_bytes());
        }
        long.iter().for_each(|it| bytes.extend(it.to_be_bytes()));
    }
    bytes.extend_from_slice(pack.as_slice());
    let own = checksum(&bytes);
    bytes.extend_from_slice(own.as_slice());
    bytes
}

/// One entry of an index of the next commit.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The path.
    pub path: Vec<u8>,
    /// The blob.
    pub id: ObjectId,
    /// Mode of a file, link or submodule.
    pub mode: u32,
    /// 0, or the side of a conflict.
    pub stage: u16,
}

/// An index of version 2, without its checksum.
pub fn staging_index(version: u32, entries: &[Staged], count: u32) -> Vec<u8> {
    let mut bytes = b"DIRC".to_vec();
    bytes.extend(version.to_be_bytes());
    bytes.extend(count.to_be_bytes());
    for entry in entries {
        let start = bytes.len();
        bytes.extend([0; 24]);
        bytes.extend(entry.mode.to_be_bytes());
        bytes.extend([0; 12]);
        bytes.extend_from_slice(entry.id.as_slice());
        let flags = entry.path.len().min(0xfff) as u16 | entry.stage << 12;
        bytes.extend(flags.to_be_bytes());
        bytes.extend_from_slice(&entry.path);
        // One to eight zeros, so that the next entry begins at a multiple of eight.
        let padded = (bytes.len() - start) / 8 * 8 + 8;
        bytes.resize(start + padded, 0);
    }
    bytes
}
