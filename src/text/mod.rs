//! Text that rooms share ways to read and write: documents, dates, numbers, widths, paths, whole files.

pub mod date;
pub mod document;
pub mod numbers;
pub mod paths;
pub mod whole_file;
pub mod width;
