//! The baseline as a file.

use std::path::Path;

use super::{Baseline, Entry, Error};
use crate::finding::Fingerprint;
use crate::text::date::Date;
use crate::text::document::Fault;
use crate::text::whole_file::{self, Access};

/// The first line of every baseline.
const HEADER: &str = "# keysieve baseline 1";
/// Beginning of the first line in every version.
const HEADER_START: &str = "# keysieve baseline ";

impl Baseline {
    /// Reads the text of a baseline that faults call `name`; or gives all its faults.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        let mut baseline = Self::default();
        let mut faults = Vec::new();
        let mut has_header = false;
        for (number, line) in text.lines().enumerate() {
            let mut fault = |key: &str, message: String| {
                faults.push(Fault {
                    file: name.to_owned(),
                    line: number + 1,
                    key: key.to_owned(),
                    message,
                });
            };
            let line = line.trim_end();
            if line.starts_with(HEADER_START) {
                has_header = true;
                if line != HEADER {
                    let message =
                        format!("a version that this program does not know; it knows `{HEADER}`");
                    fault("", message);
                }
            } else if is_conflict(line) {
                fault("", "an unresolved conflict of a merge".to_owned());
            } else if !line.is_empty() && !line.starts_with('#') {
                if !has_header {
                    has_header = true;
                    fault("", format!("the first line should be `{HEADER}`"));
                }
                match entry(line) {
                    Ok(entry) => baseline.join(entry),
                    Err((key, message)) => fault(key, message),
                }
            }
        }
        if faults.is_empty() {
            Ok(baseline)
        } else {
            Err(faults)
        }
    }

    /// Reads a baseline file.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&path.display().to_string(), &text).map_err(Error::Faults)
    }

    /// The text of the file: the same entries give the same bytes.
    pub fn text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for entry in self.entries() {
            text.push_str(&line(entry));
            text.push('\n');
        }
        text
    }

    /// Writes the file beside its place and renames it, so that no reader sees half of it.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        let fail = |source| Error::Write {
            path: path.to_owned(),
            source,
        };
        let text = self.text();
        whole_file::replace(path, Access::Usual, |out| out.write_all(text.as_bytes())).map_err(fail)
    }

    /// Adds an entry that may be there already: of two expiry dates the earlier counts.
    fn join(&mut self, entry: Entry) {
        let joined = match self.remove(&entry.fingerprint) {
            None => entry,
            Some(known) => Entry {
                expires: match (known.expires, entry.expires) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                },
                secret: known.secret.or(entry.secret),
                reason: known.reason.or(entry.reason),
                path: known.path.or(entry.path),
                ..entry
            },
        };
        self.insert(joined);
    }
}

fn is_conflict(line: &str) -> bool {
    ["<<<<<<< ", ">>>>>>> ", "||||||| "]
        .iter()
        .any(|mark| line.starts_with(mark))
        || line == "======="
}

/// The entry of a line; or the part at fault and what is wrong with it.
fn entry(line: &str) -> Result<Entry, (&'static str, String)> {
    let (fields, reason) = match line.split_once(" #") {
        Some((fields, reason)) => (fields, Some(reason.trim().to_owned())),
        None => (line, None),
    };
    let mut words = fields.split_ascii_whitespace();
    let first = words.next().unwrap_or_default();
    let fingerprint = Fingerprint::parse(first)
        .ok_or(("fingerprint", "should be ks1: and 32 hex digits".to_owned()))?;
    let rule = words.next().filter(|word| !word.contains('='));
    let rule = rule.ok_or(("rule", "missing".to_owned()))?;
    let mut entry = Entry {
        fingerprint,
        rule: rule.to_owned(),
        secret: None,
        path: None,
        reason: reason.filter(|reason| !reason.is_empty()),
        expires: None,
    };
    for word in words {
        match word.split_once('=') {
            Some(("secret", text)) => {
                let wrong = || ("secret", "should be ks1: and 32 hex digits".to_owned());
                entry.secret = Some(Fingerprint::parse(text).ok_or_else(wrong)?);
            }
            Some(("expires", day)) => {
                let wrong = || ("expires", format!("`{day}` is not a day: YYYY-MM-DD"));
                entry.expires = Some(Date::parse(day).ok_or_else(wrong)?);
            }
            Some(("path", path)) => entry.path = Some(decode(path)),
            _ => {
                let message =
                    format!("`{word}` is neither secret=, expires=, path= nor a reason after #");
                return Err(("", message));
            }
        }
    }
    Ok(entry)
}

