//! Goes through packs and loose objects with all threads.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use gix::objs::Kind;

use super::cache::{CachedObjects, Record};
use super::search::{Search, is_searched, show_loose};
use super::settings::History;
use super::show::{Emitter, Shared};
use crate::git::number::{EntryNo, Number as _, PackPos};
use crate::git::odb::fault::{Failure, Fault};
use crate::git::odb::loose::LooseReader;
use crate::git::odb::pack::Pack;
use crate::git::odb::store::{Duplicates, Stores};
use crate::git::odb::table::{Chunk, Table};
use crate::git::odb::walk::Walk;
use crate::git::odb::{batches, chunk_size, damage};
use crate::source::{BlobSink, in_shares};
use crate::workers;

/// Packs with more trees than this are not checked for what the trees refer to without a reason.
/// [`History::connectivity`] and the program's help state it.
const MAX_CHECKED_TREES: usize = 20_000;
/// Objects that are not read.
pub(super) struct LeftOut<'a> {
    /// They are read elsewhere.
    pub(super) duplicates: &'a Duplicates,
    /// An earlier scan has read them.
    pub(super) remembered: Option<&'a CachedObjects>,
}

impl LeftOut<'_> {
    fn is_remembered(&self, store: usize, place: usize) -> bool {
        self.remembered
            .is_some_and(|remembered| remembered.has(store, place))
    }

    fn has(&self, store: usize, place: usize) -> bool {
        self.duplicates.has(store, place) || self.is_remembered(store, place)
    }
}

