//! The command line.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use keyfence::coverage::SkipReason;
use keyfence::finding::Level;
use keyfence::report::Format;

use crate::commands::rules::RulesArgs;

/// Finds credentials before they leave this machine and after they have entered a repository.
#[derive(Debug, Parser)]
#[command(
    name = "keyfence",
    disable_version_flag = true,
    propagate_version = false,
    subcommand_required = false,
    max_term_width = 100,
    after_help = "Exit status: 0 nothing found and everything read; 1 findings; 2 wrong use, or something could \
                  not be read (findings are still reported)."
)]
pub(crate) struct Cli {
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
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan directories, files or standard input.
    Scan(ScanArgs),
    /// Scan what the next commit would record: for a pre-commit hook.
    Staged(StagedArgs),
    /// Scan every object that a repository holds, whatever refers to it.
    History(HistoryArgs),
    /// List, show, explain and test rules.
    Rules(RulesArgs),
    /// Install, remove and look at Git hooks.
    #[command(subcommand)]
    Hook(HookCommand),
    /// Write the completions of a shell to standard output.
    Completions(CompletionsArgs),
    /// Write the manual pages, all of them, into a directory or to standard output.
    Man(ManArgs),
}

/// Options of `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CompletionsArgs {
    /// Whose.
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

/// What to do about hooks.
#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// Install hooks: pre-commit unless others are named. A hook that is there already is kept and runs first.
    Install(HookArgs),
    /// Remove hooks, all of ours unless some are named, and put back what was there before.
    Uninstall(HookArgs),
    /// Say which hooks are active; exit status 1 if one that is named, or pre-commit, is not.
    Status(HookArgs),
    /// What the installed scripts run.
    #[command(subcommand)]
    Run(HookRun),
}

/// Which hooks.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct HookArgs {
    /// The hook before a commit, which looks at what is staged.
    #[arg(long)]
    pub(crate) pre_commit: bool,
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
    /// Scan what the next commit would record.
    PreCommit(StagedArgs),
    /// Scan the message of a commit.
    CommitMsg(CommitMsgArgs),
    /// Scan what a push brings to the other side; Git lists the references on standard input.
    PrePush(PrePushArgs),
    /// Scan what a push brings to this server; Git lists the references on standard input.
    PreReceive(PreReceiveArgs),
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
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Options of `hook run commit-msg`.
#[derive(Args, Debug)]
pub(crate) struct CommitMsgArgs {
    /// The file with the message.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Options of `scan`.
#[derive(Args, Debug)]
pub(crate) struct ScanArgs {
    /// Directories and files; `-` is standard input. What is named here is scanned even if ignored.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// The name that standard input is reported under.
    #[arg(long, value_name = "NAME")]
    pub(crate) path: Option<String>,
    /// Scan what ignore rules name as well.
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Follow symbolic links.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Skip files of more bytes, and say so; K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_file_size: Option<u64>,
    /// Say what the search saw at a place, and why it was or was not reported.
    #[arg(long, value_name = "PATH[:LINE]", conflicts_with_all = ["report", "path"])]
    pub(crate) explain: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

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

/// Options of `history`.
#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// The repository, or a directory in it.
    #[arg(value_name = "REPO", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// Skip objects of more bytes, and say so; K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_object_size: Option<u64>,
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

/// Which part of the history is looked at. Nothing said means all of it, what no reference reaches included.
#[derive(Args, Debug)]
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
    /// With --range: report secrets, too, that stood in the touched files before.
    #[arg(long, help_heading = "Which history", requires = "ranges")]
    pub(crate) all: bool,
    /// Scan only what references reach: branches, tags, notes, stashes, heads of work trees.
    #[arg(long, help_heading = "Which history", conflicts_with = "ranges")]
    pub(crate) reachable: bool,
    /// Scan only what this branch, or reference, reaches; can be repeated.
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

/// Options of all commands that scan.
#[derive(Args, Debug)]
pub(crate) struct Common {
    /// The least level that makes the exit status 1.
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = "error",
        help_heading = "What counts"
    )]
    pub(crate) fail_on: FailOn,
    /// Report what this rule finds and nothing else; can be repeated.
    #[arg(long, value_name = "RULE", help_heading = "What counts")]
    pub(crate) only: Vec<String>,
    /// Leave out paths, in the syntax of .gitignore; can be repeated.
    #[arg(long, value_name = "GLOB", help_heading = "What counts")]
    pub(crate) exclude: Vec<String>,
    /// Add the rules of a file, or replace built-in ones of the same id; can be repeated.
    #[arg(long, value_name = "FILE", help_heading = "What counts")]
    pub(crate) rules: Vec<PathBuf>,
    /// Take a scan as complete although this was not read; can be repeated.
    #[arg(
        long,
        value_name = "REASON",
        help_heading = "What counts",
        value_parser = reasons()
    )]
    pub(crate) allow_incomplete: Vec<SkipReason>,
    /// How to write the report on standard output.
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output",
        value_parser = formats()
    )]
    pub(crate) format: Format,
    /// Write a report to a file too; can be repeated.
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output", value_parser = parse_report)]
    pub(crate) report: Vec<(Format, PathBuf)>,
    /// List notes as well: documentation examples, canaries and the like; and what is accepted.
    #[arg(long, help_heading = "Output")]
    pub(crate) show_notes: bool,
    /// Write secrets out instead of cutting them.
    #[arg(long, help_heading = "Output")]
    pub(crate) show_secrets: bool,
    /// Print findings and failures only: no summary, no progress.
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Do not show progress.
    #[arg(long, help_heading = "Output")]
    pub(crate) no_progress: bool,
    /// Number of threads; by default what the machine has.
    #[arg(long, value_name = "N", help_heading = "Output", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
}

