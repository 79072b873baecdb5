//! An index as it lies on disk, mapped: entries are read in place, and only those that are asked for.
//!
//! A commit in a repository of 300,000 files has an index of 27 MB. To decode it costs several times what is needed:
//! its checksum, the places of its entries, and its cache of trees, which says of nearly all of them that they are
//! what `HEAD` has.
//!
//! Only what is plain is read here: versions 2 and 3, whole, in order, with a checksum that holds. Of everything else
//! (prefixes of version 4, an index that is split or sparse, any damage) [`Mapped::open`] makes nothing, and gix
//! decodes it or says what is wrong. A test holds both ways equal.
//!
//! The format: `Documentation/gitformat-index.txt` of Git.

use std::cmp::Ordering;
use std::fs::File;

use bstr::{BStr, ByteSlice as _};
use gix::ObjectId;
use gix::index::entry::Mode;

use crate::content::{GuardedMap, guarded_map};

/// Signature, version, number of entries.
const HEADER: usize = 12;
/// Length of an entry before its object ID: ten numbers, the seventh of which is the mode.
const STAT: usize = 40;
const MODE_AT: usize = 24;
/// In the flags of an entry: the length of its path, unless that is longer, its stage, and whether more flags follow.
const LENGTH: u16 = 0x0fff;
const STAGE: u16 = 0x3000;
const EXTENDED: u16 = 0x4000;
/// In the flags that follow.
const INTENT_TO_ADD: u16 = 0x2000;
const SKIP_WORKTREE: u16 = 0x4000;
/// Entries are as long as a multiple of this, with at least one zero at the end.
const ALIGNMENT: usize = 8;
/// From this size on the checksum is computed by another thread.
const LARGE: usize = 4 << 20;

/// An index that is mapped.
pub(super) struct Mapped {
    map: GuardedMap,
    hash: gix::hash::Kind,
    /// Start of each entry.
    entries: Vec<u32>,
    /// The cache of trees, each before those below it; empty if there is none.
    trees: Vec<Tree>,
}

/// A directory in the cache of trees.
#[derive(Debug)]
struct Tree {
    name: std::ops::Range<u32>,
    /// Number of entries below it; `None` if it is out of date.
    count: Option<u32>,
    /// Position of its ID.
    id: u32,
    /// One past the last tree below it.
    end: usize,
}

/// One entry.
pub(super) struct Entry<'i> {
    pub(super) path: &'i BStr,
    pub(super) id: ObjectId,
    pub(super) mode: Mode,
    /// 0, or the side of a conflict that it is.
    pub(super) stage: u8,
    /// True if only its path is recorded.
    pub(super) is_intent_to_add: bool,
    /// True if a sparse checkout leaves it out of the work tree.
    pub(super) is_left_out: bool,
}

impl Mapped {
    /// Maps an index; `None` if it is not of the plain kind.
    pub(super) fn open(file: &File, hash: gix::hash::Kind) -> Option<Self> {
        let map = guarded_map(file).ok()?;
        let (entries, trees) = {
            let bytes = map.bytes();
            let (body, checksum) = bytes.split_last_chunk_of(hash.len_in_bytes())?;
            let read = || {
                let (entries, end) = entries(body, hash)?;
                Some((entries, extensions(body, end, hash)?))
            };
            let is_whole = || checksum.iter().all(|byte| *byte == 0) || holds(body, checksum, hash);
            if bytes.len() < LARGE {
                is_whole().then(read)??
            } else {
                std::thread::scope(|scope| {
                    let whole = std::thread::Builder::new().spawn_scoped(scope, is_whole);
                    let read = read();
                    let is_whole = whole.ok()?.join().ok()?;
                    read.filter(|_| is_whole)
                })?
            }
        };
        (!map.was_truncated()).then_some(Self {
            map,
            hash,
            entries,
            trees,
        })
    }

