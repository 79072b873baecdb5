//! Values in binary files: each has its length before it, or a tag that says what it is, and either may be a letter or a
//! digit that touches the value.
//!
//! A mechanism and no list of formats. A string is preceded by the number of its bytes, in one byte or in two, four or
//! eight of either order (compiled Python, pickle, Java serialisation, protocol buffers, …). A record of SQLite has the
//! lengths of all columns before the first (SQLite, "Record Format"). In a pickle of text a line of `V` and a text is
//! that text (Python, `pickletools`, `UNICODE`).

use crate::aws::key_id::{self, KeyId};
use crate::aws::secret_key;
use crate::blob::Span;

use super::decode::is_value;
use super::view::{Builder, View};

/// Longest name that is separated from what touches it, in bytes.
const MOST_NAME: usize = 64;

/// Most bytes between two strings that only say what the second is.
const MOST_BETWEEN: usize = 6;

/// Distance before an ID within which the header of its record is looked for, in bytes, and the number of places in it
/// that are tried as the length of the ID.
const HEADER_REACH: usize = 600;
const HEADER_PLACES: usize = 16;

/// Most instructions before a text of a pickle on its line, and one.
const MOST_INSTRUCTIONS: usize = 6;

/// Longest header of a record, in bytes.
const MOST_HEADER: usize = 31;

/// The type of a text in a record of SQLite, less twice its length.
const TEXT: usize = 13;

/// Returns true if what touches the ID at `start` is its length or a tag, and none of its characters.
pub(super) fn is_framed_id(bytes: &[u8], start: usize) -> bool {
    let is_id = |text: &[u8]| KeyId::parse(text).is_some();
    let id = bytes.get(start..start + key_id::LENGTH);
    id.is_some_and(is_id)
        && (length_before(bytes, start).any(|(length, _)| length == key_id::LENGTH)
            || tagged_line(bytes, start).is_some_and(|end| end == start + key_id::LENGTH)
            || record(bytes, start).is_some())
}

/// Separates the content of the frames of a binary text from the frames; `None` if there are none.
pub(super) fn unframe(view: &View) -> Option<View> {
    let bytes = &view.bytes;
    let mut strings = match bytes.iter().any(|byte| is_control(*byte)) {
        true => framed(bytes),
        false => tagged(bytes),
    };
    strings.sort_unstable_by_key(|it| it.start);
    let mut builder = Builder::new(view);
    let mut copied = 0;
    // What follows a string may touch it.
    let part = |builder: &mut Builder, copied: usize, next: usize| {
        let touches = bytes.get(copied).is_some_and(|byte| is_value(*byte));
        if copied > 0 && copied < next && touches {
            builder.atom(b"\n", copied, copied);
        }
    };
    for string in &strings {
        if string.start < copied {
            continue;
        }
        let frame = string.start.min(copied.max(string.frame));
        part(&mut builder, copied, frame);
        builder.copy(copied, frame);
        // A line break stands for the frame, or comes in where there is none.
        builder.atom(b"\n", frame, string.start);
        builder.copy(string.start, string.end);
        copied = string.end;
    }
    if copied == 0 {
        return None;
    }
    part(&mut builder, copied, bytes.len());
    builder.copy(copied, bytes.len());
    Some(builder.finish())
}

/// A string with its place, and where what frames it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Framed {
    frame: usize,
    start: usize,
    end: usize,
}

/// A byte that no text has.
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0e..=0x1a | 0x1c..=0x1f)
}

/// Reads the bytes before a place as lengths: every value that they can encode, with the place where it begins.
fn length_before(bytes: &[u8], start: usize) -> impl Iterator<Item = (usize, usize)> {
    let at = |back: usize| {
        start
            .checked_sub(back)
            .and_then(|at| bytes.get(at))
            .copied()
    };
    // One byte, or the last of several with the high byte first.
    let one = at(1)
        .filter(|byte| *byte != 0)
        .map(|byte| (usize::from(byte), start - 1));
    let zeros = (1..=8).take_while(|back| at(*back) == Some(0)).count();
    let low = matches!(zeros, 1 | 3 | 7).then(|| at(zeros + 1)).flatten();
    one.into_iter()
        .chain(low.map(|byte| (usize::from(byte), start - zeros - 1)))
}

