//! The account number inside an AWS access key id.

/// The 12-digit account that issued `key_id`; `None` for the old form, which does not hold it.
///
/// The 80 bits of the body, in base32, are a flag, the account in 40 bits, and 39 bits not understood.
pub(super) fn account_id(key_id: &str) -> Option<String> {
    let body = key_id.get(4..20)?;
    let bits = body.bytes().take(9).try_fold(0u64, |bits, byte| {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        Some(bits << 5 | u64::from(value))
    })?;
    let is_new = bits >> 44 == 1;
    let account = (bits >> 4) & 0xff_ffff_ffff;
    (is_new && account <= 999_999_999_999).then(|| format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_ids_decode_to_their_accounts() {
        let id = ["ASIA", "Y34FZKBO", "KMUTVV7A"].concat();
        assert_eq!(account_id(&id).as_deref(), Some("609629065308"));
        let id = ["ASIA", "QNZGKIQY", "56JQ7WML"].concat();
        assert_eq!(account_id(&id).as_deref(), Some("029608264753"));
        let old = ["AKIA", "IAAAAAAA", "AAAAAAAA"].concat();
        assert_eq!(account_id(&old), None);
        assert_eq!(account_id("AKIA"), None);
    }
}
