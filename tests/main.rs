//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod provenance;
mod range;
mod rooms;
