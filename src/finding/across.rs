//! Joins findings in several files: repeats of a pair, and pairs whose halves are in different files.
//!
//! A key id without its secret is a warning, a `secret_key = …` without anything of AWS is nothing. If both
//! turn up in neighbouring files, both are reported and each names the place of the other.

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice as _};

use super::{AwsRule, Finding, Place, merge};
use crate::level::Level;
use crate::secret::Secret;

/// The rule whose findings are key IDs without their secret.
pub const LONE_ID: &str = AwsRule::AccessKeyId.id();
/// The rule whose findings are secrets without their key ID.
const LONE_SECRET: &str = AwsRule::SecretAccessKey.id();

/// Most halves of one kind that are held against each other; a tree with more of them is no accident of
/// two files, and the work would grow with the product.
pub const MAX_HALVES: usize = 1000;

/// Joins findings of several files, and those `latent` ones that a key ID nearby makes findings. Both are merged, with
/// the paths that they will keep.
pub(super) fn join(mut findings: Vec<Finding>, latent: Vec<Finding>) -> Vec<Finding> {
    fold_repeats(&mut findings);
    join_halves(&mut findings, latent);
    merge(findings)
}

/// An id or secret that is part of a pair elsewhere is another place of that pair.
fn fold_repeats(findings: &mut Vec<Finding>) {
    let mut by_id: BTreeMap<String, usize> = BTreeMap::new();
    let mut by_secret: BTreeMap<Secret, usize> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate() {
        if let (Some(id), Some(secret)) = (&finding.key_id, &finding.secret) {
            by_id.entry(id.clone()).or_insert(index);
            by_secret.entry(secret.clone()).or_insert(index);
        }
    }
    let mut moved: Vec<(usize, usize)> = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        let pair = match (finding.rule.as_str(), &finding.key_id, &finding.secret) {
            (LONE_ID, Some(id), None) => by_id.get(id),
            (LONE_SECRET, None, Some(secret)) => by_secret.get(secret),
            _ => None,
        };
        moved.extend(pair.map(|pair| (index, *pair)));
    }
    for (from, to) in &moved {
        let places = std::mem::take(&mut findings[*from].places);
        findings[*to].places.extend(places);
    }
    findings.retain(|finding| !finding.places.is_empty());
}

/// Joins IDs without a secret and secrets without an ID in neighbouring files, one to one.
fn join_halves(findings: &mut Vec<Finding>, latent: Vec<Finding>) {
    let is_open =
        |finding: &Finding, rule: &str| finding.rule == rule && finding.level > Level::Note;
    let ids: Vec<usize> = (0..findings.len())
        .filter(|index| is_open(&findings[*index], LONE_ID))
        .collect();
    if ids.is_empty() || ids.len() > MAX_HALVES {
        return;
    }
    // What has been found by its name comes first, then what only a key id makes a secret.
    let named = (0..findings.len())
        .filter(|index| is_open(&findings[*index], LONE_SECRET))
        .map(Half::Found);
    let mut weak = latent;
    weak.truncate(MAX_HALVES);
    let halves: Vec<Half> = named.chain((0..weak.len()).map(Half::Latent)).collect();
    let mut offers: Vec<(usize, usize, usize)> = Vec::new();
    for (order, id) in ids.iter().enumerate() {
        for (index, half) in halves.iter().enumerate() {
            let secret = match half {
                Half::Found(index) => &findings[*index],
                Half::Latent(index) => &weak[*index],
            };
            offers.extend(apart(&findings[*id], secret).map(|apart| (apart, order, index)));
        }
    }
    offers.sort_unstable();
    let mut id_taken = vec![false; ids.len()];
    let mut half_taken = vec![false; halves.len()];
    let mut promoted = Vec::new();
    for (_, order, index) in offers {
        if id_taken[order] || half_taken[index] {
            continue;
        }
        id_taken[order] = true;
        half_taken[index] = true;
        let id = ids[order];
        let key_id = findings[id].key_id.clone().unwrap_or_default();
        let id_place = place_of(&findings[id]);
        let because = format!("its key id {key_id} was found in {id_place}");
        let secret_place = match halves[index] {
            Half::Found(index) => {
                findings[index].reasons.push(because);
                place_of(&findings[index])
            }
            Half::Latent(index) => {
                let mut secret = weak[index].clone();
                secret.level = Level::Error;
                secret.reasons.push(because);
                let place = place_of(&secret);
                promoted.push(secret);
                place
            }
        };
        findings[id].reasons.push(format!(
            "what can be its secret was found in {secret_place}"
        ));
    }
    findings.extend(promoted);
}

/// A secret without key id.
enum Half {
    /// Index of a finding.
    Found(usize),
    /// Index of a value that is nothing without a key id.
    Latent(usize),
}

fn place_of(finding: &Finding) -> String {
    let place = finding.first_place();
    format!("{}:{}", place.shown_path(), place.position.line)
}

/// Returns the number of directories between two findings at their nearest; `None` if they are not neighbours, or are
/// in one file (where the engine has decided that they do not belong together).
fn apart(id: &Finding, secret: &Finding) -> Option<usize> {
    id.places
        .iter()
        .take(16)
        .flat_map(|id| {
            secret
                .places
                .iter()
                .take(16)
                .filter_map(|secret| apart_at(id, secret))
        })
        .min()
}

/// The same of two places. What lies in a container has its neighbours there.
fn apart_at(id: &Place, secret: &Place) -> Option<usize> {
    let (id_way, id_name) = way(id);
    let (secret_way, secret_name) = way(secret);
    match id_way.is_empty() && secret_way.is_empty() {
        true => steps(id.path.as_ref(), secret.path.as_ref()),
        false => {
            let is_same = id.path == secret.path && id.object == secret.object;
            (is_same && id_way == secret_way).then(|| steps(id_name, secret_name))?
        }
    }
}

/// The containers that a place lies in, each with its format, and its name in the innermost.
fn way(place: &Place) -> (Vec<(&str, &BStr)>, &BStr) {
    let named = place.inside.iter().rposition(|step| !step.name.is_empty());
    let Some(named) = named else {
        let all = place
            .inside
            .iter()
            .map(|step| (step.kind, step.name.as_ref()));
        return (all.collect(), BStr::new(""));
    };
    let last = &place.inside[named];
    let before = place.inside.get(..named).unwrap_or_default();
    let mut way: Vec<_> = before
        .iter()
        .map(|step| (step.kind, step.name.as_ref()))
        .collect();
    way.push((last.kind, BStr::new("")));
    (way, last.name.as_ref())
}

/// Steps from one file's directory to the other's, if that is at most one up and one down.
fn steps(a: &BStr, b: &BStr) -> Option<usize> {
    if a == b {
        return None;
    }
    let parts = |path: &BStr| -> Vec<Vec<u8>> {
        let mut parts: Vec<Vec<u8>> = path.split_str("/").map(<[u8]>::to_vec).collect();
        parts.pop();
        parts
    };
    let (a, b) = (parts(a), parts(b));
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (up, down) = (a.len() - common, b.len() - common);
    (up <= 1 && down <= 1).then_some(up + down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_at_most_one_directory_apart() {
        let steps = |a: &str, b: &str| steps(a.into(), b.into());
        assert_eq!(steps("a/x", "a/y"), Some(0));
        assert_eq!(steps("x", "a/y"), Some(1));
        assert_eq!(steps("b/x", "a/y"), Some(2));
        assert_eq!(steps("a/x", "a/x"), None);
        assert_eq!(steps("a/b/c/x", "y"), None);
    }
}
