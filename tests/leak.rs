//! Secrets stay inside: everything that the program writes is searched for eight consecutive characters
//! of any secret that was planted, in whatever place, form, format, verbosity and state of damage.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use keysieve::engine::{Engine, Scratch};
use keysieve::report::Format;
use keysieve::rule::RuleSet;
use keysieve::rule::example;

use crate::support::command::{Run, open_to_all};
use crate::support::keys::TOO_MANY;
use crate::support::{Keys, TestCommand, TestRepo, base64};

/// As much information in base64.
const ENCODED_RUN: usize = 12;

/// Everything that must not get out, and where it was planted.
struct Planted {
    keys: Keys,
    runs: HashMap<Vec<u8>, String>,
}

impl Planted {
    fn new(seed: u64) -> Self {
        Self {
            keys: Keys::new(seed),
            runs: HashMap::new(),
        }
    }

    /// Makes a pair that may be in a URL, a path and a reference's name.
    fn pair(&mut self, place: &str) -> (String, String) {
        let secret = loop {
            let secret = self.keys.secret();
            if !secret.contains(['/', '+']) {
                break secret;
            }
        };
        self.guard(&secret, place);
        (self.keys.id(), secret)
    }

    /// `aws_access_key_id=… aws_secret_access_key=…`, as one word.
    fn word(&mut self, place: &str) -> String {
        let (id, secret) = self.pair(place);
        format!("aws_access_key_id={id}-aws_secret_access_key={secret}")
    }

    fn line(&mut self, place: &str) -> String {
        let (id, secret) = self.pair(place);
        format!("aws_access_key_id={id} aws_secret_access_key={secret}")
    }

    fn guard(&mut self, secret: &str, place: &str) {
        for run in secret.as_bytes().windows(TOO_MANY) {
            self.runs.insert(run.to_vec(), place.to_owned());
        }
    }

    /// Guards the encoded form of a secret as well.
    fn guard_encoded(&mut self, encoded: &str, place: &str) {
        for run in encoded.as_bytes().windows(ENCODED_RUN) {
            self.runs.insert(run.to_vec(), place.to_owned());
        }
    }

    /// Returns the part of a secret found in `bytes`, read plainly and without what may be between characters.
    fn find(&self, bytes: &[u8]) -> Option<&str> {
        let without_nul: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        let without_colour = strip_escapes(bytes);
        let unescaped: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'\\').collect();
        let unwrapped: Vec<u8> = bytes
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        [
            bytes,
            &without_nul,
            &without_colour,
            &unescaped,
            &unwrapped,
            &percent_decoded(bytes),
        ]
        .iter()
        .find_map(|bytes| {
            [TOO_MANY, ENCODED_RUN].iter().find_map(|length| {
                bytes
                    .windows(*length)
                    .find_map(|run| self.runs.get(run).map(String::as_str))
            })
        })
    }

    #[track_caller]
    fn check(&self, run: &Run) {
        for (name, bytes) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            if let Some(place) = self.find(bytes) {
                panic!(
                    "{name} holds a part of the secret of: {place}\n{}",
                    run.show()
                );
            }
        }
    }

    #[track_caller]
    fn check_file(&self, path: &Path) {
        let bytes = fs::read(path).unwrap_or_default();
        if let Some(place) = self.find(&bytes) {
            let text = String::from_utf8_lossy(&bytes);
            panic!(
                "{} holds a part of the secret of: {place}\n{text}",
                path.display()
            );
        }
    }

    /// All files below a directory, and their names.
    #[track_caller]
    fn check_dir(&self, dir: &Path) {
        for entry in fs::read_dir(dir).expect("a directory").flatten() {
            let name = entry.file_name();
            assert_eq!(self.find(name.as_encoded_bytes()), None, "{name:?}");
            if entry.path().is_dir() {
                self.check_dir(&entry.path());
            } else {
                self.check_file(&entry.path());
            }
        }
    }
}

fn strip_escapes(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        if *byte == 0x1b {
            rest.by_ref().find(|byte| byte.is_ascii_alphabetic());
        } else {
            plain.push(*byte);
        }
    }
    plain
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    plain
}

