//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod packaging;
mod provenance;
mod rooms;
mod rules;
mod shapes;
mod staged;
mod worktree;
