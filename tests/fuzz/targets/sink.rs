//! Sinks that remember what a source showed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock};

use keysieve::blob::Blob;
use keysieve::coverage::{Skip, SkipReason};
use keysieve::engine::Engine;
use keysieve::provenance::Provenance;
use keysieve::rule::RuleSet;
use keysieve::source::{BlobSink, Clean};

/// The engine with the built-in rules.
pub fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Arc::new(Engine::new(Arc::new(RuleSet::builtin()))));
    Arc::clone(engine)
}

/// Content that was shown, and what was not.
#[derive(Debug, Default)]
pub struct Seen {
    /// The content by where it came from.
    pub shown: BTreeMap<Provenance, Vec<u8>>,
    /// Blobs that were shown again.
    pub twice: Vec<Provenance>,
    /// Counts of cleared objects.
    pub clean: Clean,
    /// Things that were not read.
    pub skips: Vec<Skip>,
}

/// A sink that all workers share.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Seen>>);

impl Recorder {
    /// Returns what was seen, once the workers are done; none of them may have failed.
    pub fn finish(self) -> Seen {
        let seen = Arc::into_inner(self.0).expect("the workers are done");
        let seen = seen.into_inner().expect("no worker panicked");
        let failed = seen
            .skips
            .iter()
            .find(|it| it.reason == SkipReason::Internal);
        assert!(failed.is_none(), "{failed:?}");
        seen
    }
}

impl BlobSink for Recorder {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let mut seen = self.0.lock().expect("no worker panicked");
        let known = seen
            .shown
            .insert(blob.provenance.clone(), blob.bytes.to_vec());
        if known.is_some() {
            seen.twice.push(blob.provenance.clone());
        }
        ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        self.0.lock().expect("no worker panicked").skips.push(skip);
    }

    fn clean(&mut self, clean: Clean) {
        let total = &mut self.0.lock().expect("no worker panicked").clean;
        total.blobs += clean.blobs;
        total.commits += clean.commits;
        total.tags += clean.tags;
        total.bytes += clean.bytes;
        total.cached += clean.cached;
    }

    fn join(&mut self, _share: Self) {}
}
