//! The AWS stage: from literal hits to key ids joined with their secrets.
//!
//! Around each hit a region of the blob becomes a decoded view ([`crate::engine::view`], [`crate::engine::decode`]); its
//! candidates ([`super::candidate`]) are joined ([`super::assign`]) and become matches in the original's
//! positions.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::key_id::{self, Harmless, KeyId, KeyKind, is_base32};
use crate::aws::{secret_key, session_token};
use crate::blob::Span;
use crate::engine::base64::{self, Groups};
use crate::engine::binary;
use crate::engine::decode;
use crate::engine::prefilter::{Hit, Prefilter};
use crate::engine::region::{Regions, expand};
use crate::engine::view::{Order, View, narrow};
use crate::engine::{Found, Match, Part, RuleIndex};
use crate::level::Level;
use crate::rule::keyword::Form;
use crate::rule::{AwsRule, Kind as RuleKind, RuleSet};
use crate::secret::Secret;

use super::candidate::{self, Candidate, Candidates, Kind};
use super::context;
use super::join::{self, Joined};
use super::name::{Role, words};

/// Bytes from the first part of a pair on that tell what kind of place it is.
const MAX_CONTEXT: usize = 16 * 1024;

/// Number of lines around a bare secret within which a word of AWS has to be.
const WORD_LINES: usize = 3;

/// Number of lines, and of candidates, within which a key ID counts as beside a secret.
const ID_LINES: usize = 16;
const NEAR: usize = 8;

/// Words that tie a secret without id and name to AWS.
const WORDS: &[&str] = &[
    "aws", "amazon", "boto", "s3://", "iam", "ec2", "(\"s3\"", "('s3'",
];

/// Words on the line of a bare secret that say what it is.
const TELLING: &[&str] = &["key", "secret", "credential", "cred", "password", "rotate"];

/// The AWS rules of a rule set; a rule that is switched off is `None`.
#[derive(Debug)]
pub(in crate::engine) struct Credentials {
    pair: Option<RuleIndex>,
    temporary: Option<RuleIndex>,
    secret: Option<RuleIndex>,
    id: Option<RuleIndex>,
    token: Option<RuleIndex>,
    presigned: Option<RuleIndex>,
    smtp: Option<RuleIndex>,
    triggers: Vec<Option<Trigger>>,
    /// True for each literal that no rule of another kind has.
    exclusive: Vec<bool>,
}

/// The action that a literal of the prefilter triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trigger {
    /// `AKIA`, `ASIA`.
    Id,
    /// One of their encoded forms, and how the characters around it fall into groups.
    Encoded(Groups),
    /// One of their forms in UTF-16 or UTF-32, with the bytes of a character.
    Wide(usize),
    /// A name of a secret, a word of AWS, the start of a token.
    Name,
}

impl Credentials {
    /// Looks up the AWS rules and sorts their literals by what they call for.
    pub(in crate::engine) fn new(rules: &RuleSet, prefilter: &Prefilter) -> Self {
        let rule = |aws: AwsRule| {
            let kinds = rules.rules.iter().map(|rule| rule.kind);
            kinds
                .into_iter()
                .position(|kind| kind == RuleKind::Aws(aws))
        };
        let mut found = Self {
            pair: rule(AwsRule::AccessKeyPair),
            temporary: rule(AwsRule::TemporaryCredentials),
            secret: rule(AwsRule::SecretAccessKey),
            id: rule(AwsRule::AccessKeyId),
            token: rule(AwsRule::SessionToken),
            presigned: rule(AwsRule::PresignedUrl),
            smtp: rule(AwsRule::SesSmtpPassword),
            triggers: Vec::new(),
            exclusive: Vec::new(),
        };
        let is_own = |rule: &RuleIndex| {
            let rule = rules.rules.get(*rule);
            rule.is_some_and(|rule| rule.kind.is_aws())
        };
        found.triggers = (0..prefilter.len())
            .map(|keyword| {
                let is_ours = prefilter.rules_of(keyword).iter().any(is_own);
                is_ours.then(|| trigger(prefilter.keyword(keyword), prefilter.form(keyword)))
            })
            .collect();
        found.exclusive = (0..prefilter.len())
            .map(|keyword| prefilter.rules_of(keyword).iter().all(is_own))
            .collect();
        found
    }

