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

/// A keyword with more hits in 100 MB of ordinary sources slows the search for all others.
const MOST_HITS: u32 = 50;

/// Keywords of which every four bytes are common in sources, though the whole is not; each with its hits in 100 MB, as
/// `cargo run --release --example frequencies -- DIR count` has them.
const COUNTED: &[(&str, u32)] = &[
    ("T_ACCESS_K", 0),
    ("ecret_key", 4),
    ("ecret key", 10),
    ("ECRET_KEY", 4),
    ("ws_secret", 4),
    ("ws secret", 0),
    ("WS_SECRET", 0),
    ("iscord", 4),
    ("ISCORD", 0),
    ("lient_secret", 14),
    ("lientSecret", 0),
    ("LIENT_SECRET", 0),
    ("dor_v1_", 0),
    ("AULT_TOK", 1),
    ("ault_tok", 3),
    ("[subm", 0),
];

/// Keywords over the budget, because what they lead to has nothing rarer.
const OVER: &[&str] = &["PRIVATE KEY", "dapi"];

#[test]
fn no_keyword_is_common_in_sources() {
    let common = common_runs();
    assert!(common.contains(&b"cons"[..]));
    assert!(COUNTED.iter().all(|(_, hits)| *hits <= MOST_HITS));
    let mut used = 0;
    for rule in RuleSet::builtin().rules.iter() {
        for keyword in rule.keywords.iter() {
            let is_named = |name: &str| name.as_bytes() == &*keyword.bytes;
            if OVER.iter().any(|name| is_named(name))
                || COUNTED.iter().any(|(name, _)| is_named(name))
            {
                used += 1;
                continue;
            }
            let mut runs = keyword.bytes.windows(4);
            let is_rare = runs.any(|run| !common.contains(run));
            let text = keyword.bytes.escape_ascii();
            assert!(
                is_rare,
                "{}: `{text}` may stand in 100 MB of sources more than {MOST_HITS} times: count it",
                rule.id
            );
        }
    }
    assert!(
        used >= OVER.len() + COUNTED.len(),
        "an exception is of no rule"
    );
}

/// Runs of four bytes that 100 MB of sources have more than [`MOST_HITS`] times, out of `build/frequencies`.
fn common_runs() -> std::collections::HashSet<[u8; 4]> {
    let mut bytes = include_bytes!("../build/frequencies").iter();
    let mut runs = std::collections::HashSet::new();
    let mut run: u32 = 0;
    while let Some(first) = bytes.next() {
        let (mut distance, mut last) = (u32::from(first & 0x7f), *first);
        for shift in (7..).step_by(7) {
            if last < 0x80 {
                break;
            }
            last = *bytes.next().expect("a whole table");
            distance |= u32::from(last & 0x7f) << shift;
        }
        run += distance;
        runs.insert(run.to_be_bytes());
        let level = bytes.next().expect("a whole table");
        assert!(f64::from(*level) >= 2.0 * f64::from(MOST_HITS).log2() - 0.5);
    }
    runs
}
