//! Hooks: installed beside others, run by the real Git, taken away without a trace.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use keysieve::hook::{
    Action, Error, HookContext, Kind, Manager, RepositoryDirs, State, UserConfig, install, status,
    uninstall,
};

use crate::support::{Keys, TestCommand, TestRepo, shows_part_of};

const PRE_COMMIT: &[Kind] = &[Kind::PreCommit];

/// A repository and a stand-in for the program, which notes how it was run.
struct Setup {
    repo: TestRepo,
    outside: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let setup = Self {
            repo: TestRepo::new(),
            outside: tempfile::tempdir().expect("a directory"),
        };
        setup.fake_program(0);
        setup
    }

    /// Puts a program in place that names itself as keysieve does, notes its calls and exits with `status`.
    fn fake_program(&self, status: i32) {
        let log = self.log_path();
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo 'keysieve 9.9.9 (rules 0123456789abcdef)'; exit; }}\n{{ echo \"run $*\"; [ \"$3\" = pre-commit ] || [ \"$3\" = commit-msg ] || cat; }} >> '{}'\nexit {status}\n",
            log.display()
        );
        write_script(&self.program(), &text);
    }

    fn program(&self) -> PathBuf {
        self.outside.path().join("it's a dir/keysieve")
    }

    /// `PATH` with the stand-in first.
    fn path(&self) -> String {
        let program = self.program();
        let dir = program.parent().expect("a parent").display();
        format!("{dir}:{}", std::env::var("PATH").expect("a path"))
    }

    fn log_path(&self) -> PathBuf {
        self.outside.path().join("log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn context(&self) -> HookContext {
        HookContext {
            program: self.program(),
            repository: Some(RepositoryDirs {
                git_dir: self.repo.join(".git"),
                common_dir: self.repo.join(".git"),
                work_dir: Some(self.repo.path().to_owned()),
            }),
            user: UserConfig {
                no_system: true,
                home: Some(self.outside.path().to_owned()),
                ..UserConfig::default()
            },
        }
    }

    #[track_caller]
    fn install(&self, kind: Kind) -> Action {
        install(&self.context(), &[kind], false)
            .expect("installed")
            .remove(0)
            .action
    }

    #[track_caller]
    fn uninstall(&self, kind: Kind) -> Action {
        uninstall(&self.context(), &[kind], false)
            .expect("uninstalled")
            .remove(0)
            .action
    }

    #[track_caller]
    fn state(&self, kind: Kind) -> State {
        status(&self.context(), &[kind], false)
            .expect("looked at")
            .remove(0)
            .state
    }

    fn hook(&self, name: &str) -> PathBuf {
        self.repo.join(".git/hooks").join(name)
    }

    /// `git commit` with the hooks, which ends with `status`.
    #[track_caller]
    fn commit(&self, status: i32) -> crate::support::command::Run {
        self.repo
            .git_command()
            .args(["commit", "--allow-empty", "-m", "message"])
            .status(status)
    }

    /// Everything below the Git directory's hooks, with content.
    fn hooks(&self) -> Vec<(String, Vec<u8>)> {
        let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(self.repo.join(".git/hooks"))
            .expect("a folder")
            .flatten()
            .map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                (name, fs::read(entry.path()).unwrap_or_default())
            })
            .collect();
        found.sort();
        found
    }
}

fn write_script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, text).expect("a script");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn a_hook_is_installed_runs_the_program_and_goes_without_a_trace() {
    let setup = Setup::new();
    let before = setup.hooks();
    assert_eq!(setup.state(Kind::PreCommit), State::Absent);
    assert_eq!(setup.install(Kind::PreCommit), Action::Installed);
    assert_eq!(setup.state(Kind::PreCommit), State::Active);
    let mode = fs::metadata(setup.hook("pre-commit")).expect("a hook");
    assert_eq!(mode.permissions().mode() & 0o777, 0o755);
    setup.commit(0);
    assert_eq!(setup.log(), "run hook run pre-commit\n");
    setup.fake_program(1);
    setup.commit(1);
    setup.fake_program(2);
    setup.commit(1);
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::Removed);
    assert_eq!(setup.hooks(), before);
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::NotInstalled);
    setup.commit(0);
}

#[test]
fn installing_again_changes_nothing_and_another_program_is_an_update() {
    let setup = Setup::new();
    setup.install(Kind::PreCommit);
    let once = setup.hooks();
    assert_eq!(setup.install(Kind::PreCommit), Action::Unchanged);
    assert_eq!(setup.hooks(), once);
    let mut context = setup.context();
    context.program = PathBuf::from("/elsewhere/keysieve");
    let found = status(&context, PRE_COMMIT, false).expect("looked at");
    assert_eq!(found[0].state, State::Outdated);
    let outcomes = install(&context, PRE_COMMIT, false).expect("installed");
    assert_eq!(outcomes[0].action, Action::Updated);
    fs::set_permissions(setup.hook("pre-commit"), fs::Permissions::from_mode(0o644))
        .expect("a mode");
    assert_eq!(setup.state(Kind::PreCommit), State::NotExecutable);
    assert_eq!(setup.install(Kind::PreCommit), Action::Updated);
    assert_eq!(setup.state(Kind::PreCommit), State::Active);
}

