//! Who brought an object in, at which path, and what still holds it.
//!
//! Only for objects that have findings. Every tree and every commit of the object database is read once,
//! reachable or not; trees are not walked per commit. A commit *introduces* content if it has it at a path
//! where none of its parents has it; of several, the earlier one counts: parents before children, else by committer
//! time, then id.
//!
//! Replacements and grafts are not followed: what counts is what the objects say.

mod commits;
mod describe;
mod holders;
mod ids;
mod lineage;
pub mod range;
mod reader;
mod records;
mod trees;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;

use crate::commit::CommitInfo;
use crate::coverage::{Skip, SkipReason};
use crate::git::number::{CommitNo, Number as _, SoughtNo};
use crate::git::odb::Database;
use crate::git::odb::MAX_OBJECT_SIZE;
use crate::git::repository::Repository;
use commits::{Commits, NOT_HERE};
use describe::Describer;
use holders::Holders;
use lineage::{EMPTY, Lineage};

/// The caller asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted while looking for commits")
    }
}

impl std::error::Error for Interrupted {}

/// What [`locate`] is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Listing packs and loose objects.
    Objects,
    /// Reading trees.
    Trees,
    /// Reading commits.
    Commits,
    /// Looking at references and reflogs.
    References,
}

/// How [`locate`] works.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Set from outside to end early.
    pub stop: &'a AtomicBool,
    /// Only what these commits reach counts as having brought something in; `None` for all commits.
    pub within: Option<&'a [ObjectId]>,
    /// Told when a stage begins.
    pub stage: &'a dyn Fn(Stage),
}

/// One place at which an object is or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// Path below the root of the repository. Empty for commits, tags, and blobs that no tree names.
    pub path: BString,
    /// The commit that introduced it there; `None` if no commit has it.
    pub commit: Option<CommitInfo>,
    /// What holds the object where no commit does: an index, a reference to a blob, a lone tree.
    pub held_by: Vec<String>,
}

impl Location {
    fn new(path: BString, commit: Option<CommitInfo>) -> Self {
        Self {
            path,
            commit,
            held_by: Vec::new(),
        }
    }
}

/// Where objects are and were.
#[derive(Clone, Debug, Default)]
pub struct Located {
    /// For each object asked for, its places, the first introduction first. Never empty.
    pub places: HashMap<ObjectId, Vec<Location>>,
    /// Trees, commits and references that could not be read: places that only they know are not listed.
    pub skips: Vec<Skip>,
}

/// Finds out where `wanted` blobs, commits and tags come from.
pub fn locate(
    repo: &Repository,
    wanted: &[ObjectId],
    options: Options<'_>,
) -> Result<Located, Interrupted> {
    locate_after(repo, None, wanted, options)
}

/// The same after a scan of the repository's objects directories, whose knowledge saves half of the work.
pub fn locate_after(
    repo: &Repository,
    scanned: Option<Database>,
    wanted: &[ObjectId],
    options: Options<'_>,
) -> Result<Located, Interrupted> {
    let mut located = Located::default();
    if wanted.is_empty() {
        return Ok(located);
    }
    let mut wanted = wanted.to_vec();
    wanted.sort();
    wanted.dedup();
    let skips = &mut located.skips;
    let stage = |stage| {
        (options.stage)(stage);
        match options.stop.load(Ordering::Relaxed) {
            true => Err(Interrupted),
            false => Ok(()),
        }
    };
    stage(Stage::Objects)?;
    let mut scanned = match scanned {
        Some(scanned) => scanned,
        None => Database::open(
            repo.objects_dirs(),
            repo.object_hash(),
            MAX_OBJECT_SIZE,
            options.threads,
            skips,
        ),
    };
    let kinds: HashMap<ObjectId, Kind> = wanted
        .iter()
        .filter_map(|id| Some((*id, scanned.kind(id)?)))
        .collect();
    stage(Stage::Trees)?;
    let mut trees = trees::read(&mut scanned, &wanted, options);
    skips.append(&mut trees.skips);
    stage(Stage::Commits)?;
    let (commits, roots) = commits::read(&mut scanned, options, skips);
    let stores = scanned.into_stores();
    stage(Stage::References)?;
    missing(repo, trees.missing.iter().chain(&roots), skips);
    let lineage = Lineage::new(trees);
    let holders = Holders::read(repo, &commits, skips);
    let within = options.within.map(|tips| {
        let tips = tips.iter().filter_map(|id| commits.ids.number(id));
        commits.reached(tips)
    });
    let events = Events::find(&commits, &lineage, &holders, within.as_deref(), skips);
    let mut targets: Vec<CommitNo> = events.0.values().map(|event| event.first).collect();
    targets.extend(wanted.iter().filter_map(|id| commits.ids.number(id)));
    let describer = Describer::new((repo, &stores), &commits, &lineage, &holders, targets);
    for (sought, id) in (0..).map(SoughtNo::new).zip(&wanted) {
        let mut places: Vec<(u32, Location)> = Vec::new();
        for (path, event) in events.of(sought) {
            let place = describer.introduced(sought, path, event, skips);
            places.push((commits.rank(event.first), place));
        }
        if let Some(commit) = commits.ids.number(id) {
            places.push((commits.rank(commit), describer.commit(commit, skips)));
        }
        places.sort_by(|a, b| (a.0, &a.1.path).cmp(&(b.0, &b.1.path)));
        let places = places.into_iter().map(|(_, place)| place).collect();
        located.places.insert(*id, places);
    }
    unplaced(&describer, &wanted, &kinds, &mut located);
    located.skips.sort();
    located.skips.dedup();
    Ok(located)
}

