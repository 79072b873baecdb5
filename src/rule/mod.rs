//! Rules: as a person writes them ([`mod@file`]), then in the form the engine uses ([`RuleSet`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`mod@file`], `reader` | a rule file as written; all its faults, each with line and key |
//! | `builtin` | the built-in rules as they are read at start-up |
//! | [`compile`] | joins the built-in rules with the user's into a [`RuleSet`] |
//! | [`check`], [`pem`] | the named checks that need code |
//! | [`allowlist`] | what a rule never reports, with the reason |
//! | [`example`] | makes the texts of examples, so that no key stands in a rule file |
//!
//! This room knows patterns and bytes; it knows no blobs and not where a rule file came from.

pub mod allowlist;
mod builtin;
pub mod check;
pub mod compile;
pub mod example;
pub mod file;
pub mod pem;
mod reader;

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex, RegexBuilder};

pub use crate::document::Fault;
use crate::finding::Level;
use allowlist::Allowlist;
use check::Check;

/// Bytes before a keyword in which a match may begin.
pub const WINDOW_BEFORE: usize = 256;

/// Bytes after a keyword in which a match may end, unless the rule says otherwise.
pub const WINDOW_AFTER: usize = 1024;

/// The largest window after a keyword that a rule may ask for.
pub const WINDOW_LIMIT: usize = 16 * 1024;

/// Compiled rules, built-in and the user's, in the order of their ids.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// The rules; a `RuleIndex` counts into this.
    pub rules: Vec<Rule>,
    /// First 16 hex digits of SHA-256 over everything that can change a result.
    pub hash: String,
}

impl RuleSet {
    /// The place of the rule with this id.
    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.rules
            .binary_search_by(|rule| rule.id.as_str().cmp(id))
            .ok()
    }
}

/// Who decides whether a rule matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The regex, the checks and the neighbours of this rule: the generic confirm stage.
    #[default]
    Generic,
    /// Code for AWS credentials; the regex says only what the rule is about.
    Aws,
}

/// One compiled rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// A stable name such as `aws-secret-access-key`, never reused.
    pub id: String,
    /// What was found and what its holder could do.
    pub description: String,
    /// One line of what to do.
    pub advice: String,
    /// How much a full match weighs.
    pub level: Level,
    /// Who decides.
    pub kind: Kind,
    /// Literals of which any match contains at least one. Bytes, case-sensitive.
    pub keywords: Vec<Vec<u8>>,
    /// What decides, on a window around a keyword.
    pub pattern: Pattern,
    /// Bytes after a keyword in which a match may end.
    pub window: usize,
    /// What a match has to pass.
    pub checks: Vec<Check>,
    /// What has to stand nearby.
    pub pairs_with: Option<PairsWith>,
    /// What is never reported.
    pub allowlists: Vec<Allowlist>,
}

/// What has to stand near a match; it gives the match its key id.
#[derive(Clone, Debug)]
pub struct PairsWith {
    /// What to look for. Its group `key_id`, or all of it, is the public half.
    pub pattern: Pattern,
    /// How many lines away it may stand.
    pub lines: usize,
    /// Whether a match counts without it as well.
    pub optional: bool,
}

/// A regex that is compiled when it is first used: at start-up nothing is paid for rules that do not match.
#[derive(Clone)]
pub struct Pattern {
    source: Arc<str>,
    compiled: Arc<OnceLock<Compiled>>,
}

/// A regex and its named groups.
#[derive(Debug)]
pub struct Compiled {
    /// Works on bytes: `.` and negated classes match what is not UTF-8 too.
    pub regex: Regex,
    /// Index of the group named `secret`; 0 if the whole match is the secret.
    pub secret_group: usize,
    /// Index of the group named `key_id`, the public half, if there is one.
    pub key_id_group: Option<usize>,
}

impl Pattern {
    /// Takes a regex that is known to be valid: one that a rule file's reader has compiled before, or a built-in one.
    pub(crate) fn trusted(source: &str) -> Self {
        Self {
            source: source.into(),
            compiled: Arc::default(),
        }
    }

    /// Takes a regex and compiles it now.
    #[cfg(test)]
    pub(crate) fn checked(source: &str) -> Result<Self, regex::Error> {
        let pattern = Self::trusted(source);
        let compiled = Compiled::new(source)?;
        pattern.compiled.get_or_init(|| compiled);
        Ok(pattern)
    }

    /// Whether somebody has paid for it.
    #[cfg(test)]
    pub(crate) fn is_compiled(&self) -> bool {
        self.compiled.get().is_some()
    }

    /// The regex as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The compiled form.
    pub fn get(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            Compiled::new(&self.source)
                .expect("rule files are checked, and a test checks the built-in one")
        })
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl Compiled {
    fn new(source: &str) -> Result<Self, regex::Error> {
        let regex = RegexBuilder::new(source)
            .unicode(false)
            .size_limit(4 << 20)
            .build()?;
        let group = |name: &str| regex.capture_names().position(|found| found == Some(name));
        Ok(Self {
            secret_group: group("secret").unwrap_or(0),
            key_id_group: group("key_id"),
            regex,
        })
    }
}

/// Why rules could not be used.
#[derive(Debug)]
pub enum Error {
    /// A rule file could not be read.
    Read {
        /// The file.
        name: String,
        /// Why not.
        source: std::io::Error,
    },
    /// One or more rule files are wrong: everything that is wrong with them.
    Faults(Vec<Fault>),
    /// No rule has this id.
    UnknownRule(String),
    /// The report of a command could not be written.
    Write(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { name, .. } => write!(f, "could not read rule file {name}"),
            Self::Faults(faults) => {
                let count = faults.len();
                let noun = if count == 1 { "fault" } else { "faults" };
                write!(f, "{count} {noun} in rules")?;
                for fault in faults {
                    write!(f, "\n{fault}")?;
                }
                Ok(())
            }
            Self::UnknownRule(id) => write!(f, "no rule has the id `{id}`"),
            Self::Write(_) => f.write_str("could not write the answer"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write(source) => Some(source),
            Self::Faults(_) | Self::UnknownRule(_) => None,
        }
    }
}
