//! `keysieve root`: which accounts hold access keys of their root user, from credential reports and account summaries.

use std::collections::BTreeMap;

use keysieve::aws::credential_report::{CredentialReport, Slot, SlotState};
use keysieve::evidence::{self, AccountSummary, AsOf, Exhibit, Kind};
use keysieve::report::escape;
use keysieve::text::words::Lang;
use keysieve::text::{date, width};
use serde::Serialize;

use crate::args::{PlainFormat, RootArgs};
use crate::date::now;
use crate::exit::Exit;
use crate::failure::{Failure, Kind as FailureKind, print_lines};
use crate::output;

/// Name and version of the JSON form.
const SCHEMA: &str = "keysieve-root/1";

/// Message about a document of any other kind.
const OTHER: &str = "is neither a credential report nor an account summary";

/// Runs the command.
pub(crate) fn run(args: &RootArgs) -> Result<Exit, Failure> {
    let now = now()?.ok_or_else(|| {
        Failure::bare(
            FailureKind::System,
            "the clock of this machine says nothing",
        )
    })?;
    let mut accounts = Vec::new();
    let mut unread = Vec::new();
    for path in &args.files {
        match evidence::read(path) {
            Ok(exhibits) => {
                let found = exhibits.iter().filter_map(Account::of).collect::<Vec<_>>();
                if found.len() < exhibits.len() {
                    unread.push(Unread::new(path, OTHER));
                }
                accounts.extend(found);
            }
            Err(evidence::Error::Unknown) => unread.push(Unread::new(path, OTHER)),
            Err(error) => unread.push(Unread::new(path, error)),
        }
    }
    for account in &mut accounts {
        let age = now.saturating_sub(account.as_of.time);
        account.stale = args.max_age.is_some_and(|most| age > most);
        account.age_days = age.div_euclid(86_400);
    }
    mark_older(&mut accounts);
    let summary = Summary::of(&accounts);
    match args.format {
        PlainFormat::Json => write_json(&accounts, &unread, summary)?,
        PlainFormat::Text => write_text(&accounts, summary, args.lang.into())?,
    }
    let lines = unread.iter();
    let lines = lines.map(|unread| format!("error: {} {}", unread.path, unread.why));
    print_lines(&lines.collect::<Vec<_>>());
    Ok(if !unread.is_empty() || summary.unknown > 0 {
        Exit::Failed
    } else if summary.with_root_key > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// Facts in one document about the root user of one account.
#[derive(Debug, Serialize)]
struct Account {
    account_id: Option<String>,
    path: String,
    /// `credential_report` or `account_summary`.
    source: &'static str,
    /// Time at which the document was made.
    #[serde(serialize_with = "moment")]
    as_of: AsOf,
    /// True if that is the file's time of change, since the document does not say when it was made.
    as_of_is_of_file: bool,
    age_days: i64,
    /// Older than `--max-age`.
    stale: bool,
    /// A newer report of the same account is among the files.
    superseded: bool,
    /// True if there is a root key, active or not; null if the document does not say.
    has_root_key: Option<bool>,
    /// True if one is active; null if the document does not say.
    has_active_root_key: Option<bool>,
    keys: Vec<Key>,
    mfa: Option<bool>,
    password_last_used: Option<String>,
}

#[derive(Debug, Serialize)]
struct Key {
    slot: usize,
    status: &'static str,
    changed: Option<String>,
    last_used: Option<Use>,
}

#[derive(Debug, Serialize)]
struct Use {
    at: String,
    service: Option<String>,
    region: Option<String>,
}

#[derive(Debug, Serialize)]
struct Unread {
    path: String,
    why: String,
}

impl Unread {
    fn new(path: &std::path::Path, why: impl std::fmt::Display) -> Self {
        Self {
            path: path.display().to_string(),
            why: why.to_string(),
        }
    }
}

fn moment<S: serde::Serializer>(as_of: &AsOf, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&date::rfc3339(as_of.time))
}

impl Account {
    /// `None` for a document that says nothing about root.
    fn of(exhibit: &Exhibit) -> Option<Self> {
        match &exhibit.kind {
            Kind::CredentialReport(report) => Some(Self::of_report(exhibit, report)),
            Kind::AccountSummary(summary) => Some(Self::of_summary(exhibit, *summary)),
            _ => None,
        }
    }

    fn of_report(exhibit: &Exhibit, report: &CredentialReport) -> Self {
        let mut account = Self::bare(exhibit, "credential_report");
        account.account_id = report.account_id().map(str::to_owned);
        let Some(root) = report.root() else {
            return account;
        };
        let states = root.keys.each_ref().map(|slot| slot.state);
        let is_any = |state| states.contains(&state);
        account.has_active_root_key = match is_any(SlotState::Active) {
            true => Some(true),
            false => (!is_any(SlotState::Unknown)).then_some(false),
        };
        account.has_root_key = match is_any(SlotState::Active) || is_any(SlotState::Inactive) {
            true => Some(true),
            false => account.has_active_root_key,
        };
        account.keys = root.keys.iter().enumerate().map(Key::of).collect();
        account.mfa = root.has_mfa;
        account.password_last_used = root.password_last_used.map(date::rfc3339);
        account
    }

    /// A summary counts keys that are switched off as well, and does not name the account.
    fn of_summary(exhibit: &Exhibit, summary: AccountSummary) -> Self {
        Self {
            has_root_key: Some(summary.has_root_key),
            has_active_root_key: (!summary.has_root_key).then_some(false),
            mfa: summary.has_root_mfa,
            ..Self::bare(exhibit, "account_summary")
        }
    }

    fn bare(exhibit: &Exhibit, source: &'static str) -> Self {
        Self {
            account_id: None,
            path: exhibit.path.display().to_string(),
            source,
            as_of: exhibit.as_of,
            as_of_is_of_file: exhibit.as_of.is_of_file,
            age_days: 0,
            stale: false,
            superseded: false,
            has_root_key: None,
            has_active_root_key: None,
            keys: Vec::new(),
            mfa: None,
            password_last_used: None,
        }
    }
}

impl Key {
    fn of((index, slot): (usize, &Slot)) -> Self {
        Self {
            slot: index + 1,
            status: slot.state.name(),
            changed: slot.changed.map(date::rfc3339),
            last_used: slot.used.map(|used| Use {
                at: date::rfc3339(used),
                service: slot.service.clone(),
                region: slot.region.clone(),
            }),
        }
    }
}

/// Of several reports of one account the newest counts; the others are shown.
fn mark_older(accounts: &mut [Account]) {
    let mut newest: BTreeMap<String, AsOf> = BTreeMap::new();
    for account in accounts.iter() {
        if let Some(id) = &account.account_id {
            let known = newest.entry(id.clone()).or_insert(account.as_of);
            *known = (*known).max(account.as_of);
        }
    }
    for account in accounts {
        let newest = account.account_id.as_ref().and_then(|id| newest.get(id));
        account.superseded = newest.is_some_and(|newest| account.as_of < *newest);
    }
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Summary {
    accounts: usize,
    with_root_key: usize,
    with_active_root_key: usize,
    /// A document is stale, has no row of root, or does not say it all.
    unknown: usize,
}

impl Summary {
    fn of(accounts: &[Account]) -> Self {
        let mut summary = Self::default();
        for account in accounts.iter().filter(|account| !account.superseded) {
            summary.accounts += 1;
            summary.with_root_key += usize::from(account.has_root_key == Some(true));
            summary.with_active_root_key += usize::from(account.has_active_root_key == Some(true));
            summary.unknown += usize::from(account.stale || account.has_root_key.is_none());
        }
        summary
    }
}

fn write_json(accounts: &[Account], unread: &[Unread], summary: Summary) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        accounts: &'a [Account],
        unread: &'a [Unread],
        summary: Summary,
    }
    let document = Document {
        schema: SCHEMA,
        accounts,
        unread,
        summary,
    };
    output::to_stdout(|out| {
        serde_json::to_writer_pretty(&mut *out, &document)?;
        out.write_all(b"\n")
    })
}

