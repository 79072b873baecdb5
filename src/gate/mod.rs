//! Which findings count, and why not: allow markers, allowlists, and what was there before.
//!
//! A finding that does not count is accepted, never dropped: the summary counts it. Identity is content;
//! no line number decides anything here. The gate knows no files, no Git and no configuration format.

mod allowlist;
mod marker;

use std::collections::BTreeSet;

use crate::finding::{Acceptance, Finding, Fingerprint, Level};

pub use allowlist::{Allow, Allowlist, Base};
pub use marker::{Marker, Markers, UnusedMarker};

/// Accepts the findings of which every place is covered by an allow marker or an allowlist; gives the entries
/// of the allowlist that covered a place, by number.
///
/// One place that nothing covers is enough for the finding to count.
pub fn accept(findings: &mut [Finding], allowlist: &Allowlist) -> BTreeSet<usize> {
    let mut used = BTreeSet::new();
    for finding in findings.iter_mut().filter(|it| it.accepted.is_none()) {
        let matching = allowlist.of(finding);
        let mut marker = None;
        let mut allowed = None;
        let mut is_covered = true;
        for place in &finding.places {
            let entries = matching.covering(place);
            used.extend(entries.iter().copied());
            match (entries.first(), &place.marker) {
                (Some(entry), _) => allowed = allowed.or(Some(*entry)),
                (None, Some(reason)) => marker = marker.or(Some(reason.clone())),
                (None, None) => is_covered = false,
            }
        }
        if !is_covered {
            continue;
        }
        finding.accepted = match (allowed, marker) {
            (Some(entry), _) => Some(Acceptance::Allowlist(allowlist.reason(entry).to_owned())),
            (None, Some(reason)) => Some(Acceptance::Marker(reason)),
            (None, None) => None,
        };
    }
    used
}

/// Gives findings another level where the configuration says so. `levels` knows a rule's own level and the other.
///
/// A finding that weighs less than its rule, an example for instance, does not become heavier than it was.
pub fn relevel(findings: &mut [Finding], levels: impl Fn(&str) -> Option<(Level, Level)>) {
    for finding in findings {
        if let Some((own, wanted)) = levels(&finding.rule) {
            finding.level = match finding.level < own {
                true => finding.level.min(wanted),
                false => wanted,
            };
        }
    }
}

/// Takes out what was there before the change: what the old versions of the changed paths held.
pub fn new_only(findings: &mut Vec<Finding>, known: &BTreeSet<Fingerprint>) {
    findings.retain(|finding| !known.contains(&finding.fingerprint));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::sample::{finding, place};

    #[test]
    fn one_place_without_a_marker_counts() {
        let mut marked = place("a", 1);
        marked.marker = Some("test key".to_owned());
        let mut findings = vec![
            finding("r", "one", vec![marked.clone(), place("b", 1)]),
            finding("r", "two", vec![marked]),
        ];
        accept(&mut findings, &Allowlist::default());
        assert_eq!(findings[0].accepted, None);
        assert_eq!(
            findings[1].accepted,
            Some(Acceptance::Marker("test key".to_owned()))
        );
    }

    #[test]
    fn a_level_is_set_and_an_example_stays_one() {
        let mut findings = vec![finding("r", "one", vec![place("a", 1)]); 2];
        findings[1].level = Level::Note;
        relevel(&mut findings, |_| Some((Level::Error, Level::Warning)));
        assert_eq!(findings[0].level, Level::Warning);
        assert_eq!(findings[1].level, Level::Note);
        relevel(&mut findings, |_| Some((Level::Warning, Level::Error)));
        assert_eq!(findings[0].level, Level::Error);
        assert_eq!(findings[1].level, Level::Note);
    }

    #[test]
    fn what_was_known_is_not_new_wherever_it_stands() {
        let old = finding("r", "one", vec![place("a", 1)]);
        let mut findings = vec![
            finding("r", "one", vec![place("b", 99)]),
            finding("r", "two", vec![place("a", 1)]),
        ];
        new_only(&mut findings, &BTreeSet::from([old.fingerprint.clone()]));
        assert_eq!(findings.len(), 1);
        assert_ne!(findings[0].fingerprint, old.fingerprint);
    }
}
