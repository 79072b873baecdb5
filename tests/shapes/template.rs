//! Templates of texts with places for values, and what must be found in them once they are filled.
//!
//! The places of the values are known from the filling itself, never from the engine.

use std::collections::BTreeMap;
use std::fmt;

use crate::support::Keys;

/// A text with a place for each value, and what must be found in it.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Number and title.
    pub title: String,
    /// The text, with `{ID}`, `{SECRET:pct}` and the like.
    pub text: String,
    /// Findings that are required.
    pub expected: Vec<Expected>,
    /// Nothing may be put between its lines, and their order matters.
    pub is_fixed: bool,
    /// One half alone: the content of other files matters.
    pub is_lone: bool,
    /// Written as UTF-16.
    pub is_wide: bool,
    /// Id and secret keep their order.
    pub is_ordered: bool,
}

/// One finding, by the places of the template.
#[derive(Clone, Debug)]
pub struct Expected {
    level: String,
    /// Key id, secret, token.
    parts: [Option<Slot>; 3],
    context: Option<String>,
}

/// The occurrence of a value; `(SECRET)` is not there but is known from elsewhere.
#[derive(Clone, Debug)]
struct Slot {
    name: String,
    occurrence: usize,
    is_absent: bool,
}

impl Slot {
    fn parse(text: &str) -> Option<Self> {
        if text == "-" {
            return None;
        }
        let inner = text
            .strip_prefix('(')
            .and_then(|text| text.strip_suffix(')'));
        let (name, occurrence) = inner
            .unwrap_or(text)
            .split_once('@')
            .unwrap_or((inner.unwrap_or(text), "1"));
        Some(Self {
            name: name.to_owned(),
            occurrence: occurrence.parse().expect("a number"),
            is_absent: inner.is_some(),
        })
    }
}

/// A filled template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The text.
    pub bytes: Vec<u8>,
    /// Places of the values.
    pub marks: Vec<Mark>,
}

/// Place of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// `ID`, `SECRET2`, ...
    pub slot: String,
    /// The value that a client would use.
    pub value: String,
    /// First byte.
    pub start: usize,
    /// Past the last byte.
    pub end: usize,
}

/// One part of a finding: its value, and its bytes if they are here.
pub type Part = Option<(String, Option<(usize, usize)>)>;

/// A finding in comparable form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// `error`, `warning`, `note`.
    pub level: String,
    /// Rule id.
    pub rule: String,
    /// Key id, secret, token.
    pub parts: [Part; 3],
    /// Kind of place; empty if it does not matter.
    pub context: String,
}

impl fmt::Debug for Row {
    /// One line; long values are cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.rule)?;
        for part in &self.parts {
            match part {
                None => write!(f, " -")?,
                Some((value, None)) => write!(f, " ({})", &value[..value.len().min(44)])?,
                Some((value, Some((start, end)))) => {
                    write!(f, " {}@{start}..{end}", &value[..value.len().min(44)])?;
                }
            }
        }
        write!(f, " | {}", self.context)
    }
}

/// Reads a table of shapes.
pub fn parse(table: &str) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for block in format!("\n{table}").split("\n#### ").skip(1) {
        let (title, mut rest) = block.split_once('\n').expect("a text");
        let mut shape = Shape {
            title: title.to_owned(),
            text: String::new(),
            expected: Vec::new(),
            is_fixed: false,
            is_lone: false,
            is_wide: false,
            is_ordered: false,
        };
        loop {
            let (line, after) = rest.split_once('\n').expect("a text");
            if let Some(expected) = line.strip_prefix("= ") {
                shape.expected.push(parse_expected(expected));
            } else if let Some(flag) = line.strip_prefix("! ") {
                match flag {
                    "fixed" => shape.is_fixed = true,
                    "lone" => shape.is_lone = true,
                    "wide" => shape.is_wide = true,
                    "ordered" => shape.is_ordered = true,
                    _ => panic!("{flag}"),
                }
            } else {
                break;
            }
            rest = after;
        }
        shape.text = format!("{}\n", rest.trim_end_matches('\n'));
        shapes.push(shape);
    }
    shapes
}

