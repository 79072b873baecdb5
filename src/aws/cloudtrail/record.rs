//! Cuts the text of a log into records.
//!
//! A log is one of: a delivered file (`{"Records": […]}`), the answer of `lookup-events` (`{"Events": […]}`), a bare list
//! of records, or records one after the other, alone or wrapped by EventBridge. All of it is cut in one pass that counts
//! brackets outside strings, so a damaged file still gives the records before the damage.

use std::ops::Range;

/// Cuts JSON text into its records, as it arrives.
///
/// The text is handed over again and again, each time longer, or with its front removed ([`Self::forget`]).
#[derive(Debug, Default)]
pub struct Splitter {
    /// The next byte to look at.
    at: usize,
    /// Brackets that are open.
    depth: usize,
    /// True inside a string.
    in_string: bool,
    /// True behind a backslash inside a string.
    is_escaped: bool,
    /// Start of the string that is read or was read last.
    string_from: usize,
    /// The last string at depth 1: it may name the list of records.
    key: Range<usize>,
    /// The depth of the list whose elements are records, once it is known: 1 or 2.
    list: Option<usize>,
    /// Start of the current record or document.
    from: Option<usize>,
    /// True for an object at depth 0 that turned out to hold a list of records.
    is_envelope: bool,
}

/// Reason why a text cannot be cut to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// It ends inside a record or a list.
    CutShort,
    /// A closing bracket has no opening one, or text is where none may be.
    NotJson {
        /// The offset of the byte.
        offset: usize,
    },
}

impl Splitter {
    /// Looks at the rest of `text` and calls `see` with the place of each record that ends in it.
    pub fn advance(&mut self, text: &[u8], see: impl FnMut(Range<usize>)) -> Result<(), Damage> {
        self.advance_past(text, usize::MAX, see)
    }

