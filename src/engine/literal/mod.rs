//! Searches bytes for many literals in one pass. It may not know what the literals are for.
//!
//! Of each literal four bytes are the fingerprint, and each fingerprint is in one of eight or sixteen
//! buckets ([`fingerprint`] chooses both). The first stage looks at 64 places per step and finds those
//! where some bucket allows all four bytes: with two shuffles for each byte (its low and its high half, as
//! in Teddy), or with AVX-512 VBMI one lookup of the whole byte ([`x86`]); without either it looks trigrams
//! up ([`scalar`]). It over-reports and must never miss. The second stage looks the four bytes up in a
//! hash table and compares the whole literal there. The slow truth that all of this equals is to compare
//! every literal at every place; the tests do.
//!
//! Steps are done in blocks, and what they let through is written down without a branch: text decides too
//! often, and too irregularly, whether there is something. In the second stage one bit for each hash of four
//! bytes answers for almost all that is let through.
//!
//! GB/s on one core of an AMD EPYC (Zen 4), best of several, all rows in one run: 117 MB of Rust and Python
//! sources from memory, and 256 KB of them from the cache; before the steps were done in blocks.
//! `cargo bench --bench engine -- literal` has the rows for the instructions of the machine it runs on.
//!
//! | | 40 AWS literals | with 49 of other vendors | AWS, cached | all, cached |
//! |---|---|---|---|---|
//! | AVX-512 VBMI, 8 / 16 buckets | 14.3 / 8.1 (15.1 in another run) | 12.1 / 13.0 | 28.8 / 19.0 | 9.4 / 19.3 |
//! | AVX2, 8 / 16 buckets | 9.0 / 6.3 | 8.2 / 6.9 | 12.6 / 7.2 | 7.8 / 8.4 |
//! | SSSE3, 8 / 16 buckets | 4.2 / 3.2 | 4.9 / 3.5 | 5.9 / 3.6 | 5.0 / 4.4 |
//! | scalar | 1.9 | 2.1 | 2.4 | 2.1 |
//! | `memchr::memmem`, one needle | 19.6 | | 34.0 | |
//!
//! On a Zen 3 with AVX2, where `memmem` had 9.4, the 203 literals of the rules had 3.2 when the loop was left
//! for every candidate (one in 230 bytes), 3.5 with a look at the hash inside the loop, and have 4.5 now.
//!
//! `aho-corasick`'s packed searcher had 9.3 with 16 literals, 1.9 with 48, and refuses 89. A text that is
//! `AKIA` over and over, with an occurrence at every fourth byte, takes 0.4 GB/s.
//!
//! What was tried and not kept: to call the second stage from inside the loop (the call throws the tables
//! out of the registers; up to half the speed is lost); prefetching 0.5 to 4 KB ahead (nothing gained);
//! sixteen buckets for AVX2 at 89 literals (they let a quarter through, but twice the shuffles cost more than
//! the second stage saves; at 203 literals they win by a fifth); the 512 commonest runs of four bytes in the
//! model beside the single bytes (a sixth fewer candidates); to look each table up for both halves of a step
//! at once (the compiler spills what it saves).

mod fingerprint;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::ControlFlow;

use fingerprint::{Fingerprint, Model, WINDOW};
use scalar::Trigrams;

/// Literals that are shorter cannot be searched for.
pub const SHORTEST: usize = WINDOW;

/// Why literals cannot be searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The literal with this index has fewer than [`SHORTEST`] bytes.
    TooShort(usize),
    /// These two literals are equal.
    Duplicate(usize, usize),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort(literal) => {
                write!(f, "literal {literal} has fewer than {SHORTEST} bytes")
            }
            Self::Duplicate(first, second) => write!(f, "literals {first} and {second} are equal"),
        }
    }
}

impl std::error::Error for Error {}

