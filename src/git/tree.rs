//! What a commit's tree has that no parent's tree has at the same path.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use bstr::{BString, ByteSlice};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use crate::coverage::{Skip, SkipReason};
use crate::git::repeats::Repeats;
use crate::git::repository::Repository;
use crate::git::view::object;

/// A path at which a commit differs from every parent.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) path: BString,
    /// What the commit has there.
    pub(crate) new: Option<ObjectId>,
    /// What each parent has there.
    pub(crate) old: Vec<Option<ObjectId>>,
}

/// Trees that were read, so that a commit and its child share the work.
pub(crate) struct Trees<'a> {
    repo: &'a Repository,
    read: HashMap<ObjectId, Rc<Entries>>,
    /// What was seen under another path of the same commit: where the commit has something, and where it has
    /// nothing any more.
    added: Repeats<Sides>,
    removed: Repeats<Sides>,
    pub(crate) skips: Vec<Skip>,
}

/// Entries by name, by whether they are trees (what is a file here and a directory there are two things), and
/// by how many have the same name before it, which only trees made to harm have.
pub(crate) type Entries = BTreeMap<(BString, bool, u32), ObjectId>;

/// What a commit has and what its parents have at one path.
type Sides = (Option<ObjectId>, Vec<Option<ObjectId>>);

/// Memory for such paths of all commits together: two million and more.
const REPEATED_PATHS: usize = 512 << 20;

/// Trees that are kept before all are forgotten.
const KEPT: usize = 2048;

impl<'a> Trees<'a> {
    pub(crate) fn new(repo: &'a Repository) -> Self {
        Self {
            repo,
            read: HashMap::new(),
            added: Repeats::new(REPEATED_PATHS),
            removed: Repeats::new(REPEATED_PATHS),
            skips: Vec::new(),
        }
    }

    /// The blobs and trees that a tree names. Submodules are repositories of their own.
    pub(crate) fn entries(&mut self, id: ObjectId) -> Rc<Entries> {
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
                        let mut key =
                            (entry.filename.to_owned(), kind == EntryKind::Tree, u32::MAX);
                        let before = entries.range(..=&key).next_back();
                        key.2 = match before {
                            Some((last, _)) if (&last.0, last.1) == (&key.0, key.1) => last.2 + 1,
                            _ => 0,
                        };
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
    pub(crate) fn blob_at(&mut self, tree: ObjectId, path: &[u8]) -> Option<ObjectId> {
        let mut tree = tree;
        let mut rest = path;
        while let Some(slash) = rest.find_byte(b'/') {
            let key = (BString::from(&rest[..slash]), true, 0);
            tree = *self.entries(tree).get(&key)?;
            rest = &rest[slash + 1..];
        }
        self.entries(tree).get(&(rest.into(), false, 0)).copied()
    }

    /// Shows every path at which `new` differs from each of `old`; with no `old`, all of `new`.
    ///
    /// Of trees that name each other over and over not every path is shown, but each change is; that is a
    /// skip.
    pub(crate) fn changes(
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
                let (name, is_tree, _) = key;
                let mut path = prefix.clone();
                path.extend_from_slice(name);
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

fn corrupt(id: ObjectId, detail: impl ToString) -> Skip {
    Skip::with_detail(SkipReason::Corrupt, id.to_string(), detail)
}
