//! Tokens as a tree: containers, and nodes with the names that own them.

mod builder;
mod rows;

use crate::blob::Span;

use self::builder::Builder;
use super::super::candidate::Shape;
use super::lexer::{self, Kind, Token};

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
