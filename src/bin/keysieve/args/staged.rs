//! The words of `staged`.

use clap::Args;

use super::Common;

/// Options of `staged`.
#[derive(Args, Debug)]
pub(crate) struct StagedArgs {
    /// Report everything in the touched files, not only what they did not hold before.
    #[arg(long)]
    pub(crate) all: bool,
    /// Scan every tracked file as it is staged, touched or not.
    #[arg(long)]
    pub(crate) all_files: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

impl StagedArgs {
    /// The usual, with options that all commands have.
    pub(crate) fn of(common: Common) -> Self {
        Self {
            all: false,
            all_files: false,
            common,
        }
    }
}
