//! The rooms of the library use each other only in one direction.

use std::path::Path;

/// Which rooms a room may use. Every `use crate::` line is held against it.
const MAY_USE: &[(&str, &[&str])] = &[
    ("blob", &["provenance"]),
    ("provenance", &[]),
    ("secret", &[]),
    ("level", &[]),
    ("commit", &[]),
    ("coverage", &[]),
    ("content", &[]),
    ("workers", &[]),
    (
        "finding",
        &[
            "commit",
            "coverage",
            "level",
            "provenance",
            "secret",
            "text",
        ],
    ),
    ("text", &[]),
    ("rule", &["finding", "level", "secret", "text"]),
    ("engine", &["aws", "blob", "level", "rule", "secret"]),
    ("git", &["content", "coverage", "workers"]),
    ("attribution", &["commit", "content", "coverage", "git"]),
    (
        "source",
        &[
            "blob",
            "content",
            "coverage",
            "git",
            "provenance",
            "text",
            "workers",
        ],
    ),
    (
        "scan",
        &[
            "attribution",
            "blob",
            "coverage",
            "engine",
            "commit",
            "finding",
            "level",
            "policy",
            "provenance",
            "rule",
            "secret",
            "source",
            "text",
        ],
    ),
    (
        "policy",
        &["blob", "coverage", "finding", "level", "secret", "text"],
    ),
    (
        "report",
        &[
            "commit",
            "coverage",
            "finding",
            "level",
            "provenance",
            "secret",
            "text",
        ],
    ),
    ("evidence", &["aws", "content", "text", "workers"]),
    ("hook", &[]),
    ("aws", &["secret", "text"]),
];

#[test]
fn rooms_use_each_other_in_one_direction_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut files = 0;
    visit(&src, &mut |path| {
        let inside = path
            .strip_prefix(&src)
            .expect("below src")
            .to_string_lossy()
            .into_owned();
        let room = inside
            .split(['/', '.'])
            .next()
            .unwrap_or_default()
            .to_owned();
        if room == "lib" || room == "bin" {
            return;
        }
        files += 1;
        let may_use = MAY_USE
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("{inside} is in a room that the table does not have"))
            .1;
        let text = std::fs::read_to_string(path).expect("a source file");
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for used in line
                .match_indices("crate::")
                .map(|(at, _)| &line[at + "crate::".len()..])
            {
                let used: String = used
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if used != room && !may_use.contains(&used.as_str()) {
                    wrong.push(format!(
                        "{inside}:{}: {room} must not use {used}",
                        number + 1
                    ));
                }
            }
        }
    });
    assert!(files > 10, "only {files} files seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn visit(dir: &Path, see: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path);
        }
    }
}
