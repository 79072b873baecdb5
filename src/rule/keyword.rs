//! Literals that lead to a place, and the forms in which a text may hold them. Built for the program and for its
//! build script alike, so it uses nothing but the standard library.

use std::borrow::Cow;

/// A literal that is searched for in every byte that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyword {
    /// The bytes to look for in a text. Case-sensitive.
    pub bytes: Cow<'static, [u8]>,
    /// The encoding that these bytes are of.
    pub form: Form,
}

/// The encoding of the text around a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// None: the literal is what the rule file says.
    Plain,
    /// Base64 or hex, perhaps of something encoded: the literal begins at character `phase` of one of the groups of
    /// `group` characters that are decoded each by itself.
    Encoded {
        /// Below `group`.
        phase: u8,
        /// 4 for base64 of a text.
        group: u8,
    },
    /// UTF-16 or UTF-32 of either byte order: so many bytes for a character.
    Wide(u8),
}

/// Beginnings of gzip in base64, and base64 of that: three bytes of its header, which are four characters, and five
/// characters of these four. They are searched for beside the keywords of rules.
pub const PACKED: [&[u8]; 2] = [b"H4sI", b"SDRzS"];

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

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
    pub fn base64(text: &str) -> Vec<Self> {
        Self::encoded(text, &[Coding::Base64])
    }

    /// The characters that a text with `text` in it must have after all `codings`, the first of them first, for each way
    /// in which it can fall into groups.
    pub fn encoded(text: &str, codings: &[Coding]) -> Vec<Self> {
        let layers = codings.iter().filter(|coding| **coding == Coding::Base64);
        let period = 3_usize.pow(layers.count() as u32);
        let written = |bytes: Vec<Option<u8>>| {
            let encode = |bytes: Vec<Option<u8>>, coding: &Coding| coding.encode(&bytes);
            codings.iter().fold(bytes, encode)
        };
        let group = written(vec![None; period]).len();
        let mut forms: Vec<Self> = Vec::new();
        for before in 0..period {
            let known = text.bytes().map(Some);
            let around = std::iter::repeat_n(None, before).chain(known);
            // Enough behind it for each coding to write whole groups.
            let made = written(around.chain(vec![None; period]).collect());
            let start = made.iter().take_while(|byte| byte.is_none()).count();
            let bytes: Vec<u8> = made[start..].iter().map_while(|byte| *byte).collect();
            let form = Form::Encoded {
                phase: (start % group) as u8,
                group: group as u8,
            };
            if forms.iter().all(|known| *known.bytes != *bytes) {
                forms.push(Self {
                    bytes: bytes.into(),
                    form,
                });
            }
        }
        forms
    }

    /// The bytes that UTF-16 and UTF-32 of an ASCII text have in either order: zeros between any two.
    pub fn wide(text: &str) -> [Self; 2] {
        [2, 4].map(|unit: u8| {
            let zeros = usize::from(unit) - 1;
            let unit_of = |byte| std::iter::once(byte).chain(std::iter::repeat_n(0, zeros));
            let mut bytes: Vec<u8> = text.bytes().flat_map(unit_of).collect();
            bytes.truncate(bytes.len().saturating_sub(zeros));
            Self {
                bytes: bytes.into(),
                form: Form::Wide(unit),
            }
        })
    }

    /// All keywords of a rule: as written, then their base64 forms, then those of UTF-16 and UTF-32, then those of
    /// [`Coding::NESTED`].
    pub fn all([plain, base64, utf16, nested]: [&[String]; 4]) -> Vec<Self> {
        let mut all: Vec<Self> = plain.iter().map(|text| Self::plain(text)).collect();
        all.extend(base64.iter().flat_map(|text| Self::base64(text)));
        all.extend(utf16.iter().flat_map(|text| Self::wide(text)));
        let nested = nested.iter().flat_map(|text| {
            let of_all = Coding::NESTED.iter();
            of_all.flat_map(move |codings| Self::encoded(text, codings))
        });
        for form in nested {
            // Digits alone are the same in capitals.
            if all.iter().all(|known| known.bytes != form.bytes) {
                all.push(form);
            }
        }
        all
    }
}

