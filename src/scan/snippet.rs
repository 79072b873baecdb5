//! The lines around a match, with every secret cut out.
//!
//! Secrets are cut by their spans while the text is put together, never replaced in it afterwards, so an
//! escape or an encoding cannot carry one through.

use std::collections::{BTreeMap, BTreeSet};

use super::Options;
use super::build::parts;
use super::lines::Lines;
use crate::blob::Span;
use crate::engine::Match;
use crate::finding::SnippetLine;

/// Replacement for a secret.
pub(super) const MARKER: &str = "[secret]";
/// Replacement for the rest of a line that is cut short.
const ELLIPSIS: &str = "…";
/// Bytes of a long line that are looked at on either side of what was found, before secrets are cut.
const REACH: usize = 2048;

/// All spans of a blob that may hold secret bytes: sorted, none overlapping another.
#[derive(Debug)]
pub(super) struct Cuts(Vec<Span>);

impl Cuts {
    /// The engine's candidates and the secret parts of all matches.
    pub(super) fn new(redact: &[Span], matches: &[Match]) -> Self {
        let parts = matches
            .iter()
            .flat_map(|found| [&found.secret, &found.token])
            .flatten()
            .map(|part| part.span);
        Self::of(redact.iter().copied().chain(parts).collect())
    }

    /// Sorts and joins `spans`.
    pub(super) fn of(mut spans: Vec<Span>) -> Self {
        spans.retain(|span| !span.is_empty());
        spans.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                // Touching spans stay two: `secret:token` must not look like one.
                Some(last) if span.start < last.end => last.end = last.end.max(span.end),
                _ => joined.push(span),
            }
        }
        Self(joined)
    }

    /// Those that have bytes in `window`.
    pub(super) fn within(&self, window: Span) -> &[Span] {
        let first = self.0.partition_point(|cut| cut.end <= window.start);
        let rest = self.0.get(first..).unwrap_or_default();
        let count = rest.partition_point(|cut| cut.start < window.end);
        rest.get(..count).unwrap_or_default()
    }
}

/// Returns the lines with the parts of `found`, and their context.
pub(super) fn snippet(
    lines: &Lines<'_>,
    cuts: &Cuts,
    found: &Match,
    options: &Options,
) -> Vec<SnippetLine> {
    let encoding = Encoding::of(found, lines.bytes());
    let mut marks: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
    for part in parts(found) {
        let (first, last) = (
            lines.index(part.start),
            lines.index(part.end.saturating_sub(1)),
        );
        for index in [first, last] {
            let line = lines.span(index);
            let piece = Span::new(part.start.max(line.start), part.end.min(line.end));
            let pieces = marks.entry(index).or_default();
            if !pieces.contains(&piece) {
                pieces.push(piece);
            }
        }
    }
    let shown: BTreeSet<usize> = marks
        .keys()
        .flat_map(|index| index.saturating_sub(options.context)..=index + options.context)
        .filter(|index| *index < lines.count())
        .collect();
    shown
        .into_iter()
        .filter_map(|index| {
            let marked = marks.get(&index).map_or(&[][..], Vec::as_slice);
            let line = Line {
                span: lines.span(index),
                marks: marked,
                encoding,
            };
            line.render(index, lines.bytes(), cuts, found, options.width)
        })
        .collect()
}

/// Storage of the text around a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Bytes,
    /// Two bytes per unit; the flag says which comes first, the number is a byte at which a unit starts.
    Utf16 {
        little: bool,
        aligned: usize,
    },
}

impl Encoding {
    /// As the first part of the match shows it: credentials are ASCII.
    fn of(found: &Match, bytes: &[u8]) -> Self {
        let start = parts(found).first().map_or(0, |part| part.start);
        match bytes.get(start..start + 4) {
            Some([a, 0, b, 0]) if *a != 0 && *b != 0 => Self::Utf16 {
                little: true,
                aligned: start,
            },
            Some([0, a, 0, b]) if *a != 0 && *b != 0 => Self::Utf16 {
                little: false,
                aligned: start,
            },
            _ => Self::Bytes,
        }
    }

