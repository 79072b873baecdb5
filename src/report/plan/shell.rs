//! Steps of a plan as files for a POSIX shell. Every value is quoted; all other text from evidence is in comments.

use crate::report::escape;
use crate::text::words::Lang;
use crate::triage::plan::{Arg, Argv, Item, Plan, Step};

/// The file that every other one runs first.
pub(super) fn check(plan: &Plan, lang: Lang) -> String {
    let mut text = head("00-check", lang);
    text.push_str("set -u\nAWS_PAGER=''\nexport AWS_PAGER\n");
    let refuse = |what: &str, indent: &str| {
        let message = quoted(&lang.word(&format!("check.{what}")));
        format!("{indent}printf '%s\\n' {message} >&2\n{indent}exit 2\n")
    };
    text.push_str(&format!(
        "if ! command -v aws > /dev/null; then\n{}fi\n",
        refuse("no_aws", "  ")
    ));
    let keys: Vec<String> = plan.key_ids.iter().map(|key| quoted(key)).collect();
    text.push_str(&format!(
        "for used in \"${{AWS_ACCESS_KEY_ID:-}}\" \"$(aws configure get aws_access_key_id)\"; do\n  case $used in\n  {})\n{}    ;;\n  esac\ndone\n",
        keys.join(" | "),
        refuse("key", "    "),
    ));
    text.push_str(&format!(
        "if ! caller=$(aws sts get-caller-identity --query=Arn --output=text); then\n{}fi\n",
        refuse("nobody", "  ")
    ));
    if let Some(account) = &plan.account_id {
        text.push_str(&format!(
            "case $caller in\narn:*:*::{account}:*) ;;\n*)\n{}  ;;\nesac\n",
            refuse("account", "  ")
        ));
    }
    if !plan.users.is_empty() {
        let users: Vec<String> = plan
            .users
            .iter()
            .flat_map(|user| {
                [
                    format!("*:user/{}", quoted(user)),
                    format!("*:user/*/{}", quoted(user)),
                ]
            })
            .collect();
        text.push_str(&format!(
            "case $caller in\n{})\n{}  ;;\nesac\n",
            users.join(" | "),
            refuse("user", "  ")
        ));
    }
    let running = quoted(&lang.word("check.runs"));
    text.push_str(&format!("printf '%s %s\\n' {running} \"$caller\" >&2\n"));
    text
}

/// A step.
pub(super) fn step(step: &Step, lang: Lang) -> String {
    let mut text = head(step.id, lang);
    let runs = |item: &Item| matches!(item, Item::Run(_) | Item::EachRegion(_));
    let has_runs = step.items.iter().any(runs);
    // An offer may be made to run; what is for reading only needs nobody's credentials.
    if has_runs || step.items.iter().any(|it| matches!(it, Item::Offer(_))) {
        text.push_str("set -u\ncd \"$(dirname \"$0\")\" || exit 2\nsh ./00-check.sh || exit 2\nAWS_PAGER=''\nexport AWS_PAGER\n");
    } else {
        let message = quoted(&lang.word("shell.comments"));
        text.push_str(&format!("printf '%s\\n' {message} >&2\n"));
    }
    if has_runs {
        let message = quoted(&lang.word("shell.failed"));
        text.push_str(&format!(
            "failed=0\nrun() {{\n  printf '+ %s\\n' \"$*\" >&2\n  \"$@\" || {{\n    printf '%s %s\\n' {message} \"$*\" >&2\n    failed=2\n  }}\n}}\n"
        ));
    }
    for item in &step.items {
        match item {
            Item::About(what) => text.push_str(&format!("\n{}", comment(&format!("== {what}")))),
            Item::Say(said) => {
                let values: Vec<(&str, &str)> = said
                    .values
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                text.push_str(&comment(&lang.say(&format!("plan.{}", said.code), &values)));
            }
            Item::Quote(what) => text.push_str(&comment(&format!("  {what}"))),
            Item::Run(argv) => text.push_str(&format!("run {}\n", line(argv))),
            Item::Offer(argv) | Item::ByHand(argv) => text.push_str(&format!("# {}\n", line(argv))),
            Item::EachRegion(all) => {
                text.push_str(
                    "regions=$(aws ec2 describe-regions '--query=Regions[].RegionName' --output=text) || failed=2\nfor region in ${regions:-}; do\n  printf '== %s\\n' \"$region\"\n",
                );
                for argv in all {
                    text.push_str(&format!("  run {} --region=\"$region\"\n", line(argv)));
                }
                text.push_str("done\n");
            }
        }
    }
    if has_runs {
        text.push_str("exit \"$failed\"\n");
    }
    text
}

fn head(id: &str, lang: Lang) -> String {
    format!("#!/bin/sh\n{}", comment(&lang.word(&format!("step.{id}"))))
}

/// A line that no shell reads, whatever is in it.
fn comment(text: &str) -> String {
    format!("# {}\n", escape::inert(&escape::terminal(text)))
}

/// A command on one line.
fn line(argv: &Argv) -> String {
    let mut line = "aws".to_owned();
    for arg in &argv.0 {
        line.push(' ');
        match arg {
            Arg::Text(text) => line.push_str(&quoted(text)),
            Arg::Now { before, after } => {
                line.push_str(&format!(
                    "{}\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"{}",
                    quoted(before),
                    quoted(after)
                ));
            }
        }
    }
    line
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,+@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_and_comments_stay_comments() {
        for (text, word) in [
            ("a", "a"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$(id)`id`", "'$(id)`id`'"),
            ("~", "'~'"),
            ("*", "'*'"),
        ] {
            assert_eq!(quoted(text), word);
        }
        assert_eq!(
            comment("a\nrm -rf x\r\u{1b}[2J\u{2028}b"),
            "# a\\nrm -rf x\\r\\x1b[2J\\u{2028}b\n"
        );
    }
}
