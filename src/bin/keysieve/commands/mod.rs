//! One module per command: builds the pieces, runs them, picks the exit status.

mod advice;
mod asked;
mod audit;
pub(crate) mod baseline;
pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod deadline;
mod explain;
pub(crate) mod history;
pub(crate) mod hook;
pub(crate) mod init;
pub(crate) mod mail;
pub(crate) mod man;
mod message;
mod push;
mod range;
mod replace;
pub(crate) mod root;
pub(crate) mod rules;
pub(crate) mod scan;
mod selection;
mod skip;
pub(crate) mod staged;
pub(crate) mod trail;
pub(crate) mod triage;
pub(crate) mod verify;
