//! One module per command: builds the pieces, runs them, picks the exit status.

pub(crate) mod completions;
mod explain;
pub(crate) mod history;
pub(crate) mod hook;
pub(crate) mod man;
mod message;
mod push;
mod range;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod staged;
