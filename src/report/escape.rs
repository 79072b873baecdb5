//! Makes text from input harmless for a terminal.
//!
//! A path or a line of a hostile repository may hold escape sequences that move the cursor, retitle the
//! window or colour a finding away, and bidirectional overrides that show text in another order than it has.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with everything that a terminal would act on written as `\n`, `\x1b` or `\u{202e}`.
///
/// Tabs are escaped too; a caller that lays out source text expands them first.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            push_escaped(&mut escaped, c);
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// Like [`terminal`], for bytes: what is not UTF-8 becomes U+FFFD.
pub fn terminal_bytes(bytes: &[u8]) -> String {
    terminal(&String::from_utf8_lossy(bytes)).into_owned()
}

/// Like [`terminal`], for a text of several lines by the program itself: line feeds stay, and no line is a
/// command to a CI system.
pub fn terminal_lines(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| inert(&terminal(line)).into_owned())
        .collect();
    lines.join("\n")
}

/// Escapes a line for people so that no CI system reads it in a log as a command.
///
/// GitHub obeys lines that begin with `::` after white space, and its runner as well as Azure's and TeamCity's whatever
/// is between `##name[` and `]`, anywhere in a line. The first character of such a mark is written as `\x3a` or `\x23`.
pub fn inert(line: &str) -> Cow<'_, str> {
    let start = line.len() - line.trim_start().len();
    let command = line[start..].strip_prefix("::");
    // No command begins with a colon, and a further place of a finding does with three.
    let is_command = command.is_some_and(|command| !command.starts_with(':'));
    if !is_command && !line.contains("##") {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line;
    if is_command {
        out.push_str(&line[..start]);
        out.push_str("\\x3a");
        rest = &line[start + 1..];
    }
    while let Some(at) = rest.find("##") {
        let name = rest[at + 2..].trim_start_matches(|c: char| c.is_ascii_alphabetic());
        out.push_str(&rest[..at]);
        out.push_str(if name.starts_with('[') { "\\x23" } else { "#" });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns true if a terminal might act on `c`, or show it in a way that hides what it is.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // Bidirectional marks, embeddings, overrides and isolates.
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separator.
            | '\u{2028}' | '\u{2029}'
            // Invisible: zero width space and joiners, word joiner, byte order mark, tags, fillers.
            | '\u{00ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
        )
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if u32::from(c) < 0x80 => {
            write!(out, "\\x{:02x}", u32::from(c)).expect("a string takes all writes");
        }
        c => write!(out, "\\u{{{:x}}}", u32::from(c)).expect("a string takes all writes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_overrides_become_visible() {
        assert_eq!(terminal("a\x1b[31mb"), "a\\x1b[31mb");
        assert_eq!(terminal("a\u{202e}b\u{9b}c"), "a\\u{202e}b\\u{9b}c");
        assert_eq!(terminal("a\tb\r\nc\x7f"), "a\\tb\\r\\nc\\x7f");
        assert_eq!(terminal_bytes(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(terminal_lines("a\x07\nb"), "a\\x07\nb");
    }

    #[test]
    fn commands_of_ci_systems_are_only_text() {
        assert_eq!(inert("::error::x ::"), "\\x3a:error::x ::");
        assert_eq!(
            inert(" \t::set-output name=a::b"),
            " \t\\x3a:set-output name=a::b"
        );
        assert_eq!(
            inert("a ##vso[task] ###[x] ##"),
            "a \\x23#vso[task] #\\x23#[x] ##"
        );
        assert_eq!(terminal_lines("a\n::b\n##c["), "a\n\\x3a:b\n\\x23#c[");
        for line in [
            "std::env::var",
            "## heading",
            "##heading [link]",
            "a:: b",
            ":",
        ] {
            assert!(
                matches!(inert(line), Cow::Borrowed(_)) || inert(line) == line,
                "{line}"
            );
        }
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(terminal("größe 日本"), Cow::Borrowed(_)));
    }
}
