//! Names of references and of worktrees, and the order in which references are listed.

use super::repository::Repository;

/// The heads of all worktrees, by the names under which Git finds them from anywhere.
pub(crate) fn head_names(repo: &Repository) -> Vec<String> {
    let mut names = vec!["HEAD".to_owned()];
    let own = worktree_of(repo);
    if own.is_some() {
        names.push("main-worktree/HEAD".to_owned());
    }
    for worktree in worktree_names(repo) {
        if own.as_deref() != Some(&worktree) {
            names.push(format!("worktrees/{worktree}/HEAD"));
        }
    }
    names
}

/// The name of the linked worktree that was opened, if it was one.
pub(crate) fn worktree_of(repo: &Repository) -> Option<String> {
    let dir = repo.git_dir();
    let is_linked = dir.parent()?.file_name()? == "worktrees" && dir.join("commondir").exists();
    is_linked.then(|| {
        dir.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    })?
}

pub(crate) fn worktree_names(repo: &Repository) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(repo.common_dir().join("worktrees")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Sort key of a reference: greater ones are listed later.
pub(crate) fn weight(name: &str) -> usize {
    ["HEAD", "refs/heads/", "refs/remotes/", "refs/tags/"]
        .iter()
        .position(|prefix| name.starts_with(prefix))
        .unwrap_or(4)
}
