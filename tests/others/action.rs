//! The step of `action.yml` that scans, run as GitHub's runner runs it: `bash --noprofile --norc -eo pipefail`.

use std::path::PathBuf;

use super::World;
use crate::support::{TestCommand, pair};

/// The text of the step of that name.
fn step(id: &str) -> String {
    let action = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/action.yml"));
    let action = action.expect("the action");
    let (_, step) = action.split_once(&format!("- id: {id}\n")).expect("a step");
    let (_, step) = step.split_once("run: |\n").expect("a script");
    step.lines()
        .take_while(|line| !line.trim_start().starts_with("- id: "))
        .map(|line| format!("{}\n", line.strip_prefix("        ").unwrap_or(line)))
        .collect()
}

struct Job {
    world: World,
    dir: PathBuf,
}

impl Job {
    /// A pull request whose branch has taken `main` in since it was opened.
    fn new() -> Self {
        let world = World::new();
        world.repo.commit_file("a.txt", "a\n", "base");
        world.server();
        world.git(&["checkout", "--quiet", "-b", "topic"], 0);
        world.repo.commit_file("b.txt", "b\n", "topic");
        world.git(&["checkout", "--quiet", "main"], 0);
        world
            .repo
            .commit_file("old.env", pair(1950), "a secret of main");
        world.git(&["push", "--quiet", "origin", "main"], 0);
        world.git(&["checkout", "--quiet", "topic"], 0);
        world.git(&["merge", "--quiet", "--no-edit", "main"], 0);
        let dir = world.home.path().join("runner");
        std::fs::create_dir_all(dir.join("keysieve/bin")).expect("a directory");
        let program = dir.join("keysieve/bin/keysieve");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keysieve"), program).expect("a link");
        Self { world, dir }
    }

    #[track_caller]
    fn run(&self, args: &str, status: i32) -> (String, String) {
        let path = |name: &str| self.dir.join(name).to_string_lossy().into_owned();
        for name in ["output", "summary"] {
            std::fs::write(path(name), "").expect("a file");
        }
        let command = TestCommand::new("bash", self.world.repo.path())
            .args([
                "--noprofile",
                "--norc",
                "-eo",
                "pipefail",
                "-c",
                &step("scan"),
            ])
            .env("RUNNER_TEMP", &self.dir)
            .env("GITHUB_OUTPUT", path("output"))
            .env("GITHUB_STEP_SUMMARY", path("summary"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_BASE_REF", "main")
            .env("CI", "true")
            .env("ARGS", args);
        let said = super::said(&self.world.with_env(command).status(status));
        let summary = std::fs::read_to_string(path("summary")).expect("a summary");
        (said, summary)
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn the_hash_that_names_the_cache_covers_what_the_program_is_built_from() {
    let world = World::new();
    let output = world.home.path().join("output");
    let command = TestCommand::new("bash", world.repo.path())
        .args([
            "--noprofile",
            "--norc",
            "-eo",
            "pipefail",
            "-c",
            &step("source"),
        ])
        .env("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR"))
        .env("GITHUB_OUTPUT", &output);
    world.with_env(command).status(0);
    let output = std::fs::read_to_string(output).expect("outputs");
    let hash = output.trim().strip_prefix("hash=").expect("a hash");
    assert_eq!(hash.len(), 32, "{output}");
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f14_a_pull_request_answers_for_its_own_commits_and_the_job_gets_a_summary() {
    let job = Job::new();
    let (said, summary) = job.run("", 0);
    assert!(!said.contains("old.env"), "{said}");
    assert!(
        summary.starts_with("### keysieve: nothing new found"),
        "{summary}"
    );
    job.world
        .repo
        .commit_file("new.env", pair(1951), "a secret of its own");
    let (said, summary) = job.run("", 1);
    assert!(said.contains("::error file=new.env"), "{said}");
    assert!(summary.contains("### keysieve: secrets found"), "{summary}");
    assert!(
        summary.contains("new.env") && !summary.contains("old.env"),
        "{summary}"
    );
    let output = std::fs::read_to_string(job.dir.join("output")).expect("outputs");
    let sarif = output.trim().strip_prefix("sarif=").expect("a path");
    assert!(
        std::fs::read_to_string(sarif)
            .expect("a report")
            .contains("new.env")
    );
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f14_options_on_several_lines_and_in_quotes_arrive_whole() {
    let job = Job::new();
    job.world
        .repo
        .commit_file("some dir/new.env", pair(1952), "a secret");
    job.run("--show-notes\n--fail-on never\n", 0);
    job.run("--show-notes\n--exclude 'some dir/'\n", 0);
    job.run("--exclude \"some dir/\"", 0);
    job.run("--show-notes --exclude other\n", 1);
    job.run("--no-such-option", 2);
    job.run("--exclude 'not closed", 1);
    // Nothing of it is run.
    job.run("--exclude '$(touch ran)' --exclude '`touch ran`'\n", 1);
    assert!(!job.world.repo.join("ran").exists());
}
