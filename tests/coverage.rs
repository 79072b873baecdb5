//! Hiding places of a secret in a repository: expectation B, each row through the real program on real repositories.
//! Every case is scanned the way people scan: the index, a range, the whole history.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::support::command::{Run, close_to_all, open_to_all};
use crate::support::{Keys, TestCommand, TestRepo, pair, shows_part_of};

/// An access key as a person would write it down.
pub(crate) struct Pair {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Pair {
    pub(crate) fn new(keys: &mut Keys) -> Self {
        Self {
            id: keys.id(),
            secret: keys.secret(),
        }
    }

    pub(crate) fn text(&self) -> String {
        format!(
            "aws_access_key_id = {}\naws_secret_access_key = {}\n",
            self.id, self.secret
        )
    }
}

/// `N` different pairs.
pub(crate) fn pairs<const N: usize>(seed: u64) -> [Pair; N] {
    let mut keys = Keys::new(seed);
    std::array::from_fn(|_| Pair::new(&mut keys))
}

/// The errors of a JSON report: key id to places, each as `commit:path` or `path`. It must be one finding per
/// pair, exactly the pairs that are expected, nothing left unread, and no secret on any stream.
#[track_caller]
pub(crate) fn found(run: &Run, expected: &[&Pair]) -> BTreeMap<String, Vec<String>> {
    assert_eq!(
        run.status,
        i32::from(!expected.is_empty()),
        "{}",
        run.show()
    );
    let json = run.json();
    assert_eq!(json["coverage"]["complete"], true, "{}", run.show());
    let mut places = BTreeMap::new();
    for finding in json["findings"].as_array().expect("findings") {
        if finding["level"] != "error" {
            continue;
        }
        let id = finding["key_id"].as_str().unwrap_or_default().to_owned();
        let all = finding["places"].as_array().expect("places");
        let old = places.insert(id, all.iter().map(place).collect::<Vec<_>>());
        assert!(old.is_none(), "one secret is one finding: {}", run.show());
    }
    for pair in expected {
        assert!(places.contains_key(&pair.id), "{}\n{}", pair.id, run.show());
        for stream in [run.out(), run.err()] {
            assert!(!shows_part_of(&pair.secret, stream), "{}", run.show());
        }
    }
    assert_eq!(places.len(), expected.len(), "{}", run.show());
    places
}

fn place(place: &Value) -> String {
    let path = place["path"].as_str().expect("a path");
    match place["commit"].as_str() {
        Some(commit) => format!("{commit}:{path}"),
        None => path.to_owned(),
    }
}

/// `keysieve history`, with arguments.
pub(crate) fn history(dir: impl AsRef<Path>, args: &[&str]) -> Run {
    let command = TestCommand::keysieve(dir).args(["history", "--format", "json"]);
    command.args(args).run()
}

pub(crate) fn staged(dir: impl AsRef<Path>, args: &[&str]) -> Run {
    let command = TestCommand::keysieve(dir).args(["staged", "--format", "json"]);
    command.args(args).run()
}

/// Asserts that the history reports one place of each pair.
#[track_caller]
fn assert_places(run: &Run, expected: &[(&Pair, String)]) {
    let pairs: Vec<&Pair> = expected.iter().map(|(pair, _)| *pair).collect();
    let places = found(run, &pairs);
    for (pair, place) in expected {
        assert_eq!(places[&pair.id], [place.as_str()], "{}", run.show());
    }
}

#[test]
fn b01_what_only_a_merge_commit_adds() {
    let repo = TestRepo::new();
    let [resolution, evil] = pairs(101);
    repo.commit_file("settings.ini", "region = a\n", "base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit_file("settings.ini", "region = b\n", "side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("settings.ini", "region = c\n", "main");
    repo.try_git(&["merge", "--quiet", "side"], 1);
    repo.stage("settings.ini", resolution.text());
    repo.stage("evil.ini", evil.text());
    found(&staged(repo.path(), &[]), &[&resolution, &evil]);
    let merge = repo.commit("merge");
    repo.git(&["rm", "--quiet", "evil.ini"]);
    repo.commit_file("settings.ini", "region = d\n", "clean again");
    let expected = [
        (&resolution, format!("{merge}:settings.ini")),
        (&evil, format!("{merge}:evil.ini")),
    ];
    assert_places(&history(repo.path(), &[]), &expected);
    assert_places(
        &history(repo.path(), &["--range", "HEAD~2..HEAD"]),
        &expected,
    );
    found(&history(repo.path(), &["--range", "HEAD~1..HEAD"]), &[]);
}

#[test]
fn b02_a_rename_with_an_edit_in_the_same_commit() {
    let repo = TestRepo::new();
    let [pair] = pairs(102);
    let filler: String = (0..200).map(|n| format!("setting_{n} = {n}\n")).collect();
    repo.commit_file("old.ini", &filler, "base");
    repo.git(&["mv", "old.ini", "new.ini"]);
    repo.stage("new.ini", format!("{filler}{}", pair.text()));
    let places = found(&staged(repo.path(), &[]), &[&pair]);
    assert_eq!(places[&pair.id], ["new.ini"]);
    let commit = repo.commit("rename and edit");
    assert!(
        repo.git(&["show", "--stat", "-M", "HEAD"])
            .contains("old.ini => new.ini")
    );
    repo.commit_file("new.ini", &filler, "clean");
    let expected = [(&pair, format!("{commit}:new.ini"))];
    assert_places(&history(repo.path(), &[]), &expected);
    assert_places(
        &history(repo.path(), &["--range", "HEAD~2..HEAD"]),
        &expected,
    );
}

#[test]
fn b03_a_symlink_that_becomes_a_file_and_the_target_text_of_a_symlink() {
    let repo = TestRepo::new();
    let [file, target] = pairs(103);
    symlink("elsewhere", repo.join("link.ini")).unwrap();
    repo.git(&["add", "link.ini"]);
    repo.commit("a link");
    std::fs::remove_file(repo.join("link.ini")).unwrap();
    repo.stage("link.ini", file.text());
    let text = format!(
        "aws_access_key_id={}&aws_secret_access_key={}",
        target.id, target.secret
    );
    symlink(text, repo.join("target")).unwrap();
    repo.git(&["add", "target"]);
    found(&staged(repo.path(), &[]), &[&file, &target]);
    let commit = repo.commit("a file");
    repo.git(&["rm", "--quiet", "link.ini", "target"]);
    repo.commit("gone");
    let expected = [
        (&file, format!("{commit}:link.ini")),
        (&target, format!("{commit}:target")),
    ];
    assert_places(&history(repo.path(), &[]), &expected);
    assert_places(&history(repo.path(), &["--range", "HEAD~2.."]), &expected);
}

#[test]
fn b04_files_declared_binary_or_without_diff_and_utf_16() {
    let repo = TestRepo::new();
    let [binary, no_diff, zeros, little, big] = pairs(104);
    repo.commit_file(
        ".gitattributes",
        "*.dat binary\n*.lock -diff\n*.gen -text -diff linguist-generated export-ignore\n",
        "attributes",
    );
    repo.stage("a.dat", binary.text());
    repo.stage("b.lock", no_diff.text());
    let mut bytes = vec![0, 1, 2, 0xff, b'\n'];
    bytes.extend(zeros.text().bytes());
    bytes.extend([0; 300]);
    repo.stage("c.bin", bytes);
    let units: Vec<u16> = little.text().encode_utf16().collect();
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
    repo.stage("d.reg", bytes);
    let units: Vec<u16> = big.text().encode_utf16().collect();
    let mut bytes = vec![0xfe, 0xff];
    bytes.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
    repo.stage("e.reg", bytes);
    let all = [&binary, &no_diff, &zeros, &little, &big];
    found(&staged(repo.path(), &[]), &all);
    let commit = repo.commit("binary things");
    found(&repo.keysieve(&["scan", "--format", "json"]).run(), &all);
    let names = ["a.dat", "b.lock", "c.bin", "d.reg", "e.reg"];
    let expected: Vec<(&Pair, String)> = all
        .into_iter()
        .zip(names.map(|name| format!("{commit}:{name}")))
        .collect();
    assert_places(&history(repo.path(), &[]), &expected);
    assert_places(
        &history(repo.path(), &["--since-commit", "HEAD~1"]),
        &expected,
    );
}

/// `git commit` through the installed hook is refused, names the path and leaves `HEAD` alone.
#[track_caller]
fn assert_refused(repo: &TestRepo, args: &[&str], path: &str) {
    let head = repo.git(&["rev-parse", "HEAD"]);
    let run = repo.git_command().args(args).status(1);
    let said = format!("{}{}", run.out(), run.err());
    assert!(said.contains(path), "{}", run.show());
    assert!(said.contains("error["), "{}", run.show());
    assert_eq!(repo.git(&["rev-parse", "HEAD"]), head);
}

#[test]
fn b05_commit_all_and_commit_path_through_the_installed_hook() {
    let repo = TestRepo::new();
    let [all, path] = pairs(105);
    repo.commit_file("a.ini", "clean\n", "base");
    repo.commit_file("b.ini", "clean\n", "base");
    repo.keysieve(&["hook", "install"]).status(0);
    repo.write("a.ini", all.text());
    assert_refused(&repo, &["commit", "-am", "all"], "a.ini");
    assert_refused(&repo, &["commit", "-m", "path", "a.ini"], "a.ini");
    assert_refused(&repo, &["commit", "-m", "only", "--only", "a.ini"], "a.ini");
    repo.write("b.ini", path.text());
    repo.write("a.ini", "clean, again\n");
    assert_refused(&repo, &["commit", "-im", "include", "b.ini"], "b.ini");
    // Of a path that is not committed the hook says nothing.
    repo.git(&["commit", "--quiet", "-m", "one path", "a.ini"]);
    // From below the root, where Git runs the hook at the root all the same.
    std::fs::create_dir(repo.join("below")).unwrap();
    let below = repo.join("below").to_string_lossy().into_owned();
    assert_refused(&repo, &["-C", &below, "commit", "-am", "below"], "b.ini");
}

#[test]
fn b06_an_id_in_one_commit_and_its_secret_in_another() {
    let repo = TestRepo::new();
    let [adjacent, around] = pairs(106);
    let half = |pair: &Pair| format!("aws_access_key_id = {}\n", pair.id);
    repo.stage("adjacent.ini", half(&adjacent));
    repo.stage(
        "around.ini",
        format!("{}region = eu-west-1\n", half(&around)),
    );
    repo.commit("ids");
    found(&history(repo.path(), &[]), &[]);
    repo.stage("adjacent.ini", adjacent.text());
    repo.stage(
        "around.ini",
        around.text().replacen('\n', "\nregion = eu-west-1\n", 1),
    );
    found(&staged(repo.path(), &[]), &[&adjacent, &around]);
    let commit = repo.commit("secrets");
    repo.git(&["rm", "--quiet", "adjacent.ini", "around.ini"]);
    repo.commit("gone");
    let range = history(repo.path(), &["--range", "HEAD~2..HEAD"]);
    let expected = [
        (&adjacent, format!("{commit}:adjacent.ini")),
        (&around, format!("{commit}:around.ini")),
    ];
    assert_places(&range, &expected);
    let places = found(&history(repo.path(), &[]), &[&adjacent, &around]);
    for (pair, place) in &expected {
        assert!(places[&pair.id].contains(place), "{places:?}");
    }
}

#[test]
fn b06_halves_in_two_files_are_neighbours_by_their_paths_at_any_time() {
    let [pair] = pairs(117);
    // What it stands in says AWS, too far above to count without an ID.
    let weak = format!(
        "AWS = {{\n  'region': 1,\n  'retries': 3,\n  'timeout': 5,\n\n  'secret_key': '{}',\n}}\n",
        pair.secret
    );
    for (id_path, secret_path, expected) in [
        ("a/id.txt", "a/settings.py", 1),
        ("a/id.txt", "b/c/d/settings.py", 0),
        ("id.txt", "b/c/d/settings.py", 0),
    ] {
        let repo = TestRepo::new();
        repo.commit_file(id_path, format!("the key is {}\n", pair.id), "id");
        repo.commit_file(secret_path, &weak, "secret");
        for args in [&["scan"][..], &["history"], &["history", "--range", "HEAD"]] {
            let run = repo
                .keysieve(args)
                .args(["--format", "json"])
                .status(expected);
            let json = run.json();
            assert_eq!(json["summary"]["errors"], expected, "{}", run.show());
            assert_eq!(json["summary"]["warnings"], 1, "{}", run.show());
            assert!(!shows_part_of(&pair.secret, run.out()), "{}", run.show());
        }
    }
}

#[test]
fn b07_messages_of_commits_and_tags_and_notes() {
    let repo = TestRepo::new();
    let [message, tag, note, stash] = pairs(107);
    repo.commit("base");
    let commit = repo.commit(&format!("deploy\n\nuse this:\n{}", message.text()));
    repo.git(&[
        "tag",
        "--annotate",
        "-m",
        &format!("v1\n\n{}", tag.text()),
        "v1",
    ]);
    repo.git(&["notes", "add", "-m", &note.text()]);
    repo.write("a.txt", "a\n");
    repo.git(&["add", "a.txt"]);
    repo.git(&["stash", "push", "--quiet", "-m", &stash.text()]);
    let run = history(repo.path(), &[]);
    let places = found(&run, &[&message, &tag, &note, &stash]);
    assert!(places[&message.id][0].starts_with(&commit), "{places:?}");
    // The line is counted in the message, as `git log` shows it.
    let json = run.json();
    let of = |pair: &Pair| {
        let all = json["findings"].as_array().expect("findings");
        let found = all.iter().find(|finding| finding["key_id"] == *pair.id);
        found.expect("a finding").clone()
    };
    assert_eq!(of(&message)["places"][0]["object_kind"], "commit");
    assert_eq!(of(&tag)["places"][0]["object_kind"], "tag");
    let text = repo.keysieve(&["history"]).status(1);
    assert!(text.out().contains(&commit[..12]), "{}", text.show());
    let places = found(
        &history(repo.path(), &["--range", "HEAD~1..v1"]),
        &[&message, &tag],
    );
    assert!(places[&message.id][0].starts_with(&commit), "{places:?}");
    // What references reach includes the notes and the stash.
    found(
        &history(repo.path(), &["--reachable"]),
        &[&message, &tag, &note, &stash],
    );
    found(&history(repo.path(), &["--branch", "main"]), &[&message]);
}

#[test]
fn b08_what_no_reference_reaches_any_more() {
    let repo = TestRepo::new();
    let [amended, rebased, stashed, deleted] = pairs(108);
    repo.commit_file("base.txt", "base\n", "base");
    let first = repo.commit_file("amended.ini", amended.text(), "amended");
    repo.stage("amended.ini", "clean\n");
    repo.git(&["commit", "--quiet", "--amend", "-m", "clean"]);
    let second = repo.commit_file("rebased.ini", rebased.text(), "rebased away");
    repo.commit_file("last.txt", "last\n", "last");
    repo.git_command()
        .env("GIT_SEQUENCE_EDITOR", "sed -i -e 1s/^pick/drop/")
        .args(["rebase", "--quiet", "--interactive", "HEAD~2"])
        .status(0);
    repo.stage("stashed.ini", stashed.text());
    repo.git(&["stash", "push", "--quiet"]);
    let stash = repo.git(&["rev-parse", "stash@{0}"]);
    repo.git(&["stash", "drop", "--quiet"]);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    let fourth = repo.commit_file("deleted.ini", deleted.text(), "on a branch");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["branch", "--quiet", "-D", "side"]);
    let all = [&amended, &rebased, &stashed, &deleted];
    let check = |run: &Run| {
        let places = found(run, &all);
        assert_eq!(places[&amended.id], [format!("{first}:amended.ini")]);
        assert_eq!(places[&rebased.id], [format!("{second}:rebased.ini")]);
        // A stash is two commits, of which the one of the index comes first.
        let index = repo.git(&["rev-parse", &format!("{stash}^2")]);
        assert_eq!(places[&stashed.id], [format!("{index}:stashed.ini")]);
        assert_eq!(places[&deleted.id], [format!("{fourth}:deleted.ini")]);
        for finding in run.json()["findings"].as_array().expect("findings") {
            let place = &finding["places"][0];
            assert_eq!(place["in_head"], false, "{}", run.show());
            assert_eq!(place["refs"].as_array().map(Vec::len), Some(0));
            let holders = place["held_by"].as_array().expect("holders");
            assert!(!holders.is_empty(), "{}", run.show());
        }
    };
    check(&history(repo.path(), &[]));
    found(&history(repo.path(), &["--reachable"]), &[]);
    // Without reflogs too, and packed away as unreachable.
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    check(&history(repo.path(), &[]));
    repo.git(&["repack", "-q", "-a", "-d", "--keep-unreachable"]);
    check(&history(repo.path(), &[]));
    // The report says how it goes for good, that the other side has a copy; and so it goes.
    let text = repo.keysieve(&["history"]).status(1).out();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "git reflog expire --expire=now --all",
        "git gc --prune=now",
        "the hosting side keeps its own copy",
    ] {
        assert!(words.contains(part), "{text}");
    }
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    found(&history(repo.path(), &[]), &[]);
}

