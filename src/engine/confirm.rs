//! Second stage for the rules that need no code: the rule's regex on a window around each hit, then its checks,
//! allowlists and neighbours.
//!
//! The slow truth it must equal is `confirm_everything`: every regex over the whole text. It holds because a match
//! counts only if one of the rule's keywords lies within it, because a window reaches as far before and after a
//! keyword as a match of that rule can, and because the regex is given the text before the window to look back at.

use std::collections::BTreeMap;
use std::ops::Range;

use super::prefilter::{Hit, Prefilter};
use super::{Match, Part, RuleIndex};
use crate::blob::Span;
use crate::rule::check::Verdict;
use crate::rule::{Kind, PairsWith, Rule, RuleSet, WINDOW_BEFORE};
use crate::secret::Secret;

/// A match that reaches the end of its window may go on: the window grows by this much, then twice as much, ...
const GROW: usize = 4 * 1024;

/// No match is longer than this; beyond it a window grows no more.
const MATCH_LIMIT: usize = 64 * 1024;

/// Distance before and after a secret within which its other half is looked for, in bytes, however few lines that is: a
/// minified file is one line. A service-account file has 2 KiB between its halves.
const PAIR_REACH: usize = 4 * 1024;

/// Number of candidates for the other half that are weighed on either side of a secret. With one-to-one pairing more
/// could only matter if eight secrets were closer to each of them.
const PAIR_CHOICES: usize = 8;

/// Result of the stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Confirmed {
    /// Accepted matches.
    pub(crate) matches: Vec<Match>,
    /// Matches of a regex that another check refused. Their bytes are cut from snippets all the same.
    pub(crate) rejected: Vec<Rejected>,
}

/// Something that looked like a secret, and why it is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rejected {
    /// Position in the text.
    pub(crate) span: Span,
    /// The rule that it was held against.
    pub(crate) rule: RuleIndex,
    /// Reason of the refusal.
    pub(crate) reason: String,
}

impl Confirmed {
    /// Forgets everything and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.matches.clear();
        self.rejected.clear();
    }
}

/// Confirms the hits of all generic rules. `hits` are sorted by offset.
pub(crate) fn confirm(
    rules: &RuleSet,
    prefilter: &Prefilter,
    bytes: &[u8],
    hits: &[Hit],
    confirmed: &mut Confirmed,
) {
    let mut stage = Stage::new(rules, bytes);
    for hit in hits {
        let length = prefilter.keyword(hit.keyword).len();
        for &index in prefilter.rules_of(hit.keyword) {
            let rule = &rules.rules[index];
            if rule.kind == Kind::Generic {
                let end = hit
                    .offset
                    .saturating_add(length)
                    .saturating_add(rule.window);
                stage.widen(
                    index,
                    hit.offset.saturating_sub(WINDOW_BEFORE)..end.min(bytes.len()),
                );
            }
        }
    }
    stage.finish(confirmed);
}

/// Confirms all generic rules over the whole text, hits or not: the reference for tests.
pub(crate) fn confirm_everything(rules: &RuleSet, bytes: &[u8], confirmed: &mut Confirmed) {
    let mut stage = Stage::new(rules, bytes);
    for (index, rule) in rules.rules.iter().enumerate() {
        if rule.kind == Kind::Generic {
            stage.widen(index, 0..bytes.len());
        }
    }
    stage.finish(confirmed);
}

/// The windows and candidates of one text.
struct Stage<'a> {
    rules: &'a RuleSet,
    bytes: &'a [u8],
    /// The window of each rule that is still growing.
    open: Vec<Option<Range<usize>>>,
    /// End of the searched part for each rule.
    searched: Vec<usize>,
    candidates: Vec<Candidate>,
}

/// Match of a regex before its checks.
#[derive(Clone, Debug)]
struct Candidate {
    rule: RuleIndex,
    secret: Range<usize>,
    key_id: Option<Range<usize>>,
}

