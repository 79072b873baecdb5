//! The disk: directories, files, standard input.

use std::path::{Path, PathBuf};

use keysieve::finding::Located;
use keysieve::policy::config::Set;
use keysieve::source::stdin::Stdin;
use keysieve::source::submodules;
use keysieve::source::worktree::{Exclude, Options, Worktree};
use keysieve::text::paths::Base;

use crate::args::{ScanArgs, Walk};
use crate::failure::Failure;
use crate::run::{Met, Run, Settings, SettingsSource, SettingsSources, folders_source};

/// Splits the paths into standard input, as often as it is named, and all others.
pub(crate) fn targets(args: &ScanArgs) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let paths = args.paths.iter().cloned();
    paths.partition(|path| path == Path::new("-"))
}

/// Scans the paths of the command line.
///
/// `root` is the directory that the patterns of the configuration begin at.
pub(crate) fn collect(run: &Run, args: &ScanArgs, root: &Path) -> Result<Located, Failure> {
    let (stdin, roots) = targets(args);
    let source = folders_source(run.common(), &sources(root, Base::Root))?;
    let folders = source.map(|_| Met::below(root));
    let mut scanner = run.scanner();
    if !roots.is_empty() {
        let is_root = |path: &PathBuf| std::fs::canonicalize(path).is_ok_and(|it| it == root);
        let at_root = roots.iter().all(is_root);
        let worktree = Worktree {
            roots,
            options: Options {
                own: folders.as_ref().map(Met::own),
                ..options(args.walk, &args.common.exclude, run.settings(), at_root)?
            },
        };
        worktree.scan(&mut scanner)?;
    }
    if !stdin.is_empty() {
        let mut source = Stdin {
            max_size: max_file_size(args.walk, run.settings()),
            ..Stdin::default()
        };
        if let Some(name) = &args.path {
            source.path = name.as_str().into();
        }
        source.scan(&mut scanner)?;
    }
    if let Some(folders) = folders {
        folders.check()?;
    }
    let mut scanned = scanner.into_inner().finish();
    let look = match args.recurse_submodules {
        true => submodules::Look::Asked {
            respect_ignore: respects_ignore(args.walk, run.settings()),
        },
        false => submodules::Look::Names,
    };
    for skip in submodules::not_checked_out(root, &args.paths, look) {
        scanned.skip(skip);
    }
    Ok(run.in_place(scanned))
}

/// Returns the places of the settings for a scan of the disk.
pub(crate) fn sources(root: &Path, paths: Base) -> SettingsSources<'_> {
    SettingsSources {
        usual: SettingsSource::Disk(root),
        base: None,
        head: None,
        paths,
    }
}

/// Returns the options of the walk.
///
/// `at_root` says that the walk begins where the patterns of the configuration do. Elsewhere an anchored one would
/// name another directory: those are left to what is done with the findings afterwards.
pub(crate) fn options(
    walk: Walk,
    exclude: &[String],
    settings: &Settings,
    at_root: bool,
) -> Result<Options, Failure> {
    let configured = || settings.file.exclude.iter().map(|set| set.value.as_str());
    let is_free = |glob: &str| !glob.starts_with('!') && !glob.trim_end_matches('/').contains('/');
    let mut globs: Vec<&str> = exclude.iter().map(String::as_str).collect();
    if at_root || configured().all(is_free) {
        globs.extend(configured());
    }
    Ok(Options {
        respect_ignore: respects_ignore(walk, settings),
        follow: walk.follow || is_on(&settings.file.follow),
        threads: settings.common.threads,
        max_file_size: max_file_size(walk, settings),
        exclude: Exclude::new(globs)?,
        own: None,
    })
}

fn respects_ignore(walk: Walk, settings: &Settings) -> bool {
    !walk.no_ignore && !is_on(&settings.file.no_ignore)
}

fn is_on(set: &Option<Set<bool>>) -> bool {
    set.as_ref().is_some_and(|set| set.value)
}

fn max_file_size(walk: Walk, settings: &Settings) -> Option<u64> {
    let configured = settings.file.max_file_size.as_ref();
    walk.max_file_size.or(configured.map(|set| set.value))
}
