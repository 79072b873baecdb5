//! Blobs that `staged` shows: those of the next commit and those that they replace.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};

use keysieve::blob::Blob;
use keysieve::coverage::{Skip, SkipReason};
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::provenance::{Provenance, Version};
use keysieve::source::staged::{Options, Staged, StagedOutcome};
use keysieve::source::{self, BlobSink, Clean};

use crate::support::TestRepo;
use crate::support::trace::{calls, traced};

/// Notes what a source shows.
#[derive(Clone, Debug, Default)]
struct Recorder {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    blobs: Vec<(Version, String, String)>,
    skips: Vec<(SkipReason, String)>,
}

impl BlobSink for Recorder {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let Provenance::Entry { path, version, .. } = blob.provenance else {
            panic!("not an entry: {:?}", blob.provenance);
        };
        let text = String::from_utf8_lossy(blob.bytes).into_owned();
        let mut seen = self.seen.lock().expect("no panic");
        seen.blobs.push((*version, path.to_string(), text));
        ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        let mut seen = self.seen.lock().expect("no panic");
        seen.skips.push((skip.reason, skip.subject.to_string()));
    }

    fn clean(&mut self, _: Clean) {
        panic!("nothing is searched through a probe here");
    }

    fn join(&mut self, _share: Self) {}
}

/// Blobs that one scan showed.
#[derive(Debug)]
struct Shown {
    outcome: StagedOutcome,
    new: BTreeMap<String, Vec<String>>,
    old: BTreeMap<String, Vec<String>>,
    skips: Vec<(SkipReason, String)>,
}

impl Shown {
    fn new_paths(&self) -> Vec<&str> {
        self.new.keys().map(String::as_str).collect()
    }

    fn old_paths(&self) -> Vec<&str> {
        self.old.keys().map(String::as_str).collect()
    }

    fn new_of(&self, path: &str) -> Vec<&str> {
        texts(&self.new, path)
    }

    fn old_of(&self, path: &str) -> Vec<&str> {
        texts(&self.old, path)
    }
}

fn texts<'a>(map: &'a BTreeMap<String, Vec<String>>, path: &str) -> Vec<&'a str> {
    map.get(path)
        .map(|texts| texts.iter().map(String::as_str).collect())
        .unwrap_or_default()
}

fn try_scan(path: &Path, env: &GitEnvironment, options: Options) -> Result<Shown, source::Error> {
    let repository = repository::open(path, env)?;
    let recorder = Recorder::default();
    let outcome = Staged {
        repository: &repository,
        options,
    }
    .scan(&mut recorder.clone())?;
    let mut seen = recorder.seen.lock().expect("no panic");
    let (mut new, mut old) = (BTreeMap::new(), BTreeMap::new());
    for (version, path, text) in std::mem::take(&mut seen.blobs) {
        let side: &mut BTreeMap<String, Vec<String>> = match version {
            Version::New => &mut new,
            Version::Old => &mut old,
        };
        side.entry(path).or_default().push(text);
    }
    let mut skips = std::mem::take(&mut seen.skips);
    skips.sort();
    Ok(Shown {
        outcome,
        new,
        old,
        skips,
    })
}

#[track_caller]
fn scan(path: &Path) -> Shown {
    scan_with(path, &GitEnvironment::default())
}

#[track_caller]
fn scan_with(path: &Path, env: &GitEnvironment) -> Shown {
    try_scan(path, env, Options::default()).expect("a scan")
}

#[track_caller]
fn scan_all(path: &Path) -> Shown {
    try_scan(
        path,
        &GitEnvironment::default(),
        Options {
            all_files: true,
            ..Options::default()
        },
    )
    .expect("a scan")
}

/// A repository with files in several directories, committed.
fn repo_with_files(args: &[&str]) -> TestRepo {
    let repo = TestRepo::with_init_args(args);
    for path in [
        "a.txt",
        "dir/b.txt",
        "dir/sub/c.txt",
        "dir.txt",
        "other/d.txt",
    ] {
        repo.stage(path, format!("first {path}\n"));
    }
    repo.commit("files");
    repo
}

