//! CSV as RFC 4180 has it: one row for each place, for spreadsheets and databases.
//!
//! A spreadsheet takes a field that starts with `=`, `+`, `-`, `@`, a tab or a line break for a formula: such a field
//! gets a `'` in front, secrets included. Control characters are spelled out, and a path that is changed by that, or
//! that is not UTF-8, is in `path_base64` too.

use std::borrow::Cow;
use std::io;

use bstr::ByteSlice as _;

use super::display;
use super::row::{PlaceRow, Row};
use super::{Accepted, Capabilities, Report};
use crate::text::base64::STANDARD as BASE64;

const HEADER: &[&str] = &[
    "fingerprint",
    "rule",
    "level",
    "message",
    "key_id",
    "account_id",
    "path",
    "line",
    "column",
    "end_line",
    "end_column",
    "offset",
    "place",
    "places",
    "object_kind",
    "object",
    "commit",
    "date",
    "author",
    "subject",
    "in_head",
    "refs",
    "held_by",
    "context",
    "reasons",
    "accepted_by",
    "accepted_reason",
    "advice",
    "path_base64",
    "left_commit",
    "left_date",
];

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: true,
    accepted: Accepted::Always,
};

/// Writes the report. With `show_secrets` there are three columns more: `secret` and `session_token`, and
/// `secret_base64` for a secret that is not UTF-8.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let mut header: Vec<String> = HEADER.iter().map(|&name| name.to_owned()).collect();
    if report.options.show_secrets {
        header.extend(["secret", "session_token", "secret_base64"].map(str::to_owned));
    }
    record(out, &header)?;
    for row in report.rows() {
        for (at, place) in row.places.iter().enumerate() {
            let mut fields = fields(&row, place, at + 1);
            if report.options.show_secrets {
                let exact = row.secret_base64();
                let text = row.shown_secret.as_deref().filter(|_| exact.is_none());
                let columns = [text, row.shown_token.as_deref(), exact];
                fields.extend(columns.map(|column| column.unwrap_or_default().to_owned()));
            }
            record(out, &fields)?;
        }
    }
    Ok(())
}

/// The fields of a place, in the order of [`HEADER`].
fn fields(row: &Row<'_>, place: &PlaceRow<'_>, number: usize) -> Vec<String> {
    let commit = place.commit.as_ref();
    let left = commit.and_then(|commit| commit.left.as_ref());
    let (object_kind, object) = place.held_in().unwrap_or_default();
    let accepted = row.accepted.as_ref();
    let path = place.typed_path();
    let is_exact = path
        .to_str()
        .is_ok_and(|path| matches!(display::visible(path), Cow::Borrowed(_)));
    let path_base64 = match is_exact {
        true => String::new(),
        false => BASE64.encode(&path),
    };
    let position = place.position;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    vec![
        row.fingerprint.to_owned(),
        row.rule.to_owned(),
        row.level.name().to_owned(),
        row.message.to_owned(),
        text(row.key_id),
        text(row.account_id),
        path.to_str_lossy().into_owned(),
        position.line.to_string(),
        position.column.to_string(),
        position.end_line.to_string(),
        position.end_column.to_string(),
        position.offset.to_string(),
        number.to_string(),
        row.places.len().to_string(),
        object_kind.to_owned(),
        object.to_owned(),
        text(commit.map(|commit| commit.commit.as_str())),
        text(commit.map(|commit| commit.date)),
        text(commit.map(|commit| commit.author)),
        text(commit.map(|commit| commit.subject)),
        text(commit.map(|commit| if commit.in_head { "true" } else { "false" })),
        commit.map_or_else(String::new, |commit| commit.refs.join(" ")),
        commit.map_or_else(String::new, |commit| commit.held_by.join(" ")),
        text(row.context),
        row.notes.join("; "),
        text(accepted.map(|accepted| accepted.kind)),
        text(accepted.map(|accepted| accepted.reason)),
        row.advice.to_owned(),
        path_base64,
        text(left.map(|left| left.commit.as_str())),
        text(left.map(|left| left.date)),
    ]
}

fn record(out: &mut dyn io::Write, fields: &[String]) -> io::Result<()> {
    for (at, text) in fields.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        out.write_all(field(text).as_bytes())?;
    }
    out.write_all(b"\r\n")
}

