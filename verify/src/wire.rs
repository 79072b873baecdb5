//! The connection: HTTP/1.1 over TLS, by way of a proxy if there is one. No redirects, answers of 64 KiB at most.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use keysieve::aws::verify::{Answer, EndpointUrl, Fault, Request, Transport};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error, Proxy};

use crate::failure::{self, Failure};
use crate::place::Environment;

/// The longest answer that is read, in bytes; those of AWS are below 4 KiB.
const MAX_ANSWER: u64 = 64 << 10;

/// Time after the limit until a request is given up from outside. Usually the limit is kept within; a proxy's answer
/// has it anew with each of its bytes (ureq 3.5).
const GRACE: Duration = Duration::from_millis(500);

/// A pause that is worth a word.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// Sends requests over the network.
#[derive(Debug)]
pub(crate) struct Wire {
    agent: Agent,
    proxy: Option<Proxy>,
    /// Hosts that are asked without the proxy.
    direct: Vec<String>,
    start: Instant,
    timeout: Duration,
    has_told_pause: bool,
}

impl Wire {
    /// Prepares connections; opens none.
    pub(crate) fn new(
        timeout: Duration,
        authorities: RootCerts,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let (proxy, direct) = proxy(environment)?;
        let tls = TlsConfig::builder().root_certs(authorities).build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(timeout))
            .tls_config(tls)
            .build();
        Ok(Self {
            agent: config.new_agent(),
            proxy,
            direct,
            start: Instant::now(),
            timeout,
            has_told_pause: false,
        })
    }

    /// The proxy for a request, if it has one.
    fn proxy_for(&self, request: &Request) -> Option<Proxy> {
        let place = EndpointUrl::parse(&request.origin).ok();
        let is_here = place.is_some_and(|place| place.is_this_machine());
        let host = request.origin.split("://").nth(1).unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => name,
            _ => host,
        };
        let is_direct = is_here || self.direct.iter().any(|entry| covers(entry, name));
        self.proxy.clone().filter(|_| !is_direct)
    }
}

impl Transport for Wire {
    fn send(&mut self, request: &Request) -> Result<Answer, Fault> {
        let (agent, proxy) = (self.agent.clone(), self.proxy_for(request));
        let request = request.clone();
        let (sender, receiver) = mpsc::channel();
        let exchange = move || {
            // Nobody waits for an answer that comes too late.
            let _ = sender.send(exchange(&agent, proxy, &request));
        };
        let spawned = thread::Builder::new().spawn(exchange);
        spawned.map_err(|error| Fault::Other(error.to_string()))?;
        match receiver.recv_timeout(self.timeout + GRACE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => Err(Fault::Timeout),
            Err(RecvTimeoutError::Disconnected) => {
                Err(Fault::Other("the request ended early".to_owned()))
            }
        }
    }

    fn now(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        // A clock before 1970 is one that AWS refuses.
        since.map_or(0, |since| since.as_secs())
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn pause(&mut self, time: Duration) {
        if time >= LONG_PAUSE && !self.has_told_pause {
            self.has_told_pause = true;
            failure::print(
                "note: a secret was refused; AWS refuses a second one of an ID for some seconds, so each is tried again after 5.5 s\n",
            );
        }
        thread::sleep(time);
    }
}

/// Sends a request, and reads the answer.
fn exchange(agent: &Agent, proxy: Option<Proxy>, request: &Request) -> Result<Answer, Fault> {
    let url = format!("{}/", request.origin);
    let mut post = agent.post(url);
    for (name, value) in &request.headers {
        post = post.header(name, value);
    }
    let post = post.config().proxy(proxy).build();
    let answer = post.send(request.body.as_bytes());
    let mut answer = answer.map_err(fault)?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(MAX_ANSWER);
    let body = body.read_to_vec().map_err(fault)?;
    Ok(Answer { status, body })
}

/// The proxy, and what goes past it. A proxy that cannot be used is never passed by.
fn proxy(environment: &Environment) -> Result<(Option<Proxy>, Vec<String>), Failure> {
    let mut proxy = None;
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        if let Some(text) = environment.text(name)? {
            let parsed = Proxy::new(&text);
            // The text may hold a password.
            let fail = |_not_shown| Failure::new(format!("{name} is no address of a proxy"));
            proxy = Some(parsed.map_err(fail)?);
            break;
        }
    }
    let list = match environment.text("NO_PROXY")? {
        Some(list) => Some(list),
        None => environment.text("no_proxy")?,
    };
    let list = list.unwrap_or_default();
    let entries = list.split(',').map(str::trim);
    let direct = entries.filter(|entry| !entry.is_empty()).map(str::to_owned);
    Ok((proxy, direct.collect()))
}

/// Returns true if an entry of `NO_PROXY` is for this host: `*`, the name itself, or a domain that it is in.
fn covers(entry: &str, host: &str) -> bool {
    let (entry, host) = (entry.to_ascii_lowercase(), host.to_ascii_lowercase());
    let domain = entry.trim_start_matches('*').trim_start_matches('.');
    let is_in = |domain: &str| {
        let before = host.strip_suffix(domain);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    entry == "*" || (!domain.is_empty() && is_in(domain))
}

/// Converts an error to words that contain nothing of the request.
fn fault(error: Error) -> Fault {
    match error {
        Error::Timeout(_) => Fault::Timeout,
        Error::HostNotFound => Fault::Name,
        Error::ConnectionFailed => Fault::Connect("no address answered".to_owned()),
        Error::BodyExceedsLimit(_) | Error::LargeResponseHeader(..) => Fault::TooLong,
        Error::ConnectProxyFailed(why) => Fault::Proxy(short(&why)),
        Error::InvalidProxyUrl => Fault::Proxy("its address is wrong".to_owned()),
        Error::Rustls(error) => Fault::Tls(short(&error.to_string())),
        Error::Tls(why) => Fault::Tls(short(why)),
        Error::Io(error) => io_fault(&error),
        Error::Protocol(_) | Error::Http(_) => Fault::Other("what came back is no HTTP".to_owned()),
        other => Fault::Other(short(&other.to_string())),
    }
}

fn io_fault(error: &io::Error) -> Fault {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::TimedOut | Kind::WouldBlock => Fault::Timeout,
        Kind::UnexpectedEof
        | Kind::ConnectionReset
        | Kind::ConnectionAborted
        | Kind::BrokenPipe => Fault::Cut,
        // TLS says so.
        Kind::InvalidData => Fault::Tls(short(&error.to_string())),
        kind => Fault::Connect(kind.to_string()),
    }
}

/// Returns the beginning of a foreign text.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_is_read_as_usual() {
        let host = "sts.us-east-1.amazonaws.com";
        for (entry, is_covered) in [
            ("*", true),
            ("amazonaws.com", true),
            (".amazonaws.com", true),
            ("*.amazonaws.com", true),
            (host, true),
            ("STS.us-east-1.AmazonAWS.com", true),
            ("aws.com", false),
            ("example.org", false),
            (".", false),
        ] {
            assert_eq!(covers(entry, host), is_covered, "{entry}");
        }
    }
}
