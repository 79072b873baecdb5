//! First stage: one pass over the bytes for the rare literals that every match must contain.
//!
//! It may over-report and must never miss.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::RuleIndex;
use super::literal::{self, LiteralSearcher};
use crate::rule::RuleSet;
use crate::rule::keyword::{Form, PACKED};

/// The literals of the built-in rules with the tables of their searcher, made by `build/searcher.rs`.
mod builtin {
    use super::super::literal::tables::{Entry, Group, Tables};
    use super::{Cow, Form, Literal, RuleIndex};

    include!(concat!(env!("OUT_DIR"), "/searcher.rs"));
}

/// Number of bytes that are searched for a user's literals by the searcher that is made quickly, before the other pays:
/// it has to choose the bytes it looks for.
const FEW: usize = 1 << 20;

/// A literal at a place.
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
    literals: Cow<'static, [Literal]>,
    /// True if these are the literals that the constant tables are for.
    is_builtin: bool,
    /// Made when there is something to search: a scan of nothing does not pay for it.
    quick: OnceLock<LiteralSearcher>,
    /// Made when there is much to search, or nothing to choose: the scan of a commit does not pay for a choice.
    fast: OnceLock<LiteralSearcher>,
    /// Number of bytes that were searched, or about to be, before `fast` was made.
    seen: AtomicUsize,
}

/// A keyword, of one rule or of several.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Literal {
    bytes: Cow<'static, [u8]>,
    /// The encoding that the literal is a form of, if a rule declares one.
    form: Form,
    rules: Cow<'static, [RuleIndex]>,
}

impl Prefilter {
    /// Collects the keywords of all rules; one that several rules share is one literal. Where there are rules, what says
    /// that something packed follows is looked for as well.
    ///
    /// No keyword is shorter than [`super::literal::SHORTEST`]: the readers of rules refuse that, and the
    /// first search would panic.
    pub fn new(rules: &RuleSet) -> Self {
        let is_builtin = rules.is_builtin();
        let literals = match is_builtin {
            true => Cow::Borrowed(&builtin::LITERALS[..]),
            false => Cow::Owned(collect(rules)),
        };
        Self {
            literals,
            is_builtin,
            quick: OnceLock::new(),
            fast: OnceLock::new(),
            seen: AtomicUsize::new(0),
        }
    }

    /// The searcher for a text of that many bytes.
    fn searcher(&self, bytes: usize) -> &LiteralSearcher {
        if let Some(fast) = self.fast.get() {
            return fast;
        }
        if self.is_builtin {
            return self
                .fast
                .get_or_init(|| LiteralSearcher::fixed(&builtin::TABLES));
        }
        let before = self.seen.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= FEW {
            self.quick
                .get_or_init(|| self.prepared(LiteralSearcher::quick))
        } else {
            self.fast.get_or_init(|| {
                self.prepared(|literals| LiteralSearcher::like(&builtin::TABLES, literals))
            })
        }
    }

    fn prepared(
        &self,
        by: impl Fn(&[Vec<u8>]) -> Result<LiteralSearcher, literal::Error>,
    ) -> LiteralSearcher {
        let literals = self.literals.iter().map(|one| one.bytes.to_vec());
        by(&literals.collect::<Vec<_>>())
            .expect("rules have no short keywords, and equal ones were merged")
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

    /// Returns true if any literal occurs in `bytes`.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.searcher(bytes.len()).is_match(bytes)
    }

    /// Returns true for a literal that says that something packed follows, which no rule looks for.
    pub(super) fn is_packed(&self, index: usize) -> bool {
        let literal = self.literals.get(index);
        literal.is_some_and(|it| it.rules.is_empty())
    }

    /// Returns the number of literals.
    pub fn len(&self) -> usize {
        self.literals.len()
    }

    /// Returns true if there is no literal at all.
    pub fn is_empty(&self) -> bool {
        self.literals.is_empty()
    }

    /// The literal with this index.
    pub fn keyword(&self, index: usize) -> &[u8] {
        &self.literals[index].bytes
    }

    /// The encoding that the literal with this index is of.
    pub fn form(&self, index: usize) -> Form {
        self.literals[index].form
    }

    /// The rules that have this keyword, in their order.
    pub fn rules_of(&self, keyword: usize) -> &[RuleIndex] {
        &self.literals[keyword].rules
    }

    /// Length of the longest literal; 0 if there is none.
    pub fn longest(&self) -> usize {
        self.literals
            .iter()
            .map(|one| one.bytes.len())
            .max()
            .unwrap_or(0)
    }
}

/// The literals of rules, each with all rules that have it.
fn collect(rules: &RuleSet) -> Vec<Literal> {
    let mut literals: Vec<Literal> = Vec::new();
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    let keywords = rules.rules.iter().enumerate();
    for (rule, keyword) in
        keywords.flat_map(|(index, rule)| rule.keywords.iter().map(move |one| (index, one)))
    {
        let at = *known.entry(&keyword.bytes).or_insert_with(|| {
            literals.push(Literal {
                bytes: keyword.bytes.clone(),
                form: Form::Plain,
                rules: Cow::Owned(Vec::new()),
            });
            literals.len() - 1
        });
        let literal = &mut literals[at];
        if keyword.form != Form::Plain {
            literal.form = keyword.form;
        }
        if literal.rules.last() != Some(&rule) {
            literal.rules.to_mut().push(rule);
        }
    }
    // A rule that looks for the same has its own hits.
    let new = PACKED.into_iter().filter(|it| !known.contains_key(*it));
    let packed = new.map(|literal| Literal {
        bytes: Cow::Borrowed(literal),
        form: Form::Plain,
        rules: Cow::Borrowed(&[]),
    });
    if !rules.rules.is_empty() {
        literals.extend(packed);
    }
    literals
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
        // What says that something packed follows is longer.
        assert_eq!(prefilter.longest(), 5);
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
    fn the_tables_hold_what_the_rules_say() {
        let rules = RuleSet::builtin();
        let made = Prefilter::new(&rules);
        assert!(made.is_builtin);
        assert_eq!(*made.literals, *collect(&rules));
        let tables = &builtin::TABLES;
        for (number, literal) in made.literals.iter().enumerate() {
            assert_eq!(tables.literal(number), &*literal.bytes);
        }
        let literals: Vec<Vec<u8>> = made.literals.iter().map(|one| one.bytes.to_vec()).collect();
        let again = literal::tables::Tables::new(&literals, &tables.fingerprints());
        assert_eq!(format!("{again:?}"), format!("{tables:?}"));
        // A choice that keeps what is given finds the same.
        let mut text = literals.join(&b"-+-"[..]);
        text.extend_from_slice(&text.clone());
        let found = |searcher: &LiteralSearcher| {
            let mut found = Vec::new();
            searcher.find_each(&text, &mut |literal, offset| found.push((offset, literal)));
            found
        };
        let fixed = found(&LiteralSearcher::fixed(tables));
        assert!(fixed.len() >= 2 * literals.len());
        assert_eq!(
            found(&LiteralSearcher::like(tables, &literals).unwrap()),
            fixed
        );
        assert_eq!(found(&LiteralSearcher::quick(&literals).unwrap()), fixed);
    }

    #[test]
    fn no_rules_find_nothing() {
        let prefilter = prefilter(&[]);
        assert!(!prefilter.is_match(b"AKIA"));
        assert_eq!(prefilter.longest(), 0);
    }
}
