//! Commits that brought objects in: the answers compared with those of plain `git`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use gix::ObjectId;
use keysieve::attribution::{Located, Location, Options, locate, locate_after};
use keysieve::blob::Blob;
use keysieve::commit::Departure;
use keysieve::coverage::Skip;
use keysieve::git::repository::Repository;
use keysieve::source::history::History;
use keysieve::source::{BlobSink, Clean};

use crate::support::{Keys, TestRepo, open_at};

/// Returns the answer of `locate`, which must be the same by itself and after a scan.
fn look(repo: &Repository, ids: &[ObjectId]) -> Located {
    let options = Options {
        threads: 2,
        stop: &AtomicBool::new(false),
        within: None,
        stage: &|_| {},
    };
    let alone = locate(repo, ids, options).expect("an answer");
    let history = History::of(repo).threads(2);
    let skips = Skips::default();
    let scanned = history.scan(&mut skips.clone(), None).expect("a scan");
    let after = locate_after(repo, Some(scanned), ids, options).expect("an answer");
    assert_eq!(alone.places, after.places);
    // What the scan has named need not be named again, and nothing else may go unnamed.
    let named = skips.0.lock().expect("not poisoned");
    for skip in &alone.skips {
        let is_same = |other: &Skip| (other.reason, &other.subject) == (skip.reason, &skip.subject);
        assert!(after.skips.iter().chain(&*named).any(is_same), "{skip:?}");
    }
    alone
}

/// Keeps what was skipped.
#[derive(Clone, Default)]
struct Skips(Arc<Mutex<Vec<Skip>>>);

impl BlobSink for Skips {
    fn blob(&mut self, _: Blob<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        self.0.lock().expect("not poisoned").push(skip);
    }

    fn clean(&mut self, _: Clean) {}

    fn join(&mut self, _share: Self) {}
}

fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.trim().as_bytes()).expect("an object id")
}

/// The places of what a revision names, all of which could be read.
#[track_caller]
fn places(repo: &TestRepo, revision: &str) -> Vec<Location> {
    let id = id(&repo.git(&["rev-parse", revision]));
    let located = look(&repo.open(), &[id]);
    assert_eq!(located.skips, []);
    located.places[&id].clone()
}

/// The one place of what a revision names.
#[track_caller]
fn place(repo: &TestRepo, revision: &str) -> Location {
    let places = places(repo, revision);
    assert_eq!(places.len(), 1, "{places:?}");
    places[0].clone()
}

fn commit_of(place: &Location) -> String {
    place
        .commit
        .as_ref()
        .map(|commit| commit.commit_id.to_string())
        .unwrap_or_default()
}

fn refs_of(place: &Location) -> Vec<&str> {
    let commit = place.commit.as_ref().expect("a commit");
    commit.refs.iter().map(String::as_str).collect()
}

fn left_of(place: &Location) -> Option<&Departure> {
    place.commit.as_ref()?.left.as_ref()
}

fn held_by(place: &Location) -> Vec<&str> {
    let commit = place.commit.as_ref().expect("a commit");
    commit.held_by.iter().map(String::as_str).collect()
}

#[test]
fn the_first_commit_of_a_repository_introduces_its_files() {
    let repo = TestRepo::new();
    let first = repo.commit_file("a b/ü\n\"x\".env", "content", "first  line\n\nmore");
    repo.commit_file("other", "other", "second");
    let place = place(&repo, "HEAD:a b/ü\n\"x\".env");
    assert_eq!(place.path, "a b/ü\n\"x\".env");
    assert_eq!(commit_of(&place), first);
    assert_eq!(refs_of(&place), ["refs/heads/main"]);
    let commit = place.commit.expect("a commit");
    assert_eq!(commit.author, "Ada Author");
    assert_eq!(commit.subject, "first  line");
    assert_eq!(commit.date, "2023-11-14T22:16:20+00:00");
    assert_eq!(commit.time, 1_700_000_180);
    assert!(commit.in_head);
    assert!(!commit.is_boundary);
    assert_eq!(commit.held_by, Vec::<String>::new());
    assert_eq!((commit.more_refs, commit.left), (0, None));
}

