//! Words and effects of the hooks when they stop something, and when they are to be skipped once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{TestCommand, TestRepo, pair, shows_part_of};

/// `git` with hooks that run the real program; ends with `status`.
#[track_caller]
fn git(repo: &TestRepo, args: &[&str], status: i32) -> String {
    let run = repo.git_command().args(args).status(status);
    format!("{}{}", run.out(), run.err())
}

fn write_script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, text).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// An empty bare repository, known as `name`.
fn server(repo: &TestRepo, name: &str) -> tempfile::TempDir {
    let server = tempfile::tempdir().expect("a directory");
    let path = server.path().to_string_lossy().into_owned();
    repo.git(&["init", "--quiet", "--bare", &path]);
    repo.git(&["remote", "add", name, &path]);
    server
}

fn on_server(server: &tempfile::TempDir, args: &[&str]) {
    TestCommand::new("git", server.path()).args(args).status(0);
}

fn install_at(server: &tempfile::TempDir) {
    TestCommand::keysieve(server.path())
        .args(["hook", "install", "--pre-receive"])
        .status(0);
}

#[test]
fn f05_a_first_push_says_which_configuration_counts_and_how_to_change_that() {
    let repo = TestRepo::new();
    repo.commit_file("old.env", pair(1), "old");
    repo.keysieve(&["baseline", "write", "--reason", "rotated"])
        .status(0);
    repo.git(&["add", ".keysieve-baseline"]);
    repo.commit("baseline");
    repo.keysieve(&["hook", "install", "--pre-push"]).status(0);
    let _mirror = server(&repo, "mirror");
    let said = git(&repo, &["push", "mirror", "main"], 1);
    assert!(
        said.contains(".keysieve-baseline of what is pushed did not count"),
        "{said}"
    );
    assert!(
        said.contains("git -c keysieve.configFrom=head push"),
        "{said}"
    );
    git(
        &repo,
        &["-c", "keysieve.configFrom=head", "push", "mirror", "main"],
        0,
    );
    // What the baseline does not accept is stopped all the same.
    repo.commit_file("new.env", pair(2), "new");
    let said = git(
        &repo,
        &["-c", "keysieve.configFrom=head", "push", "mirror", "main"],
        1,
    );
    assert!(
        said.contains("new.env") && !said.contains("old.env"),
        "{said}"
    );
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);

    // The same to an empty server, whose owner decides.
    repo.keysieve(&["hook", "uninstall"]).status(0);
    let place = server(&repo, "origin");
    install_at(&place);
    let said = git(
        &repo,
        &["-c", "keysieve.configFrom=head", "push", "origin", "main"],
        1,
    );
    assert!(
        said.contains("git config keysieve.configFrom head"),
        "{said}"
    );
    on_server(&place, &["config", "keysieve.configFrom", "head"]);
    git(&repo, &["push", "origin", "main"], 0);
    on_server(&place, &["config", "--unset", "keysieve.configFrom"]);
    repo.stage(".keysieve.toml", "exclude = ['*.env']\n");
    repo.stage("more.env", pair(3));
    repo.commit("disarmed");
    let said = git(&repo, &["push", "origin", "main"], 1);
    assert!(
        said.contains(".keysieve.toml of what is pushed did not count: those of "),
        "{said}"
    );
}

/// Runs the commands of a hint, as a person would who copies them.
fn follow(repo: &TestRepo, said: &str, hint: &str) {
    let (_, rest) = said
        .split_once(hint)
        .unwrap_or_else(|| panic!("no {hint:?} in {said}"));
    let commands: Vec<&str> = rest
        .lines()
        .skip(1)
        .map_while(|line| line.strip_prefix("      "))
        .collect();
    assert!(commands.len() > 1, "{said}");
    for command in commands {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        git(repo, &words, 0);
    }
}

