//! The text of a mail: RFC 5322 and MIME, as far as notices need them.
//!
//! What is not a mail is taken for its text. Nothing here is stricter than a mail program: damaged parts give what can be
//! read of them.

use crate::text::base64;

/// Greatest depth of nested parts, and greatest number of parts.
const MAX_DEPTH: usize = 8;
const MAX_PARTS: usize = 100;

/// The parts of a mail that a person would read.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) subject: Option<String>,
    pub(super) date: Option<String>,
    pub(super) text: String,
}

/// Reads a mail, or a text.
pub(super) fn read(bytes: &[u8]) -> Message {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let is_mail = header(head(&text).0, "from").is_some()
        && ["subject", "date", "received", "message-id"]
            .iter()
            .any(|name| header(head(&text).0, name).is_some());
    if !is_mail {
        return Message {
            text,
            ..Message::default()
        };
    }
    let mut parts = Parts::default();
    parts.add(&text, 0);
    let (fields, _) = head(&text);
    Message {
        subject: header(fields, "subject").map(|subject| words(&subject)),
        date: header(fields, "date"),
        text: match parts.plain.is_empty() {
            false => parts.plain,
            true => without_tags(&parts.html),
        },
    }
}

/// The head of a mail or part, and its body.
fn head(text: &str) -> (&str, &str) {
    match text.strip_prefix('\n') {
        Some(body) => ("", body),
        None => text.split_once("\n\n").unwrap_or((text, "")),
    }
}

/// A field of a head, unfolded.
fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines();
    while let Some(line) = lines.next() {
        let Some((found, value)) = line.split_once(':') else {
            continue;
        };
        if !found.eq_ignore_ascii_case(name) {
            continue;
        }
        let mut value = value.trim().to_owned();
        for line in lines.take_while(|line| line.starts_with([' ', '\t'])) {
            value.push(' ');
            value.push_str(line.trim());
        }
        return Some(value);
    }
    None
}

