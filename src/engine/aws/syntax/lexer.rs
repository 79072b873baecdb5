//! Bytes of a view as tokens: words, values, and the marks that tell how they belong together.

use crate::blob::Span;
use crate::engine::decode::is_value;

use super::super::candidate::{self, Shape};
use super::super::label::is_marked;
use super::super::name::words;

/// Kind of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Kind {
    /// A word that can be part of a name.
    Word,
    /// A run that can be part of a pair by its form.
    Value(Shape),
    /// `=`, `:`, `=>`, `:=`.
    Assign,
    /// `(`, `[`, `{`.
    Open,
    /// `)`, `]`, `}`.
    Close,
    /// The start of an element, with its name; attributes follow as other tokens.
    Element,
    /// The end of its start: `>`, or `/>` (true) that ends the element too.
    ElementStarted(bool),
    /// `</name>`
    ElementEnd,
    /// `,` `;` `&`
    Separator,
    /// `|`, tabs: they part cells, and commands.
    Cell,
    /// The end of a line.
    Newline,
    /// Start of a comment, which goes to the end of the line or to [`Kind::CommentEnd`].
    Comment,
    /// The end of a comment that had a mark of its own.
    CommentEnd,
}

/// A piece of text.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Token {
    pub(in super::super) kind: Kind,
    pub(in super::super) start: usize,
    pub(in super::super) end: usize,
}

impl Token {
    /// Returns its position.
    pub(in super::super) fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }
}

/// Longest start of an element, in bytes.
const MOST_ELEMENT: usize = 1024;

/// Reads all tokens. Each byte is looked at a bounded number of times.
pub(in super::super) fn read(bytes: &[u8]) -> Vec<Token> {
    let mut lexer = Lexer {
        bytes,
        tokens: Vec::with_capacity(bytes.len() / 8),
        at: 0,
        element_end: 0,
        block_comment: None,
        no_element_before: 0,
        no_signed_before: 0,
        is_key: None,
    };
    while lexer.at < bytes.len() {
        lexer.step();
    }
    lexer.tokens
}

