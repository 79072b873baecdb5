//! Git LFS pointers: small files that stand for content which is kept elsewhere.

use std::path::{Path, PathBuf};

/// A pointer is smaller than this, by its specification.
const MAX_LENGTH: usize = 1024;

/// What a pointer says about its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// SHA-256 of the content, 64 lower-case hex digits.
    pub oid: String,
    /// Length of the content in bytes.
    pub size: u64,
}

impl Pointer {
    /// Where the content is kept below the common Git directory, if it was fetched.
    pub fn object_path(&self, common_dir: &Path) -> PathBuf {
        let mut path = common_dir.join("lfs").join("objects");
        path.extend(
            [self.oid.get(..2), self.oid.get(2..4)]
                .into_iter()
                .flatten(),
        );
        path.join(&self.oid)
    }
}

/// Reads a pointer; `None` if `bytes` is something else. See the Git LFS specification, `docs/spec.md`.
pub fn parse_pointer(bytes: &[u8]) -> Option<Pointer> {
    if bytes.len() >= MAX_LENGTH {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.lines();
    let version = lines.next()?.strip_prefix("version ")?;
    let known = [
        "https://git-lfs.github.com/spec/v1",
        "https://hawser.github.com/spec/v1",
    ];
    if !known.contains(&version.trim_end()) {
        return None;
    }
    let (mut oid, mut size) = (None, None);
    for line in lines {
        match line.split_once(' ') {
            Some(("oid", value)) => oid = value.trim_end().strip_prefix("sha256:"),
            Some(("size", value)) => size = value.trim_end().parse().ok(),
            _ => {}
        }
    }
    let is_hex = |oid: &&str| {
        oid.len() == 64
            && oid
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    Some(Pointer {
        oid: oid.filter(is_hex)?.to_owned(),
        size: size?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_told_from_a_file_that_talks_of_one() {
        let oid = "ab".repeat(32);
        let text =
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12\n");
        let pointer = parse_pointer(text.as_bytes()).expect("a pointer");
        assert_eq!((pointer.oid.as_str(), pointer.size), (oid.as_str(), 12));
        assert_eq!(parse_pointer(format!("see {text}").as_bytes()), None);
        assert_eq!(parse_pointer(text.replace("ab", "zz").as_bytes()), None);
        assert_eq!(
            parse_pointer(&[text.as_bytes(), &[b' '; 1024]].concat()),
            None
        );
    }
}