    /// Returns true if the file became shorter while it was used: then nothing that was read counts.
    pub(super) fn was_truncated(&self) -> bool {
        self.map.was_truncated()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn path(&self, at: usize) -> &BStr {
        let start = self.entries.get(at).map(|start| *start as usize);
        start
            .and_then(|start| Raw::at(self.map.bytes(), start, self.hash))
            .map_or(&b""[..], |raw| raw.path)
            .as_bstr()
    }

    pub(super) fn entry(&self, at: usize) -> Option<Entry<'_>> {
        let start = *self.entries.get(at)? as usize;
        let bytes = self.map.bytes();
        let raw = Raw::at(bytes, start, self.hash)?;
        let mode = bytes.get(start + MODE_AT..)?.first_chunk()?;
        let id = bytes.get(start + STAT..)?.get(..self.hash.len_in_bytes())?;
        Some(Entry {
            path: raw.path.as_bstr(),
            id: ObjectId::from_bytes_or_panic(id),
            mode: Mode::from_bits_retain(u32::from_be_bytes(*mode)),
            stage: (raw.flags & STAGE).rotate_right(STAGE.trailing_zeros()) as u8,
            is_intent_to_add: raw.extended & INTENT_TO_ADD != 0,
            is_left_out: raw.extended & SKIP_WORKTREE != 0,
        })
    }

    /// The root of the cache of trees.
    pub(super) fn root(&self) -> Option<usize> {
        (!self.trees.is_empty()).then_some(0)
    }

    /// The number of entries below a tree of the cache, if it is up to date.
    pub(super) fn count(&self, tree: usize) -> Option<u32> {
        self.trees.get(tree)?.count
    }

    /// The id of a tree of the cache, if it is up to date.
    pub(super) fn id(&self, tree: usize) -> Option<ObjectId> {
        let tree = self.trees.get(tree).filter(|tree| tree.count.is_some())?;
        let id = self.map.bytes().get(tree.id as usize..)?;
        Some(ObjectId::from_bytes_or_panic(
            id.get(..self.hash.len_in_bytes())?,
        ))
    }

    /// The names and places of the trees right below one of the cache, by name.
    pub(super) fn children(&self, tree: usize) -> Vec<(&[u8], usize)> {
        let mut children = Vec::new();
        let end = self.trees.get(tree).map_or(0, |tree| tree.end);
        let mut at = tree + 1;
        while let Some(child) = self.trees.get(at).filter(|_| at < end) {
            let name = child.name.start as usize..child.name.end as usize;
            children.push((self.map.bytes().get(name).unwrap_or_default(), at));
            at = child.end;
        }
        children.sort_unstable();
        // Of two of one name neither says anything.
        match children.is_sorted_by(|a, b| a.0 < b.0) {
            true => children,
            false => Vec::new(),
        }
    }
}

/// Returns true if the last bytes of an index are the hash of all before them. It is there to detect damage, not
/// forgery.
fn holds(body: &[u8], checksum: &[u8], hash: gix::hash::Kind) -> bool {
    use sha2::Digest as _;
    match hash {
        gix::hash::Kind::Sha1 => sha1::Sha1::digest(body).as_slice() == checksum,
        gix::hash::Kind::Sha256 => sha2::Sha256::digest(body).as_slice() == checksum,
        _ => false,
    }
}

trait SplitLast {
    /// All but the last `count` items, and those.
    fn split_last_chunk_of(&self, count: usize) -> Option<(&[u8], &[u8])>;
}

impl SplitLast for [u8] {
    fn split_last_chunk_of(&self, count: usize) -> Option<(&[u8], &[u8])> {
        self.split_at_checked(self.len().checked_sub(count)?)
    }
}

/// The flags and the path of an entry.
struct Raw<'i> {
    flags: u16,
    extended: u16,
    path: &'i [u8],
    /// Start of the next entry.
    end: usize,
}

