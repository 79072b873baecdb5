//! Holders that keep objects alive: references, reflogs, the stash, indexes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;

use bstr::{BString, ByteSlice};
use gix::ObjectId;

use super::commits::Commits;
use crate::content::{is_special, read_regular};
use crate::coverage::{Skip, SkipReason};
use crate::git::number::CommitNo;
use crate::git::reflog;
use crate::git::refname::{head_names, weight, worktree_names, worktree_of};
use crate::git::repository::{Error, Repository};
use crate::git::view::{links, readable_references, reference};

/// Everything that holds objects, with commits by number.
#[derive(Default)]
pub(crate) struct Holders {
    /// Full names of references with the commit they lead to, local branches before remote ones before
    /// tags before others. Detached heads are among them.
    pub(crate) refs: Vec<(String, CommitNo)>,
    /// References that name an object which is no commit: a tag object, a tree, a blob.
    pub(crate) objects: HashMap<ObjectId, Vec<String>>,
    /// Names like `ORIG_HEAD`, which keep nothing alive but show where something was.
    pub(crate) pseudo: Vec<(String, CommitNo)>,
    /// Reflogs by name; the position in the list is the number in the braces of `name@{0}`.
    pub(crate) logs: Vec<(String, Vec<Option<CommitNo>>)>,
    /// The commit that `HEAD` leads to.
    pub(crate) head: Option<CommitNo>,
}

impl Holders {
    /// Reads what the repository has.
    pub(crate) fn read(repo: &Repository, commits: &Commits, skips: &mut Vec<Skip>) -> Self {
        let mut holders = Self::default();
        for (name, id) in readable_references(repo, skips) {
            holders.reference(repo, commits, name, id, skips);
        }
        holders.heads(repo, commits, skips);
        holders.pseudo(repo, commits, skips);
        holders.reflogs(repo, commits, skips);
        holders
            .refs
            .sort_by(|a, b| (weight(&a.0), a).cmp(&(weight(&b.0), b)));
        holders.pseudo.sort();
        holders
    }

    fn reference(
        &mut self,
        repo: &Repository,
        commits: &Commits,
        name: String,
        id: ObjectId,
        skips: &mut Vec<Skip>,
    ) {
        // Most name a commit, and there may be many.
        if let Some(commit) = commits.ids.number(&id) {
            return self.refs.push((name, commit));
        }
        for link in links(repo, id) {
            match link {
                Ok((id, _)) => match commits.ids.number(&id) {
                    Some(commit) => self.refs.push((name.clone(), commit)),
                    None => self.objects.entry(id).or_default().push(name.clone()),
                },
                Err(skip) => {
                    let detail = match &skip.detail {
                        Some(detail) => format!("{detail}, named by {name}"),
                        None => format!("named by {name}"),
                    };
                    skips.push(Skip::with_detail(skip.reason, skip.subject, detail));
                }
            }
        }
    }

    fn heads(&mut self, repo: &Repository, commits: &Commits, skips: &mut Vec<Skip>) {
        if let Ok(Some(head)) = repo.head_id() {
            self.head = commits.ids.number(&head);
        }
        let references = repo.references();
        let names = head_names(repo).unwrap_or_else(|error| {
            skips.push(unlisted(&error));
            vec!["HEAD".into()]
        });
        for name in names {
            match reference(&references, name.as_ref()) {
                Ok(Some(id)) => self.reference(repo, commits, name.to_string(), id, skips),
                // On a branch, which is among the references.
                Ok(None) => {}
                Err(error) => skips.push(Skip::with_detail(SkipReason::Unreadable, name, error)),
            }
        }
    }

