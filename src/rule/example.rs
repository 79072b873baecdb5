//! Makes the texts of examples, so that no rule file contains a key, real or made up.
//!
//! | template | becomes |
//! |---|---|
//! | `{hex:32}`, `{HEX:32}` | lower-case, upper-case hex digits |
//! | `{alnum:36}` | letters and digits |
//! | `{lower:20}`, `{upper:20}` | lower-case (upper-case) letters and digits |
//! | `{letters:34}`, `{digits:10}` | letters, digits |
//! | `{base64:40}`, `{url64:40}`, `{base32:16}`, `{bech32:58}` | characters of those alphabets |
//! | `{uuid}` | a random UUID |
//! | `{base64of:N}` | base64 of N random bytes, padded |
//! | `{crc32b62:30}` | so many letters and digits, then their checksum in base 62 |
//! | `{grafana:sa}` | a Grafana token of this kind, with its checksum |
//! | `{gitlab:glpat-}` | a routable GitLab token with this prefix and its checksum |
//! | `{pem:RSA PRIVATE KEY}` | a PEM block that decodes to a sequence of random bytes; `{pemjson:…}` with `\n` |
//! | `{pem64:PRIVATE KEY}` | base64 of such a block |
//! | `{AKIA}`, `{ASIA}`, `{SECRET}`, `{TOKEN:400}` | AWS credentials |
//! | `{again}` | what the last template became |
//! | `{repeat:x,20}` | one character, so many times |
//! | `{split:gh\|p_}` | the parts joined |
//!
//! Everything else, other braces included, stays as it is.

use super::Rule;
use super::check::{crc32_base36, crc32_base62, crc32_hex};
use crate::level::Level;
use crate::text::base64::STANDARD;

