//! Joins keys that were found with what AWS exports about them: whose a key is, what was done with it, what to do now.
//!
//! It asks nobody and guesses nothing in silence: what is not known is said with its reason, and of two statements that
//! disagree both are kept.

pub mod deed;
mod limit;
pub mod plan;
mod priority;
pub mod records;
pub mod subject;
pub mod trace;
pub mod usage;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::aws::cloudtrail::{Event, Field, Lineage, LogKeyId};
use crate::evidence::trail::Coverage;
use crate::evidence::{AsOf, Cell, CostSource, Exhibit, Kind};
use crate::text::date;

pub use limit::Ground;
pub use priority::{Containment, Priority, REVOKE_POLICY, Said};
use records::{Fact, LastUsed, Owner, PermissionsJson, Quarantine, Records, Slot, Status};
use subject::{Place, Subject, Subjects};
use trace::{Related, Traced};
use usage::Network;

/// Name and version of the JSON form.
pub const SCHEMA: &str = "keysieve-triage/1";

/// Rows of costs that are kept for each key, those with the greatest rise first.
const MAX_COSTS: usize = 200;

/// All that is asked, and all that is there to answer it.
#[derive(Debug)]
pub struct Question<'q> {
    /// The keys.
    pub subjects: &'q Subjects,
    /// Time of the leak, in seconds since the epoch, if it was given.
    pub leaked_at: Option<i64>,
    /// Networks from which the owner calls.
    pub known: &'q [Network],
    /// Documents.
    pub exhibits: &'q [Exhibit],
    /// Events of CloudTrail, in order of time, each once.
    pub events: &'q [Event],
    /// Coverage of the logs; `None` if there is no log.
    pub coverage: Option<&'q Coverage>,
    /// More descends from the keys than is followed.
    pub is_bounded: bool,
    /// The time of this moment.
    pub now: i64,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Time at which this was put together.
    pub made: String,
    /// Counts.
    pub summary: Summary,
    /// The keys, the most urgent first.
    pub keys: Vec<KeyCase>,
    /// Coverage of the logs.
    pub coverage: Vec<Covered>,
    /// Facts that the evidence cannot show.
    pub limits: Vec<Said>,
    /// The files, by path.
    pub evidence: Vec<File>,
    /// Evidence that could not be read.
    pub unread: Vec<NotRead>,
}

/// Counts of keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// All of them.
    pub keys: usize,
    /// Those that need action.
    pub need_action: usize,
    /// Those that need action and are contained.
    pub contained: usize,
}

/// A file of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct File {
    /// Its path.
    pub path: String,
    /// Kind of the file.
    pub kind: &'static str,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotRead {
    /// Its path.
    pub path: String,
    /// Reason, in words.
    pub why: String,
}

/// Coverage of one region of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// The account; empty if the records do not say.
    pub account_id: String,
    /// The region; likewise.
    pub region: String,
    /// The first event.
    pub from: String,
    /// The last one.
    pub to: String,
    /// Days without an event between them.
    pub gaps: Vec<[String; 2]>,
}

/// Time at which a key got out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeakedAt {
    /// The time.
    pub at: String,
    /// `option`, `commit` (the earliest that brought it in), `mail` (when AWS wrote) or `health` (when an event of AWS
    /// Health began).
    pub source: &'static str,
}

/// Costs of a service in a region, from the leak's day on and before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Where it comes from: sums of several are not added.
    pub source: CostSource,
    /// The service.
    pub service: String,
    /// The region.
    pub region: String,
    /// The currency.
    pub unit: String,
    /// Days before that have costs at all, of any service.
    pub days_before: u64,
    /// Their sum.
    pub before: f64,
    /// Days from the leak's day on.
    pub days_after: u64,
    /// Their sum.
    pub after: f64,
}

/// Known facts about one key.
#[derive(Clone, Debug, Serialize)]
pub struct KeyCase {
    /// The key.
    pub key_id: String,
    /// The account, if all that say it agree.
    pub account_id: Option<String>,
    /// Every statement about the account.
    pub account_facts: Vec<Fact>,
    /// Fingerprints of its findings.
    pub findings: BTreeSet<String>,
    /// Places where it was found.
    pub places: Vec<Place>,
    /// Further places.
    pub more_places: usize,
    /// Time at which it got out; `None` if nothing says so, and then everything counts as after.
    pub leaked_at: Option<LeakedAt>,
    /// Its owner.
    pub owner: Owner,
    /// If it works.
    pub status: Status,
    /// Time of its creation.
    pub created: Option<Fact>,
    /// Its place in the credential report.
    pub slot: Option<Slot>,
    /// Its last use, the newest first.
    pub last_used: Vec<LastUsed>,
    /// If AWS limits the user.
    pub quarantine: Quarantine,
    /// Upper bound of its permissions; `None` if there are no authorisation details of its user.
    pub permissions: Option<PermissionsJson>,
    /// Places at which AWS reports that it got out.
    pub exposure: Vec<Fact>,
    /// The support case and the deadline of AWS's mail.
    pub support: Option<Support>,
    /// Facts from the logs.
    #[serde(flatten)]
    pub traced: Traced,
    /// Costs of the account.
    pub cost: Vec<Cost>,
    /// Urgency.
    pub priority: Priority,
    /// If nobody can do anything with it any more.
    pub containment: Containment,
    /// Files of the plan that have something to do for it, in order.
    pub next: Vec<&'static str>,
}