#[test]
fn b09_other_branches_tags_pull_requests_and_heads_of_worktrees() {
    let repo = TestRepo::new();
    let [branch, tag, pull, worktree] = pairs(109);
    repo.commit_file("base.txt", "base\n", "base");
    let mut commits = Vec::new();
    for (pair, name) in [(&branch, "b"), (&tag, "t"), (&pull, "p"), (&worktree, "w")] {
        repo.git(&["checkout", "--quiet", "--detach", "main"]);
        let path = format!("{name}.ini");
        let commit = repo.commit_file(&path, pair.text(), name);
        commits.push((pair, format!("{commit}:{path}"), commit));
    }
    repo.git(&["update-ref", "refs/heads/feature/x", &commits[0].2]);
    repo.git(&["tag", "v1", &commits[1].2]);
    repo.git(&["update-ref", "refs/pull/1/head", &commits[2].2]);
    let outside = tempfile::tempdir().unwrap();
    let tree = outside.path().join("tree").to_string_lossy().into_owned();
    repo.git(&[
        "worktree",
        "add",
        "--quiet",
        "--detach",
        &tree,
        &commits[3].2,
    ]);
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["reflog", "expire", "--expire=now", "--all"]);
    let expected: Vec<(&Pair, String)> = commits
        .iter()
        .map(|(pair, place, _)| (*pair, place.clone()))
        .collect();
    for args in [&[][..], &["--reachable"], &["--since", "2020-01-01"]] {
        let run = history(repo.path(), args);
        assert_places(&run, &expected);
        let text = run.out();
        for name in ["refs/heads/feature/x", "refs/tags/v1", "refs/pull/1/head"] {
            assert!(text.contains(name), "{name}: {}", run.show());
        }
    }
    // From the worktree it is the same repository.
    assert_places(&history(&tree, &[]), &expected);
    found(
        &history(repo.path(), &["--branch", "feature/x"]),
        &[&branch],
    );
    found(
        &history(repo.path(), &["--branch", "refs/pull/1/head"]),
        &[&pull],
    );
    found(&history(repo.path(), &["--branch", "main"]), &[]);
    found(&history(repo.path(), &["--since", "1d"]), &[]);
    for args in [&["--branch", "nope"], &["--since", "soon"]] {
        let run = history(repo.path(), args);
        assert_eq!(run.status, 2, "{}", run.show());
        assert!(run.err().contains(args[1]), "{}", run.show());
    }
}

