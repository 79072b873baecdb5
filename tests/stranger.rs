//! Expectations of a first-time user of the commands that scan: small things, each of which was missing once.

use std::fs;

use crate::support::{Keys, TestCommand, TestRepo, shows_part_of};

fn pair(keys: &mut Keys) -> (String, String, String) {
    let (id, secret) = (keys.id(), keys.secret());
    let text = format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    (id, secret, text)
}

#[test]
fn a_bare_repository_in_the_tree_is_pointed_at_in_the_text_too() {
    let dir = tempfile::tempdir().expect("a directory");
    TestCommand::new("git", dir.path())
        .args(["init", "--quiet", "--bare", "srv/x.git"])
        .status(0);
    let run = TestCommand::keysieve(dir.path()).args(["scan"]).status(0);
    let said = run.out().split_whitespace().collect::<Vec<_>>().join(" ");
    let pointer = "note: srv/x.git is a bare repository: `keysieve history srv/x.git` scans it";
    assert!(said.contains(pointer), "{}", run.show());
    // The .git of a work tree needs no pointer.
    let repo = TestRepo::new();
    let run = repo.keysieve(&["scan"]).status(0);
    assert!(!run.out().contains("note:"), "{}", run.show());
}

#[test]
fn what_is_named_and_no_file_is_not_clean() {
    let dir = tempfile::tempdir().expect("a directory");
    TestCommand::new("mkfifo", dir.path()).arg("pipe").status(0);
    let scan = |path: &str| {
        TestCommand::keysieve(dir.path())
            .args(["scan", "--format=json", path])
            .stdin("nothing\n")
    };
    for path in ["pipe", "/dev/null", "/dev/stdin"] {
        let run = scan(path).status(2);
        let coverage = &run.json()["coverage"];
        assert_eq!(coverage["skipped"]["unreadable"], 1, "{}", run.show());
        let detail = coverage["skips"][0]["detail"].as_str().expect("a detail");
        assert!(detail.contains("keysieve scan -"), "{}", run.show());
    }
    // What merely lies in a directory is left out by choice.
    let run = scan(".").status(0);
    assert_eq!(
        run.json()["coverage"]["skipped"]["special"],
        1,
        "{}",
        run.show()
    );
}

#[test]
fn a_pair_in_a_binary_is_shown_with_its_offset() {
    let dir = tempfile::tempdir().expect("a directory");
    let (id, secret, text) = pair(&mut Keys::new(72));
    let mut bytes = b"\0\x01\x02\xff".repeat(1000);
    bytes.extend(text.as_bytes());
    fs::write(dir.path().join("bin"), &bytes).expect("a file");
    let run = TestCommand::keysieve(dir.path()).args(["scan"]).status(1);
    assert!(run.out().contains(&id) && !shows_part_of(&secret, &run.stdout));
    let at = text.find(&secret).expect("the secret is in the text");
    let offset = format!("= offset: byte 4,{at:03} of a binary file");
    assert!(run.out().contains(&offset), "{}", run.show());
    fs::write(dir.path().join("bin"), &text).expect("a file");
    let run = TestCommand::keysieve(dir.path()).args(["scan"]).status(1);
    assert!(!run.out().contains("offset"), "{}", run.show());
}

#[test]
fn what_is_in_no_commit_is_removed_for_good_in_the_same_way() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(73);
    repo.commit_file("a", "a\n", "first");
    repo.stage("b", pair(&mut keys).2);
    let run = repo.keysieve(&["history"]).status(1);
    // The index holds it: it is not unreachable yet.
    assert!(!run.out().contains("reflog expire"), "{}", run.show());
    repo.git(&["rm", "--quiet", "--cached", "b"]);
    let run = repo.keysieve(&["history"]).status(1);
    let said = run.out().split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["git reflog expire", "git gc --prune", "hosting side"] {
        assert!(said.contains(part), "{}", run.show());
    }
}