#[test]
fn a_foreign_hook_is_kept_runs_second_is_looked_at_again_and_comes_back() {
    let setup = Setup::new();
    let text = format!(
        "#!/bin/sh\necho foreign \"$#\" >> '{}'\n",
        setup.log_path().display()
    );
    write_script(&setup.hook("pre-commit"), &text);
    let before = setup.hooks();
    let state = setup.state(Kind::PreCommit);
    assert_eq!(state, State::Foreign { names_us: false });
    let kept = setup.hook("pre-commit.before-keysieve");
    assert_eq!(
        setup.install(Kind::PreCommit),
        Action::InstalledBeside {
            kept: kept.clone(),
            runs: true,
        }
    );
    assert_eq!(setup.install(Kind::PreCommit), Action::Unchanged);
    setup.commit(0);
    let whole = "run hook run pre-commit\nforeign 0\nrun hook run pre-commit --again\n";
    assert_eq!(setup.log(), whole);
    // The foreign hook still decides.
    write_script(&kept, "#!/bin/sh\nexit 7\n");
    setup.commit(1);
    assert_eq!(setup.log(), format!("{whole}run hook run pre-commit\n"));
    write_script(&kept, &text);
    // What ours stops, it does not see.
    setup.fake_program(1);
    setup.commit(1);
    let twice = "run hook run pre-commit\nrun hook run pre-commit\n";
    assert_eq!(setup.log(), format!("{whole}{twice}"));
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::Restored);
    assert_eq!(setup.hooks(), before);
}

#[test]
fn two_foreign_hooks_are_left_alone() {
    let setup = Setup::new();
    write_script(&setup.hook("pre-commit"), "#!/bin/sh\n");
    write_script(
        &setup.hook("pre-commit.before-keysieve"),
        "#!/bin/sh\nexit 1\n",
    );
    let before = setup.hooks();
    let error = install(&setup.context(), PRE_COMMIT, false).expect_err("refused");
    assert!(matches!(error, Error::BothExist { .. }), "{error}");
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::NotInstalled);
    assert_eq!(setup.hooks(), before);
}

#[test]
fn a_hook_that_is_a_link_is_kept_as_one_and_what_it_leads_to_is_not_written() {
    let setup = Setup::new();
    let shared = setup.outside.path().join("shared-hook");
    write_script(&shared, "#!/bin/sh\nexit 0\n");
    let text = fs::read(&shared).expect("a script");
    symlink(&shared, setup.hook("pre-commit")).expect("a link");
    setup.install(Kind::PreCommit);
    assert_eq!(fs::read(&shared).expect("a script"), text);
    setup.commit(0);
    assert_eq!(
        setup.log(),
        "run hook run pre-commit\nrun hook run pre-commit --again\n"
    );
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::Restored);
    let link = fs::symlink_metadata(setup.hook("pre-commit")).expect("a link");
    assert!(link.is_symlink());
}

#[test]
fn a_missing_program_blocks_and_says_what_to_do() {
    let setup = Setup::new();
    for kind in [Kind::PreCommit, Kind::CommitMsg] {
        setup.install(kind);
    }
    // The one in PATH stands in for the one that is gone.
    let bin = setup.outside.path().join("bin");
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").expect("a path")
    );
    write_script(
        &bin.join("keysieve"),
        &fs::read_to_string(setup.program()).expect("a script"),
    );
    fs::remove_file(setup.program()).expect("removed");
    setup
        .repo
        .git_command()
        .env("PATH", path)
        .args(["commit", "--allow-empty", "-m", "message"])
        .status(0);
    assert_eq!(
        setup.log(),
        "run hook run pre-commit\nrun hook run commit-msg .git/COMMIT_EDITMSG\n"
    );
    for (hook, bypass) in [
        ("pre-commit", "git commit --no-verify"),
        ("commit-msg", "git commit --no-verify"),
    ] {
        setup.uninstall(Kind::PreCommit);
        setup.uninstall(Kind::CommitMsg);
        setup.install(Kind::from_name(hook).expect("a kind"));
        let run = setup.commit(1);
        assert!(
            run.err().contains("keysieve is not installed"),
            "{}",
            run.show()
        );
        assert!(run.err().contains(bypass) && run.err().contains("cargo install"));
        setup
            .repo
            .git_command()
            .args(["commit", "--allow-empty", "--no-verify", "-m", "message"])
            .status(0);
    }
}

