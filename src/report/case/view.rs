//! A case in words: sections of labelled lines, before any form makes them harmless.

use crate::text::numbers::grouped;
use crate::text::words::Lang;
use crate::triage::deed::{Deed, DeedKind};
use crate::triage::records::Fact;
use crate::triage::trace::{Edge, EventRef};
use crate::triage::usage::{Tally, Use};
use crate::triage::{Case, KeyCase, Said};

/// Values that are shown of a set, places, descendants and deeds; the rest is counted.
const SHOWN: usize = 6;

/// A case in words.
#[derive(Clone, Debug)]
pub struct View {
    pub(super) lang: Lang,
    pub(super) title: String,
    pub(super) headline: String,
    pub(super) sections: Vec<Section>,
    pub(super) limits_title: String,
    pub(super) limits: Vec<Row>,
    pub(super) foot: Vec<String>,
}

/// A key.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) level: &'static str,
    pub(super) rows: Vec<Row>,
}

/// A label and its lines.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) lines: Vec<String>,
}

impl View {
    /// A case in a language.
    pub fn new(case: &Case, lang: Lang) -> Self {
        let teller = Teller { lang };
        let count = |number: usize| grouped(number as u64);
        let code = match (case.summary.need_action, case.summary.contained) {
            (0, _) => "case.none",
            (some, contained) if some == contained => "case.contained",
            (1, _) => "case.one",
            _ => "case.some",
        };
        let headline = lang.say(
            code,
            &[
                ("count", &count(case.summary.need_action)),
                ("keys", &count(case.summary.keys)),
            ],
        );
        let files = count(case.evidence.len());
        let unread = count(case.unread.len());
        let mut foot = vec![lang.say("case.files", &[("files", &files), ("unread", &unread)])];
        foot.extend(
            case.unread
                .iter()
                .map(|it| lang.say("case.unread", &[("path", &it.path), ("why", &it.why)])),
        );
        Self {
            lang,
            title: lang.word("case.title"),
            headline,
            sections: case.keys.iter().map(|key| teller.section(key)).collect(),
            limits_title: lang.word("case.limits"),
            limits: teller.limits(&case.limits),
            foot,
        }
    }
}

struct Teller {
    lang: Lang,
}

impl Teller {
    fn word(&self, code: &str) -> String {
        self.lang.word(code)
    }

    fn said(&self, group: &str, said: &Said) -> String {
        let values: Vec<(&str, &str)> = said
            .values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.lang.say(&format!("{group}.{}", said.code), &values)
    }

