//! `keysieve baseline audit`: goes through the new findings with a person. Answers are lines of standard input.

use std::io::BufRead as _;

use keysieve::finding::{Finding, Redacted};
use keysieve::policy::baseline::Entry;
use keysieve::report::{self, Format, Report};
use keysieve::text::date::Date;

use super::BaselineRun;
use crate::exit::Exit;
use crate::failure::{self, Failure, Kind};
use crate::output::{self, say};
use crate::run::tool;
use crate::terminal;

/// Lines around a finding that `c` shows.
pub(super) const CONTEXT: usize = 6;

const HELP: &str = "a REASON          accept it; the reason may begin with expires=YYYY-MM-DD\n\
                    s                 skip it\n\
                    c                 show more lines around it\n\
                    q                 stop; what was accepted stays\n";

/// Answer of a person.
enum Answer {
    Accept {
        reason: String,
        expires: Option<Date>,
    },
    Skip,
    Context,
    Quit,
}

/// Runs the command.
pub(super) fn run(mut work: BaselineRun) -> Result<Exit, Failure> {
    let open = work.open().into_iter();
    let open: Vec<(usize, Finding)> = open.map(|(at, finding)| (at, finding.clone())).collect();
    let mut answers = std::io::stdin().lock().lines();
    let (mut accepted, mut skipped) = (0, 0);
    let mut is_over = false;
    for (number, (at, finding)) in open.iter().enumerate() {
        if is_over {
            break;
        }
        show(&work, &work.redacted.close_up(*at, Some(1)))?;
        loop {
            prompt(number + 1, open.len())?;
            let line = match answers.next() {
                Some(Ok(line)) => line,
                // The end of the answers is the end of the audit.
                None => "q".to_owned(),
                Some(Err(error)) => {
                    return Err(Failure::new(
                        Kind::System,
                        "cannot read standard input",
                        error,
                    ));
                }
            };
            match read(&line) {
                Some(Answer::Accept {
                    expires: Some(day), ..
                }) if work.today.is_some_and(|today| day < today) => {
                    say(&format!("{day} is over: such an entry accepts nothing\n"))?;
                }
                Some(Answer::Accept { reason, expires }) => {
                    let entry = Entry::of(finding, Some(failure::redacted(&reason)), expires);
                    work.baseline.insert(entry);
                    // Each answer counts, whatever happens to the next.
                    work.save()?;
                    accepted += 1;
                    break;
                }
                Some(Answer::Skip) => {
                    skipped += 1;
                    break;
                }
                Some(Answer::Context) => show(&work, &work.redacted.close_up(*at, None))?,
                Some(Answer::Quit) => {
                    is_over = true;
                    break;
                }
                None => say(HELP)?,
            }
        }
    }
    let left = open.len() - accepted - skipped;
    say(&format!(
        "\n{}: {accepted} accepted, {skipped} skipped, {left} not looked at\n",
        work.name()
    ))?;
    Ok(work.end(Exit::Clean))
}

fn prompt(number: usize, count: usize) -> Result<(), Failure> {
    output::to_stdout(|out| {
        write!(
            out,
            "{number} of {count}: a REASON accepts, s skips, c shows more, q quits? "
        )
    })
}

/// The answer of a line; `None` if it is none, or if the reason is missing.
fn read(line: &str) -> Option<Answer> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (word, rest.trim()) {
        ("s", "") => Some(Answer::Skip),
        ("c", "") => Some(Answer::Context),
        ("q", "") => Some(Answer::Quit),
        ("a", reason) => {
            let (day, rest) = reason
                .split_once(char::is_whitespace)
                .unwrap_or((reason, ""));
            let (expires, reason) = match day.strip_prefix("expires=") {
                Some(day) => (Some(Date::parse(day)?), rest.trim()),
                None => (None, reason),
            };
            (!reason.is_empty()).then(|| Answer::Accept {
                reason: reason.to_owned(),
                expires,
            })
        }
        _ => None,
    }
}

fn show(work: &BaselineRun, finding: &Redacted) -> Result<(), Failure> {
    let rules_hash = || work.run.rules_hash();
    let mut report = Report::new(finding, tool(&rules_hash));
    report.options = report::Options {
        width: terminal::width(),
        color: terminal::stdout_has_color(),
        // No summary.
        quiet: true,
        ..report::Options::default()
    };
    output::to_stdout(|out| report::write(Format::Text, out, &report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        assert!(matches!(read(" s "), Some(Answer::Skip)));
        assert!(matches!(
            read("a expires=2027-01-01 old key"),
            Some(Answer::Accept { reason, expires: Some(_) }) if reason == "old key"
        ));
        for wrong in [
            "",
            "a",
            "a expires=2027-01-01",
            "a expires=soon x",
            "yes",
            "s now",
        ] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}
