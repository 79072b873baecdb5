//! Options of a walk over files.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::rules::Exclude;

/// Reads what a directory's own file leaves out below it, where a walk meets such a file.
#[derive(Clone)]
pub struct Own {
    /// The name of the file.
    pub name: &'static str,
    /// Given the directory, returns the paths to leave out below it.
    pub read: Arc<ReadOwn>,
}

type ReadOwn = dyn Fn(&Path) -> Option<Exclude> + Send + Sync;

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Own").field(&self.name).finish()
    }
}

/// Options of a walk below a root.
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
    /// Further ones, from files in the tree.
    pub own: Option<Own>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            respect_ignore: true,
            follow: false,
            threads: None,
            max_file_size: None,
            exclude: Exclude::default(),
            own: None,
        }
    }
}
