//! `scan --files-from`.

use super::found;
use crate::support::{TestCommand, TestRepo, pair};

#[test]
fn a_list_names_files_by_line_or_by_zero() {
    let repo = TestRepo::new();
    let names = ["a/x.env", "-", "--help", "a\nb", "a b ", "\u{e9}.env"];
    for (seed, name) in (1..).zip(names) {
        repo.write(name, pair(seed));
    }
    repo.write("unlisted.env", pair(99));
    repo.write(".gitignore", "*\n");
    let mut all = names.map(str::to_owned);
    all.sort();
    let shown = |run| {
        let found = found(&run);
        let plain = found
            .iter()
            .map(|path| path.trim_start_matches("./").to_owned());
        let mut plain: Vec<String> = plain.collect();
        plain.sort();
        plain
    };
    let null = names.join("\0");
    repo.write("list", &null);
    for (arguments, stdin) in [
        (&["--files-from", "list", "--null"][..], ""),
        (&["--files-from", "-", "-0"], null.as_str()),
    ] {
        let run = repo
            .keysieve(&["scan", "--format", "json"])
            .args(arguments)
            .stdin(stdin)
            .status(1);
        assert_eq!(shown(run), all);
    }
    let lines = format!("{}\n\n{}\n", names[0], names[1]);
    let run = repo
        .keysieve(&["scan", "--format", "json", "--files-from", "-"])
        .stdin(lines)
        .status(1);
    assert_eq!(shown(run), ["-", "a/x.env"]);
}

#[test]
fn a_list_is_no_way_around_what_counts() {
    let repo = TestRepo::new();
    repo.write(
        ".keysieve.toml",
        "[[allow]]\npaths = ['/root/']\nreason = 'r'\n",
    );
    repo.write(
        "a/.keysieve.toml",
        "[[allow]]\npaths = ['/own/']\nreason = 'r'\n",
    );
    repo.write("root/x.env", pair(1));
    repo.write("a/own/x.env", pair(2));
    repo.write("a/x.env", pair(3));
    let run = TestCommand::keysieve(repo.join("a"))
        .args(["scan", "--format", "json", "--files-from", "-"])
        .stdin("../root/x.env\nown/x.env\nx.env\n.\n")
        .status(1);
    assert_eq!(
        found(&run),
        ["../root/x.env accepted", "own/x.env accepted", "x.env"]
    );
}

#[test]
fn what_is_listed_and_not_there_is_not_clean() {
    let repo = TestRepo::new();
    repo.write("a", "nothing\n");
    let scan = |list: &str, status| {
        repo.keysieve(&["scan", "--files-from", "-"])
            .stdin(list)
            .status(status)
    };
    scan("a\n", 0);
    let run = scan("a\ngone\n", 2);
    assert!(run.out().contains("gone"), "{}", run.show());
    let run = scan("", 0);
    assert!(
        run.err().contains("the list names no file"),
        "{}",
        run.show()
    );
    // A list of the other kind would be one long name, or many parts of names.
    let run = scan("a\0a\0", 2);
    assert!(run.err().contains("--null"), "{}", run.show());
    repo.keysieve(&["scan", "--files-from", "none"]).status(2);
    for more in [&["a"][..], &["--path", "x"]] {
        repo.keysieve(&["scan", "--files-from", "-"])
            .args(more)
            .status(2);
    }
    repo.keysieve(&["scan", "--null", "a"]).status(2);
}

/// An entry that lies in another repository, or what looks like one, speaks for itself at most.
#[test]
fn no_entry_of_a_list_chooses_the_settings_for_the_others() {
    let repo = TestRepo::new();
    repo.write("z/x.env", pair(1));
    repo.write("a/f", "nothing\n");
    repo.write(
        "a/.keysieve.toml",
        "exclude = ['*.env']\nfail-on = 'never'\n",
    );
    repo.write("a/HEAD", "ref: refs/heads/main\n");
    repo.write("a/objects/x", "");
    repo.write("a/refs/x", "");
    repo.keysieve(&["scan", "--files-from", "-"])
        .stdin("z/x.env\na/f\n")
        .status(1);
    repo.write("a/.keysieve.toml", "exclude = ['*']\nfail-on = 'never'\n");
    let run = repo
        .keysieve(&["scan", "--format", "json", "--files-from", "-"])
        .stdin("a/f\nz/x.env\n")
        .status(1);
    assert_eq!(found(&run), ["z/x.env"]);
}

/// A link that is listed is the file that it leads to.
#[test]
#[cfg(unix)]
fn a_link_in_a_list_has_the_settings_of_its_target() {
    let repo = TestRepo::new();
    repo.write(
        "a/.keysieve.toml",
        "[[allow]]\npaths = ['/x.env']\nreason = 'r'\n",
    );
    repo.write("a/x.env", pair(1));
    std::os::unix::fs::symlink("a/x.env", repo.join("l")).expect("a link");
    let scan = |args: &[&str]| repo.keysieve(args).stdin("l\n").status(0);
    scan(&["scan", "l"]);
    scan(&["scan", "--files-from", "-"]);
}
