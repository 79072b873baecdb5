//! The soak: random trees and repositories again and again, all within one process and each now and then with
//! the program under a memory limit. Nothing is lost, nothing leaks, and neither descriptors nor memory grow.
//!
//! ```text
//! KEYSIEVE_SOAK=60 cargo test --test main -- --ignored --nocapture soak::    # minutes; 1 if not set
//! ```

#![cfg(target_os = "linux")]
#![expect(
    clippy::print_stderr,
    reason = "the figures are the point of this test"
)]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use keysieve::engine::Engine;
use keysieve::finding::Located;
use keysieve::rule::RuleSet;
use keysieve::scan::{EngineProbe, Options, Scanner};
use keysieve::source::history::History;
use keysieve::source::worktree::Worktree;
use keysieve::text::paths::Base;

use crate::promise::{imported, noise, path, planted, story};
use crate::support::{Keys, TestCommand};

/// Memory of its own that one run of the program may have, in bytes.
const MEMORY: &str = "--data=300000000";
/// So many rounds fill buffers and caches before memory is held against anything.
const WARM: u64 = 100;
/// By so many KiB may memory then grow: what the allocator keeps between rounds.
const GROWTH: u64 = 32 << 10;

fn minutes() -> f64 {
    let set = std::env::var("KEYSIEVE_SOAK").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(1.0)
}

/// Open descriptors, and memory in KiB that is no map of a file.
fn held() -> (usize, u64) {
    let descriptors = fs::read_dir("/proc/self/fd").expect("a list").count();
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let memory = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok())
        .expect("a size");
    (descriptors, memory)
}

/// Scans in this process itself, with two threads.
fn scanned(engine: &Arc<Engine>, source: impl FnOnce(&mut Scanner)) -> Located {
    let mut scanner = Scanner::new(Arc::clone(engine), Options::default());
    source(&mut scanner);
    scanner.finish().in_place(&Base::Root)
}

#[track_caller]
fn assert_found(outcome: &Located, id: &str, seed: u64) {
    let found: Vec<&str> = outcome
        .findings()
        .iter()
        .filter_map(|finding| finding.key_id.as_deref())
        .collect();
    assert_eq!(found, [id], "seed {seed}");
    assert!(outcome.coverage().skips.is_empty(), "seed {seed}");
}

/// The program on the same, under a memory limit. It shows the id and no part of the secret.
#[track_caller]
fn assert_program_finds(dir: &Path, command: &str, id: &str, secret: &str, seed: u64) {
    let run = TestCommand::keysieve_under(&["prlimit", MEMORY], dir)
        .args([command, "--format=json"])
        .status(1);
    assert!(run.out().contains(id), "seed {seed}\n{}", run.show());
    let all = format!("{}{}", run.out(), run.err());
    for part in secret.as_bytes().windows(8) {
        let part = std::str::from_utf8(part).expect("ASCII");
        assert!(
            !all.contains(part),
            "seed {seed}: a part of the secret is shown"
        );
    }
}

/// The 40 characters of a planted pair.
fn secret_of(text: &str) -> String {
    let is_secret = |word: &&str| word.len() == 40;
    let of_alphabet = |c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '/');
    let found = text.split(of_alphabet).find(is_secret);
    found.expect("a secret").to_owned()
}

#[test]
#[ignore = "long"]
fn nothing_is_lost_or_leaked_and_nothing_grows() {
    let engine = Arc::new(Engine::new(Arc::new(RuleSet::builtin())));
    let end = Instant::now() + Duration::from_secs_f64(minutes() * 60.0);
    let (mut round, mut runs, mut most) = (0_u64, 0, 0);
    let mut warm = None;
    while Instant::now() < end || round <= WARM {
        let mut keys = Keys::new(0x534f_0000 + round);
        // A tree.
        let dir = tempfile::tempdir().expect("a directory");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
            fs::write(path, text).expect("a file");
        };
        for number in 0..keys.below(30) {
            let (place, lines) = (path(&mut keys), keys.below(60));
            write(&format!("{number}/{place}"), &noise(&mut keys, lines));
        }
        let lines = [300, 60_000][usize::from(round % 10 == 0)];
        let (text, id) = planted(&mut keys, lines);
        write(&format!("there/{}", path(&mut keys)), &text);
        let worktree = Worktree {
            roots: vec![dir.path().to_owned()],
            ..Worktree::default()
        };
        let outcome = scanned(&engine, |scanner| worktree.scan(scanner).expect("a scan"));
        assert_found(&outcome, &id, round);
        if round % 10 == 0 {
            assert_program_finds(dir.path(), "scan", &id, &secret_of(&text), round);
            runs += 1;
        }
        // A history, all stores opened anew.
        let story = story(&mut keys);
        let (repo, _) = imported(&mut keys, &story);
        let probe = EngineProbe::new(Arc::clone(&engine), Arc::default(), false);
        let history = History::of(&repo.open()).threads(2);
        let outcome = scanned(&engine, |scanner| {
            drop(history.scan(scanner, Some(&probe)).expect("a scan"));
        });
        assert_found(&outcome, &story.id, round);
        if round % 10 == 5 {
            assert_program_finds(
                repo.path(),
                "history",
                &story.id,
                &secret_of(&story.planted),
                round,
            );
            runs += 1;
        }
        drop((dir, repo, outcome, history));
        let (descriptors, memory) = held();
        most = most.max(memory);
        let (descriptors_then, memory_then) = match warm {
            Some(then) if round > WARM => then,
            _ => *warm.insert((descriptors, memory)),
        };
        assert_eq!(
            descriptors, descriptors_then,
            "descriptors after round {round}"
        );
        assert!(
            memory <= memory_then + GROWTH,
            "{memory_then} KiB after round {WARM}, {memory} after round {round}"
        );
        if round % 500 == 0 {
            eprintln!("round {round}: {descriptors} descriptors, {memory} KiB");
        }
        round += 1;
    }
    let (descriptors, memory) = held();
    eprintln!(
        "{round} trees and {round} histories in this process, {runs} runs of the program: all found; {descriptors} descriptors, {memory} KiB at the end, {most} at most"
    );
}
