//! Every tree and commit of the object database: which pack entries and loose files hold them.
//!
//! Entries are found by their headers alone, so that nothing but trees and commits is ever inflated.

use std::path::PathBuf;

use gix::ObjectId;
use gix::odb::pack;
use gix::odb::pack::data::entry::Header;

use crate::coverage::{Skip, SkipReason};
use crate::source::repository::Repository;

/// The kinds of objects that provenance reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tree,
    Commit,
}

/// "There is none" for positions in a pack.
pub(super) const NONE: u32 = u32::MAX;

/// One pack, opened, with the delta families of its trees and commits.
pub(super) struct Pack {
    pub(super) index: pack::index::File,
    pub(super) data: pack::data::File,
    /// All entries, by offset.
    entries: Vec<Slot>,
    /// Per entry, the first entry that is a delta against it and the next one that shares its base.
    links: Vec<Link>,
    /// Entries that are no deltas.
    roots: Vec<(u32, Kind)>,
}

/// One entry of a pack.
#[derive(Clone, Copy)]
struct Slot {
    offset: u64,
    /// Position in the index, which is by id.
    index: u32,
}

#[derive(Clone, Copy)]
struct Link {
    child: u32,
    sibling: u32,
}

impl Pack {
    /// The entries that are not deltas, which head the families of that kind.
    pub(super) fn roots(&self, kind: Kind) -> impl Iterator<Item = u32> + '_ {
        self.roots
            .iter()
            .filter(move |root| root.1 == kind)
            .map(|root| root.0)
    }

    /// The first delta against an entry, or [`NONE`].
    pub(super) fn first_child(&self, entry: u32) -> u32 {
        self.links
            .get(entry as usize)
            .map_or(NONE, |link| link.child)
    }

    /// The next delta against the same base, or [`NONE`].
    pub(super) fn next_sibling(&self, entry: u32) -> u32 {
        self.links
            .get(entry as usize)
            .map_or(NONE, |link| link.sibling)
    }

    /// The id of an entry.
    pub(super) fn id(&self, entry: u32) -> ObjectId {
        let slot = self.entries[entry as usize];
        self.index.oid_at_index(slot.index).to_owned()
    }

    /// The bytes of an entry, header included, after they were checked against the index's CRC-32.
    pub(super) fn slice(&self, entry: u32) -> Result<&[u8], &'static str> {
        let slot = self.entries[entry as usize];
        let bytes = self
            .raw(entry as usize)
            .ok_or("the entry lies outside the pack")?;
        match self.index.crc32_at_index(slot.index) {
            Some(expected) if crc32fast::hash(bytes) != expected => Err("checksum mismatch"),
            _ => Ok(bytes),
        }
    }

    /// Where an entry starts.
    pub(super) fn offset(&self, entry: u32) -> u64 {
        self.entries[entry as usize].offset
    }

    fn raw(&self, entry: usize) -> Option<&[u8]> {
        let start = self.entries.get(entry)?.offset;
        let end = self
            .entries
            .get(entry + 1)
            .map_or(self.data.pack_end() as u64, |next| next.offset);
        self.data.entry_slice(start..end)
    }
}

/// All packs and the stores of loose objects.
pub(super) struct Store {
    pub(super) packs: Vec<Pack>,
    pub(super) loose: Vec<gix::odb::loose::Store>,
    /// Trees and commits that are loose.
    pub(super) loose_objects: Vec<(u32, ObjectId, Kind)>,
}

impl Store {
    /// Opens every pack and lists the loose trees and commits.
    pub(super) fn open(repo: &Repository, skips: &mut Vec<Skip>) -> Self {
        let hash = repo.object_hash();
        let mut packs = Vec::new();
        let mut loose = Vec::new();
        let mut loose_objects = Vec::new();
        for dir in repo.objects_dirs() {
            for index in pack_indexes(dir, skips) {
                match open_pack(&index, hash, skips) {
                    Ok(pack) => packs.push(pack),
                    Err(error) => skips.push(Skip::with_detail(
                        SkipReason::Corrupt,
                        index.to_string_lossy().into_owned(),
                        error,
                    )),
                }
            }
            let store = gix::odb::loose::Store::at(dir, hash);
            list_loose(&store, loose.len() as u32, &mut loose_objects, skips);
            loose.push(store);
        }
        Self {
            packs,
            loose,
            loose_objects,
        }
    }

