//! Candidates in a view for a key ID, a secret, a session token or an SES SMTP password, each with its name.

use crate::aws::key_id::{self, KeyId};
use crate::aws::secret_key::{self, Evidence, Rejection};
use crate::aws::session_token;
use crate::blob::Span;
use crate::engine::decode::is_value;
use crate::text::base64;
use crate::text::bytes::entropy;

use super::label::{Label, Labels};
use super::name::Role;
use super::syntax::tree::{Content, Form, Tree};

/// Longest value, in characters; AWS gives tokens no bound, real ones stay far below.
const MAX_LENGTH: usize = 16 * 1024;

/// Length of an SES SMTP password, in characters.
const SMTP_LENGTH: usize = 44;

/// Longest line that can be one of wrapped base64, in bytes.
const MOST_LINE: usize = 1024;

/// Possible meanings of a run of characters, by its length and form alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// A key ID; in a credential scope (`ID/20260101/us-east-1/…`) it is only named, not given away.
    Id { id: KeyId, in_scope: bool },
    /// As long as a secret.
    Forty,
    /// An SES SMTP password.
    Smtp,
    /// It starts as a session token does.
    Token,
    /// As long as a session token.
    Long,
    /// A signed token.
    Signed,
}

/// Possible role of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A key ID.
    Id { id: KeyId, in_scope: bool },
    /// A secret.
    Secret,
    /// A session token.
    Token,
    /// An SES SMTP password.
    Smtp,
    /// Another value under the name of a key ID or of a login: it has a secret of its own.
    OtherId,
    /// The place of a secret that holds nothing, a reference or something else.
    Slot,
}

/// A value that can be part of a pair.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    /// Position in the view.
    pub(super) span: Span,
    /// Line of the view, 0-based.
    pub(super) line: usize,
    pub(super) container: usize,
    pub(super) index: usize,
    pub(super) is_comment: bool,
    /// The header of its column.
    pub(super) column: Option<Span>,
    pub(super) label: Label,
    /// Reason why it cannot be a secret without a name that says so.
    pub(super) doubt: Option<&'static str>,
}

impl Candidate {
    /// Returns true for a key ID and for a value in its place.
    pub(super) fn is_id(&self) -> bool {
        matches!(
            self.kind,
            Kind::Id {
                in_scope: false,
                ..
            } | Kind::OtherId
        )
    }

    /// Returns true for a secret and for a value in its place.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Slot)
    }

    /// Returns true for a value, false for what only has the place of one.
    pub(super) fn is_real(&self) -> bool {
        !matches!(self.kind, Kind::OtherId | Kind::Slot)
    }
}

/// A value that was looked at and not taken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) span: Span,
    pub(super) reason: &'static str,
}

/// Everything in a view that counts, and everything that was looked at.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    pub(super) tree: Tree,
    /// For each container, how much of the stems in it they have in common.
    pub(super) stems: Vec<usize>,
    /// In order of place.
    pub(super) list: Vec<Candidate>,
    pub(super) rejected: Vec<Rejected>,
    /// Spans of the view that may hold a secret, taken or not.
    pub(super) redact: Vec<Span>,
}

/// Finds the candidates of a view, in order.
pub(super) fn find(bytes: &[u8]) -> Candidates {
    let tree = Tree::read(bytes);
    let mut labels = Labels::of(bytes, &tree);
    let mut found = Candidates::default();
    found.redact.extend(forties_in_paths(bytes));
    let armor = armor(bytes);
    for node in &tree.nodes {
        let Content::Value(shape) = node.content else {
            if let Some(label) = labels.slot(node) {
                let kind = match label.role {
                    Role::KeyId => Kind::OtherId,
                    _ => Kind::Slot,
                };
                found.list.push(candidate(node, kind, label));
            }
            continue;
        };
        let label = labels.label(node);
        let value = node.span.of(bytes);
        let kind = match shape {
            Shape::Id { id, in_scope } => Kind::Id { id, in_scope },
            Shape::Forty => Kind::Secret,
            Shape::Smtp => Kind::Smtp,
            Shape::Token | Shape::Long | Shape::Signed => Kind::Token,
        };
        let is_hash = kind == Kind::Secret && value.iter().all(u8::is_ascii_hexdigit);
        let refused = match kind {
            Kind::Secret => no_secret(bytes, node.span, &armor),
            Kind::Token => no_token(value, &label),
            Kind::Smtp => no_password(value, &label),
            _ => None,
        };
        let is_id = matches!(kind, Kind::Id { .. });
        if !is_id && !is_hash && (refused.is_none() || kind == Kind::Secret) {
            found.redact.push(node.span);
        }
        if let Some(reason) = refused {
            found.rejected.push(Rejected {
                span: node.span,
                reason,
            });
            continue;
        }
        let mut made = candidate(node, kind, label);
        if kind == Kind::Secret {
            made.doubt = rejection(value, Evidence::Bare);
        }
        found.list.push(made);
    }
    found.list.sort_by_key(|candidate| candidate.span.start);
    found.stems = labels.stems();
    found.tree = tree;
    found
}

