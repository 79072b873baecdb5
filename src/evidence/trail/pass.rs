//! One pass over the text of a file: its facts, its key IDs, and the events that are wanted.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::AhoCorasick;

use super::file::{Reader, Text, Unread, each_piece, max_output};
use super::{Kind, Listed, Options};
use crate::aws::cloudtrail::record::{Damage, Splitter};
use crate::aws::cloudtrail::{Event, Hit, KeySearcher, LogKeyId};
use crate::workers;

/// Bytes before a key ID, or before the name of an event, in which the ARN of its principal is looked for.
const BEFORE: usize = 2048;

/// What a pass looks for.
pub(super) enum Want<'a> {
    /// Every key ID with its principal, and every console sign-in: for an index.
    Everything,
    /// Events that hold one of these keys.
    Keys(&'a HashSet<LogKeyId>),
    /// Events that hold one of these texts: keys, ARNs and names of users.
    Texts(&'a AhoCorasick),
}

/// What a pass found in a file.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) kind: Kind,
    /// True if an ID may hide behind an escape: only parsing tells, so an index must not rule the file out.
    pub(super) is_opaque: bool,
    /// True if a key has a principal that could not be read off the text.
    pub(super) is_odd: bool,
    /// Of its first and last record.
    pub(super) first: Stamp,
    pub(super) last: Stamp,
    /// Bytes of text.
    pub(super) text: u64,
    /// Each key ID with the ARN that used it, if it was used here.
    pub(super) keys: BTreeMap<LogKeyId, Option<String>>,
    /// ARNs that signed in to the console.
    pub(super) logins: BTreeSet<String>,
    /// The events that were wanted.
    pub(super) events: Vec<Event>,
    /// What of it could not be read.
    pub(super) unread: Option<String>,
}

/// Time and place of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) time: String,
    pub(super) region: String,
    pub(super) account: String,
}

/// Runs a pass over files, on several threads; the answers are in the order of the files.
pub(super) fn over<'l>(
    files: &'l [Listed],
    want: &Want<'_>,
    options: Options,
) -> Vec<(&'l Listed, Result<Facts, Unread>)> {
    let next = AtomicUsize::new(0);
    let shares = workers::each(0..options.threads.clamp(1, files.len().max(1)), |_| {
        let mut pass = Pass::new(want);
        let mut share = Vec::new();
        while let Some((at, file)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            files.get(at).map(|file| (at, file))
        } {
            share.push((at, pass.file(file)));
        }
        share
    });
    let mut done: Vec<_> = shares.into_iter().flatten().collect();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter()
        .map(|(at, facts)| (&files[at], facts))
        .collect()
}

/// One thread's tools.
struct Pass<'w> {
    want: &'w Want<'w>,
    reader: Reader,
    searcher: KeySearcher,
    /// Offsets of hits in the text at hand.
    hits: Vec<usize>,
}

impl<'w> Pass<'w> {
    fn new(want: &'w Want<'w>) -> Self {
        Self {
            want,
            reader: Reader::new(),
            searcher: KeySearcher::new(),
            hits: Vec::new(),
        }
    }

    fn file(&mut self, file: &Listed) -> Result<Facts, Unread> {
        // The reader lends out its buffer, and the rest of the pass is needed beside it.
        let mut reader = std::mem::replace(&mut self.reader, Reader::new());
        let result = match reader.read(&file.path) {
            Ok(Text::Whole(text)) => Ok(self.whole(text)),
            Ok(Text::Pieces(pieces)) => Ok(self.pieces(pieces, max_output(file.size))),
            Err(error) => Err(Unread::new(&file.path, error)),
        };
        self.reader = reader;
        result
    }

