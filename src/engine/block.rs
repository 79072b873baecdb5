//! The blocks that values stand in: of a configuration, of an object.

use crate::aws::name::Name;

use super::label::{LINES, REACH, is_word};

/// Where the block starts that a value stands in, if it belongs to somebody else: `provider "okta" { … }`,
/// `cloudflare:`.
///
/// Blocks are told by indentation, and within a line by braces.
pub(super) fn foreign(bytes: &[u8], start: usize) -> Option<usize> {
    let floor = start.saturating_sub(4 * REACH);
    let before = bytes.get(floor..start).unwrap_or_default();
    let mut indent = usize::MAX;
    let mut line_end = before.len();
    for (count, line) in before
        .rsplit(|byte| *byte == b'\n')
        .take(3 * LINES)
        .enumerate()
    {
        let line_start = floor + line_end - line.len();
        line_end = (line_end - line.len()).saturating_sub(1);
        let text = line.trim_ascii_start();
        let own = line.len() - text.len();
        let is_comment = [&b"#"[..], b"//", b";"]
            .iter()
            .any(|mark| text.starts_with(mark));
        if count == 0 {
            indent = own;
            let text_start = line_start + own;
            if let Some((at, _)) = braces(text).find(|(_, name)| name.is_foreign()) {
                return Some(text_start + at);
            }
            continue;
        }
        if let Some(section) = text.trim_ascii_end().strip_prefix(b"[")
            && let Some(section) = section.strip_suffix(b"]")
        {
            // What stands above a section header is another block.
            return Name::parse(section).is_foreign().then_some(line_start);
        }
        if text.is_empty() || is_comment || own >= indent {
            continue;
        }
        indent = own;
        let name = Name::parse(text.get(..text.len().min(120)).unwrap_or_default());
        if name.is_foreign() {
            return Some(line_start);
        }
    }
    None
}

/// The braces that are open at the end of a line, and the names before them.
fn braces(line: &[u8]) -> impl Iterator<Item = (usize, Name)> {
    let mut depth = 0;
    let mut names = Vec::new();
    for (at, byte) in line.iter().enumerate().rev().take(REACH) {
        match byte {
            b'}' => depth += 1,
            b'{' if depth > 0 => depth -= 1,
            b'{' => {
                let before = line.get(..at).unwrap_or_default();
                let end = before
                    .iter()
                    .rposition(|byte| is_word(*byte))
                    .map_or(0, |last| last + 1);
                let start = before
                    .get(..end)
                    .unwrap_or_default()
                    .iter()
                    .rposition(|byte| !is_word(*byte));
                let name = before.get(start.map_or(0, |at| at + 1)..end);
                names.push((at, Name::parse(name.unwrap_or_default())));
            }
            _ => {}
        }
    }
    names.into_iter()
}
