//! Allow markers: exceptions written on the line itself.
//!
//! `keysieve:allow [RULE[,RULE]|*] [REASON]` covers the findings of its line, `keysieve:allow-next-line`
//! those of the line below. With a rule it covers findings of that rule only. The markers of other tools
//! cover any finding of their line.

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use bstr::BString;

use crate::blob::Span;
use crate::finding::{Place, Position, UnusedMarker};

/// Forms of markers, each with true if it is about the next line. Longer ones first.
const FORMS: &[(&str, bool)] = &[
    ("keysieve:allow-next-line", true),
    ("keysieve:allow", false),
    ("gitleaks:allow", false),
    ("betterleaks:allow", false),
    ("trufflehog:ignore", false),
    ("kingfisher:ignore", false),
    ("pragma: allowlist nextline secret", true),
    ("pragma:allowlist nextline secret", true),
    ("pragma: allowlist-nextline-secret", true),
    ("pragma:allowlist-nextline-secret", true),
    ("pragma: allowlist secret", false),
    ("pragma:allowlist secret", false),
    ("pragma: allowlist-secret", false),
    ("pragma:allowlist-secret", false),
    ("pragma: whitelist secret", false),
    ("pragma:whitelist secret", false),
    ("pragma: whitelist-secret", false),
    ("pragma:whitelist-secret", false),
];

/// The forms before this one are ours: they may name rules.
const OURS: usize = 2;

/// A reason is cut after as many bytes.
const LONGEST_REASON: usize = 200;

/// One marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The line of the marker, 1-based.
    pub line: usize,
    /// The line that it covers.
    pub covers: usize,
    /// The rules that it names; empty for any.
    pub rules: Vec<String>,
    /// The reason written there, else the marker itself.
    pub reason: String,
    is_used: bool,
}

/// The markers of one text, in order of the lines that they cover.
#[derive(Clone, Debug, Default)]
pub struct Markers(Vec<Marker>);

impl Markers {
    /// Finds the markers of `bytes`. `is_rule` knows the ids of rules; `cuts`, sorted and apart from
    /// each other, may hold secret bytes.
    pub fn new(bytes: &[u8], cuts: &[Span], is_rule: &dyn Fn(&str) -> bool) -> Self {
        let narrowed = narrow(bytes);
        let (text, cuts) = match &narrowed {
            Some(text) => (text.as_slice(), halved(cuts)),
            None => (bytes, cuts.to_vec()),
        };
        let mut markers = Vec::new();
        let (mut line, mut counted) = (1, 0);
        for found in searcher().find_iter(text) {
            if !stands_alone(text, found.start()) {
                continue;
            }
            let between = text.get(counted..found.start()).unwrap_or_default();
            line += memchr::memchr_iter(b'\n', between).count();
            counted = found.start();
            let form = found.pattern().as_usize();
            let rest = rest_of_line(text, found.end(), &cuts);
            if form < OURS && !may_follow(rest.first()) {
                continue;
            }
            let (name, is_next) = FORMS[form];
            let (rules, reason) = read(&String::from_utf8_lossy(rest), form < OURS, is_rule);
            markers.push(Marker {
                line,
                covers: line + usize::from(is_next),
                rules,
                reason: if reason.is_empty() {
                    name.to_owned()
                } else {
                    reason
                },
                is_used: false,
            });
        }
        markers.sort_by_key(|marker| marker.covers);
        Self(markers)
    }

    /// The reason of the first marker that covers a finding of `rule` at `place`: on the line of its key id,
    /// its secret or its token.
    pub fn cover(&mut self, rule: &str, place: &Place) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let mut reason = None;
        for position in place.parts() {
            for marker in self.on(position) {
                if marker.rules.is_empty() || marker.rules.iter().any(|named| named == rule) {
                    marker.is_used = true;
                    reason = reason.or_else(|| Some(marker.reason.clone()));
                }
            }
        }
        reason
    }

    /// The markers that covered nothing so far.
    pub fn unused(&self, path: &BString) -> Vec<UnusedMarker> {
        let unused = self.0.iter().filter(|marker| !marker.is_used);
        unused
            .map(|marker| UnusedMarker {
                path: path.clone(),
                line: marker.line,
                rules: marker.rules.clone(),
            })
            .collect()
    }

    fn on(&mut self, position: Position) -> &mut [Marker] {
        let from = self.0.partition_point(|it| it.covers < position.line);
        let to = self.0.partition_point(|it| it.covers <= position.end_line);
        self.0.get_mut(from..to).unwrap_or_default()
    }
}

