//! `keysieve history --range`: what commits add.

use gix::ObjectId;
use keysieve::git::repository::Repository;
use keysieve::git::revision::Range;

use crate::args::HistoryArgs;
use crate::ci::{self, Choice};
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_line};
use crate::scanning::range::{self, RangeScan};
use crate::scanning::repository::{first_commit, parse_range};
use crate::scanning::selection;

/// Runs the command.
pub(crate) fn run(
    repository: &Repository,
    args: &HistoryArgs,
    ranges: Vec<Vec<Range>>,
) -> Result<Exit, Failure> {
    range::run(&RangeScan {
        base: base_of(repository, &ranges),
        selection: selection::of_history(repository, args)?,
        max_object_size: args.max_object_size,
        all: args.limits.all,
        ..RangeScan::new(repository, ranges, &args.common)
    })
}

/// The ranges that the command line asks for; `None` if it asks for none, or if there is no reason to
/// leave anything out.
pub(crate) fn asked(
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
            ranges.push(parse_range(repository, spec.as_str().into())?);
            continue;
        }
        match automatic(repository, args.common.quiet)? {
            Some(range) => ranges.push(range),
            None => return Ok(None),
        }
    }
    for commit in &limits.since_commit {
        let spec = format!("{commit}..HEAD");
        ranges.push(parse_range(repository, spec.as_str().into())?);
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
            Choice::Range { spec, why } => match parse_range(repository, spec.as_str().into()) {
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
fn base_of(repository: &Repository, ranges: &[Vec<Range>]) -> Option<ObjectId> {
    let ranges = ranges.iter().flatten();
    let left_out = ranges.flat_map(|range| &range.exclude).copied();
    first_commit(repository, left_out)
}
