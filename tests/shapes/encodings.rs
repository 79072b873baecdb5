//! Shapes inside other notations: base64, UTF-16, escapes, quoted in quoted, split literals.

use keysieve::engine::Scratch;

use super::template::{self, Base64, Filled, Row, Shape};
use super::{SEED, Wrong, engine, found, shapes};
use crate::support::Keys;

type Encode = fn(&Filled) -> Filled;

/// Every notation of a whole text.
const NOTATIONS: &[(&str, Encode)] = &[
    ("base64", |text| base64(text, Base64::default())),
    ("base64 without padding", |text| {
        base64(
            text,
            Base64 {
                is_unpadded: true,
                ..Base64::default()
            },
        )
    }),
    ("base64url", |text| {
        base64(
            text,
            Base64 {
                is_url: true,
                ..Base64::default()
            },
        )
    }),
    ("base64url without padding", |text| {
        base64(
            text,
            Base64 {
                is_url: true,
                is_unpadded: true,
                wrap: None,
            },
        )
    }),
    ("base64 in lines of 64", |text| {
        base64(
            text,
            Base64 {
                wrap: Some((64, "")),
                ..Base64::default()
            },
        )
    }),
    ("base64 in lines of 76, indented", |text| {
        let how = Base64 {
            wrap: Some((76, "    ")),
            ..Base64::default()
        };
        text.base64(&how).between(b"data: |\n    ", b"\n")
    }),
    ("base64url in lines of 76", |text| {
        base64(
            text,
            Base64 {
                wrap: Some((76, "")),
                is_url: true,
                is_unpadded: false,
            },
        )
    }),
    ("UTF-16 LE with mark", |text| {
        text.wide(false).between(b"\xff\xfe", b"")
    }),
    ("UTF-16 BE with mark", |text| {
        text.wide(true).between(b"\xfe\xff", b"")
    }),
    ("UTF-16 LE", |text| text.wide(false)),
    ("UTF-16 BE", |text| text.wide(true)),
    ("percent", |text| percent(text, "%")),
    ("percent twice", |text| percent(text, "%25")),
    ("base64 in YAML", |text| {
        let how = Base64 {
            is_unpadded: text.bytes.len() % 3 == 0,
            ..Base64::default()
        };
        let before = b"kind: Secret\ndata:\n  file: ";
        text.base64(&how).between(before, b"\n  other: eA==\n")
    }),
    ("JSON string", |text| {
        text.json().between(b"{\"body\": \"", b"\"}\n")
    }),
    ("JSON in JSON", |text| {
        let inner = text.json().between(b"{\"body\": \"", b"\"}");
        inner.json().between(b"{\"event\": \"", b"\"}\n")
    }),
    ("JSON string in YAML", |text| {
        let inner = text.json().between(b"{\"body\": \"", b"\"}");
        inner.between(b"steps:\n  - run: x\n    payload: '", b"'\n")
    }),
    ("notebook cell", |text| {
        let cell = text.map(|_, byte| match byte {
            b'\n' => b"\\n\",\n    \"".to_vec(),
            b'"' => b"\\\"".to_vec(),
            b'\\' => b"\\\\".to_vec(),
            byte => vec![byte],
        });
        cell.between(
            b"{\"cells\": [{\"cell_type\": \"code\", \"source\": [\n    \"",
            b"\"]}]}\n",
        )
    }),
    ("slashes as PHP writes them", |text| {
        let inner = text.map(|_, byte| match byte {
            b'/' => b"\\/".to_vec(),
            b'"' => b"\\\"".to_vec(),
            b'\\' => b"\\\\".to_vec(),
            b'\n' => b"\\n".to_vec(),
            byte => vec![byte],
        });
        inner.between(b"{\"body\":\"", b"\"}")
    }),
    ("\\u for what is no letter", |text| {
        let inner = text.map(|_, byte| {
            if byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_') {
                vec![byte]
            } else {
                format!("\\u{:04X}", byte).into_bytes()
            }
        });
        inner.between(b"{\"body\":\"", b"\"}")
    }),
    ("HTML, decimal", |text| {
        html(text, |byte| format!("&#{byte};"))
    }),
    ("HTML, hexadecimal", |text| {
        html(text, |byte| format!("&#x{byte:X};"))
    }),
];

fn base64(text: &Filled, how: Base64) -> Filled {
    text.base64(&how).between(b"data: ", b"\n")
}

fn percent(text: &Filled, sign: &str) -> Filled {
    let inner = text.map(|_, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            vec![byte]
        } else {
            format!("{sign}{byte:02X}").into_bytes()
        }
    });
    inner.between(b"GET /log?text=", b"&end=1 HTTP/1.1\n")
}

fn html(text: &Filled, reference: fn(u8) -> String) -> Filled {
    let inner = text.map(|_, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-' | b'\n') {
            vec![byte]
        } else {
            reference(byte).into_bytes()
        }
    });
    inner.between(b"<html><pre>", b"</pre></html>\n")
}

/// Returns true for texts that no literal of the first stage leads to: base64 in base64 or in UTF-16 without a mark, an
/// id without names that a line break cuts.
fn is_out_of_reach(shape: &Shape, notation: &str) -> bool {
    let names = shape.text.replace("{SECRET", "").to_ascii_lowercase();
    let is_positional = !names.contains("secret");
    holds_base64(shape)
        && (notation.starts_with("base64") || matches!(notation, "UTF-16 LE" | "UTF-16 BE"))
        || is_positional && notation.contains("lines of")
}

