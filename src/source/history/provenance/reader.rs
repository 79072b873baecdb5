//! Reads trees in the walk over their delta families.
//!
//! A tree of a large repository has hundreds of entries of which its delta changes one. So entries are
//! parsed only where the delta brought bytes; those inside a copied run are taken over from the base at
//! their new offset. A tree on which nothing is built is not even rebuilt.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::BString;
use gix::ObjectId;

use super::trees::{Edge, Records, SOUGHT};
use crate::coverage::{Skip, SkipReason};
use crate::source::history::delta::{Delta, Instruction};
use crate::source::history::inflate::Buffer;
use crate::source::history::show::{Failure, Fault};
use crate::source::history::store::Stores;
use crate::source::history::walk::{Builder, Judge, Object};

/// The ids sought, with a filter that answers most questions.
pub(super) struct Sought {
    numbers: HashMap<ObjectId, u32>,
    filter: Vec<u64>,
}

impl Sought {
    /// Numbers them in order.
    pub(super) fn new(ids: &[ObjectId]) -> Self {
        let mut filter = vec![0u64; 1024];
        for id in ids {
            let at = first_bits(id);
            filter[at / 64] |= 1 << (at % 64);
        }
        let numbers = ids
            .iter()
            .enumerate()
            .map(|(at, id)| (*id, at as u32))
            .collect();
        Self { numbers, filter }
    }

    fn number(&self, id: &gix::oid) -> Option<u32> {
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
pub(super) struct Reader<'a> {
    stores: &'a Stores,
    sought: &'a Sought,
    stop: &'a AtomicBool,
    pub(super) names: HashMap<BString, u32>,
    pub(super) records: Records,
    pub(super) missing: HashSet<ObjectId>,
    pub(super) skips: Vec<Skip>,
    pub(super) failures: Vec<Failure>,
    /// An entry that several instructions make.
    pending: Vec<u8>,
    parsed: Vec<Edge>,
    gone: Vec<Edge>,
    unused: Vec<Known>,
}

/// What is known of a tree on which others are built.
#[derive(Default)]
pub(super) struct Known {
    depth: u32,
    /// Where each entry starts, and where the last one ends. Of a tree on which nothing is built: nothing.
    starts: Vec<u32>,
    /// Where each edge's entry starts.
    edges: Vec<(u32, Edge)>,
    has_starts: bool,
}

/// An entry of a tree, in bytes.
struct Entry<'b> {
    mode: &'b [u8],
    name: &'b [u8],
    id: &'b gix::oid,
    length: usize,
}

/// What stands at the start of some bytes of a tree.
enum Parsed<'b> {
    Entry(Entry<'b>),
    /// The start of one.
    Part,
    Malformed,
}

/// Parses the entry at the start of `bytes`.
fn parse(bytes: &[u8], id_length: usize) -> Parsed<'_> {
    let space = match memchr::memchr2(b' ', 0, &bytes[..bytes.len().min(8)]) {
        Some(at) if bytes[at] == b' ' => at,
        None if bytes.len() < 8 => return Parsed::Part,
        _ => return Parsed::Malformed,
    };
    let Some(end) = memchr::memchr(0, &bytes[space + 1..]) else {
        return Parsed::Part;
    };
    let from = space + end + 2;
    let Some(raw) = bytes.get(from..from + id_length) else {
        return Parsed::Part;
    };
    match gix::oid::try_from_bytes(raw) {
        Ok(id) => Parsed::Entry(Entry {
            mode: &bytes[..space],
            name: &bytes[space + 1..from - 1],
            id,
            length: from + id_length,
        }),
        Err(_) => Parsed::Malformed,
    }
}

/// How many bytes of `more` complete the entry that `start` begins; `None` if all of them do not.
fn completed_by(start: &[u8], more: &[u8], id_length: usize) -> Option<usize> {
    let end = match memchr::memchr(0, start) {
        Some(end) => end,
        None => start.len() + memchr::memchr(0, more)?,
    };
    let length = (end + 1 + id_length).checked_sub(start.len())?;
    (length <= more.len()).then_some(length)
}

