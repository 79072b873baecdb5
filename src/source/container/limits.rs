//! Limits on the opening of containers.

/// Limits on the opening of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Containers that lie in each other; none are opened if this is 0.
    pub depth: usize,
    /// Bytes that may come out of one input; what is slow to decode counts more than once. `None`: as
    /// [`Limits::output`] says.
    pub output: Option<u64>,
}

impl Limits {
    /// Containers that lie in each other, if nothing says otherwise.
    pub const DEPTH: usize = 8;
    /// Bytes that may come out of an input that a person waits for, such as one file of a commit.
    pub const HOOK_OUTPUT: u64 = 256 << 20;

    /// Bytes that may come out of an input of `length` bytes: 1 GiB, or 100 times its length if that is more.
    /// A byte of xz, lzma and 7z counts ten times, one of bzip2 forty times.
    pub fn output(&self, length: usize) -> u64 {
        self.output
            .unwrap_or_else(|| (1 << 30).max((length as u64).saturating_mul(100)))
    }

    /// All that these limits say, for what is remembered of a scan.
    pub fn key(&self) -> [u8; 16] {
        let mut key = [0; 16];
        let is_built = u64::from(cfg!(feature = "archive"));
        key[..8].copy_from_slice(&(self.depth as u64 * 2 + is_built).to_le_bytes());
        key[8..].copy_from_slice(&self.output.unwrap_or(0).to_le_bytes());
        key
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: Self::DEPTH,
            output: None,
        }
    }
}