#[test]
fn a_change_shows_the_staged_blob_and_what_it_replaces_and_nothing_else() {
    let repo = repo_with_files(&[]);
    let shown = scan(repo.path());
    assert!(shown.outcome.is_empty());
    assert_eq!(shown.outcome.tracked, 5);
    assert!(shown.new.is_empty() && shown.old.is_empty());

    repo.stage("dir/sub/c.txt", "second\n");
    repo.stage("dir/added.txt", "added\n");
    repo.git(&["rm", "--quiet", "other/d.txt"]);
    let shown = scan(repo.path());
    assert_eq!(shown.new_paths(), ["dir/added.txt", "dir/sub/c.txt"]);
    assert_eq!(shown.new_of("dir/sub/c.txt"), ["second\n"]);
    assert_eq!(shown.old_paths(), ["dir/sub/c.txt", "other/d.txt"]);
    assert_eq!(shown.old_of("dir/sub/c.txt"), ["first dir/sub/c.txt\n"]);
    assert_eq!((shown.outcome.changed, shown.outcome.removed), (2, 1));
    assert!(shown.skips.is_empty());
}

#[test]
fn the_working_copy_is_not_read() {
    let repo = repo_with_files(&[]);
    repo.stage("a.txt", "staged\n");
    repo.stage("dir/b.txt", "staged too\n");
    std::fs::remove_file(repo.join("a.txt")).expect("removed");
    std::fs::remove_file(repo.join("dir/b.txt")).expect("removed");
    // Opening a FIFO that nobody writes to would never return.
    let fifo = repo.join("a.txt");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.is_ok_and(|status| status.success()));
    repo.write("dir.txt", "dirty, not staged\n");
    let shown = scan(repo.path());
    assert_eq!(shown.new_of("a.txt"), ["staged\n"]);
    assert_eq!(shown.new_of("dir/b.txt"), ["staged too\n"]);
    assert_eq!(shown.new_paths(), ["a.txt", "dir/b.txt"]);
}

#[test]
fn the_index_that_git_names_counts() {
    let repo = repo_with_files(&[]);
    repo.stage("a.txt", "in the usual index\n");
    let other = repo.join(".git/other-index");
    repo.git_command()
        .env("GIT_INDEX_FILE", &other)
        .args(["read-tree", "HEAD"])
        .status(0);
    repo.write("dir/b.txt", "in the other index\n");
    repo.git_command()
        .env("GIT_INDEX_FILE", &other)
        .args(["add", "dir/b.txt"])
        .status(0);
    let env =
        GitEnvironment::from_env(|name| (name == "GIT_INDEX_FILE").then(|| other.clone().into()));
    assert_eq!(scan_with(repo.path(), &env).new_paths(), ["dir/b.txt"]);
    assert_eq!(scan(repo.path()).new_paths(), ["a.txt"]);
}

#[test]
fn a_branch_without_commits_has_nothing_to_compare_with() {
    let repo = TestRepo::new();
    assert_eq!(scan(repo.path()).outcome, StagedOutcome::default());
    repo.stage("dir/a.txt", "first\n");
    let shown = scan(repo.path());
    assert_eq!(shown.new_of("dir/a.txt"), ["first\n"]);
    assert!(shown.old.is_empty());
}

#[test]
fn a_detached_head_and_packed_references_and_objects_are_found() {
    let repo = repo_with_files(&[]);
    repo.git(&["gc", "--quiet"]);
    repo.stage("a.txt", "second\n");
    assert_eq!(scan(repo.path()).new_paths(), ["a.txt"]);
    repo.git(&["checkout", "--quiet", "--detach"]);
    let shown = scan(repo.path());
    assert_eq!(shown.old_of("a.txt"), ["first a.txt\n"]);
}

