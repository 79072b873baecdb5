//! All commits, reachable or not: their root trees, parents and dates.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use gix::ObjectId;
use gix::objs::Kind;

use super::ids::Ids;
use super::place::Options;
use crate::coverage::{Skip, SkipReason};
use crate::git::header;
use crate::git::number::{CommitNo, Number as _, ObjectNo};
use crate::git::odb::Database;
use crate::git::odb::delta::Delta;
use crate::git::odb::fault::{Failure, Fault};
use crate::git::odb::inflate::Buffer;
use crate::git::odb::notes::{ABSENT, CommitLink, CommitTable, NO_ENTRIES};
use crate::git::odb::store::Stores;
use crate::git::odb::walk::{Builder, Object, Visitor};
use crate::git::odb::walk_all;
use crate::git::topological;

/// A parent that is not in the object database.
pub(crate) const NOT_HERE: CommitNo = CommitNo::number(u32::MAX);

/// All commits by number.
pub(crate) struct Commits {
    pub(crate) ids: Ids,
    /// The root tree, [`NO_ENTRIES`] or [`ABSENT`].
    trees: Vec<ObjectNo>,
    /// End of each commit's parents in `parents`.
    ends: Vec<u32>,
    parents: Vec<CommitNo>,
    /// Parents before children, else by committer time and id.
    order: Vec<CommitNo>,
    /// Position of each commit in `order`.
    ranks: Vec<u32>,
}

impl Commits {
    /// All commits that were noted, numbered in the order of their ids.
    fn new(stores: &Stores, notes: &[CommitTable]) -> Self {
        let mut found: Vec<(ObjectId, ObjectNo)> = notes
            .iter()
            .flat_map(CommitTable::commits)
            .map(|(commit, _)| {
                let id = stores.id_of(commit.number);
                (id.to_owned(), stores.canonical(commit.number, id))
            })
            .collect();
        found.sort_unstable_by_key(|commit| commit.1);
        found.dedup_by_key(|commit| commit.1);
        // Within a store numbers are in the order of ids: the stable sort merges a few runs.
        found.sort_by_key(|commit| commit.0);
        let mut dense = vec![NOT_HERE; stores.len()];
        for (at, (_, object)) in found.iter().enumerate() {
            dense[object.index()] = CommitNo::at(at);
        }
        let ids = Ids::new(found.into_iter().map(|commit| commit.0).collect());
        let mut commits = Self {
            trees: vec![ABSENT; ids.len()],
            ends: vec![0; ids.len()],
            parents: Vec::new(),
            order: Vec::new(),
            ranks: vec![0; ids.len()],
            ids,
        };
        let mut times = vec![0_i64; commits.len()];
        // The parents of each, wherever they were noted.
        let mut of_each: Vec<&[ObjectNo]> = vec![&[]; commits.len()];
        for (commit, parents) in notes.iter().flat_map(CommitTable::commits) {
            let object = stores.canonical(commit.number, stores.id_of(commit.number));
            let number = dense[object.index()].index();
            commits.trees[number] = commit.tree;
            times[number] = commit.time;
            of_each[number] = parents;
        }
        for (parents, end) in of_each.into_iter().zip(&mut commits.ends) {
            let known = |parent: &ObjectNo| dense.get(parent.index()).copied().unwrap_or(NOT_HERE);
            commits.parents.extend(parents.iter().map(known));
            *end = commits.parents.len() as u32;
        }
        // Numbers are in the order of ids.
        commits.order = topological(&times, &|commit| commits.parents(commit));
        for (rank, commit) in (0..).zip(&commits.order) {
            commits.ranks[commit.index()] = rank;
        }
        commits
    }

    /// Returns the number of commits.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = CommitNo> + use<> {
        CommitNo::up_to(self.len() as u32)
    }

    /// The root tree of a commit.
    pub(crate) fn tree(&self, commit: CommitNo) -> Option<ObjectNo> {
        let tree = self.trees[commit.index()];
        (tree < NO_ENTRIES).then_some(tree)
    }

    /// Its place in the order of history: parents before children, else by committer time and id.
    pub(crate) fn rank(&self, commit: CommitNo) -> u32 {
        self.ranks[commit.index()]
    }

    /// The earlier of two commits.
    pub(crate) fn earlier(&self, a: CommitNo, b: CommitNo) -> CommitNo {
        if self.rank(b) < self.rank(a) { b } else { a }
    }

    /// The later of two commits.
    pub(crate) fn later(&self, a: CommitNo, b: CommitNo) -> CommitNo {
        if self.rank(b) > self.rank(a) { b } else { a }
    }

    /// Returns true if a parent, or its tree, is not in the object database.
    pub(crate) fn is_boundary(&self, commit: CommitNo) -> bool {
        self.parents(commit).iter().any(|parent| {
            self.trees
                .get(parent.index())
                .is_none_or(|tree| *tree == ABSENT)
        })
    }

    /// The parents that are there, and [`NOT_HERE`] for those that are not.
    pub(crate) fn parents(&self, commit: CommitNo) -> &[CommitNo] {
        let at = commit.index();
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.parents[from as usize..self.ends[at] as usize]
    }

    /// Returns, for each commit, a bit set of those of `commits` that it contains: itself or an ancestor. Bit `n` is
    /// the `n`th of them; only the first 64 are considered.
    pub(crate) fn containing(&self, commits: &[CommitNo]) -> Vec<u64> {
        let mut masks = vec![0u64; self.len()];
        for (bit, commit) in commits.iter().take(64).enumerate() {
            masks[commit.index()] |= 1 << bit;
        }
        for commit in &self.order {
            let inherited = self
                .parents(*commit)
                .iter()
                .filter_map(|parent| masks.get(parent.index()))
                .fold(0, |mask, parent| mask | parent);
            masks[commit.index()] |= inherited;
        }
        masks
    }

    /// Marks the commits that the tips reach, themselves included.
    pub(crate) fn reached(&self, tips: impl IntoIterator<Item = CommitNo>) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        let mut stack: Vec<CommitNo> = tips.into_iter().collect();
        while let Some(commit) = stack.pop() {
            match reached.get_mut(commit.index()) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            stack.extend(self.parents(commit));
        }
        reached
    }

    /// Marks the commits that have a child.
    pub(crate) fn with_child(&self) -> Vec<bool> {
        let mut with_child = vec![false; self.len()];
        for parent in &self.parents {
            if let Some(seen) = with_child.get_mut(parent.index()) {
                *seen = true;
            }
        }
        with_child
    }
}