fn searcher() -> &'static AhoCorasick {
    static SEARCHER: OnceLock<AhoCorasick> = OnceLock::new();
    SEARCHER.get_or_init(|| {
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(FORMS.iter().map(|(form, _)| form))
            .expect("a few short literals make a searcher")
    })
}

/// Returns true if a marker does not begin in the middle of a word.
fn stands_alone(text: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'))
}

/// Returns true if this may be the first byte after one of our own markers.
fn may_follow(byte: Option<&u8>) -> bool {
    byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'-'))
}

/// Returns the text after a marker on its line, up to the first byte that may be secret.
fn rest_of_line<'t>(text: &'t [u8], start: usize, cuts: &[Span]) -> &'t [u8] {
    let rest = text.get(start..).unwrap_or_default();
    let mut end = start + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let next = cuts.partition_point(|cut| cut.start < start);
    if let Some(cut) = cuts.get(next) {
        end = end.min(cut.start);
    }
    let last = next.checked_sub(1).and_then(|last| cuts.get(last));
    if last.is_some_and(|cut| cut.end > start) {
        end = start;
    }
    text.get(start..end).unwrap_or_default()
}

/// The rules that are named, and the reason.
fn read(rest: &str, may_name_rules: bool, is_rule: &dyn Fn(&str) -> bool) -> (Vec<String>, String) {
    let rest = rest
        .trim()
        .trim_end_matches(['*', '/', '-', '>', '#', '}', '%', '"', '\'', ',', ';', ')'])
        .trim();
    // `allow(RULE)`, `allow[RULE]`, `allow=RULE` and `allow: RULE` name a rule as well.
    let rest = match may_name_rules {
        true => rest.trim_start_matches(['(', '[', '=', ':', ' ', '\t']),
        false => rest,
    };
    let (first, after) = match rest.split_once(char::is_whitespace) {
        Some((first, after)) => (first, after),
        None => (rest, ""),
    };
    let (mut rules, mut reason) = (Vec::new(), rest);
    if may_name_rules {
        let words: Vec<&str> = first.trim_end_matches([':', ')', ']']).split(',').collect();
        if words == ["*"] {
            reason = after;
        } else if words
            .iter()
            .all(|word| is_rule(word) || is_like_a_rule(word))
        {
            rules = words.into_iter().map(str::to_owned).collect();
            reason = after;
        }
    }
    let reason = reason.trim_start_matches([':', '-', ' ', '\t']).trim();
    let end = reason
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= LONGEST_REASON)
        .unwrap_or(reason.len());
    (rules, reason.get(..end).unwrap_or_default().to_owned())
}

/// Returns true if a word looks like a rule's id. One that is misspelt covers nothing rather than everything.
fn is_like_a_rule(word: &str) -> bool {
    let parts = word.split('-');
    word.contains('-')
        && parts.clone().all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
        })
}

/// UTF-16 text with a mark at its beginning, as bytes; `None` for other texts.
fn narrow(bytes: &[u8]) -> Option<Vec<u8>> {
    let high = match bytes.get(..2)? {
        b"\xff\xfe" => 1,
        b"\xfe\xff" => 0,
        _ => return None,
    };
    let units = bytes.chunks_exact(2);
    Some(
        units
            .map(|unit| {
                if unit[high] == 0 {
                    unit[1 - high]
                } else {
                    b'?'
                }
            })
            .collect(),
    )
}

