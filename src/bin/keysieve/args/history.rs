//! The words of `history`.

use std::path::PathBuf;

use clap::Args;

use super::Common;
use super::parse::parse_size;

/// Options of `history`.
#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// The repository, or a directory in it.
    #[arg(value_name = "REPO", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// Report only what was found at these paths, written as for git log: relative to REPO, a folder for all below
    /// it. All is read all the same.
    #[arg(value_name = "PATH", last = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Skip objects of more bytes, and say so; K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_object_size: Option<u64>,
    /// Make sure that whatever any tree names is there, however large the packs; without it, packs of more
    /// than 20,000 trees are taken as whole unless something else is missing.
    #[arg(long, conflicts_with_all = ["ranges", "reachable", "branch", "since"])]
    pub(crate) connectivity: bool,
    /// Scan the repositories of submodules as well, and theirs. One that is not here makes the scan incomplete.
    #[arg(long, conflicts_with_all = ["ranges", "branch"])]
    pub(crate) recurse_submodules: bool,
    /// Write the values that were found, as git filter-repo --replace-text takes them, to a new file that only its
    /// owner may read. It holds the secrets as they are.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ranges", "branch", "since", "recurse_submodules"])]
    pub(crate) replace_text: Option<PathBuf>,
    /// Remember in DIR which objects were clean, and read only what is new next time.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["ranges", "reachable", "branch", "since"]
    )]
    pub(crate) cache: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl HistoryArgs {
    /// The usual for the repository of the current directory, with options that all commands have.
    pub(crate) fn of(common: Common) -> Self {
        Self {
            repository: PathBuf::from("."),
            paths: Vec::new(),
            max_object_size: None,
            connectivity: false,
            recurse_submodules: false,
            replace_text: None,
            cache: None,
            limits: Limits::default(),
            common,
        }
    }
}

/// Selection of a part of the history. The default is all of it, unreachable objects included.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Limits {
    /// Scan what these commits add: A..B, A...B, a revision with all before it, or auto, which asks the
    /// environment of a CI system; can be repeated.
    #[arg(
        long,
        value_name = "A..B",
        help_heading = "Which history",
        group = "ranges"
    )]
    pub(crate) range: Vec<String>,
    /// The same as --range A..HEAD.
    #[arg(
        long,
        value_name = "A",
        help_heading = "Which history",
        group = "ranges"
    )]
    pub(crate) since_commit: Vec<String>,
    /// With --range: also report secrets that the touched files had before.
    #[arg(long, help_heading = "Which history", requires = "ranges")]
    pub(crate) all: bool,
    /// Scan only what references reach: branches, tags, notes, stashes, heads of work trees.
    #[arg(long, help_heading = "Which history", conflicts_with = "ranges")]
    pub(crate) reachable: bool,
    /// Scan only what this branch, tag or reference reaches; can be repeated.
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "Which history",
        conflicts_with = "ranges"
    )]
    pub(crate) branch: Vec<String>,
    /// Scan only what reachable commits since then bring in: 2024-05-31, 30d, 2 weeks ago.
    #[arg(
        long,
        value_name = "DATE",
        help_heading = "Which history",
        conflicts_with = "ranges"
    )]
    pub(crate) since: Option<String>,
}
