//! The first stage with the vector instructions of x86-64. The only part of the engine with `unsafe`.

#![expect(
    unsafe_code,
    reason = "vector instructions; the bounds are argued at each block"
)]

use std::arch::x86_64::*;
use std::fmt;
use std::ops::ControlFlow;

use super::fingerprint::{Fingerprint, WINDOW, high_half, low_half};
use super::{GROUP, Instructions};

/// How many places are looked at in one step.
const STEP: usize = 64;
/// How many bytes a step reads: the last place has its whole window.
const READ: usize = STEP + WINDOW - 1;
/// How many steps are done at a time, before anything is made of what they let through.
const BLOCK: usize = 32;

/// The tables, and the function that uses them.
pub(super) struct Vector {
    groups: Vec<Group>,
    steps: Steps,
    instructions: Instructions,
}

/// Does so many steps from an address on, at most [`BLOCK`], and keeps what they let through.
///
/// To be called only if the processor has the instructions it is compiled for, and [`READ`] bytes can be read
/// at the last step.
type Steps = unsafe fn(&[Group], *const u8, usize, &mut Candidates);

/// The steps of a block that let something through.
struct Candidates {
    /// For each place of a step whether a fingerprint may begin there. What follows the first `count` is of no
    /// meaning, here and below.
    masks: [u64; BLOCK],
    /// Which steps these are.
    steps: [u8; BLOCK],
    count: usize,
}

impl Candidates {
    /// Offsets from the start of the block, and the masks there.
    fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        let steps = self.steps.iter().map(|step| usize::from(*step) * STEP);
        steps.zip(self.masks).take(self.count)
    }
}

/// Eight buckets: for each byte of the window, which buckets allow which value.
#[derive(Clone)]
struct Group {
    low: [[u8; 16]; WINDOW],
    high: [[u8; 16]; WINDOW],
    whole: [[u8; 128]; WINDOW],
}

impl Group {
    const EMPTY: Self = Self {
        low: [[0; 16]; WINDOW],
        high: [[0; 16]; WINDOW],
        whole: [[0; 128]; WINDOW],
    };

    fn add(&mut self, fingerprint: &Fingerprint) {
        let bit = 1 << (fingerprint.bucket % GROUP);
        for (position, byte) in fingerprint.window.iter().enumerate() {
            self.low[position][low_half(*byte)] |= bit;
            self.high[position][high_half(*byte)] |= bit;
            self.whole[position][usize::from(byte & 0x7f)] |= bit;
        }
    }
}

impl Vector {
    /// `instructions` must be present.
    pub(super) fn new(fingerprints: &[Fingerprint], instructions: Instructions) -> Self {
        assert!(
            instructions.present(),
            "chosen among those that are present"
        );
        let mut groups = vec![Group::EMPTY; 1];
        for fingerprint in fingerprints {
            let group = fingerprint.bucket / GROUP;
            if groups.len() <= group {
                groups.resize(group + 1, Group::EMPTY);
            }
            groups[group].add(fingerprint);
        }
        let wide = !fingerprints.iter().all(|one| one.window.is_ascii());
        let steps: Steps = match (instructions, groups.len(), wide) {
            (Instructions::Avx512, 1, _) => avx512::<1>,
            (Instructions::Avx512, _, _) => avx512::<2>,
            (Instructions::Avx2, 1, false) => avx2::<1, false>,
            (Instructions::Avx2, 1, true) => avx2::<1, true>,
            (Instructions::Avx2, _, false) => avx2::<2, false>,
            (Instructions::Avx2, _, true) => avx2::<2, true>,
            (_, 1, false) => ssse3::<1, false>,
            (_, 1, true) => ssse3::<1, true>,
            (_, _, false) => ssse3::<2, false>,
            (_, _, true) => ssse3::<2, true>,
        };
        Self {
            groups,
            steps,
            instructions,
        }
    }

