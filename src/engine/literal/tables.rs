//! Tables of a search, made of literals once: for the built-in rules when the program is built. The build script
//! compiles this file too, so it uses nothing but the standard library and the chooser beside it.

use std::borrow::Cow;

use super::fingerprint::{Fingerprint, WINDOW, high_half, key, low_half};

/// Buckets whose bits share a byte.
pub const GROUP: usize = 8;

/// Slots of the hash table, as a power of two: most are empty with a thousand literals.
const SLOT_BITS: u32 = 12;
/// Bits of [`Tables::known`], as a power of two: 4 KiB, which stay in the first-level cache. A thousand literals set
/// one bit in thirty.
pub const KNOWN_BITS: u32 = 15;

/// The literals and all tables.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The literals, one behind the other.
    pub text: Cow<'static, [u8]>,
    /// End of each literal in [`Self::text`].
    pub ends: Cow<'static, [u32]>,
    /// One bit for each hash that a fingerprint has.
    pub known: Cow<'static, [u64]>,
    /// The fingerprints by their hash.
    pub entries: Cow<'static, [Entry]>,
    /// Slot `s` holds the entries from `slots[s]` to `slots[s + 1]`.
    pub slots: Cow<'static, [u32]>,
    /// The buckets.
    pub groups: Cow<'static, [Group]>,
    /// Length of the longest literal.
    pub longest: usize,
    /// The largest offset of a fingerprint in its literal.
    pub reach: usize,
}

/// A fingerprint and its literal.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The fingerprint.
    pub window: [u8; WINDOW],
    /// Its offset in the literal.
    pub offset: u32,
    /// The bucket that it is in.
    pub bucket: u32,
    /// The literal.
    pub literal: u32,
    /// The first eight bytes of the literal, where it has so many.
    pub head: u64,
    /// Covers as many bytes of the head as the literal has.
    pub mask: u64,
}

/// Eight buckets: for each byte of the window, which buckets allow which value, by its halves and as a whole; and
/// which of them allow which [`key`].
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// By the low half of a byte.
    pub low: [[u8; 16]; WINDOW],
    /// By the high half.
    pub high: [[u8; 16]; WINDOW],
    /// By the lower seven bits.
    pub whole: [[u8; 128]; WINDOW],
    /// By the key of the window.
    pub keys: [u8; 128],
}

impl Group {
    const EMPTY: Self = Self {
        low: [[0; 16]; WINDOW],
        high: [[0; 16]; WINDOW],
        whole: [[0; 128]; WINDOW],
        keys: [0; 128],
    };

    fn add(&mut self, fingerprint: &Fingerprint) {
        let bit = 1 << (fingerprint.bucket % GROUP);
        for (position, byte) in fingerprint.window.iter().enumerate() {
            self.low[position][low_half(*byte)] |= bit;
            self.high[position][high_half(*byte)] |= bit;
            self.whole[position][usize::from(byte & 0x7f)] |= bit;
        }
        self.keys[key(&fingerprint.window)] |= bit;
    }
}

impl Tables {
    /// Tables for literals with these fingerprints, one each.
    pub fn new(literals: &[Vec<u8>], fingerprints: &[Fingerprint]) -> Self {
        let mut known = vec![0; 1 << (KNOWN_BITS - u64::BITS.ilog2())];
        let mut groups = vec![Group::EMPTY; usize::from(!fingerprints.is_empty())];
        let mut entries = Vec::with_capacity(fingerprints.len());
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for (number, (literal, fingerprint)) in literals.iter().zip(fingerprints).enumerate() {
            let (word, bit) = known_place(fingerprint.window);
            known[word] |= bit;
            let group = fingerprint.bucket / GROUP;
            if groups.len() <= group {
                groups.resize(group + 1, Group::EMPTY);
            }
            groups[group].add(fingerprint);
            let mut head = [0; 8];
            let mut mask = [0; 8];
            for (place, byte) in literal.iter().take(8).enumerate() {
                head[place] = *byte;
                mask[place] = u8::MAX;
            }
            entries.push(Entry {
                window: fingerprint.window,
                offset: fingerprint.offset as u32,
                bucket: fingerprint.bucket as u32,
                literal: number as u32,
                head: u64::from_le_bytes(head),
                mask: u64::from_le_bytes(mask),
            });
            text.extend_from_slice(literal);
            ends.push(text.len() as u32);
        }
        entries.sort_by_key(|entry| (slot(entry.window), entry.literal));
        let mut slots = vec![0; (1 << SLOT_BITS) + 1];
        for entry in &entries {
            slots[slot(entry.window) + 1] += 1;
        }
        let mut sum = 0;
        for slot in &mut slots {
            sum += *slot;
            *slot = sum;
        }
        Self {
            text: text.into(),
            ends: ends.into(),
            known: known.into(),
            slots: slots.into(),
            groups: groups.into(),
            longest: literals.iter().map(Vec::len).max().unwrap_or(0),
            reach: fingerprints.iter().map(|one| one.offset).max().unwrap_or(0),
            entries: entries.into(),
        }
    }

    /// The same tables, not copied.
    pub fn borrowed(&'static self) -> Self {
        Self {
            text: Cow::Borrowed(&self.text),
            ends: Cow::Borrowed(&self.ends),
            known: Cow::Borrowed(&self.known),
            entries: Cow::Borrowed(&self.entries),
            slots: Cow::Borrowed(&self.slots),
            groups: Cow::Borrowed(&self.groups),
            longest: self.longest,
            reach: self.reach,
        }
    }

    /// Returns the number of literals.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns true if there is no literal.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A literal; empty if there is none of this number.
    #[inline]
    pub fn literal(&self, number: usize) -> &[u8] {
        let end = |number: usize| self.ends.get(number).map(|end| *end as usize);
        let start = number.checked_sub(1).and_then(end).unwrap_or(0);
        let literal = end(number).and_then(|end| self.text.get(start..end));
        literal.unwrap_or_default()
    }

    /// The fingerprints of all literals, in their order.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort_by_key(|entry| entry.literal);
        let fingerprint = |entry: &Entry| Fingerprint {
            window: entry.window,
            offset: entry.offset as usize,
            bucket: entry.bucket as usize,
        };
        entries.into_iter().map(fingerprint).collect()
    }

    /// Returns true if these bytes have the hash of a fingerprint.
    #[inline]
    pub fn may_be(&self, window: [u8; WINDOW]) -> bool {
        let (word, bit) = known_place(window);
        self.known.get(word).is_some_and(|word| word & bit != 0)
    }

    /// The fingerprints with the hash of these bytes, by their literals.
    #[inline]
    pub fn at(&self, window: [u8; WINDOW]) -> &[Entry] {
        let slot = slot(window);
        match self.slots.get(slot..slot + 2) {
            Some([start, end]) => self.entries.get(*start as usize..*end as usize),
            _ => None,
        }
        .unwrap_or_default()
    }
}

/// Word and bit in [`Tables::known`].
#[inline]
fn known_place(window: [u8; WINDOW]) -> (usize, u64) {
    let hash = hash(u32::from_le_bytes(window), KNOWN_BITS);
    (hash / 64, 1 << (hash % 64))
}

#[inline]
fn slot(window: [u8; WINDOW]) -> usize {
    hash(u32::from_le_bytes(window), SLOT_BITS)
}

/// Fibonacci hashing: the upper bits of a product depend on all bits of the value.
#[inline]
pub fn hash(value: u32, bits: u32) -> usize {
    (value.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}
