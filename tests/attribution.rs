//! To which commit a finding is put down, and whether `HEAD` still has it: in histories where content moves and
//! clocks are wrong.

use serde_json::Value;

use crate::support::command::Run;
use crate::support::{TestCommand, TestRepo, pair};

/// The only finding of a report in JSON.
#[track_caller]
fn only(run: &Run) -> Value {
    let json = run.json();
    let findings = json["findings"].as_array().expect("findings");
    assert_eq!(findings.len(), 1, "{}", run.show());
    findings[0].clone()
}

/// The commit of its first place.
#[track_caller]
fn commit_of(run: &Run) -> String {
    let finding = only(run);
    let commit = finding["places"][0]["commit"].as_str();
    commit.expect("a commit").to_owned()
}

/// The text of a report in one line, so that no line break hides what it says.
fn said(run: &Run) -> String {
    run.out().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn commit_at(repo: &TestRepo, message: &str, author: u64, committer: u64) -> String {
    repo.git_command()
        .args(["commit", "--quiet", "--no-verify", "-m", message])
        .env("GIT_AUTHOR_DATE", format!("{author} +0000"))
        .env("GIT_COMMITTER_DATE", format!("{committer} +0000"))
        .status(0);
    repo.git(&["rev-parse", "HEAD"])
}

#[test]
fn what_is_edited_or_moved_has_not_left_head() {
    let repo = TestRepo::new();
    let text = pair(801);
    repo.commit_file("k", &text, "added");
    repo.commit_file("k", format!("{text}# one more line\n"), "edited");
    repo.git(&["mv", "k", "moved"]);
    repo.commit("moved");
    let run = repo.keysieve(&["history"]).status(1);
    assert!(!said(&run).contains("left HEAD"), "{}", run.show());
    assert!(said(&run).contains("reached: by HEAD"), "{}", run.show());
    let run = repo.keysieve(&["history", "--format=github"]).status(1);
    assert!(said(&run).contains("still in HEAD"), "{}", run.show());

    repo.git(&["rm", "--quiet", "moved"]);
    let gone = repo.commit("removed");
    repo.commit_file("other", "clean\n", "later");
    let run = repo.keysieve(&["history"]).status(1);
    let left = format!("left HEAD: {}", &gone[..12]);
    assert!(said(&run).contains(&left), "{}", run.show());
    assert!(!said(&run).contains("by HEAD"), "{}", run.show());
}

#[test]
fn a_child_with_an_older_date_did_not_bring_it_in() {
    let text = pair(802);
    for range in [false, true] {
        let repo = TestRepo::new();
        let base = repo.commit_file("readme", "clean\n", "base");
        repo.stage("k", &text);
        let first = commit_at(&repo, "added", 1_800_000_000, 1_800_000_000);
        repo.stage("k", format!("{text}# edited\n"));
        // Written long before, rebased onto it; and a committer's clock that ran back.
        commit_at(&repo, "rebased", 1_600_000_000, 1_800_000_100);
        repo.stage("k", format!("{text}# edited again\n"));
        commit_at(&repo, "clock", 1_750_000_000, 1_750_000_000);
        let spec = format!("{base}..HEAD");
        let mut args = vec!["history", "--format=json"];
        if range {
            args.extend(["--range", &spec]);
        }
        let run = repo.keysieve(&args).status(1);
        assert_eq!(commit_of(&run), first, "{}", run.show());
    }
}

#[test]
fn of_commits_of_one_second_the_parent_counts() {
    for seed in 0..8 {
        let repo = TestRepo::new();
        let base = repo.commit_file("readme", format!("{seed}\n"), "base");
        let text = pair(810 + seed);
        repo.stage("k", &text);
        let first = commit_at(&repo, "added", 1_800_000_000, 1_800_000_000);
        repo.stage("k", format!("{text}# edited\n"));
        commit_at(&repo, "edited", 1_800_000_000, 1_800_000_000);
        let spec = format!("{base}..");
        for args in [vec![], vec!["--range", &spec]] {
            let run = repo.keysieve(&["history", "--format=json"]).args(&args);
            let run = run.status(1);
            assert_eq!(commit_of(&run), first, "{}", run.show());
        }
    }
}

#[test]
fn what_is_limited_to_references_is_put_down_to_what_they_reach() {
    let repo = TestRepo::new();
    repo.commit_file("readme", "clean\n", "base");
    repo.commit_file("k", pair(803), "added");
    repo.git(&[
        "commit",
        "--quiet",
        "--amend",
        "-m",
        "added, in other words",
    ]);
    let kept = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["tag", "v1"]);
    for limit in [
        &["--reachable"][..],
        &["--branch", "main"],
        &["--branch", "v1"],
    ] {
        let run = repo
            .keysieve(&["history", "--format=json"])
            .args(limit)
            .status(1);
        assert_eq!(commit_of(&run), kept, "{}", run.show());
        let run = repo.keysieve(&["history"]).args(limit).status(1);
        assert!(said(&run).contains("refs/heads/main"), "{}", run.show());
        assert!(!said(&run).contains("by no ref"), "{}", run.show());
    }
}

