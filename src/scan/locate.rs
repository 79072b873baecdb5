//! Joins findings in objects with what history knows about those objects.

use std::collections::{BTreeSet, HashSet};

use bstr::ByteSlice as _;
use gix::ObjectId;

use crate::attribution;
use crate::coverage::{Skip, SkipReason};
use crate::finding::{Finding, LONE_ID, Located, MAX_HALVES, Place, Scanned};
use crate::level::Level;
use crate::text::paths::Base;

impl Scanned {
    /// The objects that hold findings: what provenance has to be looked up for. Values that are findings only
    /// beside a key id count if there is a key id without a secret.
    pub fn objects(&self) -> Vec<ObjectId> {
        let is_alone = |finding: &Finding| finding.rule == LONE_ID && finding.level > Level::Note;
        let latent = match self.findings.iter().any(is_alone) {
            true => self.latent.get(..MAX_HALVES).unwrap_or(&self.latent),
            false => &[],
        };
        let mut ids: Vec<ObjectId> = self
            .findings
            .iter()
            .chain(latent)
            .flat_map(|finding| &finding.places)
            .filter_map(|place| place.object.map(|(_, id)| id))
            .chain(self.unread.iter().copied())
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
        let found = places.filter_map(|place| place.object.map(|(_, id)| id));
        Some(found.chain(self.unread.iter().copied()).collect())
    }

    /// Goes on with paths and commits in the place of object IDs.
    pub fn locate(mut self, located: attribution::Located) -> Located {
        for finding in &mut self.findings {
            let places = std::mem::take(&mut finding.places);
            let mut holders = Vec::new();
            for place in places {
                match places_of(&place, &located, &mut holders) {
                    found if found.is_empty() => finding.places.push(place),
                    found => finding.places.extend(found),
                }
            }
            holders.sort();
            holders.dedup();
            finding.reasons.extend(holders);
        }
        // The name of an object says nothing about which files are neighbours.
        for finding in &mut self.latent {
            let places = std::mem::take(&mut finding.places);
            for place in places {
                let found = places_of(&place, &located, &mut Vec::new());
                finding.places.extend(found);
            }
        }
        self.latent.retain(|finding| !finding.places.is_empty());
        for skip in &mut self.coverage.skips {
            name_by_path(skip, &self.unread, &located);
        }
        for skip in located.skips {
            // The scan may have met the same.
            if !self.coverage.skips.contains(&skip) {
                self.coverage.skip(skip);
            }
        }
        self.in_place(&Base::Root)
    }
}

/// Names a part of an object that was not read by a path of the object instead of its id.
fn name_by_path(skip: &mut Skip, unread: &BTreeSet<ObjectId>, located: &attribution::Located) {
    let end = skip.subject.find_byte(b'!').unwrap_or(skip.subject.len());
    let (id, way) = skip.subject.split_at(end);
    let Some(id) = ObjectId::from_hex(id).ok().filter(|id| unread.contains(id)) else {
        return;
    };
    let location = located
        .places
        .get(&id)
        .and_then(|locations| locations.first());
    let Some(location) = location.filter(|location| !location.path.is_empty()) else {
        return;
    };
    let commit = location
        .commit
        .as_ref()
        .map(|commit| commit.commit_id.to_hex_with_len(12));
    let commit = commit
        .map(|commit| format!("{commit}:"))
        .unwrap_or_default();
    skip.subject = [commit.as_bytes(), &location.path, way].concat().into();
}

/// Returns the present and past places of a place's object; none if they are not known.
fn places_of(
    place: &Place,
    located: &attribution::Located,
    holders: &mut Vec<String>,
) -> Vec<Place> {
    let locations = place.object.and_then(|(_, id)| located.places.get(&id));
    let mut places = Vec::new();
    for location in locations.into_iter().flatten() {
        let mut found: Place = place.clone();
        if !location.path.is_empty() {
            found.path = location.path.clone();
        }
        found.commit = location.commit.clone();
        places.push(found);
        if let (None, Some((_, id))) = (&location.commit, place.object) {
            let holders_of = location.held_by.iter();
            holders.extend(
                holders_of
                    .map(|by| format!("object {} is in no commit: {by}", id.to_hex_with_len(12))),
            );
        }
    }
    places
}
