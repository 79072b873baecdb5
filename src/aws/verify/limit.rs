//! Limits of a run: the pace, the number of requests, and hosts that do not answer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Transport;
use super::verdict::Reason;

/// Number of keys in a row that a host may fail before it is asked no more.
const MAX_FAILURES: u32 = 2;

/// Limits of one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests a second, over all hosts.
    pub rate: f64,
    /// Requests in all.
    pub max_requests: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rate: 5.0,
            max_requests: 200,
        }
    }
}

/// The account of what was asked.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    pub(super) requests: u32,
    /// No request before this time.
    next: Duration,
    failures: BTreeMap<String, (u32, Reason)>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            requests: 0,
            next: Duration::ZERO,
            failures: BTreeMap::new(),
        }
    }

    /// Waits for the turn of a request to `host`; says why there is none.
    pub(super) fn wait(
        &mut self,
        host: &str,
        transport: &mut impl Transport,
    ) -> Result<(), Reason> {
        if let Some((MAX_FAILURES.., reason)) = self.failures.get(host) {
            return Err(Reason::new(
                reason.word,
                format!("{host} is not asked any more: {}", reason.text),
            ));
        }
        if self.requests >= self.limits.max_requests {
            let text = format!("the limit of {} requests is reached", self.requests);
            return Err(Reason::new("limit", text));
        }
        let now = transport.elapsed();
        if let Some(wait) = self.next.checked_sub(now).filter(|wait| !wait.is_zero()) {
            transport.pause(wait);
        }
        self.next = transport.elapsed() + Duration::from_secs_f64(1.0 / self.limits.rate);
        self.requests += 1;
        Ok(())
    }

    /// Takes note that a host answered.
    pub(super) fn answered(&mut self, host: &str) {
        self.failures.remove(host);
    }

    /// Takes note that a host was asked in vain, all tries together.
    pub(super) fn failed(&mut self, host: &str, reason: &Reason) {
        let known = self.failures.entry(host.to_owned());
        let (count, _) = known.or_insert_with(|| (0, reason.clone()));
        *count += 1;
    }
}
