//! Pages for those who change the program: the picture of the rooms is what the imports say, named files exist, and
//! figures were measured.

use std::collections::BTreeSet;
use std::path::Path;

use crate::rooms::{Modules, SHARED, paths};

/// The wings of the library, in the order of the picture, each with its rooms.
const WINGS: &[(&str, &[&str])] = &[
    ("reading", &["source", "attribution", "git"]),
    ("finding", &["scan", "engine", "rule"]),
    ("answering", &["policy", "report", "hook"]),
    ("AWS", &["triage", "evidence", "aws"]),
];

#[test]
fn the_picture_of_the_rooms_is_what_the_imports_say() {
    let modules = Modules::read();
    let is_drawn = |room: &&str| !SHARED.contains(room) && !["lib", "bin"].contains(room);
    let (mut rooms, mut edges) = (BTreeSet::new(), BTreeSet::new());
    for (module, text) in &modules.text {
        let room = module.split("::").next().unwrap_or_default();
        if !is_drawn(&room) || module.ends_with("::tests") {
            continue;
        }
        rooms.insert(room);
        let used = paths(text, "crate::").into_iter().map(|(used, _)| used);
        let used = used.filter(|used| *used != room).filter(is_drawn);
        edges.extend(used.map(|used| (room, used)));
    }
    assert!(edges.len() > 10, "{edges:?}");
    let in_wings = WINGS.iter().flat_map(|(_, rooms)| *rooms).copied();
    assert_eq!(in_wings.collect::<BTreeSet<&str>>(), rooms);
    let mut picture = String::from("```mermaid\nflowchart TD\n");
    for (wing, rooms) in WINGS {
        let rooms: String = rooms
            .iter()
            .map(|room| format!("        {room}\n"))
            .collect();
        picture.push_str(&format!("    subgraph {wing}\n{rooms}    end\n"));
    }
    for (room, used) in edges {
        picture.push_str(&format!("    {room} --> {used}\n"));
    }
    picture.push_str("```\n");
    let page = page("ARCHITECTURE.md");
    assert!(
        page.contains(&picture),
        "ARCHITECTURE.md needs this picture:\n\n{picture}"
    );
    for named in SHARED
        .iter()
        .chain(WINGS.iter().flat_map(|(_, rooms)| *rooms))
    {
        assert!(
            page.contains(&format!("| `{named}`")),
            "ARCHITECTURE.md does not describe {named}"
        );
    }
}

#[test]
fn files_that_the_pages_name_exist() {
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let (page, mut seen) = (page(name), 0);
        // Between backticks, outside of blocks of code.
        let blocks = page.split("```").step_by(2);
        for text in blocks.flat_map(|block| block.split('`').skip(1).step_by(2)) {
            let is_path = ROOTS.iter().any(|root| text.starts_with(root));
            if is_path && !text.contains([' ', '<', '*', '{']) && !text.contains("NAME") {
                assert!(root().join(text).exists(), "{name}: there is no {text}");
                seen += 1;
            }
        }
        assert!(seen > 15, "{name}: only {seen} paths seen");
    }
}

/// A figure in that page alone is one that nobody measures again.
#[test]
fn figures_for_users_are_those_of_the_laboratory() {
    let numbers = |text: &str| -> BTreeSet<String> {
        let parts = text.split(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','));
        let parts = parts.map(|part| part.trim_matches(['.', ',']).to_owned());
        parts.filter(|part| !part.is_empty()).collect()
    };
    let (page, notes) = (page("docs/performance.md"), page("docs/lab/performance.md"));
    let (shown, measured) = (numbers(&page), numbers(&notes));
    assert!(shown.len() > 40, "{shown:?}");
    let strange: Vec<&String> = shown.difference(&measured).collect();
    assert!(strange.is_empty(), "not in the notes: {strange:?}");
}

/// Beginnings of texts that are paths of the repository.
const ROOTS: &[&str] = &[
    "src/",
    "verify/",
    "tests/",
    "docs/",
    "build/",
    "fuzz/",
    "benches/",
    "examples/",
    ".ci/",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).expect("a page")
}

/// Returns a source file without comments, and without the items that only tests have.
pub(crate) fn without_tests(whole: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = whole.lines();
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        if text.starts_with("#[cfg(test)]") || text.starts_with("#[cfg(all(test,") {
            // As rustfmt writes it, an item ends with its first line, or with a bracket as far in as its first line.
            let end = format!("{}}}", &line[..line.len() - text.len()]);
            if !lines.next().unwrap_or_default().ends_with(';') {
                lines.by_ref().find(|line| line.starts_with(&end));
            }
        } else if !text.starts_with("//") {
            kept.push(text);
        }
    }
    kept.join("\n")
}

#[test]
fn what_follows_a_test_is_seen() {
    let text = "use a;\n#[cfg(test)]\nmod sample;\n// no\nmod b;\nimpl C {\n    #[cfg(test)]\n    fn d() {\n        \
                e\n    }\n    f\n}\n#[cfg(all(test, unix))]\nmod tests {\n    g\n}\n";
    assert_eq!(without_tests(text), "use a;\nmod b;\nimpl C {\nf\n}");
}
