//! Sources of blobs: directories, files, standard input, Git.
//!
//! A source owns its threads and shows what it reads to a [`BlobSink`]. It knows no rules, secrets,
//! findings or formats.

pub mod container;
mod entries;
mod error;
pub mod history;
pub mod modules;
pub mod range;
pub mod snapshot;
pub mod staged;
pub mod stdin;
pub mod submodules;
pub mod worktree;

pub use error::Error;

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::blob::{Blob, Window};
use crate::coverage::{Skip, SkipReason};
use crate::provenance::Provenance;
use crate::workers;

/// Receives what a source reads. Each worker thread gets a clone of its own, its share, which has received nothing
/// yet and is joined again at the end.
pub trait BlobSink: Clone + Send {
    /// Takes one blob, whole. `Break` ends the scan early.
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()>;

    /// Takes over what a clone has received, also where its worker panicked.
    fn join(&mut self, share: Self);

    /// Takes note of something that was not read.
    fn skip(&mut self, skip: Skip);

    /// Returns true if a thing is to be scanned; asked before a container is opened. The sink counts what it refuses.
    fn admits(&mut self, _provenance: &Provenance) -> bool {
        true
    }

    /// Takes a piece of what is too long to be shown whole.
    fn window(&mut self, blob: Blob<'_>, _window: Window) -> ControlFlow<()> {
        self.blob(blob)
    }

    /// Takes what is read once, from its first byte to its last, and may not fit in memory: at most `limit` bytes of
    /// it. What cannot be read is a skip.
    fn stream(
        &mut self,
        input: &mut dyn Read,
        limit: u64,
        provenance: &Provenance,
    ) -> ControlFlow<()> {
        let mut bytes = Vec::new();
        let result = input.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        let subject = || provenance.shown();
        if let Err(error) = result {
            self.skip(Skip::with_detail(SkipReason::Unreadable, subject(), error));
        }
        if bytes.len() as u64 > limit {
            let detail = format!("more than {limit} bytes");
            self.skip(Skip::with_detail(SkipReason::Size, subject(), detail));
            return ControlFlow::Continue(());
        }
        self.blob(Blob {
            bytes: &bytes,
            provenance,
        })
    }

    /// Gives where in the last blob base64 begins that holds something packed, which the search does not see.
    fn packed(&mut self) -> Vec<usize> {
        Vec::new()
    }

    /// Takes note that something in here was not read, so that it is not known to be clean. The skip that says
    /// why comes by itself.
    fn unread(&mut self, _provenance: &Provenance) {}

    /// Takes note of a container that was opened instead of being shown; its parts were shown.
    fn opened(&mut self, _provenance: &Provenance, _opened: Opened) {}

    /// Takes note of objects that were searched through a [`Probe`] and hold nothing: they count as
    /// scanned although [`Self::blob`] never sees them.
    fn clean(&mut self, clean: Clean);
}

/// The account of one container: all of its bytes were shown, packed as members or as the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The format.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: u64,
    /// Those that members are packed in.
    pub packed: u64,
    /// All others.
    pub rest: u64,
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
    /// Number of these objects that were not read because an earlier scan with the same settings had cleared them.
    pub cached: u64,
}

/// Progress of a scan. It may be read at any time.
#[derive(Debug, Default)]
pub struct Progress {
    /// Objects or files that will be read, as far as that is known yet.
    pub total: AtomicU64,
    /// Those that have been read.
    pub done: AtomicU64,
    /// Their bytes.
    pub bytes: AtomicU64,
}

/// Finds the places of possible secrets, so that a source can leave clean content out.
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

    /// Returns true if content that begins with `head` and ends with `tail` is shown whatever [`Self::find`] says,
    /// because it is a container. Of longer content as many bytes are given as [`container::HEAD`] and
    /// [`container::TAIL`] say, or more.
    fn is_container(&self, _head: &[u8], _tail: &[u8]) -> bool {
        false
    }
}

/// Lets threads work, each with a share of the sink, and joins the shares; gives what the work gave.
///
/// A worker that panics gives nothing. It costs what it was reading, which is named a part of `subject`.
fn in_shares<S: BlobSink, R: Send>(
    sink: &mut S,
    threads: usize,
    subject: &str,
    work: impl Fn(&mut S) -> R + Sync,
) -> Vec<R> {
    let mut shares: Vec<S> = (0..threads).map(|_| sink.clone()).collect();
    let ended = workers::try_each(shares.iter_mut(), work);
    shares.into_iter().for_each(|share| sink.join(share));
    for _ in ended.iter().filter(|end| end.is_err()) {
        let detail = "a worker failed; what it was reading was not scanned";
        sink.skip(Skip::with_detail(SkipReason::Internal, subject, detail));
    }
    ended.into_iter().flatten().collect()
}

/// Shows each item, on several threads, until one breaks off. Items in a row mostly go to one thread, with its buffer.
fn show_all<S: BlobSink, T: Sync>(
    sink: &mut S,
    threads: usize,
    items: &[T],
    show: impl Fn(&T, &mut Vec<u8>, &mut S) -> ControlFlow<()> + Sync,
) -> ControlFlow<()> {
    const BATCH: usize = 32;
    let next = AtomicUsize::new(0);
    let threads = threads.clamp(1, items.len().div_ceil(BATCH).max(1));
    let flows = in_shares(sink, threads, "objects", |share| {
        let mut buffer = Vec::new();
        loop {
            let from = next.fetch_add(BATCH, Ordering::Relaxed);
            let to = items.len().min(from.saturating_add(BATCH));
            let Some(batch) = items.get(from..to).filter(|batch| !batch.is_empty()) else {
                return ControlFlow::Continue(());
            };
            let mut flows = batch.iter().map(|item| show(item, &mut buffer, share));
            if flows.any(|flow| flow.is_break()) {
                next.store(items.len(), Ordering::Relaxed);
                return ControlFlow::Break(());
            }
        }
    });
    match flows.iter().any(ControlFlow::is_break) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}
