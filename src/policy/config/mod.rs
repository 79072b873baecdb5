//! Configuration: as a person writes it ([`file`](mod@file)), and where it is looked for ([`discover`]).
//!
//! The room is handed names and texts; whether they come from the disk, an index or a commit is not known here.
//! A configuration that comes with a repository may choose what counts and may name rule files inside the
//! repository. It can run nothing, write nothing and read nothing outside.

pub mod discover;
pub mod file;

use std::fmt;

use crate::coverage::SkipReason;
use crate::level::Level;
use crate::text::document::Fault;

pub use file::ConfigFile;

/// A setting and its line in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// 1-based.
    pub line: usize,
}

/// The least level that makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// From this level on.
    Level(Level),
    /// Nothing found fails.
    Never,
}

impl FailOn {
    /// The name used in options and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Level(level) => level.name(),
            Self::Never => "never",
        }
    }

    /// Returns the threshold of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "never" => Some(Self::Never),
            _ => Level::from_name(name).map(Self::Level),
        }
    }
}

/// The reasons that a person can answer for; a signal and a defect are not among them.
pub fn acceptable_reasons() -> impl Iterator<Item = SkipReason> {
    SkipReason::ALL.iter().copied().filter(|reason| {
        reason.is_incomplete() && !matches!(reason, SkipReason::Interrupted | SkipReason::Internal)
    })
}

/// Bytes, with an optional K, M or G of 1024.
pub fn parse_size(text: &str) -> Option<u64> {
    let (digits, shift) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (&text[..at], 10),
        (at, 'm' | 'M') => (&text[..at], 20),
        (at, 'g' | 'G') => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(1 << shift)
}

/// Everything that is wrong with a configuration.
#[derive(Debug)]
pub struct Error(pub Vec<Fault>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "fault" } else { "faults" };
        write!(f, "{count} {noun} in configuration, rules or baseline")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n{fault}"))
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(parse_size("10M"), Some(10 << 20));
        assert_eq!(parse_size("7"), Some(7));
        for wrong in ["", "K", "1T", "-1", "99999999999G"] {
            assert_eq!(parse_size(wrong), None, "{wrong}");
        }
    }
}