/// Strings behind their lengths, and columns of records.
fn framed(bytes: &[u8]) -> Vec<Framed> {
    let mut found = records(bytes);
    let mut strings: Vec<Framed> = Vec::new();
    let (mut at, mut next) = (1, 0);
    while at < bytes.len() {
        // What a record holds has no lengths of its own.
        while found.get(next).is_some_and(|column| column.end <= at) {
            next += 1;
        }
        let column = found.get(next).copied();
        if let Some(column) = column.filter(|column| column.start <= at) {
            at = column.end;
            continue;
        }
        let last = strings.last().map(|last| last.end);
        let string = length_before(bytes, at)
            .find_map(|(length, frame)| string(bytes, frame, at, length))
            .filter(|string| column.is_none_or(|column| string.end <= column.start))
            .map(|string| match last {
                // Little between two strings says only what the second is.
                Some(last) if string.frame <= last + MOST_BETWEEN => Framed {
                    frame: last,
                    ..string
                },
                _ => string,
            });
        at = string.map_or(at + 1, |string| string.end);
        strings.extend(string);
    }
    found.append(&mut strings);
    found
}

/// The string of a length at a place, if it is a value or a name.
fn string(bytes: &[u8], frame: usize, start: usize, length: usize) -> Option<Framed> {
    let end = start + length;
    let text = bytes.get(start..end)?;
    let is_wide = start - frame > 1;
    let is_string = match length {
        key_id::LENGTH if KeyId::parse(text).is_some() => true,
        // A bracket before an argument is no length.
        secret_key::LENGTH => {
            text.iter().all(|byte| is_value(*byte)) && bytes.get(end) != Some(&b')')
        }
        // As one byte these are white space.
        9 | 10 | 13 if !is_wide => false,
        3..=31 => is_name(bytes, start, text),
        _ => is_wide && length <= MOST_NAME && is_name(bytes, start, text),
    };
    is_string.then_some(Framed { frame, start, end })
}

/// The columns of text of all records that hold an ID, sorted.
fn records(bytes: &[u8]) -> Vec<Framed> {
    let mut found: Vec<Framed> = Vec::new();
    for start in memchr::memmem::find_iter(bytes, b"IA") {
        let Some(start) = start.checked_sub(2) else {
            continue;
        };
        let id = bytes.get(start..start + key_id::LENGTH);
        let is_new = found.last().is_none_or(|last| last.end <= start);
        if is_new && id.is_some_and(|id| KeyId::parse(id).is_some()) {
            let from = found.last().map_or(0, |last| last.end);
            let columns = record(bytes, start).into_iter().flatten();
            found.extend(columns.filter(|column| column.start >= from));
        }
    }
    found
}

/// Returns true for a word that may be a name and is no part of a value.
fn is_name(bytes: &[u8], start: usize, text: &[u8]) -> bool {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let run = bytes[start..].iter().take(secret_key::LENGTH + 1);
    let run = run.take_while(|byte| is_value(**byte)).count();
    let is_value = matches!(run, key_id::LENGTH | secret_key::LENGTH);
    text.len() >= 3
        && text.iter().all(is_word)
        && text.iter().any(u8::is_ascii_alphabetic)
        && (!is_value || run == text.len())
}

/// Returns the text columns of the SQLite record that has the ID at `start` as one of them; `None` outside a record.
fn record(bytes: &[u8], start: usize) -> Option<Vec<Framed>> {
    let length_of_id = (2 * key_id::LENGTH + TEXT) as u8;
    let low = start.saturating_sub(HEADER_REACH);
    let places = memchr::memrchr_iter(length_of_id, bytes.get(low..start)?);
    places.take(HEADER_PLACES).find_map(|place| {
        let place = low + place;
        let headers = (place.saturating_sub(MOST_HEADER).max(low)..place).rev();
        headers
            .filter(|header| usize::from(bytes[*header]) <= MOST_HEADER)
            .find_map(|header| columns(bytes, header, place, start))
    })
}

/// The columns of text of the record whose header is at `header`, if the length at `place` in it is that of a column at
/// `start`.
fn columns(bytes: &[u8], header: usize, place: usize, start: usize) -> Option<Vec<Framed>> {
    let mut body = header + usize::from(*bytes.get(header)?);
    let (mut at, end) = (header + 1, body);
    if end <= place || end > start {
        return None;
    }
    let mut texts = Vec::new();
    let mut is_it = false;
    while at < end {
        let (kind, next) = number(bytes, at)?;
        is_it |= at == place && body == start;
        if at >= place && !is_it {
            return None;
        }
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => (kind - 12) / 2,
        };
        let text = Framed {
            frame: body,
            start: body,
            end: body + length,
        };
        if kind >= TEXT && kind % 2 == 1 && length > 0 && text.end <= bytes.len() {
            texts.push(text);
        }
        body += length;
        at = next;
    }
    (at == end && is_it).then_some(texts)
}

/// A number of SQLite of at most three bytes: seven bits of each, the high ones first.
fn number(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for at in start..start + 3 {
        let byte = *bytes.get(at)?;
        value = value << 7 | usize::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, at + 1));
        }
    }
    None
}

