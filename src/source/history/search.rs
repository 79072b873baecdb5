//! Search of the objects of a walk: those with hits are shown.
//!
//! An object is rebuilt only if something is built on it or if it has hits; of all others only the new
//! text is looked at. That must equal searching every object whole, and tests hold it to that.

use gix::hash::oid;
use gix::objs::Kind;

use super::hits::{Hits, has_any};
use super::show::Emitter;
use crate::git::number::ObjectNo;
use crate::git::odb::delta::{self, Delta, NewText};
use crate::git::odb::fault::Fault;
use crate::git::odb::inflate::Buffer;
use crate::git::odb::loose::LooseReader;
use crate::git::odb::store::Loose;
use crate::git::odb::walk::{Builder, Object, Visitor};
use crate::source::{BlobSink, Probe, container, submodules};

/// One worker's search.
pub(super) struct Search<'s, 'a, S> {
    show: &'s mut Emitter<'a, S>,
    text: NewText,
    found: Vec<(usize, usize)>,
}

impl<'s, 'a, S: BlobSink> Search<'s, 'a, S> {
    /// A search that shows what it finds.
    pub(super) fn new(show: &'s mut Emitter<'a, S>) -> Self {
        Self {
            show,
            text: NewText::default(),
            found: Vec::new(),
        }
    }

    /// Shows an object, if it is wanted, whose hits are known.
    fn show(&mut self, object: &Object<'_>, bytes: &[u8], hits: &Hits) {
        if object.is_wanted {
            let has_hits = is_searched(object.kind)
                && (self
                    .show
                    .shared
                    .probe
                    .is_none_or(|probe| is_shown_by_its_ends(object.kind, bytes, probe))
                    || !hits.is_empty());
            let Object {
                kind, number, id, ..
            } = *object;
            self.show.whole(kind, number, id, bytes, has_hits);
        }
    }

    /// Rebuilds an object and works out its hits.
    fn rebuilt(
        &mut self,
        probe: &dyn Probe,
        (base, base_hits): (&[u8], &Hits),
        delta: &Delta<'_>,
        builder: &mut Builder,
    ) -> Result<(Buffer, Hits), Fault> {
        // One pass over the delta rebuilds the object and gathers what is new in it.
        let mut bytes = builder.buffer();
        let out = bytes.fit(delta.size as usize);
        let reach = probe.longest().saturating_sub(1);
        self.text.gather(base, delta, reach, Some(out))?;
        let mut hits = Hits::default();
        if base_hits.is_too_many() {
            hits.search(bytes.get(), probe);
        } else {
            hits.inherit(base_hits, delta, &self.text, probe, &mut self.found)?;
        }
        Ok((bytes, hits))
    }
}

impl<S: BlobSink> Visitor for Search<'_, '_, S> {
    type State = Hits;

    fn base(&mut self, object: &Object<'_>, bytes: &[u8]) -> Hits {
        let mut hits = Hits::default();
        if let Some(probe) = self.show.shared.probe {
            hits.search(bytes, probe);
        }
        self.show(object, bytes, &hits);
        hits
    }

    fn delta(
        &mut self,
        object: &Object<'_>,
        base: (&[u8], &Hits),
        delta: &Delta<'_>,
        builder: &mut Builder,
    ) -> Result<Option<(Buffer, Hits)>, Fault> {
        let size = delta.size as usize;
        let Some(probe) = self.show.shared.probe else {
            let bytes = builder.apply(delta, base.0)?;
            self.show(object, bytes.get(), &Hits::default());
            return Ok(Some((bytes, Hits::default())));
        };
        let reach = probe.longest().saturating_sub(1);
        let needs_text_only =
            object.is_leaf && !base.1.is_too_many() && !self.show.looks_further(object.kind, size);
        if needs_text_only {
            self.text.gather(base.0, delta, reach, None)?;
            let (head, tail) = self.text.ends();
            let is_shown = object.kind == Kind::Blob && by_ends(head, tail, probe);
            if !is_shown && !has_any(base.1, delta, &self.text, probe, &mut self.found)? {
                self.show.clear(object.kind, size, || object.id);
                return Ok(None);
            }
            let bytes = builder.apply(delta, base.0)?;
            let Object {
                kind, number, id, ..
            } = *object;
            self.show.whole(kind, number, id, bytes.get(), true);
            builder.give_back(bytes);
            return Ok(None);
        }
        let (bytes, hits) = self.rebuilt(probe, base, delta, builder)?;
        self.show(object, bytes.get(), &hits);
        Ok(Some((bytes, hits)))
    }

    fn failed(&mut self, id: &oid, fault: Fault) {
        self.show.fail(id, fault);
    }

    fn is_stopped(&self) -> bool {
        self.show.shared.is_stopped()
    }
}

/// Returns true if an object is shown for its beginning or end.
fn is_shown_by_its_ends(kind: Kind, bytes: &[u8], probe: &dyn Probe) -> bool {
    let head = bytes.get(..delta::HEAD).unwrap_or(bytes);
    let tail = bytes
        .get(bytes.len().saturating_sub(delta::TAIL)..)
        .unwrap_or_default();
    kind == Kind::Blob && by_ends(head, tail, probe)
}

/// Returns true if a blob of these ends is a container, or names submodules.
fn by_ends(head: &[u8], tail: &[u8], probe: &dyn Probe) -> bool {
    probe.is_container(head, tail) || submodules::may_be_modules(head)
}

// What the walk keeps of both ends is enough to recognise a container.
const _: () = assert!(delta::HEAD >= container::HEAD && delta::TAIL >= container::TAIL);

/// Returns true if objects of that kind are searched.
pub(super) fn is_searched(kind: Kind) -> bool {
    kind != Kind::Tree
}

/// Reads a loose object, searches it and shows it.
pub(super) fn show_loose<S: BlobSink>(
    reader: &mut LooseReader,
    loose: &Loose,
    (number, id): (ObjectNo, &oid),
    show: &mut Emitter<'_, S>,
) -> Result<(), Fault> {
    let (kind, bytes) = reader.object(&loose.path(id), show.shared.max_object_size)?;
    let has_hits = is_searched(kind)
        && show.shared.probe.is_none_or(|probe| {
            let mut hits = Hits::default();
            hits.search(bytes, probe);
            !hits.is_empty() || is_shown_by_its_ends(kind, bytes, probe)
        });
    show.whole(kind, number, id, bytes, has_hits);
    Ok(())
}
