//! `keysieve hook run pre-push` and `pre-receive`: what a push brings in; and the ranges that the framework at
//! pre-commit.com speaks of.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;

use bstr::{BString, ByteSlice as _};
use gix::ObjectId;
use gix::objs::Kind::Commit;
use keysieve::git::repository::Repository;
use keysieve::git::revision::{Range, Side, push_range};
use keysieve::hook::refs::{ReceivedRef, RefError, parse_pushed, parse_received};

use super::range::{self, Job};
use super::staged::{self, Caller, open};
use crate::args::{PrePushArgs, PreReceiveArgs, StagedArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::session::Success;

const PUSH_ADVICE: &str = "error: keysieve stopped this push\n\
                           hint: take the secret out of the commits that add it, for instance with\n      \
                           git rebase --interactive\n\
                           hint: rotate it if it was ever pushed; if it is no secret, write on its line:\n      \
                           keysieve:allow RULE REASON\n";

/// The framework says itself what it stopped.
const FRAMEWORK_ADVICE: &str = "hint: take the secret out of the commits that add it, for instance with\n      \
                                git rebase --interactive\n\
                                hint: rotate it if it was ever pushed; if it is no secret, write on its line:\n      \
                                keysieve:allow RULE REASON\n";

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
    let ranges = ranges(&repository, updates, side)?;
    // What the other side has of the branch, else its default branch, else the branch that most have.
    let mut base = first_commit(&repository, pushed.iter().filter_map(|it| it.remote_id));
    let remote = args.remote.as_deref().unwrap_or("origin");
    for name in ["HEAD", "main", "master"] {
        base = match base {
            Some(base) => Some(base),
            None => {
                let name = format!("refs/remotes/{remote}/{name}");
                // A remote that is not tracked has no such reference.
                let tip = range::parse(&repository, name.as_str().into()).ok();
                first_commit(&repository, tip.into_iter().flat_map(|tip| tip.include))
            }
        };
    }
    scan(Job {
        repository: &repository,
        ranges: vec![ranges],
        base,
        common: &args.common,
        max_object_size: None,
        all: false,
        advice: Some(PUSH_ADVICE),
        success: Success::Line,
        pushed: Vec::new(),
    })
}

/// `pre-commit` under the framework: the commits that it names with `--from-ref`, or before a push; without
/// those, what is staged.
pub(crate) fn pre_commit(args: &StagedArgs) -> Result<Exit, Failure> {
    staged_as(args, Caller::Hook)
}

/// The same for whoever calls it: `keysieve staged` is run by the framework as well.
pub(super) fn staged_as(args: &StagedArgs, caller: Caller) -> Result<Exit, Failure> {
    if staged::is_under_pre_commit() && !args.all_files {
        let repository = staged::open(Path::new("."))?;
        if let Some(range) = framework_range(&repository)? {
            let base = first_commit(&repository, range.exclude.iter().copied());
            return scan(Job {
                repository: &repository,
                ranges: vec![vec![range]],
                base,
                common: &args.common,
                max_object_size: None,
                all: args.all,
                advice: Some(FRAMEWORK_ADVICE),
                success: match caller {
                    Caller::Person => Success::Report,
                    Caller::Hook => Success::Line,
                },
                pushed: Vec::new(),
            });
        }
    }
    staged::run_as(args, caller)
}

fn framework_range(repository: &Repository) -> Result<Option<Range>, Failure> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let text = |value: OsString| BString::from(value.to_string_lossy().as_bytes());
    if let Some(from) = set("PRE_COMMIT_FROM_REF") {
        let to = set("PRE_COMMIT_TO_REF").unwrap_or_else(|| "HEAD".into());
        let spec = [text(from), "..".into(), text(to)].concat();
        return range::parse(repository, spec.as_bstr()).map(Some);
    }
    // Of the first push of a whole history it gives the branch only.
    let Some(branch) = set("PRE_COMMIT_LOCAL_BRANCH") else {
        return Ok(None);
    };
    let remote = set("PRE_COMMIT_REMOTE_NAME").map(text);
    let pushed = range::parse(repository, text(branch).as_bstr())?;
    let Some(new) = pushed.include.first().copied() else {
        return Ok(None);
    };
    let side = Side::Client {
        remote: remote.as_ref().map(|name| name.as_bstr()),
    };
    let push =
        push_range(repository, ObjectId::null(new.kind()), new, side).map_err(range::failed)?;
    Ok(Some(push.range.unwrap_or(pushed)))
}

/// Scans what no reference of this repository reaches yet; the objects are still in quarantine.
pub(crate) fn pre_receive(args: &PreReceiveArgs) -> Result<Exit, Failure> {
    let received = parse_received(&read_stdin()?).map_err(not_references)?;
    let repository = open(Path::new("."))?;
    let updates = received
        .iter()
        .filter_map(|received| Some((received.old_id, received.new_id?)));
    let advice = "error: keysieve refused this push; nothing of it is kept here\n\
                  hint: take the secret out of the commits that add it, and push again\n\
                  hint: rotate it if it was ever pushed anywhere\n";
    let ranges = ranges(&repository, updates, Side::Server)?;
    // The default branch as it was before: a new branch brings no settings of its own.
    let base = repository
        .head_id()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let name = |received: &ReceivedRef| Some((received.name.to_string(), received.new_id?));
    scan(Job {
        repository: &repository,
        ranges: vec![ranges],
        base,
        common: &args.common,
        max_object_size: None,
        all: false,
        advice: Some(advice),
        success: Success::Silent,
        pushed: received.iter().filter_map(name).collect(),
    })
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

fn scan(job: Job<'_>) -> Result<Exit, Failure> {
    if job.ranges.iter().all(Vec::is_empty) {
        // References are deleted, or nothing is pushed at all.
        return Ok(Exit::Clean);
    }
    range::run(&job)
}

/// The first of `ids` that is a commit of this repository.
pub(super) fn first_commit(
    repository: &Repository,
    ids: impl IntoIterator<Item = ObjectId>,
) -> Option<ObjectId> {
    let is_commit =
        |id: &ObjectId| matches!(repository.objects().header(id), Ok(Some((Commit, _))));
    ids.into_iter().find(is_commit)
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
