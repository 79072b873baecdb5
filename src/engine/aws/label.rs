//! The name that owns a value, out of all the names around it.

use crate::blob::Span;

use super::name::{Name, Role, words};
use super::syntax::tree::{Form, Node, Tree, Word};

/// Most words of a phrase that is read as one name.
const MOST_PHRASE: usize = 6;

/// Statements of the names around a value.
#[derive(Clone, Debug)]
pub(super) struct Label {
    /// Role by the deciding name.
    pub(super) role: Role,
    /// The deciding name; empty if there is none.
    pub(super) name: Name,
    /// The container that has the name; `None`: the value itself has it.
    pub(super) owner: Option<usize>,
    /// The words of all names around that tell one pair from the next, from the outermost to the nearest.
    pub(super) stem: String,
    /// The nearest container of another vendor.
    pub(super) vendor: Option<usize>,
    /// The nearest container whose name says what else it is for: `session({ … })`.
    pub(super) purpose: Option<usize>,
    /// A name ties it to AWS.
    pub(super) is_aws: bool,
    /// The name is the key of its own statement: no heading, no argument before, no sentence.
    pub(super) is_key: bool,
    /// The words of [`Label::stem`] that are of the maps around it on its line: `a['b']['c']`.
    pub(super) path: String,
    /// Its statement has its name and nothing else: no command, no sentence.
    pub(super) is_plain: bool,
    /// A login is before it in its statement: `username="c" password="…"`.
    pub(super) has_login: bool,
}

/// A name that was found, and how it is tied to its value.
#[derive(Clone, Debug)]
struct Found {
    name: Name,
    role: Role,
    assigned: bool,
}

impl Found {
    fn of(name: Name) -> Self {
        let role = name.role();
        Self {
            name,
            role,
            assigned: true,
        }
    }

    fn is_mute(&self) -> bool {
        self.name.is_structure() && !self.role.decides()
    }
}

/// Statements of a container about all values inside.
#[derive(Clone, Debug, Default)]
struct Around {
    /// Its names, those that say most first.
    names: Vec<Found>,
    /// The stems of its own names and of those around it, as in [`Label::stem`].
    stem: String,
}

/// Reads the names around values; what containers say is read once.
pub(super) struct Labels<'t> {
    bytes: &'t [u8],
    tree: &'t Tree,
    around: Vec<Option<Around>>,
}

impl<'t> Labels<'t> {
    /// Labels for the nodes of a tree.
    pub(super) fn of(bytes: &'t [u8], tree: &'t Tree) -> Self {
        Self {
            bytes,
            tree,
            around: vec![None; tree.containers.len()],
        }
    }

    /// Returns, for each container that a label was read in, the length of the stem that the stems of all values inside
    /// begin with.
    pub(super) fn stems(self) -> Vec<usize> {
        let length = |around: Option<Around>| around.map_or(0, |around| around.stem.len());
        self.around.into_iter().map(length).collect()
    }

