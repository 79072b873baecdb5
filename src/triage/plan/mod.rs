//! Steps against leaked keys, in order: reversible first, destructive last and never run unasked.
//!
//! A plan is commands with the values of the case. Nothing here runs them, and nothing here knows a shell: values that
//! AWS's command line would read otherwise, or that IAM forbids, never become part of a command.

mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::deed::{Deed, DeedKind, Outcome};
use super::priority::{REVOKE_POLICY, Said};
use super::trace::Edge;
use super::{Case, KeyCase};

pub use value::{Arg, Argv};
use value::{Values, is_name};

const TABLE: &str = include_str!("commands.toml");

/// The plan for one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The account; `None` if it is not known.
    pub account_id: Option<String>,
    /// Users whose keys got out: they must not run the plan.
    pub users: BTreeSet<String>,
    /// Keys that got out, likewise.
    pub key_ids: BTreeSet<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name without its ending: `10-contain`.
    pub id: &'static str,
    /// Its items, in order.
    pub items: Vec<Item>,
}

/// A line or a few of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A heading: a key, a user.
    About(String),
    /// Words.
    Say(Said),
    /// Text that an attacker may have chosen.
    Quote(String),
    /// A command that is run.
    Run(Argv),
    /// A command for a person to run after reading it.
    Offer(Argv),
    /// A command for a person to run by hand, elsewhere, with credentials that the plan's check would stop.
    ByHand(Argv),
    /// Commands that are run in every region that the account has enabled.
    EachRegion(Vec<Argv>),
}

#[derive(Debug, Deserialize)]
struct Table {
    undo: Vec<Undo>,
    secret: Vec<Secret>,
    resources: Resources,
}

#[derive(Debug, Deserialize)]
struct Undo {
    event: String,
    look: Vec<String>,
    #[serde(default)]
    undo: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Secret {
    event: String,
    parameter: String,
    #[serde(default)]
    look: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Resources {
    each_region: Vec<Vec<String>>,
    once: Vec<Vec<String>>,
}

static COMMANDS: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(TABLE).expect("a table that the tests read"));

/// Makes a plan for each account of a case.
pub fn plans(case: &Case) -> Vec<Plan> {
    let mut accounts: BTreeMap<Option<&str>, Vec<&KeyCase>> = BTreeMap::new();
    for key in &case.keys {
        let known = key.account_id.as_deref().filter(|id| value::is_account(id));
        accounts.entry(known).or_default().push(key);
    }
    let plan = |(account, keys): (Option<&str>, Vec<&KeyCase>)| {
        let users = keys.iter().filter(|key| key.owner.kind == "user");
        let users = users
            .filter_map(|key| key.owner.name.clone())
            .filter(|name| is_name(name));
        Plan {
            account_id: account.map(str::to_owned),
            users: users.collect(),
            key_ids: keys.iter().map(|key| key.key_id.clone()).collect(),
            steps: STEPS
                .iter()
                .map(|(id, of)| match of {
                    Some(of) => step(id, &keys, *of),
                    None => resources(&keys),
                })
                .collect(),
        }
    };
    accounts.into_iter().map(plan).collect()
}

/// The steps of a key that have something to do.
pub fn next(key: &KeyCase) -> Vec<&'static str> {
    let has_work = |of: Of| {
        let mut items = Items(Vec::new());
        of(key, &mut items);
        !items.0.is_empty() && items.0 != [Item::Say(Said::bare("nothing"))]
    };
    let steps = STEPS.iter().filter(|(_, of)| of.is_none_or(has_work));
    steps.map(|(id, _)| *id).collect()
}

/// Writes what one step has to do for a key.
type Of = fn(&KeyCase, &mut Items);

/// The steps in order; the one for resources is of the account, not of a key.
const STEPS: [(&str, Option<Of>); 9] = [
    ("10-contain", Some(contain)),
    ("11-sessions", Some(sessions)),
    ("20-descendants", Some(descendants)),
    ("30-replace", Some(replace)),
    ("40-trail", Some(trail)),
    ("50-resources", None),
    ("60-secrets", Some(secrets)),
    ("70-delete", Some(delete)),
    ("80-repository", Some(repository)),
];

