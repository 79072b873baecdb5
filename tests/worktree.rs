//! Directories and files: what is shown, what is skipped and why.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use keysieve::blob::Blob;
use keysieve::content;
use keysieve::coverage::{Skip, SkipReason};
use keysieve::provenance::Provenance;
use keysieve::source::worktree::{Exclude, Options, Worktree};
use keysieve::source::{BlobSink, Clean};

use super::support::{TestCommand, TestRepo};

/// Keeps everything that it is shown.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    blobs: Vec<(String, Vec<u8>)>,
    skips: Vec<Skip>,
}

impl BlobSink for Record {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let path = shown(blob.provenance);
        self.0
            .lock()
            .expect("no panic")
            .blobs
            .push((path, blob.bytes.to_vec()));
        ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        self.0.lock().expect("no panic").skips.push(skip);
    }

    fn clean(&mut self, _clean: Clean) {
        panic!("files are never cleared unseen");
    }

    fn join(&mut self, _share: Self) {}
}

fn shown(provenance: &Provenance) -> String {
    match provenance {
        Provenance::File { path } => path.to_string(),
        other => panic!("not a file: {other:?}"),
    }
}

impl Record {
    /// Paths that were shown, sorted; each must be there once.
    fn paths(&self) -> Vec<String> {
        let mut paths: Vec<String> = self
            .0
            .lock()
            .expect("no panic")
            .blobs
            .iter()
            .map(|(path, _)| path.clone())
            .collect();
        paths.sort();
        let shown = paths.len();
        paths.dedup();
        assert_eq!(paths.len(), shown, "something was shown twice: {paths:?}");
        paths
    }

    fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        self.0
            .lock()
            .expect("no panic")
            .blobs
            .iter()
            .cloned()
            .collect()
    }

    /// Subjects skipped for a reason, sorted.
    fn skipped(&self, reason: SkipReason) -> Vec<String> {
        let seen = self.0.lock().expect("no panic");
        let mut subjects: Vec<String> = seen
            .skips
            .iter()
            .filter(|skip| skip.reason == reason)
            .map(|skip| skip.subject.to_string())
            .collect();
        subjects.sort();
        subjects
    }

    fn detail(&self, reason: SkipReason) -> String {
        let seen = self.0.lock().expect("no panic");
        let skip = seen.skips.iter().find(|skip| skip.reason == reason);
        skip.and_then(|skip| skip.detail.clone())
            .unwrap_or_default()
    }

    fn reasons(&self) -> Vec<SkipReason> {
        let mut reasons: Vec<_> = self
            .0
            .lock()
            .expect("no panic")
            .skips
            .iter()
            .map(|skip| skip.reason)
            .collect();
        reasons.sort();
        reasons
    }
}

/// Scans roots with one thread and with several, which must agree; paths are made relative to `dir`.
#[track_caller]
fn scan_with(dir: &Path, roots: &[&str], options: &Options) -> Record {
    let records = [1, 3].map(|threads| {
        let options = Options {
            threads: Some(threads),
            ..options.clone()
        };
        let record = Record::default();
        let roots = roots.iter().map(|root| dir.join(root)).collect();
        Worktree { roots, options }
            .scan(&mut record.clone())
            .expect("a scan");
        let prefix = format!("{}/", dir.display());
        let mut seen = record.0.lock().expect("no panic");
        for (path, _) in &mut seen.blobs {
            *path = path.strip_prefix(&prefix).unwrap_or(path).to_owned();
        }
        for skip in &mut seen.skips {
            let subject = skip.subject.to_string();
            skip.subject = subject.strip_prefix(&prefix).unwrap_or(&subject).into();
        }
        seen.blobs.sort();
        seen.skips.sort();
        drop(seen);
        record
    });
    {
        let [one, many] = records
            .each_ref()
            .map(|record| record.0.lock().expect("no panic"));
        assert_eq!(one.blobs, many.blobs);
        assert_eq!(one.skips, many.skips);
    }
    let [one, _] = records;
    one
}

