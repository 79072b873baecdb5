//! Trees: their entries, look-ups by path, and what sets one apart from others.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::odb::fault::{Failure, Fault};
use super::repeats::Repeats;
use super::repository::Repository;
use crate::coverage::{Skip, SkipReason};

/// Message about a tree that ends within an entry, or has one that Git could not have written.
pub(crate) const MALFORMED: &str = "not a tree that can be read to its end";

/// An entry of a tree, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'t> {
    /// Octal digits.
    mode: &'t [u8],
    pub(crate) name: &'t BStr,
    pub(crate) id: &'t gix::oid,
    /// Length of the entry in bytes.
    pub(crate) length: usize,
}

impl Entry<'_> {
    /// Returns the kind by the mode. Like Git, takes for a submodule whatever is neither a file nor a link nor a tree.
    pub(crate) fn kind(&self) -> EntryKind {
        let digits = self.mode.iter();
        let mode = digits.fold(0_u32, |mode, digit| mode << 3 | u32::from(digit & 7));
        match mode & 0o170_000 {
            0o040_000 => EntryKind::Tree,
            0o120_000 => EntryKind::Link,
            0o100_000 if mode & 0o111 != 0 => EntryKind::BlobExecutable,
            0o100_000 => EntryKind::Blob,
            _ => EntryKind::Commit,
        }
    }
}

/// First item of a tree's bytes.
pub(crate) enum Parsed<'t> {
    Entry(Entry<'t>),
    /// The start of one.
    Part,
    Malformed,
}

/// Parses the entry at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8], id_length: usize) -> Parsed<'_> {
    let space = match memchr::memchr2(b' ', 0, &bytes[..bytes.len().min(8)]) {
        Some(at) if bytes[at] == b' ' => at,
        None if bytes.len() < 8 => return Parsed::Part,
        _ => return Parsed::Malformed,
    };
    let mode = &bytes[..space];
    if mode.is_empty() || !mode.iter().all(|digit| matches!(digit, b'0'..=b'7')) {
        return Parsed::Malformed;
    }
    let Some(end) = memchr::memchr(0, &bytes[space + 1..]) else {
        return Parsed::Part;
    };
    let from = space + end + 2;
    let Some(raw) = bytes.get(from..from + id_length) else {
        return Parsed::Part;
    };
    match gix::oid::try_from_bytes(raw) {
        Ok(id) => Parsed::Entry(Entry {
            mode,
            name: bytes[space + 1..from - 1].as_bstr(),
            id,
            length: from + id_length,
        }),
        Err(_) => Parsed::Malformed,
    }
}

/// The entries of a tree whose ids have `id_length` bytes, in their order. Damage is the last item.
pub(crate) fn entries(
    mut tree: &[u8],
    id_length: usize,
) -> impl Iterator<Item = Result<Entry<'_>, Fault>> {
    std::iter::from_fn(move || {
        if tree.is_empty() {
            return None;
        }
        let Parsed::Entry(entry) = parse(tree, id_length) else {
            tree = &[];
            return Some(Err(MALFORMED.into()));
        };
        tree = &tree[entry.length..];
        Some(Ok(entry))
    })
}

/// The entry that a path begins with, and what is left of the path below it.
///
/// Searches exactly as Git does (`get_tree_entry`): of several entries of one name the first counts, and the search
/// ends at a name that should come later, whatever follows.
fn step<'t, 'p>(
    tree: &'t [u8],
    id_length: usize,
    path: &'p [u8],
) -> Result<Option<(Entry<'t>, &'p [u8])>, Fault> {
    for entry in entries(tree, id_length) {
        let entry = entry?;
        let Some((start, rest)) = path.split_at_checked(entry.name.len()) else {
            continue;
        };
        match start.cmp(entry.name) {
            Ordering::Greater => continue,
            Ordering::Less => break,
            Ordering::Equal => {}
        }
        match rest.split_first() {
            None => return Ok(Some((entry, rest))),
            Some((b'/', below)) if entry.kind() == EntryKind::Tree => {
                return Ok(Some((entry, below)));
            }
            Some((b'/', _)) => break,
            Some(_) => {}
        }
    }
    Ok(None)
}

