//! Submodules: named where they are not looked at, looked at where that is asked.

use std::path::Path;

use serde_json::Value;

use super::found;
use crate::support::command::Run;
use crate::support::{TestRepo, pair};

/// A repository with a submodule that has one itself.
struct World {
    outer: TestRepo,
    inner: TestRepo,
    deep: TestRepo,
}

impl World {
    fn new() -> Self {
        let deep = TestRepo::new();
        deep.commit_file("y.env", pair(3), "deep");
        let inner = TestRepo::new();
        inner.commit_file("x.env", pair(1), "brought in");
        inner.commit_file("x.env", "nothing\n", "taken out");
        inner.commit(&format!("said\n\n{}", pair(2)));
        add(&inner, &deep, "deep");
        inner.commit("with a submodule");
        let outer = TestRepo::new();
        outer.commit_file("z.env", pair(4), "outer");
        add(&outer, &inner, "libs/inner");
        outer.commit("with a submodule");
        update(&outer);
        Self { outer, inner, deep }
    }

    /// A clone whose submodules are not there.
    fn without(&self) -> TestRepo {
        let clone = TestRepo::new();
        let url = self.outer.path().to_str().expect("text");
        clone.git(&["pull", "--quiet", url, "main"]);
        clone
    }
}

fn add(repo: &TestRepo, module: &TestRepo, path: &str) {
    let url = module.path().to_str().expect("text");
    git(repo, &["submodule", "add", "--quiet", url, path]);
}

fn update(repo: &TestRepo) {
    git(
        repo,
        &["submodule", "update", "--quiet", "--init", "--recursive"],
    );
}

/// `git`, which fetches submodules from files only when that is allowed.
fn git(repo: &TestRepo, args: &[&str]) {
    let mut all = vec!["-c", "protocol.file.allow=always"];
    all.extend(args);
    repo.git(&all);
}

fn skipped(run: &Run, reason: &str) -> Vec<String> {
    let report = run.json();
    let skips = report["coverage"]["skips"].as_array().expect("skips");
    let those = skips.iter().filter(|skip| skip["reason"] == reason);
    those
        .map(|skip| skip["subject"].as_str().expect("a subject").to_owned())
        .collect()
}

const RECURSE: &[&str] = &["history", "--recurse-submodules", "--format", "json"];

#[test]
fn they_are_named_where_they_are_not_looked_at() {
    let world = World::new();
    for (repo, commands) in [
        (
            &world.outer,
            &[&["history"][..], &["staged", "--all-files"]][..],
        ),
        (
            &world.without(),
            &[&["history"], &["staged", "--all-files"], &["scan"]],
        ),
    ] {
        for command in commands {
            let run = repo.keysieve(command).args(["--format", "json"]).status(1);
            assert_eq!(skipped(&run, "submodule"), ["libs/inner"], "{command:?}");
            assert_eq!(run.json()["coverage"]["complete"], true);
            let text = repo.keysieve(command).status(1);
            assert!(text.out().contains("libs/inner"), "{}", text.show());
        }
    }
    // What is checked out a scan of files goes into; what is not, at any depth, it names.
    let run = world
        .outer
        .keysieve(&["scan", "--format", "json"])
        .status(1);
    assert_eq!(found(&run), ["libs/inner/deep/y.env", "z.env"]);
    assert_eq!(skipped(&run, "submodule"), [""; 0]);
    git(
        &world.outer,
        &[
            "-C",
            "libs/inner",
            "submodule",
            "--quiet",
            "deinit",
            "--all",
        ],
    );
    let run = world
        .outer
        .keysieve(&["scan", "--format", "json"])
        .status(1);
    assert_eq!(skipped(&run, "submodule"), ["libs/inner/deep"]);
}

#[test]
fn their_objects_are_searched_and_their_path_is_part_of_the_place() {
    let world = World::new();
    let run = world.outer.keysieve(RECURSE).status(1);
    let report = run.json();
    assert_eq!(skipped(&run, "submodule"), [""; 0]);
    let mut places: Vec<(String, Value)> = Vec::new();
    for finding in report["findings"].as_array().expect("findings") {
        let place = &finding["places"][0];
        let commit = place["commit"].as_str().expect("a commit").to_owned();
        let path = match place["object_kind"].as_str() {
            Some("commit") => "a message".to_owned(),
            _ => place["path"].as_str().expect("a path").to_owned(),
        };
        places.push((path, place["submodule"].clone()));
        let repo = match place["submodule"].as_str() {
            None => &world.outer,
            Some("libs/inner") => &world.inner,
            Some(_) => &world.deep,
        };
        assert_eq!(repo.git(&["cat-file", "-t", &commit]), "commit");
    }
    places.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(
        places,
        [
            ("a message".to_owned(), "libs/inner".into()),
            ("libs/inner/deep/y.env".to_owned(), "libs/inner/deep".into()),
            ("libs/inner/x.env".to_owned(), "libs/inner".into()),
            ("z.env".to_owned(), Value::Null),
        ]
    );
    let text = world.outer.keysieve(&RECURSE[..2]).status(1);
    for part in [
        "libs/inner commit ",
        ":libs/inner/x.env:",
        "submodule: libs/inner",
    ] {
        assert!(text.out().contains(part), "{part}\n{}", text.show());
    }
    // All is counted that a scan of each by itself counts.
    let blobs = |repo: &TestRepo| {
        let run = repo.keysieve(&["history", "--format", "json"]).status(1);
        run.json()["coverage"]["blobs"].as_u64().expect("a count")
    };
    let all = blobs(&world.outer) + blobs(&world.inner) + blobs(&world.deep);
    assert_eq!(report["coverage"]["blobs"], all);
}