fn step(id: &'static str, keys: &[&KeyCase], of: Of) -> Step {
    let mut items = Items(Vec::new());
    for key in keys {
        let before = items.0.len();
        items.0.push(Item::About(key.key_id.clone()));
        of(key, &mut items);
        if items.0.len() == before + 1 {
            items.say("nothing");
        }
    }
    Step { id, items: items.0 }
}

/// Items of a step under way.
struct Items(Vec<Item>);

impl Items {
    fn say(&mut self, code: &'static str) {
        self.0.push(Item::Say(Said::bare(code)));
    }

    fn say_with<const N: usize>(
        &mut self,
        code: &'static str,
        values: [(&'static str, String); N],
    ) {
        self.0.push(Item::Say(Said::with(code, values)));
    }

    /// Adds an event as its log has it: time, region, call, what it was done to, ID.
    fn quote(&mut self, deed: &Deed, targets: &[&str]) {
        let name = name_of(deed);
        let mut words = vec![
            deed.at.to_string(),
            deed.region.to_string(),
            name.to_string(),
        ];
        words.extend(targets.iter().map(|target| target.to_string()));
        words.push(deed.event_id.to_string());
        self.0.push(Item::Quote(words.join(" ")));
    }

    /// Adds a command, or says that a value of it is refused.
    fn add(&mut self, argv: Result<Argv, value::Refused>, item: fn(Argv) -> Item) {
        match argv {
            Ok(argv) => {
                let item = item(argv);
                if !self.0.contains(&item) {
                    self.0.push(item);
                }
            }
            Err(refused) => self.say_with(
                "refused",
                [("name", refused.name), ("value", refused.value)],
            ),
        }
    }

    fn run(&mut self, argv: Result<Argv, value::Refused>) {
        self.add(argv, Item::Run);
    }

    fn offer(&mut self, argv: Result<Argv, value::Refused>) {
        self.add(argv, Item::Offer);
    }

    fn by_hand(&mut self, argv: Result<Argv, value::Refused>) {
        self.add(argv, Item::ByHand);
    }
}

/// A command with values by name.
fn command(words: &[&str], values: &[(&str, &str)]) -> Result<Argv, value::Refused> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Values::of(values).fill(&words)
}

fn set_status(user: &str, key: &str, status: &str) -> Result<Argv, value::Refused> {
    command(
        &[
            "iam",
            "update-access-key",
            "--user-name={userName}",
            "--access-key-id={accessKeyId}",
            "--status={status}",
        ],
        &[("userName", user), ("accessKeyId", key), ("status", status)],
    )
}

fn list_keys(user: &str) -> Result<Argv, value::Refused> {
    command(
        &["iam", "list-access-keys", "--user-name={userName}"],
        &[("userName", user)],
    )
}

/// The name of the user whose key it is.
fn user(key: &KeyCase) -> Option<&str> {
    key.owner
        .name
        .as_deref()
        .filter(|_| key.owner.kind == "user")
}

fn is_long_term(key: &str) -> bool {
    key.starts_with("AKIA")
}

fn contain(key: &KeyCase, items: &mut Items) {
    match (key.owner.kind, user(key)) {
        ("root", _) => root(key, items),
        _ if !is_long_term(&key.key_id) => items.say("contain_session"),
        (_, Some(user)) => {
            if key.status.value == "deleted" {
                items.say("contain_deleted");
                return;
            }
            items.say("contain");
            items.run(set_status(user, &key.key_id, "Inactive"));
            items.run(list_keys(user));
            items.say("undo");
            items.offer(set_status(user, &key.key_id, "Active"));
        }
        _ => {
            items.say("contain_unknown");
            items.run(last_used(&key.key_id));
        }
    }
}

/// Policies do not hold root, and no user may switch off its keys.
fn root(key: &KeyCase, items: &mut Items) {
    items.say("root");
    items.say("root_console");
    items.say("root_central");
    items.by_hand(assume_root(key, "IAMAuditRootUserCredentials"));
    items.by_hand(command(&["iam", "list-access-keys"], &[]));
    items.by_hand(last_used(&key.key_id));
    items.say("root_central_delete");
    delete_root(key, items);
    items.say("root_after");
}

/// Deletes a root key by central root access, which may not deactivate it: the task's policy permits to list, get and
/// delete.
fn delete_root(key: &KeyCase, items: &mut Items) {
    items.by_hand(assume_root(key, "IAMDeleteRootUserCredentials"));
    items.by_hand(command(
        &["iam", "delete-access-key", "--access-key-id={accessKeyId}"],
        &[("accessKeyId", &key.key_id)],
    ));
}

fn assume_root(key: &KeyCase, task: &str) -> Result<Argv, value::Refused> {
    let account = key.account_id.as_deref().unwrap_or_default();
    command(
        &[
            "sts",
            "assume-root",
            "--region=us-east-1",
            "--target-principal={account}",
            "--task-policy-arn=arn=arn:aws:iam::aws:policy/root-task/{task}",
        ],
        &[("account", account), ("task", task)],
    )
}

/// Denies what was issued before the moment of the run. Long-term keys carry no time of issue: the condition does not
/// hold for them.
fn revoke(holder: &str, kind: &str) -> Result<Argv, value::Refused> {
    let document = concat!(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","#,
        r#""Condition":{"DateLessThan":{"aws:TokenIssueTime":""#
    );
    let mut argv = command(
        &[
            "iam",
            &format!("put-{kind}-policy"),
            &format!("--{kind}-name={{{kind}Name}}"),
            "--policy-name={policyName}",
        ],
        &[
            (&format!("{kind}Name"), holder),
            ("policyName", REVOKE_POLICY),
        ],
    )?;
    argv.0.push(Arg::Now {
        before: format!("--policy-document={document}"),
        after: r#""}}}]}"#.to_owned(),
    });
    Ok(argv)
}

fn unrevoke(holder: &str, kind: &str) -> Result<Argv, value::Refused> {
    command(
        &[
            "iam",
            &format!("delete-{kind}-policy"),
            &format!("--{kind}-name={{{kind}Name}}"),
            "--policy-name={policyName}",
        ],
        &[
            (&format!("{kind}Name"), holder),
            ("policyName", REVOKE_POLICY),
        ],
    )
}

/// Returns the holders of sessions that descend from a key: kind and name of users and roles of the account.
fn holders(key: &KeyCase) -> BTreeSet<(&'static str, String)> {
    let mut holders = BTreeSet::new();
    holders.extend(user(key).map(|name| ("user", name.to_owned())));
    if key.owner.kind == "session" {
        holders.extend(key.owner.name.clone().map(|name| ("role", name)));
    }
    let is_here = |edge: &&Edge| edge.account_id.is_none() || edge.account_id == key.account_id;
    for edge in key.traced.lineage.iter().filter(is_here) {
        match (edge.kind, &edge.of) {
            ("session", Some(role)) => {
                holders.insert(("role", role.rsplit('/').next().unwrap_or(role).to_owned()));
            }
            ("user" | "password", _) => {
                holders.insert(("user", edge.child.clone()));
            }
            _ => {}
        }
    }
    holders
}

fn sessions(key: &KeyCase, items: &mut Items) {
    if key.owner.kind == "root" {
        items.say("sessions_root");
        return;
    }
    let holders = holders(key);
    if holders.is_empty() {
        items.say("sessions_unknown");
        return;
    }
    items.say("sessions");
    for (kind, name) in &holders {
        items.run(revoke(name, kind));
    }
    let last = key
        .traced
        .lineage
        .iter()
        .filter_map(|edge| edge.expires.clone())
        .max();
    match last {
        Some(at) => items.say_with("sessions_until", [("at", at)]),
        None => items.say("sessions_36h"),
    }
    let elsewhere: BTreeSet<&str> = key
        .traced
        .lineage
        .iter()
        .filter(|edge| {
            edge.kind == "session" && edge.account_id.is_some() && edge.account_id != key.account_id
        })
        .filter_map(|edge| edge.of.as_deref())
        .collect();
    for role in elsewhere {
        items.say("sessions_elsewhere");
        items.0.push(Item::Quote(role.to_owned()));
    }
    items.say("undo");
    for (kind, name) in &holders {
        items.offer(unrevoke(name, kind));
    }
}

fn descendants(key: &KeyCase, items: &mut Items) {
    let made = key.traced.lineage.iter().filter(|edge| edge.kind == "key");
    for edge in made {
        items.say_with(
            "made_key",
            [("key", edge.child.clone()), ("at", edge.at.clone())],
        );
        match &edge.of {
            Some(user) => items.run(set_status(user, &edge.child, "Inactive")),
            None => items.say("made_key_of_nobody"),
        }
    }
    let of_kind = |deed: &&Deed| matches!(deed.kind, DeedKind::Persistence | DeedKind::Credentials);
    undo(key, of_kind, items);
}

/// Looks at what calls left, and offers the way back.
fn undo(key: &KeyCase, of_kind: impl Fn(&&Deed) -> bool, items: &mut Items) {
    let done = key
        .traced
        .deeds
        .iter()
        .filter(|deed| deed.outcome == Outcome::Done && deed.is_after);
    // Backwards: what was made last is taken away first.
    let done: Vec<&Deed> = done.filter(of_kind).collect();
    let mut seen = BTreeSet::new();
    for deed in done.into_iter().rev() {
        let event = name_of(deed);
        let Some(row) = COMMANDS.undo.iter().find(|row| row.event == event) else {
            continue;
        };
        if !seen.insert((event.clone(), deed.target.clone(), deed.region.clone())) {
            continue;
        }
        items.say_with(
            "made",
            [
                ("at", deed.at.clone()),
                ("call", event),
                ("event", deed.event_id.clone()),
            ],
        );
        items.run(values(deed).fill(&row.look));
        if !row.undo.is_empty() {
            items.offer(values(deed).fill(&row.undo));
        }
    }
}

fn name_of(deed: &Deed) -> String {
    format!(
        "{}:{}",
        deed.service,
        super::deed::without_date(&deed.event_name)
    )
}

fn values(deed: &Deed) -> Values<'_> {
    let mut values: Vec<(&str, &str)> = deed
        .target
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    values.push(("region", &deed.region));
    Values::of(&values)
}

