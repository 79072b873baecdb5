//! Looks single objects up in every object directory that belongs to a repository.
//!
//! gix follows neither `GIT_OBJECT_DIRECTORY` nor `GIT_ALTERNATE_OBJECT_DIRECTORIES`, and resolves a relative
//! path in the alternates of an alternate against the wrong directory. A scan of everything walks the packs
//! instead.

use std::path::PathBuf;
use std::sync::OnceLock;

use gix::ObjectId;
use gix::objs::Kind;

use super::entry;
use super::fault::Fault;
use super::loose::{LooseReader, loose_path};
use super::pack::Pack;
use super::store::index_paths;
use crate::coverage::Skip;
use crate::git::number::PackPos;

/// All object directories of a repository, the one that is written to first.
#[derive(Debug)]
pub struct Objects {
    hash: gix::hash::Kind,
    max_size: u64,
    dirs: Vec<PathBuf>,
    packs: OnceLock<Packs>,
}

/// The packs of all directories: listed when the first object is not loose, opened when one of theirs is asked for.
#[derive(Default)]
struct Packs {
    packs: Vec<Pack>,
    unreadable: Vec<Skip>,
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packs({})", self.packs.len())
    }
}

/// A place that may have an object.
enum Place<'a> {
    /// A file of its own.
    Loose(PathBuf),
    /// A position in the index of a pack.
    Packed(&'a Pack, PackPos),
}

impl Objects {
    /// The objects in `dirs`; those larger than `max_size` bytes are refused.
    pub(crate) fn new(dirs: Vec<PathBuf>, hash: gix::hash::Kind, max_size: u64) -> Self {
        Self {
            hash,
            max_size,
            dirs,
            packs: OnceLock::new(),
        }
    }

    /// The directories, the one that is written to first.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// Larger objects are refused.
    pub fn max_size(&self) -> u64 {
        self.max_size
    }

    /// Kind and size of an object; `None` if no directory has it.
    pub fn header(&self, id: &gix::oid) -> Result<Option<(Kind, u64)>, Fault> {
        let found = self.first(id, |place| match place {
            Place::Loose(path) => LooseReader::new().header(&path),
            Place::Packed(pack, position) => entry::header(pack, position),
        })?;
        Ok(found.or_else(|| Some((self.builtin(id)?, 0))))
    }

    /// Reads an object into `buffer`; `None` if no directory has it. A damaged copy in one place does not
    /// hide a good one in another.
    pub fn find(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Fault> {
        let found = self.first(id, |place| match place {
            Place::Loose(path) => LooseReader::new().read_into(&path, self.max_size, buffer),
            Place::Packed(pack, position) => entry::read(pack, position, self.max_size, buffer),
        })?;
        Ok(found.or_else(|| {
            let kind = self.builtin(id)?;
            buffer.clear();
            Some(kind)
        }))
    }

    /// Returns the result of `take` for the first place that has the object whole.
    fn first<T>(
        &self,
        id: &gix::oid,
        mut take: impl FnMut(Place<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let mut failure = None;
        // What is new is loose, and most hooks look at nothing else; once the packs are open, to ask them costs
        // no system call.
        let packs_first = self.packs.get().is_some();
        for is_packed in [packs_first, !packs_first] {
            if is_packed {
                for (pack, position) in self.packs().holding(id) {
                    let taken = pack
                        .load()
                        .and_then(|_| take(Place::Packed(pack, position)));
                    match taken {
                        Ok(taken) => return Ok(Some(taken)),
                        Err(fault) => failure = Some(fault.in_file(pack.path())),
                    }
                }
                continue;
            }
            for dir in &self.dirs {
                match take(Place::Loose(loose_path(dir, id))) {
                    Ok(taken) => return Ok(Some(taken)),
                    // It is not here.
                    Err(Fault::Changed(_)) => {}
                    Err(fault) => failure = Some(fault),
                }
            }
        }
        if self.builtin(id).is_some() {
            return Ok(None);
        }
        // It is not there, unless something could not be looked into.
        let unreadable = || self.packs().unreadable.first().map(unlisted);
        failure.or_else(unreadable).map_or(Ok(None), Err)
    }

    /// Git knows the empty tree and the empty blob without having them.
    fn builtin(&self, id: &gix::oid) -> Option<Kind> {
        if *id == *ObjectId::empty_tree(self.hash) {
            Some(Kind::Tree)
        } else if *id == *ObjectId::empty_blob(self.hash) {
            Some(Kind::Blob)
        } else {
            None
        }
    }

    fn packs(&self) -> &Packs {
        self.packs.get_or_init(|| {
            let mut packs = Packs::default();
            for dir in &self.dirs {
                let (paths, _) = index_paths(&dir.join("pack"), &mut packs.unreadable);
                for path in paths {
                    match Pack::open(&path, self.hash) {
                        Ok(pack) => packs.packs.push(pack),
                        Err(skip) => packs.unreadable.push(skip),
                    }
                }
            }
            packs
        })
    }
}

/// Returns the fault of an object that may be in a place that could not be examined.
fn unlisted(skip: &Skip) -> Fault {
    let detail = skip.detail.as_deref().unwrap_or_default();
    Fault::Unreadable(format!("{}: {detail}", skip.subject))
}

impl Packs {
    fn holding<'a>(&'a self, id: &'a gix::oid) -> impl Iterator<Item = (&'a Pack, PackPos)> {
        let packs = self.packs.iter();
        packs.filter_map(move |pack| Some((pack, pack.find(id)?)))
    }
}
