//! The program: reads the command line, runs a command, prints why it failed.

mod args;
mod ci;
mod commands;
mod date;
mod exit;
mod failure;
mod folders;
mod hint;
mod interrupt;
mod lean;
mod output;
mod progress;
mod reader;
mod rules;
mod session;
mod settings;
mod terminal;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::CommandFactory as _;

use args::{Cli, Command};
use exit::Exit;
use failure::{Failure, Kind};

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // The place only: the message may hold what was being read.
        let place = panic.location().map_or_else(String::new, |place| {
            format!(" at {}:{}", place.file(), place.line())
        });
        let text = format!("error: keysieve failed in a way that should not happen{place}\n");
        // Nothing is left to be told to if standard error is closed.
        let _ = terminal::stderr().write_all(text.as_bytes());
    }));
    #[cfg(unix)]
    keysieve::content::end_on_bus_error(Exit::FAILED.into());
    let cli = match lean::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return clap_says(&error).into(),
    };
    terminal::set_color(cli.top.color);
    let ended = catch_unwind(AssertUnwindSafe(|| run(&cli)));
    let failure = match ended {
        Ok(Ok(exit)) => return exit.into(),
        Ok(Err(failure)) => failure,
        Err(_) => Failure::bare(
            Kind::Internal,
            "the run ended early; nothing is known about what was asked",
        ),
    };
    // What fails while it is printed has had its line by the hook.
    let _ = catch_unwind(AssertUnwindSafe(|| failure.print()));
    Exit::Failed.into()
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    match &cli.command {
        Some(Command::Scan(args)) => commands::scan::run(args),
        Some(Command::Staged(args)) => commands::staged::run(args),
        Some(Command::History(args)) => commands::history::run(args),
        Some(Command::Rules(args)) => run_rules(args),
        Some(Command::Hook(command)) => commands::hook::run(command),
        Some(Command::Baseline(command)) => commands::baseline::run(command),
        Some(Command::Config(command)) => commands::config::run(command),
        Some(Command::Root(args)) => commands::root::run(args),
        Some(Command::Mail(args)) => commands::mail::run(args),
        Some(Command::Triage(args)) => commands::triage::run(args),
        Some(Command::Collect(args)) => commands::collect::run(args),
        Some(Command::Verify(args)) => commands::verify::run(args),
        Some(Command::Init) => commands::init::run(),
        Some(Command::Trail(command)) => commands::trail::run(command),
        Some(Command::Completions(args)) => commands::completions::run(*args),
        Some(Command::Man(args)) => commands::man::run(args),
        None if cli.top.version => version(),
        None => {
            let help = Cli::command().render_help().to_string();
            failure::print_error(&format!("error: no command given\n\n{help}"));
            Ok(Exit::Failed)
        }
    }
}

/// A rule that is not what its examples say is a finding of its own.
fn run_rules(args: &commands::rules::RulesArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    let is_good = commands::rules::run(args, &mut text).map_err(|error| {
        let kind = match error {
            keysieve::rule::Error::Faults(_) => Kind::Faults,
            _ => Kind::Config,
        };
        let failure = Failure::of(kind, &error);
        match &error {
            keysieve::rule::Error::UnknownRule(id) => {
                failure.hint(rules::alike(&rules::builtin(), id))
            }
            _ => failure,
        }
    })?;
    output::to_stdout(|out| out.write_all(&text))?;
    Ok(if is_good { Exit::Clean } else { Exit::Findings })
}

/// The version, and what else the results depend on.
fn version() -> Result<Exit, Failure> {
    let rules = rules::builtin();
    let (version, hash) = (env!("CARGO_PKG_VERSION"), rules.hash());
    let text = format!("keysieve {version} (rules {hash})\n");
    output::to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}

/// Help goes to standard output and is no failure; wrong use is one. What was typed may hold a secret.
fn clap_says(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        let hint = hint::of(std::env::args_os().skip(1)).unwrap_or_default();
        failure::print_error(&format!("{}{hint}", error.render()));
        return Exit::Failed;
    }
    // A closed pipe after `--help | head` is not an error.
    let _ = error.print();
    Exit::Clean
}
