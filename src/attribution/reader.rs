//! Reads trees in the walk over their delta trees.
//!
//! A tree of a large repository has hundreds of entries of which its delta changes one. So entries are
//! parsed only where the delta brought bytes; those inside a copied run are taken over from the base at
//! their new offset. A tree on which nothing is built is not even rebuilt.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::BString;
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::records::{Child, Edge, Record, Records};
use crate::coverage::Skip;
use crate::git::number::{NameNo, Number as _, ObjectNo, SoughtNo};
use crate::git::odb::delta::{Delta, Instruction};
use crate::git::odb::fault::{Failure, Fault};
use crate::git::odb::inflate::Buffer;
use crate::git::odb::store::Stores;
use crate::git::odb::walk::{Builder, Object, Visitor};
use crate::git::tree::{self, Entry, Parsed, parse};

/// The ids sought, with a filter that answers most questions.
pub(crate) struct Sought {
    numbers: HashMap<ObjectId, SoughtNo>,
    filter: Vec<u64>,
}

impl Sought {
    /// Numbers them in order.
    pub(crate) fn new(ids: &[ObjectId]) -> Self {
        let mut filter = vec![0u64; 1024];
        for id in ids {
            let at = first_bits(id);
            filter[at / 64] |= 1 << (at % 64);
        }
        let numbers = ids
            .iter()
            .enumerate()
            .map(|(at, id)| (*id, SoughtNo::at(at)))
            .collect();
        Self { numbers, filter }
    }

    fn number(&self, id: &gix::oid) -> Option<SoughtNo> {
        let at = first_bits(id);
        if self.filter[at / 64] & (1 << (at % 64)) == 0 {
            return None;
        }
        self.numbers.get(id).copied()
    }
}

/// The first 16 bits of an id.
fn first_bits(id: &gix::oid) -> usize {
    let first = id.as_bytes().first_chunk().copied().unwrap_or_default();
    usize::from(u16::from_be_bytes(first))
}

/// Gathers the edges of the trees that one worker sees.
pub(crate) struct TreeReader<'a> {
    stores: &'a Stores,
    sought: &'a Sought,
    stop: &'a AtomicBool,
    pub(crate) names: HashMap<BString, NameNo>,
    pub(crate) records: Records,
    pub(crate) missing: HashSet<ObjectId>,
    pub(crate) skips: Vec<Skip>,
    pub(crate) failures: Vec<Failure>,
    /// An entry that several instructions make.
    pending: Vec<u8>,
    parsed: Vec<Edge>,
    gone: Vec<Edge>,
    unused: Vec<BaseTree>,
}

/// A tree on which others are built, as far as it is needed for them.
#[derive(Default)]
pub(crate) struct BaseTree {
    depth: u32,
    /// Start of each entry, and the end of the last one. Empty for a tree on which nothing is built.
    starts: Vec<u32>,
    /// Each edge with the start of its entry.
    edges: Vec<(u32, Edge)>,
    has_starts: bool,
}

/// Returns the number of bytes of `more` that complete the entry begun by `start`; `None` if `more` is too short.
fn completed_by(start: &[u8], more: &[u8], id_length: usize) -> Option<usize> {
    let end = match memchr::memchr(0, start) {
        Some(end) => end,
        None => start.len() + memchr::memchr(0, more)?,
    };
    let length = (end + 1 + id_length).checked_sub(start.len())?;
    (length <= more.len()).then_some(length)
}

impl<'a> TreeReader<'a> {
    /// A reader that has read nothing.
    pub(crate) fn new(stores: &'a Stores, sought: &'a Sought, stop: &'a AtomicBool) -> Self {
        Self {
            stores,
            sought,
            stop,
            names: HashMap::new(),
            records: Records::default(),
            missing: HashSet::new(),
            skips: Vec::new(),
            failures: Vec::new(),
            pending: Vec::new(),
            parsed: Vec::new(),
            gone: Vec::new(),
            unused: Vec::new(),
        }
    }

    fn known(&mut self, depth: u32, has_starts: bool) -> BaseTree {
        let mut known = self.unused.pop().unwrap_or_default();
        known.starts.clear();
        known.edges.clear();
        known.depth = depth;
        known.has_starts = has_starts;
        known
    }

