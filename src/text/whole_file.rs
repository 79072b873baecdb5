//! Files that are whole or not there: written under another name, then renamed.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Access to a file that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner alone.
    Owner,
    /// Those who may read the file that it replaces, if that has the same owner and group; else whom the umask
    /// lets.
    Usual,
}

/// Writes a file in the place of `path`. Until it is whole, only its owner may read it.
///
/// The name under which it is written is removed if that fails, but not if the process is killed.
pub fn replace(
    path: &Path,
    access: Access,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    // Only its owner may read what this makes.
    let file = tempfile::Builder::new()
        .prefix(".keysieve-part-")
        .tempfile_in(dir)?;
    let mut out = BufWriter::with_capacity(1 << 16, file.as_file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    if access == Access::Usual
        && let Some(permissions) = usual(path, dir, file.as_file())?
    {
        file.as_file().set_permissions(permissions)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Returns the permissions of an ordinary file at `path`.
#[cfg(unix)]
fn usual(path: &Path, dir: &Path, file: &File) -> io::Result<Option<Permissions>> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let new = file.metadata()?;
    if let Ok(known) = std::fs::symlink_metadata(path)
        && known.is_file()
        && (known.uid(), known.gid()) == (new.uid(), new.gid())
    {
        let mode = known.permissions().mode() & 0o777;
        return Ok(Some(Permissions::from_mode(mode)));
    }
    // The umask can be asked for only by setting it, which other threads would notice.
    let probe = tempfile::Builder::new()
        .prefix(".keysieve-part-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(dir)?;
    Ok(Some(probe.as_file().metadata()?.permissions()))
}

#[cfg(not(unix))]
fn usual(_path: &Path, _dir: &Path, _file: &File) -> io::Result<Option<Permissions>> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_whole_leaves_what_was_there() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        std::fs::write(&path, "before").expect("a file");
        let failed = replace(&path, Access::Usual, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.expect_err("an error").to_string(), "no more");
        assert_eq!(std::fs::read(&path).expect("a file"), b"before");
        assert_eq!(
            std::fs::read_dir(dir.path()).expect("a directory").count(),
            1
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_file_is_private_until_it_is_whole_and_then_like_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a directory");
        let mode = |path: &Path| {
            let found = std::fs::metadata(path).expect("a file");
            found.permissions().mode() & 0o777
        };
        let plain = dir.path().join("plain");
        std::fs::write(&plain, "").expect("a file");
        for (name, before, access, expected) in [
            ("new", None, Access::Usual, mode(&plain)),
            ("closed", Some(0o600), Access::Usual, 0o600),
            ("open", Some(0o664), Access::Usual, 0o664),
            ("odd", Some(0o4754), Access::Usual, 0o754),
            ("secret", Some(0o644), Access::Owner, 0o600),
        ] {
            let path = dir.path().join(name);
            if let Some(before) = before {
                std::fs::write(&path, "").expect("a file");
                std::fs::set_permissions(&path, Permissions::from_mode(before)).expect("a mode");
            }
            replace(&path, access, |out| {
                let mut parts = std::fs::read_dir(dir.path())?.flatten();
                let part = parts.find(|it| {
                    it.file_name()
                        .to_string_lossy()
                        .starts_with(".keysieve-part-")
                });
                assert_eq!(mode(&part.expect("a part").path()), 0o600);
                out.write_all(b"text")
            })
            .expect("written");
            assert_eq!(mode(&path), expected, "{name}");
            assert_eq!(std::fs::read(&path).expect("a file"), b"text");
        }
    }
}
