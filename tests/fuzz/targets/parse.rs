//! Small readers of what the report writers write. They take nothing that is not well formed.

/// The rows of a CSV file as RFC 4180 has it.
pub fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let field = match rest.strip_prefix('"') {
            Some(mut quoted) => {
                let mut field = String::new();
                loop {
                    let end = quoted.find('"').expect("a closing quote");
                    field.push_str(&quoted[..end]);
                    quoted = &quoted[end + 1..];
                    match quoted.strip_prefix('"') {
                        Some(after) => {
                            field.push('"');
                            quoted = after;
                        }
                        None => break,
                    }
                }
                rest = quoted;
                field
            }
            None => {
                let end = rest.find([',', '\r', '\n']).expect("an end of the line");
                let field = rest[..end].to_owned();
                assert!(!field.contains('"'), "a quote in {field:?}");
                rest = &rest[end..];
                field
            }
        };
        row.push(field);
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
            // A comma at the end of the file would be another, empty field.
            assert!(!rest.is_empty());
        } else {
            rest = rest.strip_prefix("\r\n").expect("an end of the line");
            rows.push(std::mem::take(&mut row));
        }
    }
    assert!(row.is_empty());
    rows
}

/// An element that was opened: its name and attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The name.
    pub name: String,
    /// Names and values, decoded.
    pub attributes: Vec<(String, String)>,
    /// The names of the elements around it.
    pub within: Vec<String>,
}

impl Element {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(own, _)| own == name);
        found.next().map(|(_, value)| value.as_str())
    }
}

/// Strictness of reading a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// Every element is closed; no character that XML 1.0 forbids.
    Xml,
    /// Some elements are never closed, and the content of two is not markup.
    Html,
}

const VOID: &[&str] = &["meta", "link", "br", "hr", "img", "input", "col", "wbr"];

/// The elements of a document, in order; and its text, decoded.
pub fn markup(text: &str, form: Markup) -> (Vec<Element>, String) {
    for c in text.chars() {
        let is_allowed = matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(is_allowed, "{c:?}");
    }
    let mut elements = Vec::new();
    let mut content = String::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        content.push_str(&decoded(&rest[..at]));
        rest = &rest[at..];
        if rest.starts_with("<?") || rest.starts_with("<!") {
            assert!(!rest.starts_with("<!--") && !rest.starts_with("<![CDATA["));
            assert!(elements.is_empty(), "only at the start");
            rest = &rest[rest.find('>').expect("an end") + 1..];
            continue;
        }
        let end = tag_end(rest);
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "closed");
            continue;
        }
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let element = element(tag, &open);
        let name = element.name.clone();
        let is_raw = form == Markup::Html && (name == "script" || name == "style");
        let is_void = form == Markup::Html && VOID.contains(&name.as_str());
        elements.push(element);
        if is_raw {
            let close = format!("</{name}>");
            rest = &rest[rest.find(&close).expect("closed") + close.len()..];
        } else if !is_empty && !is_void {
            open.push(name);
        }
    }
    content.push_str(&decoded(rest));
    assert!(open.is_empty(), "open: {open:?}");
    (elements, content)
}

/// Returns the end of the tag at the start, quotes heeded.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return at,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '<') if at > 0 => panic!("`<` in a tag"),
            _ => {}
        }
    }
    panic!("a tag without end");
}

fn element(tag: &str, open: &[String]) -> Element {
    let (name, mut rest) = match tag.find(|c: char| c.is_ascii_whitespace()) {
        Some(at) => tag.split_at(at),
        None => (tag, ""),
    };
    assert!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
        "{name:?} is no name"
    );
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            break;
        }
        let end = rest.find(|c: char| c == '=' || c.is_ascii_whitespace());
        let (key, after) = rest.split_at(end.unwrap_or(rest.len()));
        assert!(
            key.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-:_.".contains(c)),
            "{key:?}"
        );
        assert!(
            attributes.iter().all(|(known, _)| known != key),
            "{key} twice"
        );
        let Some(value) = after.strip_prefix('=') else {
            attributes.push((key.to_owned(), String::new()));
            rest = after;
            continue;
        };
        if let Some(quoted) = value.strip_prefix('"') {
            let end = quoted.find('"').expect("a closing quote");
            attributes.push((key.to_owned(), decoded(&quoted[..end])));
            rest = &quoted[end + 1..];
        } else {
            let end = value
                .find(|c: char| c.is_ascii_whitespace())
                .unwrap_or(value.len());
            let bare = &value[..end];
            assert!(
                bare.chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.#%/".contains(c)),
                "{bare:?}"
            );
            attributes.push((key.to_owned(), bare.to_owned()));
            rest = &value[end..];
        }
    }
    Element {
        name: name.to_owned(),
        attributes,
        within: open.to_vec(),
    }
}

/// Text with its references undone; every `&` must begin one.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(';').expect("a reference has an end");
        let c = match &rest[..end] {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => '\u{a0}',
            name => {
                let digits = name.strip_prefix('#').expect("a number or a known name");
                let code = match digits.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => digits.parse(),
                };
                code.ok().and_then(char::from_u32).expect("a character")
            }
        };
        out.push(c);
        rest = &rest[end + 1..];
    }
    assert!(!rest.contains('<'));
    out.push_str(rest);
    out
}
