//! Content that a range of commits adds, and that references reach: compared with the answers of plain `git`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use bstr::{BStr, BString};
use gix::ObjectId;
use keysieve::attribution::range::Locator;
use keysieve::blob::Blob;
use keysieve::coverage::{Skip, SkipReason};
use keysieve::git::introduced::{Introduced, introduced};
use keysieve::git::repository::{self, GitEnvironment};
use keysieve::git::revision::{Range, Side, parse_range, push_of_all, push_range, references_of};
use keysieve::provenance::{ObjectKind, Provenance};
use keysieve::source::history::select::{all_tips, branch_tips, reachable_objects};
use keysieve::source::range::{Options, scan, scan_base};
use keysieve::source::{BlobSink, Clean};

use crate::provenance::random_repo;
use crate::support::{Keys, TestCommand, TestRepo, open_at, pair};

fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.trim().as_bytes()).expect("an object id")
}

fn rev(repo: &TestRepo, revision: &str) -> ObjectId {
    id(&repo.git(&["rev-parse", revision]))
}

#[track_caller]
fn range(repo: &TestRepo, spec: &str) -> Introduced {
    let opened = repo.open();
    let range = parse_range(&opened, spec.into()).expect("a range");
    introduced(&opened, &[range]).expect("an answer")
}

/// Path and commit of everything that came in.
fn came_in(found: &Introduced) -> BTreeSet<(String, String)> {
    found
        .blobs
        .values()
        .flatten()
        .map(|place| (place.path.to_string(), place.commit_id.to_string()))
        .collect()
}

fn base(found: &Introduced) -> BTreeSet<(String, ObjectId)> {
    found
        .base
        .iter()
        .map(|(path, blob)| (path.to_string(), *blob))
        .collect()
}

#[test]
fn a_merge_that_smuggles_something_in_is_seen_and_what_it_passes_on_is_not_counted_twice() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let topic = repo.commit_file("topic", "topic", "topic");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit_file("main", "main", "main");
    repo.git(&["checkout", "-q", "topic"]);
    repo.git(&["merge", "-q", "--no-ff", "--no-commit", "main"]);
    let merge = repo.commit_file("evil", "evil", "merge");
    let found = range(&repo, "main..topic");
    assert_eq!(found.skips, []);
    let expected = [("topic", &topic), ("evil", &merge)];
    assert_eq!(
        came_in(&found),
        expected
            .map(|(path, commit)| (path.to_owned(), commit.clone()))
            .into()
    );
    assert_eq!(found.commits, [id(&topic), id(&merge)]);
    assert_eq!(base(&found), BTreeSet::new());
}

#[test]
fn what_was_there_before_is_known_at_the_paths_that_are_touched() {
    let repo = TestRepo::new();
    repo.stage("edited", "old");
    repo.stage("moved", "moved");
    repo.stage("removed", "removed");
    repo.stage("untouched", "untouched");
    repo.commit("base");
    repo.git(&["tag", "base"]);
    let old = ["edited", "moved", "removed"]
        .map(|path| (path.to_owned(), rev(&repo, &format!("HEAD:{path}"))));
    repo.commit_file("edited", "first", "first");
    repo.git(&["mv", "moved", "elsewhere"]);
    repo.git(&["rm", "-q", "removed"]);
    repo.commit_file("edited", "second", "second");
    let found = range(&repo, "base..HEAD");
    assert_eq!(base(&found), old.into());
    let paths: Vec<String> = came_in(&found).into_iter().map(|place| place.0).collect();
    assert_eq!(paths, ["edited", "edited", "elsewhere"]);
}