/// The contents that files get: many forms of pairs, and the examples of all rules.
fn contents(planted: &mut Planted) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| files.push((name.to_owned(), bytes));
    let line = planted.line("an environment file");
    add(".env", line.replace(' ', "\n").into_bytes());
    let (id, secret) = planted.pair("JSON");
    add(
        "key.json",
        format!("{{\"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"{secret}\"}}").into_bytes(),
    );
    let (id, secret) = planted.pair("YAML");
    add(
        "key.yml",
        format!("aws:\n  access_key: {id}\n  secret_key: {secret}\n").into_bytes(),
    );
    let (id, secret) = planted.pair("a URL");
    add(
        "url.txt",
        format!("s3://{id}:{secret}@bucket/path\n").into_bytes(),
    );
    let (id, secret) = planted.pair("two long lines");
    let pad = "x, ".repeat(300);
    add(
        "long.txt",
        format!("{pad}access_key_id='{id}'{pad}\n{pad}secret_access_key='{secret}'{pad}\n")
            .into_bytes(),
    );
    let text = planted.line("base64");
    let encoded = base64(text.as_bytes());
    // Only what encodes the secret itself: the last 40 characters of the text.
    planted.guard_encoded(&encoded[encoded.len() - 48..], "the base64 form");
    add("encoded.yml", format!("data: {encoded}\n").into_bytes());
    let text = planted.line("UTF-16");
    add(
        "wide.txt",
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    );
    let text = planted.line("a binary");
    let mut binary = vec![0, 1, 2, 255, 254];
    binary.extend(text.as_bytes());
    binary.push(0);
    add("binary.bin", binary);
    let (id, secret) = planted.pair("a temporary key");
    let token = planted.keys.token(400);
    planted.guard(&token[16..], "a session token");
    let id = id.replacen("AKIA", "ASIA", 1);
    add(
        "token.sh",
        format!("export AWS_ACCESS_KEY_ID={id}\nexport AWS_SECRET_ACCESS_KEY={secret}\nexport AWS_SESSION_TOKEN={token}\n").into_bytes(),
    );
    let (_, secret) = planted.pair("a secret alone");
    add(
        "alone.tf",
        format!("aws_secret_access_key = \"{secret}\"\n").into_bytes(),
    );
    let (first, second) = (
        planted.line("one of two on a line"),
        planted.line("two of two on a line"),
    );
    add("two.txt", format!("{first} {second}\n").into_bytes());
    // The secret of a finding, bare, in lines beside another one.
    let (id, secret) = planted.pair("a pair whose secret is repeated");
    add(
        "again.txt",
        format!("{secret}\nid {id} {secret}\n{secret}\n").into_bytes(),
    );
    files.extend(examples(planted));
    files
}

/// The examples of all rules, one file each. What every example of the same template has in common is
/// no secret: vendors' prefixes.
fn examples(planted: &mut Planted) -> Vec<(String, Vec<u8>)> {
    let engine = Engine::new(RuleSet::builtin().into());
    let mut scratch = Scratch::default();
    let mut files = Vec::new();
    for rule in RuleSet::builtin().rules.iter() {
        for (index, template) in rule.examples.iter().enumerate() {
            let name = format!("{}-{index}", rule.id);
            let seed = planted.keys.next();
            let text = example::expand(template, seed);
            let other = example::expand(template, seed ^ 7777);
            for found in engine.scan(text.as_bytes(), &mut scratch) {
                for part in [&found.secret, &found.token].into_iter().flatten() {
                    let value = String::from_utf8_lossy(part.value.expose()).into_owned();
                    let fixed: Vec<&[u8]> = other.as_bytes().windows(TOO_MANY).collect();
                    for run in value.as_bytes().windows(TOO_MANY) {
                        let is_known = fixed.contains(&run)
                            || found.key_id.as_ref().is_some_and(|id| {
                                memchr::memmem::find(id.value.expose(), run).is_some()
                            });
                        if !is_known {
                            planted
                                .runs
                                .insert(run.to_vec(), format!("an example of {name}"));
                        }
                    }
                }
            }
            files.push((format!("examples/{name}.txt"), text.into_bytes()));
        }
    }
    files
}

