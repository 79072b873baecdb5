//! Knowledge about a key after it was asked about.

use std::fmt;

use super::Partition;

/// State of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does.
    Active,
    /// It does not, for this reason.
    Inactive(Reason),
    /// Nobody can tell, for this reason.
    Unknown(Reason),
    /// It was not asked about on purpose, for this reason.
    NotAsked(Reason),
}

impl Status {
    /// The word for it in answers.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive(_) => "inactive",
            Self::Unknown(_) => "unknown",
            Self::NotAsked(_) => "not_asked",
        }
    }

    /// Returns the reason of the status; `None` for an active key.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Active => None,
            Self::Inactive(reason) | Self::Unknown(reason) | Self::NotAsked(reason) => Some(reason),
        }
    }
}

/// Reason why a key is not active, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// One of a fixed set of words; the documentation lists them.
    pub word: &'static str,
    /// A sentence without its full stop. It holds no text that a server sent.
    pub text: String,
}

impl Reason {
    /// A reason.
    pub fn new(word: &'static str, text: impl Into<String>) -> Self {
        Self {
            word,
            text: text.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Owner of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The root user of an account.
    Root,
    /// An IAM user: name without path.
    User(String),
    /// A session of a role: the role, and the name of the session.
    Session {
        /// The role, without path.
        role: String,
        /// Name of the session.
        name: String,
    },
    /// A federated user.
    Federated(String),
}

impl Owner {
    /// The word for the kind in answers.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::User(_) => "user",
            Self::Session { .. } => "session",
            Self::Federated(_) => "federated",
        }
    }

    /// The name, unless it is root.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Root => None,
            Self::User(name) | Self::Federated(name) => Some(name.clone()),
            Self::Session { role, name } => Some(format!("{role}/{name}")),
        }
    }
}

/// The signer, as `GetCallerIdentity` describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The whole ARN.
    pub arn: String,
    /// The second field of the ARN: `aws`, `aws-cn`, …
    pub partition: String,
    /// 12 digits.
    pub account_id: String,
    /// The owner that the ARN names.
    pub owner: Owner,
}

impl Identity {
    /// Reads an ARN of a caller and the account beside it; `None` if the two do not fit.
    pub(super) fn new(arn: &str, account_id: &str) -> Option<Self> {
        // What IAM allows in a path.
        if arn.len() > 2048 || !arn.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let fields: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, partition, service, "", account, rest] = fields[..] else {
            return None;
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if fields[0] != "arn"
            || Partition::named(partition).is_none()
            || !is_account
            || account != account_id
        {
            return None;
        }
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let named = |name: String| is_name(&name).then_some(name);
        let owner = match (service, rest.split_once('/')) {
            ("iam", None) if rest == "root" => Owner::Root,
            ("iam", Some(("user", name))) => Owner::User(named(last(name))?),
            ("sts", Some(("assumed-role", session))) => {
                let (role, name) = session.rsplit_once('/')?;
                // AWS's own roles have a colon: `aws:ec2-instance`.
                let role = last(role);
                named(role.strip_prefix("aws:").unwrap_or(&role).to_owned())?;
                Owner::Session {
                    role,
                    name: named(name.to_owned())?,
                }
            }
            ("sts", Some(("federated-user", name))) => Owner::Federated(named(name.to_owned())?),
            _ => return None,
        };
        Some(Self {
            arn: arn.to_owned(),
            partition: partition.to_owned(),
            account_id: account.to_owned(),
            owner,
        })
    }
}

/// Returns true for names of users, roles and sessions as IAM allows them (IAM API Reference, `CreateUser`).
pub(super) fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=128).contains(&name.len()) && name.bytes().all(is_part)
}

/// The last use of a key that IAM knows of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastUsed {
    /// As IAM writes it: `2026-11-29T20:31:00Z`. `None`: never since 2015-04-22, when tracking began.
    pub at: Option<String>,
    /// The service, `s3` for one.
    pub service: Option<String>,
    /// The region.
    pub region: Option<String>,
}

/// Everything that was learnt about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// State of the key.
    pub status: Status,
    /// Owner of the key; `None` if unknown.
    pub owner: Option<Owner>,
    /// The whole ARN of the owner, if AWS said it.
    pub arn: Option<String>,
    /// The account: as AWS said it, else as the ID holds it.
    pub account_id: Option<String>,
    /// The partition, if AWS said it.
    pub partition: Option<String>,
    /// Time of creation, as IAM writes it.
    pub created: Option<String>,
    /// The last use, if IAM was asked.
    pub last_used: Option<LastUsed>,
    /// Further remarks for a person.
    pub notes: Vec<String>,
    /// The hosts that were asked, in this order.
    pub hosts: Vec<String>,
}

impl Verdict {
    /// A verdict with nothing beside it.
    pub fn of(status: Status) -> Self {
        Self {
            status,
            owner: None,
            arn: None,
            account_id: None,
            partition: None,
            created: None,
            last_used: None,
            notes: Vec::new(),
            hosts: Vec::new(),
        }
    }

    /// Returns true for a key of the root user; `None` if the owner is unknown.
    pub fn is_root(&self) -> Option<bool> {
        self.owner.as_ref().map(|owner| *owner == Owner::Root)
    }

    /// Adds what `GetCallerIdentity` said.
    pub(super) fn identify(&mut self, identity: Identity) {
        self.arn = Some(identity.arn);
        self.partition = Some(identity.partition);
        self.owner = Some(identity.owner);
        if let Some(decoded) = self.account_id.replace(identity.account_id.clone())
            && decoded != identity.account_id
        {
            self.notes.push(format!(
                "the ID holds account {decoded}, which is not the one that AWS names"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "123456789012";

    fn owner(rest: &str) -> Option<Owner> {
        Identity::new(&format!("arn:{rest}"), ACCOUNT).map(|identity| identity.owner)
    }

    #[test]
    fn owners_are_read_from_arns() {
        let session = Owner::Session {
            role: "ir".to_owned(),
            name: "me@example.org".to_owned(),
        };
        for (arn, expected) in [
            ("aws:iam::123456789012:root", Some(Owner::Root)),
            (
                "aws-cn:iam::123456789012:user/team/deploy",
                Some(Owner::User("deploy".to_owned())),
            ),
            // A user of that name is not root.
            (
                "aws:iam::123456789012:user/root",
                Some(Owner::User("root".to_owned())),
            ),
            (
                "aws:sts::123456789012:assumed-role/ir/me@example.org",
                Some(session),
            ),
            (
                "aws-us-gov:sts::123456789012:federated-user/x",
                Some(Owner::Federated("x".to_owned())),
            ),
            ("aws:iam::210987654321:root", None),
            ("aws:sts::123456789012:root", None),
            ("aws:iam::123456789012:user/", None),
            ("aws:iam::123456789012:group/x", None),
            ("aws:iam::12345678901:root", None),
            ("evil:iam::123456789012:root", None),
            ("awsfoo:iam::123456789012:root", None),
            ("aws:iam::123456789012:user/<i>/[x](http://e)`id`", None),
            ("aws:iam::123456789012:user/a\u{202e}/b", None),
            ("aws:sts::123456789012:assumed-role//", None),
            ("aws:sts::123456789012:assumed-role/ir/", None),
            ("aws:sts::123456789012:federated-user/", None),
            ("aws:iam::123456789012:user/a\u{1b}b", None),
            ("aws:iam:us-east-1:123456789012:root", None),
        ] {
            assert_eq!(owner(arn), expected, "{arn}");
        }
    }
}
