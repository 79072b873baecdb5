//! `keysieve hook`: installs, removes and looks at hooks, and is what they run.

use std::fmt::Write as _;
use std::path::Path;

use keysieve::git::repository::{self, GitEnvironment};
use keysieve::hook::{
    self, Action, Error, HookContext, Kind, Outcome, RepositoryDirs, State, Status, UserConfig,
};
use keysieve::report::escape;

use super::{message, push};
use crate::args::{HookArgs, HookCommand, HookRun};
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::output;

/// Runs the command.
pub(crate) fn run(command: &HookCommand) -> Result<Exit, Failure> {
    match command {
        HookCommand::Install(args) => install(*args),
        HookCommand::Uninstall(args) => uninstall(*args),
        HookCommand::Status(args) => status(*args),
        HookCommand::Run(HookRun::PreCommit(args)) => push::pre_commit(args),
        HookCommand::Run(HookRun::CommitMsg(args)) => message::run(args),
        HookCommand::Run(HookRun::PrePush(args)) => push::pre_push(args),
        HookCommand::Run(HookRun::PreReceive(args)) => push::pre_receive(args),
    }
}

fn install(args: HookArgs) -> Result<Exit, Failure> {
    let kinds = named(args).unwrap_or(vec![Kind::PreCommit]);
    let outcomes = hook::install(&context(args)?, &kinds, args.global).map_err(failed)?;
    let is_missing = |outcome: &Outcome| {
        matches!(
            outcome.action,
            Action::Managed {
                is_active: false,
                ..
            }
        )
    };
    let exit = if outcomes.iter().any(is_missing) {
        Exit::Findings
    } else {
        Exit::Clean
    };
    say(outcomes.iter().map(describe_outcome))?;
    Ok(exit)
}

fn uninstall(args: HookArgs) -> Result<Exit, Failure> {
    let is_named = named(args).is_some();
    let kinds = named(args).unwrap_or(Kind::ALL.to_vec());
    let mut outcomes = hook::uninstall(&context(args)?, &kinds, args.global).map_err(failed)?;
    let is_ours = |outcome: &Outcome| outcome.action != Action::NotInstalled;
    if !is_named && outcomes.iter().any(is_ours) {
        outcomes.retain(is_ours);
    }
    say(outcomes.iter().map(describe_outcome))?;
    Ok(Exit::Clean)
}

