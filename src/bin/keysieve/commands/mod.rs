//! One module per command: builds the pieces, runs them, picks the exit status. None uses another; what several need is in
//! `run` and `scanning`.

mod baseline;
mod collect;
mod completions;
mod config;
mod explain;
mod history;
mod hook;
mod init;
mod mail;
mod man;
mod range;
mod root;
mod rules;
mod scan;
mod staged;
mod trail;
mod triage;
mod verify;

use clap::CommandFactory as _;
use keysieve::rule::RuleSet;

use crate::args::{Cli, Command, HistoryArgs};
use crate::exit::Exit;
use crate::failure::{Failure, print_error};
use crate::scanning::repository;
use crate::{hint, interrupt, output};

/// Runs what was typed.
pub(crate) fn run(cli: &Cli) -> Result<Exit, Failure> {
    match &cli.command {
        Some(Command::Scan(args)) => match &args.explain {
            Some(place) => explain::run(place, args.walk, &args.common),
            None => scan::run(args),
        },
        Some(Command::Staged(args)) => staged::run(args),
        Some(Command::History(args)) => run_history(args),
        Some(Command::Explain(args)) => explain::run(&args.place, args.walk, &args.common()),
        Some(Command::Rules(args)) => rules::run(args),
        Some(Command::Hook(command)) => hook::run(command),
        Some(Command::Baseline(command)) => baseline::run(command),
        Some(Command::Config(command)) => config::run(command),
        Some(Command::Root(args)) => root::run(args),
        Some(Command::Mail(args)) => mail::run(args),
        Some(Command::Triage(args)) => triage::run(args),
        Some(Command::Collect(args)) => collect::run(args),
        Some(Command::Verify(args)) => verify::run(args),
        Some(Command::Init) => init::run(),
        Some(Command::Trail(command)) => trail::run(command),
        Some(Command::Completions(args)) => completions::run(*args),
        Some(Command::Man(args)) => man::run(args),
        None if cli.top.version => version(),
        None => {
            let help = Cli::command().render_help().to_string();
            print_error(&format!("error: no command given\n\n{help}"));
            Ok(Exit::Failed)
        }
    }
}

/// Looks at what the ranges add if some are asked for, else at all objects.
fn run_history(args: &HistoryArgs) -> Result<Exit, Failure> {
    interrupt::stop();
    let repository = repository::open(&args.repository).map_err(|failure| advise(failure, args))?;
    match range::asked(&repository, args)? {
        Some(ranges) => range::run(&repository, args, ranges),
        None => history::run(&repository, args),
    }
}

/// A range in the place of the repository is a habit from `git log`.
fn advise(failure: Failure, args: &HistoryArgs) -> Failure {
    let is_range = args.repository.to_str().is_some_and(hint::is_range);
    match is_range && !args.repository.exists() {
        true => failure.hint("did you mean 'keysieve history --range A..B'?"),
        false => failure,
    }
}

/// The version, and what else the results depend on.
fn version() -> Result<Exit, Failure> {
    let rules = RuleSet::builtin();
    let (version, hash) = (env!("CARGO_PKG_VERSION"), rules.hash());
    let text = format!("keysieve {version} (rules {hash})\n");
    output::to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}
