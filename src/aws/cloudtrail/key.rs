//! Access key IDs in the raw text of a log, without parsing it.

use std::fmt;

use aho_corasick::packed::{self, Searcher};

/// Characters of an access key ID that CloudTrail records.
const LENGTH: usize = 20;

/// The start of every ID, and escapes of upper-case letters, behind which an ID could hide. No serializer that AWS
/// uses writes such escapes.
const LITERALS: [&str; 4] = ["AKIA", "ASIA", "\\u004", "\\u005"];

/// An access key ID as logs have it: `AKIA` or `ASIA` and 16 upper-case letters or digits.
///
/// Wider than [`crate::aws::key_id`]: public data sets hold anonymised IDs with 0, 1, 8 and 9, which base32 lacks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogKeyId([u8; LENGTH]);

impl LogKeyId {
    /// Returns the ID that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_bytes(text.as_bytes())
    }

    /// Returns the ID that `bytes` are, if they are one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let id: [u8; LENGTH] = bytes.try_into().ok()?;
        let has_prefix = id.starts_with(b"AKIA") || id.starts_with(b"ASIA");
        (has_prefix && id.iter().all(|byte| is_id_byte(*byte))).then_some(Self(id))
    }

    /// The 20 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("only ASCII is parsed into an ID")
    }

    /// The 20 characters as bytes.
    pub fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Display for LogKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LogKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// A place in raw text where a key ID is, or may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// An ID.
    Id(LogKeyId),
    /// Escaped letters that may spell an ID. Only decoding the record tells.
    Escaped,
}

/// Searches raw JSON text for key IDs.
///
/// It may over-report and never misses: a record in which it finds nothing holds no key ID in any of its strings.
#[derive(Debug)]
pub struct KeySearcher {
    searcher: Searcher,
}

impl KeySearcher {
    /// A searcher for all key IDs.
    pub fn new() -> Self {
        let searcher = packed::Config::new()
            .builder()
            .extend(LITERALS)
            .build()
            .expect("four short literals are what a packed searcher is for");
        Self { searcher }
    }

    /// Calls `see` with the offset of each hit in `text`, in order.
    pub fn each(&self, text: &[u8], mut see: impl FnMut(usize, Hit)) {
        for found in self.searcher.find_iter(text) {
            let at = found.start();
            if text[at] == b'\\' {
                see(at, Hit::Escaped);
                continue;
            }
            let rest = &text[at..];
            let length = rest
                .iter()
                .take(LENGTH + 1)
                .take_while(|byte| is_id_byte(**byte))
                .count();
            let next = rest.get(length);
            if length == LENGTH && next.is_none_or(|byte| !byte.is_ascii_alphanumeric()) {
                if may_begin(text, at)
                    && let Some(id) = LogKeyId::from_bytes(&rest[..LENGTH])
                {
                    see(at, Hit::Id(id));
                }
            } else if length < LENGTH && next == Some(&b'\\') {
                see(at, Hit::Escaped);
            }
        }
    }
}

impl Default for KeySearcher {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns false where a letter or digit comes directly before `at`, unless it may belong to an escape.
fn may_begin(text: &[u8], at: usize) -> bool {
    let before = &text[..at];
    match before {
        [.., last] if !last.is_ascii_alphanumeric() => true,
        [] | [.., b'\\', b'b' | b'f' | b'n' | b'r' | b't'] => true,
        [.., b'\\', b'u', _, _, _, _] => true,
        _ => false,
    }
}

/// Calls `see` with every key ID in a decoded string: 20 characters with no letter or digit on either side.
pub fn each_in_text(text: &str, mut see: impl FnMut(LogKeyId)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'A', &bytes[at..]) {
        let start = at + found;
        at = start + 1;
        let is_start = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        let end = start + LENGTH;
        if is_start
            && bytes
                .get(end)
                .is_none_or(|byte| !byte.is_ascii_alphanumeric())
            && let Some(id) = bytes.get(start..end).and_then(LogKeyId::from_bytes)
        {
            see(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(text: &str) -> Vec<String> {
        let mut hits = Vec::new();
        KeySearcher::new().each(text.as_bytes(), |_, hit| {
            hits.push(match hit {
                Hit::Id(id) => id.to_string(),
                Hit::Escaped => "escaped".to_owned(),
            });
        });
        hits
    }

    #[test]
    fn ids_are_found_with_their_boundaries_and_behind_escapes() {
        let id = ["AKIA", "0189ABCDEFGHIJKL"].concat();
        for (text, expected) in [
            (format!("\"{id}\""), vec![id.clone()]),
            (format!("x={id}&"), vec![id.clone()]),
            (id.clone(), vec![id.clone()]),
            (format!("\"a\\n{id}\""), vec![id.clone()]),
            (format!("\"\\u003d{id}\""), vec![id.clone()]),
            (format!("{id}X"), vec![]),
            (format!("{id}x"), vec![]),
            (format!("x{id}"), vec![]),
            (format!("\"{}\"", &id[..19]), vec![]),
            (
                format!("\"{}\\u0037\"", &id[..19]),
                vec!["escaped".to_owned()],
            ),
            (
                format!("\"\\u0041{}\"", &id[1..]),
                vec!["escaped".to_owned()],
            ),
        ] {
            assert_eq!(hits(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_decoded_string_has_ids_between_other_characters_only() {
        let id = ["ASIA", "ZZZZZZZZZZZZZZZZ"].concat();
        let of = |text: &str| {
            let mut found = Vec::new();
            each_in_text(text, |id| found.push(id.to_string()));
            found
        };
        assert_eq!(of(&format!("A {id},{id}")), [id.clone(), id.clone()]);
        assert!(of(&format!("A{id} {id}1 é{id}x")).is_empty());
        assert_eq!(of(&format!("é{id}é")), [id]);
    }
}
