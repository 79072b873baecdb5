//! The stages of a finding's way: what a scan gave, with its places, judged, redacted.

use std::collections::{BTreeMap, BTreeSet};

use bstr::BString;
use gix::ObjectId;

use super::{Finding, Fingerprint, across, merge};
use crate::coverage::{Coverage, Skip, SkipReason};
use crate::level::Level;
use crate::text::paths::{Base, folders_above};

/// Result of the workers of a scan: not merged, and without the commits and paths of objects.
#[derive(Debug, Default)]
pub struct Scanned {
    pub(crate) findings: Vec<Finding>,
    /// Values that are findings only if a key ID without its secret turns up in a file nearby.
    pub(crate) latent: Vec<Finding>,
    pub(crate) known: OldFindings,
    /// Objects of which a part was not read, such as an encrypted member of an archive.
    pub(crate) unread: BTreeSet<ObjectId>,
    pub(crate) coverage: Coverage,
    pub(crate) unused_markers: Vec<UnusedMarker>,
}

/// Identities of what the old versions of changed paths held and nothing accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldFindings {
    findings: BTreeSet<Fingerprint>,
    /// Secrets by themselves, each with the highest level at which it was found.
    secrets: BTreeMap<Fingerprint, Level>,
}

/// Findings with the paths and commits that they will keep: one per secret, sorted.
#[derive(Debug, Default)]
pub struct Located {
    pub(crate) findings: Vec<Finding>,
    pub(crate) latent: Vec<Finding>,
    pub(crate) coverage: Coverage,
    pub(crate) unused_markers: Vec<UnusedMarker>,
}

/// Findings of which each is known to count or not. Still with every secret that paths and subjects may hold.
#[derive(Debug, Default)]
pub struct Judged {
    pub(crate) findings: Vec<Finding>,
    pub(crate) coverage: Coverage,
}

/// Findings of which every text may be printed: what reports are written of.
#[derive(Clone, Debug, Default)]
pub struct Redacted {
    findings: Vec<Finding>,
    coverage: Coverage,
    summary: Summary,
}

/// An allow marker that covers no finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnusedMarker {
    /// Path of the text, as its source knows it.
    pub path: BString,
    /// The marker's line, 1-based.
    pub line: usize,
    /// The rules that it names, as written; empty for any.
    pub rules: Vec<String>,
}

/// Counts of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Of level `error`, not accepted.
    pub errors: usize,
    /// Of level `warning`, not accepted.
    pub warnings: usize,
    /// Of level `note`, not accepted; not all of them need be shown.
    pub notes: usize,
    /// Accepted by marker, allowlist or baseline.
    pub accepted: usize,
}

impl OldFindings {
    /// Adds a finding. With `alone`, its secret is known whatever goes with it; a value that was no finding by itself
    /// is known only as what it was.
    pub(crate) fn add(&mut self, finding: &Finding, alone: bool) {
        self.findings.insert(finding.fingerprint.clone());
        if let Some(secret) = finding.secret_identity().filter(|_| alone) {
            let level = self.secrets.entry(secret).or_insert(finding.level);
            *level = finding.level.max(*level);
        }
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.findings.extend(other.findings);
        for (secret, level) in other.secrets {
            let known = self.secrets.entry(secret).or_insert(level);
            *known = level.max(*known);
        }
    }

    /// Returns true for a finding that was there before, and for one whose secret was there with another key ID or
    /// with none, unless it weighs more than it did.
    fn has(&self, finding: &Finding) -> bool {
        let alone = || {
            let level = self.secrets.get(&finding.secret_identity()?)?;
            Some(*level >= finding.level)
        };
        self.findings.contains(&finding.fingerprint) || alone() == Some(true)
    }
}

impl Scanned {
    /// Makes the first stage of findings that come from elsewhere than a [`crate::scan::Scanner`].
    pub fn new(findings: Vec<Finding>, coverage: Coverage) -> Self {
        Self {
            findings,
            coverage,
            ..Self::default()
        }
    }

    /// The findings so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The account of what was read.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Objects of which a part was not read.
    pub fn unread(&self) -> &BTreeSet<ObjectId> {
        &self.unread
    }

    /// Identities of what was there before, as far as the scan saw old versions.
    pub fn known(&self) -> &OldFindings {
        &self.known
    }

    /// Takes in what another scan of the same run gave.
    pub fn add(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.latent.extend(other.latent);
        self.known.join(other.known);
        self.unread.extend(other.unread);
        self.coverage.add(other.coverage);
        self.unused_markers.extend(other.unused_markers);
    }

    /// Records something else that was not read.
    pub fn skip(&mut self, skip: Skip) {
        self.coverage.skip(skip);
    }

