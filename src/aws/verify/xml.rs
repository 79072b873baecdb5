//! Reads the XML of answers: a strict reader of a small part of the language.
//!
//! Only well-formed text is accepted, so an answer that was cut, or that another party wrote (a proxy's HTML), is
//! refused. Document types, processing instructions and prefixes are refused too: AWS sends none, and nothing here
//! expands. Names are those without a namespace.

/// Greatest depth of nested elements.
const MAX_DEPTH: usize = 32;

/// An element with its text and its children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    /// The text directly in it, references replaced.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first element of that name below this one, in the order of the document.
    pub(super) fn find(&self, name: &str) -> Option<&Self> {
        self.children
            .iter()
            .find_map(|child| match child.name == name {
                true => Some(child),
                false => child.find(name),
            })
    }

    /// The element of that name directly in this one; `None` if there are two.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        let mut named = self.children.iter().filter(|child| child.name == name);
        let first = named.next()?;
        named.next().is_none().then_some(first)
    }

    /// The trimmed text of the first element of that name, unless it is empty.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        let text = self.find(name)?.text.trim();
        (!text.is_empty()).then_some(text)
    }
}

/// Reads a whole document; `None` if it is not one.
pub(super) fn parse(bytes: &[u8]) -> Option<Element> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_character = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if !text.chars().all(is_character) {
        return None;
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader { rest: &text };
    reader.declaration()?;
    reader.misc()?;
    let root = reader.element(0)?;
    reader.misc()?;
    reader.rest.is_empty().then_some(root)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    fn blanks(&mut self) -> bool {
        let rest = self.rest.trim_start_matches([' ', '\t', '\n']);
        let is_some = rest.len() < self.rest.len();
        self.rest = rest;
        is_some
    }

    /// Takes the text before `end`, and passes `end` too.
    fn until(&mut self, end: &str) -> Option<&'a str> {
        let (text, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(text)
    }

    fn name(&mut self) -> Option<&'a str> {
        let is_start = |c: char| c.is_ascii_alphabetic() || c == '_';
        let is_part = |c: char| is_start(c) || c.is_ascii_digit() || c == '-' || c == '.';
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        name.starts_with(is_start).then(|| self.rest = rest)?;
        Some(name)
    }

    /// `<?xml version="1.0" encoding="UTF-8"?>`, if it is there.
    fn declaration(&mut self) -> Option<()> {
        if self.rest.starts_with("<?xml ") {
            self.skip("<?xml")?;
            let attributes = self.attributes()?;
            self.skip("?>")?;
            let is_known = |name: &&str| ["version", "encoding", "standalone"].contains(name);
            let is_good = attributes.first() == Some(&"version") && attributes.iter().all(is_known);
            return is_good.then_some(());
        }
        Some(())
    }

    /// Blanks and comments.
    fn misc(&mut self) -> Option<()> {
        self.blanks();
        while self.rest.starts_with("<!--") {
            self.comment()?;
            self.blanks();
        }
        Some(())
    }

    fn comment(&mut self) -> Option<()> {
        self.skip("<!--")?;
        let text = self.until("-->")?;
        (!text.contains("--") && !text.ends_with('-')).then_some(())
    }

    /// The names of the attributes; their values are passed over. No two have one name.
    fn attributes(&mut self) -> Option<Vec<&'a str>> {
        let mut names = Vec::new();
        while self.blanks() && !self.rest.starts_with(['>', '/', '?']) {
            let name = self.name()?;
            self.blanks();
            self.skip("=")?;
            self.blanks();
            let quote = if self.rest.starts_with('"') {
                "\""
            } else {
                "'"
            };
            self.skip(quote)?;
            let value = self.until(quote)?;
            (!value.contains('<') && !names.contains(&name)).then_some(())?;
            unescaped(value)?;
            names.push(name);
        }
        Some(names)
    }

    fn element(&mut self, depth: usize) -> Option<Element> {
        (depth < MAX_DEPTH).then_some(())?;
        self.skip("<")?;
        let name = self.name()?;
        self.attributes()?;
        let mut element = Element {
            name: name.to_owned(),
            ..Element::default()
        };
        if self.skip("/>").is_some() {
            return Some(element);
        }
        self.skip(">")?;
        loop {
            let end = self.rest.find('<')?;
            let (text, rest) = self.rest.split_at(end);
            (!text.contains("]]>")).then_some(())?;
            element.text.push_str(&unescaped(text)?);
            self.rest = rest;
            if rest.starts_with("<!--") {
                self.comment()?;
            } else if self.skip("<![CDATA[").is_some() {
                let text = self.until("]]>")?;
                element.text.push_str(text);
            } else if self.skip("</").is_some() {
                (self.name()? == name).then_some(())?;
                self.blanks();
                self.skip(">")?;
                return Some(element);
            } else {
                element.children.push(self.element(depth + 1)?);
            }
        }
    }
}

