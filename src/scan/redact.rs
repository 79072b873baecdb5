//! Takes secrets out of every string that a report might print: paths, subjects, names of references.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use bstr::BString;

use super::snippet::{Cuts, MARKER};
use crate::blob::Span;
use crate::commit::CommitInfo;
use crate::engine::{Engine, Scratch};
use crate::finding::{Acceptance, Finding, Judged, Place, Redacted, SnippetLine};
use crate::secret::Secret;

/// Shorter values are words of the language; they are cut where the engine sees them, not wherever they occur.
const SHORTEST: usize = 8;
/// Characters of a secret access key.
const SECRET: usize = 40;
/// Longer values are not worth a place in the automaton.
const LONG: usize = 512;

/// `text` with everything cut out in which the engine sees a secret.
pub fn redact_text(engine: &Engine, text: &[u8]) -> BString {
    text_redactor(engine)(text)
}

/// [`redact_text`] for many texts.
pub fn text_redactor(engine: &Engine) -> impl FnMut(&[u8]) -> BString + '_ {
    let mut redactor = Redactor::new(engine, KnownSecrets::default());
    move |text| redactor.bytes(text).unwrap_or_else(|| text.into())
}

/// Takes secrets out of all strings of `judged`: those that the engine sees in them, and those that the scan
/// found anywhere.
pub fn redact(engine: &Engine, judged: Judged) -> Redacted {
    let Judged {
        mut findings,
        mut coverage,
    } = judged;
    let mut redactor = Redactor::new(engine, KnownSecrets::new(&findings));
    for finding in &mut findings {
        redactor.finding(finding);
    }
    let selected = coverage.selected.iter_mut();
    for path in selected.flat_map(|selected| &mut selected.paths) {
        redactor.string(path);
    }
    for skip in &mut coverage.skips {
        redactor.bstring(&mut skip.subject);
        redactor.option(&mut skip.detail);
    }
    Redacted::assume_redacted(findings, coverage)
}

/// The secrets that a scan found, to be looked for wherever text is printed: [`folded`], as the texts are.
#[derive(Debug, Default)]
struct KnownSecrets {
    /// For all values of ordinary length.
    searcher: Option<AhoCorasick>,
    /// Longer ones, one by one: a private key, say. Few texts are long enough to hold one.
    long: Vec<Secret>,
}

impl KnownSecrets {
    fn new(findings: &[Finding]) -> Self {
        let values: BTreeSet<Secret> = findings
            .iter()
            .flat_map(|finding| [&finding.secret, &finding.session_token])
            .flatten()
            .filter(|value| value.len() >= SHORTEST)
            .map(|value| Secret::new(&folded(value.expose())))
            .collect();
        let (short, long): (Vec<Secret>, Vec<Secret>) =
            values.into_iter().partition(|value| value.len() <= LONG);
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(short.iter().map(|value| value.expose()));
        match built {
            Ok(searcher) => Self {
                searcher: (!short.is_empty()).then_some(searcher),
                long,
            },
            // More than one automaton holds: slow, but nothing gets through.
            Err(_) => Self {
                searcher: None,
                long: short.into_iter().chain(long).collect(),
            },
        }
    }

    fn spans(&self, text: &[u8]) -> Vec<Span> {
        if self.searcher.is_none() && self.long.is_empty() {
            return Vec::new();
        }
        let text = folded(text);
        let mut spans: Vec<Span> = self
            .searcher
            .iter()
            .flat_map(|searcher| searcher.find_iter(&text))
            .map(|found| Span::new(found.start(), found.end()))
            .collect();
        for value in self.long.iter().filter(|value| value.len() <= text.len()) {
            spans.extend(
                memchr::memmem::find_iter(&text, value.expose())
                    .map(|at| Span::new(at, at + value.len())),
            );
        }
        spans
    }
}

/// Writes the letters of base64 that are no letters of a file's name as the one that is, so that a secret is seen in a
/// path or an address that was made of it. Nothing moves.
fn folded(text: &[u8]) -> Vec<u8> {
    let fold = |byte: &u8| match byte {
        b'/' | b'+' | b'_' => b'-',
        other => *other,
    };
    text.iter().map(fold).collect()
}

struct Redactor<'e> {
    engine: &'e Engine,
    known: KnownSecrets,
    scratch: Scratch,
}

impl<'e> Redactor<'e> {
    fn new(engine: &'e Engine, known: KnownSecrets) -> Self {
        Self {
            engine,
            known,
            scratch: Scratch::default(),
        }
    }

