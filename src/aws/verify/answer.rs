//! The meaning of one answer, or of none: data, a refusal with AWS's code, or a reason not to know.

use super::verdict::Reason;
use super::xml::{self, Element};
use super::{Action, Answer, Fault};

/// Interpretation of an answer.
#[derive(Debug)]
pub(super) enum Reading {
    /// AWS did what was asked.
    Data(Element),
    /// AWS refused, for a reason that is about the key or the caller.
    Refused(Refusal),
    /// No answer to the question, and asking again will not help.
    Lost(Reason),
    /// An answer that is not AWS's to this question. It says nothing about the host: what was asked may be the cause.
    Odd(Reason),
    /// No answer to the question; it may help to ask again, so many times.
    Again(Reason, u32),
}

/// A refusal by AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Letters, digits and dots: `InvalidClientTokenId`.
    pub(super) code: String,
    /// True if the refusal is about the time in the request.
    pub(super) is_clock: bool,
}

/// Codes of refusals that are repeated to people; any other is only said to be one that is not known.
const CODES: &[&str] = &[
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAction",
    "InvalidInput",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MalformedInput",
    "MissingAction",
    "MissingAuthenticationToken",
    "MissingParameter",
    "NotAuthorized",
    "OptInRequired",
    "RequestTooLarge",
    "SignatureDoesNotMatch",
    "ValidationError",
];

/// Tries after the first one.
const TRIES: u32 = 3;

/// Tries after the first one where each may take as long as the time limit.
const SLOW_TRIES: u32 = 1;

/// Codes that say nothing but "later".
const LATER: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "SlowDown",
    "LimitExceededException",
];

/// Codes that say that AWS is at fault.
const BROKEN: &[&str] = &[
    "InternalFailure",
    "InternalError",
    "ServiceFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
];

/// Reads what `host` gave for `action`.
pub(super) fn read(host: &str, action: &Action, got: Result<Answer, Fault>) -> Reading {
    let answer = match got {
        Ok(answer) => answer,
        Err(fault) => return lost(host, fault),
    };
    let status = answer.status;
    let not_aws = || {
        let text =
            format!("{host} answered with status {status} and something that is not AWS's XML");
        Reason::new("not-aws", text)
    };
    match status {
        200 => match xml::parse(&answer.body) {
            Some(root) if root.name == format!("{}Response", action.name()) => Reading::Data(root),
            _ => Reading::Lost(not_aws()),
        },
        300..=399 => Reading::Lost(Reason::new(
            "redirect",
            format!("{host} points elsewhere (status {status}), which is not followed"),
        )),
        407 => Reading::Lost(Reason::new("proxy", "the proxy wants a login (status 407)")),
        429 => Reading::Again(throttled(host), TRIES),
        500..=599 => Reading::Again(
            Reason::new("server", format!("{host} answered with status {status}")),
            TRIES,
        ),
        _ => match refusal(&answer.body) {
            Some(refusal) if LATER.contains(&refusal.code.as_str()) => {
                Reading::Again(throttled(host), TRIES)
            }
            Some(refusal) if BROKEN.contains(&refusal.code.as_str()) => Reading::Again(
                Reason::new("server", format!("{host} answered with {}", refusal.code)),
                TRIES,
            ),
            Some(refusal) if refusal.fits(status) => Reading::Refused(refusal),
            _ if (400..=499).contains(&status) => Reading::Odd(not_aws()),
            _ => Reading::Lost(not_aws()),
        },
    }
}

fn throttled(host: &str) -> Reason {
    Reason::new("throttled", format!("{host} wants to be asked less often"))
}

impl Refusal {
    /// Returns true if AWS sends such a code with this status.
    fn fits(&self, status: u16) -> bool {
        match self.code.as_str() {
            "NoSuchEntity" => [400, 404].contains(&status),
            _ => [400, 403].contains(&status),
        }
    }

    /// Says that the credentials that signed are no more, if that is the refusal.
    pub(super) fn end_of_credentials(&self) -> Option<&'static str> {
        match self.code.as_str() {
            "ExpiredToken" | "ExpiredTokenException" => Some("have expired"),
            "InvalidClientTokenId" | "UnrecognizedClientException" => {
                Some("are not known any more")
            }
            _ => None,
        }
    }

    /// The code for people, if it is one that is documented: a server may send anything.
    pub(super) fn shown(&self) -> &str {
        let known = CODES.iter().find(|code| **code == self.code);
        known.copied().unwrap_or("a code that is not known")
    }
}

/// The code of an error; `None` if it is not one of AWS's. The place in the document counts, not the name alone: STS and
/// IAM have it in `Error`, moto in `Errors` around that.
fn refusal(body: &[u8]) -> Option<Refusal> {
    let root = xml::parse(body)?;
    if root.name != "ErrorResponse" {
        return None;
    }
    let error = match root.child("Errors") {
        Some(errors) => errors.child("Error")?,
        None => root.child("Error")?,
    };
    let code = error.child("Code")?.text.trim();
    let is_code = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    if code.is_empty() || code.len() > 64 || !code.bytes().all(is_code) {
        return None;
    }
    let message = error.child("Message").map_or("", |it| it.text.trim());
    let is_clock = message.starts_with("Signature expired")
        || message.starts_with("Signature not yet current")
        || ["RequestExpired", "RequestTimeTooSkewed"].contains(&code);
    Some(Refusal {
        code: code.to_owned(),
        is_clock,
    })
}

/// Nothing came back.
fn lost(host: &str, fault: Fault) -> Reading {
    let reason = |word, text: String| Reason::new(word, text);
    match fault {
        Fault::Name => Reading::Again(
            reason("network", format!("{host} has no address here")),
            SLOW_TRIES,
        ),
        Fault::Connect(why) => Reading::Again(
            reason("network", format!("no connection to {host}: {why}")),
            SLOW_TRIES,
        ),
        Fault::Timeout => Reading::Again(
            reason("timeout", format!("no answer from {host} in time")),
            SLOW_TRIES,
        ),
        Fault::Cut => Reading::Again(
            reason("network", format!("the answer of {host} was cut short")),
            TRIES,
        ),
        Fault::Tls(why) => Reading::Lost(reason(
            "tls",
            format!("{host} could not show that it is AWS: {why}"),
        )),
        Fault::Proxy(why) => Reading::Lost(reason("proxy", format!("the proxy refused: {why}"))),
        Fault::TooLong => Reading::Lost(reason(
            "not-aws",
            format!("{host} sent more than AWS ever does"),
        )),
        Fault::Other(why) => Reading::Lost(reason("network", format!("{host}: {why}"))),
    }
}
