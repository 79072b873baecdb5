//! Statements of exports about a key: owner, status, last use, quarantine. Every statement keeps its source and its
//! time.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::aws::authorization::{Authorization, Permissions};
use crate::aws::cloudtrail::event::text_at;
use crate::aws::cloudtrail::{Event, Field, LogKeyId};
use crate::aws::credential_report::{CredentialReport, SlotState, User};
use crate::aws::key_id::KeyId;
use crate::evidence::{Exhibit, HealthNotice, Kind};
use crate::text::date;

/// A statement, and who makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The statement.
    pub value: String,
    /// Kind of evidence.
    pub source: &'static str,
    /// The file, or the event.
    pub from: String,
    /// The time of which it speaks.
    pub as_of: Option<String>,
}

impl Fact {
    fn of(value: impl Into<String>, exhibit: &Exhibit) -> Self {
        Self {
            value: value.into(),
            source: exhibit.kind.name(),
            from: exhibit.path.to_string_lossy().into_owned(),
            as_of: Some(date::rfc3339(exhibit.as_of.time)),
        }
    }

    fn of_event(value: impl Into<String>, event: &Event) -> Self {
        Self {
            value: value.into(),
            source: "cloudtrail",
            from: event.id.clone(),
            as_of: Some(event.time.clone()),
        }
    }
}

/// Owner of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// `root`, `user`, `session` or `unknown`.
    pub kind: &'static str,
    /// The name of the user or the role.
    pub name: Option<String>,
    /// The ARN.
    pub arn: Option<String>,
    /// Statements disagree.
    pub disagree: bool,
    /// Every statement, the most reliable first.
    pub facts: Vec<Fact>,
}

/// If a key works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// `active`, `inactive`, `deleted` or `unknown`.
    pub value: &'static str,
    /// Statements disagree.
    pub disagree: bool,
    /// Every statement, the newest first.
    pub facts: Vec<Fact>,
}

/// The last use of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastUsed {
    /// Time of the last use; `None` if not since 2015-04-22.
    pub at: Option<String>,
    /// For which service.
    pub service: Option<String>,
    /// In which region.
    pub region: Option<String>,
    /// Kind of evidence.
    pub source: &'static str,
    /// The time of which it speaks.
    pub as_of: Option<String>,
}

/// A policy with which AWS limits the user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quarantine {
    /// `attached`, `not_attached` or `unknown`.
    pub value: &'static str,
    /// The policy.
    pub policy: Option<String>,
    /// Kind of evidence.
    pub source: Option<&'static str>,
}

/// The place of a key in a credential report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// 1 or 2.
    pub number: usize,
    /// `created` if the dates are equal, `inferred` if there is one active key only.
    pub how: &'static str,
}

/// Upper bound of a key's permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PermissionsJson {
    /// Everything on everything.
    pub admin: bool,
    /// Ways to become that.
    pub escalation: Vec<String>,
    /// Roles that let the user in.
    pub can_assume: Vec<String>,
    /// A boundary may forbid some of it.
    pub boundary: bool,
}

impl From<Permissions> for PermissionsJson {
    fn from(of: Permissions) -> Self {
        Self {
            admin: of.is_admin,
            escalation: of.escalation,
            can_assume: of.can_assume,
            boundary: of.has_boundary,
        }
    }
}

/// All exports, ready to be asked.
#[derive(Debug)]
pub struct Records<'e> {
    exhibits: &'e [Exhibit],
    /// All pages together.
    pub authorization: Option<Authorization>,
}

/// A statement about the owner.
struct OwnerSaid {
    /// Reliability; the least rank counts.
    rank: u8,
    kind: &'static str,
    name: Option<String>,
    arn: Option<String>,
    fact: Fact,
}

/// A row of a credential report.
struct Row<'e> {
    exhibit: &'e Exhibit,
    user: &'e User,
}

impl<'e> Records<'e> {
    /// Makes them of all documents.
    pub fn new(exhibits: &'e [Exhibit]) -> Self {
        let mut authorization: Option<Authorization> = None;
        // The newest last, so that it counts.
        let mut pages: Vec<(&Exhibit, &Authorization)> = exhibits
            .iter()
            .filter_map(|exhibit| match &exhibit.kind {
                Kind::Authorization(details) => Some((exhibit, &**details)),
                _ => None,
            })
            .collect();
        pages.sort_by_key(|(exhibit, _)| exhibit.as_of.time);
        for (_, page) in pages {
            match &mut authorization {
                Some(known) => known.merge(page.clone()),
                None => authorization = Some(page.clone()),
            }
        }
        Self {
            exhibits,
            authorization,
        }
    }