struct Lexer<'b> {
    bytes: &'b [u8],
    tokens: Vec<Token>,
    at: usize,
    /// End of the start tag whose attributes are read; 0 outside.
    element_end: usize,
    /// Mark that ends the comment that is read.
    block_comment: Option<&'static [u8]>,
    /// There is no `>` between here and that place.
    no_element_before: usize,
    /// No signed token starts between here and that place.
    no_signed_before: usize,
    /// In what PHP has serialised: whether a key comes next, or its value.
    is_key: Option<bool>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(b'\n')
    }

    fn before(&self) -> u8 {
        self.at
            .checked_sub(1)
            .and_then(|at| self.bytes.get(at))
            .copied()
            .unwrap_or(b'\n')
    }

    fn push(&mut self, kind: Kind, length: usize) {
        self.tokens.push(Token {
            kind,
            start: self.at,
            end: self.at + length,
        });
        self.at += length;
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(text))
    }

    fn step(&mut self) {
        if self.element_end > 0 && self.at >= self.element_end {
            let is_closed = self.before() == b'/';
            self.element_end = 0;
            self.push(Kind::ElementStarted(is_closed), 1);
            return;
        }
        if let Some(end) = self.block_comment
            && self.starts_with(end)
        {
            self.block_comment = None;
            self.push(Kind::CommentEnd, end.len());
            return;
        }
        let byte = self.peek(0);
        if is_value(byte) || matches!(byte, b'_' | b'$' | b'%') || byte >= 0x80 {
            self.word_or_value();
            return;
        }
        match byte {
            b'\n' => {
                self.is_key = None;
                self.push(Kind::Newline, 1);
            }
            b'(' | b'[' | b'{' => self.push(Kind::Open, 1),
            b')' | b']' | b'}' => {
                self.is_key = self.is_key.filter(|_| byte == b'}').map(|_| true);
                self.push(Kind::Close, 1);
            }
            b';' if self.is_key.is_some() => {
                let kind = match self.is_key {
                    Some(true) => Kind::Assign,
                    _ => Kind::Separator,
                };
                self.is_key = self.is_key.map(|is_key| !is_key);
                self.push(kind, 1);
            }
            b';' if self.is_line_start() => self.push(Kind::Comment, 1),
            // `&str`, `&anchor`
            b'&' if matches!(self.before(), b' ' | b'\t') && self.peek(1) != b' ' => self.at += 1,
            b',' | b';' | b'&' => self.push(Kind::Separator, 1),
            b'|' | b'\t' => {
                if byte == b'|' && self.peek(1) == b'|' {
                    self.at += 2;
                } else {
                    self.push(Kind::Cell, 1);
                }
            }
            b':' | b'=' => self.assign(),
            b'-' if self.starts_with(b"->") => self.push(Kind::Assign, 2),
            b'-' if self.starts_with(b"-->") => self.at += 3,
            b'-' if self.starts_with(b"-- ") && self.is_line_start() => self.push(Kind::Comment, 2),
            b'#' => {
                let is_mark = self.is_line_start()
                    || matches!(self.before(), b' ' | b'\t') && self.peek(1) == b' ';
                let is_word = self.starts_with(b"#define") || self.peek(1) == b'{';
                match is_mark && !is_word {
                    true => self.push(Kind::Comment, 1),
                    false => self.at += 1,
                }
            }
            b'<' => self.element(),
            // The attributes of an element end with their quotes.
            b'"' | b'\'' if self.at < self.element_end && self.before() != b'=' => {
                let is_end =
                    self.peek(1).is_ascii_whitespace() || matches!(self.peek(1), b'/' | b'>');
                match is_end {
                    true => self.push(Kind::Separator, 1),
                    false => self.at += 1,
                }
            }
            _ => self.at += 1,
        }
    }

    /// Returns true if only white space, or the mark of a patch, is before it on the line.
    fn is_line_start(&self) -> bool {
        let before = self
            .bytes
            .get(self.at.saturating_sub(64)..self.at)
            .unwrap_or_default();
        let mark = before
            .iter()
            .rev()
            .find(|byte| !matches!(byte, b' ' | b'\t'));
        mark.is_none_or(|byte| *byte == b'\n') || is_marked(before)
    }

    fn assign(&mut self) {
        let two = [self.peek(0), self.peek(1)];
        match &two {
            // A symbol: `set :secret, "…"`.
            [b':', next] if next.is_ascii_alphabetic() && self.is_symbol() => self.at += 1,
            b"::" if self.peek(2).is_ascii_alphanumeric() => self.at += 2,
            b"::" | b":=" | b"=>" | b"==" | b"=~" => self.push(Kind::Assign, 2),
            _ => self.push(Kind::Assign, 1),
        }
    }

    /// Returns true for the colon of a symbol that an argument follows.
    fn is_symbol(&self) -> bool {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = rest
            .iter()
            .take(64)
            .take_while(|byte| is_part(byte))
            .count();
        matches!(self.before(), b' ' | b'(') && rest.get(length) == Some(&b',')
    }

    /// A word, a value, or the mark of a comment that starts with a slash.
    fn word_or_value(&mut self) {
        if let Some(length) = self.white_or_mark().or_else(|| self.counted()) {
            self.at += length;
            return;
        }
        if self.signed_token() {
            return;
        }
        let run = self.run(self.at);
        if self.values(run) {
            return;
        }
        if self.starts_with(b"//")
            && !matches!(self.before(), b':' | b'"' | b'\'')
            && run.len() < 20
        {
            self.push(Kind::Comment, 2);
            return;
        }
        if self.starts_with(b"/*") {
            self.block_comment = Some(b"*/");
            self.push(Kind::Comment, 2);
            return;
        }
        let goes_on = matches!(self.peek(run.len()), b'.' | b'_')
            && self.peek(run.len() + 1).is_ascii_alphabetic()
            && run.of(self.bytes).iter().all(u8::is_ascii_alphanumeric);
        if run.len() >= 20 && !goes_on {
            // Base64, a path: its parts are no values.
            self.push(Kind::Word, run.len());
            return;
        }
        if matches!(self.peek(0), b'/' | b'+' | b'%') {
            self.at += 1;
            return;
        }
        let end = self.word_end();
        self.push(Kind::Word, end - self.at);
    }

    /// Adds a signed token; false if none starts here.
    fn signed_token(&mut self) -> bool {
        let may_start =
            self.at >= self.no_signed_before && !matches!(self.before(), b'-' | b'_' | b'.');
        if !may_start || !self.starts_with(b"eyJ") {
            return false;
        }
        let Some(end) = candidate::signed_end(self.bytes, self.at) else {
            // A later start in the same run has fewer parts.
            let is_part = |byte: &u8| is_value(*byte) || matches!(byte, b'-' | b'_' | b'.');
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let length = rest.iter().take_while(|byte| is_part(byte)).count();
            self.no_signed_before = self.at + length;
            return false;
        };
        self.push(Kind::Value(Shape::Signed), end - self.at);
        true
    }

    /// Length of white space and of marks that are not ASCII.
    fn white_or_mark(&mut self) -> Option<usize> {
        match (self.peek(0), self.peek(1), self.peek(2)) {
            (0xc2, 0xa0, _) => Some(2),
            (0xe2, 0x80, 0x80..=0xaf) | (0xe3, 0x80, 0x80) | (0xef, 0xbb, 0xbf) => Some(3),
            // The colon and the equals sign of full width.
            (0xef, 0xbc, 0x9a | 0x9d) => {
                self.tokens.push(Token {
                    kind: Kind::Assign,
                    start: self.at,
                    end: self.at + 3,
                });
                Some(3)
            }
            _ => None,
        }
    }

    /// Length of the type and the length before a value of PHP's serialisation: `s:10:"`, `a:2:{`.
    fn counted(&mut self) -> Option<usize> {
        let is_type = matches!(self.peek(0), b's' | b'a' | b'O' | b'S') && self.peek(1) == b':';
        if !is_type || self.before().is_ascii_alphanumeric() {
            return None;
        }
        let rest = self.bytes.get(self.at + 2..)?;
        let digits = rest
            .iter()
            .take(6)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let goes_on = matches!(rest.get(digits + 1), Some(b'"' | b'\\' | b'{'));
        let is_counted = digits > 0 && rest.get(digits) == Some(&b':') && goes_on;
        if is_counted && rest.get(digits + 1) == Some(&b'{') {
            self.is_key = Some(true);
        }
        is_counted.then_some(digits + 3)
    }

    /// The characters from `at` on that a value can consist of.
    fn run(&self, at: usize) -> Span {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !is_value(*byte))
            .unwrap_or(rest.len());
        Span::new(at, at + length)
    }

    /// Adds the values in a run; false if there are none.
    fn values(&mut self, run: Span) -> bool {
        let before = self.tokens.len();
        candidate::values_of(self.bytes, run, |shape, span| {
            self.tokens.push(Token {
                kind: Kind::Value(shape),
                start: span.start,
                end: span.end,
            });
        });
        let found = self
            .tokens
            .get(before..)
            .and_then(<[Token]>::last)
            .map(|last| last.end);
        if let Some(end) = found {
            self.at = end.max(run.end);
        }
        found.is_some()
    }

    /// Returns the end of the word that starts here: before a value, and not with a mark.
    fn word_end(&self) -> usize {
        let mut end = self.at;
        loop {
            let byte = self.bytes.get(end).copied().unwrap_or(b'\n');
            let next = self.bytes.get(end + 1).copied().unwrap_or(b'\n');
            if is_value(byte) && byte != b'+' && byte != b'/' {
                let run = self.run(end);
                if run.len() >= 20 && end > self.at && candidate::has_values(self.bytes, run) {
                    return self.trimmed(end);
                }
                // A slash inside a path belongs to the word, a plus sign does not.
                let plus = run.of(self.bytes).iter().position(|byte| *byte == b'+');
                if let Some(plus) = plus.filter(|_| run.len() < 20) {
                    return self.trimmed(run.start + plus);
                }
                end = run.end;
                continue;
            }
            let is_inner = match byte {
                b'_' | b'$' => true,
                b'-' | b'.' | b'/' => next.is_ascii_alphanumeric() || next == b'_',
                // `aws:secretKey`, `03:04:05`
                b':' => {
                    let is_time = next.is_ascii_digit() && self.bytes[end - 1].is_ascii_digit();
                    is_time || self.is_name_space(end) && next.is_ascii_alphabetic()
                }
                // `people[0].id`
                b'[' => self.index_end(end).is_some(),
                0x80.. => !matches!(
                    (byte, next, self.bytes.get(end + 2)),
                    (0xc2, 0xa0, _)
                        | (0xe2, 0x80, Some(0x80..=0xaf))
                        | (0xe3, 0x80, Some(0x80))
                        | (0xef, 0xbc, Some(0x9a | 0x9d))
                ),
                _ => false,
            };
            if !is_inner {
                return self.trimmed(end);
            }
            end = match byte {
                b'[' => self.index_end(end).unwrap_or(end + 1),
                _ => end + 1,
            };
        }
    }

    fn trimmed(&self, end: usize) -> usize {
        let text = self.bytes.get(self.at..end).unwrap_or_default();
        let marks = text
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b'-' | b'.' | b'/' | b':'))
            .count();
        (end - marks).max(self.at + 1)
    }

    /// Returns the end of `[0]` that starts at `open`.
    fn index_end(&self, open: usize) -> Option<usize> {
        let rest = self.bytes.get(open + 1..)?;
        let digits = rest
            .iter()
            .take(6)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let goes_on = matches!(rest.get(digits + 1), Some(b'.' | b'=' | b' ' | b':'));
        (digits > 0 && rest.get(digits) == Some(&b']') && goes_on).then_some(open + digits + 2)
    }

    /// Returns true for the colon of `aws:secretKey` and `$Env:NAME`.
    fn is_name_space(&self, colon: usize) -> bool {
        let before = self.bytes.get(self.at..colon).unwrap_or_default();
        let word = before.strip_prefix(b"$").unwrap_or(before);
        [&b"aws"[..], b"amazon", b"env"]
            .iter()
            .any(|one| word.eq_ignore_ascii_case(one))
    }

    /// An element of XML or HTML; those that only shape a text are passed over.
    fn element(&mut self) {
        if self.starts_with(b"<!--") {
            self.block_comment = Some(b"-->");
            self.push(Kind::Comment, 4);
            return;
        }
        let is_end = self.peek(1) == b'/';
        let start = self.at + 1 + usize::from(is_end);
        let rest = self.bytes.get(start..).unwrap_or_default();
        let is_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
        let length = rest
            .iter()
            .take(64)
            .take_while(|byte| is_name(byte))
            .count();
        let name = rest.get(..length).unwrap_or_default();
        let flags = str::from_utf8(name).map_or(0, |name| words::flags(&name.to_ascii_lowercase()));
        let is_element = name.first().is_some_and(u8::is_ascii_alphabetic)
            && (is_end
                || flags & (words::INLINE | words::LINE) != 0
                || !self.before().is_ascii_alphanumeric())
            && !candidate::has_values(self.bytes, self.run(start))
            && matches!(
                rest.get(length),
                Some(b' ' | b'\t' | b'\r' | b'\n' | b'>' | b'/')
            );
        let Some(close) = is_element.then(|| self.close_of(start + length)).flatten() else {
            self.at += 1;
            return;
        };
        let text = Span::new(start + length, close).of(self.bytes);
        if flags & words::LINE != 0 {
            self.at = close;
            self.push(Kind::Newline, 1);
        } else if flags & words::INLINE != 0 && !holds_value(text) {
            self.at = close + 1;
        } else if is_end {
            self.tokens.push(Token {
                kind: Kind::ElementEnd,
                start,
                end: start + length,
            });
            self.at = close + 1;
        } else {
            self.tokens.push(Token {
                kind: Kind::Element,
                start,
                end: start + length,
            });
            self.at = start + length;
            self.element_end = close;
        }
    }

    /// Returns the end of a start tag: `>` outside of quotes.
    fn close_of(&mut self, from: usize) -> Option<usize> {
        if from < self.no_element_before {
            return None;
        }
        let rest = self.bytes.get(from..)?;
        let rest = rest.get(..MOST_ELEMENT).unwrap_or(rest);
        let mut quote = None;
        for (at, byte) in rest.iter().enumerate() {
            match (quote, byte) {
                (None, b'>') => return Some(from + at),
                (None, b'<') => break,
                (None, b'"' | b'\'') => quote = Some(*byte),
                (Some(open), byte) if open == *byte => quote = None,
                _ => {}
            }
        }
        // An odd quote: the nearest sign on the line will do.
        let line = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
        let found = rest
            .get(..line)?
            .iter()
            .position(|byte| matches!(byte, b'>' | b'<'));
        match found {
            Some(at) if rest.get(at) == Some(&b'>') => Some(from + at),
            _ => {
                self.no_element_before = from + line;
                None
            }
        }
    }
}

