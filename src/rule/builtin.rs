//! The built-in rules in the form that is read at start-up: JSON, written from `rules.toml` by `build/rules.rs`.

use std::borrow::Cow;

use serde::Deserialize;

use super::allowlist::{Allowlist, Subject};
use super::check::Check;
use super::file::PairsWithText;
use super::{Kind, PairsWith, Pattern, Rule, WINDOW_AFTER};
use crate::finding::Level;

const RULES: &str = include_str!(concat!(env!("OUT_DIR"), "/rules.json"));

/// A rule without prose and examples.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Short<'a> {
    id: String,
    description: String,
    advice: String,
    level: Cow<'a, str>,
    kind: Option<Cow<'a, str>>,
    keywords: Vec<String>,
    regex: Cow<'a, str>,
    window: Option<usize>,
    #[serde(default)]
    checks: Vec<Cow<'a, str>>,
    pairs_with: Option<PairsWithText>,
    #[serde(default)]
    allowlists: Vec<ShortAllowlist<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShortAllowlist<'a> {
    secret: Option<Cow<'a, str>>,
    line: Option<Cow<'a, str>>,
    reason: String,
}

/// The rules, in the order of their file.
pub(super) fn rules() -> Vec<Rule> {
    let rules: Vec<Short<'_>> =
        serde_json::from_str(RULES).expect("a test reads the built-in rules");
    rules.into_iter().map(Rule::from).collect()
}

impl From<Short<'_>> for Rule {
    fn from(short: Short<'_>) -> Self {
        let known = "a test reads the built-in rules";
        Self {
            id: short.id,
            description: short.description,
            advice: short.advice,
            level: Level::from_name(&short.level).expect(known),
            kind: match short.kind.as_deref() {
                Some("aws") => Kind::Aws,
                None => Kind::Generic,
                Some(_) => unreachable!("{known}"),
            },
            keywords: short.keywords.into_iter().map(String::into_bytes).collect(),
            pattern: Pattern::trusted(&short.regex),
            window: short.window.unwrap_or(WINDOW_AFTER),
            checks: short
                .checks
                .iter()
                .map(|check| Check::parse(check).expect(known))
                .collect(),
            pairs_with: short.pairs_with.map(PairsWith::from),
            allowlists: short.allowlists.into_iter().map(Allowlist::from).collect(),
        }
    }
}

impl From<ShortAllowlist<'_>> for Allowlist {
    fn from(short: ShortAllowlist<'_>) -> Self {
        let (subject, regex) = match (short.secret, short.line) {
            (Some(regex), None) => (Subject::Secret, regex),
            (None, Some(regex)) => (Subject::Line, regex),
            _ => unreachable!("a test reads the built-in rules"),
        };
        Self {
            subject,
            pattern: Pattern::trusted(&regex),
            reason: short.reason,
        }
    }
}