#[test]
fn what_is_advised_after_a_push_was_stopped_makes_it_pass() {
    for is_root in [true, false] {
        let repo = TestRepo::new();
        let _server = server(&repo, "origin");
        if !is_root {
            repo.commit_file("a.txt", "a\n", "first");
            repo.git(&["push", "--quiet", "origin", "main"]);
        }
        repo.keysieve(&["hook", "install", "--pre-commit", "--pre-push"])
            .status(0);
        let added = repo.commit_file("b.env", pair(4), "a secret");
        repo.commit_file("c.txt", "c\n", "later");
        let said = git(&repo, &["push", "origin", "main"], 1);
        assert!(
            said.contains(&format!("git commit --fixup={} -- b.env", &added[..12])),
            "{said}"
        );
        let marker = "keysieve:allow aws-access-key-pair REASON";
        assert!(said.contains(marker), "{said}");
        repo.write("b.env", "from the environment\n");
        follow(&repo, &said, "hint: take the secret out, then fold");
        assert_eq!(repo.git(&["log", "-1", "--format=%s"]), "later");
        git(&repo, &["push", "origin", "main"], 0);
    }
}

#[test]
fn a_secret_that_is_gone_from_head_or_in_a_message_is_taken_out_by_hand() {
    let repo = TestRepo::new();
    let _server = server(&repo, "origin");
    repo.commit_file("a.txt", "a\n", "first");
    repo.git(&["push", "--quiet", "origin", "main"]);
    repo.keysieve(&["hook", "install", "--pre-push"]).status(0);
    let added = repo.commit_file("b.env", pair(5), "a secret");
    repo.git(&["rm", "--quiet", "b.env"]);
    repo.commit("taken out");
    let said = git(&repo, &["push", "origin", "main"], 1);
    assert!(said.contains("put edit before them"), "{said}");
    let rebase = format!("git rebase --interactive {}^", &added[..12]);
    assert!(said.contains(&rebase), "{said}");
    repo.git(&["reset", "--quiet", "--hard", "origin/main"]);
    repo.commit(&format!("subject\n\n{}", pair(6)));
    let said = git(&repo, &["push", "origin", "main"], 1);
    assert!(said.contains("put reword before them"), "{said}");
    assert!(!said.contains("write on its line"), "{said}");
    repo.git(&["reset", "--quiet", "--hard", "origin/main"]);
    repo.git(&["tag", "--annotate", "-m", &pair(7), "v1"]);
    let said = git(&repo, &["push", "origin", "v1"], 1);
    assert!(said.contains("make the tag again"), "{said}");
}

#[test]
fn f10_settings_that_a_checkout_leaves_out_come_from_the_commit() {
    let repo = TestRepo::new();
    repo.stage(".keysieve.toml", "exclude = ['fixtures/']\n");
    repo.stage("fixtures/a.env", pair(8));
    repo.stage("app/b.txt", "b\n");
    repo.commit("base");
    repo.keysieve(&["history"]).status(0);
    let place = tempfile::tempdir().expect("a directory");
    let clone = place.path().join("clone");
    let clone_text = clone.to_string_lossy().into_owned();
    let source = repo.path().to_string_lossy().into_owned();
    repo.git(&["clone", "--quiet", "--no-checkout", &source, &clone_text]);
    let history = || TestCommand::keysieve(&clone).arg("history").status(0).out();
    let head = &repo.git(&["rev-parse", "HEAD"])[..12];
    assert!(history().contains(&format!(".keysieve.toml ({head})")));
    let git = |args: &[&str]| TestCommand::new("git", &clone).args(args).status(0);
    git(&["sparse-checkout", "set", "--no-cone", "/app/"]);
    git(&["checkout", "--quiet", "main"]);
    assert!(!clone.join(".keysieve.toml").exists());
    history();
    TestCommand::keysieve(&clone)
        .args(["config", "show"])
        .status(0);
    // What somebody has removed from a whole checkout is removed.
    git(&["sparse-checkout", "disable"]);
    history();
    fs::remove_file(clone.join(".keysieve.toml")).expect("removed");
    TestCommand::keysieve(&clone).arg("history").status(1);
}

