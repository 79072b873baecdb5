//! Loose objects: one file each, not built on anything.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use gix::hash::oid;
use gix::objs::Kind;

use super::fault::Fault;
use super::inflate::{Inflater, is_possible};
use crate::content::open_regular;

/// The longest header that is looked at: kind, size and a zero byte.
const MAX_HEADER: usize = 64;
/// So much of a file is read to learn what it holds.
const MAX_START: u64 = 511;

/// Reads loose objects one after the other.
pub(crate) struct LooseReader {
    inflater: Inflater,
    file: Vec<u8>,
    object: Vec<u8>,
}

impl LooseReader {
    /// A reader with its buffers.
    pub(crate) fn new() -> Self {
        Self {
            inflater: Inflater::new(),
            file: Vec::new(),
            object: Vec::new(),
        }
    }

    /// Reads a loose object.
    pub(crate) fn object(&mut self, path: &Path, limit: u64) -> Result<(Kind, &[u8]), Fault> {
        let (kind, header) = self.read(path, limit)?;
        Ok((kind, self.object.get(header..).unwrap_or_default()))
    }

    /// Reads a loose object if it is of that kind.
    pub(crate) fn of_kind(
        &mut self,
        kind: Kind,
        path: &Path,
        limit: u64,
    ) -> Result<Option<&[u8]>, Fault> {
        if self.header(path)?.0 != kind {
            return Ok(None);
        }
        let (_, header) = self.read(path, limit)?;
        Ok(Some(self.object.get(header..).unwrap_or_default()))
    }

    /// Kind and size of a loose object, by the start of its file.
    pub(crate) fn header(&mut self, path: &Path) -> Result<(Kind, u64), Fault> {
        self.file.clear();
        read_limited(path, MAX_START, &mut self.file).map_err(|error| Fault::of_file(&error))?;
        let (kind, size, _) = self.parse_header()?;
        Ok((kind, size))
    }

    /// Reads a loose object into `object` and nothing else.
    pub(crate) fn read_into(
        mut self,
        path: &Path,
        limit: u64,
        object: &mut Vec<u8>,
    ) -> Result<Kind, Fault> {
        std::mem::swap(&mut self.object, object);
        let read = self.read(path, limit);
        std::mem::swap(&mut self.object, object);
        let (kind, header) = read?;
        object.drain(..header);
        Ok(kind)
    }

    /// The kind and size that the file says, and where the content begins.
    fn parse_header(&self) -> Result<(Kind, u64, usize), Fault> {
        let mut start = [0; MAX_HEADER];
        let (_, _, inflated) = gix::zlib::Inflate::default()
            .prefix(&self.file, &mut start)
            .map_err(|error| Fault::Corrupt(error.to_string()))?;
        let start = start.get(..inflated).unwrap_or_default();
        gix::objs::decode::loose_header(start).map_err(|error| Fault::Corrupt(error.to_string()))
    }

    /// Reads a whole file, checksum included; gives the kind and where the content begins.
    fn read(&mut self, path: &Path, limit: u64) -> Result<(Kind, usize), Fault> {
        self.file.clear();
        // What cannot be compressed grows a little.
        let most = limit.saturating_add(limit / 512).saturating_add(4096);
        let length =
            read_limited(path, most, &mut self.file).map_err(|error| Fault::of_file(&error))?;
        if length > most {
            return Err(Fault::Size(length));
        }
        let (kind, size, header) = self.parse_header()?;
        if size > limit {
            return Err(Fault::Size(size));
        }
        if !is_possible(self.file.len(), size) {
            return Err("the object cannot have the size that it says".into());
        }
        let length = header + size as usize;
        self.object.clear();
        self.object.resize(length, 0);
        self.inflater.inflate(&self.file, false, &mut self.object)?;
        Ok((kind, header))
    }
}

/// The file of a loose object below its objects directory.
pub(crate) fn loose_path(directory: &Path, id: &oid) -> PathBuf {
    let hex = id.to_string();
    let (folder, name) = hex.split_at(2);
    directory.join(folder).join(name)
}

/// Appends at most one byte more than `most`; gives the number of bytes read.
fn read_limited(path: &Path, most: u64, into: &mut Vec<u8>) -> io::Result<u64> {
    let file = open_regular(path)?;
    let length = file.take(most.saturating_add(1)).read_to_end(into)?;
    Ok(length as u64)
}
