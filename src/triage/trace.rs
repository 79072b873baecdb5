//! One key in the events of CloudTrail: use before and after the leak, deeds, and what descends.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::deed::{self, Deed, DeedKind, Outcome};
use super::usage::{self, Network, New, Use};
use crate::aws::cloudtrail::event::text_at;
use crate::aws::cloudtrail::lineage::{Descent, user_of};
use crate::aws::cloudtrail::{Event, Field, LogKeyId, Relation};
use crate::text::date;

/// Deeds that are listed; further ones are counted.
const MAX_DEEDS: usize = 10_000;

/// Events about a key that are listed; further ones are counted.
const MAX_ABOUT: usize = 200;

/// An event, and how it belongs to a key of the case.
#[derive(Clone, Debug)]
pub struct Related<'e> {
    /// The event.
    pub event: &'e Event,
    /// Relation to the key.
    pub relation: Relation,
    /// To which key.
    pub descent: Descent,
}

/// One event, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRef {
    /// Time.
    pub at: String,
    /// The service, `iam`.
    pub service: String,
    /// The call.
    pub event_name: String,
    /// In which region.
    pub region: String,
    /// From where.
    pub address: String,
    /// With what.
    pub agent: String,
    /// The error, if it failed.
    pub error: Option<String>,
    /// The key that signed it.
    pub key_id: Option<String>,
    /// The record.
    pub event_id: String,
}

impl EventRef {
    fn of(event: &Event) -> Self {
        let text = |field| event.get(field).chars().take(512).collect::<String>();
        Self {
            at: event.time.clone(),
            service: usage::service_of(event).to_owned(),
            event_name: event.get(Field::Name).to_owned(),
            region: text(Field::Region),
            address: text(Field::Address),
            agent: text(Field::Agent),
            error: Some(text(Field::Error)).filter(|error| !error.is_empty()),
            key_id: event.signer().map(|key| key.to_string()),
            event_id: event.id.clone(),
        }
    }
}

/// A credential that descends from a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The key that it was made with or issued to.
    pub parent: String,
    /// The key, or the name of the user.
    pub child: String,
    /// `session`, `key`, `user` or `password`.
    pub kind: &'static str,
    /// The call; `first seen` for a key that a made user uses and no event makes.
    pub how: String,
    /// Time.
    pub at: String,
    /// End of a session.
    pub expires: Option<String>,
    /// The user of a key, or the role of a session.
    pub of: Option<String>,
    /// The account of that user or role.
    pub account_id: Option<String>,
    /// The record.
    pub event_id: String,
}

/// Calls that the key itself signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Calls {
    /// Before the leak.
    pub before: Use,
    /// After it.
    pub after: Use,
    /// Values that are new since.
    pub new: New,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traced {
    /// Calls that the key itself signed.
    #[serde(rename = "use")]
    pub calls: Calls,
    /// Calls with what descends from the key.
    pub descendants: Use,
    /// Calls of services on behalf of either.
    pub on_behalf_of: Use,
    /// Calls with other credentials of the same principal: perhaps the owner's.
    pub other_credentials: Use,
    /// The first call after the leak.
    pub first_after: Option<EventRef>,
    /// The first one from elsewhere, or with something else, than before.
    pub first_suspicious: Option<EventRef>,
    /// The first successful call after the leak that changes something.
    pub first_write_after: Option<EventRef>,
    /// Calls that matter, in order of time.
    pub deeds: Vec<Deed>,
    /// Further ones.
    pub more_deeds: u64,
    /// Credentials that descend from the key, in order of time.
    pub lineage: Vec<Edge>,
    /// Events about the key by others: its making, its status, a look-up.
    pub about: Vec<EventRef>,
    /// Further ones.
    pub more_about: u64,
}

impl Traced {
    /// Successful deeds of a kind after the leak.
    pub fn done(&self, kind: DeedKind) -> impl Iterator<Item = &Deed> {
        self.deeds
            .iter()
            .filter(move |deed| deed.kind == kind && deed.outcome == Outcome::Done && deed.is_after)
    }

