//! Compares the index with a tree by names and object ids, reading only the trees that differ.
//!
//! The index usually knows the ids of the trees that its entries would make (its cache of trees). Where one of
//! them is the tree that `HEAD` has, nothing below differs and nothing below is looked at. That trusts the
//! index exactly as far as Git does: a commit records the cached ids, not the entries. The slow truth is the
//! comparison without the cache.

use std::cmp::Ordering;
use std::ops::Range;

use bstr::{BStr, BString, ByteSlice as _};
use gix::ObjectId;
use gix::index::entry::Mode;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use super::index::{Cached, Index};
use crate::coverage::{Skip, SkipReason};
use crate::git::Repeats;
use crate::git::odb::fault::Fault;
use crate::git::repository::Objects;
use crate::git::tree::{self, Entry};
use crate::provenance::Version;
use crate::source::entries::Item;

/// Trees nested deeper than this are not followed; Git itself stops at 2048.
const MAX_DEPTH: usize = 1024;

/// Memory for directories that were seen under another path: a hundred thousand and more. Each costs a look at
/// its files as well.
const REPEATED_ADDED: usize = 32 << 20;

/// Likewise for what is removed, where it is only a matter of which exceptions held there.
const REPEATED_REMOVED: usize = 512 << 10;

/// A comparison under way, then its result.
pub(super) struct Comparison<'a> {
    objects: &'a Objects,
    index: &'a Index,
    /// The directory that is looked at, with a `/` at its end unless it is the root.
    path: BString,
    depth: usize,
    /// Trees of the new side, each with that of the old side; trees of the old side alone.
    added_again: Repeats<(ObjectId, Option<ObjectId>)>,
    removed_again: Repeats<ObjectId>,
    /// True if the current directory is below one that was met before.
    is_repeat: bool,
    /// In order of path; the old versions of a path follow the new ones.
    pub(super) items: Vec<Item>,
    pub(super) skips: Vec<Skip>,
    pub(super) changed: usize,
    pub(super) removed: usize,
}

/// One name in a directory of the new side.
struct New<'n, 'a> {
    name: &'n BStr,
    is_tree: bool,
    what: What<'a>,
}

#[derive(Clone)]
enum What<'a> {
    /// Entries of the index: one file with its stages, or all files of a directory.
    Entries(Range<usize>, Option<Cached<'a>>),
    /// An object of a tree, below a directory that the index does not expand.
    Object(EntryKind, ObjectId),
}

impl<'a> Comparison<'a> {
    pub(super) fn new(objects: &'a Objects, index: &'a Index) -> Self {
        Self {
            objects,
            index,
            path: BString::default(),
            depth: 0,
            added_again: Repeats::new(REPEATED_ADDED),
            removed_again: Repeats::new(REPEATED_REMOVED),
            is_repeat: false,
            items: Vec::new(),
            skips: Vec::new(),
            changed: 0,
            removed: 0,
        }
    }

    /// Compares with the tree of `HEAD`; there is none on a branch without commits.
    pub(super) fn with_head(&mut self, head_tree: Option<ObjectId>) {
        let all = 0..self.index.len();
        self.directory(Some(What::Entries(all, self.index.cached())), head_tree);
    }

    /// Compares with a tree entry by entry: the slow truth.
    pub(super) fn without_cache(&mut self, head_tree: Option<ObjectId>) {
        let all = 0..self.index.len();
        self.directory(Some(What::Entries(all, None)), head_tree);
    }

    /// Lists everything that the index has, compared with nothing.
    pub(super) fn all_files(&mut self) {
        self.without_cache(None);
    }

    fn skip(&mut self, reason: SkipReason, detail: impl ToString) {
        let skip = Skip::with_detail(reason, self.path.clone(), detail);
        self.skips.push(skip);
    }

