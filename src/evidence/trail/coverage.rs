//! Coverage of logs: accounts, regions and days, and the kinds of events that are absent.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::file::{Reader, Text, Unread, each_piece, max_output};
use super::pass::{Stamp, kind_of, words};
use super::{Account, Kind, Listed, Options};
use crate::aws::cloudtrail::record::{Damage, Splitter};
use crate::workers;

/// The first and the last time of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Time of the first, ISO 8601.
    pub from: String,
    /// Time of the last.
    pub to: String,
}

impl Period {
    fn add(&mut self, time: &str) {
        if time.is_empty() {
            return;
        }
        if self.from.is_empty() || time < self.from.as_str() {
            self.from = time.to_owned();
        }
        if time > self.to.as_str() {
            self.to = time.to_owned();
        }
    }

    fn merge(&mut self, other: &Self) {
        self.add(&other.from);
        self.add(&other.to);
    }
}

/// Known facts about one region of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    /// From the first to the last event.
    pub period: Period,
    /// Days with at least one event, `YYYY-MM-DD`. Empty unless every record was read.
    pub days: BTreeSet<String>,
    /// Events, likewise.
    pub events: u64,
}

impl Region {
    /// Days between the first and the last without an event, as ranges of first and last day.
    pub fn gaps(&self) -> Vec<(String, String)> {
        let days: Vec<jiff::civil::Date> = self
            .days
            .iter()
            .filter_map(|day| day.parse().ok())
            .collect();
        days.windows(2)
            .filter_map(|pair| {
                let (from, to) = (pair[0].tomorrow().ok()?, pair[1].yesterday().ok()?);
                (from <= to).then(|| (from.to_string(), to.to_string()))
            })
            .collect()
    }
}

/// Coverage of logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By account and region. An account or region that records do not name is empty text.
    pub regions: BTreeMap<(String, String), Region>,
    /// Events by category: `Management`, `Data`, `Insight`, … Empty unless every record was read.
    pub categories: BTreeMap<String, u64>,
    /// Events by name, of those that change what is recorded: trails that were stopped, deleted or narrowed.
    pub changes: BTreeMap<String, u64>,
    /// Console sign-ins. They are recorded in one region of a partition only.
    pub sign_ins: u64,
}

/// Calls after which a trail records less. AWS's CloudTrail security best practices name them.
const CHANGES: [&str; 6] = [
    "DeleteEventDataStore",
    "DeleteTrail",
    "PutEventSelectors",
    "StopEventDataStoreIngestion",
    "StopLogging",
    "UpdateTrail",
];

/// The fields of a record that coverage needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(borrow)]
    event_time: Option<std::borrow::Cow<'a, str>>,
    event_name: Option<std::borrow::Cow<'a, str>>,
    aws_region: Option<std::borrow::Cow<'a, str>>,
    recipient_account_id: Option<std::borrow::Cow<'a, str>>,
    event_category: Option<std::borrow::Cow<'a, str>>,
    management_event: Option<bool>,
    #[serde(rename = "CloudTrailEvent")]
    inner: Option<std::borrow::Cow<'a, str>>,
}

impl Coverage {
    /// Adds the first and last record of a file.
    pub(super) fn add_ends(&mut self, first: &Stamp, last: &Stamp) {
        let key = (first.account.clone(), first.region.clone());
        let period = &mut self.regions.entry(key).or_default().period;
        period.add(&first.time);
        period.add(&last.time);
    }