impl<'a> Stage<'a> {
    fn new(rules: &'a RuleSet, bytes: &'a [u8]) -> Self {
        Self {
            rules,
            bytes,
            open: vec![None; rules.rules.len()],
            searched: vec![0; rules.rules.len()],
            candidates: Vec::new(),
        }
    }

    /// Joins a window with the rule's last one; searches that one if the two do not touch. So each byte is searched
    /// once per rule, however dense the hits are.
    fn widen(&mut self, rule: RuleIndex, window: Range<usize>) {
        match &mut self.open[rule] {
            Some(open) if window.start <= open.end => open.end = open.end.max(window.end),
            open => {
                if let Some(done) = open.replace(window) {
                    self.search(rule, done);
                }
            }
        }
    }

    /// Runs a rule's regex over a window.
    ///
    /// The next search begins at the end of the secret, not of the match: what ends one match may begin the next.
    fn search(&mut self, index: RuleIndex, window: Range<usize>) {
        let rule = &self.rules.rules[index];
        let compiled = rule.pattern.get();
        let mut at = window.start.max(self.searched[index]);
        let mut end = window.end;
        let mut grow = GROW;
        while at <= end {
            // The text before `at` is given along, so that `^` and boundaries see what is there.
            let Some(captures) = self
                .bytes
                .get(..end)
                .and_then(|text| compiled.regex.captures_at(text, at))
            else {
                break;
            };
            let whole = captures.get(0).expect("group 0 is the match").range();
            if whole.end == end && end < self.bytes.len() && whole.len() < MATCH_LIMIT {
                end = self.bytes.len().min(end + grow);
                grow *= 2;
                continue;
            }
            let group = |index: usize| captures.get(index).map(|group| group.range());
            // A group without text is no secret: what matched is.
            let secret = group(compiled.secret_group).filter(|group| !group.is_empty());
            let secret = secret.unwrap_or(whole.clone());
            at = secret.end.max(whole.start + 1);
            if rule.has_keyword(&self.bytes[whole]) {
                self.candidates.push(Candidate {
                    rule: index,
                    secret,
                    key_id: compiled.key_id_group.and_then(group),
                });
            }
        }
        self.searched[index] = self.searched[index].max(at.min(end));
    }

    /// Searches the windows that are still open and judges what was found.
    fn finish(mut self, confirmed: &mut Confirmed) {
        for index in 0..self.open.len() {
            if let Some(window) = self.open[index].take() {
                self.search(index, window);
            }
        }
        self.candidates
            .sort_by_key(|candidate| (candidate.rule, candidate.secret.start));
        let candidates = std::mem::take(&mut self.candidates);
        for group in candidates.chunk_by(|a, b| a.rule == b.rule) {
            self.judge_group(group, confirmed);
        }
        keep_the_best(&mut confirmed.matches);
        confirmed.rejected.sort();
    }

    /// Judges the candidates of one rule.
    fn judge_group(&self, group: &[Candidate], confirmed: &mut Confirmed) {
        let Some(first) = group.first() else {
            return;
        };
        let rule = &self.rules.rules[first.rule];
        let mut found = Vec::new();
        for candidate in group {
            match self.judge(rule, candidate) {
                Ok(matched) => found.push(matched),
                Err(rejected) => confirmed.rejected.push(rejected),
            }
        }
        if let Some(pairs_with) = &rule.pairs_with {
            let partners = partners(self.bytes, pairs_with, &found);
            let paired = found
                .into_iter()
                .zip(partners)
                .filter_map(|(mut matched, partner)| {
                    match partner {
                        Some(partner) => {
                            matched.span = Span::new(
                                matched.span.start.min(partner.start),
                                matched.span.end.max(partner.end),
                            );
                            matched.key_id = Some(part(self.bytes, partner));
                        }
                        None if pairs_with.optional => {}
                        None => {
                            confirmed.rejected.push(Rejected {
                                span: secret_span(&matched),
                                rule: matched.rule,
                                reason: "the other half is not nearby".to_owned(),
                            });
                            return None;
                        }
                    }
                    Some(matched)
                });
            found = paired.collect();
        }
        confirmed.matches.append(&mut found);
    }

