//! Display of text that an attacker may have chosen, for several formats.

use std::borrow::Cow;
use std::fmt::Write as _;

use bstr::ByteSlice as _;

use super::escape;
use crate::coverage::{Coverage, Skip, SkipReason};
use crate::text::numbers::counted;

/// The text with everything that steers a terminal, a parser or the direction of writing spelled out.
///
/// Line breaks too: what comes back is one line, and every character of it is legal in XML.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if steers(char) => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(char));
            }
            _ => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

/// A line of a snippet: tabs are kept as spaces, the rest as [`visible`] has it.
pub(super) fn visible_code(text: &str) -> String {
    visible(&text.replace('\t', "    ")).into_owned()
}

fn steers(char: char) -> bool {
    // The last two are not legal in XML.
    escape::is_unsafe(char) || matches!(char, '\u{fffe}' | '\u{ffff}')
}

/// The day of a commit's date, as its author's clock had it.
pub(super) fn day(date: &str) -> String {
    visible(date.get(..10).unwrap_or(date)).into_owned()
}

/// The first digits of an object ID.
pub(super) fn short(id: &str, digits: usize) -> &str {
    id.get(..digits).unwrap_or(id)
}

/// The reasons for which something was skipped, with how often, in the order in which they are shown.
pub(super) fn skipped(coverage: &Coverage) -> impl Iterator<Item = (SkipReason, u64)> + '_ {
    SkipReason::ALL.iter().filter_map(|reason| {
        let count = coverage.skipped.get(reason).copied().unwrap_or_default();
        (count > 0).then_some((*reason, count))
    })
}

/// Returns true if a reason makes this coverage incomplete.
pub(super) fn is_hole(coverage: &Coverage, reason: SkipReason) -> bool {
    reason.is_incomplete() && !coverage.accepted.contains(&reason)
}

/// `reason: count` for everything that makes the coverage incomplete.
pub(super) fn holes(coverage: &Coverage) -> String {
    skipped(coverage)
        .filter(|(reason, _)| is_hole(coverage, *reason))
        .map(|(reason, count)| format!("{}: {count}", reason.name()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The paths that findings were asked for, and what is left out for that; `None` where all are reported.
pub(super) fn selected(coverage: &Coverage) -> Option<String> {
    let selected = coverage.selected.as_ref()?;
    let paths: Vec<_> = selected.paths.iter().map(|path| visible(path)).collect();
    let mut text = format!("only what is at {}", paths.join(", "));
    let left_out = [
        (selected.elsewhere, "elsewhere"),
        (selected.without_path, "without a path"),
    ];
    let left_out: Vec<String> = left_out
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, where_)| format!("{} {where_}", counted(count, "finding", "findings")))
        .collect();
    match left_out.is_empty() {
        true => text.push_str("; nothing was found elsewhere"),
        false => text.push_str(&format!("; left out: {}", left_out.join(", "))),
    }
    Some(text)
}

/// A skip as one line: subject and what the system said.
pub(super) fn skip(skip: &Skip) -> String {
    let subject = skip.subject.to_str_lossy();
    let line = match &skip.detail {
        Some(detail) => format!("{subject}: {detail}"),
        None => subject.into_owned(),
    };
    visible(&line).into_owned()
}

/// Returns true if a reference is an address that may become a link.
pub(super) fn is_web(address: &str) -> bool {
    address.starts_with("https://") && address.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_spelled_out_and_the_rest_is_left_alone() {
        assert_eq!(visible("häß/文.txt"), "häß/文.txt");
        assert_eq!(
            visible("a\nb\u{1b}[31m\u{202e}c\u{9b}\u{ffff}"),
            "a\\nb\\u{1b}[31m\\u{202e}c\\u{9b}\\u{ffff}"
        );
        assert_eq!(visible_code("\tx\r"), "    x\\r");
    }
}
