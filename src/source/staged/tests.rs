//! The mapped index, held against the decoded one, and the cache of trees against none: on repositories that Git made.

use std::path::Path;
use std::process::Command;

use super::compare::Comparison;
use super::index::Index;
use crate::coverage::Skip;
use crate::git::repository::{self, GitEnvironment, Repository};
use crate::source::entries::Item;

fn git(dir: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.org"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", dir.join("none"))
        .output()
        .expect("git runs");
    output.status.success()
}

fn must(dir: &Path, arguments: &[&str]) {
    assert!(git(dir, arguments), "git {arguments:?}");
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 1) as usize % count
    }

    /// A path of few names, so that files and directories take each other's places.
    fn path(&mut self) -> String {
        let names = ["a", "a-b", "a.b", "b", "c", "long name"];
        let depth = 1 + self.below(3);
        let parts: Vec<&str> = (0..depth).map(|_| names[self.below(names.len())]).collect();
        parts.join("/")
    }
}

type Seen = (Vec<Item>, Vec<Skip>, usize, usize);

fn seen(
    repository: &Repository,
    index: &Index,
    compare: impl Fn(&mut Comparison<'_>, Option<gix::ObjectId>),
) -> Seen {
    let head = repository.head_id().expect("a repository");
    let tree = head.map(|id| repository.tree_of(id, &mut Vec::new()).expect("a commit"));
    let mut comparison = Comparison::new(repository.objects(), index);
    compare(&mut comparison, tree);
    index.verify(repository).expect("nobody cuts it");
    let Comparison {
        items,
        skips,
        changed,
        removed,
        ..
    } = comparison;
    (items, skips, changed, removed)
}

/// All ways to compare say the same; gives whether the index was looked at where it lies.
fn compare(dir: &Path, what: &str) -> bool {
    let repository = repository::open(dir, &GitEnvironment::default()).expect("a repository");
    let index = Index::load(&repository).expect("an index");
    let decoded = Index::decode(&repository).expect("an index");
    let plain = seen(&repository, &decoded, |all, tree| all.without_cache(tree));
    for (way, index) in [("mapped", &index), ("decoded", &decoded)] {
        let cached = seen(&repository, index, |all, tree| all.with_head(tree));
        assert_eq!(cached, plain, "{way}: {what}");
        let listed = seen(&repository, index, |all, _| all.all_files());
        let truth = seen(&repository, &decoded, |all, _| all.all_files());
        assert_eq!(listed, truth, "{way}: {what}");
    }
    for at in 0..decoded.len() {
        let path = decoded.path(at);
        assert_eq!(index.path(at), path, "{what}");
        assert_eq!(index.regular_file(path), decoded.regular_file(path));
    }
    assert_eq!(index.len(), decoded.len());
    assert_eq!(index.regular_file("no such".into()), None);
    index.is_mapped()
}

/// Does something to the index at random; gives what it was.
fn step(dir: &Path, random: &mut Random) -> String {
    let path = random.path();
    let file = dir.join(&path);
    let arguments: Vec<&str> = match random.below(9) {
        0..3 => {
            if file
                .parent()
                .is_some_and(|parent| std::fs::create_dir_all(parent).is_ok())
            {
                let text = format!("{}\n", random.below(5));
                // A directory may stand there; then nothing happens.
                let _ = std::fs::write(&file, text);
            }
            vec!["add", "--all", "."]
        }
        3 => vec![
            "rm",
            "-r",
            "-q",
            "--cached",
            "--ignore-unmatch",
            "--",
            &path,
        ],
        4 => vec!["rm", "-r", "-q", "-f", "--ignore-unmatch", "--", &path],
        5 => vec!["add", "--intent-to-add", "."],
        6 => vec!["commit", "-q", "-m", "x", "--allow-empty"],
        7 => vec!["update-index", "--force-write-index"],
        _ => vec!["write-tree"],
    };
    git(dir, &arguments);
    arguments.join(" ")
}

#[test]
fn every_way_to_compare_an_index_says_the_same() {
    let mut mapped = 0;
    let mut total = 0;
    for seed in 0..6 {
        let dir = tempfile::tempdir().expect("a directory");
        let dir = dir.path();
        let mut random = Random(seed);
        let hash = ["--object-format=sha1", "--object-format=sha256"][usize::from(seed == 5)];
        must(dir, &["init", "-q", hash, "."]);
        let mut said = format!("seed {seed}");
        for _ in 0..14 {
            said.push('\n');
            said.push_str(&step(dir, &mut random));
            mapped += usize::from(compare(dir, &said));
            total += 1;
        }
    }
    assert!(mapped * 10 > total * 9, "{mapped} of {total}");
}

#[test]
fn an_index_of_another_kind_is_decoded() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    must(dir, &["init", "-q", "."]);
    for path in ["a/b/one", "a/two", "c/d/three", "four"] {
        let file = dir.join(path);
        std::fs::create_dir_all(file.parent().expect("below")).expect("a directory");
        std::fs::write(file, path).expect("a file");
    }
    must(dir, &["add", "."]);
    must(dir, &["commit", "-q", "-m", "x"]);
    let stage = |text: &str| {
        std::fs::write(dir.join("a/two"), text).expect("a file");
        must(dir, &["add", "a/two"]);
    };
    stage("2");
    assert!(compare(dir, "version 2"));
    must(dir, &["add", "--intent-to-add", "."]);
    std::fs::write(dir.join("new"), "new").expect("a file");
    must(dir, &["add", "--intent-to-add", "new"]);
    assert!(compare(dir, "version 3"));
    must(dir, &["rm", "-q", "--cached", "new"]);
    must(dir, &["update-index", "--index-version", "4"]);
    assert!(!compare(dir, "version 4"));
    must(dir, &["update-index", "--index-version", "2"]);
    must(dir, &["update-index", "--split-index"]);
    stage("3");
    assert!(!compare(dir, "split"));
    must(dir, &["update-index", "--no-split-index"]);
    assert!(compare(dir, "whole again"));
    must(
        dir,
        &[
            "-c",
            "index.skipHash=true",
            "update-index",
            "--force-write-index",
        ],
    );
    assert!(compare(dir, "perhaps without checksum"));
    must(dir, &["stash", "-q"]);
    if git(
        dir,
        &["sparse-checkout", "set", "--cone", "--sparse-index", "c"],
    ) {
        assert!(!compare(dir, "sparse"));
        must(dir, &["sparse-checkout", "disable"]);
    }
    // A conflict: three stages of one path.
    must(dir, &["stash", "pop", "-q"]);
    must(dir, &["commit", "-q", "-a", "-m", "ours"]);
    must(dir, &["checkout", "-q", "-b", "other", "HEAD~1"]);
    stage("theirs");
    must(dir, &["commit", "-q", "-m", "theirs"]);
    assert!(!git(dir, &["merge", "-q", "-"]));
    assert!(compare(dir, "a conflict"));
}

