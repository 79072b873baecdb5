//! The hooks under other people's tools, each the real one: Git LFS, pre-commit, prek, lefthook, husky, lint-staged,
//! and the shell of GitHub's runner; and archives as the real tools make them.
//!
//! They are run by `.ci/others`, which installs the tools and says where; `cargo test` alone leaves them out.

mod action;
#[cfg(feature = "archive")]
mod archives;
mod framework;
mod lefthook;
mod lfs;
mod node;

use std::path::{Path, PathBuf};

use crate::support::command::Run;
use crate::support::{TestCommand, TestRepo};

/// A repository, a home and the tools.
struct World {
    repo: TestRepo,
    home: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            repo: TestRepo::new(),
            home: tempfile::tempdir().expect("a directory"),
        }
    }

    /// `PATH` with the program and the tools.
    fn path() -> String {
        let tools = std::env::var_os("KEYSIEVE_OTHERS")
            .expect("KEYSIEVE_OTHERS says where the tools are: run .ci/others");
        let tools = PathBuf::from(tools).join("bin");
        let program = Path::new(env!("CARGO_BIN_EXE_keysieve"));
        let program = program.parent().expect("a directory").display();
        let rest = std::env::var("PATH").expect("a path");
        format!("{program}:{}:{rest}", tools.display())
    }

    fn with_env(&self, command: TestCommand) -> TestCommand {
        let home = self.home.path();
        command
            .env("PATH", Self::path())
            .env("HOME", home)
            .env("PRE_COMMIT_HOME", home.join("pre-commit"))
            .env("PREK_HOME", home.join("prek"))
            .env("NO_COLOR", "1")
    }

    /// `git` in the repository, with its hooks; ends with `status`. Gives what was printed.
    #[track_caller]
    fn git(&self, args: &[&str], status: i32) -> String {
        said(
            &self
                .with_env(self.repo.git_command())
                .args(args)
                .status(status),
        )
    }

    /// A tool in the repository.
    #[track_caller]
    fn tool(&self, program: &str, args: &[&str], status: i32) -> String {
        let command = TestCommand::new(program, self.repo.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(args);
        said(&self.with_env(command).status(status))
    }

    #[track_caller]
    fn keysieve(&self, args: &[&str], status: i32) -> String {
        self.tool(env!("CARGO_BIN_EXE_keysieve"), args, status)
    }

    /// A bare repository to push to, as `origin`; `main` is there already.
    #[track_caller]
    fn server(&self) -> PathBuf {
        let server = self.home.path().join("server.git");
        let text = server.to_string_lossy().into_owned();
        self.git(&["init", "--quiet", "--bare", &text], 0);
        self.git(&["remote", "add", "origin", &format!("file://{text}")], 0);
        self.git(&["push", "--quiet", "origin", "main"], 0);
        server
    }

    fn hook(&self, name: &str) -> PathBuf {
        self.repo.join(".git/hooks").join(name)
    }
}

fn said(run: &Run) -> String {
    format!("{}{}", run.out(), run.err())
}
