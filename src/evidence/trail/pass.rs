//! One pass over the text of a file: its facts, its key IDs, and the events that are wanted.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};

use aho_corasick::AhoCorasick;

use super::file::{Reader, Text, Unread, each_piece, max_output};
use super::{Kind, Listed, Options};
use crate::aws::cloudtrail::record::{Damage, Splitter};
use crate::aws::cloudtrail::{Event, GivenSearcher, Hit, KeySearcher, LogKeyId};
use crate::workers;

/// Texts that are searched for beside key IDs when an index is made: the names of fields that hold the ARN of a principal,
/// in a record and in one that is a string, and what a sign-in to the console has.
const BESIDE: [&str; 4] = ["arn\"", "arn\\\"", "ConsoleLogin", "signin.amazonaws.com"];

/// Bytes of an ARN, at most: IAM's longest has a path of 512 and a name of 64 characters.
const MAX_ARN: usize = 2048;

/// Files whose answers are held at the same time.
const BATCH: usize = 4096;

/// Events of a file that are held: so many, and one more for so many bytes of the file. An event of CloudTrail takes some 180
/// bytes of a packed log; what has far more of them is a bomb, and each one that is held takes some thousand bytes.
const MAX_EVENTS: (usize, usize) = (4096, 32);

/// Reason for a file with more of them.
const TOO_MANY: &str = "inflates to far more events than a log of its length holds";

/// Target of a pass.
pub(super) enum Want<'a> {
    /// Every key ID and every principal: for an index.
    Everything,
    /// Events that hold one of these keys.
    Keys(&'a HashSet<LogKeyId>),
    /// Events that hold one of these texts: keys, ARNs and names of users.
    Texts(&'a AhoCorasick),
}

/// Facts that a pass found in a file.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) kind: Kind,
    /// True if an ID may hide behind an escape: only parsing tells, so an index must not rule the file out.
    pub(super) is_opaque: bool,
    /// True if it may hold a principal that could not be read off the text: a sign-in to the console names its user
    /// without an ARN at times.
    pub(super) is_odd: bool,
    /// Of its first and last record.
    pub(super) first: Stamp,
    pub(super) last: Stamp,
    /// Bytes of text.
    pub(super) text: u64,
    /// Each key ID once.
    pub(super) keys: Vec<LogKeyId>,
    /// The ARN of each principal once, and other values of a field of that name.
    pub(super) principals: Vec<Box<str>>,
    /// The events that were wanted.
    pub(super) events: Vec<Event>,
    /// Limit on the number of events that are held.
    most_events: usize,
    /// Unread part of the file, described.
    pub(super) unread: Option<String>,
}

/// Time and place of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) time: String,
    pub(super) region: String,
    pub(super) account: String,
}

/// Runs a pass over files, on several threads, and hands over the answers in the order of the files.
pub(super) fn over<'l>(
    files: &'l [Listed],
    want: &Want<'_>,
    options: Options,
    mut each: impl FnMut(&'l Listed, Result<Facts, Unread>),
) {
    for files in files.chunks(BATCH) {
        let next = AtomicUsize::new(0);
        let shares = workers::each(0..options.threads.clamp(1, files.len()), |_| {
            let (mut pass, mut reader) = (Pass::new(want), Reader::new());
            let mut share = Vec::new();
            while let Some((at, file)) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                files.get(at).map(|file| (at, file))
            } {
                share.push((at, pass.file(&mut reader, file)));
            }
            share
        });
        let mut done: Vec<_> = shares.into_iter().flatten().collect();
        done.sort_unstable_by_key(|(at, _)| *at);
        for (at, facts) in done {
            each(&files[at], facts);
        }
    }
}

/// One thread's tools.
struct Pass<'w> {
    want: &'w Want<'w>,
    searcher: KeySearcher,
    /// For the keys that are wanted, if they are few.
    given: Option<GivenSearcher>,
    /// Offsets of hits in the text at hand.
    hits: Vec<usize>,
    /// Key IDs and principals of the file at hand.
    keys: HashSet<LogKeyId, Quick>,
    principals: HashSet<Box<[u8]>, Quick>,
}

impl<'w> Pass<'w> {
    fn new(want: &'w Want<'w>) -> Self {
        Self {
            want,
            searcher: match want {
                Want::Everything => KeySearcher::beside(&BESIDE),
                Want::Keys(_) | Want::Texts(_) => KeySearcher::new(),
            },
            given: match want {
                Want::Keys(keys) => GivenSearcher::new(keys.iter().copied()),
                Want::Everything | Want::Texts(_) => None,
            },
            hits: Vec::new(),
            keys: HashSet::default(),
            principals: HashSet::default(),
        }
    }

    fn file(&mut self, reader: &mut Reader, file: &Listed) -> Result<Facts, Unread> {
        self.keys.clear();
        self.principals.clear();
        match reader.read(&file.path) {
            Ok(Text::Plain(text)) => Ok(self.whole(text, file.size, false)),
            Ok(Text::Inflated(text)) => Ok(self.whole(text, file.size, true)),
            Ok(Text::Pieces(pieces)) => Ok(self.pieces(pieces, file.size)),
            Err(error) => Err(Unread::new(&file.path, error)),
        }
    }

