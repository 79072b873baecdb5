//! RPM packages: two headers, with scripts and change logs, and a packed cpio archive.

use std::ops::ControlFlow;

use super::super::input::{Fault, Input};
use super::super::kind::{HEAD, Kind};
use super::super::opening::{Opening, Walk};

const LEAD: usize = 96;
const INTRODUCTION: usize = 16;
/// Longest header that is looked at; RPM itself allows 256 MB.
const LONGEST: u64 = 64 << 20;

/// Opens a package.
pub(super) fn open(opening: &mut Opening<'_>, input: &mut dyn Input) -> ControlFlow<()> {
    let mut walk = Walk::new(opening, Kind::Rpm, input);
    walk.rest("lead", LEAD)?;
    for (name, align) in [("signature", 8), ("header", 1)] {
        let Some(length) = length(walk.peek(INTRODUCTION)) else {
            walk.fault(Fault::corrupt("its header cannot be"));
            walk.tail("what is damaged")?;
            walk.finish();
            return ControlFlow::Continue(());
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if walk.peek(length).len() < length {
            walk.fault(Fault::corrupt("it is cut short"));
        }
        walk.rest(name, length.next_multiple_of(align))?;
    }
    let length = u64::MAX;
    if Kind::of(walk.peek(HEAD)).is_none() {
        walk.fault(Fault::corrupt("its content cannot be"));
    }
    walk.member("payload", length)?;
    walk.finish();
    ControlFlow::Continue(())
}

/// Bytes of a header with its introduction, index and store.
fn length(bytes: &[u8]) -> Option<u64> {
    let introduction = bytes.first_chunk::<INTRODUCTION>()?;
    let number = |at: usize| {
        let bytes = introduction.get(at..at + 4)?.first_chunk::<4>()?;
        Some(u64::from(u32::from_be_bytes(*bytes)))
    };
    let is_header = introduction.starts_with(&[0x8e, 0xad, 0xe8, 1]);
    let length = INTRODUCTION as u64 + 16 * number(8)? + number(12)?;
    (is_header && length <= LONGEST).then_some(length)
}
