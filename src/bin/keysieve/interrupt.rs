//! Signals that ask the program to end: the scan stops, what was found so far is reported, the exit
//! status is 2. A second signal kills.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

/// Returns the flag that the first signal sets. From the first call on, signals no longer kill at once; so scanning
/// commands ask for it before they read anything.
pub(crate) fn stop() -> Arc<AtomicBool> {
    // Signals are of the process, and so is this.
    static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let stop = STOP.get_or_init(|| {
        let stop = Arc::default();
        watch(Arc::clone(&stop));
        stop
    });
    Arc::clone(stop)
}

/// Sets `stop` at the first signal.
#[cfg(unix)]
fn watch(stop: Arc<AtomicBool>) {
    use std::sync::atomic::Ordering;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
    let Ok(mut signals) = Signals::new(ENDING) else {
        // Then a signal kills at once, which is not "clean" either.
        return;
    };
    let stopping = Arc::clone(&stop);
    // A thread rather than a handler: it may wait and print, which a handler may not.
    let watching = std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if stopping.swap(true, Ordering::Relaxed) {
                    // The default action of these three ends the program; nothing is left to do if not.
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
                // The end comes without this too.
                let _ = std::thread::Builder::new()
                    .name("grace".to_owned())
                    .spawn(end_anyway);
            }
        });
    if watching.is_err() {
        // A handler can do all but the grace: the first signal sets `stop`, a second kills.
        for signal in ENDING {
            let _ = flag::register_conditional_default(signal, Arc::clone(&stop))
                .and_then(|_| flag::register(signal, Arc::clone(&stop)));
        }
    }
}

/// Ends a scan that waits for something that does not come: standard input, a hanging file system.
#[cfg(unix)]
#[expect(clippy::exit, reason = "no other thread can be brought to an end")]
fn end_anyway() {
    std::thread::sleep(std::time::Duration::from_secs(GRACE));
    crate::failure::print_error(
        "error: interrupted; the scan did not end in time, and nothing is reported of it\n",
    );
    std::process::exit(2);
}

/// Seconds in which an interrupted scan has to report what it found.
#[cfg(unix)]
const GRACE: u64 = 5;

/// Elsewhere a signal ends the program at once, with the system's own status.
#[cfg(not(unix))]
fn watch(_stop: Arc<AtomicBool>) {}
