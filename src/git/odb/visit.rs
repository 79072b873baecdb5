//! Goes through all objects of a kind with all threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use gix::objs::Kind;

use super::loose::LooseReader;
use super::pack::Pack;
use super::store::Stores;
use super::table::{Chunk, Table};
use super::walk::{Object, Visitor, Walk};
use crate::git::number::EntryNo;
use crate::workers;

/// Chunks of a pack are not made smaller than this many of its bytes.
const MIN_CHUNK: u64 = 256 << 10;
/// Chunks are handed out in batches of about this weight: 128 KiB of the pack.
const BATCH: u32 = (128 << 10) / 64;
/// Message about an entry whose kind is not known.
pub(crate) const NO_HEADER: &str = "the entry, or one that it is built on, has no readable header";

/// Shows every object of a kind, those of several stores from each, to the visitors. Each of these works on a
/// thread of its own.
pub(crate) fn walk_all<V: Visitor + Send>(
    stores: &Stores,
    tables: &mut [Table],
    kind: Kind,
    max_object_size: u64,
    visitors: &mut [V],
) {
    for (pack, table) in stores.packs.iter().zip(&mut *tables) {
        let chunks = table.partition(chunk_size(pack, visitors.len()), |_, of| of == kind);
        let (table, batches, next) = (&*table, batches(&chunks), AtomicUsize::new(0));
        workers::each(&mut *visitors, |visitor| {
            let mut walk = Walk::new(pack, table, max_object_size, visitor);
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                for chunk in *batch {
                    walk.chunk(chunk.start);
                }
            }
        });
    }
    let tables = &*tables;
    for loose in &stores.loose {
        let next = AtomicUsize::new(0);
        workers::each(&mut *visitors, |visitor| {
            let mut reader = LooseReader::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(id) = loose.ids.get(place) else {
                    return;
                };
                if visitor.is_stopped() {
                    return;
                }
                match reader.of_kind(kind, &loose.path(id), max_object_size) {
                    Ok(Some(bytes)) => {
                        let object = Object::loose(kind, id, loose.number(place));
                        let state = visitor.base(&object, bytes);
                        visitor.release(state);
                    }
                    Ok(None) => {}
                    // A damaged copy of something that a pack knows to be of another kind.
                    Err(_) if kind_of(stores, tables, id).is_some_and(|of| of != kind) => {}
                    Err(fault) => visitor.failed(id, fault),
                }
            }
        });
    }
}

/// The kind of a packed object, without reading it.
pub(super) fn kind_of(stores: &Stores, tables: &[Table], id: &gix::oid) -> Option<Kind> {
    let packs = stores.packs.iter();
    packs.zip(tables).find_map(|(pack, table)| {
        let offset = pack.offset(pack.find(id)?);
        table.kind(table.find(offset)?)
    })
}

/// Returns the reason why an entry that will not be inflated cannot be trusted to be what it says: it has no kind, or
/// it is a tree whose checksum is wrong.
pub(crate) fn damage(pack: &Pack, table: &Table, number: EntryNo) -> Option<&'static str> {
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

/// About how many bytes of a pack are one chunk.
pub(crate) fn chunk_size(pack: &Pack, threads: usize) -> u64 {
    (pack.end() / (threads.max(1) as u64 * 16)).max(MIN_CHUNK)
}

/// Puts small delta trees together and takes the large ones first, so that no thread ends long after the
/// others.
pub(crate) fn batches(chunks: &[Chunk]) -> Vec<&[Chunk]> {
    let mut weight = 0_u32;
    let mut batches: Vec<(u32, &[Chunk])> = Vec::new();
    let mut first = 0;
    for (index, chunk) in chunks.iter().enumerate() {
        weight = weight.saturating_add(chunk.weight);
        if weight >= BATCH || index + 1 == chunks.len() {
            batches.push((weight, &chunks[first..=index]));
            first = index + 1;
            weight = 0;
        }
    }
    batches.sort_by_key(|(weight, _)| std::cmp::Reverse(weight / (BATCH * 2)));
    batches.into_iter().map(|(_, chunks)| chunks).collect()
}