    fn pseudo(&mut self, repo: &Repository, commits: &Commits, skips: &mut Vec<Skip>) {
        for name in [
            "ORIG_HEAD",
            "MERGE_HEAD",
            "CHERRY_PICK_HEAD",
            "REVERT_HEAD",
            "FETCH_HEAD",
        ] {
            let text = match read_regular(&repo.git_dir().join(name)) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    skips.push(Skip::with_detail(SkipReason::Unreadable, name, error));
                    continue;
                }
            };
            if let Some(id) = text.fields().next()
                && let Ok(id) = ObjectId::from_hex(id)
                && let Some(commit) = commits.ids.number(&id)
            {
                self.pseudo.push((name.to_owned(), commit));
            }
        }
    }

    fn reflogs(&mut self, repo: &Repository, commits: &Commits, skips: &mut Vec<Skip>) {
        let mut files = BTreeMap::new();
        let common = repo.common_dir();
        collect_logs(&common.join("logs"), "", &mut files, skips);
        // That they could not be listed is said of their heads.
        for worktree in worktree_names(repo).unwrap_or_default() {
            let dir = common
                .join("worktrees")
                .join(worktree.to_path_lossy())
                .join("logs");
            collect_logs(&dir, &format!("worktrees/{worktree}/"), &mut files, skips);
        }
        for (name, bytes) in files {
            let name = match name.strip_suffix("refs/stash") {
                Some("") => "stash".to_owned(),
                _ => name,
            };
            let commit = |id: Option<ObjectId>| id.and_then(|id| commits.ids.number(&id));
            let newest_first = reflog::lines(&bytes).rev();
            let mut entries: Vec<_> = newest_first.map(|[_, after]| commit(after)).collect();
            // What the oldest line replaced is one more entry to Git.
            let oldest = reflog::lines(&bytes).next();
            entries.extend(oldest.map(|[before, _]| commit(before)));
            self.logs.push((name, entries));
        }
    }

    /// Names the holders of a commit other than references: the newest entry of each log that leads to it. `leads`
    /// returns true for a commit that is that commit or has it among its ancestors.
    pub(crate) fn logs_that_hold(&self, leads: impl Fn(CommitNo) -> bool) -> Vec<String> {
        let mut held = Vec::new();
        for (name, entries) in &self.logs {
            let mut found = entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| entry.is_some_and(&leads))
                .map(|(at, _)| at);
            // Each stash is one entry, and each may have to be dropped.
            if name == "stash" {
                held.extend(found.map(|at| format!("stash@{{{at}}}")));
            } else if let Some(at) = found.next() {
                held.push(format!("{name}@{{{at}}}"));
            }
        }
        let pseudo = self.pseudo.iter().filter(|(_, commit)| leads(*commit));
        held.extend(pseudo.map(|(name, _)| name.clone()));
        held
    }
}

/// Work trees that could not be listed.
fn unlisted(error: &Error) -> Skip {
    Skip::with_detail(SkipReason::Unreadable, "worktrees", error)
}

fn collect_logs(
    dir: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
    skips: &mut Vec<Skip>,
) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            collect_logs(&path, &format!("{name}/"), files, skips);
        } else if kind.is_file() {
            match read_regular(&path) {
                Ok(bytes) => {
                    files.insert(name, bytes);
                }
                Err(error) => skips.push(Skip::with_detail(
                    SkipReason::Unreadable,
                    path.to_string_lossy().into_owned(),
                    error,
                )),
            }
        }
    }
}

/// Finds sought objects in the indexes of the worktrees: each with its path and the name of the index.
pub(crate) fn in_indexes(
    repo: &Repository,
    sought: &HashSet<ObjectId>,
    skips: &mut Vec<Skip>,
) -> Vec<(ObjectId, BString, String)> {
    let common = repo.common_dir();
    let mut files = vec![(repo.index_path().to_owned(), "the index".to_owned())];
    let own = worktree_of(repo);
    if own.is_some() {
        let main = "the index of the main worktree".to_owned();
        files.push((common.join("index"), main));
    }
    let worktrees = worktree_names(repo).unwrap_or_else(|error| {
        skips.push(unlisted(&error));
        Vec::new()
    });
    for worktree in worktrees.iter().filter(|it| own.as_ref() != Some(it)) {
        let dir = common.join("worktrees").join(worktree.to_path_lossy());
        files.push((
            dir.join("index"),
            format!("the index of worktree {worktree}"),
        ));
    }
    let mut found = Vec::new();
    for (path, name) in files {
        if !path.exists() {
            continue;
        }
        if is_special(&path) {
            let (path, detail) = (path.to_string_lossy(), "it is not a regular file");
            let path = path.into_owned();
            skips.push(Skip::with_detail(SkipReason::Unreadable, path, detail));
            continue;
        }
        match gix::index::File::at(&path, repo.object_hash(), true, Default::default()) {
            Ok(index) => {
                for entry in index.entries() {
                    if sought.contains(&entry.id) {
                        found.push((entry.id, entry.path(&index).to_owned(), name.clone()));
                    }
                }
            }
            Err(error) => skips.push(Skip::with_detail(
                SkipReason::Unreadable,
                path.to_string_lossy().into_owned(),
                error,
            )),
        }
    }
    found
}
