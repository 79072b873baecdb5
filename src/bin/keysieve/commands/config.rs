//! `keysieve config`: what is wrong with the configuration, and what is in force.

use std::fmt::Write as _;
use std::path::Path;

use keysieve::policy::config::Set;
use keysieve::policy::config::file::AllowText;
use keysieve::report::Format;
use regex::bytes::Regex;

use crate::args::{Common, ConfigArgs, ConfigCommand, FailOn};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::say;
use crate::run::{Faults, Found, Settings, disk_root, folders_source, on_disk, read_folders};
use crate::scanning::disk;

/// Runs the command.
pub(crate) fn run(command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Check(args) => check(args),
        ConfigCommand::Show(args) => show(args),
    }
}

fn load(args: &ConfigArgs) -> Result<(Common, Settings, Found), Failure> {
    let mut common = args.common.clone();
    if let Some(file) = &args.file {
        common.found.config = Some(file.clone());
    }
    let (root, paths) = disk_root(Path::new("."), &[])?;
    let sources = disk::sources(&root, paths);
    let settings = Settings::load(&common, &sources)?;
    let found = match folders_source(&common, &sources)? {
        Some(source) => {
            let folders = on_disk(&root)?;
            read_folders(source, folders, &settings.rules, Faults::Refuse)?
        }
        None => Found::default(),
    };
    Ok((common, settings, found))
}

fn check(args: &ConfigArgs) -> Result<Exit, Failure> {
    match load(args) {
        Ok((_, settings, found)) => {
            let mut said = settings.loaded_from;
            said.extend(found.said());
            say(&match said.is_empty() {
                true => "there is no configuration and no baseline\n".to_owned(),
                false => format!("{}: nothing is wrong\n", said.join(", ")),
            })?;
            Ok(Exit::Clean)
        }
        Err(failure) if failure.is_faults() => {
            failure.print();
            Ok(Exit::Findings)
        }
        Err(failure) => Err(failure),
    }
}

fn show(args: &ConfigArgs) -> Result<Exit, Failure> {
    let (line, settings, found) = load(args)?;
    let mut page = Page {
        name: settings.config_name.clone().unwrap_or_default(),
        text: String::new(),
    };
    let (file, common) = (&settings.file, &settings.common);
    let name = settings.config_name.as_deref().unwrap_or("none");
    page.line(&format!("# configuration: {name}"));
    let fail_on = common.fail_on.unwrap_or(FailOn::Error);
    let fail_on = fail_on.level().map_or("never", |level| level.name());
    page.value(
        "fail-on",
        &quoted(fail_on),
        line.fail_on.is_some(),
        file.fail_on.as_ref(),
    );
    let format = common.format.unwrap_or(Format::Text).name();
    page.value(
        "format",
        &quoted(format),
        line.format.is_some(),
        file.format.as_ref(),
    );
    for (key, value, on_line, set) in [
        (
            "show-notes",
            common.show_notes,
            line.show_notes,
            &file.show_notes,
        ),
        ("quiet", common.quiet, line.quiet, &file.quiet),
        (
            "no-progress",
            common.no_progress,
            line.no_progress,
            &file.no_progress,
        ),
        ("no-ignore", is_on(&file.no_ignore), false, &file.no_ignore),
        ("follow", is_on(&file.follow), false, &file.follow),
    ] {
        page.value(key, &value.to_string(), on_line, set.as_ref());
    }
    let threads = common.threads.map(|count| count as u64);
    page.number(
        "threads",
        threads,
        line.threads.is_some(),
        file.threads.as_ref(),
    );
    let size = |set: &Option<Set<u64>>| set.as_ref().map(|set| set.value);
    page.number(
        "max-file-size",
        size(&file.max_file_size),
        false,
        file.max_file_size.as_ref(),
    );
    page.number(
        "max-object-size",
        size(&file.max_object_size),
        false,
        file.max_object_size.as_ref(),
    );
    let reasons = line.allow_incomplete.iter().map(|reason| reason.name());
    let set = file
        .allow_incomplete
        .iter()
        .map(|set| (set.line, set.value.name()));
    page.list("allow-incomplete", reasons, set);
    page.list(
        "exclude",
        line.exclude.iter().map(String::as_str),
        texts(&file.exclude),
    );
    let rules: Vec<String> = line
        .rules
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    page.list(
        "rule-files",
        rules.iter().map(String::as_str),
        texts(&file.rule_files),
    );
    page.line("\n[rules]");
    page.list("disable", [], texts(&file.disable));
    let only = file.enable_only.as_deref().unwrap_or_default();
    if !line.only.is_empty() || file.enable_only.is_some() {
        page.list(
            "enable-only",
            line.only.iter().map(String::as_str),
            texts(only),
        );
    }
    for (rule, level) in &file.levels {
        let key = format!("level.{}", rule.value);
        page.value(&key, &quoted(level.name()), false, Some(rule));
    }
    for allow in &file.allow {
        page.allow(allow);
    }
    for (name, file) in found.files {
        page.name = name;
        let head = format!("\n# adds below its folder: {}", page.name);
        page.line(&head);
        page.list("exclude", [], texts(&file.exclude));
        for allow in &file.allow {
            page.allow(allow);
        }
    }
    let baseline = match &settings.baseline {
        Some(baseline) => format!("\n# baseline: {} entries", baseline.len()),
        None => "\n# baseline: none".to_owned(),
    };
    page.line(&baseline);
    say(&page.text)?;
    Ok(Exit::Clean)
}

