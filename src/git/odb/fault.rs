//! Reasons why an object, or a store of objects, could not be read.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use gix::ObjectId;

use crate::coverage::{Skip, SkipReason};
use crate::git::error::sentence;

/// An object that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// Its name.
    pub(crate) id: ObjectId,
    /// The reason.
    pub(crate) fault: Fault,
}

impl Failure {
    /// Converts the failure to a skip for the report.
    pub(crate) fn into_skip(self) -> Skip {
        self.fault.into_skip(self.id.to_string())
    }
}

/// Reason why an object, or the store that should have it, could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// It has so many bytes, or an object that it is built on has; the limit is smaller.
    Size(u64),
    /// Its file cannot be opened or read.
    Unreadable(String),
    /// It is damaged, or its base is.
    Corrupt(String),
    /// Its file was listed and is gone.
    Changed(String),
    /// No store has it, and something names it.
    Missing,
    /// The same in a clone that left objects on the server.
    Partial,
}

impl Fault {
    /// The fault of a file that could not be opened or read.
    pub(crate) fn of_file(error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Changed(error.to_string()),
            _ => Self::Unreadable(error.to_string()),
        }
    }

    /// The fault of a file that gix could not make sense of.
    pub(crate) fn of_format(error: &gix::Error) -> Self {
        Self::Corrupt(sentence(error))
    }

    /// The same with the file that it is about.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        let at = |why: String| format!("{}: {why}", path.display());
        match self {
            Self::Unreadable(why) => Self::Unreadable(at(why)),
            Self::Corrupt(why) => Self::Corrupt(at(why)),
            Self::Changed(why) => Self::Changed(at(why)),
            Self::Size(_) | Self::Missing | Self::Partial => self,
        }
    }

    /// The reason to report.
    pub fn reason(&self) -> SkipReason {
        match self {
            Self::Size(_) => SkipReason::Size,
            Self::Unreadable(_) => SkipReason::Unreadable,
            Self::Corrupt(_) => SkipReason::Corrupt,
            Self::Changed(_) => SkipReason::Changed,
            Self::Missing => SkipReason::Missing,
            Self::Partial => SkipReason::Partial,
        }
    }

    /// Returns the details beyond the reason.
    pub fn detail(&self) -> Cow<'_, str> {
        match self {
            Self::Size(size) => {
                format!("it, or an object that it is built on, has {size} bytes").into()
            }
            Self::Unreadable(why) | Self::Corrupt(why) | Self::Changed(why) => why.into(),
            Self::Missing => "not in the object database".into(),
            Self::Partial => "left on the server".into(),
        }
    }

    /// Converts the fault to a skip of `subject`.
    pub(crate) fn into_skip(self, subject: impl Into<bstr::BString>) -> Skip {
        match self {
            // The reason says it all.
            Self::Missing | Self::Partial => Skip::new(self.reason(), subject),
            _ => Skip::with_detail(self.reason(), subject, self.detail()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail())
    }
}

impl std::error::Error for Fault {}

impl From<&'static str> for Fault {
    fn from(why: &'static str) -> Self {
        Self::Corrupt(why.to_owned())
    }
}
