//! A second scan of a history reads only what is new, and says the same as one that reads everything.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Keys, TestRepo, shows_part_of};

fn pair(keys: &mut Keys) -> String {
    let (id, secret) = (keys.id(), keys.secret());
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

/// The report with and without the cache, which must be the same but for what was taken from it.
#[track_caller]
fn compare(repo: &TestRepo, cache: &Path, threads: &str) -> (Value, u64) {
    let run = |extra: &[&str]| {
        let common = ["history", "--format=json", "--show-notes", "--threads"];
        let run = repo.keysieve(&common).arg(threads).args(extra).run();
        (run.json(), run.status, run.err())
    };
    let cache = cache.to_str().expect("a plain path");
    let mut cached = run(&["--cache", cache]);
    let plain = run(&[]);
    let taken = cached.0["coverage"]["cached"].as_u64().expect("a number");
    cached.0["coverage"]["cached"] = 0.into();
    assert_eq!(cached, plain);
    (plain.0, taken)
}

fn files(cache: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(cache)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.sort();
    files
}

fn all_objects(report: &Value) -> u64 {
    ["blobs", "commits", "tags"]
        .iter()
        .map(|name| report["coverage"][name].as_u64().expect("a number"))
        .sum()
}

#[test]
fn the_second_scan_takes_clean_objects_from_the_cache_and_reports_findings_again() {
    let mut keys = Keys::new(1);
    let dir = tempfile::tempdir().expect("a directory");
    let cache = dir.path().join("cache");
    let repo = TestRepo::new();
    repo.commit_file("clean", "nothing\n", "one");
    repo.commit_file("dirty", pair(&mut keys), "two");
    repo.git(&["tag", "-a", "-m", "a tag", "v1"]);

    let (first, taken) = compare(&repo, &cache, "2");
    assert_eq!((first["summary"]["errors"].as_u64(), taken), (Some(1), 0));
    let (second, taken) = compare(&repo, &cache, "2");
    // Everything but the blob with the pair.
    assert_eq!(taken, all_objects(&second) - 1);

    repo.commit_file("more", pair(&mut keys), "three");
    let (third, taken) = compare(&repo, &cache, "2");
    assert_eq!(third["summary"]["errors"].as_u64(), Some(2));
    assert_eq!(taken, all_objects(&third) - 3);

    repo.git(&["gc", "--quiet", "--prune=now"]);
    let (fourth, taken) = compare(&repo, &cache, "1");
    assert_eq!(taken, all_objects(&fourth) - 2);
    let plain = repo.keysieve(&["history"]).status(1).out();
    assert!(!plain.contains("the cache"), "{plain}");
    let text = repo.keysieve(&["history", "--cache"]).arg(&cache).status(1);
    let words: Vec<String> = text.out().split_whitespace().map(String::from).collect();
    assert!(
        words.join(" ").contains("5 of them from the cache"),
        "{}",
        text.show()
    );
}

#[test]
fn a_cache_that_is_damaged_or_made_with_other_settings_counts_for_nothing_and_is_made_anew() {
    let mut keys = Keys::new(2);
    let dir = tempfile::tempdir().expect("a directory");
    let cache = dir.path().join("cache");
    let repo = TestRepo::new();
    repo.commit_file("a", "nothing\n", "one");
    repo.commit_file("b", pair(&mut keys), "two");
    compare(&repo, &cache, "2");
    let [file] = files(&cache)
        .try_into()
        .expect("one file, and nothing temporary");
    let whole = std::fs::read(&file).expect("a cache");
    for at in [0, 20, 50, 84, 90, 100, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        std::fs::write(&file, &damaged).expect("write");
        assert_eq!(compare(&repo, &cache, "1").1, 0, "byte {at}");
        assert_eq!(std::fs::read(&file).expect("a cache"), whole, "byte {at}");
    }
    for length in [0, 10, 90, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).expect("write");
        assert_eq!(compare(&repo, &cache, "1").1, 0, "length {length}");
    }
    // Other settings: nothing is taken over in either direction.
    let run = |args: &[&str]| {
        let run = repo.keysieve(&["history", "--format=json", "--cache"]);
        let run = run.arg(&cache).args(args).run().json();
        run["coverage"]["cached"].as_u64().expect("a number")
    };
    assert_eq!(run(&["--only=aws-access-key-id"]), 0);
    assert_eq!(run(&["--only=aws-access-key-id"]), 4);
    assert_eq!(run(&["--max-object-size=5"]), 0);
    assert_eq!(run(&[]), 0);
    assert_eq!(run(&[]), 3);
    // Another repository has another file, even with the same objects.
    let other = TestRepo::new();
    other.git(&["fetch", "--quiet", repo.path().to_str().expect("a path")]);
    assert_eq!(compare(&other, &cache, "1").1, 0);
    assert_eq!(files(&cache).len(), 2);
}