    /// Returns true if a hit can lead to anything: a text of nothing but `AKIA` costs no memory.
    pub(in crate::engine) fn wants(&self, bytes: &[u8], hit: Hit) -> bool {
        let is_id = self.triggers.get(hit.keyword) == Some(&Some(Trigger::Id))
            && self.exclusive.get(hit.keyword) == Some(&true);
        !is_id || may_be_id(bytes, hit.offset)
    }

    /// Finds the pairs, ids, secrets and tokens of a blob.
    pub(in crate::engine) fn scan(
        &self,
        prefilter: &Prefilter,
        bytes: &[u8],
        hits: &[Hit],
        found: &mut Found,
    ) {
        let mut regions = self.regions(bytes, hits);
        if let Some(wide) = Wide::of(bytes) {
            // What has no such form among the literals (names, base64) is found in the text itself.
            let text: Vec<u8> = narrow(bytes, wide.0).collect();
            let mut hits = Vec::new();
            prefilter.find(&text, &mut hits);
            let unit = wide.0.unit;
            let regions = regions.wide.entry(wide.0).or_default();
            *regions = Regions::merge(self.regions(&text, &hits).plain, 1)
                .into_iter()
                .map(|region| Span::new(unit * region.start, unit * region.end))
                .collect();
        }
        for region in Regions::merge(regions.plain, 1) {
            self.view(decode::decode(View::plain(bytes, region)), found);
        }
        for (order, wide) in regions.wide {
            for region in Regions::merge(wide, order.unit) {
                self.view(decode::decode(View::wide(bytes, region, order)), found);
            }
        }
    }

    /// Joins what was found in the parts of a blob.
    pub(in crate::engine) fn finish(&self, found: &mut Found) {
        found.matches.sort();
        found.matches.dedup();
        fold_repeats(found, self);
    }

    /// Scans all of a blob, with or without hits.
    pub(in crate::engine) fn scan_all(&self, bytes: &[u8], found: &mut Found) {
        let whole = Span::new(0, bytes.len());
        if bytes.contains(&0) {
            let is_big = bytes.starts_with(b"\xfe\xff") || bytes.first() == Some(&0);
            let order = Wide::of(bytes).map_or(
                Order {
                    unit: 2,
                    is_little: !is_big,
                },
                |wide| wide.0,
            );
            self.view(decode::decode(View::wide(bytes, whole, order)), found);
        } else {
            self.view(decode::decode(View::plain(bytes, whole)), found);
        }
        self.finish(found);
    }

    /// The parts of a text that its hits call for.
    fn regions(&self, bytes: &[u8], hits: &[Hit]) -> Regions {
        let mut regions = Regions::default();
        let mut base64_end = 0;
        for hit in hits {
            match self.triggers.get(hit.keyword).copied().flatten() {
                Some(Trigger::Id) if may_be_id(bytes, hit.offset) => {
                    regions.around_id(bytes, hit.offset)
                }
                // A hit inside the text around the last one adds nothing.
                Some(Trigger::Encoded(groups)) if hit.offset >= base64_end => {
                    let window = base64::around(bytes, hit.offset, base64_end, groups);
                    base64_end = window.covered(hit.offset);
                    regions.base64(bytes, &window);
                }
                Some(Trigger::Wide(unit)) => regions.wide(bytes, hit.offset, unit),
                Some(Trigger::Name) => regions.around_name(bytes, hit.offset),
                _ => {}
            }
        }
        regions
    }

    /// Finds and joins the candidates of one view.
    fn view(&self, view: View, found: &mut Found) {
        let candidates = candidate::find(&view.bytes);
        found
            .redact
            .extend(candidates.redact.iter().map(|span| view.source(*span)));
        for rejected in &candidates.rejected {
            found.explain(view.source(rejected.span), || rejected.reason.to_owned());
        }
        let list = &candidates.list;
        let mut joined = join::join(&candidates);
        let mut used = vec![false; list.len()];
        for joined in &mut joined {
            if let Some(secret) = beside_nobody(&view, list, joined) {
                used[secret] = true;
                joined.secret = None;
                self.left_beside(&view, &list[secret], found);
            }
            let parts = [Some(joined.id), joined.secret, joined.token, joined.smtp];
            for index in parts.into_iter().flatten() {
                used[index] = true;
            }
            self.joined(&view, list, joined, found);
        }
        for (number, candidate) in list.iter().enumerate().filter(|(number, _)| !used[*number]) {
            self.alone(&view, &candidates, number, candidate, found);
        }
    }

