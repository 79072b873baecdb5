//! The rooms of the library use each other only in one direction.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::architecture::without_tests;

/// The types and texts that rooms share: each may use the others.
pub(crate) const SHARED: &[&str] = &[
    "level",
    "blob",
    "provenance",
    "secret",
    "finding",
    "commit",
    "coverage",
    "content",
    "text",
    "workers",
];

/// A room: which others it may use beside those that are shared, and what it must not know, be it shared, another
/// crate (of gix an object ID is nothing to know) or a part of the standard library.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    must_not_know: &'static [&'static str],
}

/// Every `use crate::` line is held against it, and every path.
const ROOMS: &[Room] = &[
    Room {
        name: "rule",
        may_use: &[],
        must_not_know: &[
            "blob",
            "provenance",
            "finding",
            "commit",
            "coverage",
            "content",
            "workers",
            "gix",
            "ignore",
            "std::fs",
            "std::thread",
        ],
    },
    Room {
        name: "engine",
        may_use: &["rule", "aws"],
        must_not_know: &[
            "provenance",
            "finding",
            "commit",
            "coverage",
            "content",
            "workers",
            "gix",
            "ignore",
            "std::fs",
            "std::io",
            "std::path",
            "std::thread",
            "std::time",
        ],
    },
    Room {
        name: "git",
        may_use: &[],
        must_not_know: &[
            "level",
            "blob",
            "provenance",
            "secret",
            "finding",
            "text",
            "regex",
            "toml",
            "ignore",
            "serde_json",
        ],
    },
    Room {
        name: "attribution",
        may_use: &["git"],
        must_not_know: &[
            "level",
            "blob",
            "secret",
            "finding",
            "text",
            "regex",
            "toml",
            "ignore",
            "serde_json",
        ],
    },
    Room {
        name: "source",
        may_use: &["git"],
        must_not_know: &[
            "level",
            "secret",
            "finding",
            "commit",
            "regex",
            "toml",
            "serde_json",
        ],
    },
    Room {
        name: "scan",
        may_use: &["source", "engine", "rule"],
        must_not_know: &[
            "content",
            "workers",
            "gix",
            "ignore",
            "toml",
            "serde_json",
            "std::fs",
            "std::io",
        ],
    },
    Room {
        name: "policy",
        may_use: &[],
        must_not_know: &[
            "content",
            "workers",
            "anstyle",
            "terminal_size",
            "std::thread",
        ],
    },
    Room {
        name: "report",
        may_use: &["triage"],
        must_not_know: &[
            "content",
            "workers",
            "gix",
            "ignore",
            "regex",
            "toml",
            "std::thread",
        ],
    },
    Room {
        name: "hook",
        may_use: &[],
        must_not_know: &["level", "blob", "secret", "finding", "regex"],
    },
    Room {
        name: "aws",
        may_use: &[],
        must_not_know: &[
            "level",
            "blob",
            "provenance",
            "finding",
            "commit",
            "coverage",
            "content",
            "workers",
            "gix",
            "ignore",
            "regex",
            "std::fs",
            "std::io",
            "std::thread",
            "std::net::TcpStream",
            "std::process",
        ],
    },
    Room {
        name: "evidence",
        may_use: &["aws", "source"],
        must_not_know: &["finding", "gix", "ignore"],
    },
    Room {
        name: "triage",
        may_use: &["aws", "evidence"],
        must_not_know: &["content", "workers", "gix", "ignore", "regex"],
    },
    Room {
        name: "fleet",
        may_use: &["scan", "source", "policy", "attribution", "report"],
        must_not_know: &["regex"],
    },
];

/// Differences of rooms from the table, with reasons.
const DIFFERS: &[(&str, &[&str], &str)] = &[
    (
        "rule",
        &["finding"],
        "the rules about AWS are named by an enum, by which findings of them join each other",
    ),
    (
        "scan",
        &["attribution", "policy"],
        "a finding gets its commits here, and markers are read where its lines are",
    ),
];

