//! Credentials that descend from a key, and the relation of events to them.
//!
//! A key's deeds hide behind other IDs in four ways:
//!
//! 1. STS issues a session to the key: the response names the session's ID.
//! 2. A service acts for the caller with a session of its own, which no event issues. Its principal is the caller's,
//!    `invokedBy` names the service, and it was created in the second of the caller's call.
//! 3. The console makes a new session every few minutes for the person who signed in.
//! 4. The key makes credentials: access keys, users, passwords for the console.
//!
//! Ways 1 and 4 are certain, and are followed to any depth within [`MAX_DEPTH`]. Way 2 is inferred from the time. Way 3
//! and whatever else the same principal did is listed apart: it may be the rightful owner's.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Event, Field, text_at};
use super::key::LogKeyId;

/// Generations of credentials that are followed. Real chains have two or three; hostile logs can have any number.
pub const MAX_DEPTH: usize = 32;

/// Descended keys and users that are followed.
pub const MAX_DESCENDANTS: usize = 10_000;

/// Calls that answer with the credentials of a new session.
const ISSUES: [&str; 8] = [
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "AssumeRoot",
    "GetDelegatedAccessToken",
    "GetFederationToken",
    "GetScopedCredentials",
    "GetSessionToken",
];

/// Relation of an event to a key that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// The key signed the request.
    By,
    /// A session that STS issued to the key, or to a credential that descends from it, signed the request.
    Issued,
    /// An access key or a user that the key made, or that a descendant made, sent the request.
    Made,
    /// A console sign-in with a password that the key set.
    Login,
    /// A service sent the request for the key, or for a descendant.
    OnBehalf,
    /// Another credential of the same principal sent the request: perhaps the rightful owner.
    SamePrincipal,
    /// Another principal sent the request, and the record names the key.
    About,
}

impl Relation {
    /// The word for it in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::By => "by",
            Self::Issued => "issued",
            Self::Made => "made",
            Self::Login => "login",
            Self::OnBehalf => "on-behalf",
            Self::SamePrincipal => "same-principal",
            Self::About => "about",
        }
    }
}

/// A credential or user that descends from a key that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descent {
    /// [`Relation::By`] for the keys that were asked for, else issued or made.
    pub relation: Relation,
    /// The key that was asked for.
    pub root: LogKeyId,
    /// The credential that it was issued to or made with; the key itself for those that were asked for.
    pub parent: LogKeyId,
    /// Generations from the key that was asked for.
    pub depth: usize,
}

/// A user of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User {
    /// The 12 digits of the account.
    pub account: String,
    /// The name, without its path.
    pub name: String,
}

/// A user that the key created or gave a password.
#[derive(Clone, Copy, Debug)]
struct MadeUser {
    descent: Descent,
    /// True if the key made the user; false if it only set a password for the console.
    is_new: bool,
}

/// The keys that were asked for and all that descends from them.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    keys: BTreeMap<LogKeyId, Descent>,
    users: BTreeMap<User, MadeUser>,
    /// Principals of the keys, each with its key.
    principals: BTreeMap<String, Descent>,
    /// Seconds in which a principal called directly with one of the keys, with and without MFA.
    calls: BTreeSet<(String, bool, i64)>,
    is_bounded: bool,
}

impl Lineage {
    /// A lineage of these keys and nothing else yet.
    pub fn new(keys: impl IntoIterator<Item = LogKeyId>) -> Self {
        let descent = |key| Descent {
            relation: Relation::By,
            root: key,
            parent: key,
            depth: 0,
        };
        Self {
            keys: keys.into_iter().map(|key| (key, descent(key))).collect(),
            ..Self::default()
        }
    }