/// Puts together what was noted of all commits, or reads them.
pub(crate) fn read(
    scanned: &mut Database,
    options: Options<'_>,
    skips: &mut Vec<Skip>,
) -> (Commits, Vec<ObjectId>) {
    let mut missing = Vec::new();
    let notes = match scanned.commits.take() {
        Some(notes) => {
            // Nothing is walked over any more, and what comes now needs the memory.
            scanned.tables = Vec::new();
            notes
        }
        None => read_all(scanned, options, skips, &mut missing),
    };
    let stores = &scanned.stores;
    for number in notes.iter().flat_map(|notes| &notes.malformed) {
        let id = stores.id_of(*number).to_string();
        skips.push(Skip::with_detail(
            SkipReason::Corrupt,
            id,
            header::MALFORMED,
        ));
    }
    (Commits::new(stores, &notes), missing)
}

/// Reads every commit once. Trees that they name and that are not there go to `missing`.
fn read_all(
    scanned: &mut Database,
    options: Options<'_>,
    skips: &mut Vec<Skip>,
    missing: &mut Vec<ObjectId>,
) -> Vec<CommitTable> {
    let stores = &scanned.stores;
    let new = || Reader {
        stores,
        stop: options.stop,
        notes: CommitTable::default(),
        missing: Vec::new(),
        failures: Vec::new(),
    };
    let mut readers: Vec<Reader<'_>> = (0..options.threads.max(1)).map(|_| new()).collect();
    let (tables, limit) = (&mut scanned.tables, scanned.max_object_size);
    walk_all(stores, tables, Kind::Commit, limit, &mut readers);
    let mut all = Vec::new();
    let mut failures = Vec::new();
    for reader in readers {
        all.push(reader.notes);
        missing.extend(reader.missing);
        failures.extend(reader.failures);
    }
    if !failures.is_empty() {
        // Another store may have a good copy.
        let read: HashSet<&gix::oid> = all
            .iter()
            .flat_map(CommitTable::commits)
            .map(|(commit, _)| stores.id_of(commit.number))
            .collect();
        failures.retain(|failure| !read.contains(failure.id.as_ref()));
        skips.extend(failures.into_iter().map(Failure::into_skip));
    }
    all
}

/// Notes the commits that one worker sees.
struct Reader<'a> {
    stores: &'a Stores,
    stop: &'a AtomicBool,
    notes: CommitTable,
    missing: Vec<ObjectId>,
    failures: Vec<Failure>,
}

impl Reader<'_> {
    fn note(&mut self, number: ObjectNo, bytes: &[u8]) {
        let (stores, missing) = (self.stores, &mut self.missing);
        self.notes.commit(number, bytes, |hex, named| {
            let id = ObjectId::from_hex(hex).ok()?;
            Some(match stores.find(&id) {
                Some(number) => number,
                None if id.is_empty_tree() => NO_ENTRIES,
                None => {
                    if named == CommitLink::Tree {
                        missing.push(id);
                    }
                    ABSENT
                }
            })
        });
    }
}

impl Visitor for Reader<'_> {
    type State = ();

    fn base(&mut self, object: &Object<'_>, bytes: &[u8]) {
        if object.is_wanted {
            self.note(object.number, bytes);
        }
    }

    fn delta(
        &mut self,
        object: &Object<'_>,
        base: (&[u8], &()),
        delta: &Delta<'_>,
        builder: &mut Builder,
    ) -> Result<Option<(Buffer, ())>, Fault> {
        let bytes = builder.apply(delta, base.0)?;
        if object.is_wanted {
            self.note(object.number, bytes.get());
        }
        Ok(Some((bytes, ())))
    }

    fn failed(&mut self, id: &gix::oid, fault: Fault) {
        let id = id.to_owned();
        self.failures.push(Failure { id, fault });
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