#[test]
fn deltas_in_packs_are_resolved() {
    let repo = TestRepo::new();
    let text: String = (0..2000).map(|line| format!("line {line}\n")).collect();
    for version in 0..8 {
        repo.commit_file("big.txt", format!("{text}version {version}\n"), "more");
    }
    repo.git(&["repack", "-adfq", "--depth=50"]);
    repo.git(&["rm", "--quiet", "--cached", "big.txt"]);
    let shown = scan(repo.path());
    assert_eq!(shown.old_of("big.txt"), [format!("{text}version 7\n")]);
    repo.git(&["reset", "--quiet", "--soft", "HEAD~5"]);
    let shown = scan(repo.path());
    assert_eq!(shown.old_of("big.txt"), [format!("{text}version 2\n")]);
}

#[test]
fn kinds_change_modes_change_and_directories_become_files() {
    let repo = repo_with_files(&[]);
    std::os::unix::fs::symlink("first a.txt\n", repo.join("link")).expect("a link");
    repo.git(&["add", "link"]);
    repo.commit("a link");
    // A link replaced by a file with the same bytes, a directory by a file, a file made executable.
    std::fs::remove_file(repo.join("link")).expect("removed");
    repo.stage("link", "first a.txt\n");
    repo.git(&["rm", "-rq", "dir"]);
    repo.stage("dir", "now a file\n");
    repo.git(&["update-index", "--chmod=+x", "a.txt"]);
    let shown = scan(repo.path());
    assert_eq!(shown.new_paths(), ["a.txt", "dir", "link"]);
    assert_eq!(
        shown.old_paths(),
        ["a.txt", "dir/b.txt", "dir/sub/c.txt", "link"]
    );
    assert_eq!((shown.outcome.changed, shown.outcome.removed), (3, 2));
}

#[test]
fn the_target_of_a_staged_link_is_content() {
    let repo = repo_with_files(&[]);
    std::os::unix::fs::symlink("somewhere/else", repo.join("link")).expect("a link");
    repo.git(&["add", "link"]);
    assert_eq!(scan(repo.path()).new_of("link"), ["somewhere/else"]);
}

#[test]
fn an_intent_to_add_is_nothing_staged() {
    let repo = repo_with_files(&[]);
    repo.write("dir/later.txt", "later\n");
    repo.git(&["add", "--intent-to-add", "dir/later.txt"]);
    let shown = scan(repo.path());
    assert!(shown.outcome.is_empty(), "{shown:?}");
    assert!(shown.new.is_empty());
    repo.stage("dir/b.txt", "second\n");
    assert_eq!(scan(repo.path()).new_paths(), ["dir/b.txt"]);
}

#[test]
fn a_submodule_entry_is_a_repository_of_its_own() {
    let repo = repo_with_files(&[]);
    let head = repo.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{head},module");
    repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
    let shown = scan(repo.path());
    assert_eq!(shown.skips, [(SkipReason::Submodule, "module".to_owned())]);
    assert!(shown.new.is_empty());
    assert_eq!(shown.outcome.changed, 1);
}

/// Two branches that changed the same line; the merge is left unresolved.
fn conflict() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "base\n", "base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.stage("clean.txt", "from the side\n");
    repo.commit_file("a.txt", "theirs\n", "theirs");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("a.txt", "ours\n", "ours");
    repo.try_git(&["merge", "--quiet", "side"], 1);
    repo
}

#[test]
fn all_stages_of_a_conflict_are_shown_but_those_of_head() {
    let repo = conflict();
    let shown = scan(repo.path());
    assert_eq!(shown.new_of("a.txt"), ["base\n", "theirs\n"]);
    assert_eq!(shown.old_of("a.txt"), ["ours\n", "theirs\n"]);
}

#[test]
fn what_the_other_parent_of_a_merge_has_is_old() {
    let repo = conflict();
    repo.stage("a.txt", "resolved\n");
    let shown = scan(repo.path());
    assert_eq!(shown.new_of("a.txt"), ["resolved\n"]);
    assert_eq!(shown.old_of("a.txt"), ["ours\n", "theirs\n"]);
    assert_eq!(shown.new_of("clean.txt"), ["from the side\n"]);
    assert_eq!(shown.old_of("clean.txt"), ["from the side\n"]);
}

