//! Failures of the program, with advice.

use std::fmt::Display;
use std::io::Write as _;
use std::sync::Arc;

use keysieve::engine::Engine;
use keysieve::report::escape;
use keysieve::rule::RuleSet;
use keysieve::scan;

/// Reason why the program could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    cause: Option<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A failure that needs no cause.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause: None,
            hints: Vec::new(),
        }
    }

    /// Adds the cause.
    pub(crate) fn because(mut self, cause: impl Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds something that might help.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Prints it on standard error.
    pub(crate) fn print(&self) {
        let mut text = format!("error: {}\n", escape::terminal(&self.message));
        if let Some(cause) = &self.cause {
            text.push_str(&format!("caused by: {}\n", escape::terminal(cause)));
        }
        for hint in &self.hints {
            text.push_str(&format!("hint: {}\n", escape::terminal(hint)));
        }
        print(&text);
    }
}

/// Prints lines on standard error, without what the built-in rules see in them: names may hold secrets.
pub(crate) fn print(text: &str) {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    let text = scan::redact_text(&engine, text.as_bytes()).to_string();
    // Nothing is left to be told to if standard error is closed.
    let _ = std::io::stderr().write_all(escape::terminal_lines(&text).as_bytes());
}
