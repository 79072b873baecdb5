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
pub struct Prefilter {
    keywords: Vec<(Vec<u8>, Vec<usize>)>,
}

impl Prefilter {
    /// Collects the keywords of all rules; one that several rules share is one literal.
    pub fn new(rules: &RuleSet) -> Self {
        let mut keywords: std::collections::BTreeMap<Vec<u8>, Vec<usize>> = Default::default();
        for (index, rule) in rules.rules.iter().enumerate() {
            for keyword in &rule.keywords {
                keywords.entry(keyword.clone()).or_default().push(index);
            }
        }
        Self {
            keywords: keywords.into_iter().collect(),
        }
    }

    /// The bytes of a literal.
    pub fn keyword(&self, keyword: usize) -> &[u8] {
        &self.keywords[keyword].0
    }

    /// The rules that a literal belongs to.
    pub fn rules_of(&self, keyword: usize) -> &[usize] {
        &self.keywords[keyword].1
    }

    /// Length of the longest literal.
    pub fn longest(&self) -> usize {
        self.keywords
            .iter()
            .map(|(keyword, _)| keyword.len())
            .max()
            .unwrap_or(0)
    }

    /// How many literals there are.
    pub fn len(&self) -> usize {
        self.keywords.len()
    }

    /// Appends every occurrence of every literal, in order of offset, then keyword; overlaps included.
    pub fn find(&self, bytes: &[u8], hits: &mut Vec<Hit>) {
        for (index, (keyword, _)) in self.keywords.iter().enumerate() {
            let mut at = 0;
            while let Some(found) = bytes
                .get(at..)
                .and_then(|rest| memchr::memmem::find(rest, keyword))
            {
                hits.push(Hit {
                    offset: at + found,
                    keyword: index,
                });
                at += found + 1;
            }
        }
        hits.sort_unstable();
    }
}