#[test]
fn rooms_use_each_other_in_one_direction_only() {
    let modules = Modules::read();
    let mut wrong = Vec::new();
    assert!(modules.text.len() > 250, "{}", modules.text.len());
    for (module, text) in &modules.text {
        // Other rooms are nothing for tests either; tools are.
        let (whole, is_test) = (&modules.whole[module], module.ends_with("::tests"));
        let name = module.split("::").next().unwrap_or_default();
        if ["lib", "bin"].contains(&name) {
            continue;
        }
        let differs = DIFFERS.iter().find(|(room, ..)| *room == name);
        let differs = differs.map_or(&[][..], |(_, others, _)| others);
        let room = ROOMS.iter().find(|room| room.name == name);
        assert!(
            room.is_some() || SHARED.contains(&name),
            "{module} is in a room that the table does not have"
        );
        let (may_use, refused) = room.map_or((&[][..], &[][..]), |room| {
            (room.may_use, room.must_not_know)
        });
        for (used, rest) in paths(whole, "crate::") {
            let is_refused = refused.contains(&used);
            let may = used == name
                || differs.contains(&used)
                || may_use.contains(&used)
                || SHARED.contains(&used);
            if !may || (is_refused && !differs.contains(&used)) {
                wrong.push(format!("{module}: {name} must not use {used}{rest}"));
            }
        }
        // A type that is shared knows nothing of the world; `content` and `text` read and write files.
        let of_types = [
            "gix",
            "regex",
            "toml",
            "ignore",
            "serde_json",
            "std::fs",
            "std::io",
            "std::thread",
        ];
        let refused =
            match SHARED.contains(&name) && !["content", "text", "workers"].contains(&name) {
                true => &of_types,
                false => refused,
            };
        assert!(
            !text.contains("std::{"),
            "{module}: paths of std are written out"
        );
        for known in refused.iter().filter(|_| !is_test) {
            for (next, _) in paths(text, &format!("{known}::")) {
                if *known != "gix" || next != "ObjectId" {
                    wrong.push(format!("{module}: {name} must not know {known}::{next}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the names behind a path's beginning, each with what follows it.
pub(crate) fn paths<'t>(text: &'t str, start: &str) -> Vec<(&'t str, &'t str)> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let found = text
        .match_indices(start)
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| is_name(c) || c == ':'));
    let found = found.map(|(at, _)| {
        let rest = &text[at + start.len()..];
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let line = rest.find(['\n', ';']).unwrap_or(rest.len());
        (&rest[..end], rest.get(end..line).unwrap_or_default())
    });
    found.collect()
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
const LARGE: &[&str] = &["attribution", "bin", "git", "source"];

/// The modules of the program.
const PROGRAM: &str = "bin::keysieve";

/// A command's own modules lie below it. What several commands need is in a place of its own.
#[test]
fn no_command_uses_another() {
    let commands = format!("{PROGRAM}::commands::");
    let modules = Modules::read();
    let command = |module: &str| {
        let below = module.strip_prefix(&commands)?;
        below.split("::").next().map(str::to_owned)
    };
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for module in modules.text.keys() {
        let used = modules.used_by(module);
        match command(module) {
            Some(own) => {
                let others = used
                    .iter()
                    .filter(|it| command(it).is_some_and(|it| it != own));
                wrong.extend(others.map(|other| format!("{module} uses {other}")));
                seen.insert(own);
            }
            // Only what picks the command knows any.
            None if *module != commands.trim_end_matches("::") => {
                let commands = used.iter().filter(|it| command(it).is_some());
                wrong.extend(commands.map(|it| format!("{module} uses the command {it}")));
            }
            None => {}
        }
    }
    assert!(seen.len() >= 18, "{seen:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

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

/// The modules of the library by name (`git::odb::pack`), with their text apart from their tests.
pub(crate) struct Modules {
    pub(crate) text: BTreeMap<String, String>,
    /// The same with their tests.
    whole: BTreeMap<String, String>,
}

impl Modules {
    pub(crate) fn read() -> Self {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let (mut text, mut with_tests) = (BTreeMap::new(), BTreeMap::new());
        visit(&src, &mut |path| {
            let inside = path.strip_prefix(&src).expect("below src");
            let name = inside
                .with_extension("")
                .to_string_lossy()
                .replace('/', "::");
            let name = name.strip_suffix("::mod").unwrap_or(&name).to_owned();
            let whole = std::fs::read_to_string(path).expect("a source file");
            text.insert(name.clone(), without_tests(&whole));
            let lines = whole.lines().map(str::trim_start);
            let lines = lines.filter(|line| !line.starts_with("//"));
            with_tests.insert(name, lines.collect::<Vec<_>>().join("\n"));
        });
        Self {
            text,
            whole: with_tests,
        }
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

    /// Returns the whole path, from the root of the library on, of a path that is written in a module.
    fn whole(&self, module: &str, path: &str) -> Option<String> {
        let mut at: Vec<&str> = module.split("::").collect();
        let mut rest = path;
        if let Some(below) = path.strip_prefix("crate::") {
            (at, rest) = (root(module), below);
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

/// Where `crate::` begins in a module: the program is a crate of its own.
fn root(module: &str) -> Vec<&'static str> {
    match module.starts_with(PROGRAM) {
        true => PROGRAM.split("::").collect(),
        false => Vec::new(),
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
