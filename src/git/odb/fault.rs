//! Why an object could not be read.

use gix::ObjectId;

use crate::coverage::{Skip, SkipReason};

/// An object that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// Which.
    pub(crate) id: ObjectId,
    /// Why.
    pub(crate) fault: Fault,
}

impl Failure {
    /// What to report.
    pub(crate) fn into_skip(self) -> Skip {
        let Self { id, fault } = self;
        Skip::with_detail(fault.reason(), id.to_string(), fault.detail())
    }
}

/// Why an object could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It is larger than the limit, or its base is.
    Size,
    /// Its file cannot be opened or read.
    Unreadable(String),
    /// It is damaged, or its base is.
    Corrupt(String),
}

impl Fault {
    /// The reason to report.
    pub(crate) fn reason(&self) -> SkipReason {
        match self {
            Self::Size => SkipReason::Size,
            Self::Unreadable(_) => SkipReason::Unreadable,
            Self::Corrupt(_) => SkipReason::Corrupt,
        }
    }

    /// What to say about it.
    pub(crate) fn detail(&self) -> &str {
        match self {
            Self::Size => "the object, or one that it is built on, is larger than the limit",
            Self::Unreadable(why) | Self::Corrupt(why) => why,
        }
    }
}

impl From<&'static str> for Fault {
    fn from(why: &'static str) -> Self {
        Self::Corrupt(why.to_owned())
    }
}
