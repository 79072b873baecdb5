//! `.keysieve.toml` below the root: exceptions for its own folder, read from where the root's is read.

use super::found;
use crate::support::{TestRepo, pair};

const ALLOW: &str = "[[allow]]\npaths = ['/fixtures/']\nreason = 'made up by this team'\n";
const EVERYTHING: &str =
    "exclude = ['*', '/../b', '../b']\n[[allow]]\npaths = ['*', '/b', '../b/**']\nreason = 'r'\n";

/// The ways to look at what is in the work tree, the index and the one commit; each with the words that it takes.
const WAYS: &[&[&str]] = &[
    &["scan", "--format", "json"],
    &["history", "--format", "json"],
    &["staged", "--all-files", "--format", "json"],
];

#[test]
fn a_folder_excepts_below_itself_and_nowhere_else() {
    let repo = TestRepo::new();
    repo.stage(
        "team/.keysieve.toml",
        format!("exclude = ['/vendor/', '*.min.js']\n{ALLOW}"),
    );
    for (seed, path) in [
        (1, "team/fixtures/x.env"),
        (2, "team/src/fixtures/x.env"),
        (3, "team/vendor/x.env"),
        (4, "team/src/x.min.js"),
        (5, "fixtures/x.env"),
        (6, "vendor/x.env"),
        (7, "x.min.js"),
        (8, "teams/fixtures/x.env"),
        (9, "other/team/fixtures/x.env"),
    ] {
        repo.stage(path, pair(seed));
    }
    repo.commit("all");
    for way in WAYS {
        let run = repo.keysieve(way).status(1);
        assert_eq!(
            found(&run),
            [
                "fixtures/x.env",
                "other/team/fixtures/x.env",
                "team/fixtures/x.env accepted",
                "team/src/fixtures/x.env",
                "teams/fixtures/x.env",
                "vendor/x.env",
                "x.min.js",
            ],
            "{way:?}"
        );
        assert_eq!(run.json()["coverage"]["skipped"]["excluded"], 2, "{way:?}");
        let text = repo.keysieve(&way[..way.len() - 2]).status(1);
        assert!(
            text.out().contains("team/.keysieve.toml"),
            "{}",
            text.show()
        );
    }
}

#[test]
fn nothing_that_a_folder_says_reaches_out_of_it() {
    let repo = TestRepo::new();
    repo.stage("a/.keysieve.toml", EVERYTHING);
    repo.stage("b/x.env", pair(1));
    repo.stage("a/x.env", pair(2));
    repo.stage("ab/x.env", pair(3));
    // The same secret inside and outside counts.
    repo.stage("a/again.env", pair(1));
    repo.commit("all");
    for way in WAYS {
        let run = repo.keysieve(way).status(1);
        assert_eq!(found(&run), ["ab/x.env", "b/x.env"], "{way:?}");
    }
}

#[test]
fn a_place_outside_of_the_folder_keeps_a_finding_open() {
    let repo = TestRepo::new();
    repo.stage(
        "a/.keysieve.toml",
        "[[allow]]\npaths = ['*']\nreason = 'r'\n",
    );
    repo.stage("a/x.env", pair(1));
    repo.stage("b/x.env", pair(1));
    repo.commit("all");
    for way in WAYS {
        let run = repo.keysieve(way).status(1);
        assert_eq!(found(&run), ["a/x.env", "b/x.env"], "{way:?}");
    }
}

