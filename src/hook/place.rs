//! Where a hook goes, and who else writes there.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::config::hooks_path;
use super::{Error, HookContext, Kind, RepositoryDirs};

/// A hook of this many bytes is not one.
const MAX_SCRIPT: u64 = 1 << 20;

/// Another tool that writes hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// lefthook, which writes hooks from `lefthook.yml`.
    Lefthook,
    /// The framework at pre-commit.com.
    PreCommit,
}

impl Manager {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lefthook => "lefthook",
            Self::PreCommit => "pre-commit",
        }
    }

    /// What to add to its configuration.
    pub(super) fn advice(self, kind: Kind) -> String {
        let name = kind.name();
        match self {
            Self::Lefthook => {
                let more = match kind {
                    Kind::CommitMsg => " {1}",
                    Kind::PrePush => "\n      use_stdin: true",
                    _ => "",
                };
                format!(
                    "{name}:\n  commands:\n    keysieve:\n      run: keysieve hook run {name}{more}\n"
                )
            }
            Self::PreCommit => {
                // For a push the framework gives the range in the environment, not on standard input.
                let (run, names) = match kind {
                    Kind::CommitMsg => ("commit-msg", true),
                    _ => ("pre-commit", false),
                };
                format!(
                    "- repo: local\n  hooks:\n  - id: keysieve-{name}\n    name: keysieve\n    entry: keysieve hook run {run}\n    \
                     language: system\n    pass_filenames: {names}\n    always_run: true\n    stages: [{name}]\n"
                )
            }
        }
    }
}

/// Where hooks of a repository, or of all repositories, go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Scripts in a folder.
    Folder(PathBuf),
    /// husky's folder, whose scripts husky runs.
    Husky {
        /// The folder.
        dir: PathBuf,
        /// Whether Git runs the scripts itself, as up to husky 8.
        is_direct: bool,
    },
}

/// Finds the place; it lies inside the repository unless it is that of all repositories.
pub(super) fn find(context: &HookContext, global: bool) -> Result<Place, Error> {
    if global {
        let found = hooks_path(context, None)?;
        return match found.map(|found| found.path) {
            Some(path) if path.is_absolute() => Ok(Place::Folder(path)),
            _ => Err(Error::NoGlobalFolder),
        };
    }
    let dirs = context.repository.as_ref().ok_or(Error::NoRepository)?;
    let Some(found) = hooks_path(context, Some(dirs))? else {
        let dir = dirs.common_dir.join("hooks");
        return if is_inside(&dir, dirs)? {
            Ok(Place::Folder(dir))
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
        _ => Ok(Place::Folder(dir)),
    }
}

/// The folder that Git uses unless it is told otherwise, if it lies in the repository.
pub(super) fn own_folder(context: &HookContext, global: bool) -> Result<Option<PathBuf>, Error> {
    let Some(dirs) = context.repository.as_ref().filter(|_| !global) else {
        return Ok(None);
    };
    let dir = dirs.common_dir.join("hooks");
    Ok(is_inside(&dir, dirs)?.then_some(dir))
}

/// Whether a folder, symbolic links followed, lies inside the repository.
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

/// Another tool's hold on a hook.
pub(super) struct Managed {
    pub(super) manager: Manager,
    /// Whether its configuration names this program.
    pub(super) is_active: bool,
    /// Its configuration.
    pub(super) file: PathBuf,
}

/// Finds the tool that writes a hook, by the hook's text or by its configuration in the work tree.
pub(super) fn managed(
    text: Option<&[u8]>,
    kind: Kind,
    work_dir: Option<&Path>,
) -> Result<Option<Managed>, Error> {
    use bstr::ByteSlice as _;
    if kind == Kind::PreReceive {
        return Ok(None);
    }
    let has = |word: &str| text.is_some_and(|text| text.contains_str(word));
    let at_root = |name: &str| work_dir.unwrap_or(Path::new("")).join(name);
    if has("File generated by pre-commit: https://pre-commit.com") {
        return managed_by(Manager::PreCommit, at_root(".pre-commit-config.yaml")).map(Some);
    }
    let config = work_dir.and_then(|_| {
        let stems = ["lefthook", ".lefthook", ".config/lefthook"];
        let endings = ["yml", "yaml", "toml", "json", "jsonc"];
        stems
            .iter()
            .flat_map(|stem| endings.map(|ending| at_root(&format!("{stem}.{ending}"))))
            .find(|path| path.is_file())
    });
    match config {
        Some(file) => managed_by(Manager::Lefthook, file).map(Some),
        None if has("lefthook") => managed_by(Manager::Lefthook, at_root("lefthook.yml")).map(Some),
        None => Ok(None),
    }
}

fn managed_by(manager: Manager, file: PathBuf) -> Result<Managed, Error> {
    use bstr::ByteSlice as _;
    let text = read_script(&file)?.unwrap_or_default();
    Ok(Managed {
        manager,
        is_active: text.contains_str("keysieve"),
        file,
    })
}
