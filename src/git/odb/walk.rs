//! The walk over delta trees: depth first, bases before what is built on them.
//!
//! Every entry is inflated once. What is done with it is a [`Visitor`]'s business: the scan searches, provenance
//! reads trees.
//!
//! The heaviest child comes last and takes the memory of its base, so at most as many objects are alive as
//! the logarithm of the size of the delta tree, however long its chains. What is alive beyond
//! [`MAX_ALIVE`] bytes is evicted and built again when the walk comes back to it.

use gix::hash::oid;
use gix::objs::Kind;

use super::delta::Delta;
use super::entry;
use super::fault::Fault;
use super::inflate::{Buffer, Inflater};
use super::pack::Pack;
use super::table::Table;
use crate::git::number::{EntryNo, ObjectNo};

/// Bytes of rebuilt objects that one worker keeps for what is still to be built on them.
const MAX_ALIVE: usize = 64 << 20;
/// Buffers larger than this are not kept for later.
const MAX_KEPT: usize = 4 << 20;

/// Visits the objects of a walk.
pub(crate) trait Visitor {
    /// State of an object that is kept for those that are built on it.
    type State;

    /// Visits a whole object, or a delta whose base's state was evicted.
    fn base(&mut self, object: &Object<'_>, bytes: &[u8]) -> Self::State;

    /// Visits an object that a delta makes of a base. If something is built on it, it is rebuilt.
    fn delta(
        &mut self,
        object: &Object<'_>,
        base: (&[u8], &Self::State),
        delta: &Delta<'_>,
        builder: &mut Builder,
    ) -> Result<Option<(Buffer, Self::State)>, Fault>;

    /// Takes back what nothing is built on any more.
    fn release(&mut self, _state: Self::State) {}

    /// Takes note of a wanted object that could not be read.
    fn failed(&mut self, id: &oid, fault: Fault);

    /// Returns true if the walk is to end.
    fn is_stopped(&self) -> bool;
}

/// An object of a pack on its way to a [`Visitor`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<'p> {
    /// Kind of object.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) id: &'p oid,
    /// Its number among the objects of all stores.
    pub(crate) number: ObjectNo,
    /// True if it was asked for, and is not only needed to build others.
    pub(crate) is_wanted: bool,
    /// True if nothing is built on it.
    pub(crate) is_leaf: bool,
}

impl<'p> Object<'p> {
    /// An object by itself.
    pub(crate) fn loose(kind: Kind, id: &'p oid, number: ObjectNo) -> Self {
        Self {
            kind,
            id,
            number,
            is_wanted: true,
            is_leaf: true,
        }
    }
}

/// One worker on one pack.
pub(crate) struct Walk<'p, 'j, V: Visitor> {
    pack: &'p Pack,
    table: &'p Table,
    max_object_size: u64,
    visitor: &'j mut V,
    inflater: Inflater,
    delta: Buffer,
    builder: Builder,
    stack: Vec<Level<V::State>>,
}

/// Makes objects of deltas, in buffers that are used again.
#[derive(Default)]
pub(crate) struct Builder {
    buffers: Vec<Buffer>,
}

/// An object on which others are still to be built.
struct Level<S> {
    number: EntryNo,
    /// `None` if it was evicted.
    bytes: Option<Buffer>,
    state: S,
    next: Option<EntryNo>,
    /// The child that comes last.
    heaviest: Option<EntryNo>,
}

impl<'p, 'j, V: Visitor> Walk<'p, 'j, V> {
    /// A walk over chunks of `table`.
    pub(crate) fn new(
        pack: &'p Pack,
        table: &'p Table,
        max_object_size: u64,
        visitor: &'j mut V,
    ) -> Self {
        Self {
            pack,
            table,
            max_object_size,
            visitor,
            inflater: Inflater::new(),
            delta: Buffer::default(),
            builder: Builder::default(),
            stack: Vec::new(),
        }
    }

    /// Walks the chunk that begins with `start`.
    pub(crate) fn chunk(&mut self, start: EntryNo) {
        self.stack.clear();
        match self.table.base(start) {
            None => self.root(start),
            Some(base) => self.group(base, start),
        }
        while let Some(top) = self.stack.last() {
            if self.visitor.is_stopped() {
                return;
            }
            match (top.next, top.heaviest) {
                // Passed over here: it comes last, when its base need not stay alive for a sibling.
                (Some(child), heaviest) if Some(child) == heaviest => {
                    self.advance(child);
                }
                (Some(child), _) => {
                    self.advance(child);
                    self.child(child, false);
                }
                (None, Some(heaviest)) => self.child(heaviest, true),
                (None, None) => {
                    self.pop();
                }
            }
        }
    }