    /// A key id with or without its other parts.
    fn joined(&self, view: &View, list: &[Candidate], joined: &Joined, found: &mut Found) {
        let id_at = &list[joined.id];
        let Kind::Id { id, in_scope } = id_at.kind else {
            return;
        };
        let at = |index: Option<usize>| index.map(|index| &list[index]);
        let (secret_at, token_at) = (at(joined.secret), at(joined.token));
        let mut reasons = Vec::new();
        let rule = match (secret_at, id.kind()) {
            (Some(_), KeyKind::LongTerm) => self.pair,
            (Some(_), KeyKind::Temporary) => self.temporary,
            (None, _) if in_scope => self.presigned,
            (None, _) => self.id,
        };
        let mut level = match (secret_at, in_scope) {
            (Some(_), _) => Level::Error,
            (None, true) => Level::Note,
            (None, false) => Level::Warning,
        };
        let harmless = id
            .harmless()
            .filter(|harmless| secret_at.is_none() || *harmless != Harmless::Invented);
        if let Some(harmless) = harmless {
            level = Level::Note;
            reasons.push(harmless.reason().to_owned());
        }
        let of_secret = secret_at.and_then(|it| secret_key::harmless(it.span.of(&view.bytes)));
        if let Some(reason) = of_secret {
            level = Level::Note;
            reasons.push(format!("the secret: {reason}"));
        }
        if joined.smtp.is_some() && secret_at.is_some() {
            reasons.push("an SES SMTP password made from the key stands beside it".to_owned());
        }
        if let Some(evidence) = joined.evidence {
            let name = secret_at.map_or("possible secret", |_| "secret");
            found.explain(view.source(id_at.span), || {
                let next = joined
                    .next
                    .map_or(String::new(), |next| format!("; next best {next}"));
                format!("{name}: {}{next}", evidence.text())
            });
        }
        let context = self.context(view, [Some(id_at), secret_at, token_at]);
        let made = rule.map(|rule| Match {
            span: Span::default(),
            rule,
            level,
            key_id: Some(part(view, id_at.span)),
            secret: secret_at.map(|secret| part(view, secret.span)),
            token: token_at.map(|token| part(view, token.span)),
            context: context.clone(),
            reasons: reasons.clone(),
            possible: at(joined.possible).map(|secret| view.source(secret.span)),
        });
        let Some(smtp) = at(joined.smtp).filter(|_| secret_at.is_none()) else {
            found.push(made);
            return;
        };
        found.push(self.smtp.map(|rule| Match {
            span: Span::default(),
            rule,
            level: match level {
                Level::Note => Level::Note,
                _ => Level::Error,
            },
            key_id: Some(part(view, id_at.span)),
            secret: Some(part(view, smtp.span)),
            token: None,
            context,
            reasons,
            possible: None,
        }));
    }

    /// Reports a true secret beside an ID that belongs to no account.
    fn left_beside(&self, view: &View, secret: &Candidate, found: &mut Found) {
        let reason = "the key ID beside it is masked or of documentation";
        found.push(self.secret.map(|rule| Match {
            span: Span::default(),
            rule,
            level: Level::Error,
            key_id: None,
            secret: Some(part(view, secret.span)),
            token: None,
            context: self.context(view, [Some(secret), None, None]),
            reasons: vec![reason.to_owned()],
            possible: None,
        }));
    }

