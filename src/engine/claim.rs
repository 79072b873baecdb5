//! Values that their own name gives to somebody else, until a key id near them claims them: it has the same
//! name but for the half (`mailer_user`, `mailer_password`), the same name with nothing between that tells the
//! two apart (`echo ID`, `echo VALUE`), or stands beside it in a row.

use crate::aws::name::{Name, Role};
use crate::blob::Span;

use super::candidate::{Candidate, Kind};
use super::label::{self, Label};

/// Key ids that are looked at on either side.
const NEIGHBOURS: usize = 4;

/// Candidates among which they are looked for.
const REACH: usize = 64;

/// Most bytes between two values of a row.
const MAX_GAP: usize = 64;

/// Most bytes between an id and a value under the same name.
const MAX_REPEATED: usize = 256;

/// Most lines between the halves of a pair whose names agree.
const MAX_LINES: usize = 16;

/// What makes a value that is somebody else's by its name a secret all the same.
pub(super) struct Claim {
    /// The key ids whose secret it can be.
    pub(super) ids: Vec<Span>,
    /// Its label then.
    pub(super) label: Label,
}

/// Who claims the value at `span`, which stands under the name of `own`.
///
/// `list` has the candidates in order of place.
pub(super) fn of(
    bytes: &[u8],
    list: &[Candidate],
    (span, line): (Span, usize),
    own: &Label,
) -> Option<Claim> {
    let after = list.partition_point(|one| one.span.start < span.start);
    let is_id = |one: &&Candidate| {
        let is_plain = matches!(
            one.kind,
            Kind::Id {
                in_scope: false,
                ..
            }
        );
        is_plain && one.line.abs_diff(line) <= MAX_LINES
    };
    let (before, behind) = list.split_at(after);
    let ids = || {
        let before = before.iter().rev().take(REACH).filter(is_id);
        let behind = behind.iter().take(REACH).filter(is_id);
        before.take(NEIGHBOURS).chain(behind.take(NEIGHBOURS))
    };
    let half: Vec<Span> = ids()
        .filter(|id| own.name.is_other_half_of(&id.label.name))
        .map(|id| id.span)
        .collect();
    let named = |role| Label {
        name: own.name.clone(),
        role,
        follows: false,
    };
    if !half.is_empty() {
        return Some(Claim {
            ids: half,
            label: named(Role::Secret),
        });
    }
    let twin = |id: &&Candidate| {
        let is_first = id.span.start < span.start;
        let (first, second) = if is_first {
            (id.span, span)
        } else {
            (span, id.span)
        };
        !own.name.is_empty()
            && own.name == id.label.name
            && is_repeated(
                bytes.get(first.end..second.start).unwrap_or_default(),
                &own.name,
            )
    };
    let last = before.last().filter(is_id).filter(twin);
    let next = behind.first().filter(is_id);
    if let Some(id) = last.or_else(|| next.filter(twin)) {
        return Some(Claim {
            ids: vec![id.span],
            label: named(Role::Neutral),
        });
    }
    let next = next?;
    let is_beside = next.line == line
        && next.span.start - span.end <= MAX_GAP
        && own.name.len() == 1
        && !own.name.is_foreign()
        && is_cell(bytes, span.start)
        && label::glue_only(bytes, span.end, next.span.start);
    is_beside.then(|| Claim {
        ids: vec![next.span],
        label: Label::bare(),
    })
}

/// Whether nothing stands between an id and a value but their common name, mark-up, words of structure, and at most a
/// name that says what comes next is the secret.
fn is_repeated(between: &[u8], common: &Name) -> bool {
    if between.len() > MAX_REPEATED {
        return false;
    }
    let mut is_after_open = false;
    between
        .split_inclusive(|byte| !label::is_word(*byte))
        .all(|part| {
            let sign = part.last().copied().filter(|byte| !label::is_word(*byte));
            let word = &part[..part.len() - usize::from(sign.is_some())];
            let is_tag = std::mem::replace(&mut is_after_open, sign == Some(b'<'));
            let name = Name::parse(word);
            let is_said =
                |word: &str| common.has_word(word) || label::is_structural(word.as_bytes());
            is_tag
                || label::is_structural(word)
                || matches!(name.role(), Role::AwsSecret | Role::Secret)
                || name.words().all(is_said)
        })
}

/// Whether the value at `start` is one of a row, not the first: `build,VALUE`, `('api', 'VALUE'`.
fn is_cell(bytes: &[u8], start: usize) -> bool {
    let before = bytes
        .get(start.saturating_sub(MAX_GAP)..start)
        .unwrap_or_default();
    let is_outer = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`');
    let sign = before.iter().rev().find(|byte| !is_outer(byte));
    matches!(sign, Some(b',' | b';' | b'|')) || before.ends_with(b"\t")
}
