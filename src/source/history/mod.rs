//! Every object that a repository holds, each once: blobs, commits and annotated tags of all packs, all
//! loose objects and all alternates, reachable or not.
//!
//! It knows how objects are stored and what they refer to by id. Who added an object, and at which path, is
//! looked up afterwards by others.
//!
//! # How
//!
//! A pack is read delta tree by delta tree: a whole object and everything that is built on it by deltas. With a
//! [`Probe`] the delta is searched instead of the object: a literal is new in an object only if it is in inserted bytes
//! or across a seam between two instructions; one that lies wholly within a copied range is a hit of the base, moved.
//! An object is rebuilt only if something is built on it or if it has hits, and only then is it shown.
//! [`History::scan_plainly`] is the slow truth that this equals.
//!
//! # What is checked
//!
//! Every entry that is inflated is held against the CRC-32 of the index (the Adler-32 of its stream where an
//! old index has none), and so is every tree, whose header might only seem to be one. Objects are not hashed
//! again. A damaged entry costs itself and what is built on it, and each of those is named, unless another
//! store has a good copy.
//!
//! That commits find their tree and parents, tags and references their object, and loose trees what they
//! name, is always checked. What the trees of packs name is checked in small packs, in partial clones, and
//! as soon as anything at all is missing, or where [`History::connectivity`] asks for it: rebuilding all trees of
//! a large repository takes as long as the scan, and Git leaves no pack behind that is not whole.
//!
//! # The inflater
//!
//! Inflating bounds the scan. Measured on the blobs' entries of `git/git` (0.68 GB inflated) with two
//! threads, in wall seconds: `libdeflater` 0.60, `zune-inflate` 0.90, `zlib-rs` 1.0. All three take a whole
//! entry of known size. `libdeflater` needs a C compiler to build, and nothing else of this crate does; a
//! third of the time of the longest scan is worth that.
//!
//! # Memory
//!
//! The packs are mapped. Beyond that: 32 bytes per packed object, 16 more while those of a pack are sorted, some
//! four for finding it by id, 24 and a few per commit, a bit per object and store to tell duplicates, the ids of
//! loose objects, and per thread the objects that
//! others are still to be built on, which are let go above 64 MiB and built again.

mod boundary;
pub mod cache;
mod hits;
mod links;
mod run;
mod search;
pub mod select;
mod settings;
mod show;

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use crate::blob::Blob;
use crate::git::number::Number as _;
use crate::git::odb::alternates::{self, ObjectDirs, with_alternates};
use crate::git::odb::store::Stores;
use crate::git::odb::table::Table;
use crate::git::odb::{Database, pack, plain};
use crate::provenance::Provenance;
use crate::source::{BlobSink, Clean, Probe, submodules};

use links::Links;
use run::LeftOut;
pub use settings::History;
use show::Shared;

pub use crate::git::odb::MAX_OBJECT_SIZE;

