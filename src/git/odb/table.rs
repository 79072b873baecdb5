//! The entries of one pack as delta trees: who is built on whom, what has to be read, and in which chunks of work.
//!
//! 32 bytes per object, and nothing on the call stack: chains may be as long as the pack.

use std::ops::Range;

use gix::objs::Kind;

use super::pack::{Content, Pack};
use crate::git::number::{EntryNo, Number as _, PackPos};
use crate::workers;

/// Weights are counted in units of this many bytes of the pack.
const UNIT: u64 = 64;
/// Number of steps up a chain in which the cost of building the base again is summed up before giving up.
const MAX_CLIMB: usize = 4096;

/// Offsets above this are beyond the end of any file.
const MAX_OFFSET: u64 = (1 << 48) - 1;

/// No entry.
const NONE: EntryNo = EntryNo::number(u32::MAX);

const WANTED: u8 = 1;
const NEEDED: u8 = 2;
const STARTS_CHUNK: u8 = 4;

/// One object of the pack.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// Lower bits of its offset. No file is larger than 48 bits can express.
    offset_low: u32,
    offset_high: u16,
    state: State,
    flags: u8,
    /// Place in the index of the pack, which knows id and checksum.
    position: PackPos,
    /// CRC-32 of its bytes, where the index has one; kept here because the index is in another order.
    checksum: u32,
    /// The entry on which this one is built.
    base: EntryNo,
    first_child: EntryNo,
    next_sibling: EntryNo,
    /// Size in the pack, in [`UNIT`]s; later of everything in the same chunk that is built on it as well.
    weight: u32,
}

impl Entry {
    fn offset(&self) -> u64 {
        u64::from(self.offset_high) << 32 | u64::from(self.offset_low)
    }
}

/// Knowledge about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A delta whose base has not been followed yet.
    Open,
    /// Being followed: meeting it again is a cycle.
    Followed,
    /// Whole or built on a whole one of that kind.
    Known(Kind),
    /// It has no readable header, or no base.
    Broken,
}

/// Work for one thread at a time: a delta tree, or siblings cut off from one, and what is built on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chunk {
    /// Its first entry.
    pub(crate) start: EntryNo,
    /// Weight of its entries, in [`Table::weight`]'s unit.
    pub(crate) weight: u32,
}

/// All entries of a pack, sorted by offset. Entries are named by their number in that order.
pub(crate) struct Table {
    entries: Vec<Entry>,
    end: u64,
    /// True if the index has checksums; the old format has none.
    has_checksums: bool,
}

impl Table {
    /// Reads the header of every entry.
    pub(crate) fn new(pack: &Pack, threads: usize) -> Self {
        let mut table = Self {
            entries: in_order_of_offset(pack, threads),
            end: pack.end(),
            has_checksums: pack.len() > 0 && pack.index.crc32_at_index(0).is_some(),
        };
        table.read_headers(pack, threads);
        table.follow_bases();
        table
    }

    /// Returns the number of entries.
    pub(crate) fn len(&self) -> u32 {
        // An index counts its objects in 32 bits.
        self.entries.len() as u32
    }

    /// Returns the range of the entry in the pack.
    pub(crate) fn range(&self, number: EntryNo) -> Range<u64> {
        let next = self.entries.get(number.index() + 1);
        let end = next.map_or(self.end, |next| next.offset());
        self.at(number).offset()..end
    }

    /// Its place in the index of the pack.
    pub(crate) fn position(&self, number: EntryNo) -> PackPos {
        self.at(number).position
    }

    /// Returns the CRC-32 of its bytes according to the index.
    pub(crate) fn checksum(&self, number: EntryNo) -> Option<u32> {
        self.has_checksums.then(|| self.at(number).checksum)
    }

    /// The entry that begins there.
    pub(crate) fn find(&self, offset: u64) -> Option<EntryNo> {
        let found = self
            .entries
            .binary_search_by_key(&offset, |entry| entry.offset());
        found.ok().map(EntryNo::at)
    }

    /// Returns the kind of object; `None` where header or base cannot be read.
    pub(crate) fn kind(&self, number: EntryNo) -> Option<Kind> {
        match self.at(number).state {
            State::Known(kind) => Some(kind),
            _ => None,
        }
    }

    /// The entry on which it is built.
    pub(crate) fn base(&self, number: EntryNo) -> Option<EntryNo> {
        some(self.at(number).base)
    }

    /// Returns true if the object is to be shown, and is not only needed to build others.
    pub(crate) fn is_wanted(&self, number: EntryNo) -> bool {
        self.at(number).flags & WANTED != 0
    }

    /// Size of what is built on it within its chunk, itself included, in no particular unit.
    pub(crate) fn weight(&self, number: EntryNo) -> u32 {
        self.at(number).weight
    }

    /// The first needed entry that is built on this one and belongs to the same chunk.
    pub(crate) fn first_child(&self, number: EntryNo) -> Option<EntryNo> {
        self.first_needed(self.at(number).first_child)
    }

