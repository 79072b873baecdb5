//! Base64 and hex text: its extent around a hit, and its decoding.

use std::sync::LazyLock;

use crate::blob::Span;
use crate::rule::keyword::Keyword;
use crate::text::base64;

use super::decode::is_value;
use super::view::{Builder, Order, View, narrow};

/// Longest run that is decoded, in characters.
const MAX_RUN: usize = 16 * 1024 * 1024;

/// Shortest run that can hold a key id of 20 bytes.
const MIN_RUN: usize = 27;

/// Characters to either side of a hit that are decoded: more than both halves of a pair can be apart.
const WINDOW: usize = 32 * 1024;

/// Distance from a cut of a window, in bytes, within which a hit opens another window.
const OVERLAP: usize = 16 * 1024;

/// Least length of the lines of wrapped text whose lines may be of several lengths.
const MIN_LINE: usize = 60;

/// Least length of the lines of wrapped text that are all of one length, but for the last.
const MIN_EQUAL_LINE: usize = 16;

/// Shortest run of hex digits that can hold a key ID.
const MIN_HEX: usize = 40;

/// Distance around a hit on a short line, in bytes, within which text of other lines belongs to it.
const SHORT: usize = 4096;

/// Least length of decoded text that is itself encoded.
const MIN_NESTED: usize = 27;

/// The text around a hit that is decoded.
pub(super) struct Window {
    /// Its place.
    pub(super) span: Span,
    /// True if the text goes on before the run: then the run starts with a whole group.
    pub(super) is_cut_before: bool,
    /// True if the text goes on after the run.
    pub(super) is_cut_after: bool,
}

impl Window {
    /// Hits before this place add nothing to the window.
    pub(super) fn covered(&self, hit: usize) -> usize {
        match self.is_cut_after {
            true => (self.span.end - OVERLAP).max(hit + 1),
            false => self.span.end,
        }
    }
}

/// The groups of characters that a text is decoded by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Groups {
    /// The character of its group that a literal begins at.
    pub(super) phase: usize,
    /// Characters of a group.
    pub(super) size: usize,
}

/// The encoded text around an offset, over line breaks; not before `floor`, where the text around the last hit
/// ends, so that all hits together stay linear. The literal at `offset` says how the groups fall.
pub(super) fn around(bytes: &[u8], offset: usize, floor: usize, groups: Groups) -> Window {
    let is_part = |byte: &u8| {
        is_run(*byte)
            || matches!(
                byte,
                b'\n' | b'\r' | b' ' | b'\t' | b'"' | b',' | b'\\' | b'\''
            )
    };
    let low = offset.saturating_sub(WINDOW).max(floor.min(offset));
    let high = (offset + WINDOW).min(bytes.len());
    let before = bytes.get(low..offset).unwrap_or_default();
    let after = bytes.get(offset..high).unwrap_or_default();
    let back = before
        .iter()
        .rev()
        .take_while(|byte| is_run(**byte))
        .count();
    let ahead = after.iter().take_while(|byte| is_run(**byte)).count();
    // Text of short lines is short: prose consists of the same characters.
    if back + ahead < MIN_LINE {
        let parts = |text: &mut dyn Iterator<Item = &u8>| {
            text.take(SHORT).take_while(|byte| is_part(byte)).count()
        };
        let (start, end) = (parts(&mut before.iter().rev()), parts(&mut after.iter()));
        return Window {
            span: Span::new(offset - start, offset + end),
            is_cut_before: false,
            is_cut_after: false,
        };
    }
    let start = offset - before.iter().rev().take_while(|byte| is_part(byte)).count();
    let end = offset + after.iter().take_while(|byte| is_part(byte)).count();
    let is_cut_before = start == low && start > 0 && bytes.get(start - 1).is_some_and(is_part);
    let is_cut_after = end == high && bytes.get(end).is_some_and(is_part);
    let start = match is_cut_before {
        true => group_start(bytes, start, offset, groups),
        false => start,
    };
    let end = match is_cut_after {
        true => end - last_group(bytes, offset, end, groups),
        false => end,
    };
    Window {
        span: Span::new(start, end),
        is_cut_before,
        is_cut_after,
    }
}

/// The first place from `start` on where a group starts: that of a whole line, where the text is wrapped, because a
/// line that is cut looks like the last one.
fn group_start(bytes: &[u8], start: usize, offset: usize, groups: Groups) -> usize {
    let text = bytes.get(start..offset).unwrap_or_default();
    let count = |text: &[u8]| text.iter().filter(|byte| is_base64(**byte)).count();
    // How many characters of the group at a place stand before it, if so many stand between it and the literal.
    let before = |left: usize| (left + groups.size - groups.phase) % groups.size;
    let (mut left, mut from) = (count(text), 0);
    for line in memchr::memchr_iter(b'\n', text) {
        left -= count(&text[from..line]);
        from = line + 1;
        if before(left) == 0 {
            return start + from;
        }
    }
    let (mut surplus, mut at) = (before(count(text)), start);
    while at < offset && (surplus > 0 || !bytes.get(at).is_some_and(|byte| is_base64(*byte))) {
        surplus -= usize::from(bytes.get(at).is_some_and(|byte| is_base64(*byte))).min(surplus);
        at += 1;
    }
    at
}

