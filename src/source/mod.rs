//! Where blobs come from: directories, files, standard input, Git.
//!
//! A source owns its threads and shows what it reads to a [`BlobSink`]. It knows no rules, secrets,
//! findings or formats.

mod entries;
mod error;
pub mod history;
pub mod range;
pub mod snapshot;
pub mod staged;
pub mod stdin;
pub mod worktree;

pub use error::Error;

use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;

use crate::blob::Blob;
use crate::coverage::Skip;

/// Receives what a source reads. Each worker thread gets its own clone.
pub trait BlobSink: Clone + Send {
    /// Takes one blob, whole. `Break` ends the scan early.
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()>;

    /// Takes note of something that was not read.
    fn skip(&mut self, skip: Skip);

    /// Takes note of objects that were searched through a [`Probe`] and hold nothing: they count as
    /// scanned although [`Self::blob`] never sees them.
    fn clean(&mut self, clean: Clean);
}

/// Objects that a [`Probe`] cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clean {
    /// Blobs.
    pub blobs: u64,
    /// Commits.
    pub commits: u64,
    /// Annotated tags.
    pub tags: u64,
    /// Their bytes together, as they are when inflated and rebuilt.
    pub bytes: u64,
    /// How many of these objects were not read because an earlier scan with the same settings had cleared them.
    pub cached: u64,
}

/// How far a scan has come. Whoever shows it reads it at any time.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects or files that will be read, as far as that is known yet.
    pub total: AtomicU64,
    /// Those that have been read.
    pub done: AtomicU64,
    /// Their bytes.
    pub bytes: AtomicU64,
}

/// Finds the places where something may stand, so that a source can leave clean content out.
///
/// It may over-report and never misses: content in which `find` reports nothing has no finding.
pub trait Probe: Send + Sync {
    /// Length in bytes of the longest literal, at least 1. A literal across a seam between two pieces
    /// lies within `longest() - 1` bytes of either side of it.
    fn longest(&self) -> usize;

    /// Appends the span (start, end) of each literal that occurs in `bytes`, in order of start.
    ///
    /// Occurrences that overlap count each: the next object may copy only one of them. Of several that start
    /// at one place the shortest is enough.
    fn find(&self, bytes: &[u8], spans: &mut Vec<(usize, usize)>);
}
