//! What a range of commits brings in, held against what Git says.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use gix::ObjectId;
use keyfence::blob::Blob;
use keyfence::coverage::{Skip, SkipReason};
use keyfence::provenance::{Provenance, Version};
use keyfence::source::range::Range;
use keyfence::source::repository::{self, GitEnvironment, Repository};
use keyfence::source::{BlobSink, Clean};

use crate::support::{Keys, TestRepo};

#[derive(Clone, Debug, Default)]
struct Recorder {
    seen: Arc<Mutex<(Vec<Provenance>, Vec<Skip>)>>,
}

impl BlobSink for Recorder {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let mut seen = self.seen.lock().expect("no panic");
        seen.0.push(blob.provenance.clone());
        ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        self.seen.lock().expect("no panic").1.push(skip);
    }

    fn clean(&mut self, _: Clean) {
        panic!("nothing is searched through a probe here");
    }
}

/// What one scan gave.
struct Found {
    commits: usize,
    introduced: BTreeSet<(String, String, String)>,
    new: BTreeSet<String>,
    old: BTreeSet<String>,
    skips: Vec<Skip>,
}

fn open(repo: &TestRepo) -> Repository {
    repository::open(repo.path(), &GitEnvironment::default()).expect("opened")
}

fn scan(repository: &Repository, include: &[&str], exclude: &[&str]) -> Found {
    let ids = |names: &[&str]| -> Vec<ObjectId> {
        names
            .iter()
            .map(|name| ObjectId::from_hex(name.as_bytes()).expect("an id"))
            .collect()
    };
    let recorder = Recorder::default();
    let outcome = Range {
        repository,
        include: ids(include),
        exclude: ids(exclude),
    }
    .scan(recorder.clone())
    .expect("a scan");
    let mut seen = recorder.seen.lock().expect("no panic");
    let of = |wanted: Version| -> BTreeSet<String> {
        seen.0
            .iter()
            .filter_map(|provenance| match provenance {
                Provenance::Entry { path, version, .. } if *version == wanted => {
                    Some(path.to_string())
                }
                _ => None,
            })
            .collect()
    };
    let (new, old) = (of(Version::New), of(Version::Old));
    Found {
        commits: outcome.commits,
        introduced: outcome
            .introductions
            .iter()
            .map(|found| {
                (
                    found.commit_id.to_string(),
                    found.path.to_string(),
                    found.blob_id.to_string(),
                )
            })
            .collect(),
        new,
        old,
        skips: std::mem::take(&mut seen.1),
    }
}

/// A history of merges over a few files, from a seed; gives the commits in order.
fn random_history(repo: &TestRepo, keys: &mut Keys, has_wrong_clocks: bool) -> Vec<String> {
    let mut commits: Vec<String> = Vec::new();
    let names = ["a", "b", "d/a", "d/b", "d/e/a", "f"];
    for number in 0..30u64 {
        let parents: Vec<String> = match commits.len() {
            0 => Vec::new(),
            length => (0..1 + keys.below(3))
                .map(|_| commits[length - 1 - keys.below(length.min(5))].clone())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        };
        match parents.first() {
            Some(parent) => repo.git(&["read-tree", parent]),
            None => repo.git(&["read-tree", "--empty"]),
        };
        for parent in parents.iter().skip(1) {
            // Half of the paths from another parent: a merge that only joins, mostly.
            for name in names.iter().filter(|_| keys.below(2) == 0) {
                let entry = repo.git(&["ls-tree", parent, name]);
                if let Some(blob) = entry.split_whitespace().nth(2) {
                    let entry = format!("100644,{blob},{name}");
                    repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
                }
            }
        }
        for _ in 0..keys.below(3) {
            let name = names[keys.below(names.len())];
            if keys.below(4) == 0 {
                repo.git(&["update-index", "--force-remove", name]);
            } else {
                let text = format!("{}\n", keys.below(12));
                let blob = repo
                    .git_command()
                    .args(["hash-object", "-w", "--stdin"])
                    .stdin(text)
                    .status(0)
                    .out();
                let entry = format!("100644,{},{name}", blob.trim());
                repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
            }
        }
        let tree = repo.git(&["write-tree"]);
        let time = match has_wrong_clocks {
            true => 1_600_000_000 + keys.below(1_000_000) as u64,
            false => 1_600_000_000 + number,
        };
        let mut command = repo
            .git_command()
            .env("GIT_COMMITTER_DATE", format!("{time} +0000"))
            .args(["commit-tree", "-m", &format!("commit {number}"), &tree]);
        for parent in &parents {
            command = command.args(["-p", parent]);
        }
        commits.push(command.status(0).out().trim().to_owned());
    }
    commits
}

