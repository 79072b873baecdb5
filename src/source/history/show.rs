//! Shows objects to the sink, or counts them as clean where the probe found nothing.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gix::hash::oid;
use gix::objs::Kind;

use crate::blob::Blob;
use crate::git::lfs::Pointer;
use crate::git::number::ObjectNo;
use crate::git::odb::fault::{Failure, Fault};
use crate::git::odb::notes::CommitTable;
use crate::provenance::{ObjectKind, Provenance};
use crate::source::{BlobSink, Clean, Probe, Progress, submodules};

use super::cache::Record;
use super::links::{Links, RecentIds};

/// Number of objects that are counted before the shared counters are touched.
const FLUSH: u64 = 512;

/// State that all workers of a scan share.
pub(super) struct Shared<'a> {
    /// Finds what makes an object worth showing; without it all are shown.
    pub(super) probe: Option<&'a dyn Probe>,
    /// No object above this size is inflated.
    pub(super) max_object_size: u64,
    /// Set once no more is wanted.
    pub(super) stop: &'a AtomicBool,
    /// Counts for whoever watches.
    pub(super) progress: Option<Arc<Progress>>,
    /// Looks after what commits and pointers refer to.
    pub(super) links: &'a Links<'a>,
    /// Keeps what was read, for the next scan.
    pub(super) records: Option<&'a Mutex<Vec<Record>>>,
}

impl Shared<'_> {
    /// The same for a walk over trees, which are followed and neither searched nor counted.
    pub(super) fn for_trees(&self) -> Self {
        Self {
            probe: None,
            max_object_size: self.max_object_size,
            stop: self.stop,
            progress: None,
            links: self.links,
            records: None,
        }
    }

    /// Returns true if the scan is to end.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// One worker's end of the sink.
pub(super) struct Emitter<'a, S> {
    sink: &'a mut S,
    pub(super) shared: &'a Shared<'a>,
    known: RecentIds,
    notes: CommitTable,
    clean: Clean,
    objects: u64,
    bytes: u64,
    records: Vec<Record>,
    /// Objects that could not be read.
    pub(super) failures: Vec<Failure>,
}

impl<'a, S: BlobSink> Emitter<'a, S> {
    /// Shows to `sink`.
    pub(super) fn new(sink: &'a mut S, shared: &'a Shared<'a>) -> Self {
        Self {
            sink,
            shared,
            known: RecentIds::new(),
            notes: CommitTable::default(),
            clean: Clean::default(),
            objects: 0,
            bytes: 0,
            records: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Takes a whole object of which it is known whether it has hits.
    pub(super) fn whole(
        &mut self,
        kind: Kind,
        number: ObjectNo,
        id: &oid,
        bytes: &[u8],
        has_hits: bool,
    ) {
        if self.looks_further(kind, bytes.len()) {
            let links = self.shared.links;
            match kind {
                Kind::Commit => links.commit(number, id, bytes, &mut self.notes),
                _ => links.follow(kind, id, bytes, &mut self.known, self.sink),
            }
        }
        let is_modules = kind == Kind::Blob && submodules::may_be_modules(bytes);
        if is_modules {
            self.shared.links.modules(bytes);
        }
        // What a pointer stands for may come or go, and submodules are named every time.
        if self.shared.records.is_some()
            && kind == Kind::Blob
            && (is_modules || Pointer::parse(bytes).is_some())
        {
            self.record(|| Record::new(id, kind, bytes.len()).unclean());
        }
        if !has_hits {
            self.clear(kind, bytes.len(), || id);
            return;
        }
        self.record(|| Record::new(id, kind, bytes.len()));
        let Some(kind) = object_kind(kind) else {
            return;
        };
        self.count(bytes.len());
        let id = id.to_owned();
        let provenance = Provenance::Object { kind, id };
        let blob = Blob {
            bytes,
            provenance: &provenance,
        };
        if let ControlFlow::Break(()) = self.sink.blob(blob) {
            self.shared.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Takes note of an object without hits that nobody had to rebuild.
    pub(super) fn clear<'i>(&mut self, kind: Kind, size: usize, id: impl FnOnce() -> &'i oid) {
        self.record(|| Record::new(id(), kind, size));
        match kind {
            Kind::Blob => self.clean.blobs += 1,
            Kind::Commit => self.clean.commits += 1,
            Kind::Tag => self.clean.tags += 1,
            Kind::Tree => return,
        }
        self.clean.bytes += size as u64;
        self.count(size);
    }

    fn record(&mut self, record: impl FnOnce() -> Record) {
        if self.shared.records.is_some() {
            self.records.push(record());
        }
    }

    /// Returns true if an object is examined whole although it may have no hits.
    pub(super) fn looks_further(&self, kind: Kind, size: usize) -> bool {
        self.shared.links.looks_at(kind, size)
    }

    /// Takes note of an object that could not be read.
    pub(super) fn fail(&mut self, id: &oid, fault: Fault) {
        let id = id.to_owned();
        self.failures.push(Failure { id, fault });
        self.count(0);
    }

    fn count(&mut self, bytes: usize) {
        self.objects += 1;
        self.bytes += bytes as u64;
        if self.objects >= FLUSH {
            self.flush_progress();
        }
    }

    fn flush_progress(&mut self) {
        if let Some(progress) = &self.shared.progress {
            progress.done.fetch_add(self.objects, Ordering::Relaxed);
            progress.bytes.fetch_add(self.bytes, Ordering::Relaxed);
        }
        self.objects = 0;
        self.bytes = 0;
    }

    /// Hands over what was counted, and gives back what could not be read.
    pub(super) fn finish(mut self) -> Vec<Failure> {
        self.flush_progress();
        self.sink.clean(self.clean);
        if let Some(records) = self.shared.records {
            let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
            records.append(&mut self.records);
        }
        self.shared.links.note(self.notes);
        self.failures
    }
}

/// The kind as provenance has it; trees are not shown.
pub(super) fn object_kind(kind: Kind) -> Option<ObjectKind> {
    match kind {
        Kind::Blob => Some(ObjectKind::Blob),
        Kind::Commit => Some(ObjectKind::Commit),
        Kind::Tag => Some(ObjectKind::Tag),
        Kind::Tree => None,
    }
}
