//! Every object that a repository holds, or those that some of its references reach.

use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use bstr::BString;
use gix::ObjectId;
use keysieve::attribution::{self, Interrupted};
use keysieve::coverage::{Skip, SkipReason};
use keysieve::finding::{Located, Scanned};
use keysieve::git::odb::Database;
use keysieve::git::repository::Repository;
use keysieve::level::Level;
use keysieve::scan::EngineProbe;
use keysieve::source::Progress;
use keysieve::source::history::cache::Cache;
use keysieve::source::history::select::{self, Selected};
use keysieve::source::history::{History, MAX_OBJECT_SIZE};
use keysieve::source::modules::{Module, Modules};
use keysieve::source::submodules;
use keysieve::text::paths::Base;

use crate::args::{HistoryArgs, Limits};
use crate::date::{self, now};
use crate::failure::{Failure, Kind, print_line};
use crate::run::{Run, SettingsSource, SettingsSources};

/// Scans the objects of the repository, and those of its submodules on request.
pub(crate) fn collect(
    repository: &Repository,
    run: &Run,
    args: &HistoryArgs,
    progress: Arc<Progress>,
) -> Result<Located, Failure> {
    if !args.recurse_submodules {
        return collect_one(repository, run, args, progress, None);
    }
    let modules = Modules::of(repository);
    let below = |at: &[u8]| {
        let paths = modules.found.iter().map(|module| &module.path);
        paths
            .filter_map(|path| Some(path.strip_prefix(at)?.into()))
            .collect()
    };
    let outer = Some(below(b""));
    let mut located = collect_one(repository, run, args, Arc::clone(&progress), outer)?;
    for skip in modules.skips.iter().cloned() {
        located.skip(skip);
    }
    // The cache is the outer repository's.
    let args = HistoryArgs {
        limits: args.limits.clone(),
        connectivity: args.connectivity,
        max_object_size: args.max_object_size,
        ..HistoryArgs::of(args.common.clone())
    };
    for Module { path, repository } in &modules.found {
        let inner = Some(below(&[path.as_slice(), b"/"].concat()));
        let part = collect_one(repository, run, &args, Arc::clone(&progress), inner);
        match part {
            Ok(part) => located.add(part.in_submodule(path)),
            Err(failure) => {
                let detail = failure.in_one_line();
                let skip = Skip::with_detail(SkipReason::Unreadable, path.clone(), detail);
                located.skip(skip);
            }
        }
    }
    Ok(located)
}

/// Scans the objects of one repository and looks up the commits of findings. `looked_at` has the submodules that are
/// scanned too, if that was asked for.
fn collect_one(
    repository: &Repository,
    run: &Run,
    args: &HistoryArgs,
    progress: Arc<Progress>,
    looked_at: Option<Vec<BString>>,
) -> Result<Located, Failure> {
    let selected = selected(repository, &args.limits)?;
    let max_object_size = run.settings().file.max_object_size.as_ref();
    let max_object_size = args
        .max_object_size
        .or(max_object_size.map(|set| set.value));
    // What stands between source and findings are object ids: paths are known, and held against
    // `--exclude`, afterwards.
    let mut scanner = run.scanner();
    let probe = EngineProbe::new(
        Arc::clone(run.engine()),
        Arc::clone(run.stop()),
        run.limits().depth > 0,
    );
    let mut submodules = submodules::of_head(repository);
    let named = submodules.iter().map(|skip| skip.subject.clone());
    let mut history = History::of(repository)
        .without_submodules(named.chain(looked_at.iter().flatten().cloned()))
        .threads(run.common().threads.unwrap_or(0))
        .max_object_size(max_object_size.unwrap_or(MAX_OBJECT_SIZE))
        .connectivity(args.connectivity)
        .progress(progress);
    let cache = match &args.cache {
        Some(directory) => Some(cache(directory, repository, &history, run)?),
        None => None,
    };
    if let Some(cache) = &cache {
        history = history.cache(Arc::clone(cache));
    }
    let mut skips = Vec::new();
    let mut within = None;
    if let Some(selected) = selected {
        history = history.only(Arc::new(selected.objects));
        skips = selected.skips;
        // Those that are looked at, and those of which it is said that they are not here.
        if let Some(looked_at) = &looked_at {
            skips.retain(|skip| {
                let is_it = |other: &BString| *other == skip.subject;
                skip.reason != SkipReason::Submodule
                    || !(looked_at.iter().any(is_it)
                        || submodules.iter().any(|named| is_it(&named.subject)))
            });
        }
        within = Some(selected.tips);
    }
    if looked_at.is_some() {
        submodules.retain(|skip| skip.reason != SkipReason::Submodule);
    }
    let objects = history
        .scan(&mut scanner, Some(&probe))
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let mut scanned = scanner.into_inner().finish();
    if let (Some(cache), Some(unclean)) = (&cache, scanned.unclean())
        && let Err(error) = cache.save(&unclean)
    {
        // The next scan takes longer; this one has done what was asked.
        print_line(&format!("warning: the cache was not written: {error}"));
    }
    for skip in skips.into_iter().chain(submodules) {
        scanned.skip(skip);
    }
    Ok(locate(repository, objects, run, within.as_deref(), scanned))
}

