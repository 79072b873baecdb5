//! Exports of AWS, recognised by their content and never by their name.
//!
//! | what | made by | recognised by |
//! |---|---|---|
//! | credential report | the console | its first line |
//! | the same in JSON | `aws iam get-credential-report` | `Content`, `ReportFormat` |
//! | account summary | `aws iam get-account-summary` | `SummaryMap` |
//! | keys of a user | `aws iam list-access-keys` | `AccessKeyMetadata` |
//! | last use of a key | `aws iam get-access-key-last-used` | `AccessKeyLastUsed` |
//! | users, roles, policies | `aws iam get-account-authorization-details` | `UserDetailList` |
//! | who has a policy | `aws iam list-entities-for-policy` | `PolicyUsers`, `PolicyRoles` |
//! | costs | `aws ce get-cost-and-usage` | `ResultsByTime` |
//! | cost and usage report | Data Exports | a column of unblended costs |
//! | events of AWS Health | `aws health`, EventBridge | `eventTypeCode` |
//! | event history | the console | columns for time, name and access key |
//! | logs of CloudTrail | trails, `aws cloudtrail lookup-events` | [`trail`] |
//! | answers about keys | `keysieve-verify --format jsonl` | `key_id`, `status`, `asked` |
//! | mail about a key | AWS | sentences: [`mail`] |
//!
//! A file may hold several documents one after the other, as a loop of a shell writes them, and be packed by gzip.

mod answer;
mod console;
mod cost;
mod gather;
mod health;
pub mod mail;
mod open;
pub mod trail;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::aws::authorization::Authorization;
use crate::aws::credential_report::{self, CredentialReport};
use crate::aws::iam_export::{self, LastUse, ListedKey};
use crate::text::base64::STANDARD as BASE64;

pub use answer::KeyAnswer;
pub use cost::{Cell, CostSource, Costs};
pub use gather::{EvidenceFile, Gathered, gather, sha256};
pub use health::HealthNotice;
use open::Opened;

/// One document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// The file.
    pub path: PathBuf,
    /// The time that it describes.
    pub as_of: AsOf,
    /// Its content.
    pub kind: Kind,
}

/// A time in seconds since the epoch, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AsOf {
    /// The time.
    pub time: i64,
    /// True if it is the file's time of change, since the document says nothing about it.
    pub is_of_file: bool,
}

/// Kind of a document, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A credential report.
    CredentialReport(CredentialReport),
    /// A summary of an account that it does not name.
    AccountSummary(AccountSummary),
    /// The keys of a user.
    KeyList {
        /// In the order of the list.
        keys: Vec<ListedKey>,
        /// There are further pages.
        is_cut: bool,
    },
    /// The last use of a key.
    LastUse(LastUse),
    /// Users, groups, roles and policies.
    Authorization(Box<Authorization>),
    /// The users that have a policy.
    PolicyUsers {
        /// The policy, if the name of the file says so.
        policy: Option<String>,
        /// Names of users.
        users: Vec<String>,
    },
    /// Costs.
    Costs(Costs),
    /// Events of AWS Health.
    Health(Vec<HealthNotice>),
    /// Answers of AWS about keys.
    Answers(Vec<KeyAnswer>),
    /// Events of CloudTrail, from the console's table: records with the fields that it has.
    History(Vec<Value>),
    /// An answer of `lookup-events` without an event.
    NoEvents,
    /// A mail.
    Mail(Box<mail::Notice>),
}

impl Kind {
    /// The word for it in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CredentialReport(_) => "credential_report",
            Self::AccountSummary(_) => "account_summary",
            Self::KeyList { .. } => "list_access_keys",
            Self::LastUse(_) => "last_used",
            Self::Authorization(_) => "authorization_details",
            Self::PolicyUsers { .. } => "policy_users",
            Self::Costs(_) => "costs",
            Self::Health(_) => "health_events",
            Self::Answers(_) => "verify",
            Self::History(_) | Self::NoEvents => "event_history",
            Self::Mail(_) => "mail",
        }
    }
}

/// Counts of an account, as far as they are about root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    /// True if root has access keys, active or not.
    pub has_root_key: bool,
    /// True if root has an MFA device; `None` if the document does not say.
    pub has_root_mfa: Option<bool>,
}

