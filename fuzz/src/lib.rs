//! The fuzz targets, as a library. `targets` is shared with an ordinary test of the main package.

mod support;
pub mod targets;
