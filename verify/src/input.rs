//! Keys to ask about: key IDs, and findings of reports.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use keysieve::finding::AwsRule;
use keysieve::secret::Secret;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// The longest report that is read, in bytes.
const MAX_REPORT: u64 = 1 << 30;

/// The schema of the reports that are understood.
const SCHEMA: &str = "keysieve-report/1";

/// Everything that was named on the command line.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// In the order in which they were named.
    pub(crate) findings: Vec<Found>,
    /// Number of findings that are not key pairs of AWS.
    pub(crate) others: usize,
    /// Rules of findings that are credentials of AWS which cannot be asked about, by number.
    pub(crate) silent: BTreeMap<String, usize>,
    /// Faults of the reports that could be read all the same.
    pub(crate) flaws: Vec<String>,
}

/// A key as it was named or found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The access key ID; none if the secret was found alone.
    pub(crate) id: Option<String>,
    /// The rule that found it, and the finding's fingerprint.
    pub(crate) finding: Option<(String, String)>,
    /// The secret, if a pipe brought it.
    pub(crate) secret_key: Option<Secret>,
    /// The session token, likewise.
    pub(crate) session_token: Option<Secret>,
    /// Its places, as far as they can be read again.
    pub(crate) places: Vec<Place>,
    /// True if its secret was looked for at its places and is not there any more.
    pub(crate) is_lost: bool,
}

/// Place of a finding.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Place {
    /// The path, lossy if it is not UTF-8.
    pub(crate) path: String,
    /// The bytes of such a path.
    #[serde(default)]
    pub(crate) path_base64: Option<String>,
    /// The way into the containers there, the outermost first.
    #[serde(default)]
    pub(crate) inside: Vec<Step>,
    /// 1-based.
    pub(crate) line: usize,
    /// The blob, for what was read from Git.
    #[serde(default)]
    pub(crate) blob: Option<String>,
    /// The commit or tag, likewise.
    #[serde(default)]
    pub(crate) object: Option<String>,
}

/// A step into a container.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
pub(crate) struct Step {
    /// The name of the member; empty where a container holds but one thing without a name.
    name: String,
}

impl Place {
    /// For people: path, members and line.
    pub(crate) fn show(&self) -> String {
        let names = self.inside.iter().map(|step| &step.name);
        let names: String = names
            .filter(|name| !name.is_empty())
            .map(|name| format!("!{name}"))
            .collect();
        format!("{}{names}:{}", self.path, self.line)
    }
}

/// The last line of a report, or the whole of one that is one document.
#[derive(Deserialize)]
struct ReportJson {
    #[serde(default)]
    findings: Vec<Value>,
    #[serde(default)]
    summary: Option<SummaryJson>,
    #[serde(default)]
    coverage: Option<CoverageJson>,
}

/// Number of findings, listed or not.
#[derive(Deserialize)]
struct SummaryJson {
    errors: usize,
    warnings: usize,
    accepted: usize,
}

#[derive(Deserialize)]
struct CoverageJson {
    #[serde(default)]
    complete: Option<bool>,
}

#[derive(Deserialize)]
struct FindingJson {
    rule: String,
    fingerprint: String,
    key_id: Option<String>,
    #[serde(default)]
    secret_key: Option<String>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    secret_base64: Option<String>,
    #[serde(default)]
    session_token: Option<String>,
    #[serde(default)]
    level: Option<String>,
    #[serde(default)]
    accepted: Option<Value>,
    #[serde(default)]
    places: Vec<Place>,
}

impl FindingJson {
    /// Returns true for a finding that is always listed; notes are so only if they are asked for.
    fn is_counted(&self) -> bool {
        self.accepted.is_some() || self.level.as_deref() != Some("note")
    }
}

