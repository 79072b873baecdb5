//! What AWS exports, recognised by its shape and never by its name.
//!
//! | what | made by | recognised by |
//! |---|---|---|
//! | credential report | the console | its first line |
//! | the same in JSON | `aws iam get-credential-report` | `Content`, `ReportFormat` |
//! | account summary | `aws iam get-account-summary` | `SummaryMap` |
//! | mail about a key | AWS | sentences: [`mail`] |
//!
//! A file may hold several documents one after the other, as a loop of a shell writes them.

pub mod mail;
pub mod trail;

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use data_encoding::BASE64;
use serde_json::Value;

use crate::aws::credential_report::{self, CredentialReport};
use crate::text::date;

/// The longest file that is read, in bytes: a report of a million users has a quarter of it.
const MAX_SIZE: u64 = 1 << 30;

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// The file.
    pub path: PathBuf,
    /// How old it is.
    pub as_of: AsOf,
    /// What it says.
    pub kind: Kind,
}

/// A time in seconds since the epoch, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AsOf {
    /// The time.
    pub time: i64,
    /// Whether it is the file's time of change, since the document says nothing about it.
    pub is_of_file: bool,
}

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A credential report.
    CredentialReport(CredentialReport),
    /// A summary of an account that it does not name.
    AccountSummary(AccountSummary),
}

/// Counts of an account, as far as they are about root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// Whether root has access keys, active or not.
    pub has_root_key: bool,
    /// Whether root has an MFA device.
    pub has_root_mfa: Option<bool>,
}

/// Why a file is no evidence.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Read(io::Error),
    /// It is longer than any export that is read here.
    TooLong,
    /// It is nothing that is known here.
    Unknown,
    /// Something in it is damaged.
    Damaged(String),
    /// A credential report that is not whole.
    Report(credential_report::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => write!(f, "cannot be read: {error}"),
            Self::TooLong => write!(f, "is longer than 1 GiB"),
            Self::Unknown => write!(f, "is neither a credential report nor an account summary"),
            Self::Damaged(what) => f.write_str(what),
            Self::Report(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Reads all documents of a file; there is at least one.
pub fn read(path: &Path) -> Result<Vec<Exhibit>, Error> {
    let file = File::open(path).map_err(Error::Read)?;
    let found = file.metadata().map_err(Error::Read)?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_SIZE + 1).read_to_end(&mut bytes);
    if read.map_err(Error::Read)? as u64 > MAX_SIZE {
        return Err(Error::TooLong);
    }
    let changed = found.modified().map_err(Error::Read)?;
    let of_file = AsOf {
        time: match changed.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        },
        is_of_file: true,
    };
    let exhibit = |(as_of, kind): (Option<i64>, Kind)| Exhibit {
        path: path.to_owned(),
        as_of: as_of.map_or(of_file, |time| AsOf {
            time,
            is_of_file: false,
        }),
        kind,
    };
    Ok(documents(&bytes)?.into_iter().map(exhibit).collect())
}

/// The documents in a text, each with its own time if it says one.
pub fn documents(bytes: &[u8]) -> Result<Vec<(Option<i64>, Kind)>, Error> {
    if CredentialReport::is_one(bytes) {
        let report = CredentialReport::parse(bytes).map_err(Error::Report)?;
        return Ok(vec![(None, Kind::CredentialReport(report))]);
    }
    let mut documents = Vec::new();
    for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match value {
            Ok(value) => documents.push(document(&value)?),
            Err(_not_shown) if documents.is_empty() => return Err(Error::Unknown),
            Err(error) => {
                let what = format!("after {} documents: {error}", documents.len());
                return Err(Error::Damaged(what));
            }
        }
    }
    match documents.is_empty() {
        true => Err(Error::Unknown),
        false => Ok(documents),
    }
}

fn document(value: &Value) -> Result<(Option<i64>, Kind), Error> {
    let damaged = |what: &str| Error::Damaged(what.to_owned());
    if let (Some(content), Some(_)) = (value.get("Content"), value.get("ReportFormat")) {
        let text = content
            .as_str()
            .and_then(|text| BASE64.decode(text.as_bytes()).ok());
        let text =
            text.ok_or_else(|| damaged("the content of the credential report is no base64"))?;
        if !CredentialReport::is_one(&text) {
            return Err(damaged("the content of the credential report is no table"));
        }
        let report = CredentialReport::parse(&text).map_err(Error::Report)?;
        // The first version of AWS's command line writes text, some libraries a number.
        let made = match value.get("GeneratedTime") {
            None => None,
            Some(Value::String(text)) => date::moment(text),
            Some(other) => other.as_f64().map(|seconds| seconds as i64),
        };
        let made =
            made.ok_or_else(|| damaged("the credential report does not say when it was made"))?;
        return Ok((Some(made), Kind::CredentialReport(report)));
    }
    let Some(map) = value.get("SummaryMap") else {
        return Err(Error::Unknown);
    };
    let count = |name| map.get(name).and_then(Value::as_u64);
    let keys = count("AccountAccessKeysPresent");
    let keys = keys.ok_or_else(|| damaged("the account summary counts no keys of root"))?;
    let summary = AccountSummary {
        has_root_key: keys > 0,
        has_root_mfa: count("AccountMFAEnabled").map(|count| count > 0),
    };
    Ok((None, Kind::AccountSummary(summary)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_one_after_the_other_are_read() {
        let text = "{\"SummaryMap\":{\"AccountAccessKeysPresent\":1,\"AccountMFAEnabled\":0}}\n\
                    {\"SummaryMap\":{\"AccountAccessKeysPresent\":0}}";
        let documents = documents(text.as_bytes()).expect("summaries");
        let told = |index: usize| match &documents[index].1 {
            Kind::AccountSummary(summary) => (summary.has_root_key, summary.has_root_mfa),
            other => panic!("{other:?}"),
        };
        assert_eq!(told(0), (true, Some(false)));
        assert_eq!(told(1), (false, None));
    }

    #[test]
    fn what_is_not_known_or_not_whole_is_said() {
        for (text, word) in [
            ("", "neither"),
            ("{\"Users\":[]}", "neither"),
            ("hello", "neither"),
            ("[]", "neither"),
            ("{\"SummaryMap\":{}}", "counts no keys"),
            (
                "{\"Content\":\"?\",\"ReportFormat\":\"text/csv\"}",
                "no base64",
            ),
            (
                "{\"Content\":\"aGVsbG8=\",\"ReportFormat\":\"text/csv\"}",
                "no table",
            ),
            (
                "{\"SummaryMap\":{\"AccountAccessKeysPresent\":1}}{\"Summ",
                "after 1 documents",
            ),
        ] {
            let error = documents(text.as_bytes()).expect_err(text);
            assert!(error.to_string().contains(word), "{text}: {error}");
        }
    }
}