#[test]
fn what_a_linked_work_tree_or_no_commit_has_is_searched_too() {
    let world = World::new();
    let linked = world
        .outer
        .join("../linked-".to_owned() + &name(world.outer.path()));
    let at = linked.to_str().expect("text").to_owned();
    world
        .outer
        .git(&["worktree", "add", "--quiet", "--detach", &at]);
    git(
        &world.outer,
        &["-C", &at, "submodule", "update", "--quiet", "--init"],
    );
    // A commit that only the submodule of the linked work tree has.
    let module = linked.join("libs/inner");
    std::fs::write(module.join("w.env"), pair(5)).expect("a file");
    let inside = module.to_str().expect("text").to_owned();
    world.outer.git(&["-C", &inside, "add", "w.env"]);
    world
        .outer
        .git(&["-C", &inside, "commit", "--quiet", "-m", "linked"]);
    let run = world.outer.keysieve(RECURSE).status(1);
    let places = found(&run);
    assert!(
        places.contains(&"libs/inner/w.env".to_owned()),
        "{places:?}"
    );
    // Without the work tree its objects are still there.
    std::fs::remove_dir_all(&linked).expect("the work tree goes");
    let run = world.outer.keysieve(RECURSE).run();
    let places = found(&run);
    assert!(
        places.contains(&"libs/inner/w.env".to_owned()),
        "{places:?}"
    );
    // A submodule that is taken out of the repository leaves its objects behind.
    world.outer.git(&["rm", "--quiet", "libs/inner"]);
    world.outer.commit("without a submodule");
    let run = world.outer.keysieve(RECURSE).run();
    let places = found(&run);
    assert!(
        places.contains(&"libs/inner/x.env".to_owned()),
        "{places:?}"
    );
    assert!(
        places.contains(&"libs/inner/deep/y.env".to_owned()),
        "{places:?}"
    );
}

fn name(path: &Path) -> String {
    path.file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}

#[test]
fn one_that_is_not_here_is_incomplete_only_where_it_is_asked_for() {
    let world = World::new();
    let clone = world.without();
    for command in ["history", "scan"] {
        clone.keysieve(&[command]).status(1);
        let asked = [command, "--recurse-submodules", "--format", "json"];
        let run = clone.keysieve(&asked).status(2);
        assert_eq!(
            skipped(&run, "submodule-absent"),
            ["libs/inner"],
            "{command}"
        );
        assert!(run.err().contains("submodule-absent"), "{}", run.show());
        let accept = ["--allow-incomplete", "submodule-absent"];
        clone.keysieve(&asked).args(accept).status(1);
    }
    // One level deeper.
    git(&clone, &["submodule", "update", "--quiet", "--init"]);
    for command in ["history", "scan"] {
        let asked = [command, "--recurse-submodules", "--format", "json"];
        let run = clone.keysieve(&asked).status(2);
        assert_eq!(
            skipped(&run, "submodule-absent"),
            ["libs/inner/deep"],
            "{command}"
        );
    }
    update(&clone);
    clone.keysieve(RECURSE).status(1);
    clone.keysieve(&["scan", "--recurse-submodules"]).status(1);
}

#[test]
fn a_commit_of_one_that_is_not_fetched_and_one_that_is_damaged_are_named() {
    let world = World::new();
    let id = "0123456789012345678901234567890123456789";
    let entry = format!("160000,{id},libs/inner");
    world.outer.git(&["update-index", "--cacheinfo", &entry]);
    world.outer.git(&["commit", "--quiet", "-m", "ahead"]);
    let run = world.outer.keysieve(RECURSE).status(2);
    assert_eq!(skipped(&run, "missing"), ["libs/inner"]);
    world.outer.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    world.outer.keysieve(RECURSE).status(1);
    for file in [
        ".git/modules/libs/inner/config",
        ".git/modules/libs/inner/modules/deep/HEAD",
    ] {
        let whole = std::fs::read(world.outer.join(file)).expect("a file");
        world.outer.write(file, "[");
        let run = world.outer.keysieve(RECURSE).status(2);
        assert!(run.out().contains("libs/inner"), "{}", run.show());
        world.outer.write(file, whole);
    }
    world.outer.keysieve(RECURSE).status(1);
}

