//! The authorisation details of an account: users, groups, roles and policies, and what a user may do by them.
//!
//! Conditions, boundaries and policies of organisations are not evaluated, so what is said here is "at most".

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::iam_export;

/// Combinations of permissions with which a user can give himself all others.
const PATHS: &str = include_str!("escalation.toml");

/// The answer to `get-account-authorization-details`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorization {
    /// By name.
    pub users: BTreeMap<String, UserDetail>,
    /// By name.
    pub roles: BTreeMap<String, RoleDetail>,
    groups: BTreeMap<String, Holder>,
    /// The statements of managed policies, by ARN.
    policies: BTreeMap<String, Vec<Statement>>,
    /// There are further pages.
    pub is_cut: bool,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserDetail {
    /// The whole ARN.
    pub arn: String,
    groups: Vec<String>,
    holder: Holder,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
}

/// A role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleDetail {
    /// The whole ARN.
    pub arn: String,
    trust: Vec<Statement>,
    holder: Holder,
}

/// Whoever has policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Holder {
    /// ARNs of managed policies.
    attached: Vec<String>,
    /// Inline policies: name and statements.
    inline: Vec<(String, Vec<Statement>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    is_allow: bool,
    /// Patterns; with `is_not`, all others.
    actions: Vec<String>,
    is_not: bool,
    resources: Vec<String>,
    /// Patterns of principals, in trust policies.
    principals: Vec<String>,
    has_condition: bool,
}

/// Upper bound of a user's permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Everything on everything.
    pub is_admin: bool,
    /// Ways to become that, by name.
    pub escalation: Vec<String>,
    /// ARNs of roles that let the user in.
    pub can_assume: Vec<String>,
    /// There is a boundary, which may forbid some of it.
    pub has_boundary: bool,
}

#[derive(Debug, Deserialize)]
struct Paths {
    path: Vec<Path>,
}

#[derive(Debug, Deserialize)]
struct Path {
    name: String,
    needs: Vec<String>,
}

static ESCALATIONS: LazyLock<Vec<Path>> = LazyLock::new(|| {
    let paths: Paths = toml::from_str(PATHS).expect("a table that the tests read");
    paths.path
});

impl Authorization {
    /// Reads the answer; `None` if it is none.
    pub fn parse(value: &Value) -> Option<Self> {
        let users = value.get("UserDetailList")?.as_array()?;
        let list = |name| list(value, name);
        let mut read = Self {
            is_cut: iam_export::is_cut(value),
            ..Self::default()
        };
        for user in users {
            let detail = UserDetail {
                arn: text(user, "Arn")?,
                groups: strings(user.get("GroupList")),
                holder: Holder::of(user, "UserPolicyList"),
                boundary: user
                    .get("PermissionsBoundary")
                    .and_then(|boundary| text(boundary, "PermissionsBoundaryArn")),
            };
            read.users.insert(text(user, "UserName")?, detail);
        }
        for group in list("GroupDetailList") {
            let name = text(group, "GroupName")?;
            read.groups
                .insert(name, Holder::of(group, "GroupPolicyList"));
        }
        for role in list("RoleDetailList") {
            let detail = RoleDetail {
                arn: text(role, "Arn")?,
                trust: statements(role.get("AssumeRolePolicyDocument")),
                holder: Holder::of(role, "RolePolicyList"),
            };
            read.roles.insert(text(role, "RoleName")?, detail);
        }
        for policy in list("Policies") {
            let versions = policy.get("PolicyVersionList").and_then(Value::as_array);
            let default = versions.into_iter().flatten().find(|version| {
                version.get("IsDefaultVersion").and_then(Value::as_bool) == Some(true)
            });
            let document = default.and_then(|version| version.get("Document"));
            read.policies
                .insert(text(policy, "Arn")?, statements(document));
        }
        Some(read)
    }

    /// Adds another page, or another account's answer.
    pub fn merge(&mut self, other: Self) {
        self.users.extend(other.users);
        self.roles.extend(other.roles);
        self.groups.extend(other.groups);
        self.policies.extend(other.policies);
        self.is_cut &= other.is_cut;
    }

    /// The policy with which AWS limits a user; `None` if none is attached, or there is no such user.
    pub fn quarantine(&self, user: &str) -> Option<&str> {
        let attached = &self.users.get(user)?.holder.attached;
        let found = attached.iter().find(|arn| iam_export::is_quarantine(arn));
        found.map(String::as_str)
    }

