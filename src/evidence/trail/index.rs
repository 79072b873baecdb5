//! A key index: which files of an archive hold which key IDs and which principals.
//!
//! The file has a line of magic, then numbers as LEB128 and texts with their length before them, and the CRC-32 of all of
//! it at the end. Key IDs and ARNs are in two tables, and a file has their numbers. It holds no secret: key IDs, ARNs,
//! paths and times.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use super::coverage::Coverage;
use super::file::Unread;
use super::pass::{self, Facts, Quick, Stamp, Want};
use super::{Account, Kind, Listed, Options};
use crate::aws::cloudtrail::LogKeyId;

const MAGIC: &[u8] = b"keysieve trail index 2\n";

/// Index from keys to the files that have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// By path. Paths that are compared part by part would take half of the time.
    files: BTreeMap<OsString, Entry>,
}

/// Known facts about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) size: u64,
    pub(super) modified: u64,
    pub(super) kind: Kind,
    pub(super) is_opaque: bool,
    pub(super) is_odd: bool,
    pub(super) first: Stamp,
    pub(super) last: Stamp,
    /// Each once, in the order of the text.
    pub(super) keys: Box<[LogKeyId]>,
    /// Likewise.
    pub(super) principals: Box<[Arc<str>]>,
}

impl Entry {
    fn of(file: &Listed, facts: Facts, known: &mut HashSet<Arc<str>, Quick>) -> Self {
        let mut shared = |arn: Box<str>| match known.get(&*arn) {
            Some(arn) => Arc::clone(arn),
            None => {
                let arn: Arc<str> = arn.into();
                known.insert(Arc::clone(&arn));
                arn
            }
        };
        Self {
            size: file.size,
            modified: file.modified,
            kind: facts.kind,
            is_opaque: facts.is_opaque,
            is_odd: facts.is_odd,
            first: facts.first,
            last: facts.last,
            keys: facts.keys.into(),
            principals: facts.principals.into_iter().map(&mut shared).collect(),
        }
    }
}

/// Brings `index` up to date with `files`: reads those that are new or have changed, and keeps what it knows of others.
///
/// A file with the size and time that the index has is taken to be unchanged.
pub fn index(index: &mut Index, files: &[Listed], options: Options) -> Account {
    let new: Vec<Listed> = files
        .iter()
        .filter(|file| index.entry(file).is_none())
        .cloned()
        .collect();
    let mut account = Account {
        skipped: (files.len() - new.len()) as u64,
        ..Account::default()
    };
    let known = index.files.values().flat_map(|entry| &entry.principals);
    let mut known: HashSet<Arc<str>, Quick> = known.cloned().collect();
    pass::over(
        &new,
        &Want::Everything,
        options,
        |file, facts| match facts {
            Ok(facts) => {
                account.count(file, &facts);
                if facts.unread.is_none() {
                    let entry = Entry::of(file, facts, &mut known);
                    index.files.insert(file.path.clone().into(), entry);
                } else {
                    index.files.remove(file.path.as_os_str());
                }
            }
            Err(unread) => account.unread.push(unread),
        },
    );
    account
}

impl Account {
    /// Counts a file that was read.
    pub(super) fn count(&mut self, file: &Listed, facts: &Facts) {
        match facts.kind {
            Kind::Trail => {
                self.trails += 1;
                self.bytes += file.size;
                self.text += facts.text;
                self.coverage.add_ends(&facts.first, &facts.last);
            }
            Kind::Digest => self.digests += 1,
            Kind::Other => self.others += 1,
        }
        if let Some(reason) = &facts.unread {
            self.unread.push(Unread::new(&file.path, reason));
        }
    }
}

impl Index {
    /// Returns the number of files in it.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Returns true if it knows no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the number of different keys in it.
    pub fn keys(&self) -> usize {
        let keys = self.files.values().flat_map(|entry| &entry.keys);
        keys.collect::<HashSet<_, Quick>>().len()
    }

    /// Returns the entry of a file, if the file has not changed.
    pub(super) fn entry(&self, file: &Listed) -> Option<&Entry> {
        let entry = self.files.get(file.path.as_os_str())?;
        (entry.size == file.size && entry.modified == file.modified).then_some(entry)
    }

