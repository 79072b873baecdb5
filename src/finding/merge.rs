//! Merging: findings that are one secret become one finding.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::{Finding, Fingerprint, Place};

/// Merges the findings that are one secret, sorts them and their places.
///
/// The order is path, line, column, rule, fingerprint: the same for any number of threads.
pub(crate) fn merge(mut findings: Vec<Finding>) -> Vec<Finding> {
    let mut by_fingerprint: BTreeMap<Fingerprint, Finding> = BTreeMap::new();
    for finding in &mut findings {
        finding.places.sort();
    }
    findings.sort_by(|a, b| a.places.cmp(&b.places));
    for finding in findings {
        match by_fingerprint.entry(finding.fingerprint.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(finding);
            }
            Entry::Occupied(mut entry) => {
                let kept = entry.get_mut();
                kept.level = kept.level.max(finding.level);
                if kept.session_token.is_none() {
                    kept.session_token = finding.session_token;
                }
                if kept.context.is_none() {
                    kept.context = finding.context;
                }
                for reason in finding.reasons {
                    if !kept.reasons.contains(&reason) {
                        kept.reasons.push(reason);
                    }
                }
                kept.places.extend(finding.places);
            }
        }
    }
    let mut merged: Vec<Finding> = by_fingerprint.into_values().collect();
    for finding in &mut merged {
        finding.places.sort();
        finding.places.dedup();
        let has_secret = finding.secret.is_some();
        finding
            .places
            .sort_by_key(|place| (has_secret && place.secret.is_none(), introduced(place)));
        finding.reasons.sort();
    }
    merged.sort_by(|a, b| {
        (&a.places, &a.rule, &a.fingerprint).cmp(&(&b.places, &b.rule, &b.fingerprint))
    });
    merged
}

/// Sort key of a place: places that history knows go before those in no commit, the earliest first.
fn introduced(place: &Place) -> (bool, Option<u32>) {
    let rank = place.commit.as_ref().map(|commit| commit.rank);
    (rank.is_none(), rank)
}