fn parse_expected(line: &str) -> Expected {
    let (parts, context) = match line.split_once(" | ") {
        Some((parts, context)) => (parts, Some(context.to_owned())),
        None => (line, None),
    };
    let mut words = parts.split(' ');
    let level = words.next().expect("a level").to_owned();
    let mut slot = || words.next().and_then(Slot::parse);
    Expected {
        level,
        parts: [slot(), slot(), slot()],
        context,
    }
}

impl Shape {
    /// Puts fresh values into the template.
    pub fn fill(&self, keys: &mut Keys) -> Filled {
        fill(&self.text, keys)
    }

    /// Returns the findings that are required in the filled template.
    pub fn rows(&self, filled: &Filled) -> Vec<Row> {
        let mut rows: Vec<Row> = self.expected.iter().map(|one| one.row(filled)).collect();
        rows.sort();
        rows
    }
}

impl Expected {
    fn row(&self, filled: &Filled) -> Row {
        let parts = self.parts.each_ref().map(|slot| {
            let slot = slot.as_ref()?;
            let mut marks = filled.marks.iter().filter(|mark| mark.slot == slot.name);
            let mark = marks
                .nth(slot.occurrence - 1)
                .expect("a value of that name");
            let span = (!slot.is_absent).then_some((mark.start, mark.end));
            Some((mark.value.clone(), span))
        });
        let is_temporary = self.parts[0]
            .as_ref()
            .is_some_and(|slot| slot.name.starts_with("ASIA"));
        let rule = match (&parts, self.level.as_str()) {
            ([Some(_), Some(_), _], _) if is_temporary => "aws-temporary-credentials",
            ([Some(_), Some(_), _], _) => "aws-access-key-pair",
            ([Some(_), None, _], "note") => "aws-presigned-url",
            ([Some(_), None, _], _) => "aws-access-key-id",
            ([None, Some(_), _], _) => "aws-secret-access-key",
            _ => "aws-session-token",
        };
        Row {
            level: self.level.clone(),
            rule: rule.to_owned(),
            parts,
            context: self.context.clone().unwrap_or_default(),
        }
    }
}

/// Puts fresh values into a template; equal places get equal values.
pub fn fill(template: &str, keys: &mut Keys) -> Filled {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut filled = Filled::default();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        filled.bytes.extend_from_slice(&rest.as_bytes()[..open]);
        rest = &rest[open..];
        let close = rest.find('}').unwrap_or(0);
        let inner = rest.get(1..close).unwrap_or_default();
        let (slot, form) = inner.split_once(':').unwrap_or((inner, ""));
        if !put(&mut filled, &mut values, keys, slot, form) {
            filled.bytes.push(b'{');
            rest = &rest[1..];
        } else {
            rest = &rest[close + 1..];
        }
    }
    filled.bytes.extend_from_slice(rest.as_bytes());
    filled
}

/// Writes one value in the form asked for; `false` if that is no place for a value.
fn put(
    filled: &mut Filled,
    values: &mut BTreeMap<String, String>,
    keys: &mut Keys,
    slot: &str,
    form: &str,
) -> bool {
    let number = |form: &str| form.parse().ok();
    let plain = match slot {
        "BOM" => "\u{feff}".to_owned(),
        "ROLEID" => format!("AROA{}", keys.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 17)),
        "SES" => format!("BM{}", &keys.secret()) + "aZ",
        "HEX64" => keys.hex(64),
        "B64" => keys.token(0).replace("IQoJb3JpZ2luX2Vj", "") + &keys.secret() + "aZ9",
        "BLOB" => {
            let file = fill(
                "[default]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n",
                keys,
            );
            let file = file.base64(&Base64::default());
            filled.append(&file);
            return true;
        }
        _ => {
            let name = slot.trim_end_matches(|digit: char| digit.is_ascii_digit());
            let length = number(form).unwrap_or_else(|| 700 + keys.below(500));
            if !matches!(name, "ID" | "ASIA" | "SECRET" | "TOKEN") {
                return false;
            }
            let value = values.entry(slot.to_owned()).or_insert_with(|| match name {
                "ID" => keys.id(),
                "ASIA" => keys.temporary_id(),
                "SECRET" => keys.secret(),
                _ => keys.token(length),
            });
            let value = value.clone();
            put_value(filled, slot, &value, form);
            return true;
        }
    };
    filled.bytes.extend_from_slice(plain.as_bytes());
    true
}