    fn add_record(&mut self, text: &[u8]) -> Result<(), serde_json::Error> {
        let record: Record<'_> = serde_json::from_slice(text)?;
        if let Some(inner) = &record.inner {
            return self.add_record(inner.as_bytes());
        }
        let text = |text: &Option<std::borrow::Cow<'_, str>>| {
            text.as_deref().unwrap_or_default().to_owned()
        };
        let time = text(&record.event_time);
        let key = (text(&record.recipient_account_id), text(&record.aws_region));
        let region = self.regions.entry(key).or_default();
        region.events += 1;
        region.period.add(&time);
        if let Some(day) = time.get(..10)
            && !region.days.contains(day)
        {
            region.days.insert(day.to_owned());
        }
        let category = match (record.event_category.as_deref(), record.management_event) {
            (Some(category), _) => category,
            (None, Some(false)) => "Data",
            (None, _) => "Management",
        };
        *self.categories.entry(category.to_owned()).or_default() += 1;
        let name = record.event_name.as_deref().unwrap_or_default();
        self.sign_ins += u64::from(name == "ConsoleLogin");
        if CHANGES.contains(&name) {
            *self.changes.entry(name.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    /// Adds an event of which only place and time are known.
    pub fn add_time(&mut self, account: &str, region: &str, time: &str) {
        let key = (account.to_owned(), region.to_owned());
        self.regions.entry(key).or_default().period.add(time);
    }

    /// Adds what another one covers.
    pub fn merge(&mut self, other: Self) {
        for (key, region) in other.regions {
            let known = self.regions.entry(key).or_default();
            known.period.merge(&region.period);
            known.days.extend(region.days);
            known.events += region.events;
        }
        for (counts, others) in [
            (&mut self.categories, other.categories),
            (&mut self.changes, other.changes),
        ] {
            for (name, count) in others {
                *counts.entry(name).or_default() += count;
            }
        }
        self.sign_ins += other.sign_ins;
    }
}

/// Reads every record of the files: what they cover is then known by the day.
///
/// Events that several files hold are counted several times.
pub fn coverage(files: &[Listed], options: Options) -> Account {
    let threads = options.threads.clamp(1, files.len().max(1));
    let chunks: Vec<Vec<&Listed>> = (0..threads)
        .map(|thread| files.iter().skip(thread).step_by(threads).collect())
        .collect();
    let mut account = Account::default();
    for share in workers::each(chunks, |files| share(&files)) {
        account.trails += share.trails;
        account.digests += share.digests;
        account.others += share.others;
        account.bytes += share.bytes;
        account.text += share.text;
        account.unread.extend(share.unread);
        account.coverage.merge(share.coverage);
    }
    account.unread.sort();
    account
}

fn share(files: &[&Listed]) -> Account {
    let (mut account, mut reader) = (Account::default(), Reader::new());
    for file in files {
        let read = reader.read(&file.path).map_err(|error| error.to_string());
        let result = read.and_then(|text| records(text, max_output(file.size), &mut account));
        match result {
            Ok(Kind::Trail) => {
                account.trails += 1;
                account.bytes += file.size;
            }
            Ok(Kind::Digest) => account.digests += 1,
            Ok(Kind::Other) => account.others += 1,
            Err(reason) => account.unread.push(Unread::new(&file.path, reason)),
        }
    }
    account
}

fn records(text: Text<'_>, limit: u64, account: &mut Account) -> Result<Kind, String> {
    let (mut splitter, mut kind) = (Splitter::default(), None);
    let mut odd = None;
    let mut see = |text: &[u8]| {
        if *kind.get_or_insert_with(|| kind_of(text)) != Kind::Trail {
            return Ok(text.len());
        }
        splitter
            .advance(text, |range| {
                if let Err(error) = account.coverage.add_record(&text[range]) {
                    odd.get_or_insert(error);
                }
            })
            .map_err(|damage| words(&damage).to_owned())?;
        Ok(splitter.forget())
    };
    account.text += match text {
        Text::Plain(text) | Text::Inflated(text) => {
            see(text)?;
            text.len() as u64
        }
        Text::Pieces(pieces) => each_piece(pieces, limit, see)?,
    };
    let kind = kind.unwrap_or(Kind::Other);
    match odd {
        Some(error) => Err(format!("a record is not as CloudTrail writes it: {error}")),
        None if kind == Kind::Trail && splitter.end().is_err() => {
            Err(words(&Damage::CutShort).to_owned())
        }
        None => Ok(kind),
    }
}