#[track_caller]
fn scan(dir: &Path, roots: &[&str]) -> Record {
    scan_with(dir, roots, &Options::default())
}

fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().canonicalize().expect("a path");
    (dir, path)
}

fn write(path: PathBuf, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, content).expect("a file");
}

#[test]
fn hidden_files_empty_files_and_binaries_are_shown_whole() {
    let (_guard, dir) = temp();
    write(dir.join(".hidden/.env"), "a=b\n");
    write(dir.join("empty"), "");
    write(dir.join("binary"), b"\0\xff\0\x01");
    let record = scan(&dir, &[""]);
    assert_eq!(record.paths(), [".hidden/.env", "binary", "empty"]);
    assert_eq!(record.contents()["binary"], b"\0\xff\0\x01");
    assert_eq!(record.reasons(), []);
}

#[test]
fn ignored_files_are_counted_and_an_ignored_directory_is_one_entry() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.log\n/build/\n");
    repo.write("a.log", "");
    repo.write("build/one", "");
    repo.write("build/deep/two", "");
    repo.write("src/a.txt", "");
    repo.write("src/b.log", "");
    repo.write("src/build/kept", "");
    repo.write(".ignore", "src\n");
    repo.write("private", "");
    repo.write(".git/info/exclude", "private\n");
    let record = scan(repo.path(), &[""]);
    assert_eq!(
        record.paths(),
        [
            ".git/config",
            ".gitignore",
            ".ignore",
            "src/a.txt",
            "src/build/kept"
        ]
    );
    assert_eq!(
        record.skipped(SkipReason::Ignored),
        ["a.log", "build", "private", "src/b.log"]
    );
    assert_eq!(record.skipped(SkipReason::GitDir), [".git"]);
    let all = scan_with(
        repo.path(),
        &[""],
        &Options {
            respect_ignore: false,
            ..Options::default()
        },
    );
    assert_eq!(all.paths().len(), 10);
    assert_eq!(all.reasons(), [SkipReason::GitDir]);
}

#[test]
fn rules_count_in_a_work_tree_only() {
    let (_guard, dir) = temp();
    write(dir.join(".gitignore"), "*\n");
    write(dir.join("a"), "");
    assert_eq!(scan(&dir, &[""]).paths(), [".gitignore", "a"]);
}

#[test]
fn an_inner_rule_overrides_an_outer_one() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.txt\nlocked/\n");
    repo.write("in/.gitignore", "!yes.txt\n/only-here\n");
    repo.write("in/yes.txt", "");
    repo.write("in/no.txt", "");
    repo.write("in/only-here", "");
    repo.write("in/deep/only-here", "");
    repo.write("in/deep/yes.txt", "");
    repo.write("locked/.gitignore", "!*\n");
    repo.write("locked/a", "");
    let expected = [
        ".git/config",
        ".gitignore",
        "in/.gitignore",
        "in/deep/only-here",
        "in/deep/yes.txt",
        "in/yes.txt",
    ];
    let record = scan(repo.path(), &[""]);
    assert_eq!(record.paths(), expected);
    assert_eq!(
        record.skipped(SkipReason::Ignored),
        ["in/no.txt", "in/only-here", "locked"]
    );
    // The same rules count from below.
    let record = scan(repo.path(), &["in/deep", "in"]);
    assert_eq!(
        record.skipped(SkipReason::Ignored),
        ["in/no.txt", "in/only-here"]
    );
}

