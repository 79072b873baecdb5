//! The plain way: gix-pack inflates and rebuilds every object and each is shown whole.
//!
//! It is the reference that the delta walk is held against in tests and timed against. It stops at the
//! first damaged entry of a pack, so the program itself does not use it.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::objs::Kind;
use gix::odb::pack::cache::delta::{Tree, traverse};
use gix::odb::pack::data::EntryRange;
use gix::progress::Discard;

use super::pack::{DataFile, Pack};
use super::table::Table;
use crate::git::number::{EntryNo, Number as _, PackPos};

/// Shows every object of the wanted kinds of a pack, in parallel. `Break` ends it early.
pub(crate) fn traverse(
    pack: &Pack,
    threads: usize,
    is_wanted: impl Fn(PackPos) -> bool + Sync,
    show: impl FnMut(Kind, ObjectId, &[u8]) -> ControlFlow<()> + Send + Clone,
) -> gix::Result<()> {
    let table = Table::new(pack, threads);
    let kept: Vec<(u64, PackPos, Kind)> = EntryNo::up_to(table.len())
        .filter_map(|number| {
            let kind = table.kind(number)?;
            let entry = (table.range(number).start, table.position(number), kind);
            // gix-pack takes the first entry that it is given for the first of the pack.
            (kind != Kind::Tree || number.index() == 0).then_some(entry)
        })
        .collect();
    let data = pack.load().map_err(gix::Error::from_error)?;
    let stop = AtomicBool::new(false);
    let tree = Tree::from_offsets_in_pack(
        pack.path(),
        kept.into_iter(),
        &|entry: &(u64, PackPos, Kind)| entry.0,
        &|id| {
            let position = pack.find(id);
            Ok(position.map(|position| pack.offset(position)))
        },
        &mut Discard,
        &stop,
        pack.index.object_hash(),
    )?;
    let mut show = show;
    let is_wanted = &is_wanted;
    let stop = &stop;
    let result = tree.traverse(
        |range: EntryRange, data: &DataFile| data.entry_slice(range),
        data,
        pack.end(),
        move |&mut (_, position, kind), _, context| {
            if is_wanted(position)
                && show(kind, pack.id(position).to_owned(), context.decompressed).is_break()
            {
                stop.store(true, std::sync::atomic::Ordering::Relaxed);
            }
            Ok(())
        },
        traverse::Options {
            object_progress: Box::new(Discard),
            size_progress: &mut Discard,
            thread_limit: Some(threads),
            should_interrupt: stop,
            object_hash: pack.index.object_hash(),
            alloc_limit_bytes: None,
        },
    );
    match result {
        Ok(_) => Ok(()),
        Err(_) if stop.load(std::sync::atomic::Ordering::Relaxed) => Ok(()),
        Err(error) => Err(error),
    }
}