#[test]
fn f12_a_baseline_that_is_not_staged_is_named_and_what_is_only_staged_can_be_accepted() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "first");
    repo.keysieve(&["hook", "install"]).status(0);
    repo.stage("b.env", pair(9));
    let said = git(&repo, &["commit", "-m", "x"], 1);
    assert!(said.contains("keysieve baseline update --staged"), "{said}");
    repo.keysieve(&["baseline", "update", "--reason", "fixture"])
        .status(0);
    let said = git(&repo, &["commit", "-m", "x"], 1);
    assert!(said.contains("it is not staged"), "{said}");
    assert!(said.contains("git add .keysieve-baseline"), "{said}");
    repo.git(&["add", ".keysieve-baseline"]);
    git(&repo, &["commit", "-m", "x"], 0);
    // Staged, and gone from the disk.
    repo.stage("c.env", pair(10));
    fs::remove_file(repo.join("c.env")).expect("removed");
    let said = repo
        .keysieve(&["baseline", "update", "--reason", "fixture"])
        .status(0)
        .out();
    assert!(said.contains("0 added"), "{said}");
    let update = ["baseline", "update", "--staged", "--reason", "fixture"];
    let said = repo.keysieve(&update).status(0).out();
    assert!(said.contains("1 added"), "{said}");
    repo.git(&["add", ".keysieve-baseline"]);
    git(&repo, &["commit", "-m", "y"], 0);
}

#[test]
fn f13_submodules_that_are_not_looked_at_are_named() {
    let module = TestRepo::new();
    module.commit_file("m.txt", "m\n", "module");
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "base");
    let source = module.path().to_string_lossy().into_owned();
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &source,
        "libs/m",
    ]);
    repo.commit("a submodule");
    let place = tempfile::tempdir().expect("a directory");
    let from = repo.path().to_string_lossy().into_owned();
    for bare in [false, true] {
        let clone = place.path().join(format!("clone-{bare}"));
        let to = clone.to_string_lossy().into_owned();
        let mut args = vec!["clone", "--quiet", &from, &to];
        args.extend(bare.then_some("--bare"));
        repo.git(&args);
        let run = |args: &[&str]| TestCommand::keysieve(&clone).args(args).status(0);
        let names = |args: &[&str]| {
            let run = run(args);
            assert!(run.out().contains("1 submodule"), "{}", run.show());
            assert!(run.out().contains("libs/m is "), "{}", run.show());
        };
        names(&["history"]);
        names(&["history", "--range", "HEAD~1..HEAD"]);
        if !bare {
            names(&["scan"]);
            names(&["staged", "--all-files"]);
            let run = run(&["scan", "a.txt"]);
            assert!(!run.out().contains("submodule"), "{}", run.show());
        }
        let json = run(&["history", "--format", "json"]).json();
        assert_eq!(json["coverage"]["complete"], true);
    }
    // One that is here is scanned, and not named.
    let run = repo.keysieve(&["scan"]).status(0);
    assert!(!run.out().contains("1 submodule"), "{}", run.show());
}