    /// Reads the names around a node.
    pub(super) fn label(&mut self, node: &Node) -> Label {
        let (bytes, tree) = (self.bytes, self.tree);
        // The name of a list is one that its values have in common.
        let list = Some(node.container).filter(|at| tree.containers[*at].form == Form::Values);
        let mut held = name_of(bytes, tree.words(node.words)).map(|own| (own, list));
        let is_open = held
            .as_ref()
            .is_none_or(|(own, _)| own.is_mute() || !own.assigned && !own.role.decides());
        // Prose: what stands further up says nothing.
        let is_open =
            is_open && (held.is_some() || !tree.words(node.words).iter().any(|word| word.assigned));
        let is_bare = held.as_ref().is_none_or(|(own, _)| !own.assigned);
        let column = beside(bytes, node.column.filter(|_| is_open || is_bare), true);
        let heading = node.heading.filter(|_| is_open && column.is_none());
        let after = node.after.filter(|_| is_open);
        let decided = held.as_ref().is_some_and(|held| held.0.role.decides());
        let column = column.filter(|_| is_open || !decided);
        let named = column.or_else(|| beside(bytes, heading, false));
        let beside = named.or_else(|| beside(bytes, after, false));
        let is_key = beside.is_none();
        if let Some(found) = beside {
            held = Some((found, None));
        }
        let mut label = Label {
            role: Role::Neutral,
            name: Name::default(),
            owner: None,
            stem: String::new(),
            vendor: None,
            purpose: None,
            is_aws: false,
            is_key: false,
            path: path_of(bytes, tree.words(node.words)),
            is_plain: is_plain(bytes, node, tree.words(node.words)),
            has_login: has_login(bytes, tree.words(node.words)),
        };
        self.outwards(node, &mut held, &mut label);
        self.read(node.container);
        if let Some(around) = &self.around[node.container] {
            label.stem.push_str(&around.stem);
        }
        let mut is_assigned = false;
        let is_named = held.is_some();
        if let Some((found, owner)) = held {
            label.is_aws |= found.name.is_aws();
            label.role = found.role;
            label.name = found.name;
            label.owner = owner;
            is_assigned = found.assigned;
            label.is_key = is_key && is_assigned && owner.is_none();
        }
        let key = tree
            .words(node.words)
            .iter()
            .rev()
            .find(|word| word.assigned);
        label.stem.push_str(&label.path);
        match key {
            // A list has the name, as its values have it in common.
            _ if list.is_some() => {}
            // A type or a wrapper decides: `alice: SecretStr("…")`.
            Some(word) if is_named && (label.owner.is_some() || !is_assigned) => {
                add_stem(&mut label.stem, &Name::parse(word.span.of(bytes)));
            }
            // A word that no sign ties to the value and that says nothing of it is no name.
            _ if label.owner.is_none() && (is_assigned || label.role.decides()) => {
                add_stem(&mut label.stem, &label.name);
            }
            _ => {}
        }
        label
    }

    /// Goes through the containers, from the nearest on.
    fn outwards(
        &mut self,
        node: &Node,
        held: &mut Option<(Found, Option<usize>)>,
        label: &mut Label,
    ) {
        // Whether a container with a name of its own was passed: what is further out says less.
        let mut is_near = true;
        for number in self.tree.around(node.container) {
            self.read(number);
            let form = self.tree.containers[number].form;
            let names = self.around[number]
                .as_ref()
                .map_or(&[][..], |around| &around.names);
            for found in names {
                if found.name.is_vendor() && label.vendor.is_none() {
                    label.vendor = Some(number);
                }
                let is_mute = found.name.is_all(words::NEUTRAL | words::STRUCTURE);
                if found.name.has(words::PURPOSE) && !is_mute && label.purpose.is_none() {
                    label.purpose = Some(number);
                }
                if found.assigned {
                    label.is_aws |= found.name.is_aws();
                }
                let says = found.role.decides() || found.assigned && found.role == Role::Unknown;
                let is_better = match held {
                    None => says,
                    Some((own, _)) if own.is_mute() => says,
                    Some((own, _)) if !own.role.decides() => found.role.is_secret() && is_near,
                    // `aws_secret: { secret: … }`
                    Some((own, None)) => {
                        own.role == Role::Secret && found.role == Role::AwsSecret && is_near
                    }
                    Some(_) => false,
                };
                if is_better {
                    *held = Some((found.clone(), Some(number)));
                } else if found.assigned && form != Form::Bracket {
                    is_near = false;
                }
            }
        }
    }

