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

/// Damages files of the corpora in ways that a seed decides, and runs them: no fuzzer, but a machine without one can.
#[test]
#[ignore = "runs as long as KEYSIEVE_FUZZ_SECONDS says, 60 unless set, for KEYSIEVE_FUZZ_TARGET or each target"]
fn damaged_files_of_the_corpora_hold() {
    let Some(directory) = directory() else {
        return;
    };
    let wanted = std::env::var("KEYSIEVE_FUZZ_TARGET").ok();
    let seconds =
        std::env::var("KEYSIEVE_FUZZ_SECONDS").map_or(60, |text| text.parse().expect("seconds"));
    for (name, run) in TARGETS {
        if wanted.as_deref().is_some_and(|wanted| wanted != *name) {
            continue;
        }
        let corpus = directory.join("corpus").join(name);
        let files: Vec<Vec<u8>> = names(&corpus)
            .iter()
            .map(|file| std::fs::read(corpus.join(file)).expect("a file"))
            .collect();
        let begun = std::time::Instant::now();
        let mut runs = 0;
        while begun.elapsed().as_secs() < seconds {
            let mut keys = crate::support::Keys::new(runs);
            let data = damaged(&files, &mut keys);
            let held = catch_unwind(AssertUnwindSafe(|| run(&data))).is_ok();
            assert!(held, "{name} fails with seed {runs}: {data:?}");
            runs += 1;
        }
        // Said also by a test that passes.
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("{name}: {runs} runs\n"),
        );
    }
}

/// One file, with up to eight damages.
fn damaged(files: &[Vec<u8>], keys: &mut crate::support::Keys) -> Vec<u8> {
    let mut data = files[keys.below(files.len())].clone();
    for _ in 0..=keys.below(8) {
        let at = keys.below(data.len() + 1);
        let until = (at + keys.below(40)).min(data.len());
        match keys.below(6) {
            0 => drop(data.drain(at..until)),
            1 if at < data.len() => data[at] = keys.next().to_le_bytes()[0],
            2 => data.truncate(at.max(1)),
            3 => {
                let piece = data[at..until].to_vec();
                let to = keys.below(data.len() + 1);
                data.splice(to..to, piece);
            }
            4 => {
                let other = &files[keys.below(files.len())];
                let from = keys.below(other.len() + 1);
                let length = keys.below(200);
                let end = (from + length).min(other.len());
                data.splice(at..at, other[from..end].to_vec());
            }
            _ => data.insert(at, b"{}[]\",:\n\0\x1b\x1e\x1f\x01"[keys.below(13)]),
        }
    }
    data
}