/// Reason why a file is no evidence, or not all of it.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Read(io::Error),
    /// It is longer than any export that is read here: so many bytes.
    TooLong(u64),
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
            Self::TooLong(most) => write!(f, "is longer than {} MiB", most >> 20),
            Self::Unknown => write!(f, "is no export of AWS that is known here"),
            Self::Damaged(what) => f.write_str(what),
            Self::Report(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// A document with the time that it says itself, if any.
type Document = (Option<i64>, Kind);

/// Reads all documents of a file; there is at least one.
pub fn read(path: &Path) -> Result<Vec<Exhibit>, Error> {
    match read_open(path, Opened::new(path)?)? {
        (exhibits, None) => Ok(exhibits),
        (_, Some(error)) => Err(error),
    }
}

/// Reads all documents of a file, up to what is damaged.
fn read_open(path: &Path, file: Opened) -> Result<(Vec<Exhibit>, Option<Error>), Error> {
    let changed = file.changed;
    let (documents, flaw) = if cost::is_report(&file.head) {
        (
            vec![(None, Kind::Costs(cost::of_report(file.stream())?))],
            None,
        )
    } else {
        parse(&file.whole()?)?
    };
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let exhibit = |(as_of, kind): Document| Exhibit {
        path: path.to_owned(),
        as_of: as_of.map_or(changed, |time| AsOf {
            time,
            is_of_file: false,
        }),
        kind: named(kind, name.as_deref().unwrap_or_default()),
    };
    Ok((documents.into_iter().map(exhibit).collect(), flaw))
}

/// The documents in a text, each with its own time if it says one.
pub fn documents(bytes: &[u8]) -> Result<Vec<(Option<i64>, Kind)>, Error> {
    match parse(bytes)? {
        (documents, None) => Ok(documents),
        (_, Some(error)) => Err(error),
    }
}

/// The documents before what is damaged, of which there is at least one.
fn parse(bytes: &[u8]) -> Result<(Vec<Document>, Option<Error>), Error> {
    let only = |kind| Ok((vec![(None, kind)], None));
    if CredentialReport::is_one(bytes) {
        let report = CredentialReport::parse(bytes).map_err(Error::Report)?;
        return only(Kind::CredentialReport(report));
    }
    if cost::is_report(bytes) {
        return only(Kind::Costs(cost::of_report(bytes)?));
    }
    if console::is_table(bytes) {
        return only(Kind::History(console::read(bytes)?));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if !matches!(text.trim_ascii_start().first(), Some(b'{' | b'[')) {
        let notice = mail::read(bytes).ok_or(Error::Unknown)?;
        return Ok((vec![(notice.sent_at(), Kind::Mail(Box::new(notice)))], None));
    }
    let mut read = Documents::default();
    for value in serde_json::Deserializer::from_slice(text).into_iter::<Value>() {
        let added = match value {
            Ok(value) => read.add(&value),
            // What could not be read is not shown: it may be anything.
            Err(_) if read.is_empty() => Err(Error::Unknown),
            Err(error) => Err(Error::Damaged(format!(
                "after {} documents: {error}",
                read.count
            ))),
        };
        match added {
            Ok(()) => {}
            Err(error) if read.is_empty() => return Err(error),
            Err(error) => return Ok((read.all(), Some(error))),
        }
    }
    if read.is_empty() {
        return Err(Error::Unknown);
    }
    let is_cut = !read.answers.is_empty() && !read.is_ended;
    let flaw = is_cut.then(|| {
        Error::Damaged("the last line of keysieve-verify is missing: it was cut short".to_owned())
    });
    Ok((read.all(), flaw))
}

/// The documents of a file so far.
#[derive(Default)]
struct Documents {
    read: Vec<Document>,
    /// Lines that belong together.
    answers: Vec<KeyAnswer>,
    /// Index of the first answer of the run that is read.
    run: usize,
    /// The line behind the answers was there.
    is_ended: bool,
    count: usize,
}

impl Documents {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, value: &Value) -> Result<(), Error> {
        if let Some(answer) = answer::read(value) {
            self.answers.extend(answer);
        } else if answer::is_end(value) {
            self.is_ended = true;
            self.end_run();
        } else {
            self.read.push(document(value)?);
        }
        self.count += 1;
        Ok(())
    }

    fn end_run(&mut self) {
        answer::settle(&mut self.answers[self.run..]);
        self.run = self.answers.len();
    }

    fn all(mut self) -> Vec<Document> {
        self.end_run();
        let mut all = self.read;
        if !self.answers.is_empty() || self.is_ended {
            let asked = self.answers.iter().filter_map(|answer| answer.asked).max();
            all.push((asked, Kind::Answers(self.answers)));
        }
        all
    }
}

/// Puts in what only the name of the file says: the key of an answer that does not name it, and the policy.
fn named(mut kind: Kind, name: &str) -> Kind {
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    match &mut kind {
        Kind::LastUse(used) => {
            let in_name =
                || words().find(|word| crate::aws::cloudtrail::LogKeyId::parse(word).is_some());
            used.key_id = used.key_id.take().or_else(|| in_name().map(str::to_owned));
        }
        Kind::PolicyUsers { policy, .. } => {
            *policy = words()
                .find(|word| iam_export::is_quarantine(word))
                .map(str::to_owned);
        }
        _ => {}
    }
    kind
}

fn document(value: &Value) -> Result<Document, Error> {
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
        let made = value.get("GeneratedTime").and_then(iam_export::moment);
        let made =
            made.ok_or_else(|| damaged("the credential report does not say when it was made"))?;
        return Ok((Some(made), Kind::CredentialReport(report)));
    }
    if let Some(map) = value.get("SummaryMap") {
        let count = |name| map.get(name).and_then(Value::as_u64);
        let keys = count("AccountAccessKeysPresent");
        let keys = keys.ok_or_else(|| damaged("the account summary counts no keys of root"))?;
        let summary = AccountSummary {
            has_root_key: keys > 0,
            has_root_mfa: count("AccountMFAEnabled").map(|count| count > 0),
        };
        return Ok((None, Kind::AccountSummary(summary)));
    }
    let of = |name: &str| value.get(name).is_some();
    let kind = if of("AccessKeyMetadata") {
        let keys = iam_export::listed_keys(value);
        Kind::KeyList {
            keys: keys.ok_or_else(|| damaged("a key in the list lacks its ID or its status"))?,
            is_cut: iam_export::is_cut(value),
        }
    } else if let Some(used) = iam_export::last_use(value) {
        Kind::LastUse(used)
    } else if of("UserDetailList") {
        let details = Authorization::parse(value);
        Kind::Authorization(Box::new(details.ok_or_else(|| {
            damaged(
                "a user, group, role or policy in the authorization details lacks its name or ARN",
            )
        })?))
    } else if let Some(users) = iam_export::policy_users(value) {
        Kind::PolicyUsers {
            policy: None,
            users,
        }
    } else if let Some(costs) = cost::of_answer(value) {
        Kind::Costs(costs?)
    } else if let Some(notices) = health::read(value) {
        Kind::Health(notices)
    } else if value
        .get("Events")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty)
        || value
            .get("Records")
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
    {
        Kind::NoEvents
    } else if value.get("schema").and_then(Value::as_str) == Some("keysieve-report/1") {
        return Err(damaged(
            "is a report of keysieve: name it among the reports, not as evidence",
        ));
    } else {
        return Err(Error::Unknown);
    };
    Ok((None, kind))
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
            ("", "no export"),
            ("{\"Users\":[]}", "no export"),
            ("hello", "no export"),
            ("[]", "no export"),
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

    #[test]
    fn answers_of_verify_are_one_document_and_their_end_counts() {
        let id = ["AKIA", "RZPUZDIKGB2VALC6"].concat();
        let line = format!(
            "{{\"key_id\":\"{id}\",\"status\":\"active\",\"root\":true,\"owner\":{{\"kind\":\"root\",\"name\":null,\"arn\":\"a\"}},\
             \"account_id\":\"123456789012\",\"last_used\":{{\"at\":null,\"service\":null,\"region\":null}},\
             \"asked\":{{\"with\":\"found_secret\",\"at\":\"2024-01-05T10:00:00Z\"}}}}\n"
        );
        let whole = format!("{line}{line}{{\"schema\":\"keysieve-verify/1\",\"summary\":{{}}}}\n");
        let read = documents(whole.as_bytes()).expect("answers");
        let (Some(1_704_448_800), Kind::Answers(answers)) = &read[0] else {
            panic!("{read:?}");
        };
        assert_eq!((answers.len(), answers[0].is_root), (2, Some(true)));
        assert!(documents(line.as_bytes()).is_err(), "cut short");
        let (kept, flaw) = parse(line.as_bytes()).expect("an answer");
        assert!(
            flaw.is_some() && matches!(&kept[0].1, Kind::Answers(answers) if answers.len() == 1)
        );
    }

    #[test]
    fn names_of_files_say_what_answers_do_not() {
        let id = ["AKIA", "RZPUZDIKGB2VALC6"].concat();
        let answer =
            documents(b"{\"UserName\":\"u\",\"AccessKeyLastUsed\":{}}").expect("an answer");
        let kind = named(answer[0].1.clone(), &format!("last-used-{id}.json"));
        assert!(matches!(kind, Kind::LastUse(LastUse { key_id: Some(key), .. }) if key == id));
        let users = documents(b"{\"PolicyUsers\":[{\"UserName\":\"u\"}],\"PolicyRoles\":[]}")
            .expect("an answer");
        let kind = named(
            users[0].1.clone(),
            "entities-AWSCompromisedKeyQuarantineV3.json",
        );
        assert!(
            matches!(kind, Kind::PolicyUsers { policy: Some(policy), users } if policy.ends_with("V3") && users == ["u"])
        );
    }
}
