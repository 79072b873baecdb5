//! Rule files: faults with their line, or rules that find what their examples say.

use std::sync::Arc;

use keysieve::engine::{Engine, Scratch};
use keysieve::rule::compile::RuleSource;
use keysieve::rule::file::RuleFile;
use keysieve::rule::{Error, Kind, RuleSet, example};
use keysieve::text::document::Fault;

/// Reads an input as a rule file of a user.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let source = RuleSource { name: "f", text };
    match (RuleFile::parse("f", text), RuleSet::load(&[source])) {
        (Err(faults), Err(Error::Faults(loaded))) => {
            assert!(!faults.is_empty() && !loaded.is_empty());
            told(text, &faults);
            told(text, &loaded);
        }
        (Ok(_), Err(Error::Faults(faults))) => told(text, &faults),
        (Ok(file), Ok(rules)) => loaded(text, &file, rules),
        (parsed, loaded) => panic!("{parsed:?} and {loaded:?}"),
    }
}

/// Faults have a line that exists.
pub fn told(text: &str, faults: &[Fault]) {
    let lines = text.split('\n').count();
    assert!(!faults.is_empty());
    for fault in faults {
        assert!((1..=lines).contains(&fault.line), "{fault} of {lines}");
        assert!(!fault.message.is_empty());
        assert!(fault.to_string().starts_with("f:"));
    }
}

fn loaded(text: &str, file: &RuleFile, rules: RuleSet) {
    let again = RuleSet::load(&[RuleSource { name: "f", text }]).expect("as before");
    assert_eq!(again.hash(), rules.hash());
    let mut ids: Vec<&str> = file.rules.iter().map(|rule| rule.id.as_ref()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), file.rules.len(), "an id twice");
    // The user's rules alone, as `rules test` has them: building the searcher for all takes long.
    let own: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let rules = rules.select(&own).expect("they were loaded");
    let engine = Engine::new(Arc::new(rules));
    let mut scratch = Scratch::default();
    for rule in &file.rules {
        assert_eq!(rule.kind, Kind::Generic);
        for case in example::cases(rule) {
            let found = engine.scan(case.text.as_bytes(), &mut scratch);
            for found in found {
                assert!(found.span.end <= case.text.len());
            }
            if case.is_found {
                // An example was seen to have a keyword when the file was read.
                assert!(engine.prefilter().is_match(case.text.as_bytes()));
            }
            let generic = engine.confirm_all(case.text.as_bytes());
            assert_eq!(engine.scan(case.text.as_bytes(), &mut scratch), generic);
        }
    }
}
