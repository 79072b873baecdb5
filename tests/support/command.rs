//! Runs the real program and shows everything when an expectation fails.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// One run of the program, or of another command, in a clean environment.
#[derive(Debug)]
pub struct TestCommand {
    command: Command,
    stdin: Vec<u8>,
    dir: PathBuf,
}

/// Result of a run.
#[derive(Debug)]
pub struct Run {
    /// Exit status; -1 if a signal ended it.
    pub status: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    what: String,
}

impl TestCommand {
    /// `keysieve` in `dir`, with no configuration of the user's.
    pub fn keysieve(dir: impl AsRef<Path>) -> Self {
        Self::new(env!("CARGO_BIN_EXE_keysieve"), dir)
    }

    /// `keysieve` started by another program, such as `timeout` or `prlimit`: its name and arguments.
    pub fn keysieve_under<S: AsRef<OsStr>>(wrapper: &[S], dir: impl AsRef<Path>) -> Self {
        let (program, args) = wrapper.split_first().expect("a program");
        Self::new(program, dir)
            .args(args)
            .arg(env!("CARGO_BIN_EXE_keysieve"))
    }

    /// `keysieve` as a user to whom the permissions of files apply, which they do not to root.
    pub fn keysieve_as_nobody(dir: impl AsRef<Path>) -> Self {
        Self::as_nobody(dir, &[])
    }

    /// `keysieve` as a user that may have no further process or thread.
    pub fn keysieve_without_threads(dir: impl AsRef<Path>) -> Self {
        Self::as_nobody(dir, &["prlimit", "--nproc=1"])
    }

    fn as_nobody(dir: impl AsRef<Path>, wrapper: &[&str]) -> Self {
        if !is_root() {
            let program = env!("CARGO_BIN_EXE_keysieve");
            return Self::new("env", dir).args(wrapper).arg(program);
        }
        Self::new("setpriv", dir)
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .args(wrapper)
            .arg(readable_copy())
    }

    /// Any program in `dir`.
    pub fn new(program: impl AsRef<OsStr>, dir: impl AsRef<Path>) -> Self {
        let dir = dir.as_ref().to_owned();
        let mut command = Command::new(program);
        command
            .current_dir(&dir)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in ["PATH", "TMPDIR", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", "/nonexistent")
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        Self {
            command,
            stdin: Vec::new(),
            dir,
        }
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the standard input of the program.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs it to its end, whatever the status.
    pub fn run(mut self) -> Run {
        let what = format!("{:?}", self.command);
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        let mut stdin = child.stdin.take().expect("stdin is piped");
        let bytes = std::mem::take(&mut self.stdin);
        let feeder = std::thread::spawn(move || {
            // A program that does not read its input closes the pipe: not an error of the test.
            let _ = stdin.write_all(&bytes);
        });
        let output = child
            .wait_with_output()
            .unwrap_or_else(|error| panic!("cannot wait for {what}: {error}"));
        feeder.join().expect("the feeder does not panic");
        Run {
            status: output.status.code().unwrap_or(-1),
            stdout: output.stdout,
            stderr: output.stderr,
            what: format!(
                "{what}\n  in {}:\n{}",
                self.dir.display(),
                listing(&self.dir)
            ),
        }
    }

    /// Runs it and demands an exit status.
    #[track_caller]
    pub fn status(self, expected: i32) -> Run {
        let run = self.run();
        assert!(
            run.status == expected,
            "expected status {expected}\n{}",
            run.show()
        );
        run
    }
}

impl Run {
    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|error| panic!("not JSON: {error}\n{}", self.show()))
    }

    /// Everything about the run, for a failed expectation.
    pub fn show(&self) -> String {
        format!(
            "{}\nstatus: {}\nstdout:\n{}\nstderr:\n{}",
            self.what,
            self.status,
            self.out(),
            self.err()
        )
    }
}

/// `PATH` with the program's own directory first.
pub fn path_with_keysieve() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_keysieve"));
    let dir = program.parent().expect("a directory").display();
    format!("{dir}:{}", std::env::var("PATH").expect("a path"))
}

/// Returns true if the tests run as root.
pub fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("`id` runs");
    output.stdout.starts_with(b"0\n")
}

/// Returns the program at a place that every user reaches; the build directory may be in a private home.
fn readable_copy() -> &'static Path {
    use std::sync::OnceLock;
    static COPY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let dir = COPY.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        open_to_all(dir.path());
        let to = dir.path().join("keysieve");
        std::fs::copy(env!("CARGO_BIN_EXE_keysieve"), &to).expect("a copy");
        open_to_all(&to);
        dir
    });
    Box::leak(dir.path().join("keysieve").into_boxed_path())
}

/// Lets everybody read and enter what the tests made.
pub fn open_to_all(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path, mode).expect("a mode");
    }
    let _ = path;
}

/// Lets nobody read or enter something; root does all the same.
#[cfg(unix)]
pub fn close_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).expect("a mode");
}

fn listing(dir: &Path) -> String {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| format!("    {}", entry.file_name().to_string_lossy()))
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names.truncate(40);
    names.join("\n")
}

/// Sends a signal, such as `INT`, to a program that runs.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(status.expect("`kill` runs").success());
}

/// Returns when a program has begun to read its standard input: this is more than a pipe holds, which is 1 MiB
/// where pages are large.
pub fn feed_until_read(stdin: &mut ChildStdin) {
    let text = "nothing\n".repeat(4 * 1024 * 1024 / 8);
    stdin.write_all(text.as_bytes()).expect("it reads");
}
