//! The words of `scan` and `explain`.

use std::path::PathBuf;

use clap::Args;

use super::parse::parse_size;
use super::{Common, Found};

/// Which files of a directory are read.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Walk {
    /// Scan what ignore rules name as well.
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Follow symbolic links.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Skip files of more bytes, and say so; K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_file_size: Option<u64>,
}

/// Options of `scan`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ScanArgs {
    /// Directories and files; `-` is standard input. What is named here is scanned even if ignored.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Scan the files and directories that a list names, one a line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "path", "explain"])]
    pub(crate) files_from: Option<PathBuf>,
    /// With --files-from: names end with a zero byte in place of a line feed, as git ls-files -z writes them.
    #[arg(short = '0', long, requires = "files_from")]
    pub(crate) null: bool,
    /// The name that standard input is reported under.
    #[arg(long, value_name = "NAME")]
    pub(crate) path: Option<String>,
    #[command(flatten)]
    pub(crate) walk: Walk,
    /// Take the scan as incomplete where a submodule is not checked out. Those that are, are scanned in any case.
    #[arg(long)]
    pub(crate) recurse_submodules: bool,
    /// The same as keysieve explain PATH[:LINE].
    #[arg(long, value_name = "PATH[:LINE]", conflicts_with_all = ["report", "path"])]
    pub(crate) explain: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl ScanArgs {
    /// The usual for some paths, with options that all commands have.
    pub(crate) fn of(paths: Vec<PathBuf>, common: Common) -> Self {
        Self {
            paths,
            files_from: None,
            null: false,
            path: None,
            walk: Walk::default(),
            recurse_submodules: false,
            explain: None,
            common,
        }
    }
}

/// Options of `explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The file, and the line if not all of them are meant.
    #[arg(value_name = "PATH[:LINE]")]
    pub(crate) place: PathBuf,
    #[command(flatten)]
    pub(crate) walk: Walk,
    /// Leave out paths, in the syntax of .gitignore; can be repeated.
    #[arg(long, value_name = "GLOB", help_heading = "What counts")]
    pub(crate) exclude: Vec<String>,
    /// Add the rules of a file, or replace built-in ones of the same id; can be repeated.
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) found: Found,
}

impl ExplainArgs {
    /// The options of a scan that the answer depends on; the others are as usual.
    pub(crate) fn common(&self) -> Common {
        Common {
            exclude: self.exclude.clone(),
            rules: self.rules.clone(),
            found: self.found.clone(),
            ..Common::default()
        }
    }
}
