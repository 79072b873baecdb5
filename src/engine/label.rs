//! The name that owns a value: what stands before it, across quotes, operators, tags and structural words.

use crate::aws::name::{Name, Role};

use super::tag;

mod comment;
mod words;

use comment::{before_comments, heading, past_comment};
pub(super) use words::is_structural;
use words::{is_declaring, is_naming, is_sibling, is_telling};

/// How far back a name is looked for, in bytes of the view.
pub(super) const REACH: usize = 600;

/// How many lines back, comments between included.
pub(super) const LINES: usize = 16;

/// How many structural words (`value`, `default`, `string`, ...) are passed over.
const MAX_SKIPS: usize = 8;

/// What is known about the name of a value.
#[derive(Clone, Debug)]
pub(super) struct Label {
    /// The name, as words; empty if there is none.
    pub(super) name: Name,
    /// What it says.
    pub(super) role: Role,
    /// Whether nothing but punctuation stands between the value and the candidate before it.
    pub(super) follows: bool,
}

impl Label {
    /// No name, and nothing that it follows.
    pub(super) fn bare() -> Self {
        Self {
            name: Name::default(),
            role: Role::Neutral,
            follows: false,
        }
    }

    fn named(name: Name) -> Self {
        let role = name.role();
        Self {
            name,
            role,
            follows: false,
        }
    }
}

/// A word before the value and what stands between the two.
struct Word {
    start: usize,
    end: usize,
    glue: Glue,
}

/// What stands between a word and the value, or the word that was passed over.
#[derive(Clone, Copy, Default)]
struct Glue {
    assigns: bool,
    /// Assigns by `=`, but not `==`.
    equals: bool,
    lists: bool,
    quoted: bool,
    newline: bool,
    called: bool,
    opens_object: bool,
    falls_back: bool,
}

/// Finds the name of the value at `start..end`. `previous_end` is where the candidate before it ends, or 0.
pub(super) fn find(bytes: &[u8], start: usize, end: usize, previous_end: usize) -> Label {
    let floor = floor(bytes, start).max(previous_end);
    let mut at = start;
    let mut structural = false;
    let mut called = false;
    if let Some(label) = heading(bytes, start, end) {
        return label;
    }
    if let Some(tag) = tag::before(bytes, start, floor) {
        if let Some(name) = tag::attribute(bytes, tag.clone()) {
            return Label::named(name);
        }
        let named = Name::parse(bytes.get(tag::name(bytes, tag.start)).unwrap_or_default());
        if !matches!(named.role(), Role::Unknown | Role::Neutral) {
            return Label::named(named);
        }
        // `<td class="key">`: what its attributes say is no name of the value.
        if bytes
            .get(tag::name(bytes, tag.start))
            .is_some_and(is_structural)
        {
            structural = true;
            at = tag.start;
        }
    }
    for _ in 0..MAX_SKIPS {
        let Some(word) = word_before(bytes, at, floor) else {
            if let Some(label) = structural.then(|| after(bytes, end)).flatten() {
                return label;
            }
            let reached = previous_end > 0 && glue_only(bytes, previous_end, at);
            return Label {
                follows: reached && !structural,
                ..Label::bare()
            };
        };
        if word.glue.opens_object && structural {
            return after(bytes, end).unwrap_or_else(Label::bare);
        }
        let text = bytes.get(word.start..word.end).unwrap_or_default();
        let name = Name::parse(text);
        at = word.start;
        if structural && tag::opens(bytes, word.start) {
            // `<add value="…" key="NAME"/>`: within the tag a name may follow.
            let rest = bytes.get(end..).unwrap_or_default();
            let close = rest.iter().take(200).position(|byte| *byte == b'>');
            let inside = bytes.get(..end + close.unwrap_or(0)).unwrap_or_default();
            if let Some(label) = after(inside, end) {
                return label;
            }
        }
        if structural && is_sibling(text) {
            at = match word.glue.newline {
                true => sibling_line(bytes, word.start, floor).unwrap_or(word.start),
                false => word.start,
            };
            continue;
        }
        if structural
            && word.glue.newline
            && let Some(line) = sibling_line(bytes, word.start, floor)
        {
            at = line;
            continue;
        }
        if word.glue.falls_back && matches!(name.role(), Role::Unknown | Role::Neutral) {
            // `ENV['X'] || "value"`: the value stands in for what comes first.
            continue;
        }
        if is_foreign_script(bytes, &word) {
            return Label::bare();
        }
        if is_structural(text) {
            structural = true;
            continue;
        }
        if word.glue.called {
            // A function: `NAME = wrap("value")` is still a value of NAME, `wrap("value")` is nobody's.
            called = true;
            continue;
        }
        return judge(bytes, floor, &word, name, structural, called);
    }
    Label::bare()
}

