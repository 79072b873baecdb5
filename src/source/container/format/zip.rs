//! zip and all that is one: jar, wheel, apk, office files.
//!
//! The central directory says what there is. What lies between the members that it names is the rest; a member
//! in there that no directory names is opened too.

use std::ops::ControlFlow;

use bstr::BString;

use super::super::input::{Fault, Input, Slice};
use super::super::kind::Kind;
use super::super::opening::Opening;
use super::decode::{self, DEFLATE_COST, Deflate};
use super::{crc, stream};
use crate::provenance::{Step, StepPart};
use crate::source::Opened;

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END64: &[u8] = b"PK\x06\x06";
const LOCATOR64: &[u8] = b"PK\x06\x07";
const LOCAL_LENGTH: usize = 30;
const CENTRAL_LENGTH: usize = 46;
const END_LENGTH: usize = 22;
const END64_LENGTH: usize = 56;
const LOCATOR64_LENGTH: usize = 20;
/// Value of a 32-bit field whose number is in the zip64 field.
const IN_ZIP64: u64 = u32::MAX as u64;
/// As many members are named one by one where they cannot be opened for one reason.
const MOST_SAID: usize = 100;

/// Opens a zip file; `bytes` is all of it.
pub(super) fn open(opening: &mut Opening<'_>, bytes: &[u8]) -> ControlFlow<()> {
    let Some(directory) = Directory::find(bytes) else {
        if bytes.starts_with(LOCAL) {
            opening.skip(
                crate::coverage::SkipReason::Corrupt,
                "its directory is not there",
            );
            return Zip::new(opening, bytes).gaps();
        }
        // Three bytes that look like one.
        return opening.raw(&mut Slice::new(bytes));
    };
    let mut zip = Zip::new(opening, bytes);
    zip.directory(&directory)?;
    zip.gaps()
}

/// Place of the central directory.
#[derive(Debug, PartialEq, Eq)]
struct Directory {
    start: usize,
    /// Start of the records of its end.
    end: usize,
    /// Start of the last of these.
    last: usize,
    /// Number of members that it announces.
    count: u64,
    /// Bytes in front of what offsets are counted from.
    shift: usize,
    /// True if it lies in several files.
    is_split: bool,
}

impl Directory {
    fn find(bytes: &[u8]) -> Option<Self> {
        // A comment of up to 65,535 bytes follows; something else may follow that.
        let from = bytes
            .len()
            .saturating_sub(END_LENGTH + (1 << 16) + (64 << 10));
        let tail = bytes.get(from..)?;
        memchr::memmem::rfind_iter(tail, END).find_map(|at| Self::of_end(bytes, from + at))
    }

    fn of_end(bytes: &[u8], at: usize) -> Option<Self> {
        let record = bytes.get(at..at + END_LENGTH)?;
        let mut count = u64::from(short(record, 10)?);
        let mut size = u64::from(long(record, 12)?);
        let mut offset = u64::from(long(record, 16)?);
        let mut disk = u32::from(short(record, 4)?);
        let mut end = at;
        let locator = at.checked_sub(LOCATOR64_LENGTH);
        if let Some(locator) = locator.and_then(|start| bytes.get(start..at))
            && locator.starts_with(LOCATOR64)
        {
            let record = at - LOCATOR64_LENGTH;
            // Where the locator says, or right in front of it where something stands before the file.
            let said = usize::try_from(quad(locator, 8)?).ok();
            let near = record.checked_sub(END64_LENGTH);
            let starts = [said, near].into_iter().flatten();
            let is_end64 = |start: &usize| {
                bytes
                    .get(*start..)
                    .is_some_and(|rest| rest.starts_with(END64))
            };
            if let Some(start) = starts.into_iter().find(is_end64) {
                let record = bytes.get(start..start + END64_LENGTH)?;
                disk = long(record, 16)?;
                count = quad(record, 32)?;
                size = quad(record, 40)?;
                offset = quad(record, 48)?;
                end = start;
            }
        }
        let size = usize::try_from(size).ok()?;
        let offset = usize::try_from(offset).ok()?;
        let start = end.checked_sub(size)?;
        let is_central = |start: usize| {
            count == 0
                || bytes
                    .get(start..)
                    .is_some_and(|rest| rest.starts_with(CENTRAL))
        };
        let directory = |start: usize, shift: usize| Self {
            start,
            end,
            last: at,
            count,
            shift,
            is_split: disk != 0,
        };
        if let Some(shift) = start.checked_sub(offset).filter(|_| is_central(start)) {
            return Some(directory(start, shift));
        }
        // Something stands between the directory and its end: a signature.
        (offset < end && is_central(offset)).then(|| directory(offset, 0))
    }
}

