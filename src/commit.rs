//! Commits, as far as a report needs them.

use gix::ObjectId;

/// A commit, as far as a report needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitInfo {
    /// Its place among the commits of the run: parents before children, else by committer time and id.
    pub rank: u32,
    /// The commit that first added the content at this path.
    pub commit_id: ObjectId,
    /// Author name, lossily decoded. No address.
    pub author: String,
    /// Author date, seconds since the epoch.
    pub time: i64,
    /// Author date, RFC 3339 with the author's offset.
    pub date: String,
    /// First line of the message.
    pub subject: String,
    /// True if `HEAD`'s tree has the content at this path.
    pub in_head: bool,
    /// Full names of branches and tags that contain the commit, sorted.
    pub refs: Vec<String>,
    /// References that contain the commit beyond those in `refs`, which is kept short.
    pub more_refs: usize,
    /// If no ref reaches it: what still holds it (`stash@{0}`, a reflog entry, an unreachable commit).
    pub held_by: Vec<String>,
    /// True if a parent of the commit is not in this clone, so that the content may be older.
    pub is_boundary: bool,
    /// The commit with which it left the history of `HEAD`, if it was there and is not any more.
    pub left: Option<Departure>,
}

/// The commit that took content away from a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Departure {
    /// Its place among the commits of the run, as [`CommitInfo::rank`].
    pub rank: u32,
    /// The commit.
    pub commit_id: ObjectId,
    /// Author name, lossily decoded. No address.
    pub author: String,
    /// Author date, seconds since the epoch.
    pub time: i64,
    /// Author date, RFC 3339 with the author's offset.
    pub date: String,
    /// First line of the message.
    pub subject: String,
}
