//! A rule file as a person writes it, and everything that is wrong with it.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::allowlist::Subject;
use super::check::Check;
use super::{Compiled, Fault, Kind, Pattern, WINDOW_AFTER, WINDOW_LIMIT};
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
#[derive(Clone, Debug)]
pub struct PairsWithText {
    /// The regex; its group `key_id`, or all of it, is the public half.
    pub regex: String,
    /// How many lines away it may stand.
    pub lines: usize,
    /// Whether a match counts without it as well.
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

    pub(crate) fn parse_with(name: &str, text: &str, trust: Trust) -> Result<Self, Vec<Fault>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut reader = Reader {
            name,
            text,
            trust,
            faults: Vec::new(),
            rule: String::new(),
            counted: (0, 1),
        };
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            reader.fault(at, "syntax", error.message().replace('\n', ", "));
        }
        // Half a document would give faults that are none.
        let rules = if reader.faults.is_empty() {
            reader.root(root.get_ref())
        } else {
            Vec::new()
        };
        if reader.faults.is_empty() {
            Ok(Self {
                name: name.to_owned(),
                rules,
            })
        } else {
            reader.faults.sort();
            Err(reader.faults)
        }
    }
}

type Value<'i> = Spanned<DeValue<'i>>;

/// Walks a parsed document and gathers faults.
struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    trust: Trust,
    faults: Vec<Fault>,
    /// Id of the rule that is being read.
    rule: String,
    /// A byte and its line, to count on from.
    counted: (usize, usize),
}

