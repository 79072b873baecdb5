//! `keysieve staged`: what the next commit would record.

use std::path::Path;

use crate::args::StagedArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::scanning::commit::{self, Caller};
use crate::scanning::repository;

/// Runs the command.
pub(crate) fn run(args: &StagedArgs) -> Result<Exit, Failure> {
    interrupt::stop();
    let repository = repository::open(Path::new("."))?;
    commit::scan(&repository, args, &[], Caller::Person)
}
