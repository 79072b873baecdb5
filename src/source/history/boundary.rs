//! Boundaries of a history that was cut: shallow and partial clones, and missing objects.

use std::collections::HashSet;
use std::io;

use gix::ObjectId;

use super::links::Links;
use super::settings::History;
use crate::content::read_regular;
use crate::coverage::{Skip, SkipReason};
use crate::git::odb::store::Stores;
use crate::git::path_bytes;
use crate::source::BlobSink;

impl History {
    /// Reads the commits at which a shallow clone ends, and names them.
    pub(super) fn shallow_boundary<S: BlobSink>(
        &self,
        stores: &Stores,
        sink: &mut S,
    ) -> HashSet<ObjectId> {
        let Some(path) = &self.shallow else {
            return HashSet::new();
        };
        let text = match read_regular(path) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    let name = path_bytes(path);
                    sink.skip(Skip::with_detail(SkipReason::Unreadable, name, error));
                }
                return HashSet::new();
            }
        };
        let mut boundary = HashSet::new();
        for line in text.split(|byte| *byte == b'\n') {
            let Ok(id) = ObjectId::from_hex(line.trim_ascii()) else {
                continue;
            };
            // A boundary that a prune has left behind is none.
            if stores.contains(&id) && boundary.insert(id) && self.only.is_none() {
                let subject = id.to_string();
                let detail = "the history before this commit is not here";
                sink.skip(Skip::with_detail(SkipReason::Shallow, subject, detail));
            }
        }
        boundary
    }

    /// Names what is referred to and not there, and what says nothing that could be followed.
    pub(super) fn report_missing<S: BlobSink>(
        &self,
        stores: &Stores,
        links: Links<'_>,
        sink: &mut S,
    ) {
        let reason = if self.is_partial {
            SkipReason::Partial
        } else {
            SkipReason::Missing
        };
        for (id, detail) in links.damaged() {
            let id = id.to_string();
            sink.skip(Skip::with_detail(SkipReason::Corrupt, id, detail));
        }
        for (id, from) in links.missing() {
            let detail = format!("{from} refers to it");
            sink.skip(Skip::with_detail(reason, id.to_string(), detail));
        }
        for id in self.only.iter().flat_map(|only| only.iter()) {
            if !stores.contains(id) {
                sink.skip(Skip::new(reason, id.to_string()));
            }
        }
    }

    /// Takes note of references to objects that are not there.
    pub(super) fn follow_references(&self, links: &Links<'_>) {
        for (name, id) in &self.references {
            links.demand(*id, name);
        }
    }
}
