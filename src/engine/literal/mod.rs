//! Searches bytes for many literals in one pass. It may not know what the literals are for.
//!
//! Of each literal four bytes are the fingerprint, and each fingerprint is in one of eight or sixteen
//! buckets ([`fingerprint`] chooses both). The first stage looks at 64 places per step and finds those
//! where some bucket allows all four bytes: with two shuffles for each byte (its low and its high half, as
//! in Teddy), or with AVX-512 VBMI one lookup of the whole byte, and one more of a sum of all four ([`x86`]);
//! without either it looks trigrams up ([`scalar`]). It over-reports and must never miss. The second stage
//! looks the four bytes up in a hash table and compares the whole literal there. The slow truth that all of
//! this equals is to compare every literal at every place; the tests do.
//!
//! Steps are done in blocks of 4 KiB. The places that they let through are packed into a list without a branch on
//! what the text holds: text decides too often, and too irregularly, whether there is something. The list is
//! thinned, without a branch again, by one bit for each hash of four bytes; what is left of it is compared.
//!
//! GB/s on one core of an AMD EPYC (Zen 4) that others used as well, by CPU time, best but two of fifteen: 117 MB of
//! Rust sources; 203 literals of the rules, and with others that rules may have one day. `before` is the code before
//! places were packed and thinned. `docs/lab/performance.md` has more.
//!
//! | | 203, before | 203 | 1,000, before | 1,000 |
//! |---|---|---|---|---|
//! | AVX-512 VBMI2 | 10.5 | 11.5 | 3.4 | 9.2 |
//! | AVX2 | 5.8 | 6.2 | 2.4 | 3.5 |
//! | SSSE3 | 3.4 | 3.1 | 1.9 | 2.2 |
//! | scalar | 1.9 | 2.0 | 1.15 | 1.35 |
//!
//! `aho-corasick`'s packed searcher had 9.3 with 16 literals, 1.9 with 48, and refuses 89. A text that is
//! `AKIA` over and over, with an occurrence at every fourth byte, takes 0.4 GB/s.
//!
//! What was tried and not kept: to call the second stage from inside the loop (the call throws the tables
//! out of the registers; up to half the speed is lost); prefetching 0.5 to 4 KB ahead (nothing gained);
//! 24 or 32 buckets (half the candidates, but more shuffles than the second stage saves); to gather the four
//! bytes of sixteen places at once and test the hashes with a second gather (no faster than one by one, with AVX-512
//! and slower with AVX2); a second sum of the four bytes (a third of the candidates is left, and nothing gained); 16 to
//! 32 KiB for the bits of hashes (they leave the first-level cache).

pub mod fingerprint;
mod scalar;
pub mod tables;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::ControlFlow;

use fingerprint::{Effort, Fingerprint, Model, WINDOW};
use scalar::Trigrams;
use tables::{GROUP, Tables};

/// Literals that are shorter cannot be searched for.
pub const SHORTEST: usize = WINDOW;

/// Reason why literals cannot be searched for.
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
    tables: Tables,
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

    /// The same where most literals are those of another search: they keep their places, which saves the choice.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn like(base: &Tables, literals: &[Vec<u8>]) -> Result<Self, Error> {
        check(literals)?;
        let fingerprints = base.fingerprints();
        let known: HashMap<&[u8], Fingerprint> = (0..base.len())
            .map(|number| base.literal(number))
            .zip(fingerprints)
            .collect();
        let given = literals.iter().map(|one| known.get(&one[..]).copied());
        let given: Vec<Option<Fingerprint>> = given.collect();
        let instructions = Instructions::detect();
        let fingerprints = choose(literals, &given, instructions);
        Ok(Self::of(Tables::new(literals, &fingerprints), instructions))
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

    /// A search whose tables were made when the program was built.
    pub fn fixed(tables: &'static Tables) -> Self {
        Self::of(tables.borrowed(), Instructions::detect())
    }

    fn with(literals: &[Vec<u8>], instructions: Instructions) -> Result<Self, Error> {
        check(literals)?;
        let fingerprints = choose(literals, &[], instructions);
        Ok(Self::of(Tables::new(literals, &fingerprints), instructions))
    }

    fn of(tables: Tables, instructions: Instructions) -> Self {
        Self {
            scan: Scan::new(&tables, instructions),
            tables,
        }
    }

    /// Shows every occurrence of every literal, overlaps included, by offset, then by index of the literal.
    pub fn find_each(&self, haystack: &[u8], found: &mut impl FnMut(usize, usize)) {
        let mut ordered = Ordered {
            pending: VecDeque::new(),
            reach: self.tables.reach,
            found,
        };
        let _ = self.scan.candidates(&self.tables, haystack, &mut |window| {
            self.confirm(haystack, window, |literal, offset| {
                ordered.push(window, offset, literal);
                ControlFlow::Continue(())
            })
        });
        ordered.finish();
    }

    /// Returns true if any literal occurs.
    pub fn is_match(&self, haystack: &[u8]) -> bool {
        self.scan
            .candidates(&self.tables, haystack, &mut |window| {
                self.confirm(haystack, window, |_, _| ControlFlow::Break(()))
            })
            .is_break()
    }

    /// Length of the longest literal; 0 if there is none.
    pub fn longest(&self) -> usize {
        self.tables.longest
    }

    /// Shows the literals that have their fingerprint at `window` and occur there whole.
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
        for entry in self.tables.at(*bytes) {
            let Some(offset) = window.checked_sub(entry.offset as usize) else {
                continue;
            };
            // Most that share a window, as the names of secrets do, differ here.
            let head = haystack.get(offset..).and_then(<[u8]>::first_chunk);
            if head.is_some_and(|head| u64::from_le_bytes(*head) & entry.mask != entry.head) {
                continue;
            }
            let number = entry.literal as usize;
            let literal = self.tables.literal(number);
            let whole = haystack
                .get(offset..)
                .is_some_and(|rest| rest.starts_with(literal));
            if whole {
                show(number, offset)?;
            }
        }
        ControlFlow::Continue(())
    }
}

