//! The way into one input: which part of which container is shown now, and how much may still be spent.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::rc::Rc;

use bstr::BString;

use super::input::{Fault, Input, Part, Slice};
use super::kind::{HEAD, Kind};
use super::limits::Limits;
use super::{base64, format};
use crate::blob::{Blob, Window};
use crate::coverage::{Skip, SkipReason};
use crate::provenance::{Inside, Provenance, Step, StepPart};
use crate::source::{BlobSink, Opened};

/// Longest member that is shown whole; longer ones come in windows.
pub(super) const WHOLE: usize = 64 << 20;
/// Bytes of one window without what it shares with the next.
pub(super) const STRIDE: usize = 16 << 20;
/// A finding within so many bytes of a window's border belongs to the next window: twice as much is shared.
pub(super) const REACH: usize = 128 << 10;
/// Bytes that one worker holds of containers that are read from their end, and of members.
pub(super) const MEMORY: usize = 256 << 20;
/// Fewer bytes in a row than this hold nothing that could be found.
const SHORTEST: usize = 16;
/// Buffers larger than this are not kept for the next container.
const MAX_KEPT: usize = 1 << 20;

/// Receives what is found inside: a sink, without its type.
pub(super) trait Out {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()>;
    fn window(&mut self, blob: Blob<'_>, window: Window) -> ControlFlow<()>;
    fn skip(&mut self, skip: Skip);
    fn packed(&mut self) -> Vec<usize>;
    fn unread(&mut self, provenance: &Provenance);
    fn opened(&mut self, provenance: &Provenance, opened: Opened);
}

impl<S: BlobSink> Out for S {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        BlobSink::blob(self, blob)
    }

    fn window(&mut self, blob: Blob<'_>, window: Window) -> ControlFlow<()> {
        BlobSink::window(self, blob, window)
    }

    fn skip(&mut self, skip: Skip) {
        BlobSink::skip(self, skip);
    }

    fn packed(&mut self) -> Vec<usize> {
        BlobSink::packed(self)
    }

    fn unread(&mut self, provenance: &Provenance) {
        BlobSink::unread(self, provenance);
    }

    fn opened(&mut self, provenance: &Provenance, opened: Opened) {
        BlobSink::opened(self, provenance, opened);
    }
}

/// One input that is being opened.
pub(super) struct Opening<'o> {
    out: &'o mut dyn Out,
    limits: &'o Limits,
    /// Bytes that decoders may still give, counted as those of the cheapest one. A value of this input alone: the
    /// number of threads and their work change nothing.
    budget: Budget,
    memory: usize,
    place: Provenance,
    buffers: &'o mut Vec<Vec<u8>>,
}

/// Bytes that decoders may still give.
#[derive(Clone, Debug)]
pub(super) struct Budget(Rc<Cell<u64>>);

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self(Rc::new(Cell::new(bytes)))
    }

    /// Returns the number of bytes that may still come where each costs `cost`.
    pub(super) fn left(&self, cost: u64) -> u64 {
        self.0.get() / cost
    }

    pub(super) fn spend(&self, bytes: u64, cost: u64) {
        self.0
            .set(self.0.get().saturating_sub(bytes.saturating_mul(cost)));
    }
}

impl<'o> Opening<'o> {
    pub(super) fn new(
        out: &'o mut dyn Out,
        limits: &'o Limits,
        budget: u64,
        outer: &Provenance,
        buffers: &'o mut Vec<Vec<u8>>,
    ) -> Self {
        Self {
            out,
            limits,
            budget: Budget::new(budget),
            memory: MEMORY,
            place: Provenance::Inside(Inside {
                outer: Box::new(outer.clone()),
                steps: Vec::new(),
            }),
            buffers,
        }
    }

    /// Returns the budget of the decoders.
    pub(super) fn budget(&self) -> Budget {
        self.budget.clone()
    }

