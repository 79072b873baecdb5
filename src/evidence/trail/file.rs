//! One log: read, inflated, and handed over as text.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};

use crate::content::open_regular;

/// Bytes of text up to which a file is held as a whole. A longer one is cut into records while it is inflated: the same
/// answer at half the pace, in bounded memory.
pub const MAX_INFLATED: usize = 32 << 20;

/// Bytes of one record, at most. CloudTrail's own limit is 256 KB (1 MB for some events).
pub const MAX_RECORD: usize = 16 << 20;

/// No deflate stream grows by more than this factor (RFC 1951: 258 bytes for two bits at most).
const MAX_RATIO: usize = 1032;

/// Bytes that a file of any length may inflate to, and how many times its length a longer one may. Logs inflate to about
/// seven times their length.
const MAX_OUTPUT: (u64, u64) = (256 << 20, 100);

/// Bytes that are read at once from a long file.
const PIECE: usize = 1 << 20;

const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The file or directory.
    pub path: PathBuf,
    /// Reason, in words.
    pub reason: String,
}

impl Unread {
    /// `path`, and why it could not be read.
    pub fn new(path: &Path, reason: impl Display) -> Self {
        Self {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// The text of a file.
pub(super) enum Text<'a> {
    /// All of it, as it is on disk: it may have been cut anywhere.
    Plain(&'a [u8]),
    /// All of it, inflated: a checksum has shown that nothing is missing.
    Inflated(&'a [u8]),
    /// It arrives in pieces: the file is long, has several members, or is damaged.
    Pieces(Box<dyn Read + 'a>),
}

/// Reads one file after the other into the same buffers.
pub(super) struct Reader {
    /// Room for the bytes of a file and one more.
    raw: Vec<u8>,
    /// Room for its text.
    text: Vec<u8>,
    decompressor: Decompressor,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self {
            raw: Vec::new(),
            text: Vec::new(),
            decompressor: Decompressor::new(),
        }
    }

    /// The text of the file at `path`.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<Text<'_>> {
        let file = open_regular(path)?;
        let length = file.metadata()?.len();
        if length > MAX_INFLATED as u64 {
            return pieces(file);
        }
        let length = length as usize;
        if self.raw.len() <= length {
            self.raw.resize(length + 1, 0);
        }
        if fill(&file, &mut self.raw[..=length])? != length {
            return Err(io::Error::other("changed while it was read"));
        }
        let raw = &self.raw[..length];
        if !raw.starts_with(&GZIP) {
            return Ok(Text::Plain(raw));
        }
        match inflate(&mut self.decompressor, raw, &mut self.text) {
            Some(length) => Ok(Text::Inflated(&self.text[..length])),
            None => Ok(Text::Pieces(Box::new(MultiGzDecoder::new(raw)))),
        }
    }
}

/// Reads until `buffer` is full or nothing comes any more; the number of bytes.
fn fill(mut file: impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Inflates a file of one member at once, into the front of `text`; `None` if it has more than one, is too long or is
/// damaged.
fn inflate(decompressor: &mut Decompressor, raw: &[u8], text: &mut Vec<u8>) -> Option<usize> {
    // The bytes that begin a member may also occur inside one. The slow way then gives the same text.
    if memchr::memmem::find(raw.get(1..)?, &GZIP).is_some() {
        return None;
    }
    // The length at the end is that of the last member, modulo 2^32, and nothing holds a writer to it.
    let length: [u8; 4] = raw.last_chunk().copied()?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_INFLATED.min(raw.len().saturating_mul(MAX_RATIO)) {
        return None;
    }
    if text.len() < length {
        text.resize(length, 0);
    }
    match decompressor.gzip_decompress(raw, &mut text[..length]) {
        Ok(inflated) if inflated == length => Some(length),
        Ok(_) | Err(DecompressionError::BadData | DecompressionError::InsufficientSpace) => None,
    }
}

/// The text of a long file, piece by piece.
fn pieces(file: File) -> io::Result<Text<'static>> {
    let mut file = io::BufReader::with_capacity(PIECE, file);
    let start = io::BufRead::fill_buf(&mut file)?;
    if start.starts_with(&GZIP) {
        Ok(Text::Pieces(Box::new(MultiGzDecoder::new(file))))
    } else {
        Ok(Text::Pieces(Box::new(file)))
    }
}

/// Bytes that a file of `size` bytes may inflate to.
pub(super) fn max_output(size: u64) -> u64 {
    MAX_OUTPUT.0.max(size.saturating_mul(MAX_OUTPUT.1))
}

/// Reads pieces to the end. `see` gets the text that is still needed and returns how much of its front it is done with.
pub(super) fn each_piece(
    mut pieces: impl Read,
    limit: u64,
    mut see: impl FnMut(&[u8]) -> Result<usize, String>,
) -> Result<u64, String> {
    let (mut buffer, mut filled, mut total) = (vec![0; PIECE], 0, 0);
    loop {
        if filled == buffer.len() {
            if filled > MAX_RECORD {
                return Err(format!("a record of more than {} MiB", MAX_RECORD >> 20));
            }
            buffer.resize(filled + PIECE, 0);
        }
        let read = match pieces.read(&mut buffer[filled..]) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.to_string()),
        };
        if read == 0 {
            return Ok(total);
        }
        filled += read;
        total += read as u64;
        if total > limit {
            return Err(format!("inflates to more than {limit} bytes"));
        }
        let done = see(&buffer[..filled])?;
        buffer.copy_within(done..filled, 0);
        filled -= done;
    }
}