    /// Takes an entry that starts at `at`.
    fn entry(&mut self, known: &mut BaseTree, at: u32, entry: &Entry<'_>) {
        if known.has_starts {
            known.starts.push(at);
        }
        let child = match entry.kind() {
            EntryKind::Tree => {
                let number = self.stores.find(entry.id);
                if number.is_none() && !entry.id.is_empty_tree() {
                    self.missing.insert(entry.id.to_owned());
                }
                number.map(Child::to)
            }
            // The id of a submodule's commit names nothing in this repository.
            EntryKind::Commit => None,
            _ => self.sought.number(entry.id).map(Child::sought),
        };
        if let Some(child) = child {
            let name = self.name(entry.name);
            known.edges.push((at, Edge { name, child }));
        }
    }

    fn name(&mut self, name: &[u8]) -> NameNo {
        let name = bstr::BStr::new(name);
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        let number = NameNo::at(self.names.len());
        self.names.insert(name.to_owned(), number);
        number
    }

    /// Reads the entries of a whole tree; gives where the last one ends.
    fn read_whole(&mut self, known: &mut BaseTree, bytes: &[u8], id_length: usize) -> usize {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let Parsed::Entry(entry) = parse(rest, id_length) else {
                break;
            };
            self.entry(known, at as u32, &entry);
            at += entry.length;
        }
        at
    }

    /// Reads the entries of a tree that a delta makes, without making it; gives where the last one ends.
    fn read_delta(
        &mut self,
        known: &mut BaseTree,
        (base, base_known): (&[u8], &BaseTree),
        delta: &Delta<'_>,
        id_length: usize,
    ) -> Result<usize, Fault> {
        let mut pending = std::mem::take(&mut self.pending);
        pending.clear();
        let (mut at, mut made, mut is_malformed) = (0, 0, false);
        for instruction in delta.instructions() {
            let (bytes, source) = match instruction? {
                Instruction::Insert(bytes) => (bytes, None),
                Instruction::Copy { from, length } => {
                    let end = from.checked_add(length);
                    let bytes = end.and_then(|end| base.get(from..end));
                    (bytes.ok_or("the delta copies beyond its base")?, Some(from))
                }
            };
            made += bytes.len();
            if made as u64 > delta.size {
                return Err("the delta makes more than it says".into());
            }
            let mut done = 0;
            while done < bytes.len() && !is_malformed {
                let rest = &bytes[done..];
                if !pending.is_empty() {
                    let Some(length) = completed_by(&pending, rest, id_length) else {
                        pending.extend_from_slice(rest);
                        break;
                    };
                    pending.extend_from_slice(&rest[..length]);
                    done += length;
                    match parse(&pending, id_length) {
                        Parsed::Entry(entry) => {
                            self.entry(known, at as u32, &entry);
                            at += entry.length;
                        }
                        Parsed::Part | Parsed::Malformed => is_malformed = true,
                    }
                    pending.clear();
                    continue;
                }
                if let Some(from) = source
                    && let Some(length) = take_over(known, base_known, at, from + done, rest.len())
                {
                    at += length;
                    done += length;
                    continue;
                }
                match parse(rest, id_length) {
                    Parsed::Entry(entry) => {
                        self.entry(known, at as u32, &entry);
                        at += entry.length;
                        done += entry.length;
                    }
                    Parsed::Part => {
                        pending.extend_from_slice(rest);
                        break;
                    }
                    Parsed::Malformed => is_malformed = true,
                }
            }
        }
        self.pending = pending;
        if made as u64 != delta.size {
            return Err("the delta makes less than it says".into());
        }
        Ok(at)
    }

    /// Finishes a tree whose last entry ends at `end` of `size` bytes.
    fn finish(
        &mut self,
        object: &Object<'_>,
        known: &mut BaseTree,
        base: &[(u32, Edge)],
        end: u64,
        size: u64,
    ) {
        if known.has_starts {
            known.starts.push(end as u32);
        }
        if end != size {
            // The entries before the damage count.
            let fault = Fault::from(tree::MALFORMED);
            self.skips.push(fault.into_skip(object.id.to_string()));
        }
        let tree = self.stores.canonical(object.number, object.id);
        self.record(tree, known, base);
    }

    /// Keeps what sets a tree apart from its base.
    fn record(&mut self, tree: ObjectNo, known: &BaseTree, base: &[(u32, Edge)]) {
        let own = &known.edges[..];
        let same = |(a, b): &(&(u32, Edge), &(u32, Edge))| a.1 == b.1;
        // Most trees differ from their base in the middle only; what is cut off here need not be sorted.
        let front = own.iter().zip(base).take_while(same).count();
        let (own, base) = (&own[front..], &base[front..]);
        let back = own
            .iter()
            .rev()
            .zip(base.iter().rev())
            .take_while(same)
            .count();
        self.parsed.clear();
        self.gone.clear();
        let (own, base) = (&own[..own.len() - back], &base[..base.len() - back]);
        self.parsed.extend(own.iter().map(|edge| edge.1));
        self.gone.extend(base.iter().map(|edge| edge.1));
        cancel(&mut self.parsed, &mut self.gone);
        self.records.push(&Record {
            tree,
            depth: known.depth as usize,
            added: &self.parsed,
            removed: &self.gone,
        });
    }
}

