//! The promise itself: a pair planted at a random place of a random repository, index or tree is found,
//! every time, where it is. `KEYSIEVE_PROMISE=1000` says how many of each kind; a failure names its seed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use crate::support::command::Run;
use crate::support::{Keys, TestCommand, TestRepo};

fn rounds() -> u64 {
    let set = std::env::var("KEYSIEVE_PROMISE").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(30)
}

pub fn noise(keys: &mut Keys, lines: usize) -> String {
    let mut text = String::new();
    for _ in 0..lines {
        let words = 1 + keys.below(8);
        for _ in 0..words {
            let length = 1 + keys.below(9);
            text.push_str(&keys.text(b"abcdefghijklmnopqrstuvwxyz", length));
            text.push(' ');
        }
        text.push('\n');
    }
    text
}

/// A pair in one of several forms, and its key id.
fn pair(keys: &mut Keys) -> (String, String) {
    let (id, secret) = (keys.id(), keys.secret());
    let text = match keys.below(4) {
        0 => format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
        1 => format!("{{\"AccessKeyId\":\"{id}\",\"SecretAccessKey\":\"{secret}\"}}\n"),
        2 => format!("client(\"{id}\",\n       \"{secret}\")\n"),
        _ => format!("export AWS_SECRET_ACCESS_KEY='{secret}'\nexport AWS_ACCESS_KEY_ID='{id}'\n"),
    };
    (text, id)
}

/// Noise with a pair at a random line.
pub fn planted(keys: &mut Keys, lines: usize) -> (String, String) {
    let before = keys.below(lines + 1);
    let (text, id) = pair(keys);
    (
        format!(
            "{}{text}{}",
            noise(keys, before),
            noise(keys, lines - before)
        ),
        id,
    )
}

pub fn path(keys: &mut Keys) -> String {
    let depth = keys.below(4);
    let mut path = String::new();
    for _ in 0..depth {
        path.push_str(["src/", "lib/", "a b/", "deep/"][keys.below(4)]);
    }
    format!(
        "{path}{}.{}",
        ["one", "two", "three", "four", "five"][keys.below(5)],
        ["py", "txt", "md"][keys.below(3)]
    )
}

/// Files by path; their content is a mark of the import.
type Tree = BTreeMap<String, usize>;

/// A stream for `git fast-import`, and where the pair was put.
pub struct Story {
    stream: String,
    commit: usize,
    path: String,
    /// The planted key id.
    pub id: String,
    branches: usize,
    /// The text with the pair.
    pub planted: String,
}

pub fn story(keys: &mut Keys) -> Story {
    let mut story = Story {
        stream: String::new(),
        commit: 0,
        path: String::new(),
        id: String::new(),
        branches: 1 + keys.below(3),
        planted: String::new(),
    };
    let commits = 3 + keys.below(20);
    let guilty = keys.below(commits);
    let mut next = 1;
    // The last commit and the tree of each branch.
    let mut heads: Vec<Option<(usize, Tree)>> = vec![None; story.branches];
    for number in 0..commits {
        let branch = keys.below(story.branches);
        let mut blobs = String::new();
        let mut blob = |text: &str, next: &mut usize| {
            write!(blobs, "blob\nmark :{next}\ndata {}\n{text}\n", text.len()).expect("a string");
            *next += 1;
            *next - 1
        };
        let other = keys.below(story.branches);
        let base = heads[branch].clone().or_else(|| heads[other].clone());
        let mut tree = base
            .as_ref()
            .map(|(_, tree)| tree.clone())
            .unwrap_or_default();
        let merged = heads[other].as_ref().map(|(commit, _)| *commit);
        let parent = base.map(|(commit, _)| commit);
        let merged = merged.filter(|commit| Some(*commit) != parent && keys.below(3) == 0);
        for _ in 0..1 + keys.below(3) {
            let known: Vec<String> = tree.keys().cloned().collect();
            match (keys.below(4), known.is_empty()) {
                (0, false) => drop(tree.remove(&known[keys.below(known.len())])),
                (1, false) => {
                    let moved = tree.remove(&known[keys.below(known.len())]).expect("known");
                    tree.insert(format!("moved/{number}.txt"), moved);
                }
                _ => {
                    let lines = keys.below(40);
                    let text = noise(keys, lines);
                    tree.insert(path(keys), blob(&text, &mut next));
                }
            }
        }
        if number == guilty {
            let lines = keys.below(60);
            let (text, id) = planted(keys, lines);
            (story.path, story.id) = (path(keys), id);
            tree.insert(story.path.clone(), blob(&text, &mut next));
            story.planted = text;
            story.commit = next;
        }
        // A file where a directory is to be: the later one stays.
        let all: Vec<String> = tree.keys().cloned().collect();
        tree.retain(|path, _| {
            !all.iter()
                .any(|other| other.starts_with(&format!("{path}/")))
        });
        let when = 1_700_000_000 + number * 60;
        write!(
            story.stream,
            "{blobs}commit refs/heads/b{branch}\nmark :{next}\nauthor A <a@example.org> {when} +0000\ncommitter C <c@example.org> {when} +0000\ndata 1\nx\n"
        )
        .expect("a string");
        if let Some(parent) = parent {
            writeln!(story.stream, "from :{parent}").expect("a string");
        }
        if let Some(merged) = merged {
            writeln!(story.stream, "merge :{merged}").expect("a string");
        }
        story.stream.push_str("deleteall\n");
        for (path, mark) in &tree {
            writeln!(story.stream, "M 100644 :{mark} \"{path}\"").expect("a string");
        }
        story.stream.push('\n');
        heads[branch] = Some((next, tree));
        next += 1;
    }
    story
}

