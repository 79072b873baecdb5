//! Kinds of calls that matter after a leak, as a table of data.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

const TABLE: &str = include_str!("deeds.toml");

/// Characters of a parameter that are kept.
const MAX_VALUE: usize = 512;

/// Purpose of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeedKind {
    /// Ways to come back.
    Persistence,
    /// Keys, sessions and passwords.
    Credentials,
    /// Logs and alarms switched off.
    Evasion,
    /// Data read, shared or deleted.
    Data,
    /// It costs money.
    Spend,
    /// A look around.
    Reconnaissance,
}

impl DeedKind {
    /// All of them, the worst first.
    pub const ALL: [Self; 6] = [
        Self::Persistence,
        Self::Credentials,
        Self::Evasion,
        Self::Data,
        Self::Spend,
        Self::Reconnaissance,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Persistence => "persistence",
            Self::Credentials => "credentials",
            Self::Evasion => "evasion",
            Self::Data => "data",
            Self::Spend => "spend",
            Self::Reconnaissance => "reconnaissance",
        }
    }
}

/// Result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// AWS denied it.
    Denied,
    /// It failed for another reason.
    Failed,
}

/// A call that matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deed {
    /// Its purpose.
    pub kind: DeedKind,
    /// The service, `iam`.
    pub service: String,
    /// The call, `CreateUser`.
    pub event_name: String,
    /// Its result.
    pub outcome: Outcome,
    /// The error, if it failed.
    pub error: Option<String>,
    /// Time, as the event has it.
    pub at: String,
    /// In which region.
    pub region: String,
    /// The parameters that name what it is about.
    pub target: BTreeMap<String, String>,
    /// The key that signed it; none for sign-ins.
    pub key_id: Option<String>,
    /// Relation to the key of the case.
    pub relation: &'static str,
    /// The record.
    pub event_id: String,
    /// It came after the leak.
    pub is_after: bool,
}

impl Deed {
    /// A parameter.
    pub fn target(&self, name: &str) -> Option<&str> {
        self.target.get(name).map(String::as_str)
    }
}

#[derive(Deserialize)]
struct Table {
    targets: Vec<String>,
    kind: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: DeedKind,
    events: Vec<String>,
}

static PARSED: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(TABLE).expect("a table that the tests read"));

static KINDS: LazyLock<HashMap<&str, DeedKind>> = LazyLock::new(|| {
    let rows = PARSED.kind.iter();
    rows.flat_map(|row| row.events.iter().map(|event| (event.as_str(), row.name)))
        .collect()
});

/// The kind of a call; `None` if it is of no interest.
pub fn kind_of(service: &str, event: &str) -> Option<DeedKind> {
    let name = format!("{service}:{}", without_date(event));
    KINDS.get(name.as_str()).copied()
}

/// `CreateFunction20150331v2` as `CreateFunction`: some services put the version of their API into the name.
pub fn without_date(event: &str) -> &str {
    let version = event.rfind('v').filter(|at| {
        let digits = &event[at + 1..];
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let event_without = version.map_or(event, |at| &event[..at]);
    let name = event_without.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_');
    let digits = event_without[name.len()..]
        .bytes()
        .filter(u8::is_ascii_digit);
    if digits.count() == 8 { name } else { event }
}

/// The parameters of a request that name what it is about.
pub fn targets(parameters: &Value) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    for name in &PARSED.targets {
        let value = match parameters.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(list)) => {
                let texts: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                texts.join(",")
            }
            _ => continue,
        };
        if !value.is_empty() {
            named.insert(name.clone(), value.chars().take(MAX_VALUE).collect());
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn versions_in_names_do_not_matter() {
        for (event, plain) in [
            ("CreateFunction20150331", "CreateFunction"),
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("CreateDistribution2020_05_31", "CreateDistribution"),
            ("GetFunction20150331v2", "GetFunction"),
            ("CreateUser", "CreateUser"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("Describev2", "Describev2"),
            ("", ""),
        ] {
            assert_eq!(without_date(event), plain);
        }
        assert_eq!(
            kind_of("lambda", "CreateFunction20150331"),
            Some(DeedKind::Spend)
        );
        assert_eq!(kind_of("iam", "CreateUser"), Some(DeedKind::Persistence));
        assert_eq!(kind_of("ec2", "CreateUser"), None);
    }

    #[test]
    fn every_call_has_one_kind() {
        let mut seen = HashSet::new();
        for row in &PARSED.kind {
            for event in &row.events {
                assert!(seen.insert(event), "{event} is there twice");
                assert!(
                    event
                        .split_once(':')
                        .is_some_and(|(service, _)| service == service.to_lowercase()),
                    "{event}"
                );
            }
        }
        assert!(
            DeedKind::ALL
                .iter()
                .all(|kind| PARSED.kind.iter().any(|row| row.name == *kind))
        );
    }
}
