//! Tells what the engine saw in one blob, and why it was or was not reported.

use std::collections::BTreeSet;

use super::build::parts;
use super::lines::Lines;
use crate::blob::Span;
use crate::engine::{Engine, Scratch};

/// Something that the engine saw. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceEvent {
    /// Line of its first byte, 1-based.
    pub line: usize,
    /// Column of its first byte, 1-based.
    pub column: usize,
    /// Line of its last byte.
    pub end_line: usize,
    /// The stage that it reached.
    pub kind: Stage,
    /// Description of the event.
    pub text: String,
}

/// Last stage that a candidate reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A literal that some rule looks for.
    Keyword,
    /// Was looked at and judged.
    Judged,
    /// Is reported.
    Reported,
}

/// Everything that the engine saw in `bytes`, in order of place.
pub fn explain(engine: &Engine, bytes: &[u8]) -> Vec<TraceEvent> {
    let mut seen: Vec<(Span, Stage, String)> = Vec::new();
    let prefilter = engine.prefilter();
    let mut hits = Vec::new();
    prefilter.find(bytes, &mut hits);
    for hit in hits {
        let keyword = prefilter.keyword(hit.keyword);
        let span = Span::new(hit.offset, hit.offset + keyword.len());
        let text = String::from_utf8_lossy(keyword).into_owned();
        seen.push((span, Stage::Keyword, text));
    }
    for explanation in engine.explain(bytes) {
        seen.push((explanation.span, Stage::Judged, explanation.text));
    }
    let mut scratch = Scratch::default();
    for found in engine.scan(bytes, &mut scratch) {
        let rule = engine.rules().rules.get(found.rule);
        let rule = rule.map_or("", |rule| rule.id.as_ref());
        let mut text = format!("{}[{rule}]", found.level.name());
        let halves: Vec<&str> = [
            (found.key_id.is_some(), "a key ID"),
            (found.secret.is_some(), "a secret"),
            (found.token.is_some(), "a session token"),
        ]
        .into_iter()
        .filter_map(|(there, name)| there.then_some(name))
        .collect();
        text.push_str(&format!(": {}", halves.join(", ")));
        for reason in &found.reasons {
            text.push_str("; ");
            text.push_str(reason);
        }
        let span = parts(found).first().copied().unwrap_or(found.span);
        let whole = Span::new(span.start, found.span.end.max(span.end));
        seen.push((whole, Stage::Reported, text));
    }
    let lines = Lines::new(bytes);
    let spans: Vec<Span> = seen.iter().map(|(span, ..)| *span).collect();
    let sights: BTreeSet<TraceEvent> = lines
        .positions(&spans)
        .into_iter()
        .zip(seen)
        .map(|(position, (_, kind, text))| TraceEvent {
            line: position.line,
            column: position.column,
            end_line: position.end_line,
            kind,
            text,
        })
        .collect();
    sights.into_iter().collect()
}