    /// A buffer of before, or an empty one.
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() <= MAX_KEPT {
            self.buffers.push(buffer);
        }
    }

    /// Returns the current place.
    pub(super) fn place(&self) -> &Provenance {
        match &self.place {
            Provenance::Inside(inside) if inside.steps.is_empty() => &inside.outer,
            place => place,
        }
    }

    fn steps(&mut self) -> Option<&mut Vec<Step>> {
        match &mut self.place {
            Provenance::Inside(inside) => Some(&mut inside.steps),
            _ => None,
        }
    }

    fn at(
        &mut self,
        step: Step,
        show: impl FnOnce(&mut Self) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if let Some(steps) = self.steps() {
            steps.push(step);
        }
        let flow = show(self);
        if let Some(steps) = self.steps() {
            steps.pop();
        }
        flow
    }

    /// Shows all of a part of a container: opened if it is one itself.
    pub(super) fn item(&mut self, step: Step, input: &mut dyn Input) -> ControlFlow<()> {
        self.at(step, |this| this.open(input))
    }

    /// Shows all of a part of a container as it is.
    pub(super) fn item_raw(&mut self, step: Step, input: &mut dyn Input) -> ControlFlow<()> {
        self.at(step, |this| this.raw(input))
    }

    /// Shows what is no member; short pieces and zeros are nothing.
    pub(super) fn rest(&mut self, kind: Kind, name: &str, bytes: &[u8]) -> ControlFlow<()> {
        if bytes.len() < SHORTEST || bytes.iter().all(|byte| *byte == 0) {
            return ControlFlow::Continue(());
        }
        let step = Step {
            kind: kind.name(),
            name: name.into(),
            part: StepPart::Rest,
        };
        self.at(step, |this| this.plain(&mut Slice::new(bytes)))
    }

    /// Shows all that is left of an input, opened if it is a container.
    pub(super) fn open(&mut self, input: &mut dyn Input) -> ControlFlow<()> {
        match Kind::of(input.fill(HEAD)) {
            Some(kind) => self.container(kind, input),
            None => self.plain(input),
        }
    }

    /// Opens a container, or says why not and shows it raw.
    pub(super) fn container(&mut self, kind: Kind, input: &mut dyn Input) -> ControlFlow<()> {
        if kind.refusal().is_some() {
            return self.refuse(kind, input);
        }
        let depth = self.place().steps().len();
        if depth >= self.limits.depth {
            let detail = format!("it lies deeper than {depth} containers in each other");
            self.skip(SkipReason::Limit, detail);
            return self.raw(input);
        }
        format::open(self, kind, input)
    }

    /// Says that no build, or not this one, opens containers of a kind, and shows one raw.
    pub(super) fn refuse(&mut self, kind: Kind, input: &mut dyn Input) -> ControlFlow<()> {
        let reason = kind.refusal().unwrap_or(SkipReason::Unsupported);
        self.skip(reason, format!("{} is not opened", kind.name()));
        self.raw(input)
    }

    /// Shows all that is left of an input as it is, whatever it looks like.
    pub(super) fn raw(&mut self, input: &mut dyn Input) -> ControlFlow<()> {
        self.plain_as(input, false)
    }

    /// Shows all that is left of an input as it is. What turns out to end like a zip file is opened.
    pub(super) fn plain(&mut self, input: &mut dyn Input) -> ControlFlow<()> {
        self.plain_as(input, true)
    }

    /// Shows all that is left of an input as it is; with `recognise`, what ends like a zip file is opened.
    fn plain_as(&mut self, input: &mut dyn Input, recognise: bool) -> ControlFlow<()> {
        let is_in_memory = input.is_in_memory();
        let most = match is_in_memory {
            true => WHOLE,
            false => WHOLE.min(self.memory / 2),
        };
        let bytes = input.fill(most + 1);
        // Only of what is here whole the last bytes are known to be the last.
        let is_whole = bytes.len() <= most || is_in_memory;
        if recognise
            && is_whole
            && let Some(kind) = Kind::of_tail(bytes)
        {
            return self.container(kind, input);
        }
        let bytes = input.fill(most + 1);
        if bytes.len() > most {
            return self.windows(input);
        }
        let length = bytes.len();
        let provenance = match &self.place {
            Provenance::Inside(inside) if inside.steps.is_empty() => &inside.outer,
            // Directories and links are no content.
            _ if length == 0 => return ControlFlow::Continue(()),
            place => place,
        };
        self.out.blob(Blob { bytes, provenance })?;
        let packed = self.out.packed();
        self.written(bytes, 0, &packed)?;
        input.take(length);
        ControlFlow::Continue(())
    }

    /// Shows an input in pieces that share bytes with each other.
    fn windows(&mut self, input: &mut dyn Input) -> ControlFlow<()> {
        let (mut offset, mut line) = (0, 0);
        loop {
            let bytes = input.fill(STRIDE + 2 * REACH + 1);
            let is_last = bytes.len() <= STRIDE + 2 * REACH;
            let bytes = bytes.get(..STRIDE + 2 * REACH).unwrap_or(bytes);
            let window = Window {
                offset,
                line,
                from: if offset == 0 { 0 } else { REACH },
                to: if is_last { usize::MAX } else { STRIDE + REACH },
            };
            let provenance = match &self.place {
                Provenance::Inside(inside) if inside.steps.is_empty() => &inside.outer,
                place => place,
            };
            let mut flow = self.out.window(Blob { bytes, provenance }, window);
            if flow.is_continue() {
                let mut packed = self.out.packed();
                packed.retain(|at| (window.from..window.to).contains(at));
                flow = self.written(bytes, line, &packed);
            }
            let step = if is_last { bytes.len() } else { STRIDE };
            line += memchr::memchr_iter(b'\n', &bytes[..step]).count();
            offset += step;
            input.take(step);
            if flow.is_break() || is_last {
                return flow;
            }
        }
    }

    /// Opens what is written in base64 at places of a text that begins after so many lines.
    pub(super) fn written(
        &mut self,
        bytes: &[u8],
        lines: usize,
        places: &[usize],
    ) -> ControlFlow<()> {
        let is_deep = self.place().steps().len() + 1 >= self.limits.depth;
        let (mut counted, mut line) = (0, lines + 1);
        for at in places.iter().filter(|_| !is_deep) {
            // Base64 in base64 that was opened a moment ago.
            if *at < counted {
                continue;
            }
            line += memchr::memchr_iter(b'\n', &bytes[counted..*at]).count();
            counted = *at;
            let Some((decoded, end)) = base64::decode(bytes, *at) else {
                continue;
            };
            if self.budget.left(1) < decoded.len() as u64 {
                self.skip(SkipReason::Limit, "more comes out of it than may");
                return ControlFlow::Continue(());
            }
            self.budget.spend(decoded.len() as u64, 1);
            let step = Step {
                kind: base64::KIND,
                name: format!("line {line}").into(),
                part: StepPart::Member,
            };
            line += memchr::memchr_iter(b'\n', &bytes[counted..end]).count();
            counted = end;
            self.item(step, &mut Slice::new(&decoded))?;
        }
        ControlFlow::Continue(())
    }

    /// All that is left of an input in one piece, if it may be held; else it is said and shown raw.
    pub(super) fn hold(
        &mut self,
        input: &mut dyn Input,
        held: impl FnOnce(&mut Self, &[u8]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let before = self.memory;
        let is_in_memory = input.is_in_memory();
        let bytes = input.fill(if is_in_memory { 0 } else { before + 1 });
        if bytes.len() > before && !is_in_memory {
            let detail =
                format!("it is read from its end, and more than {before} bytes are not held");
            self.skip(SkipReason::Limit, detail);
            return self.raw(input);
        }
        if !is_in_memory {
            self.memory -= bytes.len();
        }
        let length = bytes.len();
        let flow = held(self, bytes);
        self.memory = before;
        input.take(length);
        flow
    }

    /// Takes note of something that could not be opened here. What a change replaces need not be read.
    pub(super) fn skip(&mut self, reason: SkipReason, detail: impl Into<String>) {
        let place = match &self.place {
            Provenance::Inside(inside) if inside.steps.is_empty() => &inside.outer,
            place => place,
        };
        // Documentation shows the beginning of what is packed; that is no damage.
        let is_written = place
            .steps()
            .last()
            .is_some_and(|step| step.kind == base64::KIND);
        if place.is_old() || is_written && reason == SkipReason::Corrupt {
            return;
        }
        let skip = Skip::with_detail(reason, place.shown(), detail.into());
        self.out.skip(skip.in_file());
        self.out.unread(place);
    }

    /// The same, for a part of the container that we are in.
    pub(super) fn skip_part(&mut self, step: Step, fault: Fault) {
        let _ = self.at(step, |this| {
            this.skip(fault.reason, fault.detail);
            ControlFlow::Continue(())
        });
    }

    /// Takes note of a container that was opened.
    pub(super) fn opened(&mut self, opened: Opened) {
        let place = match &self.place {
            Provenance::Inside(inside) if inside.steps.is_empty() => &inside.outer,
            place => place,
        };
        self.out.opened(place, opened);
    }
}

