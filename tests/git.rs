//! Repositories are read as Git reads them, and alike by everything that reads: each case here had two answers once.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice as _};
use gix::ObjectId;
use keysieve::coverage::{Skip, SkipReason};
use keysieve::git::introduced::introduced;
use keysieve::git::repository::Repository;
use keysieve::git::revision::Range;
use keysieve::source::history::{History, select};
use keysieve::source::snapshot::Snapshot;
use keysieve::source::{BlobSink, Clean};

use crate::support::{Keys, TestCommand, TestRepo, open_at, pair};

/// Keeps what a scan shows: the ids of objects, and what was not read.
#[derive(Clone, Default)]
struct Recorder(std::sync::Arc<std::sync::Mutex<(BTreeSet<ObjectId>, Vec<Skip>)>>);

impl BlobSink for Recorder {
    fn blob(&mut self, blob: keysieve::blob::Blob<'_>) -> std::ops::ControlFlow<()> {
        if let keysieve::provenance::Provenance::Object { id, .. } = blob.provenance {
            self.0.lock().expect("no panic").0.insert(*id);
        }
        std::ops::ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        self.0.lock().expect("no panic").1.push(skip);
    }

    fn clean(&mut self, _: Clean) {}

    fn join(&mut self, _share: Self) {}
}

/// Scans everything, and returns what was shown.
fn all(history: &History) -> (BTreeSet<ObjectId>, Vec<Skip>) {
    let recorder = Recorder::default();
    history.scan(&mut recorder.clone(), None).expect("a scan");
    let seen = recorder.0.lock().expect("no panic");
    seen.clone()
}

/// Writes objects as they are, however wrong, and gives their ids.
fn write_objects(repo: &TestRepo, kind: &str, objects: &[Vec<u8>]) -> Vec<ObjectId> {
    let dir = tempfile::tempdir().expect("a directory");
    let mut paths = String::new();
    for (number, object) in objects.iter().enumerate() {
        let path = dir.path().join(number.to_string());
        std::fs::write(&path, object).expect("a file");
        paths.push_str(&format!("{}\n", path.display()));
    }
    let run = repo
        .git_command()
        .args([
            "hash-object",
            "-t",
            kind,
            "-w",
            "--literally",
            "--stdin-paths",
        ])
        .stdin(paths)
        .status(0);
    let ids = run.out();
    ids.lines()
        .map(|id| ObjectId::from_hex(id.as_bytes()).expect("an id"))
        .collect()
}

fn objects_dir(repo: &Path) -> PathBuf {
    repo.join(".git/objects")
}

/// Git follows alternates a few levels deep. One reader of two stopped one level before, the other never.
#[test]
fn alternates_are_followed_as_deep_as_git_follows_them_and_the_rest_is_named() {
    const LEVELS: usize = 9;
    let repos: Vec<TestRepo> = (0..LEVELS).map(|_| TestRepo::new()).collect();
    let mut blobs = Vec::new();
    for (level, repo) in repos.iter().enumerate() {
        repo.commit_file("a.txt", format!("level {level}\n"), "one");
        let id = repo.git(&["rev-parse", "HEAD:a.txt"]);
        blobs.push(ObjectId::from_hex(id.as_bytes()).expect("an id"));
        if let Some(next) = repos.get(level + 1) {
            let list = format!("{}\n", objects_dir(next.path()).display());
            repo.write(".git/objects/info/alternates", list);
        }
    }
    let repo = &repos[0];
    let has = |id: &ObjectId| {
        let run = repo
            .git_command()
            .args(["cat-file", "-e", &id.to_string()])
            .run();
        run.status == 0
    };
    let expected: BTreeSet<ObjectId> = blobs.iter().filter(|id| has(id)).copied().collect();
    assert!((2..LEVELS).contains(&expected.len()), "{}", expected.len());
    let opened = repo.open();
    let single =
        |id: &&ObjectId| opened.find_object(id, &mut Vec::new()) == Ok(Some(gix::objs::Kind::Blob));
    assert_eq!(
        blobs
            .iter()
            .filter(single)
            .copied()
            .collect::<BTreeSet<_>>(),
        expected
    );
    for history in [
        History::of(&opened),
        History::new(objects_dir(repo.path()), gix::hash::Kind::Sha1),
    ] {
        let (seen, skips) = all(&history);
        let seen: BTreeSet<ObjectId> = blobs
            .iter()
            .filter(|id| seen.contains(*id))
            .copied()
            .collect();
        assert_eq!(seen, expected);
        let [skip] = &skips[..] else {
            panic!("{skips:?}");
        };
        assert_eq!(skip.reason, SkipReason::Unreadable);
        let list = objects_dir(repos[expected.len() - 1].path()).join("info/alternates");
        assert!(
            skip.subject.ends_with_str(
                list.file_name()
                    .and_then(|name| name.to_str())
                    .expect("a name")
            )
        );
        assert!(
            skip.subject.contains_str(
                repos[expected.len() - 1]
                    .path()
                    .to_string_lossy()
                    .as_bytes()
            ),
            "{skip:?}"
        );
    }
}

