//! Containers: what is in them is found, what could not be opened is said, and every byte is shown once.

mod damage;
mod limits;
mod nests;
mod places;
mod rest;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock};

use keysieve::blob::{Blob, Window};
use keysieve::coverage::{Skip, SkipReason};
use keysieve::engine::Engine;
use keysieve::finding::Located;
use keysieve::provenance::{Provenance, Step};
use keysieve::rule::RuleSet;
use keysieve::scan::{Options, Scanner};
use keysieve::source::container::{Limits, Opener};
use keysieve::source::{BlobSink, Clean, Opened};
use keysieve::text::paths::Base;

use crate::support::Keys;

/// A key pair: the id and the text that holds it with its secret.
fn pair(keys: &mut Keys) -> (String, String) {
    let id = keys.id();
    let secret = keys.secret();
    let text = format!("aws_access_key_id={id}\naws_secret_access_key={secret}\n");
    (id, text)
}

fn engine() -> Arc<Engine> {
    static ENGINE: OnceLock<Arc<Engine>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Arc::new(Engine::new(Arc::new(RuleSet::builtin()))));
    Arc::clone(engine)
}

fn file(path: &str) -> Provenance {
    Provenance::File { path: path.into() }
}

/// Scans one file.
fn scan(bytes: &[u8], limits: Limits) -> Located {
    let mut opener = Opener::new(Scanner::new(engine(), Options::default()), limits);
    let provenance = file("file");
    let flow = opener.blob(Blob {
        bytes,
        provenance: &provenance,
    });
    assert_eq!(flow, ControlFlow::Continue(()));
    opener.into_inner().finish().in_place(&Base::Root)
}

/// The key ids that are found with their secret.
fn ids(outcome: &Located) -> Vec<String> {
    let pairs = outcome.findings().iter().filter(|it| it.secret.is_some());
    pairs.filter_map(|it| it.key_id.clone()).collect()
}

/// Reasons and subjects of what was not read.
fn unread(outcome: &Located) -> Vec<(SkipReason, String)> {
    let skips = outcome.coverage().skips.iter();
    skips
        .map(|skip| (skip.reason, skip.subject.to_string()))
        .collect()
}

/// Content that an opener shows.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// The way to each part, and its bytes.
    parts: Vec<(Vec<Step>, Vec<u8>)>,
    skips: Vec<Skip>,
    opened: Vec<(Vec<Step>, Opened)>,
}

#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Seen>>);

impl BlobSink for Recorder {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let mut seen = self.0.lock().expect("no panic");
        let steps = blob.provenance.steps().to_vec();
        seen.parts.push((steps, blob.bytes.to_vec()));
        ControlFlow::Continue(())
    }

    fn window(&mut self, blob: Blob<'_>, window: Window) -> ControlFlow<()> {
        assert!(window.from <= window.to);
        self.blob(blob)
    }

    fn skip(&mut self, skip: Skip) {
        self.0.lock().expect("no panic").skips.push(skip);
    }

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}

    fn opened(&mut self, provenance: &Provenance, opened: Opened) {
        let mut seen = self.0.lock().expect("no panic");
        seen.opened.push((provenance.steps().to_vec(), opened));
    }
}

/// Shows a file to an opener; every account of a container in it must be right.
fn open(bytes: &[u8], limits: Limits) -> Seen {
    let recorder = Recorder::default();
    let provenance = file("file");
    let flow = Opener::new(recorder.clone(), limits).blob(Blob {
        bytes,
        provenance: &provenance,
    });
    assert_eq!(flow, ControlFlow::Continue(()));
    let seen = std::mem::take(&mut *recorder.0.lock().expect("no panic"));
    for (steps, opened) in &seen.opened {
        assert_eq!(
            opened.packed + opened.rest,
            opened.bytes,
            "{steps:?} {opened:?}"
        );
        if steps.is_empty() {
            assert_eq!(opened.bytes, bytes.len() as u64, "{opened:?}");
        }
    }
    let panicked = |skip: &&Skip| skip.reason == SkipReason::Internal;
    assert_eq!(seen.skips.iter().find(panicked), None);
    seen
}
