//! Which objects references reach, for a scan that is limited to them.

use std::collections::HashSet;

use bstr::{BStr, BString};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::provenance::head_names;
use super::range::{Introduced, as_stored, compare, walk};
use super::revision::Error;
use crate::coverage::{Skip, SkipReason};

/// The objects that a limited scan looks at.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// Blobs, commits and annotated tags.
    pub objects: HashSet<ObjectId>,
    /// What could not be read: what only it leads to is not among the objects.
    pub skips: Vec<Skip>,
}

/// What all references and the heads of all worktrees name. Reflogs do not count.
pub fn all_tips(repo: &gix::Repository) -> Result<Vec<ObjectId>, Error> {
    let failed = |source: gix::Error| Error::References {
        source: Box::new(source),
    };
    let mut tips = Vec::new();
    for reference in repo.references().map_err(failed)?.all().map_err(failed)? {
        tips.extend(reference.map_err(failed)?.try_id().map(|id| id.detach()));
    }
    for name in head_names(repo) {
        // A head on a branch that has no commit yet names nothing.
        if let Some(head) = repo.try_find_reference(name.as_str()).map_err(failed)? {
            tips.extend(head.try_id().map(|id| id.detach()));
        }
    }
    tips.sort();
    tips.dedup();
    Ok(tips)
}

/// What the named branches point at, local ones before remote ones; other references by their full name.
pub fn branch_tips(repo: &gix::Repository, branches: &[BString]) -> Result<Vec<ObjectId>, Error> {
    let mut tips = Vec::new();
    for branch in branches {
        tips.push(branch_tip(repo, branch.as_ref())?);
    }
    tips.sort();
    tips.dedup();
    Ok(tips)
}

fn branch_tip(repo: &gix::Repository, branch: &BStr) -> Result<ObjectId, Error> {
    let unknown = |source: Option<gix::Error>| Error::Unknown {
        revision: branch.to_owned(),
        is_shallow: repo.is_shallow().unwrap_or_default(),
        source: source.map(|source| Box::new(source) as _),
    };
    for prefix in ["refs/heads/", "refs/remotes/", ""] {
        let name = BString::from([prefix.as_bytes(), branch.as_ref()].concat());
        if prefix.is_empty() && !name.starts_with(b"refs/") && name != "HEAD" {
            break;
        }
        let Ok(full) = gix::refs::FullName::try_from(name) else {
            continue;
        };
        if let Some(mut reference) = repo
            .try_find_reference(full.as_ref())
            .map_err(|source| unknown(Some(source)))?
        {
            // Through symbolic references, which may point at a branch that is not there.
            return match reference.follow_to_object() {
                Ok(id) => Ok(id.detach()),
                Err(source) => Err(unknown(Some(source))),
            };
        }
    }
    Err(unknown(None))
}

/// The blobs, commits and tags that `tips` reach.
///
/// With `since` (seconds since the epoch, committer date): the commits from then on and the blobs that
/// they bring in; tags as they are named.
pub fn reachable_objects(
    repo: &gix::Repository,
    tips: &[ObjectId],
    since: Option<i64>,
) -> Selected {
    let repo = as_stored(repo);
    let mut found = Selected::default();
    let mut commits = Vec::new();
    let mut trees = Vec::new();
    for id in tips {
        tip(&repo, *id, &mut commits, &mut trees, &mut found);
    }
    let is_wanted = |time: i64| since.is_none_or(|since| time >= since);
    let walked = walk(
        &repo,
        &commits,
        &[],
        |commit| is_wanted(commit.time),
        &mut found.skips,
    );
    if since.is_some() {
        let mut introduced = Introduced::default();
        compare(&repo, &walked, &mut introduced);
        found.objects.extend(introduced.blobs.into_keys());
        found.skips.append(&mut introduced.skips);
    } else {
        trees.extend(walked.commits.iter().map(|commit| commit.tree));
    }
    found
        .objects
        .extend(walked.commits.iter().map(|commit| commit.id));
    blobs(&repo, trees, &mut found);
    found.skips.sort();
    found.skips.dedup();
    found
}

/// Follows tags to what they name.
fn tip(
    repo: &gix::Repository,
    id: ObjectId,
    commits: &mut Vec<ObjectId>,
    trees: &mut Vec<ObjectId>,
    found: &mut Selected,
) {
    let mut id = id;
    while !found.objects.contains(&id) {
        let object = match repo.try_find_object(id) {
            Ok(Some(object)) => object,
            Ok(None) => {
                let skip = Skip::new(SkipReason::Missing, id.to_string());
                return found.skips.push(skip);
            }
            Err(error) => {
                let skip = Skip::with_detail(SkipReason::Corrupt, id.to_string(), error);
                return found.skips.push(skip);
            }
        };
        match object.kind {
            gix::object::Kind::Commit => return commits.push(id),
            gix::object::Kind::Tree => return trees.push(id),
            gix::object::Kind::Blob => {
                found.objects.insert(id);
            }
            gix::object::Kind::Tag => {
                found.objects.insert(id);
                match object.into_tag().target_id() {
                    Ok(target) => id = target.detach(),
                    Err(error) => {
                        let skip = Skip::with_detail(SkipReason::Corrupt, id.to_string(), error);
                        found.skips.push(skip);
                    }
                }
            }
        }
    }
}

/// Adds the blobs below `trees`, looking at each tree once.
fn blobs(repo: &gix::Repository, trees: Vec<ObjectId>, found: &mut Selected) {
    let mut seen: HashSet<ObjectId> = HashSet::new();
    let mut stack = trees;
    while let Some(id) = stack.pop() {
        if id.is_empty_tree() || !seen.insert(id) {
            continue;
        }
        let object = match repo.try_find_object(id) {
            Ok(Some(object)) => object,
            Ok(None) => {
                let skip = Skip::new(SkipReason::Missing, id.to_string());
                found.skips.push(skip);
                continue;
            }
            Err(error) => {
                let skip = Skip::with_detail(SkipReason::Corrupt, id.to_string(), error);
                found.skips.push(skip);
                continue;
            }
        };
        for entry in gix::objs::TreeRefIter::from_bytes(&object.data, id.kind()) {
            match entry {
                Ok(entry) => match entry.mode.kind() {
                    EntryKind::Tree => stack.push(entry.oid.to_owned()),
                    // A repository of its own.
                    EntryKind::Commit => {}
                    _ => {
                        found.objects.insert(entry.oid.to_owned());
                    }
                },
                Err(error) => {
                    let skip = Skip::with_detail(SkipReason::Corrupt, id.to_string(), error);
                    found.skips.push(skip);
                    break;
                }
            }
        }
    }
}
