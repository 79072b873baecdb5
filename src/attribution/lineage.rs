//! From the trees that hold something sought up to the root trees: which paths lead to it.
//!
//! Every tree is cut down to the entries that lead to something sought. Trees that are alike after that
//! are one *node*, so two commits hold the same things at the same paths if and only if their root trees
//! are the same node, and a difference is found by descending where nodes differ.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};

use super::records::{Child, Edge, Leads};
use super::trees::Trees;
use crate::git::number::{ListNo, NameNo, NodeNo, Number as _, ObjectNo, SoughtNo};

/// The node of everything that leads nowhere.
pub(crate) const EMPTY: NodeNo = NodeNo::number(0);

/// The list without entries.
const NOTHING: ListNo = ListNo::number(0);

/// Most paths that one comparison shows: ten trees of ten entries each make ten thousand million of them.
pub(crate) const MOST_PATHS: usize = 20_000;

/// The trees, reduced to what leads to something sought.
pub(crate) struct Lineage {
    names: Vec<BString>,
    /// Entries of each node, sorted.
    nodes: Vec<Vec<Edge<NodeNo>>>,
    /// Node of each tree.
    of_tree: Vec<NodeNo>,
    /// Trees that another tree leads through.
    below: Vec<bool>,
}

impl Lineage {
    /// Works out the nodes of all trees.
    pub(crate) fn new(trees: Trees) -> Self {
        let marks = relevant(&trees);
        let (lists, of_tree) = lists(&trees, &marks);
        let mut below = vec![false; trees.count];
        for edge in lists.iter().flatten() {
            if let Some(tree) = edge.child.below() {
                below[tree.index()] = true;
            }
        }
        let (nodes, of_list) = nodes(&lists, &of_tree);
        let of_tree = of_tree
            .into_iter()
            .map(|list| of_list[list.index()])
            .collect();
        Self {
            names: trees.names,
            nodes,
            of_tree,
            below,
        }
    }

    /// The node of a tree.
    pub(crate) fn node(&self, tree: Option<ObjectNo>) -> NodeNo {
        tree.and_then(|tree| self.of_tree.get(tree.index()).copied())
            .unwrap_or(EMPTY)
    }

    /// Trees that lead to something sought and that no other tree names.
    pub(crate) fn tops(&self) -> impl Iterator<Item = ObjectNo> + '_ {
        let top = |tree: &usize| self.of_tree[*tree] != EMPTY && !self.below[*tree];
        (0..self.of_tree.len()).filter(top).map(ObjectNo::at)
    }

    /// Shows each path at which `node` holds something sought that none of `others` holds there; `false` if
    /// there are more than anybody wants to see.
    #[must_use]
    pub(crate) fn added(
        &self,
        node: NodeNo,
        others: &[NodeNo],
        mut each: impl FnMut(&BStr, SoughtNo),
    ) -> bool {
        let mut shown = 0;
        let mut path = BString::default();
        let mut stack = vec![(node, others.to_vec(), BString::default())];
        while let Some((node, others, prefix)) = stack.pop() {
            for edge in &self.nodes[node.index()] {
                // The same name with the same node: all below it is the same, and need not be entered.
                let held = |other: &NodeNo| self.nodes[other.index()].binary_search(edge).is_ok();
                if others.iter().any(held) {
                    continue;
                }
                path.clear();
                path.extend_from_slice(&prefix);
                path.extend_from_slice(&self.names[edge.name.index()]);
                let child = match edge.child.leads() {
                    Leads::To(child) => child,
                    Leads::Sought(sought) => {
                        if shown == MOST_PATHS {
                            return false;
                        }
                        shown += 1;
                        each(path.as_bstr(), sought);
                        continue;
                    }
                };
                let below = others
                    .iter()
                    .flat_map(|other| self.children(*other, edge.name))
                    .collect();
                path.push(b'/');
                stack.push((child, below, path.clone()));
            }
        }
        true
    }

    /// Returns true if `node` has something sought at a path.
    pub(crate) fn holds(&self, node: NodeNo, path: &BStr, sought: SoughtNo) -> bool {
        let mut at = node;
        let mut rest = path.as_bytes();
        loop {
            let (name, tail) = match rest.find_byte(b'/') {
                Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
                None => (rest, None),
            };
            let mut named = self.nodes[at.index()]
                .iter()
                .filter(|edge| self.names[edge.name.index()] == name);
            match tail {
                None => return named.any(|edge| edge.child == Child::sought(sought)),
                Some(tail) => match named.find_map(|edge| edge.child.below()) {
                    Some(child) => (at, rest) = (child, tail),
                    None => return false,
                },
            }
        }
    }

    /// The nodes below `node` with that name: one, unless a tree is malformed.
    fn children(&self, node: NodeNo, name: NameNo) -> impl Iterator<Item = NodeNo> + '_ {
        let entries = &self.nodes[node.index()];
        let from = entries.partition_point(|edge| edge.name < name);
        entries[from..]
            .iter()
            .take_while(move |edge| edge.name == name)
            .filter_map(|edge| edge.child.below())
    }
}

