//! A limit on the time of a server's hook. What was not looked at by then is said, never left out in silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keysieve::coverage::SkipReason;
use keysieve::finding::Scanned;
use keysieve::git::introduced::Introduced;

use crate::failure::{Failure, Kind};

/// End of the allowed time, and a flag that it has passed.
#[derive(Debug)]
pub(crate) struct Limit {
    time: Duration,
    end: Instant,
    is_over: Arc<AtomicBool>,
}

impl Limit {
    /// A limit of `time` from now on.
    pub(crate) fn of(time: Duration) -> Self {
        Self {
            time,
            end: Instant::now() + time,
            is_over: Arc::default(),
        }
    }

    /// Sets `stop` when the time is over.
    pub(crate) fn watch(&self, stop: &Arc<AtomicBool>) -> Result<(), Failure> {
        let (end, stop, is_over) = (self.end, Arc::clone(stop), Arc::clone(&self.is_over));
        let wait = move || {
            std::thread::sleep(end.saturating_duration_since(Instant::now()));
            is_over.store(true, Ordering::Relaxed);
            stop.store(true, Ordering::Relaxed);
        };
        let watching = std::thread::Builder::new()
            .name("deadline".to_owned())
            .spawn(wait);
        watching.map(drop).map_err(|error| {
            Failure::new(Kind::System, "cannot keep an eye on the time limit", error)
        })
    }

    /// Returns true if the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Writes down what was not looked at, if there is something.
    pub(crate) fn account(&self, introduced: &Introduced, scanned: &mut Scanned) {
        let coverage = scanned.coverage();
        if !introduced.is_cut && !coverage.skipped.contains_key(&SkipReason::Interrupted) {
            return;
        }
        let read = coverage.blobs + coverage.commits + coverage.tags;
        let all = introduced.blobs.len() + introduced.commits.len() + introduced.tags.len();
        let time = shown(self.time);
        scanned.deadline(if introduced.is_cut {
            format!(
                "the commits were still being compared after {time}; {read} objects were looked at"
            )
        } else {
            format!("{read} of {all} objects were looked at in {time}")
        });
    }
}

fn shown(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}
