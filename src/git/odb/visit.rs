//! Goes through all objects of a kind with all threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use gix::objs::Kind;

use super::loose::LooseReader;
use super::pack::Pack;
use super::store::Stores;
use super::table::Table;
use super::walk::{Judge, Object, Walk};
use crate::workers;

/// Shares of a pack are not made smaller than this many of its bytes.
const MIN_SHARE: u64 = 256 << 10;
/// Families are handed out in batches of about this weight: 128 KiB of the pack.
const BATCH: u32 = (128 << 10) / 64;
/// What is wrong with an entry whose kind is not known.
pub(crate) const NO_HEADER: &str = "the entry, or one that it is built on, has no readable header";

/// Shows every object of a kind, those of several stores from each, to the judges. Each of these works on a
/// thread of its own.
pub(crate) fn walk_all<J: Judge + Send>(
    stores: &Stores,
    tables: &mut [Table],
    kind: Kind,
    max_object_size: u64,
    judges: &mut [J],
) {
    for (pack, table) in stores.packs.iter().zip(tables) {
        let shares = table.divide(share(pack, judges.len()), |_, of| of == kind);
        let (table, batches, next) = (&*table, batches(&shares), AtomicUsize::new(0));
        workers::each(&mut *judges, |judge| {
            let mut walk = Walk::new(pack, table, max_object_size, judge);
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                for (start, _) in *batch {
                    walk.share(*start);
                }
            }
        });
    }
    for loose in &stores.loose {
        let next = AtomicUsize::new(0);
        workers::each(&mut *judges, |judge| {
            let mut reader = LooseReader::new();
            while let Some(id) = loose.ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                if judge.is_stopped() {
                    return;
                }
                match reader.of_kind(kind, &loose.path(id), max_object_size) {
                    Ok(Some(bytes)) => {
                        let place = loose.find(id).unwrap_or_default();
                        let kept =
                            judge.whole(&Object::loose(kind, id, loose.first + place), bytes);
                        judge.release(kept);
                    }
                    Ok(None) => {}
                    Err(fault) => judge.fail(id, fault),
                }
            }
        });
    }
}

/// Why an entry that will not be inflated cannot be trusted to be what it says: it has no kind, or it is a
/// tree whose checksum is wrong.
pub(crate) fn damage(pack: &Pack, table: &Table, number: u32) -> Option<&'static str> {
    match table.kind(number) {
        None => Some(NO_HEADER),
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

/// About how much of a pack is one share.
pub(crate) fn share(pack: &Pack, threads: usize) -> u64 {
    (pack.end() / (threads.max(1) as u64 * 16)).max(MIN_SHARE)
}

/// Puts small families together and takes the large ones first, so that no thread ends long after the
/// others.
pub(crate) fn batches(shares: &[(u32, u32)]) -> Vec<&[(u32, u32)]> {
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
