//! `keysieve root`: which accounts hold access keys of their root user, from credential reports and account summaries.

use std::collections::BTreeMap;

use keysieve::aws::credential_report::{CredentialReport, Slot, SlotState};
use keysieve::evidence::{self, AccountSummary, AsOf, Exhibit, Kind};
use keysieve::report::escape;
use keysieve::text::date;
use serde::Serialize;

use crate::args::{PlainFormat, RootArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Kind as FailureKind, print_lines};
use crate::output;
use crate::session::now;

/// Name and version of the JSON form.
const SCHEMA: &str = "keysieve-root/1";

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
            Ok(exhibits) => accounts.extend(exhibits.iter().map(Account::of)),
            Err(error) => unread.push(Unread {
                path: path.display().to_string(),
                why: error.to_string(),
            }),
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
        PlainFormat::Text => write_text(&accounts, summary)?,
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

/// What one document says about the root user of one account.
#[derive(Debug, Serialize)]
struct Account {
    account_id: Option<String>,
    path: String,
    /// `credential_report` or `account_summary`.
    source: &'static str,
    /// When the document was made.
    #[serde(serialize_with = "moment")]
    as_of: AsOf,
    /// Whether that is the file's time of change, since the document does not say when it was made.
    as_of_is_of_file: bool,
    age_days: i64,
    /// Older than `--max-age`.
    stale: bool,
    /// A newer report of the same account is among the files.
    superseded: bool,
    /// Whether there is a root key, active or not; null if the document does not say.
    has_root_key: Option<bool>,
    /// Whether one is active; null if the document does not say.
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

fn moment<S: serde::Serializer>(as_of: &AsOf, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&date::rfc3339(as_of.time))
}

impl Account {
    fn of(exhibit: &Exhibit) -> Self {
        match &exhibit.kind {
            Kind::CredentialReport(report) => Self::of_report(exhibit, report),
            Kind::AccountSummary(summary) => Self::of_summary(exhibit, *summary),
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

fn write_text(accounts: &[Account], summary: Summary) -> Result<(), Failure> {
    let head = [
        "account",
        "root key 1",
        "root key 2",
        "last used",
        "MFA",
        "as of",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(accounts.iter().map(row));
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].chars().count()).max();
            line.push_str(cell);
            let pad = width.unwrap_or(0) + 3 - cell.chars().count();
            line.push_str(&" ".repeat(pad));
        }
        text.push_str(&escape::inert(line.trim_end()));
        text.push('\n');
    }
    let Summary {
        accounts,
        with_root_key,
        with_active_root_key,
        unknown,
    } = summary;
    let mut last = format!(
        "{with_root_key} of {accounts} accounts {} a root access key, {with_active_root_key} of them active",
        if with_root_key == 1 { "holds" } else { "hold" }
    );
    if unknown > 0 {
        last.push_str(&format!("; {unknown} cannot be told for certain"));
    }
    text.push_str(&format!("{last}\n"));
    output::to_stdout(|out| out.write_all(text.as_bytes()))
}

/// A line of the table. Names of files may hold anything.
fn row(account: &Account) -> [String; 6] {
    let shown = escape::terminal(&account.path);
    let name = match &account.account_id {
        Some(id) => id.clone(),
        None => format!("not named ({shown})"),
    };
    let key = |index: usize| match (account.keys.get(index), account.has_root_key, index) {
        (Some(key), ..) => show_key(key),
        (None, Some(true), 0) => "present, active or not".to_owned(),
        (None, Some(false), _) => "none".to_owned(),
        (None, Some(true), _) => String::new(),
        (None, None, _) => "no row of root".to_owned(),
    };
    let uses: Vec<String> = account.keys.iter().filter_map(show_use).collect();
    let used = match (uses.is_empty(), account.has_root_key, account.source) {
        (false, ..) => uses.join("; "),
        (true, Some(true), "credential_report") => "never since 2015-04-22".to_owned(),
        _ => String::new(),
    };
    let mfa = match account.mfa {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    };
    let mut as_of = minute(&date::rfc3339(account.as_of.time));
    let mut notes = Vec::new();
    if account.as_of.is_of_file {
        notes.push("the file's time".to_owned());
    }
    if account.age_days > 0 {
        notes.push(format!("{} days old", account.age_days));
    }
    if account.stale {
        notes.push("too old".to_owned());
    }
    if account.superseded {
        notes.push("a newer one counts".to_owned());
    }
    if !notes.is_empty() {
        as_of.push_str(&format!("  ({})", notes.join(", ")));
    }
    [name, key(0), key(1), used, mfa.to_owned(), as_of]
}

fn show_key(key: &Key) -> String {
    let status = match key.status {
        "active" => "ACTIVE",
        other => other,
    };
    match &key.changed {
        Some(changed) => format!("{status}, changed {}", day(changed)),
        None => status.to_owned(),
    }
}

fn show_use(key: &Key) -> Option<String> {
    let used = key.last_used.as_ref()?;
    let words = [
        Some(day(&used.at)),
        used.service.as_deref(),
        used.region.as_deref(),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    let text = format!("key {}: {}", key.slot, words.join(" "));
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

/// Reads `7d`, `12h` or `2 weeks`, in seconds.
pub(crate) fn parse_age(text: &str) -> Result<i64, String> {
    let now = 1 << 40;
    match crate::date::parse(text, Some(now)).map(|then| now - then) {
        Some(age) if (1..=1 << 32).contains(&age) => Ok(age),
        _ => Err("expected a length of time such as 7d, 12h or 2 weeks".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_lengths_of_time() {
        assert_eq!(parse_age("7d"), Ok(7 * 86_400));
        assert_eq!(parse_age("12h"), Ok(12 * 3600));
        for wrong in ["", "7", "0d", "2024-05-31", "@5", "soon"] {
            assert!(parse_age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_shown_to_the_minute() {
        assert_eq!(minute("2026-11-30T20:31:07Z"), "2026-11-30T20:31Z");
    }
}
