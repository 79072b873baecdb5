//! Passing the hooks by once, with a reason: `KEYSIEVE_SKIP=REASON`, or `git -c keysieve.skip=REASON`; at a server
//! a push option, if the owner allows it.

use std::io::Write as _;
use std::path::Path;

use bstr::{BString, ByteSlice as _};
use keysieve::hook::setting::{self, Origin};
use keysieve::hook::{HookContext, Kind, refs::ReceivedRef};

use crate::date::now;
use crate::failure::{self, Failure, print_line, redacted};

/// The key in Git's configuration.
const KEY: &str = "keysieve.skip";

/// The log of pushes that were let pass, in the server's Git directory.
const LOG: &str = "keysieve-skipped.log";

/// Returns true if this hook is to be skipped once; says so, and why. `is_again` is the second run of one hook.
pub(super) fn is_asked_for(
    kind: Kind,
    context: &HookContext,
    is_again: bool,
) -> Result<bool, Failure> {
    let what = match kind {
        Kind::PrePush | Kind::PreReceive => "push",
        Kind::PreMergeCommit => "merge",
        Kind::PreCommit | Kind::CommitMsg => "commit",
    };
    let get = |name: &str| std::env::var_os(name);
    let variable = get("KEYSIEVE_SKIP").filter(|value| !value.is_empty());
    let variable = variable.map(|value| (BString::from(value.as_encoded_bytes()), "KEYSIEVE_SKIP"));
    let command = setting::of_command(get, KEY).map(|it| (it.value, "git -c keysieve.skip"));
    let Some((reason, whence)) = variable.or(command) else {
        if !is_again {
            warn_of_file(context, what)?;
        }
        return Ok(false);
    };
    let reason = reason.trim().to_str_lossy().into_owned();
    if reason.is_empty() {
        let message = format!("{whence} gives no reason, so nothing is skipped");
        return Err(Failure::bare(failure::Kind::Usage, message)
            .hint(format!("say why: KEYSIEVE_SKIP=\"REASON\" git {what}")));
    }
    if !is_again {
        print_line(&format!(
            "warning: keysieve does not check this {what} ({}), as {whence} says: {reason}",
            kind.name()
        ));
    }
    Ok(true)
}

/// Warns about the setting in a file, where it would skip for ever: it has no effect.
fn warn_of_file(context: &HookContext, what: &str) -> Result<(), Failure> {
    let found = setting::in_files(context, KEY)?;
    if let Some(Origin::File(path)) = found.map(|it| it.origin) {
        print_line(&format!(
            "warning: {KEY} in {} is ignored: it counts for one command only, git -c {KEY}=REASON {what}",
            path.display()
        ));
    }
    Ok(())
}

/// Returns true if a push option asks for a skip and the server's owner allows it (`keysieve.allowSkip`); the skip is
/// logged.
pub(super) fn is_asked_for_by_push(
    context: &HookContext,
    git_dir: &Path,
    received: &[ReceivedRef],
) -> Result<bool, Failure> {
    let Some(reason) = push_option(|name| std::env::var_os(name)) else {
        return Ok(false);
    };
    let allowed = setting::in_files(context, "keysieve.allowSkip")?;
    if !allowed.is_some_and(|it| it.is_on()) {
        print_line("warning: this server does not allow to skip keysieve: the push is checked");
        return Ok(false);
    }
    let reason = reason.trim().to_str_lossy().into_owned();
    if reason.is_empty() {
        let message = "the push option keysieve.skip gives no reason, so nothing is skipped";
        return Err(Failure::bare(failure::Kind::Usage, message)
            .hint("git push -o \"keysieve.skip=REASON\""));
    }
    log(git_dir, &reason, received)?;
    print_line(&format!(
        "warning: keysieve does not check this push, as its option says: {reason}; this is logged"
    ));
    Ok(true)
}

fn push_option(get: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<BString> {
    let count = get("GIT_PUSH_OPTION_COUNT")?
        .to_str()?
        .parse::<u32>()
        .ok()?;
    (0..count).find_map(|number| {
        let option = get(&format!("GIT_PUSH_OPTION_{number}"))?;
        let option = option.as_encoded_bytes();
        match option.strip_prefix(KEY.as_bytes())? {
            [] => Some(BString::default()),
            [b'=', reason @ ..] => Some(reason.into()),
            _ => None,
        }
    })
}

/// Appends one line of JSON for each reference. What cannot be logged is not let pass.
fn log(git_dir: &Path, reason: &str, received: &[ReceivedRef]) -> Result<(), Failure> {
    let path = git_dir.join(LOG);
    let user = [
        "GL_USERNAME",
        "REMOTE_USER",
        "GIT_COMMITTER_EMAIL",
        "SSH_USER",
        "USER",
    ]
    .iter()
    .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let time = now()?;
    let mut text = String::new();
    for one in received {
        let id = |id: &Option<gix::ObjectId>| id.map(|id| id.to_string());
        let line = serde_json::json!({
            "time": time,
            "user": user.as_deref().map(redacted),
            "ref": redacted(&one.name.to_string()),
            "old": id(&one.old_id),
            "new": id(&one.new_id),
            "reason": redacted(reason),
        });
        text.push_str(&format!("{line}\n"));
    }
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|error| {
        let message = format!("cannot write {}, so nothing is skipped", path.display());
        Failure::new(failure::Kind::System, message, error)
    })
}
