//! Reads single objects from every object directory that belongs to a repository.
//!
//! gix follows neither `GIT_OBJECT_DIRECTORY` nor `GIT_ALTERNATE_OBJECT_DIRECTORIES`, and resolves a relative
//! path in the alternates of an alternate against the wrong directory; so the stores are put together here.
//! For looking up some objects; a scan of everything walks the packs instead.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gix::ObjectId;
use gix::objs::Kind;
use gix::odb::{loose, pack};

use crate::content::{GuardedMap, guarded_map, is_special, open_regular};
use crate::coverage::SkipReason;
use crate::git::discover::{is_absent, path_from_bytes, read_small};
use crate::git::error::Error;

/// Why an object that is there could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectError {
    /// Damaged, not readable, or larger than the limit.
    pub reason: SkipReason,
    /// What was said about it.
    pub detail: String,
}

impl std::fmt::Display for ObjectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ObjectError {}

/// All object directories of a repository, the one that is written to first.
#[derive(Debug)]
pub struct Objects {
    hash: gix::hash::Kind,
    max_size: u64,
    dirs: Vec<PathBuf>,
    loose: Vec<LooseStore>,
    packs: OnceLock<Packs>,
}

struct LooseStore(loose::Store);

impl std::fmt::Debug for LooseStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LooseStore")
    }
}

/// The packs of all directories: listed when the first object is not loose, opened when one of theirs is asked for.
#[derive(Default)]
struct Packs {
    packs: Vec<Pack>,
    unreadable: Vec<String>,
}

struct Pack {
    index: pack::index::File<GuardedMap>,
    path: PathBuf,
    /// What reading one object may allocate: the object, its base and the delta.
    limit: usize,
    data: OnceLock<Result<pack::data::File<GuardedMap>, String>>,
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packs({})", self.packs.len())
    }
}

