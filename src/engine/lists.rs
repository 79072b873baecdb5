//! Two lists of the same length, one of key ids, one of secrets: the place in the list joins, not nearness.
//!
//! The list also vouches for a secret in it that the strict filters refused by chance. Without that it would
//! leave a gap, and the others would be joined with the ids of their neighbours.

use crate::blob::Span;

use super::candidate::{Candidate, Kind};
use super::label::Label;
use crate::aws::name::{Name, Role};

/// Most bytes between two values of a list: quotes, a comma, a line break with its indentation.
const MAX_GAP: usize = 64;

/// Most bytes between the two lists.
const MAX_BETWEEN: usize = 8 * 1024;

/// Longest name that is copied for each value of a list, in bytes; of others only what they say is.
const MAX_NAME: usize = 48;

/// In a list of so many one value may be vouched for, in longer ones one of so many. A refusal by chance is
/// rarer than 1 in 1,000: where there are more, the list is none of secrets.
const VALUES_PER_DOUBT: usize = 8;

/// One of the values that a list can consist of.
#[derive(Clone, Copy)]
struct Item {
    span: Span,
    part: Part,
    /// Section of the view, where it is known.
    section: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Id,
    Secret,
    Doubtful,
}

impl Item {
    fn is_id(&self) -> bool {
        self.part == Part::Id
    }
}

/// A list of values under one name, as far as it was read.
#[derive(Debug)]
pub(super) struct Named {
    name: Name,
    role: Role,
    form: Form,
    /// The value before.
    last: Span,
    /// What stands between its first two values.
    gap: Option<Span>,
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `NAME = ["…", "…"]`
    Bracketed,
    /// Items of YAML below `NAME:`.
    Items,
    /// `NAME=…,…`
    Plain,
}

impl Named {
    /// The list whose first value stands at `span`, under the name of `label`; `None` if it is written as no list.
    pub(super) fn begun(bytes: &[u8], span: Span, label: &Label) -> Option<Self> {
        if matches!(label.role, Role::Neutral | Role::KeyId) {
            return None;
        }
        let is_short = label.name.text().len() <= MAX_NAME;
        Some(Self {
            name: if is_short {
                label.name.clone()
            } else {
                Name::default()
            },
            role: label.role,
            form: form(bytes, span.start)?,
            last: span,
            gap: None,
        })
    }

    /// Goes on to the value at `span`; `None` if that is not the next one of the list.
    pub(super) fn next(self, bytes: &[u8], span: Span) -> Option<Self> {
        let gap = Span::new(self.last.end, span.start);
        let between = gap.of(bytes);
        let is_plain = |byte: &u8| !is_quote(byte) && *byte != b'\n';
        let fits = match self.form {
            Form::Bracketed => is_written_gap(between),
            Form::Items => {
                is_written_gap(between) && memchr::memchr_iter(b'\n', between).count() == 1
            }
            Form::Plain => is_gap(between) && between.iter().all(is_plain),
        };
        let same = self
            .gap
            .is_none_or(|first| signs(first.of(bytes)).eq(signs(between)));
        (fits && same).then_some(Self {
            last: span,
            gap: self.gap.or(Some(gap)),
            ..self
        })
    }

    /// The name of each value, and what it says.
    pub(super) fn label(&self) -> Label {
        Label {
            name: self.name.clone(),
            role: self.role,
            ..Label::bare()
        }
    }
}

/// What tells two values apart, without white space and the marks at the start of a line.
fn signs(gap: &[u8]) -> impl Iterator<Item = u8> {
    let is_sign = |byte: &u8| is_quote(byte) || matches!(byte, b',' | b';' | b'|');
    gap.iter().copied().filter(is_sign)
}