#[test]
fn what_comes_back_within_a_range_was_there_before() {
    let repo = TestRepo::new();
    repo.commit_file("f", "old", "base");
    let old = rev(&repo, "HEAD:f");
    repo.commit_file("g", "g", "first");
    repo.commit_file("f", "changed", "second");
    let third = repo.commit_file("f", "old", "third");
    let found = range(&repo, "HEAD~3..HEAD");
    assert!(found.base.contains(&("f".into(), old)));
    assert_eq!(found.blobs[&old][0].commit_id, id(&third));
    // What the range itself put there and took away was not there before.
    let found = range(&repo, "HEAD~3..HEAD~1");
    let changed = rev(&repo, "HEAD~1:f");
    assert!(!found.base.contains(&("f".into(), changed)));
    repo.commit_file("f", "x", "x");
    repo.commit_file("f", "changed", "y");
    let found = range(&repo, "HEAD~4..HEAD");
    assert!(
        !found.base.iter().any(|base| base.1 == changed),
        "{found:?}"
    );
}

#[test]
fn a_range_that_starts_at_the_root_has_everything() {
    let repo = TestRepo::new();
    let first = repo.commit_file("d/f", "f", "first");
    let second = repo.commit_file("g", "g", "second");
    let found = range(&repo, "HEAD");
    assert_eq!(
        came_in(&found),
        [("d/f".to_owned(), first), ("g".to_owned(), second)].into()
    );
}

#[test]
fn unknown_revisions_are_errors_that_name_them_and_an_empty_range_is_none() {
    let repo = TestRepo::new();
    repo.commit_file("f", "f", "f");
    let opened = repo.open();
    let absent = "1234567890123456789012345678901234567890";
    for (spec, named) in [
        ("nowhere..HEAD", "nowhere"),
        ("HEAD..nowhere", "nowhere"),
        ("nowhere...HEAD", "nowhere"),
        ("nowhere", "nowhere"),
        ("^nowhere", "nowhere"),
        (&format!("{absent}..HEAD"), absent),
        ("HEAD~7..HEAD", "HEAD~7"),
        ("", ""),
    ] {
        let error = parse_range(&opened, spec.into()).expect_err(spec);
        assert_eq!(error.to_string(), format!("unknown revision {named:?}"));
    }
    let error = parse_range(&opened, "HEAD:f..HEAD".into()).expect_err("a blob");
    assert_eq!(error.to_string(), "\"HEAD:f\" is not a commit");
    let found = range(&repo, "HEAD..HEAD");
    assert!(found.commits.is_empty() && found.blobs.is_empty() && found.skips.is_empty());
}

#[test]
fn both_sides_of_a_symmetric_range_count_and_their_base_does_not() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    repo.git(&["checkout", "-q", "-b", "topic"]);
    let topic = repo.commit_file("topic", "topic", "topic");
    repo.git(&["checkout", "-q", "main"]);
    let main = repo.commit_file("main", "main", "main");
    let found = range(&repo, "topic...main");
    assert_eq!(found.commits, [id(&topic), id(&main)]);
    assert_eq!(range(&repo, "topic...").commits, found.commits);
    assert_eq!(range(&repo, "topic..").commits, [id(&main)]);
}

#[test]
fn tags_on_the_way_and_tags_of_blobs_and_trees_belong_to_the_range() {
    let repo = TestRepo::new();
    repo.commit_file("d/f", "f", "first");
    repo.commit_file("d/f", "g", "second");
    repo.git(&["tag", "-a", "-m", "one", "one"]);
    repo.git(&["tag", "-a", "-m", "two", "two", "one"]);
    let found = range(&repo, "HEAD~1..two");
    let mut tags = vec![rev(&repo, "one"), rev(&repo, "two")];
    tags.sort();
    assert_eq!(found.tags, tags);
    assert_eq!(found.commits.len(), 1);
    // The same range for a tag of a blob and a tag of a tree.
    repo.git(&["tag", "-a", "-m", "blob", "blob", "HEAD:d/f"]);
    repo.git(&["tag", "tree", "HEAD:d"]);
    let found = range(&repo, "blob");
    assert_eq!(found.blobs[&rev(&repo, "HEAD:d/f")][0].path, "");
    let found = range(&repo, "tree");
    assert_eq!(found.blobs[&rev(&repo, "HEAD:d/f")][0].path, "f");
}

