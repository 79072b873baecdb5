//! One module per command: builds the pieces, runs them, picks the exit status.

mod explain;
pub(crate) mod scan;
