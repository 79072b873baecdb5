//! From the engine's matches to findings with places: positions, snippet, message.

use std::cmp::Reverse;

use super::lines::Lines;
use super::snippet::{self, Cuts};
use super::{Options, message};
use crate::blob::{Blob, Span, Window};
use crate::engine::{Engine, Match, Part};
use crate::finding::{Finding, Fingerprint, Place, Position, UnusedMarker};
use crate::policy::Markers;
use crate::provenance::{ObjectKind, Provenance};
use crate::rule::{Rule, RuleSet};
use crate::secret::Secret;
use crate::text::paths::Base;

/// The findings of one blob.
#[derive(Debug, Default)]
pub struct Built {
    /// One finding per match, each with one place.
    pub findings: Vec<Finding>,
    /// Number of findings beyond [`Options::max_findings`].
    pub beyond: usize,
    /// Allow markers that cover none of them, if [`Options::unused_markers`] asks.
    pub unused: Vec<UnusedMarker>,
}

/// Makes findings of what the engine found in `blob`. `redact` are all spans that may hold secret bytes.
///
/// Where there are more matches than the limit allows, the heaviest are kept.
pub fn findings_of(
    blob: Blob<'_>,
    matches: &[Match],
    redact: &[Span],
    rules: &RuleSet,
    options: &Options,
) -> Built {
    let mut wanted: Vec<(&Match, &Rule)> = matches
        .iter()
        .filter_map(|found| Some((found, rules.rules.get(found.rule)?)))
        .filter(|(_, rule)| {
            options
                .only
                .as_ref()
                .is_none_or(|only| only.contains(rule.id.as_ref()))
        })
        .collect();
    let beyond = wanted.len().saturating_sub(options.max_findings);
    if beyond > 0 {
        wanted.sort_by_key(|(found, _)| Reverse(found.level));
        wanted.truncate(options.max_findings);
        wanted.sort_by_key(|(found, _)| found.span);
    }
    if wanted.is_empty() {
        return Built {
            unused: unused_markers(blob, rules, options),
            ..Built::default()
        };
    }
    let lines = Lines::new(blob.bytes);
    let cuts = Cuts::new(redact, matches);
    let all: Vec<Span> = wanted.iter().flat_map(|(found, _)| spans(found)).collect();
    let mut positions = lines.positions(&all).into_iter();
    let whole = Span::new(0, blob.bytes.len());
    // What is in a container is judged, not asked.
    let mut markers = match blob.provenance.steps() {
        [] => Markers::new(blob.bytes, cuts.within(whole), &is_rule(rules)),
        _ => Markers::default(),
    };
    let findings = wanted
        .into_iter()
        .map(|(found, rule)| {
            let positions: Vec<Position> = positions.by_ref().take(spans(found).len()).collect();
            let mut place = place(blob.provenance, found, &positions);
            place.snippet = snippet::snippet(&lines, &cuts, found, options);
            place.marker = markers.cover(&rule.id, &place);
            finding(found, rule, place)
        })
        .collect();
    let unused = match (options.unused_markers, blob.provenance.path()) {
        (true, Some(path)) => markers.unused(path),
        _ => Vec::new(),
    };
    Built {
        findings,
        beyond,
        unused,
    }
}

/// Returns what an old version of `blob` held, each at one place: all of it that nothing accepted.
///
/// One that is there twice, and once without a marker, is among them.
pub(super) fn known(
    blob: Blob<'_>,
    matches: &[Match],
    redact: &[Span],
    rules: &RuleSet,
    options: &Options,
) -> Vec<Finding> {
    let options = Options {
        max_findings: usize::MAX,
        unused_markers: false,
        context: 0,
        ..options.clone()
    };
    let mut findings = findings_of(blob, matches, redact, rules, &options).findings;
    findings.retain_mut(|finding| !options.before.accept(finding));
    findings
}

/// The markers of a blob without findings: all of them cover nothing.
pub(super) fn unused_markers(
    blob: Blob<'_>,
    rules: &RuleSet,
    options: &Options,
) -> Vec<UnusedMarker> {
    match blob.provenance.path() {
        Some(path) if options.unused_markers && blob.provenance.steps().is_empty() => {
            Markers::new(blob.bytes, &[], &is_rule(rules)).unused(path)
        }
        _ => Vec::new(),
    }
}

fn is_rule(rules: &RuleSet) -> impl Fn(&str) -> bool {
    |id| rules.index_of(id).is_some()
}

