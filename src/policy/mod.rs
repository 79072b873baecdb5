//! Decides which findings count, and why not: excluded paths, levels, allow markers, allowlists, the baseline.
//!
//! A finding that does not count is accepted, never dropped: the summary counts it. Identity is content;
//! no line number decides anything here. The room knows no engine, no Git and no source of blobs.

mod allowlist;
pub mod baseline;
pub mod config;
mod folders;
mod globs;
mod marker;
mod selection;

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BStr, BString};

use crate::coverage::{Coverage, Skip, SkipReason};
use crate::finding::{Acceptance, Finding, Judged, Located, Place, UnusedMarker};
use crate::level::Level;
use crate::text::date::Date;
use baseline::{Baseline, Entry};

pub use allowlist::{Allow, Allowlist};
pub use folders::{Folder, Folders};
pub use globs::{Globs, PatternError};
pub use marker::{Marker, Markers};
pub use selection::{Selection, SelectionError};

/// Everything that decides which findings of a scan count.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Paths that are left out, and findings that the configuration accepts. What has no place left is counted as
    /// excluded.
    pub exceptions: Exceptions,
    /// The paths that findings are asked for; `None` for all.
    pub selection: Option<Selection>,
    /// Levels other than the rule's own, by rule.
    pub levels: BTreeMap<String, Relevel>,
    /// Findings that were accepted earlier.
    pub baseline: Option<Baseline>,
    /// Today in UTC. Without it every entry of the baseline that expires has expired.
    pub today: Option<Date>,
    /// Reasons for not reading something that were accepted.
    pub allow_incomplete: BTreeSet<SkipReason>,
}

/// A change of a rule's level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relevel {
    /// The rule's own level.
    pub own: Level,
    /// The level that its findings are given.
    pub wanted: Level,
}

/// Exceptions that excepted nothing of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unused {
    /// Numbers of entries of the allowlist, from 0.
    pub allows: Vec<usize>,
    /// The same of folders with a configuration of their own, by the folder.
    pub folder_allows: Vec<(BString, usize)>,
    /// Entries of the baseline, sorted.
    pub entries: Vec<Entry>,
    /// Allow markers, sorted, if the scan sought them.
    pub markers: Vec<UnusedMarker>,
}

/// Paths and findings that a configuration excepts.
///
/// What was excepted before a change is not known of old versions, since it was never reported.
#[derive(Clone, Debug, Default)]
pub struct Exceptions {
    /// Paths below the root that are left out, by any of these.
    pub excludes: Vec<Globs>,
    /// Findings that are accepted.
    pub allowlist: Allowlist,
    /// Exceptions that the configurations of folders add.
    pub folders: Folders,
}

/// Entries of allowlists that covered a place.
#[derive(Default)]
struct Used {
    allows: BTreeSet<usize>,
    folders: BTreeSet<(BString, usize)>,
}

impl Policy {
    /// Decides about each finding: takes out excluded places, joins what several files hold, sets levels, accepts
    /// what a marker, the allowlist or the baseline covers, and takes out what is not asked for, in this order.
    pub fn judge(&self, mut located: Located) -> (Judged, Unused) {
        exclude(&mut located, &self.exceptions);
        located.join_across();
        let Located {
            mut findings,
            mut coverage,
            unused_markers: markers,
            ..
        } = located;
        self.relevel(&mut findings);
        let used = accept(&mut findings, &self.exceptions);
        let entries = match &self.baseline {
            Some(baseline) => baseline.accept(&mut findings, self.today).unused,
            None => Vec::new(),
        };
        // Whether a finding is accepted all its places decide, those too that are not asked for.
        coverage.selected = self.selection.as_ref().map(|it| it.take(&mut findings));
        coverage.accepted.extend(&self.allow_incomplete);
        coverage.finish();
        let allows = 0..self.exceptions.allowlist.len();
        let of_folders = self.exceptions.folders.allows();
        let of_folders = of_folders.flat_map(|(path, count)| {
            let numbers = 0..count;
            numbers.map(move |number| (path.clone(), number))
        });
        let unused = Unused {
            allows: allows.filter(|it| !used.allows.contains(it)).collect(),
            folder_allows: of_folders.filter(|it| !used.folders.contains(it)).collect(),
            entries,
            markers,
        };
        (Judged { findings, coverage }, unused)
    }

