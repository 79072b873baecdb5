//! The repository of a directory, and the verdicts of its rules about entries.

use std::path::Path;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};

use super::repository::Repository;
use super::rules::{self, Rules};
use super::shown::bytes_of;

/// Rules and repository for the entries of one directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    pub(super) repository: Option<Arc<Repository>>,
    /// The directory below the work tree: empty, or with a slash at its end.
    at: BString,
    rules: Option<Arc<Rules>>,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// Rules count.
    #[default]
    Ruled,
    /// It was named although it is ignored: no rule counts.
    Named,
    /// It is ignored: only what is tracked counts.
    Ignored,
}

/// Treatment of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Scan,
    /// It is an ignored directory with tracked files in it.
    Enter,
    Ignored,
}

impl Scope {
    /// Returns the scope of a directory that was named: `real` is its canonical path.
    pub(super) fn of_root(real: &Path, respect_ignore: bool) -> Self {
        // The directory itself may be a work tree: that is seen when it is listed.
        let Some(repository) = real
            .parent()
            .filter(|_| !in_git_dir(real))
            .and_then(Repository::around)
        else {
            return Self::default();
        };
        let below = real.strip_prefix(repository.work_tree()).unwrap_or(real);
        let mut at = BString::from(bytes_of(below).into_owned());
        at.push(b'/');
        let rules = match respect_ignore {
            true => rules::between(repository.work_tree(), repository.common_dir(), real),
            false => Some(None),
        };
        Self {
            repository: Some(Arc::new(repository)),
            at,
            standing: match rules {
                Some(_) => Standing::Ruled,
                None => Standing::Named,
            },
            rules: rules.flatten(),
        }
    }

    /// Returns the scope at the top of a work tree.
    pub(super) fn of_work_tree(path: &Path, respect_ignore: bool) -> Self {
        let repository = Repository::new(path.to_owned());
        let rules = respect_ignore
            .then(|| rules::of_repository(repository.common_dir()))
            .flatten();
        Self {
            repository: Some(Arc::new(repository)),
            rules,
            ..Self::default()
        }
    }

    /// Adds the rules of a file in the directory.
    pub(super) fn add_rules(&mut self, file: &Path) {
        if self.repository.is_some() && self.standing == Standing::Ruled {
            let dir = self.at.trim_end_with(|c| c == '/').to_path_lossy();
            self.rules = Rules::load(file, &dir, self.rules.take());
        }
    }

    /// Returns the scope inside a directory in this one.
    pub(super) fn inside(&self, name: &[u8], verdict: Verdict) -> Self {
        let mut inner = self.clone();
        if self.repository.is_some() {
            inner.at.extend_from_slice(name);
            inner.at.push(b'/');
        }
        if verdict == Verdict::Enter {
            inner.standing = Standing::Ignored;
        }
        inner
    }

    /// Applies the rules and the index to an entry. `path` is a buffer.
    pub(super) fn judge(&self, name: &[u8], is_dir: bool, path: &mut BString) -> Verdict {
        let Some(repository) = &self.repository else {
            return Verdict::Scan;
        };
        if self.rules.is_none() && self.standing != Standing::Ignored {
            return Verdict::Scan;
        }
        path.clear();
        path.extend_from_slice(&self.at);
        path.extend_from_slice(name);
        let path: &BStr = path.as_bstr();
        let is_ignored = match (self.standing, &self.rules) {
            (Standing::Named, _) | (Standing::Ruled, None) => false,
            (Standing::Ignored, _) => true,
            (Standing::Ruled, Some(rules)) => rules.ignore(&path.to_path_lossy(), is_dir),
        };
        match (is_ignored, is_dir) {
            (false, _) => Verdict::Scan,
            (true, false) if repository.tracks(path) => Verdict::Scan,
            (true, true) if repository.tracks_below(path) => Verdict::Enter,
            (true, _) => Verdict::Ignored,
        }
    }
}

fn in_git_dir(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".git")
}
