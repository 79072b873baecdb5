//! The command line as it is typed: a module for the words of each command, and those that several have.

mod baseline;
mod common;
mod config;
mod evidence;
mod history;
mod hook;
mod paper;
mod parse;
mod rules;
mod scan;
mod staged;
mod trail;

use clap::{Args, Parser, Subcommand};

pub(crate) use baseline::{BaselineArgs, BaselineCommand, BaselineImportArgs, BaselineUpdateArgs};
pub(crate) use common::{Common, FailOn, Found};
pub(crate) use config::{ConfigArgs, ConfigCommand};
pub(crate) use evidence::{
    CollectArgs, GroundArg, MailArgs, PlainFormat, RootArgs, TriageArgs, TriageFormat, VerifyArgs,
};
pub(crate) use history::{HistoryArgs, Limits};
pub(crate) use hook::{
    CommitArgs, CommitMsgArgs, HookArgs, HookCommand, HookRun, OnTimeout, PrePushArgs,
    PreReceiveArgs,
};
pub(crate) use paper::{CompletionsArgs, ManArgs};
pub(crate) use rules::{RulesArgs, RulesCommand};
pub(crate) use scan::{ExplainArgs, ScanArgs, Walk};
pub(crate) use staged::StagedArgs;
pub(crate) use trail::{
    TrailCommand, TrailCoverageArgs, TrailFindArgs, TrailIndexArgs, TrailMergeArgs,
};

use crate::terminal::Color;

/// Finds credentials before they leave this machine and after they have entered a repository.
#[derive(Debug, Parser)]
#[command(
    name = "keysieve",
    disable_version_flag = true,
    propagate_version = false,
    subcommand_required = false,
    max_term_width = 100,
    after_help = "Exit status: 0 nothing found and everything read; 1 findings; 2 wrong use, or something could \
                  not be read (findings are still reported)."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) top: Top,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

// Options that belong to no command.
#[derive(Args, Debug)]
pub(crate) struct Top {
    /// Print the version and the hash of the built-in rules.
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
    /// Colour the output: auto looks at the terminal, NO_COLOR and CLICOLOR_FORCE.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Output",
        display_order = 900
    )]
    pub(crate) color: Color,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan directories, files or standard input.
    Scan(ScanArgs),
    /// Scan what the next commit would record: for a pre-commit hook.
    Staged(StagedArgs),
    /// Scan every object that a repository holds, whatever refers to it.
    History(HistoryArgs),
    /// Say what the search saw at a place, and why it was or was not reported.
    Explain(ExplainArgs),
    /// List, show, explain and test rules.
    Rules(RulesArgs),
    /// Install, remove and look at Git hooks.
    #[command(subcommand)]
    Hook(HookCommand),
    /// Accept findings of today, so that only new ones count.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say which accounts hold access keys of their root user, from what AWS exports.
    Root(RootArgs),
    /// Read AWS's mail about a key: which key, whose, where it was found, which case, until when.
    Mail(MailArgs),
    /// Say of keys that got out whose they are, what was done with them and what to do now, from AWS's exports.
    #[command(
        after_help = "Example: keysieve triage report.json --evidence evidence/ --plan plan/\n\nEvidence is files and directories of what AWS \
                      exports (keysieve collect prints a script for that), AWS's mail, and answers of keysieve-verify. Without a report or a key ID \
                      the keys are those that AWS's mail names. Nothing is asked and nothing is run."
    )]
    Triage(TriageArgs),
    /// Print the script that collects what AWS knows about keys, and the policy for it; runs neither.
    Collect(CollectArgs),
    /// Say how to ask AWS whether keys work: this program asks nobody.
    Verify(VerifyArgs),
    /// Write a .keysieve.toml to begin with, and say what to do next.
    Init,
    /// Search CloudTrail logs for what was done with a key.
    #[command(subcommand)]
    Trail(TrailCommand),
    /// Write the completions of a shell to standard output.
    Completions(CompletionsArgs),
    /// Write the manual pages, all of them, into a directory or to standard output.
    Man(ManArgs),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;

        Cli::command().debug_assert();
    }
}
