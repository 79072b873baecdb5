//! Repositories and trees made to harm: the program ends, in bounded memory, says what it could not read,
//! and executes nothing.

use std::fs;
use std::path::Path;

use crate::support::command::{Run, close_to_all, open_to_all};
use crate::support::trace::{assert_starts_nothing, traced};
use crate::support::{Keys, TestCommand, TestRepo, pair};

/// Address space of a run, in bytes, and seconds that it may take on a busy machine.
const MEMORY: &str = "--as=3000000000";
const PATIENCE: &str = "150";

/// The program with bounds on time and memory.
fn bounded(dir: impl AsRef<Path>, args: &[&str]) -> TestCommand {
    let wrapper = ["timeout", "-s", "KILL", PATIENCE, "prlimit", MEMORY];
    TestCommand::keysieve_under(&wrapper, dir).args(args)
}

#[test]
#[cfg(target_os = "linux")]
fn a_chain_of_4000_deltas_is_read_to_its_end() {
    let repo = TestRepo::new();
    let mut stream = String::new();
    let filler = "the same line in all versions\n".repeat(40);
    for number in 0..4000 {
        let middle = if number == 2500 {
            pair(1)
        } else {
            String::new()
        };
        let text = format!("{filler}{number}\n{middle}{filler}");
        stream.push_str(&format!("blob\ndata {}\n{text}\n", text.len()));
    }
    repo.git_command()
        .args([
            "-c",
            "fastimport.unpackLimit=0",
            "fast-import",
            "--quiet",
            "--depth=4500",
        ])
        .stdin(stream)
        .status(0);
    let run = bounded(repo.path(), &["history", "--format=json"]).status(1);
    assert_eq!(run.json()["coverage"]["blobs"], 4000, "{}", run.show());
    assert_eq!(run.json()["coverage"]["complete"], true, "{}", run.show());
}

