//! Tokens as a tree: containers, and nodes with the names that own them.

use crate::aws::key_id::KeyId;
use crate::aws::secret_key;
use crate::blob::Span;
use crate::engine::decode::is_value;

use super::super::candidate::Shape;
use super::super::name::{Name, words};
use super::lexer::{self, Kind, Token};

/// Deepest nesting that is distinguished; what is deeper counts for the container at that depth.
const MOST_DEPTH: usize = 48;

/// Number of words of a statement that are kept.
const MOST_WORDS: usize = 8;

/// Longest phrase that can be a heading, in words.
const MOST_HEADING: usize = 6;

/// Lines without a value after which lines further in no longer belong to the lines above: those may be out of sight.
const MOST_EMPTY: usize = 64;

/// A word that can be (a part of) a name.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Word {
    pub(in super::super) span: Span,
    /// A sign that assigns follows.
    pub(in super::super) assigned: bool,
    /// It comes after such a sign, so it is (the start of) a value.
    pub(in super::super) is_content: bool,
    /// It is in brackets of its own: `os.environ["NAME"]`.
    pub(in super::super) bracketed: bool,
}

/// Form of a container of nodes and other containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Form {
    /// The text.
    Root,
    /// Text between brackets.
    Bracket,
    /// Lines further in than the one above them, or an item of a list.
    Indent,
    /// Text below `[name]`.
    Section,
    /// An element of XML or HTML.
    Element,
    /// A line with several values.
    Row,
    /// Values under one name.
    Values,
    /// A text of several lines in a string.
    Text,
}

/// A container.
#[derive(Clone, Debug)]
pub(in super::super) struct Container {
    pub(in super::super) form: Form,
    pub(in super::super) parent: usize,
    pub(in super::super) depth: usize,
    /// Its place in its parent.
    pub(in super::super) index: usize,
    /// The words before it, in [`Tree::words`].
    pub(in super::super) words: Span,
    /// The value of its own attribute `name` or `key`.
    pub(in super::super) attribute: Option<Span>,
    /// The name before it, alone.
    pub(in super::super) heading: Option<Span>,
    /// Its start.
    pub(in super::super) start: usize,
    /// Number of nodes directly in it.
    pub(in super::super) count: usize,
    /// End of each of its statements, with the line.
    pub(in super::super) ends: Vec<(usize, usize)>,
    /// Names of columns for its content, the number of the header in [`Tree::headers`].
    header: Option<usize>,
}

/// Content of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Content {
    /// A value that can be part of a pair by its form.
    Value(Shape),
    /// Anything else under the name, or nothing.
    Other,
}

/// A value in its place.
#[derive(Clone, Debug)]
pub(in super::super) struct Node {
    pub(in super::super) content: Content,
    pub(in super::super) span: Span,
    pub(in super::super) container: usize,
    /// Its place in the container.
    pub(in super::super) index: usize,
    /// Its line, 0-based.
    pub(in super::super) line: usize,
    /// The words before it in its statement, in [`Tree::words`].
    pub(in super::super) words: Span,
    /// The name of its column.
    pub(in super::super) column: Option<Span>,
    /// A name before it, alone: the argument before, the line above.
    pub(in super::super) heading: Option<Span>,
    /// A name behind it.
    pub(in super::super) after: Option<Span>,
    pub(in super::super) is_comment: bool,
}

/// A text by its structure.
#[derive(Debug, Default)]
pub(in super::super) struct Tree {
    pub(in super::super) containers: Vec<Container>,
    /// In order of place.
    pub(in super::super) nodes: Vec<Node>,
    pub(in super::super) words: Vec<Word>,
    headers: Vec<Vec<Span>>,
}

impl Tree {
    /// Reads a text.
    pub(in super::super) fn read(bytes: &[u8]) -> Self {
        let tokens = lexer::read(bytes);
        let mates = mates(bytes, &tokens);
        let mut builder = Builder::new(bytes, &tokens, mates);
        builder.run();
        builder.tree
    }

