//! The program: reads the command line, runs a command, prints why it failed.

mod args;
mod ci;
mod commands;
mod date;
mod exit;
mod failure;
mod hint;
mod interrupt;
mod lean;
mod output;
mod rules;
mod run;
mod scanning;
mod terminal;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use exit::Exit;
use failure::{Failure, Kind};
use scanning::framework::with_plain_names;

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
    let cli = match lean::parse(with_plain_names(std::env::args_os())) {
        Ok(cli) => cli,
        Err(error) => return clap_says(&error).into(),
    };
    terminal::set_color(cli.top.color);
    let ended = catch_unwind(AssertUnwindSafe(|| commands::run(&cli)));
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