/// Searches for many literals at once. Bytes are compared as they are; letter case counts.
pub struct LiteralSearcher {
    literals: Vec<Vec<u8>>,
    longest: usize,
    windows: Windows,
    scan: Scan,
}

impl LiteralSearcher {
    /// Prepares the search with the best instructions that this processor has.
    ///
    /// # Errors
    ///
    /// If a literal is shorter than [`SHORTEST`], or is there twice.
    pub fn new(literals: &[Vec<u8>]) -> Result<Self, Error> {
        Self::with(literals, Instructions::detect())
    }

    /// Prepares a search that finds the same in a twentieth of the time (0.07 ms for 203 literals, where the other
    /// takes 1.4), at half the speed or less: for a text or two.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn quick(literals: &[Vec<u8>]) -> Result<Self, Error> {
        Self::with(literals, Instructions::Scalar)
    }

    fn with(literals: &[Vec<u8>], instructions: Instructions) -> Result<Self, Error> {
        let mut seen = HashMap::new();
        for (index, literal) in literals.iter().enumerate() {
            if literal.len() < SHORTEST {
                return Err(Error::TooShort(index));
            }
            if let Some(first) = seen.insert(literal, index) {
                return Err(Error::Duplicate(first, index));
            }
        }
        let fingerprints = choose(literals, instructions);
        Ok(Self {
            literals: literals.to_vec(),
            longest: literals.iter().map(Vec::len).max().unwrap_or(0),
            windows: Windows::new(literals, &fingerprints),
            scan: Scan::new(&fingerprints, instructions),
        })
    }

    /// Shows every occurrence of every literal, overlaps included, by offset, then by index of the literal.
    pub fn find_each(&self, haystack: &[u8], found: &mut impl FnMut(usize, usize)) {
        let mut ordered = Ordered {
            pending: VecDeque::new(),
            reach: self.windows.reach,
            found,
        };
        let _ = self.scan.candidates(haystack, &mut |at, mask| {
            each_bit(at, mask, |window| {
                self.confirm(haystack, window, |literal, offset| {
                    ordered.push(window, offset, literal);
                    ControlFlow::Continue(())
                })
            })
        });
        ordered.finish();
    }

    /// Whether any literal occurs at all.
    pub fn is_match(&self, haystack: &[u8]) -> bool {
        self.scan
            .candidates(haystack, &mut |at, mask| {
                each_bit(at, mask, |window| {
                    self.confirm(haystack, window, |_, _| ControlFlow::Break(()))
                })
            })
            .is_break()
    }

    /// Length of the longest literal; 0 if there is none.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Shows the literals that have their fingerprint at `window` and stand there whole.
    #[inline]
    fn confirm(
        &self,
        haystack: &[u8],
        window: usize,
        mut show: impl FnMut(usize, usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(bytes) = haystack.get(window..).and_then(<[u8]>::first_chunk) else {
            return ControlFlow::Continue(());
        };
        if !self.windows.may_be(*bytes) {
            return ControlFlow::Continue(());
        }
        for entry in self.windows.at(*bytes) {
            let Some(offset) = window.checked_sub(entry.offset) else {
                continue;
            };
            // Most that share a window, as the names of secrets do, differ here.
            let head = haystack.get(offset..).and_then(<[u8]>::first_chunk);
            if head.is_some_and(|head| u64::from_le_bytes(*head) & entry.mask != entry.head) {
                continue;
            }
            let literal = &self.literals[entry.literal];
            let whole = haystack
                .get(offset..)
                .is_some_and(|rest| rest.starts_with(literal));
            if whole {
                show(entry.literal, offset)?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl fmt::Debug for LiteralSearcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiteralSearcher")
            .field("literals", &self.literals.len())
            .field("longest", &self.longest)
            .field("scan", &self.scan)
            .finish_non_exhaustive()
    }
}

/// Calls `visit` with `at` plus the index of each set bit, in order.
#[inline]
fn each_bit(
    at: usize,
    mut mask: u64,
    mut visit: impl FnMut(usize) -> ControlFlow<()>,
) -> ControlFlow<()> {
    while mask != 0 {
        visit(at + mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
    }
    ControlFlow::Continue(())
}

/// Eight buckets if they let little enough through for these instructions, else sixteen.
fn choose(literals: &[Vec<u8>], instructions: Instructions) -> Vec<Fingerprint> {
    let model = Model::new();
    let Some(limit) = instructions.candidates_per_byte() else {
        return fingerprint::rarest(literals, &model);
    };
    // More than this many in a bucket always let too much through.
    if literals.len() <= 12 * GROUP {
        let narrow = fingerprint::choose(literals, GROUP, &model);
        if narrow.per_byte <= limit {
            return narrow.fingerprints;
        }
    }
    fingerprint::choose(literals, 2 * GROUP, &model).fingerprints
}

/// Puts occurrences, which come in order of their fingerprints, in order of their first bytes.
struct Ordered<'f, F> {
    /// Offset and literal of what may not be shown yet.
    pending: VecDeque<(usize, usize)>,
    /// How far into its literal a fingerprint may begin.
    reach: usize,
    found: &'f mut F,
}

impl<F: FnMut(usize, usize)> Ordered<'_, F> {
    fn push(&mut self, window: usize, offset: usize, literal: usize) {
        // Whatever comes from now on begins at `window - reach` or later.
        while let Some((offset, literal)) = self.pending.front() {
            if offset + self.reach >= window {
                break;
            }
            (self.found)(*literal, *offset);
            self.pending.pop_front();
        }
        self.pending.push_back((offset, literal));
        let mut place = self.pending.len() - 1;
        while place > 0 && self.pending[place - 1] > self.pending[place] {
            self.pending.swap(place - 1, place);
            place -= 1;
        }
    }

    fn finish(self) {
        for (offset, literal) in self.pending {
            (self.found)(literal, offset);
        }
    }
}

/// The fingerprints by a hash of their bytes.
struct Windows {
    /// One bit for each hash that a fingerprint has.
    known: Vec<u64>,
    entries: Vec<Entry>,
    /// Slot `s` holds the entries from `slots[s]` to `slots[s + 1]`.
    slots: Vec<u32>,
    /// The largest offset of a fingerprint in its literal.
    reach: usize,
}

#[derive(Clone, Copy)]
struct Entry {
    window: [u8; WINDOW],
    literal: usize,
    offset: usize,
    /// The first eight bytes of the literal, where it has so many.
    head: u64,
    /// Covers as many bytes of the head as the literal has.
    mask: u64,
}

/// Slots of the hash table, as a power of two: most are empty with a few hundred literals, and all
/// stay in the first-level cache.
const SLOT_BITS: u32 = 11;
/// Bits of [`Windows::known`], as a power of two: 4 KiB, of which a few hundred literals set one bit in a
/// hundred.
const KNOWN_BITS: u32 = 15;

impl Windows {
    fn new(literals: &[Vec<u8>], fingerprints: &[Fingerprint]) -> Self {
        let mut known = vec![0; 1 << (KNOWN_BITS - u64::BITS.ilog2())];
        for fingerprint in fingerprints {
            let (word, bit) = Self::place(fingerprint.window);
            known[word] |= bit;
        }
        let mut entries: Vec<Entry> = fingerprints
            .iter()
            .enumerate()
            .map(|(literal, fingerprint)| {
                let mut head = [0; 8];
                let mut mask = [0; 8];
                for (place, byte) in literals[literal].iter().take(8).enumerate() {
                    head[place] = *byte;
                    mask[place] = u8::MAX;
                }
                Entry {
                    window: fingerprint.window,
                    literal,
                    offset: fingerprint.offset,
                    head: u64::from_le_bytes(head),
                    mask: u64::from_le_bytes(mask),
                }
            })
            .collect();
        entries.sort_by_key(|entry| (Self::slot(entry.window), entry.literal));
        let mut slots = vec![0; (1 << SLOT_BITS) + 1];
        for entry in &entries {
            slots[Self::slot(entry.window) + 1] += 1;
        }
        let mut sum = 0;
        for slot in &mut slots {
            sum += *slot;
            *slot = sum;
        }
        Self {
            known,
            reach: entries.iter().map(|entry| entry.offset).max().unwrap_or(0),
            entries,
            slots,
        }
    }

    /// Whether these bytes have the hash of a fingerprint.
    #[inline]
    fn may_be(&self, window: [u8; WINDOW]) -> bool {
        let (word, bit) = Self::place(window);
        self.known[word] & bit != 0
    }

    /// Word and bit in [`Self::known`].
    #[inline]
    fn place(window: [u8; WINDOW]) -> (usize, u64) {
        let hash = hash(u32::from_le_bytes(window), KNOWN_BITS);
        (hash / 64, 1 << (hash % 64))
    }

    #[inline]
    fn slot(window: [u8; WINDOW]) -> usize {
        hash(u32::from_le_bytes(window), SLOT_BITS)
    }

    #[inline]
    fn at(&self, window: [u8; WINDOW]) -> &[Entry] {
        let slot = Self::slot(window);
        &self.entries[self.slots[slot] as usize..self.slots[slot + 1] as usize]
    }
}

/// Fibonacci hashing: the upper bits of a product depend on all bits of the value.
#[inline]
fn hash(value: u32, bits: u32) -> usize {
    (value.wrapping_mul(0x9e37_79b1) >> (32 - bits)) as usize
}

/// Which vector instructions are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Ssse3,
    Scalar,
}

