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

pub use options::{Options, Own};
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
    /// Files and directories that were named. They are scanned even if ignored, hidden, or inside `.git`.
    pub roots: Vec<PathBuf>,
    /// Options of the walk below them.
    pub options: Options,
}

impl Worktree {
    /// Shows every file to the sink.
    ///
    /// Each directory is read by one thread. With links followed, one root or link is walked after the
    /// other and a directory that was seen is left out: each directory is scanned once, under the same path
    /// every time, and loops end.
    pub fn scan<S: BlobSink>(&self, sink: &mut S) -> Result<(), Error> {
        let seen = self.options.follow.then(Seen::default);
        let mut named = BTreeSet::new();
        let mut tasks = Vec::new();
        for root in &self.roots {
            let shown = shown_root(root);
            if named.insert(shown.clone()) {
                tasks.extend(walk::root(root, shown, &self.options, sink));
            }
        }
        let Some(seen) = &seen else {
            return self.run(tasks, None, sink).map(drop);
        };
        let mut links = Vec::new();
        for task in tasks {
            match self.run(vec![task], Some(seen), sink)? {
                ControlFlow::Continue(found) => links.extend(found),
                ControlFlow::Break(()) => return Ok(()),
            }
        }
        while !links.is_empty() {
            links.sort();
            for link in std::mem::take(&mut links) {
                let Some(task) = walk::behind(link, &self.options, seen, sink) else {
                    continue;
                };
                match self.run(vec![task], Some(seen), sink)? {
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
        sink: &mut S,
    ) -> Result<ControlFlow<(), Vec<Link>>, Error> {
        let queue = Queue::new(tasks);
        let worker = |share| Worker::new(&self.options, &queue, seen, share);
        let mut mine = worker(sink.clone());
        let wants_others = catch_unwind(AssertUnwindSafe(|| mine.begin()));
        let others = match wants_others {
            Ok(true) => self.threads() - 1,
            _ => 0,
        };
        let mut all = vec![mine];
        all.extend((0..others).map(|_| worker(sink.clone())));
        let ended = wants_others.map(|_| workers::try_each(all.iter_mut(), Worker::work));
        let mut links = Vec::new();
        for (share, found) in all.into_iter().map(Worker::finish) {
            sink.join(share);
            links.extend(found);
        }
        match ended {
            Ok(ended) if ended.iter().all(Result::is_ok) => {}
            _ => return Err(Error::Worker),
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
