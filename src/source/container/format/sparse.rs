//! Sparse files in a tar archive: only what is not a hole is there.

use std::ops::ControlFlow;

use super::super::input::{Fault, Input, Window, Windowed};
use super::super::kind::octal;
use super::super::opening::{Budget, Opening};
use crate::provenance::Step;

/// Holes beyond this are shown short: a disk of a terabyte is mostly nothing.
const MOST_HOLES: u64 = 64 << 20;
/// Remaining length of a hole that is shown short.
const SHORT_HOLE: u64 = 64 << 10;

/// Places of the content of a sparse file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Map {
    /// Offset and length of each piece that is there.
    pairs: Vec<(u64, u64)>,
    real_size: u64,
    /// True if more of an old map follows.
    pub(super) goes_on: bool,
}

impl Map {
    pub(super) fn new(pairs: Vec<(u64, u64)>, real_size: u64) -> Self {
        Self {
            pairs,
            real_size,
            goes_on: false,
        }
    }

    /// The map in an old GNU header.
    pub(super) fn old(block: &[u8; 512]) -> Option<Self> {
        let mut map = Self::new(Vec::new(), number(&block[483..495])?);
        map.add(&block[386..482])?;
        map.goes_on = block[482] == 1;
        Some(map)
    }

    /// Adds the pairs of a block behind such a header.
    pub(super) fn extend(&mut self, block: &[u8]) -> bool {
        let Some(block) = block.first_chunk::<512>() else {
            return false;
        };
        self.goes_on = block[504] == 1;
        self.add(&block[..504]).is_some()
    }

    fn add(&mut self, entries: &[u8]) -> Option<()> {
        for entry in entries.chunks_exact(24).filter(|entry| entry[0] != 0) {
            let (offset, length) = entry.split_at(12);
            self.pairs.push((number(offset)?, number(length)?));
        }
        Some(())
    }

    /// Reads the map in front of the content, and returns its length, which is one of whole blocks.
    pub(super) fn in_data(text: &[u8], real_size: u64) -> Option<(Self, usize)> {
        let mut at = 0;
        let mut next = || {
            let rest = text.get(at..)?;
            let end = memchr::memchr(b'\n', rest)?;
            let digits = std::str::from_utf8(rest.get(..end)?).ok()?;
            at += end + 1;
            digits.parse::<u64>().ok()
        };
        let count = next()?;
        let mut pairs = Vec::new();
        for _ in 0..count {
            pairs.push((next()?, next()?));
        }
        Some((Self::new(pairs, real_size), at.next_multiple_of(512)))
    }
}

/// Shows a sparse file whose pieces are the next `size` bytes; says whether all of them were there.
pub(super) fn show(
    opening: &mut Opening<'_>,
    step: Step,
    input: &mut dyn Input,
    size: u64,
    map: Map,
) -> (ControlFlow<()>, bool) {
    let before = input.taken();
    let buffer = opening.buffer();
    let mut filled = Filled::new(input, size, map, opening.budget(), buffer);
    let flow = opening.item(step, &mut filled);
    opening.give_back(filled.window.into_buffer());
    if let Some(fault) = filled.fault {
        opening.skip(fault.reason, fault.detail);
    }
    // What the map does not speak of is there all the same.
    let left = size - (input.taken() - before).min(size);
    let mut part = super::super::input::Part::new(input, left);
    let flow = match flow {
        ControlFlow::Continue(()) if left > 0 => opening.plain(&mut part),
        flow => flow,
    };
    let taken = input.taken() - before;
    (flow, taken == size)
}

/// A sparse file with zeros in its holes.
struct Filled<'a> {
    input: &'a mut dyn Input,
    /// Bytes of the pieces that are left.
    left: u64,
    /// Lengths of hole and piece, the next one last.
    parts: Vec<(u64, u64)>,
    window: Window,
    budget: Budget,
    fault: Option<Fault>,
}

impl<'a> Filled<'a> {
    fn new(input: &'a mut dyn Input, size: u64, map: Map, budget: Budget, buffer: Vec<u8>) -> Self {
        let mut parts = Vec::with_capacity(map.pairs.len() + 1);
        let mut at = 0_u64;
        for (offset, length) in map.pairs {
            parts.push((offset.saturating_sub(at), length));
            at = offset.saturating_add(length);
        }
        parts.push((map.real_size.saturating_sub(at), 0));
        let holes = parts
            .iter()
            .fold(0_u64, |sum, part| sum.saturating_add(part.0));
        if holes > MOST_HOLES {
            for part in &mut parts {
                part.0 = part.0.min(SHORT_HOLE);
            }
        }
        parts.reverse();
        Self {
            input,
            left: size,
            parts,
            window: Window::over(buffer),
            budget,
            fault: None,
        }
    }

    /// Copies a piece, or makes zeros; false at the end.
    fn copy(&mut self, want: usize) -> bool {
        let Some((hole, piece)) = self.parts.last_mut() else {
            return false;
        };
        let room = self.window.room(want);
        if *hole > 0 {
            let length = usize::try_from(*hole).map_or(room.len(), |hole| hole.min(room.len()));
            if self.budget.left(1) < length as u64 {
                self.fault = Some(Fault::limit("more comes out of it than may"));
                return false;
            }
            self.budget.spend(length as u64, 1);
            room[..length].fill(0);
            self.window.made(length);
            *hole -= length as u64;
            return true;
        }
        let most = (*piece).min(self.left);
        if most == 0 {
            self.parts.pop();
            return true;
        }
        let bytes = self.input.fill(1);
        let length = bytes.len().min(room.len());
        let length = usize::try_from(most).map_or(length, |most| length.min(most));
        if length == 0 {
            return false;
        }
        room[..length].copy_from_slice(&bytes[..length]);
        self.input.take(length);
        self.window.made(length);
        *piece -= length as u64;
        self.left -= length as u64;
        true
    }
}

impl Windowed for Filled<'_> {
    fn window(&self) -> &Window {
        &self.window
    }

    fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }

    fn cause(&self) -> Option<&Fault> {
        self.fault.as_ref().or(self.input.fault())
    }

    fn advance(&mut self, want: usize) -> bool {
        self.fault.is_none() && self.copy(want)
    }
}

/// A number in octal, or in base 256 where the first bit is set.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    match field.split_first() {
        Some((0x80, rest)) => rest.iter().try_fold(0_u64, |value, byte| {
            Some(value.checked_mul(256)? + u64::from(*byte))
        }),
        // Negative ones are no size.
        Some((0x81..=0xff, _)) => None,
        _ if field.iter().all(|byte| matches!(byte, 0 | b' ')) => Some(0),
        _ => octal(field),
    }
}
