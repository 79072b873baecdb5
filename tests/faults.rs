//! Faults through the real program: whatever fails, the answer is right or the exit status is 2 with a
//! word about what was not read. Never a crash, a hang or a "clean".

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use regex::Regex;
use sha2::Digest as _;

use crate::support::command::{self, Run, close_to_all, is_root, open_to_all};
use crate::support::{Keys, TestCommand, TestRepo, pair, shows_part_of};

/// Longer than any run here takes on a busy machine.
const PATIENCE: &str = "120";

/// Ends what hangs.
fn keysieve(dir: impl AsRef<Path>, args: &[&str]) -> TestCommand {
    TestCommand::keysieve_under(&["timeout", "-s", "KILL", PATIENCE], dir).args(args)
}

/// A run that neither crashed nor hung, and that said why if it failed.
#[track_caller]
fn sane(run: Run) -> Run {
    assert!((0..=2).contains(&run.status), "{}", run.show());
    assert!(!run.err().contains("should not happen"), "{}", run.show());
    assert!(!run.out().contains("should not happen"), "{}", run.show());
    if run.status == 2 {
        let told = format!("{}{}", run.out(), run.err());
        assert!(
            told.contains("error: ") || told.contains("incomplete"),
            "{}",
            run.show()
        );
    }
    run
}

/// The fingerprints of a report in JSON.
fn fingerprints(run: &Run) -> BTreeSet<String> {
    let json = run.json();
    let findings = json["findings"].as_array().cloned().unwrap_or_default();
    findings
        .iter()
        .map(|finding| {
            finding["fingerprint"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

/// The library that makes one file fail. Where Rust links, a C compiler is there.
#[cfg(target_os = "linux")]
fn shim() -> &'static Path {
    static SHIM: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    SHIM.get_or_init(|| {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fault-{}.so", std::process::id()));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/shim.c");
        TestCommand::new("cc", "/")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&path, &source])
            .arg("-ldl")
            .status(0);
        path
    })
}

/// Result of a run with a fault, and if the fault came to pass.
#[cfg(target_os = "linux")]
struct Faulty {
    run: Run,
    happened: bool,
}

#[cfg(target_os = "linux")]
#[track_caller]
fn with_fault(dir: &Path, path: &str, kind: &str, args: &[&str]) -> Faulty {
    let faulty = inject(dir, path, kind, args);
    Faulty {
        run: sane(faulty.run),
        ..faulty
    }
}

