//! The commits of a range, without walking all that it excludes.

use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use gix::ObjectId;
use gix::objs::Kind;

use crate::coverage::{Skip, SkipReason};
use crate::git::header::{self, CommitHeader};
use crate::git::repository::Repository;
use crate::git::view::{chain, links, object};

/// A commit of the range.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    pub(crate) id: ObjectId,
    pub(crate) tree: ObjectId,
    pub(crate) time: i64,
    /// The parents that are here.
    pub(crate) parents: Vec<ObjectId>,
}

/// Result of a walk.
#[derive(Default)]
pub(crate) struct Walked {
    /// Commits of the range, by committer time and id.
    pub(crate) commits: Vec<Commit>,
    /// Their parents that are not in it.
    pub(crate) boundary: BTreeSet<ObjectId>,
    /// Root trees of both.
    pub(crate) trees: HashMap<ObjectId, ObjectId>,
    /// All that was read.
    pub(crate) read: Known,
}

/// Commits and tags that were read, so that who asks later about the same references reads none of them again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    seen: HashMap<ObjectId, Seen>,
    /// Tags that were met, and what they name.
    tags: HashMap<ObjectId, ObjectId>,
    met: HashSet<ObjectId>,
}

impl Known {
    /// Returns a commit that was read.
    pub(crate) fn commit(&self, id: &ObjectId) -> Option<&Commit> {
        self.seen.get(id)?.commit.as_ref()
    }

    /// Returns the commit behind an object that may be a tag, unless it was returned for a tag that leads there too.
    pub(crate) fn peel(&mut self, repo: &Repository, id: ObjectId) -> Option<ObjectId> {
        let (mut before, mut commit) = (None, None);
        for (link, kind) in chain(repo, id, &mut self.met).map_while(Result::ok) {
            self.tags.extend(before.map(|before| (before, link)));
            before = Some(link);
            commit = (kind == Kind::Commit).then_some(link);
        }
        commit
    }

    /// Returns what [`links`] gives, without the reasons.
    pub(crate) fn links(&self, repo: &Repository, id: ObjectId) -> Vec<ObjectId> {
        let (mut found, mut at) = (Vec::new(), id);
        // Damaged tags may name each other in a circle.
        while let Some(target) = self.tags.get(&at)
            && !found.contains(&at)
        {
            found.push(at);
            at = *target;
        }
        match self.commit(&at) {
            Some(_) => found.push(at),
            None => found.extend(links(repo, at).flatten().map(|(id, _)| id)),
        }
        found
    }

    /// Takes in what others have read.
    pub(crate) fn extend(&mut self, others: Self) {
        match self.seen.is_empty() {
            true => self.seen = others.seen,
            false => self.seen.extend(others.seen),
        }
        self.tags.extend(others.tags);
        self.met.extend(others.met);
    }
}

#[derive(Clone, Debug)]
struct Seen {
    excluded: bool,
    is_queued: bool,
    /// `None` if it could not be read.
    commit: Option<Commit>,
}

/// All commits that were met, and those whose parents have not been looked at, the newest first.
#[derive(Default)]
struct State {
    seen: HashMap<ObjectId, Seen>,
    queue: BinaryHeap<(i64, ObjectId)>,
    /// Number of commits in the queue that are not excluded.
    open: usize,
}

/// Reads commits, and knows where a shallow clone ends.
struct Reader<'a> {
    repo: &'a Repository,
    shallow: Vec<ObjectId>,
    known: &'a Known,
    skips: &'a mut Vec<Skip>,
}

/// Number of excluded commits that are examined when nothing of the range seems to be left: clocks do run backwards, by
/// days, and then an excluded way to a commit of the range is still to be found.
const SLOP: usize = 128;

/// Walks from `include` to where everything left is reached by `exclude`.
///
/// What is `known` is not read. Newer commits first, as Git does it. Where clocks ran backwards a commit that `exclude` reaches on a
/// long way round may be taken for one of the range: more is looked at, never less. When `is_stopped`, it ends with
/// no commits at all.
pub(crate) fn walk(
    repo: &Repository,
    (include, exclude): (&[ObjectId], &[ObjectId]),
    known: &Known,
    is_wanted: impl Fn(&Commit) -> bool,
    is_stopped: &dyn Fn() -> bool,
    skips: &mut Vec<Skip>,
) -> Walked {
    let shallow = repo.shallow_boundary().unwrap_or_else(|error| {
        skips.push(Skip::with_detail(SkipReason::Unreadable, "shallow", error));
        Vec::new()
    });
    let mut reader = Reader {
        repo,
        shallow,
        known,
        skips,
    };
    let mut state = State::default();
    let tips = exclude.iter().map(|id| (*id, true));
    for (id, excluded) in tips.chain(include.iter().map(|id| (*id, false))) {
        state.meet(&mut reader, id, excluded);
    }
    let mut oldest = i64::MAX;
    let mut slop = SLOP;
    while let Some((time, id)) = state.queue.pop() {
        if is_stopped() {
            return Walked::default();
        }
        // All that is left is excluded and older than anything of the range.
        if state.open == 0 && time < oldest {
            if slop == 0 {
                break;
            }
            slop -= 1;
        } else {
            slop = SLOP;
        }
        let Some(seen) = state.seen.get_mut(&id) else {
            continue;
        };
        seen.is_queued = false;
        let excluded = seen.excluded;
        state.open -= usize::from(!excluded);
        let Some(commit) = &seen.commit else {
            continue;
        };
        // Below one that is not wanted others may be: dates are what whoever commits says.
        if !excluded && is_wanted(commit) {
            oldest = oldest.min(time);
        }
        for parent in commit.parents.clone() {
            state.meet(&mut reader, parent, excluded);
        }
    }
    let mut walked = finish(&mut reader, &state.seen, is_wanted);
    walked.read.seen = state.seen;
    walked
}

