//! The words of doc comments: each begins with a noun or a verb, and none uses a turn of phrase that hides who does what.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Folders whose Rust files are read.
const ROOTS: &[&str] = &[
    "src", "verify", "tests", "benches", "fuzz", "build", "examples",
];

/// Words that begin a clause. A comment that begins with one names a question, not the thing.
const QUESTIONS: &[&str] = &[
    "What", "Whether", "How", "Who", "Whose", "Whom", "Where", "Which", "Why", "When",
];

/// Turns of phrase with what to write in their place. A star is any ending of the word.
const REFUSED: &[(&str, &str)] = &[
    ("that is none", "name the other thing"),
    ("that are none", "name the other things"),
    ("somebody*", "name the user, the tool or the caller"),
    ("nobody's", "name the owner that is missing"),
    ("of no use", "unused"),
    ("is told", "is reported, or returned"),
    ("are told", "are reported, or returned"),
    ("was told", "was reported, or returned"),
    ("were told", "were reported, or returned"),
    ("be told", "be reported, or returned"),
    ("stands", "is"),
    ("stand", "be"),
    ("stood", "was"),
];

/// A doc comment: the lines above one item, or at the head of a module.
struct Doc {
    line: usize,
    text: String,
}

#[test]
fn doc_comments_begin_with_a_noun_or_a_verb() {
    let (mut all, mut wrong) = (0_usize, Vec::new());
    for (path, text) in sources() {
        for doc in docs(&text) {
            all += 1;
            if is_question(&doc) {
                wrong.push(format!("{}:{}: {}", path.display(), doc.line, doc.text));
            }
        }
    }
    assert!(all > 6000, "only {all} doc comments seen");
    // Now and then a question is the plainest name: one in a hundred.
    assert!(wrong.len() * 100 <= all, "{}", wrong.join("\n"));
}

#[test]
fn doc_comments_are_plain() {
    let mut wrong = String::new();
    for (path, text) in sources() {
        for doc in docs(&text) {
            for (phrase, instead) in refused(&doc.text) {
                let place = format!("{}:{}", path.display(), doc.line);
                writeln!(wrong, "{place}: {phrase:?}, rather {instead}: {}", doc.text)
                    .expect("a text");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_checks_see_what_they_are_for() {
    let text = [
        "//! A module.",
        "",
        "/// What it does.",
        "fn a() {}",
        "    /// Whatever comes",
        "    /// and Where it",
        "    /// stands, is",
        "    /// told.",
        "    // What is no doc comment.",
        "//// Nor this: stands.",
    ];
    let text = text.join("\n");
    let docs: Vec<Doc> = docs(&text).collect();
    let lines: Vec<usize> = docs.iter().map(|doc| doc.line).collect();
    assert_eq!(lines, [1, 3, 5]);
    let questions: Vec<bool> = docs.iter().map(is_question).collect();
    assert_eq!(questions, [false, true, false]);
    let found: Vec<&str> = refused(&docs[2].text).map(|(phrase, _)| phrase).collect();
    assert_eq!(found, ["is told", "stands"]);
    for good in [
        "It stands for one.",
        "A stand-in.",
        "Understands it.",
        "It is told",
    ] {
        let is_good = refused(good).next().is_none();
        assert_eq!(is_good, !good.ends_with("told"), "{good}");
    }
    assert_eq!(refused("of somebody else's").count(), 1);
}

fn is_question(doc: &Doc) -> bool {
    let first = doc.text.split(|c: char| !c.is_alphanumeric()).next();
    first.is_some_and(|first| QUESTIONS.contains(&first))
}

/// Returns the refused phrases of a text. In the sense of "means" the last ones are let pass, and in compounds.
fn refused(text: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let text = text.to_lowercase();
    REFUSED.iter().copied().filter(move |(phrase, _)| {
        let (word, is_open) = match phrase.strip_suffix('*') {
            Some(word) => (word, true),
            None => (*phrase, false),
        };
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            let is_whole = !after.starts_with(|c: char| c.is_alphanumeric() || c == '-');
            let is_other = word.starts_with("sta") && after.starts_with(" for ");
            !before.ends_with(char::is_alphanumeric) && (is_open || is_whole) && !is_other
        })
    })
}

/// The doc comments of a source file, the lines of each joined by blanks.
fn docs(text: &str) -> impl Iterator<Item = Doc> {
    let mut found: Vec<(&str, Doc)> = Vec::new();
    let mut is_open = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let mark = ["///", "//!"]
            .into_iter()
            .find(|mark| line.starts_with(mark));
        let Some(mark) = mark.filter(|_| !line.starts_with("////")) else {
            is_open = false;
            continue;
        };
        let rest = line[mark.len()..].trim();
        match found.last_mut() {
            Some((last, doc)) if is_open && *last == mark => {
                doc.text.push(' ');
                doc.text.push_str(rest);
            }
            _ => found.push((
                mark,
                Doc {
                    line: number + 1,
                    text: rest.to_owned(),
                },
            )),
        }
        is_open = true;
    }
    found.into_iter().map(|(_, doc)| doc)
}

/// The Rust files of the project with their paths below its root, what is built left out.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = ROOTS.iter().map(|name| root.join(name)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                let below = path.strip_prefix(root).expect("below the root");
                found.push((below.to_owned(), text));
            }
        }
    }
    found.sort();
    found
}
