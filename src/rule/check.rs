//! The named checks: knowledge about formats that a regex cannot hold.
//!
//! In a rule file: `checks = ["not-placeholder", "entropy(3.0)", "crc32-base62"]`.

use std::borrow::Cow;
use std::ops::Range;

use super::pem;
use crate::level::Level;
use crate::text::base64;
use crate::text::bytes::entropy;

/// A named check of a secret.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Check {
    /// At least so many bits of Shannon entropy per character. Each rule that has it states its loss.
    Entropy(f64),
    /// At least so many decimal digits.
    Digits(usize),
    /// Not filler, a sequence, a template or a word such as `example`.
    NotPlaceholder,
    /// Not hexadecimal digits only: those are rather a hash.
    NotHex,
    /// The last six characters are the CRC-32 of those between the last `_` and them, in base 62.
    Crc32Base62,
    /// The last seven characters are the CRC-32 of all before them, in base 36 (GitLab, routable tokens only).
    Crc32Base36,
    /// The last eight characters are the CRC-32 of all before the last `_`, little-endian, in hex (Grafana).
    Crc32Hex,
    /// The base64 text decodes to so many bytes.
    Base64Bytes(usize),
    /// The text after the header is the body of a private key.
    PemBody,
    /// The base64 text decodes to a private key in PEM form.
    PemInBase64,
}

/// Verdict of a check about a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be real.
    Keep,
    /// It is shown, but weighs no more than this; the text says why.
    Lower(Level, &'static str),
    /// It is not a secret; the text says why.
    Drop(&'static str),
}

impl Check {
    /// Reads a check as a rule file names it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, argument) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
            Some((name, argument)) => (name.trim(), Some(argument.trim())),
            None => (text.trim(), None),
        };
        let plain = |check: Self| match argument {
            None => Ok(check),
            Some(_) => Err(format!("check `{name}` takes no argument")),
        };
        let count = || {
            let number = argument.and_then(|argument| argument.parse::<usize>().ok());
            number.ok_or_else(|| format!("check `{name}` needs a whole number, as in `{name}(2)`"))
        };
        match name {
            "entropy" => argument
                .and_then(|argument| argument.parse().ok())
                .filter(|bits: &f64| (0.0..=8.0).contains(bits))
                .map(Self::Entropy)
                .ok_or_else(|| {
                    "check `entropy` needs bits from 0 to 8, as in `entropy(3.0)`".into()
                }),
            "digits" => count().map(Self::Digits),
            "base64-bytes" => count().map(Self::Base64Bytes),
            "not-placeholder" => plain(Self::NotPlaceholder),
            "not-hex" => plain(Self::NotHex),
            "crc32-base62" => plain(Self::Crc32Base62),
            "crc32-base36" => plain(Self::Crc32Base36),
            "crc32-hex" => plain(Self::Crc32Hex),
            "pem-body" => plain(Self::PemBody),
            "pem-in-base64" => plain(Self::PemInBase64),
            _ => Err(format!("no check is called `{name}`")),
        }
    }

    /// The name, as a rule file has it.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Entropy(bits) => format!("entropy({bits:?})").into(),
            Self::Digits(count) => format!("digits({count})").into(),
            Self::Base64Bytes(count) => format!("base64-bytes({count})").into(),
            Self::NotPlaceholder => "not-placeholder".into(),
            Self::NotHex => "not-hex".into(),
            Self::Crc32Base62 => "crc32-base62".into(),
            Self::Crc32Base36 => "crc32-base36".into(),
            Self::Crc32Hex => "crc32-hex".into(),
            Self::PemBody => "pem-body".into(),
            Self::PemInBase64 => "pem-in-base64".into(),
        }
    }

    /// Returns the extent of the secret, for a check that knows better than the regex.
    pub fn extent(&self, bytes: &[u8], secret: Range<usize>) -> Range<usize> {
        match self {
            Self::PemBody => pem::block(bytes, secret.start).unwrap_or(secret),
            _ => secret,
        }
    }

    /// Returns the value that a client would use, if it differs from the text.
    pub fn decode(&self, secret: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::PemBody => pem::normal_form(secret),
            Self::PemInBase64 => pem::normal_form(&base64::decode(secret)?),
            _ => None,
        }
    }

    /// Judges the text of a secret.
    pub fn judge(&self, secret: &[u8]) -> Verdict {
        match self {
            Self::Entropy(bits) if entropy(secret) < *bits => Verdict::Drop("too little entropy"),
            Self::Digits(count) if digits(secret) < *count => Verdict::Drop("too few digits"),
            Self::NotHex if secret.iter().all(u8::is_ascii_hexdigit) => {
                Verdict::Drop("hexadecimal digits only")
            }
            Self::NotPlaceholder => judge_placeholder(secret),
            Self::Crc32Base62 if !crc32_base62_holds(secret) => WRONG_CHECKSUM,
            Self::Crc32Base36 if !crc32_base36_holds(secret) => WRONG_CHECKSUM,
            Self::Crc32Hex if !crc32_hex_holds(secret) => WRONG_CHECKSUM,
            Self::Base64Bytes(count)
                if base64::decode(secret).is_none_or(|bytes| bytes.len() != *count) =>
            {
                Verdict::Drop("does not decode to the length of such a key")
            }
            Self::PemBody => pem::judge(secret),
            Self::PemInBase64 => match base64::decode(secret) {
                Some(text) => pem::judge(&text),
                None => Verdict::Drop("is not base64"),
            },
            _ => Verdict::Keep,
        }
    }
}

