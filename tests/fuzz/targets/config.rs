//! Configuration files: faults with their line, or settings that can be used, whatever the spelling.

use keysieve::policy::config::ConfigFile;
use keysieve::policy::{Allow, Allowlist, Globs};
use keysieve::source::worktree::Exclude;

use super::rules::told;

/// Reads an input as a configuration.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (file, faults) = ConfigFile::parse("f", text);
    if !faults.is_empty() {
        told(text, &faults);
    }
    let unknown = file.unknown_rules("f", |id| id.starts_with("aws-"));
    if !unknown.is_empty() {
        told(text, &unknown);
    }
    used(&file);
    let table: Result<toml::Table, _> = text.parse();
    let has_syntax_fault = faults.iter().any(|fault| fault.key == "syntax");
    let Ok(table) = table else {
        return;
    };
    assert!(!has_syntax_fault, "{faults:?}");
    // The same values, written in the one way of the serialiser, are the same settings.
    let Ok(spelled) = toml::to_string(&table) else {
        return;
    };
    let (again, faults_again) = ConfigFile::parse("f", &spelled);
    let messages = |faults: &[keysieve::text::document::Fault]| -> Vec<String> {
        let mut all: Vec<String> = faults
            .iter()
            .map(|fault| format!("{}: {}", fault.key, fault.message))
            .collect();
        all.sort();
        all
    };
    assert_eq!(messages(&faults), messages(&faults_again), "{spelled}");
    assert_eq!(without_lines(&file), without_lines(&again), "{spelled}");
}

/// Settings read without a fault of their own can be compiled.
fn used(file: &ConfigFile) {
    let globs = || file.exclude.iter().map(|set| set.value.as_str());
    Globs::new(globs()).expect("patterns that were checked");
    Exclude::new(globs()).expect("patterns that were checked");
    let entries = file.allow.iter().map(|allow| Allow {
        paths: allow.paths.clone(),
        secrets: allow.secrets.clone(),
        key_ids: allow.key_ids.clone(),
        rules: allow.rules.iter().map(|set| set.value.clone()).collect(),
        reason: allow.reason.clone(),
    });
    Allowlist::new(entries.collect()).expect("patterns that were checked");
    for set in &file.rule_files {
        let path = std::path::Path::new(&set.value);
        assert!(path.is_relative() && !set.value.split('/').any(|part| part == ".."));
    }
}

/// The settings for comparison. Keys may have changed their order: tables come last when they are written.
fn without_lines(file: &ConfigFile) -> String {
    let mut file = file.clone();
    let sets = file
        .disable
        .iter_mut()
        .chain(file.enable_only.iter_mut().flatten())
        .chain(&mut file.exclude)
        .chain(&mut file.rule_files)
        .chain(file.format.iter_mut())
        .chain(file.levels.iter_mut().map(|(set, _)| set))
        .chain(file.allow.iter_mut().flat_map(|allow| &mut allow.rules));
    sets.for_each(|set| set.line = 0);
    let flags = [
        &mut file.show_notes,
        &mut file.no_ignore,
        &mut file.follow,
        &mut file.quiet,
        &mut file.no_progress,
    ];
    flags.into_iter().flatten().for_each(|set| set.line = 0);
    let sizes = [&mut file.max_file_size, &mut file.max_object_size];
    sizes.into_iter().flatten().for_each(|set| set.line = 0);
    file.fail_on.iter_mut().for_each(|set| set.line = 0);
    file.threads.iter_mut().for_each(|set| set.line = 0);
    file.allow_incomplete
        .iter_mut()
        .for_each(|set| set.line = 0);
    file.allow.iter_mut().for_each(|allow| allow.line = 0);
    format!("{file:?}")
}
