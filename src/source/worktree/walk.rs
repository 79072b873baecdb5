//! One thread's part of a walk: lists directories, decides about entries, shows files.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bstr::{BString, ByteSlice};

use super::file::Emitter;
use super::listing::{Entry, Kind, Listing};
use super::options::Options;
use super::queue::Queue;
use super::repository::Repository;
use super::rules::Exclude;
use super::scope::{Scope, Verdict};
use super::shown::{bytes_of, note};
use crate::content::Links;
use crate::coverage::SkipReason;
use crate::source::BlobSink;

/// Files of one directory that one thread takes at a time.
const BATCH: usize = 64;

/// Something to do.
#[derive(Debug)]
pub(super) enum Task {
    Directory(Directory),
    /// Files of a directory.
    Files(Arc<Directory>, Vec<File>),
    /// A file that was named, and how it is shown.
    Named(PathBuf, BString),
}

/// A directory to scan.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Beginning of the paths of its entries: empty, or with a slash at its end.
    shown: BString,
    /// Length of the root in `shown`.
    root: usize,
    scope: Scope,
    /// Exclusions by files in the directories above, the innermost first.
    own: Option<Arc<Inside>>,
    /// True if a person named it.
    is_named: bool,
}

/// Exclusions by a file in a directory, for all below it.
#[derive(Debug)]
struct Inside {
    exclude: Exclude,
    /// Length of the directory in a path as it is shown.
    at: usize,
    outer: Option<Arc<Inside>>,
}

/// A file in a directory.
#[derive(Debug)]
pub(super) struct File {
    name: OsString,
    links: Links,
}

/// A symbolic link to a directory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link {
    shown: BString,
    path: PathBuf,
    root: usize,
}

/// Canonical paths of the directories that were scanned, where links are followed.
pub(super) type Seen = Mutex<BTreeSet<PathBuf>>;

/// Returns the task for a root. One that is not there is noted, and the others are scanned.
pub(super) fn root<S: BlobSink>(
    path: &Path,
    shown: BString,
    options: &Options,
    sink: &mut S,
) -> Option<Task> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => {
            return unreadable(sink, &shown, &error);
        }
    };
    if metadata.is_file() {
        return Some(Task::Named(path.to_owned(), shown));
    }
    if !metadata.is_dir() {
        // It was asked for, so it is no choice to leave it out.
        let detail =
            "a pipe, socket or device is not opened; `keysieve scan -` reads standard input";
        note(
            sink,
            SkipReason::Unreadable,
            &shown,
            Some(detail.to_owned()),
        );
        return None;
    }
    match fs::canonicalize(path) {
        Ok(real) => {
            let shown = with_slash(shown);
            Some(Task::Directory(Directory {
                path: path.to_owned(),
                root: shown.len(),
                shown,
                scope: Scope::of_root(&real, options.respect_ignore),
                own: None,
                is_named: true,
            }))
        }
        Err(error) => unreadable(sink, &shown, &error),
    }
}

/// Notes a root or link that cannot be looked at: there is nothing to do.
fn unreadable<S: BlobSink>(sink: &mut S, shown: &[u8], error: &io::Error) -> Option<Task> {
    let detail = Some(error.to_string());
    note(sink, SkipReason::Unreadable, shown, detail);
    None
}

/// Returns the task for a followed link to a directory, unless that was scanned already.
pub(super) fn behind<S: BlobSink>(
    link: Link,
    options: &Options,
    seen: &Seen,
    sink: &mut S,
) -> Option<Task> {
    let real = match fs::canonicalize(&link.path) {
        Ok(real) => real,
        Err(error) => {
            return unreadable(sink, &link.shown, &error);
        }
    };
    if is_seen(seen, &real) {
        let detail = "it leads to a directory that is scanned already".to_owned();
        note(sink, SkipReason::Symlink, &link.shown, Some(detail));
        return None;
    }
    Some(Task::Directory(Directory {
        path: link.path,
        shown: with_slash(link.shown),
        root: link.root,
        scope: Scope::of_root(&real, options.respect_ignore),
        own: None,
        is_named: false,
    }))
}

fn with_slash(mut shown: BString) -> BString {
    if !shown.is_empty() && !shown.ends_with(b"/") {
        shown.push(b'/');
    }
    shown
}

fn is_seen(seen: &Seen, real: &Path) -> bool {
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.contains(real)
}

/// One thread of a walk.
#[derive(Debug)]
pub(super) struct Worker<'a, S> {
    options: &'a Options,
    queue: &'a Queue<Task>,
    seen: Option<&'a Seen>,
    show: Emitter<S>,
    links: Vec<Link>,
    /// True if files are left to the queue.
    hands_out: bool,
    /// Buffers.
    shown: BString,
    tracked: BString,
    path: PathBuf,
}

impl<'a, S: BlobSink> Worker<'a, S> {
    pub(super) fn new(
        options: &'a Options,
        queue: &'a Queue<Task>,
        seen: Option<&'a Seen>,
        sink: S,
    ) -> Self {
        Self {
            options,
            queue,
            seen,
            show: Emitter::new(sink, options.max_file_size),
            links: Vec::new(),
            hands_out: false,
            shown: BString::default(),
            tracked: BString::default(),
            path: PathBuf::new(),
        }
    }