#[test]
fn what_git_ignores_is_what_is_ignored() {
    let repo = TestRepo::new();
    repo.write(
        ".gitignore",
        "a*\n!ab\n/root-only\nd/\n**/x/y\nq/*\n!q/keep\n\\!bang\n*.[oa]\nspace\\ \n# no\n\\#yes\nfoo/**/bar\n[!k]z\n",
    );
    let names = [
        "a1",
        "ab",
        "d/f",
        "e/d",
        "root-only",
        "e/root-only",
        "e/x/y",
        "x/y/z",
        "q/drop",
        "q/keep",
        "q/in/z",
        "!bang",
        "lib.o",
        "e/lib.a",
        "space ",
        "#yes",
        "# no",
        "foo/bar",
        "foo/1/2/bar",
        "kz",
        "jz",
        "e/a1/ab",
    ];
    for name in names {
        repo.write(name, "");
    }
    let listed = repo.git(&[
        "-c",
        "core.quotePath=false",
        "ls-files",
        "-z",
        "--others",
        "--exclude-standard",
    ]);
    let mut expected: Vec<&str> = listed.split_terminator('\0').collect();
    expected.sort_unstable();
    let mut paths = scan(repo.path(), &[""]).paths();
    paths.retain(|path| path != ".git/config");
    assert_eq!(paths, expected);
}

#[test]
fn tracked_files_are_shown_even_if_ignored() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.key\nvendor/\n");
    repo.stage("tracked.key", "1");
    repo.stage("vendor/deep/tracked", "2");
    repo.write("vendor/deep/other", "");
    repo.write("vendor/other/file", "");
    repo.write("vendor/file", "");
    repo.write("other.key", "");
    let record = scan(repo.path(), &[""]);
    assert_eq!(
        record.paths(),
        [
            ".git/config",
            ".gitignore",
            "tracked.key",
            "vendor/deep/tracked"
        ]
    );
    assert_eq!(
        record.skipped(SkipReason::Ignored),
        [
            "other.key",
            "vendor/deep/other",
            "vendor/file",
            "vendor/other"
        ]
    );
}

#[test]
fn an_index_that_cannot_be_read_is_told_once() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.key\n");
    repo.write(".git/index", "not an index");
    repo.write("a.key", "");
    repo.write("b.key", "");
    let record = scan(repo.path(), &[""]);
    assert_eq!(record.skipped(SkipReason::Ignored), ["a.key", "b.key"]);
    assert_eq!(record.skipped(SkipReason::Unreadable), [".git/index"]);
    // Nothing that is ignored: nobody needs the index.
    fs::remove_file(repo.join(".gitignore")).expect("removed");
    assert_eq!(scan(repo.path(), &[""]).reasons(), [SkipReason::GitDir]);
}

#[test]
fn what_is_named_is_shown_even_if_ignored_or_in_the_git_directory() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "out/\n*.log\n");
    repo.write("out/a.log", "");
    repo.write("out/.gitignore", "*\n");
    repo.write("b.log", "");
    let record = scan(repo.path(), &["out", "b.log", ".git/HEAD", ".git/info"]);
    assert_eq!(
        record.paths(),
        [
            ".git/HEAD",
            ".git/info/exclude",
            "b.log",
            "out/.gitignore",
            "out/a.log"
        ]
    );
    assert_eq!(record.reasons(), []);
    let record = scan(repo.path(), &[".git"]);
    assert!(record.paths().contains(&".git/HEAD".to_owned()));
    assert!(
        record
            .detail(SkipReason::GitDir)
            .contains("keysieve history")
    );
}

#[test]
fn paths_below_the_working_directory_are_shown_without_a_dot() {
    // The tests run at the root of the package.
    let record = Record::default();
    let roots = vec![PathBuf::from("./src/source"), PathBuf::from("tests/")];
    let worktree = Worktree {
        roots,
        ..Worktree::default()
    };
    worktree.scan(&mut record.clone()).expect("a scan");
    let paths = record.paths();
    assert!(paths.contains(&"src/source/mod.rs".to_owned()), "{paths:?}");
    assert!(
        paths.contains(&"tests/support/keys.rs".to_owned()),
        "{paths:?}"
    );
}

