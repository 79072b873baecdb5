//! Calls of the system by a run of the program, where `strace` can show them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::command::{Run, TestCommand};

/// Runs the program, as `set` sets it up; gives its system calls that concern processes, the network and
/// files, too, where they can be seen.
pub fn traced(dir: &Path, set: impl FnOnce(TestCommand) -> TestCommand) -> (Run, Option<String>) {
    if !has_strace() {
        return (set(TestCommand::keysieve(dir)).run(), None);
    }
    let log = tempfile::NamedTempFile::new().expect("a file");
    let path = log.path().to_str().expect("a plain path");
    let trace = "trace=process,network,file,desc";
    let wrapper = ["strace", "-f", "-qq", "-e", trace, "-o", path];
    let run = set(TestCommand::keysieve_under(&wrapper, dir)).run();
    let calls = std::fs::read(log.path()).expect("a log");
    (run, Some(String::from_utf8_lossy(&calls).into_owned()))
}

/// Returns true if `strace` is there and may be used. The gate needs to run without it, but not silently: this goes to
/// standard error past the capture of the test harness.
fn has_strace() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let found = Command::new("strace")
            .args(["-o", "/dev/null", "true"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !found {
            let text =
                "\nNOT TESTED: which processes and sockets are opened, as `strace` is missing\n";
            std::io::stderr().write_all(text.as_bytes()).expect("told");
        }
        found
    })
}

/// The calls of a log by name, with their whole line.
pub fn calls(log: &str) -> impl Iterator<Item = (&str, &str)> {
    log.lines().map(|line| {
        let call = line.split_once(' ').map_or(line, |parts| parts.1);
        let call = call.trim_start();
        (call.split('(').next().unwrap_or_default(), call)
    })
}

/// The calls that write, or could: files and folders that are made, opened for writing, moved, taken away.
pub fn writes(log: &str) -> impl Iterator<Item = &str> {
    const WRITES: &[&str] = &[
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "mkdir",
        "mkdirat",
        "symlink",
        "symlinkat",
        "link",
        "linkat",
        "chmod",
        "fchmodat",
        "utimensat",
    ];
    let opens = ["O_WRONLY", "O_RDWR", "O_CREAT"];
    let is_write = move |(name, call): &(&str, &str)| {
        WRITES.contains(name) || opens.iter().any(|flag| call.contains(flag))
    };
    calls(log).filter(is_write).map(|(_, call)| call)
}

/// Demands that no other program or process was started and nothing connected.
#[track_caller]
pub fn assert_starts_nothing(log: &str) {
    let programs = calls(log).filter(|(name, _)| name.starts_with("execve"));
    assert_eq!(programs.count(), 1, "{log}");
    for (name, call) in calls(log) {
        let is_process = match name {
            "fork" | "vfork" => true,
            "clone" | "clone3" => !call.contains("CLONE_THREAD"),
            _ => false,
        };
        // Pairs of sockets connect nothing: signals are passed on through one.
        let is_network = matches!(
            name,
            "socket" | "connect" | "bind" | "listen" | "sendto" | "sendmsg" | "sendmmsg"
        );
        assert!(!is_process && !is_network, "{call}");
    }
}
