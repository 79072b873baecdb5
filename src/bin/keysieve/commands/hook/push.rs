//! `keysieve hook run pre-push` and `pre-receive`: what a push brings in.

use std::io::Read as _;
use std::path::PathBuf;

use bstr::ByteSlice as _;
use gix::ObjectId;
use keysieve::coverage::SkipReason;
use keysieve::git::repository::{Named, Repository};
use keysieve::git::revision::{Range, Side, push_of_all, references_of};
use keysieve::hook::refs::{ReceivedRef, RefError, parse_pushed, parse_received};
use keysieve::hook::{self, HookContext, setting};

use super::skip;
use crate::args::{Common, OnTimeout, PrePushArgs, PreReceiveArgs, StagedArgs};
use crate::date::parse_time;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::run::WhenClean;
use crate::scanning::advice::Stopped;
use crate::scanning::commit::{self, Caller};
use crate::scanning::deadline::Limit;
use crate::scanning::framework;
use crate::scanning::range::{self, RangeScan};
use crate::scanning::repository::{first_commit, parse_range};

/// Scans what the other side does not have, as far as this repository knows.
pub(super) fn pre_push(
    repository: &Repository,
    context: &HookContext,
    args: &PrePushArgs,
) -> Result<Exit, Failure> {
    let pushed = parse_pushed(&read_stdin()?).map_err(not_references)?;
    let mut common = args.common.clone();
    let get = |name: &str| std::env::var_os(name);
    let of_command = setting::of_command(get, CONFIG_FROM);
    take_settings_from(&mut common, context, of_command)?;
    if pushed.is_empty()
        && framework::is_under_framework()
        && let Some(range) = framework::framework_range(repository)?
    {
        let args = StagedArgs::of(common);
        return commit::scan_range(repository, range, &args, Caller::Hook);
    }
    let side = Side::Client {
        remote: args.remote.as_deref().map(|name| name.as_bytes().as_bstr()),
    };
    let updates = pushed
        .iter()
        .filter_map(|pushed| Some((pushed.remote_id, pushed.local_id?)));
    let (references, range) = range_of(repository, updates, side)?;
    // What the other side has of the branch, else its default branch, else the branch that most have.
    let mut base = first_commit(repository, pushed.iter().filter_map(|it| it.remote_id));
    let remote = args.remote.as_deref().unwrap_or("origin");
    for name in ["HEAD", "main", "master"] {
        base = match base {
            Some(base) => Some(base),
            None => {
                let name = format!("refs/remotes/{remote}/{name}");
                // A remote that is not tracked has no such reference.
                let tip = parse_range(repository, name.as_str().into()).ok();
                first_commit(repository, tip.into_iter().flat_map(|tip| tip.include))
            }
        };
    }
    scan(RangeScan {
        base,
        stopped: Some(Stopped::Hook),
        when_clean: WhenClean::Line,
        references: Some(references),
        ..RangeScan::new(repository, vec![range], &common)
    })
}

/// The key for which configuration counts in a push, as `--config-from`.
const CONFIG_FROM: &str = "keysieve.configFrom";

/// Lets Git's configuration say which configuration counts, unless the command line does.
fn take_settings_from(
    common: &mut Common,
    context: &HookContext,
    of_command: Option<setting::Setting>,
) -> Result<(), Failure> {
    let found = &mut common.found;
    if found.config_from.is_some() || found.config.is_some() || found.no_config {
        return Ok(());
    }
    let setting = match of_command {
        Some(setting) => Some(setting),
        None => setting::in_files(context, CONFIG_FROM)?,
    };
    found.config_from = setting.map(|it| PathBuf::from(it.value.to_str_lossy().into_owned()));
    Ok(())
}

