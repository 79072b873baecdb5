//! Trees in the order of a walk, each with what sets its edges apart from those of its base.
//!
//! There may be as many as the repository has trees, so they are packed: eight bytes for nearly every tree and
//! eight an edge.

use std::marker::PhantomData;

use crate::git::number::{NameNo, Number, ObjectNo, SoughtNo};

/// A block is closed when it has this many words or edges. Blocks stay where they are: what grows by moving
/// leaves as much memory behind as it has.
const BLOCK: usize = 16 * 1024;

/// Marks a tree whose depth and counts take a word each. The number of a tree is below it.
const WIDE: u32 = 1 << 31;
const DEPTH_BITS: u32 = 16;
const COUNT_BITS: u32 = 8;

/// An entry of a tree (or of a node) that leads to another one or to something sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Edge<N = ObjectNo> {
    /// Its name; within one [`Records`] equal names have equal numbers.
    pub(crate) name: NameNo,
    /// The object it leads to.
    pub(crate) child: Child<N>,
}

/// Target of an edge in 32 bits: the highest bit distinguishes something sought from a tree or node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Child<N>(u32, PhantomData<N>);

/// The same, told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leads<N> {
    /// To a tree or node.
    To(N),
    /// To one of the objects sought.
    Sought(SoughtNo),
}

/// Marks a child as something sought.
const SOUGHT: u32 = 1 << 31;

impl<N: Number> Child<N> {
    /// A tree or node.
    pub(crate) fn to(number: N) -> Self {
        Self(number.get(), PhantomData)
    }

    /// One of the objects sought.
    pub(crate) fn sought(number: SoughtNo) -> Self {
        Self(number.get() | SOUGHT, PhantomData)
    }

    /// Decodes the target.
    pub(crate) fn leads(self) -> Leads<N> {
        match self.0 & SOUGHT {
            0 => Leads::To(N::new(self.0)),
            _ => Leads::Sought(SoughtNo::new(self.0 ^ SOUGHT)),
        }
    }

    /// The tree or node that it is.
    pub(crate) fn below(self) -> Option<N> {
        match self.leads() {
            Leads::To(number) => Some(number),
            Leads::Sought(_) => None,
        }
    }
}

/// One tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// Its number.
    pub(crate) tree: ObjectNo,
    /// Its base is the last tree before it with one less.
    pub(crate) depth: usize,
    /// Edges that its base does not have.
    pub(crate) added: &'a [Edge],
    /// Edges that its base has and it does not.
    pub(crate) removed: &'a [Edge],
}

/// Trees, bases first.
#[derive(Default)]
pub(crate) struct Records {
    blocks: Vec<Block>,
}

#[derive(Default)]
struct Block {
    /// Per tree its number, then its depth and how many edges it adds and removes, in one word or in three.
    words: Vec<u32>,
    /// Per tree those that it adds, then those that it removes.
    edges: Vec<Edge>,
}

impl Records {
    /// Adds a tree.
    pub(crate) fn push(&mut self, record: &Record<'_>) {
        let is_full = |block: &Block| block.words.len().max(block.edges.len()) >= BLOCK;
        if self.blocks.last().is_none_or(is_full) {
            if let Some(block) = self.blocks.last_mut() {
                block.words.shrink_to_fit();
                block.edges.shrink_to_fit();
            }
            self.blocks.push(Block::default());
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push(record);
        }
    }

    /// Gives every name the number that `renumbered` has at its old one.
    pub(crate) fn rename(&mut self, renumbered: &[NameNo]) {
        for edge in self.blocks.iter_mut().flat_map(|block| &mut block.edges) {
            edge.name = renumbered[edge.name.index()];
        }
    }

    /// All trees, bases first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        self.blocks.iter().flat_map(|block| Iter {
            words: &block.words,
            edges: &block.edges,
        })
    }
}

