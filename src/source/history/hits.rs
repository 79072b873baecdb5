//! Where the literals of a probe stand in an object, so that what is built on it need not be searched
//! again.

use super::delta::{Delta, Fault, Instruction, NewText};
use crate::source::Probe;

/// More hits than this in one object are not listed: what is built on it is then searched whole.
const MAX_LISTED: usize = 1 << 14;
/// An object is searched in blocks of this size, so that nobody's hits take more memory than the object.
const BLOCK: usize = 256 * 1024;

/// The hits of one object.
#[derive(Debug, Default)]
pub(super) struct Hits {
    /// Sorted, each once, unless there are too many.
    spans: Vec<(usize, usize)>,
    too_many: bool,
}

impl Hits {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty() && !self.too_many
    }

    /// Whether they were too many to list: then they are not known.
    pub(super) fn is_too_many(&self) -> bool {
        self.too_many
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.spans.clear();
        self.too_many = false;
    }

    /// Finds all hits of a whole object.
    pub(super) fn search(&mut self, bytes: &[u8], probe: &dyn Probe) {
        self.clear();
        self.too_many = find(bytes, probe, &mut self.spans);
        self.finish();
    }

    /// Finds all hits of the object that `delta` makes, whose new text is `text`: those of the base that
    /// lie wholly within a copied range, and those of the new text. The base's hits must be known.
    pub(super) fn inherit(
        &mut self,
        base: &Hits,
        delta: &Delta<'_>,
        text: &NewText,
        probe: &dyn Probe,
        found: &mut Vec<(usize, usize)>,
    ) -> Result<(), Fault> {
        self.clear();
        self.too_many = find(text.bytes(), probe, found);
        self.spans
            .extend(found.iter().filter_map(|span| text.place(*span)));
        if !base.spans.is_empty() {
            self.copy_from(base, delta)?;
        }
        self.finish();
        Ok(())
    }

    fn copy_from(&mut self, base: &Hits, delta: &Delta<'_>) -> Result<(), Fault> {
        let mut place = 0;
        for instruction in delta.instructions() {
            let (from, length) = match instruction? {
                Instruction::Insert(bytes) => {
                    place += bytes.len();
                    continue;
                }
                Instruction::Copy { from, length } => (from, length),
            };
            for (start, end) in base.within(from, from + length) {
                self.spans.push((start - from + place, end - from + place));
            }
            if self.spans.len() > 2 * MAX_LISTED {
                self.too_many = true;
                break;
            }
            place += length;
        }
        Ok(())
    }

    /// The hits that lie wholly between two places, in order of start.
    pub(super) fn within(
        &self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (usize, usize)> + '_ {
        let first = self.spans.partition_point(|span| span.0 < from);
        self.spans[first..]
            .iter()
            .copied()
            .take_while(move |span| span.0 < to)
            .filter(move |span| span.1 <= to)
    }

    fn finish(&mut self) {
        self.spans.sort_unstable();
        self.spans.dedup();
        if self.spans.len() > MAX_LISTED {
            self.too_many = true;
        }
        if self.too_many {
            self.spans = Vec::new();
        }
    }
}

/// Whether the object that `delta` makes has any hit, its base's hits being listed.
pub(super) fn has_any(
    base: &Hits,
    delta: &Delta<'_>,
    text: &NewText,
    probe: &dyn Probe,
    found: &mut Vec<(usize, usize)>,
) -> Result<bool, Fault> {
    let too_many = find(text.bytes(), probe, found);
    if too_many || found.iter().any(|span| text.place(*span).is_some()) {
        return Ok(true);
    }
    if base.spans.is_empty() {
        return Ok(false);
    }
    for instruction in delta.instructions() {
        if let Instruction::Copy { from, length } = instruction?
            && base.within(from, from + length).next().is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Searches in blocks until there are too many; says whether there were.
fn find(bytes: &[u8], probe: &dyn Probe, spans: &mut Vec<(usize, usize)>) -> bool {
    spans.clear();
    if bytes.len() <= BLOCK {
        probe.find(bytes, spans);
        return spans.len() > MAX_LISTED;
    }
    let overlap = probe.longest().saturating_sub(1);
    let mut start = 0;
    while start < bytes.len() && spans.len() <= MAX_LISTED {
        let end = bytes.len().min(start + BLOCK + overlap);
        let before = spans.len();
        probe.find(&bytes[start..end], spans);
        for span in &mut spans[before..] {
            *span = (span.0 + start, span.1 + start);
        }
        start += BLOCK;
    }
    spans.len() > MAX_LISTED
}
