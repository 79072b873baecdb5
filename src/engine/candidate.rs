//! What in a view can be a key id, a secret, a session token or an SES SMTP password, each with its name.

use std::collections::BTreeSet;

use crate::aws::key_id::{self, KeyId};
use crate::aws::name::{Name, Role};
use crate::aws::secret_key::{self, Evidence};
use crate::aws::session_token;
use crate::blob::Span;

use super::block;
use super::claim;
use super::decode::is_value;
use super::label::{self, Label};
use super::lists;

/// Longest value, in characters; AWS gives tokens no bound, real ones stay far below.
const MAX_LENGTH: usize = 16 * 1024;

/// Longest line that is looked at as the row of a table, in bytes.
const MAX_ROW: usize = 1024;

/// How many rows above a value the header of its table may stand.
const HEADER_REACH: usize = 40;

/// Length of an SES SMTP password, in characters.
const SMTP_LENGTH: usize = 44;

/// A value that can be part of a pair.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    /// Where it stands in the view.
    pub(super) span: Span,
    /// Line of the view, 0-based.
    pub(super) line: usize,
    /// Section of the view: two values on different sides of a section header have different numbers.
    pub(super) section: usize,
    pub(super) label: Label,
    /// Start of the block of another vendor that it stands in.
    pub(super) foreign_block: Option<usize>,
    /// Where the name of a password's owner stands: `user: …` before `password: …`.
    pub(super) owner: Option<usize>,
    /// The key ids that claim it; empty if it needs none. To all others it is somebody else's.
    pub(super) claimed_by: Vec<Span>,
}

/// What a candidate can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key id; in a credential scope (`ID/20260101/us-east-1/…`) it is only named, not given away.
    Id { id: KeyId, in_scope: bool },
    /// A secret that passed the filters for its evidence.
    Secret,
    /// A session token.
    Token,
    /// An SES SMTP password.
    Smtp,
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
    pub(super) list: Vec<Candidate>,
    pub(super) rejected: Vec<Rejected>,
    /// Spans of the view that may hold a secret, taken or not.
    pub(super) redact: Vec<Span>,
    /// Key ids and secrets that stand at the same place of two lists.
    pub(super) in_lists: Vec<(Span, Span)>,
}

