//! Values that their own name gives to somebody else, until a key id beside them claims them: it has the same
//! name but for the half (`mailer_user`, `mailer_password`), the same name, or stands in the same row.

use crate::aws::name::Role;
use crate::blob::Span;

use super::candidate::{Candidate, Kind};
use super::label::{self, Label};

/// Key ids that are looked at on either side.
const NEIGHBOURS: usize = 4;

/// Candidates among which they are looked for.
const REACH: usize = 64;

/// Most bytes between two values of a row.
const MAX_GAP: usize = 64;

/// Most lines between the halves of a pair whose names agree.
const MAX_LINES: usize = 16;

/// The label under which a key id claims the value at `span`, whose own says that it is somebody else's.
///
/// `list` has the candidates in order of place.
pub(super) fn label(
    bytes: &[u8],
    list: &[Candidate],
    (span, line): (Span, usize),
    own: &Label,
) -> Option<Label> {
    let after = list.partition_point(|one| one.span.start < span.start);
    let is_id = |one: &&Candidate| {
        matches!(
            one.kind,
            Kind::Id {
                in_scope: false,
                ..
            }
        ) && one.line.abs_diff(line) <= MAX_LINES
    };
    let (before, behind) = list.split_at(after);
    let ids = || {
        let before = before.iter().rev().take(REACH).filter(is_id);
        let behind = behind.iter().take(REACH).filter(is_id);
        before.take(NEIGHBOURS).chain(behind.take(NEIGHBOURS))
    };
    let as_role = |role| Label {
        name: own.name.clone(),
        role,
        follows: false,
    };
    if ids().any(|id| own.name.is_other_half_of(&id.label.name)) {
        return Some(as_role(Role::Secret));
    }
    let is_same = |id: &Candidate| !own.name.is_empty() && own.name == id.label.name;
    if ids().any(is_same) {
        return Some(as_role(Role::Neutral));
    }
    let next = behind.first()?;
    let is_beside = is_id(&next)
        && next.line == line
        && next.span.start - span.end <= MAX_GAP
        && own.name.len() == 1
        && label::glue_only(bytes, span.end, next.span.start);
    is_beside.then(Label::bare)
}
