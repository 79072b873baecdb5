//! Two lists of the same length, one of key ids, one of secrets: their places say what the values are.
//!
//! Without this a secret that the strict filters took by chance would leave a gap, and the others of its list
//! would be joined with the ids of their neighbours.

use crate::blob::Span;

use super::candidate::{Candidate, Kind};

/// Most bytes between two values of a list: quotes, a comma, a line break with its indentation.
const MAX_GAP: usize = 64;

/// One of the values that a list can consist of.
#[derive(Clone, Copy)]
enum Item {
    Id,
    Secret,
    /// Its index among the doubtful ones.
    Doubtful(usize),
}

/// Which of the doubtful values stand in a list with a secret, as long as a list of ids next to it.
pub(super) fn vouched(bytes: &[u8], list: &[Candidate], doubtful: &[Candidate]) -> Vec<bool> {
    let mut vouched = vec![false; doubtful.len()];
    if doubtful.is_empty() {
        return vouched;
    }
    let rows = rows(bytes, list, doubtful);
    let of_ids = |row: Option<&Vec<Item>>, length: usize| {
        row.is_some_and(|row| row.len() == length && matches!(row.first(), Some(Item::Id)))
    };
    for (index, row) in rows.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| rows.get(before));
        let is_beside_ids = of_ids(before, row.len()) || of_ids(rows.get(index + 1), row.len());
        let has_secret = row.iter().any(|item| matches!(item, Item::Secret));
        for item in row.iter().filter(|_| has_secret && is_beside_ids) {
            if let Item::Doubtful(index) = item {
                vouched[*index] = true;
            }
        }
    }
    vouched
}

/// The ids, secrets and doubtful values, in order, cut where a list ends.
fn rows(bytes: &[u8], list: &[Candidate], doubtful: &[Candidate]) -> Vec<Vec<Item>> {
    let taken = list.iter().filter_map(|candidate| match candidate.kind {
        Kind::Id { .. } => Some((candidate.span, Item::Id)),
        Kind::Secret => Some((candidate.span, Item::Secret)),
        Kind::Token | Kind::Smtp => None,
    });
    let doubtful = doubtful.iter().enumerate();
    let doubtful = doubtful.map(|(index, candidate)| (candidate.span, Item::Doubtful(index)));
    let mut items: Vec<(Span, Item)> = taken.chain(doubtful).collect();
    items.sort_by_key(|(span, _)| span.start);
    let is_next = |(before, a): &(Span, Item), (after, b): &(Span, Item)| {
        matches!(a, Item::Id) == matches!(b, Item::Id)
            && is_gap(&bytes[before.end..after.start.max(before.end)])
    };
    items
        .chunk_by(is_next)
        .map(|row| row.iter().map(|(_, item)| *item).collect())
        .collect()
}

/// Whether what stands between two values only tells them apart.
fn is_gap(between: &[u8]) -> bool {
    let is_punctuation = |byte: &u8| {
        byte.is_ascii_whitespace()
            || matches!(byte, b'"' | b'\'' | b'`' | b',' | b';' | b'|' | b'-' | b'*')
    };
    (1..=MAX_GAP).contains(&between.len()) && between.iter().all(is_punctuation)
}