/// A zip file on its way.
struct Zip<'z, 'o> {
    opening: &'z mut Opening<'o>,
    bytes: &'z [u8],
    /// Ranges that were shown, and whether each was a member.
    claims: Vec<(usize, usize, bool)>,
    deflate: Option<Deflate>,
    said: usize,
}

/// A member as the directory, or its own header, has it.
struct Member {
    name: BString,
    flags: u16,
    method: u16,
    checksum: u32,
    packed: u64,
    size: u64,
    /// Offset of its own header.
    offset: u64,
}

impl<'z, 'o> Zip<'z, 'o> {
    fn new(opening: &'z mut Opening<'o>, bytes: &'z [u8]) -> Self {
        Self {
            opening,
            bytes,
            claims: Vec::new(),
            deflate: None,
            said: 0,
        }
    }

    /// Shows the members that the directory names.
    fn directory(&mut self, directory: &Directory) -> ControlFlow<()> {
        if directory.is_split {
            let detail = "it is one of several files that belong together";
            self.opening
                .skip(crate::coverage::SkipReason::Unsupported, detail);
        }
        let mut members = Vec::new();
        let mut at = directory.start;
        while let Some((member, length)) = self.central(at, directory.end) {
            self.texts(at, CENTRAL_LENGTH, length, "directory")?;
            at += length;
            members.push(member);
        }
        self.last_record(directory.last)?;
        if members.len() as u64 != directory.count
            && (members.len() & 0xffff) as u64 != directory.count
        {
            let detail = "its directory does not have the members that it says";
            self.opening
                .skip(crate::coverage::SkipReason::Corrupt, detail);
        }
        // In the order in which they lie there, so that the first of two that overlap is opened.
        members.sort_by_key(|member| member.offset);
        let mut taken = 0;
        for member in members {
            let start = usize::try_from(member.offset).ok();
            let start = start.and_then(|start| start.checked_add(directory.shift));
            let start = start.filter(|start| {
                self.bytes
                    .get(*start..)
                    .is_some_and(|rest| rest.starts_with(LOCAL))
            });
            let Some(start) = start else {
                self.say(
                    &member,
                    Fault::corrupt("it is not where the directory says"),
                );
                continue;
            };
            if start < taken {
                self.say(&member, Fault::limit("it lies within another member"));
                continue;
            }
            taken = self.member(start, member, StepPart::Member)?;
        }
        ControlFlow::Continue(())
    }

    /// Shows the comment in the last record.
    fn last_record(&mut self, at: usize) -> ControlFlow<()> {
        let record = self.bytes.get(at..).unwrap_or_default();
        let length = usize::from(short(record, 20).unwrap_or(0));
        let texts = record.get(END_LENGTH..).unwrap_or_default();
        let comment = texts.get(..length).unwrap_or(texts);
        self.claims
            .push((at, at + END_LENGTH + comment.len(), false));
        self.opening.rest(Kind::Zip, "comment", comment)
    }

    /// The member that a record of the directory names, and the length of the record.
    fn central(&self, at: usize, end: usize) -> Option<(Member, usize)> {
        let record = self.bytes.get(at..end)?;
        if !record.starts_with(CENTRAL) {
            return None;
        }
        let (mut member, extra, length) = Member::of(record, 8, CENTRAL_LENGTH)?;
        let length = length + usize::from(short(record, 32)?);
        record.get(..length)?;
        member.offset = u64::from(long(record, 42)?);
        member.zip64(extra, true);
        Some((member, length))
    }