    /// Holds one candidate against the checks and allowlists of its rule.
    fn judge(&self, rule: &Rule, candidate: &Candidate) -> Result<Match, Rejected> {
        let extent = |secret, check: &crate::rule::check::Check| check.extent(self.bytes, secret);
        let secret = rule.checks.iter().fold(candidate.secret.clone(), extent);
        let span = Span::new(secret.start, secret.end);
        let text = span.of(self.bytes);
        let rejected = |reason: String| Rejected {
            span,
            rule: candidate.rule,
            reason,
        };
        let mut level = rule.level;
        let mut reasons = Vec::new();
        for check in rule.checks.iter() {
            match check.judge(text) {
                Verdict::Keep => {}
                Verdict::Lower(to, reason) => {
                    level = level.min(to);
                    reasons.push(reason.to_owned());
                }
                Verdict::Drop(reason) => return Err(rejected(reason.to_owned())),
            }
        }
        for allowlist in rule.allowlists.iter() {
            if allowlist.covers(self.bytes, &secret) {
                return Err(rejected(allowlist.reason.to_string()));
            }
        }
        let decoded = rule.checks.iter().find_map(|check| check.decode(text));
        let key_id = candidate
            .key_id
            .clone()
            .map(|key_id| part(self.bytes, key_id));
        let whole = key_id.iter().fold(span, |whole, key_id: &Part| {
            Span::new(
                whole.start.min(key_id.span.start),
                whole.end.max(key_id.span.end),
            )
        });
        Ok(Match {
            span: whole,
            rule: candidate.rule,
            level,
            key_id,
            secret: Some(Part {
                span,
                value: Secret::new(decoded.as_deref().unwrap_or(text)),
            }),
            token: None,
            context: None,
            reasons,
            possible: None,
        })
    }
}

fn part(bytes: &[u8], range: Range<usize>) -> Part {
    let span = Span::new(range.start, range.end);
    Part {
        span,
        value: Secret::new(span.of(bytes)),
    }
}

fn secret_span(matched: &Match) -> Span {
    matched
        .secret
        .as_ref()
        .map_or(matched.span, |secret| secret.span)
}

/// Finds the other half of each match, one to one: the closest pair first.
fn partners(bytes: &[u8], pairs_with: &PairsWith, found: &[Match]) -> Vec<Option<Range<usize>>> {
    let halves = halves_near(bytes, pairs_with, found);
    let mut pairs = Vec::new();
    for (index, matched) in found.iter().enumerate() {
        let secret = secret_span(matched);
        let after = halves.partition_point(|half| half.start < secret.start);
        let choices = after.saturating_sub(PAIR_CHOICES)..halves.len().min(after + PAIR_CHOICES);
        for choice in choices {
            let half = &halves[choice];
            let between = if half.start >= secret.end {
                secret.end..half.start
            } else {
                half.end..secret.start
            };
            let text = bytes.get(between.clone()).unwrap_or_default();
            if between.len() <= PAIR_REACH
                && memchr::memchr_iter(b'\n', text).count() <= pairs_with.lines
            {
                pairs.push((between.len(), index, choice));
            }
        }
    }
    pairs.sort_unstable();
    let mut partners = vec![None; found.len()];
    let mut is_taken = vec![false; halves.len()];
    for (_, index, choice) in pairs {
        if partners[index].is_none() && !is_taken[choice] {
            partners[index] = Some(halves[choice].clone());
            is_taken[choice] = true;
        }
    }
    partners
}

