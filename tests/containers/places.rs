//! Places inside containers, as the program shows them, in files, streams and Git.

use std::path::Path;

use super::pair;
use crate::support::archive::{Member, Method, Zip, base64, gzip, tar, zip};
use crate::support::{Keys, TestCommand, TestRepo};

fn members(text: &str) -> Vec<Member> {
    vec![
        ("README".to_owned(), b"nothing here\n".repeat(500)),
        (
            "etc/app.env".to_owned(),
            format!("# settings\n{text}").into_bytes(),
        ),
    ]
}

fn write(dir: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(dir.join(name), bytes).expect("a file");
}

/// A zip file with a member that says it is encrypted.
fn locked() -> Vec<u8> {
    let mut file = Zip::default();
    file.add("locked.txt", Method::Store, false, b"nobody can read this");
    let mut bytes = file.finish(b"");
    let at = memchr::memmem::find(&bytes, b"PK\x01\x02").expect("a directory");
    bytes[at + 8] |= 1;
    bytes[6] |= 1;
    bytes
}

#[test]
fn a_place_has_the_way_into_its_containers() {
    let mut keys = Keys::new(1);
    let (id, text) = pair(&mut keys);
    let dir = tempfile::tempdir().expect("a directory");
    let inner = gzip(&tar(&members(&text)));
    let outer = zip(
        &[("backup.tar.gz".to_owned(), inner)],
        Method::Deflate,
        false,
    );
    write(dir.path(), "all.zip", &outer);
    let run = TestCommand::keysieve(dir.path())
        .args(["scan", "--format", "json", "."])
        .status(1);
    let report = run.json();
    let finding = &report["findings"][0];
    assert_eq!(finding["key_id"], id.as_str());
    let place = &finding["places"][0];
    assert_eq!(place["path"], "all.zip");
    assert_eq!(place["line"], 3);
    let inside = serde_json::json!([
        { "kind": "zip", "name": "backup.tar.gz" },
        { "kind": "gzip", "name": "" },
        { "kind": "tar", "name": "etc/app.env" },
    ]);
    assert_eq!(place["inside"], inside);
    assert_eq!(report["coverage"]["files"], 1);
    assert_eq!(report["coverage"]["bytes"], outer.len());
    assert!(report["coverage"]["opened_bytes"].as_u64() > Some(5000));
    let run = TestCommand::keysieve(dir.path())
        .args(["scan", "."])
        .status(1);
    assert!(
        run.out().contains("all.zip!backup.tar.gz!etc/app.env:3:23"),
        "{}",
        run.show()
    );
    let run = TestCommand::keysieve(dir.path())
        .args(["scan", "-", "--path", "piped"])
        .stdin(outer)
        .status(1);
    assert!(
        run.out().contains("piped!backup.tar.gz!etc/app.env:3:23"),
        "{}",
        run.show()
    );
}

#[test]
fn what_stands_inside_is_judged_and_not_asked() {
    let mut keys = Keys::new(2);
    let (_, text) = pair(&mut keys);
    let marked: String = text
        .lines()
        .map(|line| format!("{line} # keysieve:allow\n"))
        .collect();
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "plain.env", marked.as_bytes());
    TestCommand::keysieve(dir.path())
        .args(["scan", "."])
        .status(0);
    let config = "[[allow]]\npaths = ['*']\nreason = 'mine'\n".to_owned();
    let mut members = members(&marked);
    members.push((".keysieve.toml".to_owned(), config.into_bytes()));
    write(dir.path(), "a.tar", &tar(&members));
    TestCommand::keysieve(dir.path())
        .args(["scan", "."])
        .status(1);
}

#[test]
fn paths_inside_can_be_left_out_and_allowed() {
    let mut keys = Keys::new(3);
    let (_, text) = pair(&mut keys);
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "a.tar", &tar(&members(&text)));
    let scan = |args: &[&str], status: i32| {
        TestCommand::keysieve(dir.path())
            .arg("scan")
            .args(args)
            .status(status)
    };
    scan(&["."], 1);
    scan(&[".", "--exclude", "*.env"], 0);
    scan(&[".", "--exclude", "*.tar"], 0);
    scan(&["a.tar", "--exclude", "*.tar"], 1);
    scan(&[".", "--exclude", "*.txt"], 1);
    for paths in ["'etc/app.env'", "'a.tar'", "'*.env'"] {
        let config = format!("[[allow]]\npaths = [{paths}]\nreason = 'known'\n");
        write(dir.path(), ".keysieve.toml", config.as_bytes());
        scan(&["."], 0);
    }
}

