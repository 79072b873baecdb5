//! The header of a 7z file: what is packed together, how, and the names of the members.

use bstr::BString;

/// Takes numbers and bytes from a header; `None` where it ends too early.
#[derive(Debug)]
pub(super) struct Reader<'h> {
    rest: &'h [u8],
}

/// A method and its properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Coder {
    pub(super) method: Vec<u8>,
    pub(super) properties: Vec<u8>,
}

/// Members that are packed together.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    /// The methods; the last one takes what is packed. Empty where they are no chain.
    pub(super) coders: Vec<Coder>,
    /// Number of packed streams.
    pub(super) packed: usize,
    /// Bytes that come out.
    pub(super) size: u64,
    checksum: Option<u32>,
    /// Length of each member and its checksum.
    pub(super) members: Vec<(u64, Option<u32>)>,
    /// Position of the size of all among the sizes of coders.
    main: usize,
    outs: usize,
}

/// Packed streams, and their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    /// Bytes between the first header and what is packed.
    pub(super) start: u64,
    /// Length of each packed stream.
    pub(super) packed: Vec<u64>,
    pub(super) folders: Vec<Folder>,
}

/// All that is needed of a header.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    pub(super) streams: Streams,
    /// Names of the members that have content, in order.
    pub(super) names: Vec<BString>,
}

impl<'h> Reader<'h> {
    pub(super) fn new(bytes: &'h [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    fn take(&mut self, count: usize) -> Option<&'h [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn long(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }

    /// A number whose first byte says how many follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let count = first.leading_ones() as usize;
        let mut bytes = [0; 8];
        bytes.get_mut(..count)?.copy_from_slice(self.take(count)?);
        let low = u64::from_le_bytes(bytes);
        let high = match count {
            7 | 8 => 0,
            _ => u64::from(first) & ((1 << (7 - count)) - 1),
        };
        Some(low | high << (8 * count % 64))
    }

    /// A number of things of which each takes at least a bit of what is left.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.rest.len().saturating_mul(8)).then_some(count)
    }

    /// As many bits.
    fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8))?;
        Some(
            (0..count)
                .map(|bit| bytes[bit / 8] & (0x80 >> (bit % 8)) != 0)
                .collect(),
        )
    }

    /// As many checksums, of which some may be missing.
    fn checksums(&mut self, count: usize) -> Option<Vec<Option<u32>>> {
        let defined = match self.byte()? {
            0 => self.bits(count)?,
            _ => vec![true; count],
        };
        let sum = |defined: bool| match defined {
            true => self.long().map(Some),
            false => Some(None),
        };
        defined.into_iter().map(sum).collect()
    }
}

impl Streams {
    /// Reads the description of streams up to its end.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut streams = Self::default();
        let mut has_members = false;
        loop {
            match reader.byte()? {
                0 => break,
                6 => streams.pack_info(reader)?,
                7 => streams.unpack_info(reader)?,
                8 => {
                    has_members = true;
                    streams.members(reader)?;
                }
                _ => return None,
            }
        }
        if !has_members {
            for folder in &mut streams.folders {
                folder.members = vec![(folder.size, folder.checksum)];
            }
        }
        Some(streams)
    }

    fn pack_info(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.start = reader.number()?;
        let count = reader.count()?;
        loop {
            match reader.byte()? {
                0 => return Some(()),
                9 => self.packed = (0..count).map(|_| reader.number()).collect::<Option<_>>()?,
                10 => drop(reader.checksums(count)?),
                _ => return None,
            }
        }
    }

    fn unpack_info(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        if reader.byte()? != 11 {
            return None;
        }
        let count = reader.count()?;
        // Where the folders are described elsewhere, nobody knows of a file.
        if reader.byte()? != 0 {
            return None;
        }
        self.folders = (0..count)
            .map(|_| Folder::read(reader))
            .collect::<Option<_>>()?;
        loop {
            match reader.byte()? {
                0 => return Some(()),
                12 => {
                    for folder in &mut self.folders {
                        for out in 0..folder.outs {
                            let size = reader.number()?;
                            if out == folder.main {
                                folder.size = size;
                            }
                        }
                    }
                }
                10 => {
                    let sums = reader.checksums(count)?;
                    for (folder, sum) in self.folders.iter_mut().zip(sums) {
                        folder.checksum = sum;
                    }
                }
                _ => return None,
            }
        }
    }

    fn members(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let mut counts = vec![1; self.folders.len()];
        let mut next = reader.byte()?;
        if next == 13 {
            counts = (0..counts.len())
                .map(|_| reader.count())
                .collect::<Option<_>>()?;
            next = reader.byte()?;
        }
        // A member without a size of its own takes a byte of nothing, so their sum is bounded here.
        let has_sizes = next == 9;
        for (folder, count) in self.folders.iter_mut().zip(&counts) {
            let mut left = folder.size;
            for number in 0..*count {
                let is_last = number + 1 == *count;
                let size = match (is_last, has_sizes) {
                    (true, _) => left,
                    (false, true) => reader.number()?,
                    (false, false) => return None,
                };
                left = left.checked_sub(size)?;
                folder.members.push((size, None));
            }
        }
        if has_sizes {
            next = reader.byte()?;
        }
        loop {
            match next {
                0 => return Some(()),
                10 => self.member_checksums(reader)?,
                _ => return None,
            }
            next = reader.byte()?;
        }
    }

    /// A folder of one member has its checksum already.
    fn member_checksums(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let is_known = |folder: &Folder| folder.members.len() == 1 && folder.checksum.is_some();
        let unknown = self.folders.iter().filter(|folder| !is_known(folder));
        let count = unknown.map(|folder| folder.members.len()).sum();
        let mut sums = reader.checksums(count)?.into_iter();
        for folder in &mut self.folders {
            match is_known(folder) {
                true => folder.members[0].1 = folder.checksum,
                false => {
                    for (member, sum) in folder.members.iter_mut().zip(sums.by_ref()) {
                        member.1 = sum;
                    }
                }
            }
        }
        Some(())
    }
}

