//! Bytes that are taken one after the other: from memory, from a part of others, from a stream.

use std::io::{ErrorKind, Read};

use crate::coverage::SkipReason;

/// Reason why further bytes could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The reason in the account.
    pub(super) reason: SkipReason,
    /// The message.
    pub(super) detail: String,
}

impl Fault {
    /// Damage: a checksum, a length, a structure that cannot be.
    pub(super) fn corrupt(detail: impl Into<String>) -> Self {
        Self::new(SkipReason::Corrupt, detail)
    }

    /// More than a limit allows.
    pub(super) fn limit(detail: impl Into<String>) -> Self {
        Self::new(SkipReason::Limit, detail)
    }

    /// A method or variant that is not read.
    pub(super) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(SkipReason::Unsupported, detail)
    }

    fn new(reason: SkipReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// Bytes that are looked at first and taken then.
pub(super) trait Input {
    /// The next bytes, at least `want` unless fewer are left; more where more are at hand.
    fn fill(&mut self, want: usize) -> &[u8];

    /// Takes `count` of the bytes that [`Self::fill`] gave last.
    fn take(&mut self, count: usize);

    /// Bytes that were taken.
    fn taken(&self) -> u64;

    /// Returns the reason why the bytes end early, if they do.
    fn fault(&self) -> Option<&Fault>;

    /// Returns true if all bytes are in memory already, so that examining them costs none.
    fn is_in_memory(&self) -> bool;
}

/// An input that makes its bytes in a window.
pub(super) trait Windowed {
    /// The window.
    fn window(&self) -> &Window;

    /// The same, to take from it.
    fn window_mut(&mut self) -> &mut Window;

    /// Makes more, where `want` bytes are asked for; false at the end.
    fn advance(&mut self, want: usize) -> bool;

    /// As [`Input::fault`].
    fn cause(&self) -> Option<&Fault>;
}

impl<W: Windowed> Input for W {
    fn fill(&mut self, want: usize) -> &[u8] {
        while self.window().len() < want && self.advance(want) {}
        self.window().get()
    }

    fn take(&mut self, count: usize) {
        self.window_mut().take(count);
    }

    fn taken(&self) -> u64 {
        self.window().taken()
    }

    fn fault(&self) -> Option<&Fault> {
        self.cause()
    }

    fn is_in_memory(&self) -> bool {
        false
    }
}

/// Bytes in memory.
#[derive(Debug)]
pub(super) struct Slice<'a> {
    bytes: &'a [u8],
    taken: u64,
}

impl<'a> Slice<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0 }
    }
}

impl Input for Slice<'_> {
    fn fill(&mut self, _want: usize) -> &[u8] {
        self.bytes
    }

    fn take(&mut self, count: usize) {
        self.bytes = self.bytes.get(count..).unwrap_or_default();
        self.taken += count as u64;
    }

    fn taken(&self) -> u64 {
        self.taken
    }

    fn fault(&self) -> Option<&Fault> {
        None
    }

    fn is_in_memory(&self) -> bool {
        true
    }
}

/// The next so many bytes of another input.
pub(super) struct Part<'a> {
    input: &'a mut dyn Input,
    left: u64,
    taken: u64,
}

impl<'a> Part<'a> {
    pub(super) fn new(input: &'a mut dyn Input, length: u64) -> Self {
        Self {
            input,
            left: length,
            taken: 0,
        }
    }

    fn most(&self, want: usize) -> usize {
        usize::try_from(self.left).map_or(want, |left| left.min(want))
    }
}

impl Input for Part<'_> {
    fn fill(&mut self, want: usize) -> &[u8] {
        let most = self.most(usize::MAX);
        let bytes = self.input.fill(most.min(want));
        bytes.get(..most).unwrap_or(bytes)
    }

    fn take(&mut self, count: usize) {
        self.input.take(count);
        self.left -= count as u64;
        self.taken += count as u64;
    }

    fn taken(&self) -> u64 {
        self.taken
    }

    fn fault(&self) -> Option<&Fault> {
        self.input.fault()
    }

    fn is_in_memory(&self) -> bool {
        self.input.is_in_memory()
    }
}