    /// A secret or token without a key id.
    fn alone(
        &self,
        view: &View,
        candidates: &Candidates,
        number: usize,
        candidate: &Candidate,
        found: &mut Found,
    ) {
        let value = candidate.span.of(&view.bytes);
        let source = view.source(candidate.span);
        let role = candidate.label.role;
        let is_telling = role == Role::AwsSecret && candidate.label.name.is_aws();
        let is_blocked = !is_telling && candidate.label.vendor.is_some();
        let (rule, level, reason) = match candidate.kind {
            Kind::Secret
                if is_blocked
                    || matches!(
                        role,
                        Role::Token | Role::Foreign | Role::Doubtful | Role::Unknown
                    ) =>
            {
                found.explain(source, || {
                    "its name or its container belongs to something else".to_owned()
                });
                return;
            }
            Kind::Secret => {
                let level = match candidate.doubt {
                    Some(reason) if !role.is_secret() => {
                        found.explain(source, || reason.to_owned());
                        return;
                    }
                    _ => alone_level(&view.bytes, candidates, number, candidate),
                };
                let Some((level, reason)) = level else {
                    if role == Role::Secret && candidate.label.is_aws {
                        found.latent(self.secret, part(view, candidate.span));
                    }
                    found.explain(source, || {
                        "can be a secret, but no key id is near and its name does not say AWS"
                            .to_owned()
                    });
                    return;
                };
                match secret_key::harmless(value) {
                    Some(harmless) => (self.secret, Level::Note, Some(harmless)),
                    None => (self.secret, level, reason),
                }
            }
            // In the sessions of a site such tokens are ordinary.
            Kind::Token if session_token::is_signed(value) && !candidate.label.is_aws => return,
            Kind::Token => match session_token::is_example(value) {
                true => (self.token, Level::Note, Some("documentation example")),
                false => (self.token, Level::Warning, None),
            },
            _ => return,
        };
        let is_token = candidate.kind == Kind::Token;
        let value = Some(part(view, candidate.span));
        found.push(rule.map(|rule| Match {
            span: Span::default(),
            rule,
            level,
            key_id: None,
            secret: if is_token { None } else { value.clone() },
            token: if is_token { value } else { None },
            context: self.context(view, [Some(candidate), None, None]),
            reasons: reason.map(str::to_owned).into_iter().collect(),
            possible: None,
        }));
    }

    fn context(&self, view: &View, parts: [Option<&Candidate>; 3]) -> Option<String> {
        let parts = || parts.iter().flatten().map(|part| part.span);
        let start = parts().map(|span| span.start).min()?;
        // Lists can be long, and each of their pairs would go over all of them.
        let end = parts().map(|span| span.end).max()?.min(start + MAX_CONTEXT);
        context::of(&view.bytes, Span::new(start, end))
    }
}

/// The secret of a pair whose ID is masked or of documentation, if a name says that it is one and nothing says that it is
/// made up as well.
fn beside_nobody(view: &View, list: &[Candidate], joined: &Joined) -> Option<usize> {
    let Kind::Id { id, .. } = list[joined.id].kind else {
        return None;
    };
    let is_true = |secret: &usize| {
        let secret = &list[*secret];
        secret.label.role.is_secret() && secret_key::harmless(secret.span.of(&view.bytes)).is_none()
    };
    id.harmless().filter(|it| it.is_nobodys())?;
    joined.secret.filter(is_true)
}

/// Rates a secret without an ID by the text around it; `None`: nothing connects it with AWS.
fn alone_level(
    bytes: &[u8],
    candidates: &Candidates,
    number: usize,
    candidate: &Candidate,
) -> Option<(Level, Option<&'static str>)> {
    let label = &candidate.label;
    if label.role == Role::AwsSecret {
        return Some(match foreign_id_near(bytes, &candidates.list, number) {
            Some(ForeignId::Emulator) => (
                Level::Note,
                Some("the key id beside it is of an emulator: LocalStack"),
            ),
            Some(ForeignId::Other) => (
                Level::Warning,
                Some("the key id beside it is not of AWS: a store that speaks S3"),
            ),
            None => (Level::Error, None),
        });
    }
    let before = number
        .checked_sub(1)
        .and_then(|before| candidates.list.get(before));
    let follows = label.name.is_empty()
        && before.is_some_and(|before| {
            before.is_real()
                && before.container == candidate.container
                && before.index + 1 == candidate.index
        });
    let is_foreign_id = label.role == Role::KeyId && !label.name.is_aws();
    if follows || is_foreign_id {
        return None;
    }
    let around = lines_around(bytes, candidate.span, WORD_LINES).to_ascii_lowercase();
    if !WORDS
        .iter()
        .any(|word| contains_word(&around, word.as_bytes()))
    {
        return None;
    }
    let is_id_near = |one: &&Candidate| {
        matches!(one.kind, Kind::Id { .. }) && one.line.abs_diff(candidate.line) <= ID_LINES
    };
    let (before, behind) = candidates.list.split_at(number);
    let near = before
        .iter()
        .rev()
        .take(NEAR)
        .chain(behind.iter().take(NEAR));
    if !label.name.is_empty() && near.into_iter().any(|one| is_id_near(&one)) {
        // The words of AWS are those of an ID that has another secret.
        return None;
    }
    if !label.name.is_empty() {
        // `secret_key = …` in a file that talks of AWS: a person would look, a machine cannot know.
        return Some((Level::Warning, Some("words of AWS stand nearby")));
    }
    let line = lines_around(bytes, candidate.span, 0).to_ascii_lowercase();
    let says_so = TELLING
        .iter()
        .any(|word| memchr::memmem::find(&line, word.as_bytes()).is_some());
    let level = if says_so {
        Level::Error
    } else {
        Level::Warning
    };
    Some((
        level,
        Some("a bare value of that form; words of AWS stand nearby"),
    ))
}