#[test]
fn the_commit_that_brought_it_in_comes_first_whatever_its_path() {
    let repo = TestRepo::new();
    let (_, _, text) = pair(&mut Keys::new(74));
    let first = repo.commit_file("z", &text, "first");
    let commit = |path: &str, at: u64| {
        repo.stage(path, format!("{text}{path}\n"));
        let date = format!("{at} +0000");
        repo.git_command()
            .args(["commit", "--quiet", "-m", path])
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .status(0);
    };
    commit("b", 1_900_000_000);
    commit("a", 1_900_000_000);
    let run = repo.keysieve(&["history", "--format=json"]).status(1);
    let json = run.json();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1));
    let places = json["findings"][0]["places"].as_array().expect("places");
    let paths: Vec<_> = places.iter().map(|place| place["path"].as_str()).collect();
    // Of the same second, the parent first.
    assert_eq!(paths, [Some("z"), Some("b"), Some("a")], "{}", run.show());
    assert_eq!(places[0]["commit"].as_str(), Some(first.trim()));
}

#[test]
fn a_message_is_named_by_what_it_belongs_to() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(75);
    repo.stage("a", "a\n");
    let commit = repo.commit(&format!("subject\n\n{}", pair(&mut keys).2));
    let message = format!("release\n\n{}", pair(&mut keys).2);
    repo.git(&["tag", "--annotate", "v1", "--message", &message]);
    let tag = repo.git(&["rev-parse", "v1"]);
    let run = repo.keysieve(&["history"]).status(1);
    for place in [
        format!("--> commit {}:", &commit.trim()[..12]),
        format!("--> tag {}:", &tag.trim()[..12]),
    ] {
        assert!(run.out().contains(&place), "no {place} in {}", run.show());
    }
}

#[test]
fn staged_under_the_framework_takes_its_range() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(76);
    let (before, _, old) = pair(&mut keys);
    repo.commit_file("old", &old, "first");
    let (id, _, new) = pair(&mut keys);
    repo.commit_file("new", &new, "second");
    for command in [&["staged"][..], &["hook", "run", "pre-commit"]] {
        let run = repo
            .keysieve(command)
            .env("PRE_COMMIT", "1")
            .env("PRE_COMMIT_FROM_REF", "HEAD~1")
            .env("PRE_COMMIT_TO_REF", "HEAD")
            .status(1);
        let said = format!("{}{}", run.out(), run.err());
        assert!(
            said.contains(&id) && !said.contains(&before),
            "{}",
            run.show()
        );
    }
    let run = repo
        .keysieve(&["staged"])
        .env("PRE_COMMIT", "1")
        .env("PRE_COMMIT_FROM_REF", "nowhere")
        .status(2);
    assert!(run.err().contains("nowhere"), "{}", run.show());
}

#[test]
fn a_password_in_the_url_of_a_remote_is_reported_whoever_issued_it() {
    let repo = TestRepo::new();
    let password = Keys::new(77).text(b"abcdefghkmnpqrstuvwxyz23456789", 18);
    let url = format!("https://deploy:{password}@git.example.net/a/b.git");
    repo.git(&["remote", "add", "origin", &url]);
    let run = repo.keysieve(&["scan", "--format=json"]).status(1);
    let finding = &run.json()["findings"][0];
    assert_eq!(finding["rule"], "git-remote-password", "{}", run.show());
    assert_eq!(finding["places"][0]["path"], ".git/config");
    assert!(!run.out().contains(&password), "{}", run.show());
    let plain = "https://deploy@git.example.net/a/b.git";
    repo.git(&["remote", "set-url", "origin", plain]);
    repo.keysieve(&["scan"]).status(0);
}

#[test]
fn a_hook_that_did_not_run_is_not_said_to() {
    let repo = TestRepo::new();
    repo.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 3\n");
    let run = repo.keysieve(&["hook", "install"]).status(0);
    assert!(run.out().contains("is not executable"), "{}", run.show());
    repo.stage("a", "a\n");
    repo.commit("first");
    repo.keysieve(&["hook", "uninstall"]).status(0);
    let kept = fs::read(repo.join(".git/hooks/pre-commit")).expect("the hook");
    assert_eq!(kept, b"#!/bin/sh\nexit 3\n");
}
