//! Input of hooks from Git: the references of a push and the file of a message.
//!
//! In an input, byte 14 and a number mean the id of a commit of a small repository.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bstr::ByteSlice as _;
use gix::ObjectId;
use gix::objs::Kind;
use keysieve::git::introduced::introduced;
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::git::revision::{Range, Side, push_range};
use keysieve::hook::message::written_part;
use keysieve::hook::refs::{parse_pushed, parse_received};
use keysieve::source::range;

use super::git;
use super::sink::Recorder;

/// Parents of each commit, and the file that it changes.
const COMMITS: &[(&[usize], &str)] = &[
    (&[], "a"),
    (&[0], "b"),
    (&[1], "a"),
    (&[1], "c"),
    (&[2, 3], "d"),
    (&[4], "a"),
    (&[], "b"),
    (&[6, 5], "c"),
];

/// Names and commits that references have.
const REFERENCES: &[(&str, usize)] = &[
    ("refs/heads/main", 5),
    ("refs/remotes/origin/main", 2),
    ("refs/remotes/other/main", 3),
];

struct Commit {
    id: ObjectId,
    parents: Vec<usize>,
    files: BTreeMap<&'static str, ObjectId>,
}

struct Fixture {
    dir: tempfile::TempDir,
    commits: Vec<Commit>,
}

/// Reads an input as each of the things that Git gives to a hook.
pub fn run(data: &[u8]) {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    let fixture = FIXTURE.get_or_init(fixture);
    let input = expand(data, fixture);
    let part = written_part(&input);
    assert!(input.starts_with(part));
    assert_eq!(written_part(part), part);

    let lines = input.lines().count();
    match parse_pushed(&input) {
        Ok(pushed) => {
            assert_eq!(pushed.len(), lines);
            let updates = pushed
                .iter()
                .filter_map(|it| Some((it.remote_id, it.local_id?)));
            let remote = Some(b"origin".as_bstr());
            push(fixture, updates, Side::Client { remote }, &[2]);
        }
        Err(error) => assert!((1..=lines).contains(&error.line)),
    }
    match parse_received(&input) {
        Ok(received) => {
            assert_eq!(received.len(), lines);
            let updates = received
                .iter()
                .filter_map(|it| Some((it.old_id, it.new_id?)));
            push(fixture, updates, Side::Server, &[5, 2, 3]);
        }
        Err(error) => assert!((1..=lines).contains(&error.line)),
    }
}

fn expand(data: &[u8], fixture: &Fixture) -> Vec<u8> {
    let mut text = Vec::new();
    let mut bytes = data.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            14 => {
                let number = usize::from(bytes.next().copied().unwrap_or(0));
                let commit = &fixture.commits[number % fixture.commits.len()];
                text.extend(commit.id.to_string().bytes());
            }
            15 => text.extend([b'0'; 40]),
            _ => text.push(*byte),
        }
    }
    text
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().expect("a directory");
    let git_dir = dir.path().join(".git");
    git::init(&git_dir);
    let mut commits: Vec<Commit> = Vec::new();
    for (number, (parents, changed)) in COMMITS.iter().enumerate() {
        let mut files = BTreeMap::new();
        for parent in parents.iter().rev() {
            files.extend(commits[*parent].files.clone());
        }
        let content = format!("{changed} of commit {number}\n");
        files.insert(
            *changed,
            git::write_loose(&git_dir, Kind::Blob, content.as_bytes()),
        );
        let entries: Vec<(&str, ObjectId)> = files.iter().map(|(name, id)| (*name, *id)).collect();
        let tree = git::write_loose(&git_dir, Kind::Tree, &git::tree(&entries));
        let ids: Vec<ObjectId> = parents.iter().map(|parent| commits[*parent].id).collect();
        let bytes = git::commit(tree, &ids, 1_700_000_000 + number as u32, b"m\n");
        commits.push(Commit {
            id: git::write_loose(&git_dir, Kind::Commit, &bytes),
            parents: parents.to_vec(),
            files,
        });
    }
    for (name, number) in REFERENCES {
        let id = commits[*number].id;
        git::write(&git_dir.join(name), format!("{id}\n").as_bytes());
    }
    Fixture { dir, commits }
}

/// Works out what a push brings, and holds it against a walk over the known graph.
fn push(
    fixture: &Fixture,
    updates: impl Iterator<Item = (Option<ObjectId>, ObjectId)>,
    side: Side<'_>,
    has: &[usize],
) {
    let repository = repository::open(fixture.dir.path(), &GitEnvironment::default());
    let repository = repository.expect("a repository");
    let mut ranges: Vec<Range> = Vec::new();
    let mut include = Vec::new();
    let mut exclude = has.to_vec();
    for (old, new) in updates.take(32) {
        let old = old.unwrap_or_else(|| ObjectId::null(new.kind()));
        let Some(number) = fixture.number(new) else {
            // What is not here, or no commit.
            let _ = push_range(&repository, old, new, side);
            return;
        };
        let push = push_range(&repository, old, new, side).expect("a commit that is here");
        let old_number = fixture.number(old);
        assert!(!(push.old_is_unknown && old_number.is_some()));
        ranges.extend(push.range);
        include.push(number);
        exclude.extend(old_number);
    }
    let found = introduced(&repository, &ranges).expect("commits that are here");
    assert!(found.skips.is_empty(), "{:?}", found.skips);
    let new = fixture.range(&include, &exclude);
    let commits: BTreeSet<ObjectId> = found.commits.iter().copied().collect();
    let expected: BTreeSet<ObjectId> = new.iter().map(|at| fixture.commits[*at].id).collect();
    assert_eq!(commits, expected);
    let blobs: BTreeSet<ObjectId> = found.blobs.keys().copied().collect();
    assert_eq!(blobs, fixture.brought(&new));

    let recorder = Recorder::default();
    let options = range::Options {
        threads: 1,
        max_object_size: 1 << 20,
    };
    let _ = range::scan(&repository, &found, options, &mut recorder.clone());
    let seen = recorder.finish();
    assert!(seen.skips.is_empty() && seen.twice.is_empty());
    assert_eq!(seen.shown.len(), commits.len() + blobs.len());
}

impl Fixture {
    fn number(&self, id: ObjectId) -> Option<usize> {
        self.commits.iter().position(|commit| commit.id == id)
    }

    fn reached(&self, tips: &[usize]) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut todo = tips.to_vec();
        while let Some(at) = todo.pop() {
            if reached.insert(at) {
                todo.extend(&self.commits[at].parents);
            }
        }
        reached
    }

    fn range(&self, include: &[usize], exclude: &[usize]) -> BTreeSet<usize> {
        &self.reached(include) - &self.reached(exclude)
    }

    /// Returns the blobs of a commit at paths where no parent has them.
    fn brought(&self, commits: &BTreeSet<usize>) -> BTreeSet<ObjectId> {
        let mut blobs = BTreeSet::new();
        for commit in commits.iter().map(|at| &self.commits[*at]) {
            for (name, id) in &commit.files {
                let mut parents = commit.parents.iter().map(|at| &self.commits[*at]);
                if !parents.any(|parent| parent.files.get(name) == Some(id)) {
                    blobs.insert(*id);
                }
            }
        }
        blobs
    }
}
