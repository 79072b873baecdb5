//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Asks AWS whether the access keys that keysieve found still work, whose they are, and which one is root's.
///
/// By default your own credentials look the keys up, and the found secrets stay unused. They come from
/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN alone; `aws configure export-credentials
/// --format env` gives them for everything else (SSO, roles, profiles).
#[derive(Debug, Parser)]
#[command(
    name = "keysieve-verify",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 every key that was asked about is inactive; 1 some are active; 2 some are unknown, or \
                  wrong use."
)]
pub(crate) struct Args {
    /// Reports of keysieve (json, jsonl), key IDs, or `-` for a report on standard input.
    #[arg(value_name = "REPORT|KEY_ID", required = true)]
    pub(crate) subjects: Vec<OsString>,
    /// Sign one request with each found pair. The owner of the key sees it in CloudTrail: for keys that you may use.
    #[arg(long)]
    pub(crate) with_found_secret: bool,
    /// Folder in which the paths of the report begin: the directory in which keysieve ran, or the repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) root: PathBuf,
    /// Say what would be asked, where and how often, and ask nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Keep the answers in this file too, and take over those of the last hour; unknown keys are asked again.
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,

    /// A partition that the keys can be of: aws, aws-cn, aws-us-gov, aws-eusc; by default all of them for found
    /// pairs, and that of the region for your own credentials.
    #[arg(long = "partition", value_name = "PARTITION", value_parser = partition, help_heading = "Where to ask")]
    pub(crate) partitions: Vec<&'static keysieve::aws::verify::Partition>,
    /// The region to ask in its partition; by default AWS_REGION, AWS_DEFAULT_REGION or us-east-1. Found pairs are asked
    /// about in the home region too, and the variables do not count for them.
    #[arg(long, value_name = "REGION", help_heading = "Where to ask")]
    pub(crate) region: Option<String>,
    /// Ask the FIPS hosts, as AWS_USE_FIPS_ENDPOINT=true does. It does not make this program a validated one.
    #[arg(long, help_heading = "Where to ask")]
    pub(crate) fips: bool,
    /// Ask the hosts with IPv6 addresses, as AWS_USE_DUALSTACK_ENDPOINT=true does.
    #[arg(long, help_heading = "Where to ask")]
    pub(crate) dual_stack: bool,
    /// Ask this place only, a VPC endpoint for one; by default AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL_IAM or
    /// AWS_ENDPOINT_URL, whose "inactive" is unknown. Plain http is for this machine.
    #[arg(long, value_name = "URL", help_heading = "Where to ask")]
    pub(crate) endpoint_url: Option<String>,
    /// Trust these authorities (PEM) in place of the built-in ones; by default AWS_CA_BUNDLE.
    #[arg(long, value_name = "FILE", help_heading = "Where to ask")]
    pub(crate) ca_bundle: Option<PathBuf>,

    /// Requests a second, at most.
    #[arg(long, value_name = "NUMBER", default_value = "10", value_parser = rate, help_heading = "Limits")]
    pub(crate) rate: f64,
    /// Requests in all, at most; what is left is unknown.
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 200,
        help_heading = "Limits"
    )]
    pub(crate) max_requests: u32,
    /// Time that an answer may take.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Limits")]
    pub(crate) timeout: Duration,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line a key, for people.
    Text,
    /// JSON Lines, evidence for `keysieve triage`.
    Jsonl,
}

fn partition(text: &str) -> Result<&'static keysieve::aws::verify::Partition, String> {
    use keysieve::aws::verify::{PARTITIONS, Partition};
    Partition::named(text).ok_or_else(|| {
        let names: Vec<&str> = PARTITIONS.iter().map(|partition| partition.id).collect();
        format!("there are {}", names.join(", "))
    })
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.01..=100.0).contains(&rate) => Ok(rate),
        _ => Err("expected a number from 0.01 to 100".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=300.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a number from 0.1 to 300".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory as _;
        Args::command().debug_assert();
    }
}
