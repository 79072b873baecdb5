//! Lines and columns of a blob that has matches.

use bstr::ByteSlice;

use crate::blob::Span;
use crate::finding::Position;

/// Starts of the lines of a text. Made in one pass, for blobs with matches only.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    starts: Vec<usize>,
    /// Bytes of a character: two of UTF-16, four of UTF-32; 0 where they differ.
    unit: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (unit, is_little) = wide(bytes).unwrap_or((1, false));
        // Where the low byte comes first, the other bytes of a line feed follow it.
        let (before, tail) = match is_little {
            true => (0, unit - 1),
            false => (unit - 1, 0),
        };
        let is_zero = |from: usize, to: usize| {
            let others = bytes.get(from..to);
            others.is_some_and(|others| others.iter().all(|byte| *byte == 0))
        };
        let is_whole = |at: &usize| {
            *at % unit == before && is_zero(at - before, *at) && is_zero(at + 1, at + 1 + tail)
        };
        let breaks = memchr::memchr_iter(b'\n', bytes).filter(is_whole);
        let mut starts = vec![mark(bytes)];
        starts.extend(breaks.map(|at| at + 1 + tail));
        Self {
            bytes,
            starts,
            unit: if unit > 1 { unit } else { 0 },
        }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// 0-based number of the line that holds the byte at `offset`.
    pub(super) fn index(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1)
    }

    /// The line's bytes without its line feed; empty beyond the last line.
    pub(super) fn span(&self, index: usize) -> Span {
        let Some(start) = self.starts.get(index).copied() else {
            return Span::new(self.bytes.len(), self.bytes.len());
        };
        let end = match self.starts.get(index + 1) {
            Some(next) => *next - 1,
            None => self.bytes.len(),
        };
        Span::new(start.min(end), end.min(self.bytes.len()))
    }

    /// Returns the number of lines. A line feed at the very end does not start another one.
    pub(super) fn count(&self) -> usize {
        match self.starts.last() {
            Some(last) if *last >= self.bytes.len() && self.starts.len() > 1 => {
                self.starts.len() - 1
            }
            _ => self.starts.len(),
        }
    }

    /// Returns the positions of `spans`, in their order. One sweep over their lines, so that thousands of matches on
    /// one long line stay linear.
    pub(super) fn positions(&self, spans: &[Span]) -> Vec<Position> {
        let mut wanted: Vec<(usize, usize)> = spans
            .iter()
            .flat_map(|span| [self.first(*span), self.last(*span)])
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let columns = self.columns(&wanted);
        let column = |place: (usize, usize)| {
            wanted
                .binary_search(&place)
                .ok()
                .and_then(|at| columns.get(at).copied())
                .unwrap_or(1)
        };
        spans
            .iter()
            .map(|span| {
                let (first, last) = (self.first(*span), self.last(*span));
                Position {
                    offset: span.start,
                    length: span.len(),
                    line: first.0 + 1,
                    column: column(first),
                    end_line: last.0 + 1,
                    end_column: column(last),
                }
            })
            .collect()
    }

    /// Line and offset of a span's first byte.
    fn first(&self, span: Span) -> (usize, usize) {
        (self.index(span.start), span.start)
    }

    /// Line of a span's last byte, and the offset just after it.
    fn last(&self, span: Span) -> (usize, usize) {
        let last = span.end.saturating_sub(1).max(span.start);
        (self.index(last), span.end.max(span.start))
    }

    /// The columns of places sorted by line and offset.
    fn columns(&self, places: &[(usize, usize)]) -> Vec<usize> {
        let mut columns = Vec::with_capacity(places.len());
        let mut line = None;
        let (mut is_text, mut offset, mut column) = (true, 0, 1);
        for &(index, place) in places {
            if line != Some(index) {
                let span = self.span(index);
                line = Some(index);
                is_text = std::str::from_utf8(span.of(self.bytes)).is_ok();
                (offset, column) = (span.start, 1);
            }
            let piece = Span::new(offset, place.min(self.bytes.len())).of(self.bytes);
            column += if self.unit > 0 {
                piece.len().div_ceil(self.unit)
            } else if is_text {
                code_points(piece)
            } else {
                piece.len()
            };
            offset = place;
            columns.push(column);
        }
        columns
    }
}

