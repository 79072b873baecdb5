//! Bytes in, matches out.
//!
//! The stages, each a function: [`prefilter`] (one pass for rare literals), confirm (the rule's regex on
//! a bounded window), pair (the other half nearby), filter (what only looks like a secret). A clean blob
//! costs the first stage and nothing else. The engine knows no Git, files, threads, clock or output.

mod aws;
mod base64;
mod binary;
mod confirm;
mod decode;
pub mod literal;
pub mod prefilter;
mod region;
mod view;

use std::sync::Arc;

use crate::blob::Span;
use crate::level::Level;
use crate::rule::RuleSet;
use crate::secret::Secret;
use aws::credentials::{self, Credentials};
use confirm::Confirmed;
use prefilter::{Hit, Prefilter};
use view::View;

/// Index of a rule in its [`RuleSet`].
pub type RuleIndex = usize;

/// A finding of the engine: a rule and the positions of its parts.
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
    /// Kind of place: `boto3 call`, `Terraform state`, ...
    pub context: Option<String>,
    /// Reasons for a lowered level, and other remarks.
    pub reasons: Vec<String>,
    /// Position of a value that may be the secret of a lone key ID, but could as well be another's.
    pub possible: Option<Span>,
}

/// One part of a match: its position in the original bytes and its decoded value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// Bytes of the original text; in an encoded text the encoded form. Empty if the part is known from another place
    /// of the same blob and is missing here.
    pub span: Span,
    /// The decoded value, as a client would use it.
    pub value: Secret,
}

/// Reason why a candidate is not reported, or is reported with a lower level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Explanation {
    /// Position of the candidate.
    pub span: Span,
    /// The reason in words; contains nothing of the text.
    pub text: String,
}

/// Collected results of the stages after the prefilter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    matches: Vec<Match>,
    redact: Vec<Span>,
    latent: Vec<Match>,
    explanations: Option<Vec<Explanation>>,
}

impl Found {
    /// Adds a match, if its rule is switched on.
    fn push(&mut self, found: Option<Match>) {
        let Some(mut found) = found else { return };
        let parts = [&found.key_id, &found.secret, &found.token];
        let spans = || {
            parts
                .into_iter()
                .flatten()
                .map(|part| part.span)
                .filter(|span| !span.is_empty())
        };
        let start = spans().map(|span| span.start).min().unwrap_or(0);
        let end = spans().map(|span| span.end).max().unwrap_or(0);
        found.span = Span::new(start, end);
        self.matches.push(found);
    }

    /// Notes why something is as it is, if anybody asks.
    fn explain(&mut self, span: Span, text: impl FnOnce() -> String) {
        if let Some(explanations) = &mut self.explanations {
            explanations.push(Explanation { span, text: text() });
        }
    }

    /// Adds a value that is a secret only if its key id turns up elsewhere.
    fn latent(&mut self, rule: Option<RuleIndex>, secret: Part) {
        let Some(rule) = rule else { return };
        self.latent.push(Match {
            span: secret.span,
            rule,
            level: Level::Note,
            key_id: None,
            secret: Some(secret),
            token: None,
            context: None,
            reasons: Vec::new(),
            possible: None,
        });
    }
}

/// Hits are looked at together up to this distance: what is decoded around them takes several times its size.
///
/// What is looked at reaches beyond the first and the last hit as it does beyond any other, so that a pair on
/// the border is found, from both sides then.
const BATCH: usize = 4 << 20;

/// Buffers that one worker reuses from blob to blob.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    hits: Vec<Hit>,
    confirmed: Confirmed,
    found: Found,
    packed: Vec<usize>,
}

impl Scratch {
    /// Every span that may hold secret bytes, reported or not: what a snippet must cut out. Sorted.
    pub fn redact(&self) -> &[Span] {
        &self.found.redact
    }

    /// Returns the matches of the last scan.
    pub fn matches(&self) -> &[Match] {
        &self.found.matches
    }

    /// Returns where base64 begins that holds something packed: the rules see nothing of that.
    pub fn packed(&self) -> &[usize] {
        &self.packed
    }

    /// Values that are findings only if a key id without a secret turns up in another file.
    pub fn latent(&self) -> &[Match] {
        &self.found.latent
    }
}

/// Drops hits that lie between others of the same literal: windows and regions reach much farther than [`Thin::NEAR`]
/// bytes or lines, so those of the first and the last of a crowd cover what is between them.
#[derive(Debug, Default)]
struct Thin {
    /// For each literal the offset of the hit before the last, if there is one, and the place of the last.
    last: Vec<Option<(Option<usize>, usize)>>,
}

impl Thin {
    const NEAR: usize = 16;