/// Imports a story and stores it in a random way; gives the id of the guilty commit.
pub fn imported(keys: &mut Keys, story: &Story) -> (TestRepo, String) {
    let repo = TestRepo::new();
    let limit = ["0", "1000000"][keys.below(2)];
    repo.git_command()
        .args([
            "-c",
            &format!("fastimport.unpackLimit={limit}"),
            "fast-import",
            "--quiet",
            "--force",
            "--export-marks=.git/marks",
        ])
        .stdin(story.stream.clone())
        .status(0);
    let marks = fs::read_to_string(repo.join(".git/marks")).expect("marks");
    let prefix = format!(":{} ", story.commit);
    let commit = marks
        .lines()
        .find_map(|line| line.strip_prefix(&prefix))
        .expect("the mark")
        .to_owned();
    // What plumbing says about that place.
    let told = repo.git(&["cat-file", "blob", &format!("{commit}:{}", story.path)]);
    assert!(told.contains(&story.id));
    match keys.below(4) {
        0 => drop(repo.git(&["repack", "-a", "-d", "-q"])),
        1 => drop(repo.git(&["repack", "-q"])),
        2 => {
            let elsewhere = repo.join(".git/elsewhere");
            fs::rename(repo.join(".git/objects"), &elsewhere).expect("moved");
            repo.write(
                ".git/objects/info/alternates",
                format!("{}\n", elsewhere.display()),
            );
        }
        _ => {}
    }
    if keys.below(3) == 0 {
        // Nothing refers to any of it any more.
        for branch in 0..story.branches {
            let _ = fs::remove_file(repo.join(format!(".git/refs/heads/b{branch}")));
        }
    }
    (repo, commit)
}