    /// Reads what a container and those around it say.
    fn read(&mut self, number: usize) {
        let mut chain = Vec::new();
        let mut at = number;
        while self.around[at].is_none() {
            chain.push(at);
            if at == 0 {
                break;
            }
            at = self.tree.containers[at].parent;
        }
        for at in chain.into_iter().rev() {
            let container = &self.tree.containers[at];
            let mut around = Around::default();
            if let Some(outer) = self.around[container.parent].as_ref().filter(|_| at != 0) {
                around.stem.clone_from(&outer.stem);
            }
            if container.form == Form::Values {
                let name = name_of(self.bytes, self.tree.words(container.words));
                add_stem(
                    &mut around.stem,
                    &name.map_or(Name::default(), |found| found.name),
                );
            } else if container.form != Form::Row {
                let words = self.tree.words(container.words);
                let text = |span: Span| Name::parse(span.of(self.bytes));
                let attribute = container.attribute.map(text);
                // `file: variable "name" {`: what stands behind the sign is nearer.
                let key = words
                    .last()
                    .filter(|word| word.assigned)
                    .map(|word| text(word.span));
                // `hook = Hook(secret="…")`
                let target = words.iter().rfind(|word| word.assigned).filter(|_| {
                    key.is_none()
                        && container.form == Form::Bracket
                        && self.bytes.get(container.start) == Some(&b'(')
                });
                let target = target.map(|word| text(word.span));
                for name in attribute.iter().chain(&target).chain(&key) {
                    add_stem(&mut around.stem, name);
                }
                let all = [
                    attribute.map(Found::of),
                    beside(self.bytes, container.heading, false),
                    name_of(self.bytes, words),
                ];
                let is_name = |found: &Found| !found.name.is_empty() && !found.name.is_structure();
                around
                    .names
                    .extend(all.into_iter().flatten().filter(is_name));
            }
            self.around[at] = Some(around);
        }
    }

    /// Reads the names of something that is no value; `None` if it has neither the place of an ID nor of a secret.
    pub(super) fn slot(&mut self, node: &Node) -> Option<Label> {
        let own = self
            .tree
            .words(node.words)
            .iter()
            .rev()
            .find(|word| word.assigned)?;
        let text = own.span.of(self.bytes);
        // Most statements end here.
        const PARTS: [&[u8]; 8] = [
            b"ecret", b"ECRET", b"ass", b"ASS", b"key", b"KEY", b"Key", b"pw",
        ];
        const LAST: [&[u8]; 8] = [
            b"user", b"USER", b"ser", b"ame", b"AME", b"ogin", b"sk", b"SK",
        ];
        let may_be = PARTS
            .iter()
            .any(|part| memchr::memmem::find(text, part).is_some())
            || LAST.iter().any(|part| text.ends_with(part));
        if !may_be {
            return None;
        }
        let name = Name::parse(text).without_place();
        let role = name.role();
        let last = name.words().next_back().map_or(0, |word| word.1);
        let is_password = last & words::PASSWORD != 0;
        let is_login = last & words::LOGIN != 0 && !is_password;
        let is_id = role == Role::KeyId && name.has(words::KEY) || is_login;
        let role = match () {
            () if role.is_secret() => role,
            () if is_password => Role::Secret,
            () if is_id => Role::KeyId,
            () => return None,
        };
        let mut label = self.label(node);
        label.stem.clear();
        if let Some(around) = &self.around[node.container] {
            label.stem.push_str(&around.stem);
        }
        label.stem.push_str(&label.path);
        add_stem(&mut label.stem, &name);
        Some(Label {
            role,
            name,
            owner: None,
            ..label
        })
    }
}

/// Returns the words that tell one pair from the next in the names of the maps around a value: `a` and `b` of `a['b']['c'] = …`.
fn path_of(bytes: &[u8], words: &[Word]) -> String {
    let key = words.iter().rposition(|word| word.assigned);
    let key = key.unwrap_or(words.len().saturating_sub(1));
    let inner = words.get(..=key).unwrap_or_default();
    let start = inner.iter().rposition(|word| !word.bracketed);
    let mut path = String::new();
    for word in start.map_or(&[][..], |start| &words[start..key]) {
        let name = Name::parse(word.span.of(bytes));
        // What every map is called.
        if word.bracketed || !name.is_all(words::NEUTRAL | words::STRUCTURE) {
            add_stem(&mut path, &name);
        }
    }
    path
}