/// Marks the trees that lead to something sought. The edges are gone over until nothing is added: as often as the paths
/// are deep.
fn relevant(trees: &Trees) -> Vec<bool> {
    let mut marks = vec![false; trees.count];
    let mut counts: Vec<i64> = Vec::new();
    loop {
        let mut changed = false;
        for record in trees.records.iter().flat_map(|records| records.iter()) {
            let leads = |edge: &&Edge| is_relevant(&marks, **edge);
            // A base that was counted before its child was marked makes this too small, never too large,
            // and only until the next round.
            let count = inherited(&counts, record.depth)
                + record.added.iter().filter(leads).count() as i64
                - record.removed.iter().filter(leads).count() as i64;
            counts.truncate(record.depth);
            counts.resize(record.depth, 0);
            counts.push(count);
            let mark = &mut marks[record.tree.index()];
            if count > 0 && !*mark {
                *mark = true;
                changed = true;
            }
        }
        if !changed {
            return marks;
        }
    }
}

fn inherited(counts: &[i64], depth: usize) -> i64 {
    depth
        .checked_sub(1)
        .and_then(|base| counts.get(base).copied())
        .unwrap_or_default()
}

fn is_relevant(marks: &[bool], edge: Edge) -> bool {
    edge.child.below().is_none_or(|tree| marks[tree.index()])
}

/// The relevant edges of each tree. Equal lists are kept once; list 0 is empty.
fn lists(trees: &Trees, marks: &[bool]) -> (Vec<Vec<Edge>>, Vec<ListNo>) {
    let mut lists: Vec<Vec<Edge>> = vec![Vec::new()];
    let mut numbers: HashMap<Vec<Edge>, ListNo> = HashMap::from([(Vec::new(), NOTHING)]);
    let mut of_tree = vec![NOTHING; trees.count];
    let mut levels: Vec<ListNo> = Vec::new();
    for record in trees.records.iter().flat_map(|records| records.iter()) {
        let leads = |edge: &&Edge| is_relevant(marks, **edge);
        let base = record
            .depth
            .checked_sub(1)
            .and_then(|base| levels.get(base).copied())
            .unwrap_or(NOTHING);
        let changes = record.added.iter().any(|edge| leads(&edge))
            || record.removed.iter().any(|edge| leads(&edge));
        let list = if changes {
            let mut list = lists[base.index()].clone();
            for edge in record.removed.iter().filter(leads) {
                if let Some(at) = list.iter().position(|other| other == edge) {
                    list.remove(at);
                }
            }
            list.extend(record.added.iter().filter(leads));
            list.sort_unstable();
            let next = ListNo::at(lists.len());
            *numbers.entry(list).or_insert_with_key(|list| {
                lists.push(list.clone());
                next
            })
        } else {
            base
        };
        levels.truncate(record.depth);
        levels.resize(record.depth, NOTHING);
        levels.push(list);
        of_tree[record.tree.index()] = list;
    }
    (lists, of_tree)
}

/// The nodes, and the node of each list.
fn nodes(lists: &[Vec<Edge>], of_tree: &[ListNo]) -> (Vec<Vec<Edge<NodeNo>>>, Vec<NodeNo>) {
    const UNKNOWN: NodeNo = NodeNo::number(u32::MAX);
    let mut nodes: Vec<Vec<Edge<NodeNo>>> = vec![Vec::new()];
    let mut numbers: HashMap<Vec<Edge<NodeNo>>, NodeNo> = HashMap::from([(Vec::new(), EMPTY)]);
    let mut of_list = vec![UNKNOWN; lists.len()];
    of_list[NOTHING.index()] = EMPTY;
    let mut open: Vec<usize> = (1..lists.len()).collect();
    loop {
        let before = open.len();
        open.retain(|list| {
            let mut node = Vec::with_capacity(lists[*list].len());
            for edge in &lists[*list] {
                let child = match edge.child.leads() {
                    Leads::Sought(sought) => Child::sought(sought),
                    Leads::To(tree) => match of_list[of_tree[tree.index()].index()] {
                        // A child without a node yet: the list waits for the next round.
                        UNKNOWN => return true,
                        node => Child::to(node),
                    },
                };
                let name = edge.name;
                node.push(Edge { name, child });
            }
            // Sorted, so that trees with the same entries are the same node, and `added` can search in it.
            node.sort_unstable();
            let next = NodeNo::at(nodes.len());
            of_list[*list] = *numbers.entry(node).or_insert_with_key(|node| {
                nodes.push(node.clone());
                next
            });
            false
        });
        if open.is_empty() || open.len() == before {
            break;
        }
    }
    // Trees in a circle, which only damage can make, lead nowhere.
    for list in open {
        of_list[list] = EMPTY;
    }
    (nodes, of_list)
}
