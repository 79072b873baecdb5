//! A decoded view of a part of a blob that still knows the position of each of its bytes in the original.
//!
//! Decoders ([`super::decode`]) turn one view into the next. Candidates are looked for in the last view,
//! positions are reported in the original.

use crate::blob::Span;

/// Replacement for a character of another script: it ends a value as it does unescaped.
pub(super) const FOREIGN: u8 = 0xff;

/// Decoded bytes with the way back to the original.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    /// The decoded bytes, in which candidates are looked for.
    pub(super) bytes: Vec<u8>,
    segments: Vec<Segment>,
}

/// From `view` on, until the next segment, bytes relate to the original in one way.
#[derive(Clone, Copy, Debug)]
struct Segment {
    view: usize,
    source: usize,
    unit: Unit,
}

/// Number of bytes of the original that one byte of the view takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// One.
    Same,
    /// So many: a code unit of UTF-16 or UTF-32, two hex digits.
    Wide(usize),
    /// Four for each three: base64 without line breaks. The segment starts so many bytes after the group of
    /// three whose four characters start at `source`.
    Base64(usize),
    /// The whole segment comes from one span of this length.
    Atom(usize),
}

impl View {
    /// The original itself, from `region.start` on.
    pub(super) fn plain(blob: &[u8], region: Span) -> Self {
        Self {
            bytes: region.of(blob).to_vec(),
            segments: vec![Segment {
                view: 0,
                source: region.start,
                unit: Unit::Same,
            }],
        }
    }

    /// The text of code units that start at `region.start`; what is not ASCII becomes [`FOREIGN`], the byte order mark a
    /// line break.
    pub(super) fn wide(blob: &[u8], region: Span, order: Order) -> Self {
        Self {
            bytes: narrow(region.of(blob), order).collect(),
            segments: vec![Segment {
                view: 0,
                source: region.start,
                unit: Unit::Wide(order.unit),
            }],
        }
    }

    /// Returns the position of a span of the view in the original.
    pub(super) fn source(&self, span: Span) -> Span {
        let start = self.source_at(span.start, false);
        let end = if span.end > span.start {
            self.source_at(span.end - 1, true)
        } else {
            start
        };
        Span::new(start, end.max(start))
    }

    /// The original offset of the first byte (or one past the last byte) that view byte `at` comes from.
    fn source_at(&self, at: usize, past: bool) -> usize {
        let index = self
            .segments
            .partition_point(|segment| segment.view <= at)
            .saturating_sub(1);
        let Some(segment) = self.segments.get(index) else {
            return 0;
        };
        let inside = at - segment.view;
        let inside_past = inside + usize::from(past);
        match segment.unit {
            Unit::Same => segment.source + inside_past,
            Unit::Wide(unit) => segment.source + unit * inside_past,
            Unit::Base64(before) if past => {
                segment.source + ((before + inside_past) * 4).div_ceil(3)
            }
            Unit::Base64(before) => segment.source + (before + inside) * 4 / 3,
            Unit::Atom(length) => segment.source + if past { length } else { 0 },
        }
    }
}

/// The width and byte order of a text's code units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    /// Bytes of a unit: two or four.
    pub(super) unit: usize,
    /// The low byte comes first.
    pub(super) is_little: bool,
}

/// A byte for each code unit, as [`View::wide`] has it. An incomplete unit at the end is left out.
pub(super) fn narrow(bytes: &[u8], order: Order) -> impl Iterator<Item = u8> {
    bytes.chunks_exact(order.unit).map(move |unit| {
        let low_first = |at: usize| {
            unit[if order.is_little {
                at
            } else {
                order.unit - 1 - at
            }]
        };
        let is_small = (2..order.unit).all(|at| low_first(at) == 0);
        match (low_first(1), low_first(0)) {
            (0, low) if low.is_ascii() && is_small => low,
            // The byte order mark is no part of the first line.
            (0xfe, 0xff) if is_small => b'\n',
            _ => FOREIGN,
        }
    })
}

/// Builds the next view from pieces of the one before.
pub(super) struct Builder<'v> {
    from: &'v View,
    made: View,
}

impl<'v> Builder<'v> {
    /// Starts with nothing.
    pub(super) fn new(from: &'v View) -> Self {
        Self {
            from,
            made: View {
                bytes: Vec::with_capacity(from.bytes.len()),
                segments: Vec::new(),
            },
        }
    }