/// Trees with names in any order, twice, or as file and directory at once.
#[test]
fn of_several_entries_of_one_name_the_one_counts_that_git_takes() {
    const NAMES: [&str; 6] = ["a", "a.b", "a-b", "b", "a0", "ab"];
    let repo = TestRepo::new();
    let mut random = Keys::new(91);
    let contents: Vec<Vec<u8>> = (0..6_u8).map(|number| vec![b'0' + number; 9]).collect();
    let blobs = write_objects(&repo, "blob", &contents);
    let mut trees: Vec<ObjectId> = Vec::new();
    for round in 0..3 {
        let mut objects = Vec::new();
        for _ in 0..40 {
            let mut entries: Vec<(String, ObjectId)> = Vec::new();
            for _ in 0..1 + random.below(6) {
                let name = NAMES[random.below(NAMES.len())];
                let is_tree = round > 0 && random.below(2) == 0;
                let mode = match is_tree {
                    true => ["40000", "040000"][random.below(2)],
                    false => ["100644", "100755", "120000", "160000", "100664"][random.below(5)],
                };
                let id = match is_tree {
                    true => trees[random.below(trees.len())],
                    false => blobs[random.below(blobs.len())],
                };
                entries.push((format!("{mode} {name}\0"), id));
            }
            // Half of them are in order, but for what is there twice.
            if random.below(2) == 0 {
                entries.sort_by_key(|(name, _)| {
                    let (mode, name) = name.split_once(' ').expect("a blank");
                    let end = if mode.ends_with("40000") { "/" } else { "" };
                    format!("{}{end}", name.trim_end_matches('\0'))
                });
            }
            let bytes = entries
                .iter()
                .map(|(name, id)| [name.as_bytes(), id.as_bytes()].concat());
            objects.push(bytes.collect::<Vec<_>>().concat());
        }
        trees.extend(write_objects(&repo, "tree", &objects));
    }
    let commit = |tree: &ObjectId| {
        format!("tree {tree}\nauthor a <a> 1 +0000\ncommitter a <a> 1 +0000\n\nx\n").into_bytes()
    };
    let commits = write_objects(
        &repo,
        "commit",
        &trees.iter().map(commit).collect::<Vec<_>>(),
    );
    let mut paths: Vec<String> = NAMES.map(str::to_owned).to_vec();
    paths.extend(
        NAMES
            .iter()
            .flat_map(|dir| NAMES.map(|name| format!("{dir}/{name}"))),
    );
    let asked = commits
        .iter()
        .flat_map(|commit| paths.iter().map(move |path| format!("{commit}:{path}\n")));
    let run = repo
        .git_command()
        .args(["cat-file", "--batch-check"])
        .stdin(asked.collect::<String>())
        .status(0);
    let answers = run.out();
    let opened = repo.open();
    let mut answers = answers.lines();
    let mut found = 0;
    for commit in &commits {
        let snapshot = Snapshot::of_commit(&opened, *commit).expect("a commit");
        for path in &paths {
            let answer = answers.next().expect("an answer");
            let got = snapshot.read(path.as_str().into()).expect("a tree");
            // Links and submodules are no files; git says only what object stands there.
            let Some(got) = got else {
                continue;
            };
            let id = blobs[contents
                .iter()
                .position(|content| *content == got)
                .expect("a blob")];
            assert_eq!(answer, format!("{id} blob 9"), "{commit}:{path}");
            found += 1;
        }
    }
    assert!(found > 150, "{found}");
    // What a file of settings is read from must be there if Git has a file there.
    let plain = write_objects(
        &repo,
        "tree",
        &[[
            [b"100644 f\0", blobs[0].as_bytes()].concat(),
            [b"100644 f\0", blobs[1].as_bytes()].concat(),
        ]
        .concat()],
    );
    let commits = write_objects(&repo, "commit", &[commit(&plain[0])]);
    let snapshot = Snapshot::of_commit(&opened, commits[0]).expect("a commit");
    assert_eq!(
        snapshot.read("f".into()).expect("a tree"),
        Some(contents[0].clone())
    );
    assert_eq!(
        repo.git(&["rev-parse", &format!("{}:f", commits[0])]),
        blobs[0].to_string()
    );
}