/// Decides whether the word is the value's name.
fn judge(
    bytes: &[u8],
    floor: usize,
    word: &Word,
    name: Name,
    structural: bool,
    called: bool,
) -> Label {
    let single = Label::named(name);
    let phrase = Label::named(phrase(bytes, floor, word));
    if phrase.role == Role::Foreign && !matches!(single.role, Role::AwsSecret | Role::Foreign) {
        return phrase;
    }
    let decides = matches!(
        single.role,
        Role::AwsSecret | Role::Secret | Role::Token | Role::Foreign
    );
    if decides && (!called || word.glue.assigns) {
        return single;
    }
    if called {
        return Label::bare();
    }
    if single.role == Role::KeyId && single.name.len() > 1 && word.glue.assigns {
        // `Config s3.accessKey=…`: what stands before a whole name does not belong to it.
        return single;
    }
    if word.glue.lists && !structural {
        // `f(region, "value")`: the argument before is no name, unless it is a literal that says so.
        return if word.glue.quoted && single.role == Role::KeyId {
            single
        } else {
            Label::bare()
        };
    }
    if phrase.name.len() > single.name.len() {
        if !matches!(phrase.role, Role::Unknown | Role::Neutral) {
            return phrase;
        }
        // Prose: what a sentence says before a value is no name of it.
        let is_owner = word.glue.quoted || word.glue.equals && is_declared(bytes, word, &single);
        if matches!(single.role, Role::Unknown | Role::Neutral) && !is_owner {
            return Label::bare();
        }
    }
    if word.glue.newline && !word.glue.assigns && !structural && single.role == Role::Unknown {
        return Label::bare();
    }
    single
}

/// Whether the word is declared (`export ACME_LICENCE=`, `const acmeLicence =`) as the name of something of
/// its own: of more than one word, none of which is one for secrets.
fn is_declared(bytes: &[u8], word: &Word, single: &Label) -> bool {
    let before = bytes.get(..word.start).unwrap_or_default();
    let keyword = before.strip_suffix(b" ").unwrap_or_default();
    let start = keyword.len()
        - keyword
            .iter()
            .rev()
            .take_while(|byte| is_word(**byte))
            .count();
    is_declaring(&keyword[start..]) && single.name.len() > 1 && !is_telling(single.name.text())
}

/// The words before `word` on its line that read as one phrase with it: `Secret access key`.
fn phrase(bytes: &[u8], floor: usize, word: &Word) -> Name {
    let mut start = word.start;
    for _ in 0..5 {
        let Some(before) = start.checked_sub(1).filter(|before| *before > floor) else {
            break;
        };
        if bytes.get(before) != Some(&b' ') {
            break;
        }
        let mut next = before;
        while next > floor && bytes.get(next - 1).is_some_and(|byte| is_word(*byte)) {
            next -= 1;
        }
        if next == before {
            break;
        }
        start = next;
    }
    Name::parse(bytes.get(start..word.end).unwrap_or_default())
}

