//! Reports as the program writes them: every option in every format, positions, and paths.

use std::path::Path;

use keysieve::coverage::SkipReason;
use keysieve::report::{Accepted, Format};
use serde_json::Value;

use crate::fuzz::targets::parse::csv as csv_rows;
use crate::support::command::Run;
use crate::support::docs::page;
use crate::support::{Keys, TestCommand, TestRepo, shows_part_of};

struct Pair {
    id: String,
    secret: String,
}

fn pair(seed: u64) -> Pair {
    let mut keys = Keys::new(0x7265_0000 + seed);
    Pair {
        id: keys.id(),
        secret: keys.secret(),
    }
}

impl Pair {
    fn env(&self) -> String {
        format!(
            "aws_access_key_id = {}\naws_secret_access_key = {}\n",
            self.id, self.secret
        )
    }
}

/// A repository with a finding that counts and one of each kind that is accepted.
fn repo() -> (TestRepo, Pair, Vec<Pair>) {
    let repo = TestRepo::new();
    let (open, accepted) = (pair(1), vec![pair(2), pair(3), pair(4)]);
    repo.write("src/open.env", open.env());
    let marked = format!("{} # keysieve:allow made up", accepted[0].env().trim_end());
    repo.write("src/marked.env", marked);
    repo.write("src/allowed.env", accepted[1].env());
    repo.write("src/known.env", accepted[2].env());
    repo.write(
        ".keysieve.toml",
        "[[allow]]\npaths = ['/src/allowed.env']\nreason = 'a sample'\n",
    );
    repo.keysieve(&["baseline", "write"]).status(0);
    let baseline = std::fs::read_to_string(repo.join(".keysieve-baseline")).expect("a file");
    let of_known = |line: &&str| line.starts_with('#') || line.contains("known.env");
    let kept: Vec<&str> = baseline.lines().filter(of_known).collect();
    assert_eq!(kept.len(), 2, "{baseline}");
    repo.write(".keysieve-baseline", kept.join("\n"));
    (repo, open, accepted)
}

/// Returns true if a report lists the finding: formats for machines have its ID or fingerprint.
fn lists(report: &str, pair: &Pair) -> bool {
    report.contains(&pair.id)
}

#[test]
fn every_option_does_in_every_format_what_the_format_says_that_it_can() {
    let (repo, open, accepted) = repo();
    for format in Format::ALL {
        let name = format.name();
        let can = format.capabilities();
        for options in [
            &[][..],
            &["--show-secrets"],
            &["--show-notes"],
            &["--include-accepted"],
            &["--quiet"],
            &["--report-unused"],
            &["--fail-on", "never"],
            &["--show-secrets", "--show-notes", "--include-accepted"],
        ] {
            let what = format!("{name} {options:?}");
            let has = |option: &str| options.contains(&option);
            let args = [&["scan", "--format", name], options].concat();
            let run = repo.keysieve(&args).run();
            if has("--show-secrets") && !can.secrets {
                assert_eq!(run.status, 2, "{what}\n{}", run.show());
                assert!(run.stdout.is_empty(), "{what}\n{}", run.show());
                continue;
            }
            let status = i32::from(!has("never"));
            assert_eq!(run.status, status, "{what}\n{}", run.show());
            let report = run.out();
            assert!(lists(&report, &open), "{what}\n{report}");
            let shows = report.contains(&open.secret);
            assert_eq!(shows, has("--show-secrets"), "{what}\n{report}");
            if !shows {
                assert!(!shows_part_of(&open.secret, &report), "{what}\n{report}");
            }
            let listed = match can.accepted {
                Accepted::Always => true,
                Accepted::Never => false,
                Accepted::WithNotes => has("--show-notes"),
                Accepted::OnRequest => has("--include-accepted"),
            };
            for pair in &accepted {
                assert_eq!(lists(&report, pair), listed, "{what}\n{report}");
            }
            // Into a file it is the same, the width and colours of a terminal apart.
            let file = repo.join("report.out");
            let argument = format!("{name}={}", file.display());
            let args = [
                &["scan", "--exclude", "report.out", "--report", &argument],
                options,
            ];
            repo.keysieve(&args.concat()).status(status);
            let written = std::fs::read_to_string(&file).expect("a report");
            assert_eq!(without_times(&written), without_times(&report), "{what}");
            std::fs::remove_file(file).expect("a report");
        }
    }
}

/// GitLab's report has the time of the scan.
fn without_times(report: &str) -> String {
    let is_time = |line: &&str| line.contains("\"start_time\"") || line.contains("\"end_time\"");
    let lines: Vec<&str> = report.lines().filter(|line| !is_time(line)).collect();
    lines.join("\n")
}