#[test]
fn what_is_encrypted_is_named_and_can_be_accepted() {
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "a.zip", &locked());
    let run = TestCommand::keysieve(dir.path())
        .args(["scan", "."])
        .status(2);
    assert!(
        run.out().contains("encrypted: a.zip!locked.txt"),
        "{}",
        run.show()
    );
    for (args, status) in [
        (vec!["--allow-incomplete", "encrypted"], 0),
        (vec!["--allow-incomplete", "limit"], 2),
        (vec!["--no-open"], 0),
    ] {
        TestCommand::keysieve(dir.path())
            .arg("scan")
            .args(args)
            .status(status);
    }
}

#[test]
fn options_bound_what_is_opened() {
    let dir = tempfile::tempdir().expect("a directory");
    let nest = gzip(&gzip(&[0; 100_000]));
    write(dir.path(), "a.gz", &nest);
    let scan = |args: &[&str], status: i32| {
        TestCommand::keysieve(dir.path())
            .arg("scan")
            .args(args)
            .status(status)
    };
    scan(&[], 0);
    scan(&["--max-depth", "2"], 0);
    let run = scan(&["--max-depth", "1"], 2);
    assert!(
        run.out().contains("opened: a.gz: it lies"),
        "{}",
        run.show()
    );
    scan(&["--max-output", "50K"], 2);
    scan(&["--max-output", "50K", "--allow-incomplete", "limit"], 0);
    scan(&["--max-depth", "0"], 2);
    scan(&["--max-depth", "1", "--no-open"], 2);
}

#[test]
fn the_history_knows_what_a_container_held() {
    let mut keys = Keys::new(4);
    let (id, text) = pair(&mut keys);
    let repo = TestRepo::new();
    repo.commit_file("a.txt", "a\n", "first");
    let commit = repo.commit_file("backup.tar.gz", gzip(&tar(&members(&text))), "backup");
    repo.git(&["rm", "-q", "backup.tar.gz"]);
    repo.commit("gone");
    for pack in [false, true] {
        if pack {
            repo.git(&["repack", "-adfq"]);
        }
        let run = repo.keysieve(&["history", "--format", "json"]).status(1);
        let finding = &run.json()["findings"][0];
        assert_eq!(finding["key_id"], id.as_str());
        let place = &finding["places"][0];
        assert_eq!(place["path"], "backup.tar.gz");
        assert_eq!(place["commit"], commit.as_str());
        assert_eq!(place["inside"][1]["name"], "etc/app.env");
        assert_eq!(place["in_head"], false);
        repo.keysieve(&["history", "--no-open"]).status(0);
    }
    let run = repo.keysieve(&["history"]).status(1);
    let spot = format!("{}:backup.tar.gz!etc/app.env:3:23", &commit[..12]);
    assert!(run.out().contains(&spot), "{}", run.show());
    repo.keysieve(&["history", "--range", "HEAD~2..HEAD"])
        .status(1);
}

/// Archives of one name that differ a little, so that Git packs them as deltas of each other.
#[test]
fn containers_that_are_packed_as_deltas_are_opened() {
    let mut keys = Keys::new(5);
    let (id, text) = pair(&mut keys);
    let repo = TestRepo::new();
    let noise: Vec<u8> = (0..40_000).map(|_| keys.next() as u8).collect();
    let archive = |number: usize, text: &str| {
        let mut zip = Zip::default();
        zip.add("noise", Method::Store, false, &noise);
        // Packed, so that a search for literals finds nothing.
        zip.add(
            "app.env",
            Method::Deflate,
            false,
            format!("{number}\n{text}").as_bytes(),
        );
        zip.finish(b"")
    };
    for prefix in [&b""[..], b"#!/bin/sh\nexec java -jar \"$0\"\n"] {
        for number in 0..8 {
            let text = if number == 4 { text.as_str() } else { "" };
            let name = if prefix.is_empty() { "a.zip" } else { "a.run" };
            let bytes = [prefix, &archive(number, text)].concat();
            repo.commit_file(name, bytes, "another");
        }
    }
    repo.git(&["repack", "-adfq", "--window=20", "--depth=20"]);
    let run = repo.keysieve(&["history", "--format", "json"]).status(1);
    let finding = &run.json()["findings"][0];
    assert_eq!(finding["key_id"], id.as_str());
    let places = finding["places"].as_array().expect("places");
    let paths: Vec<&str> = places
        .iter()
        .filter_map(|place| place["path"].as_str())
        .collect();
    assert_eq!(paths, ["a.zip", "a.run"], "{}", run.show());
}

