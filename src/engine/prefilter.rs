//! First stage: one pass over the bytes for the rare literals that every match must contain.
//!
//! It may over-report and must never miss.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::RuleIndex;
use super::literal::{self, LiteralSearcher};
use crate::rule::RuleSet;
use crate::rule::keyword::Form;

/// How many bytes are searched by the searcher that is made quickly, before the other pays: that takes 1.4 ms to
/// choose what it looks for, in which the quick one searches some three MiB.
const FEW: usize = 1 << 20;

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
    keywords: Vec<Keyword>,
    /// Built when there is something to search: a scan of nothing does not pay for it.
    quick: OnceLock<LiteralSearcher>,
    /// Built when there is much to search: the scan of a commit does not pay for it.
    fast: OnceLock<LiteralSearcher>,
    /// How many bytes were searched, or about to be, before `fast` was built.
    seen: AtomicUsize,
}

/// What gzip looks like in base64, and base64 of that: three bytes of its header, which are four characters, and five
/// characters of these four.
const PACKED: [&[u8]; 2] = [b"H4sI", b"SDRzS"];

#[derive(Debug)]
struct Keyword {
    bytes: Vec<u8>,
    /// What the rule says that takes it for something encoded, if one does.
    form: Form,
    rules: Vec<RuleIndex>,
}

impl Prefilter {
    /// Collects the keywords of all rules; one that several rules share is one literal.
    ///
    /// No keyword is shorter than [`super::literal::SHORTEST`]: the compilation of rules refuses that, and the
    /// first search would panic.
    pub fn new(rules: &RuleSet) -> Self {
        let mut keywords: Vec<Keyword> = Vec::new();
        let mut known: HashMap<&[u8], usize> = HashMap::new();
        for (rule, literal) in rules
            .rules
            .iter()
            .enumerate()
            .flat_map(|(index, rule)| rule.keywords.iter().map(move |literal| (index, literal)))
        {
            let keyword = *known.entry(&literal.bytes).or_insert_with(|| {
                keywords.push(Keyword {
                    bytes: literal.bytes.to_vec(),
                    form: Form::Plain,
                    rules: Vec::new(),
                });
                keywords.len() - 1
            });
            let keyword = &mut keywords[keyword];
            if literal.form != Form::Plain {
                keyword.form = literal.form;
            }
            if keyword.rules.last() != Some(&rule) {
                keyword.rules.push(rule);
            }
        }
        Self {
            keywords,
            quick: OnceLock::new(),
            fast: OnceLock::new(),
            seen: AtomicUsize::new(0),
        }
    }

    /// Looks for what says that something packed follows as well.
    pub(super) fn with_packed(mut self) -> Self {
        // A rule that looks for the same has its own hits.
        let is_new = |literal: &&[u8]| self.keywords.iter().all(|it| it.bytes != *literal);
        let new: Vec<&[u8]> = PACKED.into_iter().filter(is_new).collect();
        self.keywords.extend(new.into_iter().map(|literal| Keyword {
            bytes: literal.to_vec(),
            form: Form::Plain,
            rules: Vec::new(),
        }));
        self
    }

    /// The searcher for a text of that many bytes.
    fn searcher(&self, bytes: usize) -> &LiteralSearcher {
        if let Some(fast) = self.fast.get() {
            return fast;
        }
        let before = self.seen.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= FEW {
            self.quick
                .get_or_init(|| self.prepared(LiteralSearcher::quick))
        } else {
            self.fast
                .get_or_init(|| self.prepared(LiteralSearcher::new))
        }
    }

    fn prepared(
        &self,
        by: fn(&[Vec<u8>]) -> Result<LiteralSearcher, literal::Error>,
    ) -> LiteralSearcher {
        let literals: Vec<Vec<u8>> = self.keywords.iter().map(|one| one.bytes.clone()).collect();
        by(&literals).expect("compiled rules have no short keywords, and equal ones were merged")
    }

    /// Appends every occurrence of every literal, in order of offset, then keyword; overlaps included.
    pub fn find(&self, bytes: &[u8], hits: &mut Vec<Hit>) {
        self.searcher(bytes.len())
            .find_each(bytes, &mut |keyword, offset| {
                hits.push(Hit { offset, keyword });
            });
    }

