//! Rows: a finding, its places and their commits laid flat, under the names of `docs/report-schema.md`.
//!
//! JSON and JSON Lines write a row as it is, CSV and HTML read it, so that a new field has one place to be added.

use std::borrow::Cow;

use bstr::ByteSlice as _;
use serde::Serialize;

use crate::commit::{CommitInfo, Departure};
use crate::finding::{Acceptance, AwsRule, Finding, Place, Position, SnippetLine};
use crate::provenance::{ObjectKind, Step};
use crate::secret::Secret;
use crate::text::base64::STANDARD as BASE64;

/// A finding.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    pub(super) rule: &'a str,
    pub(super) level: &'static str,
    pub(super) fingerprint: &'a str,
    pub(super) message: &'a str,
    pub(super) advice: &'a str,
    pub(super) key_id: Option<&'a str>,
    pub(super) account_id: Option<&'a str>,
    pub(super) context: Option<&'a str>,
    pub(super) reasons: &'a [String],
    /// The reasons, and the lines of what may be the secret.
    #[serde(skip)]
    pub(super) notes: Vec<String>,
    pub(super) accepted: Option<AcceptedRow<'a>>,
    #[serde(flatten)]
    secrets: Secrets,
    pub(super) places: Vec<PlaceRow<'a>>,
    /// Laid flat here; for the sentences that formats for people share.
    #[serde(skip)]
    pub(super) finding: &'a Finding,
}

/// Why a finding does not count.
#[derive(Serialize)]
pub(super) struct AcceptedRow<'a> {
    pub(super) kind: &'static str,
    pub(super) reason: &'a str,
}

/// What only `--show-secrets` writes. A secret that is not UTF-8 is given in base64 under another name,
/// so that nobody uses a damaged one.
#[derive(Default, Serialize)]
struct Secrets {
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_base64: Option<String>,
}

/// A place of a finding.
#[derive(Serialize)]
pub(super) struct PlaceRow<'a> {
    pub(super) path: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_base64: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inside: Vec<StepRow<'a>>,
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
    pub(super) offset: usize,
    length: usize,
    #[serde(flatten)]
    key_id: Option<KeyIdSpot>,
    #[serde(flatten)]
    secret: Option<SecretSpot>,
    #[serde(flatten)]
    token: Option<TokenSpot>,
    #[serde(flatten)]
    possible: Option<PossibleSpot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_kind: Option<&'static str>,
    #[serde(flatten)]
    pub(super) commit: Option<CommitRow<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    submodule: Option<Cow<'a, str>>,
    pub(super) snippet: Vec<SnippetRow<'a>>,
    /// Laid flat here.
    #[serde(skip)]
    pub(super) place: &'a Place,
}

/// One step into a container.
#[derive(Serialize)]
struct StepRow<'a> {
    kind: &'static str,
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
}

impl<'a> From<&'a Step> for StepRow<'a> {
    fn from(step: &'a Step) -> Self {
        Self {
            kind: step.kind,
            name: step.name.to_str_lossy(),
            name_base64: step
                .name
                .to_str()
                .is_err()
                .then(|| BASE64.encode(&step.name)),
            state: step.part.state(),
        }
    }
}

/// Makes the type of a part's position, whose names begin with the part's.
macro_rules! spot {
    ($name:ident: $line:ident $column:ident $end_line:ident $end_column:ident $offset:ident $length:ident) => {
        #[derive(Serialize)]
        struct $name {
            $line: usize,
            $column: usize,
            $end_line: usize,
            $end_column: usize,
            $offset: usize,
            $length: usize,
        }

        impl From<Position> for $name {
            fn from(position: Position) -> Self {
                Self {
                    $line: position.line,
                    $column: position.column,
                    $end_line: position.end_line,
                    $end_column: position.end_column,
                    $offset: position.offset,
                    $length: position.length,
                }
            }
        }
    };
}

spot!(KeyIdSpot: key_id_line key_id_column key_id_end_line key_id_end_column key_id_offset key_id_length);
spot!(SecretSpot: secret_line secret_column secret_end_line secret_end_column secret_offset secret_length);
spot!(TokenSpot: token_line token_column token_end_line token_end_column token_offset token_length);

/// Where what may be the secret of a lone key ID stands.
#[derive(Serialize)]
struct PossibleSpot {
    possible_secret_line: usize,
    possible_secret_column: usize,
}

impl From<Position> for PossibleSpot {
    fn from(position: Position) -> Self {
        Self {
            possible_secret_line: position.line,
            possible_secret_column: position.column,
        }
    }
}