#[test]
fn another_program_of_this_name_in_path_is_not_asked() {
    let setup = Setup::new();
    let bin = setup.outside.path().join("bin");
    let path = format!(
        "{}:{}",
        bin.display(),
        std::env::var("PATH").expect("a path")
    );
    let log = setup.log_path();
    let ours = "keysieve 9.9.9 (rules 0123456789abcdef)";
    let husky = setup.repo.join(".husky/_/pre-commit");
    for is_husky in [false, true] {
        if is_husky {
            write_script(&husky, "#!/bin/sh\n. \"${0%/*}/../pre-commit\"\n");
            write_script(&setup.repo.join(".husky/pre-commit"), "");
            setup.repo.git(&["config", "core.hooksPath", ".husky/_"]);
        }
        setup.install(Kind::PreCommit);
        if !is_husky {
            fs::remove_file(setup.program()).expect("removed");
        }
        for (version, status) in [
            (ours, 0),
            ("keysieve 9.9.9", 1),
            ("secret-keysieve 9.9.9 (rules 0123456789abcdef)", 1),
            ("", 1),
        ] {
            let text = format!(
                "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo '{version}'; exit; }}\necho \"run $*\" >> '{}'\n",
                log.display()
            );
            write_script(&bin.join("keysieve"), &text);
            let run = setup
                .repo
                .git_command()
                .env("PATH", &path)
                .args(["commit", "--allow-empty", "-m", "message"])
                .status(status);
            let runs = setup.log();
            if status == 0 {
                // husky's script goes on, so it is looked at again at its end.
                let again = match is_husky {
                    true => "run hook run pre-commit --again\n",
                    false => "",
                };
                assert_eq!(runs, format!("run hook run pre-commit\n{again}"));
                fs::remove_file(&log).expect("removed");
            } else {
                assert_eq!(runs, "", "{version:?} was run");
                let err = run.err().to_owned();
                assert!(err.contains("could not be checked"), "{}", run.show());
                assert!(err.contains("git commit --no-verify"), "{}", run.show());
            }
        }
        setup.uninstall(Kind::PreCommit);
    }
}

#[test]
fn both_hooks_of_a_push_get_the_references() {
    let setup = Setup::new();
    let server = setup.outside.path().join("server.git");
    let server_text = server.to_string_lossy().into_owned();
    setup.repo.git(&["init", "--quiet", "--bare", &server_text]);
    setup.repo.commit("first");
    setup.repo.git(&["remote", "add", "origin", &server_text]);
    let log = setup.log_path();
    let foreign = format!(
        "#!/bin/sh\n{{ echo \"foreign $1\"; cat; }} >> '{}'\n",
        log.display()
    );
    write_script(&setup.hook("pre-push"), &foreign);
    assert!(matches!(
        setup.install(Kind::PrePush),
        Action::InstalledBeside { .. }
    ));
    setup.repo.git(&["push", "--quiet", "origin", "main"]);
    let head = setup.repo.git(&["rev-parse", "HEAD"]);
    let line = format!(
        "refs/heads/main {head} refs/heads/main {}\n",
        "0".repeat(40)
    );
    assert_eq!(
        setup.log(),
        format!("run hook run pre-push origin {server_text}\n{line}foreign origin\n{line}")
    );
    // A hook that does not read its input is no reason to fail.
    write_script(
        &setup.hook("pre-push.before-keysieve"),
        "#!/bin/sh\nexit 0\n",
    );
    setup.repo.commit("second");
    let run = setup
        .repo
        .try_git(&["push", "--quiet", "origin", "main"], 0);
    assert_eq!(run.err(), "");
    setup.fake_program(1);
    setup.repo.commit("third");
    setup
        .repo
        .try_git(&["push", "--quiet", "origin", "main"], 1);

    // The other side.
    setup.uninstall(Kind::PrePush);
    let context = HookContext {
        repository: Some(RepositoryDirs {
            git_dir: server.clone(),
            common_dir: server.clone(),
            work_dir: None,
        }),
        ..setup.context()
    };
    write_script(&server.join("hooks/pre-receive"), &foreign);
    install(&context, &[Kind::PreReceive], false).expect("installed");
    fs::remove_file(&log).expect("removed");
    setup
        .repo
        .try_git(&["push", "--quiet", "origin", "main"], 1);
    let (old, new) = (
        setup.repo.git(&["rev-parse", "HEAD~1"]),
        setup.repo.git(&["rev-parse", "HEAD"]),
    );
    let line = format!("{old} {new} refs/heads/main\n");
    assert_eq!(setup.log(), format!("run hook run pre-receive\n{line}"));
    setup.fake_program(0);
    setup.repo.git(&["push", "--quiet", "origin", "main"]);
    assert!(
        setup.log().ends_with(&format!("foreign \n{line}")),
        "{}",
        setup.log()
    );
    fs::remove_file(setup.program()).expect("removed");
    setup.repo.commit("fourth");
    let run = setup
        .repo
        .try_git(&["push", "--quiet", "origin", "main"], 1);
    assert!(
        run.err().contains("not installed on this server"),
        "{}",
        run.show()
    );
}

