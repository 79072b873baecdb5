//! Promises of the joiner through the program: commit messages, the gate, the baseline, other files, places.

use std::collections::BTreeSet;

use super::holds::SENTENCES;
use super::tree::pairs;
use crate::support::{Keys, TestRepo};

#[test]
fn one_word_between_keeps_them_together_in_commit_messages() {
    let (repo, mut keys) = (TestRepo::new(), Keys::new(3));
    let mut expected = BTreeSet::new();
    for sentence in SENTENCES {
        let pair = pairs(1, &mut keys).remove(0);
        let message = sentence.replace("<I>", &pair.id);
        repo.commit(&message.replace("<S>", &pair.secret));
        expected.insert((Some(pair.id), Some(pair.secret)));
    }
    let args = ["history", "--format", "json", "--show-secrets"];
    let report = repo.keysieve(&args).status(1).json();
    let findings = report["findings"].as_array().expect("a list").iter();
    let half = |finding: &serde_json::Value, name: &str| finding[name].as_str().map(str::to_owned);
    let found: BTreeSet<_> = findings
        .map(|one| (half(one, "key_id"), half(one, "secret_key")))
        .collect();
    assert_eq!(found, expected);
}

/// An old pair that is committed, and the file as it is changed without touching its secret.
fn changes_beside_an_old_secret() -> [(&'static str, &'static str); 4] {
    [
        (
            "AWS_ACCESS_KEY_ID = '<I>'\nAWS_SECRET_ACCESS_KEY = '<S>'\n",
            "AWS_ACCESS_KEY_ID = os.environ['K']\nAWS_SECRET_ACCESS_KEY = '<S>'\n",
        ),
        (
            "aws_access_key_id=<I>\naws_secret_access_key=<S>\n",
            "aws_access_key_id=<I>\n# not <J>\naws_secret_access_key=<S>\n",
        ),
        (
            "AWS_SECRET_ACCESS_KEY=<S>\nAWS_ACCESS_KEY_ID=<I>\n",
            "AWS_SECRET_ACCESS_KEY=<S>\n# old: <J>\nAWS_ACCESS_KEY_ID=<I>\n",
        ),
        (
            "AWS_ACCESS_KEY_ID = '<I>'\nAWS_SECRET_ACCESS_KEY = '<S>'\n",
            "AWS_ACCESS_KEY_ID = '<I>'\nSECRET_KEY = '<F>'\nAWS_SECRET_ACCESS_KEY = '<S>'\n",
        ),
    ]
}

/// Fills a text and the text that it becomes with the same values.
fn filled(texts: (&str, &str), seed: u64) -> [String; 2] {
    let mut keys = Keys::new(seed);
    let pair = pairs(1, &mut keys).remove(0);
    let (other, foreign) = (keys.id(), keys.secret());
    [texts.0, texts.1].map(|text| {
        let text = text.replace("<I>", &pair.id).replace("<S>", &pair.secret);
        text.replace("<J>", &other).replace("<F>", &foreign)
    })
}

/// Commits the old text, stages the new one, and demands that nothing blocks.
#[track_caller]
fn assert_nothing_blocks(changes: &[(&str, &str)]) {
    for (seed, texts) in (0..).zip(changes) {
        let [old, new] = filled(*texts, seed);
        let repo = TestRepo::new();
        repo.commit_file("settings.py", &old, "old");
        repo.stage("settings.py", &new);
        let run = repo.keysieve(&["staged"]).run();
        assert_eq!(run.status, 0, "{new}\n{}", run.show());
        repo.commit("new");
        let run = repo.keysieve(&["history", "--range", "HEAD~1..HEAD"]).run();
        assert_eq!(run.status, 0, "{new}\n{}", run.show());
    }
}

#[test]
fn an_old_secret_does_not_block_when_its_id_goes_or_a_comment_comes_between() {
    assert_nothing_blocks(&changes_beside_an_old_secret()[..3]);
}

#[test]
fn an_old_secret_does_not_block_when_another_setting_comes_between() {
    assert_nothing_blocks(&changes_beside_an_old_secret()[3..]);
}

#[test]
fn a_secret_of_the_baseline_stays_accepted_when_its_id_goes_or_a_comment_comes_between() {
    assert_all_is_accepted(&changes_beside_an_old_secret()[..3]);
}

#[test]
fn a_secret_of_the_baseline_stays_accepted_when_another_setting_comes_between() {
    assert_all_is_accepted(&changes_beside_an_old_secret()[3..]);
}

#[test]
fn another_secret_in_the_place_of_an_old_one_does_block() {
    let [old, _] = filled(changes_beside_an_old_secret()[0], 1);
    let [_, new] = filled(changes_beside_an_old_secret()[0], 2);
    let repo = TestRepo::new();
    repo.commit_file("settings.py", &old, "old");
    repo.stage("settings.py", &new);
    repo.keysieve(&["staged"]).status(1);
    repo.commit("new");
    repo.keysieve(&["history", "--range", "HEAD~1..HEAD"])
        .status(1);
}

/// Takes the old text into the baseline, writes the new one, and demands that all is accepted.
#[track_caller]
fn assert_all_is_accepted(changes: &[(&str, &str)]) {
    for (seed, texts) in (0..).zip(changes) {
        let [old, new] = filled(*texts, seed);
        let repo = TestRepo::new();
        repo.write("settings.py", &old);
        repo.keysieve(&["baseline", "write"]).status(0);
        repo.write("settings.py", &new);
        let run = repo.keysieve(&["scan"]).run();
        assert_eq!(run.status, 0, "{new}\n{}", run.show());
    }
}