/// The name that follows the value in its object: `{"value": "…", "key": "secretKey"}`.
fn after(bytes: &[u8], end: usize) -> Option<Label> {
    let limit = (end + 200).min(bytes.len());
    let mut at = end;
    for _ in 0..6 {
        let word = word_after(bytes, at, limit)?;
        let text = bytes.get(word.0..word.1)?;
        at = word.1;
        if is_naming(text) {
            let name = word_after(bytes, at, limit)?;
            return Some(Label::named(Name::parse(bytes.get(name.0..name.1)?)));
        }
    }
    None
}

/// The next word up to `limit` that is not past the end of the object.
fn word_after(bytes: &[u8], from: usize, limit: usize) -> Option<(usize, usize)> {
    let mut start = from;
    while start < limit && !bytes.get(start).is_some_and(|byte| is_word(*byte)) {
        if matches!(bytes.get(start), Some(b'}' | b'{')) {
            return None;
        }
        start += 1;
    }
    let mut end = start;
    while end < limit && bytes.get(end).is_some_and(|byte| is_word(*byte)) {
        end += 1;
    }
    (end > start).then_some((start, end))
}

/// The word before `at`, not before `floor`, with what stands between.
fn word_before(bytes: &[u8], at: usize, floor: usize) -> Option<Word> {
    let mut glue = Glue::default();
    let mut end = at;
    loop {
        let byte = *bytes.get(end.checked_sub(1).filter(|before| *before >= floor)?)?;
        match byte {
            b'=' => {
                glue.equals = !glue.equals;
                glue.assigns = true;
            }
            b':' | b'>' => glue.assigns = true,
            b',' | b';' => glue.lists = true,
            b'"' | b'\'' | b'`' => glue.quoted = true,
            b'|' | b'?' if bytes.get(end.wrapping_sub(2)) == Some(&byte) => glue.falls_back = true,
            b'\n' if heads_row(bytes, end, floor) => return None,
            b'\n' => {
                glue.newline = true;
                if starts_item(bytes, end) {
                    glue.opens_object = true;
                }
                end = before_comments(bytes, end - 1, floor);
                continue;
            }
            // Above the row of a table stands another one.
            b'|' if glue.newline && starts_with_bar(bytes, end, floor) => return None,
            b'(' => glue.called = !glue.lists && !glue.assigns,
            b'{' if opens_item(bytes, end - 1, floor) => glue.opens_object = true,
            b']' => {
                let open = opening(bytes, end - 1, floor)?;
                // `keys: ["…"]` on a line above has its own value, and no name reaches across `[section]`.
                let is_above = glue.newline && !glue.assigns;
                if is_above && (is_line(bytes, open, end) || is_whole_value(bytes, open, floor)) {
                    return None;
                }
                let inner = bytes.get(open + 1..end - 1)?;
                // `[None]` and `[****ABCD]` are what `aws configure` shows of the value before.
                let names = inner.iter().any(u8::is_ascii_alphabetic)
                    && !inner.contains(&b'*')
                    && !inner.eq_ignore_ascii_case(b"none");
                if names && glue.assigns {
                    let start = open + 1 + inner.iter().position(|byte| is_word(*byte))?;
                    let length = bytes
                        .get(start..end - 1)?
                        .iter()
                        .position(|byte| !is_word(*byte));
                    return Some(Word {
                        start,
                        end: length.map_or(end - 1, |length| start + length),
                        glue,
                    });
                }
                end = open;
                continue;
            }
            b')' => {
                let open = opening(bytes, end - 1, floor)?;
                // `fetch("NAME") { "value" }`
                if let Some((start, close)) = quoted_name(bytes, open + 1, end - 1) {
                    return Some(Word {
                        start,
                        end: close,
                        glue,
                    });
                }
                end = open;
                continue;
            }
            b'}' => return None,
            b'-' if end == at && is_fallback(bytes, end - 1) => glue.assigns = true,
            b'-' if !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) => {}
            byte if is_word(byte) => break,
            0x80.. => return None,
            _ => {}
        }
        end -= 1;
    }
    let mut start = end;
    while start > floor
        && bytes
            .get(start - 1)
            .is_some_and(|byte| is_word(*byte) || is_inner(bytes, start - 1))
    {
        start -= 1;
    }
    // The word itself was in quotes: `define('NAME', value)`.
    glue.quoted = bytes
        .get(end)
        .is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    Some(Word { start, end, glue })
}

