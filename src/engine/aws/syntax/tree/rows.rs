//! Rows of tables: the name above a value.

use crate::aws::key_id::KeyId;
use crate::aws::secret_key;
use crate::blob::Span;

/// Lines as rows of tables: for each line and sign the topmost line above with as many of it.
pub(super) struct Rows {
    lines: Vec<Row>,
}

struct Row {
    start: usize,
    /// For each sign, the number of it in the line, and the line of the header.
    cells: [(u16, usize); SIGNS.len()],
}

/// Separators of the cells of a table.
const SIGNS: [u8; 4] = [b'|', b'\t', b',', b';'];

/// Longest line that is looked at as the row of a table, in bytes.
const MOST_ROW: usize = 1024;

/// Returns true for a run of characters that is no name of a column: few key IDs and secrets have no digit.
fn is_no_name(run: &[u8]) -> bool {
    let is_whole = run.len() == secret_key::LENGTH || KeyId::parse(run).is_some();
    is_whole || run.iter().any(u8::is_ascii_digit)
}

impl Rows {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut lines: Vec<Row> = Vec::new();
        let mut start = 0;
        for line in bytes.split(|byte| *byte == b'\n') {
            let number = lines.len();
            let text = line.trim_ascii_start();
            let text = if line.len() <= MOST_ROW { text } else { &[] };
            let before = lines.last().map(|row| row.cells);
            let is_rule = text.len() > 2
                && text
                    .iter()
                    .all(|byte| matches!(byte, b'-' | b'+' | b'=' | b'|' | b':' | b' ' | b'\r'));
            let cells = std::array::from_fn(|sign| {
                // A line that is drawn goes on with the table.
                if let Some(before) = before.filter(|_| is_rule) {
                    return before[sign];
                }
                let count = memchr::memchr_iter(SIGNS[sign], text).count() as u16;
                let header = before
                    .map(|cells| cells[sign])
                    .filter(|above| above.0 == count && count > 0);
                (count, header.map_or(number, |above| above.1))
            });
            lines.push(Row { start, cells });
            start += line.len() + 1;
        }
        Self { lines }
    }

    /// The line of a place.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines
            .partition_point(|row| row.start <= at)
            .saturating_sub(1)
    }

    pub(super) fn text<'b>(&self, bytes: &'b [u8], line: usize) -> &'b [u8] {
        let start = self.lines.get(line).map_or(bytes.len(), |row| row.start);
        let end = self
            .lines
            .get(line + 1)
            .map_or(bytes.len(), |row| row.start - 1);
        bytes.get(start..end).unwrap_or_default()
    }

    /// Returns the name of a value's column, if it is in the row of a table with a header.
    pub(super) fn column(
        &self,
        bytes: &[u8],
        line: usize,
        line_start: usize,
        at: usize,
    ) -> Option<Span> {
        let row = self.lines.get(line)?;
        let before = bytes.get(row.start.max(line_start)..at)?;
        if before.len() > MOST_ROW {
            return None;
        }
        for (sign, (count, header)) in SIGNS.into_iter().zip(row.cells) {
            if count == 0 || header == line {
                continue;
            }
            let text = self.text(bytes, header);
            let is_code = text
                .iter()
                .any(|byte| matches!(byte, b'(' | b')' | b'=' | b'{' | b':'));
            if is_code && matches!(sign, b',' | b';') {
                continue;
            }
            let has_value = text
                .split(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'+' | b'/'))
                .any(|run| run.len() >= 20 && is_no_name(run));
            if has_value {
                return None;
            }
            let column = before
                .trim_ascii_start()
                .iter()
                .filter(|byte| **byte == sign)
                .count();
            let mut start =
                self.lines.get(header)?.start + text.len() - text.trim_ascii_start().len();
            for (number, cell) in text
                .trim_ascii_start()
                .split(|byte| *byte == sign)
                .enumerate()
            {
                if number == column {
                    return Some(Span::new(start, start + cell.len()));
                }
                start += cell.len() + 1;
            }
        }
        None
    }
}
