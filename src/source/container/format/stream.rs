//! One compressed stream: gzip, zstd, xz, lzma, lzip, bzip2.

use std::ops::ControlFlow;

use bstr::BString;

use super::super::input::{Fault, Input};
use super::super::kind::Kind;
use super::super::opening::Opening;
use super::decode;
use super::unpack::{Decode, Unpack};
use crate::provenance::{Step, StepPart};
use crate::source::Opened;

/// Opens a compressed file.
pub(super) fn open(
    opening: &mut Opening<'_>,
    kind: Kind,
    input: &mut dyn Input,
) -> ControlFlow<()> {
    let Some((mut decode, cost)) = decode::decoder(kind) else {
        return opening.refuse(kind, input);
    };
    let start = input.taken();
    let step = step(kind, "", StepPart::Member);
    let (flow, outcome) = unpack(opening, kind, (&mut *decode, cost), step, input);
    flow?;
    let before = input.taken();
    let mut rest = before - start - outcome.packed;
    if let Some(fault) = outcome.fault {
        opening.skip(fault.reason, fault.detail);
        opening.item_raw(self::step(kind, "what is not read", StepPart::Rest), input)?;
    } else if !input.fill(1).is_empty() {
        opening.item(self::step(kind, "behind the end", StepPart::Rest), input)?;
    }
    rest += input.taken() - before;
    opening.opened(Opened {
        kind: kind.name(),
        bytes: input.taken() - start,
        packed: outcome.packed,
        rest,
    });
    ControlFlow::Continue(())
}

/// Outcome of unpacking.
pub(super) struct Outcome {
    /// Bytes of the input that were inside streams.
    pub(super) packed: u64,
    /// Bytes that came out.
    pub(super) made: u64,
    /// CRC-32 of what came out, where it was asked for.
    pub(super) fault: Option<Fault>,
}

/// Shows what a decoder makes of an input, then what it set aside.
pub(super) fn unpack(
    opening: &mut Opening<'_>,
    kind: Kind,
    (decode, cost): (&mut dyn Decode, u64),
    step: Step,
    input: &mut dyn Input,
) -> (ControlFlow<()>, Outcome) {
    let buffer = opening.buffer();
    let mut unpack = Unpack::new(input, decode, (opening.budget(), cost), buffer);
    let mut flow = opening.item(step, &mut unpack);
    let (packed, made) = (unpack.packed, unpack.made);
    let (buffer, fault, aside) = unpack.finish();
    opening.give_back(buffer);
    for (name, text) in aside.texts {
        if flow.is_continue() {
            flow = opening.rest(kind, name, &text);
        }
    }
    let outcome = Outcome {
        packed,
        made,
        fault,
    };
    (flow, outcome)
}

fn step(kind: Kind, name: impl Into<BString>, part: StepPart) -> Step {
    Step {
        kind: kind.name(),
        name: name.into(),
        part,
    }
}
