//! The words of `trail`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::parse::parse_threads;

/// Commands about CloudTrail logs.
#[derive(Debug, Subcommand)]
pub(crate) enum TrailCommand {
    /// Print the events of access keys as JSON Lines; exit status 1 if there is one.
    #[command(
        after_help = "Example: keysieve trail find KEY_ID AWSLogs/ > events.jsonl\n\nThe events go to standard output, by time and \
                      event ID, without session tokens; what was read and covered goes to standard error."
    )]
    Find(TrailFindArgs),
    /// Write an index of the keys in logs, or bring it up to date.
    Index(TrailIndexArgs),
    /// Join several indexes into one.
    Merge(TrailMergeArgs),
    /// Say which accounts, regions, days and kinds of events logs cover.
    Coverage(TrailCoverageArgs),
}

/// Options of `trail find`.
#[derive(Args, Debug)]
pub(crate) struct TrailFindArgs {
    /// Access key IDs, and logs: files (plain or gzip) and directories.
    #[arg(value_name = "KEY_ID|PATH", required = true)]
    pub(crate) targets: Vec<OsString>,
    /// Find what descends from the keys as well: sessions, keys and users they made, calls that services made for them.
    #[arg(long)]
    pub(crate) lineage: bool,
    /// Read only the files that this index does not rule out.
    #[arg(long, value_name = "FILE")]
    pub(crate) index: Option<PathBuf>,
    /// Number of threads; by default what the machine has.
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
}

/// Options of `trail index`.
#[derive(Args, Debug)]
pub(crate) struct TrailIndexArgs {
    /// Logs: files (plain or gzip) and directories.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The index. If it is there, only new and changed files are read.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Number of threads; by default what the machine has.
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
}

/// Options of `trail merge`.
#[derive(Args, Debug)]
pub(crate) struct TrailMergeArgs {
    /// Indexes. Of two entries for one file the later counts.
    #[arg(value_name = "INDEX", required = true)]
    pub(crate) indexes: Vec<PathBuf>,
    /// File for the joined index.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// Options of `trail coverage`.
#[derive(Args, Debug)]
pub(crate) struct TrailCoverageArgs {
    /// Logs: files (plain or gzip) and directories.
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Number of threads; by default what the machine has.
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
}
