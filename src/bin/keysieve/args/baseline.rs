//! The words of `baseline`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keysieve::text::date::Date;

use super::Common;
use super::parse::parse_day;

/// Commands about the baseline.
#[derive(Debug, Subcommand)]
pub(crate) enum BaselineCommand {
    /// Accept all findings of a scan in a new baseline.
    Write(BaselineWriteArgs),
    /// Accept new findings as well; entries that are there stay as they are.
    Update(BaselineRekeyArgs),
    /// Name the entries that are unused or expired; exit status 1 if there is one.
    Check(BaselineArgs),
    /// Take out the entries that no finding needs any more.
    Prune(BaselineArgs),
    /// Accept what a .gitleaksignore, a JSON report of gitleaks or a detect-secrets baseline names.
    Import(BaselineImportArgs),
    /// Go through the new findings one by one: accept with a reason, or skip.
    Audit(BaselineArgs),
}

/// Content that is scanned for the baseline.
#[derive(Args, Debug)]
pub(crate) struct BaselineArgs {
    /// Scan the whole history instead of the files of the work tree.
    #[arg(long)]
    pub(crate) history: bool,
    /// Scan what is staged instead of the files of the work tree.
    #[arg(long, conflicts_with = "history")]
    pub(crate) staged: bool,
    /// With --history: scan the repositories of submodules as well.
    #[arg(long, requires = "history")]
    pub(crate) recurse_submodules: bool,
    /// Only what is found at these paths counts, written as for git log. All is read all the same.
    #[arg(value_name = "PATH", last = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Options of `baseline write`.
#[derive(Args, Debug)]
pub(crate) struct BaselineWriteArgs {
    /// Replace a baseline that is there, with all its reasons.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) update: BaselineUpdateArgs,
}

/// Options of `baseline update`.
#[derive(Args, Debug)]
pub(crate) struct BaselineRekeyArgs {
    /// Give entries the fingerprints that their findings have now: for rules that have another name, and for entries
    /// without secret=.
    #[arg(long)]
    pub(crate) rekey: bool,
    #[command(flatten)]
    pub(crate) update: BaselineUpdateArgs,
}

/// Options of commands that add entries.
#[derive(Args, Debug)]
pub(crate) struct BaselineUpdateArgs {
    /// Reason why the findings are accepted.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The last day on which the new entries count: YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = parse_day)]
    pub(crate) expires: Option<Date>,
    #[command(flatten)]
    pub(crate) target: BaselineArgs,
}

/// Options of `baseline import`.
#[derive(Args, Debug)]
pub(crate) struct BaselineImportArgs {
    /// The file to import. Its format is recognised by its content.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) target: BaselineArgs,
}