    /// Shows what [`Self::find`] collects, one by one.
    pub fn find_each(&self, bytes: &[u8], mut show: impl FnMut(Hit)) {
        self.searcher(bytes.len())
            .find_each(bytes, &mut |keyword, offset| show(Hit { offset, keyword }));
    }

    /// Whether any literal occurs in `bytes`.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.searcher(bytes.len()).is_match(bytes)
    }

    /// Returns true for a literal that says that something packed follows, which no rule looks for.
    pub(super) fn is_packed(&self, index: usize) -> bool {
        self.keywords
            .get(index)
            .is_some_and(|it| it.rules.is_empty())
    }

    /// How many literals there are.
    pub fn len(&self) -> usize {
        self.keywords.len()
    }

    /// Whether there is no literal at all.
    pub fn is_empty(&self) -> bool {
        self.keywords.is_empty()
    }

    /// The literal with this index.
    pub fn keyword(&self, index: usize) -> &[u8] {
        &self.keywords[index].bytes
    }

    /// The encoding that the literal with this index is of.
    pub fn form(&self, index: usize) -> Form {
        self.keywords[index].form
    }

    /// The rules that have this keyword, in their order.
    pub fn rules_of(&self, keyword: usize) -> &[RuleIndex] {
        &self.keywords[keyword].rules
    }

    /// Length of the longest literal; 0 if there is none.
    pub fn longest(&self) -> usize {
        self.keywords
            .iter()
            .map(|one| one.bytes.len())
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Rule;
    use crate::rule::keyword::Keyword;

    fn prefilter(keywords: &[&[&str]]) -> Prefilter {
        let rule = |(number, keywords): (usize, &&[&str])| Rule {
            id: format!("rule-{number}").into(),
            keywords: keywords.iter().map(|one| Keyword::plain(one)).collect(),
            ..RuleSet::builtin().rules[0].clone()
        };
        Prefilter::new(&RuleSet::new(
            keywords.iter().enumerate().map(rule).collect(),
        ))
    }

    #[test]
    fn a_shared_keyword_is_one_literal_with_all_its_rules() {
        let prefilter = prefilter(&[&["AKIA", "ASIA"], &[], &["ghp_", "AKIA", "AKIA"]]);
        let keywords: Vec<&[u8]> = (0..3).map(|index| prefilter.keyword(index)).collect();
        assert_eq!(keywords, [b"AKIA", b"ASIA", b"ghp_"]);
        assert_eq!(prefilter.rules_of(0), [0, 2]);
        assert_eq!(prefilter.rules_of(1), [0]);
        assert_eq!(prefilter.rules_of(2), [2]);
        assert_eq!(prefilter.longest(), 4);
    }

    #[test]
    fn hits_are_appended_in_order() {
        let prefilter = prefilter(&[&["AKIAAK", "AKIA"], &["ghp_"]]);
        let mut hits = vec![Hit {
            offset: 9,
            keyword: 9,
        }];
        prefilter.find(b"ghp_AKIAAKIA", &mut hits);
        let hits: Vec<_> = hits.iter().map(|hit| (hit.offset, hit.keyword)).collect();
        assert_eq!(hits, [(9, 9), (0, 2), (4, 0), (4, 1), (8, 1)]);
        assert!(prefilter.is_match(b"..AKIA"));
        assert!(!prefilter.is_match(b"..akia"));
    }

    #[test]
    fn both_searchers_find_the_same() {
        let prefilter = prefilter(&[&["AKIA", "aws_secret"], &["ghp_"]]);
        let mut text = vec![b'x'; 1000];
        text[500..504].copy_from_slice(b"AKIA");
        text[990..].copy_from_slice(b"aws_secret");
        let found = |prefilter: &Prefilter| {
            let mut hits = Vec::new();
            prefilter.find(&text, &mut hits);
            hits
        };
        let first = found(&prefilter);
        assert_eq!(first.len(), 2);
        assert!(prefilter.fast.get().is_none());
        assert!(!prefilter.is_match(&vec![b'x'; FEW]));
        assert!(prefilter.fast.get().is_some());
        assert_eq!(found(&prefilter), first);
    }

    #[test]
    fn no_rules_find_nothing() {
        let prefilter = prefilter(&[]);
        assert!(!prefilter.is_match(b"AKIA"));
        assert_eq!(prefilter.longest(), 0);
    }
}