fn status(args: HookArgs) -> Result<Exit, Failure> {
    let asked = named(args);
    let kinds = asked.clone().unwrap_or(Kind::ALL.to_vec());
    let found = match hook::status(&context(args)?, &kinds, args.global) {
        Ok(found) => found,
        // Nothing of ours runs, and why is known: that is an answer.
        Err(error @ (Error::Outside { .. } | Error::NoGlobalFolder)) => {
            failed(error).print();
            return Ok(Exit::Findings);
        }
        Err(error) => return Err(failed(error)),
    };
    say(found.iter().map(describe_status))?;
    let needed = asked.unwrap_or(vec![Kind::PreCommit]);
    let is_wrong = |status: &Status| needed.contains(&status.kind) && !status.state.is_active();
    Ok(if found.iter().any(is_wrong) {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// The hooks that the command line names, if it names some.
fn named(args: HookArgs) -> Option<Vec<Kind>> {
    let flags = [
        (Kind::PreCommit, args.pre_commit),
        (Kind::CommitMsg, args.commit_msg),
        (Kind::PrePush, args.pre_push),
        (Kind::PreReceive, args.pre_receive),
    ];
    let kinds: Vec<Kind> = flags
        .into_iter()
        .filter_map(|(kind, is_named)| is_named.then_some(kind))
        .collect();
    (!kinds.is_empty()).then_some(kinds)
}

fn context(args: HookArgs) -> Result<HookContext, Failure> {
    let program = std::env::current_exe().map_err(|error| {
        Failure::new(
            failure::Kind::System,
            "cannot tell where this program is",
            error,
        )
    })?;
    let environment = GitEnvironment::from_env(|name| std::env::var_os(name));
    let repository = match repository::open(Path::new("."), &environment) {
        Ok(repository) => Some(RepositoryDirs {
            git_dir: repository.git_dir().to_owned(),
            common_dir: repository.common_dir().to_owned(),
            work_dir: repository.work_dir().map(Path::to_owned),
        }),
        Err(repository::Error::NotFound { .. }) => None,
        Err(_) if args.global => None,
        Err(error) => return Err(Failure::of(failure::Kind::System, &error)),
    };
    Ok(HookContext {
        program,
        repository,
        user: UserConfig::from_env(|name| std::env::var_os(name)),
    })
}

/// A path on one line, whatever is in it.
fn shown(path: &Path) -> String {
    escape::terminal(&path.display().to_string()).into_owned()
}

fn describe_outcome(outcome: &Outcome) -> String {
    let name = outcome.kind.name();
    let path = shown(&outcome.path);
    match &outcome.action {
        Action::Installed => format!("{name}: installed as {path}\n"),
        Action::InstalledBeside { kept, runs } => {
            let what = match runs {
                true => "the hook that was there runs first; it is kept as",
                false => {
                    "the hook that was there is not executable, so it does not run, as before; it is kept as"
                }
            };
            format!("{name}: installed as {path}\n  {what} {}\n", shown(kept))
        }
        Action::Updated => format!("{name}: updated {path}\n"),
        Action::Unchanged => format!("{name}: installed already as {path}\n"),
        Action::BlockAdded => format!("{name}: added to husky's {path}; commit that file\n"),
        Action::Managed {
            manager,
            is_active: true,
            file,
            ..
        } => format!(
            "{name}: {} runs it already, see {}\n",
            manager.name(),
            shown(file)
        ),
        Action::Managed {
            manager,
            file,
            advice,
            ..
        } => format!(
            "{name}: not installed, because {} writes this hook\n  add to {}:\n\n{advice}\n",
            manager.name(),
            shown(file)
        ),
        Action::Removed => format!("{name}: removed {path}\n"),
        Action::Restored => {
            format!("{name}: removed; {path} is the hook again that was there before\n")
        }
        Action::BlockRemoved => format!("{name}: taken out of husky's {path}\n"),
        Action::NotInstalled => format!("{name}: not installed\n"),
    }
}

fn describe_status(status: &Status) -> String {
    let name = status.kind.name();
    let path = shown(&status.path);
    match &status.state {
        State::Active => format!("{name}: active, {path}\n"),
        State::Outdated => format!(
            "{name}: active, {path}\n  written for another version or place of this program: install again\n"
        ),
        State::NotExecutable => {
            format!("{name}: not active, {path} is not executable: install again\n")
        }
        State::Absent => format!("{name}: not installed\n"),
        State::Foreign { names_us: true } => {
            format!("{name}: active, {path} is not ours and names keysieve\n")
        }
        State::Foreign { names_us: false } => {
            format!("{name}: not installed, {path} is another hook\n")
        }
        State::Managed {
            manager,
            is_active: true,
            file,
            ..
        } => format!(
            "{name}: active, {} runs it, see {}\n",
            manager.name(),
            shown(file)
        ),
        State::Managed {
            manager,
            file,
            advice,
            ..
        } => format!(
            "{name}: not active, {} writes this hook\n  add to {}, then let {0} install its hooks:\n\n{advice}\n",
            manager.name(),
            shown(file)
        ),
    }
}

/// Prints to standard output. Paths may hold anything.
fn say(parts: impl Iterator<Item = String>) -> Result<(), Failure> {
    let mut text = String::new();
    for part in parts {
        write!(text, "{part}").expect("a string takes all writes");
    }
    let text = escape::terminal_lines(&failure::redacted(&text));
    output::to_stdout(|out| out.write_all(text.as_bytes()))
}

fn failed(error: Error) -> Failure {
    let kind = match error {
        Error::Config { .. } => failure::Kind::Config,
        Error::NoRepository | Error::NotWithHusky { .. } => failure::Kind::Usage,
        _ => failure::Kind::System,
    };
    let failure = Failure::of(kind, &error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
