//! `keysieve mail`: AWS's mails about a key.

use std::fs;

use crate::support::command::Run;
use crate::support::{TestCommand, base64};

fn mail(text: &str, args: &[&str], status: i32) -> Run {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mail.eml"), text).unwrap();
    TestCommand::keysieve(dir.path())
        .args(["mail", "mail.eml"])
        .args(args)
        .status(status)
}

fn id() -> String {
    ["AKIA", "RZPUZDIK", "GB2VALC6"].concat()
}

/// A mail as a mail program saves it: folded, in two parts, quoted-printable, with the key cut in two.
fn notice() -> String {
    let (first, second) = (&id()[..8].to_owned(), &id()[8..].to_owned());
    let sentence = format!(
        "We have become aware that the AWS Access Key {first}=\n{second} (belonging to IAM user =22deploy=22) along with the corresponding Secret Key =\n\
         is publicly available online at https://github.com/o/r/blob/1/.env.\n\nYou must contact AWS by 2026-12-05.\n\
         The policy AWSCompromisedKeyQuarantineV4 was attached. See https://docs.aws.amazon.com/x\n"
    );
    format!(
        "Return-Path: <x@example.org>\nFrom: Amazon Web Services <no-reply@example.org>\nDate: Mon, 30 Nov 2026 12:35:08 +0000\n\
         Subject: =?UTF-8?Q?Your_AWS_Access_Key_is_Exposed_=5BCase=3A_123456789=5D?=\nMIME-Version: 1.0\n\
         Content-Type: multipart/alternative;\n boundary=\"=_x\"\n\n--=_x\nContent-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: quoted-printable\n\n{sentence}\n--=_x\nContent-Type: text/html\n\n<p>other</p>\n--=_x--\n"
    )
}

#[test]
fn a_mail_says_key_user_place_case_and_deadline() {
    let json = mail(&notice(), &["--format=json"], 0).json();
    assert_eq!(json["schema"], "keysieve-mail/1");
    assert_eq!(
        json["subject"],
        "Your AWS Access Key is Exposed [Case: 123456789]"
    );
    assert_eq!(json["sent"], "Mon, 30 Nov 2026 12:35:08 +0000");
    assert_eq!(json["case_id"], "123456789");
    assert_eq!(json["deadline"], "2026-12-05");
    assert_eq!(json["limited"], true);
    let key = &json["keys"][0];
    assert_eq!(key["key_id"], id());
    assert_eq!(key["account_id"], "123456789012");
    assert_eq!(key["user_name"], "deploy");
    assert_eq!(key["url"], "https://github.com/o/r/blob/1/.env");
    let run = mail(&notice(), &[], 0);
    for words in [
        "case        123456789\n",
        "deadline    2026-12-05\n",
        "  user      deploy\n",
        "  found at  https://github.com/o/r/blob/1/.env\n",
        "Anybody can write such a mail",
        "keysieve triage mail.eml --evidence mail.eml --plan first\n",
        "keysieve triage report.json mail.eml --evidence evidence --plan plan\n",
        &format!("keysieve collect {} > collect.sh", id()),
    ] {
        assert!(run.out().contains(words), "{words}: {}", run.show());
    }
    assert!(
        run.out().contains(&format!("keysieve-verify {}", id())),
        "{}",
        run.show()
    );
}

#[test]
fn a_pipe_and_a_text_will_do_and_what_is_no_such_mail_is_2() {
    let dir = tempfile::tempdir().unwrap();
    let run = TestCommand::keysieve(dir.path())
        .args(["mail", "-"])
        .stdin(format!("Access Key {} is publicly available", id()))
        .status(0);
    assert!(run.out().contains(&id()), "{}", run.show());
    let run = mail("Dear customer, your invoice is ready.", &[], 2);
    assert!(
        run.err()
            .contains("no access key of AWS is named in mail.eml"),
        "{}",
        run.show()
    );
    let run = TestCommand::keysieve(dir.path())
        .args(["mail", "nowhere"])
        .status(2);
    assert!(run.err().contains("cannot read nowhere"), "{}", run.show());
}

#[test]
fn a_mail_in_base64_of_either_alphabet_is_read() {
    // Bytes whose digits are those that the alphabets differ in.
    let text = format!(
        "???>>>~~~\u{fffd}\nWe have become aware that the AWS Access Key {} (belonging to IAM user \"deploy\") along with \
         the corresponding Secret Key is publicly available online at https://github.com/o/r/blob/1/.env.\n",
        id()
    );
    let standard = base64(text.as_bytes());
    assert!(standard.contains(['+', '/']), "{standard}");
    let url = standard.replace('+', "-").replace('/', "_");
    for digits in [&standard, &url, url.trim_end_matches('=')] {
        let notice = format!(
            "From: x@example.org\nSubject: Your AWS Access Key is Exposed\nContent-Type: text/plain; charset=utf-8\n\
             Content-Transfer-Encoding: base64\n\n{digits}\n"
        );
        let json = mail(&notice, &["--format=json"], 0).json();
        assert_eq!(json["keys"][0]["key_id"], id());
        assert_eq!(json["keys"][0]["user_name"], "deploy");
    }
}

#[test]
fn a_masked_key_is_looked_up_in_what_is_collected() {
    let text = "AWS Access Keys of account (****-****-6006) are publicly available online. ****-****-WBAA https://example.org/x";
    let run = mail(text, &[], 0);
    for words in [
        "key         ****-****-WBAA\n",
        "keysieve collect > collect.sh; sh collect.sh evidence\n",
        "keysieve triage mail.eml --evidence evidence --plan plan\n",
    ] {
        assert!(run.out().contains(words), "{words}: {}", run.show());
    }
    assert!(!run.out().contains("keysieve-verify"), "{}", run.show());
    // A name is a word of a shell.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("it's $(x).eml"), text).unwrap();
    let run = TestCommand::keysieve(dir.path())
        .args(["mail", "it's $(x).eml"])
        .status(0);
    assert!(
        run.out().contains("triage 'it'\\''s $(x).eml' --evidence"),
        "{}",
        run.show()
    );
}

#[test]
fn nothing_of_a_mail_steers_a_terminal() {
    let text = format!(
        "From: a\nSubject: =?utf-8?Q?=1B[2J=0A::error::x?=\n\nAccess Key {} at https://example.org/\u{1b}[31m\u{202e}x ##vso[task]\n",
        id()
    );
    let run = mail(&text, &[], 0);
    for part in ["\u{1b}", "\u{202e}", "\n::"] {
        assert!(!run.out().contains(part), "{}", run.show());
    }
}