#[test]
fn a_merge_that_adds_something_of_its_own_is_the_one_that_introduces_it() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit_file("side", "side", "side");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit_file("main", "main", "main");
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "side"]);
    let merge = repo.commit_file("evil", "evil", "merge");
    assert_eq!(commit_of(&place(&repo, "HEAD:evil")), merge);
    // What the merge only passes on comes from where it was made.
    let side = repo.git(&["rev-parse", "side"]);
    assert_eq!(commit_of(&place(&repo, "HEAD:side")), side);
}

#[test]
fn the_resolution_of_a_conflict_is_introduced_by_the_merge() {
    let repo = TestRepo::new();
    repo.commit_file("f", "base\n", "base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit_file("f", "side\n", "side");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit_file("f", "main\n", "main");
    repo.try_git(&["merge", "-q", "side"], 1);
    let merge = repo.commit_file("f", "both\n", "merge");
    assert_eq!(commit_of(&place(&repo, "HEAD:f")), merge);
}

#[test]
fn an_octopus_merge_is_compared_with_all_its_parents() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    for name in ["a", "b", "c"] {
        repo.git(&["checkout", "-q", "-b", name, "main"]);
        repo.commit_file(name, name, name);
    }
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "a", "b", "c"]);
    let merge = repo.commit_file("smuggled", "smuggled", "octopus");
    assert_eq!(
        repo.git(&["rev-list", "--parents", "-1", "HEAD"])
            .split(' ')
            .count(),
        5
    );
    assert_eq!(commit_of(&place(&repo, "HEAD:smuggled")), merge);
    let c = repo.git(&["rev-parse", "c"]);
    assert_eq!(commit_of(&place(&repo, "HEAD:c")), c);
}

#[test]
fn a_rename_is_one_more_place_and_says_when_the_old_one_was_left() {
    let repo = TestRepo::new();
    let first = repo.commit_file("old/name", "content", "add");
    repo.git(&["mv", "old", "new"]);
    let moved = repo.commit("move");
    let places = places(&repo, "HEAD:new/name");
    assert_eq!(places.len(), 2);
    assert_eq!(places[0].path, "old/name");
    assert_eq!(commit_of(&places[0]), first);
    assert!(!places[0].commit.as_ref().expect("a commit").in_head);
    let left = left_of(&places[0]).expect("left");
    assert_eq!(left.commit_id.to_string(), moved);
    assert_eq!(left.subject, "move");
    assert_eq!(places[1].path, "new/name");
    assert_eq!(commit_of(&places[1]), moved);
    assert!(places[1].commit.as_ref().expect("a commit").in_head);
}

#[test]
fn a_rename_with_an_edit_introduces_the_edited_version() {
    let repo = TestRepo::new();
    repo.commit_file("old", "1\n2\n3\n4\n5\n6\n", "add");
    repo.git(&["mv", "old", "new"]);
    let moved = repo.commit_file("new", "1\n2\n3\n4\n5\n6\n7\n", "move and edit");
    let place = place(&repo, "HEAD:new");
    assert_eq!(
        (place.path.to_string(), commit_of(&place)),
        ("new".into(), moved)
    );
}

#[test]
#[cfg(unix)]
fn a_link_that_becomes_a_file_does_not_hide_the_content() {
    let repo = TestRepo::new();
    std::os::unix::fs::symlink("target-text", repo.join("f")).expect("a link");
    repo.git(&["add", "f"]);
    let link = repo.commit("link");
    let link_blob = repo.git(&["rev-parse", "HEAD:f"]);
    std::fs::remove_file(repo.join("f")).expect("removed");
    let file = repo.commit_file("f", "regular", "file");
    assert_eq!(commit_of(&place(&repo, "HEAD:f")), file);
    assert_eq!(commit_of(&place(&repo, &link_blob)), link);
}

#[test]
fn a_file_that_becomes_a_directory_is_followed() {
    let repo = TestRepo::new();
    repo.commit_file("f", "one", "file");
    let before = repo.git(&["rev-parse", "HEAD:f"]);
    repo.git(&["rm", "-q", "f"]);
    let changed = repo.commit_file("f/f", "one", "directory");
    let places = places(&repo, &before);
    assert_eq!(places.len(), 2);
    assert_eq!(places[1].path, "f/f");
    assert_eq!(commit_of(&places[1]), changed);
}