    /// Like [`Self::advance`], and ends early: with the record that ends behind the offset `last`.
    pub fn advance_past(
        &mut self,
        text: &[u8],
        last: usize,
        mut see: impl FnMut(Range<usize>),
    ) -> Result<(), Damage> {
        while let Some(byte) = text.get(self.at).copied() {
            if self.in_string {
                self.skip_string(text);
                continue;
            }
            let at = self.at;
            self.at += 1;
            match byte {
                b'"' => {
                    self.in_string = true;
                    self.string_from = at + 1;
                }
                b'{' | b'[' => self.open(text, at, byte),
                b'}' | b']' => {
                    let ends_record = self.close(at, &mut see)?;
                    if ends_record && at > last {
                        return Ok(());
                    }
                }
                _ if self.depth == 0 && !is_between(byte) => {
                    return Err(Damage::NotJson { offset: at });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Says whether the text may end here.
    pub fn end(&self) -> Result<(), Damage> {
        if self.depth == 0 && !self.in_string {
            Ok(())
        } else {
            Err(Damage::CutShort)
        }
    }

    /// Returns the number of bytes at the front of the text that are no longer needed. The caller removes that many
    /// bytes.
    pub fn forget(&mut self) -> usize {
        let mut needed = self.from.unwrap_or(self.at).min(self.at);
        if self.in_string {
            needed = needed.min(self.string_from);
        }
        if self.depth == 1 && self.list.is_none() {
            needed = needed.min(self.key.start);
        }
        self.at -= needed;
        self.string_from = self.string_from.saturating_sub(needed);
        self.key = self.key.start.saturating_sub(needed)..self.key.end.saturating_sub(needed);
        self.from = self.from.map(|from| from - needed);
        needed
    }

    /// Goes to the end of the string, or of the text.
    fn skip_string(&mut self, text: &[u8]) {
        if self.is_escaped {
            self.at += 1;
            self.is_escaped = false;
        }
        match quote_or_backslash(text.get(self.at..).unwrap_or_default()) {
            None => self.at = self.at.max(text.len()),
            Some(found) if text[self.at + found] == b'\\' => {
                // The byte behind the backslash may come with the next piece.
                self.at += found + 1;
                self.is_escaped = true;
            }
            Some(found) => {
                if self.depth == 1 {
                    self.key = self.string_from..self.at + found;
                }
                self.at += found + 1;
                self.in_string = false;
            }
        }
    }

    fn open(&mut self, text: &[u8], at: usize, byte: u8) {
        if self.depth == 0 {
            self.from = Some(at);
            self.is_envelope = false;
            self.list = (byte == b'[').then_some(1);
            if byte == b'[' {
                self.from = None;
            }
            self.key = at..at;
        } else if self.depth == 1 && self.list.is_none() {
            let key = text.get(self.key.clone()).unwrap_or_default();
            if byte == b'[' && [b"Records".as_slice(), b"records", b"Events"].contains(&key) {
                self.list = Some(2);
                self.is_envelope = true;
                self.from = None;
            }
            // It names one value; its text may be forgotten while that is read.
            self.key = at..at;
        } else if self.list == Some(self.depth) && byte == b'{' {
            self.from = Some(at);
        }
        self.depth += 1;
    }

    /// Returns true if a record ends here.
    fn close(&mut self, at: usize, see: &mut impl FnMut(Range<usize>)) -> Result<bool, Damage> {
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or(Damage::NotJson { offset: at })?;
        let is_record = match self.list {
            Some(list) => self.depth == list,
            None => self.depth == 0 && !self.is_envelope,
        };
        let mut ends_record = false;
        if is_record && let Some(from) = self.from.take() {
            ends_record = true;
            see(from..at + 1);
        }
        if self.list.is_some_and(|list| self.depth < list) {
            self.list = None;
            self.from = None;
        }
        Ok(ends_record)
    }
}

/// Returns the position of the first quote or backslash.
fn quote_or_backslash(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    // The lowest bit of the result is that of the first byte which is zero.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    // Most strings are short: calling a searcher for long texts takes longer than looking.
    let mut at = 0;
    while let Some(word) = text.get(at..at + 8).filter(|_| at < 32) {
        let word = u64::from_le_bytes(std::array::from_fn(|byte| word[byte]));
        let found =
            zeros(word ^ (ONES * u64::from(b'"'))) | zeros(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr2(b'"', b'\\', &text[at..]).map(|found| at + found)
}

/// Returns true for what may be between documents: white space, commas, and the mark at the start of a text.
fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | 0xef | 0xbb | 0xbf)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<&str>, Result<(), Damage>) {
        let mut splitter = Splitter::default();
        let mut records = Vec::new();
        let end = splitter.advance(text.as_bytes(), |range| records.push(&text[range]));
        (records, end.and_then(|()| splitter.end()))
    }

    const TEXTS: &[(&str, &[&str])] = &[
        (
            r#"{"Records":[{"a":1},{"b":{"c":[{}]}}]}"#,
            &[r#"{"a":1}"#, r#"{"b":{"c":[{}]}}"#],
        ),
        (
            r#"{"NextToken":"x","Events":[{"a":"]}"}]}"#,
            &[r#"{"a":"]}"}"#],
        ),
        (
            r#"[{"a":"\"}{"},{"b":"\\"}]"#,
            &[r#"{"a":"\"}{"}"#, r#"{"b":"\\"}"#],
        ),
        ("{\"a\":[1]}\n{\"b\":{}}\n", &["{\"a\":[1]}", "{\"b\":{}}"]),
        ("\u{feff}{\"Records\":[]}", &[]),
        (
            r#"{"Records":[{"a":1}]}{"Records":[{"b":1}]}"#,
            &[r#"{"a":1}"#, r#"{"b":1}"#],
        ),
        (
            r#"{"resources":[{"a":1}],"eventID":"x"}"#,
            &[r#"{"resources":[{"a":1}],"eventID":"x"}"#],
        ),
        // A name is that of the one value behind it, in text that is no JSON as well.
        (r#"{"Events":[{"a":1}]:[{"b":1}]}"#, &[r#"{"a":1}"#]),
        ("", &[]),
    ];

    #[test]
    fn all_forms_of_a_log_are_cut_into_records() {
        for (text, expected) in TEXTS {
            assert_eq!(cut(text), (expected.to_vec(), Ok(())), "{text}");
        }
    }

    #[test]
    fn the_end_of_a_string_is_found_as_memchr_finds_it() {
        for length in 0..70 {
            for at in 0..=length {
                for mark in [b'"', b'\\'] {
                    let mut text = vec![b'#'; length];
                    text[at..].fill(mark ^ 0x80);
                    if let Some(byte) = text.get_mut(at) {
                        *byte = mark;
                    }
                    let expected = memchr::memchr2(b'"', b'\\', &text);
                    assert_eq!(quote_or_backslash(&text), expected, "{length} {at}");
                }
            }
        }
    }

    #[test]
    fn cutting_ends_with_the_last_record_that_is_wanted() {
        let text = br#"{"Records":[{"a":1},{"b":2},{"c":"#;
        for (last, expected) in [(14, 1), (19, 2), (21, 2)] {
            let (mut splitter, mut records) = (Splitter::default(), 0);
            let end = splitter.advance_past(text, last, |_| records += 1);
            assert_eq!((records, end), (expected, Ok(())), "{last}");
        }
    }

    #[test]
    fn records_before_the_damage_are_kept() {
        let (records, end) = cut(r#"{"Records":[{"a":1},{"b":"#);
        assert_eq!(
            (records.as_slice(), end),
            ([r#"{"a":1}"#].as_slice(), Err(Damage::CutShort))
        );
        let (records, end) = cut("{\"a\":1}\n}");
        assert_eq!(records, ["{\"a\":1}"]);
        assert_eq!(end, Err(Damage::NotJson { offset: 8 }));
        assert_eq!(cut("hello").1, Err(Damage::NotJson { offset: 0 }));
    }

    #[test]
    fn pieces_of_any_size_give_the_same_records() {
        for (text, expected) in TEXTS {
            for size in 1..=text.len().max(1) {
                let (mut splitter, mut buffer, mut records) =
                    (Splitter::default(), Vec::new(), Vec::new());
                for piece in text.as_bytes().chunks(size) {
                    buffer.extend_from_slice(piece);
                    let end = splitter.advance(&buffer, |range| {
                        records.push(String::from_utf8_lossy(&buffer[range]).into_owned());
                    });
                    assert_eq!(end, Ok(()), "{text}");
                    let forgotten = splitter.forget();
                    buffer.drain(..forgotten);
                }
                assert_eq!(&records, expected, "{text} in pieces of {size}");
                assert_eq!(splitter.end(), Ok(()));
            }
        }
    }
}