    /// Returns true if a user or role has an inline policy of this name.
    pub fn has_inline(&self, holder: &str, policy: &str) -> bool {
        let user = self.users.get(holder).map(|user| &user.holder);
        let role = self.roles.get(holder).map(|role| &role.holder);
        [user, role]
            .into_iter()
            .flatten()
            .any(|holder| holder.inline.iter().any(|(name, _)| name == policy))
    }

    /// Returns the upper bound of a user's permissions; `None` if there is no such user.
    pub fn permissions(&self, user: &str) -> Option<Permissions> {
        let detail = self.users.get(user)?;
        let groups = detail
            .groups
            .iter()
            .filter_map(|name| self.groups.get(name));
        let holders: Vec<&Holder> = std::iter::once(&detail.holder).chain(groups).collect();
        let mut all = Vec::new();
        let mut is_admin = false;
        for holder in holders {
            for arn in &holder.attached {
                is_admin |= arn.ends_with(":aws:policy/AdministratorAccess");
                // AWS denies some of what a quarantined user might do, and by its own words not all.
                if !iam_export::is_quarantine(arn) {
                    all.extend(self.policies.get(arn).into_iter().flatten());
                }
            }
            all.extend(holder.inline.iter().flat_map(|(_, statements)| statements));
        }
        let is_everything = |it: &&&Statement| {
            it.is_allow && it.covers("any:AnythingAtAll") && it.resources.iter().any(|on| on == "*")
        };
        let denies_all =
            |it: &&&Statement| !it.is_allow && it.covers("any:AnythingAtAll") && !it.has_condition;
        is_admin |= all.iter().any(|it| is_everything(&it));
        is_admin &= !all.iter().any(|it| denies_all(&it));
        let allows = |action: &str| {
            let of = |is_allow: bool| all.iter().filter(move |it| it.is_allow == is_allow);
            of(true).any(|it| it.covers(action))
                && !of(false).any(|it| {
                    it.covers(action)
                        && !it.has_condition
                        && it.resources.iter().any(|on| on == "*")
                })
        };
        let can = |path: &&Path| path.needs.iter().all(|action| allows(action));
        let account = detail.arn.split(':').nth(4).unwrap_or_default();
        let may_ask = allows("sts:AssumeRole");
        let lets_in = |role: &&RoleDetail| {
            role.trust.iter().filter(|it| it.is_allow).any(|it| {
                it.principals.iter().any(|who| {
                    who == "*"
                        || *who == detail.arn
                        || may_ask
                            && (who == account || who.ends_with(&format!("::{account}:root")))
                })
            })
        };
        Some(Permissions {
            is_admin,
            escalation: match is_admin {
                true => Vec::new(),
                false => ESCALATIONS
                    .iter()
                    .filter(can)
                    .map(|path| path.name.clone())
                    .collect(),
            },
            can_assume: self
                .roles
                .values()
                .filter(lets_in)
                .map(|role| role.arn.clone())
                .collect(),
            has_boundary: detail.boundary.is_some(),
        })
    }
}

/// Returns the items under a name, none if there is no list.
fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let items = value.get(name).and_then(Value::as_array);
    items.into_iter().flatten()
}

impl Holder {
    fn of(value: &Value, inline: &str) -> Self {
        let list = |name| list(value, name);
        let attached = list("AttachedManagedPolicies").filter_map(|it| text(it, "PolicyArn"));
        let inline = list(inline).filter_map(|policy| {
            let name = text(policy, "PolicyName")?;
            Some((name, statements(policy.get("PolicyDocument"))))
        });
        Self {
            attached: attached.collect(),
            inline: inline.collect(),
        }
    }
}

impl Statement {
    fn covers(&self, action: &str) -> bool {
        let is_named = self.actions.iter().any(|pattern| matches(pattern, action));
        is_named != self.is_not
    }
}

/// The statements of a policy: an object as the command line writes it, or percent-encoded text as the API sends it.
fn statements(document: Option<&Value>) -> Vec<Statement> {
    let decoded;
    let document = match document {
        Some(Value::String(text)) => {
            decoded = serde_json::from_str(&percent_decoded(text)).unwrap_or(Value::Null);
            &decoded
        }
        Some(other) => other,
        None => return Vec::new(),
    };
    let of = |value: &Value| {
        let (actions, is_not) = match value.get("NotAction") {
            Some(others) => (strings(Some(others)), true),
            None => (strings(value.get("Action")), false),
        };
        let principals = match value.get("Principal") {
            Some(Value::Object(kinds)) => strings(kinds.get("AWS")),
            other => strings(other),
        };
        Statement {
            is_allow: value.get("Effect").and_then(Value::as_str) == Some("Allow"),
            actions,
            is_not,
            resources: strings(value.get("Resource")),
            principals,
            has_condition: value.get("Condition").is_some(),
        }
    };
    match document.get("Statement") {
        Some(Value::Array(list)) => list.iter().map(of).collect(),
        Some(one) => vec![of(one)],
        None => Vec::new(),
    }
}

