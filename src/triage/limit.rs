//! Limits of the evidence. Nothing found does not mean that nothing is there.

use std::collections::BTreeSet;

use super::{KeyCase, Question, Said};
use crate::evidence::Kind;

/// A fact that must be known of every key for a complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// If the key works.
    Status,
    /// Its owner.
    Owner,
    /// Its use, from the logs.
    Trail,
}

impl Ground {
    /// Returns true if it is known of a key.
    pub fn is_met(self, key: &KeyCase, has_trail: bool) -> bool {
        match self {
            Self::Status => key.status.value != "unknown",
            Self::Owner => key.owner.kind != "unknown",
            Self::Trail => has_trail,
        }
    }
}

/// Regions that are named; the rest is counted.
const NAMED: usize = 8;

/// Everything that stays open.
pub(super) fn limits(question: &Question<'_>, keys: &[KeyCase]) -> Vec<Said> {
    let mut limits = Vec::new();
    match question.coverage {
        None => limits.push(Said::bare("no_trail")),
        Some(coverage) => {
            let regions: BTreeSet<&str> = coverage
                .regions
                .keys()
                .map(|(_, region)| region.as_str())
                .filter(|it| !it.is_empty())
                .collect();
            let named: Vec<&str> = regions.iter().copied().take(NAMED).collect();
            let mut list = named.join(", ");
            if regions.len() > NAMED {
                list.push_str(&format!(" (+{})", regions.len() - NAMED));
            }
            limits.push(Said::with("regions", [("regions", list)]));
            // Where IAM, STS and sign-ins of each partition are recorded.
            let homes = ["us-east-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"];
            if !homes.iter().any(|home| regions.contains(home)) {
                limits.push(Said::bare("no_global"));
            }
            let from = coverage
                .regions
                .values()
                .map(|region| region.period.from.as_str())
                .filter(|it| !it.is_empty())
                .min();
            let to = coverage
                .regions
                .values()
                .map(|region| region.period.to.as_str())
                .max();
            if let (Some(from), Some(to)) = (from, to) {
                limits.push(Said::with(
                    "period",
                    [("from", from.to_owned()), ("to", to.to_owned())],
                ));
            }
            let gaps: usize = coverage
                .regions
                .values()
                .map(|region| region.gaps().len())
                .sum();
            if gaps > 0 {
                limits.push(Said::with("gaps", [("count", gaps.to_string())]));
            }
            if coverage.categories.get("Data").copied().unwrap_or_default() == 0 {
                limits.push(Said::bare("no_data_events"));
            }
            if !coverage.changes.is_empty() {
                let changes: Vec<String> = coverage
                    .changes
                    .iter()
                    .map(|(name, count)| format!("{name} ×{count}"))
                    .collect();
                limits.push(Said::with("changes", [("changes", changes.join(", "))]));
            }
        }
    }
    if question.is_bounded {
        limits.push(Said::bare("bounded"));
    }
    for key in keys {
        let of = |code| Said::with(code, [("key", key.key_id.clone())]);
        if key.leaked_at.is_none() {
            limits.push(of("no_leak_time"));
        } else if question.coverage.is_some() && key.traced.calls.before.events == 0 {
            limits.push(of("no_baseline"));
        }
        if key
            .leaked_at
            .as_ref()
            .is_some_and(|it| it.source == "commit")
        {
            limits.push(of("commit_date"));
        }
        if key.status.value == "unknown" {
            limits.push(of("no_status"));
        }
        if key.owner.kind == "unknown" {
            limits.push(of("no_owner"));
        }
        if key.owner.kind == "user" && key.permissions.is_none() {
            limits.push(of("no_permissions"));
        }
        if key.permissions.is_some() {
            limits.push(of("at_most"));
        }
        // What descends is seen only where all logs are, not where one key was looked up.
        if key
            .traced
            .lineage
            .iter()
            .any(|edge| edge.kind != "password")
            && key.traced.descendants.events == 0
        {
            limits.push(of("silent_descendants"));
        }
    }
    let answers = question.exhibits.iter().flat_map(|it| match &it.kind {
        Kind::Answers(answers) => answers.as_slice(),
        _ => &[],
    });
    let elsewhere: BTreeSet<(&str, &str)> = answers
        .filter(|answer| keys.iter().any(|key| key.key_id == answer.key_id))
        .filter_map(|answer| Some((answer.key_id.as_str(), answer.elsewhere.as_deref()?)))
        .collect();
    for (key, host) in elsewhere {
        let values = [("key", key.to_owned()), ("host", host.to_owned())];
        limits.push(Said::with("not_aws", values));
    }
    let mut is_costed = false;
    for exhibit in question.exhibits {
        let path = || ("path", exhibit.path.to_string_lossy().into_owned());
        match &exhibit.kind {
            Kind::LastUse(used) if used.key_id.is_none() => {
                limits.push(Said::with("nameless_last_use", [path()]))
            }
            Kind::PolicyUsers { policy: None, .. } => {
                limits.push(Said::with("nameless_policy", [path()]))
            }
            Kind::KeyList { is_cut: true, .. } => limits.push(Said::with("cut", [path()])),
            Kind::Authorization(details) if details.is_cut => {
                limits.push(Said::with("cut", [path()]))
            }
            Kind::CredentialReport(report) if report.root().is_none() => {
                limits.push(Said::with("no_root_row", [path()]))
            }
            Kind::Costs(_) => is_costed = true,
            _ => {}
        }
    }
    if !is_costed {
        limits.push(Said::bare("no_costs"));
    }
    limits
}