/// The ways to read: files, what is staged, history, and ranges of it.
fn lfs_counts(repo: &TestRepo) -> Vec<(i32, i64)> {
    let ways: [&[&str]; 4] = [
        &["scan"],
        &["staged"],
        &["history"],
        &["history", "--range", "HEAD~1.."],
    ];
    let run = |args: &[&str]| {
        let run = repo.keysieve(args).args(["--format", "json"]).run();
        let skipped = run.json()["coverage"]["skipped"]["lfs"].as_i64();
        (run.status, skipped.unwrap_or_default())
    };
    ways.iter().map(|args| run(args)).collect()
}

/// A repository with a commit, and a pointer that is in the next commit and staged for the one after.
fn with_pointer(pointer: &str) -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_file("readme", "text\n", "base");
    repo.commit_file("data.bin", pointer, "pointer");
    repo.stage("again.bin", pointer);
    repo
}

#[test]
fn a_pointer_of_git_lfs_is_one_wherever_it_is_read() {
    let oid = "0123456789abcdef".repeat(4);
    let body = format!("oid sha256:{oid}\nsize 12345\n");
    let v1 = "version https://git-lfs.github.com/spec/v1\n";
    let extension = format!("ext-0-x sha256:{oid}\n");
    for (text, is_pointer) in [
        (format!("{v1}{body}"), true),
        (format!("{v1}{extension}{body}"), true),
        (
            format!("version https://hawser.github.com/spec/v1\n{body}"),
            true,
        ),
        (format!("\n{v1}\n{body}\n\n"), true),
        // Content beside it, or no size: Git LFS hands the text out as it is.
        (format!("{v1}{body}password hunter2\n"), false),
        (format!("{v1}oid sha256:{oid}\n"), false),
        (
            format!("{v1}note oid sha256:{oid}\noid sha256:{oid}\nsize 5\n"),
            false,
        ),
        (format!("{v1}oid sha256:{oid}x\nsize 5\n"), false),
    ] {
        let counts = lfs_counts(&with_pointer(&text));
        // Of files there are two: the one that is committed and the one that is staged.
        let expected = match is_pointer {
            true => [(2, 2), (2, 1), (2, 1), (2, 1)],
            false => [(0, 0); 4],
        };
        assert_eq!(counts, expected, "{text}");
    }
}

#[test]
fn a_damaged_file_of_an_object_that_a_pack_has_costs_nothing() {
    let repo = TestRepo::new();
    repo.commit_file("a", pair(92), "one");
    repo.git(&["repack", "-q", "-a"]);
    for name in ["HEAD", "HEAD^{tree}", "HEAD:a"] {
        let id = repo.git(&["rev-parse", name]);
        let path = objects_dir(repo.path()).join(&id[..2]).join(&id[2..]);
        std::fs::remove_file(&path).expect("a file");
        std::fs::write(path, "damaged").expect("a file");
        let run = repo.keysieve(&["history", "--format=json"]).status(1);
        let skips = &run.json()["coverage"]["skips"];
        assert_eq!(skips.as_array().map(Vec::len), Some(0), "{name}\n{skips}");
    }
}