/// Statements of AWS's mail about its case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Support {
    /// The case.
    pub case_id: Option<String>,
    /// The deadline, in AWS's words.
    pub deadline: Option<String>,
    /// Date of the mail.
    pub sent: Option<String>,
}

/// Answers a question.
pub fn assess(question: &Question<'_>) -> Case {
    let records = Records::new(question.exhibits);
    let related = relate(question);
    let everything: Vec<&Event> = question.events.iter().collect();
    let mut keys: Vec<KeyCase> = question
        .subjects
        .iter()
        .map(|(key, subject)| one(question, &records, &related, &everything, *key, subject))
        .collect();
    let limits = limit::limits(question, &keys);
    keys.sort_by(|a, b| (a.priority.level, &a.key_id).cmp(&(b.priority.level, &b.key_id)));
    let acting = keys.iter().filter(|key| key.priority.needs_action());
    let summary = Summary {
        keys: keys.len(),
        need_action: acting.clone().count(),
        contained: acting.filter(|key| key.containment.contained).count(),
    };
    let coverage = question.coverage.map(covered).unwrap_or_default();
    Case {
        schema: SCHEMA,
        made: date::rfc3339(question.now),
        summary,
        keys,
        coverage,
        limits,
        evidence: Vec::new(),
        unread: Vec::new(),
    }
}

/// Finds out how each event belongs to the keys.
fn relate<'q>(question: &Question<'q>) -> Vec<Related<'q>> {
    let mut lineage = Lineage::new(question.subjects.keys().copied());
    // An event may come before the one that makes its signer known.
    loop {
        let before = (lineage.keys().count(), lineage.users().count());
        question
            .events
            .iter()
            .for_each(|event| lineage.learn(event));
        if (lineage.keys().count(), lineage.users().count()) == before {
            break;
        }
    }
    let events = question.events.iter();
    events
        .filter_map(|event| {
            let (relation, descent) = lineage.relation(event)?;
            Some(Related {
                event,
                relation,
                descent,
            })
        })
        .collect()
}