#[test]
fn a_hooks_path_inside_the_repository_is_used() {
    let setup = Setup::new();
    setup.repo.git(&["config", "core.hooksPath", ".githooks"]);
    let outcomes = install(&setup.context(), PRE_COMMIT, false).expect("installed");
    assert_eq!(outcomes[0].path, setup.repo.join(".githooks/pre-commit"));
    // The folder can be committed: what is in it names nobody's path, and fits everybody.
    let text = fs::read_to_string(setup.repo.join(".githooks/pre-commit")).expect("a script");
    assert!(text.contains("\nprogram=''\n"), "{text}");
    let mut colleague = setup.context();
    colleague.program = PathBuf::from("/home/colleague/keysieve");
    let found = status(&colleague, PRE_COMMIT, false).expect("looked at");
    assert_eq!(found[0].state, State::Active);
    setup
        .repo
        .git_command()
        .env("PATH", setup.path())
        .args(["commit", "--allow-empty", "-m", "message"])
        .status(0);
    assert_eq!(setup.log(), "run hook run pre-commit\n");
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::Removed);
}

#[test]
fn a_hooks_path_outside_the_repository_is_refused() {
    let setup = Setup::new();
    let elsewhere = setup.outside.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("made");
    symlink(&elsewhere, setup.repo.join("link")).expect("a link");
    let absolute = elsewhere.to_string_lossy().into_owned();
    for path in [
        absolute.as_str(),
        "link",
        "link/below",
        "../sibling",
        "/dev/null",
        "",
    ] {
        setup.repo.git(&["config", "core.hooksPath", path]);
        let error = install(&setup.context(), PRE_COMMIT, false).expect_err("refused");
        assert!(
            matches!(
                error,
                Error::Outside {
                    is_global: false,
                    ..
                }
            ),
            "{path}: {error}"
        );
        assert!(error.to_string().contains(".git/config"), "{error}");
    }
    assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0);
    // The usual folder may lead elsewhere too.
    setup.repo.git(&["config", "--unset", "core.hooksPath"]);
    fs::remove_dir_all(setup.repo.join(".git/hooks")).expect("removed");
    symlink(&elsewhere, setup.repo.join(".git/hooks")).expect("a link");
    let error = install(&setup.context(), PRE_COMMIT, false).expect_err("refused");
    assert!(
        matches!(error, Error::Outside { file: None, .. }),
        "{error}"
    );
    assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0);
}

#[test]
fn what_was_installed_before_the_path_was_set_is_still_taken_away() {
    let setup = Setup::new();
    setup.install(Kind::PreCommit);
    setup.repo.git(&["config", "core.hooksPath", "/dev/null"]);
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::Removed);
    assert!(!setup.hook("pre-commit").exists());
}

#[test]
fn the_global_folder_is_the_one_that_the_users_configuration_names() {
    let setup = Setup::new();
    let error = install(&setup.context(), PRE_COMMIT, true).expect_err("refused");
    assert!(matches!(error, Error::NoGlobalFolder), "{error}");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("git config --global core.hooksPath"))
    );
    let home = setup.outside.path();
    fs::write(
        home.join(".gitconfig"),
        "[include]\n\tpath = more\n[includeIf \"gitdir:~/x/\"]\n\tpath = y\n",
    )
    .expect("written");
    fs::write(home.join("more"), "[core]\n\thooksPath = ~/all-hooks\n").expect("written");
    // For the repository alone it is refused: Git would not look anywhere else.
    let error = install(&setup.context(), PRE_COMMIT, false).expect_err("refused");
    assert!(
        matches!(
            error,
            Error::Outside {
                is_global: true,
                ..
            }
        ),
        "{error}"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("--global")));
    let context = HookContext {
        repository: None,
        ..setup.context()
    };
    let outcomes = install(&context, PRE_COMMIT, true).expect("installed");
    assert_eq!(outcomes[0].path, home.join("all-hooks/pre-commit"));
    setup
        .repo
        .git_command()
        .env("HOME", home)
        .env("GIT_CONFIG_GLOBAL", home.join(".gitconfig"))
        .args(["commit", "--allow-empty", "-m", "message"])
        .status(0);
    assert_eq!(setup.log(), "run hook run pre-commit\n");
    let found = status(&context, PRE_COMMIT, true).expect("looked at");
    assert_eq!(found[0].state, State::Active);
    let outcomes = uninstall(&context, PRE_COMMIT, true).expect("uninstalled");
    assert_eq!(outcomes[0].action, Action::Removed);
    // The repository's own setting wins, as for Git.
    setup.repo.git(&["config", "core.hooksPath", ".githooks"]);
    assert_eq!(setup.install(Kind::PreCommit), Action::Installed);
}

