//! Walks delta families depth first: every object once, its base still at hand.

use gix::ObjectId;
use gix::odb::pack;

use super::store::{Kind, NONE, Pack, Store};
use crate::coverage::{Skip, SkipReason};

/// The largest tree or commit that is looked at. Git itself refuses trees of this size.
const MAX_OBJECT: usize = 1 << 30;

/// A run of bytes of a rebuilt object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Where it starts in the object.
    pub(super) start: usize,
    /// How long it is.
    pub(super) len: usize,
    /// Where it was copied from in the base; `None` if the delta brought it.
    pub(super) source: Option<usize>,
}

/// Receives the objects of a walk.
pub(super) trait Visit {
    /// One object. At `depth` 0 it stands alone and `pieces` is empty; else `pieces` tells how it came
    /// from the object that was shown last at `depth - 1`.
    fn object(&mut self, depth: usize, id: ObjectId, bytes: &[u8], pieces: &[Piece]);

    /// Something could not be read.
    fn skip(&mut self, skip: Skip);
}

/// A stretch of work for one worker.
#[derive(Clone, Copy, Debug)]
pub(super) enum Job {
    /// The family below one entry of a pack.
    Family { pack: u32, root: u32 },
    /// A loose object.
    Loose { store: u32, id: ObjectId },
}

/// All work that there is for a kind.
pub(super) fn jobs(store: &Store, kind: Kind) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (at, pack) in store.packs.iter().enumerate() {
        jobs.extend(pack.roots(kind).map(|root| Job::Family {
            pack: at as u32,
            root,
        }));
    }
    jobs.extend(
        store
            .loose_objects
            .iter()
            .filter(|object| object.2 == kind)
            .map(|object| Job::Loose {
                store: object.0,
                id: object.1,
            }),
    );
    jobs
}

/// Reads objects, with buffers that are kept from one to the next.
pub(super) struct Walker<'a> {
    store: &'a Store,
    inflater: libdeflater::Decompressor,
    levels: Vec<Level>,
    delta: Vec<u8>,
    pieces: Vec<Piece>,
}

#[derive(Default)]
struct Level {
    entry: u32,
    bytes: Vec<u8>,
}

impl<'a> Walker<'a> {
    /// A walker over `store`.
    pub(super) fn new(store: &'a Store) -> Self {
        Self {
            store,
            inflater: libdeflater::Decompressor::new(),
            levels: Vec::new(),
            delta: Vec::new(),
            pieces: Vec::new(),
        }
    }

    /// Shows the objects of one job.
    pub(super) fn run(&mut self, job: Job, visit: &mut impl Visit) {
        match job {
            Job::Family { pack, root } => {
                let store = self.store;
                self.family(&store.packs[pack as usize], root, visit);
            }
            Job::Loose { store, id } => self.loose(store, id, visit),
        }
    }

    fn loose(&mut self, store: u32, id: ObjectId, visit: &mut impl Visit) {
        self.delta.clear();
        match self.store.loose[store as usize].try_find(&id, &mut self.delta) {
            Ok(Some(object)) => visit.object(0, id, object.data, &[]),
            Ok(None) => visit.skip(Skip::new(SkipReason::Changed, id.to_string())),
            Err(error) => visit.skip(Skip::with_detail(
                SkipReason::Corrupt,
                id.to_string(),
                error,
            )),
        }
    }

    /// Depth first, without recursion: chains may be long in a pack that means harm.
    fn family(&mut self, pack: &Pack, root: u32, visit: &mut impl Visit) {
        let mut depth = 0;
        let mut entry = root;
        loop {
            let child = match self.rebuild(pack, entry, depth) {
                Ok(()) => {
                    let level = &self.levels[depth];
                    visit.object(depth, pack.id(entry), &level.bytes, &self.pieces);
                    pack.first_child(entry)
                }
                Err(detail) => {
                    skip_family(pack, entry, detail, visit);
                    NONE
                }
            };
            if child != NONE {
                depth += 1;
                entry = child;
                continue;
            }
            loop {
                if depth == 0 {
                    return;
                }
                let sibling = pack.next_sibling(entry);
                if sibling != NONE {
                    entry = sibling;
                    break;
                }
                depth -= 1;
                entry = self.levels[depth].entry;
            }
        }
    }