/// Returns the end of a line that begins with other instructions, of one byte each, and the tag of a text right before
/// `start`.
fn tagged_line(bytes: &[u8], start: usize) -> Option<usize> {
    let before = bytes.get(start.saturating_sub(MOST_INSTRUCTIONS)..start)?;
    let line = before.rsplit(|byte| *byte == b'\n').next()?;
    let (tag, others) = line.split_last()?;
    let is_instruction = |byte: &u8| matches!(byte, b'(' | b']' | b'}' | b'a'..=b'z');
    if *tag != b'V' || line.len() == MOST_INSTRUCTIONS || !others.iter().all(is_instruction) {
        return None;
    }
    let rest = bytes.get(start..)?.iter().take(2 * secret_key::LENGTH);
    let length = rest.into_iter().position(|byte| *byte == b'\n')?;
    Some(start + length)
}

/// All texts behind tags, if one of them is an ID.
fn tagged(bytes: &[u8]) -> Vec<Framed> {
    let starts = memchr::memchr_iter(b'V', bytes).map(|at| at + 1);
    let texts = starts.filter_map(|start| {
        let end = tagged_line(bytes, start)?;
        Some(Framed {
            frame: start - 1,
            start,
            end,
        })
    });
    let texts: Vec<Framed> = texts.collect();
    let is_id = |one: &Framed| KeyId::parse(Span::new(one.start, one.end).of(bytes)).is_some();
    match texts.iter().any(is_id) {
        true => texts,
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unframed(bytes: &[u8]) -> Option<String> {
        let view = unframe(&View::plain(bytes, Span::new(0, bytes.len())))?;
        Some(String::from_utf8_lossy(&view.bytes).into_owned())
    }

    fn id() -> String {
        ["AK", "IAQ7LXP2BZ4KEYT7LXP2"].concat()[..20].to_owned()
    }

    #[test]
    fn lengths_of_all_sizes_and_orders_end_a_value() {
        let id = id();
        for length in [
            &b"\x14"[..],
            b"\0\x14",
            b"\x14\0",
            b"\0\0\0\x14",
            b"\x14\0\0\0",
            b"\x14\0\0\0\0\0\0\0",
        ] {
            let bytes = [b"ab", length, id.as_bytes(), b"Zx"].concat();
            let start = 2 + length.len();
            assert!(is_framed_id(&bytes, start), "{length:?}");
            let text = unframed(&bytes).expect("a frame");
            assert!(
                text.ends_with(&format!("\n{id}\nZx")),
                "{length:?} {text:?}"
            );
        }
        let other = [&b"ab\x15"[..], id.as_bytes(), b"Zx"].concat();
        assert!(!is_framed_id(&other, 3));
    }

    #[test]
    fn a_name_ends_where_its_length_says_and_a_value_is_not_cut() {
        assert_eq!(
            unframed(b"\x01Z\x06secretZ\x03keyN").as_deref(),
            Some("\x01Z\nsecret\nkey\nN")
        );
        let value = "q8Wz2RvLkPq8Wz2RvLkPq8Wz2RvLkPq8Wz2RvLkP";
        assert_eq!(unframed(format!("\x01\x15{value}\0").as_bytes()), None);
        assert_eq!(unframed(b"\x01 text (not a length) of \x07 words\n"), None);
    }

    #[test]
    fn columns_of_a_record_are_parted() {
        let id = id();
        let row = [
            &b"\x2a\x07\x05\x01\x35\x13\x00\x2a"[..],
            id.as_bytes(),
            b"abc",
        ]
        .concat();
        assert!(is_framed_id(&row, 8));
        let text = unframed(&row).expect("a record");
        assert!(text.ends_with(&format!("\x2a\n{id}\nabc")), "{text:?}");
        // A header that says something else about the place.
        let row = [
            &b"\x2a\x07\x05\x02\x35\x13\x00\x2a"[..],
            id.as_bytes(),
            b"abc",
        ]
        .concat();
        assert!(!is_framed_id(&row, 8));
    }

    #[test]
    fn lines_with_a_tag_count_beside_an_id_only() {
        let id = id();
        let pickle = format!("(dp0\nVname\np1\nV{id}\np2\ns.");
        assert_eq!(
            unframed(pickle.as_bytes()),
            Some(format!("(dp0\n\nname\np1\n\n{id}\np2\ns."))
        );
        let list = format!("(lp0\nVname\np1\naV{id}\np2\na.");
        let text = unframed(list.as_bytes()).expect("tags");
        assert!(text.ends_with(&format!("\na\n{id}\np2\na.")), "{text:?}");
        assert_eq!(unframed(b"\nVariables\nValues\n"), None);
    }
}
