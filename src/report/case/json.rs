//! One JSON document, `keysieve-triage/1`; `docs/response.md` describes it.

use std::io;

use crate::report::calm::Calm;
use crate::triage::Case;

/// Writes the case.
pub fn write(out: &mut dyn io::Write, case: &Case) -> io::Result<()> {
    serde_json::to_writer_pretty(Calm(out), case)?;
    out.write_all(b"\n")
}
