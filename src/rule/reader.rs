//! Reads the parsed document of a rule file and gathers everything that is wrong with it, each with its line and key.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::allowlist::{Allowlist, Subject};
use super::check::Check;
use super::file::SHORTEST_KEYWORD;
use super::keyword::Keyword;
use super::{
    AwsRule, Fault, Kind, PairsWith, Pattern, Rule, Text, Texts, WINDOW_AFTER, WINDOW_LIMIT,
};
use crate::level::Level;
use crate::text::document::{self, Value, regex_message};

/// Walks a parsed document and gathers faults.
pub(super) struct Reader<'a> {
    name: &'a str,
    pub(super) document: document::Reader<'a>,
}

/// The literals of a rule as they are written.
#[derive(Default)]
struct Literals {
    plain: Vec<String>,
    base64: Vec<String>,
    utf16: Vec<String>,
    nested: Vec<String>,
}

impl<'a> Reader<'a> {
    /// A reader of the file `name`, which holds `text`.
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self {
            name,
            document: document::Reader::new(name, text),
        }
    }

    /// Reads all rules of a document, each with the line on which it begins.
    pub(super) fn root(&mut self, root: &DeTable<'_>) -> Vec<(usize, Rule)> {
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

    fn report_duplicates(&mut self, rules: &[(usize, Rule)]) {
        let mut seen: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        for (line, rule) in rules {
            if let Some(first) = seen.insert(&rule.id, *line) {
                self.document.faults.push(Fault {
                    file: self.name.to_owned(),
                    line: *line,
                    key: format!("{}.id", rule.id),
                    message: format!("the rule of line {first} has this id already"),
                });
            }
        }
    }

    /// Reads one rule; `None` if something that it cannot do without is missing. Its faults are noted either way.
    fn rule(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<(usize, Rule)> {
        if let Some(DeValue::String(id)) = table.get("id").map(Spanned::get_ref) {
            self.document.within = id.to_string();
        }
        let faults = self.document.faults.len();
        let line = self.document.line(span.start);
        let mut rule = Rule {
            id: Text::default(),
            description: Text::default(),
            advice: Text::Borrowed("Revoke it where it was issued, then take it out."),
            level: Level::Error,
            kind: Kind::Generic,
            keywords: Default::default(),
            pattern: Pattern::builtin(""),
            window: WINDOW_AFTER,
            checks: Default::default(),
            pairs_with: None,
            allowlists: Default::default(),
            references: Texts::default(),
            examples: Texts::default(),
            negative_examples: Texts::default(),
            opens: Text::default(),
            rotate: Texts::default(),
        };
        let mut literals = Literals::default();
        for (key, value) in table {
            self.key(&mut rule, &mut literals, key, value);
        }
        for key in ["id", "description", "keywords", "regex"] {
            if table.get(key).is_none() {
                self.document.fault(span.start, key, "missing");
            }
        }
        self.kind(&mut rule, table);
        if self.document.faults.len() > faults {
            return None;
        }
        let Literals {
            plain,
            base64,
            utf16,
            nested,
        } = &literals;
        rule.keywords = Keyword::all([plain, base64, utf16, nested]).into();
        Some((line, rule))
    }

    /// Code decides for the built-in rules about AWS only; encoded forms are for that code.
    fn kind(&mut self, rule: &mut Rule, table: &DeTable<'_>) {
        if let Some(kind) = table.get("kind") {
            match (kind.get_ref().as_str(), AwsRule::of_id(&rule.id)) {
                (Some("aws"), Some(aws)) => rule.kind = Kind::Aws(aws),
                _ => self.document.fault(
                    kind.span().start,
                    "kind",
                    "the only kind is `aws`, for built-in rules",
                ),
            }
        }
        for key in ["base64", "utf16", "nested"] {
            if let Some(value) = table.get(key)
                && rule.kind == Kind::Generic
            {
                self.document.fault(
                    value.span().start,
                    key,
                    "is for rules of `kind = \"aws\"` only",
                );
            }
        }
    }

    fn key(
        &mut self,
        rule: &mut Rule,
        literals: &mut Literals,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Value<'_>,
    ) {
        let name: &str = key.get_ref();
        match name {
            "id" => {
                rule.id = self.document.string(value, name).into();
                let is_id_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
                if !rule.id.bytes().all(is_id_byte) {
                    self.document
                        .fault(value.span().start, name, "may hold a-z, 0-9 and - only");
                }
            }
            "description" => rule.description = self.document.string(value, name).into(),
            "advice" => rule.advice = self.document.string(value, name).into(),
            "opens" => rule.opens = self.document.string(value, name).into(),
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
            // Needs the id.
            "kind" => {}
            "window" => {
                rule.window = self
                    .document
                    .number(value, name, 0, WINDOW_LIMIT)
                    .unwrap_or(WINDOW_AFTER)
            }
            "keywords" => literals.plain = self.keywords(value, name),
            "base64" => literals.base64 = self.keywords(value, name),
            "utf16" => literals.utf16 = self.keywords(value, name),
            "nested" => literals.nested = self.keywords(value, name),
            "regex" => {
                let source = self.document.string(value, name);
                let at = value.span().start;
                if let Some(pattern) = self.regex(&source, at, name, &["secret", "key_id"]) {
                    rule.pattern = pattern;
                }
            }
            "checks" => rule.checks = self.checks(value).into(),
            "pairs_with" => rule.pairs_with = self.pairs_with(value),
            "allowlists" => rule.allowlists = self.allowlists(value).into(),
            "references" => rule.references = self.texts(value, name),
            "examples" => rule.examples = self.texts(value, name),
            "negative_examples" => rule.negative_examples = self.texts(value, name),
            "rotate" => rule.rotate = self.texts(value, name),
            _ => self.document.fault(key.span().start, name, "unknown key"),
        }
    }

    fn texts(&mut self, value: &Value<'_>, key: &str) -> Texts {
        let texts = self.document.strings(value, key);
        if texts.iter().any(|text| text.contains(Texts::END)) {
            self.document.fault(
                value.span().start,
                key,
                "may not hold the control character U+001E",
            );
        }
        texts.into_iter().collect()
    }

    fn keywords(&mut self, value: &Value<'_>, key: &str) -> Vec<String> {
        let keywords = self.document.strings(value, key);
        let DeValue::Array(items) = value.get_ref() else {
            return keywords;
        };
        if items.is_empty() {
            self.document.fault(
                value.span().start,
                key,
                "is empty: the rule could never match",
            );
        }
        for (at, (keyword, item)) in keywords.iter().zip(items.iter()).enumerate() {
            if !keyword.is_empty() && keyword.len() < SHORTEST_KEYWORD {
                self.document.fault(
                    item.span().start,
                    key,
                    format!("`{keyword}` is shorter than {SHORTEST_KEYWORD} bytes"),
                );
            }
            let covered = |other: &String| keyword.contains(other.as_str()) && !other.is_empty();
            if let Some(other) = keywords[..at].iter().find(|other| covered(other)) {
                self.document.fault(
                    item.span().start,
                    key,
                    format!("`{keyword}` is covered by `{other}`"),
                );
            }
        }
        keywords
    }

    /// Holds a regex against the group names that mean something: those of `groups`, of which it needs one if
    /// `secret` is among them. `None` if it cannot be used.
    fn regex(&mut self, source: &str, at: usize, key: &str, groups: &[&str]) -> Option<Pattern> {
        if source.is_empty() {
            return None;
        }
        let checked = match Pattern::check(source) {
            Ok(checked) => checked,
            Err(error) => {
                self.document.fault(at, key, regex_message(&error));
                return None;
            }
        };
        for name in &checked.groups {
            if !groups.contains(&name.as_str()) {
                self.document
                    .fault(at, key, format!("no group may be called `{name}`"));
            }
        }
        let is_known = |name: &String| groups.contains(&name.as_str());
        if groups.contains(&"secret") && !checked.groups.iter().any(is_known) {
            self.document.fault(at, key, "has no group (?P<secret>…)");
        }
        if checked.matches_nothing {
            self.document.fault(at, key, "matches the empty text");
        }
        Some(checked.pattern)
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

    fn pairs_with(&mut self, value: &Value<'_>) -> Option<PairsWith> {
        let DeValue::Table(table) = value.get_ref() else {
            self.document
                .wrong_type(value, "pairs_with", "a table: { regex = '…', lines = 5 }");
            return None;
        };
        let mut pairs_with = PairsWith {
            pattern: Pattern::builtin(""),
            lines: 0,
            optional: false,
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "regex" => {
                    let name = "pairs_with.regex";
                    let source = self.document.string(value, name);
                    let at = value.span().start;
                    if let Some(pattern) = self.regex(&source, at, name, &["key_id"]) {
                        pairs_with.pattern = pattern;
                    }
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

    fn allowlists(&mut self, value: &Value<'_>) -> Vec<Allowlist> {
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

    fn allowlist(&mut self, span: Range<usize>, table: &DeTable<'_>) -> Option<Allowlist> {
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
            let path = format!("allowlists.{name}");
            let source = self.document.string(value, &path);
            let pattern = self
                .regex(&source, value.span().start, &path, &[])
                .unwrap_or(Pattern::builtin(""));
            if looks.replace((subject, pattern)).is_some() {
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
        let (subject, pattern) = looks?;
        Some(Allowlist {
            subject,
            pattern,
            reason: reason?.into(),
        })
    }
}
