//! Findings, one per secret with all its places, and the stages on their way into a report.
//!
//! A stage is a type, and each is made of the one before it, by value:
//!
//! ```text
//! Scanned ─► Located (paths and commits are known) ─► Judged (accepted or not) ─► Redacted ─► report
//! ```
//!
//! So findings cannot be judged before their paths are known, paths cannot be compared after they were redacted, and
//! nothing that was not redacted can be written.

mod across;
mod aws_rule;
mod fingerprint;
mod merge;
#[cfg(test)]
pub(crate) mod sample;
mod stage;

use std::borrow::Cow;

use bstr::{BStr, BString};
use gix::ObjectId;

use crate::commit::{CommitInfo, Departure};
use crate::level::Level;
use crate::provenance::{ObjectKind, Step, with_steps};
use crate::secret::Secret;

pub use across::{LONE_ID, MAX_HALVES};
pub use aws_rule::AwsRule;
pub use fingerprint::Fingerprint;
pub(crate) use merge::merge;
pub use stage::{Judged, Located, OldFindings, Redacted, Scanned, Summary, UnusedMarker};

/// For how many places of a lone key ID the line of what may be its secret is named.
const MOST_HINTS: usize = 5;

/// One secret, or one key id without its secret, with all its places.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: String,
    /// Severity.
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
    /// Kind of place: `boto3 call`, `Terraform provider`, ...
    pub context: Option<String>,
    /// Reasons for a level lower than the rule's, and other remarks; without any secret.
    pub reasons: Vec<String>,
    /// Every place of it; never empty. Places with the secret come before places with the key ID alone. Among each, the
    /// one introduced first leads, then path and position decide.
    pub places: Vec<Place>,
    /// Reason why it does not count; `None` if it counts.
    pub accepted: Option<Acceptance>,
}

/// Reason why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Every place of it carries an allow marker; the text is the reason written there.
    Marker(String),
    /// An allowlist of the configuration names it; the text is the reason written there.
    Allowlist(String),
    /// The baseline has it; the text is the reason written there.
    Baseline(String),
}

impl Acceptance {
    /// Returns the name that reports have for it: `marker`, `allowlist` or `baseline`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Marker(_) => "marker",
            Self::Allowlist(_) => "allowlist",
            Self::Baseline(_) => "baseline",
        }
    }

    /// Returns the reason that was written there.
    pub fn reason(&self) -> &str {
        let (Self::Marker(reason) | Self::Allowlist(reason) | Self::Baseline(reason)) = self;
        reason
    }
}

impl Finding {
    /// Returns true if the finding fails a run that fails from `threshold` on; `None`: nothing does.
    pub fn fails(&self, threshold: Option<Level>) -> bool {
        self.accepted.is_none() && threshold.is_some_and(|threshold| self.level >= threshold)
    }

    /// Returns what else is known, as text: the reasons, and [`Self::hints`].
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.reasons.clone();
        notes.extend(self.hints());
        notes
    }

    /// Returns for each place of a key ID without a secret the line of what may be its secret, as text; of the first
    /// [`MOST_HINTS`] places.
    pub fn hints(&self) -> Vec<String> {
        let lone = self.places.iter().filter(|_| self.secret.is_none());
        let line = |place: &Place| Some((place.shown_path().to_string(), place.possible?.line));
        let says = "may hold its secret, under a name that does not say so";
        let hint = |(path, line): (String, usize)| match self.places.len() {
            1 => format!("line {line} {says}"),
            _ => format!("{path}:{line} {says}"),
        };
        lone.filter_map(line).map(hint).take(MOST_HINTS).collect()
    }

    /// Returns the identity of the secret alone, whichever key ID or rule goes with it.
    ///
    /// `None` without a secret, and for one so short that a person may have chosen it: the same word elsewhere is not
    /// the same secret.
    pub fn secret_identity(&self) -> Option<Fingerprint> {
        self.secret.as_ref().and_then(Fingerprint::of_secret)
    }

    /// Returns the place that leads: the first.
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

    /// Returns true if `HEAD` has it, at any of its places that history knows.
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
}

/// Place of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path as the source knows it; for an object whose path is not known yet, its id.
    pub path: BString,
    /// The way into containers, outermost first, if what holds it is not the file itself; lines and offsets are
    /// those of what lies innermost.
    pub inside: Vec<Step>,
    /// The secret where it is there, else the key ID, else the session token.
    pub position: Position,
    /// The key ID, if it is there.
    pub key_id: Option<Position>,
    /// The secret, if it is there.
    pub secret: Option<Position>,
    /// The session token, if it is there.
    pub token: Option<Position>,
    /// A value that may be the secret of a key ID that has none, and could as well be another's.
    pub possible: Option<Position>,
    /// The path below the root of the repository or of what was scanned, whatever was typed; `None` outside of it, and
    /// until the finding is located.
    pub file: Option<BString>,
    /// The object that holds it, for what was read from Git.
    pub object: Option<(ObjectKind, ObjectId)>,
    /// The commit that brought it in, once it was looked up.
    pub commit: Option<CommitInfo>,
    /// The text around it, with every secret cut out.
    pub snippet: Vec<SnippetLine>,
    /// The reason given by an allow marker that covers this place.
    pub marker: Option<String>,
    /// The path of the submodule that it was found in, below the root; then path and file begin with it, and object and
    /// commit are those of its repository.
    pub submodule: Option<BString>,
}

impl Place {
    /// Returns the positions of all its parts.
    pub fn parts(&self) -> impl Iterator<Item = Position> {
        let parts = [Some(self.position), self.key_id, self.secret, self.token];
        parts.into_iter().flatten()
    }

    /// Returns the path below the root; `None` for a message, and for an object that no tree names.
    pub fn path_below_root(&self) -> Option<&BStr> {
        let has_path = match &self.object {
            Some((ObjectKind::Blob, id)) => self.path != id.to_string(),
            Some((ObjectKind::Commit | ObjectKind::Tag, _)) => false,
            None => true,
        };
        self.file
            .as_ref()
            .filter(|_| has_path)
            .map(|file| file.as_ref())
    }

    /// Returns the path, and the way into containers behind it: `path!member!member`.
    pub fn shown_path(&self) -> Cow<'_, BStr> {
        match self.inside.as_slice() {
            [] => Cow::Borrowed(self.path.as_ref()),
            steps => Cow::Owned(with_steps(self.path.clone(), steps)),
        }
    }

    /// Returns the paths that patterns are held against: the file's below the root, and inside containers the name of
    /// each part and all of them together.
    pub fn files(&self) -> impl Iterator<Item = Cow<'_, BStr>> {
        self.files_from(0)
    }

    /// Returns the same for the patterns of a folder, whose path with the slash behind it has `length` bytes.
    pub fn files_from(&self, length: usize) -> impl Iterator<Item = Cow<'_, BStr>> {
        let file = self.file.as_ref().and_then(|file| file.get(length..));
        let file = file.map(BStr::new);
        let whole = file.filter(|_| !self.inside.is_empty());
        let whole = whole.map(|file| Cow::Owned(with_steps(file.to_owned(), &self.inside)));
        let names = self.inside.iter().map(|step| step.name.as_ref());
        let names = names.filter(|name: &&BStr| !name.is_empty());
        let file = file.map(Cow::Borrowed);
        file.into_iter()
            .chain(whole)
            .chain(names.map(Cow::Borrowed))
    }
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
    /// Position of the match of this line in `text`, in bytes; `None` on lines of context.
    pub mark: Option<(usize, usize)>,
}
