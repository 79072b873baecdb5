//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use keysieve::coverage::SkipReason;
use keysieve::level::Level;
use keysieve::policy::config::{self, acceptable_reasons};
use keysieve::report::Format;
use keysieve::source::container;
use keysieve::text::date::Date;

use crate::commands::deadline::parse_time;
use crate::commands::rules::RulesArgs;

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
    pub(crate) targets: Vec<std::ffi::OsString>,
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
    /// The file; what it is, its content tells.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) target: BaselineArgs,
}

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

/// Options of `root`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 no root key anywhere; 1 there is one, active or not; 2 something could not be read, \
                  is too old, or does not say."
)]
pub(crate) struct RootArgs {
    /// Credential reports (CSV, or JSON of `aws iam get-credential-report`) and account summaries.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Treat older documents as unknown: 7d, 12h, 2 weeks. A CSV is as old as its file.
    #[arg(long, value_name = "TIME", value_parser = crate::commands::root::parse_age)]
    pub(crate) max_age: Option<i64>,
    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: PlainFormat,
    /// The language of the text.
    #[arg(long, value_enum, value_name = "LANG", default_value = "en")]
    pub(crate) lang: LangArg,
}

/// Options of `triage`.
#[derive(Args, Debug)]
pub(crate) struct TriageArgs {
    /// Reports of findings (JSON or JSON Lines), access key IDs, or AWS's mail; `-` is standard input.
    #[arg(value_name = "REPORT|KEY_ID")]
    pub(crate) targets: Vec<std::ffi::OsString>,
    /// Exports of AWS: files (plain or gzip) and directories. Recognised by their content.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) evidence: Vec<PathBuf>,
    /// Time of the leak; by default the date of the earliest commit that has one of the keys.
    #[arg(long, value_name = "TIME")]
    pub(crate) leaked_at: Option<String>,
    /// A network from which the owner calls; may be given several times.
    #[arg(long, value_name = "CIDR")]
    pub(crate) known_network: Vec<keysieve::triage::usage::Network>,
    /// Exit status 2 unless these are known of every key.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        value_delimiter = ',',
        ignore_case = true
    )]
    pub(crate) require: Vec<GroundArg>,
    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: TriageFormat,
    /// Write what to do, as files for a shell, with a report and a draft of the answer to AWS.
    #[arg(long, value_name = "DIR")]
    pub(crate) plan: Option<PathBuf>,
    /// Write the plan into a directory that is not empty.
    #[arg(long, requires = "plan")]
    pub(crate) force: bool,
    /// The language of the report and the plan.
    #[arg(long, value_enum, value_name = "LANG", default_value = "en")]
    pub(crate) lang: LangArg,
    /// Number of threads; by default what the machine has.
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<usize>,
}

/// Facts that must be known of every key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroundArg {
    /// If it works.
    Status,
    /// Its owner.
    Owner,
    /// Its use, from the logs.
    Trail,
}

/// Output formats of `triage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TriageFormat {
    /// For people.
    Text,
    /// One document.
    Json,
    /// For an issue or a wiki.
    Markdown,
    /// A page of its own.
    Html,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LangArg {
    /// English.
    En,
    /// Japanese.
    Ja,
}

impl From<LangArg> for keysieve::text::words::Lang {
    fn from(lang: LangArg) -> Self {
        match lang {
            LangArg::En => Self::En,
            LangArg::Ja => Self::Ja,
        }
    }
}

/// Options of `mail`.
#[derive(Args, Debug)]
pub(crate) struct MailArgs {
    /// The mail (.eml) or its text; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: PlainFormat,
}

/// Options of `collect`.
#[derive(Args, Debug)]
pub(crate) struct CollectArgs {
    /// Access key IDs whose last use and events are collected.
    #[arg(value_name = "KEY_ID")]
    pub(crate) key_ids: Vec<String>,
    /// A user whose keys are listed; by default all users.
    #[arg(long, value_name = "NAME", value_parser = crate::commands::collect::parse_user)]
    pub(crate) user: Vec<String>,
    /// The account; the script ends at once if it is another one.
    #[arg(long, value_name = "ID", value_parser = crate::commands::collect::parse_account)]
    pub(crate) account: Option<String>,
    /// A region whose event history is looked up; by default all that the account has enabled.
    #[arg(long, value_name = "REGION", value_parser = crate::commands::collect::parse_region)]
    pub(crate) region: Vec<String>,
    /// A trail whose files are copied as well.
    #[arg(long, value_name = "s3://BUCKET/PREFIX", value_parser = crate::commands::collect::parse_trail)]
    pub(crate) trail: Option<String>,
    /// Print the policy that the script needs in place of the script.
    #[arg(long)]
    pub(crate) policy: bool,
}

