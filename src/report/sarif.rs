//! SARIF 2.1.0, for code-scanning services and editors.
//!
//! Paths are relative to `%SRCROOT%`, columns count code points, and nothing in it is a secret, an
//! author's name or an address.
//!
//! Two partial fingerprints: `keysieve/v1` is the fingerprint of the finding. GitHub matches alerts on
//! `primaryLocationLineHash` alone, which its CodeQL action computes from the text of the line: a hash of
//! 64 bits from which, knowing the text around it, a guess at the secret could be confirmed. So the same
//! hash is computed here over the fingerprint instead. That keeps an alert the same when its line moves
//! or is re-indented, and makes a *different* secret on the same line a new alert, dismissed or not.

use std::io;

use bstr::ByteSlice as _;
use serde_json::{Map, Value, json};

use super::display::{self, is_hole};
use super::row::{AcceptedRow, PlaceRow, Row};
use super::{Accepted, Capabilities, Format, Report, RuleInfo};
use crate::coverage::{Coverage, SkipReason};
use crate::finding::Position;
use crate::level::Level;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Number of other places of a finding that are listed; GitHub refuses a result with more than 1,000.
const PLACES_LISTED: usize = 500;

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: false,
    accepted: Accepted::OnRequest,
};

/// Writes the report.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    report.refuse_secrets(Format::Sarif)?;
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [run(report)],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn run(report: &Report<'_>) -> Value {
    json!({
        "tool": { "driver": {
            "name": "keysieve",
            "version": report.tool.version,
            "semanticVersion": report.tool.version,
            "rules": report.rules.iter().map(rule).collect::<Vec<_>>(),
        }},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {
            "%SRCROOT%": { "description": { "text": "The root of what was scanned." } },
        },
        "invocations": [{
            "executionSuccessful": report.coverage.is_complete(),
            "toolExecutionNotifications": notifications(report.coverage),
        }],
        "results": report
            .rows()
            .filter(|row| report.options.include_accepted || row.accepted.is_none())
            .map(|row| result(&row, report.rules))
            .collect::<Vec<_>>(),
        "properties": {
            "coverage": coverage(report.coverage),
            "rulesHash": (report.tool.rules_hash)(),
            "summary": {
                "errors": report.summary.errors,
                "warnings": report.summary.warnings,
                "notes": report.summary.notes,
                "accepted": report.summary.accepted,
            },
        },
    })
}

fn rule(rule: &RuleInfo) -> Value {
    let mut value = json!({
        "id": rule.id,
        "shortDescription": text(&rule.description),
        "fullDescription": text(&rule.description),
        "help": text(&help(rule)),
        "defaultConfiguration": { "level": rule.level.name() },
        "properties": {
            "tags": ["security", "secret"],
            "precision": "high",
            "security-severity": severity(rule.level),
        },
    });
    if let Some(address) = rule
        .references
        .iter()
        .find(|address| display::is_web(address))
    {
        value["helpUri"] = json!(address);
    }
    value
}

fn help(rule: &RuleInfo) -> String {
    let mut help = format!("{}\n\nWhat to do: {}", rule.description, rule.advice);
    for address in &rule.references {
        help.push('\n');
        help.push_str(address);
    }
    help
}

/// GitHub sorts alerts by this number: critical above 9.0, high above 7.0, medium above 4.0.
fn severity(level: Level) -> &'static str {
    match level {
        Level::Error => "9.5",
        Level::Warning => "5.0",
        Level::Note => "1.0",
    }
}

/// Returns notifications about unread things: one for each if that leaves a hole, one for each reason if not.
fn notifications(coverage: &Coverage) -> Vec<Value> {
    let mut notifications = Vec::new();
    for (reason, count) in display::skipped(coverage) {
        if !is_hole(coverage, reason) {
            let why = if reason.is_incomplete() {
                "accepted"
            } else {
                "left out"
            };
            notifications.push(notification(
                reason,
                "note",
                &format!("{count} not read, {why}: {}", reason.name()),
            ));
            continue;
        }
        let mut told = 0;
        for skip in coverage.skips.iter().filter(|skip| skip.reason == reason) {
            told += 1;
            let words = format!("not read ({}): {}", reason.name(), display::skip(skip));
            notifications.push(notification(reason, "error", &words));
        }
        if told < count {
            let words = format!("not read ({}): {} more", reason.name(), count - told);
            notifications.push(notification(reason, "error", &words));
        }
    }
    notifications
}

