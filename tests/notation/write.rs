//! Writes a tree in a notation.

use super::tree::Tree;

/// Style of a text; each notation takes from it what it has.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The quote of strings, where there is a choice.
    pub quote: char,
    /// One step of indentation.
    pub indent: &'static str,
    /// Text around a value; `_` is the value with its quotes.
    pub wrap: Option<&'static str>,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            quote: '"',
            indent: "  ",
            wrap: None,
        }
    }
}

impl Style {
    fn wrapped(self, value: &str) -> String {
        self.wrap
            .map_or_else(|| value.to_owned(), |wrap| wrap.replace('_', value))
    }
}

/// A notation with its writer.
#[derive(Clone, Copy)]
pub struct Notation {
    pub name: &'static str,
    /// The ending of its files.
    pub ending: &'static str,
    /// Before and after a remark that fills a line; `None` if there are none.
    pub remark: Option<(&'static str, &'static str)>,
    /// Texts that may be around a value, as in [`Style::wrap`].
    pub wraps: &'static [&'static str],
    /// Both quotes mean the same.
    pub has_quotes: bool,
    /// The text, if the notation can say this tree.
    pub write: fn(&Tree, Style) -> Option<String>,
}

const fn notation(
    name: &'static str,
    ending: &'static str,
    write: fn(&Tree, Style) -> Option<String>,
) -> Notation {
    Notation {
        name,
        ending,
        remark: Some(("# ", "")),
        wraps: &[],
        has_quotes: false,
        write,
    }
}

/// The notations of the matrix.
pub const NOTATIONS: [Notation; 7] = [
    Notation {
        remark: None,
        ..notation("JSON", "json", |tree, style| {
            Some(JSON.file(tree, style, true))
        })
    },
    Notation {
        remark: None,
        ..notation("compact JSON", "json", |tree, style| {
            Some(JSON.file(tree, style, false))
        })
    },
    Notation {
        wraps: &["str(_)", "SecretStr(_)", "b_", "os.environ.get('X') or _"],
        has_quotes: true,
        ..notation("Python", "py", |tree, style| {
            Some(PYTHON.file(tree, style, false))
        })
    },
    Notation {
        wraps: &["!!str _", "_  # see the wiki"],
        has_quotes: true,
        ..notation("YAML", "yml", |tree, style| Some(yaml(tree, style, 0)))
    },
    Notation {
        has_quotes: true,
        ..notation("TOML", "toml", toml)
    },
    Notation {
        remark: Some(("<!-- ", " -->")),
        wraps: &["<![CDATA[_]]>"],
        ..notation("XML", "xml", |tree, style| {
            Some(xml(tree, style, "config", 0))
        })
    },
    Notation {
        wraps: &["${X:_}"],
        ..notation("properties", "properties", |tree, style| {
            Some(lines(tree, style, "", ".", str::to_owned))
        })
    },
];

/// More notations.
pub const MORE: [Notation; 10] = [
    Notation {
        wraps: &["str(_)", "Secret(_)"],
        has_quotes: true,
        ..notation("Python over lines", "py", |tree, style| {
            Some(PYTHON.file(tree, style, true))
        })
    },
    Notation {
        remark: Some(("// ", "")),
        wraps: &["String(_)", "process.env.X || _", "_ as string"],
        has_quotes: true,
        ..notation("JavaScript", "js", |tree, style| {
            Some(SCRIPT.file(tree, style, true))
        })
    },
    Notation {
        remark: Some(("// ", "")),
        wraps: &["env('X', _)", "trim(_)"],
        has_quotes: true,
        ..notation("PHP", "php", |tree, style| {
            Some(PHP.file(tree, style, true))
        })
    },
    Notation {
        wraps: &["ENV.fetch('X', _)", "_.freeze"],
        has_quotes: true,
        ..notation("Ruby", "rb", |tree, style| {
            Some(RUBY.file(tree, style, true))
        })
    },
    Notation {
        wraps: &["sensitive(_)", "trimspace(_)"],
        ..notation("HCL", "tf", |tree, style| Some(HCL.file(tree, style, true)))
    },
    Notation {
        wraps: &["${X:-_}"],
        ..notation("environment", "env", |tree, style| {
            Some(lines(tree, style, "", "_", str::to_ascii_uppercase))
        })
    },
    notation("INI", "ini", |tree, _| ini(tree)),
    Notation {
        remark: None,
        ..notation("CSV", "csv", |tree, _| {
            table(tree, |cells| cells.join(",") + "\n", |_| String::new())
        })
    },
    Notation {
        remark: None,
        ..notation("Markdown", "md", |tree, _| {
            let row = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
            table(tree, row, |cells| "|---".repeat(cells.len()) + "|\n")
        })
    },
    Notation {
        remark: Some(("-- ", "")),
        ..notation("SQL", "sql", |tree, _| sql(tree))
    },
];

/// The marks of a notation in brackets.
struct Brackets {
    /// Before and behind everything.
    around: (&'static str, &'static str),
    map: (&'static str, &'static str),
    /// Names are in quotes.
    quotes_names: bool,
    /// Between a name and its value.
    assign: &'static str,
    /// Between the entries of a map.
    separator: &'static str,
}

