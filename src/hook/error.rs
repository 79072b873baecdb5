//! Errors in installing, removing or examining hooks.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::Kind;

/// Reason why a hook could not be installed, removed or examined.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Hooks of a repository were asked for, and there is none.
    NoRepository,
    /// A configuration file could not be understood.
    Config {
        /// The file.
        path: PathBuf,
        /// Error of the reader.
        source: gix::Error,
    },
    /// `core.hooksPath` names a folder that is not in the repository.
    Outside {
        /// The folder.
        path: PathBuf,
        /// The configuration file that names it; `None` for the folder that Git uses by itself.
        file: Option<PathBuf>,
        /// True if that file is about all repositories.
        is_global: bool,
    },
    /// The hooks of all repositories were asked for, and no folder is set for them.
    NoGlobalFolder,
    /// A hook and the one it replaced are both foreign.
    BothExist {
        /// The hook.
        hook: PathBuf,
        /// The one that was kept.
        kept: PathBuf,
    },
    /// There is something else where a script should be.
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A script that would have to be changed in place is a symbolic link.
    Link {
        /// The path.
        path: PathBuf,
    },
    /// Nobody can commit where there is no work tree.
    NoWorkTree {
        /// The hook that was asked for.
        kind: Kind,
    },
    /// husky does not run this hook.
    NotWithHusky {
        /// The hook.
        kind: Kind,
    },
    /// The system refused.
    Io {
        /// The attempt: `read`, `write`, ...
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
}

impl Error {
    /// One line of what might help.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoRepository => Some(
                "go into a repository, or use --global for the folder that the global core.hooksPath names",
            ),
            Self::Outside {
                is_global: true, ..
            } => Some(
                "`keysieve hook install --global` installs there, for all repositories; `git config core.hooksPath .git/hooks` gives this repository its own again",
            ),
            Self::Outside { .. } => Some(
                "`git config --unset core.hooksPath` lets Git use the repository's own folder again",
            ),
            Self::NoGlobalFolder => Some(
                "`git config --global core.hooksPath ~/.config/git/hooks` sets one; Git then looks there instead of in each repository",
            ),
            Self::NoWorkTree { .. } => Some(
                "`keysieve hook install --pre-receive` is for a server; where the work tree is elsewhere, say so: GIT_WORK_TREE=DIR keysieve hook install",
            ),
            Self::BothExist { .. } => {
                Some("decide which of the two shall run, remove the other and install again")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRepository => write!(f, "there is no repository to install hooks in"),
            Self::Config { path, .. } => {
                write!(
                    f,
                    "cannot understand the configuration `{}`",
                    path.display()
                )
            }
            Self::Outside {
                path,
                file: Some(file),
                ..
            } => write!(
                f,
                "Git looks for hooks in `{}`, outside the repository, as `{}` says: nothing was written",
                path.display(),
                file.display()
            ),
            Self::Outside { path, .. } => write!(
                f,
                "the folder of the hooks leads to `{}`, outside the repository: nothing was written",
                path.display()
            ),
            Self::NoGlobalFolder => {
                write!(f, "no folder is set for the hooks of all repositories")
            }
            Self::BothExist { hook, kept } => write!(
                f,
                "neither `{}` nor `{}` is ours: nothing was written",
                hook.display(),
                kept.display()
            ),
            Self::NotAFile { path } => write!(f, "`{}` is not a file", path.display()),
            Self::Link { path } => write!(
                f,
                "`{}` is a symbolic link: nothing was written",
                path.display()
            ),
            Self::NoWorkTree { kind } => write!(
                f,
                "the repository has no work tree, so nobody commits in it and Git never runs a {} hook here",
                kind.name()
            ),
            Self::NotWithHusky { kind } => {
                write!(f, "husky does not run {} hooks", kind.name())
            }
            Self::Io { action, path, .. } => write!(f, "cannot {action} `{}`", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config { source, .. } => Some(source),
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
