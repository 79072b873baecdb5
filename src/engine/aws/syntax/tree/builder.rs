//! The builder of a tree: open containers, the statement that is read, and who takes which token.

mod container;
mod line;
mod lines;
mod statement;

use crate::blob::Span;

use super::rows::Rows;
use super::{Container, Form, Tree, Word};
use crate::engine::aws::name::{Name, words};
use crate::engine::aws::syntax::lexer::{Kind, Token};

/// Deepest nesting that is distinguished; what is deeper counts for the container at that depth.
const MOST_DEPTH: usize = 48;

/// Number of words of a statement that are kept.
const MOST_WORDS: usize = 8;

/// Longest phrase that can be a heading, in words.
const MOST_HEADING: usize = 6;

/// Lines without a value after which lines further in no longer belong to the lines above: those may be out of sight.
const MOST_EMPTY: usize = 64;

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

pub(super) struct Builder<'b> {
    bytes: &'b [u8],
    tokens: &'b [Token],
    mates: Vec<Option<usize>>,
    pub(super) tree: Tree,
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
    pub(super) fn new(bytes: &'b [u8], tokens: &'b [Token], mates: Vec<Option<usize>>) -> Self {
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

    pub(super) fn run(&mut self) {
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
