//! Encoded texts, armour, and binary files in which each value has its length before it.

use std::collections::BTreeSet;

use super::tree::pairs;
use super::{FILLINGS, Joiner, check, id_alone, joined};
use crate::support::{Keys, base64};

/// Encodes a text that holds a pair.
type Encoder = fn(&[u8]) -> Vec<u8>;

fn utf16(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [*byte, 0]).collect()
}

fn utf32(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [*byte, 0, 0, 0]).collect()
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().into_bytes()
}

/// Base64 in lines of a width.
fn in_lines(bytes: &[u8], width: usize) -> Vec<u8> {
    let text = base64(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(width).collect();
    lines.join(&b'\n')
}

/// Every character that may be changed is; lines of 60 end with `=`.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut made = String::new();
    let mut width = 0;
    for byte in bytes {
        let piece = match byte {
            b'\n' => "\r\n".to_owned(),
            b'=' | b'/' | b'_' | b'+' => format!("={byte:02X}"),
            byte => char::from(*byte).to_string(),
        };
        if width + piece.len() > 60 {
            made.push_str("=\r\n");
            width = 0;
        }
        width = if *byte == b'\n' {
            0
        } else {
            width + piece.len()
        };
        made.push_str(&piece);
    }
    made.into_bytes()
}

/// A token whose payload holds the text in a string.
fn jwt(bytes: &[u8]) -> Vec<u8> {
    let part = |bytes: &[u8]| {
        let text = base64(bytes).replace('+', "-").replace('/', "_");
        text.trim_end_matches('=').to_owned()
    };
    let text = String::from_utf8_lossy(bytes).replace('\n', "\\n");
    let (head, body) = (
        part(b"{\"alg\":\"HS256\"}"),
        part(format!("{{\"env\":\"{text}\"}}").as_bytes()),
    );
    format!("{head}.{body}.{}", part(&[7; 32])).into_bytes()
}

const ENCODERS: [(&str, Encoder); 12] = [
    ("base64 of UTF-16", |bytes| {
        base64(&utf16(bytes)).into_bytes()
    }),
    ("base64 in base64", |bytes| {
        base64(base64(bytes).as_bytes()).into_bytes()
    }),
    ("base64 in base64 in base64", |bytes| {
        base64(base64(base64(bytes).as_bytes()).as_bytes()).into_bytes()
    }),
    ("base64 in lines of 40", |bytes| in_lines(bytes, 40)),
    ("base64 in lines of 48", |bytes| in_lines(bytes, 48)),
    ("base64 in lines of 20", |bytes| in_lines(bytes, 20)),
    ("quoted-printable", quoted_printable),
    ("hex", hex),
    ("hex in base64", |bytes| base64(&hex(bytes)).into_bytes()),
    ("base64 in hex", |bytes| hex(base64(bytes).as_bytes())),
    ("a token's payload", jwt),
    ("quoted-printable of base64", |bytes| {
        quoted_printable(&in_lines(bytes, 52))
    }),
];

#[test]
fn encoded_pairs_are_found_where_they_are() {
    let mut faults = Vec::new();
    for (name, encode) in ENCODERS {
        for seed in 0..FILLINGS {
            let pair = pairs(1, &mut Keys::new(seed)).remove(0);
            let before = "# settings of the service\nname = uploads\ndata = ";
            let (id, secret) = (&pair.id, &pair.secret);
            let inner =
                format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\nregion = x\n");
            let encoded = encode(inner.as_bytes());
            let text = [before.as_bytes(), &encoded, b"\nend = yes\n"].concat();
            let mut joiner = Joiner::new();
            let found = joiner.findings(&text);
            let is_within = joiner.spans(&text).iter().all(|(start, end)| {
                *start >= before.len() && *end <= before.len() + encoded.len() && start < end
            });
            if found != joined(&pair) || !is_within {
                let text = String::from_utf8_lossy(&text).into_owned();
                faults.push(format!(
                    "{name}\n{text}\n  found {found:?}, within: {is_within}\n"
                ));
                break;
            }
        }
    }
    let count = faults.len();
    assert!(
        faults.is_empty(),
        "{count} of {}\n{}",
        ENCODERS.len(),
        faults.join("\n")
    );
}

#[test]
fn a_file_in_utf_32_is_read() {
    for seed in 0..FILLINGS {
        let pair = pairs(1, &mut Keys::new(seed)).remove(0);
        let (id, secret) = (&pair.id, &pair.secret);
        let text = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
        let little = [&[0xff, 0xfe, 0, 0][..], &utf32(text.as_bytes())].concat();
        let big: Vec<u8> = little
            .chunks(4)
            .flat_map(|one| one.iter().rev().copied())
            .collect();
        let mut joiner = Joiner::new();
        assert_eq!(joiner.findings(&little), joined(&pair), "little-endian");
        assert_eq!(joiner.findings(&big), joined(&pair), "big-endian");
    }
}