fn is_quote(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// How the list is written whose first value stands at `start`.
fn form(bytes: &[u8], start: usize) -> Option<Form> {
    let from = start.saturating_sub(MAX_GAP);
    let mut before = bytes.get(from..start).unwrap_or_default();
    if before.last().is_some_and(is_quote) {
        before = &before[..before.len() - 1];
        before = before.strip_suffix(b"b").unwrap_or(before);
    }
    let blank = before.trim_ascii_end();
    if let Some(b'[' | b'(' | b'{') = without_patch_mark(blank).last() {
        return Some(Form::Bracketed);
    }
    if let Some(b'=' | b':') = blank.last()
        && !before[blank.len()..].contains(&b'\n')
    {
        return Some(Form::Plain);
    }
    // `NAME:`, and below it `- ` further in, or as far in under a name that is no item itself.
    let (mark, above) = blank.split_last()?;
    if !matches!(mark, b'-' | b'*') {
        return None;
    }
    let line = memchr::memrchr(b'\n', above)?;
    let column = &above[line + 1..];
    let is_indent = |byte: &u8| matches!(byte, b' ' | b'\t' | b'+' | b'-' | b'>');
    let named = above[..line].trim_ascii_end();
    let start = memchr::memrchr(b'\n', named).map_or(0, |line| line + 1);
    let is_sibling = named[start..]
        .strip_prefix(column)
        .is_some_and(|rest| rest.first() == Some(mark));
    let is_item = column.iter().all(is_indent) && named.ends_with(b":") && !is_sibling;
    is_item.then_some(Form::Items)
}

/// A text without the mark of a patch or a quotation at the start of its last line.
fn without_patch_mark(text: &[u8]) -> &[u8] {
    let Some((b'+' | b'-' | b'>', above)) = text.split_last() else {
        return text;
    };
    if above.ends_with(b"\n") {
        above.trim_ascii_end()
    } else {
        text
    }
}

/// Joins ids with secrets by their places in lists; the secrets may be among the doubtful ones. In order.
pub(super) fn join(bytes: &[u8], list: &[Candidate], doubtful: &[Span]) -> Vec<(Span, Span)> {
    let items = items(list, doubtful);
    let rows: Vec<&[Item]> = items
        .chunk_by(|a, b| a.is_id() == b.is_id() && is_gap(between(bytes, a.span, b.span)))
        .filter(|row| row.iter().any(|item| item.part != Part::Doubtful))
        .collect();
    let fit = |at: usize| match rows.get(at..at + 2) {
        Some([first, second]) => belong(bytes, first, second).then(|| distance(first, second)),
        _ => None,
    };
    let mut joined = Vec::new();
    let mut at = 0;
    while at + 1 < rows.len() {
        let Some(near) = fit(at) else {
            at += 1;
            continue;
        };
        // A list between two that it could belong to belongs to the nearer one. Where nothing but a gap parts the
        // two from another row, they are no lists: `ID, SECRET`, and on the next line `SECRET, ID`.
        let is_cut = |at: usize| match rows.get(at..at + 2) {
            Some([before, after]) => !touch(bytes, before, after),
            _ => true,
        };
        let stand_alone = at.checked_sub(1).is_none_or(is_cut) && is_cut(at + 1);
        if !stand_alone || fit(at + 1).is_some_and(|next| next < near) {
            at += 1;
            continue;
        }
        let (ids, secrets) = in_kind_order(rows[at], rows[at + 1]);
        let pairs = ids.iter().zip(secrets);
        joined.extend(pairs.map(|(id, secret)| (id.span, secret.span)));
        at += 2;
    }
    joined.sort_unstable();
    joined
}

/// The ids, secrets and doubtful values, in order.
fn items(list: &[Candidate], doubtful: &[Span]) -> Vec<Item> {
    let known = list.iter().filter_map(|candidate| {
        let part = match candidate.kind {
            Kind::Id { in_scope, .. } if !in_scope => Part::Id,
            Kind::Secret => Part::Secret,
            Kind::Id { .. } | Kind::Token | Kind::Smtp => return None,
        };
        Some(Item {
            span: candidate.span,
            part,
            section: Some(candidate.section),
        })
    });
    let doubtful = doubtful.iter().map(|span| Item {
        span: *span,
        part: Part::Doubtful,
        section: None,
    });
    let mut items: Vec<Item> = known.chain(doubtful).collect();
    items.sort_by_key(|item| item.span.start);
    items
}

/// Whether a row of at least two can be a list of secrets: some are, and hardly one of the others is refused.
fn can_be_secrets(bytes: &[u8], row: &[Item]) -> bool {
    let doubts = row
        .iter()
        .filter(|item| item.part == Part::Doubtful)
        .count();
    // Values with nothing but white space between them may stand there for any reason.
    let is_written = || {
        row.windows(2).all(|two| match two {
            [a, b] => is_written_gap(between(bytes, a.span, b.span)),
            _ => false,
        })
    };
    doubts < row.len()
        && !row.iter().any(Item::is_id)
        && row.len() > 1
        && (doubts == 0 || doubts <= row.len().div_ceil(VALUES_PER_DOUBT) && is_written())
}

/// The row of ids first.
fn in_kind_order<'r>(first: &'r [Item], second: &'r [Item]) -> (&'r [Item], &'r [Item]) {
    match first.first().is_some_and(Item::is_id) {
        true => (first, second),
        false => (second, first),
    }
}

