//! Base64 text: where it stands around a hit, and what it decodes to.

use crate::blob::Span;
use crate::text::base64;

use super::decode::is_value;
use super::view::{Builder, View};

/// Longest run that is decoded, in characters.
const MAX_RUN: usize = 16 * 1024 * 1024;

/// Shortest run that can hold a key id of 20 bytes.
const MIN_RUN: usize = 27;

/// Characters to either side of a hit that are decoded: more than both halves of a pair can be apart.
const WINDOW: usize = 32 * 1024;

/// Where a window cuts its text, hits this near to the cut open another one.
const OVERLAP: usize = 16 * 1024;

/// Least length of the lines of wrapped text.
const MIN_LINE: usize = 60;

/// The text around a hit that is decoded.
pub(super) struct Window {
    /// Its place.
    pub(super) span: Span,
    /// Whether the text goes on before it: then it starts with a whole group.
    pub(super) is_cut_before: bool,
    /// Whether the text goes on after it.
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

/// The base64 text around an offset, over line breaks; not before `floor`, where the text around the last hit
/// ends, so that all hits together stay linear. A literal at `offset` is the one of that `phase`.
pub(super) fn around(bytes: &[u8], offset: usize, floor: usize, phase: usize) -> Window {
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
    // Only wrapped text has line breaks inside: lines of 60 characters and more.
    let back = before
        .iter()
        .rev()
        .take_while(|byte| is_run(**byte))
        .count();
    let ahead = after.iter().take_while(|byte| is_run(**byte)).count();
    if back + ahead < MIN_LINE {
        let start = before
            .iter()
            .rev()
            .take_while(|byte| is_part(byte))
            .take(4096)
            .count();
        return Window {
            span: Span::new(offset - start, offset + ahead),
            is_cut_before: false,
            is_cut_after: false,
        };
    }
    let start = offset - before.iter().rev().take_while(|byte| is_part(byte)).count();
    let end = offset + after.iter().take_while(|byte| is_part(byte)).count();
    let is_cut_before = start == low && start > 0 && bytes.get(start - 1).is_some_and(is_part);
    let is_cut_after = end == high && bytes.get(end).is_some_and(is_part);
    let start = match is_cut_before {
        true => group_start(bytes, start, offset, phase),
        false => start,
    };
    let end = match is_cut_after {
        true => end - last_group(bytes, offset, end, phase),
        false => end,
    };
    Window {
        span: Span::new(start, end),
        is_cut_before,
        is_cut_after,
    }
}

/// The first place from `start` on where a group starts: of a line, where the text is wrapped.
fn group_start(bytes: &[u8], start: usize, offset: usize, phase: usize) -> usize {
    let text = bytes.get(start..offset).unwrap_or_default();
    let line = memchr::memchr(b'\n', text).map_or(0, |at| at + 1);
    let text = text.get(line..).unwrap_or_default();
    let count = text.iter().filter(|byte| is_base64(**byte)).count();
    let mut surplus = (count + 4 - phase) % 4;
    let mut at = start + line;
    while at < offset && (surplus > 0 || !bytes.get(at).is_some_and(|byte| is_base64(*byte))) {
        surplus -= usize::from(bytes.get(at).is_some_and(|byte| is_base64(*byte))).min(surplus);
        at += 1;
    }
    at
}

/// How many bytes before `end` belong to a group that goes on after it.
fn last_group(bytes: &[u8], offset: usize, end: usize, phase: usize) -> usize {
    let text = bytes.get(offset..end).unwrap_or_default();
    let count = phase + text.iter().filter(|byte| is_base64(**byte)).count();
    let mut surplus = count % 4;
    text.iter()
        .rev()
        .take_while(|byte| {
            let goes = surplus > 0;
            surplus -= usize::from(is_base64(**byte)).min(surplus);
            goes
        })
        .count()
}

/// Base64 that holds a key id, or that decodes to exactly one value; `None` if there is none.
pub(super) fn unbase64(view: &View) -> Option<View> {
    let bytes = &view.bytes;
    let mut builder = Builder::new(view);
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        let Some(run) = next_run(bytes, at) else {
            break;
        };
        at = run.end.max(at + 1);
        let Some((run, decoded)) = decode_lines(bytes, run) else {
            continue;
        };
        at = run.end.max(copied + 1);
        if !holds_credentials(&decoded) {
            continue;
        }
        builder.copy(copied, run.start);
        put(&mut builder, bytes, &run, &decoded);
        copied = run.end;
    }
    if copied == 0 {
        return None;
    }
    builder.copy(copied, bytes.len());
    Some(builder.finish())
}

/// Decodes a run of lines; if what follows its first line does not belong to it, that line alone.
fn decode_lines(bytes: &[u8], run: Run) -> Option<(Run, Vec<u8>)> {
    if let Some(decoded) = decode(bytes, &run) {
        return Some((run, decoded));
    }
    let first = *run.lines.first().filter(|_| run.lines.len() > 1)?;
    let run = Run {
        start: first.0,
        end: first.1,
        lines: vec![first],
    };
    decode(bytes, &run).map(|decoded| (run, decoded))
}