/// Returns true for an ID as AWS's own models allow them: emulators make some that are not base32.
pub(crate) fn is_key_id(text: &str) -> bool {
    (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && (16..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Reads everything that was named.
pub(crate) fn load(subjects: &[impl AsRef<OsStr>]) -> Result<Input, Failure> {
    let mut input = Input::default();
    for (number, subject) in subjects.iter().enumerate() {
        let subject = subject.as_ref();
        let path = Path::new(subject);
        if subject == "-" {
            let stdin = std::io::stdin();
            let is_file = is_file(&stdin);
            let mut bytes = Vec::new();
            let read = stdin.lock().take(MAX_REPORT + 1).read_to_end(&mut bytes);
            read.map_err(|error| Failure::new("cannot read standard input").because(error))?;
            add_report(&mut input, "standard input", &bytes, is_file)?;
        } else if path.exists() {
            let fail =
                |error| Failure::new(format!("cannot read {}", path.display())).because(error);
            let file = File::open(path).map_err(fail)?;
            let is_file = file.metadata().map_err(fail)?.is_file();
            let mut bytes = Vec::new();
            file.take(MAX_REPORT + 1)
                .read_to_end(&mut bytes)
                .map_err(fail)?;
            add_report(&mut input, &path.display().to_string(), &bytes, is_file)?;
        } else {
            match subject.to_str().filter(|text| is_key_id(text)) {
                Some(id) => input.findings.push(Found {
                    id: Some(id.to_owned()),
                    finding: None,
                    secret_key: None,
                    session_token: None,
                    places: Vec::new(),
                    is_lost: false,
                }),
                None => return Err(no_such(number + 1, subject)),
            }
        }
    }
    Ok(input)
}

/// Returns the failure for an argument of no known kind. What was typed may be a secret: only text that looks like a
/// file's name is repeated.
fn no_such(number: usize, subject: &OsStr) -> Failure {
    let name = subject.to_string_lossy();
    let what = match name.ends_with(".json") || name.ends_with(".jsonl") {
        true => format!("there is no file {name}"),
        false => format!("argument {number} is neither a file nor an access key ID"),
    };
    Failure::new(what).hint(
        "name a report (keysieve scan --report json=report.json), an ID that begins with AKIA or ASIA, or -",
    )
}

#[cfg(unix)]
fn is_file(stdin: &std::io::Stdin) -> bool {
    use std::os::fd::AsFd as _;
    let copy = stdin.as_fd().try_clone_to_owned().map(File::from);
    copy.and_then(|file| file.metadata())
        .is_ok_and(|found| found.is_file())
}

#[cfg(windows)]
fn is_file(stdin: &std::io::Stdin) -> bool {
    use std::os::windows::io::AsHandle as _;
    let copy = stdin.as_handle().try_clone_to_owned().map(File::from);
    copy.and_then(|file| file.metadata())
        .is_ok_and(|found| found.is_file())
}

/// Takes in a report: one document, or lines.
fn add_report(input: &mut Input, name: &str, bytes: &[u8], is_file: bool) -> Result<(), Failure> {
    let not_one = |what: &str| {
        Failure::new(format!("{name} is no report of keysieve: {what}"))
            .hint("write one with keysieve scan --report json=report.json, or --format jsonl")
    };
    if bytes.len() as u64 > MAX_REPORT {
        return Err(not_one("it is longer than 1 GiB"));
    }
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let mut findings = Vec::new();
    // Findings before this one are those of a report whose end was read.
    let mut ended = 0;
    let (mut has_end, mut is_complete, mut is_counted) = (false, true, true);
    while let Some(value) = values.next() {
        let Ok(value) = value else {
            // The position, not the text: that may hold a secret.
            let at = values.byte_offset();
            return Err(not_one(&format!(
                "at byte {at} is something that is not JSON"
            )));
        };
        let lacking = |_not_shown| not_one("a finding lacks what every finding has");
        let Some(object) = value.as_object() else {
            return Err(not_one("it holds something that is not an object"));
        };
        if !object.contains_key("schema") {
            findings.push(FindingJson::deserialize(value).map_err(lacking)?);
            continue;
        }
        if object.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
            return Err(not_one(&format!("its schema is not {SCHEMA}")));
        }
        let end = ReportJson::deserialize(value);
        let end = end.map_err(|_not_shown| not_one("its end lacks what every end has"))?;
        for value in end.findings {
            findings.push(FindingJson::deserialize(value).map_err(lacking)?);
        }
        let counted = end.summary.map(|it| it.errors + it.warnings + it.accepted);
        let listed = findings[ended..].iter().filter(|it| it.is_counted());
        is_counted &= counted == Some(listed.count());
        is_complete &= end.coverage.and_then(|it| it.complete) == Some(true);
        ended = findings.len();
        has_end = true;
    }
    if !has_end && findings.is_empty() {
        return Err(not_one("it is empty"));
    }
    let is_cut = !has_end || ended < findings.len();
    for (is_so, flaw) in [
        (is_cut, "was cut short: its last line is missing"),
        (!is_complete, "is of a scan that did not read everything"),
        (
            !is_counted,
            "has not as many findings as its summary counts",
        ),
    ] {
        if is_so {
            input.flaws.push(format!("{name} {flaw}"));
        }
    }
    for finding in findings {
        let has_secret = finding.secret_key.is_some()
            || finding.secret.is_some()
            || finding.secret_base64.is_some()
            || finding.session_token.is_some();
        if has_secret && is_file {
            return Err(Failure::new(format!("{name} is a file with secrets in it, which is refused"))
                .hint("take them through a pipe: keysieve scan --show-secrets --format jsonl | keysieve-verify --with-found-secret -")
                .hint("or write the report without --show-secrets; the secrets are then read again where they were found")
                .hint("delete the file"));
        }
        add_finding(input, finding);
    }
    Ok(())
}

fn add_finding(input: &mut Input, finding: FindingJson) {
    let id = finding.key_id.filter(|id| is_key_id(id));
    let rule = AwsRule::of_id(&finding.rule);
    let is_half = matches!(rule, Some(AwsRule::SecretAccessKey | AwsRule::SessionToken));
    if id.is_none() && !is_half {
        match finding.rule.starts_with("aws-") && finding.accepted.is_none() {
            true => *input.silent.entry(finding.rule).or_default() += 1,
            false => input.others += 1,
        }
        return;
    }
    // A password for SMTP is made from a secret and signs nothing.
    let signs = rule != Some(AwsRule::SesSmtpPassword);
    let secret = |text: Option<String>| {
        let text = text.filter(|_| signs)?;
        Some(Secret::new(text.as_bytes()))
    };
    input.findings.push(Found {
        id,
        finding: Some((finding.rule, finding.fingerprint)),
        secret_key: secret(finding.secret_key),
        session_token: secret(finding.session_token),
        places: finding.places,
        is_lost: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_as_the_models_of_aws_allow_them() {
        for (text, is_one) in [
            (["AKIA", "RZPUZDIKGB2VALC6"].concat(), true),
            // Emulators' are not base32.
            (["AKIA", "FB051A4E81903C7D"].concat(), true),
            (["AIDA", "RZPUZDIKGB2VALC6"].concat(), false),
            (["AKIA", "rzpuzdikgb2valc6"].concat(), false),
            (["AKIA", "SHORT"].concat(), false),
            ("report.json".to_owned(), false),
        ] {
            assert_eq!(is_key_id(&text), is_one, "{text}");
        }
    }
}
