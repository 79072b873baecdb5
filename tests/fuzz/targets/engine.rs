//! The engine: what it finds is what slow searches of the same text find.

use std::cell::RefCell;

use keysieve::blob::Span;
use keysieve::engine::prefilter::Hit;
use keysieve::engine::{Engine, Match, Scratch};
use keysieve::rule::Kind;

use super::{sink, text};

/// Inputs are made into texts of at most as many bytes: every id sees all of it, whatever the engine cuts.
const LIMIT: usize = 8 << 10;

/// Within as many lines of a name the engine looks for a value.
const NAME_LINES: usize = 8;
const NAME_REACH: usize = 2 << 10;

/// Lines around an id, likewise.
const ID_LINES: usize = 96;

thread_local! {
    static SCRATCH: RefCell<[Scratch; 2]> = RefCell::default();
}

/// Scans the text of an input in every way there is.
pub fn run(data: &[u8]) {
    let engine = sink::engine();
    let bytes = text::expand(data, LIMIT);
    let hits = prefilter(&engine, &bytes);
    SCRATCH.with_borrow_mut(|[scratch, plain]| {
        engine.scan(&bytes, scratch);
        sound(&engine, &bytes, scratch);
        generic(&engine, &bytes, scratch.matches());
        aws(&engine, &bytes, &hits, scratch.matches(), plain);
    });
    for explanation in engine.explain(&bytes) {
        within(&bytes, explanation.span);
    }
}

/// The first stage finds each literal at each place, and nothing else.
fn prefilter(engine: &Engine, bytes: &[u8]) -> Vec<Hit> {
    let prefilter = engine.prefilter();
    let mut hits = Vec::new();
    prefilter.find(bytes, &mut hits);
    let mut plain = Vec::new();
    for keyword in 0..prefilter.len() {
        let literal = prefilter.keyword(keyword);
        let mut at = 0;
        while let Some(found) = memchr::memmem::find(&bytes[at..], literal) {
            let offset = at + found;
            plain.push(Hit { offset, keyword });
            at = offset + 1;
        }
    }
    plain.sort();
    assert_eq!(hits, plain);
    assert_eq!(prefilter.is_match(bytes), !plain.is_empty());
    hits
}

/// All findings lie in the text, and a part that was not decoded equals its bytes.
fn sound(engine: &Engine, bytes: &[u8], scratch: &Scratch) {
    assert!(scratch.matches().is_sorted());
    scratch
        .redact()
        .iter()
        .for_each(|span| within(bytes, *span));
    for found in scratch.matches().iter().chain(scratch.latent()) {
        assert!(found.rule < engine.rules().rules.len());
        within(bytes, found.span);
        let parts = [&found.key_id, &found.secret, &found.token];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        assert!(!parts.is_empty());
        for part in parts {
            within(bytes, part.span);
            assert!(!part.value.is_empty());
            if !part.span.is_empty() {
                assert!(found.span.start <= part.span.start && part.span.end <= found.span.end);
            }
        }
    }
}

fn within(bytes: &[u8], span: Span) {
    assert!(
        span.start <= span.end && span.end <= bytes.len(),
        "{span:?} of {}",
        bytes.len()
    );
}

/// The rules that are a regex and its checks, against their regexes on the whole text.
fn generic(engine: &Engine, bytes: &[u8], found: &[Match]) {
    let is_generic = |found: &&Match| engine.rules().rules[found.rule].kind == Kind::Generic;
    let fast: Vec<&Match> = found.iter().filter(is_generic).collect();
    let mut slow = engine.confirm_all(bytes);
    slow.sort();
    slow.dedup();
    assert_eq!(fast, slow.iter().collect::<Vec<_>>(), "generic rules");
}

/// AWS, against a look at all of the text.
///
/// A finding with a key ID is the same anywhere. One without may be too far from any name to be examined: it is
/// compared in texts that are within reach of every hit.
fn aws(engine: &Engine, bytes: &[u8], hits: &[Hit], found: &[Match], scratch: &mut Scratch) {
    // Of bytes with zeros among them the reference sees UTF-16 only.
    let lines = memchr::memchr_iter(b'\n', bytes).count();
    if bytes.contains(&0) || lines > ID_LINES || is_wide(bytes) {
        return;
    }
    let is_aws = |found: &&Match| engine.rules().rules[found.rule].kind.is_aws();
    let fast: Vec<&Match> = found.iter().filter(is_aws).collect();
    let slow: Vec<&Match> = engine.scan_all(bytes, scratch).iter().collect();
    let is_near = lines <= NAME_LINES && bytes.len() <= NAME_REACH;
    let sees_all = hits.iter().any(|hit| {
        let of_aws = engine.prefilter().rules_of(hit.keyword).iter();
        let mut of_aws = of_aws.map(|rule| engine.rules().rules[*rule].kind.is_aws());
        let is_id = matches!(engine.prefilter().keyword(hit.keyword), b"AKIA" | b"ASIA");
        of_aws.any(|is_aws| is_aws) && !is_id
    });
    if is_near && sees_all || fast.iter().any(|found| has_id(found)) {
        assert_eq!(fast, slow, "AWS");
        return;
    }
    let slow_ids: Vec<&Match> = slow.into_iter().filter(|found| has_id(found)).collect();
    assert!(slow_ids.is_empty(), "ids were missed: {slow_ids:?}");
}

fn has_id(found: &Match) -> bool {
    found.key_id.is_some()
}

fn is_wide(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}
