//! The words of `config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Common;

/// Commands about the configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Name everything that is wrong with the configuration; exit status 1 if something is.
    Check(ConfigArgs),
    /// Show what is in force, and where each value comes from.
    Show(ConfigArgs),
}

/// Options of `config`.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    /// The configuration to look at; by default the one of the repository.
    #[arg(value_name = "FILE", conflicts_with_all = ["config", "no_config", "config_from"])]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}