const JSON: Brackets = Brackets {
    around: ("", ""),
    map: ("{", "}"),
    quotes_names: true,
    assign: ": ",
    separator: ",",
};
const PYTHON: Brackets = Brackets {
    around: ("DATA = ", ""),
    ..JSON
};
const SCRIPT: Brackets = Brackets {
    around: ("const data = ", ";"),
    quotes_names: false,
    ..JSON
};
const PHP: Brackets = Brackets {
    around: ("<?php\nreturn ", ";"),
    map: ("[", "]"),
    assign: " => ",
    ..JSON
};
const RUBY: Brackets = Brackets {
    around: ("DATA = ", ""),
    assign: " => ",
    ..JSON
};
const HCL: Brackets = Brackets {
    around: ("data = ", ""),
    quotes_names: false,
    assign: " = ",
    separator: "",
    ..JSON
};

impl Brackets {
    fn file(&self, tree: &Tree, style: Style, is_pretty: bool) -> String {
        let (before, behind) = self.around;
        let value = self.value(tree, style, is_pretty.then_some(0));
        format!("{before}{value}{behind}\n")
    }

    /// `depth` is `None` on one line.
    fn value(&self, tree: &Tree, style: Style, depth: Option<usize>) -> String {
        let inner = depth.map(|depth| depth + 1);
        let quote = style.quote;
        let (marks, separator, items): (_, _, Vec<String>) = match tree {
            Tree::Text(text) => return style.wrapped(&format!("{quote}{text}{quote}")),
            Tree::List(items) => {
                let items = items.iter().map(|item| self.value(item, style, inner));
                (("[", "]"), ",", items.collect())
            }
            Tree::Map(entries) => {
                let entry = |(name, value): &(String, Tree)| {
                    let value = self.value(value, style, inner);
                    let assign = self.assign;
                    if self.quotes_names {
                        format!("{quote}{name}{quote}{assign}{value}")
                    } else {
                        format!("{name}{assign}{value}")
                    }
                };
                (
                    self.map,
                    self.separator,
                    entries.iter().map(entry).collect(),
                )
            }
        };
        let (open, close) = marks;
        match depth {
            None => format!("{open}{}{close}", items.join(&format!("{separator} "))),
            Some(depth) => {
                let pad = style.indent.repeat(depth + 1);
                let items = items.join(&format!("{separator}\n{pad}"));
                let end = style.indent.repeat(depth);
                format!("{open}\n{pad}{items}\n{end}{close}")
            }
        }
    }
}

/// One line for each value, under its whole path.
fn lines(
    tree: &Tree,
    style: Style,
    path: &str,
    joint: &str,
    name_of: fn(&str) -> String,
) -> String {
    let inner: Vec<(String, &Tree)> = match tree {
        Tree::Text(text) => return format!("{path}={}\n", style.wrapped(text)),
        Tree::List(items) => (0..).map(|at: usize| at.to_string()).zip(items).collect(),
        Tree::Map(entries) => entries
            .iter()
            .map(|(name, value)| (name_of(name), value))
            .collect(),
    };
    let line = |(name, value): &(String, &Tree)| {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}{joint}{name}")
        };
        lines(value, style, &path, joint, name_of)
    };
    inner.iter().map(line).collect()
}

fn yaml(tree: &Tree, style: Style, depth: usize) -> String {
    let indent = style.indent.replace('\t', "  ");
    let pad = indent.repeat(depth);
    // Without a style of its own a value has no quotes.
    let scalar = |text: &str| match style.quote {
        '"' => style.wrapped(text),
        quote => style.wrapped(&format!("{quote}{text}{quote}")),
    };
    let entry = |(name, value): &(String, Tree)| match value {
        Tree::Text(text) => format!("{pad}{name}: {}\n", scalar(text)),
        _ => format!("{pad}{name}:\n{}", yaml(value, style, depth + 1)),
    };
    let item = |item: &Tree| match item {
        Tree::Text(text) => format!("{pad}- {}\n", scalar(text)),
        _ => {
            // The first entry follows the dash, the others are as far to the right.
            let inner = yaml(item, style, 0);
            let inner = inner.trim_end().replace('\n', &format!("\n{pad}  "));
            format!("{pad}- {inner}\n")
        }
    };
    match tree {
        Tree::Text(text) => scalar(text),
        Tree::List(items) => items.iter().map(item).collect(),
        Tree::Map(entries) => entries.iter().map(entry).collect(),
    }
}