impl Objects {
    /// The objects in `dirs`; those larger than `max_size` bytes are refused.
    pub(crate) fn new(dirs: Vec<PathBuf>, hash: gix::hash::Kind, max_size: u64) -> Self {
        let options = loose::Options {
            alloc_limit_bytes: Some(usize::try_from(max_size).unwrap_or(usize::MAX)),
            ..Default::default()
        };
        let loose = dirs
            .iter()
            .map(|dir| LooseStore(loose::Store::at_opts(dir, hash, options)))
            .collect();
        Self {
            hash,
            max_size,
            dirs,
            loose,
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
    pub fn header(&self, id: &gix::oid) -> Result<Option<(Kind, u64)>, ObjectError> {
        let mut failure = None;
        for (store, dir) in self.loose.iter().zip(&self.dirs) {
            if is_special(&loose_path(dir, id)) {
                failure = Some(ObjectError {
                    reason: SkipReason::Unreadable,
                    detail: "it is not a regular file".to_owned(),
                });
                continue;
            }
            match store.0.try_header(id) {
                Ok(Some((size, kind))) => return Ok(Some((kind, size))),
                Ok(None) => {}
                Err(error) => failure = Some(loose_failure(&error)),
            }
        }
        for (pack, position) in self.packs().holding(id) {
            match pack.header(position) {
                Ok(found) => return Ok(Some(found)),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(kind) = self.builtin(id) {
            return Ok(Some((kind, 0)));
        }
        self.absent(failure)
    }

    /// Reads an object into `buffer`; `None` if no directory has it. A damaged copy in one place does not
    /// hide a good one in another.
    pub fn find(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, ObjectError> {
        match self.header(id)? {
            None => return Ok(None),
            Some((_, size)) if size > self.max_size => {
                return Err(ObjectError {
                    reason: SkipReason::Size,
                    detail: format!("{size} bytes"),
                });
            }
            Some(_) => {}
        }
        let mut failure = None;
        for (store, dir) in self.loose.iter().zip(&self.dirs) {
            if is_special(&loose_path(dir, id)) {
                continue;
            }
            match store
                .0
                .try_find(id, buffer)
                .map(|found| found.map(|data| data.kind))
            {
                Ok(Some(kind)) => return Ok(Some(kind)),
                Ok(None) => {}
                Err(error) => failure = Some(loose_failure(&error)),
            }
        }
        for (pack, position) in self.packs().holding(id) {
            match pack.read(position, buffer, self.max_size) {
                Ok(kind) => return Ok(Some(kind)),
                Err(error) => failure = Some(error),
            }
        }
        if let Some(kind) = self.builtin(id) {
            buffer.clear();
            return Ok(Some(kind));
        }
        self.absent(failure)
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

    /// No directory gave the object: it is not there, unless something could not be looked into.
    fn absent<T>(&self, failure: Option<ObjectError>) -> Result<Option<T>, ObjectError> {
        if let Some(failure) = failure {
            return Err(failure);
        }
        match self.packs().unreadable.first() {
            Some(detail) => Err(ObjectError {
                reason: SkipReason::Unreadable,
                detail: detail.clone(),
            }),
            None => Ok(None),
        }
    }

    fn packs(&self) -> &Packs {
        self.packs.get_or_init(|| {
            let mut packs = Packs::default();
            let limit = usize::try_from(self.max_size.saturating_mul(3)).unwrap_or(usize::MAX);
            for dir in &self.dirs {
                packs.add_dir(&dir.join("pack"), self.hash, limit);
            }
            packs
        })
    }
}

impl gix::objs::Find for Objects {
    fn try_find<'a>(
        &self,
        id: &gix::oid,
        buffer: &'a mut Vec<u8>,
    ) -> gix::Result<Option<gix::objs::Data<'a>>> {
        match self.find(id, buffer) {
            Ok(Some(kind)) => Ok(Some(gix::objs::Data {
                kind,
                object_hash: self.hash,
                data: buffer,
            })),
            Ok(None) => Ok(None),
            Err(error) => Err(gix::Error::from_error(error)),
        }
    }
}

/// Where an object lies that is not in a pack.
fn loose_path(dir: &Path, id: &gix::oid) -> PathBuf {
    let hex = id.to_string();
    let (first, rest) = hex.split_at(2);
    dir.join(first).join(rest)
}

fn loose_failure(error: &gix::Error) -> ObjectError {
    // A damaged object fails in the decoder; what fails in the system is not readable.
    let reason = match error.downcast_any_ref::<std::io::Error>() {
        Some(_) => SkipReason::Unreadable,
        None => SkipReason::Corrupt,
    };
    ObjectError {
        reason,
        detail: sentence(error),
    }
}

/// The whole chain of a gix error in one line: its own `Display` names the outermost link only.
pub(crate) fn sentence(error: &gix::Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

impl Packs {
    fn add_dir(&mut self, dir: &Path, hash: gix::hash::Kind, limit: usize) {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return,
            Err(error) => {
                self.unreadable.push(format!("{}: {error}", dir.display()));
                return;
            }
        };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.unreadable.push(format!("{}: {error}", dir.display())),
            }
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "idx"));
        paths.sort();
        for path in paths {
            match map_index(&path, hash) {
                Ok(index) => self.packs.push(Pack {
                    index,
                    path: path.with_extension("pack"),
                    limit,
                    data: OnceLock::new(),
                }),
                Err(error) => {
                    self.unreadable
                        .push(format!("{}: {}", path.display(), sentence(&error)))
                }
            }
        }
    }

    fn holding<'a>(&'a self, id: &'a gix::oid) -> impl Iterator<Item = (&'a Pack, u32)> {
        self.packs
            .iter()
            .filter_map(move |pack| Some((pack, pack.index.lookup(id)?)))
    }
}

impl Pack {
    fn header(&self, position: u32) -> Result<(Kind, u64), ObjectError> {
        let (data, entry) = self.entry(position)?;
        let resolve = |base_id: &gix::oid| {
            Ok(self
                .base(data, base_id)?
                .map(pack::data::decode::header::ResolvedBase::InPack))
        };
        let mut inflate = gix::zlib::Inflate::default();
        data.decode_header(entry, &mut inflate, &resolve)
            .map(|outcome| (outcome.kind, outcome.object_size))
            .map_err(|error| self.failure(&error))
    }

    fn read(
        &self,
        position: u32,
        buffer: &mut Vec<u8>,
        max_size: u64,
    ) -> Result<Kind, ObjectError> {
        let (data, entry) = self.entry(position)?;
        // The header said how large the object is; its bases can be larger, and an entry can lie.
        if entry.decompressed_size > max_size {
            return Err(ObjectError {
                reason: SkipReason::Size,
                detail: format!("{} bytes", entry.decompressed_size),
            });
        }
        let resolve = |base_id: &gix::oid, _: &mut Vec<u8>| {
            Ok(self
                .base(data, base_id)?
                .map(pack::data::decode::entry::ResolvedBase::InPack))
        };
        let mut inflate = gix::zlib::Inflate::default();
        buffer.clear();
        data.decode_entry(
            entry,
            buffer,
            &mut inflate,
            &resolve,
            &mut pack::cache::Never,
        )
        .map(|outcome| outcome.kind)
        .map_err(|error| self.failure(&error))
    }

