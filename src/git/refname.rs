//! Names of references and of worktrees, and the order in which references are listed.

use std::path::Path;

use bstr::BString;

use super::discover::is_absent;
use super::error::Error;
use super::path_bytes;
use super::repository::Repository;

/// The heads of all worktrees, by the names under which Git finds them from anywhere.
pub(crate) fn head_names(repo: &Repository) -> Result<Vec<BString>, Error> {
    let mut names = vec![BString::from("HEAD")];
    let own = worktree_of(repo);
    if own.is_some() {
        names.push("main-worktree/HEAD".into());
    }
    let others = worktree_names(repo)?.into_iter();
    let others = others.filter(|worktree| own.as_ref() != Some(worktree));
    names.extend(others.map(|it| [b"worktrees/", it.as_slice(), b"/HEAD"].concat().into()));
    Ok(names)
}

/// The name of the linked worktree that was opened, if it was one.
pub(crate) fn worktree_of(repo: &Repository) -> Option<BString> {
    let dir = repo.git_dir();
    let is_linked = dir.parent()?.file_name()? == "worktrees" && dir.join("commondir").exists();
    let name = dir.file_name().filter(|_| is_linked)?;
    Some(path_bytes(Path::new(name)))
}

/// The names of the linked worktrees, sorted.
pub(crate) fn worktree_names(repo: &Repository) -> Result<Vec<BString>, Error> {
    let path = repo.common_dir().join("worktrees");
    let listed = std::fs::read_dir(&path).and_then(Iterator::collect);
    let entries: Vec<std::fs::DirEntry> = match listed {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => Vec::new(),
        Err(source) => return Err(Error::Unreadable { path, source }),
    };
    let names = entries
        .iter()
        .map(|entry| path_bytes(Path::new(&entry.file_name())));
    let mut names: Vec<BString> = names.collect();
    names.sort();
    Ok(names)
}

/// Sort key of a reference: greater ones are listed later.
pub(crate) fn weight(name: &str) -> usize {
    ["HEAD", "refs/heads/", "refs/remotes/", "refs/tags/"]
        .iter()
        .position(|prefix| name.starts_with(prefix))
        .unwrap_or(4)
}
