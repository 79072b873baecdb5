//! Inflates whole entries whose size is known beforehand.
//!
//! `libdeflater` was chosen by measurement: see [`super`]. The caller has checked the entry against the
//! CRC-32 of the pack's index where there is one; then the Adler-32 at the end of the stream says nothing
//! more and is not computed.

use libdeflater::Decompressor;

/// No deflate stream grows by more than this factor; a size beyond it is a lie and nothing is allocated.
const MAX_RATIO: u64 = 1032;

/// A decompressor that is reused from entry to entry.
pub(crate) struct Inflater {
    decompressor: Decompressor,
}

impl Inflater {
    /// A new one, with its tables.
    pub(crate) fn new() -> Self {
        Self {
            decompressor: Decompressor::new(),
        }
    }

    /// Inflates the zlib stream at the start of `stream`, which must give exactly `out.len()` bytes.
    ///
    /// `checked` says that a checksum over the compressed bytes has been compared already.
    pub(crate) fn inflate(
        &mut self,
        stream: &[u8],
        checked: bool,
        out: &mut [u8],
    ) -> Result<(), &'static str> {
        let length = if checked {
            let deflated = strip_header(stream).ok_or("not a zlib stream")?;
            self.decompressor.deflate_decompress(deflated, out)
        } else {
            self.decompressor.zlib_decompress(stream, out)
        };
        match length {
            Ok(length) if length == out.len() => Ok(()),
            Ok(_) => Err("inflates to less than its size"),
            Err(libdeflater::DecompressionError::InsufficientSpace) => {
                Err("inflates to more than its size")
            }
            Err(libdeflater::DecompressionError::BadData) => Err("cannot be inflated"),
        }
    }
}

/// Returns true if `compressed` bytes can inflate to `size` at all.
pub(crate) fn is_possible(compressed: usize, size: u64) -> bool {
    size <= (compressed as u64).saturating_mul(MAX_RATIO)
}

/// The deflate stream after the two bytes of the zlib header (RFC 1950, section 2.2).
fn strip_header(stream: &[u8]) -> Option<&[u8]> {
    let (&[method, flags], rest) = stream.split_first_chunk::<2>()?;
    let is_deflate = method & 0x0f == 8;
    let has_dictionary = flags & 0x20 != 0;
    let is_whole = u16::from_be_bytes([method, flags]) % 31 == 0;
    (is_deflate && is_whole && !has_dictionary).then_some(rest)
}

/// Bytes that are overwritten again and again without being cleared in between.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// Returns room for `length` bytes, with old content.
    pub(crate) fn fit(&mut self, length: usize) -> &mut [u8] {
        if self.bytes.len() < length {
            // Not `resize`: the old bytes need no copy, and fresh zeroed pages come for free.
            let rounded = length.checked_next_power_of_two().unwrap_or(length);
            let capacity = if length < (1 << 20) { rounded } else { length };
            self.bytes = Vec::new();
            self.bytes = vec![0; capacity];
        }
        self.length = length;
        &mut self.bytes[..length]
    }

    /// Returns the bytes that were written last.
    pub(crate) fn get(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Returns the bytes of memory it takes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
        let mut out = vec![0; compressor.zlib_compress_bound(bytes.len())];
        let length = compressor.zlib_compress(bytes, &mut out).expect("room");
        out.truncate(length);
        out
    }

    #[test]
    fn what_was_deflated_comes_back_and_a_wrong_size_is_an_error() {
        let text = b"some text, some text, some text".as_slice();
        let stream = deflate(text);
        let mut inflater = Inflater::new();
        for checked in [false, true] {
            let mut out = vec![0; text.len()];
            assert_eq!(inflater.inflate(&stream, checked, &mut out), Ok(()));
            assert_eq!(out, text);
            for wrong in [0, text.len() - 1, text.len() + 1] {
                let mut out = vec![0; wrong];
                assert!(inflater.inflate(&stream, checked, &mut out).is_err());
            }
            assert!(
                inflater
                    .inflate(
                        &stream[..stream.len() / 2],
                        checked,
                        &mut vec![0; text.len()]
                    )
                    .is_err()
            );
            assert!(inflater.inflate(&[], checked, &mut []).is_err());
        }
        let mut damaged = stream.clone();
        *damaged.last_mut().expect("not empty") ^= 1;
        let mut out = vec![0; text.len()];
        assert!(inflater.inflate(&damaged, false, &mut out).is_err());
    }

    #[test]
    fn nothing_inflates_to_nothing() {
        let stream = deflate(b"");
        assert_eq!(Inflater::new().inflate(&stream, true, &mut []), Ok(()));
    }

    #[test]
    fn a_lying_size_is_known_before_anything_is_allocated() {
        assert!(is_possible(10, 10_000));
        assert!(!is_possible(10, 1 << 40));
    }

    #[test]
    fn a_buffer_shows_what_was_written_last() {
        let mut buffer = Buffer::default();
        buffer.fit(4).copy_from_slice(b"four");
        assert_eq!(buffer.get(), b"four");
        buffer.fit(2).copy_from_slice(b"ab");
        assert_eq!(buffer.get(), b"ab");
        assert!(buffer.capacity() >= 4);
    }
}
