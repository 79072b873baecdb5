//! One event of a log: its record, parsed, with the fields that matter for a key.

use std::collections::BTreeSet;

use serde_json::Value;

use super::json;
use super::key::{LogKeyId, each_in_text};

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// `eventTime`: ISO 8601 in UTC, so that the order of texts is the order of time. Empty if it is missing.
    pub time: String,
    /// `eventID`. Empty if it is missing.
    pub id: String,
    /// The record as it is printed: see [`json::printable`].
    pub text: String,
    /// The record.
    value: Value,
}

impl Event {
    /// Parses the text of a record, or of what wraps one: an element of `lookup-events`, or EventBridge's envelope.
    ///
    /// Returns `None` for JSON that is no CloudTrail record.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or nested deeper than 127 levels.
    pub fn parse(text: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        let value: Value = serde_json::from_slice(text)?;
        if let Some(inner) = value.get("CloudTrailEvent").and_then(Value::as_str) {
            let record = serde_json::from_str(inner)?;
            return Ok(Self::of(record, inner));
        }
        if let Some(detail) = value.get("detail").filter(|detail| is_record(detail)) {
            let text = detail.to_string();
            return Ok(Self::of(detail.clone(), &text));
        }
        // Invalid UTF-8 is an error of the parser above.
        Ok(std::str::from_utf8(text)
            .ok()
            .and_then(|text| Self::of(value, text)))
    }

    fn of(value: Value, text: &str) -> Option<Self> {
        is_record(&value).then(|| Self {
            time: text_at(&value, &["eventTime"]).to_owned(),
            id: text_at(&value, &["eventID"]).to_owned(),
            text: json::printable(text),
            value,
        })
    }

    /// Every key ID in the record's strings, names of fields included.
    pub fn key_ids(&self) -> BTreeSet<LogKeyId> {
        let mut ids = BTreeSet::new();
        collect(&self.value, &mut ids);
        ids
    }

    /// `userIdentity.accessKeyId`: the key that signed the request.
    pub fn signer(&self) -> Option<LogKeyId> {
        LogKeyId::parse(self.identity("accessKeyId"))
    }

    /// A string of `userIdentity`, or nothing.
    pub fn identity(&self, name: &str) -> &str {
        text_at(&self.value, &["userIdentity", name])
    }

    /// A string of `userIdentity.sessionContext.attributes`, or nothing.
    pub fn session(&self, name: &str) -> &str {
        text_at(
            &self.value,
            &["userIdentity", "sessionContext", "attributes", name],
        )
    }

    /// A string at a path of names, or nothing.
    pub fn text_at(&self, path: &[&str]) -> &str {
        text_at(&self.value, path)
    }

    /// The account that the event happened in: the recipient's, else the caller's.
    pub fn account(&self) -> &str {
        match text_at(&self.value, &["recipientAccountId"]) {
            "" => self.identity("accountId"),
            account => account,
        }
    }

    /// `eventName`.
    pub fn name(&self) -> &str {
        text_at(&self.value, &["eventName"])
    }

    /// Returns true if the call succeeded: a failed one has an `errorCode`.
    pub fn succeeded(&self) -> bool {
        text_at(&self.value, &["errorCode"]).is_empty()
    }

    /// Returns true for `sessionCredentialFromConsole`: the browser made the call.
    pub fn is_from_console(&self) -> bool {
        match self.value.get("sessionCredentialFromConsole") {
            Some(Value::Bool(is)) => *is,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }
}

/// Returns true for an object with the two fields that every record of CloudTrail has.
fn is_record(value: &Value) -> bool {
    ["eventSource", "eventID"]
        .iter()
        .all(|name| value.get(name).is_some_and(Value::is_string))
}

fn text_at<'v>(value: &'v Value, path: &[&str]) -> &'v str {
    path.iter()
        .try_fold(value, |value, name| value.get(name))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn collect(value: &Value, ids: &mut BTreeSet<LogKeyId>) {
    let mut add = |text: &str| each_in_text(text, |id| ids.extend([id]));
    match value {
        Value::String(text) => add(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, ids)),
        Value::Object(fields) => {
            fields.keys().for_each(|name| add(name));
            fields.values().for_each(|value| collect(value, ids));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
