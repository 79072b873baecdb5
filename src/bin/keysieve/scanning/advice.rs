//! Advice after a stopped push, spelled out with the commits and files at fault.

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice as _;
use gix::ObjectId;
use gix::objs::Kind::Commit;
use keysieve::finding::{Finding, Judged, Place};
use keysieve::git::repository::Repository;
use keysieve::policy::baseline;
use keysieve::policy::config::discover::FILE_NAME;
use keysieve::provenance::ObjectKind;
use keysieve::report::escape;
use keysieve::source::snapshot::Snapshot;

use crate::run::Run;

/// Commits that are named; of more, the first.
const COMMITS: usize = 3;

/// The hook that stopped a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// This program, as Git's hook.
    Hook,
    /// A framework, which says so itself.
    Framework,
    /// The server: the commits are to be changed elsewhere.
    Server,
}

/// Facts about the push.
#[derive(Clone, Copy)]
pub(crate) struct Push<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) by: Stopped,
    /// The commit whose configuration and baseline counted.
    pub(crate) base: Option<ObjectId>,
    /// The first commit that is pushed.
    pub(crate) tip: Option<ObjectId>,
    /// True if the user chose which configuration counts.
    pub(crate) is_chosen: bool,
}

/// A commit that added a secret.
struct Fault<'a> {
    id: ObjectId,
    rank: u32,
    files: BTreeSet<&'a bstr::BStr>,
    /// All of it is in `HEAD` still: a commit on top can be folded into this one.
    in_head: bool,
    is_message: bool,
}

/// The lines below the report; `is_incomplete` if not all could be read.
pub(crate) fn of_push(push: Push<'_>, blamed: &[&Finding], is_incomplete: bool) -> String {
    let mut text = match push.by {
        Stopped::Hook => "error: keysieve stopped this push\n",
        Stopped::Server => "error: keysieve refused this push; nothing of it is kept here\n",
        Stopped::Framework => "",
    }
    .to_owned();
    if is_incomplete && blamed.is_empty() {
        return text;
    }
    let faults = faults(blamed);
    text.push_str(&cure(push, &faults));
    let rule = blamed.first().map_or("RULE", |finding| &finding.rule);
    let line = match faults.iter().all(|fault| fault.is_message) {
        true => String::new(),
        false => format!(
            "; if it is no secret, write on its line, in that commit:\n      keysieve:allow {rule} REASON"
        ),
    };
    text.push_str(&format!("hint: rotate it if it was ever pushed{line}\n"));
    text.push_str(&settings(push));
    text
}

/// The findings that make a run fail.
pub(crate) fn blamed<'j>(run: &Run, judged: &'j Judged) -> Vec<&'j Finding> {
    let fails_from = run.common().fail_on();
    let findings = judged.findings().iter();
    findings.filter(|it| it.fails(fails_from)).collect()
}

fn faults<'a>(blamed: &[&'a Finding]) -> Vec<Fault<'a>> {
    let mut faults: BTreeMap<ObjectId, Fault<'a>> = BTreeMap::new();
    for place in blamed.iter().flat_map(|finding| &finding.places) {
        let Some(commit) = &place.commit else {
            continue;
        };
        // A tag's message is the tag's fault, and of no commit.
        let id = match place.object {
            Some((ObjectKind::Tag, id)) => id,
            _ => commit.commit_id,
        };
        let fault = faults.entry(id).or_insert_with(|| Fault {
            id,
            rank: commit.rank,
            files: BTreeSet::new(),
            in_head: true,
            is_message: true,
        });
        let is_message = is_message(place);
        if !is_message {
            fault.files.insert(place.path.as_ref());
        }
        fault.is_message &= is_message;
        fault.in_head &= commit.in_head && !is_message;
    }
    let mut faults: Vec<Fault<'a>> = faults.into_values().collect();
    faults.sort_by_key(|fault| (fault.rank, fault.id));
    faults
}

fn is_message(place: &Place) -> bool {
    matches!(
        place.object,
        Some((ObjectKind::Commit | ObjectKind::Tag, _))
    )
}

