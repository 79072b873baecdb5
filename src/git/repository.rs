//! Opens a repository for reading.
//!
//! Nothing is executed and nothing is written. Only the repository's own configuration is read, without
//! following includes, and only for what describes the repository: its format, its work tree. Whose files
//! they are does not matter. Replacement objects and grafts are not honoured: what is stored is what counts.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bstr::ByteSlice as _;
use gix::ObjectId;
use gix::objs::Kind;
use gix::refs::file::Store;

use super::config::Config;
pub use super::discover::GitEnvironment;
use super::discover::{self, Location, absolute, read_small};
pub use super::error::Error;
pub(crate) use super::error::sentence;
use super::header::{self, CommitHeader};
use super::lfs;
pub use super::odb::MAX_OBJECT_SIZE;
use super::odb::alternates::{self, Why, split_alternates, with_alternates};
use super::odb::fault::Failure;
pub use super::odb::fault::Fault;
pub use super::odb::objects::Objects;
pub use super::references::{Followed, Named, Reference, References};
use crate::coverage::Skip;

/// A repository that is open for reading.
#[derive(Debug)]
pub struct Repository {
    location: Location,
    index_path: PathBuf,
    shallow_path: PathBuf,
    hash: gix::hash::Kind,
    is_bare: bool,
    is_partial: bool,
    hooks_path: Option<PathBuf>,
    lfs_storage: Option<PathBuf>,
    objects: Objects,
    unfollowed: Vec<alternates::Fault>,
    /// Set once its references and reflogs are known to be files: where there are many, looking takes a while.
    has_files: OnceLock<()>,
}

/// Opens the repository that `env` names, else the one that `path` lies in.
pub fn open(path: &Path, env: &GitEnvironment) -> Result<Repository, Error> {
    open_with_limit(path, env, MAX_OBJECT_SIZE)
}

/// Like [`open`]; objects over `max_object_size` bytes are refused.
pub fn open_with_limit(
    path: &Path,
    env: &GitEnvironment,
    max_object_size: u64,
) -> Result<Repository, Error> {
    let mut location = discover::locate(path, env)?;
    let config = Config::load(&location)?;
    location.work_dir = work_dir(&location, &config, env)?;

    let top = top(&location)?;
    let mut roots = vec![match &env.object_directory {
        Some(dir) => absolute(&top.join(dir))?,
        None => location.common_dir.join("objects"),
    }];
    if let Some(list) = &env.alternate_object_directories {
        for dir in split_alternates(list) {
            roots.push(absolute(&top.join(dir))?);
        }
    }
    let found = with_alternates(roots);
    let mut unfollowed = Vec::new();
    for alternates::Fault { path, why } in found.faults {
        match why {
            Why::Unreadable(source) => return Err(Error::Unreadable { path, source }),
            Why::Malformed(source) => return Err(Error::Alternates { path, source }),
            why => unfollowed.push(alternates::Fault { path, why }),
        }
    }
    let index_path = match &env.index_file {
        Some(file) => absolute(&top.join(file))?,
        None => location.git_dir.join("index"),
    };
    let shallow_path = match &env.shallow_file {
        Some(file) => absolute(&top.join(file))?,
        None => location.common_dir.join("shallow"),
    };
    Ok(Repository {
        index_path,
        shallow_path,
        hash: config.hash,
        is_bare: config.is_bare,
        is_partial: config.is_partial,
        hooks_path: config.hooks_path,
        lfs_storage: config.lfs_storage,
        objects: Objects::new(found.dirs, config.hash, max_object_size),
        unfollowed,
        has_files: OnceLock::new(),
        location,
    })
}

/// Returns the folder that Git's relative paths start from: the root of the work tree, if it was started inside.
fn top(location: &Location) -> Result<PathBuf, Error> {
    let here = absolute(Path::new("."))?;
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    let is_inside = |root: &&PathBuf| match (real(&here), real(root)) {
        (Some(here), Some(root)) => here.starts_with(root),
        _ => false,
    };
    let root = location.work_dir.as_ref().filter(is_inside);
    Ok(root.unwrap_or(&here).clone())
}

/// Applies `env` and the configuration to the work tree that was found.
fn work_dir(
    location: &Location,
    config: &Config,
    env: &GitEnvironment,
) -> Result<Option<PathBuf>, Error> {
    if let Some(dir) = &env.work_tree {
        return absolute(dir).map(Some);
    }
    let is_linked = location.git_dir != location.common_dir;
    if config.is_bare && !is_linked {
        return Ok(None);
    }
    if let Some(dir) = config.work_tree.as_ref().filter(|_| !is_linked) {
        let dir = location.git_dir.join(dir);
        return Ok(Some(std::fs::canonicalize(&dir).unwrap_or(dir)));
    }
    // With `GIT_DIR` alone, Git takes the current directory for the root of the work tree.
    if env.git_dir.is_some() && !is_linked {
        return absolute(Path::new(".")).map(Some);
    }
    Ok(location.work_dir.clone())
}

impl Repository {
    /// The directory with `HEAD` and the index.
    pub fn git_dir(&self) -> &Path {
        &self.location.git_dir
    }

    /// The directory with the objects, the references and the configuration.
    pub fn common_dir(&self) -> &Path {
        &self.location.common_dir
    }

    /// The root of the work tree; `None` if the repository is bare.
    pub fn work_dir(&self) -> Option<&Path> {
        self.location.work_dir.as_deref()
    }

    /// Returns true if the configuration says that there is no work tree.
    pub fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// The index that the next commit is made from.
    pub fn index_path(&self) -> &Path {
        &self.index_path
    }

    /// `core.hooksPath` of the repository's own configuration, unexpanded.
    pub fn hooks_path(&self) -> Option<&Path> {
        self.hooks_path.as_deref()
    }

