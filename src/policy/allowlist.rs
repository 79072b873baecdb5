//! Entries of the configuration about what is harmless, with the reason.

use bstr::BStr;
use regex::bytes::Regex;

use super::globs::{Globs, PatternError};
use crate::finding::{Finding, Place};

/// One entry: every condition that it states has to hold, of each list any item.
#[derive(Clone, Debug, Default)]
pub struct Allow {
    /// Paths, in the syntax of `.gitignore`. Empty: any path.
    pub paths: Vec<String>,
    /// Regexes of which one matches the secret. Empty: any secret.
    pub secrets: Vec<Regex>,
    /// Regexes of which one matches the key id. Empty: any key id, or none.
    pub key_ids: Vec<Regex>,
    /// Rules. Empty: any rule.
    pub rules: Vec<String>,
    /// Reason why it is harmless.
    pub reason: String,
}

/// All entries, ready to be held against findings.
#[derive(Clone, Debug, Default)]
pub struct Allowlist {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    allow: Allow,
    paths: Option<Globs>,
}

/// The entries that cover a finding, if its place is right.
#[derive(Debug)]
pub(super) struct Matching<'a> {
    entries: Vec<(usize, &'a Entry)>,
}

impl Allowlist {
    /// Compiles the patterns of `entries`; a pattern that cannot be read is the error.
    pub fn new(entries: Vec<Allow>) -> Result<Self, PatternError> {
        let entries = entries
            .into_iter()
            .map(|allow| {
                let paths = match allow.paths.is_empty() {
                    true => None,
                    false => Some(Globs::new(allow.paths.iter().map(String::as_str))?),
                };
                Ok(Entry { allow, paths })
            })
            .collect::<Result<_, PatternError>>()?;
        Ok(Self { entries })
    }

    /// Adds the entries of another.
    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    /// Returns how many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns true if an entry names the path, which is below the root, whatever else the entry demands.
    pub fn names(&self, path: &BStr) -> bool {
        let mut paths = self.entries.iter().filter_map(|entry| entry.paths.as_ref());
        paths.any(|paths| paths.matches(path))
    }

    pub(super) fn reason(&self, entry: usize) -> &str {
        self.entries
            .get(entry)
            .map_or("", |entry| entry.allow.reason.as_str())
    }

    pub(super) fn of(&self, finding: &Finding) -> Matching<'_> {
        let entries = self.entries.iter().enumerate();
        Matching {
            entries: entries
                .filter(|(_, entry)| entry.allow.covers(finding))
                .collect(),
        }
    }
}

impl Allow {
    /// Returns true if a finding is covered, paths apart.
    fn covers(&self, finding: &Finding) -> bool {
        let any = |regexes: &[Regex], text: Option<&[u8]>| {
            regexes.is_empty()
                || text.is_some_and(|text| regexes.iter().any(|regex| regex.is_match(text)))
        };
        let secret = finding.secret.as_ref().map(|secret| secret.expose());
        (self.rules.is_empty() || self.rules.contains(&finding.rule))
            && any(&self.secrets, secret)
            && any(
                &self.key_ids,
                finding.key_id.as_ref().map(|id| id.as_bytes()),
            )
    }
}

impl Matching<'_> {
    /// The numbers of the entries that cover `place`.
    ///
    /// Paths are matched against the patterns without their first `length` bytes: those of the entries' folder.
    pub(super) fn covering(&self, place: &Place, length: usize) -> Vec<usize> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let covers = |entry: &Entry| match &entry.paths {
            None => true,
            Some(paths) => place.files_from(length).any(|file| paths.matches(&file)),
        };
        let entries = self.entries.iter();
        entries
            .filter(|(_, entry)| covers(entry))
            .map(|(number, _)| *number)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Acceptance, Exceptions, accept};
    use super::*;
    use crate::finding::sample::{finding, place};

    fn is_accepted(allow: Allow, rule: &str, secret: &str, file: Option<&str>) -> bool {
        let mut place = place("as typed", 1);
        place.file = file.map(Into::into);
        let mut findings = [finding(rule, secret, vec![place])];
        let exceptions = Exceptions {
            allowlist: Allowlist::new(vec![allow]).unwrap(),
            ..Exceptions::default()
        };
        accept(&mut findings, &exceptions);
        matches!(&findings[0].accepted, Some(Acceptance::Allowlist(reason)) if reason == "why")
    }

    #[test]
    fn every_condition_has_to_hold() {
        let allow = Allow {
            paths: vec!["/fixtures/".to_owned()],
            secrets: vec![Regex::new("^test-").unwrap()],
            rules: vec!["r".to_owned()],
            reason: "why".to_owned(),
            ..Allow::default()
        };
        for (rule, secret, path, expected) in [
            ("r", "test-1", Some("fixtures/a"), true),
            ("r", "test-1", None, false),
            ("q", "test-1", Some("fixtures/a"), false),
            ("r", "live-1", Some("fixtures/a"), false),
            ("r", "test-1", Some("src/fixtures/a"), false),
        ] {
            let found = is_accepted(allow.clone(), rule, secret, path);
            assert_eq!(found, expected, "{rule} {secret} {path:?}");
        }
    }

    #[test]
    fn a_key_id_that_is_not_there_is_not_matched() {
        let allow = Allow {
            key_ids: vec![Regex::new("").unwrap()],
            reason: "why".to_owned(),
            ..Allow::default()
        };
        assert!(!is_accepted(allow, "r", "s", Some("p")));
    }
}
