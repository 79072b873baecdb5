//! Private keys in PEM form: where a block ends and whether it holds a key at all.
//!
//! Documentation and code are full of headers without a key, of public keys and of bodies such as `...`.
//! Only what decodes to the beginning of a key, and to all of its length, is one.

use std::ops::Range;

use super::check::Verdict;
use crate::level::Level;
use crate::text::base64;
use crate::text::bytes::entropy;

/// The longest block that is looked at. A 16,384-bit RSA key takes 13 KiB; PGP blocks with photographs are longer
/// and are then judged by their beginning.
const BLOCK_LIMIT: usize = 64 * 1024;

/// Fewer base64 characters than this are no key: an Ed25519 key in its shortest form has exactly 64.
const LEAST_BODY: usize = 60;

/// The body of a real key has 5 bits per character or more; 4 is what hexadecimal text has at most.
/// No key of 64 characters or more is known to fall below it (uniform text of 64: mean 5.2, deviation 0.1).
const LEAST_ENTROPY: f64 = 4.0;

const DASHES: &[u8] = b"-----";

/// The block that begins at `start`: up to the end of its footer, or of its text if there is no footer.
pub fn block(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let limit = bytes.len().min(start.checked_add(BLOCK_LIMIT)?);
    let text = bytes.get(start..limit)?;
    let title = find(text, DASHES, DASHES.len())?;
    let body = title + DASHES.len();
    // Stopping at the next dashes keeps the work linear however many headers stand in a row.
    let end = match find(text, DASHES, body) {
        Some(dashes) if text[dashes + DASHES.len()..].starts_with(b"END ") => {
            let closing = find(text, DASHES, dashes + DASHES.len());
            closing.map_or(dashes, |closing| closing + DASHES.len())
        }
        Some(dashes) => dashes,
        None => text.len(),
    };
    Some(start..start + end)
}

fn find(text: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(text.get(from..)?, needle).map(|at| from + at)
}

/// Parts of a PEM block.
struct Block {
    title: Vec<u8>,
    /// The base64 characters of the body, without what separates them.
    body: Vec<u8>,
    is_encrypted: bool,
    has_headers: bool,
    has_footer: bool,
}

/// Takes a block apart, undoing what JSON, source code and comments do to its lines.
fn parse(text: &[u8]) -> Option<Block> {
    let begin = find(text, b"-----BEGIN ", 0)? + b"-----BEGIN ".len();
    let title_end = find(text, DASHES, begin)?;
    let title = text.get(begin..title_end)?.to_vec();
    let from = title_end + DASHES.len();
    let to = find(text, DASHES, from).unwrap_or(text.len());
    let mut block = Block {
        is_encrypted: title.starts_with(b"ENCRYPTED "),
        title,
        body: Vec::new(),
        has_headers: false,
        has_footer: text
            .get(to..)
            .is_some_and(|rest| rest.starts_with(b"-----END ")),
    };
    for line in unescape_lines(text.get(from..to)?).split(|byte| *byte == b'\n') {
        if memchr::memmem::find(line, b": ").is_some() {
            block.has_headers = true;
            block.is_encrypted |= memchr::memmem::find(line, b"ENCRYPTED").is_some();
            continue;
        }
        let piece = line
            .split(|byte| matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>'))
            .max_by_key(|piece| piece.len())
            .unwrap_or_default();
        let is_body =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let start = piece.iter().position(is_body).unwrap_or(piece.len());
        let piece = &piece[start..];
        let length = piece.iter().position(|byte| !is_body(byte));
        let piece = &piece[..length.unwrap_or(piece.len())];
        // `" +` joins the lines of a string in source code; `=abcd` is the checksum of PGP armour.
        if piece == b"+" || piece.starts_with(b"=") {
            continue;
        }
        block.body.extend_from_slice(piece);
    }
    Some(block)
}

/// Turns `\n` and `\r`, written out, escaped once or twice, into line ends; drops other backslashes.
fn unescape_lines(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'\\' => {
                while text.get(at) == Some(&b'\\') {
                    at += 1;
                }
                if matches!(text.get(at), Some(b'n' | b'r' | b't')) {
                    lines.push(b'\n');
                    at += 1;
                }
            }
            b'\r' | b'\t' | b' ' if lines.last() == Some(&b'\n') => {}
            b'\r' => lines.push(b'\n'),
            byte => lines.push(*byte),
        }
    }
    lines
}

