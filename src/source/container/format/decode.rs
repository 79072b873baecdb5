//! The decoders.
//!
//! Chosen by measurement: zlib-rs says how much of its input a stream takes, which `libdeflater` does not, and
//! is fast enough; zstd is the C library, three times as fast as what there is in Rust; the others are in Rust.

use bzip2::{Decompress, Status as Bzip2Status};
use lzma_rust2::{
    Action, FilterConfig, FilterType, LzipStream, Lzma2Stream, LzmaStream, Status, StreamResult,
    XzStream,
};
use zlib_rs::{Inflate, InflateFlush};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::super::input::{Fault, Input};
use super::super::kind::Kind;
use super::unpack::{Aside, Decode, Step};

/// Largest window of zstd and largest dictionary of the LZMA family: 128 MiB.
const WINDOW_LOG: u32 = 27;
const DICTIONARY_KB: u32 = (128 << 10) + 1024;

/// The decoder of a kind that is one stream, and the cost of a byte that comes out.
pub(super) fn decoder(kind: Kind) -> Option<(Box<dyn Decode>, u64)> {
    Some(match kind {
        Kind::Gzip => (Box::new(Gzip::new()), DEFLATE_COST),
        Kind::Zstd => (Box::new(Zstd::new()), DEFLATE_COST),
        Kind::Xz => (Box::new(Lzma::new(Family::Xz)), LZMA_COST),
        Kind::Lzma => (Box::new(Lzma::new(Family::Alone)), LZMA_COST),
        Kind::Lzip => (Box::new(Lzma::new(Family::Lzip)), LZMA_COST),
        Kind::Bzip2 => (Box::new(Bzip2(None)), BZIP2_COST),
        _ => return None,
    })
}

/// Cost of a byte, so that what is slow to decode is bounded like what is fast: see [`super::super::Limits::output`].
pub(super) const DEFLATE_COST: u64 = 1;
pub(super) const LZMA_COST: u64 = 10;
pub(super) const BZIP2_COST: u64 = 40;

/// A deflate stream without header.
pub(super) struct Deflate {
    inflate: Inflate,
    has_begun: bool,
}

impl Deflate {
    pub(super) fn new() -> Self {
        Self {
            inflate: Inflate::new(false, 15),
            has_begun: false,
        }
    }

    /// Gets ready for another stream.
    pub(super) fn reset(&mut self) {
        self.inflate.reset(false);
        self.has_begun = false;
    }

    fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, out, InflateFlush::NoFlush);
        let status = status.map_err(|_error| Fault::corrupt("it cannot be inflated"))?;
        Ok(Step {
            taken: difference(before.0, self.inflate.total_in()),
            made: difference(before.1, self.inflate.total_out()),
            has_ended: status == zlib_rs::Status::StreamEnd,
        })
    }
}

fn difference(before: u64, after: u64) -> usize {
    usize::try_from(after - before).unwrap_or(usize::MAX)
}

impl Decode for Deflate {
    fn begin(&mut self, _input: &mut dyn Input, _aside: &mut Aside) -> Result<bool, Fault> {
        Ok(!std::mem::replace(&mut self.has_begun, true))
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], _is_all: bool) -> Result<Step, Fault> {
        self.inflate(input, out)
    }

    fn end(&mut self, _input: &mut dyn Input, _aside: &mut Aside) -> Result<(), Fault> {
        Ok(())
    }
}

/// Members of a gzip file.
struct Gzip {
    deflate: Deflate,
    checksum: crc32fast::Hasher,
    length: u32,
    has_begun: bool,
}

/// Longest name, comment or extra field of a gzip header.
const LONGEST_FIELD: usize = 1 << 20;

impl Gzip {
    fn new() -> Self {
        Self {
            deflate: Deflate::new(),
            checksum: crc32fast::Hasher::new(),
            length: 0,
            has_begun: false,
        }
    }
}