    /// Adds what another index knows. Of two entries for one file the one with the later time counts, then the larger.
    pub fn merge(&mut self, other: Self) {
        for (path, entry) in other.files {
            match self.files.get(&path) {
                Some(known) if (known.modified, known.size) >= (entry.modified, entry.size) => {}
                _ => drop(self.files.insert(path, entry)),
            }
        }
    }

    /// Returns the coverage of its files.
    pub fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for entry in self
            .files
            .values()
            .filter(|entry| entry.kind == Kind::Trail)
        {
            coverage.add_ends(&entry.first, &entry.last);
        }
        coverage
    }

    /// The bytes of the index as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut keys = Table::default();
        let mut arns = Table::default();
        for entry in self.files.values() {
            entry.keys.iter().for_each(|key| keys.add(key));
            entry.principals.iter().for_each(|arn| arns.add(&**arn));
        }
        let mut out = Writer(MAGIC.to_vec());
        out.number(keys.items.len() as u64);
        (keys.items.iter()).for_each(|key| out.0.extend_from_slice(key.as_bytes()));
        out.number(arns.items.len() as u64);
        (arns.items.iter()).for_each(|arn| out.bytes(arn.as_bytes()));
        out.number(self.files.len() as u64);
        for (path, entry) in &self.files {
            out.bytes(path.as_encoded_bytes());
            out.number(entry.size);
            out.number(entry.modified);
            out.number(
                entry.kind as u64 | u64::from(entry.is_opaque) << 2 | u64::from(entry.is_odd) << 3,
            );
            for stamp in [&entry.first, &entry.last] {
                for text in [&stamp.time, &stamp.region, &stamp.account] {
                    out.bytes(text.as_bytes());
                }
            }
            out.number(entry.keys.len() as u64);
            (entry.keys.iter()).for_each(|key| out.number(keys.numbers[key]));
            out.number(entry.principals.len() as u64);
            (entry.principals.iter()).for_each(|arn| out.number(arns.numbers[&**arn]));
        }
        let sum = crc32fast::hash(&out.0);
        out.0.extend_from_slice(&sum.to_le_bytes());
        out.0
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    ///
    /// It is not an index of this version, or was damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(FormatError::NotAnIndex)?;
        let (body, sum) = rest.split_last_chunk::<4>().ok_or(FormatError::Damaged)?;
        if crc32fast::hash(&bytes[..bytes.len() - 4]) != u32::from_le_bytes(*sum) {
            return Err(FormatError::Damaged);
        }
        let mut from = Bytes(body);
        let index = from.index().ok_or(FormatError::Damaged)?;
        from.0
            .is_empty()
            .then_some(index)
            .ok_or(FormatError::Damaged)
    }
}

/// Reason why a file is not an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// It does not begin as an index of this version does.
    NotAnIndex,
    /// Its checksum or its content is wrong.
    Damaged,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnIndex => "not a trail index of this version",
            Self::Damaged => "a damaged trail index",
        })
    }
}

impl std::error::Error for FormatError {}

/// Things in the order of their first appearance, each with its number.
struct Table<'t, T: ?Sized> {
    items: Vec<&'t T>,
    numbers: HashMap<&'t T, u64, Quick>,
}

impl<T: ?Sized> Default for Table<'_, T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            numbers: HashMap::default(),
        }
    }
}

