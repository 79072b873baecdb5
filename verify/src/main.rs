//! `keysieve-verify`: asks AWS whether keys that were found still work. The only program of the project that opens a
//! connection; the scanner links neither sockets nor TLS.
//!
//! | module | what it does |
//! |---|---|
//! | `args` | the command line |
//! | `input` | reports and key IDs: what is to be asked about |
//! | `reread` | finds the secrets again at the places that a report names |
//! | `place` | partitions, hosts, own credentials: from options and the environment |
//! | `wire` | the connection |
//! | `plan` | `--dry-run` |
//! | `run` | asks about one key after the other |
//! | `resume` | answers of a run that was cut short |
//! | `output` | text, and JSON Lines |

#![forbid(unsafe_code)]

mod args;
mod failure;
mod input;
mod output;
mod place;
mod plan;
mod reread;
mod resume;
mod run;
mod wire;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser as _;

use args::Args;
use failure::Failure;

/// The exit status of a run that did not come to an end, or left something unknown.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        // The place only: the message may hold what was being read.
        let place = panic.location().map_or_else(String::new, |place| {
            format!(" at {}:{}", place.file(), place.line())
        });
        let text =
            format!("error: keysieve-verify failed in a way that should not happen{place}\n");
        // Nothing is left to be told to if standard error is closed.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }));
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            if !error.use_stderr() {
                // A closed pipe after `--help | head` is not an error.
                let _ = error.print();
                return ExitCode::SUCCESS;
            }
            failure::print(&error.render().to_string());
            return ExitCode::from(FAILED);
        }
    };
    match catch_unwind(AssertUnwindSafe(|| run::run(&args))) {
        Ok(Ok(status)) => ExitCode::from(status),
        Ok(Err(failure)) => {
            failure.print();
            ExitCode::from(FAILED)
        }
        Err(_) => {
            let text = "the run ended early; nothing is known about keys without an answer";
            Failure::new(text).print();
            ExitCode::from(FAILED)
        }
    }
}