/// Length of the byte order mark: it is no character of the first line.
fn mark(bytes: &[u8]) -> usize {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => 4,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => 2,
        [0xef, 0xbb, 0xbf, ..] => 3,
        _ => 0,
    }
}

/// Bytes of a character of UTF-16 or UTF-32, and whether the low one comes first: by the mark, or, of UTF-16, because
/// every other byte of its beginning is zero and no other.
fn wide(bytes: &[u8]) -> Option<(usize, bool)> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some((4, true)),
        [0, 0, 0xfe, 0xff, ..] => Some((4, false)),
        [0xff, 0xfe, ..] => Some((2, true)),
        [0xfe, 0xff, ..] => Some((2, false)),
        _ => {
            let start = bytes.get(..bytes.len().min(256)).unwrap_or_default();
            let is_all = |low: usize| {
                let mut units = start.chunks_exact(2);
                start.len() >= 8 && units.all(|unit| unit[low] != 0 && unit[1 - low] == 0)
            };
            let order = [true, false].into_iter();
            order
                .map(|is_little| (2, is_little))
                .find(|(_, is_little)| is_all(usize::from(!is_little)))
        }
    }
}

/// Code points of valid UTF-8: the bytes that do not continue one.
fn code_points(bytes: &[u8]) -> usize {
    bytes
        .as_bytes()
        .iter()
        .filter(|byte| **byte & 0xc0 != 0x80)
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(text: &[u8], spans: &[(usize, usize)]) -> Vec<(usize, usize, usize, usize)> {
        let spans: Vec<Span> = spans.iter().map(|(a, b)| Span::new(*a, *b)).collect();
        Lines::new(text)
            .positions(&spans)
            .iter()
            .map(|p| (p.line, p.column, p.end_line, p.end_column))
            .collect()
    }

    #[test]
    fn columns_count_code_points_and_bytes_where_the_line_is_not_text() {
        let text = "aé key\nx".as_bytes();
        assert_eq!(positions(text, &[(4, 7)]), [(1, 4, 1, 7)]);
        let text = b"a\xe9 key\nb key";
        assert_eq!(
            positions(text, &[(9, 12), (3, 6)]),
            [(2, 3, 2, 6), (1, 4, 1, 7)]
        );
    }

    #[test]
    fn units_of_two_and_four_bytes_are_one_column() {
        for (unit, is_little) in [(2, true), (2, false), (4, true), (4, false)] {
            let mut text = Vec::new();
            for byte in "\u{feff}ab\ncd".encode_utf16() {
                let wide = u32::from(byte);
                let bytes = if is_little {
                    wide.to_le_bytes()
                } else {
                    wide.to_be_bytes()
                };
                let from = if is_little { 0 } else { 4 - unit };
                text.extend_from_slice(&bytes[from..from + unit]);
            }
            let at = |place: usize| (place * unit, (place + 1) * unit);
            assert_eq!(
                positions(&text, &[at(2), at(5)]),
                [(1, 2, 1, 3), (2, 2, 2, 3)],
                "{unit} {is_little}"
            );
        }
    }

    #[test]
    fn spans_over_lines_and_at_the_ends() {
        let text = b"ab\ncd\n";
        assert_eq!(positions(text, &[(1, 5)]), [(1, 2, 2, 3)]);
        assert_eq!(positions(text, &[(0, 3)]), [(1, 1, 1, 4)]);
        assert_eq!(positions(text, &[(3, 6)]), [(2, 1, 2, 4)]);
        let lines = Lines::new(text);
        assert_eq!(lines.count(), 2);
        assert_eq!(lines.span(1), Span::new(3, 5));
        assert_eq!(Lines::new(b"").count(), 1);
    }

    #[test]
    fn each_position_equals_the_one_counted_from_the_start() {
        let text = "é\nab\n\nlänger\r\n日本語 x".repeat(3);
        let bytes = text.as_bytes();
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let spans: Vec<Span> = ends
            .iter()
            .flat_map(|a| ends.iter().map(|b| Span::new(*a, *b)))
            .filter(|span| !span.is_empty())
            .collect();
        for (span, position) in spans.iter().zip(Lines::new(bytes).positions(&spans)) {
            let before = &text[..span.start];
            let line = before.matches('\n').count() + 1;
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            assert_eq!(position.line, line);
            assert_eq!(position.column, text[start..span.start].chars().count() + 1);
        }
    }
}
