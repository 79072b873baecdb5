//! Objects that references reach, for a scan that is limited to them.

use std::collections::HashSet;

use bstr::{BStr, BString};
use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use crate::coverage::Skip;
use crate::git::introduced::{Introduced, compare};
use crate::git::odb::fault::Failure;
use crate::git::reflog::stashes;
use crate::git::refname::head_names;
use crate::git::repository::{self, Followed, Repository};
use crate::git::revision::Error;
use crate::git::view::{Cause, chain, reference, references};
use crate::git::{Known, tree, walk};

/// The objects that a limited scan looks at.
#[derive(Clone, Debug, Default)]
pub struct Selected {
    /// Blobs, commits and annotated tags.
    pub objects: HashSet<ObjectId>,
    /// The commits that everything was reached from.
    pub tips: Vec<ObjectId>,
    /// Objects that could not be read: those that only they lead to are missing here.
    pub skips: Vec<Skip>,
}

/// Returns the objects of all references and of the heads of all worktrees, and every stash. Other reflogs do not
/// count.
pub fn all_tips(repo: &Repository) -> Result<Vec<ObjectId>, Error> {
    let failed = |source: repository::Error| Error::References {
        source: source.into(),
    };
    let mut tips = Vec::new();
    for reference in references(repo).map_err(failed)? {
        tips.push(reference.map_err(failed)?.1);
    }
    let heads = repo.references();
    for name in head_names(repo).map_err(failed)? {
        // A head on a branch is that branch's, and a branch may have no commit yet.
        tips.extend(reference(&heads, name.as_ref()).map_err(failed)?);
    }
    tips.extend(stashes(repo).map_err(failed)?);
    tips.sort();
    tips.dedup();
    Ok(tips)
}

/// Returns the objects of the named branches, local ones before remote ones before tags; other references by their full
/// name.
pub fn branch_tips(repo: &Repository, branches: &[BString]) -> Result<Vec<ObjectId>, Error> {
    let mut tips = Vec::new();
    for branch in branches {
        tips.push(branch_tip(repo, branch.as_ref())?);
    }
    tips.sort();
    tips.dedup();
    Ok(tips)
}

fn branch_tip(repo: &Repository, branch: &BStr) -> Result<ObjectId, Error> {
    let unknown = |source: Option<Cause>| Error::Unknown {
        revision: branch.to_owned(),
        is_shallow: repo.is_shallow().unwrap_or_default(),
        source,
    };
    let references = repo.references();
    for prefix in ["refs/heads/", "refs/remotes/", "refs/tags/", ""] {
        let name = BString::from([prefix.as_bytes(), branch.as_ref()].concat());
        if prefix.is_empty() && !name.starts_with(b"refs/") && name != "HEAD" {
            break;
        }
        if gix::refs::FullName::try_from(name.clone()).is_err() {
            continue;
        }
        let followed = references.follow(name);
        if let Followed::Object(id) = followed.map_err(|source| unknown(Some(source.into())))? {
            return Ok(id);
        }
    }
    Err(unknown(None))
}

/// The blobs, commits and tags that `tips` reach.
///
/// With `since` (seconds since the epoch, committer date): the commits from then on and the blobs that
/// they bring in; tags as they are named.
pub fn reachable_objects(repo: &Repository, tips: &[ObjectId], since: Option<i64>) -> Selected {
    let mut found = Selected::default();
    let mut commits = Vec::new();
    let mut trees = Vec::new();
    let mut tags = HashSet::new();
    for id in tips {
        for link in chain(repo, *id, &mut tags) {
            match link {
                Ok((id, Kind::Commit)) => commits.push(id),
                Ok((id, Kind::Tree)) => trees.push(id),
                Ok((id, Kind::Blob | Kind::Tag)) => {
                    found.objects.insert(id);
                }
                Err(skip) => found.skips.push(skip),
            }
        }
    }
    // A time that cannot be read is zero, and such a commit may be of any day.
    let is_wanted = |time: i64| time == 0 || since.is_none_or(|since| time >= since);
    let walked = walk(
        repo,
        (&commits, &[]),
        &Known::default(),
        |commit| is_wanted(commit.time),
        &|| false,
        &mut found.skips,
    );
    if since.is_some() {
        let mut introduced = Introduced::default();
        compare(repo, &walked, &mut introduced, &|| false);
        found.objects.extend(introduced.blobs.into_keys());
        found.skips.append(&mut introduced.skips);
    } else {
        trees.extend(walked.commits.iter().map(|commit| commit.tree));
    }
    found
        .objects
        .extend(walked.commits.iter().map(|commit| commit.id));
    blobs(repo, trees, &mut found);
    found.tips = commits;
    found.skips.sort();
    found.skips.dedup();
    found
}

/// Adds the blobs below `trees`, looking at each tree once.
fn blobs(repo: &Repository, trees: Vec<ObjectId>, found: &mut Selected) {
    let mut seen: HashSet<ObjectId> = HashSet::new();
    let mut stack = trees;
    while let Some(id) = stack.pop() {
        if id.is_empty_tree() || !seen.insert(id) {
            continue;
        }
        let tree = match repo.tree(id) {
            Ok(tree) => tree,
            Err(failure) => {
                found.skips.push(failure.into_skip());
                continue;
            }
        };
        for entry in tree::entries(&tree, id.kind().len_in_bytes()) {
            match entry.map(|entry| (entry.kind(), entry.id.to_owned())) {
                Ok((EntryKind::Tree, id)) => stack.push(id),
                // A repository of its own.
                Ok((EntryKind::Commit, _)) => {}
                Ok((_, id)) => {
                    found.objects.insert(id);
                }
                Err(fault) => found.skips.push(Failure { id, fault }.into_skip()),
            }
        }
    }
}
