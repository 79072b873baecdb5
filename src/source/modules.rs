//! The repositories of submodules, as far as they are here: checked out in the work tree, or kept in `modules` of a
//! Git directory, also of those that no commit has any more.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use bstr::{BString, ByteSlice as _};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::staged::Index;
use super::submodules;
use crate::coverage::{Skip, SkipReason};
use crate::git::repository::{self, GitEnvironment, Repository};
use crate::git::{Trees, path_bytes};

/// Submodules in submodules deeper than this are not looked for; so deep are names of submodules, too.
const MAX_DEPTH: usize = 64;

/// A repository that is kept for a submodule.
#[derive(Debug)]
pub struct Module {
    /// Path of the submodule below the root of the outermost repository; its name, if the path is not known.
    pub path: BString,
    /// The repository.
    pub repository: Repository,
}

/// The submodules of a repository, and theirs.
#[derive(Debug, Default)]
pub struct Modules {
    /// Those whose objects are here, each once.
    pub found: Vec<Module>,
    /// Those that are not here, commits of them that are not, and what could not be read.
    pub skips: Vec<Skip>,
}

impl Modules {
    /// Finds the submodules of a repository, and theirs.
    pub fn of(repository: &Repository) -> Self {
        let mut modules = Self::default();
        let mut seen = BTreeSet::from([real(repository.git_dir())]);
        modules.add(repository, &BString::default(), &mut seen, 0);
        modules.found.sort_by(|a, b| a.path.cmp(&b.path));
        // One work tree may have what another has not.
        let mut skips = std::mem::take(&mut modules.skips);
        skips.retain(|skip| {
            skip.reason != SkipReason::SubmoduleAbsent || !modules.has(&skip.subject)
        });
        modules.skips = skips;
        modules
    }

    /// Returns true if the objects of a submodule are here.
    fn has(&self, path: &[u8]) -> bool {
        self.found.iter().any(|module| module.path == path)
    }

    /// Adds the submodules of one repository; `below` is its own path, with a slash behind it unless it is empty.
    fn add(
        &mut self,
        repository: &Repository,
        below: &BString,
        seen: &mut BTreeSet<PathBuf>,
        depth: usize,
    ) {
        if depth > MAX_DEPTH {
            let detail = "submodules lie in each other too deeply";
            let skip = Skip::with_detail(SkipReason::Unsupported, below.clone(), detail);
            return self.skips.push(skip);
        }
        let named = named(repository);
        let mut here = Vec::new();
        for path in &named {
            let Some(dir) = repository
                .work_dir()
                .map(|it| it.join(path.to_path_lossy()))
            else {
                continue;
            };
            if fs::symlink_metadata(dir.join(".git")).is_ok() {
                let opened = repository::open(&dir, &GitEnvironment::default());
                here.push((path.clone(), opened, real(&dir)));
            }
        }
        let mut found = Vec::new();
        for (path, opened, dir) in here {
            match opened {
                // Of what is no repository, one around it is found.
                Ok(it) if it.work_dir().map(real) != Some(dir) => {
                    self.unreadable(below, &path, "its .git is no repository");
                }
                Ok(it) if seen.insert(real(it.git_dir())) => found.push((path, it)),
                Ok(_) => {}
                Err(error) => self.unreadable(below, &path, &error.to_string()),
            }
        }
        for (name, git_dir) in self.kept(repository, below) {
            if !seen.insert(real(&git_dir)) {
                continue;
            }
            let environment = GitEnvironment {
                git_dir: Some(git_dir.clone()),
                ..GitEnvironment::default()
            };
            match repository::open(&git_dir, &environment) {
                Ok(it) => found.push((place(repository, &it, &name), it)),
                Err(error) => self.unreadable(below, &name, &error.to_string()),
            }
        }
        let head = head_tree(repository);
        for path in &named {
            let named = path;
            let those = found.iter().filter(|(at, _)| at == path);
            let those: Vec<&Repository> = those.map(|(_, module)| module).collect();
            let path = [below.as_slice(), path].concat();
            if those.is_empty() {
                let detail = "git submodule update --init --recursive brings it here";
                let skip = Skip::with_detail(SkipReason::SubmoduleAbsent, path, detail);
                self.skips.push(skip);
                continue;
            }
            let commit = head.and_then(|tree| gitlink(repository, tree, named));
            let is_absent = |id: &ObjectId| !those.iter().any(|module| is_here(module, *id));
            if let Some(id) = commit.filter(is_absent) {
                let detail = format!("commit {id}, which HEAD has of this submodule");
                let skip = Skip::with_detail(SkipReason::Missing, path, detail);
                self.skips.push(skip);
            }
        }
        for (path, repository) in found {
            let path: BString = [below.as_slice(), &path].concat().into();
            let inner = [path.as_slice(), b"/"].concat().into();
            self.add(&repository, &inner, seen, depth + 1);
            self.found.push(Module { path, repository });
        }
    }

