//! The index of a repository, read once for all who want to see it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice as _};
use gix::ObjectId;
use gix::index::entry::{Flags, Mode};
use gix::index::extension::Tree;

use super::mapped::{Entry, Mapped};
use crate::content::{self, open_regular};
use crate::git::repository::{self, Repository, sentence};
use crate::source::Error;

/// An index, read once for all who want to see it.
pub struct Index(Form);

enum Form {
    /// The usual kind.
    Mapped(Mapped),
    /// Every kind.
    Decoded(Box<gix::index::File>),
}

/// The stage of our side of a conflict.
const OURS: u8 = 2;

/// A directory in the index's cache of trees.
#[derive(Clone, Copy)]
pub(super) enum Cached<'i> {
    Mapped(&'i Mapped, usize),
    Decoded(&'i Tree),
}

impl Index {
    /// Reads the index of a repository; an index that does not exist is empty.
    pub fn load(repository: &Repository) -> Result<Self, Error> {
        let hash = repository.object_hash();
        // What cannot be opened, or not mapped, gix names.
        let file = open_regular(repository.index_path()).ok();
        match file.and_then(|file| Mapped::open(&file, hash)) {
            Some(mapped) => Ok(Self(Form::Mapped(mapped))),
            None => Self::decode(repository),
        }
    }

    /// Decodes all of it, whatever its kind: the slow truth.
    pub(super) fn decode(repository: &Repository) -> Result<Self, Error> {
        Ok(Self(Form::Decoded(Box::new(decode(
            repository.index_path(),
            repository.object_hash(),
        )?))))
    }

    /// Fails if the file became shorter while it was looked at.
    pub(in crate::source) fn verify(&self, repository: &Repository) -> Result<(), Error> {
        match &self.0 {
            Form::Mapped(mapped) if mapped.was_truncated() => Err(repository::Error::Index {
                path: repository.index_path().to_owned(),
                detail: "it became shorter while it was read".to_owned(),
            }
            .into()),
            _ => Ok(()),
        }
    }

    /// The object of a regular file, executable or not; in a conflict that of our side.
    pub(in crate::source) fn regular_file(&self, path: &BStr) -> Option<ObjectId> {
        let entry = self
            .named(path)
            .find(|entry| matches!(entry.stage, 0 | OURS))?;
        let is_regular = matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE);
        is_regular.then_some(entry.id)
    }

    /// The entries of one path, in the order of their stages.
    fn named<'i>(&'i self, path: &'i BStr) -> impl Iterator<Item = Entry<'i>> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.path(middle) < path {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.entries(low..self.len())
            .take_while(move |entry| entry.path == path)
    }

    /// Returns true if there is an entry of this path, or one of a directory above it that a sparse index does not
    /// expand.
    pub fn has(&self, path: &BStr) -> bool {
        self.named(path).next().is_some() || self.is_collapsed(path)
    }

    /// Returns true if a sparse index does not expand a directory above this path.
    fn is_collapsed(&self, path: &BStr) -> bool {
        let mut above = path.find_iter("/").map(|at| path[..=at].as_bstr());
        above.any(|above| self.named(above).any(|entry| entry.mode == Mode::DIR))
    }

    /// Returns true if a sparse checkout leaves the file at `path` out of the work tree.
    pub fn leaves_out(&self, path: &BStr) -> bool {
        self.named(path).any(|entry| entry.is_left_out) || self.is_collapsed(path)
    }

    /// The paths of all submodules.
    pub fn submodules(&self) -> impl Iterator<Item = &BStr> {
        let entries = self.entries(0..self.len());
        entries
            .filter(|entry| entry.mode == Mode::COMMIT)
            .map(|entry| entry.path)
    }

    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Form::Mapped(mapped) => mapped.len(),
            Form::Decoded(index) => index.entries().len(),
        }
    }

    /// The path of an entry; empty if there is none at this place.
    pub(super) fn path(&self, at: usize) -> &BStr {
        match &self.0 {
            Form::Mapped(mapped) => mapped.path(at),
            Form::Decoded(index) => {
                let entry = index.entries().get(at);
                entry.map_or(b"".as_bstr(), |entry| entry.path(index))
            }
        }
    }

    /// An entry.
    pub(super) fn entry(&self, at: usize) -> Option<Entry<'_>> {
        match &self.0 {
            Form::Mapped(mapped) => mapped.entry(at),
            Form::Decoded(index) => index.entries().get(at).map(|entry| Entry {
                path: entry.path(index),
                id: entry.id,
                mode: entry.mode,
                stage: entry.flags.stage() as u8,
                is_intent_to_add: entry.flags.contains(Flags::INTENT_TO_ADD),
                is_left_out: entry.flags.contains(Flags::SKIP_WORKTREE),
            }),
        }
    }

    /// The entries of a range.
    pub(super) fn entries(&self, range: Range<usize>) -> impl Iterator<Item = Entry<'_>> {
        range.filter_map(|at| self.entry(at))
    }

    /// The cache of trees, if the index has one.
    pub(super) fn cached(&self) -> Option<Cached<'_>> {
        match &self.0 {
            Form::Mapped(mapped) => mapped.root().map(|root| Cached::Mapped(mapped, root)),
            Form::Decoded(index) => index.tree().map(Cached::Decoded),
        }
    }

    /// Returns true if it is read in place, on the map.
    #[cfg(test)]
    pub(super) fn is_mapped(&self) -> bool {
        matches!(self.0, Form::Mapped(_))
    }
}

