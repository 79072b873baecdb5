//! The credential report of an account: a table with a row for each user and, first, one for root.
//!
//! IAM User Guide, "Get credential reports for your AWS account". Columns are found by name; ones that are not known are
//! passed over. The report holds no key IDs. Whoever reads one keeps three traps apart: no row of root is not "no root key",
//! `FALSE` is a key that is switched off as well as none, and a report may be months old.

use std::fmt;

use crate::text::date;

/// User name in the row of root.
const ROOT: &str = "<root_account>";

/// A credential report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialReport {
    /// In the order of the report.
    pub users: Vec<User>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name; `<root_account>` for root.
    pub name: String,
    /// The whole ARN.
    pub arn: String,
    /// The account in the ARN: 12 digits.
    pub account_id: String,
    /// True if an MFA device is in use; `None` if the report does not say.
    pub has_mfa: Option<bool>,
    /// True if there is a password for the console; `None` if the report does not say.
    pub has_password: Option<bool>,
    /// Time of the password's last use; `None` if never, or if the report does not say.
    pub password_last_used: Option<i64>,
    /// Both places for an access key.
    pub keys: [Slot; 2],
}

impl User {
    /// Returns true for the root user.
    pub fn is_root(&self) -> bool {
        self.name == ROOT
    }
}

/// A place for an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// State of the slot.
    pub state: SlotState,
    /// Time of creation or of the last change of status, in seconds since the epoch.
    pub changed: Option<i64>,
    /// Time of the last use, in seconds since the epoch; `None` if not since 2015-04-22.
    pub used: Option<i64>,
    /// For which service, `ec2` for one.
    pub service: Option<String>,
    /// In which region.
    pub region: Option<String>,
}

/// Presence of an access key in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// There is one, and it works.
    Active,
    /// There is one, and it is switched off.
    Inactive,
    /// There is none.
    Absent,
    /// The report does not say.
    Unknown,
}

impl SlotState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Absent => "none",
            Self::Unknown => "unknown",
        }
    }
}

/// Reason why a text is not a credential report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The first line lacks a column.
    Column(&'static str),
    /// A line is not a row of the table; 1-based.
    Row(u64, &'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => write!(f, "the credential report has no column {name}"),
            Self::Row(line, what) => write!(f, "line {line} of the credential report {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl CredentialReport {
    /// Returns true if a text begins as a credential report does.
    pub fn is_one(text: &[u8]) -> bool {
        without_mark(text).starts_with(b"user,arn,user_creation_time")
    }

    /// Reads a report.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_reader(without_mark(text));
        let header = reader
            .headers()
            .map_err(|_not_utf8| Error::Row(1, "is not UTF-8"))?;
        let header = header.clone();
        let column = |name: &'static str| {
            let at = header.iter().position(|found| found.trim() == name);
            at.ok_or(Error::Column(name))
        };
        let columns = Columns {
            user: column("user")?,
            arn: column("arn")?,
            mfa: column("mfa_active")?,
            password: column("password_enabled")?,
            password_used: column("password_last_used")?,
            keys: [
                [
                    column("access_key_1_active")?,
                    column("access_key_1_last_rotated")?,
                    column("access_key_1_last_used_date")?,
                    column("access_key_1_last_used_region")?,
                    column("access_key_1_last_used_service")?,
                ],
                [
                    column("access_key_2_active")?,
                    column("access_key_2_last_rotated")?,
                    column("access_key_2_last_used_date")?,
                    column("access_key_2_last_used_region")?,
                    column("access_key_2_last_used_service")?,
                ],
            ],
        };
        let mut users = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(0, csv::Position::line);
                Error::Row(line, "is not UTF-8")
            })?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != header.len() {
                return Err(Error::Row(
                    line,
                    "has another number of cells than the first",
                ));
            }
            let user = columns.user(&record);
            users.push(user.ok_or(Error::Row(line, "is not that of a user of an account"))?);
        }
        Ok(Self { users })
    }

    /// The row of root, if the report has it.
    pub fn root(&self) -> Option<&User> {
        self.users.iter().find(|user| user.is_root())
    }

    /// The account, if there is a row at all.
    pub fn account_id(&self) -> Option<&str> {
        self.users.first().map(|user| user.account_id.as_str())
    }
}

/// Position of each column.
struct Columns {
    user: usize,
    arn: usize,
    mfa: usize,
    password: usize,
    password_used: usize,
    /// State, change, last use: date, region, service.
    keys: [[usize; 5]; 2],
}