    #[inline]
    pub(super) fn candidates(
        &self,
        haystack: &[u8],
        visit: &mut impl FnMut(usize, u64) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut candidates = Candidates {
            masks: [0; BLOCK],
            steps: [0; BLOCK],
            count: 0,
        };
        let mut at = 0;
        while let Some(beyond) = haystack.len().checked_sub(at + READ) {
            let steps = (beyond / STEP + 1).min(BLOCK);
            // SAFETY: the last step begins at `at + (steps - 1) * STEP`, which is at most `at + beyond`, so it
            // reads to the end of the haystack at most; `new` has made sure of the instructions.
            unsafe {
                (self.steps)(
                    &self.groups,
                    haystack.as_ptr().add(at),
                    steps,
                    &mut candidates,
                );
            }
            for (offset, mask) in candidates.iter() {
                visit(at + offset, mask)?;
            }
            at += steps * STEP;
        }
        // At most `READ - 1` bytes are left: one step in a copy with zeros behind it. Places whose
        // window would reach into these are cut off.
        let rest = haystack.get(at..).unwrap_or_default();
        if rest.len() < WINDOW {
            return ControlFlow::Continue(());
        }
        let mut copy = [0; READ];
        copy[..rest.len()].copy_from_slice(rest);
        // SAFETY: one step, of a copy that has the length.
        unsafe { (self.steps)(&self.groups, copy.as_ptr(), 1, &mut candidates) };
        let places = rest.len() - (WINDOW - 1);
        let (_, mask) = candidates.iter().next().unwrap_or_default();
        match mask & ((1 << places) - 1) {
            0 => ControlFlow::Continue(()),
            mask => visit(at, mask),
        }
    }
}

impl fmt::Debug for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vector")
            .field("instructions", &self.instructions)
            .field("buckets", &(self.groups.len() * GROUP))
            .finish_non_exhaustive()
    }
}

/// One step of the search, with the tables in registers.
trait Kernel {
    /// Bit `i` is set if a fingerprint may begin at `at + i`.
    ///
    /// # Safety
    ///
    /// [`READ`] bytes can be read at `at`, and the processor has the instructions.
    unsafe fn step(&self, at: *const u8) -> u64;
}

/// The body of every [`Steps`].
///
/// It calls nothing, which would throw the tables out of the registers, and branches on nothing that the
/// text decides: to leave the loop for each candidate took a third of the time of text with one in 300 bytes.
///
/// # Safety
///
/// The processor has the instructions of the kernel, and [`READ`] bytes can be read at the last step.
#[inline(always)]
unsafe fn all_steps(
    kernel: &impl Kernel,
    at: *const u8,
    steps: usize,
    candidates: &mut Candidates,
) {
    let mut count = 0;
    for step in 0..steps.min(BLOCK) {
        // SAFETY: the caller's promise covers all steps up to the last.
        let mask = unsafe { kernel.step(at.add(step * STEP)) };
        // Overwritten by the next if there is nothing in it. `count` is at most `step`; the remainder, of a
        // power of two, is there for the compiler.
        candidates.masks[count % BLOCK] = mask;
        candidates.steps[count % BLOCK] = step as u8;
        count += usize::from(mask != 0);
    }
    candidates.count = count;
}

struct Avx512<const GROUPS: usize> {
    whole: [[[__m512i; 2]; WINDOW]; GROUPS],
}

/// # Safety
///
/// The processor has AVX-512 with BW and VBMI, and [`READ`] bytes can be read at the last step.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
unsafe fn avx512<const GROUPS: usize>(
    groups: &[Group],
    at: *const u8,
    steps: usize,
    candidates: &mut Candidates,
) {
    let mut whole = [[[_mm512_setzero_si512(); 2]; WINDOW]; GROUPS];
    for (tables, group) in whole.iter_mut().zip(groups) {
        for (halves, table) in tables.iter_mut().zip(&group.whole) {
            let table = table.as_ptr();
            // SAFETY: the table has 128 bytes.
            unsafe {
                halves[0] = _mm512_loadu_si512(table.cast());
                halves[1] = _mm512_loadu_si512(table.add(64).cast());
            }
        }
    }
    let kernel = Avx512 { whole };
    // SAFETY: the caller's promise.
    unsafe { all_steps(&kernel, at, steps, candidates) }
}