/// The least level that makes the exit status 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// A secret that a person would rotate.
    Error,
    /// Also what points at a leak.
    Warning,
    /// Also examples and the like.
    Note,
    /// Nothing found fails.
    Never,
}

impl FailOn {
    /// The level; `None` for never.
    pub(crate) fn level(self) -> Option<Level> {
        match self {
            Self::Error => Some(Level::Error),
            Self::Warning => Some(Level::Warning),
            Self::Note => Some(Level::Note),
            Self::Never => None,
        }
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .map(|name| Format::from_name(&name).expect("only names of formats get here"))
}

/// The reasons that a person can answer for; a signal and a defect are not among them.
fn reasons() -> impl TypedValueParser<Value = SkipReason> {
    let names = SkipReason::ALL.iter().filter(|reason| {
        reason.is_incomplete() && !matches!(reason, SkipReason::Interrupted | SkipReason::Internal)
    });
    PossibleValuesParser::new(names.map(|reason| reason.name()))
        .map(|name| SkipReason::from_name(&name).expect("only names of reasons get here"))
}

fn parse_report(text: &str) -> Result<(Format, PathBuf), String> {
    let names = || {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        names.join(", ")
    };
    let (name, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or_else(|| format!("expected FORMAT=FILE; formats are {}", names()))?;
    let format =
        Format::from_name(name).ok_or_else(|| format!("no such format; there are {}", names()))?;
    Ok((format, PathBuf::from(file)))
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if (1..=1024).contains(&count) => Ok(count),
        _ => Err("expected a number from 1 to 1024".to_owned()),
    }
}

/// Bytes, with an optional K, M or G of 1024.
fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || "expected a number of bytes such as 500000, 64K, 10M or 2G".to_owned();
    let (digits, shift) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("10M"), Ok(10 << 20));
        assert_eq!(parse_size("7"), Ok(7));
        assert!(parse_size("").is_err() && parse_size("1T").is_err());
        assert!(parse_size("99999999999G").is_err());
    }
}