fn one(
    question: &Question<'_>,
    records: &Records<'_>,
    related: &[Related<'_>],
    events: &[&Event],
    key: LogKeyId,
    subject: &Subject,
) -> KeyCase {
    let account_facts = records.account(key, events);
    let accounts: BTreeSet<&str> = account_facts
        .iter()
        .map(|fact| fact.value.as_str())
        .collect();
    let account = match accounts.first() {
        Some(account) if accounts.len() == 1 => Some((*account).to_owned()),
        _ => None,
    };
    let account = account.as_deref();
    let owner = records.owner(key, events);
    let created = records.created(key, events);
    let slot = records.slot(key, &owner, account, created.as_ref());
    let status = records.status(key, &owner, slot.as_ref(), account, events);
    let mut last_used = records.last_used(key, &owner, account, slot.as_ref());
    let exposure = records.exposure(key, &owner);
    let support = support(records, key);
    let leaked_at = leaked_at(question, records, key, subject, &owner, created.as_ref());
    let leak = leaked_at.as_ref().and_then(|it| date::moment(&it.at));
    let traced = trace::trace(key, related, leak, question.known);
    let newest = [&traced.calls.after, &traced.calls.before]
        .into_iter()
        .find(|it| it.events > 0);
    if let Some(at) = newest.and_then(|it| it.to.clone()) {
        let last = related
            .iter()
            .rev()
            .find(|it| it.event.signer() == Some(key) && it.event.time == at);
        last_used.push(LastUsed {
            service: last.map(|it| usage::service_of(it.event).to_owned()),
            region: last.map(|it| it.event.get(Field::Region).to_owned()),
            as_of: Some(at.clone()),
            at: Some(at),
            source: "cloudtrail",
        });
        last_used.sort_by(|a, b| b.at.cmp(&a.at));
    }
    let quarantine = records.quarantine(&owner, account);
    let permissions = owner
        .name
        .as_deref()
        .filter(|_| owner.kind == "user")
        .and_then(|name| records.authorization.as_ref()?.permissions(name))
        .map(PermissionsJson::from);
    let known = priority::Known {
        key,
        owner: &owner,
        status: &status,
        quarantine: &quarantine,
        permissions: permissions.as_ref(),
        exposure: &exposure,
        traced: &traced,
        places: subject.places.len(),
    };
    let priority = priority::priority(&known);
    let containment = priority::containment(
        &known,
        records,
        account,
        question.coverage.is_some(),
        question.now,
    );
    let mut case = KeyCase {
        key_id: key.to_string(),
        account_id: account.map(str::to_owned),
        findings: subject.fingerprints.clone(),
        places: subject.places.clone(),
        more_places: subject.more_places,
        cost: costs(question.exhibits, leak),
        account_facts,
        leaked_at,
        owner,
        status,
        created,
        slot,
        last_used,
        quarantine,
        permissions,
        exposure,
        support,
        traced,
        priority,
        containment,
        next: Vec::new(),
    };
    case.next = plan::next(&case);
    case
}

/// The time that was given, else the earliest of all that say the key was out by then: commits, AWS's mails and events of
/// AWS Health.
fn leaked_at(
    question: &Question<'_>,
    records: &Records<'_>,
    key: LogKeyId,
    subject: &Subject,
    owner: &Owner,
    created: Option<&Fact>,
) -> Option<LeakedAt> {
    let noticed = records.noticed(key, owner, created);
    let found = subject.introduced.map(|at| (at, "commit"));
    let (at, source) = match question.leaked_at {
        Some(at) => (at, "option"),
        // Of equal times the commit: it comes first.
        None => found.into_iter().chain(noticed).min_by_key(|(at, _)| *at)?,
    };
    Some(LeakedAt {
        at: date::rfc3339(at),
        source,
    })
}

fn support(records: &Records<'_>, key: LogKeyId) -> Option<Support> {
    records
        .exhibits()
        .iter()
        .find_map(|exhibit| match &exhibit.kind {
            Kind::Mail(notice) if notice.names(key.as_str()) => Some(Support {
                case_id: notice.case_id.clone(),
                deadline: notice.deadline.clone(),
                sent: notice.sent.clone(),
            }),
            _ => None,
        })
}

/// Costs of the account before and from the day of the leak on.
fn costs(exhibits: &[Exhibit], leak: Option<i64>) -> Vec<Cost> {
    let Some(leak) = leak.map(|at| date::Date::of_epoch(at).to_string()) else {
        return Vec::new();
    };
    // Of two answers that tell the same day the newer counts; files of a report are parts of a sum.
    let mut cells: BTreeMap<(CostSource, &Cell), (AsOf, i64)> = BTreeMap::new();
    for exhibit in exhibits {
        let Kind::Costs(costs) = &exhibit.kind else {
            continue;
        };
        for (cell, amount) in &costs.sums {
            let new = (exhibit.as_of, *amount);
            let held = cells.entry((costs.source, cell));
            held.and_modify(|held| match costs.source {
                CostSource::CostExplorer => *held = new.max(*held),
                CostSource::CostReport => held.1 = held.1.saturating_add(*amount),
            })
            .or_insert(new);
        }
    }
    let mut sums: BTreeMap<(CostSource, &str, &str, &str), [f64; 2]> = BTreeMap::new();
    let mut days: BTreeMap<CostSource, [BTreeSet<&str>; 2]> = BTreeMap::new();
    for ((source, cell), (_, amount)) in cells {
        let Cell {
            day,
            service,
            region,
            unit,
        } = cell;
        let side = usize::from(*day.as_str() >= *leak);
        days.entry(source).or_default()[side].insert(day);
        let sum = sums.entry((source, service, region, unit)).or_default();
        sum[side] += amount as f64 / 1e9;
    }
    let mut costs: Vec<Cost> = sums
        .into_iter()
        .map(|((source, service, region, unit), [before, after])| {
            let [days_before, days_after] = days[&source].each_ref().map(|it| it.len() as u64);
            Cost {
                source,
                service: service.to_owned(),
                region: region.to_owned(),
                unit: unit.to_owned(),
                days_before,
                before,
                days_after,
                after,
            }
        })
        .collect();
    let rise = |cost: &Cost| {
        let a_day = |sum: f64, days: u64| if days == 0 { 0.0 } else { sum / days as f64 };
        a_day(cost.after, cost.days_after) - a_day(cost.before, cost.days_before)
    };
    costs.sort_by(|a, b| rise(b).total_cmp(&rise(a)));
    costs.truncate(MAX_COSTS);
    costs
}

fn covered(coverage: &Coverage) -> Vec<Covered> {
    let regions = coverage.regions.iter();
    regions
        .map(|((account_id, region), found)| Covered {
            account_id: account_id.clone(),
            region: region.clone(),
            from: found.period.from.clone(),
            to: found.period.to.clone(),
            gaps: found
                .gaps()
                .into_iter()
                .map(|(from, to)| [from, to])
                .collect(),
        })
        .collect()
}