impl<'a> Reader<'a> {
    /// A reader that has read nothing.
    pub(super) fn new(stores: &'a Stores, sought: &'a Sought, stop: &'a AtomicBool) -> Self {
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

    fn known(&mut self, depth: u32, has_starts: bool) -> Known {
        let mut known = self.unused.pop().unwrap_or_default();
        known.starts.clear();
        known.edges.clear();
        known.depth = depth;
        known.has_starts = has_starts;
        known
    }

    /// Takes an entry that starts at `at`.
    fn entry(&mut self, known: &mut Known, at: u32, entry: &Entry<'_>) {
        if known.has_starts {
            known.starts.push(at);
        }
        let child = match entry.mode {
            b"40000" | b"040000" => {
                let number = self.stores.find(entry.id);
                if number.is_none() && !entry.id.is_empty_tree() {
                    self.missing.insert(entry.id.to_owned());
                }
                number
            }
            // The id of a submodule's commit names nothing in this repository.
            b"160000" => None,
            _ => self.sought.number(entry.id).map(|number| number | SOUGHT),
        };
        if let Some(child) = child {
            let name = self.name(entry.name);
            known.edges.push((at, Edge { name, child }));
        }
    }

    fn name(&mut self, name: &[u8]) -> u32 {
        let name = bstr::BStr::new(name);
        if let Some(number) = self.names.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.insert(name.to_owned(), number);
        number
    }

    /// Reads the entries of a whole tree; gives where the last one ends.
    fn read_whole(&mut self, known: &mut Known, bytes: &[u8], id_length: usize) -> usize {
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
        known: &mut Known,
        (base, base_known): (&[u8], &Known),
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
        known: &mut Known,
        base: &[(u32, Edge)],
        end: u64,
        size: u64,
    ) {
        if known.has_starts {
            known.starts.push(end as u32);
        }
        if end != size {
            // The entries before the damage count.
            let detail = "not a tree that can be read to its end";
            let id = object.id.to_string();
            self.skips
                .push(Skip::with_detail(SkipReason::Corrupt, id, detail));
        }
        let tree = self.stores.canonical(object.number, object.id);
        self.record(tree, known, base);
    }

    /// Keeps what sets a tree apart from its base.
    fn record(&mut self, tree: u32, known: &Known, base: &[(u32, Edge)]) {
        let own = &known.edges[..];
        let same = |(a, b): &(&(u32, Edge), &(u32, Edge))| a.1 == b.1;
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
        self.records
            .push(tree, known.depth, &mut self.parsed, &mut self.gone);
    }
}

/// Takes over the entries of the base that lie wholly within its `length` bytes from `from` on, of which one
/// must start there; gives how many bytes they are, or `None` if there are none.
fn take_over(
    known: &mut Known,
    base: &Known,
    at: usize,
    from: usize,
    length: usize,
) -> Option<usize> {
    let first = base.starts.binary_search(&(from as u32)).ok()?;
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

impl Judge for Reader<'_> {
    type Kept = Known;

    fn whole(&mut self, object: &Object<'_>, bytes: &[u8]) -> Known {
        let mut known = self.known(0, !object.is_leaf);
        let end = self.read_whole(&mut known, bytes, object.id.as_bytes().len());
        self.finish(object, &mut known, &[], end as u64, bytes.len() as u64);
        known
    }

    fn built(
        &mut self,
        object: &Object<'_>,
        base: (&[u8], &Known),
        delta: &Delta<'_>,
        builder: &mut Builder,
    ) -> Result<Option<(Buffer, Known)>, Fault> {
        let mut known = self.known(base.1.depth + 1, !object.is_leaf);
        let end = self.read_delta(&mut known, base, delta, object.id.as_bytes().len())?;
        self.finish(object, &mut known, &base.1.edges, end as u64, delta.size);
        if object.is_leaf {
            self.release(known);
            return Ok(None);
        }
        Ok(Some((builder.apply(delta, base.0)?, known)))
    }

    fn release(&mut self, kept: Known) {
        self.unused.push(kept);
    }

    fn fail(&mut self, id: &gix::oid, fault: Fault) {
        let id = id.to_owned();
        self.failures.push(Failure { id, fault });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
