//! pre-commit and prek: what each of their ways to run a hook asks for, and who writes which hook.

use super::World;
use crate::support::{TestCommand, pair};

const RUNNERS: [&str; 2] = ["pre-commit", "prek"];

/// The hook as `keysieve hook install` advises it, for a stage.
fn config(stage: &str) -> String {
    let (id, names) = match stage {
        "pre-push" => ("pre-push", false),
        stage => (stage, true),
    };
    format!(
        "repos:\n- repo: local\n  hooks:\n  - id: keysieve\n    name: keysieve\n    entry: keysieve hook run {id}\n    \
         language: system\n    pass_filenames: {names}\n    require_serial: true\n    always_run: true\n    \
         stages: [{stage}]\n"
    )
}

/// A repository whose history has a secret already, with the hook of `stage`.
fn with_old_secret(runner: &str, stage: &str) -> World {
    let world = World::new();
    world.repo.write(".pre-commit-config.yaml", config(stage));
    world.repo.stage("old.env", pair(1910));
    world.git(&["add", "."], 0);
    world.repo.commit("base");
    world.tool(runner, &["install", "--hook-type", stage], 0);
    world
}

/// A way to run the hook: what was done before, by [`Step`]s; the command; its status; and the files that it blames,
/// of `old.env`, which the history has already, and `leak.env`.
type Cell = (&'static [Step], &'static str, i32, &'static [&'static str]);

