//! Deltas: what is copied from the base, what is inserted, and the text that is new.

/// Why a delta cannot be used.
pub(super) type Fault = &'static str;

/// A delta whose two sizes have been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delta<'d> {
    /// Size of the base that it was made for.
    pub(super) base_size: u64,
    /// Size of the object that it makes.
    pub(super) size: u64,
    instructions: &'d [u8],
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction<'d> {
    /// Bytes of the base.
    Copy {
        /// First byte in the base.
        from: usize,
        /// How many.
        length: usize,
    },
    /// Bytes that the delta brings.
    Insert(&'d [u8]),
}

impl<'d> Delta<'d> {
    /// Reads the sizes at the start of an inflated delta.
    pub(super) fn parse(bytes: &'d [u8]) -> Result<Self, Fault> {
        let (base_size, rest) = size(bytes).ok_or("the delta has no sizes")?;
        let (size, instructions) = size(rest).ok_or("the delta has no sizes")?;
        Ok(Self {
            base_size,
            size,
            instructions,
        })
    }

    /// The instructions, in order of the object that they make.
    pub(super) fn instructions(&self) -> Instructions<'d> {
        Instructions {
            rest: self.instructions,
        }
    }

    /// Writes the object into `out`, which has exactly its size.
    pub(super) fn apply(&self, base: &[u8], out: &mut [u8]) -> Result<(), Fault> {
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
pub(super) struct Instructions<'d> {
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
/// A literal that stands in the object either lies wholly inside one copied range, then it stands in the
/// base too, or it stands in one run of this text.
#[derive(Debug, Default)]
pub(super) struct NewText {
    bytes: Vec<u8>,
    runs: Vec<Run>,
}

/// Bytes of [`NewText`] that are neighbours in the object as well. A run ends where the next begins.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Where it begins in the gathered text.
    start: usize,
    /// Where it begins in the object.
    place: usize,
}

impl NewText {
    /// Gathers the new text of the object that `delta` makes of `base`, and checks the whole delta on the
    /// way: after `Ok`, [`Delta::apply`] succeeds. With `out`, which has exactly the size of the object, that
    /// is done at once.
    ///
    /// `reach` is the length of the longest literal without its last byte.
    pub(super) fn gather(
        &mut self,
        base: &[u8],
        delta: &Delta<'_>,
        reach: usize,
        mut out: Option<&mut [u8]>,
    ) -> Result<(), Fault> {
        self.bytes.clear();
        self.runs.clear();
        self.runs.push(Run { start: 0, place: 0 });
        let Ok(size) = usize::try_from(delta.size) else {
            return Err("the delta makes more than fits");
        };
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
        if head + tail >= length {
            self.bytes.extend_from_slice(bytes);
            return;
        }
        self.bytes.extend_from_slice(&bytes[..head]);
        self.runs.push(Run {
            start: self.bytes.len(),
            place: place + length - tail,
        });
        self.bytes.extend_from_slice(&bytes[length - tail..]);
    }

