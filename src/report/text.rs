//! For people: grouped by file like a compiler's diagnostics, then what was read and what was not.

mod line;

use std::io;

use anstyle::{AnsiColor, Style};

use super::display::{self, short};
use super::row::{CommitRow, PlaceRow, Row, SnippetRow};
use super::wrap::lines;
use super::{Accepted, Capabilities, Report, escape};
use crate::coverage::{Coverage, Skip, SkipReason};
use crate::finding::Summary;
use crate::level::Level;
use crate::text::numbers::{counted, grouped, size};
use line::Shown;

/// Columns where the terminal does not say.
const WIDTH: usize = 80;
/// Fewer columns than this are not laid out for.
const NARROWEST: usize = 40;
/// Digits of an object ID.
const DIGITS: usize = 12;
/// Further places of one finding that are listed; the rest is counted.
const PLACES: usize = 5;
/// Things not read that are named for each reason; the rest is counted.
const SUBJECTS: usize = 3;

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: true,
    accepted: Accepted::WithNotes,
};

/// Writes `report`.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let mut page = Page {
        out,
        color: report.options.color,
        width: report.options.width.unwrap_or(WIDTH).max(NARROWEST),
    };
    let shown = |row: &Row<'_>| report.options.show_accepted || row.accepted.is_none();
    for row in report.rows().filter(shown) {
        page.finding(&row)?;
        page.line("")?;
    }
    if report.options.quiet {
        return page.incomplete(report.coverage);
    }
    page.summary(&report.summary)?;
    if let Some(selected) = display::selected(report.coverage) {
        page.entry("paths", &[escape::terminal(&selected).into_owned()])?;
    }
    if !report.settings.is_empty() {
        let settings = report.settings.iter().map(|text| escape::terminal(text));
        let settings: Vec<String> = settings.map(|text| text.to_string()).collect();
        page.entry("config", &settings)?;
    }
    page.coverage(report.coverage)
}

/// Writes one line in place of a report that has nothing to say, for where others print as well.
pub fn write_brief(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let Summary {
        notes, accepted, ..
    } = report.summary;
    let mut line = format!(
        "keysieve: nothing found in {}",
        scanned(report.coverage).join(", ")
    );
    if notes > 0 {
        line.push_str(&format!("; {}", counted(notes as u64, "note", "notes")));
    }
    if accepted > 0 {
        line.push_str(&format!("; {} accepted", grouped(accepted as u64)));
    }
    writeln!(out, "{line}")
}

/// The writer of the text, with colour and width.
struct Page<'o> {
    out: &'o mut dyn io::Write,
    color: bool,
    width: usize,
}

