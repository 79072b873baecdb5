//! Joins the built-in rules with the user's into the form the engine uses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::allowlist::Subject;
use super::file::RuleFile;
use super::keyword::Form;
use super::{Error, Fault, Rule, RuleSet, Text, builtin, example};

/// A rule file of a user: what to call it and what is in it.
#[derive(Clone, Copy, Debug)]
pub struct RuleSource<'a> {
    /// Name of the file in faults.
    pub name: &'a str,
    /// Content of the file.
    pub text: &'a str,
}

impl RuleSet {
    /// The built-in rules.
    pub fn builtin() -> Self {
        Self {
            rules: Cow::Borrowed(&builtin::RULES),
            hash: OnceLock::new(),
        }
    }

    /// Returns true if these are the built-in rules, complete and unchanged.
    pub fn is_builtin(&self) -> bool {
        matches!(self.rules, Cow::Borrowed(rules) if std::ptr::eq(rules, &builtin::RULES))
    }

    /// The built-in rules and the user's, which add to them or replace those of the same id. A later file wins.
    ///
    /// All faults of all files are reported together. Regexes are parsed and not compiled, unless there is doubt
    /// about one.
    pub fn load(sources: &[RuleSource<'_>]) -> Result<Self, Error> {
        let mut rules: BTreeMap<Text, Rule> = builtin::RULES
            .iter()
            .map(|rule| (rule.id.clone(), rule.clone()))
            .collect();
        let mut faults = Vec::new();
        for source in sources {
            match RuleFile::parse(source.name, source.text) {
                Ok(file) => {
                    for (rule, line) in file.rules.into_iter().zip(file.lines) {
                        faults.extend(user_faults(source.name, line, &rule));
                        rules.insert(rule.id.clone(), rule);
                    }
                }
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            Ok(Self::new(rules.into_values().collect()))
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

    fn retain(self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.rules.iter().filter(|rule| keep(&rule.id));
        Self::new(kept.cloned().collect())
    }
}

/// Returns the faults that only a user's rule can have: a key for built-in rules, a keyword that is in no example, an
/// example without a keyword. The latter two mean that the rule would not find what its author thinks.
fn user_faults(file: &str, line: usize, rule: &Rule) -> Vec<Fault> {
    let mut found = Vec::new();
    if rule.kind.is_aws() {
        found.push(("kind".to_owned(), "is for built-in rules only".to_owned()));
    }
    let mut shown = vec![rule.examples.is_empty(); rule.keywords.len()];
    for (number, example) in rule.examples.iter().enumerate() {
        let text = example::expand(example, number as u64);
        let mut has_keyword = false;
        for (keyword, shown) in rule.keywords.iter().zip(&mut shown) {
            let is_here = memchr::memmem::find(text.as_bytes(), &keyword.bytes).is_some();
            *shown |= is_here;
            has_keyword |= is_here;
        }
        if !has_keyword {
            let message = "it has none of the keywords".to_owned();
            found.push((format!("examples.{}", number + 1), message));
        }
    }
    for (keyword, _) in rule.keywords.iter().zip(shown).filter(|(_, shown)| !shown) {
        let keyword = keyword.bytes.escape_ascii();
        let message = format!("`{keyword}` is in no example: it may never match");
        found.push(("keywords".to_owned(), message));
    }
    let fault = |(key, message)| Fault {
        file: file.to_owned(),
        line,
        key: format!("{}.{key}", rule.id),
        message,
    };
    found.into_iter().map(fault).collect()
}

/// Returns the faults of a rule's examples that only the regex shows: examples that it does not match, or not together
/// with a keyword. Compiles the regex.
pub fn example_faults(rule: &Rule) -> Vec<String> {
    let regex = &rule.pattern.get().regex;
    let mut found = Vec::new();
    for (number, example) in (1..).zip(rule.examples.iter()) {
        let text = example::expand(example, number - 1);
        let mut at = 0;
        let mut has_match = false;
        let mut has_keyword = false;
        while let Some(matched) = regex.find_at(text.as_bytes(), at) {
            has_match = true;
            has_keyword |= rule.has_keyword(matched.as_bytes());
            at = matched.start() + 1;
        }
        if !has_match {
            found.push(format!("example {number}: the regex does not match it"));
        } else if !has_keyword {
            found.push(format!(
                "example {number}: what the regex matches has none of the keywords"
            ));
        }
    }
    found
}

/// First 16 hex digits of SHA-256 over what can change a result; each part is preceded by its length.
pub(super) fn hash(rules: &[Rule]) -> String {
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
        part(&[u8::from(rule.kind.is_aws())]);
        part(&rule.keywords.len().to_le_bytes());
        for keyword in rule.keywords.iter() {
            part(&keyword.bytes);
            part(&match keyword.form {
                Form::Plain => [0, 0, 0],
                Form::Encoded { phase, group } => [1, phase, group],
                Form::Wide(unit) => [2, unit, 0],
            });
        }
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
        for allowlist in rule.allowlists.iter() {
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
    use crate::rule::{Kind, Texts};

    /// The built-in rules as they are written.
    fn written() -> RuleFile {
        RuleFile::parse("rules.toml", include_str!("../../rules.toml"))
            .unwrap_or_else(|faults| panic!("{}", Error::Faults(faults)))
    }

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
        let file = written();
        let mut wrong = Vec::new();
        for (rule, line) in file.rules.iter().zip(&file.lines) {
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
                let faults = user_faults(&file.name, *line, rule);
                wrong.extend(faults.iter().map(Fault::to_string));
                let faults = example_faults(rule).into_iter();
                wrong.extend(faults.map(|fault| format!("{}: {fault}", rule.id)));
            }
            let nearby = rule.pairs_with.iter().map(|pairs_with| &pairs_with.pattern);
            let allowed = rule.allowlists.iter().map(|allowlist| &allowlist.pattern);
            for pattern in [&rule.pattern].into_iter().chain(nearby).chain(allowed) {
                pattern.get();
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_tables_say_what_the_file_says() {
        let written = RuleSet::new(written().rules);
        let tables = RuleSet::builtin();
        assert!(tables.is_builtin() && !written.is_builtin());
        assert_eq!(tables.rules.len(), written.rules.len());
        for (table, written) in tables.rules.iter().zip(written.rules.iter()) {
            // All there is: patterns show their source.
            assert_eq!(format!("{table:?}"), format!("{written:?}"));
        }
        assert_eq!(tables.hash(), written.hash());
        assert!(tables.rules.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn lists_of_texts_come_back_as_they_were() {
        for list in [&[][..], &["a"], &["a b", "c\nd", "e"]] {
            let texts: Texts = list.iter().collect();
            assert_eq!(texts.iter().collect::<Vec<_>>(), list);
            assert_eq!(
                (texts.len(), texts.is_empty()),
                (list.len(), list.is_empty())
            );
        }
    }

    #[test]
    fn a_user_adds_and_replaces_and_the_hash_tells() {
        let builtin = RuleSet::builtin();
        let added = RuleSet::load(&[mine(MINE)]).unwrap();
        assert_eq!(added.rules.len(), builtin.rules.len() + 1);
        assert_ne!(added.hash(), builtin.hash());
        assert!(added.index_of("acme-token").is_some());

        let id: &str = &builtin.rules[0].id;
        let replaced = RuleSet::load(&[mine(&MINE.replace("acme-token", id))]).unwrap();
        assert_eq!(replaced.rules.len(), builtin.rules.len());
        assert_eq!(&*replaced.rules[0].keywords[0].bytes, b"acme_");
        assert_eq!(replaced.rules[0].kind, Kind::Generic);
    }

    #[test]
    fn keywords_that_cannot_match_are_a_fault() {
        let text = MINE.replace("'acme_']", "'acme_', 'zebra']");
        let error = RuleSet::load(&[mine(&text)]).unwrap_err().to_string();
        assert!(
            error.contains("mine.toml:1: acme-token.keywords: `zebra` is in no example"),
            "{error}"
        );
        let text = MINE.replace("['acme_{lower:20}']", "['other_{lower:20}']");
        let error = RuleSet::load(&[mine(&text)]).unwrap_err().to_string();
        assert!(
            error.contains("examples.1: it has none of the keywords"),
            "{error}"
        );
    }

    #[test]
    fn a_user_s_regex_is_compiled_when_it_is_needed() {
        let rules = RuleSet::load(&[mine(MINE)]).unwrap();
        let mine = &rules.rules[rules.index_of("acme-token").unwrap()];
        assert!(!mine.pattern.is_compiled());
        assert_eq!(example_faults(mine), [""; 0]);
        assert!(mine.pattern.is_compiled());
        let short = MINE.replace("{lower:20}", "{lower:9}");
        let rules = RuleSet::load(&[super::RuleSource {
            name: "mine.toml",
            text: &short,
        }])
        .unwrap();
        let mine = &rules.rules[rules.index_of("acme-token").unwrap()];
        assert_eq!(
            example_faults(mine),
            ["example 1: the regex does not match it"]
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
        let id = all.rules[1].id.to_string();
        let one = all.clone().select(std::slice::from_ref(&id)).unwrap();
        assert_eq!(one.rules.len(), 1);
        assert_ne!(one.hash(), all.hash());
        let rest = all.clone().without(&[id]).unwrap();
        assert_eq!(rest.rules.len(), all.rules.len() - 1);
        assert!(matches!(
            all.select(&["no-such".into()]),
            Err(Error::UnknownRule(_))
        ));
    }
}
