//! Writers of reports: standard output, and files that appear whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use keysieve::report::escape;
use keysieve::text::whole_file::{self, Access};

use crate::failure::{Failure, Kind, redacted};

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

/// Prints lines to standard output, without secrets: typed words and the content of files may hold some.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let text = escape::terminal_lines(&redacted(text));
    to_stdout(|out| out.write_all(text.as_bytes()))
}

/// Writes a file whole or not at all; what is neither file nor directory is written to as it is.
pub(crate) fn to_file(
    path: &Path,
    access: Access,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let fail = |error: io::Error| {
        let message = format!("cannot write {}", path.display());
        Failure::new(Kind::System, message, error)
    };
    // A device or a pipe cannot be replaced by a file: `--report sarif=/dev/stderr`.
    let is_special = std::fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir());
    if is_special {
        let file = std::fs::OpenOptions::new().write(true).open(path);
        let mut out = BufWriter::new(file.map_err(fail)?);
        return write(&mut out).and_then(|()| out.flush()).map_err(fail);
    }
    whole_file::replace(path, access, write).map_err(fail)
}
