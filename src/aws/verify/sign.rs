//! Signature Version 4, as far as a `POST` to `/` without a query needs it.
//!
//! IAM User Guide, "Create a signed AWS API request". The sets of AWS's test suite that such a request can meet run
//! below; the others are about paths and queries that are never sent.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::text::date;

/// Length of a block and of a digest of SHA-256, in bytes.
const BLOCK: usize = 64;
const DIGEST: usize = 32;

/// Credentials that sign.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The access key ID.
    pub key_id: String,
    /// The secret access key.
    pub secret_key: Secret,
    /// The session token of a temporary key.
    pub session_token: Option<Secret>,
}

/// Scope for which a signature is valid.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// Seconds since the epoch.
    pub(super) time: u64,
}

/// Adds the headers `x-amz-date`, `x-amz-security-token` (for a temporary key) and `authorization`. All headers that
/// are there are signed, `host` among them.
pub(super) fn sign(
    method: &str,
    headers: &mut Vec<(String, String)>,
    body: &[u8],
    scope: &Scope<'_>,
    credentials: &Credentials,
) {
    let time = stamp(scope.time);
    headers.push(("x-amz-date".to_owned(), time.clone()));
    if let Some(token) = &credentials.session_token {
        let token = String::from_utf8_lossy(token.expose()).into_owned();
        headers.push(("x-amz-security-token".to_owned(), token));
    }
    let (names, lines) = canonical(headers);
    let request = format!("{method}\n/\n\n{lines}\n{names}\n{}", hex(&digest(body)));
    let day = time.split('T').next().unwrap_or_default();
    let place = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let text = format!(
        "AWS4-HMAC-SHA256\n{time}\n{place}\n{}",
        hex(&digest(request.as_bytes()))
    );
    let first = Zeroizing::new([b"AWS4", credentials.secret_key.expose()].concat());
    let mut key = hmac(&first, day.as_bytes());
    for part in [scope.region, scope.service, "aws4_request"] {
        key = hmac(&*key, part.as_bytes());
    }
    let signature = hex(&*hmac(&*key, text.as_bytes()));
    let value = format!(
        "AWS4-HMAC-SHA256 Credential={}/{place}, SignedHeaders={names}, Signature={signature}",
        credentials.key_id
    );
    headers.push(("authorization".to_owned(), value));
}

/// Formats the names and the lines of headers as they are signed: in lower case, sorted, one line a name, values in
/// their order of appearance, white space as one blank.
fn canonical(headers: &[(String, String)]) -> (String, String) {
    let mut by_name: std::collections::BTreeMap<String, Vec<String>> =
        std::collections::BTreeMap::new();
    for (name, value) in headers {
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        let values = by_name.entry(name.to_ascii_lowercase()).or_default();
        values.push(words.join(" "));
    }
    let names: Vec<&str> = by_name.keys().map(String::as_str).collect();
    let lines = by_name.iter();
    let lines = lines.map(|(name, values)| format!("{name}:{}\n", values.join(",")));
    (names.join(";"), lines.collect())
}

fn digest(bytes: &[u8]) -> [u8; DIGEST] {
    Sha256::digest(bytes).into()
}

/// HMAC with SHA-256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> Zeroizing<[u8; DIGEST]> {
    let mut block = Zeroizing::new([0; BLOCK]);
    let hashed = Zeroizing::new(digest(key));
    let key = if key.len() > BLOCK { &hashed[..] } else { key };
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| Zeroizing::new(block.map(|byte| byte ^ pad));
    let inner = Sha256::new().chain_update(&padded(0x36)[..]);
    let inner = Zeroizing::new(<[u8; DIGEST]>::from(inner.chain_update(text).finalize()));
    let outer = Sha256::new().chain_update(&padded(0x5c)[..]);
    Zeroizing::new(outer.chain_update(&inner[..]).finalize().into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A time as signatures have it: `20150830T123600Z`.
fn stamp(time: u64) -> String {
    date::rfc3339(i64::try_from(time).unwrap_or(i64::MAX)).replace(['-', ':'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sets of AWS's suite whose request is to `/` without a query.
    const VECTORS: &str = include_str!("sign_vectors.txt");

    #[test]
    fn signatures_are_those_of_the_published_suite() {
        let mut seen = 0;
        for set in VECTORS.split("== ").skip(1) {
            let (name, rest) = set.split_once('\n').expect("a name");
            let (request, expected) = rest.split_once("\n--\n").expect("a signature");
            let (head, body) = match request.split_once("\n\n") {
                Some((head, body)) => (head, body),
                None => (request, ""),
            };
            let mut lines = head.lines();
            let method = lines.next().and_then(|line| line.split(' ').next());
            let mut headers: Vec<(String, String)> = Vec::new();
            for line in lines {
                match line.split_once(':') {
                    Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                    // A value goes on.
                    None => headers.last_mut().expect("a header").1.push_str(line),
                }
            }
            let mut token = None;
            headers.retain(|(name, value)| {
                if name == "X-Amz-Security-Token" {
                    token = Some(Secret::new(value.as_bytes()));
                }
                name != "X-Amz-Date" && name != "X-Amz-Security-Token"
            });
            let credentials = Credentials {
                key_id: ["AKID", "EXAMPLE"].concat(),
                secret_key: Secret::new(
                    ["wJalrXUtnFEMI/K7MDENG", "+bPxRfiCY", "EXAMPLEKEY"]
                        .concat()
                        .as_bytes(),
                ),
                session_token: token,
            };
            let scope = Scope {
                region: "us-east-1",
                service: "service",
                time: 1_440_938_160,
            };
            let method = method.expect("a method");
            sign(method, &mut headers, body.as_bytes(), &scope, &credentials);
            let (header, value) = headers.last().expect("headers");
            assert_eq!(header, "authorization");
            assert_eq!(value, expected.trim_end(), "{name}");
            seen += 1;
        }
        assert_eq!(seen, 15);
    }

    /// RFC 4231, test cases 1, 2, 3 and 6.
    #[test]
    fn hmac_is_that_of_the_standard() {
        for (key, text, expected) in [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(hex(&*hmac(&key, &text)), expected);
        }
    }

    #[test]
    fn a_stamp_is_a_time_without_marks() {
        assert_eq!(stamp(1_440_938_160), "20150830T123600Z");
    }
}
