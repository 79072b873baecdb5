//! A rule file as a person writes it.

use serde::Deserialize;

use super::allowlist::Subject;
use super::check::Check;
use super::reader::Reader;
use super::{Fault, Kind, Pattern};
use crate::finding::Level;

/// The built-in rules, as written.
pub const BUILTIN: &str = include_str!("../../rules.toml");

/// The name of the built-in rule file in faults.
pub const BUILTIN_NAME: &str = "rules.toml";

/// The shortest keyword: shorter ones would be found everywhere and slow the search for all others.
pub const SHORTEST_KEYWORD: usize = 4;

/// The rules of one file, in its order.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// The file, as its reader names it.
    pub name: String,
    /// The rules.
    pub rules: Vec<RuleText>,
}

/// One rule as written.
#[derive(Clone, Debug)]
pub struct RuleText {
    /// The line on which it begins, 1-based.
    pub line: usize,
    /// A stable name, never reused.
    pub id: String,
    /// What was found and what its holder could do.
    pub description: String,
    /// One line of what to do.
    pub advice: String,
    /// How much a full match weighs.
    pub level: Level,
    /// Who decides.
    pub kind: Kind,
    /// Literals of which any match contains at least one.
    pub keywords: Vec<String>,
    /// What decides.
    pub regex: String,
    /// Bytes after a keyword in which a match may end.
    pub window: usize,
    /// What a match has to pass.
    pub checks: Vec<Check>,
    /// What has to stand nearby.
    pub pairs_with: Option<PairsWithText>,
    /// What is never reported.
    pub allowlists: Vec<AllowlistText>,
    /// Where the format is documented.
    pub references: Vec<String>,
    /// Templates of texts in which the rule finds something.
    pub examples: Vec<String>,
    /// Templates of texts in which it does not.
    pub negative_examples: Vec<String>,
    /// What the secret opens.
    pub opens: String,
    /// What to do about a leaked one, in order.
    pub rotate: Vec<String>,
}

/// What has to stand near a match, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairsWithText {
    /// The regex; its group `key_id`, or all of it, is the public half.
    pub regex: String,
    /// How many lines away it may stand.
    pub lines: usize,
    /// Whether a match counts without it as well.
    #[serde(default)]
    pub optional: bool,
}

/// What is never reported, as written.
#[derive(Clone, Debug)]
pub struct AllowlistText {
    /// Where it looks.
    pub subject: Subject,
    /// What it looks for.
    pub regex: String,
    /// Why such a match is harmless.
    pub reason: String,
}

/// How far the text of a rule is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Everything is checked, every regex compiled.
    Nothing,
    /// A test has checked this very text: regexes are not compiled.
    Tested,
}

impl RuleFile {
    /// Reads a rule file; or gives all its faults.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        Self::parse_with(name, text, Trust::Nothing)
    }

    /// The built-in rules with all their prose and examples.
    pub fn builtin() -> Self {
        Self::parse_with(BUILTIN_NAME, BUILTIN, Trust::Tested)
            .expect("a test reads the built-in rules")
    }

    fn parse_with(name: &str, text: &str, trust: Trust) -> Result<Self, Vec<Fault>> {
        let mut reader = Reader::new(name, text, trust);
        let rules = match reader.document.parse() {
            Some(root) => reader.root(root.get_ref()),
            None => Vec::new(),
        };
        let mut faults = reader.document.faults;
        if faults.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                rules,
            })
        } else {
            faults.sort();
            Err(faults)
        }
    }
}

impl RuleText {
    /// The regex, compiled when it is first used.
    pub(crate) fn pattern(&self) -> Pattern {
        Pattern::trusted(&self.regex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let faults = RuleFile::parse("my.toml", text).unwrap_err();
        faults.iter().map(|fault| fault.to_string()).collect()
    }

    #[test]
    fn a_good_file_is_read() {
        let file = RuleFile::parse(
            "my.toml",
            "# mine\n[[rule]]\nid = 'a-1'\ndescription = 'd'\nkeywords = ['acme_']\nregex = 'acme_(?P<secret>[a-z]{9})'\n\
             checks = ['entropy(2.5)']\npairs_with = { regex = 'user', lines = 3 }\n\
             allowlists = [{ line = 'test', reason = 'r' }]\n",
        )
        .unwrap();
        let rule = &file.rules[0];
        assert_eq!(
            (rule.line, rule.id.as_str(), rule.level),
            (2, "a-1", Level::Error)
        );
        assert_eq!(rule.checks, [Check::Entropy(2.5)]);
        assert_eq!(rule.pairs_with.as_ref().unwrap().lines, 3);
        assert_eq!(rule.allowlists[0].subject, Subject::Line);
    }

    #[test]
    fn all_faults_are_told_at_once_with_line_and_key() {
        let faults = faults(
            "title = 'x'\n[[rule]]\nid = 'A b'\nkeywords = ['abc', 'long_']\nregex = 'x('\nlevel = 'fatal'\n\
             [[rule]]\nid = 'two'\ndescription = 'd'\nregx = 'x'\nkeywords = 'word'\nregex = 'x+'\nchecks = ['sha']\n\
             pairs_with = { regex = 'y(?P<secret>z)' }\nallowlists = [{ line = '[', why = 'x' }]\nwindow = 99999999\n",
        );
        let expected = [
            (1, "title", "unknown key"),
            (2, "A b.description", "missing"),
            (3, "A b.id", "a-z"),
            (4, "A b.keywords", "`abc` is shorter"),
            (5, "A b.regex", "unclosed group"),
            (6, "A b.level", "error, warning or note"),
            (10, "two.regx", "unknown key"),
            (11, "two.keywords", "a list of strings"),
            (12, "two.regex", "no group"),
            (13, "two.checks", "`sha`"),
            (14, "two.pairs_with.lines", "missing"),
            (14, "two.pairs_with.regex", "`secret`"),
            (15, "two.allowlists.line", "unclosed"),
            (15, "two.allowlists.reason", "missing"),
            (15, "two.allowlists.why", "unknown key"),
            (16, "two.window", "0 to"),
        ];
        assert_eq!(faults.len(), expected.len(), "{faults:#?}");
        for (fault, (line, key, part)) in faults.iter().zip(expected) {
            assert!(
                fault.starts_with(&format!("my.toml:{line}: {key}: ")),
                "{fault}"
            );
            assert!(fault.contains(part), "{fault}");
        }
    }

    #[test]
    fn broken_toml_is_told_with_all_its_lines() {
        let faults = faults("[[rule]]\nid = \nx\n[[rule]]\nid = 'b'\ny = {\n");
        assert!(faults.len() >= 2, "{faults:?}");
        assert!(faults[0].starts_with("my.toml:2: syntax: "), "{faults:?}");
    }

    #[test]
    fn two_rules_of_one_id_are_a_fault() {
        let rule = "[[rule]]\nid = 'a'\ndescription = 'd'\nkeywords = ['acme_']\nregex = '(?P<secret>acme_x)'\n";
        let faults = faults(&rule.repeat(2));
        assert_eq!(
            faults,
            ["my.toml:6: a.id: the rule of line 1 has this id already"]
        );
    }
}