#[test]
fn f13_submodules_that_only_older_commits_have_are_named() {
    let module = TestRepo::new();
    module.commit_file("m.txt", "m\n", "module");
    let source = module.path().to_string_lossy().into_owned();
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "base");
    let add = |path: &str| {
        let file = "protocol.file.allow=always";
        repo.git(&["-c", file, "submodule", "--quiet", "add", &source, path]);
        repo.commit("a submodule");
    };
    add("libs/one");
    add("libs/two");
    repo.git(&["mv", "libs/two", "libs/three"]);
    repo.commit("moved");
    repo.git(&["rm", "--quiet", "libs/one"]);
    repo.commit("removed");
    let cache = tempfile::tempdir().expect("a directory");
    let cache = cache.path().join("cache").to_string_lossy().into_owned();
    // Loose, and in a pack, where versions are deltas.
    for _ in 0..2 {
        for args in [
            &["history"][..],
            &["history", "--reachable"],
            &["history", "--cache", &cache],
            &["history", "--cache", &cache],
            &["history", "--range", "HEAD~4..HEAD"],
        ] {
            let json = [args, &["--format", "json"]].concat();
            let coverage = repo.keysieve(&json).status(0).json()["coverage"].take();
            let skips = coverage["skips"].as_array().expect("skips");
            let named: Vec<&str> = skips
                .iter()
                .filter(|skip| skip["reason"] == "submodule")
                .filter_map(|skip| skip["subject"].as_str())
                .collect();
            assert_eq!(named, ["libs/one", "libs/three", "libs/two"], "{args:?}");
            assert_eq!(coverage["complete"], true);
        }
        let said = repo.keysieve(&["history"]).status(0).out();
        assert!(said.contains("`keysieve history libs/three`"), "{said}");
        assert!(said.contains("other commits than HEAD have"), "{said}");
        repo.git(&["gc", "--quiet", "--prune=now"]);
    }
    // A file that only looks like it names none.
    let repo = TestRepo::new();
    repo.commit_file(
        "a.txt",
        "[submodule \"a\"]\npath = a\n[core]\nx = 1\n",
        "base",
    );
    let said = repo.keysieve(&["history"]).status(0).out();
    assert!(!said.contains("submodule"), "{said}");
}

#[test]
fn f15_what_windows_wrote_is_imported() {
    let wide = |text: &str, unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    };
    let text = pair(11);
    let secret = text.trim().rsplit('=').next().expect("a secret");
    let hash = sha1(secret);
    let baseline = format!(
        "{{\"version\": \"1.5.0\", \"results\": {{\"conf\\\\a.env\": [{{\"type\": \"AWS\", \"hashed_secret\": \"{hash}\", \
         \"line_number\": 2}}]}}}}\r\n"
    );
    let ignore = "conf\\a.env:aws-access-token:2\r\n";
    let report = "[{\"RuleID\": \"x\", \"File\": \"conf\\\\a.env\", \"StartLine\": 2, \"EndLine\": 2, \"Secret\": \"REDACTED\", \"Commit\": \"\"}]";
    let with_mark = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let le = |text: &str| [b"\xff\xfe".to_vec(), wide(text, u16::to_le_bytes)].concat();
    let be = |text: &str| [b"\xfe\xff".to_vec(), wide(text, u16::to_be_bytes)].concat();
    for text_of in [&baseline, ignore, report] {
        for bytes in [
            text_of.as_bytes().to_vec(),
            with_mark(text_of),
            le(text_of),
            be(text_of),
        ] {
            let repo = TestRepo::new();
            repo.commit_file("conf/a.env", &text, "base");
            repo.write("old", &bytes);
            let run = repo.keysieve(&["baseline", "import", "old"]).status(0);
            assert!(run.out().contains("1 new entry"), "{}", run.show());
            repo.keysieve(&["scan", "conf"]).status(0);
        }
    }
    let repo = TestRepo::new();
    repo.write("old", b"\xff\xfea");
    let run = repo.keysieve(&["baseline", "import", "old"]).status(2);
    assert!(
        run.err().contains("neither UTF-8 nor UTF-16"),
        "{}",
        run.show()
    );
}

/// The hash that detect-secrets keeps of a secret.
fn sha1(text: &str) -> String {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(text.as_bytes());
    hasher.try_finalize().expect("a hash").to_string()
}

