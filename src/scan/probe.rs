//! The engine's first stage, for sources that leave clean content out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::Engine;
use crate::source::Probe;

/// Finds the places where the engine might find something.
#[derive(Clone, Debug)]
pub struct EngineProbe {
    engine: Arc<Engine>,
    stop: Arc<AtomicBool>,
}

impl EngineProbe {
    /// A probe that asks for everything once `stop` is set: then the sink sees the next blob, and ends the scan.
    pub fn new(engine: Arc<Engine>, stop: Arc<AtomicBool>) -> Self {
        Self { engine, stop }
    }
}

impl Probe for EngineProbe {
    fn longest(&self) -> usize {
        self.engine.prefilter().longest().max(1)
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