/// A repository with secrets wherever a person can type.
fn repository(planted: &mut Planted) -> TestRepo {
    let repo = TestRepo::new();
    repo.commit_file("README", "nothing\n", "first");
    for (name, bytes) in contents(planted) {
        repo.write(&name, bytes);
    }
    repo.git(&["add", "--force", "--all"]);
    repo.commit("contents");
    let name = planted.word("a file's name");
    repo.stage(
        &format!("{name}.txt"),
        planted.line("a file with a telling name"),
    );
    let name = planted.word("a directory's name");
    repo.stage(
        &format!("{name}/file"),
        planted.line("a file in a telling directory"),
    );
    let (id, secret) = planted.pair("contents and the file's own name");
    repo.stage(&format!("backup-{secret}.txt"), format!("{id} {secret}\n"));
    repo.commit(&planted.line("a commit's subject"));
    // However a subject is shortened, no half of a secret is left over.
    for length in [10, 20, 30, 40, 50, 60, 70, 80, 100, 120, 160, 200] {
        let subject = format!("{} {}", "w".repeat(length), planted.line("a long subject"));
        let content = planted.line("a file with a long subject");
        repo.commit_file(&format!("subject/{length}"), content, &subject);
    }
    // The secret of a pair in the contents, bare in the places around it.
    let (id, secret) = planted.pair("contents, branch and subject");
    repo.git(&["checkout", "--quiet", "-b", &format!("fix/{secret}")]);
    repo.commit_file(
        "bare.txt",
        format!("{id} {secret}\n"),
        &format!("use {secret} now"),
    );
    repo.git(&[
        "tag",
        "-a",
        "-m",
        &format!("tag {secret}"),
        &format!("v-{secret}"),
    ]);
    // The secret is told by the commit that takes it away, too.
    let (id, secret) = planted.pair("contents and the subject of their removal");
    repo.commit_file("left.txt", format!("{id} {secret}\n"), "add it");
    repo.commit_file("left.txt", "nothing\n", &format!("remove {secret}"));
    let branch = planted.word("a branch");
    repo.git(&["checkout", "--quiet", "-b", &branch]);
    repo.commit_file(
        "branch.txt",
        planted.line("a file on a branch"),
        "on a branch",
    );
    repo.git(&["tag", &planted.word("a tag")]);
    let message = planted.line("a tag's message");
    repo.git(&["tag", "-a", "-m", &message, "annotated"]);
    repo.git(&["notes", "add", "-m", &planted.line("a note")]);
    let author = planted.word("an author");
    repo.write("author.txt", planted.line("a file of an author"));
    repo.git(&["add", "author.txt"]);
    repo.git_command()
        .args(["commit", "--quiet", "--no-verify", "-m", "by somebody"])
        .env("GIT_AUTHOR_NAME", &author)
        .env("GIT_AUTHOR_EMAIL", format!("{author}@example.org"))
        .env("GIT_COMMITTER_NAME", planted.word("a committer"))
        .status(0);
    repo.write("stash.txt", planted.line("a stashed file"));
    repo.git(&["add", "stash.txt"]);
    repo.git(&[
        "stash",
        "push",
        "--quiet",
        "-m",
        &planted.line("a stash's message"),
    ]);
    let (id, secret) = planted.pair("a remote's URL");
    repo.git(&[
        "remote",
        "add",
        "origin",
        &format!("https://{id}:{secret}@example.org/r.git"),
    ]);
    repo.git(&[
        "config",
        "user.signingKey",
        &planted.line("the configuration"),
    ]);
    repo.write("message.txt", planted.line("a message to be"));
    repo.stage("staged.txt", planted.line("a staged file"));
    repo
}

fn formats() -> impl Iterator<Item = &'static str> {
    Format::ALL.iter().map(|format| format.name())
}

/// A directory for what the program writes, and nothing else.
struct Outputs {
    dir: tempfile::TempDir,
}

impl Outputs {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("tmp")).expect("a directory");
        Self { dir }
    }

    /// Arguments that write a report of each format to a file.
    fn reports(&self) -> Vec<String> {
        let report = |name: &str| {
            format!(
                "--report={name}={}/report.{name}",
                self.dir.path().display()
            )
        };
        formats().map(report).collect()
    }

    /// Runs a command with temporary files and caches of its own, searches everything that it wrote.
    #[track_caller]
    fn run<S: AsRef<str>>(&self, planted: &Planted, command: TestCommand, args: &[S]) -> Run {
        let root = self.dir.path();
        let run = command
            .args(args.iter().map(AsRef::as_ref))
            .env("TMPDIR", root.join("tmp"))
            .env("XDG_CACHE_HOME", root.join("cache"))
            .env("RUST_BACKTRACE", "full")
            .env("RUST_LOG", "trace")
            .run();
        planted.check(&run);
        planted.check_dir(root);
        assert_ne!(run.status, -1, "{}", run.show());
        assert!(!run.err().contains("should not happen"), "{}", run.show());
        let left = fs::read_dir(root.join("tmp")).expect("a directory").count();
        assert_eq!(left, 0, "temporary files are left\n{}", run.show());
        run
    }

    /// The same, with an exit status.
    #[track_caller]
    fn expect<S: AsRef<str>>(
        &self,
        planted: &Planted,
        command: TestCommand,
        args: &[S],
        status: i32,
    ) {
        let run = self.run(planted, command, args);
        assert_eq!(run.status, status, "{}", run.show());
    }
}