fn candidate(node: &super::syntax::tree::Node, kind: Kind, label: Label) -> Candidate {
    Candidate {
        kind,
        span: node.span,
        line: node.line,
        container: node.container,
        index: node.index,
        is_comment: node.is_comment,
        column: node.column,
        label,
        doubt: None,
    }
}

/// Returns the reason why a value of 40 characters is not a secret under any name.
fn no_secret(bytes: &[u8], span: Span, armor: &[Span]) -> Option<&'static str> {
    if let Some(reason) = boundaries(bytes, span) {
        return Some(reason);
    }
    let at = armor.partition_point(|block| block.end <= span.start);
    if armor.get(at).is_some_and(|block| block.start <= span.start) || ends_wrapped(bytes, span) {
        return Some("a line of wrapped base64");
    }
    rejection(span.of(bytes), Evidence::Named)
}

fn rejection(value: &[u8], evidence: Evidence) -> Option<&'static str> {
    if secret_key::is_example(value) {
        return None;
    }
    if is_base64_of_text(value) {
        return Some("base64 of a text");
    }
    secret_key::reject(value, evidence).map(Rejection::reason)
}

/// Returns true if all but three at most of the 30 bytes that the value is in base64 are printable. Loses 5.6e-9 of
/// true secrets: the tail from 27 on of 30 draws with 98 in 256.
fn is_base64_of_text(value: &[u8]) -> bool {
    let is_printable = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    let bytes = base64::decode(value).unwrap_or_default();
    bytes.len() == 30 && bytes.iter().filter(is_printable).count() >= 27
}

fn no_token(value: &[u8], label: &Label) -> Option<&'static str> {
    if session_token::is_signed(value) {
        let is_of_session =
            |(word, _): (&str, u32)| matches!(word, "session" | "sessiontoken" | "security");
        let says_so = label.role == Role::Token && label.name.words().any(is_of_session);
        return (!says_so)
            .then_some("a signed token under another name than that of a session token");
    }
    let can_be = label.role == Role::Token && session_token::can_be_token(value);
    (!session_token::is_token(value) && !can_be)
        .then_some("long base64 that does not start as a session token does")
}

fn no_password(value: &[u8], label: &Label) -> Option<&'static str> {
    let says_so = label.name.words().any(|(word, _)| {
        ["smtp", "ses", "mail"]
            .iter()
            .any(|part| word.contains(part))
    });
    match label.role {
        Role::Foreign | Role::Unknown | Role::Token | Role::Doubtful if !says_so => {
            Some("44 base64 characters under another name")
        }
        _ if !says_so && entropy(value) < 4.25 => {
            Some("too few different characters for a random value")
        }
        _ => None,
    }
}

/// The neighbours that tell a value of 40 characters from a piece of something longer.
fn boundaries(bytes: &[u8], span: Span) -> Option<&'static str> {
    let before = span.start.checked_sub(1).and_then(|at| bytes.get(at));
    if let Some(b'.' | b'-' | b'_' | b'@' | b'%' | b'$' | b'~' | b'#') = before {
        let at = span.start - 1;
        let is_after_id = at >= key_id::LENGTH
            && KeyId::parse(&bytes[at - key_id::LENGTH..at]).is_some()
            && matches!(before, Some(b'@' | b'#' | b'~'));
        let is_fallback = before == Some(&b'-') && is_fallback(bytes, at);
        if !is_fallback && !is_after_id {
            return Some("the character before it makes it a piece of something longer");
        }
    }
    let next = bytes.get(span.end + 1);
    match bytes.get(span.end) {
        Some(b'-') if next == Some(&b']') => None,
        Some(b'=' | b'-' | b'(' | b'%' | b'~') => {
            Some("the character after it makes it a piece of something longer")
        }
        Some(b'_')
            if next.is_some_and(u8::is_ascii_alphanumeric) && !is_named(bytes, span.start) =>
        {
            Some("the character after it makes it a piece of something longer")
        }
        Some(b'.') if next.is_some_and(u8::is_ascii_alphanumeric) => {
            Some("it goes on after a dot: a name or a path")
        }
        Some(b':') if next == Some(&b':') => Some("a path of names"),
        _ => None,
    }
}