/// Puts what a run decodes to, line by line where no group of four characters is cut by a line break.
fn put(builder: &mut Builder, bytes: &[u8], run: &Run, decoded: &[u8]) {
    let is_even = run
        .lines
        .split_last()
        .is_some_and(|(_, full)| full.iter().all(|(start, end)| (end - start) % 4 == 0));
    if !is_even {
        put_bytes(builder, bytes, run, decoded);
        return;
    }
    let mut rest = decoded;
    for (index, (start, end)) in run.lines.iter().enumerate() {
        let is_last = index + 1 == run.lines.len();
        let length = if is_last {
            rest.len()
        } else {
            (end - start) / 4 * 3
        };
        let (line, after) = rest.split_at(length.min(rest.len()));
        builder.base64(line, *start, if is_last { run.end } else { *end });
        rest = after;
    }
}

/// Puts each decoded byte where the characters stand that hold its bits.
fn put_bytes(builder: &mut Builder, bytes: &[u8], run: &Run, decoded: &[u8]) {
    let is_character = |at: &usize| bytes.get(*at).is_some_and(|byte| is_base64(*byte));
    let places: Vec<usize> = (run.start..run.end).filter(is_character).collect();
    for (index, byte) in decoded.iter().enumerate() {
        let first = places.get(index * 4 / 3).copied().unwrap_or(run.start);
        let last = places.get((index * 4 + 4).div_ceil(3) - 1).copied();
        builder.atom(&[*byte], first, last.map_or(run.end, |last| last + 1));
    }
}

/// A run of base64 characters, padding and line breaks inside it included.
struct Run {
    start: usize,
    end: usize,
    /// Its lines, without what stands between them.
    lines: Vec<(usize, usize)>,
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
        // Wrapped text: full lines of 60 or more characters go on in the next line, after its indentation.
        let mut line = end - start;
        while line >= MIN_LINE && end - start < MAX_RUN {
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

/// Where the text of the next line starts, if the line ends at `end`; quotes and commas may stand there.
fn next_line(bytes: &[u8], end: usize) -> Option<usize> {
    let rest = bytes.get(end..)?;
    let gap = rest.iter().take(80).position(|byte| is_base64(*byte))?;
    let between = rest.get(..gap)?;
    let breaks = between.iter().filter(|byte| **byte == b'\n').count();
    (breaks == 1 && between.iter().all(joins_lines)).then_some(end + gap)
}

/// Whether nothing but padding and what ends a line stands at `end`: in `other: text` a name stands there.
fn ends_line(bytes: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    let after = rest.iter().find(|byte| **byte != b'=');
    after.is_none_or(|byte| joins_lines(byte) || matches!(byte, b'<' | b';' | b')' | b'}' | b'`'))
}

/// What stands between two lines of wrapped text.
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

/// Decodes both alphabets, with or without padding; `None` where the text is not base64 of text.
fn decode(bytes: &[u8], run: &Run) -> Option<Vec<u8>> {
    let text = bytes.get(run.start..run.end)?;
    if text.len() > MAX_RUN {
        return None;
    }
    let mut decoded = Vec::with_capacity(text.len().min(4096));
    let mut bits = 0u32;
    let mut count = 0;
    for byte in text {
        let Some(value) = base64::value(*byte) else {
            continue;
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            decoded.extend_from_slice(&bits.to_be_bytes()[1..]);
            bits = 0;
            count = 0;
            // Binary shows early: give up before a long image is decoded to its end.
            if decoded.len() == 48 && !is_text(&decoded) {
                return None;
            }
        }
    }
    match count {
        2 => decoded.push((bits >> 4) as u8),
        3 => decoded.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        1 => return None,
        _ => {}
    }
    is_text(&decoded).then_some(decoded)
}

/// Whether decoded bytes read as text; a start that lies in the middle of a word is fine.
fn is_text(bytes: &[u8]) -> bool {
    let has_controls = bytes
        .iter()
        .any(|byte| !matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t' | 0x80..=0xff));
    let foreign = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    !has_controls && (foreign * 4 <= bytes.len() || is_utf8(bytes))
}

/// Whether bytes are UTF-8 but for a character cut at either end.
fn is_utf8(bytes: &[u8]) -> bool {
    let cut = bytes
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xc0 == 0x80);
    let rest = bytes.get(cut.count()..).unwrap_or_default();
    std::str::from_utf8(rest).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// Whether decoded text is worth looking at: a key id in it, or nothing but one value.
fn holds_credentials(decoded: &[u8]) -> bool {
    let trimmed = decoded.trim_ascii();
    let is_one_value =
        matches!(trimmed.len(), 20 | 40) && trimmed.iter().all(|byte| is_value(*byte));
    let is_long_value =
        trimmed.len() >= 100 && trimmed.iter().all(|byte| is_value(*byte) || *byte == b'=');
    is_one_value
        || is_long_value
        || [&b"AKIA"[..], b"ASIA", b"ecret", b"ECRET"]
            .iter()
            .any(|word| memchr::memmem::find(decoded, word).is_some())
}
