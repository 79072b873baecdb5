//! Markdown, for the summary of a job in GitHub Actions and whatever else renders it.
//!
//! Everything that comes from a repository is written so that it renders as itself: no markup, no link, no HTML.
//! Accepted findings are counted and left out.

use std::io;

use super::display::{self, is_hole};
use super::row::Row;
use super::{Accepted, Capabilities, Format, Report};

/// Findings that are listed; the rest is counted. GitHub takes a summary of at most 1 MiB.
const MOST: usize = 200;

/// Things not read that are listed; the rest is counted.
const MOST_HOLES: usize = 20;

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: false,
    accepted: Accepted::Never,
};

/// Writes the report.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    report.refuse_secrets(Format::Markdown)?;
    let summary = &report.summary;
    let counted = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    };
    let rows: Vec<Row<'_>> = report.rows().collect();
    let fails = rows.iter().any(|row| row.fails);
    let head = match (report.coverage.is_complete(), fails) {
        (false, _) => "not everything could be read",
        (true, true) => "secrets found",
        (true, false) => "nothing new found",
    };
    writeln!(out, "### keysieve: {head}\n")?;
    let mut counts = vec![
        counted(summary.errors, "error"),
        counted(summary.warnings, "warning"),
        counted(summary.notes, "note"),
    ];
    if summary.accepted > 0 {
        counts.push(format!("{} accepted", summary.accepted));
    }
    writeln!(out, "{}.", counts.join(", "))?;
    let open = rows.iter().filter(|row| row.accepted.is_none());
    let open: Vec<&Row<'_>> = open.collect();
    if !open.is_empty() {
        writeln!(out, "\n| level | rule | where | what |\n|---|---|---|---|")?;
        for row in open.iter().take(MOST) {
            line(out, row)?;
        }
        if let Some(more @ 1..) = open.len().checked_sub(MOST) {
            writeln!(out, "\nAnd {more} more.")?;
        }
    }
    holes(out, report)?;
    if let Some(selected) = display::selected(report.coverage) {
        writeln!(out, "\nPaths: {}.", inert(&selected))?;
    }
    if !report.settings.is_empty() {
        let settings = report.settings.iter().map(|text| inert(text));
        let settings: Vec<String> = settings.collect();
        writeln!(out, "\nConfiguration: {}.", settings.join(", "))?;
    }
    Ok(())
}

fn line(out: &mut dyn io::Write, row: &Row<'_>) -> io::Result<()> {
    let place = row.first_place();
    let mut what = inert(row.message);
    what.push_str(&inert(&row.elsewhere()));
    for hint in row.hints() {
        what.push_str(&format!("; {}", inert(hint)));
    }
    if let Some(commit) = &place.commit {
        what.push_str(&format!("; {}", inert(&row.entered(commit))));
    }
    writeln!(
        out,
        "| {} | {} | {} | {what} |",
        row.level.name(),
        inert(row.rule),
        inert(&place.spot()),
    )
}

fn holes(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let coverage = report.coverage;
    if coverage.is_complete() {
        return Ok(());
    }
    writeln!(out, "\nNot read: {}.\n", inert(&display::holes(coverage)))?;
    let skips = coverage
        .skips
        .iter()
        .filter(|skip| is_hole(coverage, skip.reason));
    for skip in skips.take(MOST_HOLES) {
        writeln!(out, "- {}", inert(&display::skip(skip)))?;
    }
    Ok(())
}

/// Text that renders as itself, on one line, in a table too. Numeric references, because what a backslash does
/// depends on the renderer.
pub(super) fn inert(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 16);
    for c in display::visible(text).chars() {
        match c {
            // `:` ends the scheme of an address, which GitHub makes a link of; `@` and `#` are mentions.
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '(' | ')' | '#' | '+'
            | '!' | '|' | '&' | '~' | '@' | ':' | '=' | '$' | '^' | '"' | '\'' => {
                written.push_str(&format!("&#{};", u32::from(c)));
            }
            // An address without a scheme is a link too.
            '.' if written.ends_with("www") => written.push_str("&#46;"),
            _ => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, Sample};
    use super::*;

    #[test]
    fn findings_are_rows_and_what_is_not_read_is_named() {
        let text = sample::written(&Sample::ordinary(), write);
        assert!(
            text.starts_with("### keysieve: secrets found\n\n"),
            "{text}"
        );
        let rows: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("| error "))
            .collect();
        assert_eq!(rows.len(), 1, "{text}");
        assert!(
            rows[0].contains("config/prod/settings.py&#58;41&#58;26"),
            "{text}"
        );
        let clean = sample::written(&Sample::clean(), write);
        assert!(
            clean.starts_with("### keysieve: nothing new found\n"),
            "{clean}"
        );
        assert!(!clean.contains('|'), "{clean}");
    }

    #[test]
    fn nothing_hostile_becomes_markup() {
        let text = sample::written(&Sample::hostile(), write);
        sample::is_calm(&text);
        assert!(text.contains("Not read: "), "{text}");
        for line in text.lines() {
            let is_row = line.starts_with("| ");
            let bars = line.matches('|').count();
            assert_eq!(
                bars,
                if is_row || line.starts_with("|-") {
                    5
                } else {
                    0
                },
                "{line}"
            );
            let body = line.trim_start_matches("### ");
            assert!(
                !body.contains(['<', '>', '`', '*', '[', ']', '\\', '@', '"']),
                "{line}"
            );
        }
    }

    #[test]
    fn it_refuses_to_show_secrets() {
        sample::refuses_secrets(write);
    }
}
