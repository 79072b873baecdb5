//! 7z.
//!
//! What is packed together is one stream, in which the members follow each other. The header at the end says what
//! there is; it is mostly packed itself. Its lists are no longer than its bytes, so nothing is made larger than that
//! by what it says.

use std::ops::ControlFlow;

use bstr::BString;

use super::super::input::{Fault, Input, Part, Slice};
use super::super::kind::Kind;
use super::super::opening::{Opening, WHOLE};
use super::crc;
use super::decode::{self, Bzip2, DEFLATE_COST, Deflate, LZMA_COST, RawLzma};
use super::sevenz_header::{Folder, Header, Reader, Streams};
use super::unpack::{Decode, Unpack};
use crate::coverage::SkipReason;
use crate::provenance::{Step, StepPart};
use crate::source::Opened;

const START: usize = 32;

/// Opens a 7z file; `bytes` is all of it.
pub(super) fn open(opening: &mut Opening<'_>, bytes: &[u8]) -> ControlFlow<()> {
    let (range, header) = match header(opening, bytes) {
        Ok(found) => found,
        Err(fault) => {
            opening.skip(fault.reason, fault.detail);
            return opening.raw(&mut Slice::new(bytes));
        }
    };
    let mut claims = vec![(0, START, false), (range.0, range.1, false)];
    let directory = bytes.get(range.0..range.1).unwrap_or_default();
    opening.rest(Kind::SevenZip, "directory", directory)?;
    let mut names = header.names.iter();
    let mut at = START as u64 + header.streams.start;
    let mut sizes = header.streams.packed.iter();
    for folder in &header.streams.folders {
        let lengths: Vec<u64> = sizes.by_ref().take(folder.packed).copied().collect();
        let length = lengths
            .iter()
            .fold(0_u64, |sum, length| sum.saturating_add(*length));
        let start = usize::try_from(at).unwrap_or(usize::MAX);
        at = at.saturating_add(length);
        let end = usize::try_from(at).unwrap_or(usize::MAX);
        let packed = bytes
            .get(start..end)
            .filter(|_| lengths.len() == folder.packed);
        let members: Vec<(BString, u64, Option<u32>)> = folder
            .members
            .iter()
            .map(|(size, sum)| (names.next().cloned().unwrap_or_default(), *size, *sum))
            .collect();
        let Some(packed) = packed else {
            opening.skip(
                SkipReason::Corrupt,
                "what is packed in it is not where it says",
            );
            continue;
        };
        claims.push((start, end, true));
        show(opening, folder, packed, &members)?;
    }
    gaps(opening, bytes, claims)
}

/// Reads the header; gives where it is too.
fn header(opening: &mut Opening<'_>, bytes: &[u8]) -> Result<((usize, usize), Header), Fault> {
    let damaged = || Fault::corrupt("its header cannot be");
    let start = bytes.first_chunk::<START>().ok_or_else(damaged)?;
    let quad = |at: usize| {
        start
            .get(at..at + 8)
            .and_then(|it| it.first_chunk().copied())
    };
    let long = |at: usize| {
        start
            .get(at..at + 4)
            .and_then(|it| it.first_chunk().copied())
    };
    let numbers = quad(12).zip(quad(20)).zip(long(28)).zip(long(8));
    let (((offset, size), sum), start_sum) = numbers.ok_or_else(damaged)?;
    if crc32fast::hash(&start[12..]) != u32::from_le_bytes(start_sum) {
        return Err(damaged());
    }
    let at = usize::try_from(u64::from_le_bytes(offset)).ok();
    let from = at
        .and_then(|at| at.checked_add(START))
        .ok_or_else(damaged)?;
    let size = usize::try_from(u64::from_le_bytes(size)).map_err(|_large| damaged())?;
    let to = from.checked_add(size).ok_or_else(damaged)?;
    let mut held = bytes
        .get(from..to)
        .ok_or_else(|| Fault::corrupt("it is cut short"))?
        .to_vec();
    if crc32fast::hash(&held) != u32::from_le_bytes(sum) {
        return Err(damaged());
    }
    // A packed header may hold a packed header; nobody makes more than two.
    for _ in 0..4 {
        let mut reader = Reader::new(&held);
        match reader.byte() {
            None if size == 0 => return Ok(((from, to), Header::default())),
            Some(1) => {
                let header = Header::read(&mut reader).ok_or_else(damaged)?;
                return Ok(((from, to), header));
            }
            Some(0x17) => {
                let streams = Streams::read(&mut reader).ok_or_else(damaged)?;
                held = unpacked(opening, bytes, &streams)?;
            }
            _ => return Err(damaged()),
        }
    }
    Err(damaged())
}

/// Unpacks a header.
fn unpacked(opening: &mut Opening<'_>, bytes: &[u8], streams: &Streams) -> Result<Vec<u8>, Fault> {
    let damaged = || Fault::corrupt("its header cannot be");
    let folder = streams.folders.first().ok_or_else(damaged)?;
    let start = usize::try_from(START as u64 + streams.start).map_err(|_large| damaged())?;
    let length = streams.packed.first().ok_or_else(damaged)?;
    let length = usize::try_from(*length).map_err(|_large| damaged())?;
    let packed = bytes
        .get(start..)
        .and_then(|rest| rest.get(..length))
        .ok_or_else(damaged)?;
    let size = usize::try_from(folder.size)
        .ok()
        .filter(|size| *size <= WHOLE);
    let size = size.ok_or_else(|| Fault::limit("its header is longer than is looked at"))?;
    let mut input = Slice::new(packed);
    let Some((mut decode, cost)) = decoder(folder)? else {
        return Ok(packed.get(..size).ok_or_else(damaged)?.to_vec());
    };
    let mut unpack = Unpack::new(
        &mut input,
        &mut *decode,
        (opening.budget(), cost),
        Vec::new(),
    );
    let header = unpack.fill(size).get(..size).map(<[u8]>::to_vec);
    let (_, fault, _) = unpack.finish();
    header.ok_or_else(|| fault.unwrap_or_else(damaged))
}

