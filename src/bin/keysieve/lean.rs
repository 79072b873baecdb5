//! Reads the command line with no more of the option parser than the command needs.
//!
//! The definitions of all commands, with their help, take half a millisecond to build: as long as a hook takes for
//! everything else that it does at its start. So the commands that hooks and editors run by the thousand are parsed by
//! a parser that knows of them alone. What that one does not take, whatever it is, the whole one judges.

use std::ffi::{OsStr, OsString};

use clap::{Args, FromArgMatches as _, Parser as _};

use crate::args::{
    Cli, CommitArgs, CommitMsgArgs, HistoryArgs, PrePushArgs, PreReceiveArgs, ScanArgs, StagedArgs,
    Top,
};

/// Reads a command line; the first argument is the name of the program.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let lean = parser(&arguments)
        .and_then(|parser| parser.try_get_matches_from(&arguments).ok())
        .and_then(|matches| Cli::from_arg_matches(&matches).ok());
    match lean {
        Some(cli) => Ok(cli),
        None => Cli::try_parse_from(arguments),
    }
}

/// A parser for the one command that the arguments begin with; `None` for the others.
fn parser(arguments: &[OsString]) -> Option<clap::Command> {
    let mut words = arguments.iter().skip(1).map(OsString::as_os_str);
    let mut next = || words.next().and_then(OsStr::to_str);
    let command = match next()? {
        "scan" => one::<ScanArgs>("scan"),
        "staged" => one::<StagedArgs>("staged"),
        "history" => one::<HistoryArgs>("history"),
        "hook" if next()? == "run" => {
            let hook = match next()? {
                "pre-commit" => one::<CommitArgs>("pre-commit"),
                "pre-merge-commit" => one::<CommitArgs>("pre-merge-commit"),
                "commit-msg" => one::<CommitMsgArgs>("commit-msg"),
                "pre-push" => one::<PrePushArgs>("pre-push"),
                "pre-receive" => one::<PreReceiveArgs>("pre-receive"),
                _ => return None,
            };
            let run = clap::Command::new("run").subcommand(hook);
            clap::Command::new("hook").subcommand(run)
        }
        _ => return None,
    };
    Some(Top::augment_args(clap::Command::new("keysieve")).subcommand(command))
}

fn one<A: Args>(name: &'static str) -> clap::Command {
    A::augment_args(clap::Command::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Accepted lines give the result of the whole parser; refused ones are refused by it in its own words.
    #[test]
    fn the_whole_parser_says_the_same() {
        let lines = [
            "scan",
            "scan .",
            "scan a b --format json --exclude x/** --exclude=y --threads 2",
            "scan - --stdin-path x.env",
            "scan -- -x",
            "scan --color never a",
            "scan --colour",
            "scan --help",
            "scan -h",
            "scan --version",
            "scan --format nothing",
            "scan a --quiet --quiet",
            "staged",
            "staged --all --all-files --fail-on warning",
            "staged x",
            "history",
            "history .. --range A..B --no-progress --color=always",
            "history --connectivity --range A..B",
            "hook run pre-commit",
            "hook run pre-commit --all",
            "hook run pre-commit x",
            "hook run commit-msg .git/MSG",
            "hook run commit-msg",
            "hook run pre-push origin git@example.org:x",
            "hook run pre-receive",
            "hook run",
            "hook run other",
            "hook install",
            "hook --color never run pre-commit",
            "help scan",
            "--color never scan",
            "rules list",
            "--version",
            "",
        ];
        let mut lean = 0;
        for line in lines {
            let words = ["keysieve"].into_iter().chain(line.split_whitespace());
            let words: Vec<OsString> = words.map(OsString::from).collect();
            lean += usize::from(
                parser(&words).is_some_and(|parser| parser.try_get_matches_from(&words).is_ok()),
            );
            let said = |parsed: Result<Cli, clap::Error>| match parsed {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => error.to_string(),
            };
            let whole = said(Cli::try_parse_from(&words));
            assert_eq!(said(parse(words)), whole, "{line}");
        }
        assert!(lean > 12, "only {lean} were parsed alone");
    }
}