#[test]
fn content_that_comes_back_is_dated_from_its_first_time_and_its_last_departure() {
    let repo = TestRepo::new();
    let first = repo.commit_file("f", "secret", "add");
    let blob = repo.git(&["rev-parse", "HEAD:f"]);
    repo.commit_file("f", "clean", "clean");
    repo.commit_file("f", "secret", "again");
    let last = repo.commit_file("f", "clean", "clean again");
    let place = place(&repo, &blob);
    assert_eq!(commit_of(&place), first);
    assert_eq!(left_of(&place).expect("left").commit_id.to_string(), last);
}

#[test]
fn a_deleted_branch_is_held_by_the_reflog() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    repo.git(&["checkout", "-q", "-b", "gone"]);
    let lost = repo.commit_file("lost", "lost", "lost");
    let blob = repo.git(&["rev-parse", "HEAD:lost"]);
    repo.commit_file("more", "more", "more");
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-q", "-D", "gone"]);
    let found = place(&repo, &blob);
    assert_eq!(commit_of(&found), lost);
    assert_eq!(refs_of(&found), Vec::<&str>::new());
    assert_eq!(held_by(&found), ["HEAD@{1}"]);
    // Without the reflog only the topmost commit says where it hangs.
    let top = repo.git(&["rev-parse", "HEAD@{1}"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    let found = place(&repo, &blob);
    assert_eq!(held_by(&found), [format!("unreachable commit {top}")]);
}

#[test]
fn an_amended_commit_is_held_by_the_logs_of_its_branch() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    let amended = repo.commit_file("f", "secret", "add");
    let blob = repo.git(&["rev-parse", "HEAD:f"]);
    repo.stage("f", "clean");
    repo.git(&["commit", "-q", "--amend", "-m", "amended"]);
    let place = place(&repo, &blob);
    assert_eq!(commit_of(&place), amended);
    assert_eq!(held_by(&place), ["HEAD@{1}", "refs/heads/main@{1}"]);
    assert!(
        left_of(&place).is_none(),
        "it never was in the history of HEAD"
    );
}

#[test]
fn stashes_are_named_one_by_one() {
    let repo = TestRepo::new();
    repo.commit_file("f", "base", "base");
    repo.write("f", "first");
    repo.git(&["stash", "push", "-q"]);
    repo.write("f", "second");
    repo.git(&["stash", "push", "-q"]);
    let first = place(&repo, "stash@{1}:f");
    assert_eq!(refs_of(&first), Vec::<&str>::new());
    assert_eq!(held_by(&first), ["stash@{1}"]);
    let second = place(&repo, "stash@{0}:f");
    assert_eq!(refs_of(&second), ["refs/stash"]);
    assert_eq!(held_by(&second), ["stash@{0}"]);
    // Dropped, only the commit is left.
    let top = repo.git(&["rev-parse", "stash@{1}"]);
    let blob = repo.git(&["rev-parse", "stash@{1}:f"]);
    repo.git(&["stash", "drop", "-q", "stash@{1}"]);
    let dropped = place(&repo, &blob);
    assert_eq!(held_by(&dropped), [format!("unreachable commit {top}")]);
}

#[test]
fn untracked_files_in_a_stash_are_found() {
    let repo = TestRepo::new();
    repo.commit_file("f", "base", "base");
    repo.write("new/untracked", "secret");
    repo.git(&["stash", "push", "-q", "--include-untracked"]);
    let place = place(&repo, "stash@{0}^3:new/untracked");
    assert_eq!(place.path, "new/untracked");
    assert_eq!(held_by(&place), ["stash@{0}"]);
}

#[test]
fn every_kind_of_reference_is_named() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    let main = repo.git(&["rev-parse", "HEAD"]);
    for (name, reference) in [
        ("tagged", "refs/tags/v1"),
        ("pulled", "refs/pull/1/head"),
        ("remote", "refs/remotes/origin/topic"),
        ("branch", "refs/heads/feature/x"),
    ] {
        repo.git(&["checkout", "-q", "--detach", &main]);
        repo.commit_file(name, name, name);
        repo.git(&["update-ref", reference, "HEAD"]);
    }
    repo.git(&["checkout", "-q", "main"]);
    assert_eq!(refs_of(&place(&repo, "v1:tagged")), ["refs/tags/v1"]);
    let pulled = place(&repo, "refs/pull/1/head:pulled");
    assert_eq!(refs_of(&pulled), ["refs/pull/1/head"]);
    let remote = place(&repo, "refs/remotes/origin/topic:remote");
    assert_eq!(refs_of(&remote), ["refs/remotes/origin/topic"]);
    let base = place(&repo, "main:base");
    assert_eq!(
        refs_of(&base),
        [
            "refs/heads/feature/x",
            "refs/heads/main",
            "refs/pull/1/head",
            "refs/remotes/origin/topic",
            "refs/tags/v1"
        ]
    );
    // Packed references count like loose ones.
    repo.git(&["pack-refs", "--all"]);
    assert_eq!(refs_of(&place(&repo, "v1:tagged")), ["refs/tags/v1"]);
}

