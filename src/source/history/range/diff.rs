//! What a commit's tree has that no parent's tree has at the same path.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bstr::{BString, ByteSlice};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use crate::coverage::{Skip, SkipReason};
use crate::source::history::view::object;
use crate::source::repository::Repository;

/// A path at which a commit differs from every parent.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) path: BString,
    /// What the commit has there.
    pub(super) new: Option<ObjectId>,
    /// What each parent has there.
    pub(super) old: Vec<Option<ObjectId>>,
}

/// Trees that were read, so that a commit and its child share the work.
pub(in crate::source::history) struct Trees<'a> {
    repo: &'a Repository,
    read: HashMap<ObjectId, Rc<Entries>>,
    pub(in crate::source::history) skips: Vec<Skip>,
}

/// Entries by name and by whether they are trees: what is a file here and a directory there are two things.
pub(in crate::source::history) type Entries = BTreeMap<(BString, bool), ObjectId>;

/// Trees that are kept before all are forgotten.
const KEPT: usize = 2048;

impl<'a> Trees<'a> {
    pub(in crate::source::history) fn new(repo: &'a Repository) -> Self {
        Self {
            repo,
            read: HashMap::new(),
            skips: Vec::new(),
        }
    }

    /// The blobs and trees that a tree names. Submodules are repositories of their own.
    pub(in crate::source::history) fn entries(&mut self, id: ObjectId) -> Rc<Entries> {
        if let Some(entries) = self.read.get(&id) {
            return Rc::clone(entries);
        }
        let entries = Rc::new(self.load(id));
        if self.read.len() >= KEPT {
            self.read.clear();
        }
        self.read.insert(id, Rc::clone(&entries));
        entries
    }

    fn load(&mut self, id: ObjectId) -> Entries {
        let mut entries = Entries::new();
        if id.is_empty_tree() {
            return entries;
        }
        let object = match object(self.repo, id) {
            Ok(object) if object.kind == gix::objs::Kind::Tree => object,
            Ok(_) => {
                self.skip(corrupt(id, "not a tree"));
                return entries;
            }
            Err(skip) => {
                self.skip(skip);
                return entries;
            }
        };
        for entry in gix::objs::TreeRefIter::from_bytes(&object.data, id.kind()) {
            match entry {
                Ok(entry) => {
                    let kind = entry.mode.kind();
                    if kind != EntryKind::Commit {
                        let key = (entry.filename.to_owned(), kind == EntryKind::Tree);
                        entries.insert(key, entry.oid.to_owned());
                    }
                }
                Err(error) => {
                    self.skip(corrupt(id, error));
                    break;
                }
            }
        }
        entries
    }

    fn skip(&mut self, skip: Skip) {
        if !self.skips.contains(&skip) {
            self.skips.push(skip);
        }
    }

    /// The blob at a path.
    pub(super) fn blob_at(&mut self, tree: ObjectId, path: &[u8]) -> Option<ObjectId> {
        let mut tree = tree;
        let mut rest = path;
        while let Some(slash) = rest.find_byte(b'/') {
            let key = (BString::from(&rest[..slash]), true);
            tree = *self.entries(tree).get(&key)?;
            rest = &rest[slash + 1..];
        }
        self.entries(tree).get(&(rest.into(), false)).copied()
    }

    /// Shows every path at which `new` differs from each of `old`; with no `old`, all of `new`.
    pub(super) fn changes(
        &mut self,
        new: Option<ObjectId>,
        old: &[Option<ObjectId>],
        mut each: impl FnMut(Change),
    ) {
        let mut stack = vec![(BString::default(), new, old.to_vec())];
        while let Some((prefix, new, old)) = stack.pop() {
            let new_entries = new.map(|id| self.entries(id));
            let old_entries: Vec<_> = old.iter().map(|id| id.map(|id| self.entries(id))).collect();
            let all = new_entries.iter().chain(old_entries.iter().flatten());
            let keys: std::collections::BTreeSet<_> = all.flat_map(|all| all.keys()).collect();
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
                let (name, is_tree) = key;
                let mut path = prefix.clone();
                path.extend_from_slice(name);
                if *is_tree {
                    path.push(b'/');
                    stack.push((path, here, there));
                } else {
                    each(Change {
                        path,
                        new: here,
                        old: there,
                    });
                }
            }
        }
    }
}

fn corrupt(id: ObjectId, detail: impl ToString) -> Skip {
    Skip::with_detail(SkipReason::Corrupt, id.to_string(), detail)
}