#[test]
fn husky_gets_a_block_in_its_script() {
    let setup = Setup::new();
    // What husky 9 sets up.
    setup.repo.git(&["config", "core.hooksPath", ".husky/_"]);
    let runner = "#!/usr/bin/env sh\ns=.husky/$(basename \"$0\")\n[ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\n";
    write_script(&setup.repo.join(".husky/_/pre-commit"), runner);
    write_script(&setup.repo.join(".husky/_/pre-push"), runner);
    let own = format!(
        "exec sh -c 'echo husky >> \"{}\"'\n",
        setup.log_path().display()
    );
    setup.repo.write(".husky/pre-commit", &own);
    assert_eq!(
        setup.state(Kind::PreCommit),
        State::Foreign { names_us: false }
    );
    assert_eq!(setup.install(Kind::PreCommit), Action::BlockAdded);
    assert_eq!(setup.install(Kind::PreCommit), Action::Unchanged);
    assert_eq!(setup.state(Kind::PreCommit), State::Active);
    let script = fs::read_to_string(setup.repo.join(".husky/_/pre-commit")).expect("a script");
    assert_eq!(script, runner);
    // The script is shared: it takes the program from PATH.
    let path = format!(
        "{}:{}",
        setup.program().parent().expect("a parent").display(),
        std::env::var("PATH").expect("a path")
    );
    let commit = || {
        setup.repo.git_command().env("PATH", &path).args([
            "commit",
            "--allow-empty",
            "-m",
            "message",
        ])
    };
    commit().status(0);
    assert_eq!(setup.log(), "run hook run pre-commit\nhusky\n");
    setup.fake_program(1);
    commit().status(1);
    let run = setup.commit(1);
    assert!(
        run.err().contains("keysieve is not installed"),
        "{}",
        run.show()
    );
    assert_eq!(setup.uninstall(Kind::PreCommit), Action::BlockRemoved);
    let script = fs::read_to_string(setup.repo.join(".husky/pre-commit")).expect("a script");
    assert_eq!(script, own);

    // What stands after the block gets the references as well.
    setup.fake_program(0);
    setup.repo.write(
        ".husky/pre-push",
        format!("cat >> '{}'\n", setup.log_path().display()),
    );
    assert_eq!(setup.install(Kind::PrePush), Action::BlockAdded);
    fs::remove_file(setup.log_path()).expect("removed");
    TestCommand::new("sh", setup.repo.path())
        .env("PATH", &path)
        .args([".husky/_/pre-push", "origin", "url"])
        .stdin("a $(b) c\nd\n")
        .status(0);
    assert_eq!(
        setup.log(),
        "run hook run pre-push origin url\na $(b) c\nd\na $(b) c\nd\n"
    );
    let error = install(&setup.context(), &[Kind::PreReceive], false).expect_err("refused");
    assert!(matches!(error, Error::NotWithHusky { .. }));
    // A script that husky would make anew, and one that we made.
    assert_eq!(setup.install(Kind::CommitMsg), Action::BlockAdded);
    assert_eq!(setup.uninstall(Kind::CommitMsg), Action::Removed);
    // Up to husky 8 Git runs the script itself.
    setup.repo.git(&["config", "core.hooksPath", ".husky"]);
    assert_eq!(setup.install(Kind::CommitMsg), Action::BlockAdded);
    let script = fs::read_to_string(setup.repo.join(".husky/commit-msg")).expect("a script");
    assert!(script.starts_with("#!/usr/bin/env sh\n. "), "{script}");
    assert_eq!(setup.state(Kind::CommitMsg), State::Active);
}

#[test]
fn hooks_of_lefthook_and_pre_commit_are_not_touched() {
    let setup = Setup::new();
    setup
        .repo
        .write("lefthook.yml", "pre-commit:\n  commands: {}\n");
    let before = setup.hooks();
    let Action::Managed {
        manager,
        is_active,
        advice,
        ..
    } = setup.install(Kind::PreCommit)
    else {
        panic!("not managed");
    };
    assert_eq!((manager, is_active), (Manager::Lefthook, false));
    assert!(advice.contains("keysieve hook run pre-commit"), "{advice}");
    assert!(!setup.state(Kind::PreCommit).is_active());
    assert_eq!(setup.hooks(), before);
    setup.repo.write("lefthook.yml", advice);
    // The configuration alone runs nothing.
    assert!(!setup.state(Kind::PreCommit).is_active());
    write_script(
        &setup.hook("pre-commit"),
        "#!/bin/sh\nlefthook run pre-commit\n",
    );
    assert!(setup.state(Kind::PreCommit).is_active());
    fs::remove_file(setup.repo.join("lefthook.yml")).expect("removed");

    write_script(
        &setup.hook("pre-commit"),
        "#!/usr/bin/env bash\n# File generated by pre-commit: https://pre-commit.com\n",
    );
    let before = setup.hooks();
    let Action::Managed { manager, .. } = setup.install(Kind::PreCommit) else {
        panic!("not managed");
    };
    assert_eq!(manager, Manager::PreCommit);
    assert_eq!(setup.hooks(), before);
    assert!(!setup.state(Kind::PreCommit).is_active());
    setup
        .repo
        .write(".pre-commit-config.yaml", "repos: [{repo: keysieve}]\n");
    assert!(!setup.state(Kind::PreCommit).is_active());
    setup.repo.write(
        ".pre-commit-config.yaml",
        "repos: [{repo: keysieve, hooks: [{id: keysieve}]}]\n",
    );
    assert!(setup.state(Kind::PreCommit).is_active());
}