    fn directory(&mut self, new: Option<What<'a>>, old_id: Option<ObjectId>) {
        if self.depth >= MAX_DEPTH {
            if new.is_some() {
                self.skip(SkipReason::Unsupported, "nested too deeply");
            }
            return;
        }
        let mut buffer = Vec::new();
        let Some(new) = new else {
            return self.compare(&[], old_id);
        };
        match new {
            What::Entries(range, cache) => {
                let is_unchanged = |tree: Cached<'_>| {
                    tree.count() == Some(range.len()) && old_id.is_some() && tree.id() == old_id
                };
                if cache.is_some_and(is_unchanged) {
                    return;
                }
                if let Some(tree_id) = self.sparse_tree(&range) {
                    let new = What::Object(EntryKind::Tree, tree_id);
                    return self.directory(Some(new), old_id);
                }
                let new = self.names(range, cache);
                self.compare(&new, old_id);
            }
            What::Object(_, tree_id) if Some(tree_id) == old_id => {}
            What::Object(_, tree_id) => {
                let new: Vec<New<'_, 'a>> = self
                    .read_tree(tree_id, Version::New, &mut buffer)
                    .iter()
                    .map(|entry| New {
                        name: entry.name,
                        is_tree: is_tree(entry),
                        what: What::Object(entry.kind(), entry.id.to_owned()),
                    })
                    .collect();
                self.compare(&new, old_id);
            }
        }
    }

    /// The tree of a directory that a sparse index does not expand.
    fn sparse_tree(&self, range: &Range<usize>) -> Option<ObjectId> {
        if range.len() != 1 {
            return None;
        }
        let entry = self.index.entry(range.start)?;
        let is_this = entry.mode == Mode::DIR && entry.path == self.path;
        is_this.then_some(entry.id)
    }

    /// The names in the current directory, each with its entries.
    fn names(&self, range: Range<usize>, cache: Option<Cached<'a>>) -> Vec<New<'a, 'a>> {
        let children = cache.map(Cached::children).unwrap_or_default();
        let mut names = Vec::new();
        let mut at = range.start;
        while at < range.end {
            let tail = self.tail(at);
            let slash = tail.find_byte(b'/');
            let name = tail.get(..slash.unwrap_or(tail.len())).unwrap_or_default();
            let found = children.binary_search_by(|(child, _)| (*child).cmp(name));
            let child = found.ok().filter(|_| slash.is_some());
            let child = child.and_then(|at| children.get(at)).map(|(_, tree)| *tree);
            let end = self.end_of(at..range.end, name, slash.is_some(), child);
            names.push(New {
                name: name.as_bstr(),
                is_tree: slash.is_some(),
                what: What::Entries(at..end, child),
            });
            at = end;
        }
        names
    }

    /// One past the last entry of the file or directory `name`, which begins at `range.start`.
    fn end_of(
        &self,
        range: Range<usize>,
        name: &[u8],
        is_tree: bool,
        child: Option<Cached<'_>>,
    ) -> usize {
        let belongs = |at: usize| {
            let tail = self.tail(at);
            match tail.strip_prefix(name) {
                Some(rest) if is_tree => rest.starts_with(b"/"),
                Some(rest) => rest.is_empty(),
                None => false,
            }
        };
        let guess = child
            .and_then(Cached::count)
            .and_then(|count| range.start.checked_add(count))
            .filter(|end| *end > range.start && *end <= range.end);
        if let Some(end) = guess
            && belongs(end - 1)
            && (end == range.end || !belongs(end))
        {
            return end;
        }
        // The entries are sorted, so those of one name stand together.
        let (mut low, mut high) = (range.start + 1, range.end);
        while low < high {
            let middle = low + (high - low) / 2;
            if belongs(middle) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The path of an entry below the current directory.
    fn tail(&self, at: usize) -> &'a [u8] {
        let path: &'a [u8] = self.index.path(at);
        path.get(self.path.len()..).unwrap_or_default()
    }

    /// Merges the names of both sides of the current directory.
    fn compare(&mut self, new: &[New<'_, 'a>], old_id: Option<ObjectId>) {
        let mut buffer = Vec::new();
        let old = match old_id {
            Some(tree_id) => self.read_tree(tree_id, Version::Old, &mut buffer),
            None => Vec::new(),
        };
        let (mut new, mut old) = (new.iter().peekable(), old.iter().peekable());
        loop {
            let order = match (new.peek(), old.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => {
                    gix::objs::tree::name_order(a.name, a.is_tree, b.name, is_tree(b))
                }
            };
            let a = (order != Ordering::Greater).then(|| new.next()).flatten();
            let b = (order != Ordering::Less).then(|| old.next()).flatten();
            let name = a.map(|a| a.name).or(b.map(|b| b.name));
            let is_tree = a.map_or_else(|| b.is_some_and(|b| is_tree(b)), |a| a.is_tree);
            let length = self.path.len();
            self.path.extend_from_slice(name.unwrap_or_default());
            if is_tree {
                self.path.push(b'/');
                self.depth += 1;
                self.subdirectory(a.map(|a| &a.what), b.map(|b| b.id.to_owned()));
                self.depth -= 1;
            } else {
                self.file(a.map(|a| &a.what), b.copied());
            }
            self.path.truncate(length);
        }
    }

    /// Goes into the directory that `path` names, unless the same was seen under too many paths: trees can name
    /// each other so that a few of them have 10^10 paths.
    fn subdirectory(&mut self, new: Option<&What<'a>>, old_id: Option<ObjectId>) {
        let outer = self.is_repeat;
        let can_afford = match (new, old_id) {
            (Some(What::Entries(..)), _) | (None, None) => true,
            // Nothing differs.
            (Some(What::Object(_, id)), _) if Some(*id) == old_id => return,
            (Some(What::Object(_, id)), _) => {
                self.is_repeat = outer || !self.added_again.is_first((*id, old_id));
                !self.is_repeat || self.added_again.afford(&self.path)
            }
            (None, Some(id)) => {
                self.is_repeat = outer || !self.removed_again.is_first(id);
                !self.is_repeat || self.removed_again.afford(&self.path)
            }
        };
        if can_afford {
            self.directory(new.cloned(), old_id);
        } else if new.is_some() {
            self.skip(SkipReason::Unsupported, "the same under too many paths");
        }
        self.is_repeat = outer;
    }

    /// Compares one path: its entries or the blob of the new side with the blob of the old side.
    fn file(&mut self, new: Option<&What<'a>>, old: Option<Entry<'_>>) {
        let old = old.map(|old| (old.kind(), old.id.to_owned()));
        let mut is_there = false;
        let mut is_changed = false;
        let mut see = |this: &mut Self, kind: EntryKind, id: ObjectId| {
            is_there = true;
            if Some((kind, id)) == old {
                return;
            }
            is_changed = true;
            match kind {
                EntryKind::Commit => {
                    let skip = Skip::new(SkipReason::Submodule, this.path.clone());
                    if this.skips.last() != Some(&skip) {
                        this.skips.push(skip);
                    }
                }
                _ => this.push(id, Version::New),
            }
        };
        match new {
            Some(What::Object(kind, id)) => see(self, *kind, *id),
            Some(What::Entries(range, _)) => {
                for entry in self.index.entries(range.clone()) {
                    // Only the name is recorded: there is nothing that a commit would contain.
                    if entry.is_intent_to_add {
                        continue;
                    }
                    see(self, kind_of(entry.mode), entry.id);
                }
            }
            None => {}
        }
        self.changed += usize::from(is_changed);
        self.removed += usize::from(!is_there && old.is_some());
        if let Some((kind, id)) = old
            && (is_changed || !is_there)
            && kind != EntryKind::Commit
        {
            self.push(id, Version::Old);
        }
    }

    fn push(&mut self, blob_id: ObjectId, version: Version) {
        let item = Item {
            path: self.path.clone(),
            blob_id,
            version,
        };
        if self.items.last() != Some(&item) {
            self.items.push(item);
        }
    }

    /// The entries of a tree; what cannot be read of it is a skip, and counts as not there.
    fn read_tree<'b>(
        &mut self,
        tree_id: ObjectId,
        version: Version,
        buffer: &'b mut Vec<u8>,
    ) -> Vec<Entry<'b>> {
        let failure = match self.objects.find(&tree_id, buffer) {
            Ok(Some(Kind::Tree)) => None,
            Ok(Some(other)) => Some(Fault::Corrupt(format!("it is a {other}"))),
            Ok(None) => Some(Fault::Missing),
            Err(fault) => Some(fault),
        };
        if let Some(fault) = failure {
            if version == Version::New {
                self.skip(fault.reason(), format!("tree {tree_id}: {fault}"));
            }
            return Vec::new();
        }
        let mut entries = Vec::new();
        for entry in tree::entries(buffer, tree_id.kind().len_in_bytes()) {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(_) if version == Version::Old => break,
                Err(error) => {
                    self.skip(SkipReason::Corrupt, format!("tree {tree_id}: {error}"));
                    break;
                }
            }
        }
        entries
    }
}

fn is_tree(entry: &Entry<'_>) -> bool {
    entry.kind() == EntryKind::Tree
}

/// The kind of an entry as a tree would record it.
fn kind_of(mode: Mode) -> EntryKind {
    match mode {
        Mode::SYMLINK => EntryKind::Link,
        Mode::COMMIT => EntryKind::Commit,
        Mode::FILE_EXECUTABLE => EntryKind::BlobExecutable,
        // A mode that Git does not know is read as a blob, so that it is looked at.
        _ => EntryKind::Blob,
    }
}
