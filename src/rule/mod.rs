//! Rules: as a person writes them ([`mod@file`]), then in the form the engine uses ([`RuleSet`]).
//!
//! | module | what it does |
//! |---|---|
//! | [`mod@file`], `reader` | a rule file as written; all its faults, each with line and key |
//! | `builtin` | the built-in rules: constant tables that the build makes of `rules.toml` |
//! | [`compile`] | joins the built-in rules with the user's into a [`RuleSet`] |
//! | [`keyword`] | literals that lead to a place, and their encoded forms |
//! | `pattern` | regexes that are checked when they are read and compiled when they are used |
//! | [`check`], [`pem`] | the named checks that need code |
//! | [`allowlist`] | what a rule never reports, with the reason |
//! | [`example`] | makes the texts of examples, so that no rule file contains a key |
//!
//! This room knows patterns and bytes; it knows no blobs and not where a rule file came from.

pub mod allowlist;
mod builtin;
pub mod check;
pub mod compile;
pub mod example;
pub mod file;
pub mod keyword;
mod pattern;
pub mod pem;
mod reader;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

pub use crate::finding::AwsRule;
use crate::level::Level;
pub use crate::text::document::Fault;
use allowlist::Allowlist;
use check::Check;
use keyword::Keyword;
pub use pattern::{Compiled, Pattern};

/// Bytes before a keyword in which a match may begin.
pub const WINDOW_BEFORE: usize = 256;

/// Bytes after a keyword in which a match may end, unless the rule says otherwise.
pub const WINDOW_AFTER: usize = 1024;

/// The largest window after a keyword that a rule may ask for.
pub const WINDOW_LIMIT: usize = 16 * 1024;

/// Text of a rule: of the program, or of a user's file.
pub type Text = Cow<'static, str>;

/// Rules that are ready to use, built-in and the user's, in the order of their ids.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// The rules; a `RuleIndex` counts into this.
    pub rules: Cow<'static, [Rule]>,
    hash: OnceLock<String>,
}

impl RuleSet {
    /// Takes rules in any order.
    pub fn new(mut rules: Vec<Rule>) -> Self {
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        Self {
            rules: rules.into(),
            hash: OnceLock::new(),
        }
    }

    /// The place of the rule with this id.
    pub fn index_of(&self, id: &str) -> Option<usize> {
        self.rules
            .binary_search_by(|rule| rule.id.as_ref().cmp(id))
            .ok()
    }

    /// First 16 hex digits of SHA-256 over everything that can change a result.
    pub fn hash(&self) -> &str {
        self.hash.get_or_init(|| compile::hash(&self.rules))
    }
}

/// The part of the engine that decides whether a rule matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The regex, the checks and the neighbours of this rule: the generic confirm stage.
    #[default]
    Generic,
    /// Code for AWS credentials; the regex says only what the rule is about.
    Aws(AwsRule),
}

impl Kind {
    /// Returns true if code for AWS credentials decides.
    pub fn is_aws(self) -> bool {
        matches!(self, Self::Aws(_))
    }
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// A stable name such as `aws-secret-access-key`, never reused.
    pub id: Text,
    /// Description of the find, and of what its holder could do.
    pub description: Text,
    /// One line of what to do.
    pub advice: Text,
    /// Level of a full match.
    pub level: Level,
    /// The part of the engine that decides.
    pub kind: Kind,
    /// Literals of which any match contains at least one.
    pub keywords: Cow<'static, [Keyword]>,
    /// Pattern that decides, on a window around a keyword.
    pub pattern: Pattern,
    /// Bytes after a keyword in which a match may end.
    pub window: usize,
    /// Checks that a match has to pass.
    pub checks: Cow<'static, [Check]>,
    /// The other half that has to be nearby.
    pub pairs_with: Option<PairsWith>,
    /// Matches that are never reported.
    pub allowlists: Cow<'static, [Allowlist]>,
    /// Documentation of the format.
    pub references: Texts,
    /// Templates of texts in which the rule finds something.
    pub examples: Texts,
    /// Templates of texts in which it does not.
    pub negative_examples: Texts,
    /// Description of what the secret opens.
    pub opens: Text,
    /// Steps against a leaked one, in order.
    pub rotate: Texts,
}

impl Rule {
    /// Returns true if a text has one of the keywords.
    pub fn has_keyword(&self, text: &[u8]) -> bool {
        let holds = |keyword: &Keyword| memchr::memmem::find(text, &keyword.bytes).is_some();
        self.keywords.iter().any(holds)
    }
}

/// A list of texts in one piece. A constant table of many lists would otherwise cost each start of the program an
/// address to fill in per text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts(Text);

impl Texts {
    /// Mark that ends each text, and is in none.
    pub const END: char = '\u{1e}';

    /// Takes a list that was joined already: [`Self::END`] behind each text.
    pub(crate) const fn joined(joined: &'static str) -> Self {
        Self(Text::Borrowed(joined))
    }

    /// The texts, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator(Self::END)
    }

    /// Returns the number of texts.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Returns true if there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: AsRef<str>> FromIterator<T> for Texts {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut joined = String::new();
        for text in texts {
            joined.push_str(text.as_ref());
            joined.push(Self::END);
        }
        Self(joined.into())
    }
}

/// The other half that has to be near a match; it gives the match its key id.
#[derive(Clone, Debug)]
pub struct PairsWith {
    /// Pattern of the other half. Its group `key_id`, or all of it, is the public half.
    pub pattern: Pattern,
    /// Greatest distance from the match, in lines.
    pub lines: usize,
    /// True if a match counts without it as well.
    pub optional: bool,
}

/// Reason why rules could not be used.
#[derive(Debug)]
pub enum Error {
    /// A rule file could not be read.
    Read {
        /// The file.
        name: String,
        /// Error of the system.
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