fn put_value(filled: &mut Filled, slot: &str, value: &str, form: &str) {
    let half = value.len() / 2;
    let text = match form {
        "a" => value[..half].to_owned(),
        "b" => value[half..].to_owned(),
        "pct" => value.replace('/', "%2F").replace('+', "%2B"),
        "pctpct" => value.replace('/', "%252F").replace('+', "%252B"),
        "js" => value.replace('/', "\\/"),
        "u" => value.replace('+', "\\u002B"),
        "html" => value.replace('/', "&#47;").replace('+', "&#43;"),
        "htmlx" => value.replace('/', "&#x2F;").replace('+', "&#x2b;"),
        "b64" | "b64nl" => {
            let newline = if form == "b64nl" { "\n" } else { "" };
            let inner = Filled::of(slot, value, newline);
            filled.append(&inner.base64(&Base64::default()));
            return;
        }
        _ => value.to_owned(),
    };
    let start = filled.bytes.len();
    filled.bytes.extend_from_slice(text.as_bytes());
    let end = filled.bytes.len();
    if form == "b" {
        let mut marks = filled.marks.iter_mut().rev();
        marks
            .find(|mark| mark.slot == slot)
            .expect("the first half")
            .end = end;
        return;
    }
    filled.marks.push(Mark {
        slot: slot.to_owned(),
        value: value.to_owned(),
        start,
        end,
    });
}

/// Style of base64.
#[derive(Clone, Debug, Default)]
pub struct Base64 {
    /// With `-` and `_`.
    pub is_url: bool,
    /// Without `=`.
    pub is_unpadded: bool,
    /// Broken into lines of so many characters, each after this text.
    pub wrap: Option<(usize, &'static str)>,
}

impl Filled {
    /// Makes a text of one value and what follows it.
    pub fn of(slot: &str, value: &str, after: &str) -> Self {
        Self {
            bytes: [value, after].concat().into_bytes(),
            marks: vec![Mark {
                slot: slot.to_owned(),
                value: value.to_owned(),
                start: 0,
                end: value.len(),
            }],
        }
    }

    /// Puts another text behind this one.
    pub fn append(&mut self, other: &Filled) {
        let by = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        self.marks.extend(other.marks.iter().map(|mark| Mark {
            start: mark.start + by,
            end: mark.end + by,
            ..mark.clone()
        }));
    }

    /// The text between two others.
    pub fn between(&self, before: &[u8], after: &[u8]) -> Self {
        let mut made = Self {
            bytes: before.to_vec(),
            marks: Vec::new(),
        };
        made.append(self);
        made.bytes.extend_from_slice(after);
        made
    }

    /// Replaces each byte by others.
    pub fn map(&self, mut of: impl FnMut(usize, u8) -> Vec<u8>) -> Self {
        let mut bytes = Vec::with_capacity(self.bytes.len() * 2);
        let mut places = Vec::with_capacity(self.bytes.len());
        for (at, byte) in self.bytes.iter().enumerate() {
            let start = bytes.len();
            bytes.extend(of(at, *byte));
            places.push((start, bytes.len()));
        }
        self.placed(bytes, |start, end| (places[start].0, places[end - 1].1))
    }

    /// Puts text at the start of each line that has something in it.
    pub fn indented(&self, indent: &[u8]) -> Self {
        let starts_line = |at: usize| at == 0 || self.bytes[at - 1] == b'\n';
        let mut before = 0;
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for (at, byte) in self.bytes.iter().enumerate() {
            if starts_line(at) && *byte != b'\n' {
                bytes.extend_from_slice(indent);
                before += indent.len();
            }
            bytes.push(*byte);
            places.push(at + before);
        }
        self.placed(bytes, |start, end| (places[start], places[end - 1] + 1))
    }

