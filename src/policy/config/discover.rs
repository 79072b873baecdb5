//! Search for configuration and baseline.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The name under which a configuration is found at the root of a repository.
pub const FILE_NAME: &str = ".keysieve.toml";

/// The directory whose configuration counts for `path`: the root of the work tree or bare repository that it
/// lies in, else the directory itself, or the one that a file is in.
///
/// A work tree is known by its `.git`, a bare repository by its parts; nothing of them is opened.
pub fn root_of(path: &Path) -> std::io::Result<PathBuf> {
    let path = match std::fs::canonicalize(path) {
        // A pipe such as /dev/stdin is there and has no place.
        Err(error) if error.kind() == ErrorKind::NotFound && std::fs::metadata(path).is_ok() => {
            std::fs::canonicalize(".")?
        }
        path => path?,
    };
    let start = match path.is_dir() {
        true => path.as_path(),
        false => path.parent().unwrap_or(&path),
    };
    let is_root = |dir: &&Path| dir.join(".git").exists() || is_bare(dir);
    let root = start.ancestors().find(is_root).unwrap_or(start);
    Ok(root.to_owned())
}

/// Returns true for a bare repository, known by its parts. It has no files that a person edits.
pub fn is_bare(dir: &Path) -> bool {
    !dir.join(".git").exists()
        && dir.join("HEAD").is_file()
        && dir.join("objects").is_dir()
        && dir.join("refs").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_the_repository_counts_else_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let base = std::fs::canonicalize(dir.path()).unwrap();
        std::fs::create_dir_all(base.join("repo/.git")).unwrap();
        std::fs::create_dir_all(base.join("repo/a/b")).unwrap();
        std::fs::create_dir_all(base.join("plain/c")).unwrap();
        std::fs::write(base.join("repo/a/f"), "").unwrap();
        std::fs::write(base.join("plain/f"), "").unwrap();
        for (path, root) in [
            ("repo/a/b", "repo"),
            ("repo/a/f", "repo"),
            ("repo", "repo"),
            ("plain/c", "plain/c"),
            ("plain/f", "plain"),
        ] {
            assert_eq!(root_of(&base.join(path)).unwrap(), base.join(root));
        }
        assert!(root_of(&base.join("none")).is_err());
    }
}