/// Returns true if a text has a run that is long enough for a value.
fn holds_value(text: &[u8]) -> bool {
    text.split(|byte| !is_value(*byte))
        .any(|run| run.len() >= 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        read(text.as_bytes())
            .iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| &text[token.start..token.end])
            .collect()
    }

    #[test]
    fn words_end_where_names_end() {
        assert_eq!(
            words("export AWS_KEY=x.y-z"),
            ["export", "AWS_KEY", "x.y-z"]
        );
        assert_eq!(words("a: people[0].id, [1]"), ["a", "people[0].id", "1"]);
        assert_eq!(
            words("$Env:NAME aws:key a:b"),
            ["$Env:NAME", "aws:key", "a", "b"]
        );
        assert_eq!(
            words("<span class=\"x\">name</span> <b>v</b>"),
            ["name", "v"]
        );
        assert_eq!(words("clé et contraseña"), ["clé", "et", "contraseña"]);
    }

    #[test]
    fn elements_keep_their_attributes() {
        let kinds: Vec<Kind> = read(b"<add key=\"a\"/><x>")
            .iter()
            .map(|token| token.kind)
            .collect();
        use Kind::*;
        assert_eq!(
            kinds,
            [
                Element,
                Word,
                Assign,
                Word,
                Separator,
                ElementStarted(true),
                Element,
                ElementStarted(false)
            ]
        );
        assert!(
            read(b"a < b && Vec<String>")
                .iter()
                .all(|token| token.kind != Element)
        );
    }
}