#[test]
fn a_detached_head_and_the_head_of_a_linked_worktree_count() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    repo.git(&["checkout", "-q", "--detach"]);
    repo.commit_file("detached", "detached", "detached");
    assert_eq!(refs_of(&place(&repo, "HEAD:detached")), ["HEAD"]);
    let elsewhere = tempfile::tempdir().expect("a directory");
    let linked = elsewhere.path().join("linked");
    let linked_arg = linked.to_string_lossy().into_owned();
    repo.git(&["worktree", "add", "-q", "--detach", &linked_arg, "main"]);
    std::fs::write(linked.join("w"), "in the worktree").expect("a file");
    repo.git(&["-C", &linked_arg, "add", "w"]);
    repo.git(&["-C", &linked_arg, "commit", "-q", "-m", "in the worktree"]);
    let blob = repo.git(&["-C", &linked_arg, "rev-parse", "HEAD:w"]);
    assert_eq!(refs_of(&place(&repo, &blob)), ["worktrees/linked/HEAD"]);
    // The other way round.
    let from_linked = open_at(&linked);
    let detached = id(&repo.git(&["rev-parse", "HEAD:detached"]));
    let located = look(&from_linked, &[detached, id(&blob)]);
    assert_eq!(located.skips, []);
    assert_eq!(
        refs_of(&located.places[&detached][0]),
        ["main-worktree/HEAD"]
    );
    assert_eq!(refs_of(&located.places[&id(&blob)][0]), ["HEAD"]);
    // Staged in the worktree and nowhere else.
    std::fs::write(linked.join("s"), "staged there").expect("a file");
    repo.git(&["-C", &linked_arg, "add", "s"]);
    let staged = repo.git(&["-C", &linked_arg, "rev-parse", ":s"]);
    let found = place(&repo, &staged);
    assert_eq!(found.path, "s");
    assert_eq!(found.held_by, ["the index of worktree linked"]);
}

#[test]
fn what_was_staged_and_never_committed_is_in_the_index_or_dangling() {
    let repo = TestRepo::new();
    repo.stage("dir/staged", "staged");
    let blob = repo.git(&["rev-parse", ":dir/staged"]);
    let found = place(&repo, &blob);
    assert_eq!(found.path, "dir/staged");
    assert_eq!(found.commit, None);
    assert_eq!(found.held_by, ["the index"]);
    repo.git(&["rm", "-q", "--cached", "dir/staged"]);
    let found = place(&repo, &blob);
    assert_eq!(found.path, "");
    assert_eq!(found.held_by, ["dangling blob"]);
}

#[test]
fn references_to_blobs_and_trees_and_lone_trees_are_named() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    repo.stage("x/y", "in a tree");
    let tree = repo.git(&["write-tree"]);
    let blob = repo.git(&["rev-parse", ":x/y"]);
    repo.git(&["rm", "-q", "-f", "x/y"]);
    let found = place(&repo, &blob);
    assert_eq!(found.path, "x/y");
    assert_eq!(found.held_by, [format!("unreachable tree {tree}")]);
    repo.git(&["tag", "of-tree", &tree]);
    assert_eq!(place(&repo, &blob).held_by, ["refs/tags/of-tree"]);
    repo.write("loner", "a key, say");
    let blob = repo.git(&["hash-object", "-w", "loner"]);
    repo.git(&["tag", "-a", "-m", "of a blob", "of-blob", &blob]);
    let found = place(&repo, &blob);
    assert_eq!(
        (found.path.to_string(), found.held_by),
        (String::new(), vec!["refs/tags/of-blob".to_owned()])
    );
}