fn write_text(accounts: &[Account], summary: Summary, lang: Lang) -> Result<(), Failure> {
    let heads = ["account", "key1", "key2", "used", "mfa", "as_of"];
    let mut rows = vec![heads.map(|head| lang.word(&format!("root.head_{head}")))];
    rows.extend(accounts.iter().map(|account| row(account, lang)));
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| width::of(&row[column])).max();
            line.push_str(cell);
            let pad = width.unwrap_or(0) + 3 - width::of(cell);
            line.push_str(&" ".repeat(pad));
        }
        text.push_str(&escape::inert(line.trim_end()));
        text.push('\n');
    }
    let code = match summary.with_root_key {
        1 => "root.one",
        _ => "root.some",
    };
    let [with, all, active, unknown] = [
        summary.with_root_key,
        summary.accounts,
        summary.with_active_root_key,
        summary.unknown,
    ]
    .map(|count| count.to_string());
    text.push_str(&lang.say(code, &[("with", &with), ("all", &all), ("active", &active)]));
    if summary.unknown > 0 {
        text.push_str(&lang.say("root.uncertain", &[("unknown", &unknown)]));
    }
    text.push('\n');
    output::to_stdout(|out| out.write_all(text.as_bytes()))
}

/// A line of the table. Names of files may hold anything.
fn row(account: &Account, lang: Lang) -> [String; 6] {
    let word = |code: &str| lang.word(&format!("root.{code}"));
    let shown = escape::terminal(&account.path);
    let name = match &account.account_id {
        Some(id) => id.clone(),
        None => lang.say("root.not_named", &[("path", &shown)]),
    };
    let key = |index: usize| match (account.keys.get(index), account.has_root_key, index) {
        (Some(key), ..) => show_key(key, lang),
        (None, Some(true), 0) => word("present"),
        (None, Some(false), _) => word("none"),
        (None, Some(true), _) => String::new(),
        (None, None, _) => word("no_row"),
    };
    let uses: Vec<String> = account
        .keys
        .iter()
        .filter_map(|key| show_use(key, lang))
        .collect();
    let used = match (uses.is_empty(), account.has_root_key, account.source) {
        (false, ..) => uses.join("; "),
        (true, Some(true), "credential_report") => word("never"),
        _ => String::new(),
    };
    let mfa = match account.mfa {
        Some(true) => word("yes"),
        Some(false) => word("no"),
        None => "?".to_owned(),
    };
    let mut as_of = minute(&date::rfc3339(account.as_of.time));
    let mut notes = Vec::new();
    if account.as_of.is_of_file {
        notes.push(word("of_file"));
    }
    if account.age_days > 0 {
        let days = account.age_days.to_string();
        notes.push(lang.say("root.days_old", &[("days", &days)]));
    }
    if account.stale {
        notes.push(word("too_old"));
    }
    if account.superseded {
        notes.push(word("superseded"));
    }
    if !notes.is_empty() {
        as_of.push_str(&lang.say("root.notes", &[("notes", &notes.join(&word("and")))]));
    }
    [name, key(0), key(1), used, mfa, as_of]
}

fn show_key(key: &Key, lang: Lang) -> String {
    let status = lang.word(&format!("root.{}", key.status));
    match &key.changed {
        Some(changed) => lang.say(
            "root.changed",
            &[("status", &status), ("day", day(changed))],
        ),
        None => status,
    }
}

fn show_use(key: &Key, lang: Lang) -> Option<String> {
    let used = key.last_used.as_ref()?;
    let words = [
        Some(day(&used.at)),
        used.service.as_deref(),
        used.region.as_deref(),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    let (number, what) = (key.slot.to_string(), words.join(" "));
    let text = lang.say("root.used", &[("number", &number), ("what", &what)]);
    Some(escape::terminal(&text).into_owned())
}

fn day(moment: &str) -> &str {
    moment.split('T').next().unwrap_or(moment)
}

/// Without seconds: `2026-11-30T20:31Z`.
fn minute(moment: &str) -> String {
    let cut = moment.rsplit_once(':').map_or(moment, |(before, _)| before);
    format!("{cut}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_to_the_minute() {
        assert_eq!(minute("2026-11-30T20:31:07Z"), "2026-11-30T20:31Z");
    }
}
