//! The hooks under other people's tools, each the real one: Git LFS, pre-commit, prek, lefthook, husky, lint-staged,
//! and the shell of GitHub's runner; archives as the real tools make them, and binary files
//! as Python writes them.
//!
//! They are run by `.ci/others`, which installs the tools and says where; `cargo test` alone leaves them out.

mod action;
#[cfg(feature = "archive")]
mod archives;
mod binary;
mod documented;
mod framework;
mod lefthook;
mod lfs;
mod node;
mod rewrite;

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

    /// Returns the folder in which `.ci/others` has put the tools.
    fn tools() -> PathBuf {
        let tools = std::env::var_os("KEYSIEVE_OTHERS");
        PathBuf::from(tools.expect("KEYSIEVE_OTHERS says where the tools are: run .ci/others"))
    }

    /// `PATH` with the program and the tools.
    fn path() -> String {
        let tools = Self::tools().join("bin");
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

    /// The same for a tool that builds the program: with the toolchain that built this test. A build for release takes
    /// minutes, so `cargo install` makes a debug build here, of what the tests' own build has.
    fn with_toolchain(&self, mut command: TestCommand) -> TestCommand {
        let home = std::env::var_os("HOME").expect("a home");
        for (name, usual) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let place = std::env::var_os(name).map_or(Path::new(&home).join(usual), PathBuf::from);
            command = command.env(name, place);
        }
        let is_net = |name: &str| {
            let name = name.to_ascii_uppercase();
            name.ends_with("_PROXY") || name.contains("_CERT") || name.ends_with("_CAINFO")
        };
        for (name, value) in std::env::vars_os() {
            if let Some(name) = name
                .to_str()
                .filter(|it| is_net(it) || *it == "RUSTUP_TOOLCHAIN")
            {
                command = command.env(name, value);
            }
        }
        let cargo = self.home.path().join("bin/cargo");
        if !cargo.exists() {
            std::fs::create_dir(self.home.path().join("bin")).expect("a directory");
            let path = std::env::var("PATH").expect("a path");
            let script = format!(
                "#!/bin/sh\nPATH='{path}'\ncase $1 in install) shift; set -- install --debug \"$@\" ;; esac\n\
                 exec cargo \"$@\"\n"
            );
            std::fs::write(&cargo, script).expect("a script");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(&cargo, mode).expect("a mode");
        }
        let program = Path::new(env!("CARGO_BIN_EXE_keysieve"));
        let target = program.ancestors().nth(2).expect("a directory");
        self.with_env(command).env("CARGO_TARGET_DIR", target)
    }

    /// `PATH` with what [`Self::with_toolchain`] needs before all else, without the program.
    fn path_of_toolchain(&self) -> String {
        let rest = std::env::var("PATH").expect("a path");
        let bin = self.home.path().join("bin");
        format!(
            "{}:{}:{rest}",
            bin.display(),
            Self::tools().join("bin").display()
        )
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

    /// A script, as a reader would run it who copies it.
    #[track_caller]
    fn shell(&self, script: &str, status: i32) -> String {
        self.tool("sh", &["-e", "-c", script], status)
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