/// Finds the candidates of a view, in order.
pub(super) fn find(bytes: &[u8]) -> Candidates {
    let mut found = Candidates::default();
    let layout = Layout::of(bytes);
    // What only the strict filters refused.
    let mut doubtful: Vec<Rejected> = Vec::new();
    // What only its name refused.
    let mut misnamed: Vec<(Rejected, Label)> = Vec::new();
    let mut previous_end = 0;
    // Where the last value of 40 characters ends that was refused.
    let mut refused_end = 0;
    // The list that it stands in, where that has a name.
    let mut named: Option<lists::Named> = None;
    let mut at = 0;
    while let Some(run) = next_run(bytes, at) {
        at = run.end;
        found.redact.extend(forty_between_slashes(bytes, run));
        for (kind, span) in values_of(bytes, run) {
            let kind = match kind {
                Shape::Id { id, in_scope } => Kind::Id { id, in_scope },
                Shape::Token => Kind::Token,
                Shape::Smtp => Kind::Smtp,
                Shape::Forty => Kind::Secret,
                Shape::Long => Kind::Token,
            };
            // The letters of a refused value are no name of the one after it.
            let is_after_refused = refused_end > previous_end
                && lists::is_gap(bytes.get(refused_end..span.start).unwrap_or_default());
            let floor = if is_after_refused {
                refused_end
            } else {
                previous_end
            };
            let mut label = label::find(bytes, span.start, span.end, floor);
            if kind == Kind::Secret {
                named = named.and_then(|list| list.next(bytes, span));
                match &named {
                    Some(list) => label = list.label(),
                    None => named = lists::Named::begun(bytes, span, &label),
                }
            }
            if (label.name.is_empty() || label.role == Role::Unknown)
                && !matches!(kind, Kind::Id { .. })
            {
                layout.name_from_header(bytes, span, &mut label);
            }
            label.follows &= !is_after_refused;
            let follows_id = label.follows
                && matches!(found.list.last(), Some(last) if matches!(last.kind, Kind::Id { .. }));
            match judge(bytes, &layout, kind, span, &label, follows_id) {
                Ok(()) => {
                    if !matches!(kind, Kind::Id { .. }) {
                        found.redact.push(span);
                    }
                    found
                        .list
                        .push(candidate(bytes, &layout, kind, span, label));
                    previous_end = span.end;
                }
                Err(reason) => {
                    if kind == Kind::Secret {
                        refused_end = span.end;
                    }
                    let is_hash = span.of(bytes).iter().all(u8::is_ascii_hexdigit);
                    if kind == Kind::Secret && !is_hash {
                        found.redact.push(span);
                    }
                    let is_doubtful = kind == Kind::Secret
                        && label.role == Role::Neutral
                        && judge(bytes, &layout, kind, span, &label, true).is_ok();
                    // Most of these are hashes, which nothing makes secrets.
                    let is_misnamed = kind == Kind::Secret
                        && matches!(label.role, Role::Foreign | Role::Unknown)
                        && secret_key::reject(span.of(bytes), Evidence::Named).is_none();
                    let rejected = Rejected { span, reason };
                    match () {
                        () if is_doubtful => doubtful.push(rejected),
                        () if is_misnamed => misnamed.push((rejected, label)),
                        () => found.rejected.push(rejected),
                    }
                }
            }
        }
    }
    found.claim(bytes, &layout, misnamed);
    found.join_lists(bytes, &layout, doubtful);
    found
}

impl Candidates {
    /// Takes what a key id claims of the values that their names refused.
    fn claim(&mut self, bytes: &[u8], layout: &Layout, misnamed: Vec<(Rejected, Label)>) {
        let mut claimed = Vec::new();
        for (rejected, own) in misnamed {
            let span = rejected.span;
            let place = (span, layout.line(span.start));
            let claim = claim::of(bytes, &self.list, place, &own).filter(|claim| {
                judge(bytes, layout, Kind::Secret, span, &claim.label, false).is_ok()
            });
            match claim {
                Some(claim) => claimed.push(Candidate {
                    claimed_by: claim.ids,
                    ..candidate(bytes, layout, Kind::Secret, span, claim.label)
                }),
                None => self.rejected.push(rejected),
            }
        }
        self.list.append(&mut claimed);
        self.list.sort_by_key(|candidate| candidate.span.start);
    }

    /// Joins what stands in lists, which vouch for the doubtful values in them; the others are refused.
    fn join_lists(&mut self, bytes: &[u8], layout: &Layout, doubtful: Vec<Rejected>) {
        let spans: Vec<Span> = doubtful.iter().map(|one| one.span).collect();
        self.in_lists = lists::join(bytes, &self.list, &spans);
        let vouched: BTreeSet<Span> = self.in_lists.iter().map(|(_, secret)| *secret).collect();
        for one in doubtful {
            if vouched.contains(&one.span) {
                let label = Label::bare();
                self.list
                    .push(candidate(bytes, layout, Kind::Secret, one.span, label));
            } else {
                self.rejected.push(one);
            }
        }
        self.list.sort_by_key(|candidate| candidate.span.start);
    }
}

/// A candidate and the parts of the view that it stands in.
fn candidate(bytes: &[u8], layout: &Layout, kind: Kind, span: Span, label: Label) -> Candidate {
    let (line, section) = layout.place(span.start);
    let foreign_block = match (kind, label.role) {
        (Kind::Secret, Role::AwsSecret) if label.name.is_aws() => None,
        (Kind::Token | Kind::Smtp, _) => None,
        _ => block::foreign(bytes, span.start),
    };
    let owner = (kind == Kind::Secret && label.name.is_login())
        .then(|| label::owner(bytes, span.start))
        .flatten();
    Candidate {
        kind,
        span,
        line,
        section,
        label,
        foreign_block,
        claimed_by: Vec::new(),
        owner,
    }
}

