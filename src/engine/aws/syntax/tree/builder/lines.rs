//! Lines: comments, indentation, items, sections and records.

use crate::blob::Span;

use super::super::Form;
use super::line::Line;
use super::{Builder, Frame, MOST_EMPTY, MOST_HEADING, Statement};
use crate::engine::aws::name::words;
use crate::engine::aws::syntax::lexer::{Kind, Token};

impl Builder<'_> {
    /// A comment: its values count like others; without one it can be a name.
    pub(super) fn comment(&mut self, at: usize) -> usize {
        let rest = self.tokens.get(at + 1..).unwrap_or_default();
        let has_mark = self
            .bytes
            .get(self.tokens[at].start..)
            .is_some_and(|text| text.starts_with(b"/*") || text.starts_with(b"<!--"));
        let is_end = |token: &Token| match has_mark {
            true => token.kind == Kind::CommentEnd,
            false => token.kind == Kind::Newline,
        };
        let length = rest.iter().position(is_end).unwrap_or(rest.len());
        let inner = &rest[..length];
        let count = |kind: Kind| inner.iter().filter(|token| token.kind == kind).count();
        let is_code = count(Kind::Open) != count(Kind::Close)
            || !has_mark && inner.last().is_some_and(|token| token.kind == Kind::Assign);
        let has_value = inner
            .iter()
            .any(|token| matches!(token.kind, Kind::Value(_)));
        if has_value || is_code {
            self.end_statement();
            self.is_comment = true;
            return at + 1;
        }
        let is_word = |token: &&Token| token.kind == Kind::Word;
        let count = inner.iter().filter(is_word).count();
        let is_plain = inner
            .iter()
            .all(|token| matches!(token.kind, Kind::Word | Kind::Newline));
        if let (Some(first), Some(last)) =
            (inner.iter().find(is_word), inner.iter().rev().find(is_word))
            && count <= MOST_HEADING
            && is_plain
        {
            let phrase = Span::new(first.start, last.end);
            if self.line_has_value && !has_mark {
                self.name_after(self.line, phrase);
            } else {
                self.top().heading = Some(phrase);
            }
        }
        let end = self.tokens.get(at + length).map_or(0, |token| token.end);
        self.line = self.rows.line(end);
        let is_mark = has_mark && length < rest.len();
        at + 1 + length + usize::from(is_mark)
    }

    pub(super) fn newline(&mut self, at: usize) -> usize {
        let after = self.tokens[at].end;
        self.line = self.rows.line(after);
        self.is_comment = self.is_comment && self.is_in_block(at);
        let next = self.tokens.get(at + 1..).unwrap_or_default();
        let next = next.iter().find(|token| token.kind != Kind::Newline);
        // `NAME =` and its value on the next line.
        let is_open = self
            .top()
            .statement
            .words
            .last()
            .is_some_and(|word| word.assigned)
            && self.top().statement.values == 0;
        let is_value = next.is_some_and(|next| matches!(next.kind, Kind::Value(_)));
        let is_item = || {
            self.is_in_lines()
                && Line::next(self.bytes, after).is_some_and(|line| line.item.is_some())
        };
        let goes_on = is_open && is_value && !is_item();
        if !goes_on {
            let had_words =
                !self.top().statement.words.is_empty() && self.top().statement.values == 0;
            if had_words {
                let words = self.keep_words();
                let is_block = is_open;
                self.above = Some((words, usize::from(is_block)));
            }
            if had_words && is_open {
                // It may own the lines below: whether it is a slot shows there.
                let statement = std::mem::take(&mut self.top().statement);
                if !self.is_deeper(after) {
                    self.top().statement = statement;
                    self.end_statement();
                } else {
                    self.top().next += 1;
                }
            } else {
                self.end_statement();
            }
        }
        while self.form_of_top() == Form::Row {
            self.close();
        }
        if self.line_has_value {
            self.above = None;
            if self.is_in_lines() {
                self.top().heading = None;
            }
        }
        self.line_has_value = false;
        self.start_line(at + 1)
    }

    pub(super) fn is_in_block(&self, at: usize) -> bool {
        // A block comment that goes on: its end stands further on than the next start of one.
        let rest = self.tokens.get(at..).unwrap_or_default();
        let mark = rest
            .iter()
            .take(256)
            .find(|token| matches!(token.kind, Kind::Comment | Kind::CommentEnd));
        mark.is_some_and(|mark| mark.kind == Kind::CommentEnd)
    }

    /// Returns true if the next line with a text is further in than the lines here, or an item as far in.
    pub(super) fn is_deeper(&self, from: usize) -> bool {
        if !self.is_in_lines() {
            return false;
        }
        let Some(line) = Line::next(self.bytes, from) else {
            return false;
        };
        let own = self.frames.last().map_or(0, |frame| frame.indent);
        line.indent > own || line.indent == own && line.item.is_some()
    }

    /// Looks at the start of the line behind the tokens before `at`; gives the first token to read.
    pub(super) fn start_line(&mut self, at: usize) -> usize {
        let from = at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(0, |token| token.end);
        self.start_line_from(at, from)
    }

    /// Looks at the start of the line at `from`.
    pub(super) fn start_line_from(&mut self, at: usize, from: usize) -> usize {
        self.line_start = from;
        if !self.is_in_lines() {
            return at;
        }
        let Some(line) = Line::at(self.bytes, from) else {
            return at;
        };
        if line.is_comment {
            let own = self.tokens[at..]
                .iter()
                .take_while(|token| token.start < line.end);
            if own
                .filter(|token| matches!(token.kind, Kind::Value(_)))
                .count()
                > 0
            {
                self.close_deeper(&line);
            }
            return at;
        }
        if line.is_blank {
            return at;
        }
        let skip = |to: usize| {
            at + self.tokens[at..]
                .iter()
                .take_while(|token| token.start < to)
                .count()
        };
        if line.section.is_some() || line.is_rule {
            self.close_lines();
            self.open(Form::Section, line.section);
            self.top().indent = line.indent;
            let text = self.frames.len() - 2;
            self.frames[text].statement = Statement::default();
            self.frames[text].next += 1;
            return skip(line.end);
        }
        let first = skip(line.text);
        if let Some(name) = self.record(first) {
            self.close_lines();
            self.open(Form::Section, Some(name));
            self.top().indent = line.indent;
            let text = self.frames.len() - 2;
            self.frames[text].statement = Statement::default();
            self.frames[text].next += 1;
            return first + 2;
        }
        self.indentation(&line);
        self.is_removed = line.is_removed;
        let values = self.tokens[first..]
            .iter()
            .take_while(|token| token.kind != Kind::Newline)
            .filter(|token| matches!(token.kind, Kind::Value(_)))
            .take(2)
            .count();
        if values > 1 {
            self.open(Form::Row, None);
        }
        first
    }

    /// The name behind a word that begins a record: `machine NAME login …`.
    pub(super) fn record(&self, first: usize) -> Option<Span> {
        let [word, name, ..] = self.tokens.get(first..)? else {
            return None;
        };
        let text = word.span().of(self.bytes);
        let is_begun = (word.kind, name.kind) == (Kind::Word, Kind::Word)
            && text.len() < 8
            && self.bytes.get(word.end) == Some(&b' ')
            && words::flags(&String::from_utf8_lossy(text)) & words::BEGINNING != 0;
        is_begun.then(|| name.span())
    }

    /// Closes the containers that are further in than the line.
    pub(super) fn close_deeper(&mut self, line: &Line) {
        let is_lines = |builder: &Self| builder.form_of_top() == Form::Indent;
        let mut closed = false;
        let now = self.line;
        let is_over = |frame: &Frame| {
            now > frame.last_line + MOST_EMPTY
                || frame.indent > line.indent
                || frame.is_list && frame.indent == line.indent && line.item.is_none()
        };
        while is_lines(self) && is_over(self.top()) {
            self.close();
            closed = true;
        }
        if closed {
            self.end_statement();
        }
    }

    /// Closes what the line is no part of, and opens what it begins.
    pub(super) fn indentation(&mut self, line: &Line) {
        self.close_deeper(line);
        let base = self.top().indent;
        let above = self.above.take();
        if line.indent > base
            || line.indent == base && line.item.is_some() && above.is_some_and(|above| above.1 > 0)
        {
            let words = above.map(|above| above.0);
            let is_outer = matches!(self.form_of_top(), Form::Root | Form::Section | Form::Text);
            if is_outer && self.top().next == 0 && words.is_none() {
                self.top().indent = line.indent;
            } else if let Some(words) = words {
                self.open(Form::Indent, None);
                let container = self.top().container;
                self.tree.containers[container].words = words;
                self.top().indent = line.indent;
                self.top().is_list = line.indent == base;
            }
        } else if line.indent < base {
            self.top().indent = line.indent;
        }
        if let Some(text) = line.item
            && Line::next(self.bytes, line.end).is_some_and(|next| next.indent > line.indent)
        {
            self.end_statement();
            self.open(Form::Indent, None);
            let container = self.top().container;
            self.tree.containers[container].words = Span::default();
            self.top().indent = text;
        }
    }
}