#[test]
fn messages_of_commits_tags_and_notes_have_a_place() {
    let repo = TestRepo::new();
    let first = repo.commit_file("f", "f", "the message");
    repo.commit_file("g", "g", "later");
    let commit = place(&repo, "HEAD~1");
    assert_eq!(commit_of(&commit), first);
    assert_eq!(commit.path, "");
    assert_eq!(refs_of(&commit), ["refs/heads/main"]);
    assert!(commit.commit.expect("a commit").in_head);

    repo.git(&["tag", "-a", "v1", "-m", "tag message", &first]);
    let tag = place(&repo, "refs/tags/v1");
    assert_eq!(commit_of(&tag), first);
    assert_eq!(refs_of(&tag), ["refs/tags/v1"]);
    let info = tag.commit.expect("a commit");
    assert_eq!(
        (info.author.as_str(), info.subject.as_str()),
        ("Carl Committer", "tag message")
    );
    let tag_id = repo.git(&["rev-parse", "refs/tags/v1"]);
    repo.git(&["tag", "-d", "v1"]);
    assert_eq!(
        held_by(&place(&repo, &tag_id)),
        [format!("unreachable tag {tag_id}")]
    );

    repo.git(&["notes", "add", "-m", "a note", &first]);
    let note = place(&repo, &format!("refs/notes/commits:{first}"));
    assert_eq!(refs_of(&note), ["refs/notes/commits"]);
    assert_eq!(note.path, first);
}

#[test]
fn a_shallow_boundary_is_flagged() {
    let repo = TestRepo::new();
    repo.commit_file("old", "old", "old");
    repo.commit_file("mid", "mid", "mid");
    let top = repo.commit_file("new", "new", "new");
    let dir = tempfile::tempdir().expect("a directory");
    let clone = dir.path().join("clone");
    let url = format!("file://{}", repo.path().display());
    repo.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        &url,
        &clone.to_string_lossy(),
    ]);
    let clone = open_at(&clone);
    let old = id(&repo.git(&["rev-parse", "HEAD:old"]));
    let place = look(&clone, &[old]).places[&old][0].clone();
    assert_eq!(commit_of(&place), top);
    assert!(place.commit.is_some_and(|commit| commit.is_boundary));
}

#[test]
fn sha256_alternates_and_many_packs_make_no_difference() {
    for format in ["sha1", "sha256"] {
        let repo = TestRepo::with_init_args(&[&format!("--object-format={format}")]);
        let mut made = Vec::new();
        for round in 0..5 {
            for file in 0..5 {
                let path = format!("d{file}/e/f{file}");
                let content = format!("{round} {file}\n").repeat(100);
                let commit = repo.commit_file(&path, content, "c");
                made.push((
                    id(&repo.git(&["rev-parse", &format!("HEAD:{path}")])),
                    path,
                    commit,
                ));
            }
            if round % 2 == 0 {
                repo.git(&["repack", "-q", "-d"]);
            }
        }
        let dir = tempfile::tempdir().expect("a directory");
        let shared = dir.path().join("shared");
        let from = repo.path().to_string_lossy().into_owned();
        repo.git(&["clone", "-q", "--shared", &from, &shared.to_string_lossy()]);
        let ids: Vec<ObjectId> = made.iter().map(|made| made.0).collect();
        for path in [repo.path(), &shared] {
            let opened = open_at(path);
            let located = look(&opened, &ids);
            assert_eq!(located.skips, []);
            for (blob, path, commit) in &made {
                let places = &located.places[blob];
                assert_eq!(places.len(), 1);
                assert_eq!(
                    (places[0].path.to_string(), commit_of(&places[0])),
                    (path.clone(), commit.clone())
                );
            }
        }
    }
}

#[test]
fn a_damaged_tree_is_named_and_the_rest_is_answered() {
    let repo = TestRepo::new();
    repo.commit_file("a/f", "f", "one");
    let second = repo.commit_file("b/g", "g", "two");
    let tree = repo.git(&["rev-parse", "HEAD:a"]);
    let file = repo.join(format!(".git/objects/{}/{}", &tree[..2], &tree[2..]));
    std::fs::remove_file(&file).expect("removed");
    std::fs::write(&file, "not a tree").expect("damaged");
    let g = id(&repo.git(&["rev-parse", "HEAD:b/g"]));
    let located = look(&repo.open(), &[g]);
    assert_eq!(commit_of(&located.places[&g][0]), second);
    assert!(
        located.skips.iter().any(|skip| skip.subject == tree),
        "{:?}",
        located.skips
    );
}

