//! Every rule finds what its examples say and nothing in its counter-examples, through the real engine.

use std::sync::Arc;

use keysieve::engine::{Engine, Scratch};
use keysieve::level::Level;
use keysieve::rule::example::{self, Case};
use keysieve::rule::{Kind, RuleSet};

/// Kinds whose examples are run. `Kind::Aws` joins when the code that decides for it is there.
const KINDS: &[Kind] = &[Kind::Generic];

#[test]
fn every_example_is_found_and_no_counter_example_is() {
    let rules = Arc::new(RuleSet::builtin());
    let engine = Engine::new(rules.clone());
    let mut scratch = Scratch::default();
    let mut wrong = Vec::new();
    let mut run = 0;
    for rule in rules.rules.iter().filter(|rule| KINDS.contains(&rule.kind)) {
        for case in example::cases(rule) {
            run += 1;
            let index = rules.index_of(&rule.id).expect("a built-in rule");
            let matches = engine.scan(case.text.as_bytes(), &mut scratch);
            let found = matches
                .iter()
                .filter(|matched| matched.rule == index)
                .max_by_key(|matched| matched.level);
            if !case.holds(found.map(|matched| matched.level)) {
                wrong.push(format!(
                    "{}\n  {}\n  {found:?}, all: {matches:?}",
                    case.name(),
                    case.text
                ));
            }
        }
    }
    assert!(run > 150, "only {run} examples were run");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_case_is_judged_by_the_level_of_its_rule() {
    let case = |is_found| Case {
        rule: "r".into(),
        number: 1,
        is_found,
        level: Level::Error,
        text: String::new(),
    };
    assert!(case(true).holds(Some(Level::Error)));
    assert!(!case(true).holds(Some(Level::Note)));
    assert!(!case(true).holds(None));
    assert!(case(false).holds(Some(Level::Note)));
    assert!(case(false).holds(None));
    assert!(!case(false).holds(Some(Level::Error)));
}

/// No rule finds something in the examples of another vendor, at the level of an error, that the other does not.
#[test]
fn an_example_gives_one_finding() {
    let rules = Arc::new(RuleSet::builtin());
    let engine = Engine::new(rules.clone());
    let mut scratch = Scratch::default();
    for rule in rules.rules.iter() {
        if !KINDS.contains(&rule.kind) {
            continue;
        }
        for case in example::cases(rule).filter(|case| case.is_found) {
            let matches = engine.scan(case.text.as_bytes(), &mut scratch);
            let ids: Vec<&str> = matches
                .iter()
                .map(|matched| rules.rules[matched.rule].id.as_ref())
                .collect();
            assert_eq!(ids, [rule.id.as_ref()], "{}\n{}", case.name(), case.text);
        }
    }
}

/// The templates keep the rule file quiet: neither this program nor another scanner finds a token in it.
#[test]
fn the_rule_file_holds_no_secret() {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let mut scratch = Scratch::default();
    let matches = engine.scan(include_bytes!("../rules.toml"), &mut scratch);
    assert!(matches.is_empty(), "{matches:?}");
}
