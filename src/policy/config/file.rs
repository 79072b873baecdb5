//! A configuration file as a person writes it, and everything that is wrong with it.

use std::path::{Component, Path};

use ignore::gitignore::GitignoreBuilder;
use regex::bytes::{Regex, RegexBuilder};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{FailOn, Set, acceptable_reasons, parse_size};
use crate::coverage::SkipReason;
use crate::level::Level;
use crate::text::document::{Fault, Reader, Value, closest, regex_message};

/// The most threads that make sense.
const MOST_THREADS: usize = 1024;

/// The keys of the root, of `[rules]` and of `[[allow]]`, for those who misspell one.
const KEYS: &[&str] = &[
    "fail-on",
    "format",
    "show-notes",
    "no-ignore",
    "follow",
    "quiet",
    "no-progress",
    "threads",
    "max-file-size",
    "max-object-size",
    "allow-incomplete",
    "exclude",
    "rule-files",
    "rules",
    "allow",
];
/// The keys of a folder below the root.
const FOLDER_KEYS: &[&str] = &["exclude", "allow"];
const RULES_KEYS: &[&str] = &["disable", "enable-only", "level"];
const ALLOW_KEYS: &[&str] = &["paths", "secrets", "key-ids", "rules", "reason"];

/// Long options that a file may not set, with the reason.
const NOT_HERE: &[(&str, &str)] = &[
    (
        "show-secrets",
        "secrets are shown only when the command line asks",
    ),
    (
        "report",
        "a file that is written is named on the command line only",
    ),
    ("only", "write enable-only in [rules]"),
    ("rules-file", "write rule-files"),
    ("color", "is for the command line and the environment"),
    (
        "baseline",
        "the file is .keysieve-baseline, or what --baseline names",
    ),
    ("config", "a configuration does not name another one"),
];

/// Settings of a configuration file; those it does not set are `None` or empty.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    /// `fail-on`: the least level that makes a run fail.
    pub fail_on: Option<Set<FailOn>>,
    /// `format`: the name of a format of report; the program knows which there are.
    pub format: Option<Set<String>>,
    /// `show-notes`.
    pub show_notes: Option<Set<bool>>,
    /// `no-ignore`: scan what ignore rules name as well.
    pub no_ignore: Option<Set<bool>>,
    /// `follow`: follow symbolic links.
    pub follow: Option<Set<bool>>,
    /// `quiet`.
    pub quiet: Option<Set<bool>>,
    /// `no-progress`.
    pub no_progress: Option<Set<bool>>,
    /// `threads`.
    pub threads: Option<Set<usize>>,
    /// `max-file-size`, in bytes.
    pub max_file_size: Option<Set<u64>>,
    /// `max-object-size`, in bytes.
    pub max_object_size: Option<Set<u64>>,
    /// `allow-incomplete`.
    pub allow_incomplete: Vec<Set<SkipReason>>,
    /// `exclude`: paths that are not read, in the syntax of `.gitignore`.
    pub exclude: Vec<Set<String>>,
    /// `rule-files`: paths below the file's own directory, with `/`.
    pub rule_files: Vec<Set<String>>,
    /// `rules.disable`.
    pub disable: Vec<Set<String>>,
    /// `rules.enable-only`.
    pub enable_only: Option<Vec<Set<String>>>,
    /// `[rules.level]`.
    pub levels: Vec<(Set<String>, Level)>,
    /// `[[allow]]`.
    pub allow: Vec<AllowText>,
}

/// One `[[allow]]`: findings that do not count, with the reason.
#[derive(Clone, Debug, Default)]
pub struct AllowText {
    /// The line on which it begins.
    pub line: usize,
    /// Paths, in the syntax of `.gitignore`.
    pub paths: Vec<String>,
    /// Regexes on the secret.
    pub secrets: Vec<Regex>,
    /// Regexes on the key id.
    pub key_ids: Vec<Regex>,
    /// Rules.
    pub rules: Vec<Set<String>>,
    /// Reason why it is harmless.
    pub reason: String,
}

impl ConfigFile {
    /// Reads a configuration file. What can be read is given along with the faults, so that the caller can add
    /// those that only it can see.
    pub fn parse(name: &str, text: &str) -> (Self, Vec<Fault>) {
        let mut reader = Reader::new(name, text);
        let mut file = Self::default();
        if let Some(root) = reader.parse() {
            for (key, value) in root.get_ref() {
                file.key(&mut reader, key.span().start, key.get_ref(), value);
            }
        }
        (file, reader.faults)
    }