/// Output formats of commands that read exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlainFormat {
    /// For people.
    Text,
    /// One document.
    Json,
}

/// Options of `verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Access key IDs; the commands are written for them.
    #[arg(value_name = "KEY_ID")]
    pub(crate) key_ids: Vec<String>,
}

/// Options of `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CompletionsArgs {
    /// Shell to write completions for.
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

/// Use of colour.
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
    /// Scan what ignore rules name as well.
    #[arg(long)]
    pub(crate) no_ignore: bool,
    /// Follow symbolic links.
    #[arg(long)]
    pub(crate) follow: bool,
    /// Take the scan as incomplete where a submodule is not checked out. Those that are, are scanned in any case.
    #[arg(long)]
    pub(crate) recurse_submodules: bool,
    /// Skip files of more bytes, and say so; K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_file_size: Option<u64>,
    /// Say what the search saw at a place, and why it was or was not reported.
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
            no_ignore: false,
            follow: false,
            recurse_submodules: false,
            max_file_size: None,
            explain: None,
            common,
        }
    }
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

/// Options of `history`.
#[derive(Args, Debug)]
pub(crate) struct HistoryArgs {
    /// The repository, or a directory in it.
    #[arg(value_name = "REPO", default_value = ".")]
    pub(crate) repository: PathBuf,
    /// Report only what was found at these paths, written as for git log: relative to REPO, a folder for all below
    /// it. All is read all the same.
    #[arg(value_name = "PATH", last = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Skip objects of more bytes, and say so; K, M and G are understood.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_object_size: Option<u64>,
    /// Make sure that whatever any tree names is there, however large the packs; without it, packs of more
    /// than 20,000 trees are taken as whole unless something else is missing.
    #[arg(long, conflicts_with_all = ["ranges", "reachable", "branch", "since"])]
    pub(crate) connectivity: bool,
    /// Scan the repositories of submodules as well, and theirs. One that is not here makes the scan incomplete.
    #[arg(long, conflicts_with_all = ["ranges", "branch"])]
    pub(crate) recurse_submodules: bool,
    /// Write the values that were found, as git filter-repo --replace-text takes them, to a new file that only its
    /// owner may read. It holds the secrets as they are.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ranges", "branch", "since", "recurse_submodules"])]
    pub(crate) replace_text: Option<PathBuf>,
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

impl HistoryArgs {
    /// The usual for the repository of the current directory, with options that all commands have.
    pub(crate) fn of(common: Common) -> Self {
        Self {
            repository: PathBuf::from("."),
            paths: Vec::new(),
            max_object_size: None,
            connectivity: false,
            recurse_submodules: false,
            replace_text: None,
            cache: None,
            limits: Limits::default(),
            common,
        }
    }
}

/// Selection of a part of the history. The default is all of it, unreachable objects included.
#[derive(Args, Clone, Debug, Default)]
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
    /// With --range: also report secrets that the touched files had before.
    #[arg(long, help_heading = "Which history", requires = "ranges")]
    pub(crate) all: bool,
    /// Scan only what references reach: branches, tags, notes, stashes, heads of work trees.
    #[arg(long, help_heading = "Which history", conflicts_with = "ranges")]
    pub(crate) reachable: bool,
    /// Scan only what this branch, tag or reference reaches; can be repeated.
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
#[derive(Args, Clone, Debug)]
pub(crate) struct Common {
    /// The least level that makes the exit status 1; error if nothing says otherwise.
    #[arg(long, value_name = "LEVEL", help_heading = "What counts")]
    pub(crate) fail_on: Option<FailOn>,
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
    #[command(flatten)]
    pub(crate) found: Found,
    #[command(flatten)]
    pub(crate) open: Open,
    /// Format of the report on standard output [default: text].
    #[arg(long, value_name = "FORMAT", help_heading = "Output", value_parser = formats())]
    pub(crate) format: Option<Format>,
    /// Write a report to a file too; can be repeated.
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output", value_parser = parse_report)]
    pub(crate) report: Vec<(Format, PathBuf)>,
    /// List notes as well: documentation examples, canaries and the like; and what is accepted.
    #[arg(long, help_heading = "Output")]
    pub(crate) show_notes: bool,
    /// Put accepted findings into reports whose readers take what is listed for open: SARIF.
    #[arg(long, help_heading = "Output")]
    pub(crate) include_accepted: bool,
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

/// Limits on the opening of containers.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Containers")]
pub(crate) struct Open {
    /// Search archives and compressed files as the bytes that they are, without opening them.
    #[arg(long, conflicts_with_all = ["max_depth", "max_output"])]
    pub(crate) no_open: bool,
    /// Open containers that lie in each other so deep; 8 if nothing says otherwise.
    #[arg(long, value_name = "N", value_parser = parse_depth)]
    pub(crate) max_depth: Option<usize>,
    /// Take so many bytes out of one file; by default 1G, or 100 times its length if that is more, and 256M of a
    /// staged file. A byte of xz and 7z counts ten times, one of bzip2 forty times.
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_output: Option<u64>,
}

impl Open {
    /// The limits, where `output` is what may come out of one file if nothing says otherwise.
    pub(crate) fn limits(self, output: Option<u64>) -> container::Limits {
        container::Limits {
            depth: match self.no_open {
                true => 0,
                false => self.max_depth.unwrap_or(container::Limits::DEPTH),
            },
            output: self.max_output.or(output),
        }
    }
}

/// Choice of configuration and baseline.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct Found {
    /// Use this configuration instead of the repository's .keysieve.toml; also KEYSIEVE_CONFIG.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_config", "config_from"])]
    pub(crate) config: Option<PathBuf>,
    /// Use no configuration file.
    #[arg(long)]
    pub(crate) no_config: bool,
    /// Read configuration and baseline of the repository at the base or at the head of what is scanned, or
    /// the configuration from a file.
    #[arg(long, value_name = "base|head|FILE", conflicts_with = "no_config")]
    pub(crate) config_from: Option<PathBuf>,
    /// Use this baseline instead of the repository's .keysieve-baseline.
    #[arg(long, value_name = "FILE", conflicts_with = "no_baseline")]
    pub(crate) baseline: Option<PathBuf>,
    /// Use no baseline.
    #[arg(long)]
    pub(crate) no_baseline: bool,
    /// Report allow markers, allowlist entries and baseline entries that match nothing.
    #[arg(long)]
    pub(crate) report_unused: bool,
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

impl Common {
    /// The least level that makes the exit status 1.
    pub(crate) fn fail_on(&self) -> Option<Level> {
        self.fail_on.unwrap_or(FailOn::Error).level()
    }

