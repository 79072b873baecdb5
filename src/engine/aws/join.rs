//! Joins the candidates of a view: key IDs with secrets, then with session tokens and SMTP passwords.

use std::collections::BTreeMap;

use crate::aws::key_id::KeyKind;

use super::assign::{ALONE_COST, Edge, STEP, assign};
use super::candidate::{Candidate, Candidates, Kind};
use super::evidence::{Evidence, LIMIT, Scales};

/// Number of candidates on either side that are considered for one key ID.
const NEIGHBOURS: usize = 8;

/// Number of candidates of one name, and of one place in lists, that are considered beside those.
const NAMESAKES: usize = 4;

/// Cost of a pair that is too doubtful, beside its reasons.
const DOUBTFUL: u32 = 80;

/// Most lines and bytes between a token and its key ID.
const MOST_LINES: usize = 80;
const MOST_BYTES: usize = 8 * 1024;

/// A key ID with what belongs to it; indices into the candidates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) id: usize,
    pub(super) secret: Option<usize>,
    pub(super) token: Option<usize>,
    pub(super) smtp: Option<usize>,
    /// A possible secret that is too doubtful to be reported as one.
    pub(super) possible: Option<usize>,
    /// Grounds of the assignment, for `--explain`.
    pub(super) evidence: Option<Evidence>,
    /// The least cost of another secret.
    pub(super) next: Option<u32>,
}

/// Joins the candidates of one view.
pub(super) fn join(found: &Candidates) -> Vec<Joined> {
    let list = &found.list;
    let scales = Scales::of(found);
    let ids = indices(list, Candidate::is_id);
    let secrets = indices(list, Candidate::is_secret);
    let mut edges: Vec<Edge> = Vec::new();
    for (row, partners) in partners(found, &ids, &secrets).into_iter().enumerate() {
        for column in partners {
            let (id, secret) = (&list[ids[row]], &list[secrets[column]]);
            if let Some(evidence) = scales.weigh(id, secret) {
                edges.push((row, column, price(&evidence, id, secret)));
            }
        }
    }
    let found = assign(ids.len(), secrets.len(), &mut edges);
    let mut joined = Vec::new();
    let mut at = 0;
    for (row, (id, partner)) in ids.iter().zip(found).enumerate() {
        let from = at;
        at += edges[at..].iter().take_while(|edge| edge.0 == row).count();
        if !list[*id].is_real() {
            continue;
        }
        let mut one = Joined::of(*id);
        let secret = partner
            .map(|column| secrets[column])
            .filter(|secret| list[*secret].is_real());
        if let Some(secret) = secret
            && let Some(evidence) = scales.weigh(&list[*id], &list[secret])
        {
            one.evidence = Some(evidence);
            let others = edges[from..at]
                .iter()
                .filter(|edge| secrets[edge.1] != secret);
            one.next = others.map(|edge| edge.2 / STEP).min();
            match evidence.doubt() < LIMIT {
                true => one.secret = Some(secret),
                false => one.possible = Some(secret),
            }
        }
        joined.push(one);
    }
    joined.extend(
        indices(list, |one| {
            matches!(one.kind, Kind::Id { in_scope: true, .. })
        })
        .into_iter()
        .map(Joined::of),
    );
    joined.sort_by_key(|one| one.id);
    for kind in [Kind::Token, Kind::Smtp] {
        let values = indices(list, |one| one.kind == kind);
        let mut edges: Vec<Edge> = Vec::new();
        for (column, value) in values.iter().enumerate() {
            let middle = joined.partition_point(|one| one.id < *value);
            let near = middle.saturating_sub(NEIGHBOURS)..(middle + NEIGHBOURS).min(joined.len());
            for row in near {
                let between = value.abs_diff(joined[row].id);
                if let Some(cost) = companion(&list[joined[row].id], &list[*value], between) {
                    edges.push((row, column, cost * STEP));
                }
            }
        }
        for (row, partner) in assign(joined.len(), values.len(), &mut edges)
            .into_iter()
            .enumerate()
        {
            let value = partner.map(|column| values[column]);
            match kind {
                Kind::Token => joined[row].token = value,
                _ => joined[row].smtp = value,
            }
        }
    }
    joined
}