    /// The gathered text, one run after the other.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a span of the gathered text stands in the object; `None` if it crosses from one run into the
    /// next, which are not neighbours there.
    pub(super) fn place(&self, (start, end): (usize, usize)) -> Option<(usize, usize)> {
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
    use proptest::prelude::*;

    use super::super::hits::{Hits, has_any};
    use super::*;
    use crate::source::Probe;

    struct Literals(Vec<Vec<u8>>);

    impl Probe for Literals {
        fn longest(&self) -> usize {
            self.0.iter().map(Vec::len).max().unwrap_or(1)
        }

        fn find(&self, bytes: &[u8], spans: &mut Vec<(usize, usize)>) {
            for start in 0..bytes.len() {
                for literal in &self.0 {
                    if bytes[start..].starts_with(literal) {
                        spans.push((start, start + literal.len()));
                    }
                }
            }
        }
    }

    /// An instruction of a test: copied places are cut to what the base has.
    #[derive(Clone, Debug)]
    enum Step {
        Copy(usize, usize),
        Insert(Vec<u8>),
    }

    fn number(mut value: usize, out: &mut Vec<u8>) {
        while value >= 0x80 {
            out.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }

    fn encode(base: &[u8], steps: &[Step]) -> Vec<u8> {
        let mut instructions = Vec::new();
        let mut size = 0;
        for step in steps {
            match step {
                Step::Copy(from, length) => {
                    let from = from % base.len();
                    let length = (*length).clamp(1, base.len() - from);
                    instructions.push(0xff);
                    instructions.extend((from as u32).to_le_bytes());
                    instructions.extend(&(length as u32).to_le_bytes()[..3]);
                    size += length;
                }
                Step::Insert(bytes) => {
                    instructions.push(bytes.len() as u8);
                    instructions.extend(bytes);
                    size += bytes.len();
                }
            }
        }
        let mut delta = Vec::new();
        number(base.len(), &mut delta);
        number(size, &mut delta);
        delta.extend(instructions);
        delta
    }

    fn applied(base: &[u8], delta: &Delta<'_>) -> Vec<u8> {
        let mut out = vec![0; delta.size as usize];
        delta.apply(base, &mut out).expect("a good delta");
        out
    }

    fn check(base: &[u8], steps: &[Step], probe: &Literals) {
        let bytes = encode(base, steps);
        let delta = Delta::parse(&bytes).expect("sizes");
        let object = applied(base, &delta);
        let mut base_hits = Hits::default();
        base_hits.search(base, probe);
        let mut expected = Hits::default();
        expected.search(&object, probe);
        let mut text = NewText::default();
        let mut rebuilt = vec![0; object.len()];
        text.gather(base, &delta, probe.longest() - 1, Some(&mut rebuilt))
            .expect("a good delta");
        assert_eq!(rebuilt, object);
        let mut found = Vec::new();
        let mut hits = Hits::default();
        hits.inherit(&base_hits, &delta, &text, probe, &mut found)
            .expect("a good delta");
        let all = |hits: &Hits| hits.within(0, usize::MAX).collect::<Vec<_>>();
        assert_eq!(all(&hits), all(&expected), "of {object:?}");
        let any = has_any(&base_hits, &delta, &text, probe, &mut found).expect("a good delta");
        assert_eq!(any, !expected.is_empty());
    }

    fn literals(texts: &[&str]) -> Literals {
        Literals(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
    }

    #[test]
    fn a_literal_is_found_across_every_kind_of_seam() {
        let base = b"xxAK..IAxx--KI--AKIA++A+K+I+A+";
        let insert = |text: &str| Step::Insert(text.as_bytes().to_vec());
        let probe = literals(&["AKIA", "xx"]);
        let cases: &[&[Step]] = &[
            // copy | copy, near and far, and one that only looks like it
            &[Step::Copy(0, 4), Step::Copy(6, 4)],
            &[Step::Copy(6, 4), Step::Copy(0, 4)],
            &[Step::Copy(0, 6), Step::Copy(6, 4)],
            // copy | insert | copy
            &[Step::Copy(0, 3), insert("K"), Step::Copy(6, 4)],
            &[Step::Copy(0, 3), Step::Copy(12, 2), Step::Copy(7, 1)],
            // one byte each
            &[
                Step::Copy(22, 1),
                Step::Copy(24, 1),
                Step::Copy(26, 1),
                Step::Copy(28, 1),
            ],
            &[insert("A"), insert("K"), Step::Copy(26, 1), insert("A")],
            // inherited, moved, doubled, cut in half
            &[insert("...."), Step::Copy(16, 4), Step::Copy(16, 4)],
            &[Step::Copy(14, 16)],
            &[Step::Copy(18, 12), Step::Copy(0, 18)],
            &[Step::Copy(10, 8), insert("-"), Step::Copy(18, 8)],
            // only inserted, at either end
            &[insert("AKIA"), Step::Copy(8, 4)],
            &[Step::Copy(8, 4), insert("AKIA")],
        ];
        for steps in cases {
            check(base, steps, &probe);
        }
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

    fn letters(
        length: impl Into<proptest::collection::SizeRange>,
    ) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(proptest::sample::select(b"abc".to_vec()), length)
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..200_usize, 1..12_usize).prop_map(|(from, length)| Step::Copy(from, length)),
            (0..200_usize, 1..120_usize).prop_map(|(from, length)| Step::Copy(from, length)),
            letters(1..4).prop_map(Step::Insert),
            letters(1..40).prop_map(Step::Insert),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn hits_of_a_delta_are_those_of_the_object(
            base in letters(1..200),
            steps in proptest::collection::vec(step(), 1..12),
            literals in proptest::collection::vec(letters(1..9), 1..4),
        ) {
            check(&base, &steps, &Literals(literals));
        }
    }
}