impl Columns {
    fn user(&self, record: &csv::StringRecord) -> Option<User> {
        let cell = |at: usize| record.get(at).map(str::trim).unwrap_or_default();
        let arn = cell(self.arn);
        let account = arn.split(':').nth(4)?;
        let is_account = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
        if !arn.starts_with("arn:") || !is_account {
            return None;
        }
        let slot = |[state, changed, date, region, service]: [usize; 5]| {
            let changed = (cell(changed), date::moment(cell(changed)));
            let word = |at| Some(cell(at)).filter(|it| said(it)).map(str::to_owned);
            Slot {
                state: match (boolean(cell(state)), changed) {
                    (Some(true), _) => SlotState::Active,
                    (Some(false), (_, Some(_))) => SlotState::Inactive,
                    (Some(false), ("N/A", _)) => SlotState::Absent,
                    _ => SlotState::Unknown,
                },
                changed: changed.1,
                used: date::moment(cell(date)),
                service: word(service),
                region: word(region),
            }
        };
        Some(User {
            name: cell(self.user).to_owned(),
            arn: arn.to_owned(),
            account_id: account.to_owned(),
            has_mfa: boolean(cell(self.mfa)),
            has_password: boolean(cell(self.password)),
            password_last_used: date::moment(cell(self.password_used)),
            keys: self.keys.map(slot),
        })
    }
}

/// The guide writes `TRUE`, live reports `true`.
fn boolean(cell: &str) -> Option<bool> {
    match cell.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Returns true for a cell that says something.
fn said(cell: &str) -> bool {
    !["", "N/A", "not_supported", "no_information"].contains(&cell)
}

/// A text without its byte order mark.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

    fn root(keys: &str) -> String {
        format!(
            "{HEADER}\n<root_account>,arn:aws:iam::123456789012:root,2014-01-01T00:00:00+00:00,not_supported,2026-11-01T08:00:00+00:00,not_supported,not_supported,true,{keys},false,N/A,false,N/A\n"
        )
    }

    #[test]
    fn the_three_states_of_a_key_are_told_apart() {
        let used = "2026-11-28T10:00:00Z,ap-northeast-1,ec2";
        for (keys, states) in [
            (
                format!("TRUE,2019-03-02T00:00:00+00:00,{used},false,N/A,N/A,N/A,N/A"),
                [SlotState::Active, SlotState::Absent],
            ),
            (
                "false,2020-06-11T00:00:00Z,N/A,N/A,N/A,FALSE,N/A,N/A,N/A,N/A".to_owned(),
                [SlotState::Inactive, SlotState::Absent],
            ),
            (
                "false,no_information,N/A,N/A,N/A,,N/A,N/A,N/A,N/A".to_owned(),
                [SlotState::Unknown, SlotState::Unknown],
            ),
        ] {
            let report = CredentialReport::parse(root(&keys).as_bytes()).expect("a report");
            let root = report.root().expect("a row of root");
            assert_eq!(
                root.keys.each_ref().map(|slot| slot.state),
                states,
                "{keys}"
            );
            assert_eq!(root.account_id, "123456789012");
            assert_eq!(root.has_mfa, Some(true));
        }
        let keys = format!("true,2019-03-02T00:00:00+00:00,{used},false,N/A,N/A,N/A,N/A");
        let report = CredentialReport::parse(root(&keys).as_bytes()).expect("a report");
        let slot = &report.root().expect("a row of root").keys[0];
        assert_eq!(slot.changed, Some(1_551_484_800));
        assert_eq!(slot.service.as_deref(), Some("ec2"));
        assert_eq!(slot.region.as_deref(), Some("ap-northeast-1"));
    }

    #[test]
    fn columns_are_found_by_name_wherever_they_stand() {
        let text = root("true,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A");
        let mut lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split(',').collect()).collect();
        for line in &mut lines {
            line.reverse();
            line.push(if line[21] == "user" {
                "additional_credentials_info"
            } else {
                "\"a,\"\"b\""
            });
        }
        let lines: Vec<String> = lines.iter().map(|line| line.join(",")).collect();
        let turned = CredentialReport::parse(lines.join("\r\n").as_bytes()).expect("a report");
        assert_eq!(
            turned,
            CredentialReport::parse(text.as_bytes()).expect("a report")
        );
        let marked = format!("\u{feff}{text}");
        assert!(CredentialReport::is_one(marked.as_bytes()));
        assert!(CredentialReport::parse(marked.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let text = root("true,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A");
        let without = text.replace("mfa_active", "mfa");
        assert_eq!(
            CredentialReport::parse(without.as_bytes()),
            Err(Error::Column("mfa_active"))
        );
        let cut = &text[..text.len() - 12];
        let error = CredentialReport::parse(cut.as_bytes()).expect_err("a cut row");
        assert_eq!(
            error,
            Error::Row(2, "has another number of cells than the first")
        );
        let other = text.replace(":123456789012:", ":me:");
        assert!(matches!(
            CredentialReport::parse(other.as_bytes()),
            Err(Error::Row(2, _))
        ));
        // A report without rows is one without root.
        let empty = CredentialReport::parse(HEADER.as_bytes()).expect("a report");
        assert_eq!((empty.root(), empty.account_id()), (None, None));
    }
}