/// The commit that brought a place in.
#[derive(Serialize)]
pub(super) struct CommitRow<'a> {
    pub(super) commit: String,
    pub(super) author: &'a str,
    pub(super) date: &'a str,
    pub(super) subject: &'a str,
    pub(super) in_head: bool,
    pub(super) refs: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    more_refs: Option<usize>,
    pub(super) held_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    boundary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left: Option<DepartureRow<'a>>,
    /// Laid flat here.
    #[serde(skip)]
    pub(super) info: &'a CommitInfo,
}

/// The commit with which a place left the history of `HEAD`.
#[derive(Serialize)]
pub(super) struct DepartureRow<'a> {
    pub(super) commit: String,
    author: &'a str,
    pub(super) date: &'a str,
    subject: &'a str,
}

/// A line of a snippet.
#[derive(Serialize)]
pub(super) struct SnippetRow<'a> {
    pub(super) line: usize,
    pub(super) text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<(usize, usize)>,
}

impl<'a> Row<'a> {
    /// Lays `finding` flat.
    pub(super) fn new(finding: &'a Finding, show_secrets: bool) -> Self {
        Self {
            rule: &finding.rule,
            level: finding.level.name(),
            fingerprint: finding.fingerprint.as_str(),
            message: &finding.message,
            advice: &finding.advice,
            key_id: finding.key_id.as_deref(),
            account_id: finding.account_id.as_deref(),
            context: finding.context.as_deref(),
            reasons: &finding.reasons,
            notes: finding.notes(),
            accepted: finding.accepted.as_ref().map(AcceptedRow::from),
            secrets: match show_secrets {
                true => Secrets::of(finding),
                false => Secrets::default(),
            },
            places: finding.places.iter().map(PlaceRow::from).collect(),
            finding,
        }
    }
}

impl Row<'_> {
    /// Returns the place that leads.
    pub(super) fn first_place(&self) -> &PlaceRow<'_> {
        self.places
            .first()
            .expect("a finding has at least one place")
    }
}

impl AcceptedRow<'_> {
    /// Returns the kind with its article.
    pub(super) fn by(&self) -> String {
        match self.kind {
            "marker" => "a marker".to_owned(),
            "allowlist" => "an allowlist".to_owned(),
            kind => format!("the {kind}"),
        }
    }
}

impl<'a> From<&'a Acceptance> for AcceptedRow<'a> {
    fn from(acceptance: &'a Acceptance) -> Self {
        Self {
            kind: acceptance.kind(),
            reason: acceptance.reason(),
        }
    }
}

impl Secrets {
    fn of(finding: &Finding) -> Self {
        let mut secrets = Self {
            session_token: finding.session_token.as_ref().and_then(text_of),
            ..Self::default()
        };
        let Some(secret) = &finding.secret else {
            return secrets;
        };
        match text_of(secret) {
            None => secrets.secret_base64 = Some(BASE64.encode(secret.expose())),
            Some(text) if is_aws_secret_key(finding) => secrets.secret_key = Some(text),
            Some(text) => secrets.secret = Some(text),
        }
        secrets
    }
}

/// Returns true for a secret access key of AWS, rather than another rule's secret.
fn is_aws_secret_key(finding: &Finding) -> bool {
    match AwsRule::of_id(&finding.rule) {
        Some(rule) => finding.key_id.is_some() || rule == AwsRule::SecretAccessKey,
        None => false,
    }
}

fn text_of(secret: &Secret) -> Option<String> {
    String::from_utf8(secret.expose().to_vec()).ok()
}

impl<'a> From<&'a Place> for PlaceRow<'a> {
    fn from(place: &'a Place) -> Self {
        let position = place.position;
        let (blob, object) = match place.object {
            Some((ObjectKind::Blob, id)) => (Some(id.to_string()), None),
            Some((kind, id)) => (None, Some((kind.name(), id.to_string()))),
            None => (None, None),
        };
        let (object_kind, object) = object.unzip();
        Self {
            path: place.path.to_str_lossy(),
            path_base64: place
                .path
                .to_str()
                .is_err()
                .then(|| BASE64.encode(&place.path)),
            inside: place.inside.iter().map(StepRow::from).collect(),
            line: position.line,
            column: position.column,
            end_line: position.end_line,
            end_column: position.end_column,
            offset: position.offset,
            length: position.length,
            key_id: place.key_id.map(KeyIdSpot::from),
            secret: place.secret.map(SecretSpot::from),
            token: place.token.map(TokenSpot::from),
            possible: place.possible.map(PossibleSpot::from),
            blob,
            object,
            object_kind,
            commit: place.commit.as_ref().map(CommitRow::from),
            marker: place.marker.as_deref(),
            submodule: place.submodule.as_ref().map(|path| path.to_str_lossy()),
            snippet: place.snippet.iter().map(SnippetRow::from).collect(),
            place,
        }
    }
}