    /// Calls after the leak that do not come from networks that are known.
    pub fn foreign(&self) -> u64 {
        self.calls.after.foreign() + self.descendants.foreign() + self.on_behalf_of.foreign()
    }
}

/// Gathers what belongs to one key; `events` are in order of time.
pub fn trace(
    key: LogKeyId,
    events: &[Related<'_>],
    leaked_at: Option<i64>,
    known: &[Network],
) -> Traced {
    let mut traced = Traced::default();
    let mine: Vec<&Related<'_>> = events.iter().filter(|it| it.descent.root == key).collect();
    // An event of the very second of the leak is after it. A time that cannot be read is, too.
    let is_after = |event: &Event| match (leaked_at, date::moment(&event.time)) {
        (Some(leak), Some(at)) => at >= leak,
        _ => true,
    };
    let is_known = |event: &Event| {
        let address = event.get(Field::Address);
        known.iter().any(|network| network.holds(address))
    };
    let mut children = BTreeSet::new();
    for Related {
        event, relation, ..
    } in mine.iter().copied()
    {
        let (is_after, is_known) = (is_after(event), is_known(event));
        match relation {
            Relation::By if is_after => traced.calls.after.add(event, is_known),
            Relation::By => traced.calls.before.add(event, is_known),
            Relation::Issued | Relation::Made | Relation::Login => {
                traced.descendants.add(event, is_known)
            }
            Relation::OnBehalf => traced.on_behalf_of.add(event, is_known),
            Relation::SamePrincipal => traced.other_credentials.add(event, is_known),
            Relation::About => {
                if traced.about.len() < MAX_ABOUT {
                    traced.about.push(EventRef::of(event));
                } else {
                    traced.more_about += 1;
                }
            }
        }
        if matches!(
            relation,
            Relation::By | Relation::Issued | Relation::Made | Relation::Login
        ) {
            if let Some(edge) = edge(event) {
                children.insert(edge.child.clone());
                traced.lineage.push(edge);
            }
            if let Some(deed) = deed(event, *relation, is_after) {
                if traced.deeds.len() < MAX_DEEDS {
                    traced.deeds.push(deed);
                } else {
                    traced.more_deeds += 1;
                }
            }
            if is_after && !is_known && traced.first_write_after.is_none() && is_write(event) {
                traced.first_write_after = Some(EventRef::of(event));
            }
        }
    }
    for Related {
        event,
        descent,
        relation,
    } in mine.iter().copied()
    {
        let Some(signer) = event.signer().filter(|signer| *signer != key) else {
            continue;
        };
        if *relation == Relation::Made && children.insert(signer.to_string()) {
            traced.lineage.push(Edge {
                parent: descent.parent.to_string(),
                child: signer.to_string(),
                kind: if signer.as_str().starts_with("ASIA") {
                    "session"
                } else {
                    "key"
                },
                how: "first seen".to_owned(),
                at: event.time.clone(),
                expires: None,
                of: user_of(event.get(Field::CallerArn)).map(|(_, name)| name.to_owned()),
                account_id: Some(event.get(Field::CallerAccount).to_owned()),
                event_id: event.id.clone(),
            });
        }
    }
    traced
        .lineage
        .sort_by(|a, b| (&a.at, &a.event_id).cmp(&(&b.at, &b.event_id)));
    traced.calls.new = New::of(&traced.calls.before, &traced.calls.after);
    let by_it = |it: &&&Related<'_>| {
        matches!(
            it.relation,
            Relation::By | Relation::Issued | Relation::Made | Relation::Login
        )
    };
    let mut after = mine.iter().filter(|it| by_it(it) && is_after(it.event));
    traced.first_after = after.clone().next().map(|it| EventRef::of(it.event));
    let is_new = |it: &&&Related<'_>| {
        !is_known(it.event) && (it.relation != Relation::By || traced.calls.new.is_in(it.event))
    };
    traced.first_suspicious = after.find(is_new).map(|it| EventRef::of(it.event));
    traced
}

