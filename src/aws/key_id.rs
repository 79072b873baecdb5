//! Access key ids: their form, and what can be read from them without asking anybody.

use std::fmt;

use super::{example, invented};

/// Length of an access key id, in characters.
pub const LENGTH: usize = 20;

/// An access key id: `AKIA` or `ASIA` and 16 characters of `A-Z2-7`.
///
/// IAM identifiers of other kinds (`AIDA`, `AROA`, ...) are names, not keys, and mostly 21 characters long
/// (IAM User Guide, "IAM identifiers"). That the body is base32 is observed (A. Steele, "AWS Access Key ID
/// formats", 2020) and not documented.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; LENGTH]);

/// Kind of key that an id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `AKIA`: of an IAM user or of the root user, valid until it is disabled or deleted.
    LongTerm,
    /// `ASIA`: from STS, useless without its session token, and expires.
    Temporary,
}

/// Reason why a well-formed ID is not a live credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harmless {
    /// AWS documentation and SDK tests use it.
    Example,
    /// An emulator made it from its default account.
    Emulator,
    /// It belongs to an account that plants keys to see who uses them.
    Canary,
    /// It is a run of one letter or a few.
    Placeholder,
    /// Words that people write where an ID should go, or letters in a row, make up most of it.
    Invented,
}

impl Harmless {
    /// Returns true for an ID that belongs to nobody: a true secret beside it is that of another one.
    pub fn is_nobodys(self) -> bool {
        matches!(self, Self::Example | Self::Placeholder)
    }

    /// The reason as a report gives it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Example => "documentation example",
            Self::Emulator => "key of an emulator",
            Self::Canary => "key of a known canary account: using it raises an alarm",
            Self::Placeholder => "placeholder: hardly any different characters",
            Self::Invented => "made up: words, or letters in a row",
        }
    }
}

/// Accounts that are published as issuers of canary keys (trufflesecurity/trufflehog
/// `pkg/detectors/aws/access_keys/canary.go`, mongodb/kingfisher `validation/aws.rs`).
const CANARY_ACCOUNTS: &[u64] = &[
    44858866125,
    52310077262,
    171436882533,
    251535659677,
    266735846894,
    344043088457,
    351906852752,
    390477818340,
    426127672474,
    427150556519,
    439872796651,
    445142720921,
    465867158099,
    528757803018,
    534261010715,
    538784191382,
    595918472158,
    637958123769,
    693412236332,
    717712589309,
    729780141977,
    730335385048,
    732624840810,
    735421457923,
    819147034852,
    893192397702,
    959235150393,
    982842642351,
    992382622183,
];

impl KeyId {
    /// Reads an id that is exactly `text`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let id: [u8; LENGTH] = text.try_into().ok()?;
        let is_id = (id.starts_with(b"AKIA") || id.starts_with(b"ASIA"))
            && id[4..].iter().all(|byte| is_base32(*byte));
        is_id.then_some(Self(id))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an id is ASCII")
    }

    /// Returns the kind of the key: long-term or temporary.
    pub fn kind(&self) -> KeyKind {
        if self.0.starts_with(b"AKIA") {
            KeyKind::LongTerm
        } else {
            KeyKind::Temporary
        }
    }

    /// The 12-digit account that issued it, if the id is of the newer kind that holds it.
    ///
    /// The body is 80 bits, five a character; the first says that an account follows, the next 40 are the
    /// account (A. Steele 2020; T. Be'ery, "A short note on AWS KEY ID", 2023). Ids of the older kind
    /// (5th character `A` to `P`) and numbers above 999999999999 give `None`.
    pub fn account_id(&self) -> Option<String> {
        self.account_number().map(|number| format!("{number:012}"))
    }

    fn account_number(&self) -> Option<u64> {
        let bits = self.0[4..13].iter().fold(0u64, |bits, byte| {
            bits << 5 | u64::from(base32_value(*byte))
        });
        // 45 bits: the flag, the account, 4 bits that are not understood.
        let number = bits >> 4 & ((1 << 40) - 1);
        (bits >> 44 == 1 && number <= 999_999_999_999).then_some(number)
    }

    /// Returns the reason why it is not a live credential, if the ID shows one.
    pub fn harmless(&self) -> Option<Harmless> {
        let body = &self.0[4..];
        if memchr::memmem::find(body, b"EXAMPLE").is_some() {
            return Some(Harmless::Example);
        }
        match self.account_number() {
            // 000000000000 and 000000000001: what emulators make from their default account.
            Some(0 | 1) => return Some(Harmless::Emulator),
            Some(number) if CANARY_ACCOUNTS.binary_search(&number).is_ok() => {
                return Some(Harmless::Canary);
            }
            _ if example::is_key_id(self.as_str()) => return Some(Harmless::Example),
            _ => {}
        }
        if is_monotonous(body) {
            return Some(Harmless::Placeholder);
        }
        invented::is_id(body).then_some(Harmless::Invented)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Returns true if a byte is of the alphabet of ids.
pub fn is_base32(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'2'..=b'7')
}