fn replace(key: &KeyCase, items: &mut Items) {
    if key.owner.kind == "root" {
        items.say("replace_root");
        return;
    }
    items.say("replace");
    if let Some(user) = user(key) {
        items.run(list_keys(user));
        items.say("replace_two");
        items.offer(command(
            &["iam", "create-access-key", "--user-name={userName}"],
            &[("userName", user)],
        ));
    }
    consumers(key, items);
}

fn consumers(key: &KeyCase, items: &mut Items) {
    if !key.places.is_empty() {
        items.say("consumers");
    }
    for place in &key.places {
        items
            .0
            .push(Item::Quote(format!("{}:{}", place.path, place.line)));
    }
}

fn trail(key: &KeyCase, items: &mut Items) {
    for kind in DeedKind::ALL {
        let done: Vec<&Deed> = key.traced.done(kind).collect();
        if done.is_empty() || kind == DeedKind::Reconnaissance {
            continue;
        }
        items.say(match kind {
            DeedKind::Persistence => "trail_persistence",
            DeedKind::Credentials => "trail_credentials",
            DeedKind::Evasion => "trail_evasion",
            DeedKind::Data => "trail_data",
            DeedKind::Spend => "trail_spend",
            DeedKind::Reconnaissance => "trail_reconnaissance",
        });
        for deed in done.iter().take(MAX_LISTED) {
            let targets: Vec<&str> = deed.target.values().map(String::as_str).collect();
            items.quote(deed, &targets);
        }
        if let Some(more @ 1..) = done.len().checked_sub(MAX_LISTED) {
            items.say_with("more", [("count", more.to_string())]);
        }
    }
    undo(
        key,
        |deed| matches!(deed.kind, DeedKind::Evasion | DeedKind::Data),
        items,
    );
}

