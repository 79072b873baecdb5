//! A folder in which the hook that was there before has its own name again.
//!
//! The hook is kept as `pre-commit.before-keysieve`. Some hooks do what the name they are run by says (Overcommit's,
//! husky 4's), and some look for files beside themselves. So the folder `before-keysieve` holds links: one with the
//! hook's name, and one for each file beside the hook. Where no links can be made, the hook is run by the name it is
//! kept under.

use std::fs;
use std::io;
use std::path::Path;

use super::Kind;
use super::install::KEPT;

/// The folder's name.
const FOLDER: &str = "before-keysieve";

/// Makes the links for the hook of a kind that is kept as `kept`.
pub(super) fn link(kept: &Path, kind: Kind) -> io::Result<()> {
    let (Some(dir), Some(kept_name)) = (kept.parent(), kept.file_name()) else {
        return Ok(());
    };
    let folder = dir.join(FOLDER);
    fs::create_dir_all(&folder)?;
    let up = Path::new("..");
    let own = folder.join(kind.name());
    if fs::symlink_metadata(&own).is_ok_and(|it| it.is_symlink()) {
        fs::remove_file(&own)?;
    }
    make(&up.join(kept_name), &own)?;
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        if !is_a_hook_or_ours(&name.to_string_lossy()) {
            make(&up.join(&name), &folder.join(&name))?;
        }
    }
    Ok(())
}

/// Takes the hook's link away, and the folder with the last one.
pub(super) fn unlink(dir: &Path, kind: Kind) -> io::Result<()> {
    let folder = dir.join(FOLDER);
    if fs::symlink_metadata(&folder).is_err() {
        return Ok(());
    }
    let link = folder.join(kind.name());
    if fs::symlink_metadata(&link).is_ok_and(|it| it.is_symlink()) {
        fs::remove_file(&link)?;
    }
    let is_left = |kind: &&Kind| fs::symlink_metadata(folder.join(kind.name())).is_ok();
    if Kind::ALL.iter().any(|kind| is_left(&kind)) {
        return Ok(());
    }
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.is_symlink() {
            fs::remove_file(path)?;
        }
    }
    match fs::remove_dir(&folder) {
        // Files that are not ours stay.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        done => done,
    }
}

/// Names that the hook that was kept is not to find beside itself: it would find this program's hook.
fn is_a_hook_or_ours(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name);
    let is_copy = |ending: &str| ["legacy", "old", "sample"].contains(&ending);
    let is_kind = Kind::from_name(stem).is_some()
        && name
            .strip_prefix(stem)
            .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.').is_some_and(is_copy));
    is_kind
        || name == FOLDER
        || name.ends_with(KEPT)
        || name.ends_with(".sample")
        || name.starts_with(".keysieve-")
}

#[cfg(unix)]
fn make(target: &Path, link: &Path) -> io::Result<()> {
    match std::os::unix::fs::symlink(target, link) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

/// Elsewhere a link is a privilege.
#[cfg(not(unix))]
fn make(_target: &Path, _link: &Path) -> io::Result<()> {
    Ok(())
}
