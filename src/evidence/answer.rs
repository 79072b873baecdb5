//! Answers of `keysieve-verify --format jsonl`: one line a key, then a line that says that it is whole.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::aws::verify::is_aws;
use crate::text::date;

/// Name and version of the schema.
const SCHEMA: &str = "keysieve-verify/1";

/// Facts learnt about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAnswer {
    /// The key.
    pub key_id: String,
    /// `active`, `inactive`, `unknown` or `not_asked`.
    pub status: String,
    /// Reason in words.
    pub detail: Option<String>,
    /// If it is root's.
    pub is_root: Option<bool>,
    /// The owner's name and ARN.
    pub owner: Option<(Option<String>, Option<String>)>,
    /// 12 digits.
    pub account_id: Option<String>,
    /// Time of the key's creation, in seconds since the epoch.
    pub created: Option<i64>,
    /// Time, service and region of the last use.
    pub last_used: Option<(i64, Option<String>, Option<String>)>,
    /// Time of the question, in seconds since the epoch.
    pub asked: Option<i64>,
    /// The host that was asked, if it is none of AWS's.
    pub elsewhere: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    key_id: Option<String>,
    status: String,
    detail: Option<String>,
    root: Option<bool>,
    owner: Option<Owner>,
    account_id: Option<String>,
    created: Option<String>,
    last_used: Option<Used>,
    asked: Asked,
}

#[derive(Deserialize)]
struct Owner {
    name: Option<String>,
    arn: Option<String>,
}

#[derive(Deserialize)]
struct Used {
    at: Option<String>,
    service: Option<String>,
    region: Option<String>,
}

#[derive(Deserialize)]
struct Asked {
    at: String,
    #[serde(default)]
    hosts: Vec<String>,
}

/// Returns true for the line at the end.
pub(super) fn is_end(value: &Value) -> bool {
    value.get("schema").and_then(Value::as_str) == Some(SCHEMA)
}

/// Lets a key that is active by one answer of a run be so until the run's last answer about it: a temporary key has an answer
/// for each of its tokens, and one that has expired says nothing of the others.
pub(super) fn settle(run: &mut [KeyAnswer]) {
    let mut last: HashMap<String, Option<i64>> = HashMap::new();
    for answer in &*run {
        let time = last.entry(answer.key_id.clone()).or_default();
        *time = answer.asked.max(*time);
    }
    for answer in run.iter_mut().filter(|answer| answer.status == "active") {
        answer.asked = last[&answer.key_id];
    }
}

/// Reads a line; `None` if it is none, and an inner `None` for a secret whose key is not known.
pub(super) fn read(value: &Value) -> Option<Option<KeyAnswer>> {
    let is_one = ["key_id", "status", "asked"]
        .iter()
        .all(|name| value.get(name).is_some());
    let line = Line::deserialize(value).ok().filter(|_| is_one)?;
    let moment = |text: Option<String>| text.and_then(|text| date::moment(&text));
    let Some(key_id) = line.key_id else {
        return Some(None);
    };
    Some(Some(KeyAnswer {
        key_id,
        status: line.status,
        detail: line.detail,
        is_root: line.root,
        owner: line.owner.map(|owner| (owner.name, owner.arn)),
        account_id: line.account_id,
        created: moment(line.created),
        last_used: line
            .last_used
            .and_then(|used| Some((moment(used.at)?, used.service, used.region))),
        asked: moment(Some(line.asked.at)),
        elsewhere: line.asked.hosts.into_iter().find(|host| !is_aws(host)),
    }))
}