impl Decode for Gzip {
    fn begin(&mut self, input: &mut dyn Input, aside: &mut Aside) -> Result<bool, Fault> {
        if self.has_begun {
            // Tapes and block devices pad with zeros; what else follows is not part of the file.
            let zeros = skip_zeros(input);
            if zeros > 0 && !input.fill(3).starts_with(&[0x1f, 0x8b, 8]) {
                return Ok(false);
            }
        }
        let header = input.fill(10);
        if !header.starts_with(&[0x1f, 0x8b]) {
            return Ok(false);
        }
        let (Some(method), Some(flags)) = (header.get(2), header.get(3)) else {
            return Err(Fault::corrupt("its header is cut short"));
        };
        if header.len() < 10 || *method != 8 || flags & 0xe0 != 0 {
            return Err(Fault::corrupt("its header cannot be"));
        }
        let flags = *flags;
        input.take(10);
        if flags & 4 != 0 {
            let length = input.fill(2).first_chunk::<2>().copied();
            let length = usize::from(u16::from_le_bytes(length.unwrap_or_default()));
            let field = input.fill(2 + length);
            let field = field.get(2..2 + length);
            let field = field.ok_or_else(|| Fault::corrupt("its header is cut short"))?;
            aside.push("extra field", field)?;
            input.take(2 + length);
        }
        for (bit, name) in [(8, "name"), (16, "comment")] {
            if flags & bit != 0 {
                let field = until_zero(input)?;
                aside.push(name, &field)?;
            }
        }
        if flags & 2 != 0 {
            let length = input.fill(2).len().min(2);
            input.take(length);
        }
        self.has_begun = true;
        self.deflate.reset();
        self.checksum.reset();
        self.length = 0;
        Ok(true)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], _is_all: bool) -> Result<Step, Fault> {
        let step = self.deflate.inflate(input, out)?;
        self.checksum
            .update(out.get(..step.made).unwrap_or_default());
        self.length = self.length.wrapping_add(step.made as u32);
        Ok(step)
    }

    fn end(&mut self, input: &mut dyn Input, _aside: &mut Aside) -> Result<(), Fault> {
        let trailer = input.fill(8).first_chunk::<8>().copied();
        let trailer = trailer.ok_or_else(|| Fault::corrupt("it is cut short"))?;
        input.take(8);
        let [a, b, c, d, e, f, g, h] = trailer;
        if u32::from_le_bytes([a, b, c, d]) != self.checksum.clone().finalize() {
            return Err(Fault::corrupt(super::crc::WRONG));
        }
        if u32::from_le_bytes([e, f, g, h]) != self.length {
            return Err(Fault::corrupt(super::crc::WRONG_LENGTH));
        }
        Ok(())
    }
}

fn until_zero(input: &mut dyn Input) -> Result<Vec<u8>, Fault> {
    let mut want = 256;
    loop {
        let bytes = input.fill(want);
        if let Some(end) = memchr::memchr(0, bytes) {
            let field = bytes.get(..end).unwrap_or_default().to_vec();
            input.take(end + 1);
            return Ok(field);
        }
        if bytes.len() < want {
            return Err(Fault::corrupt("its header is cut short"));
        }
        if want >= LONGEST_FIELD {
            return Err(Fault::limit(
                "a field of its header is longer than is looked at",
            ));
        }
        want *= 4;
    }
}

/// Takes the zeros that come next.
fn skip_zeros(input: &mut dyn Input) -> u64 {
    let mut count = 0;
    loop {
        let zeros = input.fill(1).iter().take_while(|byte| **byte == 0).count();
        if zeros == 0 {
            return count;
        }
        input.take(zeros);
        count += zeros as u64;
    }
}

/// Frames of a zstd file.
struct Zstd {
    context: DCtx<'static>,
}

impl Zstd {
    fn new() -> Self {
        let mut context = DCtx::create();
        context
            .set_parameter(DParameter::WindowLogMax(WINDOW_LOG))
            .expect("a window that every build of the library knows");
        Self { context }
    }
}

impl Decode for Zstd {
    fn begin(&mut self, input: &mut dyn Input, aside: &mut Aside) -> Result<bool, Fault> {
        loop {
            let Some(magic) = input.fill(8).first_chunk::<4>() else {
                return Ok(false);
            };
            let magic = u32::from_le_bytes(*magic);
            if magic & 0xffff_fff0 != 0x184d_2a50 {
                return Ok(magic == 0xfd2f_b528);
            }
            // A frame to skip: anything may stand in it.
            let length = input
                .fill(8)
                .get(4..8)
                .and_then(|length| length.first_chunk::<4>());
            let length = length.map(|length| u32::from_le_bytes(*length) as usize);
            let length = length.ok_or_else(|| Fault::corrupt("it is cut short"))?;
            if length > super::super::opening::WHOLE {
                return Err(Fault::limit(
                    "a frame that is skipped is longer than is looked at",
                ));
            }
            let frame = input.fill(8 + length).get(8..8 + length);
            aside.push(
                "skippable frame",
                frame.ok_or_else(|| Fault::corrupt("it is cut short"))?,
            )?;
            input.take(8 + length);
        }
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], _is_all: bool) -> Result<Step, Fault> {
        let mut input = InBuffer::around(input);
        let mut out = OutBuffer::around(out);
        let left = self
            .context
            .decompress_stream(&mut out, &mut input)
            .map_err(zstd_fault)?;
        Ok(Step {
            taken: input.pos(),
            made: out.pos(),
            has_ended: left == 0,
        })
    }

    fn end(&mut self, _input: &mut dyn Input, _aside: &mut Aside) -> Result<(), Fault> {
        Ok(())
    }
}

