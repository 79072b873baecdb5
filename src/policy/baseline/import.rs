//! Accepted findings of other tools, matched against the findings of a scan.
//!
//! Those tools accept positions or hashes; what comes out of an import is content: the fingerprints of the
//! findings that were matched.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use serde::Deserialize;

use crate::finding::{Finding, Place, Position};
use crate::secret::Secret;
use crate::text::document::Fault;

/// Findings that another tool had accepted.
#[derive(Clone, Debug)]
pub struct Import {
    /// Name of the file's kind: `.gitleaksignore`, ...
    pub kind: &'static str,
    spots: Vec<Spot>,
    hashes: Vec<(String, String)>,
}

/// A position that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spot {
    commit: Option<ObjectId>,
    path: BString,
    first: usize,
    last: usize,
    secret: Option<Secret>,
}

/// The findings that an import accepts.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// Index of each finding that is accepted.
    pub findings: BTreeSet<usize>,
    /// Number of the import's entries that matched no finding.
    pub unmatched: usize,
    /// Number of those that name a commit, which only a scan of the history can match.
    pub unmatched_commits: usize,
}

impl Import {
    /// The same from bytes: UTF-8 with or without a mark, or UTF-16 with one, as programs on Windows write it.
    pub fn parse_bytes(name: &str, bytes: &[u8]) -> Result<Self, Vec<Fault>> {
        let text = decoded(bytes).ok_or_else(|| {
            vec![Fault {
                file: name.to_owned(),
                line: 1,
                key: String::new(),
                message: "neither UTF-8 nor UTF-16".to_owned(),
            }]
        })?;
        Self::parse(name, &text)
    }

    /// Reads a `.gitleaksignore`, a JSON report of gitleaks, or a baseline of detect-secrets: which it is, its
    /// text tells.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        match text.trim_start().as_bytes().first() {
            Some(b'[') => parse_report(name, text),
            Some(b'{') => parse_detect_secrets(name, text),
            _ => parse_ignore_file(name, text),
        }
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.spots.len() + self.hashes.len()
    }

    /// Returns true if there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The reason that entries of the baseline are given.
    pub fn reason(&self) -> String {
        format!("imported from {}", self.kind)
    }

    /// Holds the entries against findings.
    pub fn matched(&self, findings: &[Finding]) -> Matched {
        let mut matched = Matched::default();
        for spot in &self.spots {
            let covered: Vec<usize> = (0..findings.len())
                .filter(|at| findings.get(*at).is_some_and(|it| spot.covers(it)))
                .collect();
            if covered.is_empty() {
                matched.unmatched += 1;
                matched.unmatched_commits += usize::from(spot.commit.is_some());
            }
            matched.findings.extend(covered);
        }
        let hashes: Vec<[Option<String>; 2]> = match self.hashes.is_empty() {
            true => Vec::new(),
            false => findings.iter().map(hashes_of).collect(),
        };
        for (_, hash) in &self.hashes {
            let covered: Vec<usize> = hashes
                .iter()
                .enumerate()
                .filter(|(_, own)| own.iter().flatten().any(|own| own == hash))
                .map(|(at, _)| at)
                .collect();
            matched.unmatched += usize::from(covered.is_empty());
            matched.findings.extend(covered);
        }
        matched
    }
}

impl Spot {
    /// Returns true if it is about this path, which programs on Windows write with `\\`.
    fn names(&self, path: &BStr) -> bool {
        self.path == path || self.path.contains(&b'\\') && self.path.replace("\\", "/") == *path
    }

    fn covers(&self, finding: &Finding) -> bool {
        if let Some(secret) = &self.secret {
            // The report says what it found: another secret at the place is another finding.
            let is_same = |own: &Secret| own == secret;
            let is_key_id = |id: &String| id.as_bytes() == secret.expose();
            if !finding.secret.as_ref().is_some_and(is_same)
                && !finding.key_id.as_ref().is_some_and(is_key_id)
            {
                return false;
            }
        }
        finding.places.iter().any(|place| self.is_at(place))
    }

