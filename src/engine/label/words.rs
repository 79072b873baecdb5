//! The words around values that are no names themselves, or say what the next word is.

/// Longest name of an element, in characters.
const LONGEST_TAG: usize = 32;

/// Words that stand between a name and its value and name nothing themselves.
const STRUCTURE: &[&str] = &[
    "as",
    "b",
    "br",
    "byte",
    "bytes",
    "code",
    "const",
    "content",
    "currentvalue",
    "data",
    "dd",
    "default",
    "defaultvalue",
    "div",
    "dt",
    "em",
    "f",
    "false",
    "fieldvalue",
    "final",
    "initialvalue",
    "let",
    "li",
    "literal",
    "n",
    "new",
    "nil",
    "none",
    "null",
    "optionvalue",
    "p",
    "parametervalue",
    "paramvalue",
    "plain",
    "pre",
    "propertyvalue",
    "propvalue",
    "r",
    "return",
    "s",
    "send",
    "settingvalue",
    "si",
    "some",
    "span",
    "static",
    "str",
    "string",
    "stringvalue",
    "strong",
    "system",
    "t",
    "td",
    "text",
    "th",
    "tr",
    "true",
    "type",
    "u",
    "val",
    "value",
    "var",
    "variablevalue",
    "void",
    "vt",
];

/// Words after which the name of the value follows.
const NAMING: &[&str] = &["id", "key", "label", "name", "parameterkey"];

/// Attributes that stand beside `default` or `value` in the block of a name, and say nothing about it.
const SIBLINGS: &[&str] = &[
    "allowedpattern",
    "constraintdescription",
    "description",
    "ephemeral",
    "maxlength",
    "minlength",
    "noecho",
    "nullable",
    "required",
    "sensitive",
    "serializeas",
    "translatable",
    "type",
];

/// Words that declare the name after them.
const DECLARING: &[&str] = &[
    "arg", "const", "declare", "def", "env", "export", "final", "let", "local", "my", "our",
    "readonly", "set", "setenv", "static", "string", "val", "var",
];

/// Parts of names that secrets of AWS have, whatever else the name says. Passwords are somebody's own, unless the
/// key id beside them has the same name.
const TELLING: &[&str] = &["secret", "sec", "key", "priv", "cred", "access", "auth"];

fn is_in(list: &[&str], word: &[u8]) -> bool {
    let word = word.to_ascii_lowercase();
    str::from_utf8(&word).is_ok_and(|word| list.contains(&word))
}

/// Whether the name of the value follows: `"key": "NAME"`.
pub(super) fn is_naming(word: &[u8]) -> bool {
    is_in(NAMING, word)
}

/// Whether the word declares the name after it.
pub(super) fn is_declaring(word: &[u8]) -> bool {
    is_in(DECLARING, word)
}

/// Whether a name in lower case has a part that says that its value may be a secret.
pub(super) fn is_telling(name: &str) -> bool {
    TELLING.iter().any(|part| name.contains(part))
}

/// Whether the word is an attribute that says nothing about the value beside it.
pub(super) fn is_sibling(word: &[u8]) -> bool {
    is_in(SIBLINGS, word)
}

/// Whether the word names nothing itself: one of structure, a number, a date, an end tag.
pub(in crate::engine) fn is_structural(text: &[u8]) -> bool {
    let bare = text.strip_prefix(b"/").unwrap_or(text);
    // A number or a date.
    let is_number = bare.first().is_some_and(u8::is_ascii_digit)
        && bare
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'T' | b'Z'));
    // `</dict>`; the words of a value that starts with a slash are none.
    let is_end_tag = bare.len() < text.len() && bare.len() <= LONGEST_TAG && !bare.contains(&b'/');
    if is_end_tag || is_number {
        return true;
    }
    let mut lower = bare.to_ascii_lowercase();
    lower.retain(u8::is_ascii_alphanumeric);
    let found = |lower: &str| STRUCTURE.binary_search(&lower).is_ok() || lower == "name";
    str::from_utf8(&lower).is_ok_and(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_for_the_binary_search() {
        assert!(STRUCTURE.is_sorted());
    }
}
