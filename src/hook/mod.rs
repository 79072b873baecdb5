//! Installs, removes and looks at Git hooks.
//!
//! It writes the scripts under `hooks/` with the program's path filled in, knows its own by a line in them,
//! keeps a hook that was there before and lets it run after it. It starts nothing, not even `git`: where hooks
//! are looked for is read from the configuration files. It knows nothing of rules and scans.

mod beside;
mod config;
mod error;
mod executable;
mod install;
mod manager;
pub mod message;
mod place;
pub mod refs;
mod script;
pub mod setting;
mod status;

use std::ffi::OsString;
use std::path::PathBuf;

pub use error::Error;
pub use install::{install, uninstall};
pub use manager::Manager;
pub use status::{State, Status, status};

/// The hooks that the program has a part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Before a commit: what is staged.
    PreCommit,
    /// Before the commit of a merge that had no conflict: what is staged.
    PreMergeCommit,
    /// Before a commit: its message.
    CommitMsg,
    /// Before a push: the commits that the other side does not have.
    PrePush,
    /// On a server, before a push is accepted.
    PreReceive,
}

impl Kind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[
        Self::PreCommit,
        Self::PreMergeCommit,
        Self::CommitMsg,
        Self::PrePush,
        Self::PreReceive,
    ];

    /// The name of the hook, which is that of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
            Self::PreReceive => "pre-receive",
        }
    }

    /// Returns true if Git runs it only where there is a work tree to commit from.
    pub fn needs_work_tree(self) -> bool {
        matches!(
            self,
            Self::PreCommit | Self::PreMergeCommit | Self::CommitMsg
        )
    }

    /// The hook of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Surroundings of the installer.
#[derive(Clone, Debug)]
pub struct HookContext {
    /// The absolute path of the program that the scripts shall run.
    pub program: PathBuf,
    /// The repository; not needed for the hooks of the whole account.
    pub repository: Option<RepositoryDirs>,
    /// Places of the configuration of the user and the system.
    pub user: UserConfig,
}

/// The directories of a repository.
#[derive(Clone, Debug)]
pub struct RepositoryDirs {
    /// The directory with `HEAD` and the index.
    pub git_dir: PathBuf,
    /// The directory with the configuration and, usually, the hooks.
    pub common_dir: PathBuf,
    /// The root of the work tree, if there is one.
    pub work_dir: Option<PathBuf>,
}

/// Places in which Git looks for the configuration that is not the repository's.
#[derive(Clone, Debug, Default)]
pub struct UserConfig {
    /// The home directory.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub xdg_config_home: Option<PathBuf>,
    /// `GIT_CONFIG_GLOBAL`: instead of the files of the user.
    pub global: Option<PathBuf>,
    /// `GIT_CONFIG_SYSTEM`: instead of the file of the system.
    pub system: Option<PathBuf>,
    /// `GIT_CONFIG_NOSYSTEM`: no file of the system.
    pub no_system: bool,
}

impl UserConfig {
    /// Reads the variables with `get`.
    pub fn from_env(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| get(name).map(PathBuf::from);
        let filled = |name: &str| path(name).filter(|path| !path.as_os_str().is_empty());
        let is_off = |value: &OsString| {
            ["", "0", "false", "no", "off"]
                .iter()
                .any(|word| value.eq_ignore_ascii_case(word))
        };
        Self {
            home: filled("HOME").or_else(|| filled("USERPROFILE")),
            xdg_config_home: filled("XDG_CONFIG_HOME"),
            // An empty value means no file at all, as for Git.
            global: path("GIT_CONFIG_GLOBAL"),
            system: path("GIT_CONFIG_SYSTEM"),
            no_system: get("GIT_CONFIG_NOSYSTEM").is_some_and(|value| !is_off(&value)),
        }
    }
}

/// Outcome for one hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The hook.
    pub kind: Kind,
    /// The file.
    pub path: PathBuf,
    /// The action taken.
    pub action: Action,
    /// The tool whose hook Git runs and which runs this file in turn.
    pub through: Option<Manager>,
    /// True if the file is one that is committed: then it takes the program from PATH, whoever runs it.
    pub is_shared: bool,
}

/// Action taken for a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The script was written.
    Installed,
    /// The script was written; what was there before is kept and runs after it.
    InstalledBeside {
        /// Path of the kept hook.
        kept: PathBuf,
        /// True if it runs: one that is not executable did not run before either.
        runs: bool,
    },
    /// An older script of ours was replaced.
    Updated,
    /// It was as it should be.
    Unchanged,
    /// A block was added to a script of husky's.
    BlockAdded,
    /// Another tool writes this hook: nothing was done.
    Managed {
        /// The tool.
        manager: Manager,
        /// True if its configuration runs this program already.
        is_active: bool,
        /// The file to change.
        file: PathBuf,
        /// Lines to add there.
        advice: String,
    },
    /// The script was taken away.
    Removed,
    /// The script was taken away and what was there before put back.
    Restored,
    /// The block was taken out of a script of husky's.
    BlockRemoved,
    /// There was nothing of ours.
    NotInstalled,
}
