//! Pointer files of Git LFS: the text in the repository for content that lies elsewhere.

use std::path::{Path, PathBuf};

/// A pointer is shorter than this, says its specification.
pub const MAX_POINTER: usize = 1024;

/// No pointer has fewer bytes: the shortest version, an object and a size of one digit.
pub(crate) const MIN_POINTER: usize =
    VERSIONS[2].len() + 1 + "oid sha256:".len() + 64 + "\nsize 0".len();

/// First lines of pointers. Git LFS writes the first and reads the older names as well.
const VERSIONS: [&str; 3] = [
    "version https://git-lfs.github.com/spec/v1",
    "version https://hawser.github.com/spec/v1",
    "version http://git-media.io/v/2",
];

/// Target of a pointer file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// SHA-256 of the content, 64 lower-case hex digits.
    pub oid: String,
    /// Length of the content in bytes.
    pub size: u64,
    /// It has lines of extensions, which may hold any text.
    pub has_extensions: bool,
}

impl Pointer {
    /// Reads a pointer file as Git LFS does: blanks around it and empty lines say nothing. Anything else, a pointer
    /// with other lines among it, is `None`: plain content.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if !(MIN_POINTER..MAX_POINTER).contains(&bytes.len()) {
            return None;
        }
        let bytes = bytes.trim_ascii();
        if !bytes.starts_with(b"version http") {
            return None;
        }
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        if !VERSIONS.contains(&lines.next()?) {
            return None;
        }
        let (mut oid, mut size, mut has_extensions) = (None, None, false);
        for line in lines.filter(|line| !line.is_empty()) {
            match line.split_once(' ')? {
                ("oid", value) if oid.is_none() => oid = Some(parse_oid(value)?.to_owned()),
                ("size", value) if size.is_none() => size = Some(value.parse().ok()?),
                (key, value) if key.starts_with("ext-") => {
                    parse_oid(value)?;
                    has_extensions = true;
                }
                _ => return None,
            }
        }
        Some(Self {
            oid: oid?,
            size: size?,
            has_extensions,
        })
    }

    /// Returns the path of the content in a local [`store`].
    pub fn object_path(&self, store: &Path) -> PathBuf {
        let mut path = store.join("objects");
        for part in [self.oid.get(0..2), self.oid.get(2..4), Some(&*self.oid)] {
            path.push(part.unwrap_or_default());
        }
        path
    }
}

/// The local store of a repository: `storage`, which is `lfs.storage` of its configuration, from the Git directory
/// that all its work trees share.
pub(crate) fn store(common_dir: &Path, storage: Option<&Path>) -> PathBuf {
    common_dir.join(storage.unwrap_or(Path::new("lfs")))
}

fn parse_oid(value: &str) -> Option<&str> {
    let hex = value.strip_prefix("sha256:")?;
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (hex.len() == 64 && hex.bytes().all(is_hex)).then_some(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointer(rest: &str) -> Vec<u8> {
        let oid = "0123456789abcdef".repeat(4);
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n{rest}")
            .into_bytes()
    }

    #[test]
    fn a_pointer_says_what_and_how_long() {
        let parsed = Pointer::parse(&pointer("")).expect("a pointer");
        assert_eq!(parsed.size, 12345);
        assert_eq!(
            parsed.object_path(&store(Path::new("g"), None)),
            Path::new("g/lfs/objects/01/23").join(&parsed.oid)
        );
    }

    #[test]
    fn text_beside_a_pointer_is_content() {
        assert_eq!(Pointer::parse(&pointer("password hunter2\n")), None);
        assert!(Pointer::parse(&pointer("\n")).is_some());
        assert_eq!(
            Pointer::parse(b"version https://git-lfs.github.com/spec/v1\n"),
            None
        );
        let oid = "0123456789abcdef".repeat(4);
        let shortest = format!("{}\noid sha256:{oid}\nsize 0", VERSIONS[2]);
        assert_eq!(shortest.len(), MIN_POINTER);
        assert!(Pointer::parse(shortest.as_bytes()).is_some());
        let mut long = pointer("");
        long.resize(MAX_POINTER, b'\n');
        assert_eq!(Pointer::parse(&long), None);
        assert_eq!(Pointer::parse(b""), None);
    }
}