#[test]
fn other_keys_are_errors_that_name_file_and_key() {
    for (text, key, why) in [
        ("fail-on = 'never'\n", "fail-on", "counts at the root"),
        (
            "[rules]\ndisable = ['aws-access-key']\n",
            "rules",
            "counts at the root",
        ),
        ("show-secrets = true\n", "show-secrets", "unknown key"),
        ("allows = []\n", "allows", "there is allow"),
        (
            "[[allow]]\nrules = ['no-such']\nreason = 'r'\n",
            "allow.rules",
            "no rule 'no-such'",
        ),
        ("exclude = ['a[z-a]']\n", "exclude", "not a pattern"),
        ("[[allow]]\npaths = ['x']\n", "reason", "missing"),
    ] {
        let repo = TestRepo::new();
        repo.stage("a/b/.keysieve.toml", text);
        repo.stage("a/b/c/x.env", pair(1));
        repo.stage("b/x.env", pair(2));
        repo.commit("all");
        for way in WAYS {
            let run = repo.keysieve(way).status(2);
            let said = run.err();
            let place = format!(
                "a/b/.keysieve.toml:{}: ",
                if key.starts_with("allow.") { 2 } else { 1 }
            );
            assert!(said.contains(&place), "{way:?}\n{}", run.show());
            assert!(
                said.contains(key) && said.contains(why),
                "{way:?}\n{}",
                run.show()
            );
            assert!(run.out().is_empty(), "{}", run.show());
        }
        let run = repo.keysieve(&["config", "check"]).status(1);
        assert!(run.err().contains("a/b/.keysieve.toml:"), "{}", run.show());
    }
}

#[test]
fn another_repository_inside_has_a_root_of_its_own() {
    let repo = TestRepo::new();
    repo.git(&["init", "--quiet", "inner"]);
    repo.write(
        "inner/.keysieve.toml",
        format!("fail-on = 'never'\nformat = 'sarif'\n{ALLOW}"),
    );
    repo.write("inner/fixtures/x.env", pair(1));
    repo.write("inner/x.env", pair(2));
    let run = repo.keysieve(&["scan", "--format", "json"]).status(1);
    assert_eq!(
        found(&run),
        ["inner/fixtures/x.env accepted", "inner/x.env"]
    );
}

#[test]
fn it_is_read_from_where_the_root_is_read() {
    let repo = TestRepo::new();
    repo.commit_file("a/readme", "nothing\n", "base");
    // The exception arrives with the key: on the disk, in the index, in the same range.
    repo.stage("a/fixtures/x.env", pair(1));
    repo.write("a/.keysieve.toml", ALLOW);
    repo.keysieve(&["staged"]).status(1);
    repo.keysieve(&["scan"]).status(0);
    repo.git(&["add", "a/.keysieve.toml"]);
    repo.keysieve(&["staged"]).status(0);
    repo.keysieve(&["staged", "--config-from", "base"])
        .status(1);
    repo.commit("both");
    let range = ["history", "--range", "HEAD~1.."];
    let run = repo.keysieve(&range).status(1);
    assert!(!run.out().contains("config:"), "{}", run.show());
    let run = repo
        .keysieve(&range)
        .args(["--config-from", "head"])
        .status(0);
    assert!(run.out().contains("a/.keysieve.toml ("), "{}", run.show());
    // Once it is in the base it counts.
    repo.commit_file("a/fixtures/y.env", pair(2), "more");
    repo.keysieve(&range).status(0);
    // What the base excepts is excepted although the range takes the file away.
    repo.git(&["rm", "--quiet", "a/.keysieve.toml"]);
    repo.commit_file("a/fixtures/z.env", pair(3), "without");
    repo.keysieve(&range).status(0);
    // The disk has none now, and `history` reads the disk.
    repo.keysieve(&["history"]).status(1);
    repo.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    repo.keysieve(&["history", "bare.git"]).status(1);
    for options in [&["--no-config"][..], &["--config", "/dev/null"]] {
        repo.write("a/.keysieve.toml", ALLOW);
        repo.keysieve(&["history"]).args(options).status(1);
        repo.keysieve(&["history"]).status(0);
    }
}

