//! In which order commits came about: clocks run backwards, but a commit is younger than its parents.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::number::{CommitNo, Number as _};

/// The commits with those times, parents before children, and of those that may come next the oldest.
///
/// Parents that are no commits of these do not count. A circle, which only damage can make, is cut: what is
/// left comes in the order of the numbers.
pub(crate) fn topological<'p>(
    times: &[i64],
    parents: &dyn Fn(CommitNo) -> &'p [CommitNo],
) -> Vec<CommitNo> {
    // Objects are numbered in 32 bits.
    let count = times.len() as u32;
    let key = |commit: CommitNo| Reverse((times[commit.index()], commit));
    // The children of each, one after the other, and how many parents each still waits for.
    let mut waits = vec![0_u32; count as usize];
    let mut ends = vec![0_u32; count as usize];
    let present = |commit: CommitNo| {
        parents(commit)
            .iter()
            .filter(move |parent| parent.get() < count)
    };
    for commit in CommitNo::up_to(count) {
        for parent in present(commit) {
            waits[commit.index()] += 1;
            ends[parent.index()] += 1;
        }
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let mut children = vec![CommitNo::default(); sum as usize];
    // Filled from behind, the ends become the starts.
    let mut starts = ends;
    for commit in CommitNo::up_to(count) {
        for parent in present(commit) {
            let start = &mut starts[parent.index()];
            *start -= 1;
            children[*start as usize] = commit;
        }
    }
    let mut order = Vec::with_capacity(count as usize);
    let mut ready: BinaryHeap<Reverse<(i64, CommitNo)>> = CommitNo::up_to(count)
        .filter(|commit| waits[commit.index()] == 0)
        .map(key)
        .collect();
    while let Some(Reverse((_, commit))) = ready.pop() {
        order.push(commit);
        let from = starts[commit.index()] as usize;
        let to = starts
            .get(commit.index() + 1)
            .map_or(children.len(), |start| *start as usize);
        for child in &children[from..to] {
            let waits = &mut waits[child.index()];
            *waits -= 1;
            if *waits == 0 {
                ready.push(key(*child));
            }
        }
    }
    if order.len() < count as usize {
        order.extend(CommitNo::up_to(count).filter(|commit| waits[commit.index()] > 0));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(parents: &[&[u32]], times: &[i64]) -> Vec<u32> {
        let parents: Vec<Vec<CommitNo>> = parents
            .iter()
            .map(|parents| parents.iter().copied().map(CommitNo::new).collect())
            .collect();
        let order = topological(times, &|commit| &parents[commit.index()]);
        order.into_iter().map(CommitNo::get).collect()
    }

    #[test]
    fn parents_come_first_then_time_then_number() {
        // 3 is the root; 0 says that it is older than its parent 3; 1 and 2 are of the same time.
        let parents: [&[u32]; 5] = [&[3], &[3], &[3], &[], &[0, 1, 99]];
        assert_eq!(order(&parents, &[1, 7, 7, 5, 2]), [3, 0, 1, 4, 2]);
        assert_eq!(order(&parents, &[9, 7, 7, 5, 2]), [3, 1, 2, 0, 4]);
        assert_eq!(order(&[], &[]), [0; 0]);
    }

    #[test]
    fn a_parent_that_is_named_twice_is_one_that_is_waited_for() {
        assert_eq!(order(&[&[1, 1], &[]], &[0, 0]), [1, 0]);
    }

    #[test]
    fn a_circle_is_cut_and_nothing_is_lost() {
        let parents: [&[u32]; 4] = [&[1], &[0], &[], &[0]];
        assert_eq!(order(&parents, &[0; 4]), [2, 0, 1, 3]);
    }
}
