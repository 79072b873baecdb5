//! The rules in force: the built-in ones and those of `--rules`.

use std::path::PathBuf;

use keyfence::rule::RuleSet;
use keyfence::rule::compile::RuleSource;

use crate::failure::{Failure, Kind};

/// The rules that come with the program.
pub(crate) fn builtin() -> RuleSet {
    RuleSet::builtin()
}

/// The built-in rules and those of `files`.
pub(crate) fn load(files: &[PathBuf]) -> Result<RuleSet, Failure> {
    if files.is_empty() {
        return Ok(builtin());
    }
    let mut texts = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).map_err(|source| {
            let message = format!("cannot read the rule file {}", file.display());
            Failure::new(Kind::Config, message, source)
        })?;
        texts.push((file.display().to_string(), text));
    }
    let sources: Vec<RuleSource<'_>> = texts
        .iter()
        .map(|(name, text)| RuleSource { name, text })
        .collect();
    RuleSet::load(&sources).map_err(|error| Failure::of(Kind::Config, &error))
}

/// Makes sure that every id of `only` is that of a rule.
pub(crate) fn check_ids(rules: &RuleSet, only: &[String]) -> Result<(), Failure> {
    match only.iter().find(|id| rules.index_of(id).is_none()) {
        None => Ok(()),
        Some(id) => {
            let failure = Failure::bare(Kind::Usage, format!("there is no rule '{id}'"));
            let alike = rules
                .rules
                .iter()
                .map(|rule| rule.id.as_str())
                .filter(|known| known.contains(id.as_str()) || id.contains(known))
                .take(5)
                .collect::<Vec<_>>()
                .join(", ");
            Err(if alike.is_empty() {
                failure.hint("'keyfence rules list' shows them all")
            } else {
                failure.hint(format!("there are {alike}"))
            })
        }
    }
}