/// Decides if a block has a private key.
pub fn judge(text: &[u8]) -> Verdict {
    let Some(block) = parse(text) else {
        return Verdict::Drop("no PEM block");
    };
    match judge_block(&block) {
        // A program's message or a file format's magic number, with whatever follows it.
        UNREADABLE if !block.has_footer => Verdict::Drop("a header without a key"),
        verdict => verdict,
    }
}

fn judge_block(block: &Block) -> Verdict {
    if memchr::memmem::find(&block.title, b"PRIVATE KEY").is_none() {
        return Verdict::Drop("not a private key");
    }
    if block.body.len() < LEAST_BODY {
        return Verdict::Drop("no key between header and footer");
    }
    if entropy(&block.body) < LEAST_ENTROPY {
        return Verdict::Drop("a placeholder between header and footer");
    }
    if memchr::memmem::find(&block.body.to_ascii_lowercase(), b"example").is_some() {
        return Verdict::Lower(Level::Note, "it calls itself an example");
    }
    // What follows the last whole group of four is the sign of a block that was cut.
    let whole = block.body.len() / 4 * 4;
    let Some(bytes) = base64::decode(&block.body[..whole]) else {
        return UNREADABLE;
    };
    if block.is_encrypted {
        return ENCRYPTED;
    }
    if block.title.starts_with(b"PGP ") {
        return judge_pgp(&bytes);
    }
    if let Some(rest) = bytes.strip_prefix(b"openssh-key-v1\0") {
        return if rest.starts_with(b"\0\0\0\x04none") {
            Verdict::Keep
        } else {
            ENCRYPTED
        };
    }
    match der_length(&bytes) {
        Some(length) if bytes.len() + 4 >= length => Verdict::Keep,
        Some(_) => Verdict::Lower(Level::Note, "the key is cut short"),
        None => UNREADABLE,
    }
}

const ENCRYPTED: Verdict = Verdict::Lower(
    Level::Warning,
    "the key is encrypted: as strong as its passphrase",
);

const UNREADABLE: Verdict = Verdict::Lower(
    Level::Note,
    "what stands between header and footer does not begin like a key",
);

/// Length of the outermost DER sequence, header included.
fn der_length(bytes: &[u8]) -> Option<usize> {
    let (0x30, first) = (*bytes.first()?, *bytes.get(1)?) else {
        return None;
    };
    let octets = match first {
        0..=0x7f => return Some(2 + usize::from(first)),
        0x81..=0x84 => usize::from(first & 0x7f),
        _ => return None,
    };
    let length = bytes
        .get(2..2 + octets)?
        .iter()
        .fold(0, |length, byte| length << 8 | usize::from(*byte));
    Some(2 + octets + length)
}

/// Judges the first packet of an OpenPGP block (RFC 4880, sections 4.2 and 5.5.3).
fn judge_pgp(bytes: &[u8]) -> Verdict {
    let Some(&tag) = bytes.first() else {
        return UNREADABLE;
    };
    let is_secret_key = matches!(tag, 0x94..=0x97 | 0xc5);
    if !is_secret_key {
        return UNREADABLE;
    }
    match pgp_secret_usage(bytes) {
        Some(0) | None => Verdict::Keep,
        Some(_) => ENCRYPTED,
    }
}

/// Returns the octet that says how the secret part is protected: 0 for not at all. `None` if its place is not known.
fn pgp_secret_usage(bytes: &[u8]) -> Option<u8> {
    let header = match *bytes.first()? {
        0x94 => 2,
        0x95 => 3,
        0x96 => 5,
        0xc5 => match *bytes.get(1)? {
            0..192 => 2,
            192..224 => 3,
            255 => 6,
            _ => return None,
        },
        _ => return None,
    };
    // Version 4: version, four octets of time, algorithm.
    if *bytes.get(header)? != 4 {
        return None;
    }
    let mut at = header + 6;
    let curve = |at: usize| Some(at + 1 + usize::from(*bytes.get(at)?));
    let integers = match *bytes.get(header + 5)? {
        1..=3 => 2,
        16 => 3,
        17 => 4,
        19 | 22 => {
            at = curve(at)?;
            1
        }
        _ => return None,
    };
    for _ in 0..integers {
        let bits = u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]);
        at += 2 + usize::from(bits).div_ceil(8);
    }
    bytes.get(at).copied()
}

