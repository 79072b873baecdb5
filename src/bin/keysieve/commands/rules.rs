//! `keysieve rules`: what the rules are, and whether their examples hold.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use keysieve::engine::{Engine, Scratch};
use keysieve::level::Level;
use keysieve::report::wrap::lines;
use keysieve::rule::compile::{RuleSource, example_faults};
use keysieve::rule::example::{self, Case};
use keysieve::rule::file::RuleFile;
use keysieve::rule::keyword::Form;
use keysieve::rule::{self, Error, Rule, RuleSet};

use crate::args::{RulesArgs, RulesCommand};
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::rules::alike;
use crate::{output, terminal};

/// Runs the command. A rule that is not what its examples say is a finding of its own.
pub(crate) fn run(args: &RulesArgs) -> Result<Exit, Failure> {
    let (text, is_good) = answer(args).map_err(|error| {
        let kind = match error {
            Error::Faults(_) => Kind::Faults,
            _ => Kind::Config,
        };
        let failure = Failure::of(kind, &error);
        match &error {
            Error::UnknownRule(id) => failure.hint(alike(&RuleSet::builtin(), id)),
            _ => failure,
        }
    })?;
    output::to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(if is_good { Exit::Clean } else { Exit::Findings })
}

/// The text of the answer, and whether all rules are what their examples say.
fn answer(args: &RulesArgs) -> Result<(String, bool), Error> {
    Ok(match &args.command {
        RulesCommand::List => (list(&RuleSet::builtin().rules), true),
        RulesCommand::Show { id } => (show(&find(id)?), true),
        RulesCommand::Explain { id } => (explain(&find(id)?, terminal::width()), true),
        RulesCommand::Test { file: None } => {
            let rules = RuleSet::builtin();
            test(&rules.rules, &rules)
        }
        RulesCommand::Test { file: Some(path) } => test_file(path)?,
    })
}

fn find(id: &str) -> Result<Rule, Error> {
    let rules = RuleSet::builtin();
    let rule = rules.index_of(id).and_then(|index| rules.rules.get(index));
    rule.cloned()
        .ok_or_else(|| Error::UnknownRule(id.to_owned()))
}

fn list(rules: &[Rule]) -> String {
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for rule in rules {
        // What was found comes before the colon, what its holder could do after it.
        let what = rule.description.split(':').next().unwrap_or_default();
        line(
            &mut text,
            format_args!("{:width$}  {:7}  {what}", rule.id, rule.level.name()),
        );
    }
    text
}

fn show(rule: &Rule) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: &str| line(&mut text, format_args!("{name:18} {value}"));
    field("id", &rule.id);
    field("description", &rule.description);
    field("advice", &rule.advice);
    field("level", rule.level.name());
    for (name, is_of) in [
        ("keywords", (|form| form == Form::Plain) as fn(Form) -> bool),
        ("in base64", |form| {
            matches!(form, Form::Encoded { group: 4, .. })
        }),
        (
            "encoded twice, hex",
            |form| matches!(form, Form::Encoded { group, .. } if group != 4),
        ),
        ("in UTF-16, UTF-32", |form| matches!(form, Form::Wide(_))),
    ] {
        let keywords = keywords(rule, is_of);
        if !keywords.is_empty() {
            field(name, &keywords.join(" "));
        }
    }
    field("regex", rule.pattern.source());
    field("window", &rule.window.to_string());
    for check in rule.checks.iter() {
        field("check", &check.name());
    }
    if let Some(pairs_with) = &rule.pairs_with {
        let kind = if pairs_with.optional {
            "may stand"
        } else {
            "has to stand"
        };
        let lines = pairs_with.lines;
        field(
            "pairs with",
            &format!(
                "{} ({kind} within {lines} lines)",
                pairs_with.pattern.source()
            ),
        );
    }
    for allowlist in rule.allowlists.iter() {
        field(
            "allowlist",
            &format!("{} ({})", allowlist.pattern.source(), allowlist.reason),
        );
    }
    for reference in rule.references.iter() {
        field("reference", reference);
    }
    for example in rule.examples.iter() {
        field("example", &example.escape_debug().to_string());
    }
    for example in rule.negative_examples.iter() {
        field("negative example", &example.escape_debug().to_string());
    }
    text
}

/// The literals of one form, as text shows them.
fn keywords(rule: &Rule, is_of: impl Fn(Form) -> bool) -> Vec<String> {
    let keywords = rule.keywords.iter().filter(|keyword| is_of(keyword.form));
    keywords
        .map(|keyword| format!("`{}`", keyword.bytes.escape_ascii()))
        .collect()
}

/// Lines of prose are no longer than this on a wide terminal.
const WIDEST: usize = 100;

