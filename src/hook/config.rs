//! Git's configuration files, of which the last one wins, and `core.hooksPath` in them: where Git looks for hooks.
//!
//! Conditions on the branch (`includeIf.onbranch`) are taken not to hold. For `core.hooksPath` values given by the
//! environment or on a command line of `git` are not looked at: they pass, a hook stays.

use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice as _};

use super::{Error, HookContext, RepositoryDirs, UserConfig};

/// Value of `core.hooksPath`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HooksPath {
    /// Absolute, unless it is meant from the root of each work tree.
    pub(super) path: PathBuf,
    /// The configuration file that says so.
    pub(super) file: PathBuf,
    /// True if that file is about all repositories.
    pub(super) is_global: bool,
}

/// Returns the value in force for the repository, or, without one, for all repositories.
pub(super) fn hooks_path(
    context: &HookContext,
    repository: Option<&RepositoryDirs>,
) -> Result<Option<HooksPath>, Error> {
    let mut files: Vec<(PathBuf, bool)> = global_files(&context.user)
        .into_iter()
        .map(|file| (file, true))
        .collect();
    if let Some(dirs) = repository {
        files.extend(
            own_files(context, dirs)?
                .into_iter()
                .map(|file| (file, false)),
        );
    }
    let mut found = None;
    for (file, is_global) in files {
        if let Some(config) = read(&file, context, repository)?
            && let Some(path) = path_in(&config, context, &file)?
        {
            found = Some(HooksPath {
                path,
                file,
                is_global,
            });
        }
    }
    Ok(found)
}

/// Returns the value of a key in one file; a key without a value is true.
pub(super) fn value_in(
    path: &Path,
    context: &HookContext,
    key: &str,
) -> Result<Option<BString>, Error> {
    // Most files say nothing to this program, and a hook has no time.
    let may_say = |bytes: &[u8]| {
        let bytes = bytes.to_ascii_lowercase();
        ["keysieve", "include"]
            .iter()
            .any(|word| bytes.contains_str(word))
    };
    if std::fs::read(path).is_ok_and(|bytes| !may_say(&bytes)) {
        return Ok(None);
    }
    let config = read(path, context, context.repository.as_ref())?;
    Ok(config.and_then(|config| {
        let value = config.string(key);
        value.or_else(|| {
            config
                .boolean(key)
                .is_ok_and(|is_on| is_on.is_some())
                .then(|| "true".into())
        })
    }))
}

/// The files of a repository.
pub(super) fn own_files(
    context: &HookContext,
    dirs: &RepositoryDirs,
) -> Result<Vec<PathBuf>, Error> {
    let file = dirs.common_dir.join("config");
    let own = dirs.git_dir.join("config.worktree");
    let mut files = vec![file];
    // Without that file there is nothing to ask for.
    if own.exists()
        && let Some(config) = read(&files[0], context, Some(dirs))?
        && config
            .boolean("extensions.worktreeConfig")
            .map_err(|source| Error::Config {
                path: files[0].clone(),
                source,
            })?
            .unwrap_or(false)
    {
        files.push(own);
    }
    Ok(files)
}

/// The files of the system and the user, in the order in which Git reads them.
pub(super) fn global_files(user: &UserConfig) -> Vec<PathBuf> {
    let mut files = Vec::new();
    if !user.no_system {
        match &user.system {
            Some(file) => files.push(file.clone()),
            None if cfg!(windows) => {}
            None => files.push(PathBuf::from("/etc/gitconfig")),
        }
    }
    if let Some(file) = &user.global {
        files.push(file.clone());
    } else {
        let xdg = user
            .xdg_config_home
            .clone()
            .or_else(|| user.home.as_ref().map(|home| home.join(".config")));
        files.extend(xdg.map(|dir| dir.join("git").join("config")));
        files.extend(user.home.as_ref().map(|home| home.join(".gitconfig")));
    }
    files.retain(|file| !file.as_os_str().is_empty());
    files
}

/// One file with what it includes; `None` if there is none.
fn read(
    path: &Path,
    context: &HookContext,
    repository: Option<&RepositoryDirs>,
) -> Result<Option<gix::config::File>, Error> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(Error::Io {
                action: "read",
                path: path.to_owned(),
                source,
            });
        }
    }
    let conditional = gix::config::file::includes::conditional::Context {
        git_dir: repository.map(|dirs| dirs.git_dir.as_path()),
        branch_name: None,
    };
    let options = gix::config::file::init::Options {
        includes: gix::config::file::includes::Options::follow(interpolate(context), conditional),
        ..Default::default()
    };
    let metadata = gix::config::file::Metadata::from(gix::config::Source::Local)
        .at(path)
        .with(gix::sec::Trust::Full);
    gix::config::File::from_paths_metadata(Some(metadata), options).map_err(|source| {
        Error::Config {
            path: path.to_owned(),
            source,
        }
    })
}

/// Values that `~` and the like expand to.
fn interpolate(context: &HookContext) -> gix::config::path::interpolate::Context<'_> {
    gix::config::path::interpolate::Context {
        home_dir: context.user.home.as_deref(),
        ..Default::default()
    }
}

fn path_in(
    config: &gix::config::File,
    context: &HookContext,
    file: &Path,
) -> Result<Option<PathBuf>, Error> {
    match config.path("core.hooksPath") {
        // Git takes the empty path for a folder without hooks.
        Some(value) if value.is_empty() => Ok(Some(PathBuf::new())),
        Some(value) => value
            .interpolate(interpolate(context))
            .map(Some)
            .map_err(|source| Error::Config {
                path: file.to_owned(),
                source,
            }),
        None => Ok(None),
    }
}
