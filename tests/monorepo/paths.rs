//! `-- PATH…`: which findings are reported. What is read does not depend on it.

use super::found;
use crate::support::{TestCommand, TestRepo, pair};

/// Keys at three paths and in a message.
fn repo() -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_file("a/x.env", pair(1), "one");
    repo.commit_file("a/deep/y.env", pair(2), "two");
    repo.commit_file("b/z.env", pair(3), "three");
    repo.commit(&format!("four\n\n{}", pair(4)));
    repo
}

#[test]
fn paths_select_findings_and_the_summary_says_what_is_left_out() {
    let repo = repo();
    let run = repo
        .keysieve(&["history", "--format", "json", "--", "a"])
        .status(1);
    assert_eq!(found(&run), ["a/deep/y.env", "a/x.env"]);
    let coverage = &run.json()["coverage"];
    let selected = &coverage["selected"];
    assert_eq!(selected["paths"], serde_json::json!(["a"]));
    assert_eq!(
        (&selected["elsewhere"], &selected["without_path"]),
        (&1.into(), &1.into())
    );
    // All was read.
    assert_eq!(
        (&coverage["blobs"], &coverage["commits"]),
        (&3.into(), &4.into())
    );
    let text = repo.keysieve(&["history", "--", "a/deep"]).status(1);
    let line =
        "paths:   only what is at a/deep; left out: 2 findings elsewhere, 1 finding without a path";
    let joined = text.out().replace("\n         ", " ");
    assert!(joined.contains(line), "{}", text.show());
    for format in ["html", "markdown", "junit", "sarif", "jsonl"] {
        let run = repo
            .keysieve(&["history", "--format", format, "--", "a/deep"])
            .status(1);
        assert!(run.out().contains("a/deep"), "{format}: {}", run.show());
    }
    let clean = repo.keysieve(&["history", "--", "c"]).status(0);
    let note = "warning: HEAD has nothing at c;";
    assert!(clean.err().contains(note), "{}", clean.show());
}

#[test]
fn paths_are_relative_as_git_has_them() {
    let repo = repo();
    let dir = repo.join("a");
    let absolute = repo.join("b");
    for (paths, expected) in [
        (&["deep"][..], &["a/deep/y.env"][..]),
        (&["."], &["a/deep/y.env", "a/x.env"]),
        (&["../b"], &["b/z.env"]),
        (&[":/b"], &["b/z.env"]),
        (&[":(top)b/z.env", "x.env"], &["a/x.env", "b/z.env"]),
        (&["*.env"], &["a/deep/y.env", "a/x.env"]),
        (&[":/*/y.env"], &["a/deep/y.env"]),
        (&["x.env/"], &[]),
        (&[absolute.to_str().expect("text")], &["b/z.env"]),
    ] {
        let run = TestCommand::keysieve(&dir)
            .args(["history", "--format", "json", "--"])
            .args(paths)
            .run();
        assert_eq!(found(&run), expected, "{paths:?}\n{}", run.show());
        let mut ours: Vec<String> = expected.iter().map(|path| path.to_string()).collect();
        ours.dedup();
        // Git agrees about which files these are.
        let listed = TestCommand::new("git", &dir)
            .args(["ls-files", "--full-name", "--"])
            .args(paths)
            .status(0);
        let listed: Vec<String> = listed.out().lines().map(str::to_owned).collect();
        assert_eq!(listed, ours, "{paths:?}");
    }
    // The repository may be named, and then the paths are relative to it.
    let elsewhere = TestRepo::new();
    let run = TestCommand::keysieve(elsewhere.path())
        .args([
            "history",
            dir.to_str().expect("text"),
            "--format",
            "json",
            "--",
            "deep",
        ])
        .status(1);
    assert_eq!(found(&run), ["a/deep/y.env"]);
    for wrong in ["../../x", "/elsewhere", ":!b", ":(exclude)b"] {
        let run = TestCommand::keysieve(&dir)
            .args(["history", "--", wrong])
            .status(2);
        assert!(run.err().contains(wrong), "{}", run.show());
    }
}

#[test]
fn a_bare_repository_and_a_range_take_paths() {
    let repo = repo();
    repo.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    let run = repo
        .keysieve(&["history", "bare.git", "--format", "json", "--", "b"])
        .status(1);
    assert_eq!(found(&run), ["b/z.env"]);
    let range = ["history", "--range", "HEAD~3..", "--format", "json", "--"];
    let run = repo.keysieve(&range).arg("a").status(1);
    assert_eq!(found(&run), ["a/deep/y.env"]);
    assert_eq!(run.json()["coverage"]["selected"]["without_path"], 1);
    repo.keysieve(&range).arg("c").status(0);
}