/// A field, neutralised and then quoted where it has to be.
fn field(text: &str) -> Cow<'_, str> {
    let is_formula = text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    let shown = display::visible(text);
    let shown = if is_formula {
        Cow::Owned(format!("'{shown}"))
    } else {
        shown
    };
    if shown.contains(['"', ',', ';', '\'']) || shown.starts_with(' ') || shown.ends_with(' ') {
        Cow::Owned(format!("\"{}\"", shown.replace('"', "\"\"")))
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, HOSTILE, Sample};
    use super::*;
    use crate::secret::Secret;

    /// A reader that accepts RFC 4180 and nothing else.
    fn read(text: &str) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let mut chars = text.chars().peekable();
        while chars.peek().is_some() {
            let mut row = Vec::new();
            loop {
                let mut field = String::new();
                if chars.next_if_eq(&'"').is_some() {
                    loop {
                        match chars.next().expect("a closing quote") {
                            '"' if chars.next_if_eq(&'"').is_some() => field.push('"'),
                            '"' => break,
                            char => field.push(char),
                        }
                    }
                } else {
                    while let Some(char) = chars.next_if(|char| !matches!(char, ',' | '\r' | '\n'))
                    {
                        assert_ne!(char, '"', "a quote in a bare field");
                        field.push(char);
                    }
                }
                row.push(field);
                match chars.next() {
                    Some(',') => {}
                    Some('\r') => {
                        assert_eq!(chars.next(), Some('\n'), "CRLF");
                        break;
                    }
                    other => panic!("{other:?} after a field"),
                }
            }
            rows.push(row);
        }
        rows
    }

    fn rows(sample: &Sample) -> Vec<Vec<String>> {
        let text = sample::written(sample, write);
        sample::is_calm(&text);
        let rows = read(&text);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        rows
    }

    fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
        let at = rows[0]
            .iter()
            .position(|field| field == name)
            .expect("a column");
        rows[1..].iter().map(|row| row[at].clone()).collect()
    }

    #[test]
    fn a_row_for_each_place() {
        assert_eq!(rows(&Sample::clean()).len(), 1);
        let rows = rows(&Sample::ordinary());
        assert_eq!(rows.len(), 6);
        assert_eq!(column(&rows, "places"), ["2", "2", "1", "1", "1"]);
        assert_eq!(column(&rows, "line"), ["41", "5", "40", "41", "41"]);
        assert_eq!(column(&rows, "accepted_by")[3], "baseline");
        assert!(column(&rows, "path_base64").iter().all(String::is_empty));
    }

    #[test]
    fn nothing_hostile_is_a_formula_and_every_path_can_be_had_back() {
        let rows = rows(&Sample::hostile());
        assert_eq!(rows.len(), HOSTILE.len() + 1);
        for field in rows.iter().flatten() {
            let first = field.chars().next().unwrap_or(' ');
            assert!(!"=+-@\t\r\n".contains(first), "{field}");
        }
        let paths = column(&rows, "path");
        let coded = column(&rows, "path_base64");
        for ((shown, coded), path) in paths.iter().zip(&coded).zip(HOSTILE) {
            let is_plain = shown.trim_start_matches('\'').as_bytes() == *path;
            assert_eq!(coded.is_empty(), is_plain, "{shown}");
            assert!(is_plain || *coded == BASE64.encode(path));
        }
        assert!(paths.contains(&"'=cmd|' /C calc'!A0".to_owned()));
    }

    #[test]
    fn secrets_are_shown_only_when_asked_for() {
        let mut sample = Sample::ordinary();
        assert!(!rows(&sample)[0].contains(&"secret".to_owned()));
        sample.options.show_secrets = true;
        let rows = rows(&sample);
        assert_eq!(
            column(&rows, "secret")[0],
            format!("'{}", sample::secret(1))
        );
        assert_eq!(
            column(&rows, "session_token")[0],
            format!("'{}", sample::token(1))
        );
        assert_eq!(column(&rows, "secret")[2], "");
        assert_eq!(column(&rows, "secret_base64")[0], "");
    }

    #[test]
    fn a_secret_that_is_no_text_is_not_damaged() {
        let mut sample = Sample::ordinary();
        sample.options.show_secrets = true;
        sample.findings[0].secret = Some(Secret::new(b"\xff\xfe"));
        let rows = rows(&sample);
        assert_eq!(column(&rows, "secret")[0], "");
        assert_eq!(
            column(&rows, "secret_base64")[0],
            BASE64.encode(b"\xff\xfe")
        );
    }
}
