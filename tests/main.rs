//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod cli;
mod provenance;
mod rooms;
mod staged;
mod worktree;
