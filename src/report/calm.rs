//! JSON that can be shown in a terminal: what steers one is written as `\u009b`, which reads back as it was.
//!
//! JSON demands this of the characters below U+0020 only.

use std::fmt::Write as _;
use std::io;

use super::escape;

/// Takes JSON and passes it on. Outside of ASCII there are only strings, and each is given in whole characters.
pub(super) struct Calm<'o>(pub(super) &'o mut dyn io::Write);

impl io::Write for Calm<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let steers = |c: char| !c.is_ascii_control() && escape::is_unsafe(c) || c == '\x7f';
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains(steers) => {
                let mut calm = String::with_capacity(bytes.len() + 16);
                for c in text.chars() {
                    if steers(c) {
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            write!(calm, "\\u{unit:04x}").expect("a string takes all writes");
                        }
                    } else {
                        calm.push(c);
                    }
                }
                self.0.write_all(calm.as_bytes())?;
            }
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_in_ascii_and_reads_back() {
        let text = "\x1b[1m\x7f\u{9b}31m\u{202e}\u{e0041}\n größe 日本";
        let mut out = Vec::new();
        serde_json::to_writer_pretty(Calm(&mut out), &[text]).expect("a vector takes everything");
        let json = String::from_utf8(out).expect("UTF-8");
        assert!(!json.replace('\n', "").chars().any(escape::is_unsafe));
        assert!(json.contains(r"\u007f\u009b31m\u202e\udb40\udc41"));
        assert!(json.contains("größe 日本"));
        let read: Vec<String> = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read, [text]);
    }
}
