//! Claims of the fuzz targets: one function for each, which takes bytes and panics if a promise is broken.
//!
//! The targets of `cargo fuzz` call these, and so does an ordinary test, which runs every file of the corpora.
//! Key material is not in the inputs: [`text`] makes it of a byte and a number.

pub mod baseline;
pub mod config;
pub mod container;
pub mod decode;
pub mod engine;
pub mod escape;
pub mod evidence;
mod git;
pub mod hook;
pub mod ignore;
pub mod index;
mod input;
pub mod loose;
pub mod mail;
pub mod pack;
pub mod parse;
pub mod report;
pub mod rules;
mod sink;
mod text;
pub mod trail;
pub mod triage;

/// The name of a target and what it runs.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. The corpus of each is the directory of its name.
pub const TARGETS: &[Target] = &[
    ("baseline", baseline::run),
    ("config", config::run),
    ("container-ar", container::ar),
    ("container-bzip2", container::bzip2),
    ("container-cpio", container::cpio),
    ("container-gzip", container::gzip),
    ("container-lzma", container::lzma),
    ("container-sevenz", container::sevenz),
    ("container-tar", container::tar),
    ("container-xz", container::xz),
    ("container-zip", container::zip),
    ("container-zstd", container::zstd),
    ("decode", decode::run),
    ("engine", engine::run),
    ("escape", escape::run),
    ("evidence", evidence::run),
    ("hook", hook::run),
    ("ignore", ignore::run),
    ("index", index::run),
    ("loose", loose::run),
    ("mail", mail::run),
    ("pack", pack::run),
    ("report", report::run),
    ("rules", rules::run),
    ("trail", trail::run),
    ("triage", triage::run),
];
