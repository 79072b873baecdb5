//! A draft of the answer to AWS's case: facts where the evidence has them, blanks where it has not.

use crate::report::escape;
use crate::text::words::Lang;
use crate::triage::plan::Plan;
use crate::triage::{Case, KeyCase};

/// Gap that a person has to fill in.
const BLANK: &str = "________";

/// The draft.
pub(super) fn text(plan: &Plan, case: &Case, lang: Lang) -> String {
    let mut lines = Vec::new();
    let mut say = |code: &str, values: &[(&str, &str)]| {
        lines.push(lang.say(&format!("reply.{code}"), values))
    };
    say("draft", &[]);
    let number = case
        .keys
        .iter()
        .find_map(|key| key.support.as_ref()?.case_id.as_deref());
    say("case", &[("case", number.unwrap_or(BLANK))]);
    say(
        "account",
        &[("account", plan.account_id.as_deref().unwrap_or(BLANK))],
    );
    for key in &case.keys {
        of_key(key, &mut say);
    }
    let regions: std::collections::BTreeSet<&str> = case
        .coverage
        .iter()
        .map(|it| it.region.as_str())
        .filter(|it| !it.is_empty())
        .collect();
    let from = case
        .coverage
        .iter()
        .map(|it| it.from.as_str())
        .filter(|it| !it.is_empty())
        .min();
    let to = case
        .coverage
        .iter()
        .map(|it| it.to.as_str())
        .filter(|it| !it.is_empty())
        .max();
    let regions: Vec<&str> = regions.into_iter().collect();
    match (from, to) {
        (Some(from), Some(to)) => say(
            "trail",
            &[("from", from), ("to", to), ("regions", &regions.join(", "))],
        ),
        _ => say(
            "trail",
            &[("from", BLANK), ("to", BLANK), ("regions", BLANK)],
        ),
    }
    for code in ["resources", "billing", "prevention", "closing"] {
        say(code, &[("blank", BLANK)]);
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|line| escape::terminal(line).into_owned())
        .collect();
    lines.join("\n") + "\n"
}

fn of_key(key: &KeyCase, say: &mut impl FnMut(&str, &[(&str, &str)])) {
    let owner = match (key.owner.kind, &key.owner.name) {
        ("root", _) => "root",
        (_, Some(name)) => name,
        _ => BLANK,
    };
    say("key", &[("key", &key.key_id), ("owner", owner)]);
    // The date of a commit is not that of its publication.
    let exposed = key
        .leaked_at
        .as_ref()
        .filter(|it| it.source == "option")
        .map_or(BLANK, |it| it.at.as_str());
    let noticed = key
        .support
        .as_ref()
        .and_then(|it| it.sent.as_deref())
        .unwrap_or(BLANK);
    say(
        "times",
        &[
            ("exposed", exposed),
            ("noticed", noticed),
            ("contained", BLANK),
        ],
    );
    match key.status.value {
        "inactive" | "deleted" => {
            let newest = key.status.facts.first();
            let at = newest
                .and_then(|fact| fact.as_of.as_deref())
                .unwrap_or(BLANK);
            say("off", &[("at", at)]);
        }
        _ => say("rotated", &[("blank", BLANK)]),
    }
    let made = key
        .traced
        .lineage
        .iter()
        .filter(|edge| edge.kind != "session");
    let made: std::collections::BTreeSet<&str> = made.map(|edge| edge.child.as_str()).collect();
    let made: Vec<&str> = made.into_iter().collect();
    if made.is_empty() {
        say("principals_none", &[("blank", BLANK)]);
    } else {
        say(
            "principals",
            &[("names", &made.join(", ")), ("blank", BLANK)],
        );
    }
}
