//! Single entries of a pack: inflated within a limit, held against their base, and built into an object from
//! the root of their chain of deltas on.
//!
//! A walk over a whole pack knows more and reads each entry once: see [`super::walk`].

use gix::objs::Kind;

use super::delta::Delta;
use super::fault::Fault;
use super::inflate::{Buffer, Inflater, is_possible};
use super::pack::{Content, Header, Pack};
use crate::git::number::PackPos;

/// More than the two sizes at the start of a delta take.
const SIZES: usize = 32;

/// Inflates an entry into the room that `fit` gives for its size.
///
/// `is_checked` says that its compressed bytes have been held against a checksum.
pub(crate) fn inflate<'b>(
    inflater: &mut Inflater,
    header: &Header<'_>,
    is_checked: bool,
    limit: u64,
    fit: impl FnOnce(usize) -> &'b mut [u8],
) -> Result<(), Fault> {
    if header.size > limit {
        return Err(Fault::Size(header.size));
    }
    if !is_possible(header.stream.len(), header.size) {
        return Err("the entry cannot have the size that it says".into());
    }
    let out = fit(header.size as usize);
    inflater.inflate(header.stream, is_checked, out)?;
    Ok(())
}

/// Reads the sizes of an inflated delta and holds them against its base and the limit.
pub(crate) fn delta(entry: &[u8], base: usize, limit: u64) -> Result<Delta<'_>, Fault> {
    let delta = Delta::parse(entry)?;
    if delta.base_size != base as u64 {
        return Err("the delta was made for another base".into());
    }
    if delta.size > limit {
        return Err(Fault::Size(delta.size));
    }
    Ok(delta)
}

/// An object by its entries: the whole one at the root, then the deltas, the last one first.
struct Chain<'p> {
    kind: Kind,
    root: Header<'p>,
    deltas: Vec<Header<'p>>,
}

impl<'p> Chain<'p> {
    fn new(pack: &'p Pack, position: PackPos) -> Result<Self, Fault> {
        let mut offset = pack.offset(position);
        let mut deltas = Vec::new();
        loop {
            let entry = pack.entry(offset, pack.end());
            let header = pack.header(entry.ok_or("the entry is not within the pack")?)?;
            let base = match header.content {
                Content::Whole(kind) => {
                    return Ok(Self {
                        kind,
                        root: header,
                        deltas,
                    });
                }
                Content::OffsetDelta(distance) => offset.checked_sub(distance),
                Content::RefDelta(id) => pack.find(&id).map(|position| pack.offset(position)),
            };
            offset = base.ok_or("the base of a delta is not in the pack")?;
            deltas.push(header);
            if deltas.len() > pack.len() as usize {
                return Err("its deltas go round in a circle".into());
            }
        }
    }
}

/// Kind and size of an object, without building it.
pub(crate) fn header(pack: &Pack, position: PackPos) -> Result<(Kind, u64), Fault> {
    let chain = Chain::new(pack, position)?;
    let Some(own) = chain.deltas.first() else {
        return Ok((chain.kind, chain.root.size));
    };
    let mut start = [0; SIZES];
    let inflated = gix::zlib::Inflate::default().prefix(own.stream, &mut start);
    let (_, _, inflated) = inflated.map_err(|error| Fault::Corrupt(error.to_string()))?;
    let delta = Delta::parse(start.get(..inflated).unwrap_or_default())?;
    Ok((chain.kind, delta.size))
}

/// Builds an object. Neither it nor anything that it is built on may be larger than `limit`.
pub(crate) fn read(
    pack: &Pack,
    position: PackPos,
    limit: u64,
    object: &mut Vec<u8>,
) -> Result<Kind, Fault> {
    let Chain {
        kind,
        root,
        mut deltas,
    } = Chain::new(pack, position)?;
    let mut inflater = Inflater::new();
    let mut base = Buffer::default();
    match deltas.is_empty() {
        true => inflate(&mut inflater, &root, false, limit, |size| {
            room(object, size)
        })?,
        false => inflate(&mut inflater, &root, false, limit, |size| base.fit(size))?,
    }
    let (mut entry, mut made) = (Buffer::default(), Buffer::default());
    while let Some(header) = deltas.pop() {
        inflate(&mut inflater, &header, false, limit, |size| entry.fit(size))?;
        let delta = delta(entry.get(), base.get().len(), limit)?;
        let size = delta.size as usize;
        if deltas.is_empty() {
            delta.apply(base.get(), room(object, size))?;
        } else {
            delta.apply(base.get(), made.fit(size))?;
            std::mem::swap(&mut base, &mut made);
        }
    }
    Ok(kind)
}

/// Room for exactly `size` bytes.
fn room(object: &mut Vec<u8>, size: usize) -> &mut [u8] {
    object.clear();
    object.resize(size, 0);
    object
}
