//! All commits, reachable or not: their root trees, parents and dates.

use std::sync::atomic::AtomicBool;

use bstr::ByteSlice;
use gix::ObjectId;

use super::store::{Kind, Store};
use super::trees::{Ids, run};
use super::walk::{Piece, Visit, jobs};
use crate::coverage::{Skip, SkipReason};

/// "There is none": a tree or parent that is not in the object database.
pub(super) const ABSENT: u32 = u32::MAX;

/// The empty tree, which need not be in the object database.
const NO_ENTRIES: u32 = u32::MAX - 1;

/// All commits by number.
pub(super) struct Commits {
    pub(super) ids: Ids,
    /// Number of the root tree, or [`ABSENT`].
    trees: Vec<u32>,
    /// Committer time.
    times: Vec<i64>,
    /// Where the parents of each end in `parents`.
    ends: Vec<u32>,
    parents: Vec<u32>,
    /// Parents before children.
    order: Vec<u32>,
    /// Root trees that commits name and that are not there.
    pub(super) missing: Vec<ObjectId>,
}

impl Commits {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The root tree of a commit.
    pub(super) fn tree(&self, commit: u32) -> Option<u32> {
        let tree = self.trees[commit as usize];
        (tree < NO_ENTRIES).then_some(tree)
    }

    /// Committer time and id: what decides between two commits.
    pub(super) fn rank(&self, commit: u32) -> (i64, u32) {
        // Numbers are in the order of ids.
        (self.times[commit as usize], commit)
    }

    /// The earlier of two commits: by committer time, then by id.
    pub(super) fn earlier(&self, a: u32, b: u32) -> u32 {
        if self.rank(b) < self.rank(a) { b } else { a }
    }

    /// The later of two commits.
    pub(super) fn later(&self, a: u32, b: u32) -> u32 {
        if self.rank(b) > self.rank(a) { b } else { a }
    }

    /// Whether a parent, or its tree, is not in the object database.
    pub(super) fn is_boundary(&self, commit: u32) -> bool {
        self.parents(commit).iter().any(|parent| {
            self.trees
                .get(*parent as usize)
                .is_none_or(|tree| *tree == ABSENT)
        })
    }

    /// The parents that are there, and [`ABSENT`] for those that are not.
    pub(super) fn parents(&self, commit: u32) -> &[u32] {
        let at = commit as usize;
        let from = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.parents[from as usize..self.ends[at] as usize]
    }

    /// Which of at most 64 commits each commit contains: itself or an ancestor.
    pub(super) fn containing(&self, commits: &[u32]) -> Vec<u64> {
        let mut masks = vec![0u64; self.len()];
        for (bit, commit) in commits.iter().take(64).enumerate() {
            masks[*commit as usize] |= 1 << bit;
        }
        for commit in &self.order {
            let inherited = self
                .parents(*commit)
                .iter()
                .filter_map(|parent| masks.get(*parent as usize))
                .fold(0, |mask, parent| mask | parent);
            masks[*commit as usize] |= inherited;
        }
        masks
    }