#[test]
fn every_stash_is_reachable() {
    let repo = TestRepo::new();
    repo.commit_file("readme", "clean\n", "base");
    repo.stage("k", pair(804));
    repo.git(&["stash"]);
    repo.stage("c", "clean\n");
    repo.git(&["stash"]);
    let run = repo.keysieve(&["history", "--reachable"]).status(1);
    assert!(said(&run).contains("stash@{1}"), "{}", run.show());
    repo.git(&["stash", "clear"]);
    repo.keysieve(&["history", "--reachable"]).status(0);
}

#[test]
fn the_message_of_a_tag_is_the_tags_and_not_heads() {
    let repo = TestRepo::new();
    repo.commit_file("a", "clean\n", "first");
    let message = format!("release\n\n{}", pair(805));
    repo.git(&["tag", "--annotate", "v1", "--message", &message]);
    let tag = repo.git(&["rev-parse", "v1"]);
    for args in [&["history"][..], &["history", "--range", "v1"]] {
        let run = repo.keysieve(args).status(1);
        let named = format!("= tag: {}", &tag[..12]);
        assert!(said(&run).contains(&named), "{}", run.show());
        assert!(said(&run).contains("by refs/tags/v1"), "{}", run.show());
    }
    repo.git(&["tag", "-d", "v1"]);
    let run = repo.keysieve(&["history"]).status(1);
    assert!(said(&run).contains("reached: by no ref"), "{}", run.show());
}

#[test]
fn a_detached_head_is_named_once() {
    let repo = TestRepo::new();
    repo.commit_file("k", pair(806), "added");
    repo.git(&["checkout", "--quiet", "--detach"]);
    let run = repo.keysieve(&["history"]).status(1);
    assert_eq!(said(&run).matches("HEAD").count(), 1, "{}", run.show());
}

#[test]
fn variables_of_git_speak_of_the_repository_here() {
    let here = TestRepo::new();
    here.commit_file("a", "clean\n", "clean");
    let other = TestRepo::new();
    other.commit_file("k", pair(807), "added");
    let path = other.path().to_str().expect("a path");
    for args in [["history", path], ["history", "/nonexistent"]] {
        let status = if args[1] == path { 1 } else { 2 };
        here.keysieve(&args)
            .env("GIT_DIR", here.join(".git"))
            .env("GIT_INDEX_FILE", here.join(".git/index"))
            .status(status);
    }
    // Here they count, whichever way the repository is named.
    let dir = other.join(".git");
    for name in [".", path] {
        TestCommand::keysieve(other.path())
            .args(["history", name])
            .env("GIT_OBJECT_DIRECTORY", dir.join("objects"))
            .env("GIT_DIR", &dir)
            .status(1);
    }
}

#[test]
fn a_hook_that_changes_its_directory_sees_the_same_index() {
    let repo = TestRepo::new();
    repo.commit_file("pkg/readme", "clean\n", "base");
    repo.stage("pkg/k", pair(808));
    let pkg = repo.join("pkg");
    for args in [&["hook", "run", "pre-commit"][..], &["staged"]] {
        TestCommand::keysieve(&pkg)
            .args(args)
            .env("GIT_INDEX_FILE", ".git/index")
            .status(1);
    }
}