/// Where the nearest name of somebody who logs in stands before a value: `username: …`, `<user>…`, `login …`.
pub(super) fn owner(bytes: &[u8], start: usize) -> Option<usize> {
    let from = start.saturating_sub(REACH);
    let mut end = start;
    let is_part = |byte: &u8| is_word(*byte);
    loop {
        let before = bytes.get(from..end)?;
        end = from + before.iter().rposition(is_part)? + 1;
        let word = before.get(..end - from)?;
        let first = word
            .iter()
            .rposition(|byte| !is_word(*byte))
            .map_or(0, |at| at + 1);
        // `</user>` ends one.
        let is_holder = !word[first..].starts_with(b"/") && Name::parse(&word[first..]).is_holder();
        let rest = bytes.get(end..start).unwrap_or_default();
        let is_outer = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
        let sign = rest.iter().find(|byte| !is_outer(byte));
        if is_holder && matches!(sign, Some(b':' | b'=' | b'>' | b',')) {
            return Some(from + first);
        }
        end = from + first;
    }
}

/// Whether the hyphen at `at` is what a shell falls back with: `${NAME:-value}`, `${NAME-value}`.
pub(super) fn is_fallback(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(at.saturating_sub(REACH)..at).unwrap_or_default();
    let before = before.strip_suffix(b":").unwrap_or(before);
    let is_variable = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let name = before.iter().rev().take_while(|byte| is_variable(byte));
    let length = name.count();
    length > 0 && before[..before.len() - length].ends_with(b"${")
}

/// Whether the line that starts at `start` is a row below one of as many cells: what stands last in that one is the
/// name of a column, if it is a name.
fn heads_row(bytes: &[u8], start: usize, floor: usize) -> bool {
    let above = bytes.get(floor..start - 1).unwrap_or_default();
    let above = &above[memchr::memrchr(b'\n', above).map_or(0, |line| line + 1)..];
    let row = bytes
        .get(start..bytes.len().min(start + REACH))
        .unwrap_or_default();
    let row = &row[..memchr::memchr(b'\n', row).unwrap_or(row.len())];
    let cells = |line: &[u8], sign: u8| memchr::memchr_iter(sign, line).count();
    let is_code = |byte: &u8| matches!(byte, b':' | b'=' | b'(' | b'{');
    !above.iter().any(is_code)
        && [b',', b';', b'\t'].iter().any(|sign| {
            let count = cells(above.trim_ascii(), *sign);
            count > 0 && count == cells(row.trim_ascii(), *sign)
        })
}

/// Whether the line that goes to `end` starts with a bar.
fn starts_with_bar(bytes: &[u8], end: usize, floor: usize) -> bool {
    let before = bytes.get(floor..end).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(0, |line| line + 1);
    let is_mark = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'+' | b'-' | b'>');
    let first = before[start..].iter().position(|byte| !is_mark(byte));
    first.is_some_and(|first| before[start + first] == b'|' && start + first + 1 < end - floor)
}

/// Whether nothing else stands on the line of `start..end`.
fn is_line(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = bytes
        .get(start.saturating_sub(REACH)..start)
        .unwrap_or_default();
    let blank = before
        .iter()
        .rev()
        .find(|byte| !matches!(byte, b' ' | b'\t' | b'['));
    let after = bytes.get(end..).unwrap_or_default();
    let next = after
        .iter()
        .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b']'));
    blank.is_none_or(|byte| *byte == b'\n') && next.is_none_or(|byte| *byte == b'\n')
}

