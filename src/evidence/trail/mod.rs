//! CloudTrail logs on disk: which files there are, and in one pass over all of them what was done with a key.
//!
//! A file is inflated into a buffer that is used again, then searched for key IDs. Only records that hold a wanted ID are
//! parsed. The text of the records before parsing is the slow truth: a test holds both answers equal.

mod coverage;
mod file;
mod find;
mod index;
mod list;
mod pass;

pub use coverage::{Coverage, Period, Region, coverage};
pub use file::{MAX_INFLATED, MAX_RECORD, Unread};
pub use find::{Found, FoundEvent, find};
pub use index::{FormatError, Index, index};
pub use list::{Listed, list};
pub(super) use pass::kind_of;

/// Kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A log of CloudTrail.
    Trail,
    /// A digest file, which lies beside logs and holds their hashes.
    Digest,
    /// Anything else.
    Other,
}

/// Options of reading.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads, at least 1.
    pub threads: usize,
}

/// Account of what was read, and what was not.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Logs that were read.
    pub trails: u64,
    /// Digest files that were passed over.
    pub digests: u64,
    /// Files of other kinds.
    pub others: u64,
    /// Logs that an index showed to hold none of the keys.
    pub skipped: u64,
    /// Bytes of the logs that were read, as they are on disk.
    pub bytes: u64,
    /// Bytes of text that were searched.
    pub text: u64,
    /// First and last times of what was read.
    pub coverage: Coverage,
    /// Files that could not be read, by path.
    pub unread: Vec<Unread>,
}

impl Account {
    /// Returns true if all that was asked for was read.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }
}
