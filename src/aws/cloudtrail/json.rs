//! The text of an event as it is printed: on one line, without tokens, unable to steer a terminal.

/// Names of fields whose strings are secrets. CloudTrail itself leaves out secret keys and passwords, but records the
/// session token of every session that STS issues.
const SECRET_FIELDS: [&str; 3] = ["sessionToken", "secretAccessKey", "password"];

/// Text that is printed in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Returns `json`, one JSON value, on one line: without white space between tokens, with the strings of secret fields
/// replaced, and with control characters and marks of text direction escaped.
pub fn printable(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    let mut is_secret = false;
    while let Some(at) = rest.find(['"', ' ', '\n', '\r', '\t']) {
        out.push_str(&rest[..at]);
        // Anything but a colon between a name and a string: the string is not the value of the name.
        is_secret &= rest[..at].bytes().all(|byte| byte == b':');
        rest = &rest[at..];
        if !rest.starts_with('"') {
            rest = &rest[1..];
            continue;
        }
        let end = string_end(rest);
        let (string, behind) = rest.split_at(end);
        let inner = string.trim_matches('"');
        if behind.trim_start().starts_with(':') {
            is_secret = SECRET_FIELDS
                .iter()
                .any(|name| name.eq_ignore_ascii_case(inner));
            push_inert(&mut out, string);
        } else if is_secret && !inner.is_empty() {
            out.push('"');
            out.push_str(REDACTED);
            out.push('"');
            is_secret = false;
        } else {
            push_inert(&mut out, string);
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Returns the end of the string that starts `text`, quotes included; the end of the text if nothing closes it.
fn string_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        if bytes[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    text.len()
}

fn push_inert(out: &mut String, string: &str) {
    if string.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.push_str(string);
        return;
    }
    for character in string.chars() {
        let steers = character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if steers {
            out.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            out.push(character);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_one_inert_line_without_tokens() {
        let json = "{ \"a\" : [ 1, \"x y\" ],\n \"sessionToken\": \"IQo\\\"rest\", \"n\":{\"SessionToken\":\"t\",\"b\":\"\u{9b}31m\u{202e}\"},\
                    \"secretAccessKey\":null,\"c\":\"kept\",\"sessionTokens\":\"kept\"}";
        assert_eq!(
            printable(json),
            r#"{"a":[1,"x y"],"sessionToken":"[redacted]","n":{"SessionToken":"[redacted]","b":"\u009b31m\u202e"},"secretAccessKey":null,"c":"kept","sessionTokens":"kept"}"#
        );
    }
}
