//! What the scan found: one finding per secret, with every place where it stands.

#[cfg(test)]
pub(crate) mod sample;

use std::fmt;

use bstr::BString;
use gix::ObjectId;
use sha2::{Digest, Sha256};

pub use crate::commit::{CommitInfo, Departure};
use crate::provenance::ObjectKind;
use crate::secret::Secret;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Documentation examples, emulator keys, canaries: listed on request only.
    Note,
    /// Points at a leak without being one.
    Warning,
    /// A person would rotate this.
    Error,
}

impl Level {
    /// The name used in reports and options.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Note, Self::Warning, Self::Error]
            .into_iter()
            .find(|level| level.name() == name)
    }
}

/// Stable identity of a finding: content, never position.
///
/// `ks1:` and the first 32 hex digits of SHA-256 over the length-prefixed rule id, key id (empty if
/// there is none) and decoded secret. The prefix changes if the recipe does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes the fingerprint. Lengths are 8-byte little-endian numbers before each part.
    pub fn new(rule_id: &str, key_id: Option<&str>, secret: Option<&Secret>) -> Self {
        let mut hasher = Sha256::new();
        for part in [
            rule_id.as_bytes(),
            key_id.unwrap_or_default().as_bytes(),
            secret.map(Secret::expose).unwrap_or_default(),
        ] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let digest = hasher.finalize();
        let hex: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self(format!("ks1:{hex}"))
    }

    /// Reads a fingerprint as [`Self::as_str`] gives it; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix("ks1:")?;
        let is_hex = hex.len() == 32
            && hex
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| Self(text.to_owned()))
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rule about AWS credentials: code decides for it, and findings of it join each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AwsRule {
    /// A long-term key ID with its secret.
    AccessKeyPair,
    /// A temporary key ID with its secret.
    TemporaryCredentials,
    /// A secret without its ID.
    SecretAccessKey,
    /// A key ID without its secret.
    AccessKeyId,
    /// A session token without key ID and secret.
    SessionToken,
    /// A key ID in a presigned URL.
    PresignedUrl,
    /// An SMTP password of SES, which is made from a secret, with its key ID.
    SesSmtpPassword,
}

impl AwsRule {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::AccessKeyPair,
        Self::TemporaryCredentials,
        Self::SecretAccessKey,
        Self::AccessKeyId,
        Self::SessionToken,
        Self::PresignedUrl,
        Self::SesSmtpPassword,
    ];

    /// The id of the rule, in rule files, findings and baselines.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AccessKeyPair => "aws-access-key-pair",
            Self::TemporaryCredentials => "aws-temporary-credentials",
            Self::SecretAccessKey => "aws-secret-access-key",
            Self::AccessKeyId => "aws-access-key-id",
            Self::SessionToken => "aws-session-token",
            Self::PresignedUrl => "aws-presigned-url",
            Self::SesSmtpPassword => "aws-ses-smtp-password",
        }
    }

    /// The rule with this id, if it is one about AWS credentials.
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }
}

/// One secret, or one key id without its secret, with all its places.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: String,
    /// How much it weighs.
    pub level: Level,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// One sentence for a person; holds no secret.
    pub message: String,
    /// One line of what to do.
    pub advice: String,
    /// The access key id or the public half of another vendor's pair. Not secret.
    pub key_id: Option<String>,
    /// The 12-digit AWS account that issued the key id, decoded offline.
    pub account_id: Option<String>,
    /// The secret, decoded to what a client would use.
    pub secret: Option<Secret>,
    /// The session token, likewise.
    pub session_token: Option<Secret>,
    /// What kind of place it is: `boto3 call`, `Terraform provider`, ...
    pub context: Option<String>,
    /// Why the level is lower than the rule's, or what else is known; holds no secret.
    pub reasons: Vec<String>,
    /// Every place of it; never empty. Places with the secret come before places with the key ID alone. Among each, the
    /// one introduced first leads, then path and position decide.
    pub places: Vec<Place>,
    /// Why it does not count, if it does not.
    pub accepted: Option<Acceptance>,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Every place of it carries an allow marker; the text is the reason written there.
    Marker(String),
    /// An allowlist of the configuration names it; the text is the reason written there.
    Allowlist(String),
    /// The baseline has it; the text is the reason written there.
    Baseline(String),
}

impl Finding {
    /// The place that stands for the finding: the first.
    pub fn first_place(&self) -> &Place {
        self.places
            .first()
            .expect("a finding has at least one place")
    }

    /// Returns true for a place of the secret, and for every place of a finding that has no secret.
    ///
    /// A pair's key ID may appear elsewhere without its secret: such a place is listed, but decides nothing.
    pub fn is_whole_at(&self, place: &Place) -> bool {
        self.secret.is_none() || place.secret.is_some()
    }