#[test]
fn the_scripts_are_posix() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks");
    let mut checked = 0;
    for dir in [root.clone(), root.join("husky")] {
        for entry in fs::read_dir(dir).expect("a folder").flatten() {
            if entry.path().is_file() {
                for shell in ["sh", "dash", "bash"] {
                    let found = std::process::Command::new(shell)
                        .arg("-n")
                        .arg(entry.path())
                        .output();
                    // Not every machine has every shell; `sh` is needed by Git itself.
                    let Ok(output) = found else {
                        assert_ne!(shell, "sh");
                        continue;
                    };
                    assert!(output.status.success(), "{:?}: {output:?}", entry.path());
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= 7, "only {checked} checked");
}

/// Returns a pair as a person would write it.
fn pair(keys: &mut Keys) -> String {
    format!(
        "aws_access_key_id = {}\naws_secret_access_key = {}\n",
        keys.id(),
        keys.secret()
    )
}

/// `git` with hooks that run the real program; ends with `status`.
#[track_caller]
fn git(repo: &TestRepo, args: &[&str], status: i32) -> String {
    let run = repo.git_command().args(args).status(status);
    format!("{}{}", run.out(), run.err())
}

#[test]
fn the_installed_hook_stops_a_key_however_it_is_committed() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(7);
    repo.commit_file("settings.txt", "region = eu-west-1\n", "first");
    let out = repo.keysieve(&["hook", "install"]).status(0).out();
    assert!(out.starts_with("pre-commit: installed as "), "{out}");
    let out = repo.keysieve(&["hook", "install"]).status(0).out();
    assert!(out.starts_with("pre-commit: installed already"), "{out}");
    repo.keysieve(&["hook", "status"]).status(0);
    repo.keysieve(&["hook", "status", "--pre-push"]).status(1);

    // Staged, then cleaned in the working copy.
    let text = pair(&mut keys);
    repo.stage("settings.txt", &text);
    repo.write("settings.txt", "clean\n");
    let said = git(&repo, &["commit", "-m", "staged"], 1);
    assert!(said.contains("settings.txt"), "{said}");
    let secret = text.split(' ').next_back().expect("a secret").trim();
    assert!(!shows_part_of(secret, &said), "{said}");
    // A dirty working copy with a clean staged version.
    repo.stage("settings.txt", "clean\n");
    repo.write("settings.txt", &text);
    git(&repo, &["commit", "-m", "clean"], 0);
    // `-a` and a path: Git makes a temporary index.
    git(&repo, &["commit", "-am", "all"], 1);
    git(&repo, &["commit", "-m", "path", "settings.txt"], 1);
    repo.write("other.txt", "other\n");
    repo.git(&["add", "other.txt"]);
    git(&repo, &["commit", "-m", "other path", "other.txt"], 0);
    // What the commit does not add is not its fault.
    git(&repo, &["commit", "--no-verify", "-am", "all"], 0);
    repo.write("settings.txt", format!("# a line more\n{text}"));
    git(&repo, &["commit", "-am", "touched"], 0);
    git(&repo, &["mv", "settings.txt", "moved.txt"], 0);
    git(&repo, &["commit", "-m", "renamed"], 0);
    git(
        &repo,
        &["commit", "--amend", "-m", "renamed, with words"],
        0,
    );

    let out = repo.keysieve(&["hook", "uninstall"]).status(0).out();
    assert!(out.starts_with("pre-commit: removed "), "{out}");
    repo.keysieve(&["hook", "status"]).status(1);
}

#[test]
fn a_key_in_the_message_is_stopped_and_the_message_kept() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(8);
    repo.keysieve(&["hook", "install", "--commit-msg"])
        .status(0);
    let message = format!("subject\n\n{}", pair(&mut keys));
    let said = git(&repo, &["commit", "--allow-empty", "-m", &message], 1);
    assert!(said.contains("COMMIT_EDITMSG"), "{said}");
    // Git cuts at this line where it wrote it, and not in what was typed.
    let scissors = "# ------------------------ >8 ------------------------";
    let message = format!("subject\n{scissors}\n{}", pair(&mut keys));
    git(&repo, &["commit", "--allow-empty", "-m", &message], 1);
    git(&repo, &["commit", "--allow-empty", "-m", "subject"], 0);
    // The change that `--verbose` shows in the file is not the message.
    let text = pair(&mut keys);
    repo.commit_file("settings.txt", &text, "a key");
    repo.git(&["rm", "--quiet", "settings.txt"]);
    let run = repo
        .git_command()
        .env("GIT_EDITOR", "sed -i -e '1s/^/taken out/'")
        .args(["commit", "--verbose"])
        .status(0);
    assert_eq!(
        repo.git(&["log", "-1", "--format=%s"]),
        "taken out",
        "{}",
        run.show()
    );
}

