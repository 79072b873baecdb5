//! The rooms of the library use each other only in one direction.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
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

/// Rooms of many modules; within each, modules too use each other only in one direction.
const LARGE: &[&str] = &["attribution", "git", "source"];

#[test]
fn modules_of_large_rooms_form_no_circle() {
    let modules = Modules::read();
    let mut circles = BTreeSet::new();
    let mut edges = 0;
    for name in modules.text.keys() {
        if LARGE.contains(&name.split("::").next().unwrap_or_default()) {
            edges += modules.used_by(name).len();
            if let Some(way) = modules.way_back(name) {
                circles.insert(way);
            }
        }
    }
    assert!(edges > 100, "only {edges} uses seen");
    // A container may hold containers, so what opens one calls what reads its format and the other way round.
    circles.remove("source::container::format uses source::container::opening");
    let circles: Vec<String> = circles.into_iter().collect();
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

/// The modules of the library by name (`git::odb::pack`), with their text up to their tests.
struct Modules {
    text: BTreeMap<String, String>,
}

impl Modules {
    fn read() -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut text = BTreeMap::new();
        visit(&src, &mut |path| {
            let inside = path.strip_prefix(&src).expect("below src");
            let name = inside
                .with_extension("")
                .to_string_lossy()
                .replace('/', "::");
            let name = name.strip_suffix("::mod").unwrap_or(&name).to_owned();
            let whole = std::fs::read_to_string(path).expect("a source file");
            let lines = whole.lines().map(str::trim_start);
            let code = lines.take_while(|line| !line.starts_with("#[cfg(test)]"));
            let code: Vec<&str> = code.filter(|line| !line.starts_with("//")).collect();
            text.insert(name, code.join("\n"));
        });
        Self { text }
    }

    /// The statements `use …;` of a module as whole paths, each with whether it hands the name on.
    fn imports(&self, module: &str) -> Vec<(String, bool)> {
        let mut found = Vec::new();
        let text = &self.text[module];
        for (at, _) in text.match_indices("use ") {
            let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
            let before = text[line..at].trim();
            if !before.is_empty() && !before.starts_with("pub") {
                continue;
            }
            let Some(end) = text[at..].find(';') else {
                continue;
            };
            let tree: String = text[at + 4..at + end].split_whitespace().collect();
            let mut paths = Vec::new();
            expand("", &tree, &mut paths);
            found.extend(
                paths
                    .into_iter()
                    .map(|path| (path, before.starts_with("pub"))),
            );
        }
        found
    }

    /// What a path means that is written in a module, from the root of the library on.
    fn whole(&self, module: &str, path: &str) -> Option<String> {
        let mut at: Vec<&str> = module.split("::").collect();
        let mut rest = path;
        if let Some(below) = path.strip_prefix("crate::") {
            (at, rest) = (Vec::new(), below);
        } else if path.starts_with("super::") {
            while let Some(below) = rest.strip_prefix("super::") {
                at.pop();
                rest = below;
            }
        } else {
            // A child of the module, or another crate.
            let child = format!("{module}::{}", path.split("::").next()?);
            self.text.get(&child)?;
        }
        at.push(rest);
        Some(at.join("::"))
    }

    /// The module that a whole path leads into, through names that modules hand on.
    fn home(&self, path: &str) -> Option<String> {
        let mut end = path.len();
        loop {
            if let Some((module, _)) = self.text.get_key_value(&path[..end]) {
                let name = path[end..].trim_start_matches("::").split("::").next()?;
                let handed_on = self
                    .imports(module)
                    .into_iter()
                    .find_map(|(import, is_public)| {
                        let whole = self.whole(module, &import)?;
                        (is_public && whole.ends_with(&format!("::{name}"))).then_some(whole)
                    });
                return match handed_on {
                    Some(whole) if whole != path => self.home(&whole),
                    _ => Some(module.clone()),
                };
            }
            end = path[..end].rfind("::")?;
        }
    }

    /// The modules whose names a module uses.
    fn used_by(&self, module: &str) -> BTreeSet<String> {
        let imports = self.imports(module);
        let imports = imports.into_iter().filter(|(_, is_public)| !is_public);
        let mut paths: Vec<String> = imports.map(|(path, _)| path).collect();
        let text = &self.text[module];
        for start in ["crate::", "super::"] {
            for (at, _) in text.match_indices(start) {
                let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
                let end = text[at..].find(|c| !is_path(c)).unwrap_or(text.len() - at);
                paths.push(text[at..at + end].trim_end_matches(':').to_owned());
            }
        }
        let homes = paths
            .iter()
            .filter_map(|path| self.home(&self.whole(module, path)?));
        homes.filter(|home| home != module).collect()
    }

    /// A way from a module back to itself, beginning with the first of its modules.
    fn way_back(&self, module: &str) -> Option<String> {
        let mut before: BTreeMap<String, String> = BTreeMap::new();
        let mut queue = vec![module.to_owned()];
        while let Some(at) = queue.pop() {
            for used in self.used_by(&at) {
                if used == module {
                    let mut way = vec![at.clone()];
                    while let Some(last) = way.last().filter(|last| *last != module) {
                        way.push(before[last].clone());
                    }
                    way.reverse();
                    let first = (0..way.len()).min_by_key(|at| &way[*at])?;
                    way.rotate_left(first);
                    return Some(way.join(" uses "));
                }
                if let Entry::Vacant(new) = before.entry(used) {
                    queue.push(new.key().clone());
                    new.insert(at.clone());
                }
            }
        }
        None
    }
}

/// Writes the tree of a `use` out as paths.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((start, rest)) = tree.split_once('{') else {
        let path = tree.strip_suffix("::self").unwrap_or(tree);
        let path = match path {
            "self" => prefix.trim_end_matches("::").to_owned(),
            path => format!("{prefix}{path}"),
        };
        return paths.push(path);
    };
    let prefix = format!("{prefix}{start}");
    let inner = rest.strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut from) = (0, 0);
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if from < at {
                    expand(&prefix, &inner[from..at], paths);
                }
                from = at + 1;
            }
            _ => {}
        }
    }
}
