//! Session tokens: base64 of a structure that starts in one of a few ways.

use crate::text::bytes::entropy;

/// Shortest token, in characters. The shortest in AWS documentation has 239; AWS gives no bounds.
pub const MIN_LENGTH: usize = 100;

/// Beginnings of tokens (observed; the bytes behind it are a version, a field header and `origin_ec`, `er/aws` or
/// `aws`: T. Be'ery, "Revealing the Inner Structure of AWS Session Tokens", 2024).
const PREFIXES: &[&[u8]] = &[
    b"IQoJb3JpZ2lu",
    b"AgoJb3JpZ2lu",
    b"AgoGb3JpZ2lu",
    b"FwoGZXIvYXdz",
    b"FQoGZXIvYXdz",
    b"FQoDYXdz",
    b"AQoDYXdz",
];

/// Returns true if the text starts as a session token does and is long enough to be one.
pub fn is_token(text: &[u8]) -> bool {
    text.len() >= MIN_LENGTH && PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Returns true if the text can be a token when only its name says so.
pub fn can_be_token(text: &[u8]) -> bool {
    text.len() >= MIN_LENGTH && entropy(text) >= 4.5
}

/// Least length of each part of a signed token: a header that names an algorithm takes more.
const LEAST_PART: usize = 16;

/// Returns where a signed token ends that starts at `start`: three parts of URL-safe base64, the first of them a JSON
/// object (RFC 7515, 7.1). Stores that speak S3 give such tokens for sessions. Looks at `most` bytes.
pub fn signed_end(text: &[u8], start: usize, most: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    if !rest.starts_with(b"eyJ") {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut end = 0;
    for part in 0..3 {
        let left = rest.get(end..)?;
        let length = left
            .iter()
            .take(most - end)
            .take_while(|byte| is_part(byte))
            .count();
        if length < LEAST_PART || part < 2 && left.get(length) != Some(&b'.') {
            return None;
        }
        end += length + usize::from(part < 2);
    }
    let goes_on = matches!(rest.get(end), Some(b'.' | b'+' | b'/' | b'='));
    (!goes_on).then_some(start + end)
}

/// Returns true for a signed token: no other token holds a dot.
pub fn is_signed(text: &[u8]) -> bool {
    text.contains(&b'.')
}

/// Returns true if documentation prints it.
pub fn is_example(text: &[u8]) -> bool {
    text.windows(7).any(|window| window == b"EXAMPLE")
}
