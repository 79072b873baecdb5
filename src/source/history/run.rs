//! Goes through packs and loose objects with all threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bstr::BString;
use gix::objs::Kind;

use super::History;
use super::cache::{Record, Remembered};
use super::loose::Reader;
use super::pack::Pack;
use super::show::{Failure, Fault, Shared, Show};
use super::store::{Duplicates, Stores};
use super::table::Table;
use super::walk::{Walk, is_searched};
use crate::coverage::{Skip, SkipReason};
use crate::source::BlobSink;

/// Shares of a pack are not made smaller than this many of its bytes.
const MIN_SHARE: u64 = 256 << 10;
/// Families are handed out in batches of about this weight: 128 KiB of the pack.
const BATCH: u32 = (128 << 10) / 64;
/// Packs with more trees than this are not checked for what the trees refer to without a reason.
const MAX_CHECKED_TREES: usize = 20_000;

/// Objects that are not read.
pub(super) struct LeftOut<'a> {
    /// They are read elsewhere.
    pub(super) duplicates: &'a Duplicates,
    /// An earlier scan has read them.
    pub(super) remembered: Option<&'a Remembered>,
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
    pub(super) fn is_asked(&self, pack: &Pack, position: u32) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.contains(pack.id(position)))
    }

    /// Shows the blobs, commits and tags of a pack; gives what could not be read and the number of trees.
    pub(super) fn scan_pack<S: BlobSink>(
        &self,
        number: usize,
        pack: &Pack,
        left_out: &LeftOut<'_>,
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> (Vec<Failure>, usize) {
        let is_new = |position: u32| !left_out.has(number, position as usize);
        if left_out.remembered.is_some() && !(0..pack.len()).any(is_new) {
            return (Vec::new(), 0);
        }
        let mut table = Table::new(pack, self.threads);
        let mut records = Vec::new();
        let mut wanted = 0;
        let mut trees = 0;
        let shares = table.divide(self.share(pack), |position, kind| {
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
        let mut failures = self.damaged_entries(pack, &table, is_new);
        failures.extend(self.walk(pack, &table, &shares, shared, sink));
        (failures, trees)
    }

    /// Follows what the trees of packs refer to, where there is reason to expect that something is missing,
    /// or so little that it costs nothing.
    ///
    /// It takes as long again as the scan itself, and Git leaves no pack behind that is not whole.
    pub(super) fn follow_trees<S: BlobSink>(
        &self,
        stores: &Stores,
        trees: &[usize],
        left_out: &LeftOut<'_>,
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        if self.only.is_some() {
            return failures;
        }
        let is_suspicious = self.is_partial || shared.links.is_something_missing();
        let shared = shared.for_trees();
        for (number, (pack, trees)) in stores.packs.iter().zip(trees).enumerate() {
            let is_new =
                |place: u32| is_suspicious || !left_out.is_remembered(number, place as usize);
            if !is_suspicious && *trees > MAX_CHECKED_TREES || !(0..pack.len()).any(is_new) {
                continue;
            }
            let mut table = Table::new(pack, self.threads);
            let shares = table.divide(self.share(pack), |place, kind| {
                kind == Kind::Tree && is_new(place)
            });
            failures.extend(self.walk(pack, &table, &shares, &shared, sink));
        }
        failures
    }

    fn damaged_entries(
        &self,
        pack: &Pack,
        table: &Table,
        is_new: impl Fn(u32) -> bool + Sync,
    ) -> Vec<Failure> {
        let failures = Mutex::new(Vec::new());
        let share = table
            .len()
            .div_ceil(u32::try_from(self.threads).unwrap_or(1))
            .max(1);
        std::thread::scope(|scope| {
            for start in (0..table.len()).step_by(share as usize) {
                let (failures, is_new) = (&failures, &is_new);
                scope.spawn(move || {
                    for number in start..table.len().min(start.saturating_add(share)) {
                        let Some(why) = damage(pack, table, number) else {
                            continue;
                        };
                        let position = table.position(number);
                        if is_new(position) {
                            let id = pack.id(position).to_owned();
                            let fault = Fault::from(why);
                            let mut failures =
                                failures.lock().unwrap_or_else(PoisonError::into_inner);
                            failures.push(Failure { id, fault });
                        }
                    }
                });
            }
        });
        failures
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn share(&self, pack: &Pack) -> u64 {
        (pack.end() / (self.threads as u64 * 16)).max(MIN_SHARE)
    }

    fn walk<S: BlobSink>(
        &self,
        pack: &Pack,
        table: &Table,
        shares: &[(u32, u32)],
        shared: &Shared<'_>,
        sink: &mut S,
    ) -> Vec<Failure> {
        let batches = batches(shares);
        let next = AtomicUsize::new(0);
        self.in_parallel(sink, shared, |show| {
            let mut walk = Walk::new(pack, table, shared, show);
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                for (start, _) in *batch {
                    if shared.is_stopped() {
                        return;
                    }
                    walk.share(*start);
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
                let mut reader = Reader::new();
                loop {
                    let start = next.fetch_add(64, Ordering::Relaxed);
                    let ids = loose.ids.iter().enumerate().skip(start).take(64);
                    if ids.len() == 0 || shared.is_stopped() {
                        return;
                    }
                    for (place, id) in ids {
                        let asked = self.only.as_ref().is_none_or(|only| only.contains(id));
                        if asked && !left_out.has(number, place) {
                            let shown = reader.show(loose, id, shared, show);
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
    pub(super) fn retry<S: BlobSink>(
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
        let mut reader = Reader::new();
        for loose in &stores.loose {
            failures.retain(|failure| {
                !(loose.contains(&failure.id)
                    && reader.show(loose, &failure.id, shared, &mut show).is_ok())
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
}

/// Why an entry that will not be inflated cannot be trusted to be what it says: it has no kind, or it is a
/// tree whose checksum is wrong.
fn damage(pack: &Pack, table: &Table, number: u32) -> Option<&'static str> {
    match table.kind(number) {
        None => Some("the entry, or one that it is built on, has no readable header"),
        Some(Kind::Tree) => {
            let range = table.range(number);
            let entry = pack.entry(range.start, range.end).unwrap_or_default();
            let expected = table.checksum(number)?;
            let is_damaged = crc32fast::hash(entry) != expected;
            is_damaged.then_some("the entry does not have the checksum that the index says")
        }
        Some(_) => None,
    }
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
