//! The words of the commands that write about the program itself: `completions` and `man`.

use std::path::PathBuf;

use clap::Args;

/// Options of `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell that completes.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// One file per page goes there; without it all pages go to standard output.
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}
