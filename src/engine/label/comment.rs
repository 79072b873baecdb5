//! Comments above a value: passed over, unless one is nothing but the name of the value.

use crate::aws::name::{Name, Role};

use super::{Label, REACH};

/// How a comment ends that is the name of the value below it.
const HEADING_ENDS: &[&str] = &["token", "key", "secret", "password"];

/// How the line of a comment starts.
const COMMENTS: &[&[u8]] = &[b"#", b"//", b"--", b";", b"<!--"];

/// The role of a value that stands alone on its line below a comment which is only its name: `# GitHub token`.
pub(super) fn heading(bytes: &[u8], start: usize, end: usize) -> Option<Label> {
    let is_glue = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'"' | b'\'' | b',');
    let after = bytes.get(end..)?.iter().find(|byte| !is_glue(byte));
    let before = bytes.get(start.saturating_sub(REACH)..start)?;
    let blank = before.iter().rev().take_while(|byte| is_glue(byte)).count();
    let above = before[..before.len() - blank].strip_suffix(b"\n")?;
    let line = memchr::memrchr(b'\n', above).map_or(above, |at| &above[at + 1..]);
    let is_alone = after.is_none_or(|byte| *byte == b'\n');
    if !is_alone
        || !is_comment(line)
        || line
            .iter()
            .any(|byte| matches!(byte, b':' | b'=' | b'<' | b','))
    {
        return None;
    }
    let name = Name::parse(line);
    let is_name =
        (2..=5).contains(&name.len()) && HEADING_ENDS.iter().any(|end| name.text().ends_with(end));
    let label = Label::named(name);
    (is_name && matches!(label.role, Role::Foreign | Role::AwsSecret)).then_some(label)
}

/// The end of the last line before `line_end` that is not a comment; `line_end` itself if that line is none.
pub(super) fn before_comments(bytes: &[u8], line_end: usize, floor: usize) -> usize {
    let mut end = line_end;
    while let Some(line) = bytes.get(floor..end) {
        let start = memchr::memrchr(b'\n', line).map_or(floor, |at| floor + at + 1);
        let text = bytes.get(start..end).unwrap_or_default();
        // The first line may be cut by the floor: what looks like a comment there may be none.
        let is_cut = start == floor && !is_line_start(bytes, floor);
        if !is_comment(text) || is_cut {
            return end;
        }
        if start == floor {
            return floor;
        }
        end = start - 1;
    }
    end
}

/// The end of the line around `at`, if it is a comment, has begun at most [`REACH`] before and ends before `end`;
/// else `at`.
pub(super) fn past_comment(bytes: &[u8], at: usize, end: usize) -> usize {
    let from = at.saturating_sub(REACH);
    let before = bytes.get(from..at).unwrap_or_default();
    let start = match memchr::memrchr(b'\n', before) {
        Some(line) => from + line + 1,
        None if from == 0 => 0,
        None => return at,
    };
    let rest = bytes.get(at..end).unwrap_or_default();
    let Some(length) = memchr::memchr(b'\n', rest) else {
        return at;
    };
    let line = bytes.get(start..at + length).unwrap_or_default();
    if is_comment(line) {
        at + length + 1
    } else {
        at
    }
}

fn is_comment(line: &[u8]) -> bool {
    let text = line.trim_ascii_start();
    COMMENTS.iter().any(|mark| text.starts_with(mark))
}

fn is_line_start(bytes: &[u8], at: usize) -> bool {
    at.checked_sub(1)
        .is_none_or(|before| bytes.get(before) == Some(&b'\n'))
}