    /// Gives findings another level where the policy says so. A finding that weighs less than its rule, an example for
    /// instance, does not become heavier than it was.
    fn relevel(&self, findings: &mut [Finding]) {
        for finding in findings {
            if let Some(Relevel { own, wanted }) = self.levels.get(&finding.rule).copied() {
                finding.level = match finding.level < own {
                    true => finding.level.min(wanted),
                    false => wanted,
                };
            }
        }
    }
}

impl Exceptions {
    /// Returns true for a path that is left out.
    pub fn exclude(&self, path: &BStr) -> bool {
        self.excludes.iter().any(|excludes| excludes.matches(path)) || self.folders.exclude(path)
    }

    /// Returns true for a path that is left out, or that an entry of an allowlist names, whatever else it demands.
    pub fn name(&self, path: &BStr) -> bool {
        self.exclude(path) || self.allowlist.names(path) || self.folders.name(path)
    }

    /// Returns true for a place that is left out.
    fn exclude_place(&self, place: &Place) -> bool {
        let is_out = |excludes: &Globs, length| {
            let mut files = place.files_from(length);
            files.any(|file| excludes.matches(&file))
        };
        let file = place
            .file
            .as_ref()
            .map_or(BStr::new(b""), |file| file.as_ref());
        self.excludes.iter().any(|excludes| is_out(excludes, 0))
            || self
                .folders
                .above(file)
                .any(|(_, folder, length)| is_out(&folder.excludes, length))
    }

    /// Returns true for a finding that a marker or the allowlist accepts at one of its places at least.
    pub(crate) fn accept(&self, finding: &mut Finding) -> bool {
        accept(std::slice::from_mut(finding), self);
        finding.accepted.is_some()
    }
}

/// Takes out the places that are left out; what has no place left is counted as excluded.
fn exclude(located: &mut Located, exceptions: &Exceptions) {
    let is_out = |place: &Place| exceptions.exclude_place(place);
    let take = |findings: &mut Vec<Finding>, mut coverage: Option<&mut Coverage>| {
        for finding in findings.iter_mut() {
            if let Some(coverage) = coverage.as_deref_mut() {
                for place in finding.places.iter().filter(|place| is_out(place)) {
                    let path = place.shown_path().into_owned();
                    coverage.skip(Skip::new(SkipReason::Excluded, path));
                }
            }
            finding.places.retain(|place| !is_out(place));
        }
        findings.retain(|finding| !finding.places.is_empty());
    };
    take(&mut located.findings, Some(&mut located.coverage));
    // An excluded file makes a finding of nothing, and nothing of it becomes one.
    take(&mut located.latent, None);
}

