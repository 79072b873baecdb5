//! The walk over delta families: depth first, bases before what is built on them.
//!
//! An object is rebuilt only if something is built on it or if it has hits; of all others only the new
//! text is looked at. That must equal searching every object whole, and tests hold it to that.
//!
//! The heaviest child comes last and takes the memory of its base, so at most as many objects are alive as
//! the logarithm of the size of the family, however long its chains. What is alive beyond
//! [`MAX_ALIVE`] bytes is let go and built again when the walk comes back to it.

use gix::hash::oid;
use gix::objs::Kind;

use super::delta::{Delta, NewText};
use super::hits::{Hits, has_any};
use super::inflate::{Buffer, Inflater, is_possible};
use super::pack::Pack;
use super::show::{Fault, Shared, Show};
use super::table::Table;
use crate::source::BlobSink;

/// Bytes of rebuilt objects that one worker keeps for what is still to be built on them.
const MAX_ALIVE: usize = 64 << 20;
/// Buffers larger than this are not kept for later.
const MAX_KEPT: usize = 4 << 20;

/// One worker on one pack.
pub(super) struct Walk<'p, 'a, 's, S> {
    pack: &'p Pack,
    table: &'p Table,
    shared: &'a Shared<'a>,
    show: &'s mut Show<'a, S>,
    tools: Tools,
    stack: Vec<Level>,
}

/// What is reused from object to object.
struct Tools {
    inflater: Inflater,
    delta: Buffer,
    text: NewText,
    found: Vec<(usize, usize)>,
    buffers: Vec<Buffer>,
}

/// An object on which others are still to be built.
struct Level {
    number: u32,
    /// `None` if it was let go.
    bytes: Option<Buffer>,
    hits: Hits,
    next: Option<u32>,
    /// The child that comes last.
    heaviest: Option<u32>,
}

impl<'p, 'a, 's, S: BlobSink> Walk<'p, 'a, 's, S> {
    /// A walk over shares of `table`.
    pub(super) fn new(
        pack: &'p Pack,
        table: &'p Table,
        shared: &'a Shared<'a>,
        show: &'s mut Show<'a, S>,
    ) -> Self {
        Self {
            pack,
            table,
            shared,
            show,
            tools: Tools {
                inflater: Inflater::new(),
                delta: Buffer::default(),
                text: NewText::default(),
                found: Vec::new(),
                buffers: Vec::new(),
            },
            stack: Vec::new(),
        }
    }

