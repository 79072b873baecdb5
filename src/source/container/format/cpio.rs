//! cpio: newc, with and without checksums, odc, and the old binary form in either byte order.

use std::ops::ControlFlow;

use bstr::{BString, ByteSlice as _};

use super::super::input::{Fault, Input};
use super::super::kind::Kind;
use super::super::opening::{Opening, Walk};

const TRAILER: &[u8] = b"TRAILER!!!";
const LONGEST_HEADER: usize = 110;
const LONGEST_NAME: usize = 64 << 10;

/// Opens a cpio archive.
pub(super) fn open(opening: &mut Opening<'_>, input: &mut dyn Input) -> ControlFlow<()> {
    let mut walk = Walk::new(opening, Kind::Cpio, input);
    let mut has_end = false;
    loop {
        let bytes = walk.peek(LONGEST_HEADER);
        if bytes.is_empty() {
            break;
        }
        let Some(header) = Header::parse(bytes) else {
            if has_end {
                // Initial file systems go on with another archive, often a packed one.
                walk.zeros(u64::MAX);
                if Kind::of(walk.peek(LONGEST_HEADER)) == Some(Kind::Cpio) {
                    has_end = false;
                    continue;
                }
                walk.tail("behind the end")?;
            } else {
                walk.fault(Fault::corrupt("a header in it cannot be"));
                walk.tail("what is damaged")?;
            }
            break;
        };
        has_end = false;
        let before = header.size + header.name;
        let bytes = walk.peek(before);
        let name = bytes.get(header.size..before).unwrap_or_default();
        let name: BString = name.trim_end_with(|c| c == '\0').into();
        walk.rest("header", header.size)?;
        walk.rest("name", header.name)?;
        let padding = before.next_multiple_of(header.align) - before;
        walk.rest("padding", padding)?;
        if name == TRAILER {
            has_end = true;
            continue;
        }
        if !walk.member(name, header.length)? {
            walk.fault(Fault::corrupt("it is cut short"));
            has_end = true;
            break;
        }
        let align = header.align as u64;
        let padding = header.length.next_multiple_of(align) - header.length;
        walk.rest("padding", usize::try_from(padding).unwrap_or(0))?;
    }
    if !has_end && walk.peek(1).is_empty() {
        walk.fault(Fault::corrupt("it has no end"));
    }
    walk.finish();
    ControlFlow::Continue(())
}

struct Header {
    /// Bytes of the header without the name.
    size: usize,
    /// Bytes of the name, its zero included.
    name: usize,
    /// Bytes of the content.
    length: u64,
    /// Header with name, and content, are padded to a multiple of this.
    align: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let number = |from: usize, to: usize, radix: u32| {
            let digits = std::str::from_utf8(bytes.get(from..to)?).ok()?;
            u64::from_str_radix(digits, radix).ok()
        };
        let header = match bytes.get(..6)? {
            b"070701" | b"070702" => Self {
                size: 110,
                name: usize::try_from(number(94, 102, 16)?).ok()?,
                length: number(54, 62, 16)?,
                align: 4,
            },
            b"070707" => Self {
                size: 76,
                name: usize::try_from(number(59, 65, 8)?).ok()?,
                length: number(65, 76, 8)?,
                align: 1,
            },
            [0xc7, 0x71, ..] => Self::old(bytes, u16::from_le_bytes)?,
            [0x71, 0xc7, ..] => Self::old(bytes, u16::from_be_bytes)?,
            _ => return None,
        };
        (header.name > 0 && header.name <= LONGEST_NAME).then_some(header)
    }

    /// Thirteen numbers of 16 bits; the halves of long ones with the higher first.
    fn old(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Option<Self> {
        let number = |index: usize| {
            let bytes = bytes.get(2 * index..2 * index + 2)?;
            Some(u64::from(read([bytes[0], bytes[1]])))
        };
        Some(Self {
            size: 26,
            name: usize::try_from(number(10)?).ok()?,
            length: number(11)? << 16 | number(12)?,
            align: 2,
        })
    }
}