    /// Every key of the lineage, those that were asked for included.
    pub fn keys(&self) -> impl Iterator<Item = LogKeyId> + '_ {
        self.keys.keys().copied()
    }

    /// The principals that used these keys.
    pub fn principals(&self) -> impl Iterator<Item = &str> {
        self.principals.keys().map(String::as_str)
    }

    /// The users that were made, or were given a password.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.keys()
    }

    /// Returns true if a bound on depth or number was reached: there may be more descendants.
    pub fn is_bounded(&self) -> bool {
        self.is_bounded
    }

    /// Returns the origin of a key, if it belongs to the lineage.
    pub fn descent(&self, key: &LogKeyId) -> Option<&Descent> {
        self.keys.get(key)
    }

    /// Takes note of what an event says about descent. Call it again for events that were seen before their signer
    /// was known.
    pub fn learn(&mut self, event: &Event) {
        let Some(signer) = event.signer() else {
            return;
        };
        let of_user = self.user_of(event).filter(|made| self.covers(made, event));
        if let Some(made) = of_user
            && !self.keys.contains_key(&signer)
        {
            self.add_key(signer, made.descent);
        }
        let Some(descent) = self.keys.get(&signer).copied() else {
            return;
        };
        let principal = event.get(Field::CallerArn);
        if !principal.is_empty() {
            let known = self
                .principals
                .entry(principal.to_owned())
                .or_insert(descent);
            if descent.depth < known.depth {
                *known = descent;
            }
            if let Some(second) = second(&event.time) {
                self.calls
                    .insert((principal.to_owned(), has_mfa(event), second));
            }
        }
        if event.succeeded() {
            self.add_descendants(event, signer, &descent);
        }
    }

    fn add_descendants(&mut self, event: &Event, signer: LogKeyId, parent: &Descent) {
        let child = |relation| Descent {
            relation,
            root: parent.root,
            parent: signer,
            depth: parent.depth + 1,
        };
        let name = event.get(Field::Name);
        if ISSUES.contains(&name) {
            if let Some(key) = LogKeyId::parse(event.get(Field::IssuedKey)) {
                self.add_key(key, child(Relation::Issued));
            }
        } else if name == "CreateAccessKey" {
            if let Some(key) = LogKeyId::parse(event.get(Field::MadeKey)) {
                self.add_key(key, child(Relation::Made));
            }
        } else if ["CreateUser", "CreateLoginProfile", "UpdateLoginProfile"].contains(&name) {
            let record = event.record();
            let user = text_at(&record, &["requestParameters", "userName"]);
            if !user.is_empty() {
                self.add_user(
                    event.account(),
                    user,
                    child(Relation::Made),
                    name == "CreateUser",
                );
            }
        }
    }

    fn add_key(&mut self, key: LogKeyId, descent: Descent) {
        if self.has_room(&descent) {
            self.keys.entry(key).or_insert(descent);
        }
    }

    fn add_user(&mut self, account: &str, name: &str, descent: Descent, is_new: bool) {
        if self.has_room(&descent) {
            let (account, name) = (account.to_owned(), name.to_owned());
            let made = self
                .users
                .entry(User { account, name })
                .or_insert(MadeUser { descent, is_new });
            made.is_new |= is_new;
        }
    }

    fn has_room(&mut self, descent: &Descent) -> bool {
        let has_room =
            descent.depth <= MAX_DEPTH && self.keys.len() + self.users.len() < MAX_DESCENDANTS;
        self.is_bounded |= !has_room;
        has_room
    }

    /// The made user that sent an event.
    fn user_of(&self, event: &Event) -> Option<&MadeUser> {
        let (account, name) = user_of(event.get(Field::CallerArn)).unwrap_or_else(|| {
            (
                event.get(Field::CallerAccount),
                event.get(Field::CallerName),
            )
        });
        let (account, name) = (account.to_owned(), name.to_owned());
        self.users.get(&User { account, name })
    }

    /// Returns true if what a user does here follows from what the key did: everything that a new user does, and
    /// what an old one does in the console after the key set a password.
    fn covers(&self, made: &MadeUser, event: &Event) -> bool {
        made.is_new || event.get(Field::FromConsole) == "true"
    }

    /// Returns the relation of an event to the keys, with the credential that it descends from. Complete only after
    /// every event was learnt.
    pub fn relation(&self, event: &Event) -> Option<(Relation, Descent)> {
        if let Some(descent) = event.signer().and_then(|key| self.keys.get(&key)) {
            return Some((descent.relation, *descent));
        }
        if let Some(made) = self.user_of(event) {
            if event.get(Field::Name) == "ConsoleLogin" {
                return Some((Relation::Login, made.descent));
            }
            if self.covers(made, event) {
                return Some((Relation::Made, made.descent));
            }
        }
        if let Some(descent) = self.principals.get(event.get(Field::CallerArn)) {
            let is_on_behalf = !event.get(Field::InvokedBy).is_empty() && self.was_caused(event);
            let relation = if is_on_behalf {
                Relation::OnBehalf
            } else {
                Relation::SamePrincipal
            };
            return Some((relation, *descent));
        }
        let descent = event.key_ids().iter().find_map(|key| self.keys.get(key))?;
        Some((Relation::About, *descent))
    }

    /// Returns true if the session of a service was created within a second of a direct call with equal MFA.
    fn was_caused(&self, event: &Event) -> bool {
        let Some(created) = second(event.get(Field::SessionCreated)) else {
            return false;
        };
        let principal = event.get(Field::CallerArn);
        let from = (principal.to_owned(), has_mfa(event), created - 1);
        let to = (principal.to_owned(), has_mfa(event), created + 1);
        self.calls.range(from..=to).next().is_some()
    }
}

/// Account and name of the user in an ARN: `arn:aws:iam::123456789012:user/path/name`.
pub fn user_of(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (Some("arn"), Some(_), Some("iam"), Some(_), Some(account), Some(resource)) = (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) else {
        return None;
    };
    let path = resource.strip_prefix("user/")?;
    Some((account, path.rsplit('/').next().unwrap_or(path)))
}

fn has_mfa(event: &Event) -> bool {
    event.get(Field::SessionMfa) == "true"
}

/// Seconds since 1970 of a time such as `2023-07-10T12:11:15Z`.
fn second(time: &str) -> Option<i64> {
    let time: jiff::Timestamp = time.parse().ok()?;
    Some(time.as_second())
}
