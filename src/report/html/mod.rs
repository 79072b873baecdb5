//! HTML: one self-contained page for people who would rather look than read.
//!
//! Nothing is loaded from anywhere. The style and the script are in the page and its content security policy names
//! their hashes, so nothing else can run in it, whatever a repository contains. Without JavaScript the page lacks
//! search, filters and sorting, nothing else.

mod table;
mod timeline;

use std::fmt::Write as _;
use std::io;

use sha2::{Digest, Sha256};

use super::display::{self, is_hole};
use super::row::Row;
use super::{Accepted, Capabilities, Format, Report};
use crate::coverage::Coverage;
use crate::text::base64::STANDARD as BASE64;
use crate::text::numbers::{counted, grouped, size};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: false,
    accepted: Accepted::Always,
};

/// Writes the report.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    report.refuse_secrets(Format::Html)?;
    let mut page = String::new();
    head(&mut page, report);
    summary(&mut page, report);
    holes(&mut page, report.coverage);
    let rows: Vec<Row<'_>> = report.rows().collect();
    timeline::section(&mut page, &rows);
    table::section(&mut page, &rows);
    rules(&mut page, report);
    coverage(&mut page, report.coverage);
    foot(&mut page, report);
    out.write_all(page.as_bytes())
}

/// Text for an element or a quoted attribute: one line, no markup, nothing that reorders it.
fn escaped(text: &str) -> String {
    markup(&display::visible(text))
}

/// Source code, likewise, with its tabs.
fn escaped_code(text: &str) -> String {
    markup(&display::visible_code(text))
}

pub(super) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(char),
        }
    }
    escaped
}

/// Appends formatted text; a `String` takes everything.
macro_rules! put {
    ($page:expr, $($text:tt)*) => {
        $page.write_fmt(format_args!($($text)*)).expect("a string takes everything")
    };
}
use put;

fn head(page: &mut String, report: &Report<'_>) {
    // A checkout with CRLF would change the bytes that the browser hashes: it reads them as LF.
    let style = STYLE.replace('\r', "");
    let script = SCRIPT.replace('\r', "");
    put!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>keysieve: {}</title>\n<style>{style}</style>\n<script type=\"module\">{script}</script>\n\
         </head>\n<body>\n",
        policy(&style, &script),
        escaped(&headline(report)),
    );
}

fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| BASE64.encode(&Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(style),
        hash(script)
    )
}

fn headline(report: &Report<'_>) -> String {
    let summary = report.summary;
    let is_complete = report.coverage.is_complete();
    match (summary.errors, summary.warnings) {
        (1.., _) => counted(summary.errors as u64, "secret", "secrets") + " to rotate",
        (0, 1..) => {
            let warnings = counted(summary.warnings as u64, "warning", "warnings");
            format!("No secret to rotate, {warnings}")
        }
        _ if is_complete => "No secrets found".to_owned(),
        _ => "No secrets found in what was read".to_owned(),
    }
}

fn summary(page: &mut String, report: &Report<'_>) {
    let summary = report.summary;
    put!(
        page,
        "<header>\n<p class=\"brand\">keysieve</p>\n<h1>{}</h1>\n<p class=\"lede\">{}</p>\n\
         <ul class=\"totals\">\n",
        escaped(&headline(report)),
        escaped(&searched(report.coverage)),
    );
    let tiles = [
        ("error", summary.errors, "Errors", "rotate these"),
        ("warning", summary.warnings, "Warnings", "point at a leak"),
        ("note", summary.notes, "Notes", "examples and the like"),
        (
            "accepted",
            summary.accepted,
            "Accepted",
            "by marker, list or baseline",
        ),
    ];
    for (class, number, name, meaning) in tiles {
        let zero = if number == 0 { " zero" } else { "" };
        put!(
            page,
            "<li class=\"{class}{zero}\"><b>{}</b><span>{name}</span><small>{meaning}</small></li>\n",
            grouped(number as u64),
        );
    }
    page.push_str("</ul>\n</header>\n<main>\n");
}

fn searched(coverage: &Coverage) -> String {
    let counts = [
        (coverage.files, "file", "files"),
        (coverage.blobs, "blob", "blobs"),
        (coverage.commits, "commit", "commits"),
        (coverage.tags, "tag", "tags"),
    ];
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| counted(*number, one, many))
        .collect();
    if parts.is_empty() {
        return "Nothing was searched.".to_owned();
    }
    let last = parts.pop().unwrap_or_default();
    let list = if parts.is_empty() {
        last
    } else {
        format!("{} and {last}", parts.join(", "))
    };
    let end = if coverage.is_complete() {
        "everything asked for was read"
    } else {
        "not everything was read"
    };
    let selected = display::selected(coverage).map(|selected| format!(" Reported is {selected}."));
    format!(
        "Searched {list}, {} in all; {end}.{}",
        size(coverage.bytes),
        selected.unwrap_or_default()
    )
}

