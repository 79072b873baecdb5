//! `keysieve completions`: what a shell needs to complete our command line.

use clap::CommandFactory as _;

use crate::args::{Cli, CompletionsArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

/// Runs the command.
pub(crate) fn run(args: CompletionsArgs) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keysieve", &mut text);
    output::to_stdout(|out| out.write_all(&text))?;
    Ok(Exit::Clean)
}
