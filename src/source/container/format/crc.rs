//! Checksums of what a decoder makes, and of what is taken of an input.

use super::super::input::{Fault, Input};
use super::unpack::{Aside, Decode, Step};

/// Message about a wrong checksum.
pub(super) const WRONG: &str = "its content does not have the checksum that it says";
/// Message about a wrong length.
pub(super) const WRONG_LENGTH: &str = "its content does not have the length that it says";

/// Sums what a decoder makes: CRC-32.
pub(super) struct Checked<'d> {
    decode: &'d mut dyn Decode,
    sum: crc32fast::Hasher,
}

impl<'d> Checked<'d> {
    pub(super) fn new(decode: &'d mut dyn Decode) -> Self {
        Self {
            decode,
            sum: crc32fast::Hasher::new(),
        }
    }

    /// The sum of what was made so far.
    pub(super) fn checksum(&self) -> u32 {
        self.sum.clone().finalize()
    }
}

impl Decode for Checked<'_> {
    fn begin(&mut self, input: &mut dyn Input, aside: &mut Aside) -> Result<bool, Fault> {
        self.decode.begin(input, aside)
    }

    fn step(&mut self, input: &[u8], out: &mut [u8], is_all: bool) -> Result<Step, Fault> {
        let step = self.decode.step(input, out, is_all)?;
        self.sum.update(out.get(..step.made).unwrap_or_default());
        Ok(step)
    }

    fn end(&mut self, input: &mut dyn Input, aside: &mut Aside) -> Result<(), Fault> {
        self.decode.end(input, aside)
    }
}

/// Sums what is taken of an input: CRC-32.
pub(super) struct Summed<'i> {
    input: &'i mut dyn Input,
    sum: crc32fast::Hasher,
}

impl<'i> Summed<'i> {
    pub(super) fn new(input: &'i mut dyn Input) -> Self {
        Self {
            input,
            sum: crc32fast::Hasher::new(),
        }
    }

    /// The sum of what was taken so far.
    pub(super) fn checksum(&self) -> u32 {
        self.sum.clone().finalize()
    }
}

impl Input for Summed<'_> {
    fn fill(&mut self, want: usize) -> &[u8] {
        self.input.fill(want)
    }

    fn take(&mut self, count: usize) {
        let bytes = self.input.fill(count);
        self.sum.update(bytes.get(..count).unwrap_or(bytes));
        self.input.take(count);
    }

    fn taken(&self) -> u64 {
        self.input.taken()
    }

    fn fault(&self) -> Option<&Fault> {
        self.input.fault()
    }

    fn is_in_memory(&self) -> bool {
        self.input.is_in_memory()
    }
}
