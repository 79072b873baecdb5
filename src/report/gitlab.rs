//! GitLab's secret-detection report (`artifacts: reports: secret_detection`), schema 15.
//!
//! The schema demands a commit for each finding; without one it is `0000000`, as GitLab's own analyzer has it. It
//! demands times too: `Options::now` is both, the start of 1970 if it is not given. Accepted findings are left out:
//! GitLab has no place for them.

use std::io;

use serde_json::{Value, json};

use super::display;
use super::row::Row;
use super::{Accepted, Capabilities, Format, Report};
use crate::level::Level;
use crate::text::date::timestamp;

/// Any GitLab since 15.0 takes it.
const SCHEMA_VERSION: &str = "15.0.7";

/// GitLab's limits, in characters.
const NAME_LIMIT: usize = 255;
const SOLUTION_LIMIT: usize = 7000;

/// Number of places of a finding that its description lists.
const PLACES_LISTED: usize = 100;

/// Abilities of this format.
pub const CAPABILITIES: Capabilities = Capabilities {
    secrets: false,
    accepted: Accepted::Never,
};

/// Writes the report.
pub fn write(out: &mut dyn io::Write, report: &Report<'_>) -> io::Result<()> {
    report.refuse_secrets(Format::Gitlab)?;
    let time = timestamp(report.options.now.unwrap_or_default());
    let program = json!({
        "id": "keysieve",
        "name": "keysieve",
        "version": report.tool.version,
        "vendor": { "name": "keysieve" },
    });
    let is_complete = report.coverage.is_complete();
    let mut log = json!({
        "version": SCHEMA_VERSION,
        "scan": {
            "analyzer": program,
            "scanner": program,
            "start_time": time,
            "end_time": time,
            "status": if is_complete { "success" } else { "failure" },
            "type": "secret_detection",
        },
        "vulnerabilities": report
            .rows()
            .filter(|row| row.accepted.is_none())
            .map(|row| vulnerability(&row))
            .collect::<Vec<_>>(),
    });
    if !is_complete {
        log["scan"]["messages"] = json!([{
            "level": "fatal",
            "value": format!("not everything was read: {}", display::holes(report.coverage)),
        }]);
    }
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn vulnerability(row: &Row<'_>) -> Value {
    let severity = match row.level {
        Level::Error => "Critical",
        Level::Warning => "Medium",
        Level::Note => "Info",
    };
    let fingerprint = row.fingerprint;
    json!({
        "id": uuid(fingerprint),
        "name": cut(&display::visible(row.message), NAME_LIMIT),
        "description": description(row),
        "severity": severity,
        "solution": cut(&display::visible(row.advice), SOLUTION_LIMIT),
        "location": location(row),
        "identifiers": [
            {
                "type": "keysieve_rule_id",
                "name": format!("keysieve rule {}", row.rule),
                "value": row.rule,
            },
            {
                "type": "keysieve_fingerprint",
                "name": format!("keysieve fingerprint {fingerprint}"),
                "value": fingerprint,
            },
        ],
    })
}

/// The first place. Lines inside a container are not those of the file.
fn location(row: &Row<'_>) -> Value {
    let place = row.first_place();
    let mut location = json!({
        "file": place.outer_path(),
        "commit": commit(row),
    });
    if place.inside.is_empty() {
        location["start_line"] = json!(place.position.line);
        location["end_line"] = json!(place.position.end_line);
    }
    location
}

/// The commit that brought the first place in. No address of its author.
fn commit(row: &Row<'_>) -> Value {
    match &row.first_place().commit {
        Some(commit) => json!({
            "sha": commit.commit,
            "date": display::visible(commit.date),
        }),
        None => json!({ "sha": "0000000" }),
    }
}

fn description(row: &Row<'_>) -> String {
    let mut description = display::visible(row.message).into_owned();
    for (name, value) in [
        ("Key ID", row.key_id),
        ("Account", row.account_id),
        ("Context", row.context),
    ] {
        if let Some(value) = value {
            description.push_str(&format!("\n{name}: {}", display::visible(value)));
        }
    }
    for reason in &row.notes {
        description.push_str(&format!("\nNote: {}", display::visible(reason)));
    }
    for place in row.places.iter().take(PLACES_LISTED) {
        description.push_str(&format!("\nAt {}", place.listed()));
        if let Some(commit) = &place.commit {
            description.push_str(&format!(", {}", commit.entered_there()));
        }
    }
    if let Some(more @ 1..) = row.places.len().checked_sub(PLACES_LISTED) {
        description.push_str(&format!("\nAnd in {more} more places"));
    }
    description
}

/// The digits of the fingerprint in the form of a UUID, so that a finding keeps its id.
fn uuid(fingerprint: &str) -> String {
    let digits = fingerprint.rsplit(':').next().unwrap_or_default();
    let mut uuid = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(limit - 1).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::super::sample::{self, Sample};
    use super::*;

    fn parsed(sample: &Sample) -> Value {
        sample::parsed(sample, write)
    }

    /// Holds a report against what the schema requires.
    #[track_caller]
    fn is_valid(log: &Value) {
        assert_eq!(log["version"], "15.0.7");
        let scan = &log["scan"];
        for program in [&scan["analyzer"], &scan["scanner"]] {
            for name in ["id", "name", "version"] {
                assert!(!program[name].as_str().expect("a text").is_empty());
            }
            assert!(program["vendor"]["name"].is_string());
        }
        for name in ["start_time", "end_time"] {
            let time = scan[name].as_str().expect("a time");
            let shape: String = time
                .chars()
                .map(|char| if char.is_ascii_digit() { '0' } else { char })
                .collect();
            assert_eq!(shape, "0000-00-00T00:00:00");
        }
        assert_eq!(scan["type"], "secret_detection");
        for entry in log["vulnerabilities"].as_array().expect("vulnerabilities") {
            assert_eq!(entry["id"].as_str().expect("id").len(), 36);
            assert!(entry["name"].as_str().expect("name").chars().count() <= 255);
            assert!(
                ["Info", "Medium", "Critical"]
                    .contains(&entry["severity"].as_str().expect("severity"))
            );
            assert!(
                !entry["location"]["commit"]["sha"]
                    .as_str()
                    .expect("sha")
                    .is_empty()
            );
            assert!(entry["location"]["start_line"].is_u64());
            for identifier in entry["identifiers"].as_array().expect("identifiers") {
                for name in ["type", "name", "value"] {
                    assert!(!identifier[name].as_str().expect("a text").is_empty());
                }
            }
        }
    }

    #[test]
    fn a_report_has_what_the_schema_requires() {
        for (sample, count) in [
            (Sample::clean(), 0),
            (Sample::ordinary(), 3),
            (Sample::hostile(), 11),
        ] {
            let log = parsed(&sample);
            is_valid(&log);
            assert_eq!(log["vulnerabilities"].as_array().map(Vec::len), Some(count));
            // For a look with the published schema.
            if let Some(dir) = std::env::var_os("KEYSIEVE_TEST_KEEP") {
                let path = std::path::Path::new(&dir).join(format!("gitlab-{count}.json"));
                std::fs::write(path, sample::written(&sample, write)).expect("a file");
            }
        }
    }

    #[test]
    fn an_incomplete_scan_is_a_failure_that_says_what_is_missing() {
        let log = parsed(&Sample::hostile());
        assert_eq!(log["scan"]["status"], "failure");
        assert_eq!(
            log["scan"]["messages"][0]["value"],
            "not everything was read: unreadable: 22"
        );
        assert_eq!(parsed(&Sample::clean())["scan"]["status"], "success");
    }

    #[test]
    fn ids_are_the_fingerprints_and_times_are_given() {
        let mut sample = Sample::ordinary();
        sample.options.now = Some(1_709_209_845);
        let log = parsed(&sample);
        assert_eq!(log["scan"]["end_time"], "2024-02-29T12:30:45");
        let id = log["vulnerabilities"][0]["id"]
            .as_str()
            .expect("id")
            .replace('-', "");
        assert_eq!(format!("ks1:{id}"), sample.findings[0].fingerprint.as_str());
        assert_eq!(
            log["vulnerabilities"][2]["location"]["commit"]["sha"],
            "0000000"
        );
    }

    #[test]
    fn names_are_cut_to_the_limit() {
        let mut sample = Sample::ordinary();
        sample.findings[0].message = "é".repeat(300);
        let name = parsed(&sample)["vulnerabilities"][0]["name"]
            .as_str()
            .expect("name")
            .to_owned();
        assert_eq!(name.chars().count(), 255);
    }

    #[test]
    fn it_refuses_to_show_secrets() {
        sample::refuses_secrets(write);
    }
}
