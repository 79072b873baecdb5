//! One event of a log: its record, parsed, with the fields that matter for a key.

use std::collections::BTreeSet;

use serde_json::Value;

use super::json;
use super::key::{LogKeyId, each_in_text};

/// One event. Its record is held as text, with the strings that are asked for again and again beside it: parsed JSON would
/// take five times the memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// `eventTime`: ISO 8601 in UTC, so that the order of texts is the order of time. Empty if it is missing.
    pub time: String,
    /// `eventID`. Empty if it is missing.
    pub id: String,
    /// The record as it is printed: see [`json::printable`].
    pub text: String,
    /// The values of [`Field::ALL`], one after the other.
    values: Box<str>,
    /// End of each in `values`.
    ends: [u32; Field::ALL.len()],
    key_ids: Box<[LogKeyId]>,
}

/// A string of a record. A truth value reads `true` or `false`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The name of the API operation.
    Name,
    /// The service, such as `iam.amazonaws.com`.
    Source,
    /// The region.
    Region,
    /// The IP address, or the name of a service.
    Address,
    /// The user agent.
    Agent,
    /// The error; none if the call succeeded.
    Error,
    /// `true` for a call that only reads.
    ReadOnly,
    /// `true` if the browser made the call.
    FromConsole,
    /// The account that received the event.
    RecipientAccount,
    /// The ID of the key that signed the request.
    Signer,
    /// The kind of the caller, such as `Root` or `IAMUser`.
    CallerType,
    /// The ARN of the caller.
    CallerArn,
    /// The account of the caller.
    CallerAccount,
    /// The name of the user who called.
    CallerName,
    /// The service that called for the caller.
    InvokedBy,
    /// The name of the user or role that a session was issued to.
    Issuer,
    /// The time when a session was created.
    SessionCreated,
    /// `true` for a session that was opened with MFA.
    SessionMfa,
    /// The ID of the key that the request is about.
    AboutKey,
    /// The ID of an access key that the call made.
    MadeKey,
    /// The ID of a session's key that the call issued.
    IssuedKey,
}

impl Field {
    /// Every field, in the order of the declaration, with its path in a record.
    const ALL: [(Self, &[&str]); 21] = [
        (Self::Name, &["eventName"]),
        (Self::Source, &["eventSource"]),
        (Self::Region, &["awsRegion"]),
        (Self::Address, &["sourceIPAddress"]),
        (Self::Agent, &["userAgent"]),
        (Self::Error, &["errorCode"]),
        (Self::ReadOnly, &["readOnly"]),
        (Self::FromConsole, &["sessionCredentialFromConsole"]),
        (Self::RecipientAccount, &["recipientAccountId"]),
        (Self::Signer, &["userIdentity", "accessKeyId"]),
        (Self::CallerType, &["userIdentity", "type"]),
        (Self::CallerArn, &["userIdentity", "arn"]),
        (Self::CallerAccount, &["userIdentity", "accountId"]),
        (Self::CallerName, &["userIdentity", "userName"]),
        (Self::InvokedBy, &["userIdentity", "invokedBy"]),
        (
            Self::Issuer,
            &[
                "userIdentity",
                "sessionContext",
                "sessionIssuer",
                "userName",
            ],
        ),
        (
            Self::SessionCreated,
            &[
                "userIdentity",
                "sessionContext",
                "attributes",
                "creationDate",
            ],
        ),
        (
            Self::SessionMfa,
            &[
                "userIdentity",
                "sessionContext",
                "attributes",
                "mfaAuthenticated",
            ],
        ),
        (Self::AboutKey, &["requestParameters", "accessKeyId"]),
        (
            Self::MadeKey,
            &["responseElements", "accessKey", "accessKeyId"],
        ),
        (
            Self::IssuedKey,
            &["responseElements", "credentials", "accessKeyId"],
        ),
    ];
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
            return Ok(Self::of(&record, inner));
        }
        if let Some(detail) = value.get("detail").filter(|detail| is_record(detail)) {
            return Ok(Self::of(detail, &detail.to_string()));
        }
        // Invalid UTF-8 is an error of the parser above.
        Ok(std::str::from_utf8(text)
            .ok()
            .and_then(|text| Self::of(&value, text)))
    }

    fn of(record: &Value, text: &str) -> Option<Self> {
        if !is_record(record) {
            return None;
        }
        let mut values = String::new();
        let ends = Field::ALL.map(|(_, path)| {
            match at(record, path) {
                Some(Value::Bool(is)) => values.push_str(if *is { "true" } else { "false" }),
                Some(Value::String(text)) => values.push_str(text),
                _ => {}
            }
            u32::try_from(values.len()).expect("a record is far shorter than 4 GiB")
        });
        let mut key_ids = BTreeSet::new();
        collect(record, &mut key_ids);
        Some(Self {
            time: text_at(record, &["eventTime"]).to_owned(),
            id: text_at(record, &["eventID"]).to_owned(),
            text: json::printable(text),
            values: values.into(),
            ends,
            key_ids: key_ids.into_iter().collect(),
        })
    }

    /// Every key ID in the record's strings, names of fields included, in order.
    pub fn key_ids(&self) -> &[LogKeyId] {
        &self.key_ids
    }

    /// Returns a string of the record; an empty one if it is missing.
    pub fn get(&self, field: Field) -> &str {
        let at = field as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start as usize..self.ends[at] as usize]
    }

    /// Parses the record, as it is printed.
    pub fn record(&self) -> Value {
        serde_json::from_str(&self.text).expect("the text was parsed once")
    }

    /// The key that signed the request.
    pub fn signer(&self) -> Option<LogKeyId> {
        LogKeyId::parse(self.get(Field::Signer))
    }

    /// The account that the event happened in: the recipient's, else the caller's.
    pub fn account(&self) -> &str {
        match self.get(Field::RecipientAccount) {
            "" => self.get(Field::CallerAccount),
            account => account,
        }
    }

    /// Returns true if the call succeeded: a failed one has an error.
    pub fn succeeded(&self) -> bool {
        self.get(Field::Error).is_empty()
    }
}

/// Returns true for an object with the two fields that every record of CloudTrail has.
fn is_record(value: &Value) -> bool {
    ["eventSource", "eventID"]
        .iter()
        .all(|name| value.get(name).is_some_and(Value::is_string))
}

/// Returns the string at a path of names in a record; an empty one if there is none.
pub fn text_at<'v>(record: &'v Value, path: &[&str]) -> &'v str {
    at(record, path).and_then(Value::as_str).unwrap_or_default()
}

fn at<'v>(record: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(record, |value, name| value.get(name))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_has_the_place_of_its_declaration() {
        for (at, (field, _)) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, at, "{field:?}");
        }
    }

    #[test]
    fn fields_are_those_of_the_record() {
        let mut record = serde_json::json!({"eventID": "1", "eventSource": "s", "readOnly": true});
        for (number, (_, path)) in Field::ALL.into_iter().enumerate().skip(7) {
            let mut place = &mut record;
            for name in path {
                place = &mut place[*name];
            }
            *place = format!("\u{e9}{number}").into();
        }
        let event = Event::parse(record.to_string().as_bytes())
            .unwrap()
            .unwrap();
        for (number, (field, _)) in Field::ALL.into_iter().enumerate().skip(7) {
            assert_eq!(event.get(field), format!("\u{e9}{number}"));
        }
        assert_eq!(event.get(Field::ReadOnly), "true");
        assert_eq!(event.get(Field::Source), "s");
        assert_eq!(event.get(Field::Name), "");
        assert_eq!(event.record(), record);
    }
}
