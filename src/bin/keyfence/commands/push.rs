//! `keyfence hook run pre-push` and `pre-receive`: what a push brings in.

use std::io::Read as _;
use std::path::Path;

use gix::ObjectId;
use gix::objs::Kind::Commit;
use keyfence::gate::Base;
use keyfence::hook::refs::{RefError, parse_pushed, parse_received};
use keyfence::source::range::Range;
use keyfence::source::repository::Repository;

use super::scan::failed;
use super::staged::open;
use crate::args::{Common, PrePushArgs, PreReceiveArgs};
use crate::exit::Exit;
use crate::failure::{Failure, Kind, print_error};
use crate::session::{ExcludeIn, Session};
use crate::settings::{Place, Places};

const PUSH_ADVICE: &str = "hint: take the secret out of the commits that add it, for instance with\n      \
                           git rebase --interactive\n\
                           hint: rotate it if it was ever pushed\n";

/// Scans what `to` reaches and `from` does not.
pub(crate) fn between(from: &str, to: &str, common: &Common) -> Result<Exit, Failure> {
    let repository = open(Path::new("."))?;
    let gix = repository
        .gix()
        .map_err(|error| Failure::of(Kind::System, &error))?;
    let resolve = |name: &str| {
        gix.rev_parse_single(name)
            .map(gix::Id::detach)
            .map_err(|error| Failure::new(Kind::Usage, format!("no such revision: {name}"), error))
    };
    let commits = Commits {
        include: vec![resolve(to)?],
        exclude: vec![resolve(from)?],
        base: Some(resolve(&format!("{from}^{{commit}}"))?),
        head: Some(resolve(&format!("{to}^{{commit}}"))?),
    };
    scan(&repository, commits, common, PUSH_ADVICE)
}

/// Scans what the other side does not have, as far as this repository knows.
pub(crate) fn pre_push(args: &PrePushArgs) -> Result<Exit, Failure> {
    let pushed = parse_pushed(&read_stdin()?).map_err(not_references)?;
    let repository = open(Path::new("."))?;
    let known = format!("refs/remotes/{}/", args.remote);
    let mut exclude = tips(&repository, &known)?;
    exclude.extend(pushed.iter().filter_map(|pushed| pushed.remote_id));
    let include: Vec<ObjectId> = pushed.iter().filter_map(|pushed| pushed.local_id).collect();
    // What the other side has of the branch, else its default branch, else the branch that most have.
    let mut base = first_commit(&repository, pushed.iter().filter_map(|it| it.remote_id));
    for name in ["HEAD", "main", "master"] {
        base = match base {
            Some(base) => Some(base),
            None => first_commit(&repository, tips(&repository, &format!("{known}{name}"))?),
        };
    }
    let commits = Commits {
        base,
        head: first_commit(&repository, include.iter().copied()),
        include,
        exclude,
    };
    scan(&repository, commits, &args.common, PUSH_ADVICE)
}

/// Scans what no reference of this repository reaches yet; the objects are still in quarantine.
pub(crate) fn pre_receive(args: &PreReceiveArgs) -> Result<Exit, Failure> {
    let received = parse_received(&read_stdin()?).map_err(not_references)?;
    let repository = open(Path::new("."))?;
    let mut exclude = tips(&repository, "refs/")?;
    exclude.extend(received.iter().filter_map(|received| received.old_id));
    let include: Vec<ObjectId> = received
        .iter()
        .filter_map(|received| received.new_id)
        .collect();
    let commits = Commits {
        // The default branch as it was before: a new branch brings no settings of its own.
        base: repository
            .head_id()
            .map_err(|error| Failure::of(Kind::System, &error))?,
        head: first_commit(&repository, include.iter().copied()),
        include,
        exclude,
    };
    let advice = "hint: the push was refused and nothing of it is kept here; take the secret out of the\n      \
                  commits that add it, and push again\n\
                  hint: rotate it if it was ever pushed anywhere\n";
    scan(&repository, commits, &args.common, advice)
}

/// What is scanned, and which commits have settings.
struct Commits {
    include: Vec<ObjectId>,
    exclude: Vec<ObjectId>,
    /// Nobody disarms the scan in the push that adds the key: settings are those from before.
    base: Option<ObjectId>,
    head: Option<ObjectId>,
}

fn scan(
    repository: &Repository,
    commits: Commits,
    common: &Common,
    advice: &str,
) -> Result<Exit, Failure> {
    if commits.include.is_empty() {
        // References are deleted, or nothing is pushed at all.
        return Ok(Exit::Clean);
    }
    let at = |id: Option<ObjectId>| id.map_or(Place::Nowhere, |id| Place::Commit(repository, id));
    let places = Places {
        usual: at(commits.base),
        base: Some(at(commits.base)),
        head: Some(at(commits.head)),
        paths: Base::Root,
    };
    let mut session = Session::start(common, &places, "objects")?;
    session.is_whole = false;
    let (scanner, collector) = session.scanner(ExcludeIn::Scanner);
    let range = Range {
        repository,
        include: commits.include,
        exclude: commits.exclude,
    };
    let found = range.scan(scanner).map_err(failed)?;
    let mut outcome = collector.finish();
    outcome.take_known();
    let located = found
        .locate(repository, &outcome.objects())
        .map_err(failed)?;
    outcome.locate(located);
    let is_for_people = session.common().is_for_people();
    let exit = session.finish(outcome)?;
    if exit == Exit::Findings && is_for_people {
        print_error(advice);
    }
    Ok(exit)
}

/// The first of `ids` that is a commit of this repository.
fn first_commit(
    repository: &Repository,
    ids: impl IntoIterator<Item = ObjectId>,
) -> Option<ObjectId> {
    let is_commit =
        |id: &ObjectId| matches!(repository.objects().header(id), Ok(Some((Commit, _))));
    ids.into_iter().find(is_commit)
}

fn tips(repository: &Repository, prefix: &str) -> Result<Vec<ObjectId>, Failure> {
    repository
        .tips(prefix)
        .map_err(|error| Failure::of(Kind::System, &error))
}

fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(Kind::System, "cannot read standard input", error))?;
    Ok(bytes)
}

fn not_references(error: RefError) -> Failure {
    Failure::of(Kind::Usage, &error).hint("this command is run by Git, as a hook")
}
