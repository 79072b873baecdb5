//! The words of the commands that read what AWS exports and mails: `root`, `mail`, `triage`, `collect`, `verify`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::parse::{
    parse_account, parse_age, parse_region, parse_threads, parse_trail, parse_user,
};

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
    #[arg(long, value_name = "TIME", value_parser = parse_age)]
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
    pub(crate) targets: Vec<OsString>,
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
    #[arg(long, value_name = "NAME", value_parser = parse_user)]
    pub(crate) user: Vec<String>,
    /// The account; the script ends at once if it is another one.
    #[arg(long, value_name = "ID", value_parser = parse_account)]
    pub(crate) account: Option<String>,
    /// A region whose event history is looked up; by default all that the account has enabled.
    #[arg(long, value_name = "REGION", value_parser = parse_region)]
    pub(crate) region: Vec<String>,
    /// A trail whose files are copied as well.
    #[arg(long, value_name = "s3://BUCKET/PREFIX", value_parser = parse_trail)]
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
