//! IAM's answers about keys: the lists of a user's keys, the last use of a key, and the holders of a policy.
//!
//! Field names are those of the IAM API reference. All of it is text that was read elsewhere.

use serde_json::Value;

use crate::text::date;

/// A key in the answer to `list-access-keys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The ID as it is written there; emulators make some that are not base32.
    pub key_id: String,
    /// The owner; `None` for root, whose answer has no name.
    pub user: Option<String>,
    /// If it works; `None` for a word that is not known.
    pub is_active: Option<bool>,
    /// Time of creation, in seconds since the epoch.
    pub created: Option<i64>,
}

/// Reads the answer to `list-access-keys`; `None` if it is none, or a key in it lacks what every key has.
pub fn listed_keys(value: &Value) -> Option<Vec<ListedKey>> {
    let keys = value.get("AccessKeyMetadata")?.as_array()?;
    let keys = keys.iter().map(|key| {
        Some(ListedKey {
            key_id: text(key, "AccessKeyId")?,
            user: text(key, "UserName"),
            is_active: match key.get("Status")?.as_str()? {
                "Active" => Some(true),
                "Inactive" => Some(false),
                _ => None,
            },
            created: key.get("CreateDate").and_then(moment),
        })
    });
    keys.collect()
}

/// The answer to `get-access-key-last-used`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// The key. The answer itself does not name it: a wrapper or the name of the file does.
    pub key_id: Option<String>,
    /// The owner.
    pub user: Option<String>,
    /// Time of the last use, in seconds since the epoch; `None` if not since 2015-04-22.
    pub at: Option<i64>,
    /// For which service.
    pub service: Option<String>,
    /// In which region.
    pub region: Option<String>,
}

/// Reads the answer to `get-access-key-last-used`, alone or as `{"AccessKeyId": …, "Answer": …}`.
pub fn last_use(value: &Value) -> Option<LastUse> {
    let answer = value.get("Answer").unwrap_or(value);
    let used = answer.get("AccessKeyLastUsed")?;
    let said = |name| text(used, name).filter(|it| it != "N/A");
    Some(LastUse {
        key_id: text(value, "AccessKeyId"),
        user: text(answer, "UserName"),
        at: used.get("LastUsedDate").and_then(moment),
        service: said("ServiceName"),
        region: said("Region"),
    })
}

/// Names of the users in the answer to `list-entities-for-policy`, which does not name the policy.
pub fn policy_users(value: &Value) -> Option<Vec<String>> {
    let users = value.get("PolicyUsers")?.as_array()?;
    value.get("PolicyRoles")?;
    users.iter().map(|user| text(user, "UserName")).collect()
}

/// Returns true for a policy with which AWS limits a user whose key got out, in any partition and version.
pub fn is_quarantine(policy: &str) -> bool {
    let name = policy.rsplit('/').next().unwrap_or(policy);
    name.starts_with("AWSCompromisedKeyQuarantine")
        || name == "AWSExposedCredentialPolicy_DO_NOT_REMOVE"
}

/// Returns true if an answer has further pages that are not in it.
pub fn is_cut(value: &Value) -> bool {
    value.get("IsTruncated").and_then(Value::as_bool) == Some(true)
        || ["NextToken", "nextToken", "Marker"]
            .iter()
            .any(|name| value.get(name).is_some_and(Value::is_string))
}

/// A moment as AWS's tools write it: RFC 3339, or seconds since the epoch.
pub fn moment(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => date::moment(text),
        other => other.as_f64().map(|seconds| seconds as i64),
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_about_keys_are_read() {
        let id = ["AKIA", "RZPUZDIKGB2VALC6"].concat();
        let list = json!({"AccessKeyMetadata": [
            {"UserName": "deploy", "AccessKeyId": id, "Status": "Inactive", "CreateDate": "2024-01-05T10:00:00+00:00"},
            {"AccessKeyId": id, "Status": "Active", "CreateDate": 1704448800.5},
            {"AccessKeyId": id, "Status": "Expired"},
        ]});
        let keys = listed_keys(&list).expect("a list");
        assert_eq!(
            (keys[0].user.as_deref(), keys[0].is_active),
            (Some("deploy"), Some(false))
        );
        assert_eq!(keys[0].created, keys[1].created);
        assert_eq!(
            (keys[1].user.as_deref(), keys[1].is_active),
            (None, Some(true))
        );
        assert_eq!(keys[2].is_active, None);
        assert_eq!(
            listed_keys(&json!({"AccessKeyMetadata": [{"Status": "Active"}]})),
            None
        );
        let answer = json!({"UserName": "deploy", "AccessKeyLastUsed":
            {"LastUsedDate": "2024-01-05T10:00:00Z", "ServiceName": "s3", "Region": "N/A"}});
        let bare = last_use(&answer).expect("an answer");
        assert_eq!((bare.key_id, bare.at), (None, Some(1_704_448_800)));
        let wrapped = last_use(&json!({"AccessKeyId": id, "Answer": answer})).expect("an answer");
        assert_eq!(wrapped.key_id.as_deref(), Some(id.as_str()));
        assert_eq!(
            (wrapped.service.as_deref(), wrapped.region),
            (Some("s3"), None)
        );
    }

    #[test]
    fn quarantine_is_known_in_every_version_and_partition() {
        for policy in [
            "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV9",
            "arn:aws-us-gov:iam::aws:policy/AWSCompromisedKeyQuarantine",
            "AWSExposedCredentialPolicy_DO_NOT_REMOVE",
        ] {
            assert!(is_quarantine(policy), "{policy}");
        }
        assert!(!is_quarantine(
            "arn:aws:iam::aws:policy/AdministratorAccess"
        ));
    }
}
