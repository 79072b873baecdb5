//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod cli;
mod faults;
mod hook;
mod hostile;
mod leak;
mod objects;
mod packaging;
mod promise;
mod provenance;
mod range;
mod rooms;
mod rules;
mod staged;
mod worktree;