#[test]
fn fifos_sockets_and_devices_are_counted_and_not_opened() {
    let (_guard, dir) = temp();
    TestCommand::new("mkfifo", &dir)
        .args(["fifo", ".gitignore"])
        .status(0);
    let _socket = std::os::unix::net::UnixListener::bind(dir.join("socket")).expect("a socket");
    fs::create_dir(dir.join(".git")).expect("a directory");
    write(dir.join("file"), "");
    let record = scan(&dir, &["", "fifo", "/dev/null", "/dev/zero"]);
    assert_eq!(record.paths(), ["file"]);
    assert_eq!(
        record.skipped(SkipReason::Special),
        [".gitignore", "fifo", "socket"]
    );
    // What is named was asked for.
    assert_eq!(
        record.skipped(SkipReason::Unreadable),
        ["/dev/null", "/dev/zero", "fifo"]
    );
}

#[test]
fn links_are_counted_and_followed_only_if_asked() {
    let (_guard, dir) = temp();
    write(dir.join("tree/a/file"), "1");
    write(dir.join("outside/secret"), "2");
    symlink("..", dir.join("tree/a/loop")).expect("a link");
    symlink("self", dir.join("tree/self")).expect("a link");
    symlink("nowhere", dir.join("tree/dangling")).expect("a link");
    symlink("a/file", dir.join("tree/link")).expect("a link");
    symlink("../outside", dir.join("tree/out")).expect("a link");
    symlink("../outside", dir.join("tree/out2")).expect("a link");
    symlink("tree", dir.join("root")).expect("a link");
    let record = scan(&dir, &["tree"]);
    assert_eq!(record.paths(), ["tree/a/file"]);
    assert_eq!(record.skipped(SkipReason::Symlink).len(), 6);
    assert_eq!(scan(&dir, &["root"]).paths(), ["root/a/file"]);
    let follow = Options {
        follow: true,
        ..Options::default()
    };
    let record = scan_with(&dir, &["tree"], &follow);
    assert_eq!(
        record.paths(),
        ["tree/a/file", "tree/link", "tree/out/secret"]
    );
    assert_eq!(
        record.skipped(SkipReason::Symlink),
        ["tree/a/loop", "tree/dangling", "tree/out2", "tree/self"]
    );
}

#[test]
fn a_path_that_is_not_there_is_told_and_the_others_are_scanned() {
    let (_guard, dir) = temp();
    write(dir.join("a"), "");
    let record = scan(&dir, &["missing", "a"]);
    assert_eq!(record.paths(), ["a"]);
    assert_eq!(record.skipped(SkipReason::Unreadable), ["missing"]);
    assert!(
        record
            .detail(SkipReason::Unreadable)
            .contains("No such file")
    );
}

/// Runs itself as another user where this one may read everything.
#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_scanned() {
    const DIR: &str = "KEYSIEVE_TEST_DIR";
    if let Some(dir) = std::env::var_os(DIR) {
        check_unreadable(Path::new(&dir));
        return;
    }
    let (_guard, dir) = temp();
    write(dir.join("open"), "1");
    write(dir.join("closed"), "2");
    write(dir.join("closed-dir/file"), "3");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("a mode");
    for name in ["closed", "closed-dir"] {
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o000)).expect("a mode");
    }
    if fs::File::open(dir.join("closed")).is_err() {
        check_unreadable(&dir);
    } else {
        let me = std::env::current_exe().expect("this test");
        let run = TestCommand::new("setpriv", "/")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(me)
            .args([
                "--exact",
                "worktree::what_cannot_be_read_is_told_and_the_rest_is_scanned",
            ])
            .env(DIR, &dir)
            .status(0);
        assert!(run.out().contains("1 passed"), "{}", run.show());
    }
    fs::set_permissions(dir.join("closed-dir"), fs::Permissions::from_mode(0o755)).expect("a mode");
}