/// Takes over the entries of the base that lie wholly within its `length` bytes from `from` on, of which one
/// must start there; gives how many bytes they are, or `None` if there are none.
fn take_over(
    known: &mut BaseTree,
    base: &BaseTree,
    at: usize,
    from: usize,
    length: usize,
) -> Option<usize> {
    let first = base.starts.binary_search(&(from as u32)).ok()?;
    // An entry counts only if its end, which is the start of the next one, is copied as well.
    let limit = from + length;
    let ends = base.starts[first..].partition_point(|start| *start as usize <= limit);
    let last = first + ends.checked_sub(1)?;
    if last <= first {
        return None;
    }
    let shift = (at as u32).wrapping_sub(from as u32);
    if known.has_starts {
        let starts = &base.starts[first..last];
        let moved = starts.iter().map(|start| start.wrapping_add(shift));
        known.starts.extend(moved);
    }
    let stop = base.starts[last];
    let edges_from = base.edges.partition_point(|edge| (edge.0 as usize) < from);
    let edges_to = base.edges.partition_point(|edge| edge.0 < stop);
    let edges = &base.edges[edges_from..edges_to];
    let moved = edges
        .iter()
        .map(|(start, edge)| (start.wrapping_add(shift), *edge));
    known.edges.extend(moved);
    Some(stop as usize - from)
}

/// Removes from both lists the edges that are in both.
fn cancel(added: &mut Vec<Edge>, removed: &mut Vec<Edge>) {
    if added.is_empty() || removed.is_empty() {
        return;
    }
    added.sort_unstable();
    removed.sort_unstable();
    let (mut a, mut r) = (0, 0);
    let (mut keep_a, mut keep_r) = (Vec::new(), Vec::new());
    while a < added.len() || r < removed.len() {
        match (added.get(a), removed.get(r)) {
            (Some(x), Some(y)) if x == y => {
                a += 1;
                r += 1;
            }
            (Some(x), y) if y.is_none_or(|y| x < y) => {
                keep_a.push(*x);
                a += 1;
            }
            (_, Some(y)) => {
                keep_r.push(*y);
                r += 1;
            }
            (_, None) => break,
        }
    }
    *added = keep_a;
    *removed = keep_r;
}

