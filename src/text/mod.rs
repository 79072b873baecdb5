//! Text that rooms share ways to read and write: documents, dates, paths, whole files.

pub mod date;
pub mod document;
pub mod paths;
pub mod whole_file;
