//! The index of the next commit: what it names is shown, and one that is damaged is refused.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

use gix::ObjectId;
use gix::objs::Kind;
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::provenance::{Provenance, Version};
use keysieve::source::staged::{Options, Staged};

use super::git;
use super::input::Input;
use super::sink::{Recorder, Seen};
use super::text;

const NAMES: &[&str] = &["a", "b", "d/a", "d/b", "z"];
const FILE: u32 = 0o100_644;
const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// Makes an index and a commit of an input and scans what is staged.
pub fn run(data: &[u8]) {
    static DIR: OnceLock<Mutex<tempfile::TempDir>> = OnceLock::new();
    let dir = git::emptied(&DIR);
    let git_dir = dir.path().join(".git");

    let mut input = Input::new(data);
    let blobs: Vec<ObjectId> = (0..1 + input.below(4))
        .map(|_| git::write_loose(&git_dir, Kind::Blob, &text::expand(input.chunk(), 1000)))
        .collect();
    let head = head(&mut input, &git_dir, &blobs);
    let (entries, is_plain) = entries(&mut input, &blobs);
    let (bytes, is_good) = written(&mut input, &entries);
    git::write(&git_dir.join("index"), &bytes);

    for all_files in [false, true] {
        let repository = repository::open(dir.path(), &GitEnvironment::default());
        let repository = repository.expect("a repository");
        let options = Options {
            all_files,
            ..Options::default()
        };
        let staged = Staged {
            repository: &repository,
            options,
        };
        let recorder = Recorder::default();
        let outcome = staged.scan(&mut recorder.clone());
        let seen = recorder.finish();
        let is_whole = is_good && is_plain;
        assert!(outcome.is_ok() || !is_whole, "{outcome:?}");
        if let (Ok(outcome), true) = (outcome, is_whole) {
            assert_eq!(outcome.tracked, entries.len());
            let base = if all_files { &[] } else { head.as_slice() };
            shown(&entries, base, &blobs, &seen);
        }
    }
}

/// Commits some of the blobs, or nothing.
fn head(
    input: &mut Input<'_>,
    git_dir: &std::path::Path,
    blobs: &[ObjectId],
) -> Vec<(&'static str, ObjectId)> {
    let branch = git_dir.join("refs/heads/main");
    let count = input.below(3);
    if count == 0 {
        let _ = std::fs::remove_file(&branch);
        return Vec::new();
    }
    let flat = NAMES.iter().filter(|name| !name.contains('/'));
    let files: Vec<(&str, ObjectId)> = flat
        .take(count)
        .map(|name| (*name, blobs[input.below(blobs.len())]))
        .collect();
    let tree = git::write_loose(git_dir, Kind::Tree, &git::tree(&files));
    let commit = git::commit(tree, &[], 1_700_000_000, b"m\n");
    let commit = git::write_loose(git_dir, Kind::Commit, &commit);
    git::write(&branch, format!("{commit}\n").as_bytes());
    files
}

/// The entries, and whether they are what Git writes.
fn entries(input: &mut Input<'_>, blobs: &[ObjectId]) -> (Vec<git::Staged>, bool) {
    let mut entries = Vec::new();
    let mut is_plain = true;
    for name in NAMES.iter().take(input.below(NAMES.len() + 1)) {
        let mut entry = git::Staged {
            path: name.as_bytes().to_vec(),
            id: blobs[input.below(blobs.len())],
            mode: [FILE, FILE, 0o100_755, LINK, SUBMODULE][input.below(5)],
            stage: 0,
        };
        if input.rarely() {
            is_plain = false;
            match input.below(4) {
                0 => entry.path = input.chunk().to_vec(),
                1 => entry.mode = input.number(),
                2 => entry.stage = u16::from(input.byte()),
                _ => entry.id = ObjectId::from_bytes_or_panic(&[input.byte(); 20]),
            }
        }
        entries.push(entry);
    }
    (entries, is_plain)
}

/// The file, and whether it is well made.
fn written(input: &mut Input<'_>, entries: &[git::Staged]) -> (Vec<u8>, bool) {
    let mut count = entries.len() as u32;
    let mut version = 2;
    let lie = if input.rarely() { input.below(8) } else { 255 };
    match lie {
        0 => count = input.number(),
        1 => version = u32::from(input.byte()),
        _ => {}
    }
    let mut bytes = git::staging_index(version, entries, count);
    match lie {
        2 => {
            for _ in 0..=input.below(4) {
                let at = input.number() as usize % bytes.len();
                bytes[at] = input.byte();
            }
        }
        3 => bytes.extend_from_slice(input.chunk()),
        4 => {
            // An extension: a name, a length that may lie, and content.
            bytes.extend_from_slice(
                [b"TREE", b"link", b"UNTR", b"EOIE", b"IEOT", b"REUC"][input.below(6)],
            );
            let content = input.chunk();
            let length = if input.rarely() {
                input.number()
            } else {
                content.len() as u32
            };
            bytes.extend(length.to_be_bytes());
            bytes.extend_from_slice(content);
        }
        5 => bytes.truncate(input.number() as usize % bytes.len()),
        6 => bytes = input.chunk().to_vec(),
        _ => {}
    }
    let checksum = git::checksum(&bytes);
    bytes.extend_from_slice(checksum.as_slice());
    if lie == 7 {
        let at = bytes.len() - 1 - input.below(20);
        bytes[at] ^= input.byte() | 1;
    }
    (bytes, lie == 255)
}

/// Files and links are shown if `HEAD` does not have them.
fn shown(entries: &[git::Staged], head: &[(&str, ObjectId)], blobs: &[ObjectId], seen: &Seen) {
    let is_new = |entry: &&git::Staged| {
        let has = |(name, id): &(&str, ObjectId)| {
            name.as_bytes() == entry.path && *id == entry.id && entry.mode == FILE
        };
        entry.mode != SUBMODULE && !head.iter().any(has)
    };
    let expected: BTreeSet<(Vec<u8>, ObjectId)> = entries
        .iter()
        .filter(is_new)
        .map(|entry| (entry.path.clone(), entry.id))
        .collect();
    let new: BTreeSet<(Vec<u8>, ObjectId)> = seen
        .shown
        .keys()
        .filter_map(|from| match from {
            Provenance::Entry {
                path,
                blob_id,
                version: Version::New,
            } => Some((path.to_vec(), *blob_id)),
            _ => None,
        })
        .collect();
    assert!(new.iter().all(|(_, id)| blobs.contains(id)));
    assert_eq!(new, expected);
    let is_incomplete = seen.skips.iter().any(|skip| skip.reason.is_incomplete());
    assert!(!is_incomplete, "{:?}", seen.skips);
}
