//! Reads the tables beside this file and fills them. Their first lines say the form.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::support::{Keys, base64};

const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const WORDS: [&str; 8] = [
    "the", "note", "says", "that", "each", "person", "keeps", "one",
];

/// A text with places for values, and its right answer.
#[derive(Clone, Debug)]
pub struct Case {
    pub title: String,
    pub group: String,
    text: String,
    want: Vec<String>,
    /// Reason why another answer is accepted.
    pub exception: Option<String>,
}

/// A filled case.
pub struct Filled {
    pub text: String,
    /// Level, ID and secret; `?` is any secret.
    pub want: BTreeSet<Finding>,
}

/// Reads a table: one case for each alternative of each block.
pub fn read(table: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in format!("\n{table}").split("\n#### ").skip(1) {
        let (title, mut rest) = block.split_once('\n').expect("a text");
        let mut case = Case {
            title: title.to_owned(),
            group: "misleading".to_owned(),
            text: String::new(),
            want: Vec::new(),
            exception: None,
        };
        let (mut alternatives, mut is_cut) = (Vec::new(), false);
        loop {
            let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
            match line.split_once(' ') {
                Some(("@", words)) => {
                    let (group, _) = words.split_once(' ').expect("a group and a file");
                    case.group = group.to_owned();
                }
                // Comments of some languages start with the same sign.
                Some(("%", list)) if list.starts_with("x = ") => {
                    alternatives = list["x = ".len()..].split(" | ").collect();
                }
                Some(("=", want)) => case.want.push(want.to_owned()),
                Some(("~", reason)) => case.exception = Some(reason.to_owned()),
                Some(("!", "cut")) => is_cut = true,
                _ => break,
            }
            rest = after;
        }
        let end = if is_cut { "" } else { "\n" };
        case.text = format!("{}{end}", rest.trim_end_matches('\n'));
        if alternatives.is_empty() {
            cases.push(case);
            continue;
        }
        for one in alternatives {
            cases.push(Case {
                title: case.title.replace("<x>", one),
                text: case.text.replace("<x>", one),
                ..case.clone()
            });
        }
    }
    cases
}

impl Case {
    /// Puts fresh values into the text; equal names get equal values. Secrets have a sign.
    pub fn fill(&self, keys: &mut Keys) -> Filled {
        self.fill_with(keys, secret_with_sign)
    }

    /// The same with secrets of letters and digits only, as a quarter of all are.
    pub fn fill_plain(&self, keys: &mut Keys) -> Filled {
        self.fill_with(keys, secret_without_sign)
    }

    /// Returns true if a secret is written in two pieces: two words without a sign are no halves.
    pub fn is_in_pieces(&self) -> bool {
        self.text.contains("<S1:a")
    }

    fn fill_with(&self, keys: &mut Keys, secret: fn(&mut Keys) -> String) -> Filled {
        let mut values: BTreeMap<&str, String> = BTreeMap::new();
        let mut text = String::new();
        let mut rest = self.text.as_str();
        while let Some(open) = rest.find('<') {
            text.push_str(&rest[..open]);
            rest = &rest[open..];
            let inner = rest.find('>').map(|close| &rest[1..close]);
            match inner.and_then(|inner| Some((inner, value(inner, &mut values, keys, secret)?))) {
                Some((inner, value)) => {
                    text.push_str(&value);
                    rest = &rest[inner.len() + 2..];
                }
                None => {
                    text.push('<');
                    rest = &rest[1..];
                }
            }
        }
        text.push_str(rest);
        let half = |word: &str| match word {
            "-" => None,
            "?" => Some("?".to_owned()),
            name => Some(values[name].clone()),
        };
        let finding = |line: &String| {
            let words: Vec<&str> = line.split(' ').collect();
            let [level, id, secret] = words[..] else {
                panic!("{line}");
            };
            (level.to_owned(), half(id), half(secret))
        };
        let want = self.want.iter().map(finding).collect();
        Filled { text, want }
    }
}

/// The value of a place such as `I1`, `N40`, `S1:pct`; `None` if it is none.
fn value<'a>(
    place: &'a str,
    values: &mut BTreeMap<&'a str, String>,
    keys: &mut Keys,
    secret: fn(&mut Keys) -> String,
) -> Option<String> {
    if let Some(lines) = place.strip_prefix("LINES") {
        let lines = 0..lines.parse::<usize>().ok()?;
        let lines: Vec<String> = lines.map(|at| format!("option_{at} = {at}")).collect();
        return Some(lines.join("\n"));
    }
    match place {
        "ESC" => return Some("\u{1b}".to_owned()),
        "CR" => return Some("\r".to_owned()),
        "TAB" => return Some("\t".to_owned()),
        "NBSP" => return Some("\u{a0}".to_owned()),
        "ZWSP" => return Some("\u{200b}".to_owned()),
        "AKIA" => return Some("AKIA".to_owned()),
        _ => {}
    }
    let (name, form) = place.split_once(':').unwrap_or((place, ""));
    let number: usize = name.get(1..)?.parse().ok()?;
    let fresh = |alphabet: &[u8], keys: &mut Keys| Some(keys.text(alphabet, number));
    let plain = match name.as_bytes()[0] {
        b'N' => fresh(&BASE64[..62], keys)?,
        b'B' => fresh(BASE64, keys)?,
        b'H' => keys.hex(number),
        b'U' => fresh(UPPER, keys)?,
        b'X' => fresh(LOWER, keys)?,
        b'L' => fresh(&LOWER[..26], keys)?,
        b'R' => fresh(BASE32, keys)?,
        b'Y' => readable(number, keys),
        kind => {
            let draw = match kind {
                b'I' => Keys::id,
                b'A' => Keys::temporary_id,
                b'S' => secret,
                b'F' => Keys::secret,
                b'T' => |keys: &mut Keys| keys.token(420),
                b'W' => |keys: &mut Keys| keys.text(UPPER, 20),
                _ => return None,
            };
            values.entry(name).or_insert_with(|| draw(keys)).clone()
        }
    };
    Some(written(&plain, form))
}

/// A secret with a digit and one of `+/`, as in the reports that the layouts are from.
fn secret_with_sign(keys: &mut Keys) -> String {
    loop {
        let secret = keys.secret();
        if secret.contains(['+', '/']) && secret.contains(|one: char| one.is_ascii_digit()) {
            return secret;
        }
    }
}

fn secret_without_sign(keys: &mut Keys) -> String {
    loop {
        let secret = keys.secret();
        if secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return secret;
        }
    }
}

/// Base64 of readable words, without padding.
fn readable(length: usize, keys: &mut Keys) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(WORDS[keys.below(WORDS.len())]);
        text.push(' ');
    }
    base64(&text.as_bytes()[..length * 3 / 4])
}

/// A value in an encoded or cut form.
fn written(plain: &str, form: &str) -> String {
    match form {
        "" => plain.to_owned(),
        "pct" => plain.replace('/', "%2F").replace('+', "%2B"),
        "sed" => plain.replace('/', "\\/"),
        "b64" => base64(plain.as_bytes()),
        "sp4" => {
            let groups = plain.as_bytes().chunks(4);
            let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
            groups.join(" ")
        }
        _ => {
            let (side, length) = form.split_at(1);
            let half = length.parse().unwrap_or(plain.len() / 2);
            let (first, second) = plain.split_at(half);
            match side {
                "a" => first.to_owned(),
                "b" => second.to_owned(),
                _ => panic!("no form {form}"),
            }
        }
    }
}
