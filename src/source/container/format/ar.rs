//! ar: Debian packages and static libraries.

use std::ops::ControlFlow;

use bstr::{BString, ByteSlice as _};

use super::super::input::{Fault, Input};
use super::super::kind::Kind;
use super::super::opening::{Opening, Walk};

const MAGIC: usize = 8;
const HEADER: usize = 60;
/// Longest name that is written in front of a member's content.
const LONGEST_NAME: u64 = 64 << 10;
/// Longest table of names that is remembered.
const LONGEST_TABLE: u64 = 16 << 20;

/// Opens an ar archive.
pub(super) fn open(opening: &mut Opening<'_>, input: &mut dyn Input) -> ControlFlow<()> {
    let mut walk = Walk::new(opening, Kind::Ar, input);
    walk.rest("magic", MAGIC)?;
    let mut names = Vec::new();
    loop {
        let header = walk.peek(HEADER);
        if header.is_empty() {
            break;
        }
        let Some(header) = Header::parse(header) else {
            walk.fault(Fault::corrupt("a header in it cannot be"));
            walk.tail("what is damaged")?;
            break;
        };
        walk.rest("header", HEADER)?;
        let (mut name, mut length) = (header.name.clone(), header.length);
        if name == "//" && length <= LONGEST_TABLE {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let table = walk.peek(length);
            names = table.get(..length).unwrap_or(table).to_vec();
            walk.rest("names", length)?;
            walk.zeros_or_line_feed(header.length)?;
            continue;
        }
        if let Some(long) = name.strip_prefix(b"#1/").and_then(number)
            && long <= length.min(LONGEST_NAME)
        {
            // As BSD writes them: the name is the beginning of the content.
            let long = usize::try_from(long).unwrap_or(0);
            let bytes = walk.peek(long);
            let bytes = bytes.get(..long).unwrap_or(bytes);
            name = bytes.trim_end_with(|c| c == '\0').into();
            walk.rest("name", long)?;
            length -= long as u64;
        } else if let Some(offset) = name.strip_prefix(b"/").and_then(number) {
            let offset = usize::try_from(offset).unwrap_or(usize::MAX);
            let rest = names.get(offset..).unwrap_or_default();
            let end = rest.iter().position(|byte| *byte == b'\n');
            name = rest
                .get(..end.unwrap_or(rest.len()))
                .unwrap_or_default()
                .into();
        }
        let shown: BString = name.strip_suffix(b"/").unwrap_or(&name).into();
        if !walk.member(shown, length)? {
            walk.fault(Fault::corrupt("it is cut short"));
            break;
        }
        walk.zeros_or_line_feed(header.length)?;
    }
    walk.finish();
    ControlFlow::Continue(())
}

impl Walk<'_, '_> {
    /// Takes the byte that makes an odd length even.
    fn zeros_or_line_feed(&mut self, length: u64) -> ControlFlow<()> {
        match length % 2 {
            1 => self.rest("padding", 1),
            _ => ControlFlow::Continue(()),
        }
    }
}

struct Header {
    name: BString,
    length: u64,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<HEADER>()?;
        if header[58..] != *b"`\n" {
            return None;
        }
        Some(Self {
            name: header[..16].trim_end_with(|c| c == ' ').into(),
            length: number(&header[48..58])?,
        })
    }
}

/// A decimal number with spaces behind it.
fn number(field: &[u8]) -> Option<u64> {
    let digits = field.trim_end_with(|c| c == ' ');
    std::str::from_utf8(digits).ok()?.parse().ok()
}