#[test]
fn a_range_that_a_shallow_clone_cuts_off_says_so() {
    let repo = TestRepo::new();
    for number in 0..5 {
        repo.commit_file("f", number.to_string(), "c");
    }
    let dir = tempfile::tempdir().expect("a directory");
    let clone = dir.path().join("clone");
    let url = format!("file://{}", repo.path().display());
    repo.git(&[
        "clone",
        "-q",
        "--depth",
        "3",
        &url,
        &clone.to_string_lossy(),
    ]);
    let clone = open_at(&clone);
    let all = parse_range(&clone, "HEAD".into()).expect("a range");
    let found = introduced(&clone, &[all]).expect("an answer");
    let reasons: Vec<SkipReason> = found.skips.iter().map(|skip| skip.reason).collect();
    assert_eq!(reasons, [SkipReason::Shallow]);
    assert_eq!(found.commits.len(), 3);
    // A range that does not get there is whole.
    let part = parse_range(&clone, "HEAD~1..HEAD".into()).expect("a range");
    assert_eq!(introduced(&clone, &[part]).expect("an answer").skips, []);
    let error = parse_range(&clone, "HEAD~3..HEAD".into()).expect_err("cut off");
    assert!(
        error.to_string().ends_with("(the clone is shallow)"),
        "{error}"
    );
}

#[test]
fn a_push_leaves_out_what_the_other_side_has() {
    let repo = TestRepo::new();
    repo.commit_file("old", "old", "old");
    let old = rev(&repo, "HEAD");
    repo.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let upstream = id(&repo.commit_file("upstream", "upstream", "upstream"));
    repo.git(&["update-ref", "refs/remotes/other/main", "HEAD"]);
    let new = id(&repo.commit_file("new", "new", "new"));
    let opened = repo.open();
    let zero = ObjectId::null(gix::hash::Kind::Sha1);
    let commits = |old, side| {
        let push = push_range(&opened, old, new, side).expect("a range");
        let range = push.range.expect("not deleted");
        introduced(&opened, &[range]).expect("an answer").commits
    };
    let origin = Side::Client {
        remote: Some("origin".into()),
    };
    assert_eq!(commits(zero, origin), [upstream, new]);
    assert_eq!(commits(zero, Side::Client { remote: None }), [new]);
    assert_eq!(commits(upstream, origin), [new]);
    let nobody = Side::Client {
        remote: Some("nobody".into()),
    };
    assert_eq!(commits(zero, nobody), [old, upstream, new]);
    // A server has the new objects and no reference to them yet.
    assert!(commits(zero, Side::Server).is_empty());
    repo.git(&["update-ref", "refs/heads/main", &old.to_string()]);
    assert_eq!(commits(zero, Side::Server), [new]);
    let deleted = push_range(&opened, new, zero, origin).expect("a deletion");
    assert_eq!(deleted.range, None);
    let absent = id("1234567890123456789012345678901234567890");
    let push = push_range(&opened, absent, new, origin).expect("a range");
    assert!(push.old_is_unknown);
    assert_eq!(push.range.expect("a range").exclude, [old]);
    push_range(&opened, zero, absent, origin).expect_err("nothing to push");
}

#[test]
fn a_range_of_a_push_that_is_being_received_is_read_from_the_quarantine() {
    let repo = TestRepo::new();
    repo.commit_file("old", "old", "old");
    let old = rev(&repo, "HEAD");
    // New objects in a directory of their own, as `git receive-pack` has them before it accepts them.
    let quarantine = tempfile::tempdir().expect("a directory");
    let objects = repo.join(".git/objects");
    let git = |args: &[&str]| {
        let command = repo.git_command().args(args);
        let command = command.env("GIT_OBJECT_DIRECTORY", quarantine.path());
        let command = command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", &objects);
        command.status(0).out()
    };
    repo.write("new", "pushed");
    git(&["add", "new"]);
    let tree = git(&["write-tree"]);
    let new = git(&["commit-tree", "-p", "HEAD", "-m", "new", tree.trim()]);
    repo.try_git(&["cat-file", "-e", new.trim()], 1);
    let env = GitEnvironment {
        object_directory: Some(quarantine.path().to_owned()),
        alternate_object_directories: Some(objects.into()),
        ..GitEnvironment::default()
    };
    let opened = repository::open(repo.path(), &env).expect("a repository");
    for from in [old, ObjectId::null(gix::hash::Kind::Sha1)] {
        let push = push_range(&opened, from, id(&new), Side::Server).expect("a range");
        let found = introduced(&opened, &[push.range.expect("a range")]).expect("an answer");
        assert_eq!(found.skips, []);
        assert_eq!(
            came_in(&found),
            [("new".to_owned(), new.trim().to_owned())].into()
        );
        let options = Options {
            threads: 2,
            max_object_size: 1 << 20,
        };
        let sink = Shown::default();
        assert!(scan(&opened, &found, options, &mut sink.clone()).is_continue());
        let shown = sink.0.lock().expect("no panic");
        assert!(shown.iter().any(|shown| shown.1 == b"pushed"));
    }
}