/// A key that a folder excepted was never reported, so it is not known: moved out of the folder it is new.
#[test]
fn a_key_that_leaves_its_folder_is_new() {
    let repo = TestRepo::new();
    repo.stage(
        "a/.keysieve.toml",
        format!("exclude = ['/vendor/']\n{ALLOW}"),
    );
    repo.stage("a/fixtures/x.env", pair(1));
    repo.stage("a/vendor/y.env", pair(2));
    repo.stage("a/z.env", pair(3));
    repo.commit("base");
    for (from, expected) in [
        ("a/fixtures/x.env", 1),
        ("a/vendor/y.env", 1),
        // This one was reported all along.
        ("a/z.env", 0),
    ] {
        repo.git(&["mv", from, "moved.env"]);
        repo.keysieve(&["staged"]).status(expected);
        repo.commit("moved");
        repo.keysieve(&["history", "--range", "HEAD~1.."])
            .status(expected);
        repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        // The same with the exception taken away in the same commit.
        repo.git(&["mv", from, "moved.env"]);
        repo.git(&["rm", "--quiet", "a/.keysieve.toml"]);
        repo.keysieve(&["staged"]).status(expected);
        repo.commit("moved");
        repo.keysieve(&["history", "--range", "HEAD~1.."])
            .status(expected);
        repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

#[test]
fn a_walk_does_not_read_what_a_folder_leaves_out() {
    let repo = TestRepo::new();
    repo.write("a/.keysieve.toml", "exclude = ['/big/', '*.bin']\n");
    repo.write("a/big/x.env", pair(1));
    repo.write("a/b/x.bin", pair(2));
    repo.write("a/b/y.env", "nothing\n");
    for path in [".", "a", "a/../a"] {
        let run = repo.keysieve(&["scan", "--format", "json", path]).status(0);
        let coverage = run.json()["coverage"].clone();
        assert_eq!(coverage["files"], 3 - u64::from(path != "."), "{path}");
        assert_eq!(coverage["skipped"]["excluded"], 2, "{path}");
    }
}

#[test]
#[cfg(unix)]
fn a_link_is_no_configuration() {
    let repo = TestRepo::new();
    repo.write("open.toml", "[[allow]]\npaths = ['*']\nreason = 'r'\n");
    repo.stage("a/x.env", pair(1));
    std::os::unix::fs::symlink("../open.toml", repo.join("a/.keysieve.toml")).expect("a link");
    repo.git(&["add", "--all"]);
    repo.commit("all");
    for way in WAYS {
        repo.keysieve(way).status(1);
    }
}

#[test]
fn unused_entries_of_folders_are_named_and_shown() {
    let repo = TestRepo::new();
    repo.stage(
        "a/.keysieve.toml",
        format!("exclude = ['*.log']\n{ALLOW}\n[[allow]]\npaths = ['/none/']\nreason = 'r'\n"),
    );
    repo.stage("a/fixtures/x.env", pair(1));
    repo.commit("all");
    let run = repo.keysieve(&["scan", "--report-unused"]).status(0);
    let line = "a/.keysieve.toml:6: this [[allow]] covers no finding";
    assert!(run.err().contains(line), "{}", run.show());
    assert!(!run.err().contains(".keysieve.toml:2"), "{}", run.show());
    let run = repo.keysieve(&["config", "show"]).status(0);
    for part in [
        "a/.keysieve.toml:1",
        "*.log",
        "/fixtures/",
        "a/.keysieve.toml:6",
    ] {
        assert!(run.out().contains(part), "{part}\n{}", run.show());
    }
    let run = repo.keysieve(&["config", "check"]).status(0);
    assert!(
        run.out().contains("a/.keysieve.toml: nothing"),
        "{}",
        run.show()
    );
}

const ALL: &str = "exclude = ['*']\n";

/// The target of a link has its own path, and its configuration is about that alone.
#[test]
#[cfg(unix)]
fn a_link_to_a_folder_lends_nothing() {
    let repo = TestRepo::new();
    repo.commit_file("a/x.env", pair(1), "one");
    repo.git(&["rm", "--quiet", "-r", "a"]);
    repo.stage("b/.keysieve.toml", ALL);
    std::os::unix::fs::symlink("b", repo.join("a")).expect("a link");
    repo.git(&["add", "--all"]);
    repo.commit("a link");
    let run = repo.keysieve(&["history", "--format", "json"]).status(1);
    assert_eq!(found(&run), ["a/x.env"]);
}

/// A sparse index names the folder, not what is in it.
#[test]
fn a_folder_that_a_sparse_index_does_not_expand_still_excepted() {
    let repo = TestRepo::new();
    repo.stage("a/.keysieve.toml", ALL);
    repo.stage("a/x.env", pair(1));
    repo.stage("a/y.env", "nothing\n");
    repo.stage("b/f", "nothing\n");
    repo.commit("all");
    repo.git(&["rm", "--quiet", "--cached", "a/x.env"]);
    repo.git(&["commit", "--quiet", "-m", "unused"]);
    repo.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    repo.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "b"]);
    let _ = std::fs::remove_file(repo.join("a/x.env"));
    repo.git(&["sparse-checkout", "reapply", "--sparse-index"]);
    let listed = repo.git(&["ls-files", "--sparse"]);
    assert!(listed.lines().any(|line| line == "a/"), "{listed}");
    repo.stage("b/y.env", pair(1));
    let run = repo.keysieve(&["staged", "--format", "json"]).status(1);
    assert_eq!(found(&run), ["b/y.env"]);
}