#[test]
fn split_and_sparse_indexes_say_the_same_as_plain_ones() {
    let repo = repo_with_files(&[]);
    repo.git(&["update-index", "--split-index"]);
    assert!(scan(repo.path()).outcome.is_empty());
    assert_eq!(scan_all(repo.path()).new_paths().len(), 5);
    repo.stage("dir/sub/c.txt", "second\n");
    repo.stage("dir/new.txt", "new\n");
    repo.git(&["rm", "--quiet", "--cached", "a.txt"]);
    let shown = scan(repo.path());
    assert_eq!(shown.new_paths(), ["dir/new.txt", "dir/sub/c.txt"]);
    assert_eq!(shown.old_paths(), ["a.txt", "dir/sub/c.txt"]);
    assert_eq!(scan_all(repo.path()).new_paths().len(), 5);

    let repo = repo_with_files(&[]);
    repo.git(&["sparse-checkout", "init", "--cone", "--sparse-index"]);
    repo.git(&["sparse-checkout", "set", "other"]);
    let listing = repo.git(&["ls-files", "--sparse"]);
    assert!(listing.contains("dir/\n"), "not sparse: {listing}");
    assert!(scan(repo.path()).outcome.is_empty());
    repo.stage("other/d.txt", "second\n");
    assert_eq!(scan(repo.path()).new_paths(), ["other/d.txt"]);
    let all = scan_all(repo.path());
    assert_eq!(
        all.new_paths(),
        [
            "a.txt",
            "dir.txt",
            "dir/b.txt",
            "dir/sub/c.txt",
            "other/d.txt"
        ]
    );
    // A directory that is not expanded and differs from `HEAD`'s.
    repo.commit("second");
    repo.git(&["checkout", "--quiet", "-b", "side", "HEAD~1"]);
    repo.git(&["sparse-checkout", "disable"]);
    repo.commit_file("dir/sub/c.txt", "side\n", "side");
    repo.git(&[
        "sparse-checkout",
        "set",
        "--cone",
        "--sparse-index",
        "other",
    ]);
    repo.git(&["update-ref", "HEAD", "main"]);
    let listing = repo.git(&["ls-files", "--sparse"]);
    assert!(listing.contains("dir/\n"), "not sparse: {listing}");
    let shown = scan(repo.path());
    assert_eq!(shown.new_paths(), ["dir/sub/c.txt", "other/d.txt"]);
    assert_eq!(shown.new_of("dir/sub/c.txt"), ["side\n"]);
    assert_eq!(shown.old_of("dir/sub/c.txt"), ["first dir/sub/c.txt\n"]);
}

#[test]
fn every_version_of_the_index_and_no_cache_of_trees_give_the_same() {
    for version in ["2", "3", "4"] {
        let repo = repo_with_files(&[]);
        repo.git(&["update-index", "--index-version", version]);
        repo.stage("dir/sub/c.txt", "second\n");
        assert_eq!(scan(repo.path()).new_paths(), ["dir/sub/c.txt"]);
        // Without the cache of trees every tree is compared.
        let index = repo.git(&["ls-files", "--stage"]);
        std::fs::remove_file(repo.join(".git/index")).expect("removed");
        repo.git_command()
            .args(["update-index", "--index-info"])
            .stdin(format!("{index}\n"))
            .status(0);
        let shown = scan(repo.path());
        assert_eq!(shown.new_paths(), ["dir/sub/c.txt"]);
        assert_eq!(shown.old_paths(), ["dir/sub/c.txt"]);
    }
}

#[test]
fn a_linked_work_tree_has_its_own_index_and_head() {
    let repo = repo_with_files(&[]);
    let dir = tempfile::tempdir().expect("a directory");
    let linked = dir.path().join("linked");
    let linked_text = linked.to_string_lossy().into_owned();
    repo.git(&["worktree", "add", "--quiet", "-b", "side", &linked_text]);
    std::fs::write(linked.join("a.txt"), "linked\n").expect("written");
    repo.git(&["-C", &linked_text, "add", "a.txt"]);
    assert!(scan(repo.path()).outcome.is_empty());
    let shown = scan(&linked.join("dir"));
    assert_eq!(shown.new_of("a.txt"), ["linked\n"]);
    assert_eq!(shown.old_of("a.txt"), ["first a.txt\n"]);
    let repository = repository::open(&linked, &GitEnvironment::default()).expect("opened");
    assert_eq!(
        repository
            .work_dir()
            .and_then(|dir| dir.canonicalize().ok()),
        linked.canonicalize().ok()
    );
    let inside = repo.join(".git/worktrees/linked");
    let inside = repository::open(&inside, &GitEnvironment::default()).expect("opened");
    assert_eq!(
        inside.work_dir().and_then(|dir| dir.canonicalize().ok()),
        linked.canonicalize().ok()
    );
}