/// A path at which a tree differs from every other.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) path: BString,
    /// The tree's object there.
    pub(crate) new: Option<ObjectId>,
    /// The objects of each of the others there.
    pub(crate) old: Vec<Option<ObjectId>>,
}

/// Blobs and trees by name, by whether they are trees (what is a file here and a directory there are two things),
/// and by how many have the same name before it, which only trees made to harm have; or [`SUBMODULE`].
type Named = BTreeMap<(BString, bool, u32), ObjectId>;

/// In the place of that number: the object is a commit of another repository.
const SUBMODULE: u32 = u32::MAX;

/// Objects of a tree and of the others at one path.
type Sides = (Option<ObjectId>, Vec<Option<ObjectId>>);

/// Reads trees, and keeps them for what asks next: a commit and its child have most of them in common.
pub(crate) struct Trees<'a> {
    repo: &'a Repository,
    read: HashMap<ObjectId, Rc<Vec<u8>>>,
    named: HashMap<ObjectId, Rc<Named>>,
    /// Sides that were seen under another path of the same comparison: additions, and removals.
    added: Repeats<Sides>,
    removed: Repeats<Sides>,
    /// Objects that could not be read in comparisons.
    pub(crate) skips: Vec<Skip>,
}

/// Memory for such paths of all comparisons together: two million and more.
const REPEATED_PATHS: usize = 512 << 20;

/// Trees that are kept before all are forgotten.
const KEPT: usize = 2048;

impl<'a> Trees<'a> {
    /// Nothing read yet.
    pub(crate) fn new(repo: &'a Repository) -> Self {
        Self {
            repo,
            read: HashMap::new(),
            named: HashMap::new(),
            added: Repeats::new(REPEATED_PATHS),
            removed: Repeats::new(REPEATED_PATHS),
            skips: Vec::new(),
        }
    }

    /// The bytes of a tree.
    fn tree(&mut self, id: ObjectId) -> Result<Rc<Vec<u8>>, Failure> {
        if let Some(tree) = self.read.get(&id) {
            return Ok(Rc::clone(tree));
        }
        let tree = Rc::new(self.repo.tree(id)?);
        if self.read.len() >= KEPT {
            self.read.clear();
        }
        self.read.insert(id, Rc::clone(&tree));
        Ok(tree)
    }

    /// Looks up a path below a tree, as `git rev-parse TREE:PATH` does.
    pub(crate) fn lookup(
        &mut self,
        root: ObjectId,
        path: &[u8],
    ) -> Result<Option<(EntryKind, ObjectId)>, Failure> {
        let (mut id, mut path) = (root, path);
        loop {
            let tree = self.tree(id)?;
            let found = step(&tree, id.kind().len_in_bytes(), path);
            let Some((entry, below)) = found.map_err(|fault| Failure { id, fault })? else {
                return Ok(None);
            };
            if below.is_empty() {
                return Ok(Some((entry.kind(), entry.id.to_owned())));
            }
            (id, path) = (entry.id.to_owned(), below);
        }
    }

    /// The blob or link at a path; `None` where there is none, or where that cannot be read.
    pub(crate) fn blob_at(&mut self, root: ObjectId, path: &[u8]) -> Option<ObjectId> {
        match self.lookup(root, path) {
            Ok(Some((EntryKind::Tree | EntryKind::Commit, _)) | None) => None,
            Ok(Some((_, id))) => Some(id),
            Err(failure) => {
                self.skip(failure.into_skip());
                None
            }
        }
    }

    /// Returns the entries of a tree, by name.
    fn named(&mut self, id: ObjectId) -> Rc<Named> {
        if let Some(named) = self.named.get(&id) {
            return Rc::clone(named);
        }
        let named = Rc::new(self.load(id));
        if self.named.len() >= KEPT {
            self.named.clear();
        }
        self.named.insert(id, Rc::clone(&named));
        named
    }

