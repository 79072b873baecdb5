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
use keysieve::git::revision::{self, Range};
use keysieve::policy::Selection;
use keysieve::source::history::MAX_OBJECT_SIZE;
use keysieve::source::range::{self, Options};
use keysieve::text::paths::{Base, folders_above};

use super::advice::{self, Push, Stopped};
use super::deadline::Limit;
use super::push::first_commit;
use super::staged;
use crate::args::{Common, HistoryArgs};
use crate::ci::{self, Choice};
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error, print_line};
use crate::reader::Place;
use crate::session::{ExcludeIn, Session, Success};
use crate::settings::Places;

/// The ranges to scan, with options.
pub(super) struct Job<'a> {
    pub(super) repository: &'a Repository,
    /// Looked at one after the other. What one leaves out, another may bring in.
    pub(super) ranges: Vec<Vec<Range>>,
    /// The commit whose settings count: nobody disarms the scan in the push that adds the key.
    pub(super) base: Option<ObjectId>,
    /// The paths that findings are asked for.
    pub(super) selection: Option<Selection>,
    pub(super) common: &'a Common,
    pub(super) max_object_size: Option<u64>,
    /// Report what was there before as well.
    pub(super) all: bool,
    /// The hook that would stop the push; `None` outside of hooks.
    pub(super) stopped: Option<Stopped>,
    /// The end of the allowed time.
    pub(super) limit: Option<&'a Limit>,
    pub(super) success: Success,
    /// The references, if they were read, and those that do not hold these commits yet and are about to.
    pub(super) references: Option<Vec<Named>>,
}

impl<'a> Job<'a> {
    /// The least that a job is.
    pub(super) fn new(
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
            success: Success::Report,
            references: None,
        }
    }
}

/// The ranges that the command line asks for; `None` if it asks for none, or if there is no reason to
/// leave anything out.
pub(super) fn asked(
    repository: &Repository,
    args: &HistoryArgs,
) -> Result<Option<Vec<Vec<Range>>>, Failure> {
    let limits = &args.limits;
    if limits.range.is_empty() && limits.since_commit.is_empty() {
        return Ok(None);
    }
    let mut ranges = Vec::new();
    for spec in &limits.range {
        if spec != "auto" {
            ranges.push(parse(repository, spec.as_str().into())?);
            continue;
        }
        match automatic(repository, args.common.quiet)? {
            Some(range) => ranges.push(range),
            None => return Ok(None),
        }
    }
    for commit in &limits.since_commit {
        let spec = format!("{commit}..HEAD");
        ranges.push(parse(repository, spec.as_str().into())?);
    }
    // `^A` goes with all the others.
    let (ranges, left_out): (Vec<Range>, Vec<Range>) = ranges
        .into_iter()
        .partition(|range| !range.include.is_empty());
    if ranges.is_empty() {
        return Err(Failure::bare(
            Kind::Usage,
            "the ranges leave something out and name nothing to look at",
        )
        .hint("name a range such as origin/main..HEAD"));
    }
    // Those that leave out the same may be taken together, and nothing is counted twice.
    let mut groups: Vec<Vec<Range>> = Vec::new();
    for range in ranges {
        let is_alike = |group: &&mut Vec<Range>| group.iter().all(|it| it.exclude == range.exclude);
        match groups.iter_mut().find(is_alike) {
            Some(group) => group.push(range),
            None => groups.push(vec![range]),
        }
    }
    for group in &mut groups {
        group.extend(left_out.iter().cloned());
    }
    Ok(Some(groups))
}

/// The range that the environment of a CI system speaks of, and says which that is. `None`: everything.
fn automatic(repository: &Repository, quiet: bool) -> Result<Option<Range>, Failure> {
    let choices = ci::choices(|name| std::env::var(name).ok())?;
    let last = choices.len() - 1;
    for (index, choice) in choices.into_iter().enumerate() {
        let said = |what: &str| {
            if !quiet {
                print_line(&format!("note: --range auto: {what}"));
            }
        };
        match choice {
            Choice::Everything { why } => {
                said(&format!("the whole history, {why}"));
                return Ok(None);
            }
            Choice::Range { spec, why } => match parse(repository, spec.as_str().into()) {
                Ok(range) => {
                    said(&format!("{spec}, {why}"));
                    return Ok(Some(range));
                }
                Err(failure) if index == last => return Err(failure),
                // A push that was forced has taken its base away.
                Err(_) => said(&format!("not {spec}, which is not in this clone")),
            },
        }
    }
    Ok(None)
}

/// The commit before the ranges: the first that they leave out.
pub(super) fn base_of(repository: &Repository, ranges: &[Vec<Range>]) -> Option<ObjectId> {
    let ranges = ranges.iter().flatten();
    let left_out = ranges.flat_map(|range| &range.exclude).copied();
    first_commit(repository, left_out)
}