#[test]
fn paths_and_exceptions_of_the_outer_repository_reach_into_them() {
    let world = World::new();
    let recurse = |more: &[&str]| found(&world.outer.keysieve(RECURSE).args(more).status(1));
    assert_eq!(
        recurse(&["--", "libs"]),
        ["libs/inner/deep/y.env", "libs/inner/x.env"]
    );
    assert_eq!(
        recurse(&["--exclude", "/libs/inner/deep/", "--", "libs"]),
        ["libs/inner/x.env"]
    );
    // What is below a submodule `HEAD` does not tell.
    let deep = ["--", "libs/inner/deep/y.env", "libs/inner/x.env"];
    let run = world.outer.keysieve(RECURSE).args(deep).status(1);
    assert_eq!(run.err(), "");
    let allow = "[[allow]]\npaths = ['/libs/inner/x.env']\nreason = 'rotated'\n";
    world.outer.write(".keysieve.toml", allow);
    assert_eq!(
        recurse(&["--", "libs"]),
        ["libs/inner/deep/y.env", "libs/inner/x.env accepted"]
    );
    // A submodule has a configuration of its own, of which only what it excepts counts here.
    let own = "fail-on = 'never'\n[[allow]]\npaths = ['/y.env']\nreason = 'rotated'\n";
    world.outer.write("libs/inner/deep/.keysieve.toml", own);
    assert_eq!(
        recurse(&["--", "libs/inner/deep", "z.env"]),
        ["libs/inner/deep/y.env accepted", "z.env"]
    );
    // A baseline takes them in.
    let write = ["baseline", "write", "--history", "--recurse-submodules"];
    world.outer.keysieve(&write).status(0);
    world.outer.keysieve(RECURSE).status(0);
}

/// Whatever tells of submodules that are not here, and wherever their repository lies.
#[test]
fn a_scan_that_is_asked_to_look_names_all_that_are_absent() {
    let world = World::new();
    let absent = |repo: &TestRepo, path: &str| {
        let args = ["scan", "--recurse-submodules", "--format", "json", path];
        skipped(&repo.keysieve(&args).status(2), "submodule-absent")
    };
    let clone = world.without();
    std::fs::remove_file(clone.join(".gitmodules")).expect("the list goes");
    assert_eq!(absent(&clone, "."), ["libs/inner"]);
    let index = clone.join(".git/index");
    std::fs::write(&index, "damaged").expect("an index");
    let args = ["scan", "--recurse-submodules", "--format", "json"];
    let run = clone.keysieve(&args).status(2);
    assert_eq!(skipped(&run, "unreadable").len(), 1, "{}", run.show());
    std::fs::remove_file(&index).expect("the index goes");
    assert_eq!(absent(&clone, "."), ["libs/inner"]);
    // Below what is scanned, and beside it.
    let parent = TestRepo::new();
    let url = world.outer.path().to_str().expect("text");
    parent.git(&["clone", "--quiet", url, "here/clone"]);
    assert_eq!(absent(&parent, "."), ["here/clone/libs/inner"]);
    assert_eq!(absent(&parent, "here"), ["here/clone/libs/inner"]);
    let other = TestRepo::new();
    other.write("f", "nothing\n");
    let clone = parent.join("here/clone");
    let run = other
        .keysieve(&["scan", "--recurse-submodules", "--format", "json", "f"])
        .arg(&clone)
        .status(2);
    assert_eq!(skipped(&run, "submodule-absent").len(), 1, "{}", run.show());
}

/// Folders of these names are parts of a submodule's name, not of a repository.
#[test]
fn a_submodule_may_be_called_config_or_head() {
    let inner = TestRepo::new();
    inner.commit_file("x.env", pair(1), "a key");
    for path in ["services/config", "services/HEAD"] {
        let outer = TestRepo::new();
        outer.commit_file("f", "nothing\n", "outer");
        add(&outer, &inner, path);
        outer.commit("with a submodule");
        std::fs::remove_dir_all(outer.join("services")).expect("the work tree goes");
        let run = outer.keysieve(RECURSE).status(1);
        assert_eq!(found(&run), [format!("{path}/x.env")]);
    }
}

/// One that is looked at is not named as one that is not.
#[test]
fn what_is_looked_at_is_not_named_whatever_the_limits() {
    let world = World::new();
    let more = ["--since", "2000-01-01"];
    let run = world.outer.keysieve(RECURSE).args(more).status(1);
    assert_eq!(skipped(&run, "submodule"), [""; 0]);
}

/// Git follows a link to where it keeps a submodule.
#[test]
#[cfg(unix)]
fn a_git_directory_that_is_a_link_is_searched() {
    let world = World::new();
    let kept = world.outer.join(".git/modules/libs/inner");
    let elsewhere = world.deep.join("kept");
    std::fs::rename(&kept, &elsewhere).expect("it moves");
    std::os::unix::fs::symlink(&elsewhere, &kept).expect("a link");
    let circle = world.outer.join(".git/modules/libs/circle");
    std::os::unix::fs::symlink("..", circle).expect("a link");
    std::fs::remove_dir_all(world.outer.join("libs")).expect("the work tree goes");
    let run = world.outer.keysieve(RECURSE).run();
    assert!(
        found(&run).contains(&"libs/inner/x.env".to_owned()),
        "{}",
        run.show()
    );
}
