//! References, loose and packed.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use gix::refs::file::Store;
use gix::refs::packed::Buffer;
use gix::refs::{FullName, Target};

use super::discover::is_absent;
use super::error::{Error, sentence};
use crate::content::{is_special, read_regular};
use crate::git::path_bytes;

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

/// Something in a folder of references or reflogs.
enum Kind {
    Folder,
    File,
    /// A symbolic reference, as Git made them once.
    Link,
    /// A pipe or a device.
    Special,
}

/// Calls `see` with what lies below these folders of these directories: the name of its folder, its own, and what it is.
/// Like Git, follows links.
fn below(
    dirs: &[&Path],
    folders: &[&str],
    unreadable: &mut Vec<Error>,
    mut see: impl FnMut(&BStr, &std::fs::DirEntry, io::Result<Kind>),
) {
    let roots = |dir: &&Path| {
        let root = |folder: &&str| (dir.join(folder), BString::from(*folder));
        folders.iter().map(root).collect::<Vec<_>>()
    };
    let mut todo: Vec<(PathBuf, BString)> = dirs.iter().flat_map(roots).collect();
    // Links may lead in a circle.
    let mut seen = HashSet::new();
    while let Some((dir, prefix)) = todo.pop() {
        let mut list = || {
            if seen.insert(std::fs::canonicalize(&dir)?) {
                for entry in std::fs::read_dir(&dir)? {
                    let entry = entry?;
                    match kind_of(&entry) {
                        Ok(Kind::Folder) => {
                            todo.push((entry.path(), name_in(prefix.as_bstr(), &entry)))
                        }
                        kind => see(prefix.as_bstr(), &entry, kind),
                    }
                }
            }
            Ok(())
        };
        match list() {
            Err(source) if !is_absent(&source) => {
                unreadable.push(Error::Unreadable { path: dir, source });
            }
            Ok(()) | Err(_) => {}
        }
    }
}

/// The full name of an entry of a folder.
fn name_in(folder: &BStr, entry: &std::fs::DirEntry) -> BString {
    let name = path_bytes(Path::new(&entry.file_name()));
    [folder.as_bytes(), b"/", &name].concat().into()
}

/// Returns what an entry of such a folder is, or leads to.
fn kind_of(entry: &std::fs::DirEntry) -> io::Result<Kind> {
    let mut kind = entry.file_type()?;
    if kind.is_symlink() {
        let target = std::fs::read_link(entry.path())?;
        if path_bytes(&target).starts_with(b"refs/") {
            return Ok(Kind::Link);
        }
        kind = std::fs::metadata(entry.path())?.file_type();
    }
    Ok(match (kind.is_dir(), kind.is_file()) {
        (true, _) => Kind::Folder,
        (_, true) => Kind::File,
        _ => Kind::Special,
    })
}

fn not_regular(name: BString) -> Error {
    let detail = "it is not a regular file".to_owned();
    Error::Reference { name, detail }
}

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
                return Err(not_regular(at));
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
        let mut unreadable = Vec::new();
        let mut found: BTreeMap<BString, Option<ObjectId>> = BTreeMap::new();
        for name in self.loose(&mut unreadable) {
            match self.find(name.as_bstr()) {
                Ok(Some(target)) => {
                    found.insert(name, target.try_id().map(ToOwned::to_owned));
                }
                Ok(None) => {}
                Err(error) => unreadable.push(error),
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

    /// The names of all loose references that are no links to others.
    fn loose(&self, unreadable: &mut Vec<Error>) -> BTreeSet<BString> {
        let mut names = BTreeSet::new();
        let mut failed = Vec::new();
        below(
            &self.dirs(),
            &["refs"],
            unreadable,
            |folder, entry, kind| {
                let name = name_in(folder, entry);
                match kind {
                    // Git knows no others.
                    _ if FullName::try_from(name.clone()).is_err() => {}
                    Ok(Kind::File) => {
                        names.insert(name);
                    }
                    Ok(Kind::Link | Kind::Folder) => {}
                    Ok(Kind::Special) => failed.push(not_regular(name)),
                    Err(error) => {
                        let detail = error.to_string();
                        failed.push(Error::Reference { name, detail });
                    }
                }
            },
        );
        unreadable.append(&mut failed);
        names
    }

    /// Fails if a reference or a reflog is a pipe or a device, for which others would wait.
    pub(super) fn demand_files(&self) -> Result<(), Error> {
        let mut special = None;
        // One that cannot be listed is said by whoever reads it.
        let unread = &mut Vec::new();
        below(
            &self.dirs(),
            &["refs", "logs"],
            unread,
            |folder, entry, kind| {
                if matches!(kind, Ok(Kind::Special)) {
                    special = Some(name_in(folder, entry));
                }
            },
        );
        special.map_or(Ok(()), |name| Err(not_regular(name)))
    }

    /// The directory with `HEAD`, and the one that linked work trees share.
    fn dirs(&self) -> Vec<&Path> {
        let dirs = [Some(self.store.git_dir()), self.packed.parent()];
        dirs.into_iter().flatten().collect()
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