impl Page<'_> {
    fn finding(&mut self, row: &Row<'_>) -> io::Result<()> {
        let style = level_style(row.level);
        let plain = format!("{}[{}]", row.level.name(), row.rule);
        let head = self.paint(style, &plain);
        let message = escape::terminal(row.message);
        // The message is wrapped by its visible width, the styled head put before it afterwards.
        let mut lines = lines(&message, self.width, plain.len() + 2, 2).into_iter();
        let first = lines.next().unwrap_or_default();
        let first = self.paint(Style::new().bold(), &first);
        self.line(&format!("{head}: {first}"))?;
        for line in lines {
            let line = self.paint(Style::new().bold(), &line);
            self.line(&format!("  {line}"))?;
        }
        let place = row.first_place();
        let gutter = gutter(&place.snippet);
        self.place(place, gutter)?;
        self.snippet(&place.snippet, gutter, style)?;
        self.places(row, gutter)?;
        self.facts(row, gutter)?;
        self.removal(row, gutter)
    }

    /// ` --> path:line:column`, with the commit for what was read from history.
    fn place(&mut self, place: &PlaceRow<'_>, gutter: usize) -> io::Result<()> {
        let arrow = self.paint(frame(), "-->");
        self.line(&format!("{:gutter$}{arrow} {}", "", spot(place)))
    }

    fn snippet(&mut self, lines: &[SnippetRow<'_>], gutter: usize, style: Style) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let bar = self.paint(frame(), "|");
        self.line(&format!("{:gutter$} {bar}", ""))?;
        let room = self.width.saturating_sub(gutter + 3);
        let mut last = None;
        for line in lines {
            if last.is_some_and(|last| line.line > last + 1) {
                self.line(&self.paint(frame(), "..."))?;
            }
            last = Some(line.line);
            let shown = Shown::new(line, room);
            let number = self.paint(frame(), &format!("{:>gutter$} |", line.line));
            self.line(format!("{number} {}", shown.text).trim_end())?;
            if let Some((indent, length)) = shown.mark {
                let carets = self.paint(style, &"^".repeat(length));
                self.line(&format!("{:gutter$} {bar} {:indent$}{carets}", "", ""))?;
            }
        }
        self.line(&format!("{:gutter$} {bar}", ""))
    }

    /// The further places of a finding.
    fn places(&mut self, row: &Row<'_>, gutter: usize) -> io::Result<()> {
        let further = row.places.get(1..).unwrap_or_default();
        for place in further.iter().take(PLACES) {
            let arrow = self.paint(frame(), ":::");
            let what = place.id_only();
            self.line(&format!("{:gutter$}{arrow} {}{what}", "", spot(place)))?;
        }
        if further.len() > PLACES {
            let rest = counted((further.len() - PLACES) as u64, "more place", "more places");
            self.line(&format!("{:gutter$}    and {rest}", ""))?;
        }
        Ok(())
    }

    /// Writes the removal of a secret that no branch or tag reaches: it is still there, and goes in another way.
    fn removal(&mut self, row: &Row<'_>, gutter: usize) -> io::Result<()> {
        let is_unreached = |place: &PlaceRow<'_>| match &place.commit {
            Some(commit) => !commit.in_head && commit.refs.is_empty(),
            // An object without a path is in no commit and in no index.
            None => place.held_in().is_some_and(|(_, id)| place.path == id),
        };
        let mut whole = row.places.iter().filter(|place| place.is_whole);
        if row.accepted.is_some() || !whole.all(is_unreached) {
            return Ok(());
        }
        self.fact(
            gutter,
            "help",
            "No ref reaches it any more. 'git reflog expire --expire=now --all' and 'git gc --prune=now' remove \
             it from this clone; the hosting side keeps its own copy until it is asked to remove it.",
        )
    }

    fn facts(&mut self, row: &Row<'_>, gutter: usize) -> io::Result<()> {
        let place = row.first_place();
        if let Some(account) = row.account_id {
            self.fact(gutter, "account", account)?;
        }
        if is_binary(place) {
            let offset = grouped(place.position.offset as u64);
            self.fact(gutter, "offset", &format!("byte {offset} of a binary file"))?;
        }
        if let Some(submodule) = &place.submodule {
            let text = format!("{submodule}, whose commits these are");
            self.fact(gutter, "submodule", &text)?;
        }
        if let Some(commit) = &place.commit {
            // Whose message it is, its words are.
            let (label, id) = match place.held_in() {
                Some((label @ "tag", id)) => (label, id),
                _ => ("commit", commit.commit.as_str()),
            };
            let event = |id, date, author, subject| {
                format!("{} of {date} by {author}: {subject}", short(id, DIGITS))
            };
            let text = event(id, commit.date, commit.author, commit.subject);
            self.fact(gutter, label, &text)?;
            if commit.boundary.is_some() {
                let text = "the clone ends here: it may be older than this commit";
                self.fact(gutter, "note", text)?;
            }
            if let Some(left) = &row.left {
                let text = event(&left.commit, left.date, left.author, left.subject);
                self.fact(gutter, "left HEAD", &text)?;
            }
            self.fact(gutter, "reached", &reached(commit, row.in_head))?;
        }
        for (label, secret) in [("secret", &row.shown_secret), ("token", &row.shown_token)] {
            if let Some(secret) = secret {
                let text = escape::terminal(secret);
                // Never wrapped: it is there to be copied.
                let label = self.paint(Style::new().bold(), label);
                self.line(&format!("{:gutter$} = {label}: {text}", ""))?;
            }
        }
        for note in &row.notes {
            self.fact(gutter, "note", note)?;
        }
        if let Some(accepted) = &row.accepted {
            let kind = match accepted.kind {
                "marker" => "allow marker",
                kind => kind,
            };
            let text = match accepted.reason {
                "" => format!("by {kind}"),
                reason => format!("by {kind}: {reason}"),
            };
            self.fact(gutter, "accepted", &text)?;
        } else if !row.advice.is_empty() {
            self.fact(gutter, "help", row.advice)?;
        }
        Ok(())
    }

    /// `= label: text`, wrapped.
    fn fact(&mut self, gutter: usize, label: &str, text: &str) -> io::Result<()> {
        let used = gutter + 3 + label.len() + 2;
        let text = escape::terminal(text);
        let label = self.paint(Style::new().bold(), label);
        for (index, line) in lines(&text, self.width, used, used).iter().enumerate() {
            if index == 0 {
                self.line(&format!("{:gutter$} = {label}: {line}", ""))?;
            } else {
                self.line(&format!("{:used$}{line}", ""))?;
            }
        }
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        let mut parts = Vec::new();
        for (count, one, many, level) in [
            (summary.errors, "error", "errors", Level::Error),
            (summary.warnings, "warning", "warnings", Level::Warning),
            (summary.notes, "note", "notes", Level::Note),
        ] {
            let text = counted(count as u64, one, many);
            parts.push(if count > 0 {
                self.paint(level_style(level), &text)
            } else {
                text
            });
        }
        let mut line = parts.join(", ");
        if summary.accepted > 0 {
            line.push_str(&format!(
                " (accepted: {})",
                grouped(summary.accepted as u64)
            ));
        }
        self.entry("found", &[line])
    }

    fn coverage(&mut self, coverage: &Coverage) -> io::Result<()> {
        self.entry("scanned", &scanned(coverage))?;
        let skipped: Vec<String> = coverage
            .skipped
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(reason, count)| format!("{} {}", grouped(*count), label(*reason)))
            .collect();
        if !skipped.is_empty() {
            self.entry("skipped", &skipped)?;
        }
        self.pointers(coverage)?;
        self.incomplete(coverage)?;
        if coverage.files + coverage.blobs + coverage.commits + coverage.tags == 0 {
            let mark = self.paint(level_style(Level::Warning), "warning");
            self.line(&format!("{mark}: nothing was scanned"))?;
        }
        Ok(())
    }

    /// Names repositories inside the tree and submodules, which were left out and can be scanned in another way.
    fn pointers(&mut self, coverage: &Coverage) -> io::Result<()> {
        let is_pointer = |skip: &&Skip| match skip.reason {
            SkipReason::GitDir => skip.detail.is_some(),
            reason => reason == SkipReason::Submodule,
        };
        let all: Vec<&Skip> = coverage.skips.iter().filter(is_pointer).collect();
        for skip in all.iter().take(SUBJECTS) {
            let subject = escape::terminal_bytes(&skip.subject);
            let detail = skip
                .detail
                .as_deref()
                .unwrap_or("a submodule, which is not looked at");
            let detail = escape::terminal(detail);
            self.note(&format!("{subject} is {detail}"))?;
        }
        match all.len().saturating_sub(SUBJECTS) {
            0 => Ok(()),
            rest => self.note(&format!("and {} more of them", grouped(rest as u64))),
        }
    }

    /// `note: text`, wrapped.
    fn note(&mut self, text: &str) -> io::Result<()> {
        for (index, line) in lines(text, self.width, 6, 2).iter().enumerate() {
            match index {
                0 => {
                    let mark = self.paint(level_style(Level::Note), "note");
                    self.line(&format!("{mark}: {line}"))?;
                }
                _ => self.line(&format!("  {line}"))?,
            }
        }
        Ok(())
    }

    /// Names what was asked for and not read, with the message of the system.
    fn incomplete(&mut self, coverage: &Coverage) -> io::Result<()> {
        let is_unread = |(reason, count): (&SkipReason, &u64)| *count > 0 && reason.is_incomplete();
        if !coverage.skipped.iter().any(is_unread) {
            return Ok(());
        }
        let (level, head) = if coverage.is_complete() {
            (Level::Note, "incomplete, as allowed")
        } else {
            (Level::Error, "incomplete")
        };
        let head = self.paint(level_style(level), head);
        self.line(&format!("{head}: not all that was asked for could be read"))?;
        for (reason, count) in &coverage.skipped {
            if *count == 0 || !reason.is_incomplete() {
                continue;
            }
            let subjects = coverage.skips.iter().filter(|skip| skip.reason == *reason);
            let mut named = 0;
            for skip in subjects.take(SUBJECTS) {
                named += 1;
                let subject = escape::terminal_bytes(&skip.subject);
                let detail = match &skip.detail {
                    Some(detail) => format!(": {}", escape::terminal(detail)),
                    None => String::new(),
                };
                let text = format!("{}: {subject}{detail}", label(*reason));
                for (index, line) in lines(&text, self.width, 2, 4).iter().enumerate() {
                    let indent = if index == 0 { 2 } else { 4 };
                    self.line(&format!("{:indent$}{line}", ""))?;
                }
            }
            if *count > named && *reason != SkipReason::Findings {
                let rest = grouped(*count - named);
                self.line(&format!("  {}: and {rest} more", label(*reason)))?;
            }
        }
        Ok(())
    }

    /// `label: parts`, wrapped between parts.
    fn entry(&mut self, label: &str, parts: &[String]) -> io::Result<()> {
        let indent = "scanned: ".len();
        let text = parts.join(", ");
        let head = format!("{label}:");
        // Styled parts are short enough for one line; their width is not counted.
        let lines = if text.contains('\x1b') {
            vec![text]
        } else {
            lines(&text, self.width, indent, indent)
        };
        for (index, line) in lines.iter().enumerate() {
            let head = if index == 0 { head.as_str() } else { "" };
            self.line(&format!("{head:indent$}{line}"))?;
        }
        Ok(())
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(escape::inert(text).as_bytes())?;
        self.out.write_all(b"\n")
    }
}