impl<'i> Raw<'i> {
    /// The entry that begins at `start`.
    #[inline]
    fn at(bytes: &'i [u8], start: usize, hash: gix::hash::Kind) -> Option<Self> {
        let flags_at = start.checked_add(STAT + hash.len_in_bytes())?;
        let flags = u16::from_be_bytes(*bytes.get(flags_at..)?.first_chunk()?);
        let mut path_at = flags_at + 2;
        let mut extended = 0;
        if flags & EXTENDED != 0 {
            extended = u16::from_be_bytes(*bytes.get(path_at..)?.first_chunk()?);
            path_at += 2;
        }
        let rest = bytes.get(path_at..)?;
        let length = match flags & LENGTH {
            LENGTH => memchr::memchr(0, rest)?,
            length => usize::from(length),
        };
        let path = rest.get(..length)?;
        // At least one zero ends the path.
        let end = start + (path_at + length - start + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
        (rest.get(length) == Some(&0) && end <= bytes.len()).then_some(Self {
            flags,
            extended,
            path,
            end,
        })
    }
}

/// Returns the start of each entry, and the end of the last; `None` if they are not in order or not whole.
fn entries(body: &[u8], hash: gix::hash::Kind) -> Option<(Vec<u32>, usize)> {
    let header: &[u8; HEADER] = body.first_chunk()?;
    let (signature, numbers) = header.split_at(4);
    let (version, count) = numbers.split_at(4);
    if signature != b"DIRC" || !matches!(version, [0, 0, 0, 2 | 3]) {
        return None;
    }
    u32::try_from(body.len()).ok()?;
    let count = u32::from_be_bytes(count.try_into().ok()?) as usize;
    // No entry is shorter than what all have: a count that lies reserves no more than the file is long.
    if count > body.len() / STAT {
        return None;
    }
    let mut starts = Vec::with_capacity(count);
    let mut at = HEADER;
    let mut last: Option<Raw<'_>> = None;
    for _ in 0..count {
        let raw = Raw::at(body, at, hash)?;
        if raw.flags & EXTENDED != 0 && version == [0, 0, 0, 2] {
            return None;
        }
        if let Some(last) = &last {
            let order = last.path.cmp(raw.path);
            let stages = (last.flags & STAGE).cmp(&(raw.flags & STAGE));
            if order.then(stages) != Ordering::Less {
                return None;
            }
        }
        starts.push(u32::try_from(at).ok()?);
        at = raw.end;
        last = Some(raw);
    }
    Some((starts, at))
}

/// The cache of trees among the extensions; `None` if one of them changes what the entries mean, or something is not
/// whole. A cache that is damaged is none.
fn extensions(body: &[u8], mut at: usize, hash: gix::hash::Kind) -> Option<Vec<Tree>> {
    let mut found = Vec::new();
    while at < body.len() {
        let signature: &[u8; 4] = body.get(at..)?.first_chunk()?;
        let length: &[u8; 4] = body.get(at + 4..)?.first_chunk()?;
        let start = at + 8;
        let end = start.checked_add(u32::from_be_bytes(*length) as usize)?;
        let content = body.get(..end)?;
        if signature == b"TREE" {
            let mut trees = Vec::new();
            let is_good = trees_of(content, start, hash, &mut trees);
            found = if is_good.is_some() { trees } else { Vec::new() };
        } else if !signature.first().is_some_and(u8::is_ascii_uppercase) {
            return None;
        }
        at = end;
    }
    Some(found)
}

/// Reads the trees from `at` to the end of `content`.
fn trees_of(
    content: &[u8],
    mut at: usize,
    hash: gix::hash::Kind,
    trees: &mut Vec<Tree>,
) -> Option<()> {
    /// Git nests no deeper, and each level holds a place here.
    const DEEPEST: usize = 4096;
    // Trees that are not complete: their places, and how many are still to come right below them.
    let mut open: Vec<(usize, u64)> = Vec::new();
    while at < content.len() {
        let name_end = at + memchr::memchr(0, content.get(at..)?)?;
        let count_end = name_end + 1 + memchr::memchr(b' ', content.get(name_end + 1..)?)?;
        let children_end = count_end + 1 + memchr::memchr(b'\n', content.get(count_end + 1..)?)?;
        let count: i32 = content
            .get(name_end + 1..count_end)?
            .to_str()
            .ok()?
            .parse()
            .ok()?;
        let children = content.get(count_end + 1..children_end)?;
        let children: u64 = children.to_str().ok()?.parse().ok()?;
        let id = children_end + 1;
        let end = if count >= 0 {
            id + hash.len_in_bytes()
        } else {
            id
        };
        if end > content.len() {
            return None;
        }
        match open.last_mut() {
            Some((_, more)) => *more = more.checked_sub(1)?,
            // One root.
            None if !trees.is_empty() => return None,
            None => {}
        }
        open.push((trees.len(), children));
        trees.push(Tree {
            name: u32::try_from(at).ok()?..u32::try_from(name_end).ok()?,
            count: u32::try_from(count).ok(),
            id: u32::try_from(id).ok()?,
            end: 0,
        });
        while let Some((place, 0)) = open.last().copied() {
            let end = trees.len();
            trees.get_mut(place)?.end = end;
            open.pop();
        }
        if open.len() > DEEPEST {
            return None;
        }
        at = end;
    }
    (open.is_empty() && !trees.is_empty()).then_some(())
}