/// Returns true if a sign that assigns is just before.
fn is_named(bytes: &[u8], start: usize) -> bool {
    matches!(
        start.checked_sub(1).and_then(|at| bytes.get(at)),
        Some(b'=' | b':')
    )
}

/// Returns true for the hyphen that a shell falls back with: `${NAME:-value}`, `${NAME-value}`.
fn is_fallback(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(at.saturating_sub(200)..at).unwrap_or_default();
    let before = before.strip_suffix(b":").unwrap_or(before);
    let is_variable = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = before
        .iter()
        .rev()
        .take_while(|byte| is_variable(byte))
        .count();
    length > 0 && before[..before.len() - length].ends_with(b"${")
}

/// Returns the text between the lines `-----BEGIN …` and `-----END …`.
fn armor(bytes: &[u8]) -> Vec<Span> {
    let mut blocks: Vec<Span> = Vec::new();
    let mut from = 0;
    let find = |from: usize, mark: &[u8]| {
        let rest = bytes.get(from..)?;
        memchr::memmem::find(rest, mark).map(|at| from + at)
    };
    while let Some(start) = find(from, b"-----BEGIN ") {
        let Some(end) = find(start, b"-----END ") else {
            break;
        };
        blocks.push(Span::new(start, end));
        from = end;
    }
    blocks
}

/// Returns true if a value is a line of its own below a full line of base64: the end of a certificate, an image.
fn ends_wrapped(bytes: &[u8], span: Span) -> bool {
    let low = span.start.saturating_sub(MOST_LINE);
    let before = bytes.get(low..span.start).unwrap_or_default();
    let Some(line) = memchr::memrchr(b'\n', before) else {
        return false;
    };
    let after = bytes.get(span.end..).unwrap_or_default();
    let after = after.get(
        ..memchr::memchr(b'\n', after.get(..16).unwrap_or(after)).unwrap_or(after.len().min(16)),
    );
    let is_alone = bare_line(&before[line + 1..]).is_empty()
        && bare_line(after.unwrap_or_default()).is_empty();
    if !is_alone {
        return false;
    }
    let above = &before[..line];
    let above = bare_line(&above[memchr::memrchr(b'\n', above).map_or(0, |at| at + 1)..]);
    above.len() >= 60 && above.iter().all(|byte| is_value(*byte))
}

/// A line without what joins it to the next one: white space, quotes, commas.
fn bare_line(line: &[u8]) -> &[u8] {
    let joins = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b',' | b'\\' | b'.' | b';')
    };
    let start = line.iter().position(|byte| !joins(byte));
    let end = line
        .iter()
        .rposition(|byte| !joins(byte))
        .map_or(0, |last| last + 1);
    line.get(start.unwrap_or(0)..end).unwrap_or_default()
}

/// Finds parts of paths that have the form of a secret: in `fix/…` such a part is in a longer run, and is cut from
/// snippets all the same.
fn forties_in_paths(bytes: &[u8]) -> impl Iterator<Item = Span> {
    let mut start = 0;
    bytes
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter_map(move |part| {
            let span = Span::new(start, start + part.len());
            start = span.end + 1;
            let is_mixed = part.len() == secret_key::LENGTH
                && part.iter().any(u8::is_ascii_uppercase)
                && part.iter().any(u8::is_ascii_lowercase)
                && part.iter().any(u8::is_ascii_digit);
            is_mixed.then_some(span)
        })
}

/// Returns the end of a signed token that starts at `start`.
pub(super) fn signed_end(bytes: &[u8], start: usize) -> Option<usize> {
    session_token::signed_end(bytes, start, MAX_LENGTH)
}

/// Returns true if a run of characters holds a value.
pub(super) fn has_values(bytes: &[u8], run: Span) -> bool {
    let mut has = false;
    values_of(bytes, run, |_, _| has = true);
    has
}

