//! `git filter-repo` with the list that `keysieve history --replace-text` writes.

use super::World;
use crate::support::keys::pem;
use crate::support::{Keys, TestCommand, base64, pair};

#[test]
#[ignore = "needs git-filter-repo: .ci/others installs it"]
fn a_rewrite_takes_out_all_that_the_list_names() {
    let world = World::new();
    let repo = &world.repo;
    let mut keys = Keys::new(7);
    let (id, secret) = (keys.id(), keys.secret());
    let text = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let key = pem(&mut keys);
    let encoded = base64(pair(8).as_bytes());
    repo.commit_file("x.env", &text, "brought in");
    repo.commit_file("x.env", "nothing\n", "taken out");
    repo.commit_file("key.pem", &key, "of several lines");
    repo.commit_file("encoded.yaml", format!("data: {encoded}\n"), "encoded");
    repo.commit(&format!("said\n\n{}", pair(9)));
    let list = world.home.path().join("list");
    let list = list.to_str().expect("text");
    repo.keysieve(&["history", "--replace-text", list])
        .status(1);
    world
        .with_env(TestCommand::new("git", repo.path()))
        .args([
            "filter-repo",
            "--force",
            "--replace-text",
            list,
            "--replace-message",
            list,
        ])
        .status(0);
    let all = repo.git(&["log", "--all", "--patch", "--format=fuller"]);
    let middle = key.lines().nth(3).expect("a line");
    for value in [secret.as_str(), middle] {
        assert!(!all.contains(value), "{all}");
    }
    assert!(all.contains("***REMOVED***"), "{all}");
    // No secret is left: what remains are key IDs, which are none.
    repo.keysieve(&["history"]).status(0);
}
