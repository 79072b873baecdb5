//! The constitution of the joiner: the same credentials give the same joins in any notation and order, what
//! belongs to somebody else is joined with nothing, and what a person would join is joined.
//!
//! `tree` builds credentials in arrangements of people and names, `write` writes a tree in a notation; `matrix`
//! and `laws` hold every notation and every harmless change to the same answer. `table` reads the tables beside
//! this file: `given.table` (layouts with their answers) and `misleading.table` (lone IDs beside foreign values).

mod given;
mod laws;
mod matrix;
mod misleading;
mod table;
mod tree;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use keysieve::engine::{Engine, Part, Scratch};
use keysieve::rule::RuleSet;

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

    /// What the AWS rules find in a text.
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
