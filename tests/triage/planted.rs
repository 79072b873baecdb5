//! Planted incidents: every event of a key and of what descends from it counts where it belongs, and no other counts.

use std::collections::{BTreeMap, BTreeSet};

use keysieve::aws::cloudtrail::{Event, LogKeyId};
use keysieve::triage::subject::Subjects;
use keysieve::triage::{Question, assess};
use serde_json::Value;

/// The answer for one key.
fn case(key: &str, events: &[Event]) -> keysieve::triage::Case {
    let mut subjects = Subjects::new();
    subjects
        .entry(LogKeyId::parse(key).expect("a key"))
        .or_default();
    assess(&Question {
        subjects: &subjects,
        leaked_at: None,
        known: &[],
        exhibits: &[],
        events,
        coverage: None,
        is_bounded: false,
        now: 1_800_000_000,
    })
}

#[test]
fn the_lineage_of_planted_incidents_is_exact() {
    for seed in 0..1000 {
        let (key, planted, _) = crate::trail::incident(seed);
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut children = BTreeSet::new();
        for (event, relation) in &planted {
            let Some(relation) = relation else {
                continue;
            };
            *counts.entry(relation).or_default() += 1;
            let text = |path: &str| event.pointer(path).and_then(Value::as_str);
            if text("/errorCode").is_some() || *relation == "about" {
                continue;
            }
            children.extend(text("/responseElements/credentials/accessKeyId"));
            children.extend(text("/responseElements/accessKey/accessKeyId"));
            if event["eventName"] == "CreateUser" {
                children.extend(text("/requestParameters/userName"));
            }
            // The session of a made user at the console, which no event issues.
            if *relation == "made" && event["sessionCredentialFromConsole"] == "true" {
                children.extend(text("/userIdentity/accessKeyId"));
            }
        }
        let mut events: Vec<Event> = planted
            .iter()
            .map(|(event, _)| {
                Event::parse(event.to_string().as_bytes())
                    .expect("JSON")
                    .expect("a record")
            })
            .collect();
        events.sort_by(|a, b| (&a.time, &a.id).cmp(&(&b.time, &b.id)));
        let case = case(&key, &events);
        let traced = &case.keys[0].traced;
        let of = |names: &[&str]| {
            names
                .iter()
                .filter_map(|name| counts.get(name))
                .sum::<u64>()
        };
        assert_eq!(
            traced.calls.before.events + traced.calls.after.events,
            of(&["by"]),
            "seed {seed}"
        );
        assert_eq!(
            traced.descendants.events,
            of(&["issued", "made", "login"]),
            "seed {seed}"
        );
        assert_eq!(
            traced.on_behalf_of.events,
            of(&["on-behalf"]),
            "seed {seed}"
        );
        assert_eq!(
            traced.other_credentials.events,
            of(&["same-principal"]),
            "seed {seed}"
        );
        assert_eq!(
            traced.about.len() as u64 + traced.more_about,
            of(&["about"]),
            "seed {seed}"
        );
        let found: BTreeSet<&str> = traced
            .lineage
            .iter()
            .map(|edge| edge.child.as_str())
            .collect();
        assert_eq!(found, children, "seed {seed}");
        let parents: BTreeSet<&str> = traced
            .lineage
            .iter()
            .map(|edge| edge.parent.as_str())
            .collect();
        assert!(
            parents
                .iter()
                .all(|parent| *parent == key || found.contains(parent)),
            "seed {seed}"
        );
        let mut ids: Vec<&str> = traced
            .deeds
            .iter()
            .map(|deed| deed.event_id.as_str())
            .collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "seed {seed}: a deed twice");
    }
}
