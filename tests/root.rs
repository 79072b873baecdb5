//! `keysieve root`: root keys of accounts, from what AWS exports.

use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::TestCommand;
use crate::support::command::Run;

/// 2026-12-01T00:00:00Z.
const NOW: i64 = 1_796_083_200;

const DAY: i64 = 86_400;

const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
                      password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
                      access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
                      access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
                      access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
                      cert_2_active,cert_2_last_rotated";

const ABSENT: &str = "false,N/A,N/A,N/A,N/A";
const ACTIVE: &str = "true,2019-03-02T00:00:00+00:00,2026-11-28T10:00:00+00:00,ap-northeast-1,ec2";
const INACTIVE: &str = "false,2020-06-11T00:00:00+00:00,N/A,N/A,N/A";

fn user(name: &str, account: &str, mfa: bool, keys: [&str; 2]) -> String {
    let path = match name {
        "<root_account>" => "root".to_owned(),
        name => format!("user/{name}"),
    };
    let [first, second] = keys;
    format!(
        "{name},arn:aws:iam::{account}:{path},2014-01-01T00:00:00+00:00,true,N/A,N/A,N/A,{mfa},{first},{second},false,N/A,\
         false,N/A\n"
    )
}

/// A report with root and a user whose keys are not root's.
fn report(account: &str, mfa: bool, keys: [&str; 2]) -> String {
    let root = user("<root_account>", account, mfa, keys);
    let other = user("deploy", account, true, [ACTIVE, ACTIVE]);
    format!("{HEADER}\n{root}{other}")
}

/// The same as `aws iam get-credential-report` writes it.
fn in_json(report: &str, made: &str) -> String {
    let content = encoded(report.as_bytes());
    format!(
        "{{\n  \"Content\": \"{content}\",\n  \"ReportFormat\": \"text/csv\",\n  \"GeneratedTime\": {made}\n}}\n"
    )
}

fn encoded(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let number = (0..3).fold(0u32, |number, at| {
            number << 8 | u32::from(*chunk.get(at).unwrap_or(&0))
        });
        for place in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

/// Writes a file of an age in days.
fn write(dir: &Path, name: &str, text: &str, age: i64) {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    let changed = UNIX_EPOCH + Duration::from_secs(u64::try_from(NOW - age * DAY).unwrap());
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(changed).unwrap();
}

fn root(dir: &Path, args: &[&str], status: i32) -> Run {
    TestCommand::keysieve(dir)
        .env("SOURCE_DATE_EPOCH", NOW.to_string())
        .arg("root")
        .args(args)
        .status(status)
}

#[test]
fn each_account_has_a_line_and_the_last_one_counts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(
        dir,
        "a.csv",
        &report("123456789012", false, [ACTIVE, ABSENT]),
        0,
    );
    write(
        dir,
        "b.csv",
        &report("210987654321", true, [INACTIVE, ABSENT]),
        0,
    );
    write(
        dir,
        "c.csv",
        &report("333322221111", true, [ABSENT, ABSENT]),
        18,
    );
    let run = root(dir, &["a.csv", "b.csv", "c.csv"], 1);
    let expected = "\
account        root key 1                    root key 2   last used                               MFA   as of
123456789012   ACTIVE, changed 2019-03-02    none         key 1: 2026-11-28 ec2 ap-northeast-1    no    2026-12-01T00:00Z  (the file's time)
210987654321   inactive, changed 2020-06-11  none         never since 2015-04-22                  yes   2026-12-01T00:00Z  (the file's time)
333322221111   none                          none                                                 yes   2026-11-13T00:00Z  (the file's time, 18 days old)
2 of 3 accounts hold a root access key, 1 of them active
";
    let squeezed = |text: &str| -> Vec<String> {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect()
    };
    assert_eq!(squeezed(&run.out()), squeezed(expected), "{}", run.show());
    // The columns stand below each other.
    let out = run.out();
    let at = |word: &str| out.lines().find_map(|line| line.find(word)).unwrap();
    assert_eq!(at("MFA"), at("yes"));
    let json = root(dir, &["--format=json", "a.csv", "b.csv", "c.csv"], 1).json();
    assert_eq!(json["schema"], "keysieve-root/1");
    let first = &json["accounts"][0];
    assert_eq!(first["account_id"], "123456789012");
    assert_eq!(first["keys"][0]["status"], "active");
    assert_eq!(first["keys"][0]["last_used"]["service"], "ec2");
    assert_eq!(first["mfa"], false);
    assert_eq!(first["as_of"], "2026-12-01T00:00:00Z");
    assert_eq!(json["accounts"][1]["has_active_root_key"], false);
    assert_eq!(json["accounts"][1]["has_root_key"], true);
    assert_eq!(json["accounts"][2]["age_days"], 18);
    assert_eq!(json["summary"]["with_root_key"], 2);
    assert_eq!(json["summary"]["with_active_root_key"], 1);
}

#[test]
fn no_key_is_0_and_what_is_not_said_is_2_also_beside_an_active_key() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(
        dir,
        "none.csv",
        &report("111111111111", true, [ABSENT, ABSENT]),
        0,
    );
    write(
        dir,
        "active.csv",
        &report("222222222222", true, [ABSENT, ACTIVE]),
        0,
    );
    let other = user("deploy", "333333333333", true, [ABSENT, ABSENT]);
    write(dir, "rootless.csv", &format!("{HEADER}\n{other}"), 0);
    let vague = "false,no_information,N/A,N/A,N/A";
    write(
        dir,
        "vague.csv",
        &report("444444444444", true, [vague, ABSENT]),
        0,
    );
    root(dir, &["none.csv"], 0);
    root(dir, &["active.csv"], 1);
    let run = root(dir, &["rootless.csv"], 2);
    assert!(run.out().contains("no row of root"), "{}", run.show());
    assert!(
        run.out().contains("1 cannot be told for certain"),
        "{}",
        run.show()
    );
    root(dir, &["vague.csv"], 2);
    let run = root(dir, &["active.csv", "rootless.csv"], 2);
    assert!(run.out().contains("ACTIVE"), "{}", run.show());
}

#[test]
fn a_report_says_how_old_it_is_or_its_file_does() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let text = report("111111111111", true, [ABSENT, ABSENT]);
    write(dir, "old.csv", &text, 9);
    root(dir, &["old.csv"], 0);
    root(dir, &["--max-age=10d", "old.csv"], 0);
    let run = root(dir, &["--max-age=1 week", "old.csv"], 2);
    assert!(run.out().contains("9 days old, too old"), "{}", run.show());
    for made in [
        "\"2026-11-22T00:00:00+00:00\"",
        "\"2026-11-22T00:00:00Z\"",
        "1795305600.0",
    ] {
        // The file is new; what is in it is not.
        write(dir, "new.json", &in_json(&text, made), 0);
        let run = root(dir, &["new.json"], 0);
        assert!(
            run.out().contains("2026-11-22T00:00Z  (9 days old)"),
            "{}",
            run.show()
        );
        root(dir, &["--max-age=7d", "new.json"], 2);
    }
}

#[test]
fn the_newest_of_several_reports_of_an_account_counts_and_all_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    write(
        dir,
        "before.csv",
        &report("111111111111", true, [ACTIVE, ABSENT]),
        30,
    );
    write(
        dir,
        "after.csv",
        &report("111111111111", true, [ABSENT, ABSENT]),
        1,
    );
    let run = root(dir, &["after.csv", "before.csv"], 0);
    assert!(run.out().contains("a newer one counts"), "{}", run.show());
    assert!(run.out().contains("ACTIVE"), "{}", run.show());
    assert!(run.out().contains("0 of 1 account holds"), "{}", run.show());
}

