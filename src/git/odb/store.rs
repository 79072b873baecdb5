//! The object stores of some directories: packs and loose objects.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::hash::oid;

use super::fault::Fault;
use super::loose::loose_path;
use super::pack::Pack;
use crate::coverage::{Skip, SkipReason};
use crate::git::discover::is_absent;
use crate::git::number::{Number as _, ObjectNo, PackPos};
use crate::git::path_bytes;

/// Objects are numbered below this; the bit above tells other things from them.
const MAX_OBJECTS: u32 = 1 << 31;

/// Every place that objects are read from, in a fixed order.
///
/// Objects have numbers: store by store, within a store in the order of their ids. Of an object that several
/// stores have, the number of the first one counts.
pub(crate) struct Stores {
    /// Packs, largest first.
    pub(crate) packs: Vec<Pack>,
    /// Directories of loose objects.
    pub(crate) loose: Vec<Loose>,
}

/// The loose objects of one objects directory.
pub(crate) struct Loose {
    directory: PathBuf,
    /// Number of the first one among those of all stores.
    first: ObjectNo,
    /// Their ids, sorted.
    pub(crate) ids: Vec<ObjectId>,
}

impl Stores {
    /// Opens everything below `directories`. What cannot be opened goes to `skips`.
    pub(crate) fn open(
        directories: &[PathBuf],
        hash: gix::hash::Kind,
        skips: &mut Vec<Skip>,
    ) -> Self {
        let mut packs = Vec::new();
        let mut loose = Vec::new();
        for directory in directories {
            let (indices, lone) = index_paths(&directory.join("pack"), skips);
            for pack in lone {
                let (name, detail) = (path_bytes(&pack), "the pack has no index");
                skips.push(Skip::with_detail(SkipReason::Corrupt, name, detail));
            }
            for index in indices {
                match Pack::open(&index, hash).and_then(loaded) {
                    Ok(pack) => packs.push(pack),
                    Err(skip) => skips.push(skip),
                }
            }
            loose.push(Loose::open(directory, hash, skips));
        }
        packs.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.path().cmp(b.path())));
        loose.retain(|loose| !loose.ids.is_empty());
        let mut stores = Self { packs, loose };
        stores.number(skips);
        stores
    }

    /// Numbers all objects. A store for which no numbers are left is none.
    fn number(&mut self, skips: &mut Vec<Skip>) {
        let mut next = 0_u32;
        let mut take = |length: usize, path: &Path| {
            let first = ObjectNo::new(next);
            let end = u32::try_from(length)
                .ok()
                .and_then(|length| next.checked_add(length))
                .filter(|end| *end <= MAX_OBJECTS);
            let Some(end) = end else {
                let (name, detail) = (path_bytes(path), "the repository has too many objects");
                skips.push(Skip::with_detail(SkipReason::Size, name, detail));
                return None;
            };
            next = end;
            Some(first)
        };
        self.packs.retain_mut(|pack| {
            let first = take(pack.len() as usize, pack.path());
            first.map(|first| pack.number_from(first)).is_some()
        });
        self.loose.retain_mut(|loose| {
            let first = take(loose.ids.len(), &loose.directory);
            first.map(|first| loose.first = first).is_some()
        });
    }

    /// Returns the number of objects, those of several stores counted in each.
    pub(crate) fn len(&self) -> usize {
        let packed: usize = self.packs.iter().map(|pack| pack.len() as usize).sum();
        packed
            + self
                .loose
                .iter()
                .map(|loose| loose.ids.len())
                .sum::<usize>()
    }

    /// The number of an object, if it is there.
    pub(crate) fn find(&self, id: &oid) -> Option<ObjectNo> {
        let packed = |pack: &Pack| pack.find(id).map(|position| pack.number(position));
        let found = self.packs.iter().find_map(packed);
        found.or_else(|| self.loose.iter().find_map(|loose| loose.find(id)))
    }

    /// The number that counts for an object, of which one of its numbers is known.
    pub(crate) fn canonical(&self, number: ObjectNo, id: &oid) -> ObjectNo {
        match self.packs.first() {
            Some(pack) if pack.position(number).is_some() => number,
            _ => self.find(id).unwrap_or(number),
        }
    }

    /// Returns true if the object is there.
    pub(crate) fn contains(&self, id: &oid) -> bool {
        self.find(id).is_some()
    }

    /// The id of the object with that number, which must be one.
    pub(crate) fn id_of(&self, number: ObjectNo) -> &oid {
        // Stores without objects share their number with the next one.
        let after = self
            .packs
            .partition_point(|pack| pack.number(PackPos::new(0)) <= number);
        let pack = after.checked_sub(1).and_then(|at| self.packs.get(at));
        if let Some((pack, position)) = pack.and_then(|pack| Some((pack, pack.position(number)?))) {
            return pack.id(position);
        }
        let after = self.loose.partition_point(|loose| loose.first <= number);
        let loose = &self.loose[after.saturating_sub(1)];
        &loose.ids[number.index() - loose.first.index()]
    }

    /// Marks the objects that an earlier store has as well.
    ///
    /// All ids are sorted already, so one merge over all stores at once finds them: a bit per object, and
    /// nothing to look up.
    pub(crate) fn duplicates(&self) -> Duplicates {
        let mut duplicates = Duplicates {
            stores: self.lengths().map(Bits::new).collect(),
        };
        let stores = duplicates.stores.len();
        if stores < 2 {
            return duplicates;
        }
        let mut heap: std::collections::BinaryHeap<_> = (0..stores)
            .filter_map(|store| Some(std::cmp::Reverse((self.id(store, 0)?, store, 0_usize))))
            .collect();
        let mut last = None;
        while let Some(mut top) = heap.peek_mut() {
            let std::cmp::Reverse((id, store, place)) = *top;
            if last == Some(id) {
                duplicates.stores[store].set(place);
            }
            last = Some(id);
            match self.id(store, place + 1) {
                Some(next) => *top = std::cmp::Reverse((next, store, place + 1)),
                None => {
                    std::collections::binary_heap::PeekMut::pop(top);
                }
            }
        }
        duplicates
    }

    /// Returns the number of objects in each store, packs first.
    pub(crate) fn lengths(&self) -> impl Iterator<Item = usize> + '_ {
        (self.packs.iter().map(|pack| pack.len() as usize))
            .chain(self.loose.iter().map(|loose| loose.ids.len()))
    }

    /// The id of the object at a place of a store; within a store they are sorted.
    pub(crate) fn id(&self, store: usize, place: usize) -> Option<&oid> {
        if let Some(pack) = self.packs.get(store) {
            return (place < pack.len() as usize).then(|| pack.id(PackPos::at(place)));
        }
        let loose = self.loose.get(store - self.packs.len())?;
        loose.ids.get(place).map(|id| id.as_ref())
    }
}