#[test]
fn across_files_only_names_that_say_aws_are_joined() {
    for (name, is_joined) in [
        ("SECRET_KEY", false),
        ("APP_SECRET", false),
        ("secret", false),
        ("NEXTAUTH_SECRET", false),
        ("AWS_SECRET", true),
        ("AWS_SECRET_ACCESS_KEY", true),
    ] {
        let mut keys = Keys::new(8);
        let (id, value) = (keys.id(), keys.secret());
        let repo = TestRepo::new();
        repo.write("one/ids.env", format!("AWS_ACCESS_KEY_ID={id}\n"));
        repo.write("two/settings.py", format!("{name} = '{value}'\n"));
        let args = ["scan", "--format", "json", "--show-secrets"];
        let run = repo.keysieve(&args).status(i32::from(is_joined));
        let report = run.json();
        let findings = report["findings"].as_array().expect("a list");
        let has_value = findings
            .iter()
            .any(|one| one["secret_key"] == value.as_str());
        assert_eq!(has_value, is_joined, "{name}\n{}", run.show());
    }
}

#[test]
fn a_place_is_that_of_the_secret_and_comes_once() {
    let mut keys = Keys::new(9);
    let (id, tail) = (keys.id(), keys.raw_secret());
    let pair = pairs(1, &mut keys).remove(0);
    let (smtp, repo) = (format!("BPmZ{tail}"), TestRepo::new());
    repo.write(
        "mail.env",
        format!("\nSMTP_USERNAME={id}\n\nSMTP_PASSWORD={smtp}\n"),
    );
    let text = format!("[x]\naws_access_key_id = {}\n# -\n", pair.id);
    let text = format!("{text}aws_secret_access_key = {}\n", pair.secret);
    repo.write("credentials", text);
    let args = ["scan", "--format", "json", "--show-secrets"];
    let run = repo.keysieve(&args).status(1);
    let report = run.json();
    let findings = report["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 2, "{}", run.show());
    for (secret, path, line, column) in [
        (smtp, "mail.env", 4, 15),
        (pair.secret, "credentials", 4, 25),
    ] {
        let finding = findings
            .iter()
            .find(|one| one["secret_key"] == secret.as_str());
        let places = finding.expect(path)["places"].as_array().expect("a list");
        assert_eq!(places.len(), 1, "{path}: {places:#?}");
        let at = (&places[0]["path"], &places[0]["line"], &places[0]["column"]);
        assert_eq!(
            at,
            (&path.into(), &line.into(), &column.into()),
            "{places:#?}"
        );
    }
}

/// Formats that show a possible secret to a person, or on a page for people.
const FORMATS: [&str; 9] = [
    "text", "json", "csv", "sarif", "github", "gitlab", "junit", "html", "markdown",
];

#[test]
fn a_warning_names_the_line_of_what_may_be_its_secret() {
    let (repo, mut keys) = (TestRepo::new(), Keys::new(41));
    let (id, foreign) = (keys.id(), keys.secret());
    let text = format!("PORT=80\nAWS_ACCESS_KEY_ID={id}\nCOOKIE_SECRET={foreign}\n");
    repo.write("a.env", &text);
    for format in FORMATS {
        let args = ["scan", "--format", format, "--fail-on", "warning"];
        let run = repo.keysieve(&args).status(1);
        let out = run.out();
        if format == "json" {
            let finding = &run.json()["findings"][0];
            assert_eq!(finding["level"], "warning", "{out}");
            assert_eq!(finding["places"][0]["line"], 2, "{out}");
            assert_eq!(finding["places"][0]["possible_secret_line"], 3, "{out}");
            assert_eq!(finding["places"][0]["possible_secret_column"], 15, "{out}");
        } else {
            assert!(
                out.contains("line 3 may hold its secret"),
                "{format}: {out}"
            );
        }
        assert!(!out.contains(&foreign), "{format}: {out}");
    }
    // The same key ID in two files: each with its own line.
    repo.write("b.env", format!("\n\n{text}"));
    let run = repo.keysieve(&["scan", "--fail-on", "warning"]).status(1);
    let out = run.out();
    assert!(out.contains("a.env:3 may hold its secret"), "{out}");
    assert!(out.contains("b.env:5 may hold its secret"), "{out}");
    // An ID with nothing near it, and one with its secret, name no line.
    repo.write("b.env", "");
    repo.write("a.env", format!("AWS_ACCESS_KEY_ID={id}\n"));
    let run = repo.keysieve(&["scan", "--fail-on", "warning"]).status(1);
    assert!(!run.out().contains("may hold"), "{}", run.out());
    repo.write(
        "a.env",
        text.replace("COOKIE_SECRET", "AWS_SECRET_ACCESS_KEY"),
    );
    let run = repo.keysieve(&["scan", "--fail-on", "warning"]).status(1);
    assert!(!run.out().contains("may hold"), "{}", run.out());
}

#[test]
fn explain_gives_the_sum_and_the_next_best() {
    let (repo, mut keys) = (TestRepo::new(), Keys::new(42));
    let (id, own, other) = (keys.id(), keys.secret(), keys.secret());
    let text = format!("aws_access_key_id={id}\naws_secret_access_key={own}\nsecret_key={other}\n");
    repo.write("a.env", text);
    let run = repo.keysieve(&["scan", "--explain", "a.env"]).status(0);
    let out = run.out();
    assert!(out.contains("secret: others between them 1/0"), "{out}");
    assert!(out.contains("→ 3/4 of 70; next best 10"), "{out}");
    repo.write(
        "a.env",
        format!("aws_access_key_id={id}\ncookie_secret={other}\n"),
    );
    let run = repo.keysieve(&["scan", "--explain", "a.env"]).status(0);
    let out = run.out();
    assert!(
        out.contains("possible secret: others between them 1/0"),
        "{out}"
    );
}
