//! Single files out of what Git holds: the index, or the tree of a commit. Never the working copy.

use bstr::{BStr, ByteSlice as _};
use gix::ObjectId;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::Error;
use super::staged::Index;
use crate::git::repository::{self, Repository, require, sentence};

/// What a repository holds at one moment.
pub struct Snapshot<'r> {
    repository: &'r Repository,
    of: Of<'r>,
}

enum Of<'r> {
    Index(&'r Index),
    Tree(ObjectId),
}

impl<'r> Snapshot<'r> {
    /// What the next commit would record.
    pub fn of_index(repository: &'r Repository, index: &'r Index) -> Self {
        Self {
            repository,
            of: Of::Index(index),
        }
    }

    /// What a commit records; a tag stands for its commit.
    pub fn of_commit(repository: &'r Repository, id: ObjectId) -> Result<Self, Error> {
        let tree_id = repository.tree_of(id, &mut Vec::new())?;
        Ok(Self {
            repository,
            of: Of::Tree(tree_id),
        })
    }

    /// The content of a file; `None` if there is no regular file at this path. A symbolic link is none.
    pub fn read(&self, path: &BStr) -> Result<Option<Vec<u8>>, Error> {
        let found = match &self.of {
            Of::Index(index) => index.regular_file(path),
            Of::Tree(tree_id) => self.in_tree(*tree_id, path)?,
        };
        let Some(blob_id) = found else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        self.require(blob_id, Kind::Blob, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn in_tree(&self, root: ObjectId, path: &BStr) -> Result<Option<ObjectId>, Error> {
        let mut tree_id = root;
        let mut bytes = Vec::new();
        let mut parts = path.split_str("/").peekable();
        while let Some(name) = parts.next() {
            self.require(tree_id, Kind::Tree, &mut bytes)?;
            let mut found = None;
            for entry in gix::objs::TreeRefIter::from_bytes(&bytes, self.repository.object_hash()) {
                let entry = entry.map_err(|error| repository::Error::Object {
                    id: tree_id,
                    kind: Kind::Tree,
                    detail: sentence(&error),
                })?;
                if entry.filename == name {
                    found = Some((entry.mode.kind(), entry.oid.to_owned()));
                }
            }
            match (parts.peek().is_some(), found) {
                (true, Some((EntryKind::Tree, id))) => tree_id = id,
                (false, Some((EntryKind::Blob | EntryKind::BlobExecutable, id))) => {
                    return Ok(Some(id));
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    fn require(&self, id: ObjectId, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), Error> {
        require(self.repository.objects(), id, kind, buffer)?;
        Ok(())
    }
}
