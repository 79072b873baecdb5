//! The engine's first stage, for sources that leave clean content out.

use std::sync::Arc;

use crate::engine::Engine;
use crate::source::Probe;

/// Finds the places where the engine might find something.
#[derive(Clone, Debug)]
pub struct EngineProbe(pub Arc<Engine>);

impl Probe for EngineProbe {
    fn longest(&self) -> usize {
        self.0.prefilter().longest()
    }

    fn find(&self, bytes: &[u8], spans: &mut Vec<(usize, usize)>) {
        let prefilter = self.0.prefilter();
        // Allocates on the first hit only, and hits are rare.
        let mut hits = Vec::new();
        prefilter.find(bytes, &mut hits);
        spans.extend(hits.iter().map(|hit| {
            let length = prefilter.keyword(hit.keyword).len();
            (hit.offset, hit.offset + length)
        }));
    }
}