#[test]
fn locations_of_a_range_name_commit_and_path() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    let commit = repo.commit_file("d/f", "f", "the subject");
    repo.commit_file("e/f", "f", "copy");
    let opened = repo.open();
    let found = range(&repo, "HEAD~2..HEAD");
    let blob = rev(&repo, "HEAD:d/f");
    let message_id = id(&commit);
    let references = references_of(&opened).expect("references");
    let located = Locator::new(&opened, &found, &references, &|| false).locate([blob, message_id]);
    let places = &located.places[&blob];
    assert_eq!(places.len(), 2);
    assert_eq!(places[0].path, "d/f");
    let info = places[0].commit.as_ref().expect("a commit");
    assert_eq!(info.commit_id, id(&commit));
    assert_eq!(info.subject, "the subject");
    assert_eq!(info.refs, ["refs/heads/main"]);
    assert!(info.in_head);
    let message = &located.places[&message_id][0];
    assert_eq!(message.path, "");
    assert!(message.commit.as_ref().expect("a commit").in_head);
    // When the time is over, where it is and who brought it in is still said; what leads there is not looked up.
    let late = Locator::new(&opened, &found, &references, &|| true).locate([blob]);
    let place = &late.places[&blob][0];
    assert_eq!(place.path, "d/f");
    let info = place.commit.as_ref().expect("a commit");
    assert_eq!((info.commit_id, info.refs.len()), (id(&commit), 0));
    assert_eq!(late.skips[0].reason, SkipReason::Deadline);
}

/// A random history of 30 commits, each with a branch, whose clocks are right; `HEAD` is the last.
fn random_branches(seed: u64) -> TestRepo {
    let mut keys = Keys::new(seed);
    let repo = TestRepo::new();
    let mut stream = String::new();
    for mark in 1..=30 {
        let time = 1_700_000_000 + mark;
        stream += &format!("commit refs/heads/b{mark}\nmark :{mark}\n");
        stream += &format!("committer C <c@example.org> {time} +0000\ndata 1\nm\n");
        if mark > 1 {
            stream += &format!("from :{}\n", 1 + keys.below(mark - 1));
            stream += &format!("merge :{}\n", 1 + keys.below(mark - 1));
        }
        stream += &format!("M 100644 inline f{mark}\ndata 1\na\n");
    }
    repo.git_command()
        .args(["fast-import", "--quiet"])
        .stdin(stream)
        .status(0);
    repo.git(&["symbolic-ref", "HEAD", "refs/heads/b30"]);
    repo
}

