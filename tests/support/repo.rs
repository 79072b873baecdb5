//! Real repositories, made with the real `git`, without any configuration of the user or the system.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use keysieve::git::repository::{self, GitEnvironment, Repository};

use super::command::{Run, TestCommand};

/// Opens the repository that a path lies in, whatever the environment says.
pub fn open_at(path: &Path) -> Repository {
    repository::open(path, &GitEnvironment::default()).expect("a repository")
}

/// A repository in a temporary directory that is removed with it.
#[derive(Debug)]
pub struct TestRepo {
    dir: tempfile::TempDir,
    clock: std::cell::Cell<u64>,
}

impl TestRepo {
    /// An empty repository with a work tree, on branch `main`.
    pub fn new() -> Self {
        Self::with_init_args(&[])
    }

    /// An empty repository made with extra arguments for `git init`, `--object-format=sha256` for one.
    pub fn with_init_args(args: &[&str]) -> Self {
        let repo = Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
            clock: std::cell::Cell::new(1_700_000_000),
        };
        let mut all = vec!["init", "--quiet", "--initial-branch=main"];
        all.extend(args);
        repo.git(&all);
        repo
    }

    /// The root of the work tree.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The repository as the library sees it.
    pub fn open(&self) -> Repository {
        open_at(self.path())
    }

    /// A path below the root.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path().join(path)
    }

    /// Runs `git`, which must succeed; gives its output without the last newline.
    #[track_caller]
    pub fn git<S: AsRef<OsStr>>(&self, args: &[S]) -> String {
        self.try_git(args, 0)
            .out()
            .trim_end_matches('\n')
            .to_owned()
    }

    /// Runs `git` and demands a status.
    #[track_caller]
    pub fn try_git<S: AsRef<OsStr>>(&self, args: &[S], status: i32) -> Run {
        self.git_command()
            .args(args.iter().map(|arg| arg.as_ref()))
            .status(status)
    }

    /// A `git` command in the repository with fixed names; each call is one minute later than the last.
    pub fn git_command(&self) -> TestCommand {
        let now = self.clock.get() + 60;
        self.clock.set(now);
        let date = format!("{now} +0000");
        TestCommand::new("git", self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ada Author")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", "Carl Committer")
            .env("GIT_COMMITTER_EMAIL", "carl@example.org")
            .env("GIT_COMMITTER_DATE", &date)
    }

    /// Writes a file of the work tree, with its directories.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).expect("directories");
        }
        std::fs::write(path, content).expect("a file");
    }

    /// Writes a file and stages it.
    #[track_caller]
    pub fn stage(&self, path: &str, content: impl AsRef<[u8]>) {
        self.write(path, content);
        self.git(&["add", "--force", "--", path]);
    }

    /// Commits what is staged; gives the commit's id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--no-verify",
            "-m",
            message,
        ]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes, stages and commits one file; gives the commit's id.
    #[track_caller]
    pub fn commit_file(&self, path: &str, content: impl AsRef<[u8]>, message: &str) -> String {
        self.stage(path, content);
        self.commit(message)
    }

    /// `keysieve` at the root of the repository.
    pub fn keysieve<S: AsRef<OsStr>>(&self, args: &[S]) -> TestCommand {
        TestCommand::keysieve(self.path()).args(args.iter().map(|arg| arg.as_ref()))
    }
}
