//! The object database: packs, loose objects, alternates.

pub(crate) mod alternates;
pub(crate) mod delta;
mod entry;
pub mod fault;
pub(crate) mod inflate;
pub(crate) mod loose;
pub(crate) mod notes;
pub(crate) mod objects;
pub(crate) mod pack;
pub(crate) mod plain;
pub(crate) mod store;
pub(crate) mod table;
mod visit;
pub(crate) mod walk;

use std::path::PathBuf;

use super::number::{EntryNo, Number as _};
use crate::coverage::{Skip, SkipReason};
use notes::CommitTable;
use store::Stores;
use table::Table;
pub(crate) use visit::{NO_HEADER, batches, chunk_size, damage, walk_all};

/// Default limit on the inflated size of an object, in bytes.
///
/// Reading an object takes up to three buffers of that size: a base, a delta and what it makes. Hosting services
/// refuse files above 100 MiB; Git itself makes no deltas of files above 512 MiB.
pub const MAX_OBJECT_SIZE: u64 = 256 << 20;

/// A scan's knowledge of a repository: its stores, opened, and the links between its commits.
pub struct Database {
    pub(crate) stores: Stores,
    /// One for each pack.
    pub(crate) tables: Vec<Table>,
    /// All commits; `None` if not all of them were read.
    pub(crate) commits: Option<Vec<CommitTable>>,
    pub(crate) max_object_size: u64,
}

impl Database {
    /// Opens the stores without scanning anything.
    pub(crate) fn open(
        directories: &[PathBuf],
        hash: gix::hash::Kind,
        max_object_size: u64,
        threads: usize,
        skips: &mut Vec<Skip>,
    ) -> Self {
        let stores = Stores::open(directories, hash, skips);
        let mut tables = Vec::new();
        for pack in &stores.packs {
            let table = Table::new(pack, threads);
            for number in EntryNo::up_to(table.len()).filter(|number| table.kind(*number).is_none())
            {
                let id = pack.id(table.position(number)).to_string();
                let detail = NO_HEADER;
                skips.push(Skip::with_detail(SkipReason::Corrupt, id, detail));
            }
            tables.push(table);
        }
        Self {
            tables,
            stores,
            commits: None,
            max_object_size,
        }
    }

    /// The kind of a packed object, without reading it.
    pub(crate) fn kind(&self, id: &gix::oid) -> Option<gix::objs::Kind> {
        visit::kind_of(&self.stores, &self.tables, id)
    }

    /// The stores, once nothing is to be walked over any more.
    pub(crate) fn into_stores(self) -> Stores {
        self.stores
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("objects", &self.stores.len())
            .finish_non_exhaustive()
    }
}