/// A buffer that input comes into at one end and goes out of at the other.
#[derive(Debug, Default)]
pub(super) struct Window {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    taken: u64,
}

/// A window has at least room for as much.
const ROOM: usize = 256 << 10;

impl Window {
    /// An empty window over a buffer of before, or over none.
    pub(super) fn over(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// The buffer, for the next one.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn get(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(super) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.taken += count as u64;
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Room behind the bytes, once there are to be `want` of them and are not yet.
    pub(super) fn room(&mut self, want: usize) -> &mut [u8] {
        if self.start > 0 && (self.start == self.end || self.start >= self.bytes.len() / 2) {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() || self.bytes.is_empty() {
            if self.start > 0 {
                self.bytes.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            // Twice as much until there is room for all that is wanted, and no more than that.
            let doubled = self.bytes.len().saturating_mul(2);
            let length = doubled.min(want.saturating_add(ROOM / 4)).max(ROOM);
            if length > self.bytes.len() {
                self.bytes.reserve_exact(length - self.bytes.len());
                self.bytes.resize(length, 0);
            }
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Takes note that `count` bytes were written into [`Self::room`].
    pub(super) fn made(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }
}

/// A stream of the system, such as standard input.
pub(super) struct Stream<'a> {
    reader: &'a mut dyn Read,
    window: Window,
    left: u64,
    is_over: bool,
    fault: Option<Fault>,
}

impl<'a> Stream<'a> {
    /// At most `limit` bytes of `reader`; one more is a fault.
    pub(super) fn new(reader: &'a mut dyn Read, limit: u64) -> Self {
        Self {
            reader,
            window: Window::default(),
            left: limit,
            is_over: false,
            fault: None,
        }
    }
}

impl Windowed for Stream<'_> {
    fn window(&self) -> &Window {
        &self.window
    }

    fn window_mut(&mut self) -> &mut Window {
        &mut self.window
    }

    fn cause(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    fn advance(&mut self, want: usize) -> bool {
        if self.is_over {
            return false;
        }
        let room = self.window.room(want);
        match self.reader.read(room) {
            Ok(0) => self.is_over = true,
            Ok(count) if count as u64 > self.left => {
                self.window.made(usize::try_from(self.left).unwrap_or(0));
                self.left = 0;
                self.is_over = true;
                self.fault = Some(Fault::new(
                    SkipReason::Size,
                    "there is more than the limit allows",
                ));
            }
            Ok(count) => {
                self.window.made(count);
                self.left -= count as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                self.is_over = true;
                self.fault = Some(Fault::new(SkipReason::Unreadable, error.to_string()));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_gives_what_is_asked_for_in_any_steps() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| (n / 7) as u8).collect();
        let mut reader: &[u8] = &bytes;
        let mut stream = Stream::new(&mut reader, u64::MAX);
        let mut got = Vec::new();
        for step in [1, 512, 300_000, 7, 600_000, 90_000, 99_999]
            .into_iter()
            .cycle()
        {
            let seen = stream.fill(step);
            let count = seen.len().min(step);
            if count == 0 {
                break;
            }
            got.extend_from_slice(&seen[..count]);
            stream.take(count);
        }
        assert!(got == bytes);
        assert_eq!(stream.taken(), bytes.len() as u64);
        assert_eq!(stream.fault(), None);
    }

    #[test]
    fn one_byte_more_than_the_limit_is_a_fault() {
        let bytes = [7; 10];
        for (limit, faulty) in [(10, false), (9, true)] {
            let mut reader: &[u8] = &bytes;
            let mut stream = Stream::new(&mut reader, limit);
            assert_eq!(stream.fill(100).len() as u64, limit.min(10));
            assert_eq!(stream.fault().is_some(), faulty);
        }
    }

    #[test]
    fn a_part_ends_where_it_says() {
        let mut slice = Slice::new(b"abcdef");
        let mut part = Part::new(&mut slice, 4);
        assert_eq!(part.fill(1), b"abcd");
        part.take(3);
        assert_eq!(part.fill(9), b"d");
        part.take(1);
        assert_eq!(part.fill(9), b"");
        assert_eq!(slice.fill(9), b"ef");
    }
}
