//! What the configuration says is harmless, with the reason.

use std::path::Path;

use bstr::BStr;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use regex::bytes::Regex;

use crate::finding::{Finding, Place};
use crate::text::paths::Base;

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
    /// Why it is harmless.
    pub reason: String,
}

/// All entries, ready to be held against findings.
#[derive(Clone, Debug, Default)]
pub struct Allowlist {
    entries: Vec<Entry>,
    base: Base,
}

#[derive(Clone, Debug)]
struct Entry {
    allow: Allow,
    paths: Option<Gitignore>,
}

/// The entries that cover a finding, if its place is right.
#[derive(Debug)]
pub(super) struct Matching<'a> {
    entries: Vec<(usize, &'a Entry)>,
    base: &'a Base,
}

impl Allowlist {
    /// Compiles the patterns of `entries`; a pattern that cannot be read is the error.
    pub fn new(entries: Vec<Allow>, base: Base) -> Result<Self, ignore::Error> {
        let entries = entries
            .into_iter()
            .map(|allow| {
                let paths = match allow.paths.is_empty() {
                    true => None,
                    false => Some(patterns(&allow.paths)?),
                };
                Ok(Entry { allow, paths })
            })
            .collect::<Result<_, ignore::Error>>()?;
        Ok(Self { entries, base })
    }

    /// Returns how many entries there are.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether an entry speaks of the path, whatever else it demands.
    pub fn names(&self, path: &BStr) -> bool {
        let path = self.base.below_root(path);
        let is_in = |paths: &Gitignore, path: &Path| {
            paths.matched_path_or_any_parents(path, false).is_ignore()
        };
        path.is_some_and(|path| {
            let paths = self.entries.iter().filter_map(|entry| entry.paths.as_ref());
            paths.into_iter().any(|paths| is_in(paths, &path))
        })
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
            base: &self.base,
        }
    }
}

impl Allow {
    /// Whether a finding is covered, paths apart.
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
    pub(super) fn covering(&self, place: &Place) -> Vec<usize> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        let path = self.base.below_root(place.path.as_ref());
        let covers = |entry: &Entry| match (&entry.paths, &path) {
            (None, _) => true,
            (Some(paths), Some(path)) => paths
                .matched_path_or_any_parents(path.as_ref(), false)
                .is_ignore(),
            (Some(_), None) => false,
        };
        let entries = self.entries.iter();
        entries
            .filter(|(_, entry)| covers(entry))
            .map(|(number, _)| *number)
            .collect()
    }
}

fn patterns(globs: &[String]) -> Result<Gitignore, ignore::Error> {
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        builder.add_line(None, glob)?;
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::super::{Acceptance, accept};
    use super::*;
    use crate::finding::sample::{finding, place};

    fn allowlist(allow: Allow, base: Base) -> Allowlist {
        Allowlist::new(vec![allow], base).unwrap()
    }

    fn is_accepted(allow: Allow, base: Base, rule: &str, secret: &str, path: &str) -> bool {
        let mut findings = [finding(rule, secret, vec![place(path, 1)])];
        accept(&mut findings, &allowlist(allow, base));
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
            ("r", "test-1", "fixtures/a", true),
            ("q", "test-1", "fixtures/a", false),
            ("r", "live-1", "fixtures/a", false),
            ("r", "test-1", "src/fixtures/a", false),
        ] {
            let found = is_accepted(allow.clone(), Base::Root, rule, secret, path);
            assert_eq!(found, expected, "{rule} {secret} {path}");
        }
    }

    #[test]
    fn paths_are_held_against_the_root_wherever_the_program_runs() {
        let allow = Allow {
            paths: vec!["/sub/fixtures/*.env".to_owned()],
            reason: "why".to_owned(),
            ..Allow::default()
        };
        let base = Base::Directory {
            current: "/home/ada/repo/sub".into(),
            root: "/home/ada/repo".into(),
            named: Vec::new(),
        };
        for (path, expected) in [
            ("fixtures/a.env", true),
            ("./fixtures/a.env", true),
            ("/home/ada/repo/sub/fixtures/a.env", true),
            ("../sub/fixtures/a.env", true),
            ("sub/fixtures/a.env", false),
            ("/else/sub/fixtures/a.env", false),
            ("../../x", false),
        ] {
            let found = is_accepted(allow.clone(), base.clone(), "r", "s", path);
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn a_key_id_that_is_not_there_is_not_matched() {
        let allow = Allow {
            key_ids: vec![Regex::new("").unwrap()],
            reason: "why".to_owned(),
            ..Allow::default()
        };
        assert!(!is_accepted(allow, Base::Root, "r", "s", "p"));
    }
}