/// Moves findings in a piece of a longer text to their places in the whole.
pub(super) fn shift(findings: &mut [Finding], window: Window) {
    let move_by = |position: &mut Position| {
        position.offset += window.offset;
        position.line += window.line;
        position.end_line += window.line;
    };
    for place in findings.iter_mut().flat_map(|finding| &mut finding.places) {
        move_by(&mut place.position);
        let parts = [
            &mut place.key_id,
            &mut place.secret,
            &mut place.token,
            &mut place.possible,
        ];
        parts.into_iter().flatten().for_each(move_by);
        for line in &mut place.snippet {
            line.number += window.line;
        }
    }
}

/// Returns true if a match in a piece counts there, and not in the piece before or after.
pub(super) fn is_within(found: &Match, window: Window) -> bool {
    let start = parts(found)
        .first()
        .map_or(found.span.start, |span| span.start);
    (window.from..window.to).contains(&start)
}

/// The secret that identifies a match; for a token without key id and secret the token.
fn identifying(found: &Match) -> Option<Secret> {
    let part = match (&found.key_id, &found.secret) {
        (None, None) => found.token.as_ref(),
        (_, secret) => secret.as_ref(),
    };
    part.map(|part| part.value.clone())
}

/// Returns the spans of those parts of a match that are in the blob: key id, secret, token; the whole match if none is.
pub(super) fn parts(found: &Match) -> Vec<Span> {
    let parts: Vec<Span> = [&found.key_id, &found.secret, &found.token]
        .into_iter()
        .filter_map(|part| standing(part.as_ref()))
        .collect();
    if parts.is_empty() {
        vec![found.span]
    } else {
        parts
    }
}

/// Those of [`parts`], and behind them that of what may be the secret.
fn spans(found: &Match) -> Vec<Span> {
    let mut spans = parts(found);
    spans.extend(found.possible);
    spans
}

/// Returns the span of a part that is in the blob rather than known from another place of it.
fn standing(part: Option<&Part>) -> Option<Span> {
    part.map(|part| part.span).filter(|span| !span.is_empty())
}

fn key_id(found: &Match) -> Option<String> {
    let part = found.key_id.as_ref()?;
    Some(String::from_utf8_lossy(part.value.expose()).into_owned())
}

fn finding(found: &Match, rule: &Rule, place: Place) -> Finding {
    let key_id = key_id(found);
    let secret = found.secret.as_ref().map(|part| part.value.clone());
    let account_id = key_id
        .as_deref()
        .filter(|_| rule.kind.is_aws())
        .and_then(|key_id| Engine::account_of(key_id.as_bytes()));
    Finding {
        rule: rule.id.to_string(),
        level: found.level,
        fingerprint: Fingerprint::new(&rule.id, key_id.as_deref(), identifying(found).as_ref()),
        message: message::message(rule, found, key_id.as_deref(), account_id.as_deref()),
        advice: rule.advice.to_string(),
        key_id,
        account_id,
        secret,
        session_token: found.token.as_ref().map(|part| part.value.clone()),
        context: found.context.clone(),
        reasons: found.reasons.clone(),
        places: vec![place],
        accepted: None,
    }
}

/// `positions` are those of [`spans`].
fn place(provenance: &Provenance, found: &Match, positions: &[Position]) -> Place {
    let mut next = positions.iter().copied();
    let mut position_of = |part: &Option<Part>| standing(part.as_ref()).and_then(|_| next.next());
    let key_id = position_of(&found.key_id);
    let secret = position_of(&found.secret);
    let token = position_of(&found.token);
    let whole = positions.first().copied();
    let object = match provenance.outer() {
        Provenance::Entry { blob_id, .. } => Some((ObjectKind::Blob, *blob_id)),
        Provenance::Object { kind, id } => Some((*kind, *id)),
        _ => None,
    };
    // What Git names is below the root. Old versions are compared here, before anything is located.
    let path = provenance.outer().shown();
    let file = object.and_then(|_| Base::Root.file(path.as_ref()));
    Place {
        path,
        inside: provenance.steps().to_vec(),
        position: secret
            .or(key_id)
            .or(token)
            .or(whole)
            .expect("parts gives at least one span"),
        key_id,
        secret,
        token,
        possible: found.possible.and(positions.last().copied()),
        file,
        object,
        commit: None,
        snippet: Vec::new(),
        marker: None,
        submodule: None,
    }
}
