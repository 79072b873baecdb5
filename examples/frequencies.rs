//! Counts runs of four bytes in ordinary sources, for `build/frequencies`: the searcher's choice of bytes, and the
//! budget of keywords, are made by it.
//!
//! ```console
//! cargo run --release --example frequencies -- ~/.cargo/registry/src write build/frequencies
//! cargo run --release --example frequencies -- ~/.cargo/registry/src count LITERAL…
//! ```
//!
//! The first 100 MB of Rust sources in the order of a hash of their paths, so that no crate counts for all. The table
//! has the runs of printable ASCII that occur more than [`LEAST`] times, sorted: for each the distance from the one
//! before as a number of seven bits a byte, the lowest first, then twice the binary logarithm of the count.

use std::collections::HashMap;
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Rarer runs are not in the table.
const LEAST: u32 = 50;
/// Bytes that are looked at.
const BYTES: usize = 100_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root = arguments.next().ok_or("which directory?")?;
    let what = arguments.next().ok_or("write or count?")?;
    let text = text(Path::new(&root))?;
    if what == "count" {
        let mut out = std::io::stdout().lock();
        for literal in arguments {
            let hits = memchr::memmem::find_iter(&text, literal.as_bytes()).count();
            writeln!(out, "{hits}\t{literal}")?;
        }
        return Ok(());
    }
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for run in text.windows(4) {
        if run.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            let run: [u8; 4] = run.try_into()?;
            *counts.entry(u32::from_be_bytes(run)).or_default() += 1;
        }
    }
    let mut common: Vec<(u32, u32)> = counts.into_iter().filter(|(_, n)| *n > LEAST).collect();
    common.sort_unstable();
    let mut table = Vec::new();
    let mut last = 0;
    for (run, count) in common {
        let mut distance = run - last;
        while distance >= 0x80 {
            table.push(distance as u8 | 0x80);
            distance >>= 7;
        }
        table.push(distance as u8);
        table.push((2.0 * f64::from(count).log2()).round() as u8);
        last = run;
    }
    std::fs::write(arguments.next().ok_or("into which file?")?, table)?;
    Ok(())
}

/// The sources below `root`.
fn text(root: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir)? {
            let path: PathBuf = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
                files.push((crc32fast::hash(name.as_bytes()), path));
            }
        }
    }
    files.sort();
    let mut text = Vec::new();
    for (_, path) in files {
        text.extend(std::fs::read(path)?);
        if text.len() >= BYTES {
            break;
        }
    }
    text.truncate(BYTES);
    Ok(text)
}
