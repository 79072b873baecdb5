//! Every object that a repository holds, each once: blobs, commits and annotated tags of all packs, all
//! loose objects and all alternates, reachable or not.
//!
//! It knows how objects are stored. It knows nothing of references, trees and paths: who added an object
//! is looked up afterwards.

mod delta;
mod hits;
mod inflate;
mod links;
mod loose;
mod pack;
mod plain;
pub mod provenance;
pub mod range;
pub mod revision;
pub mod select;
mod show;
mod store;
mod table;
mod view;
mod walk;

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bstr::{BString, ByteVec as _};
use gix::ObjectId;
use gix::objs::Kind;

use crate::blob::Blob;
use crate::coverage::{Skip, SkipReason};
use crate::provenance::Provenance;
use crate::source::{BlobSink, Probe, Progress};

use links::Links;
use pack::Pack;
use show::{Failure, Fault, Shared, Show};
use store::{Duplicates, Stores};
use table::Table;
use walk::{Walk, is_searched};

/// What is inflated at most, if nothing else is said. Git itself builds no deltas above 512 MiB.
pub const MAX_OBJECT_SIZE: u64 = 256 << 20;

/// Shares of a pack are not made smaller than this many of its bytes.
const MIN_SHARE: u64 = 256 << 10;
/// Families are handed out in batches of about this many bytes of the pack.
const BATCH: u32 = (128 << 10) / 64;

/// Why nothing could be scanned at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no objects directory.
    Objects {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Objects { path, .. } => write!(f, "open objects directory {}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Objects { source, .. } => Some(source),
        }
    }
}

/// All objects of a repository.
#[derive(Clone, Debug)]
pub struct History {
    directories: Vec<PathBuf>,
    hash: gix::hash::Kind,
    shallow: Option<PathBuf>,
    lfs: Option<PathBuf>,
    threads: usize,
    max_object_size: u64,
    only: Option<Arc<HashSet<ObjectId>>>,
    progress: Option<Arc<Progress>>,
}

impl History {
    /// The objects below an objects directory, `.git/objects` for one, and its alternates.
    pub fn new(objects: impl Into<PathBuf>, hash: gix::hash::Kind) -> Self {
        Self {
            directories: vec![objects.into()],
            hash,
            shallow: None,
            lfs: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            max_object_size: MAX_OBJECT_SIZE,
            only: None,
            progress: None,
        }
    }

    /// Everything that a repository holds, with its shallow boundary and its Git LFS store.
    pub fn of(repository: &gix::Repository) -> Self {
        let objects = repository.objects.store_ref().path().to_owned();
        let mut history = Self::new(objects, repository.object_hash());
        history.shallow = Some(repository.common_dir().join("shallow"));
        history.lfs = Some(repository.common_dir().join("lfs"));
        history
    }

    /// Adds further objects directories, those of a quarantine for one.
    pub fn and_objects(mut self, directories: impl IntoIterator<Item = PathBuf>) -> Self {
        self.directories.extend(directories);
        self
    }

    /// How many threads to use; 0 means as many as there are processors.
    pub fn threads(mut self, threads: usize) -> Self {
        if threads > 0 {
            self.threads = threads;
        }
        self
    }

    /// Objects above this size are not inflated but skipped.
    pub fn max_object_size(mut self, bytes: u64) -> Self {
        self.max_object_size = bytes.min(isize::MAX as u64);
        self
    }

    /// Shows those objects and no others; one that is not there is a skip.
    pub fn only(mut self, ids: Arc<HashSet<ObjectId>>) -> Self {
        self.only = Some(ids);
        self
    }