/// Returns the steps that remove the secret from the commits that add it.
fn cure(push: Push<'_>, faults: &[Fault<'_>]) -> String {
    let Some(oldest) = faults.first() else {
        return "hint: take the secret out of what is pushed, and push again\n".to_owned();
    };
    let header = push.repository.objects().header(&oldest.id);
    if !matches!(header, Ok(Some((Commit, _)))) {
        return "hint: make the tag again, without the secret:\n      git tag --annotate --force TAG\n"
            .to_owned();
    }
    let from = match is_root(push.repository, oldest.id) {
        true => "--root".to_owned(),
        false => format!("{}^", short(oldest.id)),
    };
    let names = faults.iter().take(COMMITS).map(|fault| short(fault.id));
    let names: Vec<String> = names.collect();
    let more = match faults.len().saturating_sub(COMMITS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let names = format!("{}{more}", names.join(", "));
    let here = match push.by {
        Stopped::Server => ", where you pushed from",
        _ => "",
    };
    if faults.len() <= COMMITS && faults.iter().all(|fault| fault.in_head) {
        let mut text = format!(
            "hint: take the secret out, then fold that into the commit which added it ({names}){here}:\n"
        );
        for fault in faults {
            text.push_str(&format!(
                "      git commit --fixup={} -- {}\n",
                short(fault.id),
                files(fault.files.iter().map(|file| file.to_string()), is_below())
            ));
        }
        text.push_str(&format!(
            "      git -c sequence.editor=: rebase --interactive --autosquash {from}\n"
        ));
        return text;
    }
    let word = match faults.iter().all(|fault| fault.is_message) {
        true => "reword",
        false => "edit",
    };
    let steps = match word {
        "edit" => {
            "      git commit --all --amend     # without the secret\n      git rebase --continue\n"
        }
        _ => "",
    };
    format!(
        "hint: take the secret out of the commits that add it ({names}){here}: put {word} before them in the list of\n      \
         git rebase --interactive {from}\n{steps}"
    )
}

fn is_root(repository: &Repository, commit_id: ObjectId) -> bool {
    let mut commit = Vec::new();
    matches!(
        repository.find_object(&commit_id, &mut commit),
        Ok(Some(Commit))
    ) && commit
        .lines()
        .nth(1)
        .is_some_and(|line| !line.starts_with(b"parent "))
}

/// Says so if what is pushed has a configuration or a baseline that did not count.
fn settings(push: Push<'_>) -> String {
    let (Some(tip), false) = (push.tip, push.is_chosen) else {
        return String::new();
    };
    let read = |id: Option<ObjectId>, name: &str| {
        let snapshot = Snapshot::of_commit(push.repository, id?).ok()?;
        snapshot.read(name.into()).ok()?
    };
    let differs = |name: &&str| {
        let pushed = read(Some(tip), name);
        pushed.is_some() && pushed != read(push.base, name)
    };
    let names: Vec<&str> = [FILE_NAME, baseline::FILE_NAME]
        .into_iter()
        .filter(differs)
        .collect();
    if names.is_empty() {
        return String::new();
    }
    let counted = match push.base {
        Some(base) => format!("those of {}, which is there already, did", short(base)),
        None => "the other side has none yet".to_owned(),
    };
    let how = match push.by {
        Stopped::Server => {
            "whoever runs the server can let them count:\n      git config keysieve.configFrom head"
        }
        _ => {
            "if you trust it, let it count for this push:\n      git -c keysieve.configFrom=head push"
        }
    };
    format!(
        "hint: {} of what is pushed did not count: {counted}; {how}\n",
        names.join(" and ")
    )
}

fn short(id: ObjectId) -> String {
    id.to_hex_with_len(12).to_string()
}

/// Returns true if Git was run below the root: it runs hooks at the root, and `GIT_PREFIX` has the folder.
pub(crate) fn is_below() -> bool {
    std::env::var_os("GIT_PREFIX").is_some_and(|prefix| !prefix.is_empty())
}

/// Formats files as arguments of a shell, if they are few and have simple names. `is_below` makes the paths count from
/// the root, for a person who is in a folder below it.
pub(crate) fn files(paths: impl IntoIterator<Item = String>, is_below: bool) -> String {
    const MOST: usize = 3;
    let paths: BTreeSet<String> = paths.into_iter().collect();
    let is_simple = |path: &String| {
        !path.contains(|c: char| c.is_whitespace() || "'\"\\$`*?[]();&|<>~#!".contains(c))
            && !path.starts_with('-')
            && escape::terminal(path) == path.as_str()
    };
    if paths.is_empty() || paths.len() > MOST || !paths.iter().all(is_simple) {
        return "FILE".to_owned();
    }
    let root = if is_below { ":/" } else { "" };
    let paths: Vec<String> = paths.iter().map(|path| format!("{root}{path}")).collect();
    paths.join(" ")
}
