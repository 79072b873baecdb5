//! Secret access keys: what tells one from the many other things that are 40 characters long.
//!
//! A secret is 40 uniform characters of `A-Za-z0-9+/`. Each test below states the share of true secrets
//! that it loses: entropy losses are exact sums over all partitions of 40, class losses are products,
//! losses by class changes are from the exact chain. The total is kept under 1 in 1,000 for a secret that no
//! name vouches for, and under 1 in 100,000 for one under a telling name.

use super::invented;
use crate::text::bytes::entropy;

/// Length of a secret access key, in characters.
pub const LENGTH: usize = 40;

/// Least entropy under a telling name, bits a character. Loses 1.3e-7; the most that 40 hex digits reach is 3.971.
const ENTROPY_NAMED: f64 = 4.0;

/// Least entropy without a name, bits a character. Loses 1.1e-4.
const ENTROPY_BARE: f64 = 4.25;

/// Least number of class changes under a telling name. Loses 3.7e-6 (10 or fewer).
const CHANGES_NAMED: usize = 11;

/// Least number of capitals of a value of letters only under a telling name: class names have fewer. Loses 2.1e-6.
const CAPITALS_NAMED: usize = 13;

/// Most lower-case letters under a telling name: paths and prose have more. Loses 2.3e-6.
const LOWER_NAMED: usize = 30;

/// Most lower-case letters without a name: what is glued together of class names has more. Loses 4.5e-5.
const LOWER_BARE: usize = 28;

/// Least number of class changes without a name. Loses 1.8e-4 (13 or fewer).
const CHANGES_BARE: usize = 14;

/// Words that people write where a secret should go. Each loses under 4e-8: 35 places for six letters in either case.
const PLACEHOLDERS: &[&[u8]] = &[
    b"secret",
    b"replace",
    b"goeshere",
    b"changeme",
    b"accesskey",
    b"yourkey",
    b"redacted",
    b"example",
];

/// Evidence for a value beside its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// Nothing but a key id nearby: every test applies. Loses 9e-4 in all.
    Bare,
    /// A name that says "secret": only the mildest tests apply. Loses under 1e-5 in all.
    Named,
}

/// Reason why a value of 40 characters is not accepted as a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Only hex digits: a hash.
    Hex,
    /// Too few different characters.
    Entropy,
    /// Upper case, lower case, or digits and `+` are missing.
    Classes,
    /// Too few changes of class: words, a path, a class name.
    Changes,
    /// It contains words of a placeholder.
    Placeholder,
}

impl Rejection {
    /// The reason as `--explain` gives it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Hex => "40 hex digits: a hash",
            Self::Entropy => "too few different characters for a random value",
            Self::Classes => "upper case, lower case or digits are missing",
            Self::Placeholder => "words of a placeholder stand in it",
            Self::Changes => {
                "too few changes between upper case, lower case and digits: words or a path"
            }
        }
    }
}

/// Checks a value of 40 characters of the alphabet; `None` means that it can be a secret.
pub fn reject(value: &[u8], evidence: Evidence) -> Option<Rejection> {
    if value.iter().all(u8::is_ascii_hexdigit) {
        return Some(Rejection::Hex);
    }
    if PLACEHOLDERS.iter().any(|word| holds(value, word)) {
        return Some(Rejection::Placeholder);
    }
    let (least_entropy, least_changes, most_lower) = match evidence {
        Evidence::Bare => (ENTROPY_BARE, CHANGES_BARE, LOWER_BARE),
        Evidence::Named => (ENTROPY_NAMED, CHANGES_NAMED, LOWER_NAMED),
    };
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    // No upper or no lower case: 1.8e-9. Without a name also one of `0-9+` is asked for: 5.3e-4.
    let has_classes = has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && (evidence == Evidence::Named || has(|byte| byte.is_ascii_digit() || *byte == b'+'));
    if !has_classes {
        return Some(Rejection::Classes);
    }
    let capitals = value
        .iter()
        .filter(|byte| byte.is_ascii_uppercase())
        .count();
    let is_class_name = (capitals < CAPITALS_NAMED && value.iter().all(u8::is_ascii_alphabetic))
        || is_logical_id(value);
    let is_path = value
        .iter()
        .filter(|byte| byte.is_ascii_lowercase())
        .count()
        > most_lower;
    if is_class_name || is_path || class_changes(value) < least_changes {
        return Some(Rejection::Changes);
    }
    (entropy(value) < least_entropy).then_some(Rejection::Entropy)
}

/// Returns true for letters that end in 8 capital hex digits, as CloudFormation names what CDK makes. Loses 2e-8.
fn is_logical_id(value: &[u8]) -> bool {
    let (name, hash) = value.split_at(value.len() - value.len().min(8));
    let is_digit = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F');
    name.iter().all(u8::is_ascii_alphabetic) && hash.iter().all(is_digit)
}

/// Returns true if documentation prints the value.
pub fn is_example(value: &[u8]) -> bool {
    // In a random secret: below 1e-10. Documentation writes it in capitals; other spellings are words in a path.
    value.windows(7).any(|window| window == b"EXAMPLE")
}

/// Says why a value of the form of a secret opens nothing, if that shows.
pub fn harmless(value: &[u8]) -> Option<&'static str> {
    match is_example(value) {
        true => Some("documentation example"),
        false => invented::secret(value),
    }
}

/// Returns true if a value contains a word, in any case.
fn holds(value: &[u8], word: &[u8]) -> bool {
    value
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word))
}

/// Counts neighbours of different classes: lower case, upper case, digit, other.
pub fn class_changes(value: &[u8]) -> usize {
    value
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count()
}

fn class(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_names_and_paths_are_no_secrets() {
        for value in [
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
            "AbstractSingletonProxyFactoryBeanBuilder",
            "com/amazonaws/services/s3/model/S3Object",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert_eq!(value.len(), LENGTH);
            assert!(
                reject(value.as_bytes(), Evidence::Bare).is_some(),
                "{value}"
            );
            assert!(
                reject(value.as_bytes(), Evidence::Named).is_some(),
                "{value}"
            );
        }
    }

    #[test]
    fn class_names_of_compiled_code_are_no_bare_secrets() {
        let value = ["GooglePrivacyDlpV2Amazon", "S3BucketzkAmazon"].concat();
        assert_eq!(value.len(), LENGTH);
        assert_eq!(
            reject(value.as_bytes(), Evidence::Bare),
            Some(Rejection::Changes)
        );
    }

    #[test]
    fn the_loss_of_true_secrets_stays_under_its_budget() {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut state = 7u64;
        let (mut bare, mut named) = (0, 0);
        let total = 400_000;
        for _ in 0..total {
            let mut value = [0u8; LENGTH];
            for byte in &mut value {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                *byte = ALPHABET[(state >> 58) as usize];
            }
            bare += usize::from(reject(&value, Evidence::Bare).is_some());
            named += usize::from(reject(&value, Evidence::Named).is_some());
        }
        // Expected: 350 and 2; the bounds are the promised 1 in 1,000 and 1 in 100,000 with room for chance.
        assert!(bare < total / 1000, "{bare} of {total}");
        assert!(named <= 8, "{named} of {total}");
    }
}
