//! The assignment of secrets to key IDs, one to one, that costs least.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Cost of staying alone: more than any two things that go together cost.
pub(super) const ALONE_COST: u32 = 150;

const ALONE: i64 = (ALONE_COST * STEP) as i64;

/// Costs are counted in so many parts.
pub(super) const STEP: u32 = 1024;

/// Greatest number of partners that change their place for one that comes in: so the work stays linear.
const MOST_CHANGES: usize = 32;

/// One way to join: left, right, cost.
pub(super) type Edge = (usize, usize, u32);

/// The partner of each on the left.
///
/// Each comes in by the path of changes that costs least in all (Kuhn and Munkres, with distances by Dijkstra), so the
/// sum is the least there is, as long as no path is longer than [`MOST_CHANGES`].
pub(super) fn assign(left: usize, right: usize, edges: &mut [Edge]) -> Vec<Option<usize>> {
    edges.sort_unstable();
    let mut solver = Solver {
        edges,
        starts: Vec::with_capacity(left + 1),
        partners: vec![None; left],
        takers: vec![None; right],
        left: vec![0; left],
        right: vec![0; right],
    };
    let mut at = 0;
    for row in 0..left {
        solver.starts.push(at);
        at += solver.edges[at..]
            .iter()
            .take_while(|edge| edge.0 == row)
            .count();
    }
    solver.starts.push(at);
    let mut seen = vec![None; right];
    for row in 0..left {
        solver.bring_in(row, &mut seen);
    }
    solver.partners
}

struct Solver<'e> {
    edges: &'e [Edge],
    /// Start of the edges of each on the left.
    starts: Vec<usize>,
    partners: Vec<Option<usize>>,
    takers: Vec<Option<usize>>,
    /// Potentials: no edge costs less than those of its two ends together.
    left: Vec<i64>,
    right: Vec<i64>,
}

impl Solver<'_> {
    /// `seen`: the distance of each on the right, and from whom it was reached; all `None` before and after.
    fn bring_in(&mut self, first: usize, seen: &mut [Option<(i64, usize)>]) {
        let mut rows = vec![(first, 0)];
        let mut touched: Vec<usize> = Vec::new();
        let mut done: Vec<(usize, i64)> = Vec::new();
        let mut heap: BinaryHeap<Reverse<(i64, usize, bool)>> = BinaryHeap::new();
        let mut last = 0;
        // The end of the path: a free one on the right, or one on the left that stays alone.
        let end = loop {
            let Some((row, distance)) = rows.get(last).copied() else {
                break None;
            };
            // To stay alone is like a partner of one's own that costs `ALONE` and whom nobody else can take.
            heap.push(Reverse((distance + ALONE - self.left[row], row, true)));
            for (_, column, cost) in &self.edges[self.starts[row]..self.starts[row + 1]] {
                let next = distance + i64::from(*cost) - self.left[row] - self.right[*column];
                if seen[*column].is_none_or(|seen| next < seen.0) {
                    if seen[*column].is_none() {
                        touched.push(*column);
                    }
                    seen[*column] = Some((next, row));
                    heap.push(Reverse((next, *column, false)));
                }
            }
            let next = loop {
                let Some(Reverse((distance, at, is_alone))) = heap.pop() else {
                    break None;
                };
                // A shorter way was found after this one was queued.
                let is_stale = !is_alone && seen[at].is_none_or(|seen| seen.0 != distance);
                if !is_stale {
                    break Some((distance, at, is_alone));
                }
            };
            let Some((distance, at, is_alone)) = next else {
                break None;
            };
            if is_alone {
                break Some((distance, at, None));
            }
            let Some(taker) = self.takers[at] else {
                break Some((distance, seen[at].map_or(first, |seen| seen.1), Some(at)));
            };
            // `first` stays alone, and all others keep their partners.
            if rows.len() >= MOST_CHANGES {
                break None;
            }
            done.push((at, distance));
            rows.push((taker, distance));
            last += 1;
        };
        if let Some((total, row, free)) = end {
            // What was closer than the end takes up the difference: no edge comes to cost less than its ends, and those of
            // the path cost as much.
            for (row, distance) in rows {
                self.left[row] += total - distance;
            }
            for (column, distance) in done {
                self.right[column] -= total - distance;
            }
            // Back along the path: each takes the new partner and leaves its old one to whoever reached it.
            let mut row = row;
            let mut next = free;
            loop {
                let before = self.partners[row];
                self.partners[row] = next;
                if let Some(column) = next {
                    self.takers[column] = Some(row);
                }
                if row == first {
                    break;
                }
                next = before;
                let Some(column) = before else { break };
                row = seen[column].map_or(first, |seen| seen.1);
            }
        }
        for column in touched {
            seen[column] = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every assignment, tried one by one.
    fn least(row: usize, left: usize, taken: u32, edges: &[Edge]) -> i64 {
        if row == left {
            return 0;
        }
        let alone = ALONE + least(row + 1, left, taken, edges);
        let own = edges
            .iter()
            .filter(|edge| edge.0 == row && taken & 1 << edge.1 == 0);
        own.map(|edge| i64::from(edge.2) + least(row + 1, left, taken | 1 << edge.1, edges))
            .fold(alone, i64::min)
    }

    #[test]
    fn no_other_assignment_costs_less() {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for _ in 0..2000 {
            let (left, right) = (next(6) as usize + 1, next(6) as usize + 1);
            let mut edges: Vec<Edge> = Vec::new();
            for row in 0..left {
                for column in 0..right {
                    if next(4) > 0 {
                        edges.push((row, column, next(200) as u32 * STEP));
                    }
                }
            }
            let partners = assign(left, right, &mut edges.clone());
            let mut sum = 0;
            let mut taken = vec![false; right];
            for (row, partner) in partners.iter().enumerate() {
                sum += match partner {
                    Some(column) => {
                        assert!(!std::mem::replace(&mut taken[*column], true), "{edges:?}");
                        let edge = edges.iter().find(|edge| (edge.0, edge.1) == (row, *column));
                        i64::from(edge.expect("an edge").2)
                    }
                    None => ALONE,
                };
            }
            assert_eq!(sum, least(0, left, 0, &edges), "{edges:?} {partners:?}");
        }
    }
}
