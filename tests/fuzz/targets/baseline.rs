//! Baselines, and what other scanners have in their place: read, written, and read again.

use keysieve::finding::{Finding, Fingerprint, Place, Position};
use keysieve::level::Level;
use keysieve::policy::baseline::{Baseline, Import};
use keysieve::secret::Secret;

use super::input::Input;
use super::rules::told;
use super::text::Keys;

/// Reads an input as a baseline and as the file of another tool.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut findings = findings(data);
    match Baseline::parse("f", text) {
        Ok(baseline) => {
            let written = baseline.text();
            let again = Baseline::parse("f", &written).expect("what was written");
            assert_eq!(again.text(), written, "the same entries, the same text");
            assert_eq!(again.len(), baseline.len());
            for (a, b) in baseline.entries().zip(again.entries()) {
                assert_eq!(
                    (&a.fingerprint, &a.rule, &a.secret, &a.path, a.expires),
                    (&b.fingerprint, &b.rule, &b.secret, &b.path, b.expires)
                );
                assert_eq!(
                    Fingerprint::parse(a.fingerprint.as_str()).as_ref(),
                    Some(&a.fingerprint)
                );
            }
            let split = baseline.accept(&mut findings, None);
            let accepted = findings.iter().filter(|it| it.accepted.is_some()).count();
            assert_eq!(split.accepted, accepted);
            assert!(split.unused.len() + split.accepted + split.expired.len() <= baseline.len());
        }
        Err(faults) => told(text, &faults),
    }
    match Import::parse("f", text) {
        Ok(import) => {
            let matched = import.matched(&findings);
            assert!(matched.findings.iter().all(|at| *at < findings.len()));
            assert!(matched.unmatched <= import.len());
            assert!(matched.unmatched_commits <= matched.unmatched);
            if import.is_empty() {
                assert!(matched.findings.is_empty());
            }
        }
        Err(faults) => assert!(!faults.is_empty()),
    }
}

/// Findings at places that an input can name.
fn findings(data: &[u8]) -> Vec<Finding> {
    let mut input = Input::new(data);
    (0..4)
        .map(|at| {
            let line = input.below(8) + 1;
            let secret = Secret::new(Keys::new(at).secret().as_bytes());
            let rule = ["aws-access-key-pair", "r"][input.below(2)];
            let position = Position {
                offset: 0,
                length: 20,
                line,
                column: 1,
                end_line: line,
                end_column: 21,
            };
            Finding {
                rule: rule.to_owned(),
                level: Level::Error,
                fingerprint: Fingerprint::new(rule, None, Some(&secret)),
                message: String::new(),
                advice: String::new(),
                key_id: None,
                account_id: None,
                secret: Some(secret),
                session_token: None,
                context: None,
                reasons: Vec::new(),
                places: vec![Place {
                    path: ["a", "src/a.rs", "b c", ".env"][input.below(4)].into(),
                    inside: Vec::new(),
                    position,
                    key_id: None,
                    secret: Some(position),
                    token: None,
                    possible: None,
                    file: None,
                    object: None,
                    commit: None,
                    snippet: Vec::new(),
                    marker: None,
                    submodule: None,
                }],
                accepted: None,
            }
        })
        .collect()
}