/// A damaged index is never taken for another one: each byte changed, each length.
#[test]
fn a_damaged_index_is_left_to_the_slow_way() {
    use crate::content::open_regular;
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path();
    must(dir, &["init", "-q", "."]);
    for path in ["one", "two", "a/b"] {
        std::fs::create_dir_all(dir.join("a")).expect("a directory");
        std::fs::write(dir.join(path), path).expect("a file");
    }
    must(dir, &["add", "."]);
    must(dir, &["write-tree"]);
    let good = std::fs::read(dir.join(".git/index")).expect("an index");
    let file = dir.join("index");
    let is_taken = |bytes: &[u8]| {
        std::fs::write(&file, bytes).expect("a file");
        let file = open_regular(&file).expect("a file");
        super::mapped::Mapped::open(&file, gix::hash::Kind::Sha1).is_some()
    };
    assert!(is_taken(&good));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        assert!(!is_taken(&bad), "byte {at}");
        assert!(!is_taken(&good[..at]), "length {at}");
    }
    // Without a checksum nothing may panic, whatever it says.
    let end = good.len() - 20;
    for at in 0..end {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bad = good.clone();
            bad[at] = value;
            bad[end..].fill(0);
            std::fs::write(&file, &bad).expect("a file");
            let file = open_regular(&file).expect("a file");
            if let Some(mapped) = super::mapped::Mapped::open(&file, gix::hash::Kind::Sha1) {
                for entry in 0..=mapped.len() {
                    mapped.entry(entry);
                    mapped.path(entry);
                }
                for tree in 0..5 {
                    mapped.children(tree);
                    mapped.id(tree);
                }
            }
        }
    }
}
