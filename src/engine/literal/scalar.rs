//! The first stage without vector instructions: one table, six bytes per step.

use std::fmt;
use std::ops::ControlFlow;

use super::fingerprint::WINDOW;
use super::tables::hash;

/// Set of the trigrams in fingerprints. A fingerprint has two trigrams, one of which begins at an even offset, so only
/// these are looked up.
pub(super) struct Trigrams {
    /// By hash of a trigram, whether some fingerprint has one with this hash.
    known: Vec<bool>,
}

const TRIGRAM_BITS: u32 = 15;

impl Trigrams {
    /// The trigrams of these fingerprints.
    pub(super) fn new(windows: impl Iterator<Item = [u8; WINDOW]>) -> Self {
        let mut known = vec![false; 1 << TRIGRAM_BITS];
        for window in windows {
            let window = u32::from_le_bytes(window);
            known[Self::hash(window)] = true;
            known[Self::hash(window >> 8)] = true;
        }
        Self { known }
    }

    /// Of the lower three bytes.
    #[inline]
    fn hash(bytes: u32) -> usize {
        hash(bytes << 8, TRIGRAM_BITS)
    }

    pub(super) fn candidates(
        &self,
        haystack: &[u8],
        visit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let known = |bytes: u32| self.known[Self::hash(bytes)];
        // A fingerprint begins at the trigram or one byte before it.
        let mut show = |at: usize| {
            if let Some(before) = at.checked_sub(1) {
                visit(before)?;
            }
            visit(at)
        };
        let mut at = 0;
        while let Some(bytes) = haystack.get(at..).and_then(<[u8]>::first_chunk) {
            let bytes = u64::from_le_bytes(*bytes);
            let first = known(bytes as u32);
            let second = known((bytes >> 16) as u32);
            let third = known((bytes >> 32) as u32);
            if first | second | third {
                for (hit, at) in [(first, at), (second, at + 2), (third, at + 4)] {
                    if hit {
                        show(at)?;
                    }
                }
            }
            at += 6;
        }
        while let Some([first, second, third]) = haystack.get(at..).and_then(<[u8]>::first_chunk) {
            if known(u32::from_le_bytes([*first, *second, *third, 0])) {
                show(at)?;
            }
            at += 2;
        }
        ControlFlow::Continue(())
    }
}

impl fmt::Debug for Trigrams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trigrams")
    }
}
