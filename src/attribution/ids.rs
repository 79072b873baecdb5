//! The ids of commits and their numbers.

use gix::ObjectId;

use crate::git::number::{CommitNo, Number as _};

/// Ids in order; their position is the number by which the rest of provenance knows them.
pub(crate) struct Ids {
    sorted: Vec<ObjectId>,
    /// Start of the ids that share their first bits: about as many starts as ids, so that a look-up touches memory that
    /// is far away once or twice.
    starts: Vec<u32>,
    /// Shift that makes an id's first four bytes its place in `starts`.
    shift: u32,
}

impl Ids {
    /// Numbers `sorted`.
    pub(crate) fn new(sorted: Vec<ObjectId>) -> Self {
        let bits = sorted.len().max(1).ilog2().clamp(4, 24);
        let shift = 32 - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for id in &sorted {
            starts[prefix(id, shift) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Self {
            sorted,
            starts,
            shift,
        }
    }

    /// The number of an id.
    pub(crate) fn number(&self, id: &gix::oid) -> Option<CommitNo> {
        let at = prefix(id, self.shift);
        let (from, to) = (self.starts[at] as usize, self.starts[at + 1] as usize);
        let found = self.sorted[from..to].binary_search_by(|other| (**other).cmp(id));
        found.ok().map(|at| CommitNo::at(from + at))
    }

    /// The id with that number.
    pub(crate) fn id(&self, number: CommitNo) -> ObjectId {
        self.sorted[number.index()]
    }

    /// Returns the number of ids.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }
}

/// The first bits of an id.
fn prefix(id: &gix::oid, shift: u32) -> usize {
    let first = id.as_bytes().first_chunk().copied().unwrap_or_default();
    (u32::from_be_bytes(first) >> shift) as usize
}
