//! Runs every file of the fuzz targets' corpora through its target, without a fuzzer.

pub mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use targets::TARGETS;

/// A corpus with fewer files than this has lost some.
const FEWEST: usize = 8;

/// A file of a corpus is no larger: they are seeds, not what a fuzzer has found.
const LARGEST: usize = 4096;

/// The crate with the fuzzers; a package that Cargo makes of this one does not hold it.
fn directory() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_package = root.join("Cargo.toml.orig").exists();
    (!is_package).then(|| root.join("fuzz"))
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a name"))
        .collect();
    names.sort();
    names
}

#[test]
fn every_file_of_every_corpus_holds() {
    let Some(directory) = directory() else {
        return;
    };
    let mut failed = Vec::new();
    for (name, run) in TARGETS {
        let corpus = directory.join("corpus").join(name);
        let files = names(&corpus);
        assert!(files.len() >= FEWEST, "{name}: {} files", files.len());
        let read = |file: String| {
            let data = std::fs::read(corpus.join(&file)).expect("a file");
            assert!(data.len() <= LARGEST, "{name}/{file} is large");
            (file, data)
        };
        // Every target takes nothing at all.
        let nothing = ("nothing".to_owned(), Vec::new());
        for (file, data) in files.into_iter().map(read).chain([nothing]) {
            if catch_unwind(AssertUnwindSafe(|| run(&data))).is_err() {
                failed.push(format!("{name}/{file}"));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_target_has_its_corpus_and_its_fuzzer() {
    let Some(directory) = directory() else {
        return;
    };
    let mut known: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    known.sort();
    assert_eq!(names(&directory.join("corpus")), known);
    let files: Vec<String> = known.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&directory.join("fuzz_targets")), files);
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).expect("a manifest");
    for name in known {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