#[test]
fn hooks_are_passed_by_once_with_a_reason_and_say_so() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "first");
    let _server = server(&repo, "origin");
    let kinds = ["--pre-commit", "--commit-msg", "--pre-push"];
    repo.keysieve(&[&["hook", "install"][..], &kinds].concat())
        .status(0);
    repo.stage("b.env", pair(12));
    let message = format!("subject\n\n{}", pair(13));
    let run = repo
        .git_command()
        .env("KEYSIEVE_SKIP", "a fixture, ticket 7")
        .args(["commit", "-m", &message])
        .status(0);
    let said = run.err();
    assert!(
        said.contains(
            "does not check this commit (pre-commit), as KEYSIEVE_SKIP says: a fixture, ticket 7"
        ),
        "{said}"
    );
    assert!(said.contains("(commit-msg)"), "{said}");
    repo.stage("c.env", pair(14));
    let said = git(
        &repo,
        &["-c", "keysieve.skip=it's \"fine\"!", "commit", "-m", "x"],
        0,
    );
    assert!(
        said.contains("as git -c keysieve.skip says: it's \"fine\"!"),
        "{said}"
    );
    let said = git(
        &repo,
        &["-c", "keysieve.skip=known", "push", "origin", "main"],
        0,
    );
    assert!(
        said.contains("does not check this push (pre-push)"),
        "{said}"
    );
    // Without a reason nothing is skipped, and not with an empty variable either.
    repo.stage("d.env", pair(15));
    let said = git(&repo, &["-c", "keysieve.skip=", "commit", "-m", "x"], 1);
    assert!(said.contains("gives no reason"), "{said}");
    let commit = || repo.git_command().args(["commit", "-m", "x"]);
    commit().env("KEYSIEVE_SKIP", " ").status(1);
    let run = commit().env("KEYSIEVE_SKIP", "").status(1);
    assert!(
        run.err().contains("keysieve stopped this commit"),
        "{}",
        run.show()
    );
    // A file would skip for ever.
    repo.git(&["config", "keysieve.skip", "for ever"]);
    let said = git(&repo, &["commit", "-m", "x"], 1);
    assert!(
        said.contains("keysieve.skip in") && said.contains("is ignored"),
        "{said}"
    );
    assert!(said.contains("keysieve stopped this commit"), "{said}");
}

#[test]
fn a_server_lets_a_push_pass_unchecked_only_if_its_owner_allows_it_and_logs_that() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "first");
    let place = server(&repo, "origin");
    install_at(&place);
    on_server(&place, &["config", "receive.advertisePushOptions", "true"]);
    let text = pair(16);
    let id = repo.commit_file("b.env", &text, "b");
    let secret = text.trim().rsplit('=').next().expect("a secret");
    let option = format!("keysieve.skip=import of 2019 {}", text.replace('\n', " "));
    let push = |option: &str, status| git(&repo, &["push", "-o", option, "origin", "main"], status);
    let said = push(&option, 1);
    assert!(
        said.contains("this server does not allow to skip keysieve"),
        "{said}"
    );
    let log = place.path().join("keysieve-skipped.log");
    assert!(!log.exists());
    on_server(&place, &["config", "keysieve.allowSkip", "true"]);
    let said = push("keysieve.skip=", 1);
    assert!(said.contains("gives no reason"), "{said}");
    push("keysieve.skipper=x", 1);
    // What the pusher's own environment says is not the server's business.
    let run = repo
        .git_command()
        .env("KEYSIEVE_SKIP", "x")
        .args(["push", "origin", "main"])
        .status(1);
    assert!(
        run.err().contains("keysieve refused this push"),
        "{}",
        run.show()
    );
    let said = push(&option, 0);
    assert!(said.contains("this is logged"), "{said}");
    let logged = fs::read_to_string(&log).expect("a log");
    let line: serde_json::Value = serde_json::from_str(logged.trim()).expect("one line of JSON");
    assert_eq!(
        (line["ref"].as_str(), line["new"].as_str()),
        (Some("refs/heads/main"), Some(id.as_str()))
    );
    assert!(
        line["reason"]
            .as_str()
            .expect("a reason")
            .starts_with("import of 2019"),
        "{logged}"
    );
    assert!(
        line["time"].is_number() && line["old"].is_null(),
        "{logged}"
    );
    assert!(!shows_part_of(secret, &logged), "{logged}");
}