impl<'t, T: ?Sized + Eq + std::hash::Hash> Table<'t, T> {
    fn add(&mut self, item: &'t T) {
        let next = self.items.len() as u64;
        if *self.numbers.entry(item).or_insert(next) == next {
            self.items.push(item);
        }
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn index(&mut self) -> Option<Index> {
        let mut keys = Vec::new();
        for _ in 0..self.number()? {
            let (key, rest) = self.0.split_at_checked(20)?;
            self.0 = rest;
            keys.push(LogKeyId::from_bytes(key)?);
        }
        let mut arns: Vec<Arc<str>> = Vec::new();
        for _ in 0..self.number()? {
            arns.push(self.text()?.into());
        }
        let mut files = BTreeMap::new();
        for _ in 0..self.number()? {
            let path = self.bytes()?;
            let entry = self.entry(&keys, &arns)?;
            files.insert(path_of(path)?, entry);
        }
        Some(Index { files })
    }

    fn entry(&mut self, keys: &[LogKeyId], arns: &[Arc<str>]) -> Option<Entry> {
        let (size, modified, flags) = (self.number()?, self.number()?, self.number()?);
        let kind = [Kind::Trail, Kind::Digest, Kind::Other]
            .into_iter()
            .find(|kind| *kind as u64 == flags & 3)?;
        let (first, last) = (self.stamp()?, self.stamp()?);
        let (keys, principals) = (self.numbered(keys)?, self.numbered(arns)?);
        Some(Entry {
            size,
            modified,
            kind,
            is_opaque: flags & 4 != 0,
            is_odd: flags & 8 != 0,
            first,
            last,
            keys,
            principals,
        })
    }

    /// Some of `items`, by their numbers.
    fn numbered<T: Clone>(&mut self, items: &[T]) -> Option<Box<[T]>> {
        let mut some = Vec::new();
        for _ in 0..self.number()? {
            some.push(items.get(usize::try_from(self.number()?).ok()?)?.clone());
        }
        Some(some.into())
    }

    fn stamp(&mut self) -> Option<Stamp> {
        Some(Stamp {
            time: self.text()?,
            region: self.text()?,
            account: self.text()?,
        })
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt as _;
    Some(OsString::from_vec(bytes.to_vec()))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Option<OsString> {
    String::from_utf8(bytes.to_vec()).ok().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> impl Strategy<Value = LogKeyId> {
        "(AKI|ASI)A[A-Z0-9]{16}".prop_map(|text| LogKeyId::parse(&text).expect("an ID"))
    }

    fn stamp() -> impl Strategy<Value = Stamp> {
        ("[0-9TZ:-]{0,20}", "[a-z0-9-]{0,14}", "[0-9]{0,12}").prop_map(|(time, region, account)| {
            Stamp {
                time,
                region,
                account,
            }
        })
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let arn = || "arn:[a-z/]{1,3}";
        (
            (
                any::<u64>(),
                any::<u64>(),
                0..3_usize,
                any::<bool>(),
                any::<bool>(),
            ),
            (stamp(), stamp()),
            prop::collection::btree_set(key(), 0..4),
            prop::collection::btree_set(arn(), 0..3),
        )
            .prop_map(
                |((size, modified, kind, is_opaque, is_odd), (first, last), keys, arns)| Entry {
                    size,
                    modified,
                    kind: [Kind::Trail, Kind::Digest, Kind::Other][kind],
                    is_opaque,
                    is_odd,
                    first,
                    last,
                    keys: keys.into_iter().collect(),
                    principals: arns.into_iter().map(Arc::from).collect(),
                },
            )
    }

    fn any_index() -> impl Strategy<Value = Index> {
        prop::collection::btree_map("[a-zé/]{1,9}".prop_map(OsString::from), entry(), 0..5)
            .prop_map(|files| Index { files })
    }

    proptest! {
        #[test]
        fn an_index_is_read_as_it_was_written(index in any_index()) {
            prop_assert_eq!(Index::from_bytes(&index.to_bytes()), Ok(index));
        }

        #[test]
        fn merging_is_idempotent_and_the_order_is_nothing(a in any_index(), b in any_index()) {
            let (mut ab, mut ba) = (a.clone(), b.clone());
            ab.merge(b.clone());
            ba.merge(a);
            let same_stamp = ab.files.iter().all(|(path, entry)| ba.files[path].size == entry.size);
            prop_assert!(same_stamp);
            let once = ab.clone();
            ab.merge(b);
            prop_assert_eq!(ab, once);
        }

        #[test]
        fn damage_is_noticed(index in any_index(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut bytes = index.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(Index::from_bytes(&bytes).is_err());
            bytes.truncate(at);
            prop_assert!(Index::from_bytes(&bytes).is_err());
        }
    }
}