/// `text` with references replaced; `None` if one is not of XML's own.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (name, after) = after.split_once(';')?;
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let digits = name.strip_prefix('#')?;
                let (digits, radix) = match digits.strip_prefix('x') {
                    Some(digits) => (digits, 16),
                    None => (digits, 10),
                };
                let is_digits = digits.chars().all(|c| c.is_digit(radix));
                let number = is_digits.then(|| u32::from_str_radix(digits, radix).ok())??;
                let c = char::from_u32(number)?;
                (!c.is_control() && c < '\u{fffe}').then_some(c)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ANSWER: &str = "<?xml version=\"1.0\"?>\n<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <GetCallerIdentityResult>\n    <Arn>arn:aws:iam::123456789012:user/a&amp;b</Arn><UserId/>\n  </GetCallerIdentityResult>\n</GetCallerIdentityResponse>\n";

    #[test]
    fn an_answer_is_read_by_names() {
        let root = parse(ANSWER.as_bytes()).expect("a document");
        assert_eq!(root.name, "GetCallerIdentityResponse");
        assert_eq!(
            root.text_of("Arn"),
            Some("arn:aws:iam::123456789012:user/a&b")
        );
        assert_eq!(root.text_of("UserId"), None);
        assert_eq!(root.text_of("Account"), None);
    }

    #[test]
    fn what_was_cut_is_refused_wherever_it_was_cut() {
        for end in 0..ANSWER.trim_end().len() {
            assert_eq!(parse(&ANSWER.as_bytes()[..end]), None, "{end}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for text in [
            "",
            "<html><body><p>Sign in<br></body></html>",
            "<!DOCTYPE html><html></html>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a>&b;</a>",
            "<a><b></a></b>",
            "<a/><a/>",
            "<a b=\"1\" b=\"2\"/>",
            "<a b='<'/>",
            "<x:a xmlns:x=\"y\"/>",
            "<a>\u{1}</a>",
            "<a>&#1;</a>",
            "<a>&#x+41;</a>",
            "<a>]]></a>",
            "<a/>text",
            "{\"Arn\": \"x\"}",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        let deep = "<a>".repeat(100_000);
        assert_eq!(parse(deep.as_bytes()), None);
    }

    fn same(ours: &Element, theirs: roxmltree::Node<'_, '_>) {
        assert_eq!(ours.name, theirs.tag_name().name());
        let texts = theirs.children().filter(roxmltree::Node::is_text);
        let text: String = texts.filter_map(|node| node.text()).collect();
        assert_eq!(ours.text, text);
        let children: Vec<_> = theirs.children().filter(|it| it.is_element()).collect();
        assert_eq!(ours.children.len(), children.len());
        for (ours, theirs) in ours.children.iter().zip(children) {
            same(ours, theirs);
        }
    }

    proptest! {
        /// Whatever is taken, a full parser takes as well, and reads it alike.
        #[test]
        fn nothing_is_taken_that_a_full_parser_refuses(parts in proptest::collection::vec(
            prop_oneof![
                Just("<a>"), Just("</a>"), Just("<b c=\"d\">"), Just("</b>"), Just("<e/>"), Just("x"), Just(" "),
                Just("&amp;"), Just("&#65;"), Just("&#x1F600;"), Just("<!-- y -->"), Just("<![CDATA[<z>]]>"), Just("\n"),
                Just("<"), Just(">"), Just("&"), Just("]]>"), Just("--"), Just("é"), Just("<?xml version=\"1.0\"?>"),
            ],
            0..12,
        )) {
            let inner = parts.concat();
            for text in [inner.clone(), format!("<r>{inner}</r>")] {
                if let Some(ours) = parse(text.as_bytes()) {
                    let theirs = roxmltree::Document::parse(&text).expect("well-formed");
                    same(&ours, theirs.root_element());
                }
            }
        }

        /// One character of a good answer is another one, or gone.
        #[test]
        fn a_damaged_answer_is_never_read_otherwise(at in 0..ANSWER.len(), by in "[<>&/\"'= a;!?-]?") {
            let text = format!("{}{by}{}", &ANSWER[..at], &ANSWER[at + 1..]);
            if let Some(ours) = parse(text.as_bytes()) {
                let theirs = roxmltree::Document::parse(&text).expect("well-formed");
                same(&ours, theirs.root_element());
            }
        }
    }
}
