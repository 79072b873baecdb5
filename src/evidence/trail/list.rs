//! The files below some paths.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::file::Unread;

/// A file, as it was when it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The path, below one that was asked for.
    pub path: PathBuf,
    /// Its length in bytes.
    pub size: u64,
    /// Time of the last change, in nanoseconds since 1970; 0 if the system does not say.
    pub modified: u64,
}

/// Lists the files that `paths` are or hold, in order of their paths, each once.
///
/// Symbolic links inside a directory are not followed; one that is asked for itself is. Pipes and devices are not
/// opened. Whatever could not be listed is named.
pub fn list(paths: &[PathBuf]) -> (Vec<Listed>, Vec<Unread>) {
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    for path in paths {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => walk(path, &mut files, &mut unread),
            Ok(found) if found.is_file() => files.push(listed(path.clone(), &found)),
            Ok(_) => unread.push(Unread::new(path, "not a file or directory")),
            Err(error) => unread.push(Unread::new(path, error)),
        }
    }
    // By bytes: comparing paths part by part takes longer than opening the files.
    files.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    files.dedup_by(|a, b| a.path == b.path);
    (files, unread)
}

fn walk(directory: &Path, files: &mut Vec<Listed>, unread: &mut Vec<Unread>) {
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                unread.push(Unread::new(&directory, error));
                continue;
            }
        };
        for entry in entries {
            let found = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?)));
            match found {
                Ok((path, found)) if found.is_dir() => directories.push(path),
                Ok((path, found)) if found.is_file() => files.push(listed(path, &found)),
                Ok(_) => {}
                Err(error) => unread.push(Unread::new(&directory, error)),
            }
        }
    }
}

fn listed(path: PathBuf, found: &fs::Metadata) -> Listed {
    let since = found
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Listed {
        path,
        size: found.len(),
        modified: since.map_or(0, |since| since.as_nanos().try_into().unwrap_or(u64::MAX)),
    }
}