impl Instructions {
    const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        #[cfg(target_arch = "x86_64")]
        Self::Ssse3,
        Self::Scalar,
    ];

    /// The best that this processor has.
    fn detect() -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|instructions| instructions.present())
            .unwrap_or(Self::Scalar)
    }

    /// How many candidates per byte cost less than to search with twice the buckets; `None` where there are no
    /// buckets.
    fn candidates_per_byte(self) -> Option<f32> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Some(1.0 / 5000.0),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 | Self::Ssse3 => Some(1.0 / 500.0),
            Self::Scalar => None,
        }
    }

    fn present(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vbmi")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Ssse3 => is_x86_feature_detected!("ssse3"),
            Self::Scalar => true,
        }
    }
}

/// Buckets whose bits share a byte.
const GROUP: usize = 8;

/// The first stage: shows where a fingerprint may be. It over-reports and never misses.
#[derive(Debug)]
enum Scan {
    /// There is nothing to find.
    Nothing,
    #[cfg(target_arch = "x86_64")]
    Vector(x86::Vector),
    Scalar(Trigrams),
}

impl Scan {
    fn new(fingerprints: &[Fingerprint], instructions: Instructions) -> Self {
        if fingerprints.is_empty() {
            return Self::Nothing;
        }
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 | Instructions::Avx2 | Instructions::Ssse3 => {
                Self::Vector(x86::Vector::new(fingerprints, instructions))
            }
            Instructions::Scalar => Self::Scalar(Trigrams::new(fingerprints)),
        }
    }

    /// Calls `visit` with an offset and a mask: where bit `i` is set, a fingerprint may begin at
    /// `offset + i`. In ascending order, no place twice.
    #[inline]
    fn candidates(
        &self,
        haystack: &[u8],
        visit: &mut impl FnMut(usize, u64) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Self::Nothing => ControlFlow::Continue(()),
            #[cfg(target_arch = "x86_64")]
            Self::Vector(vector) => vector.candidates(haystack, visit),
            Self::Scalar(trigrams) => trigrams.candidates(haystack, visit),
        }
    }
}

#[cfg(test)]
mod tests;
