//! Hints after mistyped commands and options: habits from other tools and from Git.

use std::ffi::OsString;
use std::path::Path;

/// Commands of other tools, each with its counterpart here.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "detect",
        "keysieve history (a repository's history) or keysieve scan (files)",
    ),
    ("protect", "keysieve staged"),
    ("git", "keysieve history"),
    ("git-history", "keysieve history"),
    ("log", "keysieve history"),
    ("dir", "keysieve scan DIR"),
    ("directory", "keysieve scan DIR"),
    ("file", "keysieve scan FILE"),
    ("files", "keysieve scan FILE"),
    ("filesystem", "keysieve scan DIR"),
    ("stdin", "keysieve scan -"),
    ("--staged", "keysieve staged"),
    ("--cached", "keysieve staged"),
    (
        "pre-commit",
        "keysieve hook run pre-commit, or keysieve staged",
    ),
    ("install", "keysieve hook install"),
    ("--install", "keysieve hook install"),
    ("uninstall", "keysieve hook uninstall"),
    ("version", "keysieve --version"),
    ("audit", "keysieve baseline audit"),
];

/// Options of other tools, and what they are here.
const OPTIONS: &[(&str, &str)] = &[
    (
        "--source",
        "name the path without an option: keysieve scan PATH",
    ),
    ("-s", "name the path without an option: keysieve scan PATH"),
    ("--no-git", "keysieve scan PATH reads files only"),
    ("--report-path", "--report FORMAT=FILE"),
    ("-r", "--report FORMAT=FILE"),
    (
        "--report-format",
        "--format FORMAT, or --report FORMAT=FILE",
    ),
    ("-f", "--format FORMAT"),
    ("--json", "--format json"),
    ("--sarif", "--format sarif"),
    ("--log-opts", "--range A..B, --branch NAME or --since DATE"),
    ("--redact", "leave it out: secrets are always cut"),
    ("--baseline-path", "--baseline FILE"),
    (
        "--exit-code",
        "--fail-on LEVEL; exit status 1 means findings, 2 that something was not read",
    ),
    (
        "--no-verification",
        "leave it out: nothing is ever sent anywhere",
    ),
    (
        "--only-verified",
        "leave it out: nothing is ever sent anywhere",
    ),
    (
        "--fail",
        "leave it out: findings always make the exit status 1",
    ),
    ("--max-target-megabytes", "--max-file-size SIZE"),
    ("--jobs", "--threads N"),
    ("-j", "--threads N"),
    ("-v", "leave it out, or use --show-notes"),
    ("--verbose", "leave it out, or use --show-notes"),
];

/// A line of advice about a command line that was not understood, or that names no such path.
pub(crate) fn of(args: impl IntoIterator<Item = OsString>) -> Option<String> {
    let args: Vec<String> = args
        .into_iter()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let first = args.first()?;
    let look_up = |table: &[(&str, &'static str)], word: &str| {
        let found = table.iter().find(|(name, _)| *name == word);
        found.map(|(_, meant)| *meant)
    };
    // What was typed is not repeated: it may be a secret.
    if let Some(meant) = look_up(ELSEWHERE, first) {
        return Some(format!(
            "hint: what is '{first}' elsewhere is here: {meant}\n"
        ));
    }
    if first == "-" {
        return Some("hint: did you mean 'keysieve scan -'?\n".to_owned());
    }
    if is_range(first) {
        return Some("hint: did you mean 'keysieve history --range A..B'?\n".to_owned());
    }
    if !first.starts_with('-') && Path::new(first).exists() {
        return Some(match first.as_str() {
            "." => "hint: did you mean 'keysieve scan .'?\n".to_owned(),
            _ => "hint: that is a path: did you mean 'keysieve scan PATH'?\n".to_owned(),
        });
    }
    let names = args.iter().map(|arg| arg.split('=').next().unwrap_or(arg));
    names
        .filter_map(|name| look_up(OPTIONS, name).map(|meant| (name, meant)))
        .map(|(name, meant)| format!("hint: instead of {name}: {meant}\n"))
        .next()
}

/// Returns true for text like `A..B`, and false for a path such as `../b`.
pub(crate) fn is_range(text: &str) -> bool {
    let sides = text.split_once("..");
    sides.is_some_and(|(from, to)| {
        let to = to.strip_prefix('.').unwrap_or(to);
        !from.is_empty() && !to.starts_with('/') && !from.ends_with('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(args: &[&str]) -> String {
        of(args.iter().map(OsString::from)).unwrap_or_default()
    }

    #[test]
    fn habits_from_elsewhere_lead_to_the_command_that_is_meant() {
        assert!(hint(&["."]).contains("keysieve scan ."));
        assert!(hint(&["-"]).contains("keysieve scan -"));
        assert!(hint(&["main..HEAD"]).contains("--range"));
        assert!(hint(&["detect", "--source", "x"]).contains("keysieve history"));
        assert!(hint(&["scan", "--redact", "x"]).contains("always cut"));
        assert!(hint(&["scan", "--report-path=x"]).contains("--report FORMAT=FILE"));
        assert_eq!(hint(&["scna"]), "");
        assert_eq!(hint(&[]), "");
    }

    #[test]
    fn a_range_is_told_from_a_path() {
        for range in ["A..B", "main...topic", "v1..", "origin/main..HEAD"] {
            assert!(is_range(range), "{range}");
        }
        for path in ["..", "../b", "a/../b", ".", "a.b", "dir/.."] {
            assert!(!is_range(path), "{path}");
        }
    }
}