#[test]
#[cfg(target_os = "linux")]
fn what_inflates_a_thousand_times_is_read_or_named() {
    let repo = TestRepo::new();
    for (size, status) in [("100M", 0), ("300M", 2)] {
        let script = format!("head -c {size} /dev/zero | git hash-object -w --stdin");
        TestCommand::new("sh", repo.path())
            .args(["-c", &script])
            .status(0);
        let run = bounded(repo.path(), &["history", "--format=json", "--threads=2"]).status(status);
        let sizes = &run.json()["coverage"]["skipped"]["size"];
        assert_eq!(
            sizes.as_u64().unwrap_or(0),
            status as u64 / 2,
            "{}",
            run.show()
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_tree_of_ten_thousand_million_paths_ends() {
    let repo = TestRepo::new();
    repo.write("leaf", pair(2));
    let mut id = repo.git(&["hash-object", "-w", "leaf"]);
    let mut kind = "100644 blob";
    for _ in 0..10 {
        let lines: String = (0..10)
            .map(|index| format!("{kind} {id}\t{index}\n"))
            .collect();
        let run = repo.git_command().arg("mktree").stdin(lines).status(0);
        id = run.out().trim().to_owned();
        kind = "040000 tree";
    }
    let commit = repo.git(&["commit-tree", "-m", "wide", &id]);
    repo.git(&["update-ref", "refs/heads/main", &commit]);
    let run = bounded(repo.path(), &["history", "--format=json"]).run();
    assert_eq!(run.status, 2, "{}", run.err());
    assert!(run.err().contains("findings"), "{}", run.err());
    assert!(run.stdout.len() < 50_000_000, "{} bytes", run.stdout.len());
    let run = bounded(repo.path(), &["scan", "leaf"]).status(1);
    assert!(run.out().contains("leaf"), "{}", run.show());
    let zeros = "0".repeat(40);
    let pushed = format!("refs/heads/main {commit} refs/heads/main {zeros}\n");
    let received = format!("{zeros} {commit} refs/heads/main\n");
    let index = format!("100644 {}\tleaf\n", repo.git(&["hash-object", "leaf"]));
    repo.git_command()
        .args(["update-index", "--index-info"])
        .stdin(index)
        .status(0);
    for (args, stdin, status) in [
        (&["history", "--reachable"][..], "", 2),
        (&["history", "--connectivity"], "", 2),
        (&["history", "--range", "HEAD"], "", 2),
        (&["history", "--since", "1990-01-01"], "", 2),
        (&["hook", "run", "pre-push", "o", "url"], &pushed, 2),
        // What the index no longer has is old, and so is its secret.
        (&["staged"], "", 0),
        (&["staged", "--all"], "", 1),
        (&["hook", "run", "pre-commit"], "", 0),
    ] {
        let run = bounded(repo.path(), args).stdin(stdin).status(status);
        let is_found = run.out().contains("aws-access-key-pair");
        assert_eq!(
            is_found,
            status > 0,
            "{args:?}: {} {}",
            run.status,
            run.err()
        );
        assert!(run.stdout.len() < 50_000_000, "{} bytes", run.stdout.len());
    }
    // New to a server is what no reference of it reaches.
    repo.git(&["update-ref", "-d", "refs/heads/main"]);
    let args = ["hook", "run", "pre-receive"];
    let run = bounded(repo.path(), &args).stdin(received).status(2);
    assert!(run.out().contains("aws-access-key-pair"), "{}", run.err());
}

#[test]
#[cfg(target_os = "linux")]
fn a_hundred_thousand_references_are_read() {
    let repo = TestRepo::new();
    let commit = repo.commit_file("a", pair(3), "one");
    let mut text = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
    for number in 0..100_000 {
        text.push_str(&format!("{commit} refs/heads/b{number:06}\n"));
    }
    repo.write(".git/packed-refs", text);
    let run = bounded(repo.path(), &["history", "--format=json"]).status(1);
    assert!(run.stdout.len() < 10_000_000, "{} bytes", run.stdout.len());
}

/// What 20,000 references reach is worked out once, not for each of 2,000 that are pushed.
#[test]
#[cfg(target_os = "linux")]
fn a_push_of_many_references_beside_many_is_read_once() {
    let repo = TestRepo::new();
    let mut stream = String::new();
    for number in 0..20_000 {
        let head = "committer a <a@example.com> 1700000000 +0000\ndata 1\na\n";
        stream.push_str(&format!(
            "commit refs/remotes/o/b{number}\n{head}M 100644 inline f\ndata 5\n{number:05}\n"
        ));
    }
    repo.git_command()
        .args(["fast-import", "--quiet"])
        .stdin(stream)
        .status(0);
    repo.git(&["pack-refs", "--all"]);
    let commit = repo.commit_file("a", pair(3), "one");
    let zeros = "0".repeat(40);
    let line = |number| format!("refs/heads/n{number} {commit} refs/heads/n{number} {zeros}\n");
    let pushed: String = (0..2_000).map(line).collect();
    let args = ["hook", "run", "pre-push", "o", "url"];
    let run = bounded(repo.path(), &args).stdin(pushed).status(1);
    assert!(run.out().contains("aws-access-key-pair"), "{}", run.err());
}

const NAMES: &[&str] = &[
    "new\nline",
    "\u{1b}[31mred",
    "::error::injected",
    " ::error::injected",
    "##vso[task.setvariable variable=PATH]injected",
    "\n::error::injected",
    "<script>alert(1)</script>",
    "=cmd()",
    "@SUM(1)",
    "..hidden",
    "-rf",
    "\u{202e}reversed",
    "a\tb\rc",
    "\"'`$(touch executed)",
    "]]>&amp;",
];

/// Annotated tags `1`, `2` and so on, each naming the one before, the first one naming `target`.
#[cfg(target_os = "linux")]
fn chain_of_tags(repo: &TestRepo, target: &str, length: usize) {
    let mut stream = String::new();
    for number in 1..=length {
        let from = match number {
            1 => target.to_owned(),
            _ => format!(":{}", number - 1),
        };
        stream.push_str(&format!(
            "tag {number}\nmark :{number}\nfrom {from}\ntagger T <t@example.org> 1 +0000\ndata 1\nt\n"
        ));
    }
    repo.git_command()
        .args(["fast-import", "--quiet"])
        .stdin(stream)
        .status(0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_chain_of_tags_is_followed_to_its_end() {
    let repo = TestRepo::new();
    repo.commit_file("clean", "clean\n", "clean");
    let base = repo.git(&["rev-parse", "HEAD"]);
    let commit = repo.commit_file("keys", pair(1), "keys");
    chain_of_tags(&repo, &commit, 1000);
    let zeros = "0".repeat(40);
    let line = |tag: &str| {
        let tag_id = repo.git(&["rev-parse", tag]);
        format!("refs/tags/{tag} {tag_id} refs/tags/{tag} {zeros}\n")
    };
    let range = format!("{base}..500");
    // Of the commit nothing but tags is left.
    repo.git(&["update-ref", "-d", "refs/heads/main"]);
    for (args, stdin) in [
        (&["hook", "run", "pre-push", "o", "url"][..], line("1")),
        (&["hook", "run", "pre-push", "o", "url"], line("1000")),
        (&["history", "--range", &range], String::new()),
        (&["history", "--branch", "1000"], String::new()),
        (&["history", "--reachable"], String::new()),
        (&["history"], String::new()),
    ] {
        let run = bounded(repo.path(), args).stdin(stdin).status(1);
        assert!(run.out().contains("keys"), "{}", run.show());
    }
}

/// A tree of entries as they are given, whatever Git thinks of them.
fn raw_tree(repo: &TestRepo, entries: &[(&str, &str, &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend(format!("{mode} {name}\0").as_bytes());
        let id = gix::ObjectId::from_hex(id.as_bytes()).expect("an object id");
        bytes.extend(id.as_bytes());
    }
    let args = ["hash-object", "-t", "tree", "--literally", "-w", "--stdin"];
    let run = repo.git_command().args(args).stdin(bytes).status(0);
    run.out().trim().to_owned()
}

#[test]
#[cfg(target_os = "linux")]
fn of_two_entries_of_one_name_both_are_read() {
    let repo = TestRepo::new();
    let blob = |text: &str| {
        repo.write("text", text);
        repo.git(&["hash-object", "-w", "text"])
    };
    let (keys, clean) = (blob(&pair(5)), blob("clean\n"));
    let below = |id: &str| raw_tree(&repo, &[("100644", "f", id)]);
    let (keys_below, clean_below) = (below(&keys), below(&clean));
    for (mode, first, second) in [
        ("100644", &keys, &clean),
        ("100644", &clean, &keys),
        ("40000", &keys_below, &clean_below),
        ("40000", &clean_below, &keys_below),
    ] {
        let tree = raw_tree(&repo, &[(mode, "same", first), (mode, "same", second)]);
        let commit = repo.git(&["commit-tree", "-m", "twice", &tree]);
        repo.git(&["update-ref", "refs/heads/main", &commit]);
        let pushed = format!(
            "refs/heads/main {commit} refs/heads/main {}\n",
            "0".repeat(40)
        );
        for (args, stdin) in [
            (&["history"][..], ""),
            (&["history", "--reachable"], ""),
            (&["history", "--range", "HEAD"], ""),
            (&["history", "--since", "1990-01-01"], ""),
            (&["hook", "run", "pre-push", "o", "url"], &pushed),
        ] {
            let run = bounded(repo.path(), args).stdin(stdin).status(1);
            assert!(run.out().contains("same"), "{}", run.show());
        }
    }
}

#[test]
#[cfg(unix)]
fn names_inject_nothing_into_terminals_and_reports() {
    let repo = TestRepo::new();
    for (index, name) in NAMES.iter().enumerate() {
        repo.write(name, pair(100 + index as u64));
    }
    repo.git(&["add", "--all"]);
    repo.commit("\u{1b}]0;title\u{7}::error::subject\n\n<script>");
    for command in ["scan", "history"] {
        for format in [
            "text", "json", "jsonl", "sarif", "junit", "csv", "github", "gitlab", "html",
            "markdown",
        ] {
            let run = repo
                .keysieve(&[command, "--format", format, "--color=never"])
                .status(1);
            let out = run.out();
            let is_safe = |c: char| c == '\n' || (!c.is_control() && c != '\u{202e}');
            if format == "text" || format == "github" {
                assert!(out.chars().all(is_safe), "{}", run.show());
            }
            assert!(!out.contains('\u{1b}'), "{}", run.show());
            let is_command = |line: &&str| line.trim_start().starts_with("::");
            let annotations = out.lines().filter(is_command).count();
            assert_eq!(run.err(), "", "{}", run.show());
            match format {
                "github" => assert_eq!(annotations, NAMES.len(), "{}", run.show()),
                // Nobody prints the others into a log that is read for commands.
                "text" => {
                    assert_eq!(annotations, 0, "{}", run.show());
                    assert!(!out.contains("##vso["), "{}", run.show());
                }
                _ => {}
            }
            match format {
                "html" => assert!(!out.contains("<script>alert"), "{}", run.show()),
                "junit" => assert!(!out.contains("<script"), "{}", run.show()),
                "csv" => assert!(
                    !out.lines()
                        .any(|line| line.contains(",=cmd") || line.starts_with('=')),
                    "{}",
                    run.show()
                ),
                "json" | "sarif" | "gitlab" => drop(run.json()),
                _ => {}
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn where_no_thread_can_be_had_one_does_all() {
    let repo = TestRepo::new();
    open_to_all(repo.path());
    for number in 0..300 {
        repo.write(format!("file{number}"), format!("{number}\n"));
    }
    repo.write("keys", pair(4));
    repo.git(&["add", "."]);
    for committed in [false, true] {
        let commands = [
            &["staged"][..],
            &["scan", "--threads=4"],
            &["history", "--threads=4"],
            &["history", "--threads=4", "--range", "HEAD"],
        ];
        for args in &commands[usize::from(committed)..if committed { 4 } else { 2 }] {
            let run = TestCommand::keysieve_without_threads(repo.path())
                .args(*args)
                .arg("--format=json")
                .status(1);
            assert_eq!(run.json()["coverage"]["complete"], true, "{}", run.show());
            assert_eq!(run.json()["summary"]["errors"], 1, "{}", run.show());
            assert_eq!(run.err(), "", "{}", run.show());
        }
        repo.commit("all");
    }
}

#[test]
fn paths_that_lead_elsewhere_stay_below_the_root_in_reports() {
    let repo = TestRepo::new();
    let names = ["..", ".", "", "/etc/passwd", "../x", ".git"];
    let blobs: Vec<String> = (1..)
        .zip(names)
        .map(|(seed, _)| {
            repo.write("leaf", pair(seed));
            repo.git(&["hash-object", "-w", "leaf"])
        })
        .collect();
    let entries: Vec<_> = names
        .iter()
        .zip(&blobs)
        .map(|(name, id)| ("100644", *name, id.as_str()))
        .collect();
    let tree = raw_tree(&repo, &entries);
    let outer = format!("040000 tree {tree}\t..\n");
    let outer = repo.git_command().arg("mktree").stdin(outer).run();
    let trees = match outer.status {
        0 => vec![outer.out().trim().to_owned(), tree],
        // Some versions of Git refuse to make such a tree.
        _ => vec![tree],
    };
    let uri = regex::Regex::new(r#""(?:uri|file)": "([^"]*)""#).expect("a regex");
    for tree in trees {
        let commit = repo.git(&["commit-tree", "-m", "elsewhere", &tree]);
        repo.git(&["update-ref", "refs/heads/main", &commit]);
        for range in [&[][..], &["--range", "HEAD"]] {
            let report = |format| {
                let args = [&["history", "--format", format], range].concat();
                let run = repo.keysieve(&args).run();
                assert_eq!(run.status, 1, "{}", run.show());
                run
            };
            let (sarif, gitlab) = (report("sarif").out(), report("gitlab").out());
            let paths: Vec<String> = uri
                .captures_iter(&(sarif + &gitlab))
                .map(|found| found[1].to_owned())
                .filter(|path| !path.starts_with("https:"))
                .collect();
            assert!(paths.len() >= 2 * names.len(), "{paths:?}");
            let leads_elsewhere = |path: &String| {
                path.starts_with("file:") || path.split('/').any(|part| [".", ".."].contains(&part))
            };
            let wrong: Vec<_> = paths.iter().filter(|path| leads_elsewhere(path)).collect();
            assert!(wrong.is_empty(), "{wrong:?}");
        }
    }
}

#[test]
#[cfg(unix)]
fn settings_inject_nothing_into_a_log() {
    let repo = TestRepo::new();
    repo.commit_file("clean", "clean\n", "clean");
    let evil = "x\\n::error::injected\\n ::error::injected ##vso[injected]";
    let settings = [
        format!("\"{evil}\" = 1\n"),
        format!("exclude = [\"{{{evil}\"]\n"),
        format!("rules.disable = [\"{evil}\"]\n"),
        format!("[[allow]]\npaths = [\"{{{evil}\"]\nreason = \"r\"\n"),
        format!("[[allow]]\nreason = \"r\"\n\"{evil}\" = 1\n"),
    ];
    let assert_inert = |run: &Run| {
        let said = run.out() + &run.err();
        assert!(said.contains("injected"), "{}", run.show());
        let is_command =
            |line: &str| line.trim_start().starts_with("::") || line.contains("##vso[");
        assert!(!said.lines().any(is_command), "{}", run.show());
    };
    for text in &settings {
        repo.stage(".keysieve.toml", text);
        for (args, status) in [
            (&["scan"][..], 2),
            (&["scan", "--format=json"], 2),
            (&["staged"], 2),
            (&["history"], 2),
            (&["hook", "run", "pre-commit"], 2),
            (&["config", "check"], 1),
            (&["config", "show"], 2),
        ] {
            assert_inert(&repo.keysieve(args).status(status));
        }
    }
    repo.stage(".keysieve.toml", "");
    for args in [
        &["scan", "a\n::error::injected"][..],
        &["scan", "--rules", "a\n::error::injected"],
        &["scan", "--exclude", "{\n::error::injected"],
        &["history", "--range", "a\n::error::injected"],
        &["history", "a\n::error::injected"],
        &["rules", "explain", "a\n::error::injected"],
        &["scan", "--format", "a\n::error::injected"],
    ] {
        assert_inert(&repo.keysieve(args).status(2));
    }
}

#[test]
#[cfg(unix)]
fn git_directories_of_odd_kinds_are_told_and_loops_end() {
    use std::os::unix::fs::symlink;
    let repo = TestRepo::new();
    repo.write("a", pair(4));
    for (name, text) in [
        ("one/.git", "gitdir: .\n"),
        ("two/.git", "gitdir: ../two/.git\n"),
        ("three/.git", "\0\0"),
        ("four/.git", ""),
    ] {
        repo.write(name, text);
    }
    fs::create_dir_all(repo.join("five/.git")).expect("a directory");
    fs::create_dir_all(repo.join("six")).expect("a directory");
    symlink(".git", repo.join("six/.git")).expect("a link");
    symlink("..", repo.join("seven")).expect("a link");
    symlink("/", repo.join("eight")).expect("a link");
    for args in [
        &["scan", "--format=json"][..],
        &["scan", "--format=json", "--no-ignore"],
    ] {
        let run = bounded(repo.path(), args).run();
        assert!(run.status == 1 || run.status == 2, "{}", run.show());
        assert_eq!(
            run.json()["findings"].as_array().map(Vec::len),
            Some(1),
            "{}",
            run.show()
        );
    }
    for dir in ["one", "two", "three", "four"] {
        for command in ["history", "staged"] {
            bounded(repo.join(dir), &[command]).status(2);
        }
    }
}

/// The environment of a hook or of a person's shell may say anything: the run ends, and reads what it says it read.
#[test]
#[cfg(target_os = "linux")]
fn variables_that_lie_neither_hang_nor_hide_anything() {
    let repo = TestRepo::new();
    repo.commit_file("a", pair(8), "one");
    repo.stage("b", pair(9));
    let pipe = repo.join("pipe");
    TestCommand::new("mkfifo", repo.path()).arg(&pipe).status(0);
    let pipe = pipe.to_str().expect("a path");
    for (name, value) in [
        ("GIT_DIR", "/nonexistent"),
        ("GIT_DIR", pipe),
        ("GIT_DIR", ""),
        ("GIT_WORK_TREE", "/nonexistent"),
        ("GIT_COMMON_DIR", "/nonexistent"),
        ("GIT_INDEX_FILE", "/dev/zero"),
        ("GIT_INDEX_FILE", pipe),
        ("GIT_OBJECT_DIRECTORY", "/nonexistent"),
        ("GIT_OBJECT_DIRECTORY", pipe),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "/nonexistent"),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "\"unclosed:/dev/zero"),
        ("GIT_CEILING_DIRECTORIES", "/"),
        ("GIT_NAMESPACE", "../.."),
        ("GIT_SHALLOW_FILE", "/dev/zero"),
        ("GIT_GRAFT_FILE", "/dev/zero"),
        ("GIT_REPLACE_REF_BASE", "refs/heads/"),
        ("GIT_CONFIG", "/dev/zero"),
        ("GIT_CONFIG_GLOBAL", "/dev/zero"),
        ("GIT_CONFIG_SYSTEM", pipe),
        ("GIT_CONFIG_COUNT", "99999999999999999999"),
        ("GIT_CONFIG_COUNT", "-1"),
        ("GIT_CONFIG_PARAMETERS", "'core.bare"),
        ("GIT_DEFAULT_HASH", "md5"),
        ("GIT_LITERAL_PATHSPECS", "maybe"),
        ("GIT_TRACE", "/dev/full"),
    ] {
        for command in ["history", "staged", "scan"] {
            let run = bounded(repo.path(), &[command, "--format=json"])
                .env(name, value)
                .run();
            let show = format!("{name}={value}\n{}", run.show());
            assert!(run.status == 1 || run.status == 2, "{show}");
            assert!(!run.err().contains("should not happen"), "{show}");
            if run.status == 1 {
                let wanted = if command == "scan" { 2 } else { 1 };
                let found = run.json()["findings"].as_array().map_or(0, Vec::len);
                assert!(found >= wanted, "{show}");
            }
        }
    }
}

/// Nobody who only clones gets such a repository; who unpacks an archive does.
#[test]
#[cfg(target_os = "linux")]
fn pipes_in_the_place_of_files_are_not_waited_for() {
    for name in [
        ".git/HEAD",
        ".git/config",
        ".git/index",
        ".git/packed-refs",
        ".git/shallow",
        ".git/refs/heads/main",
        ".git/refs/heads/other",
        ".git/objects/info/alternates",
        ".git/objects/12/34567890123456789012345678901234567890",
        ".git/objects/pack/pack-1.idx",
        ".git/objects/pack/pack-1.pack",
        ".git/info/exclude",
        ".gitignore",
        ".gitattributes",
        ".keysieve.toml",
        ".keysieve-baseline",
        "pipe",
        ".git/commondir",
        ".git/logs/HEAD",
        ".git/config.worktree",
        ".git/objects/info/commit-graph",
        ".git/objects/info/commit-graphs/commit-graph-chain",
    ] {
        let repo = TestRepo::new();
        repo.stage(".gitignore", "a\n");
        repo.commit_file("a", pair(10), "one");
        repo.commit("two");
        with_pipe(&repo, name);
        for args in [
            &["history"][..],
            &["history", "--reachable"],
            &["history", "--range", "HEAD@{1}...HEAD"],
            &["staged"],
            &["scan"],
            &["baseline", "check"],
        ] {
            let run = ends(&repo, args, name);
            if run.status == 0 {
                // Nothing is staged, and nothing is in the range; everything else finds the pair or says why not.
                let finds = !["staged", "--range"].iter().any(|arg| args.contains(arg));
                assert!(!finds || args[0] == "baseline", "{name}\n{}", run.show());
            }
        }
    }
}

/// Makes a pipe in the place of a file.
#[cfg(target_os = "linux")]
fn with_pipe(repo: &TestRepo, name: &str) {
    let path = repo.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    let _ = fs::remove_file(&path);
    TestCommand::new("mkfifo", repo.path()).arg(&path).status(0);
}

/// Runs keysieve, which has to end by itself, where `name` is a pipe.
#[cfg(target_os = "linux")]
fn ends(repo: &TestRepo, args: &[&str], name: &str) -> Run {
    let run = TestCommand::keysieve_under(&["timeout", "-s", "KILL", "30"], repo.path())
        .args(args)
        .run();
    let show = format!("{name}\n{}", run.show());
    assert!((0..=2).contains(&run.status), "{show}");
    assert!(!run.err().contains("should not happen"), "{show}");
    run
}

/// The larger part of an index that is split is a file of its own.
#[test]
#[cfg(target_os = "linux")]
fn a_pipe_in_the_place_of_a_shared_index_is_not_waited_for() {
    let repo = TestRepo::new();
    repo.stage(".gitignore", "a\n");
    repo.commit_file("a", pair(11), "one");
    repo.git(&["update-index", "--split-index"]);
    assert_eq!(ends(&repo, &["scan"], "nothing").status, 1);
    let names = fs::read_dir(repo.join(".git"))
        .expect("a directory")
        .flatten();
    let mut names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let shared = names.find(|name| name.starts_with("sharedindex"));
    with_pipe(&repo, &format!(".git/{}", shared.expect("a shared index")));
    for command in ["scan", "staged"] {
        let run = ends(&repo, &[command], "the shared index");
        assert_eq!(run.status, 2, "{}", run.show());
        assert!(
            run.err().contains("it is not a regular file")
                || run.out().contains("it is not a regular file"),
            "{}",
            run.show()
        );
    }
}

/// A commit-graph may say what it likes: what counts is what the commits say.
#[test]
fn a_commit_graph_that_lies_hides_nothing() {
    let repo = TestRepo::new();
    repo.commit_file("a", "a\n", "base");
    repo.git(&["branch", "side"]);
    let ours = repo.commit_file("b", "b\n", "ours");
    repo.git(&["checkout", "--quiet", "side"]);
    let theirs = repo.commit_file("c", pair(12), "theirs");
    repo.git(&["commit-graph", "write", "--reachable"]);
    let path = repo.join(".git/objects/info/commit-graph");
    let mut graph = fs::read(&path).expect("a graph");
    // Ids are sorted, so the places of the commits are; a commit's data are its tree, two parents and its dates.
    let mut all = [
        repo.git(&["rev-parse", "main~1"]),
        ours.clone(),
        theirs.clone(),
    ];
    all.sort();
    let place = |id: &String| all.iter().position(|it| it == id).expect("a commit") as u32;
    let data = find(&graph, b"CDAT").expect("a table") + 4;
    let data = u64::from_be_bytes(graph[data..data + 8].try_into().expect("eight bytes")) as usize;
    let parent = data + place(&ours) as usize * 36 + 20;
    graph[parent..parent + 4].copy_from_slice(&place(&theirs).to_be_bytes());
    fs::remove_file(&path).expect("a file");
    fs::write(&path, graph).expect("a file");
    let run = repo.keysieve(&["history", "--range", "main...side"]);
    let run = run.status(1);
    assert!(run.out().contains("aws-access-key-pair"), "{}", run.show());
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// A repository with a pair in its commit (5), its index (6), a message (7) and a commit to be pushed (8), whose
/// configuration would run `touch` on any occasion that there is.
#[cfg(unix)]
fn repository_that_runs(touch: &str) -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_file("a.txt", pair(5), "one");
    repo.commit_file("c.txt", pair(8), "to be pushed");
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    repo.stage("b.txt", pair(6));
    repo.write("message", pair(7));
    repo.write(
        ".git/evil.inc",
        format!("[core]\n\tfsmonitor = {touch}\n\tpager = {touch}\n"),
    );
    repo.write("hooks/pre-commit", format!("#!/bin/sh\n{touch}\n"));
    repo.write("hooks/post-index-change", format!("#!/bin/sh\n{touch}\n"));
    repo.write(".gitattributes", "* diff=evil filter=evil merge=evil\n");
    let mut config = fs::read_to_string(repo.join(".git/config")).expect("the configuration");
    config.push_str(&format!(
        "[core]\n\tfsmonitor = {touch}\n\thooksPath = hooks\n\tsshCommand = {touch}\n\tpager = {touch}\n\
         \teditor = {touch}\n\taskPass = {touch}\n\talternateRefsCommand = {touch}\n\tgitProxy = {touch}\n\
         [diff]\n\texternal = {touch}\n[diff \"evil\"]\n\ttextconv = {touch}\n\tcommand = {touch}\n\
         [filter \"evil\"]\n\tclean = {touch}\n\tsmudge = {touch}\n\tprocess = {touch}\n\trequired = true\n\
         [merge \"evil\"]\n\tdriver = {touch}\n[credential]\n\thelper = !{touch}\n[gpg]\n\tprogram = {touch}\n\
         [uploadpack]\n\tpackObjectsHook = {touch}\n[alias]\n\tkeysieve = !{touch}\n\
         [include]\n\tpath = evil.inc\n[includeIf \"gitdir:**\"]\n\tpath = evil.inc\n\
         [remote \"origin\"]\n\turl = ext::{touch}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n"
    ));
    repo.write(".git/config", config);
    repo
}

#[test]
#[cfg(unix)]
fn nothing_that_a_repository_names_is_executed() {
    let outside = tempfile::tempdir().expect("a directory");
    let marker = outside.path().join("executed");
    let touch = format!("touch {}", marker.display());
    let repo = repository_that_runs(&touch);
    let pushed = fs::read_to_string(repo.join(".git/ORIG_HEAD")).expect("a commit");
    let (pushed, zeros) = (pushed.trim_end(), "0".repeat(40));
    let push = format!("refs/heads/new {pushed} refs/heads/new {zeros}\n");
    let receive = format!("{zeros} {pushed} refs/heads/new\n");
    // Arguments, standard input, status, the seeds of the pairs that are found.
    let cells: &[(&[&str], &str, i32, &[u64])] = &[
        (&["scan"], "", 1, &[5, 6, 7]),
        (&["staged"], "", 1, &[6]),
        (&["history"], "", 1, &[5, 6, 8]),
        (&["hook", "run", "pre-commit"], "", 1, &[6]),
        (&["hook", "run", "commit-msg", "message"], "", 1, &[7]),
        (
            &["hook", "run", "pre-push", "origin", "url"],
            &push,
            1,
            &[5, 8],
        ),
        (&["hook", "run", "pre-receive"], &receive, 1, &[8]),
        (&["hook", "status"], "", 1, &[]),
        (&["config", "check"], "", 0, &[]),
        (&["baseline", "write"], "", 0, &[]),
    ];
    for (args, stdin, status, found) in cells {
        let (run, log) = traced(repo.path(), |command| {
            let command = command.args(*args).stdin(*stdin);
            let names = [
                "GIT_SSH_COMMAND",
                "GIT_EXTERNAL_DIFF",
                "GIT_PAGER",
                "GIT_ASKPASS",
            ];
            let command = names
                .iter()
                .fold(command, |command, name| command.env(name, &touch));
            command
                .env("GIT_CONFIG_COUNT", "1")
                .env("GIT_CONFIG_KEY_0", "core.fsmonitor")
                .env("GIT_CONFIG_VALUE_0", &touch)
        });
        assert_eq!(run.status, *status, "{}", run.show());
        for seed in *found {
            assert!(run.out().contains(&Keys::new(*seed).id()), "{}", run.show());
        }
        assert!(!marker.exists(), "{}", run.show());
        if let Some(log) = log {
            assert_starts_nothing(&log);
        }
    }
    let baseline = fs::read_to_string(repo.join(".keysieve-baseline")).expect("a baseline");
    for name in ["a.txt", "b.txt", "message"] {
        assert!(baseline.contains(name), "{baseline}");
    }
}

/// The bounds that the documentation states, each just kept and just passed.
#[test]
#[cfg(target_os = "linux")]
fn what_is_beyond_a_bound_is_counted_and_said() {
    let skipped = |run: &crate::support::command::Run, reason: &str| {
        let count = &run.json()["coverage"]["skipped"][reason];
        count.as_u64().unwrap_or(0)
    };
    let listed = |run: &crate::support::command::Run| {
        let findings = &run.json()["findings"];
        findings.as_array().map_or(0, Vec::len)
    };
    let scan = ["scan", "--format=json"];
    for (count, status, beyond) in [(1000, 1, 0), (1234, 2, 234)] {
        let dir = tempfile::tempdir().expect("a directory");
        let text: String = (0..count)
            .map(|number| pair(2000 + number) + &"\n".repeat(20))
            .collect();
        fs::write(dir.path().join("many"), &text).expect("a file");
        let run = bounded(dir.path(), &scan).status(status);
        assert_eq!((listed(&run), skipped(&run, "findings")), (1000, beyond));
        // The bound is one blob's: two of them list twice as many.
        fs::write(dir.path().join("more"), pair(1)).expect("a file");
        let run = bounded(dir.path(), &scan).status(status);
        assert_eq!(listed(&run), 1001);
    }
    // The largest file and the largest object.
    let repo = TestRepo::new();
    // Larger than the commit and the tree.
    let text = pair(11) + &"text\n".repeat(200);
    repo.commit_file("a", &text, "one");
    for (option, command) in [("file", "scan"), ("object", "history")] {
        for (limit, status, beyond) in [(text.len(), 1, 0), (text.len() - 1, 2, 1)] {
            let option = format!("--max-{option}-size={limit}");
            let args = [command, option.as_str(), "--format=json"];
            let run = bounded(repo.path(), &args).status(status);
            assert_eq!(skipped(&run, "size"), beyond, "{}", run.show());
        }
    }
    // Of what is skipped, so much is named; all of it is counted.
    let dir = tempfile::tempdir().expect("a directory");
    open_to_all(dir.path());
    for number in 0..1010 {
        let path = dir.path().join(number.to_string());
        fs::write(&path, "text").expect("a file");
        close_to_all(&path);
    }
    let run = TestCommand::keysieve_as_nobody(dir.path())
        .args(scan)
        .status(2);
    let named = run.json()["coverage"]["skips"]
        .as_array()
        .map_or(0, Vec::len);
    assert_eq!((skipped(&run, "unreadable"), named), (1010, 1000));
    // Three levels of quoting are undone; what is quoted far more often is not promised, but ends.
    for levels in [1, 3, 10, 14] {
        let mut text = pair(12).replace('\n', " ");
        for _ in 0..levels {
            text = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        }
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("quoted"), &text).expect("a file");
        let run = bounded(dir.path(), &scan).run();
        let promised = if levels <= 3 { 1..=1 } else { 0..=1 };
        assert!(promised.contains(&run.status), "{levels}\n{}", run.show());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn dense_text_takes_bounded_memory_and_time() {
    let literals = [
        ["AK", "IA"].concat(),
        ["QUt", "JQ"].concat(),
        ["gh", "p_"].concat(),
        "aws_secret_access_key=".to_owned(),
    ];
    for literal in literals {
        let dir = tempfile::tempdir().expect("a directory");
        let repeated = literal.repeat(400_000 / literal.len());
        fs::write(dir.path().join("dense"), format!("{repeated}\n{}", pair(7))).expect("a file");
        let run = bounded(dir.path(), &["scan"]).status(1);
        assert!(run.out().contains("found:"), "{}", run.show());
    }
}
