//! Pointer files of Git LFS: the text that stands in the repository for content that lies elsewhere.

use std::path::{Path, PathBuf};

/// A pointer is shorter than this, says its specification.
pub const MAX_POINTER: usize = 1024;

const VERSION: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// What a pointer file points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// SHA-256 of the content, 64 lower-case hex digits.
    pub oid: String,
    /// Length of the content in bytes.
    pub size: u64,
}

impl Pointer {
    /// Reads a pointer file. Anything else, a pointer with lines added among it, is `None`: plain content.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() >= MAX_POINTER || !bytes.starts_with(VERSION) {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        if lines.next()?.as_bytes() != VERSION {
            return None;
        }
        let (mut oid, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) if oid.is_none() => oid = Some(parse_oid(value)?.to_owned()),
                ("size", value) if size.is_none() => size = Some(value.parse().ok()?),
                (key, value) if key.starts_with("ext-") => {
                    parse_oid(value)?;
                }
                _ => return None,
            }
        }
        Some(Self {
            oid: oid?,
            size: size?,
        })
    }

    /// Where the local store below a Git directory keeps the content.
    pub fn object_path(&self, common_dir: &Path) -> PathBuf {
        let mut path = common_dir.join("lfs/objects");
        for part in [self.oid.get(0..2), self.oid.get(2..4), Some(&*self.oid)] {
            path.push(part.unwrap_or_default());
        }
        path
    }
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
            parsed.object_path(Path::new("g")),
            Path::new("g/lfs/objects/01/23").join(&parsed.oid)
        );
    }

    #[test]
    fn text_beside_a_pointer_is_content() {
        assert_eq!(Pointer::parse(&pointer("password hunter2\n")), None);
        assert_eq!(Pointer::parse(&pointer("\n")), None);
        assert_eq!(
            Pointer::parse(b"version https://git-lfs.github.com/spec/v1\n"),
            None
        );
        let mut long = pointer("");
        long.resize(MAX_POINTER, b'\n');
        assert_eq!(Pointer::parse(&long), None);
        assert_eq!(Pointer::parse(b""), None);
    }
}