#[test]
fn no_secret_and_nothing_for_others_to_read_is_in_the_cache_and_the_repository_is_left_alone() {
    let mut keys = Keys::new(3);
    let dir = tempfile::tempdir().expect("a directory");
    let cache = dir.path().join("cache");
    let repo = TestRepo::new();
    let text = pair(&mut keys);
    repo.commit_file("a", &text, "one");
    compare(&repo, &cache, "2");
    let [file] = files(&cache).try_into().expect("one file");
    let bytes = std::fs::read(&file).expect("a cache");
    let secrets: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split(" = ").nth(1))
        .collect();
    assert_eq!(secrets.len(), 2);
    for secret in secrets {
        assert!(!shows_part_of(secret, &bytes));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&file)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // A scan that learns nothing new writes nothing.
    let before = std::fs::metadata(&file)
        .expect("a file")
        .modified()
        .expect("a time");
    compare(&repo, &cache, "2");
    let after = std::fs::metadata(&file)
        .expect("a file")
        .modified()
        .expect("a time");
    assert_eq!(before, after);

    let inside = repo.keysieve(&["history", "--cache=.git/cache"]).status(2);
    assert!(inside.err().contains("outside"), "{}", inside.show());
    assert!(!repo.join(".git/cache").exists());
    // A directory that cannot be made costs a warning and not the scan.
    repo.write("file", "");
    let run = repo.keysieve(&["history", "--cache=file/cache"]).status(1);
    assert!(
        run.err().contains("cache was not written"),
        "{}",
        run.show()
    );
}

#[test]
fn what_could_not_be_read_or_is_missing_is_said_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let cache = dir.path().join("cache");
    let repo = TestRepo::new();
    repo.commit_file("a", "one\n", "one");
    repo.commit_file("large", "0123456789".repeat(100), "two");
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n",
        "0123456789abcdef".repeat(4)
    );
    repo.commit_file("pointer", pointer, "three");
    for _ in 0..2 {
        let (report, _) = compare(&repo, &cache, "2");
        assert_eq!(report["coverage"]["skipped"]["lfs"].as_u64(), Some(1));
    }
    for _ in 0..2 {
        let run = repo.keysieve(&[
            "history",
            "--format=json",
            "--max-object-size=500",
            "--cache",
        ]);
        let report = run.arg(&cache).status(2).json();
        assert_eq!(report["coverage"]["skipped"]["size"].as_u64(), Some(1));
    }
    compare(&repo, &cache, "2");
    // An object that was there is gone: the commit that refers to it says so although it was known.
    for spec in ["HEAD~1:a", "HEAD~1^{tree}", "HEAD~1"] {
        let id = repo.git(&["rev-parse", spec]);
        let path = repo.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
        let away = dir.path().join("away");
        std::fs::rename(&path, &away).expect("move");
        for _ in 0..2 {
            let (report, _) = compare(&repo, &cache, "2");
            let missing = report["coverage"]["skipped"]["missing"].as_u64();
            assert_eq!(missing, Some(1), "{spec}");
        }
        std::fs::rename(&away, &path).expect("move");
        let (report, _) = compare(&repo, &cache, "2");
        assert!(report["coverage"]["skipped"]["missing"].is_null(), "{spec}");
    }
}

#[test]
fn with_and_without_a_cache_random_repositories_say_the_same() {
    for seed in 0..5_u64 {
        let mut keys = Keys::new(100 + seed);
        let dir = tempfile::tempdir().expect("a directory");
        let cache = dir.path().join("cache");
        let repo = match seed % 5 {
            4 => TestRepo::with_init_args(&["--object-format=sha256"]),
            _ => TestRepo::new(),
        };
        let mut lines: Vec<String> = (0..40).map(|_| keys.hex(30)).collect();
        repo.commit_file("text", lines.join("\n"), "start");
        for step in 0..6 {
            for _ in 0..keys.below(3) {
                let at = keys.below(lines.len());
                lines[at] = match keys.below(4) {
                    0 => pair(&mut keys),
                    1 => format!("key {}", keys.id()),
                    _ => keys.hex(30),
                };
                let name = ["text", "other", "dir/more"][keys.below(3)];
                repo.commit_file(name, lines.join("\n"), &format!("step {step}"));
            }
            match keys.below(8) {
                0 => repo.git(&["repack", "-q", "-d"]),
                1 => repo.git(&["repack", "-q", "-a", "-d", "-f"]),
                2 => repo.git(&["gc", "--quiet", "--prune=now"]),
                3 => repo.git(&["tag", "-a", "-m", &pair(&mut keys), &format!("v{step}")]),
                4 => {
                    repo.git(&["reset", "--quiet", "--hard", "HEAD~0"]);
                    repo.git(&["commit", "--quiet", "--amend", "-m", &pair(&mut keys)]);
                    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
                    repo.git(&["prune", "--expire=now"])
                }
                5 => {
                    for file in files(&cache) {
                        let mut bytes = std::fs::read(&file).expect("a cache");
                        let at = keys.below(bytes.len());
                        bytes[at] = bytes[at].wrapping_add(1);
                        std::fs::write(&file, bytes).expect("write");
                    }
                    String::new()
                }
                _ => String::new(),
            };
            let threads = ["1", "2", "7"][keys.below(3)];
            compare(&repo, &cache, threads);
        }
    }
}
