//! Properties of the terminal: colour, width, presence.

use std::io::{IsTerminal as _, Write};
use std::sync::atomic::{AtomicU8, Ordering};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// Use of colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Set once, from the command line, before anything is printed; read by error paths that have no arguments.
static CHOICE: AtomicU8 = AtomicU8::new(0);

/// Takes note of `--color`.
pub(crate) fn set_color(color: Color) {
    CHOICE.store(color as u8, Ordering::Relaxed);
}

/// Returns true if output to `stream` is coloured. Without an option, `NO_COLOR`, `CLICOLOR_FORCE` and the kind of the
/// stream decide.
fn has_color(stream: &impl anstream::stream::RawStream) -> bool {
    match CHOICE.load(Ordering::Relaxed) {
        choice if choice == Color::Always as u8 => true,
        choice if choice == Color::Never as u8 => false,
        _ => AutoStream::choice(stream) != ColorChoice::Never,
    }
}

/// Returns true if the report on standard output is coloured.
pub(crate) fn stdout_has_color() -> bool {
    has_color(&std::io::stdout())
}

/// Returns true if standard error is a terminal.
pub(crate) fn stderr_is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Columns of the terminal that standard output goes to.
pub(crate) fn width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(usize::from(width.0))
}

/// Standard error, which drops styles where they are not wanted.
pub(crate) fn stderr() -> impl Write {
    let stream = std::io::stderr();
    let choice = if has_color(&stream) {
        ColorChoice::AlwaysAnsi
    } else {
        ColorChoice::Never
    };
    AutoStream::new(stream, choice)
}

/// Colours `error:`, `warning:` and the like at the start of lines.
pub(crate) fn paint_labels(text: &str) -> String {
    let labels: [(&str, Style); 5] = [
        ("error:", AnsiColor::Red.on_default().bold()),
        ("warning:", AnsiColor::Yellow.on_default().bold()),
        ("note:", AnsiColor::Cyan.on_default().bold()),
        ("caused by:", Style::new().bold()),
        ("hint:", AnsiColor::Green.on_default().bold()),
    ];
    let paint = |line: &str| {
        labels
            .iter()
            .find_map(|(label, style)| {
                let rest = line.strip_prefix(label)?;
                Some(format!("{style}{label}{style:#}{rest}"))
            })
            .unwrap_or_else(|| line.to_owned())
    };
    text.split_inclusive('\n').map(paint).collect()
}
