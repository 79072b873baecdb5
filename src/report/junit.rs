//! JUnit XML, for the test pages of CI servers.
//!
//! A finding that fails the run is a failed test; accepted ones and those below the threshold are skipped
//! tests, so that they are seen and break nothing. An incomplete scan is a test with an error. Names hold
//! no line numbers: a server recognises a finding that has moved.

use std::borrow::Cow;
use std::io;

use super::display::{self, is_hole};
use super::row::Row;
use super::{Accepted, Capabilities, Format, Report, escape};

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: false,
    accepted: Accepted::Always,
};

/// Writes the report.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    report.refuse_secrets(Format::Junit)?;
    let rows: Vec<Row<'_>> = report.rows().collect();
    let failures = rows.iter().filter(|row| row.fails).count();
    let skipped = rows.len() - failures;
    let errors = usize::from(!report.coverage.is_complete());
    let passed = usize::from(failures + errors == 0);
    let tests = failures + skipped + errors + passed;
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"keysieve\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">"
    )?;
    writeln!(
        out,
        "  <testsuite name=\"keysieve\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" \
         skipped=\"{skipped}\">"
    )?;
    properties(out, report)?;
    if errors > 0 {
        incomplete(out, report)?;
    }
    for row in &rows {
        case(out, row)?;
    }
    if passed > 0 {
        writeln!(
            out,
            "    <testcase classname=\"keysieve\" name=\"no secret that fails the run\"/>"
        )?;
    }
    writeln!(out, "  </testsuite>")?;
    writeln!(out, "</testsuites>")
}

fn properties(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let coverage = report.coverage;
    let mut properties = vec![
        ("version".to_owned(), report.tool.version.to_owned()),
        ("rules".to_owned(), (report.tool.rules_hash)()),
        ("complete".to_owned(), coverage.is_complete().to_string()),
        ("files".to_owned(), coverage.files.to_string()),
        ("blobs".to_owned(), coverage.blobs.to_string()),
        ("commits".to_owned(), coverage.commits.to_string()),
        ("tags".to_owned(), coverage.tags.to_string()),
        ("bytes".to_owned(), coverage.bytes.to_string()),
        ("cached".to_owned(), coverage.cached.to_string()),
    ];
    for (reason, count) in display::skipped(coverage) {
        properties.push((format!("skipped.{}", reason.name()), count.to_string()));
    }
    properties.extend(display::selected(coverage).map(|it| ("paths".to_owned(), it)));
    writeln!(out, "    <properties>")?;
    for (name, value) in &properties {
        let (name, value) = (escaped(name), escaped(value));
        writeln!(out, "      <property name=\"{name}\" value=\"{value}\"/>")?;
    }
    writeln!(out, "    </properties>")
}

fn incomplete(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    let holes = display::holes(report.coverage);
    writeln!(
        out,
        "    <testcase classname=\"keysieve\" name=\"everything was read\">"
    )?;
    writeln!(
        out,
        "      <error type=\"incomplete\" message=\"not read: {}\">",
        escaped(&holes)
    )?;
    for skip in &report.coverage.skips {
        if is_hole(report.coverage, skip.reason) {
            writeln!(
                out,
                "{}: {}",
                skip.reason.name(),
                escaped(&display::skip(skip))
            )?;
        }
    }
    writeln!(out, "      </error>")?;
    writeln!(out, "    </testcase>")
}

fn case(out: &mut dyn io::Write, row: &Row<'_>) -> io::Result<()> {
    let path = row.first_place().path();
    let what = row.key_id.unwrap_or(row.fingerprint);
    writeln!(
        out,
        "    <testcase classname=\"keysieve.{}\" name=\"{}\">",
        escaped(row.rule),
        escaped(&format!("{what} in {path}"))
    )?;
    if row.fails {
        writeln!(
            out,
            "      <failure type=\"{}\" message=\"{}\">",
            row.level.name(),
            escaped(row.message)
        )?;
        for line in lines(row) {
            writeln!(out, "{}", escaped(&escape::inert(&line)))?;
        }
        writeln!(out, "      </failure>")?;
    } else {
        let why = match &row.accepted {
            Some(accepted) => format!("accepted by {}: {}", accepted.by(), accepted.reason),
            None => format!("{}: {}", row.level.name(), row.message),
        };
        writeln!(out, "      <skipped message=\"{}\"/>", escaped(&why))?;
    }
    writeln!(out, "    </testcase>")
}

/// Returns the lines that the page of a failed test shows.
fn lines(row: &Row<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for place in &row.places {
        lines.push(match &place.commit {
            Some(commit) => format!("{}, {}", place.listed(), commit.entered_there()),
            None => place.listed(),
        });
    }
    for line in &row.first_place().snippet {
        let mark = if line.mark.is_some() { '>' } else { ' ' };
        let code = display::visible_code(line.text);
        lines.push(format!("{mark} {:>5} | {code}", line.line));
    }
    lines.extend_from_slice(&row.notes);
    lines.push(format!("what to do: {}", row.advice));
    lines.push(row.fingerprint.to_owned());
    lines
}

