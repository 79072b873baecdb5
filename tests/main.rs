//! The integration tests: one binary whose modules are the table of contents.

#![allow(
    unreachable_pub,
    reason = "a test binary has no outside; its modules read like those of a library"
)]

mod support;

mod architecture;
mod attribution;
mod bounds;
mod cache;
mod cli;
mod collect;
mod config;
#[cfg(feature = "archive")]
mod containers;
mod coverage;
mod documented;
mod expectations;
mod faults;
mod fuzz;
mod git;
mod hook;
mod hostile;
mod leak;
mod lookalikes;
mod mail;
mod monorepo;
mod notation;
mod objects;
mod others;
mod packaging;
mod packs;
mod promise;
mod promises;
mod provenance;
mod range;
mod reports;
mod rooms;
mod root;
mod rules;
mod schema;
mod shapes;
mod soak;
mod staged;
mod stopped;
mod stranger;
mod style;
mod supply;
mod suppress;
mod trail;
mod triage;
mod worktree;
