//! Session tokens: base64 of a structure that starts in one of a few ways.

use crate::text::bytes::entropy;

/// Shortest token, in characters. The shortest in AWS documentation has 239; AWS gives no bounds.
pub const MIN_LENGTH: usize = 100;

/// How tokens start (observed; the bytes behind it are a version, a field header and `origin_ec`, `er/aws`
/// or `aws`: T. Be'ery, "Revealing the Inner Structure of AWS Session Tokens", 2024).
const PREFIXES: &[&[u8]] = &[
    b"IQoJb3JpZ2lu",
    b"AgoJb3JpZ2lu",
    b"AgoGb3JpZ2lu",
    b"FwoGZXIvYXdz",
    b"FQoGZXIvYXdz",
    b"FQoDYXdz",
    b"AQoDYXdz",
];

/// Whether the text starts as a session token does and is long enough to be one.
pub fn is_token(text: &[u8]) -> bool {
    text.len() >= MIN_LENGTH && PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}

/// Whether the text can be a token on the word of its name alone.
pub fn can_be_token(text: &[u8]) -> bool {
    text.len() >= MIN_LENGTH && entropy(text) >= 4.5
}

/// Whether documentation prints it.
pub fn is_example(text: &[u8]) -> bool {
    text.windows(7).any(|window| window == b"EXAMPLE")
}