    /// The words of a statement.
    pub(in super::super) fn words(&self, span: Span) -> &[Word] {
        self.words.get(span.start..span.end).unwrap_or_default()
    }

    /// The containers around a node, from the nearest outwards, the root left out.
    pub(in super::super) fn around(&self, container: usize) -> impl Iterator<Item = usize> {
        let next = |at: &usize| Some(self.containers.get(*at)?.parent);
        std::iter::successors(Some(container), next).take_while(|at| *at != 0)
    }
}

/// For each opening bracket or element the token that closes it, and the other way round.
fn mates(bytes: &[u8], tokens: &[Token]) -> Vec<Option<usize>> {
    /// Number of brackets without an end that may be between the two.
    const REACH: usize = 6;
    let mut mates = vec![None; tokens.len()];
    let mut open: Vec<usize> = Vec::new();
    let opens = |at: usize, close: usize| {
        let (first, last) = (&tokens[at], &tokens[close]);
        match (first.kind, last.kind) {
            (Kind::Open, Kind::Close) => matches!(
                (bytes[first.start], bytes[last.start]),
                (b'(', b')') | (b'[', b']') | (b'{', b'}')
            ),
            (Kind::Element, Kind::ElementEnd) => first.span().of(bytes) == last.span().of(bytes),
            _ => false,
        }
    };
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open | Kind::Element => open.push(at),
            Kind::ElementStarted(true) => {
                open.pop_if(|last| tokens[*last].kind == Kind::Element);
            }
            Kind::Close | Kind::ElementEnd => {
                let found = open
                    .iter()
                    .rev()
                    .take(REACH)
                    .position(|first| opens(*first, at));
                if let Some(found) = found {
                    open.truncate(open.len() - found);
                    if let Some(first) = open.pop() {
                        mates[first] = Some(at);
                        mates[at] = Some(first);
                    }
                }
            }
            _ => {}
        }
    }
    // What is open at the end of the text goes on behind it, if it is not from far above.
    for first in open {
        if tokens[first].kind == Kind::Open {
            mates[first] = Some(tokens.len());
        }
    }
    mates
}

/// The statement that is read, so far.
#[derive(Clone, Debug, Default)]
struct Statement {
    words: Vec<Word>,
    /// Number of its values.
    values: usize,
    /// The node of its only value.
    first: Option<usize>,
    /// The container of its values, where it has several.
    list: Option<usize>,
    /// It has an inner container with values.
    has_inner: bool,
    /// It has any content.
    is_begun: bool,
    /// It begins behind `|`.
    is_piped: bool,
}

/// A container that is open.
#[derive(Clone, Debug)]
struct Frame {
    container: usize,
    statement: Statement,
    /// Place of the next statement.
    next: usize,
    /// A name that was alone, for the next value.
    heading: Option<Span>,
    /// Column of its lines, or of its items' marks.
    indent: usize,
    /// Its lines are items, as far in as the name above them.
    is_list: bool,
    /// It has a value.
    has_value: bool,
    /// The line where it opened, or of its last value.
    last_line: usize,
    /// The number of the first node that can be in it.
    first_node: usize,
    /// All its words, one for each statement, while it has no value.
    cells: Vec<Span>,
    /// The names in the last bracket, and those of the columns of the next ones.
    header: Option<usize>,
    rows: Option<usize>,
}

struct Builder<'b> {
    bytes: &'b [u8],
    tokens: &'b [Token],
    mates: Vec<Option<usize>>,
    tree: Tree,
    frames: Vec<Frame>,
    /// Containers that were not opened because of [`MOST_DEPTH`].
    too_deep: usize,
    line: usize,
    line_start: usize,
    /// Start of the token that is read.
    place: usize,
    is_comment: bool,
    is_removed: bool,
    /// The container whose last value was an item, and what its items are called.
    items: Option<(usize, Span)>,
    /// Words of the last line, if it had no value and may own the lines below.
    above: Option<(Span, usize)>,
    line_has_value: bool,
    rows: Rows,
}