fn notification(reason: SkipReason, level: &str, words: &str) -> Value {
    json!({
        "descriptor": { "id": format!("skip/{}", reason.name()) },
        "level": level,
        "message": text(words),
    })
}

fn coverage(coverage: &Coverage) -> Value {
    let skipped: Map<String, Value> = display::skipped(coverage)
        .map(|(reason, count)| (reason.name().to_owned(), json!(count)))
        .collect();
    let selected = coverage.selected.as_ref().map(|selected| {
        json!({
            "paths": selected.paths,
            "elsewhere": selected.elsewhere,
            "withoutPath": selected.without_path,
        })
    });
    json!({
        "complete": coverage.is_complete(),
        "selected": selected,
        "files": coverage.files,
        "blobs": coverage.blobs,
        "commits": coverage.commits,
        "tags": coverage.tags,
        "bytes": coverage.bytes,
        "members": coverage.members,
        "openedBytes": coverage.opened_bytes,
        "cached": coverage.cached,
        "skipped": skipped,
        "acceptedReasons": coverage.accepted.iter().map(|reason| reason.name()).collect::<Vec<_>>(),
    })
}

fn result(row: &Row<'_>, rules: &[RuleInfo]) -> Value {
    let place = row.first_place();
    let mut value = json!({
        "ruleId": row.rule,
        "level": row.level.name(),
        "message": text(&message(row)),
        "locations": [location(place, place.position, None)],
        "relatedLocations": related(row),
        "partialFingerprints": {
            "keysieve/v1": row.fingerprint,
            "primaryLocationLineHash": line_hash(row.fingerprint),
        },
        "suppressions": row.accepted.iter().map(suppression).collect::<Vec<_>>(),
        "properties": properties(row),
    });
    if let Some(index) = rules.iter().position(|rule| rule.id == row.rule) {
        value["ruleIndex"] = json!(index);
    }
    value
}

fn message(row: &Row<'_>) -> String {
    let mut message = row.message.to_owned();
    message.push_str(&row.elsewhere());
    if let Some(commit) = &row.first_place().commit {
        message.push_str("; ");
        message.push_str(&row.entered(commit));
    }
    message
}

fn suppression(accepted: &AcceptedRow<'_>) -> Value {
    let kind = match accepted.kind {
        "marker" => "inSource",
        _ => "external",
    };
    let reason = display::visible(accepted.reason);
    json!({ "kind": kind, "status": "accepted", "justification": reason })
}

/// The other halves at the first place, then the other places.
fn related(row: &Row<'_>) -> Vec<Value> {
    let place = row.first_place();
    let mut related = Vec::new();
    if let Some(key_id) = place.key_id.filter(|key_id| *key_id != place.position) {
        related.push(location(place, key_id, Some("its key ID")));
    }
    if let Some(token) = place.token.filter(|token| *token != place.position) {
        related.push(location(place, token, Some("its session token")));
    }
    for other in row.places.iter().skip(1).take(PLACES_LISTED) {
        let what = if other.is_whole {
            "also here"
        } else {
            "the key ID only"
        };
        let words = match &other.commit {
            Some(commit) => format!("{what}; {}", commit.entered_there()),
            None => what.to_owned(),
        };
        related.push(location(other, other.position, Some(&words)));
    }
    related
}

fn properties(row: &Row<'_>) -> Value {
    let place = row.first_place();
    let mut properties = json!({
        "places": row.places.len(),
        "reasons": row.notes.iter().map(|reason| display::visible(reason)).collect::<Vec<_>>(),
        "advice": display::visible(row.advice),
    });
    for (name, value) in [
        ("keyId", row.key_id),
        ("accountId", row.account_id),
        ("context", row.context),
    ] {
        if let Some(value) = value {
            properties[name] = json!(display::visible(value));
        }
    }
    if let Some((kind, id)) = place.held_in() {
        properties["object"] = json!({ "kind": kind, "id": id });
    }
    if let Some(commit) = &place.commit {
        let shown = |names: &[String]| -> Vec<String> {
            names
                .iter()
                .map(|name| display::visible(name).into_owned())
                .collect()
        };
        properties["commit"] = json!({
            "id": commit.commit,
            "date": display::visible(commit.date),
            "inHead": commit.in_head,
            "refs": shown(commit.refs),
            "heldBy": shown(commit.held_by),
        });
    }
    properties
}

