//! Reads the parsed document of a rule file and gathers everything that is wrong with it, each with its line and key.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::allowlist::Subject;
use super::check::Check;
use super::file::{AllowlistText, PairsWithText, RuleText, SHORTEST_KEYWORD, Trust};
use super::{Compiled, Fault, Kind, WINDOW_AFTER, WINDOW_LIMIT};
use crate::document::{self, Value, regex_message};
use crate::finding::Level;

/// Walks a parsed document and gathers faults.
pub(super) struct Reader<'a> {
    name: &'a str,
    pub(super) document: document::Reader<'a>,
    trust: Trust,
}

impl<'a> Reader<'a> {
    /// A reader of the file `name`, which holds `text`.
    pub(super) fn new(name: &'a str, text: &'a str, trust: Trust) -> Self {
        Self {
            name,
            document: document::Reader::new(name, text),
            trust,
        }
    }

    /// Reads all rules of a document.
    pub(super) fn root(&mut self, root: &DeTable<'_>) -> Vec<RuleText> {
        let mut rules = Vec::new();
        for (key, value) in root {
            if key.get_ref() != "rule" {
                self.document.fault(
                    key.span().start,
                    key.get_ref(),
                    "unknown key; rules begin with [[rule]]",
                );
                continue;
            }
            let DeValue::Array(array) = value.get_ref() else {
                self.document
                    .wrong_type(value, "rule", "a list of tables: [[rule]]");
                continue;
            };
            for item in array.iter() {
                self.document.within.clear();
                match item.get_ref() {
                    DeValue::Table(table) => rules.extend(self.rule(item.span(), table)),
                    _ => self.document.wrong_type(item, "rule", "a table"),
                }
            }
        }
        self.document.within.clear();
        self.report_duplicates(&rules);
        rules
    }

