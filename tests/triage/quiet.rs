//! What is read after a leak is read from files: nothing is started, nobody is connected to, and nothing is written but
//! what was asked for.

use super::folder::{ACCOUNT, Folder};
use crate::support::trace::{assert_starts_nothing, traced, writes};

#[test]
fn nothing_is_started_or_connected_to_and_only_the_plan_is_written() {
    let folder = Folder::abused();
    let key = folder.key.clone();
    let evidence = ["--evidence", "evidence"];
    for (args, status, written) in [
        (vec!["triage", "report.json"], 1, None),
        (vec!["triage", &key, "--format=html", "--lang=ja"], 1, None),
        (
            vec!["triage", "report.json", "--plan=plan"],
            1,
            Some("plan"),
        ),
        (vec!["root", "evidence/credentials.csv"], 0, None),
        (vec!["mail", "evidence/mail.eml"], 0, None),
        (vec!["collect", &key, "--account", ACCOUNT], 0, None),
        (vec!["collect", "--policy"], 0, None),
        (
            vec!["trail", "find", &key, "evidence/trail.json", "--lineage"],
            1,
            None,
        ),
        (vec!["trail", "coverage", "evidence/trail.json"], 0, None),
        (
            vec!["trail", "index", "evidence/trail.json", "-o", "keys.idx"],
            0,
            Some("keys.idx"),
        ),
        (
            vec!["trail", "merge", "keys.idx", "-o", "all.idx"],
            0,
            Some("all.idx"),
        ),
    ] {
        let is_triage = args[0] == "triage";
        let (run, log) = traced(&folder.path("."), |command| {
            let command = command.args(&args);
            if is_triage {
                command.args(evidence)
            } else {
                command
            }
        });
        assert_eq!(run.status, status, "{args:?}: {}", run.show());
        let Some(log) = log else {
            continue;
        };
        assert_starts_nothing(&log);
        // A file is made beside its place and moved there.
        let is_asked = |call: &str| {
            written.is_some_and(|name| call.contains(name) || call.contains("/.keysieve-part-"))
        };
        let others: Vec<&str> = writes(&log).filter(|call| !is_asked(call)).collect();
        assert!(others.is_empty(), "{args:?}: {others:?}");
        assert_eq!(writes(&log).next().is_some(), written.is_some(), "{args:?}");
    }
}
