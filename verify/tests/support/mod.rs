//! Support for the tests: keys made at run time, the programs, and servers on this machine.

pub mod aws;
pub mod certificates;
#[path = "../../../tests/support/keys.rs"]
#[allow(dead_code, reason = "shared with the tests of the scanner")]
pub mod keys;
pub mod proxy;
pub mod server;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

pub use keys::{Keys, shows_part_of};
pub use server::{Reply, Seen, Server};

/// Result of a run.
#[derive(Debug)]
pub struct Run {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// The answers, one a line, and the last line.
    #[track_caller]
    pub fn answers(&self) -> (Vec<Value>, Value) {
        let parse = |line: &str| serde_json::from_str(line).expect("JSON");
        let mut lines: Vec<Value> = self.out.lines().map(parse).collect();
        let last = lines.pop().unwrap_or_else(|| panic!("{self:?}"));
        assert_eq!(last["schema"], "keysieve-verify/1", "{self:?}");
        (lines, last)
    }

    /// The only answer: its status and its reason.
    #[track_caller]
    pub fn told(&self) -> (String, String) {
        let (answers, _) = self.answers();
        assert_eq!(answers.len(), 1, "{self:?}");
        let text = |name: &str| answers[0][name].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }
}

/// A run of `keysieve-verify` in a clean environment.
pub struct Verify {
    command: Command,
    stdin: Vec<u8>,
}

impl Verify {
    pub fn new(args: &[&str]) -> Self {
        Self::under(&[], args)
    }

    /// Started by another program, such as `strace`.
    pub fn under(wrapper: &[&str], args: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_keysieve-verify");
        let mut words = wrapper.to_vec();
        words.push(program);
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).args(args).env_clear();
        for name in ["PATH", "TMPDIR", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Self {
            command,
            stdin: Vec::new(),
        }
    }

    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args(mut self, args: &[&str]) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// With credentials of the account, in the environment.
    pub fn with_own(self) -> Self {
        let own = own();
        self.env("AWS_ACCESS_KEY_ID", &own.0)
            .env("AWS_SECRET_ACCESS_KEY", &own.1)
    }

    pub fn run(mut self) -> Run {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A program that does not read its input closes the pipe: not an error of the test.
        let _ = stdin.write_all(&self.stdin);
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        Run {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    #[track_caller]
    pub fn status(self, expected: i32) -> Run {
        let run = self.run();
        assert_eq!(run.status, expected, "{run:?}");
        run
    }
}

/// The account of [`id`].
pub const ACCOUNT: &str = "123456789012";

/// The ID of that number, of account 123456789012.
pub fn id(number: u8) -> String {
    let letter = char::from(b'A' + number % 26);
    ["AKIA", "RZPUZDIK", "GB2QWRT"].concat() + &letter.to_string()
}

/// A canary's: its account is a known one.
pub fn canary() -> String {
    ["AKIA", "XYZDQCEN", "4B6JSJQI"].concat()
}

/// The caller's own ID and secret.
pub fn own() -> (String, String) {
    (
        ["AKIA", "RZPUZDIK", "GMINEOWN"].concat(),
        Keys::new(77).secret(),
    )
}

/// A line of a report in which secrets are shown.
pub fn line(id: &str, secret: &str) -> Value {
    json!({
        "rule": "aws-access-key-pair", "level": "error", "fingerprint": format!("ks1:{}", "0".repeat(32)),
        "key_id": id, "secret_key": secret,
        "places": [{ "path": "deploy/.env", "line": 3 }],
    })
}

/// A report of lines, with its end.
pub fn report(lines: &[Value]) -> String {
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let end = json!({
        "schema": "keysieve-report/1", "coverage": { "complete": true },
        "summary": { "errors": lines.len(), "warnings": 0, "notes": 0, "accepted": 0 },
    });
    text.push_str(&format!("{end}\n"));
    text
}

/// A report of the one pair that most tests ask about.
pub fn one_pair() -> String {
    report(&[line(&id(0), &Keys::new(1).secret())])
}

/// The scanner, freshly built.
pub fn scanner() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let verify = Path::new(env!("CARGO_BIN_EXE_keysieve-verify"));
        let dir = verify.parent().expect("a directory");
        let is_release = dir.file_name().is_some_and(|name| name == "release");
        let mut command = Command::new(env!("CARGO"));
        command
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .args([
                "build",
                "--locked",
                "--quiet",
                "--package=keysieve",
                "--bin=keysieve",
            ])
            .args(is_release.then_some("--release"));
        let built = command.status().expect("cargo runs");
        assert!(built.success());
        dir.join("keysieve")
    })
}

/// Runs the scanner in `dir`; its report comes on standard output.
pub fn scan(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(scanner())
        .current_dir(dir)
        .args(args)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Returns true if `strace` is there and may be used; if not, says so past the capture of the harness.
pub fn has_strace() -> bool {
    let found = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        let text = "\nNOT TESTED: which sockets are opened, as `strace` is missing\n";
        std::io::stderr().write_all(text.as_bytes()).expect("told");
    }
    found
}