/// Resolves a range as typed.
pub(super) fn parse(repository: &Repository, spec: &BStr) -> Result<Range, Failure> {
    revision::parse_range(repository, spec).map_err(failed)
}

/// Converts an error in the selection of commits.
pub(super) fn failed(error: revision::Error) -> Failure {
    let (kind, hint) = match &error {
        revision::Error::Unknown {
            is_shallow: true, ..
        } => (
            Kind::Usage,
            Some(
                "fetch the whole history: git fetch --unshallow, or in CI a checkout with fetch-depth: 0",
            ),
        ),
        revision::Error::Unknown { .. } => (
            Kind::Usage,
            Some("is it fetched? git rev-parse tells what a revision stands for"),
        ),
        revision::Error::NoLeftSide { .. } => (
            Kind::Usage,
            Some("was a variable empty? Where HEAD is meant, write HEAD"),
        ),
        revision::Error::NoCommit { .. } => (Kind::Usage, None),
        _ => (Kind::System, None),
    };
    // What the resolver of revisions said is the same in more and stranger words.
    let failure = match &error {
        revision::Error::Unknown { .. } => Failure::bare(kind, error.to_string()),
        _ => Failure::of(kind, &error),
    };
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Scans what the ranges add.
pub(super) fn run(job: &Job<'_>) -> Result<Exit, Failure> {
    let at =
        |id: Option<ObjectId>| id.map_or(Place::Nowhere, |id| Place::Commit(job.repository, id));
    let ranges = job.ranges.iter().flatten();
    let tips: Vec<ObjectId> = ranges.flat_map(|range| &range.include).copied().collect();
    let places = Places {
        usual: at(job.base),
        base: Some(at(job.base)),
        head: Some(at(first_commit(job.repository, tips.iter().copied()))),
        paths: Base::Root,
    };
    let mut session = Session::start(job.common, &places, "objects")?
        .on_success(job.success)
        .exclude_in(ExcludeIn::Findings)
        .select(job.selection.clone());
    if let Some(limit) = job.limit {
        limit.watch(&session.stop)?;
    }
    let mut introduced = Introduced::default();
    let mut scanned = Scanned::default();
    for ranges in &job.ranges {
        let part =
            introduced::introduced_until(job.repository, ranges, &session.stop).map_err(failed)?;
        scanned.add(scan(job, &mut session, &places, &part));
        introduced.join(part);
    }
    let located = locate(job, &session, &introduced, scanned);
    let is_empty = introduced.commits.is_empty() && introduced.blobs.is_empty();
    if is_empty && introduced.tags.is_empty() && job.success == Success::Report {
        return session.finish_nothing(located, "the range has no commits");
    }
    let is_for_people = session.common().is_for_people();
    let (judged, unused) = session.judge(located, &places)?;
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
        advice::of_push(push, &staged::blamed(&session, &judged), is_incomplete)
    });
    let skips = &judged.coverage().skips;
    let deadline = skips
        .iter()
        .find(|skip| skip.reason == SkipReason::Deadline);
    let unread = deadline.and_then(|skip| skip.detail.clone());
    let exit = session.report(judged, &unused)?;
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
    job: &Job<'_>,
    session: &mut Session,
    places: &Places<'_>,
    introduced: &Introduced,
) -> Scanned {
    let options = Options {
        threads: job
            .common
            .threads
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get)),
        max_object_size: job.max_object_size.unwrap_or(MAX_OBJECT_SIZE),
    };
    let mut scanner = session.scanner();
    // A signal shows in what the scanner gives.
    let _ = range::scan(job.repository, introduced, options, &mut scanner);
    let mut scanned = scanner.into_inner().finish();
    let mut base: Vec<&(BString, ObjectId)> = introduced.base.iter().collect();
    let over = || job.limit.filter(|limit| limit.is_over());
    let was_over = over();
    if let Some(limit) = was_over {
        limit.account(introduced, &mut scanned);
        // What was found by then is still held against what was there before, in the same files.
        session.stop.store(false, Ordering::Relaxed);
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
        session.look_before(places, Vec::new(), folders_above(paths));
        let mut scanner = session.scanner();
        let before = session.before();
        let excepted = |path: &BStr| before.name(path);
        let _ = range::scan_base(job.repository, base, excepted, options, &mut scanner);
        // What cannot be read of the base takes nothing away from the findings.
        scanned = scanned.new_only(scanner.into_inner().finish().known());
        if was_over.is_none() && over().is_some() {
            let detail = "what was found was not held against all that was there before";
            scanned.deadline(detail);
            session.stop.store(false, Ordering::Relaxed);
        }
    }
    scanned
}

/// Names places and commits, and what leads to them as long as there is time.
fn locate(job: &Job<'_>, session: &Session, introduced: &Introduced, scanned: Scanned) -> Located {
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
        session.stop.store(false, Ordering::Relaxed);
    }
    scanned.locate(located)
}
