//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod cli;
mod config;
mod hook;
mod packaging;
mod provenance;
mod range;
mod rooms;
mod rules;
mod staged;
mod suppress;
mod worktree;