/// The commits and paths of the one finding that there is.
#[track_caller]
fn places(run: &Run, id: &str, seed: u64) -> Vec<(String, String)> {
    let json = run.json();
    let findings = json["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "seed {seed}\n{}", run.show());
    assert_eq!(findings[0]["key_id"], id, "seed {seed}\n{}", run.show());
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let places = findings[0]["places"].as_array().expect("places");
    places
        .iter()
        .map(|place| (text(&place["commit"]), text(&place["path"])))
        .collect()
}

#[test]
fn history_finds_what_was_ever_committed() {
    for seed in 0..rounds() {
        let mut keys = Keys::new(0x4849_0000 + seed);
        let story = story(&mut keys);
        let (repo, commit) = imported(&mut keys, &story);
        let run = repo.keysieve(&["history", "--format=json"]).run();
        assert_eq!(run.status, 1, "seed {seed}\n{}", run.show());
        let places = places(&run, &story.id, seed);
        let show = format!("seed {seed}: {places:?}\n{}", run.show());
        let blob = repo.git(&["rev-parse", &format!("{commit}:{}", story.path)]);
        let told = introductions(&repo, &blob);
        assert!(places.contains(&(commit, story.path)), "{show}");
        // One place for each path that ever held it, with a commit that brought it there, as plumbing tells.
        assert!(places.iter().all(|place| told.contains(place)), "{show}");
        let paths = |places: &mut dyn Iterator<Item = &(String, String)>| -> Vec<String> {
            let paths: BTreeSet<&String> = places.map(|place| &place.1).collect();
            paths.into_iter().cloned().collect()
        };
        let all = paths(&mut told.iter());
        assert_eq!(paths(&mut places.iter()), all, "{show}");
        assert_eq!(places.len(), all.len(), "{show}");
    }
}

/// The commits, reached or not, that have a blob at a path where no parent has it, with that path.
fn introductions(repo: &TestRepo, blob: &str) -> BTreeSet<(String, String)> {
    let objects = repo.git(&["cat-file", "--batch-all-objects", "--batch-check"]);
    let commits = objects.lines().filter_map(|line| {
        let (id, rest) = line.split_once(' ')?;
        rest.starts_with("commit").then(|| id.to_owned())
    });
    let paths = |commit: &str| -> BTreeSet<String> {
        let tree = repo.git(&["ls-tree", "-r", commit]);
        let entry = format!("100644 blob {blob}\t");
        let paths = tree.lines().filter_map(|line| line.strip_prefix(&entry));
        paths.map(str::to_owned).collect()
    };
    let all: BTreeMap<String, BTreeSet<String>> = commits
        .map(|commit| {
            let paths = paths(&commit);
            (commit, paths)
        })
        .collect();
    let mut found = BTreeSet::new();
    for (commit, paths) in &all {
        let parents = match paths.is_empty() {
            true => String::new(),
            false => repo.git(&["show", "--no-patch", "--format=%P", commit]),
        };
        let inherited: BTreeSet<&String> = parents
            .split(' ')
            .flat_map(|it| all.get(it))
            .flatten()
            .collect();
        let new = paths.iter().filter(|path| !inherited.contains(path));
        found.extend(new.map(|path| (commit.clone(), path.clone())));
    }
    found
}

#[test]
fn staged_finds_what_would_be_committed() {
    for seed in 0..rounds() {
        let mut keys = Keys::new(0x5354_0000 + seed);
        let repo = TestRepo::new();
        let write = |keys: &mut Keys| {
            for number in 0..1 + keys.below(6) {
                let lines = keys.below(30);
                repo.write(format!("{number}/{}", path(keys)), noise(keys, lines));
            }
        };
        write(&mut keys);
        repo.git(&["add", "--all"]);
        if keys.below(4) > 0 {
            repo.commit("base");
            if keys.below(3) == 0 {
                merge_without_commit(&repo, &mut keys);
            }
            let known = repo.git(&["ls-files", "[0-9]/*"]);
            let known: Vec<&str> = known.lines().collect();
            let some = known[keys.below(known.len())];
            match keys.below(3) {
                0 => drop(repo.git(&["rm", "--quiet", some])),
                1 => drop(repo.git(&["mv", some, "moved.txt"])),
                _ => {}
            }
        }
        write(&mut keys);
        let lines = keys.below(50);
        let (text, id) = planted(&mut keys, lines);
        let place = format!("{}/{}", keys.below(8), path(&mut keys));
        repo.write(&place, text);
        repo.git(&["add", "--force", "--all"]);
        match keys.below(3) {
            // The working copy says nothing about what is staged.
            0 => repo.write(&place, "clean\n"),
            1 => fs::remove_file(repo.join(&place)).expect("removed"),
            _ => {}
        }
        let run = repo.keysieve(&["staged", "--format=json"]).run();
        assert_eq!(run.status, 1, "seed {seed}\n{}", run.show());
        let found: Vec<String> = places(&run, &id, seed)
            .into_iter()
            .map(|place| place.1)
            .collect();
        assert_eq!(found, [place], "seed {seed}\n{}", run.show());
    }
}

/// Leaves a merge in progress, both sides of which have changed.
fn merge_without_commit(repo: &TestRepo, keys: &mut Keys) {
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit_file("side.txt", noise(keys, 5), "side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("main.txt", noise(keys, 5), "main");
    repo.git(&["merge", "--quiet", "--no-commit", "side"]);
    assert!(repo.join(".git/MERGE_HEAD").exists());
}

#[test]
fn scan_finds_what_lies_in_a_tree() {
    for seed in 0..rounds() {
        let mut keys = Keys::new(0x5343_0000 + seed);
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        };
        for number in 0..keys.below(40) {
            let lines = keys.below(60);
            write(
                &format!("{number}/{}", path(&mut keys)),
                &noise(&mut keys, lines),
            );
        }
        // Now and then a file that is mapped rather than read.
        let lines = if keys.below(10) == 0 {
            60_000
        } else {
            keys.below(300)
        };
        let (text, id) = planted(&mut keys, lines);
        let hidden = ["", ".hidden/"][keys.below(2)];
        let place = format!("{hidden}{}/{}", keys.below(50), path(&mut keys));
        write(&place, &text);
        let run = TestCommand::keysieve(dir.path())
            .args(["scan", "--format=json"])
            .run();
        assert_eq!(run.status, 1, "seed {seed}\n{}", run.show());
        let found: Vec<String> = places(&run, &id, seed)
            .into_iter()
            .map(|place| place.1)
            .collect();
        assert_eq!(found, [place], "seed {seed}\n{}", run.show());
    }
}
