//! The records of a pax header: `LENGTH KEY=VALUE`, one a line.

use bstr::{BString, ByteSlice as _};

use super::sparse::Map;

/// Records of the pax headers of one member, as far as they are needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// The name.
    pub(super) name: Option<BString>,
    /// Length of the content in the archive.
    pub(super) size: Option<u64>,
    /// Length of a sparse file.
    pub(super) real_size: u64,
    /// A sparse map, as pairs of offset and length.
    pairs: Vec<(u64, u64)>,
    offset: u64,
    is_sparse: bool,
    major: u64,
}

impl Records {
    /// Reads the records of one header; what is malformed ends it.
    pub(super) fn read(&mut self, mut text: &[u8]) {
        while let Some((key, value, rest)) = record(text) {
            self.set(key, value);
            text = rest;
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8]) {
        let number = || number(value);
        match key {
            b"path" if self.name.is_none() || !self.is_sparse => self.name = Some(value.into()),
            b"GNU.sparse.name" => {
                self.name = Some(value.into());
                self.is_sparse = true;
            }
            b"size" => self.size = number(),
            b"GNU.sparse.major" => self.major = number().unwrap_or(0),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => {
                self.is_sparse = true;
                self.real_size = number().unwrap_or(0);
            }
            b"GNU.sparse.offset" => self.offset = number().unwrap_or(0),
            b"GNU.sparse.numbytes" => self.pairs.push((self.offset, number().unwrap_or(0))),
            b"GNU.sparse.map" => {
                let numbers: Vec<u64> = value.split_str(",").filter_map(self::number).collect();
                self.pairs = numbers
                    .chunks_exact(2)
                    .map(|pair| (pair[0], pair[1]))
                    .collect();
            }
            _ => {}
        }
    }

    /// The map of a sparse file of the forms 0.0 and 0.1.
    pub(super) fn map(&self) -> Option<Map> {
        let is_here = self.is_sparse && !self.pairs.is_empty();
        is_here.then(|| Map::new(self.pairs.clone(), self.real_size))
    }

    /// Returns true if the map is in front of the content: form 1.0.
    pub(super) fn has_map_in_data(&self) -> bool {
        self.is_sparse && self.major == 1
    }
}

/// One record: key, value, and what follows.
fn record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (length, _) = text.split_once_str(" ")?;
    let size = usize::try_from(number(length)?).ok()?;
    let line = text.get(length.len() + 1..size)?;
    let (key, value) = line.strip_suffix(b"\n")?.split_once_str("=")?;
    Some((key, value, text.get(size..)?))
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_their_length_in_front() {
        let mut records = Records::default();
        records.read(b"11 size=42\n16 path=a\nb = c\n9 broken");
        assert_eq!(records.size, Some(42));
        assert_eq!(records.name, Some("a\nb = c".into()));
        records.read(b"99 size=43\n");
        records.read(b"x");
        records.read(b"");
        assert_eq!(records.size, Some(42));
    }
}