    /// Whether `HEAD` has it, at any of its places that history knows.
    pub fn is_in_head(&self) -> bool {
        self.commits().any(|commit| commit.in_head)
    }

    /// The commit with which the last of its places left the history of `HEAD`; none while `HEAD` has one.
    pub fn departure(&self) -> Option<&Departure> {
        let departures = self.commits().filter_map(|commit| commit.left.as_ref());
        let last = departures.max_by_key(|departure| departure.rank);
        last.filter(|_| !self.is_in_head())
    }

    /// The known commits of its places. Commits with the key ID alone are left out.
    pub fn commits(&self) -> impl Iterator<Item = &CommitInfo> {
        let whole = self.places.iter().filter(|place| self.is_whole_at(place));
        whole.filter_map(|place| place.commit.as_ref())
    }

    /// Merges the findings that are one secret, sorts them and their places.
    ///
    /// The order is path, line, column, rule, fingerprint: the same for any number of threads.
    pub fn merge(findings: Vec<Finding>) -> Vec<Finding> {
        let mut by_fingerprint: std::collections::BTreeMap<Fingerprint, Finding> =
            std::collections::BTreeMap::new();
        let mut findings = findings;
        for finding in &mut findings {
            finding.places.sort();
        }
        findings.sort_by(|a, b| a.places.cmp(&b.places));
        for finding in findings {
            match by_fingerprint.entry(finding.fingerprint.clone()) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(finding);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let kept = entry.get_mut();
                    kept.level = kept.level.max(finding.level);
                    if kept.session_token.is_none() {
                        kept.session_token = finding.session_token;
                    }
                    if kept.context.is_none() {
                        kept.context = finding.context;
                    }
                    for reason in finding.reasons {
                        if !kept.reasons.contains(&reason) {
                            kept.reasons.push(reason);
                        }
                    }
                    kept.places.extend(finding.places);
                }
            }
        }
        let mut merged: Vec<Finding> = by_fingerprint.into_values().collect();
        for finding in &mut merged {
            finding.places.sort();
            finding.places.dedup();
            let has_secret = finding.secret.is_some();
            finding
                .places
                .sort_by_key(|place| (has_secret && place.secret.is_none(), introduced(place)));
            finding.reasons.sort();
        }
        merged.sort_by(|a, b| {
            (&a.places, &a.rule, &a.fingerprint).cmp(&(&b.places, &b.rule, &b.fingerprint))
        });
        merged
    }
}

/// When a place came in: what history knows goes before what is in no commit, the earliest first.
fn introduced(place: &Place) -> (bool, Option<u32>) {
    let rank = place.commit.as_ref().map(|commit| commit.rank);
    (rank.is_none(), rank)
}

/// Where a finding stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path as the source knows it; for an object whose path is not known yet, its id.
    pub path: BString,
    /// The key id, or the secret where there is no key id.
    pub position: Position,
    /// The secret, if there is one.
    pub secret: Option<Position>,
    /// The session token, if there is one.
    pub token: Option<Position>,
    /// The object that holds it, for what was read from Git.
    pub object: Option<(ObjectKind, ObjectId)>,
    /// The commit that brought it in, once it was looked up.
    pub commit: Option<CommitInfo>,
    /// The text around it, with every secret cut out.
    pub snippet: Vec<SnippetLine>,
    /// The reason given by an allow marker that covers this place.
    pub marker: Option<String>,
}

/// A span of text, for people and for editors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// First byte, 0-based.
    pub offset: usize,
    /// Bytes in the original text.
    pub length: usize,
    /// Line of the first byte, 1-based.
    pub line: usize,
    /// Column of the first byte, 1-based, in code points (in bytes where the line is not UTF-8).
    pub column: usize,
    /// Line of the last byte, 1-based.
    pub end_line: usize,
    /// Column just after the last byte.
    pub end_column: usize,
}

/// One line of the text around a place, with every secret cut out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SnippetLine {
    /// 1-based.
    pub number: usize,
    /// The redacted text; not yet escaped for a terminal.
    pub text: String,
    /// Where in `text` the match of this line stands, in bytes; `None` on lines of context.
    pub mark: Option<(usize, usize)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_fingerprint_do_not_run_together() {
        let a = Fingerprint::new("rule", Some("ab"), Some(&Secret::new(b"c")));
        let b = Fingerprint::new("rule", Some("a"), Some(&Secret::new(b"bc")));
        assert_ne!(a, b);
        assert_eq!(Fingerprint::parse(a.as_str()), Some(a));
        assert_eq!(Fingerprint::parse("ks1:xyz"), None);
    }
}
