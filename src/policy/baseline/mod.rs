//! Accepted findings of an earlier run, by content identity alone.
//!
//! The file is text, one finding a line, sorted, without line numbers and times, so that it merges:
//!
//! ```text
//! # keysieve baseline 1
//! ks1:0123456789abcdef0123456789abcdef aws-access-key-pair secret=ks1:fedcba9876543210fedcba9876543210 expires=2027-01-31 path=a.env # made up
//! ```
//!
//! A line is the fingerprint, the rule and then, each if there is one, `secret=`, `expires=`, `path=` and the reason
//! after `#`. `secret=` is the identity of the secret alone: a finding that has it is accepted as well, so that an
//! accepted secret that loses or gains its key ID is not new. The path helps a person and decides nothing; in it, white
//! space, `%` and `#` are written as `%20` and so on.
//! Empty lines and lines that begin with `#` are comments. The same finding twice (`merge=union` does that) is one:
//! the earlier expiry counts.

mod file;
mod import;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use crate::finding::{Acceptance, Finding, Fingerprint};
use crate::text::date::Date;
use crate::text::document::Fault;

pub use import::{Import, Matched};

/// The name under which a baseline is found at the root of a repository.
pub const FILE_NAME: &str = ".keysieve-baseline";

/// Accepted findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Fingerprint, Entry>,
    /// The entries of each secret, by their fingerprints.
    of_secret: BTreeMap<Fingerprint, BTreeSet<Fingerprint>>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Fingerprint of the accepted finding.
    pub fingerprint: Fingerprint,
    /// The rule that found it.
    pub rule: String,
    /// The identity of its secret alone, if it has one.
    pub secret: Option<Fingerprint>,
    /// Path of the finding when it was accepted; may be stale.
    pub path: Option<String>,
    /// Reason why it is accepted.
    pub reason: Option<String>,
    /// The last day on which it counts.
    pub expires: Option<Date>,
}

impl Entry {
    /// An entry for a finding.
    pub fn of(finding: &Finding, reason: Option<String>, expires: Option<Date>) -> Self {
        Self {
            fingerprint: finding.fingerprint.clone(),
            rule: finding.rule.clone(),
            secret: finding.secret_identity(),
            path: Some(finding.first_place().shown_path().to_string()),
            reason: reason.filter(|reason| !reason.trim().is_empty()),
            expires,
        }
    }

    /// Returns true if its last day is over. Where the day is not known, what expires has expired.
    pub fn is_expired(&self, today: Option<Date>) -> bool {
        match (self.expires, today) {
            (None, _) => false,
            (Some(last), Some(today)) => today > last,
            (Some(_), None) => true,
        }
    }
}

/// Entries of a baseline that matched the findings of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Number of findings that were accepted; two may share an entry.
    pub accepted: usize,
    /// Entries that no finding has, sorted.
    pub unused: Vec<Entry>,
    /// Entries whose day is over and that a finding has, sorted.
    pub expired: Vec<Entry>,
}

impl Baseline {
    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns true if there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, sorted.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// Returns the entry of a finding, expired or not: its own, else one of its secret with another key ID, another
    /// rule or none. Of several of those the one that expires first counts.
    pub fn entry_of(&self, finding: &Finding) -> Option<&Entry> {
        let own = self.entries.get(&finding.fingerprint);
        own.or_else(|| {
            let entries = self.of_secret.get(&finding.secret_identity()?)?;
            let entries = entries.iter().filter_map(|entry| self.entries.get(entry));
            entries.min_by_key(|entry| (entry.expires.is_none(), entry.expires))
        })
    }

    /// Adds an entry, or puts it in the place of the one that is there.
    pub fn insert(&mut self, entry: Entry) {
        self.remove(&entry.fingerprint.clone());
        if let Some(secret) = &entry.secret {
            let entries = self.of_secret.entry(secret.clone()).or_default();
            entries.insert(entry.fingerprint.clone());
        }
        self.entries.insert(entry.fingerprint.clone(), entry);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, fingerprint: &Fingerprint) -> Option<Entry> {
        let entry = self.entries.remove(fingerprint)?;
        if let Some(secret) = &entry.secret
            && let Some(entries) = self.of_secret.get_mut(secret)
        {
            entries.remove(fingerprint);
            if entries.is_empty() {
                self.of_secret.remove(secret);
            }
        }
        Some(entry)
    }