/// A key ID of another system than AWS.
enum ForeignId {
    /// LocalStack makes keys that open nothing, of the form of AWS but for their first letter.
    Emulator,
    /// A value under the name of a key ID.
    Other,
}

/// Finds a key ID of another system beside a secret.
fn foreign_id_near(bytes: &[u8], list: &[Candidate], number: usize) -> Option<ForeignId> {
    let secret = &list[number];
    let text = expand(bytes, secret.span.start, secret.span.end, 1024, WORD_LINES).of(bytes);
    let mut runs = text.split(|byte| !decode::is_value(*byte));
    if runs.any(|run| {
        run.len() == key_id::LENGTH && (run.starts_with(b"LKIA") || run.starts_with(b"LSIA"))
    }) {
        return Some(ForeignId::Emulator);
    }
    let (before, behind) = (&list[..number], &list[number + 1..]);
    let near = before.iter().rev().take(4).chain(behind.iter().take(4));
    let is_foreign = |one: &Candidate| {
        let value = one.span.of(bytes);
        one.kind == Kind::OtherId
            && one.label.name.has(words::KEY | words::ID)
            && one.line.abs_diff(secret.line) <= WORD_LINES
            && (16..=32).contains(&value.len())
            && !key_id::is_monotonous(value)
            && value.iter().all(|byte| decode::is_value(*byte))
            && value.iter().any(u8::is_ascii_uppercase)
            && (value.iter().any(u8::is_ascii_digit) || !value.iter().any(u8::is_ascii_lowercase))
    };
    near.into_iter().any(is_foreign).then_some(ForeignId::Other)
}

/// Returns true if a word occurs without a letter before it.
fn contains_word(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(text, word).any(|at| {
        at.checked_sub(1)
            .and_then(|at| text.get(at))
            .is_none_or(|byte| !byte.is_ascii_alphabetic())
    })
}

/// The lines of a span with `count` lines before and after, at most 1 KiB to either side.
fn lines_around(bytes: &[u8], span: Span, count: usize) -> &[u8] {
    let region = expand(bytes, span.start, span.end, 1024, count);
    region.of(bytes)
}

fn part(view: &View, span: Span) -> Part {
    Part {
        span: view.source(span),
        value: Secret::new(span.of(&view.bytes)),
    }
}

fn trigger(keyword: &[u8], form: Form) -> Trigger {
    match form {
        Form::Plain if matches!(keyword, b"AKIA" | b"ASIA") => Trigger::Id,
        Form::Plain => Trigger::Name,
        Form::Encoded { phase, group } => Trigger::Encoded(Groups {
            phase: phase.into(),
            size: group.into(),
        }),
        Form::Wide(unit) => Trigger::Wide(unit.into()),
    }
}

