//! Text that rooms share ways to read and write: base64, bytes, documents, dates, numbers, widths, paths,
//! whole files.

pub mod base64;
pub mod bytes;
pub mod date;
pub mod document;
pub mod numbers;
pub mod paths;
pub mod whole_file;
pub mod width;
pub mod words;
