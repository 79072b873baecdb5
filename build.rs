//! Writes the built-in rules a second time, as JSON, without the prose that no scan needs: reading TOML at each
//! start took longer than everything else together. A test holds the two forms equal.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// Keys that only `keysieve rules` and the tests read.
const PROSE: [&str; 5] = [
    "references",
    "examples",
    "negative_examples",
    "opens",
    "rotate",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=rules.toml");
    let mut file: toml::Table = toml::from_str(&fs::read_to_string("rules.toml")?)?;
    let mut rules = file.remove("rule").ok_or("rules.toml holds no [[rule]]")?;
    for rule in rules.as_array_mut().into_iter().flatten() {
        let table = rule.as_table_mut().ok_or("a rule is no table")?;
        table.retain(|key, _| !PROSE.contains(&key));
    }
    let directory = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    let path = Path::new(&directory).join("rules.json");
    fs::write(path, serde_json::to_string(&rules)?)?;
    Ok(())
}