    /// Records that a signal ended the run early.
    pub fn interrupted(&mut self) {
        let counted = &self.coverage.skipped;
        if !counted.contains_key(&SkipReason::Interrupted) {
            self.coverage.skip(Skip::with_detail(
                SkipReason::Interrupted,
                "scan",
                "ended by a signal before everything was read",
            ));
        }
    }

    /// Records that the time was over before everything was read, which is no signal.
    pub fn deadline(&mut self, detail: impl ToString) {
        let coverage = &mut self.coverage;
        coverage.skipped.remove(&SkipReason::Interrupted);
        coverage
            .skips
            .retain(|skip| skip.reason != SkipReason::Interrupted);
        coverage.skip(Skip::with_detail(SkipReason::Deadline, "scan", detail));
    }

    /// Takes out what was there before the change, as `known` has it.
    pub fn new_only(mut self, known: &OldFindings) -> Self {
        self.findings.retain(|finding| !known.has(finding));
        self
    }

    /// Goes on with the paths that the source gave; `base` leads from them to those below the root.
    pub fn in_place(mut self, base: &Base) -> Located {
        let findings = self.findings.iter_mut().chain(&mut self.latent);
        for place in findings.flat_map(|finding| &mut finding.places) {
            place.file = base.file(place.path.as_ref());
        }
        Located::new(
            self.findings,
            self.latent,
            self.coverage,
            self.unused_markers,
        )
    }

    /// Goes on with object IDs in the place of paths. What only a neighbouring file makes a finding is dropped: objects
    /// have no neighbours.
    pub fn without_paths(mut self) -> Located {
        self.latent.clear();
        self.in_place(&Base::Root)
    }
}

impl Located {
    pub(crate) fn new(
        findings: Vec<Finding>,
        latent: Vec<Finding>,
        mut coverage: Coverage,
        mut unused_markers: Vec<UnusedMarker>,
    ) -> Self {
        coverage.finish();
        unused_markers.sort();
        unused_markers.dedup();
        Self {
            findings: merge(findings),
            latent: merge(latent),
            coverage,
            unused_markers,
        }
    }

    /// The findings, one per secret.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The account of what was read.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Records something else that was not read.
    pub fn skip(&mut self, skip: Skip) {
        self.coverage.skip(skip);
    }

    /// Takes in what another repository of the same run gave.
    pub fn add(&mut self, other: Self) {
        let mut findings = std::mem::take(&mut self.findings);
        findings.extend(other.findings);
        self.findings = merge(findings);
        let mut latent = std::mem::take(&mut self.latent);
        latent.extend(other.latent);
        self.latent = merge(latent);
        self.coverage.add(other.coverage);
        self.unused_markers.extend(other.unused_markers);
    }

    /// Goes on with paths below those of the repository around it: all this is of the submodule at `path`.
    pub fn in_submodule(mut self, path: &BString) -> Self {
        let below = |inner: &BString| -> BString { [path.as_slice(), b"/", inner].concat().into() };
        let findings = self.findings.iter_mut().chain(&mut self.latent);
        for place in findings.flat_map(|finding| &mut finding.places) {
            // The id of an object has no folder around it.
            if place.path_below_root().is_some() {
                place.path = below(&place.path);
                place.file = place.file.as_ref().map(below);
            }
            place.submodule = Some(path.clone());
        }
        for skip in &mut self.coverage.skips {
            skip.subject = [path.as_slice(), b": ", &skip.subject].concat().into();
        }
        self
    }

    /// The folders above what was found, without the root. Where nothing was, none: then nothing can become a finding.
    pub fn folders(&self) -> BTreeSet<BString> {
        if self.findings.is_empty() {
            return BTreeSet::new();
        }
        let findings = self.findings.iter().chain(&self.latent);
        let places = findings.flat_map(|finding| &finding.places);
        folders_above(places.filter_map(|place| place.path_below_root()))
    }

    /// Joins what appears in several files: repeats of a pair, and the halves of one.
    pub(crate) fn join_across(&mut self) {
        let findings = std::mem::take(&mut self.findings);
        self.findings = across::join(findings, std::mem::take(&mut self.latent));
    }
}

impl Judged {
    /// The findings, accepted ones among them.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The account of what was read.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }
}

impl Redacted {
    /// Takes findings and coverage of which no text holds a secret. The caller vouches for that, as
    /// [`crate::scan::redact`] does.
    pub fn assume_redacted(findings: Vec<Finding>, coverage: Coverage) -> Self {
        let summary = Summary::of(&findings);
        Self {
            findings,
            coverage,
            summary,
        }
    }

