//! Lone IDs beside values of other systems: written before the evidence of the joiner was read.

use std::collections::BTreeSet;

use super::table::{self, Case};
use super::{Finding, Joiner};
use crate::support::Keys;

const TABLE: &str = include_str!("misleading.table");
const UNSEEN: &str = include_str!("unseen.table");
const FRESH: &str = include_str!("fresh.table");
const THIRD: &str = include_str!("third.table");
const FOURTH: &str = include_str!("fourth.table");

/// Number of times that each case is filled.
const FILLINGS: u64 = 6;

/// The cases with an error that is wrong, and those that miss one.
fn faults(cases: &[Case]) -> (Vec<String>, Vec<String>) {
    let (mut joiner, mut wrong, mut missed) = (Joiner::new(), Vec::new(), Vec::new());
    for (seed, case) in (0..).zip(cases) {
        for filling in 0..FILLINGS {
            let filled = case.fill(&mut Keys::new(seed * 100 + filling));
            let found = joiner.findings(filled.text.as_bytes());
            let errors = found.iter().filter(|one| one.0 == "error").cloned();
            let errors: BTreeSet<Finding> = errors.collect();
            if errors == filled.want {
                continue;
            }
            let text = format!("{}\n{}  found {found:?}\n", case.title, filled.text);
            if errors.is_subset(&filled.want) {
                missed.push(text);
            } else {
                wrong.push(text);
            }
            break;
        }
    }
    (wrong, missed)
}

/// Demands that at most three cases in a hundred have an error that is wrong, and at most three miss one.
#[track_caller]
fn assert_rare(cases: &[Case]) {
    let (wrong, missed) = faults(cases);
    let (all, share) = (cases.len(), cases.len() * 3 / 100);
    for (what, faults) in [("wrong", wrong), ("missed", missed)] {
        let (count, texts) = (faults.len(), faults.join("\n"));
        assert!(
            count <= share,
            "{count} of {all} {what}, {share} may be:\n{texts}"
        );
    }
}

#[test]
fn at_most_three_in_a_hundred_files_have_an_error_that_is_wrong() {
    let cases = table::read(TABLE);
    assert!(cases.len() >= 200, "{}", cases.len());
    assert_rare(&cases);
}

#[test]
fn nor_do_files_that_the_joiner_was_not_built_with() {
    for table in [UNSEEN, FRESH, THIRD] {
        let foreign = of_group(&table::read(table), "foreign");
        assert!(foreign.len() > 100, "{}", foreign.len());
        assert_rare(&foreign);
    }
}

#[test]
fn pairs_that_the_joiner_was_not_built_with_are_joined() {
    for (table, least) in [(UNSEEN, 70), (FRESH, 45), (THIRD, 55)] {
        let pairs = of_group(&table::read(table), "pairs");
        assert!(pairs.len() > least, "{}", pairs.len());
        assert_rare(&pairs);
    }
}

/// The limit of three in a hundred is not kept here yet: what is wrong may become fewer.
#[test]
fn a_fourth_set_is_no_worse_than_it_was() {
    let cases = table::read(FOURTH);
    for (group, count, most) in [("foreign", 120, 11), ("pairs", 60, 0)] {
        let of = of_group(&cases, group);
        assert_eq!(of.len(), count);
        let (wrong, missed) = faults(&of);
        let texts = [wrong, missed].concat();
        let all = texts.join("\n");
        assert!(texts.len() <= most, "{} of {count}:\n{all}", texts.len());
    }
}

/// `TABLE=file cargo test --test main a_table_from_outside -- --ignored`: for sets that are kept from
/// whoever builds the joiner.
#[test]
#[ignore = "by hand, with a table of one's own in TABLE"]
fn a_table_from_outside() {
    let path = std::env::var("TABLE").expect("TABLE");
    let cases = table::read(&std::fs::read_to_string(path).expect("the table"));
    let mut report = String::new();
    for group in ["foreign", "pairs"] {
        let cases = of_group(&cases, group);
        let (wrong, missed) = faults(&cases);
        let (all, count, lost) = (cases.len(), wrong.len(), missed.len());
        let texts = [wrong, missed].concat().join("\n");
        report += &format!("{texts}\n{group}: {count} wrong, {lost} missed of {all}\n");
    }
    assert!(
        report.matches(": 0 wrong, 0 missed").count() == 2,
        "{report}"
    );
}

fn of_group(cases: &[Case], group: &str) -> Vec<Case> {
    let of = cases.iter().filter(|case| case.group == group);
    of.cloned().collect()
}

#[test]
fn each_lone_id_is_still_reported() {
    let (mut joiner, cases) = (Joiner::new(), table::read(TABLE));
    let mut silent = Vec::new();
    for (seed, case) in (0..).zip(&cases) {
        let filled = case.fill(&mut Keys::new(seed));
        let found = joiner.findings(filled.text.as_bytes());
        if !found.iter().any(|one| one.1.is_some()) {
            silent.push(format!("{}\n{}", case.title, filled.text));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