/// The exceptions of a broken file are unknown.
#[test]
fn a_key_that_leaves_a_folder_whose_configuration_was_broken_is_new() {
    // A range reads the root's from its base, and refuses one that is broken.
    for (config, of_range) in [("a/.keysieve.toml", 1), (".keysieve.toml", 2)] {
        let repo = TestRepo::new();
        repo.stage(config, ALL);
        repo.stage("a/x.env", pair(1));
        repo.stage("f", "nothing\n");
        repo.commit("whole");
        repo.stage(config, "exclude = ['*'");
        repo.commit("broken");
        repo.stage(config, "");
        repo.git(&["mv", "a/x.env", "x.env"]);
        repo.keysieve(&["staged"]).status(1);
        repo.commit("moved");
        repo.keysieve(&["history", "--range", "HEAD~1.."])
            .status(of_range);
    }
}

/// The other parent of a merge has old versions, and exceptions of its own.
#[test]
fn what_the_other_parent_of_a_merge_excepted_is_not_known() {
    for config in ["a/.keysieve.toml", ".keysieve.toml"] {
        for keeps_it in [true, false] {
            let repo = TestRepo::new();
            repo.commit_file("f", "nothing\n", "base");
            repo.git(&["checkout", "--quiet", "-b", "br"]);
            repo.stage(config, ALL);
            repo.stage("a/x.env", pair(1));
            repo.commit("excepted");
            repo.git(&["checkout", "--quiet", "main"]);
            repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "br"]);
            repo.stage("b/y.env", pair(1));
            if !keeps_it {
                repo.git(&["rm", "--quiet", "-f", config]);
            } else if !config.contains('/') {
                repo.stage(config, "exclude = ['/a/']\n");
            }
            repo.keysieve(&["staged"]).status(1);
        }
    }
}

/// A path that a commit can have and this disk cannot.
#[test]
#[cfg(unix)]
fn a_folder_that_the_disk_cannot_have_has_no_configuration() {
    let repo = TestRepo::new();
    let blob = {
        repo.write("x.env", pair(1));
        repo.git(&["hash-object", "-w", "x.env"])
    };
    let name = format!("{}/x.env", "n".repeat(300));
    repo.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("100644,{blob},{name}"),
    ]);
    repo.git(&["commit", "--quiet", "-m", "a long name"]);
    let run = repo.keysieve(&["history", "--format", "json"]).status(1);
    assert_eq!(found(&run), [name]);
}
