//! Where reports go: standard output, and files that are whole or not there.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::failure::{Failure, Kind};

/// Writes to standard output. Nobody reading any more is not an error.
pub(crate) fn to_stdout(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            Kind::System,
            "cannot write to standard output",
            error,
        )),
        result => {
            if result.is_err() {
                // What is still in the buffer has no reader either.
                let _ = out.into_parts();
            }
            Ok(())
        }
    }
}

/// Writes a file beside its final place and renames it, so that no reader sees half of it.
pub(crate) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let fail = |error: io::Error| {
        Failure::new(
            Kind::System,
            format!("cannot write the report {}", path.display()),
            error,
        )
    };
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    // A device or a pipe cannot be replaced by a file: `--report sarif=/dev/stderr`.
    let is_special = std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_special {
        let file = std::fs::OpenOptions::new().write(true).open(path);
        let mut out = BufWriter::new(file.map_err(fail)?);
        return write(&mut out).and_then(|()| out.flush()).map_err(fail);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".keyfence-report-");
    readable_by_others(&mut builder);
    let mut file = builder.tempfile_in(dir).map_err(fail)?;
    let mut out = BufWriter::new(file.as_file_mut());
    write(&mut out).and_then(|()| out.flush()).map_err(fail)?;
    drop(out);
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// A report is an ordinary file for those who upload it: the umask decides, not the habits of temporary files.
#[cfg(unix)]
fn readable_by_others(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn readable_by_others(_builder: &mut tempfile::Builder<'_, '_>) {}