#[test]
fn a_time_limit_refuses_or_lets_pass_and_says_what_was_not_looked_at() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "first");
    let place = server(&repo, "origin");
    repo.git(&["push", "--quiet", "origin", "main"]);
    install_at(&place);
    for number in 0..400 {
        let lines: String = (0..400)
            .map(|line| format!("AKIA is no key {number} {line}\n"))
            .collect();
        repo.write(format!("d/{number}.txt"), lines);
    }
    repo.git(&["add", "."]);
    repo.commit("much");
    let push = |status| git(&repo, &["push", "origin", "HEAD:refs/heads/other"], status);
    on_server(&place, &["config", "keysieve.timeLimit", "soon"]);
    let said = push(1);
    assert!(
        said.contains("keysieve.timeLimit in") && said.contains("4s"),
        "{said}"
    );
    on_server(&place, &["config", "keysieve.timeLimit", "1ms"]);
    let said = push(1);
    assert!(said.contains("deadline"), "{said}");
    // Git puts the lines of a server after a word of its own.
    let words = said.replace("remote:", " ");
    let words: Vec<&str> = words.split_whitespace().collect();
    assert!(words.join(" ").contains("objects were looked at"), "{said}");
    assert!(
        said.contains("keysieve refused this push") && said.contains("--on-timeout"),
        "{said}"
    );
    assert!(!said.contains("ended by a signal"), "{said}");
    on_server(&place, &["config", "keysieve.onTimeout", "pass"]);
    let said = push(0);
    assert!(
        said.contains("let this push pass without all of it"),
        "{said}"
    );
    // With time enough all is looked at, and nothing is said.
    on_server(&place, &["config", "keysieve.timeLimit", "5m"]);
    repo.commit_file("b.env", pair(17), "b");
    let said = push(1);
    assert!(
        said.contains("b.env") && !said.contains("deadline"),
        "{said}"
    );
}

#[test]
fn hooks_of_a_commit_are_not_installed_where_nobody_commits() {
    let place = tempfile::tempdir().expect("a directory");
    let git = |args: &[&str]| TestCommand::new("git", place.path()).args(args).status(0);
    git(&["init", "--quiet", "--bare"]);
    let run = TestCommand::keysieve(place.path())
        .args(["hook", "install"])
        .status(2);
    assert!(
        run.err().contains("no work tree") && run.err().contains("--pre-receive"),
        "{}",
        run.show()
    );
    assert!(!place.path().join("hooks/pre-commit").exists());
    // Somebody commits in a work tree that is linked to it.
    let tree = tempfile::tempdir().expect("a directory");
    let tree = tree.path().join("tree").to_string_lossy().into_owned();
    let empty = git(&["hash-object", "-t", "tree", "-w", "/dev/null"]).out();
    let id = git(&[
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b",
        "commit-tree",
        "-m",
        "x",
        empty.trim(),
    ])
    .out();
    git(&["worktree", "add", "--quiet", &tree, id.trim()]);
    TestCommand::keysieve(place.path())
        .args(["hook", "install"])
        .status(0);
}

#[test]
fn a_hook_that_was_there_before_keeps_its_name_and_its_neighbours() {
    let repo = TestRepo::new();
    let hooks = repo.join(".git/hooks");
    let note = repo.join(".git/note");
    write_script(
        &hooks.join("pre-commit"),
        "#!/bin/sh\n. \"$(dirname \"$0\")/common\"\nnoted \"$(basename \"$0\")\"\n",
    );
    write_script(
        &hooks.join("common"),
        &format!("noted() {{ echo \"$1\" >> '{}'; }}\n", note.display()),
    );
    repo.keysieve(&["hook", "install"]).status(0);
    git(&repo, &["commit", "--allow-empty", "-m", "x"], 0);
    assert_eq!(fs::read_to_string(&note).expect("a note"), "pre-commit\n");
    // Where the links are gone, it runs all the same.
    fs::remove_dir_all(hooks.join("before-keysieve")).expect("removed");
    write_script(
        &hooks.join("pre-commit.before-keysieve"),
        &format!("#!/bin/sh\necho plain >> '{}'\n", note.display()),
    );
    git(&repo, &["commit", "--allow-empty", "-m", "x"], 0);
    assert_eq!(
        fs::read_to_string(&note).expect("a note"),
        "pre-commit\nplain\n"
    );
    repo.keysieve(&["hook", "install"]).status(0);
    assert!(hooks.join("before-keysieve/pre-commit").exists());
    repo.keysieve(&["hook", "uninstall"]).status(0);
    assert!(!hooks.join("before-keysieve").exists());
    assert!(hooks.join("pre-commit").exists() && hooks.join("common").exists());
}