/// Accepts the findings of which every place is covered by an allow marker or an allowlist; returns the entries
/// of allowlists that covered a place.
///
/// One place that nothing covers is enough for the finding to count.
fn accept(findings: &mut [Finding], exceptions: &Exceptions) -> Used {
    let mut used = Used::default();
    let allowlist = &exceptions.allowlist;
    for finding in findings.iter_mut().filter(|it| it.accepted.is_none()) {
        let matching = allowlist.of(finding);
        let mut marker = None;
        let mut allowed = None;
        let mut is_covered = true;
        for place in &finding.places {
            let entries = matching.covering(place, 0);
            let mut reason = entries.first().map(|entry| allowlist.reason(*entry));
            used.allows.extend(entries);
            let file = place
                .file
                .as_ref()
                .map_or(BStr::new(b""), |file| file.as_ref());
            for (path, folder, length) in exceptions.folders.above(file) {
                let entries = folder.allowlist.of(finding).covering(place, length);
                let first = entries.first().map(|entry| folder.allowlist.reason(*entry));
                reason = reason.or(first);
                let entries = entries.into_iter().map(|entry| (path.to_owned(), entry));
                used.folders.extend(entries);
            }
            match (reason, &place.marker) {
                (Some(reason), _) => allowed = allowed.or(Some(reason)),
                (None, Some(reason)) => marker = marker.or(Some(reason.clone())),
                (None, None) => is_covered = false,
            }
        }
        if !is_covered {
            continue;
        }
        finding.accepted = match (allowed, marker) {
            (Some(reason), _) => Some(Acceptance::Allowlist(reason.to_owned())),
            (None, Some(reason)) => Some(Acceptance::Marker(reason)),
            (None, None) => None,
        };
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::sample::{finding, place};
    use crate::finding::{LONE_ID, Scanned};
    use crate::text::paths::Base;

    fn judged(policy: &Policy, findings: Vec<Finding>) -> Vec<Finding> {
        let scanned = Scanned::new(findings, Coverage::default());
        policy
            .judge(scanned.in_place(&Base::Root))
            .0
            .findings()
            .to_vec()
    }

    #[test]
    fn one_place_without_a_marker_counts() {
        let mut marked = place("a", 1);
        marked.marker = Some("test key".to_owned());
        let found = judged(
            &Policy::default(),
            vec![
                finding("r", "one", vec![marked.clone(), place("b", 1)]),
                finding("r", "two", vec![marked]),
            ],
        );
        let accepted = |secret: &str| {
            let wanted = finding("r", secret, vec![place("a", 1)]).fingerprint;
            let found = found.iter().find(|it| it.fingerprint == wanted);
            found.expect("a finding").accepted.clone()
        };
        assert_eq!(accepted("one"), None);
        assert_eq!(
            accepted("two"),
            Some(Acceptance::Marker("test key".to_owned()))
        );
    }

    #[test]
    fn a_level_is_set_and_an_example_stays_one() {
        let leveled = |own, wanted| {
            let mut example = finding("r", "two", vec![place("b", 1)]);
            example.level = Level::Note;
            let policy = Policy {
                levels: BTreeMap::from([("r".to_owned(), Relevel { own, wanted })]),
                ..Policy::default()
            };
            let found = judged(
                &policy,
                vec![finding("r", "one", vec![place("a", 1)]), example],
            );
            (found[0].level, found[1].level)
        };
        assert_eq!(
            leveled(Level::Error, Level::Warning),
            (Level::Warning, Level::Note)
        );
        assert_eq!(
            leveled(Level::Warning, Level::Error),
            (Level::Error, Level::Note)
        );
    }

    #[test]
    fn an_excluded_file_lends_its_key_id_to_nothing() {
        let mut id = finding(LONE_ID, "", vec![place("vendor/id", 1)]);
        (id.secret, id.key_id) = (None, Some("id".to_owned()));
        let latent = finding("aws-secret-access-key", "value", vec![place("vendor/x", 1)]);
        for (patterns, count) in [
            (&["*.md"][..], 2),
            (&["/vendor/id"], 0),
            (&["/vendor/x"], 1),
        ] {
            let policy = Policy {
                exceptions: Exceptions {
                    excludes: vec![Globs::new(patterns.iter().copied()).expect("patterns")],
                    ..Exceptions::default()
                },
                ..Policy::default()
            };
            let mut scanned = Scanned::new(vec![id.clone()], Coverage::default());
            scanned.latent.push(latent.clone());
            let (judged, _) = policy.judge(scanned.in_place(&Base::Root));
            assert_eq!(judged.findings().len(), count, "{patterns:?}");
            let excluded = judged.coverage().skipped.get(&SkipReason::Excluded);
            assert_eq!(excluded.copied().unwrap_or_default(), u64::from(count == 0));
        }
    }

    #[test]
    fn what_excepted_nothing_is_named() {
        let allow = |path: &str| Allow {
            paths: vec![path.to_owned()],
            ..Allow::default()
        };
        let allowlist = Allowlist::new(vec![allow("a"), allow("b")]);
        let policy = Policy {
            exceptions: Exceptions {
                allowlist: allowlist.expect("patterns"),
                ..Exceptions::default()
            },
            allow_incomplete: BTreeSet::from([SkipReason::Size]),
            ..Policy::default()
        };
        let scanned = Scanned::new(
            vec![finding("r", "one", vec![place("b", 1)])],
            Coverage::default(),
        );
        let (judged, unused) = policy.judge(scanned.in_place(&Base::Root));
        assert_eq!(unused.allows, [0]);
        assert!(judged.findings()[0].accepted.is_some());
        assert!(judged.coverage().accepted.contains(&SkipReason::Size));
    }
}
