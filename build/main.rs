//! Turns data files into constant tables, so that nothing is parsed when the program starts: one module for each
//! data file.

#![expect(
    clippy::print_stdout,
    reason = "Cargo reads what a build script prints"
)]

mod rules;

use std::env;
use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    rules::write(&out)
}