    fn placed(&self, bytes: Vec<u8>, of: impl Fn(usize, usize) -> (usize, usize)) -> Self {
        let marks = self.marks.iter().map(|mark| {
            let (start, end) = of(mark.start, mark.end);
            Mark {
                start,
                end,
                ..mark.clone()
            }
        });
        Self {
            bytes,
            marks: marks.collect(),
        }
    }

    /// Returns the text in base64: a value is at the characters that encode a bit of it.
    pub fn base64(&self, how: &Base64) -> Self {
        let mut alphabet = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        if how.is_url {
            alphabet[62..].copy_from_slice(b"-_");
        }
        let mut bytes = Vec::new();
        for chunk in self.bytes.chunks(3) {
            let group = (0..3).fold(0u32, |group, at| {
                group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
            });
            for at in 0..4 {
                if at <= chunk.len() {
                    bytes.push(alphabet[(group >> (18 - 6 * at) & 63) as usize]);
                } else if !how.is_unpadded {
                    bytes.push(b'=');
                }
            }
        }
        let coded = self.placed(bytes, |start, end| (start * 4 / 3, (end * 4).div_ceil(3)));
        match how.wrap {
            None => coded,
            Some((width, indent)) => {
                // The break belongs to the line before.
                let last = coded.bytes.len() - 1;
                let broken = coded.map(|at, byte| {
                    let mut made = vec![byte];
                    if at < last && at % width == width - 1 {
                        made.push(b'\n');
                        made.extend_from_slice(indent.as_bytes());
                    }
                    made
                });
                broken.trimmed(1 + indent.len())
            }
        }
    }

    /// Takes the break off the marks that end with one.
    fn trimmed(mut self, length: usize) -> Self {
        for mark in &mut self.marks {
            let cut = mark.end - length.min(mark.end - mark.start);
            if self.bytes.get(cut) == Some(&b'\n') {
                mark.end = cut;
            }
        }
        self
    }

    /// The inside of a JSON string that holds the text.
    pub fn json(&self) -> Self {
        self.map(|_, byte| match byte {
            b'"' => b"\\\"".to_vec(),
            b'\\' => b"\\\\".to_vec(),
            b'\n' => b"\\n".to_vec(),
            b'\r' => b"\\r".to_vec(),
            b'\t' => b"\\t".to_vec(),
            byte => vec![byte],
        })
    }

    /// The text as UTF-16 without a byte order mark.
    pub fn wide(&self, is_big: bool) -> Self {
        self.map(|_, byte| if is_big { vec![0, byte] } else { vec![byte, 0] })
    }

    /// Line and column of a byte, 1-based, in characters; the byte order mark is none.
    pub fn position(&self, at: usize) -> (usize, usize) {
        let (is_little, mark) = match self.bytes.as_slice() {
            [0xff, 0xfe, ..] => (Some(true), 1),
            [0xfe, 0xff, ..] => (Some(false), 1),
            [0xef, 0xbb, 0xbf, ..] => (None, 1),
            [first, 0, _, 0, ..] if *first != 0 => (Some(true), 0),
            [0, first, 0, ..] if *first != 0 => (Some(false), 0),
            _ => (None, 0),
        };
        let units: Vec<&[u8]> = match is_little {
            Some(_) => self.bytes[..at].chunks(2).collect(),
            None => self.bytes[..at].chunks(1).collect(),
        };
        let line_feed: &[u8] = match is_little {
            Some(true) => b"\n\0",
            Some(false) => b"\0\n",
            None => b"\n",
        };
        let starts_character = |unit: &&&[u8]| is_little.is_some() || unit[0] & 0xc0 != 0x80;
        let line = units.iter().filter(|unit| **unit == line_feed).count() + 1;
        let start = units.iter().rposition(|unit| *unit == line_feed);
        let before = &units[start.map_or(0, |at| at + 1)..];
        let column = before.iter().filter(starts_character).count() + 1;
        (line, if line == 1 { column - mark } else { column })
    }
}
