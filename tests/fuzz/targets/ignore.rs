//! Ignore rules: which files a scan leaves out is what a plain reading of all rules says.
//!
//! The input is the text of `.gitignore`, of `dir/.gitignore`, of `.git/info/exclude` and of `--exclude`, with a
//! zero byte after each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use bstr::ByteSlice as _;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use keysieve::coverage::SkipReason;
use keysieve::policy::Globs;
use keysieve::provenance::Provenance;
use keysieve::source::worktree::{Exclude, Options, Worktree};

use super::git;
use super::sink::Recorder;

const FILES: &[&str] = &[
    "#hash",
    "!bang",
    ".env",
    ".hidden/x",
    "a",
    "a.log",
    "build/out.o",
    "dir/a",
    "dir/b.txt",
    "dir/sub/c.log",
    "dir/sub/deep/x",
    "keep/a",
    "keep/dir/a",
    "sp ace ",
    "täg/é",
    "x/y/z/w",
];

/// Files that may have rules, and the directory that they count for.
const RULES: &[(&str, &str)] = &[(".gitignore", ""), ("dir/.gitignore", "dir")];

/// Scans a tree under the rules of an input.
pub fn run(data: &[u8]) {
    // One tree for all runs of a process, and so one run at a time.
    static TREE: OnceLock<Mutex<tempfile::TempDir>> = OnceLock::new();
    let tree = TREE.get_or_init(|| Mutex::new(tree()));
    let tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
    let root = tree.path();

    let mut parts = data.split(|byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let texts = [part(), part()];
    for ((file, _), text) in RULES.iter().zip(texts) {
        git::write(&root.join(file), text);
    }
    let exclude = part();
    git::write(&root.join(".git/info/exclude"), exclude);
    let globs: Vec<&str> = part()
        .lines()
        .filter_map(|line| line.to_str().ok())
        .collect();
    let options = excludes(&globs);

    let recorder = Recorder::default();
    let worktree = Worktree {
        roots: vec![root.to_owned()],
        options,
    };
    worktree.scan(&mut recorder.clone()).expect("a scan");
    let seen = recorder.finish();
    assert!(seen.twice.is_empty());
    let mut shown: BTreeSet<PathBuf> = seen.shown.keys().map(|from| below(root, from)).collect();
    // No rule leaves out what may hold the address of a remote.
    assert!(shown.remove(Path::new(".git/config")));

    let matchers = [
        (Path::new("dir"), matcher("dir", texts[1])),
        (Path::new(""), matcher("", texts[0])),
        (Path::new(""), matcher("", exclude)),
    ];
    // A glob is held against the path below the root and against the path as it is shown.
    let is_named = |path: &Path, is_dir| {
        worktree_exclude(&globs, path, is_dir) || worktree_exclude(&globs, &root.join(path), is_dir)
    };
    let is_left_out =
        |path: &Path, is_dir| is_named(path, is_dir) || is_ignored(&matchers, path, is_dir);
    let all = FILES.iter().chain(RULES.iter().map(|(file, _)| file));
    let expected: BTreeSet<PathBuf> = all
        .map(PathBuf::from)
        .filter(|path| {
            let mut above = path.ancestors().skip(1).filter(|it| *it != Path::new(""));
            !is_left_out(path, false) && !above.any(|dir| is_left_out(dir, true))
        })
        .collect();
    assert_eq!(shown, expected);
    let reasons = [
        SkipReason::Ignored,
        SkipReason::Excluded,
        SkipReason::GitDir,
    ];
    for skip in &seen.skips {
        assert!(reasons.contains(&skip.reason), "{skip:?}");
    }
}

fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for file in FILES {
        git::write(&dir.path().join(file), file.as_bytes());
    }
    git::init(&dir.path().join(".git"));
    dir
}

fn below(root: &Path, from: &Provenance) -> PathBuf {
    let Provenance::File { path } = from else {
        panic!("a tree has files");
    };
    let path = path.to_path().expect("a path");
    path.strip_prefix(root).expect("below the root").to_owned()
}

/// The last rule of the innermost file that says anything decides.
fn is_ignored(matchers: &[(&Path, Gitignore)], path: &Path, is_dir: bool) -> bool {
    let mut told = matchers
        .iter()
        .filter(|(dir, _)| path.starts_with(dir) && path != *dir)
        .map(|(_, matcher)| matcher.matched(path, is_dir))
        .filter(|verdict| !verdict.is_none());
    told.next().is_some_and(|verdict| verdict.is_ignore())
}

fn matcher(dir: &str, text: &[u8]) -> Gitignore {
    let mut builder = GitignoreBuilder::new(dir);
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    for line in text.lines().filter_map(|line| line.to_str().ok()) {
        // What is no glob ignores nothing.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Both forms of the user's globs take the same ones, and do not panic on any path.
fn excludes(globs: &[&str]) -> Options {
    let by_scanner = Globs::new(globs.iter().copied());
    let by_walk = Exclude::new(globs);
    assert_eq!(by_scanner.is_ok(), by_walk.is_ok());
    if let Ok(excludes) = &by_scanner {
        for path in globs.iter().map(|glob| glob.as_bytes()).chain([
            b"/".as_slice(),
            b"",
            b"../..",
            b"a\xff/b",
            b"./a//b",
            b"/absolute/path",
        ]) {
            let _ = excludes.matches(path.as_bstr());
        }
    }
    Options {
        threads: Some(1),
        exclude: by_walk.unwrap_or_default(),
        ..Options::default()
    }
}

fn worktree_exclude(globs: &[&str], path: &Path, is_dir: bool) -> bool {
    let mut builder = GitignoreBuilder::new("");
    for glob in globs {
        if builder.add_line(None, glob).is_err() {
            return false;
        }
    }
    let matcher = builder.build();
    matcher.is_ok_and(|matcher| matcher.matched(path, is_dir).is_ignore())
}