    /// Reads the configuration of a folder below the root, which may only add exceptions there.
    ///
    /// With `is_root` the folder is the root of another repository: its other keys, and their faults, are left to scans
    /// of that repository.
    pub fn parse_folder(name: &str, text: &str, is_root: bool) -> (Self, Vec<Fault>) {
        let mut reader = Reader::new(name, text);
        let mut file = Self::default();
        if let Some(root) = reader.parse() {
            for (key, value) in root.get_ref() {
                let (at, key) = (key.span().start, key.get_ref().as_ref());
                if FOLDER_KEYS.contains(&key) {
                    file.key(&mut reader, at, key, value);
                } else if KEYS.contains(&key) && !is_root {
                    let why = "counts at the root of the repository only; below it there are exclude and allow";
                    reader.fault(at, key, why);
                } else if !is_root {
                    unknown_key(&mut reader, at, key, FOLDER_KEYS);
                }
            }
        }
        match is_root && !reader.faults.is_empty() {
            true => (Self::default(), Vec::new()),
            false => (file, reader.faults),
        }
    }

    /// Returns a fault for each name that is not a rule's.
    pub fn unknown_rules(&self, name: &str, is_rule: impl Fn(&str) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut look = |key: &str, set: &Set<String>| {
            if !is_rule(&set.value) {
                faults.push(Fault {
                    file: name.to_owned(),
                    line: set.line,
                    key: key.to_owned(),
                    message: format!("there is no rule '{}'", set.value),
                });
            }
        };
        for set in &self.disable {
            look("rules.disable", set);
        }
        for set in self.enable_only.iter().flatten() {
            look("rules.enable-only", set);
        }
        for (set, _) in &self.levels {
            look("rules.level", set);
        }
        for set in self.allow.iter().flat_map(|allow| &allow.rules) {
            look("allow.rules", set);
        }
        faults
    }

    fn key(&mut self, reader: &mut Reader<'_>, at: usize, name: &str, value: &Value<'_>) {
        let line = reader.line(value.span().start);
        match name {
            "fail-on" => self.fail_on = fail_on(reader, value).map(|value| Set { value, line }),
            "format" => {
                let value = reader.string(value, name);
                self.format = Some(Set { value, line });
            }
            "show-notes" => self.show_notes = flag(reader, value, name),
            "no-ignore" => self.no_ignore = flag(reader, value, name),
            "follow" => self.follow = flag(reader, value, name),
            "quiet" => self.quiet = flag(reader, value, name),
            "no-progress" => self.no_progress = flag(reader, value, name),
            "threads" => {
                let value = reader.number(value, name, 1, MOST_THREADS);
                self.threads = value.map(|value| Set { value, line });
            }
            "max-file-size" => self.max_file_size = size(reader, value, name),
            "max-object-size" => self.max_object_size = size(reader, value, name),
            "allow-incomplete" => self.allow_incomplete = reasons(reader, value),
            "exclude" => self.exclude = globs(reader, value, name),
            "rule-files" => self.rule_files = rule_files(reader, value),
            "rules" => self.rules(reader, value),
            "allow" => self.allow(reader, value),
            _ => {
                let why = NOT_HERE.iter().find(|(key, _)| *key == name);
                match why {
                    Some((_, why)) => reader.fault(at, name, *why),
                    None => unknown_key(reader, at, name, KEYS),
                }
            }
        }
    }

    fn rules(&mut self, reader: &mut Reader<'_>, value: &Value<'_>) {
        let DeValue::Table(table) = value.get_ref() else {
            return reader.wrong_type(value, "rules", "a table: [rules]");
        };
        "rules".clone_into(&mut reader.within);
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "disable" => self.disable = names(reader, value, "disable"),
                "enable-only" => self.enable_only = Some(names(reader, value, "enable-only")),
                "level" => self.levels(reader, value),
                other => unknown_key(reader, key.span().start, other, RULES_KEYS),
            }
        }
        reader.within.clear();
    }

    fn levels(&mut self, reader: &mut Reader<'_>, value: &Value<'_>) {
        let DeValue::Table(table) = value.get_ref() else {
            return reader.wrong_type(value, "level", "a table: [rules.level]");
        };
        for (key, value) in table {
            let rule = key.get_ref().to_string();
            let line = reader.line(key.span().start);
            let name = format!("level.{rule}");
            let text = reader.string(value, &name);
            match Level::from_name(&text) {
                Some(level) => self.levels.push((Set { value: rule, line }, level)),
                None if text.is_empty() => {}
                None => reader.fault(
                    value.span().start,
                    &name,
                    format!("should be error, warning or note, not '{text}'"),
                ),
            }
        }
    }

    fn allow(&mut self, reader: &mut Reader<'_>, value: &Value<'_>) {
        let DeValue::Array(items) = value.get_ref() else {
            return reader.wrong_type(value, "allow", "a list of tables: [[allow]]");
        };
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    "allow".clone_into(&mut reader.within);
                    let allow = allow(reader, item, table);
                    self.allow.push(allow);
                    reader.within.clear();
                }
                _ => reader.wrong_type(item, "allow", "a table"),
            }
        }
    }
}