/// Opens the record of objects that earlier scans with the same settings found clean.
fn cache(
    directory: &Path,
    repository: &Repository,
    history: &History,
    run: &Run,
) -> Result<Arc<Cache>, Failure> {
    let place = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let place = place.canonicalize().unwrap_or(place);
    let is_inside = [repository.git_dir(), repository.common_dir()]
        .iter()
        .any(|inside| place.starts_with(inside.canonicalize().unwrap_or(inside.to_path_buf())));
    if is_inside {
        let message = "the cache would be written into the repository that is scanned";
        return Err(Failure::bare(Kind::Usage, message).hint("name a directory outside of it"));
    }
    let only = run.settings().only.iter().flatten();
    let mut settings: Vec<&[u8]> = only.map(String::as_bytes).collect();
    settings.push(run.engine().rules().hash().as_bytes());
    let limits = run.limits().key();
    settings.push(&limits);
    Ok(Arc::new(Cache::open(directory, history, &settings)))
}

/// Returns the selected part of the history; `None` for everything, unreachable objects included.
fn selected(repository: &Repository, limits: &Limits) -> Result<Option<Selected>, Failure> {
    let since = match &limits.since {
        Some(text) => Some(date::parse(text, now()?).ok_or_else(|| {
            Failure::bare(Kind::Usage, format!("--since: {text:?} is no date"))
                .hint("write a date such as 2024-05-31, or a length of time such as 30d or 2 weeks")
        })?),
        None => None,
    };
    if !limits.reachable && limits.branch.is_empty() && since.is_none() {
        return Ok(None);
    }
    let tips = if limits.branch.is_empty() {
        select::all_tips(repository)
    } else {
        let names: Vec<BString> = limits
            .branch
            .iter()
            .map(|name| name.as_str().into())
            .collect();
        select::branch_tips(repository, &names)
    };
    let tips = tips?;
    Ok(Some(select::reachable_objects(repository, &tips, since)))
}

/// Settings come from the disk of a work tree, else from `HEAD`.
pub(crate) fn sources(repository: &Repository) -> SettingsSources<'_> {
    // What is wrong with it the scan tells, and the status is then 2. A bare repository is without settings.
    let head = repository.head_id().ok().flatten();
    let head = head.map_or(SettingsSource::Nowhere, |id| {
        SettingsSource::Commit(repository, id)
    });
    SettingsSources {
        usual: repository.work_dir().map_or(head, SettingsSource::Disk),
        base: None,
        head: Some(head),
        paths: Base::Root,
    }
}

/// Looks up who brought the findings in. Without notes in the report, nobody asks where those come from.
fn locate(
    repository: &Repository,
    objects: Database,
    run: &Run,
    within: Option<&[ObjectId]>,
    mut scanned: Scanned,
) -> Located {
    let common = run.common();
    let is_asked = |level: Level| {
        level > Level::Note
            || common.show_notes
            || !common.exclude.is_empty()
            || run.is_selective()
            || common.fail_on() == Some(Level::Note)
    };
    if !scanned
        .findings()
        .iter()
        .any(|finding| is_asked(finding.level))
        && scanned.unread().is_empty()
    {
        return scanned.without_paths();
    }
    let threads = common
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    let options = attribution::Options {
        threads,
        stop: run.stop(),
        within,
        stage: &|_| (),
    };
    match attribution::locate_after(repository, Some(objects), &scanned.objects(), options) {
        Ok(located) => scanned.locate(located),
        // The findings are worth more without their commits than not at all; the run says that it was cut short.
        Err(Interrupted) => {
            scanned.interrupted();
            scanned.without_paths()
        }
    }
}