#[test]
fn replaced_commits_do_not_hide_the_real_ones() {
    let repo = TestRepo::new();
    let first = repo.commit_file("f", "secret", "first");
    let second = repo.commit_file("f", "clean", "second");
    let blob = repo.git(&["rev-parse", "HEAD~1:f"]);
    repo.git(&["replace", &first, &second]);
    let place = place(&repo, &blob);
    assert_eq!(commit_of(&place), first);
    assert_eq!(place.commit.expect("a commit").subject, "first");
}

/// Random histories: what `locate` says is what comparing all trees of all commits says.
#[test]
fn random_histories_agree_with_a_plain_comparison_of_all_commits() {
    for seed in 0..50 {
        let repo = random_repo(seed);
        let expected = plain(&repo);
        let ids: Vec<ObjectId> = expected.keys().copied().collect();
        let located = look(&repo.open(), &ids);
        assert_eq!(located.skips, [], "seed {seed}");
        for (blob, expected) in expected {
            let places: BTreeMap<String, String> = located.places[&blob]
                .iter()
                .map(|place| (place.path.to_string(), commit_of(place)))
                .collect();
            assert_eq!(places, expected, "seed {seed}, blob {blob}");
        }
        refs_agree(&repo, &located, seed);
    }
}

/// For every place the references that contain its commit, as `git` lists them.
fn refs_agree(repo: &TestRepo, located: &Located, seed: u64) {
    let mut contained: HashMap<String, BTreeSet<String>> = HashMap::new();
    for name in repo.git(&["for-each-ref", "--format=%(refname)"]).lines() {
        for commit in repo.git(&["rev-list", name]).lines() {
            contained
                .entry(commit.to_owned())
                .or_default()
                .insert(name.to_owned());
        }
    }
    for place in located.places.values().flatten() {
        let expected = contained.remove(&commit_of(place)).unwrap_or_default();
        let refs: BTreeSet<String> = refs_of(place).into_iter().map(str::to_owned).collect();
        assert_eq!(refs, expected, "seed {seed}");
        assert_eq!(held_by(place).is_empty(), !refs.is_empty(), "seed {seed}");
        contained.insert(commit_of(place), expected);
    }
}

/// First introduction of each blob at each path, from whole trees.
fn plain(repo: &TestRepo) -> BTreeMap<ObjectId, BTreeMap<String, String>> {
    let all = repo.git(&["cat-file", "--batch-all-objects", "--batch-check"]);
    let commits = all.lines().filter(|line| line.contains(" commit "));
    let mut trees: HashMap<String, BTreeMap<String, ObjectId>> = HashMap::new();
    let mut meta: Vec<(i64, String, Vec<String>)> = Vec::new();
    for line in commits {
        let commit = line.split(' ').next().expect("an id").to_owned();
        let listed = repo.git(&["ls-tree", "-r", &commit]);
        let entries = listed.lines().map(|line| {
            let (head, path) = line.split_once('\t').expect("a path");
            (path.to_owned(), id(head.split(' ').nth(2).expect("an id")))
        });
        trees.insert(commit.clone(), entries.collect());
        let head = repo.git(&["show", "-s", "--format=%ct %P", &commit]);
        let mut words = head.split(' ').filter(|word| !word.is_empty());
        let time = words.next().expect("a time").parse().expect("a number");
        meta.push((time, commit, words.map(str::to_owned).collect()));
    }
    let meta = in_order(meta);
    let mut found: BTreeMap<ObjectId, BTreeMap<String, String>> = BTreeMap::new();
    for (_, commit, parents) in meta {
        for (path, blob) in &trees[&commit] {
            if parents
                .iter()
                .all(|parent| trees[parent].get(path) != Some(blob))
            {
                found
                    .entry(*blob)
                    .or_default()
                    .entry(path.clone())
                    .or_insert_with(|| commit.clone());
            }
        }
    }
    found
}

/// Parents before children, else by time and id: each time the first that may come next.
fn in_order(mut commits: Vec<(i64, String, Vec<String>)>) -> Vec<(i64, String, Vec<String>)> {
    commits.sort();
    let mut ordered: Vec<(i64, String, Vec<String>)> = Vec::new();
    while !commits.is_empty() {
        let is_ready = |(_, _, parents): &(i64, String, Vec<String>)| {
            let is_out = |parent: &String| ordered.iter().any(|(_, id, _)| id == parent);
            parents.iter().all(is_out)
        };
        let next = commits.iter().position(is_ready).expect("no circle");
        ordered.push(commits.remove(next));
    }
    ordered
}

