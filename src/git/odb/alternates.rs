//! Groups of object directories: those that are named, and their alternates.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use crate::content::read_regular;
use crate::coverage::{Skip, SkipReason};
use crate::git::discover::{is_absent, path_from_bytes};
use crate::git::error::sentence;
use crate::git::path_bytes;

/// Number of directories that may be named one by the other. Git follows no list that is further away.
const MAX_NESTED: usize = 5;

/// Object directories, and why there may be others.
#[derive(Debug, Default)]
pub(crate) struct ObjectDirs {
    /// Those that exist, each once, what is nearer first.
    pub(crate) dirs: Vec<PathBuf>,
    /// Those that are not there, and lists of alternates that were not followed.
    pub(crate) faults: Vec<Fault>,
}

/// An object directory, or a list of them, that was not followed.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) path: PathBuf,
    pub(crate) why: Why,
}

/// Reason why a directory or list was not followed.
#[derive(Debug)]
pub(crate) enum Why {
    /// The directory is not there.
    Absent(io::Error),
    /// The list is too far away.
    Nested,
    /// The list cannot be read.
    Unreadable(io::Error),
    /// The list cannot be understood.
    Malformed(gix::Error),
}

impl Fault {
    /// Converts the fault to a skip for the report.
    pub(crate) fn to_skip(&self) -> Skip {
        let detail = match &self.why {
            Why::Absent(error) | Why::Unreadable(error) => error.to_string(),
            Why::Nested => "alternates are nested too deeply; Git does not follow them".to_owned(),
            Why::Malformed(error) => sentence(error),
        };
        Skip::with_detail(SkipReason::Unreadable, path_bytes(&self.path), detail)
    }
}

/// Follows `info/alternates` from each of `roots`, as deep as Git does. Each directory counts once, so a circle
/// ends.
pub(crate) fn with_alternates(roots: Vec<PathBuf>) -> ObjectDirs {
    let mut found = ObjectDirs::default();
    let mut seen = HashSet::new();
    let mut queue: VecDeque<(PathBuf, usize)> = roots.into_iter().map(|root| (root, 0)).collect();
    while let Some((dir, depth)) = queue.pop_front() {
        let real = match std::fs::canonicalize(&dir) {
            Ok(real) => real,
            Err(error) => {
                found.fault(dir, Why::Absent(error));
                continue;
            }
        };
        if !seen.insert(real) {
            continue;
        }
        let list = dir.join("info").join("alternates");
        match named(&list) {
            Ok(named) if !named.is_empty() && depth > MAX_NESTED => found.fault(list, Why::Nested),
            Ok(named) => queue.extend(named.into_iter().map(|path| (dir.join(path), depth + 1))),
            Err(why) => found.fault(list, why),
        }
        found.dirs.push(dir);
    }
    found
}

impl ObjectDirs {
    fn fault(&mut self, path: PathBuf, why: Why) {
        self.faults.push(Fault { path, why });
    }
}

/// The directories that a list of alternates names.
fn named(list: &Path) -> Result<Vec<PathBuf>, Why> {
    match read_regular(list) {
        Ok(bytes) => gix::odb::alternate::parse(&bytes).map_err(Why::Malformed),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(Why::Unreadable(error)),
    }
}

/// Splits `GIT_ALTERNATE_OBJECT_DIRECTORIES`; an entry that starts with a double quote is quoted as in C.
pub(crate) fn split_alternates(list: &std::ffi::OsStr) -> Vec<PathBuf> {
    use bstr::ByteSlice as _;
    let separator = if cfg!(windows) { b';' } else { b':' };
    let Some(mut rest) = <[u8]>::from_os_str(list) else {
        return std::env::split_paths(list).collect();
    };
    let mut paths = Vec::new();
    while !rest.is_empty() {
        let (entry, used) = match rest
            .starts_with(b"\"")
            .then(|| gix::quote::ansi_c::undo(rest.as_bstr()))
        {
            Some(Ok((entry, used))) => (entry.into_owned(), used),
            _ => {
                let used = rest.find_byte(separator).unwrap_or(rest.len());
                (rest.get(..used).unwrap_or_default().into(), used)
            }
        };
        rest = rest.get(used + 1..).unwrap_or_default();
        if !entry.is_empty() {
            paths.extend(path_from_bytes(&entry));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn alternates_of_the_environment_are_split_and_unquoted() {
        assert_eq!(
            split_alternates(std::ffi::OsStr::new("/a:\"/b:\\\"c\":/d")),
            [
                PathBuf::from("/a"),
                PathBuf::from("/b:\"c"),
                PathBuf::from("/d")
            ]
        );
    }
}
