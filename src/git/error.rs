//! Errors in reading a repository.

use std::fmt;
use std::io;
use std::path::PathBuf;

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;

/// Reason why a repository could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Neither the path nor a directory above it belongs to a repository.
    NotFound {
        /// Start of the search.
        path: PathBuf,
    },
    /// Something that should be, or lead to, a repository is not and does not.
    Invalid {
        /// The directory or file.
        path: PathBuf,
    },
    /// A file or directory of the repository could not be read.
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// The configuration of the repository could not be understood.
    Config {
        /// The configuration file.
        path: PathBuf,
        /// Error of the reader.
        source: gix::Error,
    },
    /// The repository has a format that this program does not know.
    Unsupported {
        /// The Git directory.
        path: PathBuf,
        /// The unknown format or extension.
        what: String,
    },
    /// The list of alternates could not be understood.
    Alternates {
        /// The list.
        path: PathBuf,
        /// Error of the reader.
        source: gix::Error,
    },
    /// A reference could not be resolved.
    Reference {
        /// Its name.
        name: BString,
        /// The fault, in words.
        detail: String,
    },
    /// A reference, or all that are packed, could not be read.
    References {
        /// The fault, in words.
        detail: String,
    },
    /// An object that everything else depends on could not be read.
    Object {
        /// The object.
        id: ObjectId,
        /// Kind of object that was expected.
        kind: Kind,
        /// The fault, in words.
        detail: String,
    },
    /// The index could not be read.
    Index {
        /// The index file.
        path: PathBuf,
        /// The fault, in words.
        detail: String,
    },
    /// gix could not open the repository.
    Open {
        /// The Git directory.
        path: PathBuf,
        /// Error of the reader.
        source: gix::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { path } => {
                write!(f, "`{}` is not inside a Git repository", path.display())
            }
            Self::Invalid { path } => write!(
                f,
                "`{}` is not a Git repository and does not lead to one",
                path.display()
            ),
            Self::Unreadable { path, .. } => write!(f, "cannot read `{}`", path.display()),
            Self::Config { path, .. } => {
                write!(
                    f,
                    "cannot understand the configuration `{}`",
                    path.display()
                )
            }
            Self::Unsupported { path, what } => write!(
                f,
                "the repository `{}` uses {what}, which this program does not support",
                path.display()
            ),
            Self::Alternates { path, .. } => {
                write!(f, "cannot understand the alternates `{}`", path.display())
            }
            Self::Reference { name, detail } => {
                write!(f, "cannot resolve the reference `{name}`: {detail}")
            }
            Self::References { detail } => write!(f, "cannot read a reference: {detail}"),
            Self::Object { id, kind, detail } => {
                write!(f, "cannot read the {kind} {id}: {detail}")
            }
            Self::Index { path, detail } => {
                write!(f, "cannot read the index `{}`: {detail}", path.display())
            }
            Self::Open { path, .. } => {
                write!(f, "cannot open the repository `{}`", path.display())
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::Config { source, .. }
            | Self::Alternates { source, .. }
            | Self::Open { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The whole chain of a gix error in one line: its own `Display` names the outermost link only.
pub(crate) fn sentence(error: &gix::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