#[test]
fn what_a_pointer_says_beside_where_its_content_lies_is_searched() {
    let oid = "0123456789abcdef".repeat(4);
    let mut keys = Keys::new(91);
    let (id, secret) = (keys.id(), keys.secret());
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\next-0-aws_access_key_id={id} sha256:{oid}\n\
         ext-1-aws_secret_access_key={secret} sha256:{oid}\noid sha256:{oid}\nsize 4\n"
    );
    let repo = TestRepo::new();
    repo.commit_file("readme", "text\n", "base");
    repo.write(format!(".git/lfs/objects/01/23/{oid}"), "text");
    repo.stage("data.bin", pointer);
    let finds = |args: &[&str]| {
        let run = repo.keysieve(args).status(1);
        assert!(run.out().contains(&id), "{}", run.show());
    };
    finds(&["scan"]);
    finds(&["staged"]);
    repo.commit("pointer");
    finds(&["history"]);
    finds(&["history", "--range", "HEAD~1.."]);
}

#[test]
fn the_store_of_git_lfs_is_where_the_configuration_says_and_holds_what_the_pointer_says() {
    let text = pair(31);
    let hash = TestCommand::new("sha256sum", "/")
        .stdin(text.as_str())
        .status(0);
    let oid = hash.out()[..64].to_owned();
    let size = text.len();
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n");
    let elsewhere = tempfile::tempdir().expect("a directory");
    for (storage, store) in [
        (None, PathBuf::from(".git/lfs")),
        (Some("media".to_owned()), PathBuf::from(".git/media")),
        (
            Some(elsewhere.path().display().to_string()),
            elsewhere.path().to_owned(),
        ),
    ] {
        let repo = with_pointer(&pointer);
        if let Some(storage) = &storage {
            repo.git(&["config", "lfs.storage", storage]);
        }
        let file = store
            .join("objects")
            .join(&oid[..2])
            .join(&oid[2..4])
            .join(&oid);
        repo.write(&file, &text);
        assert_eq!(lfs_counts(&repo), [(1, 0); 4], "{storage:?}");
        // What has another length is not what the pointer stands for.
        repo.write(&file, &text[1..]);
        assert_eq!(
            lfs_counts(&repo),
            [(2, 2), (2, 1), (2, 1), (2, 1)],
            "{storage:?}"
        );
    }
}

#[test]
fn a_commit_is_read_as_git_reads_it_wherever_it_is_read() {
    let repo = TestRepo::new();
    let base = repo.commit_file("base.txt", "base\n", "base");
    let blob = repo.commit_file("own.txt", "own\n", "own");
    let tree = repo.git(&["rev-parse", &format!("{blob}^{{tree}}")]);
    let committer = "committer c <c@x> 1700000500 +0000\n";
    let author = "author a <a@x> 1700000400 +0000\n";
    let head = format!("tree {tree}\nparent {base}\n");
    for text in [
        format!("{head}{author}{committer}\nx\n"),
        // No author; an author without a date; a committer without an offset; one without a date.
        format!("{head}{committer}\nx\n"),
        format!("{head}author nobody\n{committer}\nx\n"),
        format!("{head}{author}committer c <c@x> 1700000500\n\nx\n"),
        format!("{head}{author}committer c <c@x>\n\nx\n"),
        // A parent counts behind the tree only.
        format!("{head}{author}parent {blob}\n{committer}\nx\n"),
        format!(
            "{head}{author}{committer}encoding x\nmergetag object {blob}\n type commit\n\nparent y\n"
        ),
    ] {
        let id = write_objects(&repo, "commit", &[text.clone().into_bytes()])[0];
        // The date by which Git walks, which is more than `git log` can show.
        let line = repo.git(&[
            "rev-list",
            "--timestamp",
            "--parents",
            "-1",
            &id.to_string(),
        ]);
        let [time, _, parents] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{text}{line}");
        };
        assert_eq!(parents, base, "{text}");
        let time: i64 = time.parse().expect("seconds");
        let range = Range {
            include: vec![id],
            exclude: vec![ObjectId::from_hex(base.as_bytes()).expect("an id")],
        };
        let found = introduced(&repo.open(), &[range]).expect("a range");
        assert!(found.skips.is_empty(), "{text}{:?}", found.skips);
        assert_eq!(found.commits, [id], "{text}");
        let times: Vec<i64> = found
            .blobs
            .values()
            .flatten()
            .map(|place| place.time)
            .collect();
        assert_eq!(times, [time], "{text}");
        // History reads the same commit and finds no fault with it.
        repo.git(&["update-ref", "refs/heads/odd", &id.to_string()]);
        let (_, skips) = all(&History::of(&repo.open()));
        assert!(skips.is_empty(), "{text}{skips:?}");
    }
}

