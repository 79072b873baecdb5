//! The claims of docs/hooks.md about pre-commit and prek, word for word: with the ids of the manifest, and with the
//! program out of a wheel. A build from source takes minutes, so the ids are those of the program that is installed.

use std::path::PathBuf;

use super::World;
use crate::support::docs::block;
use crate::support::{TestCommand, pair};

const SECTION: &str = "pre-commit and prek";

/// `git` in a world whose `PATH` has the tools and not the program.
#[track_caller]
fn git_without_program(world: &World, args: &[&str], status: i32) -> String {
    let command = world.with_toolchain(world.repo.git_command());
    let command = command.env("PATH", world.path_of_toolchain());
    super::said(&command.args(args).status(status))
}

/// A clone of this repository, with the tag that the documentation names.
fn source(world: &World) -> PathBuf {
    let place = world.home.path().join("source");
    let to = place.to_string_lossy().into_owned();
    let here = env!("CARGO_MANIFEST_DIR");
    let clone = ["clone", "--quiet", "--no-hardlinks", here, &to];
    world.git(&clone, 0);
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    world.git(&["-C", &to, "tag", "--force", tag], 0);
    place
}

fn install(world: &World, runner: &str) {
    // All stages of the block, the program in `PATH` beside it.
    let script = block("docs/hooks.md", SECTION, "sh", 0)
        .replace("pre-commit install", &format!("{runner} install"));
    assert!(script.contains(runner), "{script}");
    world.shell(&script, 0);
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn the_ids_of_the_page_look_at_commits_messages_and_pushes() {
    for runner in ["pre-commit", "prek"] {
        let world = World::new();
        let config = block("docs/hooks.md", SECTION, "yaml", 0);
        let address = "https://github.com/OWNER/keysieve";
        assert!(config.contains(address), "{config}");
        let source = source(&world).to_string_lossy().into_owned();
        let config = config.replace(address, &source);
        let lines = config.lines().map(|line| match line.split_once("- id: ") {
            Some((before, rest)) => {
                let (id, comment) = rest.split_once(' ').expect("a comment");
                format!("{before}- id: {id}-system {comment}\n")
            }
            None => format!("{line}\n"),
        });
        let config: String = lines.collect();
        assert_eq!(config.matches("-system").count(), 3, "{config}");
        world.repo.stage(".pre-commit-config.yaml", config);
        world.repo.commit("base");
        world.server();
        install(&world, runner);
        // What `hook install --pre-push` put beside the framework sees all, and is not what this is about.
        world.keysieve(&["hook", "uninstall", "--pre-push"], 0);
        world.repo.stage("leak.env", pair(1960));
        let said = world.git(&["commit", "-m", "leak"], 1);
        assert!(said.contains("leak.env:"), "{said}");
        world.repo.stage("leak.env", "clean\n");
        world.git(&["commit", "-m", "clean"], 0);
        let message = pair(1961);
        let said = world.git(&["commit", "--allow-empty", "-m", &message], 1);
        assert!(said.contains("credentials in the message"), "{said}");
        world.repo.commit_file("pushed.env", pair(1962), "pushed");
        let said = world.git(&["push", "origin", "main"], 1);
        assert!(said.contains("pushed.env"), "{runner}: {said}");
    }
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn the_program_out_of_a_wheel_looks_at_commits() {
    let wheels = World::tools().join("wheel");
    let mut wheels = std::fs::read_dir(wheels).expect("wheels").flatten();
    let wheel = wheels
        .next()
        .expect("a wheel")
        .path()
        .to_string_lossy()
        .into_owned();
    for runner in ["pre-commit", "prek"] {
        let world = World::new();
        let config = block("docs/hooks.md", SECTION, "yaml", 1);
        let (before, rest) = config
            .split_once("[/path/to/")
            .expect("the path of a wheel");
        let (_, after) = rest.split_once(']').expect("its end");
        let config = format!("{before}[{wheel}]{after}");
        world.repo.stage(".pre-commit-config.yaml", config);
        world.repo.commit("base");
        world.tool(runner, &["install"], 0);
        world.repo.stage("leak.env", pair(1963));
        let said = git_without_program(&world, &["commit", "-m", "leak"], 1);
        assert!(said.contains("leak.env:"), "{said}");
        world.repo.stage("leak.env", "clean\n");
        git_without_program(&world, &["commit", "-m", "clean"], 0);
        let command = TestCommand::new(runner, world.repo.path()).args(["run", "--all-files"]);
        let command = world.with_toolchain(command);
        command.env("PATH", world.path_of_toolchain()).status(0);
    }
}
