//! Containers that open and close, and what closing one says of its values.

use crate::blob::Span;

use super::super::{Container, Content, Form, Node, Word};
use super::{Builder, Frame, MOST_DEPTH, MOST_WORDS, is_naming};
use crate::engine::aws::name::Name;

impl Builder<'_> {
    pub(super) fn form_of_top(&self) -> Form {
        self.frames
            .last()
            .map_or(Form::Root, |frame| self.form(frame))
    }

    pub(super) fn open(&mut self, form: Form, name: Option<Span>) {
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
    pub(super) fn close(&mut self) {
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
    pub(super) fn slot_of_attribute(&mut self, container: usize) {
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
    pub(super) fn text_element(&mut self, inner: &Frame) {
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
    pub(super) fn only_value(&self, inner: &Frame) -> Option<usize> {
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
    pub(super) fn flatten(&mut self, inner: &Frame) {
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
    pub(super) fn unwrap(&mut self, inner: &Frame) {
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
    pub(super) fn unname_items(&mut self) {
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

    pub(super) fn close_to(&mut self, form: Form) {
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
}
