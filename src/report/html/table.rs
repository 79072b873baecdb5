//! The table of findings: a row each, with the rest folded below it.

use std::fmt::Write as _;

use super::super::display::{day, short};
use super::super::row::{PlaceRow, Row, SnippetRow};
use super::{escaped, escaped_code, put};
use crate::level::Level;
use crate::text::numbers::counted;

/// Number of places of one finding that are listed.
const PLACES_LISTED: usize = 200;

/// Number of references of a commit that are named.
const REFS_LISTED: usize = 8;

/// Writes the section, if there is a finding to show.
pub(super) fn section(page: &mut String, findings: &[Row<'_>]) {
    if findings.is_empty() {
        return;
    }
    let has_history = has_history(findings);
    page.push_str("<section class=\"findings\">\n<h2>Findings</h2>\n");
    toolbar(page, findings);
    page.push_str(
        "<table>\n<thead><tr><th data-sort=\"level\">Level</th><th data-sort=\"what\">What</th>\
         <th data-sort=\"path\">Where</th>",
    );
    if has_history {
        page.push_str("<th data-sort=\"time\">Entered</th><th data-sort=\"state\">Now</th>");
    }
    page.push_str("</tr></thead>\n");
    for (at, finding) in findings.iter().enumerate() {
        row(page, at + 1, finding, has_history);
    }
    page.push_str("</table>\n</section>\n");
}

/// Returns true if a commit is known for any of them: a scan of a directory has none.
fn has_history(findings: &[Row<'_>]) -> bool {
    findings
        .iter()
        .flat_map(|finding| &finding.places)
        .any(|place| place.commit.is_some())
}

/// The class that gives a finding its colour.
pub(super) fn class(finding: &Row<'_>) -> &'static str {
    match finding.accepted {
        Some(_) => "accepted",
        None => finding.level.name(),
    }
}

/// Hidden until the script shows it: it does nothing without.
fn toolbar(page: &mut String, findings: &[Row<'_>]) {
    page.push_str(
        "<form class=\"toolbar\" hidden>\n<label class=\"search\"><span>Search</span>\
         <input type=\"search\" placeholder=\"path, key ID, author, rule …\" autocomplete=\"off\"></label>\n<div class=\"chips\">\n",
    );
    for (name, label) in [
        ("error", "Errors"),
        ("warning", "Warnings"),
        ("note", "Notes"),
        ("accepted", "Accepted"),
    ] {
        let count = findings
            .iter()
            .filter(|finding| class(finding) == name)
            .count();
        if count > 0 {
            put!(
                page,
                "<label class=\"chip {name}\"><input type=\"checkbox\" value=\"{name}\" checked>{label} \
                 <small>{count}</small></label>\n"
            );
        }
    }
    if has_history(findings) {
        page.push_str(
            "<label class=\"chip plain\"><input type=\"checkbox\" name=\"head\">Only in HEAD</label>\n",
        );
    }
    page.push_str("</div>\n<output></output>\n</form>\n");
}

/// Returns the text of the last column, and its rank in sorting.
fn state(finding: &Row<'_>) -> (u8, &'static str) {
    let mut commits = finding
        .places
        .iter()
        .filter_map(|place| place.commit.as_ref())
        .peekable();
    if finding.accepted.is_some() {
        (4, "accepted")
    } else if commits.peek().is_none() {
        (1, "here")
    } else if commits.clone().any(|commit| commit.in_head) {
        (0, "in HEAD")
    } else if commits.any(|commit| !commit.refs.is_empty()) {
        (2, "in history")
    } else {
        (3, "unreachable")
    }
}

fn row(page: &mut String, number: usize, finding: &Row<'_>, has_history: bool) {
    let place = finding.first_place();
    let (rank, state) = state(finding);
    let in_head = finding
        .places
        .iter()
        .any(|place| place.commit.as_ref().is_none_or(|commit| commit.in_head));
    let time = place
        .commit
        .as_ref()
        .map(|commit| commit.time)
        .unwrap_or(i64::MAX);
    let level_rank = match finding.level {
        Level::Error => 0,
        Level::Warning => 1,
        Level::Note => 2,
    };
    let path = escaped(&place.path());
    put!(
        page,
        "<tbody id=\"f{number}\" class=\"{}\" data-level=\"{level_rank}\" data-what=\"{}\" data-path=\"{path}\" \
         data-time=\"{time}\" data-state=\"{rank}\" data-head=\"{in_head}\">\n",
        class(finding),
        escaped(finding.message),
    );
    put!(
        page,
        "<tr><td data-name=\"Level\"><span class=\"badge {level}\">{level}</span></td>\
         <td data-name=\"What\">",
        level = finding.level.name(),
    );
    what(page, finding);
    put!(
        page,
        "</td><td data-name=\"Where\"><span class=\"path\">{path}<span class=\"line\">:{}</span></span>",
        place.position.line
    );
    if finding.places.len() > 1 {
        let more = counted(finding.places.len() as u64 - 1, "more place", "more places");
        put!(page, "<small>and {more}</small>");
    }
    page.push_str("</td>");
    if has_history {
        entered(page, place, state);
    }
    put!(
        page,
        "</tr>\n<tr class=\"rest\"><td></td><td colspan=\"{}\"><details><summary>Details</summary>\n",
        if has_history { 4 } else { 2 }
    );
    details(page, finding);
    page.push_str("</details></td></tr>\n</tbody>\n");
}

/// Writes the message with the key ID emphasised.
fn what(page: &mut String, finding: &Row<'_>) {
    let message = escaped(finding.message);
    let key_id = finding.key_id.map(escaped).unwrap_or_default();
    match message.split_once(&key_id) {
        _ if key_id.is_empty() => put!(page, "{message}"),
        Some((before, after)) => put!(page, "{before}<code>{key_id}</code>{after}"),
        None => put!(page, "<code>{key_id}</code><small>{message}</small>"),
    }
}

/// Writes the time and author of the commit, and the present state.
fn entered(page: &mut String, place: &PlaceRow<'_>, state: &str) {
    page.push_str("<td data-name=\"Entered\">");
    match &place.commit {
        Some(commit) => put!(
            page,
            "{}<small>{} <code>{}</code></small>",
            escaped(&day(commit.date)),
            escaped(commit.author),
            short(&commit.commit, 10)
        ),
        None => page.push_str("<span class=\"none\">–</span>"),
    }
    put!(page, "</td><td data-name=\"Now\">{state}</td>");
}

fn details(page: &mut String, finding: &Row<'_>) {
    snippet(page, &finding.first_place().snippet);
    page.push_str("<dl>\n");
    let mut entry = |name: &str, text: &str| {
        put!(
            page,
            "<div><dt>{name}</dt><dd>{}</dd></div>\n",
            escaped(text)
        );
    };
    match &finding.accepted {
        Some(accepted) => entry(&format!("accepted by {}", accepted.by()), accepted.reason),
        None => entry("what to do", finding.advice),
    }
    entry("rule", finding.rule);
    for (name, value) in [
        ("account", finding.account_id),
        ("context", finding.context),
    ] {
        if let Some(value) = value {
            entry(name, value);
        }
    }
    if let Some(length) = finding.token_length {
        entry("session token", &format!("found, {length} characters"));
    }
    for reason in &finding.notes {
        entry("note", reason);
    }
    entry("fingerprint", finding.fingerprint);
    page.push_str("</dl>\n<ul class=\"places\">\n");
    for place in finding.places.iter().take(PLACES_LISTED) {
        put!(page, "<li>{}</li>\n", escaped_place(place));
    }
    if let Some(more @ 1..) = finding.places.len().checked_sub(PLACES_LISTED) {
        put!(
            page,
            "<li class=\"more\">and {}</li>\n",
            counted(more as u64, "more place", "more places")
        );
    }
    page.push_str("</ul>\n");
}

fn escaped_place(place: &PlaceRow<'_>) -> String {
    let mut shown = format!("<span class=\"path\">{}</span>", escaped(&place.listed()));
    if let Some((kind, id)) = place.held_in() {
        let of = if kind == "blob" { "" } else { "message of " };
        put!(shown, " <small>{of}{kind} {}</small>", short(id, 10));
    }
    if let Some(commit) = &place.commit {
        put!(
            shown,
            "<br><small>{}: “{}” by {}</small>",
            escaped(&commit.entered_there()),
            escaped(commit.subject),
            escaped(commit.author)
        );
        let holders = if commit.refs.is_empty() {
            commit.held_by
        } else {
            commit.refs
        };
        let mut names: Vec<String> = holders
            .iter()
            .take(REFS_LISTED)
            .map(|name| escaped(name))
            .collect();
        if let Some(more @ 1..) = holders.len().checked_sub(REFS_LISTED) {
            names.push(format!("{more} more"));
        }
        if !names.is_empty() {
            put!(shown, "<br><small>on {}</small>", names.join(", "));
        }
    }
    if let Some(reason) = &place.marker {
        put!(shown, "<br><small>marker: {}</small>", escaped(reason));
    }
    shown
}

fn snippet(page: &mut String, lines: &[SnippetRow<'_>]) {
    if lines.is_empty() {
        return;
    }
    page.push_str("<pre>");
    for line in lines {
        put!(page, "<span class=\"number\">{:>5}</span> ", line.line);
        let parts = line.mark.and_then(|(start, end)| {
            Some((
                line.text.get(..start)?,
                line.text.get(start..end)?,
                line.text.get(end..)?,
            ))
        });
        match parts {
            Some((before, marked, after)) => put!(
                page,
                "{}<mark>{}</mark>{}",
                escaped_code(before),
                escaped_code(marked),
                escaped_code(after)
            ),
            None => page.push_str(&escaped_code(line.text)),
        }
        page.push('\n');
    }
    page.push_str("</pre>\n");
}
