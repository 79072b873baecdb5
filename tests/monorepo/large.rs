//! A monorepo of any size, made by a generator: files three folders deep, configurations of folders, submodules.
//!
//! `KEYSIEVE_MONOREPO=DIR cargo test --test main monorepo::large -- --ignored` makes the large one of
//! `docs/lab/performance.md` in `DIR` and leaves it there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::found;
use crate::support::command::Run;
use crate::support::{TestCommand, pair};

/// Files in one folder.
const FOLDER: usize = 20;
/// Folders in the folders above.
const WIDE: usize = 25;
/// Every so many folders with a configuration have a key that it accepts.
const KEYS: usize = 10;
/// Files that the second commit changes, each in another folder.
const CHANGED: usize = 300;

/// Size of the repository.
struct Size {
    files: usize,
    configurations: usize,
    submodules: usize,
}

impl Size {
    fn folders(&self) -> usize {
        self.files / FOLDER
    }

    /// Returns true if the folder of this number has a configuration.
    fn is_configured(&self, folder: usize) -> bool {
        folder * self.configurations / self.folders()
            != (folder + 1) * self.configurations / self.folders()
    }

    fn configured(&self) -> impl Iterator<Item = usize> {
        (0..self.folders()).filter(|folder| self.is_configured(*folder))
    }
}

fn folder(number: usize) -> String {
    let (team, part, unit) = (number / WIDE / WIDE, number / WIDE % WIDE, number % WIDE);
    format!("team{team:02}/part{part:02}/unit{unit:02}")
}

/// Makes the repository in `dir`: two commits, all checked out, submodules too. The first folder without a
/// configuration has a key that counts, and one that the second commit brings in.
fn generate(size: &Size, dir: &Path) {
    let inner = dir.join("inner");
    std::fs::create_dir_all(&inner).expect("a directory");
    git(&inner, &["init", "--quiet", "--initial-branch=main"], "");
    std::fs::write(inner.join("x.env"), pair(1)).expect("a file");
    git(&inner, &["add", "x.env"], "");
    git(&inner, &["commit", "--quiet", "-m", "inner"], "");
    let head = git(&inner, &["rev-parse", "HEAD"], "").out();
    let mut modules = String::new();
    let mut stream =
        String::from("commit refs/heads/main\ncommitter A <a@b> 1700000000 +0000\ndata 5\nbegin\n");
    let file = |stream: &mut String, path: &str, text: &str| {
        writeln!(
            stream,
            "M 100644 inline {path}\ndata {}\n{text}",
            text.len()
        )
        .expect("text");
    };
    let open = open_folder(size);
    for number in 0..size.folders() {
        let at = folder(number);
        for index in 0..FOLDER {
            let text = format!("file {index} of {at}\nvalue = {}\n", number * 7919 + index);
            file(&mut stream, &format!("{at}/file{index:02}.txt"), &text);
        }
        if size.is_configured(number) {
            let text = "exclude = ['/generated/']\n[[allow]]\npaths = ['/fixtures/']\nreason = 'made up'\n";
            file(&mut stream, &format!("{at}/.keysieve.toml"), text);
        }
    }
    for number in size.configured().step_by(KEYS) {
        let seed = 1000 + number as u64;
        file(
            &mut stream,
            &format!("{}/fixtures/x.env", folder(number)),
            &pair(seed),
        );
    }
    file(&mut stream, &format!("{open}/x.env"), &pair(2));
    for number in 0..size.submodules {
        let path = format!("modules/m{number:03}");
        writeln!(stream, "M 160000 {} {path}", head.trim()).expect("text");
        let url = inner.display();
        writeln!(
            modules,
            "[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}"
        )
        .expect("text");
    }
    file(&mut stream, ".gitmodules", &modules);
    stream.push_str("commit refs/heads/main\ncommitter A <a@b> 1700000060 +0000\ndata 4\nnext\n");
    for number in (0..size.folders()).step_by(size.folders().div_ceil(CHANGED)) {
        let text = format!("file 0 of {}, changed\n", folder(number));
        file(
            &mut stream,
            &format!("{}/file00.txt", folder(number)),
            &text,
        );
    }
    let first = size.configured().next().expect("a folder");
    file(
        &mut stream,
        &format!("{}/fixtures/later.env", folder(first)),
        &pair(3),
    );
    file(&mut stream, &format!("{open}/later.env"), &pair(4));
    let outer = dir.join("outer");
    std::fs::create_dir_all(&outer).expect("a directory");
    git(&outer, &["init", "--quiet", "--initial-branch=main"], "");
    git(&outer, &["fast-import", "--quiet"], &stream);
    git(&outer, &["reset", "--quiet", "--hard"], "");
    let update = ["submodule", "update", "--quiet", "--init", "--jobs", "2"];
    let allow = ["-c", "protocol.file.allow=always"];
    git(&outer, &[&allow[..], &update].concat(), "");
}