    /// The findings, accepted ones among them.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The account of what was read.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// Returns the counts of findings, those that [`Self::above_notes`] took out included.
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Takes out the notes; they stay counted.
    pub fn above_notes(mut self) -> Self {
        self.findings.retain(|finding| finding.level > Level::Note);
        self
    }

    /// Returns one of the findings by itself, without the coverage, with at most `around` lines on either side of what
    /// was found; with all that were kept for `None`.
    pub fn close_up(&self, index: usize, around: Option<usize>) -> Self {
        let mut findings: Vec<Finding> = self.findings.get(index).cloned().into_iter().collect();
        for place in findings.iter_mut().flat_map(|finding| &mut finding.places) {
            let marked = place.snippet.iter().filter(|line| line.mark.is_some());
            let marked: Vec<usize> = marked.map(|line| line.number).collect();
            let is_near = |number: usize, around: usize| {
                marked
                    .iter()
                    .any(|marked| marked.abs_diff(number) <= around)
            };
            place
                .snippet
                .retain(|line| around.is_none_or(|around| is_near(line.number, around)));
        }
        Self::assume_redacted(findings, Coverage::default())
    }
}

impl Summary {
    fn of(findings: &[Finding]) -> Self {
        let mut summary = Self::default();
        for finding in findings {
            let count = match (&finding.accepted, finding.level) {
                (Some(_), _) => &mut summary.accepted,
                (None, Level::Error) => &mut summary.errors,
                (None, Level::Warning) => &mut summary.warnings,
                (None, Level::Note) => &mut summary.notes,
            };
            *count += 1;
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{finding, place};
    use super::*;
    use crate::secret::Secret;

    /// A secret of the length of one that AWS makes.
    const LONG: &str = "0123456789012345678901234567890123456789";

    fn new_after(old: &[(&Finding, bool)], new: Finding) -> bool {
        let mut known = OldFindings::default();
        for (finding, alone) in old {
            known.add(finding, *alone);
        }
        let scanned = Scanned::new(vec![new], Coverage::default());
        !scanned.new_only(&known).findings().is_empty()
    }

    fn pair(key_id: &str, secret: &str) -> Finding {
        let mut pair = finding("pair", secret, vec![place("a", 1)]);
        pair.key_id = Some(key_id.to_owned());
        pair.fingerprint =
            Fingerprint::new("pair", Some(key_id), Some(&Secret::new(secret.as_bytes())));
        pair
    }

    #[test]
    fn what_was_known_is_not_new_wherever_it_is() {
        let old = finding("r", "one", vec![place("a", 1)]);
        assert!(!new_after(
            &[(&old, true)],
            finding("r", "one", vec![place("b", 99)])
        ));
        assert!(new_after(
            &[(&old, true)],
            finding("r", "two", vec![place("a", 1)])
        ));
    }

    #[test]
    fn a_secret_that_was_there_is_not_new_with_another_id_or_with_none() {
        let old = pair("A", LONG);
        let alone = finding("alone", LONG, vec![place("a", 1)]);
        assert!(!new_after(&[(&old, true)], alone.clone()));
        assert!(!new_after(&[(&old, true)], pair("B", LONG)));
        assert!(!new_after(&[(&alone, true)], pair("A", LONG)));
        // A short one is not recognised by itself.
        assert!(new_after(&[(&pair("A", "word"), true)], pair("B", "word")));
    }

    #[test]
    fn a_key_id_that_makes_a_finding_of_a_value_is_new() {
        let mut doubtful = finding("alone", LONG, vec![place("a", 1)]);
        assert!(new_after(&[(&doubtful, false)], pair("A", LONG)));
        doubtful.level = Level::Warning;
        assert!(new_after(&[(&doubtful, true)], pair("A", LONG)));
        let sure = finding("alone", LONG, vec![place("b", 2)]);
        assert!(!new_after(
            &[(&doubtful, true), (&sure, true)],
            pair("A", LONG)
        ));
    }

    #[test]
    fn a_close_up_has_the_lines_near_a_mark() {
        let mut far = place("a", 5);
        far.snippet = (1..10)
            .map(|number| crate::finding::SnippetLine {
                number,
                text: String::new(),
                mark: (number == 5).then_some((0, 0)),
            })
            .collect();
        let all =
            Redacted::assume_redacted(vec![finding("r", "s", vec![far])], Coverage::default());
        let lines = |redacted: &Redacted| redacted.findings()[0].places[0].snippet.len();
        assert_eq!(lines(&all.close_up(0, Some(1))), 3);
        assert_eq!(lines(&all.close_up(0, None)), 9);
        assert!(all.close_up(1, None).findings().is_empty());
    }
}