impl History {
    pub(super) fn is_asked(&self, pack: &Pack, position: PackPos) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.contains(pack.id(position)))
    }

    /// Shows the blobs, commits and tags of a pack; gives what could not be read and the number of trees.
    pub(super) fn scan_pack<S: BlobSink>(
        &self,
        number: usize,
        (pack, table): (&Pack, &mut Table),
        left_out: &LeftOut<'_>,
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> (Vec<Failure>, usize) {
        let is_new = |position: PackPos| !left_out.has(number, position.index());
        if left_out.remembered.is_some() && !PackPos::up_to(pack.len()).any(is_new) {
            return (Vec::new(), 0);
        }
        let mut records = Vec::new();
        let mut wanted = 0;
        let mut trees = 0;
        let chunks = table.partition(chunk_size(pack, self.threads), |position, kind| {
            let is_new = is_new(position);
            if kind == Kind::Tree {
                trees += 1;
                if shared.records.is_some() && is_new {
                    records.push(Record::new(pack.id(position), kind, 0));
                }
            }
            let is_wanted = is_searched(kind) && is_new && self.is_asked(pack, position);
            wanted += u64::from(is_wanted);
            is_wanted
        });
        if let Some(progress) = &shared.progress {
            progress.total.fetch_add(wanted, Ordering::Relaxed);
        }
        if let Some(all) = shared.records {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.append(&mut records);
        }
        let mut failures = self.damaged_entries(pack, table, is_new);
        failures.extend(self.walk(pack, table, &chunks, shared, sink));
        (failures, trees)
    }

    /// Follows what the trees of packs refer to, where there is reason to expect that something is missing,
    /// or so little that it costs nothing.
    ///
    /// It takes as long again as the scan itself, and Git leaves no pack behind that is not whole.
    pub(super) fn follow_trees<S: BlobSink>(
        &self,
        (stores, tables): (&Stores, &mut [Table]),
        trees: &[usize],
        left_out: &LeftOut<'_>,
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        if self.only.is_some() {
            return failures;
        }
        let is_suspicious =
            self.connectivity || self.is_partial || shared.links.is_something_missing();
        let shared = shared.for_trees();
        for (number, ((pack, table), trees)) in
            stores.packs.iter().zip(tables).zip(trees).enumerate()
        {
            let is_new =
                |place: PackPos| is_suspicious || !left_out.is_remembered(number, place.index());
            if !is_suspicious && *trees > MAX_CHECKED_TREES
                || !PackPos::up_to(pack.len()).any(is_new)
            {
                continue;
            }
            let chunks = table.partition(chunk_size(pack, self.threads), |place, kind| {
                kind == Kind::Tree && is_new(place)
            });
            failures.extend(self.walk(pack, table, &chunks, &shared, sink));
        }
        failures
    }

    fn damaged_entries(
        &self,
        pack: &Pack,
        table: &Table,
        is_new: impl Fn(PackPos) -> bool + Sync,
    ) -> Vec<Failure> {
        let share = table
            .len()
            .div_ceil(u32::try_from(self.threads).unwrap_or(1))
            .max(1);
        let failure = |number: EntryNo| {
            let why = damage(pack, table, number)?;
            let position = table.position(number);
            let id = pack.id(position).to_owned();
            let fault = Fault::from(why);
            is_new(position).then_some(Failure { id, fault })
        };
        let starts = (0..table.len()).step_by(share as usize);
        let failures = workers::each(starts, |start| {
            let end = table.len().min(start.saturating_add(share));
            (start..end)
                .map(EntryNo::new)
                .filter_map(failure)
                .collect::<Vec<_>>()
        });
        failures.into_iter().flatten().collect()
    }

    fn walk<S: BlobSink>(
        &self,
        pack: &Pack,
        table: &Table,
        chunks: &[Chunk],
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> Vec<Failure> {
        let batches = batches(chunks);
        let next = AtomicUsize::new(0);
        self.in_parallel(sink, shared, |show| {
            let mut search = Search::new(show);
            let mut walk = Walk::new(pack, table, shared.max_object_size, &mut search);
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                for chunk in *batch {
                    if shared.is_stopped() {
                        return;
                    }
                    walk.chunk(chunk.start);
                }
            }
        })
    }

    /// Shows the loose objects.
    pub(super) fn scan_loose<S: BlobSink>(
        &self,
        stores: &Stores,
        left_out: &LeftOut<'_>,
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
                let mut reader = LooseReader::new();
                loop {
                    let start = next.fetch_add(64, Ordering::Relaxed);
                    let ids = loose.ids.iter().enumerate().skip(start).take(64);
                    if ids.len() == 0 || shared.is_stopped() {
                        return;
                    }
                    for (place, id) in ids {
                        let object = (loose.number(place), id.as_ref());
                        let asked = self.only.as_ref().is_none_or(|only| only.contains(id));
                        if asked && !left_out.has(number, place) {
                            let shown = show_loose(&mut reader, loose, object, show);
                            if let Err(fault) = shown {
                                show.fail(id, fault);
                            }
                        }
                    }
                }
            }));
        }
        failures
    }

    /// Runs `work` on every thread, each with its share of the sink.
    fn in_parallel<S: BlobSink>(
        &self,
        sink: &mut S,
        shared: &Shared<'_>,
        work: impl Fn(&mut Emitter<'_, S>) + Sync,
    ) -> Vec<Failure> {
        let failures = in_shares(sink, self.threads, "history", |share| {
            let mut show = Emitter::new(share, shared);
            work(&mut show);
            show.finish()
        });
        if failures.len() < self.threads {
            shared.links.lose_notes();
        }
        failures.into_iter().flatten().collect()
    }

    /// Tries the other copies of objects that could not be read, and names those that have none.
    pub(super) fn retry<S: BlobSink>(
        &self,
        (stores, tables): (&Stores, &[Table]),
        mut failures: Vec<Failure>,
        shared: &Shared<'_>,
        sink: &mut S,
    ) {
        failures.sort_unstable();
        failures.dedup_by(|a, b| a.id == b.id);
        let mut show = Emitter::new(sink, shared);
        for (pack, table) in stores.packs.iter().zip(tables) {
            let mut search = Search::new(&mut show);
            let mut walk = Walk::new(pack, table, shared.max_object_size, &mut search);
            failures.retain(|failure| !walk.single(&failure.id));
        }
        let mut reader = LooseReader::new();
        for loose in &stores.loose {
            failures.retain(|failure| {
                !loose.find(&failure.id).is_some_and(|number| {
                    let object = (number, failure.id.as_ref());
                    show_loose(&mut reader, loose, object, &mut show).is_ok()
                })
            });
        }
        show.finish();
        for failure in failures {
            sink.skip(failure.into_skip());
        }
    }
}
