//! Undoes the escapes and encodings of the text around a hit, so that a value has its own length again.
//!
//! 47 of 100 secrets contain a `/` and 72 a `/` or `+`; the format around the pair may write these differently. No byte
//! of a key id, secret or token is a backslash, a percent sign or an ampersand, so undoing escapes cannot harm a value
//! that is written plainly.

use super::base64::undigits;
use super::binary::unframe;
use super::view::{Builder, FOREIGN, View};

/// Rounds in which decoded text is decoded again: quoted in quoted, base64 in JSON in YAML.
const DEPTH: usize = 3;

/// Most characters between two halves of a split literal, quotes aside.
const MAX_GAP: usize = 160;

/// Undoes everything this module knows, to a bounded depth.
pub(super) fn decode(mut view: View) -> View {
    view = unframe(&view).unwrap_or(view);
    for _ in 0..DEPTH {
        let mut changed = false;
        for undo in [unescape, unquote, undigits] {
            if let Some(next) = undo(&view) {
                view = next;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let view = fold_literals(&view).unwrap_or(view);
    fold_lines(&view).unwrap_or(view)
}

/// Backslash, percent and HTML escapes; `None` if there is none.
fn unescape(view: &View) -> Option<View> {
    let bytes = &view.bytes;
    next_escape(bytes, 0)?;
    let mut builder = Builder::new(view);
    let mut copied = 0;
    let mut at = 0;
    let mut changed = false;
    while let Some(start) = next_escape(bytes, at) {
        match escape_at(bytes, start) {
            Some((end, decoded)) => {
                builder.copy(copied, start);
                builder.atom(decoded.as_slice(), start, end);
                at = spaces(bytes, start, end, decoded);
                for plus in end..at {
                    builder.atom(b" ", plus, plus + 1);
                }
                copied = at;
                changed = true;
            }
            None => at = start + 1,
        }
    }
    builder.copy(copied, bytes.len());
    changed.then(|| builder.finish())
}

/// The end of the `+` after an escape that are spaces: in a form (`name+%3D+value`) a plus sign of the value is escaped.
fn spaces(bytes: &[u8], start: usize, end: usize, decoded: Decoded) -> usize {
    let is_form = bytes.get(start) == Some(&b'%')
        && !decoded
            .0
            .is_some_and(|byte| is_value(byte) || !byte.is_ascii());
    let rest = bytes.get(end..).unwrap_or_default();
    let plus = rest.iter().take_while(|byte| **byte == b'+').count();
    end + if is_form { plus } else { 0 }
}

/// Meaning of an escape: one byte, or nothing.
#[derive(Clone, Copy)]
pub(super) struct Decoded(Option<u8>);

impl Decoded {
    fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

/// Quoted-printable (RFC 2045, 6.7): `=3D`, and `=` at the end of a line that goes on; `None` if the text is none.
///
/// In other text a value may follow an equals sign, and begin with two hex digits. In this encoding every equals sign
/// belongs to an escape, so most of them have to.
fn unquote(view: &View) -> Option<View> {
    let bytes = &view.bytes;
    let signs = || memchr::memchr_iter(b'=', bytes);
    let (mut escapes, mut breaks, mut others) = (0, 0, 0);
    for at in signs() {
        match quoted(bytes, at) {
            Some((_, Decoded(None))) => breaks += 1,
            // A letter or digit needs no escape.
            Some((_, Decoded(Some(byte)))) if !byte.is_ascii_alphanumeric() => escapes += 1,
            _ => others += 1,
        }
    }
    if escapes < 2 || escapes + breaks <= others {
        return None;
    }
    let mut builder = Builder::new(view);
    let mut copied = 0;
    for at in signs() {
        let Some((end, decoded)) = quoted(bytes, at).filter(|_| at >= copied) else {
            continue;
        };
        builder.copy(copied, at);
        builder.atom(decoded.as_slice(), at, end);
        copied = end;
    }
    builder.copy(copied, bytes.len());
    Some(builder.finish())
}

/// Decodes the escape of quoted-printable at an equals sign: its end and its meaning.
pub(super) fn quoted(bytes: &[u8], at: usize) -> Option<(usize, Decoded)> {
    match bytes.get(at + 1..)? {
        [b'\n', ..] => Some((at + 2, Decoded(None))),
        [b'\r', b'\n', ..] => Some((at + 3, Decoded(None))),
        [high, low, ..] => {
            let digits = [*high, *low];
            let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
            let value = hex_value(&digits).filter(|_| digits.iter().all(is_digit))?;
            Some((at + 3, Decoded(Some(character(value)?))))
        }
        _ => None,
    }
}

/// Returns the place where the next escape can start, from `from` on.
fn next_escape(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let found = memchr::memchr3(b'\\', b'%', b'&', rest);
    let colour = memchr::memchr(0x1b, &rest[..found.unwrap_or(rest.len())]);
    Some(from + colour.or(found)?)
}

/// Returns the end of a control sequence of a terminal whose bracket is at `at` (ECMA-48, 5.4): `[33m`, `[K`.
fn control_sequence(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?.strip_prefix(b"[")?;
    let length = rest
        .iter()
        .take(24)
        .position(|byte| !matches!(byte, b' '..=b'?'))?;
    matches!(rest.get(length), Some(b'@'..=b'~')).then_some(at + 2 + length)
}

/// Decodes the escape that starts at `start`: its end and its meaning.
fn escape_at(bytes: &[u8], start: usize) -> Option<(usize, Decoded)> {
    match bytes.get(start)? {
        // What only colours is no text.
        0x1b => Some((control_sequence(bytes, start + 1)?, Decoded(None))),
        b'\\' => backslash(bytes, start),
        b'%' => percent(bytes, start),
        _ => reference(bytes, start),
    }
}

/// `\/ \" \n \u002B \x2b`, and the same behind several backslashes: quoted in quoted.
fn backslash(bytes: &[u8], start: usize) -> Option<(usize, Decoded)> {
    let mut at = start;
    while bytes.get(at) == Some(&b'\\') && at - start < 8 {
        at += 1;
    }
    let one = |byte: u8| Some((at + 1, Decoded(Some(byte))));
    let rest = bytes.get(at..)?;
    let escape = [&b"u001b"[..], b"u001B", b"x1b", b"x1B", b"033", b"e"];
    let colour = escape.iter().find(|code| rest.starts_with(code));
    if let Some(end) = colour.and_then(|code| control_sequence(bytes, at + code.len())) {
        return Some((end, Decoded(None)));
    }
    match *bytes.get(at)? {
        // A zero byte parts what stands on both sides of it.
        b'0' => one(b' '),
        b'n' => Some((next_cell_line(bytes, at + 1), Decoded(Some(b'\n')))),
        b'r' => one(b'\n'),
        b't' => one(b'\t'),
        byte @ (b'/' | b'"' | b'\'' | b'=' | b':' | b'+' | b'`' | b'#' | b'!' | b'$' | b'&'
        | b'|' | b'_') => one(byte),
        b'u' => {
            let digits = bytes.get(at + 1..)?;
            if digits.first() == Some(&b'{') {
                let length = digits.iter().take(8).position(|byte| *byte == b'}')?;
                let value = hex_value(digits.get(1..length)?)?;
                Some((at + 2 + length, Decoded(Some(character(value)?))))
            } else {
                let value = hex_value(digits.get(..4)?)?;
                Some((at + 5, Decoded(Some(character(value)?))))
            }
        }
        b'x' => {
            let value = hex_value(bytes.get(at + 1..at + 3)?)?;
            Some((at + 3, Decoded(Some(character(value)?))))
        }
        byte @ (b'\n' | b'\r') => {
            // A continued line: inside a value the halves belong together, elsewhere it is white space.
            let end = if byte == b'\r' && bytes.get(at + 1) == Some(&b'\n') {
                at + 2
            } else {
                at + 1
            };
            match halves(bytes, start, end) {
                Some(second) => Some((second, Decoded(None))),
                None => Some((end, Decoded(Some(b'\n')))),
            }
        }
        _ => None,
    }
}

/// Returns the start of the second half of a value that ends at `end` of a line and goes on in the line at `next`.
fn halves(bytes: &[u8], end: usize, next: usize) -> Option<usize> {
    let before = bytes.get(end.saturating_sub(1024)..end)?;
    let first = before
        .iter()
        .rev()
        .take_while(|byte| is_value(**byte))
        .count();
    let rest = bytes.get(next..)?;
    let white = rest
        .iter()
        .take(80)
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let second = rest
        .get(white..)?
        .iter()
        .take(1024)
        .take_while(|byte| is_value(**byte))
        .count();
    let is_one = matches!(first + second, 20 | 40) || first + second >= 100 && second > 20;
    (first > 0 && second > 0 && is_one).then_some(next + white)
}

/// Returns the place where the text goes on after `\n` in a list of lines, as notebooks write their cells: `…\n",` and
/// `"…` on the next line are one text.
fn next_cell_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(after) = rest.strip_prefix(b"\",") else {
        return at;
    };
    let space = after
        .iter()
        .take(80)
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let is_next = after.get(space) == Some(&b'"')
        && after
            .get(..space)
            .is_some_and(|space| space.contains(&b'\n'));
    if is_next { at + 2 + space + 1 } else { at }
}

/// `%2F`, and `%252F` with any number of `25`.
fn percent(bytes: &[u8], start: usize) -> Option<(usize, Decoded)> {
    let mut at = start + 1;
    while bytes.get(at..at + 2) == Some(b"25".as_slice())
        && bytes
            .get(at + 2..at + 4)
            .is_some_and(|pair| hex_value(pair).is_some())
    {
        at += 2;
    }
    let value = hex_value(bytes.get(at..at + 2)?)?;
    Some((at + 2, Decoded(Some(character(value)?))))
}

/// `&#47; &#x2F; &amp; &quot;` and the few names that matter.
fn reference(bytes: &[u8], start: usize) -> Option<(usize, Decoded)> {
    let rest = bytes.get(start + 1..)?;
    let length = rest.iter().take(10).position(|byte| *byte == b';')?;
    let name = rest.get(..length)?;
    let decoded = match name {
        [b'#', b'x' | b'X', digits @ ..] => character(hex_value(digits)?)?,
        [b'#', digits @ ..] => character(std::str::from_utf8(digits).ok()?.parse().ok()?)?,
        b"amp" => b'&',
        b"quot" => b'"',
        b"apos" => b'\'',
        b"lt" => b'<',
        b"gt" => b'>',
        b"sol" => b'/',
        b"plus" => b'+',
        b"equals" => b'=',
        b"nbsp" => b' ',
        _ => return None,
    };
    Some((start + 2 + length, Decoded(Some(decoded))))
}

fn hex_value(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 6 {
        return None;
    }
    digits.iter().try_fold(0, |value, digit| {
        Some(value * 16 + char::from(*digit).to_digit(16)?)
    })
}

/// The byte of that code; `None` if it is no character of text.
fn character(value: u32) -> Option<u8> {
    if value >= 0x80 {
        return Some(FOREIGN);
    }
    u8::try_from(value)
        .ok()
        .filter(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'))
}

/// Returns true if a byte can be part of a key id, a secret or a token.
pub(super) fn is_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// Joins `"AKIA" + "…"`, implicit concatenation and continued literals where the whole is one value.
fn fold_literals(view: &View) -> Option<View> {
    let bytes = &view.bytes;
    let mut builder = Builder::new(view);
    let mut copied = 0;
    let mut changed = false;
    let mut at = 0;
    while let Some(found) = memchr::memchr3(b'"', b'\'', b'`', bytes.get(at..)?) {
        let open = at + found;
        at = open + 1;
        let Some(chain) = chain_at(bytes, open) else {
            continue;
        };
        builder.copy(copied, chain.first_start());
        for (start, end) in &chain.pieces {
            builder.copy(*start, *end);
        }
        copied = chain.last_end();
        at = copied;
        changed = true;
    }
    builder.copy(copied, bytes.len());
    changed.then(|| builder.finish())
}

/// Joins a secret that a narrow page or screen broke over two lines, the second of which has nothing else.
fn fold_lines(view: &View) -> Option<View> {
    let bytes = &view.bytes;
    let mut builder = Builder::new(view);
    let mut copied = 0;
    for end in memchr::memchr_iter(b'\n', bytes) {
        let before = bytes.get(copied..end)?;
        let before = before.strip_suffix(b"\r").unwrap_or(before);
        let first = before
            .iter()
            .rev()
            .take(40)
            .take_while(|byte| is_value(**byte))
            .count();
        let after = bytes.get(end + 1..)?;
        let second = after
            .iter()
            .take(40)
            .take_while(|byte| is_value(**byte))
            .count();
        if first < 8 || second < 8 || first + second != 40 {
            continue;
        }
        let rest = &after[second..];
        let next = rest.strip_prefix(b"\r").unwrap_or(rest);
        let is_alone = next.first().is_none_or(|byte| *byte == b'\n');
        // Lines of one length are a list.
        let below = next.get(1..).unwrap_or_default();
        let is_list = below
            .iter()
            .take(40)
            .take_while(|byte| is_value(**byte))
            .count()
            == second;
        let start = copied + before.len() - first;
        let halves = [&bytes[start..start + first], &after[..second]];
        let is_cut = !matches!(
            bytes.get(start.wrapping_sub(1)),
            None | Some(b'=' | b' ' | b'\n' | b':' | b'\t')
        );
        let value = halves.concat();
        let is_mixed = [
            u8::is_ascii_uppercase,
            u8::is_ascii_lowercase,
            u8::is_ascii_digit,
        ]
        .iter()
        .all(|class| halves.iter().all(|half| half.iter().any(class)));
        if !is_alone
            || is_list
            || is_cut
            || !is_mixed
            || value.starts_with(b"AKIA")
            || value.starts_with(b"ASIA")
        {
            continue;
        }
        builder.copy(copied, start + first);
        copied = end + 1;
    }
    if copied == 0 {
        return None;
    }
    builder.copy(copied, bytes.len());
    Some(builder.finish())
}

/// Literals that are joined into one value.
struct Chain {
    pieces: Vec<(usize, usize)>,
}

impl Chain {
    fn first_start(&self) -> usize {
        self.pieces.first().map_or(0, |piece| piece.0)
    }

    fn last_end(&self) -> usize {
        self.pieces.last().map_or(0, |piece| piece.1)
    }
}

/// The chain of literals that starts with the quote at `open`, if together they are one value.
fn chain_at(bytes: &[u8], open: usize) -> Option<Chain> {
    let quote = *bytes.get(open)?;
    let is_list = is_joined_list(bytes, open);
    let mut pieces = Vec::new();
    let mut at = open;
    let mut total = 0;
    while pieces.len() < 16 {
        let start = at + 1;
        let rest = bytes.get(start..)?;
        let length = rest
            .iter()
            .take(1500)
            .position(|byte| !is_value(*byte))
            .unwrap_or(rest.len());
        if length == 0 || rest.get(length) != Some(&quote) {
            break;
        }
        pieces.push((start, start + length));
        total += length;
        let Some(next) = joined_literal(bytes, start + length + 1, quote, is_list) else {
            break;
        };
        at = next;
    }
    let first = pieces
        .first()
        .and_then(|(start, end)| bytes.get(*start..*end))?;
    let is_id = total == 20
        && (first.starts_with(b"AKIA") || first.starts_with(b"ASIA") || first.len() < 4);
    let are_halves = total > 100
        || pieces
            .iter()
            .filter_map(|(start, end)| bytes.get(*start..*end))
            .all(|piece| {
                let is_whole_id =
                    piece.len() == 20 && (piece.starts_with(b"AKIA") || piece.starts_with(b"ASIA"));
                piece.len() != 40 && !is_whole_id
            });
    let is_value = is_id || total == 40 || total >= 100;
    (pieces.len() > 1 && is_value && are_halves).then_some(Chain { pieces })
}

/// Returns true if the literals of a list that opens before `open` are joined: `concat!("…", "…")`, `''.join(["…",
/// "…"])`.
fn is_joined_list(bytes: &[u8], open: usize) -> bool {
    let start = open.saturating_sub(48);
    let before = bytes.get(start..open).unwrap_or_default().trim_ascii_end();
    let joins = |bracket: &u8| matches!(bracket, b'(' | b'[' | b'{' | b'!' | b' ');
    let length = before.iter().rev().take_while(|byte| joins(byte)).count();
    let (name, brackets) = before.split_at(before.len() - length);
    let calls = [
        &b"concat"[..],
        b"CONCAT",
        b"Concat",
        b"paste0",
        b"join",
        b"Join",
    ];
    brackets.contains(&b'(') && calls.iter().any(|call| name.ends_with(call))
}

/// Returns the start of the next literal, if only white space and one operator are between.
fn joined_literal(bytes: &[u8], from: usize, quote: u8, is_list: bool) -> Option<usize> {
    let mut has_operator = false;
    let mut at = from;
    while at - from < MAX_GAP {
        match *bytes.get(at)? {
            byte if byte == quote => return Some(at),
            b' ' | b'\t' | b'\n' | b'\r' | b'\\' => at += 1,
            b',' if is_list && !has_operator => {
                has_operator = true;
                at += 1;
            }
            b'+' | b'&' | b'~' if !has_operator => {
                has_operator = true;
                // `++` joins as well.
                at += if bytes.get(at..at + 2) == Some(b"++") {
                    2
                } else {
                    1
                };
            }
            // `& _` at the end of a line goes on in the next.
            b'_' if matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 1,
            b'.' if !has_operator => {
                has_operator = true;
                at += if bytes.get(at + 1) == Some(&b'.') {
                    2
                } else {
                    1
                };
            }
            b'<' if !has_operator && bytes.get(at + 1) == Some(&b'>') => {
                has_operator = true;
                at += 2;
            }
            b'|' if !has_operator && bytes.get(at + 1) == Some(&b'|') => {
                has_operator = true;
                at += 2;
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blob::Span;

    fn decoded(text: &[u8]) -> String {
        let view = decode(View::plain(text, Span::new(0, text.len())));
        String::from_utf8_lossy(&view.bytes).into_owned()
    }

    #[test]
    fn escapes_of_every_kind_are_undone() {
        assert_eq!(decoded(br#"a\/b\u002Bc\x2fd"#), "a/b+c/d");
        assert_eq!(decoded(b"a%2Fb%252Fc%2Bd"), "a/b/c+d");
        assert_eq!(decoded(b"a+%3D+b%2F+c"), "a+= b/+c");
        assert_eq!(
            decoded(b"%EF%BC%9Aa\\u30ADb"),
            "\u{fffd}".repeat(3) + "a\u{fffd}b"
        );
        assert_eq!(decoded(b"a&#47;b&#x2F;c&#43;d&amp;"), "a/b/c+d&");
        assert_eq!(decoded(br#"\"k\": \\\"v\\\"\\n"#), "\"k\": \"v\"\n");
    }

    #[test]
    fn quoted_printable_is_told_from_values_behind_equals_signs() {
        let text = b"aws=5Fkey =3D abc=2Fd=\r\nef=2B\nend =3D yes\n";
        assert_eq!(decoded(text), "aws_key = abc/def+\nend = yes\n");
        for text in [
            "KEY=2Babc\nOTHER=5Cdef\nX=y\nY=z\n",
            "KEY=3Dabc\n",
            "a=41=42=43\n",
            "cGFkZGVk=\ncGFkZGVk=\n",
        ] {
            assert_eq!(decoded(text.as_bytes()), text);
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100% sure", "a & b; c", r"C:\dir", "%zz", "&unknown;", "\\"] {
            assert_eq!(decoded(text.as_bytes()), text);
        }
    }

    #[test]
    fn literals_fold_only_into_one_whole_value() {
        let id = ["AK", "IAabcdefghij012345"].concat();
        let half = "abcdefghij0123456789";
        assert_eq!(
            decoded(format!("'{id}' + '{half}'").as_bytes()),
            format!("'{id}' + '{half}'")
        );
        assert_eq!(
            decoded(format!("'{half}' + '{half}'").as_bytes()),
            format!("'{half}{half}'")
        );
        let (a, b) = ("abcdefghij01234", "abcdefghij012345678901234");
        assert_eq!(
            decoded(format!("\"{a}\" + \\\n   \"{b}\"").as_bytes()),
            format!("\"{a}{b}\"")
        );
        assert_eq!(
            decoded(format!("\"{a}\" \"{b}\"").as_bytes()),
            format!("\"{a}{b}\"")
        );
        assert_eq!(
            decoded(format!("\"{a}\", \"{b}\"").as_bytes()),
            format!("\"{a}\", \"{b}\"")
        );
    }
}