fn outcome(event: &Event, record: &Value) -> (Outcome, Option<String>) {
    let error = event.get(Field::Error);
    let login = text_at(record, &["responseElements", "ConsoleLogin"]);
    match error {
        "" if login == "Failure" => (Outcome::Failed, Some("Failure".to_owned())),
        "" => (Outcome::Done, None),
        "AccessDenied"
        | "AccessDeniedException"
        | "Client.UnauthorizedOperation"
        | "UnauthorizedOperation"
        | "UnauthorizedAccess" => (Outcome::Denied, Some(error.to_owned())),
        _ => (Outcome::Failed, Some(error.to_owned())),
    }
}

fn is_write(event: &Event) -> bool {
    let is_read_only = match event.get(Field::ReadOnly) {
        "true" => true,
        "false" => false,
        _ => ["Get", "List", "Describe", "Head", "Lookup"]
            .iter()
            .any(|verb| event.get(Field::Name).starts_with(verb)),
    };
    !is_read_only && event.succeeded()
}

fn deed(event: &Event, relation: Relation, is_after: bool) -> Option<Deed> {
    let service = usage::service_of(event);
    let kind = deed::kind_of(service, event.get(Field::Name))?;
    let record = event.record();
    let (outcome, error) = outcome(event, &record);
    Some(Deed {
        kind,
        service: service.to_owned(),
        event_name: event.get(Field::Name).to_owned(),
        outcome,
        error,
        at: event.time.clone(),
        region: event.get(Field::Region).to_owned(),
        target: record
            .get("requestParameters")
            .map(deed::targets)
            .unwrap_or_default(),
        key_id: event.signer().map(|key| key.to_string()),
        relation: relation.name(),
        event_id: event.id.clone(),
        is_after,
    })
}

/// The credential that a successful event makes.
fn edge(event: &Event) -> Option<Edge> {
    let parent = event.signer().filter(|_| event.succeeded())?;
    let text =
        |path: &[&str]| Some(text_at(&event.record(), path).to_owned()).filter(|it| !it.is_empty());
    let parameter = |name| text(&["requestParameters", name]);
    let edge = |child: String, kind, of: Option<String>, account: &str, expires| Edge {
        parent: parent.to_string(),
        child,
        kind,
        how: event.get(Field::Name).to_owned(),
        at: event.time.clone(),
        expires,
        of,
        account_id: Some(account.to_owned()).filter(|it| !it.is_empty()),
        event_id: event.id.clone(),
    };
    match event.get(Field::Name) {
        "CreateAccessKey" => {
            let child = LogKeyId::parse(event.get(Field::MadeKey))?;
            let made_for = text(&["responseElements", "accessKey", "userName"]);
            let of = made_for.or_else(|| parameter("userName"));
            Some(edge(child.to_string(), "key", of, event.account(), None))
        }
        "CreateUser" => Some(edge(
            parameter("userName")?,
            "user",
            None,
            event.account(),
            None,
        )),
        "CreateLoginProfile" | "UpdateLoginProfile" => Some(edge(
            parameter("userName")?,
            "password",
            None,
            event.account(),
            None,
        )),
        _ => {
            let child = LogKeyId::parse(event.get(Field::IssuedKey))?;
            let expires = text(&["responseElements", "credentials", "expiration"]);
            let expires =
                expires.and_then(|text| date::moment(&text).or_else(|| date::spoken_moment(&text)));
            let role = parameter("roleArn");
            let account = role
                .as_deref()
                .and_then(|arn| arn.split(':').nth(4))
                .unwrap_or_else(|| event.account())
                .to_owned();
            Some(edge(
                child.to_string(),
                "session",
                role,
                &account,
                expires.map(date::rfc3339),
            ))
        }
    }
}

/// Sums by kind: done, and failed or denied.
pub fn sums(deeds: &[Deed]) -> BTreeMap<DeedKind, (u64, u64)> {
    let mut sums = BTreeMap::new();
    for deed in deeds.iter().filter(|deed| deed.is_after) {
        let sum: &mut (u64, u64) = sums.entry(deed.kind).or_default();
        match deed.outcome {
            Outcome::Done => sum.0 += 1,
            Outcome::Denied | Outcome::Failed => sum.1 += 1,
        }
    }
    sums
}