/// Scans what no reference of this repository reaches yet; the objects are still in quarantine.
pub(super) fn pre_receive(
    repository: &Repository,
    context: &HookContext,
    args: &PreReceiveArgs,
) -> Result<Exit, Failure> {
    let limit = time_limit(context, args)?.map(Limit::of);
    let received = parse_received(&read_stdin()?).map_err(not_references)?;
    if skip::is_asked_for_by_push(context, repository.git_dir(), &received)? {
        return Ok(Exit::Clean);
    }
    let mut common = args.common.clone();
    // What the environment says is not the word of the server's owner.
    take_settings_from(&mut common, context, None)?;
    if on_timeout(context, args)? == OnTimeout::Pass {
        common.allow_incomplete.push(SkipReason::Deadline);
    }
    let updates = received
        .iter()
        .filter_map(|received| Some((received.old_id, received.new_id?)));
    let (mut references, range) = range_of(repository, updates, Side::Server)?;
    // The default branch as it was before, or else what is pushed to: a new branch brings no settings of its own.
    let head = repository
        .head_id()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let before = received.iter().filter_map(|received| received.old_id);
    let base = head.or_else(|| first_commit(repository, before));
    let name = |received: &ReceivedRef| Some((received.name.to_string(), received.new_id?));
    references.extend(received.iter().filter_map(name));
    scan(RangeScan {
        base,
        stopped: Some(Stopped::Server),
        limit: limit.as_ref(),
        when_clean: WhenClean::Silent,
        references: Some(references),
        ..RangeScan::new(repository, vec![range], &common)
    })
}

/// `--time-limit`, else what the server's configuration says.
fn time_limit(
    context: &HookContext,
    args: &PreReceiveArgs,
) -> Result<Option<std::time::Duration>, Failure> {
    if args.time_limit.is_some() {
        return Ok(args.time_limit);
    }
    let found = setting::in_files(context, "keysieve.timeLimit")?;
    let parse = |it: setting::Setting| {
        parse_time(&it.value.to_str_lossy())
            .ok_or_else(|| wrong_value("keysieve.timeLimit", &it, "a time such as 4s or 500ms"))
    };
    found.map(parse).transpose()
}

/// `--on-timeout`, else what the server's configuration says.
fn on_timeout(context: &HookContext, args: &PreReceiveArgs) -> Result<OnTimeout, Failure> {
    if let Some(on_timeout) = args.on_timeout {
        return Ok(on_timeout);
    }
    let found = setting::in_files(context, "keysieve.onTimeout")?;
    match found {
        None => Ok(OnTimeout::Refuse),
        Some(it) if it.value == "refuse" => Ok(OnTimeout::Refuse),
        Some(it) if it.value == "pass" => Ok(OnTimeout::Pass),
        Some(it) => Err(wrong_value("keysieve.onTimeout", &it, "refuse or pass")),
    }
}

fn wrong_value(key: &str, setting: &setting::Setting, expected: &str) -> Failure {
    let whence = match &setting.origin {
        hook::setting::Origin::File(path) => format!(" in {}", path.display()),
        hook::setting::Origin::Command => String::new(),
    };
    let message = format!(
        "{key}{whence} should be {expected}, not '{}'",
        setting.value
    );
    Failure::bare(Kind::Config, message)
}

/// Returns the references, and what the updates from old to new objects transfer together: nothing, if they only delete.
fn range_of(
    repository: &Repository,
    updates: impl Iterator<Item = (Option<ObjectId>, ObjectId)>,
    side: Side<'_>,
) -> Result<(Vec<Named>, Vec<Range>), Failure> {
    let mut updates = updates
        .map(|(old, new)| (old.unwrap_or_else(|| ObjectId::null(new.kind())), new))
        .peekable();
    if updates.peek().is_none() {
        return Ok((Vec::new(), Vec::new()));
    }
    let references = references_of(repository)?;
    let push = push_of_all(repository, updates, side, &references)?;
    Ok((references, push.range.into_iter().collect()))
}

fn scan(job: RangeScan<'_>) -> Result<Exit, Failure> {
    if job.ranges.iter().all(Vec::is_empty) {
        // References are deleted, or nothing is pushed at all.
        return Ok(Exit::Clean);
    }
    range::run(&job)
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
