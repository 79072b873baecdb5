//! `keysieve trail`: what CloudTrail logs say of a key, and what they cannot say.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use keysieve::aws::cloudtrail::{LogKeyId, Relation};
use keysieve::engine::Engine;
use keysieve::evidence::trail::{self, Account, Coverage, FoundEvent, Index, Options, Unread};
use keysieve::report::escape;
use keysieve::scan::text_redactor;
use keysieve::text::numbers::counted;
use keysieve::text::whole_file::Access;
use serde::Serialize;
use serde_json::json;

use crate::args::{TrailCommand, TrailCoverageArgs, TrailFindArgs, TrailIndexArgs, TrailMergeArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::output;

/// Unreadable files that are named; the rest is counted.
const NAMED: usize = 10;

/// Regions, gaps and descended keys that are listed; the rest is counted.
const LISTED: usize = 20;

/// Runs the command.
pub(crate) fn run(command: &TrailCommand) -> Result<Exit, Failure> {
    match command {
        TrailCommand::Find(args) => find(args),
        TrailCommand::Index(args) => index(args),
        TrailCommand::Merge(args) => merge(args),
        TrailCommand::Coverage(args) => coverage(args),
    }
}

fn find(args: &TrailFindArgs) -> Result<Exit, Failure> {
    let (keys, paths) = keys_and_paths(&args.targets)?;
    let mut known = args
        .index
        .as_deref()
        .map(load)
        .transpose()?
        .unwrap_or_default();
    let (files, unlisted) = trail::list(&paths);
    let mut found = trail::find(
        &keys,
        &files,
        &mut known,
        args.lineage,
        options(args.threads),
    );
    found.account.unread.extend(unlisted);
    let engine = Engine::new(std::sync::Arc::new(keysieve::rule::RuleSet::builtin()));
    let mut redacted = text_redactor(&engine);
    output::to_stdout(|out| {
        for event in &found.events {
            out.write_all(&redacted(line(event).as_bytes()))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    let mut text = summary(&found, &keys);
    text.push_str(&account(&found.account));
    if found.is_bounded {
        text.push_str(
            "incomplete: more keys and users descend from these keys than are followed\n",
        );
    }
    text.push_str(&ending(&found.account));
    print_error(&text);
    Ok(if found.is_bounded || !is_answer(&found.account) {
        Exit::Failed
    } else if found.events.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn index(args: &TrailIndexArgs) -> Result<Exit, Failure> {
    let mut index = if args.output.exists() {
        load(&args.output)?
    } else {
        Index::default()
    };
    let (files, unlisted) = trail::list(&args.paths);
    let mut read = trail::index(&mut index, &files, options(args.threads));
    read.unread.extend(unlisted);
    save(&index, &args.output)?;
    let mut text = format!("indexed: {}, in {}\n", held(&index), args.output.display());
    text.push_str(&account(&read));
    text.push_str(&unread(&read.unread));
    print_error(&text);
    Ok(if read.is_complete() {
        Exit::Clean
    } else {
        Exit::Failed
    })
}

fn merge(args: &TrailMergeArgs) -> Result<Exit, Failure> {
    let mut merged = Index::default();
    for path in &args.indexes {
        merged.merge(load(path)?);
    }
    save(&merged, &args.output)?;
    print_error(&format!(
        "merged: {}, in {}\n",
        held(&merged),
        args.output.display()
    ));
    Ok(Exit::Clean)
}

fn coverage(args: &TrailCoverageArgs) -> Result<Exit, Failure> {
    let (files, unlisted) = trail::list(&args.paths);
    let mut read = trail::coverage(&files, options(args.threads));
    read.unread.extend(unlisted);
    let text = if args.json {
        format!("{}\n", coverage_json(&read.coverage))
    } else {
        coverage_text(&read.coverage)
    };
    output::to_stdout(|out| out.write_all(escape::terminal_lines(&text).as_bytes()))?;
    print_error(&format!("{}{}", account(&read), ending(&read)));
    Ok(if is_answer(&read) {
        Exit::Clean
    } else {
        Exit::Failed
    })
}

/// Tells keys from paths: a word that has the form of a key ID is one.
fn keys_and_paths(targets: &[OsString]) -> Result<(BTreeSet<LogKeyId>, Vec<PathBuf>), Failure> {
    let (mut keys, mut paths) = (BTreeSet::new(), Vec::new());
    for target in targets {
        match target.to_str().and_then(LogKeyId::parse) {
            Some(key) => keys.extend([key]),
            None => paths.push(PathBuf::from(target)),
        }
    }
    let usage = |message| Failure::bare(Kind::Usage, message);
    if keys.is_empty() {
        let failure =
            usage("no access key ID is given: AKIA or ASIA and 16 more capitals or digits");
        return Err(failure.hint("keysieve trail find KEY_ID LOGS"));
    }
    if paths.is_empty() {
        return Err(usage("no logs are given").hint("keysieve trail find KEY_ID LOGS"));
    }
    Ok((keys, paths))
}

fn options(threads: Option<usize>) -> Options {
    let available = || std::thread::available_parallelism().map_or(1, usize::from);
    Options {
        threads: threads.unwrap_or_else(available),
    }
}

fn load(path: &Path) -> Result<Index, Failure> {
    let failure = || format!("cannot read the index {}", path.display());
    let bytes = fs::read(path).map_err(|error| Failure::new(Kind::System, failure(), error))?;
    Index::from_bytes(&bytes).map_err(|error| {
        Failure::new(Kind::Config, failure(), error)
            .hint("remove the file and make the index again with 'keysieve trail index'")
    })
}

fn save(index: &Index, path: &Path) -> Result<(), Failure> {
    let bytes = index.to_bytes();
    output::to_file(path, Access::Owner, |out| out.write_all(&bytes))
}

/// Relation of an event to a key, printed before the event itself.
#[derive(Serialize)]
struct Head<'a> {
    time: &'a str,
    id: &'a str,
    relation: &'static str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    depth: usize,
    file: &'a str,
}

/// An event as a line of JSON, without its line feed.
fn line(found: &FoundEvent) -> String {
    let descent = &found.descent;
    let head = Head {
        time: &found.event.time,
        id: &found.event.id,
        relation: found.relation.name(),
        key: descent.root.as_str(),
        parent: (descent.depth > 0).then(|| descent.parent.as_str()),
        depth: descent.depth,
        file: &found.path.to_string_lossy(),
    };
    let head = serde_json::to_string(&head).expect("texts and numbers are JSON");
    let head = head.strip_suffix('}').expect("an object ends so");
    format!("{head},\"event\":{}}}", found.event.text)
}

/// Counts the events of each relation, and lists the keys that descend.
fn summary(found: &trail::Found, keys: &BTreeSet<LogKeyId>) -> String {
    let names: Vec<&str> = keys.iter().map(LogKeyId::as_str).collect();
    let names = names.join(", ");
    if found.events.is_empty() {
        return format!("found:    no event of {names} in these logs\n");
    }
    let mut text = format!("found:    {} events of {names}\n", found.events.len());
    for (relation, words) in [
        (Relation::By, "with the key itself"),
        (Relation::Issued, "with sessions issued to it"),
        (Relation::Made, "with keys and users it made"),
        (Relation::Login, "console sign-ins with passwords it set"),
        (Relation::OnBehalf, "by services on its behalf"),
        (
            Relation::SamePrincipal,
            "with other credentials of the same principal: perhaps the owner",
        ),
        (Relation::About, "by others, about it"),
    ] {
        let of = found
            .events
            .iter()
            .filter(|event| event.relation == relation);
        let times: Vec<&str> = of.map(|event| event.event.time.as_str()).collect();
        if let (Some(first), Some(last)) = (times.first(), times.last()) {
            text.push_str(&format!("{:>8}  {words}, {first} to {last}\n", times.len()));
        }
    }
    for (key, descent) in found.descended.iter().take(LISTED) {
        text.push_str(&format!(
            "          {key} was {} with {}\n",
            descent.relation.name(),
            descent.parent
        ));
    }
    text.push_str(&and_more(found.descended.len(), "key"));
    text
}

/// Counts the keys and files of an index.
fn held(index: &Index) -> String {
    let keys = counted(index.keys() as u64, "key", "keys");
    let files = counted(index.len() as u64, "file", "files");
    format!("{keys} in {files}")
}

fn and_more(count: usize, what: &str) -> String {
    match count.checked_sub(LISTED) {
        None | Some(0) => String::new(),
        Some(more) => format!("          and {more} more {what}s\n"),
    }
}

/// Describes the logs that were read, with their first and last time.
fn account(account: &Account) -> String {
    let mut text = format!(
        "read:     {}, {:.1} MB, {:.1} MB of text",
        counted(account.trails, "log", "logs"),
        account.bytes as f64 / 1e6,
        account.text as f64 / 1e6
    );
    let skipped = "more that the index rules out or knows";
    for (count, one, many) in [
        (account.skipped, skipped, skipped),
        (
            account.digests,
            "digest file passed over",
            "digest files passed over",
        ),
        (account.others, "other file", "other files"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {}", counted(count, one, many)));
        }
    }
    text.push('\n');
    for ((account, region), found) in account.coverage.regions.iter().take(LISTED) {
        text.push_str(&format!(
            "covered:  account {}, {}: {} to {}\n",
            or_unknown(account),
            or_unknown(region),
            or_unknown(&found.period.from),
            or_unknown(&found.period.to)
        ));
    }
    text.push_str(&and_more(account.coverage.regions.len(), "region"));
    text
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "unknown" } else { text }
}

/// Lists the gaps that remain however much is read, and what was not read.
fn ending(account: &Account) -> String {
    let mut text = String::new();
    if account.trails + account.skipped > 0 {
        text.push_str(
            "unseen:   other accounts, regions and days, and events that the trail does not record, data events for \
             one. 'keysieve trail coverage' lists what is there.\n",
        );
    } else {
        text.push_str("incomplete: there is no CloudTrail log among these files\n");
    }
    text.push_str(&unread(&account.unread));
    text
}

/// Returns true if there were logs and all of them were read.
fn is_answer(account: &Account) -> bool {
    account.is_complete() && account.trails + account.skipped > 0
}

fn unread(unread: &[Unread]) -> String {
    let mut text = String::new();
    for one in unread.iter().take(NAMED) {
        let path = one.path.to_string_lossy();
        let reason = escape::terminal(&one.reason);
        text.push_str(&format!(
            "incomplete: {}: {reason}\n",
            escape::terminal(&path)
        ));
    }
    if let Some(more @ 1..) = unread.len().checked_sub(NAMED) {
        text.push_str(&format!("incomplete: and {more} more files\n"));
    }
    text
}

fn coverage_text(coverage: &Coverage) -> String {
    let mut text = String::new();
    for ((account, region), found) in &coverage.regions {
        text.push_str(&format!(
            "account {} {}: {} events on {} days, {} to {}\n",
            or_unknown(account),
            or_unknown(region),
            found.events,
            found.days.len(),
            or_unknown(&found.period.from),
            or_unknown(&found.period.to)
        ));
        let gaps = found.gaps();
        for (from, to) in gaps.iter().take(LISTED) {
            text.push_str(&format!("  no event from {from} to {to}\n"));
        }
        text.push_str(&and_more(gaps.len(), "gap"));
    }
    for category in ["Management", "Data", "Insight", "NetworkActivity"] {
        let count = coverage
            .categories
            .get(category)
            .copied()
            .unwrap_or_default();
        let count = if count == 0 {
            "none".to_owned()
        } else {
            count.to_string()
        };
        text.push_str(&format!("{category} events: {count}\n"));
    }
    text.push_str(&format!(
        "console sign-ins: {} (recorded in one region of a partition, us-east-1 for most)\n",
        coverage.sign_ins
    ));
    for (name, count) in &coverage.changes {
        text.push_str(&format!(
            "{name}: {count}, so that something may not have been recorded\n"
        ));
    }
    text
}

fn coverage_json(coverage: &Coverage) -> serde_json::Value {
    let regions: Vec<_> = coverage
        .regions
        .iter()
        .map(|((account, region), found)| {
            let gaps: Vec<_> = found
                .gaps()
                .into_iter()
                .map(|(from, to)| json!({"from": from, "to": to}))
                .collect();
            json!({
                "account_id": account,
                "region": region,
                "from": found.period.from,
                "to": found.period.to,
                "days": found.days,
                "events": found.events,
                "gaps": gaps,
            })
        })
        .collect();
    json!({
        "schema": "keysieve-trail-coverage/1",
        "regions": regions,
        "categories": coverage.categories,
        "changes": coverage.changes,
        "sign_ins": coverage.sign_ins,
    })
}