#[test]
fn names_are_in_the_encoding_of_their_commit() {
    let repo = TestRepo::new();
    repo.stage("base.txt", "base\n");
    repo.commit("base");
    repo.git(&["config", "i18n.commitEncoding", "ISO-8859-1"]);
    repo.stage("key.env", pair(32));
    let message = repo.join(".git/message");
    std::fs::write(&message, b"Sch\xfctz\n").expect("a file");
    let latin = std::ffi::OsStr::from_bytes(b"J\xf6rg");
    repo.git_command()
        .env("GIT_AUTHOR_NAME", latin)
        .args(["commit", "--quiet", "-F"])
        .arg(&message)
        .status(0);
    let shown = repo.git(&["log", "-1", "--encoding=UTF-8", "--format=%an %s"]);
    assert_eq!(shown, "J\u{f6}rg Sch\u{fc}tz");
    for args in [&["history"][..], &["history", "--range", "HEAD~1.."]] {
        let run = repo.keysieve(args).args(["--format", "json"]).status(1);
        let place = &run.json()["findings"][0]["places"][0];
        assert_eq!(place["author"], "J\u{f6}rg", "{}", run.show());
        assert_eq!(place["subject"], "Sch\u{fc}tz", "{}", run.show());
    }
}

#[test]
fn symbolic_references_are_followed_as_far_as_git_follows_them() {
    let repo = TestRepo::new();
    let commit = repo.commit_file("a.txt", "a\n", "one");
    let mut seen = BTreeSet::new();
    for length in 0..9 {
        let name = |number: usize| format!("refs/heads/link{length}-{number}");
        repo.git(&["update-ref", &name(0), &commit]);
        for number in 1..=length {
            repo.git(&["symbolic-ref", &name(number), &name(number - 1)]);
        }
        let last = name(length);
        let run = repo
            .git_command()
            .args(["rev-parse", "--verify", "--quiet", &last])
            .run();
        let git = (run.status == 0).then(|| run.out().trim().to_owned());
        let branch = BString::from(last.trim_start_matches("refs/heads/"));
        let opened = repo.open();
        let tip = select::branch_tips(&opened, &[branch]).ok();
        assert_eq!(tip.map(|tips| tips[0].to_string()), git, "{length}");
        // As `HEAD`, which is one more.
        std::fs::write(repo.join(".git/HEAD"), format!("ref: {last}\n")).expect("HEAD");
        let run = repo
            .git_command()
            .args(["rev-parse", "--verify", "--quiet", "HEAD"])
            .run();
        let git = (run.status == 0).then(|| run.out().trim().to_owned());
        let head = open_at(repo.path()).head_id().ok().flatten();
        assert_eq!(head.map(|id| id.to_string()), git, "HEAD over {length}");
        seen.insert(git.is_some());
        std::fs::write(repo.join(".git/HEAD"), "ref: refs/heads/main\n").expect("HEAD");
    }
    assert_eq!(seen.len(), 2, "some are followed and some are not");
}