/// What leads to the commits of a push, through tags of tags too, is what Git says; and pushes that are taken as one bring
/// in what they bring in one by one.
#[test]
fn references_of_a_push_lead_where_git_says() {
    let mut looked_at = 0;
    for seed in 300..312 {
        let repo = random_branches(seed);
        let tag = |name: &str, target: &str| repo.git(&["tag", "-a", "-m", "t", name, target]);
        tag("one", "b28");
        tag("two", "one");
        tag("three", "b14");
        for (name, target) in [("old", "b12"), ("tag", "three"), ("tree", "HEAD:")] {
            repo.git(&["update-ref", &format!("refs/remotes/o/{name}"), target]);
        }
        let opened = repo.open();
        let references = references_of(&opened).expect("references");
        let side = Side::Client {
            remote: Some("o".into()),
        };
        let zero = ObjectId::null(gix::hash::Kind::Sha1);
        let updates = ["b30", "b29", "two"].map(|name| (zero, rev(&repo, name)));
        let push = push_of_all(&opened, updates, side, &references).expect("a range");
        let found = introduced(&opened, &[push.range.expect("a range")]).expect("an answer");
        let each = updates.map(|(old, new)| {
            let push = push_range(&opened, old, new, side).expect("a range");
            push.range.expect("a range")
        });
        let one_by_one = introduced(&opened, &each).expect("an answer");
        assert_eq!(found.commits, one_by_one.commits, "seed {seed}");
        assert_eq!(found.tags, one_by_one.tags, "seed {seed}");
        let new = ["rev-list", "b30", "b29", "two", "--not", "b12", "three"];
        let expected: BTreeSet<ObjectId> = repo.git(&new).lines().map(id).collect();
        let commits: BTreeSet<ObjectId> = found.commits.iter().copied().collect();
        assert_eq!(commits, expected, "seed {seed}");
        let locator = Locator::new(&opened, &found, &references, &|| false);
        for (commit, places) in locator.locate(expected).places {
            let info = places[0].commit.as_ref().expect("a commit");
            let args = ["for-each-ref", "--format=%(refname)", "--contains"];
            let contain = repo.git(&[&args[..], &[&commit.to_string()]].concat());
            let contain: BTreeSet<&str> = contain.lines().collect();
            let listed: BTreeSet<&str> = info.refs.iter().map(String::as_str).collect();
            assert!(listed.is_subset(&contain), "{seed}: {listed:?} {contain:?}");
            let count = listed.len() + info.more_refs;
            assert_eq!(count, contain.len(), "seed {seed}: {contain:?}");
            looked_at += count;
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

type Object = (Provenance, Vec<u8>);

/// Objects that a sink was shown.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<Object>>>);

impl BlobSink for Shown {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        let mut shown = self.0.lock().expect("no panic elsewhere");
        shown.push((blob.provenance.clone(), blob.bytes.to_vec()));
        ControlFlow::Continue(())
    }

    fn skip(&mut self, skip: Skip) {
        panic!("{skip:?}");
    }

    fn clean(&mut self, _: Clean) {}

    fn join(&mut self, _share: Self) {}
}

#[test]
fn each_object_of_a_range_is_shown_once() {
    let repo = TestRepo::new();
    repo.commit_file("f", "base", "base");
    for number in 0..100 {
        repo.stage(
            &format!("d/{}", number % 7),
            format!("content {}", number % 50),
        );
        repo.commit("c");
    }
    repo.git(&["rm", "-q", "f"]);
    repo.commit("remove");
    repo.git(&["tag", "-a", "-m", "tag", "tag"]);
    let found = range(&repo, "HEAD~101..tag");
    for threads in [1, 3] {
        let options = Options {
            threads,
            max_object_size: 1 << 20,
        };
        let sink = Shown::default();
        assert!(scan(&repo.open(), &found, options, &mut sink.clone()).is_continue());
        let mut shown = sink.0.lock().expect("no panic").clone();
        shown.sort();
        assert!(shown.windows(2).all(|two| two[0].0 != two[1].0));
        let count = |wanted| {
            let is = |shown: &&Object| matches!(&shown.0, Provenance::Object { kind, .. } if *kind == wanted);
            shown.iter().filter(is).count()
        };
        assert_eq!(count(ObjectKind::Blob), 50);
        assert_eq!(count(ObjectKind::Commit), 101);
        assert_eq!(count(ObjectKind::Tag), 1);
        assert!(shown.iter().any(|shown| shown.1 == b"content 7"));
        let sink = Shown::default();
        assert!(
            scan_base(
                &repo.open(),
                &found.base,
                |_| false,
                options,
                &mut sink.clone()
            )
            .is_continue()
        );
        let shown = sink.0.lock().expect("no panic");
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].1, b"base");
    }
}