/// Silence would hide a token whose checksum scheme changed, an error would cry wolf at made-up ones.
const WRONG_CHECKSUM: Verdict = Verdict::Lower(
    Level::Note,
    "the checksum in it is wrong: made up or cut short",
);

fn digits(text: &[u8]) -> usize {
    text.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// Words of documentation. All have five letters or more: in a random token of 40 letters and digits one of them occurs
/// by chance once in 700,000 times (40 places, 2^5 spellings, 62^5 words, twelve words, the short ones).
const EXAMPLE_WORDS: &[&str] = &["example", "sample", "dummy", "changeme"];

/// Words of a gap that the author has yet to fill in.
const FILLER_WORDS: &[&str] = &[
    "placeholder",
    "redacted",
    "your_",
    "your-",
    "yourtoken",
    "yourapi",
    "yourkey",
    "yoursecret",
    "replace_",
    "replace-",
    "replaceme",
    "xxxxx",
    "insert_",
    "removed_",
];

/// A run of one character of this length is filler. A random hex token of 40 digits has one once in
/// 8 million times (33 places, 16^7).
const FILLER_RUN: usize = 8;

/// So many neighbours that count up or down by one, in a row, are a sequence typed by hand. A random token of 40
/// letters and digits has one once in 10^11 times.
const SEQUENCE_RUN: usize = 8;

fn judge_placeholder(secret: &[u8]) -> Verdict {
    let lower = secret.to_ascii_lowercase();
    let has = |words: &[&str]| {
        words
            .iter()
            .any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
    };
    if has(FILLER_WORDS) || longest_run(&lower, |a, b| a == b) >= FILLER_RUN {
        return Verdict::Drop("a placeholder");
    }
    let up = longest_run(&lower, |a, b| a.wrapping_add(1) == b);
    let down = longest_run(&lower, |a, b| b.wrapping_add(1) == a);
    if up >= SEQUENCE_RUN || down >= SEQUENCE_RUN || is_repetition(&lower) {
        return Verdict::Drop("a sequence typed by hand");
    }
    if has(EXAMPLE_WORDS) {
        return Verdict::Lower(Level::Note, "it calls itself an example");
    }
    Verdict::Keep
}

/// Length of the longest stretch in which each byte follows the one before it.
fn longest_run(text: &[u8], follows: impl Fn(u8, u8) -> bool) -> usize {
    let mut longest = usize::from(!text.is_empty());
    let mut run = 1;
    for pair in text.windows(2) {
        run = if follows(pair[0], pair[1]) {
            run + 1
        } else {
            1
        };
        longest = longest.max(run);
    }
    longest
}

/// Returns true if the last 24 bytes repeat themselves with a period of up to 8: `abc123abc123…`.
fn is_repetition(text: &[u8]) -> bool {
    const TAIL: usize = 24;
    let Some(tail) = text.len().checked_sub(TAIL).and_then(|at| text.get(at..)) else {
        return false;
    };
    (1..=8).any(|period| tail[period..] == tail[..TAIL - period])
}

/// Digits of bases up to 62, as GitHub, npm and GitLab order them.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// CRC-32 of `text` in six digits of base 62, padded with `0` on the left.
pub(crate) fn crc32_base62(text: &[u8]) -> String {
    in_base(crc32fast::hash(text), 62, 6)
}

/// CRC-32 of `text` in seven lower-case digits of base 36, padded with `0` on the left.
pub(crate) fn crc32_base36(text: &[u8]) -> String {
    in_base(crc32fast::hash(text), 36, 7).to_ascii_lowercase()
}

/// CRC-32 of `text` in hex, least significant byte first.
pub(crate) fn crc32_hex(text: &[u8]) -> String {
    let bytes = crc32fast::hash(text).to_le_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn in_base(mut number: u32, base: u32, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % base) as usize];
        number /= base;
    }
    digits.into_iter().map(char::from).collect()
}

