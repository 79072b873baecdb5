//! Joins findings in objects with what history knows about those objects.

use gix::ObjectId;

use super::Outcome;
use crate::finding::{Finding, Place};
use crate::gate;
use crate::source::history::provenance::Located;

impl Outcome {
    /// The objects that hold findings: what provenance has to be looked up for.
    pub fn objects(&self) -> Vec<ObjectId> {
        let mut ids: Vec<ObjectId> = self
            .findings
            .iter()
            .flat_map(|finding| &finding.places)
            .filter_map(|place| place.object.map(|(_, id)| id))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Puts paths and commits in the place of object ids.
    pub fn locate(&mut self, located: Located) {
        for finding in &mut self.findings {
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
        gate::new_only(&mut self.findings, &self.known);
        before - self.findings.len()
    }
}