/// A parameter of a field: `boundary` of `multipart/mixed; boundary="x"`.
fn parameter(field: &str, name: &str) -> Option<String> {
    field.split(';').skip(1).find_map(|part| {
        let (found, value) = part.split_once('=')?;
        let is_it = found.trim().eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The texts of all parts.
#[derive(Debug, Default)]
struct Parts {
    plain: String,
    html: String,
    count: usize,
}

impl Parts {
    fn add(&mut self, part: &str, depth: usize) {
        self.count += 1;
        if depth > MAX_DEPTH || self.count > MAX_PARTS {
            return;
        }
        let (fields, body) = head(part);
        let kind = header(fields, "content-type").unwrap_or_else(|| "text/plain".to_owned());
        let lower = kind.to_ascii_lowercase();
        if lower.starts_with("multipart/") {
            let Some(boundary) = parameter(&kind, "boundary").filter(|it| !it.is_empty()) else {
                return;
            };
            let line = format!("\n--{boundary}");
            let body = format!("\n{body}");
            for part in body.split(line.as_str()).skip(1) {
                // The last boundary ends in two dashes.
                if let Some((_, part)) = part.split_once('\n').filter(|_| !part.starts_with("--")) {
                    self.add(part, depth + 1);
                }
            }
            return;
        }
        let coding = header(fields, "content-transfer-encoding").unwrap_or_default();
        let text = match coding.trim().to_ascii_lowercase().as_str() {
            "base64" => {
                let digits: String = body.split_whitespace().collect();
                decoded(&digits)
            }
            "quoted-printable" => unquoted(body, false),
            _ => body.to_owned(),
        };
        if lower.starts_with("message/rfc822") {
            self.add(&text.replace("\r\n", "\n"), depth + 1);
        } else if lower.starts_with("text/html") {
            self.html.push_str(&text);
            self.html.push('\n');
        } else if lower.starts_with("text/") {
            self.plain.push_str(&text);
            self.plain.push('\n');
        }
    }
}

/// Base64, padded or not. Of what is damaged nothing can be read.
fn decoded(digits: &str) -> String {
    let bytes = base64::decode(digits.as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Quoted-printable text (RFC 2045, 6.7). In fields an underscore is a blank.
fn unquoted(text: &str, in_field: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'=', [b'\n', next @ ..]) => rest = next,
            (b'=', [high, low, next @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = next;
                }
                _ => bytes.push(b'='),
            },
            (b'_', _) if in_field => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// A field with its encoded words (RFC 2047) decoded.
fn words(field: &str) -> String {
    let mut out = String::new();
    let mut rest = field;
    while let Some((before, after)) = rest.split_once("=?") {
        let mut parts = after.splitn(4, '?');
        let (_charset, coding, text, end) =
            (parts.next(), parts.next(), parts.next(), parts.next());
        let (Some(coding), Some(text), Some(end)) =
            (coding, text, end.and_then(|it| it.strip_prefix('=')))
        else {
            break;
        };
        // Blanks between two encoded words are none.
        if out.is_empty() || !before.trim().is_empty() {
            out.push_str(before);
        }
        match coding {
            "B" | "b" => {
                out.push_str(&decoded(text));
            }
            _ => out.push_str(&unquoted(text, true)),
        }
        rest = end;
    }
    out.push_str(rest);
    out
}

/// The text of HTML.
fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((text, after)) = rest.split_once('<') {
        out.push_str(text);
        let lower = after.get(..8).unwrap_or(after).to_ascii_lowercase();
        let hidden = ["style", "script", "head"]
            .into_iter()
            .find(|tag| lower.starts_with(tag));
        let end = match hidden {
            // What no reader sees, up to its end.
            Some(tag) => find_ignoring_case(after, &format!("</{tag}")),
            None => Some(0),
        };
        let after = end.and_then(|end| after.get(end..)).unwrap_or("");
        rest = after.split_once('>').map_or("", |(_, rest)| rest);
        out.push(' ');
    }
    out.push_str(rest);
    [
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(out, |text, (from, to)| text.replace(from, to))
}

fn find_ignoring_case(text: &str, sought: &str) -> Option<usize> {
    let (text, sought) = (text.as_bytes(), sought.as_bytes());
    text.windows(sought.len())
        .position(|part| part.eq_ignore_ascii_case(sought))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_in_parts_gives_its_text() {
        let mail = "From: a@example.org\r\nSubject: =?utf-8?Q?Action_Required:_?=\r\n =?utf-8?B?WW91ciBrZXk=?=\r\nDate: Mon, 30 Nov 2026\r\n\
                    Content-Type: multipart/alternative;\r\n boundary=\"x\"\r\n\r\nignored\r\n--x\r\nContent-Type: text/plain\r\n\
                    Content-Transfer-Encoding: quoted-printable\r\n\r\nab=\r\nc=C3=A9 =3D\r\n--x\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n--x--\r\n";
        let message = read(mail.as_bytes());
        assert_eq!(
            message.subject.as_deref(),
            Some("Action Required: Your key")
        );
        assert_eq!(message.date.as_deref(), Some("Mon, 30 Nov 2026"));
        assert_eq!(message.text.trim(), "abcé =");
    }

    #[test]
    fn html_alone_gives_its_text_without_what_nobody_sees() {
        let mail = "From: a\nSubject: b\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n\
                    PHN0eWxlPnAge308L3N0eWxlPjxwPktleSA8Yj5BPC9iPiZhbXA7\nQjwvcD4=\n";
        let message = read(mail.as_bytes());
        assert_eq!(
            message.text.split_whitespace().collect::<Vec<_>>(),
            ["Key", "A", "&B"]
        );
    }

    #[test]
    fn text_is_text_and_damage_is_no_panic() {
        assert_eq!(
            read(b"Dear AWS Customer,\n\nhello").text,
            "Dear AWS Customer,\n\nhello"
        );
        let mail = "From: a\nSubject: =?utf-8?Q\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\n=\n--y\nContent-Type: text/html\n\n<style>";
        for end in 0..mail.len() {
            read(&mail.as_bytes()[..end]);
        }
        let deep = "From: a\nSubject: b\nContent-Type: message/rfc822\n\n".repeat(1000);
        read(deep.as_bytes());
        let many = format!(
            "From: a\nSubject: b\nContent-Type: multipart/mixed; boundary=y\n{}",
            "\n--y\nx\n".repeat(100_000)
        );
        read(many.as_bytes());
    }
}