impl<'b> Builder<'b> {
    fn new(bytes: &'b [u8], tokens: &'b [Token], mates: Vec<Option<usize>>) -> Self {
        let mut tree = Tree::default();
        tree.containers.push(Container {
            form: Form::Root,
            parent: 0,
            depth: 0,
            index: 0,
            words: Span::default(),
            attribute: None,
            heading: None,
            start: 0,
            count: 0,
            ends: Vec::new(),
            header: None,
        });
        Self {
            bytes,
            tokens,
            mates,
            tree,
            frames: vec![Frame::of(0, 0)],
            too_deep: 0,
            line: 0,
            line_start: 0,
            place: 0,
            is_comment: false,
            is_removed: false,
            items: None,
            above: None,
            line_has_value: false,
            rows: Rows::of(bytes),
        }
    }

    fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the root stays")
    }

    fn form(&self, frame: &Frame) -> Form {
        self.tree.containers[frame.container].form
    }

    /// Returns true if lines and columns count: no bracket and no element is open in the text.
    fn is_in_lines(&self) -> bool {
        let mut forms = self.frames.iter().rev().map(|frame| self.form(frame));
        forms
            .find(|form| matches!(form, Form::Bracket | Form::Element | Form::Text))
            .is_none_or(|form| form == Form::Text)
    }

    /// The frame of the text that the lines are of.
    fn text(&self) -> usize {
        self.frames
            .iter()
            .rposition(|frame| self.form(frame) == Form::Text)
            .unwrap_or(0)
    }

    /// Closes all that the lines above have opened.
    fn close_lines(&mut self) {
        let text = self.text();
        while self.frames.len() > text + 1 {
            self.close();
        }
        self.end_statement();
        self.above = None;
    }

    fn run(&mut self) {
        let mut at = self.start_line(0);
        while let Some(token) = self.tokens.get(at) {
            at = self.token(at, *token);
        }
        while self.frames.len() > 1 {
            self.close();
        }
        self.end_statement();
    }

    /// Takes a token; gives the next one.
    fn token(&mut self, at: usize, token: Token) -> usize {
        self.place = token.start;
        match token.kind {
            Kind::Word => self.word(token),
            Kind::Value(shape) => self.value(shape, token.span()),
            Kind::Assign => {
                self.assign();
                if let Some(start) = self.text_in_string(token.end) {
                    self.open(Form::Text, None);
                    return self.start_line_from(at + 1, start);
                }
            }
            Kind::Open => {
                if self.mates[at].is_some() {
                    self.open(Form::Bracket, None);
                    let container = self.top().container;
                    self.tree.containers[container].start = token.start;
                }
            }
            Kind::Close => {
                if self.mates[at].is_some() {
                    self.close_to(Form::Bracket);
                }
            }
            Kind::Element => {
                self.end_statement();
                self.open(Form::Element, Some(token.span()));
            }
            Kind::ElementStarted(is_closed) => {
                self.end_statement();
                let opened = self.opened(at);
                if is_closed || opened.is_none_or(|element| self.mates[element].is_none()) {
                    self.close_to(Form::Element);
                }
            }
            Kind::ElementEnd => {
                if self.mates[at].is_some() {
                    self.close_to(Form::Element);
                }
            }
            Kind::Separator => self.separator(token),
            Kind::Cell => self.cell(at),
            Kind::Comment => return self.comment(at),
            Kind::CommentEnd => self.is_comment = false,
            Kind::Newline => return self.newline(at),
        }
        at + 1
    }

    /// The element whose start ends at a token.
    fn opened(&self, at: usize) -> Option<usize> {
        let before = self.tokens.get(..at)?;
        before
            .iter()
            .rev()
            .take(128)
            .position(|token| token.kind == Kind::Element)
            .map(|back| at - 1 - back)
    }

    fn word(&mut self, token: Token) {
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
    fn text_in_string(&self, from: usize) -> Option<usize> {
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

    fn assign(&mut self) {
        let statement = &mut self.top().statement;
        if statement.values == 0
            && let Some(word) = statement.words.last_mut()
        {
            word.assigned = true;
        }
    }

    /// Copies the words of the statement to where they stay.
    fn keep_words(&mut self) -> Span {
        let start = self.tree.words.len();
        let Some(frame) = self.frames.last() else {
            return Span::new(start, start);
        };
        self.tree.words.extend_from_slice(&frame.statement.words);
        Span::new(start, self.tree.words.len())
    }

    /// Ties the last word to a value that follows it without a sign, if the words before declare it: `set name "…"`,
    /// `(setq name "…")`.
    fn declare(&mut self) {
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

    fn value(&mut self, shape: Shape, span: Span) {
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
    fn settle(&mut self, number: usize, words: Span) -> (usize, usize) {
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
    fn end_statement(&mut self) {
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
    fn name_after(&mut self, line: usize, name: Span) {
        let last = self
            .tree
            .nodes
            .last_mut()
            .filter(|node| node.line == line && node.after.is_none());
        if let Some(node) = last {
            node.after = Some(name);
        }
    }

    fn separator(&mut self, token: Token) {
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

    fn cell(&mut self, at: usize) {
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

    fn form_of_top(&self) -> Form {
        self.frames
            .last()
            .map_or(Form::Root, |frame| self.form(frame))
    }

    fn open(&mut self, form: Form, name: Option<Span>) {
        if self.frames.len() >= MOST_DEPTH {
            self.too_deep += 1;
            return;
        }
        let words = match name {
            Some(name) => {
                let start = self.tree.words.len();
                self.tree.words.push(Word {
                    span: name,
                    assigned: true,
                    is_content: false,
                    bracketed: false,
                });
                Span::new(start, start + 1)
            }
            None => self.keep_words(),
        };
        let container = self.tree.containers.len();
        let frame = self.frames.last_mut().expect("the root stays");
        let parent = frame.container;
        // `INSERT INTO t (a, b) VALUES (1, 2), (3, 4)`
        let last = frame.statement.words.last();
        if last.is_some_and(|word| word.span.of(self.bytes).eq_ignore_ascii_case(b"values")) {
            frame.rows = frame.header;
        } else if last.is_some() {
            frame.rows = None;
        }
        let header = frame.rows.filter(|_| form == Form::Bracket);
        let heading = match form {
            // `a {}` and below it `b { … }`: each has its own name.
            Form::Bracket if last.is_some() => {
                frame.heading = None;
                None
            }
            Form::Bracket | Form::Element | Form::Indent => frame.heading.take(),
            _ => None,
        };
        frame.statement.is_begun = true;
        let index = frame.next;
        self.tree.containers.push(Container {
            form,
            parent,
            depth: self.tree.containers[parent].depth + 1,
            index,
            words,
            attribute: None,
            heading,
            start: 0,
            count: 0,
            ends: Vec::new(),
            header,
        });
        let mut frame = Frame::of(container, 0);
        frame.first_node = self.tree.nodes.len();
        frame.last_line = self.line;
        self.frames.push(frame);
    }

    /// Closes the innermost container.
    fn close(&mut self) {
        self.end_statement();
        let Some(inner) = self.frames.pop() else {
            return;
        };
        let form = self.form(&inner);
        if !inner.has_value && form != Form::Element {
            self.slot_of_attribute(inner.container);
        }
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        match form {
            Form::Element if inner.has_value => self.flatten(&inner),
            Form::Bracket if inner.has_value => self.unwrap(&inner),
            Form::Element => self.text_element(&inner),
            Form::Bracket if !inner.has_value => {
                // `os.environ["NAME"]`, `ENV.fetch('NAME') { … }`
                if let Some(text) = inner.cells.last().copied()
                    && frame.statement.values == 0
                {
                    let words = &mut frame.statement.words;
                    let assigned = words.last().is_some_and(|word| word.assigned);
                    if words.len() < MOST_WORDS {
                        words.push(Word {
                            span: text,
                            assigned: false,
                            is_content: assigned,
                            bracketed: true,
                        });
                    }
                }
                if inner.cells.len() > 1 {
                    self.tree.headers.push(inner.cells);
                    frame.header = Some(self.tree.headers.len() - 1);
                }
            }
            _ => {}
        }
    }

    /// `{ name: AWS_SECRET_ACCESS_KEY, valueFrom: … }`: a slot.
    fn slot_of_attribute(&mut self, container: usize) {
        let own = &self.tree.containers[container];
        let Some(span) = own.attribute else { return };
        let (container, index) = (own.parent, own.index);
        let start = self.tree.words.len();
        self.tree.words.push(Word {
            span,
            assigned: true,
            is_content: false,
            bracketed: false,
        });
        self.tree.nodes.push(Node {
            content: Content::Other,
            span: Span::new(span.end, span.end),
            container,
            index,
            line: self.rows.line(span.start),
            words: Span::new(start, start + 1),
            column: None,
            heading: None,
            after: None,
            is_comment: self.is_comment,
        });
    }

    /// `<name>X</name>`, `<dt>X</dt>`: the name of what follows. `<password/>` is a slot.
    fn text_element(&mut self, inner: &Frame) {
        let own = &self.tree.containers[inner.container];
        let (words, attribute, parent, index) = (own.words, own.attribute, own.parent, own.index);
        let text = inner.cells.last().copied();
        let word = self.tree.words(words).first();
        let is_name = word.is_some_and(|word| is_naming(word.span.of(self.bytes)))
            || attribute.is_some_and(|name| is_naming(name.of(self.bytes)));
        if let Some(text) = text {
            self.top().heading = Some(text);
            let outer = &mut self.tree.containers[parent];
            if is_name && outer.attribute.is_none() && outer.form == Form::Element {
                outer.attribute = Some(text);
            }
        }
        if !is_name {
            let start = self
                .tree
                .words
                .get(words.start)
                .map_or(0, |word| word.span.end);
            let span = text.unwrap_or(Span::new(start, start));
            self.tree.nodes.push(Node {
                content: Content::Other,
                span,
                container: parent,
                index,
                line: self.rows.line(span.start),
                words,
                column: None,
                heading: None,
                after: None,
                is_comment: self.is_comment,
            });
        }
        self.end_statement();
    }

    /// Returns the only value of a container, directly in it and with nothing beside it.
    fn only_value(&self, inner: &Frame) -> Option<usize> {
        let nodes = self.tree.nodes.get(inner.first_node..)?;
        let mut values = nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.content != Content::Other);
        let (at, node) = values.next()?;
        let is_only = values.next().is_none() && node.container == inner.container;
        is_only.then_some(inner.first_node + at)
    }

    /// `<name>value</name>` is `name: value`.
    fn flatten(&mut self, inner: &Frame) {
        let only = self.only_value(inner);
        let Some(node) = only
            .map(|at| &mut self.tree.nodes[at])
            .filter(|node| node.words.is_empty())
        else {
            self.end_statement();
            return;
        };
        let own = &mut self.tree.containers[inner.container];
        own.count -= 1;
        let (parent, attribute) = (own.parent, own.attribute);
        node.container = parent;
        node.index = own.index;
        node.heading = node.heading.or(own.heading);
        node.words = own.words;
        if let (Some(name), Some(word)) = (attribute, self.tree.words.get_mut(own.words.start)) {
            word.span = name;
        }
        if attribute.is_none() {
            self.unname_items();
        }
        self.tree.containers[parent].count += 1;
        self.end_statement();
    }

    /// `NAME = wrap("value")` is `NAME = value`.
    fn unwrap(&mut self, inner: &Frame) {
        let Some(only) = self.only_value(inner) else {
            return;
        };
        let node = &self.tree.nodes[only];
        let has_name = self.tree.words(node.words).iter().any(|word| word.assigned);
        let own = &self.tree.containers[inner.container];
        let before = own.start.checked_sub(1).and_then(|at| self.bytes.get(at));
        let is_fallback = self.bytes.get(own.start) == Some(&b'{') && before == Some(&b'$');
        let says = |span: Span| Name::parse(span.of(self.bytes)).role().decides();
        let own_word = self.tree.words(node.words).last().map(|word| word.span);
        if has_name && !is_fallback || node.heading.or(own_word).is_some_and(says) {
            return;
        }
        let (mut words, heading) = (own.words, own.heading);
        // `(name "value")`
        if words.is_empty() && node.words.len() == 1 && self.bytes.get(own.start) == Some(&b'(') {
            words = node.words;
            self.tree.words[words.start].assigned = true;
        }
        self.tree.containers[inner.container].count -= 1;
        let (container, index) = self.settle(only, words);
        self.tree.containers[container].count += 1;
        let node = &mut self.tree.nodes[only];
        node.container = container;
        node.index = index;
        node.words = words;
        node.heading = heading;
    }

    /// `<item>a</item><item>b</item>` are values of a list: what all of them are called is the name of none.
    fn unname_items(&mut self) {
        let nodes = self.tree.nodes.iter().enumerate().rev().take(8);
        let mut values = nodes.filter(|(_, node)| node.content != Content::Other);
        let (Some((last, own)), Some((before, other))) = (values.next(), values.next()) else {
            return;
        };
        let name = |words: Span| {
            let word = self.tree.words(words).first();
            word.map_or(&[][..], |word| word.span.of(self.bytes))
        };
        let is_next = own.container == other.container && own.index == other.index + 1;
        let other_words = match self.items {
            Some((container, words)) if container == own.container && other.words.is_empty() => {
                words
            }
            _ => other.words,
        };
        if is_next && name(own.words) == name(other_words) {
            self.items = Some((own.container, own.words));
            self.tree.nodes[last].words = Span::default();
            self.tree.nodes[before].words = Span::default();
        }
    }

    fn close_to(&mut self, form: Form) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        while self.frames.len() > 1 {
            let is_it = self.form_of_top() == form;
            self.close();
            if is_it {
                return;
            }
        }
    }

    /// A comment: its values count like others; without one it can be a name.
    fn comment(&mut self, at: usize) -> usize {
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

    fn newline(&mut self, at: usize) -> usize {
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

    fn is_in_block(&self, at: usize) -> bool {
        // A block comment that goes on: its end stands further on than the next start of one.
        let rest = self.tokens.get(at..).unwrap_or_default();
        let mark = rest
            .iter()
            .take(256)
            .find(|token| matches!(token.kind, Kind::Comment | Kind::CommentEnd));
        mark.is_some_and(|mark| mark.kind == Kind::CommentEnd)
    }

    /// Returns true if the next line with a text is further in than the lines here, or an item as far in.
    fn is_deeper(&self, from: usize) -> bool {
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
    fn start_line(&mut self, at: usize) -> usize {
        let from = at
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at))
            .map_or(0, |token| token.end);
        self.start_line_from(at, from)
    }

    /// Looks at the start of the line at `from`.
    fn start_line_from(&mut self, at: usize, from: usize) -> usize {
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
    fn record(&self, first: usize) -> Option<Span> {
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
    fn close_deeper(&mut self, line: &Line) {
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
    fn indentation(&mut self, line: &Line) {
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

impl Frame {
    fn of(container: usize, indent: usize) -> Self {
        Self {
            container,
            statement: Statement::default(),
            next: 0,
            heading: None,
            indent,
            is_list: false,
            has_value: false,
            last_line: 0,
            first_node: 0,
            cells: Vec::new(),
            header: None,
            rows: None,
        }
    }
}

/// Returns true for `name`, `key`, `option_name`, `ParameterKey`: what it is set to is a name.
fn is_naming(word: &[u8]) -> bool {
    let name = Name::parse(word);
    let last = name.words().next_back().map_or(0, |word| word.1);
    last & words::NAMING != 0 && name.is_all(words::NAMING | words::STRUCTURE)
}

/// The start of a line.
struct Line {
    /// Column where the text starts, or the mark of an item.
    indent: usize,
    /// Column of the text of an item.
    item: Option<usize>,
    /// Start of the text.
    text: usize,
    end: usize,
    is_blank: bool,
    is_comment: bool,
    /// `[name]`
    section: Option<Span>,
    /// `---`
    is_rule: bool,
    /// A patch takes it out.
    is_removed: bool,
}

impl Line {
    /// Longest line that is looked at as a whole, in bytes.
    const MOST: usize = 400;

    /// The line that starts at `from`.
    fn at(bytes: &[u8], from: usize) -> Option<Self> {
        let rest = bytes.get(from..).filter(|rest| !rest.is_empty())?;
        let near = rest.get(..Self::MOST).unwrap_or(rest);
        let end = memchr::memchr(b'\n', near).unwrap_or(near.len());
        let text = &near[..end];
        let is_white = |byte: &u8| matches!(byte, b' ' | b'\t');
        let mut start = 0;
        // The mark of a patch or a quotation, and the prompt of a trace.
        // Of the lines of a patch those further in have white space behind the mark.
        let before = bytes
            .get(from.saturating_sub(Self::MOST)..from.saturating_sub(1))
            .unwrap_or_default();
        let above = &before[memchr::memrchr(b'\n', before).map_or(0, |line| line + 1)..];
        let is_patch =
            matches!(above, [b'-', next, ..] if *next != b'-') && text.starts_with(b"-  ");
        let is_value = text
            .iter()
            .take(41)
            .take_while(|byte| is_value(**byte))
            .count()
            == 40;
        if let [b'+' | b'-' | b'>', next, ..] = text
            && (!is_white(next) || text.first() != Some(&b'-') || is_patch)
            && *next != text[0]
            && !is_value
        {
            start = 1;
        }
        start += text[start..]
            .iter()
            .take_while(|byte| is_white(byte))
            .count();
        let mut line = Self {
            indent: start,
            item: None,
            text: from + start,
            end: from + end,
            is_blank: text.trim_ascii().is_empty(),
            is_comment: false,
            section: None,
            is_rule: false,
            is_removed: start == 1 && text[0] == b'-',
        };
        let body = text[start..].trim_ascii_end();
        line.is_comment = body.starts_with(b"#") && !body.starts_with(b"#define")
            || body.starts_with(b"//")
            || body.starts_with(b"<!--")
            || body.starts_with(b"/*");
        line.is_rule = body.len() >= 3
            && body.iter().all(|byte| *byte == body[0])
            && matches!(body[0], b'-' | b'=' | b'*' | b'_');
        let inner = body
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"));
        let is_name = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b' ' | b'_' | b'-' | b'.' | b':' | b'/' | b'@' | b'[' | b']' | b'"'
                )
        };
        if let Some(inner) = inner
            && inner
                .first()
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'[')
            && inner.iter().all(is_name)
            && !inner
                .split(|byte| !byte.is_ascii_alphanumeric())
                .any(|run| run.len() >= 20)
        {
            let doubled = usize::from(inner.starts_with(b"["));
            let start = from + start + 1 + doubled;
            line.section = Some(Span::new(start, start + inner.len() - 2 * doubled));
        }
        if let [b'-' | b'*', next, ..] = body
            && is_white(next)
        {
            let white = body[1..].iter().take_while(|byte| is_white(byte)).count();
            line.item = Some(start + 1 + white);
            line.text = from + start + 1 + white;
        }
        Some(line)
    }

    /// The next line that has a text and is no comment, from the line that goes to `end` on.
    fn next(bytes: &[u8], end: usize) -> Option<Self> {
        let mut from = end;
        for _ in 0..8 {
            let rest = bytes.get(from..)?;
            if bytes.get(from.wrapping_sub(1)) != Some(&b'\n') || from == 0 {
                from += memchr::memchr(b'\n', rest.get(..Self::MOST).unwrap_or(rest))? + 1;
            }
            let line = Self::at(bytes, from)?;
            if !line.is_blank && !line.is_comment {
                return Some(line);
            }
            from = line.end + 1;
        }
        None
    }
}

/// Lines as rows of tables: for each line and sign the topmost line above with as many of it.
struct Rows {
    lines: Vec<Row>,
}

struct Row {
    start: usize,
    /// For each sign, the number of it in the line, and the line of the header.
    cells: [(u16, usize); SIGNS.len()],
}

/// Separators of the cells of a table.
const SIGNS: [u8; 4] = [b'|', b'\t', b',', b';'];

/// Longest line that is looked at as the row of a table, in bytes.
const MOST_ROW: usize = 1024;

/// Returns true for a run of characters that is no name of a column: few key IDs and secrets have no digit.
fn is_no_name(run: &[u8]) -> bool {
    let is_whole = run.len() == secret_key::LENGTH || KeyId::parse(run).is_some();
    is_whole || run.iter().any(u8::is_ascii_digit)
}

impl Rows {
    fn of(bytes: &[u8]) -> Self {
        let mut lines: Vec<Row> = Vec::new();
        let mut start = 0;
        for line in bytes.split(|byte| *byte == b'\n') {
            let number = lines.len();
            let text = line.trim_ascii_start();
            let text = if line.len() <= MOST_ROW { text } else { &[] };
            let before = lines.last().map(|row| row.cells);
            let is_rule = text.len() > 2
                && text
                    .iter()
                    .all(|byte| matches!(byte, b'-' | b'+' | b'=' | b'|' | b':' | b' ' | b'\r'));
            let cells = std::array::from_fn(|sign| {
                // A line that is drawn goes on with the table.
                if let Some(before) = before.filter(|_| is_rule) {
                    return before[sign];
                }
                let count = memchr::memchr_iter(SIGNS[sign], text).count() as u16;
                let header = before
                    .map(|cells| cells[sign])
                    .filter(|above| above.0 == count && count > 0);
                (count, header.map_or(number, |above| above.1))
            });
            lines.push(Row { start, cells });
            start += line.len() + 1;
        }
        Self { lines }
    }

    /// The line of a place.
    fn line(&self, at: usize) -> usize {
        self.lines
            .partition_point(|row| row.start <= at)
            .saturating_sub(1)
    }

    fn text<'b>(&self, bytes: &'b [u8], line: usize) -> &'b [u8] {
        let start = self.lines.get(line).map_or(bytes.len(), |row| row.start);
        let end = self
            .lines
            .get(line + 1)
            .map_or(bytes.len(), |row| row.start - 1);
        bytes.get(start..end).unwrap_or_default()
    }

    /// Returns the name of a value's column, if it is in the row of a table with a header.
    fn column(&self, bytes: &[u8], line: usize, line_start: usize, at: usize) -> Option<Span> {
        let row = self.lines.get(line)?;
        let before = bytes.get(row.start.max(line_start)..at)?;
        if before.len() > MOST_ROW {
            return None;
        }
        for (sign, (count, header)) in SIGNS.into_iter().zip(row.cells) {
            if count == 0 || header == line {
                continue;
            }
            let text = self.text(bytes, header);
            let is_code = text
                .iter()
                .any(|byte| matches!(byte, b'(' | b')' | b'=' | b'{' | b':'));
            if is_code && matches!(sign, b',' | b';') {
                continue;
            }
            let has_value = text
                .split(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'/'))
                .any(|run| run.len() >= 20 && is_no_name(run));
            if has_value {
                return None;
            }
            let column = before
                .trim_ascii_start()
                .iter()
                .filter(|byte| **byte == sign)
                .count();
            let mut start =
                self.lines.get(header)?.start + text.len() - text.trim_ascii_start().len();
            for (number, cell) in text
                .trim_ascii_start()
                .split(|byte| *byte == sign)
                .enumerate()
            {
                if number == column {
                    return Some(Span::new(start, start + cell.len()));
                }
                start += cell.len() + 1;
            }
        }
        None
    }
}