    /// Rebuilds an entry at `depth`; its base is one level up.
    fn rebuild(&mut self, pack: &Pack, entry: u32, depth: usize) -> Result<(), &'static str> {
        if self.levels.len() <= depth {
            self.levels.push(Level::default());
        }
        let slice = pack.slice(entry)?;
        let header =
            pack::data::Entry::from_bytes(slice, pack.offset(entry), pack.data.object_hash())
                .ok()
                .ok_or("unreadable header")?;
        let size = usize::try_from(header.decompressed_size)
            .ok()
            .filter(|size| *size <= MAX_OBJECT)
            .ok_or("the entry is too large")?;
        let data = slice
            .get(header.header_size()..)
            .ok_or("the entry is cut short")?;
        self.pieces.clear();
        if depth == 0 {
            let level = &mut self.levels[0];
            level.entry = entry;
            return inflate(&mut self.inflater, data, size, &mut level.bytes);
        }
        inflate(&mut self.inflater, data, size, &mut self.delta)?;
        let (above, below) = self.levels.split_at_mut(depth);
        let base = &above[depth - 1].bytes;
        let level = &mut below[0];
        level.entry = entry;
        apply(base, &self.delta, &mut level.bytes, &mut self.pieces)
    }
}

fn inflate(
    inflater: &mut libdeflater::Decompressor,
    data: &[u8],
    size: usize,
    out: &mut Vec<u8>,
) -> Result<(), &'static str> {
    // A lying size must not reserve more than deflate can deliver.
    if size / 1100 > data.len() {
        return Err("the size in the header is more than the data can hold");
    }
    out.resize(size, 0);
    match inflater.zlib_decompress(data, out) {
        Ok(written) if written == size => Ok(()),
        Ok(_) => Err("shorter than its header says"),
        Err(_) => Err("not inflatable to the size in its header"),
    }
}

/// Rebuilds an object from its base and notes where each run of bytes came from.
fn apply(
    base: &[u8],
    delta: &[u8],
    out: &mut Vec<u8>,
    pieces: &mut Vec<Piece>,
) -> Result<(), &'static str> {
    const SHORT: &str = "the delta is cut short";
    let mut rest = delta;
    let base_size = varint(&mut rest).ok_or(SHORT)?;
    let size = varint(&mut rest)
        .filter(|size| *size <= MAX_OBJECT)
        .ok_or(SHORT)?;
    if base_size != base.len() {
        return Err("the delta is for another base");
    }
    out.clear();
    while let Some((command, tail)) = rest.split_first() {
        rest = tail;
        let start = out.len();
        if command & 0x80 == 0 {
            let len = usize::from(*command);
            if len == 0 {
                return Err("the delta has an unknown instruction");
            }
            let (bytes, tail) = rest.split_at_checked(len).ok_or(SHORT)?;
            rest = tail;
            out.extend_from_slice(bytes);
            pieces.push(Piece {
                start,
                len,
                source: None,
            });
        } else {
            let mut numbers = [0u8; 7];
            for (bit, number) in numbers.iter_mut().enumerate() {
                if command & (1 << bit) != 0 {
                    let (byte, tail) = rest.split_first().ok_or(SHORT)?;
                    *number = *byte;
                    rest = tail;
                }
            }
            let [a, b, c, d, e, f, g] = numbers;
            let from = u32::from_le_bytes([a, b, c, d]) as usize;
            let len = match u32::from_le_bytes([e, f, g, 0]) {
                0 => 0x1_0000,
                len => len as usize,
            };
            let bytes = from
                .checked_add(len)
                .and_then(|end| base.get(from..end))
                .ok_or("the delta copies what its base does not have")?;
            if start + len > size {
                return Err("the delta makes more than it says");
            }
            out.extend_from_slice(bytes);
            pieces.push(Piece {
                start,
                len,
                source: Some(from),
            });
        }
    }
    if out.len() == size {
        Ok(())
    } else {
        Err("the delta makes less or more than it says")
    }
}

fn varint(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

/// Names an entry that is damaged and everything that is built on it.
fn skip_family(pack: &Pack, entry: u32, detail: &str, visit: &mut impl Visit) {
    visit.skip(Skip::with_detail(
        SkipReason::Corrupt,
        pack.id(entry).to_string(),
        detail,
    ));
    let mut stack = vec![entry];
    while let Some(base) = stack.pop() {
        let mut child = pack.first_child(base);
        while child != NONE {
            visit.skip(Skip::with_detail(
                SkipReason::Corrupt,
                pack.id(child).to_string(),
                format!("a delta against {}, which is damaged", pack.id(base)),
            ));
            stack.push(child);
            child = pack.next_sibling(child);
        }
    }
}
