//! Exceptions of configurations below the root, each for its own folder and for nothing else.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice as _};

use super::allowlist::Allowlist;
use super::globs::Globs;

/// Exceptions of the configuration of one folder; its patterns begin at the folder.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// Paths that are left out.
    pub excludes: Globs,
    /// Findings that are accepted.
    pub allowlist: Allowlist,
}

/// Folders that have a configuration of their own, by their path below the root.
#[derive(Clone, Debug, Default)]
pub struct Folders(BTreeMap<BString, Vec<Folder>>);

impl Folders {
    /// Adds a folder. The path has no slash at its end, and is not the root's, which is empty. What is said of the same
    /// path already goes on to count.
    pub fn insert(&mut self, path: BString, folder: Folder) {
        self.0.entry(path).or_default().push(folder);
    }

    /// Adds what others say.
    pub fn extend(&mut self, others: Self) {
        for (path, folders) in others.0 {
            self.0.entry(path).or_default().extend(folders);
        }
    }

    /// Returns the folders above a path, the outermost first, each with the length of its path and the slash behind it.
    pub(super) fn above<'f>(
        &'f self,
        path: &'f BStr,
    ) -> impl Iterator<Item = (&'f BStr, &'f Folder, usize)> {
        // Most repositories have none.
        let path = if self.0.is_empty() {
            BStr::new(b"")
        } else {
            path
        };
        path.find_iter("/").flat_map(move |at| {
            let above = path[..at].as_bstr();
            let folders = self.0.get(above).into_iter().flatten();
            folders.map(move |folder| (above, folder, at + 1))
        })
    }

    /// Returns true for a path that the configuration of a folder above leaves out.
    pub(super) fn exclude(&self, path: &BStr) -> bool {
        let mut above = self.above(path);
        above.any(|(_, folder, length)| folder.excludes.matches(path[length..].as_bstr()))
    }

    /// Returns true for a path that an entry in a folder above names, whatever else the entry demands.
    pub(super) fn name(&self, path: &BStr) -> bool {
        let mut above = self.above(path);
        above.any(|(_, folder, length)| folder.allowlist.names(path[length..].as_bstr()))
    }

    /// Returns the path of each folder with the number of entries in its allowlist.
    pub(super) fn allows(&self) -> impl Iterator<Item = (&BString, usize)> {
        let folders = self.0.iter();
        folders.flat_map(|(path, folders)| {
            let lengths = folders.iter().map(|folder| folder.allowlist.len());
            lengths.map(move |length| (path, length))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_speaks_of_what_is_below_it() {
        let mut folders = Folders::default();
        let globs = |pattern| Globs::new([pattern]).expect("a pattern");
        for (path, pattern) in [("a/b", "/x"), ("c", "*.env")] {
            let folder = Folder {
                excludes: globs(pattern),
                ..Folder::default()
            };
            folders.insert(path.into(), folder);
        }
        for (path, expected) in [
            ("a/b/x", true),
            ("a/b/x/y", true),
            ("a/b/c/x", false),
            ("a/x", false),
            ("x", false),
            ("a/bx/x", false),
            ("c/d/e.env", true),
            ("d/e.env", false),
            ("c.env", false),
        ] {
            assert_eq!(folders.exclude(path.into()), expected, "{path}");
        }
    }
}