    /// Counts there while it scans.
    pub fn progress(mut self, progress: Arc<Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Shows every object once.
    ///
    /// With a probe, objects in which it finds nothing are only counted, and most of those are never
    /// rebuilt: a delta's inserted bytes and seams are searched instead of the object.
    pub fn scan<S: BlobSink>(&self, mut sink: S, probe: Option<&dyn Probe>) -> Result<(), Error> {
        let stores = self.open(&mut sink)?;
        let shallow = self.shallow_boundary(&stores, &mut sink);
        let duplicates = stores.duplicates();
        let follow = self.only.is_none().then_some(&stores);
        let lfs = self.lfs.clone();
        let shared = Shared {
            probe,
            max_object_size: self.max_object_size,
            stop: Default::default(),
            progress: self.progress.clone(),
            links: Links::new(follow, shallow, lfs, self.max_object_size),
        };
        let mut failures = Vec::new();
        for (number, pack) in stores.packs.iter().enumerate() {
            failures.extend(self.scan_pack(number, pack, &duplicates, &shared, &mut sink));
        }
        failures.extend(self.scan_loose(&stores, &duplicates, &shared, &mut sink));
        if !shared.is_stopped() {
            self.retry(&stores, failures, &shared, &mut sink);
            self.report_missing(&stores, shared.links, &mut sink);
        }
        Ok(())
    }

    /// Shows every object of all packs, whole, by gix-pack's own traversal, and all loose objects.
    ///
    /// The reference for [`Self::scan`]: tests and measurements use it. It stops at damage.
    pub fn scan_plainly<S: BlobSink>(&self, mut sink: S) -> gix::Result<()> {
        let stores = self
            .open(&mut sink)
            .map_err(gix::error::Error::from_error)?;
        let duplicates = stores.duplicates();
        for (number, pack) in stores.packs.iter().enumerate() {
            let mut sink = sink.clone();
            plain::traverse(
                pack,
                self.threads,
                |position| {
                    !duplicates.has(number, position as usize) && self.is_asked(pack, position)
                },
                move |kind, id, bytes| {
                    let Some(kind) = show::object_kind(kind) else {
                        return ControlFlow::Continue(());
                    };
                    let provenance = Provenance::Object { kind, id };
                    sink.blob(Blob {
                        bytes,
                        provenance: &provenance,
                    })
                },
            )?;
        }
        let shared = Shared {
            probe: None,
            max_object_size: self.max_object_size,
            stop: Default::default(),
            progress: None,
            links: Links::new(None, HashSet::new(), None, self.max_object_size),
        };
        self.scan_loose(&stores, &duplicates, &shared, &mut sink);
        Ok(())
    }

    fn open<S: BlobSink>(&self, sink: &mut S) -> Result<Stores, Error> {
        if let Some(path) = self.directories.first() {
            std::fs::read_dir(path).map_err(|source| Error::Objects {
                path: path.clone(),
                source,
            })?;
        }
        let mut skips = Vec::new();
        let limit = usize::try_from(self.max_object_size).unwrap_or(usize::MAX);
        let stores = Stores::open(&self.directories, self.hash, limit, &mut skips);
        skips.into_iter().for_each(|skip| sink.skip(skip));
        Ok(stores)
    }

    fn is_asked(&self, pack: &Pack, position: u32) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.contains(pack.id(position)))
    }

    fn scan_pack<S: BlobSink>(
        &self,
        number: usize,
        pack: &Pack,
        duplicates: &Duplicates,
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> Vec<Failure> {
        let mut table = Table::new(pack, self.threads);
        let positions: Vec<u32> = (0..table.len())
            .map(|entry| table.position(entry))
            .collect();
        let is_first = |position: u32| !duplicates.has(number, position as usize);
        let share = (pack.end() / (self.threads as u64 * 16)).max(MIN_SHARE);
        let mut wanted = 0;
        let shares = table.divide(share, |entry, kind| {
            let position = positions[entry as usize];
            let is_wanted =
                is_searched(kind) && is_first(position) && self.is_asked(pack, position);
            wanted += u64::from(is_wanted);
            is_wanted
        });
        drop(positions);
        if let Some(progress) = &shared.progress {
            progress.total.fetch_add(wanted, Ordering::Relaxed);
        }
        let mut failures = damaged_entries(pack, &table, is_first);
        let batches = batches(&shares);
        let next = AtomicUsize::new(0);
        failures.extend(self.in_parallel(sink, shared, |show| {
            let mut walk = Walk::new(pack, &table, shared, show);
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                for (start, _) in *batch {
                    if shared.is_stopped() {
                        return;
                    }
                    walk.share(*start);
                }
            }
        }));
        failures
    }

    fn scan_loose<S: BlobSink>(
        &self,
        stores: &Stores,
        duplicates: &Duplicates,
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        if let Some(progress) = &shared.progress {
            let total: usize = stores.loose.iter().map(|loose| loose.ids.len()).sum();
            progress.total.fetch_add(total as u64, Ordering::Relaxed);
        }
        for (number, loose) in (stores.packs.len()..).zip(&stores.loose) {
            let next = AtomicUsize::new(0);
            failures.extend(self.in_parallel(sink, shared, |show| {
                loop {
                    let start = next.fetch_add(64, Ordering::Relaxed);
                    let ids = loose.ids.iter().enumerate().skip(start).take(64);
                    if ids.len() == 0 || shared.is_stopped() {
                        return;
                    }
                    for (place, id) in ids {
                        let asked = self.only.as_ref().is_none_or(|only| only.contains(id));
                        if asked && !duplicates.has(number, place) {
                            loose::show(&loose.store, id, shared, show);
                        }
                    }
                }
            }));
        }
        failures
    }

    /// Runs `work` on every thread, each with its own clone of the sink.
    fn in_parallel<'s, S: BlobSink>(
        &self,
        sink: &mut S,
        shared: &'s Shared<'s>,
        work: impl Fn(&mut Show<'s, S>) + Sync,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut panics = 0;
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.threads)
                .map(|_| {
                    let mut show = Show::new(sink.clone(), shared);
                    let work = &work;
                    scope.spawn(move || {
                        work(&mut show);
                        show.finish()
                    })
                })
                .collect();
            for worker in workers {
                match worker.join() {
                    Ok(failed) => failures.extend(failed),
                    Err(_) => panics += 1,
                }
            }
        });
        for _ in 0..panics {
            let detail = "a worker failed; what it was reading was not scanned";
            sink.skip(Skip::with_detail(SkipReason::Internal, "history", detail));
        }
        failures
    }

    /// Tries the other copies of objects that could not be read, and names those that have none.
    fn retry<S: BlobSink>(
        &self,
        stores: &Stores,
        mut failures: Vec<Failure>,
        shared: &Shared<'_>,
        sink: &mut S,
    ) {
        failures.sort_unstable();
        failures.dedup_by(|a, b| a.id == b.id);
        let mut show = Show::new(sink.clone(), shared);
        for pack in &stores.packs {
            if !failures.iter().any(|f| pack.index.lookup(f.id).is_some()) {
                continue;
            }
            let table = Table::new(pack, self.threads);
            let mut walk = Walk::new(pack, &table, shared, &mut show);
            failures.retain(|failure| !walk.single(&failure.id));
        }
        for loose in &stores.loose {
            failures.retain(|failure| {
                !(loose.contains(&failure.id)
                    && loose::try_show(&loose.store, &failure.id, shared, &mut show).is_ok())
            });
        }
        show.finish();
        for Failure { id, fault } in failures {
            sink.skip(Skip {
                reason: fault.reason(),
                subject: BString::from(id.to_string()),
                detail: Some(fault.detail().to_owned()),
            });
        }
    }

    fn shallow_boundary<S: BlobSink>(&self, stores: &Stores, sink: &mut S) -> HashSet<ObjectId> {
        let Some(path) = &self.shallow else {
            return HashSet::new();
        };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    let name = path_bytes(path);
                    sink.skip(Skip::with_detail(SkipReason::Unreadable, name, error));
                }
                return HashSet::new();
            }
        };
        let mut boundary = HashSet::new();
        for line in text.split(|byte| *byte == b'\n') {
            let Ok(id) = ObjectId::from_hex(line.trim_ascii()) else {
                continue;
            };
            // A boundary that a prune has left behind is none.
            if stores.contains(&id) && boundary.insert(id) && self.only.is_none() {
                let subject = id.to_string();
                let detail = "the history before this commit is not here";
                sink.skip(Skip::with_detail(SkipReason::Shallow, subject, detail));
            }
        }
        boundary
    }

    fn report_missing<S: BlobSink>(&self, stores: &Stores, links: Links<'_>, sink: &mut S) {
        for (id, from) in links.missing() {
            let detail = format!("{from} refers to it");
            sink.skip(Skip::with_detail(
                SkipReason::Missing,
                id.to_string(),
                detail,
            ));
        }
        for id in self.only.iter().flat_map(|only| only.iter()) {
            if !stores.contains(id) {
                sink.skip(Skip::new(SkipReason::Missing, id.to_string()));
            }
        }
    }
}

