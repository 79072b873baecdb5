//! The repository that a command is about, and what is named in it.

use std::path::Path;

use bstr::BStr;
use gix::ObjectId;
use gix::objs::Kind::Commit;
use keysieve::git::repository::{self, GitEnvironment, Repository};
use keysieve::git::revision::{self, Range};

use crate::failure::{Failure, Kind};

/// The repository around `path`. What Git's environment says of the repository here goes for no other one.
pub(crate) fn open(path: &Path) -> Result<Repository, Failure> {
    let environment = GitEnvironment::from_env(|name| std::env::var_os(name));
    let here = || repository::open(Path::new("."), &environment);
    let found = if path == Path::new(".") {
        here()
    } else {
        let elsewhere = GitEnvironment {
            ceiling_directories: environment.ceiling_directories.clone(),
            ..GitEnvironment::default()
        };
        let real = |path: &Path| std::fs::canonicalize(path).ok();
        let is_in = |root: &Path| match (real(path), real(root)) {
            (Some(path), Some(root)) => path.starts_with(root),
            _ => false,
        };
        match (repository::open(path, &elsewhere), here()) {
            (Ok(named), Ok(here)) if real(here.git_dir()) == real(named.git_dir()) => Ok(here),
            // A work tree that only the environment knows to be one.
            (Err(repository::Error::NotFound { .. }), Ok(here))
                if here.work_dir().is_some_and(is_in) =>
            {
                Ok(here)
            }
            (named, _) => named,
        }
    };
    found.map_err(|error| Failure::of(Kind::System, &error))
}

/// Resolves a range as typed.
pub(crate) fn parse_range(repository: &Repository, spec: &BStr) -> Result<Range, Failure> {
    Ok(revision::parse_range(repository, spec)?)
}

/// The first of `ids` that is a commit of this repository.
pub(crate) fn first_commit(
    repository: &Repository,
    ids: impl IntoIterator<Item = ObjectId>,
) -> Option<ObjectId> {
    let is_commit =
        |id: &ObjectId| matches!(repository.objects().header(id), Ok(Some((Commit, _))));
    ids.into_iter().find(is_commit)
}
