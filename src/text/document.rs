//! A TOML document that a person wrote, read so that all its faults can be reported at once.
//!
//! Rule files and configuration files are read through this; what their keys mean is theirs to know.

use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value with its place in the text.
pub type Value<'i> = Spanned<DeValue<'i>>;

/// One thing that is wrong with a file that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as its reader names it.
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// The key at fault, with what it belongs to where that is known: `my-rule.regex`. May be empty.
    pub key: String,
    /// The fault in words.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A fault is one line, whatever stands in the file.
        let line = |text: &str| text.replace('\n', "\\n").replace('\r', "\\r");
        write!(f, "{}:{}: ", line(&self.file), self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", line(&self.key))?;
        }
        f.write_str(&line(&self.message))
    }
}

/// Walks a parsed document and gathers faults, each with its line and key.
#[derive(Debug)]
pub struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    /// Faults found so far.
    pub faults: Vec<Fault>,
    /// The table of the key that is being read; empty at the root.
    pub within: String,
    /// A byte and its line, to count on from.
    counted: (usize, usize),
}

impl<'a> Reader<'a> {
    /// A reader of the file `name`, which holds `text`.
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Self {
            name,
            text,
            faults: Vec::new(),
            within: String::new(),
            counted: (0, 1),
        }
    }

    /// Parses the text; `None`, with the faults noted, where the syntax is wrong: half a document would give false
    /// faults.
    pub fn parse(&mut self) -> Option<Spanned<DeTable<'a>>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            self.fault(at, "syntax", error.message().replace('\n', ", "));
        }
        self.faults.is_empty().then_some(root)
    }

    /// The line of the byte at `at`.
    pub fn line(&mut self, at: usize) -> usize {
        let (from, line) = if at >= self.counted.0 {
            self.counted
        } else {
            (0, 1)
        };
        let between = self.text.as_bytes().get(from..at).unwrap_or_default();
        let line = line + memchr::memchr_iter(b'\n', between).count();
        self.counted = (at, line);
        line
    }

    /// Notes a fault at a byte of the text.
    pub fn fault(&mut self, at: usize, key: &str, message: impl Into<String>) {
        let line = self.line(at);
        let key = match (self.within.as_str(), key) {
            ("", key) => key.to_owned(),
            (within, "") => within.to_owned(),
            (within, key) => format!("{within}.{key}"),
        };
        self.faults.push(Fault {
            file: self.name.to_owned(),
            line,
            key,
            message: message.into(),
        });
    }

    /// Notes that a value has the wrong type.
    pub fn wrong_type(&mut self, value: &Value<'_>, key: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        self.fault(
            value.span().start,
            key,
            format!("should be {wanted}, is {found}"),
        );
    }

    /// A string that is not empty; the empty one, with a fault, for anything else.
    pub fn string(&mut self, value: &Value<'_>, key: &str) -> String {
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => text.to_string(),
            DeValue::String(_) => {
                self.fault(value.span().start, key, "is empty");
                String::new()
            }
            _ => {
                self.wrong_type(value, key, "a string");
                String::new()
            }
        }
    }

    /// A list of strings that are not empty.
    pub fn strings(&mut self, value: &Value<'_>, key: &str) -> Vec<String> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.string(item, key)).collect(),
            _ => {
                self.wrong_type(value, key, "a list of strings");
                Vec::new()
            }
        }
    }

    /// Returns a list of strings, each with its offset in bytes.
    pub fn strings_with_places(&mut self, value: &Value<'_>, key: &str) -> Vec<(usize, String)> {
        match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| (item.span().start, self.string(item, key)))
                .filter(|(_, text)| !text.is_empty())
                .collect(),
            _ => {
                self.wrong_type(value, key, "a list of strings");
                Vec::new()
            }
        }
    }

    /// A whole number from `least` to `most`.
    pub fn number(
        &mut self,
        value: &Value<'_>,
        key: &str,
        least: usize,
        most: usize,
    ) -> Option<usize> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => {
                self.wrong_type(value, key, "a whole number");
                return None;
            }
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault(
                value.span().start,
                key,
                format!("should be {least} to {most}"),
            );
        }
        number
    }

    /// True or false.
    pub fn bool(&mut self, value: &Value<'_>, key: &str) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(value, key, "true or false");
        }
        found
    }
}

/// Returns the name that a mistyped one may mean: at most two letters differ, or one is part of the other.
pub fn closest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let distances = names.into_iter().filter_map(|name| {
        let is_part = word.len() > 3 && (name.contains(word) || word.contains(name));
        let distance = strsim::levenshtein(word, name);
        (distance <= 2 || is_part).then_some((distance, name))
    });
    let (_, name) = distances.min()?;
    Some(name)
}

/// Returns the message about a regex that cannot be compiled: the last line, which names the cause.
pub fn regex_message(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let last = last.unwrap_or("not a regex").trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_right_in_any_order() {
        let mut reader = Reader::new("f", "a\nb\nc\n");
        assert_eq!((reader.line(4), reader.line(0), reader.line(2)), (3, 1, 2));
    }

    #[test]
    fn a_word_that_is_nearly_a_name_is_taken_for_it() {
        let names = ["fail-on", "exclude", "max-file-size"];
        for (word, name) in [
            ("fail_on", Some("fail-on")),
            ("failon", Some("fail-on")),
            ("excludes", Some("exclude")),
            ("file-size", Some("max-file-size")),
            ("threads", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(closest(word, names), name, "{word}");
        }
    }

    #[test]
    fn every_error_of_syntax_is_told() {
        let mut reader = Reader::new("f", "a = \nb = [1\nc = 2\n");
        assert!(reader.parse().is_none());
        let mut lines: Vec<usize> = reader.faults.iter().map(|fault| fault.line).collect();
        lines.dedup();
        assert!(lines.len() > 1, "{:?}", reader.faults);
        assert!(reader.faults.iter().all(|fault| fault.key == "syntax"));
    }
}
