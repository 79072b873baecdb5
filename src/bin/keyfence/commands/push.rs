//! `keyfence hook run pre-push` and `pre-receive`: what a push brings in.

use std::io::Read as _;
use std::path::Path;

use bstr::ByteSlice as _;
use gix::ObjectId;
use keyfence::hook::refs::{RefError, parse_pushed, parse_received};
use keyfence::source::history::revision::{Range, Side, push_range};
use keyfence::source::repository::Repository;

use super::range::{self, Job};
use super::staged::open;
use crate::args::{Common, PrePushArgs, PreReceiveArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Kind};

/// Scans what the other side does not have, as far as this repository knows.
pub(crate) fn pre_push(args: &PrePushArgs) -> Result<Exit, Failure> {
    let pushed = parse_pushed(&read_stdin()?).map_err(not_references)?;
    let repository = open(Path::new("."))?;
    let side = Side::Client {
        remote: args.remote.as_deref().map(|name| name.as_bytes().as_bstr()),
    };
    let updates = pushed
        .iter()
        .filter_map(|pushed| Some((pushed.remote_id, pushed.local_id?)));
    let advice = "hint: take the secret out of the commits that add it, for instance with\n      \
                  git rebase --interactive\n\
                  hint: rotate it if it was ever pushed; if it is no secret, write on its line: keyfence:allow RULE REASON\n";
    scan(
        &repository,
        ranges(&repository, updates, side)?,
        &args.common,
        advice,
    )
}

/// Scans what no reference of this repository reaches yet; the objects are still in quarantine.
pub(crate) fn pre_receive(args: &PreReceiveArgs) -> Result<Exit, Failure> {
    let received = parse_received(&read_stdin()?).map_err(not_references)?;
    let repository = open(Path::new("."))?;
    let updates = received
        .iter()
        .filter_map(|received| Some((received.old_id, received.new_id?)));
    let advice = "hint: the push was refused and nothing of it is kept here; take the secret out of the\n      \
                  commits that add it, and push again\n\
                  hint: rotate it if it was ever pushed anywhere\n";
    let ranges = ranges(&repository, updates, Side::Server)?;
    scan(&repository, ranges, &args.common, advice)
}

/// What the updates from old to new objects transfer.
fn ranges(
    repository: &Repository,
    updates: impl Iterator<Item = (Option<ObjectId>, ObjectId)>,
    side: Side<'_>,
) -> Result<Vec<Range>, Failure> {
    let mut ranges = Vec::new();
    for (old, new) in updates {
        let old = old.unwrap_or_else(|| ObjectId::null(new.kind()));
        let push = push_range(repository, old, new, side).map_err(range::failed)?;
        ranges.extend(push.range);
    }
    Ok(ranges)
}

fn scan(
    repository: &Repository,
    ranges: Vec<Range>,
    common: &Common,
    advice: &str,
) -> Result<Exit, Failure> {
    if ranges.is_empty() {
        // References are deleted, or nothing is pushed at all.
        return Ok(Exit::Clean);
    }
    range::run(&Job {
        repository,
        ranges,
        common,
        max_object_size: None,
        all: false,
        advice: Some(advice),
    })
}

fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Kind::System, "cannot read standard input", error))?;
    Ok(bytes)
}

fn not_references(error: RefError) -> Failure {
    Failure::of(Kind::Usage, &error).hint("this command is run by Git, as a hook")
}
