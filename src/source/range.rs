//! Reads what came in, and what was there before, on several threads.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bstr::{BStr, BString};
use gix::ObjectId;

use crate::git::introduced::Introduced;
use crate::git::odb::fault::Fault;
use crate::git::repository::Repository;
use crate::provenance::{ObjectKind, Provenance, Version};
use crate::source::entries::{show_pointer, show_text};
use crate::source::{BlobSink, show_all};

/// Options of [`scan`].
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Larger objects are skipped.
    pub max_object_size: u64,
}

/// Shows each blob that came in, once, and the commits and tags.
pub fn scan<S: BlobSink>(
    repo: &Repository,
    introduced: &Introduced,
    options: Options,
    sink: &mut S,
) -> ControlFlow<()> {
    let object = |kind| move |id: &ObjectId| Provenance::Object { kind, id: *id };
    // By path, so that versions of one file follow each other and share what was inflated.
    let mut blobs: Vec<(&BString, &ObjectId)> = introduced
        .blobs
        .iter()
        .filter_map(|(id, places)| Some((&places.first()?.path, id)))
        .collect();
    blobs.sort();
    let blobs = blobs.into_iter().map(|(_, id)| id);
    let mut todo: Vec<Provenance> = blobs.map(object(ObjectKind::Blob)).collect();
    todo.extend(introduced.commits.iter().map(object(ObjectKind::Commit)));
    todo.extend(introduced.tags.iter().map(object(ObjectKind::Tag)));
    show(repo, &todo, options, sink)
}

/// Shows what was there before, `base` of what came in, as old versions, each once. Needed only if [`scan`] led to
/// findings.
///
/// Of several paths the first one counts that is not `excepted`, if there is one.
pub fn scan_base<'a, S: BlobSink>(
    repo: &Repository,
    base: impl IntoIterator<Item = &'a (BString, ObjectId)>,
    excepted: impl Fn(&BStr) -> bool,
    options: Options,
    sink: &mut S,
) -> ControlFlow<()> {
    let mut paths: BTreeMap<&ObjectId, (bool, &BString)> = BTreeMap::new();
    for (path, blob_id) in base {
        let found = (excepted(path.as_ref()), path);
        let kept = paths.entry(blob_id).or_insert(found);
        *kept = found.min(*kept);
    }
    let todo: Vec<Provenance> = paths
        .into_iter()
        .map(|(blob_id, (_, path))| Provenance::Entry {
            path: path.clone(),
            blob_id: *blob_id,
            version: Version::Old,
        })
        .collect();
    show(repo, &todo, options, sink)
}

fn show<S: BlobSink>(
    repo: &Repository,
    todo: &[Provenance],
    options: Options,
    sink: &mut S,
) -> ControlFlow<()> {
    show_all(sink, options.threads, todo, |provenance, buffer, sink| {
        show_one(repo, provenance, options.max_object_size, buffer, sink)
    })
}

fn show_one<S: BlobSink>(
    repo: &Repository,
    provenance: &Provenance,
    max_size: u64,
    buffer: &mut Vec<u8>,
    sink: &mut S,
) -> ControlFlow<()> {
    let (Provenance::Object { id, .. } | Provenance::Entry { blob_id: id, .. }) = provenance else {
        return ControlFlow::Continue(());
    };
    let read = match repo.objects().header(id) {
        Ok(Some((_, size))) if size > max_size => Err(Fault::Size(size)),
        Ok(Some(_)) => repo.find_object(id, buffer),
        other => other.map(|_| None),
    };
    let read = read.and_then(|found| found.ok_or_else(|| repo.absence()));
    match read {
        Ok(_) => {
            let pointer = show_text(buffer, provenance, sink)?;
            pointer.map_or(ControlFlow::Continue(()), |pointer| {
                let subject = BString::from(id.to_string());
                show_pointer(repo, &pointer, provenance, Some(&subject), sink)
            })
        }
        Err(fault) => {
            sink.skip(fault.into_skip(id.to_string()));
            ControlFlow::Continue(())
        }
    }
}
