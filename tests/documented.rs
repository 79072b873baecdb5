//! The commands of docs/hooks.md and of the README about hooks, run word for word. Those with hook managers are in
//! `others`.

use std::path::Path;

use crate::support::docs::{block, blocks, page};
use crate::support::{TestCommand, TestRepo, pair};

const HOOKS: &str = "docs/hooks.md";

/// `PATH` with the program.
fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_keysieve"));
    let program = program.parent().expect("a directory").display();
    format!("{program}:{}", std::env::var("PATH").expect("a path"))
}

/// Runs a script as a reader would who copies it into a shell.
#[track_caller]
fn shell(repo: &TestRepo, script: &str, status: i32) -> String {
    // Git's own command has the names that a commit needs.
    let command = repo.git_command().args(["-c", "alias.sh=!sh -e -c", "sh"]);
    let run = command
        .arg(script)
        .env("PATH", path())
        .env("GIT_EDITOR", "echo a message >")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "push.default")
        .env("GIT_CONFIG_VALUE_0", "current")
        .status(status);
    format!("{}{}", run.out(), run.err())
}

/// An empty bare repository as `origin`.
fn server(repo: &TestRepo) -> tempfile::TempDir {
    let server = tempfile::tempdir().expect("a directory");
    let path = server.path().to_string_lossy().into_owned();
    repo.git(&["init", "--quiet", "--bare", &path]);
    repo.git(&["remote", "add", "origin", &path]);
    server
}

#[test]
fn every_block_about_hooks_has_a_test_that_runs_it() {
    let all: Vec<String> = blocks(&page(HOOKS))
        .into_iter()
        .map(|block| format!("{}, {}", block.section, block.language))
        .collect();
    let expected = [
        "Plain Git, sh",
        "pre-commit and prek, yaml", // others::documented
        "pre-commit and prek, sh",   // others::documented
        "pre-commit and prek, yaml", // others::documented
        "husky, sh",                 // others::node
        "lefthook, yaml",            // others::lefthook
        "On a server, sh",
        "Passing it by once, sh",
    ];
    assert_eq!(all, expected);
}

#[test]
fn what_the_readme_says_about_hooks_works() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "base");
    let said = shell(
        &repo,
        &block("README.md", "Before a commit", "console", 0),
        0,
    );
    assert!(said.contains("pre-commit"), "{said}");
    repo.stage("new.env", pair(1));
    shell(&repo, "git commit -m new", 1);
    // What the text below the block names.
    let readme = page("README.md");
    let (_, section) = readme.split_once("### Before a commit").expect("a section");
    let (section, _) = section.split_once("\n### ").expect("its end");
    let spans = section.split('`').skip(1).step_by(2);
    let commands: Vec<&str> = spans.filter(|span| span.starts_with("keysieve ")).collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    for command in commands {
        shell(&repo, command, 0);
    }
    assert!(!repo.join(".git/hooks/pre-commit").exists());
}

#[test]
fn plain_git() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "base");
    let _server = server(&repo);
    let said = shell(&repo, &block(HOOKS, "Plain Git", "sh", 0), 0);
    for hook in ["pre-commit", "commit-msg", "pre-push"] {
        assert!(said.contains(&format!("{hook}: active")), "{said}");
    }
    repo.stage("new.env", pair(2));
    shell(&repo, "git commit -m new", 1);
    let said = shell(
        &repo,
        "git commit --no-verify -m new; git push origin main",
        1,
    );
    assert!(said.contains("keysieve stopped this push"), "{said}");
}

#[test]
fn on_a_server() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "base");
    let server = server(&repo);
    let script = block(HOOKS, "On a server", "sh", 0);
    let place = "/srv/git/project.git";
    assert!(script.contains(place), "{script}");
    let script = script.replace(place, &server.path().to_string_lossy());
    // A server has no work tree around it.
    TestCommand::new("sh", server.path())
        .args(["-e", "-c", &script])
        .env("PATH", path())
        .status(0);
    shell(&repo, "git push origin main", 0);
    repo.commit_file("new.env", pair(3), "new");
    let said = shell(&repo, "git push origin main", 1);
    assert!(said.contains("keysieve refused this push"), "{said}");
}

#[test]
fn passing_it_by_once() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "base");
    let server = server(&repo);
    repo.keysieve(&["hook", "install", "--pre-commit", "--pre-push"])
        .status(0);
    repo.stage("new.env", pair(4));
    shell(&repo, "git commit -m new", 1);
    let said = shell(&repo, &block(HOOKS, "Passing it by once", "sh", 0), 0);
    assert_eq!(said.matches("a fixture, see ticket 7").count(), 2, "{said}");
    assert!(server.path().join("refs/heads/main").exists());
    repo.stage("newer.env", pair(5));
    shell(&repo, "git commit -m newer", 1);
}