    /// Searches all of a text, of a file of so many bytes; `is_checked` if nothing of it can be missing.
    fn whole(&mut self, text: &[u8], size: u64, is_checked: bool) -> Facts {
        let mut facts = Facts::new(kind_of(text), size);
        facts.text = text.len() as u64;
        if facts.kind != Kind::Trail {
            return facts;
        }
        facts.first = Stamp::first(text);
        facts.last = Stamp::last(text);
        self.search(text, &mut facts);
        // Text without a checksum is cut into records to its end: that shows whether it has one.
        let last = match is_checked {
            true => self.hits.last().copied(),
            false => Some(usize::MAX),
        };
        let mut splitter = Splitter::default();
        let mut hits = self.hits.iter().copied().peekable();
        let cut = last.map_or(Ok(()), |last| {
            splitter.advance_past(text, last, |range| {
                while hits.next_if(|hit| *hit < range.start).is_some() {}
                if hits.next_if(|hit| *hit < range.end).is_some() {
                    facts.keep(&text[range]);
                }
            })
        });
        let end = cut.and_then(|()| match text.trim_ascii_end().last() {
            _ if !is_checked => splitter.end(),
            Some(b'}' | b']') => Ok(()),
            _ => Err(Damage::CutShort),
        });
        if let Err(damage) = end {
            facts.fail(words(&damage));
        }
        facts
    }

    fn pieces(&mut self, pieces: impl std::io::Read, size: u64) -> Facts {
        let mut facts = Facts::new(Kind::Other, size);
        let mut splitter = Splitter::default();
        let mut is_begun = false;
        let done = each_piece(pieces, max_output(size), |text| {
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
            match facts.is_full() {
                true => Err(TOO_MANY.to_owned()),
                false => Ok(splitter.forget()),
            }
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
            Want::Keys(keys) => match &self.given {
                Some(given) => given.each(text, |at| hits.push(at)),
                None => self.searcher.each(text, |at, hit| {
                    if !matches!(hit, Hit::Id(id) if !keys.contains(&id)) {
                        hits.push(at);
                    }
                }),
            },
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
                let (keys, principals) = (&mut self.keys, &mut self.principals);
                self.searcher.each(text, |at, hit| match hit {
                    Hit::Id(id) => {
                        if keys.insert(id) {
                            facts.keys.push(id);
                        }
                    }
                    Hit::Escaped => facts.is_opaque = true,
                    Hit::Beside(0 | 1) => match arn_at(&text[at + "arn".len()..]) {
                        Some(arn) if arn.is_empty() || principals.contains(arn) => {}
                        Some(arn) => match std::str::from_utf8(arn) {
                            Ok(text) => {
                                principals.insert(arn.into());
                                facts.principals.push(text.into());
                            }
                            Err(_not_shown) => facts.is_odd = true,
                        },
                        None => facts.is_odd = true,
                    },
                    Hit::Beside(_) => facts.is_odd = true,
                });
            }
        }
    }
}

impl Facts {
    fn new(kind: Kind, size: u64) -> Self {
        let (least, each) = MAX_EVENTS;
        Self {
            most_events: usize::try_from(size).map_or(usize::MAX, |size| least + size / each),
            kind,
            is_opaque: false,
            is_odd: false,
            first: Stamp::default(),
            last: Stamp::default(),
            text: 0,
            keys: Vec::new(),
            principals: Vec::new(),
            events: Vec::new(),
            unread: None,
        }
    }

    fn is_full(&self) -> bool {
        self.events.len() >= self.most_events
    }

    /// Parses a record.
    fn keep(&mut self, record: &[u8]) {
        if self.is_full() {
            return self.fail(TOO_MANY);
        }
        match Event::parse(record) {
            Ok(event) => self.events.extend(event),
            Err(error) => self.fail(&format!("a record is not JSON: {error}")),
        }
    }

    fn fail(&mut self, reason: &str) {
        self.unread.get_or_insert_with(|| reason.to_owned());
    }
}

/// The plain string that is the value of a field, in the text behind the field's name; empty if it is no string. `None`
/// if it has an escape in it or is too long.
fn arn_at(text: &[u8]) -> Option<&[u8]> {
    // In a record that is a string itself, quotes are escaped.
    let quote: &[u8] = if text.starts_with(b"\\") {
        b"\\\""
    } else {
        b"\""
    };
    let value = text.strip_prefix(quote).map(<[u8]>::trim_ascii_start);
    let value = value.and_then(|text| text.strip_prefix(b":"));
    let value = value.and_then(|text| text.trim_ascii_start().strip_prefix(quote));
    let Some(value) = value else {
        return Some(b"");
    };
    let value = &value[..value.len().min(MAX_ARN)];
    let end = memchr::memchr2(b'"', b'\\', value)?;
    value[end..].starts_with(quote).then(|| &value[..end])
}

/// Hashes short texts, from a seed that the writer of a log cannot know: the default takes as long as searching.
#[derive(Clone)]
pub(super) struct Quick(u64);

impl Default for Quick {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Quick {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        self.clone()
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        // Both halves of the product: every bit of the text comes to bear on every bit of the hash.
        let product = u128::from(self.0 ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Returns the kind of a text, by its beginning.
pub(in crate::evidence) fn kind_of(text: &[u8]) -> Kind {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let start = text.trim_ascii_start();
    let has = |word: &str| {
        memchr::memmem::find(&start[..start.len().min(1 << 16)], word.as_bytes()).is_some()
    };
    match start.first() {
        // Most files are logs, and their first record has the word: the rest need not be searched.
        Some(b'{' | b'[') if has("eventSource") || has("CloudTrailEvent") => Kind::Trail,
        Some(b'{') if has("\"digestStartTime\"") => Kind::Digest,
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