#[test]
fn documentation_and_hint_name_the_formats_that_can_show_secrets() {
    let can = |format: &&Format| format.capabilities().secrets;
    let names: Vec<&str> = Format::ALL.iter().filter(can).map(|it| it.name()).collect();
    let (last, first) = names.split_last().expect("some");
    let (repo, ..) = repo();
    let run = repo
        .keysieve(&["scan", "--show-secrets", "--format", "sarif"])
        .status(2);
    let hint = format!("use {} or {last}", first.join(", "));
    assert!(run.err().contains(&hint), "{}", run.show());
    let quoted: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
    let sentence = format!(
        "`--show-secrets` works with {} and `{last}`;",
        quoted.join(", ")
    );
    let read = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(path).expect("a document")
    };
    assert!(read("docs/ci.md").contains(&sentence), "{sentence}");
    let title = |name: &&str| match *name {
        "text" => "text".to_owned(),
        "jsonl" => "JSON Lines".to_owned(),
        other => other.to_uppercase(),
    };
    let titles: Vec<String> = first.iter().map(title).collect();
    let sentence = format!(
        "unless `--show-secrets` asks {} or {} for it",
        titles.join(", "),
        title(last)
    );
    assert!(read("README.md").contains(&sentence), "{sentence}");
}

/// Line and column of the one place in each format that has them.
fn positions(dir: &Path, args: &[&str]) -> Vec<(String, u64, Option<u64>)> {
    let run = |format: &str| -> Run {
        let args = [&["scan", "--format", format], args].concat();
        TestCommand::keysieve(dir)
            .args(args)
            .args(["--fail-on", "never"])
            .status(0)
    };
    let number = |value: &Value| value.as_u64();
    let json = run("json").json();
    let place = &json["findings"][0]["places"][0];
    let sarif = run("sarif").json();
    let physical = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    let gitlab = run("gitlab").json();
    let location = &gitlab["vulnerabilities"][0]["location"];
    let github = run("github").out();
    let property = |name: &str| {
        let (_, rest) = github.split_once(&format!(",{name}=")).expect("a property");
        rest.split([',', ':']).next().and_then(|it| it.parse().ok())
    };
    let csv = run("csv").out();
    let rows = csv_rows(&csv);
    let field = |name: &str| {
        let at = rows[0].iter().position(|it| it == name).expect("a column");
        rows[1][at].parse().ok()
    };
    let text = run("text").out();
    let spot = text.split_once("--> ").expect("a place").1;
    let mut spot = spot.lines().next().unwrap_or_default().rsplit(':');
    let column = spot.next().and_then(|it| it.parse().ok());
    let line = spot.next().and_then(|it| it.parse().ok());
    [
        ("json", number(&place["line"]), number(&place["column"])),
        (
            "sarif",
            number(&physical["region"]["startLine"]),
            number(&physical["region"]["startColumn"]),
        ),
        ("gitlab", number(&location["start_line"]), None),
        ("github", property("line"), property("col")),
        ("csv", field("line"), field("column")),
        ("text", line, column),
    ]
    .into_iter()
    .map(|(name, line, column)| (name.to_owned(), line.expect(name), column))
    .collect()
}

#[test]
fn line_and_column_are_those_of_the_secret_else_of_the_key_id() {
    let pair = pair(7);
    for (text, line, column) in [
        (pair.env(), 2, 25),
        (
            format!("secret = {}\n\nid = {}\n", pair.secret, pair.id),
            1,
            10,
        ),
        (format!("\n\naws_access_key_id = {}\n", pair.id), 3, 21),
        (
            format!("\naws_secret_access_key = {}\n", pair.secret),
            2,
            25,
        ),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("a.env"), &text).expect("a file");
        for (format, found_line, found_column) in positions(dir.path(), &["a.env"]) {
            assert_eq!(found_line, line, "{format}: {text}");
            assert!(
                found_column.is_none_or(|it| it == column),
                "{format}: {text}"
            );
        }
        let json = TestCommand::keysieve(dir.path())
            .args(["scan", "--format", "json", "--fail-on", "never", "a.env"])
            .status(0)
            .json();
        let place = &json["findings"][0]["places"][0];
        for (name, part) in [("key_id", &pair.id), ("secret", &pair.secret)] {
            let offset = place[format!("{name}_offset")].as_u64();
            assert_eq!(
                offset.map(|it| it as usize),
                text.find(part.as_str()),
                "{name}: {text}"
            );
        }
    }
}