fn unknown_key(reader: &mut Reader<'_>, at: usize, name: &str, keys: &[&str]) {
    let message = match closest(name, keys.iter().copied()) {
        Some(key) => format!("unknown key; there is {key}"),
        None => "unknown key".to_owned(),
    };
    reader.fault(at, name, message);
}

fn allow(reader: &mut Reader<'_>, item: &Value<'_>, table: &DeTable<'_>) -> AllowText {
    let at = item.span().start;
    let mut allow = AllowText {
        line: reader.line(at),
        ..AllowText::default()
    };
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "paths" => {
                let globs = globs(reader, value, "paths").into_iter();
                allow.paths = globs.map(|set| set.value).collect();
            }
            "secrets" => allow.secrets = regexes(reader, value, "secrets"),
            "key-ids" => allow.key_ids = regexes(reader, value, "key-ids"),
            "rules" => allow.rules = names(reader, value, "rules"),
            "reason" => allow.reason = reader.string(value, "reason"),
            other => unknown_key(reader, key.span().start, other, ALLOW_KEYS),
        }
    }
    if table.get("reason").is_none() {
        reader.fault(at, "reason", "missing");
    }
    let conditions = ["paths", "secrets", "key-ids", "rules"];
    if !conditions.iter().any(|key| table.get(*key).is_some()) {
        reader.fault(at, "", "needs paths, secrets, key-ids or rules");
    }
    for key in conditions {
        let is_empty = |value: &Spanned<DeValue<'_>>| matches!(value.get_ref(), DeValue::Array(items) if items.is_empty());
        // An empty list would be a condition that always holds.
        if let Some(value) = table.get(key).filter(|value| is_empty(value)) {
            reader.fault(value.span().start, key, "is empty");
        }
    }
    allow
}