fn holds_base64(shape: &Shape) -> bool {
    shape.text.contains(":b64") || shape.text.contains("{BLOB}")
}

fn without_places(rows: &mut [Row]) {
    for part in rows.iter_mut().flat_map(|row| &mut row.parts).flatten() {
        part.1 = None;
    }
}

#[test]
fn every_shape_in_every_notation() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    let keys = &mut Keys::new(SEED + 10);
    for shape in shapes()
        .iter()
        .filter(|shape| !shape.is_lone && !shape.is_wide)
    {
        for (name, encode) in NOTATIONS {
            if is_out_of_reach(shape, name) {
                continue;
            }
            let filled = shape.fill(keys);
            let text = encode(&filled);
            let mut rows = found(&engine, engine.scan(&text.bytes, &mut scratch));
            let mut expected = shape.rows(&text);
            if holds_base64(shape) {
                // Where the base64 text itself is written in another way, the whole of it is the place.
                without_places(&mut rows);
                without_places(&mut expected);
            }
            let name = format!("{} as {name}", shape.title);
            wrong.compare(&name, &expected, rows, false, &text);
        }
    }
    wrong.none(3000);
}

/// Ways to join literals: the text before the first half, between the halves, and after.
const JOINS: &[(&str, &str, &str, &str)] = &[
    ("plus", "NAME = \"", "\" + \"", "\";\n"),
    (
        "plus over lines",
        "String NAME = \"",
        "\" +\n        \"",
        "\";\n",
    ),
    (
        "plus first on the line",
        "var NAME = '",
        "'\n    + '",
        "';\n",
    ),
    ("dot", "$NAME = '", "' . '", "';\n"),
    ("dots", "local NAME = \"", "\" .. \"", "\"\n"),
    ("ampersand", "NAME = \"", "\" & _\n    \"", "\"\n"),
    ("angle brackets", "NAME = \"", "\" <> \"", "\"\n"),
    ("bars", "SET NAME = '", "' || '", "';\n"),
    ("implicit", "NAME = \"", "\" \"", "\"\n"),
    ("implicit over lines", "NAME = ('", "'\n    '", "')\n"),
    (
        "continued after the quote",
        "NAME = \"",
        "\" \\\n    \"",
        "\"\n",
    ),
    ("plus, continued", "NAME = '", "' + \\\n    '", "'\n"),
    ("continued inside the literal", "NAME = \"", "\\\n", "\"\n"),
    ("twice plus", "NAME := `", "` + `", "`\n"),
    ("plus plus", "NAME = \"", "\" ++ \"", "\"\n"),
    ("concat macro", "let NAME = concat!(\"", "\", \"", "\");\n"),
    ("joined list", "NAME = ''.join(['", "',\n    '", "'])\n"),
    ("paste0", "NAME <- paste0(\"", "\", \"", "\")\n"),
];

#[test]
fn split_literals_in_every_language_and_cut_anywhere() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    let keys = &mut Keys::new(SEED + 11);
    for (name, before, between, after) in JOINS {
        for cut in 1..40 {
            let (id, secret) = (keys.id(), keys.secret());
            let mut text = Filled::default();
            text.bytes.extend_from_slice(b"# settings\n");
            let half = |text: &mut Filled, name: &str, slot: &str, value: &str, cut: usize| {
                text.bytes
                    .extend_from_slice(before.replace("NAME", name).as_bytes());
                let start = text.bytes.len();
                text.bytes.extend_from_slice(&value.as_bytes()[..cut]);
                text.bytes.extend_from_slice(between.as_bytes());
                text.bytes.extend_from_slice(&value.as_bytes()[cut..]);
                text.marks.push(template::Mark {
                    slot: slot.to_owned(),
                    value: value.to_owned(),
                    start,
                    end: text.bytes.len(),
                });
                text.bytes.extend_from_slice(after.as_bytes());
            };
            // Of an id four characters are left together: without them nothing calls for a look.
            half(&mut text, "access_key", "ID", &id, 4 + cut % 16);
            half(&mut text, "secret_key", "SECRET", &secret, cut);
            let shape = &template::parse("#### 2.13 split\n= error ID SECRET\nx\n")[0];
            let rows = found(&engine, engine.scan(&text.bytes, &mut scratch));
            let name = format!("2.13 {name}, cut at {cut}");
            wrong.compare(&name, &shape.rows(&text), rows, false, &text);
        }
    }
    wrong.none(500);
}

/// A credentials file in the middle of 200 KB of text, in base64 of one line and of many.
#[test]
fn in_the_middle_of_long_base64() {
    let (engine, mut scratch, mut wrong) = (engine(), Scratch::default(), Wrong::default());
    let keys = &mut Keys::new(SEED + 12);
    let file = "aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n";
    let table = format!("#### long\n= error ID SECRET\n{file}");
    let shape = &template::parse(&table)[0];
    for wrap in [None, Some((76, "")), Some((75, "  "))] {
        for before in [0, 1, 2, 100_001] {
            let filled = shape.fill(keys);
            let text = filled.between(
                "#\n".repeat(50_000 + before).as_bytes(),
                &b"#\n".repeat(50_000),
            );
            let how = Base64 {
                wrap,
                ..Base64::default()
            };
            let text = base64(&text, how);
            let rows = found(&engine, engine.scan(&text.bytes, &mut scratch));
            let name = format!("{wrap:?} after {before}");
            wrong.compare(&name, &shape.rows(&text), rows, false, &text);
        }
    }
    wrong.none(12);
}