/// pre-commit and prek append the names of files to the command line of a hook.
#[test]
fn a_file_that_is_called_like_an_option_is_none() {
    for name in [
        "--help",
        "-h",
        "--version",
        "--fail-on=never",
        "--exclude=*",
        "--no-such",
        "--",
    ] {
        let repo = TestRepo::new();
        repo.stage("key.txt", pair(&mut Keys::new(11)));
        repo.write(name, "text\n");
        repo.git(&["add", "--", name]);
        for index in [Some(repo.join(".git/index")), None] {
            let mut run = repo.keysieve(&["hook", "run", "pre-commit", name, "key.txt"]);
            run = run.env("PRE_COMMIT", "1");
            if let Some(index) = index {
                run = run.env("GIT_INDEX_FILE", index);
            }
            let run = run.status(1);
            let said = run.out() + &run.err();
            assert!(said.contains("key.txt"), "{name}: {}", run.show());
        }
    }
}

#[test]
fn a_merge_that_is_being_resolved_answers_for_the_resolution_only() {
    let repo = TestRepo::new();
    let mut keys = Keys::new(9);
    repo.keysieve(&["hook", "install"]).status(0);
    repo.commit_file("a.txt", "base\n", "base");
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit_file("old.txt", pair(&mut keys), "a key that is history already");
    repo.commit_file("a.txt", "theirs\n", "theirs");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("a.txt", "ours\n", "ours");
    repo.try_git(&["merge", "--quiet", "side"], 1);
    repo.stage("a.txt", format!("both\n{}", pair(&mut keys)));
    let said = git(&repo, &["commit", "--no-edit"], 1);
    assert!(
        said.contains("a.txt") && !said.contains("old.txt"),
        "{said}"
    );
    repo.stage("a.txt", "both\n");
    git(&repo, &["commit", "--no-edit"], 0);
}

#[test]
fn the_program_says_where_else_hooks_are_looked_for() {
    let repo = TestRepo::new();
    repo.git(&["config", "core.hooksPath", "/somewhere/else"]);
    let run = repo.keysieve(&["hook", "install"]).status(2);
    assert!(run.err().contains("/somewhere/else"), "{}", run.show());
    assert!(run.err().contains("hint: "), "{}", run.show());
    repo.keysieve(&["hook", "status"]).status(1);
    let dir = tempfile::tempdir().expect("a directory");
    TestCommand::keysieve(dir.path())
        .args(["hook", "install"])
        .status(2);
    TestCommand::keysieve(dir.path())
        .args(["hook", "install", "--global"])
        .status(2);
    repo.git(&["config", "--unset", "core.hooksPath"]);
    repo.write("lefthook.yml", "\n");
    let run = repo.keysieve(&["hook", "install"]).status(1);
    assert!(run.out().contains("lefthook.yml"), "{}", run.show());
}

/// A repository with a server to push to; `main` is there already.
fn repo_and_server() -> (TestRepo, tempfile::TempDir) {
    let repo = TestRepo::new();
    let server = tempfile::tempdir().expect("a directory");
    let path = server.path().to_string_lossy().into_owned();
    repo.git(&["init", "--quiet", "--bare", &path]);
    repo.git(&["remote", "add", "origin", &path]);
    repo.commit_file("a.txt", "first\n", "first");
    repo.git(&["push", "--quiet", "origin", "main"]);
    (repo, server)
}