impl<const GROUPS: usize> Kernel for Avx512<GROUPS> {
    #[inline(always)]
    unsafe fn step(&self, at: *const u8) -> u64 {
        // SAFETY: the highest read is of 64 bytes from `at + 3`, within `READ`.
        unsafe {
            let mut text = [_mm512_setzero_si512(); WINDOW];
            for (position, text) in text.iter_mut().enumerate() {
                *text = _mm512_loadu_si512(at.add(position).cast());
            }
            let mut any = _mm512_setzero_si512();
            for group in &self.whole {
                let mut all = _mm512_permutex2var_epi8(group[0][0], text[0], group[0][1]);
                for position in 1..WINDOW {
                    let [lower, upper] = group[position];
                    all = _mm512_and_si512(
                        all,
                        _mm512_permutex2var_epi8(lower, text[position], upper),
                    );
                }
                any = _mm512_or_si512(any, all);
            }
            _mm512_test_epi8_mask(any, any)
        }
    }
}

/// The table twice, because shuffles do not cross the halves of the vector.
#[inline]
#[target_feature(enable = "avx2")]
fn load256(table: &[u8; 16]) -> __m256i {
    _mm256_broadcastsi128_si256(load128(table))
}

#[inline]
#[target_feature(enable = "ssse3")]
fn load128(table: &[u8; 16]) -> __m128i {
    // SAFETY: the table has 16 bytes.
    unsafe { _mm_loadu_si128(table.as_ptr().cast()) }
}

struct Avx2<const GROUPS: usize, const WIDE: bool> {
    low: [[__m256i; WINDOW]; GROUPS],
    high: [[__m256i; WINDOW]; GROUPS],
}

