//! The beginning of a line: how far in it is, and the mark of an item.

use crate::blob::Span;
use crate::engine::decode::is_value;

/// The start of a line.
pub(super) struct Line {
    /// Column where the text starts, or the mark of an item.
    pub(super) indent: usize,
    /// Column of the text of an item.
    pub(super) item: Option<usize>,
    /// Start of the text.
    pub(super) text: usize,
    pub(super) end: usize,
    pub(super) is_blank: bool,
    pub(super) is_comment: bool,
    /// `[name]`
    pub(super) section: Option<Span>,
    /// `---`
    pub(super) is_rule: bool,
    /// A patch takes it out.
    pub(super) is_removed: bool,
}

impl Line {
    /// Longest line that is looked at as a whole, in bytes.
    const MOST: usize = 400;

    /// The line that starts at `from`.
    pub(super) fn at(bytes: &[u8], from: usize) -> Option<Self> {
        let rest = bytes.get(from..).filter(|rest| !rest.is_empty())?;
        let near = rest.get(..Self::MOST).unwrap_or(rest);
        let end = memchr::memchr(b'\n', near).unwrap_or(near.len());
        let text = &near[..end];
        let is_white = |byte: &u8| matches!(byte, b' ' | b'\t');
        let mut start = 0;
        // The mark of a patch or a quotation, and the prompt of a trace.
        // Of the lines of a patch those further in have white space behind the mark.
        let before = bytes
            .get(from.saturating_sub(Self::MOST)..from.saturating_sub(1))
            .unwrap_or_default();
        let above = &before[memchr::memrchr(b'\n', before).map_or(0, |line| line + 1)..];
        let is_patch =
            matches!(above, [b'-', next, ..] if *next != b'-') && text.starts_with(b"-  ");
        let is_value = text
            .iter()
            .take(41)
            .take_while(|byte| is_value(**byte))
            .count()
            == 40;
        if let [b'+' | b'-' | b'>', next, ..] = text
            && (!is_white(next) || text.first() != Some(&b'-') || is_patch)
            && *next != text[0]
            && !is_value
        {
            start = 1;
        }
        start += text[start..]
            .iter()
            .take_while(|byte| is_white(byte))
            .count();
        let mut line = Self {
            indent: start,
            item: None,
            text: from + start,
            end: from + end,
            is_blank: text.trim_ascii().is_empty(),
            is_comment: false,
            section: None,
            is_rule: false,
            is_removed: start == 1 && text[0] == b'-',
        };
        let body = text[start..].trim_ascii_end();
        line.is_comment = body.starts_with(b"#") && !body.starts_with(b"#define")
            || body.starts_with(b"//")
            || body.starts_with(b"<!--")
            || body.starts_with(b"/*");
        line.is_rule = body.len() >= 3
            && body.iter().all(|byte| *byte == body[0])
            && matches!(body[0], b'-' | b'=' | b'*' | b'_');
        let inner = body
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"));
        let is_name = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b' ' | b'_' | b'-' | b'.' | b':' | b'/' | b'@' | b'[' | b']' | b'"'
                )
        };
        if let Some(inner) = inner
            && inner
                .first()
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'[')
            && inner.iter().all(is_name)
            && !inner
                .split(|byte| !byte.is_ascii_alphanumeric())
                .any(|run| run.len() >= 20)
        {
            let doubled = usize::from(inner.starts_with(b"["));
            let start = from + start + 1 + doubled;
            line.section = Some(Span::new(start, start + inner.len() - 2 * doubled));
        }
        if let [b'-' | b'*', next, ..] = body
            && is_white(next)
        {
            let white = body[1..].iter().take_while(|byte| is_white(byte)).count();
            line.item = Some(start + 1 + white);
            line.text = from + start + 1 + white;
        }
        Some(line)
    }

    /// The next line that has a text and is no comment, from the line that goes to `end` on.
    pub(super) fn next(bytes: &[u8], end: usize) -> Option<Self> {
        let mut from = end;
        for _ in 0..8 {
            let rest = bytes.get(from..)?;
            if bytes.get(from.wrapping_sub(1)) != Some(&b'\n') || from == 0 {
                from += memchr::memchr(b'\n', rest.get(..Self::MOST).unwrap_or(rest))? + 1;
            }
            let line = Self::at(bytes, from)?;
            if !line.is_blank && !line.is_comment {
                return Some(line);
            }
            from = line.end + 1;
        }
        None
    }
}