fn base32_value(byte: u8) -> u8 {
    if byte.is_ascii_uppercase() {
        byte - b'A'
    } else {
        byte - b'2' + 26
    }
}

/// At most 5 different characters of 16 (one uniform body in 10^7), or 7 the same in a row (one in 10^8).
pub(crate) fn is_monotonous(body: &[u8]) -> bool {
    let mut seen = [false; 256];
    body.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let distinct = seen.iter().filter(|seen| **seen).count();
    let ascending = body
        .windows(2)
        .filter(|pair| pair[1] == pair[0].wrapping_add(1))
        .count();
    distinct <= 5 || ascending >= 9 || body.chunk_by(|a, b| a == b).any(|run| run.len() >= 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(parts: &[&str]) -> KeyId {
        KeyId::parse(parts.concat().as_bytes()).expect("an id")
    }

    #[test]
    fn published_ids_decode_to_their_published_accounts() {
        assert_eq!(
            id(&["ASIA", "Y34FZKBO", "KMUTVV7A"])
                .account_id()
                .as_deref(),
            Some("609629065308")
        );
        assert_eq!(
            id(&["ASIA", "QNZGKIQY", "56JQ7WML"])
                .account_id()
                .as_deref(),
            Some("029608264753")
        );
        assert_eq!(
            id(&["AKIA", "RZPUZDIK", "GB2VALC4"])
                .account_id()
                .as_deref(),
            Some("123456789012")
        );
        assert_eq!(
            id(&["AKIA", "XYZDQCEN", "4B6JSJQI"])
                .account_id()
                .as_deref(),
            Some("534261010715")
        );
    }

    #[test]
    fn ids_of_the_older_kind_have_no_account() {
        assert_eq!(id(&["AKIA", "IOSFODNN", "7ABCDEFG"]).account_id(), None);
    }

    #[test]
    fn canaries_examples_and_prose_are_known() {
        assert_eq!(
            id(&["AKIA", "XYZDQCEN", "4B6JSJQI"]).harmless(),
            Some(Harmless::Canary)
        );
        assert_eq!(
            id(&["ASIA", "QAAAAAAA", "GMKEM7X5"]).harmless(),
            Some(Harmless::Emulator)
        );
        assert_eq!(
            id(&["AKIA", "IOSFODNN", "7EXAMPLE"]).harmless(),
            Some(Harmless::Example)
        );
        assert_eq!(
            id(&["ASIA", "PACIFICS", "OUTHEAST"]).harmless(),
            Some(Harmless::Invented)
        );
        assert_eq!(
            id(&["AKIA", "XXXXXXXX", "XXXXXXXX"]).harmless(),
            Some(Harmless::Placeholder)
        );
        assert_eq!(id(&["ASIA", "Y34FZKBO", "KMUTVV7A"]).harmless(), None);
    }

    #[test]
    fn the_canary_list_is_sorted() {
        assert!(CANARY_ACCOUNTS.is_sorted());
    }

    #[test]
    fn other_identifiers_are_no_key_ids() {
        for text in [
            ["AIDA", "Y34FZKBOKMUTVV7A"],
            ["AKIA", "Y34FZKBOKMUTVV78"],
            ["AKIA", "Y34FZKBOKMUTVV7"],
        ] {
            assert_eq!(KeyId::parse(text.concat().as_bytes()), None);
        }
    }
}
