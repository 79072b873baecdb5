//! Writes the built-in rules a second time, as JSON, without the prose that no scan needs.

use std::error::Error;
use std::fs;
use std::path::Path;

/// Keys that only `keysieve rules` and the tests read.
const PROSE: [&str; 5] = [
    "references",
    "examples",
    "negative_examples",
    "opens",
    "rotate",
];

/// Writes `rules.json` into `out`.
pub(crate) fn write(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=rules.toml");
    let mut file: toml::Table = toml::from_str(&fs::read_to_string("rules.toml")?)?;
    let mut rules = file.remove("rule").ok_or("rules.toml holds no [[rule]]")?;
    for rule in rules.as_array_mut().into_iter().flatten() {
        let table = rule.as_table_mut().ok_or("a rule is no table")?;
        table.retain(|key, _| !PROSE.contains(&key));
    }
    fs::write(out.join("rules.json"), serde_json::to_string(&rules)?)?;
    Ok(())
}
