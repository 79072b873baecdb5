//! lefthook: told what to add, and it works.

use super::World;
use crate::support::docs::block;
use crate::support::pair;

/// Adds what `hook install` says for a kind to the configuration.
fn add(world: &World, kind: &str) {
    let said = world.keysieve(&["hook", "install", kind], 1);
    let (_, advice) = said.split_once("\n\n").expect("advice");
    let path = world.repo.join("lefthook.yml");
    let before = std::fs::read_to_string(&path).expect("a file");
    std::fs::write(&path, format!("{before}{advice}")).expect("written");
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn what_is_advised_stops_commits_messages_and_every_reference_of_a_push() {
    let world = World::new();
    world.repo.write("lefthook.yml", "");
    for kind in ["--pre-commit", "--commit-msg", "--pre-push"] {
        add(&world, kind);
    }
    world.git(&["add", "."], 0);
    world.repo.commit("base");
    world.server();
    world.tool("lefthook", &["install"], 0);
    for kind in ["--pre-commit", "--commit-msg", "--pre-push"] {
        world.keysieve(&["hook", "status", kind], 0);
    }
    world.repo.commit_file("old.env", pair(1930), "old");
    world.git(&["push", "--quiet", "--no-verify", "origin", "main"], 0);
    world.repo.stage("new.env", pair(1931));
    let said = world.git(&["commit", "-m", "x"], 1);
    assert!(
        said.contains("new.env") && !said.contains("old.env"),
        "{said}"
    );
    world.git(&["reset", "--quiet", "--hard"], 0);
    world.git(
        &[
            "commit",
            "--allow-empty",
            "-m",
            &format!("x\n\n{}", pair(1932)),
        ],
        1,
    );
    world.repo.stage("b.txt", "b\n");
    world.git(&["commit", "-m", "clean"], 0);
    world.git(&["commit", "--amend", "-m", "reworded"], 0);
    world.git(&["branch", "ok"], 0);
    world.repo.commit_file("leak.env", pair(1933), "leak");
    let said = world.git(&["push", "origin", "ok", "main"], 1);
    assert!(said.contains("leak.env"), "{said}");
    world.git(&["push", "--quiet", "origin", "ok"], 0);
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f08_a_hook_that_lefthook_set_aside_is_removed() {
    let world = World::new();
    world.keysieve(&["hook", "install"], 0);
    world.repo.write(
        "lefthook.yml",
        "pre-commit:\n  commands:\n    a:\n      run: 'true'\n",
    );
    world.tool("lefthook", &["install"], 0);
    assert!(world.hook("pre-commit.old").exists());
    let said = world.keysieve(&["hook", "uninstall"], 0);
    assert!(said.contains("pre-commit.old"), "{said}");
    assert!(!world.hook("pre-commit.old").exists());
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn with_git_lfs_what_the_documentation_says_sends_nothing_before_ours_has_decided() {
    let world = World::new();
    let config = block("docs/hooks.md", "lefthook", "yaml", 0);
    world.repo.write("lefthook.yml", config);
    world.git(&["lfs", "install", "--local", "--skip-repo"], 0);
    world.git(&["lfs", "track", "*.bin"], 0);
    world.git(&["add", "."], 0);
    world.repo.commit("base");
    let server = world.server();
    world.tool("lefthook", &["install"], 0);
    world.repo.write("data.bin", "nothing of interest\n");
    world.git(&["add", "data.bin"], 0);
    let commit = ["commit", "--quiet", "--no-verify", "-m", "data"];
    world.git(&commit, 0);
    world.git(&["push", "--quiet", "origin", "main"], 0);
    let store = server.join("lfs/objects");
    let sent = || std::fs::read_dir(&store).map_or(0, Iterator::count);
    assert_eq!(sent(), 1);
    world.repo.write("data.bin", pair(1934));
    world.git(&["add", "data.bin"], 0);
    world.git(&commit, 0);
    let said = world.git(&["push", "origin", "main"], 1);
    assert!(said.contains("keysieve stopped this push"), "{said}");
    assert_eq!(sent(), 1, "it has left");
}
