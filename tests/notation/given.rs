//! Layouts rebuilt from public reports and from people's files, each with its right answer.

use std::collections::{BTreeMap, BTreeSet};

use super::table::{self, Case};
use super::{Finding, Joiner};
use crate::support::Keys;

const TABLE: &str = include_str!("given.table");

/// Number of times that each case is filled.
const FILLINGS: u64 = 4;

/// Least parts of 1,000 that each group must pass; the rest is argued in the table.
const LEAST: [(&str, usize); 5] = [
    ("layouts", 970),
    ("prose", 930),
    ("pairing", 950),
    ("look-alikes", 950),
    ("alone", 1000),
];

/// Compares; a secret that is wanted as `?` may be any.
pub fn is_same(want: &BTreeSet<Finding>, found: &BTreeSet<Finding>) -> bool {
    let is_wanted = |want: &Finding, found: &Finding| match &want.2 {
        Some(any) if any == "?" => (&want.0, &want.1) == (&found.0, &found.1) && found.2.is_some(),
        _ => want == found,
    };
    want.len() == found.len()
        && want
            .iter()
            .all(|want| found.iter().any(|found| is_wanted(want, found)))
}

/// The first filling that gives another answer.
fn fault(joiner: &mut Joiner, case: &Case, seed: u64) -> Option<String> {
    (0..FILLINGS).find_map(|filling| {
        let keys = &mut Keys::new(seed * 100 + filling);
        // Names and places decide, not the signs of a secret.
        let filled = match filling {
            0 if !case.is_in_pieces() => case.fill_plain(keys),
            _ => case.fill(keys),
        };
        let found = joiner.findings(filled.text.as_bytes());
        (!is_same(&filled.want, &found)).then(|| {
            let (title, group) = (&case.title, &case.group);
            let (want, text) = (&filled.want, &filled.text);
            format!("{group}: {title}\n{text}  want  {want:?}\n  found {found:?}\n")
        })
    })
}

#[test]
fn each_layout_gives_its_answer_but_those_that_are_argued() {
    let (mut joiner, cases) = (Joiner::new(), table::read(TABLE));
    assert_eq!(cases.len(), 899);
    let (mut faults, mut mended) = (Vec::new(), Vec::new());
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (seed, case) in (0..).zip(&cases) {
        let fault = fault(&mut joiner, case, seed);
        let count = counts.entry(&case.group).or_default();
        count.1 += 1;
        match (fault, &case.exception) {
            (None, None) => count.0 += 1,
            (None, Some(_)) => mended.push(&case.title),
            (Some(fault), None) => faults.push(fault),
            (Some(_), Some(_)) => {}
        }
    }
    let report = faults[..faults.len().min(30)].join("\n");
    assert!(faults.is_empty(), "{counts:?}\n{}\n{report}", faults.len());
    assert!(mended.is_empty(), "no exceptions any more: {mended:?}");
    for (group, least) in LEAST {
        let (passed, all) = counts[group];
        assert!(passed * 1000 >= all * least, "{group}: {passed} of {all}");
    }
}