/// Returns true if a value is preceded by nothing but its name, words that declare it, and its type.
fn is_plain(bytes: &[u8], node: &Node, words: &[Word]) -> bool {
    let name = |span: Span| Name::parse(span.of(bytes));
    let is_heard = |name: Name| name.role().is_secret() || name.is_structure();
    let key = words.iter().rposition(|word| word.assigned);
    let is_said = |(at, word): (usize, &Word)| {
        let own = name(word.span);
        let says = words::STRUCTURE | words::DECLARING | words::NEUTRAL;
        Some(at) == key || word.bracketed || key.is_some_and(|key| at > key) || own.is_all(says)
    };
    words.iter().enumerate().all(is_said) && node.heading.is_none_or(|span| is_heard(name(span)))
}

/// Returns true if the words of a statement name a login.
fn has_login(bytes: &[u8], words: &[Word]) -> bool {
    let last = |word: &Word| {
        let name = Name::parse(word.span.of(bytes));
        name.words().next_back().map_or(0, |word| word.1)
    };
    let is_login = |pair: &[Word]| {
        let (name, value) = (last(&pair[0]), last(&pair[1]));
        // `login anna password …`
        let is_bare = !pair[0].assigned && value == 0 && !pair[1].bracketed;
        (pair[0].assigned && pair[1].is_content || is_bare)
            && name & words::LOGIN != 0
            && name & words::CREDENTIAL == 0
    };
    words.windows(2).any(is_login)
}

/// The name beside a value, if it decides.
fn beside(bytes: &[u8], span: Option<Span>, is_column: bool) -> Option<Found> {
    let found = Found::of(Name::parse(span?.of(bytes)));
    let name = &found.name;
    let counts = match found.role {
        Role::Neutral => is_column && name.is_login(),
        Role::Unknown => is_column,
        // `build,SECRET,ID`: one word of a purpose is no name.
        Role::Foreign | Role::Doubtful if !is_column => {
            let last = name.words().next_back().map_or(0, |word| word.1);
            let names = last & (words::CREDENTIAL | words::KEY) != 0 && name.len() > 1;
            names || name.has(words::VENDOR) || name.is_digest() && name.len() <= 2
        }
        _ => true,
    };
    counts.then_some(found)
}

/// Adds the words that tell one pair from the next.
fn add_stem(stem: &mut String, name: &Name) {
    for word in name.stem() {
        stem.push_str(word);
        stem.push(' ');
    }
}

/// The name that the words of a statement give to its value.
fn name_of(bytes: &[u8], words: &[Word]) -> Option<Found> {
    let mut end = words.len();
    let mut best: Option<Found> = None;
    let mut is_tail = true;
    // Groups, each with a sign behind it, from the last one on; the tail has none.
    while end > 0 {
        let group = words[..end]
            .iter()
            .rposition(|word| word.assigned)
            .map_or(0, |at| at + 1);
        let (start, stop) = match is_tail {
            true => (group, end),
            false => (
                words[..end - 1]
                    .iter()
                    .rposition(|word| word.assigned)
                    .map_or(0, |at| at + 1),
                end,
            ),
        };
        let found = match is_tail {
            true if start == stop => None,
            true => loose(bytes, &words[start..stop], start == 0),
            false => assigned(bytes, &words[start..stop]),
        };
        end = start;
        is_tail = false;
        let Some(found) = found else { continue };
        let is_better = match &best {
            None => true,
            Some(best) => {
                !best.role.decides()
                    && (found.role.decides() || best.name.is_structure() || !best.assigned)
                    || best.role == Role::Secret && found.role == Role::AwsSecret
                    || best.role == Role::Doubtful && found.role.is_secret()
                    || !best.assigned
                        && found.role.decides()
                        && !(matches!(best.role, Role::AwsSecret | Role::Secret | Role::KeyId)
                            && found.name.is_digest())
            }
        };
        if is_better {
            best = Some(found);
        }
    }
    best
}

