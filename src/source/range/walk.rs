//! Finds the commits that some tips reach and others do not.
//!
//! Commits are looked at newest first, so that both sides meet early and history below is left alone. Where
//! clocks were wrong a commit may be taken in that the other side reaches too: never the reverse.

use std::collections::{BinaryHeap, HashMap, HashSet};

use bstr::ByteSlice as _;
use gix::ObjectId;
use gix::objs::Kind;

use crate::coverage::{Skip, SkipReason};
use crate::source::Error;
use crate::source::repository::{self, Repository};

/// How many commits are looked at beyond the point where nothing new is in sight.
const SLOP: usize = 32;

/// What a commit says about other objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    pub(super) tree_id: ObjectId,
    pub(super) parents: Vec<ObjectId>,
    time: i64,
}

/// Commits as they are read.
pub(super) struct Walk<'a> {
    repository: &'a Repository,
    shallow: HashSet<ObjectId>,
    commits: HashMap<ObjectId, Commit>,
    buffer: Vec<u8>,
    /// Parents that are not here.
    pub(super) skips: Vec<Skip>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(repository: &'a Repository, shallow: HashSet<ObjectId>) -> Self {
        Self {
            repository,
            shallow,
            commits: HashMap::new(),
            buffer: Vec::new(),
            skips: Vec::new(),
        }
    }

    /// The commits that `include` reaches and `exclude` does not, the oldest first.
    pub(super) fn commits(
        &mut self,
        include: &[ObjectId],
        exclude: &[ObjectId],
    ) -> Result<Vec<ObjectId>, Error> {
        let mut heap: BinaryHeap<(i64, ObjectId)> = BinaryHeap::new();
        let mut excluded: HashSet<ObjectId> = HashSet::new();
        let mut seen: HashSet<ObjectId> = HashSet::new();
        let mut done: HashSet<ObjectId> = HashSet::new();
        let mut wanted_in_heap = 0usize;
        for id in exclude {
            excluded.insert(*id);
        }
        for id in include.iter().chain(exclude) {
            if seen.insert(*id) {
                let time = self.commit(*id)?.time;
                heap.push((time, *id));
                wanted_in_heap += usize::from(!excluded.contains(id));
            }
        }
        let mut slop = SLOP;
        let mut oldest_wanted = i64::MAX;
        while let Some((time, id)) = heap.pop() {
            let is_excluded = excluded.contains(&id);
            if is_excluded {
                if wanted_in_heap == 0 && time < oldest_wanted {
                    if slop == 0 {
                        break;
                    }
                    slop -= 1;
                }
            } else {
                wanted_in_heap -= 1;
                oldest_wanted = oldest_wanted.min(time);
            }
            done.insert(id);
            for parent_id in self.commit(id)?.parents {
                let Some(parent) = self.find(parent_id)? else {
                    continue;
                };
                if seen.insert(parent_id) {
                    heap.push((parent.time, parent_id));
                    wanted_in_heap += usize::from(!is_excluded);
                    if is_excluded {
                        excluded.insert(parent_id);
                    }
                } else if is_excluded {
                    wanted_in_heap -= self.exclude_below(parent_id, &mut excluded, &done)?;
                }
            }
        }
        let mut found: Vec<(i64, ObjectId)> = done
            .into_iter()
            .filter(|id| !excluded.contains(id))
            .filter_map(|id| Some((self.commits.get(&id)?.time, id)))
            .collect();
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// Marks a commit that was seen, and those below it that were, as excluded; gives how many of them wait.
    fn exclude_below(
        &mut self,
        id: ObjectId,
        excluded: &mut HashSet<ObjectId>,
        done: &HashSet<ObjectId>,
    ) -> Result<usize, Error> {
        let mut waiting = 0;
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            if !excluded.insert(id) {
                continue;
            }
            if done.contains(&id) {
                stack.extend(self.commit(id)?.parents);
            } else if self.commits.contains_key(&id) {
                waiting += 1;
            }
        }
        Ok(waiting)
    }

    /// Reads a commit that has to be there.
    pub(super) fn commit(&mut self, id: ObjectId) -> Result<Commit, Error> {
        self.find(id)?.ok_or_else(|| {
            Error::Repository(repository::Error::Object {
                id,
                kind: Kind::Commit,
                detail: "it is not in the object database".to_owned(),
            })
        })
    }

    /// The tree of a parent; where the parent is not here, that is noted: what it had counts as new.
    pub(super) fn parent_tree(
        &mut self,
        commit_id: ObjectId,
        parent_id: ObjectId,
    ) -> Result<Option<ObjectId>, Error> {
        if let Some(parent) = self.find(parent_id)? {
            return Ok(Some(parent.tree_id));
        }
        let reason = if self.shallow.contains(&commit_id) {
            SkipReason::Shallow
        } else if self.repository.is_partial() {
            SkipReason::Partial
        } else {
            SkipReason::Missing
        };
        let detail = format!("its parent {parent_id} is not here");
        self.skips
            .push(Skip::with_detail(reason, commit_id.to_string(), detail));
        Ok(None)
    }

    fn find(&mut self, id: ObjectId) -> Result<Option<Commit>, Error> {
        if let Some(commit) = self.commits.get(&id) {
            return Ok(Some(commit.clone()));
        }
        let wrong = |detail: String| {
            Error::Repository(repository::Error::Object {
                id,
                kind: Kind::Commit,
                detail,
            })
        };
        match self.repository.find_object(&id, &mut self.buffer) {
            Ok(Some(Kind::Commit)) => {}
            Ok(Some(other)) => return Err(wrong(format!("it is a {other}"))),
            Ok(None) => return Ok(None),
            Err(error) => return Err(wrong(error.detail)),
        }
        let commit = parse(&self.buffer).ok_or_else(|| wrong("it is damaged".to_owned()))?;
        self.commits.insert(id, commit.clone());
        Ok(Some(commit))
    }
}

/// Reads what matters here, and nothing that people get wrong: names and messages may be anything.
fn parse(bytes: &[u8]) -> Option<Commit> {
    let mut lines = bytes.lines();
    let tree_id = ObjectId::from_hex(lines.next()?.strip_prefix(b"tree ")?).ok()?;
    let mut parents = Vec::new();
    let mut time = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(hex) = line.strip_prefix(b"parent ") {
            parents.push(ObjectId::from_hex(hex).ok()?);
        } else if line.starts_with(b"committer ") {
            let mut words = line.rsplit(|byte| *byte == b' ');
            time = words
                .nth(1)
                .and_then(|word| std::str::from_utf8(word).ok()?.parse().ok())
                .unwrap_or(0);
            break;
        }
    }
    Some(Commit {
        tree_id,
        parents,
        time,
    })
}
