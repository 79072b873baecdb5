//! Values as they are typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use keysieve::aws::verify::Partition;
use keysieve::coverage::SkipReason;
use keysieve::policy::config::{self, acceptable_reasons};
use keysieve::report::Format;
use keysieve::text::date::Date;

use crate::date::{self, parse_time};

pub(super) fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name()))
        .map(|name| Format::from_name(&name).expect("only names of formats get here"))
}

pub(super) fn reasons() -> impl TypedValueParser<Value = SkipReason> {
    PossibleValuesParser::new(acceptable_reasons().map(SkipReason::name))
        .map(|name| SkipReason::from_name(&name).expect("only names of reasons get here"))
}

pub(super) fn parse_report(text: &str) -> Result<(Format, PathBuf), String> {
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

pub(super) fn parse_limit(text: &str) -> Result<Duration, String> {
    parse_time(text).ok_or_else(|| "expected a time such as 4s, 500ms or 2m".to_owned())
}

pub(super) fn parse_age(text: &str) -> Result<i64, String> {
    date::parse_age(text)
        .ok_or_else(|| "expected a length of time such as 7d, 12h or 2 weeks".to_owned())
}

pub(super) fn parse_day(text: &str) -> Result<Date, String> {
    Date::parse(text).ok_or_else(|| "expected a day: YYYY-MM-DD".to_owned())
}

pub(super) fn parse_depth(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(depth) if (1..=32).contains(&depth) => Ok(depth),
        _ => Err("expected a number from 1 to 32".to_owned()),
    }
}

pub(super) fn parse_threads(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(count) if (1..=1024).contains(&count) => Ok(count),
        _ => Err("expected a number from 1 to 1024".to_owned()),
    }
}

pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    config::parse_size(text)
        .ok_or_else(|| "expected a number of bytes such as 500000, 64K, 10M or 2G".to_owned())
}

/// An account: 12 digits.
pub(super) fn parse_account(text: &str) -> Result<String, String> {
    let is_one = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "expected 12 digits".to_owned())
}

/// A user name as IAM allows them, without a path.
pub(super) fn parse_user(text: &str) -> Result<String, String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    let is_one =
        (1..=64).contains(&text.len()) && text.bytes().all(is_part) && !text.starts_with('-');
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "expected letters, digits and _+=,.@-".to_owned())
}

/// A region of any partition.
pub(super) fn parse_region(text: &str) -> Result<String, String> {
    let known = Partition::of_region(text).map(|_| text.to_owned());
    known.ok_or_else(|| "no partition of AWS has such a region".to_owned())
}

/// The place of a trail: `s3://BUCKET/PREFIX`.
pub(super) fn parse_trail(text: &str) -> Result<String, String> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./=+@".contains(&byte);
    let place = text.strip_prefix("s3://").filter(|place| !place.is_empty());
    let is_one = place
        .is_some_and(|place| place.bytes().all(is_part) && !place.starts_with(['/', '-', '.']));
    is_one
        .then(|| text.to_owned())
        .ok_or_else(|| "expected s3://BUCKET/PREFIX".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_shell_reads_otherwise_gets_through() {
        for wrong in ["", "a b", "a'b", "$(id)", "a;b", "-x", "a\nb", "ä"] {
            assert!(parse_user(wrong).is_err(), "{wrong}");
            assert!(parse_account(wrong).is_err(), "{wrong}");
            assert!(parse_region(wrong).is_err(), "{wrong}");
            assert!(parse_trail(&format!("s3://{wrong}")).is_err(), "{wrong}");
        }
        assert!(parse_user("a+b=c,d.e@f-g_h").is_ok());
        assert!(parse_region("us-gov-west-1").is_ok());
        assert!(parse_trail("s3://bucket.x/AWSLogs/o-1/123456789012/").is_ok());
        assert!(parse_trail("/local").is_err());
    }
}