/// Entries that have no kind, and trees whose checksum is wrong: what they really are is not known.
fn damaged_entries(pack: &Pack, table: &Table, is_first: impl Fn(u32) -> bool) -> Vec<Failure> {
    let mut failures = Vec::new();
    for number in 0..table.len() {
        let position = table.position(number);
        let why = match table.kind(number) {
            None => "the entry, or one that it is built on, has no readable header",
            Some(Kind::Tree) => {
                let range = table.range(number);
                let entry = pack.entry(range.start, range.end).unwrap_or_default();
                let checksum = pack.index.crc32_at_index(position);
                if checksum.is_none_or(|expected| crc32fast::hash(entry) == expected) {
                    continue;
                }
                "the entry does not have the checksum that the index says"
            }
            Some(_) => continue,
        };
        if is_first(position) {
            let id = pack.id(position).to_owned();
            let fault = Fault::from(why);
            failures.push(Failure { id, fault });
        }
    }
    failures
}

/// A path as the subject of a skip.
fn path_bytes(path: &Path) -> BString {
    <Vec<u8>>::from_path_lossy(path).into_owned().into()
}

/// Puts small families together and takes the large ones first, so that no thread ends long after the
/// others.
fn batches(shares: &[(u32, u32)]) -> Vec<&[(u32, u32)]> {
    let mut weight = 0_u32;
    let mut batches: Vec<(u32, &[(u32, u32)])> = Vec::new();
    let mut first = 0;
    for (index, share) in shares.iter().enumerate() {
        weight = weight.saturating_add(share.1);
        if weight >= BATCH || index + 1 == shares.len() {
            batches.push((weight, &shares[first..=index]));
            first = index + 1;
            weight = 0;
        }
    }
    batches.sort_by_key(|(weight, _)| std::cmp::Reverse(weight / (BATCH * 2)));
    batches.into_iter().map(|(_, shares)| shares).collect()
}
