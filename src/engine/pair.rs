//! Joins key ids with secrets and tokens: one-to-one, never all with all.
//!
//! The label of a value has decided already whether it can be somebody's secret ([`super::candidate`]).
//! Places in two lists of one length join first ([`super::lists`]). Between the others nearness decides: the
//! number of candidates between two halves (squared, so that order of appearance wins over nearest-first), then
//! lines, then whether the rest of both names agrees (`DEV_…`, `PROD_…`), whether both speak of a login or of keys,
//! and of AWS or not; last, the id comes first.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::key_id::{KeyId, KeyKind};
use crate::aws::name::{Name, Role};
use crate::blob::Span;

use super::candidate::{Candidate, Kind};

/// Most bytes of the view between the two halves of a pair. A session token can stand between.
const MAX_BYTES: usize = 8 * 1024;

/// Most lines between a key id and a value whose name says that it is a secret. Generated `s3cmd` files
/// have 30 and more between the two.
const MAX_LINES_NAMED: usize = 80;

/// Most lines between a key id and a value without a name. Human-labelled pairs are at most 3 apart.
const MAX_LINES_BARE: usize = 12;

/// How many candidates on either side are considered for one key id.
const NEIGHBOURS: usize = 12;

/// Rounds of exchanging partners; each round is linear.
const ROUNDS: usize = 16;

/// A key id with what belongs to it; indices into the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) id: usize,
    pub(super) secret: Option<usize>,
    pub(super) token: Option<usize>,
    pub(super) smtp: Option<usize>,
}

/// Joins the candidates of one view, which are in order of place; those `in_lists` by their places in lists.
pub(super) fn join(candidates: &[Candidate], in_lists: &[(Span, Span)]) -> Vec<Joined> {
    let mut partners: BTreeMap<usize, usize> = in_lists
        .iter()
        .filter_map(|(id, secret)| Some((at(candidates, *id)?, at(candidates, *secret)?)))
        .filter(|(id, secret)| can_belong(&candidates[*id], &candidates[*secret]))
        .collect();
    let taken: BTreeSet<usize> = partners.values().copied().collect();
    let mut ids: Vec<usize> = indices(candidates, |kind| {
        matches!(
            kind,
            Kind::Id {
                in_scope: false,
                ..
            }
        )
    });
    let mut secrets: Vec<usize> = indices(candidates, |kind| *kind == Kind::Secret);
    ids.retain(|id| !partners.contains_key(id));
    secrets.retain(|secret| !taken.contains(secret));
    let near = assign(candidates, &ids, &secrets);
    partners.extend(
        ids.iter()
            .zip(near)
            .filter_map(|(id, secret)| Some((*id, secret?))),
    );
    let mut joined: Vec<Joined> = indices(candidates, |kind| matches!(kind, Kind::Id { .. }))
        .into_iter()
        .map(|id| Joined {
            id,
            secret: partners.get(&id).copied(),
            token: None,
            smtp: None,
        })
        .collect();
    for token in indices(candidates, |kind| *kind == Kind::Token) {
        if let Some(owner) = nearest(candidates, &joined, token, |joined| joined.token.is_none()) {
            joined[owner].token = Some(token);
        }
    }
    for smtp in indices(candidates, |kind| *kind == Kind::Smtp) {
        if let Some(owner) = nearest(candidates, &joined, smtp, |joined| joined.smtp.is_none()) {
            joined[owner].smtp = Some(smtp);
        }
    }
    joined
}

/// The index of the candidate with this span.
fn at(candidates: &[Candidate], span: Span) -> Option<usize> {
    let index = candidates.partition_point(|one| one.span.start < span.start);
    (candidates.get(index)?.span == span).then_some(index)
}

fn indices(candidates: &[Candidate], is_kind: impl Fn(&Kind) -> bool) -> Vec<usize> {
    (0..candidates.len())
        .filter(|index| {
            candidates
                .get(*index)
                .is_some_and(|candidate| is_kind(&candidate.kind))
        })
        .collect()
}