#[test]
fn b10_first_commits_no_commits_detached_bare_submodule_and_linked_worktree() {
    let [first, detached, linked, inner] = pairs(110);
    // Before there is a commit, and that commit.
    let repo = TestRepo::new();
    let empty = history(repo.path(), &[]);
    assert_eq!(empty.status, 0, "{}", empty.show());
    repo.stage("first.ini", first.text());
    found(&staged(repo.path(), &[]), &[&first]);
    repo.keysieve(&["hook", "install"]).status(0);
    repo.git_command()
        .args(["commit", "--quiet", "-m", "first"])
        .status(1);
    let commit = repo.commit("first");
    let place = [(&first, format!("{commit}:first.ini"))];
    assert_places(&history(repo.path(), &[]), &place);
    assert_places(&history(repo.path(), &["--range", "HEAD"]), &place);
    // A detached head.
    repo.git(&["checkout", "--quiet", "--detach"]);
    repo.stage("detached.ini", detached.text());
    found(&staged(repo.path(), &[]), &[&detached]);
    repo.git(&["reset", "--quiet", "--hard"]);
    // A linked worktree, with the hook of the main one.
    let outside = tempfile::tempdir().unwrap();
    let tree = outside.path().join("tree");
    let tree_text = tree.to_string_lossy().into_owned();
    repo.git(&["worktree", "add", "--quiet", "-b", "linked", &tree_text]);
    std::fs::write(tree.join("linked.ini"), linked.text()).unwrap();
    repo.git(&["-C", &tree_text, "add", "linked.ini"]);
    found(&staged(&tree, &[]), &[&linked]);
    found(&staged(repo.path(), &[]), &[]);
    repo.try_git(&["-C", &tree_text, "commit", "--quiet", "-m", "linked"], 1);
    // A bare clone, which gets what references reach and not the dangling blobs of what was only staged.
    let bare = outside.path().join("bare.git");
    let bare_text = bare.to_string_lossy().into_owned();
    repo.git(&["clone", "--quiet", "--bare", "--no-local", ".", &bare_text]);
    assert_places(&history(&bare, &[]), &place);
    let elsewhere = history(outside.path(), &[&bare_text]);
    assert_places(&elsewhere, &place);
    // A submodule is a repository of its own: named by the outer one, scanned in itself.
    let outer = TestRepo::new();
    outer.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &bare_text,
        "sub",
    ]);
    found(&staged(outer.path(), &[]), &[]);
    outer.commit("submodule");
    let sub = outer.join("sub");
    assert_places(&history(&sub, &[]), &place);
    std::fs::write(sub.join("inner.ini"), inner.text()).unwrap();
    outer.git(&["-C", "sub", "add", "inner.ini"]);
    found(&staged(&sub, &[]), &[&inner]);
    found(&staged(outer.path(), &[]), &[]);
}