    /// The member whose own header begins at a place, as that says.
    fn local(&self, at: usize) -> Option<Member> {
        let (mut member, extra, _) = Member::of(self.bytes.get(at..)?, 6, LOCAL_LENGTH)?;
        member.offset = at as u64;
        member.zip64(extra, false);
        Some(member)
    }

    /// Shows a member whose own header begins at `start`; gives where it ends.
    fn member(&mut self, start: usize, member: Member, part: StepPart) -> ControlFlow<(), usize> {
        let lengths = self.bytes.get(start..).and_then(|record| {
            Some((
                usize::from(short(record, 26)?),
                usize::from(short(record, 28)?),
            ))
        });
        let header = lengths.map(|(name, extra)| LOCAL_LENGTH + name + extra);
        let Some(header) = header.filter(|header| self.bytes.len() - start >= *header) else {
            self.say(&member, Fault::corrupt("it is cut short"));
            return ControlFlow::Continue(start);
        };
        self.texts(start, LOCAL_LENGTH, header, "header")?;
        let data = start + header;
        let rest = self.bytes.get(data..).unwrap_or_default();
        let length = usize::try_from(member.packed).unwrap_or(usize::MAX);
        // Of a member that only its own header knows the length may stand behind it.
        let is_open = part == StepPart::Unlisted && member.flags & 8 != 0 && member.packed == 0;
        let packed = match rest.get(..length) {
            Some(packed) if !is_open => packed,
            Some(_) => rest.get(..self.next_header(data) - data).unwrap_or(rest),
            None => {
                self.say(&member, Fault::corrupt("it is cut short"));
                rest
            }
        };
        let used = self.unpack(&member, packed, part, is_open)?;
        self.claims.push((data, data + used, true));
        ControlFlow::Continue(data + used)
    }

    /// Shows what a member holds; gives how many of its packed bytes that took.
    fn unpack(
        &mut self,
        member: &Member,
        packed: &[u8],
        part: StepPart,
        is_open: bool,
    ) -> ControlFlow<(), usize> {
        let step = member.step(part);
        let mut input = Slice::new(packed);
        let name = match member.method {
            _ if member.flags & 1 != 0 || member.method == 99 => "",
            0 => {
                let is_right = is_open || crc32fast::hash(packed) == member.checksum;
                if !is_right {
                    self.say(member, Fault::corrupt(crc::WRONG));
                }
                self.opening.item(step, &mut input)?;
                return ControlFlow::Continue(packed.len());
            }
            8 => return self.stream(member, step, packed, is_open),
            12 => return self.decoded(member, step, packed, Kind::Bzip2),
            93 => return self.decoded(member, step, packed, Kind::Zstd),
            95 => return self.decoded(member, step, packed, Kind::Xz),
            14 => "LZMA",
            9 => "Deflate64",
            98 => "PPMd",
            _ => "an unknown method",
        };
        match name {
            "" => self.say_as(
                member,
                crate::coverage::SkipReason::Encrypted,
                "it needs a password",
            ),
            name => self.say(
                member,
                Fault::unsupported(format!("it is packed with {name}")),
            ),
        }
        let raw = Step {
            part: StepPart::Rest,
            ..step
        };
        self.opening.item_raw(raw, &mut input)?;
        ControlFlow::Continue(packed.len())
    }

    fn decoded(
        &mut self,
        member: &Member,
        step: Step,
        packed: &[u8],
        kind: Kind,
    ) -> ControlFlow<(), usize> {
        let Some((mut decoder, cost)) = decode::decoder(kind) else {
            return ControlFlow::Continue(0);
        };
        let mut input = Slice::new(packed);
        let mut checked = crc::Checked::new(&mut *decoder);
        let (flow, outcome) = stream::unpack(
            self.opening,
            Kind::Zip,
            (&mut checked, cost),
            step,
            &mut input,
        );
        let (checksum, made) = (checked.checksum(), outcome.made);
        self.judge(member, outcome.fault, checksum, made);
        flow?;
        self.leftover(member, &mut input)?;
        ControlFlow::Continue(packed.len())
    }