#[test]
fn a_submodule_is_scanned_as_a_repository() {
    let inner = repo_with_files(&[]);
    let outer = repo_with_files(&[]);
    let url = inner.path().to_string_lossy().into_owned();
    outer.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &url,
        "sub",
    ]);
    outer.write("sub/a.txt", "in the submodule\n");
    outer.git(&["-C", "sub", "add", "a.txt"]);
    assert_eq!(
        scan(&outer.join("sub")).new_of("a.txt"),
        ["in the submodule\n"]
    );
    let repository =
        repository::open(&outer.join("sub/dir"), &GitEnvironment::default()).expect("opened");
    assert_eq!(
        repository
            .work_dir()
            .and_then(|dir| dir.canonicalize().ok()),
        outer.join("sub").canonicalize().ok()
    );
}

#[test]
fn sha256_repositories_work() {
    let repo = repo_with_files(&["--object-format=sha256"]);
    repo.git(&["gc", "--quiet"]);
    repo.stage("dir/sub/c.txt", "second\n");
    let shown = scan(repo.path());
    assert_eq!(shown.new_of("dir/sub/c.txt"), ["second\n"]);
    assert_eq!(shown.old_of("dir/sub/c.txt"), ["first dir/sub/c.txt\n"]);
}

#[test]
fn all_files_shows_every_tracked_blob_and_nothing_old() {
    let repo = repo_with_files(&[]);
    repo.stage("a.txt", "second\n");
    repo.write("untracked.txt", "untracked\n");
    let shown = scan_all(repo.path());
    assert_eq!(
        shown.new_paths(),
        [
            "a.txt",
            "dir.txt",
            "dir/b.txt",
            "dir/sub/c.txt",
            "other/d.txt"
        ]
    );
    assert!(shown.old.is_empty());
}

#[test]
fn many_files_are_shown_once_each() {
    let repo = TestRepo::new();
    for number in 0..600 {
        repo.write(
            format!("d{}/f{number}", number % 7),
            format!("file {number}\n"),
        );
    }
    repo.git(&["add", "."]);
    let shown = scan(repo.path());
    assert_eq!(shown.outcome.changed, 600);
    assert!(shown.new.values().all(|texts| texts.len() == 1));
    assert_eq!(shown.new_of("d0/f7"), ["file 7\n"]);
}

#[test]
fn an_lfs_pointer_is_content_not_read_unless_the_object_is_here() {
    let repo = repo_with_files(&[]);
    let oid = "0123456789abcdef".repeat(4);
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 8\n");
    repo.stage("big.bin", &pointer);
    let shown = scan(repo.path());
    assert_eq!(shown.skips, [(SkipReason::Lfs, "big.bin".to_owned())]);
    let store = format!(".git/lfs/objects/01/23/{oid}");
    repo.write(&store, "content\n");
    let shown = scan(repo.path());
    assert!(shown.skips.is_empty());
    assert_eq!(shown.new_of("big.bin"), ["content\n"]);
}

/// Removes a loose object.
fn lose(repo: &TestRepo, id: &str) {
    let path = repo.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    std::fs::remove_file(path).expect("a loose object");
}