/// A way to write bytes as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Base64 of the standard alphabet.
    Base64,
    /// Hex digits, those above 9 in lower case.
    Hex,
    /// Hex digits, those above 9 in capitals.
    HexCapitals,
    /// UTF-16, low byte first.
    Utf16,
}

impl Coding {
    /// Nested encodings that are searched for beside base64 of a text: `-EncodedCommand`, a secret in a secret in a
    /// manifest, hex.
    const NESTED: [&[Self]; 8] = [
        &[Self::Hex],
        &[Self::HexCapitals],
        &[Self::Base64, Self::Base64],
        &[Self::Base64, Self::Base64, Self::Base64],
        &[Self::Utf16, Self::Base64],
        &[Self::Hex, Self::Base64],
        &[Self::Base64, Self::Hex],
        &[Self::Base64, Self::HexCapitals],
    ];

    /// Encodes bytes of which some are not known; what depends on these is not known either. An incomplete group at
    /// the end is left out.
    fn encode(self, bytes: &[Option<u8>]) -> Vec<Option<u8>> {
        let digits: &[u8] = match self {
            Self::Utf16 => {
                let unit = |byte: &Option<u8>| [*byte, byte.map(|_| 0)];
                return bytes.iter().flat_map(unit).collect();
            }
            Self::Base64 => DIGITS,
            Self::Hex => b"0123456789abcdef",
            Self::HexCapitals => b"0123456789ABCDEF",
        };
        let bits = digits.len().ilog2() as usize;
        let digit = |place: usize| {
            let value = (bits * place..bits * (place + 1)).try_fold(0_usize, |value, bit| {
                let byte = bytes[bit / 8]?;
                Some(value << 1 | usize::from(byte >> (7 - bit % 8) & 1))
            })?;
            Some(digits[value])
        };
        (0..8 * bytes.len() / bits).map(digit).collect()
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
                let Form::Encoded { phase, group: 4 } = form.form else {
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
    fn a_text_that_is_encoded_over_and_over_holds_a_form_at_its_place() {
        let hex = |bytes: &[u8]| {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>().into_bytes()
        };
        let codings = [
            Coding::NESTED[0],
            Coding::NESTED[2],
            Coding::NESTED[3],
            Coding::NESTED[5],
            Coding::NESTED[6],
        ];
        for codings in codings {
            let forms = Keyword::encoded("AKIA", codings);
            assert!(forms.iter().all(|form| form.bytes.len() >= 4), "{forms:?}");
            for before in 0..60 {
                let mut text = vec![b'x'; before];
                text.extend_from_slice(b"AKIA and more of it");
                for coding in codings {
                    text = match coding {
                        Coding::Base64 => encode(&text),
                        _ => hex(&text),
                    };
                }
                let held = forms.iter().any(|form| {
                    let Form::Encoded { phase, group } = form.form else {
                        panic!("{form:?}")
                    };
                    let mut places = (usize::from(phase)..text.len()).step_by(group.into());
                    places.any(|at| text[at..].starts_with(&form.bytes))
                });
                assert!(held, "{codings:?} {before}");
            }
        }
    }

    #[test]
    fn units_of_both_orders_hold_the_form() {
        for (form, unit) in Keyword::wide("ecret").iter().zip([2, 4]) {
            assert_eq!(form.form, Form::Wide(unit));
            let text = "secrets".chars().map(u32::from);
            let big: Vec<u8> = text.flat_map(u32::to_be_bytes).collect();
            let big: Vec<u8> = big
                .chunks(4)
                .flat_map(|one| &one[4 - usize::from(unit)..])
                .copied()
                .collect();
            let little: Vec<u8> = big
                .chunks(unit.into())
                .flat_map(|one| one.iter().rev())
                .copied()
                .collect();
            for text in [big, little] {
                let length = form.bytes.len();
                assert!(text.windows(length).any(|part| part == &*form.bytes));
            }
        }
    }
}
