//! One module per command: builds the pieces, runs them, picks the exit status.

mod explain;
pub(crate) mod history;
pub(crate) mod hook;
mod message;
mod push;
mod range;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod staged;