    /// Takes the only task that waits, without the files of a directory; tells whether what is then left is worth
    /// other threads. To start one takes longer than to scan a small file.
    pub(super) fn begin(&mut self) -> bool {
        let queue = self.queue;
        if queue.tasks_are(|tasks| tasks.len() == 1) {
            self.hands_out = true;
            queue.begin(|task| self.task(task));
            self.hands_out = false;
        }
        queue.tasks_are(|tasks| tasks.len() > 1 || matches!(tasks, [Task::Directory(_)]))
    }

    /// Works until all is done.
    pub(super) fn work(&mut self) {
        let queue = self.queue;
        queue.work(|task| self.task(task));
    }

    /// Gives back its share of the sink, and the links to directories that it met.
    pub(super) fn finish(self) -> (S, Vec<Link>) {
        (self.show.sink, self.links)
    }

    fn task(&mut self, task: Task) -> ControlFlow<()> {
        match task {
            Task::Directory(directory) => self.directory(directory),
            Task::Files(directory, files) => self.files(&directory, &files),
            Task::Named(path, shown) => self.named(&path, &shown),
        }
    }

    fn named(&mut self, path: &Path, shown: &[u8]) -> ControlFlow<()> {
        // Only an LFS pointer needs its repository: looked for again where one is met.
        let around = || Repository::around(fs::canonicalize(path).ok()?.parent()?).map(Arc::new);
        self.show.file(path, shown, Links::Follow, around)
    }

    fn directory(&mut self, mut directory: Directory) -> ControlFlow<()> {
        match self.is_first(&directory) {
            Ok(true) => {}
            Ok(false) => return ControlFlow::Continue(()),
            Err(error) => {
                self.refused(&directory, error);
                return ControlFlow::Continue(());
            }
        }
        let own = self.options.own.as_ref();
        let listing = match Listing::read(&directory.path, own.map(|own| own.name)) {
            Ok(listing) => listing,
            Err(error) => {
                self.refused(&directory, error);
                return ControlFlow::Continue(());
            }
        };
        for error in &listing.faults {
            let detail = Some(error.to_string());
            note(
                &mut self.show.sink,
                SkipReason::Unreadable,
                &directory.shown,
                detail,
            );
        }
        if listing.is_bare {
            self.bare(&directory)?;
            if !directory.is_named {
                return ControlFlow::Continue(());
            }
        }
        if let Some(kind) = listing.dot_git {
            directory.scope = Scope::of_work_tree(&directory.path, self.options.respect_ignore);
            self.git_dir(&directory, kind)?;
        }
        if listing.has_rules && self.options.respect_ignore {
            directory
                .scope
                .add_rules(&directory.path.join(".gitignore"));
        }
        if let Some(own) = own.filter(|_| listing.has_own)
            && let Some(exclude) = (own.read)(&directory.path)
        {
            directory.own = Some(Arc::new(Inside {
                exclude,
                at: directory.shown.len(),
                outer: directory.own.take(),
            }));
        }
        self.entries(directory, listing.entries)
    }

    /// Returns true if a directory was not scanned before, where links are followed.
    fn is_first(&self, directory: &Directory) -> io::Result<bool> {
        let Some(seen) = self.seen else {
            return Ok(true);
        };
        let real = fs::canonicalize(&directory.path)?;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(seen.insert(real))
    }