    fn push(&mut self, hits: &mut Vec<Hit>, hit: Hit) {
        if self.last.len() <= hit.keyword {
            self.last.resize(hit.keyword + 1, None);
        }
        let Some(last) = self.last.get_mut(hit.keyword) else {
            return;
        };
        if let Some((before, place)) = *last
            && let Some(kept) = hits.get_mut(place)
        {
            if before.is_some_and(|before| hit.offset - before <= Self::NEAR) {
                kept.offset = hit.offset;
                return;
            }
            *last = Some((Some(kept.offset), hits.len()));
        } else {
            *last = Some((None, hits.len()));
        }
        hits.push(hit);
    }
}

/// Compiled rules with their searchers. Shared by all workers.
#[derive(Debug)]
pub struct Engine {
    rules: Arc<RuleSet>,
    prefilter: Prefilter,
    credentials: Credentials,
}

impl Engine {
    /// Builds the searchers.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let prefilter = Prefilter::new(&rules);
        let credentials = Credentials::new(&rules, &prefilter);
        Self {
            rules,
            prefilter,
            credentials,
        }
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
        self.run(bytes, scratch);
        &scratch.found.matches
    }

    /// Finds what [`Self::scan`] would find for AWS, without its first stage: all of `bytes` is examined. Slow; tests
    /// compare the two.
    #[doc(hidden)]
    pub fn scan_all<'s>(&self, bytes: &[u8], scratch: &'s mut Scratch) -> &'s [Match] {
        scratch.found.matches.clear();
        scratch.found.redact.clear();
        scratch.found.latent.clear();
        self.credentials.scan_all(bytes, &mut scratch.found);
        scratch.found.matches.sort();
        &scratch.found.matches
    }

    /// Finds what [`Self::scan`] would find for all other rules, without its first stage. Slow; tests compare the two.
    #[doc(hidden)]
    pub fn confirm_all(&self, bytes: &[u8]) -> Vec<Match> {
        let mut confirmed = Confirmed::default();
        confirm::confirm_everything(&self.rules, bytes, &mut confirmed);
        confirmed.matches
    }

    /// Decodes all of `bytes`, and returns the place of each byte in the original. For tests.
    #[doc(hidden)]
    pub fn decoded(bytes: &[u8]) -> (Vec<u8>, Vec<Span>) {
        let view = decode::decode(View::plain(bytes, Span::new(0, bytes.len())));
        let places = (0..view.bytes.len()).map(|at| view.source(Span::new(at, at + 1)));
        let places = places.collect();
        (view.bytes, places)
    }

    /// Returns the reasons why candidates in `bytes` are not reported, sorted by place.
    pub fn explain(&self, bytes: &[u8]) -> Vec<Explanation> {
        let mut scratch = Scratch::default();
        scratch.found.explanations = Some(Vec::new());
        self.run(bytes, &mut scratch);
        let mut explanations = scratch.found.explanations.unwrap_or_default();
        explanations.sort();
        explanations.dedup();
        explanations
    }

    /// The 12-digit account that issued an AWS key id, if the id holds it.
    pub fn account_of(key_id: &[u8]) -> Option<String> {
        credentials::account_of(key_id)
    }

    fn run(&self, bytes: &[u8], scratch: &mut Scratch) {
        let Scratch {
            hits,
            confirmed,
            found,
            packed,
        } = scratch;
        packed.clear();
        hits.clear();
        confirmed.clear();
        found.matches.clear();
        found.redact.clear();
        found.latent.clear();
        // UTF-16 text is turned into another text as a whole, so that is looked at once.
        let is_wide = credentials::Wide::is_wide(bytes);
        let mut look = |hits: &[Hit], found: &mut Found| {
            self.credentials.scan(&self.prefilter, bytes, hits, found);
            confirm::confirm(&self.rules, &self.prefilter, bytes, hits, confirmed);
        };
        let mut thin = Thin::default();
        let mut is_looked_at = false;
        self.prefilter.find_each(bytes, |hit| {
            if self.prefilter.is_packed(hit.keyword) {
                packed.push(hit.offset);
                return;
            }
            if !self.credentials.wants(bytes, hit) {
                return;
            }
            let first = hits.first().map_or(hit.offset, |first| first.offset);
            if hit.offset.saturating_sub(first) >= BATCH && !is_wide {
                look(hits, found);
                is_looked_at = true;
                hits.clear();
                thin = Thin::default();
            }
            thin.push(hits, hit);
        });
        if hits.is_empty() && !is_wide && !is_looked_at {
            return;
        }
        look(hits, found);
        self.credentials.finish(found);
        found.matches.append(&mut confirmed.matches);
        found
            .redact
            .extend(confirmed.rejected.iter().map(|rejected| rejected.span));
        if let Some(explanations) = &mut found.explanations {
            explanations.extend(confirmed.rejected.drain(..).map(|rejected| Explanation {
                span: rejected.span,
                text: rejected.reason,
            }));
        }
        found.matches.sort();
        found.matches.dedup();
        found.redact.sort_unstable();
        found.redact.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example;
    use crate::rule::file::RuleFile;

    #[test]
    fn a_crowd_of_hits_is_its_ends() {
        let thinned = |offsets: &[usize]| {
            let (mut thin, mut hits) = (Thin::default(), Vec::new());
            for (index, offset) in offsets.iter().enumerate() {
                let keyword = index % 2;
                thin.push(
                    &mut hits,
                    Hit {
                        offset: *offset,
                        keyword,
                    },
                );
            }
            let mut kept: Vec<(usize, usize)> =
                hits.iter().map(|hit| (hit.keyword, hit.offset)).collect();
            kept.sort_unstable();
            kept
        };
        assert_eq!(thinned(&[]), []);
        assert_eq!(thinned(&[5, 6, 40, 41]), [(0, 5), (0, 40), (1, 6), (1, 41)]);
        let crowd: Vec<usize> = (0..2000).collect();
        let kept = thinned(&crowd);
        assert!(kept.len() < 500, "{}", kept.len());
        for keyword in 0..2 {
            let offsets: Vec<usize> = kept
                .iter()
                .filter(|hit| hit.0 == keyword)
                .map(|hit| hit.1)
                .collect();
            assert_eq!(offsets.first(), Some(&keyword));
            assert_eq!(offsets.last(), Some(&(1998 + keyword)));
            assert!(offsets.windows(2).all(|two| two[1] - two[0] <= Thin::NEAR));
        }
    }

    #[test]
    fn what_stands_on_the_border_between_two_batches_is_found_as_anywhere() {
        let engine = Engine::new(Arc::new(RuleSet::builtin()));
        let mut scratch = Scratch::default();
        let template = "aws_access_key_id = {AKIA}\naws_secret_access_key = {base64:40}\n\
                        token = ghp_{crc32b62:30}\n";
        let text = |seed| example::expand(template, seed);
        let line = "the aws_secret_access_key is elsewhere; ".repeat(20) + "\n";
        let filler = line.repeat(BATCH / line.len() + 1);
        let offset_of = |text: &str| text.find("aws_access").expect("a hit");
        // The first hit is at the start, so the border is that many bytes after the second text's start.
        for border in (0..text(2).len()).step_by(23) {
            let first = text(1);
            let length = BATCH - border - first.len() - offset_of(&first);
            let padded = " ".repeat(length % line.len()) + "\n";
            let whole = [
                &first,
                &filler[..length - length % line.len() - 1],
                &padded,
                &text(2),
                &line,
            ]
            .concat();
            let start = whole.len() - line.len() - text(2).len();
            let place = |span: Span| (span.start, span.end);
            let spans = |found: &Match| {
                [&found.key_id, &found.secret]
                    .map(|part| part.as_ref().map(|part| place(part.span)))
            };
            let found = engine.scan(whole.as_bytes(), &mut scratch).to_vec();
            let alone = engine.scan(text(2).as_bytes(), &mut scratch).to_vec();
            let moved: Vec<_> = alone
                .iter()
                .map(|found| {
                    let moved = |span: (usize, usize)| (span.0 + start, span.1 + start);
                    (found.rule, spans(found).map(|span| span.map(moved)))
                })
                .collect();
            let here: Vec<_> = found
                .iter()
                .map(|found| (found.rule, spans(found)))
                .filter(|(_, spans)| {
                    spans
                        .iter()
                        .flatten()
                        .any(|span| span.1 > start || span.1 == 0)
                })
                .collect();
            assert_eq!(moved.len(), 2, "{border}");
            assert_eq!(here, moved, "{border}");
        }
    }

    /// Ids of the rules any of whose regexes is compiled.
    fn paid_for(engine: &Engine) -> Vec<&str> {
        let rules = engine.rules().rules.iter();
        let is_paid = |rule: &&crate::rule::Rule| {
            let nearby = rule.pairs_with.iter().map(|pairs| &pairs.pattern);
            let allowed = rule.allowlists.iter().map(|list| &list.pattern);
            let mut all = [&rule.pattern].into_iter().chain(nearby).chain(allowed);
            all.any(|pattern| pattern.is_compiled())
        };
        rules.filter(is_paid).map(|rule| rule.id.as_ref()).collect()
    }

    #[test]
    fn f1_a_rule_that_does_not_match_costs_no_regex() {
        // The built-in tables are shared with other tests, which compile their regexes.
        let file = RuleFile::parse("rules.toml", include_str!("../../rules.toml"));
        let engine = Engine::new(Arc::new(RuleSet::new(file.unwrap().rules)));
        let mut scratch = Scratch::default();
        assert!(
            engine
                .scan(b"fn main() { println!(\"hello\") }\n", &mut scratch)
                .is_empty()
        );
        assert_eq!(paid_for(&engine), [""; 0]);
        let text = example::expand(
            "//registry.npmjs.org/:_authToken={split:npm|_}{crc32b62:30}\n",
            7,
        );
        assert_eq!(engine.scan(text.as_bytes(), &mut scratch).len(), 1);
        assert_eq!(paid_for(&engine), ["npm-access-token"]);
    }
}