#[test]
fn f01_what_another_hook_stages_or_writes_is_looked_at_as_well() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "first");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit_file("side.txt", "side\n", "side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("main.txt", "main\n", "main");
    let secret = repo.join(".git/secret");
    fs::write(&secret, pair(18)).expect("a file");
    let add = format!(
        "#!/bin/sh\ncp '{0}' formatted.env\ngit add formatted.env\n",
        secret.display()
    );
    let append = format!("#!/bin/sh\ncat '{0}' >> \"$1\"\n", secret.display());
    let hooks = repo.join(".git/hooks");
    for (kind, text) in [
        ("pre-commit", &add),
        ("pre-merge-commit", &add),
        ("commit-msg", &append),
    ] {
        write_script(&hooks.join(kind), text);
        repo.keysieve(&["hook", "install", &format!("--{kind}")])
            .status(0);
        let args: &[&str] = match kind {
            "pre-merge-commit" => &["merge", "side", "-m", "merged"],
            _ => &["commit", "--allow-empty", "-m", "x"],
        };
        let said = git(&repo, args, 1);
        assert!(
            said.contains("keysieve stopped this commit"),
            "{kind}: {said}"
        );
        repo.keysieve(&["hook", "uninstall"]).status(0);
        fs::remove_file(hooks.join(kind)).expect("removed");
        repo.git(&["reset", "--quiet", "--hard"]);
    }
}

#[test]
fn f07_a_merge_without_conflicts_answers_for_what_neither_side_has() {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "first");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit_file("side.txt", "side\n", "side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("old.env", pair(19), "old");
    repo.git(&["checkout", "--quiet", "side"]);
    repo.keysieve(&["hook", "install", "--pre-merge-commit"])
        .status(0);
    git(&repo, &["merge", "main", "-m", "merged"], 0);
}

#[test]
fn an_incomplete_scan_names_its_cure_and_the_cure_works() {
    let repo = TestRepo::new();
    for number in 0..3 {
        repo.commit_file("a.txt", format!("{number}\n"), "more");
    }
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let place = tempfile::tempdir().expect("a directory");
    let from = format!("file://{}", repo.path().display());
    for (name, option, reason, cure) in [
        ("shallow", "--depth=1", "shallow", "git fetch --unshallow"),
        (
            "partial",
            "--filter=blob:none",
            "partial",
            "git fetch --refetch --no-filter",
        ),
    ] {
        let clone: PathBuf = place.path().join(name);
        let to = clone.to_string_lossy().into_owned();
        repo.git(&["clone", "--quiet", "--no-checkout", option, &from, &to]);
        let history = |args: &[&str], status| {
            let command = TestCommand::keysieve(&clone).arg("history").args(args);
            command.status(status)
        };
        let said = history(&[], 2).err();
        assert!(
            said.contains(&format!("hint: {reason}: ")) && said.contains(cure),
            "{said}"
        );
        assert!(
            said.contains(&format!("--allow-incomplete {reason}")),
            "{said}"
        );
        let said = history(&["--format", "json"], 2).err();
        assert!(said.contains(cure), "{said}");
        history(&["--allow-incomplete", reason], 0);
        let words: Vec<&str> = cure.split(' ').skip(1).collect();
        TestCommand::new("git", &clone).args(words).status(0);
        let run = history(&[], 0);
        assert_eq!(run.err(), "", "{}", run.show());
    }
}
