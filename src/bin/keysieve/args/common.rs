//! Options of several commands.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use keysieve::coverage::SkipReason;
use keysieve::level::Level;
use keysieve::policy::config;
use keysieve::report::Format;
use keysieve::source::container;

use super::parse::{formats, parse_depth, parse_report, parse_size, parse_threads, reasons};

/// Options of all commands that scan.
#[derive(Args, Clone, Debug, Default)]
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