    /// Returns the folder of Git LFS's objects: `lfs.storage` of the repository's own configuration, or its default.
    pub fn lfs_dir(&self) -> PathBuf {
        lfs::store(self.common_dir(), self.lfs_storage.as_deref())
    }

    /// The hash that names objects.
    pub fn object_hash(&self) -> gix::hash::Kind {
        self.hash
    }

    /// Returns true if a server keeps objects that are not here.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Returns true if history ends early.
    pub fn is_shallow(&self) -> Result<bool, Error> {
        Ok(!self.shallow_boundary()?.is_empty())
    }

    /// The commits whose parents are not here, sorted.
    pub fn shallow_boundary(&self) -> Result<Vec<ObjectId>, Error> {
        let bytes = read_small(&self.shallow_path)?.unwrap_or_default();
        let mut ids = self.parse_ids(&bytes).map_err(|()| Error::Invalid {
            path: self.shallow_path.clone(),
        })?;
        ids.sort();
        Ok(ids)
    }

    /// The object directories: where new objects go first, then every alternate.
    pub fn objects_dirs(&self) -> &[PathBuf] {
        self.objects.dirs()
    }

    /// Object directories that are named and not there, or named too far away: objects may be missing.
    pub fn unfollowed_alternates(&self) -> impl Iterator<Item = Skip> {
        self.unfollowed.iter().map(alternates::Fault::to_skip)
    }

    /// Single objects, from all directories, the quarantine of a push included.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Reads an object into `buffer`; `None` if it is in none of the object directories.
    pub fn find_object(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Fault> {
        self.objects.find(id, buffer)
    }

    /// Reads an object that has to be there, and of that kind, for the rest to make sense.
    pub(crate) fn require(
        &self,
        id: ObjectId,
        kind: Kind,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let detail = match self.objects.find(&id, buffer) {
            Ok(Some(found)) if found == kind => return Ok(()),
            Ok(Some(found)) => format!("it is a {found}"),
            Ok(None) => "it is not in the object database".to_owned(),
            Err(fault) => fault.to_string(),
        };
        Err(Error::Object { id, kind, detail })
    }

    /// Reads a tree that something names.
    pub(crate) fn tree(&self, id: ObjectId) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let fault = match self.objects.find(&id, &mut bytes) {
            Ok(Some(Kind::Tree)) => return Ok(bytes),
            Ok(Some(_)) => "not a tree".into(),
            Ok(None) => self.absence(),
            Err(fault) => fault,
        };
        Err(Failure { id, fault })
    }

    /// The fault of an object that something names and that is not here.
    pub(crate) fn absence(&self) -> Fault {
        match self.is_partial {
            true => Fault::Partial,
            false => Fault::Missing,
        }
    }

    /// The references of the repository and of its linked work tree.
    pub fn references(&self) -> References {
        let Location {
            git_dir,
            common_dir,
            ..
        } = self.location.clone();
        let store = match git_dir == common_dir {
            true => Store::at(git_dir, self.hash),
            false => Store::for_linked_worktree(git_dir, common_dir, self.hash),
        };
        References::new(store, self.hash)
    }

    /// The commit of `HEAD`; `None` on a branch without commits.
    pub fn head_id(&self) -> Result<Option<ObjectId>, Error> {
        match self.references().follow("HEAD".into())? {
            Followed::Object(id) => Ok(Some(id)),
            Followed::Unborn => Ok(None),
            Followed::Absent => Err(Error::Reference {
                name: "HEAD".into(),
                detail: "it does not exist".to_owned(),
            }),
        }
    }

    /// The other parents of the merge that is in progress; empty if none is.
    pub fn merge_heads(&self) -> Result<Vec<ObjectId>, Error> {
        let path = self.location.git_dir.join("MERGE_HEAD");
        let bytes = read_small(&path)?.unwrap_or_default();
        self.parse_ids(&bytes).map_err(|()| Error::Invalid { path })
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit_id: ObjectId, buffer: &mut Vec<u8>) -> Result<ObjectId, Error> {
        self.require(commit_id, Kind::Commit, buffer)?;
        let tree = CommitHeader::parse(buffer).and_then(|commit| commit.ids());
        tree.map(|(tree, _)| tree).ok_or_else(|| Error::Object {
            id: commit_id,
            kind: Kind::Commit,
            detail: header::MALFORMED.to_owned(),
        })
    }

    /// Opens it with gix as well, for what needs gix's own type: revisions, traversals. It sees no quarantine.
    pub fn gix(&self) -> Result<gix::Repository, Error> {
        if self.has_files.get().is_none() {
            self.references().demand_files()?;
            self.has_files.get_or_init(|| ());
        }
        let mut options = gix::open::Options::isolated()
            .with(gix::sec::Trust::Full)
            .open_path_as_is(true)
            .filter_config_section(|_| true)
            // Its file would be opened whatever it is, and believed where the commits say something else.
            .config_overrides(["core.commitGraph=false"])
            .strict_config(false);
        // Without `GIT_DIR` and the like: what they say is in `self.location` already.
        options.permissions = gix::open::Permissions::isolated();
        gix::ThreadSafeRepository::open_opts(self.location.git_dir.clone(), options)
            .map(|repository| repository.to_thread_local())
            .map_err(|source| Error::Open {
                path: self.location.git_dir.clone(),
                source,
            })
    }

    fn parse_ids(&self, bytes: &[u8]) -> Result<Vec<ObjectId>, ()> {
        bytes
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| match ObjectId::from_hex(line) {
                Ok(id) if id.kind() == self.hash => Ok(id),
                _ => Err(()),
            })
            .collect()
    }
}
