//! Where a blob came from.

use bstr::BString;
use gix::ObjectId;

/// Where a blob came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provenance {
    /// A file on disk. The path is as a person would type it: below the root that was named, with `/`.
    File {
        /// Path bytes as the system gave them.
        path: BString,
    },
    /// Standard input, under the name that the caller gave it.
    Stdin {
        /// What `--path` said, or `<stdin>`.
        path: BString,
    },
    /// A blob that the index or a tree names at a path.
    Entry {
        /// Path below the root of the repository.
        path: BString,
        /// The blob.
        blob_id: ObjectId,
        /// Whether this is what the next commit would record, or what it replaces.
        version: Version,
    },
    /// An object of the object database. Who added it and at which path is looked up afterwards,
    /// and only for objects that have findings.
    Object {
        /// Whether it is a blob or the message of a commit or tag.
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
    /// Where the outermost container came from; never [`Provenance::Inside`] itself.
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
    /// Which part of the container it is.
    pub part: StepPart,
}

/// Which part of a container a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StepPart {
    /// A member that the container lists, or its only content.
    Member,
    /// A member that is there and that the container's directory does not list.
    Unlisted,
    /// What is no member: a comment, a header, bytes behind the end.
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
    /// What was read itself: for something inside a container the outermost one.
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

    /// Whether it is what a change replaces: its secrets are known already.
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

/// A path and the way into containers as people read it: `path!member!member`. Parts that are no members stand
/// in brackets; the content of a gzip file and its kind has no name and no part in it.
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

/// Which side of a change a blob is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// What the next commit would record: findings count.
    New,
    /// What it replaces or removes: its secrets are known already.
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

/// What kind of object was scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// File content.
    Blob,
    /// A commit: the whole object is scanned, the message being the part that people write.
    Commit,
    /// An annotated tag, likewise.
    Tag,
}