/// Lists at the top of the page what was asked for and not read.
fn holes(page: &mut String, coverage: &Coverage) {
    if coverage.is_complete() {
        return;
    }
    page.push_str(
        "<section class=\"holes\">\n<h2>Not everything was read</h2>\n\
         <p>A secret may stand in what is listed here. The findings below are those of the rest.</p>\n",
    );
    for (reason, count) in display::skipped(coverage) {
        if !is_hole(coverage, reason) {
            continue;
        }
        put!(
            page,
            "<details>\n<summary>{}: {}</summary>\n<ul class=\"paths\">\n",
            reason.name(),
            grouped(count)
        );
        let mut listed = 0;
        for skip in coverage.skips.iter().filter(|skip| skip.reason == reason) {
            listed += 1;
            put!(page, "<li>{}</li>\n", escaped(&display::skip(skip)));
        }
        if listed < count {
            put!(
                page,
                "<li class=\"more\">and {} more</li>\n",
                grouped(count - listed)
            );
        }
        page.push_str("</ul>\n</details>\n");
    }
    page.push_str("</section>\n");
}

fn rules(page: &mut String, report: &Report<'_>) {
    if report.rules.is_empty() {
        return;
    }
    page.push_str("<section class=\"rules\">\n<h2>What to do</h2>\n");
    for rule in report.rules {
        put!(
            page,
            "<article>\n<h3><code>{}</code></h3>\n<p>{}</p>\n<p><b>What to do:</b> {}</p>\n",
            escaped(&rule.id),
            escaped(&rule.description),
            escaped(&rule.advice)
        );
        for address in rule
            .references
            .iter()
            .filter(|address| display::is_web(address))
        {
            let address = escaped(address);
            put!(
                page,
                "<p class=\"reference\"><a href=\"{address}\" rel=\"noreferrer noopener\">{address}</a></p>\n"
            );
        }
        page.push_str("</article>\n");
    }
    page.push_str("</section>\n");
}

fn coverage(page: &mut String, coverage: &Coverage) {
    page.push_str("<section class=\"coverage\">\n<h2>What was read</h2>\n<dl>\n");
    for (name, number) in [
        ("files", coverage.files),
        ("blobs", coverage.blobs),
        ("commits", coverage.commits),
        ("tags", coverage.tags),
        ("bytes", coverage.bytes),
    ] {
        put!(
            page,
            "<div><dt>{name}</dt><dd>{}</dd></div>\n",
            grouped(number)
        );
    }
    page.push_str("</dl>\n");
    let mut skipped = display::skipped(coverage).peekable();
    if skipped.peek().is_some() {
        page.push_str("<h3>And what was not</h3>\n<dl>\n");
        for (reason, count) in skipped {
            let meaning = match (is_hole(coverage, reason), reason.is_incomplete()) {
                (true, _) => "missing",
                (false, true) => "missing, accepted",
                (false, false) => "left out by choice",
            };
            put!(
                page,
                "<div><dt>{}</dt><dd>{} <small>{meaning}</small></dd></div>\n",
                reason.name(),
                grouped(count)
            );
        }
        page.push_str("</dl>\n");
    }
    page.push_str("</section>\n</main>\n");
}

