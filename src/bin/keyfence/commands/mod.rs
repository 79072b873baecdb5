//! One module per command: builds the pieces, runs them, picks the exit status.

pub(crate) mod scan;
