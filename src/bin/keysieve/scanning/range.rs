//! Scan of added commits: for `keysieve history --range` and for the hooks of a push.

use std::borrow::Cow;
use std::collections::HashSet;
use std::num::NonZero;
use std::sync::atomic::Ordering;

use bstr::{BStr, BString};
use gix::ObjectId;
use keysieve::attribution;
use keysieve::attribution::range::{Locator, references};
use keysieve::coverage::SkipReason;
use keysieve::finding::{Located, Scanned};
use keysieve::git::introduced::{self, Introduced};
use keysieve::git::repository::{Named, Repository};
use keysieve::git::revision::Range;
use keysieve::policy::Selection;
use keysieve::source::history::MAX_OBJECT_SIZE;
use keysieve::source::range::{self, Options};
use keysieve::text::paths::{Base, folders_above};

use super::advice::{self, Push, Stopped};
use super::deadline::Limit;
use super::repository::first_commit;
use crate::args::Common;
use crate::exit::Exit;
use crate::failure::{Failure, print_error, print_line};
use crate::run::{ExcludeIn, Needs, Run, SettingsSource, SettingsSources, WhenClean};

/// The ranges to scan, with options.
pub(crate) struct RangeScan<'a> {
    pub(crate) repository: &'a Repository,
    /// Looked at one after the other. What one leaves out, another may bring in.
    pub(crate) ranges: Vec<Vec<Range>>,
    /// The commit whose settings count: nobody disarms the scan in the push that adds the key.
    pub(crate) base: Option<ObjectId>,
    /// The paths that findings are asked for.
    pub(crate) selection: Option<Selection>,
    pub(crate) common: &'a Common,
    pub(crate) max_object_size: Option<u64>,
    /// Report what was there before as well.
    pub(crate) all: bool,
    /// The hook that would stop the push; `None` outside of hooks.
    pub(crate) stopped: Option<Stopped>,
    /// The end of the allowed time.
    pub(crate) limit: Option<&'a Limit>,
    pub(crate) when_clean: WhenClean,
    /// The references, if they were read, and those that do not hold these commits yet and are about to.
    pub(crate) references: Option<Vec<Named>>,
}

impl<'a> RangeScan<'a> {
    /// The least that a job is.
    pub(crate) fn new(
        repository: &'a Repository,
        ranges: Vec<Vec<Range>>,
        common: &'a Common,
    ) -> Self {
        Self {
            repository,
            ranges,
            base: None,
            selection: None,
            common,
            max_object_size: None,
            all: false,
            stopped: None,
            limit: None,
            when_clean: WhenClean::Report,
            references: None,
        }
    }
}

/// Scans what the ranges add.
pub(crate) fn run(job: &RangeScan<'_>) -> Result<Exit, Failure> {
    let at = |id: Option<ObjectId>| {
        id.map_or(SettingsSource::Nowhere, |id| {
            SettingsSource::Commit(job.repository, id)
        })
    };
    let ranges = job.ranges.iter().flatten();
    let tips: Vec<ObjectId> = ranges.flat_map(|range| &range.include).copied().collect();
    let sources = SettingsSources {
        usual: at(job.base),
        base: Some(at(job.base)),
        head: Some(at(first_commit(job.repository, tips.iter().copied()))),
        paths: Base::Root,
    };
    let needs = Needs {
        when_clean: job.when_clean,
        exclude_in: ExcludeIn::Findings,
        is_whole: job.selection.is_none(),
        selection: job.selection.clone(),
        ..Needs::of("objects")
    };
    let mut run = Run::start(job.common, &sources, needs)?;
    if let Some(limit) = job.limit {
        limit.watch(run.stop())?;
    }
    let mut introduced = Introduced::default();
    let mut scanned = Scanned::default();
    for ranges in &job.ranges {
        let part = introduced::introduced_until(job.repository, ranges, run.stop())?;
        scanned.add(scan(job, &mut run, &sources, &part));
        introduced.join(part);
    }
    let located = locate(job, &run, &introduced, scanned);
    let is_empty = introduced.commits.is_empty() && introduced.blobs.is_empty();
    if is_empty && introduced.tags.is_empty() && job.when_clean == WhenClean::Report {
        return run.finish_nothing(located, "the range has no commits");
    }
    let is_for_people = run.common().is_for_people();
    let (judged, unused) = run.judge(located, &sources)?;
    let advice = job.stopped.filter(|_| is_for_people).map(|by| {
        let found = &job.common.found;
        let push = Push {
            repository: job.repository,
            by,
            base: job.base,
            tip: first_commit(job.repository, tips),
            is_chosen: found.config.is_some() || found.config_from.is_some() || found.no_config,
        };
        let is_incomplete = !judged.coverage().is_complete();
        advice::of_push(push, &advice::blamed(&run, &judged), is_incomplete)
    });
    let skips = &judged.coverage().skips;
    let deadline = skips
        .iter()
        .find(|skip| skip.reason == SkipReason::Deadline);
    let unread = deadline.and_then(|skip| skip.detail.clone());
    let exit = run.report(judged, &unused)?;
    if let (Exit::Clean, Some(unread)) = (exit, unread) {
        print_line(&format!(
            "warning: keysieve let this push pass without all of it: {unread}"
        ));
    }
    if let (true, Some(advice)) = (exit != Exit::Clean, advice) {
        print_error(&advice);
    }
    Ok(exit)
}