fn check_unreadable(dir: &Path) {
    let record = scan(dir, &[""]);
    assert_eq!(record.paths(), ["open"]);
    assert_eq!(
        record.skipped(SkipReason::Unreadable),
        ["closed", "closed-dir"]
    );
    assert!(record.detail(SkipReason::Unreadable).contains("denied"));
    let record = scan(dir, &["closed", "closed-dir"]);
    assert_eq!(
        record.skipped(SkipReason::Unreadable),
        ["closed", "closed-dir"]
    );
}

#[test]
fn names_are_bytes() {
    let (_guard, dir) = temp();
    let name = std::ffi::OsString::from_vec(b"a\nb \"\xff\xfe".to_vec());
    fs::create_dir(dir.join(&name)).expect("a directory");
    fs::write(dir.join(&name).join(&name), "x").expect("a file");
    let paths = Arc::new(Mutex::new(Vec::new()));
    let sink = OnBlob(|blob: Blob<'_>| {
        let Provenance::File { path } = blob.provenance else {
            panic!("not a file")
        };
        paths.lock().expect("no panic").push(path.to_vec());
        ControlFlow::Continue(())
    });
    Worktree {
        roots: vec![dir.clone()],
        ..Worktree::default()
    }
    .scan(&mut { sink })
    .expect("a scan");
    let expected = dir.join(&name).join(&name).into_os_string().into_vec();
    assert_eq!(*paths.lock().expect("no panic"), [expected]);
}

/// Calls a function for each blob and forgets the skips.
#[derive(Clone)]
struct OnBlob<F>(F);

impl<F: FnMut(Blob<'_>) -> ControlFlow<()> + Clone + Send> BlobSink for OnBlob<F> {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        self.0(blob)
    }

    fn skip(&mut self, _skip: Skip) {}

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}
}

#[test]
fn excluded_paths_are_counted() {
    let (_guard, dir) = temp();
    for name in ["a.lock", "keep.lock", "in/gen/x", "gen/y", "in/b"] {
        write(dir.join(name), "");
    }
    let exclude = Exclude::new(["*.lock", "!keep.lock", "/gen/"]).expect("globs");
    let options = Options {
        exclude,
        ..Options::default()
    };
    let record = scan_with(&dir, &[""], &options);
    assert_eq!(record.paths(), ["in/b", "in/gen/x", "keep.lock"]);
    assert_eq!(record.skipped(SkipReason::Excluded), ["a.lock", "gen"]);
    assert_eq!(scan_with(&dir, &["a.lock"], &options).paths(), ["a.lock"]);
    let error = Exclude::new(["a", "{"]).expect_err("not a glob");
    assert!(error.to_string().contains("\"{\""), "{error}");
}

#[test]
fn files_over_the_limit_are_told() {
    let (_guard, dir) = temp();
    write(dir.join("at"), "12345");
    write(dir.join("over"), "123456");
    let options = Options {
        max_file_size: Some(5),
        ..Options::default()
    };
    let record = scan_with(&dir, &[""], &options);
    assert_eq!(record.paths(), ["at"]);
    assert_eq!(record.skipped(SkipReason::Size), ["over"]);
}

#[test]
fn an_lfs_pointer_is_told_or_its_local_object_scanned() {
    let repo = TestRepo::new();
    let oid = |c: &str| c.repeat(64);
    let pointer = |oid: &str, size: usize| {
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
    };
    repo.write("here.bin", pointer(&oid("a"), 5));
    repo.write("gone.bin", pointer(&oid("b"), 5));
    repo.write("short.bin", pointer(&oid("c"), 5));
    repo.write("more.bin", pointer(&oid("b"), 5) + "and more\n");
    repo.write(format!(".git/lfs/objects/aa/aa/{}", oid("a")), "12345");
    repo.write(format!(".git/lfs/objects/cc/cc/{}", oid("c")), "1234");
    let record = scan(repo.path(), &[""]);
    assert_eq!(record.paths(), [".git/config", "here.bin", "more.bin"]);
    assert_eq!(record.contents()["here.bin"], b"12345");
    assert_eq!(record.skipped(SkipReason::Lfs), ["gone.bin", "short.bin"]);
    // A file that is named has the same repository.
    let record = scan(repo.path(), &["here.bin", "gone.bin"]);
    assert_eq!(record.contents()["here.bin"], b"12345");
    assert_eq!(record.skipped(SkipReason::Lfs), ["gone.bin"]);
    // A linked work tree has its objects in the main one.
    repo.commit("first");
    repo.git(&["worktree", "add", "-q", "linked"]);
    repo.write("linked/here.bin", pointer(&oid("a"), 5));
    let record = scan(repo.path(), &["linked"]);
    assert_eq!(record.contents()["linked/here.bin"], b"12345");
    assert_eq!(record.skipped(SkipReason::GitDir), ["linked/.git"]);
    // Outside of a work tree a pointer is a text like any other.
    let (_guard, dir) = temp();
    write(dir.join("here.bin"), pointer(&oid("a"), 5));
    assert_eq!(scan(&dir, &[""]).paths(), ["here.bin"]);
}

