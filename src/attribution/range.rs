//! The commit that brought an object in, and the references that lead to that commit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::BString;
use gix::ObjectId;

use super::describe::{describe_commit, shorten};
use super::lineage::MOST_PATHS;
use super::place::{Located, Location};
use crate::coverage::{Skip, SkipReason};
use crate::git::header::CommitHeader;
use crate::git::introduced::{Introduced, Introduction};
use crate::git::repository::{Named, Repository};
use crate::git::view::{object, readable_references};
use crate::git::{Commit, Trees, walk};

/// Finds the places of what ranges brought in.
pub struct Locator<'a> {
    repo: &'a Repository,
    introduced: &'a Introduced,
    /// The commits that build on a commit, within the ranges and from there to the references.
    children: BTreeMap<ObjectId, Vec<ObjectId>>,
    /// Commits, and tags on the way there, with the references that name them; sorted.
    named: Vec<(ObjectId, &'a str)>,
    head: Option<ObjectId>,
    head_tree: Option<ObjectId>,
    trees: Trees<'a>,
    reached: HashMap<ObjectId, Reached>,
    is_over: &'a dyn Fn() -> bool,
    skips: Vec<Skip>,
}

/// References that lead to a commit or a tag.
#[derive(Clone, Default)]
struct Reached {
    refs: Vec<String>,
    more_refs: usize,
    in_head: bool,
}

impl<'a> Locator<'a> {
    /// Takes in the commits between references and the ranges. `references` are those of the repository, and those that
    /// do not hold these commits yet and are about to. Once `is_over`, paths and commits are still named, and what leads to
    /// them is not looked up; [`Self::locate`] says so.
    pub fn new(
        repo: &'a Repository,
        introduced: &'a Introduced,
        references: &'a [Named],
        is_over: &'a dyn Fn() -> bool,
    ) -> Self {
        let head = repo.head_id().ok().flatten();
        let head_tree = head.and_then(|head| repo.tree_of(head, &mut Vec::new()).ok());
        let mut locator = Self {
            repo,
            introduced,
            children: BTreeMap::new(),
            named: Vec::new(),
            head,
            head_tree,
            trees: Trees::new(repo),
            reached: HashMap::new(),
            is_over,
            skips: Vec::new(),
        };
        locator.look_beyond(references);
        locator
    }

    fn look_beyond(&mut self, references: &'a [Named]) {
        let known = &self.introduced.known;
        let mut tips: Vec<ObjectId> = self.head.into_iter().collect();
        for (name, id) in references.iter().take_while(|_| !(self.is_over)()) {
            let links = known.links(self.repo, *id);
            tips.extend(links.last());
            self.named
                .extend(links.into_iter().map(|link| (link, name.as_str())));
        }
        self.named.sort_unstable();
        let mut parents: BTreeMap<ObjectId, Vec<ObjectId>> = BTreeMap::new();
        let times = self.introduced.blobs.values().flatten();
        let times = times.map(|place: &Introduction| place.time);
        let oldest = self.introduced.oldest.iter();
        let messages = oldest.filter_map(|id| time_of(self.repo, *id));
        if let Some(oldest) = times.chain(messages).min() {
            let is_wanted = |commit: &Commit| commit.time >= oldest;
            tips.retain(|tip| known.commit(tip).is_none_or(is_wanted));
            // What cannot be read takes nothing away from the range.
            let skips = &mut Vec::new();
            let walked = walk(
                self.repo,
                (&tips, &[]),
                known,
                is_wanted,
                self.is_over,
                skips,
            );
            parents.extend(walked.commits.into_iter().map(|it| (it.id, it.parents)));
        }
        let within = self.introduced.parents.iter();
        parents.extend(within.map(|(id, parents)| (*id, parents.clone())));
        for (child, parents) in parents {
            self.children.entry(child).or_default();
            for parent in parents {
                self.children.entry(parent).or_default().push(child);
            }
        }
    }

    /// The places of objects that came in, with their commits; the first one first. For each path the first
    /// commit counts.
    pub fn locate(mut self, objects: impl IntoIterator<Item = ObjectId>) -> Located {
        let places = objects.into_iter().map(|id| (id, self.locations(id)));
        let places = places.collect();
        if (self.is_over)() {
            let detail = "which references lead to what was found was not looked up to the end";
            self.skips.push(Skip::with_detail(
                SkipReason::Deadline,
                "references",
                detail,
            ));
        }
        Located {
            places,
            skips: self.skips,
        }
    }

    fn locations(&mut self, id: ObjectId) -> Vec<Location> {
        let introduced = self.introduced;
        let mut seen = BTreeSet::new();
        let mut places = Vec::new();
        for place in introduced.blobs.get(&id).into_iter().flatten() {
            if seen.insert(&place.path) {
                places.push((place.path.clone(), place.commit_id));
            }
        }
        if places.len() > MOST_PATHS {
            places.truncate(MOST_PATHS);
            self.skips.push(Skip::with_detail(
                SkipReason::Findings,
                id.to_string(),
                "more paths lead to this finding than are listed",
            ));
        }
        let is_message = introduced.parents.contains_key(&id) || introduced.tags.contains(&id);
        if places.is_empty() && is_message {
            places.push((BString::default(), id));
        }
        let located = places.into_iter().map(|(path, commit)| {
            let reached = self.reached(commit);
            let in_head = match (path.is_empty(), self.head_tree) {
                (true, _) => reached.in_head,
                (false, Some(_)) if (self.is_over)() => false,
                (false, Some(tree)) => self.trees.blob_at(tree, &path) == Some(id),
                (false, None) => false,
            };
            let rank = introduced.ranks.get(&commit).map_or(u32::MAX, |it| *it);
            let mut place = describe_commit(self.repo, path, commit, rank);
            if let Some(commit) = &mut place.commit {
                commit.in_head = in_head;
                commit.refs = reached.refs;
                commit.more_refs = reached.more_refs;
            }
            place
        });
        located.collect()
    }

    fn reached(&mut self, id: ObjectId) -> Reached {
        if let Some(reached) = self.reached.get(&id) {
            return reached.clone();
        }
        if (self.is_over)() {
            return Reached::default();
        }
        let mut leading = BTreeSet::from([id]);
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            let children = self.children.get(&id).into_iter().flatten();
            stack.extend(children.filter(|child| leading.insert(**child)));
        }
        let names = leading.iter().flat_map(|link| {
            let from = self.named.partition_point(|(id, _)| id < link);
            let named = self.named[from..].iter();
            named.take_while(move |(id, _)| id == link)
        });
        let names: BTreeSet<&str> = names.map(|(_, name)| *name).collect();
        let (refs, more_refs) = shorten(names.into_iter().map(str::to_owned).collect());
        let reached = Reached {
            refs,
            more_refs,
            in_head: self.head.is_some_and(|head| leading.contains(&head)),
        };
        self.reached.insert(id, reached.clone());
        reached
    }
}

/// Full names and objects of the references of a repository, as far as they can be read; what cannot is among the skips.
pub fn references(repo: &Repository, skips: &mut Vec<Skip>) -> Vec<Named> {
    readable_references(repo, skips)
}

/// Committer time.
fn time_of(repo: &Repository, id: ObjectId) -> Option<i64> {
    let object = object(repo, id).ok()?;
    CommitHeader::parse(&object.data).map(|commit| commit.time())
}