    fn load(&mut self, id: ObjectId) -> Named {
        let mut named = Named::new();
        let tree = match self.repo.tree(id) {
            Ok(tree) => tree,
            Err(failure) => {
                self.skip(failure.into_skip());
                return named;
            }
        };
        for entry in entries(&tree, id.kind().len_in_bytes()) {
            match entry.map(|entry| (entry.kind(), entry)) {
                Ok((EntryKind::Commit, entry)) => {
                    let key = (entry.name.to_owned(), false, SUBMODULE);
                    named.insert(key, entry.id.to_owned());
                }
                Ok((kind, entry)) => {
                    let last = SUBMODULE - 1;
                    let mut key = (entry.name.to_owned(), kind == EntryKind::Tree, last);
                    let before = named.range(..=&key).next_back();
                    key.2 = match before {
                        Some((last, _)) if (&last.0, last.1) == (&key.0, key.1) => last.2 + 1,
                        _ => 0,
                    };
                    named.insert(key, entry.id.to_owned());
                }
                Err(fault) => self.skip(Failure { id, fault }.into_skip()),
            }
        }
        named
    }

    fn skip(&mut self, skip: Skip) {
        if !self.skips.contains(&skip) {
            self.skips.push(skip);
        }
    }

    /// Shows every path at which `new` differs from each of `old`; with no `old`, all of `new`.
    ///
    /// Of trees that name each other over and over not every path is shown, but each change is; that is a
    /// skip.
    pub(crate) fn diff(
        &mut self,
        new: Option<ObjectId>,
        old: &[Option<ObjectId>],
        mut each: impl FnMut(Change),
    ) {
        let root = new;
        self.added.forget();
        self.removed.forget();
        let mut stack = vec![(BString::default(), (new, old.to_vec()), false)];
        while let Some((prefix, (new, old), is_repeat)) = stack.pop() {
            let new_entries = new.map(|id| self.named(id));
            let old_entries: Vec<_> = old.iter().map(|id| id.map(|id| self.named(id))).collect();
            let all = new_entries.iter().chain(old_entries.iter().flatten());
            let keys: BTreeSet<_> = all.flat_map(|all| all.keys()).collect();
            for key in keys {
                let here = new_entries
                    .as_ref()
                    .and_then(|entries| entries.get(key).copied());
                let there: Vec<Option<ObjectId>> = old_entries
                    .iter()
                    .map(|entries| entries.as_ref()?.get(key).copied())
                    .collect();
                if there.contains(&here) {
                    continue;
                }
                let (name, is_tree, number) = key;
                let mut path = prefix.clone();
                path.extend_from_slice(name);
                if *number == SUBMODULE {
                    // A repository of its own: what came in there is not looked at, and that is said.
                    if here.is_some() {
                        self.skip(Skip::new(SkipReason::Submodule, path));
                    }
                    continue;
                }
                let sides = (here, there);
                let repeats = match sides.0 {
                    Some(_) => &mut self.added,
                    None => &mut self.removed,
                };
                let is_repeat = is_repeat || (*is_tree && !repeats.is_first(sides.clone()));
                if is_repeat && !repeats.afford(&path) {
                    // What was there before and is not looked at can only make more secrets count as new.
                    if let (Some(root), (Some(_), _)) = (root, sides) {
                        self.skip(too_many_paths(root));
                    }
                    continue;
                }
                if *is_tree {
                    path.push(b'/');
                    stack.push((path, sides, is_repeat));
                } else {
                    let (new, old) = sides;
                    each(Change { path, new, old });
                }
            }
        }
    }
}

fn too_many_paths(root: ObjectId) -> Skip {
    let detail = "a tree with more paths to the same files than are looked at";
    Skip::with_detail(SkipReason::Unsupported, root.to_string(), detail)
}
