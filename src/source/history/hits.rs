//! Places of a probe's literals in an object, so that the objects built on it need not be searched again.

use crate::git::odb::delta::{Delta, Fault, Instruction, NewText};
use crate::source::Probe;

/// More hits than this in one object are not listed: what is built on it is then searched whole.
const MAX_LISTED: usize = 1 << 14;
/// Search block size, in bytes; keeps the hit list smaller than the object.
const BLOCK: usize = 256 * 1024;

/// The hits of one object.
#[derive(Debug, Default)]
pub(super) struct Hits {
    /// Sorted, each once, unless there are too many.
    spans: Vec<(usize, usize)>,
    too_many: bool,
}

impl Hits {
    /// Returns true if there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty() && !self.too_many
    }

    /// Returns true if they were too many to list: then they are not known.
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
            // A hit in a copied range near a seam is in the new text too, so each is here twice at most.
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

/// Returns true if the object that `delta` makes has any hit, its base's hits being listed.
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
    // A literal may begin in one block and end in the next.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
