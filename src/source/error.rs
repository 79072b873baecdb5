//! Errors of a source that could not do its work at all. One thing that could not be read is a `Skip`, not an error.

use std::fmt;

use crate::git::repository;

/// Reason why a source could not do its work at all.
#[derive(Debug)]
pub enum Error {
    /// A glob that was asked to exclude paths cannot be understood.
    Glob {
        /// As it was written.
        glob: String,
        /// The fault of the glob.
        source: ignore::Error,
    },
    /// A repository could not be opened, or not be read enough to begin.
    Repository(repository::Error),
    /// A worker thread panicked, so that nobody knows what it left unread.
    Worker,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob { glob, .. } => write!(f, "cannot use {glob:?} to exclude paths"),
            Self::Repository(error) => error.fmt(f),
            Self::Worker => write!(f, "a worker failed, the scan is not complete"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Glob { source, .. } => Some(source),
            Self::Repository(error) => error.source(),
            Self::Worker => None,
        }
    }
}

impl From<repository::Error> for Error {
    fn from(error: repository::Error) -> Self {
        Self::Repository(error)
    }
}
