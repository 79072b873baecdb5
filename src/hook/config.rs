//! Where Git looks for hooks: `core.hooksPath` of the configuration files, the last of which wins.
//!
//! Conditions on the branch (`includeIf.onbranch`) are taken not to hold, and values given by the environment
//! or on a command line of `git` are not looked at: they pass, a hook stays.

use std::path::{Path, PathBuf};

use super::{Error, HookContext, RepositoryDirs};

/// What `core.hooksPath` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HooksPath {
    /// Absolute, unless it is meant from the root of each work tree.
    pub(super) path: PathBuf,
    /// The configuration file that says so.
    pub(super) file: PathBuf,
    /// Whether that file is about all repositories.
    pub(super) is_global: bool,
}

/// What is in force for the repository, or, without one, for all repositories.
pub(super) fn hooks_path(
    context: &HookContext,
    repository: Option<&RepositoryDirs>,
) -> Result<Option<HooksPath>, Error> {
    let mut found = None;
    for file in global_files(context) {
        if let Some(path) = read(&file, context, repository)?.hooks_path {
            found = Some(HooksPath {
                path,
                file,
                is_global: true,
            });
        }
    }
    let Some(dirs) = repository else {
        return Ok(found);
    };
    let file = dirs.common_dir.join("config");
    let local = read(&file, context, repository)?;
    let mut own = vec![(file, local.hooks_path)];
    if local.has_worktree_config {
        let file = dirs.git_dir.join("config.worktree");
        let path = read(&file, context, repository)?.hooks_path;
        own.push((file, path));
    }
    for (file, path) in own {
        if let Some(path) = path {
            found = Some(HooksPath {
                path,
                file,
                is_global: false,
            });
        }
    }
    Ok(found)
}

/// The files of the system and the user, in the order in which Git reads them.
fn global_files(context: &HookContext) -> Vec<PathBuf> {
    let user = &context.user;
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

#[derive(Default)]
struct Values {
    hooks_path: Option<PathBuf>,
    has_worktree_config: bool,
}

fn read(
    path: &Path,
    context: &HookContext,
    repository: Option<&RepositoryDirs>,
) -> Result<Values, Error> {
    let wrong = |source: gix::Error| Error::Config {
        path: path.to_owned(),
        source,
    };
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(Values::default()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Values::default()),
        Err(source) => {
            return Err(Error::Io {
                action: "read",
                path: path.to_owned(),
                source,
            });
        }
    }
    let interpolate = gix::config::path::interpolate::Context {
        home_dir: context.user.home.as_deref(),
        ..Default::default()
    };
    let conditional = gix::config::file::includes::conditional::Context {
        git_dir: repository.map(|dirs| dirs.git_dir.as_path()),
        branch_name: None,
    };
    let options = gix::config::file::init::Options {
        includes: gix::config::file::includes::Options::follow(interpolate, conditional),
        ..Default::default()
    };
    let metadata = gix::config::file::Metadata::from(gix::config::Source::Local)
        .at(path)
        .with(gix::sec::Trust::Full);
    let Some(file) =
        gix::config::File::from_paths_metadata(Some(metadata), options).map_err(wrong)?
    else {
        return Ok(Values::default());
    };
    let hooks_path = match file.path("core.hooksPath") {
        // Git takes the empty path for a folder without hooks.
        Some(value) if value.is_empty() => Some(PathBuf::new()),
        Some(value) => Some(value.interpolate(interpolate).map_err(wrong)?),
        None => None,
    };
    let has_worktree_config = file
        .boolean("extensions.worktreeConfig")
        .map_err(wrong)?
        .unwrap_or(false);
    Ok(Values {
        hooks_path,
        has_worktree_config,
    })
}