/// One by one as all at once: deltas by offset and by id, loose and packed, both hashes.
#[test]
fn an_object_that_is_looked_up_is_what_git_has() {
    for format in ["sha1", "sha256"] {
        let repo = TestRepo::with_init_args(&[&format!("--object-format={format}")]);
        let mut random = Keys::new(93);
        let mut text = random.text(b"abcdefghij\n", 4000);
        for number in 0..40 {
            let at = random.below(text.len());
            text.insert_str(at, &random.text(b"klmnop\n", 20));
            repo.commit_file("file.txt", &text, &format!("change {number}"));
        }
        repo.git(&["tag", "-m", "tagged", "v1"]);
        for repack in [
            &[][..],
            &["-adf", "--depth=50", "--window=50"],
            &["-adf", "--depth=0"],
        ] {
            if !repack.is_empty() {
                repo.git(&[&["repack", "--quiet"], repack].concat());
                repo.git(&["prune-packed"]);
            }
            same_as_git(&repo, &repo.open());
            repo.commit_file("loose.txt", random.text(b"xyz\n", 100), "loose");
        }
    }
}

fn same_as_git(repo: &TestRepo, opened: &Repository) {
    let list = repo.git(&[
        "cat-file",
        "--batch-all-objects",
        "--batch-check=%(objectname) %(objecttype) %(objectsize)",
    ]);
    for line in list.lines() {
        let [id, kind, size] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let id = ObjectId::from_hex(id.as_bytes()).expect("an id");
        let header = opened
            .objects()
            .header(&id)
            .expect("a header")
            .expect("an object");
        assert_eq!(
            (header.0.to_string(), header.1.to_string()),
            (kind.to_owned(), size.to_owned())
        );
        let mut bytes = Vec::new();
        let found = opened.find_object(&id, &mut bytes).expect("an object");
        assert_eq!(found, Some(header.0));
        let hash = gix::objs::compute_hash(id.kind(), header.0, &bytes).expect("a hash");
        assert_eq!(hash, id);
    }
    let nowhere = ObjectId::from_hex("12".repeat(opened.object_hash().len_in_bytes()).as_bytes());
    assert_eq!(
        opened.find_object(&nowhere.expect("an id"), &mut Vec::new()),
        Ok(None)
    );
}

#[test]
fn a_damaged_copy_in_one_place_does_not_hide_a_good_one_in_another() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "some content\n".repeat(50), "one");
    let id = repo.git(&["rev-parse", "HEAD:a.txt"]);
    let loose = repo.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let good = std::fs::read(&loose).expect("a loose object");
    repo.git(&["repack", "--quiet", "-ad"]);
    std::fs::create_dir_all(loose.parent().expect("a parent")).expect("a directory");
    let id = ObjectId::from_hex(id.as_bytes()).expect("an id");
    let read = |repo: &Repository| repo.find_object(&id, &mut Vec::new());
    // The packed one is good.
    let mut damaged = good.clone();
    let at = damaged.len() - 6;
    damaged[at] ^= 0x55;
    std::fs::write(&loose, &damaged).expect("a file");
    assert_eq!(read(&repo.open()), Ok(Some(gix::objs::Kind::Blob)));
    // The loose one is good, whichever is asked first.
    std::fs::write(&loose, &good).expect("a file");
    for pack in std::fs::read_dir(objects_dir(repo.path()).join("pack"))
        .expect("packs")
        .flatten()
    {
        if pack
            .path()
            .extension()
            .is_some_and(|extension| extension == "pack")
        {
            let mut bytes = std::fs::read(pack.path()).expect("a pack");
            let end = bytes.len() - 20;
            bytes[12..end].fill(0x7f);
            std::fs::remove_file(pack.path()).expect("removed");
            std::fs::write(pack.path(), bytes).expect("a pack");
        }
    }
    let opened = repo.open();
    assert_eq!(read(&opened), Ok(Some(gix::objs::Kind::Blob)));
    let tree = repo
        .git_command()
        .args(["rev-parse", "HEAD"])
        .status(0)
        .out();
    let tree = ObjectId::from_hex(tree.trim().as_bytes()).expect("an id");
    let fault = opened
        .find_object(&tree, &mut Vec::new())
        .expect_err("it is damaged");
    assert_eq!(fault.reason(), SkipReason::Corrupt, "{fault}");
    assert_eq!(
        read(&opened),
        Ok(Some(gix::objs::Kind::Blob)),
        "once the packs are open"
    );
}
