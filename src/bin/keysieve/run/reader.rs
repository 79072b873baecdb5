//! Files of settings, read from where they count: the disk, the index, a commit.

use std::cell::OnceCell;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use bstr::{BStr, ByteSlice as _};
use gix::ObjectId;
use keysieve::git::repository::{self, GitEnvironment, Repository};
use keysieve::source::snapshot::Snapshot;
use keysieve::source::staged::Index;

use crate::failure::{Failure, Kind, redacted};

/// No file of settings is larger by far.
const LARGEST: u64 = 16 << 20;

/// Version of a repository from which files are read.
#[derive(Clone, Copy)]
pub(crate) enum SettingsSource<'r> {
    /// Below a directory.
    Disk(&'r Path),
    /// The content of the next commit.
    Index(&'r Repository, &'r Index),
    /// The content of a commit.
    Commit(&'r Repository, ObjectId),
    /// There is none yet.
    Nowhere,
}

/// A file of settings.
pub(crate) struct Text {
    pub(crate) name: String,
    /// For people: the name, and where it was read.
    pub(crate) loaded_from: String,
    pub(crate) text: String,
}

/// A file that the user names on the command line or in the environment.
pub(crate) fn read_named(path: &Path, what: &str) -> Result<Text, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read the {what} {name}");
        Failure::new(Kind::Config, message, error)
    })?;
    Ok(Text {
        // Reports show it.
        loaded_from: redacted(&name),
        name,
        text,
    })
}