/// `path:line:column`, before it what tells versions apart.
fn spot(place: &PlaceRow<'_>) -> String {
    let what = match (&place.commit, place.held_in()) {
        // A message: the object is the commit, or the tag, itself.
        (_, Some((kind @ ("commit" | "tag"), id))) => {
            let submodule = place
                .submodule
                .as_ref()
                .map_or_else(String::new, |path| format!("{} ", escape::terminal(path)));
            format!("{submodule}{kind} {}", short(id, DIGITS))
        }
        (commit, _) => {
            let path = escape::terminal_bytes(&place.typed_path());
            match commit {
                Some(commit) => format!("{}:{path}", short(&commit.commit, DIGITS)),
                None => path,
            }
        }
    };
    format!("{what}:{}:{}", place.position.line, place.position.column)
}

/// Returns true if lines and columns say little in this place.
fn is_binary(place: &PlaceRow<'_>) -> bool {
    let is_odd = |line: &SnippetRow<'_>| line.text.contains(['\0', char::REPLACEMENT_CHARACTER]);
    place.snippet.iter().any(is_odd)
}

fn reached(commit: &CommitRow<'_>, in_head: bool) -> String {
    if !in_head && commit.refs.is_empty() {
        return match commit.held_by {
            [] => "by no ref".to_owned(),
            holders => format!("by no ref; held by {}", holders.join(", ")),
        };
    }
    // A head that is detached is among the references too.
    let is_there = commit.refs.iter().take(PLACES).any(|name| name == "HEAD");
    let mut names: Vec<&str> = Vec::new();
    if in_head && !is_there {
        names.push("HEAD");
    }
    names.extend(commit.refs.iter().take(PLACES).map(String::as_str));
    let mut text = format!("by {}", names.join(", "));
    let more = commit.refs.len().saturating_sub(PLACES) + commit.more_refs.unwrap_or_default();
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Columns for line numbers.
fn gutter(lines: &[SnippetRow<'_>]) -> usize {
    let last = lines.iter().map(|line| line.line).max().unwrap_or(1);
    last.to_string().len() + 1
}

fn level_style(level: Level) -> Style {
    let color = match level {
        Level::Error => AnsiColor::Red,
        Level::Warning => AnsiColor::Yellow,
        Level::Note => AnsiColor::Cyan,
    };
    color.on_default().bold()
}

fn frame() -> Style {
    AnsiColor::Blue.on_default().bold()
}

/// Returns the words for a reason in a sentence.
fn label(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Changed => "changed while being read",
        SkipReason::Size => "over the size limit",
        SkipReason::Limit => "over a limit on what is opened",
        SkipReason::Encrypted => "encrypted",
        SkipReason::Partial => "left on the server (partial clone)",
        SkipReason::Shallow => "beyond a shallow boundary",
        SkipReason::Lfs => "in Git LFS, not here",
        SkipReason::SubmoduleAbsent => "submodule that is not here",
        SkipReason::Internal => "failed inside",
        SkipReason::Findings => "findings over the limit",
        SkipReason::Symlink => "symbolic link",
        SkipReason::Special => "special file",
        SkipReason::GitDir => ".git",
        other => other.name(),
    }
}

/// Counts the scanned things by kind, and their bytes.
fn scanned(coverage: &Coverage) -> Vec<String> {
    let mut scanned: Vec<String> = [
        (coverage.files, "file", "files"),
        (coverage.blobs, "blob", "blobs"),
        (coverage.commits, "commit", "commits"),
        (coverage.tags, "tag", "tags"),
    ]
    .iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| counted(*count, one, many))
    .collect();
    if scanned.is_empty() {
        scanned.push("nothing".to_owned());
    } else {
        scanned.push(size(coverage.bytes));
    }
    if coverage.cached > 0 {
        let cached = grouped(coverage.cached);
        scanned.push(format!("{cached} of them from the cache"));
    }
    scanned
}

#[cfg(test)]
mod tests;