/// Returns the number of bytes before `end` that belong to a group that goes on after it.
fn last_group(bytes: &[u8], offset: usize, end: usize, groups: Groups) -> usize {
    let text = bytes.get(offset..end).unwrap_or_default();
    let count = groups.phase + text.iter().filter(|byte| is_base64(**byte)).count();
    let mut surplus = count % groups.size;
    text.iter()
        .rev()
        .take_while(|byte| {
            let goes = surplus > 0;
            surplus -= usize::from(is_base64(**byte)).min(surplus);
            goes
        })
        .count()
}

/// Base64 and hex that hold credentials, or something encoded; `None` if there is none.
pub(super) fn undigits(view: &View) -> Option<View> {
    let bytes = &view.bytes;
    let mut builder = Builder::new(view);
    let mut copied = 0;
    let mut at = 0;
    while let Some(run) = next_run(bytes, at) {
        at = run.end.max(at + 1);
        let mut put_one = |run: &Run| {
            let decoded = decode(bytes, run).filter(|it| holds_credentials(&it.bytes));
            if let Some(decoded) = &decoded {
                builder.copy(copied, run.start);
                put(&mut builder, bytes, run, decoded);
                copied = run.end;
            }
            decoded.is_some()
        };
        // What follows a line need not belong to it.
        if !put_one(&run) && run.lines.len() > 1 {
            let is_long = |line: &&(usize, usize)| line.1 - line.0 >= MIN_RUN;
            for line in run.lines.iter().filter(is_long) {
                put_one(&Run::of_line(*line));
            }
        }
    }
    if copied == 0 {
        return None;
    }
    builder.copy(copied, bytes.len());
    Some(builder.finish())
}

/// Puts what a run decodes to, line by line where no group of characters is cut by a line break.
fn put(builder: &mut Builder, bytes: &[u8], run: &Run, decoded: &Decoded) {
    let group = if decoded.bits == 4 { 2 } else { 4 };
    let is_even = run
        .lines
        .split_last()
        .is_some_and(|(_, full)| full.iter().all(|(start, end)| (end - start) % group == 0));
    if !is_even || decoded.unit > 1 {
        put_bytes(builder, bytes, run, decoded);
        return;
    }
    let mut rest = &decoded.bytes[..];
    for (index, (start, end)) in run.lines.iter().enumerate() {
        let is_last = index + 1 == run.lines.len();
        let length = if is_last {
            rest.len()
        } else {
            (end - start) * decoded.bits / 8
        };
        let (line, after) = rest.split_at(length.min(rest.len()));
        let end = if is_last { run.end } else { *end };
        builder.digits(line, *start, end, decoded.bits);
        rest = after;
    }
}

/// Maps each decoded byte to the characters that encode its bits.
fn put_bytes(builder: &mut Builder, bytes: &[u8], run: &Run, decoded: &Decoded) {
    let is_character = |at: &usize| bytes.get(*at).is_some_and(|byte| is_base64(*byte));
    let places: Vec<usize> = (run.start..run.end).filter(is_character).collect();
    let width = 8 * decoded.unit;
    for (index, byte) in decoded.bytes.iter().enumerate() {
        let first = places.get(index * width / decoded.bits).copied();
        let last = places.get(((index + 1) * width).div_ceil(decoded.bits) - 1);
        let (first, last) = (
            first.unwrap_or(run.start),
            last.map_or(run.end, |last| last + 1),
        );
        builder.atom(&[*byte], first, last);
    }
}

/// A run of base64 characters, padding and line breaks inside it included.
struct Run {
    start: usize,
    end: usize,
    /// Its lines, without the text between them.
    lines: Vec<(usize, usize)>,
}

impl Run {
    fn of_line(line: (usize, usize)) -> Self {
        Self {
            start: line.0,
            end: line.1,
            lines: vec![line],
        }
    }
}

