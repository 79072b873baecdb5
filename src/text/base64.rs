//! Base64, standard or URL-safe (RFC 4648, sections 4 and 5), as people and programs leave it.

pub use data_encoding::BASE64 as STANDARD;

/// Returns the six bits of a character.
pub fn value(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Decodes either alphabet, padded or not; `None` if anything else is in it.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let text = &text[..text.len() - padding];
    if padding > 2 || text.len() % 4 == 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text {
        bits = bits << 6 | u32::from(value(*byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_alphabet_is_read_with_or_without_padding() {
        for length in 0..50_u8 {
            let bytes: Vec<u8> = (0..length).map(|at| at.wrapping_mul(37) ^ 0xfb).collect();
            let text = STANDARD.encode(&bytes);
            let url = text.replace('+', "-").replace('/', "_");
            for text in [
                &text,
                &url,
                text.trim_end_matches('='),
                url.trim_end_matches('='),
            ] {
                assert_eq!(decode(text.as_bytes()).as_ref(), Some(&bytes), "{text}");
            }
        }
        for wrong in ["A", "AA===", "AA A", "A=AA", "AAAAA"] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
