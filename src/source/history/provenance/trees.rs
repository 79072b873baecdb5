//! What the trees hold: which tree names which tree, and which names something sought.
//!
//! A tree of a large repository has hundreds of entries of which its delta changes one. So entries are
//! parsed only where the delta brought bytes; those inside a copied run are taken over from the base at
//! their new offset. And of every tree only the *difference* of its edges to those of its base is kept,
//! which is a few bytes per tree, whatever its size.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bstr::BString;
use gix::ObjectId;

use super::store::{Kind, Store};
use super::walk::{Job, Piece, Visit, Walker, jobs};
use crate::coverage::{Skip, SkipReason};

/// Marks the child of an edge as one of the objects sought instead of a tree.
pub(super) const SOUGHT: u32 = 1 << 31;

/// An entry of a tree that leads to another tree or to something sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Edge {
    /// Position in [`Trees::names`].
    pub(super) name: u32,
    /// Number of a tree, or [`SOUGHT`] and the number of what is sought.
    pub(super) child: u32,
}

/// Ids in order; their position is the number by which the rest of provenance knows them.
pub(super) struct Ids {
    sorted: Vec<ObjectId>,
    /// Where the ids start whose first bits are the same: about as many starts as ids, so that a look-up
    /// touches memory that is far away once or twice.
    starts: Vec<u32>,
    /// How far an id's first four bytes are shifted to give its place in `starts`.
    shift: u32,
}

impl Ids {
    /// Numbers `sorted`.
    pub(super) fn new(sorted: Vec<ObjectId>) -> Self {
        let bits = sorted.len().max(1).ilog2().clamp(4, 24);
        let shift = 32 - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for id in &sorted {
            starts[prefix(id, shift) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self {
            sorted,
            starts,
            shift,
        }
    }

    /// The number of an id.
    pub(super) fn number(&self, id: &gix::oid) -> Option<u32> {
        let at = prefix(id, self.shift);
        let (from, to) = (self.starts[at] as usize, self.starts[at + 1] as usize);
        let found = self.sorted[from..to].binary_search_by(|other| (**other).cmp(id));
        found.ok().map(|at| (from + at) as u32)
    }

    /// The id with that number.
    pub(super) fn id(&self, number: u32) -> ObjectId {
        self.sorted[number as usize]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sorted.len()
    }
}

/// The first bits of an id.
fn prefix(id: &gix::oid, shift: u32) -> usize {
    let first = id.as_bytes().first_chunk().copied().unwrap_or_default();
    (u32::from_be_bytes(first) >> shift) as usize
}

/// Trees in the order of a walk, each with what sets it apart from its base.
#[derive(Default)]
pub(super) struct Records {
    /// Number of the tree, and its depth: its base is the last tree before it with one less.
    trees: Vec<(u32, u32)>,
    /// Per tree: where its added and its removed edges end.
    ends: Vec<(u32, u32)>,
    added: Vec<Edge>,
    removed: Vec<Edge>,
}

/// One tree of [`Records`].
pub(super) struct Record<'a> {
    pub(super) tree: u32,
    pub(super) depth: usize,
    /// Edges that its base does not have.
    pub(super) added: &'a [Edge],
    /// Edges that its base has and it does not.
    pub(super) removed: &'a [Edge],
}

impl Records {
    /// All trees, bases first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let mut from = (0, 0);
        self.trees
            .iter()
            .zip(&self.ends)
            .map(move |(&(tree, depth), &(added, removed))| {
                let to = (added as usize, removed as usize);
                let record = Record {
                    tree,
                    depth: depth as usize,
                    added: &self.added[from.0..to.0],
                    removed: &self.removed[from.1..to.1],
                };
                from = to;
                record
            })
    }
}

/// Everything that was learnt from the trees.
pub(super) struct Trees {
    pub(super) ids: Ids,
    pub(super) names: Vec<BString>,
    pub(super) records: Vec<Records>,
    /// Trees that some tree names and that are not there.
    pub(super) missing: Vec<ObjectId>,
}