    fn stream(
        &mut self,
        member: &Member,
        step: Step,
        packed: &[u8],
        is_open: bool,
    ) -> ControlFlow<(), usize> {
        let mut deflate = self.deflate.take().unwrap_or_else(Deflate::new);
        deflate.reset();
        let mut input = Slice::new(packed);
        let mut checked = crc::Checked::new(&mut deflate);
        let cost = DEFLATE_COST;
        let (flow, outcome) = stream::unpack(
            self.opening,
            Kind::Zip,
            (&mut checked, cost),
            step,
            &mut input,
        );
        let checksum = checked.checksum();
        self.deflate = Some(deflate);
        if !is_open || outcome.fault.is_some() {
            self.judge(member, outcome.fault, checksum, outcome.made);
        }
        flow?;
        if is_open {
            return ControlFlow::Continue(usize::try_from(input.taken()).unwrap_or(packed.len()));
        }
        self.leftover(member, &mut input)?;
        ControlFlow::Continue(packed.len())
    }

    /// Says what is wrong with what came out of a member.
    fn judge(&mut self, member: &Member, fault: Option<Fault>, checksum: u32, made: u64) {
        if let Some(fault) = fault {
            self.say(member, fault);
        } else if made != member.size {
            self.say(member, Fault::corrupt(crc::WRONG_LENGTH));
        } else if checksum != member.checksum {
            self.say(member, Fault::corrupt(crc::WRONG));
        }
    }

    /// Shows packed bytes of a member that its stream does not take.
    fn leftover(&mut self, member: &Member, input: &mut Slice<'_>) -> ControlFlow<()> {
        if input.fill(1).is_empty() {
            return ControlFlow::Continue(());
        }
        self.opening.item(member.step(StepPart::Rest), input)
    }

    /// Shows the texts of a record: name, extra field and comment, each on a line of its own.
    fn texts(&mut self, at: usize, fixed: usize, length: usize, name: &str) -> ControlFlow<()> {
        let record = self.bytes.get(at..at + length).unwrap_or_default();
        let offset = if fixed == LOCAL_LENGTH { 26 } else { 28 };
        let name_length = usize::from(short(record, offset).unwrap_or(0));
        let extra_length = usize::from(short(record, offset + 2).unwrap_or(0));
        let texts = record.get(fixed..).unwrap_or_default();
        let (file, others) = texts.split_at(name_length.min(texts.len()));
        let (extra, comment) = others.split_at(extra_length.min(others.len()));
        let text = [file, extra, comment].join(&b'\n');
        self.claims.push((at, at + length, false));
        self.opening.rest(Kind::Zip, name, &text)
    }

    /// Shows what no member and no record of the directory takes, and ends the account.
    fn gaps(mut self) -> ControlFlow<()> {
        let mut claims = std::mem::take(&mut self.claims);
        claims.sort_unstable();
        let mut packed: usize = claims
            .iter()
            .filter(|claim| claim.2)
            .map(|claim| claim.1 - claim.0)
            .sum();
        let mut at = 0;
        let ends = [(self.bytes.len(), self.bytes.len(), false)];
        for (start, end, _) in claims.into_iter().chain(ends) {
            if start > at {
                self.gap(at, start)?;
            }
            at = at.max(end);
        }
        packed += self
            .claims
            .iter()
            .filter(|claim| claim.2)
            .map(|claim| claim.1 - claim.0)
            .sum::<usize>();
        self.opening.opened(Opened {
            kind: Kind::Zip.name(),
            bytes: self.bytes.len() as u64,
            packed: packed as u64,
            rest: (self.bytes.len() - packed) as u64,
        });
        ControlFlow::Continue(())
    }