impl fmt::Debug for LiteralSearcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiteralSearcher")
            .field("literals", &self.tables.len())
            .field("longest", &self.tables.longest)
            .field("scan", &self.scan)
            .finish_non_exhaustive()
    }
}

fn check(literals: &[Vec<u8>]) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for (index, literal) in literals.iter().enumerate() {
        if literal.len() < SHORTEST {
            return Err(Error::TooShort(index));
        }
        if let Some(first) = seen.insert(literal, index) {
            return Err(Error::Duplicate(first, index));
        }
    }
    Ok(())
}

/// Eight buckets if they let little enough through for these instructions, else sixteen; as many as those have whose
/// fingerprints are given.
fn choose(
    literals: &[Vec<u8>],
    given: &[Option<Fingerprint>],
    instructions: Instructions,
) -> Vec<Fingerprint> {
    let model = Model::new(HashMap::new());
    let Some(limit) = instructions.candidates_per_byte() else {
        return fingerprint::rarest(literals, &model);
    };
    let is_wide = given.iter().flatten().any(|given| given.bucket >= GROUP);
    // More than this many in a bucket always let too much through.
    if literals.len() <= 12 * GROUP && !is_wide {
        let narrow = fingerprint::choose(literals, given, GROUP, &model, Effort::LITTLE);
        if narrow.per_byte <= limit {
            return narrow.fingerprints;
        }
    }
    fingerprint::choose(literals, given, 2 * GROUP, &model, Effort::LITTLE).fingerprints
}

/// Puts occurrences, which come in order of their fingerprints, in order of their first bytes.
struct Ordered<'f, F> {
    /// Offset and literal of what may not be shown yet.
    pending: VecDeque<(usize, usize)>,
    /// Greatest offset of a fingerprint in its literal.
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

/// Vector instructions in use.
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

    /// Returns the greatest number of candidates per byte that costs less than a search with twice the buckets; `None`
    /// where there are no buckets.
    fn candidates_per_byte(self) -> Option<f32> {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Avx2 | Self::Ssse3 => Some(1.0 / 500.0),
            Self::Scalar => None,
        }
    }

    fn present(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vbmi")
                    && is_x86_feature_detected!("avx512vbmi2")
                    && is_x86_feature_detected!("popcnt")
                    && is_x86_feature_detected!("bmi1")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => {
                is_x86_feature_detected!("avx2")
                    && is_x86_feature_detected!("popcnt")
                    && is_x86_feature_detected!("bmi1")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Ssse3 => is_x86_feature_detected!("ssse3"),
            Self::Scalar => true,
        }
    }
}

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
    fn new(tables: &Tables, instructions: Instructions) -> Self {
        if tables.entries.is_empty() {
            return Self::Nothing;
        }
        match instructions {
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512 | Instructions::Avx2 | Instructions::Ssse3 => {
                Self::Vector(x86::Vector::new(tables, instructions))
            }
            Instructions::Scalar => {
                let windows = tables.entries.iter().map(|entry| entry.window);
                Self::Scalar(Trigrams::new(windows))
            }
        }
    }

    /// Calls `visit` with every place where four bytes have the hash of a fingerprint, and perhaps with some where
    /// they have not. In ascending order, no place twice. `tables` are those that it was made of.
    #[inline]
    fn candidates(
        &self,
        tables: &Tables,
        haystack: &[u8],
        visit: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        match self {
            Self::Nothing => ControlFlow::Continue(()),
            #[cfg(target_arch = "x86_64")]
            Self::Vector(vector) => vector.candidates(tables, haystack, visit),
            Self::Scalar(trigrams) => trigrams.candidates(haystack, &mut |at| match haystack
                .get(at..)
                .and_then(<[u8]>::first_chunk)
            {
                Some(window) if tables.may_be(*window) => visit(at),
                _ => ControlFlow::Continue(()),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
