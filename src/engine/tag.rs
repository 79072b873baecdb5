//! Tags of XML and HTML before a value, and what their attributes call it.

use std::ops::Range;

use crate::aws::name::{Name, Role};

use super::label::is_word;

/// The opening tag that ends just before `at`, white space aside.
pub(super) fn before(bytes: &[u8], at: usize, floor: usize) -> Option<Range<usize>> {
    let before = bytes.get(floor..at)?;
    let inside = before.trim_ascii_end().strip_suffix(b">")?;
    let open = inside
        .iter()
        .rposition(|byte| matches!(byte, b'<' | b'>'))?;
    let is_open = inside.get(open) == Some(&b'<')
        && inside.get(open + 1).is_some_and(u8::is_ascii_alphabetic)
        && inside.contains(&b' ');
    is_open.then_some(floor + open..floor + inside.len())
}

/// The name of the tag that opens at `open`.
pub(super) fn name(bytes: &[u8], open: usize) -> Range<usize> {
    let rest = bytes.get(open + 1..).unwrap_or_default();
    let length = rest.iter().position(|byte| !is_word(*byte));
    open + 1..open + 1 + length.unwrap_or(rest.len())
}

/// What the tag's attributes `name` or `key` say; `id` and `label` count if they say what the value is.
pub(super) fn attribute(bytes: &[u8], tag: Range<usize>) -> Option<Name> {
    let text = bytes.get(tag)?;
    let named = |attribute: &str| value(text, attribute).map(Name::parse);
    let says = |name: &Name| !matches!(name.role(), Role::Unknown | Role::Neutral);
    named("name")
        .or_else(|| named("key"))
        .or_else(|| named("id").filter(says))
        .or_else(|| named("label").filter(says))
}

/// The quoted value of an attribute.
fn value<'t>(tag: &'t [u8], attribute: &str) -> Option<&'t [u8]> {
    memchr::memmem::find_iter(tag, attribute.as_bytes()).find_map(|at| {
        let rest = tag.get(at + attribute.len()..)?.strip_prefix(b"=")?;
        let quote = *rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let is_attribute = at > 0 && tag.get(at - 1).is_some_and(u8::is_ascii_whitespace);
        is_attribute.then(|| rest.get(1..)?.split(|byte| *byte == quote).next())?
    })
}

/// Whether the word at `word` is the name of an opening tag.
pub(super) fn opens(bytes: &[u8], word: usize) -> bool {
    word.checked_sub(1).and_then(|at| bytes.get(at)) == Some(&b'<')
}
