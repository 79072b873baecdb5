//! Settings of this run: the command line, then the configuration, then the defaults of the program.
//!
//! Which configuration and baseline a command uses, design and documentation say: what is about to be committed
//! for `staged`, the base of a range, else the disk. The library is handed names and texts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use keysieve::level::Level;
use keysieve::policy::baseline::{self, Baseline};
use keysieve::policy::config::discover::{FILE_NAME, root_of};
use keysieve::policy::config::{self, ConfigFile};
use keysieve::policy::{Allow, Allowlist, Exceptions, Globs};
use keysieve::report::Format;
use keysieve::rule::RuleSet;
use keysieve::rule::compile::RuleSource;
use keysieve::text::document::Fault;
use keysieve::text::paths::Base;

use super::reader::{Reader, SettingsSource, read_named};
use crate::args::Common;
use crate::failure::{Failure, Kind};
use crate::rules;

/// Places in which a command looks for configuration and baseline.
pub(crate) struct SettingsSources<'r> {
    /// Without `--config-from`.
    pub(crate) usual: SettingsSource<'r>,
    /// The state before the change, for commands that know one.
    pub(crate) base: Option<SettingsSource<'r>>,
    /// The state after the change, for commands that know one.
    pub(crate) head: Option<SettingsSource<'r>>,
    /// Base against which paths in the configuration are matched.
    pub(crate) paths: Base,
}

/// Everything that decides what counts.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The command line with the configuration behind it.
    pub(crate) common: Common,
    /// The configuration as written.
    pub(crate) file: ConfigFile,
    /// Name of the configuration; `None` if there is none.
    pub(crate) config_name: Option<String>,
    /// All rules, switched on or not: all of them redact.
    pub(crate) rules: RuleSet,
    /// The rules whose findings are reported; `None` for all.
    pub(crate) only: Option<BTreeSet<String>>,
    /// Levels that are not the rule's own.
    pub(crate) levels: BTreeMap<String, Level>,
    /// Exceptions that the configuration accepts.
    pub(crate) allowlist: Allowlist,
    /// Exceptions of the configuration before the change.
    pub(crate) before: Exceptions,
    /// Paths that the configuration excludes.
    pub(crate) excludes: Globs,
    /// The way from paths as they are shown to those below the root.
    pub(crate) paths: Base,
    /// Accepted findings.
    pub(crate) baseline: Option<Baseline>,
    /// For people: which files counted.
    pub(crate) loaded_from: Vec<String>,
}

/// Returns the place of the folders' configurations; `None` if they do not count: the user names another file, or none,
/// or there is no repository, and so no owner of all of them.
pub(crate) fn folders_source<'r>(
    common: &Common,
    sources: &SettingsSources<'r>,
) -> Result<Option<SettingsSource<'r>>, Failure> {
    if named_config(common).is_some() || common.found.no_config {
        return Ok(None);
    }
    let place = place(common, sources, true)?;
    let is_plain = matches!(place, SettingsSource::Disk(root) if !root.join(".git").exists());
    Ok((!is_plain).then_some(place))
}

impl Settings {
    /// Reads configuration, rules and baseline. All their faults are reported at once.
    pub(crate) fn load(common: &Common, sources: &SettingsSources<'_>) -> Result<Self, Failure> {
        let named = named_config(common);
        let place = place(common, sources, named.is_none())?;
        let reader = Reader::open(place)?;
        let config = match &named {
            Some(path) => Some(read_named(path, "configuration")?),
            None if common.found.no_config => None,
            None => reader.text(FILE_NAME.into(), place)?,
        };
        let mut faults = Vec::new();
        let mut loaded_from = Vec::new();
        let mut file = ConfigFile::default();
        if let Some(text) = &config {
            let (read, found) = ConfigFile::parse(&text.name, &text.text);
            check_format(&text.name, &read, &mut faults);
            (file, loaded_from) = (read, vec![text.loaded_from.clone()]);
            faults.extend(found);
        }
        let config_name = config.map(|text| text.name);
        let from = named.as_deref().map(Path::parent);
        let rules = load_rules(common, &file, &reader, from, &mut faults)?;
        if let (Some(rules), Some(name)) = (&rules, &config_name) {
            faults.extend(file.unknown_rules(name, |id| rules.index_of(id).is_some()));
        }
        let baseline = load_baseline(common, &reader, place, &mut loaded_from, &mut faults)?;
        let Some(rules) = rules.filter(|_| faults.is_empty()) else {
            faults.sort();
            return Err(Failure::of(Kind::Faults, &config::Error(faults)));
        };
        rules::check_ids(&rules, &common.only)?;
        let changed = sources
            .base
            .filter(|_| named.is_none() && !common.found.no_config);
        let before = match changed.map(|base| before(base)) {
            Some(Ok(before)) => before,
            // Where it cannot be read nothing counts as known: everything is new.
            Some(Err(_)) => everything(),
            None => exceptions(&file)?,
        };
        Ok(Self {
            before,
            common: overlaid(common, &file),
            config_name,
            only: only(common, &file, &rules),
            levels: file
                .levels
                .iter()
                .map(|(rule, level)| (rule.value.clone(), *level))
                .collect(),
            allowlist: allowlist(&file)?,
            excludes: excludes(&file)?,
            paths: sources.paths.clone(),
            rules,
            file,
            baseline,
            loaded_from,
        })
    }
}