#[test]
fn what_is_packed_and_written_in_base64_is_opened() {
    let mut keys = Keys::new(8);
    let (id, text) = pair(&mut keys);
    let script = format!(
        "#!/bin/sh\n{}{text}",
        "echo a line of a script\n".repeat(20)
    );
    let once = base64(&gzip(script.as_bytes()));
    let twice = base64(once.as_bytes());
    let lines: Vec<String> = once
        .as_bytes()
        .chunks(60)
        .map(|it| String::from_utf8_lossy(it).into())
        .collect();
    let repo = TestRepo::new();
    for (name, text) in [
        ("main.tf", format!("a\nuser_data_base64 = \"{once}\"\n")),
        ("release.yaml", format!("a:\n  release: {twice}\n")),
        (
            "cloud.yaml",
            format!("x:\n  content: |\n    {}\n", lines.join("\n    ")),
        ),
        (
            "state.json",
            format!("{{\"user_data\": \"{}\\n\"}}\n", lines.join("\\n")),
        ),
    ] {
        repo.commit_file(name, &text, name);
        let run = repo.keysieve(&["scan", name, "--format", "json"]).status(1);
        let place = &run.json()["findings"][0]["places"][0];
        assert_eq!(run.json()["findings"][0]["key_id"], id.as_str(), "{name}");
        assert_eq!(place["path"], name);
        assert_eq!(place["inside"][0]["kind"], "base64");
        let line = if name == "cloud.yaml" {
            "line 3"
        } else {
            "line 2"
        };
        let line = if name == "state.json" { "line 1" } else { line };
        assert_eq!(place["inside"][0]["name"], line, "{name}");
        repo.keysieve(&["scan", name, "--no-open"]).status(0);
    }
    let run = repo.keysieve(&["history", "--format", "json"]).status(1);
    assert_eq!(
        run.json()["findings"][0]["places"].as_array().map(Vec::len),
        Some(4)
    );
    // Documentation shows how such a thing begins.
    let dir = tempfile::tempdir().expect("a directory");
    let example = format!("user_data_base64 = \"{}...\"\n", &once[..80]);
    write(dir.path(), "README.md", example.as_bytes());
    TestCommand::keysieve(dir.path())
        .args(["scan", "."])
        .status(0);
}

#[test]
fn a_commit_is_stopped_by_what_is_new_in_a_container() {
    let mut keys = Keys::new(6);
    let (_, text) = pair(&mut keys);
    let (id, other) = pair(&mut keys);
    let repo = TestRepo::new();
    let archive = |text: &str, extra: &str| {
        let mut members = members(text);
        members.push(("extra".to_owned(), extra.into()));
        gzip(&tar(&members))
    };
    repo.commit_file("a.tgz", archive(&text, "one"), "a secret that is known");
    // Built again: another archive with the same secret.
    repo.stage("a.tgz", archive(&text, "two"));
    repo.keysieve(&["staged"]).status(0);
    repo.stage("a.tgz", archive(&(text.clone() + &other), "two"));
    let run = repo.keysieve(&["staged"]).status(1);
    assert!(run.out().contains("a.tgz!etc/app.env"), "{}", run.show());
    assert!(run.out().contains(&id), "{}", run.show());
    // What is replaced need not be read, what is new must be.
    repo.stage("a.tgz", "gone\n");
    repo.stage("locked.zip", locked());
    repo.keysieve(&["staged"]).status(2);
    repo.commit("locked");
    repo.stage("locked.zip", "gone\n");
    repo.keysieve(&["staged"]).status(0);
}

#[test]
fn a_cache_forgets_nothing_that_was_not_read() {
    let repo = TestRepo::new();
    repo.commit_file("locked.zip", locked(), "locked");
    repo.commit_file("open.gz", gzip(b"nothing\n"), "open");
    let cache = tempfile::tempdir().expect("a directory");
    let cache = cache.path().to_str().expect("a path");
    for _ in 0..2 {
        let run = repo.keysieve(&["history", "--cache", cache]).status(2);
        assert!(
            run.out().contains("locked.zip!locked.txt"),
            "{}",
            run.show()
        );
    }
    // With other settings nothing is known.
    repo.keysieve(&["history", "--cache", cache, "--no-open"])
        .status(0);
    repo.keysieve(&["history", "--cache", cache]).status(2);
}

#[test]
fn every_format_of_report_names_the_file_and_the_way() {
    let mut keys = Keys::new(7);
    let (_, text) = pair(&mut keys);
    let dir = tempfile::tempdir().expect("a directory");
    write(dir.path(), "a.tar", &tar(&members(&text)));
    for format in [
        "text", "json", "jsonl", "sarif", "junit", "csv", "github", "gitlab", "html",
    ] {
        let run = TestCommand::keysieve(dir.path())
            .args(["scan", ".", "--format", format])
            .status(1);
        assert!(run.out().contains("a.tar"), "{format}: {}", run.show());
        assert!(
            run.out().contains("etc/app.env"),
            "{format}: {}",
            run.show()
        );
    }
}
