//! `keysieve verify`: says what keys tell by themselves, that `keysieve-verify` asks AWS, and how to ask by hand.
//!
//! This program opens no connection and starts nothing.

use keysieve::aws::key_id::{Harmless, KeyId, KeyKind};

use crate::args::VerifyArgs;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::output;

const PROGRAM: &str = "\
keysieve opens no connection. keysieve-verify, a program of its own, asks AWS:

  keysieve-verify report.json                      your own credentials look the keys up: owner, status, last use
  keysieve-verify report.json --with-found-secret  each found pair signs one request: active or not, root's or not;
                                                   the owner of the key sees it in CloudTrail
  keysieve-verify report.json --dry-run            what would be asked, and where
";

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs) -> Result<Exit, Failure> {
    let mut ids = Vec::new();
    for (number, text) in args.key_ids.iter().enumerate() {
        let id = KeyId::parse(text.as_bytes()).ok_or_else(|| {
            // What was typed may be a secret.
            let message = format!("argument {} is no access key ID", number + 1);
            Failure::bare(Kind::Usage, message)
                .hint("an ID is AKIA or ASIA and 16 characters; reports are for keysieve-verify")
        })?;
        ids.push(id);
    }
    let mut text = String::from(PROGRAM);
    if !ids.is_empty() {
        text.push_str("\nWhat the IDs tell by themselves:\n\n");
        for id in &ids {
            text.push_str(&format!("  {id}  {}\n", offline(id)));
        }
    }
    // Canaries are not asked about by hand either.
    let asked = ids
        .iter()
        .filter(|id| id.harmless() != Some(Harmless::Canary));
    let mut asked: Vec<&str> = asked.map(KeyId::as_str).collect();
    if ids.is_empty() {
        asked.push("KEY_ID");
    }
    for id in asked {
        text.push_str(&by_hand(id));
    }
    output::to_stdout(|out| out.write_all(text.as_bytes()))?;
    Ok(Exit::Clean)
}

/// Describes an ID offline, from its characters alone.
fn offline(id: &KeyId) -> String {
    let kind = match id.kind() {
        KeyKind::LongTerm => "a key of an IAM user or of root",
        KeyKind::Temporary => "a temporary key, good with its session token until it expires",
    };
    let account = match id.account_id() {
        Some(account) => format!("account {account}"),
        None => "its account is not in the ID".to_owned(),
    };
    match id.harmless() {
        Some(harmless) => format!("{account}; {}", harmless.reason()),
        None => format!("{account}; {kind}"),
    }
}

/// The commands that ask the same by hand. An ID is letters and digits: nothing to quote.
fn by_hand(id: &str) -> String {
    let token = match id.starts_with("AKIA") {
        true => "unset AWS_SESSION_TOKEN",
        false => {
            "read -rs AWS_SESSION_TOKEN && export AWS_SESSION_TOKEN        # of a temporary key (ASIA…), else unset it"
        }
    };
    format!(
        "\nBy hand, with credentials of the account:\n\n  \
         aws iam get-access-key-last-used --access-key-id {id}   # the user, and the last use\n  \
         aws iam list-access-keys --user-name USER   # Active or Inactive, and since when\n  \
         aws sts get-access-key-info --access-key-id {id}   # the account, of any key\n\
         \nBy hand, with the pair itself, if you may use it (in a bash or zsh of its own):\n\n  \
         export AWS_ACCESS_KEY_ID={id}\n  \
         read -rs AWS_SECRET_ACCESS_KEY && export AWS_SECRET_ACCESS_KEY   # paste it: it stays out of the shell's history\n  \
         {token}\n  \
         aws sts get-caller-identity   # an Arn that ends in :root is the root user's\n"
    )
}
