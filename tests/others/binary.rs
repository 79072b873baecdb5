//! Binary files as Python's own modules write them: compiled modules, pickles, databases, property lists.

use std::collections::BTreeSet;

use crate::support::{Keys, TestCommand, TestRepo};

/// Writes files of all kinds that hold an ID and its secret into the current directory.
const MAKE: &str = include_str!("binary.py");

#[test]
#[ignore = "it needs python3: .ci/others"]
fn pairs_in_files_that_python_writes_are_found() {
    for seed in 0..5 {
        let (mut keys, repo) = (Keys::new(seed), TestRepo::new());
        let (id, secret) = (keys.id(), keys.secret());
        let path = std::env::var("PATH").expect("a path");
        TestCommand::new("python3", repo.path())
            .env("PATH", path)
            .args(["-c", MAKE, &id, &secret])
            .status(0);
        let args = ["scan", "--format", "json", "--show-secrets"];
        let run = repo.keysieve(&args).status(1);
        let report = run.json();
        let findings = report["findings"].as_array().expect("a list");
        assert_eq!(findings.len(), 1, "{}", run.show());
        assert_eq!(findings[0]["key_id"], id.as_str());
        assert_eq!(findings[0]["secret_key"], secret.as_str());
        let places = findings[0]["places"].as_array().expect("a list");
        let found: BTreeSet<&str> = places
            .iter()
            .filter_map(|place| place["path"].as_str())
            .collect();
        let made = std::fs::read_dir(repo.path()).expect("a directory");
        let names = made.map(|entry| entry.expect("an entry").file_name());
        let missing: Vec<_> = names
            .filter_map(|name| name.into_string().ok())
            .filter(|name| name != ".git" && !found.contains(&**name))
            .collect();
        assert!(places.len() > 40 && missing.is_empty(), "{missing:?}");
    }
}
