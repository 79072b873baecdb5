//! Finds the repository that a path belongs to, as Git does, from files alone: nothing is executed and
//! ownership does not matter, since nothing in the repository is trusted to run anything.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::content::{is_special, read_regular};

/// A `.git` file or a `commondir` file is one line; what is longer is none.
const SMALL_FILE: u64 = 1 << 20;

/// The variables by which Git tells its hooks where things are. Relative paths are meant as Git means them:
/// those of the repository and its work tree from the current directory, the others from the root of the work
/// tree, to which Git goes before it uses them.
///
/// A caller whose user named a repository passes `GitEnvironment::default()`: what the environment says
/// is about the repository that the current directory belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitEnvironment {
    /// `GIT_DIR`.
    pub git_dir: Option<PathBuf>,
    /// `GIT_COMMON_DIR`.
    pub common_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`.
    pub work_tree: Option<PathBuf>,
    /// `GIT_INDEX_FILE`.
    pub index_file: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY`: while a push is received, the quarantine.
    pub object_directory: Option<PathBuf>,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`, unparsed.
    pub alternate_object_directories: Option<OsString>,
    /// `GIT_SHALLOW_FILE`.
    pub shallow_file: Option<PathBuf>,
    /// `GIT_CEILING_DIRECTORIES`, split.
    pub ceiling_directories: Vec<PathBuf>,
}

impl GitEnvironment {
    /// Reads the variables with `get`. An empty value is as good as none, except where Git says otherwise.
    pub fn from_env(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let value = |name: &str| get(name).filter(|value| !value.is_empty());
        let path = |name: &str| value(name).map(PathBuf::from);
        Self {
            git_dir: path("GIT_DIR"),
            common_dir: path("GIT_COMMON_DIR"),
            work_tree: path("GIT_WORK_TREE"),
            index_file: path("GIT_INDEX_FILE"),
            object_directory: path("GIT_OBJECT_DIRECTORY"),
            alternate_object_directories: value("GIT_ALTERNATE_OBJECT_DIRECTORIES"),
            shallow_file: path("GIT_SHALLOW_FILE"),
            ceiling_directories: value("GIT_CEILING_DIRECTORIES")
                .map(|list| {
                    std::env::split_paths(&list)
                        .filter(|path| path.is_absolute())
                        .collect()
                })
                .unwrap_or_default(),
        }
    }
}

/// Paths of a repository's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The directory with `HEAD` and the index.
    pub(crate) git_dir: PathBuf,
    /// The directory with the objects and the configuration: the same, linked worktrees apart.
    pub(crate) common_dir: PathBuf,
    /// The directory that holds `.git`, before the configuration had its say.
    pub(crate) work_dir: Option<PathBuf>,
}

/// Finds the repository of `path`: the one that the environment names, else upwards from `path`.
pub(crate) fn locate(path: &Path, env: &GitEnvironment) -> Result<Location, Error> {
    if let Some(git_dir) = &env.git_dir {
        let named = absolute(git_dir)?;
        let git_dir = if named.is_file() {
            read_git_file(&named)?
        } else {
            named.clone()
        };
        let work_dir = linked_work_dir(&git_dir)?;
        return match location(git_dir, work_dir, env)? {
            Some(found) => Ok(found),
            None => Err(Error::Invalid { path: named }),
        };
    }
    let start = absolute(path)?;
    // A symbolic link into a repository: what is above its target counts, as for `cd` and Git.
    let start = std::fs::canonicalize(&start).map_err(|source| Error::Unreadable {
        path: start,
        source,
    })?;
    let mut dir = Some(start.as_path());
    while let Some(here) = dir {
        if let Some(found) = look_at(here, env)? {
            return Ok(found);
        }
        dir = here.parent().filter(|parent| {
            !env.ceiling_directories
                .iter()
                .any(|ceiling| ceiling == parent)
        });
    }
    Err(Error::NotFound {
        path: path.to_owned(),
    })
}

fn look_at(dir: &Path, env: &GitEnvironment) -> Result<Option<Location>, Error> {
    let dot_git = dir.join(".git");
    if dot_git.is_file() {
        let git_dir = read_git_file(&dot_git)?;
        return match location(git_dir, Some(dir.to_owned()), env)? {
            Some(found) => Ok(Some(found)),
            None => Err(Error::Invalid { path: dot_git }),
        };
    }
    if let Some(found) = location(dot_git, Some(dir.to_owned()), env)? {
        return Ok(Some(found));
    }
    location(dir.to_owned(), linked_work_dir(dir)?, env)
}

/// The location if `git_dir` is a repository: it has `HEAD`, and its common directory has the rest.
fn location(
    git_dir: PathBuf,
    work_dir: Option<PathBuf>,
    env: &GitEnvironment,
) -> Result<Option<Location>, Error> {
    // `HEAD` may be a dangling symbolic link in very old repositories.
    if git_dir.join("HEAD").symlink_metadata().is_err() {
        return Ok(None);
    }
    let common_dir = match &env.common_dir {
        Some(dir) => absolute(dir)?,
        None => match read_path(&git_dir.join("commondir"))? {
            Some(dir) => clean(&git_dir.join(dir)),
            None => git_dir.clone(),
        },
    };
    let objects = env.object_directory.is_some() || common_dir.join("objects").is_dir();
    if !objects || !common_dir.join("refs").exists() {
        return Ok(None);
    }
    // What others open plainly: a FIFO would be waited for and a device never ends.
    for (dir, name) in [
        (&git_dir, "HEAD"),
        (&git_dir, "config.worktree"),
        (&common_dir, "config"),
        (&common_dir, "packed-refs"),
        (&common_dir, "shallow"),
    ] {
        let path = dir.join(name);
        if is_special(&path) {
            let source = std::io::Error::other("it is not a regular file");
            return Err(Error::Unreadable { path, source });
        }
    }
    Ok(Some(Location {
        git_dir,
        common_dir,
        work_dir,
    }))
}

/// The work tree of a Git directory that was named itself: what `gitdir` says, or the parent of `.git`.
fn linked_work_dir(git_dir: &Path) -> Result<Option<PathBuf>, Error> {
    if git_dir.join("commondir").is_file()
        && let Some(dot_git) = read_path(&git_dir.join("gitdir"))?
    {
        return Ok(clean(&git_dir.join(dot_git)).parent().map(Path::to_owned));
    }
    let is_dot_git = git_dir.file_name() == Some(OsStr::new(".git"));
    Ok(git_dir.parent().filter(|_| is_dot_git).map(Path::to_owned))
}

/// Reads a `.git` file: `gitdir: PATH`.
fn read_git_file(path: &Path) -> Result<PathBuf, Error> {
    let bytes = read_small(path)?.unwrap_or_default();
    let target = bytes
        .strip_prefix(b"gitdir: ")
        .map(|rest| rest.trim_ascii_end())
        .filter(|rest| !rest.is_empty());
    match target.map(path_from_bytes) {
        Some(Some(target)) => Ok(clean(&path.parent().unwrap_or(Path::new("")).join(target))),
        _ => Err(Error::Invalid {
            path: path.to_owned(),
        }),
    }
}

/// Reads a file whose only line is a path; `None` if there is no such file.
fn read_path(path: &Path) -> Result<Option<PathBuf>, Error> {
    let Some(bytes) = read_small(path)? else {
        return Ok(None);
    };
    match path_from_bytes(bytes.trim_ascii_end()) {
        Some(target) if !target.as_os_str().is_empty() => Ok(Some(target)),
        _ => Err(Error::Invalid {
            path: path.to_owned(),
        }),
    }
}

/// Reads a regular file of at most a megabyte; `None` if there is none. FIFOs are not opened.
pub(crate) fn read_small(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: path.to_owned(),
        source,
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= SMALL_FILE => {
            read_regular(path).map(Some).map_err(unreadable)
        }
        Ok(_) => Err(Error::Invalid {
            path: path.to_owned(),
        }),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(unreadable(error)),
    }
}

/// Returns true if the system says that there is nothing at a path.
pub(crate) fn is_absent(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
    )
}

/// A path as Git writes it; `None` where the system cannot have such a path.
pub(crate) fn path_from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    use bstr::ByteSlice as _;
    bytes.to_path().ok().map(Path::to_owned)
}

pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path)
        .map(|path| clean(&path))
        .map_err(|source| Error::Unreadable {
            path: path.to_owned(),
            source,
        })
}

/// Takes `.` and, where no symbolic link is in the way, `..` out of a path.
fn clean(path: &Path) -> PathBuf {
    if path.components().any(|part| part.as_os_str() == "..") {
        std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
    } else {
        path.components().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_none() {
        let env = GitEnvironment::from_env(|name| match name {
            "GIT_DIR" => Some(OsString::new()),
            "GIT_INDEX_FILE" => Some(OsString::from("x")),
            _ => None,
        });
        assert_eq!(env.git_dir, None);
        assert_eq!(env.index_file, Some(PathBuf::from("x")));
    }
}