/// Reads every tree once.
pub(super) fn read(
    store: &Store,
    sought: &[ObjectId],
    threads: usize,
    stop: &AtomicBool,
    skips: &mut Vec<Skip>,
) -> Trees {
    let ids = Ids::new(store.ids(Kind::Tree));
    let sought = Sought::new(sought);
    let jobs = jobs(store, Kind::Tree);
    let parts = run(store, &jobs, threads, stop, || Reader::new(&ids, &sought));
    let mut trees = Trees {
        ids: Ids::new(Vec::new()),
        names: Vec::new(),
        records: Vec::new(),
        missing: Vec::new(),
    };
    let mut numbers: HashMap<BString, u32> = HashMap::new();
    for part in parts {
        let mut renumbered = vec![0; part.names.len()];
        for (name, old) in part.names {
            let next = numbers.len() as u32;
            renumbered[old as usize] = *numbers.entry(name).or_insert(next);
        }
        let mut records = part.records;
        for edge in records.added.iter_mut().chain(&mut records.removed) {
            edge.name = renumbered[edge.name as usize];
        }
        trees.records.push(records);
        trees.missing.extend(part.missing.into_keys());
        skips.extend(part.skips);
    }
    trees.names = vec![BString::default(); numbers.len()];
    for (name, number) in numbers {
        trees.names[number as usize] = name;
    }
    trees.missing.sort();
    trees.missing.dedup();
    trees.ids = ids;
    trees
}