#[test]
fn a_blob_that_is_missing_or_damaged_is_never_clean() {
    let repo = repo_with_files(&[]);
    repo.stage("a.txt", "second\n");
    repo.stage("dir/b.txt", "damaged\n");
    let blob = repo.git(&["rev-parse", ":a.txt"]);
    lose(&repo, &blob);
    let damaged = repo.git(&["rev-parse", ":dir/b.txt"]);
    let path = repo.join(format!(".git/objects/{}/{}", &damaged[..2], &damaged[2..]));
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, b"not a zlib stream at all").expect("written");
    let shown = scan(repo.path());
    assert_eq!(
        shown.skips,
        [
            (SkipReason::Corrupt, "dir/b.txt".to_owned()),
            (SkipReason::Missing, "a.txt".to_owned())
        ]
    );
    repo.git(&["config", "remote.origin.promisor", "true"]);
    let shown = scan(repo.path());
    assert!(
        shown
            .skips
            .contains(&(SkipReason::Partial, "a.txt".to_owned()))
    );
}

#[test]
fn an_old_blob_that_is_missing_takes_nothing_away() {
    let repo = repo_with_files(&[]);
    let old = repo.git(&["rev-parse", ":a.txt"]);
    repo.stage("a.txt", "second\n");
    lose(&repo, &old);
    let shown = scan(repo.path());
    assert_eq!(shown.new_of("a.txt"), ["second\n"]);
    assert!(shown.skips.is_empty() && shown.old.is_empty());
}

#[test]
fn a_missing_tree_of_head_makes_everything_below_it_new() {
    let repo = repo_with_files(&[]);
    let tree = repo.git(&["rev-parse", "HEAD:dir"]);
    repo.stage("dir/b.txt", "second\n");
    lose(&repo, &tree);
    assert_eq!(
        scan(repo.path()).new_paths(),
        ["dir/b.txt", "dir/sub/c.txt"]
    );
}

#[test]
fn objects_over_the_limit_are_said_to_be() {
    let repo = repo_with_files(&[]);
    repo.stage("a.txt", "x".repeat(5000));
    for packed in [false, true] {
        if packed {
            repo.git(&["gc", "--quiet"]);
        }
        let repository = repository::open_with_limit(repo.path(), &GitEnvironment::default(), 4000)
            .expect("opened");
        let recorder = Recorder::default();
        Staged {
            repository: &repository,
            options: Options::default(),
        }
        .scan(&mut recorder.clone())
        .expect("a scan");
        let seen = recorder.seen.lock().expect("no panic");
        assert_eq!(seen.skips, [(SkipReason::Size, "a.txt".to_owned())]);
    }
}

#[test]
fn names_are_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let repo = repo_with_files(&[]);
    let name = std::ffi::OsStr::from_bytes(b"with \"quotes\"\n and \xff bytes");
    std::fs::write(repo.join(name), "odd\n").expect("written");
    repo.git(&[
        std::ffi::OsStr::new("add"),
        std::ffi::OsStr::new("--"),
        name,
    ]);
    let shown = scan(repo.path());
    assert_eq!(shown.new.len(), 1);
    assert_eq!(shown.new.values().next().map(Vec::len), Some(1));
}

#[test]
fn a_corrupt_index_is_an_error() {
    let repo = repo_with_files(&[]);
    let path = repo.join(".git/index");
    let whole = std::fs::read(&path).expect("an index");
    let mut wrong_signature = whole.clone();
    wrong_signature[0] ^= 1;
    let half = whole[..whole.len() / 2].to_vec();
    for bytes in [Vec::new(), half, wrong_signature] {
        std::fs::write(&path, bytes).expect("written");
        let error = try_scan(repo.path(), &GitEnvironment::default(), Options::default())
            .expect_err("an error");
        assert!(
            matches!(
                error,
                source::Error::Repository(repository::Error::Index { .. })
            ),
            "{error}"
        );
    }
}

#[test]
fn every_cut_and_every_flipped_byte_of_an_index_is_an_error() {
    let repo = repo_with_files(&[]);
    repo.stage("a.txt", "second\n");
    let path = repo.join(".git/index");
    let whole = std::fs::read(&path).expect("an index");
    let scan = || try_scan(repo.path(), &GitEnvironment::default(), Options::default());
    for at in 0..whole.len() {
        std::fs::write(&path, &whole[..at]).expect("written");
        assert!(scan().is_err(), "cut at {at}");
        let mut flipped = whole.clone();
        flipped[at] ^= 0x41;
        std::fs::write(&path, &flipped).expect("written");
        assert!(scan().is_err(), "flipped at {at}");
    }
}

