//! The words of `rules`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Shows the rules and tests their examples.
#[derive(Args, Debug)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    pub(crate) command: RulesCommand,
}

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// List the rules: id, level and what they find
    List,
    /// Show one rule in full, as its file has it
    Show {
        /// The rule's id
        id: String,
    },
    /// Say what the secret of a rule opens and what to do about a leaked one, in order
    Explain {
        /// The rule's id
        id: String,
    },
    /// Run the examples of the built-in rules, or of a rule file, through the engine
    Test {
        /// A rule file; without it the built-in rules are tested
        file: Option<PathBuf>,
    },
}
