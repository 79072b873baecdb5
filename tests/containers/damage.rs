//! Damaged containers: what is in them is found, or it is said that something was not read.

use keysieve::source::container::{Kind, Limits};

use super::{ids, open, pair, scan};
use crate::support::archive::{FORMS, wrap};
use crate::support::{Keys, TestCommand};

/// A container of a form with a pair in it.
fn container(form: usize, keys: &mut Keys) -> (String, Vec<u8>) {
    let (id, text) = pair(keys);
    let bytes = wrap(form, keys, "etc/app.env", text.into_bytes());
    (id, bytes)
}

#[test]
fn a_byte_that_is_changed_hides_nothing_in_silence() {
    let mut silent = Vec::new();
    for seed in 0..2000 {
        let mut keys = Keys::new(seed);
        let form = seed as usize % FORMS;
        let (id, mut bytes) = container(form, &mut keys);
        let at = keys.below(bytes.len());
        bytes[at] ^= 1 << keys.below(8);
        let outcome = scan(&bytes, Limits::default());
        // What does not look like a container any more is plain.
        let is_plain = Kind::of(&bytes).is_none();
        if !ids(&outcome).contains(&id) && outcome.coverage().is_complete() && !is_plain {
            silent.push((seed, form, at, bytes.len()));
        }
    }
    // A bit of the id itself, or of its secret, may be the one.
    let found_as_something = |seed: &u64| {
        let mut keys = Keys::new(*seed);
        let (_, mut bytes) = container(*seed as usize % FORMS, &mut keys);
        let at = keys.below(bytes.len());
        bytes[at] ^= 1 << keys.below(8);
        let seen = open(&bytes, Limits::default());
        seen.parts.iter().any(|(_, bytes)| {
            memchr::memmem::find(bytes, b"aws_").is_some()
                || memchr::memmem::find(bytes, b"_secret_").is_some()
        })
    };
    silent.retain(|(seed, ..)| !found_as_something(seed));
    assert!(silent.is_empty(), "{silent:#?}");
}

/// Git keeps such a file as it is: there is nothing for `git fsck` to find.
#[test]
fn a_damaged_file_is_no_damaged_repository() {
    let dir = tempfile::tempdir().expect("a directory");
    let whole = crate::support::archive::gzip(&[b'x'; 1000]);
    std::fs::write(dir.path().join("a.gz"), &whole[..whole.len() - 6]).expect("a file");
    let run = TestCommand::keysieve(dir.path())
        .args(["scan", "."])
        .status(2);
    assert!(
        run.err()
            .contains("hint: corrupt: the file itself is damaged")
            && !run.err().contains("git fsck"),
        "{}",
        run.show()
    );
}

#[test]
fn a_container_that_is_cut_short_is_named() {
    let mut silent = Vec::new();
    for seed in 0..1000 {
        let mut keys = Keys::new(seed);
        // The last one is several files in one: cut between them it is whole.
        let form = seed as usize % (FORMS - 1);
        let (id, mut bytes) = container(form, &mut keys);
        bytes.truncate(keys.below(bytes.len()));
        let outcome = scan(&bytes, Limits::default());
        let is_plain = Kind::of(&bytes).is_none();
        if !ids(&outcome).contains(&id) && outcome.coverage().is_complete() && !is_plain {
            silent.push((seed, form, bytes.len()));
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}
