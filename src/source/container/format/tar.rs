//! tar: v7, ustar, pax and GNU, with long names and sparse files.
//!
//! Readers of tar files disagree about malformed ones, and so do scanners with what is unpacked later. Here it
//! does not matter which of two readings is right: what one of them takes for a header is searched as a header,
//! what it takes for nothing is searched as the rest.

use std::borrow::Cow;
use std::ops::ControlFlow;

use bstr::{BString, ByteSlice as _};

use super::super::input::{Fault, Input};
use super::super::kind::{Kind, has_checksum, is_tar};
use super::super::opening::{Opening, Walk};
use super::pax::Records;
use super::sparse::{self, Map, number};

const BLOCK: usize = 512;
/// Longest pax header or long name that is understood; longer ones are searched all the same.
const LONGEST_TEXT: u64 = 16 << 20;

/// Opens a tar archive.
pub(super) fn open(opening: &mut Opening<'_>, input: &mut dyn Input) -> ControlFlow<()> {
    let mut walk = Walk::new(opening, Kind::Tar, input);
    let mut next = Next::default();
    let mut zeros = 0;
    loop {
        let block = walk.peek(BLOCK);
        let block = block.get(..BLOCK).unwrap_or(block);
        if block.is_empty() {
            if zeros < BLOCK as u64 {
                walk.fault(Fault::corrupt("it has no end"));
            }
            break;
        }
        if block.iter().all(|byte| *byte == 0) {
            let length = block.len() as u64;
            zeros += walk.zeros(length);
            continue;
        }
        let Some(header) = Header::parse(block) else {
            match zeros {
                0 => damaged(&mut walk)?,
                _ => {
                    walk.tail("behind the end")?;
                    break;
                }
            }
            continue;
        };
        zeros = 0;
        if !member(&mut walk, header, &mut next)? {
            walk.fault(Fault::corrupt("it is cut short"));
            break;
        }
    }
    walk.finish();
    ControlFlow::Continue(())
}

/// Facts from the headers of a member.
#[derive(Default)]
struct Next {
    name: Option<BString>,
    records: Records,
}

/// Shows what lies between a header that cannot be and the next one that can.
fn damaged(walk: &mut Walk<'_, '_>) -> ControlFlow<()> {
    walk.fault(Fault::corrupt("a header in it cannot be"));
    loop {
        walk.rest("what is damaged", BLOCK)?;
        let block = walk.peek(BLOCK);
        let is_zero = block.iter().all(|byte| *byte == 0);
        if is_zero || block.first_chunk().is_some_and(has_checksum) {
            return ControlFlow::Continue(());
        }
    }
}

/// Takes a header and what belongs to it; says whether all of it was there.
fn member(walk: &mut Walk<'_, '_>, header: Header, next: &mut Next) -> ControlFlow<(), bool> {
    walk.rest_of("header", BLOCK, |block| Cow::Owned(fields(block)))?;
    let has_text = matches!(header.form, b'x' | b'X' | b'g' | b'L' | b'K');
    if has_text && header.size <= LONGEST_TEXT {
        let length = usize::try_from(header.size).unwrap_or(usize::MAX);
        let text = walk.peek(length);
        let text = text.get(..length).unwrap_or(text);
        let is_whole = text.len() == length;
        match header.form {
            b'x' | b'X' => next.records.read(text),
            b'L' => next.name = Some(text.trim_end_with(|c| c == '\0').into()),
            // Those of a global header hold for no single file; link names are not followed.
            _ => {}
        }
        walk.rest("extended header", length)?;
        walk.rest("padding", padding(header.size))?;
        return ControlFlow::Continue(is_whole);
    }
    let Next { name, records } = std::mem::take(next);
    let name = records.name.clone().or(name).unwrap_or(header.name);
    let name: BString = name.strip_prefix(b"./").unwrap_or(&name).into();
    let size = match header.form {
        // Other links, devices, directories and FIFOs have no content, whatever they say.
        b'2'..=b'6' => 0,
        // Some writers say the length of what a hard link links to, some put its content there.
        b'1' if walk.peek(BLOCK).first_chunk().is_some_and(has_checksum) => 0,
        _ => records.size.unwrap_or(header.size),
    };
    let mut map = header.sparse.or(records.map());
    let mut used = 0;
    while map.as_ref().is_some_and(|map| map.goes_on) {
        let block = walk.peek(BLOCK);
        let is_good = map.as_mut().is_some_and(|map| map.extend(block));
        walk.rest("sparse map", BLOCK)?;
        if !is_good {
            walk.fault(Fault::corrupt("the map of a sparse file in it cannot be"));
            map = None;
        }
    }
    if records.has_map_in_data() {
        let most = size.min(LONGEST_TEXT);
        let text = walk.peek(usize::try_from(most).unwrap_or(usize::MAX));
        match Map::in_data(text, records.real_size) {
            Some((found, length)) if length as u64 <= size => {
                map = Some(found);
                used = length;
                walk.rest("sparse map", length)?;
            }
            _ => walk.fault(Fault::corrupt("the map of a sparse file in it cannot be")),
        }
    }
    let size_left = size - used as u64;
    let is_whole = match map {
        None => walk.member(name, size_left)?,
        Some(map) => {
            let mut is_whole = true;
            walk.made(name, |opening, step, input| {
                let (flow, whole) = sparse::show(opening, step, input, size_left, map);
                is_whole = whole;
                flow
            })?;
            is_whole
        }
    };
    if !is_whole {
        return ControlFlow::Continue(false);
    }
    walk.rest("padding", padding(size))?;
    ControlFlow::Continue(true)
}

/// Bytes up to the next whole block.
fn padding(size: u64) -> usize {
    usize::try_from(size.wrapping_neg() % BLOCK as u64).unwrap_or(0)
}

/// One header block, parsed.
struct Header {
    name: BString,
    form: u8,
    size: u64,
    /// The map of an old GNU sparse file.
    sparse: Option<Map>,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let block = bytes
            .first_chunk::<BLOCK>()
            .filter(|block| is_tar(*block))?;
        if !has_checksum(block) {
            return None;
        }
        let form = block[156];
        let is_ustar = block[257..263] == *b"ustar\0";
        let mut name = BString::default();
        if is_ustar && block[345] != 0 {
            name.extend_from_slice(until_zero(&block[345..500]));
            name.push(b'/');
        }
        name.extend_from_slice(until_zero(&block[..100]));
        let size = number(&block[124..136])?;
        Some(Self {
            name,
            form,
            size,
            sparse: (form == b'S').then(|| Map::old(block)).flatten(),
        })
    }
}

fn until_zero(field: &[u8]) -> &[u8] {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    field.get(..end).unwrap_or_default()
}

/// The fields of a header, each on a line: a name that fills its field must not run into the next.
fn fields(block: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(BLOCK + 8);
    let mut start = 0;
    for end in [100, 157, 257, 265, 297, 329, 345, 500, BLOCK] {
        let field = block.get(start..end.min(block.len())).unwrap_or_default();
        text.extend_from_slice(field);
        text.push(b'\n');
        start = end;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"00000000017\0"), Some(15));
        assert_eq!(
            number(b"\x80\0\0\0\0\0\0\x02\0\0\0\x01"),
            Some((2 << 32) + 1)
        );
        assert_eq!(
            number(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            None
        );
        assert_eq!(number(&[0; 12]), Some(0));
    }

    #[test]
    fn a_full_name_does_not_run_into_the_mode() {
        let mut block = [b'n'; BLOCK];
        block[100] = b'm';
        assert_eq!(fields(&block).get(99..102), Some(b"n\nm".as_slice()));
    }
}
