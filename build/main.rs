//! Turns data files into constant tables, so that nothing is parsed when the program starts: one module for each
//! data file.

#![expect(
    clippy::print_stdout,
    reason = "Cargo reads what a build script prints"
)]

mod rules;
mod searcher;
mod vocabulary;

/// The chooser of fingerprints and the tables of the searcher, as the library has them.
#[path = "../src/engine/literal"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "of the library, where all of it is used"
)]
mod literal {
    pub mod fingerprint;
    pub mod tables;
}

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    searcher::write(&out, &rules::write(&out)?)?;
    vocabulary::write(&out)
}
