//! Events of AWS Health about keys that got out: answers to `describe-events` and its relations, and what EventBridge sends.

use serde_json::Value;

use super::mail;
use crate::aws::iam_export::moment;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthNotice {
    /// `AWS_RISK_CREDENTIALS_EXPOSED`, `AWS_RISK_IAM_QUARANTINE`, …
    pub code: String,
    /// Time of its beginning, in seconds since the epoch.
    pub at: Option<i64>,
    /// The account, if the event names it.
    pub account_id: Option<String>,
    /// Key IDs and users that it names.
    pub entities: Vec<String>,
}

impl HealthNotice {
    /// Returns true if it says that a key got out or is abused.
    pub fn is_about_keys(&self) -> bool {
        self.code.starts_with("AWS_RISK_")
            && ["CREDENTIAL", "COMPROMISED", "QUARANTINE"]
                .iter()
                .any(|word| self.code.contains(word))
    }

    /// Returns true if it says that AWS limits the user.
    pub fn is_quarantine(&self) -> bool {
        self.code.contains("QUARANTINE")
    }
}

/// Reads events; `None` if it is no such answer.
pub(super) fn read(value: &Value) -> Option<Vec<HealthNotice>> {
    if let Some(detail) = value
        .get("detail")
        .filter(|detail| detail.get("eventTypeCode").is_some())
    {
        let mut notice = one(detail, detail)?;
        notice.account_id = notice.account_id.or_else(|| text(value, "account"));
        notice.at = notice.at.or_else(|| value.get("time").and_then(moment));
        return Some(vec![notice]);
    }
    if let Some(details) = value.get("successfulSet").and_then(Value::as_array) {
        return details
            .iter()
            .map(|detail| one(detail.get("event")?, detail))
            .collect();
    }
    let events = value.get("events")?.as_array()?;
    events.iter().map(|event| one(event, event)).collect()
}

fn one(event: &Value, detail: &Value) -> Option<HealthNotice> {
    let mut entities: Vec<String> = detail
        .get("affectedEntities")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entity| text(entity, "entityValue"))
        .collect();
    let descriptions = match detail.get("eventDescription") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for description in descriptions {
        let said = description
            .get("latestDescription")
            .and_then(Value::as_str)
            .unwrap_or_default();
        for key in mail::read(said.as_bytes())
            .map(|notice| notice.keys)
            .unwrap_or_default()
        {
            entities.extend([key.id].into_iter().chain(key.user));
        }
    }
    entities.sort();
    entities.dedup();
    Some(HealthNotice {
        code: text(event, "eventTypeCode")?,
        at: event.get("startTime").and_then(moment),
        account_id: text(event, "awsAccountId").or_else(|| text(event, "affectedAccount")),
        entities,
    })
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_three_forms_name_what_they_know() {
        let id = ["AKIA", "RZPUZDIKGB2VALC6"].concat();
        let described = json!({"events": [{"arn": "x", "service": "RISK", "eventTypeCode": "AWS_RISK_CREDENTIALS_EXPOSED", "startTime": 1704448800.0}]});
        let notice = &read(&described).expect("events")[0];
        assert_eq!(
            (notice.at, notice.is_about_keys(), notice.is_quarantine()),
            (Some(1_704_448_800), true, false)
        );
        let sent = json!({"detail-type": "AWS Health Event", "account": "123456789012", "time": "2024-01-05T10:00:00Z", "detail": {
            "eventTypeCode": "AWS_RISK_IAM_QUARANTINE", "startTime": "Fri, 5 Jan 2024 10:00:00 GMT", "affectedEntities": [{"entityValue": "deploy"}],
            "eventDescription": [{"language": "en_US", "latestDescription": format!("Access Key {id} is publicly available")}]}});
        let notice = &read(&sent).expect("events")[0];
        assert_eq!(notice.entities, [id.as_str(), "deploy"]);
        assert_eq!(
            (notice.at, notice.account_id.as_deref()),
            (Some(1_704_448_800), Some("123456789012"))
        );
        let details = json!({"successfulSet": [{"event": {"eventTypeCode": "AWS_RISK_CREDENTIALS_COMPROMISED"}, "eventDescription": {"latestDescription": "x"}}]});
        assert!(read(&details).expect("events")[0].is_about_keys());
        assert_eq!(read(&json!({"Events": []})), None);
        assert_eq!(read(&json!({"events": [{"x": 1}]})), None);
    }
}