impl State {
    /// Takes note of a commit; if it turns out excluded, of everything below it that was met before.
    fn meet(&mut self, reader: &mut Reader<'_>, id: ObjectId, excluded: bool) {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            match self.seen.get_mut(&id) {
                Some(known) if excluded && !known.excluded => {
                    known.excluded = true;
                    self.open -= usize::from(known.is_queued);
                    if let Some(commit) = &known.commit {
                        let parents = commit.parents.clone();
                        let met = |id: &ObjectId| self.seen.contains_key(id);
                        stack.extend(parents.into_iter().filter(met));
                    }
                }
                Some(_) => {}
                None => {
                    let commit = reader.read(id, excluded);
                    if let Some(commit) = &commit {
                        self.queue.push((commit.time, id));
                        self.open += usize::from(!excluded);
                    }
                    let is_queued = commit.is_some();
                    let seen = Seen {
                        excluded,
                        is_queued,
                        commit,
                    };
                    self.seen.insert(id, seen);
                }
            }
        }
    }
}

fn finish(
    reader: &mut Reader<'_>,
    seen: &HashMap<ObjectId, Seen>,
    is_wanted: impl Fn(&Commit) -> bool,
) -> Walked {
    let mut walked = Walked::default();
    let is_in = |seen: &Seen| !seen.excluded && seen.commit.as_ref().is_some_and(&is_wanted);
    let mut cut = Vec::new();
    for commit in seen
        .values()
        .filter(|seen| is_in(seen))
        .filter_map(|seen| seen.commit.as_ref())
    {
        if reader.shallow.binary_search(&commit.id).is_ok() {
            cut.push(commit.id);
        }
        for parent in &commit.parents {
            match seen.get(parent) {
                Some(seen) if is_in(seen) => {}
                Some(Seen {
                    commit: Some(commit),
                    ..
                }) => {
                    walked.boundary.insert(*parent);
                    walked.trees.insert(*parent, commit.tree);
                }
                _ => {}
            }
        }
        walked.trees.insert(commit.id, commit.tree);
        walked.commits.push(commit.clone());
    }
    cut.sort();
    let detail = "its parents are not in this shallow clone";
    reader.skips.extend(
        cut.into_iter()
            .map(|id| Skip::with_detail(SkipReason::Shallow, id.to_string(), detail)),
    );
    walked
        .commits
        .sort_by_key(|commit| (commit.time, commit.id));
    walked
}

impl Reader<'_> {
    fn read(&mut self, id: ObjectId, excluded: bool) -> Option<Commit> {
        if let Some(commit) = self.known.commit(&id) {
            return Some(commit.clone());
        }
        let parsed = match object(self.repo, id) {
            Ok(object) => parse(id, &object.data, object.kind),
            Err(skip) => {
                // What is missing below something excluded takes nothing away from the range.
                let is_missing = matches!(skip.reason, SkipReason::Missing | SkipReason::Partial);
                if !excluded || !is_missing {
                    self.skips.push(skip);
                }
                return None;
            }
        };
        match parsed {
            Some(mut commit) => {
                if self.shallow.binary_search(&id).is_ok() {
                    commit.parents.clear();
                }
                Some(commit)
            }
            None => {
                self.skips.push(Skip::with_detail(
                    SkipReason::Corrupt,
                    id.to_string(),
                    header::MALFORMED,
                ));
                None
            }
        }
    }
}

fn parse(id: ObjectId, data: &[u8], kind: gix::objs::Kind) -> Option<Commit> {
    if kind != gix::objs::Kind::Commit {
        return None;
    }
    let header = CommitHeader::parse(data)?;
    let (tree, parents) = header.ids()?;
    Some(Commit {
        id,
        tree,
        time: header.time(),
        parents,
    })
}
