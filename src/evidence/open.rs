//! A file, or what a gzip file holds, with its first bytes to recognise it by.

use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use flate2::bufread::MultiGzDecoder;

use super::{AsOf, Error};
use crate::content::open_regular;

/// Bytes at the start that a file is recognised by.
const HEAD: u64 = 1 << 16;

/// The longest file that is read as a whole, in bytes: a report of a million users has a quarter of it.
const MAX_SIZE: u64 = 1 << 30;

/// Limit on the inflated size of a gzip file that is read as a whole, in bytes: the most of all, and of a short one so many bytes or
/// so many times its own length. A number of JSON is two bytes of text and 32 in memory.
const MAX_INFLATED: (u64, u64, u64) = (64 << 20, 8 << 20, 50);

/// Limit on the inflated size of a gzip file that is read row by row: so many bytes, or so many times its own length.
const MAX_STREAM: (u64, u64) = (64 << 20, 100);

/// An open file.
pub(super) struct Opened {
    /// The first bytes.
    pub(super) head: Vec<u8>,
    /// The time of change.
    pub(super) changed: AsOf,
    rest: Box<dyn Read>,
    is_packed: bool,
    size: u64,
}

impl Opened {
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let file = open_regular(path).map_err(Error::Read)?;
        let found = file.metadata().map_err(Error::Read)?;
        let changed = found.modified().map_err(Error::Read)?;
        let time = match changed.duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
        };
        let mut start = Vec::new();
        (&file)
            .take(3)
            .read_to_end(&mut start)
            .map_err(Error::Read)?;
        let is_packed = start == [0x1f, 0x8b, 8];
        let whole = BufReader::with_capacity(1 << 16, Cursor::new(start).chain(file));
        let mut rest: Box<dyn Read> = match is_packed {
            true => Box::new(MultiGzDecoder::new(whole)),
            false => Box::new(whole),
        };
        let mut head = Vec::new();
        let read = rest.by_ref().take(HEAD).read_to_end(&mut head);
        read.map_err(Error::Read)?;
        Ok(Self {
            head,
            changed: AsOf {
                time,
                is_of_file: true,
            },
            rest,
            is_packed,
            size: found.len(),
        })
    }

    /// All of it.
    pub(super) fn whole(self) -> Result<Vec<u8>, Error> {
        let most = match self.is_packed {
            true => {
                let (most, short, times) = MAX_INFLATED;
                most.min(short.max(self.size.saturating_mul(times)))
            }
            false => MAX_SIZE,
        };
        let mut bytes = self.head;
        let read = self.rest.take(most).read_to_end(&mut bytes);
        read.map_err(Error::Read)?;
        match bytes.len() as u64 > most {
            true => Err(Error::TooLong(most)),
            false => Ok(bytes),
        }
    }

    /// All of it, as it comes; an error where it inflates beyond measure.
    pub(super) fn stream(self) -> impl Read {
        let left = match self.is_packed {
            true => MAX_STREAM.0.max(self.size.saturating_mul(MAX_STREAM.1)),
            false => u64::MAX,
        };
        Measured {
            from: Cursor::new(self.head).chain(self.rest),
            left,
        }
    }
}

/// Reads so many bytes, and fails if there are more.
struct Measured<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other("it inflates to far more than its length"))?;
        Ok(read)
    }
}
