//! References, loose and packed.

use std::path::PathBuf;

use bstr::BStr;
use gix::ObjectId;
use gix::refs::Target;
use gix::refs::file::Store;
use gix::refs::packed::Buffer;

use super::discover::is_absent;
use super::{Error, sentence};
use crate::source::content::read_regular;

/// The references of a repository and of its linked work tree.
///
/// The packed ones are read here and given to gix: read by gix itself, a file that is cut short in the middle
/// would have fewer references, and nobody would know.
pub struct References {
    store: Store,
    packed: PathBuf,
    hash: gix::hash::Kind,
}

/// Full name and object of a reference, or why it could not be read.
pub type Reference = Result<(String, ObjectId), Error>;

impl References {
    pub(super) fn new(store: Store, hash: gix::hash::Kind) -> Self {
        let packed = store.packed_refs_path();
        Self {
            store,
            packed,
            hash,
        }
    }

    /// What a reference says; `None` if there is none of that name.
    pub fn find(&self, name: &BStr) -> Result<Option<Target>, Error> {
        let failed = |error| Error::Reference {
            name: name.to_owned(),
            detail: sentence(&error),
        };
        // What is packed may be long and is mostly older.
        let loose = self.store.try_find_packed(name, None).map_err(failed)?;
        let found = match loose {
            Some(found) => Some(found),
            None => {
                let packed = self.packed()?;
                let found = self.store.try_find_packed(name, packed.as_ref());
                found.map_err(failed)?
            }
        };
        Ok(found.map(|found| found.target))
    }

    /// Full names and objects of all references. Symbolic ones are left out: what they stand for has its own
    /// name. Inside are those that could not be read.
    pub fn all(&self) -> Result<Vec<Reference>, Error> {
        let packed = self.packed()?;
        let all = self.store.iter_packed(packed.as_ref());
        let all = all.map_err(|source| Error::Unreadable {
            path: self.store.git_dir().join("refs"),
            source,
        })?;
        let mut found = Vec::new();
        for reference in all {
            match reference {
                Ok(reference) => {
                    if let Target::Object(id) = reference.target {
                        found.push(Ok((reference.name.as_bstr().to_string(), id)));
                    }
                }
                Err(error) => found.push(Err(Error::References {
                    detail: sentence(&error),
                })),
            }
        }
        Ok(found)
    }

    fn packed(&self) -> Result<Option<Buffer>, Error> {
        let bytes = match read_regular(&self.packed) {
            Ok(bytes) => bytes,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(source) => {
                let path = self.packed.clone();
                return Err(Error::Unreadable { path, source });
            }
        };
        let buffer = Buffer::from_bytes(&bytes, self.hash).map_err(|error| Error::References {
            detail: sentence(&error),
        })?;
        Ok(Some(buffer))
    }
}