    /// Accepts the findings that the baseline has, and says which of its entries no finding has.
    ///
    /// What is accepted already stays as it is; an entry for it counts as used.
    pub fn accept(&self, findings: &mut [Finding], today: Option<Date>) -> Split {
        let mut used: BTreeSet<&Fingerprint> = BTreeSet::new();
        let mut split = Split::default();
        for finding in findings.iter_mut() {
            let Some(entry) = self.entry_of(finding) else {
                continue;
            };
            let is_first = used.insert(&entry.fingerprint);
            if entry.is_expired(today) {
                if finding.accepted.is_none() {
                    split.expired.extend(is_first.then(|| entry.clone()));
                    let day = entry.expires.map(|day| day.to_string());
                    let day = day.unwrap_or_default();
                    finding
                        .reasons
                        .push(format!("its entry in the baseline expired on {day}"));
                }
            } else if finding.accepted.is_none() {
                let reason = entry.reason.clone().unwrap_or_default();
                finding.accepted = Some(Acceptance::Baseline(reason));
                split.accepted += 1;
            }
        }
        let unused = self.entries();
        split.unused = unused
            .filter(|entry| !used.contains(&entry.fingerprint))
            .cloned()
            .collect();
        split
            .expired
            .sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        split
    }

    /// Gives entries the fingerprints, rules and secrets of the findings that they accept, where those have changed: a
    /// rule that has another name, a key ID that came or went, an entry that was written without `secret=`. Reasons and
    /// days stay. An entry whose own finding is still there is not moved. Returns how many entries changed.
    pub fn rekey(&mut self, findings: &[Finding]) -> usize {
        let own: BTreeSet<&Fingerprint> = findings.iter().map(|it| &it.fingerprint).collect();
        let mut changed = 0;
        for finding in findings {
            let Some(old) = self.entry_of(finding).cloned() else {
                continue;
            };
            let is_own = old.fingerprint == finding.fingerprint;
            if !is_own && own.contains(&old.fingerprint) {
                continue;
            }
            let new = Entry::of(finding, old.reason.clone(), old.expires);
            if is_own && (&new.rule, &new.secret) == (&old.rule, &old.secret) {
                continue;
            }
            self.remove(&old.fingerprint);
            self.insert(new);
            changed += 1;
        }
        changed
    }
}

/// Reason why a baseline could not be used.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// It cannot be written.
    Write {
        /// The file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// Everything that is wrong in it.
    Faults(Vec<Fault>),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, .. } => write!(f, "cannot read {}", path.display()),
            Self::Write { path, .. } => write!(f, "cannot write {}", path.display()),
            Self::Faults(faults) => {
                let count = faults.len();
                let noun = if count == 1 { "fault" } else { "faults" };
                write!(f, "{count} {noun} in a baseline")?;
                faults.iter().try_for_each(|fault| write!(f, "\n{fault}"))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => Some(source),
            Self::Faults(_) => None,
        }
    }
}

/// Samples that the tests of this room share.
#[cfg(test)]
mod sample {
    use super::*;
    use crate::finding::sample;

    pub(super) fn finding(rule: &str, secret: &str, path: &str, line: usize) -> Finding {
        sample::finding(rule, secret, vec![sample::place(path, line)])
    }
}

#[cfg(test)]
mod tests {
    use super::sample::finding;
    use super::*;

