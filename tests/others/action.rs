//! The steps of `action.yml`, run as GitHub's runner runs them: `bash --noprofile --norc -eo pipefail`.

use std::path::PathBuf;

use super::World;
use crate::support::docs::page;
use crate::support::{TestCommand, pair};

/// The scripts of the action, in order, each with the text of its step.
fn steps() -> Vec<(String, String)> {
    let action = page("action.yml");
    let (_, steps) = action.split_once("\n  steps:\n").expect("steps");
    let steps = steps.split("    - ").skip(1);
    let script = |step: &str| {
        let (_, run) = step.split_once(" run: ")?;
        let lines = run.strip_prefix("|\n").unwrap_or(run).lines();
        Some(
            lines
                .map(|line| format!("{}\n", line.strip_prefix("        ").unwrap_or(line)))
                .collect(),
        )
    };
    steps
        .filter_map(|step| Some((step.to_owned(), script(step)?)))
        .collect()
}

/// The script of the step that says this.
#[track_caller]
fn step(word: &str) -> String {
    let steps = steps();
    assert_eq!(steps.len(), 3, "{steps:?}");
    let mut steps = steps.into_iter().filter(|(step, _)| step.contains(word));
    steps.next().expect("a step").1
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
        std::fs::create_dir(&dir).expect("a directory");
        Self { world, dir }
    }

    /// The program in the place of the one that the action would build.
    fn with_program() -> Self {
        let job = Self::new();
        std::fs::create_dir_all(job.dir.join("keysieve/bin")).expect("a directory");
        let program = job.dir.join("keysieve/bin/keysieve");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keysieve"), program).expect("a link");
        job
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).to_string_lossy().into_owned()
    }

    #[track_caller]
    fn step(&self, script: &str, args: &str, status: i32) -> String {
        let command = TestCommand::new("bash", self.world.repo.path())
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script])
            .env("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR"))
            .env("RUNNER_TEMP", &self.dir)
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_STEP_SUMMARY", self.path("summary"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_BASE_REF", "main")
            .env("CI", "true")
            .env("ARGS", args);
        let command = self.world.with_toolchain(command);
        let command = command.env("PATH", self.world.path_of_toolchain());
        super::said(&command.status(status))
    }

    /// The step that scans: what it printed, and the summary.
    #[track_caller]
    fn scan(&self, args: &str, status: i32) -> (String, String) {
        for name in ["output", "summary"] {
            std::fs::write(self.path(name), "").expect("a file");
        }
        let said = self.step(&step("id: scan"), args, status);
        let summary = std::fs::read_to_string(self.path("summary")).expect("a summary");
        (said, summary)
    }

    /// An output of the steps.
    fn output(&self, name: &str) -> String {
        let output = std::fs::read_to_string(self.path("output")).expect("outputs");
        let value = output
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")));
        value
            .unwrap_or_else(|| panic!("no {name} in {output}"))
            .to_owned()
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn the_steps_build_the_program_and_scan_with_it() {
    let job = Job::new();
    job.step(&step("id: source"), "", 0);
    assert_eq!(job.output("hash").len(), 32);
    job.step(&step("cache-hit"), "", 0);
    job.world
        .repo
        .commit_file("new.env", pair(1953), "a secret");
    let (said, summary) = job.scan("", 1);
    assert!(said.contains("::error file=new.env"), "{said}");
    assert!(summary.contains("new.env"), "{summary}");
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f14_a_pull_request_answers_for_its_own_commits_and_the_job_gets_a_summary() {
    let job = Job::with_program();
    let (said, summary) = job.scan("", 0);
    assert!(!said.contains("old.env"), "{said}");
    assert!(
        summary.starts_with("### keysieve: nothing new found"),
        "{summary}"
    );
    // A name that would be markup, or a column of its own.
    let name = "<b>|new`.env";
    job.world
        .repo
        .commit_file(name, pair(1951), "a secret of its own");
    let (said, summary) = job.scan("", 1);
    assert!(said.contains("::error file=<b>|new`.env"), "{said}");
    assert!(summary.contains("### keysieve: secrets found"), "{summary}");
    assert!(!summary.contains("old.env"), "{summary}");
    let rows = rendered(&job, &summary);
    let row = rows
        .iter()
        .find(|row| row.iter().any(|cell| cell.contains(name)));
    assert!(
        row.is_some_and(|row| row.len() == rows[0].len()),
        "{rows:?}\n{summary}"
    );
    let sarif = std::fs::read_to_string(job.output("sarif")).expect("a report");
    assert!(sarif.contains("new%60.env"), "{sarif}");
}

/// Returns the cells of the table that a summary is, as an independent renderer of Markdown shows them.
fn rendered(job: &Job, summary: &str) -> Vec<Vec<String>> {
    let script = "import json, sys\nfrom html.parser import HTMLParser\nfrom markdown_it import MarkdownIt\n\
        rows = []\nclass Table(HTMLParser):\n    def handle_starttag(self, tag, attrs):\n        \
        assert tag in ('h3', 'p', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'code', 'br', 'strong', 'em'), tag\n        \
        if tag == 'tr': rows.append([])\n        if tag in ('th', 'td'): rows[-1].append('')\n    \
        def handle_data(self, data):\n        if rows and rows[-1]: rows[-1][-1] += data\n\
        Table().feed(MarkdownIt('commonmark').enable('table').render(sys.stdin.read()))\nprint(json.dumps(rows))\n";
    let python = World::tools().join("py/bin/python");
    let run = job
        .world
        .with_env(TestCommand::new(python, &job.dir))
        .args(["-c", script]);
    let run = run.stdin(summary).status(0);
    serde_json::from_str(&run.out()).expect("rows")
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f14_options_on_several_lines_and_in_quotes_arrive_whole() {
    let job = Job::with_program();
    job.world
        .repo
        .commit_file("some dir/new.env", pair(1952), "a secret");
    job.scan("--show-notes\n--fail-on never\n", 0);
    job.scan("--show-notes\n--exclude 'some dir/'\n", 0);
    job.scan("--exclude \"some dir/\"", 0);
    job.scan("--exclude\n'some dir/'", 0);
    job.scan("--show-notes --exclude other\n", 1);
    job.scan("--no-such-option", 2);
    job.scan("--exclude 'not closed", 1);
    // Nothing of it is run.
    job.scan("--exclude '$(touch ran)' --exclude '`touch ran`'\n", 1);
    assert!(!job.world.repo.join("ran").exists());
}