fn zstd_fault(code: zstd_safe::ErrorCode) -> Fault {
    let name = zstd_safe::get_error_name(code);
    if name.contains("too much memory") {
        Fault::limit("it needs a window of more than 128 MiB")
    } else if name.contains("ictionary") {
        Fault::unsupported("it needs a dictionary that is not in it")
    } else if name.contains("Version") || name.contains("parameter") {
        Fault::unsupported(name.to_lowercase())
    } else {
        Fault::corrupt(format!("it cannot be decoded: {}", name.to_lowercase()))
    }
}

/// Format around LZMA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Xz,
    Alone,
    Lzip,
}

enum LzmaDecoder {
    Xz(Box<XzStream>),
    Alone(Box<LzmaStream>),
    Lzip(Box<LzipStream>),
}

/// Streams of an xz, lzma or lzip file.
struct Lzma {
    family: Family,
    decoder: Option<LzmaDecoder>,
}

impl Lzma {
    fn new(family: Family) -> Self {
        Self {
            family,
            decoder: None,
        }
    }
}

impl Decode for Lzma {
    fn begin(&mut self, input: &mut dyn Input, _aside: &mut Aside) -> Result<bool, Fault> {
        let has_begun = self.decoder.is_some();
        if has_begun && self.family == Family::Xz {
            skip_zeros(input);
        }
        let head = input.fill(6);
        let begins = match self.family {
            Family::Xz => head.starts_with(b"\xfd7zXZ\0"),
            Family::Lzip => head.starts_with(b"LZIP"),
            // There is no telling where another one begins.
            Family::Alone => !has_begun,
        };
        self.decoder = begins.then(|| match self.family {
            Family::Xz => LzmaDecoder::Xz(Box::new(XzStream::new_mem_limit(false, DICTIONARY_KB))),
            Family::Lzip => {
                LzmaDecoder::Lzip(Box::new(LzipStream::new_mem_limit(false, DICTIONARY_KB)))
            }
            Family::Alone => {
                LzmaDecoder::Alone(Box::new(LzmaStream::new_mem_limit(DICTIONARY_KB, None)))
            }
        });
        Ok(begins)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], is_all: bool) -> Result<Step, Fault> {
        let action = if is_all { Action::Finish } else { Action::Run };
        let result = match &mut self.decoder {
            Some(LzmaDecoder::Xz(stream)) => stream.process(input, out, action),
            Some(LzmaDecoder::Alone(stream)) => stream.process(input, out, action),
            Some(LzmaDecoder::Lzip(stream)) => stream.process(input, out, action),
            None => return Ok(Step::default()),
        };
        result.map(step_of).map_err(|error| lzma_fault(&error))
    }

    fn end(&mut self, _input: &mut dyn Input, aside: &mut Aside) -> Result<(), Fault> {
        // These two read ahead of their end.
        let unused = match &self.decoder {
            Some(LzmaDecoder::Alone(stream)) => stream.unused_input(),
            Some(LzmaDecoder::Lzip(stream)) => stream.unused_input(),
            _ => &[],
        };
        aside.push("bytes behind the stream", unused)
    }
}

/// The result of one call of an LZMA decoder.
pub(super) fn step_of(result: StreamResult) -> Step {
    Step {
        taken: result.bytes_consumed,
        made: result.bytes_produced,
        has_ended: result.status == Status::StreamEnd,
    }
}

/// Converts an error of an LZMA decoder.
pub(super) fn lzma_fault(error: &std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::OutOfMemory => Fault::limit(TOO_LARGE),
        std::io::ErrorKind::Unsupported => Fault::unsupported(error.to_string()),
        std::io::ErrorKind::UnexpectedEof => Fault::corrupt("it is cut short"),
        _ => Fault::corrupt(format!("it cannot be decoded: {error}")),
    }
}

/// Streams of a bzip2 file.
pub(super) struct Bzip2(pub(super) Option<Decompress>);

impl Decode for Bzip2 {
    fn begin(&mut self, input: &mut dyn Input, _aside: &mut Aside) -> Result<bool, Fault> {
        let begins = input.fill(4).starts_with(b"BZh");
        self.0 = begins.then(|| Decompress::new(false));
        Ok(begins)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], _is_all: bool) -> Result<Step, Fault> {
        let Some(stream) = &mut self.0 else {
            return Ok(Step::default());
        };
        let before = (stream.total_in(), stream.total_out());
        let status = stream.decompress(input, out);
        let status = status.map_err(|_error| Fault::corrupt("it cannot be decoded"))?;
        Ok(Step {
            taken: difference(before.0, stream.total_in()),
            made: difference(before.1, stream.total_out()),
            has_ended: status == Bzip2Status::StreamEnd,
        })
    }

    fn end(&mut self, _input: &mut dyn Input, _aside: &mut Aside) -> Result<(), Fault> {
        Ok(())
    }
}