    fn entry(
        &self,
        position: u32,
    ) -> Result<(&pack::data::File<GuardedMap>, pack::data::Entry), ObjectError> {
        let data = self
            .data
            .get_or_init(|| {
                map_pack(&self.path, self.index.object_hash())
                    .map(|data| data.with_alloc_limit_bytes(Some(self.limit)))
                    .map_err(|error| sentence(&error))
            })
            .as_ref()
            .map_err(|detail| ObjectError {
                reason: SkipReason::Unreadable,
                detail: detail.clone(),
            })?;
        let entry = data
            .entry(self.index.pack_offset_at_index(position))
            .map_err(|error| self.failure(&error))?;
        Ok((data, entry))
    }

    /// The entry of a base that is named by its id. A pack on disk holds the bases of its deltas.
    fn base(
        &self,
        data: &pack::data::File<GuardedMap>,
        base_id: &gix::oid,
    ) -> gix::Result<Option<pack::data::Entry>> {
        self.index
            .lookup(base_id)
            .map(|position| data.entry(self.index.pack_offset_at_index(position)))
            .transpose()
    }

    fn failure(&self, error: &gix::Error) -> ObjectError {
        let reason = match error.is_resource_exhausted() {
            true => SkipReason::Size,
            false => SkipReason::Corrupt,
        };
        ObjectError {
            reason,
            detail: format!("{}: {}", self.path.display(), sentence(error)),
        }
    }
}

/// Maps the index of a pack, so that one that shrinks meanwhile is a damaged one.
pub(crate) fn map_index(
    path: &Path,
    hash: gix::hash::Kind,
) -> gix::Result<pack::index::File<GuardedMap>> {
    pack::index::File::from_data(map_file(path)?, path.to_owned(), hash)
}

/// Maps a pack, so that one that shrinks meanwhile is a damaged one.
pub(crate) fn map_pack(
    path: &Path,
    hash: gix::hash::Kind,
) -> gix::Result<pack::data::File<GuardedMap>> {
    pack::data::File::from_data(map_file(path)?, path.to_owned(), hash)
}

fn map_file(path: &Path) -> gix::Result<GuardedMap> {
    open_regular(path)
        .and_then(|file| guarded_map(&file))
        .map_err(gix::Error::from_error)
}

/// The objects of a repository under one roof: `dirs` of the alternates that exist, and those that are missing.
pub(crate) struct ObjectDirs {
    pub(crate) dirs: Vec<PathBuf>,
    pub(crate) missing: Vec<PathBuf>,
}

/// Follows `info/alternates` from each of `roots`. Each directory counts once, so a cycle ends.
pub(crate) fn with_alternates(roots: Vec<PathBuf>) -> Result<ObjectDirs, Error> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut found = ObjectDirs {
        dirs: Vec::new(),
        missing: Vec::new(),
    };
    let mut queue: std::collections::VecDeque<PathBuf> = roots.into();
    while let Some(dir) = queue.pop_front() {
        let Ok(real) = std::fs::canonicalize(&dir) else {
            found.missing.push(dir);
            continue;
        };
        if seen.contains(&real) {
            continue;
        }
        seen.push(real);
        let list = dir.join("info").join("alternates");
        if let Some(bytes) = read_small(&list)? {
            let alternates = gix::odb::alternate::parse(&bytes)
                .map_err(|source| Error::Alternates { path: list, source })?;
            queue.extend(alternates.into_iter().map(|path| dir.join(path)));
        }
        found.dirs.push(dir);
    }
    Ok(found)
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

/// An object that has to be there for the rest to make sense.
pub(crate) fn require(
    objects: &Objects,
    id: ObjectId,
    kind: Kind,
    buffer: &mut Vec<u8>,
) -> Result<(), Error> {
    match objects.find(&id, buffer) {
        Ok(Some(found)) if found == kind => Ok(()),
        Ok(Some(found)) => Err(Error::Object {
            id,
            kind,
            detail: format!("it is a {found}"),
        }),
        Ok(None) => Err(Error::Object {
            id,
            kind,
            detail: "it is not in the object database".to_owned(),
        }),
        Err(error) => Err(Error::Object {
            id,
            kind,
            detail: error.detail,
        }),
    }
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
