//! The engine's first stage, for sources that leave clean content out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::Engine;
use crate::source::Probe;
use crate::source::container::Kind;

/// Finds the places where the engine might find something.
#[derive(Clone, Debug)]
pub struct EngineProbe {
    engine: Arc<Engine>,
    stop: Arc<AtomicBool>,
    opens: bool,
}

impl EngineProbe {
    /// A probe that asks for everything once `stop` is set: then the sink sees the next blob, and ends the scan.
    /// With `opens`, it asks for every container, which an [`Opener`](crate::source::container::Opener) opens.
    pub fn new(engine: Arc<Engine>, stop: Arc<AtomicBool>, opens: bool) -> Self {
        Self {
            engine,
            stop,
            opens,
        }
    }
}

impl Probe for EngineProbe {
    fn longest(&self) -> usize {
        self.engine.prefilter().longest().max(1)
    }

    fn is_container(&self, head: &[u8], tail: &[u8]) -> bool {
        self.opens && (Kind::of(head).is_some() || Kind::of_tail(tail).is_some())
    }

    fn find(&self, bytes: &[u8], spans: &mut Vec<(usize, usize)>) {
        if self.stop.load(Ordering::Relaxed) && !bytes.is_empty() {
            spans.push((0, 1));
            return;
        }
        let prefilter = self.engine.prefilter();
        // Allocates on the first hit only, and hits are rare.
        let mut hits = Vec::new();
        prefilter.find(bytes, &mut hits);
        spans.extend(hits.iter().map(|hit| {
            let length = prefilter.keyword(hit.keyword).len();
            (hit.offset, hit.offset + length)
        }));
    }
}