#[test]
fn without_an_index_nothing_is_clean() {
    let repo = TestRepo::new();
    repo.stage("k", pair(822));
    repo.keysieve(&["staged"]).status(1);
    repo.commit("added");
    std::fs::remove_file(repo.join(".git/index")).expect("an index");
    for args in [
        &["staged"][..],
        &["staged", "--all-files"],
        &["hook", "run", "pre-commit"],
    ] {
        let run = repo.keysieve(args).status(2);
        assert!(run.err().contains("no index"), "{}", run.show());
    }
    // Before the first commit there is none either.
    TestRepo::new().keysieve(&["staged"]).status(0);
}

#[test]
fn a_range_without_a_left_side_is_an_unset_variable() {
    let repo = TestRepo::new();
    repo.commit_file("k", pair(809), "added");
    for spec in ["..", "..HEAD", "...HEAD", "..."] {
        let run = repo.keysieve(&["history", "--range", spec]).status(2);
        assert!(run.err().contains("before the dots"), "{}", run.show());
    }
    repo.keysieve(&["history", "--since-commit", ""]).status(2);
    repo.commit_file("b", "clean\n", "later");
    repo.keysieve(&["history", "--range", "HEAD~1.."]).status(0);
}

#[test]
fn one_commit_can_be_asked_for() {
    let repo = TestRepo::new();
    repo.commit_file("k", pair(820), "added");
    repo.commit_file("b", "clean\n", "later");
    let run = repo.keysieve(&["history", "--range", "HEAD^!"]).status(0);
    assert!(run.out().contains("1 commit"), "{}", run.show());
    // The first commit has no parent to leave out.
    repo.keysieve(&["history", "--range", "HEAD~1^!"]).status(1);
}

#[test]
fn what_was_accepted_or_excluded_counts_once_it_is_not() {
    let allow = "[[allow]]\npaths = [\"/fixtures/\"]\nreason = \"made up\"\n";
    for (config, old, marker) in [
        ("exclude = [\"/vendor/\"]\n", "vendor/k", ""),
        (allow, "fixtures/k", ""),
        ("", "k", "# keysieve:allow of a test\n"),
    ] {
        let repo = TestRepo::new();
        repo.write(".keysieve.toml", config);
        let text = pair(821);
        let lines: Vec<String> = text
            .lines()
            .map(|line| format!("{line} {marker}"))
            .collect();
        repo.stage(".keysieve.toml", config);
        repo.commit_file(old, lines.join("\n"), "not reported");
        repo.keysieve(&["history"]).status(0);
        repo.git(&["rm", "--quiet", "--cached", old]);
        repo.stage("src/k", &text);
        repo.keysieve(&["staged"]).status(1);
        repo.commit("moved to where it counts");
        repo.keysieve(&["history", "--range", "HEAD~1.."]).status(1);
    }
}

#[test]
fn an_exception_that_goes_makes_what_it_covered_new() {
    let repo = TestRepo::new();
    let config = "[[allow]]\npaths = [\"/fixtures/\"]\nreason = \"made up\"\n";
    repo.stage(".keysieve.toml", config);
    repo.commit_file("fixtures/k", pair(830), "accepted");
    repo.stage(".keysieve.toml", "");
    repo.stage("fixtures/k", format!("{}# edited\n", pair(830)));
    repo.keysieve(&["staged"]).status(1);
}

#[test]
fn the_text_names_the_commit_that_all_formats_name() {
    let repo = TestRepo::new();
    repo.stage("k", pair(831));
    let first = commit_at(&repo, "added", 1_800_000_000, 1_800_000_000);
    repo.stage("k", format!("{}# edited\n", pair(831)));
    commit_at(&repo, "backdated", 1_600_000_000, 1_800_000_100);
    let run = repo.keysieve(&["history"]).status(1);
    let named = format!("= commit: {}", &first[..12]);
    assert!(said(&run).contains(&named), "{}", run.show());
}

#[test]
fn a_tag_within_a_tag_is_held_by_the_reference_of_the_outer_one() {
    let repo = TestRepo::new();
    repo.commit_file("a", "clean\n", "first");
    let message = format!("inner\n\n{}", pair(832));
    repo.git(&["tag", "--annotate", "inner", "--message", &message]);
    repo.git(&["tag", "--annotate", "outer", "inner", "--message", "outer"]);
    repo.git(&["tag", "-d", "inner"]);
    let run = repo.keysieve(&["history", "--range", "outer"]).status(1);
    assert!(said(&run).contains("by refs/tags/outer"), "{}", run.show());
}