    /// All documents.
    pub fn exhibits(&self) -> &'e [Exhibit] {
        self.exhibits
    }

    /// The account of a key: as the ID holds it, and as evidence says it.
    pub fn account(&self, key: LogKeyId, events: &[&Event]) -> Vec<Fact> {
        let mut facts = Vec::new();
        if let Some(account) = KeyId::parse(key.as_bytes()).and_then(|id| id.account_id()) {
            facts.push(Fact {
                value: account,
                source: "key_id",
                from: key.to_string(),
                as_of: None,
            });
        }
        let account = |event: &&Event| {
            event.signer() == Some(key) && !event.get(Field::CallerAccount).is_empty()
        };
        if let Some(event) = events.iter().rev().find(|event| account(event)) {
            facts.push(Fact::of_event(event.get(Field::CallerAccount), event));
        }
        for exhibit in self.exhibits {
            match &exhibit.kind {
                Kind::Answers(answers) => {
                    let of_key = answers.iter().filter(|it| it.key_id == key.as_str());
                    facts.extend(
                        of_key.filter_map(|it| Some(Fact::of(it.account_id.clone()?, exhibit))),
                    );
                }
                Kind::Mail(notice) if notice.names(key.as_str()) => {
                    let whole = notice.account_id.iter().filter(|id| !id.starts_with('*'));
                    facts.extend(whole.map(|id| Fact::of(id.clone(), exhibit)));
                }
                _ => {}
            }
        }
        facts
    }

    /// Returns the owner of a key.
    pub fn owner(&self, key: LogKeyId, events: &[&Event]) -> Owner {
        let mut said: Vec<OwnerSaid> = Vec::new();
        let by_key = events
            .iter()
            .rev()
            .find(|event| event.signer() == Some(key) && !event.get(Field::CallerType).is_empty());
        if let Some(event) = by_key {
            let arn = Some(event.get(Field::CallerArn).to_owned()).filter(|arn| !arn.is_empty());
            let issuer = event.get(Field::Issuer);
            let name = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let (kind, name) = match event.get(Field::CallerType) {
                "Root" => ("root", None),
                "IAMUser" => ("user", name(event.get(Field::CallerName))),
                _ => ("session", name(issuer)),
            };
            let fact = Fact::of_event(shown(kind, name.as_deref()), event);
            said.push(OwnerSaid {
                rank: 0,
                kind,
                name,
                arn,
                fact,
            });
        }
        for exhibit in self.exhibits {
            let mut add = |rank, kind, name: Option<String>, arn: Option<String>| {
                let fact = Fact::of(shown(kind, name.as_deref()), exhibit);
                said.push(OwnerSaid {
                    rank,
                    kind,
                    name,
                    arn,
                    fact,
                });
            };
            match &exhibit.kind {
                Kind::KeyList { keys, .. } => {
                    for listed in keys.iter().filter(|it| it.key_id == key.as_str()) {
                        match &listed.user {
                            Some(user) => add(1, "user", Some(user.clone()), None),
                            None => add(1, "root", None, None),
                        }
                    }
                }
                Kind::Answers(answers) => {
                    for answer in answers.iter().filter(|it| it.key_id == key.as_str()) {
                        let (name, arn) = answer.owner.clone().unwrap_or_default();
                        match answer.is_root {
                            Some(true) => add(2, "root", None, arn),
                            Some(false) if name.is_some() => add(2, "user", name, arn),
                            _ => {}
                        }
                    }
                }
                // What this call answers for a root key is not documented: nothing rests on it.
                Kind::LastUse(used)
                    if used.key_id.as_deref() == Some(key.as_str()) && used.user.is_some() =>
                {
                    add(3, "user", used.user.clone(), None);
                }
                Kind::Mail(notice) => {
                    let of_key = notice.keys.iter().filter(|it| it.is_of(key.as_str()));
                    for named in of_key.filter(|it| it.user.is_some()) {
                        add(4, "user", named.user.clone(), None);
                    }
                }
                _ => {}
            }
        }
        said.sort_by_key(|it| it.rank);
        let values: BTreeSet<&str> = said.iter().map(|it| it.fact.value.as_str()).collect();
        let disagree = values.len() > 1;
        let arn = said.iter().find_map(|it| it.arn.clone());
        let first = said.first();
        let (kind, name) = first.map_or(("unknown", None), |it| (it.kind, it.name.clone()));
        let in_details = name
            .as_ref()
            .and_then(|name| self.authorization.as_ref()?.users.get(name));
        Owner {
            kind,
            arn: arn.or_else(|| {
                let user = in_details.filter(|_| kind == "user");
                user.map(|user| user.arn.clone())
            }),
            name,
            disagree,
            facts: said.into_iter().map(|it| it.fact).collect(),
        }
    }

    /// If a key works, as far as the evidence knows.
    pub fn status(
        &self,
        key: LogKeyId,
        owner: &Owner,
        slot: Option<&Slot>,
        account: Option<&str>,
        events: &[&Event],
    ) -> Status {
        let mut facts = Vec::new();
        for exhibit in self.exhibits {
            match &exhibit.kind {
                Kind::KeyList { keys, is_cut } => {
                    let of_key = keys.iter().find(|it| it.key_id == key.as_str());
                    let is_of_owner = owner.kind == "user"
                        && keys
                            .iter()
                            .any(|it| it.user.is_some() && it.user == owner.name);
                    match of_key.map(|it| it.is_active) {
                        Some(Some(true)) => facts.push(Fact::of("active", exhibit)),
                        Some(Some(false)) => facts.push(Fact::of("inactive", exhibit)),
                        Some(None) => {}
                        // The whole list of its user's keys without it.
                        None if is_of_owner && !is_cut => facts.push(Fact::of("deleted", exhibit)),
                        None => {}
                    }
                }
                Kind::Answers(answers) => {
                    for answer in answers.iter().filter(|it| it.key_id == key.as_str()) {
                        let of = |value: &str| Fact {
                            as_of: answer.asked.map(date::rfc3339),
                            ..Fact::of(value, exhibit)
                        };
                        facts.extend(
                            matches!(answer.status.as_str(), "active" | "inactive")
                                .then(|| of(&answer.status)),
                        );
                    }
                }
                _ => {}
            }
        }
        for row in self.rows(owner, account) {
            let states = row.user.keys.each_ref().map(|slot| slot.state);
            let of_slot = slot.and_then(|slot| states.get(slot.number - 1));
            let value = match of_slot {
                Some(SlotState::Active) => Some("active"),
                Some(SlotState::Inactive) => Some("inactive"),
                _ if states == [SlotState::Absent; 2] => Some("deleted"),
                _ if states
                    .iter()
                    .all(|it| matches!(it, SlotState::Inactive | SlotState::Absent)) =>
                {
                    Some("inactive")
                }
                _ => None,
            };
            facts.extend(value.map(|value| Fact::of(value, row.exhibit)));
        }
        for event in events.iter().filter(|event| event.succeeded()) {
            let is_about = event.get(Field::AboutKey) == key.as_str();
            let is_made = event.get(Field::MadeKey) == key.as_str();
            let value = match event.get(Field::Name) {
                "UpdateAccessKey" if is_about => {
                    match text_at(&event.record(), &["requestParameters", "status"]) {
                        "Active" => "active",
                        "Inactive" => "inactive",
                        _ => continue,
                    }
                }
                "DeleteAccessKey" if is_about => "deleted",
                "CreateAccessKey" if is_made => "active",
                _ => continue,
            };
            facts.push(Fact::of_event(value, event));
        }
        let moment = |fact: &Fact| fact.as_of.as_deref().and_then(date::moment);
        // Of equal times "active" counts: nothing tells which of the two was later.
        facts.sort_by_key(|fact| (std::cmp::Reverse(moment(fact)), fact.value != "active"));
        let values: BTreeSet<&str> = facts.iter().map(|fact| fact.value.as_str()).collect();
        Status {
            value: match facts.first().map(|fact| fact.value.as_str()) {
                Some("active") => "active",
                Some("inactive") => "inactive",
                Some("deleted") => "deleted",
                _ => "unknown",
            },
            disagree: values.len() > 1,
            facts,
        }
    }

    /// Returns the time of a key's creation.
    pub fn created(&self, key: LogKeyId, events: &[&Event]) -> Option<Fact> {
        let made = events
            .iter()
            .find(|event| event.succeeded() && event.get(Field::MadeKey) == key.as_str());
        if let Some(event) = made {
            return Some(Fact::of_event(event.time.clone(), event));
        }
        self.exhibits.iter().find_map(|exhibit| {
            let at = match &exhibit.kind {
                Kind::KeyList { keys, .. } => {
                    keys.iter().find(|it| it.key_id == key.as_str())?.created
                }
                Kind::Answers(answers) => {
                    answers.iter().find(|it| it.key_id == key.as_str())?.created
                }
                _ => None,
            };
            Some(Fact::of(date::rfc3339(at?), exhibit))
        })
    }

    /// The rows of a user, or of root, in the credential reports of its account.
    fn rows(&self, owner: &Owner, account: Option<&str>) -> Vec<Row<'e>> {
        let is_owner = |user: &User| match owner.kind {
            "root" => user.is_root(),
            "user" => owner.name.as_deref() == Some(user.name.as_str()),
            _ => false,
        };
        self.reports()
            .filter(|(_, report)| account.is_none() || report.account_id() == account)
            .filter_map(|(exhibit, report)| {
                let user = report.users.iter().find(|user| is_owner(user))?;
                Some(Row { exhibit, user })
            })
            .collect()
    }

    fn reports(&self) -> impl Iterator<Item = (&'e Exhibit, &'e CredentialReport)> {
        self.exhibits
            .iter()
            .filter_map(|exhibit| match &exhibit.kind {
                Kind::CredentialReport(report) => Some((exhibit, report)),
                _ => None,
            })
    }

    /// Returns true if the newest credential report of an account says that a user has a password; `None` if none
    /// says.
    pub fn has_password(&self, account: &str, name: &str) -> Option<bool> {
        let owner = Owner {
            kind: "user",
            name: Some(name.to_owned()),
            ..Owner::default()
        };
        let rows = self.rows(&owner, Some(account));
        let newest = rows.iter().max_by_key(|row| row.exhibit.as_of.time)?;
        newest.user.has_password
    }

    /// Returns true if the newest credential report of an account has no row of a user; `None` if there is no
    /// report.
    pub fn is_gone(&self, account: &str, name: &str) -> Option<bool> {
        let of_account = self
            .reports()
            .filter(|(_, report)| report.account_id() == Some(account));
        let (_, newest) = of_account.max_by_key(|(exhibit, _)| exhibit.as_of.time)?;
        Some(!newest.users.iter().any(|user| user.name == name))
    }

    /// The place of a key in the credential report.
    pub fn slot(
        &self,
        key: LogKeyId,
        owner: &Owner,
        account: Option<&str>,
        created: Option<&Fact>,
    ) -> Option<Slot> {
        let rows = self.rows(owner, account);
        let row = rows.iter().max_by_key(|row| row.exhibit.as_of.time)?;
        let created = created.and_then(|fact| date::moment(&fact.value));
        if let Some(at) = created {
            let equal = |slot: &crate::aws::credential_report::Slot| {
                slot.changed.is_some_and(|it| it.abs_diff(at) <= 1)
            };
            if let Some(index) = row.user.keys.iter().position(equal) {
                let number = index + 1;
                return Some(Slot {
                    number,
                    how: "created",
                });
            }
        }
        let active: Vec<usize> = (0..2)
            .filter(|at| row.user.keys[*at].state == SlotState::Active)
            .collect();
        let known: BTreeSet<&str> = self
            .exhibits
            .iter()
            .filter_map(|exhibit| match &exhibit.kind {
                Kind::KeyList { keys, .. } => Some(
                    keys.iter()
                        .filter(|it| it.user == owner.name && it.is_active == Some(true)),
                ),
                _ => None,
            })
            .flatten()
            .map(|listed| listed.key_id.as_str())
            .collect();
        let is_only = known.is_empty() || known.len() == 1 && known.contains(key.as_str());
        match active.as_slice() {
            [index] if is_only => Some(Slot {
                number: index + 1,
                how: "inferred",
            }),
            _ => None,
        }
    }

    /// Returns the last uses according to exports, the newest first.
    pub fn last_used(
        &self,
        key: LogKeyId,
        owner: &Owner,
        account: Option<&str>,
        slot: Option<&Slot>,
    ) -> Vec<LastUsed> {
        let mut uses = Vec::new();
        for exhibit in self.exhibits {
            let mut add = |at: Option<i64>, service: Option<String>, region: Option<String>| {
                uses.push(LastUsed {
                    at: at.map(date::rfc3339),
                    service,
                    region,
                    source: exhibit.kind.name(),
                    as_of: Some(date::rfc3339(exhibit.as_of.time)),
                });
            };
            match &exhibit.kind {
                Kind::LastUse(used) if used.key_id.as_deref() == Some(key.as_str()) => {
                    add(used.at, used.service.clone(), used.region.clone());
                }
                Kind::Answers(answers) => {
                    for answer in answers.iter().filter(|it| it.key_id == key.as_str()) {
                        if let Some((at, service, region)) = answer.last_used.clone() {
                            add(Some(at), service, region);
                        }
                    }
                }
                _ => {}
            }
        }
        for row in self.rows(owner, account) {
            if let Some(of_slot) = slot.map(|slot| &row.user.keys[slot.number - 1]) {
                uses.push(LastUsed {
                    at: of_slot.used.map(date::rfc3339),
                    service: of_slot.service.clone(),
                    region: of_slot.region.clone(),
                    source: row.exhibit.kind.name(),
                    as_of: Some(date::rfc3339(row.exhibit.as_of.time)),
                });
            }
        }
        uses.sort_by(|a, b| b.at.cmp(&a.at));
        uses
    }

    /// If AWS limits the user.
    pub fn quarantine(&self, owner: &Owner, account: Option<&str>) -> Quarantine {
        let Some(name) = owner.name.as_deref().filter(|_| owner.kind == "user") else {
            return Quarantine {
                // A policy cannot be attached to root.
                value: if owner.kind == "root" {
                    "not_attached"
                } else {
                    "unknown"
                },
                ..Quarantine::default()
            };
        };
        let attached = |policy: Option<String>, source| Quarantine {
            value: "attached",
            policy,
            source: Some(source),
        };
        let mut is_answered = false;
        if let Some(details) = &self.authorization {
            if let Some(policy) = details.quarantine(name) {
                return attached(Some(policy.to_owned()), "authorization_details");
            }
            is_answered = details.users.contains_key(name) && !details.is_cut;
        }
        for exhibit in self.exhibits {
            match &exhibit.kind {
                Kind::PolicyUsers { policy, users } if users.iter().any(|user| user == name) => {
                    return attached(policy.clone(), "policy_users");
                }
                Kind::Health(notices) => {
                    let is_of_user = |notice: &&HealthNotice| {
                        notice.is_quarantine()
                            && notice.entities.iter().any(|it| it == name)
                            && (notice.account_id.is_none()
                                || account.is_none()
                                || notice.account_id.as_deref() == account)
                    };
                    if notices.iter().any(|notice| is_of_user(&notice)) && !is_answered {
                        return attached(None, "health_events");
                    }
                }
                _ => {}
            }
        }
        Quarantine {
            value: if is_answered {
                "not_attached"
            } else {
                "unknown"
            },
            policy: None,
            source: is_answered.then_some("authorization_details"),
        }
    }

    /// Returns the places at which AWS reports that the key got out: addresses from mails, and names of Health events.
    pub fn exposure(&self, key: LogKeyId, owner: &Owner) -> Vec<Fact> {
        let mut facts = Vec::new();
        for exhibit in self.exhibits {
            match &exhibit.kind {
                Kind::Mail(notice) => {
                    let of_key = notice.keys.iter().filter(|it| it.is_of(key.as_str()));
                    facts.extend(
                        of_key.map(|it| Fact::of(it.url.clone().unwrap_or_default(), exhibit)),
                    );
                }
                Kind::Health(notices) => {
                    let names = |it: &String| it == key.as_str() || owner.name.as_ref() == Some(it);
                    let about = notices
                        .iter()
                        .filter(|it| it.is_about_keys() && it.entities.iter().any(names));
                    facts.extend(about.map(|notice| Fact {
                        as_of: notice.at.map(date::rfc3339),
                        ..Fact::of(notice.code.clone(), exhibit)
                    }));
                }
                _ => {}
            }
        }
        facts
    }

    /// Returns the times at which AWS wrote of the key, and the kind of message: each mail, and each event of Health
    /// that names the key, or its owner and no other key. An event from before the key was made is about an older one.
    pub fn noticed(
        &self,
        key: LogKeyId,
        owner: &Owner,
        created: Option<&Fact>,
    ) -> Vec<(i64, &'static str)> {
        let created = created.and_then(|fact| date::moment(&fact.value));
        let is_about = |notice: &&HealthNotice| {
            let names = |name: &str| notice.entities.iter().any(|it| it == name);
            let is_of_owner = || {
                let mut keys = notice.entities.iter().filter_map(|it| LogKeyId::parse(it));
                owner.name.as_deref().is_some_and(names) && keys.next().is_none()
            };
            notice.is_about_keys() && (names(key.as_str()) || is_of_owner())
        };
        let mut times = Vec::new();
        for exhibit in self.exhibits {
            match &exhibit.kind {
                Kind::Mail(notice) if notice.names(key.as_str()) => {
                    times.extend(notice.sent_at().map(|at| (at, "mail")));
                }
                Kind::Health(notices) => {
                    let began = notices.iter().filter(is_about).filter_map(|it| it.at);
                    let began = began.filter(|at| created.is_none_or(|made| *at >= made));
                    times.extend(began.map(|at| (at, "health")));
                }
                _ => {}
            }
        }
        times
    }
}

fn shown(kind: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    }
}
