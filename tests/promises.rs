//! Promises of the answer and the hook: expectations A and C, each row through the real program on real repositories.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::coverage::{Pair, found, history, pairs, staged};
use crate::support::command::{self, Run};
use crate::support::trace::{assert_starts_nothing, traced, writes};
use crate::support::{TestCommand, TestRepo, shows_part_of};

/// A repository with something clean in it and a pair that is staged.
fn repo_with_staged(pair: &Pair) -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_file("clean.txt", "clean\n", "base");
    repo.stage("config/prod.ini", pair.text());
    repo
}

fn loose_path(repo: &TestRepo, id: &str) -> PathBuf {
    repo.join(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

#[track_caller]
fn assert_incomplete(run: &Run, named: &str) {
    assert_eq!(run.status, 2, "{}", run.show());
    let said = format!("{}{}", run.out(), run.err());
    assert!(said.contains(named), "{named}: {}", run.show());
}

#[test]
fn a1_a_failure_to_read_is_never_clean() {
    let [pair, other] = pairs(201);
    let repo = repo_with_staged(&pair);
    repo.stage("broken.ini", other.text());
    // A broken object: what is beside it is reported, and it is named.
    let blob = repo.git(&["rev-parse", ":broken.ini"]);
    let path = loose_path(&repo, &blob);
    let good = std::fs::read(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    for damage in ["cut", "gone"] {
        match damage {
            "cut" => std::fs::write(&path, &good[..good.len() / 2]).unwrap(),
            _ => std::fs::remove_file(&path).unwrap(),
        }
        let run = repo.keysieve(&["staged"]).run();
        assert_incomplete(&run, "broken.ini");
        assert!(run.out().contains("incomplete"), "{}", run.show());
        assert!(run.out().contains(&pair.id), "{}", run.show());
        let json = staged(repo.path(), &[]);
        assert_incomplete(&json, "broken.ini");
        assert_eq!(json.json()["coverage"]["complete"], false);
        // A hook that could not look does not let the commit through.
        repo.keysieve(&["hook", "run", "pre-commit"]).status(2);
    }
    std::fs::write(&path, &good).unwrap();
    repo.commit("both");
    std::fs::write(&path, &good[..good.len() / 2]).unwrap();
    for args in [&[][..], &["--range", "HEAD~1.."], &["--reachable"]] {
        assert_incomplete(&history(repo.path(), args), &blob);
    }
    // Revisions, paths and directories that are not there; no report on standard output that looks like one.
    for args in [
        &["history", "--range", "HEAD~9..HEAD"][..],
        &["history", "--range", "main..nope"],
        &["history", "--since-commit", "0123456789abcdef"],
        &["history", "--branch", "nope"],
        &["history", "nope"],
        &["history", "--range", "^main"],
    ] {
        let run = repo.keysieve(args).status(2);
        assert_eq!(run.out(), "", "{}", run.show());
        assert!(run.err().starts_with("error: "), "{}", run.show());
    }
    let outside = tempfile::tempdir().unwrap();
    for args in [
        &["staged"][..],
        &["history"],
        &["hook", "run", "pre-commit"],
    ] {
        let run = TestCommand::keysieve(outside.path()).args(args).status(2);
        assert!(run.err().contains("repository"), "{}", run.show());
    }
    let run = TestCommand::keysieve(outside.path())
        .args(["scan", "nope"])
        .status(2);
    assert_incomplete(&run, "nope");
}

#[test]
fn a1_a_file_that_may_not_be_read_is_never_clean() {
    let dir = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(dir.path(), 0o755);
    let closed = dir.path().join("closed.ini");
    std::fs::write(&closed, "anything\n").unwrap();
    mode(&closed, 0o000);
    let command = match std::fs::File::open(&closed) {
        Err(_) => TestCommand::keysieve(dir.path()),
        // Who may read everything looks as somebody else. The program itself must be in reach.
        Ok(_) => {
            let program = dir.path().join("program");
            std::fs::copy(env!("CARGO_BIN_EXE_keysieve"), &program).unwrap();
            mode(&program, 0o755);
            TestCommand::new("setpriv", dir.path())
                .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
                .arg(program)
        }
    };
    let run = command.args(["scan", "closed.ini"]).run();
    assert_incomplete(&run, "closed.ini");
}

#[test]
fn a1_a_run_that_is_interrupted_is_never_clean() {
    let dir = tempfile::tempdir().unwrap();
    for signal in ["INT", "TERM"] {
        // It waits for the end of standard input, which does not come.
        let mut child = Command::new(env!("CARGO_BIN_EXE_keysieve"))
            .args(["scan", "-"])
            .current_dir(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Held: it would be closed by waiting for the child.
        let mut stdin = child.stdin.take().unwrap();
        command::feed_until_read(&mut stdin);
        command::signal(&child, signal);
        let status = child.wait().unwrap();
        drop(stdin);
        let mut err = String::new();
        let mut stream = child.stderr.take().unwrap();
        stream.read_to_string(&mut err).unwrap();
        assert_eq!(status.code(), Some(2), "{signal}: {err}");
        assert!(err.contains("interrupted"), "{signal}: {err}");
    }
}

#[test]
fn a2_findings_and_failures_have_different_exit_statuses() {
    let [pair] = pairs(202);
    let repo = repo_with_staged(&pair);
    repo.keysieve(&["staged"]).status(1);
    repo.commit("key");
    repo.keysieve(&["history"]).status(1);
    repo.keysieve(&["history", "--range", "HEAD~1.."]).status(1);
    repo.keysieve(&["scan"]).status(1);
    repo.keysieve(&["staged"]).status(0);
    repo.keysieve(&["history", "--branch", "HEAD", "--since", "1d"])
        .status(0);
    repo.keysieve(&["history", "--fail-on", "never"]).status(0);
    // What is not complete wins, and the findings are there all the same.
    repo.commit_file("large.txt", "x".repeat(5000), "large");
    let run = repo
        .keysieve(&["history", "--max-object-size", "4K"])
        .status(2);
    assert!(run.out().contains(&pair.id), "{}", run.show());
    repo.keysieve(&["history", "--max-object-size", "4K"])
        .args(["--allow-incomplete", "size"])
        .status(1);
}

#[test]
fn a3_what_was_scanned_and_skipped_is_the_same_in_every_report() {
    let [pair] = pairs(203);
    let repo = repo_with_staged(&pair);
    repo.commit("key");
    repo.commit_file("large.txt", "x".repeat(5000), "large");
    repo.git(&["tag", "-a", "-m", "one", "v1"]);
    let outside = tempfile::tempdir().unwrap();
    let sarif = outside.path().join("report.sarif");
    let json = outside.path().join("report.json");
    let run = repo
        .keysieve(&["history", "--max-object-size", "4K"])
        .args([format!("--report=sarif={}", sarif.display())])
        .args([format!("--report=json={}", json.display())])
        .status(2);
    let read = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let json = read(&json)["coverage"].clone();
    let sarif = read(&sarif);
    let sarif = &sarif["runs"][0]["properties"]["coverage"];
    let text = run.out();
    for (name, count, words) in [
        ("blobs", 2, "2 blobs"),
        ("commits", 3, "3 commits"),
        ("tags", 1, "1 tag"),
    ] {
        assert_eq!(json[name], count, "{json}");
        assert_eq!(sarif[name], count, "{sarif}");
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(json["bytes"], sarif["bytes"]);
    assert_eq!(json["skipped"]["size"], 1);
    assert_eq!(sarif["skipped"]["size"], 1);
    assert!(text.contains("1 over the size limit"), "{text}");
    assert_eq!(
        (&json["complete"], &sarif["complete"]),
        (&false.into(), &false.into())
    );
}

#[test]
fn a4_nothing_scanned_is_said_and_not_passed_over() {
    let [pair] = pairs(204);
    let repo = TestRepo::new();
    let says = |run: Run, words: &str| {
        let said = format!("{}{}", run.out(), run.err());
        assert!(said.contains(words), "{}", run.show());
    };
    says(repo.keysieve(&["history"]).status(0), "nothing was scanned");
    repo.commit_file("a.txt", "a\n", "base");
    repo.commit_file("key.ini", pair.text(), "key");
    says(repo.keysieve(&["staged"]).status(0), "nothing is staged");
    says(staged(repo.path(), &[]), "nothing is staged");
    says(
        repo.keysieve(&["history", "--range", "HEAD..HEAD"])
            .status(0),
        "no commits",
    );
    says(
        history(repo.path(), &["--range", "HEAD..HEAD"]),
        "no commits",
    );
    // The framework's --all-files: nothing is staged, so every tracked file is looked at.
    let run = repo
        .keysieve(&["hook", "run", "pre-commit", "--format", "json"])
        .env("PRE_COMMIT", "1")
        .run();
    found(&run, &[&pair]);
    assert_eq!(run.json()["coverage"]["blobs"], 2, "{}", run.show());
    found(&staged(repo.path(), &["--all-files"]), &[&pair]);
    let empty = tempfile::tempdir().unwrap();
    let run = TestCommand::keysieve(empty.path()).arg("scan").status(0);
    says(run, "nothing was scanned");
}

#[test]
fn a5_shallow_and_partial_clones_are_named_with_what_is_missing() {
    let [old, new] = pairs(205);
    let origin = TestRepo::new();
    origin.commit_file("old.ini", old.text(), "old");
    origin.commit_file("old.ini", "clean\n", "clean");
    origin.commit_file("new.ini", new.text(), "new");
    origin.git(&["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", origin.path().display());
    let outside = tempfile::tempdir().unwrap();
    let clone = |name: &str, option: &str| {
        let path = outside.path().join(name);
        let text = path.to_string_lossy().into_owned();
        origin.git(&["clone", "--quiet", "--no-checkout", option, &url, &text]);
        path
    };
    let shallow = clone("shallow", "--depth=1");
    for args in [&[][..], &["--range", "HEAD"], &["--reachable"]] {
        let run = history(&shallow, args);
        assert_eq!(run.status, 2, "{}", run.show());
        let json = run.json();
        assert_eq!(json["coverage"]["skipped"]["shallow"], 1, "{}", run.show());
        assert_eq!(json["findings"][0]["key_id"], *new.id);
        assert!(run.err().contains("1 shallow"), "{}", run.show());
        found(
            &history(
                &shallow,
                &[args, &["--allow-incomplete", "shallow"]].concat(),
            ),
            &[&new],
        );
    }
    let text = TestCommand::keysieve(&shallow).arg("history").status(2);
    assert!(
        text.out().contains("1 beyond a shallow boundary"),
        "{}",
        text.show()
    );
    let unknown = history(&shallow, &["--range", "HEAD~2..HEAD"]);
    assert_eq!(unknown.status, 2);
    assert!(unknown.err().contains("shallow"), "{}", unknown.show());
    assert!(
        unknown.err().contains("fetch-depth: 0"),
        "{}",
        unknown.show()
    );
    let partial = clone("partial", "--filter=blob:none");
    for args in [&[][..], &["--range", "HEAD"], &["--reachable"]] {
        let run = history(&partial, args);
        assert_eq!(run.status, 2, "{}", run.show());
        let json = run.json();
        assert_eq!(json["coverage"]["skipped"]["partial"], 3, "{}", run.show());
        assert_eq!(json["coverage"]["commits"], 3, "{}", run.show());
    }
    let text = TestCommand::keysieve(&partial).arg("history").status(2);
    assert!(
        text.out().contains("3 left on the server"),
        "{}",
        text.show()
    );
}

#[test]
fn a7_every_report_is_the_same_for_any_number_of_threads() {
    let all: [Pair; 30] = pairs(207);
    let repo = TestRepo::new();
    for (number, pair) in all.iter().enumerate() {
        let path = format!("{}/{}.ini", number % 5, number % 7);
        repo.stage(&path, format!("{}{}", pair.text(), all[number / 2].text()));
        if number % 3 == 0 {
            repo.commit(&format!("commit {number}"));
        }
    }
    repo.git(&["repack", "-q", "-d"]);
    repo.stage("loose.ini", all[0].text());
    for args in [
        &["history"][..],
        &["history", "--range", "HEAD"],
        &["staged", "--all-files"],
    ] {
        for format in ["text", "json", "sarif"] {
            let outputs: Vec<Run> = ["1", "2", "7"]
                .iter()
                .map(|threads| {
                    repo.keysieve(args)
                        .args(["--format", format, "--threads", threads])
                        .env("SOURCE_DATE_EPOCH", "1700000000")
                        .status(1)
                })
                .collect();
            assert!(outputs[0].out().contains(&all[27].id));
            for output in &outputs {
                assert!(output.stdout == outputs[0].stdout, "{}", output.show());
            }
        }
    }
}

#[test]
fn c1_the_hook_blocks_on_what_the_commit_adds() {
    let repo = TestRepo::new();
    let [old, other, new, next] = pairs(211);
    repo.commit_file("a.ini", old.text(), "old keys");
    repo.commit_file("b.ini", other.text(), "old keys");
    repo.keysieve(&["hook", "install"]).status(0);
    let commit = |status: i32| {
        repo.git_command()
            .args(["commit", "-qm", "x"])
            .status(status)
    };
    // Touched, moved within its file, indented, copied to a new name while the old one goes.
    repo.stage("a.ini", format!("# first\n\n{}# last\n", old.text()));
    commit(0);
    repo.stage("a.ini", old.text().replace("aws", "    aws"));
    commit(0);
    repo.git(&["mv", "b.ini", "moved.ini"]);
    repo.stage("moved.ini", format!("# moved\n{}", other.text()));
    commit(0);
    // Beside an old one, the new one is reported and the old one is not.
    repo.stage("a.ini", format!("{}\n\n\n{}", old.text(), new.text()));
    let run = commit(1);
    let said = run.err() + &run.out();
    assert!(said.contains(&new.id) && !said.contains(&old.id), "{said}");
    // Another secret for the same key id is another secret.
    let changed = old.text().replace(&old.secret, &next.secret);
    repo.stage("a.ini", changed);
    commit(1);
    // An amend answers for what it adds to the commit that it replaces... which Git shows to no hook.
    repo.stage("a.ini", "clean\n");
    commit(0);
    found(&staged(repo.path(), &[]), &[]);
    repo.stage("moved.ini", format!("# touched\n{}", other.text()));
    found(&staged(repo.path(), &["--all"]), &[&other]);
}

/// Every file below `dir` with its mode, time of change and content; links as such.
fn listing(dir: &Path, into: &mut BTreeMap<PathBuf, (u32, std::time::SystemTime, Vec<u8>)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let data = entry.metadata().unwrap();
        let content = match data.is_file() {
            true => std::fs::read(entry.path()).unwrap(),
            false => Vec::new(),
        };
        let state = (data.permissions().mode(), data.modified().unwrap(), content);
        into.insert(entry.path(), state);
        if data.is_dir() {
            listing(&entry.path(), into);
        }
    }
}

#[test]
fn c2_a_scan_writes_nothing_starts_nothing_and_connects_to_nothing() {
    let [pair] = pairs(212);
    let repo = repo_with_staged(&pair);
    // Whatever Git could be made to run leaves a trace.
    let outside = tempfile::tempdir().unwrap();
    let trace = outside.path().join("was-run");
    let bin = outside.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = format!("#!/bin/sh\n: > '{}'\n", trace.display());
    for name in ["git", "sh", "ssh", "less", "git-lfs", "trap"] {
        let path = bin.join(name);
        std::fs::write(&path, &script).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let trap = bin.join("trap").to_string_lossy().into_owned();
    repo.stage(".gitattributes", "* diff=x filter=x merge=x\n");
    repo.commit("a key, and attributes");
    repo.stage("config/more.ini", "clean\n");
    for name in [
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.editor",
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "merge.x.driver",
        "credential.helper",
        "core.gitProxy",
        "uploadpack.packObjectsHook",
    ] {
        repo.git(&["config", name, &trap]);
    }
    let hook = repo.join(".git/hooks/post-index-change");
    std::fs::write(&hook, &script).unwrap();
    std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let state = || {
        let mut state = BTreeMap::new();
        listing(repo.path(), &mut state);
        state
    };
    let before = state();
    for (args, status) in [
        (&["staged"][..], 0),
        (&["staged", "--all-files"], 1),
        (&["hook", "run", "pre-commit"], 0),
        (&["history"], 1),
        (&["history", "--range", "HEAD~1..HEAD"], 1),
        (&["history", "--range", "HEAD~1...HEAD", "--all"], 1),
        (&["scan"], 1),
        (&["verify"], 0),
        (&["collect"], 0),
        (&["rules", "list"], 0),
        (&["config", "show"], 0),
    ] {
        let run = repo.keysieve(args).env("PATH", &bin).run();
        assert_eq!(run.status, status, "{}", run.show());
        assert!(!trace.exists(), "{}", run.show());
        assert!(state() == before, "{}", run.show());
        if let (_, Some(log)) = traced(repo.path(), |command| command.args(args)) {
            assert_quiet(&log, repo.path());
        }
    }
}

#[track_caller]
fn assert_quiet(log: &str, root: &Path) {
    assert_starts_nothing(log);
    let root = root.to_string_lossy();
    for call in writes(log) {
        let in_repository = call.contains(&*root) || !call.contains("\"/");
        assert!(!in_repository, "{call}");
    }
}

/// Writes a foreign hook, which notes that it ran.
fn foreign_hook(path: &Path, note: &Path) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let script = format!("#!/bin/sh\necho ran >> '{}'\n", note.display());
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn c3_the_hook_lives_beside_an_existing_one_and_where_core_hooks_path_says() {
    let [pair] = pairs(213);
    let outside = tempfile::tempdir().unwrap();
    for (number, setting) in [None, Some(".githooks")].into_iter().enumerate() {
        let repo = TestRepo::new();
        let folder = setting.unwrap_or(".git/hooks");
        if let Some(folder) = setting {
            repo.git(&["config", "core.hooksPath", folder]);
        }
        let note = outside.path().join(format!("note-{number}"));
        let path = repo.join(folder).join("pre-commit");
        foreign_hook(&path, &note);
        let original = std::fs::read(&path).unwrap();
        repo.keysieve(&["hook", "install"]).status(0);
        repo.keysieve(&["hook", "status"]).status(0);
        repo.stage("key.ini", pair.text());
        // In a folder that is committed the hook takes the program from PATH.
        let commit = |message| {
            let git = repo.git_command().args(["commit", "-qm", message]);
            git.env("PATH", command::path_with_keysieve())
        };
        let run = commit("x").status(1);
        assert!(run.err().contains("keysieve:allow"), "{}", run.show());
        assert!(
            !note.exists(),
            "a commit that is stopped is not shown to the other"
        );
        repo.stage("key.ini", "clean\n");
        commit("clean").status(0);
        assert_eq!(std::fs::read_to_string(&note).unwrap(), "ran\n");
        repo.keysieve(&["hook", "uninstall"]).status(0);
        assert_eq!(std::fs::read(&path).unwrap(), original);
        let names = std::fs::read_dir(path.parent().unwrap()).unwrap().flatten();
        let ours = |name: String| name.contains("keysieve");
        assert!(
            !names
                .map(|name| name.file_name().to_string_lossy().into())
                .any(ours)
        );
        repo.stage("key.ini", pair.text());
        repo.git(&["commit", "-qm", "no hook any more"]);
    }
}

#[test]
fn c3_husky_runs_it_and_lefthook_is_told_how() {
    let [pair] = pairs(214);
    // husky's folder, as `husky init` leaves it.
    let repo = TestRepo::new();
    repo.write(".husky/pre-commit", "echo husky ran\n");
    let shim = "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n";
    let runner = "#!/usr/bin/env sh\nn=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n\
                  [ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\nexit $?\n";
    repo.write(".husky/_/h", runner);
    repo.write(".husky/_/pre-commit", shim);
    let path = repo.join(".husky/_/pre-commit");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    repo.git(&["config", "core.hooksPath", ".husky/_"]);
    let before = std::fs::read(repo.join(".husky/pre-commit")).unwrap();
    repo.keysieve(&["hook", "install"]).status(0);
    repo.stage("key.ini", pair.text());
    // husky's scripts find the program in the path, as everybody's machine has it elsewhere.
    let program = Path::new(env!("CARGO_BIN_EXE_keysieve"));
    let folder = program.parent().unwrap().to_string_lossy().into_owned();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let commit = |status: i32| {
        let command = repo.git_command().env("PATH", &path);
        let run = command.args(["commit", "-qm", "x"]).status(status);
        run.out() + &run.err()
    };
    let said = commit(1);
    assert!(said.contains("key.ini:2:25"), "{said}");
    repo.stage("key.ini", "clean\n");
    let said = commit(0);
    assert!(said.contains("husky ran"), "{said}");
    repo.keysieve(&["hook", "uninstall"]).status(0);
    assert_eq!(
        std::fs::read(repo.join(".husky/pre-commit")).unwrap(),
        before
    );
    // lefthook writes the hooks itself: it is not overwritten, what to add to its file is shown.
    let repo = TestRepo::new();
    repo.write("lefthook.yml", "pre-commit:\n  jobs: []\n");
    let hook = "#!/bin/sh\n# lefthook\ncall_lefthook run \"pre-commit\" \"$@\"\n";
    repo.write(".git/hooks/pre-commit", hook);
    let run = repo.keysieve(&["hook", "install"]).status(1);
    assert!(
        run.out().contains("keysieve hook run pre-commit"),
        "{}",
        run.show()
    );
    let kept = std::fs::read_to_string(repo.join(".git/hooks/pre-commit")).unwrap();
    assert_eq!(kept, hook);
}

#[test]
fn c4_the_hook_needs_no_toolchain() {
    let [pair] = pairs(215);
    let repo = repo_with_staged(&pair);
    repo.keysieve(&["hook", "install"]).status(0);
    // A machine with Git and a shell, and nothing else.
    let bin = tempfile::tempdir().unwrap();
    let found_in_path = |name: &str| {
        let path = std::env::var_os("PATH").unwrap();
        let mut places = std::env::split_paths(&path).map(|dir| dir.join(name));
        places.find(|place| place.is_file()).expect(name)
    };
    for name in ["git", "sh"] {
        let link = bin.path().join(name);
        std::os::unix::fs::symlink(found_in_path(name), link).unwrap();
    }
    let commit = |status: i32| {
        let command = repo.git_command().env("PATH", bin.path());
        command.args(["commit", "-qm", "x"]).status(status)
    };
    assert!(commit(1).err().contains("keysieve:allow"));
    repo.stage("config/prod.ini", "clean\n");
    commit(0);
}

#[test]
fn c5_two_hints_say_what_to_do_and_they_work() {
    let [pair] = pairs(216);
    let repo = repo_with_staged(&pair);
    repo.keysieve(&["hook", "install"]).status(0);
    let run = repo.git_command().args(["commit", "-qm", "x"]).status(1);
    let said = run.err() + &run.out();
    assert_eq!(said.matches("hint: ").count(), 2, "{said}");
    for part in [
        "git restore --staged config/prod.ini",
        "rotate it if it was ever pushed",
        "keysieve:allow",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // From below the root the command is another one, which works there.
    let below = repo.join("config").to_string_lossy().into_owned();
    let run = repo.try_git(&["-C", &below, "commit", "-qm", "x"], 1);
    assert!(
        run.err().contains("git restore --staged :/config/prod.ini"),
        "{}",
        run.show()
    );
    repo.git(&["-C", &below, "restore", "--staged", ":/config/prod.ini"]);
    repo.stage("other.txt", "other\n");
    let run = repo.try_git(&["commit", "-qm", "without it"], 0);
    // What is in order takes one line, which says who wrote it.
    let said = run.out() + &run.err();
    assert_eq!(said, "keysieve: nothing found in 1 blob, 6 bytes\n");
    // Before there is a commit, nothing can be restored.
    let fresh = TestRepo::new();
    fresh.stage("key.ini", pair.text());
    let run = fresh.keysieve(&["staged"]).status(1);
    assert!(
        run.err().contains("git rm --cached key.ini"),
        "{}",
        run.show()
    );
    fresh.git(&["rm", "--cached", "--quiet", "key.ini"]);
    let run = fresh.keysieve(&["staged"]).status(0);
    assert_eq!(
        (run.out().as_str(), run.err().as_str()),
        ("", "note: nothing is staged\n")
    );
}

#[test]
fn c6_one_place_is_one_finding_with_a_redacted_snippet() {
    let [pair] = pairs(217);
    let repo = TestRepo::new();
    let text = format!(
        "[default]\n# for deployments\n{}region = eu-west-1\n",
        pair.text()
    );
    repo.stage("config/prod.ini", text);
    let run = repo.keysieve(&["staged"]).status(1);
    let out = run.out();
    assert_eq!(out.matches("error[").count(), 1, "{out}");
    assert_eq!(out.matches("config/prod.ini").count(), 1, "{out}");
    for part in [
        "config/prod.ini:4:25".to_owned(),
        "2 | # for deployments".to_owned(),
        format!("3 | aws_access_key_id = {}", pair.id),
        "4 | aws_secret_access_key = [".to_owned(),
        "1 error, 0 warnings".to_owned(),
    ] {
        assert!(out.contains(&part), "{part}: {out}");
    }
    assert!(!shows_part_of(&pair.secret, &out), "{out}");
    let json = staged(repo.path(), &[]);
    found(&json, &[&pair]);
    let json = json.json();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1));
    let place = &json["findings"][0]["places"][0];
    assert_eq!((&place["line"], &place["column"]), (&4.into(), &25.into()));
    assert_eq!(place["key_id_line"], 3);
}

#[test]
fn from_a_refused_commit_to_a_clean_one_and_a_find_on_a_deleted_branch() {
    let [pair] = pairs(218);
    let repo = TestRepo::new();
    repo.commit_file("app.txt", "app\n", "base");
    repo.git(&["checkout", "-qb", "feature"]);
    repo.keysieve(&["hook", "install"]).status(0);
    repo.stage("app.ini", pair.text());
    repo.git_command().args(["commit", "-qm", "x"]).status(1);
    repo.stage("app.ini", "key = from the environment\n");
    repo.git(&["commit", "-qm", "without the key"]);
    // Past the hook, taken out again, ten commits later, and the branch deleted.
    let leaked = repo.commit_file("app.ini", pair.text(), "quick fix");
    repo.commit_file("app.ini", "clean\n", "oops");
    for number in 0..10 {
        repo.commit_file("app.txt", format!("{number}\n"), &format!("work {number}"));
    }
    repo.git(&["checkout", "-q", "main"]);
    repo.git(&["branch", "-qD", "feature"]);
    let run = repo.keysieve(&["history"]).status(1);
    let out = run.out();
    assert!(
        out.contains(&format!("{}:app.ini:2:25", &leaked[..12])),
        "{out}"
    );
    assert!(out.contains("by Ada Author: quick fix"), "{out}");
    assert!(out.contains("by no ref"), "{out}");
}
