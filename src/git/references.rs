//! References, loose and packed.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use gix::refs::Target;
use gix::refs::file::Store;
use gix::refs::packed::Buffer;

use super::discover::is_absent;
use super::error::{Error, sentence};
use crate::content::{is_special, read_regular};

/// The references of a repository and of its linked work tree.
///
/// The packed ones are read here and given to gix: read by gix itself, a file that is cut short in the middle
/// would have fewer references, and nobody would know.
pub struct References {
    store: Store,
    packed: PathBuf,
    hash: gix::hash::Kind,
    buffer: OnceCell<Option<Buffer>>,
}

/// Target of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// An object.
    Object(ObjectId),
    /// A branch that has no commit yet.
    Unborn,
    /// There is no reference of that name.
    Absent,
}

/// Number of references that are read one after the other, each named by the one before; Git's own limit.
const MAX_READ: usize = 5;

/// Full name and object of a reference.
pub type Named = (String, ObjectId);

/// A reference, or why it could not be read.
pub type Reference = Result<Named, Error>;

impl References {
    pub(crate) fn new(store: Store, hash: gix::hash::Kind) -> Self {
        let packed = store.packed_refs_path();
        Self {
            store,
            packed,
            hash,
            buffer: OnceCell::new(),
        }
    }

    /// Returns the target of a reference; `None` if there is none of that name.
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
                let found = self.store.try_find_packed(name, self.packed()?);
                found.map_err(failed)?
            }
        };
        Ok(found.map(|found| found.target))
    }

    /// Follows a name through symbolic references, as many of them as Git follows.
    pub fn follow(&self, name: BString) -> Result<Followed, Error> {
        let failed = |name: BString, detail: &str| Error::Reference {
            name,
            detail: detail.to_owned(),
        };
        let mut at = name.clone();
        for depth in 0..MAX_READ {
            let path = at.to_path_lossy();
            let common_dir = self.packed.parent();
            let mut dirs = [Some(self.store.git_dir()), common_dir]
                .into_iter()
                .flatten();
            if dirs.any(|dir| is_special(&dir.join(&path))) {
                return Err(failed(at, "it is not a regular file"));
            }
            match self.find(at.as_bstr())? {
                Some(Target::Object(id)) => return Ok(Followed::Object(id)),
                Some(Target::Symbolic(target)) => at = target.as_bstr().to_owned(),
                None if depth == 0 => return Ok(Followed::Absent),
                None => return Ok(Followed::Unborn),
            }
        }
        Err(failed(name, "too many symbolic references"))
    }

    /// Full names and objects of all references. Symbolic ones are left out: their targets have their own names. Inside
    /// are those that could not be read.
    pub fn all(&self) -> Result<Vec<Reference>, Error> {
        let failed = |error: &gix::Error| Error::References {
            detail: sentence(error),
        };
        // In this order: what is being packed at the moment is met at least once.
        let loose = self.store.iter_packed(None);
        let loose = loose.map_err(|source| Error::Unreadable {
            path: self.store.git_dir().join("refs"),
            source,
        })?;
        let mut found: BTreeMap<BString, Option<ObjectId>> = BTreeMap::new();
        let mut unreadable = Vec::new();
        for reference in loose {
            match reference {
                Ok(reference) => {
                    found.insert(
                        reference.name.as_bstr().to_owned(),
                        reference.target.try_id().map(ToOwned::to_owned),
                    );
                }
                Err(error) => unreadable.push(failed(&error)),
            }
        }
        if let Some(packed) = self.packed()? {
            for reference in packed.iter().map_err(|error| failed(&error))? {
                match reference {
                    Ok(reference) => {
                        let entry = found.entry(reference.name.as_bstr().to_owned());
                        entry.or_insert_with(|| Some(reference.target()));
                    }
                    Err(error) => unreadable.push(failed(&error)),
                }
            }
        }
        let known = found.into_iter();
        let known = known.filter_map(|(name, id)| Some(Ok((name.to_string(), id?))));
        Ok(known.chain(unreadable.into_iter().map(Err)).collect())
    }

    /// The packed references, read once; `None` if there are none.
    fn packed(&self) -> Result<Option<&Buffer>, Error> {
        if let Some(buffer) = self.buffer.get() {
            return Ok(buffer.as_ref());
        }
        let buffer = match read_regular(&self.packed) {
            Ok(bytes) => {
                let buffer = Buffer::from_bytes(&bytes, self.hash);
                Some(buffer.map_err(|error| Error::References {
                    detail: sentence(&error),
                })?)
            }
            Err(error) if is_absent(&error) => None,
            Err(source) => {
                let path = self.packed.clone();
                return Err(Error::Unreadable { path, source });
            }
        };
        Ok(self.buffer.get_or_init(|| buffer).as_ref())
    }
}