#[test]
fn a_bare_repository_inside_is_counted_with_a_pointer_to_history() {
    let (_guard, dir) = temp();
    TestCommand::new("git", &dir)
        .args(["init", "-q", "--bare", "in/bare.git"])
        .status(0);
    write(dir.join("in/file"), "");
    let record = scan(&dir, &[""]);
    assert_eq!(record.paths(), ["in/bare.git/config", "in/file"]);
    assert_eq!(record.skipped(SkipReason::GitDir), ["in/bare.git"]);
    let detail = record.detail(SkipReason::GitDir);
    assert!(
        detail.contains("keysieve history") && detail.contains("in/bare.git`"),
        "{detail}"
    );
}

#[test]
fn the_configuration_of_a_repository_is_shown() {
    let repo = TestRepo::new();
    repo.git(&[
        "remote",
        "add",
        "origin",
        "https://user:word@example.org/x.git",
    ]);
    let record = scan(repo.path(), &[""]);
    assert_eq!(record.paths(), [".git/config"]);
    let config = &record.contents()[".git/config"];
    assert!(String::from_utf8_lossy(config).contains("user:word@example.org"));
}

#[test]
fn an_inner_repository_has_its_own_rules() {
    let repo = TestRepo::new();
    repo.write(".gitignore", "*.txt\n");
    let inner = repo.join("inner");
    fs::create_dir(&inner).expect("a directory");
    TestCommand::new("git", &inner)
        .args(["init", "-q"])
        .status(0);
    write(inner.join("a.txt"), "");
    write(inner.join("b.md"), "");
    write(inner.join(".gitignore"), "*.md\n");
    let record = scan(repo.path(), &[""]);
    assert_eq!(
        record.paths(),
        [
            ".git/config",
            ".gitignore",
            "inner/.git/config",
            "inner/.gitignore",
            "inner/a.txt"
        ]
    );
    assert_eq!(record.skipped(SkipReason::Ignored), ["inner/b.md"]);
}

#[test]
fn a_mapped_file_that_changes_is_told_and_does_not_kill() {
    let large = vec![b'x'; content::MAP_FROM as usize + 100_000];
    for change in [0, 5000, large.len() as u64 / 2, large.len() as u64 + 1] {
        let (_guard, dir) = temp();
        write(dir.join("large"), &large);
        let record = Record::default();
        let sink = Truncate {
            record: record.clone(),
            file: dir.join("large"),
            to: change,
        };
        Worktree {
            roots: vec![dir.clone()],
            ..Worktree::default()
        }
        .scan(&mut { sink })
        .expect("a scan");
        assert_eq!(record.reasons(), [SkipReason::Changed], "to {change}");
        let contents = record.contents();
        let bytes = contents.values().next().expect("what was seen");
        assert_eq!(bytes.len(), large.len());
        // The system takes whole pages away; what is left of the last one reads as zeros.
        let kept = usize::try_from(change).expect("small").min(large.len());
        assert!(bytes.starts_with(&large[..kept]));
        assert!(bytes[kept..].iter().all(|byte| *byte == 0));
    }
}