fn location(place: &PlaceRow<'_>, position: Position, words: Option<&str>) -> Value {
    if !place.inside.is_empty() {
        return inside(place, words);
    }
    let mut physical = json!({
        "artifactLocation": artifact(place),
        "region": region(place, position),
    });
    if let Some(context) = context(place, position) {
        physical["contextRegion"] = context;
    }
    let mut value = json!({ "physicalLocation": physical });
    if let Some(words) = words {
        value["message"] = text(words);
    }
    value
}

/// A place inside a container: lines and offsets are not those of the file that viewers know.
fn inside(place: &PlaceRow<'_>, words: Option<&str>) -> Value {
    let spot = place.spot();
    let words = words.map_or_else(|| spot.clone(), |words| format!("{words}: {spot}"));
    json!({
        "physicalLocation": { "artifactLocation": artifact(place) },
        "logicalLocations": [{ "fullyQualifiedName": spot }],
        "message": text(&words),
    })
}

fn region(place: &PlaceRow<'_>, position: Position) -> Value {
    let mut region = json!({
        "startLine": position.line,
        "startColumn": position.column,
        "endLine": position.end_line,
        "endColumn": position.end_column,
        "byteOffset": position.offset,
        "byteLength": position.length,
    });
    let marked = place
        .snippet
        .iter()
        .filter(|_| position == place.position)
        .find(|line| line.line == position.line)
        .and_then(|line| line.text.get(line.mark?.0..line.mark?.1));
    if let Some(marked) = marked {
        region["snippet"] = json!({ "text": display::visible_code(marked) });
    }
    region
}

/// The lines around the region, if the snippet has all of them: a context must contain its region.
fn context(place: &PlaceRow<'_>, position: Position) -> Option<Value> {
    let first = place.snippet.first()?.line;
    let last = place.snippet.last()?.line;
    let is_whole = last - first + 1 == place.snippet.len();
    if !is_whole || first > position.line || last < position.end_line {
        return None;
    }
    let lines: Vec<String> = place
        .snippet
        .iter()
        .map(|line| display::visible_code(line.text))
        .collect();
    Some(json!({
        "startLine": first,
        "endLine": last,
        "snippet": { "text": lines.join("\n") },
    }))
}

/// Relative to the root, or a `file:` address where the path is absolute. Every byte that is not
/// unreserved is percent-encoded, so a path of any bytes comes back as it was.
fn artifact(place: &PlaceRow<'_>) -> Value {
    let file = place.file();
    let mut path = file.as_bytes();
    if place.is_below_root() {
        return json!({ "uri": encoded(path), "uriBaseId": "%SRCROOT%" });
    }
    while let Some(rest) = path.strip_prefix(b"./") {
        path = rest;
    }
    let is_drive = path.first().is_some_and(u8::is_ascii_alphabetic)
        && matches!(path.get(1..3), Some(b":/" | b":\\"));
    if path.starts_with(b"/") {
        json!({ "uri": format!("file://{}", encoded(path)) })
    } else if is_drive {
        let forward = path.replace(b"\\", b"/");
        json!({ "uri": format!("file:///{}", encoded(&forward).replacen("%3A", ":", 1)) })
    } else {
        json!({ "uri": encoded(path), "uriBaseId": "%SRCROOT%" })
    }
}

fn encoded(path: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut uri = String::with_capacity(path.len());
    for byte in path {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(*byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri
}

/// A message of plain text: brackets and backslashes would make links of it.
fn text(words: &str) -> Value {
    let mut escaped = String::with_capacity(words.len());
    for line in words.split('\n') {
        if !escaped.is_empty() {
            escaped.push('\n');
        }
        for char in display::visible(line).chars() {
            if matches!(char, '[' | ']' | '\\') {
                escaped.push('\\');
            }
            escaped.push(char);
        }
    }
    json!({ "text": escaped })
}

/// The hash of the first line of `text` as GitHub's CodeQL action has it: over UTF-16 units, blanks
/// left out, ended by 65535, filled with zeros to a window of 100, base 37 modulo 2^64.
fn line_hash(text: &str) -> String {
    const WINDOW: usize = 100;
    let units = text
        .encode_utf16()
        .filter(|unit| *unit != u16::from(b' ') && *unit != u16::from(b'\t'))
        .chain([u16::MAX])
        .chain(std::iter::repeat(0));
    let hash = units.take(WINDOW).fold(0u64, |hash, unit| {
        hash.wrapping_mul(37).wrapping_add(u64::from(unit))
    });
    format!("{hash:x}:1")
}

#[cfg(test)]
mod tests;