/// Reads a container from its first byte to its last; each byte is shown as a member or as the rest.
pub(super) struct Walk<'w, 'o> {
    pub(super) opening: &'w mut Opening<'o>,
    pub(super) kind: Kind,
    input: &'w mut dyn Input,
    start: u64,
    packed: u64,
    rest: u64,
}

impl<'w, 'o> Walk<'w, 'o> {
    pub(super) fn new(opening: &'w mut Opening<'o>, kind: Kind, input: &'w mut dyn Input) -> Self {
        Self {
            start: input.taken(),
            opening,
            kind,
            input,
            packed: 0,
            rest: 0,
        }
    }

    /// The next bytes, at least `want` unless fewer are left.
    pub(super) fn peek(&mut self, want: usize) -> &[u8] {
        self.input.fill(want)
    }

    /// Returns true if the bytes end because no more could be read.
    pub(super) fn is_cut_off(&self) -> bool {
        self.input.fault().is_some()
    }

    /// Shows the next `count` bytes as something that is no member.
    pub(super) fn rest(&mut self, name: &str, count: usize) -> ControlFlow<()> {
        self.rest_of(name, count, |bytes| bytes.into())
    }

    /// The same, but what is shown of the bytes is what `text` makes of them.
    pub(super) fn rest_of(
        &mut self,
        name: &str,
        count: usize,
        text: impl FnOnce(&[u8]) -> std::borrow::Cow<'_, [u8]>,
    ) -> ControlFlow<()> {
        let bytes = self.input.fill(count);
        let bytes = bytes.get(..count).unwrap_or(bytes);
        let length = bytes.len();
        let flow = self.opening.rest(self.kind, name, &text(bytes));
        self.input.take(length);
        self.rest += length as u64;
        flow
    }

