//! Memory and time on what is far larger than usual. Not run with the others: it takes minutes and 12 GB of disk.
//!
//! ```text
//! cargo test --test main -- --ignored --nocapture --test-threads=1 bounds::
//! ```
//!
//! `KEYSIEVE_PROGRAM` names the program to measure where it is not the one of this build, a release build for
//! one. The bounds are enforced by the system: a run may have that much memory of its own (maps of what it
//! reads apart) and ends with a failure beyond it.

#![cfg(target_os = "linux")]
#![expect(
    clippy::print_stderr,
    reason = "the figures are the point of these tests"
)]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{TestRepo, pair};

const MIB: u64 = 1 << 20;

fn program() -> String {
    std::env::var("KEYSIEVE_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_keysieve").to_owned())
}

/// Runs the program within so many MiB of its own memory; it must end with that status. Says what it took.
#[track_caller]
fn measured(what: &str, dir: &Path, args: &[&str], limit: u64, status: i32) -> serde_json::Value {
    let start = Instant::now();
    let mut child = Command::new("prlimit")
        .arg(format!("--data={}", limit * MIB))
        .arg(program())
        .args(args)
        .arg("--format=json")
        .current_dir(dir)
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .stdout(Stdio::from(
            File::create(dir.join("../report")).expect("a file"),
        ))
        .spawn()
        .expect("`prlimit` runs");
    let mut most = 0;
    let ended = loop {
        most = most.max(anonymous(child.id()));
        if let Some(ended) = child.try_wait().expect("a child") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let report = fs::read(dir.join("../report")).expect("a report");
    let text = String::from_utf8_lossy(&report[..report.len().min(3000)]).into_owned();
    eprintln!(
        "{what}: {:.1} s, {} MiB of its own at most, allowed {limit} MiB",
        start.elapsed().as_secs_f64(),
        most / 1024
    );
    assert_eq!(ended.code(), Some(status), "{what}\n{text}");
    serde_json::from_slice(&report).expect("JSON")
}

/// Memory that is not a map of a file, in KiB.
fn anonymous(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or_default()
}

fn findings(report: &serde_json::Value) -> usize {
    report["findings"].as_array().map_or(0, Vec::len)
}

/// A directory to scan inside one for the report.
fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let outer = tempfile::tempdir().expect("a directory");
    let inner = outer.path().join("inner");
    fs::create_dir(&inner).expect("a directory");
    (outer, inner)
}

#[test]
#[ignore = "large"]
fn a_sparse_file_of_5_gb() {
    use std::os::unix::fs::FileExt as _;
    let (_outer, dir) = place();
    let file = File::create(dir.join("sparse")).expect("a file");
    file.set_len(5 << 30).expect("a length");
    file.write_all_at(pair(1).as_bytes(), 4 << 30)
        .expect("written");
    let report = measured("5 GB sparse file", &dir, &["scan"], 128, 1);
    assert_eq!(findings(&report), 1);
}

#[test]
#[ignore = "large"]
fn a_line_of_2_gb() {
    for (what, word, limit) in [
        ("2 GB line of text", "some words that mean nothing; ", 128),
        // All but a key id's letters, again and again.
        (
            "2 GB line of near misses",
            "AKIB aws_secret_acces_key = ",
            128,
        ),
    ] {
        let (_outer, dir) = place();
        let mut file = BufWriter::new(File::create(dir.join("line")).expect("a file"));
        let block = word.repeat((1 << 20) / word.len());
        for _ in 0..2048 {
            file.write_all(block.as_bytes()).expect("written");
        }
        file.write_all(pair(2).as_bytes()).expect("written");
        file.flush().expect("written");
        drop(file);
        let report = measured(what, &dir, &["scan"], limit, 1);
        assert_eq!(findings(&report), 1, "{what}");
    }
}

#[test]
#[ignore = "large"]
fn a_million_small_files() {
    let (_outer, dir) = place();
    for outer in 0..1000 {
        let inner = dir.join(outer.to_string());
        fs::create_dir(&inner).expect("a directory");
        for number in 0..1000 {
            let text = match (outer, number) {
                (777, 777) => pair(3),
                _ => format!("file {outer} {number}\n"),
            };
            fs::write(inner.join(number.to_string()), text).expect("a file");
        }
    }
    let report = measured("a million files", &dir, &["scan"], 256, 1);
    assert_eq!(findings(&report), 1);
    assert_eq!(report["coverage"]["files"], 1_000_000);
}

#[test]
#[ignore = "large"]
fn more_findings_than_are_listed_in_all() {
    let (_outer, dir) = place();
    for file in 0..201 {
        let text: String = (0..1000)
            .map(|number| pair(file * 1000 + number) + &"\n".repeat(20))
            .collect();
        fs::write(dir.join(file.to_string()), text).expect("a file");
    }
    let report = measured("201,000 findings", &dir, &["scan"], 2048, 2);
    assert_eq!(findings(&report), 200_000);
    assert_eq!(report["coverage"]["skipped"]["findings"], 1000);
}

#[test]
#[ignore = "large"]
fn half_a_million_commits() {
    let outer = TestRepo::new();
    let dir = outer.join("inner.git");
    outer.git(&["init", "--quiet", "--bare", "inner.git"]);
    let mut child = Command::new("git")
        .args(["-c", "gc.auto=0", "fast-import", "--quiet"])
        .current_dir(&dir)
        .stdin(Stdio::piped())
        .spawn()
        .expect("git");
    let mut stream = BufWriter::new(child.stdin.take().expect("stdin"));
    for number in 0..500_000 {
        let pair = match number {
            166_666 => pair(4),
            _ => String::new(),
        };
        let text = format!("file {}\nversion {number}\n{pair}", number % 1000);
        let when = 1_500_000_000 + number;
        let (folder, file) = (number % 100, number % 1000);
        write!(
            stream,
            "commit refs/heads/main\ncommitter C <c@example.org> {when} +0000\ndata 2\nx\nM 100644 inline d{folder}/f{file}\ndata {}\n{text}\n",
            text.len()
        )
        .expect("written");
    }
    drop(stream);
    assert!(child.wait().expect("git").success());
    let report = measured("500,000 commits", &dir, &["history"], 768, 1);
    assert_eq!(findings(&report), 1);
    let place = &report["findings"][0]["places"][0];
    assert_eq!(place["path"], "d66/f666");
    assert_eq!(report["coverage"]["commits"], 500_000);
}