    /// Walks the share that begins with `start`.
    pub(super) fn share(&mut self, start: u32) {
        self.stack.clear();
        match self.table.base(start) {
            None => self.root(start),
            Some(base) => self.group(base, start),
        }
        while let Some(top) = self.stack.last() {
            if self.shared.is_stopped() {
                return;
            }
            match (top.next, top.heaviest) {
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

    fn advance(&mut self, child: u32) {
        if let Some(top) = self.stack.last_mut() {
            top.next = self.table.next_sibling(child);
        }
    }

    fn pop(&mut self) {
        if let Some(bytes) = self.stack.pop().and_then(|level| level.bytes) {
            self.tools.give_back(bytes);
        }
    }

    /// Whether anything of this share needs the object.
    fn is_of_use(&self, number: u32) -> bool {
        self.table.is_wanted(number) || self.table.first_child(number).is_some()
    }

    /// A whole object.
    fn root(&mut self, number: u32) {
        if !self.is_of_use(number) {
            return;
        }
        let mut bytes = self.tools.buffer();
        if let Err(fault) = self.inflate(number, &mut bytes) {
            self.tools.give_back(bytes);
            self.fail_all(number, &fault);
            return;
        }
        let mut hits = Hits::default();
        if let Some(probe) = self.shared.probe {
            hits.search(bytes.get(), probe);
        }
        self.built(number, bytes, hits);
    }

    /// Siblings whose base belongs to another share.
    fn group(&mut self, base: u32, first: u32) {
        match self.rebuild(base) {
            Ok(bytes) => {
                let mut hits = Hits::default();
                if let Some(probe) = self.shared.probe {
                    hits.search(bytes.get(), probe);
                }
                self.push(base, bytes, hits, first);
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

    /// Judges a rebuilt object and keeps it for its children.
    fn built(&mut self, number: u32, bytes: Buffer, hits: Hits) {
        if self.table.is_wanted(number)
            && let Some(kind) = self.table.kind(number)
        {
            let id = self.pack.id(self.table.position(number));
            let has_hits = self.shared.probe.is_none() || !hits.is_empty();
            self.show.whole(kind, id, bytes.get(), has_hits);
        }
        match self.table.first_child(number) {
            Some(first) => self.push(number, bytes, hits, first),
            None => self.tools.give_back(bytes),
        }
    }

    fn push(&mut self, number: u32, bytes: Buffer, hits: Hits, first: u32) {
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
            hits,
            next: Some(first),
            heaviest: Some(heaviest),
        });
        self.let_go();
    }

    /// Lets go of the lowest levels while too much is alive; the top one is needed next.
    fn let_go(&mut self) {
        let capacity = |level: &Level| level.bytes.as_ref().map_or(0, Buffer::capacity);
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
    fn child(&mut self, number: u32, is_last: bool) {
        let Some(mut base) = self.stack.pop() else {
            return;
        };
        if !self.is_of_use(number) {
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
            if let Some(bytes) = base.bytes.take() {
                self.tools.give_back(bytes);
            }
        } else {
            self.stack.push(base);
        }
        match result {
            Ok(Some((bytes, hits))) => self.built(number, bytes, hits),
            Ok(None) => {}
            Err(fault) => self.fail_all(number, &fault),
        }
    }

    fn restore(&mut self, level: &mut Level) -> Result<(), Fault> {
        if level.bytes.is_none() {
            level.bytes = Some(self.rebuild(level.number)?);
        }
        Ok(())
    }

    /// Reads one delta: gives the rebuilt object with its hits, or `None` where nobody needs it.
    fn step(&mut self, number: u32, base: &Level) -> Result<Option<(Buffer, Hits)>, Fault> {
        let base_bytes = base.bytes.as_ref().map(Buffer::get).unwrap_or_default();
        let mut entry = std::mem::take(&mut self.tools.delta);
        let result = self
            .inflate(number, &mut entry)
            .and_then(|()| self.delta(entry.get(), base_bytes.len()))
            .and_then(|delta| self.judge(number, &delta, base_bytes, &base.hits));
        self.tools.keep_delta(entry);
        result
    }

    fn judge(
        &mut self,
        number: u32,
        delta: &Delta<'_>,
        base: &[u8],
        base_hits: &Hits,
    ) -> Result<Option<(Buffer, Hits)>, Fault> {
        let size = delta.size as usize;
        let Some(kind) = self.table.kind(number) else {
            return Ok(None);
        };
        let Some(probe) = self.shared.probe else {
            let bytes = self.tools.apply(delta, base)?;
            return Ok(Some((bytes, Hits::default())));
        };
        let reach = probe.longest().saturating_sub(1);
        let is_leaf = self.table.first_child(number).is_none();
        let tools = &mut self.tools;
        if is_leaf && !base_hits.is_too_many() && !self.show.looks_further(kind, size) {
            tools.text.gather(base, delta, reach, None)?;
            if !has_any(base_hits, delta, &tools.text, probe, &mut tools.found)? {
                let (pack, table) = (self.pack, self.table);
                let id = || pack.id(table.position(number));
                self.show.clear(kind, size, id);
                return Ok(None);
            }
            let bytes = tools.apply(delta, base)?;
            let id = self.pack.id(self.table.position(number));
            self.show.whole(kind, id, bytes.get(), true);
            tools.give_back(bytes);
            return Ok(None);
        }
        let mut bytes = tools.buffer();
        let out = bytes.fit(size);
        tools.text.gather(base, delta, reach, Some(out))?;
        let mut hits = Hits::default();
        if base_hits.is_too_many() {
            hits.search(bytes.get(), probe);
        } else {
            hits.inherit(base_hits, delta, &tools.text, probe, &mut tools.found)?;
        }
        Ok(Some((bytes, hits)))
    }

    /// Reads the sizes of a delta and holds them against its base and the limit.
    fn delta<'d>(&self, entry: &'d [u8], base: usize) -> Result<Delta<'d>, Fault> {
        let delta = Delta::parse(entry)?;
        if delta.base_size != base as u64 {
            return Err("the delta was made for another base".into());
        }
        if delta.size > self.shared.max_object_size {
            return Err(Fault::Size);
        }
        Ok(delta)
    }

    /// Inflates an entry after comparing its checksum.
    fn inflate(&mut self, number: u32, out: &mut Buffer) -> Result<(), Fault> {
        let range = self.table.range(number);
        let entry = self
            .pack
            .entry(range.start, range.end)
            .ok_or("the entry is not within the pack")?;
        let checksum = self.table.checksum(number);
        if checksum.is_some_and(|expected| crc32fast::hash(entry) != expected) {
            return Err("the entry does not have the checksum that the index says".into());
        }
        let header = self.pack.header(entry)?;
        if header.size > self.shared.max_object_size {
            return Err(Fault::Size);
        }
        if !is_possible(header.stream.len(), header.size) {
            return Err("the entry cannot have the size that it says".into());
        }
        let out = out.fit(header.size as usize);
        self.tools
            .inflater
            .inflate(header.stream, checksum.is_some(), out)?;
        Ok(())
    }

    /// Builds an object from the root of its family on.
    pub(super) fn rebuild(&mut self, number: u32) -> Result<Buffer, Fault> {
        let mut chain = vec![number];
        let mut at = number;
        while let Some(base) = self.table.base(at) {
            chain.push(base);
            at = base;
        }
        let mut bytes = self.tools.buffer();
        let mut entry = Buffer::default();
        chain
            .pop()
            .map_or(Ok(()), |root| self.inflate(root, &mut bytes))?;
        while let Some(number) = chain.pop() {
            self.inflate(number, &mut entry)?;
            let delta = self.delta(entry.get(), bytes.get().len())?;
            let next = self.tools.apply(&delta, bytes.get())?;
            self.tools.give_back(std::mem::replace(&mut bytes, next));
        }
        Ok(bytes)
    }

    /// Shows one object of the pack by itself; says whether that went well.
    pub(super) fn single(&mut self, id: &oid) -> bool {
        let Some(position) = self.pack.index.lookup(id) else {
            return false;
        };
        let offset = self.pack.index.pack_offset_at_index(position);
        let Some(number) = self.table.find(offset) else {
            return false;
        };
        let Some(kind) = self.table.kind(number) else {
            return false;
        };
        let Ok(bytes) = self.rebuild(number) else {
            return false;
        };
        if is_searched(kind) {
            let mut hits = Hits::default();
            if let Some(probe) = self.shared.probe {
                hits.search(bytes.get(), probe);
            }
            let has_hits = self.shared.probe.is_none() || !hits.is_empty();
            self.show.whole(kind, id, bytes.get(), has_hits);
        }
        true
    }

    /// Names an object and everything of its share that is built on it.
    fn fail_all(&mut self, number: u32, fault: &Fault) {
        let mut queue = vec![number];
        while let Some(number) = queue.pop() {
            if self.table.is_wanted(number) {
                let id = self.pack.id(self.table.position(number));
                self.show.fail(id, fault.clone());
            }
            let mut child = self.table.first_child(number);
            while let Some(number) = child {
                queue.push(number);
                child = self.table.next_sibling(number);
            }
        }
    }
}

impl Tools {
    fn buffer(&mut self) -> Buffer {
        self.buffers.pop().unwrap_or_default()
    }

    fn give_back(&mut self, buffer: Buffer) {
        if buffer.capacity() <= MAX_KEPT {
            self.buffers.push(buffer);
        }
    }

    fn keep_delta(&mut self, buffer: Buffer) {
        if buffer.capacity() <= MAX_KEPT {
            self.delta = buffer;
        }
    }

    /// Makes the object of a delta.
    fn apply(&mut self, delta: &Delta<'_>, base: &[u8]) -> Result<Buffer, Fault> {
        let mut out = self.buffer();
        delta.apply(base, out.fit(delta.size as usize))?;
        Ok(out)
    }
}

/// Whether objects of that kind are searched.
pub(super) fn is_searched(kind: Kind) -> bool {
    kind != Kind::Tree
}
