//! The constitution of the joiner: the same credentials give the same joins in any notation and order, a value of
//! another system is joined with nothing, and what a person would join is joined.
//!
//! `tree` builds credentials in arrangements of people and names, `write` writes a tree in a notation; `matrix`
//! and `laws` hold every notation and every harmless change to the same answer. `table` reads the tables beside
//! this file: `given.table` (layouts with their answers) and `misleading.table` (lone IDs beside foreign
//! values). `holds`, `forms` and `program` have the promises one by one.

mod forms;
mod given;
mod holds;
mod laws;
mod matrix;
mod misleading;
mod program;
mod table;
mod tree;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use keysieve::engine::{Engine, Part, Scratch};
use keysieve::rule::RuleSet;

use crate::support::Keys;

/// Level, key ID and secret of one finding.
type Finding = (String, Option<String>, Option<String>);

/// The engine with what it needs for scan after scan.
struct Joiner {
    engine: Engine,
    scratch: Scratch,
}

impl Joiner {
    fn new() -> Self {
        Self {
            engine: Engine::new(Arc::new(RuleSet::builtin())),
            scratch: Scratch::default(),
        }
    }

    /// Returns the findings of the AWS rules in a text.
    fn findings(&mut self, bytes: &[u8]) -> BTreeSet<Finding> {
        let value = |part: &Option<Part>| {
            let part = part.as_ref()?;
            Some(String::from_utf8_lossy(part.value.expose()).into_owned())
        };
        let rules = &self.engine.rules().rules;
        let matches = self.engine.scan(bytes, &mut self.scratch).iter();
        matches
            .filter(|found| rules[found.rule].id.starts_with("aws-"))
            .map(|found| {
                let level = found.level.name().to_owned();
                (level, value(&found.key_id), value(&found.secret))
            })
            .collect()
    }

    /// Returns the spans of the parts of the AWS rules' findings.
    fn spans(&mut self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let matches = self.engine.scan(bytes, &mut self.scratch).iter();
        let parts = matches.flat_map(|found| [&found.key_id, &found.secret]);
        parts
            .flatten()
            .map(|part| (part.span.start, part.span.end))
            .collect()
    }

    /// The session tokens that are found.
    fn tokens(&mut self, bytes: &[u8]) -> Vec<String> {
        let matches = self.engine.scan(bytes, &mut self.scratch).iter();
        let tokens = matches.filter_map(|found| found.token.as_ref());
        tokens
            .map(|part| String::from_utf8_lossy(part.value.expose()).into_owned())
            .collect()
    }
}

/// The findings that pairs must give: an error for each, and nothing else.
fn errors(pairs: &[tree::Pair]) -> BTreeSet<Finding> {
    pairs
        .iter()
        .map(|pair| {
            let (id, secret) = (pair.id.clone(), pair.secret.clone());
            ("error".to_owned(), Some(id), Some(secret))
        })
        .collect()
}

/// Number of times that a text is filled with fresh values.
const FILLINGS: u64 = 12;

/// Fills texts several times and compares; `<I>` is an ID, `<S>` its secret, `<F>` forty characters of another system.
/// `want` makes the right answer from the pair.
#[track_caller]
fn check(texts: &[impl AsRef<str>], want: impl Fn(&tree::Pair) -> BTreeSet<Finding>) {
    let (mut joiner, mut faults) = (Joiner::new(), Vec::new());
    for text in texts {
        for seed in 0..FILLINGS {
            let mut keys = Keys::new(seed);
            let pair = tree::pairs(1, &mut keys).remove(0);
            let filled = text.as_ref().replace("<I>", &pair.id);
            let filled = filled.replace("<S>", &pair.secret);
            let filled = filled.replace("<F>", &keys.secret());
            let found = joiner.findings(filled.as_bytes());
            if found != want(&pair) {
                faults.push(format!("{filled}\n  found {found:?}\n"));
                break;
            }
        }
    }
    let (count, all) = (faults.len(), texts.len());
    assert!(faults.is_empty(), "{count} of {all}\n{}", faults.join("\n"));
}

/// The pair is joined, and nothing else is found.
fn joined(pair: &tree::Pair) -> BTreeSet<Finding> {
    errors(std::slice::from_ref(pair))
}

/// The ID is a warning by itself.
fn id_alone(pair: &tree::Pair) -> BTreeSet<Finding> {
    [("warning".to_owned(), Some(pair.id.clone()), None)].into()
}
