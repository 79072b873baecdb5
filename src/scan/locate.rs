//! Joins findings in objects with what history knows about those objects.

use std::collections::HashSet;

use gix::ObjectId;

use super::Outcome;
use crate::coverage::SkipReason;
use crate::finding::{Finding, Level, Place};
use crate::source::history::provenance::Located;

impl Outcome {
    /// The objects that hold findings: what provenance has to be looked up for.
    pub fn objects(&self) -> Vec<ObjectId> {
        let mut ids: Vec<ObjectId> = self
            .findings
            .iter()
            .chain(self.wanted_latent())
            .flat_map(|finding| &finding.places)
            .filter_map(|place| place.object.map(|(_, id)| id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The objects that a later scan has to see again: those with findings, or with values that can become some.
    /// `None` if it is not known of every object whether it is one. To be asked before anything is taken out.
    pub fn unclean(&self) -> Option<HashSet<ObjectId>> {
        let in_doubt = [SkipReason::Interrupted, SkipReason::Internal];
        if in_doubt
            .iter()
            .any(|reason| self.coverage.skipped.contains_key(reason))
        {
            return None;
        }
        let all = self.findings.iter().chain(&self.latent);
        let places = all.flat_map(|finding| &finding.places);
        Some(
            places
                .filter_map(|place| place.object.map(|(_, id)| id))
                .collect(),
        )
    }

    /// Values that a key id in another file would make findings, if there is such an id at all.
    fn wanted_latent(&self) -> &[Finding] {
        let has_lone_id = self.findings.iter().any(|finding| {
            finding.level > Level::Note && finding.key_id.is_some() && finding.secret.is_none()
        });
        if has_lone_id { &self.latent } else { &[] }
    }

    /// Puts paths and commits in the place of object ids.
    pub fn locate(&mut self, located: Located) {
        for finding in self.findings.iter_mut().chain(&mut self.latent) {
            let mut holders: Vec<String> = Vec::new();
            let places = std::mem::take(&mut finding.places);
            for place in places {
                let locations = place.object.and_then(|(_, id)| located.places.get(&id));
                let Some(locations) = locations.filter(|locations| !locations.is_empty()) else {
                    finding.places.push(place);
                    continue;
                };
                for location in locations {
                    let mut found: Place = place.clone();
                    if !location.path.is_empty() {
                        found.path = location.path.clone();
                    }
                    found.commit = location.commit.clone();
                    finding.places.push(found);
                    if let (None, Some((_, id))) = (&location.commit, place.object) {
                        let holders_of = location.held_by.iter();
                        holders.extend(holders_of.map(|by| {
                            format!("object {} is in no commit: {by}", id.to_hex_with_len(12))
                        }));
                    }
                }
            }
            holders.sort();
            holders.dedup();
            finding.reasons.extend(holders);
        }
        for skip in located.skips {
            self.coverage.skip(skip);
        }
        self.coverage.finish();
        self.findings = Finding::merge(std::mem::take(&mut self.findings));
    }

    /// Takes out what the old versions held already; gives how many findings that were.
    pub fn take_known(&mut self) -> usize {
        let before = self.findings.len();
        let known = &self.known;
        self.findings
            .retain(|finding| !known.contains(&finding.fingerprint));
        before - self.findings.len()
    }
}