/// Spans of UTF-16 text in its narrowed form.
fn halved(cuts: &[Span]) -> Vec<Span> {
    let half = |cut: &Span| Span::new(cut.start / 2, cut.end.div_ceil(2));
    cuts.iter().map(half).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::sample::{place, position};

    fn markers(text: &str) -> Markers {
        Markers::new(text.as_bytes(), &[], &|id| id == "acme")
    }

    fn cover(text: &str, rule: &str, line: usize) -> Option<String> {
        markers(text).cover(rule, &place("p", line))
    }

    #[test]
    fn forms_and_reasons() {
        for (text, reason) in [
            ("k # keysieve:allow", "keysieve:allow"),
            ("k # keysieve:allow: made up", "made up"),
            ("k /* keysieve:allow a-b test key */", "test key"),
            ("k <!-- keysieve:allow * test key -->", "test key"),
            ("k // keysieve:allow a-b,c-d", "keysieve:allow"),
            ("k // keysieve:allow a-b: test", "test"),
            ("k # gitleaks:allow", "gitleaks:allow"),
            ("k # betterleaks:allow", "betterleaks:allow"),
            ("k # trufflehog:ignore", "trufflehog:ignore"),
            ("k # kingfisher:ignore", "kingfisher:ignore"),
            ("k # pragma: allowlist secret", "pragma: allowlist secret"),
            ("k # pragma: whitelist secret", "pragma: whitelist secret"),
            ("k # pragma: allowlist-secret", "pragma: allowlist-secret"),
        ] {
            assert_eq!(cover(text, "a-b", 1).as_deref(), Some(reason), "{text}");
            assert_eq!(cover(text, "a-b", 2), None, "{text}");
        }
        for text in [
            "# keysieve:allow-next-line a-b r\nk",
            "# pragma: allowlist nextline secret\nk",
            "# pragma: allowlist-nextline-secret\nk",
        ] {
            assert!(cover(text, "a-b", 2).is_some(), "{text}");
            assert_eq!(cover(text, "a-b", 1), None, "{text}");
        }
    }

    #[test]
    fn a_named_rule_is_the_only_one_covered() {
        assert!(cover("k # keysieve:allow a-b it is a-c", "a-c", 1).is_none());
        assert!(cover("k # keysieve:allow acme r", "a-c", 1).is_none());
        assert!(cover("k # keysieve:allow acme r", "acme", 1).is_some());
        // In brackets, or after another sign, it is named all the same.
        for (open, close) in [("(", ")"), ("[", "]"), ("=", ""), (": ", ""), (" [", "]")] {
            let text = format!("k # keysieve:allow{open}a-b{close} made up");
            assert_eq!(cover(&text, "a-b", 1).as_deref(), Some("made up"), "{text}");
            assert_eq!(cover(&text, "a-c", 1), None, "{text}");
            let text = format!("k # keysieve:allow{open}a-b{close}");
            assert_eq!(cover(&text, "a-c", 1), None, "{text}");
        }
        // Misspelt: nothing is covered.
        assert!(cover("k # keysieve:allow a-bb r", "a-b", 1).is_none());
        // Not a rule: a reason.
        assert_eq!(
            cover("k # keysieve:allow made up", "a-b", 1).as_deref(),
            Some("made up")
        );
        // Two markers on one line cover each its own.
        let text = "k l # keysieve:allow a-b x # keysieve:allow c-d y";
        assert!(cover(text, "a-b", 1).is_some() && cover(text, "c-d", 1).is_some());
    }

    #[test]
    fn words_that_contain_a_marker_are_none() {
        for text in [
            "keysieve:allowed",
            "mykeysieve:allow",
            "x-gitleaks:allow",
            "keysieve:allow_all",
        ] {
            assert_eq!(cover(text, "a-b", 1), None, "{text}");
        }
    }

    #[test]
    fn either_half_is_enough_and_the_rest_is_unused() {
        let text = "a\nb # keysieve:allow\nc\n# keysieve:allow x-y\n";
        let mut markers = markers(text);
        let mut place = place("p", 1);
        place.secret = Some(position(2));
        assert!(markers.cover("a-b", &place).is_some());
        let unused = markers.unused(&"p".into());
        assert_eq!(unused.len(), 1);
        assert_eq!(
            (unused[0].line, unused[0].rules.as_slice()),
            (4, &["x-y".to_owned()][..])
        );
    }

    #[test]
    fn a_reason_ends_before_a_secret() {
        let text = "# keysieve:allow because SECRET here";
        let at = text.find("SECRET").unwrap();
        let mut markers = Markers::new(text.as_bytes(), &[Span::new(at, at + 6)], &|_| false);
        assert_eq!(
            markers.cover("a-b", &place("p", 1)).as_deref(),
            Some("because")
        );
    }

    #[test]
    fn markers_of_utf_16_texts() {
        let text = "\u{feff}é\nk # keysieve:allow r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [little, big] {
            let mut markers = Markers::new(&bytes, &[], &|_| false);
            assert_eq!(markers.cover("a-b", &place("p", 2)).as_deref(), Some("r"));
        }
    }
}