/// Looks cheaply at a hit before a view is built: it may be an id, or the first part of a split one.
fn may_be_id(bytes: &[u8], offset: usize) -> bool {
    let rest = bytes.get(offset..).unwrap_or_default();
    let length = rest
        .iter()
        .take(key_id::LENGTH + 1)
        .take_while(|byte| is_base32(**byte))
        .count();
    let is_whole = length == key_id::LENGTH
        && !rest
            .get(key_id::LENGTH)
            .is_some_and(u8::is_ascii_alphanumeric);
    let is_split = length < key_id::LENGTH
        && match rest.get(length) {
            Some(b'"' | b'\'' | b'`' | b'\\') => true,
            // The soft line break of quoted-printable.
            Some(b'=') => matches!(rest.get(length + 1), Some(b'\n' | b'\r')),
            _ => false,
        };
    if !is_whole && !is_split {
        return length >= key_id::LENGTH && binary::is_framed_id(bytes, offset);
    }
    let start = offset.saturating_sub(24);
    let before = bytes.get(start..offset).unwrap_or_default();
    match before.last() {
        Some(b'/') => before.ends_with(b"//") || before.ends_with(b"\\/"),
        // A space of a form: `name+%3D+AKIA`.
        Some(b'+') => before.iter().rev().nth(3) == Some(&b'%'),
        // A letter or digit may be the end of an escape: `\nAKIA`, `%3DAKIA`, `\u0022AKIA`.
        Some(byte) if byte.is_ascii_alphanumeric() => {
            let begins = |byte: &u8| matches!(byte, b'\\' | b'%' | 0x1b);
            let is_quoted = before.len() >= 3 && decode::quoted(before, before.len() - 3).is_some();
            before.iter().any(begins) || is_quoted || binary::is_framed_id(bytes, offset)
        }
        _ => true,
    }
}

/// Encoding of a blob that starts with a byte order mark of UTF-16 or UTF-32.
pub(in crate::engine) struct Wide(Order);

impl Wide {
    /// Returns true for such a blob.
    pub(in crate::engine) fn is_wide(bytes: &[u8]) -> bool {
        Self::of(bytes).is_some()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (unit, is_little) = match bytes {
            // The mark of UTF-16 that is followed by a zero character is none.
            [0xff, 0xfe, 0, 0, ..] => (4, true),
            [0, 0, 0xfe, 0xff, ..] => (4, false),
            [0xff, 0xfe, ..] => (2, true),
            [0xfe, 0xff, ..] => (2, false),
            _ => return None,
        };
        Some(Self(Order { unit, is_little }))
    }
}

/// An id or secret that is part of a pair elsewhere in the blob is another place of that pair.
fn fold_repeats(found: &mut Found, rules: &Credentials) {
    let pairs: Vec<Match> = found
        .matches
        .iter()
        .filter(|found| found.key_id.is_some() && found.secret.is_some())
        .cloned()
        .collect();
    if pairs.is_empty() {
        return;
    }
    let mut by_id: BTreeMap<Secret, &Match> = BTreeMap::new();
    let mut by_secret: BTreeMap<Secret, &Match> = BTreeMap::new();
    for pair in &pairs {
        if let (Some(id), Some(secret)) = (&pair.key_id, &pair.secret) {
            by_id.entry(id.value.clone()).or_insert(pair);
            by_secret.entry(secret.value.clone()).or_insert(pair);
        }
    }
    // A token under two names, or written down twice, is one token.
    let tokens: BTreeSet<Secret> = pairs
        .iter()
        .filter_map(|pair| Some(pair.token.as_ref()?.value.clone()))
        .collect();
    let is_known = |found: &Match| {
        Some(found.rule) == rules.token
            && matches!(&found.token, Some(token) if tokens.contains(&token.value))
    };
    found.matches.retain(|found| !is_known(found));
    let absent = |part: &Option<Part>| {
        part.as_ref().map(|part| Part {
            span: Span::default(),
            value: part.value.clone(),
        })
    };
    for found in &mut found.matches {
        let is_lone_id = Some(found.rule) == rules.id;
        let is_lone_secret = Some(found.rule) == rules.secret;
        let pair = match (&found.key_id, &found.secret) {
            (Some(id), None) if is_lone_id => by_id.get(&id.value),
            (None, Some(secret)) if is_lone_secret => by_secret.get(&secret.value),
            _ => None,
        };
        let Some(pair) = pair else { continue };
        found.rule = pair.rule;
        found.level = pair.level;
        found.reasons.clone_from(&pair.reasons);
        found.possible = None;
        if found.key_id.is_none() {
            found.key_id = absent(&pair.key_id);
        }
        if found.secret.is_none() {
            found.secret = absent(&pair.secret);
        }
    }
}

/// The account and kind of a key id that is given as text.
pub(in crate::engine) fn account_of(id: &[u8]) -> Option<String> {
    KeyId::parse(id).and_then(|id| id.account_id())
}
