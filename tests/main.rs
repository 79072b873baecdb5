//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod hook;
mod provenance;
mod range;
mod rooms;
mod staged;
mod worktree;