    /// Takes over bytes `start..end` as they are.
    pub(super) fn copy(&mut self, start: usize, end: usize) {
        if start >= end {
            return;
        }
        let mut index = self
            .from
            .segments
            .partition_point(|segment| segment.view <= start)
            .saturating_sub(1);
        let mut at = start;
        while at < end {
            let Some(segment) = self.from.segments.get(index) else {
                return;
            };
            let next = self
                .from
                .segments
                .get(index + 1)
                .map_or(end, |next| next.view)
                .min(end);
            let inside = at - segment.view;
            let (source, unit) = match segment.unit {
                Unit::Same => (segment.source + inside, Unit::Same),
                Unit::Wide(unit) => (segment.source + unit * inside, Unit::Wide(unit)),
                Unit::Base64(before) => (
                    segment.source + (before + inside) / 3 * 4,
                    Unit::Base64((before + inside) % 3),
                ),
                Unit::Atom(length) => (segment.source, Unit::Atom(length)),
            };
            self.segment(source, unit);
            self.made
                .bytes
                .extend_from_slice(self.from.bytes.get(at..next).unwrap_or_default());
            at = next;
            index += 1;
        }
    }

    /// Puts `decoded` in the place of bytes `start..end`.
    pub(super) fn atom(&mut self, decoded: &[u8], start: usize, end: usize) {
        let span = self.from.source(Span::new(start, end));
        self.segment(span.start, Unit::Atom(span.len()));
        self.made.bytes.extend_from_slice(decoded);
    }

    /// Puts what the unbroken text at `start` decodes to, each of its characters so many bits.
    pub(super) fn digits(&mut self, decoded: &[u8], start: usize, end: usize, bits: usize) {
        let span = self.from.source(Span::new(start, end));
        if span.len() == end - start {
            let unit = match bits {
                4 => Unit::Wide(2),
                _ => Unit::Base64(0),
            };
            self.segment(span.start, unit);
            self.made.bytes.extend_from_slice(decoded);
            return;
        }
        // The text is itself made of escapes or of digits: each byte has its own characters.
        for (index, byte) in decoded.iter().enumerate() {
            let is_last = index + 1 == decoded.len();
            let (first, last) = (index * 8 / bits, (index * 8 + 8).div_ceil(bits));
            self.atom(
                &[*byte],
                start + first,
                if is_last { end } else { start + last },
            );
        }
    }

    /// The view that was built.
    pub(super) fn finish(self) -> View {
        self.made
    }

    fn segment(&mut self, source: usize, unit: Unit) {
        let view = self.made.bytes.len();
        if let Some(last) = self.made.segments.last() {
            let length = view - last.view;
            let follows = match (last.unit, unit) {
                (Unit::Same, Unit::Same) => last.source + length == source,
                (Unit::Wide(one), Unit::Wide(other)) if one == other => {
                    last.source + one * length == source
                }
                _ => false,
            };
            if follows {
                return;
            }
        }
        self.made.segments.push(Segment { view, source, unit });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_across_an_atom_covers_what_it_was_made_from() {
        let plain = View::plain(b"0123%2F789", Span::new(0, 10));
        let mut builder = Builder::new(&plain);
        builder.copy(0, 4);
        builder.atom(b"/", 4, 7);
        builder.copy(7, 10);
        let view = builder.finish();
        assert_eq!(view.bytes, b"0123/789");
        assert_eq!(view.source(Span::new(3, 6)), Span::new(3, 8));
        assert_eq!(view.source(Span::new(4, 5)), Span::new(4, 7));
        assert_eq!(view.source(Span::new(5, 8)), Span::new(7, 10));
    }

    #[test]
    fn a_part_of_decoded_base64_covers_the_characters_that_hold_it() {
        let plain = View::plain(b"x: YWJjZGVm", Span::new(0, 11));
        let mut builder = Builder::new(&plain);
        builder.copy(0, 3);
        builder.digits(b"abcdef", 3, 11, 6);
        let view = builder.finish();
        assert_eq!(view.source(Span::new(3, 9)), Span::new(3, 11));
        assert_eq!(view.source(Span::new(4, 5)), Span::new(4, 6));
    }

    #[test]
    fn wide_text_maps_back_all_bytes_of_a_unit() {
        let order = |unit, is_little| Order { unit, is_little };
        let view = View::wide(b"a\0b\0c\0", Span::new(0, 6), order(2, true));
        assert_eq!(view.bytes, b"abc");
        assert_eq!(view.source(Span::new(1, 2)), Span::new(2, 4));
        let view = View::wide(
            b"\0\0\0a\0\0\0b\0\x01\0c",
            Span::new(0, 12),
            order(4, false),
        );
        assert_eq!(view.bytes, b"ab\xff");
        assert_eq!(view.source(Span::new(1, 2)), Span::new(4, 8));
    }

    #[test]
    fn hex_digits_map_back_two_for_one() {
        let plain = View::plain(b"x 616263", Span::new(0, 8));
        let mut builder = Builder::new(&plain);
        builder.copy(0, 2);
        builder.digits(b"abc", 2, 8, 4);
        let view = builder.finish();
        assert_eq!(view.bytes, b"x abc");
        assert_eq!(view.source(Span::new(3, 4)), Span::new(4, 6));
    }
}
