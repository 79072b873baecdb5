//! The output of a decoder, as an input of its own.

use super::super::input::{Fault, Input, Window, Windowed};
use super::super::opening::Budget;

/// Undoes one compression. What is one stream to people may be many to the format: each begins and ends.
pub(super) trait Decode {
    /// Takes the bytes in front of the next stream; returns true if one begins.
    fn begin(&mut self, input: &mut dyn Input, aside: &mut Aside) -> Result<bool, Fault>;

    /// Decodes as much as there is room for. `is_all` says that no input follows.
    fn step(&mut self, input: &[u8], out: &mut [u8], is_all: bool) -> Result<Step, Fault>;

    /// Takes and checks the bytes behind the stream.
    fn end(&mut self, input: &mut dyn Input, aside: &mut Aside) -> Result<(), Fault>;
}

/// Result of one call of a decoder.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    /// Bytes of the input that are used up.
    pub(super) taken: usize,
    /// Bytes that were written.
    pub(super) made: usize,
    /// True if the stream has ended.
    pub(super) has_ended: bool,
}

/// A decoder is given at least so many bytes, unless they are the last.
const PIECE: usize = 64 << 10;

/// Most bytes of headers that are set aside.
const MOST_ASIDE: usize = 16 << 20;

/// Texts between streams: names, comments, frames to skip.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Each text's kind, and its bytes.
    pub(super) texts: Vec<(&'static str, Vec<u8>)>,
    length: usize,
}

impl Aside {
    /// Sets a text aside.
    pub(super) fn push(&mut self, name: &'static str, text: &[u8]) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        self.length += text.len() + 64;
        if self.length > MOST_ASIDE {
            return Err(Fault::limit("its headers are longer than is looked at"));
        }
        self.texts.push((name, text.to_vec()));
        Ok(())
    }
}

/// A decoder's output of an input.
pub(super) struct Unpack<'a> {
    input: &'a mut dyn Input,
    decode: &'a mut dyn Decode,
    window: Window,
    budget: Budget,
    cost: u64,
    state: State,
    fault: Option<Fault>,
    /// The texts between streams.
    pub(super) aside: Aside,
    /// Bytes of the input that were inside streams.
    pub(super) packed: u64,
    /// Bytes that came out.
    pub(super) made: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    Inside,
    Over,
}

impl<'a> Unpack<'a> {
    /// Unpacks `input`, where each byte that comes out costs `cost` of the budget.
    pub(super) fn new(
        input: &'a mut dyn Input,
        decode: &'a mut dyn Decode,
        (budget, cost): (Budget, u64),
        buffer: Vec<u8>,
    ) -> Self {
        Self {
            input,
            decode,
            window: Window::over(buffer),
            budget,
            cost,
            state: State::Before,
            fault: None,
            aside: Aside::default(),
            packed: 0,
            made: 0,
        }
    }

    /// The buffer, what went wrong and what was set aside.
    pub(super) fn finish(self) -> (Vec<u8>, Option<Fault>, Aside) {
        (self.window.into_buffer(), self.fault, self.aside)
    }

    /// One step forward; `want` bytes are asked for.
    fn step(&mut self, want: usize) -> Result<(), Fault> {
        match self.state {
            State::Before => {
                let begins = self.decode.begin(self.input, &mut self.aside)?;
                self.state = if begins { State::Inside } else { State::Over };
                Ok(())
            }
            State::Inside => self.inside(want),
            State::Over => Ok(()),
        }
    }

    fn inside(&mut self, want: usize) -> Result<(), Fault> {
        let before = self.packed;
        let bytes = self.input.fill(PIECE);
        let is_all = bytes.len() < PIECE;
        let left = self.budget.left(self.cost);
        let room = self.window.room(want);
        let most = usize::try_from(left).map_or(room.len(), |left| left.min(room.len()));
        let step = self.decode.step(bytes, &mut room[..most], is_all)?;
        self.input.take(step.taken);
        self.packed += step.taken as u64;
        self.window.made(step.made);
        self.made += step.made as u64;
        self.budget.spend(step.made as u64, self.cost);
        if step.has_ended {
            self.decode.end(self.input, &mut self.aside)?;
            self.state = State::Before;
        } else if step.made == 0 && self.packed == before {
            if most == 0 {
                return Err(Fault::limit("more comes out of it than may"));
            }
            return Err(Fault::corrupt("it is cut short"));
        }
        Ok(())
    }
}

impl Windowed for Unpack<'_> {
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
        if let Err(fault) = self.step(want) {
            self.state = State::Over;
            // A fault of what is below is the cause of this one.
            self.fault = Some(self.input.fault().cloned().unwrap_or(fault));
        }
        self.state != State::Over
    }
}
