//! A decoder whose output is summed.

use super::super::input::{Fault, Input};
use super::unpack::{Aside, Decode, Step};

/// What is said about a wrong checksum.
pub(super) const WRONG: &str = "its content does not have the checksum that it says";
/// What is said about a wrong length.
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