    #[test]
    fn a_moved_finding_stays_accepted_and_a_different_secret_is_new() {
        let mut baseline = Baseline::default();
        let old = finding("r", "one", "a", 1);
        baseline.insert(Entry::of(&old, Some("why".to_owned()), None));
        let mut findings = [finding("r", "one", "b", 9), finding("r", "two", "a", 1)];
        let split = baseline.accept(&mut findings, None);
        assert_eq!(
            findings[0].accepted,
            Some(Acceptance::Baseline("why".to_owned()))
        );
        assert_eq!(findings[1].accepted, None);
        assert_eq!((split.accepted, split.unused.len()), (1, 0));
    }

    #[test]
    fn an_expired_entry_does_not_accept() {
        let mut baseline = Baseline::default();
        let day = Date::parse("2026-01-31");
        baseline.insert(Entry::of(&finding("r", "one", "a", 1), None, day));
        for (today, accepted) in [("2026-01-31", 1), ("2026-02-01", 0)] {
            let mut findings = [finding("r", "one", "a", 1)];
            let split = baseline.accept(&mut findings, Date::parse(today));
            assert_eq!(split.accepted, accepted, "{today}");
            assert_eq!(split.expired.len(), 1 - accepted, "{today}");
            assert!(split.unused.is_empty());
        }
        let mut findings = [finding("r", "one", "a", 1)];
        assert_eq!(baseline.accept(&mut findings, None).accepted, 0);
    }

    #[test]
    fn entries_without_a_finding_are_unused() {
        let mut baseline = Baseline::default();
        baseline.insert(Entry::of(&finding("r", "one", "a", 1), None, None));
        assert_eq!(baseline.accept(&mut [], None).unused.len(), 1);
    }

    /// A secret as long as one that AWS makes.
    const LONG: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn a_secret_is_accepted_under_another_rule_until_the_earliest_day() {
        let mut baseline = Baseline::default();
        let other = finding("alone", LONG, "b", 2);
        baseline.insert(Entry::of(&finding("pair", LONG, "a", 1), None, None));
        let split = baseline.accept(&mut [other.clone(), finding("pair", LONG, "a", 1)], None);
        assert_eq!((split.accepted, split.unused.len()), (2, 0));
        let day = Date::parse("2026-01-31");
        baseline.insert(Entry::of(&finding("third", LONG, "a", 1), None, day));
        let mut findings = [other, finding("pair", LONG, "a", 1)];
        let split = baseline.accept(&mut findings, Date::parse("2026-02-01"));
        assert_eq!((split.accepted, split.expired.len()), (1, 1));
        assert!(findings[0].accepted.is_none() && findings[1].accepted.is_some());
        // A word that people choose is no secret by itself.
        let mut baseline = Baseline::default();
        baseline.insert(Entry::of(&finding("pair", "changeme", "a", 1), None, None));
        assert_eq!(
            baseline
                .accept(&mut [finding("alone", "changeme", "b", 2)], None)
                .accepted,
            0
        );
    }

    #[test]
    fn entries_move_to_the_findings_that_they_accept() {
        let mut baseline = Baseline::default();
        let day = Date::parse("2027-01-31");
        let mut old = Entry::of(
            &finding("old-rule", LONG, "a", 1),
            Some("why".to_owned()),
            day,
        );
        baseline.insert(old.clone());
        let new = finding("new-rule", LONG, "a", 1);
        assert_eq!(baseline.rekey(std::slice::from_ref(&new)), 1);
        let entries: Vec<&Entry> = baseline.entries().collect();
        assert_eq!(entries.len(), 1);
        assert_eq!(*entries[0], Entry::of(&new, Some("why".to_owned()), day));
        assert_eq!(baseline.rekey(std::slice::from_ref(&new)), 0);
        // One whose finding is there stays, and one that had no `secret=` gets it.
        (old.secret, old.rule) = (None, "old-rule".to_owned());
        let mut baseline = Baseline::default();
        baseline.insert(old);
        assert_eq!(baseline.rekey(&[finding("old-rule", LONG, "a", 1), new]), 1);
        let entry = baseline.entries().next().expect("an entry");
        assert_eq!(
            (entry.rule.as_str(), entry.secret.is_some()),
            ("old-rule", true)
        );
    }
}
