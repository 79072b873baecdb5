//! `keysieve hook`: installs, removes and looks at hooks, and is what they run.

mod message;
mod push;
mod skip;

use std::path::{Path, PathBuf};

use keysieve::git::repository::{self, GitEnvironment};
use keysieve::hook::{
    self, Action, Error, HookContext, Kind, Manager, Outcome, RepositoryDirs, State, Status,
    UserConfig,
};
use keysieve::report::escape;

use crate::args::{HookArgs, HookCommand, HookRun};
use crate::exit::Exit;
use crate::failure::{self, Failure};
use crate::scanning::commit::{self, Caller};
use crate::scanning::repository::open;
use crate::{interrupt, output};

/// Runs the command.
pub(crate) fn run(command: &HookCommand) -> Result<Exit, Failure> {
    match command {
        HookCommand::Install(args) => install(*args),
        HookCommand::Uninstall(args) => uninstall(*args),
        HookCommand::Status(args) => status(*args),
        HookCommand::Run(run) => run_hook(run),
    }
}

/// Runs a hook for the installed scripts and the frameworks.
fn run_hook(run: &HookRun) -> Result<Exit, Failure> {
    interrupt::stop();
    let repository = open(Path::new("."))?;
    let context = HookContext {
        // Nothing is installed here.
        program: PathBuf::new(),
        repository: Some(dirs(&repository)),
        user: UserConfig::from_env(|name| std::env::var_os(name)),
    };
    let (kind, again) = match run {
        HookRun::PreCommit(args) => (Kind::PreCommit, args.again),
        HookRun::PreMergeCommit(args) => (Kind::PreMergeCommit, args.again),
        HookRun::CommitMsg(args) => (Kind::CommitMsg, args.again),
        HookRun::PrePush(_) => (Kind::PrePush, false),
        // Who pushes has no say here but by a push option.
        HookRun::PreReceive(args) => return push::pre_receive(&repository, &context, args),
    };
    if skip::is_asked_for(kind, &context, again)? {
        return Ok(Exit::Clean);
    }
    let caller = match again {
        true => Caller::HookAgain,
        false => Caller::Hook,
    };
    match run {
        HookRun::PreCommit(args) | HookRun::PreMergeCommit(args) => {
            commit::scan(&repository, &args.staged, &args.files, caller)
        }
        HookRun::CommitMsg(args) => message::run(args),
        HookRun::PrePush(args) => push::pre_push(&repository, &context, args),
        HookRun::PreReceive(args) => push::pre_receive(&repository, &context, args),
    }
}

fn dirs(repository: &repository::Repository) -> RepositoryDirs {
    RepositoryDirs {
        git_dir: repository.git_dir().to_owned(),
        common_dir: repository.common_dir().to_owned(),
        work_dir: repository.work_dir().map(Path::to_owned),
    }
}

fn install(args: HookArgs) -> Result<Exit, Failure> {
    let kinds = named(args).unwrap_or(vec![Kind::PreCommit]);
    let outcomes = hook::install(&context(args)?, &kinds, args.global)?;
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
    output::say(&outcomes.iter().map(describe_outcome).collect::<String>())?;
    Ok(exit)
}

fn uninstall(args: HookArgs) -> Result<Exit, Failure> {
    let is_named = named(args).is_some();
    let kinds = named(args).unwrap_or(Kind::ALL.to_vec());
    let mut outcomes = hook::uninstall(&context(args)?, &kinds, args.global)?;
    let is_ours = |outcome: &Outcome| outcome.action != Action::NotInstalled;
    if !is_named && outcomes.iter().any(is_ours) {
        outcomes.retain(is_ours);
    }
    output::say(&outcomes.iter().map(describe_outcome).collect::<String>())?;
    Ok(Exit::Clean)
}

fn status(args: HookArgs) -> Result<Exit, Failure> {
    let asked = named(args);
    let kinds = asked.clone().unwrap_or(Kind::ALL.to_vec());
    let context = context(args)?;
    let found = match hook::status(&context, &kinds, args.global) {
        Ok(found) => found,
        // Nothing of ours runs, and why is known: that is an answer.
        Err(error @ (Error::Outside { .. } | Error::NoGlobalFolder)) => {
            Failure::from(error).print();
            return Ok(Exit::Findings);
        }
        Err(error) => return Err(error.into()),
    };
    output::say(&found.iter().map(describe_status).collect::<String>())?;
    // Nobody commits in a bare repository: it is pushed to.
    let is_bare = |dirs: &RepositoryDirs| dirs.work_dir.is_none();
    let usual = match context.repository.as_ref().is_some_and(is_bare) && !args.global {
        true => Kind::PreReceive,
        false => Kind::PreCommit,
    };
    let needed = asked.unwrap_or(vec![usual]);
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
        (Kind::PreMergeCommit, args.pre_merge_commit),
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
        Ok(repository) => Some(dirs(&repository)),
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
    let mut through = through(outcome.through);
    if outcome.is_shared {
        through.push_str("; the file is committed, so it takes keysieve from PATH");
    }
    match &outcome.action {
        Action::Installed => format!("{name}: installed as {path}{through}\n"),
        Action::InstalledBeside { kept, runs } => {
            let what = match runs {
                true => "the hook that was there runs after it; it is kept as",
                false => {
                    "the hook that was there is not executable, so it does not run, as before; it is kept as"
                }
            };
            format!(
                "{name}: installed as {path}{through}\n  {what} {}\n",
                shown(kept)
            )
        }
        Action::Updated => format!("{name}: updated {path}\n"),
        Action::Unchanged => format!("{name}: installed already as {path}{through}\n"),
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

/// Names the manager that runs the hook, if it is not Git.
fn through(manager: Option<Manager>) -> String {
    match manager {
        Some(manager) => format!(", which {} runs before its own hooks", manager.name()),
        None => String::new(),
    }
}

fn describe_status(status: &Status) -> String {
    let name = status.kind.name();
    let path = shown(&status.path);
    let through = through(status.through);
    match &status.state {
        State::Active => format!("{name}: active, {path}{through}\n"),
        State::Outdated => format!(
            "{name}: active, {path}{through}\n  written for another version or place of this program: install again\n"
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
            is_active,
            file,
            ..
        } if manager.hides_references(status.kind) => {
            let what = match is_active {
                true => format!(
                    "active for the first reference of a push, see {}",
                    shown(file)
                ),
                false => "not installed".to_owned(),
            };
            format!(
                "{name}: {what}\n  of several references that are pushed {} shows only the first; a hook of its own \
                 beside it\n  sees all: keysieve hook install --pre-push\n",
                manager.name()
            )
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
