//! How a walk over files works.

use super::rules::Exclude;

/// What is scanned below a root, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Leave out what the ignore rules of a repository name and its index does not.
    pub respect_ignore: bool,
    /// Follow symbolic links.
    pub follow: bool,
    /// Number of threads; what the system recommends if not given.
    pub threads: Option<usize>,
    /// Files of more bytes are skipped.
    pub max_file_size: Option<u64>,
    /// Paths to leave out.
    pub exclude: Exclude,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            respect_ignore: true,
            follow: false,
            threads: None,
            max_file_size: None,
            exclude: Exclude::default(),
        }
    }
}
