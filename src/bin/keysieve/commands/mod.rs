//! One module per command: builds the pieces, runs them, picks the exit status.

mod audit;
pub(crate) mod baseline;
pub(crate) mod completions;
pub(crate) mod config;
mod explain;
pub(crate) mod history;
pub(crate) mod hook;
pub(crate) mod init;
pub(crate) mod man;
mod message;
mod push;
mod range;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod staged;
pub(crate) mod verify;