    /// The next needed entry with the same base and in the same chunk.
    pub(crate) fn next_sibling(&self, number: EntryNo) -> Option<EntryNo> {
        self.first_needed(self.at(number).next_sibling)
    }

    fn first_needed(&self, mut number: EntryNo) -> Option<EntryNo> {
        while number != NONE {
            let entry = self.at(number);
            // From here on the siblings belong to other chunks: `sum_up` cuts from the front to the back.
            if entry.flags & STARTS_CHUNK != 0 {
                return None;
            }
            if entry.flags & NEEDED != 0 {
                return Some(number);
            }
            number = entry.next_sibling;
        }
        None
    }

    fn at(&self, number: EntryNo) -> &Entry {
        &self.entries[number.index()]
    }

    fn read_headers(&mut self, pack: &Pack, threads: usize) {
        let offsets: Vec<u64> = self.entries.iter().map(Entry::offset).collect();
        let share = self.entries.len().div_ceil(threads.max(1)).max(1);
        let end = self.end;
        let shares = self.entries.chunks_mut(share).enumerate();
        workers::each(shares, |(index, entries)| {
            for (entry, number) in entries.iter_mut().zip(index * share..) {
                read_header(pack, &offsets, number, end, entry);
            }
        });
    }

    /// Gives every delta the kind of the object at the root of its delta tree.
    fn follow_bases(&mut self) {
        let mut path = Vec::new();
        for number in EntryNo::up_to(self.len()) {
            let mut at = number;
            while at != NONE && self.at(at).state == State::Open {
                self.entries[at.index()].state = State::Followed;
                path.push(at);
                at = self.at(at).base;
            }
            // A base that is being followed already closes a cycle.
            let state = match at {
                NONE => State::Broken,
                at => match self.at(at).state {
                    State::Known(kind) => State::Known(kind),
                    _ => State::Broken,
                },
            };
            for number in path.drain(..) {
                self.entries[number.index()].state = state;
            }
        }
        // Backwards, because each is put before its siblings: the list of children comes to be in order of offset.
        for number in EntryNo::up_to(self.len()).rev() {
            let entry = *self.at(number);
            if entry.base != NONE && matches!(entry.state, State::Known(_)) {
                let base = &mut self.entries[entry.base.index()];
                let next = std::mem::replace(&mut base.first_child, number);
                self.entries[number.index()].next_sibling = next;
            }
        }
    }

    /// Marks what is to be shown and what is needed for it, and divides it into chunks of work of about
    /// `size` bytes of the pack each.
    ///
    /// A chunk starts with a whole object, or with an entry whose base has to be built again before it: so
    /// one delta tree that is larger than all others does not keep one thread busy while the rest waits.
    pub(crate) fn partition(
        &mut self,
        size: u64,
        mut is_wanted: impl FnMut(PackPos, Kind) -> bool,
    ) -> Vec<Chunk> {
        let limit = u32::try_from(size / UNIT).unwrap_or(u32::MAX).max(1);
        let mut chunks = Vec::new();
        self.forget_chunks();
        for number in self.bases_last() {
            self.sum_up(number, limit, &mut chunks);
            let entry = *self.at(number);
            let State::Known(kind) = entry.state else {
                continue;
            };
            let wanted = is_wanted(entry.position, kind);
            let needed = wanted || self.has_needed_child(number);
            let flags = &mut self.entries[number.index()].flags;
            *flags |= if wanted { WANTED } else { 0 } | if needed { NEEDED } else { 0 };
            if entry.base == NONE && needed {
                let weight = self.at(number).weight;
                chunks.push(Chunk {
                    start: number,
                    weight,
                });
            }
        }
        // In order of offset, so that the map is read forwards.
        chunks.sort_unstable();
        // They stay for the whole walk.
        chunks.shrink_to_fit();
        chunks
    }

    /// Undoes an earlier division.
    fn forget_chunks(&mut self) {
        let mut end = self.end;
        for entry in self.entries.iter_mut().rev() {
            let length = end.saturating_sub(entry.offset());
            entry.weight = u32::try_from(length / UNIT + 1).unwrap_or(u32::MAX);
            entry.flags = 0;
            end = entry.offset();
        }
    }

    fn has_needed_child(&self, number: EntryNo) -> bool {
        let mut child = self.at(number).first_child;
        while child != NONE {
            let entry = self.at(child);
            if entry.flags & NEEDED != 0 {
                return true;
            }
            child = entry.next_sibling;
        }
        false
    }