const COMMANDS: &[&[&str]] = &[
    &["scan"],
    &["scan", ".git", "--no-ignore", "README", "not-there"],
    &["staged"],
    &["staged", "--all-files"],
    &["history"],
    &["hook", "run", "commit-msg", "message.txt"],
];

#[test]
fn no_command_in_any_format_shows_a_part_of_a_secret() {
    let mut planted = Planted::new(7001);
    let repo = repository(&mut planted);
    let outputs = Outputs::new();
    for command in COMMANDS {
        // All formats in one run, as files; then each on standard output, a terminal's colours included.
        let mut args: Vec<String> = command.iter().map(|arg| (*arg).to_owned()).collect();
        args.extend(outputs.reports());
        args.extend(["--show-notes", "--fail-on=note", "--color=always"].map(str::to_owned));
        let run = outputs.run(&planted, TestCommand::keysieve(repo.path()), &args);
        let expected = if command.contains(&"not-there") { 2 } else { 1 };
        assert_eq!(run.status, expected, "{}", run.show());
        assert!(
            run.out().contains("KIA"),
            "something is shown: {}",
            run.show()
        );
    }
    for format in formats() {
        let args = ["history", "--quiet", "--format", format];
        outputs.run(&planted, TestCommand::keysieve(repo.path()), &args);
    }
    for example in ["bare.txt", "encoded.yml", "wide.txt:1", ".env:1", "two.txt"] {
        let args = ["scan", "--explain", example];
        outputs.run(&planted, TestCommand::keysieve(repo.path()), &args);
    }
    for (name, _) in contents(&mut Planted::new(7001)).iter().take(16) {
        let text = fs::read(repo.join(name)).expect("a file");
        let command = TestCommand::keysieve(repo.path()).stdin(text);
        let args = ["scan", "-", "--show-notes", "--path", "input"];
        outputs.run(&planted, command, &args);
    }
}

