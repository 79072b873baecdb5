//! Single files out of what Git holds: the index, or the tree of a commit. Never the working copy.

use bstr::{BStr, ByteSlice as _};
use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::Error;
use super::staged::Index;
use crate::git::Trees;
use crate::git::odb::fault::Failure;
use crate::git::repository::{self, Repository};

/// Content of a repository at one moment.
pub struct Snapshot<'r> {
    repository: &'r Repository,
    of: Of<'r>,
}

enum Of<'r> {
    Index(&'r Index),
    Tree(ObjectId),
}

impl<'r> Snapshot<'r> {
    /// Takes the content of the next commit.
    pub fn of_index(repository: &'r Repository, index: &'r Index) -> Self {
        Self {
            repository,
            of: Of::Index(index),
        }
    }

    /// Takes the content of a commit; of a tag the content of its commit.
    pub fn of_commit(repository: &'r Repository, id: ObjectId) -> Result<Self, Error> {
        let tree_id = repository.tree_of(id, &mut Vec::new())?;
        Ok(Self {
            repository,
            of: Of::Tree(tree_id),
        })
    }

    /// Returns true if there is anything at this path: a file, a folder, a link, a submodule. Paths below a submodule
    /// are its own repository's to know.
    pub fn has(&self, path: &BStr) -> Result<bool, Error> {
        match &self.of {
            Of::Index(index) => Ok(index.has(path)),
            Of::Tree(tree_id) => {
                let mut trees = Trees::new(self.repository);
                let mut at = |path| trees.lookup(*tree_id, path).map_err(unreadable);
                for end in path.find_iter("/") {
                    if matches!(at(&path[..end])?, Some((EntryKind::Commit, _))) {
                        return Ok(true);
                    }
                }
                Ok(at(path)?.is_some())
            }
        }
    }

    /// The content of a file; `None` if there is no regular file at this path. A symbolic link is none.
    pub fn read(&self, path: &BStr) -> Result<Option<Vec<u8>>, Error> {
        let found = match &self.of {
            Of::Index(index) => index.regular_file(path),
            Of::Tree(tree_id) => {
                let found = Trees::new(self.repository).lookup(*tree_id, path);
                match found.map_err(unreadable)? {
                    Some((EntryKind::Blob | EntryKind::BlobExecutable, id)) => Some(id),
                    _ => None,
                }
            }
        };
        let Some(blob_id) = found else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        self.repository.require(blob_id, Kind::Blob, &mut bytes)?;
        Ok(Some(bytes))
    }
}

/// A tree on the way to a file could not be read.
fn unreadable(failure: Failure) -> Error {
    Error::Repository(repository::Error::Object {
        id: failure.id,
        kind: Kind::Tree,
        detail: failure.fault.to_string(),
    })
}