/// A history of some twenty commits with merges, criss-cross ones among them, of files that come, go,
/// move and return; some of it unreachable, in one of several layouts of the object database.
pub(crate) fn random_repo(seed: u64) -> TestRepo {
    let mut keys = Keys::new(seed);
    let repo = TestRepo::new();
    let mut stream = String::new();
    let count = 12 + keys.below(14);
    for mark in 1..=count {
        // Equal times now and then, and clocks that run backwards.
        let time = 1_700_000_000 + keys.below(20) * 60;
        let branch = keys.below(4);
        stream += &format!("commit refs/heads/b{branch}\nmark :{mark}\n");
        stream += &format!("committer C <c@example.org> {time} +0000\ndata 1\nm\n");
        if mark > 1 {
            let from = 1 + keys.below(mark - 1);
            stream += &format!("from :{from}\n");
            for _ in 0..[0, 0, 1, 1, 2][keys.below(5)] {
                stream += &format!("merge :{}\n", 1 + keys.below(mark - 1));
            }
        }
        let edits = if mark == 1 { 30 } else { keys.below(4) };
        for _ in 0..edits {
            let path = random_path(&mut keys);
            if keys.below(4) == 0 && mark > 1 {
                stream += &format!("D {path}\n");
            } else {
                let content = format!("content {}", keys.below(25));
                stream += &format!(
                    "M 100644 inline {path}\ndata {}\n{content}\n",
                    content.len()
                );
            }
        }
        stream += "\n";
    }
    let limit = format!("fastimport.unpackLimit={}", [1, 10_000][keys.below(2)]);
    repo.git_command()
        .args([
            "-c",
            &limit,
            "fast-import",
            "--quiet",
            "--force",
            "--depth=20",
        ])
        .stdin(stream)
        .status(0);
    if keys.below(2) == 0 {
        repo.git(&["repack", "-q", "-a", "-d", "-f", "-k", "--depth=30"]);
    }
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/b0"]);
    repo
}

fn random_path(keys: &mut Keys) -> String {
    let depth = keys.below(4);
    let mut path = String::new();
    for _ in 0..depth {
        path += ["a/", "b/", "sub/"][keys.below(3)];
    }
    // Names of files never equal names of directories here.
    path + &format!("file{}", keys.below(12))
}

/// A possible holder of a commit that cannot be read is named, as any other reference is.
#[test]
fn a_head_of_a_merge_that_cannot_be_read_is_named() {
    let repo = TestRepo::new();
    repo.commit_file("f", "content", "add");
    let blob = id(&repo.git(&["rev-parse", "HEAD:f"]));
    std::fs::create_dir(repo.join(".git/MERGE_HEAD")).expect("a directory");
    let located = look(&repo.open(), &[blob]);
    let named: Vec<String> = located
        .skips
        .iter()
        .map(|skip| skip.subject.to_string())
        .collect();
    assert_eq!(named, ["MERGE_HEAD"]);
}

#[test]
fn of_many_references_branches_and_tags_are_listed_before_others() {
    let repo = TestRepo::new();
    repo.commit_file("a", "content", "one");
    repo.git(&["tag", "release"]);
    let lines = (0..150).map(|number| format!("create refs/changes/{number} HEAD\n"));
    let update = repo.git_command().args(["update-ref", "--stdin"]);
    update.stdin(lines.collect::<String>()).status(0);
    let commit = place(&repo, "HEAD:a").commit.expect("a commit");
    for name in ["refs/heads/main", "refs/tags/release"] {
        assert!(commit.refs.iter().any(|it| it == name), "{:?}", commit.refs);
    }
    assert!(commit.more_refs > 0, "{:?}", commit.refs);
    assert_eq!(commit.refs.len() + commit.more_refs, 152);
}

#[test]
fn of_many_commits_that_bring_content_to_a_path_the_first_counts_whatever_their_ids() {
    let repo = TestRepo::new();
    let mut commits = Vec::new();
    for number in 0..12 {
        commits.push(repo.commit_file("a", "content", &format!("in {number}")));
        repo.commit_file("a", "other", &format!("out {number}"));
    }
    assert_ne!(commits.iter().min(), commits.first());
    assert_eq!(
        commit_of(&place(&repo, &format!("{}:a", commits[0]))),
        commits[0]
    );
}