    fn whole(&mut self, text: &[u8]) -> Facts {
        let mut facts = Facts::new(kind_of(text));
        facts.text = text.len() as u64;
        if facts.kind != Kind::Trail {
            return facts;
        }
        facts.first = Stamp::first(text);
        facts.last = Stamp::last(text);
        self.search(text, &mut facts);
        let end = if self.hits.is_empty() {
            match text.trim_ascii_end().last() {
                Some(b'}' | b']') => Ok(()),
                _ => Err(Damage::CutShort),
            }
        } else {
            let mut splitter = Splitter::default();
            let mut hits = self.hits.iter().copied().peekable();
            let cut = splitter.advance(text, |range| {
                while hits.next_if(|hit| *hit < range.start).is_some() {}
                if hits.next_if(|hit| *hit < range.end).is_some() {
                    facts.keep(&text[range]);
                }
            });
            cut.and_then(|()| splitter.end())
        };
        if let Err(damage) = end {
            facts.fail(words(&damage));
        }
        facts
    }

    fn pieces(&mut self, pieces: impl std::io::Read, limit: u64) -> Facts {
        let mut facts = Facts::new(Kind::Other);
        let mut splitter = Splitter::default();
        let mut is_begun = false;
        let done = each_piece(pieces, limit, |text| {
            if !is_begun {
                is_begun = true;
                facts.kind = kind_of(text);
            }
            if facts.kind != Kind::Trail {
                return Ok(text.len());
            }
            let cut = splitter.advance(text, |range| {
                let record = &text[range];
                if facts.first.time.is_empty() {
                    facts.first = Stamp::first(record);
                }
                facts.last = Stamp::first(record);
                self.search(record, &mut facts);
                if !self.hits.is_empty() {
                    facts.keep(record);
                }
            });
            cut.map_err(|damage| words(&damage).to_owned())?;
            Ok(splitter.forget())
        });
        match done {
            Ok(length) => {
                facts.text = length;
                if facts.kind == Kind::Trail && splitter.end().is_err() {
                    facts.fail(words(&Damage::CutShort));
                }
            }
            Err(reason) => facts.fail(&reason),
        }
        facts
    }

    /// Finds what is wanted in a text: offsets of records to parse into `hits`, everything else into `facts`.
    fn search(&mut self, text: &[u8], facts: &mut Facts) {
        let hits = &mut self.hits;
        hits.clear();
        match self.want {
            Want::Keys(keys) => self.searcher.each(text, |at, hit| {
                let is_wanted = match hit {
                    Hit::Id(id) => keys.contains(&id),
                    Hit::Escaped => true,
                };
                if is_wanted {
                    hits.push(at);
                }
            }),
            Want::Texts(texts) => {
                hits.extend(texts.find_iter(text).map(|found| found.start()));
                self.searcher.each(text, |at, hit| {
                    if hit == Hit::Escaped {
                        hits.push(at);
                    }
                });
                hits.sort_unstable();
            }
            Want::Everything => {
                self.searcher.each(text, |at, hit| match hit {
                    Hit::Id(id) => facts.note_key(text, at, id),
                    Hit::Escaped => facts.is_opaque = true,
                });
                for at in memchr::memmem::find_iter(text, "ConsoleLogin") {
                    facts.note_login(text, at);
                }
            }
        }
    }
}

impl Facts {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            is_opaque: false,
            is_odd: false,
            first: Stamp::default(),
            last: Stamp::default(),
            text: 0,
            keys: BTreeMap::new(),
            logins: BTreeSet::new(),
            events: Vec::new(),
            unread: None,
        }
    }

    /// Parses a record.
    fn keep(&mut self, record: &[u8]) {
        match Event::parse(record) {
            Ok(event) => self.events.extend(event),
            Err(error) => self.fail(&format!("a record is not JSON: {error}")),
        }
    }

    fn fail(&mut self, reason: &str) {
        self.unread.get_or_insert_with(|| reason.to_owned());
    }

    fn note_key(&mut self, text: &[u8], at: usize, id: LogKeyId) {
        let principal = self.keys.entry(id).or_default();
        if principal.is_some() {
            return;
        }
        match principal_before(text, at) {
            Principal::Is(arn) => *principal = Some(arn),
            Principal::None => {}
            Principal::Unclear => self.is_odd = true,
        }
    }

    fn note_login(&mut self, text: &[u8], at: usize) {
        match arn_before(text, at) {
            Some(arn) => drop(self.logins.insert(arn)),
            None => self.is_odd = true,
        }
    }
}