/// Parts of a path that have the form of a secret: in `fix/…` it stands in a longer run, and is cut from
/// snippets all the same.
fn forty_between_slashes(bytes: &[u8], run: Span) -> impl Iterator<Item = Span> {
    let text = match run.len() > secret_key::LENGTH {
        true => run.of(bytes),
        false => &[],
    };
    let mut start = run.start;
    text.split(|byte| *byte == b'/').filter_map(move |part| {
        let span = Span::new(start, start + part.len());
        start = span.end + 1;
        let is_mixed = part.len() == secret_key::LENGTH
            && part.iter().any(u8::is_ascii_uppercase)
            && part.iter().any(u8::is_ascii_lowercase)
            && part.iter().any(u8::is_ascii_digit);
        is_mixed.then_some(span)
    })
}

/// Applies the filters that the name of the value calls for.
fn judge(
    bytes: &[u8],
    layout: &Layout,
    kind: Kind,
    span: Span,
    label: &Label,
    is_in_place: bool,
) -> Result<(), &'static str> {
    let value = span.of(bytes);
    match kind {
        Kind::Id { .. } => Ok(()),
        Kind::Secret => {
            boundaries(bytes, span)?;
            if layout.is_armored(bytes, span) {
                return Err("the last line of wrapped base64");
            }
            let evidence = match label.role {
                Role::AwsSecret | Role::Secret => Evidence::Named,
                // `login("ID", "SECRET")`, or in a list: the place says what it is.
                Role::Neutral if is_in_place => Evidence::Named,
                Role::Neutral | Role::KeyId => Evidence::Bare,
                Role::Token => return Err("its name says that it is a token"),
                Role::Foreign => return Err("its name says that it belongs to something else"),
                Role::Unknown => return Err("another name owns it"),
            };
            if secret_key::is_example(value) {
                return Ok(());
            }
            secret_key::reject(value, evidence).map_or(Ok(()), |rejection| Err(rejection.reason()))
        }
        Kind::Token if session_token::is_token(value) => Ok(()),
        Kind::Token if label.role == Role::Token && session_token::can_be_token(value) => Ok(()),
        Kind::Token => Err("long base64 that does not start as a session token does"),
        Kind::Smtp => match label.role {
            Role::Foreign | Role::Unknown | Role::Token => {
                let words = label.name.stem().join(" ");
                let says_so =
                    words.contains("smtp") || words.contains("ses") || words.contains("mail");
                if says_so {
                    Ok(())
                } else {
                    Err("44 base64 characters under another name")
                }
            }
            _ if secret_key::entropy(value) < 4.25 => {
                Err("too few different characters for a random value")
            }
            _ => Ok(()),
        },
    }
}

/// The neighbours that tell a value of 40 characters from a piece of something longer.
fn boundaries(bytes: &[u8], span: Span) -> Result<(), &'static str> {
    let before = span.start.checked_sub(1).and_then(|at| bytes.get(at));
    let is_fallback = before == Some(&b'-') && label::is_fallback(bytes, span.start - 1);
    if let Some(b'.' | b'-' | b'_' | b'@' | b'#' | b'%' | b'$' | b'~') = before
        && !is_fallback
    {
        return Err("the character before it makes it a piece of something longer");
    }
    let next = bytes.get(span.end + 1);
    match bytes.get(span.end) {
        Some(b'=' | b'-' | b'_' | b'(' | b'%' | b'~') => {
            Err("the character after it makes it a piece of something longer")
        }
        Some(b'.') if next.is_some_and(u8::is_ascii_alphanumeric) => {
            Err("it goes on after a dot: a name or a path")
        }
        Some(b':') if next == Some(&b':') => Err("a path of names"),
        _ => Ok(()),
    }
}

