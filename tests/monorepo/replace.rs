//! `history --replace-text`: the list that `git filter-repo` takes. That program itself is run by `.ci/others`.

use std::path::PathBuf;

use crate::support::keys::pem;
use crate::support::{Keys, TestRepo, base64, pair};

/// A repository, and a directory outside of it.
fn world() -> (TestRepo, tempfile::TempDir, PathBuf) {
    let outside = tempfile::tempdir().expect("a directory");
    let list = outside.path().join("list");
    (TestRepo::new(), outside, list)
}

#[test]
fn values_are_listed_as_they_stand_there_the_longest_first() {
    let (repo, _outside, list) = world();
    let mut keys = Keys::new(1);
    let (id, secret, token) = (keys.temporary_id(), keys.secret(), keys.token(300));
    let session = format!(
        "aws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
    );
    repo.commit_file("session", &session, "a session");
    let encoded = base64(pair(2).as_bytes());
    repo.commit_file(
        "encoded.yaml",
        format!("credentials: {encoded}\n"),
        "encoded",
    );
    repo.commit_file(
        "accepted.env",
        pair(3).replace('\n', " # keysieve:allow * rotated\n"),
        "accepted",
    );
    repo.commit_file(
        "id.env",
        format!("AWS_ACCESS_KEY_ID={}\n", keys.id()),
        "an id",
    );
    let text = list.to_str().expect("text");
    let run = repo
        .keysieve(&["history", "--replace-text", text])
        .status(1);
    let said = run.err();
    assert!(said.contains("3 values in plain text"), "{}", run.show());
    let written = std::fs::read_to_string(&list).expect("the list");
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[0], format!("literal:{token}==>***REMOVED***"));
    assert!(lines.contains(&format!("literal:{secret}==>***REMOVED***").as_str()));
    let part = lines.iter().find_map(|line| {
        let value = line
            .strip_prefix("literal:")?
            .strip_suffix("==>***REMOVED***")?;
        (encoded.contains(value) && value.len() > 40).then_some(value)
    });
    assert!(part.is_some(), "{lines:?}");
    assert!(!written.contains(&id));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&list)
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    // Nothing of it is on the screen.
    for value in [&secret, &token] {
        assert!(!run.out().contains(value.as_str()) && !said.contains(value.as_str()));
    }
    // It is not written a second time, and what is there stays.
    let run = repo
        .keysieve(&["history", "--replace-text", text])
        .status(2);
    assert!(run.err().contains("is there already"), "{}", run.show());
    assert_eq!(std::fs::read_to_string(&list).expect("the list"), written);
}

#[test]
fn a_value_of_several_lines_is_a_regex() {
    let (repo, _outside, list) = world();
    let mut keys = Keys::new(1);
    let key = pem(&mut keys);
    repo.commit_file("key.pem", &key, "a key");
    let text = list.to_str().expect("text");
    repo.keysieve(&["history", "--replace-text", text])
        .status(1);
    let written = std::fs::read_to_string(&list).expect("the list");
    assert_eq!(written.lines().count(), 1, "{written}");
    assert!(written.starts_with("regex:\\x"), "{written}");
    assert!(written.contains("\\x0a"), "{written}");
}

#[test]
fn what_a_rewrite_does_not_reach_is_named() {
    let (repo, _outside, list) = world();
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(pair(1).encode_utf16().flat_map(u16::to_le_bytes));
    repo.commit_file("utf16.env", utf16, "two bytes a letter");
    repo.commit(&format!("a message\n\n{}", pair(2)));
    let text = list.to_str().expect("text");
    let run = repo
        .keysieve(&["history", "--replace-text", text])
        .status(1);
    for part in ["binary files alone", "utf16.env:2", "--replace-message"] {
        assert!(run.err().contains(part), "{part}\n{}", run.show());
    }
}

#[test]
fn a_list_is_written_only_where_nobody_commits_it() {
    let (repo, outside, list) = world();
    repo.commit_file("x.env", pair(1), "one");
    repo.git(&["init", "--quiet", "--bare", "bare.git"]);
    repo.write("sub/x", "");
    for inside in ["list", "sub/list", ".git/list", ".git/objects/list"] {
        let run = repo
            .keysieve(&["history", "--replace-text", inside])
            .status(2);
        assert!(run.err().contains("outside"), "{}", run.show());
        assert!(!repo.join(inside).exists());
    }
    let none = outside.path().join("none/list");
    let none = none.to_str().expect("text");
    repo.keysieve(&["history", "--replace-text", none])
        .status(2);
    for more in [
        &["--range", "HEAD"][..],
        &["--since", "1d"],
        &["--branch", "main"],
        &["--recurse-submodules"],
    ] {
        let text = list.to_str().expect("text");
        repo.keysieve(&["history", "--replace-text", text])
            .args(more)
            .status(2);
    }
    assert!(!list.exists());
    let clean = TestRepo::new();
    clean.commit_file("a", "nothing\n", "one");
    let text = list.to_str().expect("text");
    let run = clean
        .keysieve(&["history", "--replace-text", text])
        .status(0);
    assert!(run.err().contains("no value to replace"), "{}", run.show());
    assert!(!list.exists());
}

/// Not in any repository, one that shares its objects with the one that is scanned least of all.
#[test]
fn a_list_is_not_written_into_another_work_tree() {
    let (repo, outside, _) = world();
    repo.commit_file("x.env", pair(1), "one");
    let linked = outside.path().join("linked");
    let at = linked.to_str().expect("text");
    repo.git(&["worktree", "add", "--quiet", "--detach", at]);
    std::fs::create_dir(linked.join("sub")).expect("a folder");
    for file in ["list", "sub/list"] {
        let file = linked.join(file);
        let text = file.to_str().expect("text");
        let run = repo
            .keysieve(&["history", "--replace-text", text])
            .status(2);
        assert!(run.err().contains("outside"), "{}", run.show());
        assert!(!file.exists());
    }
}