/// The partner of each id: cheapest first, then exchanged while that makes two pairs cheaper together.
fn assign(candidates: &[Candidate], ids: &[usize], secrets: &[usize]) -> Vec<Option<usize>> {
    let ranks = ranks(candidates.len(), ids, secrets);
    let price = |id: usize, secret: usize| cost(candidates, &ranks, id, secret);
    let mut offers: Vec<(u64, usize, usize)> = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        let middle = secrets.partition_point(|secret| secret < id);
        let near = middle.saturating_sub(NEIGHBOURS)..(middle + NEIGHBOURS).min(secrets.len());
        for secret in secrets.get(near).unwrap_or_default() {
            if let Some(cost) = price(*id, *secret) {
                offers.push((cost, index, *secret));
            }
        }
    }
    offers.sort_unstable();
    let mut partners: Vec<Option<usize>> = vec![None; ids.len()];
    let mut taken = vec![false; candidates.len()];
    for (_, index, secret) in offers {
        if partners[index].is_none() && !taken[secret] {
            partners[index] = Some(secret);
            taken[secret] = true;
        }
    }
    for _ in 0..ROUNDS {
        let mut changed = false;
        for first in 0..ids.len() {
            for second in first + 1..(first + 1 + NEIGHBOURS).min(ids.len()) {
                let (Some(a), Some(b)) = (partners[first], partners[second]) else {
                    continue;
                };
                let now = (price(ids[first], a), price(ids[second], b));
                let then = (price(ids[first], b), price(ids[second], a));
                if let ((Some(now_a), Some(now_b)), (Some(then_a), Some(then_b))) = (now, then)
                    && then_a + then_b < now_a + now_b
                {
                    partners.swap(first, second);
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    partners
}

/// The place of each id and secret in their common order.
fn ranks(length: usize, ids: &[usize], secrets: &[usize]) -> Vec<u64> {
    let mut ranks = vec![0; length];
    let mut all: Vec<usize> = ids.iter().chain(secrets).copied().collect();
    all.sort_unstable();
    for (rank, index) in all.into_iter().enumerate() {
        ranks[index] = rank as u64;
    }
    ranks
}

/// How ill the two halves go together; `None` if they cannot.
fn cost(candidates: &[Candidate], ranks: &[u64], id: usize, secret: usize) -> Option<u64> {
    let (id_at, secret_at) = (candidates.get(id)?, candidates.get(secret)?);
    let lines = id_at.line.abs_diff(secret_at.line);
    let named = matches!(secret_at.label.role, Role::AwsSecret | Role::Secret);
    if lines
        > if named {
            MAX_LINES_NAMED
        } else {
            MAX_LINES_BARE
        }
        || distance(id_at, secret_at) > MAX_BYTES
    {
        return None;
    }
    if !can_belong(id_at, secret_at) {
        return None;
    }
    let adjacent =
        secret == id + 1 && secret_at.label.follows || id == secret + 1 && id_at.label.follows;
    let name = match secret_at.label.role {
        _ if adjacent => 0,
        Role::AwsSecret | Role::Secret => 4,
        _ => 40,
    };
    let names = disagreement(&id_at.label.name, &secret_at.label.name);
    // Of two that are as near, the one behind: people write the id first.
    let before = u64::from(secret < id);
    let between = ranks.get(id)?.abs_diff(*ranks.get(secret)?);
    let lines = lines as u64;
    Some(name + names + before + 64 * between * between + lines * lines)
}

/// How much the names of two halves speak against their being of one pair.
fn disagreement(id: &Name, secret: &Name) -> u64 {
    let (id_stem, secret_stem) = (id.stem(), secret.stem());
    let stems = if id_stem == secret_stem {
        0
    } else if id_stem.iter().any(|word| secret_stem.contains(word)) {
        100
    } else if id_stem.is_empty() || secret_stem.is_empty() {
        200
    } else {
        2_000
    };
    // `username` goes with `password`, `access_key` with `secret_key`; `AWS_…` with `AWS_…`.
    let style = match (
        id.is_empty() || secret.is_empty(),
        id.is_login() != secret.is_login(),
    ) {
        (false, true) => 100,
        _ => 0,
    };
    let family = match id.is_aws() != secret.is_aws() && !secret.is_empty() {
        true => 16,
        false => 0,
    };
    stems + style + family
}

/// Whether a secret can belong to an id at all.
///
/// What stands in the block of another vendor is the vendor's, unless the key id stands there too; what key ids claim
/// is theirs.
fn can_belong(id: &Candidate, secret: &Candidate) -> bool {
    let is_foreign = secret.foreign_block.is_some() && secret.foreign_block != id.foreign_block;
    let is_claimed = secret.claimed_by.is_empty() || secret.claimed_by.contains(&id.span);
    // `username: ID`, … `username: bob`, `password: VALUE`: the password is bob's.
    let is_other_owner = secret.owner.is_some_and(|owner| id.span.end <= owner);
    id.section == secret.section && !is_foreign && is_claimed && !is_other_owner
}

fn distance(a: &Candidate, b: &Candidate) -> usize {
    if a.span.start < b.span.start {
        b.span.start.saturating_sub(a.span.end)
    } else {
        a.span.start.saturating_sub(b.span.end)
    }
}

/// The id (or pair) that a token or password belongs to.
fn nearest(
    candidates: &[Candidate],
    joined: &[Joined],
    value: usize,
    is_free: impl Fn(&Joined) -> bool,
) -> Option<usize> {
    let value_at = candidates.get(value)?;
    let middle = joined.partition_point(|joined| joined.id < value);
    let near = middle.saturating_sub(NEIGHBOURS)..(middle + NEIGHBOURS).min(joined.len());
    near.filter(|index| joined.get(*index).is_some_and(&is_free))
        .filter_map(|index| {
            let owner = candidates.get(joined.get(index)?.id)?;
            let lines = owner.line.abs_diff(value_at.line);
            if lines > MAX_LINES_NAMED
                || distance(owner, value_at) > MAX_BYTES
                || owner.section != value_at.section
            {
                return None;
            }
            // A token belongs to a temporary key before it belongs to a long-term one.
            let kind = match owner.kind {
                Kind::Id { id, .. } if is_temporary(id) => 0,
                _ => 100_u64,
            };
            let stems = if owner.label.name.stem() == value_at.label.name.stem() {
                0
            } else {
                8
            };
            let lines = lines as u64;
            let between = value.abs_diff(joined.get(index)?.id) as u64;
            Some((kind + stems + lines * lines + 16 * between * between, index))
        })
        .min()
        .map(|(_, index)| index)
}

fn is_temporary(id: KeyId) -> bool {
    id.kind() == KeyKind::Temporary
}