fn line(entry: &Entry) -> String {
    let mut line = format!("{} {}", entry.fingerprint, entry.rule);
    if let Some(secret) = &entry.secret {
        line.push_str(&format!(" secret={secret}"));
    }
    if let Some(day) = entry.expires {
        line.push_str(&format!(" expires={day}"));
    }
    if let Some(path) = &entry.path {
        line.push_str(" path=");
        line.push_str(&encode(path));
    }
    if let Some(reason) = &entry.reason {
        // One line, whatever was typed.
        let words = reason.split(|c: char| c.is_whitespace() || c.is_control());
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        if !words.is_empty() {
            line.push_str(" # ");
            line.push_str(&words.join(" "));
        }
    }
    line
}

/// White space, control characters, `%` and `#` as `%` and two hex digits per byte.
fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for c in path.chars() {
        if c.is_whitespace() || c.is_control() || matches!(c, '%' | '#') {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        } else {
            encoded.push(c);
        }
    }
    encoded
}

/// The reverse; what is not well formed stays as it is, since the path decides nothing.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::sample::finding;
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let faults = Baseline::parse("b", text).unwrap_err();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut baseline = Baseline::default();
        for (secret, path, reason, day) in [
            (
                "one",
                "a b#c%d\u{a0}é\n.env",
                Some("an  old\nkey # revoked"),
                Some("2027-01-31"),
            ),
            ("two of twenty letters and more", "src/x.rs", None, None),
            ("three", "", Some("r"), None),
        ] {
            let finding = finding("some-rule", secret, path, 7);
            let day = day.and_then(Date::parse);
            baseline.insert(Entry::of(&finding, reason.map(str::to_owned), day));
        }
        let text = baseline.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines.is_sorted_by(|a, b| a.starts_with('#') || a < b));
        let read = Baseline::parse("b", &text).unwrap();
        assert_eq!(read.text(), text);
        let entry = read
            .entries()
            .find(|entry| entry.expires.is_some())
            .unwrap();
        assert_eq!(entry.path.as_deref(), Some("a b#c%d\u{a0}é\n.env"));
        assert_eq!(entry.reason.as_deref(), Some("an old key # revoked"));
        let with_secret = read.entries().filter(|entry| entry.secret.is_some());
        assert_eq!(with_secret.count(), 1, "{text}");
    }

    #[test]
    fn an_empty_file_is_an_empty_baseline() {
        assert!(Baseline::parse("b", "").unwrap().is_empty());
        assert!(Baseline::parse("b", "\n# mine\n").unwrap().is_empty());
    }

    #[test]
    fn all_faults_are_told_with_their_line() {
        let good = format!("ks1:{} r", "0".repeat(32));
        let text = format!(
            "{good}\n# keysieve baseline 9\nks1:12 r\n{good} expires=2026-02-30\n<<<<<<< ours\n{good} line=3\n{good} secret=ks1:1\nks1:{}\n",
            "0".repeat(32)
        );
        let faults = faults(&text);
        let expected = [
            "b:1: the first line should be",
            "b:2: a version",
            "b:3: fingerprint: should be",
            "b:4: expires: `2026-02-30`",
            "b:5: an unresolved conflict",
            "b:6: `line=3`",
            "b:7: secret: should be",
            "b:8: rule: missing",
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, start) in faults.iter().zip(expected) {
            assert!(fault.starts_with(start), "{fault}");
        }
    }

    #[test]
    fn the_same_finding_twice_is_one_and_the_earlier_day_counts() {
        let id = format!("ks1:{} r", "a".repeat(32));
        let text = format!(
            "{HEADER}\n{id} expires=2027-02-01\n{id} # why\n{id} expires=2027-01-01 path=p\n"
        );
        let baseline = Baseline::parse("b", &text).unwrap();
        let entries: Vec<&Entry> = baseline.entries().collect();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].expires, Date::parse("2027-01-01"));
        assert_eq!(entries[0].reason.as_deref(), Some("why"));
    }

    #[test]
    fn a_file_is_saved_whole_and_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("b");
        let mut baseline = Baseline::default();
        baseline.insert(Entry::of(&finding("r", "s", "p", 1), None, None));
        baseline.save(&path).unwrap();
        assert_eq!(Baseline::load(&path).unwrap(), baseline);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(matches!(
            Baseline::load(&dir.path().join("none")),
            Err(Error::Read { .. })
        ));
    }
}