impl Visitor for TreeReader<'_> {
    type State = BaseTree;

    fn base(&mut self, object: &Object<'_>, bytes: &[u8]) -> BaseTree {
        let mut known = self.known(0, !object.is_leaf);
        let end = self.read_whole(&mut known, bytes, object.id.as_bytes().len());
        self.finish(object, &mut known, &[], end as u64, bytes.len() as u64);
        known
    }

    fn delta(
        &mut self,
        object: &Object<'_>,
        base: (&[u8], &BaseTree),
        delta: &Delta<'_>,
        builder: &mut Builder,
    ) -> Result<Option<(Buffer, BaseTree)>, Fault> {
        let mut known = self.known(base.1.depth + 1, !object.is_leaf);
        let end = self.read_delta(&mut known, base, delta, object.id.as_bytes().len())?;
        self.finish(object, &mut known, &base.1.edges, end as u64, delta.size);
        if object.is_leaf {
            self.release(known);
            return Ok(None);
        }
        Ok(Some((builder.apply(delta, base.0)?, known)))
    }

    fn release(&mut self, kept: BaseTree) {
        self.unused.push(kept);
    }

    fn failed(&mut self, id: &gix::oid, fault: Fault) {
        let id = id.to_owned();
        self.failures.push(Failure { id, fault });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::odb::store::Stores;

    /// A seeded generator (SplitMix64).
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) % bound as u64) as usize
        }

        fn tree(&mut self, sought: &[ObjectId]) -> Vec<u8> {
            let mut tree = Vec::new();
            for at in 0..self.below(12) {
                let mode = ["100644", "40000", "160000"][self.below(3)];
                let name = "n".repeat(1 + self.below(5));
                tree.extend_from_slice(format!("{mode} {name}{at}\0").as_bytes());
                match self.below(2) {
                    0 => tree.extend_from_slice(sought[self.below(sought.len())].as_bytes()),
                    _ => tree.extend((0..20).map(|_| self.below(3) as u8)),
                }
            }
            tree
        }

        /// Instructions, their meaning, and what they make: mostly pieces of the base, cut anywhere.
        fn delta(&mut self, base: &[u8], other: &[u8]) -> (Vec<u8>, Vec<u8>) {
            let (mut made, mut code) = (Vec::new(), Vec::new());
            let mut from = 0;
            while from < base.len() {
                let length = (1 + self.below(60)).min(base.len() - from);
                match self.below(4) {
                    0 if !other.is_empty() => {
                        let start = self.below(other.len());
                        let length = (1 + self.below(40)).min(other.len() - start);
                        code.push(length as u8);
                        code.extend_from_slice(&other[start..start + length]);
                        made.extend_from_slice(&other[start..start + length]);
                    }
                    1 => {
                        code.push(length as u8);
                        code.extend_from_slice(&base[from..from + length]);
                        made.extend_from_slice(&base[from..from + length]);
                        from += length;
                    }
                    _ => {
                        let place = (from as u32).to_le_bytes();
                        code.extend([0x97, place[0], place[1], place[2], length as u8]);
                        made.extend_from_slice(&base[from..from + length]);
                        from += length;
                    }
                }
            }
            let mut delta = Vec::new();
            for mut size in [base.len(), made.len()] {
                while size > 0x7f {
                    delta.push(size as u8 | 0x80);
                    size >>= 7;
                }
                delta.push(size as u8);
            }
            delta.extend(code);
            (delta, made)
        }
    }

    /// A tree read by its delta has the same entries as the tree read whole, damage included.
    #[test]
    fn a_delta_tells_the_same_as_the_tree_that_it_makes() {
        let stores = Stores {
            packs: Vec::new(),
            loose: Vec::new(),
        };
        let wanted = [[7_u8; 20], [9; 20]].map(ObjectId::from);
        let sought = Sought::new(&wanted);
        let stop = AtomicBool::new(false);
        let mut edges = 0;
        for seed in 0..20_000 {
            let mut random = Random(seed);
            let base = random.tree(&wanted);
            // Now and then every entry stays whole, as it does in real deltas.
            let other = random.tree(&wanted);
            let (delta, made) = random.delta(&base, &other);
            let delta = Delta::parse(&delta).expect("a delta");
            let mut reader = TreeReader::new(&stores, &sought, &stop);
            let mut base_known = reader.known(0, true);
            let end = reader.read_whole(&mut base_known, &base, 20);
            base_known.starts.push(end as u32);
            let mut whole = reader.known(0, true);
            let whole_end = reader.read_whole(&mut whole, &made, 20);
            for has_starts in [true, false] {
                let mut built = reader.known(1, has_starts);
                let known = (&base[..], &base_known);
                let end = reader.read_delta(&mut built, known, &delta, 20);
                assert_eq!(end, Ok(whole_end), "seed {seed}");
                assert_eq!(built.edges, whole.edges, "seed {seed}");
                if has_starts {
                    assert_eq!(built.starts, whole.starts, "seed {seed}");
                }
                edges += built.edges.len();
            }
        }
        assert!(edges > 1000, "{edges}");
    }
}