#[test]
fn a_work_tree_that_only_the_environment_knows_is_found() {
    let repo = TestRepo::new();
    repo.commit_file("k", pair(833), "added");
    let tree = tempfile::tempdir().expect("a directory");
    TestCommand::keysieve(tree.path())
        .args(["history", tree.path().to_str().expect("a path")])
        .env("GIT_DIR", repo.join(".git"))
        .env("GIT_WORK_TREE", tree.path())
        .status(1);
}

#[test]
fn copies_of_what_was_there_before_are_known() {
    // The base of the range has one blob at many paths, all of which the range moves away.
    let repo = TestRepo::new();
    let text = pair(834);
    for number in 0..50 {
        repo.stage(&format!("old/{number}"), &text);
    }
    repo.commit("copies");
    repo.git(&["mv", "old", "new"]);
    repo.stage("more", pair(835));
    repo.commit("moved, and one that is new");
    let run = repo
        .keysieve(&["history", "--range", "HEAD~1..", "--format=json"])
        .status(1);
    let key = only(&run)["key_id"].as_str().expect("an id").to_owned();
    assert!(pair(835).contains(&key), "{}", run.show());
}

#[test]
fn a_tree_of_head_that_is_missing_hides_nothing_that_is_staged() {
    let repo = TestRepo::new();
    repo.commit_file("a", "clean\n", "first");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    repo.stage("k", pair(836));
    let object = format!(".git/objects/{}/{}", &tree[..2], &tree[2..]);
    std::fs::remove_file(repo.join(object)).expect("a loose tree");
    let run = repo.keysieve(&["staged", "--format=json"]).run();
    assert_ne!(run.status, 0, "{}", run.show());
    let key = only(&run)["key_id"].as_str().expect("an id").to_owned();
    assert!(pair(836).contains(&key), "{}", run.show());
}

#[test]
fn a_place_with_the_key_id_alone_neither_leads_nor_decides() {
    let repo = TestRepo::new();
    let text = pair(831);
    let id = text.lines().next().expect("a line with the key id");
    repo.commit_file("a.txt", format!("{id}\n"), "named");
    let added = repo.commit_file("z.env", &text, "added");
    let path_of = |finding: &Value, at: usize| finding["places"][at]["path"].clone();

    // In a directory the path decides, in a history the commit.
    let finding = only(&repo.keysieve(&["scan", ".", "--format=json"]).status(1));
    assert_eq!(
        (path_of(&finding, 0), path_of(&finding, 1)),
        ("z.env".into(), "a.txt".into())
    );
    let run = repo.keysieve(&["scan", "."]).status(1);
    assert!(said(&run).contains("--> z.env:2:"), "{}", run.show());
    assert!(
        said(&run).contains("::: a.txt:1:19 (key ID only)"),
        "{}",
        run.show()
    );
    let run = repo.keysieve(&["history", "--format=json"]).status(1);
    assert_eq!(commit_of(&run), added);
    assert_eq!(path_of(&only(&run), 0), "z.env");

    // The key ID is still in HEAD; the secret is not.
    repo.git(&["rm", "--quiet", "z.env"]);
    let gone = repo.commit("removed");
    let run = repo.keysieve(&["history"]).status(1);
    let left = format!("left HEAD: {}", &gone[..12]);
    assert!(said(&run).contains(&left), "{}", run.show());
    assert!(!said(&run).contains("by HEAD"), "{}", run.show());
    for (format, words) in [
        ("sarif", "the key ID only"),
        ("gitlab", "a.txt:1:19 (key ID only)"),
        ("junit", "a.txt:1:19 (key ID only)"),
        ("html", "a.txt:1:19 (key ID only)"),
    ] {
        let run = repo.keysieve(&["history", "--format", format]).status(1);
        assert!(run.out().contains(words), "{format}: {}", run.show());
    }

    let run = repo.keysieve(&["history", "--format=github"]).status(1);
    assert!(!said(&run).contains("still in HEAD"), "{}", run.show());

    // The path of a baseline's entry is that of the secret.
    repo.keysieve(&["baseline", "write", "--history", "--reason", "old"])
        .status(0);
    let baseline = std::fs::read_to_string(repo.join(".keysieve-baseline")).expect("a baseline");
    assert!(baseline.contains("path=z.env"), "{baseline}");
}