    fn unreadable(&mut self, below: &BString, path: &BString, detail: &str) {
        let path = [below.as_slice(), path].concat();
        let skip = Skip::with_detail(SkipReason::Unreadable, path, detail);
        self.skips.push(skip);
    }

    /// The Git directories that a repository keeps for submodules, each with the submodule's name.
    fn kept(&mut self, repository: &Repository, below: &BString) -> Vec<(BString, PathBuf)> {
        let mut homes = vec![
            repository.git_dir().to_owned(),
            repository.common_dir().to_owned(),
        ];
        // Every linked work tree keeps its own.
        let linked = self.folders(&repository.common_dir().join("worktrees"), below);
        homes.extend(linked.into_iter().map(|(_, dir)| dir));
        homes.dedup();
        let mut found = Vec::new();
        for home in homes {
            let mut todo = vec![(BString::default(), home.join("modules"), 0)];
            // Links may lead in a circle.
            let mut looked_at = BTreeSet::new();
            while let Some((name, dir, depth)) = todo.pop() {
                if !looked_at.insert(real(&dir)) {
                    continue;
                }
                for (part, dir) in self.folders(&dir, below) {
                    let name: BString = match name.is_empty() {
                        true => part,
                        false => [name.as_slice(), b"/", &part].concat().into(),
                    };
                    // A damaged one is opened too, so that it is named.
                    if dir.join("HEAD").is_file() || dir.join("config").is_file() {
                        found.push((name, dir));
                    } else if depth < MAX_DEPTH {
                        todo.push((name, dir, depth + 1));
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// The directories right in one, which need not be there. Git follows links to them.
    fn folders(&mut self, dir: &Path, below: &BString) -> Vec<(BString, PathBuf)> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                return Vec::new();
            }
            Err(error) => {
                self.unreadable(below, &path_bytes(dir), &error.to_string());
                return Vec::new();
            }
        };
        let mut folders = Vec::new();
        for entry in entries {
            match entry.and_then(|entry| Ok((fs::metadata(entry.path())?.is_dir(), entry))) {
                Ok((true, entry)) => {
                    let name = path_bytes(Path::new(&entry.file_name()));
                    folders.push((name, entry.path()));
                }
                Ok((false, _)) => {}
                Err(error) => self.unreadable(below, &path_bytes(dir), &error.to_string()),
            }
        }
        folders
    }
}

/// The paths of the submodules that `HEAD` or the index has.
fn named(repository: &Repository) -> BTreeSet<BString> {
    let of_head = submodules::of_head(repository).into_iter();
    let of_head = of_head.filter(|skip| skip.reason == SkipReason::Submodule);
    let mut named: BTreeSet<BString> = of_head.map(|skip| skip.subject).collect();
    // What is wrong with an index, a scan of it says.
    if let Ok(index) = Index::load(repository) {
        named.extend(index.submodules().map(ToOwned::to_owned));
    }
    named
}

/// Returns the path of a submodule, by the work tree in its repository's configuration; else its name.
fn place(outer: &Repository, module: &Repository, name: &BString) -> BString {
    let roots = [outer.work_dir().map(Path::to_owned), linked_root(module)];
    let work_dir = module.work_dir().map(plain);
    let mut below = roots.into_iter().flatten().filter_map(|root| {
        let rest = work_dir.as_ref()?.strip_prefix(plain(&root)).ok()?;
        Some(path_bytes(rest)).filter(|rest| !rest.is_empty())
    });
    below.next().unwrap_or_else(|| name.clone())
}

/// The root of the linked work tree that keeps a submodule: `worktrees/NAME/gitdir` says where its `.git` is.
fn linked_root(module: &Repository) -> Option<PathBuf> {
    let mut above = module.git_dir().ancestors();
    let home = above.find(|dir| dir.join("commondir").is_file() && dir.join("gitdir").is_file())?;
    let text = fs::read(home.join("gitdir")).ok()?;
    let dot_git = home.join(text.trim_ascii().to_path_lossy());
    dot_git.parent().map(Path::to_owned)
}

/// Takes `.` and `..` out of a path, of which the end need not be there.
fn plain(path: &Path) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn head_tree(repository: &Repository) -> Option<ObjectId> {
    let head = repository.head_id().ok().flatten()?;
    repository.tree_of(head, &mut Vec::new()).ok()
}

/// The commit of a submodule that a tree has.
fn gitlink(repository: &Repository, tree: ObjectId, path: &BString) -> Option<ObjectId> {
    // Damage of the outer repository its own scan names.
    match Trees::new(repository).lookup(tree, path).ok()?? {
        (EntryKind::Commit, id) => Some(id),
        _ => None,
    }
}

fn is_here(module: &Repository, id: ObjectId) -> bool {
    // What cannot be read is there, and the scan of the submodule names it.
    !matches!(module.objects().header(&id), Ok(None))
}
