//! The matrix: ten arrangements under seven namings in seven notations, three people each.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::tree::{self, MODELS, NAMINGS};
use super::write::{MORE, NOTATIONS, Notation, Style};
use super::{Joiner, errors};
use crate::support::Keys;

/// Counts of one seed, or of several.
#[derive(Default)]
struct Tally {
    pairs: usize,
    joined: usize,
    wrong: usize,
    rows: usize,
    /// Rows of the matrix whose cells do not agree.
    differ: usize,
    failures: Vec<String>,
}

impl Tally {
    /// Scans every model under every naming in those of the notations that can say it.
    fn add(&mut self, joiner: &mut Joiner, notations: &[Notation], seed: u64) {
        let mut keys = Keys::new(seed);
        for (model, build) in MODELS {
            for naming in NAMINGS {
                let pairs = tree::pairs(3, &mut keys);
                let (tree, expected) = (build(&pairs, naming), errors(&pairs));
                let mut answers = BTreeSet::new();
                for notation in notations {
                    let Some(text) = (notation.write)(&tree, Style::default()) else {
                        continue;
                    };
                    let found = joiner.findings(text.as_bytes());
                    let joined = expected.intersection(&found).count();
                    let is_joined = |one: &&super::Finding| one.1.is_some() && one.2.is_some();
                    let wrong = found.difference(&expected).filter(is_joined).count();
                    self.pairs += pairs.len();
                    self.joined += joined;
                    self.wrong += wrong;
                    answers.insert((joined, wrong));
                    if found != expected {
                        let name = notation.name;
                        self.failures.push(format!(
                            "{model}, {}/{}, {name}, seed {seed}\n{text}  found {found:?}\n",
                            naming.id, naming.secret
                        ));
                    }
                }
                self.rows += 1;
                self.differ += usize::from(answers.len() > 1);
            }
        }
    }

    #[track_caller]
    fn is_whole(&self) {
        let mut report = format!(
            "{} of {} joined, {} wrong, {} of {} rows differ by notation\n",
            self.joined, self.pairs, self.wrong, self.differ, self.rows
        );
        for failure in self.failures.iter().take(20) {
            writeln!(report, "{failure}").expect("a string takes it");
        }
        assert!(self.failures.is_empty(), "{report}");
    }
}

#[test]
fn all_1470_pairs_are_joined_in_every_notation_and_none_wrongly() {
    let (mut joiner, mut tally) = (Joiner::new(), Tally::default());
    tally.add(&mut joiner, &NOTATIONS, 11);
    assert_eq!((tally.pairs, tally.rows), (1470, 70));
    tally.is_whole();
}

#[test]
fn more_notations_give_the_same_joins() {
    let (mut joiner, mut tally) = (Joiner::new(), Tally::default());
    tally.add(&mut joiner, &MORE, 12);
    assert!(tally.pairs > 1600, "{}", tally.pairs);
    tally.is_whole();
}

#[test]
#[ignore = "ten seeds of everything; run with --release --ignored"]
fn ten_seeds_of_every_notation() {
    let (mut joiner, mut tally) = (Joiner::new(), Tally::default());
    for seed in 100..110 {
        tally.add(&mut joiner, &NOTATIONS, seed);
        tally.add(&mut joiner, &MORE, seed);
    }
    tally.is_whole();
}