/// The block with its lines restored, so that one key written in two ways is one secret.
///
/// `None` for blocks with headers of their own: they are kept unchanged.
pub fn normal_form(text: &[u8]) -> Option<Vec<u8>> {
    let block = parse(text)?;
    if block.has_headers || block.body.is_empty() {
        return None;
    }
    let mut normal = Vec::with_capacity(block.body.len() + 128);
    let mut line = |parts: &[&[u8]]| {
        parts.iter().for_each(|part| normal.extend_from_slice(part));
        normal.push(b'\n');
    };
    line(&[b"-----BEGIN ", &block.title, DASHES]);
    block.body.chunks(64).for_each(|chunk| line(&[chunk]));
    line(&[b"-----END ", &block.title, DASHES]);
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::example;

    fn pem(template: &str) -> Vec<u8> {
        example::expand(template, 7).into_bytes()
    }

    #[test]
    fn a_block_ends_with_its_footer_or_before_the_next_header() {
        let mut text = b"x = ".to_vec();
        text.extend(pem("{pem:RSA PRIVATE KEY}"));
        let length = text.len();
        text.extend(b"\nrest");
        assert_eq!(block(&text, 4), Some(4..length));

        let header = pem("{split:-----BEG|IN }{split:PRIVATE K|EY-----}\n");
        let twice = header.repeat(2);
        assert_eq!(block(&twice, 0), Some(0..header.len()));
    }

    #[test]
    fn one_key_has_one_form_however_its_lines_are_written() {
        let plain = pem("{pem:PRIVATE KEY}");
        let json = String::from_utf8(plain.clone())
            .unwrap()
            .replace('\n', "\\n");
        let code = String::from_utf8(plain.clone())
            .unwrap()
            .replace('\n', "\\n\" +\n    \"");
        let comment = String::from_utf8(plain.clone())
            .unwrap()
            .replace('\n', "\n# ");
        for text in [json, code, comment] {
            assert_eq!(judge(text.as_bytes()), Verdict::Keep, "{text}");
            assert_eq!(normal_form(text.as_bytes()), normal_form(&plain), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_whole_plain_key_is_said() {
        let text = String::from_utf8(pem("{pem:RSA PRIVATE KEY}")).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let cut = [&lines[..4], &["..."], &lines[lines.len() - 1..]]
            .concat()
            .join("\n");
        assert!(matches!(
            judge(cut.as_bytes()),
            Verdict::Lower(Level::Note, _)
        ));
        let empty = [lines[0], "...", lines[lines.len() - 1]].join("\n");
        assert!(matches!(judge(empty.as_bytes()), Verdict::Drop(_)));
        let public = text.replace("PRIVATE", "PUBLIC");
        assert!(matches!(judge(public.as_bytes()), Verdict::Drop(_)));
        for header in [lines[0].to_owned(), lines[0].replace("RSA", "PGP")] {
            let message = header + &"multiple keys are not supported here\n".repeat(9);
            assert!(
                matches!(judge(message.as_bytes()), Verdict::Drop(_)),
                "{message}"
            );
        }
        let encrypted = text.replacen(
            '\n',
            "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n",
            1,
        );
        assert_eq!(judge(encrypted.as_bytes()), ENCRYPTED);
    }

    #[test]
    fn base64_is_decoded_or_refused() {
        assert_eq!(base64::decode(b"aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(base64::decode(b"aGVsbG8"), Some(b"hello".to_vec()));
        assert_eq!(base64::decode(b"aGVsb"), None);
        assert_eq!(base64::decode(b"aGV bG8="), None);
    }
}