    fn advance(&mut self, child: EntryNo) {
        if let Some(top) = self.stack.last_mut() {
            top.next = self.table.next_sibling(child);
        }
    }

    fn pop(&mut self) {
        if let Some(level) = self.stack.pop() {
            self.release(level.bytes, level.state);
        }
    }

    fn release(&mut self, bytes: Option<Buffer>, state: V::State) {
        if let Some(bytes) = bytes {
            self.builder.give_back(bytes);
        }
        self.visitor.release(state);
    }

    /// Returns true if anything of this chunk needs the object.
    fn is_needed(&self, number: EntryNo) -> bool {
        self.table.is_wanted(number) || self.table.first_child(number).is_some()
    }

    /// Describes an entry for the visitor; `None` where its kind is not known.
    fn object(&self, number: EntryNo) -> Option<Object<'p>> {
        let position = self.table.position(number);
        Some(Object {
            kind: self.table.kind(number)?,
            id: self.pack.id(position),
            number: self.pack.number(position),
            is_wanted: self.table.is_wanted(number),
            is_leaf: self.table.first_child(number).is_none(),
        })
    }

    /// A whole object.
    fn root(&mut self, number: EntryNo) {
        if !self.is_needed(number) {
            return;
        }
        let Some(object) = self.object(number) else {
            return;
        };
        let mut bytes = self.builder.buffer();
        if let Err(fault) = self.inflate(number, &mut bytes) {
            self.builder.give_back(bytes);
            self.fail_all(number, &fault);
            return;
        }
        let state = self.visitor.base(&object, bytes.get());
        self.keep(number, bytes, state);
    }

    /// Siblings whose base belongs to another chunk.
    fn group(&mut self, base: EntryNo, first: EntryNo) {
        let Some(object) = self.object(base) else {
            return;
        };
        match self.rebuild(base) {
            Ok(bytes) => {
                // The base is shown by the chunk that it belongs to; here others are only built on it.
                let object = Object {
                    is_wanted: false,
                    is_leaf: false,
                    ..object
                };
                let state = self.visitor.base(&object, bytes.get());
                self.push(base, bytes, state, first);
            }
            Err(fault) => {
                let mut next = Some(first);
                while let Some(number) = next {
                    self.fail_all(number, &fault);
                    next = self.table.next_sibling(number);
                }
            }
        }
    }

    /// Keeps an object for its children.
    fn keep(&mut self, number: EntryNo, bytes: Buffer, state: V::State) {
        match self.table.first_child(number) {
            Some(first) => self.push(number, bytes, state, first),
            None => self.release(Some(bytes), state),
        }
    }

    fn push(&mut self, number: EntryNo, bytes: Buffer, state: V::State, first: EntryNo) {
        let mut heaviest = first;
        let mut next = Some(first);
        while let Some(child) = next {
            if self.table.weight(child) >= self.table.weight(heaviest) {
                heaviest = child;
            }
            next = self.table.next_sibling(child);
        }
        self.stack.push(Level {
            number,
            bytes: Some(bytes),
            state,
            next: Some(first),
            heaviest: Some(heaviest),
        });
        self.evict();
    }

    /// Evicts the lowest levels while too much is alive; the top one is needed next.
    fn evict(&mut self) {
        let capacity = |level: &Level<V::State>| level.bytes.as_ref().map_or(0, Buffer::capacity);
        let mut alive: usize = self.stack.iter().map(capacity).sum();
        let top = self.stack.len().saturating_sub(1);
        for level in &mut self.stack[..top] {
            if alive <= MAX_ALIVE {
                return;
            }
            if let Some(bytes) = level.bytes.take() {
                alive -= bytes.capacity();
            }
        }
    }

    /// Takes an object that is built on the top of the stack. The last one takes its base's place.
    fn child(&mut self, number: EntryNo, is_last: bool) {
        let Some(mut base) = self.stack.pop() else {
            return;
        };
        if !self.is_needed(number) {
            if !is_last {
                self.stack.push(base);
            }
            return;
        }
        if let Err(fault) = self.restore(&mut base) {
            // Its whole entry was good before: the file has changed since.
            self.fail_all(number, &fault);
            if !is_last {
                self.stack.push(base);
            }
            return;
        }
        let result = self.step(number, &base);
        if is_last {
            self.release(base.bytes, base.state);
        } else {
            self.stack.push(base);
        }
        match result {
            Ok(Some((bytes, state))) => self.keep(number, bytes, state),
            Ok(None) => {}
            Err(fault) => self.fail_all(number, &fault),
        }
    }

    fn restore(&mut self, level: &mut Level<V::State>) -> Result<(), Fault> {
        if level.bytes.is_none() {
            level.bytes = Some(self.rebuild(level.number)?);
        }
        Ok(())
    }

    /// Reads one delta: gives the rebuilt object, or `None` where nobody needs it.
    fn step(
        &mut self,
        number: EntryNo,
        base: &Level<V::State>,
    ) -> Result<Option<(Buffer, V::State)>, Fault> {
        let Some(object) = self.object(number) else {
            return Ok(None);
        };
        let base_bytes = base.bytes.as_ref().map(Buffer::get).unwrap_or_default();
        let mut entry = std::mem::take(&mut self.delta);
        let limit = self.max_object_size;
        let result = self
            .inflate(number, &mut entry)
            .and_then(|()| entry::delta(entry.get(), base_bytes.len(), limit))
            .and_then(|delta| {
                let base = (base_bytes, &base.state);
                self.visitor.delta(&object, base, &delta, &mut self.builder)
            });
        // One huge delta must not keep its memory for the rest of the walk.
        if entry.capacity() <= MAX_KEPT {
            self.delta = entry;
        }
        result
    }

    /// Inflates an entry after comparing its checksum.
    fn inflate(&mut self, number: EntryNo, out: &mut Buffer) -> Result<(), Fault> {
        let range = self.table.range(number);
        let bytes = self
            .pack
            .entry(range.start, range.end)
            .ok_or("the entry is not within the pack")?;
        let checksum = self.table.checksum(number);
        if checksum.is_some_and(|expected| crc32fast::hash(bytes) != expected) {
            return Err("the entry does not have the checksum that the index says".into());
        }
        let header = self.pack.header(bytes)?;
        let (inflater, limit) = (&mut self.inflater, self.max_object_size);
        entry::inflate(inflater, &header, checksum.is_some(), limit, |size| {
            out.fit(size)
        })
    }

    /// Builds an object from the root of its delta tree on.
    fn rebuild(&mut self, number: EntryNo) -> Result<Buffer, Fault> {
        let mut chain = vec![number];
        let mut at = number;
        while let Some(base) = self.table.base(at) {
            chain.push(base);
            at = base;
        }
        let mut bytes = self.builder.buffer();
        let mut entry = Buffer::default();
        chain
            .pop()
            .map_or(Ok(()), |root| self.inflate(root, &mut bytes))?;
        while let Some(number) = chain.pop() {
            self.inflate(number, &mut entry)?;
            let delta = entry::delta(entry.get(), bytes.get().len(), self.max_object_size)?;
            let next = self.builder.apply(&delta, bytes.get())?;
            self.builder.give_back(std::mem::replace(&mut bytes, next));
        }
        Ok(bytes)
    }

    /// Takes one object of the pack by itself; says whether that went well.
    pub(crate) fn single(&mut self, id: &oid) -> bool {
        let Some(position) = self.pack.find(id) else {
            return false;
        };
        let offset = self.pack.offset(position);
        let Some(number) = self.table.find(offset) else {
            return false;
        };
        let Some(object) = self.object(number) else {
            return false;
        };
        let Ok(bytes) = self.rebuild(number) else {
            return false;
        };
        let object = Object {
            is_wanted: true,
            ..object
        };
        let state = self.visitor.base(&object, bytes.get());
        self.release(Some(bytes), state);
        true
    }

    /// Names an object and everything of its chunk that is built on it.
    fn fail_all(&mut self, number: EntryNo, fault: &Fault) {
        let mut queue = vec![number];
        while let Some(number) = queue.pop() {
            if self.table.is_wanted(number) {
                let id = self.pack.id(self.table.position(number));
                self.visitor.failed(id, fault.clone());
            }
            let mut child = self.table.first_child(number);
            while let Some(number) = child {
                queue.push(number);
                child = self.table.next_sibling(number);
            }
        }
    }
}

impl Builder {
    /// A buffer to build an object in.
    pub(crate) fn buffer(&mut self) -> Buffer {
        self.buffers.pop().unwrap_or_default()
    }

    /// Takes a buffer back for later.
    pub(crate) fn give_back(&mut self, buffer: Buffer) {
        if buffer.capacity() <= MAX_KEPT {
            self.buffers.push(buffer);
        }
    }

    /// Makes the object of a delta.
    pub(crate) fn apply(&mut self, delta: &Delta<'_>, base: &[u8]) -> Result<Buffer, Fault> {
        let mut out = self.buffer();
        delta.apply(base, out.fit(delta.size as usize))?;
        Ok(out)
    }
}
