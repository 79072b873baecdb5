//! Why a source could not do its work at all. One thing that could not be read is a `Skip`, not an error.

use std::fmt;

/// Why a source could not do its work at all.
#[derive(Debug)]
pub enum Error {
    /// A glob that was asked to exclude paths cannot be understood.
    Glob {
        /// As it was written.
        glob: String,
        /// What is wrong with it.
        source: ignore::Error,
    },
    /// A worker thread panicked, so that nobody knows what it left unread.
    Worker,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob { glob, .. } => write!(f, "cannot use {glob:?} to exclude paths"),
            Self::Worker => write!(f, "a worker failed, the scan is not complete"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Glob { source, .. } => Some(source),
            Self::Worker => None,
        }
    }
}
