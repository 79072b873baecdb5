//! Decoders: every byte keeps its place, nothing grows but by line breaks that part what touches, and an encoded pair
//! is found in its place.

use keysieve::blob::Span;
use keysieve::engine::{Engine, Part, Scratch};

use super::input::Input;
use super::{sink, text};

const LIMIT: usize = 16 << 10;

/// Decodes the text of an input; then encodes a pair as an input says and looks for it.
pub fn run(data: &[u8]) {
    positions(&text::expand(data, LIMIT));
    let mut input = Input::new(data);
    round_trip(&mut input);
}

/// Holds the decoded form of a text against the text.
fn positions(bytes: &[u8]) {
    let (decoded, places) = Engine::decoded(bytes);
    assert_eq!(decoded.len(), places.len());
    let breaks = places.iter().filter(|place| place.is_empty()).count();
    assert!(
        decoded.len() <= bytes.len() + breaks && breaks <= 1 + bytes.len() / 3,
        "decoding makes nothing longer"
    );
    let mut covered = vec![false; bytes.len()];
    let mut last = Span::default();
    for (byte, place) in decoded.iter().zip(&places) {
        // A line break stands for what frames a value in a binary file, or comes in where nothing does.
        let is_break = *byte == b'\n';
        assert!(
            (is_break || !place.is_empty()) && place.end <= bytes.len(),
            "{place:?}"
        );
        assert!(
            place.start >= last.start && place.end >= last.end,
            "{last:?}, {place:?}"
        );
        if place.len() == 1 {
            // After an escape of a form a plus sign is a space.
            let is_space = *byte == b' ' && place.of(bytes) == b"+";
            assert!(
                is_space || is_break || place.of(bytes) == [*byte],
                "{place:?}"
            );
        }
        covered[place.start..place.end].fill(true);
        last = *place;
    }
    // What is dropped stands between the halves of a literal or continues a line: never a letter or digit.
    for (at, byte) in bytes.iter().enumerate() {
        let is_kept = covered[at] || !byte.is_ascii_alphanumeric() || is_in_escape(bytes, at);
        assert!(is_kept, "byte {at} is lost: {:?}", bytes[at] as char);
    }
}

/// Returns true if the place may be in an escape that decodes to nothing, be the escape itself in base64.
fn is_in_escape(bytes: &[u8], at: usize) -> bool {
    let begins = |byte: &u8| matches!(byte, b'\\' | b'%' | b'&' | b'=' | 0x1b);
    // Nothing is longer than a control sequence behind a quoted escape character: `\\\u001b[38;5;123m`.
    let before = &bytes[at.saturating_sub(40)..at];
    let mut quartets = (at.saturating_sub(3)..=at).map(|from| three_bytes(&bytes[from..]));
    before.iter().any(begins) || quartets.any(|decoded| decoded.iter().any(begins))
}

/// Decodes the next four letters of base64; other bytes count as zero.
fn three_bytes(letters: &[u8]) -> [u8; 3] {
    let value = |letter: &u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => 0,
    };
    let mut bits = 0;
    for at in 0..4 {
        bits = bits << 6 | u32::from(letters.get(at).map_or(0, value));
    }
    [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
}

/// A text, with the place of each of its bytes in the encoded form.
struct Encoded {
    bytes: Vec<u8>,
    places: Vec<Span>,
    is_exact: bool,
}

impl Encoded {
    fn plain(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            places: (0..text.len()).map(|at| Span::new(at, at + 1)).collect(),
            is_exact: true,
        }
    }

    /// Writes each byte in a form of its own.
    fn each(self, form: impl Fn(u8) -> Vec<u8>) -> Self {
        let mut bytes = Vec::new();
        let made: Vec<Span> = self
            .bytes
            .iter()
            .map(|byte| {
                let start = bytes.len();
                bytes.extend(form(*byte));
                Span::new(start, bytes.len())
            })
            .collect();
        Self {
            bytes,
            places: over(&self.places, &made),
            is_exact: self.is_exact,
        }
    }

    fn base64(self, alphabet: &[u8; 64], width: usize) -> Self {
        let mut bytes = Vec::new();
        let mut starts = Vec::new();
        for group in self.bytes.chunks(3) {
            if width > 0 && bytes.len() % (width + 1) == width {
                bytes.push(b'\n');
            }
            starts.push(bytes.len());
            let at = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..4 {
                let letter = alphabet[(bits >> (18 - 6 * place) & 63) as usize];
                bytes.push(if place <= group.len() { letter } else { b'=' });
            }
        }
        let made: Vec<Span> = (0..self.bytes.len())
            .map(|at| Span::new(starts[at / 3] + at % 3, starts[at / 3] + at % 3 + 2))
            .collect();
        Self {
            bytes,
            places: over(&self.places, &made),
            is_exact: false,
        }
    }
}

