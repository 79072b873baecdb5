//! The sink that runs the engine on what a source shows, and collects findings and coverage; and the stages of a
//! finding's way that need the engine or what a source knows: [`Scanned`], located, redacted.
//!
//! [`Scanner`] is cloned into every worker of a source, and each keeps what it finds to itself until the source
//! joins them again. A clean blob costs the engine's first stage and nothing here: no lock, no allocation. Which
//! source, configuration and output there are is not known here.

mod build;
mod explain;
mod lines;
mod locate;
mod message;
mod probe;
mod redact;
mod snippet;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use bstr::BStr;

use crate::blob::{Blob, Window};
use crate::coverage::{Skip, SkipReason};
use crate::engine::{Engine, Scratch};
use crate::finding::{Finding, Scanned};
use crate::policy::{Exceptions, Globs};
use crate::provenance::{ObjectKind, Provenance};
use crate::source::{BlobSink, Clean, Opened};

pub use build::{Built, findings_of};
pub use explain::{Stage, TraceEvent, explain};
pub use probe::EngineProbe;
pub use redact::{redact, redact_text, text_redactor};

/// Number of blobs and bytes that a worker scans before it updates the shared counters.
const COUNTED_BLOBS: u64 = 64;
const COUNTED_BYTES: u64 = 4 << 20;

/// Options of a scan.
#[derive(Clone, Debug)]
pub struct Options {
    /// Findings listed of one blob; what is beyond is counted as skipped.
    pub max_findings: usize,
    /// Findings listed in all, a secret at two places being two; what is beyond is counted as skipped. Which
    /// ones these are depends on which worker was first.
    pub max_total: usize,
    /// Lines of context in a snippet, before and after.
    pub context: usize,
    /// Length of a snippet's line, in characters; longer ones are cut around what was found.
    pub width: usize,
    /// Report findings of these rules only. All rules still redact.
    pub only: Option<BTreeSet<String>>,
    /// Paths that are not scanned.
    pub excludes: Globs,
    /// Paths inside containers that are not scanned.
    pub excludes_inside: Globs,
    /// Exceptions before the change: secrets that they cover in old versions are not known, since they were never
    /// reported.
    pub before: Arc<Exceptions>,
    /// Report allow markers that cover nothing. Every text is searched for markers then.
    pub unused_markers: bool,
    /// Ends the scan early when set.
    pub stop: Arc<AtomicBool>,
    /// Kept up to date while the scan runs.
    pub counters: Arc<Counters>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_findings: 1000,
            max_total: 200_000,
            context: 1,
            width: 160,
            only: None,
            excludes: Globs::default(),
            excludes_inside: Globs::default(),
            before: Arc::default(),
            unused_markers: false,
            stop: Arc::default(),
            counters: Arc::default(),
        }
    }
}

/// Progress of the scan: approximate while it runs.
#[derive(Debug, Default)]
pub struct Counters {
    /// Files, blobs, commits and tags scanned.
    pub blobs: AtomicU64,
    /// Bytes scanned.
    pub bytes: AtomicU64,
    /// Places where something was found.
    pub findings: AtomicU64,
}

/// One worker's share of the scan: receives blobs, keeps findings.
#[derive(Debug)]
#[must_use = "it holds what was found until `finish`"]
pub struct Scanner {
    shared: Arc<Shared>,
    scratch: Scratch,
    local: Scanned,
    counted: (u64, u64),
}

#[derive(Debug)]
struct Shared {
    engine: Arc<Engine>,
    options: Options,
    /// Findings and latent ones that were kept or refused.
    kept: AtomicUsize,
    /// Shares that were not joined yet.
    out: AtomicUsize,
}

impl Shared {
    /// Takes away what is beyond the limit on all findings; gives how many these are.
    fn limit(&self, findings: &mut Vec<Finding>) -> usize {
        let count = findings.len();
        let before = self.kept.fetch_add(count, Ordering::Relaxed);
        findings.truncate(self.options.max_total.saturating_sub(before));
        count - findings.len()
    }
}

impl Scanner {
    /// A scanner for a source.
    pub fn new(engine: Arc<Engine>, options: Options) -> Self {
        Self::of(Arc::new(Shared {
            engine,
            options,
            kept: AtomicUsize::new(0),
            out: AtomicUsize::new(0),
        }))
    }