    /// The text of `span`; what cannot be decoded becomes U+FFFD.
    fn decode(self, bytes: &[u8], span: Span) -> String {
        match self {
            Self::Bytes => String::from_utf8_lossy(span.of(bytes)).into_owned(),
            Self::Utf16 { little, aligned } => {
                let start = span.start + (span.start % 2 + aligned % 2) % 2;
                let units = Span::new(start, span.end)
                    .of(bytes)
                    .chunks_exact(2)
                    .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
                    .map(|pair| match little {
                        true => u16::from_le_bytes(pair),
                        false => u16::from_be_bytes(pair),
                    });
                char::decode_utf16(units)
                    .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                    .filter(|c| *c != '\u{feff}')
                    .collect()
            }
        }
    }
}

/// One line to show.
struct Line<'m> {
    span: Span,
    marks: &'m [Span],
    encoding: Encoding,
}

impl Line<'_> {
    /// Its text; `None` for a line of context in the middle of a secret.
    fn render(
        &self,
        index: usize,
        bytes: &[u8],
        cuts: &Cuts,
        found: &Match,
        width: usize,
    ) -> Option<SnippetLine> {
        let window = self.window(bytes);
        let mut within = cuts.within(window).to_vec();
        let is_inside_cut = within
            .iter()
            .any(|cut| cut.start <= self.span.start && cut.end >= self.span.end);
        if self.marks.is_empty() && is_inside_cut {
            return None;
        }
        within.extend(repetitions(bytes, window, found));
        let within = Cuts::of(within).0;
        let (mut text, marks) = self.redacted(bytes, window, &within);
        let length = text.trim_end_matches(['\r', '\n', '\u{feff}']).len();
        text.truncate(length);
        let clip = |(start, end): (usize, usize)| (start.min(length), end.min(length));
        let marks: Vec<(usize, usize)> = marks.into_iter().map(clip).collect();
        let mark = hull(&marks, width);
        let cut_short = (window.start > self.span.start, window.end < self.span.end);
        let (text, mark) = shorten(&text, mark, width, cut_short);
        Some(SnippetLine {
            number: index + 1,
            text,
            mark,
        })
    }

    /// The part of the line that is worth looking at.
    fn window(&self, bytes: &[u8]) -> Span {
        let around = match (self.marks.first(), self.marks.iter().map(|m| m.end).max()) {
            (Some(first), Some(end)) => {
                let start = self.marks.iter().map(|m| m.start).min();
                Span::new(start.unwrap_or(first.start), end)
            }
            _ => Span::new(self.span.start, self.span.start),
        };
        let is_inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let mut start = around.start.saturating_sub(REACH).max(self.span.start);
        let mut end = (around.end + REACH).min(self.span.end);
        // Not through the middle of a code point: at most three bytes to go.
        for _ in 0..3 {
            if start > self.span.start && start < around.start && is_inside(start) {
                start += 1;
            }
            if end < self.span.end && end > around.end && is_inside(end) {
                end -= 1;
            }
        }
        Span::new(start, end.max(start))
    }

    /// The text of `window` with `cuts` cut out, and where the marks are in it.
    fn redacted(&self, bytes: &[u8], window: Span, cuts: &[Span]) -> (String, Vec<(usize, usize)>) {
        let mut edges: BTreeSet<usize> = self
            .marks
            .iter()
            .flat_map(|mark| [mark.start, mark.end])
            .collect();
        edges.insert(window.end);
        let mut text = String::new();
        // Offset in the blob, and what it became in the text: as the start of a mark and as its end.
        let mut places: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        let mut at = window.start;
        let mut cuts = cuts.iter().copied().peekable();
        loop {
            if let Some(cut) = cuts.next_if(|cut| cut.start <= at) {
                let start = text.len();
                text.push_str(MARKER);
                for edge in edges.range(at..cut.end) {
                    places.entry(*edge).or_insert((start, text.len()));
                }
                places.insert(cut.start.max(window.start), (start, start));
                at = at.max(cut.end);
                places.entry(at).or_insert((text.len(), text.len()));
                continue;
            }
            places.entry(at).or_insert((text.len(), text.len()));
            if at >= window.end {
                break;
            }
            let next_edge = edges.range(at + 1..).next().copied();
            let next_cut = cuts.peek().map(|cut| cut.start);
            let stop = [next_edge, next_cut, Some(window.end)]
                .into_iter()
                .flatten()
                .min()
                .unwrap_or(window.end);
            text.push_str(&self.encoding.decode(bytes, Span::new(at, stop)));
            at = stop;
        }
        let total = text.len();
        let marks = self.marks.iter().map(|mark| {
            let start = places.get(&mark.start).map_or(0, |place| place.0);
            let end = places.get(&mark.end).map_or(total, |place| place.1);
            (start, end.max(start))
        });
        let marks = marks.collect();
        (text, marks)
    }
}

