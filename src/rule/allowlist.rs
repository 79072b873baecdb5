//! Matches that a rule never reports, with the reason.

use super::{Pattern, Text};

/// Text that an allowlist examines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The secret itself.
    Secret,
    /// The line on which the secret begins.
    Line,
}

/// A regex that makes a match harmless.
#[derive(Clone, Debug)]
pub struct Allowlist {
    /// The examined text.
    pub subject: Subject,
    /// The pattern to look for.
    pub pattern: Pattern,
    /// Reason why such a match is harmless.
    pub reason: Text,
}

/// The most bytes of a line that an allowlist sees on either side of the secret: a minified file is one line.
const LINE_REACH: usize = 512;

impl Allowlist {
    /// Returns true if it covers the secret at `secret` in `bytes`.
    pub fn covers(&self, bytes: &[u8], secret: &std::ops::Range<usize>) -> bool {
        let text = match self.subject {
            Subject::Secret => bytes.get(secret.clone()),
            Subject::Line => bytes.get(line_around(bytes, secret)),
        };
        text.is_some_and(|text| self.pattern.get().regex.is_match(text))
    }
}

/// The line on which `secret` begins, cut to a bounded reach around it.
fn line_around(bytes: &[u8], secret: &std::ops::Range<usize>) -> std::ops::Range<usize> {
    let from = secret.start.saturating_sub(LINE_REACH);
    let before = bytes.get(from..secret.start).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(from, |at| from + at + 1);
    let to = bytes.len().min(secret.end.saturating_add(LINE_REACH));
    let after = bytes.get(secret.start..to).unwrap_or_default();
    let end = memchr::memchr(b'\n', after).map_or(to, |at| secret.start + at);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_allowlist_sees_its_own_line_only() {
        let text = b"fixture\nkey = abc # ok\nfixture";
        let allowlist = |regex: &str| Allowlist {
            subject: Subject::Line,
            pattern: Pattern::check(regex).unwrap().pattern,
            reason: Text::default(),
        };
        assert!(allowlist("# ok$").covers(text, &(14..17)));
        assert!(allowlist("^key").covers(text, &(14..17)));
        assert!(!allowlist("fixture").covers(text, &(14..17)));
    }
}
