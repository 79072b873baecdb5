//! One file: opened, shown, and looked at again.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use bstr::BString;

use super::repository::Repository;
use super::shown::note;
use crate::blob::Blob;
use crate::content::{Content, FileReader, Links, Unread};
use crate::coverage::SkipReason;
use crate::git::lfs::Pointer;
use crate::provenance::Provenance;
use crate::source::BlobSink;

/// Shows files to a sink, with buffers that it reuses.
#[derive(Debug)]
pub(super) struct Emitter<S> {
    pub(super) sink: S,
    reader: FileReader,
    /// For LFS content, whose pointer is still held by the other reader.
    object_reader: FileReader,
    provenance: Provenance,
}

impl<S: BlobSink> Emitter<S> {
    pub(super) fn new(sink: S, max_file_size: Option<u64>) -> Self {
        Self {
            sink,
            reader: FileReader::new(max_file_size),
            object_reader: FileReader::new(max_file_size),
            provenance: Provenance::File {
                path: BString::default(),
            },
        }
    }

    /// Shows a file under a path, or notes why not. A panic costs this file only.
    pub(super) fn file(
        &mut self,
        path: &Path,
        shown: &[u8],
        links: Links,
        repository: impl FnOnce() -> Option<Arc<Repository>>,
    ) -> ControlFlow<()> {
        let read = AssertUnwindSafe(|| self.open(path, shown, links, repository));
        catch_unwind(read).unwrap_or_else(|_panic| {
            let detail = "reading it failed in a way that should not happen; please report it";
            let detail = Some(detail.to_owned());
            note(&mut self.sink, SkipReason::Internal, shown, detail);
            ControlFlow::Continue(())
        })
    }

    fn open(
        &mut self,
        path: &Path,
        shown: &[u8],
        links: Links,
        repository: impl FnOnce() -> Option<Arc<Repository>>,
    ) -> ControlFlow<()> {
        let content = match self.reader.open(path, links) {
            Ok(content) => content,
            Err(unread) => {
                note_unread(&mut self.sink, shown, unread);
                return ControlFlow::Continue(());
            }
        };
        if let Some(pointer) = Pointer::parse(content.bytes())
            && let Some(repository) = repository()
        {
            if pointer.has_extensions {
                show(&mut self.sink, &mut self.provenance, shown, &content)?;
            }
            let object = pointer.object_path(repository.lfs_dir());
            return match self.object_reader.open(&object, Links::Follow) {
                Ok(content) if content.bytes().len() as u64 == pointer.size => {
                    show(&mut self.sink, &mut self.provenance, shown, &content)
                }
                result => {
                    let detail = match result {
                        Ok(_) => "the local object has another length than its pointer says".into(),
                        Err(Unread::Failed(error)) => format!("the local object: {error}"),
                        Err(Unread::Size(size)) => format!("the local object has {size} bytes"),
                        Err(_) => "its object is not in the local store".into(),
                    };
                    note(&mut self.sink, SkipReason::Lfs, shown, Some(detail));
                    ControlFlow::Continue(())
                }
            };
        }
        show(&mut self.sink, &mut self.provenance, shown, &content)
    }
}

fn show<S: BlobSink>(
    sink: &mut S,
    provenance: &mut Provenance,
    shown: &[u8],
    content: &Content<'_>,
) -> ControlFlow<()> {
    if let Provenance::File { path } = provenance {
        path.clear();
        path.extend_from_slice(shown);
    }
    let flow = sink.blob(Blob {
        bytes: content.bytes(),
        provenance,
    });
    if let Some(change) = content.change() {
        note(sink, SkipReason::Changed, shown, Some(change));
    }
    flow
}

fn note_unread<S: BlobSink>(sink: &mut S, shown: &[u8], unread: Unread) {
    let (reason, detail) = match unread {
        Unread::Gone => (SkipReason::Changed, Some("it vanished".to_owned())),
        Unread::Link => (
            SkipReason::Changed,
            Some("it became a symbolic link".to_owned()),
        ),
        Unread::Directory => (
            SkipReason::Changed,
            Some("it became a directory".to_owned()),
        ),
        Unread::Special => (SkipReason::Special, None),
        Unread::Size(size) => (SkipReason::Size, Some(format!("{size} bytes"))),
        Unread::Failed(error) => (SkipReason::Unreadable, Some(error.to_string())),
    };
    note(sink, reason, shown, detail);
}