fn crc32_base62_holds(secret: &[u8]) -> bool {
    let from = memchr::memrchr(b'_', secret).map_or(0, |at| at + 1);
    let tail = secret.get(from..).unwrap_or_default();
    tail.len()
        .checked_sub(6)
        .is_some_and(|at| crc32_base62(&tail[..at]).as_bytes() == &tail[at..])
}

/// Only tokens of the routable form (`payload.version.checksum`) carry this checksum.
fn crc32_base36_holds(secret: &[u8]) -> bool {
    if memchr::memchr(b'.', secret).is_none() {
        return true;
    }
    secret
        .len()
        .checked_sub(7)
        .is_some_and(|at| crc32_base36(&secret[..at]).as_bytes() == &secret[at..])
}

fn crc32_hex_holds(secret: &[u8]) -> bool {
    memchr::memrchr(b'_', secret).is_some_and(|at| {
        let sum = secret.get(at + 1..).unwrap_or_default();
        crc32_hex(&secret[..at])
            .as_bytes()
            .eq_ignore_ascii_case(sum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for name in [
            "entropy(3.25)",
            "digits(2)",
            "base64-bytes(64)",
            "not-placeholder",
            "not-hex",
            "crc32-base62",
            "crc32-base36",
            "crc32-hex",
            "pem-body",
            "pem-in-base64",
        ] {
            assert_eq!(Check::parse(name).unwrap().name(), name);
        }
        for wrong in [
            "entropy",
            "entropy(9)",
            "entropy(x)",
            "not-hex(1)",
            "digits",
            "sha",
        ] {
            assert!(Check::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn placeholders_are_told_from_tokens() {
        let judge = |text: &str| Check::NotPlaceholder.judge(text.as_bytes());
        assert_eq!(judge("q8Zt2LmW9sKd3XvB7nRy"), Verdict::Keep);
        for filler in [
            "q8Zt2LmWxxxxxxx3XvB7nRy",
            "aaaaaaaaaaaaaaaaaaaa",
            "00000000-0000-0000",
            "your_token_goes_here",
            "q8Zabcdefghij2LmW",
            "q8Z9876543210LmW",
            "abc123abc123abc123abc123abc123",
        ] {
            assert!(matches!(judge(filler), Verdict::Drop(_)), "{filler}");
        }
        assert!(matches!(
            judge("q8Zt2LEXAMPLEmW9sKd3"),
            Verdict::Lower(Level::Note, _)
        ));
    }

    #[test]
    fn checksums_hold_for_what_was_made_with_them_and_for_nothing_else() {
        let body = "q8Zt2LmW9sKd3XvB7nRyq8Zt2LmW9s";
        let token = format!("tok_{body}{}", crc32_base62(body.as_bytes()));
        assert_eq!(Check::Crc32Base62.judge(token.as_bytes()), Verdict::Keep);
        assert_eq!(
            Check::Crc32Base62.judge(&token.as_bytes()[..39]),
            WRONG_CHECKSUM
        );

        let head = format!("gls{}_{body}", "a");
        let token = format!("{head}_{}", crc32_hex(head.as_bytes()));
        assert_eq!(Check::Crc32Hex.judge(token.as_bytes()), Verdict::Keep);
        assert_eq!(Check::Crc32Hex.judge(b"gl_abc_00000000"), WRONG_CHECKSUM);

        let head = format!("tok-{body}.01.0w");
        let token = format!("{head}{}", crc32_base36(head.as_bytes()));
        assert_eq!(Check::Crc32Base36.judge(token.as_bytes()), Verdict::Keep);
        assert_eq!(
            Check::Crc32Base36.judge(b"tok-abc.01.0w0000000"),
            WRONG_CHECKSUM
        );
        assert_eq!(
            Check::Crc32Base36.judge(b"tok-without-a-sum"),
            Verdict::Keep
        );
    }

    /// The vectors were computed apart from this code, with zlib's CRC-32.
    #[test]
    fn the_checksums_are_the_documented_ones() {
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32_hex(b"123456789"), "2639f4cb");
        assert_eq!(crc32_base62(b"123456789"), "3jZRME");
        assert_eq!(crc32_base36(b"123456789"), "1kl8mjq");
    }
}