    /// Returns what it and all that were joined found.
    pub fn finish(mut self) -> Scanned {
        self.tell_now();
        // Results in a share that is lost must not be lost without a word.
        let out = self.shared.out.load(Ordering::Relaxed);
        if out > 0 {
            let detail = format_args!("{out} workers did not finish");
            self.skip(Skip::with_detail(SkipReason::Internal, "scan", detail));
        }
        let mut scanned = self.local;
        scanned.coverage.finish();
        if self.shared.options.stop.load(Ordering::Relaxed) {
            scanned.interrupted();
        }
        scanned
    }

    fn of(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            scratch: Scratch::default(),
            local: Scanned::default(),
            counted: (0, 0),
        }
    }

    /// Runs the engine and keeps what it finds; of a piece what belongs to it.
    fn judge(&mut self, blob: Blob<'_>, window: Option<Window>) {
        let shared = Arc::clone(&self.shared);
        let matches = shared.engine.scan(blob.bytes, &mut self.scratch);
        let rules = shared.engine.rules();
        if matches.is_empty() && self.scratch.latent().is_empty() {
            if shared.options.unused_markers && !blob.provenance.is_old() {
                let unused = build::unused_markers(blob, rules, &shared.options);
                self.local.unused_markers.extend(unused);
            }
            return;
        }
        // A copy, because the spans to redact lie in the same scratch; only blobs with matches pay.
        let mut matches = self.scratch.matches().to_vec();
        let mut latent = self.scratch.latent().to_vec();
        if let Some(window) = window {
            matches.retain(|found| build::is_within(found, window));
            latent.retain(|found| build::is_within(found, window));
        }
        let redact = self.scratch.redact();
        if blob.provenance.is_old() {
            let known = &mut self.local.known;
            for (matches, alone) in [(&matches, true), (&latent, false)] {
                build::known(blob, matches, redact, rules, &shared.options)
                    .iter()
                    .for_each(|finding| known.add(finding, alone));
            }
            return;
        }
        let mut built = findings_of(blob, &matches, redact, rules, &shared.options);
        let mut latent = findings_of(blob, &latent, redact, rules, &shared.options);
        if let Some(window) = window {
            build::shift(&mut built.findings, window);
            build::shift(&mut latent.findings, window);
        }
        let beyond =
            built.beyond + shared.limit(&mut built.findings) + shared.limit(&mut latent.findings);
        self.local.latent.extend(latent.findings);
        let counters = &shared.options.counters;
        counters
            .findings
            .fetch_add(built.findings.len() as u64, Ordering::Relaxed);
        if beyond > 0 {
            self.skip_findings(blob, beyond as u64);
        }
        self.local.findings.extend(built.findings);
        self.local.unused_markers.extend(built.unused);
    }

    fn skip_findings(&mut self, blob: Blob<'_>, beyond: u64) {
        let coverage = &mut self.local.coverage;
        coverage.skip(Skip::with_detail(
            SkipReason::Findings,
            blob.provenance.shown(),
            format_args!("{beyond} more findings"),
        ));
        *coverage.skipped.entry(SkipReason::Findings).or_default() += beyond - 1;
    }

    /// Scans a blob, or a piece of one, unless its path is left out.
    fn take(&mut self, blob: Blob<'_>, window: Option<Window>) -> ControlFlow<()> {
        if self.shared.options.stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        if !self.admits(blob.provenance) {
            return ControlFlow::Continue(());
        }
        // What the engine leaves behind when it panics is thrown away, so nothing half-done is seen.
        match catch_unwind(AssertUnwindSafe(|| self.judge(blob, window))) {
            Ok(()) => self.count(blob, window),
            Err(_) => {
                self.scratch = Scratch::default();
                self.skip(Skip::with_detail(
                    SkipReason::Internal,
                    blob.provenance.shown(),
                    "the search failed in a way that should not happen; please report it",
                ));
            }
        }
        ControlFlow::Continue(())
    }

    /// Counts a blob that was scanned; of pieces the first, and bytes once.
    fn count(&mut self, blob: Blob<'_>, window: Option<Window>) {
        let length = blob.bytes.len();
        let bytes = window.map_or(length, |window| window.to.min(length) - window.from) as u64;
        if window.is_some_and(|window| window.offset > 0) {
            let coverage = &mut self.local.coverage;
            match blob.provenance.steps() {
                [] => coverage.bytes += bytes,
                _ => coverage.opened_bytes += bytes,
            }
            return self.tell(0, bytes);
        }
        if !blob.provenance.steps().is_empty() {
            self.local.coverage.members += 1;
            self.local.coverage.opened_bytes += bytes;
            return self.tell(0, bytes);
        }
        self.count_outer(blob.provenance, bytes);
    }

    /// Counts what a source read, opened or not.
    fn count_outer(&mut self, provenance: &Provenance, bytes: u64) {
        let coverage = &mut self.local.coverage;
        coverage.bytes += bytes;
        match provenance.outer() {
            Provenance::File { .. } | Provenance::Stdin { .. } => coverage.files += 1,
            Provenance::Entry { .. } => coverage.blobs += 1,
            Provenance::Object { kind, .. } => match kind {
                ObjectKind::Blob => coverage.blobs += 1,
                ObjectKind::Commit => coverage.commits += 1,
                ObjectKind::Tag => coverage.tags += 1,
            },
            Provenance::Inside(_) => {}
        }
        self.tell(1, bytes);
    }

    /// Brings the shared counters up to date from time to time.
    fn tell(&mut self, blobs: u64, bytes: u64) {
        self.counted.0 += blobs;
        self.counted.1 += bytes;
        if self.counted.0 >= COUNTED_BLOBS || self.counted.1 >= COUNTED_BYTES {
            self.tell_now();
        }
    }

    fn tell_now(&mut self) {
        let (blobs, bytes) = std::mem::take(&mut self.counted);
        let counters = &self.shared.options.counters;
        counters.blobs.fetch_add(blobs, Ordering::Relaxed);
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl BlobSink for Scanner {
    fn blob(&mut self, blob: Blob<'_>) -> ControlFlow<()> {
        self.take(blob, None)
    }

    fn join(&mut self, mut share: Self) {
        share.tell_now();
        self.shared.out.fetch_sub(1, Ordering::Relaxed);
        self.local.add(share.local);
    }

    fn window(&mut self, blob: Blob<'_>, window: Window) -> ControlFlow<()> {
        self.take(blob, Some(window))
    }

    fn admits(&mut self, provenance: &Provenance) -> bool {
        let Some(path) = provenance.path() else {
            return true;
        };
        let options = &self.shared.options;
        let is_out = |path: &BStr| match (provenance.is_old(), provenance.steps()) {
            (true, _) => options.before.exclude(path),
            (false, []) => options.excludes.matches(path),
            (false, _) => options.excludes_inside.matches(path),
        };
        let is_out = match provenance.steps() {
            [] => is_out(path.as_ref()),
            // Of the steps before, the container that they lead to was asked for.
            [.., last] => {
                is_out(provenance.shown().as_ref())
                    || (!last.name.is_empty() && is_out(last.name.as_ref()))
            }
        };
        if is_out && !provenance.is_old() {
            self.skip(Skip::new(SkipReason::Excluded, provenance.shown()));
        }
        !is_out
    }

    fn packed(&mut self) -> Vec<usize> {
        self.scratch.packed().to_vec()
    }

    fn unread(&mut self, provenance: &Provenance) {
        if let Provenance::Object { id, .. } = provenance.outer() {
            self.local.unread.insert(*id);
        }
    }

    fn opened(&mut self, provenance: &Provenance, opened: Opened) {
        if provenance.steps().is_empty() {
            self.count_outer(provenance, opened.bytes);
        }
    }

    fn skip(&mut self, skip: Skip) {
        self.local.coverage.skip(skip);
    }

    fn clean(&mut self, clean: Clean) {
        let coverage = &mut self.local.coverage;
        coverage.blobs += clean.blobs;
        coverage.commits += clean.commits;
        coverage.tags += clean.tags;
        coverage.bytes += clean.bytes;
        coverage.cached += clean.cached;
        self.tell(clean.blobs + clean.commits + clean.tags, clean.bytes);
    }
}

impl Clone for Scanner {
    /// A scanner for another worker, with nothing found yet.
    fn clone(&self) -> Self {
        self.shared.out.fetch_add(1, Ordering::Relaxed);
        Self::of(Arc::clone(&self.shared))
    }
}

#[cfg(test)]
mod tests;