/// A string, or a list of strings.
fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

/// Matches a pattern of a policy, in which `*` is any text and `?` any character; letters of either case.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut in_text) = (0, 0);
    // Where the last star was, and how much of the text it takes.
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    at = before + 1;
                    in_text = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(value)) => {
                decoded.push(value);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn details(policy: Value, attached: &str) -> Authorization {
        let value = json!({
            "UserDetailList": [{
                "UserName": "deploy", "Arn": "arn:aws:iam::123456789012:user/deploy", "GroupList": ["g"],
                "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": policy}],
                "AttachedManagedPolicies": [{"PolicyName": "x", "PolicyArn": attached}],
            }],
            "GroupDetailList": [{"GroupName": "g", "GroupPolicyList": [{"PolicyName": "q", "PolicyDocument":
                "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22sts%3AAssumeRole%22%2C%22Resource%22%3A%22%2A%22%7D%7D"}]}],
            "RoleDetailList": [
                {"RoleName": "r", "Arn": "arn:aws:iam::123456789012:role/r", "AssumeRolePolicyDocument": {"Statement": [
                    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]}},
                {"RoleName": "s", "Arn": "arn:aws:iam::123456789012:role/s", "AssumeRolePolicyDocument": {"Statement": [
                    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}},
            ],
            "Policies": [{"Arn": "arn:aws:iam::123456789012:policy/m", "PolicyVersionList": [
                {"IsDefaultVersion": false, "Document": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}},
                {"IsDefaultVersion": true, "Document": {"Statement": [{"Effect": "Allow", "Action": ["iam:PutUser*"], "Resource": "*"}]}},
            ]}],
            "IsTruncated": false,
        });
        Authorization::parse(&value).expect("details")
    }

    #[test]
    fn what_a_user_may_do_is_read_from_all_policies_that_hold() {
        let nothing = json!({"Statement": []});
        let of = |policy: &Value, attached| {
            details(policy.clone(), attached)
                .permissions("deploy")
                .expect("a user")
        };
        let weak = of(&nothing, "arn:aws:iam::aws:policy/ReadOnly");
        assert!(!weak.is_admin && weak.escalation.is_empty(), "{weak:?}");
        // By the group's policy, which is percent-encoded.
        assert_eq!(weak.can_assume, ["arn:aws:iam::123456789012:role/r"]);
        let escalates = of(&nothing, "arn:aws:iam::123456789012:policy/m");
        assert_eq!(escalates.escalation, ["iam:PutUserPolicy"]);
        assert!(of(&nothing, "arn:aws:iam::aws:policy/AdministratorAccess").is_admin);
        let all = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
        assert!(of(&all, "x").is_admin);
        let but = json!({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}});
        assert!(
            of(&but, "x").is_admin,
            "everything but IAM is counted as everything: at most"
        );
        let denied = json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*"}]});
        assert!(!of(&denied, "x").is_admin);
        let old = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*",
            "Resource": "*", "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2024-01-01T00:00:00Z"}}}]});
        assert!(
            of(&old, "x").is_admin,
            "a denial with a condition may not hold"
        );
        assert_eq!(details(nothing, "x").permissions("nobody"), None);
    }

    #[test]
    fn patterns_match_as_policies_have_them() {
        for (pattern, text, is) in [
            ("*", "iam:X", true),
            ("iam:*", "IAM:CreateUser", true),
            ("iam:Create*", "iam:createuser", true),
            ("iam:*User", "iam:CreateUser", true),
            ("iam:?reateUser", "iam:CreateUser", true),
            ("iam:*Role*y", "iam:PutRolePolicy", true),
            ("iam:Create", "iam:CreateUser", false),
            ("s3:*", "iam:CreateUser", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), is, "{pattern} {text}");
        }
    }

    #[test]
    fn the_quarantine_and_inline_policies_are_seen() {
        let details = details(
            json!({}),
            "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV4",
        );
        assert!(details.quarantine("deploy").is_some());
        assert!(details.has_inline("deploy", "p") && !details.has_inline("deploy", "q"));
        assert!(!ESCALATIONS.is_empty());
    }
}
