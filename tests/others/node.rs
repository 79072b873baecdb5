//! husky with lint-staged, which stages what it has changed.

use super::World;
use crate::support::docs::block;
use crate::support::pair;

#[test]
#[ignore = "needs other people's tools: run .ci/others"]
fn husky_runs_the_block_first_and_what_lint_staged_adds_is_looked_at_as_well() {
    let world = World::new();
    world.repo.write("package.json", "{\"private\": true}\n");
    world.repo.commit_file("a.js", "1\n", "base");
    world.tool("husky", &[], 0);
    world.repo.write(".husky/pre-commit", "lint-staged\n");
    let said = world.shell(&block("docs/hooks.md", "husky", "sh", 0), 0);
    assert!(said.contains("added to husky's"), "{said}");
    // A "formatter" that brings a secret in.
    let formatter = world.home.path().join("format");
    let text = format!(
        "#!/bin/sh\ncat '{}' > \"$1\"\n",
        world.home.path().join("text").display()
    );
    std::fs::write(&formatter, text).expect("a script");
    std::fs::write(world.home.path().join("text"), "2\n").expect("a file");
    let config = format!("{{\"*.js\": \"sh {}\"}}\n", formatter.display());
    world.repo.write(".lintstagedrc.json", config);
    world.repo.stage("a.js", "3\n");
    world.git(&["commit", "-m", "formatted"], 0);
    assert_eq!(world.repo.git(&["show", "HEAD:a.js"]), "2");
    std::fs::write(world.home.path().join("text"), pair(1940)).expect("a file");
    world.repo.stage("a.js", "4\n");
    let said = world.git(&["commit", "-m", "formatted"], 1);
    assert!(
        said.contains("a.js") && said.contains("keysieve stopped this commit"),
        "{said}"
    );
    // Before anything else runs.
    world.git(&["reset", "--quiet", "--hard"], 0);
    world.repo.stage("b.env", pair(1941));
    let said = world.git(&["commit", "-m", "leak"], 1);
    assert!(
        said.contains("b.env") && !said.contains("lint-staged"),
        "{said}"
    );
    world.keysieve(&["hook", "uninstall"], 0);
    let script = std::fs::read_to_string(world.repo.join(".husky/pre-commit")).expect("a script");
    assert_eq!(script, "lint-staged\n");
}