    /// Takes the zeros that come next, up to `most`; says how many these were.
    pub(super) fn zeros(&mut self, most: u64) -> u64 {
        let mut count = 0;
        while count < most {
            let bytes = self.input.fill(1);
            let length = bytes.iter().take_while(|byte| **byte == 0).count();
            let length = usize::try_from(most - count).map_or(length, |left| left.min(length));
            if length == 0 {
                break;
            }
            self.input.take(length);
            count += length as u64;
        }
        self.rest += count;
        count
    }

    /// Shows the next `length` bytes as a member; says whether they were there.
    pub(super) fn member(
        &mut self,
        name: impl Into<BString>,
        length: u64,
    ) -> ControlFlow<(), bool> {
        let step = self.step(name, StepPart::Member);
        let before = self.input.taken();
        let flow = self.opening.item(step, &mut Part::new(self.input, length));
        let taken = self.input.taken() - before;
        self.packed += taken;
        flow?;
        ControlFlow::Continue(taken == length)
    }

    /// Shows a member whose bytes `make` puts together of those that come next.
    pub(super) fn made(
        &mut self,
        name: impl Into<BString>,
        make: impl FnOnce(&mut Opening<'o>, Step, &mut dyn Input) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let step = self.step(name, StepPart::Member);
        let before = self.input.taken();
        let flow = make(self.opening, step, self.input);
        self.packed += self.input.taken() - before;
        flow
    }

    /// Shows all that is left: opened, if it is a container.
    pub(super) fn tail(&mut self, name: &str) -> ControlFlow<()> {
        if self.input.fill(1).is_empty() {
            return ControlFlow::Continue(());
        }
        let step = self.step(name, StepPart::Rest);
        let before = self.input.taken();
        let flow = self.opening.item(step, self.input);
        self.rest += self.input.taken() - before;
        flow
    }

    /// Takes note of damage and the like; where the input was cut off that was said already.
    pub(super) fn fault(&mut self, fault: Fault) {
        if !self.is_cut_off() {
            self.opening.skip(fault.reason, fault.detail);
        }
    }

    /// Ends the account.
    pub(super) fn finish(self) {
        let opened = Opened {
            kind: self.kind.name(),
            bytes: self.input.taken() - self.start,
            packed: self.packed,
            rest: self.rest,
        };
        self.opening.opened(opened);
    }

    fn step(&self, name: impl Into<BString>, part: StepPart) -> Step {
        Step {
            kind: self.kind.name(),
            name: name.into(),
            part,
        }
    }
}