/// Sets of the objects in each store that are not the first of their id.
pub(crate) struct Duplicates {
    stores: Vec<Bits>,
}

impl Duplicates {
    /// Returns true if the object at a place of a store has been met in an earlier one. Packs come first.
    pub(crate) fn has(&self, store: usize, place: usize) -> bool {
        self.stores.get(store).is_some_and(|bits| bits.get(place))
    }
}

/// One bit per object.
#[derive(Debug)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// All unset.
    pub(crate) fn new(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    /// Sets one.
    pub(crate) fn set(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Returns true if the bit is set.
    pub(crate) fn get(&self, place: usize) -> bool {
        self.0
            .get(place / 64)
            .is_some_and(|word| word & (1 << (place % 64)) != 0)
    }
}

impl Loose {
    /// Lists the loose objects below a directory. Git follows links to folders and files there.
    fn open(directory: &Path, hash: gix::hash::Kind, skips: &mut Vec<Skip>) -> Self {
        let mut ids = Vec::new();
        for folder in entries(directory, skips) {
            let Some(start) = name(&folder).filter(|name| is_hex(name, 2)) else {
                continue;
            };
            for file in entries(&folder, skips) {
                let rest = name(&file).filter(|name| is_hex(name, hash.len_in_hex() - 2));
                let id = rest.map(|rest| ObjectId::from_hex([start, rest].concat().as_bytes()));
                ids.extend(id.and_then(Result::ok));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        let directory = directory.to_owned();
        Self {
            directory,
            first: ObjectNo::new(0),
            ids,
        }
    }

    /// The file of an object.
    pub(crate) fn path(&self, id: &oid) -> PathBuf {
        loose_path(&self.directory, id)
    }

    /// The number of the object at a place among the ids.
    pub(crate) fn number(&self, place: usize) -> ObjectNo {
        ObjectNo::at(self.first.index() + place)
    }

    /// The number of an object, if it is there.
    pub(crate) fn find(&self, id: &oid) -> Option<ObjectNo> {
        let found = self.ids.binary_search_by(|other| other.as_ref().cmp(id));
        found.ok().map(|place| self.number(place))
    }
}

/// A pack that is ready for a walk.
fn loaded(mut pack: Pack) -> Result<Pack, Skip> {
    let failed = |fault: Fault| fault.into_skip(path_bytes(pack.path()));
    pack.load().map_err(failed)?;
    pack.prepare();
    Ok(pack)
}

/// The paths of all pack indices of a directory, sorted, and the packs that have none.
pub(crate) fn index_paths(
    directory: &Path,
    skips: &mut Vec<Skip>,
) -> (BTreeSet<PathBuf>, Vec<PathBuf>) {
    let mut indices = BTreeSet::new();
    let mut packs = Vec::new();
    for path in entries(directory, skips) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("idx") => {
                indices.insert(path);
            }
            Some("pack") => packs.push(path),
            _ => {}
        }
    }
    packs.retain(|pack| !indices.contains(&pack.with_extension("idx")));
    (indices, packs)
}

/// The paths of what a directory has; none if it is not there. What cannot be listed goes to `skips`.
fn entries(directory: &Path, skips: &mut Vec<Skip>) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            if !is_absent(&error) {
                skips.push(unreadable(directory, error));
            }
            return Vec::new();
        }
    };
    let path = |entry: io::Result<std::fs::DirEntry>| match entry {
        Ok(entry) => Some(entry.path()),
        Err(error) => {
            skips.push(unreadable(directory, error));
            None
        }
    };
    entries.filter_map(path).collect()
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn is_hex(name: &str, length: usize) -> bool {
    name.len() == length && name.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn unreadable(path: &Path, error: impl ToString) -> Skip {
    let name = path_bytes(path);
    Skip::with_detail(SkipReason::Unreadable, name, error)
}
