//! The exit status: the whole table.
//!
//! | status | meaning |
//! |---|---|
//! | 0 | everything asked for was read, nothing at or above `--fail-on` that is not accepted |
//! | 1 | findings |
//! | 2 | wrong use, wrong configuration, a failure, or an incomplete scan (which wins over 1) |

use std::process::ExitCode;

use keysieve::coverage::Coverage;
use keysieve::finding::Finding;
use keysieve::level::Level;

/// Exit status of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to complain about.
    Clean,
    /// Findings, or a check that found something wrong.
    Findings,
    /// Not done, or not done completely.
    Failed,
}

impl Exit {
    /// Exit status for [`Self::Failed`].
    pub(crate) const FAILED: u8 = 2;

    /// Returns the exit status of a scan. Findings below `fail_on` and accepted ones do not count; `None`: none counts.
    pub(crate) fn of(findings: &[Finding], coverage: &Coverage, fail_on: Option<Level>) -> Self {
        if !coverage.is_complete() {
            Self::Failed
        } else if findings.iter().any(|finding| finding.fails(fail_on)) {
            Self::Findings
        } else {
            Self::Clean
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Failed => Exit::FAILED,
        })
    }
}
