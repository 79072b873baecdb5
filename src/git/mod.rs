//! Git as files: repositories, references, objects, trees, Git LFS.
//!
//! Nothing is executed and nothing is written. This room knows no meaning of a blob's content, no rules, no
//! findings and no output.

mod commits;
mod config;
mod discover;
mod error;
pub(crate) mod header;
pub mod introduced;
pub mod lfs;
pub(crate) mod number;
pub mod odb;
mod order;
mod references;
pub(crate) mod reflog;
pub(crate) mod refname;
mod repeats;
pub mod repository;
pub mod revision;
pub(crate) mod tree;
pub(crate) mod view;

use std::path::Path;

use bstr::{BString, ByteVec as _};

pub(crate) use commits::{Commit, Known, walk};
pub(crate) use config::{lfs_storage, object_hash};
pub(crate) use order::topological;
pub(crate) use repeats::Repeats;
pub(crate) use tree::Trees;

/// A path as the subject of a skip.
pub(crate) fn path_bytes(path: &Path) -> BString {
    <Vec<u8>>::from_path_lossy(path).into_owned().into()
}
