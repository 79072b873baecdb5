//! Bytes in, matches out.
//!
//! The stages, each a function: [`prefilter`] (one pass for rare literals), confirm (the rule's regex on
//! a bounded window), pair (the other half nearby), filter (what only looks like a secret). A clean blob
//! costs the first stage and nothing else. The engine knows no Git, files, threads, clock or output.

mod confirm;
pub mod literal;
pub mod prefilter;

use std::sync::Arc;

use crate::blob::Span;
use crate::finding::Level;
use crate::rule::RuleSet;
use crate::secret::Secret;
use confirm::Confirmed;
use prefilter::{Hit, Prefilter};

/// Index of a rule in its [`RuleSet`].
pub type RuleIndex = usize;

/// What the engine found: a rule and where its parts stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// The first byte to the last of all parts.
    pub span: Span,
    /// The rule in [`RuleSet::rules`].
    pub rule: RuleIndex,
    /// The rule's level, or lower where a check found reason.
    pub level: Level,
    /// The public half.
    pub key_id: Option<Part>,
    /// The secret.
    pub secret: Option<Part>,
    /// The session token.
    pub token: Option<Part>,
    /// What kind of place it is.
    pub context: Option<String>,
    /// Why the level was lowered, or what else is known.
    pub reasons: Vec<String>,
}

/// One part of a match: where it stands in the original bytes and what it decodes to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Bytes of the original text; in an encoded text the encoded form.
    pub span: Span,
    /// What a client would use.
    pub value: Secret,
}

/// Buffers that one worker reuses from blob to blob.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    hits: Vec<Hit>,
    confirmed: Confirmed,
    redact: Vec<Span>,
}

impl Scratch {
    /// Every span that may hold secret bytes, reported or not: what a snippet must cut out.
    pub fn redact(&self) -> &[Span] {
        &self.redact
    }
}

/// Compiled rules with their searchers. Shared by all workers.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<RuleSet>,
    prefilter: Prefilter,
}

impl Engine {
    /// Builds the searchers.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let prefilter = Prefilter::new(&rules);
        Self { rules, prefilter }
    }

    /// The rules it was built from.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The first stage alone.
    pub fn prefilter(&self) -> &Prefilter {
        &self.prefilter
    }

    /// Finds what the rules describe in `bytes`, sorted by place. The result lives in `scratch`.
    pub fn scan<'s>(&self, bytes: &[u8], scratch: &'s mut Scratch) -> &'s [Match] {
        scratch.hits.clear();
        scratch.confirmed.clear();
        scratch.redact.clear();
        self.prefilter.find(bytes, &mut scratch.hits);
        if scratch.hits.is_empty() {
            return &scratch.confirmed.matches;
        }
        let (rules, prefilter) = (&self.rules, &self.prefilter);
        confirm::confirm(
            rules,
            prefilter,
            bytes,
            &scratch.hits,
            &mut scratch.confirmed,
        );
        let confirmed = &mut scratch.confirmed;
        confirmed.matches.sort();
        scratch
            .redact
            .extend(confirmed.rejected.iter().map(|rejected| rejected.span));
        &confirmed.matches
    }
}