/// All places near `found` where the other half's regex matches, sorted. Windows that touch are searched as one.
fn halves_near(bytes: &[u8], pairs_with: &PairsWith, found: &[Match]) -> Vec<Range<usize>> {
    let compiled = pairs_with.pattern.get();
    let mut halves = Vec::new();
    let mut at = 0;
    for (index, matched) in found.iter().enumerate() {
        let secret = secret_span(matched);
        let end = bytes.len().min(secret.end.saturating_add(PAIR_REACH));
        at = at.max(secret.start.saturating_sub(PAIR_REACH));
        let next = found.get(index + 1).map(secret_span);
        if next.is_some_and(|next| next.start.saturating_sub(PAIR_REACH) <= end) {
            continue;
        }
        while let Some(captures) = bytes
            .get(..end)
            .and_then(|text| compiled.regex.captures_at(text, at))
        {
            let whole = captures.get(0).expect("group 0 is the match").range();
            let group = compiled.key_id_group.and_then(|group| captures.get(group));
            let half = group.map_or(whole.clone(), |group| group.range());
            at = half.end.max(whole.start + 1);
            // What touches the end may be cut by it; it stands too far away in any case.
            if whole.end < end || end == bytes.len() {
                halves.push(half);
            }
        }
        at = end;
    }
    halves
}

