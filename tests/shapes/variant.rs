//! The same shape written in other ways.

use super::template::{Filled, Shape};
use crate::support::Keys;

/// A shape in one of its variants, filled.
#[derive(Clone, Debug)]
pub struct Case {
    /// Shape and variant.
    pub name: String,
    /// The shape, with the text of the variant.
    pub shape: Shape,
    /// The text.
    pub filled: Filled,
    /// True if the surroundings are those of the shape, so that its context must be known.
    pub is_in_context: bool,
}

/// All variants of a shape.
pub fn of(shape: &Shape, keys: &mut Keys) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut templates = vec![("plain".to_owned(), shape.text.clone(), true)];
    if !shape.is_wide {
        templates.push(("quotes".to_owned(), other_quotes(&shape.text), false));
    }
    if !shape.is_fixed
        && !shape.is_ordered
        && let Some(swapped) = swapped(&shape.text)
    {
        templates.push(("swapped".to_owned(), swapped, false));
    }
    if !shape.is_fixed {
        for count in [1, 2, 3, 5, 10] {
            if let Some(text) = with_gap(&shape.text, count) {
                templates.push((format!("gap {count}"), text, count < 4));
            }
        }
    }
    for (name, text, is_in_context) in templates {
        let shape = Shape {
            text,
            ..shape.clone()
        };
        let filled = shape.fill(keys);
        if shape.is_wide {
            cases.extend(wide(&name, &shape, &filled));
            continue;
        }
        for (form, filled, keeps_context) in forms(&filled, keys) {
            // Every form of the plain template, and the others as they are.
            if name == "plain" || form == "as is" {
                cases.push(Case {
                    name: format!("{} [{name}, {form}]", shape.title),
                    shape: shape.clone(),
                    filled,
                    is_in_context: is_in_context && keeps_context,
                });
            }
        }
    }
    cases
}

/// Byte order marks and byte orders.
fn wide(name: &str, shape: &Shape, filled: &Filled) -> Vec<Case> {
    let mut cases = Vec::new();
    for (is_big, mark) in [
        (false, &b"\xff\xfe"[..]),
        (true, b"\xfe\xff"),
        (false, b""),
        (true, b""),
    ] {
        cases.push(Case {
            name: format!(
                "{} [{name}, big {is_big}, mark {}]",
                shape.title,
                mark.len()
            ),
            shape: shape.clone(),
            filled: filled.wide(is_big).between(mark, b""),
            is_in_context: name == "plain",
        });
    }
    cases
}

/// A filled template in other surroundings, and whether its context is still to be seen.
fn forms(filled: &Filled, keys: &mut Keys) -> Vec<(&'static str, Filled, bool)> {
    let bytes = &filled.bytes;
    let cut = Filled {
        bytes: bytes[..bytes.len() - 1].to_vec(),
        marks: filled.marks.clone(),
    };
    vec![
        ("as is", filled.clone(), true),
        (
            "crlf",
            filled.map(|_, byte| {
                if byte == b'\n' {
                    b"\r\n".to_vec()
                } else {
                    vec![byte]
                }
            }),
            true,
        ),
        ("no final newline", cut.clone(), true),
        ("tabs", filled.indented(b"\t\t"), true),
        ("spaces", filled.indented(b"      "), true),
        (
            "8 KiB before",
            cut.between(&padding(8 << 10, keys), b""),
            true,
        ),
        (
            "8 KiB after",
            filled.between(b"", &padding(8 << 10, keys)),
            true,
        ),
        (
            "in a big file",
            filled.between(&padding(8 << 10, keys), &padding(8 << 10, keys)),
            true,
        ),
    ]
}

/// Lines of code without anything in them.
pub fn padding(length: usize, keys: &mut Keys) -> Vec<u8> {
    let mut text = Vec::with_capacity(length + 80);
    while text.len() < length {
        let (word, number) = (
            keys.text(b"abcdefghijklmnopqrstuvwxyz", 9),
            keys.below(1000),
        );
        text.extend_from_slice(format!("    if {word}({number}) > limit then next;\n").as_bytes());
    }
    text
}

fn other_quotes(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '"' => '\'',
            '\'' => '"',
            other => other,
        })
        .collect()
}

/// The lines of id and secret exchanged, if they are two lines.
fn swapped(text: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let (id, secret) = halves(&lines)?;
    lines.swap(id, secret);
    Some(lines.join("\n") + "\n")
}

/// Puts other lines between id and secret, if they are on two lines.
fn with_gap(text: &str, count: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let (id, secret) = halves(&lines)?;
    let mut made = String::new();
    for (at, line) in lines.iter().enumerate() {
        made.push_str(line);
        made.push('\n');
        if at == id.min(secret) {
            for number in 0..count {
                made.push_str(["\n", "    # see the other page\n", "  # ---\n"][number % 3]);
            }
        }
    }
    Some(made)
}

fn halves(lines: &[&str]) -> Option<(usize, usize)> {
    let find = |names: [&str; 2]| {
        lines
            .iter()
            .position(|line| names.iter().any(|name| line.contains(name)))
    };
    let (id, secret) = (find(["{ID", "{ASIA"])?, find(["{SECRET", "{BLOB"])?);
    (id != secret).then_some((id, secret))
}
