//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod cli;
mod provenance;
mod packaging;
mod rooms;
mod staged;
mod worktree;
mod rules;
