//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod cache;
mod cli;
mod coverage;
mod expectations;
mod hook;
mod objects;
mod packaging;
mod promises;
mod provenance;
mod range;
mod rooms;
mod rules;
mod staged;
mod worktree;