    /// Several statements of one kind come in one row.
    fn limits(&self, limits: &[Said]) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for limit in limits {
            let label = self.word(&format!("limit_label.{}", limit.code));
            let line = self.said("limit", limit);
            match rows.iter_mut().find(|row| row.label == label) {
                Some(row) => row.lines.push(line),
                None => rows.push(Row {
                    label,
                    lines: vec![line],
                }),
            }
        }
        rows
    }

    fn section(&self, key: &KeyCase) -> Section {
        let mut rows = Vec::new();
        let mut row = |label: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                let label = self.word(&format!("label.{label}"));
                rows.push(Row { label, lines });
            }
        };
        let reasons = key
            .priority
            .reasons
            .iter()
            .map(|it| self.said("reason", it));
        let reasons: Vec<String> = reasons.collect();
        row("why", vec![reasons.join(&self.word("join"))]);
        row("contained", self.containment(key));
        row("found", self.places(key));
        row(
            "leaked",
            vec![match &key.leaked_at {
                Some(leak) => self
                    .lang
                    .say(&format!("leaked.{}", leak.source), &[("at", &leak.at)]),
                None => self.word("leaked.unknown"),
            }],
        );
        row(
            "owner",
            self.facts("owner", &key.owner.facts, key.owner.disagree),
        );
        if key.account_id.is_none() {
            row(
                "account",
                self.facts("account", &key.account_facts, key.account_facts.len() > 1),
            );
        }
        row("status", self.status(key));
        row(
            "quarantine",
            vec![match (key.quarantine.value, &key.quarantine.policy) {
                ("attached", Some(policy)) => self.lang.say("quarantine.by", &[("policy", policy)]),
                (value, _) => self.word(&format!("quarantine.{value}")),
            }],
        );
        row("last_used", self.last_used(key));
        row("may", self.permissions(key));
        row(
            "exposed",
            key.exposure
                .iter()
                .map(|fact| self.exposure(fact))
                .collect(),
        );
        row("support", self.support(key));
        row("before", vec![self.usage(&key.traced.calls.before)]);
        row("after", self.usages(&key.traced.calls.after));
        row("new", self.novelty(key));
        row("first", self.firsts(key));
        for kind in DeedKind::ALL {
            row(kind.name(), self.deeds(key, kind));
        }
        row("descends", self.lineage(&key.traced.lineage));
        if key.traced.descendants.events > 0 {
            row("descendants", self.usages(&key.traced.descendants));
        }
        if key.traced.on_behalf_of.events > 0 {
            row("on_behalf", vec![self.usage(&key.traced.on_behalf_of)]);
        }
        if key.traced.other_credentials.events > 0 {
            row(
                "other",
                vec![
                    self.usage(&key.traced.other_credentials),
                    self.word("other.note"),
                ],
            );
        }
        row("about", self.about(key));
        row("cost", self.costs(key));
        Section {
            name: key.key_id.clone(),
            title: self.title(key),
            level: key.priority.level,
            rows,
        }
    }

    fn title(&self, key: &KeyCase) -> String {
        let name = key.owner.name.as_deref().unwrap_or("?");
        let account = key.account_id.as_deref().unwrap_or("?");
        let owner = self.lang.say(
            &format!("owner.{}", key.owner.kind),
            &[("name", name), ("account", account)],
        );
        format!("{}   {owner}", key.priority.level)
    }

    fn containment(&self, key: &KeyCase) -> Vec<String> {
        if key.containment.contained {
            return vec![self.word("open.nothing")];
        }
        key.containment
            .open
            .iter()
            .map(|it| self.said("open", it))
            .collect()
    }

    fn places(&self, key: &KeyCase) -> Vec<String> {
        let place = |place: &crate::triage::subject::Place| {
            let mut line = format!("{}:{}", place.path, place.line);
            if let Some(commit) = &place.commit {
                let short = commit.get(..10).unwrap_or(commit);
                let date = place.date.as_deref().unwrap_or("?");
                line.push_str(
                    &self
                        .lang
                        .say("place.since", &[("commit", short), ("date", date)]),
                );
            }
            if place.in_head == Some(true) {
                line.push_str(&self.word("place.in_head"));
            }
            if let Some(name) = place.refs.first() {
                line.push_str(&format!(", {name}"));
            }
            line
        };
        let lines = key.places.iter().take(SHOWN).map(place).collect();
        self.and_more(lines, key.places.len() + key.more_places)
    }

    /// One statement, or all of them if they disagree.
    fn facts(&self, group: &str, facts: &[Fact], disagree: bool) -> Vec<String> {
        let source = |fact: &Fact| {
            let as_of = fact.as_of.as_deref().unwrap_or("-");
            let value = match group {
                "status" => self.word(&format!("status.{}", fact.value)),
                _ => fact.value.clone(),
            };
            let source = self.word(&format!("source.{}", fact.source));
            self.lang.say(
                "fact",
                &[("value", &value), ("source", &source), ("as_of", as_of)],
            )
        };
        match (facts, disagree) {
            ([], _) => vec![self.word(&format!("{group}.unknown_why"))],
            ([fact, ..], false) => vec![source(fact)],
            (all, true) => {
                let mut lines = vec![self.word("disagree")];
                let mut seen = std::collections::BTreeSet::new();
                lines.extend(
                    all.iter()
                        .filter(|fact| seen.insert(&fact.value))
                        .map(source),
                );
                lines
            }
        }
    }

    fn status(&self, key: &KeyCase) -> Vec<String> {
        let mut lines = self.facts("status", &key.status.facts, key.status.disagree);
        if let Some(created) = &key.created {
            lines.push(self.lang.say("status.created", &[("at", &created.value)]));
        }
        if let Some(slot) = &key.slot {
            lines.push(self.lang.say(
                &format!("slot.{}", slot.how),
                &[("number", &slot.number.to_string())],
            ));
        }
        lines
    }

    fn last_used(&self, key: &KeyCase) -> Vec<String> {
        let one = |used: &crate::triage::records::LastUsed| {
            let source = self.word(&format!("source.{}", used.source));
            match &used.at {
                Some(at) => {
                    let words = [
                        Some(at.as_str()),
                        used.service.as_deref(),
                        used.region.as_deref(),
                    ];
                    let words: Vec<&str> = words.into_iter().flatten().collect();
                    self.lang.say(
                        "used.at",
                        &[("what", &words.join(" ")), ("source", &source)],
                    )
                }
                None => self.lang.say("used.never", &[("source", &source)]),
            }
        };
        key.last_used.iter().take(SHOWN).map(one).collect()
    }

    fn permissions(&self, key: &KeyCase) -> Vec<String> {
        let Some(may) = &key.permissions else {
            return Vec::new();
        };
        let mut lines = vec![match (may.admin, may.escalation.is_empty()) {
            (true, _) => self.word("may.admin"),
            (false, false) => self
                .lang
                .say("may.escalation", &[("names", &may.escalation.join(", "))]),
            (false, true) => self.word("may.limited"),
        }];
        if !may.can_assume.is_empty() {
            let names: Vec<&str> = may
                .can_assume
                .iter()
                .take(SHOWN)
                .map(String::as_str)
                .collect();
            let count = grouped(may.can_assume.len() as u64);
            lines.push(self.lang.say(
                "may.assume",
                &[("names", &names.join(", ")), ("count", &count)],
            ));
        }
        if may.boundary {
            lines.push(self.word("may.boundary"));
        }
        lines
    }

    fn exposure(&self, fact: &Fact) -> String {
        let source = self.word(&format!("source.{}", fact.source));
        if fact.value.is_empty() {
            return self.lang.say("exposed.no_place", &[("source", &source)]);
        }
        self.lang
            .say("exposed", &[("source", &source), ("what", &fact.value)])
    }

    fn support(&self, key: &KeyCase) -> Vec<String> {
        let Some(support) = &key.support else {
            return Vec::new();
        };
        let mut lines = Vec::new();
        if let Some(case) = &support.case_id {
            lines.push(self.lang.say("support.case", &[("case", case)]));
        }
        if let Some(deadline) = &support.deadline {
            lines.push(self.lang.say("support.deadline", &[("deadline", deadline)]));
        }
        lines
    }

    fn usage(&self, of: &Use) -> String {
        if of.events == 0 {
            return self.word("use.none");
        }
        let (from, to) = (
            of.from.as_deref().unwrap_or("?"),
            of.to.as_deref().unwrap_or("?"),
        );
        let (events, failed) = (grouped(of.events), grouped(of.failed));
        let mut line = self.lang.say(
            "use.some",
            &[
                ("events", &events),
                ("failed", &failed),
                ("from", from),
                ("to", to),
            ],
        );
        if of.known > 0 {
            line.push_str(&self.lang.say("use.known", &[("known", &grouped(of.known))]));
        }
        line
    }

    fn usages(&self, of: &Use) -> Vec<String> {
        let mut lines = vec![self.usage(of)];
        for (code, tally) in [
            ("use.addresses", &of.addresses),
            ("use.agents", &of.agents),
            ("use.regions", &of.regions),
            ("use.services", &of.services),
            ("use.errors", &of.errors),
        ] {
            let values = self.tally(tally);
            if !values.is_empty() {
                lines.push(self.lang.say(code, &[("values", &values)]));
            }
        }
        lines
    }

    fn tally(&self, tally: &Tally) -> String {
        let all = tally.by_count();
        let shown: Vec<String> = all
            .iter()
            .take(SHOWN)
            .map(|(value, count)| format!("{value} {}", grouped(*count)))
            .collect();
        let mut text = shown.join(", ");
        let more = all.len().saturating_sub(SHOWN) as u64 + tally.rest();
        if more > 0 {
            text.push_str(&self.lang.say("more_values", &[("count", &grouped(more))]));
        }
        text
    }

    fn novelty(&self, key: &KeyCase) -> Vec<String> {
        let new = &key.traced.calls.new;
        if key.traced.calls.before.events == 0 || key.traced.calls.after.events == 0 {
            return Vec::new();
        }
        let list = |values: &[String]| {
            let shown: Vec<&str> = values.iter().take(SHOWN).map(String::as_str).collect();
            let mut text = shown.join(", ");
            if let Some(more @ 1..) = values.len().checked_sub(SHOWN) {
                text.push_str(
                    &self
                        .lang
                        .say("more_values", &[("count", &grouped(more as u64))]),
                );
            }
            text
        };
        let mut lines = Vec::new();
        for (code, values) in [
            ("use.addresses", &new.addresses),
            ("use.agents", &new.agents),
            ("use.regions", &new.regions),
            ("use.services", &new.services),
        ] {
            if !values.is_empty() {
                lines.push(self.lang.say(code, &[("values", &list(values))]));
            }
        }
        if lines.is_empty() {
            lines.push(self.word("new.nothing"));
        }
        lines
    }

    fn event(&self, code: &str, event: &EventRef) -> String {
        let call = format!("{}:{}", event.service, event.event_name);
        self.lang.say(
            code,
            &[
                ("at", &event.at),
                ("call", &call),
                ("region", &event.region),
                ("address", &event.address),
                ("agent", &event.agent),
            ],
        )
    }

    fn firsts(&self, key: &KeyCase) -> Vec<String> {
        let traced = &key.traced;
        let mut lines = Vec::new();
        for (code, event) in [
            ("first.call", &traced.first_after),
            ("first.suspicious", &traced.first_suspicious),
            ("first.write", &traced.first_write_after),
        ] {
            lines.extend(event.as_ref().map(|event| self.event(code, event)));
        }
        let worst = DeedKind::ALL[..2]
            .iter()
            .flat_map(|kind| traced.done(*kind))
            .min_by(|a, b| a.at.cmp(&b.at));
        lines.extend(worst.map(|deed| {
            self.lang
                .say("first.deed", &[("at", &deed.at), ("what", &show(deed))])
        }));
        lines
    }

    fn deeds(&self, key: &KeyCase, kind: DeedKind) -> Vec<String> {
        let sums = crate::triage::trace::sums(&key.traced.deeds);
        let Some((done, failed)) = sums.get(&kind).copied() else {
            return Vec::new();
        };
        let mut lines = vec![self.lang.say(
            "deeds",
            &[("done", &grouped(done)), ("failed", &grouped(failed))],
        )];
        if kind == DeedKind::Reconnaissance {
            return lines;
        }
        // Equal ones together, the first time of each.
        let mut seen: Vec<(String, &str, u64)> = Vec::new();
        for deed in key.traced.done(kind) {
            let what = show(deed);
            match seen.iter_mut().find(|(known, ..)| *known == what) {
                Some((.., count)) => *count += 1,
                None => seen.push((what, &deed.at, 1)),
            }
        }
        let count = seen.len();
        for (what, at, times) in seen.into_iter().take(SHOWN) {
            let times = if times > 1 {
                format!(" ×{times}")
            } else {
                String::new()
            };
            lines.push(format!("{at} {what}{times}"));
        }
        if let Some(more @ 1..) = count.checked_sub(SHOWN) {
            lines.push(self.lang.say("more", &[("count", &grouped(more as u64))]));
        }
        lines
    }

    fn lineage(&self, edges: &[Edge]) -> Vec<String> {
        let one = |edge: &Edge| {
            let kind = self.word(&format!("edge.{}", edge.kind));
            let mut line = format!("{kind} {}: {} {}", edge.child, edge.at, edge.how);
            if let Some(of) = &edge.of {
                line.push_str(&format!(" {of}"));
            }
            if let Some(expires) = &edge.expires {
                line.push_str(&self.lang.say("edge.expires", &[("at", expires)]));
            }
            line
        };
        // What lives on first.
        let mut sorted: Vec<&Edge> = edges.iter().collect();
        sorted.sort_by_key(|edge| edge.kind == "session");
        let lines = sorted
            .iter()
            .take(2 * SHOWN)
            .map(|edge| one(edge))
            .collect();
        self.and_more(lines, edges.len())
    }

    fn about(&self, key: &KeyCase) -> Vec<String> {
        let lines = key
            .traced
            .about
            .iter()
            .rev()
            .take(SHOWN)
            .map(|event| self.event("event", event))
            .collect();
        self.and_more(
            lines,
            key.traced.about.len() + key.traced.more_about as usize,
        )
    }

    fn costs(&self, key: &KeyCase) -> Vec<String> {
        let risen = key
            .cost
            .iter()
            .filter(|cost| cost.after > 0.005)
            .take(SHOWN);
        let lines = risen.map(|cost| {
            let money = |sum: f64| format!("{sum:.2} {}", cost.unit);
            let region = if cost.region.is_empty() {
                "-"
            } else {
                &cost.region
            };
            let source = self.lang.say(cost.source.name(), &[]);
            self.lang.say(
                "cost",
                &[
                    ("source", &source),
                    ("service", &cost.service),
                    ("region", region),
                    ("before", &money(cost.before)),
                    ("after", &money(cost.after)),
                    ("days_before", &cost.days_before.to_string()),
                    ("days_after", &cost.days_after.to_string()),
                ],
            )
        });
        lines.collect()
    }

    fn and_more(&self, mut lines: Vec<String>, all: usize) -> Vec<String> {
        if let Some(more @ 1..) = all.checked_sub(lines.len()) {
            lines.push(self.lang.say("more", &[("count", &grouped(more as u64))]));
        }
        lines
    }
}

/// `iam:CreateUser alice`.
fn show(deed: &Deed) -> String {
    let targets: Vec<&str> = deed.target.values().map(String::as_str).collect();
    format!("{}:{} {}", deed.service, deed.event_name, targets.join(" "))
        .trim_end()
        .to_owned()
}
