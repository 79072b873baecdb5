//! Puts what was found into words: commits with their dates, references, and what else holds them.

use std::collections::{HashMap, HashSet};

use bstr::{BString, ByteSlice};
use gix::ObjectId;
use gix::objs::Kind;

use super::commits::Commits;
use super::events::Event;
use super::holders::Holders;
use super::lineage::{EMPTY, Lineage};
use super::place::Location;
use crate::commit::{CommitInfo, Departure};
use crate::coverage::Skip;
use crate::git::header::{Words, tagged};
use crate::git::number::{CommitNo, Number as _, SoughtNo};
use crate::git::odb::store::Stores;
use crate::git::refname::weight;
use crate::git::repository::Repository;
use crate::git::view::object;

/// Number of references that one place lists; further ones are counted.
const REFS_LISTED: usize = 100;
/// Number of other holders, or paths of a lone tree, that one place lists.
const HOLDERS_LISTED: usize = 10;

/// References and other holders that keep a commit.
#[derive(Default)]
struct Reach {
    /// Positions in [`Holders::refs`].
    refs: Vec<u32>,
    held_by: Vec<String>,
}

/// Knows everything about the commits that come up.
pub(crate) struct Describer<'a> {
    pub(crate) repo: &'a Repository,
    stores: &'a Stores,
    commits: &'a Commits,
    lineage: &'a Lineage,
    holders: &'a Holders,
    reach: HashMap<CommitNo, Reach>,
    in_head: Vec<bool>,
}

/// Builds the description of a commit as far as it is known before its holders are looked up.
fn of_commit(words: Words, commit_id: ObjectId, rank: u32) -> CommitInfo {
    CommitInfo {
        rank,
        commit_id,
        author: words.author,
        time: words.time,
        date: words.date,
        subject: words.subject,
        in_head: false,
        refs: Vec::new(),
        more_refs: 0,
        held_by: Vec::new(),
        is_boundary: false,
        left: None,
    }
}

fn of_departure(words: Words, commit_id: ObjectId, rank: u32) -> Departure {
    Departure {
        rank,
        commit_id,
        author: words.author,
        time: words.time,
        date: words.date,
        subject: words.subject,
    }
}

impl<'a> Describer<'a> {
    /// Finds out what keeps each of the commits in `targets`.
    pub(crate) fn new(
        (repo, stores): (&'a Repository, &'a Stores),
        commits: &'a Commits,
        lineage: &'a Lineage,
        holders: &'a Holders,
        mut targets: Vec<CommitNo>,
    ) -> Self {
        targets.sort_unstable();
        targets.dedup();
        let mut reach = HashMap::new();
        let mut with_child = None;
        for batch in targets.chunks(64) {
            let masks = commits.containing(batch);
            for (bit, target) in batch.iter().enumerate() {
                let leads = |commit: CommitNo| masks[commit.index()] & (1 << bit) != 0;
                let refs: Vec<u32> = (0u32..)
                    .zip(&holders.refs)
                    .filter(|(_, (_, tip))| leads(*tip))
                    .map(|(at, _)| at)
                    .collect();
                let mut held_by = Vec::new();
                if !refs.iter().any(|at| keeps(&holders.refs[*at as usize].0)) {
                    held_by = holders.logs_that_hold(leads);
                    if refs.is_empty() && !held_by.iter().any(|name| name.contains('@')) {
                        let with_child = with_child.get_or_insert_with(|| commits.with_child());
                        held_by.extend(topmost(commits, with_child, leads));
                    }
                }
                reach.insert(*target, Reach { refs, held_by });
            }
        }
        Self {
            repo,
            stores,
            commits,
            lineage,
            holders,
            reach,
            in_head: commits.reached(holders.head),
        }
    }

    /// A path at which a commit introduced something sought.
    pub(crate) fn introduced(
        &self,
        sought: SoughtNo,
        path: &BString,
        event: &Event,
        skips: &mut Vec<Skip>,
    ) -> Location {
        let head = self.holders.head.and_then(|head| self.commits.tree(head));
        let in_head = self
            .lineage
            .holds(self.lineage.node(head), path.as_bstr(), sought);
        let mut info = self.info(event.first, in_head, skips);
        info.is_boundary = self.commits.is_boundary(event.first);
        if !in_head {
            info.left = event.left.or(event.left_side).map(|commit| {
                let words = self.words(commit, skips);
                of_departure(
                    words,
                    self.commits.ids.id(commit),
                    self.commits.rank(commit),
                )
            });
        }
        Location::new(path.clone(), Some(info))
    }

    /// A commit whose own text was found fault with.
    pub(crate) fn commit(&self, commit: CommitNo, skips: &mut Vec<Skip>) -> Location {
        let in_head = self.in_head[commit.index()];
        let info = self.info(commit, in_head, skips);
        Location::new(BString::default(), Some(info))
    }

    fn info(&self, commit: CommitNo, in_head: bool, skips: &mut Vec<Skip>) -> CommitInfo {
        let words = self.words(commit, skips);
        let mut info = of_commit(
            words,
            self.commits.ids.id(commit),
            self.commits.rank(commit),
        );
        info.in_head = in_head;
        if let Some(reach) = self.reach.get(&commit) {
            // Their positions are in the order of their weight.
            let first = reach.refs.iter().take(REFS_LISTED);
            info.refs = first
                .map(|at| self.holders.refs[*at as usize].0.clone())
                .collect();
            info.refs.sort();
            info.more_refs = reach.refs.len() - info.refs.len();
            info.held_by.clone_from(&reach.held_by);
        }
        info
    }