/// Changes the length of a file while its bytes are looked at.
#[derive(Clone)]
struct Truncate {
    record: Record,
    file: PathBuf,
    to: u64,
}

impl BlobSink for Truncate {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let file = fs::File::options()
            .write(true)
            .open(&self.file)
            .expect("the file");
        file.set_len(self.to).expect("another length");
        self.record.blob(blob)
    }

    fn skip(&mut self, skip: Skip) {
        self.record.skip(skip);
    }

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}
}

#[test]
fn a_file_that_vanishes_is_told() {
    let (_guard, dir) = temp();
    for name in ["a", "b", "c", "d/e"] {
        write(dir.join(name), "");
    }
    let record = Record::default();
    let sink = Vanish {
        record: record.clone(),
        dir: dir.clone(),
    };
    let options = Options {
        threads: Some(1),
        ..Options::default()
    };
    Worktree {
        roots: vec![dir],
        options,
    }
    .scan(&mut { sink })
    .expect("a scan");
    assert_eq!(record.paths().len(), 1);
    // Two files, and the directory as one.
    assert_eq!(record.reasons(), [SkipReason::Changed; 3]);
}

/// Removes everything else at the first blob.
#[derive(Clone)]
struct Vanish {
    record: Record,
    dir: PathBuf,
}

impl BlobSink for Vanish {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let _ = fs::remove_dir_all(&self.dir);
        self.record.blob(blob)
    }

    fn skip(&mut self, skip: Skip) {
        self.record.skip(skip);
    }

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}
}

#[test]
fn a_break_ends_the_scan_on_all_threads() {
    let (_guard, dir) = temp();
    symlink("/etc", dir.join("link")).expect("a link");
    for number in 0..2000 {
        write(dir.join(format!("{}/{number}", number % 20)), "");
    }
    for (threads, follow) in [(1, false), (4, false), (1, true)] {
        let count = Arc::new(Mutex::new(0));
        let sink = OnBlob(|_: Blob<'_>| {
            *count.lock().expect("no panic") += 1;
            ControlFlow::Break(())
        });
        let options = Options {
            threads: Some(threads),
            follow,
            ..Options::default()
        };
        Worktree {
            roots: vec![dir.clone(), dir.join("0")],
            options,
        }
        .scan(&mut { sink })
        .expect("a scan");
        let count = *count.lock().expect("no panic");
        assert!(
            (1..=threads).contains(&count),
            "{count} blobs with {threads} threads"
        );
    }
}

#[test]
fn a_sink_that_panics_costs_the_files_that_it_was_shown_and_no_other() {
    let (_guard, dir) = temp();
    for number in 0..200 {
        write(dir.join(format!("{}/{number}", number % 20)), "");
    }
    let record = Record::default();
    let sink = Fussy(record.clone());
    let options = Options {
        threads: Some(3),
        ..Options::default()
    };
    Worktree {
        roots: vec![dir],
        options,
    }
    .scan(&mut { sink })
    .expect("a scan");
    assert_eq!(record.paths().len(), 180);
    assert_eq!(record.skipped(SkipReason::Internal).len(), 20);
}

/// Fails at the files whose name ends with 7.
#[derive(Clone)]
struct Fussy(Record);

impl BlobSink for Fussy {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        assert!(!shown(blob.provenance).ends_with('7'), "a sink that fails");
        self.0.blob(blob)
    }

    fn skip(&mut self, skip: Skip) {
        self.0.skip(skip);
    }

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}
}

#[test]
fn directories_with_many_files_are_shown_once_each() {
    let (_guard, dir) = temp();
    for number in 0..1000 {
        write(dir.join(format!("f{number}")), number.to_string());
    }
    let record = scan(&dir, &[""]);
    assert_eq!(record.paths().len(), 1000);
    assert_eq!(record.contents()["f777"], b"777");
}
