//! Content of a directory.

use std::ffi::OsString;
use std::fs::{self, FileType};
use std::io;
use std::path::Path;

/// Content of a directory, as the system listed it.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// `.git`, whatever it is.
    pub(super) dot_git: Option<Kind>,
    /// True if there is a file `.gitignore`.
    pub(super) has_rules: bool,
    /// True if there is a file of the name that was asked about.
    pub(super) has_own: bool,
    /// True if it is a Git directory without a work tree around it.
    pub(super) is_bare: bool,
    /// Entries that the system could not tell about.
    pub(super) faults: Vec<io::Error>,
}

/// One entry other than `.git`.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: OsString,
    pub(super) kind: Kind,
}

/// Kind of an entry, without following a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
    Link,
    Special,
}

impl Listing {
    /// Lists a directory; `own` is the name of a file whose presence is noted.
    pub(super) fn read(path: &Path, own: Option<&str>) -> io::Result<Self> {
        let mut listing = Self::default();
        let (mut head, mut objects, mut refs) = (false, false, false);
        for entry in fs::read_dir(path)? {
            let (name, kind) =
                match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                    Ok((name, file_type)) => (name, Kind::of(file_type)),
                    Err(error) => {
                        listing.faults.push(error);
                        continue;
                    }
                };
            match (name.as_encoded_bytes(), kind) {
                (b".git", _) => {
                    listing.dot_git = Some(kind);
                    continue;
                }
                (b".gitignore", Kind::File) => listing.has_rules = true,
                (name, Kind::File) if own.is_some_and(|own| own.as_bytes() == name) => {
                    listing.has_own = true;
                }
                (b"HEAD", Kind::File | Kind::Link) => head = true,
                (b"objects", Kind::Directory | Kind::Link) => objects = true,
                (b"refs", Kind::Directory | Kind::Link) => refs = true,
                _ => {}
            }
            listing.entries.push(Entry { name, kind });
        }
        listing.is_bare = head && objects && refs;
        Ok(listing)
    }
}

impl Kind {
    fn of(file_type: FileType) -> Self {
        if file_type.is_file() {
            Self::File
        } else if file_type.is_dir() {
            Self::Directory
        } else if file_type.is_symlink() {
            Self::Link
        } else {
            Self::Special
        }
    }
}