fn is_on(set: &Option<Set<bool>>) -> bool {
    set.as_ref().is_some_and(|set| set.value)
}

fn texts(sets: &[Set<String>]) -> impl Iterator<Item = (usize, &str)> {
    sets.iter().map(|set| (set.line, set.value.as_str()))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The settings in force, each value followed by its place.
struct Page {
    name: String,
    text: String,
}

impl Page {
    fn line(&mut self, text: &str) {
        writeln!(self.text, "{text}").expect("a string takes all writes");
    }

    fn allow(&mut self, allow: &AllowText) {
        let head = format!("\n[[allow]]  # {}:{}", self.name, allow.line);
        self.line(&head);
        let patterns = |regexes: &[Regex]| -> Vec<String> {
            regexes.iter().map(|it| it.as_str().to_owned()).collect()
        };
        let rules = allow.rules.iter().map(|set| set.value.clone());
        for (key, conditions) in [
            ("paths", allow.paths.clone()),
            ("secrets", patterns(&allow.secrets)),
            ("key-ids", patterns(&allow.key_ids)),
            ("rules", rules.collect()),
        ] {
            if !conditions.is_empty() {
                let conditions: Vec<String> = conditions.iter().map(|it| quoted(it)).collect();
                self.line(&format!("{key} = [{}]", conditions.join(", ")));
            }
        }
        self.line(&format!("reason = {}", quoted(&allow.reason)));
    }

    fn value<T>(&mut self, key: &str, value: &str, is_on_line: bool, set: Option<&Set<T>>) {
        let from = match set {
            _ if is_on_line => "command line".to_owned(),
            Some(set) => format!("{}:{}", self.name, set.line),
            None => "default".to_owned(),
        };
        let left = format!("{key} = {value}");
        self.line(&format!("{left:<40} # {from}"));
    }

    fn number<T>(&mut self, key: &str, value: Option<u64>, on_line: bool, set: Option<&Set<T>>) {
        match value {
            Some(value) => self.value(key, &value.to_string(), on_line, set),
            None => {
                let left = format!("# {key} is not set");
                self.line(&format!("{left:<40} # default"));
            }
        }
    }

    /// Lists add up: first what the command line names, then what the file does.
    fn list<'v>(
        &mut self,
        key: &str,
        line: impl IntoIterator<Item = &'v str>,
        file: impl IntoIterator<Item = (usize, &'v str)>,
    ) {
        let name = self.name.clone();
        let line = line
            .into_iter()
            .map(|value| (value, "command line".to_owned()));
        let file = file
            .into_iter()
            .map(|(number, value)| (value, format!("{name}:{number}")));
        let items: Vec<(&str, String)> = line.chain(file).collect();
        if items.is_empty() {
            let left = format!("{key} = []");
            return self.line(&format!("{left:<40} # default"));
        }
        self.line(&format!("{key} = ["));
        for (value, from) in items {
            let left = format!("  {},", quoted(value));
            self.line(&format!("{left:<40} # {from}"));
        }
        self.line("]");
    }
}
