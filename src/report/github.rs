//! Workflow commands of GitHub Actions: each finding becomes an annotation of its line.
//!
//! GitHub shows ten errors, ten warnings and ten notices of a step; all of them are in the log. Accepted
//! findings are left out.

use std::io;

use super::display::{self, is_hole};
use super::row::Row;
use super::{Accepted, Capabilities, Format, Report};
use crate::level::Level;

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: false,
    accepted: Accepted::Never,
};

/// Writes the report.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    report.refuse_secrets(Format::Github)?;
    if !report.coverage.is_complete() {
        let message = format!("not everything was read: {}", holes(report));
        writeln!(
            out,
            "::error title=keysieve: incomplete scan::{}",
            data(&message)
        )?;
    }
    for row in report.rows().filter(|row| row.accepted.is_none()) {
        annotation(out, &row)?;
    }
    Ok(())
}

fn holes(report: &Report<'_>) -> String {
    let mut holes = display::holes(report.coverage);
    for skip in &report.coverage.skips {
        if is_hole(report.coverage, skip.reason) {
            holes.push('\n');
            holes.push_str(&display::skip(skip));
        }
    }
    holes
}

fn annotation(out: &mut dyn io::Write, row: &Row<'_>) -> io::Result<()> {
    let place = row.first_place();
    let position = place.position;
    let command = match row.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    };
    write!(out, "::{command} file={}", property(&place.outer_path()))?;
    // Lines inside a container are not those of the file.
    if place.inside.is_empty() {
        write!(
            out,
            ",line={},endLine={},col={}",
            position.line, position.end_line, position.column
        )?;
        // GitHub refuses columns on an annotation of several lines.
        if position.end_line == position.line {
            write!(out, ",endColumn={}", position.end_column)?;
        }
    }
    writeln!(
        out,
        ",title={}::{}",
        property(&format!("keysieve: {}", row.rule)),
        data(&message(row))
    )
}

fn message(row: &Row<'_>) -> String {
    let place = row.first_place();
    let mut message = display::visible(row.message).into_owned();
    if let Some(key_id) = row.key_id.filter(|key_id| !message.contains(key_id)) {
        message.push_str(&format!(": {}", display::visible(key_id)));
    }
    if !place.inside.is_empty() {
        message.push_str(&format!(" at {}", place.spot()));
    }
    message.push_str(&row.elsewhere());
    if let Some(commit) = &place.commit {
        message.push('\n');
        message.push_str(&row.entered(commit));
    }
    for hint in row.hints() {
        message.push_str(&format!("\n{}", display::visible(hint)));
    }
    message.push('\n');
    message.push_str(&display::visible(row.advice));
    message
}

/// The text of a command, as `@actions/core` escapes it.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, likewise.
fn property(text: &str) -> String {
    data(&display::visible(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::sample::{self, HOSTILE, Sample};
    use super::*;

    struct Command {
        name: String,
        properties: BTreeMap<String, String>,
        message: String,
    }

    /// Reads commands as the runner does.
    fn commands(sample: &Sample) -> Vec<Command> {
        let text = sample::written(sample, write);
        sample::is_calm(&text);
        text.lines()
            .map(|line| {
                let (head, message) = line
                    .strip_prefix("::")
                    .and_then(|rest| rest.split_once("::"))
                    .unwrap_or_else(|| panic!("not a command: {line}"));
                let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
                let plain = |text: &str| {
                    text.replace("%3A", ":")
                        .replace("%2C", ",")
                        .replace("%0A", "\n")
                        .replace("%0D", "\r")
                        .replace("%25", "%")
                };
                Command {
                    name: name.to_owned(),
                    properties: properties
                        .split(',')
                        .map(|pair| pair.split_once('=').expect("a property"))
                        .map(|(name, value)| (name.to_owned(), plain(value)))
                        .collect(),
                    message: plain(message),
                }
            })
            .collect()
    }

    #[test]
    fn a_command_for_each_finding_that_counts() {
        assert!(commands(&Sample::clean()).is_empty());
        let commands = commands(&Sample::ordinary());
        let names: Vec<&str> = commands
            .iter()
            .map(|command| command.name.as_str())
            .collect();
        assert_eq!(names, ["error", "warning", "notice"]);
        let first = &commands[0];
        assert_eq!(first.properties["file"], "config/prod/settings.py");
        assert_eq!(first.properties["line"], "41");
        assert_eq!(first.properties["endLine"], "41");
        assert_eq!(first.properties["col"], "26");
        assert_eq!(first.properties["endColumn"], "66");
        assert_eq!(first.properties["title"], "keysieve: aws-access-key");
        assert!(
            first.message.contains("one more place"),
            "{}",
            first.message
        );
    }

    #[test]
    fn nothing_hostile_adds_a_command_or_a_property() {
        let commands = commands(&Sample::hostile());
        assert_eq!(commands.len(), 1 + HOSTILE.len().div_ceil(2));
        assert!(commands.iter().all(|command| command.name == "error"));
        for (command, path) in commands[1..].iter().zip(HOSTILE.iter().step_by(2)) {
            let names: Vec<&str> = command.properties.keys().map(String::as_str).collect();
            assert_eq!(
                names,
                ["col", "endColumn", "endLine", "file", "line", "title"]
            );
            let expected = String::from_utf8_lossy(path);
            assert_eq!(command.properties["file"], display::visible(&expected));
        }
    }

    #[test]
    fn an_incomplete_scan_is_an_error_even_without_findings() {
        let mut sample = Sample::hostile();
        sample.findings.clear();
        let commands = commands(&sample);
        assert_eq!(commands.len(), 1);
        assert!(
            commands[0].message.contains("unreadable: 22"),
            "{}",
            commands[0].message
        );
    }

    #[test]
    fn it_refuses_to_show_secrets() {
        sample::refuses_secrets(write);
    }
}