#[cfg(target_os = "linux")]
fn inject(dir: &Path, path: &str, kind: &str, args: &[&str]) -> Faulty {
    let logs = tempfile::tempdir().expect("a directory");
    let log = logs.path().join("log");
    fs::write(log.with_extension("next"), "nothing\n").expect("a file");
    let run = keysieve(dir, args)
        .env("LD_PRELOAD", shim())
        .env("FAULT_PATH", path)
        .env("FAULT_KIND", kind)
        .env("FAULT_LOG", &log)
        .env("RUST_BACKTRACE", "full")
        .run();
    Faulty {
        run,
        happened: log.exists(),
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_that_fails_in_the_middle_is_told_or_made_good() {
    let large = format!("{}{}", "x\n".repeat(1 << 20), pair(1));
    let cells = [
        // File, what happens to it, status, what is said.
        ("small", "eio", 2, "unreadable"),
        ("small", "eintr", 1, ""),
        ("small", "truncate", 2, "changed"),
        ("small", "empty", 2, "changed"),
        ("small", "grow", 2, "changed"),
        ("small", "remove", 1, ""),
        ("small", "replace", 1, ""),
        ("small", "short", 1, ""),
        ("large", "eio", 2, "unreadable"),
        ("large", "truncate", 2, "changed"),
        ("large", "empty", 2, "changed"),
        ("large", "grow", 2, "changed"),
        ("large", "remove", 1, ""),
        ("large", "replace", 1, ""),
        ("dir", "eio", 2, "unreadable"),
    ];
    for (file, kind, status, told) in cells {
        let dir = tempfile::tempdir().expect("a directory");
        let path = |name: &str| dir.path().join(name);
        fs::create_dir(path("dir")).expect("a directory");
        fs::write(path("dir/inner"), "nothing\n").expect("a file");
        fs::write(path("small"), pair(1)).expect("a file");
        fs::write(path("large"), &large).expect("a file");
        let keep = if file == "small" { "large" } else { "small" };
        fs::remove_file(path(keep)).expect("removed");
        if file == "dir" {
            fs::write(path("small"), pair(1)).expect("a file");
        }
        let faulty = with_fault(
            dir.path(),
            &format!("/{file}"),
            kind,
            &["scan", "--format=json"],
        );
        let show = format!("{file} {kind}\n{}", faulty.run.show());
        assert!(faulty.happened, "{show}");
        assert_eq!(faulty.run.status, status, "{show}");
        let json = faulty.run.json();
        if told.is_empty() {
            assert_eq!(json["coverage"]["complete"], true, "{show}");
        } else {
            assert!(
                faulty.run.out().contains(told) && faulty.run.out().contains(file),
                "{show}"
            );
        }
    }
}

/// Puts content into the store of Git LFS; gives its pointer.
#[cfg(target_os = "linux")]
fn lfs_object(repo: &TestRepo, content: &[u8]) -> String {
    let hash = format!("{:x}", sha2::Sha256::digest(content));
    let path = format!(".git/lfs/objects/{}/{}/{hash}", &hash[..2], &hash[2..4]);
    repo.write(path, content);
    let size = content.len();
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{hash}\nsize {size}\n")
}

/// A worker that maps a file panics. Files of a directory are read one by one; a history reads what is outside of packs
/// in batches, and maps the content of large files that Git LFS keeps.
#[test]
#[cfg(target_os = "linux")]
fn a_panic_tells_its_place_and_nothing_of_what_was_read_and_costs_a_file_or_a_worker() {
    const SMALL: u64 = 300;
    const LARGE: u64 = 8;
    let (dir, repo) = (tempfile::tempdir().expect("a directory"), TestRepo::new());
    for number in 0..SMALL + LARGE {
        let name = format!("{number}.env");
        let mut text = pair(number);
        if number < SMALL {
            repo.write(&name, &text);
        } else {
            text.push_str(&"#\n".repeat(1 << 19));
            let pointer = lfs_object(&repo, text.as_bytes());
            repo.write(&name, pointer);
        }
        fs::write(dir.path().join(name), text).expect("a file");
    }
    repo.git(&["add", "--all"]);
    repo.commit("keys");
    // Bare and without an index: the first thread maps nothing before there are others.
    repo.git(&["config", "core.bare", "true"]);
    let bare = repo.path().join(".git");
    fs::remove_file(bare.join("index")).expect("an index");
    let line = Regex::new(
        r"^error: (keysieve failed in a way that should not happen at \S+:\d+|the scan is incomplete: .*)$|^warning: nothing was scanned$|^hint: ",
    )
    .expect("a regex");
    for (dir, args) in [
        (dir.path(), ["scan", "--threads=8", "--format=json"]),
        (bare.as_path(), ["history", "--threads=8", "--format=json"]),
    ] {
        let whole = keysieve(dir, &args).run();
        assert_eq!(whole.status, 1, "{}", whole.show());
        let all = fingerprints(&whole).len();
        assert_eq!(all as u64, SMALL + LARGE);
        let Faulty { run, happened } = inject(dir, "/none", "pages", &args);
        assert!(happened, "{}", run.show());
        assert_eq!(run.status, 2, "{}", run.show());
        assert!(run.err().contains("should not happen at"), "{}", run.show());
        for said in run.err().lines() {
            assert!(line.is_match(said), "{}", run.show());
        }
        let lost = &run.json()["coverage"]["skipped"]["internal"];
        let lost = lost.as_u64().expect("a number") as usize;
        assert!(lost > 0, "{}", run.show());
        let found = fingerprints(&run).len();
        match args[0] {
            "scan" => assert_eq!(found, all - lost, "{}", run.show()),
            // A worker takes what else it had, but not what it had found.
            _ => assert!((1..all).contains(&found), "{}", run.show()),
        }
        let told = [&run.stdout[..], &run.stderr].concat();
        for number in 0..SMALL + LARGE {
            let mut keys = Keys::new(number);
            let (_, secret) = (keys.id(), keys.secret());
            assert!(!shows_part_of(&secret, &told), "{}", run.show());
        }
    }
}

/// The pack is emptied once it is mapped: what lies elsewhere is reported all the same.
#[test]
#[cfg(target_os = "linux")]
fn a_pack_that_is_cut_short_under_its_map_costs_only_what_it_held() {
    for (kind, ending) in [("empty", ".pack"), ("truncate", ".pack"), ("empty", ".idx")] {
        let repo = repository();
        let path = find_file(&repo, ending);
        let name = path.file_name().expect("a name").to_string_lossy();
        open_to_write(&path);
        let faulty = with_fault(repo.path(), &format!("/{name}"), kind, HISTORY);
        let show = format!("{kind} {ending}\n{}", faulty.run.show());
        assert!(faulty.happened, "{show}");
        assert_eq!(faulty.run.status, 2, "{show}");
        assert!(names_the_loose_pair(&faulty.run), "{show}");
    }
}

/// A repository with objects in a pack and loose ones, a pair in a blob of each and in a message.
fn repository() -> TestRepo {
    repository_of(pair)
}

/// The same with nothing to find, so that a failure that is swallowed cannot hide behind findings.
fn clean_repository() -> TestRepo {
    repository_of(|number| format!("nothing {number}\n"))
}

fn repository_of(text: fn(u64) -> String) -> TestRepo {
    let repo = TestRepo::new();
    open_to_all(repo.path());
    for number in 0..6 {
        let filler = "a line that the versions share\n".repeat(20);
        repo.commit_file(
            "grows.txt",
            format!("{filler}{number}\n{}", text(100 + number)),
            "version",
        );
    }
    repo.commit_file("dir/sub/one.txt", text(2), "packed");
    repo.git(&["tag", "-a", "-m", "a tag", "v1"]);
    repo.git(&["branch", "side"]);
    repo.git(&["repack", "-a", "-d", "--quiet"]);
    repo.git(&["pack-refs", "--all"]);
    repo.commit_file("dir/two.txt", text(3), &format!("loose\n\n{}", text(4)));
    repo.git(&["branch", "loose"]);
    repo.stage("dir/three.txt", text(5));
    // A read that ends after 7 bytes would leave a rule that ignores everything; what is tracked is not ignored.
    repo.write(".git/info/exclude", "\n\n\n\n\n\n*.log\n");
    repo.stage("tracked.log", text(6));
    repo
}

fn copy(from: &TestRepo) -> TestRepo {
    let to = TestRepo::new();
    open_to_all(to.path());
    fs::remove_dir_all(to.join(".git")).expect("removed");
    let run = TestCommand::new("cp", from.path())
        .args(["-a", "."])
        .arg(to.path())
        .status(0);
    drop(run);
    to
}

const COMMANDS: &[&[&str]] = &[
    &["staged", "--format=json"],
    &["history", "--format=json"],
    &["history", "--reachable", "--format=json"],
    &["scan", "--format=json"],
];

/// The files and directories below `.git`, samples of hooks aside.
fn parts(repo: &TestRepo) -> Vec<String> {
    fn visit(dir: &Path, name: &str, parts: &mut Vec<String>) {
        let mut entries: Vec<_> = fs::read_dir(dir).expect("a directory").flatten().collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            if name.ends_with(".sample") || name.ends_with("/description") {
                continue;
            }
            if entry.path().is_dir() {
                visit(&entry.path(), &name, parts);
            }
            parts.push(name);
        }
    }
    let mut found = Vec::new();
    visit(&repo.join(".git"), ".git", &mut found);
    found
}

/// Place of a fault: the part, its kind, the command.
#[cfg(target_os = "linux")]
type Cell<'c> = (&'c str, &'c str, &'c [&'c str]);

/// Runs each command with each fault of each part of a repository.
#[cfg(target_os = "linux")]
fn each_fault(repo: &TestRepo, mut check: impl FnMut(Cell<'_>, Faulty)) {
    for part in parts(repo) {
        let path = repo.join(&part);
        for kind in ["eio", "empty", "short"] {
            if kind == "empty" && !path.is_file() {
                continue;
            }
            for args in COMMANDS {
                let is_other = args[0] == "scan" && (kind == "short" || part.contains("objects"));
                if is_other || (args[0] == "staged" && kind == "short") {
                    continue;
                }
                let good = fs::read(&path).ok();
                let faulty = with_fault(repo.path(), &format!("/{part}"), kind, args);
                if let Some(good) = good.filter(|_| kind == "empty") {
                    open_to_write(&path);
                    fs::write(&path, good).expect("as it was");
                }
                check((&part, kind, args), faulty);
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_part_of_a_repository_that_fails_is_never_clean() {
    let original = repository();
    let plain: BTreeMap<_, _> = COMMANDS
        .iter()
        .map(|args| (*args, sane(keysieve(original.path(), args).run())))
        .collect();
    let mut happened = 0;
    each_fault(&original, |cell, faulty| {
        happened += usize::from(faulty.happened);
        let run = faulty.run;
        let is_told = run.status == 2 && cell.1 != "short";
        // What of the old version cannot be read makes more new, never less.
        let is_more =
            run.status == 1 && fingerprints(&run).is_superset(&fingerprints(&plain[cell.2]));
        assert!(is_told || is_more, "{cell:?}\n{}", run.show());
    });
    assert!(happened > 50, "{happened}");
}

/// Faults after which it is still true that there is nothing to find.
#[cfg(target_os = "linux")]
const HARMLESS: &[Cell<'_>] = &[
    // Without rules, nothing is ignored.
    (".git/info/exclude", "eio", &["scan"]),
    (".git/info/exclude", "empty", &["scan"]),
    // Of a repository around the files, only its index is asked for.
    (".git/HEAD", "empty", &["scan"]),
    (".git/packed-refs", "eio", &["scan"]),
    (".git/packed-refs", "empty", &["scan"]),
    // What was there before is taken for new, and what is new was read.
    ("HEAD^{tree}", "eio", &["staged"]),
    ("HEAD^{tree}", "empty", &["staged"]),
    ("HEAD:dir", "eio", &["staged"]),
    ("HEAD:dir", "empty", &["staged"]),
];

#[test]
#[cfg(target_os = "linux")]
fn a_part_of_a_clean_repository_that_fails_is_told() {
    let original = clean_repository();
    let harmless: BTreeSet<(String, &str, String)> = HARMLESS
        .iter()
        .map(|(part, kind, args)| (part_of(&original, part), *kind, args.join(" ")))
        .collect();
    let (mut happened, mut wrong) = (0, Vec::new());
    each_fault(&original, |(part, kind, args), faulty| {
        let command = args[..args.len() - 1].join(" ");
        let cell = (part.to_owned(), kind, command);
        happened += usize::from(faulty.happened);
        // A read that gives less than it was asked for is none that fails.
        let is_clean = !faulty.happened || kind == "short" || harmless.contains(&cell);
        if faulty.run.status != if is_clean { 0 } else { 2 } {
            wrong.push(format!("{cell:?}: {}", faulty.run.status));
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(happened > 50, "{happened}");
}

/// The file below `.git` of an object that is named as Git does it; others are such files already.
fn part_of(repo: &TestRepo, name: &str) -> String {
    if name.starts_with(".git/") {
        return name.to_owned();
    }
    let id = repo.git(&["rev-parse", name]);
    format!(".git/objects/{}/{}", &id[..2], &id[2..])
}

#[test]
#[cfg(unix)]
fn a_part_that_may_not_be_read_is_never_clean() {
    let repo = repository();
    let run_as = |args: &[&str]| {
        sane(
            TestCommand::keysieve_as_nobody(repo.path())
                .args(args)
                .run(),
        )
    };
    // A repository that belongs to somebody else is scanned like any other.
    let plain: Vec<Run> = COMMANDS.iter().map(|args| run_as(args)).collect();
    for run in &plain {
        assert_eq!(run.status, 1, "{}", run.show());
    }
    let mut told = 0;
    let mut parts = parts(&repo);
    parts.extend(["dir", "dir/two.txt", "grows.txt"].map(str::to_owned));
    for part in &parts {
        let path = repo.join(part);
        let before = fs::metadata(&path).expect("it is there").permissions();
        close_to_all(&path);
        for (args, plain) in COMMANDS.iter().zip(&plain) {
            let run = run_as(args);
            told += usize::from(run.status == 2);
            // What of the old version cannot be read makes more new, never less.
            let is_more = run.status == 1 && fingerprints(&run).is_superset(&fingerprints(plain));
            assert!(run.status == 2 || is_more, "{part}\n{}", run.show());
        }
        fs::set_permissions(&path, before).expect("a mode");
    }
    assert!(told > 40, "{told}");
}

/// Returns true if a command has to read a part of a repository to know that there is nothing to find.
fn is_needed(repo: &TestRepo, args: &[&str], part: &str) -> bool {
    const USELESS: &[&str] = &[
        ".git/COMMIT_EDITMSG",
        ".git/branches",
        ".git/hooks",
        ".git/info",
        ".git/objects/info/packs",
    ];
    // Which files are tracked is in the index, and its hash in the configuration.
    const TRACKED: &[&str] = &[".git/config", ".git/index"];
    // Without these it is no repository.
    const FRAME: &[&str] = &[
        ".git/HEAD",
        ".git/config",
        ".git/index",
        ".git/objects",
        ".git/objects/info",
    ];
    const HEAD: &[&str] = &[".git/refs", ".git/refs/heads", ".git/refs/heads/main"];
    if USELESS.iter().any(|useless| part.starts_with(useless)) {
        return false;
    }
    let staged = [":dir/three.txt", ":tracked.log"].map(|name| part_of(repo, name));
    let is_or_holds = |object: &String| object.starts_with(part);
    match args {
        ["scan", ..] => TRACKED.contains(&part),
        ["staged", ..] => {
            let is_frame = FRAME.contains(&part) || HEAD.contains(&part);
            is_frame
                || [&staged[..], &[part_of(repo, "HEAD")]]
                    .concat()
                    .iter()
                    .any(is_or_holds)
        }
        // Stashes are in a log.
        ["history", "--reachable", ..] if part.starts_with(".git/logs") => {
            [".git/logs", ".git/logs/refs"].contains(&part)
        }
        ["history", "--reachable", ..] if staged.iter().any(|object| object == part) => false,
        _ => !part.starts_with(".git/logs"),
    }
}

#[test]
#[cfg(unix)]
fn a_part_of_a_clean_repository_that_may_not_be_read_is_told() {
    let repo = clean_repository();
    let mut wrong = Vec::new();
    for part in parts(&repo) {
        let needed: Vec<bool> = COMMANDS
            .iter()
            .map(|args| is_needed(&repo, args, &part))
            .collect();
        let path = repo.join(&part);
        let before = fs::metadata(&path).expect("it is there").permissions();
        close_to_all(&path);
        for (args, is_needed) in COMMANDS.iter().zip(needed) {
            let command = TestCommand::keysieve_as_nobody(repo.path()).args(*args);
            let run = sane(command.run());
            if run.status != if is_needed { 2 } else { 0 } {
                wrong.push(format!("{part} {args:?}: {}", run.status));
            }
        }
        fs::set_permissions(&path, before).expect("a mode");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Returns the number of bits to flip: `KEYSIEVE_FLIPS` or 300.
fn flips() -> usize {
    let set = std::env::var("KEYSIEVE_FLIPS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Flips one bit at random places of a file and runs `args` each time.
fn flip_bits(repo: &TestRepo, file: &Path, times: usize, seed: u64, args: &[&str]) {
    let plain = sane(keysieve(repo.path(), args).run());
    let good = fs::read(file).expect("the file");
    open_to_write(file);
    let mut keys = Keys::new(seed);
    let mut told = 0;
    for _ in 0..times {
        let (at, bit) = (keys.below(good.len()), keys.below(8));
        let mut bad = good.clone();
        bad[at] ^= 1 << bit;
        fs::write(file, &bad).expect("the file");
        let run = sane(keysieve(repo.path(), args).run());
        let show = || {
            format!(
                "bit {bit} of byte {at} of {}\n{}",
                file.display(),
                run.show()
            )
        };
        told += usize::from(run.status == 2);
        if run.status != 2 {
            assert_eq!(run.status, plain.status, "{}", show());
            assert_eq!(fingerprints(&run), fingerprints(&plain), "{}", show());
        }
    }
    fs::write(file, &good).expect("the file");
    assert!(told * 2 > times, "{told} of {times} of {}", file.display());
}

fn open_to_write(file: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).expect("a mode");
    }
    let _ = file;
}

fn find_file(repo: &TestRepo, ending: &str) -> PathBuf {
    let part = parts(repo)
        .into_iter()
        .find(|part| part.ends_with(ending))
        .unwrap_or_else(|| panic!("no {ending}"));
    repo.join(part)
}

const HISTORY: &[&str] = &["history", "--format=json"];

#[test]
fn a_flipped_bit_of_a_pack_is_found_or_does_not_matter() {
    let repo = repository();
    flip_bits(&repo, &find_file(&repo, ".pack"), flips(), 31, HISTORY);
}

#[test]
fn a_flipped_bit_of_an_object_or_the_staged_index_is_found_or_does_not_matter() {
    let repo = repository();
    let some = flips() / 10;
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let path = repo.join(format!(".git/objects/{}/{}", &commit[..2], &commit[2..]));
    flip_bits(&repo, &path, some, 33, HISTORY);
    flip_bits(
        &repo,
        &repo.join(".git/index"),
        some,
        34,
        &["staged", "--format=json"],
    );
    // The damage may make an object unknown under its name, but never unread.
    let index = find_file(&repo, ".idx");
    let good = fs::read(&index).expect("the index");
    open_to_write(&index);
    let plain = keysieve(repo.path(), HISTORY).run();
    let mut keys = Keys::new(35);
    for _ in 0..some {
        let (at, bit) = (keys.below(good.len()), keys.below(8));
        let mut bad = good.clone();
        bad[at] ^= 1 << bit;
        fs::write(&index, &bad).expect("the index");
        let run = sane(keysieve(repo.path(), HISTORY).run());
        let show = || format!("bit {bit} of byte {at}\n{}", run.show());
        assert!(
            run.status == 2 || fingerprints(&run) == fingerprints(&plain),
            "{}",
            show()
        );
    }
}

/// A way to damage a repository: its name, the word that is said of it, what is done.
type Damage = (&'static str, &'static str, fn(&TestRepo));

/// After these, what lies elsewhere is reported.
const PARTIAL: &[Damage] = &[
    ("a truncated index of a pack", ".idx", |repo| {
        cut(&find_file(repo, ".idx"))
    }),
    ("a truncated pack", ".pack", |repo| {
        cut(&find_file(repo, ".pack"))
    }),
    ("no index of a pack", ".pack", |repo| {
        remove(&find_file(repo, ".idx"))
    }),
    ("no pack", ".pack", |repo| remove(&find_file(repo, ".pack"))),
    ("the index of another pack", ".pack", |repo| {
        let other = TestRepo::new();
        other.commit_file("a", pair(9), "other");
        other.git(&["repack", "-a", "-d", "--quiet"]);
        let to = find_file(repo, ".idx");
        remove(&to);
        fs::copy(find_file(&other, ".idx"), to).expect("a copy");
    }),
    ("an empty pack", ".pack", |repo| {
        let path = find_file(repo, ".pack");
        open_to_write(&path);
        fs::write(path, "").expect("a file");
    }),
    ("a branch that names nothing", "1111111111", |repo| {
        repo.write(".git/refs/heads/side2", format!("{}\n", "1".repeat(40)));
    }),
    ("a branch of garbage", "side2", |repo| {
        repo.write(".git/refs/heads/side2", "garbage\n")
    }),
    ("a HEAD that names nothing", "1111111111", |repo| {
        repo.write(".git/HEAD", format!("{}\n", "1".repeat(40)));
    }),
    ("an empty branch", "refs/heads/main", |repo| {
        repo.write(".git/refs/heads/main", "")
    }),
    ("packed references of garbage", "packed reference", |repo| {
        repo.write(".git/packed-refs", "garbage\n")
    }),
    ("an empty HEAD", "HEAD", |repo| repo.write(".git/HEAD", "")),
    ("a HEAD of garbage", "HEAD", |repo| {
        repo.write(".git/HEAD", "garbage\n")
    }),
    (
        "an alternate that is not there",
        "/nowhere/objects",
        |repo| {
            repo.write(".git/objects/info/alternates", "/nowhere/objects\n");
        },
    ),
];

/// After these it is no repository that can be read, and only a scan of its files reports anything.
const TOTAL: &[Damage] = &[
    ("a HEAD that is a directory", "HEAD", |repo| {
        remove(&repo.join(".git/HEAD"));
        fs::create_dir(repo.join(".git/HEAD")).expect("a directory");
    }),
    ("a configuration of garbage", ".git/config", |repo| {
        repo.write(".git/config", "[[[\n")
    }),
    ("an unknown version", "version 7", |repo| {
        repo.write(".git/config", "[core]\n\trepositoryformatversion = 7\n");
    }),
    ("an unknown extension", "`new`", |repo| {
        let text = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tnew = true\n";
        repo.write(".git/config", text);
    }),
    ("no objects", "not inside a Git repository", |repo| {
        fs::remove_dir_all(repo.join(".git/objects")).expect("removed")
    }),
    ("references in tables", "reftable", reftable),
];

/// Returns true if a report names the pair of `dir/two.txt`, which none of the damages touches.
fn names_the_loose_pair(run: &Run) -> bool {
    run.out().contains(&Keys::new(3).id())
}

#[test]
fn what_is_missing_or_of_something_else_is_never_clean() {
    let original = repository();
    for (name, word, damage) in [PARTIAL, TOTAL].concat() {
        let repo = copy(&original);
        damage(&repo);
        let run = sane(keysieve(repo.path(), HISTORY).run());
        let show = format!("{name}\n{}", run.show());
        assert_eq!(run.status, 2, "{show}");
        let told = if TOTAL.iter().any(|total| total.0 == name) {
            run.err()
        } else {
            assert!(names_the_loose_pair(&run), "{show}");
            run.json()["coverage"]["skips"].to_string()
        };
        assert!(told.contains(word), "{show}");
        let run = sane(keysieve(repo.path(), &["scan", "--format=json"]).run());
        let show = format!("{name}\n{}", run.show());
        assert!(run.status > 0 && names_the_loose_pair(&run), "{show}");
        let run = sane(keysieve(repo.path(), &["staged", "--format=json"]).run());
        let is_found = run.status == 1 && !fingerprints(&run).is_empty();
        assert!(run.status == 2 || is_found, "{name}\n{}", run.show());
    }
    for (name, text) in [
        ("an empty index", ""),
        ("an index of garbage", "garbage"),
        ("half an index", "DIRC\0\0\0\x02\0\0\0\x09"),
    ] {
        let repo = copy(&original);
        repo.write(".git/index", text);
        let run = sane(keysieve(repo.path(), &["staged"]).run());
        assert_eq!(run.status, 2, "{name}\n{}", run.show());
        assert!(run.err().contains("index"), "{name}\n{}", run.show());
    }
}

fn cut(path: &Path) {
    let length = fs::metadata(path).expect("a file").len();
    open_to_write(path);
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_len(length / 2).expect("shorter");
}

fn remove(path: &Path) {
    fs::remove_file(path).expect("removed");
}

/// Makes by hand what `git init --ref-format=reftable` leaves: not every Git can make it.
fn reftable(repo: &TestRepo) {
    let text = "[core]\n\trepositoryformatversion = 1\n[extensions]\n\trefStorage = reftable\n";
    repo.write(".git/config", text);
    repo.write(".git/HEAD", "ref: refs/heads/.invalid\n");
    fs::remove_dir_all(repo.join(".git/refs")).expect("removed");
    remove(&repo.join(".git/packed-refs"));
    repo.write(
        ".git/refs/heads",
        "this repository uses the reftable format\n",
    );
    let table = "0x000000000001-0x000000000002-0b1b7e2c.ref";
    repo.write(".git/reftable/tables.list", format!("{table}\n"));
    repo.write(format!(".git/reftable/{table}"), b"REFT\x01\x00\x10\x00");
}

#[test]
fn every_object_that_is_missing_is_missed() {
    let original = TestRepo::new();
    original.commit_file("a", pair(1), "one");
    original.commit_file("dir/b", pair(2), "two");
    original.git(&["tag", "-a", "-m", "three", "v1"]);
    let objects: Vec<String> = parts(&original)
        .into_iter()
        .filter(|part| part.starts_with(".git/objects/") && original.join(part).is_file())
        .collect();
    assert_eq!(objects.len(), 8);
    for object in objects {
        let repo = copy(&original);
        remove(&repo.join(&object));
        let run = sane(keysieve(repo.path(), HISTORY).run());
        assert_eq!(run.status, 2, "{object}\n{}", run.show());
        assert!(run.out().contains("missing"), "{object}\n{}", run.show());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_a_failure() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a"), pair(1)).expect("a file");
    let run = sane(keysieve(dir.path(), &["scan", "--report", "json=/dev/full"]).run());
    assert_eq!(run.status, 2, "{}", run.show());
    assert!(run.err().contains("No space left"), "{}", run.show());
    for report in ["json=/nowhere/report", "json=/proc/report", "json=."] {
        let run = sane(keysieve(dir.path(), &["scan", "--report", report]).run());
        assert_eq!(run.status, 2, "{}", run.show());
    }
    let program = env!("CARGO_BIN_EXE_keysieve");
    for (redirection, status) in [
        (">/dev/full", 2),
        (">&-", 1),
        ("2>&-", 1),
        ("2>/dev/full", 1),
        ("<&-", 1),
        (">&- 2>&- <&-", 1),
    ] {
        for format in ["text", "json", "sarif"] {
            let script = format!("exec '{program}' scan --format {format} {redirection}");
            let run = TestCommand::new("sh", dir.path())
                .args(["-c", &script])
                .run();
            assert_eq!(run.status, status, "{redirection}\n{}", run.show());
        }
    }
    // Nothing half-written is left behind.
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1);
}

/// The files below a directory, with their content.
#[cfg(target_os = "linux")]
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(dir).expect("a directory").flatten();
    entries
        .map(|entry| (entry.path(), fs::read(entry.path()).expect("a file")))
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_fills_up_leaves_the_old_file_whole_and_no_half_of_a_new_one() {
    let repo = repository();
    let out = tempfile::tempdir().expect("a directory");
    let path = |name: &str| out.path().join(name).display().to_string();
    let report = format!("--report=json={}", path("report"));
    let baseline = format!("--baseline={}", path("baseline"));
    let cache = format!("--cache={}", out.path().display());
    // Arguments, status with a full disk and without. A cache is a help and not an answer: the findings count.
    let cells: &[(&[&str], i32, i32)] = &[
        (&["scan", &report], 2, 1),
        (&["history", &report], 2, 1),
        (&["baseline", "write", "--force", &baseline], 2, 0),
        (&["baseline", "update", "--history", &baseline], 2, 0),
        (&["history", &cache], 1, 1),
    ];
    for (args, full, plain) in cells {
        sane(keysieve(repo.path(), args).status(*plain));
        // There is more to write than the last time.
        let name = format!("more-{}", args.join("-").replace('/', ""));
        repo.commit_file(&name, pair(name.len() as u64), "more");
        let before = files(out.path());
        let faulty = with_fault(repo.path(), "/.keysieve-part-", "enospc", args);
        let show = faulty.run.show();
        assert!(faulty.happened, "{show}");
        assert_eq!(faulty.run.status, *full, "{show}");
        assert!(faulty.run.err().contains("No space left"), "{show}");
        assert!(files(out.path()) == before, "{show}");
        sane(keysieve(repo.path(), args).status(*plain));
        assert!(files(out.path()) != before, "{show}");
    }
    let faulty = with_fault(repo.path(), "/.keysieve.toml", "enospc", &["init"]);
    let show = faulty.run.show();
    assert_eq!((faulty.happened, faulty.run.status), (true, 2), "{show}");
    assert!(!repo.join(".keysieve.toml").exists(), "{show}");
    repo.keysieve(&["init"]).status(0);
    assert!(repo.join(".keysieve.toml").exists());
}

/// Runs the program, sends it a signal while it reads `path`, lets the read end; gives status and all output.
#[cfg(target_os = "linux")]
fn interrupted(repo: &TestRepo, signal: &str, args: &[&str], path: &str) -> (Option<i32>, String) {
    let logs = tempfile::tempdir().expect("a directory");
    let log = logs.path().join("log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_keysieve"))
        .args(args)
        .current_dir(repo.path())
        .env("LD_PRELOAD", shim())
        .env("FAULT_PATH", path)
        .env("FAULT_KIND", "wait")
        .env("FAULT_LOG", &log)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let wait_until = |what: &str, mut is_so: Box<dyn FnMut() -> bool + '_>| {
        let start = Instant::now();
        while !is_so() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{args:?}: {what}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait_until("it never reads the file", Box::new(|| log.exists()));
    command::signal(&child, signal);
    // The read goes on when the program knows of the signal, if it has not given up meanwhile.
    let id = child.id();
    let mut has_ended = || child.try_wait().expect("a child").is_some();
    wait_until(
        "no sign of the signal",
        Box::new(|| has_thread(id, "grace") || has_ended()),
    );
    fs::write(log.with_extension("go"), "").expect("a file");
    wait_until("it does not end", Box::new(has_ended));
    let output = child.wait_with_output().expect("its output");
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
#[cfg(target_os = "linux")]
fn signals_end_a_scan_with_2_and_what_was_found() {
    let repo = repository();
    repo.write("aa-found", pair(7));
    repo.write("zz-slow", "nothing\n");
    // With `--follow` and one thread, one after the other.
    let scan = ["scan", "--follow", "aa-found", "zz-slow"];
    let commands: &[(&[&str], &str)] = &[
        (&scan, "/zz-slow"),
        (&["history"], "/.git/packed-refs"),
        (&["history", "--reachable"], "/.git/packed-refs"),
        (&["staged"], "/.git/index"),
    ];
    for (args, path) in commands {
        for (signal, format) in [("INT", "text"), ("TERM", "json"), ("HUP", "sarif")] {
            let args = [*args, &["--threads=1", "--format", format]].concat();
            let (status, text) = interrupted(&repo, signal, &args, path);
            let show = format!("{signal} {args:?}\n{text}");
            assert_eq!(status, Some(2), "{show}");
            // All that a machine that is far too busy may give is the word that there is no report.
            let is_given_up = text.contains("nothing is reported of it");
            assert!(text.contains("interrupted"), "{show}");
            assert!(text.contains("incomplete: ") || is_given_up, "{show}");
            if args[0] == "scan" {
                assert!(
                    text.contains("aws-access-key-pair") || is_given_up,
                    "{show}"
                );
            }
        }
    }
}

/// Returns true if a process has a thread of this name.
#[cfg(target_os = "linux")]
fn has_thread(process: u32, name: &str) -> bool {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("a process");
    tasks.flatten().any(|task| {
        let found = fs::read_to_string(task.path().join("comm"));
        found.is_ok_and(|found| found.trim_end() == name)
    })
}

#[test]
fn this_test_program_knows_who_it_is() {
    // The cells about permissions mean nothing to root without `setpriv`: they fail rather than pass.
    if is_root() {
        TestCommand::new("setpriv", "/").arg("--version").status(0);
    }
}
