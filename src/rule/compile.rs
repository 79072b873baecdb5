//! Joins the built-in rules with the user's into the form the engine uses.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::allowlist::{Allowlist, Subject};
use super::file::{PairsWithText, RuleFile, RuleText};
use super::{Error, Fault, Kind, PairsWith, Pattern, Rule, RuleSet, builtin, example};

/// A rule file of a user: what to call it and what is in it.
#[derive(Clone, Copy, Debug)]
pub struct RuleSource<'a> {
    /// What faults call it.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

impl RuleSet {
    /// The built-in rules.
    pub fn builtin() -> Self {
        Self::from_rules(builtin::rules())
    }

    /// The built-in rules and the user's, which add to them or replace those of the same id. A later file wins.
    ///
    /// All faults of all files are reported together.
    pub fn load(sources: &[RuleSource<'_>]) -> Result<Self, Error> {
        let mut rules: BTreeMap<String, Rule> = builtin::rules()
            .into_iter()
            .map(|rule| (rule.id.clone(), rule))
            .collect();
        let mut faults = Vec::new();
        for source in sources {
            match RuleFile::parse(source.name, source.text) {
                Ok(file) => {
                    for rule in file.rules {
                        check_user_rule(source.name, &rule, &mut faults);
                        rules.insert(rule.id.clone(), compile(rule));
                    }
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            Ok(Self::from_rules(rules.into_values().collect()))
        } else {
            Err(Error::Faults(faults))
        }
    }

    /// Only the rules with these ids.
    pub fn select(self, only: &[String]) -> Result<Self, Error> {
        self.known(only)?;
        Ok(self.retain(|id| only.iter().any(|wanted| wanted == id)))
    }

    /// All rules but those with these ids.
    pub fn without(self, disabled: &[String]) -> Result<Self, Error> {
        self.known(disabled)?;
        Ok(self.retain(|id| disabled.iter().all(|unwanted| unwanted != id)))
    }

    fn known(&self, ids: &[String]) -> Result<(), Error> {
        match ids.iter().find(|id| self.index_of(id).is_none()) {
            Some(id) => Err(Error::UnknownRule(id.clone())),
            None => Ok(()),
        }
    }

    fn retain(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.rules.retain(|rule| keep(&rule.id));
        self.hash = hash(&self.rules);
        self
    }

    fn from_rules(mut rules: Vec<Rule>) -> Self {
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        let hash = hash(&rules);
        Self { rules, hash }
    }
}

impl From<PairsWithText> for PairsWith {
    fn from(text: PairsWithText) -> Self {
        Self {
            pattern: Pattern::trusted(&text.regex),
            lines: text.lines,
            optional: text.optional,
        }
    }
}

/// Turns a rule as written into one that is used. Its regexes were checked when it was read.
fn compile(text: RuleText) -> Rule {
    Rule {
        pattern: text.pattern(),
        pairs_with: text.pairs_with.map(PairsWith::from),
        allowlists: text
            .allowlists
            .into_iter()
            .map(|allowlist| Allowlist {
                subject: allowlist.subject,
                pattern: Pattern::trusted(&allowlist.regex),
                reason: allowlist.reason,
            })
            .collect(),
        keywords: text.keywords.into_iter().map(String::into_bytes).collect(),
        id: text.id,
        description: text.description,
        advice: text.advice,
        level: text.level,
        kind: text.kind,
        window: text.window,
        checks: text.checks,
    }
}

/// Holds the keywords of a user's rule against its own examples: a keyword that is in none of them, or an example
/// that has none, says that the rule would not find what its author thinks.
fn check_user_rule(file: &str, rule: &RuleText, faults: &mut Vec<Fault>) {
    let mut fault = |key: &str, message: String| {
        faults.push(Fault {
            file: file.to_owned(),
            line: rule.line,
            key: format!("{}.{key}", rule.id),
            message,
        });
    };
    if rule.kind == Kind::Aws {
        fault("kind", "is for built-in rules only".into());
    }
    for (number, message) in keyword_faults(rule) {
        match number {
            Some(number) => fault(&format!("examples.{number}"), message),
            None => fault("keywords", message),
        }
    }
}

/// Keywords that no example shows, and examples (by number, from 1) that the regex or the keywords miss.
pub(crate) fn keyword_faults(rule: &RuleText) -> Vec<(Option<usize>, String)> {
    let pattern = rule.pattern();
    let mut found: Vec<(Option<usize>, String)> = Vec::new();
    let mut shown = vec![rule.examples.is_empty(); rule.keywords.len()];
    for (number, example) in rule.examples.iter().enumerate() {
        let text = example::expand(example, number as u64);
        let mut has_match = false;
        let mut has_keyword = false;
        let mut at = 0;
        while let Some(matched) = pattern.get().regex.find_at(text.as_bytes(), at) {
            has_match = true;
            for (keyword, shown) in rule.keywords.iter().zip(&mut shown) {
                if memchr::memmem::find(matched.as_bytes(), keyword.as_bytes()).is_some() {
                    has_keyword = true;
                    *shown = true;
                }
            }
            at = matched.start() + 1;
        }
        if !has_match {
            found.push((Some(number + 1), "the regex does not match it".into()));
        } else if !has_keyword {
            found.push((
                Some(number + 1),
                "what the regex matches has none of the keywords".into(),
            ));
        }
    }
    for (keyword, _) in rule.keywords.iter().zip(shown).filter(|(_, shown)| !shown) {
        found.push((
            None,
            format!(
                "`{}` is in no example: it may never match",
                keyword.escape_default()
            ),
        ));
    }
    found
}

/// First 16 hex digits of SHA-256 over what can change a result; each part is preceded by its length.
fn hash(rules: &[Rule]) -> String {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for rule in rules {
        for text in [&rule.id, &rule.description, &rule.advice] {
            part(text.as_bytes());
        }
        part(rule.level.name().as_bytes());
        part(&[u8::from(rule.kind == Kind::Aws)]);
        part(&rule.keywords.len().to_le_bytes());
        rule.keywords.iter().for_each(|keyword| part(keyword));
        part(rule.pattern.source().as_bytes());
        part(&rule.window.to_le_bytes());
        part(&rule.checks.len().to_le_bytes());
        rule.checks
            .iter()
            .for_each(|check| part(check.name().as_bytes()));
        if let Some(pairs_with) = &rule.pairs_with {
            part(pairs_with.pattern.source().as_bytes());
            part(&pairs_with.lines.to_le_bytes());
            part(&[u8::from(pairs_with.optional)]);
        }
        part(&rule.allowlists.len().to_le_bytes());
        for allowlist in &rule.allowlists {
            part(&[u8::from(allowlist.subject == Subject::Line)]);
            part(allowlist.pattern.source().as_bytes());
            part(allowlist.reason.as_bytes());
        }
    }
    let digest = hasher.finalize();
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::file::{BUILTIN, BUILTIN_NAME};

    const MINE: &str = "[[rule]]\nid = 'acme-token'\ndescription = 'd'\nkeywords = ['acme_']\n\
                        regex = 'acme_(?P<secret>[a-z0-9]{20})'\nexamples = ['acme_{lower:20}']\n";

    fn mine(text: &str) -> RuleSource<'_> {
        RuleSource {
            name: "mine.toml",
            text,
        }
    }

    #[test]
    fn the_built_in_rules_have_no_fault() {
        let file = RuleFile::parse(BUILTIN_NAME, BUILTIN)
            .unwrap_or_else(|faults| panic!("{}", Error::Faults(faults)));
        let mut wrong = Vec::new();
        for rule in &file.rules {
            if rule.examples.is_empty()
                || rule.negative_examples.len() < 2
                || rule.references.is_empty()
            {
                wrong.push(format!(
                    "{}: an example, two counter-examples and a reference are wanted",
                    rule.id
                ));
            }
            if rule.opens.is_empty() || rule.rotate.is_empty() || rule.advice.is_empty() {
                wrong.push(format!(
                    "{}: says not what it opens or how to rotate it",
                    rule.id
                ));
            }
            if rule.kind == Kind::Generic {
                let faults = keyword_faults(rule).into_iter();
                wrong
                    .extend(faults.map(|(number, text)| format!("{} {number:?}: {text}", rule.id)));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_short_form_of_the_built_in_rules_is_the_whole_one() {
        let whole = RuleFile::builtin().rules.into_iter().map(compile);
        let whole = RuleSet::from_rules(whole.collect());
        let short = RuleSet::builtin();
        assert_eq!(short.rules.len(), whole.rules.len());
        assert_eq!(short.hash, whole.hash);
    }

    #[test]
    fn a_user_adds_and_replaces_and_the_hash_tells() {
        let builtin = RuleSet::builtin();
        let added = RuleSet::load(&[mine(MINE)]).unwrap();
        assert_eq!(added.rules.len(), builtin.rules.len() + 1);
        assert_ne!(added.hash, builtin.hash);
        assert!(added.index_of("acme-token").is_some());

        let id = &builtin.rules[0].id;
        let replaced = RuleSet::load(&[mine(&MINE.replace("acme-token", id))]).unwrap();
        assert_eq!(replaced.rules.len(), builtin.rules.len());
        assert_eq!(replaced.rules[0].keywords, [b"acme_"]);
    }

    #[test]
    fn keywords_that_cannot_match_are_a_fault() {
        let text = MINE.replace("'acme_']", "'acme_', 'zebra']");
        let error = RuleSet::load(&[mine(&text)]).unwrap_err().to_string();
        assert!(
            error.contains("mine.toml:1: acme-token.keywords: `zebra` is in no example"),
            "{error}"
        );
        let text = MINE.replace(
            "examples = ['acme_{lower:20}']",
            "examples = ['acme_{lower:9}']",
        );
        let error = RuleSet::load(&[mine(&text)]).unwrap_err().to_string();
        assert!(
            error.contains("examples.1: the regex does not match it"),
            "{error}"
        );
    }

    #[test]
    fn faults_of_several_files_are_told_together() {
        let error = RuleSet::load(&[
            mine("a = 1"),
            RuleSource {
                name: "b.toml",
                text: "b = 1",
            },
        ])
        .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("mine.toml:1: a") && text.contains("b.toml:1: b"),
            "{text}"
        );
    }

    #[test]
    fn rules_are_picked_by_id() {
        let all = RuleSet::builtin();
        let id = all.rules[1].id.clone();
        let one = all.clone().select(std::slice::from_ref(&id)).unwrap();
        assert_eq!(one.rules.len(), 1);
        assert_ne!(one.hash, all.hash);
        let rest = all.clone().without(&[id]).unwrap();
        assert_eq!(rest.rules.len(), all.rules.len() - 1);
        assert!(matches!(
            all.select(&["no-such".into()]),
            Err(Error::UnknownRule(_))
        ));
    }
}
