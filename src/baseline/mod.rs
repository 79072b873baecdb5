//! Accepted findings of an earlier run, by content identity alone.
//!
//! The file is text, one finding a line, sorted, without line numbers and times, so that it merges:
//!
//! ```text
//! # keysieve baseline 1
//! ks1:0123456789abcdef0123456789abcdef aws-access-key expires=2027-01-31 path=tests/fixtures/a.env # made up
//! ```
//!
//! A line is the fingerprint, the rule and then, each if there is one, `expires=`, `path=` and the reason after
//! `#`. The path helps a person and decides nothing; in it, white space, `%` and `#` are written as `%20` and so on.
//! Empty lines and lines that begin with `#` are comments. The same finding twice (`merge=union` does that) is one:
//! the earlier expiry counts.

mod date;
mod file;
mod import;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use crate::document::Fault;
use crate::finding::{Acceptance, Finding, Fingerprint};

pub use date::Date;
pub use import::{Import, Matched};

/// The name under which a baseline is found at the root of a repository.
pub const FILE_NAME: &str = ".keysieve-baseline";

/// Accepted findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<Fingerprint, Entry>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is accepted.
    pub fingerprint: Fingerprint,
    /// The rule that found it.
    pub rule: String,
    /// Where it stood when it was accepted; may be stale.
    pub path: Option<String>,
    /// Why it is accepted.
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
            path: Some(finding.first_place().path.to_string()),
            reason: reason.filter(|reason| !reason.trim().is_empty()),
            expires,
        }
    }

    /// Whether its last day is over. Where the day is not known, what expires has expired.
    pub fn is_expired(&self, today: Option<Date>) -> bool {
        match (self.expires, today) {
            (None, _) => false,
            (Some(last), Some(today)) => today > last,
            (Some(_), None) => true,
        }
    }
}

/// What a baseline did for a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// How many findings it accepted.
    pub accepted: usize,
    /// Entries that no finding has, sorted.
    pub unused: Vec<Entry>,
    /// Entries whose day is over and that a finding has, sorted.
    pub expired: Vec<Entry>,
}

impl Baseline {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, sorted.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// The entry of a finding, expired or not.
    pub fn get(&self, fingerprint: &Fingerprint) -> Option<&Entry> {
        self.entries.get(fingerprint)
    }

    /// Adds an entry, or puts it in the place of the one that is there.
    pub fn insert(&mut self, entry: Entry) {
        self.entries.insert(entry.fingerprint.clone(), entry);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, fingerprint: &Fingerprint) -> Option<Entry> {
        self.entries.remove(fingerprint)
    }
}

/// Accepts the findings that the baseline has, and says which of its entries were of no use.
///
/// What is accepted already stays as it is; an entry for it counts as used.
pub fn split(findings: &mut [Finding], baseline: &Baseline, today: Option<Date>) -> Split {
    let mut used: BTreeSet<&Fingerprint> = BTreeSet::new();
    let mut split = Split::default();
    for finding in findings.iter_mut() {
        let Some(entry) = baseline.get(&finding.fingerprint) else {
            continue;
        };
        used.insert(&entry.fingerprint);
        if entry.is_expired(today) {
            if finding.accepted.is_none() {
                split.expired.push(entry.clone());
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
    let unused = baseline.entries();
    split.unused = unused
        .filter(|entry| !used.contains(&entry.fingerprint))
        .cloned()
        .collect();
    split
        .expired
        .sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    split
}

/// Why a baseline could not be used.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It cannot be written.
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
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

/// What the tests of this room share.
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
        let split = split(&mut findings, &baseline, None);
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
            let split = split(&mut findings, &baseline, Date::parse(today));
            assert_eq!(split.accepted, accepted, "{today}");
            assert_eq!(split.expired.len(), 1 - accepted, "{today}");
            assert!(split.unused.is_empty());
        }
        let mut findings = [finding("r", "one", "a", 1)];
        assert_eq!(split(&mut findings, &baseline, None).accepted, 0);
    }

    #[test]
    fn entries_without_a_finding_are_unused() {
        let mut baseline = Baseline::default();
        baseline.insert(Entry::of(&finding("r", "one", "a", 1), None, None));
        assert_eq!(split(&mut [], &baseline, None).unused.len(), 1);
    }
}
