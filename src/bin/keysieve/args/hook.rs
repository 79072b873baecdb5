//! The words of `hook`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::parse::parse_limit;
use super::{Common, StagedArgs};

/// Commands about hooks.
#[derive(Debug, Subcommand)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one, and it lives as long as the program"
)]
pub(crate) enum HookCommand {
    /// Install hooks: pre-commit unless others are named. A hook that is there already is kept and runs after it.
    Install(HookArgs),
    /// Remove hooks, all of ours unless some are named, and put back what was there before.
    Uninstall(HookArgs),
    /// Say which hooks are active; exit status 1 if one that is named, or pre-commit, is not.
    Status(HookArgs),
    /// Entry points of the installed scripts.
    #[command(subcommand)]
    Run(HookRun),
}

/// Choice of hooks.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct HookArgs {
    /// The hook before a commit, which looks at what is staged.
    #[arg(long)]
    pub(crate) pre_commit: bool,
    /// The hook before the commit of a merge without conflicts.
    #[arg(long)]
    pub(crate) pre_merge_commit: bool,
    /// The hook before a commit that looks at its message.
    #[arg(long)]
    pub(crate) commit_msg: bool,
    /// The hook before a push.
    #[arg(long)]
    pub(crate) pre_push: bool,
    /// The hook of a server, before it accepts a push.
    #[arg(long)]
    pub(crate) pre_receive: bool,
    /// Use the folder of the global core.hooksPath, for all repositories of this account.
    #[arg(long)]
    pub(crate) global: bool,
}

/// The hooks as Git calls them.
#[derive(Debug, Subcommand)]
pub(crate) enum HookRun {
    /// Scan what the next commit would record; of files, only what a framework asks for outside of a commit.
    PreCommit(CommitArgs),
    /// Scan what a merge without conflicts would record and neither side has.
    PreMergeCommit(CommitArgs),
    /// Scan the message of a commit.
    CommitMsg(CommitMsgArgs),
    /// Scan what a push brings to the other side; Git lists the references on standard input.
    PrePush(PrePushArgs),
    /// Scan what a push brings to this server; Git lists the references on standard input.
    PreReceive(PreReceiveArgs),
}

/// Options of `hook run pre-commit` and `pre-merge-commit`.
#[derive(Args, Debug)]
pub(crate) struct CommitArgs {
    /// Files that a framework names. During a commit what is staged counts; else these are scanned as they lie on
    /// the disk.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Say nothing of success: the same hook has run before.
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) staged: StagedArgs,
}

/// Options of `hook run pre-push`.
#[derive(Args, Debug)]
pub(crate) struct PrePushArgs {
    /// The name of the remote, or its address if it has none.
    #[arg(value_name = "REMOTE")]
    pub(crate) remote: Option<String>,
    /// The address.
    #[arg(value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Options of `hook run pre-receive`.
#[derive(Args, Debug)]
pub(crate) struct PreReceiveArgs {
    /// Look for no longer than this: 4s, 500ms, 2m. What was not looked at by then is said. Also
    /// keysieve.timeLimit in the server's Git configuration.
    #[arg(long, value_name = "TIME", value_parser = parse_limit)]
    pub(crate) time_limit: Option<Duration>,
    /// Refuse the push, or let it pass, if the time was over before all was looked at; refuse if nothing says
    /// otherwise. Also keysieve.onTimeout.
    #[arg(long, value_name = "ACTION")]
    pub(crate) on_timeout: Option<OnTimeout>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Options of `hook run commit-msg`.
#[derive(Args, Debug)]
pub(crate) struct CommitMsgArgs {
    /// The file with the message.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Say nothing of success: the same hook has run before.
    #[arg(long)]
    pub(crate) again: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Fate of a push that could not be checked in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnTimeout {
    /// It is refused.
    Refuse,
    /// It is let pass, unless something was found.
    Pass,
}
