//! `keysieve mail`: what AWS's mail about a key says: which key, whose, where, which case, until when.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use keysieve::evidence::mail::{self, Notice, NoticeKey};
use keysieve::report::escape;
use serde::Serialize;

use crate::args::{MailArgs, PlainFormat};
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::output;

/// Name and version of the JSON form.
const SCHEMA: &str = "keysieve-mail/1";

/// The longest mail that is read, in bytes.
const MAX_SIZE: u64 = 32 << 20;

/// Runs the command.
pub(crate) fn run(args: &MailArgs) -> Result<Exit, Failure> {
    let bytes = read(&args.file)?;
    let notice = mail::read(&bytes).ok_or_else(|| {
        let message = format!("no access key of AWS is named in {}", args.file.display());
        Failure::bare(Kind::System, message)
            .hint("save the mail itself (.eml), or copy its whole text into a file")
    })?;
    match args.format {
        PlainFormat::Json => write_json(&notice)?,
        PlainFormat::Text => write_text(&notice, &args.file)?,
    }
    Ok(Exit::Clean)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let fail = |error| {
        let message = format!("cannot read {}", path.display());
        Failure::new(Kind::System, message, error)
    };
    let mut bytes = Vec::new();
    let length = match path == Path::new("-") {
        true => std::io::stdin()
            .lock()
            .take(MAX_SIZE + 1)
            .read_to_end(&mut bytes),
        false => File::open(path).and_then(|file| file.take(MAX_SIZE + 1).read_to_end(&mut bytes)),
    };
    match length.map_err(fail)? as u64 > MAX_SIZE {
        true => Err(Failure::bare(
            Kind::System,
            format!("{} is longer than any mail", path.display()),
        )),
        false => Ok(bytes),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    subject: Option<&'a str>,
    sent: Option<&'a str>,
    case_id: Option<&'a str>,
    account_id: Option<&'a str>,
    deadline: Option<&'a str>,
    limited: bool,
    keys: Vec<KeyJson<'a>>,
}

#[derive(Serialize)]
struct KeyJson<'a> {
    key_id: Option<&'a str>,
    masked: Option<&'a str>,
    account_id: Option<&'a str>,
    user_name: Option<&'a str>,
    url: Option<&'a str>,
}

fn key(key: &NoticeKey) -> KeyJson<'_> {
    let id = Some(key.id.as_str());
    KeyJson {
        key_id: id.filter(|_| key.is_whole()),
        masked: id.filter(|_| !key.is_whole()),
        account_id: key.account_id.as_deref(),
        user_name: key.user.as_deref(),
        url: key.url.as_deref(),
    }
}

fn write_json(notice: &Notice) -> Result<(), Failure> {
    let document = Document {
        schema: SCHEMA,
        subject: notice.subject.as_deref(),
        sent: notice.sent.as_deref(),
        case_id: notice.case_id.as_deref(),
        account_id: notice.account_id.as_deref(),
        deadline: notice.deadline.as_deref(),
        limited: notice.is_limited,
        keys: notice.keys.iter().map(key).collect(),
    };
    output::to_stdout(|out| {
        serde_json::to_writer_pretty(&mut *out, &document)?;
        out.write_all(b"\n")
    })
}

fn write_text(notice: &Notice, path: &Path) -> Result<(), Failure> {
    let mut text = String::new();
    let mut line = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            let value = escape::terminal(value);
            text.push_str(&format!("{name:<12}{}\n", escape::inert(&value)));
        }
    };
    line("subject", notice.subject.as_deref());
    line("sent", notice.sent.as_deref());
    line("case", notice.case_id.as_deref());
    line("account", notice.account_id.as_deref());
    line("deadline", notice.deadline.as_deref());
    if notice.is_limited {
        let what = "AWS has limited the user or the account; a quarantine policy stays until the case is closed";
        line("limited", Some(what));
    }
    for key in &notice.keys {
        let account = key.account_id.as_ref();
        let id = match account {
            Some(account) => format!("{} (account {account})", key.id),
            None => key.id.clone(),
        };
        line("key", Some(&id));
        line("  user", key.user.as_deref());
        line("  found at", key.url.as_deref());
    }
    let whole: Vec<&str> = notice
        .keys
        .iter()
        .filter(|key| key.is_whole())
        .map(|key| key.id.as_str())
        .collect();
    text.push_str("\nAnybody can write such a mail: open the case in the support console, not a link in the mail.\n");
    if whole.len() < notice.keys.len() {
        text.push_str(
            "The mail masks the key: the lists of keys that are collected tell which it is.\n",
        );
    }
    let file = match path == Path::new("-") {
        // It was not in a file.
        true => "NOTICE".to_owned(),
        false => word(&path.display().to_string()),
    };
    text.push_str("next:\n");
    let mut next = |command: &str, what: &str| {
        text.push_str(&format!("  {command}\n      {what}\n"));
    };
    if whole.is_empty() {
        next(
            "keysieve collect > collect.sh; sh collect.sh evidence",
            "the lists of keys, and all else that AWS knows",
        );
        next(
            &format!("keysieve triage {file} --evidence evidence --plan plan"),
            "which key it is, and what to do about it",
        );
    } else {
        let ids = whole.join(" ");
        next(
            &format!("keysieve triage {file} --evidence {file} --plan first"),
            "a plan from the mail alone: first/10-contain.sh switches the key off",
        );
        next(
            &format!("keysieve collect {ids} > collect.sh; sh collect.sh evidence"),
            "what AWS knows: whose it is, what was done with it",
        );
        next(
            &format!("keysieve-verify {ids}"),
            "whose it is, active or not, last use",
        );
        next(
            "keysieve history REPO --format json > report.json",
            "where it is and since when, in a clone of the repository",
        );
        next(
            &format!("keysieve triage report.json {file} --evidence evidence --plan plan"),
            "the whole plan",
        );
    }
    output::to_stdout(|out| out.write_all(text.as_bytes()))
}

/// A name as a word of a shell, harmless on a terminal.
fn word(name: &str) -> String {
    let shown = escape::inert(&escape::terminal(name)).into_owned();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./+@%".contains(&byte);
    match shown.bytes().all(is_plain) && !shown.starts_with('-') {
        true => shown,
        false => format!("'{}'", shown.replace('\'', "'\\''")),
    }
}
