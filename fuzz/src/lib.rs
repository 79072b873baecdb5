//! The fuzz targets, as a library. They belong to the tests of the main package, which replay the corpora.

mod support;
#[path = "../../tests/fuzz/targets/mod.rs"]
pub mod targets;
