//! Parts of a blob that are examined closely: the text around hits.

use std::collections::BTreeMap;

use crate::blob::Span;

use super::base64;
use super::decode::is_value;
use super::view::Order;

/// Bytes around a key id in which its other half is looked for; more than a pair may be apart, so that a
/// value at the edge is still seen whole.
const REACH: usize = 10 * 1024;

/// Lines around a key id, likewise.
const REACH_LINES: usize = 96;

/// Bytes and lines around a name or a word of AWS.
const NAME_REACH: usize = 2 * 1024;
const NAME_LINES: usize = 8;

/// The parts of a blob that become views.
#[derive(Default)]
pub(super) struct Regions {
    /// Text of bytes.
    pub(super) plain: Vec<Span>,
    /// UTF-16 and UTF-32, with the order of their bytes.
    pub(super) wide: BTreeMap<Order, Vec<Span>>,
}

impl Regions {
    /// The text around a key id.
    pub(super) fn around_id(&mut self, bytes: &[u8], offset: usize) {
        self.add(expand(bytes, offset, offset, REACH, REACH_LINES));
    }

    /// The text around a name or a word of AWS.
    pub(super) fn around_name(&mut self, bytes: &[u8], offset: usize) {
        self.add(expand(bytes, offset, offset, NAME_REACH, NAME_LINES));
    }

    /// Adds base64 text with its surroundings; where it is cut, the region begins or ends with its groups.
    pub(super) fn base64(&mut self, bytes: &[u8], window: &base64::Window) {
        let mut region = expand(
            bytes,
            window.span.start,
            window.span.end,
            REACH,
            REACH_LINES,
        );
        if window.is_cut_before {
            region.start = window.span.start;
        }
        if window.is_cut_after {
            region.end = window.span.end;
        }
        self.add(region);
    }

    /// Hits come in order: one that lies well inside the last region adds nothing but its own reach.
    fn add(&mut self, region: Span) {
        match self.plain.last_mut() {
            Some(last) if region.start >= last.start && region.start <= last.end => {
                last.end = last.end.max(region.end)
            }
            _ => self.plain.push(region),
        }
    }

    /// Text of code units around a hit; the literal starts at its first letter in either byte order.
    pub(super) fn wide(&mut self, bytes: &[u8], offset: usize, unit: usize) {
        // Text of either order has zeros on both sides of a letter; files start with a whole unit.
        let start = offset.checked_sub(unit - 1);
        let start = start.filter(|start| start.is_multiple_of(unit));
        let zeros = |start: &usize| bytes[*start..offset].iter().all(|byte| *byte == 0);
        let big = start.filter(zeros);
        let order = Order {
            unit,
            is_little: big.is_none(),
        };
        let start = big.unwrap_or(offset);
        let back = start.min(unit * REACH) / unit * unit;
        let ahead = (bytes.len() - start).min(unit * REACH) / unit * unit;
        let regions = self.wide.entry(order).or_default();
        regions.push(Span::new(start - back, start + ahead));
    }

    /// Regions that touch, as one; those of code units only where their units agree.
    pub(super) fn merge(mut regions: Vec<Span>, unit: usize) -> Vec<Span> {
        regions.sort_unstable();
        let mut merged: Vec<Span> = Vec::with_capacity(regions.len());
        for region in regions {
            match merged.last_mut() {
                Some(last)
                    if region.start <= last.end
                        && (region.start - last.start).is_multiple_of(unit) =>
                {
                    last.end = last.end.max(region.end)
                }
                Some(last) if region.start <= last.end && region.end <= last.end => {}
                _ => merged.push(region),
            }
        }
        merged
    }
}

/// Returns the lines around a span, within a number of bytes; a cut amid a line is moved to a place that no value
/// crosses.
pub(super) fn expand(bytes: &[u8], start: usize, end: usize, reach: usize, lines: usize) -> Span {
    let low = start.saturating_sub(reach);
    let high = (end + reach).min(bytes.len());
    let before = bytes.get(low..start).unwrap_or_default();
    let after = bytes.get(end..high).unwrap_or_default();
    let mut from = memchr::memrchr_iter(b'\n', before)
        .nth(lines)
        .map_or(low, |at| low + at + 1);
    let mut to = memchr::memchr_iter(b'\n', after)
        .nth(lines)
        .map_or(high, |at| end + at);
    if from == low && from > 0 {
        let cut = bytes.get(from..start).unwrap_or_default();
        from += cut.iter().position(|byte| !is_value(*byte)).unwrap_or(0);
    }
    if to == high && to < bytes.len() {
        let cut = bytes.get(end..to).unwrap_or_default();
        to -= cut
            .iter()
            .rev()
            .position(|byte| !is_value(*byte))
            .unwrap_or(0);
    }
    Span::new(from, to)
}