#[test]
fn a_baseline_and_what_is_said_of_it_hold_no_part_of_a_secret() {
    let mut planted = Planted::new(7007);
    let repo = repository(&mut planted);
    let [reason, later, answer, entry] =
        ["a reason", "a later reason", "an answer", "an entry"].map(|place| planted.line(place));
    let (ignored, imported) = (planted.word("an ignored path"), planted.line("a report"));
    repo.write(".gitleaksignore", format!("{ignored}:aws-access-token:1\n"));
    repo.write(
        "gitleaks.json",
        format!(r#"[{{"RuleID": "aws", "File": "a", "StartLine": 1, "Secret": "{imported}"}}]"#),
    );
    repo.write("broken.json", format!(r#"[{{"File": "{imported}""#));
    let outputs = Outputs::new();
    let file = outputs.dir.path().join("baseline");
    let at = format!("--baseline={}", file.display());
    let call = |args: &[&str], stdin: &str, status: i32| {
        let command = TestCommand::keysieve(repo.path()).stdin(stdin);
        let args = [&["baseline"], args, &[&at]].concat();
        outputs.expect(&planted, command, &args, status);
    };
    call(&["write", "--reason", &reason], "", 0);
    call(&["check"], "", 0);
    call(&["update", "--history", "--reason", &later], "", 0);
    call(&["prune"], "", 0);
    // An entry of no use, which is named, and then what stands behind it.
    let text = fs::read_to_string(&file).expect("a baseline");
    let first = text
        .lines()
        .find(|line| !line.starts_with('#'))
        .expect("an entry");
    let mark = first.split(' ').next().expect("a fingerprint");
    let other: String = mark.chars().rev().collect();
    for line in [
        format!("{mark} path=a # {entry}\n"),
        format!("{other} {entry}\n"),
    ] {
        // Searched outside of the directory that is, as it is not the program that wrote it.
        repo.write("by-hand", format!("# keysieve baseline 1\n{line}"));
        for command in ["check", "audit"] {
            let args = ["baseline", command, "--baseline=by-hand"];
            let command = TestCommand::keysieve(repo.path()).stdin("q\n");
            outputs.run(&planted, command, &args);
        }
    }
    fs::remove_file(&file).expect("removed");
    call(
        &["audit"],
        &format!("what\na {answer}\ns\n{answer}\na\nq\n"),
        0,
    );
    call(&["import", ".gitleaksignore"], "", 0);
    call(&["import", "gitleaks.json"], "", 0);
    call(&["import", "broken.json"], "", 2);
}

#[test]
fn a_configuration_is_shown_and_checked_without_its_secrets() {
    let mut planted = Planted::new(7008);
    let outputs = Outputs::new();
    let [reason, path, exclude, value] =
        ["a reason", "a path", "an exclusion", "a value"].map(|place| planted.word(place));
    let (id, secret) = planted.pair("an allowed secret");
    let named = planted.word("the name of a configuration");
    let right = format!(
        "exclude = ['{exclude}']\n[[allow]]\nsecrets = ['{id}', 'key={secret}']\npaths = ['{path}']\n\
         reason = '{reason}'\n"
    );
    let wrong = [
        format!("fail-on = '{value}'\n"),
        format!("{value} = 1\n"),
        format!("exclude = ['[z-a]{value}']\nformat = '{value}\n"),
        format!("rule-files = ['/nowhere/{value}']\n"),
        format!("[[allow]]\nsecrets = ['({value}']\nreason = '{value}'\n"),
        format!("[[allow]]\nrules = ['{value}']\nexpires = '{value}'\nreason = 7\n"),
        format!("[rules]\ndisable = ['{value}']\nlevel = {{ '{value}' = 'note' }}\n"),
    ];
    let texts = [&[right][..], &wrong].concat();
    for (index, text) in texts.iter().enumerate() {
        let repo = TestRepo::new();
        for name in [".keysieve.toml", &named] {
            repo.write(name, text);
        }
        let is_wrong = i32::from(index > 0);
        for (command, status) in [
            (&["config", "check"][..], is_wrong),
            (&["config", "show"], is_wrong * 2),
            (&["scan"], 1 + is_wrong),
        ] {
            for (name, value) in [("UNSET", ""), ("KEYSIEVE_CONFIG", &named)] {
                let keysieve = TestCommand::keysieve(repo.path()).env(name, value);
                outputs.expect(&planted, keysieve, command, status);
            }
        }
        let absent = format!("/nowhere/{named}");
        let keysieve = TestCommand::keysieve(repo.path()).env("KEYSIEVE_CONFIG", absent);
        outputs.expect(&planted, keysieve, &["scan"], 2);
    }
}

#[test]
fn hooks_that_are_installed_hold_no_part_of_a_secret() {
    let mut planted = Planted::new(7009);
    let outputs = Outputs::new();
    let outside = tempfile::tempdir().expect("a directory");
    let root = outside.path().join(planted.word("the root's name"));
    fs::create_dir(&root).expect("a directory");
    TestCommand::new("git", &root)
        .args(["init", "--quiet"])
        .status(0);
    let foreign = format!("#!/bin/sh\n# {}\n", planted.line("a hook"));
    fs::write(root.join(".git/hooks/pre-push"), foreign).expect("a hook");
    for (args, status) in [
        (&["init"][..], 0),
        (&["init"], 0),
        (
            &[
                "hook",
                "install",
                "--pre-commit",
                "--pre-push",
                "--commit-msg",
            ],
            0,
        ),
        (&["hook", "status"], 0),
        (&["hook", "uninstall"], 0),
    ] {
        outputs.expect(&planted, TestCommand::keysieve(&root), args, status);
        for name in [
            ".keysieve.toml",
            ".git/hooks/pre-commit",
            ".git/hooks/commit-msg",
        ] {
            planted.check_file(&root.join(name));
        }
    }
}

#[test]
fn hooks_that_look_at_a_push_say_no_part_of_a_secret() {
    let mut planted = Planted::new(7011);
    let outputs = Outputs::new();
    let repo = repository(&mut planted);
    let (head, zeros) = (repo.git(&["rev-parse", "HEAD"]), "0".repeat(40));
    let [local, remote] = ["a local reference", "a reference there"].map(|it| planted.word(it));
    let url = format!(
        "https://{}@example.org/r",
        planted.word("a URL").replace('-', ":")
    );
    let lines = [
        format!("refs/heads/{local} {head} refs/heads/{remote} {zeros}\n"),
        format!("refs/heads/{local} {zeros} refs/heads/{remote} {local}\n"),
        format!("{local}\n"),
    ];
    for (line, status) in lines.iter().zip([1, 2, 2]) {
        let keysieve = TestCommand::keysieve(repo.path()).stdin(line.as_str());
        let args = ["hook", "run", "pre-push", "origin", &url];
        outputs.expect(&planted, keysieve, &args, status);
    }
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    let new = repo.git(&["commit-tree", "-m", &planted.line("a pushed commit"), &tree]);
    let lines = [
        format!("{zeros} {new} refs/heads/{remote}\n"),
        format!("{zeros} {local} refs/heads/{remote}\n"),
        format!("{remote}\n"),
    ];
    for (line, status) in lines.iter().zip([1, 2, 2]) {
        let keysieve = TestCommand::keysieve(repo.path()).stdin(line.as_str());
        outputs.expect(&planted, keysieve, &["hook", "run", "pre-receive"], status);
    }
}

/// Variables of CI systems about a run, where their documentation lets a person choose the value.
const CI: &[&[(&str, &str)]] = &[
    &[("PRE_COMMIT_FROM_REF", "*"), ("PRE_COMMIT_TO_REF", "*")],
    &[("GITHUB_BASE_REF", "*")],
    &[("CHANGE_TARGET", "*")],
    &[("BITBUCKET_PR_DESTINATION_BRANCH", "*")],
    &[("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "*")],
    &[("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/*")],
    &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "*")],
    &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_PATH", "/nowhere/*"),
    ],
    &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_PATH", "*")],
    &[("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_BEFORE", "*")],
    &[
        ("GITHUB_EVENT_NAME", "pull_request_target"),
        ("GITHUB_EVENT_PATH", "*"),
    ],
    &[
        ("GITLAB_CI", "true"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "*"),
    ],
    &[("GITLAB_CI", "true"), ("CI_PIPELINE_SOURCE", "*")],
    &[
        ("GITLAB_CI", "true"),
        ("CI_PIPELINE_SOURCE", "push"),
        ("CI_COMMIT_BEFORE_SHA", "*"),
        ("CI_DEFAULT_BRANCH", "*"),
        ("CI_COMMIT_BRANCH", "*"),
    ],
    &[
        ("JENKINS_URL", "*"),
        ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", "*"),
    ],
    &[
        ("BUILDKITE", "true"),
        ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "*"),
        ("BUILDKITE_BRANCH", "x"),
    ],
    &[
        ("TRAVIS", "*"),
        ("TRAVIS_PULL_REQUEST", "7"),
        ("TRAVIS_BRANCH", "*"),
    ],
    &[("TRAVIS", "true"), ("TRAVIS_COMMIT_RANGE", "*..*")],
    &[
        ("DRONE", "*"),
        ("DRONE_BUILD_EVENT", "pull_request"),
        ("DRONE_TARGET_BRANCH", "*"),
    ],
    &[("DRONE", "true"), ("DRONE_COMMIT_BEFORE", "*")],
    &[("CIRCLECI", "*"), ("CIRCLE_BRANCH", "*")],
    &[("TF_BUILD", "*"), ("BUILD_SOURCEBRANCH", "*")],
    &[("BITBUCKET_BUILD_NUMBER", "*"), ("BITBUCKET_BRANCH", "*")],
    &[("CI", "*")],
];

#[test]
fn no_choice_of_a_history_shows_a_part_of_a_secret() {
    let mut planted = Planted::new(7010);
    let repo = repository(&mut planted);
    let outputs = Outputs::new();
    let cache = outputs.dir.path().join("cache").display().to_string();
    let branch = repo.git(&["symbolic-ref", "--short", "HEAD"]);
    for (args, status) in [
        (&["--range", "HEAD~3..HEAD"][..], 1),
        (
            &["--range", "HEAD~3..HEAD", "--all", "--config-from=head"],
            1,
        ),
        (&["--range", &planted.word("a range")], 2),
        (&["--since-commit", &planted.word("a commit")], 2),
        (&["--reachable"], 1),
        (&["--branch", &branch], 1),
        (
            &["--branch", &planted.word("a branch that is not there")],
            2,
        ),
        (&["--since", "2001-01-01"], 1),
        (&["--since", &planted.word("a day")], 2),
        (&["--cache", &cache], 1),
        (&["--cache", &cache], 1),
        (
            &["--cache", &format!("/proc/{}", planted.word("a cache"))],
            1,
        ),
        (&["--connectivity"], 1),
    ] {
        for format in ["text", "json"] {
            let args = [&["history", "--format", format], args].concat();
            outputs.expect(&planted, TestCommand::keysieve(repo.path()), &args, status);
        }
    }
    for variables in CI {
        let mut keysieve = TestCommand::keysieve(repo.path());
        for (name, form) in *variables {
            let word = planted.word(name);
            // As the path of an event it is a file with something else in it.
            repo.write(&word, format!("{{\"before\": \"{word}\" {word}"));
            keysieve = keysieve.env(name, form.replace('*', &word));
        }
        let run = outputs.run(&planted, keysieve, &["history", "--range=auto"]);
        assert!(run.status > 0, "{}", run.show());
    }
}

#[test]
fn asked_for_secrets_are_shown_so_that_the_search_itself_is_known_to_work() {
    let mut planted = Planted::new(7002);
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("a"), planted.line("a file")).expect("a file");
    let run = TestCommand::keysieve(dir.path())
        .args(["scan", "--show-secrets"])
        .status(1);
    assert_eq!(planted.find(&run.stdout), Some("a file"), "{}", run.show());
}

#[test]
fn what_is_typed_or_set_is_not_repeated() {
    let mut planted = Planted::new(7003);
    let repo = TestRepo::new();
    repo.commit_file("a", "nothing\n", "first");
    let outputs = Outputs::new();
    let mut word = |place: &str| planted.word(place);
    let calls: Vec<Vec<String>> = vec![
        vec!["scan".into(), word("a missing path")],
        vec![
            "scan".into(),
            format!(
                "{}/deeper/{}",
                word("a missing directory"),
                word("one below")
            ),
        ],
        vec!["scan".into(), "--only".into(), word("a rule's name")],
        vec![
            "scan".into(),
            "--exclude".into(),
            format!("[z-a]{}", word("a broken pattern")),
        ],
        vec![
            "scan".into(),
            "--rules".into(),
            word("a missing file of rules"),
        ],
        vec!["scan".into(), format!("--{}", word("an option"))],
        vec!["scan".into(), "--format".into(), word("a format")],
        vec!["scan".into(), "--max-file-size".into(), word("a size")],
        vec![
            "scan".into(),
            "--report".into(),
            format!("json=/nowhere/{}", word("a report")),
        ],
        vec![
            "scan".into(),
            "--report".into(),
            word("a report without format"),
        ],
        vec![
            "scan".into(),
            "--explain".into(),
            word("a place to explain"),
        ],
        vec!["scan".into(), "--allow-incomplete".into(), word("a reason")],
        vec![
            "scan".into(),
            "-".into(),
            "--path".into(),
            word("the name of the input"),
        ],
        vec!["history".into(), word("a missing repository")],
        vec![
            "hook".into(),
            "run".into(),
            "commit-msg".into(),
            word("a missing message"),
        ],
        vec!["hook".into(), "run".into(), word("an unknown hook")],
        vec!["rules".into(), "show".into(), word("an unknown rule")],
        vec![
            "rules".into(),
            "explain".into(),
            word("an unknown rule, too"),
        ],
        vec![
            "rules".into(),
            "test".into(),
            word("another missing file of rules"),
        ],
        vec![word("a command")],
    ];
    for args in &calls {
        for color in ["never", "always"] {
            let command = TestCommand::keysieve(repo.path()).args(["--color", color]);
            let run = outputs.run(&planted, command, args);
            if !args.contains(&"--path".to_owned()) {
                assert_eq!(run.status, 2, "{}", run.show());
            }
        }
    }
    for name in [
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_WORK_TREE",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "SOURCE_DATE_EPOCH",
        "HOME",
        "XDG_CONFIG_HOME",
        "GIT_CONFIG_GLOBAL",
    ] {
        let value = planted.word(name);
        for args in [
            &["staged"][..],
            &["history"],
            &["hook", "status"],
            &["scan"],
        ] {
            let command = TestCommand::keysieve(repo.path()).env(name, format!("/nowhere/{value}"));
            outputs.run(&planted, command, args);
        }
    }
}

#[test]
fn a_file_that_is_wrong_is_not_quoted_with_its_secrets() {
    let mut planted = Planted::new(7004);
    let outputs = Outputs::new();
    let line = planted.line("a file of rules");
    let (id, secret) = planted.pair("values of a file of rules");
    let head = "[[rule]]\nid = \"a-rule\"\ndescription = \"one\"\n";
    let rule_files = [
        format!("{line}\n"),
        format!("[[rule]]\n{line}\n"),
        format!("[[rule]\nid = \"{line}\n"),
        format!("{head}aws_access_key_id = \"{id}\"\naws_secret_access_key = \"{secret}\"\n"),
        format!(
            "{head}regex = \"(aws_access_key_id={id} aws_secret_access_key={secret}\"\nkeywords = [\"abcd\"]\n"
        ),
        format!("{head}level = \"aws_access_key_id={id} aws_secret_access_key={secret}\"\n"),
        format!("{head}checks = [\"{id}:{secret}\"]\nregex = \"abcd\"\nkeywords = [\"abcd\"]\n"),
        format!("{head}keywords = [\"abcd\"]\nregex = \"abcd\"\nexamples = [\"{id} {secret}\"]\n"),
        format!("{head}# {line}\nkeywords = 7\nregex = \"abcd\"\n"),
        format!("{head}keywords = 7 # {secret}\nregex = \"abcd\"\n"),
        format!("{head}aws_secret_access_key = \"{secret}\n"),
        format!("{head}secret = \"{secret}\n"),
    ];
    for text in rule_files {
        let dir = tempfile::tempdir().expect("a directory");
        fs::write(dir.path().join("rules.toml"), &text).expect("a file");
        for args in [
            &["scan", "--rules", "rules.toml"][..],
            &["rules", "test", "rules.toml"],
        ] {
            let run = outputs.run(&planted, TestCommand::keysieve(dir.path()), args);
            assert_ne!(run.status, 0, "{text}\n{}", run.show());
        }
    }
}

/// The files of a repository that are read, each replaced by text with a secret.
#[test]
fn a_damaged_repository_is_not_quoted_with_its_secrets() {
    let mut planted = Planted::new(7005);
    let outputs = Outputs::new();
    let files = [
        "HEAD",
        "config",
        "packed-refs",
        "shallow",
        "index",
        "commondir",
        "MERGE_HEAD",
        "FETCH_HEAD",
        "ORIG_HEAD",
        "logs/HEAD",
        "logs/refs/heads/main",
        "refs/heads/main",
        "refs/heads/other",
        "objects/info/alternates",
        "objects/info/commit-graph",
        "objects/pack/multi-pack-index",
        "objects/pack/pack-1234.idx",
        "objects/pack/pack-1234.pack",
        "info/exclude",
        "info/sparse-checkout",
        "worktrees/one/HEAD",
        "worktrees/one/gitdir",
    ];
    let mut seen: BTreeMap<i32, usize> = BTreeMap::new();
    for file in files {
        for form in ["ref: refs/heads/{}", "[core]\n\t{}\n\tbad = \""] {
            let repo = TestRepo::new();
            repo.commit_file("a", "nothing\n", "first");
            let word = planted.word(&format!("{file} as {form}"));
            repo.write(
                format!(".git/{file}"),
                format!("{}\n", form.replace("{}", &word)),
            );
            for args in [&["staged", "--format=json"][..], &["history"]] {
                let run = outputs.run(&planted, TestCommand::keysieve(repo.path()), args);
                *seen.entry(run.status).or_default() += 1;
            }
        }
    }
    assert!(seen.get(&2).is_some_and(|count| *count > 20), "{seen:?}");
}

#[test]
fn what_cannot_be_read_is_named_without_its_secrets() {
    let mut planted = Planted::new(7006);
    let outputs = Outputs::new();
    open_to_all(outputs.dir.path());
    let repo = TestRepo::new();
    open_to_all(repo.path());
    repo.commit_file("a", "nothing\n", "first");
    let file = planted.word("an unreadable file");
    let dir = planted.word("an unreadable directory");
    repo.stage(&file, planted.line("in an unreadable file"));
    repo.write(
        format!("{dir}/{file}"),
        planted.line("below an unreadable directory"),
    );
    let branch = planted.word("an unreadable branch");
    repo.git(&["branch", &branch]);
    let gitdir = planted.word("a .git that leads nowhere");
    fs::create_dir(repo.join("inner")).expect("a directory");
    repo.write("inner/.git", format!("gitdir: /nowhere/{gitdir}\n"));
    for path in [
        repo.join(&file),
        repo.join(&dir),
        repo.join(format!(".git/refs/heads/{branch}")),
    ] {
        close(&path);
    }
    let blob = repo.git(&["rev-parse", &format!(":{file}")]);
    close(&repo.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..])));
    for args in [
        &["scan"][..],
        &["scan", "inner"],
        &["staged"],
        &["history"],
        &["history", "inner"],
    ] {
        for format in formats() {
            let mut args = args.to_vec();
            args.extend(["--format", format]);
            let run = TestCommand::keysieve_as_nobody(repo.path())
                .args(&args)
                .run();
            planted.check(&run);
            assert!(
                run.status == 2 || args[..2] == ["scan", "inner"],
                "{}",
                run.show()
            );
        }
    }
    reopen(&repo.join(&dir));
}

fn close(path: &Path) {
    mode(path, 0o000);
}

fn reopen(path: &Path) {
    mode(path, 0o755);
}

fn mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }
    let _ = (path, mode);
}
