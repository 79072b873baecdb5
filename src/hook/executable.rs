//! The mode that makes a file a hook. Where files have no such mode, every file is one.

use std::io;
use std::path::Path;

/// Lets everybody run a file and its owner change it.
#[cfg(unix)]
pub(super) fn make(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))
}

/// Returns true if Git would run a file.
#[cfg(unix)]
pub(super) fn is(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o111 != 0)
}

/// Lets everybody run a file and its owner change it.
#[cfg(not(unix))]
pub(super) fn make(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}

/// Returns true if Git would run a file.
#[cfg(not(unix))]
pub(super) fn is(path: &Path) -> io::Result<bool> {
    std::fs::metadata(path).map(|metadata| metadata.is_file())
}