#[test]
fn alternates_are_followed_even_in_a_circle() {
    let base = repo_with_files(&[]);
    let middle = repo_with_files(&[]);
    middle.stage("a.txt", "only in the middle\n");
    let dir = tempfile::tempdir().expect("a directory");
    let clone = dir.path().join("clone");
    let clone_text = clone.to_string_lossy().into_owned();
    let from = base.path().to_string_lossy().into_owned();
    base.git(&["clone", "--quiet", "--shared", &from, &clone_text]);
    // A relative path is meant from the object directory that lists it.
    let objects = |repo: &TestRepo| repo.join(".git/objects");
    let name = |repo: &TestRepo| repo.path().file_name().expect("a name").to_owned();
    let relative = Path::new("../../..")
        .join(name(&middle))
        .join(".git/objects");
    std::fs::write(
        objects(&base).join("info/alternates"),
        relative.to_string_lossy().as_bytes(),
    )
    .expect("written");
    std::fs::write(
        objects(&middle).join("info/alternates"),
        objects(&base).to_string_lossy().as_bytes(),
    )
    .expect("written");
    let blob = middle.git(&["rev-parse", ":a.txt"]);
    base.git(&[
        "-C",
        &clone_text,
        "update-index",
        "--cacheinfo",
        &format!("100644,{blob},a.txt"),
    ]);
    let shown = scan(&clone);
    assert_eq!(shown.new_of("a.txt"), ["only in the middle\n"]);
    assert_eq!(shown.old_of("a.txt"), ["first a.txt\n"]);
    let repository = repository::open(&clone, &GitEnvironment::default()).expect("opened");
    assert_eq!(repository.objects_dirs().len(), 3);
}

#[test]
fn quarantined_objects_are_found() {
    let repo = repo_with_files(&[]);
    let quarantine = repo.join(".git/objects/incoming");
    std::fs::create_dir(&quarantine).expect("made");
    repo.write("a.txt", "quarantined\n");
    let variables = |command: crate::support::TestCommand| {
        command.env("GIT_OBJECT_DIRECTORY", &quarantine).env(
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
            repo.join(".git/objects"),
        )
    };
    variables(repo.git_command())
        .args(["add", "a.txt"])
        .status(0);
    let without = scan(repo.path());
    assert_eq!(without.skips, [(SkipReason::Missing, "a.txt".to_owned())]);
    let env = GitEnvironment::from_env(|name| match name {
        "GIT_OBJECT_DIRECTORY" => Some(quarantine.clone().into()),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES" => Some(repo.join(".git/objects").into()),
        _ => None,
    });
    let with = scan_with(repo.path(), &env);
    assert_eq!(with.new_of("a.txt"), ["quarantined\n"]);
    assert_eq!(with.old_of("a.txt"), ["first a.txt\n"]);
}

#[test]
fn formats_that_are_not_known_are_said_plainly() {
    for (key, value, word) in [
        ("core.repositoryFormatVersion", "2", "version 2"),
        ("extensions.refStorage", "reftable", "reftable"),
        ("extensions.somethingNew", "true", "somethingnew"),
        ("extensions.objectFormat", "sha512", "sha512"),
    ] {
        let repo = repo_with_files(&[]);
        repo.git(&["config", "core.repositoryFormatVersion", "1"]);
        repo.git(&["config", key, value]);
        let error =
            repository::open(repo.path(), &GitEnvironment::default()).expect_err("an error");
        let text = error.to_string();
        assert!(text.to_ascii_lowercase().contains(word), "{text}");
        assert!(matches!(error, repository::Error::Unsupported { .. }));
    }
}