/// SettingsSources of a scan of the disk: those of the repository around `path`, or of the directory itself. `named` are all
/// paths that are scanned.
pub(crate) fn disk_root(path: &Path, named: &[PathBuf]) -> Result<(PathBuf, Base), Failure> {
    let fail = |error| {
        let message = format!("cannot read {}", path.display());
        Failure::new(Kind::System, message, error)
    };
    let root = root_of(path).map_err(fail)?;
    let current = std::env::current_dir().and_then(std::fs::canonicalize);
    let current = current
        .map_err(|error| Failure::new(Kind::System, "there is no current directory", error))?;
    let base = Base::Directory {
        current,
        root: root.clone(),
        named: named.iter().filter_map(|path| real(path)).collect(),
    };
    Ok((root, base))
}

/// A path as reports show it, with the one that it leads to. What is not there leads nowhere.
fn real(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let real = std::fs::canonicalize(path).ok()?;
    let shown = path.strip_prefix(".").unwrap_or(path);
    Some((shown.to_owned(), real))
}

/// The configuration that the user names: on the command line, else in the environment.
pub(crate) fn named_config(common: &Common) -> Option<PathBuf> {
    let found = &common.found;
    let is_file = |path: &&PathBuf| !matches!(path.to_str(), Some("base" | "head"));
    let on_line = found
        .config
        .as_ref()
        .or(found.config_from.as_ref().filter(is_file));
    let from_environment = || {
        let value = std::env::var_os("KEYSIEVE_CONFIG").filter(|value| !value.is_empty());
        value
            .filter(|_| !found.no_config && found.config_from.is_none())
            .map(PathBuf::from)
    };
    on_line.cloned().or_else(from_environment)
}

fn place<'r>(
    common: &Common,
    sources: &SettingsSources<'r>,
    is_found: bool,
) -> Result<SettingsSource<'r>, Failure> {
    let wanted = match common.found.config_from.as_deref().and_then(Path::to_str) {
        Some("base") if is_found => sources.base,
        Some("head") if is_found => sources.head,
        _ => return Ok(sources.usual),
    };
    wanted.ok_or_else(|| {
        Failure::bare(
            Kind::Usage,
            "--config-from base and head are for what lies between two commits",
        )
        .hint("name a file: --config FILE")
    })
}

/// The command line where it says something, else the configuration.
fn overlaid(common: &Common, file: &ConfigFile) -> Common {
    let mut common = common.clone();
    let on = |set: &Option<config::Set<bool>>| set.as_ref().is_some_and(|set| set.value);
    common.fail_on = common
        .fail_on
        .or(file.fail_on.as_ref().map(|set| set.value.into()));
    common.format = common.format.or(file
        .format
        .as_ref()
        .and_then(|set| Format::from_name(&set.value)));
    common.threads = common
        .threads
        .or(file.threads.as_ref().map(|set| set.value));
    common.show_notes |= on(&file.show_notes);
    common.quiet |= on(&file.quiet);
    common.no_progress |= on(&file.no_progress);
    let reasons = file.allow_incomplete.iter().map(|set| set.value);
    common.allow_incomplete.extend(reasons);
    let globs = file.exclude.iter().map(|set| set.value.clone());
    common.exclude.extend(globs);
    common
}

/// Returns the rules that report: those of the command line, else those that the configuration leaves on; `None` for
/// all.
fn only(common: &Common, file: &ConfigFile, rules: &RuleSet) -> Option<BTreeSet<String>> {
    if !common.only.is_empty() {
        return Some(common.only.iter().cloned().collect());
    }
    if file.enable_only.is_none() && file.disable.is_empty() {
        return None;
    }
    let mut only: BTreeSet<String> = match &file.enable_only {
        Some(ids) => ids.iter().map(|set| set.value.clone()).collect(),
        None => rules.rules.iter().map(|rule| rule.id.to_string()).collect(),
    };
    for disabled in &file.disable {
        only.remove(&disabled.value);
    }
    Some(only)
}

