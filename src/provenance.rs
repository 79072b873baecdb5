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