/// The name that a group of words before a sign makes.
fn assigned(bytes: &[u8], words: &[Word]) -> Option<Found> {
    let last = words.last()?;
    let single = Name::parse(last.span.of(bytes));
    let phrase = phrase(bytes, words);
    let (single_role, phrase_role) = (single.role(), phrase.role());
    if phrase.is_vendor()
        && phrase_role == Role::Foreign
        && single_role != Role::AwsSecret
        && !last.is_content
    {
        return Some(Found::of(phrase));
    }
    if single_role.decides() && (single_role != Role::KeyId || single.len() > 1) {
        return Some(Found::of(single));
    }
    if phrase_role.decides() {
        return Some(Found::of(phrase));
    }
    // Prose: what a sentence says before a value is no name of it.
    let quote = |at: usize| matches!(bytes.get(at), Some(b'"' | b'\'' | b'`'));
    let declares = |word: &Word| Name::parse(word.span.of(bytes)).is_all(words::DECLARING);
    let is_declared = words.iter().rev().skip(1).all(declares);
    let is_prose = phrase.len() > single.len() && !is_declared && !quote(last.span.end);
    let is_equal = bytes.get(last.span.end..).unwrap_or_default();
    let is_equal = is_equal.iter().find(|byte| **byte != b' ') == Some(&b'=');
    if is_prose && !is_equal && !single.is_structure() {
        return None;
    }
    // What a word of another script says is not known.
    if single_role == Role::Unknown && !last.span.of(bytes).is_ascii() {
        return None;
    }
    if last.bracketed && single_role == Role::Unknown && words.len() > 1 {
        return Some(Found::of(phrase));
    }
    Some(Found::of(single))
}

/// The name that words make which no sign ties to the value.
fn loose(bytes: &[u8], words: &[Word], is_first: bool) -> Option<Found> {
    let found = |name: Name, role: Role| {
        Some(Found {
            name,
            role,
            assigned: false,
        })
    };
    let mut telling = words
        .iter()
        .rev()
        .map(|word| (word, Name::parse(word.span.of(bytes))));
    let (word, single) = telling.find(|(_, name)| !name.is_structure() && !name.is_empty())?;
    let whole = phrase(bytes, words);
    if whole.is_vendor() && single.role() != Role::AwsSecret {
        return found(whole, Role::Foreign);
    }
    let role = single.role();
    if role.decides() && (role != Role::KeyId || single.len() > 1) {
        return found(single, role);
    }
    let phrase = phrase(bytes, words);
    let phrase_role = phrase.role();
    if phrase_role.decides() && phrase_role != Role::Doubtful {
        return found(phrase, phrase_role);
    }
    // `resolved VALUE`: a word alone at the start of a line owns what stands behind it.
    let is_called = bytes.get(word.span.end) == Some(&b'(');
    let is_alone =
        words.len() == 1 && is_first && !is_called && is_line_start(bytes, word.span.start);
    (is_alone && role == Role::Unknown).then_some(Found {
        name: single,
        role,
        assigned: false,
    })
}

/// The last words of a group as one name, without those in brackets and the value of an earlier name.
fn phrase(bytes: &[u8], words: &[Word]) -> Name {
    let from = words
        .iter()
        .rposition(|word| word.is_content)
        .map_or(0, |at| at + usize::from(at + 1 < words.len()));
    let words = &words[from..];
    let mut name = Name::default();
    for word in &words[words.len().saturating_sub(MOST_PHRASE)..] {
        if !word.bracketed {
            name.add(word.span.of(bytes));
        }
    }
    name
}

fn is_line_start(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(at.saturating_sub(64)..at).unwrap_or_default();
    let mark = before
        .iter()
        .rev()
        .find(|byte| !matches!(byte, b' ' | b'\t'));
    mark.is_none_or(|byte| *byte == b'\n') || is_marked(before)
}

/// Returns true if a text ends with the mark of a patch or of an item, at the start of a line.
pub(super) fn is_marked(before: &[u8]) -> bool {
    let text = before.trim_ascii_end();
    let Some((b'-' | b'+' | b'>' | b'*', before)) = text.split_last() else {
        return false;
    };
    let mark = before
        .iter()
        .rev()
        .find(|byte| !matches!(byte, b' ' | b'\t'));
    mark.is_none_or(|byte| *byte == b'\n')
}