/// Events of a kind that are written into a file; the rest is in `case.json`.
const MAX_LISTED: usize = 200;

fn resources(keys: &[&KeyCase]) -> Step {
    let mut items = Items(Vec::new());
    items.say("resources");
    let argv = |words: &Vec<String>| Values::of(&[]).fill(words);
    for words in &COMMANDS.resources.once {
        items.run(argv(words));
    }
    let all = COMMANDS
        .resources
        .each_region
        .iter()
        .filter_map(|words| argv(words).ok());
    items.0.push(Item::EachRegion(all.collect()));
    for key in keys {
        for deed in key.traced.done(DeedKind::Spend).take(MAX_LISTED) {
            items.quote(deed, &[]);
        }
    }
    items.say("resources_costs");
    Step {
        id: "50-resources",
        items: items.0,
    }
}

fn secrets(key: &KeyCase, items: &mut Items) {
    let mut seen = BTreeSet::new();
    for deed in key
        .traced
        .deeds
        .iter()
        .filter(|deed| deed.outcome == Outcome::Done && deed.is_after)
    {
        let event = name_of(deed);
        let Some(row) = COMMANDS.secret.iter().find(|row| row.event == event) else {
            continue;
        };
        let name = deed.target(&row.parameter).unwrap_or_default();
        if name.is_empty() || !seen.insert((event, deed.region.clone(), name.to_owned())) {
            continue;
        }
        if seen.len() == 1 {
            items.say("secrets");
        }
        items.0.push(Item::Quote(format!("{} {name}", deed.region)));
        if !row.look.is_empty() {
            items.run(values(deed).fill(&row.look));
        }
    }
}