/// Reason why nothing could be scanned at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// There is no objects directory.
    Objects {
        /// The path.
        path: PathBuf,
        /// Error of the system.
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

impl History {
    /// Shows every object once.
    ///
    /// With a probe, objects in which it finds nothing are only counted, and most of those are never
    /// rebuilt: a delta's inserted bytes and seams are searched instead of the object.
    ///
    /// What it has come to know on the way is of use to [`crate::attribution::locate_after`].
    pub fn scan<S: BlobSink>(
        &self,
        sink: &mut S,
        probe: Option<&dyn Probe>,
    ) -> Result<Database, Error> {
        let stores = self.open(sink)?;
        let shallow = self.shallow_boundary(&stores, sink);
        let duplicates = stores.duplicates();
        let cache = self.cache.as_deref().filter(|_| self.only.is_none());
        let remembered =
            cache.map(|cache| cache.remembered(&stores, &duplicates, &shallow, self.is_partial));
        let records = Mutex::default();
        let left_out = LeftOut {
            duplicates: &duplicates,
            remembered: remembered.as_ref(),
        };
        let follow = self.only.is_none().then_some(&stores);
        let links = Links::new(follow, shallow, self.lfs.clone(), self.max_object_size);
        let stop = AtomicBool::new(false);
        let shared = Shared {
            probe,
            max_object_size: self.max_object_size,
            stop: &stop,
            progress: self.progress.clone(),
            links: &links,
            records: cache.map(|_| &records),
        };
        let mut failures = Vec::new();
        let mut trees = Vec::new();
        let mut tables = Vec::new();
        for (number, pack) in stores.packs.iter().enumerate() {
            let mut table = Table::new(pack, self.threads);
            let known = (pack, &mut table);
            let (failed, count) = self.scan_pack(number, known, &left_out, &shared, sink);
            failures.extend(failed);
            trees.push(count);
            tables.push(table);
        }
        failures.extend(self.scan_loose(&stores, &left_out, &shared, sink));
        let mut commits = None;
        if !shared.is_stopped() {
            self.follow_references(&links);
            let known = (&stores, &mut tables[..]);
            failures.extend(self.follow_trees(known, &trees, &left_out, &shared, sink));
            if let (Some(cache), Some(remembered)) = (cache, remembered) {
                // Of commits that were not read nothing was noted.
                if remembered.clean != Clean::default() {
                    links.lose_notes();
                }
                sink.clean(remembered.clean);
                let failed = failures.iter().map(|failure| failure.id);
                let failed = failed.chain(links.damaged().into_keys());
                let is_closed = !links.is_something_missing() && !self.is_partial;
                let records =
                    std::mem::take(&mut *records.lock().unwrap_or_else(PoisonError::into_inner));
                cache.learn(remembered, records, failed, is_closed);
            }
            self.retry((&stores, &tables), failures, &shared, sink);
            commits = links.take_notes();
            for change in stores.packs.iter().filter_map(pack::Pack::change) {
                sink.skip(change);
            }
            let named = links.take_submodules();
            let others = named
                .into_iter()
                .filter(|path| !self.submodules.contains(path));
            others
                .map(submodules::of_other_commits)
                .for_each(|skip| sink.skip(skip));
            self.report_missing(&stores, links, sink);
        }
        Ok(Database {
            stores,
            tables,
            commits,
            max_object_size: self.max_object_size,
        })
    }

    /// Shows every object of all packs, whole, by gix-pack's own traversal, and all loose objects.
    ///
    /// The reference for [`Self::scan`]: tests and measurements use it. It stops at damage.
    pub fn scan_plainly<S: BlobSink>(&self, sink: &mut S) -> gix::Result<()> {
        let stores = self.open(sink).map_err(gix::error::Error::from_error)?;
        let duplicates = stores.duplicates();
        // gix-pack keeps what it clones, so shares are lent for one object each.
        let lent = Mutex::new((&mut *sink, Vec::new()));
        let lock = || lent.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, pack) in stores.packs.iter().enumerate() {
            plain::traverse(
                pack,
                self.threads,
                |position| {
                    !duplicates.has(number, position.index()) && self.is_asked(pack, position)
                },
                move |kind, id, bytes| {
                    let Some(kind) = show::object_kind(kind) else {
                        return ControlFlow::Continue(());
                    };
                    let provenance = Provenance::Object { kind, id };
                    let mut share = {
                        let (sink, free) = &mut *lock();
                        free.pop().unwrap_or_else(|| sink.clone())
                    };
                    let flow = share.blob(Blob {
                        bytes,
                        provenance: &provenance,
                    });
                    lock().1.push(share);
                    flow
                },
            )?;
        }
        let (_, shares) = lent.into_inner().unwrap_or_else(PoisonError::into_inner);
        shares.into_iter().for_each(|share| sink.join(share));
        let shared = Shared {
            probe: None,
            max_object_size: self.max_object_size,
            stop: &AtomicBool::new(false),
            progress: None,
            links: &Links::new(None, HashSet::new(), None, self.max_object_size),
            records: None,
        };
        let left_out = LeftOut {
            duplicates: &duplicates,
            remembered: None,
        };
        self.scan_loose(&stores, &left_out, &shared, sink);
        Ok(())
    }

    fn open<S: BlobSink>(&self, sink: &mut S) -> Result<Stores, Error> {
        if let Some(path) = self.directories.first() {
            std::fs::read_dir(path).map_err(|source| Error::Objects {
                path: path.clone(),
                source,
            })?;
        }
        let mut skips = self.unreadable.clone();
        let found = match self.follows_alternates {
            true => with_alternates(self.directories.clone()),
            false => ObjectDirs {
                dirs: self.directories.clone(),
                faults: Vec::new(),
            },
        };
        skips.extend(found.faults.iter().map(alternates::Fault::to_skip));
        let stores = Stores::open(&found.dirs, self.hash, &mut skips);
        skips.into_iter().for_each(|skip| sink.skip(skip));
        Ok(stores)
    }
}
