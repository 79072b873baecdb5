//! Access key IDs in the raw text of a log, without parsing it.

use std::fmt;

use aho_corasick::packed::{self, Searcher};

/// Characters of an access key ID that CloudTrail records.
const LENGTH: usize = 20;

/// The start of every ID, and of escapes, behind which an ID could hide. No serializer that AWS uses escapes letters.
const LITERALS: [&str; 3] = ["AKIA", "ASIA", "\\u0"];

/// The start of every escape of a letter or digit. A searcher looks at as many bytes as its shortest text has, and is the
/// quicker the fewer.
const ESCAPE: &str = "\\u";

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

    /// The part to search for: not the start, since all IDs begin alike, and from two letters on, which are rarer in
    /// logs than digits.
    fn rare(&self) -> &[u8] {
        let rest = &self.0[4..];
        let letters = rest[..12]
            .windows(2)
            .position(|two| two.iter().all(u8::is_ascii_uppercase));
        &rest[letters.unwrap_or(0)..]
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
    /// A text that is searched for beside IDs: its number.
    Beside(usize),
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
        Self::beside(&[])
    }

    /// A searcher for all key IDs, and in the same pass for some `texts` of three bytes or more.
    pub fn beside(texts: &[&str]) -> Self {
        let searcher = packed::Config::new()
            .builder()
            .extend(LITERALS)
            .extend(texts)
            .build()
            .expect("a few short literals are what a packed searcher is for");
        Self { searcher }
    }

    /// Calls `see` with the offset of each hit in `text`, in order.
    pub fn each(&self, text: &[u8], mut see: impl FnMut(usize, Hit)) {
        for found in self.searcher.find_iter(text) {
            let at = found.start();
            if let Some(number) = found.pattern().as_usize().checked_sub(LITERALS.len()) {
                see(at, Hit::Beside(number));
                continue;
            }
            if text[at] == b'\\' {
                if is_escaped_id_byte(&text[at..]) {
                    see(at, Hit::Escaped);
                }
                continue;
            }
            let rest = &text[at..];
            let length = rest
                .iter()
                .take(LENGTH + 1)
                .take_while(|byte| is_id_byte(**byte))
                .count();
            let is_end = |byte: &u8| !byte.is_ascii_alphanumeric();
            if length == LENGTH
                && rest.get(length).is_none_or(is_end)
                && may_begin(text, at)
                && let Some(id) = LogKeyId::from_bytes(&rest[..LENGTH])
            {
                see(at, Hit::Id(id));
            }
        }
    }
}

/// Searches raw JSON text for some given IDs: quicker than looking at every ID, of which each record has two or three.
///
/// It may over-report and never misses, like [`KeySearcher`].
#[derive(Debug)]
pub struct GivenSearcher {
    searcher: Searcher,
}

impl GivenSearcher {
    /// IDs that it takes at most. A packed searcher slows down with their number.
    pub const MAX: usize = 16;

    /// A searcher for `ids`; `None` for more than [`Self::MAX`].
    pub fn new(ids: impl IntoIterator<Item = LogKeyId>) -> Option<Self> {
        let ids: Vec<LogKeyId> = ids.into_iter().collect();
        if ids.len() > Self::MAX {
            return None;
        }
        let searcher = packed::Config::new()
            .builder()
            .extend(ids.iter().map(LogKeyId::rare))
            .extend([ESCAPE])
            .build()?;
        Some(Self { searcher })
    }

    /// Calls `see` with the offset of each hit in `text`, in order.
    pub fn each(&self, text: &[u8], mut see: impl FnMut(usize)) {
        for found in self.searcher.find_iter(text) {
            let at = found.start();
            if text[at] != b'\\' || is_escaped_id_byte(&text[at..]) {
                see(at);
            }
        }
    }
}

/// Returns true if `text` begins with the escape of an upper-case letter or a digit.
fn is_escaped_id_byte(text: &[u8]) -> bool {
    let code = text
        .get(2..6)
        .and_then(|digits| std::str::from_utf8(digits).ok());
    let code = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
    code.is_some_and(is_id_byte)
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
        KeySearcher::beside(&["arn\""]).each(text.as_bytes(), |_, hit| {
            hits.push(match hit {
                Hit::Id(id) => id.to_string(),
                Hit::Escaped => "escaped".to_owned(),
                Hit::Beside(number) => format!("text {number}"),
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
            (
                format!("\"arn\":\"{id}\""),
                vec!["text 0".to_owned(), id.clone()],
            ),
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
    fn given_ids_are_found_wherever_all_ids_are_and_behind_escapes() {
        let ids = ["AKIA", "ASIA"].map(|start| [start, "0189ABCDEFGHIJKL"].concat());
        let [id, other] = ids.each_ref().map(|id| LogKeyId::parse(id).expect("an ID"));
        let of = |text: &str| {
            let (mut given, mut all) = (Vec::new(), Vec::new());
            let searcher = GivenSearcher::new([id]).expect("one ID");
            searcher.each(text.as_bytes(), |at| given.push(at));
            KeySearcher::new().each(text.as_bytes(), |_, hit| match hit {
                Hit::Id(found) if found != id => {}
                hit => all.push(hit),
            });
            (given.len(), all.len())
        };
        assert_eq!(of(&format!("\"{id}\",{{\"{id}\"}}")), (2, 2));
        for at in 0..20 {
            let letter = id.as_bytes()[at];
            let (before, after) = (&id.as_str()[..at], &id.as_str()[at + 1..]);
            for escape in [format!("\\u{letter:04x}"), format!("\\u{letter:04X}")] {
                let (given, all) = of(&format!("\"{before}{escape}{after}\""));
                assert!(given > 0 && all > 0, "{at}");
            }
        }
        assert_eq!(of("\"a \\u003c b \\u003e \\u005f\""), (0, 0));
        // Only the start differs: parsing the record tells.
        assert_eq!(of(&format!("\"{other}\"")), (1, 0));
        assert!(GivenSearcher::new([id; 17]).is_none());
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
