//! Looks inside containers: a sink around a sink.
//!
//! [`Opener`] takes what a source shows, recognises containers by their content and shows what they hold to the
//! sink that it is around. **Every byte of a container is shown once: as a member, or as the rest**, which is
//! searched as it is: comments, headers, members that no directory names, bytes behind the end. What could not
//! be opened is named and makes the scan incomplete.
//!
//! How much comes out of one input is a value that is handed down with it, so that neither the number of threads
//! nor the speed of a machine changes what is found. Nothing is written to disk.

#![cfg_attr(
    not(feature = "archive"),
    allow(
        dead_code,
        reason = "a build that opens nothing still recognises and names containers"
    )
)]

mod base64;
mod input;
mod kind;
mod limits;
mod opening;

#[cfg(feature = "archive")]
mod format;
#[cfg(not(feature = "archive"))]
#[path = "closed.rs"]
mod format;

use std::io::Read;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{BlobSink, Clean, Opened};
use crate::blob::{Blob, Window};
use crate::coverage::{Skip, SkipReason};
use crate::provenance::Provenance;
use input::{Input as _, Slice, Stream};
use opening::Opening;

pub use kind::{HEAD, Kind, TAIL};
pub use limits::Limits;

/// Bytes that may come out of a stream that is longer than what is read whole: its length is not known.
const STREAM_OUTPUT: u64 = 64 << 30;

/// Shows a sink what is in the containers that a source shows, instead of the containers.
#[derive(Debug)]
pub struct Opener<S> {
    sink: S,
    limits: Limits,
    buffers: Vec<Vec<u8>>,
}

impl<S: BlobSink> Opener<S> {
    /// Opens containers for `sink`.
    pub fn new(sink: S, limits: Limits) -> Self {
        Self {
            sink,
            limits,
            buffers: Vec::new(),
        }
    }

    /// The sink that it is around.
    pub fn into_inner(self) -> S {
        self.sink
    }

    /// The kind of a blob that is to be opened.
    #[inline]
    fn kind(&self, bytes: &[u8]) -> Option<Kind> {
        match self.limits.depth {
            0 => None,
            _ => Kind::of(bytes).or_else(|| Kind::of_tail(bytes)),
        }
    }

    /// Shows what is no container, then what is written in it in base64 and packed.
    fn plain(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        self.sink.blob(blob)?;
        let packed = self.sink.packed();
        if packed.is_empty() || self.limits.depth == 0 {
            return ControlFlow::Continue(());
        }
        let budget = self.limits.output(blob.bytes.len());
        let opened = self.guarded(budget, blob.provenance, |opening| {
            opening.written(blob.bytes, 0, &packed)
        });
        opened.unwrap_or(ControlFlow::Continue(()))
    }

    fn open(&mut self, kind: Kind, blob: Blob<'_>) -> ControlFlow<()> {
        if !self.sink.admits(blob.provenance) {
            return ControlFlow::Continue(());
        }
        let budget = self.limits.output(blob.bytes.len());
        let mut input = Slice::new(blob.bytes);
        let opened = self.guarded(budget, blob.provenance, |opening| {
            opening.container(kind, &mut input)
        });
        opened.unwrap_or_else(|| self.sink.blob(blob))
    }

    /// Opens something; `None` if that panicked, which is said.
    fn guarded(
        &mut self,
        budget: u64,
        provenance: &Provenance,
        open: impl FnOnce(&mut Opening<'_>) -> ControlFlow<()>,
    ) -> Option<ControlFlow<()>> {
        let (sink, buffers) = (&mut self.sink, &mut self.buffers);
        let mut opening = Opening::new(sink, &self.limits, budget, provenance, buffers);
        let opened = catch_unwind(AssertUnwindSafe(|| open(&mut opening)));
        if opened.is_err() {
            let detail = "opening it failed in a way that should not happen; please report it";
            let skip = Skip::with_detail(SkipReason::Internal, provenance.shown(), detail);
            self.sink.skip(skip);
            self.sink.unread(provenance);
        }
        opened.ok()
    }
}

impl<S: BlobSink> BlobSink for Opener<S> {
    #[inline]
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        match self.kind(blob.bytes) {
            None => self.plain(blob),
            Some(kind) => self.open(kind, blob),
        }
    }

    fn join(&mut self, share: Self) {
        self.sink.join(share.sink);
    }

    fn skip(&mut self, skip: Skip) {
        self.sink.skip(skip);
    }

    fn clean(&mut self, clean: Clean) {
        self.sink.clean(clean);
    }

    fn admits(&mut self, provenance: &Provenance) -> bool {
        self.sink.admits(provenance)
    }

    fn stream(
        &mut self,
        input: &mut dyn Read,
        limit: u64,
        provenance: &Provenance,
    ) -> ControlFlow<()> {
        let mut first = Vec::new();
        let most = limit.saturating_add(1).min(opening::WHOLE as u64 + 1);
        let result = Read::take(&mut *input, most).read_to_end(&mut first);
        let is_all = result.is_err() || (first.len() as u64) < most;
        if let Err(error) = result {
            self.skip(Skip::with_detail(
                SkipReason::Unreadable,
                provenance.shown(),
                error,
            ));
        }
        if first.len() as u64 > limit {
            let detail = format!("more than {limit} bytes");
            self.skip(Skip::with_detail(
                SkipReason::Size,
                provenance.shown(),
                detail,
            ));
            return ControlFlow::Continue(());
        }
        if is_all {
            let bytes = first.as_slice();
            return self.blob(Blob { bytes, provenance });
        }
        let mut input = first.as_slice().chain(input);
        if !self.sink.admits(provenance) {
            return ControlFlow::Continue(());
        }
        let budget = self.limits.output.unwrap_or(STREAM_OUTPUT);
        let mut input = Stream::new(&mut input, limit);
        let is_open = self.limits.depth > 0;
        let opened = self.guarded(budget, provenance, |opening| match is_open {
            true => opening.open(&mut input),
            false => opening.raw(&mut input),
        });
        if let Some(fault) = input.fault() {
            let skip = Skip::with_detail(fault.reason, provenance.shown(), &fault.detail);
            self.sink.skip(skip);
        }
        opened.unwrap_or(ControlFlow::Continue(()))
    }

    fn window(&mut self, blob: Blob<'_>, window: Window) -> ControlFlow<()> {
        self.sink.window(blob, window)
    }

    fn unread(&mut self, provenance: &Provenance) {
        self.sink.unread(provenance);
    }

    fn opened(&mut self, provenance: &Provenance, opened: Opened) {
        self.sink.opened(provenance, opened);
    }
}

impl<S: BlobSink> Clone for Opener<S> {
    /// An opener for another worker, with buffers of its own.
    fn clone(&self) -> Self {
        Self::new(self.sink.clone(), self.limits)
    }
}
