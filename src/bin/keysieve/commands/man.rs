//! `keysieve man`: the manual pages of all commands.

use std::path::Path;

use clap::CommandFactory as _;
use keysieve::text::whole_file::Access;

use crate::args::{Cli, ManArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::output;

/// Runs the command.
pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    // Gives every command its full name, `keysieve hook install` for one.
    command.build();
    let mut pages = Vec::new();
    collect(&command, "keysieve", &mut pages)?;
    match &args.directory {
        Some(directory) => write_files(directory, &pages)?,
        None => {
            output::to_stdout(|out| pages.iter().try_for_each(|(_, text)| out.write_all(text)))?
        }
    }
    Ok(Exit::Clean)
}

/// The page of a command and those of its subcommands, with their names.
fn collect(
    command: &clap::Command,
    name: &str,
    pages: &mut Vec<(String, Vec<u8>)>,
) -> Result<(), Failure> {
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(command.clone())
        .source(format!("keysieve {}", env!("CARGO_PKG_VERSION")));
    page.render(&mut text)
        .map_err(|error| Failure::new(Kind::Internal, "cannot write a manual page", error))?;
    pages.push((format!("{name}.1"), text));
    let subcommands = command.get_subcommands();
    for subcommand in subcommands.filter(|one| one.get_name() != "help" && !one.is_hide_set()) {
        collect(
            subcommand,
            &format!("{name}-{}", subcommand.get_name()),
            pages,
        )?;
    }
    Ok(())
}

fn write_files(directory: &Path, pages: &[(String, Vec<u8>)]) -> Result<(), Failure> {
    std::fs::create_dir_all(directory).map_err(|error| {
        let message = format!("cannot make the directory {}", directory.display());
        Failure::new(Kind::System, message, error)
    })?;
    for (name, text) in pages {
        output::to_file(&directory.join(name), Access::Usual, |out| {
            out.write_all(text)
        })?;
    }
    Ok(())
}