    /// The ids of all objects of a kind, sorted, each once.
    pub(super) fn ids(&self, kind: Kind) -> Vec<ObjectId> {
        let mut ids = Vec::new();
        for pack in &self.packs {
            let mut positions: Vec<u32> = Vec::new();
            let mut stack: Vec<u32> = pack.roots(kind).collect();
            while let Some(entry) = stack.pop() {
                positions.push(pack.entries[entry as usize].index);
                let mut child = pack.first_child(entry);
                while child != NONE {
                    stack.push(child);
                    child = pack.next_sibling(child);
                }
            }
            positions.sort_unstable();
            ids.extend(
                positions
                    .into_iter()
                    .map(|at| pack.index.oid_at_index(at).to_owned()),
            );
        }
        ids.extend(
            self.loose_objects
                .iter()
                .filter(|object| object.2 == kind)
                .map(|object| object.1),
        );
        // The parts are sorted already, which a stable sort makes use of.
        ids.sort();
        ids.dedup();
        ids
    }
}

fn pack_indexes(dir: &std::path::Path, skips: &mut Vec<Skip>) -> Vec<PathBuf> {
    let dir = dir.join("pack");
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            skips.push(Skip::with_detail(
                SkipReason::Unreadable,
                dir.to_string_lossy().into_owned(),
                error,
            ));
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "idx"))
        .collect();
    paths.sort();
    paths
}

fn open_pack(
    path: &std::path::Path,
    hash: gix::hash::Kind,
    skips: &mut Vec<Skip>,
) -> Result<Pack, gix::Error> {
    let index = pack::index::File::at(path, hash)?;
    let data = pack::data::File::at(path.with_extension("pack"), hash)?;
    let mut entries: Vec<Slot> = (0..index.num_objects())
        .map(|at| Slot {
            offset: index.pack_offset_at_index(at),
            index: at,
        })
        .collect();
    entries.sort_unstable_by_key(|slot| slot.offset);
    let mut pack = Pack {
        links: vec![
            Link {
                child: NONE,
                sibling: NONE,
            };
            entries.len()
        ],
        index,
        data,
        entries,
        roots: Vec::new(),
    };
    link(&mut pack, hash, skips);
    Ok(pack)
}

/// Reads all headers and ties each delta to its base.
fn link(pack: &mut Pack, hash: gix::hash::Kind, skips: &mut Vec<Skip>) {
    // Backwards, so that the children of a base end up in the order of their offsets.
    for at in (0..pack.entries.len()).rev() {
        let offset = pack.entries[at].offset;
        let header = pack
            .raw(at)
            .and_then(|bytes| pack::data::Entry::from_bytes(bytes, offset, hash).ok());
        let base = match header.as_ref().map(|entry| &entry.header) {
            Some(Header::Tree) => {
                pack.roots.push((at as u32, Kind::Tree));
                continue;
            }
            Some(Header::Commit) => {
                pack.roots.push((at as u32, Kind::Commit));
                continue;
            }
            Some(Header::Blob | Header::Tag) => continue,
            Some(Header::OfsDelta { base_distance }) => offset
                .checked_sub(*base_distance)
                .filter(|base| *base < offset)
                .and_then(|base| {
                    pack.entries
                        .binary_search_by_key(&base, |slot| slot.offset)
                        .ok()
                }),
            Some(Header::RefDelta { base_id }) => pack
                .index
                .lookup(base_id)
                .map(|index| pack.index.pack_offset_at_index(index))
                .and_then(|base| {
                    pack.entries
                        .binary_search_by_key(&base, |slot| slot.offset)
                        .ok()
                }),
            None => None,
        };
        match base {
            // Entries that form a circle hang below no root and are never reached.
            Some(base) => {
                pack.links[at].sibling = pack.links[base].child;
                pack.links[base].child = at as u32;
            }
            None => {
                let id = pack.index.oid_at_index(pack.entries[at].index);
                skips.push(Skip::with_detail(
                    SkipReason::Corrupt,
                    id.to_string(),
                    "the pack entry has no readable header or no base",
                ));
            }
        }
    }
    pack.roots.reverse();
}

fn list_loose(
    store: &gix::odb::loose::Store,
    at: u32,
    out: &mut Vec<(u32, ObjectId, Kind)>,
    skips: &mut Vec<Skip>,
) {
    for id in store.iter().flatten() {
        match store.try_header(&id) {
            Ok(Some((_, gix::object::Kind::Tree))) => out.push((at, id, Kind::Tree)),
            Ok(Some((_, gix::object::Kind::Commit))) => out.push((at, id, Kind::Commit)),
            Ok(_) => {}
            Err(error) => skips.push(Skip::with_detail(
                SkipReason::Corrupt,
                id.to_string(),
                error,
            )),
        }
    }
}