/// What a run of characters can be by its length and form alone.
enum Shape {
    Id { id: KeyId, in_scope: bool },
    Forty,
    Smtp,
    Token,
    Long,
}

/// The next run of at least 20 characters that a value can consist of.
fn next_run(bytes: &[u8], from: usize) -> Option<Span> {
    let mut start = from;
    loop {
        start += bytes
            .get(start..)?
            .iter()
            .position(|byte| is_value(*byte))?;
        let rest = bytes.get(start..)?;
        let length = rest
            .iter()
            .position(|byte| !is_value(*byte))
            .unwrap_or(rest.len());
        if length >= key_id::LENGTH {
            return Some(Span::new(start, start + length));
        }
        start += length;
    }
}

/// Whether an id is the one of a URL that is signed the old way: `?AWSAccessKeyId=ID&Expires=…&Signature=…`, in any order.
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

/// The values in a run: mostly the run itself, but `//ID:`, `ID/20260101/…` and `ID/SECRET` occur.
fn values_of(bytes: &[u8], run: Span) -> Vec<(Shape, Span)> {
    let text = run.of(bytes);
    // `s3://ID:SECRET@bucket`: the slashes belong to the URL.
    let slashes = if text.starts_with(b"//") { 2 } else { 0 };
    let start = run.start + slashes;
    let text = text.get(slashes..).unwrap_or_default();
    if let Some(id) = text.get(..key_id::LENGTH).and_then(KeyId::parse) {
        let span = Span::new(start, start + key_id::LENGTH);
        let rest = text.get(key_id::LENGTH..).unwrap_or_default();
        let in_scope = rest.first() == Some(&b'/')
            && rest
                .get(1..9)
                .is_some_and(|date| date.iter().all(u8::is_ascii_digit))
            || rest.is_empty() && is_in_signed_url(bytes, span);
        let mut values = Vec::new();
        if rest.is_empty() || matches!(rest.first(), Some(b'/' | b'+')) {
            values.push((Shape::Id { id, in_scope }, span));
        }
        if rest.len() == 1 + secret_key::LENGTH && !in_scope {
            values.push((Shape::Forty, Span::new(span.end + 1, run.end)));
        }
        return values;
    }
    let shape = match run.len() {
        secret_key::LENGTH => Shape::Forty,
        SMTP_LENGTH if is_smtp_password(run.of(bytes)) => Shape::Smtp,
        length if (session_token::MIN_LENGTH..=MAX_LENGTH).contains(&length) => {
            let padding = bytes
                .get(run.end..)
                .unwrap_or_default()
                .iter()
                .take(2)
                .take_while(|byte| **byte == b'=')
                .count();
            let span = Span::new(run.start, run.end + padding);
            let shape = if session_token::is_token(run.of(bytes)) {
                Shape::Token
            } else {
                Shape::Long
            };
            return vec![(shape, span)];
        }
        _ => return Vec::new(),
    };
    vec![(shape, run)]
}

/// 44 characters that start with the version byte: `B` and `A` to `P` now, `A` and `g` to `v` formerly
/// (Amazon SES Developer Guide, "Obtaining Amazon SES SMTP credentials"; prefixes computed).
fn is_smtp_password(text: &[u8]) -> bool {
    matches!(text, [b'B', b'A'..=b'P', ..] | [b'A', b'g'..=b'v', ..])
}

/// Lines, sections and table columns of a view.
struct Layout {
    /// Start of each line.
    lines: Vec<usize>,
    /// Section number of each line.
    sections: Vec<usize>,
}

