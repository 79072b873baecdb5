//! Rows: a finding, its places and their commits laid flat, under the names of `docs/report-schema.md`.
//!
//! JSON and JSON Lines write a row as it is, the other formats pick from it, so that a new field has one place to be
//! added. None of them reads a finding itself.

mod words;

use std::borrow::Cow;

use bstr::ByteSlice as _;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::Options;
use crate::commit::{CommitInfo, Departure};
use crate::finding::{Acceptance, AwsRule, Finding, Place, Position, SnippetLine};
use crate::level::Level;
use crate::provenance::{ObjectKind, Step};
use crate::secret::Secret;
use crate::text::base64::STANDARD as BASE64;

/// A finding.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    pub(super) rule: &'a str,
    #[serde(serialize_with = "name_of")]
    pub(super) level: Level,
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
    /// The secret as people see it, and the session token; only with `--show-secrets`.
    #[serde(skip)]
    pub(super) shown_secret: Option<Cow<'a, str>>,
    #[serde(skip)]
    pub(super) shown_token: Option<Cow<'a, str>>,
    /// Bytes of the session token.
    #[serde(skip)]
    pub(super) token_length: Option<usize>,
    /// It counts towards the exit status.
    #[serde(skip)]
    pub(super) fails: bool,
    /// `HEAD` has it, at any of its places.
    #[serde(skip)]
    pub(super) in_head: bool,
    /// The commit with which the last of its places left the history of `HEAD`.
    #[serde(skip)]
    pub(super) left: Option<DepartureRow<'a>>,
}

/// Reason why a finding does not count.
#[derive(Serialize)]
pub(super) struct AcceptedRow<'a> {
    pub(super) kind: &'static str,
    pub(super) reason: &'a str,
}

/// Values that only `--show-secrets` writes. A secret that is not UTF-8 is given in base64 under another name, so that
/// nobody uses a damaged one.
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
    pub(super) inside: Vec<StepRow<'a>>,
    #[serde(flatten, serialize_with = "whole_spot")]
    pub(super) position: Position,
    #[serde(flatten, serialize_with = "key_id_spot")]
    pub(super) key_id: Option<Position>,
    #[serde(flatten, serialize_with = "secret_spot")]
    secret: Option<Position>,
    #[serde(flatten, serialize_with = "token_spot")]
    pub(super) token: Option<Position>,
    #[serde(skip_serializing_if = "Option::is_none")]
    possible_secret_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    possible_secret_column: Option<usize>,
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
    pub(super) submodule: Option<Cow<'a, str>>,
    pub(super) snippet: Vec<SnippetRow<'a>>,
    /// It has the secret, if the finding has one.
    #[serde(skip)]
    pub(super) is_whole: bool,
    /// Laid flat here; for its paths.
    #[serde(skip)]
    place: &'a Place,
}

/// One step into a container.
#[derive(Serialize)]
pub(super) struct StepRow<'a> {
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
            name_base64: exact(&step.name),
            state: step.part.state(),
        }
    }
}

/// Makes the functions that write a part's position, each under names that begin with the part's.
macro_rules! spots {
    ($($name:ident $prefix:literal)*) => {
        $(fn $name<S: Serializer>(
            at: &(impl Copy + Into<Option<Position>>),
            to: S,
        ) -> Result<S::Ok, S::Error> {
            spot($prefix, (*at).into(), to)
        })*
    };
}

spots!(whole_spot "" key_id_spot "key_id_" secret_spot "secret_" token_spot "token_");

fn spot<S: Serializer>(prefix: &str, at: Option<Position>, to: S) -> Result<S::Ok, S::Error> {
    let Some(at) = at else {
        return to.serialize_none();
    };
    let mut map = to.serialize_map(None)?;
    for (name, number) in [
        ("line", at.line),
        ("column", at.column),
        ("end_line", at.end_line),
        ("end_column", at.end_column),
        ("offset", at.offset),
        ("length", at.length),
    ] {
        map.serialize_entry(&format!("{prefix}{name}"), &number)?;
    }
    map.end()
}

fn name_of<S: Serializer>(level: &Level, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(level.name())
}