    fn finding(&mut self, finding: &mut Finding) {
        self.string(&mut finding.message);
        self.option(&mut finding.context);
        for reason in &mut finding.reasons {
            self.string(reason);
        }
        if let Some(
            Acceptance::Marker(reason)
            | Acceptance::Allowlist(reason)
            | Acceptance::Baseline(reason),
        ) = &mut finding.accepted
        {
            self.string(reason);
        }
        for place in &mut finding.places {
            self.place(place);
        }
    }

    fn place(&mut self, place: &mut Place) {
        self.bstring(&mut place.path);
        for path in [&mut place.file, &mut place.submodule]
            .into_iter()
            .flatten()
        {
            self.bstring(path);
        }
        for step in &mut place.inside {
            self.bstring(&mut step.name);
        }
        self.option(&mut place.marker);
        for line in &mut place.snippet {
            self.snippet(line);
        }
        if let Some(commit) = &mut place.commit {
            self.commit(commit);
        }
    }

    fn commit(&mut self, commit: &mut CommitInfo) {
        self.string(&mut commit.author);
        self.string(&mut commit.subject);
        if let Some(left) = &mut commit.left {
            self.string(&mut left.author);
            self.string(&mut left.subject);
        }
        let names = commit.refs.iter_mut().chain(&mut commit.held_by);
        for name in names {
            self.string(name);
        }
    }

    /// The engine has judged a snippet's text in its place already; secrets known from elsewhere remain.
    fn snippet(&mut self, line: &mut SnippetLine) {
        let spans = self.known.spans(line.text.as_bytes());
        if spans.is_empty() {
            return;
        }
        let cuts = Cuts::of(spans).within(whole(line.text.len())).to_vec();
        let moved = |offset: usize| {
            let mut shift = 0isize;
            for cut in &cuts {
                if cut.end <= offset {
                    shift += MARKER.len() as isize - cut.len() as isize;
                } else if cut.start < offset {
                    return cut.start.saturating_add_signed(shift) + MARKER.len();
                }
            }
            offset.saturating_add_signed(shift)
        };
        line.mark = line.mark.map(|(start, end)| (moved(start), moved(end)));
        let text = cut_out(line.text.as_bytes(), &cuts);
        line.text = String::from_utf8_lossy(&text).into_owned();
    }

    fn option(&mut self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.string(text);
        }
    }

    fn string(&mut self, text: &mut String) {
        if let Some(redacted) = self.bytes(text.as_bytes()) {
            *text = String::from_utf8_lossy(&redacted).into_owned();
        }
    }

    fn bstring(&mut self, text: &mut BString) {
        if let Some(redacted) = self.bytes(text) {
            *text = redacted;
        }
    }

    /// The redacted form; `None` where there is nothing to cut.
    fn bytes(&mut self, text: &[u8]) -> Option<BString> {
        let mut spans = self.known.spans(text);
        self.judge(text, &mut spans);
        if text.contains(&b'/') {
            // A slash is a letter of a secret as well as the end of a part of a path.
            self.judge(&without_slashes(text, |_| true), &mut spans);
            let parted = without_slashes(text, |before| before == SECRET);
            // Few texts have so many letters before a slash.
            if parted != text {
                self.judge(&parted, &mut spans);
            }
        }
        if spans.is_empty() {
            return None;
        }
        let cuts = Cuts::of(spans);
        Some(cut_out(text, cuts.within(whole(text.len()))))
    }

    /// Adds what the engine sees in `text`.
    fn judge(&mut self, text: &[u8], spans: &mut Vec<Span>) {
        let matches = self.engine.scan(text, &mut self.scratch);
        spans.extend(
            matches
                .iter()
                .flat_map(|found| [&found.secret, &found.token])
                .flatten()
                .map(|part| part.span),
        );
        spans.extend(self.scratch.redact());
    }
}

/// Returns `text` with line breaks in the place of those slashes that follow as many letters of base64 as `is_end`
/// accepts. Nothing moves.
fn without_slashes(text: &[u8], is_end: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut letters = 0;
    text.iter()
        .map(|byte| match byte {
            b'/' if is_end(letters) => {
                letters = 0;
                b'\n'
            }
            b'/' | b'+' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                letters += 1;
                *byte
            }
            _ => {
                letters = 0;
                *byte
            }
        })
        .collect()
}

fn whole(length: usize) -> Span {
    Span::new(0, length)
}

fn cut_out(text: &[u8], cuts: &[Span]) -> BString {
    let mut redacted = BString::default();
    let mut at = 0;
    for cut in cuts {
        redacted.extend_from_slice(Span::new(at, cut.start).of(text));
        redacted.extend_from_slice(MARKER.as_bytes());
        at = cut.end;
    }
    redacted.extend_from_slice(Span::new(at, text.len()).of(text));
    redacted
}
