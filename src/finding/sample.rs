//! Findings for the tests of other rooms.

use super::{Finding, Fingerprint, Place, Position};
use crate::level::Level;
use crate::secret::Secret;

pub(crate) fn position(line: usize) -> Position {
    Position {
        offset: 0,
        length: 1,
        line,
        column: 1,
        end_line: line,
        end_column: 2,
    }
}

pub(crate) fn place(path: &str, line: usize) -> Place {
    Place {
        path: path.into(),
        inside: Vec::new(),
        position: position(line),
        key_id: None,
        secret: None,
        token: None,
        possible: None,
        file: None,
        object: None,
        commit: None,
        snippet: Vec::new(),
        marker: None,
        submodule: None,
    }
}

pub(crate) fn finding(rule: &str, secret: &str, places: Vec<Place>) -> Finding {
    let secret = Secret::new(secret.as_bytes());
    Finding {
        rule: rule.to_owned(),
        level: Level::Error,
        fingerprint: Fingerprint::new(rule, None, Some(&secret)),
        message: String::new(),
        advice: String::new(),
        key_id: None,
        account_id: None,
        secret: Some(secret),
        session_token: None,
        context: None,
        reasons: Vec::new(),
        places,
        accepted: None,
    }
}