    fn refused(&mut self, directory: &Directory, error: io::Error) {
        let reason = match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory if !directory.is_named => {
                SkipReason::Changed
            }
            _ => SkipReason::Unreadable,
        };
        note(
            &mut self.show.sink,
            reason,
            &directory.shown,
            Some(error.to_string()),
        );
    }

    /// Notes a repository without a work tree and shows its configuration.
    fn bare(&mut self, directory: &Directory) -> ControlFlow<()> {
        let name = directory.shown.strip_suffix(b"/").unwrap_or(b".");
        let detail = format!(
            "a bare repository: `keysieve history {}` scans it",
            name.as_bstr()
        );
        note(
            &mut self.show.sink,
            SkipReason::GitDir,
            &directory.shown,
            Some(detail),
        );
        // Of a named one every file is shown.
        match directory.is_named {
            true => ControlFlow::Continue(()),
            false => self.config(directory, "config"),
        }
    }

    /// Notes the `.git` of a work tree and shows its configuration, for the credentials in remote URLs.
    fn git_dir(&mut self, directory: &Directory, kind: Kind) -> ControlFlow<()> {
        self.set_shown(directory, b".git");
        note(&mut self.show.sink, SkipReason::GitDir, &self.shown, None);
        match kind {
            Kind::Directory => self.config(directory, ".git/config"),
            Kind::File | Kind::Link | Kind::Special => ControlFlow::Continue(()),
        }
    }

    fn config(&mut self, directory: &Directory, name: &str) -> ControlFlow<()> {
        let path = directory.path.join(name);
        if !fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            return ControlFlow::Continue(());
        }
        self.set_shown(directory, name.as_bytes());
        self.show.file(&path, &self.shown, Links::Refuse, || None)
    }

    /// Decides about each entry, hands out the directories, and takes the files.
    fn entries(&mut self, directory: Directory, entries: Vec<Entry>) -> ControlFlow<()> {
        let mut inner = Vec::new();
        let mut files = Vec::new();
        for Entry { name, kind } in entries {
            let bytes = bytes_of(Path::new(&name));
            self.set_shown(&directory, &bytes);
            let is_dir = kind == Kind::Directory;
            if self.is_excluded(&directory, is_dir) {
                note(&mut self.show.sink, SkipReason::Excluded, &self.shown, None);
                continue;
            }
            let verdict = directory.scope.judge(&bytes, is_dir, &mut self.tracked);
            if verdict == Verdict::Ignored {
                note(&mut self.show.sink, SkipReason::Ignored, &self.shown, None);
                self.note_index_fault(&directory);
                continue;
            }
            match kind {
                Kind::File => files.push(File {
                    name,
                    links: Links::Refuse,
                }),
                Kind::Directory => inner.push(Task::Directory(Directory {
                    path: directory.path.join(&name),
                    shown: with_slash(self.shown.clone()),
                    root: directory.root,
                    scope: directory.scope.inside(&bytes, verdict),
                    own: directory.own.clone(),
                    is_named: false,
                })),
                Kind::Link => files.extend(self.link(&directory, name)),
                Kind::Special => note(&mut self.show.sink, SkipReason::Special, &self.shown, None),
            }
        }
        if files.len() <= BATCH && !self.hands_out {
            self.queue.extend(inner);
            return self.files(&directory, &files);
        }
        let directory = Arc::new(directory);
        let own = if self.hands_out { 0 } else { BATCH };
        let mut rest = files.split_off(own).into_iter();
        let mut batches = Vec::new();
        while rest.len() > 0 {
            batches.push(Task::Files(
                directory.clone(),
                rest.by_ref().take(BATCH).collect(),
            ));
        }
        self.queue.extend(inner.into_iter().chain(batches));
        self.files(&directory, &files)
    }

    /// A file to scan, if links are followed and the link leads to one; `self.shown` is its path.
    fn link(&mut self, directory: &Directory, name: OsString) -> Option<File> {
        if !self.options.follow {
            note(&mut self.show.sink, SkipReason::Symlink, &self.shown, None);
            return None;
        }
        let path = directory.path.join(&name);
        let (reason, detail) = match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {
                return Some(File {
                    name,
                    links: Links::Follow,
                });
            }
            Ok(metadata) if metadata.is_dir() => {
                self.links.push(Link {
                    shown: self.shown.clone(),
                    path,
                    root: directory.root,
                });
                return None;
            }
            Ok(_) => (SkipReason::Special, None),
            // There is no content behind it that could be missed.
            Err(error) if leads_nowhere(&error) => (SkipReason::Symlink, Some(error.to_string())),
            Err(error) => (SkipReason::Unreadable, Some(error.to_string())),
        };
        note(&mut self.show.sink, reason, &self.shown, detail);
        None
    }

    fn files(&mut self, directory: &Directory, files: &[File]) -> ControlFlow<()> {
        let mut path = std::mem::take(&mut self.path);
        path.clone_from(&directory.path);
        let mut flow = ControlFlow::Continue(());
        for file in files {
            if self.queue.is_stopped() {
                break;
            }
            path.push(&file.name);
            self.set_shown(directory, &bytes_of(Path::new(&file.name)));
            let repository = || directory.scope.repository.clone();
            flow = self.show.file(&path, &self.shown, file.links, repository);
            if flow.is_break() {
                break;
            }
            path.pop();
        }
        self.path = path;
        flow
    }

    fn is_excluded(&self, directory: &Directory, is_dir: bool) -> bool {
        let mut inside = directory.own.as_ref();
        while let Some(own) = inside {
            let below = self.shown.get(own.at..).unwrap_or_default();
            let below = below.to_path_lossy();
            if own.exclude.names(&below, &below, is_dir) {
                return true;
            }
            inside = own.outer.as_ref();
        }
        let exclude = &self.options.exclude;
        if exclude.is_empty() {
            return false;
        }
        let below = self.shown.get(directory.root..).unwrap_or_default();
        exclude.names(&below.to_path_lossy(), &self.shown.to_path_lossy(), is_dir)
    }

    /// Reports once per repository that tracked files cannot be distinguished from ignored ones.
    fn note_index_fault(&mut self, directory: &Directory) {
        let Some(repository) = &directory.scope.repository else {
            return;
        };
        if let Some(fault) = repository.index_fault() {
            let index = repository.work_tree().join(".git/index");
            let index = bytes_of(&index);
            note(
                &mut self.show.sink,
                SkipReason::Unreadable,
                &index,
                Some(fault.to_owned()),
            );
        }
    }

    fn set_shown(&mut self, directory: &Directory, name: &[u8]) {
        self.shown.clear();
        self.shown.extend_from_slice(&directory.shown);
        self.shown.extend_from_slice(name);
    }
}

fn leads_nowhere(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::ELOOP) {
        return true;
    }
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
