//! Keys that a case is about: from reports of findings, from mails, or named.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::cloudtrail::LogKeyId;
use crate::text::date;

/// The schema of the reports that are understood.
const SCHEMA: &str = "keysieve-report/1";

/// Places of a key that are kept; the rest is counted.
const MAX_PLACES: usize = 100;

/// A key, and where it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Fingerprints of its findings.
    pub fingerprints: BTreeSet<String>,
    /// Its places, in the order of the reports.
    pub places: Vec<Place>,
    /// Further places.
    pub more_places: usize,
    /// Time of its introduction, in seconds since the epoch: the earliest date of a commit.
    pub introduced: Option<i64>,
}

/// Place where a key was found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Place {
    /// The path.
    pub path: String,
    /// 1-based.
    pub line: usize,
    /// The commit that brought it in.
    #[serde(default)]
    pub commit: Option<String>,
    /// The date of that commit, RFC 3339.
    #[serde(default)]
    pub date: Option<String>,
    /// True if `HEAD` still has it.
    #[serde(default)]
    pub in_head: Option<bool>,
    /// Branches and tags that hold it.
    #[serde(default)]
    pub refs: Vec<String>,
}

/// All keys of a case.
pub type Subjects = BTreeMap<LogKeyId, Subject>;

/// Something wrong with a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no report of findings.
    NotOne,
    /// It was cut short.
    CutShort,
    /// Its scan did not read everything.
    Incomplete,
    /// It has secrets in it.
    Secrets,
}

impl Flaw {
    /// Describes the fault, after the name of the report.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotOne => "is no report of keysieve",
            Self::CutShort => "was cut short: its last line is missing",
            Self::Incomplete => "is of a scan that did not read everything",
            Self::Secrets => {
                "has secrets in it: write it without --show-secrets, and delete this one"
            }
        }
    }
}

#[derive(Deserialize)]
struct FindingJson {
    fingerprint: String,
    key_id: Option<String>,
    #[serde(default)]
    places: Vec<Place>,
}

/// Adds the keys of a report, as JSON or JSON Lines.
///
/// # Errors
///
/// What is wrong with it. The keys that were read are added all the same.
pub fn add_report(subjects: &mut Subjects, bytes: &[u8]) -> Result<(), Flaw> {
    let (mut is_whole, mut is_complete) = (false, true);
    let mut findings = Vec::new();
    for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        let Ok(Value::Object(mut object)) = value else {
            return Err(if findings.is_empty() {
                Flaw::NotOne
            } else {
                Flaw::CutShort
            });
        };
        match object.get("schema").map(Value::as_str) {
            None => findings.push(Value::Object(object)),
            Some(Some(SCHEMA)) => {
                is_whole = true;
                let complete = object.get("coverage").and_then(|it| it.get("complete"));
                is_complete = complete.and_then(Value::as_bool) == Some(true);
                if let Some(Value::Array(list)) = object.remove("findings") {
                    findings.extend(list);
                }
            }
            Some(_) => return Err(Flaw::NotOne),
        }
    }
    for finding in findings {
        let has_secret = ["secret_key", "secret", "secret_base64", "session_token"];
        if has_secret.iter().any(|name| finding.get(name).is_some()) {
            return Err(Flaw::Secrets);
        }
        let read = FindingJson::deserialize(&finding).map_err(|_not_shown| Flaw::NotOne)?;
        // Keys of other vendors have no evidence here.
        let Some(key) = read.key_id.as_deref().and_then(LogKeyId::parse) else {
            continue;
        };
        let subject = subjects.entry(key).or_default();
        subject.fingerprints.insert(read.fingerprint);
        for place in read.places {
            let date = place.date.as_deref().and_then(date::moment);
            subject.introduced = [subject.introduced, date].into_iter().flatten().min();
            if subject.places.len() < MAX_PLACES {
                subject.places.push(place);
            } else {
                subject.more_places += 1;
            }
        }
    }
    match (is_whole, is_complete) {
        (false, _) => Err(Flaw::CutShort),
        (true, false) => Err(Flaw::Incomplete),
        (true, true) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str, date: &str) -> String {
        format!(
            "{{\"rule\":\"aws-access-key-pair\",\"fingerprint\":\"ks1:{date}\",\"key_id\":\"{id}\",\"places\":[{{\"path\":\"a\",\"line\":1,\"date\":\"{date}\"}}]}}"
        )
    }

    #[test]
    fn the_earliest_commit_of_all_reports_counts() {
        let id = ["AKIA", "RZPUZDIKGB2VALC6"].concat();
        let end = "{\"schema\":\"keysieve-report/1\",\"coverage\":{\"complete\":true}}";
        let lines = format!("{}\n{end}\n", finding(&id, "2024-01-05T12:00:00+02:00"));
        let whole = format!(
            "{{\"schema\":\"keysieve-report/1\",\"coverage\":{{\"complete\":true}},\"findings\":[{}]}}",
            finding(&id, "2024-01-05T11:00:00Z")
        );
        let mut subjects = Subjects::new();
        assert_eq!(add_report(&mut subjects, whole.as_bytes()), Ok(()));
        assert_eq!(add_report(&mut subjects, lines.as_bytes()), Ok(()));
        let (_, subject) = subjects.first_key_value().expect("a key");
        assert_eq!((subject.places.len(), subject.fingerprints.len()), (2, 2));
        assert_eq!(subject.introduced, date::moment("2024-01-05T10:00:00Z"));
    }

    #[test]
    fn what_is_wrong_with_a_report_is_said() {
        let id = ["AKIA", "RZPUZDIKGB2VALC6"].concat();
        for (text, flaw) in [
            (finding(&id, "x"), Flaw::CutShort),
            ("{\"schema\":\"keysieve-report/1\",\"coverage\":{\"complete\":false},\"findings\":[]}".to_owned(), Flaw::Incomplete),
            ("{\"schema\":\"other/1\"}".to_owned(), Flaw::NotOne),
            ("[]".to_owned(), Flaw::NotOne),
            (finding(&id, "x").replace("\"places\"", "\"secret_key\":\"s\",\"places\""), Flaw::Secrets),
        ] {
            assert_eq!(add_report(&mut Subjects::new(), text.as_bytes()), Err(flaw), "{text}");
        }
    }
}