fn last_used(key: &str) -> Result<Argv, value::Refused> {
    command(
        &[
            "iam",
            "get-access-key-last-used",
            "--access-key-id={accessKeyId}",
        ],
        &[("accessKeyId", key)],
    )
}

fn delete(key: &KeyCase, items: &mut Items) {
    match (key.owner.kind, user(key)) {
        ("root", _) => {
            items.say("delete_root");
            delete_root(key, items);
        }
        (_, Some(user)) if is_long_term(&key.key_id) => {
            items.say("delete");
            items.run(list_keys(user));
            items.run(last_used(&key.key_id));
            items.offer(command(
                &[
                    "iam",
                    "delete-access-key",
                    "--user-name={userName}",
                    "--access-key-id={accessKeyId}",
                ],
                &[("userName", user), ("accessKeyId", &key.key_id)],
            ));
        }
        _ => items.say("nothing"),
    }
}

fn repository(key: &KeyCase, items: &mut Items) {
    items.say("repository");
    consumers(key, items);
    items.say("repository_after");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_commands_reads_and_is_of_calls_that_are_known() {
        for row in &COMMANDS.undo {
            let (service, event) = row.event.split_once(':').expect("a service");
            assert!(
                super::super::deed::kind_of(service, event).is_some(),
                "{}",
                row.event
            );
            assert!(
                row.look.len() >= 2 && (row.undo.is_empty() || row.undo.len() >= 2),
                "{}",
                row.event
            );
        }
        let looks = COMMANDS
            .undo
            .iter()
            .map(|row| &row.look)
            .chain(&COMMANDS.resources.once)
            .chain(&COMMANDS.resources.each_region);
        for words in looks
            .chain(COMMANDS.secret.iter().map(|row| &row.look))
            .filter(|words| !words.is_empty())
        {
            let verb = words[1].split('-').next().expect("a verb");
            assert!(
                ["get", "list", "describe"].contains(&verb),
                "{words:?} is run without being asked"
            );
        }
    }
}