    /// Returns the format of the report on standard output.
    pub(crate) fn format(&self) -> Format {
        self.format.unwrap_or(Format::Text)
    }

    /// Returns true if a person reads the report, and hints are welcome.
    pub(crate) fn is_for_people(&self) -> bool {
        self.format() == Format::Text && !self.quiet
    }
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

impl From<config::FailOn> for FailOn {
    fn from(fail_on: config::FailOn) -> Self {
        match fail_on {
            config::FailOn::Level(Level::Error) => Self::Error,
            config::FailOn::Level(Level::Warning) => Self::Warning,
            config::FailOn::Level(Level::Note) => Self::Note,
            config::FailOn::Never => Self::Never,
        }
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .map(|name| Format::from_name(&name).expect("only names of formats get here"))
}

fn reasons() -> impl TypedValueParser<Value = SkipReason> {
    PossibleValuesParser::new(acceptable_reasons().map(SkipReason::name))
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
    if file == "-" {
        return Err("--format writes to standard output".to_owned());
    }
    Ok((format, PathBuf::from(file)))
}

fn parse_limit(text: &str) -> Result<Duration, String> {
    parse_time(text).ok_or_else(|| "expected a time such as 4s, 500ms or 2m".to_owned())
}

fn parse_day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "expected a day: YYYY-MM-DD".to_owned())
}

fn parse_depth(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(depth) if (1..=32).contains(&depth) => Ok(depth),
        _ => Err("expected a number from 1 to 32".to_owned()),
    }
}

fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if (1..=1024).contains(&count) => Ok(count),
        _ => Err("expected a number from 1 to 1024".to_owned()),
    }
}

fn parse_size(text: &str) -> Result<u64, String> {
    config::parse_size(text)
        .ok_or_else(|| "expected a number of bytes such as 500000, 64K, 10M or 2G".to_owned())
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