/// The next run of at least [`MIN_RUN`] characters from `from` on.
fn next_run(bytes: &[u8], from: usize) -> Option<Run> {
    let mut start = from;
    loop {
        while !is_base64(*bytes.get(start)?) {
            start += 1;
        }
        let mut end = run_end(bytes, start);
        let mut lines = vec![(start, end)];
        // Wrapped text: full lines go on in the next line, after its indentation.
        let first = end - start;
        let mut line = first;
        while (line >= MIN_LINE || line >= MIN_EQUAL_LINE && line == first) && end - start < MAX_RUN
        {
            let Some(next) = next_line(bytes, end) else {
                break;
            };
            let next_end = run_end(bytes, next);
            if next_end - next < 2 || next_end - next > line || !ends_line(bytes, next_end) {
                break;
            }
            line = next_end - next;
            end = next_end;
            lines.push((next, next_end));
        }
        while bytes.get(end) == Some(&b'=') && end - start < MAX_RUN {
            end += 1;
        }
        if end - start >= MIN_RUN {
            return Some(Run { start, end, lines });
        }
        start = end;
    }
}

fn run_end(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start
        + rest
            .iter()
            .position(|byte| !is_base64(*byte))
            .unwrap_or(rest.len())
}

/// Returns the start of the next line's text for a line that ends at `end`; quotes and commas may be between.
fn next_line(bytes: &[u8], end: usize) -> Option<usize> {
    let rest = bytes.get(end..)?;
    let gap = rest.iter().take(80).position(|byte| is_base64(*byte))?;
    let between = rest.get(..gap)?;
    let breaks = between.iter().filter(|byte| **byte == b'\n').count();
    (breaks == 1 && between.iter().all(joins_lines)).then_some(end + gap)
}

/// Returns true if only padding and the end of a line follow at `end`: in `other: text` a name follows.
fn ends_line(bytes: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    let padding = rest.iter().take_while(|byte| **byte == b'=').count();
    let rest = &rest[padding..];
    let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    // `name = value`
    let is_name = padding == 0 && matches!(next, Some(b'=' | b':'));
    let is_end = rest
        .first()
        .is_none_or(|byte| joins_lines(byte) || matches!(byte, b'<' | b';' | b')' | b'}' | b'`'));
    is_end && !is_name
}

/// Returns true for a byte between two lines of wrapped text.
fn joins_lines(byte: &u8) -> bool {
    matches!(
        byte,
        b'\n' | b'\r' | b' ' | b'\t' | b'"' | b'\'' | b',' | b'\\'
    )
}

fn is_base64(byte: u8) -> bool {
    is_value(byte) || byte == b'-' || byte == b'_'
}

fn is_run(byte: u8) -> bool {
    is_base64(byte) || byte == b'='
}

/// A decoded run.
struct Decoded {
    bytes: Vec<u8>,
    /// Bits of a character of the run.
    bits: usize,
    /// Bytes that the run holds for each of `bytes`: two where it is UTF-16.
    unit: usize,
}

/// Decodes hex, and base64 of both alphabets with or without padding; `None` where the text is neither of text.
fn decode(bytes: &[u8], run: &Run) -> Option<Decoded> {
    let text = bytes.get(run.start..run.end)?;
    if text.len() > MAX_RUN {
        return None;
    }
    let digits = || text.iter().filter(|byte| is_base64(**byte));
    let is_hex = digits().all(u8::is_ascii_hexdigit) && digits().take(MIN_HEX).count() == MIN_HEX;
    let bits = if is_hex { 4 } else { 6 };
    let (mut decoded, mut held, mut count) = (Vec::with_capacity(text.len().min(4096)), 0_u32, 0);
    for digit in digits() {
        let value = match is_hex {
            true => char::from(*digit).to_digit(16)?,
            false => u32::from(base64::value(*digit)?),
        };
        held = held << bits | value;
        count += bits;
        if count >= 8 {
            count -= 8;
            decoded.push((held >> count) as u8);
            // Binary shows early: give up before a long image is decoded to its end.
            if decoded.len() == 48 && !is_text(&decoded) && wide_order(&decoded).is_none() {
                return None;
            }
        }
    }
    // A character too many: six bits that no byte ends in, half of a byte.
    if count == bits {
        return None;
    }
    let (bytes, unit) = match wide_order(&decoded) {
        Some(order) => (narrow(&decoded, order).collect(), order.unit),
        None => (decoded, 1),
    };
    is_text(&bytes).then_some(Decoded { bytes, bits, unit })
}

/// The order of the bytes of UTF-16 that is mostly ASCII: every other byte is zero, at least three of four times.
fn wide_order(bytes: &[u8]) -> Option<Order> {
    let units = bytes.len() / 2;
    let zeros = |odd: usize| {
        bytes
            .iter()
            .skip(odd)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let is_little = zeros(1) > zeros(0);
    let is_wide = units >= 8 && zeros(usize::from(is_little)) * 4 >= units * 3;
    is_wide.then_some(Order { unit: 2, is_little })
}

/// Returns true if decoded bytes read as text; a start in the middle of a word is fine.
fn is_text(bytes: &[u8]) -> bool {
    let has_controls = bytes
        .iter()
        .any(|byte| !matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0x80..=0xff));
    let foreign = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    !has_controls && (foreign * 4 <= bytes.len() || is_utf8(bytes))
}

