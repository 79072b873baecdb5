//! The walk over a tree, and the reading of files: what `MAP_FROM` and the thread count rest on.
//!
//! `KEYSIEVE_BENCH_TREE` names a tree of real files; without it one is made.

#![allow(unreachable_pub, reason = "a bench has no outside")]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ignore::{WalkBuilder, WalkState};
use keysieve::blob::Blob;
use keysieve::content::{FileReader, Links};
use keysieve::coverage::Skip;
use keysieve::source::worktree::{Options, Worktree};
use keysieve::source::{BlobSink, Clean};
use memchr::memmem::Finder;

/// A literal that no file has.
const LITERAL: &[u8] = b"nowhere-to-be-found";

/// Searches each blob for one literal, which is the least that a scan does.
#[derive(Clone)]
struct Search(Finder<'static>);

impl Search {
    fn new() -> Self {
        Self(Finder::new(LITERAL))
    }
}

impl BlobSink for Search {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        black_box(self.0.find(blob.bytes));
        ControlFlow::Continue(())
    }

    fn skip(&mut self, _skip: Skip) {}

    fn clean(&mut self, _clean: Clean) {}

    fn join(&mut self, _share: Self) {}
}

/// The least that the walker of the `ignore` crate with plain reads needs for the same.
fn ignore_walk(root: &Path) {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let walk = WalkBuilder::new(root)
        .standard_filters(false)
        .threads(threads)
        .build_parallel();
    walk.run(|| {
        let finder = Finder::new(LITERAL);
        let mut buffer = Vec::new();
        Box::new(move |entry| {
            let Ok(entry) = entry else {
                return WalkState::Continue;
            };
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                buffer.clear();
                if let Ok(mut file) = File::open(entry.path()) {
                    let _ = file.read_to_end(&mut buffer);
                }
                black_box(finder.find(&buffer));
            }
            WalkState::Continue
        })
    });
}

fn walk(criterion: &mut Criterion) {
    let (_guard, root, files) = tree();
    let mut group = criterion.benchmark_group("walk");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(files));
    for (name, respect_ignore, threads) in [
        ("all", false, None),
        ("all_one_thread", false, Some(1)),
        ("respect_ignore", true, None),
    ] {
        let options = Options {
            respect_ignore,
            threads,
            ..Options::default()
        };
        let worktree = Worktree {
            roots: vec![root.clone()],
            options,
        };
        group.bench_function(name, |bencher| {
            bencher.iter(|| worktree.scan(&mut Search::new()).expect("a scan"));
        });
    }
    group.bench_function("ignore_crate", |bencher| {
        bencher.iter(|| ignore_walk(&root))
    });
    group.finish();
}

/// A tree of 6,000 files of 1 to 40 KB in 600 directories, or the one that was named.
fn tree() -> (Option<tempfile::TempDir>, PathBuf, u64) {
    if let Some(root) = std::env::var_os("KEYSIEVE_BENCH_TREE") {
        let root = PathBuf::from(root);
        let files = count(&root);
        return (None, root, files);
    }
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = "let words = other_words(and, some) + more;\n".repeat(1000);
    for number in 0..6000_usize {
        let parent = dir
            .path()
            .join(format!("{}/{}/src", number % 20, number % 600));
        fs::create_dir_all(&parent).expect("directories");
        let length = 1000 + number * 7919 % 39_000;
        let content = text.get(..length).expect("long enough");
        fs::write(parent.join(format!("{number}.rs")), content).expect("a file");
    }
    fs::create_dir(dir.path().join(".git")).expect("a directory");
    fs::write(dir.path().join(".gitignore"), "target/\n*.o\n*.log\n").expect("a file");
    let root = dir.path().to_owned();
    (Some(dir), root, 6001)
}

fn count(root: &Path) -> u64 {
    let walk = WalkBuilder::new(root).standard_filters(false).build();
    walk.filter(|entry| {
        entry
            .as_ref()
            .is_ok_and(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
    })
    .count() as u64
}

fn reading(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut group = criterion.benchmark_group("content");
    group.sample_size(20);
    for shift in [14, 16, 18, 19, 20, 21, 22, 24, 26] {
        let length: u64 = 1 << shift;
        let path = dir.path().join(length.to_string());
        fs::write(&path, vec![b'x'; 1 << shift]).expect("a file");
        group.throughput(Throughput::Bytes(length));
        for (name, map_from) in [("read", u64::MAX), ("map", 0)] {
            let mut reader = FileReader::with_map_from(None, map_from);
            let finder = Finder::new(LITERAL);
            group.bench_function(format!("{name}/{}k", length >> 10), |bencher| {
                bencher.iter(|| {
                    let content = reader.open(&path, Links::Refuse).expect("a file");
                    black_box(finder.find(content.bytes()));
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, walk, reading);
criterion_main!(benches);