/// Whether two lists, one after the other, belong together.
fn belong(bytes: &[u8], first: &[Item], second: &[Item]) -> bool {
    let section = |row: &[Item]| row.iter().find_map(|item| item.section);
    let (ids, secrets) = in_kind_order(first, second);
    first.len() == second.len()
        && distance(first, second) <= MAX_BETWEEN
        && section(first) == section(second)
        && ids.iter().all(Item::is_id)
        && can_be_secrets(bytes, secrets)
}

/// Bytes between two lists, one after the other.
fn distance(first: &[Item], second: &[Item]) -> usize {
    let end = first.last().map_or(0, |item| item.span.end);
    let start = second.first().map_or(0, |item| item.span.start);
    start.saturating_sub(end)
}

/// Whether only a gap stands between two rows.
fn touch(bytes: &[u8], first: &[Item], second: &[Item]) -> bool {
    match (first.last(), second.first()) {
        (Some(last), Some(next)) => is_gap(between(bytes, last.span, next.span)),
        _ => false,
    }
}

fn between(bytes: &[u8], before: Span, after: Span) -> &[u8] {
    bytes.get(before.end..after.start).unwrap_or_default()
}

/// Whether what stands between two values is more than white space, and only tells them apart.
pub(super) fn is_written_gap(between: &[u8]) -> bool {
    is_gap(between) && !between.iter().all(u8::is_ascii_whitespace)
}

/// Whether what stands between two values only tells them apart: quotes, a comma, the marks of comments,
/// of patches and of lists, `b` and the like before a quote.
pub(super) fn is_gap(between: &[u8]) -> bool {
    (1..=MAX_GAP).contains(&between.len())
        && between.iter().enumerate().all(|(at, byte)| {
            let is_mark = matches!(
                byte,
                b',' | b';' | b'|' | b'-' | b'*' | b'+' | b'#' | b'/' | b'>'
            );
            byte.is_ascii_whitespace()
                || is_quote(byte)
                || is_mark
                || byte.is_ascii_alphabetic() && between.get(at + 1).is_some_and(is_quote)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_values_apart_is_a_gap() {
        for gap in ["\", \"", "\n", "', b'", "\n- ", "\",\n+  \"", "|"] {
            assert!(is_gap(gap.as_bytes()), "{gap:?}");
        }
        let long = " ".repeat(MAX_GAP + 1);
        for other in [
            "",
            "]\nkeys = [\"",
            "=",
            ": ",
            " and ",
            "\", name=\"",
            &long,
        ] {
            assert!(!is_gap(other.as_bytes()), "{other:?}");
        }
    }
}
