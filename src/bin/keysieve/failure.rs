//! Failures of the program, with causes and hints.

use std::borrow::Cow;
use std::error::Error;
use std::io::Write as _;
use std::sync::Arc;

use keysieve::engine::Engine;
use keysieve::git::revision;
use keysieve::hook;
use keysieve::report::escape;
use keysieve::rule::RuleSet;
use keysieve::scan;
use keysieve::source;

use crate::terminal;

/// Reason why the program could not do its work, and advice.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
}

/// Party at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line asks for something that cannot be.
    Usage,
    /// A file of rules or settings could not be used.
    Config,
    /// The content of a file of rules or settings is wrong.
    Faults,
    /// The system or a repository did not let us.
    System,
    /// The program is wrong.
    Internal,
}

impl Failure {
    /// A failure with the cause that `source` knows.
    pub(crate) fn new(
        kind: Kind,
        message: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            source: Some(Box::new(source)),
            ..Self::bare(kind, message)
        }
    }

    /// A failure that needs no cause.
    pub(crate) fn bare(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
            hints: Vec::new(),
        }
    }

    /// An error that says it all: its message is the failure's, its source the cause.
    pub(crate) fn of(kind: Kind, error: &dyn Error) -> Self {
        let mut failure = Self::bare(kind, error.to_string());
        failure.source = error.source().map(|source| Chain::of(source).into());
        failure
    }

    /// Formats the failure and every cause in one line.
    pub(crate) fn in_one_line(&self) -> String {
        let mut text = self.message.clone();
        let mut cause: Option<&dyn Error> =
            self.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }

    /// Returns true if files were read and their content is wrong.
    pub(crate) fn is_faults(&self) -> bool {
        self.kind == Kind::Faults
    }

    /// Adds something that might help.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Prints it on standard error. Names on the command line may hold secrets as well: they are cut.
    pub(crate) fn print(&self) {
        // Faults are listed, and each is a line. What else is told may quote a text of several.
        let message = match self.kind {
            Kind::Faults => Cow::Borrowed(self.message.as_str()),
            _ => escape::terminal(&self.message),
        };
        let mut text = format!("error: {message}\n");
        let mut cause: Option<&dyn Error> =
            self.source.as_deref().map(|source| source as &dyn Error);
        while let Some(error) = cause {
            let cause_text = error.to_string();
            text.push_str(&format!("caused by: {}\n", escape::terminal(&cause_text)));
            cause = error.source();
        }
        for hint in &self.hints {
            text.push_str(&format!("hint: {}\n", escape::terminal(hint)));
        }
        if self.kind == Kind::Internal {
            text.push_str("hint: this is a defect of keysieve; please report it\n");
        }
        print_error(&text);
    }
}

impl From<source::Error> for Failure {
    fn from(error: source::Error) -> Self {
        let kind = match error {
            source::Error::Glob { .. } => Kind::Usage,
            _ => Kind::System,
        };
        Self::of(kind, &error)
    }
}

impl From<revision::Error> for Failure {
    fn from(error: revision::Error) -> Self {
        let (kind, hint) = match &error {
            revision::Error::Unknown {
                is_shallow: true, ..
            } => (
                Kind::Usage,
                Some(
                    "fetch the whole history: git fetch --unshallow, or in CI a checkout with fetch-depth: 0",
                ),
            ),
            revision::Error::Unknown { .. } => (
                Kind::Usage,
                Some("is it fetched? git rev-parse tells what a revision stands for"),
            ),
            revision::Error::NoLeftSide { .. } => (
                Kind::Usage,
                Some("was a variable empty? Where HEAD is meant, write HEAD"),
            ),
            revision::Error::NoCommit { .. } => (Kind::Usage, None),
            _ => (Kind::System, None),
        };
        // What the resolver of revisions said is the same in more and stranger words.
        let failure = match &error {
            revision::Error::Unknown { .. } => Failure::bare(kind, error.to_string()),
            _ => Failure::of(kind, &error),
        };
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<hook::Error> for Failure {
    fn from(error: hook::Error) -> Self {
        let kind = match error {
            hook::Error::Config { .. } => Kind::Config,
            hook::Error::NoRepository
            | hook::Error::NoWorkTree { .. }
            | hook::Error::NotWithHusky { .. } => Kind::Usage,
            _ => Kind::System,
        };
        let failure = Self::of(kind, &error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Prints `text` as one line on standard error, whatever it quotes.
pub(crate) fn print_line(text: &str) {
    print_lines(&[text.to_owned()]);
}

/// Prints each text as one line on standard error.
pub(crate) fn print_lines(texts: &[String]) {
    let line = |text: &String| format!("{}\n", escape::terminal(text));
    let lines: String = texts.iter().map(line).collect();
    if !lines.is_empty() {
        print_error(&lines);
    }
}

/// Prints lines on standard error, redacted, escaped, and coloured where that is wanted.
pub(crate) fn print_error(text: &str) {
    let redacted = redacted(text);
    let escaped = escape::terminal_lines(&redacted);
    // Nothing is left to be told to if standard error is closed.
    let _ = terminal::stderr().write_all(terminal::paint_labels(&escaped).as_bytes());
}

/// `text` without what the built-in rules see in it.
pub(crate) fn redacted(text: &str) -> String {
    let engine = Engine::new(Arc::new(RuleSet::builtin()));
    scan::redact_text(&engine, text.as_bytes()).to_string()
}

/// The texts of an error and its sources, for errors that are borrowed.
#[derive(Debug)]
struct Chain {
    text: String,
    source: Option<Box<Chain>>,
}

impl Chain {
    fn of(error: &dyn Error) -> Self {
        Self {
            text: error.to_string(),
            source: error.source().map(|source| Box::new(Self::of(source))),
        }
    }
}

impl std::fmt::Display for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
