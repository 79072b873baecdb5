//! pre-commit and prek: what each of their ways to run a hook asks for, and who writes which hook.

use super::World;
use crate::support::pair;

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

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f02_a_commit_without_changes_of_its_own_passes() {
    for runner in RUNNERS {
        let world = with_old_secret(runner, "pre-commit");
        let said = world.git(&["commit", "--amend", "-m", "reworded"], 0);
        assert!(said.contains("Passed"), "{runner}: {said}");
        world.git(&["commit", "--allow-empty", "-m", "empty"], 0);
        // What the commit adds is stopped all the same, and the rest is not its fault.
        world.repo.stage("new.env", pair(1911));
        let said = world.git(&["commit", "-m", "new"], 1);
        assert!(
            said.contains("new.env") && !said.contains("old.env"),
            "{runner}: {said}"
        );
        assert!(
            !said.contains("keysieve stopped this commit"),
            "the framework says so: {said}"
        );
        world.repo.stage("new.env", "clean\n");
        world.git(&["commit", "-m", "clean"], 0);
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f03_the_files_that_run_names_are_looked_at() {
    for runner in RUNNERS {
        let world = with_old_secret(runner, "pre-commit");
        let run = |args: &[&str], status: i32| {
            let said = world.tool(runner, &[&["run"], args].concat(), status);
            assert!(
                said.contains(if status == 0 { "Passed" } else { "Failed" }),
                "{runner}: {said}"
            );
            said
        };
        // Not tracked.
        world.repo.write("loose.env", pair(1912));
        let said = run(&["--files", "loose.env"], 1);
        assert!(
            said.contains("loose.env") && !said.contains("old.env"),
            "{runner}: {said}"
        );
        std::fs::remove_file(world.repo.join("loose.env")).expect("removed");
        // Tracked, while something else is staged.
        world.repo.stage("a.txt", "clean\n");
        let said = run(&["--files", "old.env"], 1);
        assert!(said.contains("old.env"), "{runner}: {said}");
        run(&["--files", "a.txt"], 0);
        // All files, while something is staged and while nothing is.
        run(&["--all-files"], 1);
        run(&[], 0);
        world.git(&["commit", "--quiet", "-m", "a"], 0);
        run(&["--all-files"], 1);
        world.git(&["rm", "--quiet", "old.env"], 0);
        run(&["--all-files"], 0);
    }
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