/// Shares jobs out among workers; gives what each of them has gathered.
pub(super) fn run<V: Visit + Send>(
    store: &Store,
    jobs: &[Job],
    threads: usize,
    stop: &AtomicBool,
    new: impl Fn() -> V + Sync,
) -> Vec<V> {
    /// Jobs that a worker takes at a time: enough that the counter costs nothing.
    const BATCH: usize = 16;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut visit = new();
        let mut walker = Walker::new(store);
        while !stop.load(Ordering::Relaxed) {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            let Some(batch) = jobs.get(from..jobs.len().min(from + BATCH)) else {
                break;
            };
            if batch.is_empty() {
                break;
            }
            for job in batch {
                walker.run(*job, &mut visit);
            }
        }
        visit
    };
    let threads = threads.clamp(1, jobs.len().div_ceil(BATCH).max(1));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut done = vec![work()];
        for worker in workers {
            match worker.join() {
                Ok(visit) => done.push(visit),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

/// The ids sought, with a filter that answers most questions.
struct Sought {
    numbers: HashMap<ObjectId, u32>,
    filter: Vec<u64>,
}

impl Sought {
    fn new(ids: &[ObjectId]) -> Self {
        let mut filter = vec![0u64; 1024];
        for id in ids {
            let at = prefix(id, 16);
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
        let at = prefix(id, 16);
        if self.filter[at / 64] & (1 << (at % 64)) == 0 {
            return None;
        }
        self.numbers.get(id).copied()
    }
}

/// Gathers the edges of the trees that one worker sees.
struct Reader<'a> {
    ids: &'a Ids,
    sought: &'a Sought,
    levels: Vec<Level>,
    names: HashMap<BString, u32>,
    records: Records,
    missing: HashMap<ObjectId, ()>,
    skips: Vec<Skip>,
    parsed: Vec<Edge>,
    gone: Vec<Edge>,
}

/// What is known of the tree that was shown last at a depth.
#[derive(Default)]
struct Level {
    /// Where each entry starts, and where the last one ends.
    starts: Vec<u32>,
    /// Where each edge's entry starts.
    edges: Vec<(u32, Edge)>,
}

impl<'a> Reader<'a> {
    fn new(ids: &'a Ids, sought: &'a Sought) -> Self {
        Self {
            ids,
            sought,
            levels: Vec::new(),
            names: HashMap::new(),
            records: Records::default(),
            missing: HashMap::new(),
            skips: Vec::new(),
            parsed: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Parses the entry at `at`; gives where it ends.
    fn entry(&mut self, depth: usize, bytes: &[u8], at: usize) -> Option<usize> {
        let rest = bytes.get(at..)?;
        let space = memchr::memchr(b' ', rest.get(..rest.len().min(8))?)?;
        let mode = &rest[..space];
        let name_from = space + 1;
        let name_len = memchr::memchr(0, &rest[name_from..])?;
        let id_from = name_from + name_len + 1;
        let id_len = self.hash_len();
        let raw = rest.get(id_from..id_from + id_len)?;
        let id = gix::oid::try_from_bytes(raw).ok()?;
        let child = match mode {
            b"40000" | b"040000" => {
                let number = self.ids.number(id);
                if number.is_none() && !id.is_empty_tree() {
                    self.missing.insert(id.to_owned(), ());
                }
                number
            }
            // The id of a submodule's commit names nothing in this repository.
            b"160000" => None,
            _ => self.sought.number(id).map(|number| number | SOUGHT),
        };
        self.levels[depth].starts.push(at as u32);
        if let Some(child) = child {
            let name = self.name(&rest[name_from..name_from + name_len]);
            let edge = Edge { name, child };
            self.levels[depth].edges.push((at as u32, edge));
        }
        Some(at + id_from + id_len)
    }

    fn hash_len(&self) -> usize {
        // Without any id there is no tree either, so this is never asked.
        self.ids.sorted.first().map_or(20, |id| id.as_bytes().len())
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

    /// Finds the entries of a tree; gives where the last one ends.
    fn entries(&mut self, depth: usize, bytes: &[u8], pieces: &[Piece]) -> usize {
        let mut at = 0;
        for piece in pieces {
            let end = piece.start + piece.len;
            while at < end {
                let taken = piece
                    .source
                    .and_then(|source| self.take_over(depth, at, source + (at - piece.start), end));
                match taken.or_else(|| self.entry(depth, bytes, at)) {
                    Some(next) => at = next,
                    None => return at,
                }
            }
        }
        while at < bytes.len() {
            match self.entry(depth, bytes, at) {
                Some(next) => at = next,
                None => return at,
            }
        }
        at
    }

    /// Takes over the entries of the base from offset `from` on that end within a copied run, which ends
    /// at `end` here; gives where the last one ends here, or `None` if there is none.
    fn take_over(&mut self, depth: usize, at: usize, from: usize, end: usize) -> Option<usize> {
        let (above, below) = self.levels.split_at_mut(depth);
        let (base, level) = (&above[depth - 1], &mut below[0]);
        let first = base.starts.binary_search(&(from as u32)).ok()?;
        let limit = from + (end - at);
        let last = base
            .starts
            .partition_point(|start| *start as usize <= limit)
            .checked_sub(1)?;
        if last <= first {
            return None;
        }
        let shift = (at as u32).wrapping_sub(from as u32);
        level.starts.extend(
            base.starts[first..last]
                .iter()
                .map(|start| start.wrapping_add(shift)),
        );
        let stop = base.starts[last];
        let edges_from = base.edges.partition_point(|edge| (edge.0 as usize) < from);
        let edges_to = base.edges.partition_point(|edge| edge.0 < stop);
        level.edges.extend(
            base.edges[edges_from..edges_to]
                .iter()
                .map(|(start, edge)| (start.wrapping_add(shift), *edge)),
        );
        Some(stop.wrapping_add(shift) as usize)
    }

    /// Keeps what sets a tree apart from its base.
    fn record(&mut self, tree: u32, depth: usize) {
        let own = &self.levels[depth].edges[..];
        let base = match depth {
            0 => &[],
            _ => &self.levels[depth - 1].edges[..],
        };
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
        cancel(&mut self.parsed, &mut self.gone);
        self.records.trees.push((tree, depth as u32));
        self.records.added.append(&mut self.parsed);
        self.records.removed.append(&mut self.gone);
        self.records.ends.push((
            self.records.added.len() as u32,
            self.records.removed.len() as u32,
        ));
    }
}

/// Takes out of both lists what stands in both.
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

impl Visit for Reader<'_> {
    fn object(&mut self, depth: usize, id: ObjectId, bytes: &[u8], pieces: &[Piece]) {
        if self.levels.len() <= depth {
            self.levels.resize_with(depth + 1, Level::default);
        }
        self.levels[depth].starts.clear();
        self.levels[depth].edges.clear();
        let end = self.entries(depth, bytes, pieces);
        self.levels[depth].starts.push(end as u32);
        if end != bytes.len() {
            // The entries before the damage count.
            self.skips.push(Skip::with_detail(
                SkipReason::Corrupt,
                id.to_string(),
                "not a tree that can be read to its end",
            ));
        }
        if let Some(tree) = self.ids.number(&id) {
            self.record(tree, depth);
        }
    }

    fn skip(&mut self, skip: Skip) {
        self.skips.push(skip);
    }
}