/// Returns bytes that are not UTF-8 in base64: their text is damaged.
pub(super) fn exact(bytes: &[u8]) -> Option<String> {
    bytes.to_str().is_err().then(|| BASE64.encode(bytes))
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
    pub(super) more_refs: Option<usize>,
    pub(super) held_by: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boundary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) left: Option<DepartureRow<'a>>,
    /// Parents come before children.
    #[serde(skip)]
    pub(super) rank: u32,
    /// Seconds since the epoch.
    #[serde(skip)]
    pub(super) time: i64,
}

/// The commit with which a place left the history of `HEAD`.
#[derive(Serialize)]
pub(super) struct DepartureRow<'a> {
    pub(super) commit: String,
    pub(super) author: &'a str,
    pub(super) date: &'a str,
    pub(super) subject: &'a str,
    /// Seconds since the epoch.
    #[serde(skip)]
    pub(super) time: i64,
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
    pub(super) fn new(finding: &'a Finding, options: &Options) -> Self {
        let shown = |secret: &'a Option<Secret>| {
            let secret = secret.as_ref().filter(|_| options.show_secrets);
            secret.map(|secret| secret.expose().to_str_lossy())
        };
        let places = finding.places.iter();
        Self {
            rule: &finding.rule,
            level: finding.level,
            fingerprint: finding.fingerprint.as_str(),
            message: &finding.message,
            advice: &finding.advice,
            key_id: finding.key_id.as_deref(),
            account_id: finding.account_id.as_deref(),
            context: finding.context.as_deref(),
            reasons: &finding.reasons,
            notes: finding.notes(),
            accepted: finding.accepted.as_ref().map(AcceptedRow::from),
            secrets: match options.show_secrets {
                true => Secrets::of(finding),
                false => Secrets::default(),
            },
            places: places
                .map(|place| PlaceRow::new(place, finding.is_whole_at(place)))
                .collect(),
            shown_secret: shown(&finding.secret),
            shown_token: shown(&finding.session_token),
            token_length: finding.session_token.as_ref().map(Secret::len),
            fails: finding.fails(options.fail_on),
            in_head: finding.is_in_head(),
            left: finding.departure().map(DepartureRow::from),
        }
    }

    /// Returns the secret, if it is to be shown and is not UTF-8.
    pub(super) fn secret_base64(&self) -> Option<&str> {
        self.secrets.secret_base64.as_deref()
    }

    /// Returns the place that leads.
    pub(super) fn first_place(&self) -> &PlaceRow<'a> {
        self.places
            .first()
            .expect("a finding has at least one place")
    }

    /// Returns the known commits of its places, without those of its key ID alone.
    pub(super) fn commits(&self) -> impl Iterator<Item = &CommitRow<'a>> {
        let whole = self.places.iter().filter(|place| place.is_whole);
        whole.filter_map(|place| place.commit.as_ref())
    }

    /// Returns those of the notes that name the line of what may be the secret.
    pub(super) fn hints(&self) -> &[String] {
        self.notes.get(self.reasons.len()..).unwrap_or_default()
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

impl<'a> PlaceRow<'a> {
    /// Lays `place` flat; `is_whole` as the finding has it.
    pub(super) fn new(place: &'a Place, is_whole: bool) -> Self {
        let (blob, object) = match place.object {
            Some((ObjectKind::Blob, id)) => (Some(id.to_string()), None),
            Some((kind, id)) => (None, Some((kind.name(), id.to_string()))),
            None => (None, None),
        };
        let (object_kind, object) = object.unzip();
        Self {
            path: place.path.to_str_lossy(),
            path_base64: exact(&place.path),
            inside: place.inside.iter().map(StepRow::from).collect(),
            position: place.position,
            key_id: place.key_id,
            secret: place.secret,
            token: place.token,
            possible_secret_line: place.possible.map(|possible| possible.line),
            possible_secret_column: place.possible.map(|possible| possible.column),
            blob,
            object,
            object_kind,
            commit: place.commit.as_ref().map(CommitRow::from),
            marker: place.marker.as_deref(),
            submodule: place.submodule.as_ref().map(|path| path.to_str_lossy()),
            snippet: place.snippet.iter().map(SnippetRow::from).collect(),
            is_whole,
            place,
        }
    }

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
            rank: commit.rank,
            time: commit.time,
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
            time: left.time,
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

    fn written(finding: &Finding, show_secrets: bool) -> Value {
        let options = Options {
            show_secrets,
            ..Options::default()
        };
        serde_json::to_value(Row::new(finding, &options)).expect("JSON")
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