    /// Adds the weights of the children to their base and cuts off groups of siblings that are a chunk of
    /// their own.
    fn sum_up(&mut self, number: EntryNo, limit: u32, chunks: &mut Vec<Chunk>) {
        let mut total = self.at(number).weight;
        let mut child = self.at(number).first_child;
        let mut group = NONE;
        let mut group_weight = 0_u32;
        let mut may_cut = None;
        while child != NONE {
            let Entry {
                weight,
                next_sibling,
                flags,
                ..
            } = *self.at(child);
            if flags & NEEDED == 0 {
                child = next_sibling;
                continue;
            }
            let current = if group == NONE { total } else { group_weight };
            let is_full = current.saturating_add(weight) > limit;
            // A cut costs the rebuilding of the base, which is worth it up to an eighth of a chunk. The climb is paid
            // once a base, and only where a chunk is full.
            if is_full && *may_cut.get_or_insert_with(|| self.is_cheap_to_build(number, limit / 8))
            {
                if group != NONE {
                    chunks.push(Chunk {
                        start: group,
                        weight: group_weight,
                    });
                }
                self.entries[child.index()].flags |= STARTS_CHUNK;
                group = child;
                group_weight = weight;
            } else if group == NONE {
                total = total.saturating_add(weight);
            } else {
                group_weight = group_weight.saturating_add(weight);
            }
            child = next_sibling;
        }
        if group != NONE {
            chunks.push(Chunk {
                start: group,
                weight: group_weight,
            });
        }
        self.entries[number.index()].weight = total;
    }

    /// Returns true if the entry and everything it is built on weigh at most `limit`.
    fn is_cheap_to_build(&self, mut number: EntryNo, limit: u32) -> bool {
        let mut weight = 0_u64;
        for _ in 0..MAX_CLIMB.min(limit as usize) {
            let range = self.range(number);
            weight += (range.end.saturating_sub(range.start)) / UNIT + 1;
            if weight > u64::from(limit) {
                return false;
            }
            match self.base(number) {
                Some(base) => number = base,
                None => return true,
            }
        }
        false
    }

    /// All entries, each after everything that is built on it.
    fn bases_last(&self) -> Box<dyn Iterator<Item = EntryNo>> {
        let is_backward =
            |(number, entry): (usize, &Entry)| entry.base == NONE || entry.base.index() < number;
        if self.entries.iter().enumerate().all(is_backward) {
            return Box::new(EntryNo::up_to(self.len()).rev());
        }
        let mut order: Vec<EntryNo> = Vec::with_capacity(self.entries.len());
        for number in EntryNo::up_to(self.len()) {
            if self.at(number).base != NONE {
                continue;
            }
            // Breadth first: the list itself is the queue.
            let mut next = order.len();
            order.push(number);
            while let Some(number) = order.get(next) {
                let mut child = self.at(*number).first_child;
                while child != NONE {
                    order.push(child);
                    child = self.at(child).next_sibling;
                }
                next += 1;
            }
        }
        Box::new(order.into_iter().rev())
    }
}

fn some(number: EntryNo) -> Option<EntryNo> {
    (number != NONE).then_some(number)
}

fn in_order_of_offset(pack: &Pack, threads: usize) -> Vec<Entry> {
    let mut keys: Vec<(u64, PackPos)> = PackPos::up_to(pack.len())
        .map(|position| (pack.offset(position), position))
        .collect();
    let share = keys.len().div_ceil(threads.max(1)).max(1);
    workers::each(keys.chunks_mut(share), <[_]>::sort_unstable);
    // The stable sort finds the sorted runs and only merges them.
    keys.sort();
    // An entry that begins beyond the end has no bytes, and takes none from the one before it.
    let end = pack.end().min(MAX_OFFSET);
    keys.into_iter()
        .map(|(offset, position)| (offset.min(end), position))
        .map(|(offset, position)| Entry {
            offset_low: offset as u32,
            offset_high: (offset >> 32) as u16,
            position,
            checksum: 0,
            base: NONE,
            first_child: NONE,
            next_sibling: NONE,
            weight: 0,
            state: State::Broken,
            flags: 0,
        })
        .collect()
}

/// Fills in what the header of an entry says. What cannot be read stays broken.
fn read_header(pack: &Pack, offsets: &[u64], number: usize, end: u64, entry: &mut Entry) {
    let checksum = pack.index.crc32_at_index(entry.position.get());
    entry.checksum = checksum.unwrap_or_default();
    let next = offsets.get(number + 1).copied().unwrap_or(end);
    let Some(bytes) = pack.entry(entry.offset(), next) else {
        return;
    };
    let Ok(header) = pack.header(bytes) else {
        return;
    };
    let base = match header.content {
        Content::Whole(kind) => {
            entry.state = State::Known(kind);
            return;
        }
        Content::OffsetDelta(distance) => entry
            .offset()
            .checked_sub(distance)
            .and_then(|offset| find_before(&offsets[..number], offset)),
        Content::RefDelta(id) => pack.find(&id).and_then(|position| {
            let offset = pack.offset(position);
            offsets.binary_search(&offset).ok()
        }),
    };
    if let Some(base) = base {
        entry.base = EntryNo::at(base);
        entry.state = State::Open;
    }
}

/// Finds an offset near the end of `offsets`, where bases mostly are.
fn find_before(offsets: &[u64], offset: u64) -> Option<usize> {
    let mut step = 8;
    loop {
        let from = offsets.len().saturating_sub(step);
        if from == 0 || offsets[from] <= offset {
            let found = offsets[from..].binary_search(&offset).ok()?;
            return Some(from + found);
        }
        step *= 8;
    }
}