/// Values of a table first, then the tables in it. A list of lists cannot be said.
fn toml(tree: &Tree, style: Style) -> Option<String> {
    let quoted = |text: &str| format!("{0}{text}{0}", style.quote);
    tables(
        tree,
        "",
        &|list| format!("[[{list}]]"),
        &|value| match value {
            Tree::Text(text) => Some(quoted(text)),
            Tree::List(items) => {
                let item = |item: &Tree| match item {
                    Tree::Text(text) => Some(quoted(text)),
                    _ => None,
                };
                let items: Option<Vec<String>> = items.iter().map(item).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Tree::Map(_) => None,
        },
    )
}

/// Sections by their whole path; lists of values have commas.
fn ini(tree: &Tree) -> Option<String> {
    tables(
        tree,
        "",
        &|list| format!("[{list}]"),
        &|value| match value {
            Tree::Text(text) => Some(text.clone()),
            Tree::List(items) => {
                let item = |item: &Tree| match item {
                    Tree::Text(text) => Some(text.clone()),
                    _ => None,
                };
                let items: Option<Vec<String>> = items.iter().map(item).collect();
                Some(items?.join(", "))
            }
            Tree::Map(_) => None,
        },
    )
}

/// Writes on one line what `scalar` can, and below it a section for each map, or for each of a list.
fn tables(
    tree: &Tree,
    path: &str,
    item_header: &dyn Fn(&str) -> String,
    scalar: &dyn Fn(&Tree) -> Option<String>,
) -> Option<String> {
    let Tree::Map(entries) = tree else {
        return None;
    };
    let (mut values, mut below) = (String::new(), String::new());
    for (name, value) in entries {
        if let Some(text) = scalar(value) {
            values.push_str(&format!("{name} = {text}\n"));
            continue;
        }
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match value {
            Tree::List(items) => {
                for item in items {
                    let inner = tables(item, &path, item_header, scalar)?;
                    below.push_str(&format!("\n{}\n{inner}", item_header(&path)));
                }
            }
            _ => {
                let inner = tables(value, &path, item_header, scalar)?;
                let has_values = !inner.starts_with('\n');
                let header = if has_values {
                    format!("\n[{path}]\n")
                } else {
                    String::new()
                };
                below.push_str(&(header + &inner));
            }
        }
    }
    Some(values + &below)
}

fn xml(tree: &Tree, style: Style, name: &str, depth: usize) -> String {
    let pad = style.indent.repeat(depth);
    let inner: String = match tree {
        Tree::Text(text) => {
            return format!("{pad}<{name}>{}</{name}>\n", style.wrapped(text));
        }
        Tree::List(items) => {
            let items = items.iter().map(|item| xml(item, style, "item", depth + 1));
            items.collect()
        }
        Tree::Map(entries) => {
            let entry = |(name, value): &(String, Tree)| xml(value, style, name, depth + 1);
            entries.iter().map(entry).collect()
        }
    };
    format!("{pad}<{name}>\n{inner}{pad}</{name}>\n")
}

/// Rows of a list of objects, or of a map of objects with the name before them: a header, then all rows.
fn rows(tree: &Tree) -> Option<Vec<Vec<String>>> {
    let Tree::Map(entries) = tree else {
        return None;
    };
    let [(_, inner)] = &entries[..] else {
        return None;
    };
    let row = |tree: &Tree| match tree {
        Tree::Map(entries) => {
            let cell = |(name, value): &(String, Tree)| match value {
                Tree::Text(text) => Some((name.clone(), text.clone())),
                _ => None,
            };
            entries.iter().map(cell).collect::<Option<Vec<_>>>()
        }
        _ => None,
    };
    let (first, rows): (Vec<String>, Vec<_>) = match inner {
        Tree::List(items) => (
            Vec::new(),
            items.iter().map(row).collect::<Option<Vec<_>>>()?,
        ),
        Tree::Map(entries) => {
            let names = entries.iter().map(|(name, _)| name.clone());
            let rows = entries.iter().map(|(_, value)| row(value));
            (names.collect(), rows.collect::<Option<Vec<_>>>()?)
        }
        Tree::Text(_) => return None,
    };
    let header: Vec<String> = rows.first()?.iter().map(|(name, _)| name.clone()).collect();
    let has_name = !first.is_empty();
    let mut made = vec![
        has_name
            .then(|| "name".to_owned())
            .into_iter()
            .chain(header.clone())
            .collect(),
    ];
    for (at, row) in rows.iter().enumerate() {
        if !row.iter().map(|(name, _)| name).eq(&header) {
            return None;
        }
        let cells = row.iter().map(|(_, value)| value.clone());
        made.push(first.get(at).cloned().into_iter().chain(cells).collect());
    }
    Some(made)
}

/// Writes the rows, and a rule below the header.
fn table(
    tree: &Tree,
    row: impl Fn(&[String]) -> String,
    rule: impl Fn(&[String]) -> String,
) -> Option<String> {
    let rows = rows(tree)?;
    let (header, rows) = rows.split_first()?;
    let body: String = rows.iter().map(|cells| row(cells)).collect();
    Some(row(header) + &rule(header) + &body)
}

fn sql(tree: &Tree) -> Option<String> {
    let rows = rows(tree)?;
    let (header, rows) = rows.split_first()?;
    let row = |cells: &Vec<String>| format!("('{}')", cells.join("', '"));
    let rows: Vec<String> = rows.iter().map(row).collect();
    let columns = header.join(", ");
    Some(format!(
        "INSERT INTO accounts ({columns}) VALUES\n{};\n",
        rows.join(",\n")
    ))
}
