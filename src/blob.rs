//! The bytes of one file version, as a source shows them to a sink.

use crate::provenance::Provenance;

/// The bytes of one file version and where they came from.
#[derive(Clone, Copy, Debug)]
pub struct Blob<'a> {
    /// The whole content; only what a container holds may come in windows.
    pub bytes: &'a [u8],
    /// The source of the content.
    pub provenance: &'a Provenance,
}

/// A piece of content that is too long to be in memory whole. Neighbouring pieces share bytes, so that what lies on a
/// border is seen with its surroundings; a match in both pieces counts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Bytes of the content in front of the piece.
    pub offset: usize,
    /// Line feeds in front of the piece.
    pub line: usize,
    /// First byte of the piece at which what begins there counts.
    pub from: usize,
    /// The first at which it counts no more.
    pub to: usize,
}

/// A range of bytes of a blob: `start` is the first, `end` is one past the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte, 0-based.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to and not including `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Returns true if it has no byte.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// The bytes of the span; empty where it does not lie within `bytes`.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }
}
