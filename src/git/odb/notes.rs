//! Notes of a scan about the commits that it reads, so that provenance need not read them again.
//!
//! 20 bytes per commit and four for every parent.

use crate::git::header::CommitHeader;
use crate::git::number::ObjectNo;

/// "There is none": a tree or parent that is not in the object database.
pub(crate) const ABSENT: ObjectNo = ObjectNo::number(u32::MAX);
/// The empty tree, which need not be in the object database.
pub(crate) const NO_ENTRIES: ObjectNo = ObjectNo::number(u32::MAX - 1);

/// As what a commit names another object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitLink {
    /// Its tree.
    Tree,
    /// A commit that it builds on.
    Parent,
}

/// Commits noted by one worker.
#[derive(Debug, Default)]
pub(crate) struct CommitTable {
    commits: Vec<PackedCommit>,
    /// Numbers of objects, or [`ABSENT`].
    parents: Vec<ObjectNo>,
    /// Commits that cannot be read.
    pub(crate) malformed: Vec<ObjectNo>,
}

/// A commit by the numbers of objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Commit {
    /// Its own number.
    pub(crate) number: ObjectNo,
    /// Its tree, [`NO_ENTRIES`] or [`ABSENT`].
    pub(crate) tree: ObjectNo,
    /// Committer time, in seconds since 1970.
    pub(crate) time: i64,
}

/// The same as it is kept: without the gap that an `i64` would make.
#[derive(Clone, Copy, Debug)]
struct PackedCommit {
    number: ObjectNo,
    tree: ObjectNo,
    time: [u8; 8],
    /// End of its parents; they begin where those of the commit before it end.
    parents_end: u32,
}

impl CommitTable {
    /// Notes a commit; returns false if it cannot be read. `find` gives the number of the tree or parent with that hex ID, [`ABSENT`] or [`NO_ENTRIES`];
    /// `None` if it is no ID.
    pub(crate) fn commit(
        &mut self,
        number: ObjectNo,
        bytes: &[u8],
        find: impl FnMut(&[u8], CommitLink) -> Option<ObjectNo>,
    ) -> bool {
        let from = self.parents.len();
        let parsed = self.parse(number, bytes, find);
        match parsed {
            Some(commit) => self.commits.push(PackedCommit {
                number: commit.number,
                tree: commit.tree,
                time: commit.time.to_ne_bytes(),
                parents_end: self.parents.len() as u32,
            }),
            None => {
                self.parents.truncate(from);
                self.malformed.push(number);
            }
        }
        parsed.is_some()
    }

    fn parse(
        &mut self,
        number: ObjectNo,
        bytes: &[u8],
        mut find: impl FnMut(&[u8], CommitLink) -> Option<ObjectNo>,
    ) -> Option<Commit> {
        let header = CommitHeader::parse(bytes)?;
        let tree = find(header.tree, CommitLink::Tree)?;
        for parent in header.parents() {
            self.parents.push(find(parent, CommitLink::Parent)?);
        }
        Some(Commit {
            number,
            tree,
            time: header.time(),
        })
    }

    /// All commits with their parents.
    pub(crate) fn commits(&self) -> impl Iterator<Item = (Commit, &[ObjectNo])> {
        let mut from = 0;
        self.commits.iter().map(move |noted| {
            let to = noted.parents_end as usize;
            let parents = self.parents.get(std::mem::replace(&mut from, to)..to);
            let commit = Commit {
                number: noted.number,
                tree: noted.tree,
                time: i64::from_ne_bytes(noted.time),
            };
            (commit, parents.unwrap_or_default())
        })
    }

    /// Gives back what was taken to grow.
    pub(crate) fn shrink(&mut self) {
        self.commits.shrink_to_fit();
        self.parents.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::number::Number as _;

    /// Ids are numbers in these tests.
    fn number(text: &[u8], _: CommitLink) -> Option<ObjectNo> {
        Some(ObjectNo::new(std::str::from_utf8(text).ok()?.parse().ok()?))
    }

    #[test]
    fn a_malformed_commit_leaves_the_parents_of_the_others_alone() {
        let mut notes = CommitTable::default();
        let good = b"tree 7\nparent 1\nparent 2\nauthor a\ncommitter a <a> 1234 +0000\n\nx";
        let malformed = b"parent 3\ntree 7\n\nparent 5\n";
        let no_parent = b"tree 7\nparent 6\nparent x\ncommitter a <a> 1 +0000\n";
        let root = b"tree 8\nauthor a\ncommitter a <a> -5 +0000\n\nx";
        for (object, bytes) in
            (10..)
                .map(ObjectNo::new)
                .zip([&root[..], good, malformed, no_parent, root, good])
        {
            notes.commit(object, bytes, number);
        }
        notes.shrink();
        let found: Vec<(u32, u32, i64, Vec<u32>)> = notes
            .commits()
            .map(|(commit, parents)| {
                let parents = parents.iter().map(|parent| parent.get()).collect();
                (commit.number.get(), commit.tree.get(), commit.time, parents)
            })
            .collect();
        let expected = [
            (10, 8, -5, vec![]),
            (11, 7, 1234, vec![1, 2]),
            (14, 8, -5, vec![]),
            (15, 7, 1234, vec![1, 2]),
        ];
        assert_eq!(found, expected);
        assert_eq!(notes.malformed, [12, 13].map(ObjectNo::new));
    }
}