/// Random ranges over random histories, criss-cross merges among them.
#[test]
fn random_ranges_agree_with_a_plain_comparison_of_their_commits() {
    for seed in 100..130 {
        let repo = random_repo(seed);
        let mut keys = Keys::new(seed);
        let all = repo.git(&["rev-list", "--all"]);
        let all: Vec<&str> = all.lines().collect();
        for _ in 0..3 {
            let pick = |keys: &mut Keys| all[keys.below(all.len())];
            let (from, to, other) = (pick(&mut keys), pick(&mut keys), pick(&mut keys));
            let range = Range {
                include: vec![id(to), id(other)],
                exclude: vec![id(from)],
            };
            let found = introduced(&repo.open(), &[range]).expect("an answer");
            assert_eq!(found.skips, [], "seed {seed}");
            // Whole histories: where clocks ran backwards Git's own limited walk may list too much.
            let reached = repo.git(&["rev-list", to, other]);
            let excluded = repo.git(&["rev-list", from]);
            let excluded: BTreeSet<&str> = excluded.lines().collect();
            let inside = reached.lines().filter(|id| !excluded.contains(id));
            let listed = inside.collect::<Vec<_>>().join("\n");
            let commits: BTreeSet<ObjectId> = listed.lines().map(id).collect();
            assert_eq!(
                found.commits.iter().copied().collect::<BTreeSet<_>>(),
                commits
            );
            assert_eq!(came_in(&found), plain(&repo, &listed), "seed {seed}");
            let expected = plain_base(&repo, &listed);
            assert_eq!(base(&found), expected, "seed {seed}");
        }
    }
}

fn listing(repo: &TestRepo, commit: &str) -> BTreeMap<String, ObjectId> {
    let listed = repo.git(&["ls-tree", "-r", commit]);
    listed
        .lines()
        .map(|line| {
            let (head, path) = line.split_once('\t').expect("a path");
            (path.to_owned(), id(head.split(' ').nth(2).expect("an id")))
        })
        .collect()
}

fn parents(repo: &TestRepo, commit: &str) -> Vec<String> {
    let line = repo.git(&["rev-list", "--parents", "-1", commit]);
    line.split(' ').skip(1).map(str::to_owned).collect()
}

fn plain(repo: &TestRepo, commits: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for commit in commits.lines() {
        let before: Vec<_> = parents(repo, commit)
            .iter()
            .map(|parent| listing(repo, parent))
            .collect();
        for (path, blob) in listing(repo, commit) {
            if before.iter().all(|before| before.get(&path) != Some(&blob)) {
                found.insert((path, commit.to_owned()));
            }
        }
    }
    found
}

/// Returns the blobs of the commits just outside of the range at the paths at which a commit of the range differs from
/// each of its parents; only those that a parent of such a commit had.
fn plain_base(repo: &TestRepo, commits: &str) -> BTreeSet<(String, ObjectId)> {
    let inside: BTreeSet<&str> = commits.lines().collect();
    let mut touched = BTreeSet::new();
    let mut outside = BTreeSet::new();
    for commit in commits.lines() {
        let here = listing(repo, commit);
        let parents = parents(repo, commit);
        let before: Vec<_> = parents.iter().map(|id| listing(repo, id)).collect();
        let paths: BTreeSet<&String> = here
            .keys()
            .chain(before.iter().flat_map(|before| before.keys()))
            .collect();
        for path in paths {
            if before
                .iter()
                .all(|before| before.get(path) != here.get(path))
            {
                for blob in before.iter().filter_map(|before| before.get(path)) {
                    touched.insert((path.clone(), *blob));
                }
            }
        }
        let out = parents
            .into_iter()
            .filter(|id| !inside.contains(id.as_str()));
        outside.extend(out);
    }
    let mut known = BTreeSet::new();
    for commit in outside {
        known.extend(listing(repo, &commit));
    }
    touched.intersection(&known).cloned().collect()
}