fn explain(rule: &Rule, width: Option<usize>) -> String {
    let width = width.unwrap_or(80).min(WIDEST);
    let mut text = String::new();
    let mut prose = |head: &str, words: &str| wrap(&mut text, head, words, width);
    prose("", &format!("{}: {}", rule.id, sentence(&rule.description)));
    if !rule.opens.is_empty() {
        prose("", "");
        prose("", "What it opens");
        prose("  ", &rule.opens);
    }
    if !rule.rotate.is_empty() {
        prose("", "");
        prose("", "What to do, in order");
        for (index, step) in rule.rotate.iter().enumerate() {
            prose(&format!("{:4}. ", index + 1), step);
        }
    }
    prose("", "");
    prose("", "What the rule looks at");
    for line in looks_at(rule) {
        prose("  ", &line);
    }
    if !rule.references.is_empty() {
        prose("", "");
        prose("", "Where it is documented");
        for reference in rule.references.iter() {
            prose("  ", reference);
        }
    }
    text
}

/// Describes in sentences which texts match a rule.
fn looks_at(rule: &Rule) -> Vec<String> {
    let mut lines = Vec::new();
    if rule.keywords.is_empty() {
        lines.push("Every text that has the form of the secret.".to_owned());
    } else {
        let keywords = keywords(rule, |form| form == Form::Plain);
        lines.push(format!(
            "Texts with {}, plain or in one of the encodings that are undone.",
            keywords.join(" or ")
        ));
    }
    if let Some(pairs_with) = &rule.pairs_with {
        let kind = if pairs_with.optional { "may" } else { "has to" };
        lines.push(format!(
            "The other half {kind} stand within {} lines, before or after.",
            pairs_with.lines
        ));
    }
    let checks: Vec<String> = rule
        .checks
        .iter()
        .map(|it| it.name().into_owned())
        .collect();
    if !checks.is_empty() {
        lines.push(format!("What matches has to pass: {}.", checks.join(", ")));
    }
    for allowlist in rule.allowlists.iter() {
        lines.push(format!(
            "Left out: {}.",
            allowlist.reason.trim_end_matches('.')
        ));
    }
    lines.push(format!(
        "It is reported as {}. `keysieve rules show {}` has the regex and examples.",
        rule.level.name(),
        rule.id
    ));
    lines
}

fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// Writes words behind a head, and goes on below the words where the line is full.
fn wrap(text: &mut String, head: &str, words: &str, width: usize) {
    let indent = head.chars().count();
    for (index, row) in lines(words, width, indent, indent).iter().enumerate() {
        match index {
            0 => line(text, format_args!("{head}{row}")),
            _ => line(text, format_args!("{:indent$}{row}", "")),
        }
    }
}

fn test_file(path: &Path) -> Result<(String, bool), Error> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
        name: name.clone(),
        source,
    })?;
    let file = RuleFile::parse(&name, &text).map_err(Error::Faults)?;
    let rules = RuleSet::load(&[RuleSource {
        name: &name,
        text: &text,
    }])?;
    Ok(test(&file.rules, &rules))
}

/// Runs every example of `tested` through an engine with `rules`.
fn test(tested: &[Rule], rules: &RuleSet) -> (String, bool) {
    let engine = Engine::new(Arc::new(rules.clone()));
    let mut scratch = Scratch::default();
    let mut text = String::new();
    let (mut run, mut failed) = (0, 0);
    for rule in tested {
        if rule.examples.is_empty() || rule.negative_examples.is_empty() {
            failed += 1;
            let missing = if rule.examples.is_empty() {
                "examples"
            } else {
                "negative_examples"
            };
            line(&mut text, format_args!("FAILED {}: no {missing}", rule.id));
        }
        if rule.kind == rule::Kind::Generic {
            for fault in example_faults(rule) {
                failed += 1;
                line(&mut text, format_args!("FAILED {}: {fault}", rule.id));
            }
        }
        for case in example::cases(rule) {
            run += 1;
            let found = best_level(&engine, &case, &mut scratch);
            if !case.holds(found) {
                failed += 1;
                let what = match found {
                    Some(level) => format!("found at level {}", level.name()),
                    None => "not found".to_owned(),
                };
                line(&mut text, format_args!("FAILED {}: {what}", case.name()));
            }
        }
    }
    let rules = tested.len();
    let noun = if rules == 1 { "rule" } else { "rules" };
    line(
        &mut text,
        format_args!("{rules} {noun}, {run} examples, {failed} failed"),
    );
    (text, failed == 0)
}

/// The highest level at which the case's own rule finds something in its text.
fn best_level(engine: &Engine, case: &Case, scratch: &mut Scratch) -> Option<Level> {
    let index = engine.rules().index_of(&case.rule)?;
    let matches = engine.scan(case.text.as_bytes(), scratch);
    let own = matches.iter().filter(|matched| matched.rule == index);
    own.map(|matched| matched.level).max()
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments)
        .and_then(|()| text.write_char('\n'))
        .expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explanations_fit_the_terminal_and_say_everything() {
        for rule in RuleSet::builtin().rules.iter() {
            for width in [40, 80] {
                let text = explain(rule, Some(width));
                for line in text.lines() {
                    let is_one_word =
                        line.trim_start_matches(['.', ' ', '1']).split(' ').count() == 1;
                    assert!(line.chars().count() <= width || is_one_word, "{line}");
                }
                let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
                for words in rule.rotate.iter().chain([&*rule.description, &*rule.opens]) {
                    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
                    assert!(joined.contains(words.trim_end_matches('.')), "{words}");
                }
                assert!(joined.contains("What the rule looks at"), "{text}");
            }
        }
    }
}