/// The text on one line, for an attribute or for the text of an element.
fn escaped(text: &str) -> Cow<'_, str> {
    let shown = display::visible(text);
    if !shown.contains(['&', '<', '>', '"', '\'']) {
        return shown;
    }
    Cow::Owned(
        shown
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&apos;"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, HOSTILE, Sample};
    use super::*;
    use crate::level::Level;

    #[derive(Debug, Default)]
    struct Element {
        name: String,
        attributes: std::collections::BTreeMap<String, String>,
        text: String,
        children: Vec<Element>,
    }

    /// A reader of the XML that is written here: elements, attributes, text, the five entities.
    struct Reader<'a> {
        rest: &'a str,
    }

    impl<'a> Reader<'a> {
        fn until(&mut self, end: &str) -> &'a str {
            let (before, after) = self
                .rest
                .split_once(end)
                .unwrap_or_else(|| panic!("no {end}"));
            self.rest = after;
            before
        }

        fn plain(text: &str) -> String {
            let mut plain = String::new();
            let mut rest = text;
            assert!(!rest.contains('<') && !rest.contains("]]>"));
            while let Some((before, after)) = rest.split_once('&') {
                plain.push_str(before);
                let (name, after) = after.split_once(';').expect("the end of an entity");
                plain.push(match name {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    other => panic!("entity {other}"),
                });
                rest = after;
            }
            plain + rest
        }

        fn element(&mut self) -> Element {
            let tag = self.until(">");
            let (tag, is_empty) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}");
            let mut element = Element {
                name: name.to_owned(),
                ..Element::default()
            };
            while !rest.is_empty() {
                let (name, after) = rest.split_once("=\"").expect("an attribute");
                let (value, after) = after.split_once('"').expect("its end");
                let before = element
                    .attributes
                    .insert(name.to_owned(), Self::plain(value));
                assert!(before.is_none(), "{name} twice");
                rest = after.strip_prefix(' ').unwrap_or(after);
            }
            if is_empty {
                return element;
            }
            loop {
                element.text.push_str(&Self::plain(self.until("<")));
                if let Some(rest) = self.rest.strip_prefix('/') {
                    self.rest = rest;
                    assert_eq!(self.until(">"), element.name);
                    return element;
                }
                element.children.push(self.element());
            }
        }
    }

    /// The one suite, with its counts held against its cases.
    fn suite(sample: &Sample) -> Element {
        let text = sample::written(sample, write);
        sample::is_calm(&text);
        if let Some(dir) = std::env::var_os("KEYSIEVE_TEST_KEEP") {
            let name = format!("junit-{}.xml", sample.findings.len());
            std::fs::write(std::path::Path::new(&dir).join(name), &text).expect("a file");
        }
        let rest = text
            .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<")
            .expect("a prolog");
        let mut reader = Reader { rest };
        let mut root = reader.element();
        assert_eq!(reader.rest, "\n");
        assert_eq!(root.name, "testsuites");
        assert_eq!(root.children.len(), 1);
        let mut suite = root.children.remove(0);
        assert_eq!(suite.children.remove(0).name, "properties");
        for (attribute, child) in [
            ("failures", "failure"),
            ("errors", "error"),
            ("skipped", "skipped"),
        ] {
            let count = suite
                .children
                .iter()
                .filter(|case| case.children.iter().any(|inner| inner.name == child))
                .count();
            assert_eq!(suite.attributes[attribute], count.to_string());
        }
        assert_eq!(suite.attributes["tests"], suite.children.len().to_string());
        suite
    }

    #[test]
    fn clean_is_one_passing_test() {
        let suite = suite(&Sample::clean());
        assert_eq!(suite.children.len(), 1);
        assert_eq!(
            suite.children[0].attributes["name"],
            "no secret that fails the run"
        );
        assert!(suite.children[0].children.is_empty());
    }

    #[test]
    fn findings_fail_from_the_threshold_on() {
        let mut sample = Sample::ordinary();
        assert_eq!(suite(&sample).attributes["failures"], "1");
        sample.options.fail_on = Some(Level::Note);
        assert_eq!(suite(&sample).attributes["failures"], "3");
        sample.options.fail_on = None;
        let suite = suite(&sample);
        assert_eq!(suite.attributes["failures"], "0");
        assert_eq!(suite.attributes["skipped"], "4");
        assert_eq!(
            suite.children[4].attributes["name"],
            "no secret that fails the run"
        );
    }

    #[test]
    fn an_incomplete_scan_is_an_error_and_never_passes() {
        let mut sample = Sample::hostile();
        sample.findings.clear();
        let suite = suite(&sample);
        assert_eq!(suite.children.len(), 1);
        assert_eq!(suite.attributes["errors"], "1");
        let error = &suite.children[0].children[0];
        assert_eq!(error.attributes["message"], "not read: unreadable: 22");
        assert_eq!(error.text.trim().lines().count(), HOSTILE.len());
    }

    #[test]
    fn nothing_hostile_forges_a_test() {
        let suite = suite(&Sample::hostile());
        assert_eq!(suite.children.len(), HOSTILE.len() + 1);
        for (case, path) in suite.children[1..].iter().zip(HOSTILE) {
            let expected = String::from_utf8_lossy(path);
            let name = &case.attributes["name"];
            assert!(
                name.ends_with(&format!(" in {}", display::visible(&expected))),
                "{name}"
            );
        }
    }

    #[test]
    fn it_refuses_to_show_secrets() {
        sample::refuses_secrets(write);
    }
}
