//! Reads choices from the bytes of an input; where they end, every choice is the first.

/// The rest of an input.
#[derive(Clone, Debug)]
pub struct Input<'d> {
    rest: &'d [u8],
}

impl<'d> Input<'d> {
    /// All of `data`.
    pub fn new(data: &'d [u8]) -> Self {
        Self { rest: data }
    }

    /// Returns true if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte, or 0.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `bound`, which is 1 to 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// One of two, rarely the second: one byte in sixteen.
    pub fn rarely(&mut self) -> bool {
        self.byte() >= 0xf0
    }

    /// A number of four bytes.
    pub fn number(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// So many bytes, or what is left.
    pub fn take(&mut self, length: usize) -> &'d [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A byte says how many bytes follow.
    pub fn chunk(&mut self) -> &'d [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }
}
