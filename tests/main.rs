//! The integration tests: one binary whose modules are the table of contents.

mod support;

mod objects;
mod rooms;