impl Folder {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let count = reader.count().filter(|count| (1..=32).contains(count))?;
        let mut coders = Vec::new();
        let (mut ins, mut outs) = (0, 0);
        let mut is_chain = true;
        for _ in 0..count {
            let flags = reader.byte()?;
            let method = reader.take(usize::from(flags & 15))?.to_vec();
            let (mut coder_ins, mut coder_outs) = (1, 1);
            if flags & 0x10 != 0 {
                coder_ins = reader.count().filter(|count| *count <= 32)?;
                coder_outs = reader.count().filter(|count| *count <= 32)?;
                is_chain &= (coder_ins, coder_outs) == (1, 1);
            }
            let mut properties = Vec::new();
            if flags & 0x20 != 0 {
                let length = reader.count()?;
                properties = reader.take(length)?.to_vec();
            }
            ins += coder_ins;
            outs += coder_outs;
            coders.push(Coder { method, properties });
        }
        let mut pairs = Vec::new();
        for _ in 1..outs {
            pairs.push((reader.count()?, reader.count()?));
        }
        let packed = ins.checked_sub(pairs.len())?;
        let mut first = (0..ins).find(|input| pairs.iter().all(|pair| pair.0 != *input))?;
        if packed > 1 {
            for number in 0..packed {
                let input = reader.count()?;
                if number == 0 {
                    first = input;
                }
            }
        }
        let main = (0..outs).find(|out| pairs.iter().all(|pair| pair.1 != *out))?;
        let order = chain(first, &pairs, count).filter(|_| is_chain && packed == 1);
        // What no chain is keeps its methods, so that it can be told which they are, and one that nobody knows.
        let coders = match order {
            Some(order) => order.iter().rev().map(|at| coders[*at].clone()).collect(),
            None => coders
                .into_iter()
                .chain([Coder::default(), Coder::default()])
                .collect(),
        };
        Some(Self {
            coders,
            packed,
            main,
            outs,
            ..Self::default()
        })
    }
}

/// The order in which coders of one input and one output follow each other, from `first` on.
fn chain(first: usize, pairs: &[(usize, usize)], count: usize) -> Option<Vec<usize>> {
    let mut order = vec![first];
    let mut at = first;
    while let Some((input, _)) = pairs.iter().find(|pair| pair.1 == at) {
        if order.contains(input) || *input >= count {
            return None;
        }
        order.push(*input);
        at = *input;
    }
    (order.len() == count && first < count).then_some(order)
}

impl Header {
    /// Reads a header whose first byte was taken.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut header = Self::default();
        loop {
            match reader.byte()? {
                0 => return Some(header),
                2 => {
                    while reader.byte()? != 0 {
                        let length = reader.count()?;
                        reader.take(length)?;
                    }
                }
                3 => drop(Streams::read(reader)?),
                4 => header.streams = Streams::read(reader)?,
                5 => header.files(reader)?,
                _ => return None,
            }
        }
    }

    fn files(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let count = reader.count()?;
        let mut names = Vec::new();
        let mut empty = vec![false; count];
        loop {
            let kind = reader.byte()?;
            if kind == 0 {
                break;
            }
            let length = usize::try_from(reader.number()?).ok()?;
            let mut property = Reader::new(reader.take(length)?);
            match kind {
                14 => empty = property.bits(count)?,
                17 if property.byte()? == 0 => names = self::names(property.rest),
                _ => {}
            }
        }
        let with_content = names.into_iter().zip(empty);
        self.names = with_content
            .filter(|(_, is_empty)| !is_empty)
            .map(|(name, _)| name)
            .collect();
        Some(())
    }
}

/// Names in UTF-16, each with a zero behind it.
fn names(bytes: &[u8]) -> Vec<BString> {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|it| u16::from_le_bytes([it[0], it[1]]))
        .collect();
    let names = units.split(|unit| *unit == 0);
    names
        .map(|name| String::from_utf16_lossy(name).into())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_of_a_number_says_how_many_follow() {
        for (bytes, number) in [
            (&[0x7f][..], 127),
            (&[0x80, 0xff], 255),
            (&[0x81, 0x00], 256),
            (&[0xc1, 0x02, 0x03], 0x1_0302),
            (&[0xff, 1, 0, 0, 0, 0, 0, 0, 0x80], 0x8000_0000_0000_0001),
        ] {
            assert_eq!(Reader::new(bytes).number(), Some(number), "{bytes:x?}");
        }
        assert_eq!(Reader::new(&[0x80]).number(), None);
    }

    #[test]
    fn coders_follow_each_other_in_one_order() {
        assert_eq!(chain(0, &[], 1), Some(vec![0]));
        assert_eq!(chain(1, &[(0, 1)], 2), Some(vec![1, 0]));
        assert_eq!(chain(0, &[(0, 0)], 1), None);
        assert_eq!(chain(0, &[], 2), None);
    }
}