#[test]
fn repositories_are_found_from_below_and_bare_and_not_at_all() {
    let repo = repo_with_files(&[]);
    let none = GitEnvironment::default();
    let repository = repository::open(&repo.join("dir/sub"), &none).expect("opened");
    let root = repo.path().canonicalize().expect("a path");
    assert_eq!(repository.work_dir(), Some(root.as_path()));
    let dir = tempfile::tempdir().expect("a directory");
    assert!(matches!(
        repository::open(dir.path(), &none),
        Err(repository::Error::NotFound { .. })
    ));
    let bare = dir.path().join("bare.git");
    let (from, to) = (repo.path().to_string_lossy(), bare.to_string_lossy());
    repo.git(&["clone", "--quiet", "--bare", &from, &to]);
    let repository = repository::open(&bare.join("refs"), &none).expect("opened");
    assert!(repository.is_bare() && repository.work_dir().is_none());
    assert_eq!(
        repository
            .head_id()
            .expect("a head")
            .map(|id| id.to_string()),
        Some(repo.git(&["rev-parse", "HEAD"]))
    );
    assert!(repository.gix().is_ok());
    let env = GitEnvironment {
        git_dir: Some(repo.join(".git")),
        work_tree: Some(repo.path().to_owned()),
        ..GitEnvironment::default()
    };
    let repository = repository::open(dir.path(), &env).expect("opened");
    assert_eq!(repository.git_dir(), repo.join(".git"));
    let env = GitEnvironment {
        git_dir: Some(dir.path().to_owned()),
        ..GitEnvironment::default()
    };
    assert!(matches!(
        repository::open(repo.path(), &env),
        Err(repository::Error::Invalid { .. })
    ));
}

#[test]
fn a_shallow_clone_knows_its_boundary() {
    let repo = repo_with_files(&[]);
    let last = repo.commit_file("a.txt", "second\n", "second");
    let dir = tempfile::tempdir().expect("a directory");
    let clone = dir.path().join("clone");
    let (from, to) = (
        format!("file://{}", repo.path().display()),
        clone.to_string_lossy().into_owned(),
    );
    repo.git(&["clone", "--quiet", "--depth=1", &from, &to]);
    let repository = repository::open(&clone, &GitEnvironment::default()).expect("opened");
    let boundary = repository.shallow_boundary().expect("a boundary");
    assert_eq!(boundary.len(), 1);
    assert_eq!(boundary[0].to_string(), last);
    assert!(scan(&clone).outcome.is_empty());
}

#[test]
fn what_the_configuration_would_run_is_not_run() {
    let repo = repo_with_files(&[]);
    let marker = repo.join("executed");
    let command = format!("touch {}", marker.display());
    for key in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "core.hooksPath",
        "credential.helper",
    ] {
        repo.git(&["config", key, &command]);
    }
    repo.git(&["config", "include.path", "../evil"]);
    repo.write("evil", "[core]\n\trepositoryFormatVersion = 9\n");
    repo.write(".gitattributes", "* diff=evil filter=evil\n");
    let blob = repo.git(&[
        "-c",
        "core.fsmonitor=",
        "hash-object",
        "-w",
        "--no-filters",
        "dir.txt",
    ]);
    let entry = format!("100644,{blob},planted.txt");
    repo.git(&[
        "-c",
        "core.fsmonitor=",
        "update-index",
        "--add",
        "--cacheinfo",
        &entry,
    ]);
    let _ = std::fs::remove_file(&marker);
    let shown = scan(repo.path());
    assert!(shown.new.contains_key("planted.txt"));
    assert!(!marker.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn few_files_start_no_threads_and_many_do() {
    let repo = TestRepo::new();
    // One thread waits for signals.
    for (files, expected) in [(3, 1..=1), (300, 2..=usize::MAX)] {
        for number in 0..files {
            repo.write(format!("{number}"), format!("{number}\n"));
        }
        repo.git(&["add", "--all"]);
        if let (run, Some(log)) = traced(repo.path(), |command| command.args(["staged"])) {
            assert_eq!(run.status, 0, "{}", run.show());
            let threads = calls(&log).filter(|(name, _)| name.starts_with("clone"));
            let threads = threads.count();
            assert!(expected.contains(&threads), "{files}: {threads}\n{log}");
        }
    }
}
