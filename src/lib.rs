//! keysieve finds credentials before they leave a machine and after they have entered a repository.
//!
//! Data moves one way:
//!
//! ```text
//! source ─► blob ─► engine: prefilter ─► confirm ─► pair ─► filter ─► Scanned ─► Located ─► Judged ─► Redacted ─► report
//! ```
//!
//! | room | what it does |
//! |---|---|
//! | [`level`], [`blob`], [`provenance`], [`secret`], [`commit`], [`finding`], [`coverage`] | the types that rooms share |
//! | [`content`] | files read or mapped, with the guard for maps that shrink |
//! | [`text`] | documents that people write, dates, paths, files that are written whole or not at all |
//! | [`rule`] | rule files: as written, then compiled |
//! | [`engine`] | bytes in, matches out; knows no files, no Git, no threads |
//! | [`aws`] | facts about AWS credentials, as pure functions |
//! | [`evidence`] | recognises and reads what AWS exports |
//! | [`git`] | repositories, references, objects, trees, Git LFS |
//! | [`attribution`] | who brought an object in, and what holds it |
//! | [`source`] | directories, files, standard input, Git: shows blobs to a sink |
//! | [`scan`] | the sink that runs the engine and collects findings and coverage |
//! | [`policy`] | which findings count, and why not: markers, allowlists, baseline, configuration |
//! | [`report`] | one module per output format |
//! | [`triage`] | joins keys that were found with evidence about them; plans what to do |
//! | [`hook`] | installs and removes Git hooks |
//!
//! The library prints nothing, starts no process and opens no connection.

#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the documentation is built with private items"
)]

pub mod attribution;
pub mod aws;
pub mod blob;
pub mod commit;
pub mod content;
pub mod coverage;
pub mod engine;
pub mod evidence;
pub mod finding;
pub mod git;
pub mod hook;
pub mod level;
pub mod policy;
pub mod provenance;
pub mod report;
pub mod rule;
pub mod scan;
pub mod secret;
pub mod source;
pub mod text;
pub mod triage;
mod workers;
