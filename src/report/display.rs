//! What several formats need to show text that an attacker may have chosen.

use std::borrow::Cow;
use std::fmt::Write as _;

use bstr::{BStr, ByteSlice as _};

use super::escape;
use crate::commit::{CommitInfo, Departure};
use crate::coverage::{Coverage, Skip, SkipReason};
use crate::finding::{Finding, Place};
use crate::provenance::with_steps;
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

/// The path as a person can read it, on one line, with the way into containers.
pub(super) fn path(place: &Place) -> String {
    let path = with_steps(file(place).into_owned(), &place.inside);
    let lossy = path.to_str_lossy();
    let path = lossy.strip_prefix("./").unwrap_or(&lossy);
    visible(path).into_owned()
}

/// The path of the file as a person can read it, for programs that look it up.
pub(super) fn outer_path(place: &Place) -> String {
    let path = file(place);
    let lossy = path.to_str_lossy();
    let path = lossy.strip_prefix("./").unwrap_or(&lossy);
    visible(path).into_owned()
}

/// The path of the file for formats that others look files up with: below the root, if that is known, whatever was
/// typed.
///
/// What Git holds lies below the root of the repository. Trees made to harm have names such as `..` and `/etc`,
/// which lead elsewhere; those are written as `%2E%2E` and `%/etc`.
pub(super) fn file(place: &Place) -> Cow<'_, BStr> {
    let is_up = |part: &[u8]| matches!(part, b"." | b"..");
    if let (None, Some(file)) = (place.object, &place.file) {
        return Cow::Borrowed(file.as_bstr());
    }
    let path = place.path.as_bstr();
    let leads_elsewhere = path.starts_with(b"/") || path.split_str("/").any(is_up);
    if place.object.is_none() || !leads_elsewhere {
        return Cow::Borrowed(path);
    }
    let part = |part: &[u8]| match is_up(part) {
        true => b"%2E".repeat(part.len()),
        false => part.to_vec(),
    };
    let parts: Vec<Vec<u8>> = path.split_str("/").map(part).collect();
    let mut inside = parts.join(&b'/');
    if inside.starts_with(b"/") {
        inside.insert(0, b'%');
    }
    Cow::Owned(inside.into())
}

/// `path:line:column`.
pub(super) fn spot(place: &Place) -> String {
    format!(
        "{}:{}:{}",
        path(place),
        place.position.line,
        place.position.column
    )
}

/// What the list of a finding's places adds to a place that has the key ID of a pair without the secret.
pub(super) fn id_only(finding: &Finding, place: &Place) -> &'static str {
    if finding.is_whole_at(place) {
        ""
    } else {
        " (key ID only)"
    }
}

/// A place in the list of a finding's places.
pub(super) fn listed(finding: &Finding, place: &Place) -> String {
    format!("{}{}", spot(place), id_only(finding, place))
}

/// The day of a commit's date, as its author's clock had it.
pub(super) fn day(date: &str) -> String {
    visible(date.get(..10).unwrap_or(date)).into_owned()
}

/// The first digits of an object id.
pub(super) fn short(id: &gix::ObjectId) -> String {
    id.to_hex_with_len(10).to_string()
}

/// Says which commit brought a finding in, and which took it away:
/// `entered with 0123456789 on 2024-05-01, left HEAD with 89abcdef01 on 2024-05-03`.
pub(super) fn entered(finding: &Finding, commit: &CommitInfo) -> String {
    let left = finding.departure();
    sentence(commit, finding.is_in_head(), left, "left HEAD with")
}

/// The same of one of its places, which may have gone from there while `HEAD` has it elsewhere.
pub(super) fn entered_there(commit: &CommitInfo) -> String {
    let left = commit.left.as_ref();
    sentence(commit, commit.in_head, left, "left that path with")
}

fn sentence(
    commit: &CommitInfo,
    in_head: bool,
    left: Option<&Departure>,
    left_with: &str,
) -> String {
    let state = if in_head {
        "still in HEAD"
    } else if let Some(left) = left {
        let (id, day) = (short(&left.commit_id), day(&left.date));
        &format!("{left_with} {id} on {day}")
    } else if commit.refs.is_empty() {
        "reachable from no branch or tag"
    } else {
        "no longer in HEAD"
    };
    format!(
        "entered with {} on {}, {state}",
        short(&commit.commit_id),
        day(&commit.date)
    )
}

/// The rest of a sentence about a finding that stands in several places; empty for one.
pub(super) fn elsewhere(finding: &Finding) -> String {
    match finding.places.len() {
        0 | 1 => String::new(),
        2 => " (and in one more place)".to_owned(),
        count => format!(" (and in {} more places)", count - 1),
    }
}

/// The reasons for which something was skipped, with how often, in the order in which they are shown.
pub(super) fn skipped(coverage: &Coverage) -> impl Iterator<Item = (SkipReason, u64)> + '_ {
    SkipReason::ALL.iter().filter_map(|reason| {
        let count = coverage.skipped.get(reason).copied().unwrap_or_default();
        (count > 0).then_some((*reason, count))
    })
}

/// Whether a reason makes this coverage incomplete.
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

/// Whether a reference is an address that may become a link.
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
