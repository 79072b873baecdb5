//! The calls that are made: names, versions and forms of the query protocol.

use super::endpoint::Service;

/// One call. Each is read-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Says who signs. Needs no permission, and no policy can deny it (STS API Reference, `GetCallerIdentity`).
    CallerIdentity,
    /// Says which account a key ID belongs to, of any account.
    AccessKeyInfo {
        /// The ID in question.
        key_id: String,
    },
    /// Says which user of one's own account has a key, and when it was used last.
    LastUsed {
        /// The ID in question.
        key_id: String,
    },
    /// Lists the keys of a user with their status.
    ListKeys {
        /// Name without path.
        user: String,
        /// End of the page before.
        marker: Option<String>,
    },
    /// Says, among other counts, whether the root user has access keys.
    AccountSummary,
}

impl Action {
    /// The service that answers it.
    pub fn service(&self) -> Service {
        match self {
            Self::CallerIdentity | Self::AccessKeyInfo { .. } => Service::Sts,
            Self::LastUsed { .. } | Self::ListKeys { .. } | Self::AccountSummary => Service::Iam,
        }
    }

    /// Its name in the API, without the service.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CallerIdentity => "GetCallerIdentity",
            Self::AccessKeyInfo { .. } => "GetAccessKeyInfo",
            Self::LastUsed { .. } => "GetAccessKeyLastUsed",
            Self::ListKeys { .. } => "ListAccessKeys",
            Self::AccountSummary => "GetAccountSummary",
        }
    }

    /// The permission that a policy must allow: `iam:ListAccessKeys`.
    pub fn permission(&self) -> String {
        format!("{}:{}", self.service().name(), self.name())
    }

    /// The form that is sent.
    pub(super) fn form(&self) -> String {
        let version = match self.service() {
            Service::Sts => "2011-06-15",
            Service::Iam => "2010-05-08",
        };
        let mut form = format!("Action={}&Version={version}", self.name());
        let mut add = |name: &str, value: &str| {
            form.push_str(&format!("&{name}={}", encoded(value)));
        };
        match self {
            Self::CallerIdentity | Self::AccountSummary => {}
            Self::AccessKeyInfo { key_id } | Self::LastUsed { key_id } => {
                add("AccessKeyId", key_id);
            }
            Self::ListKeys { user, marker } => {
                add("UserName", user);
                if let Some(marker) = marker {
                    add("Marker", marker);
                }
            }
        }
        form
    }
}

/// `text` with everything but unreserved characters as `%XX`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_hold_what_is_asked_for_and_nothing_can_be_slipped_in() {
        let user = "a+b@c&Action=DeleteUser".to_owned();
        let marker = Some("x/y=".to_owned());
        let action = Action::ListKeys { user, marker };
        assert_eq!(
            action.form(),
            "Action=ListAccessKeys&Version=2010-05-08&UserName=a%2Bb%40c%26Action%3DDeleteUser&Marker=x%2Fy%3D"
        );
        assert_eq!(action.permission(), "iam:ListAccessKeys");
        assert_eq!(
            Action::CallerIdentity.form(),
            "Action=GetCallerIdentity&Version=2011-06-15"
        );
    }
}