/// Gives the values in a run: mostly the run itself, but `//ID:`, `ID/20260101/…` and `ID/SECRET` occur.
pub(super) fn values_of(bytes: &[u8], run: Span, mut give: impl FnMut(Shape, Span)) {
    if run.len() < key_id::LENGTH {
        return;
    }
    let text = run.of(bytes);
    // `s3://ID:SECRET@bucket`: the slashes belong to the URL.
    let slashes = if text.starts_with(b"//") { 2 } else { 0 };
    let start = run.start + slashes;
    let text = text.get(slashes..).unwrap_or_default();
    if let Some(id) = text.get(..key_id::LENGTH).and_then(KeyId::parse) {
        let span = Span::new(start, start + key_id::LENGTH);
        let rest = text.get(key_id::LENGTH..).unwrap_or_default();
        let is_date = |date: &[u8]| date.iter().all(u8::is_ascii_digit);
        let in_scope = rest.first() == Some(&b'/') && rest.get(1..9).is_some_and(is_date)
            || rest.is_empty() && is_in_signed_url(bytes, span);
        if rest.is_empty() || matches!(rest.first(), Some(b'/' | b'+')) {
            give(Shape::Id { id, in_scope }, span);
        }
        if rest.len() == 1 + secret_key::LENGTH && !in_scope {
            give(Shape::Forty, Span::new(span.end + 1, run.end));
        }
        return;
    }
    match run.len() {
        secret_key::LENGTH => give(Shape::Forty, run),
        // `s/NAME=.*/NAME=SECRET/`, `{+NAME = SECRET+}`
        FORTY_ONE if has_delimiter(bytes, run) => {
            give(Shape::Forty, Span::new(run.start, run.end - 1))
        }
        SMTP_LENGTH if is_smtp_password(run.of(bytes)) => give(Shape::Smtp, run),
        length if (session_token::MIN_LENGTH..=MAX_LENGTH).contains(&length) => {
            let padding = bytes.get(run.end..).unwrap_or_default();
            let padding = padding
                .iter()
                .take(2)
                .take_while(|byte| **byte == b'=')
                .count();
            let shape = match session_token::is_token(run.of(bytes)) {
                true => Shape::Token,
                false => Shape::Long,
            };
            give(shape, Span::new(run.start, run.end + padding));
        }
        _ => {}
    }
}

const FORTY_ONE: usize = secret_key::LENGTH + 1;

/// Returns true if the last character of a run is the mark behind a value: of a substitution, of a difference.
fn has_delimiter(bytes: &[u8], run: Span) -> bool {
    let before = run.start.checked_sub(1).and_then(|at| bytes.get(at));
    matches!(before, Some(b'=' | b' '))
        && matches!(
            (bytes.get(run.end - 1), bytes.get(run.end)),
            (Some(b'/'), Some(b'\'' | b'"')) | (Some(b'+'), Some(b'}'))
        )
}

/// Returns true for the ID of a URL that is signed the old way: `?AWSAccessKeyId=ID&Expires=…&Signature=…`, in any order.
fn is_in_signed_url(bytes: &[u8], id: Span) -> bool {
    const MOST: usize = 512;
    let (before, after) = (&bytes[..id.start], &bytes[id.end..]);
    if !before.ends_with(b"AWSAccessKeyId=") {
        return false;
    }
    let is_end =
        |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>');
    let before = &before[before.len().saturating_sub(MOST)..];
    let start = before.iter().rposition(is_end).map_or(0, |at| at + 1);
    let after = &after[..after.len().min(MOST)];
    let end = after.iter().position(is_end).unwrap_or(after.len());
    let has = |name: &[u8]| {
        let is_in = |part: &[u8]| memchr::memmem::find(part, name).is_some();
        is_in(&before[start..]) || is_in(&after[..end])
    };
    has(b"Signature=") && has(b"Expires=")
}

/// 44 characters that start with the version byte: `B` and `A` to `P` now, `A` and `g` to `v` formerly
/// (Amazon SES Developer Guide, "Obtaining Amazon SES SMTP credentials"; prefixes computed).
fn is_smtp_password(text: &[u8]) -> bool {
    matches!(text, [b'B', b'A'..=b'P', ..] | [b'A', b'g'..=b'v', ..])
}

/// Counts of bare values in each container: how many pass the strict filters, and how many do not.
pub(super) fn bare_counts(found: &Candidates) -> Vec<(usize, usize)> {
    let mut counts = vec![(0, 0); found.tree.containers.len()];
    for one in found.list.iter().filter(|one| one.kind == Kind::Secret) {
        let count = &mut counts[one.container];
        match one.doubt {
            None => count.0 += 1,
            Some(_) => count.1 += 1,
        }
    }
    counts
}

/// Returns true for containers in which the place of a value says what it is.
pub(super) fn is_list(form: Form) -> bool {
    matches!(form, Form::Bracket | Form::Indent | Form::Values)
}
