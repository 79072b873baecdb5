//! Git LFS sends files in a pre-push hook: what it has sent cannot be taken back.

use std::path::Path;

use super::World;
use crate::support::{pair, shows_part_of};

fn tracked(world: &World) {
    world.git(&["lfs", "install", "--local"], 0);
    world.git(&["lfs", "track", "*.bin"], 0);
    world.git(&["add", "."], 0);
    world.repo.commit("base");
}

/// Returns the content of the server's LFS store.
fn sent(server: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut stack = vec![server.join("lfs")];
    while let Some(path) = stack.pop() {
        match std::fs::read_dir(&path) {
            Ok(entries) => stack.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) => found.extend(std::fs::read(&path)),
        }
    }
    found
}

fn leak(world: &World, seed: u64) -> String {
    let text = pair(seed);
    world.repo.write("data.bin", &text);
    world.git(&["add", "data.bin"], 0);
    world.git(&["commit", "--quiet", "--no-verify", "-m", "leak"], 0);
    text
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f01_nothing_of_a_file_is_sent_before_ours_has_decided() {
    let world = World::new();
    tracked(&world);
    let server = world.server();
    let said = world.keysieve(&["hook", "install", "--pre-push"], 0);
    assert!(said.contains("runs after it"), "{said}");
    let text = leak(&world, 1901);
    let said = world.git(&["push", "origin", "main"], 1);
    assert!(said.contains("keysieve stopped this push"), "{said}");
    assert!(sent(&server).is_empty(), "it has left");
    // What is clean is sent, by the hook that was there before.
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"], 0);
    world.repo.write("data.bin", "nothing of interest\n");
    world.git(&["add", "data.bin"], 0);
    world.git(&["commit", "--quiet", "-m", "data"], 0);
    world.git(&["push", "--quiet", "origin", "main"], 0);
    let sent = sent(&server);
    assert_eq!(sent, [b"nothing of interest\n"]);
    assert!(!sent.iter().any(|bytes| shows_part_of(text.trim(), bytes)));
}

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn f01_nor_where_a_framework_keeps_the_hook_of_git_lfs() {
    for runner in ["pre-commit", "prek"] {
        let world = World::new();
        tracked(&world);
        let server = world.server();
        world.repo.write(".pre-commit-config.yaml", "repos: []\n");
        world.tool(runner, &["install", "--hook-type", "pre-push"], 0);
        let said = world.keysieve(&["hook", "install", "--pre-push"], 0);
        assert!(said.contains("pre-push.legacy"), "{said}");
        leak(&world, 1902);
        let said = world.git(&["push", "origin", "main"], 1);
        assert!(said.contains("keysieve stopped this push"), "{said}");
        assert!(sent(&server).is_empty(), "{runner}: it has left");
        let said = world.keysieve(&["hook", "uninstall"], 0);
        assert!(said.contains("pre-push.legacy is the hook again"), "{said}");
    }
}