const DIGIT: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const LETTER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BECH32: &[u8] = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// Expands the templates in `text`. The same seed gives the same text.
pub fn expand(text: &str, seed: u64) -> String {
    let mut source = Source::new(seed);
    let mut expanded = String::with_capacity(text.len() * 2);
    let mut last = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        expanded.push_str(&rest[..open]);
        rest = &rest[open..];
        let made = rest.find('}').and_then(|close| {
            let (name, argument) = match rest[1..close].split_once(':') {
                Some((name, argument)) => (name, argument),
                None => (&rest[1..close], ""),
            };
            let made = if name == "again" {
                Some(last.clone())
            } else {
                source.make(name, argument)
            };
            made.map(|made| (made, close + 1))
        });
        match made {
            Some((made, length)) => {
                expanded.push_str(&made);
                last = made;
                rest = &rest[length..];
            }
            None => {
                expanded.push('{');
                rest = &rest[1..];
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

/// One example of a rule, ready to be scanned.
#[derive(Clone, Debug)]
pub struct Case {
    /// The rule's id.
    pub rule: String,
    /// Counts from 1, examples and counter-examples each.
    pub number: usize,
    /// True if the rule is to find something in it.
    pub is_found: bool,
    /// The rule's level.
    pub level: Level,
    /// The text to scan.
    pub text: String,
}

impl Case {
    /// Returns its name in a report.
    pub fn name(&self) -> String {
        let kind = if self.is_found {
            "example"
        } else {
            "negative example"
        };
        format!("{}, {kind} {}", self.rule, self.number)
    }

    /// Returns true if the best level at which the rule found something, if it did, is as it should be.
    ///
    /// A finding below the rule's own level, a note for a wrong checksum for instance, is none here.
    pub fn holds(&self, found: Option<Level>) -> bool {
        let is_full = found.is_some_and(|level| level >= self.level);
        is_full == self.is_found
    }
}

/// All examples and counter-examples of a rule. The texts are the same each time.
pub fn cases(rule: &Rule) -> impl Iterator<Item = Case> + '_ {
    let kinds = [(true, &rule.examples), (false, &rule.negative_examples)];
    kinds.into_iter().flat_map(move |(is_found, texts)| {
        texts.iter().enumerate().map(move |(index, text)| Case {
            rule: rule.id.to_string(),
            number: index + 1,
            is_found,
            level: rule.level,
            text: expand(text, seed(rule, index, is_found)),
        })
    })
}

/// Differs from rule to rule and from example to example, so that no two texts share a token.
fn seed(rule: &Rule, index: usize, is_found: bool) -> u64 {
    let id = u64::from(crc32fast::hash(rule.id.as_bytes()));
    id << 16 | (index as u64) << 1 | u64::from(is_found)
}

/// A seeded generator (SplitMix64).
struct Source {
    state: u64,
}

impl Source {
    fn new(seed: u64) -> Self {
        Self {
            state: seed ^ 0x7275_6c65_732e_746f,
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length)
            .map(|_| char::from(alphabet[(self.next() % alphabet.len() as u64) as usize]))
            .collect()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 56) as u8).collect()
    }

    /// Returns the text of a template; `None` for an unknown template.
    fn make(&mut self, name: &str, argument: &str) -> Option<String> {
        let count = || {
            argument
                .parse::<usize>()
                .ok()
                .filter(|count| *count <= 65_536)
        };
        Some(match name {
            "hex" => self.text(HEX, count()?),
            "HEX" => self.text(HEX_UPPER, count()?),
            "alnum" => self.text(ALNUM, count()?),
            "lower" => self.text(LOWER, count()?),
            "upper" => self.text(UPPER, count()?),
            "letters" => self.text(LETTER, count()?),
            "digits" => format!(
                "{}{}",
                self.text(&DIGIT[1..], 1),
                self.text(DIGIT, count()?.checked_sub(1)?)
            ),
            "base32" => self.text(BASE32, count()?),
            "bech32" => self.text(BECH32, count()?),
            "base64" => self.text(BASE64, count()?),
            "url64" => self.text(URL64, count()?),
            "uuid" => [8, 4, 4, 4, 12]
                .map(|length| self.text(HEX, length))
                .join("-"),
            "base64of" => {
                let bytes = self.bytes(count()?);
                STANDARD.encode(&bytes)
            }
            "crc32b62" => {
                let body = self.text(ALNUM, count()?);
                let sum = crc32_base62(body.as_bytes());
                body + &sum
            }
            "grafana" => {
                let head = format!("gl{argument}_{}", self.text(ALNUM, 32));
                let sum = crc32_hex(head.as_bytes());
                format!("{head}_{sum}")
            }
            "gitlab" => {
                let head = format!("{argument}{}.01.0w", self.text(ALNUM, 32));
                let sum = crc32_base36(head.as_bytes());
                head + &sum
            }
            "pem" => self.pem(argument),
            "pemjson" => self.pem(argument).replace('\n', "\\n"),
            "pem64" => STANDARD.encode(self.pem(argument).as_bytes()),
            "AKIA" | "ASIA" => format!(
                "{name}{}{}",
                self.text(b"QRSTUVWXYZ2345", 1),
                self.text(BASE32, 15)
            ),
            "SECRET" => self.secret(),
            "TOKEN" => ["IQoJb3JpZ2lu", "X2Vj", &self.text(BASE64, count()?)].concat(),
            "repeat" => {
                let (unit, count) = argument.split_once(',')?;
                unit.repeat(count.parse::<usize>().ok().filter(|count| *count <= 4096)?)
            }
            "split" => argument.replace('|', ""),
            _ => return None,
        })
    }

    /// A secret access key with a digit and no long stretch of one kind of character.
    fn secret(&mut self) -> String {
        let group = |source: &mut Self| {
            [
                b"abcdefghjkmnpqrstuvwxyz".as_slice(),
                b"ABCDEFGHJKLMNPQRSTUVWXYZ",
                b"23456789",
                BASE64,
            ]
            .map(|alphabet| source.text(alphabet, 1))
            .concat()
        };
        (0..10).map(|_| group(self)).collect()
    }

    /// A PEM block whose body begins like a key and has the length that its header says.
    fn pem(&mut self, title: &str) -> String {
        const LENGTH: usize = 600;
        let mut bytes = if title.starts_with("OPENSSH") {
            b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01".to_vec()
        } else if title.starts_with("PGP") {
            // A version 4 RSA key of 16-bit numbers whose secret part is not protected.
            b"\x95\x02\x58\x04\0\0\0\0\x01\0\x10\xff\xff\0\x10\xff\xff\0".to_vec()
        } else {
            let [high, low] = (LENGTH as u16).to_be_bytes();
            vec![0x30, 0x82, high, low]
        };
        bytes.extend(self.bytes(LENGTH));
        let body = STANDARD.encode(&bytes);
        let mut block = ["-----BEG", "IN ", title, "-----\n"].concat();
        for line in body.as_bytes().chunks(64) {
            block.extend(line.iter().copied().map(char::from));
            block.push('\n');
        }
        block + &["-----E", "ND ", title, "-----"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_expand_and_other_braces_stay() {
        let text = expand(
            r#"{"k": "{split:gh|p_}{hex:8}", "again": "{again}", "x": {y:1}}"#,
            1,
        );
        assert!(text.starts_with(r#"{"k": "ghp_"#), "{text}");
        assert!(text.ends_with(r#""x": {y:1}}"#), "{text}");
        let hex = &text[11..19];
        assert!(hex.bytes().all(|byte| HEX.contains(&byte)), "{text}");
        assert!(text.contains(&format!(r#""again": "{hex}""#)), "{text}");
        assert_eq!(
            text,
            expand(
                r#"{"k": "{split:gh|p_}{hex:8}", "again": "{again}", "x": {y:1}}"#,
                1
            )
        );
        assert_ne!(expand("{alnum:20}", 1), expand("{alnum:20}", 2));
    }
}