#[test]
fn a_push_answers_for_what_the_other_side_does_not_have() {
    let (repo, _server) = repo_and_server();
    let mut keys = Keys::new(10);
    // A key that is on the other side already.
    repo.commit_file("old.txt", pair(&mut keys), "old key");
    repo.git(&["push", "--quiet", "origin", "main"]);
    repo.keysieve(&["hook", "install", "--pre-push"]).status(0);
    let old = std::fs::read_to_string(repo.join("old.txt")).expect("a file");
    repo.commit_file("old.txt", format!("{old}# touched\n"), "touched");
    repo.git(&["mv", "old.txt", "moved.txt"]);
    repo.commit("moved");
    git(&repo, &["push", "origin", "main"], 0);
    // Added and taken out again before the push: still in what is pushed.
    let added = repo.commit_file("b.txt", pair(&mut keys), "a fresh key");
    repo.git(&["rm", "--quiet", "b.txt"]);
    repo.commit("taken out");
    let said = git(&repo, &["push", "origin", "main"], 1);
    assert!(
        said.contains("b.txt") && said.contains(&added[..7]),
        "{said}"
    );
    assert!(!said.contains("moved.txt"), "{said}");
    git(&repo, &["push", "origin", "HEAD:refs/heads/new"], 1);
    // What is there already can be pushed under another name, and deleted.
    git(&repo, &["push", "origin", "origin/main:refs/heads/copy"], 0);
    git(&repo, &["push", "origin", ":refs/heads/copy"], 0);
    // A key in a message, in a tag's message, and one that only a merge brings in.
    repo.git(&["reset", "--quiet", "--hard", "origin/main"]);
    let message = format!("subject\n\n{}", pair(&mut keys));
    repo.commit(&message);
    git(&repo, &["push", "origin", "main"], 1);
    repo.git(&["reset", "--quiet", "--hard", "origin/main"]);
    repo.git(&["tag", "--annotate", "-m", &message, "v1"]);
    git(&repo, &["push", "origin", "v1"], 1);
    repo.git(&["checkout", "--quiet", "-b", "side"]);
    repo.commit_file("side.txt", "side\n", "side");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.commit_file("c.txt", "main\n", "main");
    repo.git(&["merge", "--quiet", "--no-commit", "side"]);
    repo.stage("c.txt", pair(&mut keys));
    repo.commit("merged");
    let said = git(&repo, &["push", "origin", "main"], 1);
    assert!(
        said.contains("c.txt") && !said.contains("side.txt"),
        "{said}"
    );
    git(&repo, &["push", "origin", "side"], 0);
}

#[test]
fn a_server_refuses_what_is_still_in_quarantine() {
    let (repo, server) = repo_and_server();
    let mut keys = Keys::new(11);
    // Nobody commits there: the hook of a server is the one that counts.
    let hook = |args: &[&str], status: i32| {
        TestCommand::keysieve(server.path())
            .arg("hook")
            .args(args)
            .status(status)
    };
    hook(&["status"], 1);
    hook(&["install", "--pre-receive"], 0);
    hook(&["status"], 0);
    hook(&["status", "--pre-commit"], 1);
    repo.commit_file("b.txt", "clean\n", "clean");
    git(&repo, &["push", "origin", "main"], 0);
    let text = pair(&mut keys);
    repo.commit_file("c.txt", &text, "a key");
    let said = git(&repo, &["push", "origin", "main"], 1);
    assert!(said.contains("remote:") && said.contains("c.txt"), "{said}");
    assert!(said.contains("keysieve refused this push"), "{said}");
    assert!(said.contains("refs/heads/main"), "{said}");
    assert!(!said.contains("git gc"), "{said}");
    let secret = text.split(' ').next_back().expect("a secret").trim();
    assert!(!shows_part_of(secret, &said), "{said}");
    // Nothing of it is kept on the server.
    let blob = repo.git(&["rev-parse", "HEAD:c.txt"]);
    repo.git_command()
        .args([
            "-C",
            &server.path().to_string_lossy(),
            "cat-file",
            "-e",
            &blob,
        ])
        .status(1);
    git(&repo, &["push", "origin", "HEAD:refs/heads/other"], 1);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.commit_file("c.txt", "no key\n", "no key");
    git(
        &repo,
        &["push", "origin", "main", "HEAD:refs/heads/other"],
        0,
    );
}

#[test]
fn references_that_git_would_not_write_are_an_error() {
    let (repo, _server) = repo_and_server();
    for input in ["nonsense\n", "a b c d\n"] {
        repo.keysieve(&["hook", "run", "pre-push", "origin", "url"])
            .stdin(input)
            .status(2);
    }
    let absent = "1".repeat(40);
    repo.keysieve(&["hook", "run", "pre-push", "origin", "url"])
        .stdin(format!("a {absent} refs/heads/a {absent}\n"))
        .status(2);
    repo.keysieve(&["hook", "run", "pre-push", "origin", "url"])
        .stdin("")
        .status(0);
}

#[test]
fn the_pre_commit_framework_says_which_range() {
    let (repo, _server) = repo_and_server();
    let mut keys = Keys::new(12);
    repo.commit_file("b.txt", pair(&mut keys), "a key");
    repo.commit_file("c.txt", "clean\n", "clean");
    let run = |from: &str, to: &str, status: i32| {
        repo.keysieve(&["hook", "run", "pre-commit"])
            .env("PRE_COMMIT", "1")
            .env("PRE_COMMIT_FROM_REF", from)
            .env("PRE_COMMIT_TO_REF", to)
            .status(status)
    };
    let found = run("origin/main", "HEAD", 1);
    assert!(found.out().contains("b.txt"), "{}", found.show());
    run("HEAD~1", "HEAD", 0);
    run("nowhere", "HEAD", 2);
}
