//! The folder of a hook, and the tools that write there.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::config::hooks_path;
use super::{Error, HookContext, RepositoryDirs};

/// A hook of this many bytes is not one.
const MAX_SCRIPT: u64 = 1 << 20;

/// Folder for the hooks of a repository, or of all repositories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Scripts in a folder.
    Folder {
        /// The folder.
        dir: PathBuf,
        /// True if it is a part of the work tree, so that its scripts are committed and run for others too.
        is_shared: bool,
    },
    /// husky's folder, whose scripts husky runs.
    Husky {
        /// The folder.
        dir: PathBuf,
        /// True if Git runs the scripts itself, as up to husky 8.
        is_direct: bool,
    },
}

/// Finds the place; it lies inside the repository unless it is that of all repositories.
pub(super) fn find(context: &HookContext, global: bool) -> Result<Place, Error> {
    if global {
        let found = hooks_path(context, None)?;
        return match found.map(|found| found.path) {
            Some(dir) if dir.is_absolute() => Ok(Place::Folder {
                dir,
                is_shared: false,
            }),
            _ => Err(Error::NoGlobalFolder),
        };
    }
    let dirs = context.repository.as_ref().ok_or(Error::NoRepository)?;
    let Some(found) = hooks_path(context, Some(dirs))? else {
        let dir = dirs.common_dir.join("hooks");
        return if is_inside(&dir, dirs)? {
            Ok(Place::Folder {
                dir,
                is_shared: false,
            })
        } else {
            Err(Error::Outside {
                path: real(&dir).unwrap_or(dir),
                file: None,
                is_global: false,
            })
        };
    };
    let root = dirs.work_dir.as_ref().unwrap_or(&dirs.git_dir);
    let dir = root.join(&found.path);
    if found.path.as_os_str().is_empty() || !is_inside(&dir, dirs)? {
        return Err(Error::Outside {
            path: found.path,
            file: Some(found.file),
            is_global: found.is_global,
        });
    }
    let husky = Some(OsStr::new(".husky"));
    if dir.file_name() == husky {
        return Ok(Place::Husky {
            dir,
            is_direct: true,
        });
    }
    match dir.parent() {
        Some(parent) if parent.file_name() == husky && dir.file_name() == Some(OsStr::new("_")) => {
            Ok(Place::Husky {
                dir: parent.to_owned(),
                is_direct: false,
            })
        }
        _ => Ok(Place::Folder {
            is_shared: is_shared(&dir, dirs),
            dir,
        }),
    }
}

/// Returns the folder that Git uses by default, if it lies in the repository.
pub(super) fn own_folder(context: &HookContext, global: bool) -> Result<Option<PathBuf>, Error> {
    let Some(dirs) = context.repository.as_ref().filter(|_| !global) else {
        return Ok(None);
    };
    let dir = dirs.common_dir.join("hooks");
    Ok(is_inside(&dir, dirs)?.then_some(dir))
}

/// Returns true if a folder, symbolic links followed, lies inside the repository.
fn is_inside(dir: &Path, dirs: &RepositoryDirs) -> Result<bool, Error> {
    let Some(dir) = real(dir) else {
        return Ok(false);
    };
    for root in [Some(&dirs.common_dir), dirs.work_dir.as_ref()]
        .into_iter()
        .flatten()
    {
        let root = fs::canonicalize(root).map_err(|source| Error::Io {
            action: "look at",
            path: root.clone(),
            source,
        })?;
        if dir.starts_with(root) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns true if a folder lies in the work tree and not in the Git directory.
fn is_shared(dir: &Path, dirs: &RepositoryDirs) -> bool {
    let is_in = |root: &Path| match (real(dir), real(root)) {
        (Some(dir), Some(root)) => dir.starts_with(root),
        _ => false,
    };
    dirs.work_dir.as_deref().is_some_and(is_in) && !is_in(&dirs.common_dir) && !is_in(&dirs.git_dir)
}

/// The path without symbolic links, as far as it exists; `None` if nobody can say where it leads.
fn real(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = fs::canonicalize(path) {
        return Some(real);
    }
    // A dangling link, or `..` below something that does not exist yet, may lead anywhere.
    let last = match path.components().next_back()? {
        Component::Normal(last) => last,
        _ => return None,
    };
    if fs::symlink_metadata(path).is_ok() {
        return None;
    }
    Some(real(path.parent()?)?.join(last))
}

/// The bytes of a hook; `None` if there is none.
pub(super) fn read_script(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let failed = |source: io::Error| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_SCRIPT => {
            fs::read(path).map(Some).map_err(failed)
        }
        // A foreign program of any size, or a link that leads nowhere: there, and not ours.
        Ok(metadata) if metadata.is_file() => Ok(Some(Vec::new())),
        Ok(_) => Err(Error::NotAFile {
            path: path.to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(fs::symlink_metadata(path).is_ok().then(Vec::new))
        }
        Err(error) => Err(failed(error)),
    }
}