#[test]
fn b11_file_names_with_spaces_newlines_quotes_and_other_bytes() {
    let repo = TestRepo::new();
    repo.commit("base");
    let all: [Pair; 6] = pairs(111);
    let names: [&[u8]; 6] = [
        b"a file with spaces.ini",
        b"new\nline.ini",
        b"quote\"s and 'more'.ini",
        b"latin-\xe9\xff.ini",
        b"tab\tand\x1b[31mescape.ini",
        " umlaut-ü-\u{202e}.ini".as_bytes(),
    ];
    for (pair, name) in all.iter().zip(names) {
        repo.write(std::ffi::OsStr::from_bytes(name), pair.text());
    }
    repo.git(&["add", "--all"]);
    let expected: Vec<&Pair> = all.iter().collect();
    let check = |run: &Run| {
        found(run, &expected);
        let json = run.json();
        let mut seen: Vec<Vec<u8>> = json["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .map(|finding| path_bytes(&finding["places"][0]))
            .collect();
        seen.sort();
        let mut wanted = names.map(<[u8]>::to_vec);
        wanted.sort();
        assert_eq!(seen, wanted, "{}", run.show());
    };
    check(&staged(repo.path(), &[]));
    repo.commit("names");
    check(&history(repo.path(), &[]));
    check(&history(repo.path(), &["--range", "HEAD~1.."]));
    check(&repo.keysieve(&["scan", "--format", "json"]).run());
    // On a terminal nothing of it is an escape sequence or forges a line.
    let run = repo.keysieve(&["history"]).status(1);
    assert!(!run.stdout.contains(&0x1b), "{}", run.show());
    assert!(!run.out().contains("\nline.ini"), "{}", run.show());
}

/// The path as it is; JSON has it in base64 if it is not UTF-8.
fn path_bytes(place: &Value) -> Vec<u8> {
    match place["path_base64"].as_str() {
        None => place["path"].as_str().expect("a path").into(),
        Some(text) => {
            let run = TestCommand::new("base64", "/")
                .arg("-d")
                .stdin(text)
                .status(0);
            run.stdout
        }
    }
}

#[test]
fn b12_what_is_staged_counts_and_not_the_working_copy() {
    let repo = TestRepo::new();
    let [pair] = pairs(112);
    repo.commit_file("a.ini", "clean\n", "base");
    repo.keysieve(&["hook", "install"]).status(0);
    // Staged, then cleaned in the working copy.
    repo.stage("a.ini", pair.text());
    repo.write("a.ini", "clean\n");
    assert_refused(&repo, &["commit", "-m", "cleaned"], "a.ini");
    std::fs::remove_file(repo.join("a.ini")).unwrap();
    assert_refused(&repo, &["commit", "-m", "removed"], "a.ini");
    // Dirty, with a clean staged version.
    repo.stage("a.ini", "clean, again\n");
    repo.write("a.ini", pair.text());
    found(&staged(repo.path(), &[]), &[]);
    repo.git(&["commit", "--quiet", "-m", "clean"]);
}

#[test]
fn b13_a_range_is_every_commit_that_is_not_in_its_base_with_merges_against_all_parents() {
    let repo = TestRepo::new();
    let [old, branch, second, merged, reverted] = pairs(113);
    repo.commit_file("old.ini", old.text(), "an old secret");
    repo.git(&["tag", "base"]);
    // A topic that was forked before the base moved on, with a branch of its own that is merged.
    repo.git(&["checkout", "--quiet", "-b", "topic"]);
    let one = repo.commit_file("branch.ini", branch.text(), "on the topic");
    repo.git(&["checkout", "--quiet", "-b", "second", "base"]);
    let two = repo.commit_file("second.ini", second.text(), "on a second branch");
    repo.git(&["rm", "--quiet", "second.ini"]);
    repo.commit("taken out again");
    repo.git(&["checkout", "--quiet", "topic"]);
    repo.git(&["merge", "--quiet", "--no-commit", "--no-ff", "second"]);
    repo.stage("merged.ini", merged.text());
    let three = repo.commit("merge with an addition");
    let four = repo.commit_file("reverted.ini", reverted.text(), "soon reverted");
    repo.git(&["revert", "--no-edit", "HEAD"]);
    // The old secret is touched and moved: it is not what the range adds.
    repo.git(&["mv", "old.ini", "moved.ini"]);
    repo.stage("moved.ini", format!("# moved\n{}", old.text()));
    repo.commit("moved");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("main.txt", "main\n", "main goes on");
    repo.git(&["checkout", "--quiet", "topic"]);
    let expected = [
        (&branch, format!("{one}:branch.ini")),
        (&second, format!("{two}:second.ini")),
        (&merged, format!("{three}:merged.ini")),
        (&reverted, format!("{four}:reverted.ini")),
    ];
    for args in [
        &["--range", "main..topic"][..],
        &["--range", "main.."],
        &["--since-commit", "main"],
        &["--range", "main..second", "--range", "main..topic"],
    ] {
        let run = history(repo.path(), args);
        assert_places(&run, &expected);
        let commits = repo.git(&["rev-list", "--count", "main..topic"]);
        let counted = run.json()["coverage"]["commits"].to_string();
        assert_eq!(counted, commits, "{}", run.show());
    }
    // A branch whose tip lies beyond the range reaches it all the same: nobody is told that no reference does.
    let run = repo
        .keysieve(&["history", "--range", "main..topic~2"])
        .status(1);
    assert!(run.out().contains("refs/heads/topic"), "{}", run.show());
    assert!(!run.out().contains("by no ref"), "{}", run.show());
    assert!(!run.out().contains("git gc"), "{}", run.show());
    let all = history(repo.path(), &["--range", "main..topic", "--all"]);
    found(&all, &[&old, &branch, &second, &merged, &reverted]);
    // What the environment of a CI system says.
    repo.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    let automatic = |variables: &[(&str, &str)]| {
        let mut command = repo.keysieve(&["history", "--range", "auto", "--format", "json"]);
        for (name, value) in variables {
            command = command.env(name, value);
        }
        command.run()
    };
    let run = automatic(&[("GITHUB_ACTIONS", "true"), ("GITHUB_BASE_REF", "main")]);
    assert_places(&run, &expected);
    let said = "range auto: origin/main..HEAD, GitHub pull request into main";
    assert!(run.err().contains(said), "{}", run.show());
    let base = repo.git(&["rev-parse", "base"]);
    let gitlab = ("GITLAB_CI", "true");
    let run = automatic(&[gitlab, ("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)]);
    assert_places(&run, &expected);
    // A push that was forced: its base is gone, the default branch is there.
    let gone = "1".repeat(40);
    let run = automatic(&[
        gitlab,
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_BEFORE_SHA", &gone),
        ("CI_COMMIT_BRANCH", "topic"),
        ("CI_DEFAULT_BRANCH", "main"),
    ]);
    assert_places(&run, &expected);
    assert!(run.err().contains("is not in this clone"), "{}", run.show());
    // A target that is not there, and no CI at all, are no empty ranges.
    for variables in [&[("CHANGE_TARGET", "gone")][..], &[]] {
        let run = automatic(variables);
        assert_eq!(run.status, 2, "{}", run.show());
        assert_eq!(run.out(), "");
    }
}

#[test]
fn b14_packs_loose_objects_alternates_multi_pack_index_and_sha_256() {
    let all: [Pair; 4] = pairs(114);
    for format in ["sha1", "sha256"] {
        let repo = TestRepo::with_init_args(&[&format!("--object-format={format}")]);
        let mut expected = Vec::new();
        for (number, pair) in all.iter().enumerate() {
            // Two packs, then loose objects; the first with deltas on what is clean.
            let path = format!("{number}.ini");
            let filler: String = (0..80).map(|n| format!("{path} {n}\n")).collect();
            repo.commit_file(&path, &filler, "clean");
            let commit = repo.commit_file(&path, format!("{filler}{}", pair.text()), "key");
            repo.commit_file(&path, &filler, "clean again");
            if number < 2 {
                repo.git(&["repack", "-q", "-d"]);
            }
            expected.push((pair, format!("{commit}:{path}")));
        }
        assert_eq!(packs(&repo).len(), 2);
        assert_places(&history(repo.path(), &[]), &expected);
        assert_places(&history(repo.path(), &["--range", "HEAD"]), &expected);
        repo.git(&["multi-pack-index", "write"]);
        repo.git(&["commit-graph", "write", "--reachable"]);
        assert_places(&history(repo.path(), &[]), &expected);
        assert_places(&history(repo.path(), &["--reachable"]), &expected);
        // A clone that borrows all its objects.
        let outside = tempfile::tempdir().unwrap();
        let clone = outside.path().join("clone");
        let text = clone.to_string_lossy().into_owned();
        repo.git(&["clone", "--quiet", "--shared", ".", &text]);
        assert_places(&history(&clone, &[]), &expected);
        assert_places(&history(&clone, &["--range", "HEAD"]), &expected);
        // One pack, and none loose.
        repo.git(&[
            "repack",
            "-q",
            "-a",
            "-d",
            "-f",
            "--depth=50",
            "--write-bitmap-index",
        ]);
        repo.git(&["prune-packed", "--quiet"]);
        repo.git(&["pack-refs", "--all"]);
        assert_places(&history(repo.path(), &[]), &expected);
        assert_places(&history(repo.path(), &["--range", "HEAD"]), &expected);
    }
}

fn packs(repo: &TestRepo) -> Vec<String> {
    let entries = std::fs::read_dir(repo.join(".git/objects/pack")).expect("packs");
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".pack")).collect()
}

#[test]
fn b14_split_and_sparse_indexes() {
    for setting in ["split", "sparse"] {
        let repo = TestRepo::new();
        let [old, new] = pairs(115);
        for dir in ["in", "out/deep", "out/other"] {
            repo.stage(&format!("{dir}/a.txt"), format!("{dir}\n"));
        }
        repo.stage("in/old.ini", old.text());
        repo.commit("base");
        if setting == "split" {
            repo.git(&["update-index", "--split-index"]);
        } else {
            repo.git(&["sparse-checkout", "init", "--cone", "--sparse-index"]);
            repo.git(&["sparse-checkout", "set", "in"]);
        }
        repo.stage("in/new.ini", new.text());
        repo.stage("in/old.ini", format!("# touched\n{}", old.text()));
        let places = found(&staged(repo.path(), &[]), &[&new]);
        assert_eq!(places[&new.id], ["in/new.ini"]);
        let run = staged(repo.path(), &["--all-files"]);
        found(&run, &[&old, &new]);
        assert_eq!(run.json()["coverage"]["blobs"], 5, "{}", run.show());
        repo.keysieve(&["hook", "install"]).status(0);
        repo.git_command()
            .args(["commit", "--quiet", "-m", "new"])
            .status(1);
    }
}

#[test]
fn b15_force_added_files_that_are_ignored_and_files_in_git_lfs() {
    let repo = TestRepo::new();
    let [ignored, stored] = pairs(116);
    repo.commit_file(".gitignore", "*.env\nsecret/\n", "base");
    repo.stage("secret/prod.env", ignored.text());
    found(&staged(repo.path(), &[]), &[&ignored]);
    let commit = repo.commit("forced");
    found(
        &repo.keysieve(&["scan", "--format", "json"]).run(),
        &[&ignored],
    );
    let place = [(&ignored, format!("{commit}:secret/prod.env"))];
    assert_places(&history(repo.path(), &[]), &place);
    // A pointer whose object is not here is content that was not read.
    let text = stored.text();
    let hash = TestCommand::new("sha256sum", "/")
        .stdin(text.as_str())
        .status(0);
    let hash = hash.out()[..64].to_owned();
    let pointer = format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{hash}\nsize {}\n",
        text.len()
    );
    repo.stage("big.ini", &pointer);
    let run = staged(repo.path(), &[]);
    assert_eq!(run.status, 2, "{}", run.show());
    assert_eq!(run.json()["coverage"]["skipped"]["lfs"], 1);
    let lfs = repo.commit("pointer");
    for args in [&[][..], &["--range", "HEAD~1.."]] {
        let run = history(repo.path(), args);
        assert_eq!(run.status, 2, "{}", run.show());
        assert_eq!(run.json()["coverage"]["skipped"]["lfs"], 1);
        assert!(run.err().contains("1 lfs"), "{}", run.show());
    }
    // Once it is here it is scanned in the pointer's place.
    let path = format!(".git/lfs/objects/{}/{}/{hash}", &hash[..2], &hash[2..4]);
    repo.write(path, &text);
    let place = (&stored, format!("{lfs}:big.ini"));
    assert_places(&history(repo.path(), &["--range", "HEAD~1.."]), &[place]);
    found(&history(repo.path(), &[]), &[&ignored, &stored]);
    repo.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
    found(&staged(repo.path(), &[]), &[&stored]);
}

/// Makes a link of a part of a repository's Git directory while `work` is done.
#[track_caller]
fn behind_a_link(repo: &TestRepo, part: &str, work: impl FnOnce()) {
    let (path, moved) = (repo.join(".git").join(part), repo.join("moved"));
    std::fs::rename(&path, &moved).expect("it moves");
    symlink(&moved, &path).expect("a link");
    work();
    std::fs::remove_file(&path).expect("a link");
    std::fs::rename(&moved, &path).expect("it moves back");
}

#[test]
fn what_lies_behind_links_in_a_git_directory_is_read() {
    let repo = TestRepo::new();
    repo.commit_file("a", "a\n", "base");
    repo.git(&["checkout", "--quiet", "-b", "topic/x"]);
    repo.commit_file("k", pair(851), "added");
    repo.git(&["checkout", "--quiet", "main"]);
    let (folder, file) = repo
        .git(&["rev-parse", "topic/x:k"])
        .split_at_checked(2)
        .map(|(folder, file)| (format!("objects/{folder}"), file.to_owned()))
        .expect("an id");
    for (part, args) in [
        (&*folder, &[][..]),
        (&*format!("{folder}/{file}"), &[]),
        ("objects", &[]),
        ("refs/heads/topic/x", &["--reachable"]),
        ("refs/heads/topic", &["--reachable"]),
        ("refs/heads", &["--reachable"]),
        ("refs", &["--reachable"]),
    ] {
        behind_a_link(&repo, part, || {
            let run = history(repo.path(), args);
            assert_eq!(run.status, 1, "{part}\n{}", run.show());
            assert_eq!(run.json()["coverage"]["complete"], true, "{part}");
        });
    }
    // A link that leads round in a circle ends, one to nothing and what is no file are told.
    symlink("..", repo.join(".git/refs/heads/circle")).expect("a link");
    assert_eq!(history(repo.path(), &["--reachable"]).status, 1);
    repo.git(&["branch", "--quiet", "-D", "topic/x"]);
    assert_eq!(history(repo.path(), &["--reachable"]).status, 0);
    for target in ["nothing", "/dev/null"] {
        let link = repo.join(".git/refs/heads/odd");
        symlink(target, &link).expect("a link");
        let run = history(repo.path(), &["--reachable"]);
        assert_eq!(run.status, 2, "{target}\n{}", run.show());
        std::fs::remove_file(link).expect("a link");
    }
    // So Git once wrote that one reference names another.
    symlink("refs/heads/main", repo.join(".git/refs/heads/symbolic")).expect("a link");
    assert_eq!(history(repo.path(), &["--reachable"]).status, 0);
}

#[test]
fn the_heads_of_work_trees_of_any_name_are_reachable() {
    let repo = TestRepo::new();
    repo.commit_file("a", "a\n", "base");
    let tree = repo.join(std::ffi::OsStr::from_bytes(b"w\xff"));
    let git = |args: &[&str]| {
        let command = repo.git_command().arg("-C").arg(&tree);
        command.args(args).status(0);
    };
    let add = repo
        .git_command()
        .args(["worktree", "add", "--quiet", "--detach"]);
    add.arg(&tree).status(0);
    std::fs::write(tree.join("k"), pair(852)).expect("a file");
    git(&["add", "k"]);
    git(&["commit", "--quiet", "--message=detached"]);
    let run = history(repo.path(), &["--reachable"]);
    assert_eq!(run.status, 1, "{}", run.show());
    // Where nobody can say which there are, the scan is not clean.
    open_to_all(repo.path());
    let all = repo.join(".git/worktrees");
    close_to_all(&all);
    let run = TestCommand::keysieve_as_nobody(repo.path()).args(["history", "--reachable"]);
    let run = run.run();
    open_to_all(&all);
    assert_eq!(run.status, 2, "{}", run.show());
    assert!(run.err().contains("worktrees"), "{}", run.show());
}

#[test]
fn what_cannot_be_read_as_the_commit_tag_or_tree_that_it_is_is_named() {
    for (kind, text) in [
        ("commit", &b"parent x\n"[..]),
        ("tag", b"objects x\n"),
        ("tree", b"100644 name\0too short"),
    ] {
        let repo = TestRepo::new();
        repo.commit_file("a", "a\n", "base");
        let args = ["hash-object", "-t", kind, "-w", "--literally", "--stdin"];
        let id = repo.git_command().args(args).stdin(text).status(0).out();
        for packed in [false, true] {
            let cache = tempfile::tempdir().expect("a directory");
            let cache = ["--cache", cache.path().to_str().expect("a path")];
            for args in [&[][..], &cache, &cache] {
                let run = history(repo.path(), args);
                assert_eq!(run.status, 2, "{kind}\n{}", run.show());
                let skips = &run.json()["coverage"]["skips"];
                assert_eq!(skips[0]["reason"], "corrupt", "{}", run.show());
                assert_eq!(skips[0]["subject"], id.trim(), "{}", run.show());
            }
            if !packed {
                let list =
                    repo.git_command()
                        .args(["pack-objects", "-q", ".git/objects/pack/pack"]);
                list.stdin(id.clone()).status(0);
                repo.git(&["prune-packed"]);
            }
        }
    }
}

#[test]
fn settings_in_a_damaged_tree_stop_a_scan_that_does_not_do_without() {
    let repo = TestRepo::new();
    repo.commit_file("k", pair(853), "one");
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    repo.git(&["config", "core.bare", "true"]);
    let path = repo.join(".git/objects").join(&tree[..2]).join(&tree[2..]);
    std::fs::remove_file(&path).expect("a file");
    std::fs::write(&path, "damaged").expect("a file");
    let bare = repo.join(".git");
    let run = history(&bare, &[]);
    assert_eq!(run.status, 2, "{}", run.show());
    let way_out = ["--no-config", "--no-baseline"];
    assert!(run.err().contains(&way_out.join(" ")), "{}", run.show());
    let run = history(&bare, &way_out);
    assert_eq!(run.status, 2, "{}", run.show());
    let findings = run.json()["findings"].as_array().map(Vec::len);
    assert_eq!(findings, Some(1), "{}", run.show());
}
