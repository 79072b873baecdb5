//! Writes the words of names as one sorted table: each word as three numbers, with a bit for every list that has it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const SOURCE: &str = "src/engine/aws/vocabulary.toml";

/// Writes `vocabulary.rs` into `out`: a constant for each list, and `WORDS`.
pub(crate) fn write(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={SOURCE}");
    let file: toml::Table = toml::from_str(&fs::read_to_string(SOURCE)?)?;
    let mut words: BTreeMap<[u64; 3], u32> = BTreeMap::new();
    let mut text = String::new();
    for (bit, (list, value)) in file.iter().enumerate() {
        let flag = 1u32
            .checked_shl(bit.try_into()?)
            .ok_or("more lists than bits")?;
        writeln!(
            text,
            "pub(in crate::engine) const {}: u32 = {flag:#x};",
            list.to_uppercase()
        )?;
        for word in value.as_array().ok_or("a list is no array")? {
            let word = word.as_str().ok_or("a word is no string")?;
            *words.entry(number(word)?).or_default() |= flag;
        }
    }
    writeln!(
        text,
        "const WORDS: &[([u64; 3], u32)] = &{:?};",
        words.iter().collect::<Vec<_>>()
    )?;
    fs::write(out.join("vocabulary.rs"), text)?;
    Ok(())
}

/// The bytes of a word as numbers, which are compared quicker than texts. `words::flags` does the same.
fn number(word: &str) -> Result<[u64; 3], String> {
    let mut bytes = [0; 24];
    let place = bytes.get_mut(..word.len());
    let place = place.ok_or_else(|| format!("{word}: longer than 24 bytes"))?;
    place.copy_from_slice(word.as_bytes());
    let part = |at: usize| u64::from_be_bytes(std::array::from_fn(|byte| bytes[at + byte]));
    Ok([part(0), part(8), part(16)])
}