/// Shows the members of what is packed together.
fn show(
    opening: &mut Opening<'_>,
    folder: &Folder,
    packed: &[u8],
    members: &[(BString, u64, Option<u32>)],
) -> ControlFlow<()> {
    let mut input = Slice::new(packed);
    let decoder = match decoder(folder) {
        Ok(decoder) => decoder,
        Err(fault) => {
            for (name, ..) in members.iter().take(100) {
                opening.skip_part(step(name.clone(), StepPart::Member), fault.clone());
            }
            if members.len() > 100 {
                opening.skip(fault.reason, fault.detail);
            }
            return opening.item_raw(step("what is not read".into(), StepPart::Rest), &mut input);
        }
    };
    let Some((mut decode, cost)) = decoder else {
        each(opening, &mut input, members)?;
        return opening.item(
            step("behind the members".into(), StepPart::Rest),
            &mut input,
        );
    };
    let buffer = opening.buffer();
    let mut unpack = Unpack::new(&mut input, &mut *decode, (opening.budget(), cost), buffer);
    let flow = each(opening, &mut unpack, members);
    let flow = match flow {
        // More comes out than the members say: that is shown as well.
        ControlFlow::Continue(()) if !unpack.fill(1).is_empty() => opening.item(
            step("behind the members".into(), StepPart::Rest),
            &mut unpack,
        ),
        flow => flow,
    };
    let (buffer, fault, _) = unpack.finish();
    opening.give_back(buffer);
    if let Some(fault) = fault {
        opening.skip(fault.reason, fault.detail);
    }
    flow?;
    opening.item_raw(step("what is not read".into(), StepPart::Rest), &mut input)
}

/// Shows members that follow each other.
fn each(
    opening: &mut Opening<'_>,
    input: &mut dyn Input,
    members: &[(BString, u64, Option<u32>)],
) -> ControlFlow<()> {
    for (name, size, sum) in members {
        let step = step(name.clone(), StepPart::Member);
        let mut part = Part::new(input, *size);
        let mut summed = crc::Summed::new(&mut part);
        opening.item(step.clone(), &mut summed)?;
        let (taken, found) = (summed.taken(), summed.checksum());
        if input.fault().is_some() {
            // Said once, for all that follow.
            return ControlFlow::Continue(());
        }
        if taken != *size {
            opening.skip_part(step, Fault::corrupt(crc::WRONG_LENGTH));
            return ControlFlow::Continue(());
        }
        if sum.is_some_and(|sum| sum != found) {
            opening.skip_part(step, Fault::corrupt(crc::WRONG));
        }
    }
    ControlFlow::Continue(())
}

/// A decoder and what a byte of it costs; `None` where nothing is packed.
type Decoder = Option<(Box<dyn Decode>, u64)>;

fn decoder(folder: &Folder) -> Result<Decoder, Fault> {
    const AES: &[u8] = &[6, 0xf1, 7, 1];
    if folder.coders.iter().any(|coder| coder.method == AES) {
        return Err(Fault {
            reason: SkipReason::Encrypted,
            detail: "it needs a password".to_owned(),
        });
    }
    let unknown = || Fault::unsupported("it is packed with a method that is not read");
    let (coder, filter) = match folder.coders.as_slice() {
        [coder] => (coder, None),
        [filter, coder] => (coder, Some(filter)),
        _ => return Err(unknown()),
    };
    let filter = match filter {
        None => None,
        Some(filter) => {
            Some(decode::filter(&filter.method, &filter.properties).ok_or_else(unknown)?)
        }
    };
    let properties = coder.properties.as_slice();
    Ok(match coder.method.as_slice() {
        [0] if filter.is_none() => None,
        [3, 1, 1] => Some((
            Box::new(RawLzma::one(folder.size, properties, filter)?),
            LZMA_COST,
        )),
        [0x21] => Some((Box::new(RawLzma::two(properties, filter)?), LZMA_COST)),
        [4, 1, 8] if filter.is_none() => Some((Box::new(Deflate::new()), DEFLATE_COST)),
        [4, 2, 2] if filter.is_none() => Some((Box::new(Bzip2(None)), decode::BZIP2_COST)),
        [4, 0xf7, 0x11, 1] if filter.is_none() => decode::decoder(Kind::Zstd),
        _ => return Err(unknown()),
    })
}

/// Shows what neither header nor members take, and ends the account.
fn gaps(
    opening: &mut Opening<'_>,
    bytes: &[u8],
    mut claims: Vec<(usize, usize, bool)>,
) -> ControlFlow<()> {
    claims.push((bytes.len(), bytes.len(), false));
    claims.sort_unstable();
    let (mut at, mut packed) = (0, 0);
    for (start, end, is_packed) in claims {
        if let Some(gap) = bytes.get(at..start).filter(|gap| !gap.is_empty()) {
            opening.item(
                step("between members".into(), StepPart::Rest),
                &mut Slice::new(gap),
            )?;
        }
        if is_packed {
            packed += end.saturating_sub(start.max(at));
        }
        at = at.max(end);
    }
    opening.opened(Opened {
        kind: Kind::SevenZip.name(),
        bytes: bytes.len() as u64,
        packed: packed as u64,
        rest: (bytes.len() - packed) as u64,
    });
    ControlFlow::Continue(())
}

fn step(name: BString, part: StepPart) -> Step {
    Step {
        kind: Kind::SevenZip.name(),
        name,
        part,
    }
}
