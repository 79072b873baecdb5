//! One line of code on a terminal: escaped, its tabs expanded, and cut so that the mark stays in sight.

use super::super::escape;
use super::super::row::SnippetRow;
use crate::text::width;

/// A line of a snippet as a terminal shows it.
pub(super) struct Shown {
    pub(super) text: String,
    /// Columns before the mark, and its width.
    pub(super) mark: Option<(usize, usize)>,
}

impl Shown {
    /// Escapes the line, expands its tabs and cuts it to `room` columns around its mark.
    pub(super) fn new(line: &SnippetRow<'_>, room: usize) -> Self {
        let mut cells: Vec<(String, usize)> = Vec::new();
        let mut marked: Option<(usize, usize)> = None;
        for (offset, c) in line.text.char_indices() {
            if let Some((start, end)) = line.mark
                && (start..end).contains(&offset)
            {
                let first = marked.map_or(cells.len(), |(first, _)| first);
                marked = Some((first, cells.len() + 1));
            }
            cells.push(cell(c));
        }
        let (from, to) = window(&cells, marked, room);
        let mut text = String::new();
        let mut columns = 0;
        if from > 0 {
            text.push('…');
            columns += 1;
        }
        let (mut indent, mut length) = (columns, 0);
        for (index, (shown, width)) in cells.iter().enumerate().take(to).skip(from) {
            text.push_str(shown);
            if let Some((first, last)) = marked {
                if index < first {
                    indent += width;
                } else if index < last {
                    length += width;
                }
            }
        }
        if to < cells.len() {
            text.push('…');
        }
        Self {
            text,
            mark: marked.map(|_| (indent, length.max(1))),
        }
    }
}

/// Returns one character as shown, and its width in columns.
fn cell(c: char) -> (String, usize) {
    if c == '\t' {
        return ("    ".to_owned(), 4);
    }
    if !escape::is_unsafe(c) {
        return (c.to_string(), width::of_char(c));
    }
    let shown = escape::terminal(c.encode_utf8(&mut [0; 4])).into_owned();
    let width = shown.len();
    (shown, width)
}

/// The cells to show, so that the mark is among them.
fn window(
    cells: &[(String, usize)],
    marked: Option<(usize, usize)>,
    room: usize,
) -> (usize, usize) {
    let width = |from: usize, to: usize| -> usize {
        cells
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .map(|cell| cell.1)
            .sum()
    };
    if width(0, cells.len()) <= room {
        return (0, cells.len());
    }
    // An ellipsis at either end.
    let room = room.saturating_sub(2);
    let (first, last) = marked.unwrap_or((0, 0));
    // As much from the start of the line as leaves the mark and a little after it in sight.
    let mut from = 0;
    let goal = (last + 8).min(cells.len());
    while from < first && width(from, goal) > room {
        from += 1;
    }
    let mut to = from;
    let mut used = 0;
    while let Some((_, width)) = cells.get(to) {
        used += width;
        if used > room {
            break;
        }
        to += 1;
    }
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_to_the_terminal_with_its_mark_in_sight() {
        let text = format!("{}KEY\x1b[0m{}", "a".repeat(90), "b".repeat(90));
        let line = SnippetRow {
            line: 1,
            mark: Some((90, 93)),
            text: &text,
        };
        for room in [20, 40, 77] {
            let shown = Shown::new(&line, room);
            assert!(shown.text.chars().count() <= room, "{}", shown.text);
            let (indent, length) = shown.mark.unwrap();
            let marked: String = shown.text.chars().skip(indent).take(length).collect();
            assert_eq!(marked, "KEY");
            assert!(!shown.text.contains('\x1b'));
        }
    }

    #[test]
    fn tabs_and_wide_characters_keep_the_carets_in_place() {
        let line = SnippetRow {
            line: 1,
            text: "\t日é KEY",
            mark: Some((7, 10)),
        };
        let shown = Shown::new(&line, 77);
        assert_eq!(shown.text, "    日é KEY");
        assert_eq!(shown.mark, Some((8, 3)));
    }
}
