//! Statements: words, signs, values and separators.

use crate::blob::Span;

use super::super::{Container, Content, Form, Node, Word};
use super::{Builder, MOST_HEADING, MOST_WORDS, is_naming};
use crate::engine::aws::candidate::Shape;
use crate::engine::aws::name::{Name, words};
use crate::engine::aws::syntax::lexer::{Kind, Token};

impl Builder<'_> {
    pub(super) fn word(&mut self, token: Token) {
        let frame = self.top();
        if frame.statement.values > 0 {
            self.end_statement();
        }
        let frame = self.top();
        let words = &mut frame.statement.words;
        let last = words.last();
        let is_content = last.is_some_and(|last| last.assigned);
        if words.len() == MOST_WORDS {
            let spare = words.iter().position(|word| !word.assigned).unwrap_or(0);
            words.remove(spare);
        }
        words.push(Word {
            span: token.span(),
            assigned: false,
            is_content,
            bracketed: false,
        });
        frame.statement.is_begun = true;
    }

    /// Returns the start of a text of several lines whose quote follows: undone escapes leave such in JSON.
    pub(super) fn text_in_string(&self, from: usize) -> Option<usize> {
        const MOST_LINE: usize = 1024;
        if self.is_in_lines() {
            return None;
        }
        let rest = self.bytes.get(from..)?;
        let white = rest
            .iter()
            .take(16)
            .take_while(|byte| **byte == b' ')
            .count();
        let quote = *rest
            .get(white)
            .filter(|byte| matches!(byte, b'"' | b'\''))?;
        let text = rest.get(white + 1..)?;
        let line = text.get(..MOST_LINE).unwrap_or(text);
        let end = memchr::memchr2(b'\n', quote, line)?;
        (line[end] == b'\n').then_some(from + white + 1)
    }

    pub(super) fn assign(&mut self) {
        let statement = &mut self.top().statement;
        if statement.values == 0
            && let Some(word) = statement.words.last_mut()
        {
            word.assigned = true;
        }
    }

    /// Copies the words of the statement to where they stay.
    pub(super) fn keep_words(&mut self) -> Span {
        let start = self.tree.words.len();
        let Some(frame) = self.frames.last() else {
            return Span::new(start, start);
        };
        self.tree.words.extend_from_slice(&frame.statement.words);
        Span::new(start, self.tree.words.len())
    }

    /// Ties the last word to a value that follows it without a sign, if the words before declare it: `set name "…"`,
    /// `(setq name "…")`.
    pub(super) fn declare(&mut self) {
        let bytes = self.bytes;
        let words = &mut self.top().statement.words;
        let Some(last) = words.iter().rposition(|word| !word.bracketed) else {
            return;
        };
        let (before, name) = words.split_at_mut(last);
        let declares = |word: &Word| {
            let name = Name::parse(word.span.of(bytes));
            name.is_all(words::DECLARING) || word.span.len() == 1
        };
        let is_declared = before.first().is_some_and(declares) && before.iter().all(declares);
        if is_declared
            && name.iter().all(|word| !word.assigned)
            && let Some(name) = name.last_mut()
        {
            name.assigned = true;
        }
    }

    pub(super) fn value(&mut self, shape: Shape, span: Span) {
        self.declare();
        let words = self.keep_words();
        let (line, is_comment) = (self.line, self.is_comment || self.is_removed);
        let line_start = self.line_start;
        let number = self.tree.nodes.len();
        let (container, index) = self.settle(number, words);
        let frame = self.frames.last_mut().expect("the root stays");
        let heading = frame.heading.take();
        let header = self.tree.containers[frame.container].header;
        let column = match header {
            Some(header) => self.tree.headers[header].get(frame.next).copied(),
            None => self.rows.column(self.bytes, line, line_start, span.start),
        };
        self.tree.containers[container].count += 1;
        self.line_has_value = true;
        for frame in &mut self.frames {
            frame.has_value = true;
            frame.last_line = line;
            frame.statement.has_inner = true;
        }
        self.tree.nodes.push(Node {
            content: Content::Value(shape),
            span,
            container,
            index,
            line,
            words,
            column,
            heading,
            after: None,
            is_comment,
        });
    }

    /// The container and the place of a value of the statement; several under one name have a container of their own.
    pub(super) fn settle(&mut self, number: usize, words: Span) -> (usize, usize) {
        let frame = self.frames.last_mut().expect("the root stays");
        let (outer, place) = (frame.container, frame.next);
        let statement = &mut frame.statement;
        statement.is_begun = true;
        let index = statement.values;
        statement.values += 1;
        let Some(first) = statement.first else {
            statement.first = Some(number);
            return (outer, place);
        };
        if let Some(list) = statement.list {
            return (list, index);
        }
        let list = self.tree.containers.len();
        statement.list = Some(list);
        let depth = self.tree.containers[outer].depth + 1;
        self.tree.containers[outer].count -= 1;
        self.tree.containers.push(Container {
            form: Form::Values,
            parent: outer,
            depth,
            index: place,
            words,
            attribute: None,
            heading: None,
            start: 0,
            count: 1,
            ends: Vec::new(),
            header: None,
        });
        if let Some(first) = self.tree.nodes.get_mut(first) {
            first.container = list;
            first.index = 0;
        }
        (list, index)
    }

    /// Ends the statement: what it says without a value is kept as a name or as a slot.
    pub(super) fn end_statement(&mut self) {
        let is_comment = self.is_comment;
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if !frame.statement.is_begun {
            return;
        }
        let statement = std::mem::take(&mut frame.statement);
        let index = frame.next;
        frame.next += 1;
        let end = (self.place, self.line);
        self.tree.containers[frame.container].ends.push(end);
        if statement.values > 0 || statement.has_inner || statement.words.is_empty() {
            frame.cells.clear();
            return;
        }
        let container = frame.container;
        let line = self.rows.line(statement.words[0].span.start);
        let Some(assigned) = statement.words.iter().rposition(|word| word.assigned) else {
            // Words alone: a heading, a cell, an argument.
            if statement.words.len() <= MOST_HEADING {
                let phrase = Span::new(
                    statement.words[0].span.start,
                    statement.words[statement.words.len() - 1].span.end,
                );
                let before = self
                    .bytes
                    .get(..phrase.start)
                    .unwrap_or_default()
                    .trim_ascii_end();
                let is_written_to = before.ends_with(b" >");
                if statement.is_piped || is_written_to && self.line_has_value {
                    self.name_after(line, phrase);
                } else {
                    frame.heading = Some(phrase);
                    if !frame.has_value {
                        frame.cells.push(phrase);
                    }
                }
            }
            return;
        };
        let content: Option<Span> = statement
            .words
            .get(assigned + 1..)
            .and_then(|rest| Some(Span::new(rest.first()?.span.start, rest.last()?.span.end)));
        let key = statement.words[assigned].span;
        if let Some(content) = content
            && is_naming(key.of(self.bytes))
        {
            frame.heading = Some(content);
            let own = &mut self.tree.containers[container];
            if matches!(own.form, Form::Bracket | Form::Indent | Form::Element)
                && own.attribute.is_none()
            {
                own.attribute = Some(content);
            }
            self.name_after(line, content);
            return;
        }
        // Something else under a name, or nothing: a slot.
        let start = self.tree.words.len();
        self.tree
            .words
            .extend_from_slice(&statement.words[..=assigned]);
        let words = Span::new(start, self.tree.words.len());
        let span = content.unwrap_or(Span::new(key.end, key.end));
        self.tree.nodes.push(Node {
            content: Content::Other,
            span,
            container,
            index,
            line,
            words,
            column: None,
            heading: None,
            after: None,
            is_comment,
        });
    }

    /// A name behind the last value, on its line.
    pub(super) fn name_after(&mut self, line: usize, name: Span) {
        let last = self
            .tree
            .nodes
            .last_mut()
            .filter(|node| node.line == line && node.after.is_none());
        if let Some(node) = last {
            node.after = Some(name);
        }
    }

    pub(super) fn separator(&mut self, token: Token) {
        let text = self.text();
        if text > 0 && self.is_in_lines() {
            // `{"a": "…", "b": …}`: the string ends.
            let is_white = |byte: &&u8| !byte.is_ascii_whitespace();
            let before = self.bytes[..token.start].last();
            let after = self.bytes[token.end..].iter().find(is_white);
            if before.is_some_and(|byte| matches!(byte, b'"' | b'\'')) && before == after {
                while self.frames.len() > text {
                    self.close();
                }
            }
        }
        let is_row = !matches!(self.form_of_top(), Form::Bracket | Form::Element);
        let statement = &self.top().statement;
        // `NAME=A,B`: the values have one name.
        if is_row && statement.values > 0 {
            return;
        }
        self.end_statement();
        // `$a = ['key' => 'X', 'secret' => 'Y'], $b`
    }

    pub(super) fn cell(&mut self, at: usize) {
        let statement = &self.top().statement;
        if statement.values == 0 {
            if statement.words.iter().all(|word| !word.assigned) {
                self.end_statement();
            }
            return;
        }
        let is_pipe = self.bytes.get(self.tokens[at].start) == Some(&b'|');
        let next = self.tokens.get(at + 1).map(|token| token.kind);
        if is_pipe && next == Some(Kind::Word) {
            self.end_statement();
            self.top().statement.is_piped = true;
        }
    }
}