/// One stream of LZMA or LZMA2 without a header, as 7z has them.
pub(super) struct RawLzma {
    decoder: RawDecoder,
    has_begun: bool,
}

enum RawDecoder {
    One(Box<LzmaStream>),
    Two(Box<Lzma2Stream>),
}

impl RawLzma {
    /// LZMA that gives `size` bytes.
    pub(super) fn one(
        size: u64,
        properties: &[u8],
        filter: Option<FilterConfig>,
    ) -> Result<Self, Fault> {
        let properties: Option<&[u8; 5]> = properties.first_chunk();
        let [props, dictionary @ ..] = properties.ok_or_else(|| Fault::corrupt(PROPERTIES))?;
        let dictionary = u32::from_le_bytes(*dictionary);
        ask(dictionary)?;
        let stream = LzmaStream::new_with_props(size, *props, dictionary, None);
        let mut stream = stream.map_err(|error| lzma_fault(&error))?;
        stream
            .set_filters(filter.as_slice())
            .map_err(|error| lzma_fault(&error))?;
        Ok(Self::of(RawDecoder::One(Box::new(stream))))
    }

    /// LZMA2.
    pub(super) fn two(properties: &[u8], filter: Option<FilterConfig>) -> Result<Self, Fault> {
        let byte = properties.first().filter(|byte| **byte <= 40);
        let byte = u32::from(*byte.ok_or_else(|| Fault::corrupt(PROPERTIES))?);
        let dictionary = match byte {
            40 => u32::MAX,
            _ => (2 | byte & 1) << (byte / 2 + 11),
        };
        ask(dictionary)?;
        let mut stream = Lzma2Stream::new(dictionary);
        stream
            .set_filters(filter.as_slice())
            .map_err(|error| lzma_fault(&error))?;
        Ok(Self::of(RawDecoder::Two(Box::new(stream))))
    }

    fn of(decoder: RawDecoder) -> Self {
        Self {
            decoder,
            has_begun: false,
        }
    }
}

const PROPERTIES: &str = "the properties of its method cannot be";

/// Refuses dictionaries that are too large, before there is one.
fn ask(dictionary: u32) -> Result<(), Fault> {
    match dictionary >> 10 <= DICTIONARY_KB {
        true => Ok(()),
        false => Err(Fault::limit(TOO_LARGE)),
    }
}

const TOO_LARGE: &str = "it needs a dictionary of more than 128 MiB";

impl Decode for RawLzma {
    fn begin(&mut self, _input: &mut dyn Input, _aside: &mut Aside) -> Result<bool, Fault> {
        Ok(!std::mem::replace(&mut self.has_begun, true))
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], is_all: bool) -> Result<Step, Fault> {
        let action = if is_all { Action::Finish } else { Action::Run };
        let result = match &mut self.decoder {
            RawDecoder::One(stream) => stream.process(input, out, action),
            RawDecoder::Two(stream) => stream.process(input, out, action),
        };
        result.map(step_of).map_err(|error| lzma_fault(&error))
    }

    fn end(&mut self, _input: &mut dyn Input, aside: &mut Aside) -> Result<(), Fault> {
        match &self.decoder {
            RawDecoder::One(stream) => aside.push("bytes behind the stream", stream.unused_input()),
            RawDecoder::Two(_) => Ok(()),
        }
    }
}

/// The filter of a method of 7z; `None` for what is none.
pub(super) fn filter(method: &[u8], properties: &[u8]) -> Option<FilterConfig> {
    let filter_type = match method {
        [3] => FilterType::Delta,
        [3, 3, 1, 3] | [4] => FilterType::BcjX86,
        [3, 3, 2, 5] | [5] => FilterType::BcjPpc,
        [3, 3, 4, 1] | [6] => FilterType::BcjIa64,
        [3, 3, 5, 1] | [7] => FilterType::BcjArm,
        [3, 3, 7, 1] | [8] => FilterType::BcjArmThumb,
        [3, 3, 8, 5] | [9] => FilterType::BcjSparc,
        [0xa] => FilterType::BcjArm64,
        [0xb] => FilterType::BcjRiscv,
        _ => return None,
    };
    let property = match (filter_type, properties) {
        (FilterType::Delta, [distance]) => u32::from(*distance) + 1,
        (FilterType::Delta, _) => return None,
        (_, []) => 0,
        (_, bytes) => u32::from_le_bytes(*bytes.first_chunk()?),
    };
    Some(FilterConfig {
        filter_type,
        property,
    })
}
