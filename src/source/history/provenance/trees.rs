//! What the trees hold: which tree names which tree, and which names something sought.
//!
//! Of every tree only the *difference* of its edges to those of its base is kept, which is a few bytes per
//! tree, whatever its size.

use std::collections::HashMap;

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;

use super::Options;
use super::reader::{Reader, Sought};
use crate::coverage::Skip;
use crate::source::history::Scanned;
use crate::source::history::run::walk_all;
use crate::source::history::show::Failure;

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
    /// Adds a tree with the edges that it has and its base has not, and those that it lacks.
    pub(super) fn push(
        &mut self,
        tree: u32,
        depth: u32,
        added: &mut Vec<Edge>,
        removed: &mut Vec<Edge>,
    ) {
        cancel(added, removed);
        self.trees.push((tree, depth));
        self.added.append(added);
        self.removed.append(removed);
        self.ends
            .push((self.added.len() as u32, self.removed.len() as u32));
    }

    /// What gives each edge its name, as another table has it.
    fn rename(&mut self, renumbered: &[u32]) {
        for edge in self.added.iter_mut().chain(&mut self.removed) {
            edge.name = renumbered[edge.name as usize];
        }
    }

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
#[derive(Default)]
pub(super) struct Trees {
    /// Trees have numbers below this.
    pub(super) count: usize,
    pub(super) names: Vec<BString>,
    pub(super) records: Vec<Records>,
    /// Trees that some tree names and that are not there.
    pub(super) missing: Vec<ObjectId>,
    /// Trees that could not be read.
    pub(super) skips: Vec<Skip>,
}

/// Reads every tree once.
pub(super) fn read(scanned: &mut Scanned, sought: &[ObjectId], options: Options<'_>) -> Trees {
    let sought = Sought::new(sought);
    let stores = &scanned.stores;
    let mut readers: Vec<Reader<'_>> = (0..options.threads.max(1))
        .map(|_| Reader::new(stores, &sought, options.stop))
        .collect();
    let tables = &mut scanned.tables;
    walk_all(
        stores,
        tables,
        Kind::Tree,
        scanned.max_object_size,
        &mut readers,
    );
    let mut trees = Trees::default();
    let mut is_read = vec![false; stores.len()];
    let mut failures = Vec::new();
    let mut numbers: HashMap<BString, u32> = HashMap::new();
    for part in readers {
        let mut renumbered = vec![0; part.names.len()];
        for (name, old) in part.names {
            let next = numbers.len() as u32;
            renumbered[old as usize] = *numbers.entry(name).or_insert(next);
        }
        let mut records = part.records;
        records.rename(&renumbered);
        for (tree, _) in &records.trees {
            is_read[*tree as usize] = true;
        }
        trees.records.push(records);
        trees.missing.extend(part.missing);
        trees.skips.extend(part.skips);
        failures.extend(part.failures);
    }
    // Another store may have a good copy.
    let is_lost = |id: &ObjectId| stores.find(id).is_none_or(|tree| !is_read[tree as usize]);
    let lost = failures.into_iter().filter(|failure| is_lost(&failure.id));
    trees.skips.extend(lost.map(Failure::into_skip));
    trees.names = vec![BString::default(); numbers.len()];
    for (name, number) in numbers {
        trees.names[number as usize] = name;
    }
    trees.missing.sort();
    trees.missing.dedup();
    trees.count = stores.len();
    trees
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
