//! Evidence that was written by a thief: nothing in it steers a terminal, markup or a shell.

use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::folder::Folder;

/// Pieces that each mean something to some reader.
const PIECES: &[&str] = &[
    "\u{1b}[2J",
    "\u{9b}31m",
    "\u{7}",
    "\r",
    "\n",
    "\t",
    "\u{202e}",
    "\u{2028}",
    "::error::x",
    "##vso[task.complete]",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "](javascript:alert(1))",
    "`id`",
    "$(id)",
    "';id;'",
    "\"",
    "'",
    "\\",
    "|",
    "<br>",
    "&lt;",
    "[x](http://example.org)",
    "*",
    "_",
    "# ",
    "{count}",
    "aws-cli/2.0",
    "日本",
    "\u{0}",
    "--",
    "%0a",
    "\u{feff}",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 1..6).prop_map(|pieces| pieces.concat())
}

/// Markup of a page without what the program itself writes.
fn tags(html: &str) -> Vec<&str> {
    html.match_indices('<')
        .map(|(at, _)| html[at..].split('>').next().unwrap_or_default())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nothing_that_a_thief_writes_steers_anything(agent in text(), address in text(), region in text(), user in text(), name in text(), target in text(), error in text()) {
        let mut folder = Folder::empty();
        let key = folder.key.clone();
        for call in ["ListUsers", name.as_str(), "CreateUser", "GetSecretValue", "StopLogging"] {
            folder.event(&user, &key, call, |event, _| {
                event["userAgent"] = json!(agent);
                event["sourceIPAddress"] = json!(address);
                event["awsRegion"] = json!(region);
                event["requestParameters"] = json!({"userName": target, "secretId": target, "name": target});
                event["eventSource"] = json!(match call { "GetSecretValue" => "secretsmanager.amazonaws.com", "StopLogging" => "cloudtrail.amazonaws.com", _ => "iam.amazonaws.com" });
            });
        }
        folder.event(&user, &key, "CreateRole", |event, _| event["errorCode"] = json!(error));
        folder.write_trail();
        for lang in ["en", "ja"] {
            let plan = format!("plan-{lang}");
            let run = folder.named(&key, &["--lang", lang, "--plan", &plan], 1);
            let steers = |c: char| c != '\n' && keysieve::report::escape::is_unsafe(c);
            for output in [run.out(), run.err()] {
                prop_assert!(!output.chars().any(steers), "{output:?}");
                prop_assert!(!output.lines().any(|line| line.trim_start().starts_with("::") && !line.trim_start().starts_with(":::")), "{output}");
                prop_assert!(!output.contains("##vso["), "{output}");
            }
            for entry in fs::read_dir(folder.path(&plan)).unwrap() {
                let path = entry.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                prop_assert!(!text.chars().any(steers), "{path:?}: {text:?}");
                match path.file_name().unwrap().to_str().unwrap() {
                    "report.html" => {
                        for tag in tags(&text) {
                            let name = tag.trim_start_matches(['<', '/']).split([' ', '\n']).next().unwrap();
                            let own = ["!doctype", "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section", "table", "tr", "th", "td", "br"];
                            prop_assert!(own.contains(&name), "{tag}");
                            prop_assert!(!tag.contains("onerror"), "{tag}");
                        }
                    }
                    "report.md" => {
                        prop_assert!(!text.contains("<script") && !text.contains("<img") && !text.contains("](") && !text.contains('`'), "{text}");
                        // Bars are those of the tables: three a row.
                        for row in text.lines().filter(|line| line.starts_with('|')) {
                            prop_assert_eq!(row.matches('|').count(), 3, "{}", row);
                        }
                    }
                    name if name.ends_with(".sh") => {
                        for line in text.lines() {
                            let is_own = line.is_empty() || line.starts_with('#') || ["run ", "  ", "set -u", "cd ", "sh ", "AWS_PAGER=", "export ", "failed=", "}", "exit ", "for ", "done", "regions=", "if ", "fi", "case ", "esac", "arn:", "*)", "*:", "printf ", "run()"].iter().any(|start| line.starts_with(start));
                            prop_assert!(is_own, "{name}: {line}");
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