/// Who used a key, as far as the raw text before it says.
enum Principal {
    Is(String),
    /// The key is no signer here.
    None,
    Unclear,
}

/// Reads `"arn":"…","accountId":"…","accessKeyId":"` backwards from a key; quotes may be escaped. A root user and some
/// service roles have fewer fields between.
fn principal_before(text: &[u8], at: usize) -> Principal {
    let before = text.get(at.saturating_sub(BEFORE)..at).unwrap_or_default();
    let is_mark = |byte: &u8| matches!(byte, b'"' | b'\\' | b':' | b' ');
    let trimmed = before.len() - before.iter().rev().take_while(|byte| is_mark(byte)).count();
    let before = &before[..trimmed];
    let Some(before) = before.strip_suffix(b"accessKeyId") else {
        return Principal::None;
    };
    let Some(identity) = memchr::memmem::rfind(before, b"userIdentity") else {
        return Principal::None;
    };
    let within = &before[identity..];
    // Behind the end of the identity the ID is that of a response or of a parameter.
    let opened = within.iter().filter(|byte| **byte == b'{').count();
    let closed = within.iter().filter(|byte| **byte == b'}').count();
    if opened != closed + 1 {
        return Principal::None;
    }
    arn_before(within, within.len()).map_or(Principal::Unclear, Principal::Is)
}

/// The last ARN that is the value of a field `arn` within some bytes before a place.
fn arn_before(text: &[u8], at: usize) -> Option<String> {
    let before = text.get(at.saturating_sub(BEFORE)..at)?;
    let mut end = before.len();
    while let Some(found) = memchr::memmem::rfind(&before[..end], b"arn:") {
        let arn: &[u8] = before[found..]
            .split(|byte| matches!(byte, b'"' | b'\\'))
            .next()?;
        let field = before[..found]
            .iter()
            .rposition(|byte| byte.is_ascii_alphanumeric())?;
        if before[..=field].ends_with(b"arn") {
            return Some(String::from_utf8_lossy(arn).into_owned());
        }
        end = found;
    }
    None
}

/// What a text is, by how it begins.
pub(super) fn kind_of(text: &[u8]) -> Kind {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let start = text.trim_ascii_start();
    let has = |word: &str| {
        memchr::memmem::find(&start[..start.len().min(1 << 16)], word.as_bytes()).is_some()
    };
    match start.first() {
        Some(b'{') if has("\"digestStartTime\"") => Kind::Digest,
        Some(b'{' | b'[') if has("eventSource") || has("CloudTrailEvent") => Kind::Trail,
        Some(b'{') if start.starts_with(b"{\"Records\":[") && start.len() < 64 => Kind::Trail,
        _ => Kind::Other,
    }
}

impl Stamp {
    fn first(text: &[u8]) -> Self {
        let field = |name: &str| {
            memchr::memmem::find(text, name.as_bytes())
                .map_or_else(String::new, |at| value_at(text, at + name.len()))
        };
        Self {
            time: field("eventTime"),
            region: field("awsRegion"),
            account: field("recipientAccountId"),
        }
    }

    fn last(text: &[u8]) -> Self {
        let field = |name: &str| {
            memchr::memmem::rfind(text, name.as_bytes())
                .map_or_else(String::new, |at| value_at(text, at + name.len()))
        };
        Self {
            time: field("eventTime"),
            region: field("awsRegion"),
            account: field("recipientAccountId"),
        }
    }
}

/// The plain string behind the name of a field; quotes may be escaped.
fn value_at(text: &[u8], at: usize) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let start = rest
        .iter()
        .position(|byte| !matches!(byte, b'"' | b'\\' | b':' | b' '))
        .unwrap_or(rest.len());
    let value = rest[start..].iter().take(64);
    value
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.' | b'+')
        })
        .map(|byte| char::from(*byte))
        .collect()
}

pub(super) fn words(damage: &Damage) -> &'static str {
    match damage {
        Damage::CutShort => "it is cut short",
        Damage::NotJson { .. } => "it is not JSON throughout",
    }
}