impl Layout {
    fn of(bytes: &[u8]) -> Self {
        let mut lines = vec![0];
        lines.extend(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1));
        let mut sections = Vec::with_capacity(lines.len());
        let mut section = 0;
        for (index, start) in lines.iter().enumerate() {
            let end = lines.get(index + 1).copied().unwrap_or(bytes.len());
            if is_section_header(bytes.get(*start..end).unwrap_or_default()) {
                section += 1;
            }
            sections.push(section);
        }
        Self { lines, sections }
    }

    /// Line and section of a place.
    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        (line, self.sections.get(line).copied().unwrap_or(0))
    }

    fn line(&self, at: usize) -> usize {
        self.lines
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    fn text<'b>(&self, bytes: &'b [u8], line: usize) -> &'b [u8] {
        let start = self.lines.get(line).copied().unwrap_or(bytes.len());
        let end = self.lines.get(line + 1).copied().unwrap_or(bytes.len());
        bytes.get(start..end).unwrap_or_default()
    }

    /// Whether a value is a line of its own that ends wrapped base64: a certificate, a key, an image.
    fn is_armored(&self, bytes: &[u8], span: Span) -> bool {
        let line = self.line(span.start);
        let own = self.text(bytes, line);
        let Some(above) = line.checked_sub(1).filter(|_| own.len() <= MAX_ROW) else {
            return false;
        };
        let own = bare_line(own);
        let above = self.text(bytes, above);
        if own.len() > span.len() + 2 || above.len() > MAX_ROW {
            return false;
        }
        let above = bare_line(above);
        above.len() >= 60 && above.iter().all(|byte| is_value(*byte))
    }

    /// Takes the name of a table's column for a value in its cell, if the table has a header.
    ///
    /// Lines longer than [`MAX_ROW`] are no table rows: minified text must not be counted again for each value.
    fn name_from_header(&self, bytes: &[u8], span: Span, label: &mut Label) {
        let line = self.line(span.start);
        let text = self.text(bytes, line);
        if text.len() > MAX_ROW {
            return;
        }
        let before = span.start - self.lines.get(line).copied().unwrap_or(0);
        for separator in [b'|', b'\t', b',', b';'] {
            let count = cells(text, separator);
            if count == 0 {
                continue;
            }
            let column = cells(text.get(..before).unwrap_or_default(), separator);
            let is_row = |above: &usize| {
                let text = self.text(bytes, *above);
                text.len() <= MAX_ROW && cells(text, separator) == count
            };
            // The topmost row of the same number of cells.
            let header = (line.saturating_sub(HEADER_REACH)..line)
                .rev()
                .take_while(is_row)
                .last();
            let Some(header) = header else { continue };
            let header = self.text(bytes, header).trim_ascii();
            if header.split(|byte| *byte == separator).any(is_content) {
                // The topmost row has values too: there is no header.
                return;
            }
            let is_code = header
                .iter()
                .any(|byte| matches!(byte, b'(' | b')' | b'=' | b'{'));
            if is_code && matches!(separator, b',' | b';') {
                // Code whose lines happen to have as many commas.
                continue;
            }
            let cell = header.split(|byte| *byte == separator).nth(column);
            let name = Name::parse(cell.unwrap_or_default());
            let role = name.role();
            if matches!(
                role,
                Role::AwsSecret | Role::Secret | Role::Token | Role::Foreign
            ) {
                *label = Label {
                    name,
                    role,
                    follows: label.follows,
                };
            }
            return;
        }
    }
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

/// Whether the cell of a table holds a value rather than the name of its column.
fn is_content(cell: &[u8]) -> bool {
    cell.split(|byte| !is_value(*byte)).any(|run| {
        let is_forty = run.len() == secret_key::LENGTH && run.iter().any(u8::is_ascii_digit);
        is_forty || KeyId::parse(run).is_some()
    })
}

/// How many separators a line has; indentation is none.
fn cells(line: &[u8], separator: u8) -> usize {
    let text = line.trim_ascii_start();
    text.iter().filter(|byte| **byte == separator).count()
}

/// `[profile build]` on a line of its own.
fn is_section_header(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let Some(inner) = line
        .strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
    else {
        return false;
    };
    inner
        .first()
        .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'[')
        && inner.iter().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b' ' | b'_' | b'-' | b'.' | b':' | b'/' | b'@' | b'[' | b']'
                )
        })
}