/// Of matches whose secrets overlap, keeps the one that says most: with a key id, of the higher level, the longer one,
/// the rule that comes first.
fn keep_the_best(matches: &mut Vec<Match>) {
    let mut found = std::mem::take(matches);
    found.sort_by_cached_key(|matched| {
        let secret = secret_span(matched);
        (
            matched.key_id.is_none(),
            std::cmp::Reverse(matched.level),
            std::cmp::Reverse(secret.len()),
            matched.rule,
            secret.start,
        )
    });
    let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
    for matched in found {
        let secret = secret_span(&matched);
        let before = taken.range(..secret.end).next_back();
        if before.is_none_or(|(_, end)| *end <= secret.start) {
            taken.insert(secret.start, secret.end);
            matches.push(matched);
        }
    }
    matches.sort();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rule::compile::RuleSource;
    use crate::rule::example;
    use crate::rule::file::RuleFile;

    fn windowed(rules: &RuleSet, bytes: &[u8]) -> Confirmed {
        let prefilter = Prefilter::new(rules);
        let mut hits = Vec::new();
        prefilter.find(bytes, &mut hits);
        let mut confirmed = Confirmed::default();
        confirm(rules, &prefilter, bytes, &hits, &mut confirmed);
        confirmed
    }

    fn whole(rules: &RuleSet, bytes: &[u8]) -> Confirmed {
        let mut confirmed = Confirmed::default();
        confirm_everything(rules, bytes, &mut confirmed);
        confirmed
    }

    fn assert_same(rules: &RuleSet, bytes: &[u8]) {
        let (fast, slow) = (windowed(rules, bytes), whole(rules, bytes));
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(fast.matches, slow.matches, "{text}");
        assert_eq!(fast.rejected, slow.rejected, "{text}");
    }

    /// The texts of all examples of the built-in rules.
    fn examples() -> Vec<String> {
        let rules = RuleSet::builtin().rules;
        let cases = rules.iter().flat_map(example::cases);
        cases.map(|case| case.text).collect()
    }

    fn user_rules(text: &str) -> RuleSet {
        let all = RuleSet::load(&[RuleSource { name: "t", text }]).unwrap();
        let ids: Vec<String> = RuleFile::parse("t", text)
            .unwrap()
            .rules
            .into_iter()
            .map(|rule| rule.id.into_owned())
            .collect();
        all.select(&ids).unwrap()
    }

    #[test]
    fn windows_find_in_every_example_what_the_whole_text_does() {
        let rules = RuleSet::builtin();
        for text in examples() {
            assert_same(&rules, text.as_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Examples, cut anywhere, with noise of any length between them: what a window cuts off is not lost.
        #[test]
        fn windows_find_what_the_whole_text_does(
            pieces in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..2000, 0usize..6), 1..12)
        ) {
            let rules = RuleSet::builtin();
            let examples = examples();
            let mut text = Vec::new();
            for (example, cut, noise, filler) in pieces {
                let example = example.get(&examples).as_bytes();
                let length = if filler == 5 { cut.index(example.len() + 1) } else { example.len() };
                text.extend_from_slice(&example[..length]);
                let fillers: [&[u8]; 6] = [b"a", b" ", b"\n", b"x-", b"", b"\xff\0"];
                let filler = fillers[filler];
                text.extend(filler.repeat(noise));
            }
            assert_same(&rules, &text);
        }
    }

    #[test]
    fn a_secret_without_text_is_the_whole_match() {
        for group in ["(?P<secret>)", "(?P<secret>z*)", "(?P<secret>z)?"] {
            let rules = user_rules(&format!(
                "[[rule]]\nid = 'none'\ndescription = 'd'\nkeywords = ['none_']\nregex = '{group}none_[a-y]+'\n",
            ));
            let found = windowed(&rules, b"x none_abc");
            assert_eq!(found.matches.len(), 1, "{group}");
            let secret = found.matches[0].secret.as_ref().unwrap();
            assert_eq!(secret.value.expose(), b"none_abc", "{group}");
            assert_same(&rules, b"x none_abc");
        }
    }

    #[test]
    fn a_match_longer_than_its_window_is_found_whole() {
        let rules = user_rules(
            "[[rule]]\nid = 'long'\ndescription = 'd'\nkeywords = ['long_']\nwindow = 16\nregex = '(?P<secret>long_[a-z]+)(?:[^a-z]|$)'\n",
        );
        for length in [5, 15, 16, 17, 4096, 20_000] {
            let text = format!("x long_{} y", "q".repeat(length));
            let found = windowed(&rules, text.as_bytes());
            assert_eq!(found.matches.len(), 1, "{length}");
            assert_eq!(
                found.matches[0].secret.as_ref().unwrap().value.len(),
                5 + length
            );
            assert_same(&rules, text.as_bytes());
        }
    }

    #[test]
    fn one_byte_may_end_one_match_and_begin_the_next() {
        let rules = user_rules(
            "[[rule]]\nid = 'key'\ndescription = 'd'\nkeywords = ['key_']\nregex = '(?:^|[^a-z_])(?P<secret>key_[a-z]{4})(?:[^a-z]|$)'\n",
        );
        let found = windowed(&rules, b"key_abcd,key_efgh,key_ijkl");
        assert_eq!(found.matches.len(), 3);
        assert_same(&rules, b"key_abcd,key_efgh,xkey_ijkl");
    }

    #[test]
    fn pairs_are_one_to_one_and_closest_first() {
        let rules = user_rules(
            "[[rule]]\nid = 'pair'\ndescription = 'd'\nkeywords = ['sec_']\nregex = '(?P<secret>sec_[a-z]{4})'\n\
             pairs_with = { regex = 'id_(?P<key_id>[0-9])', lines = 1 }\n",
        );
        let found = windowed(&rules, b"id_1\nsec_aaaa\nid_2\nsec_bbbb\n\n\nsec_cccc\n");
        let pairs: Vec<(&[u8], &[u8])> = found
            .matches
            .iter()
            .map(|matched| {
                let id = matched.key_id.as_ref().unwrap();
                (
                    id.value.expose(),
                    matched.secret.as_ref().unwrap().value.expose(),
                )
            })
            .collect();
        assert_eq!(pairs, [(&b"1"[..], &b"sec_aaaa"[..]), (b"2", b"sec_bbbb")]);
        assert_eq!(found.rejected.len(), 1);
        assert_eq!(found.rejected[0].reason, "the other half is not nearby");
    }

    #[test]
    fn a_service_account_is_one_finding_with_its_address() {
        let rules = RuleSet::builtin();
        let text = example::expand(
            "{\"private_key\": \"{pemjson:PRIVATE KEY}\\n\", \"client_email\": \"r@p.iam.gserviceaccount.com\"}",
            3,
        );
        let found = windowed(&rules, text.as_bytes());
        assert_eq!(found.matches.len(), 1);
        let id = found.matches[0].key_id.as_ref().unwrap();
        assert_eq!(id.value.expose(), b"r@p.iam.gserviceaccount.com");
    }
}
