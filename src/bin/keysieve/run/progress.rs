//! Progress of a scan on a terminal, shown only when the scan takes long enough for a person to wonder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{DecimalBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use keysieve::scan::Counters;
use keysieve::source;

/// A scan that takes less than this shows none.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two updates.
const TICK: Duration = Duration::from_millis(100);

/// A line on standard error that follows the scan, in a thread of its own.
#[derive(Debug)]
pub(crate) struct Progress {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to watch `counters`, and `source` if it knows more; `noun` is what they count.
    pub(crate) fn start(
        counters: Arc<Counters>,
        source: Option<Arc<source::Progress>>,
        noun: &'static str,
    ) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&done);
        // Without the thread there is no line to see, and nothing else is lost.
        let thread = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || watch(&counters, source.as_deref(), noun, &stop))
            .ok();
        Self { done, thread }
    }
}

impl Drop for Progress {
    /// Takes the line away again.
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It holds nothing that anybody waits for.
            let _ = thread.join();
        }
    }
}

fn watch(counters: &Counters, source: Option<&source::Progress>, noun: &str, done: &AtomicBool) {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if done.load(Ordering::Relaxed) {
            return;
        }
        std::thread::park_timeout(PATIENCE.saturating_sub(start.elapsed()));
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_elapsed(start.elapsed());
    let style = |template: &str| {
        ProgressStyle::with_template(template).expect("the templates below are well-formed")
    };
    bar.set_style(style("{spinner} {wide_msg}"));
    let mut has_total = false;
    while !done.load(Ordering::Relaxed) {
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let (blobs, bytes, total) = match source {
            Some(source) => (load(&source.done), load(&source.bytes), load(&source.total)),
            None => (load(&counters.blobs), load(&counters.bytes), 0),
        };
        if total > 0 {
            // More may come to light while the scan runs.
            bar.set_length(total.max(blobs));
        }
        if total > 0 && !has_total {
            has_total = true;
            bar.set_style(style("{bar:20} {percent:>3}% {wide_msg}"));
        }
        bar.set_position(blobs);
        let count = if total > 0 {
            format!("{} of {} {noun}", HumanCount(blobs), HumanCount(total))
        } else {
            format!("{} {noun}", HumanCount(blobs))
        };
        let size = DecimalBytes(bytes);
        let findings = match load(&counters.findings) {
            0 => String::new(),
            1 => ", 1 match".to_owned(),
            more => format!(", {} matches", HumanCount(more)),
        };
        bar.set_message(format!("{count}, {size}{findings}"));
        bar.tick();
        std::thread::park_timeout(TICK);
    }
    bar.finish_and_clear();
}