/// Fills in what no commit has: tags, what only an index or a reference names, and what nothing names.
fn unplaced(
    describer: &Describer<'_>,
    wanted: &[ObjectId],
    kinds: &HashMap<ObjectId, Kind>,
    located: &mut Located,
) {
    let is_open =
        |located: &Located, id: &ObjectId| located.places.get(id).is_none_or(Vec::is_empty);
    let open: HashSet<ObjectId> = wanted
        .iter()
        .filter(|id| is_open(located, id))
        .copied()
        .collect();
    if open.is_empty() {
        return;
    }
    let mut found: HashMap<ObjectId, Vec<Location>> = HashMap::new();
    for (id, path, index) in holders::in_indexes(describer.repo, &open, &mut located.skips) {
        let places = found.entry(id).or_default();
        match places.iter_mut().find(|place| place.path == path) {
            Some(place) if place.held_by.contains(&index) => {}
            Some(place) => place.held_by.push(index),
            None => {
                let mut place = Location::new(path, None);
                place.held_by.push(index);
                places.push(place);
            }
        }
    }
    describer.in_lone_trees(wanted, &open, &mut found);
    for id in open {
        let mut places = found.remove(&id).unwrap_or_default();
        places.sort_by(|a, b| a.path.cmp(&b.path));
        if places.is_empty() {
            places.push(describer.lone(id, kinds.get(&id).copied(), &mut located.skips));
        }
        located.places.insert(id, places);
    }
}

fn missing<'a>(
    repo: &Repository,
    trees: impl Iterator<Item = &'a ObjectId>,
    skips: &mut Vec<Skip>,
) {
    let reason = match repo.is_partial() {
        true => SkipReason::Partial,
        false => SkipReason::Missing,
    };
    let detail = "a tree that another tree or a commit names";
    skips.extend(trees.map(|id| Skip::with_detail(reason, id.to_string(), detail)));
}

/// When something sought came to a path and when it left it.
struct Event {
    /// The first commit that introduced it there.
    first: CommitNo,
    /// The last commit of `HEAD`'s history that took it away although every parent had it.
    left: Option<CommitNo>,
    /// The same where only some parent had it: a merge that decided against it.
    left_side: Option<CommitNo>,
}

/// All that happened to what is sought, by number and path.
struct Events(BTreeMap<(SoughtNo, BString), Event>);

impl Events {
    /// Compares each commit with its parents.
    fn find(
        commits: &Commits,
        lineage: &Lineage,
        holders: &Holders,
        within: Option<&[bool]>,
        skips: &mut Vec<Skip>,
    ) -> Self {
        let in_head = commits.reached(holders.head);
        let mut events: BTreeMap<(SoughtNo, BString), Event> = BTreeMap::new();
        let mut parents = Vec::new();
        for commit in commits.all() {
            if within.is_some_and(|within| !within[commit.index()]) {
                continue;
            }
            let node = lineage.node(commits.tree(commit));
            parents.clear();
            let present = commits
                .parents(commit)
                .iter()
                .filter(|parent| **parent != NOT_HERE);
            parents.extend(present.map(|parent| lineage.node(commits.tree(*parent))));
            if node == EMPTY || parents.contains(&node) {
                continue;
            }
            let is_whole = lineage.added(node, &parents, |path, sought| {
                let event = events
                    .entry((sought, path.to_owned()))
                    .or_insert_with(|| Event {
                        first: commit,
                        left: None,
                        left_side: None,
                    });
                event.first = commits.earlier(event.first, commit);
            });
            if !is_whole {
                skips.push(Skip::with_detail(
                    SkipReason::Findings,
                    commits.ids.id(commit).to_string(),
                    "more paths of this commit lead to a finding than are listed",
                ));
            }
        }
        let mut found = Self(events);
        for commit in commits.all() {
            if in_head[commit.index()] {
                found.departures(commit, commits, lineage);
            }
        }
        found
    }

    /// Notes what a commit took away.
    fn departures(&mut self, commit: CommitNo, commits: &Commits, lineage: &Lineage) {
        let node = lineage.node(commits.tree(commit));
        let parents = commits.parents(commit);
        let mut gone: BTreeMap<(SoughtNo, BString), usize> = BTreeMap::new();
        for parent in parents.iter().filter(|parent| **parent != NOT_HERE) {
            let before = lineage.node(commits.tree(*parent));
            if before != node && before != EMPTY {
                // What is beyond the limit was said when it came.
                let _ = lineage.added(before, &[node], |path, sought| {
                    *gone.entry((sought, path.to_owned())).or_default() += 1;
                });
            }
        }
        for (place, count) in gone {
            let Some(event) = self.0.get_mut(&place) else {
                continue;
            };
            let left = match count == parents.len() {
                true => &mut event.left,
                false => &mut event.left_side,
            };
            *left = Some(left.map_or(commit, |other| commits.later(other, commit)));
        }
    }

    /// What happened to one of the things sought.
    fn of(&self, sought: SoughtNo) -> impl Iterator<Item = (&BString, &Event)> {
        let next = SoughtNo::new(sought.get() + 1);
        self.0
            .range((sought, BString::default())..(next, BString::default()))
            .map(|((_, path), event)| (path, event))
    }
}