/// The places of places.
fn over(inner: &[Span], outer: &[Span]) -> Vec<Span> {
    let of = |span: &Span| Span::new(outer[span.start].start, outer[span.end - 1].end);
    inner.iter().map(of).collect()
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b" \n_".contains(&byte)
}

/// Encodes a pair up to two times and finds it.
fn round_trip(input: &mut Input<'_>) {
    let mut keys = text::Keys::new(u64::from(input.byte()));
    let (id, secret) = (keys.id(), keys.secret());
    let text = match input.below(4) {
        0 => format!("{{\"access_key_id\": \"{id}\", \"secret_access_key\": \"{secret}\"}}"),
        1 => format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
        2 => format!("<a>{id}</a>\n<secret_key>{secret}</secret_key>\n"),
        _ => format!("export AWS_SECRET_ACCESS_KEY='{secret}' AWS_ACCESS_KEY_ID='{id}'\n"),
    };
    let at = |value: &str| {
        let start = text.find(value).expect("it was put there");
        Span::new(start, start + value.len())
    };
    let (id_at, secret_at) = (at(&id), at(&secret));
    let mut encoded = Encoded::plain(&text);
    let mut names = Vec::new();
    for _ in 0..input.below(3) {
        let choice = input.below(7);
        // Base64 is looked into once, and what it holds may be escaped.
        // Of hex no hex is looked for.
        if !encoded.is_exact && choice >= 4 || names.contains(&choice) && choice == 6 {
            break;
        }
        names.push(choice);
        encoded = match choice {
            0 => encoded.each(json),
            1 => encoded.each(|byte| escaped(byte, |byte| format!("\\u{:04x}", byte))),
            2 => encoded.each(|byte| escaped(byte, |byte| format!("%{byte:02X}"))),
            3 => encoded.each(|byte| escaped(byte, |byte| format!("&#{byte};"))),
            4 => encoded.base64(STANDARD, 0),
            6 => encoded.each(|byte| format!("{byte:02x}").into_bytes()),
            _ => encoded.base64([STANDARD, URL][input.below(2)], [0, 64, 76][input.below(3)]),
        };
    }
    let around = input.below(4);
    let before: &[u8] = [b"".as_slice(), b"x: ", b"\n\n", b"data = \""][around];
    let mut bytes = before.to_vec();
    bytes.extend_from_slice(&encoded.bytes);
    bytes.extend_from_slice([b"".as_slice(), b"\n", b" y", b"\"\n"][around]);
    let wide = input.below(8);
    let (unit, shift) = if wide < 2 { (2, 2) } else { (1, 0) };
    if wide < 2 {
        bytes = utf_16(&bytes, wide == 0);
    }
    let expected = |span: Span| {
        let places = &encoded.places;
        let (start, end) = (places[span.start].start, places[span.end - 1].end);
        let place = |at: usize| shift + unit * (before.len() + at);
        Span::new(place(start), place(end))
    };
    let engine = sink::engine();
    let mut scratch = Scratch::default();
    let found = engine.scan(&bytes, &mut scratch);
    let pair = found.iter().find_map(|found| {
        let (id_part, secret_part) = (found.key_id.as_ref()?, found.secret.as_ref()?);
        let is_it = id_part.value.expose() == id.as_bytes()
            && secret_part.value.expose() == secret.as_bytes();
        is_it.then_some((id_part, secret_part))
    });
    let what = || {
        format!(
            "{names:?}, wide {wide}: {}",
            String::from_utf8_lossy(&bytes)
        )
    };
    let Some((id_part, secret_part)) = pair else {
        panic!("not found: {}", what());
    };
    let check = |part: &Part, expected: Span| {
        let covers = part.span.start <= expected.start && expected.end <= part.span.end;
        let is_right = match encoded.is_exact {
            true => part.span == expected,
            false => covers && part.span.end <= bytes.len(),
        };
        assert!(is_right, "{:?}, not {expected:?}: {}", part.span, what());
    };
    check(id_part, expected(id_at));
    check(secret_part, expected(secret_at));
}

fn json(byte: u8) -> Vec<u8> {
    match byte {
        b'"' | b'/' | b'\\' => vec![b'\\', byte],
        b'\n' => b"\\n".to_vec(),
        _ => vec![byte],
    }
}

fn escaped(byte: u8, form: impl Fn(u8) -> String) -> Vec<u8> {
    if is_plain(byte) {
        vec![byte]
    } else {
        form(byte).into_bytes()
    }
}

/// Units of two bytes after a mark of their order.
fn utf_16(bytes: &[u8], low_byte_first: bool) -> Vec<u8> {
    let unit = |unit: u16| match low_byte_first {
        true => unit.to_le_bytes(),
        false => unit.to_be_bytes(),
    };
    let mut wide = unit(0xfeff).to_vec();
    wide.extend(bytes.iter().flat_map(|byte| unit(u16::from(*byte))));
    wide
}