#[test]
fn base64_of_readable_text_is_no_secret() {
    let words = b"some words of a note that a person may well read, once more, and more";
    let readable = |seed: usize| base64(&words[seed..seed + 30]);
    let texts: Vec<String> = (0..FILLINGS as usize)
        .flat_map(|seed| {
            let (one, two) = (readable(seed), readable(seed + 25));
            [
                format!("id: <I>\nnote: {one}\n"),
                format!("id: <I>\n{one}\n"),
                format!("key: <I>\ndata: |\n  {one}\n  {two}\n"),
                format!("f(\"<I>\", \"{one}\")\n"),
            ]
        })
        .collect();
    check(&texts, id_alone);
}

#[test]
fn a_line_of_a_certificate_is_no_secret_even_alone() {
    let certificate =
        |lines: &str| format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n");
    let alone = [
        certificate("<F>"),
        format!("aws_secret_access_key: |\n{}", certificate("<F>")),
        format!("AWS_SECRET=\"{}\"\n", certificate("<F>")),
    ];
    check(&alone, |_| BTreeSet::new());
    let beside = alone.map(|text| format!("aws_access_key_id: <I>\n{text}"));
    check(&beside, id_alone);
}

/// Files in which each value has its length, or a tag, right before it.
fn binaries(id: &str, secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |parts: &[&[u8]]| parts.concat();
    let (id, secret) = (id.as_bytes(), secret.as_bytes());
    let names: [&[u8]; 2] = [b"aws_access_key_id", b"aws_secret_access_key"];
    let long = |text: &[u8]| (text.len() as u32).to_le_bytes();
    vec![
        (
            "compiled Python, interned names",
            bytes(&[
                b"\xa7\r\r\n\0\0\0\0\xe3\0\0\0\0)\x03\xda\x14", id, b"\xda\x28", secret,
                b"N)\x02\xda\x11", names[0], b"\xda\x15", names[1], b"\xa9\0r\x01",
            ]),
        ),
        (
            "compiled Python, without references",
            bytes(&[
                b"\xa7\r\r\n\0\0\0\0\x63\0\0\0\0)\x03Z\x14", id, b"Z\x28", secret,
                b"N)\x02Z\x11", names[0], b"Z\x15", names[1], b")\0r",
            ]),
        ),
        (
            "compiled Python, older strings",
            bytes(&[
                b"\x03\xf3\r\n\0\0\0\0s", &long(id), id, b"s", &long(secret), secret, b"N(",
                b"\x02\0\0\0t", &long(names[0]), names[0], b"t", &long(names[1]), names[1],
            ]),
        ),
        (
            "a row of SQLite",
            bytes(&[
                b"\r\0\0\0\x01\x0f\x93\0\x0f\x93\x51\x01\x06\0\x19\x35\x5d\x1f", b"deploy", id, secret,
                b"eu-west-1",
            ]),
        ),
        (
            "a row of SQLite between numbers",
            bytes(&[b"\x42\x07\x05\x01\x35\x5d\x01\x2a", id, secret, b"\x07"]),
        ),
        (
            "pickle, protocol 0",
            bytes(&[
                b"(dp0\nVaccess_key\np1\nV", id, b"\np2\nsVsecret_key\np3\nV", secret, b"\np4\ns.",
            ]),
        ),
        (
            "pickle, protocol 2",
            bytes(&[
                b"\x80\x02}q\0(X\x0a\0\0\0access_keyq\x01X", &long(id), id, b"q\x02X\x0a\0\0\0secret_keyq\x03X",
                &long(secret), secret, b"q\x04u.",
            ]),
        ),
        (
            "Java serialisation",
            bytes(&[
                b"\xac\xed\0\x05sr\0\x04Keys\0\0\0\0\0\0\0\x01\x02\0\x02L\0\x02idt\0\x12Ljava/lang/String;L\0\x06secretq\0~\0\x01xpt\0\x14",
                id, b"t\0\x28", secret,
            ]),
        ),
        (
            "protocol buffers, fields 1 and 2",
            bytes(&[b"\x0a\x14", id, b"\x12\x28", secret, b"\x18\x01"]),
        ),
        (
            "protocol buffers, fields 12 and 13",
            bytes(&[b"\x5a\x03abcb\x14", id, b"j\x28", secret, b"p\x01"]),
        ),
    ]
}

#[test]
fn values_behind_their_length_or_a_tag_are_found() {
    let (mut joiner, mut faults) = (Joiner::new(), BTreeSet::new());
    for seed in 0..FILLINGS {
        let pair = pairs(1, &mut Keys::new(seed)).remove(0);
        for (name, bytes) in binaries(&pair.id, &pair.secret) {
            let found = joiner.findings(&bytes);
            if found != joined(&pair) {
                faults.insert(format!("{name}, seed {seed}: {found:?}"));
            }
        }
    }
    let report: Vec<&str> = faults.iter().map(String::as_str).collect();
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn a_signed_token_under_the_name_of_a_session_token_is_one() {
    for seed in 0..FILLINGS {
        let mut keys = Keys::new(seed);
        let (id, secret) = (keys.temporary_id(), keys.secret());
        let token = String::from_utf8(jwt(b"user of a store")).expect("letters");
        let text = format!(
            "AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\nAWS_SESSION_TOKEN={token}\n"
        );
        let mut joiner = Joiner::new();
        let tokens = joiner.tokens(text.as_bytes());
        assert_eq!(tokens, [token], "{text}");
    }
}
