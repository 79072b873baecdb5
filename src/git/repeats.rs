//! A bound on paths that lead to the same trees again.
//!
//! Ten trees of ten entries that name each other have 10^10 paths. What is below a tree is looked at wherever
//! it is met first; under further paths as long as these do not come to too much.

use std::collections::HashSet;
use std::hash::Hash;

/// Keys met before, and the memory left for meeting them again.
pub(crate) struct Repeats<K> {
    seen: HashSet<K>,
    left: usize,
}

impl<K: Eq + Hash> Repeats<K> {
    /// Allows `bytes` of memory for what is met again.
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            seen: HashSet::new(),
            left: bytes,
        }
    }

    /// Returns true if this is met for the first time. Do not ask below a repeat itself: the first path to something
    /// must be one that is examined whatever memory is left.
    pub(crate) fn is_first(&mut self, key: K) -> bool {
        self.seen.insert(key)
    }

    /// Forgets what was met, not what was spent.
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
    }

    /// Returns true if one more repeated path may be kept, and pays for it.
    pub(crate) fn afford(&mut self, path: &[u8]) -> bool {
        // About what a path costs in maps beside its own length.
        let cost = path.len() + 200;
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_free_and_repeats_are_paid_until_nothing_is_left() {
        let mut repeats = Repeats::new(500);
        assert!(repeats.is_first(1));
        assert!(!repeats.is_first(1));
        assert!(repeats.afford(b"a"));
        assert!(repeats.afford(b"b"));
        assert!(!repeats.afford(b"c"));
        assert!(!repeats.afford(b""));
        repeats.forget();
        assert!(repeats.is_first(1));
        assert!(!repeats.afford(b"d"));
    }
}
