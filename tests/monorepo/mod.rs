//! Large repositories that many share: paths, configurations of folders, submodules, lists of files.

mod folders;
mod large;
mod list;
mod paths;
mod replace;
mod submodules;

use serde_json::Value;

use crate::support::command::Run;

/// The paths of all places of findings, by level and acceptance: `a/x.env`, or `a/x.env accepted`.
#[track_caller]
fn found(run: &Run) -> Vec<String> {
    let report = run.json();
    let findings = report["findings"].as_array().expect("findings");
    let mut found: Vec<String> = Vec::new();
    for finding in findings {
        let mark = match finding["accepted"] {
            Value::Null => "",
            _ => " accepted",
        };
        for place in finding["places"].as_array().expect("places") {
            let path = place["path"].as_str().expect("a path");
            found.push(format!("{path}{mark}"));
        }
    }
    found.sort();
    found
}
