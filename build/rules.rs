//! `rules.toml` as a table of `Rule`s, in the order of their ids. A test of the program holds it equal to the file.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use toml::{Table, Value};

#[path = "../src/rule/keyword.rs"]
#[allow(unreachable_pub, reason = "of the library, where it is reached")]
mod keyword;

use keyword::Form;
pub(crate) use keyword::{Keyword, PACKED};

/// Advice of a rule without its own.
const ADVICE: &str = "Revoke it where it was issued, then take it out.";

/// Mark that ends each text of a list: `Texts::END`.
const END: char = '\u{1e}';

/// Writes `rules.rs` into `out`; gives the keywords of each rule, in the order of the rules.
pub(crate) fn write(out: &Path) -> Result<Vec<Vec<Keyword>>, Box<dyn Error>> {
    println!("cargo:rerun-if-changed=rules.toml");
    let file: Table = toml::from_str(&fs::read_to_string("rules.toml")?)?;
    let rules = file.get("rule").and_then(Value::as_array);
    let mut rules: Vec<&Table> = rules
        .ok_or("rules.toml holds no [[rule]]")?
        .iter()
        .filter_map(Value::as_table)
        .collect();
    rules.sort_by_key(|rule| rule.get("id").and_then(Value::as_str));
    let mut lists = String::new();
    let mut table = String::new();
    for (number, rule) in rules.iter().enumerate() {
        rule_into(&mut lists, &mut table, number, rule)?;
    }
    let count = rules.len();
    let text = format!("{lists}\npub(super) static RULES: [Rule; {count}] = [\n{table}];\n");
    fs::write(out.join("rules.rs"), text)?;
    Ok(rules.into_iter().map(keywords).collect())
}

/// Appends one rule to the table. What it borrows gets a name of its own among the lists, because only that lives
/// as long as the program.
fn rule_into(
    lists: &mut String,
    table: &mut String,
    number: usize,
    rule: &Table,
) -> Result<(), Box<dyn Error>> {
    let text = |key: &str| rule.get(key).and_then(Value::as_str);
    let id = text("id").ok_or("a rule without id")?;
    let mut list = |name: &str, kind: &str, items: Vec<String>| {
        let items_text = items.join(", ");
        let count = items.len();
        writeln!(
            lists,
            "static {name}_{number}: [{kind}; {count}] = [{items_text}];"
        )?;
        Ok::<_, std::fmt::Error>(format!("Cow::Borrowed(&{name}_{number})"))
    };
    let keywords = keywords(rule);
    let keywords = list(
        "KEYWORDS",
        "Keyword",
        keywords.iter().map(keyword).collect(),
    )?;
    let checks = strings(rule, "checks");
    let checks = list(
        "CHECKS",
        "Check",
        checks.iter().map(|it| check(it)).collect(),
    )?;
    let allowlists = rule.get("allowlists").and_then(Value::as_array);
    let allowlists = allowlists.into_iter().flatten().filter_map(Value::as_table);
    let allowlists = list(
        "ALLOWLISTS",
        "Allowlist",
        allowlists.map(allowlist).collect::<Result<_, _>>()?,
    )?;
    let kind = match text("kind") {
        Some("aws") => format!(
            "Kind::Aws(AwsRule::{})",
            camel(
                id.strip_prefix("aws-")
                    .ok_or("an AWS rule is called aws-…")?
            )
        ),
        Some(other) => return Err(format!("{id}: no kind is called {other}").into()),
        None => "Kind::Generic".to_owned(),
    };
    let pairs_with = match rule.get("pairs_with").and_then(Value::as_table) {
        Some(pairs_with) => format!(
            "Some(PairsWith {{ pattern: Pattern::builtin({:?}), lines: {}, optional: {} }})",
            required(pairs_with, "regex")?,
            pairs_with
                .get("lines")
                .and_then(Value::as_integer)
                .ok_or("pairs_with without lines")?,
            pairs_with
                .get("optional")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        ),
        None => "None".to_owned(),
    };
    let borrowed = |text: &str| format!("Text::Borrowed({text:?})");
    let joined = |key: &str| {
        let mut joined = String::new();
        for text in strings(rule, key) {
            joined.push_str(&text);
            joined.push(END);
        }
        format!("Texts::joined({joined:?})")
    };
    let fields = [
        ("id", borrowed(id)),
        ("description", borrowed(required(rule, "description")?)),
        ("advice", borrowed(text("advice").unwrap_or(ADVICE))),
        (
            "level",
            format!("Level::{}", camel(text("level").unwrap_or("error"))),
        ),
        ("kind", kind),
        ("keywords", keywords),
        (
            "pattern",
            format!("Pattern::builtin({:?})", required(rule, "regex")?),
        ),
        (
            "window",
            match rule.get("window").and_then(Value::as_integer) {
                Some(window) => window.to_string(),
                None => "super::WINDOW_AFTER".to_owned(),
            },
        ),
        ("checks", checks),
        ("pairs_with", pairs_with),
        ("allowlists", allowlists),
        ("references", joined("references")),
        ("examples", joined("examples")),
        ("negative_examples", joined("negative_examples")),
        ("opens", borrowed(text("opens").unwrap_or_default())),
        ("rotate", joined("rotate")),
    ];
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{name}: {value}"))
        .into();
    writeln!(table, "Rule {{ {} }},", fields.join(", "))?;
    Ok(())
}

fn required<'t>(table: &'t Table, key: &str) -> Result<&'t str, String> {
    let text = table.get(key).and_then(Value::as_str);
    text.ok_or_else(|| format!("`{key}` is missing"))
}

fn strings(table: &Table, key: &str) -> Vec<String> {
    let list = table.get(key).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn keywords(rule: &Table) -> Vec<Keyword> {
    let lists = ["keywords", "base64", "utf16", "nested"].map(|key| strings(rule, key));
    Keyword::all(lists.each_ref().map(|list| &list[..]))
}

fn keyword(keyword: &Keyword) -> String {
    let bytes = keyword.bytes.escape_ascii();
    let form = form(keyword);
    format!("Keyword {{ bytes: Cow::Borrowed(b\"{bytes}\"), form: {form} }}")
}

/// The form of a keyword, as it is written in code.
pub(crate) fn form(keyword: &Keyword) -> String {
    match keyword.form {
        Form::Plain => "Form::Plain".to_owned(),
        Form::Encoded { phase, group } => {
            format!("Form::Encoded {{ phase: {phase}, group: {group} }}")
        }
        Form::Wide(unit) => format!("Form::Wide({unit})"),
    }
}

/// `base64-bytes(32)` is `Check::Base64Bytes(32)`. A name that is no check does not compile.
fn check(text: &str) -> String {
    let (name, argument) = match text.split_once('(') {
        Some((name, argument)) => (name, format!("({argument}")),
        None => (text, String::new()),
    };
    format!("Check::{}{argument}", camel(name))
}

fn allowlist(table: &Table) -> Result<String, String> {
    let (subject, regex) = match (table.get("secret"), table.get("line")) {
        (Some(regex), None) => ("Secret", regex.as_str()),
        (None, Some(regex)) => ("Line", regex.as_str()),
        _ => return Err("an allowlist looks at a secret or at a line".to_owned()),
    };
    Ok(format!(
        "Allowlist {{ subject: Subject::{subject}, pattern: Pattern::builtin({:?}), reason: Text::Borrowed({:?}) }}",
        regex.ok_or("a regex is a string")?,
        required(table, "reason")?,
    ))
}

/// `not-placeholder` is `NotPlaceholder`.
fn camel(kebab: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    kebab.split('-').map(capital).collect()
}
