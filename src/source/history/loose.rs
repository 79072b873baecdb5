//! Loose objects: one file each, not built on anything.

use std::io::{self, Read as _};
use std::path::Path;

use gix::hash::oid;
use gix::objs::Kind;

use super::hits::Hits;
use super::inflate::{Inflater, is_possible};
use super::search::is_searched;
use super::show::{Fault, Shared, Show};
use super::store::Loose;
use crate::source::BlobSink;
use crate::source::content::open_regular;

/// The longest header that is looked at: kind, size and a zero byte.
const MAX_HEADER: usize = 64;
/// So much of a file is read to learn what it holds.
const MAX_START: u64 = 511;

/// Reads loose objects one after the other.
pub(super) struct Reader {
    inflater: Inflater,
    file: Vec<u8>,
    object: Vec<u8>,
}

impl Reader {
    /// A reader with its buffers.
    pub(super) fn new() -> Self {
        Self {
            inflater: Inflater::new(),
            file: Vec::new(),
            object: Vec::new(),
        }
    }

    /// Shows a loose object.
    pub(super) fn show<S: BlobSink>(
        &mut self,
        loose: &Loose,
        (number, id): (u32, &oid),
        shared: &Shared<'_>,
        show: &mut Show<'_, S>,
    ) -> Result<(), Fault> {
        let kind_and_header = self.read(&loose.path(id), shared.max_object_size);
        let (kind, header) = kind_and_header?;
        let bytes = self.object.get(header..).unwrap_or_default();
        let has_hits = is_searched(kind)
            && shared.probe.is_none_or(|probe| {
                let mut hits = Hits::default();
                hits.search(bytes, probe);
                !hits.is_empty()
            });
        show.whole(kind, number, id, bytes, has_hits);
        Ok(())
    }

    /// Reads a loose object if it is of that kind.
    pub(super) fn of_kind(
        &mut self,
        kind: Kind,
        path: &Path,
        limit: u64,
    ) -> Result<Option<&[u8]>, Fault> {
        self.file.clear();
        read_limited(path, MAX_START, &mut self.file)
            .map_err(|error| Fault::Unreadable(error.to_string()))?;
        if self.header()?.0 != kind {
            return Ok(None);
        }
        let (_, header) = self.read(path, limit)?;
        Ok(Some(self.object.get(header..).unwrap_or_default()))
    }

    /// The kind and size that the file says, and where the content begins.
    fn header(&self) -> Result<(Kind, u64, usize), Fault> {
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
        let length = read_limited(path, most, &mut self.file)
            .map_err(|error| Fault::Unreadable(error.to_string()))?;
        if length > most {
            return Err(Fault::Size);
        }
        let (kind, size, header) = self.header()?;
        if size > limit {
            return Err(Fault::Size);
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

/// Appends at most one byte more than `most`; gives the number of bytes read.
fn read_limited(path: &Path, most: u64, into: &mut Vec<u8>) -> io::Result<u64> {
    let file = open_regular(path)?;
    let length = file.take(most.saturating_add(1)).read_to_end(into)?;
    Ok(length as u64)
}