/// Returns true if bytes are UTF-8 but for a character cut at either end.
fn is_utf8(bytes: &[u8]) -> bool {
    let cut = bytes
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xc0 == 0x80);
    let rest = bytes.get(cut.count()..).unwrap_or_default();
    std::str::from_utf8(rest).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Base64 of the start of an ID, as found in decoded text that is encoded once more.
static ENCODED_ID: LazyLock<Vec<Keyword>> = LazyLock::new(|| {
    let forms = ["AKIA", "ASIA"].map(Keyword::base64);
    forms.into_iter().flatten().collect()
});

/// Returns true if decoded text is worth a search: it has a key ID, is nothing but one value, or has something encoded.
fn holds_credentials(decoded: &[u8]) -> bool {
    let trimmed = decoded.trim_ascii();
    let is_one_value =
        matches!(trimmed.len(), 20 | 40) && trimmed.iter().all(|byte| is_value(*byte));
    let is_nested = trimmed.len() >= MIN_NESTED
        && trimmed
            .iter()
            .all(|byte| is_run(*byte) || matches!(byte, b'\n' | b'\r' | b'.'));
    let holds = |word: &[u8]| memchr::memmem::find(decoded, word).is_some();
    is_one_value
        || is_nested
        || [&b"AKIA"[..], b"ASIA", b"ecret", b"ECRET"]
            .iter()
            .any(|word| holds(word))
        || ENCODED_ID.iter().any(|form| holds(&form.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<(String, Span)> {
        let plain = View::plain(text.as_bytes(), Span::new(0, text.len()));
        let Some(view) = undigits(&plain) else {
            return Vec::new();
        };
        let at = memchr::memmem::find(&view.bytes, b"AKIA").expect("it was put there");
        let text = String::from_utf8_lossy(&view.bytes).into_owned();
        vec![(text, view.source(Span::new(at, at + 4)))]
    }

    #[test]
    fn hex_and_utf16_have_the_places_of_their_digits() {
        let hex = "x: 206b6579203d20414b4941207468656e206d6f72652e2e ";
        let (text, place) = decoded(hex).remove(0);
        assert_eq!(text, "x:  key = AKIA then more.. ");
        assert_eq!(place, Span::new(17, 25));
        // "k=AKIA and" in UTF-16, then base64.
        let wide = "awA9AEEASwBJAEEAIABhAG4AZAA=";
        let (text, place) = decoded(wide).remove(0);
        assert_eq!(text, "k=AKIA and");
        assert_eq!(place, Span::new(5, 16));
    }

    #[test]
    fn short_lines_are_one_text_if_they_are_equally_long() {
        let lines = [
            "YXdzX2FjY2Vz",
            "c19rZXlfaWQg",
            "PSBBS0lBIHRo",
            "ZW4gbW9yZQ==",
        ];
        let equal = lines.concat();
        let in_lines = |width: usize| {
            let lines: Vec<&str> = (0..equal.len())
                .step_by(width)
                .map(|at| &equal[at..equal.len().min(at + width)])
                .collect();
            lines.join("\n")
        };
        for width in [16, 20, 30] {
            let (text, _) = decoded(&in_lines(width)).remove(0);
            assert!(
                text.starts_with("aws_access_key_id = AKIA then more"),
                "{text}"
            );
        }
        assert!(decoded(&in_lines(12)).is_empty());
    }

    #[test]
    fn a_text_that_is_cut_starts_with_a_whole_line_whose_groups_are_whole() {
        let line = "a".repeat(75);
        let lines: Vec<&str> = (0..1000).map(|_| &*line).collect();
        let text = lines.join("\n");
        for size in [4, 8, 16, 64] {
            // The literal is at the start of a group, 600 lines of 75 characters and 7 * `size` behind.
            let count = (600 * 75 / size + 7) * size;
            let offset = count + count / 75;
            let groups = Groups { phase: 0, size };
            let window = around(text.as_bytes(), offset, 0, groups);
            assert!(window.is_cut_before, "{size}");
            let start = window.span.start;
            assert_eq!(start % 76, 0, "{size}");
            assert_eq!((start / 76 * 75) % size, 0, "{size}");
            assert!(offset - start > WINDOW - 64 * 80, "{size}");
        }
    }

    #[test]
    fn the_lines_of_a_list_are_decoded_one_by_one() {
        let value = "YXdzX2FjY2Vzc19rZXlfaWQgPSBBS0lB";
        let other = "zz/Y9+abcd0123ZZ+abcd0123ZZ+abcd";
        let (text, place) = decoded(&format!("{other}\n{value}\n{other}\n")).remove(0);
        assert!(text.contains("\naws_access_key_id = AKIA\n"), "{text}");
        assert_eq!(place, Span::new(33 + 26, 33 + 32));
    }
}