#[test]
fn a_summary_answers_yes_or_no_for_an_account_it_does_not_name() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let summary = |keys| {
        format!(
            "{{\"SummaryMap\": {{\"AccountAccessKeysPresent\": {keys}, \"AccountMFAEnabled\": 1}}}}\n"
        )
    };
    write(dir, "no.json", &summary(0), 0);
    write(dir, "yes.json", &summary(1), 0);
    write(
        dir,
        "both.json",
        &format!("{}{}", summary(0), summary(1)),
        0,
    );
    root(dir, &["no.json"], 0);
    let run = root(dir, &["yes.json"], 1);
    assert!(
        run.out()
            .contains("not named (yes.json)   present, active or not"),
        "{}",
        run.show()
    );
    let json = root(dir, &["--format=json", "both.json"], 1).json();
    assert_eq!(
        json["accounts"][1]["has_active_root_key"],
        serde_json::Value::Null
    );
    assert_eq!(json["accounts"][0]["has_active_root_key"], false);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let good = report("111111111111", true, [ACTIVE, ABSENT]);
    write(dir, "good.csv", &good, 0);
    write(dir, "cut.csv", &good[..good.len() - 9], 0);
    write(dir, "other.json", "{\"Users\": []}", 0);
    write(dir, "empty", "", 0);
    fs::create_dir(dir.join("folder")).unwrap();
    for (name, why) in [
        (
            "cut.csv",
            "line 3 of the credential report has another number of cells",
        ),
        (
            "other.json",
            "is neither a credential report nor an account summary",
        ),
        ("empty", "is neither"),
        ("folder", "cannot be read"),
        ("absent.csv", "cannot be read: there is no such file"),
    ] {
        let run = root(dir, &[name, "good.csv"], 2);
        assert!(run.out().contains("ACTIVE"), "{}", run.show());
        let line = format!("error: {name} {why}");
        assert!(run.err().contains(&line), "{}", run.show());
        let json = root(dir, &["--format=json", name, "good.csv"], 2).json();
        assert_eq!(json["unread"][0]["path"], name);
    }
}

#[test]
fn nothing_of_a_file_steers_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let key = "true,2019-03-02T00:00:00+00:00,2026-11-28T10:00:00+00:00,\u{1b}[2J,::error::x";
    write(
        dir,
        "a.csv",
        &report("111111111111", true, [key, ABSENT]),
        0,
    );
    let run = root(dir, &["a.csv"], 1);
    assert!(!run.out().contains('\u{1b}'), "{}", run.show());
    write(
        dir,
        "b\u{1b}[31m.json",
        "{\"SummaryMap\": {\"AccountAccessKeysPresent\": 1}}",
        0,
    );
    let run = root(dir, &["b\u{1b}[31m.json"], 1);
    assert!(!run.out().contains('\u{1b}'), "{}", run.show());
}

#[test]
fn a_thousand_accounts_are_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut names = Vec::new();
    for number in 0..1000 {
        let keys = [if number % 10 == 0 { ACTIVE } else { ABSENT }, ABSENT];
        let name = format!("{number}.csv");
        write(
            dir,
            &name,
            &report(&format!("{:012}", 100_000_000_000u64 + number), true, keys),
            0,
        );
        names.push(name);
    }
    let args: Vec<&str> = names.iter().map(String::as_str).collect();
    let run = root(dir, &args, 1);
    assert!(
        run.out()
            .contains("100 of 1000 accounts hold a root access key, 100 of them active")
    );
}