/// Reads files of one place.
pub(crate) enum Reader<'r> {
    /// With what the checkout leaves out, once that was asked for.
    Disk(&'r Path, OnceCell<Option<Box<LeftOut>>>),
    Snapshot(Box<Snapshot<'r>>),
    Nowhere,
}

impl<'r> Reader<'r> {
    pub(crate) fn open(place: SettingsSource<'r>) -> Result<Self, Failure> {
        let fail = |error| unread(&error);
        Ok(match place {
            SettingsSource::Disk(root) => Self::Disk(root, OnceCell::new()),
            SettingsSource::Index(repository, index) => {
                Self::Snapshot(Box::new(Snapshot::of_index(repository, index)))
            }
            SettingsSource::Commit(repository, id) => {
                Self::Snapshot(Box::new(Snapshot::of_commit(repository, id).map_err(fail)?))
            }
            SettingsSource::Nowhere => Self::Nowhere,
        })
    }

    /// The text of the configuration of a folder. As in Git, a link is none, and nothing lies behind one: what it leads to
    /// speaks of its own folder.
    pub(crate) fn folder_text(
        &self,
        name: &BStr,
        place: SettingsSource<'_>,
    ) -> Result<Option<Text>, Failure> {
        if let Self::Disk(root, _) = self
            && has_link(root, name)
        {
            return Ok(None);
        }
        self.text(name, place)
    }

    /// Returns true if a folder is the root of another repository, for example a submodule.
    pub(crate) fn is_other_root(&self, folder: &BStr) -> bool {
        match self {
            Self::Disk(root, _) => root.join(folder.to_path_lossy()).join(".git").exists(),
            Self::Snapshot(_) | Self::Nowhere => false,
        }
    }

    /// The text of a file; `None` if it is not there.
    pub(crate) fn text(
        &self,
        name: &BStr,
        place: SettingsSource<'_>,
    ) -> Result<Option<Text>, Failure> {
        let mut whence = match place {
            SettingsSource::Index(..) => " (index)".to_owned(),
            SettingsSource::Commit(_, id) => format!(" ({})", id.to_hex_with_len(12)),
            SettingsSource::Disk(_) | SettingsSource::Nowhere => String::new(),
        };
        let bytes = match self {
            Self::Disk(root, left_out) => match read_below(root, name)? {
                None => match self::left_out(root, left_out, name)? {
                    Some((bytes, commit_id)) => {
                        whence = format!(" ({})", commit_id.to_hex_with_len(12));
                        Some(bytes)
                    }
                    None => None,
                },
                found => found,
            },
            Self::Snapshot(snapshot) => snapshot.read(name).map_err(|error| unread(&error))?,
            Self::Nowhere => None,
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let text = String::from_utf8(bytes).map_err(|error| {
            Failure::new(
                Kind::Config,
                format!("{name} is not UTF-8"),
                error.utf8_error(),
            )
        })?;
        Ok(Some(Text {
            name: name.to_string(),
            loaded_from: redacted(&format!("{name}{whence}")),
            text,
        }))
    }
}

/// Files of `HEAD` that a checkout leaves out: there is no index yet, or it marks them as absent from the disk.
pub(crate) struct LeftOut {
    repository: Repository,
    index: Index,
    commit_id: ObjectId,
}

impl LeftOut {
    /// `None` where all is checked out.
    fn of(root: &Path) -> Result<Option<Self>, Failure> {
        let dot_git = root.join(".git");
        // Most checkouts have all; to tell that takes no repository.
        let is_whole =
            dot_git.join("index").exists() && !dot_git.join("info/sparse-checkout").exists();
        if is_whole || !dot_git.exists() {
            return Ok(None);
        }
        let Ok(repository) = repository::open(root, &GitEnvironment::default()) else {
            // What is no repository has no commits, and what is broken the scan says.
            return Ok(None);
        };
        let index = Index::load(&repository).map_err(|error| unread(&error))?;
        let Ok(Some(commit_id)) = repository.head_id() else {
            return Ok(None);
        };
        Ok(Some(Self {
            repository,
            index,
            commit_id,
        }))
    }
}

/// A file that `HEAD` has and the checkout leaves out, with that commit.
fn left_out(
    root: &Path,
    known: &OnceCell<Option<Box<LeftOut>>>,
    name: &BStr,
) -> Result<Option<(Vec<u8>, ObjectId)>, Failure> {
    if known.get().is_none() {
        // It was empty a moment ago, and nobody else has it.
        let _ = known.set(LeftOut::of(root)?.map(Box::new));
    }
    let Some(known) = known.get().and_then(Option::as_ref) else {
        return Ok(None);
    };
    if known.repository.index_path().exists() && !known.index.leaves_out(name) {
        return Ok(None);
    }
    let snapshot = Snapshot::of_commit(&known.repository, known.commit_id);
    let snapshot = snapshot.map_err(|error| unread(&error))?;
    let bytes = snapshot.read(name).map_err(|error| unread(&error))?;
    Ok(bytes.map(|bytes| (bytes, known.commit_id)))
}

/// Something in which settings may be cannot be read, so that nobody knows what is excepted.
fn unread(error: &dyn std::error::Error) -> Failure {
    let hint =
        "configuration and baseline may be there: --no-config --no-baseline scans without them";
    Failure::of(Kind::System, error).hint(hint)
}

/// Returns true if a part of a path below `root` is a link.
fn has_link(root: &Path, name: &BStr) -> bool {
    let mut path = root.to_owned();
    name.split_str("/").any(|part| {
        path.push(part.to_path_lossy());
        path.is_symlink()
    })
}

/// A regular file below `root`; a link that leads out of it, a pipe or a device is refused.
fn read_below(root: &Path, name: &BStr) -> Result<Option<Vec<u8>>, Failure> {
    let path = root.join(name.to_path_lossy());
    let fail = |error| {
        let message = format!("cannot read {}", path.display());
        Failure::new(Kind::Config, message, error)
    };
    let real = match std::fs::canonicalize(&path) {
        Ok(real) => real,
        // A link to nowhere is there and cannot be read.
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => {
            return Ok(None);
        }
        // A commit may have paths that this disk cannot have.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotADirectory | ErrorKind::InvalidFilename
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(fail(error)),
    };
    let refuse = |why: &str| {
        let message = format!("{} {why}", path.display());
        Failure::bare(Kind::Config, message)
    };
    if !real.starts_with(std::fs::canonicalize(root).map_err(fail)?) {
        return Err(refuse("leads out of the repository"));
    }
    if !real.is_file() {
        return Err(refuse("is not a regular file"));
    }
    let file = std::fs::File::open(&real).map_err(fail)?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    if bytes.len() as u64 > LARGEST {
        return Err(refuse("is too large"));
    }
    Ok(Some(bytes))
}