/// # Safety
///
/// The processor has AVX2, and [`READ`] bytes can be read at the last step.
#[target_feature(enable = "avx2")]
unsafe fn avx2<const GROUPS: usize, const WIDE: bool>(
    groups: &[Group],
    at: *const u8,
    steps: usize,
    candidates: &mut Candidates,
) {
    let mut kernel = Avx2::<GROUPS, WIDE> {
        low: [[_mm256_setzero_si256(); WINDOW]; GROUPS],
        high: [[_mm256_setzero_si256(); WINDOW]; GROUPS],
    };
    for (number, group) in groups.iter().enumerate().take(GROUPS) {
        for position in 0..WINDOW {
            kernel.low[number][position] = load256(&group.low[position]);
            kernel.high[number][position] = load256(&group.high[position]);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { all_steps(&kernel, at, steps, candidates) }
}

impl<const GROUPS: usize, const WIDE: bool> Avx2<GROUPS, WIDE> {
    /// The places from `at` whose window some bucket allows are not zero.
    ///
    /// # Safety
    ///
    /// 35 bytes can be read at `at`.
    #[inline(always)]
    unsafe fn allowed(&self, at: *const u8) -> __m256i {
        // SAFETY: the highest read is of 32 bytes from `at + 3`.
        unsafe {
            let mut all = [_mm256_set1_epi8(-1); GROUPS];
            for position in 0..WINDOW {
                let mut text = _mm256_loadu_si256(at.add(position).cast());
                if WIDE {
                    text = _mm256_and_si256(text, _mm256_set1_epi8(0x7f));
                }
                // The shuffle looks at bits 0 to 3 and gives zero where bit 7 is set, so the low
                // half needs no mask.
                let high = _mm256_and_si256(_mm256_srli_epi16::<3>(text), _mm256_set1_epi8(0x0f));
                for (group, all) in all.iter_mut().enumerate() {
                    let low = _mm256_shuffle_epi8(self.low[group][position], text);
                    let high = _mm256_shuffle_epi8(self.high[group][position], high);
                    *all = _mm256_and_si256(*all, _mm256_and_si256(low, high));
                }
            }
            all.into_iter()
                .reduce(|a, b| _mm256_or_si256(a, b))
                .unwrap_or(_mm256_setzero_si256())
        }
    }
}

impl<const GROUPS: usize, const WIDE: bool> Kernel for Avx2<GROUPS, WIDE> {
    #[inline(always)]
    unsafe fn step(&self, at: *const u8) -> u64 {
        // SAFETY: the second half reads 35 bytes from `at + 32`, which is `READ` in all.
        unsafe {
            let first = self.allowed(at);
            let second = self.allowed(at.add(32));
            let mask = |half| {
                let none = _mm256_cmpeq_epi8(half, _mm256_setzero_si256());
                u64::from(!_mm256_movemask_epi8(none).cast_unsigned())
            };
            mask(second) << 32 | mask(first)
        }
    }
}

struct Ssse3<const GROUPS: usize, const WIDE: bool> {
    low: [[__m128i; WINDOW]; GROUPS],
    high: [[__m128i; WINDOW]; GROUPS],
}

/// # Safety
///
/// The processor has SSSE3, and [`READ`] bytes can be read at the last step.
#[target_feature(enable = "ssse3")]
unsafe fn ssse3<const GROUPS: usize, const WIDE: bool>(
    groups: &[Group],
    at: *const u8,
    steps: usize,
    candidates: &mut Candidates,
) {
    let mut kernel = Ssse3::<GROUPS, WIDE> {
        low: [[_mm_setzero_si128(); WINDOW]; GROUPS],
        high: [[_mm_setzero_si128(); WINDOW]; GROUPS],
    };
    for (number, group) in groups.iter().enumerate().take(GROUPS) {
        for position in 0..WINDOW {
            kernel.low[number][position] = load128(&group.low[position]);
            kernel.high[number][position] = load128(&group.high[position]);
        }
    }
    // SAFETY: the caller's promise.
    unsafe { all_steps(&kernel, at, steps, candidates) }
}

impl<const GROUPS: usize, const WIDE: bool> Kernel for Ssse3<GROUPS, WIDE> {
    #[inline(always)]
    unsafe fn step(&self, at: *const u8) -> u64 {
        let mut mask = 0;
        for quarter in 0..4 {
            // SAFETY: the highest read is of 16 bytes from `at + 48 + 3`, within `READ`.
            unsafe {
                let mut all = [_mm_set1_epi8(-1); GROUPS];
                for position in 0..WINDOW {
                    let mut text = _mm_loadu_si128(at.add(16 * quarter + position).cast());
                    if WIDE {
                        text = _mm_and_si128(text, _mm_set1_epi8(0x7f));
                    }
                    let high = _mm_and_si128(_mm_srli_epi16::<3>(text), _mm_set1_epi8(0x0f));
                    for (group, all) in all.iter_mut().enumerate() {
                        let low = _mm_shuffle_epi8(self.low[group][position], text);
                        let high = _mm_shuffle_epi8(self.high[group][position], high);
                        *all = _mm_and_si128(*all, _mm_and_si128(low, high));
                    }
                }
                let any = all
                    .into_iter()
                    .reduce(|a, b| _mm_or_si128(a, b))
                    .unwrap_or(_mm_setzero_si128());
                let none = _mm_cmpeq_epi8(any, _mm_setzero_si128());
                let some = !_mm_movemask_epi8(none).cast_unsigned() & 0xffff;
                mask |= u64::from(some) << (16 * quarter);
            }
        }
        mask
    }
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use crate::engine::literal::{Instructions, LiteralSearcher};

    /// The page after the text cannot be read, so that one byte too many ends the test.
    #[test]
    fn nothing_is_read_beyond_the_end() {
        let page = 65536;
        // SAFETY: a new mapping at an address of the system's choice.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                2 * page,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        assert_ne!(base, libc::MAP_FAILED);
        let base = base.cast::<u8>();
        // SAFETY: the second half of the mapping above, on the boundary of a page.
        let closed = unsafe { libc::mprotect(base.add(page).cast(), page, libc::PROT_NONE) };
        assert_eq!(closed, 0);
        // SAFETY: the first half is mapped, zeroed, and nobody else knows of it.
        let text = unsafe { std::slice::from_raw_parts_mut(base, page) };
        text.fill(b'x');
        text[page - 4..].copy_from_slice(b"AKIA");
        let literals = [b"AKIA".to_vec(), b"aws_secret".to_vec()];
        for instructions in Instructions::ALL {
            if !instructions.present() {
                continue;
            }
            let searcher = LiteralSearcher::with(&literals, *instructions).unwrap();
            for length in 4..300 {
                let mut found = Vec::new();
                searcher.find_each(&text[page - length..], &mut |literal, offset| {
                    found.push((literal, offset));
                });
                assert_eq!(found, [(0, length - 4)], "{searcher:?}");
            }
        }
        // SAFETY: the mapping from above; `text` is not used any more.
        let gone = unsafe { libc::munmap(base.cast(), 2 * page) };
        assert_eq!(gone, 0);
    }
}