impl<'i> Cached<'i> {
    /// Returns the number of entries below it; `None` if it is out of date.
    pub(super) fn count(self) -> Option<usize> {
        let count = match self {
            Self::Mapped(mapped, tree) => mapped.count(tree),
            Self::Decoded(tree) => tree.num_entries,
        };
        count.map(|count| count as usize)
    }

    /// The id that it has if it is up to date.
    pub(super) fn id(self) -> Option<ObjectId> {
        match self {
            Self::Mapped(mapped, tree) => mapped.id(tree),
            Self::Decoded(tree) => tree.num_entries.map(|_| tree.id),
        }
    }

    /// The directories right below it, by name.
    pub(super) fn children(self) -> Vec<(&'i [u8], Self)> {
        match self {
            Self::Mapped(mapped, tree) => {
                let children = mapped.children(tree).into_iter();
                let child = |(name, tree)| (name, Self::Mapped(mapped, tree));
                children.map(child).collect()
            }
            Self::Decoded(tree) => {
                let child = |tree: &'i Tree| (tree.name.as_slice(), Self::Decoded(tree));
                tree.children.iter().map(child).collect()
            }
        }
    }
}

/// Reads the index at `path`, whatever its kind; an index that does not exist is empty.
pub(in crate::source) fn decode(
    path: &Path,
    hash: gix::hash::Kind,
) -> Result<gix::index::File, repository::Error> {
    let broken = |detail: String| repository::Error::Index {
        path: path.to_owned(),
        detail,
    };
    let is_special = std::fs::metadata(path).is_ok_and(|found| !found.is_file());
    if is_special
        || shared_parts(path)
            .iter()
            .any(|part| content::is_special(part))
    {
        return Err(broken("it is not a regular file".to_owned()));
    }
    let options = gix::index::decode::Options {
        // Threads cost more than they bring: an index of 5,000 files decodes in well under a millisecond.
        thread_limit: Some(1),
        ..Default::default()
    };
    // An index that is cut off between two extensions decodes well and has lost files: only its checksum tells.
    let skip_hash = false;
    let index = gix::index::File::at_or_default(path, hash, skip_hash, options)
        .map_err(|error| broken(sentence(&error)))?;
    index
        .verify_entries()
        .map_err(|error| broken(sentence(&error)))?;
    Ok(index)
}

/// Files of which an index that is split names one as its larger part.
fn shared_parts(index: &Path) -> Vec<PathBuf> {
    let entries = index.parent().and_then(|dir| std::fs::read_dir(dir).ok());
    let entries = entries.into_iter().flatten().flatten();
    let is_shared = |entry: &std::fs::DirEntry| {
        let name = entry.file_name();
        name.as_encoded_bytes().starts_with(b"sharedindex.")
    };
    let shared = entries.filter(is_shared);
    shared.map(|entry| entry.path()).collect()
}