    fn is_at(&self, place: &Place) -> bool {
        let is_commit = match (&self.commit, &place.commit) {
            (None, _) => true,
            (Some(wanted), Some(found)) => *wanted == found.commit_id,
            (Some(_), None) => false,
        };
        let overlaps =
            |position: Position| position.line <= self.last && position.end_line >= self.first;
        is_commit && self.names(plain(place.path.as_ref())) && place.parts().any(overlaps)
    }
}

/// The text of a file that begins with a mark of its encoding, or is UTF-8; `None` if it is neither.
fn decoded(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
        String::from_utf16(&units).ok().filter(|_| rest.is_empty())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        bytes => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// A path without `./` before it.
fn plain(path: &BStr) -> &BStr {
    path.strip_prefix(b"./").map_or(path, |rest| rest.as_bstr())
}

/// SHA-1 of the secret and of the key id: which of them another tool took for the secret is not known.
fn hashes_of(finding: &Finding) -> [Option<String>; 2] {
    let hash = |bytes: &[u8]| {
        let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
        hasher.update(bytes);
        // Bytes made to collide are no secret of anybody: not matched.
        hasher.try_finalize().ok().map(|id| id.to_string())
    };
    [
        finding.secret.as_ref().and_then(|it| hash(it.expose())),
        finding.key_id.as_ref().and_then(|it| hash(it.as_bytes())),
    ]
}

/// `[COMMIT:]FILE:RULE:LINE`, one a line.
fn parse_ignore_file(name: &str, text: &str) -> Result<Import, Vec<Fault>> {
    let mut spots = Vec::new();
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match ignore_line(line) {
            Some(spot) => spots.push(spot),
            None => faults.push(Fault {
                file: name.to_owned(),
                line: number + 1,
                key: String::new(),
                message: "should be [COMMIT:]FILE:RULE:LINE".to_owned(),
            }),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Import {
        kind: ".gitleaksignore",
        spots,
        hashes: Vec::new(),
    })
}

fn ignore_line(line: &str) -> Option<Spot> {
    let (rest, number) = line.rsplit_once(':')?;
    let number: usize = number.parse().ok()?;
    let (rest, _rule) = rest.rsplit_once(':')?;
    let (commit, path) = match rest.split_once(':') {
        Some((commit, path)) => match ObjectId::from_hex(commit.as_bytes()) {
            Ok(id) => (Some(id), path),
            Err(_) => (None, rest),
        },
        None => (None, rest),
    };
    (!path.is_empty()).then(|| Spot {
        commit,
        path: plain(path.into()).to_owned(),
        first: number,
        last: number,
        secret: None,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReportEntry {
    file: String,
    start_line: usize,
    #[serde(default)]
    end_line: usize,
    #[serde(default)]
    commit: String,
    #[serde(default)]
    secret: String,
}

/// The JSON report of gitleaks and betterleaks.
fn parse_report(name: &str, text: &str) -> Result<Import, Vec<Fault>> {
    let entries: Vec<ReportEntry> =
        serde_json::from_str(text).map_err(|error| vec![json_fault(name, &error)])?;
    let spot = |entry: ReportEntry| Spot {
        commit: ObjectId::from_hex(entry.commit.as_bytes()).ok(),
        path: plain(entry.file.as_str().into()).to_owned(),
        first: entry.start_line,
        last: entry.end_line.max(entry.start_line),
        // `--redact` leaves a part and dots, or the word.
        secret: Some(entry.secret)
            .filter(|text| !text.is_empty() && !text.contains("REDACTED") && !text.ends_with("..."))
            .map(|text| Secret::new(text.as_bytes())),
    };
    Ok(Import {
        kind: "a gitleaks report",
        spots: entries.into_iter().map(spot).collect(),
        hashes: Vec::new(),
    })
}

#[derive(Deserialize)]
struct DetectSecrets {
    results: std::collections::BTreeMap<String, Vec<DetectSecretsEntry>>,
}

#[derive(Deserialize)]
struct DetectSecretsEntry {
    hashed_secret: String,
}

/// The baseline of detect-secrets: SHA-1 of each secret.
fn parse_detect_secrets(name: &str, text: &str) -> Result<Import, Vec<Fault>> {
    let read: DetectSecrets =
        serde_json::from_str(text).map_err(|error| vec![json_fault(name, &error)])?;
    let mut hashes: Vec<(String, String)> = read
        .results
        .into_iter()
        .flat_map(|(file, entries)| {
            let hash = |entry: DetectSecretsEntry| entry.hashed_secret.to_ascii_lowercase();
            entries
                .into_iter()
                .map(move |entry| (file.clone(), hash(entry)))
        })
        .collect();
    hashes.sort();
    hashes.dedup();
    Ok(Import {
        kind: "a detect-secrets baseline",
        spots: Vec::new(),
        hashes,
    })
}

fn json_fault(name: &str, error: &serde_json::Error) -> Fault {
    // What serde_json says may repeat a value of the file, and values here are secrets.
    let what = match error.classify() {
        serde_json::error::Category::Syntax | serde_json::error::Category::Eof => "not JSON",
        _ => "neither a gitleaks report nor a detect-secrets baseline",
    };
    Fault {
        file: name.to_owned(),
        line: error.line().max(1),
        key: String::new(),
        message: what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::finding;
    use super::*;

    fn matched(text: &str, findings: &[Finding]) -> Vec<usize> {
        let import = Import::parse("f", text).unwrap();
        import.matched(findings).findings.into_iter().collect()
    }

    #[test]
    fn lines_of_a_gitleaksignore() {
        let findings = [
            finding("r", "one", "a/b:c.py", 7),
            finding("r", "two", "./d", 7),
        ];
        assert_eq!(matched("# c\n\na/b:c.py:aws:7\n", &findings), [0]);
        assert_eq!(matched("d:aws:7\n", &findings), [1]);
        assert!(matched("d:aws:8\n", &findings).is_empty());
        let commit = "0123456789".repeat(4);
        let import = Import::parse("f", &format!("{commit}:d:aws:7\n")).unwrap();
        let result = import.matched(&findings);
        assert_eq!((result.unmatched, result.unmatched_commits), (1, 1));
        let faults = Import::parse("f", "d:aws:x\nnothing\n").unwrap_err();
        assert_eq!(faults.len(), 2);
    }

    #[test]
    fn entries_of_a_report_match_by_place_and_secret() {
        let findings = [finding("r", "one", "a", 3), finding("r", "two", "a", 3)];
        let text =
            r#"[{"RuleID":"x","File":"a","StartLine":2,"EndLine":3,"Secret":"two","Commit":""}]"#;
        assert_eq!(matched(text, &findings), [1]);
        assert_eq!(matched(&text.replace("two", "REDACTED"), &findings), [0, 1]);
        assert_eq!(Import::parse("f", "[{\"a\": ").unwrap_err().len(), 1);
    }

    #[test]
    fn hashes_match_wherever_the_secret_stands() {
        let findings = [finding("r", "one", "a", 3), finding("r", "abc", "moved", 9)];
        let text = r#"{"version":"1.5.0","results":{"old.py":[{"type":"AWS","hashed_secret":"A9993E364706816ABA3E25717850C26C9CD0D89D","line_number":1}]}}"#;
        assert_eq!(matched(text, &findings), [1]);
    }

    #[test]
    fn a_fault_does_not_repeat_what_stands_there() {
        let faults = Import::parse("f", r#"[{"File": 5, "Secret": "hunter2"}]"#).unwrap_err();
        assert!(!faults[0].to_string().contains('5'), "{}", faults[0]);
    }
}
