//! Shows blobs that an index or a tree names: read from the object database, LFS content in place of its pointer.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::Path;

use bstr::BString;
use gix::ObjectId;
use gix::objs::Kind;

use super::{BlobSink, show_all};
use crate::blob::Blob;
use crate::content::{FileReader, Links, Unread};
use crate::coverage::{Skip, SkipReason};
use crate::git::lfs::Pointer;
use crate::git::odb::fault::Fault;
use crate::git::repository::Repository;
use crate::provenance::{Provenance, Version};

/// From this many blobs on, threads are worth their start.
const PARALLEL_FROM: usize = 256;

/// A blob to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) path: BString,
    pub(super) blob_id: ObjectId,
    pub(super) version: Version,
}

/// Shows all items to `sink`; what cannot be read of the new ones is a skip.
pub(super) fn show<S: BlobSink>(repository: &Repository, items: &[Item], sink: &mut S) {
    let threads = match items.len() {
        // Few items must not pay for threads: a commit has few.
        0..PARALLEL_FROM => 1,
        _ => std::thread::available_parallelism().map_or(1, NonZero::get),
    };
    let show =
        |item: &Item, buffer: &mut Vec<u8>, sink: &mut S| show_one(repository, item, buffer, sink);
    // There is nothing left to break off.
    let _ = show_all(sink, threads, items, show);
}

fn show_one<S: BlobSink>(
    repository: &Repository,
    item: &Item,
    buffer: &mut Vec<u8>,
    sink: &mut S,
) -> ControlFlow<()> {
    let is_new = item.version == Version::New;
    let failure = match repository.find_object(&item.blob_id, buffer) {
        Ok(Some(Kind::Blob)) => None,
        Ok(Some(other)) => Some(Fault::Corrupt(format!("it is a {other}"))),
        Ok(None) => Some(repository.absence()),
        Err(fault) => Some(fault),
    };
    if let Some(fault) = failure {
        if is_new {
            let detail = format!("blob {}: {fault}", item.blob_id);
            sink.skip(Skip::with_detail(fault.reason(), item.path.clone(), detail));
        }
        return ControlFlow::Continue(());
    }
    let provenance = Provenance::Entry {
        path: item.path.clone(),
        blob_id: item.blob_id,
        version: item.version,
    };
    let pointer = show_text(buffer, &provenance, sink)?;
    pointer.map_or(ControlFlow::Continue(()), |pointer| {
        let subject = is_new.then_some(&item.path);
        show_pointer(repository, &pointer, &provenance, subject, sink)
    })
}

/// Shows the text of a blob unless all that it says is where its content lies; gives the pointer, if it is one.
pub(super) fn show_text<S: BlobSink>(
    bytes: &[u8],
    provenance: &Provenance,
    sink: &mut S,
) -> ControlFlow<(), Option<Pointer>> {
    let pointer = Pointer::parse(bytes);
    if pointer.as_ref().is_none_or(|it| it.has_extensions) {
        sink.blob(Blob { bytes, provenance })?;
    }
    ControlFlow::Continue(pointer)
}

/// Shows the content of an LFS pointer if it lies in the local store. If not, that is a skip of `subject`.
pub(super) fn show_pointer<S: BlobSink>(
    repository: &Repository,
    pointer: &Pointer,
    provenance: &Provenance,
    subject: Option<&BString>,
    sink: &mut S,
) -> ControlFlow<()> {
    let limit = repository.objects().max_size();
    let shown = show_lfs(&repository.lfs_dir(), limit, pointer, provenance, sink);
    shown.unwrap_or_else(|(reason, detail)| {
        if let Some(subject) = subject {
            sink.skip(Skip::with_detail(reason, subject.clone(), detail));
        }
        ControlFlow::Continue(())
    })
}

/// Shows the content of an LFS pointer if the store at `lfs` has it; why not, if it has not.
pub(super) fn show_lfs<S: BlobSink>(
    lfs: &Path,
    limit: u64,
    pointer: &Pointer,
    provenance: &Provenance,
    sink: &mut S,
) -> Result<ControlFlow<()>, (SkipReason, String)> {
    let path = pointer.object_path(lfs);
    let mut reader = FileReader::new(Some(limit));
    match reader.open(&path, Links::Follow) {
        Ok(content) if content.bytes().len() as u64 == pointer.size => {
            let flow = sink.blob(Blob {
                bytes: content.bytes(),
                provenance,
            });
            match content.change() {
                Some(change) if flow.is_continue() => Err((SkipReason::Changed, change)),
                _ => Ok(flow),
            }
        }
        Ok(_) => {
            let detail = "the local object has another length than its pointer says";
            Err((SkipReason::Lfs, detail.to_owned()))
        }
        Err(Unread::Size(size)) => Err((SkipReason::Size, format!("LFS object of {size} bytes"))),
        Err(Unread::Failed(error)) => Err((SkipReason::Unreadable, error.to_string())),
        Err(_) => Err(lfs_absent()),
    }
}

/// Returns the reason for not showing content that was not fetched.
pub(super) fn lfs_absent() -> (SkipReason, String) {
    let detail = "its object is not in the local store";
    (SkipReason::Lfs, detail.to_owned())
}