    fn report_duplicates(&mut self, rules: &[RuleText]) {
        let mut seen: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        for rule in rules {
            if let Some(line) = seen.insert(&rule.id, rule.line) {
                self.document.faults.push(Fault {
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
            self.document.within = id.to_string();
        }
        let faults = self.document.faults.len();
        let mut rule = RuleText {
            line: self.document.line(span.start),
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
                self.document.fault(span.start, key, "missing");
            }
        }
        if self.document.faults.len() > faults {
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
                rule.id = self.document.string(value, name);
                let is_id_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
                if !rule.id.bytes().all(is_id_byte) {
                    self.document
                        .fault(value.span().start, name, "may hold a-z, 0-9 and - only");
                }
            }
            "description" => rule.description = self.document.string(value, name),
            "advice" => rule.advice = self.document.string(value, name),
            "opens" => rule.opens = self.document.string(value, name),
            "level" => {
                let text = self.document.string(value, name);
                match Level::from_name(&text) {
                    Some(level) => rule.level = level,
                    None => self.document.fault(
                        value.span().start,
                        name,
                        "should be error, warning or note",
                    ),
                }
            }
            "kind" => match self.document.string(value, name).as_str() {
                "aws" => rule.kind = Kind::Aws,
                _ => self.document.fault(
                    value.span().start,
                    name,
                    "the only kind is `aws`, for built-in rules",
                ),
            },
            "window" => {
                rule.window = self
                    .document
                    .number(value, name, 0, WINDOW_LIMIT)
                    .unwrap_or(WINDOW_AFTER)
            }
            "keywords" => rule.keywords = self.keywords(value),
            "regex" => {
                rule.regex = self.document.string(value, name);
                self.regex(&rule.regex, value.span(), name, &["secret", "key_id"], true);
            }
            "checks" => rule.checks = self.checks(value),
            "pairs_with" => rule.pairs_with = self.pairs_with(value),
            "allowlists" => rule.allowlists = self.allowlists(value),
            "references" => rule.references = self.document.strings(value, name),
            "examples" => rule.examples = self.document.strings(value, name),
            "negative_examples" => rule.negative_examples = self.document.strings(value, name),
            "rotate" => rule.rotate = self.document.strings(value, name),
            _ => self.document.fault(key.span().start, name, "unknown key"),
        }
    }

    fn keywords(&mut self, value: &Value<'_>) -> Vec<String> {
        let keywords = self.document.strings(value, "keywords");
        let DeValue::Array(items) = value.get_ref() else {
            return keywords;
        };
        if items.is_empty() {
            self.document.fault(
                value.span().start,
                "keywords",
                "is empty: the rule could never match",
            );
        }
        for (at, (keyword, item)) in keywords.iter().zip(items.iter()).enumerate() {
            if !keyword.is_empty() && keyword.len() < SHORTEST_KEYWORD {
                self.document.fault(
                    item.span().start,
                    "keywords",
                    format!("`{keyword}` is shorter than {SHORTEST_KEYWORD} bytes"),
                );
            }
            let covered = |other: &String| keyword.contains(other.as_str()) && !other.is_empty();
            if let Some(other) = keywords[..at].iter().find(|other| covered(other)) {
                self.document.fault(
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
                return self.document.fault(at.start, key, regex_message(&error));
            }
        };
        for name in compiled.regex.capture_names().flatten() {
            if !groups.contains(&name) {
                self.document
                    .fault(at.start, key, format!("no group may be called `{name}`"));
            }
        }
        if needs_secret && compiled.secret_group == 0 && compiled.key_id_group.is_none() {
            self.document
                .fault(at.start, key, "has no group (?P<secret>…)");
        }
        if compiled.regex.is_match(b"") {
            self.document.fault(at.start, key, "matches the empty text");
        }
    }

    fn checks(&mut self, value: &Value<'_>) -> Vec<Check> {
        let names = self.document.strings(value, "checks");
        let DeValue::Array(items) = value.get_ref() else {
            return Vec::new();
        };
        let mut checks = Vec::with_capacity(names.len());
        for (name, item) in names.iter().zip(items.iter()) {
            match Check::parse(name) {
                Ok(check) => checks.push(check),
                Err(_) if name.is_empty() => {}
                Err(message) => self.document.fault(item.span().start, "checks", message),
            }
        }
        checks
    }

    fn pairs_with(&mut self, value: &Value<'_>) -> Option<PairsWithText> {
        let DeValue::Table(table) = value.get_ref() else {
            self.document
                .wrong_type(value, "pairs_with", "a table: { regex = '…', lines = 5 }");
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
                    pairs_with.regex = self.document.string(value, "pairs_with.regex");
                    self.regex(
                        &pairs_with.regex,
                        value.span(),
                        "pairs_with.regex",
                        &["key_id"],
                        false,
                    );
                }
                "lines" => {
                    pairs_with.lines = self
                        .document
                        .number(value, "pairs_with.lines", 0, 100)
                        .unwrap_or(0)
                }
                "optional" => match value.get_ref().as_bool() {
                    Some(optional) => pairs_with.optional = optional,
                    None => self
                        .document
                        .wrong_type(value, "pairs_with.optional", "true or false"),
                },
                other => self.document.fault(
                    key.span().start,
                    &format!("pairs_with.{other}"),
                    "unknown key",
                ),
            }
        }
        for key in ["regex", "lines"] {
            if table.get(key).is_none() {
                self.document
                    .fault(value.span().start, &format!("pairs_with.{key}"), "missing");
            }
        }
        Some(pairs_with)
    }

    fn allowlists(&mut self, value: &Value<'_>) -> Vec<AllowlistText> {
        let DeValue::Array(items) = value.get_ref() else {
            self.document.wrong_type(
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
                _ => self.document.wrong_type(item, "allowlists", "a table"),
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
                    reason = Some(self.document.string(value, "allowlists.reason"));
                    continue;
                }
                _ => {
                    self.document.fault(
                        key.span().start,
                        &format!("allowlists.{name}"),
                        "unknown key",
                    );
                    continue;
                }
            };
            let regex = self.document.string(value, &format!("allowlists.{name}"));
            self.regex(
                &regex,
                value.span(),
                &format!("allowlists.{name}"),
                &[],
                false,
            );
            if looks.replace((subject, regex)).is_some() {
                self.document.fault(
                    key.span().start,
                    &format!("allowlists.{name}"),
                    "use one table for `secret`, one for `line`",
                );
            }
        }
        if looks.is_none() {
            self.document
                .fault(span.start, "allowlists", "needs `secret` or `line`");
        }
        if reason.is_none() {
            self.document
                .fault(span.start, "allowlists.reason", "missing");
        }
        let (subject, regex) = looks?;
        Some(AllowlistText {
            subject,
            regex,
            reason: reason?,
        })
    }
}