impl Reader<'_> {
    fn line(&mut self, at: usize) -> usize {
        let (from, line) = if at >= self.counted.0 {
            self.counted
        } else {
            (0, 1)
        };
        let between = self.text.as_bytes().get(from..at).unwrap_or_default();
        let line = line + memchr::memchr_iter(b'\n', between).count();
        self.counted = (at, line);
        line
    }

    fn fault(&mut self, at: usize, key: &str, message: impl Into<String>) {
        let line = self.line(at);
        let key = if self.rule.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.rule)
        };
        self.faults.push(Fault {
            file: self.name.to_owned(),
            line,
            key,
            message: message.into(),
        });
    }

    fn wrong_type(&mut self, value: &Value<'_>, key: &str, wanted: &str) {
        let found = value.get_ref().type_str();
        self.fault(
            value.span().start,
            key,
            format!("should be {wanted}, is {found}"),
        );
    }

    fn root(&mut self, root: &DeTable<'_>) -> Vec<RuleText> {
        let mut rules = Vec::new();
        for (key, value) in root {
            if key.get_ref() != "rule" {
                self.fault(
                    key.span().start,
                    key.get_ref(),
                    "unknown key; rules begin with [[rule]]",
                );
                continue;
            }
            let DeValue::Array(array) = value.get_ref() else {
                self.wrong_type(value, "rule", "a list of tables: [[rule]]");
                continue;
            };
            for item in array.iter() {
                self.rule.clear();
                match item.get_ref() {
                    DeValue::Table(table) => rules.extend(self.rule(item.span(), table)),
                    _ => self.wrong_type(item, "rule", "a table"),
                }
            }
        }
        self.rule.clear();
        self.report_duplicates(&rules);
        rules
    }

    fn report_duplicates(&mut self, rules: &[RuleText]) {
        let mut seen: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        for rule in rules {
            if let Some(line) = seen.insert(&rule.id, rule.line) {
                self.faults.push(Fault {
                    file: self.name.to_owned(),
                    line: rule.line,
                    key: format!("{}.id", rule.id),
                    message: format!("the rule of line {line} has this id already"),
                });
            }
        }
    }

    /// Reads one rule; `None` if something that it cannot do without is missing. Its faults are noted either way.
    fn rule(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<RuleText> {
        if let Some(DeValue::String(id)) = table.get("id").map(Spanned::get_ref) {
            self.rule = id.to_string();
        }
        let faults = self.faults.len();
        let mut rule = RuleText {
            line: self.line(span.start),
            id: String::new(),
            description: String::new(),
            advice: String::new(),
            level: Level::Error,
            kind: Kind::Generic,
            keywords: Vec::new(),
            regex: String::new(),
            window: WINDOW_AFTER,
            checks: Vec::new(),
            pairs_with: None,
            allowlists: Vec::new(),
            references: Vec::new(),
            examples: Vec::new(),
            negative_examples: Vec::new(),
            opens: String::new(),
            rotate: Vec::new(),
        };
        for (key, value) in table {
            self.key(&mut rule, key, value);
        }
        for key in ["id", "description", "keywords", "regex"] {
            if table.get(key).is_none() {
                self.fault(span.start, key, "missing");
            }
        }
        if self.faults.len() > faults {
            return None;
        }
        if rule.advice.is_empty() {
            "Revoke it where it was issued, then take it out.".clone_into(&mut rule.advice);
        }
        Some(rule)
    }

    fn key(
        &mut self,
        rule: &mut RuleText,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Value<'_>,
    ) {
        let name: &str = key.get_ref();
        match name {
            "id" => {
                rule.id = self.string(value, name);
                let is_id_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
                if !rule.id.bytes().all(is_id_byte) {
                    self.fault(value.span().start, name, "may hold a-z, 0-9 and - only");
                }
            }
            "description" => rule.description = self.string(value, name),
            "advice" => rule.advice = self.string(value, name),
            "opens" => rule.opens = self.string(value, name),
            "level" => {
                let text = self.string(value, name);
                match Level::from_name(&text) {
                    Some(level) => rule.level = level,
                    None => {
                        self.fault(value.span().start, name, "should be error, warning or note")
                    }
                }
            }
            "kind" => match self.string(value, name).as_str() {
                "aws" => rule.kind = Kind::Aws,
                _ => self.fault(
                    value.span().start,
                    name,
                    "the only kind is `aws`, for built-in rules",
                ),
            },
            "window" => {
                rule.window = self
                    .number(value, name, WINDOW_LIMIT)
                    .unwrap_or(WINDOW_AFTER)
            }
            "keywords" => rule.keywords = self.keywords(value),
            "regex" => {
                rule.regex = self.string(value, name);
                self.regex(&rule.regex, value.span(), name, &["secret", "key_id"], true);
            }
            "checks" => rule.checks = self.checks(value),
            "pairs_with" => rule.pairs_with = self.pairs_with(value),
            "allowlists" => rule.allowlists = self.allowlists(value),
            "references" => rule.references = self.strings(value, name),
            "examples" => rule.examples = self.strings(value, name),
            "negative_examples" => rule.negative_examples = self.strings(value, name),
            "rotate" => rule.rotate = self.strings(value, name),
            _ => self.fault(key.span().start, name, "unknown key"),
        }
    }

    fn string(&mut self, value: &Value<'_>, key: &str) -> String {
        match value.get_ref() {
            DeValue::String(text) if !text.is_empty() => text.to_string(),
            DeValue::String(_) => {
                self.fault(value.span().start, key, "is empty");
                String::new()
            }
            _ => {
                self.wrong_type(value, key, "a string");
                String::new()
            }
        }
    }

    fn strings(&mut self, value: &Value<'_>, key: &str) -> Vec<String> {
        match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| self.string(item, key)).collect(),
            _ => {
                self.wrong_type(value, key, "a list of strings");
                Vec::new()
            }
        }
    }

    fn number(&mut self, value: &Value<'_>, key: &str, limit: usize) -> Option<usize> {
        let number = match value.get_ref() {
            DeValue::Integer(number) => usize::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => {
                self.wrong_type(value, key, "a whole number");
                return None;
            }
        };
        let number = number.filter(|number| *number <= limit);
        if number.is_none() {
            self.fault(value.span().start, key, format!("should be 0 to {limit}"));
        }
        number
    }

    fn keywords(&mut self, value: &Value<'_>) -> Vec<String> {
        let keywords = self.strings(value, "keywords");
        let DeValue::Array(items) = value.get_ref() else {
            return keywords;
        };
        if items.is_empty() {
            self.fault(
                value.span().start,
                "keywords",
                "is empty: the rule could never match",
            );
        }
        for (at, (keyword, item)) in keywords.iter().zip(items.iter()).enumerate() {
            if !keyword.is_empty() && keyword.len() < SHORTEST_KEYWORD {
                self.fault(
                    item.span().start,
                    "keywords",
                    format!("`{keyword}` is shorter than {SHORTEST_KEYWORD} bytes"),
                );
            }
            let covered = |other: &String| keyword.contains(other.as_str()) && !other.is_empty();
            if let Some(other) = keywords[..at].iter().find(|other| covered(other)) {
                self.fault(
                    item.span().start,
                    "keywords",
                    format!("`{keyword}` is covered by `{other}`"),
                );
            }
        }
        keywords
    }

    /// Holds a regex against the group names that mean something.
    fn regex(
        &mut self,
        source: &str,
        at: Range<usize>,
        key: &str,
        groups: &[&str],
        needs_secret: bool,
    ) {
        if source.is_empty() || self.trust == Trust::Tested {
            return;
        }
        let compiled = match Compiled::new(source) {
            Ok(compiled) => compiled,
            Err(error) => {
                let text = error.to_string();
                let last = text.lines().rev().find(|line| !line.trim().is_empty());
                return self.fault(at.start, key, last.unwrap_or("not a regex").trim());
            }
        };
        for name in compiled.regex.capture_names().flatten() {
            if !groups.contains(&name) {
                self.fault(at.start, key, format!("no group may be called `{name}`"));
            }
        }
        if needs_secret && compiled.secret_group == 0 && compiled.key_id_group.is_none() {
            self.fault(at.start, key, "has no group (?P<secret>…)");
        }
        if compiled.regex.is_match(b"") {
            self.fault(at.start, key, "matches the empty text");
        }
    }

    fn checks(&mut self, value: &Value<'_>) -> Vec<Check> {
        let names = self.strings(value, "checks");
        let DeValue::Array(items) = value.get_ref() else {
            return Vec::new();
        };
        let mut checks = Vec::with_capacity(names.len());
        for (name, item) in names.iter().zip(items.iter()) {
            match Check::parse(name) {
                Ok(check) => checks.push(check),
                Err(_) if name.is_empty() => {}
                Err(message) => self.fault(item.span().start, "checks", message),
            }
        }
        checks
    }

    fn pairs_with(&mut self, value: &Value<'_>) -> Option<PairsWithText> {
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type(value, "pairs_with", "a table: { regex = '…', lines = 5 }");
            return None;
        };
        let mut pairs_with = PairsWithText {
            regex: String::new(),
            lines: 0,
            optional: false,
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "regex" => {
                    pairs_with.regex = self.string(value, "pairs_with.regex");
                    self.regex(
                        &pairs_with.regex,
                        value.span(),
                        "pairs_with.regex",
                        &["key_id"],
                        false,
                    );
                }
                "lines" => {
                    pairs_with.lines = self.number(value, "pairs_with.lines", 100).unwrap_or(0)
                }
                "optional" => match value.get_ref().as_bool() {
                    Some(optional) => pairs_with.optional = optional,
                    None => self.wrong_type(value, "pairs_with.optional", "true or false"),
                },
                other => self.fault(
                    key.span().start,
                    &format!("pairs_with.{other}"),
                    "unknown key",
                ),
            }
        }
        for key in ["regex", "lines"] {
            if table.get(key).is_none() {
                self.fault(value.span().start, &format!("pairs_with.{key}"), "missing");
            }
        }
        Some(pairs_with)
    }

    fn allowlists(&mut self, value: &Value<'_>) -> Vec<AllowlistText> {
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(
                value,
                "allowlists",
                "a list of tables: [{ secret = '…', reason = \"…\" }]",
            );
            return Vec::new();
        };
        let mut allowlists = Vec::new();
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => allowlists.extend(self.allowlist(item.span(), table)),
                _ => self.wrong_type(item, "allowlists", "a table"),
            }
        }
        allowlists
    }

    fn allowlist(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<AllowlistText> {
        let mut looks = None;
        let mut reason = None;
        for (key, value) in table {
            let name: &str = key.get_ref();
            let subject = match name {
                "secret" => Subject::Secret,
                "line" => Subject::Line,
                "reason" => {
                    reason = Some(self.string(value, "allowlists.reason"));
                    continue;
                }
                _ => {
                    self.fault(
                        key.span().start,
                        &format!("allowlists.{name}"),
                        "unknown key",
                    );
                    continue;
                }
            };
            let regex = self.string(value, &format!("allowlists.{name}"));
            self.regex(
                &regex,
                value.span(),
                &format!("allowlists.{name}"),
                &[],
                false,
            );
            if looks.replace((subject, regex)).is_some() {
                self.fault(
                    key.span().start,
                    &format!("allowlists.{name}"),
                    "use one table for `secret`, one for `line`",
                );
            }
        }
        if looks.is_none() {
            self.fault(span.start, "allowlists", "needs `secret` or `line`");
        }
        if reason.is_none() {
            self.fault(span.start, "allowlists.reason", "missing");
        }
        let (subject, regex) = looks?;
        Some(AllowlistText {
            subject,
            regex,
            reason: reason?,
        })
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
