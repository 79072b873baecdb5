//! Directories and files on disk.
//!
//! The walk is its own, not that of the `ignore` crate, whose matcher it uses: that walk does not tell
//! what it left out, and cannot go on into an ignored directory for the tracked files in it.

mod file;
mod listing;
mod options;
mod queue;
mod repository;
mod rules;
mod scope;
mod shown;
mod walk;

pub use options::Options;
pub use rules::Exclude;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use crate::source::{BlobSink, Error};
use crate::workers;
use queue::Queue;
use shown::shown_root;
use walk::{Link, Seen, Task, Worker};

/// Directories and files, named by a person.
#[derive(Clone, Debug, Default)]
pub struct Worktree {
    /// What was named. It is scanned even if ignored, hidden, or inside `.git`.
    pub roots: Vec<PathBuf>,
    /// What to scan below.
    pub options: Options,
}

impl Worktree {
    /// Shows every file to the sink.
    ///
    /// Each directory is read by one thread. With links followed, one root or link is walked after the
    /// other and a directory that was seen is left out: each directory is scanned once, under the same path
    /// every time, and loops end.
    pub fn scan<S: BlobSink>(&self, mut sink: S) -> Result<(), Error> {
        let seen = self.options.follow.then(Seen::default);
        let mut named = BTreeSet::new();
        let mut tasks = Vec::new();
        for root in &self.roots {
            let shown = shown_root(root);
            if named.insert(shown.clone()) {
                tasks.extend(walk::root(root, shown, &self.options, &mut sink));
            }
        }
        let Some(seen) = &seen else {
            return self.run(tasks, None, &sink).map(drop);
        };
        let mut links = Vec::new();
        for task in tasks {
            match self.run(vec![task], Some(seen), &sink)? {
                ControlFlow::Continue(found) => links.extend(found),
                ControlFlow::Break(()) => return Ok(()),
            }
        }
        while !links.is_empty() {
            links.sort();
            for link in std::mem::take(&mut links) {
                let Some(task) = walk::behind(link, &self.options, seen, &mut sink) else {
                    continue;
                };
                match self.run(vec![task], Some(seen), &sink)? {
                    ControlFlow::Continue(found) => links.extend(found),
                    ControlFlow::Break(()) => return Ok(()),
                }
            }
        }
        Ok(())
    }

    /// Works on tasks and all that they make, with all threads; gives the links to directories on the way.
    fn run<S: BlobSink>(
        &self,
        tasks: Vec<Task>,
        seen: Option<&Seen>,
        sink: &S,
    ) -> Result<ControlFlow<(), Vec<Link>>, Error> {
        let queue = Queue::new(tasks);
        let threads = self.threads();
        let worker = || Worker::new(&self.options, &queue, seen, sink.clone());
        let mut mine = worker();
        let Ok(wants_others) = catch_unwind(AssertUnwindSafe(|| mine.begin())) else {
            return Err(Error::Worker);
        };
        let others = (1..threads).filter(|_| wants_others).map(|_| worker());
        let mut links = Vec::new();
        for found in workers::try_each([mine].into_iter().chain(others), Worker::work) {
            links.extend(found.map_err(|_panic| Error::Worker)?);
        }
        match queue.is_stopped() {
            true => Ok(ControlFlow::Break(())),
            false => Ok(ControlFlow::Continue(links)),
        }
    }

    fn threads(&self) -> usize {
        let wanted = self
            .options
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        wanted.max(1)
    }
}