/// Scans what one part of the ranges adds, and takes out what was there before.
fn scan(
    job: &RangeScan<'_>,
    run: &mut Run,
    sources: &SettingsSources<'_>,
    introduced: &Introduced,
) -> Scanned {
    let options = Options {
        threads: job
            .common
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get)),
        max_object_size: job.max_object_size.unwrap_or(MAX_OBJECT_SIZE),
    };
    let mut scanner = run.scanner();
    // A signal shows in what the scanner gives.
    let _ = range::scan(job.repository, introduced, options, &mut scanner);
    let mut scanned = scanner.into_inner().finish();
    let mut base: Vec<&(BString, ObjectId)> = introduced.base.iter().collect();
    let over = || job.limit.filter(|limit| limit.is_over());
    let was_over = over();
    if let Some(limit) = was_over {
        limit.account(introduced, &mut scanned);
        // What was found by then is still held against what was there before, in the same files.
        run.stop().store(false, Ordering::Relaxed);
        let objects = scanned.objects();
        let found = objects.iter().filter_map(|id| introduced.blobs.get(id));
        let paths: HashSet<&BString> = found.flatten().map(|place| &place.path).collect();
        base.retain(|(path, _)| paths.contains(path));
    }
    for skip in introduced.skips.clone() {
        scanned.skip(skip);
    }
    if !job.all && !scanned.findings().is_empty() {
        let paths = introduced.base.iter().map(|(path, _)| path.as_ref());
        run.look_before(sources, Vec::new(), folders_above(paths));
        let mut scanner = run.scanner();
        let before = run.before();
        let excepted = |path: &BStr| before.name(path);
        let _ = range::scan_base(job.repository, base, excepted, options, &mut scanner);
        // What cannot be read of the base takes nothing away from the findings.
        scanned = scanned.new_only(scanner.into_inner().finish().known());
        if was_over.is_none() && over().is_some() {
            let detail = "what was found was not held against all that was there before";
            scanned.deadline(detail);
            run.stop().store(false, Ordering::Relaxed);
        }
    }
    scanned
}

/// Names places and commits, and what leads to them as long as there is time.
fn locate(job: &RangeScan<'_>, run: &Run, introduced: &Introduced, scanned: Scanned) -> Located {
    let objects = scanned.objects();
    let is_over = || job.limit.is_some_and(Limit::is_over);
    let located = match objects.is_empty() {
        true => attribution::Located::default(),
        false => {
            let mut skips = Vec::new();
            let references = match &job.references {
                Some(read) => Cow::Borrowed(read),
                None => Cow::Owned(references(job.repository, &mut skips)),
            };
            let locator = Locator::new(job.repository, introduced, &references, &is_over);
            let mut located = locator.locate(objects);
            located.skips.extend(skips);
            located
        }
    };
    if is_over() {
        run.stop().store(false, Ordering::Relaxed);
    }
    scanned.locate(located)
}