fn foot(page: &mut String, report: &Report<'_>) {
    put!(
        page,
        "<footer>keysieve {} · rules {} · this page holds no secret and loads nothing</footer>\n\
         </body>\n</html>\n",
        escaped(report.tool.version),
        escaped(&(report.tool.rules_hash)())
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::sample::{self, HOSTILE, Sample};
    use super::*;

    const VOID: [&str; 3] = ["meta", "input", "br"];

    fn page(sample: &Sample) -> String {
        let page = sample::written(sample, write);
        sample::is_calm(&page);
        if let Some(dir) = std::env::var_os("KEYSIEVE_TEST_KEEP") {
            let name = format!("{}.html", sample.findings.len());
            std::fs::write(std::path::Path::new(&dir).join(name), &page).expect("a file");
        }
        page
    }

    fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
        let (_, rest) = page
            .split_once(start)
            .unwrap_or_else(|| panic!("no {start}"));
        rest.split_once(end).unwrap_or_else(|| panic!("no {end}")).0
    }

    /// Reads the page strictly: every tag closed, every value quoted. Gives `tag attribute` pairs and links.
    fn parsed(page: &str) -> (BTreeSet<String>, Vec<String>) {
        let style = between(page, "<style>", "</style>");
        let script = between(page, "<script type=\"module\">", "</script>");
        assert!(!script.contains("<!--") && !style.contains('<'));
        let markup = page.replacen(style, "", 1).replacen(script, "", 1);
        let mut rest = markup.strip_prefix("<!doctype html>\n").expect("a doctype");
        let (mut seen, mut links, mut open) = (BTreeSet::new(), Vec::new(), Vec::new());
        while let Some((text, after)) = rest.split_once('<') {
            assert!(!text.contains('>'), "{text}");
            let (tag, after) = after.split_once('>').expect("the end of a tag");
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                continue;
            }
            let tag = tag.strip_suffix('/').unwrap_or(tag);
            let is_closed = markup[..markup.len() - rest.len()].ends_with("/>");
            let (name, mut attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            if !is_closed && !VOID.contains(&name) {
                open.push(name.to_owned());
            }
            seen.insert(name.to_owned());
            while !attributes.is_empty() {
                let end = attributes.find([' ', '=']).unwrap_or(attributes.len());
                let (attribute, after) = attributes.split_at(end);
                assert!(
                    attribute
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
                    "{tag}"
                );
                seen.insert(format!("{name} {attribute}"));
                attributes = match after.strip_prefix("=\"") {
                    Some(after) => {
                        let (value, after) = after.split_once('"').expect("a closing quote");
                        if attribute == "href" {
                            links.push(value.to_owned());
                        }
                        after
                    }
                    None => after,
                };
                attributes = attributes.strip_prefix(' ').unwrap_or(attributes);
            }
        }
        assert!(open.is_empty(), "{open:?}");
        (seen, links)
    }

    #[test]
    fn the_policy_names_the_hashes_of_what_stands_in_the_page() {
        let page = page(&Sample::busy());
        let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
        for (directive, start, end) in [
            ("style-src", "<style>", "</style>"),
            ("script-src", "<script type=\"module\">", "</script>"),
        ] {
            let digest = Sha256::digest(between(&page, start, end).as_bytes());
            let expected = format!("{directive} 'sha256-{}';", BASE64.encode(&digest));
            assert!(policy.contains(&expected), "{policy}");
            assert_eq!(page.matches(end).count(), 1);
        }
        assert!(policy.starts_with("default-src 'none';"));
        assert!(!policy.contains("unsafe"));
    }

    #[test]
    fn nothing_hostile_becomes_markup() {
        let (expected, _) = parsed(&page(&Sample::busy()));
        let (seen, links) = parsed(&page(&Sample::hostile()));
        let new: Vec<&String> = seen.difference(&expected).collect();
        assert_eq!(new, [] as [&String; 0]);
        assert!(
            seen.iter()
                .all(|pair| !pair.contains(" on") && !pair.contains(" style"))
        );
        for link in links {
            let is_known =
                link.starts_with("#f") || link.starts_with("https://docs.aws.amazon.com/");
            assert!(is_known, "{link}");
        }
    }

    #[test]
    fn everything_that_was_found_or_missed_is_on_the_page() {
        let page = page(&Sample::hostile());
        assert_eq!(page.matches("<tbody").count(), HOSTILE.len());
        assert!(page.contains("Not everything was read"));
        assert!(page.contains("unreadable: 22"));
        assert!(page.contains("11 secrets to rotate"));
    }

    #[test]
    fn a_scan_without_history_says_nothing_of_commits() {
        let mut sample = Sample::ordinary();
        assert!(page(&sample).contains("Only in HEAD"));
        for place in sample
            .findings
            .iter_mut()
            .flat_map(|finding| &mut finding.places)
        {
            place.commit = None;
        }
        let page = page(&sample);
        parsed(&page);
        assert!(
            !page.contains("Only in HEAD")
                && !page.contains("data-sort=\"time\"")
                && !page.contains("When they")
        );
    }

    #[test]
    fn a_row_says_what_became_of_it_and_what_it_is_in() {
        let mut sample = Sample::ordinary();
        sample.findings = [(1, true), (2, false)]
            .map(|(seed, in_head)| {
                let mut finding = sample::finding(seed, crate::level::Level::Error, "a");
                let place = &mut finding.places[0];
                place.commit.as_mut().expect("a commit").in_head = in_head;
                if let (false, Some((kind, _))) = (in_head, &mut place.object) {
                    *kind = crate::provenance::ObjectKind::Tag;
                }
                finding
            })
            .into();
        let page = page(&sample);
        for state in ["in HEAD", "in history"] {
            assert_eq!(
                page.matches(&format!("\"Now\">{state}<")).count(),
                1,
                "{state}"
            );
        }
        for kind in ["<small>blob ", "<small>message of tag "] {
            assert_eq!(page.matches(kind).count(), 1, "{kind}");
        }
    }

    #[test]
    fn clean_is_said_only_if_everything_was_read() {
        let mut sample = Sample::clean();
        let clean = page(&sample);
        parsed(&clean);
        assert!(clean.contains("<h1>No secrets found</h1>"));
        assert!(clean.contains("Searched 12 files, 35 KB in all; everything asked for was read."));
        sample.coverage = Sample::hostile().coverage;
        assert!(page(&sample).contains("<h1>No secrets found in what was read</h1>"));
    }

    #[test]
    fn it_refuses_to_show_secrets() {
        sample::refuses_secrets(write);
    }
}