/// Finds further copies in `window` of the very bytes of this match's secrets: one in a comment, for example, that no
/// rule asked about.
fn repetitions(bytes: &[u8], window: Span, found: &Match) -> Vec<Span> {
    let text = window.of(bytes);
    let mut spans = Vec::new();
    for part in [&found.secret, &found.token].into_iter().flatten() {
        for needle in [part.value.expose(), part.span.of(bytes)] {
            // Shorter ones are words of the language rather than secrets.
            if needle.len() < 8 {
                continue;
            }
            spans.extend(
                memchr::memmem::find_iter(text, needle)
                    .map(|at| Span::new(window.start + at, window.start + at + needle.len())),
            );
        }
    }
    spans
}

/// From the first mark to the last, or the first alone where they lie too far apart to be shown together.
fn hull(marks: &[(usize, usize)], width: usize) -> Option<(usize, usize)> {
    let start = marks.iter().map(|mark| mark.0).min()?;
    let end = marks.iter().map(|mark| mark.1).max()?;
    if end - start <= width / 2 {
        return Some((start, end));
    }
    marks.first().copied()
}

/// Cuts `text` to `width` characters around `mark`; `open` says at which ends it is cut short already.
fn shorten(
    text: &str,
    mark: Option<(usize, usize)>,
    width: usize,
    open: (bool, bool),
) -> (String, Option<(usize, usize)>) {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let count = starts.len();
    let char_of = |offset: usize| starts.partition_point(|start| *start < offset);
    let offset_of = |index: usize| starts.get(index).copied().unwrap_or(text.len());
    let (from, to) = match mark {
        _ if count <= width => (0, count),
        None => (0, width),
        Some((start, end)) => {
            let (start, end) = (char_of(start), char_of(end).max(char_of(start) + 1));
            let spare = width.saturating_sub(end - start) / 2;
            let from = start.saturating_sub(spare);
            let to = (from + width).min(count);
            (to.saturating_sub(width).min(start), to)
        }
    };
    let (start, end) = (offset_of(from), offset_of(to));
    let mut short = String::new();
    if from > 0 || open.0 {
        short.push_str(ELLIPSIS);
    }
    let shift = short.len();
    short.push_str(text.get(start..end).unwrap_or_default());
    if to < count || open.1 {
        short.push_str(ELLIPSIS);
    }
    let mark = mark.map(|(a, b)| {
        let place = |offset: usize| offset.clamp(start, end) - start + shift;
        (place(a), place(b))
    });
    (short, mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}KEY{}", "a".repeat(100), "é".repeat(100));
        let (short, mark) = shorten(&text, Some((100, 103)), 41, (false, false));
        assert_eq!(short.chars().count(), 43);
        let (start, end) = mark.unwrap();
        assert_eq!(&short[start..end], "KEY");
        assert!(short.starts_with('…') && short.ends_with('…'));
        let (same, mark) = shorten("abc", Some((1, 2)), 41, (false, true));
        assert_eq!((same.as_str(), mark), ("abc…", Some((1, 2))));
    }

    #[test]
    fn cuts_join_where_they_overlap_and_are_found_by_window() {
        let cuts = Cuts::of(vec![
            Span::new(8, 9),
            Span::new(0, 4),
            Span::new(2, 6),
            Span::new(6, 7),
        ]);
        assert_eq!(cuts.0, [Span::new(0, 6), Span::new(6, 7), Span::new(8, 9)]);
        assert_eq!(
            cuts.within(Span::new(5, 8)),
            [Span::new(0, 6), Span::new(6, 7)]
        );
        assert_eq!(cuts.within(Span::new(7, 8)), []);
    }
}
