//! First stage: one pass over the bytes for the rare literals that every match must contain.
//!
//! It may over-report and must never miss.

use crate::rule::RuleSet;

/// A literal that stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// First byte of the literal, 0-based.
    pub offset: usize,
    /// Index of the literal in [`Prefilter::keyword`].
    pub keyword: usize,
}

/// The literals of all rules and the searcher for them.
#[derive(Debug)]
pub struct Prefilter {}

impl Prefilter {
    /// Collects the keywords of all rules; one that several rules share is one literal.
    pub fn new(_rules: &RuleSet) -> Self {
        Self {}
    }

    /// Appends every occurrence of every literal, in order of offset, then keyword; overlaps included.
    pub fn find(&self, _bytes: &[u8], _hits: &mut Vec<Hit>) {}

    /// The literal of that index.
    pub fn keyword(&self, _index: usize) -> &[u8] {
        &[]
    }

    /// Length of the longest literal, at least 1.
    pub fn longest(&self) -> usize {
        1
    }
}
