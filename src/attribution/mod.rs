//! The commit and path that brought an object in, and what still holds it.
//!
//! Only for objects that have findings. Every tree and every commit of the object database is read once,
//! reachable or not; trees are not walked per commit. A commit *introduces* content if it has it at a path
//! where none of its parents has it; of several, the earlier one counts: parents before children, else by committer
//! time, then id.
//!
//! Replacements and grafts are not followed: what counts is what the objects say.

mod commits;
mod describe;
mod events;
mod holders;
mod ids;
mod lineage;
mod place;
pub mod range;
mod reader;
mod records;
mod trees;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

use gix::ObjectId;
use gix::objs::Kind;

use crate::coverage::{Skip, SkipReason};
use crate::git::number::{CommitNo, Number as _, SoughtNo};
use crate::git::odb::Database;
use crate::git::odb::MAX_OBJECT_SIZE;
use crate::git::repository::Repository;
use describe::Describer;
use events::Events;
use holders::Holders;
use lineage::Lineage;
pub use place::{Interrupted, Located, Location, Options, Stage};

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