#[test]
fn references_reach_what_git_says_they_reach() {
    for seed in 200..220 {
        let repo = random_repo(seed);
        let expected = |revisions: &[&str]| -> BTreeSet<ObjectId> {
            let args = [&["rev-list", "--objects", "--no-object-names"], revisions].concat();
            let listed = repo.git(&args);
            let kinds = repo
                .git_command()
                .args(["cat-file", "--batch-check"])
                .stdin(listed + "\n")
                .status(0);
            let kinds = kinds.out();
            let wanted = kinds.lines().filter(|line| !line.contains(" tree "));
            wanted
                .map(|line| id(line.split(' ').next().expect("an id")))
                .collect()
        };
        let opened = repo.open();
        let all = all_tips(&opened).expect("references");
        let found = reachable_objects(&opened, &all, None);
        assert_eq!(found.skips, []);
        let objects: BTreeSet<ObjectId> = found.objects.into_iter().collect();
        assert_eq!(objects, expected(&["--all"]), "seed {seed}");
        let names = repo.git(&["for-each-ref", "--format=%(refname:short)"]);
        let name = names.lines().next().expect("a branch");
        let tips = branch_tips(&opened, &[BString::from(name)]).expect("a branch");
        let found = reachable_objects(&opened, &tips, None);
        let objects: BTreeSet<ObjectId> = found.objects.into_iter().collect();
        assert_eq!(objects, expected(&[name]), "seed {seed}");
    }
}

#[test]
fn heads_of_worktrees_are_tips_and_reflogs_are_not() {
    let repo = TestRepo::new();
    repo.commit_file("base", "base", "base");
    repo.git(&["checkout", "-q", "--detach"]);
    repo.commit_file("detached", "detached", "detached");
    let detached = rev(&repo, "HEAD:detached");
    let dir = tempfile::tempdir().expect("a directory");
    let linked = dir.path().join("linked").to_string_lossy().into_owned();
    repo.git(&["worktree", "add", "-q", "--detach", &linked, "HEAD"]);
    let opened = repo.open();
    let has = |wanted: &ObjectId| {
        let tips = all_tips(&opened).expect("references");
        let found = reachable_objects(&opened, &tips, None);
        found.objects.contains(wanted)
    };
    repo.git(&["checkout", "-q", "main"]);
    assert!(has(&detached), "by the head of the worktree");
    repo.git(&["worktree", "remove", "--force", &linked]);
    assert!(!has(&detached), "only by the reflog");
    let error = branch_tips(&opened, &["nowhere".into()]).expect_err("no such branch");
    assert_eq!(error.to_string(), "unknown revision \"nowhere\"");
    let main: &BStr = "main".into();
    assert_eq!(
        branch_tips(&opened, &[main.to_owned()]).expect("a branch"),
        [rev(&repo, "main")]
    );
}

#[test]
fn since_a_date_what_came_in_from_then_on() {
    let repo = TestRepo::new();
    repo.commit_file("old", "old", "old");
    repo.commit_file("mid", "mid", "mid");
    repo.commit_file("new", "new", "new");
    repo.git(&["tag", "-a", "-m", "tag", "tag", "HEAD~2"]);
    let since = repo.git(&["show", "-s", "--format=%ct", "HEAD~1"]);
    let opened = repo.open();
    let tips = all_tips(&opened).expect("references");
    let found = reachable_objects(&opened, &tips, Some(since.parse().expect("a number")));
    let expected = ["HEAD", "HEAD~1", "HEAD:new", "HEAD:mid", "refs/tags/tag"];
    assert_eq!(
        found.objects.into_iter().collect::<BTreeSet<_>>(),
        expected.map(|revision| rev(&repo, revision)).into()
    );
}

