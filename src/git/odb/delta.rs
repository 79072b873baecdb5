//! Deltas: what is copied from the base, what is inserted, and the text that is new.

/// Reason why a delta cannot be used.
pub(crate) type Fault = &'static str;

/// A delta whose two sizes have been read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delta<'d> {
    /// Size of the base that it was made for.
    pub(crate) base_size: u64,
    /// Size of the object that it makes.
    pub(crate) size: u64,
    instructions: &'d [u8],
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instruction<'d> {
    /// Bytes of the base.
    Copy {
        /// First byte in the base.
        from: usize,
        /// Number of bytes.
        length: usize,
    },
    /// Bytes that the delta brings.
    Insert(&'d [u8]),
}

impl<'d> Delta<'d> {
    /// Reads the sizes at the start of an inflated delta.
    pub(crate) fn parse(bytes: &'d [u8]) -> Result<Self, Fault> {
        let (base_size, rest) = size(bytes).ok_or("the delta has no sizes")?;
        let (size, instructions) = size(rest).ok_or("the delta has no sizes")?;
        Ok(Self {
            base_size,
            size,
            instructions,
        })
    }

    /// The instructions, in order of the object that they make.
    pub(crate) fn instructions(&self) -> Instructions<'d> {
        Instructions {
            rest: self.instructions,
        }
    }

    /// Writes the object into `out`, which has exactly its size.
    pub(crate) fn apply(&self, base: &[u8], out: &mut [u8]) -> Result<(), Fault> {
        let mut rest = out;
        for instruction in self.instructions() {
            let bytes = match instruction? {
                Instruction::Copy { from, length } => copied(base, from, length)?,
                Instruction::Insert(bytes) => bytes,
            };
            let (place, after) = rest
                .split_at_mut_checked(bytes.len())
                .ok_or("the delta makes more than it says")?;
            place.copy_from_slice(bytes);
            rest = after;
        }
        if rest.is_empty() {
            Ok(())
        } else {
            Err("the delta makes less than it says")
        }
    }
}

fn copied(base: &[u8], from: usize, length: usize) -> Result<&[u8], Fault> {
    base.get(from..)
        .and_then(|rest| rest.get(..length))
        .ok_or("the delta copies beyond its base")
}

/// A little-endian number of seven bits per byte.
fn size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    // Nine bytes have 63 bits, more than any size that fits.
    for (index, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Iterates over the instructions of a delta.
#[derive(Clone, Debug)]
pub(crate) struct Instructions<'d> {
    rest: &'d [u8],
}

impl<'d> Iterator for Instructions<'d> {
    type Item = Result<Instruction<'d>, Fault>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (&command, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(if command & 0x80 != 0 {
            self.copy(command)
        } else {
            self.insert(command)
        })
    }
}

impl<'d> Instructions<'d> {
    #[inline]
    fn copy(&mut self, command: u8) -> Result<Instruction<'d>, Fault> {
        let window = match self.rest.first_chunk::<8>() {
            Some(window) => *window,
            None => {
                let mut window = [0; 8];
                window[..self.rest.len()].copy_from_slice(self.rest);
                window
            }
        };
        let window = u64::from_le_bytes(window);
        // Which of the seven bytes are there is hard to foresee, so no branch depends on it.
        let mut fields = 0_u64;
        let mut used = 0_u32;
        for bit in 0..7 {
            let is_there = u64::from(command >> bit & 1);
            let byte = (window >> (8 * used)) & 0xff & is_there.wrapping_neg();
            fields |= byte << (8 * bit);
            used += is_there as u32;
        }
        self.rest = self
            .rest
            .get(used as usize..)
            .ok_or("the delta ends within an instruction")?;
        // Git leaves bytes of zero out, so a length of zero is free to mean 64 KiB.
        let length = (fields >> 32) as usize;
        Ok(Instruction::Copy {
            from: (fields & 0xffff_ffff) as usize,
            length: if length == 0 { 0x1_0000 } else { length },
        })
    }

    #[inline]
    fn insert(&mut self, command: u8) -> Result<Instruction<'d>, Fault> {
        if command == 0 {
            return Err("the delta has a reserved instruction");
        }
        let (bytes, rest) = self
            .rest
            .split_at_checked(usize::from(command))
            .ok_or("the delta ends within an instruction")?;
        self.rest = rest;
        Ok(Instruction::Insert(bytes))
    }
}

/// The text of an object that its base does not have: what is inserted, and the seams between two
/// instructions with as much of the copied bytes on either side as a literal can reach.
///
/// A literal in the object either lies wholly inside one copied range, then the base has it too, or it is in one run of
/// this text.
#[derive(Debug, Default)]
pub(crate) struct NewText {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// As many bytes of an object are kept of its beginning, and of its end.
pub(crate) const HEAD: usize = 512;
pub(crate) const TAIL: usize = 32;

/// Bytes of [`NewText`] that are neighbours in the object as well. A run ends where the next begins.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Its start in the gathered text.
    start: usize,
    /// Its start in the object.
    place: usize,
}

