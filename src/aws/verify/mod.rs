//! Asks AWS about access keys: requests, their signatures, and what answers mean. No connection is opened here.
//!
//! ```text
//! Asker: key ─► Action ─► Endpoint ─► signed Request ─► Transport ─► Answer ─► Reading ─► Verdict
//! ```
//!
//! A [`Transport`] is given from outside; the program `keysieve-verify` has the one that opens connections. A fault
//! of the network, the clock, the rate or a permission never makes a key inactive: its verdict is *unknown*, with
//! a [`Reason`].

mod action;
mod answer;
mod ask;
mod endpoint;
mod limit;
mod sign;
#[cfg(test)]
mod tests;
mod verdict;
mod xml;

use std::fmt;
use std::time::Duration;

pub use action::Action;
pub use ask::{Asker, FoundKey, USER_AGENT, not_asked};
pub use endpoint::{
    Endpoint, EndpointUrl, Endpoints, PARTITIONS, Partition, Service, Variant, is_aws,
};
pub use limit::Limits;
pub use sign::Credentials;
pub use verdict::{Identity, LastUsed, Owner, Reason, Status, Verdict};

/// Sends requests, and has the clocks. The only thing here that touches the world.
pub trait Transport {
    /// Sends one request to its endpoint and gives the answer, whatever its status. Redirects are not followed.
    fn send(&mut self, request: &Request) -> Result<Answer, Fault>;
    /// Gives the time of day: seconds since the epoch.
    fn now(&self) -> u64;
    /// Gives a time that only grows, from any beginning.
    fn elapsed(&self) -> Duration;
    /// Waits.
    fn pause(&mut self, time: Duration);
}

/// A signed `POST`. Its headers may hold a session token, so it prints its place only.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// Scheme, host and port, without a path: `https://sts.us-east-1.amazonaws.com`. The path is `/`.
    pub origin: String,
    /// Names in lower case, values as they are sent; `host` is among them.
    pub headers: Vec<(String, String)>,
    /// A form, percent-encoded.
    pub body: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request(POST {}/)", self.origin)
    }
}

/// An HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Reason why no answer came. The text is for a person and contains nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The host has no address.
    Name,
    /// No connection came about.
    Connect(String),
    /// No time was left.
    Timeout,
    /// The other side could not show who it is, or does not speak TLS.
    Tls(String),
    /// The proxy refused.
    Proxy(String),
    /// The answer ended too early.
    Cut,
    /// The answer is longer than any of AWS's.
    TooLong,
    /// The answer is no HTTP, or something else is wrong.
    Other(String),
}