    fn words(&self, commit: CommitNo, skips: &mut Vec<Skip>) -> Words {
        let id = self.commits.ids.id(commit);
        match object(self.repo, id) {
            Ok(object) => Words::read(&object.data, b"author "),
            Err(skip) => {
                skips.push(skip);
                Words::default()
            }
        }
    }

    /// Adds the paths that only trees lead to which belong to no commit.
    pub(crate) fn in_lone_trees(
        &self,
        wanted: &[ObjectId],
        open: &HashSet<ObjectId>,
        found: &mut HashMap<ObjectId, Vec<Location>>,
    ) {
        for tree in self.lineage.tops() {
            let id = self.stores.id_of(tree).to_owned();
            let node = self.lineage.node(Some(tree));
            // A few places are listed of each object anyhow; one that gets none is named as a lone object.
            let _ = self.lineage.added(node, &[EMPTY], |path, sought| {
                let Some(id_sought) = wanted.get(sought.index()).filter(|id| open.contains(*id))
                else {
                    return;
                };
                let places = found.entry(*id_sought).or_default();
                if places.len() >= HOLDERS_LISTED || places.iter().any(|place| place.path == path) {
                    return;
                }
                let mut place = Location::new(path.to_owned(), None);
                place.held_by = match self.holders.objects.get(&id) {
                    Some(names) => shorten(names.clone()).0,
                    None => vec![format!("unreachable tree {id}")],
                };
                places.push(place);
            });
        }
    }

    /// An object that no commit, tree or index names: a tag, a blob under a reference, or nothing's.
    ///
    /// It is read only if its kind is not known or it is a tag: one after the other, the objects of a long
    /// chain of deltas would each be built from the start.
    pub(crate) fn lone(&self, id: ObjectId, kind: Option<Kind>, skips: &mut Vec<Skip>) -> Location {
        let mut place = Location::new(BString::default(), None);
        let names = self.holders.objects.get(&id).cloned().unwrap_or_default();
        let (refs, more_refs) = shorten(names);
        let no_tag = |kind, refs: Vec<String>| match refs.is_empty() {
            true => vec![format!("dangling {kind}")],
            false => refs,
        };
        if let Some(kind) = kind.filter(|kind| *kind != Kind::Tag) {
            place.held_by = no_tag(kind, refs);
            return place;
        }
        let object = match object(self.repo, id) {
            Ok(object) => object,
            Err(skip) => {
                place.held_by.push(format!("{} object", skip.reason.name()));
                skips.push(skip);
                return place;
            }
        };
        if object.kind != Kind::Tag {
            place.held_by = no_tag(object.kind, refs);
            return place;
        }
        let words = Words::read(&object.data, b"tagger ");
        let target = tagged(&object.data);
        let held_by = match refs.is_empty() {
            true => vec![format!("unreachable tag {id}")],
            false => Vec::new(),
        };
        place.commit = Some(CommitInfo {
            refs,
            more_refs,
            held_by,
            // What a tag says is younger than the commits.
            ..of_commit(words, target.unwrap_or(id), u32::MAX)
        });
        place
    }
}

/// A place whose commit is known already; `commit` may be a tag, or no commit at all. What leads to it is
/// left to the caller.
pub(crate) fn describe_commit(
    repo: &Repository,
    path: BString,
    commit: ObjectId,
    rank: u32,
) -> Location {
    let mut place = Location::new(path, None);
    let Ok(object) = object(repo, commit) else {
        return place;
    };
    let (commit_id, words) = match object.kind {
        Kind::Commit => (commit, Words::read(&object.data, b"author ")),
        Kind::Tag => (
            tagged(&object.data).unwrap_or(commit),
            Words::read(&object.data, b"tagger "),
        ),
        kind => {
            place.held_by.push(format!("{kind} {commit}"));
            return place;
        }
    };
    place.commit = Some(of_commit(words, commit_id, rank));
    place
}

/// Returns true if a reference keeps its commits for good. The stash is dropped entry by entry.
fn keeps(name: &str) -> bool {
    name != "refs/stash"
}

/// Commits that lead to something and that no commit builds on; the latest first.
fn topmost(
    commits: &Commits,
    with_child: &[bool],
    leads: impl Fn(CommitNo) -> bool,
) -> Vec<String> {
    let mut tops: Vec<CommitNo> = commits
        .all()
        .filter(|commit| !with_child[commit.index()] && leads(*commit))
        .collect();
    tops.sort_by_key(|commit| std::cmp::Reverse(commits.rank(*commit)));
    tops.truncate(HOLDERS_LISTED);
    tops.into_iter()
        .map(|commit| format!("unreachable commit {}", commits.ids.id(commit)))
        .collect()
}

/// The first [`REFS_LISTED`] names, local branches before remote ones before tags before others, in the
/// order of their names; and how many more there are.
pub(crate) fn shorten(mut names: Vec<String>) -> (Vec<String>, usize) {
    names.sort_by(|a, b| (weight(a), a).cmp(&(weight(b), b)));
    let more = names.len().saturating_sub(REFS_LISTED);
    names.truncate(REFS_LISTED);
    names.sort();
    (names, more)
}