/// Whether the bracket at `open` opens what a name on its line is set to, and the name says something of its own.
fn is_whole_value(bytes: &[u8], open: usize, floor: usize) -> bool {
    let before = bytes.get(floor..open).unwrap_or_default().trim_ascii_end();
    let Some((b':' | b'=', before)) = before.split_last() else {
        return false;
    };
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    let end = before
        .iter()
        .rposition(|byte| !ends(byte))
        .map_or(0, |last| last + 1);
    let start = before[..end]
        .iter()
        .rposition(|byte| !is_word(*byte))
        .map_or(0, |at| at + 1);
    let name = &before[start..end];
    !name.is_empty() && !is_sibling(name) && !is_structural(name)
}

/// The only argument of a call, if it is a literal that names one part of a key.
fn quoted_name(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let inner = bytes.get(start..end)?;
    let quote = *inner.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let text = inner.get(1..)?.strip_suffix(&[quote])?;
    let is_name = text.iter().all(|byte| is_word(*byte))
        && !matches!(
            Name::parse(text).role(),
            Role::Unknown | Role::Neutral | Role::Foreign
        );
    is_name.then_some((start + 1, end - 1))
}

/// Whether a word is a piece of one in another script: what it says is not known.
fn is_foreign_script(bytes: &[u8], word: &Word) -> bool {
    let is_foreign = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(|byte| !byte.is_ascii())
    };
    is_foreign(word.start.checked_sub(1)) || is_foreign(Some(word.end))
}

/// Where the line of a word starts, if it sets an attribute that says nothing about the value.
fn sibling_line(bytes: &[u8], at: usize, floor: usize) -> Option<usize> {
    let before = bytes.get(floor..at)?;
    let start = memchr::memrchr(b'\n', before).map_or(floor, |line| floor + line + 1);
    let line = bytes.get(start..)?;
    let first = line.iter().take(80).position(|byte| is_word(*byte))?;
    let rest = line.get(first..)?;
    let length = rest.iter().take(40).position(|byte| !is_word(*byte))?;
    is_sibling(rest.get(..length)?).then_some(start)
}

/// A colon inside a name: `aws:secretKey`, `$Env:NAME`.
fn is_inner(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&b':')
        && at > 0
        && bytes.get(at - 1).is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic)
}

/// Where the bracket that closes at `close` opens, on the same line and not far.
fn opening(bytes: &[u8], close: usize, floor: usize) -> Option<usize> {
    let open = if bytes.get(close) == Some(&b']') {
        b'['
    } else {
        b'('
    };
    let from = floor.max(close.saturating_sub(80));
    let found = bytes
        .get(from..close)?
        .iter()
        .rposition(|byte| *byte == open)?;
    Some(from + found)
}

/// Whether the brace at `at` opens an object of a list, not the body of something that has a name.
fn opens_item(bytes: &[u8], at: usize, floor: usize) -> bool {
    let before = bytes.get(floor..at).unwrap_or_default().trim_ascii_end();
    matches!(before.last(), None | Some(b'[' | b',' | b'}' | b'('))
}

/// Whether the line that starts at `at` is an item of a YAML list.
fn starts_item(bytes: &[u8], at: usize) -> bool {
    let line = bytes.get(at..).unwrap_or_default();
    let indent = line.iter().position(|byte| *byte != b' ').unwrap_or(0);
    line.get(indent..indent + 2) == Some(b"- ")
}

/// Whether a byte can be part of a name.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'/')
}

/// Whether only punctuation and white space stands in `start..end`.
pub(super) fn glue_only(bytes: &[u8], start: usize, end: usize) -> bool {
    bytes.get(start..end).is_some_and(|glue| {
        glue.iter()
            .all(|byte| byte.is_ascii_punctuation() || byte.is_ascii_whitespace())
    })
}

/// The first byte that may belong to a name of a value at `start`; never within the line of a comment.
fn floor(bytes: &[u8], start: usize) -> usize {
    let from = past_comment(bytes, start.saturating_sub(REACH), start);
    let before = bytes.get(from..start).unwrap_or_default();
    let mut lines = before
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| from + at + 1);
    lines.nth(LINES - 1).unwrap_or(from)
}

#[cfg(test)]
mod tests;