/// The first folder without a configuration.
fn open_folder(size: &Size) -> String {
    let mut open = (0..size.folders()).filter(|number| !size.is_configured(*number));
    folder(open.next().expect("a folder"))
}

#[track_caller]
fn git(dir: &Path, args: &[&str], stdin: &str) -> Run {
    TestCommand::new("git", dir)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "A")
        .env("GIT_AUTHOR_EMAIL", "a@b")
        .env("GIT_COMMITTER_NAME", "A")
        .env("GIT_COMMITTER_EMAIL", "a@b")
        .stdin(stdin)
        .status(0)
}

/// Looks at what the generator made in all ways.
fn look(size: &Size, outer: &Path) {
    let run = |args: &[&str], status| {
        TestCommand::keysieve(outer)
            .args(args)
            .args(["--format", "json"])
            .status(status)
    };
    let open = open_folder(size);
    let ours = [format!("{open}/later.env"), format!("{open}/x.env")];
    let accepted = size.configured().step_by(KEYS).count() + 1;
    let count = |found: &[String]| found.iter().filter(|it| it.ends_with(" accepted")).count();
    let counts = |run: &Run| -> Vec<String> {
        let found = found(run);
        assert_eq!(count(&found), accepted);
        found
            .into_iter()
            .filter(|it| !it.ends_with(" accepted"))
            .collect()
    };
    // A finding is listed with the first of its places in the submodules, which all have it.
    let scanned = counts(&run(&["scan"], 1));
    assert_eq!(scanned.len(), ours.len() + size.submodules);
    let history = run(&["history"], 1);
    assert_eq!(counts(&history), ours);
    assert_eq!(
        history.json()["coverage"]["skipped"]["submodule"],
        size.submodules
    );
    let all = run(&["history", "--recurse-submodules"], 1);
    assert_eq!(counts(&all).len(), ours.len() + size.submodules);
    assert_eq!(all.json()["coverage"]["skipped"], serde_json::json!({}));
    let range = found(&run(&["history", "--range", "HEAD~1.."], 1));
    let first = folder(size.configured().next().expect("a folder"));
    let later = format!("{first}/fixtures/later.env accepted");
    let mut expected = vec![later, ours[0].clone()];
    expected.sort();
    assert_eq!(range, expected);
    std::fs::write(outer.join(format!("{first}/fixtures/new.env")), pair(5)).expect("a file");
    git(outer, &["add", &format!("{first}/fixtures/new.env")], "");
    let staged = found(&run(&["staged"], 0));
    assert_eq!(staged, [format!("{first}/fixtures/new.env accepted")]);
}

#[test]
fn a_small_monorepo_is_scanned_staged_and_ranged() {
    let size = Size {
        files: 800,
        configurations: 23,
        submodules: 3,
    };
    let dir = tempfile::tempdir().expect("a directory");
    generate(&size, dir.path());
    look(&size, &dir.path().join("outer"));
}

#[test]
#[ignore = "makes 300,000 files in the directory that KEYSIEVE_MONOREPO names"]
fn the_large_monorepo_is_scanned_staged_and_ranged() {
    let size = Size {
        files: 300_000,
        configurations: 2_000,
        submodules: 200,
    };
    let dir = std::env::var_os("KEYSIEVE_MONOREPO").expect("KEYSIEVE_MONOREPO");
    let dir = PathBuf::from(dir);
    if !dir.join("outer").exists() {
        generate(&size, &dir);
    }
    look(&size, &dir.join("outer"));
}
