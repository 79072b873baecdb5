//! Literals that lead to a place, and the forms in which a text may hold them. Built for the program and for its
//! build script alike, so it uses nothing but the standard library.

use std::borrow::Cow;

/// A literal that is searched for in every byte that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// The bytes, as they stand in a text. Case-sensitive.
    pub bytes: Cow<'static, [u8]>,
    /// The encoding that these bytes are of.
    pub form: Form,
}

/// The encoding of the text around a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// None: the literal is what the rule file says.
    Plain,
    /// Base64; the literal begins at this character of its group of four.
    Base64(u8),
    /// UTF-16 of either byte order.
    Utf16,
}

/// What gzip looks like in base64, and base64 of that: three bytes of its header, which are four characters, and five
/// characters of these four. They are searched for beside the keywords of rules.
pub const PACKED: [&[u8]; 2] = [b"H4sI", b"SDRzS"];

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bits of a character of base64.
const SEXTET: usize = 6;

impl Keyword {
    /// The literal as it is written.
    pub fn plain(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec().into(),
            form: Form::Plain,
        }
    }

    /// The characters that base64 of a text with `text` in it must have, for each of the three ways in which it can
    /// fall into groups. Characters that depend on the neighbours of `text` are left out.
    pub fn base64(text: &str) -> [Self; 3] {
        [0, 1, 2].map(|before| {
            let start = 8 * before;
            let end = start + 8 * text.len();
            let first = start.div_ceil(SEXTET);
            let digit = |place: usize| {
                (SEXTET * place..SEXTET * (place + 1)).fold(0_usize, |digit, bit| {
                    let byte = text.as_bytes()[(bit - start) / 8];
                    digit << 1 | usize::from(byte >> (7 - (bit - start) % 8) & 1)
                })
            };
            let digits = (first..end / SEXTET).map(|place| DIGITS[digit(place)]);
            Self {
                bytes: digits.collect::<Vec<u8>>().into(),
                form: Form::Base64((first % 4) as u8),
            }
        })
    }

    /// The bytes that UTF-16 of an ASCII text has in either order: a zero between any two.
    pub fn utf16(text: &str) -> Self {
        let mut bytes: Vec<u8> = text.bytes().flat_map(|byte| [byte, 0]).collect();
        bytes.pop();
        Self {
            bytes: bytes.into(),
            form: Form::Utf16,
        }
    }

    /// All keywords of a rule: as written, then their base64 forms, then their UTF-16 forms.
    pub fn all(plain: &[String], base64: &[String], utf16: &[String]) -> Vec<Self> {
        let mut all: Vec<Self> = plain.iter().map(|text| Self::plain(text)).collect();
        all.extend(base64.iter().flat_map(|text| Self::base64(text)));
        all.extend(utf16.iter().map(|text| Self::utf16(text)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(bytes: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        for group in bytes.chunks(3) {
            let mut three = [0; 4];
            three[1..=group.len()].copy_from_slice(group);
            let bits = u32::from_be_bytes(three);
            let digit = |place: usize| DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.extend((0..=group.len()).map(digit));
        }
        text
    }

    #[test]
    fn base64_of_any_text_around_holds_the_form_at_its_place() {
        for word in ["AKIA", "access_key", "ECRET", "abcdefghijkl"] {
            for (before, form) in Keyword::base64(word).iter().enumerate() {
                let Form::Base64(phase) = form.form else {
                    panic!("{form:?}")
                };
                for (around, groups) in [(0_u8, 0), (0xff, 2), (b'x', 5)] {
                    let mut text = vec![around; before + 3 * groups];
                    text.extend_from_slice(word.as_bytes());
                    text.extend([around; 4]);
                    let text = encode(&text);
                    let at = 4 * groups + before + usize::from(before > 0);
                    assert!(text[at..].starts_with(&form.bytes), "{word} {before}");
                    assert_eq!(at % 4, usize::from(phase));
                }
            }
        }
    }

    #[test]
    fn utf16_of_both_orders_holds_the_form() {
        let form = Keyword::utf16("ecret");
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let text: Vec<u8> = "secrets".encode_utf16().flat_map(order).collect();
            assert!(
                text.windows(form.bytes.len())
                    .any(|part| part == &*form.bytes)
            );
        }
    }
}
