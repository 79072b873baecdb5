//! The commits at which sought objects came to paths and left them.

use std::collections::BTreeMap;

use bstr::BString;

use super::commits::{Commits, NOT_HERE};
use super::holders::Holders;
use super::lineage::{EMPTY, Lineage};
use crate::coverage::{Skip, SkipReason};
use crate::git::number::{CommitNo, Number as _, SoughtNo};

/// Introduction of a sought object at a path, and its removal.
pub(super) struct Event {
    /// The first commit that introduced it there.
    pub(super) first: CommitNo,
    /// The last commit of `HEAD`'s history that took it away although every parent had it.
    pub(super) left: Option<CommitNo>,
    /// The same where only some parent had it: a merge that decided against it.
    pub(super) left_side: Option<CommitNo>,
}

/// All that happened to what is sought, by number and path.
pub(super) struct Events(pub(super) BTreeMap<(SoughtNo, BString), Event>);

impl Events {
    /// Compares each commit with its parents.
    pub(super) fn find(
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

    /// Returns the events of one sought object, by path.
    pub(super) fn of(&self, sought: SoughtNo) -> impl Iterator<Item = (&BString, &Event)> {
        let next = SoughtNo::new(sought.get() + 1);
        self.0
            .range((sought, BString::default())..(next, BString::default()))
            .map(|((_, path), event)| (path, event))
    }
}