/// Action on a file.
#[derive(Clone, Copy)]
enum Step {
    Write(&'static str, Content),
    Stage(&'static str, Content),
    Remove(&'static str),
    /// So many files with names of 100 letters, `old.env` after them all.
    Many,
}

#[derive(Clone, Copy)]
enum Content {
    Clean,
    Leak,
    /// The old secret, and another line.
    Old,
}

use Content::{Clean, Leak, Old};
use Step::{Many, Remove, Stage, Write};

/// `run` stands for the framework's own command, all else is `git`.
const CELLS: &[Cell] = &[
    // What is staged decides about a commit, and the rest is not its fault.
    (&[Stage("a.txt", Clean)], "commit -m x", 0, &[]),
    (&[Stage("leak.env", Leak)], "commit -m x", 1, &["leak.env"]),
    (
        &[Stage("a.txt", Clean), Write("leak.env", Leak)],
        "commit -m x",
        0,
        &[],
    ),
    (&[Stage("old.env", Old)], "commit -m x", 0, &[]),
    (
        &[Stage("leak.env", Leak), Write("leak.env", Clean)],
        "commit -m x",
        1,
        &["leak.env"],
    ),
    (
        &[Stage("leak.env", Clean), Write("leak.env", Leak)],
        "commit -m x",
        0,
        &[],
    ),
    (&[Write("b.txt", Leak)], "commit -a -m x", 1, &["b.txt"]),
    (
        &[Stage("leak.env", Leak), Write("b.txt", Clean)],
        "commit -m x b.txt",
        0,
        &[],
    ),
    (
        &[Stage("a.txt", Clean), Stage("leak.env", Leak)],
        "commit -m x leak.env",
        1,
        &["leak.env"],
    ),
    (&[Remove("old.env")], "commit -m x", 0, &[]),
    // What is amended was looked at; what comes to it is new.
    (&[], "commit --amend -m x", 0, &[]),
    (&[Remove("old.env")], "commit --amend -m x", 0, &[]),
    (
        &[Stage("leak.env", Leak)],
        "commit --amend -m x",
        1,
        &["leak.env"],
    ),
    (&[Write("leak.env", Leak)], "commit --amend -m x", 0, &[]),
    (&[], "commit --allow-empty -m x", 0, &[]),
    (
        &[Write("leak.env", Leak)],
        "commit --allow-empty -m x",
        0,
        &[],
    ),
    // The files that are named decide, as they lie there, whatever is staged.
    (
        &[Write("leak.env", Leak)],
        "run --files leak.env",
        1,
        &["leak.env"],
    ),
    (&[], "run --files old.env", 1, &["old.env"]),
    (
        &[Stage("a.txt", Clean)],
        "run --files old.env",
        1,
        &["old.env"],
    ),
    (&[Stage("leak.env", Leak)], "run --files b.txt", 0, &[]),
    (
        &[Stage("leak.env", Leak)],
        "run --files b.txt leak.env",
        1,
        &["leak.env"],
    ),
    (
        &[Stage("leak.env", Leak), Stage("a.txt", Clean)],
        "run --files b.txt old.env",
        1,
        &["old.env"],
    ),
    (&[], "run --all-files", 1, &["old.env"]),
    (&[Stage("a.txt", Clean)], "run --all-files", 1, &["old.env"]),
    (
        &[Stage("leak.env", Leak)],
        "run --all-files",
        1,
        &["leak.env", "old.env"],
    ),
    (&[Remove("old.env")], "run --all-files", 0, &[]),
    (
        &[Remove("old.env"), Write("leak.env", Leak)],
        "run --all-files",
        0,
        &[],
    ),
    // So many that the framework starts the hook several times.
    (&[Many], "run --all-files", 1, &["old.env"]),
    // By itself, `run` names what is staged.
    // With nothing staged it names nothing, as it also does with `pass_filenames: false`: all are looked at.
    (&[], "run", 1, &["old.env"]),
    (&[Stage("a.txt", Clean)], "run", 0, &[]),
    (&[Stage("leak.env", Leak)], "run", 1, &["leak.env"]),
    (&[Stage("old.env", Old)], "run", 1, &["old.env"]),
];

/// Runs every cell under a framework.
fn each_cell(runner: &str) {
    let world = with_old_secret(runner, "pre-commit");
    world.repo.commit_file("b.txt", "b\n", "b");
    let base = world.repo.git(&["rev-parse", "HEAD"]);
    let content = |content| match content {
        Clean => "clean\n".to_owned(),
        Leak => pair(1911),
        Old => format!("{}more = 1\n", pair(1910)),
    };
    let mut wrong = Vec::new();
    for (steps, command, status, blamed) in CELLS {
        world.repo.git(&["reset", "--quiet", "--hard", &base]);
        world.repo.git(&["clean", "--quiet", "-d", "--force"]);
        for step in *steps {
            match *step {
                Write(path, it) => world.repo.write(path, content(it)),
                Stage(path, it) => world.repo.stage(path, content(it)),
                Remove(path) => drop(world.repo.git(&["rm", "--quiet", path])),
                Many => {
                    for number in 0..3000 {
                        world.repo.write(format!("m/{number:0>100}"), "clean\n");
                    }
                    world.repo.git(&["add", "m"]);
                }
            }
        }
        let args: Vec<&str> = command.split(' ').collect();
        let command_of = match args[0] {
            "run" => {
                TestCommand::new(runner, world.repo.path()).env("GIT_CONFIG_GLOBAL", "/dev/null")
            }
            _ => world.repo.git_command(),
        };
        let run = world.with_env(command_of.args(&args)).run();
        let said = format!("{}{}", run.out(), run.err());
        // Git names the files of a commit that it made.
        let named = ["b.txt", "leak.env", "old.env"]
            .into_iter()
            .filter(|name| run.status != 0 && said.contains(&format!("{name}:")));
        let word = if *status == 0 { "Passed" } else { "Failed" };
        let is_right =
            run.status == *status && said.contains(word) && named.eq(blamed.iter().copied());
        // The framework says by itself what it stopped.
        if !is_right || said.contains("keysieve stopped this commit") {
            wrong.push(format!(
                "{runner} {command}, {status} {blamed:?}: {}\n{said}",
                run.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f02_f03_f20_each_way_to_run_the_hook_has_its_answer_under_pre_commit() {
    each_cell("pre-commit");
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f02_f03_f20_each_way_to_run_the_hook_has_its_answer_under_prek() {
    each_cell("prek");
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f20_exclude_counts_for_run_and_not_for_a_commit() {
    for runner in RUNNERS {
        let world = with_old_secret(runner, "pre-commit");
        let config = format!("exclude: '^tests/'\n{}", config("pre-commit"));
        world.repo.stage(".pre-commit-config.yaml", config);
        world.repo.commit("exclude");
        world.repo.stage("tests/new.env", pair(1913));
        world.repo.stage("other.txt", "clean\n");
        world.tool(runner, &["run", "--files", "tests/new.env", "other.txt"], 0);
        // What is committed leaves this machine, whoever would rather not look.
        let said = world.git(&["commit", "-m", "new"], 1);
        assert!(said.contains("tests/new.env"), "{runner}: {said}");
        let command = world.repo.git_command().args(["commit", "-m", "skipped"]);
        world.with_env(command).env("SKIP", "keysieve").status(0);
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f07_a_merge_is_not_blamed_for_what_the_other_side_has() {
    for runner in RUNNERS {
        let world = World::new();
        world
            .repo
            .stage(".pre-commit-config.yaml", config("pre-merge-commit"));
        world.repo.commit("base");
        world.git(&["checkout", "--quiet", "-b", "side"], 0);
        world.repo.commit_file("side.txt", "side\n", "side");
        world.git(&["checkout", "--quiet", "main"], 0);
        world.repo.commit_file("old.env", pair(1914), "old");
        world.git(&["checkout", "--quiet", "side"], 0);
        world.tool(runner, &["install", "--hook-type", "pre-merge-commit"], 0);
        let said = world.git(&["merge", "main", "-m", "merged"], 0);
        assert!(said.contains("Passed"), "{runner}: {said}");
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f18_of_several_references_the_second_is_looked_at_too() {
    for runner in RUNNERS {
        let world = World::new();
        world
            .repo
            .stage(".pre-commit-config.yaml", config("pre-push"));
        world.repo.commit("base");
        let server = world.server();
        world.tool(runner, &["install", "--hook-type", "pre-push"], 0);
        let said = world.keysieve(&["hook", "status", "--pre-push"], 0);
        assert!(
            said.contains("first reference of a push"),
            "{runner}: {said}"
        );
        assert!(
            said.contains("keysieve hook install --pre-push"),
            "{runner}: {said}"
        );
        // The framework alone: a leak in the only reference is stopped.
        world.git(&["checkout", "--quiet", "-b", "ok"], 0);
        world.repo.commit_file("ok.txt", "ok\n", "ok");
        world.git(&["checkout", "--quiet", "-b", "zleak"], 0);
        world.repo.commit_file("leak.env", pair(1915), "leak");
        let said = world.git(&["push", "origin", "zleak"], 1);
        assert!(said.contains("leak.env"), "{runner}: {said}");
        // Beside it.
        let said = world.keysieve(&["hook", "install", "--pre-push"], 0);
        assert!(
            said.contains(&format!("which {runner} runs before its own hooks")),
            "{said}"
        );
        let said = world.git(&["push", "origin", "ok", "zleak"], 1);
        assert!(
            said.contains("keysieve stopped this push"),
            "{runner}: {said}"
        );
        let refs = std::fs::read_dir(server.join("refs/heads")).expect("references");
        assert_eq!(refs.count(), 1, "{runner}: only main is there");
        let said = world.keysieve(&["hook", "status", "--pre-push"], 0);
        assert!(
            said.contains("active,") && said.contains("pre-push.legacy"),
            "{said}"
        );
        // The framework may install again, and may go.
        world.tool(runner, &["install", "--hook-type", "pre-push"], 0);
        world.git(&["push", "origin", "ok", "zleak"], 1);
        world.git(&["push", "--quiet", "origin", "ok"], 0);
        world.tool(runner, &["uninstall", "--hook-type", "pre-push"], 0);
        world.git(&["push", "origin", "ok:ok2", "zleak"], 1);
        world.keysieve(&["hook", "uninstall"], 0);
        assert!(!world.hook("pre-push").exists());
        assert!(!world.hook("pre-push.legacy").exists());
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f06_the_hook_of_a_framework_is_known_and_left_to_it() {
    for runner in RUNNERS {
        let world = with_old_secret(runner, "pre-commit");
        let shim = std::fs::read(world.hook("pre-commit")).expect("a hook");
        let said = world.keysieve(&["hook", "status", "--pre-commit"], 0);
        assert!(
            said.contains(&format!("active, {runner} runs it")),
            "{said}"
        );
        let said = world.keysieve(&["hook", "install"], 0);
        assert!(
            said.contains(&format!("{runner} runs it already")),
            "{said}"
        );
        assert_eq!(
            std::fs::read(world.hook("pre-commit")).expect("a hook"),
            shim
        );
        world.tool(runner, &["install"], 0);
        world.git(&["commit", "--allow-empty", "-m", "x"], 0);
        // Where the configuration does not name it, what to add is said, and works.
        world.repo.write(".pre-commit-config.yaml", "repos: []\n");
        let said = world.keysieve(&["hook", "install"], 1);
        let (_, advice) = said.split_once("\n\n").expect("advice");
        world
            .repo
            .stage(".pre-commit-config.yaml", format!("repos:\n{advice}"));
        world.repo.stage("new.env", pair(1916));
        let said = world.git(&["commit", "-m", "x"], 1);
        assert!(said.contains("new.env"), "{runner}: {said}");
    }
    let world = with_old_secret("prek", "pre-commit");
    world.git(&["rm", "--quiet", ".pre-commit-config.yaml"], 0);
    world.repo.stage("prek.toml", "repos = []\n");
    world.repo.commit("prek.toml");
    let said = world.keysieve(&["hook", "install"], 1);
    let (_, advice) = said.split_once("\n\n").expect("advice");
    world.repo.stage("prek.toml", advice);
    world.repo.stage("new.env", pair(1916));
    let said = world.git(&["commit", "-m", "x"], 1);
    assert!(said.contains("new.env"), "{said}");
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f08_a_hook_that_a_framework_set_aside_is_found_and_removed() {
    for runner in RUNNERS {
        let world = World::new();
        let other = config("pre-commit").replace("keysieve hook run pre-commit", "git version");
        world.repo.stage(
            ".pre-commit-config.yaml",
            other.replace("keysieve", "other"),
        );
        world.repo.commit("base");
        world.keysieve(&["hook", "install"], 0);
        world.tool(runner, &["install"], 0);
        world.repo.stage("new.env", pair(1917));
        world.git(&["commit", "-m", "x"], 1);
        let said = world.keysieve(&["hook", "status", "--pre-commit"], 0);
        assert!(
            said.contains("pre-commit.legacy") && said.contains(runner),
            "{said}"
        );
        let said = world.keysieve(&["hook", "uninstall", "--pre-commit"], 0);
        assert!(
            said.contains("removed") && said.contains("pre-commit.legacy"),
            "{said}"
        );
        world.git(&["commit", "-m", "x"], 0);
        world.keysieve(&["hook", "status", "--pre-commit"], 1);
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn the_ids_of_the_manifest_work_at_their_stages() {
    for runner in RUNNERS {
        let world = World::new();
        // What a tag of this repository has, without its source: the program in PATH is used.
        let hooks = world.home.path().join("hooks");
        std::fs::create_dir(&hooks).expect("a directory");
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/.pre-commit-hooks.yaml");
        std::fs::copy(manifest, hooks.join(".pre-commit-hooks.yaml")).expect("a copy");
        let hooks = hooks.to_string_lossy().into_owned();
        for args in [
            &["init", "--quiet"][..],
            &["add", "."],
            &["commit", "--quiet", "-m", "x"],
            &["tag", "v1"],
        ] {
            world.git(&[&["-C", &hooks], args].concat(), 0);
        }
        let config = format!(
            "repos:\n- repo: {hooks}\n  rev: v1\n  hooks:\n  - id: keysieve-system\n  - id: keysieve-commit-msg-system\n  \
             - id: keysieve-pre-push-system\n"
        );
        world.repo.stage(".pre-commit-config.yaml", config);
        world.repo.commit("base");
        world.server();
        for stage in ["pre-commit", "pre-merge-commit", "commit-msg", "pre-push"] {
            world.tool(runner, &["install", "--hook-type", stage], 0);
        }
        let secret = pair(1918);
        world.repo.stage("new.env", &secret);
        let said = world.git(&["commit", "-m", "x"], 1);
        assert!(said.contains("new.env"), "{runner}: {said}");
        let message = format!("subject\n\n{secret}");
        world.git(&["reset", "--quiet"], 0);
        let said = world.git(&["commit", "--allow-empty", "-m", &message], 1);
        assert!(said.contains("COMMIT_EDITMSG"), "{runner}: {said}");
        world.git(&["commit", "--allow-empty", "-m", "clean"], 0);
        world.git(&["push", "--quiet", "origin", "main"], 0);
        world.git(&["add", "new.env"], 0);
        world.git(&["commit", "--quiet", "--no-verify", "-m", "leak"], 0);
        let said = world.git(&["push", "origin", "main"], 1);
        assert!(said.contains("new.env"), "{runner}: {said}");
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn skipping_once_goes_through_a_framework() {
    for runner in RUNNERS {
        let world = with_old_secret(runner, "pre-commit");
        world.repo.stage("new.env", pair(1919));
        world.git(&["-c", "keysieve.skip=a fixture", "commit", "-m", "x"], 0);
        world.repo.stage("newer.env", pair(1920));
        let command = world.repo.git_command().args(["commit", "-m", "y"]);
        world
            .with_env(command)
            .env("KEYSIEVE_SKIP", "another")
            .status(0);
        world.repo.stage("newest.env", pair(1921));
        world.git(&["commit", "-m", "z"], 1);
    }
}

/// The frameworks put the names of files behind the command as they are.
#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn a_file_with_the_name_of_an_option_is_a_file() {
    for runner in RUNNERS {
        for name in [
            "--help",
            "-h",
            "--",
            "--version",
            "--fail-on=never",
            "--exclude=*",
        ] {
            let world = with_old_secret(runner, "pre-commit");
            world.repo.write(name, "clean\n");
            world.git(&["add", "."], 0);
            let said = world.git(&["commit", "-m", "clean"], 0);
            assert!(said.contains("Passed"), "{runner} {name}: {said}");
            let said = world.tool(runner, &["run", "--all-files"], 1);
            assert!(said.contains("old.env:"), "{runner} {name}: {said}");
            world.repo.write(name, "more\n");
            world.repo.write("leak.env", pair(1920));
            world.git(&["add", "."], 0);
            let said = world.git(&["commit", "-m", "leak"], 1);
            assert!(said.contains("leak.env:"), "{runner} {name}: {said}");
        }
    }
}