/// What Git says: commits of the range, and what each has that no parent of it has.
fn by_git(
    repo: &TestRepo,
    include: &str,
    exclude: &str,
) -> (usize, BTreeSet<(String, String, String)>) {
    let commits = repo.git(&["rev-list", include, &format!("^{exclude}")]);
    let mut introduced = BTreeSet::new();
    for commit in commits.lines() {
        let lines = repo.git(&["diff-tree", "-c", "--root", "-r", "--no-commit-id", commit]);
        for line in lines.lines() {
            let (meta, path) = line.split_once('\t').expect("a path");
            let parents = meta.bytes().take_while(|byte| *byte == b':').count();
            let blob = meta.split(' ').nth(2 * parents + 1).expect("a blob");
            if blob.bytes().any(|byte| byte != b'0') {
                introduced.insert((commit.to_owned(), path.to_owned(), blob.to_owned()));
            }
        }
    }
    (commits.lines().count(), introduced)
}

#[test]
fn random_ranges_bring_in_what_git_says() {
    for seed in 0..3 {
        let repo = TestRepo::new();
        let mut keys = Keys::new(seed);
        let commits = random_history(&repo, &mut keys, false);
        let repository = open(&repo);
        for (include, exclude) in [(29, 0), (29, 20), (25, 28), (12, 5), (7, 7)] {
            let (include, exclude) = (commits[include].as_str(), commits[exclude].as_str());
            let found = scan(&repository, &[include], &[exclude]);
            let (count, introduced) = by_git(&repo, include, exclude);
            assert_eq!(
                found.introduced, introduced,
                "seed {seed}, {exclude}..{include}"
            );
            assert_eq!(found.commits, count);
            let paths: BTreeSet<String> =
                introduced.iter().map(|(_, path, _)| path.clone()).collect();
            assert_eq!(found.new, paths);
            assert!(found.skips.is_empty());
        }
    }
}

#[test]
fn wrong_clocks_take_nothing_away() {
    for seed in 10..13 {
        let repo = TestRepo::new();
        let mut keys = Keys::new(seed);
        let commits = random_history(&repo, &mut keys, true);
        let repository = open(&repo);
        for (include, exclude) in [(29, 0), (29, 20), (25, 28), (12, 5)] {
            let (include, exclude) = (commits[include].as_str(), commits[exclude].as_str());
            let found = scan(&repository, &[include], &[exclude]);
            let (_, introduced) = by_git(&repo, include, exclude);
            assert!(found.introduced.is_superset(&introduced));
        }
    }
}

#[test]
fn old_is_what_was_there_before_the_range() {
    let repo = TestRepo::new();
    repo.stage("gone/x", "removed\n");
    repo.stage("other", "other\n");
    let base = repo.commit_file("a", "before\n", "base");
    repo.commit_file("a", "within\n", "first");
    repo.commit_file("a", "after\n", "second");
    repo.git(&["rm", "-rq", "gone"]);
    let tip = repo.commit("removed");
    let found = scan(&open(&repo), &[&tip], &[&base]);
    assert_eq!(found.commits, 3);
    assert_eq!(found.introduced.len(), 2);
    assert_eq!(found.new, BTreeSet::from(["a".to_owned()]));
    assert_eq!(
        found.old,
        BTreeSet::from(["a".to_owned(), "gone/x".to_owned()])
    );
}

#[test]
fn a_boundary_that_the_range_crosses_is_named() {
    let repo = TestRepo::new();
    repo.commit_file("a", "first\n", "first");
    let second = repo.commit_file("b", "second\n", "second");
    let third = repo.commit_file("c", "third\n", "third");
    let dir = tempfile::tempdir().expect("a directory");
    let clone = dir.path().join("clone");
    let from = format!("file://{}", repo.path().display());
    repo.git(&[
        "clone",
        "--quiet",
        "--depth=2",
        &from,
        &clone.to_string_lossy(),
    ]);
    let repository = repository::open(&clone, &GitEnvironment::default()).expect("opened");
    let found = scan(&repository, &[&third], &[&second]);
    assert!(found.skips.is_empty());
    assert_eq!(found.new, BTreeSet::from(["c".to_owned()]));
    let found = scan(&repository, &[&third], &[]);
    assert_eq!(found.skips.len(), 1);
    assert_eq!(found.skips[0].reason, SkipReason::Shallow);
    // What the parent that is not here had counts as new.
    assert_eq!(found.new.len(), 3);
}