/// Git takes a date that cannot be read for 1970 and ends there; a commit without one may be of today.
#[test]
fn since_a_date_commits_whose_own_cannot_be_read() {
    let repo = TestRepo::new();
    repo.commit_file("a", "a", "one");
    let commit = repo.git(&["cat-file", "commit", "HEAD"]);
    let undated = commit
        .lines()
        .map(|line| match line.starts_with("committer") {
            true => "committer c <c@x>\n".to_owned(),
            false => format!("{line}\n"),
        });
    let args = [
        "hash-object",
        "-t",
        "commit",
        "-w",
        "--literally",
        "--stdin",
    ];
    let undated = repo
        .git_command()
        .args(args)
        .stdin(undated.collect::<String>())
        .status(0);
    repo.git(&["update-ref", "refs/heads/main", undated.out().trim()]);
    let opened = repo.open();
    let tips = all_tips(&opened).expect("references");
    let found = reachable_objects(&opened, &tips, Some(1_000_000_000));
    assert!(found.objects.contains(&rev(&repo, "HEAD:a")), "{found:?}");
}

/// Dates are what whoever commits says: commits of today may lie below one that says it is old.
#[test]
fn since_a_date_what_lies_below_an_older_commit() {
    let repo = TestRepo::new();
    repo.commit_file("a", pair(73), "of today");
    repo.git_command()
        .args(["commit", "--quiet", "--allow-empty", "--message=old"])
        .env("GIT_COMMITTER_DATE", "1000000000 +0000")
        .status(0);
    let run = repo.keysieve(&["history", "--since", "2020-01-01"]);
    let run = run.status(1);
    assert!(
        run.out().contains("scanned: 1 blob, 1 commit"),
        "{}",
        run.show()
    );
}

#[test]
fn what_one_range_leaves_out_another_may_bring_in() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(71);
    let pairs: Vec<(String, String)> = (0..3).map(|_| (keys.id(), keys.secret())).collect();
    let text = |at: usize| {
        let (id, secret) = &pairs[at];
        format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
    };
    let mut commits = vec![repo.commit_file("a", "a\n", "first")];
    commits.push(repo.commit_file("one", text(0), "second"));
    commits.push(repo.commit_file("two", text(1), "third"));
    // The first pair stood here before this range, and came in within the other.
    commits.push(repo.commit_file("one", format!("{}{}", text(0), text(2)), "fourth"));
    let commits: Vec<&str> = commits.iter().map(|commit| commit.trim()).collect();
    let found = |ranges: &[(usize, usize)], more: &[&str]| {
        let mut args = vec!["history".to_owned(), "--format=json".to_owned()];
        for (from, to) in ranges {
            args.push(format!("--range={}..{}", commits[*from], commits[*to]));
        }
        args.extend(more.iter().map(|arg| (*arg).to_owned()));
        let run = TestCommand::keysieve(repo.path()).args(&args).status(1);
        let findings = run.json()["findings"].as_array().cloned().expect("a list");
        let id = |finding: &serde_json::Value| {
            let key_id = finding["key_id"].as_str().expect("a key id");
            let is_it = |(id, _): &(String, String)| id == key_id;
            let number = pairs.iter().position(is_it).expect("one of ours");
            let commit = finding["places"][0]["commit"].as_str().expect("a commit");
            let commit = commits.iter().position(|id| *id == commit).expect("ours");
            (number, commit)
        };
        findings.iter().map(id).collect::<BTreeSet<_>>()
    };
    assert_eq!(found(&[(0, 1)], &[]), BTreeSet::from([(0, 1)]));
    assert_eq!(found(&[(2, 3)], &[]), BTreeSet::from([(2, 3)]));
    assert_eq!(
        found(&[(0, 1), (2, 3)], &[]),
        BTreeSet::from([(0, 1), (2, 3)])
    );
    assert_eq!(
        found(&[(2, 3), (0, 1)], &[]),
        BTreeSet::from([(0, 1), (2, 3)])
    );
    let all = BTreeSet::from([(0, 1), (1, 2), (2, 3)]);
    assert_eq!(found(&[(0, 2), (1, 3)], &[]), all);
    // What is only left out is left out of all.
    let but_first = format!("--range=^{}", commits[1]);
    let rest = BTreeSet::from([(1, 2), (2, 3)]);
    assert_eq!(found(&[(0, 2), (1, 3)], &[but_first.as_str()]), rest);
}
