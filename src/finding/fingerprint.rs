//! Identity of findings and of secrets: content, never position.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// Bytes of the shortest secret that is an identity by itself. Shorter ones may be words that people choose, which
/// two unrelated findings can share and a hash does not hide.
const SHORTEST_ALONE: usize = 20;

/// Stable identity of a finding: content, never position.
///
/// `ks1:` and the first 32 hex digits of SHA-256 over the length-prefixed rule id, key id (empty if
/// there is none) and decoded secret. The prefix changes if the recipe does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes the fingerprint. Lengths are 8-byte little-endian numbers before each part.
    pub fn new(rule_id: &str, key_id: Option<&str>, secret: Option<&Secret>) -> Self {
        let mut hasher = Sha256::new();
        for part in [
            rule_id.as_bytes(),
            key_id.unwrap_or_default().as_bytes(),
            secret.map(Secret::expose).unwrap_or_default(),
        ] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let digest = hasher.finalize();
        let hex: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self(format!("ks1:{hex}"))
    }

    /// Computes the identity of a secret alone: the same recipe with neither rule nor key ID.
    ///
    /// `None` for a secret shorter than [`SHORTEST_ALONE`].
    pub fn of_secret(secret: &Secret) -> Option<Self> {
        (secret.len() >= SHORTEST_ALONE).then(|| Self::new("", None, Some(secret)))
    }

    /// Reads a fingerprint as [`Self::as_str`] gives it; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("ks1:")?;
        let is_hex = hex.len() == 32
            && hex
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| Self(text.to_owned()))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_fingerprint_do_not_run_together() {
        let a = Fingerprint::new("rule", Some("ab"), Some(&Secret::new(b"c")));
        let b = Fingerprint::new("rule", Some("a"), Some(&Secret::new(b"bc")));
        assert_ne!(a, b);
        assert_eq!(Fingerprint::parse(a.as_str()), Some(a));
        assert_eq!(Fingerprint::parse("ks1:xyz"), None);
    }

    #[test]
    fn a_secret_alone_has_an_identity_if_nobody_chose_it() {
        let long = Secret::new("s".repeat(SHORTEST_ALONE).as_bytes());
        let alone = Fingerprint::of_secret(&long);
        assert!(alone.is_some());
        assert_ne!(alone, Some(Fingerprint::new("rule", None, Some(&long))));
        assert_eq!(Fingerprint::of_secret(&Secret::new(b"changeme")), None);
    }
}
