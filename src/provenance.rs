//! The source of a blob.

use bstr::BString;
use gix::ObjectId;

/// The source of a blob.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provenance {
    /// A file on disk. The path is as a person would type it: below the root that was named, with `/`.
    File {
        /// Path bytes as the system gave them.
        path: BString,
    },
    /// Standard input, under the name that the caller gave it.
    Stdin {
        /// The value of `--path`, or `<stdin>`.
        path: BString,
    },
    /// A blob that the index or a tree names at a path.
    Entry {
        /// Path below the root of the repository.
        path: BString,
        /// The blob.
        blob_id: ObjectId,
        /// The side of the change: the content of the next commit, or what it replaces.
        version: Version,
    },
    /// An object of the object database. Who added it and at which path is looked up afterwards,
    /// and only for objects that have findings.
    Object {
        /// The kind of object: a blob, or the message of a commit or tag.
        kind: ObjectKind,
        /// The object.
        id: ObjectId,
    },
    /// Something inside a container: a member, or a part of the container that is no member.
    Inside(Inside),
}

/// A place inside containers that lie in each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inside {
    /// The source of the outermost container; never [`Provenance::Inside`] itself.
    pub outer: Box<Provenance>,
    /// The way in, outermost first; never empty.
    pub steps: Vec<Step>,
}

/// One step into a container.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step {
    /// Format of the container: `zip`, `tar`, `gzip`, …
    pub kind: &'static str,
    /// The name of the part as the container has it; empty for what has none, as the content of a gzip file.
    pub name: BString,
    /// The part of the container that the step leads to.
    pub part: StepPart,
}

/// Part of a container that a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepPart {
    /// A member that the container lists, or its only content.
    Member,
    /// A member that is there and that the container's directory does not list.
    Unlisted,
    /// Bytes outside all members: a comment, a header, a tail behind the end.
    Rest,
}

impl StepPart {
    /// The name used in reports; `None` for members.
    pub fn state(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Unlisted => Some("unlisted"),
            Self::Rest => Some("rest"),
        }
    }
}

impl Provenance {
    /// Returns the source that was read itself: for something inside a container the outermost one.
    pub fn outer(&self) -> &Self {
        match self {
            Self::Inside(inside) => &inside.outer,
            other => other,
        }
    }

    /// The way into containers, outermost first; empty for what lies in none.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Inside(inside) => &inside.steps,
            _ => &[],
        }
    }

    /// The path of what was read, if the source knows it; for something inside a container the path of the
    /// outermost one.
    pub fn path(&self) -> Option<&BString> {
        match self.outer() {
            Self::File { path } | Self::Stdin { path } | Self::Entry { path, .. } => Some(path),
            Self::Object { .. } | Self::Inside(_) => None,
        }
    }

    /// Returns true for content that a change replaces: its secrets are known already.
    pub fn is_old(&self) -> bool {
        matches!(
            self.outer(),
            Self::Entry {
                version: Version::Old,
                ..
            }
        )
    }

    /// A name for people: the path, or the object's id, and the way into containers.
    pub fn shown(&self) -> BString {
        let outer = match self.outer() {
            Self::Object { id, .. } => BString::from(id.to_string()),
            other => other.path().cloned().unwrap_or_default(),
        };
        with_steps(outer, self.steps())
    }
}

/// Formats a path and the way into containers for people: `path!member!member`. Parts outside members are in brackets;
/// the content of a gzip file and its kind has no name and adds nothing.
pub fn with_steps(mut path: BString, steps: &[Step]) -> BString {
    for step in steps.iter().filter(|step| !step.name.is_empty()) {
        let (open, close): (&[u8], &[u8]) = match step.part {
            StepPart::Rest => (b"!(", b")"),
            StepPart::Member | StepPart::Unlisted => (b"!", b""),
        };
        path.extend_from_slice(open);
        path.extend_from_slice(&step.name);
        path.extend_from_slice(close);
    }
    path
}

/// The side of a change that a blob is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// Content of the next commit: findings count.
    New,
    /// Content that is replaced or removed: its secrets are known already.
    Old,
}

impl ObjectKind {
    /// Returns the name that Git has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Commit => "commit",
            Self::Tag => "tag",
        }
    }
}

/// Kind of a scanned object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// File content.
    Blob,
    /// A commit: the whole object is scanned, the message being the part that people write.
    Commit,
    /// An annotated tag, likewise.
    Tag,
}