fn fail_on(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<FailOn> {
    let text = reader.string(value, "fail-on");
    let found = FailOn::from_name(&text);
    if found.is_none() && !text.is_empty() {
        let message = format!("should be error, warning, note or never, not '{text}'");
        reader.fault(value.span().start, "fail-on", message);
    }
    found
}

fn flag(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Option<Set<bool>> {
    let line = reader.line(value.span().start);
    reader.bool(value, key).map(|value| Set { value, line })
}

fn size(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Option<Set<u64>> {
    let line = reader.line(value.span().start);
    let found = match value.get_ref() {
        // Signed, because `-0` is a way to write 0.
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .ok()
            .and_then(|number| u64::try_from(number).ok()),
        DeValue::String(text) => parse_size(text),
        _ => None,
    };
    if found.is_none() {
        let message = "should be a number of bytes, or a text such as \"64K\", \"10M\" or \"2G\"";
        reader.fault(value.span().start, key, message);
    }
    found.map(|value| Set { value, line })
}

fn reasons(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<Set<SkipReason>> {
    let key = "allow-incomplete";
    let mut reasons = Vec::new();
    for (at, text) in reader.strings_with_places(value, key) {
        let line = reader.line(at);
        match acceptable_reasons().find(|reason| reason.name() == text) {
            Some(value) => reasons.push(Set { value, line }),
            None => {
                let names: Vec<&str> = acceptable_reasons().map(SkipReason::name).collect();
                let names = names.join(", ");
                reader.fault(at, key, format!("should be of {names}, not '{text}'"));
            }
        }
    }
    reasons
}

fn globs(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Vec<Set<String>> {
    let mut globs = Vec::new();
    for (at, text) in reader.strings_with_places(value, key) {
        let line = reader.line(at);
        match GitignoreBuilder::new("").add_line(None, &text) {
            Ok(_) => globs.push(Set { value: text, line }),
            Err(error) => reader.fault(at, key, glob_message(&text, &error)),
        }
    }
    globs
}

fn glob_message(text: &str, error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => format!("not a pattern: '{text}': {err}"),
        other => format!("not a pattern: '{text}': {other}"),
    }
}

fn regexes(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Vec<Regex> {
    let mut regexes = Vec::new();
    for (at, text) in reader.strings_with_places(value, key) {
        match RegexBuilder::new(&text).size_limit(4 << 20).build() {
            Ok(regex) if regex.is_match(b"") => {
                reader.fault(at, key, "matches the empty text, and so everything");
            }
            Ok(regex) => regexes.push(regex),
            Err(error) => reader.fault(at, key, regex_message(&error)),
        }
    }
    regexes
}

fn names(reader: &mut Reader<'_>, value: &Value<'_>, key: &str) -> Vec<Set<String>> {
    let names = reader.strings_with_places(value, key).into_iter();
    names
        .map(|(at, value)| Set {
            line: reader.line(at),
            value,
        })
        .collect()
}

/// Rule files lie below the configuration: nothing leads out of a repository.
fn rule_files(reader: &mut Reader<'_>, value: &Value<'_>) -> Vec<Set<String>> {
    let key = "rule-files";
    let mut files = Vec::new();
    for (at, text) in reader.strings_with_places(value, key) {
        let line = reader.line(at);
        let is_below = !text.contains(['\\', '\0'])
            && Path::new(&text)
                .components()
                .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if is_below {
            files.push(Set { value: text, line });
        } else {
            let what = "should be a path below the configuration, with / between its parts";
            reader.fault(at, key, format!("{what}, not '{text}'"));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_file_is_read_with_its_lines() {
        let (file, faults) = ConfigFile::parse(
            "c",
            "fail-on = 'warning'\nexclude = ['*.min.js',\n  '/vendor/']\nmax-file-size = '10M'\nmax-object-size = 512\n\
             threads = 2\nallow-incomplete = ['shallow']\nrule-files = ['rules/a.toml']\n\
             [rules]\ndisable = ['a-b']\nlevel = { c-d = 'note' }\n\
             [[allow]]\npaths = ['tests/']\nsecrets = ['^x+$']\nreason = 'made up'\n",
        );
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(
            file.fail_on,
            Some(Set {
                value: FailOn::Level(Level::Warning),
                line: 1
            })
        );
        let lines: Vec<usize> = file.exclude.iter().map(|set| set.line).collect();
        assert_eq!(lines, [2, 3]);
        assert_eq!(file.max_file_size.unwrap().value, 10 << 20);
        assert_eq!(file.max_object_size.unwrap().value, 512);
        assert_eq!(file.levels[0].1, Level::Note);
        assert_eq!((file.allow[0].line, file.allow[0].secrets.len()), (12, 1));
    }

    #[test]
    fn a_size_is_a_whole_number_however_it_is_written() {
        let size = |text: &str| {
            let (file, faults) = ConfigFile::parse("c", &format!("max-file-size = {text}\n"));
            (file.max_file_size.map(|set| set.value), faults.len())
        };
        for (text, bytes) in [
            ("-0", 0),
            ("+5", 5),
            ("0x1F", 31),
            ("1_000", 1000),
            ("'2K'", 2048),
        ] {
            assert_eq!(size(text), (Some(bytes), 0), "{text}");
        }
        for text in ["-1", "1.0", "'-1'", "18446744073709551616"] {
            assert_eq!(size(text), (None, 1), "{text}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once_with_line_and_key() {
        let (file, faults) = ConfigFile::parse(
            "c",
            "fail-on = 'fatal'\nfail_on = 'error'\nthreads = 0\nquiet = 'yes'\nmax-file-size = '1T'\n\
             exclude = ['a[z-a]', 5]\nallow-incomplete = ['signal']\nshow-secrets = true\n\
             rule-files = ['/etc/x', '../x', 'ok.toml']\n\
             [rules]\ndisabled = []\ndisable = 'x'\n[rules.level]\nx-y = 'bad'\n\
             [[allow]]\nsecrets = ['(']\n[[allow]]\nreason = 'r'\n[[allow]]\npaths = []\nreason = 'r'\n\
             [[allow]]\nsecrets = ['a*']\nreason = 'r'\n",
        );
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let expected = [
            "c:1: fail-on: should be",
            "c:2: fail_on: unknown key; there is fail-on",
            "c:3: threads: should be 1 to",
            "c:4: quiet: should be true or false, is string",
            "c:5: max-file-size: should be a number of bytes",
            "c:6: exclude: not a pattern: 'a[z-a]': ",
            "c:6: exclude: should be a string",
            "c:7: allow-incomplete: should be of",
            "c:8: show-secrets: secrets are shown only",
            "c:9: rule-files: should be a path below",
            "c:9: rule-files: should be a path below",
            "c:11: rules.disabled: unknown key; there is disable",
            "c:12: rules.disable: should be a list of strings",
            "c:14: rules.level.x-y: should be",
            "c:16: allow.secrets: unclosed group",
            "c:15: allow.reason: missing",
            "c:17: allow: needs",
            "c:20: allow.paths: is empty",
            "c:23: allow.secrets: matches the empty text",
        ];
        for start in expected {
            assert!(
                told.iter().any(|it| it.starts_with(start)),
                "{start}: {told:#?}"
            );
        }
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        assert_eq!(file.rule_files.len(), 1);
    }

    #[test]
    fn rules_that_do_not_exist_are_told() {
        let (file, _) = ConfigFile::parse(
            "c",
            "[rules]\ndisable = ['a', 'b']\nenable-only = ['c']\n[[allow]]\nrules = ['d']\nreason = 'r'\n",
        );
        let faults = file.unknown_rules("c", |id| id == "a");
        let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 3, 5]);
    }
}