impl Joined {
    fn of(id: usize) -> Self {
        Self {
            id,
            secret: None,
            token: None,
            smtp: None,
            possible: None,
            evidence: None,
            next: None,
        }
    }
}

/// The cost of a pair with the distance as its fraction: of two that cost the same, the nearer one. What is too doubtful
/// comes behind all that is not.
fn price(evidence: &Evidence, id: &Candidate, secret: &Candidate) -> u32 {
    let doubtful = if evidence.doubt() < LIMIT {
        0
    } else {
        DOUBTFUL
    };
    let cost = (evidence.cost() + doubtful).min(ALONE_COST - 1);
    let gap = id.span.start.abs_diff(secret.span.start) / 8;
    cost * STEP + u32::try_from(gap).unwrap_or(STEP).min(STEP - 1)
}

fn indices(list: &[Candidate], is_one: impl Fn(&Candidate) -> bool) -> Vec<usize> {
    (0..list.len()).filter(|at| is_one(&list[*at])).collect()
}

/// For each ID the secrets that it can go with: those near it, those of its name, those at its place in other lists.
fn partners(found: &Candidates, ids: &[usize], secrets: &[usize]) -> Vec<Vec<usize>> {
    let list = &found.list;
    let mut named: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut placed: BTreeMap<(bool, usize), Vec<usize>> = BTreeMap::new();
    // Places in lists, and in lists of containers; those in the text itself depend on where that is cut.
    let containers = &found.tree.containers;
    let places = |one: &Candidate| {
        let own = &containers[one.container];
        let inner = (one.container != 0).then_some((false, one.index));
        inner
            .into_iter()
            .chain((own.parent != 0).then_some((true, own.index)))
    };
    for (column, secret) in secrets.iter().enumerate() {
        let secret = &list[*secret];
        if !secret.label.stem.is_empty() {
            named.entry(&secret.label.stem).or_default().push(column);
        }
        for place in places(secret) {
            placed.entry(place).or_default().push(column);
        }
    }
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let middle = secrets.partition_point(|secret| secret < id);
        let near = middle.saturating_sub(NEIGHBOURS)..(middle + NEIGHBOURS).min(secrets.len());
        let mut own: Vec<usize> = near.collect();
        let one = &list[*id];
        let same = named.get(one.label.stem.as_str());
        for column in same
            .into_iter()
            .chain(places(one).filter_map(|place| placed.get(&place)))
        {
            let at = column.partition_point(|column| *column < middle);
            let near = at.saturating_sub(NAMESAKES)..(at + NAMESAKES).min(column.len());
            own.extend(&column[near]);
        }
        own.sort_unstable();
        own.dedup();
        all.push(own);
    }
    all
}

/// Returns the cost of giving a token or a password to a key ID.
fn companion(id: &Candidate, value: &Candidate, between: usize) -> Option<u32> {
    let lines = id.line.abs_diff(value.line);
    let gap = match id.span.start < value.span.start {
        true => value.span.start.saturating_sub(id.span.end),
        false => id.span.start.saturating_sub(value.span.end),
    };
    if lines > MOST_LINES || gap > MOST_BYTES {
        return None;
    }
    // A token belongs to a temporary key before it belongs to a long-term one.
    let kind = match id.kind {
        Kind::Id { id, .. } if id.kind() == KeyKind::Temporary => 0,
        _ => 60,
    };
    let names = if id.label.stem == value.label.stem {
        0
    } else {
        8
    };
    let apart = if id.container == value.container {
        0
    } else {
        4
    };
    let sum = kind + names + apart + lines.min(20) + 2 * between.min(12);
    u32::try_from(sum).ok()
}