    /// Shows a range that nobody claimed; members in it that no directory names are opened.
    fn gap(&mut self, mut at: usize, end: usize) -> ControlFlow<()> {
        while at < end {
            let bytes = self.bytes.get(at..end).unwrap_or_default();
            let Some(found) = memchr::memmem::find(bytes, LOCAL) else {
                return self.between(at, end);
            };
            let start = at + found;
            self.between(at, start)?;
            let member = self.local(start).filter(Member::is_likely);
            let Some(member) = member else {
                self.between(start, start + LOCAL.len())?;
                at = start + LOCAL.len();
                continue;
            };
            // What is behind the gap belongs to others.
            let (whole, before) = (self.bytes, self.claims.len());
            self.bytes = whole.get(..end).unwrap_or(whole);
            let flow = self.member(start, member, StepPart::Unlisted);
            self.bytes = whole;
            let stop = flow?;
            if self.claims.len() == before {
                self.between(start, end)?;
                return ControlFlow::Continue(());
            }
            at = stop.max(start + LOCAL.len());
        }
        ControlFlow::Continue(())
    }

    /// Shows bytes between members, or around the directory.
    fn between(&mut self, start: usize, end: usize) -> ControlFlow<()> {
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        if Kind::of(bytes).is_some_and(|kind| kind != Kind::Zip) {
            let step = Step {
                kind: Kind::Zip.name(),
                name: "between members".into(),
                part: StepPart::Rest,
            };
            return self.opening.item(step, &mut Slice::new(bytes));
        }
        self.opening.rest(Kind::Zip, "between members", bytes)
    }

    /// Returns the start of the next header of any kind, or the end of the bytes.
    fn next_header(&self, from: usize) -> usize {
        let bytes = self.bytes.get(from..).unwrap_or_default();
        let next = memchr::memmem::find_iter(bytes, b"PK").find(|at| {
            let rest = bytes.get(*at..).unwrap_or_default();
            [LOCAL, CENTRAL, END, b"PK\x07\x08"]
                .iter()
                .any(|magic| rest.starts_with(magic))
        });
        from + next.unwrap_or(bytes.len())
    }

    fn say(&mut self, member: &Member, fault: Fault) {
        self.said += 1;
        if self.said <= MOST_SAID {
            self.opening.skip_part(member.step(StepPart::Member), fault);
        }
    }

    fn say_as(&mut self, member: &Member, reason: crate::coverage::SkipReason, detail: &str) {
        let fault = Fault {
            reason,
            detail: detail.to_owned(),
        };
        self.say(member, fault);
    }
}

impl Member {
    /// Reads the fields that both kinds of records have, from `start` on; returns also the extra fields behind the
    /// name, and their end.
    fn of(record: &[u8], start: usize, length: usize) -> Option<(Self, &[u8], usize)> {
        let fields = record.get(start..)?;
        let name_end = length + usize::from(short(fields, 20)?);
        let end = name_end + usize::from(short(fields, 22)?);
        let member = Self {
            name: record.get(length..name_end)?.into(),
            flags: short(fields, 0)?,
            method: short(fields, 2)?,
            checksum: long(fields, 8)?,
            packed: u64::from(long(fields, 12)?),
            size: u64::from(long(fields, 16)?),
            offset: 0,
        };
        Some((member, record.get(name_end..end)?, end))
    }

    fn step(&self, part: StepPart) -> Step {
        Step {
            kind: Kind::Zip.name(),
            name: self.name.clone(),
            part,
        }
    }

    /// Returns true if four bytes that look like a header may be one.
    fn is_likely(&self) -> bool {
        matches!(self.method, 0..=20 | 93..=99) && self.flags & 0xc000 == 0 && !self.name.is_empty()
    }

    /// Takes the numbers that do not fit in 32 bits from the extra field.
    fn zip64(&mut self, mut extra: &[u8], has_offset: bool) {
        while let (Some(id), Some(length)) = (short(extra, 0), short(extra, 2)) {
            let Some(field) = extra.get(4..4 + usize::from(length)) else {
                return;
            };
            if id == 1 {
                let numbers = [&mut self.size, &mut self.packed, &mut self.offset];
                let mut at = 0;
                for number in numbers.into_iter().take(2 + usize::from(has_offset)) {
                    if *number == IN_ZIP64
                        && let Some(value) = quad(field, at)
                    {
                        *number = value;
                        at += 8;
                    }
                }
            }
            extra = extra.get(4 + usize::from(length)..).unwrap_or_default();
        }
    }
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn quad(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