/// All findings, so that nothing that was there before counts as known.
pub(crate) fn everything() -> Exceptions {
    let allowlist = Allowlist::new(vec![Allow::default()]);
    Exceptions {
        allowlist: allowlist.expect("an entry without patterns has no wrong one"),
        ..Exceptions::default()
    }
}

pub(crate) fn allowlist(file: &ConfigFile) -> Result<Allowlist, Failure> {
    let entries = file.allow.iter().map(|allow| Allow {
        paths: allow.paths.clone(),
        secrets: allow.secrets.clone(),
        key_ids: allow.key_ids.clone(),
        rules: allow.rules.iter().map(|set| set.value.clone()).collect(),
        reason: allow.reason.clone(),
    });
    Allowlist::new(entries.collect())
        .map_err(|error| Failure::new(Kind::Config, "cannot use the paths of [[allow]]", error))
}

fn exceptions(file: &ConfigFile) -> Result<Exceptions, Failure> {
    Ok(Exceptions {
        excludes: vec![excludes(file)?],
        allowlist: allowlist(file)?,
        ..Exceptions::default()
    })
}

/// Returns the exceptions of the configuration at `base`. Its faults were reported when it was in force; a broken one
/// is taken to except everything.
pub(crate) fn before(base: SettingsSource<'_>) -> Result<Exceptions, Failure> {
    let text = Reader::open(base)?.text(FILE_NAME.into(), base)?;
    match text.map(|text| ConfigFile::parse(&text.name, &text.text)) {
        None => Ok(Exceptions::default()),
        Some((file, faults)) if faults.is_empty() => exceptions(&file),
        Some(_) => Ok(everything()),
    }
}

pub(crate) fn excludes(file: &ConfigFile) -> Result<Globs, Failure> {
    let globs = file.exclude.iter().map(|set| set.value.as_str());
    Globs::new(globs).map_err(|error| Failure::of(Kind::Config, &error))
}

fn check_format(name: &str, file: &ConfigFile, faults: &mut Vec<Fault>) {
    if let Some(format) = &file.format
        && !format.value.is_empty()
        && Format::from_name(&format.value).is_none()
    {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        faults.push(Fault {
            file: name.to_owned(),
            line: format.line,
            key: "format".to_owned(),
            message: format!("should be of {}", names.join(", ")),
        });
    }
}

/// The built-in rules, those of the configuration and those of the command line; `None` if some have faults.
///
/// `named` is the directory of a configuration that the user named: its rule files lie on the disk beside it.
fn load_rules(
    common: &Common,
    file: &ConfigFile,
    reader: &Reader<'_>,
    named: Option<Option<&Path>>,
    faults: &mut Vec<Fault>,
) -> Result<Option<RuleSet>, Failure> {
    if file.rule_files.is_empty() && common.rules.is_empty() {
        return Ok(Some(RuleSet::builtin()));
    }
    let mut texts = Vec::new();
    for set in &file.rule_files {
        let path = set.value.trim_start_matches("./");
        let found = match named {
            Some(dir) => Some(read_named(
                &dir.unwrap_or(Path::new("")).join(path),
                "rule file",
            )?),
            None => reader.text(path.into(), SettingsSource::Nowhere)?,
        };
        match found {
            Some(found) => texts.push((found.name, found.text)),
            None => faults.push(Fault {
                file: FILE_NAME.to_owned(),
                line: set.line,
                key: "rule-files".to_owned(),
                message: format!("there is no file {path} beside the configuration"),
            }),
        }
    }
    for path in &common.rules {
        let found = read_named(path, "rule file")?;
        texts.push((found.name, found.text));
    }
    let sources: Vec<RuleSource<'_>> = texts
        .iter()
        .map(|(name, text)| RuleSource { name, text })
        .collect();
    match RuleSet::load(&sources) {
        Ok(rules) => Ok(Some(rules)),
        Err(keysieve::rule::Error::Faults(found)) => {
            faults.extend(found);
            Ok(None)
        }
        Err(error) => Err(Failure::of(Kind::Config, &error)),
    }
}

fn load_baseline(
    common: &Common,
    reader: &Reader<'_>,
    place: SettingsSource<'_>,
    loaded_from: &mut Vec<String>,
    faults: &mut Vec<Fault>,
) -> Result<Option<Baseline>, Failure> {
    let found = match &common.found.baseline {
        _ if common.found.no_baseline => None,
        Some(path) => Some(read_named(path, "baseline")?),
        None => reader.text(baseline::FILE_NAME.into(), place)?,
    };
    let Some(found) = found else { return Ok(None) };
    loaded_from.push(found.loaded_from);
    match Baseline::parse(&found.name, &found.text) {
        Ok(baseline) => Ok(Some(baseline)),
        Err(more) => {
            faults.extend(more);
            Ok(None)
        }
    }
}