    /// Which commits the tips reach, themselves included.
    pub(super) fn reached(&self, tips: impl IntoIterator<Item = u32>) -> Vec<bool> {
        let mut reached = vec![false; self.len()];
        let mut stack: Vec<u32> = tips.into_iter().collect();
        while let Some(commit) = stack.pop() {
            match reached.get_mut(commit as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            stack.extend(self.parents(commit));
        }
        reached
    }

    /// Which commits have a child.
    pub(super) fn with_child(&self) -> Vec<bool> {
        let mut with_child = vec![false; self.len()];
        for parent in &self.parents {
            if let Some(seen) = with_child.get_mut(*parent as usize) {
                *seen = true;
            }
        }
        with_child
    }
}

/// Reads every commit once.
pub(super) fn read(
    store: &Store,
    trees: &Ids,
    threads: usize,
    stop: &AtomicBool,
    skips: &mut Vec<Skip>,
) -> Commits {
    let ids = Ids::new(store.ids(Kind::Commit));
    let jobs = jobs(store, Kind::Commit);
    let parts = run(store, &jobs, threads, stop, || Reader {
        ids: &ids,
        trees,
        read: Vec::new(),
        parents: Vec::new(),
        missing: Vec::new(),
        skips: Vec::new(),
    });
    let mut commits = Commits {
        trees: vec![ABSENT; ids.len()],
        times: vec![0; ids.len()],
        ends: vec![0; ids.len()],
        parents: Vec::new(),
        order: Vec::new(),
        missing: Vec::new(),
        ids: Ids::new(Vec::new()),
    };
    // Which worker read the commit and where in its parents they stand.
    let mut from = vec![(0u32, 0u32, 0u32); ids.len()];
    for (at, part) in parts.iter().enumerate() {
        for commit in &part.read {
            commits.trees[commit.number as usize] = commit.tree;
            commits.times[commit.number as usize] = commit.time;
            from[commit.number as usize] = (at as u32, commit.parents.0, commit.parents.1);
        }
    }
    for (number, (part, start, end)) in from.into_iter().enumerate() {
        if let Some(part) = parts.get(part as usize) {
            commits
                .parents
                .extend(&part.parents[start as usize..end as usize]);
        }
        commits.ends[number] = commits.parents.len() as u32;
    }
    for part in parts {
        skips.extend(part.skips);
        commits.missing.extend(part.missing);
    }
    commits.missing.sort();
    commits.missing.dedup();
    commits.ids = ids;
    commits.order = order(&commits);
    commits
}

/// Parents before children. A circle, which only damage can make, is cut somewhere.
fn order(commits: &Commits) -> Vec<u32> {
    let mut order = Vec::with_capacity(commits.len());
    let mut seen = vec![false; commits.len()];
    let mut stack: Vec<(u32, u32)> = Vec::new();
    for start in 0..commits.len() as u32 {
        if std::mem::replace(&mut seen[start as usize], true) {
            continue;
        }
        stack.push((start, 0));
        while let Some((commit, next)) = stack.last_mut() {
            match commits.parents(*commit).get(*next as usize) {
                Some(parent) => {
                    *next += 1;
                    let parent = *parent;
                    if let Some(seen) = seen.get_mut(parent as usize)
                        && !std::mem::replace(seen, true)
                    {
                        stack.push((parent, 0));
                    }
                }
                None => {
                    order.push(*commit);
                    stack.pop();
                }
            }
        }
    }
    order
}

struct Read {
    number: u32,
    tree: u32,
    time: i64,
    parents: (u32, u32),
}

/// Gathers the commits that one worker sees.
struct Reader<'a> {
    ids: &'a Ids,
    trees: &'a Ids,
    read: Vec<Read>,
    parents: Vec<u32>,
    missing: Vec<ObjectId>,
    skips: Vec<Skip>,
}

impl Reader<'_> {
    fn parse(&mut self, number: u32, bytes: &[u8]) -> Option<()> {
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let tree = ObjectId::from_hex(lines.next()?.strip_prefix(b"tree ")?).ok()?;
        let start = self.parents.len() as u32;
        let mut time = None;
        for line in lines {
            if let Some(parent) = line.strip_prefix(b"parent ") {
                let parent = ObjectId::from_hex(parent).ok()?;
                self.parents
                    .push(self.ids.number(&parent).unwrap_or(ABSENT));
            } else if let Some(committer) = line.strip_prefix(b"committer ") {
                time = Some(seconds(committer).unwrap_or_default());
                break;
            } else if line.is_empty() {
                break;
            }
        }
        let known = match self.trees.number(&tree) {
            Some(known) => known,
            None if tree.is_empty_tree() => NO_ENTRIES,
            None => {
                self.missing.push(tree);
                ABSENT
            }
        };
        self.read.push(Read {
            number,
            tree: known,
            time: time?,
            parents: (start, self.parents.len() as u32),
        });
        Some(())
    }
}

/// The seconds at the end of a line `name <address> seconds offset`.
fn seconds(line: &[u8]) -> Option<i64> {
    let after = line.rfind_byte(b'>')? + 1;
    let text = line.get(after..)?.trim_start();
    let end = text.find_byte(b' ').unwrap_or(text.len());
    std::str::from_utf8(&text[..end]).ok()?.parse().ok()
}

impl Visit for Reader<'_> {
    fn object(&mut self, _: usize, id: ObjectId, bytes: &[u8], _: &[Piece]) {
        let Some(number) = self.ids.number(&id) else {
            return;
        };
        if self.parse(number, bytes).is_none() {
            self.skips.push(Skip::with_detail(
                SkipReason::Corrupt,
                id.to_string(),
                "not a commit that can be read",
            ));
        }
    }

    fn skip(&mut self, skip: Skip) {
        self.skips.push(skip);
    }
}