impl PlaceRow<'_> {
    /// Returns kind and ID of the object that holds the place, whatever the kind.
    pub(super) fn held_in(&self) -> Option<(&'static str, &str)> {
        let blob = self.blob.as_deref().map(|id| (ObjectKind::Blob.name(), id));
        blob.or(self.object_kind.zip(self.object.as_deref()))
    }
}

impl<'a> From<&'a CommitInfo> for CommitRow<'a> {
    fn from(commit: &'a CommitInfo) -> Self {
        Self {
            commit: commit.commit_id.to_string(),
            author: &commit.author,
            date: &commit.date,
            subject: &commit.subject,
            in_head: commit.in_head,
            refs: &commit.refs,
            more_refs: (commit.more_refs > 0).then_some(commit.more_refs),
            held_by: &commit.held_by,
            boundary: commit.is_boundary.then_some(true),
            left: commit.left.as_ref().map(DepartureRow::from),
            info: commit,
        }
    }
}

impl<'a> From<&'a Departure> for DepartureRow<'a> {
    fn from(left: &'a Departure) -> Self {
        Self {
            commit: left.commit_id.to_string(),
            author: &left.author,
            date: &left.date,
            subject: &left.subject,
        }
    }
}

impl<'a> From<&'a SnippetLine> for SnippetRow<'a> {
    fn from(line: &'a SnippetLine) -> Self {
        Self {
            line: line.number,
            text: &line.text,
            mark: line.mark,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::sample::{finding, secret};
    use super::*;
    use crate::level::Level;

    fn written(finding: &Finding, show_secrets: bool) -> Value {
        serde_json::to_value(Row::new(finding, show_secrets)).expect("JSON")
    }

    #[test]
    fn a_place_has_all_that_is_known_of_its_commit_and_of_its_parts() {
        let mut found = finding(2, Level::Error, "a");
        let commit = found.places[0].commit.as_mut().expect("a commit");
        (commit.more_refs, commit.is_boundary) = (3, true);
        let (commit, left) = (commit.clone(), commit.left.clone().expect("it left"));
        let place = &written(&found, false)["places"][0];
        assert_eq!(place["commit"], commit.commit_id.to_string());
        assert_eq!(place["author"], commit.author);
        assert_eq!(place["more_refs"], 3);
        assert_eq!(place["boundary"], true);
        assert_eq!(place["left"]["commit"], left.commit_id.to_string());
        assert_eq!(place["left"]["date"], left.date);
        for (part, line, offset) in [("key_id", 40, 1000), ("secret", 41, 1060)] {
            assert_eq!(place[format!("{part}_line")], line);
            assert_eq!(place[format!("{part}_offset")], offset);
        }
        let other = &written(&finding(1, Level::Error, "a"), false)["places"][0];
        for absent in ["more_refs", "boundary", "left", "token_line"] {
            assert_eq!(other.get(absent), None, "{absent}");
        }
    }

    #[test]
    fn a_secret_has_the_name_of_its_kind_and_is_there_only_if_it_is_asked_for() {
        const NAMES: [&str; 3] = ["secret", "secret_key", "secret_base64"];
        let mut found = finding(1, Level::Error, "a");
        let named = |found: &Finding, show_secrets| {
            let row = written(found, show_secrets);
            let there = NAMES.map(|name| row.get(name).and_then(Value::as_str).map(str::to_owned));
            there
                .into_iter()
                .zip(NAMES)
                .find_map(|(text, name)| Some((name, text?)))
        };
        assert_eq!(named(&found, false), None);
        found.rule = "another-rule".to_owned();
        assert_eq!(named(&found, true), Some(("secret", secret(1))));
        found.rule = AwsRule::AccessKeyPair.id().to_owned();
        assert_eq!(named(&found, true), Some(("secret_key", secret(1))));
        found.secret = Some(Secret::new(b"\xff"));
        assert_eq!(
            named(&found, true),
            Some(("secret_base64", "/w==".to_owned()))
        );
    }
}
