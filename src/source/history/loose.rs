//! Loose objects: one file each, not built on anything.

use gix::hash::oid;
use gix::odb::loose::Store;

use super::hits::Hits;
use super::show::{Fault, Shared, Show};
use super::walk::is_searched;
use crate::source::BlobSink;

/// Shows a loose object or takes note of why it cannot be read.
pub(super) fn show<S: BlobSink>(
    store: &Store,
    id: &oid,
    shared: &Shared<'_>,
    show: &mut Show<'_, S>,
) {
    if let Err(fault) = try_show(store, id, shared, show) {
        show.fail(id, fault);
    }
}

/// Shows a loose object.
pub(super) fn try_show<S: BlobSink>(
    store: &Store,
    id: &oid,
    shared: &Shared<'_>,
    show: &mut Show<'_, S>,
) -> Result<(), Fault> {
    let gone = || Fault::Corrupt("the file is gone".to_owned());
    let damaged = |error: gix::Error| Fault::Corrupt(error.to_string());
    let mut bytes = Vec::new();
    let (kind, size) = match store.try_find(id, &mut bytes) {
        Ok(Some(data)) => (data.kind, data.data.len()),
        Ok(None) => return Err(gone()),
        Err(error) => {
            let (size, _) = store.try_header(id).map_err(damaged)?.ok_or_else(gone)?;
            return Err(if size > shared.max_object_size {
                Fault::Size
            } else {
                damaged(error)
            });
        }
    };
    if !is_searched(kind) {
        return Ok(());
    }
    let bytes = bytes.get(..size).unwrap_or_default();
    let has_hits = shared.probe.is_none_or(|probe| {
        let mut hits = Hits::default();
        hits.search(bytes, probe);
        !hits.is_empty()
    });
    show.whole(kind, id, bytes, has_hits);
    Ok(())
}