impl NewText {
    /// Gathers the new text of the object that `delta` makes of `base`, and checks the whole delta on the
    /// way: after `Ok`, [`Delta::apply`] succeeds. With `out`, which has exactly the size of the object, that
    /// is done at once.
    ///
    /// `reach` is the length of the longest literal without its last byte.
    pub(crate) fn gather(
        &mut self,
        base: &[u8],
        delta: &Delta<'_>,
        reach: usize,
        mut out: Option<&mut [u8]>,
    ) -> Result<(), Fault> {
        self.bytes.clear();
        self.runs.clear();
        // If the object begins with a long copy, which has no seam before it, this run stays empty: of several runs
        // with one start the last one counts.
        self.runs.push(Run { start: 0, place: 0 });
        let Ok(size) = usize::try_from(delta.size) else {
            return Err("the delta makes more than fits");
        };
        self.head.clear();
        self.tail.clear();
        let tail_start = size.saturating_sub(TAIL);
        let mut place = 0_usize;
        for instruction in delta.instructions() {
            let bytes = match instruction? {
                Instruction::Insert(bytes) => {
                    self.bytes.extend_from_slice(bytes);
                    bytes
                }
                Instruction::Copy { from, length } => {
                    let bytes = copied(base, from, length)?;
                    self.copy(bytes, place, size, reach);
                    bytes
                }
            };
            let end = place + bytes.len();
            if end > size {
                return Err("the delta makes more than it says");
            }
            if let Some(out) = out.as_deref_mut().and_then(|out| out.get_mut(place..end)) {
                out.copy_from_slice(bytes);
            }
            if place < HEAD {
                let length = bytes.len().min(HEAD - place);
                self.head.extend_from_slice(&bytes[..length]);
            }
            if end > tail_start {
                let from = tail_start.saturating_sub(place);
                self.tail.extend_from_slice(&bytes[from..]);
            }
            place = end;
        }
        if place < size {
            return Err("the delta makes less than it says");
        }
        Ok(())
    }

    /// Takes both ends of a copied range, or all of it where they meet.
    #[inline]
    fn copy(&mut self, bytes: &[u8], place: usize, size: usize, reach: usize) {
        let length = bytes.len();
        // Nothing stands before the first byte of the object and after its last: no seam there.
        let head = if place == 0 { 0 } else { reach };
        let tail = if place + length >= size { 0 } else { reach };
        // Too short for a gap between the seams: the run before goes on.
        if head + tail >= length {
            self.bytes.extend_from_slice(bytes);
            return;
        }
        self.bytes.extend_from_slice(&bytes[..head]);
        // Between the seams is what the base was searched for; after the gap a new run begins.
        self.runs.push(Run {
            start: self.bytes.len(),
            place: place + length - tail,
        });
        self.bytes.extend_from_slice(&bytes[length - tail..]);
    }

    /// The first [`HEAD`] bytes of the object, and the last [`TAIL`].
    pub(crate) fn ends(&self) -> (&[u8], &[u8]) {
        (&self.head, &self.tail)
    }

    /// The gathered text, one run after the other.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the position in the object of a span of the gathered text; `None` if it crosses from one run into the
    /// next, which are not neighbours there.
    pub(crate) fn place(&self, (start, end): (usize, usize)) -> Option<(usize, usize)> {
        let after = self.runs.partition_point(|run| run.start <= start);
        let run = self.runs.get(after.checked_sub(1)?)?;
        let run_end = self
            .runs
            .get(after)
            .map_or(self.bytes.len(), |next| next.start);
        (end <= run_end).then(|| (start - run.start + run.place, end - run.start + run.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of ARCHITECTURE.md.
    #[test]
    fn new_text_is_what_is_inserted_and_what_is_next_to_a_seam() {
        let base = b"id = AKIA; old = none\n";
        let delta = [
            &[22, 28, 0x90, 11][..],
            b"\x02AK",
            &[0x91, 7, 2, 0x91, 9, 2, 0x91, 11, 11],
        ]
        .concat();
        let delta = Delta::parse(&delta).expect("sizes");
        let mut object = vec![0; 28];
        let mut text = NewText::default();
        text.gather(base, &delta, 3, Some(&mut object))
            .expect("a good delta");
        assert_eq!(object, b"id = AKIA; AKIA; old = none\n");
        assert_eq!(text.bytes(), b"A; AKIA; old");
        assert_eq!(text.place((3, 7)), Some((11, 15)));
        assert_eq!(text.place((8, 12)), Some((16, 20)));
    }

    #[test]
    fn what_a_delta_may_not_do_is_an_error() {
        let mut text = NewText::default();
        let mut refused = |bytes: &[u8]| {
            let Ok(delta) = Delta::parse(bytes) else {
                return true;
            };
            let mut out = vec![0; delta.size as usize];
            let applied = delta.apply(b"base", &mut out);
            assert_eq!(
                applied.is_ok(),
                text.gather(b"base", &delta, 3, None).is_ok()
            );
            applied.is_err()
        };
        assert!(!refused(&[4, 2, 0x90, 2]), "copies two bytes");
        assert!(refused(&[]), "no sizes");
        assert!(refused(&[4, 0x80]), "half a size");
        assert!(refused(&[4, 1, 0]), "reserved");
        assert!(refused(&[4, 5, 0x90, 5]), "beyond the base");
        assert!(refused(&[4, 1, 0x90]), "half an instruction");
        assert!(refused(&[4, 3, 3, b'a']), "half an insertion");
        assert!(refused(&[4, 1, 0x90, 2]), "too much");
        assert!(refused(&[4, 3, 0x90, 2]), "too little");
        assert!(
            refused(&[4, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            "far away"
        );
    }
}