/// The path of the one finding in the formats that others look files up with.
fn paths(dir: &Path, args: &[&str]) -> Vec<(String, String)> {
    let run = |format: &str| -> Run {
        let args = [&["scan", "--format", format], args].concat();
        TestCommand::keysieve(dir).args(args).status(1)
    };
    let text = |value: &Value| value.as_str().expect("a path").to_owned();
    let sarif = run("sarif").json();
    let artifact =
        &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    assert_eq!(artifact["uriBaseId"], "%SRCROOT%");
    let gitlab = run("gitlab").json();
    let github = run("github").out();
    let (_, file) = github.split_once("file=").expect("a file");
    let junit = run("junit").out();
    let (_, name) = junit.split_once(" in ").expect("a name");
    let name = name.split('"').next().unwrap_or_default();
    [
        ("sarif", text(&artifact["uri"])),
        (
            "gitlab",
            text(&gitlab["vulnerabilities"][0]["location"]["file"]),
        ),
        (
            "github",
            file.split(',').next().unwrap_or_default().to_owned(),
        ),
        ("junit", name.to_owned()),
    ]
    .map(|(name, path)| (name.to_owned(), path))
    .into()
}

#[test]
#[cfg(unix)]
fn paths_for_others_are_below_the_root_whatever_was_typed() {
    let repo = TestRepo::new();
    repo.write("src/deep/a.env", pair(1).env());
    let root = repo.path().to_owned();
    let root_text = root.to_str().expect("UTF-8");
    let outside = tempfile::tempdir().expect("a directory");
    let link = outside.path().join("link");
    std::os::unix::fs::symlink(&root, &link).expect("a link");
    let link_text = link.to_str().expect("UTF-8");
    let file_by_link = link.join("src/deep/a.env");
    for (dir, args) in [
        (root.clone(), vec![]),
        (root.clone(), vec!["./src/"]),
        (root.clone(), vec![root_text]),
        (root.join("src"), vec![]),
        (root.join("src"), vec![".."]),
        (root.join("src"), vec!["../src/deep/a.env"]),
        (root.join("src/deep"), vec!["."]),
        (outside.path().to_owned(), vec!["link"]),
        (outside.path().to_owned(), vec!["./link/src"]),
        (root.clone(), vec![link_text]),
        (root.clone(), vec![file_by_link.to_str().expect("UTF-8")]),
    ] {
        for (format, path) in paths(&dir, &args) {
            assert_eq!(
                path,
                "src/deep/a.env",
                "{format}: {} {args:?}",
                dir.display()
            );
        }
    }
}

#[test]
#[cfg(unix)]
fn what_is_allowed_is_allowed_through_a_link() {
    let repo = TestRepo::new();
    repo.write("tests/k.env", pair(1).env());
    repo.write(
        ".keysieve.toml",
        "[[allow]]\npaths = ['/tests/']\nreason = 'made up'\n",
    );
    let outside = tempfile::tempdir().expect("a directory");
    std::os::unix::fs::symlink(repo.path(), outside.path().join("link")).expect("a link");
    for path in [
        "link",
        "link/tests",
        "link/tests/k.env",
        "./link/tests/../tests",
    ] {
        let run = TestCommand::keysieve(outside.path())
            .args(["scan", "--format", "json", path])
            .status(0);
        assert_eq!(
            run.json()["summary"]["accepted"],
            1,
            "{path}\n{}",
            run.show()
        );
    }
}

#[test]
fn documentation_names_every_reason_for_which_something_is_not_read() {
    let texts = [
        ("README.md", "`--allow-incomplete REASON` accepts"),
        (
            "docs/configuration.md",
            "# Take a scan as complete although",
        ),
        (
            "docs/report-schema.md",
            "Reasons that make a scan incomplete:",
        ),
    ];
    for (path, start) in texts {
        let page = page(path);
        let list = page.split_once(start).expect("a list").1;
        let list = list.split("\n\n").next().unwrap_or_default();
        let words: Vec<&str> = list
            .split(|char: char| !char.is_ascii_lowercase() && char != '-')
            .collect();
        for reason in SkipReason::ALL.iter().filter(|it| it.is_incomplete()) {
            // These two are reported and cannot be accepted.
            let may_be_left_out = path != "docs/report-schema.md"
                && matches!(reason, SkipReason::Interrupted | SkipReason::Internal);
            assert!(
                may_be_left_out || words.contains(&reason.name()),
                "{path}: {}",
                reason.name()
            );
        }
    }
}