impl Block {
    fn push(&mut self, record: &Record<'_>) {
        // A chain has fewer deltas than there are objects, and so many entries would be a tree of 100 GB.
        let depth = record.depth as u32;
        let (added, removed) = (record.added.len() as u32, record.removed.len() as u32);
        if depth >> DEPTH_BITS == 0 && (added | removed) >> COUNT_BITS == 0 {
            let packed = (depth << COUNT_BITS | added) << COUNT_BITS | removed;
            self.words.extend([record.tree.get(), packed]);
        } else {
            self.words
                .extend([record.tree.get() | WIDE, depth, added, removed]);
        }
        self.edges.extend_from_slice(record.added);
        self.edges.extend_from_slice(record.removed);
    }
}

/// The trees of a block.
struct Iter<'a> {
    words: &'a [u32],
    edges: &'a [Edge],
}

impl<'a> Iterator for Iter<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        const COUNT: u32 = (1 << COUNT_BITS) - 1;
        let (tree, depth, added, removed);
        match *self.words {
            [first, wide_depth, wide_added, wide_removed, ref rest @ ..] if first & WIDE != 0 => {
                (tree, depth) = (first ^ WIDE, wide_depth);
                (added, removed) = (wide_added, wide_removed);
                self.words = rest;
            }
            [first, packed, ref rest @ ..] => {
                (tree, depth) = (first, packed >> (2 * COUNT_BITS));
                (added, removed) = (packed >> COUNT_BITS & COUNT, packed & COUNT);
                self.words = rest;
            }
            _ => return None,
        }
        let (added, rest) = self.edges.split_at(added as usize);
        let (removed, rest) = rest.split_at(removed as usize);
        self.edges = rest;
        Some(Record {
            tree: ObjectNo::new(tree),
            depth: depth as usize,
            added,
            removed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_comes_back_in_order_whatever_its_size() {
        let edges: Vec<Edge> = (0..BLOCK as u32 + 5)
            .map(|number| Edge {
                name: NameNo::new(number % 7),
                child: match number % 2 {
                    0 => Child::to(ObjectNo::new(number)),
                    _ => Child::sought(SoughtNo::new(number)),
                },
            })
            .collect();
        let sizes = [
            (0, 0),
            (1, 1),
            (255, 0),
            (0, 255),
            (256, 1),
            (2, 256),
            (0, 0),
            (edges.len(), edges.len()),
            (3, 0),
        ];
        let depths = [
            0,
            1,
            (1 << DEPTH_BITS) - 1,
            1 << DEPTH_BITS,
            u32::MAX as usize,
        ];
        let mut records = Records::default();
        let mut expected = Vec::new();
        // Blocks are closed by edges in the first half and by words in the second.
        for round in 0..BLOCK as u32 {
            for (at, (added, removed)) in sizes.iter().enumerate() {
                let has_edges = added + removed > 0;
                if added + removed > 300 && round > 2 || has_edges && round > BLOCK as u32 / 40 {
                    continue;
                }
                let record = Record {
                    tree: ObjectNo::new((WIDE - 1) - round * 9 - at as u32),
                    depth: depths[(round as usize + at) % depths.len()],
                    added: &edges[..*added],
                    removed: &edges[edges.len() - removed..],
                };
                records.push(&record);
                expected.push(record);
            }
        }
        let closed_by_words = |block: &Block| block.words.len() >= BLOCK;
        let closed_by_edges = |block: &Block| block.edges.len() >= BLOCK;
        assert!(records.blocks.iter().any(closed_by_words));
        assert!(records.blocks.iter().any(closed_by_edges));
        assert!(records.iter().eq(expected.iter().copied()));

        let renumbered: Vec<NameNo> = (10..17).map(NameNo::new).collect();
        records.rename(&renumbered);
        for (renamed, before) in records.iter().zip(&expected) {
            let names = |edges: &[Edge], more| -> Vec<(u32, Child<ObjectNo>)> {
                let edges = edges.iter();
                edges
                    .map(|edge| (edge.name.get() + more, edge.child))
                    .collect()
            };
            assert_eq!(names(renamed.added, 0), names(before.added, 10));
            assert_eq!(names(renamed.removed, 0), names(before.removed, 10));
        }
    }

    #[test]
    fn nothing_pushed_is_nothing() {
        assert_eq!(Records::default().iter().count(), 0);
    }
}