#[test]
fn what_could_not_be_read_still_counts_and_a_secret_elsewhere_lends_nothing() {
    let repo = repo();
    // The same secret at a path that is asked for and at one that is not.
    repo.commit_file("c/x.env", pair(1), "again");
    let run = repo
        .keysieve(&["history", "--format", "json", "--", "c"])
        .status(1);
    assert_eq!(found(&run), ["c/x.env"]);
    let blob = repo.git(&["rev-parse", "HEAD:b/z.env"]);
    let object = repo.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]));
    std::fs::remove_file(object).expect("a loose object");
    let run = repo.keysieve(&["history", "--", "c"]).status(2);
    assert!(run.out().contains("missing"), "{}", run.show());
}

#[test]
fn a_baseline_of_paths_leaves_the_others_alone() {
    for mode in [&["--history"][..], &["--staged"], &[]] {
        let repo = TestRepo::new();
        repo.commit_file("a/x.env", pair(1), "one");
        repo.commit_file("b/z.env", pair(3), "three");
        repo.write("a/stays", "");
        let baseline = |command: &str, paths: &[&str], status| {
            TestCommand::keysieve(repo.join("a"))
                .args(["baseline", command])
                .args(mode)
                .arg("--")
                .args(paths)
                .status(status)
        };
        baseline("write", &["."], 0);
        let text = || std::fs::read_to_string(repo.join(".keysieve-baseline")).expect("a file");
        assert!(text().contains("a/x.env"), "{}", text());
        assert!(!text().contains("b/z.env"), "{}", text());
        baseline("update", &[":/b"], 0);
        assert!(text().contains("b/z.env"), "{}", text());
        // Both secrets are gone: an entry elsewhere is no business of these paths.
        repo.git(&["rm", "--quiet", "a/x.env", "b/z.env"]);
        if mode.is_empty() {
            let run = baseline("check", &["."], 1);
            assert!(run.out().contains("a/x.env"), "{}", run.show());
            assert!(!run.out().contains("b/z.env"), "{}", run.show());
            baseline("prune", &["."], 0);
            assert!(!text().contains("a/x.env"), "{}", text());
            assert!(text().contains("b/z.env"), "{}", text());
        }
    }
}

/// One place that nothing accepts keeps a finding open, whether it is asked for or not.
#[test]
fn acceptance_does_not_depend_on_the_paths() {
    let repo = TestRepo::new();
    let allow = "[[allow]]\npaths = ['*']\nreason = 'r'\n";
    repo.commit_file("a/.keysieve.toml", allow, "an exception");
    repo.commit_file("a/x.env", pair(1), "one");
    repo.commit_file("b/x.env", pair(1), "again");
    repo.keysieve(&["history"]).status(1);
    let run = repo
        .keysieve(&["history", "--format", "json", "--", "a"])
        .status(1);
    assert_eq!(found(&run), ["a/x.env"]);
}

/// A path that Git would read otherwise is refused, not taken for one that nothing has.
#[test]
fn what_git_reads_otherwise_is_refused() {
    let repo = repo();
    for wrong in [":/!a", ":/^a", "[a]/*.env", "a\\/*.env"] {
        let run = repo.keysieve(&["history", "--", wrong]).status(2);
        assert!(run.err().contains(wrong), "{}", run.show());
    }
    let named = repo.join("!a");
    repo.commit_file("!a/x.env", pair(9), "an odd name");
    repo.keysieve(&["history", "--", named.to_str().expect("text")])
        .status(1);
    repo.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    let inside = repo.join("bare.git/a");
    let inside = inside.to_str().expect("text");
    let run = repo
        .keysieve(&["history", "bare.git", "--", inside])
        .status(2);
    assert!(run.err().contains("bare"), "{}", run.show());
}

/// Paths begin at the root where the Git directory is named.
#[test]
fn paths_beside_a_git_directory_begin_at_the_root() {
    let repo = repo();
    for (dir, named) in [("", ".git"), (".git", "."), (".git/refs", ".")] {
        let run = TestCommand::keysieve(repo.join(dir))
            .args(["history", named, "--format", "json", "--", "b"])
            .status(1);
        assert_eq!(found(&run), ["b/z.env"], "{dir}");
    }
}

/// A baseline that is begun anew for some paths keeps what it has of others.
#[test]
fn a_baseline_begun_anew_for_paths_keeps_the_others() {
    let repo = repo();
    repo.keysieve(&["baseline", "write", "--history"]).status(0);
    let text = || std::fs::read_to_string(repo.join(".keysieve-baseline")).expect("a file");
    assert!(text().contains("b/z.env"), "{}", text());
    repo.keysieve(&[
        "baseline",
        "write",
        "--force",
        "--history",
        "--reason",
        "anew",
        "--",
        "a",
    ])
    .status(0);
    assert!(
        text().contains("b/z.env") && text().contains("a/x.env"),
        "{}",
        text()
    );
    assert_eq!(text().matches("anew").count(), 2, "{}", text());
    repo.keysieve(&[
        "baseline",
        "write",
        "--force",
        "--history",
        "--reason",
        "all",
    ])
    .status(0);
    assert!(!text().contains("anew"), "{}", text());
}
